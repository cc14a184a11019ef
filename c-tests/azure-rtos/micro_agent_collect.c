/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What the collector gives to the micro agent, and when. */
#include "agent.h"

#define LAST (KINDS - 1)

/* First of all: nothing has been started yet. */
static void no_statistics_before_the_start(void **state) {
    (void)state;
    static const evagg_statistics_t zeros;
    evagg_statistics_t statistics;
    memset(&statistics, 0xff, sizeof statistics);
    assert_int_equal(evagg_micro_agent_statistics(NULL), EVAGG_ERROR_NULL_ARGUMENT);
    assert_int_equal(evagg_micro_agent_statistics(&statistics), EVAGG_ERROR_NULL_ARGUMENT);
    assert_memory_equal(&statistics, &zeros, sizeof zeros);
}

static void the_component_as_the_agent_finds_it(void **state) {
    (void)state;
    const unsigned creations = fake_agent.creations;
    const unsigned deinits = fake_agent.deinits;
    agent_open();
    assert_int_equal(fake_agent.creations, creations + 1);
    assert_non_null(fake_agent.collect);
    assert_int_equal(fake_agent.priority, COLLECTOR_PRIORITY_HIGH);
    assert_int_equal(fake_agent.collector.interval, ASC_HIGH_PRIORITY_INTERVAL);
    agent_close();
    assert_int_equal(fake_agent.deinits, deinits + 1);
}

/* 64 bits need five calls of the 15 that irand_int() has at least. */
static void the_seed_is_random(void **state) {
    (void)state;
    assert_true(fake_agent.random_calls >= 5);
}

static void idle_gives_nothing(void **state) {
    (void)state;
    agent_open();
    const evagg_statistics_t before = agent_statistics();
    for (uint32_t i = 0; i < 5; i++) {
        agent_collect(0);
    }
    agent_talk(kinds[0], 1);
    agent_collect(1);
    agent_collect(0);
    /* One window for each. */
    assert_int_equal(agent_statistics().windows, before.windows + 7);
    assert_int_equal(fake_agent.logs[LOG_LEVEL_ERROR], 0);
    agent_close();
}

static void without_a_serializer_nothing_is_taken(void **state) {
    (void)state;
    agent_open();
    agent_talk(kinds[0], 1);
    assert_int_equal(fake_agent.collect(&fake_agent.collector, NULL), ASC_RESULT_BAD_ARGUMENT);
    agent_collect(1);
    agent_check_talk(kinds[0], 1);
    agent_close();
}

static void every_field(void **state) {
    (void)state;
    agent_open();
    for (size_t i = 0; i < KINDS; i++) {
        const uint32_t header = transport_header_of(kinds[i]);
        agent_see(kinds[i], EVAGG_IN, 0x1234, 5);
        agent_see(kinds[i], EVAGG_OUT, 0x1234, 7);
        agent_see(kinds[i], EVAGG_OUT, 0x1234, 9);
        fake_agent.time = 1700000100 + i;
        fake_agent.collector.interval = 70 + (uint32_t)i;
        agent_collect(1);
        agent_check(kinds[i], 0x1234, header + 5, 2 * header + 16);
        assert_int_equal(fake_serializer.timestamp, 1700000100 + i);
        assert_int_equal(fake_serializer.interval, 70 + i);
    }
    agent_close();
}

static void one_message_has_both_versions(void **state) {
    (void)state;
    agent_open();
    for (size_t i = 0; i < KINDS; i++) {
        agent_talk(kinds[i], 5);
    }
    agent_collect(KINDS);
    for (size_t i = 0; i < KINDS; i++) {
        agent_check_talk(kinds[i], 5);
    }
    agent_close();
}

static void oldest_first(void **state) {
    (void)state;
    static const uint32_t order[] = {7, 3, 9, 1, 4};
    agent_open();
    for (size_t i = 0; i < 2 * COUNT_OF(order); i++) {
        agent_talk(kinds[0], order[i % COUNT_OF(order)]);
        agent_talk(kinds[LAST], order[i % COUNT_OF(order)]);
        fake_time++;
    }
    agent_collect(2 * COUNT_OF(order));
    for (size_t i = 0; i < COUNT_OF(order); i++) {
        if (kinds[LAST].version == 6) {
            assert_ptr_equal(agent_find(kinds[0], order[i]), &fake_serializer.entries[i]);
            assert_ptr_equal(agent_find(kinds[LAST], order[i]),
                             &fake_serializer.entries[COUNT_OF(order) + i]);
        } else {
            assert_ptr_equal(agent_find(kinds[0], order[i]), &fake_serializer.entries[2 * i]);
        }
    }
    agent_close();
}

