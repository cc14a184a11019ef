/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Windows, pages, due, and putting records back: unsent ones, and those of other instances. */
#include "support.h"

static connections_case_t subject;
static connections_case_t other;
static processes_case_t process_subject;
static processes_case_t process_other;
CONNECTIONS_MEMORY(memory, 64);
CONNECTIONS_MEMORY(other_memory, 64);
PROCESSES_MEMORY(process_memory, 32, 4096);
PROCESSES_MEMORY(process_other_memory, 32, 4096);

static void open_with(uint32_t capacity, uint8_t policy) {
    const evagg_config_t config = config_of(capacity, policy);
    connections_open(&subject, memory, sizeof memory, &config);
}

static void see_flows(uint32_t first, uint32_t end, evagg_time_t now) {
    for (uint32_t n = first; n < end; n++) {
        assert_int_equal(see_flow(subject.handle, n, now), EVAGG_FIRST);
    }
}

static void windows_are_numbered_and_join_without_gaps(void **state) {
    (void)state;
    open_with(4, 0);
    evagg_time_t start = 1000;
    for (uint32_t sequence = 0; sequence < 5; sequence++) {
        const evagg_time_t end = start + 10 * sequence;
        if (sequence % 2 == 0) {
            see_flows(0, 3, start);
        }
        connections_drain(&subject, end, 2);
        assert_int_equal(subject.window.sequence, sequence);
        assert_int_equal(subject.window.start, start);
        assert_int_equal(subject.window.end, end);
        assert_int_equal(subject.window.offered, sequence % 2 == 0 ? 3 : 0);
        assert_int_equal(subject.count, sequence % 2 == 0 ? 3 : 0);
        assert_int_equal(connections_statistics(subject.handle).windows, sequence + 1);
        start = end;
    }
    connections_close(&subject, 9000);
}

static void pages_are_in_order_of_admission_and_count_down(void **state) {
    (void)state;
    for (size_t page = 1; page <= 9; page++) {
        open_with(8, 0);
        see_flows(0, 7, 1001);
        uint32_t left = 7;
        evagg_status_t status;
        do {
            /* The first page closes the window; the time of a later one does not move its end. */
            status = connections_page(&subject, 1010 + 7 - left, page);
            const uint32_t expected = left < page ? left : (uint32_t)page;
            left -= expected;
            assert_int_equal(subject.window.records, expected);
            assert_int_equal(subject.window.remaining, left);
            assert_int_equal(subject.window.sequence, 0);
            assert_int_equal(subject.window.end, 1010);
            assert_int_equal(connections_length(subject.handle), left);
        } while (status == EVAGG_MORE);
        assert_int_equal(left, 0);
        assert_int_equal(subject.count, 7);
        for (uint32_t n = 0; n < 7; n++) {
            const evagg_connection_t connection = flow(n);
            assert_memory_equal(&subject.records[n].connection, &connection, sizeof connection);
        }
        connections_close(&subject, 1020);
    }
}

static void records_beyond_the_page_are_not_touched(void **state) {
    (void)state;
    evagg_connection_record_t records[4];
    evagg_window_t window;
    open_with(8, 0);
    see_flows(0, 5, 1001);
    memset(records, 0xa5, sizeof records);
    assert_int_equal(evagg_connections_flush(subject.handle, 1002, records, 3, &window),
                     EVAGG_MORE);
    const uint8_t *const beyond = (const uint8_t *)&records[3];
    for (size_t i = 0; i < sizeof records[3]; i++) {
        assert_int_equal(beyond[i], 0xa5);
    }
    subject.flushed += 3;
    connections_close(&subject, 1003);
}

static void events_between_pages_belong_to_the_next_window(void **state) {
    (void)state;
    open_with(8, 0);
    see_flows(0, 5, 1001);
    assert_int_equal(connections_page(&subject, 1010, 1), EVAGG_MORE);
    /* One that has left, one that still waits, and a new one. */
    assert_int_equal(see_flow(subject.handle, 0, 1011), EVAGG_FIRST);
    assert_int_equal(see_flow(subject.handle, 4, 1012), EVAGG_FIRST);
    assert_int_equal(see_flow(subject.handle, 9, 1013), EVAGG_FIRST);
    assert_int_equal(see_flow(subject.handle, 4, 1014), EVAGG_COUNTED);
    assert_int_equal(connections_length(subject.handle), 7);
    for (uint32_t page = 2; page < 5; page++) {
        assert_int_equal(connections_page(&subject, 1015, 1), EVAGG_MORE);
        assert_int_equal(subject.window.sequence, 0);
    }
    assert_int_equal(connections_page(&subject, 1015, 1), EVAGG_OK);
    assert_int_equal(subject.count, 5);
    assert_int_equal(subject.window.offered, 5);
    assert_int_equal(subject.window.kept, 5);
    for (uint32_t n = 0; n < 5; n++) {
        assert_int_equal(subject.records[n].hit_count, 1);
        assert_int_equal(subject.records[n].first_seen, 1001);
    }
    connections_drain(&subject, 1020, 1);
    assert_int_equal(subject.window.sequence, 1);
    assert_int_equal(subject.window.start, 1010);
    assert_int_equal(subject.count, 3);
    assert_int_equal(subject.window.offered, 4);
    assert_int_equal(subject.records[1].hit_count, 2);
    assert_int_equal(subject.records[1].first_seen, 1012);
    connections_close(&subject, 1021);
}

