/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The built-in lock on one core: an interrupt whose call meets another is told at once, nothing
   waits, and every event is either recorded or counted as busy. */
#include "support.h"
#include "board.h"

/* Enough of both, however long a call takes: unoptimised ones take some thousand instructions. */
#define LEAST_BUSY 100u
#define LEAST_RECORDED 100u
#define MOST_CALLS 20000u

CONNECTIONS_MEMORY(memory, 8);
static connections_case_t subject;
static volatile uint32_t recorded;
static volatile uint32_t busy;
static volatile uint32_t others;

/* The time between interrupts varies, or all of them might meet the main program at one place. */
static void record_one(void) {
    static uint64_t random = 1;
    const evagg_status_t status = see_flow(subject.handle, 1, 1001);
    recorded += status == EVAGG_FIRST || status == EVAGG_COUNTED;
    busy += status == EVAGG_ERROR_BUSY;
    others += status != EVAGG_FIRST && status != EVAGG_COUNTED && status != EVAGG_ERROR_BUSY;
    board_start_tick(4 + (uint32_t)(next_random(&random) % 32), record_one);
}

static void a_call_that_meets_another_is_told_so(void **state) {
    (void)state;
    const evagg_config_t config = config_of(8, EVAGG_REJECT_NEW);
    connections_open(&subject, memory, sizeof memory, &config);
    uint32_t calls = 0;
    board_start_tick(4, record_one);
    while ((busy < LEAST_BUSY || recorded < LEAST_RECORDED) && calls < MOST_CALLS) {
        assert_true(see_flow(subject.handle, 0, 1001) >= EVAGG_OK);
        calls++;
    }
    board_stop_tick();
    assert_true(busy >= LEAST_BUSY);
    assert_true(recorded >= LEAST_RECORDED);
    assert_int_equal(others, 0);
    const evagg_statistics_t statistics = connections_statistics(subject.handle);
    assert_int_equal(statistics.busy, busy);
    assert_int_equal(statistics.offered, calls + recorded);
    connections_close(&subject, 1002);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_that_meets_another_is_told_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
