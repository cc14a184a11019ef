/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A warning callback calls every function of the library, for its own instance and for one of the
   other kind, from whichever call gives the warning: no deadlock, and the accounting is exact. */
#include "lock_harness.h"

#include <inttypes.h>
#include <stdio.h>

#define PAGE 2u

typedef enum { FROM_RECORD, FROM_PACKET, FROM_MERGE, FROM_FLUSH, CAUSES } cause_t;

/* What was given to an instance, before the call, and what left it, by the callback and by the test alike. */
typedef struct tally_t {
    uint64_t offered, merged, left, disabled, unrecorded;
} tally_t;

static lock_harness_t connection_lock, process_lock, spare_lock;
static evagg_connections_t *connections;
static evagg_processes_t *processes;
static tally_t connection_tally, process_tally;
static uint32_t depth, calls, faults;
static uint32_t calls_within;
CONNECTIONS_MEMORY(connection_memory, 2);
PROCESSES_MEMORY(process_memory, 2, 2 * JOB_TEXT);
PROCESSES_MEMORY(spare_memory, 1, JOB_TEXT);
static uint8_t connection_copy[sizeof connection_memory];
static uint8_t process_copy[sizeof process_memory];
static const uint8_t packet[28] = {0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17};

/* cmocka must not jump out over frames of the library. */
static void expect(evagg_status_t status, evagg_status_t expected) {
    calls_within += depth > 0;
    faults += status != expected;
}

static void expect_outcome(evagg_status_t status) {
    calls_within += depth > 0;
    faults += status < 0;
}

static void flow_is_seen(uint32_t n) {
    connection_tally.offered++;
    expect_outcome(see_flow(connections, n, 1001));
}

static void packet_is_seen(void) {
    connection_tally.offered++;
    expect_outcome(evagg_connections_record_packet(connections, packet, 28, EVAGG_IN, 1001));
}

static void job_is_seen(uint32_t n) {
    process_tally.offered++;
    expect_outcome(see_job(processes, n, 1001));
}

static void merge_flow(uint32_t n) {
    evagg_connection_record_t record = {.connection = flow(n), .hit_count = 3};
    connection_tally.merged += 3;
    expect(evagg_connections_merge(connections, &record, 1), EVAGG_OK);
}

static evagg_process_record_t held_job;
static char held_text[JOB_TEXT];

static void merge_job(void) {
    process_tally.merged += held_job.hit_count;
    expect(evagg_processes_merge(processes, &held_job, 1), EVAGG_OK);
}

static evagg_status_t flush_connections(size_t count) {
    evagg_connection_record_t page[PAGE];
    evagg_window_t window;
    const evagg_status_t status = evagg_connections_flush(connections, 1002, page, count, &window);
    expect_outcome(status);
    for (uint32_t i = 0; i < window.records; i++) {
        connection_tally.left += page[i].hit_count;
    }
    return status;
}

static evagg_status_t flush_processes(size_t count) {
    evagg_process_record_t page[PAGE];
    char text[PAGE * (JOB_TEXT + 1)];
    evagg_window_t window;
    const evagg_status_t status =
        evagg_processes_flush(processes, 1002, page, count, text, sizeof text, &window);
    expect_outcome(status);
    for (uint32_t i = 0; i < window.records; i++) {
        process_tally.left += page[i].hit_count;
    }
    return status;
}

static void warn(void *context, const evagg_warning_t *warning);