static void waiting_entries_take_up_room(void **state) {
    (void)state;
    open_with(4, EVAGG_REJECT_NEW);
    see_flows(0, 4, 1001);
    assert_int_equal(connections_page(&subject, 1010, 1), EVAGG_MORE);
    assert_int_equal(see_flow(subject.handle, 10, 1011), EVAGG_FIRST);
    assert_int_equal(see_flow(subject.handle, 11, 1011), EVAGG_REJECTED);
    assert_int_equal(see_flow(subject.handle, 3, 1011), EVAGG_REJECTED);
    assert_int_equal(connections_page(&subject, 1012, 4), EVAGG_OK);
    assert_int_equal(subject.window.offered, 4);
    assert_int_equal(subject.window.rejected, 0);
    assert_int_equal(subject.count, 4);
    connections_drain(&subject, 1013, 4);
    assert_int_equal(subject.window.offered, 3);
    assert_int_equal(subject.window.rejected, 2);
    assert_int_equal(subject.count, 1);
    connections_close(&subject, 1021);
}

static void discarded_while_waiting_is_the_loss_of_its_own_window(void **state) {
    (void)state;
    open_with(4, EVAGG_DISCARD_OLDEST);
    see_flows(0, 4, 1001);
    for (uint32_t i = 0; i < 8; i++) {
        assert_int_equal(see_flow(subject.handle, 1, 1002), EVAGG_COUNTED);
    }
    assert_int_equal(connections_page(&subject, 1010, 1), EVAGG_MORE);
    see_flows(10, 12, 1011);
    assert_int_equal(connections_statistics(subject.handle).discarded, 9);
    assert_int_equal(connections_page(&subject, 1012, 4), EVAGG_OK);
    assert_int_equal(subject.count, 3);
    assert_int_equal(subject.window.sequence, 0);
    assert_int_equal(subject.window.offered, 12);
    assert_int_equal(subject.window.kept, 3);
    assert_int_equal(subject.window.discarded, 9);
    connections_drain(&subject, 1013, 4);
    assert_int_equal(subject.window.offered, 2);
    assert_int_equal(subject.window.discarded, 0);
    connections_close(&subject, 1021);
}

static void a_window_may_lose_all_that_waits(void **state) {
    (void)state;
    open_with(3, EVAGG_DISCARD_OLDEST);
    see_flows(0, 3, 1001);
    assert_int_equal(connections_page(&subject, 1010, 1), EVAGG_MORE);
    see_flows(10, 15, 1011);
    assert_int_equal(evagg_connections_due(subject.handle, 1011), EVAGG_DUE);
    assert_int_equal(connections_page(&subject, 1012, 4), EVAGG_OK);
    assert_int_equal(subject.window.sequence, 0);
    assert_int_equal(subject.window.records, 0);
    assert_int_equal(subject.window.offered, 3);
    assert_int_equal(subject.window.kept, 1);
    assert_int_equal(subject.window.discarded, 2);
    connections_drain(&subject, 1013, 1);
    assert_int_equal(subject.window.sequence, 1);
    assert_int_equal(subject.window.offered, 5);
    assert_int_equal(subject.window.kept, 3);
    assert_int_equal(subject.window.discarded, 2);
    connections_close(&subject, 1021);
}

static void due_follows_the_interval(void **state) {
    (void)state;
    evagg_config_t config = config_of(4, 0);
    config.interval = 30;
    connections_open(&subject, memory, sizeof memory, &config);
    assert_int_equal(see_flow(subject.handle, 0, 1001), EVAGG_FIRST);
    assert_int_equal(evagg_connections_due(subject.handle, 1000), EVAGG_OK);
    assert_int_equal(evagg_connections_due(subject.handle, 1029), EVAGG_OK);
    assert_int_equal(evagg_connections_due(subject.handle, 1030), EVAGG_DUE);
    assert_int_equal(evagg_connections_due(subject.handle, 5000), EVAGG_DUE);
    connections_drain(&subject, 1035, 4);
    assert_int_equal(see_flow(subject.handle, 0, 1036), EVAGG_FIRST);
    assert_int_equal(evagg_connections_due(subject.handle, 1064), EVAGG_OK);
    assert_int_equal(evagg_connections_due(subject.handle, 1065), EVAGG_DUE);
    connections_close(&subject, 1070);
}

