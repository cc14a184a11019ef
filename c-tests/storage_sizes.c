/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The size macros agree with the size functions, and small and default instances work. */
#include "support.h"

static connections_case_t subject;
static processes_case_t process_subject;
CONNECTIONS_MEMORY(memory, EVAGG_CONNECTIONS_DEFAULT_CAPACITY);
PROCESSES_MEMORY(process_memory, EVAGG_PROCESSES_DEFAULT_CAPACITY,
                 EVAGG_PROCESSES_DEFAULT_TEXT_BYTES);

/* Constant expressions. */
_Static_assert(EVAGG_CONNECTIONS_STORAGE_SIZE(1) < EVAGG_CONNECTIONS_STORAGE_SIZE(65535), "");
_Static_assert(EVAGG_PROCESSES_STORAGE_SIZE(1, 1) < EVAGG_PROCESSES_STORAGE_SIZE(65535, 1), "");

static void macro_and_function_agree_for_connections(void **state) {
    (void)state;
    size_t before = 0;
    for (uint32_t capacity = 1; capacity <= EVAGG_MAXIMUM_CAPACITY; capacity++) {
        const size_t size = evagg_connections_storage_size(capacity);
        assert_true(size == EVAGG_CONNECTIONS_STORAGE_SIZE(capacity));
        assert_true(size > before);
        before = size;
    }
}

static void macro_and_function_agree_for_processes(void **state) {
    (void)state;
    static const uint32_t texts[] = {1, 2, 7, 8, 255, 256, 257, 4096, 65535, 65536, 1000003};
    for (uint32_t capacity = 1; capacity <= EVAGG_MAXIMUM_CAPACITY; capacity++) {
        size_t before = 0;
        for (size_t i = 0; i < COUNT_OF(texts); i++) {
            const size_t size = evagg_processes_storage_size(capacity, texts[i]);
            assert_true(size == EVAGG_PROCESSES_STORAGE_SIZE(capacity, texts[i]));
            assert_true(size >= before);
            before = size;
        }
    }
}

static void out_of_range_has_no_size(void **state) {
    (void)state;
    static const uint32_t capacities[] = {0, 65536, 65537, UINT32_MAX};
    for (size_t i = 0; i < COUNT_OF(capacities); i++) {
        assert_int_equal(evagg_connections_storage_size(capacities[i]), 0);
        assert_int_equal(evagg_processes_storage_size(capacities[i], 4096), 0);
    }
    assert_int_equal(evagg_processes_storage_size(32, UINT32_MAX), 0);
}

static void zero_stands_for_the_defaults(void **state) {
    (void)state;
    char line[300];
    memset(line, 'x', sizeof line);
    evagg_config_t config = EVAGG_CONFIG_INIT;
    config.lock = SUPPORT_LOCK;
    assert_int_equal(EVAGG_CONNECTIONS_DEFAULT_CAPACITY, 64);
    connections_open(&subject, memory, sizeof memory, &config);
    for (uint32_t n = 0; n < 65; n++) {
        assert_int_equal(see_flow(subject.handle, n, 1), n < 64 ? EVAGG_FIRST : EVAGG_REJECTED);
    }
    connections_drain(&subject, 2, 16);
    assert_int_equal(subject.count, 64);
    assert_int_equal(subject.window.start, 0);
    connections_close(&subject, 3);

    assert_int_equal(EVAGG_PROCESSES_DEFAULT_CAPACITY, 32);
    processes_open(&process_subject, process_memory, sizeof process_memory, &config);
    assert_int_equal(see_text(process_subject.handle, line, 300, 0, 0, 1), EVAGG_FIRST);
    for (uint32_t n = 0; n < 31; n++) {
        assert_int_equal(see_job(process_subject.handle, n, 1), EVAGG_FIRST);
    }
    assert_int_equal(processes_length(process_subject.handle), 32);
    assert_int_equal(processes_page(&process_subject, 2, 1), EVAGG_MORE);
    assert_int_equal(process_subject.records[0].command_line_length, 256);
    assert_int_equal(see_job(process_subject.handle, 50, 3), EVAGG_FIRST);
    assert_int_equal(processes_statistics(process_subject.handle).discarded, 0);
    assert_int_equal(see_job(process_subject.handle, 51, 3), EVAGG_FIRST);
    assert_int_equal(processes_statistics(process_subject.handle).discarded, 1);
    processes_close(&process_subject, 3);

    /* The text budget of the default holds sixteen of the longest texts. */
    processes_open(&process_subject, process_memory, sizeof process_memory, &config);
    for (uint32_t n = 0; n < 17; n++) {
        assert_int_equal(see_text(process_subject.handle, line, 256, n, 0, 1), EVAGG_FIRST);
        assert_int_equal(processes_length(process_subject.handle), n < 16 ? n + 1 : 16);
    }
    processes_close(&process_subject, 3);
}

