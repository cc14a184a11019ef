/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Lock callbacks: every acquire has its release with the same state word, never nested, and no
   callback of the user runs inside. */
#include "lock_harness.h"

static lock_harness_t harness;
static uint32_t warned;
static connections_case_t subject;
static processes_case_t process_subject;
CONNECTIONS_MEMORY(memory, 64);
PROCESSES_MEMORY(process_memory, 32, 4096);
static uint8_t copy[sizeof memory > sizeof process_memory ? sizeof memory : sizeof process_memory];

static void warn(void *context, const evagg_warning_t *warning) {
    (void)context;
    (void)warning;
    warned++;
    harness_in_callback(&harness);
}

static void assert_balanced(void) {
    harness_after_call(&harness);
    assert_int_equal(harness.faults, 0);
}

static evagg_config_t locked(evagg_config_t config) {
    harness_reset();
    warned = 0;
    return harness_config(&harness, config);
}

static evagg_connections_t *open_connections(evagg_config_t config) {
    config = locked(config);
    connections_open(&subject, memory, sizeof memory, &config);
    assert_balanced();
    harness_watch(&harness, memory, copy, evagg_connections_storage_size(config.capacity));
    LOCKED(&harness, evagg_connections_set_warning_callback(subject.handle, warn, NULL), EVAGG_OK);
    return subject.handle;
}

static evagg_processes_t *open_processes(evagg_config_t config) {
    config = locked(config);
    processes_open(&process_subject, process_memory, sizeof process_memory, &config);
    assert_balanced();
    harness_watch(&harness, process_memory, copy,
                  evagg_processes_storage_size(config.capacity, config.text_bytes));
    LOCKED(&harness, evagg_processes_set_warning_callback(process_subject.handle, warn, NULL),
           EVAGG_OK);
    return process_subject.handle;
}

/* Every call, at a capacity of 3: the fourth event is lost, and so are two merged records. */
static void every_connection_call(uint8_t policy, uint8_t delivery) {
    static const uint8_t packet[28] = {0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17};
    static const uint8_t other[28] = {0x45, 0, 0, 28, 0, 0, 0, 0, 64, 99};
    static evagg_connection_record_t page[4];
    evagg_statistics_t statistics;
    evagg_window_t window;
    uint32_t length;
    evagg_config_t config = config_of(3, policy);
    config.warning_delivery = delivery;
    const evagg_status_t of_new = policy == EVAGG_REJECT_NEW ? EVAGG_REJECTED : EVAGG_FIRST;
    const uint32_t at_once = delivery == EVAGG_WARN_AT_ONCE;
    evagg_connections_t *const handle = open_connections(config);
    LOCKED(&harness, see_flow(handle, 0, 1001), EVAGG_FIRST);
    LOCKED(&harness, see_flow(handle, 0, 1001), EVAGG_COUNTED);
    LOCKED(&harness, evagg_connections_record_packet(handle, packet, 28, EVAGG_IN, 1001),
           EVAGG_FIRST);
    LOCKED(&harness, evagg_connections_record_packet(handle, packet, 28, EVAGG_IN, 1001),
           EVAGG_COUNTED);
    LOCKED(&harness, evagg_connections_record_packet(handle, packet, 20, EVAGG_IN, 1001),
           EVAGG_MALFORMED);
    LOCKED(&harness, evagg_connections_record_packet(handle, NULL, 0, EVAGG_IN, 1001),
           EVAGG_MALFORMED);
    LOCKED(&harness, evagg_connections_record_packet(handle, other, 28, EVAGG_IN, 1001),
           EVAGG_IGNORED);
    LOCKED(&harness, see_flow(handle, 2, 1001), EVAGG_FIRST);
    LOCKED(&harness, see_flow(handle, 3, 1001), of_new);
    LOCKED(&harness, see_flow(handle, 4, 1001), of_new);
    assert_int_equal(warned, at_once);
    LOCKED(&harness, evagg_connections_due(handle, 1001), EVAGG_DUE);
    LOCKED(&harness, evagg_connections_length(handle, &length), EVAGG_OK);
    LOCKED(&harness, evagg_connections_statistics(handle, &statistics), EVAGG_OK);
    LOCKED(&harness, evagg_connections_set_enabled(handle, 0), EVAGG_OK);
    LOCKED(&harness, see_flow(handle, 0, 1001), EVAGG_DISABLED);
    LOCKED(&harness, evagg_connections_record_packet(handle, packet, 28, EVAGG_IN, 1001),
           EVAGG_DISABLED);
    LOCKED(&harness, evagg_connections_set_enabled(handle, 1), EVAGG_OK);
    LOCKED(&harness, evagg_connections_flush(handle, 1002, page, 2, &window), EVAGG_MORE);
    LOCKED(&harness, evagg_connections_flush(handle, 1002, page + 2, 2, &window), EVAGG_OK);
    assert_int_equal(warned, 2);
    /* Two find room, one is known; the others, and none of those that wait, are lost. */
    LOCKED(&harness, evagg_connections_merge(handle, page, 2), EVAGG_OK);
    LOCKED(&harness, evagg_connections_merge(handle, page, 1), EVAGG_OK);
    LOCKED(&harness, see_flow(handle, 20, 1003), EVAGG_FIRST);
    page[0].connection = flow(30);
    page[1].connection = flow(31);
    LOCKED(&harness, evagg_connections_merge(handle, page, 2), EVAGG_OK);
    assert_int_equal(warned, 2 + at_once);
    LOCKED(&harness, evagg_connections_merge(handle, page, 2), EVAGG_OK);
    LOCKED(&harness, evagg_connections_flush(handle, 1004, page, 1, &window), EVAGG_MORE);
    /* While pages wait, what is discarded is of the window that is closed. */
    LOCKED(&harness, evagg_connections_set_overflow_policy(handle, EVAGG_DISCARD_OLDEST), EVAGG_OK);
    for (uint32_t n = 40; n < 46; n++) {
        LOCKED(&harness, see_flow(handle, n, 1005), EVAGG_FIRST);
    }
    while (evagg_connections_flush(handle, 1006, page, 1, &window) == EVAGG_MORE) {
        assert_balanced();
    }
    while (evagg_connections_flush(handle, 1007, page, 1, &window) == EVAGG_MORE) {
        assert_balanced();
    }
    assert_balanced();
    LOCKED(&harness, evagg_connections_set_warning_callback(handle, NULL, NULL), EVAGG_OK);
    harness_ignore_storage(&harness);
    CALL(&harness, evagg_connections_deinit(handle), EVAGG_OK);
}

