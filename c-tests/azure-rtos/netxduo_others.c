/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Others who use the same hooks, before evagg and after it. */
#include "packets.h"

static UINT verdict;
static uint32_t filtered;
static UINT filtered_direction;
static uint32_t hits_when_filtered;

static uint32_t offered(void) { return (uint32_t)connections_statistics(subject.handle).offered; }

static UINT own_filter(NX_IP *instance, NX_PACKET *packet, UINT direction) {
    (void)packet;
    filtered++;
    filtered_direction = direction;
    hits_when_filtered = offered();
    fake_check(instance == &ip, "a filter was called for another IP instance");
    fake_check(fake_posture() == FAKE_ENABLED, "a filter was called with interrupts masked");
    return verdict;
}

static const packet_t *udp(uint8_t direction) {
    static packet_t packet;
    packet = packet_of(kinds[1], direction, 5, 2);
    return &packet;
}

static uint32_t hits(void) {
    uint32_t sum = 0;
    connections_drain(&subject, 1002, 8);
    for (uint32_t i = 0; i < subject.count; i++) {
        sum += subject.records[i].hit_count;
    }
    return sum;
}

static void open_with_filter(UINT capture) {
    filtered = 0;
    verdict = NX_SUCCESS;
    cache_open();
    ip_open(&ip);
    ip.nx_ip_packet_filter_extended = own_filter;
    assert_int_equal(evagg_netxduo_attach(&ip, subject.handle, capture), NX_SUCCESS);
}

static void a_filter_that_was_there_is_called_first(void **state) {
    (void)state;
    open_with_filter(EVAGG_NETXDUO_ALL);
    assert_int_equal(see_out(&ip, udp(EVAGG_OUT)), NX_SUCCESS);
    assert_int_equal(filtered, 1);
    assert_int_equal(filtered_direction, NX_IP_PACKET_OUT);
    assert_int_equal(hits_when_filtered, 0);
    assert_int_equal(see_in(&ip, udp(EVAGG_IN)), NX_SUCCESS);
    assert_int_equal(filtered, 2);
    assert_int_equal(filtered_direction, NX_IP_PACKET_IN);
    assert_int_equal(hits_when_filtered, 1);
    assert_int_equal(hits(), 2);
    evagg_netxduo_detach(&ip);
    assert_true(ip.nx_ip_packet_filter_extended == own_filter);
    assert_int_equal(see_out(&ip, udp(EVAGG_OUT)), NX_SUCCESS);
    assert_int_equal(filtered, 3);
    close_all();
}

/* Nobody is there who could call evagg's, so that is set again. */
static void a_filter_that_is_taken_away(void **state) {
    (void)state;
    open_with_filter(EVAGG_NETXDUO_RECEIVED);
    ip.nx_ip_packet_filter_extended = NULL;
    assert_int_equal(see_out(&ip, udp(EVAGG_OUT)), NX_SUCCESS);
    assert_int_equal(hits(), 0);
    assert_int_equal(evagg_netxduo_attach(&ip, subject.handle, EVAGG_NETXDUO_RECEIVED), NX_SUCCESS);
    assert_int_equal(see_out(&ip, udp(EVAGG_OUT)), NX_SUCCESS);
    assert_int_equal(hits(), 1);
    assert_int_equal(filtered, 0);
    evagg_netxduo_detach(&ip);
    assert_true(ip.nx_ip_packet_filter_extended == NULL);
    close_all();
}

/* What it drops was not sent, and not received. */
static void its_verdict_holds(void **state) {
    (void)state;
    static const UINT verdicts[] = {0x5a, 1, 0xffffffff};
    for (size_t i = 0; i < 2 * COUNT_OF(verdicts); i++) {
        open_with_filter(i % 2 == 0 ? EVAGG_NETXDUO_RECEIVED : EVAGG_NETXDUO_ALL);
        verdict = verdicts[i / 2];
        assert_int_equal(see_out(&ip, udp(EVAGG_OUT)), verdict);
        assert_int_equal(see_in(&ip, udp(EVAGG_IN)), verdict);
        assert_int_equal(ip.fake_sent, 0);
        assert_int_equal(ip.fake_delivered[FAKE_UDP], 0);
        assert_int_equal(ip.fake_dropped, 2);
        assert_int_equal(hits(), 0);
        /* Nor is it while nothing is recorded. */
        ip.nx_ip_packet_filter_extended = own_filter;
        evagg_netxduo_detach(&ip);
        assert_int_equal(see_out(&ip, udp(EVAGG_OUT)), verdict);
        close_all();
    }
}

static UINT old_filter_calls;
static UINT old_filter(VOID *header, UINT direction) {
    (void)header;
    (void)direction;
    old_filter_calls++;
    return NX_SUCCESS;
}

/* There is an older filter beside the extended one. */
static void the_older_filter_is_left_alone(void **state) {
    (void)state;
    old_filter_calls = 0;
    cache_open();
    ip_open(&ip);
    ip.nx_ip_packet_filter = old_filter;
    assert_int_equal(evagg_netxduo_attach(&ip, subject.handle, EVAGG_NETXDUO_ALL), NX_SUCCESS);
    assert_true(ip.nx_ip_packet_filter == old_filter);
    (void)see_out(&ip, udp(EVAGG_OUT));
    assert_int_equal(old_filter_calls, 1);
    evagg_netxduo_detach(&ip);
    assert_true(ip.nx_ip_packet_filter == old_filter);
    close_all();
}