static void call_every_connection_function(void) {
    evagg_connection_record_t page[PAGE];
    evagg_statistics_t statistics;
    evagg_window_t window;
    uint32_t length;
    expect(evagg_connections_length(connections, &length), EVAGG_OK);
    expect(evagg_connections_statistics(connections, &statistics), EVAGG_OK);
    faults += statistics.offered != connection_tally.offered;
    expect_outcome(evagg_connections_due(connections, 1001));
    flow_is_seen(0);
    flow_is_seen(60);
    packet_is_seen();
    expect(evagg_connections_record_packet(connections, packet, 9, EVAGG_IN, 1001),
           EVAGG_MALFORMED);
    connection_tally.unrecorded++;
    expect(evagg_connections_set_enabled(connections, 0), EVAGG_OK);
    expect(see_flow(connections, 1, 1001), EVAGG_DISABLED);
    connection_tally.disabled++;
    expect(evagg_connections_set_enabled(connections, 1), EVAGG_OK);
    expect(evagg_connections_set_overflow_policy(connections, EVAGG_DISCARD_OLDEST), EVAGG_OK);
    flow_is_seen(61);
    merge_flow(62);
    expect(evagg_connections_set_overflow_policy(connections, EVAGG_REJECT_NEW), EVAGG_OK);
    flow_is_seen(63);
    merge_flow(64);
    const evagg_status_t status = evagg_connections_flush(connections, 1002, page, PAGE, &window);
    expect_outcome(status);
    for (uint32_t i = 0; i < window.records; i++) {
        connection_tally.left += page[i].hit_count;
        connection_tally.merged += page[i].hit_count;
    }
    expect(evagg_connections_merge(connections, page, window.records), EVAGG_OK);
    (void)flush_connections(1);
    expect(evagg_connections_set_warning_callback(connections, NULL, NULL), EVAGG_OK);
    flow_is_seen(65);
    expect(evagg_connections_set_warning_callback(connections, warn, NULL), EVAGG_OK);
    /* Errors leave the lock alone too. */
    expect(evagg_connections_set_overflow_policy(connections, 9), EVAGG_ERROR_BAD_VALUE);
    expect(evagg_connections_flush(connections, 1002, page, 0, &window),
           EVAGG_ERROR_BUFFER_TOO_SMALL);
}

static void call_every_process_function(void) {
    evagg_statistics_t statistics;
    uint32_t length;
    expect(evagg_processes_length(processes, &length), EVAGG_OK);
    expect(evagg_processes_statistics(processes, &statistics), EVAGG_OK);
    faults += statistics.offered != process_tally.offered;
    expect_outcome(evagg_processes_due(processes, 1001));
    job_is_seen(0);
    job_is_seen(60);
    expect(evagg_processes_set_enabled(processes, 0), EVAGG_OK);
    expect(see_job(processes, 1, 1001), EVAGG_DISABLED);
    process_tally.disabled++;
    expect(evagg_processes_set_enabled(processes, 1), EVAGG_OK);
    expect(evagg_processes_set_overflow_policy(processes, EVAGG_DISCARD_OLDEST), EVAGG_OK);
    job_is_seen(61);
    merge_job();
    expect(evagg_processes_set_overflow_policy(processes, EVAGG_REJECT_NEW), EVAGG_OK);
    job_is_seen(62);
    merge_job();
    (void)flush_processes(1);
    (void)flush_processes(PAGE);
    expect(evagg_processes_set_warning_callback(processes, NULL, NULL), EVAGG_OK);
    job_is_seen(63);
    expect(evagg_processes_set_warning_callback(processes, warn, NULL), EVAGG_OK);
    expect(evagg_processes_set_overflow_policy(processes, 9), EVAGG_ERROR_BAD_VALUE);
}

/* A third instance is made and ended within the callback. */
static void call_what_needs_no_instance(void) {
    evagg_processes_t *spare;
    evagg_connections_t *none;
    const evagg_config_t config =
        harness_config(&spare_lock, process_config_of(1, JOB_TEXT, JOB_TEXT, EVAGG_REJECT_NEW));
    expect(evagg_processes_init(spare_memory, sizeof spare_memory, &config, &spare), EVAGG_OK);
    expect(see_job(spare, 0, 1001), EVAGG_FIRST);
    expect(see_job(spare, 1, 1001), EVAGG_REJECTED);
    expect(evagg_processes_deinit(spare), EVAGG_OK);
    expect(evagg_processes_deinit(spare), EVAGG_ERROR_NOT_INITIALISED);
    expect(evagg_connections_init(spare_memory, 8, &config, &none), EVAGG_ERROR_STORAGE_TOO_SMALL);
    faults += evagg_connections_storage_size(2) != sizeof connection_memory;
    faults += evagg_processes_storage_size(2, 2 * JOB_TEXT) != sizeof process_memory;
    faults += strcmp(evagg_status_name(EVAGG_OK), "EVAGG_OK") != 0;
    faults += strcmp(evagg_version(), EVAGG_VERSION) != 0;
    harness_after_call(&spare_lock);
    faults += spare_lock.faults;
}

