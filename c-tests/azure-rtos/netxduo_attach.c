/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Attaching to and detaching from IP instances: their hooks, several of them, and their end. */
#include "packets.h"

static NX_IP others[EVAGG_NETXDUO_IP_MAXIMUM + 1];
static connections_case_t second;
CONNECTIONS_MEMORY(second_memory, 4);

static void check_hooks_are_original(const NX_IP *instance) {
    assert_true(instance->nx_ip_tcp_packet_receive == fake_tcp_receive);
    assert_true(instance->nx_ip_udp_packet_receive == fake_udp_receive);
    assert_true(instance->nx_ip_icmp_packet_receive == fake_icmp_receive);
#ifndef NX_DISABLE_IPV6
    assert_true(instance->nx_ip_icmpv6_packet_process == fake_icmpv6_receive);
#endif
    assert_true(instance->nx_ip_packet_filter_extended == NULL);
    assert_true(instance->nx_ip_packet_filter == NULL);
}

/* One packet of each kind in each direction. */
static void see_all(NX_IP *instance) {
    for (size_t i = 0; i < KINDS; i++) {
        const packet_t in = packet_of(kinds[i], EVAGG_IN, 1, 0);
        const packet_t out = packet_of(kinds[i], EVAGG_OUT, 1, 0);
        (void)see_in(instance, &in);
        (void)see_out(instance, &out);
    }
}

static uint32_t hits(connections_case_t *instance) {
    uint32_t sum = 0;
    connections_drain(instance, 1002, 8);
    for (uint32_t i = 0; i < instance->count; i++) {
        sum += instance->records[i].hit_count;
    }
    return sum;
}

static void attach_ip(void) {
    assert_int_equal(evagg_netxduo_attach(&ip, subject.handle, EVAGG_NETXDUO_RECEIVED), NX_SUCCESS);
}

static void detach_and_close(void) {
    evagg_netxduo_detach(&ip);
    check_hooks_are_original(&ip);
    close_all();
}

static void detach_restores_every_hook(void **state) {
    (void)state;
    attached_open(EVAGG_NETXDUO_RECEIVED);
    assert_true(ip.nx_ip_tcp_packet_receive != fake_tcp_receive);
    evagg_netxduo_detach(&ip);
    check_hooks_are_original(&ip);
    see_all(&ip);
    check_nothing();
    detach_and_close();
}

static void attached_twice_records_once(void **state) {
    (void)state;
    attached_open(EVAGG_NETXDUO_RECEIVED);
    for (uint32_t i = 0; i < 10; i++) {
        assert_int_equal(evagg_netxduo_attach(&ip, subject.handle, EVAGG_NETXDUO_RECEIVED),
                         NX_SUCCESS);
    }
    see_all(&ip);
    assert_int_equal(hits(&subject), 2 * KINDS);
    detach_and_close();
}

static void a_thousand_times(void **state) {
    (void)state;
    attached_open(EVAGG_NETXDUO_RECEIVED);
    for (uint32_t i = 0; i < 1000; i++) {
        evagg_netxduo_detach(&ip);
        check_hooks_are_original(&ip);
        assert_int_equal(evagg_netxduo_attach(&ip, subject.handle, i % 2), NX_SUCCESS);
        if (i % 100 == 0) {
            see_all(&ip);
            assert_int_equal(hits(&subject), 2 * KINDS);
        }
    }
    close_all();
    check_hooks_are_original(&ip);
}

static void another_capture_holds_from_the_next_packet_on(void **state) {
    (void)state;
    attached_open(EVAGG_NETXDUO_RECEIVED);
    ip.nx_ip_udp_packet_receive = NULL;
    const packet_t packet = packet_of(kinds[1], EVAGG_IN, 1, 0);
    (void)see_in(&ip, &packet);
    assert_int_equal(hits(&subject), 0);
    assert_int_equal(evagg_netxduo_attach(&ip, subject.handle, EVAGG_NETXDUO_ALL), NX_SUCCESS);
    (void)see_in(&ip, &packet);
    assert_int_equal(hits(&subject), 1);
    attach_ip();
    (void)see_in(&ip, &packet);
    assert_int_equal(hits(&subject), 0);
    close_all();
}

static void open_second(void) {
    evagg_config_t config = cache_config();
    config.capacity = 4;
    connections_open(&second, second_memory, sizeof second_memory, &config);
}