static void due_follows_a_clock_that_wraps(void **state) {
    (void)state;
    evagg_config_t config = config_of(4, 0);
    config.start = UINT32_MAX - 9;
    config.interval = 30;
    connections_open(&subject, memory, sizeof memory, &config);
    assert_int_equal(see_flow(subject.handle, 0, UINT32_MAX - 5), EVAGG_FIRST);
    assert_int_equal(see_flow(subject.handle, 0, 3), EVAGG_COUNTED);
    assert_int_equal(evagg_connections_due(subject.handle, UINT32_MAX), EVAGG_OK);
    assert_int_equal(evagg_connections_due(subject.handle, 0), EVAGG_OK);
    assert_int_equal(evagg_connections_due(subject.handle, 19), EVAGG_OK);
    assert_int_equal(evagg_connections_due(subject.handle, 20), EVAGG_DUE);
    connections_drain(&subject, 20, 4);
    assert_int_equal(subject.records[0].first_seen, UINT32_MAX - 5);
    assert_int_equal(subject.records[0].last_seen, 3);
    assert_int_equal(subject.window.start, UINT32_MAX - 9);
    assert_int_equal(subject.window.end, 20);
    connections_close(&subject, 30);
}

/* A window is not over before it began: a clock set back a little, or a time taken before a flush
   and compared after it. */
static void a_time_before_the_window_is_not_due(void **state) {
    (void)state;
    evagg_config_t config = config_of(4, 0);
    config.interval = 60;
    connections_open(&subject, memory, sizeof memory, &config);
    assert_int_equal(evagg_connections_due(subject.handle, 999), EVAGG_OK);
    assert_int_equal(see_flow(subject.handle, 0, 1001), EVAGG_FIRST);
    assert_int_equal(evagg_connections_due(subject.handle, 999), EVAGG_OK);
    connections_drain(&subject, 1060, 4);
    assert_int_equal(evagg_connections_due(subject.handle, 1059), EVAGG_OK);
    assert_int_equal(evagg_connections_due(subject.handle, 1119), EVAGG_OK);
    assert_int_equal(evagg_connections_due(subject.handle, 1120), EVAGG_DUE);
    connections_close(&subject, 1130);

    processes_open(&process_subject, process_memory, sizeof process_memory, &config);
    assert_int_equal(evagg_processes_due(process_subject.handle, 999), EVAGG_OK);
    processes_drain(&process_subject, 1060, 4);
    assert_int_equal(evagg_processes_due(process_subject.handle, 1059), EVAGG_OK);
    assert_int_equal(evagg_processes_due(process_subject.handle, 1120), EVAGG_DUE);
    processes_close(&process_subject, 1130);
}

static void the_longest_interval_is_due_at_its_end(void **state) {
    (void)state;
    evagg_config_t config = config_of(4, 0);
    config.interval = INT32_MAX;
    connections_open(&subject, memory, sizeof memory, &config);
    assert_int_equal(evagg_connections_due(subject.handle, 999), EVAGG_OK);
    assert_int_equal(evagg_connections_due(subject.handle, 999u + INT32_MAX), EVAGG_OK);
    assert_int_equal(evagg_connections_due(subject.handle, 1000u + INT32_MAX), EVAGG_DUE);
    connections_close(&subject, 1001);
}

static void due_while_pages_wait(void **state) {
    (void)state;
    evagg_config_t config = config_of(4, 0);
    config.interval = 30;
    connections_open(&subject, memory, sizeof memory, &config);
    see_flows(0, 3, 1001);
    assert_int_equal(connections_page(&subject, 1002, 2), EVAGG_MORE);
    assert_int_equal(evagg_connections_due(subject.handle, 1002), EVAGG_DUE);
    assert_int_equal(connections_page(&subject, 1002, 2), EVAGG_OK);
    assert_int_equal(evagg_connections_due(subject.handle, 1002), EVAGG_OK);
    connections_close(&subject, 1070);
}