/* Each IP instance has its own hooks from before. */
static NX_IP second_ip;
static uint32_t second_calls;
static VOID second_udp_receive(NX_IP *instance, NX_PACKET *packet) {
    second_calls++;
    fake_check(instance == &second_ip, "another IP instance's hook was called");
    fake_udp_receive(instance, packet);
}

static void every_ip_instance_has_its_own_originals(void **state) {
    (void)state;
    for (int is_first = 0; is_first < 2; is_first++) {
        second_calls = 0;
        cache_open();
        ip_open(is_first ? &second_ip : &ip);
        ip_open(is_first ? &ip : &second_ip);
        second_ip.nx_ip_udp_packet_receive = second_udp_receive;
        assert_int_equal(evagg_netxduo_attach_all(subject.handle, EVAGG_NETXDUO_RECEIVED),
                         NX_SUCCESS);
        (void)see_in(&ip, udp(EVAGG_IN));
        assert_int_equal(second_calls, 0);
        (void)see_in(&second_ip, udp(EVAGG_IN));
        (void)see_in(&second_ip, udp(EVAGG_IN));
        assert_int_equal(second_calls, 2);
        assert_int_equal(ip.fake_delivered[FAKE_UDP], 1);
        assert_int_equal(second_ip.fake_delivered[FAKE_UDP], 2);
        assert_int_equal(hits(), 3);
        evagg_netxduo_detach_all();
        assert_true(ip.nx_ip_udp_packet_receive == fake_udp_receive);
        assert_true(second_ip.nx_ip_udp_packet_receive == second_udp_receive);
        close_all();
    }
}

/* Somebody who hooks over evagg, and calls what was there. */
static VOID (*under_receive)(NX_IP *, NX_PACKET *);
static UINT (*under_filter)(NX_IP *, NX_PACKET *, UINT);
static uint32_t over_receive_calls;
static uint32_t over_filter_calls;

static VOID over_receive(NX_IP *instance, NX_PACKET *packet) {
    over_receive_calls++;
    under_receive(instance, packet);
}

static UINT over_filter(NX_IP *instance, NX_PACKET *packet, UINT direction) {
    over_filter_calls++;
    return under_filter(instance, packet, direction);
}

static void hook_over(void) {
    over_receive_calls = over_filter_calls = 0;
    under_receive = ip.nx_ip_udp_packet_receive;
    under_filter = ip.nx_ip_packet_filter_extended;
    ip.nx_ip_udp_packet_receive = over_receive;
    ip.nx_ip_packet_filter_extended = over_filter;
}

static void check_traffic(uint32_t rounds, uint32_t recorded) {
    const ULONG delivered = ip.fake_delivered[FAKE_UDP];
    const ULONG sent = ip.fake_sent;
    const uint32_t receives = over_receive_calls;
    const uint32_t filters = over_filter_calls;
    for (uint32_t i = 0; i < rounds; i++) {
        (void)see_in(&ip, udp(EVAGG_IN));
        (void)see_out(&ip, udp(EVAGG_OUT));
    }
    assert_int_equal(ip.fake_delivered[FAKE_UDP], delivered + rounds);
    assert_int_equal(ip.fake_sent, sent + rounds);
    assert_int_equal(over_receive_calls, receives + rounds);
    assert_int_equal(over_filter_calls, filters + 2 * rounds);
    assert_int_equal(hits(), recorded);
}

static void somebody_who_hooks_over_evagg(void **state) {
    (void)state;
    for (UINT capture = EVAGG_NETXDUO_RECEIVED; capture <= EVAGG_NETXDUO_ALL; capture++) {
        attached_open(capture);
        hook_over();
        check_traffic(2, 4);
        /* Theirs stay, and reach the protocols through ours, which record no more. */
        evagg_netxduo_detach(&ip);
        assert_true(ip.nx_ip_udp_packet_receive == over_receive);
        assert_true(ip.nx_ip_packet_filter_extended == over_filter);
        check_traffic(2, 0);
        /* No circle. */
        for (uint32_t i = 0; i < 3; i++) {
            assert_int_equal(evagg_netxduo_attach(&ip, subject.handle, capture), NX_SUCCESS);
            assert_true(ip.nx_ip_udp_packet_receive == over_receive);
            check_traffic(2, 4);
            evagg_netxduo_detach(&ip);
            check_traffic(2, 0);
        }
        /* They leave, and put back what they found. */
        ip.nx_ip_udp_packet_receive = under_receive;
        ip.nx_ip_packet_filter_extended = under_filter;
        (void)see_in(&ip, udp(EVAGG_IN));
        assert_int_equal(hits(), 0);
        assert_int_equal(evagg_netxduo_attach(&ip, subject.handle, capture), NX_SUCCESS);
        (void)see_in(&ip, udp(EVAGG_IN));
        assert_int_equal(hits(), 1);
        evagg_netxduo_detach(&ip);
        assert_true(ip.nx_ip_udp_packet_receive == fake_udp_receive);
        assert_true(ip.nx_ip_packet_filter_extended == NULL);
        close_all();
    }
}

