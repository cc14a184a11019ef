/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The faults of the collector that the micro agent is shipped with, each in a test that it would fail.
   It is configured as that one, but that warnings are logged. */
#include "agent.h"

#define CACHE 64u

static const kind_t ipv4 = {4, UDP};
static const kind_t ipv6 = {6, UDP};

/* 1. It takes room for a packet before it looks whether the connection is known. */
static void packets_of_known_connections_are_lost_once_the_cache_is_full(void **state) {
    (void)state;
    agent_open();
    for (uint32_t n = 0; n < CACHE; n++) {
        agent_see(ipv4, EVAGG_OUT, n, 12);
    }
    for (uint32_t i = 0; i < 1000; i++) {
        agent_see(ipv4, EVAGG_OUT, 5, 12);
    }
    agent_collect(CACHE);
    agent_check(ipv4, 5, 0, 1001 * 20);
    agent_close();
}

/* 2. Its warning is given for every packet. */
static void a_warning_for_each_packet(void **state) {
    (void)state;
    agent_open();
    for (uint32_t n = 0; n < 1000; n++) {
        agent_see(ipv4, EVAGG_OUT, n, 0);
    }
    agent_collect(CACHE);
    assert_int_equal(fake_agent.logs[LOG_LEVEL_WARN], 1);
    agent_close();
}

/* 3. Nothing says how much was lost. */
static void losses_that_nobody_can_see(void **state) {
    (void)state;
    agent_open();
    const evagg_statistics_t before = agent_statistics();
    for (uint32_t n = 0; n < 100; n++) {
        agent_see(ipv4, EVAGG_OUT, n, 0);
    }
    assert_int_equal(agent_statistics().rejected, before.rejected + 100 - CACHE);
    agent_close();
}

/* 4. What could not be sent is thrown away at the next collection. */
static void an_unsent_message_is_thrown_away(void **state) {
    (void)state;
    agent_open();
    agent_talk(ipv4, 1);
    agent_collect(1);
    fake_security_module.h_state_machine = 1;
    agent_collect(1);
    agent_check_talk(ipv4, 1);
    agent_close();
}

/* 5. It does not check lengths. See netxduo_truncation.c for every length. */
static void headers_that_are_cut_off_are_read(void **state) {
    (void)state;
    agent_open();
    const evagg_statistics_t before = agent_statistics();
    packet_t packet = packet_of(ipv4, EVAGG_OUT, 1, 0);
    packet.length = 24;
    (void)see_out(&ip, &packet);
    packet = packet_of(ipv4, EVAGG_OUT, 1, 0);
    packet.bytes[0] = 0x4f;
    (void)see_out(&ip, &packet);
    packet = packet_of(ipv6, EVAGG_OUT, 1, 0);
    packet.length = 41;
    (void)see_out(&ip, &packet);
    packet = packet_of(ipv4, EVAGG_IN, 1, 0);
    cut_to(&packet, 23);
    (void)see_in(&ip, &packet);
    agent_collect(0);
    assert_int_equal(agent_statistics().malformed, before.malformed + 4);
    agent_close();
}

/* And takes the payload of a fragment for ports. */
static void a_fragment_s_payload_is_taken_for_ports(void **state) {
    (void)state;
    agent_open();
    for (uint32_t n = 1; n <= 20; n++) {
        packet_t packet = packet_of(ipv4, EVAGG_OUT, 0, 0);
        set_fragment(&packet, n, 1);
        packet.bytes[20] = packet.bytes[22] = (uint8_t)n;
        (void)see_out(&ip, &packet);
    }
    agent_collect(1);
    assert_int_equal(fake_serializer.entries[0].common.local_port, 0);
    assert_int_equal(fake_serializer.entries[0].common.remote_port, 0);
    assert_int_equal(fake_serializer.entries[0].common.bytes_out, 160);
    agent_close();
}

/* 6. A peer can choose connections that collide: no secret goes into its hash. That this one's reaches
   the cache, micro_agent_retained.c tests. */