static void a_full_cache_goes_on_counting_what_it_has(void **state) {
    (void)state;
    agent_open();
    const evagg_statistics_t before = agent_statistics();
    for (uint32_t n = 0; n < EVAGG_MICRO_AGENT_CONNECTIONS + 10; n++) {
        agent_see(kinds[0], EVAGG_OUT, n, 0);
    }
    for (uint32_t i = 0; i < 1000; i++) {
        agent_see(kinds[0], EVAGG_IN, EVAGG_MICRO_AGENT_CONNECTIONS - 1, 3);
    }
    const evagg_statistics_t after = agent_statistics();
    assert_int_equal(after.rejected, before.rejected + 10);
    assert_int_equal(after.high_water_mark, EVAGG_MICRO_AGENT_CONNECTIONS);
    agent_collect(EVAGG_MICRO_AGENT_CONNECTIONS);
    agent_check(kinds[0], EVAGG_MICRO_AGENT_CONNECTIONS - 1, 1000 * 23, 20);
    agent_check(kinds[0], 0, 0, 20);
    agent_close();
}

static void the_losses_by_reason(void **state) {
    (void)state;
    agent_open();
    const evagg_statistics_t before = agent_statistics();
    packet_t packet = packet_of(kinds[1], EVAGG_OUT, 1, 0);
    packet.bytes[9] = 50;
    (void)see_out(&ip, &packet);
    packet.length = 19;
    (void)see_out(&ip, &packet);
    (void)see_out(&ip, &packet);
    const evagg_statistics_t after = agent_statistics();
    assert_int_equal(after.ignored, before.ignored + 1);
    assert_int_equal(after.malformed, before.malformed + 2);
    agent_close();
}

static void a_clock_that_fails(void **state) {
    (void)state;
    agent_open();
    agent_talk(kinds[1], 1);
    fake_agent.time = ITIME_FAILED;
    agent_collect(0);
    agent_collect(0);
    agent_talk(kinds[0], 2);
    fake_agent.time = 1700000000;
    agent_collect(2);
    agent_check_talk(kinds[1], 1);
    agent_check_talk(kinds[0], 2);
    agent_close();
}

static void without_a_hub_everything_stays(void **state) {
    (void)state;
#ifdef ASC_COMPONENT_SECURITY_MODULE
    static const security_module_state_t states[] = {SECURITY_MODULE_STATE_NOT_INITIALIZED,
                                                     SECURITY_MODULE_STATE_PENDING,
                                                     SECURITY_MODULE_STATE_SUSPENDED};
    agent_open();
    for (size_t i = 0; i < COUNT_OF(states); i++) {
        agent_talk(kinds[1], 1);
        fake_security_module.state = states[i];
        agent_collect(0);
        agent_talk(kinds[LAST], 1);
        agent_collect(0);
        fake_security_module.state = SECURITY_MODULE_STATE_ACTIVE;
        agent_collect(2);
        agent_check_talk(kinds[1], 1);
        agent_check_talk(kinds[LAST], 1);
    }
    /* An agent whose module is not there sends in another way. */
    g_component_factory[SecurityModule].component.info.ctx = NULL;
    fake_security_module.state = SECURITY_MODULE_STATE_SUSPENDED;
    agent_talk(kinds[1], 1);
    agent_collect(1);
    agent_close();
#endif
}

static void ip_instances_and_protocols_that_come_later(void **state) {
    (void)state;
    static NX_IP late;
    agent_open();
    fake_ip_create(&late);
    const packet_t in = packet_of(kinds[1], EVAGG_IN, 1, 0);
    const packet_t out = packet_of(kinds[1], EVAGG_OUT, 2, 0);
    (void)see_out(&late, &out);
    agent_collect(0);
    (void)see_out(&late, &out);
    agent_collect(1);
    late.nx_ip_udp_packet_receive = fake_udp_receive;
    (void)see_in(&late, &in);
    agent_collect(0);
    (void)see_in(&late, &in);
    agent_collect(1);
    agent_check(kinds[1], 1, 8, 0);
    agent_close();
    assert_true(late.nx_ip_udp_packet_receive == fake_udp_receive);
}

/* They are picked up without a hub too, and while the clock fails. */
static void ip_instances_that_come_while_nothing_can_be_sent(void **state) {
    (void)state;
    static NX_IP late;
    const packet_t out = packet_of(kinds[1], EVAGG_OUT, 2, 0);
    agent_open();
    fake_agent.time = ITIME_FAILED;
    ip_open(&late);
    agent_collect(0);
    (void)see_out(&late, &out);
    fake_agent.time = 1700000000;
    agent_collect(1);
    agent_close();
}

