/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef EVAGG_C_TESTS_LOCK_HARNESS_H
#define EVAGG_C_TESTS_LOCK_HARNESS_H

#include "support.h"

/* Lock callbacks that note every misuse. For one context: at most one lock is held at a time, so
   acquiring a second one is a nested call. Misuse is noted and not asserted, for cmocka must not
   jump out over frames of the library. */

#define FAULT_NESTED 1u
#define FAULT_NOT_HELD 2u
#define FAULT_WRONG_STATE 4u
#define FAULT_WRONG_CONTEXT 8u
#define FAULT_CALLBACK_INSIDE 16u
#define FAULT_LEFT_HELD 32u
/* More bytes of the storage changed during one hold than HARNESS_BOUND. */
#define FAULT_LONG_HOLD 64u
/* The storage changed while the lock was not held. */
#define FAULT_UNLOCKED_WRITE 128u

/* The most bytes that one hold may change, whatever the capacity: an entry with its text, a block of
   the sketch, and the accounting of the window that closes and of the next one. */
#define HARNESS_BOUND 192u

typedef struct lock_harness_t {
    uintptr_t next_state;
    uintptr_t held_state;
    uint32_t acquired;
    uint32_t released;
    uint32_t faults;
    uint8_t held;
    /* The storage, and what it was at the end of the last hold. NULL: not watched. */
    const uint8_t *storage;
    uint8_t *copy;
    size_t bytes;
    uint32_t bound;
    /* The most bytes that changed during one hold. */
    uint32_t most;
} lock_harness_t;

/* Forgets all harnesses; they are told from other contexts by having been set up since. */
void harness_reset(void);
/* The configuration with this lock; begins anew. */
evagg_config_t harness_config(lock_harness_t *harness, evagg_config_t config);
/* Watches the storage of an instance from here on, with a copy of the same size. */
void harness_watch(lock_harness_t *harness, const void *storage, void *copy, size_t bytes);
/* Before deinit, and where watching would take too long. */
void harness_ignore_storage(lock_harness_t *harness);
/* What a warning callback calls first. */
void harness_in_callback(lock_harness_t *harness);
/* What follows a call of the library. */
void harness_after_call(lock_harness_t *harness);

uintptr_t harness_acquire(void *context);
void harness_release(void *context, uintptr_t state);

/* Runs a call that has to end with this status and the lock released. */
#define CALL(harness, call, status)             \
    do {                                        \
        assert_int_equal((call), (status));     \
        harness_after_call(harness);            \
        assert_int_equal((harness)->faults, 0); \
    } while (0)

/* The same for a call that has to take the lock. */
#define LOCKED(harness, call, status)                          \
    do {                                                       \
        const uint32_t acquired_before_ = (harness)->acquired; \
        CALL(harness, call, status);                           \
        assert_true((harness)->acquired > acquired_before_);   \
    } while (0)

#endif
