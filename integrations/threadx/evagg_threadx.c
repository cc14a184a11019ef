/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "evagg_threadx.h"

#include "tx_api.h"

/* TX_DISABLE and TX_RESTORE keep the posture in a variable whose name only the port knows. */
#ifndef EVAGG_THREADX_POSTURE
#if defined(__linux__) || defined(_WIN32)
#define EVAGG_THREADX_POSTURE tx_saved_posture
#else
#define EVAGG_THREADX_POSTURE interrupt_save
#endif
#endif

/* clang-format off: the macros have no semicolon. */
size_t evagg_threadx_acquire(void *context) {
    TX_INTERRUPT_SAVE_AREA

        (void)
    context;
    TX_DISABLE
    return (size_t)EVAGG_THREADX_POSTURE;
}

void evagg_threadx_release(void *context, size_t state) {
    TX_INTERRUPT_SAVE_AREA

        (void)
    context;
    EVAGG_THREADX_POSTURE = (UINT)state;
    TX_RESTORE
}