static void more_ip_instances_than_can_be_watched(void **state) {
    (void)state;
    static NX_IP more[EVAGG_NETXDUO_IP_MAXIMUM];
    agent_open();
    for (size_t i = 0; i < EVAGG_NETXDUO_IP_MAXIMUM; i++) {
        ip_open(&more[i]);
    }
    for (uint32_t i = 0; i < 5; i++) {
        agent_collect(0);
    }
    assert_int_equal(fake_agent.logs[LOG_LEVEL_ERROR], 1);
    /* Said again when it happens again. */
    for (size_t i = 0; i < EVAGG_NETXDUO_IP_MAXIMUM; i++) {
        fake_ip_delete(&more[i]);
    }
    agent_collect(0);
    for (size_t i = 0; i < EVAGG_NETXDUO_IP_MAXIMUM; i++) {
        ip_open(&more[i]);
    }
    agent_collect(0);
    agent_collect(0);
    assert_int_equal(fake_agent.logs[LOG_LEVEL_ERROR], 2);
    agent_close();
}

static void stopped_and_started_a_thousand_times(void **state) {
    (void)state;
    agent_open();
    for (uint32_t i = 0; i < 1000; i++) {
        agent_talk(kinds[1], i % 3);
        assert_int_equal(fake_agent_ops()->stop(FAKE_COLLECTOR_ID), ASC_RESULT_OK);
        assert_true(ip.nx_ip_udp_packet_receive == fake_udp_receive);
        assert_true(ip.nx_ip_packet_filter_extended == NULL);
        agent_talk(kinds[1], 50 + i);
        assert_int_equal(fake_agent_ops()->start(FAKE_COLLECTOR_ID), ASC_RESULT_OK);
    }
    agent_collect(3);
    agent_check(kinds[1], 0, 334 * 9, 334 * 10);
    agent_check(kinds[1], 1, 333 * 9, 333 * 10);
    for (uint32_t n = 0; n < EVAGG_MICRO_AGENT_CONNECTIONS; n++) {
        agent_see(kinds[1], EVAGG_OUT, n, 0);
    }
    agent_collect(EVAGG_MICRO_AGENT_CONNECTIONS);
    agent_close();
}

/* The agent's own way, which takes the component down as well. */
static void taken_down_and_up_a_thousand_times(void **state) {
    (void)state;
    for (uint32_t i = 0; i < 1000; i++) {
        agent_open();
        agent_talk(kinds[i % KINDS], i);
        agent_collect(1);
        agent_close();
        (void)fake_send(&ip, "x", 1, 0);
    }
    agent_open();
    agent_collect(0);
    agent_close();
}

/* What was cached when it stopped goes with the first message after. */
static void what_is_cached_outlives_a_stop(void **state) {
    (void)state;
    agent_open();
    agent_talk(kinds[0], 1);
    assert_int_equal(fake_agent_ops()->stop(FAKE_COLLECTOR_ID), ASC_RESULT_OK);
    assert_int_equal(fake_agent_ops()->deinit(FAKE_COLLECTOR_ID), ASC_RESULT_OK);
    assert_int_equal(fake_agent_ops()->init(FAKE_COLLECTOR_ID), ASC_RESULT_OK);
    assert_int_equal(fake_agent_ops()->start(FAKE_COLLECTOR_ID), ASC_RESULT_OK);
    agent_collect(1);
    agent_check_talk(kinds[0], 1);
    agent_close();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_statistics_before_the_start),
        cmocka_unit_test(the_component_as_the_agent_finds_it),
        cmocka_unit_test(the_seed_is_random),
        cmocka_unit_test(idle_gives_nothing),
        cmocka_unit_test(without_a_serializer_nothing_is_taken),
        cmocka_unit_test(every_field),
        cmocka_unit_test(one_message_has_both_versions),
        cmocka_unit_test(oldest_first),
        cmocka_unit_test(a_full_cache_goes_on_counting_what_it_has),
        cmocka_unit_test(the_losses_by_reason),
        cmocka_unit_test(a_clock_that_fails),
        cmocka_unit_test(without_a_hub_everything_stays),
        cmocka_unit_test(ip_instances_and_protocols_that_come_later),
        cmocka_unit_test(ip_instances_that_come_while_nothing_can_be_sent),
        cmocka_unit_test(more_ip_instances_than_can_be_watched),
        cmocka_unit_test(stopped_and_started_a_thousand_times),
        cmocka_unit_test(taken_down_and_up_a_thousand_times),
        cmocka_unit_test(what_is_cached_outlives_a_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
