/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Nothing is unaccounted for, after any sequence of calls: random ones, every step checked. */
#include "support.h"

#define STEPS REPETITIONS(3000u, 1000u)
/* At least one for each capacity, 1 to 16. */
#define SEQUENCES REPETITIONS(40u, 16u)

static connections_case_t subject;
static processes_case_t process_subject;
CONNECTIONS_MEMORY(memory, 16);
PROCESSES_MEMORY(process_memory, 16, 400);

/* The calls that a random sequence consists of. */
typedef enum call_t { RECORD, PAGE, MERGE, POLICY, SWITCH } call_t;

static call_t next_call(uint64_t *random) {
    const uint64_t roll = next_random(random) % 100;
    return roll < 80 ? RECORD : roll < 90 ? PAGE : roll < 96 ? MERGE : roll < 98 ? POLICY : SWITCH;
}

/* What a caller who counts for itself expects of the statistics. */
typedef struct ledger_t {
    uint64_t offered, merged, disabled, rejected;
    uint32_t windows;
    uint8_t policy, enabled;
} ledger_t;

static void enter(ledger_t *ledger, evagg_status_t status) {
    if (ledger->enabled == 0) {
        assert_int_equal(status, EVAGG_DISABLED);
        ledger->disabled++;
        return;
    }
    assert_true(status == EVAGG_FIRST || status == EVAGG_COUNTED || status == EVAGG_REJECTED);
    assert_true(status != EVAGG_REJECTED || ledger->policy == EVAGG_REJECT_NEW);
    ledger->offered++;
    ledger->rejected += status == EVAGG_REJECTED;
}

static void check_ledger(const ledger_t *ledger, const evagg_statistics_t *statistics,
                         uint32_t length, uint32_t capacity) {
    assert_int_equal(statistics->offered, ledger->offered);
    assert_int_equal(statistics->merged, ledger->merged);
    assert_int_equal(statistics->disabled, ledger->disabled);
    assert_int_equal(statistics->windows, ledger->windows);
    assert_true(statistics->rejected >= ledger->rejected);
    assert_int_equal(statistics->offered + statistics->merged,
                     statistics->counted + statistics->rejected);
    assert_true(length <= statistics->high_water_mark);
    assert_true(statistics->high_water_mark <= capacity);
}

static void check_page(const evagg_window_t *window, evagg_status_t status, ledger_t *ledger,
                       uint64_t *window_hits, uint64_t page_hits) {
    assert_int_equal(window->sequence, ledger->windows);
    *window_hits += page_hits;
    if (status == EVAGG_OK) {
        assert_int_equal(window->kept, *window_hits);
        assert_int_equal((uint64_t)window->offered + window->merged,
                         (uint64_t)window->kept + window->rejected + window->discarded);
        *window_hits = 0;
        ledger->windows++;
    }
}

static void connections_in_any_sequence(void **state) {
    (void)state;
    for (uint32_t sequence = 0; sequence < SEQUENCES; sequence++) {
        uint64_t random = sequence;
        uint64_t window_hits = 0;
        const uint32_t capacity = 1 + sequence % 16;
        ledger_t ledger = {.policy = EVAGG_REJECT_NEW, .enabled = 1};
        const evagg_config_t config = config_of(capacity, EVAGG_REJECT_NEW);
        connections_open(&subject, memory, sizeof memory, &config);
        for (uint32_t step = 0; step < STEPS; step++) {
            const uint32_t roll = (uint32_t)next_random(&random) >> 8;
            switch (next_call(&random)) {
            case RECORD:
                enter(&ledger, see_flow(subject.handle, roll % (2 * capacity), 1000 + step));
                break;
            case PAGE: {
                const uint64_t before = subject.flushed;
                subject.count = 0;
                const evagg_status_t status = connections_page(&subject, 1000 + step, 1 + roll % 5);
                check_page(&subject.window, status, &ledger, &window_hits,
                           subject.flushed - before);
                break;
            }
            case MERGE:
                /* What the last page held: unsent, or sent to here by another instance. */
                assert_true(
                    evagg_connections_merge(subject.handle, subject.records, subject.count) >= 0);
                for (uint32_t i = 0; i < subject.count; i++) {
                    ledger.merged += subject.records[i].hit_count;
                }
                subject.count = 0;
                break;
            case POLICY:
                ledger.policy = roll % 2 == 0 ? EVAGG_REJECT_NEW : EVAGG_DISCARD_OLDEST;
                assert_int_equal(
                    evagg_connections_set_overflow_policy(subject.handle, ledger.policy), EVAGG_OK);
                break;
            case SWITCH:
                ledger.enabled = roll % 4 != 0;
                assert_int_equal(evagg_connections_set_enabled(subject.handle, ledger.enabled),
                                 EVAGG_OK);
                break;
            }
            const evagg_statistics_t statistics = connections_statistics(subject.handle);
            check_ledger(&ledger, &statistics, connections_length(subject.handle), capacity);
        }
        assert_true(ledger.merged > 0 && ledger.disabled > 0 && ledger.windows > 10);
        connections_close(&subject, 9000);
    }
}

