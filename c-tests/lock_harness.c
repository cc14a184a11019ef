/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "lock_harness.h"

#define HARNESSES 4u
#define STEP 64u

static lock_harness_t *known[HARNESSES];
static lock_harness_t unknown;

void harness_reset(void) {
    memset(known, 0, sizeof known);
    memset(&unknown, 0, sizeof unknown);
}

static lock_harness_t *harness_of(void *context) {
    for (size_t i = 0; i < HARNESSES; i++) {
        if (known[i] != NULL && known[i] == context) {
            return known[i];
        }
    }
    lock_harness_t *const to = known[0] != NULL ? known[0] : &unknown;
    to->faults |= FAULT_WRONG_CONTEXT;
    return to;
}

static int is_one_held(void) {
    for (size_t i = 0; i < HARNESSES; i++) {
        if (known[i] != NULL && known[i]->held != 0) {
            return 1;
        }
    }
    return 0;
}

/* How many bytes differ, after which the copy is up to date. */
static uint32_t take_changes(lock_harness_t *harness) {
    uint32_t changed = 0;
    for (size_t at = 0; at < harness->bytes; at += STEP) {
        const size_t length = harness->bytes - at < STEP ? harness->bytes - at : STEP;
        const uint8_t *const now = harness->storage + at;
        uint8_t *const before = harness->copy + at;
        if (memcmp(now, before, length) != 0) {
            for (size_t i = 0; i < length; i++) {
                changed += now[i] != before[i];
            }
            memcpy(before, now, length);
        }
    }
    return changed;
}

static void check_unlocked(lock_harness_t *harness) {
    if (harness->storage != NULL && harness->held == 0 && take_changes(harness) > 0) {
        harness->faults |= FAULT_UNLOCKED_WRITE;
    }
}

evagg_config_t harness_config(lock_harness_t *harness, evagg_config_t config) {
    memset(harness, 0, sizeof *harness);
    harness->bound = HARNESS_BOUND;
    size_t place = 0;
    while (place < HARNESSES - 1 && known[place] != NULL && known[place] != harness) {
        place++;
    }
    known[place] = harness;
    config.lock = EVAGG_LOCK_DEFAULT;
    config.acquire = harness_acquire;
    config.release = harness_release;
    config.lock_context = harness;
    return config;
}

void harness_watch(lock_harness_t *harness, const void *storage, void *copy, size_t bytes) {
    harness->storage = storage;
    harness->copy = copy;
    harness->bytes = bytes;
    memcpy(copy, storage, bytes);
}

void harness_ignore_storage(lock_harness_t *harness) {
    check_unlocked(harness);
    harness->storage = NULL;
}

uintptr_t harness_acquire(void *context) {
    lock_harness_t *const to = harness_of(context);
    if (is_one_held() || to->held != 0) {
        to->faults |= FAULT_NESTED;
    }
    check_unlocked(to);
    to->held = 1;
    to->acquired++;
    /* Awkward words: zero, all ones, and everything between. */
    to->next_state = to->next_state * 2654435761u + UINTPTR_MAX;
    to->held_state = to->next_state;
    return to->held_state;
}

void harness_release(void *context, uintptr_t state) {
    lock_harness_t *const to = harness_of(context);
    if (to->held == 0) {
        to->faults |= FAULT_NOT_HELD;
    } else if (state != to->held_state) {
        to->faults |= FAULT_WRONG_STATE;
    }
    if (to->storage != NULL && to->held != 0) {
        const uint32_t changed = take_changes(to);
        to->most = changed > to->most ? changed : to->most;
        if (changed > to->bound) {
            to->faults |= FAULT_LONG_HOLD;
        }
    }
    to->held = 0;
    to->released++;
}

void harness_in_callback(lock_harness_t *harness) {
    if (is_one_held() || harness->held != 0) {
        harness->faults |= FAULT_CALLBACK_INSIDE;
    }
    check_unlocked(harness);
}

void harness_after_call(lock_harness_t *harness) {
    if (is_one_held() || harness->held != 0 || harness->acquired != harness->released) {
        harness->faults |= FAULT_LEFT_HELD;
    }
    check_unlocked(harness);
}
