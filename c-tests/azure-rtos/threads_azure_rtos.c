/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* On a host: threads send and receive while another collects. Every byte is sent once. */
#include "agent.h"

#include <pthread.h>
#include <stdatomic.h>

#define FEEDERS 2u
#define PACKETS 10000u
/* Of each kind: the cache has room for all of a window that is being collected and of the next. */
#define FLOWS 5u

static atomic_uint running;

typedef struct feeder_t {
    pthread_t thread;
    uint64_t random;
    uint64_t bytes;
} feeder_t;

/* The main thread alone asserts. */
static void *feed(void *argument) {
    feeder_t *const feeder = argument;
    for (uint32_t i = 0; i < PACKETS; i++) {
        const kind_t kind = kinds[next_random(&feeder->random) % KINDS];
        const uint8_t direction = next_random(&feeder->random) % 2 == 0 ? EVAGG_IN : EVAGG_OUT;
        const uint32_t n = (uint32_t)(next_random(&feeder->random) % FLOWS);
        const ULONG payload = (ULONG)(next_random(&feeder->random) % 30);
        const packet_t packet = packet_of(kind, direction, n, payload);
        fake_check(see(&ip, &packet, direction) == NX_SUCCESS, "a packet was dropped");
        feeder->bytes += transport_header_of(kind) + payload;
    }
    atomic_fetch_sub(&running, 1);
    return NULL;
}

static void start_feeders(feeder_t feeders[FEEDERS]) {
    memset(feeders, 0, FEEDERS * sizeof feeders[0]);
    atomic_store(&running, FEEDERS);
    for (uint32_t i = 0; i < FEEDERS; i++) {
        feeders[i].random = i + 1;
        assert_int_equal(pthread_create(&feeders[i].thread, NULL, feed, &feeders[i]), 0);
    }
}

static uint64_t join_feeders(feeder_t feeders[FEEDERS]) {
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < FEEDERS; i++) {
        assert_int_equal(pthread_join(feeders[i].thread, NULL), 0);
        bytes += feeders[i].bytes;
    }
    return bytes;
}

static void every_byte_is_sent_once(void **state) {
    (void)state;
    uint64_t fates = 2, sent = 0, waiting = 0;
    feeder_t feeders[FEEDERS];
    agent_open();
    start_feeders(feeders);
    while (atomic_load(&running) > 0) {
        sent += agent_collect_by_chance(&fates, &waiting);
    }
    const uint64_t seen = join_feeders(feeders);
    fake_security_module.h_state_machine = 0;
    fake_agent.serializer_result = ASC_RESULT_OK;
    sent += waiting;
    while (fake_agent_collect() == ASC_RESULT_OK) {
        sent += agent_message_bytes();
    }
    assert_int_equal(agent_statistics().offered, FEEDERS * PACKETS);
    assert_int_equal(agent_statistics().rejected, 0);
    assert_int_equal(sent, seen);
    agent_close();
}

/* Stopped and started in between, it records some packets, and each of them goes on. */
static void hooks_that_come_and_go(void **state) {
    (void)state;
    feeder_t feeders[FEEDERS];
    uint32_t stops = 0;
    agent_open();
    const evagg_statistics_t before = agent_statistics();
    start_feeders(feeders);
    while (atomic_load(&running) > 0) {
        assert_int_equal(fake_agent_ops()->stop(FAKE_COLLECTOR_ID), ASC_RESULT_OK);
        assert_int_equal(fake_agent_ops()->start(FAKE_COLLECTOR_ID), ASC_RESULT_OK);
        stops++;
    }
    (void)join_feeders(feeders);
    assert_true(stops > 0);
    assert_true(agent_statistics().offered - before.offered <= FEEDERS * PACKETS);
    ULONG packets = ip.fake_sent;
    for (uint32_t i = 0; i < FAKE_PROTOCOLS; i++) {
        packets += ip.fake_delivered[i];
    }
    assert_int_equal(packets, FEEDERS * PACKETS);
    agent_close();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_is_sent_once),
        cmocka_unit_test(hooks_that_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
