/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What makes processes identical, what an entry keeps, long command lines and the text ring. */
#include "support.h"

#define TEXT_BYTES 4096u

static processes_case_t subject;
PROCESSES_MEMORY(memory, 32, TEXT_BYTES);
static char line[1024];

static void open_with(uint32_t capacity, uint8_t policy) {
    const evagg_config_t config = process_config_of(capacity, TEXT_BYTES, 0, policy);
    processes_open(&subject, memory, sizeof memory, &config);
}

static void open_with_text(uint32_t text_bytes, uint16_t text_maximum, uint8_t policy) {
    const evagg_config_t config = process_config_of(32, text_bytes, text_maximum, policy);
    processes_open(&subject, memory, sizeof memory, &config);
}

/* A command line of `length` bytes whose last byte is `end`. */
static const char *line_of(size_t length, char end) {
    assert_true(length > 0 && length <= sizeof line);
    memset(line, 'x', length);
    line[length - 1] = end;
    return line;
}

static void identical_events_share_one_entry(void **state) {
    (void)state;
    open_with(4, 0);
    assert_int_equal(see_text(subject.handle, "make all", 8, 1000, 41, 1001), EVAGG_FIRST);
    const evagg_process_t again = {.command_line = "make all",
                                   .command_line_length = 8,
                                   .user_id = 1000,
                                   .process_id = 7,
                                   .parent_process_id = 3};
    assert_int_equal(evagg_processes_record(subject.handle, &again, 1005), EVAGG_COUNTED);
    assert_int_equal(evagg_processes_record(subject.handle, &again, 1008), EVAGG_COUNTED);
    processes_drain(&subject, 1010, 4);
    assert_int_equal(subject.count, 1);
    const evagg_process_record_t *const kept = &subject.records[0];
    assert_string_equal(kept->command_line, "make all");
    assert_int_equal(kept->command_line_length, 8);
    assert_int_equal(kept->full_length, 8);
    assert_int_equal(kept->user_id, 1000);
    assert_int_equal(kept->process_id, 41);
    assert_int_equal(kept->parent_process_id, 1);
    assert_int_equal(kept->hit_count, 3);
    assert_int_equal(kept->first_seen, 1001);
    assert_int_equal(kept->last_seen, 1008);
    assert_int_equal(kept->flags, 0);
    processes_close(&subject, 1011);
}

/* Several processes start within one tick of a clock of seconds; the first of them is reported. */
static void the_process_ids_are_those_of_the_first_occurrence(void **state) {
    (void)state;
    open_with(4, 0);
    assert_int_equal(see_text(subject.handle, "sh", 2, 0, 50, 1001), EVAGG_FIRST);
    assert_int_equal(see_text(subject.handle, "sh", 2, 0, 20, 1001), EVAGG_COUNTED);
    assert_int_equal(see_text(subject.handle, "sh", 2, 0, 70, 1001), EVAGG_COUNTED);
    assert_int_equal(see_text(subject.handle, "sh", 2, 0, 10, 1002), EVAGG_COUNTED);
    processes_drain(&subject, 1010, 4);
    assert_int_equal(subject.records[0].process_id, 50);
    processes_close(&subject, 1011);
}

static void command_line_and_user_distinguish(void **state) {
    (void)state;
    open_with(32, 0);
    assert_int_equal(see_text(subject.handle, "a b", 3, 1, 9, 1000), EVAGG_FIRST);
    assert_int_equal(see_text(subject.handle, "a b", 3, 2, 9, 1000), EVAGG_FIRST);
    assert_int_equal(see_text(subject.handle, "a c", 3, 1, 9, 1000), EVAGG_FIRST);
    assert_int_equal(see_text(subject.handle, "a  b", 4, 1, 9, 1000), EVAGG_FIRST);
    assert_int_equal(see_text(subject.handle, "a b", 2, 1, 9, 1000), EVAGG_FIRST);
    assert_int_equal(see_text(subject.handle, "A b", 3, 1, 9, 1000), EVAGG_FIRST);
    assert_int_equal(see_text(subject.handle, "a b", 3, 0x80000001u, 9, 1000), EVAGG_FIRST);
    assert_int_equal(see_text(subject.handle, "a b", 3, 1, 10, 1000), EVAGG_COUNTED);
    assert_int_equal(processes_length(subject.handle), 7);
    processes_close(&subject, 1001);
}

