/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What one hold of the lock may cost: a number of changed bytes that does not grow with the
   capacity. First, that the harness reports every misuse. */
#include "lock_harness.h"

#include <inttypes.h>
#include <stdio.h>

/* The emulator takes too long to compare more; there firmware.size counts instructions at 4,096. */
#if UINTPTR_MAX > UINT32_MAX
#define LARGEST 4096u
#else
#define LARGEST 256u
#endif
#define JOB_BYTES 16u
/* Records of a watched page: each compares the whole storage, which an emulator takes long for. */
#define WATCHED 16u

EVAGG_ALIGNED static uint8_t memory[EVAGG_PROCESSES_STORAGE_SIZE(LARGEST, LARGEST *JOB_BYTES)];
static uint8_t copy[sizeof memory];
static lock_harness_t harness;
static uint32_t warned;

static evagg_config_t begin(evagg_config_t config) {
    harness_reset();
    warned = 0;
    return harness_config(&harness, config);
}

static void watch_some(uint8_t *storage, size_t size) {
    (void)begin(config_of(1, 0));
    memset(storage, 0, size);
    harness_watch(&harness, storage, copy, size);
}

static void the_harness_passes_what_is_right(void **state) {
    (void)state;
    uint8_t *const storage = memory;
    watch_some(storage, 1000);
    for (uint32_t i = 0; i < 3; i++) {
        const uintptr_t word = harness_acquire(&harness);
        memset(storage + 7 * i, 0xff, HARNESS_BOUND);
        harness_release(&harness, word);
        harness_in_callback(&harness);
        harness_after_call(&harness);
        assert_int_equal(harness.faults, 0);
    }
    assert_int_equal(harness.most, HARNESS_BOUND);
}

static void the_harness_reports_every_misuse(void **state) {
    (void)state;
    static lock_harness_t other;
    uint8_t *const storage = memory;

    watch_some(storage, 1000);
    harness_release(&harness, 0);
    assert_int_equal(harness.faults, FAULT_NOT_HELD);

    watch_some(storage, 1000);
    harness_release(&harness, harness_acquire(&harness));
    harness_release(&harness, harness.held_state);
    assert_int_equal(harness.faults, FAULT_NOT_HELD);

    watch_some(storage, 1000);
    (void)harness_acquire(&harness);
    (void)harness_acquire(&harness);
    assert_int_equal(harness.faults, FAULT_NESTED);

    watch_some(storage, 1000);
    harness_release(&harness, harness_acquire(&harness) + 1);
    assert_int_equal(harness.faults, FAULT_WRONG_STATE);

    watch_some(storage, 1000);
    const uintptr_t earlier = harness_acquire(&harness);
    harness_release(&harness, earlier);
    (void)harness_acquire(&harness);
    harness_release(&harness, earlier);
    assert_int_equal(harness.faults, FAULT_WRONG_STATE);

    watch_some(storage, 1000);
    harness_release(&harness, harness_acquire(&other));
    assert_int_equal(harness.faults, FAULT_WRONG_CONTEXT);

    watch_some(storage, 1000);
    harness_release(NULL, harness_acquire(&harness));
    assert_int_equal(harness.faults, FAULT_WRONG_CONTEXT);

    /* The lock of another instance. */
    watch_some(storage, 1000);
    (void)harness_config(&other, config_of(1, 0));
    (void)harness_acquire(&harness);
    (void)harness_acquire(&other);
    assert_int_equal(other.faults, FAULT_NESTED);
    watch_some(storage, 1000);
    (void)harness_config(&other, config_of(1, 0));
    harness_release(&other, harness_acquire(&harness));
    harness_after_call(&harness);
    assert_int_equal(other.faults, FAULT_NOT_HELD);
    assert_int_equal(harness.faults, FAULT_LEFT_HELD);

    watch_some(storage, 1000);
    (void)harness_acquire(&harness);
    harness_in_callback(&harness);
    assert_int_equal(harness.faults, FAULT_CALLBACK_INSIDE);

    watch_some(storage, 1000);
    (void)harness_acquire(&harness);
    harness_after_call(&harness);
    assert_int_equal(harness.faults, FAULT_LEFT_HELD);

    watch_some(storage, 1000);
    const uintptr_t word = harness_acquire(&harness);
    memset(storage + 3, 0xff, HARNESS_BOUND + 1);
    harness_release(&harness, word);
    assert_int_equal(harness.faults, FAULT_LONG_HOLD);
    assert_int_equal(harness.most, HARNESS_BOUND + 1);

    for (uint32_t after = 0; after < 3; after++) {
        watch_some(storage, 1000);
        harness_release(&harness, harness_acquire(&harness));
        storage[999]++;
        if (after == 0) {
            harness_after_call(&harness);
        } else if (after == 1) {
            harness_in_callback(&harness);
        } else {
            (void)harness_acquire(&harness);
        }
        assert_int_equal(harness.faults, FAULT_UNLOCKED_WRITE);
    }
}