static void ip_instances_with_a_cache_each(void **state) {
    (void)state;
    const packet_t first = packet_of(kinds[1], EVAGG_IN, 1, 1);
    const packet_t other = packet_of(kinds[1], EVAGG_IN, 2, 2);
    attached_open(EVAGG_NETXDUO_RECEIVED);
    open_second();
    ip_open(&others[0]);
    assert_int_equal(evagg_netxduo_attach(&others[0], second.handle, EVAGG_NETXDUO_ALL),
                     NX_SUCCESS);
    (void)see_in(&ip, &first);
    (void)see_in(&others[0], &other);
    (void)see_in(&others[0], &other);
    assert_int_equal(ip.fake_delivered[FAKE_UDP], 1);
    assert_int_equal(others[0].fake_delivered[FAKE_UDP], 2);
    check_one(kinds[1], 1, EVAGG_IN, 9);
    assert_int_equal(hits(&second), 2);
    evagg_netxduo_detach(&others[0]);
    check_hooks_are_original(&others[0]);
    (void)see_in(&ip, &first);
    (void)see_in(&others[0], &other);
    assert_int_equal(hits(&subject), 1);
    assert_int_equal(hits(&second), 0);
    close_all();
    connections_close(&second, 1003);
}

/* From one cache to another. */
static void attached_again_with_another_cache(void **state) {
    (void)state;
    attached_open(EVAGG_NETXDUO_RECEIVED);
    open_second();
    const packet_t packet = packet_of(kinds[0], EVAGG_IN, 1, 0);
    assert_int_equal(evagg_netxduo_attach(&ip, second.handle, EVAGG_NETXDUO_RECEIVED), NX_SUCCESS);
    (void)see_in(&ip, &packet);
    assert_int_equal(hits(&subject), 0);
    assert_int_equal(hits(&second), 1);
    close_all();
    connections_close(&second, 1003);
}

static void ip_instances_created_later_are_attached_then(void **state) {
    (void)state;
    cache_open();
    assert_int_equal(evagg_netxduo_attach_all(subject.handle, EVAGG_NETXDUO_RECEIVED), NX_SUCCESS);
    ip_open(&ip);
    see_all(&ip);
    assert_int_equal(hits(&subject), 0);
    assert_int_equal(evagg_netxduo_attach_all(subject.handle, EVAGG_NETXDUO_RECEIVED), NX_SUCCESS);
    ip_open(&others[0]);
    see_all(&ip);
    see_all(&others[0]);
    assert_int_equal(hits(&subject), 2 * KINDS);
    assert_int_equal(evagg_netxduo_attach_all(subject.handle, EVAGG_NETXDUO_RECEIVED), NX_SUCCESS);
    see_all(&ip);
    see_all(&others[0]);
    assert_int_equal(hits(&subject), 4 * KINDS);
    evagg_netxduo_detach_all();
    check_hooks_are_original(&ip);
    check_hooks_are_original(&others[0]);
    close_all();
}

/* A protocol that is not enabled must not look as if it were. */
static void protocols_enabled_later(void **state) {
    (void)state;
    cache_open();
    fake_ip_create(&ip);
    attach_ip();
    assert_true(ip.nx_ip_tcp_packet_receive == NULL);
    assert_true(ip.nx_ip_udp_packet_receive == NULL);
    assert_true(ip.nx_ip_icmp_packet_receive == NULL);
    see_all(&ip);
    assert_int_equal(ip.fake_dropped, KINDS);
    /* Those that were sent. */
    assert_int_equal(hits(&subject), KINDS);
    ip.nx_ip_udp_packet_receive = fake_udp_receive;
    attach_ip();
    see_all(&ip);
    assert_int_equal(hits(&subject), KINDS + KINDS / 3);
    fake_enable_all(&ip);
    attach_ip();
    see_all(&ip);
    assert_int_equal(hits(&subject), 2 * KINDS);
    detach_and_close();
}