/* One or two entries follow the same rules, through many windows and both policies. */
static void the_smallest_instances(void **state) {
    (void)state;
    for (uint32_t capacity = 1; capacity <= 2; capacity++) {
        for (uint8_t policy = EVAGG_REJECT_NEW; policy <= EVAGG_DISCARD_OLDEST; policy++) {
            const evagg_config_t config = config_of(capacity, policy);
            const evagg_config_t process_config =
                process_config_of(capacity, JOB_TEXT * 2, JOB_TEXT, policy);
            connections_open(&subject, memory, evagg_connections_storage_size(capacity), &config);
            processes_open(&process_subject, process_memory,
                           evagg_processes_storage_size(capacity, JOB_TEXT * 2), &process_config);
            for (uint32_t window = 0; window < 5; window++) {
                for (uint32_t n = 0; n < 4; n++) {
                    const evagg_status_t expected = n < capacity || policy == EVAGG_DISCARD_OLDEST
                                                        ? EVAGG_FIRST
                                                        : EVAGG_REJECTED;
                    assert_int_equal(see_flow(subject.handle, n, 1001), expected);
                    assert_int_equal(see_job(process_subject.handle, n, 1001), expected);
                    assert_int_equal(see_flow(subject.handle, n, 1002),
                                     expected == EVAGG_FIRST ? EVAGG_COUNTED : expected);
                    assert_int_equal(see_job(process_subject.handle, n, 1002),
                                     expected == EVAGG_FIRST ? EVAGG_COUNTED : expected);
                }
                connections_drain(&subject, 1003, 1);
                processes_drain(&process_subject, 1003, 1);
                assert_int_equal(subject.count, capacity);
                assert_int_equal(process_subject.count, capacity);
                const uint32_t lost = 2 * (4 - capacity);
                assert_int_equal(subject.window.rejected, policy == EVAGG_REJECT_NEW ? lost : 0);
                assert_int_equal(subject.window.discarded, policy == EVAGG_REJECT_NEW ? 0 : lost);
                assert_int_equal(process_subject.window.rejected, subject.window.rejected);
                assert_int_equal(process_subject.window.discarded, subject.window.discarded);
            }
            connections_close(&subject, 1004);
            processes_close(&process_subject, 1004);
        }
    }
}

/* A budget of 128 bytes an entry would not hold one of the longest texts of one entry. */
static void the_default_text_budget_holds_the_longest_text(void **state) {
    (void)state;
    char line[256];
    memset(line, 'x', sizeof line);
    const evagg_config_t config = config_of(1, 0);
    processes_open(&process_subject, process_memory, sizeof process_memory, &config);
    assert_int_equal(see_text(process_subject.handle, line, 256, 0, 0, 1), EVAGG_FIRST);
    processes_drain(&process_subject, 2, 1);
    assert_int_equal(process_subject.records[0].command_line_length, 256);
    processes_close(&process_subject, 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(macro_and_function_agree_for_connections),
        cmocka_unit_test(macro_and_function_agree_for_processes),
        cmocka_unit_test(out_of_range_has_no_size),
        cmocka_unit_test(zero_stands_for_the_defaults),
        cmocka_unit_test(the_smallest_instances),
        cmocka_unit_test(the_default_text_budget_holds_the_longest_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
