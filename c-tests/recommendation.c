/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The recommended capacity against the number of distinct events, over random windows. */
#include "support.h"

#include <stdlib.h>

/* Trials for each number of distinct events; each has its own seed and its own events. */
#ifndef TRIALS
#define TRIALS 250u
#endif

static evagg_warning_t heard;
static uint32_t heard_count;

static void listen(void *context, const evagg_warning_t *warning) {
    (void)context;
    heard = *warning;
    heard_count++;
}

static void *allocate(size_t size) {
    void *const memory = malloc(size);
    assert_non_null(memory);
    return memory;
}

/* One service of many hosts behind this one: only the local address differs. */
static evagg_status_t see_host(evagg_connections_t *handle, uint32_t n, evagg_time_t now) {
    const evagg_connection_t connection = {
        {10, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n}, {192, 0, 2, 1}, 123, 123, 17, 4};
    return evagg_connections_record(handle, &connection, EVAGG_OUT, 76, now);
}

/* One command line of many users. */
static evagg_status_t see_user(evagg_processes_t *handle, uint32_t n, evagg_time_t now) {
    return see_text(handle, "/bin/sh", 7, n, 42, now);
}

/* Records the events of one window in an order with repetitions; each at least once. */
static evagg_warning_t window_of_connections(evagg_status_t (*see)(evagg_connections_t *, uint32_t,
                                                                   evagg_time_t),
                                             void *memory, uint32_t capacity, uint8_t policy,
                                             uint32_t distinct, uint64_t seed) {
    evagg_connections_t *handle = NULL;
    evagg_connection_record_t page[16];
    evagg_window_t window;
    evagg_config_t config = config_of(capacity, policy);
    config.hash_seed = next_random(&seed);
    assert_int_equal(
        evagg_connections_init(memory, evagg_connections_storage_size(capacity), &config, &handle),
        EVAGG_OK);
    assert_int_equal(evagg_connections_set_warning_callback(handle, listen, NULL), EVAGG_OK);
    const uint32_t first = (uint32_t)(next_random(&seed) & 0x7fffffu);
    for (uint32_t n = 0; n < distinct; n++) {
        assert_true(see(handle, first + n, 1001) > 0);
        if (n % 4 == 3) {
            /* Events seen before, kept or not, are no new ones. */
            assert_true(see(handle, first + (uint32_t)(next_random(&seed) % n), 1001) > 0);
        }
    }
    heard_count = 0;
    while (evagg_connections_flush(handle, 1002, page, COUNT_OF(page), &window) == EVAGG_MORE) {
    }
    assert_int_equal(heard_count, 1);
    assert_int_equal(heard.code, EVAGG_WARNING_LOSSES);
    assert_int_equal(evagg_connections_deinit(handle), EVAGG_OK);
    return heard;
}

static evagg_warning_t window_of_flows(void *memory, uint32_t capacity, uint8_t policy,
                                       uint32_t distinct, uint64_t seed) {
    return window_of_connections(see_flow, memory, capacity, policy, distinct, seed);
}

static evagg_warning_t window_of_hosts(void *memory, uint32_t capacity, uint8_t policy,
                                       uint32_t distinct, uint64_t seed) {
    return window_of_connections(see_host, memory, capacity, policy, distinct, seed);
}

static evagg_warning_t window_of_processes(evagg_status_t (*see)(evagg_processes_t *, uint32_t,
                                                                 evagg_time_t),
                                           void *memory, uint32_t capacity, uint8_t policy,
                                           uint32_t distinct, uint64_t seed) {
    evagg_processes_t *handle = NULL;
    evagg_process_record_t page[16];
    char text[16 * (JOB_TEXT + 1)];
    evagg_window_t window;
    evagg_config_t config = process_config_of(capacity, capacity * JOB_TEXT, JOB_TEXT, policy);
    config.hash_seed = next_random(&seed);
    assert_int_equal(evagg_processes_init(memory,
                                          evagg_processes_storage_size(capacity, config.text_bytes),
                                          &config, &handle),
                     EVAGG_OK);
    assert_int_equal(evagg_processes_set_warning_callback(handle, listen, NULL), EVAGG_OK);
    const uint32_t first = (uint32_t)(next_random(&seed) & 0x7fffffu);
    for (uint32_t n = 0; n < distinct; n++) {
        assert_true(see(handle, first + n, 1001) > 0);
    }
    heard_count = 0;
    while (evagg_processes_flush(handle, 1002, page, COUNT_OF(page), text, sizeof text, &window) ==
           EVAGG_MORE) {
    }
    assert_int_equal(heard_count, 1);
    assert_int_equal(heard.code, EVAGG_WARNING_LOSSES);
    assert_int_equal(evagg_processes_deinit(handle), EVAGG_OK);
    return heard;
}

static evagg_warning_t window_of_jobs(void *memory, uint32_t capacity, uint8_t policy,
                                      uint32_t distinct, uint64_t seed) {
    return window_of_processes(see_job, memory, capacity, policy, distinct, seed);
}