/* With one entry there is one place to look: what is taken for the same is counted into it. */
static void one_entry_tells_processes_apart(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t length;
        uint32_t user_id;
    } others[] = {{"a c", 3, 1}, {"a b", 2, 1}, {"a b ", 4, 1},         {"A b", 3, 1},
                  {"a b", 3, 2}, {"", 0, 1},    {"a b", 3, 0x80000001u}};
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        open_with(1, EVAGG_DISCARD_OLDEST);
        assert_int_equal(see_text(subject.handle, "a b", 3, 1, 9, 1000), EVAGG_FIRST);
        for (uint32_t round = 0; round < 2; round++) {
            assert_int_equal(see_text(subject.handle, others[i].text, others[i].length,
                                      others[i].user_id, 9, 1000),
                             round == 0 ? EVAGG_FIRST : EVAGG_COUNTED);
        }
        assert_int_equal(see_text(subject.handle, "a b", 3, 1, 9, 1000), EVAGG_FIRST);
        processes_close(&subject, 1001);
    }
}

static void command_lines_are_bytes(void **state) {
    (void)state;
    open_with(32, 0);
    assert_int_equal(see_text(subject.handle, "ls\0-l\0", 6, 1, 9, 1000), EVAGG_FIRST);
    assert_int_equal(see_text(subject.handle, "ls\0-a\0", 6, 1, 9, 1000), EVAGG_FIRST);
    assert_int_equal(see_text(subject.handle, "ls\0-l", 5, 1, 9, 1000), EVAGG_FIRST);
    assert_int_equal(see_text(subject.handle, "ls", 2, 1, 9, 1000), EVAGG_FIRST);
    assert_int_equal(see_text(subject.handle, "\xff\xfe\x80", 3, 1, 9, 1000), EVAGG_FIRST);
    assert_int_equal(see_text(subject.handle, "ls\0-l\0", 6, 1, 9, 1000), EVAGG_COUNTED);
    processes_drain(&subject, 1001, 2);
    assert_int_equal(subject.count, 5);
    assert_non_null(processes_find(&subject, "ls\0-l\0", 6, 1));
    assert_non_null(processes_find(&subject, "ls\0-a\0", 6, 1));
    assert_non_null(processes_find(&subject, "ls\0-l", 5, 1));
    assert_non_null(processes_find(&subject, "\xff\xfe\x80", 3, 1));
    processes_close(&subject, 1001);
}

static void an_empty_command_line_ignores_the_pointer(void **state) {
    (void)state;
    open_with(4, 0);
    assert_int_equal(see_text(subject.handle, NULL, 0, 1, 9, 1000), EVAGG_FIRST);
    assert_int_equal(see_text(subject.handle, "ignored", 0, 1, 9, 1000), EVAGG_COUNTED);
    processes_drain(&subject, 1001, 4);
    assert_int_equal(subject.count, 1);
    assert_int_equal(subject.records[0].full_length, 0);
    assert_string_equal(subject.records[0].command_line, "");
    /* The flushed record, and the same one without a pointer, merge into one entry. */
    evagg_process_record_t record = subject.records[0];
    assert_true(evagg_processes_merge(subject.handle, &record, 1) >= 0);
    record.command_line = NULL;
    assert_true(evagg_processes_merge(subject.handle, &record, 1) >= 0);
    processes_drain(&subject, 1002, 4);
    assert_int_equal(subject.count, 1);
    assert_int_equal(subject.records[0].hit_count, 4);
    processes_close(&subject, 1002);
}

static void the_text_is_copied(void **state) {
    (void)state;
    char text[] = "short lived";
    open_with(4, 0);
    assert_int_equal(see_text(subject.handle, text, 11, 1, 9, 1000), EVAGG_FIRST);
    memset(text, '!', sizeof text);
    processes_drain(&subject, 1001, 4);
    assert_string_equal(subject.records[0].command_line, "short lived");
    processes_close(&subject, 1001);
}

