/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* One warning at the first loss of a window and one when it has been flushed; never a flood. */
#include "support.h"

#define HEARD 16u

typedef struct heard_t {
    uint32_t count;
    evagg_warning_t warnings[HEARD];
    char texts[HEARD][160];
} heard_t;

static connections_case_t subject;
static processes_case_t process_subject;
static heard_t heard;
CONNECTIONS_MEMORY(memory, 64);
PROCESSES_MEMORY(process_memory, 32, 4096);

static void listen(void *context, const evagg_warning_t *warning) {
    heard_t *const to = context;
    if (to->count < HEARD) {
        to->warnings[to->count] = *warning;
        (void)put_text(to->texts[to->count],
                       strlen(warning->text) < sizeof to->texts[0] ? warning->text : "(too long)");
    }
    to->count++;
}

static void open_with(uint32_t capacity, uint8_t policy, uint8_t delivery) {
    evagg_config_t config = config_of(capacity, policy);
    config.warning_delivery = delivery;
    memset(&heard, 0, sizeof heard);
    connections_open(&subject, memory, sizeof memory, &config);
    assert_int_equal(evagg_connections_set_warning_callback(subject.handle, listen, &heard),
                     EVAGG_OK);
}

static void open_processes_with(const evagg_config_t *config) {
    memset(&heard, 0, sizeof heard);
    processes_open(&process_subject, process_memory, sizeof process_memory, config);
    assert_int_equal(evagg_processes_set_warning_callback(process_subject.handle, listen, &heard),
                     EVAGG_OK);
}

static void see_flows(uint32_t first, uint32_t end) {
    for (uint32_t n = first; n < end; n++) {
        assert_true(see_flow(subject.handle, n, 1001) > 0);
    }
}

static void no_loss_no_warning(void **state) {
    (void)state;
    open_with(4, 0, EVAGG_WARN_AT_ONCE);
    see_flows(0, 4);
    see_flows(0, 4);
    connections_drain(&subject, 1002, 3);
    connections_drain(&subject, 1003, 3);
    assert_int_equal(heard.count, 0);
    connections_close(&subject, 1004);
}

static void once_at_the_first_loss_and_once_at_the_flush(void **state) {
    (void)state;
    open_with(4, 0, EVAGG_WARN_AT_ONCE);
    see_flows(0, 4);
    assert_int_equal(heard.count, 0);
    see_flows(4, 5);
    assert_int_equal(heard.count, 1);
    assert_int_equal(heard.warnings[0].code, EVAGG_WARNING_CACHE_FULL);
    assert_int_equal(heard.warnings[0].window, 0);
    assert_int_equal(heard.warnings[0].capacity, 4);
    assert_int_equal(heard.warnings[0].lost, 1);
    assert_int_equal(heard.warnings[0].recommended_capacity, 0);
    assert_int_equal(heard.warnings[0].recommended_text_bytes, 0);
    assert_int_equal(heard.warnings[0].at_least, 0);
    assert_string_equal(heard.texts[0],
                        "connection cache full: 4 entries; new events are not cached");

    see_flows(4, 8);
    see_flows(4, 8);
    assert_int_equal(heard.count, 1);
    /* Not before the last page. */
    assert_int_equal(connections_page(&subject, 1002, 3), EVAGG_MORE);
    assert_int_equal(heard.count, 1);
    assert_int_equal(connections_page(&subject, 1002, 3), EVAGG_OK);
    assert_int_equal(heard.count, 2);
    const evagg_warning_t *const last = &heard.warnings[1];
    assert_int_equal(last->code, EVAGG_WARNING_LOSSES);
    assert_int_equal(last->window, 0);
    assert_int_equal(last->capacity, 4);
    assert_int_equal(last->lost, 9);
    assert_true(last->recommended_capacity >= 8);
    assert_true(last->recommended_capacity <= 10);
    assert_int_equal(last->recommended_text_bytes, 0);
    assert_int_equal(last->at_least, 0);
    char text[160];
    char *end = put_text(
        text,
        "connection cache full: 4 entries, 9 events not cached; increase the cache to at least ");
    (void)put_number(end, last->recommended_capacity);
    assert_string_equal(heard.texts[1], text);
    assert_int_equal(subject.window.rejected, 9);
    connections_close(&subject, 1004);
    assert_int_equal(heard.count, 2);
}

