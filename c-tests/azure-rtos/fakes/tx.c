/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A ThreadX with one of three ports: FAKE_PORT_BOARD masks the interrupts of a board, FAKE_PORT_MUTEX
   takes a mutex, so that POSIX threads can be its threads, and the plain one only keeps account. */
#include "fake_netx.h"

#include <stddef.h>

const char *volatile fake_fault;
volatile ULONG fake_time;
ULONG fake_masks;
ULONG fake_nested_masks;

VOID fake_check(int holds, const char *fault) {
    if (!holds && fake_fault == NULL) {
        fake_fault = fault;
    }
}

#if defined(FAKE_PORT_BOARD)
#include "board.h"

static volatile UINT posture = FAKE_ENABLED;
static uint32_t state;

static VOID mask(VOID) {
    const uint32_t before = board_mask_interrupts();

    if (posture == FAKE_ENABLED) {
        state = before;
    }
}
static VOID unmask(VOID) { board_restore_interrupts(state); }
static VOID wait_for_mutex(VOID) {}
static VOID leave_mutex(VOID) {}

#elif defined(FAKE_PORT_MUTEX)
#include <pthread.h>

static _Thread_local UINT posture = FAKE_ENABLED;
static pthread_mutex_t processor = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t protection = PTHREAD_MUTEX_INITIALIZER;

static VOID mask(VOID) {
    if (posture == FAKE_ENABLED) {
        (void)pthread_mutex_lock(&processor);
    }
}
static VOID unmask(VOID) { (void)pthread_mutex_unlock(&processor); }
static VOID wait_for_mutex(VOID) { (void)pthread_mutex_lock(&protection); }
static VOID leave_mutex(VOID) { (void)pthread_mutex_unlock(&protection); }

#else

static UINT posture = FAKE_ENABLED;

static VOID mask(VOID) {}
static VOID unmask(VOID) {}
static VOID wait_for_mutex(VOID) {}
static VOID leave_mutex(VOID) {}
#endif

UINT fake_posture(VOID) { return posture; }

UINT fake_tx_disable(VOID) {
    UINT before;

    mask();
    before = posture;
    posture = FAKE_MASKED;
    fake_masks++;
    fake_nested_masks += before == FAKE_MASKED;
    return before;
}

VOID fake_tx_restore(UINT before) {
    fake_check(before == FAKE_ENABLED || before == FAKE_MASKED, "restored to no posture at all");
    fake_check(posture == FAKE_MASKED, "restored without having been masked");
    if (before != FAKE_MASKED && posture == FAKE_MASKED) {
        posture = FAKE_ENABLED;
        unmask();
    }
}

/* All mutexes are one, and there is no mutex between a program and its interrupts. */
UINT tx_mutex_get(TX_MUTEX *mutex, ULONG wait_option) {
    fake_check(fake_posture() == FAKE_ENABLED, "waited for a mutex with interrupts masked");
    fake_check(wait_option == TX_WAIT_FOREVER, "a mutex that is not waited for");
    wait_for_mutex();
    mutex->fake_gets++;
    return TX_SUCCESS;
}

UINT tx_mutex_put(TX_MUTEX *mutex) {
    fake_check(mutex->fake_gets > 0, "put a mutex that it never got");
    leave_mutex();
    return TX_SUCCESS;
}

ULONG tx_time_get(VOID) { return fake_time; }