static void every_connection_call_is_locked_and_balanced(void **state) {
    (void)state;
    for (uint8_t policy = EVAGG_REJECT_NEW; policy <= EVAGG_DISCARD_OLDEST; policy++) {
        every_connection_call(policy, EVAGG_WARN_AT_ONCE);
        every_connection_call(policy, EVAGG_WARN_AT_FLUSH);
    }
}

/* As for connections; the text is short before the entries are. */
static void every_process_call(uint8_t policy, uint8_t delivery) {
    static evagg_process_record_t page[4];
    static char text[(JOB_TEXT + 1) * 4];
    evagg_statistics_t statistics;
    evagg_window_t window;
    uint32_t length;
    evagg_config_t config = process_config_of(4, 3 * JOB_TEXT, JOB_TEXT, policy);
    config.warning_delivery = delivery;
    const evagg_status_t of_new = policy == EVAGG_REJECT_NEW ? EVAGG_REJECTED : EVAGG_FIRST;
    const uint32_t at_once = delivery == EVAGG_WARN_AT_ONCE;
    evagg_processes_t *const handle = open_processes(config);
    LOCKED(&harness, see_job(handle, 0, 1001), EVAGG_FIRST);
    LOCKED(&harness, see_job(handle, 0, 1001), EVAGG_COUNTED);
    LOCKED(&harness, see_job(handle, 1, 1001), EVAGG_FIRST);
    LOCKED(&harness, see_text(handle, "longer than is kept of it", 25, 1, 2, 1001), EVAGG_FIRST);
    LOCKED(&harness, see_job(handle, 3, 1001), of_new);
    LOCKED(&harness, see_text(handle, NULL, 0, 1, 2, 1001), EVAGG_FIRST);
    LOCKED(&harness, see_text(handle, NULL, 0, 2, 2, 1001), of_new);
    assert_int_equal(warned, at_once);
    LOCKED(&harness, evagg_processes_due(handle, 1001), EVAGG_DUE);
    LOCKED(&harness, evagg_processes_length(handle, &length), EVAGG_OK);
    LOCKED(&harness, evagg_processes_statistics(handle, &statistics), EVAGG_OK);
    LOCKED(&harness, evagg_processes_set_enabled(handle, 0), EVAGG_OK);
    LOCKED(&harness, see_job(handle, 0, 1001), EVAGG_DISABLED);
    LOCKED(&harness, evagg_processes_set_enabled(handle, 1), EVAGG_OK);
    LOCKED(&harness,
           evagg_processes_flush(handle, 1002, page, 2, text, 2 * (JOB_TEXT + 1), &window),
           EVAGG_MORE);
    LOCKED(&harness,
           evagg_processes_flush(handle, 1002, page + 2, 2, text + 2 * (JOB_TEXT + 1),
                                 2 * (JOB_TEXT + 1), &window),
           EVAGG_OK);
    assert_int_equal(warned, 2);
    LOCKED(&harness, evagg_processes_merge(handle, page, 2), EVAGG_OK);
    LOCKED(&harness, evagg_processes_merge(handle, page, 1), EVAGG_OK);
    for (uint32_t n = 20; n < 23; n++) {
        LOCKED(&harness, see_job(handle, n, 1003),
               n < 22 && (n < 21 || policy == EVAGG_DISCARD_OLDEST) ? EVAGG_FIRST : of_new);
    }
    LOCKED(&harness, evagg_processes_merge(handle, page, 4), EVAGG_OK);
    assert_int_equal(warned, 2 + at_once);
    LOCKED(&harness, evagg_processes_flush(handle, 1004, page, 1, text, sizeof text, &window),
           EVAGG_MORE);
    LOCKED(&harness, evagg_processes_set_overflow_policy(handle, EVAGG_DISCARD_OLDEST), EVAGG_OK);
    for (uint32_t n = 40; n < 46; n++) {
        LOCKED(&harness, see_job(handle, n, 1005), EVAGG_FIRST);
    }
    for (uint32_t windows = 0; windows < 2; windows++) {
        while (evagg_processes_flush(handle, 1006, page, 1, text, sizeof text, &window) ==
               EVAGG_MORE) {
            assert_balanced();
        }
    }
    assert_balanced();
    LOCKED(&harness, evagg_processes_set_warning_callback(handle, NULL, NULL), EVAGG_OK);
    harness_ignore_storage(&harness);
    CALL(&harness, evagg_processes_deinit(handle), EVAGG_OK);
}