static void text_of_exactly_the_maximum_is_whole_one_more_is_truncated(void **state) {
    (void)state;
    open_with(4, 0);
    assert_int_equal(see_text(subject.handle, line_of(256, 'a'), 256, 1, 9, 1000), EVAGG_FIRST);
    assert_int_equal(see_text(subject.handle, line_of(257, 'a'), 257, 1, 9, 1000), EVAGG_FIRST);
    processes_drain(&subject, 1001, 4);
    assert_int_equal(subject.count, 2);
    assert_int_equal(subject.records[0].command_line_length, 256);
    assert_int_equal(subject.records[0].full_length, 256);
    assert_int_equal(subject.records[0].flags, 0);
    assert_int_equal(subject.records[0].command_line[255], 'a');
    assert_int_equal(subject.records[1].command_line_length, 256);
    assert_int_equal(subject.records[1].full_length, 257);
    assert_int_equal(subject.records[1].flags, EVAGG_RECORD_TRUNCATED);
    assert_int_equal(subject.records[1].command_line[255], 'x');
    processes_close(&subject, 1001);
}

static void truncated_lines_are_told_apart_by_length_and_by_hash(void **state) {
    (void)state;
    open_with(32, 0);
    assert_int_equal(see_text(subject.handle, line_of(300, 'a'), 300, 1, 9, 1000), EVAGG_FIRST);
    assert_int_equal(see_text(subject.handle, line_of(300, 'b'), 300, 1, 9, 1000), EVAGG_FIRST);
    assert_int_equal(see_text(subject.handle, line_of(301, 'a'), 301, 1, 9, 1000), EVAGG_FIRST);
    assert_int_equal(see_text(subject.handle, line_of(1024, 'a'), 1024, 1, 9, 1000), EVAGG_FIRST);
    assert_int_equal(see_text(subject.handle, line_of(300, 'a'), 300, 2, 9, 1000), EVAGG_FIRST);
    assert_int_equal(see_text(subject.handle, line_of(300, 'b'), 300, 1, 9, 1000), EVAGG_COUNTED);
    /* A whole line equal to the beginning that a truncated one keeps is another process. */
    assert_int_equal(see_text(subject.handle, line_of(256, 'x'), 256, 1, 9, 1000), EVAGG_FIRST);
    processes_drain(&subject, 1001, 4);
    assert_int_equal(subject.count, 6);
    assert_int_equal(subject.records[0].full_length, 300);
    assert_int_equal(subject.records[1].full_length, 300);
    assert_true(subject.records[0].hash != subject.records[1].hash);
    assert_int_equal(subject.records[0].hit_count, 1);
    assert_int_equal(subject.records[1].hit_count, 2);
    assert_int_equal(subject.records[3].full_length, 1024);
    processes_close(&subject, 1001);
}

static void the_hash_depends_on_the_seed_and_on_the_whole_line(void **state) {
    (void)state;
    uint64_t hashes[3];
    for (uint32_t i = 0; i < 3; i++) {
        evagg_config_t config = process_config_of(4, TEXT_BYTES, 0, 0);
        config.hash_seed = i == 2 ? SUPPORT_SEED + 1 : SUPPORT_SEED;
        processes_open(&subject, memory, sizeof memory, &config);
        assert_int_equal(see_text(subject.handle, line_of(300, 'a'), 300, 1, i, 1000), EVAGG_FIRST);
        processes_drain(&subject, 1001, 4);
        hashes[i] = subject.records[0].hash;
        processes_close(&subject, 1001);
    }
    assert_true(hashes[0] == hashes[1]);
    assert_true(hashes[0] != hashes[2]);
}

static void text_maximum_is_settable(void **state) {
    (void)state;
    open_with_text(64, 8, 0);
    assert_int_equal(see_text(subject.handle, "12345678", 8, 1, 9, 1000), EVAGG_FIRST);
    assert_int_equal(see_text(subject.handle, "123456789", 9, 1, 9, 1000), EVAGG_FIRST);
    processes_drain(&subject, 1001, 4);
    assert_string_equal(subject.records[0].command_line, "12345678");
    assert_int_equal(subject.records[0].flags, 0);
    assert_string_equal(subject.records[1].command_line, "12345678");
    assert_int_equal(subject.records[1].flags, EVAGG_RECORD_TRUNCATED);
    processes_close(&subject, 1001);

    open_with_text(64, 1, 0);
    assert_int_equal(see_text(subject.handle, "ab", 2, 1, 9, 1000), EVAGG_FIRST);
    processes_drain(&subject, 1001, 4);
    assert_string_equal(subject.records[0].command_line, "a");
    assert_int_equal(subject.records[0].full_length, 2);
    processes_close(&subject, 1001);
}