/* Warnings that the calls of the callback give in turn are let be at the third storey. */
static void warn(void *context, const evagg_warning_t *warning) {
    (void)context;
    (void)warning;
    calls++;
    harness_in_callback(&connection_lock);
    harness_in_callback(&process_lock);
    if (depth < 2) {
        depth++;
        call_every_connection_function();
        call_every_process_function();
        call_what_needs_no_instance();
        depth--;
    }
}

static void open_both(uint8_t delivery) {
    evagg_config_t config = config_of(2, EVAGG_REJECT_NEW);
    config.warning_delivery = delivery;
    harness_reset();
    memset(&connection_tally, 0, sizeof connection_tally);
    memset(&process_tally, 0, sizeof process_tally);
    calls = depth = faults = 0;
    const evagg_config_t of_connections = harness_config(&connection_lock, config);
    assert_int_equal(evagg_connections_init(connection_memory, sizeof connection_memory,
                                            &of_connections, &connections),
                     EVAGG_OK);
    config.text_bytes = 2 * JOB_TEXT;
    config.text_maximum = JOB_TEXT;
    const evagg_config_t of_processes = harness_config(&process_lock, config);
    assert_int_equal(
        evagg_processes_init(process_memory, sizeof process_memory, &of_processes, &processes),
        EVAGG_OK);
    harness_watch(&connection_lock, connection_memory, connection_copy, sizeof connection_memory);
    harness_watch(&process_lock, process_memory, process_copy, sizeof process_memory);
    /* A record of a job, to be merged: two hits. */
    evagg_window_t window;
    job_is_seen(90);
    job_is_seen(90);
    assert_int_equal(
        evagg_processes_flush(processes, 1001, &held_job, 1, held_text, JOB_TEXT + 1, &window),
        EVAGG_OK);
    process_tally.left += held_job.hit_count;
    assert_int_equal(evagg_connections_set_warning_callback(connections, warn, NULL), EVAGG_OK);
    assert_int_equal(evagg_processes_set_warning_callback(processes, warn, NULL), EVAGG_OK);
}

static void close_both(void) {
    evagg_statistics_t statistics;
    harness_after_call(&connection_lock);
    harness_after_call(&process_lock);
    assert_int_equal(connection_lock.faults, 0);
    assert_int_equal(process_lock.faults, 0);
    assert_int_equal(faults, 0);
    assert_true(calls > 1);
    /* Quietly, so that the totals come to rest. */
    assert_int_equal(evagg_connections_set_warning_callback(connections, NULL, NULL), EVAGG_OK);
    assert_int_equal(evagg_processes_set_warning_callback(processes, NULL, NULL), EVAGG_OK);
    for (uint32_t window = 0; window < 3; window++) {
        while (flush_connections(1) == EVAGG_MORE) {
        }
        while (flush_processes(1) == EVAGG_MORE) {
        }
    }
    statistics = connections_statistics(connections);
    assert_int_equal(connections_length(connections), 0);
    assert_int_equal(statistics.offered, connection_tally.offered);
    assert_int_equal(statistics.merged, connection_tally.merged);
    assert_int_equal(statistics.disabled, connection_tally.disabled);
    assert_int_equal(statistics.malformed, connection_tally.unrecorded);
    assert_int_equal(statistics.offered + statistics.merged,
                     connection_tally.left + statistics.rejected + statistics.discarded);
    statistics = processes_statistics(processes);
    assert_int_equal(processes_length(processes), 0);
    assert_int_equal(statistics.offered, process_tally.offered);
    assert_int_equal(statistics.merged, process_tally.merged);
    assert_int_equal(statistics.disabled, process_tally.disabled);
    assert_int_equal(statistics.offered + statistics.merged,
                     process_tally.left + statistics.rejected + statistics.discarded);
    harness_ignore_storage(&connection_lock);
    harness_ignore_storage(&process_lock);
    assert_int_equal(evagg_connections_deinit(connections), EVAGG_OK);
    assert_int_equal(evagg_processes_deinit(processes), EVAGG_OK);
    assert_int_equal(faults, 0);
}