static void every_process_call_is_locked_and_balanced(void **state) {
    (void)state;
    for (uint8_t policy = EVAGG_REJECT_NEW; policy <= EVAGG_DISCARD_OLDEST; policy++) {
        every_process_call(policy, EVAGG_WARN_AT_ONCE);
        every_process_call(policy, EVAGG_WARN_AT_FLUSH);
    }
}

static void misuse_of_connections_leaves_the_lock_released(void **state) {
    (void)state;
    evagg_connection_t wrong = flow(0);
    wrong.ip_version = 5;
    const evagg_connection_t right = flow(0);
    evagg_window_t window;
    evagg_statistics_t statistics;
    evagg_connection_record_t records[2] = {{.connection = flow(0), .hit_count = 1},
                                            {.connection = flow(1)}};
    static const uint8_t packet[28] = {0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17};
    evagg_connections_t *const handle = open_connections(config_of(3, 0));
    const evagg_status_t null = EVAGG_ERROR_NULL_ARGUMENT;
    const evagg_status_t bad = EVAGG_ERROR_BAD_VALUE;
    CALL(&harness, evagg_connections_record(handle, &wrong, EVAGG_IN, 0, 1001), bad);
    CALL(&harness, evagg_connections_record(handle, &right, 3, 0, 1001), bad);
    CALL(&harness, evagg_connections_record(handle, NULL, EVAGG_IN, 0, 1001), null);
    CALL(&harness, evagg_connections_record(NULL, &right, EVAGG_IN, 0, 1001), null);
    CALL(&harness, evagg_connections_record_packet(handle, NULL, 28, EVAGG_IN, 1001), null);
    CALL(&harness, evagg_connections_record_packet(handle, packet, 28, 0, 1001), bad);
    CALL(&harness, evagg_connections_flush(handle, 1001, records, 0, &window),
         EVAGG_ERROR_BUFFER_TOO_SMALL);
    CALL(&harness, evagg_connections_flush(handle, 1001, NULL, 1, &window), null);
    CALL(&harness, evagg_connections_flush(handle, 1001, records, 1, NULL), null);
    CALL(&harness, evagg_connections_merge(handle, NULL, 1), null);
    CALL(&harness, evagg_connections_merge(handle, NULL, 0), EVAGG_OK);
    /* None is merged. */
    CALL(&harness, evagg_connections_merge(handle, records, 2), bad);
    assert_int_equal(connections_length(handle), 0);
    CALL(&harness, evagg_connections_set_overflow_policy(handle, 0), bad);
    CALL(&harness, evagg_connections_set_overflow_policy(handle, 3), bad);
    CALL(&harness, evagg_connections_set_enabled(handle, 2), bad);
    CALL(&harness, evagg_connections_length(handle, NULL), null);
    CALL(&harness, evagg_connections_statistics(handle, NULL), null);
    CALL(&harness, evagg_connections_due(NULL, 1001), null);
    CALL(&harness, evagg_connections_statistics(NULL, &statistics), null);
    CALL(&harness, evagg_processes_due((const evagg_processes_t *)(const void *)handle, 1001),
         EVAGG_ERROR_NOT_INITIALISED);
    harness_ignore_storage(&harness);
    connections_close(&subject, 1002);
    assert_balanced();
    const uint32_t acquired = harness.acquired;
    CALL(&harness, see_flow(handle, 0, 1003), EVAGG_ERROR_NOT_INITIALISED);
    CALL(&harness, evagg_connections_flush(handle, 1003, records, 1, &window),
         EVAGG_ERROR_NOT_INITIALISED);
    assert_int_equal(harness.acquired, acquired);
}

