/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What the integrations use of ThreadX, by its names. */
#ifndef FAKE_TX_API_H
#define FAKE_TX_API_H

#include <limits.h>

#define VOID void
typedef unsigned char UCHAR;
typedef unsigned int UINT;
#if ULONG_MAX == 0xffffffff
typedef unsigned long ULONG;
#else
typedef unsigned int ULONG;
#endif

#define TX_INTERRUPT_SAVE_AREA UINT interrupt_save;
#define TX_DISABLE interrupt_save = fake_tx_disable();
#define TX_RESTORE fake_tx_restore(interrupt_save);

UINT fake_tx_disable(VOID);
VOID fake_tx_restore(UINT posture);
ULONG tx_time_get(VOID);

typedef struct {
    ULONG fake_gets;
} TX_MUTEX;

#define TX_SUCCESS 0
#define TX_WAIT_FOREVER 0xffffffffu

UINT tx_mutex_get(TX_MUTEX *mutex, ULONG wait_option);
UINT tx_mutex_put(TX_MUTEX *mutex);

#endif