static void armed_again_in_every_window(void **state) {
    (void)state;
    open_with(2, 0, EVAGG_WARN_AT_ONCE);
    for (uint32_t window = 0; window < 6; window++) {
        const uint32_t before = heard.count;
        const uint32_t losses = window % 3 == 1 ? 0 : window + 1;
        see_flows(0, 2);
        for (uint32_t i = 0; i < losses; i++) {
            see_flows(2 + i, 3 + i);
        }
        assert_int_equal(heard.count, before + (losses > 0));
        connections_drain(&subject, 1002, 1);
        assert_int_equal(heard.count, before + (losses > 0 ? 2u : 0u));
        if (losses > 0) {
            assert_int_equal(heard.warnings[before].code, EVAGG_WARNING_CACHE_FULL);
            assert_int_equal(heard.warnings[before].window, window);
            assert_int_equal(heard.warnings[before + 1].code, EVAGG_WARNING_LOSSES);
            assert_int_equal(heard.warnings[before + 1].window, window);
            assert_int_equal(heard.warnings[before + 1].lost, losses);
        }
    }
    connections_close(&subject, 1004);
}

static void discarding_warns_too(void **state) {
    (void)state;
    open_with(4, EVAGG_DISCARD_OLDEST, EVAGG_WARN_AT_ONCE);
    see_flows(0, 4);
    see_flows(0, 1);
    assert_int_equal(heard.count, 0);
    see_flows(4, 8);
    assert_int_equal(heard.count, 1);
    assert_int_equal(heard.warnings[0].code, EVAGG_WARNING_CACHE_FULL);
    assert_int_equal(heard.warnings[0].lost, 2);
    assert_string_equal(heard.texts[0],
                        "connection cache full: 4 entries; the oldest are discarded");
    connections_drain(&subject, 1002, 1);
    assert_int_equal(heard.count, 2);
    assert_int_equal(heard.warnings[1].lost, 5);
    char text[160];
    char *end = put_text(
        text,
        "connection cache full: 4 entries, 5 events discarded; increase the cache to at least ");
    (void)put_number(end, heard.warnings[1].recommended_capacity);
    assert_string_equal(heard.texts[1], text);
    connections_close(&subject, 1004);
}

static void losing_by_merge_warns_too(void **state) {
    (void)state;
    open_with(1, 0, EVAGG_WARN_AT_ONCE);
    see_flows(0, 1);
    const evagg_connection_record_t record = {.connection = flow(1), .hit_count = 7};
    assert_true(evagg_connections_merge(subject.handle, &record, 1) >= 0);
    assert_int_equal(heard.count, 1);
    assert_int_equal(heard.warnings[0].lost, 7);
    connections_drain(&subject, 1002, 1);
    assert_int_equal(heard.count, 2);
    assert_int_equal(heard.warnings[1].lost, 7);
    connections_close(&subject, 1004);
}

static void far_beyond_the_capacity_the_recommendation_is_a_lower_bound(void **state) {
    (void)state;
    open_with(8, 0, EVAGG_WARN_AT_ONCE);
    see_flows(0, 8u * 16u);
    connections_drain(&subject, 1002, 4);
    assert_int_equal(heard.count, 2);
    assert_int_equal(heard.warnings[1].at_least, 1);
    assert_true(heard.warnings[1].recommended_capacity >= 8u * 8u);
    char text[160];
    char *end = put_text(text, "connection cache full: 8 entries, 120 events not cached; increase "
                               "the cache to at least ");
    (void)put_number(end, heard.warnings[1].recommended_capacity);
    assert_string_equal(heard.texts[1], text);
    connections_close(&subject, 1004);
}

static void process_cache_full(void **state) {
    (void)state;
    const evagg_config_t config = process_config_of(4, 4096, 0, EVAGG_REJECT_NEW);
    open_processes_with(&config);
    for (uint32_t n = 0; n < 8; n++) {
        (void)see_job(process_subject.handle, n, 1001);
    }
    processes_drain(&process_subject, 1002, 3);
    assert_int_equal(heard.count, 2);
    assert_string_equal(heard.texts[0], "process cache full: 4 entries; new events are not cached");
    const evagg_warning_t *const last = &heard.warnings[1];
    assert_int_equal(last->lost, 4);
    assert_true(last->recommended_capacity >= 8 && last->recommended_capacity <= 10);
    /* Never a budget that would be short where the present one is not. */
    assert_true(last->recommended_text_bytes >= 8 * (JOB_TEXT - 1));
    char text[160];
    char *end = put_text(
        text,
        "process cache full: 4 entries, 4 events not cached; increase the cache to at least ");
    (void)put_number(end, last->recommended_capacity);
    assert_string_equal(heard.texts[1], text);
    processes_close(&process_subject, 1004);
}

