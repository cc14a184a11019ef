/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Lock callbacks: every acquire has its release with the same state word, never nested, and no
   callback of the user runs inside. */
#include "support.h"

typedef struct lock_t {
    uintptr_t next_state;
    uintptr_t held_state;
    uint32_t acquired;
    uint32_t released;
    uint32_t faults;
    uint8_t held;
} lock_t;

static lock_t lock;
static uint32_t warned;
static connections_case_t subject;
static processes_case_t process_subject;
CONNECTIONS_MEMORY(memory, 64);
PROCESSES_MEMORY(process_memory, 32, 4096);

static uintptr_t acquire(void *context) {
    lock_t *const to = context;
    to->faults += to->held;
    to->held = 1;
    to->acquired++;
    /* Awkward words: zero, all ones, and everything between. */
    to->next_state = to->next_state * 2654435761u + UINTPTR_MAX;
    to->held_state = to->next_state;
    return to->held_state;
}

static void release(void *context, uintptr_t state) {
    lock_t *const to = context;
    to->faults += to->held == 0 || state != to->held_state;
    to->held = 0;
    to->released++;
}

static void warn(void *context, const evagg_warning_t *warning) {
    (void)context;
    (void)warning;
    warned++;
    lock.faults += lock.held;
}

static void assert_balanced(void) {
    assert_int_equal(lock.faults, 0);
    assert_int_equal(lock.held, 0);
    assert_int_equal(lock.acquired, lock.released);
}

static evagg_config_t locked(evagg_config_t config) {
    memset(&lock, 0, sizeof lock);
    warned = 0;
    config.acquire = acquire;
    config.release = release;
    config.lock_context = &lock;
    return config;
}

/* Runs a call that has to take the lock, and checks that it gave it back. */
#define LOCKED(call, status)                            \
    do {                                                \
        const uint32_t acquired_before = lock.acquired; \
        assert_int_equal((call), (status));             \
        assert_true(lock.acquired > acquired_before);   \
        assert_balanced();                              \
    } while (0)

static void every_connection_call_is_locked_and_balanced(void **state) {
    (void)state;
    static const uint8_t packet[28] = {0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17};
    static evagg_connection_record_t page[4];
    evagg_statistics_t statistics;
    evagg_window_t window;
    uint32_t length;
    const evagg_config_t config = locked(config_of(3, 0));
    connections_open(&subject, memory, sizeof memory, &config);
    assert_balanced();
    evagg_connections_t *const handle = subject.handle;
    LOCKED(evagg_connections_set_warning_callback(handle, warn, NULL), EVAGG_OK);
    LOCKED(see_flow(handle, 0, 1001), EVAGG_FIRST);
    LOCKED(see_flow(handle, 0, 1001), EVAGG_COUNTED);
    LOCKED(evagg_connections_record_packet(handle, packet, 28, EVAGG_IN, 1001), EVAGG_FIRST);
    LOCKED(evagg_connections_record_packet(handle, packet, 20, EVAGG_IN, 1001), EVAGG_MALFORMED);
    LOCKED(see_flow(handle, 2, 1001), EVAGG_FIRST);
    LOCKED(see_flow(handle, 3, 1001), EVAGG_REJECTED);
    assert_int_equal(warned, 1);
    LOCKED(evagg_connections_due(handle, 1001), EVAGG_DUE);
    LOCKED(evagg_connections_length(handle, &length), EVAGG_OK);
    LOCKED(evagg_connections_statistics(handle, &statistics), EVAGG_OK);
    LOCKED(evagg_connections_set_enabled(handle, 0), EVAGG_OK);
    LOCKED(see_flow(handle, 0, 1001), EVAGG_DISABLED);
    LOCKED(evagg_connections_set_enabled(handle, 1), EVAGG_OK);
    LOCKED(evagg_connections_set_overflow_policy(handle, EVAGG_DISCARD_OLDEST), EVAGG_OK);
    LOCKED(evagg_connections_flush(handle, 1002, page, 2, &window), EVAGG_MORE);
    LOCKED(evagg_connections_flush(handle, 1002, page + 2, 2, &window), EVAGG_OK);
    assert_int_equal(warned, 2);
    LOCKED(evagg_connections_merge(handle, page, 3), EVAGG_OK);
    assert_int_equal(evagg_connections_deinit(handle), EVAGG_OK);
    assert_balanced();
}

static void every_process_call_is_locked_and_balanced(void **state) {
    (void)state;
    static evagg_process_record_t page[4];
    static char text[257 * 4];
    evagg_statistics_t statistics;
    evagg_window_t window;
    uint32_t length;
    const evagg_config_t config = locked(process_config_of(3, 1024, 0, EVAGG_REJECT_NEW));
    processes_open(&process_subject, process_memory, sizeof process_memory, &config);
    assert_balanced();
    evagg_processes_t *const handle = process_subject.handle;
    LOCKED(evagg_processes_set_warning_callback(handle, warn, NULL), EVAGG_OK);
    LOCKED(see_job(handle, 0, 1001), EVAGG_FIRST);
    LOCKED(see_job(handle, 0, 1001), EVAGG_COUNTED);
    LOCKED(see_job(handle, 1, 1001), EVAGG_FIRST);
    LOCKED(see_job(handle, 2, 1001), EVAGG_FIRST);
    LOCKED(see_job(handle, 3, 1001), EVAGG_REJECTED);
    assert_int_equal(warned, 1);
    LOCKED(evagg_processes_due(handle, 1001), EVAGG_DUE);
    LOCKED(evagg_processes_length(handle, &length), EVAGG_OK);
    LOCKED(evagg_processes_statistics(handle, &statistics), EVAGG_OK);
    LOCKED(evagg_processes_set_enabled(handle, 0), EVAGG_OK);
    LOCKED(see_job(handle, 0, 1001), EVAGG_DISABLED);
    LOCKED(evagg_processes_set_enabled(handle, 1), EVAGG_OK);
    LOCKED(evagg_processes_set_overflow_policy(handle, EVAGG_DISCARD_OLDEST), EVAGG_OK);
    LOCKED(evagg_processes_flush(handle, 1002, page, 4, text, sizeof text, &window), EVAGG_OK);
    assert_int_equal(warned, 2);
    LOCKED(evagg_processes_merge(handle, page, 3), EVAGG_OK);
    assert_int_equal(evagg_processes_deinit(handle), EVAGG_OK);
    assert_balanced();
}