static void without_an_interval_due_is_something_to_tell(void **state) {
    (void)state;
    open_with(4, 0);
    assert_int_equal(evagg_connections_due(subject.handle, 1000), EVAGG_OK);
    assert_int_equal(evagg_connections_due(subject.handle, 9000), EVAGG_OK);
    assert_int_equal(see_flow(subject.handle, 0, 1000), EVAGG_FIRST);
    assert_int_equal(evagg_connections_due(subject.handle, 1000), EVAGG_DUE);
    connections_drain(&subject, 1001, 4);
    assert_int_equal(evagg_connections_due(subject.handle, 9000), EVAGG_OK);
    connections_close(&subject, 9000);

    const evagg_config_t config = process_config_of(4, 256, 0, 0);
    processes_open(&process_subject, process_memory, sizeof process_memory, &config);
    assert_int_equal(evagg_processes_due(process_subject.handle, 1000), EVAGG_OK);
    assert_int_equal(see_job(process_subject.handle, 0, 1000), EVAGG_FIRST);
    assert_int_equal(evagg_processes_due(process_subject.handle, 1000), EVAGG_DUE);
    processes_close(&process_subject, 9000);
}

/* Each page that cannot be sent goes back; the next window has it all again. */
static void unsent_pages_are_not_lost(void **state) {
    (void)state;
    open_with(8, 0);
    see_flows(0, 5, 1001);
    assert_int_equal(see_flow(subject.handle, 0, 1002), EVAGG_COUNTED);
    uint32_t unsent = 0;
    evagg_status_t status;
    do {
        evagg_connection_record_t record;
        status = evagg_connections_flush(subject.handle, 1010, &record, 1, &subject.window);
        assert_true(status == EVAGG_OK || status == EVAGG_MORE);
        assert_int_equal(subject.window.records, 1);
        assert_int_equal(evagg_connections_merge(subject.handle, &record, 1), EVAGG_OK);
        subject.flushed += record.hit_count;
        unsent += record.hit_count;
    } while (status == EVAGG_MORE);
    assert_int_equal(unsent, 6);
    assert_int_equal(see_flow(subject.handle, 0, 1011), EVAGG_COUNTED);
    assert_int_equal(connections_statistics(subject.handle).merged, 6);
    connections_drain(&subject, 1020, 3);
    assert_int_equal(subject.count, 5);
    assert_int_equal(subject.window.offered, 1);
    assert_int_equal(subject.window.merged, 6);
    assert_int_equal(subject.window.kept, 7);
    assert_int_equal(subject.records[0].hit_count, 3);
    assert_int_equal(subject.records[0].bytes_out, 300);
    assert_int_equal(subject.records[0].first_seen, 1001);
    assert_int_equal(subject.records[0].last_seen, 1011);
    connections_close(&subject, 1021);
}

static void merge_follows_the_overflow_policy(void **state) {
    (void)state;
    evagg_connection_record_t records[4];
    for (uint32_t n = 0; n < 4; n++) {
        records[n] = (evagg_connection_record_t){
            .connection = flow(n), .hit_count = 10 + n, .first_seen = n};
    }
    open_with(2, EVAGG_REJECT_NEW);
    see_flows(3, 4, 1001);
    assert_true(evagg_connections_merge(subject.handle, records, 4) >= 0);
    connections_drain(&subject, 1002, 1);
    assert_int_equal(subject.count, 2);
    assert_int_equal(subject.records[0].hit_count, 14);
    assert_int_equal(subject.records[1].hit_count, 10);
    assert_int_equal(subject.window.merged, 46);
    assert_int_equal(subject.window.rejected, 23);
    connections_close(&subject, 1003);

    /* The oldest is the one that was admitted first, whenever it was first seen. */
    open_with(2, EVAGG_DISCARD_OLDEST);
    see_flows(3, 4, 1001);
    assert_true(evagg_connections_merge(subject.handle, records, 2) >= 0);
    connections_drain(&subject, 1002, 1);
    assert_int_equal(subject.count, 2);
    assert_int_equal(subject.records[0].hit_count, 10);
    assert_int_equal(subject.records[1].hit_count, 11);
    assert_int_equal(subject.window.discarded, 1);
    connections_close(&subject, 1003);
}

static void merge_works_while_recording_is_off(void **state) {
    (void)state;
    const evagg_connection_record_t record = {.connection = flow(0), .hit_count = 3};
    open_with(2, 0);
    assert_int_equal(evagg_connections_set_enabled(subject.handle, 0), EVAGG_OK);
    assert_int_equal(evagg_connections_merge(subject.handle, &record, 1), EVAGG_OK);
    connections_drain(&subject, 1002, 1);
    assert_int_equal(subject.window.merged, 3);
    assert_int_equal(subject.count, 1);
    connections_close(&subject, 1003);
}