static void misuse_of_processes_leaves_the_lock_released(void **state) {
    (void)state;
    evagg_window_t window;
    evagg_statistics_t statistics;
    evagg_process_record_t record = {.command_line = "x", .command_line_length = 1};
    char text[32];
    evagg_processes_t *const handle =
        open_processes(process_config_of(3, 64, JOB_TEXT, EVAGG_REJECT_NEW));
    const evagg_status_t null = EVAGG_ERROR_NULL_ARGUMENT;
    const evagg_status_t bad = EVAGG_ERROR_BAD_VALUE;
    const evagg_status_t small = EVAGG_ERROR_BUFFER_TOO_SMALL;
    CALL(&harness, evagg_processes_record(handle, NULL, 1001), null);
    CALL(&harness, see_text(handle, NULL, 1, 1, 1, 1001), null);
    CALL(&harness, see_text(NULL, "x", 1, 1, 1, 1001), null);
    CALL(&harness, evagg_processes_flush(handle, 1001, &record, 0, text, 32, &window), small);
    CALL(&harness, evagg_processes_flush(handle, 1001, &record, 1, text, JOB_TEXT, &window), small);
    CALL(&harness, evagg_processes_flush(handle, 1001, &record, 1, NULL, 32, &window), null);
    CALL(&harness, evagg_processes_flush(handle, 1001, NULL, 1, text, 32, &window), null);
    CALL(&harness, evagg_processes_flush(handle, 1001, &record, 1, text, 32, NULL), null);
    CALL(&harness, evagg_processes_merge(handle, NULL, 1), null);
    CALL(&harness, evagg_processes_merge(handle, &record, 1), bad);
    CALL(&harness, evagg_processes_set_overflow_policy(handle, 3), bad);
    CALL(&harness, evagg_processes_set_enabled(handle, 2), bad);
    CALL(&harness, evagg_processes_length(handle, NULL), null);
    CALL(&harness, evagg_processes_statistics(handle, NULL), null);
    CALL(&harness, evagg_processes_due(NULL, 1001), null);
    CALL(&harness, evagg_processes_statistics(NULL, &statistics), null);
    harness_ignore_storage(&harness);
    processes_close(&process_subject, 1002);
    assert_balanced();
    CALL(&harness, see_job(handle, 0, 1003), EVAGG_ERROR_NOT_INITIALISED);
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
    uint32_t before = harness.acquired;
    assert_int_equal(connections_page(&subject, 1002, 64), EVAGG_OK);
    assert_true(harness.acquired - before >= 64);
    before = harness.acquired;
    assert_int_equal(evagg_connections_merge(subject.handle, subject.records, 64), EVAGG_OK);
    assert_true(harness.acquired - before >= 64);
    connections_close(&subject, 1003);
    assert_balanced();
}

typedef struct interrupt_t {
    evagg_connections_t *handle;
    uint32_t recorded;
    uint8_t busy;
} interrupt_t;

static interrupt_t interrupt;

