/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The collector whose cache outlives a warm reset. It is part of this file, so that a reset of the
   program can be replayed: all of its variables but the cache are as at the start. */
#ifdef __ELF__
#define EVAGG_MICRO_AGENT_RETAINED __attribute__((section(".evagg")))
#else
#define EVAGG_MICRO_AGENT_RETAINED
#endif
#include "evagg_micro_agent.c"

#include "agent.h"

static void reset(void) {
    memset(&message, 0, sizeof message);
    connections = NULL;
    is_window_open = false;
    while (_nx_ip_created_ptr != NULL) {
        fake_ip_delete(_nx_ip_created_ptr);
    }
}

/* As agent_open, and without what tests before have counted. */
static void open_after_power_on(void) {
    reset();
    memset(cache, 0xa5, sizeof cache);
    agent_open();
    assert_int_equal(agent_statistics().offered, 0);
    assert_int_equal(agent_statistics().recoveries, 0);
}

static void a_warm_reset_loses_nothing(void **state) {
    (void)state;
    open_after_power_on();
    for (uint32_t restart = 1; restart <= 5; restart++) {
        for (size_t i = 0; i < KINDS; i++) {
            agent_talk(kinds[i], restart);
        }
        reset();
        agent_open();
        agent_talk(kinds[0], restart);
        assert_int_equal(agent_statistics().recoveries, restart);
        agent_collect(KINDS);
        agent_check(kinds[0], restart, 2 * 21, 2 * 22);
        agent_check_talk(kinds[1], restart);
    }
    agent_close();
}

static void the_rest_of_a_window_outlives_it_too(void **state) {
    (void)state;
    uint32_t seen = 0;
    open_after_power_on();
    for (uint32_t n = 0; n < EVAGG_MICRO_AGENT_CONNECTIONS; n++) {
        agent_talk(kinds[KINDS - 1], n);
    }
    assert_int_equal(fake_agent_collect(), ASC_RESULT_OK);
    seen += fake_serializer.count;
    reset();
    agent_open();
    agent_talk(kinds[0], 1);
    while (fake_agent_collect() == ASC_RESULT_OK) {
        seen += fake_serializer.count;
    }
    assert_int_equal(seen, EVAGG_MICRO_AGENT_CONNECTIONS + 1);
    agent_close();
}

static void a_cache_that_does_not_check_out_is_made_anew(void **state) {
    (void)state;
    for (size_t at = 0; at < sizeof cache; at += 97) {
        open_after_power_on();
        agent_talk(kinds[0], 1);
        reset();
        memset(&cache[at], 0xff, at + 400 < sizeof cache ? 400 : sizeof cache - at);
        agent_open();
        agent_talk(kinds[1], 2);
        assert_int_equal(fake_agent_collect(), ASC_RESULT_OK);
        agent_check_talk(kinds[1], 2);
        agent_close();
    }
}

/* The clock of ThreadX starts again. */
static void the_clock_starts_again(void **state) {
    (void)state;
    open_after_power_on();
    fake_time = 500000;
    agent_talk(kinds[0], 1);
    reset();
    agent_open();
    agent_talk(kinds[0], 1);
    agent_collect(1);
    agent_check(kinds[0], 1, 2 * 21, 2 * 22);
    agent_close();
}

static void every_bit_of_the_seed_is_random(void **state) {
    (void)state;
    uint64_t ones = 0, zeros = 0;
    uint64_t random = 12345;
    for (uint32_t i = 0; i < 64; i++) {
        fake_agent.random = (uint32_t)next_random(&random);
        const uint64_t seed = random_seed();
        ones |= seed;
        zeros |= ~seed;
    }
    assert_int_equal(ones, UINT64_MAX);
    assert_int_equal(zeros, UINT64_MAX);
}

/* Same seed, same storage; another seed, another. */
static void the_seed_reaches_the_cache(void **state) {
    (void)state;
    static uint8_t first[sizeof cache];
    for (uint32_t random = 0; random < 3; random++) {
        reset();
        memset(cache, 0, sizeof cache);
        fake_agent.random = random == 2 ? 99 : 7;
        assert_int_equal(open_cache(), EVAGG_OK);
        if (random == 0) {
            memcpy(first, cache, sizeof cache);
        } else {
            assert_int_equal(memcmp(first, cache, sizeof cache) == 0, random == 1);
        }
    }
    reset();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_warm_reset_loses_nothing),
        cmocka_unit_test(the_rest_of_a_window_outlives_it_too),
        cmocka_unit_test(a_cache_that_does_not_check_out_is_made_anew),
        cmocka_unit_test(the_clock_starts_again),
        cmocka_unit_test(every_bit_of_the_seed_is_random),
        cmocka_unit_test(the_seed_reaches_the_cache),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