static void process_text_full(void **state) {
    (void)state;
    for (uint8_t policy = EVAGG_REJECT_NEW; policy <= EVAGG_DISCARD_OLDEST; policy++) {
        const evagg_config_t config = process_config_of(32, 60, 15, policy);
        open_processes_with(&config);
        for (uint32_t n = 0; n < 12; n++) {
            (void)see_job(process_subject.handle, n, 1001);
        }
        assert_int_equal(heard.count, 1);
        assert_int_equal(heard.warnings[0].code, EVAGG_WARNING_TEXT_FULL);
        assert_int_equal(heard.warnings[0].lost, 1);
        assert_string_equal(heard.texts[0],
                            policy == EVAGG_REJECT_NEW
                                ? "process text full: 60 bytes; new events are not cached"
                                : "process text full: 60 bytes; the oldest are discarded");
        processes_drain(&process_subject, 1002, 3);
        assert_int_equal(heard.count, 2);
        assert_int_equal(heard.warnings[1].code, EVAGG_WARNING_LOSSES);
        assert_int_equal(heard.warnings[1].lost, 8);
        assert_true(heard.warnings[1].recommended_text_bytes >= 12 * (JOB_TEXT - 1));
        assert_true(heard.warnings[1].recommended_capacity >= 12);
        /* There were entries enough, so only the text is spoken of. */
        char text[160];
        char *end = put_text(text, "process text full: 60 bytes, 8 events ");
        end = put_text(end, policy == EVAGG_REJECT_NEW ? "not cached" : "discarded");
        end = put_text(end, "; increase it to at least ");
        end = put_number(end, heard.warnings[1].recommended_text_bytes);
        (void)put_text(end, " bytes");
        assert_string_equal(heard.texts[1], text);
        processes_close(&process_subject, 1004);
    }
}

static void text_full_at_the_default_budget(void **state) {
    (void)state;
    char line[200];
    const evagg_config_t config = process_config_of(32, 4096, 0, EVAGG_DISCARD_OLDEST);
    memset(line, 'x', sizeof line);
    open_processes_with(&config);
    for (uint32_t n = 0; n < 30; n++) {
        (void)put_number(line, 100 + n);
        assert_int_equal(see_text(process_subject.handle, line, sizeof line, 1000, n, 1001),
                         EVAGG_FIRST);
    }
    processes_drain(&process_subject, 1002, 3);
    assert_int_equal(heard.count, 2);
    const evagg_warning_t *const last = &heard.warnings[1];
    assert_int_equal(last->code, EVAGG_WARNING_LOSSES);
    assert_int_equal(last->lost, 10);
    assert_true(last->recommended_text_bytes >= 30 * sizeof line);
    assert_true(last->recommended_text_bytes > 4096);
    char text[160];
    char *end = put_text(
        text, "process text full: 4096 bytes, 10 events discarded; increase it to at least ");
    end = put_number(end, last->recommended_text_bytes);
    (void)put_text(end, " bytes");
    assert_string_equal(heard.texts[1], text);
    processes_close(&process_subject, 1004);
}

/* What the recommendation is for: the same events at that size are all kept. */
static void the_recommended_sizes_are_enough(void **state) {
    (void)state;
    evagg_config_t config = process_config_of(8, 100, 15, 0);
    uint32_t lost = UINT32_MAX;
    for (uint32_t round = 0; round < 2; round++) {
        open_processes_with(&config);
        for (uint32_t n = 0; n < 20; n++) {
            (void)see_job(process_subject.handle, n, 1001);
        }
        processes_drain(&process_subject, 1002, 3);
        lost = process_subject.window.discarded + process_subject.window.rejected;
        if (round == 0) {
            assert_true(lost > 0);
            config.capacity = heard.warnings[1].recommended_capacity;
            config.text_bytes = heard.warnings[1].recommended_text_bytes;
        }
        processes_close(&process_subject, 1004);
    }
    assert_int_equal(lost, 0);
}