static void a_deleted_ip_instance_gives_its_place_back(void **state) {
    (void)state;
    NX_IP *const last = &others[EVAGG_NETXDUO_IP_MAXIMUM];
    cache_open();
    for (uint32_t i = 0; i < EVAGG_NETXDUO_IP_MAXIMUM; i++) {
        ip_open(&others[i]);
        assert_int_equal(evagg_netxduo_attach(&others[i], subject.handle, EVAGG_NETXDUO_ALL),
                         NX_SUCCESS);
    }
    ip_open(last);
    assert_int_equal(evagg_netxduo_attach(last, subject.handle, EVAGG_NETXDUO_ALL),
                     NX_NO_MORE_ENTRIES);
    check_hooks_are_original(last);
    assert_int_equal(evagg_netxduo_attach_all(subject.handle, EVAGG_NETXDUO_ALL),
                     NX_NO_MORE_ENTRIES);
    check_hooks_are_original(last);
    see_all(last);
    assert_int_equal(hits(&subject), 0);
    see_all(&others[0]);
    assert_int_equal(hits(&subject), 2 * KINDS);
    /* Detached, it keeps its place: a thread may still be in a hook. */
    evagg_netxduo_detach(&others[0]);
    assert_int_equal(evagg_netxduo_attach(last, subject.handle, EVAGG_NETXDUO_ALL),
                     NX_NO_MORE_ENTRIES);
    fake_ip_delete(&others[0]);
    assert_int_equal(evagg_netxduo_attach(last, subject.handle, EVAGG_NETXDUO_ALL), NX_SUCCESS);
    see_all(last);
    assert_int_equal(hits(&subject), 2 * KINDS);
    assert_int_equal(last->fake_dropped, 0);
    close_all();
}

static void deleted_while_attached_and_created_anew(void **state) {
    (void)state;
    attached_open(EVAGG_NETXDUO_RECEIVED);
    for (uint32_t i = 0; i < 5; i++) {
        fake_ip_delete(&ip);
        ip_open(&ip);
        assert_int_equal(evagg_netxduo_attach(&ip, subject.handle, EVAGG_NETXDUO_RECEIVED),
                         NX_SUCCESS);
        see_all(&ip);
        assert_int_equal(hits(&subject), 2 * KINDS);
    }
    detach_and_close();
}

static UINT let_pass(NX_IP *instance, NX_PACKET *packet, UINT direction) {
    (void)instance;
    (void)packet;
    (void)direction;
    return NX_SUCCESS;
}

/* An application's hooks of the first life are not those of the second. */
static void created_anew_without_the_hooks_that_it_had(void **state) {
    (void)state;
    cache_open();
    ip_open(&ip);
    ip.nx_ip_packet_filter_extended = let_pass;
    attach_ip();
    fake_ip_delete(&ip);
    fake_ip_create(&ip);
    attach_ip();
    fake_enable_all(&ip);
    attach_ip();
    see_all(&ip);
    assert_int_equal(hits(&subject), 2 * KINDS);
    detach_and_close();
}

/* Noticed by an attach of another one in between, as by each collection. */
static void created_anew_with_another_hook(void **state) {
    (void)state;
    cache_open();
    ip_open(&ip);
    attach_ip();
    fake_ip_delete(&ip);
    assert_int_equal(evagg_netxduo_attach_all(subject.handle, EVAGG_NETXDUO_RECEIVED), NX_SUCCESS);
    fake_ip_create(&ip);
    fake_enable_all(&ip);
    ip.nx_ip_packet_filter_extended = let_pass;
    attach_ip();
    see_all(&ip);
    assert_int_equal(hits(&subject), 2 * KINDS);
    evagg_netxduo_detach(&ip);
    assert_true(ip.nx_ip_packet_filter_extended == let_pass);
    close_all();
}

static void bad_arguments_change_nothing(void **state) {
    (void)state;
    static NX_IP never_created;
    cache_open();
    ip_open(&ip);
    const ULONG masks = fake_masks;
    assert_int_equal(evagg_netxduo_attach(NULL, subject.handle, EVAGG_NETXDUO_ALL), NX_PTR_ERROR);
    assert_int_equal(evagg_netxduo_attach(&ip, NULL, EVAGG_NETXDUO_ALL), NX_PTR_ERROR);
    assert_int_equal(evagg_netxduo_attach(&ip, subject.handle, 16), NX_OPTION_ERROR);
    assert_int_equal(evagg_netxduo_attach(&ip, subject.handle, 256), NX_OPTION_ERROR);
    assert_int_equal(evagg_netxduo_attach_all(NULL, EVAGG_NETXDUO_ALL), NX_PTR_ERROR);
    assert_int_equal(evagg_netxduo_attach_all(subject.handle, 16), NX_OPTION_ERROR);
    assert_int_equal(fake_masks, masks);
    assert_int_equal(evagg_netxduo_attach(&never_created, subject.handle, EVAGG_NETXDUO_ALL),
                     NX_PTR_ERROR);
    assert_true(never_created.nx_ip_packet_filter_extended == NULL);
    check_hooks_are_original(&ip);
    evagg_netxduo_detach(NULL);
    evagg_netxduo_detach(&never_created);
    detach_and_close();
    /* Without any IP instance. */
    cache_open();
    evagg_netxduo_detach_all();
    evagg_netxduo_detach(&ip);
    assert_int_equal(evagg_netxduo_attach(&ip, subject.handle, EVAGG_NETXDUO_ALL), NX_PTR_ERROR);
    close_all();
}