static void the_hash_has_no_secret(void **state) {
    (void)state;
    agent_open();
    assert_true(fake_agent.random_calls >= 5);
    for (uint32_t n = 0; n < CACHE; n++) {
        agent_talk(ipv4, 91 * n);
    }
    agent_collect(CACHE);
    for (uint32_t n = 0; n < CACHE; n++) {
        agent_check_talk(ipv4, 91 * n);
    }
    agent_close();
}

/* 7. Stopping with a full cache uses it up. */
static void stop_and_start_use_the_cache_up(void **state) {
    (void)state;
    agent_open();
    for (uint32_t i = 0; i < 100; i++) {
        for (uint32_t n = 0; n < CACHE + 6; n++) {
            agent_see(ipv4, EVAGG_OUT, n, 0);
        }
        assert_int_equal(fake_agent_ops()->stop(FAKE_COLLECTOR_ID), ASC_RESULT_OK);
        for (uint32_t n = 0; n < CACHE + 6; n++) {
            agent_see(ipv4, EVAGG_OUT, 100 + n, 0);
        }
        assert_int_equal(fake_agent_ops()->start(FAKE_COLLECTOR_ID), ASC_RESULT_OK);
    }
    agent_collect(CACHE);
    agent_check(ipv4, 0, 0, 100 * 8);
    for (uint32_t n = 0; n < CACHE; n++) {
        agent_see(ipv4, EVAGG_OUT, 200 + n, 0);
    }
    agent_collect(CACHE);
    agent_close();
}

/* And a full one makes a message that stops the agent for good: see the fake serializer. */
static void a_full_cache_stops_the_agent(void **state) {
    (void)state;
    uint32_t seen = 0;
    agent_open();
    for (uint32_t n = 0; n < CACHE; n++) {
        agent_talk(ipv4, n);
        agent_talk(ipv6, n);
    }
    while (fake_agent_collect() == ASC_RESULT_OK) {
        assert_true(fake_serializer.bytes <= FAKE_MESSAGE_MAXIMUM);
        seen += fake_serializer.count;
    }
    assert_int_equal(seen, CACHE);
    agent_close();
}

/* 8. The place of a packet in memory was part of the key. */
static void identical_packets_are_told_apart(void **state) {
    (void)state;
    static const uint8_t others[60];
    agent_open();
    for (uint32_t i = 0; i < sizeof others; i++) {
        fake_misalignment = i % 4;
        NX_PACKET *const elsewhere = fake_packet(others, i, 0);
        agent_see(ipv4, i % 2 == 0 ? EVAGG_IN : EVAGG_OUT, 1, 0);
        (void)nx_packet_release(elsewhere);
    }
    agent_collect(1);
    agent_check(ipv4, 1, 30 * 8, 30 * 8);
    agent_close();
}

/* Stop clears another filter than the one that start has set, whose hook lives on. */
static UINT old_filter(VOID *header, UINT direction) {
    (void)header;
    (void)direction;
    return NX_SUCCESS;
}

static void stop_clears_the_wrong_filter(void **state) {
    (void)state;
    agent_open();
    ip.nx_ip_packet_filter = old_filter;
    assert_int_equal(fake_agent_ops()->stop(FAKE_COLLECTOR_ID), ASC_RESULT_OK);
    assert_true(ip.nx_ip_packet_filter == old_filter);
    assert_true(ip.nx_ip_packet_filter_extended == NULL);
    assert_true(ip.nx_ip_udp_packet_receive == fake_udp_receive);
    const evagg_statistics_t before = agent_statistics();
    agent_talk(ipv4, 1);
    assert_int_equal(agent_statistics().offered, before.offered);
    agent_close();
}

/* The hooks of the last IP instance are called for all of them. */
static NX_IP other;
static uint32_t other_calls;
static VOID other_receive(NX_IP *instance, NX_PACKET *packet) {
    other_calls++;
    fake_check(instance == &other, "another IP instance's hook was called");
    fake_udp_receive(instance, packet);
}