static void deferred_warnings_wait_for_the_flush(void **state) {
    (void)state;
    open_with(2, 0, EVAGG_WARN_AT_FLUSH);
    for (uint32_t window = 0; window < 2; window++) {
        memset(&heard, 0, sizeof heard);
        see_flows(0, 9);
        const evagg_connection_record_t record = {.connection = flow(99), .hit_count = 1};
        assert_true(evagg_connections_merge(subject.handle, &record, 1) >= 0);
        (void)evagg_connections_due(subject.handle, 5000);
        assert_int_equal(heard.count, 0);
        connections_drain(&subject, 1002, 1);
        assert_int_equal(heard.count, 2);
        assert_int_equal(heard.warnings[0].code, EVAGG_WARNING_CACHE_FULL);
        assert_int_equal(heard.warnings[0].window, window);
        assert_int_equal(heard.warnings[1].code, EVAGG_WARNING_LOSSES);
        assert_int_equal(heard.warnings[1].window, window);
        assert_int_equal(heard.warnings[1].lost, 8);
    }
    connections_close(&subject, 1004);
}

/* A loss that a window suffers while its pages wait is told by flush too, and by nothing else. */
static void deferred_warnings_of_a_window_whose_pages_wait(void **state) {
    (void)state;
    open_with(3, EVAGG_DISCARD_OLDEST, EVAGG_WARN_AT_FLUSH);
    see_flows(0, 3);
    assert_int_equal(connections_page(&subject, 1002, 1), EVAGG_MORE);
    see_flows(10, 12);
    assert_int_equal(heard.count, 0);
    assert_int_equal(connections_page(&subject, 1003, 3), EVAGG_OK);
    assert_int_equal(subject.window.discarded, 1);
    assert_int_equal(heard.count, 2);
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(heard.warnings[i].window, 0);
        assert_int_equal(heard.warnings[i].lost, 1);
    }
    assert_int_equal(heard.warnings[0].code, EVAGG_WARNING_CACHE_FULL);
    assert_int_equal(heard.warnings[1].code, EVAGG_WARNING_LOSSES);
    connections_close(&subject, 1004);
    assert_int_equal(heard.count, 2);
}

/* The policy that the first loss met, not the one that holds when it is told. */
static void a_deferred_warning_tells_the_policy_of_its_loss(void **state) {
    (void)state;
    open_with(2, EVAGG_REJECT_NEW, EVAGG_WARN_AT_FLUSH);
    see_flows(0, 3);
    assert_int_equal(evagg_connections_set_overflow_policy(subject.handle, EVAGG_DISCARD_OLDEST),
                     EVAGG_OK);
    connections_drain(&subject, 1002, 1);
    assert_int_equal(heard.count, 2);
    assert_int_equal(heard.warnings[0].code, EVAGG_WARNING_CACHE_FULL);
    assert_string_equal(heard.texts[0],
                        "connection cache full: 2 entries; new events are not cached");
    connections_close(&subject, 1004);

    open_with(2, EVAGG_DISCARD_OLDEST, EVAGG_WARN_AT_FLUSH);
    see_flows(0, 3);
    assert_int_equal(evagg_connections_set_overflow_policy(subject.handle, EVAGG_REJECT_NEW),
                     EVAGG_OK);
    see_flows(3, 4);
    connections_drain(&subject, 1002, 1);
    assert_int_equal(heard.count, 2);
    assert_string_equal(heard.texts[0],
                        "connection cache full: 2 entries; the oldest are discarded");
    connections_close(&subject, 1004);
}

/* Two texts fill the budget; events without text then fill the entries. */
static void a_deferred_warning_tells_the_cause_of_its_loss(void **state) {
    (void)state;
    evagg_config_t config =
        process_config_of(3, 2 * (JOB_TEXT - 1), JOB_TEXT - 1, EVAGG_REJECT_NEW);
    config.warning_delivery = EVAGG_WARN_AT_FLUSH;
    open_processes_with(&config);
    assert_int_equal(see_job(process_subject.handle, 0, 1001), EVAGG_FIRST);
    assert_int_equal(see_job(process_subject.handle, 1, 1001), EVAGG_FIRST);
    assert_int_equal(see_job(process_subject.handle, 2, 1001), EVAGG_REJECTED);
    assert_int_equal(see_text(process_subject.handle, NULL, 0, 1, 7, 1001), EVAGG_FIRST);
    assert_int_equal(see_text(process_subject.handle, NULL, 0, 2, 8, 1001), EVAGG_REJECTED);
    assert_int_equal(heard.count, 0);
    processes_drain(&process_subject, 1002, 1);
    assert_int_equal(heard.count, 2);
    assert_int_equal(heard.warnings[0].code, EVAGG_WARNING_TEXT_FULL);
    assert_string_equal(heard.texts[0], "process text full: 30 bytes; new events are not cached");
    assert_int_equal(heard.warnings[1].code, EVAGG_WARNING_LOSSES);
    assert_int_equal(heard.warnings[1].lost, 2);
    processes_close(&process_subject, 1004);
}