/* A cache that has ended must not be recorded in through a hook that could not be taken back. */
static void a_hook_that_stays_does_not_use_a_cache_that_ended(void **state) {
    (void)state;
    attached_open(EVAGG_NETXDUO_ALL);
    hook_over();
    evagg_netxduo_detach(&ip);
    connections_close(&subject, 1003);
    (void)see_in(&ip, udp(EVAGG_IN));
    (void)see_out(&ip, udp(EVAGG_OUT));
    assert_int_equal(ip.fake_delivered[FAKE_UDP], 1);
    cache_open();
    assert_int_equal(hits(), 0);
    close_all();
}

/* Nobody to pass it on to: released, and not leaked. */
static void a_hook_copied_to_an_unattached_ip_instance(void **state) {
    (void)state;
    static NX_IP third_ip;
    const ULONG released = fake_released;
    attached_open(EVAGG_NETXDUO_RECEIVED);
    fake_ip_create(&third_ip);
    third_ip.nx_ip_udp_packet_receive = ip.nx_ip_udp_packet_receive;
    third_ip.nx_ip_packet_filter_extended = ip.nx_ip_packet_filter_extended;
    (void)see_in(&third_ip, udp(EVAGG_IN));
    assert_int_equal(fake_released, released + 1);
    assert_int_equal(see_out(&third_ip, udp(EVAGG_OUT)), NX_SUCCESS);
    assert_int_equal(third_ip.fake_sent, 1);
    assert_int_equal(hits(), 0);
    /* Attached, but without that protocol. */
    fake_ip_delete(&third_ip);
    fake_ip_create(&third_ip);
    assert_int_equal(evagg_netxduo_attach(&third_ip, subject.handle, EVAGG_NETXDUO_RECEIVED),
                     NX_SUCCESS);
    third_ip.nx_ip_udp_packet_receive = ip.nx_ip_udp_packet_receive;
    (void)see_in(&third_ip, udp(EVAGG_IN));
    assert_int_equal(fake_released, released + 2);
    assert_int_equal(hits(), 0);
    close_all();
}

/* Whatever becomes of the record, the packet goes on. */
static void a_full_cache_stops_no_packet(void **state) {
    (void)state;
    attached_open(EVAGG_NETXDUO_ALL);
    for (uint32_t n = 0; n < CAPACITY + 10; n++) {
        const packet_t in = packet_of(kinds[1], EVAGG_IN, n, 0);
        const packet_t out = packet_of(kinds[1], EVAGG_OUT, n, 0);
        assert_int_equal(see_in(&ip, &in), NX_SUCCESS);
        assert_int_equal(see_out(&ip, &out), NX_SUCCESS);
    }
    assert_int_equal(ip.fake_delivered[FAKE_UDP], CAPACITY + 10);
    assert_int_equal(ip.fake_sent, CAPACITY + 10);
    assert_int_equal(connections_statistics(subject.handle).rejected, 20);
    assert_int_equal(evagg_connections_set_enabled(subject.handle, 0), EVAGG_OK);
    assert_int_equal(see_out(&ip, udp(EVAGG_OUT)), NX_SUCCESS);
    close_all();
}

static uint32_t warnings;
static void on_warning(void *context, const evagg_warning_t *warning) {
    (void)context;
    (void)warning;
    warnings++;
    fake_check(fake_in_hook == 0, "warned from a hook");
    fake_check(fake_posture() == FAKE_ENABLED, "warned with interrupts masked");
}

static void warnings_are_not_given_from_a_hook(void **state) {
    (void)state;
    warnings = 0;
    attached_open(EVAGG_NETXDUO_ALL);
    assert_int_equal(evagg_connections_set_warning_callback(subject.handle, on_warning, NULL),
                     EVAGG_OK);
    for (uint32_t n = 0; n < CAPACITY + 10; n++) {
        const packet_t packet = packet_of(kinds[0], EVAGG_IN, n, 0);
        assert_int_equal(see_in(&ip, &packet), NX_SUCCESS);
    }
    assert_int_equal(warnings, 0);
    (void)hits();
    assert_int_equal(warnings, 2);
    close_all();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_filter_that_was_there_is_called_first),
        cmocka_unit_test(a_filter_that_is_taken_away),
        cmocka_unit_test(its_verdict_holds),
        cmocka_unit_test(the_older_filter_is_left_alone),
        cmocka_unit_test(every_ip_instance_has_its_own_originals),
        cmocka_unit_test(somebody_who_hooks_over_evagg),
        cmocka_unit_test(a_hook_that_stays_does_not_use_a_cache_that_ended),
        cmocka_unit_test(a_hook_copied_to_an_unattached_ip_instance),
        cmocka_unit_test(a_full_cache_stops_no_packet),
        cmocka_unit_test(warnings_are_not_given_from_a_hook),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