static void default_policy_discards_the_oldest(void **state) {
    (void)state;
    open_with(4, 0);
    for (uint32_t n = 0; n < 4; n++) {
        assert_int_equal(see_job(subject.handle, n, 1000), EVAGG_FIRST);
    }
    assert_int_equal(see_job(subject.handle, 0, 1001), EVAGG_COUNTED);
    assert_int_equal(see_job(subject.handle, 4, 1002), EVAGG_FIRST);
    assert_int_equal(see_job(subject.handle, 1, 1002), EVAGG_COUNTED);
    processes_drain(&subject, 1003, 3);
    assert_int_equal(subject.count, 4);
    for (uint32_t i = 0; i < 4; i++) {
        char text[JOB_TEXT];
        job_text(i + 1, text);
        assert_string_equal(subject.records[i].command_line, text);
    }
    assert_int_equal(subject.window.discarded, 2);
    assert_int_equal(subject.window.rejected, 0);
    processes_close(&subject, 1004);
}

static void reject_new_keeps_counting_known(void **state) {
    (void)state;
    open_with(4, EVAGG_REJECT_NEW);
    for (uint32_t n = 0; n < 4; n++) {
        assert_int_equal(see_job(subject.handle, n, 1000), EVAGG_FIRST);
    }
    assert_int_equal(see_job(subject.handle, 4, 1001), EVAGG_REJECTED);
    assert_int_equal(see_job(subject.handle, 3, 1002), EVAGG_COUNTED);
    processes_drain(&subject, 1003, 3);
    assert_int_equal(subject.window.offered, 6);
    assert_int_equal(subject.window.kept, 5);
    assert_int_equal(subject.window.rejected, 1);
    processes_close(&subject, 1004);
}

/* Room for at most two texts of 32 bytes, for 32 entries. */
static void a_short_text_budget_rejects_new(void **state) {
    (void)state;
    open_with_text(64, 32, EVAGG_REJECT_NEW);
    uint32_t kept = 0;
    while (kept < 3 && see_text(subject.handle, line_of(32, (char)('a' + kept)), 32, 1, 9, 1000) ==
                           EVAGG_FIRST) {
        kept++;
    }
    assert_int_equal(kept, 2);
    assert_int_equal(see_text(subject.handle, line_of(32, 'z'), 32, 1, 9, 1000), EVAGG_REJECTED);
    assert_int_equal(see_text(subject.handle, line_of(32, 'a'), 32, 1, 9, 1000), EVAGG_COUNTED);
    /* An empty command line needs none of the budget. */
    assert_int_equal(see_text(subject.handle, NULL, 0, 1, 9, 1000), EVAGG_FIRST);
    processes_drain(&subject, 1001, 2);
    assert_int_equal(subject.count, 3);
    assert_int_equal(subject.window.rejected, 2);
    assert_int_equal(see_text(subject.handle, line_of(32, 'z'), 32, 1, 9, 1002), EVAGG_FIRST);
    processes_close(&subject, 1003);
}

static void a_short_text_budget_discards_the_oldest(void **state) {
    (void)state;
    open_with_text(64, 32, EVAGG_DISCARD_OLDEST);
    for (char end = 'a'; end <= 'z'; end++) {
        assert_int_equal(see_text(subject.handle, line_of(32, end), 32, 1, 9, 1000), EVAGG_FIRST);
        assert_true(processes_length(subject.handle) <= 2);
    }
    processes_drain(&subject, 1001, 2);
    assert_int_equal(subject.count, 2);
    assert_int_equal(subject.records[0].command_line[31], 'y');
    assert_int_equal(subject.records[1].command_line[31], 'z');
    assert_int_equal(subject.window.discarded, 24);
    processes_close(&subject, 1003);
}