/* Command lines of 0 to 59 bytes, of which at most 40 are kept, in a ring that is often short. */
static evagg_status_t see_any_text(uint32_t n, evagg_time_t now) {
    char line[64];
    memset(line, (int)('a' + n % 26), sizeof line);
    return see_text(process_subject.handle, line, n * 7 % 60, n % 3, n, now);
}

static void processes_in_any_sequence(void **state) {
    (void)state;
    for (uint32_t sequence = 0; sequence < SEQUENCES; sequence++) {
        uint64_t random = sequence;
        uint64_t window_hits = 0;
        const uint32_t capacity = 1 + sequence % 16;
        const uint32_t text_bytes = 40 + (sequence * 37) % 360;
        ledger_t ledger = {.policy = EVAGG_REJECT_NEW, .enabled = 1};
        const evagg_config_t config = process_config_of(capacity, text_bytes, 40, EVAGG_REJECT_NEW);
        processes_open(&process_subject, process_memory, sizeof process_memory, &config);
        for (uint32_t step = 0; step < STEPS; step++) {
            const uint32_t roll = (uint32_t)next_random(&random) >> 8;
            switch (next_call(&random)) {
            case RECORD:
                enter(&ledger, see_any_text(roll % (2 * capacity), 1000 + step));
                break;
            case PAGE: {
                const uint64_t before = process_subject.flushed;
                process_subject.count = 0;
                const evagg_status_t status =
                    processes_page(&process_subject, 1000 + step, 1 + roll % 5);
                check_page(&process_subject.window, status, &ledger, &window_hits,
                           process_subject.flushed - before);
                break;
            }
            case MERGE:
                assert_true(evagg_processes_merge(process_subject.handle, process_subject.records,
                                                  process_subject.count) >= 0);
                for (uint32_t i = 0; i < process_subject.count; i++) {
                    ledger.merged += process_subject.records[i].hit_count;
                }
                process_subject.count = 0;
                break;
            case POLICY:
                ledger.policy = roll % 2 == 0 ? EVAGG_REJECT_NEW : EVAGG_DISCARD_OLDEST;
                assert_int_equal(
                    evagg_processes_set_overflow_policy(process_subject.handle, ledger.policy),
                    EVAGG_OK);
                break;
            case SWITCH:
                ledger.enabled = roll % 4 != 0;
                assert_int_equal(
                    evagg_processes_set_enabled(process_subject.handle, ledger.enabled), EVAGG_OK);
                break;
            }
            const evagg_statistics_t statistics = processes_statistics(process_subject.handle);
            check_ledger(&ledger, &statistics, processes_length(process_subject.handle), capacity);
        }
        assert_true(ledger.merged > 0 && ledger.disabled > 0 && ledger.windows > 10);
        processes_close(&process_subject, 9000);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connections_in_any_sequence),
        cmocka_unit_test(processes_in_any_sequence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