static void misuse_leaves_the_lock_released(void **state) {
    (void)state;
    evagg_connection_t wrong = flow(0);
    wrong.ip_version = 5;
    evagg_window_t window;
    evagg_connection_record_t record = {.connection = flow(0)};
    const evagg_config_t config = locked(config_of(3, 0));
    connections_open(&subject, memory, sizeof memory, &config);
    evagg_connections_t *const handle = subject.handle;
    assert_int_equal(evagg_connections_record(handle, &wrong, EVAGG_IN, 0, 1001),
                     EVAGG_ERROR_BAD_VALUE);
    assert_balanced();
    assert_int_equal(evagg_connections_flush(handle, 1001, &record, 0, &window),
                     EVAGG_ERROR_BUFFER_TOO_SMALL);
    assert_balanced();
    assert_int_equal(evagg_connections_merge(handle, &record, 1), EVAGG_ERROR_BAD_VALUE);
    assert_balanced();
    assert_int_equal(evagg_connections_set_overflow_policy(handle, 3), EVAGG_ERROR_BAD_VALUE);
    assert_balanced();
    assert_int_equal(evagg_connections_length(handle, NULL), EVAGG_ERROR_NULL_ARGUMENT);
    assert_balanced();
    connections_close(&subject, 1002);
    assert_balanced();
}

/* The lock is given back between records of a flush and of a merge, so that the time it is held
   does not grow with the page. */
static void long_calls_give_the_lock_back_on_the_way(void **state) {
    (void)state;
    const evagg_config_t config = locked(config_of(64, 0));
    connections_open(&subject, memory, sizeof memory, &config);
    for (uint32_t n = 0; n < 64; n++) {
        assert_int_equal(see_flow(subject.handle, n, 1001), EVAGG_FIRST);
    }
    uint32_t before = lock.acquired;
    assert_int_equal(connections_page(&subject, 1002, 64), EVAGG_OK);
    assert_true(lock.acquired - before >= 16);
    before = lock.acquired;
    assert_int_equal(evagg_connections_merge(subject.handle, subject.records, 64), EVAGG_OK);
    assert_true(lock.acquired - before >= 16);
    connections_close(&subject, 1003);
    assert_balanced();
}

typedef struct interrupt_t {
    lock_t *lock;
    evagg_connections_t *handle;
    uint32_t recorded;
    uint8_t busy;
} interrupt_t;

static interrupt_t interrupt;

/* An interrupt that comes as soon as the lock is given back, and records. */
static void release_and_interrupt(void *context, uintptr_t state) {
    release(context, state);
    if (interrupt.handle != NULL && interrupt.busy == 0 && interrupt.recorded < 40) {
        interrupt.busy = 1;
        interrupt.recorded += see_flow(interrupt.handle, 1000 + interrupt.recorded, 1001) > 0;
        interrupt.busy = 0;
    }
}

static void events_between_the_records_of_a_page_belong_to_the_next_window(void **state) {
    (void)state;
    evagg_config_t config = locked(config_of(64, EVAGG_DISCARD_OLDEST));
    config.release = release_and_interrupt;
    memset(&interrupt, 0, sizeof interrupt);
    connections_open(&subject, memory, sizeof memory, &config);
    for (uint32_t n = 0; n < 20; n++) {
        assert_int_equal(see_flow(subject.handle, n, 1001), EVAGG_FIRST);
    }
    interrupt.handle = subject.handle;
    connections_drain(&subject, 1002, 3);
    interrupt.handle = NULL;
    assert_int_equal(subject.window.offered, 20);
    assert_int_equal(subject.count, 20);
    for (uint32_t n = 0; n < 20; n++) {
        const evagg_connection_t connection = flow(n);
        assert_memory_equal(&subject.records[n].connection, &connection, sizeof connection);
    }
    assert_true(interrupt.recorded > 0);
    connections_drain(&subject, 1003, 64);
    assert_int_equal(subject.window.offered, interrupt.recorded);
    connections_close(&subject, 1004);
    assert_balanced();
}

static void one_context_needs_no_lock(void **state) {
    (void)state;
    evagg_config_t config = config_of(4, 0);
    config.lock = EVAGG_LOCK_NONE;
    connections_open(&subject, memory, sizeof memory, &config);
    assert_int_equal(see_flow(subject.handle, 0, 1001), EVAGG_FIRST);
    assert_int_equal(see_flow(subject.handle, 0, 1001), EVAGG_COUNTED);
    connections_drain(&subject, 1002, 4);
    assert_int_equal(subject.records[0].hit_count, 2);
    connections_close(&subject, 1003);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_connection_call_is_locked_and_balanced),
        cmocka_unit_test(every_process_call_is_locked_and_balanced),
        cmocka_unit_test(misuse_leaves_the_lock_released),
        cmocka_unit_test(long_calls_give_the_lock_back_on_the_way),
        cmocka_unit_test(events_between_the_records_of_a_page_belong_to_the_next_window),
        cmocka_unit_test(one_context_needs_no_lock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