static void warn(void *context, const evagg_warning_t *warning) {
    (void)context;
    (void)warning;
    warned++;
    harness_in_callback(&harness);
}

/* Fills the cache without watching, then watches. */
static evagg_connections_t *full_connections(uint32_t capacity, uint8_t policy, uint8_t delivery) {
    evagg_connections_t *handle;
    evagg_config_t config = config_of(capacity, policy);
    config.warning_delivery = delivery;
    config = begin(config);
    CALL(&harness, evagg_connections_init(memory, sizeof memory, &config, &handle), EVAGG_OK);
    CALL(&harness, evagg_connections_set_warning_callback(handle, warn, NULL), EVAGG_OK);
    for (uint32_t n = 0; n < capacity; n++) {
        CALL(&harness, see_flow(handle, n, 1001), EVAGG_FIRST);
    }
    harness_watch(&harness, memory, copy, evagg_connections_storage_size(capacity));
    return handle;
}

static uint32_t connections_holds(uint32_t capacity, uint8_t policy, uint8_t delivery) {
    static evagg_connection_record_t page[WATCHED];
    evagg_window_t window;
    evagg_connections_t *const handle = full_connections(capacity, policy, delivery);
    const uint32_t count = capacity < WATCHED ? capacity : WATCHED;
    const evagg_status_t of_new = policy == EVAGG_REJECT_NEW ? EVAGG_REJECTED : EVAGG_FIRST;
    LOCKED(&harness, see_flow(handle, 0, 1002), EVAGG_COUNTED);
    for (uint32_t n = 0; n < 4; n++) {
        LOCKED(&harness, see_flow(handle, 10000 + n, 1002), of_new);
    }
    /* The lock is taken anew for each record. */
    uint32_t before = harness.acquired;
    LOCKED(&harness, evagg_connections_flush(handle, 1003, page, count, &window),
           count < capacity ? EVAGG_MORE : EVAGG_OK);
    assert_int_equal(window.records, count);
    assert_true(harness.acquired - before >= count);
    /* Half of them find room, and the others overflow. */
    for (uint32_t n = 0; n < count / 2; n++) {
        assert_true(see_flow(handle, 20000 + n, 1003) > 0);
    }
    before = harness.acquired;
    LOCKED(&harness, evagg_connections_merge(handle, page, count), EVAGG_OK);
    assert_true(harness.acquired - before >= count);
    evagg_status_t status = EVAGG_MORE;
    for (uint32_t i = 0; status == EVAGG_MORE && i < 2; i++) {
        status = evagg_connections_flush(handle, 1004, page, count, &window);
        harness_after_call(&harness);
        assert_true(status >= 0);
    }
    assert_true(warned > 0);
    assert_int_equal(harness.faults, 0);
    harness_ignore_storage(&harness);
    CALL(&harness, evagg_connections_deinit(handle), EVAGG_OK);
    return harness.most;
}