static void times_are_compared_modulo_two_to_the_32(void **state) {
    (void)state;
    for (uint32_t order = 0; order < 2; order++) {
        const evagg_connection_record_t early = {.connection = flow(0),
                                                 .hit_count = 1,
                                                 .first_seen = UINT32_MAX - 20,
                                                 .last_seen = UINT32_MAX - 10};
        const evagg_connection_record_t late = {
            .connection = flow(0), .hit_count = 1, .first_seen = UINT32_MAX - 15, .last_seen = 40};
        open_with(2, 0);
        assert_int_equal(evagg_connections_merge(subject.handle, order == 0 ? &early : &late, 1),
                         EVAGG_OK);
        assert_int_equal(evagg_connections_merge(subject.handle, order == 0 ? &late : &early, 1),
                         EVAGG_OK);
        connections_drain(&subject, 50, 1);
        assert_int_equal(subject.records[0].first_seen, UINT32_MAX - 20);
        assert_int_equal(subject.records[0].last_seen, 40);
        connections_close(&subject, 60);
    }
}

static void saturated_records_stay_saturated(void **state) {
    (void)state;
    const evagg_connection_record_t saturated = {.connection = flow(0),
                                                 .flags = EVAGG_RECORD_SATURATED,
                                                 .hit_count = UINT32_MAX,
                                                 .bytes_in = UINT32_MAX,
                                                 .bytes_out = 5};
    const evagg_connection_record_t small = {
        .connection = flow(0), .hit_count = 2, .bytes_in = 3, .bytes_out = 4};
    for (uint32_t order = 0; order < 2; order++) {
        evagg_connection_record_t kept;
        evagg_window_t window;
        open_with(2, 0);
        assert_int_equal(
            evagg_connections_merge(subject.handle, order == 0 ? &saturated : &small, 1), EVAGG_OK);
        assert_int_equal(
            evagg_connections_merge(subject.handle, order == 0 ? &small : &saturated, 1), EVAGG_OK);
        assert_int_equal(evagg_connections_flush(subject.handle, 1002, &kept, 1, &window),
                         EVAGG_OK);
        assert_int_equal(kept.hit_count, UINT32_MAX);
        assert_int_equal(kept.bytes_in, UINT32_MAX);
        assert_int_equal(kept.bytes_out, 9);
        assert_int_equal(kept.flags, EVAGG_RECORD_SATURATED);
        assert_int_equal(evagg_connections_deinit(subject.handle), EVAGG_OK);
    }
}

/* What a window was given may exceed 32 bits where what it kept does not. */
static void kept_is_right_where_the_sum_exceeds_32_bits(void **state) {
    (void)state;
    const evagg_connection_record_t saturated = {
        .connection = flow(0), .flags = EVAGG_RECORD_SATURATED, .hit_count = UINT32_MAX};
    open_with(1, EVAGG_DISCARD_OLDEST);
    assert_int_equal(evagg_connections_merge(subject.handle, &saturated, 1), EVAGG_OK);
    for (uint32_t i = 0; i < 1000; i++) {
        assert_int_equal(see_flow(subject.handle, 1, 1001), i == 0 ? EVAGG_FIRST : EVAGG_COUNTED);
    }
    assert_int_equal(connections_page(&subject, 1002, 1), EVAGG_OK);
    assert_int_equal(subject.window.merged, UINT32_MAX);
    assert_int_equal(subject.window.offered, 1000);
    assert_int_equal(subject.window.discarded, UINT32_MAX);
    assert_int_equal(subject.window.kept, 1000);
    assert_int_equal(subject.records[0].hit_count, 1000);
    connections_close(&subject, 1003);
}

static void record_some_flows(connections_case_t *to, uint64_t random) {
    for (uint32_t i = 0; i < 200; i++) {
        const evagg_connection_t connection = flow((uint32_t)(next_random(&random) % 30));
        const evagg_status_t status = evagg_connections_record(
            to->handle, &connection, (next_random(&random) & 1u) != 0 ? EVAGG_IN : EVAGG_OUT,
            (uint32_t)(next_random(&random) % 1500), (evagg_time_t)(next_random(&random) % 500));
        assert_true(status == EVAGG_FIRST || status == EVAGG_COUNTED);
    }
}