static void one_original_for_all_ip_instances(void **state) {
    (void)state;
    const packet_t packet = packet_of(ipv4, EVAGG_IN, 1, 0);
    agent_open();
    ip_open(&other);
    other.nx_ip_udp_packet_receive = other_receive;
    assert_int_equal(fake_agent_ops()->start(FAKE_COLLECTOR_ID), ASC_RESULT_OK);
    (void)see_in(&ip, &packet);
    (void)see_in(&other, &packet);
    assert_int_equal(other_calls, 1);
    agent_collect(1);
    agent_close();
    assert_true(ip.nx_ip_udp_packet_receive == fake_udp_receive);
    assert_true(other.nx_ip_udp_packet_receive == other_receive);
}

static void an_ip_instance_created_later_is_not_seen(void **state) {
    (void)state;
    static NX_IP late;
    const packet_t packet = packet_of(ipv4, EVAGG_IN, 1, 0);
    agent_open();
    ip_open(&late);
    agent_collect(0);
    (void)see_in(&late, &packet);
    agent_collect(1);
    agent_close();
}

static void incoming_icmpv6_is_not_seen(void **state) {
    (void)state;
    const kind_t icmpv6 = {6, ICMPV6};
    agent_open();
    agent_see(icmpv6, EVAGG_IN, 1, 8);
    agent_collect(1);
    agent_check(icmpv6, 1, 12, 0);
    agent_close();
}

/* Which makes the agent log two errors each time. */
static void idle_is_called_a_success(void **state) {
    (void)state;
    agent_open();
    assert_int_equal(fake_agent_collect(), ASC_RESULT_EMPTY);
    assert_int_equal(fake_serializer.calls, 0);
    agent_close();
}

/* threads_azure_rtos.c and interrupted.c have what comes of it. */
static void there_is_no_lock(void **state) {
    (void)state;
    agent_open();
    ULONG masks = fake_masks;
    agent_see(ipv4, EVAGG_OUT, 1, 0);
    assert_int_equal(fake_masks, masks + 1);
    agent_see(ipv4, EVAGG_IN, 1, 0);
    assert_int_equal(fake_masks, masks + 2);
    masks = fake_masks;
    agent_collect(1);
    assert_true(fake_masks > masks + 1);
    agent_close();
}

/* A result of the filter other than success drops the packet. */
static void packets_are_dropped_when_they_cannot_be_recorded(void **state) {
    (void)state;
    agent_open();
    for (uint32_t n = 0; n < CACHE + 10; n++) {
        agent_talk(ipv4, n);
    }
    packet_t packet = packet_of(ipv4, EVAGG_OUT, 1, 0);
    packet.bytes[9] = 50;
    assert_int_equal(see_out(&ip, &packet), NX_SUCCESS);
    packet.length = 3;
    assert_int_equal(see_out(&ip, &packet), NX_SUCCESS);
    assert_int_equal(ip.fake_sent, CACHE + 12);
    assert_int_equal(ip.fake_delivered[FAKE_UDP], CACHE + 10);
    assert_int_equal(ip.fake_dropped, 0);
    agent_close();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_of_known_connections_are_lost_once_the_cache_is_full),
        cmocka_unit_test(a_warning_for_each_packet),
        cmocka_unit_test(losses_that_nobody_can_see),
        cmocka_unit_test(an_unsent_message_is_thrown_away),
        cmocka_unit_test(headers_that_are_cut_off_are_read),
        cmocka_unit_test(a_fragment_s_payload_is_taken_for_ports),
        cmocka_unit_test(the_hash_has_no_secret),
        cmocka_unit_test(stop_and_start_use_the_cache_up),
        cmocka_unit_test(a_full_cache_stops_the_agent),
        cmocka_unit_test(identical_packets_are_told_apart),
        cmocka_unit_test(stop_clears_the_wrong_filter),
        cmocka_unit_test(one_original_for_all_ip_instances),
        cmocka_unit_test(an_ip_instance_created_later_is_not_seen),
        cmocka_unit_test(incoming_icmpv6_is_not_seen),
        cmocka_unit_test(idle_is_called_a_success),
        cmocka_unit_test(there_is_no_lock),
        cmocka_unit_test(packets_are_dropped_when_they_cannot_be_recorded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
