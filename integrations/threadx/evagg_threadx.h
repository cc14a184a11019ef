/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The lock of an evagg instance on ThreadX: interrupts are masked as ThreadX masks its own.

       evagg_config_t config = EVAGG_CONFIG_INIT;
       config.acquire = evagg_threadx_acquire;
       config.release = evagg_threadx_release;

   record may then be called from any thread and from any interrupt that ThreadX masks. The lock is
   held for one look-up, or for one record of flush and merge.

   A TX_MUTEX is the lesser choice: a thread that meets it is suspended, which costs two context
   switches against a few instructions; an interrupt handler must not take it; and it has to be
   created with TX_INHERIT, or a thread of low priority that holds it can be kept from going on. It
   fits where interrupts must never be masked for the hundreds of instructions of a look-up. */
#ifndef EVAGG_THREADX_H
#define EVAGG_THREADX_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * For acquire of evagg_config_t: TX_DISABLE.
 *
 * @param context Not used.
 * @return The interrupt posture before, for evagg_threadx_release.
 *
 * Any thread, initialization, and interrupts.
 */
size_t evagg_threadx_acquire(void *context);

/**
 * For release of evagg_config_t: TX_RESTORE.
 *
 * @param context Not used.
 * @param state   What evagg_threadx_acquire returned.
 */
void evagg_threadx_release(void *context, size_t state);

#ifdef __cplusplus
}
#endif

#endif