static void no_callback_no_call(void **state) {
    (void)state;
    open_with(1, 0, EVAGG_WARN_AT_ONCE);
    assert_int_equal(evagg_connections_set_warning_callback(subject.handle, NULL, &heard),
                     EVAGG_OK);
    see_flows(0, 3);
    connections_drain(&subject, 1002, 1);
    assert_int_equal(heard.count, 0);
    assert_int_equal(subject.window.rejected, 2);
    connections_close(&subject, 1004);
}

typedef struct reentry_t {
    evagg_connections_t *connections;
    evagg_processes_t *processes;
    uint32_t calls;
    uint32_t bad;
    uint8_t inside;
} reentry_t;

static reentry_t reentry;

/* cmocka must not jump out over frames of the library, so the callbacks count what went wrong. */
static void expect(evagg_status_t actual, evagg_status_t status) {
    if (actual != status) {
        reentry.bad++;
    }
}

/* The next page that has records, or the end of the window: a page is empty when a warning that was
   owed came first. */
static evagg_status_t flush_within(evagg_connections_t *handle, evagg_time_t now,
                                   evagg_connection_record_t *page, size_t count,
                                   evagg_window_t *window) {
    const evagg_status_t status = evagg_connections_flush(handle, now, page, count, window);
    return status == EVAGG_MORE && window->records == 0
               ? evagg_connections_flush(handle, now, page, count, window)
               : status;
}

static void reenter_connections(void *context, const evagg_warning_t *warning) {
    (void)warning;
    evagg_connections_t *const handle = ((reentry_t *)context)->connections;
    reentry.calls++;
    if (reentry.inside != 0) {
        return;
    }
    reentry.inside = 1;
    static const uint8_t packet[28] = {0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17};
    static evagg_connection_record_t page[2];
    evagg_window_t window;
    evagg_statistics_t statistics;
    uint32_t length = 0;
    expect(evagg_connections_length(handle, &length), EVAGG_OK);
    expect(evagg_connections_statistics(handle, &statistics), EVAGG_OK);
    if (length > 0) {
        expect(see_flow(handle, 50, 1001), EVAGG_REJECTED);
        expect(see_flow(handle, 0, 1001), EVAGG_COUNTED);
    }
    expect(evagg_connections_record_packet(handle, packet, sizeof packet, EVAGG_IN, 1001),
           length > 0 ? EVAGG_REJECTED : EVAGG_FIRST);
    expect(evagg_connections_set_enabled(handle, 0), EVAGG_OK);
    expect(see_flow(handle, 0, 1001), EVAGG_DISABLED);
    expect(evagg_connections_set_enabled(handle, 1), EVAGG_OK);
    expect(evagg_connections_set_overflow_policy(handle, EVAGG_DISCARD_OLDEST), EVAGG_OK);
    expect(evagg_connections_set_overflow_policy(handle, EVAGG_REJECT_NEW), EVAGG_OK);
    expect(evagg_connections_due(handle, 1001), EVAGG_DUE);
    expect(flush_within(handle, 1002, page, 2, &window), EVAGG_OK);
    if (evagg_connections_merge(handle, page, window.records) < 0) {
        reentry.bad++;
    }
    expect(evagg_connections_set_warning_callback(handle, reenter_connections, context), EVAGG_OK);
    reentry.inside = 0;
}

static void the_callback_may_call_every_connection_function(void **state) {
    (void)state;
    const evagg_config_t config = config_of(2, 0);
    memset(&reentry, 0, sizeof reentry);
    connections_open(&subject, memory, sizeof memory, &config);
    reentry.connections = subject.handle;
    assert_int_equal(
        evagg_connections_set_warning_callback(subject.handle, reenter_connections, &reentry),
        EVAGG_OK);
    see_flows(0, 2);
    /* The first warning flushes the window from within, which gives the second. */
    assert_int_equal(see_flow(subject.handle, 2, 1001), EVAGG_REJECTED);
    assert_int_equal(reentry.calls, 2);
    assert_int_equal(reentry.bad, 0);
    const evagg_statistics_t statistics = connections_statistics(subject.handle);
    assert_int_equal(statistics.offered, 6);
    assert_int_equal(statistics.rejected, 3);
    assert_int_equal(statistics.merged, 3);
    assert_int_equal(statistics.disabled, 1);
    assert_int_equal(statistics.windows, 1);
    connections_drain(&subject, 1003, 2);
    assert_int_equal(subject.window.sequence, 1);
    assert_int_equal(subject.window.merged, 3);
    /* The three hits that the callback flushed and merged back are counted once on each side. */
    subject.flushed += 3;
    connections_close(&subject, 1004);
}