/* Merging three shards in every order gives the same set of records. */
static void connection_shards_add_up_in_any_order(void **state) {
    (void)state;
    static const uint8_t orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                         {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    static evagg_connection_record_t shards[3][SUPPORT_RECORDS];
    static connections_case_t reference;
    uint32_t counts[3];
    evagg_config_t config = config_of(64, 0);
    config.start = 0;
    for (uint32_t i = 0; i < 3; i++) {
        connections_open(&subject, memory, sizeof memory, &config);
        record_some_flows(&subject, i + 1);
        connections_drain(&subject, 600, 64);
        counts[i] = subject.count;
        memcpy(shards[i], subject.records, sizeof shards[i]);
        connections_close(&subject, 601);
    }
    for (size_t order = 0; order < COUNT_OF(orders); order++) {
        connections_open(&other, other_memory, sizeof other_memory, &config);
        for (size_t i = 0; i < 3; i++) {
            const uint8_t shard = orders[order][i];
            assert_int_equal(evagg_connections_merge(other.handle, shards[shard], counts[shard]),
                             EVAGG_OK);
        }
        connections_drain(&other, 600, 64);
        assert_int_equal(other.window.merged, 600);
        if (order == 0) {
            reference = other;
        }
        assert_int_equal(other.count, reference.count);
        for (uint32_t i = 0; i < reference.count; i++) {
            const evagg_connection_record_t *const a = &reference.records[i];
            const evagg_connection_record_t *const b = connections_find(&other, &a->connection);
            assert_non_null(b);
            assert_int_equal(b->hit_count, a->hit_count);
            assert_int_equal(b->bytes_in, a->bytes_in);
            assert_int_equal(b->bytes_out, a->bytes_out);
            assert_int_equal(b->first_seen, a->first_seen);
            assert_int_equal(b->last_seen, a->last_seen);
            assert_int_equal(b->flags, a->flags);
        }
        connections_close(&other, 601);
    }
}

#define LONG_LINE 400u

/* The n-th long command line: the first 300 bytes are the same for all. */
static void long_line(uint32_t n, char line[LONG_LINE]) {
    memset(line, 'p', LONG_LINE);
    line[350] = (char)('a' + n);
}

static void open_processes_at(processes_case_t *to, uint8_t *bytes, size_t size, uint64_t seed) {
    evagg_config_t config = process_config_of(32, 4096, 64, 0);
    config.start = 0;
    config.hash_seed = seed;
    processes_open(to, bytes, size, &config);
}

static void record_some_processes(processes_case_t *to, uint64_t random) {
    for (uint32_t i = 0; i < 200; i++) {
        const uint32_t n = (uint32_t)(next_random(&random) % 12);
        char line[LONG_LINE];
        long_line(n, line);
        const size_t length = n < 6 ? LONG_LINE : n * 5;
        const uint32_t process_id = 1 + (uint32_t)(next_random(&random) % 1000);
        const evagg_time_t now = i / 20;
        const evagg_status_t status = see_text(to->handle, line, length, n % 2, process_id, now);
        assert_true(status == EVAGG_FIRST || status == EVAGG_COUNTED);
    }
}

static const evagg_process_record_t *find_same(const processes_case_t *in,
                                               const evagg_process_record_t *record) {
    for (uint32_t i = 0; i < in->count; i++) {
        const evagg_process_record_t *const candidate = &in->records[i];
        if (candidate->hash == record->hash && candidate->full_length == record->full_length &&
            candidate->user_id == record->user_id) {
            return candidate;
        }
    }
    return NULL;
}

static void process_shards_add_up_in_either_order(void **state) {
    (void)state;
    static processes_case_t shards[2];
    static processes_case_t sums[2];
    for (uint32_t i = 0; i < 2; i++) {
        open_processes_at(&process_subject, process_memory, sizeof process_memory, 99);
        record_some_processes(&process_subject, i + 1);
        processes_drain(&process_subject, 600, 5);
        assert_int_equal(process_subject.count, 12);
        memcpy(shards[i].text, process_subject.text, sizeof shards[i].text);
        for (uint32_t k = 0; k < process_subject.count; k++) {
            shards[i].records[k] = process_subject.records[k];
            shards[i].records[k].command_line =
                shards[i].text + (process_subject.records[k].command_line - process_subject.text);
        }
        shards[i].count = process_subject.count;
        processes_close(&process_subject, 601);
    }
    for (uint32_t order = 0; order < 2; order++) {
        processes_case_t *const sum = &sums[order];
        open_processes_at(sum, process_other_memory, sizeof process_other_memory, 99);
        for (uint32_t i = 0; i < 2; i++) {
            const processes_case_t *const shard = &shards[order == 0 ? i : 1 - i];
            assert_int_equal(evagg_processes_merge(sum->handle, shard->records, shard->count),
                             EVAGG_OK);
        }
        processes_drain(sum, 600, 5);
        assert_int_equal(sum->window.merged, 400);
        processes_close(sum, 601);
        sum->count = 12;
    }
    uint32_t hits = 0;
    for (uint32_t i = 0; i < 12; i++) {
        const evagg_process_record_t *const a = &sums[0].records[i];
        const evagg_process_record_t *const b = find_same(&sums[1], a);
        assert_non_null(b);
        assert_int_equal(b->command_line_length, a->command_line_length);
        assert_memory_equal(b->command_line, a->command_line, a->command_line_length);
        assert_int_equal(b->hit_count, a->hit_count);
        assert_int_equal(b->first_seen, a->first_seen);
        assert_int_equal(b->last_seen, a->last_seen);
        assert_int_equal(b->process_id, a->process_id);
        assert_int_equal(b->parent_process_id, a->parent_process_id);
        assert_int_equal(b->flags, a->flags);
        hits += a->hit_count;
    }
    assert_int_equal(hits, 400);
}

/* Two instances of the same seed: a truncated record finds its own entry and no other. */
static void truncated_lines_merge_rightly(void **state) {
    (void)state;
    char line[LONG_LINE];
    open_processes_at(&process_subject, process_memory, sizeof process_memory, 7);
    open_processes_at(&process_other, process_other_memory, sizeof process_other_memory, 7);
    for (uint32_t n = 0; n < 4; n++) {
        long_line(n, line);
        assert_int_equal(see_text(process_other.handle, line, LONG_LINE, 0, n, 10), EVAGG_FIRST);
        assert_int_equal(see_text(process_other.handle, line, LONG_LINE - 1, 0, n, 10),
                         EVAGG_FIRST);
    }
    long_line(1, line);
    assert_int_equal(see_text(process_subject.handle, line, LONG_LINE, 0, 50, 20), EVAGG_FIRST);
    long_line(9, line);
    assert_int_equal(see_text(process_subject.handle, line, LONG_LINE, 0, 51, 20), EVAGG_FIRST);
    processes_drain(&process_other, 30, 16);
    assert_int_equal(process_other.count, 8);
    assert_int_equal(
        evagg_processes_merge(process_subject.handle, process_other.records, process_other.count),
        EVAGG_OK);
    /* What was merged is found by a recorded event of the whole line. */
    long_line(2, line);
    assert_int_equal(see_text(process_subject.handle, line, LONG_LINE, 0, 60, 25), EVAGG_COUNTED);
    processes_drain(&process_subject, 30, 16);
    assert_int_equal(process_subject.count, 9);
    for (uint32_t i = 0; i < process_other.count; i++) {
        const evagg_process_record_t *const record = &process_other.records[i];
        const evagg_process_record_t *const sum = find_same(&process_subject, record);
        assert_non_null(sum);
        const uint32_t n = i / 2;
        const uint32_t is_whole_family = i % 2 == 0;
        assert_int_equal(sum->hit_count, is_whole_family && (n == 1 || n == 2) ? 2 : 1);
        assert_int_equal(sum->flags, EVAGG_RECORD_TRUNCATED);
        assert_int_equal(sum->first_seen, 10);
        assert_int_equal(sum->process_id, n);
    }
    processes_close(&process_subject, 40);
    processes_close(&process_other, 40);
}

/* Length, hash and what is kept of a truncated line each tell two apart on their own. In a cache of
   one entry there is one place to look: what is taken for the same is counted into it. */
static void truncated_records_differ_in_every_part(void **state) {
    (void)state;
    char line[LONG_LINE];
    char other_text[64];
    long_line(0, line);
    open_processes_at(&process_other, process_other_memory, sizeof process_other_memory, 7);
    assert_int_equal(see_text(process_other.handle, line, LONG_LINE, 0, 1, 10), EVAGG_FIRST);
    processes_drain(&process_other, 20, 1);
    const evagg_process_record_t record = process_other.records[0];
    assert_int_equal(record.command_line_length, sizeof other_text);
    memcpy(other_text, record.command_line, sizeof other_text);
    other_text[63] ^= 1;

    evagg_process_record_t others[6];
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        others[i] = record;
    }
    others[1].full_length++;
    others[2].hash ^= 1;
    others[3].hash ^= UINT64_C(1) << 63;
    others[4].user_id++;
    others[5].command_line = other_text;
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        evagg_config_t config = process_config_of(1, 64, 64, EVAGG_DISCARD_OLDEST);
        config.hash_seed = 7;
        processes_open(&process_subject, process_memory, sizeof process_memory, &config);
        assert_int_equal(evagg_processes_merge(process_subject.handle, &record, 1), EVAGG_OK);
        assert_int_equal(evagg_processes_merge(process_subject.handle, &others[i], 1), EVAGG_OK);
        processes_drain(&process_subject, 30, 1);
        assert_int_equal(process_subject.window.merged, 2);
        assert_int_equal(process_subject.window.discarded, i == 0 ? 0 : 1);
        assert_int_equal(process_subject.records[0].hit_count, i == 0 ? 2 : 1);
        processes_close(&process_subject, 40);
    }
    processes_close(&process_other, 40);
}