/* An error leaves an attachment that there is as it is. */
static void bad_arguments_leave_an_attachment(void **state) {
    (void)state;
    attached_open(EVAGG_NETXDUO_RECEIVED);
    assert_int_equal(evagg_netxduo_attach(&ip, NULL, EVAGG_NETXDUO_ALL), NX_PTR_ERROR);
    assert_int_equal(evagg_netxduo_attach(&ip, subject.handle, 17), NX_OPTION_ERROR);
    see_all(&ip);
    assert_int_equal(hits(&subject), 2 * KINDS);
    close_all();
}

static void interrupts_are_masked_while_hooks_change(void **state) {
    (void)state;
    cache_open();
    ip_open(&ip);
    ULONG masks = fake_masks;
    assert_int_equal(evagg_netxduo_attach(&ip, subject.handle, EVAGG_NETXDUO_ALL), NX_SUCCESS);
    assert_int_equal(fake_masks, ++masks);
    evagg_netxduo_detach(&ip);
    assert_true(fake_masks > masks);
    masks = fake_masks;
    assert_int_equal(evagg_netxduo_attach_all(subject.handle, EVAGG_NETXDUO_ALL), NX_SUCCESS);
    assert_int_equal(fake_masks, ++masks);
    assert_int_equal(fake_posture(), FAKE_ENABLED);
    /* Where they were masked before, they stay so. */
    const UINT outer = fake_tx_disable();
    assert_int_equal(evagg_netxduo_attach(&ip, subject.handle, EVAGG_NETXDUO_ALL), NX_SUCCESS);
    assert_int_equal(fake_posture(), FAKE_MASKED);
    assert_int_equal(evagg_netxduo_attach_all(subject.handle, EVAGG_NETXDUO_ALL), NX_SUCCESS);
    assert_int_equal(fake_posture(), FAKE_MASKED);
    fake_tx_restore(outer);
    fake_nested_masks = 0;
    close_all();
}

/* Between the looks of NetX at the filter, it must not go. See threads_azure_rtos.c as well. */
static void hooks_are_restored_while_nobody_is_in_one(void **state) {
    (void)state;
    cache_open();
    ip_open(&ip);
    const ULONG *const gets = &ip.nx_ip_protection.fake_gets;
    assert_int_equal(evagg_netxduo_attach(&ip, subject.handle, EVAGG_NETXDUO_ALL), NX_SUCCESS);
    assert_int_equal(*gets, 0);
    evagg_netxduo_detach(&ip);
    assert_int_equal(*gets, 1);
    assert_int_equal(evagg_netxduo_attach(&ip, subject.handle, EVAGG_NETXDUO_ALL), NX_SUCCESS);
    evagg_netxduo_detach_all();
    assert_int_equal(*gets, 2);
    close_all();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(detach_restores_every_hook),
        cmocka_unit_test(attached_twice_records_once),
        cmocka_unit_test(a_thousand_times),
        cmocka_unit_test(another_capture_holds_from_the_next_packet_on),
        cmocka_unit_test(ip_instances_with_a_cache_each),
        cmocka_unit_test(attached_again_with_another_cache),
        cmocka_unit_test(ip_instances_created_later_are_attached_then),
        cmocka_unit_test(protocols_enabled_later),
        cmocka_unit_test(a_deleted_ip_instance_gives_its_place_back),
        cmocka_unit_test(deleted_while_attached_and_created_anew),
        cmocka_unit_test(created_anew_without_the_hooks_that_it_had),
        cmocka_unit_test(created_anew_with_another_hook),
        cmocka_unit_test(bad_arguments_change_nothing),
        cmocka_unit_test(bad_arguments_leave_an_attachment),
        cmocka_unit_test(interrupts_are_masked_while_hooks_change),
        cmocka_unit_test(hooks_are_restored_while_nobody_is_in_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