static void the_callback_may_flush_from_a_flush(void **state) {
    (void)state;
    evagg_connection_record_t page[2];
    evagg_window_t window;
    evagg_config_t config = config_of(2, 0);
    config.warning_delivery = EVAGG_WARN_AT_FLUSH;
    memset(&reentry, 0, sizeof reentry);
    connections_open(&subject, memory, sizeof memory, &config);
    reentry.connections = subject.handle;
    assert_int_equal(
        evagg_connections_set_warning_callback(subject.handle, reenter_connections, &reentry),
        EVAGG_OK);
    see_flows(0, 3);
    /* The warnings come once the window is complete. */
    assert_int_equal(evagg_connections_flush(subject.handle, 1002, page, 2, &window), EVAGG_OK);
    assert_int_equal(window.sequence, 0);
    assert_int_equal(window.records, 2);
    assert_int_equal(window.kept, 2);
    assert_int_equal(window.rejected, 1);
    assert_true(reentry.calls >= 1);
    assert_int_equal(reentry.bad, 0);
    assert_int_equal(evagg_connections_deinit(subject.handle), EVAGG_OK);
}

static void listen_and_flush(void *context, const evagg_warning_t *warning) {
    reentry_t *const to = context;
    evagg_connection_record_t record;
    evagg_window_t window;
    to->calls++;
    listen(&heard, warning);
    if (warning->code == EVAGG_WARNING_CACHE_FULL) {
        expect(flush_within(to->connections, 1003, &record, 1, &window), EVAGG_OK);
    }
}

/* The flush from within closes another window; what is owed to the first one is told before. */
static void a_flush_by_the_callback_takes_no_warning_away(void **state) {
    (void)state;
    evagg_connection_record_t record;
    evagg_window_t window;
    memset(&reentry, 0, sizeof reentry);
    open_with(1, 0, EVAGG_WARN_AT_FLUSH);
    reentry.connections = subject.handle;
    assert_int_equal(
        evagg_connections_set_warning_callback(subject.handle, listen_and_flush, &reentry),
        EVAGG_OK);
    see_flows(0, 2);
    assert_int_equal(evagg_connections_flush(subject.handle, 1002, &record, 1, &window), EVAGG_OK);
    assert_int_equal(window.sequence, 0);
    assert_int_equal(window.rejected, 1);
    assert_int_equal(reentry.bad, 0);
    assert_int_equal(heard.count, 2);
    assert_int_equal(heard.warnings[0].code, EVAGG_WARNING_CACHE_FULL);
    assert_int_equal(heard.warnings[1].code, EVAGG_WARNING_LOSSES);
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(heard.warnings[i].window, 0);
        assert_int_equal(heard.warnings[i].lost, 1);
    }
    assert_int_equal(evagg_connections_deinit(subject.handle), EVAGG_OK);
}

/* The caller has its page before the callback takes the next one. */
static void the_callback_may_flush_after_the_last_page(void **state) {
    (void)state;
    evagg_connection_record_t record;
    evagg_window_t window;
    memset(&reentry, 0, sizeof reentry);
    open_with(2, 0, EVAGG_WARN_AT_ONCE);
    reentry.connections = subject.handle;
    assert_int_equal(evagg_connections_set_warning_callback(subject.handle, NULL, NULL), EVAGG_OK);
    see_flows(0, 3);
    assert_int_equal(evagg_connections_flush(subject.handle, 1002, &record, 1, &window),
                     EVAGG_MORE);
    assert_int_equal(
        evagg_connections_set_warning_callback(subject.handle, listen_and_flush, &reentry),
        EVAGG_OK);
    assert_int_equal(evagg_connections_flush(subject.handle, 1004, &record, 1, &window), EVAGG_OK);
    assert_int_equal(window.sequence, 0);
    assert_int_equal(window.records, 1);
    assert_int_equal(window.offered, 3);
    assert_int_equal(connections_statistics(subject.handle).windows, 2);
    assert_int_equal(reentry.bad, 0);
    assert_int_equal(heard.count, 2);
    assert_int_equal(heard.warnings[1].code, EVAGG_WARNING_LOSSES);
    assert_int_equal(heard.warnings[1].window, 0);
    assert_int_equal(evagg_connections_deinit(subject.handle), EVAGG_OK);
}