static evagg_warning_t window_of_users(void *memory, uint32_t capacity, uint8_t policy,
                                       uint32_t distinct, uint64_t seed) {
    return window_of_processes(see_user, memory, capacity, policy, distinct, seed);
}

typedef evagg_warning_t (*window_of_t)(void *memory, uint32_t capacity, uint8_t policy,
                                       uint32_t distinct, uint64_t seed);

/* 99 % of all trials at a capacity hold; at a single number of distinct events the few trials may
   stray, but not far. */
static void check_capacity(window_of_t window_of, void *memory, uint32_t capacity, uint8_t policy,
                           uint32_t trials) {
    static const uint32_t sixteenths[] = {16, 17, 20, 24, 32, 48, 64, 96, 112, 128};
    uint64_t seed = capacity * 4u + policy;
    uint32_t all_too_low = 0;
    uint32_t all_too_high = 0;
    for (size_t i = 0; i < COUNT_OF(sixteenths); i++) {
        uint32_t distinct = capacity * sixteenths[i] / 16;
        distinct = distinct > capacity ? distinct : capacity + 1;
        uint32_t too_low = 0;
        uint32_t too_high = 0;
        for (uint32_t trial = 0; trial < trials; trial++) {
            const evagg_warning_t warning =
                window_of(memory, capacity, policy, distinct, next_random(&seed));
            too_low += warning.recommended_capacity < distinct;
            too_high += (uint64_t)warning.recommended_capacity * 10 > (uint64_t)distinct * 13;
        }
        assert_true(too_low * 100 <= 3 * trials);
        assert_true(too_high * 100 <= 3 * trials);
        all_too_low += too_low;
        all_too_high += too_high;
    }
    const uint32_t all = trials * (uint32_t)COUNT_OF(sixteenths);
    assert_true(all_too_low * 100 <= all);
    assert_true(all_too_high * 100 <= all);
}

static const uint32_t capacities[] = {4, 8, 32, 64, 256, 1024};

/* As many events in all for every capacity, within bounds. */
static uint32_t trials_for(uint32_t capacity) {
    const uint32_t trials = TRIALS * 256u / capacity;
    return trials > 2 * TRIALS ? 2 * TRIALS : trials;
}

static void connections_rejecting(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(capacities); i++) {
        void *const memory = allocate(evagg_connections_storage_size(capacities[i]));
        check_capacity(window_of_flows, memory, capacities[i], EVAGG_REJECT_NEW,
                       trials_for(capacities[i]));
        free(memory);
    }
}

static void connections_discarding(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(capacities); i++) {
        void *const memory = allocate(evagg_connections_storage_size(capacities[i]));
        check_capacity(window_of_flows, memory, capacities[i], EVAGG_DISCARD_OLDEST,
                       trials_for(capacities[i]));
        free(memory);
    }
}

static void processes_of_both_policies(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(capacities); i++) {
        const uint32_t capacity = capacities[i];
        void *const memory = allocate(evagg_processes_storage_size(capacity, capacity * JOB_TEXT));
        const uint32_t trials = trials_for(capacity) / 2;
        check_capacity(window_of_jobs, memory, capacity, EVAGG_REJECT_NEW, trials);
        check_capacity(window_of_jobs, memory, capacity, EVAGG_DISCARD_OLDEST, trials);
        free(memory);
    }
}

/* Neighbouring values of one word of the key, whichever it is, are as good as any other events. */
static void events_that_differ_in_little(void **state) {
    (void)state;
    const uint32_t capacity = 64;
    void *memory = allocate(evagg_connections_storage_size(capacity));
    check_capacity(window_of_hosts, memory, capacity, EVAGG_REJECT_NEW, TRIALS);
    free(memory);
    memory = allocate(evagg_processes_storage_size(capacity, capacity * JOB_TEXT));
    check_capacity(window_of_users, memory, capacity, EVAGG_DISCARD_OLDEST, TRIALS);
    free(memory);
}

static void at_least_is_said_far_beyond_and_not_within(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(capacities); i++) {
        const uint32_t capacity = capacities[i];
        void *const memory = allocate(evagg_connections_storage_size(capacity));
        uint64_t seed = 5;
        for (uint32_t trial = 0; trial < 20; trial++) {
            evagg_warning_t warning = window_of_flows(memory, capacity, EVAGG_REJECT_NEW,
                                                      16 * capacity, next_random(&seed));
            assert_int_equal(warning.at_least, 1);
            assert_true(warning.recommended_capacity >= 8 * capacity);
            warning = window_of_flows(memory, capacity, EVAGG_REJECT_NEW, 4 * capacity,
                                      next_random(&seed));
            assert_int_equal(warning.at_least, 0);
        }
        free(memory);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connections_rejecting),
        cmocka_unit_test(connections_discarding),
        cmocka_unit_test(processes_of_both_policies),
        cmocka_unit_test(events_that_differ_in_little),
        cmocka_unit_test(at_least_is_said_far_beyond_and_not_within),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