static uint32_t processes_holds(uint32_t capacity, uint8_t policy, uint8_t delivery) {
    static evagg_process_record_t page[WATCHED];
    static char text[WATCHED * (JOB_BYTES + 1)];
    evagg_processes_t *handle;
    evagg_window_t window;
    evagg_config_t config = process_config_of(capacity, capacity * JOB_BYTES, JOB_BYTES, policy);
    config.warning_delivery = delivery;
    config = begin(config);
    CALL(&harness, evagg_processes_init(memory, sizeof memory, &config, &handle), EVAGG_OK);
    CALL(&harness, evagg_processes_set_warning_callback(handle, warn, NULL), EVAGG_OK);
    for (uint32_t n = 0; n < capacity; n++) {
        CALL(&harness, see_job(handle, n, 1001), EVAGG_FIRST);
    }
    harness_watch(&harness, memory, copy,
                  evagg_processes_storage_size(capacity, capacity * JOB_BYTES));
    const uint32_t count = capacity < WATCHED ? capacity : WATCHED;
    const evagg_status_t of_new = policy == EVAGG_REJECT_NEW ? EVAGG_REJECTED : EVAGG_FIRST;
    for (uint32_t n = 0; n < 4; n++) {
        LOCKED(&harness, see_job(handle, 10000 + n, 1002), of_new);
        LOCKED(&harness, see_job(handle, capacity - 1, 1002),
               n < capacity - 1 || policy == EVAGG_REJECT_NEW ? EVAGG_COUNTED : EVAGG_FIRST);
    }
    uint32_t before = harness.acquired;
    LOCKED(&harness, evagg_processes_flush(handle, 1003, page, count, text, sizeof text, &window),
           count < capacity ? EVAGG_MORE : EVAGG_OK);
    assert_int_equal(window.records, count);
    assert_true(harness.acquired - before >= count);
    for (uint32_t n = 0; n < count / 2; n++) {
        assert_true(see_job(handle, 20000 + n, 1003) > 0);
    }
    before = harness.acquired;
    LOCKED(&harness, evagg_processes_merge(handle, page, count), EVAGG_OK);
    assert_true(harness.acquired - before >= count);
    evagg_status_t status = EVAGG_MORE;
    for (uint32_t i = 0; status == EVAGG_MORE && i < 2; i++) {
        status = evagg_processes_flush(handle, 1004, page, count, text, sizeof text, &window);
        harness_after_call(&harness);
        assert_true(status >= 0);
    }
    assert_true(warned > 0);
    assert_int_equal(harness.faults, 0);
    harness_ignore_storage(&harness);
    CALL(&harness, evagg_processes_deinit(handle), EVAGG_OK);
    return harness.most;
}

static uint32_t holds;
static uint32_t most_of_small, most_of_large;

static void take_down(uint32_t *most, uint32_t changed) {
    assert_true(changed > 0);
    holds += harness.acquired;
    *most = changed > *most ? changed : *most;
}

static void a_hold_changes_no_more_at_a_larger_capacity(void **state) {
    (void)state;
    for (uint8_t policy = EVAGG_REJECT_NEW; policy <= EVAGG_DISCARD_OLDEST; policy++) {
        for (uint8_t delivery = EVAGG_WARN_AT_ONCE; delivery <= EVAGG_WARN_AT_FLUSH; delivery++) {
            take_down(&most_of_small, connections_holds(4, policy, delivery));
            take_down(&most_of_large, connections_holds(LARGEST, policy, delivery));
            take_down(&most_of_small, processes_holds(4, policy, delivery));
            take_down(&most_of_large, processes_holds(LARGEST, policy, delivery));
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_harness_passes_what_is_right),
        cmocka_unit_test(the_harness_reports_every_misuse),
        cmocka_unit_test(a_hold_changes_no_more_at_a_larger_capacity),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (failed == 0) {
        printf("evidence lock callbacks: %" PRIu32
               " holds without misuse; bytes changed in one: at most %" PRIu32
               " with 4 entries, %" PRIu32 " with %u\n",
               holds, most_of_small, most_of_large, LARGEST);
    }
    return failed;
}