static void process_ids_come_from_the_earlier_record(void **state) {
    (void)state;
    static const struct {
        uint32_t first_seen[2];
        uint32_t process_id[2];
        uint32_t expected;
    } cases[] = {
        {{10, 20}, {7, 3}, 7}, {{20, 10}, {3, 7}, 7},        {{10, 10}, {7, 3}, 3},
        {{10, 10}, {3, 7}, 3}, {{UINT32_MAX, 5}, {9, 1}, 9}, {{5, UINT32_MAX}, {1, 9}, 9},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        open_processes_at(&process_subject, process_memory, sizeof process_memory, 7);
        for (uint32_t k = 0; k < 2; k++) {
            open_processes_at(&process_other, process_other_memory, sizeof process_other_memory, 7);
            assert_int_equal(see_text(process_other.handle, "sh", 2, 0, cases[i].process_id[k],
                                      cases[i].first_seen[k]),
                             EVAGG_FIRST);
            processes_drain(&process_other, 30, 1);
            assert_int_equal(
                evagg_processes_merge(process_subject.handle, process_other.records, 1), EVAGG_OK);
            processes_close(&process_other, 31);
        }
        processes_drain(&process_subject, 30, 1);
        assert_int_equal(process_subject.count, 1);
        assert_int_equal(process_subject.records[0].hit_count, 2);
        assert_int_equal(process_subject.records[0].process_id, cases[i].expected);
        processes_close(&process_subject, 31);
    }
}