/* An interrupt that comes as soon as the lock is given back while pages wait, and records. */
static void release_and_interrupt(void *context, uintptr_t state) {
    harness_release(context, state);
    if (interrupt.handle != NULL && interrupt.busy == 0 && interrupt.recorded < 40) {
        interrupt.busy = 1;
        if (evagg_connections_due(interrupt.handle, 1001) == EVAGG_DUE) {
            interrupt.recorded += see_flow(interrupt.handle, 1000 + interrupt.recorded, 1001) > 0;
        }
        interrupt.busy = 0;
    }
}

static void events_between_the_records_of_a_page_belong_to_the_next_window(void **state) {
    (void)state;
    evagg_config_t config = locked(config_of(64, EVAGG_DISCARD_OLDEST));
    config.release = release_and_interrupt;
    /* So that due tells whether pages wait. */
    config.interval = 60;
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

#define WINDOWS 16u
#define NO_UNLOCK UINT32_MAX

/* Another caller, which comes once: after the n-th time that the lock is given back, it records
   `keys` new connections and flushes `windows` windows to their end. It notes what it meets, for
   cmocka must not jump out over frames of the library. */
typedef struct second_caller_t {
    evagg_connections_t *handle;
    uint32_t unlocks_left;
    uint32_t keys;
    uint32_t windows;
} second_caller_t;

/* What both callers were told and given, by window. */
typedef struct ledger_t {
    uint64_t hits[WINDOWS];
    uint64_t lost;
    uint32_t announced[WINDOWS];
    uint32_t ends;
    evagg_window_t ended[WINDOWS];
    uint32_t faults;
} ledger_t;

static second_caller_t second;
static ledger_t ledger;

static evagg_status_t flush_into_ledger(evagg_connections_t *handle, evagg_time_t now,
                                        size_t page) {
    evagg_connection_record_t records[4];
    evagg_window_t window;
    const evagg_status_t status = evagg_connections_flush(handle, now, records, page, &window);
    if (status < 0 || window.sequence >= WINDOWS || window.records > page ||
        ledger.ends == WINDOWS) {
        ledger.faults++;
        return EVAGG_OK;
    }
    for (uint32_t i = 0; i < window.records; i++) {
        ledger.hits[window.sequence] += records[i].hit_count;
    }
    if (status == EVAGG_OK) {
        ledger.ended[ledger.ends++] = window;
    }
    return status;
}

static void flush_to_the_end(evagg_connections_t *handle, evagg_time_t now, size_t page) {
    while (flush_into_ledger(handle, now, page) == EVAGG_MORE) {
    }
}

static void release_to_second_caller(void *context, uintptr_t state) {
    harness_release(context, state);
    if (second.unlocks_left == NO_UNLOCK || --second.unlocks_left > 0) {
        return;
    }
    second.unlocks_left = NO_UNLOCK;
    for (uint32_t n = 0; n < second.keys; n++) {
        ledger.faults += see_flow(second.handle, 1000 + n, 1001) <= 0;
    }
    for (uint32_t window = 0; window < second.windows; window++) {
        flush_to_the_end(second.handle, 1005, 4);
    }
}

static void announce(void *context, const evagg_warning_t *warning) {
    warn(context, warning);
    if (warning->code == EVAGG_WARNING_LOSSES && warning->window < WINDOWS) {
        ledger.announced[warning->window]++;
        ledger.lost += warning->lost;
    }
}

/* Flushes a window of `keys` connections while the second caller comes after unlock n. False once
   there are fewer unlocks than that. */
static int flush_with_second_caller(const evagg_config_t *config, uint32_t keys, uint32_t n,
                                    size_t page) {
    evagg_config_t with_locks = locked(*config);
    with_locks.release = release_to_second_caller;
    memset(&ledger, 0, sizeof ledger);
    second.unlocks_left = NO_UNLOCK;
    connections_open(&subject, memory, sizeof memory, &with_locks);
    second.handle = subject.handle;
    harness_watch(&harness, memory, copy, evagg_connections_storage_size(config->capacity));
    assert_int_equal(evagg_connections_set_warning_callback(subject.handle, announce, NULL),
                     EVAGG_OK);
    for (uint32_t key = 0; key < keys; key++) {
        assert_true(see_flow(subject.handle, key, 1001) > 0);
    }
    second.unlocks_left = n;
    flush_to_the_end(subject.handle, 1004, page);
    const int came = second.unlocks_left == NO_UNLOCK;
    second.unlocks_left = NO_UNLOCK;
    flush_to_the_end(subject.handle, 1006, page);
    flush_to_the_end(subject.handle, 1007, page);
    assert_int_equal(ledger.faults, 0);
    assert_balanced();
    return came;
}

static void two_flushers_announce_every_loss_once(void **state) {
    (void)state;
    for (uint32_t variant = 0; variant < 16; variant++) {
        evagg_config_t config =
            config_of(2, (variant & 1u) == 0 ? EVAGG_REJECT_NEW : EVAGG_DISCARD_OLDEST);
        config.warning_delivery = (variant & 2u) == 0 ? EVAGG_WARN_AT_ONCE : EVAGG_WARN_AT_FLUSH;
        second.keys = (variant & 4u) == 0 ? 0 : 5;
        second.windows = (variant & 8u) == 0 ? 1 : 2;
        for (size_t page = 1; page <= 2; page++) {
            uint32_t n = 1;
            while (flush_with_second_caller(&config, 5, n, page)) {
                const evagg_statistics_t statistics = connections_statistics(subject.handle);
                assert_true(ledger.announced[0] == 1);
                for (uint32_t i = 0; i < ledger.ends; i++) {
                    const evagg_window_t *const window = &ledger.ended[i];
                    assert_int_equal(ledger.announced[window->sequence],
                                     window->rejected + window->discarded > 0);
                }
                assert_int_equal(ledger.lost, statistics.rejected + statistics.discarded);
                assert_int_equal(evagg_connections_deinit(subject.handle), EVAGG_OK);
                n++;
            }
            assert_true(n > 4);
            assert_int_equal(evagg_connections_deinit(subject.handle), EVAGG_OK);
        }
    }
}

static void two_flushers_are_told_the_final_numbers(void **state) {
    (void)state;
    const evagg_config_t config = config_of(4, EVAGG_DISCARD_OLDEST);
    second.keys = 2;
    /* The second caller completes the window, or closes and completes the next one as well. */
    for (size_t variant = 0; variant < 8; variant++) {
        const size_t page = 1 + variant % 4;
        second.windows = variant < 4 ? 1 : 2;
        uint32_t n = 1;
        while (flush_with_second_caller(&config, 4, n, page)) {
            for (uint32_t i = 0; i < ledger.ends; i++) {
                const evagg_window_t *const window = &ledger.ended[i];
                assert_int_equal(window->remaining, 0);
                assert_int_equal(window->kept, ledger.hits[window->sequence]);
                assert_int_equal(window->offered, window->kept + window->discarded);
                for (uint32_t k = 0; k < i; k++) {
                    const evagg_window_t *const other = &ledger.ended[k];
                    if (other->sequence == window->sequence) {
                        assert_int_equal(other->offered, window->offered);
                        assert_int_equal(other->kept, window->kept);
                        assert_int_equal(other->discarded, window->discarded);
                    }
                }
            }
            assert_int_equal(evagg_connections_deinit(subject.handle), EVAGG_OK);
            n++;
        }
        assert_true(n > 4);
        assert_int_equal(evagg_connections_deinit(subject.handle), EVAGG_OK);
    }
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

static void the_default_is_the_built_in_lock_where_there_is_one(void **state) {
    (void)state;
    const evagg_status_t expected =
        SUPPORT_LOCK == EVAGG_LOCK_DEFAULT ? EVAGG_OK : EVAGG_ERROR_LOCK_REQUIRED;
    evagg_config_t config = process_config_of(4, 256, 0, 0);
    config.lock = EVAGG_LOCK_DEFAULT;
    evagg_connections_t *connections;
    assert_int_equal(evagg_connections_init(memory, sizeof memory, &config, &connections),
                     expected);
    assert_int_equal(connections != NULL, expected == EVAGG_OK);
    evagg_processes_t *processes;
    assert_int_equal(
        evagg_processes_init(process_memory, sizeof process_memory, &config, &processes), expected);
    assert_int_equal(processes != NULL, expected == EVAGG_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_connection_call_is_locked_and_balanced),
        cmocka_unit_test(every_process_call_is_locked_and_balanced),
        cmocka_unit_test(misuse_of_connections_leaves_the_lock_released),
        cmocka_unit_test(misuse_of_processes_leaves_the_lock_released),
        cmocka_unit_test(long_calls_give_the_lock_back_on_the_way),
        cmocka_unit_test(events_between_the_records_of_a_page_belong_to_the_next_window),
        cmocka_unit_test(two_flushers_announce_every_loss_once),
        cmocka_unit_test(two_flushers_are_told_the_final_numbers),
        cmocka_unit_test(one_context_needs_no_lock),
        cmocka_unit_test(the_default_is_the_built_in_lock_where_there_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