/* One long text makes several short ones go; an entry without text goes in its turn only. */
static void a_long_text_discards_as_many_as_it_needs(void **state) {
    (void)state;
    open_with_text(64, 64, EVAGG_DISCARD_OLDEST);
    for (char end = 'a'; end < 'e'; end++) {
        assert_int_equal(see_text(subject.handle, line_of(16, end), 16, 1, 9, 1000), EVAGG_FIRST);
    }
    assert_int_equal(processes_length(subject.handle), 4);
    assert_int_equal(see_text(subject.handle, line_of(64, 'L'), 64, 1, 9, 1000), EVAGG_FIRST);
    processes_drain(&subject, 1001, 2);
    assert_int_equal(subject.count, 1);
    assert_int_equal(subject.records[0].command_line[63], 'L');
    assert_int_equal(subject.window.discarded, 4);
    processes_close(&subject, 1003);
}

/* The ring wraps at every offset: lengths that share no factor with its size, texts checked. */
static void texts_survive_the_wrap_of_the_ring(void **state) {
    (void)state;
    for (uint32_t stride = 1; stride <= 31; stride++) {
        open_with_text(101, 61, EVAGG_DISCARD_OLDEST);
        uint32_t length = 0;
        for (uint32_t i = 0; i < 200; i++) {
            length = (length + stride) % 62;
            memset(line, (int)('A' + i % 26), sizeof line);
            assert_true(see_text(subject.handle, line, length, i, 9, 1000) == EVAGG_FIRST);
            if (i % 5 == 4) {
                processes_drain(&subject, 1000 + i, 1 + i % 3);
                assert_true(subject.count >= 1);
                for (uint32_t k = 0; k < subject.count; k++) {
                    const evagg_process_record_t *const kept = &subject.records[k];
                    for (uint32_t b = 0; b < kept->command_line_length; b++) {
                        assert_int_equal(kept->command_line[b], 'A' + kept->user_id % 26);
                    }
                }
                assert_int_equal(subject.records[subject.count - 1].user_id, i);
            }
        }
        processes_close(&subject, 2000);
    }
}

static void a_page_ends_where_the_text_buffer_does(void **state) {
    (void)state;
    evagg_process_record_t records[4];
    evagg_window_t window;
    char text[33];
    open_with_text(256, 32, 0);
    for (char end = 'a'; end < 'd'; end++) {
        assert_int_equal(see_text(subject.handle, line_of(30, end), 30, 1, 9, 1000), EVAGG_FIRST);
    }
    for (uint32_t i = 0; i < 3; i++) {
        memset(text, '?', sizeof text);
        assert_int_equal(
            evagg_processes_flush(subject.handle, 1001, records, 4, text, sizeof text, &window),
            i < 2 ? EVAGG_MORE : EVAGG_OK);
        assert_int_equal(window.records, 1);
        assert_int_equal(window.remaining, 2 - i);
        assert_int_equal(records[0].command_line[29], 'a' + (int)i);
        assert_int_equal(records[0].command_line[30], '\0');
    }
    assert_int_equal(evagg_processes_deinit(subject.handle), EVAGG_OK);
}

/* Two texts and their NULs to the byte, and one byte less. */
static void the_text_buffer_is_filled_to_the_last_byte(void **state) {
    (void)state;
    evagg_process_record_t records[4];
    evagg_window_t window;
    char text[64];
    for (size_t size = 61; size <= 62; size++) {
        open_with_text(256, 32, 0);
        for (char end = 'a'; end < 'c'; end++) {
            assert_int_equal(see_text(subject.handle, line_of(30, end), 30, 1, 9, 1000),
                             EVAGG_FIRST);
        }
        memset(text, '?', sizeof text);
        assert_int_equal(
            evagg_processes_flush(subject.handle, 1001, records, 4, text, size, &window),
            size == 61 ? EVAGG_MORE : EVAGG_OK);
        assert_int_equal(window.records, size == 61 ? 1 : 2);
        assert_int_equal(text[30], '\0');
        assert_int_equal(text[61], size == 61 ? '?' : '\0');
        assert_int_equal(text[62], '?');
        assert_int_equal(evagg_processes_deinit(subject.handle), EVAGG_OK);
    }
}