static void reenter_processes(void *context, const evagg_warning_t *warning) {
    evagg_processes_t *const handle = ((reentry_t *)context)->processes;
    reentry.calls++;
    if (reentry.inside != 0 || warning->code != EVAGG_WARNING_CACHE_FULL) {
        return;
    }
    reentry.inside = 1;
    static evagg_process_record_t page[2];
    static char text[64];
    evagg_window_t window;
    evagg_statistics_t statistics;
    uint32_t length = 0;
    expect(evagg_processes_length(handle, &length), EVAGG_OK);
    expect(evagg_processes_statistics(handle, &statistics), EVAGG_OK);
    expect(see_job(handle, 50, 1001), EVAGG_REJECTED);
    expect(see_job(handle, 0, 1001), EVAGG_COUNTED);
    expect(evagg_processes_set_enabled(handle, 0), EVAGG_OK);
    expect(see_job(handle, 0, 1001), EVAGG_DISABLED);
    expect(evagg_processes_set_enabled(handle, 1), EVAGG_OK);
    expect(evagg_processes_set_overflow_policy(handle, EVAGG_DISCARD_OLDEST), EVAGG_OK);
    expect(evagg_processes_set_overflow_policy(handle, EVAGG_REJECT_NEW), EVAGG_OK);
    expect(evagg_processes_due(handle, 1001), EVAGG_DUE);
    expect(evagg_processes_flush(handle, 1002, page, 2, text, sizeof text, &window), EVAGG_OK);
    if (evagg_processes_merge(handle, page, window.records) < 0) {
        reentry.bad++;
    }
    expect(evagg_processes_set_warning_callback(handle, reenter_processes, context), EVAGG_OK);
    reentry.inside = 0;
}

static void the_callback_may_call_every_process_function(void **state) {
    (void)state;
    const evagg_config_t config = process_config_of(2, 64, 16, EVAGG_REJECT_NEW);
    memset(&reentry, 0, sizeof reentry);
    processes_open(&process_subject, process_memory, sizeof process_memory, &config);
    reentry.processes = process_subject.handle;
    assert_int_equal(
        evagg_processes_set_warning_callback(process_subject.handle, reenter_processes, &reentry),
        EVAGG_OK);
    for (uint32_t n = 0; n < 3; n++) {
        assert_int_equal(see_job(process_subject.handle, n, 1001),
                         n < 2 ? EVAGG_FIRST : EVAGG_REJECTED);
    }
    assert_int_equal(reentry.calls, 2);
    assert_int_equal(reentry.bad, 0);
    processes_drain(&process_subject, 1003, 2);
    assert_int_equal(process_subject.window.merged, 3);
    process_subject.flushed += 3;
    processes_close(&process_subject, 1004);
}

static void deinitialise(void *context, const evagg_warning_t *warning) {
    (void)warning;
    reentry_t *const to = context;
    to->calls++;
    expect(evagg_connections_deinit(to->connections), EVAGG_OK);
}

/* The storage stays the library's until the outer call has returned. */
static void the_callback_may_deinitialise(void **state) {
    (void)state;
    for (uint8_t delivery = EVAGG_WARN_AT_ONCE; delivery <= EVAGG_WARN_AT_FLUSH; delivery++) {
        evagg_config_t config = config_of(1, 0);
        config.warning_delivery = delivery;
        memset(&reentry, 0, sizeof reentry);
        connections_open(&subject, memory, sizeof memory, &config);
        reentry.connections = subject.handle;
        assert_int_equal(
            evagg_connections_set_warning_callback(subject.handle, deinitialise, &reentry),
            EVAGG_OK);
        see_flows(0, 2);
        if (delivery == EVAGG_WARN_AT_FLUSH) {
            evagg_connection_record_t record;
            evagg_window_t window;
            assert_int_equal(reentry.calls, 0);
            assert_int_equal(evagg_connections_flush(subject.handle, 1002, &record, 1, &window),
                             EVAGG_OK);
            assert_int_equal(record.hit_count, 1);
            assert_int_equal(window.rejected, 1);
        }
        assert_int_equal(reentry.calls, 1);
        assert_int_equal(reentry.bad, 0);
        assert_int_equal(see_flow(subject.handle, 0, 1003), EVAGG_ERROR_NOT_INITIALISED);
    }
}