static void overflow_connections(cause_t cause) {
    flow_is_seen(0);
    flow_is_seen(1);
    switch (cause) {
    case FROM_PACKET:
        packet_is_seen();
        break;
    case FROM_MERGE:
        merge_flow(2);
        break;
    default:
        flow_is_seen(2);
        break;
    }
}

static void overflow_processes(cause_t cause) {
    job_is_seen(0);
    job_is_seen(1);
    if (cause == FROM_MERGE) {
        merge_job();
    } else {
        job_is_seen(2);
    }
}

static void the_callback_calls_everything(uint8_t delivery, cause_t cause) {
    for (uint32_t is_of_processes = 0; is_of_processes < 2; is_of_processes++) {
        open_both(delivery);
        if (is_of_processes == 0) {
            overflow_connections(cause);
        } else {
            overflow_processes(cause);
        }
        assert_int_equal(calls > 0, delivery == EVAGG_WARN_AT_ONCE);
        while ((is_of_processes == 0 ? flush_connections(1) : flush_processes(1)) == EVAGG_MORE) {
        }
        close_both();
    }
}

static void warnings_at_once(void **state) {
    (void)state;
    for (cause_t cause = FROM_RECORD; cause < CAUSES; cause++) {
        the_callback_calls_everything(EVAGG_WARN_AT_ONCE, cause);
    }
}

static void warnings_at_the_flush(void **state) {
    (void)state;
    for (cause_t cause = FROM_RECORD; cause < CAUSES; cause++) {
        the_callback_calls_everything(EVAGG_WARN_AT_FLUSH, cause);
    }
}

static uint32_t ended;

static void end_both(void *context, const evagg_warning_t *warning) {
    (void)context;
    (void)warning;
    ended++;
    harness_in_callback(&connection_lock);
    harness_in_callback(&process_lock);
    harness_ignore_storage(&connection_lock);
    harness_ignore_storage(&process_lock);
    expect(evagg_connections_deinit(connections), EVAGG_OK);
    expect(evagg_processes_deinit(processes), EVAGG_OK);
}

/* Its own instance and the other one; the call that gave the warning ends as usual. */
static void the_callback_ends_both(void **state) {
    (void)state;
    for (uint8_t delivery = EVAGG_WARN_AT_ONCE; delivery <= EVAGG_WARN_AT_FLUSH; delivery++) {
        for (cause_t cause = FROM_RECORD; cause < CAUSES; cause++) {
            for (uint32_t is_of_processes = 0; is_of_processes < 2; is_of_processes++) {
                open_both(delivery);
                ended = 0;
                expect(evagg_connections_set_warning_callback(connections, end_both, NULL),
                       EVAGG_OK);
                expect(evagg_processes_set_warning_callback(processes, end_both, NULL), EVAGG_OK);
                if (is_of_processes == 0) {
                    overflow_connections(cause);
                } else {
                    overflow_processes(cause);
                }
                if (delivery == EVAGG_WARN_AT_FLUSH) {
                    assert_int_equal(ended, 0);
                    (void)(is_of_processes == 0 ? flush_connections(PAGE) : flush_processes(PAGE));
                }
                assert_int_equal(ended, 1);
                assert_int_equal(see_flow(connections, 0, 1003), EVAGG_ERROR_NOT_INITIALISED);
                assert_int_equal(see_job(processes, 0, 1003), EVAGG_ERROR_NOT_INITIALISED);
                harness_after_call(&connection_lock);
                harness_after_call(&process_lock);
                assert_int_equal(connection_lock.faults, 0);
                assert_int_equal(process_lock.faults, 0);
                assert_int_equal(faults, 0);
            }
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(warnings_at_once),
        cmocka_unit_test(warnings_at_the_flush),
        cmocka_unit_test(the_callback_ends_both),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (failed == 0) {
        printf("evidence re-entry: %" PRIu32 " calls from warning callbacks, accounting exact\n",
               calls_within);
    }
    return failed;
}