static void disabled_passes_events_by_and_keeps_what_is_cached(void **state) {
    (void)state;
    open_with(4, 0);
    assert_int_equal(see_job(subject.handle, 0, 1000), EVAGG_FIRST);
    assert_int_equal(evagg_processes_set_enabled(subject.handle, 0), EVAGG_OK);
    assert_int_equal(see_job(subject.handle, 0, 1001), EVAGG_DISABLED);
    assert_int_equal(processes_statistics(subject.handle).disabled, 1);
    processes_drain(&subject, 1002, 4);
    assert_int_equal(subject.count, 1);
    assert_int_equal(subject.records[0].hit_count, 1);
    assert_int_equal(evagg_processes_set_enabled(subject.handle, 1), EVAGG_OK);
    assert_int_equal(see_job(subject.handle, 0, 1001), EVAGG_FIRST);
    processes_close(&subject, 1003);
}

static void hits_saturate_and_say_so(void **state) {
    (void)state;
    open_with(4, 0);
    assert_int_equal(see_job(subject.handle, 0, 1000), EVAGG_FIRST);
    processes_drain(&subject, 1001, 4);
    evagg_process_record_t large = subject.records[0];
    large.hit_count = UINT32_MAX - 1;
    assert_true(evagg_processes_merge(subject.handle, &large, 1) >= 0);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(see_job(subject.handle, 0, 1002), EVAGG_COUNTED);
    }
    evagg_process_record_t kept;
    evagg_window_t window;
    char text[257];
    assert_int_equal(
        evagg_processes_flush(subject.handle, 1003, &kept, 1, text, sizeof text, &window),
        EVAGG_OK);
    assert_int_equal(kept.hit_count, UINT32_MAX);
    assert_int_equal(kept.flags, EVAGG_RECORD_SATURATED);
    assert_int_equal(evagg_processes_deinit(subject.handle), EVAGG_OK);
}

static void policy_and_statistics(void **state) {
    (void)state;
    open_with(2, EVAGG_REJECT_NEW);
    for (uint32_t n = 0; n < 3; n++) {
        (void)see_job(subject.handle, n, 1000);
    }
    assert_int_equal(evagg_processes_set_overflow_policy(subject.handle, EVAGG_DISCARD_OLDEST),
                     EVAGG_OK);
    assert_int_equal(see_job(subject.handle, 3, 1000), EVAGG_FIRST);
    const evagg_statistics_t statistics = processes_statistics(subject.handle);
    assert_int_equal(statistics.offered, 4);
    assert_int_equal(statistics.counted, 3);
    assert_int_equal(statistics.rejected, 1);
    assert_int_equal(statistics.discarded, 1);
    assert_int_equal(statistics.high_water_mark, 2);
    assert_int_equal(statistics.windows, 0);
    processes_close(&subject, 1001);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identical_events_share_one_entry),
        cmocka_unit_test(the_process_ids_are_those_of_the_first_occurrence),
        cmocka_unit_test(command_line_and_user_distinguish),
        cmocka_unit_test(one_entry_tells_processes_apart),
        cmocka_unit_test(command_lines_are_bytes),
        cmocka_unit_test(an_empty_command_line_ignores_the_pointer),
        cmocka_unit_test(the_text_is_copied),
        cmocka_unit_test(text_of_exactly_the_maximum_is_whole_one_more_is_truncated),
        cmocka_unit_test(truncated_lines_are_told_apart_by_length_and_by_hash),
        cmocka_unit_test(the_hash_depends_on_the_seed_and_on_the_whole_line),
        cmocka_unit_test(text_maximum_is_settable),
        cmocka_unit_test(default_policy_discards_the_oldest),
        cmocka_unit_test(reject_new_keeps_counting_known),
        cmocka_unit_test(a_short_text_budget_rejects_new),
        cmocka_unit_test(a_short_text_budget_discards_the_oldest),
        cmocka_unit_test(a_long_text_discards_as_many_as_it_needs),
        cmocka_unit_test(texts_survive_the_wrap_of_the_ring),
        cmocka_unit_test(a_page_ends_where_the_text_buffer_does),
        cmocka_unit_test(the_text_buffer_is_filled_to_the_last_byte),
        cmocka_unit_test(disabled_passes_events_by_and_keeps_what_is_cached),
        cmocka_unit_test(hits_saturate_and_say_so),
        cmocka_unit_test(policy_and_statistics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