/* Nobody listened when a window lost something. Who listens now is told before the next window is
   closed, which would forget it; that page has no records. */
static void leave_a_warning_behind(evagg_warning_callback_t callback) {
    const evagg_config_t config = config_of(1, 0);
    evagg_connection_record_t record;
    evagg_window_t window;
    memset(&reentry, 0, sizeof reentry);
    memset(&heard, 0, sizeof heard);
    connections_open(&subject, memory, sizeof memory, &config);
    reentry.connections = subject.handle;
    see_flows(0, 2);
    assert_int_equal(evagg_connections_flush(subject.handle, 1002, &record, 1, &window), EVAGG_OK);
    assert_int_equal(see_flow(subject.handle, 7, 1003), EVAGG_FIRST);
    assert_int_equal(evagg_connections_set_warning_callback(subject.handle, callback, &reentry),
                     EVAGG_OK);
    memset(&window, 0xff, sizeof window);
    assert_int_equal(evagg_connections_flush(subject.handle, 1004, &record, 1, &window),
                     EVAGG_MORE);
    assert_int_equal(window.records, 0);
    assert_int_equal(window.remaining, 0);
    assert_int_equal(window.kept, 0);
}

static void a_warning_that_is_owed_comes_before_the_next_window(void **state) {
    (void)state;
    evagg_connection_record_t record;
    evagg_window_t window;
    leave_a_warning_behind(listen_and_flush);
    assert_int_equal(heard.count, 2);
    assert_int_equal(heard.warnings[0].code, EVAGG_WARNING_CACHE_FULL);
    assert_int_equal(heard.warnings[1].code, EVAGG_WARNING_LOSSES);
    assert_int_equal(heard.warnings[0].window, 0);
    assert_int_equal(heard.warnings[1].window, 0);
    assert_int_equal(reentry.bad, 0);
    /* The callback has flushed the event of the window after that. */
    assert_int_equal(evagg_connections_flush(subject.handle, 1005, &record, 1, &window), EVAGG_OK);
    assert_int_equal(window.sequence, 2);
    assert_int_equal(window.start, 1003);
    assert_int_equal(window.records, 0);
    assert_int_equal(evagg_connections_deinit(subject.handle), EVAGG_OK);
}

static void the_callback_may_deinitialise_before_the_next_window(void **state) {
    (void)state;
    evagg_connection_record_t record;
    evagg_window_t window;
    leave_a_warning_behind(deinitialise);
    assert_int_equal(reentry.calls, 1);
    assert_int_equal(reentry.bad, 0);
    assert_int_equal(evagg_connections_flush(subject.handle, 1005, &record, 1, &window),
                     EVAGG_ERROR_NOT_INITIALISED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_loss_no_warning),
        cmocka_unit_test(once_at_the_first_loss_and_once_at_the_flush),
        cmocka_unit_test(armed_again_in_every_window),
        cmocka_unit_test(discarding_warns_too),
        cmocka_unit_test(losing_by_merge_warns_too),
        cmocka_unit_test(far_beyond_the_capacity_the_recommendation_is_a_lower_bound),
        cmocka_unit_test(process_cache_full),
        cmocka_unit_test(process_text_full),
        cmocka_unit_test(text_full_at_the_default_budget),
        cmocka_unit_test(the_recommended_sizes_are_enough),
        cmocka_unit_test(deferred_warnings_wait_for_the_flush),
        cmocka_unit_test(deferred_warnings_of_a_window_whose_pages_wait),
        cmocka_unit_test(a_deferred_warning_tells_the_policy_of_its_loss),
        cmocka_unit_test(a_deferred_warning_tells_the_cause_of_its_loss),
        cmocka_unit_test(no_callback_no_call),
        cmocka_unit_test(the_callback_may_call_every_connection_function),
        cmocka_unit_test(the_callback_may_flush_from_a_flush),
        cmocka_unit_test(the_callback_may_flush_after_the_last_page),
        cmocka_unit_test(a_flush_by_the_callback_takes_no_warning_away),
        cmocka_unit_test(the_callback_may_call_every_process_function),
        cmocka_unit_test(the_callback_may_deinitialise),
        cmocka_unit_test(a_warning_that_is_owed_comes_before_the_next_window),
        cmocka_unit_test(the_callback_may_deinitialise_before_the_next_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