static void unsent_process_pages_are_not_lost(void **state) {
    (void)state;
    char line[LONG_LINE];
    open_processes_at(&process_subject, process_memory, sizeof process_memory, 7);
    for (uint32_t n = 0; n < 4; n++) {
        long_line(n, line);
        assert_int_equal(see_text(process_subject.handle, line, LONG_LINE, 0, n, 10), EVAGG_FIRST);
        assert_int_equal(see_job(process_subject.handle, n, 10), EVAGG_FIRST);
    }
    evagg_status_t status;
    do {
        process_subject.count = 0;
        status = processes_page(&process_subject, 20, 1);
        assert_int_equal(evagg_processes_merge(process_subject.handle, process_subject.records,
                                               process_subject.window.records),
                         EVAGG_OK);
    } while (status == EVAGG_MORE);
    for (uint32_t n = 0; n < 4; n++) {
        long_line(n, line);
        assert_int_equal(see_text(process_subject.handle, line, LONG_LINE, 0, 99, 30),
                         EVAGG_COUNTED);
        assert_int_equal(see_job(process_subject.handle, n, 30), EVAGG_COUNTED);
    }
    processes_drain(&process_subject, 40, 3);
    assert_int_equal(process_subject.count, 8);
    assert_int_equal(process_subject.window.merged, 8);
    assert_int_equal(process_subject.window.offered, 8);
    for (uint32_t i = 0; i < 8; i++) {
        assert_int_equal(process_subject.records[i].hit_count, 2);
        assert_int_equal(process_subject.records[i].first_seen, 10);
        assert_int_equal(process_subject.records[i].last_seen, 30);
    }
    processes_close(&process_subject, 50);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_are_numbered_and_join_without_gaps),
        cmocka_unit_test(pages_are_in_order_of_admission_and_count_down),
        cmocka_unit_test(records_beyond_the_page_are_not_touched),
        cmocka_unit_test(events_between_pages_belong_to_the_next_window),
        cmocka_unit_test(waiting_entries_take_up_room),
        cmocka_unit_test(discarded_while_waiting_is_the_loss_of_its_own_window),
        cmocka_unit_test(a_window_may_lose_all_that_waits),
        cmocka_unit_test(due_follows_the_interval),
        cmocka_unit_test(due_follows_a_clock_that_wraps),
        cmocka_unit_test(a_time_before_the_window_is_not_due),
        cmocka_unit_test(the_longest_interval_is_due_at_its_end),
        cmocka_unit_test(due_while_pages_wait),
        cmocka_unit_test(without_an_interval_due_is_something_to_tell),
        cmocka_unit_test(unsent_pages_are_not_lost),
        cmocka_unit_test(merge_follows_the_overflow_policy),
        cmocka_unit_test(merge_works_while_recording_is_off),
        cmocka_unit_test(times_are_compared_modulo_two_to_the_32),
        cmocka_unit_test(saturated_records_stay_saturated),
        cmocka_unit_test(kept_is_right_where_the_sum_exceeds_32_bits),
        cmocka_unit_test(connection_shards_add_up_in_any_order),
        cmocka_unit_test(process_shards_add_up_in_either_order),
        cmocka_unit_test(truncated_lines_merge_rightly),
        cmocka_unit_test(truncated_records_differ_in_every_part),
        cmocka_unit_test(process_ids_come_from_the_earlier_record),
        cmocka_unit_test(unsent_process_pages_are_not_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
