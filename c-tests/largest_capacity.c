/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* 65,535 entries. The arrays take some megabytes, so this is for hosts. */
#include "support.h"

#define LARGEST EVAGG_MAXIMUM_CAPACITY
#define TEXT_BYTES (LARGEST * JOB_TEXT)

static connections_case_t subject;
static processes_case_t process_subject;
CONNECTIONS_MEMORY(memory, LARGEST);
PROCESSES_MEMORY(process_memory, LARGEST, TEXT_BYTES);

static void connections_fill_overflow_and_drain(void **state) {
    (void)state;
    for (uint8_t policy = EVAGG_REJECT_NEW; policy <= EVAGG_DISCARD_OLDEST; policy++) {
        const evagg_config_t config = config_of(LARGEST, policy);
        connections_open(&subject, memory, sizeof memory, &config);
        for (uint32_t n = 0; n < LARGEST; n++) {
            assert_int_equal(see_flow(subject.handle, n, 1001), EVAGG_FIRST);
        }
        for (uint32_t n = 0; n < LARGEST; n++) {
            assert_int_equal(see_flow(subject.handle, n, 1002), EVAGG_COUNTED);
        }
        assert_int_equal(connections_length(subject.handle), LARGEST);
        for (uint32_t n = LARGEST; n < LARGEST + 1000; n++) {
            assert_int_equal(see_flow(subject.handle, n, 1003),
                             policy == EVAGG_REJECT_NEW ? EVAGG_REJECTED : EVAGG_FIRST);
        }
        assert_int_equal(connections_statistics(subject.handle).high_water_mark, LARGEST);
        const uint32_t first = policy == EVAGG_REJECT_NEW ? 0 : 1000;
        uint32_t next = first;
        evagg_status_t status;
        do {
            subject.count = 0;
            status = connections_page(&subject, 1004, 79);
            for (uint32_t i = 0; i < subject.count; i++) {
                const evagg_connection_t connection = flow(next);
                assert_memory_equal(&subject.records[i].connection, &connection, sizeof connection);
                assert_int_equal(subject.records[i].hit_count, next < LARGEST ? 2 : 1);
                next++;
            }
        } while (status == EVAGG_MORE);
        assert_int_equal(next, first + LARGEST);
        assert_int_equal(subject.window.rejected + subject.window.discarded,
                         policy == EVAGG_REJECT_NEW ? 1000 : 2000);
        /* The memory is all there for the next window. */
        for (uint32_t n = 0; n < LARGEST; n++) {
            assert_int_equal(see_flow(subject.handle, n + 7, 1005), EVAGG_FIRST);
        }
        connections_close(&subject, 1006);
    }
}

static void processes_fill_overflow_and_drain(void **state) {
    (void)state;
    const evagg_config_t config = process_config_of(LARGEST, TEXT_BYTES, JOB_TEXT, 0);
    processes_open(&process_subject, process_memory, sizeof process_memory, &config);
    for (uint32_t n = 0; n < LARGEST + 1000; n++) {
        assert_int_equal(see_job(process_subject.handle, n, 1001), EVAGG_FIRST);
    }
    for (uint32_t n = 1000; n < LARGEST + 1000; n++) {
        assert_int_equal(see_job(process_subject.handle, n, 1002), EVAGG_COUNTED);
    }
    assert_int_equal(processes_statistics(process_subject.handle).discarded, 1000);
    uint32_t next = 1000;
    evagg_status_t status;
    do {
        process_subject.count = 0;
        status = processes_page(&process_subject, 1004, 79);
        for (uint32_t i = 0; i < process_subject.count; i++) {
            char text[JOB_TEXT];
            job_text(next, text);
            assert_string_equal(process_subject.records[i].command_line, text);
            assert_int_equal(process_subject.records[i].hit_count, 2);
            next++;
        }
    } while (status == EVAGG_MORE);
    assert_int_equal(next, LARGEST + 1000);
    processes_close(&process_subject, 1006);
}

static void one_byte_less_is_too_small(void **state) {
    (void)state;
    const evagg_config_t config = config_of(LARGEST, 0);
    evagg_connections_t *connections = NULL;
    assert_int_equal(evagg_connections_init(memory, sizeof memory - 1, &config, &connections),
                     EVAGG_ERROR_STORAGE_TOO_SMALL);
    const evagg_config_t process_config = process_config_of(LARGEST, TEXT_BYTES, JOB_TEXT, 0);
    evagg_processes_t *processes = NULL;
    assert_int_equal(evagg_processes_init(process_memory, sizeof process_memory - 1,
                                          &process_config, &processes),
                     EVAGG_ERROR_STORAGE_TOO_SMALL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connections_fill_overflow_and_drain),
        cmocka_unit_test(processes_fill_overflow_and_drain),
        cmocka_unit_test(one_byte_less_is_too_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
