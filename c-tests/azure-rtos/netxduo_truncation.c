/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Packets cut at every length, each buffer exactly as long as what is left: a sanitizer sees any read
   beyond. One cut within the headers is malformed, one behind them counts in full, and all are passed
   on as they are. */
#include "packets.h"

#define PAYLOAD 6u

static uint32_t malformed(void) { return connections_statistics(subject.handle).malformed; }

/* One that was counted, or that was not. */
static void check(int is_whole, kind_t kind, uint8_t direction, uint32_t bytes) {
    assert_int_equal(malformed(), is_whole ? 0 : 1);
    if (is_whole) {
        check_one(kind, 2, direction, bytes);
    } else {
        check_nothing();
    }
    close_all();
}

/* The length in the header is still that of the whole packet. */
static void check_filter(const packet_t *packet, kind_t kind, uint8_t direction, ULONG headers,
                         uint32_t bytes) {
    for (ULONG length = 0; length <= packet->length; length++) {
        packet_t cut = *packet;
        cut.length = length;
        attached_open(EVAGG_NETXDUO_ALL);
        assert_int_equal(see(&ip, &cut, direction), NX_SUCCESS);
        check(length >= headers, kind, direction, bytes);
    }
}

static void the_filter_of_all_in_and_out(void **state) {
    (void)state;
    for (size_t i = 0; i < 2 * KINDS; i++) {
        const kind_t kind = kinds[i / 2];
        const uint8_t direction = i % 2 == 0 ? EVAGG_IN : EVAGG_OUT;
        const packet_t packet = packet_of(kind, direction, 2, PAYLOAD);
        check_filter(&packet, kind, direction, packet.length - PAYLOAD,
                     transport_header_of(kind) + PAYLOAD);
    }
}

static void the_filter_with_options_and_extension_headers(void **state) {
    (void)state;
    packet_t packet = packet_of(kinds[0], EVAGG_OUT, 2, PAYLOAD);
    insert_options(&packet, 24);
    check_filter(&packet, kinds[0], EVAGG_OUT, packet.length - PAYLOAD, 20 + PAYLOAD);
#ifndef NX_DISABLE_IPV6
    packet = packet_of(kinds[4], EVAGG_OUT, 2, PAYLOAD);
    insert_extension(&packet, 60, 1);
    insert_extension(&packet, 0, 0);
    check_filter(&packet, kinds[4], EVAGG_OUT, packet.length - PAYLOAD, packet.length - 40);
#endif
}

/* NetX does not hand on a packet whose IP header is cut off or says more than there is. */
static void nothing_of_it_reaches_the_protocols(void **state) {
    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        packet_t packet = packet_of(kinds[i], EVAGG_IN, 2, PAYLOAD);
        for (packet.length--; packet.length > 0; packet.length--) {
            attached_open(EVAGG_NETXDUO_RECEIVED);
            assert_int_equal(see_in(&ip, &packet), NX_SUCCESS);
            assert_int_equal(ip.fake_dropped, 1);
            assert_int_equal(malformed(), 0);
            check_nothing();
            close_all();
        }
    }
}

/* The transport header is checked behind the hook only. */
static void a_packet_too_short_for_its_transport_header(void **state) {
    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        const kind_t kind = kinds[i];
        for (ULONG transport = 0; transport <= transport_header_of(kind) + 2; transport++) {
            packet_t packet = packet_of(kind, EVAGG_IN, 2, PAYLOAD);
            cut_to(&packet, ip_header_of(kind) + transport);
            attached_open(EVAGG_NETXDUO_RECEIVED);
            assert_int_equal(see_in(&ip, &packet), NX_SUCCESS);
            assert_int_equal(ip.fake_delivered_bytes, transport);
            assert_int_equal(ip.fake_dropped, 0);
            check(transport >= transport_header_of(kind), kind, EVAGG_IN, transport);
        }
    }
}

/* A first buffer that ends within the headers: what is in the second is not looked at. */
static void a_chain_split_anywhere(void **state) {
    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        const kind_t kind = kinds[i];
        const packet_t in = packet_of(kind, EVAGG_IN, 2, PAYLOAD);
        const packet_t out = packet_of(kind, EVAGG_OUT, 2, PAYLOAD);
        const ULONG headers = in.length - PAYLOAD;
        const uint32_t bytes = transport_header_of(kind) + PAYLOAD;
        for (ULONG first = 1; first < in.length; first += REPETITIONS(1u, 3u)) {
            attached_open(EVAGG_NETXDUO_ALL);
            assert_int_equal(fake_receive(&ip, in.bytes, in.length, first), NX_SUCCESS);
            check(first >= headers, kind, EVAGG_IN, bytes);
            attached_open(EVAGG_NETXDUO_ALL);
            assert_int_equal(fake_send(&ip, out.bytes, out.length, first), NX_SUCCESS);
            check(first >= headers, kind, EVAGG_OUT, bytes);
            if (first >= ip_header_of(kind)) {
                attached_open(EVAGG_NETXDUO_RECEIVED);
                assert_int_equal(fake_receive(&ip, in.bytes, in.length, first), NX_SUCCESS);
                assert_int_equal(ip.fake_delivered_bytes, bytes);
                check(first >= headers, kind, EVAGG_IN, bytes);
            }
        }
    }
}

/* A driver whose append pointer lies before the header says that there is nothing. */
static void an_append_pointer_before_the_header(void **state) {
    (void)state;
    const packet_t bytes = packet_of(kinds[1], EVAGG_OUT, 2, PAYLOAD);
    attached_open(EVAGG_NETXDUO_ALL);
    NX_PACKET *const packet = fake_packet(bytes.bytes, bytes.length, 0);
    packet->nx_packet_append_ptr = packet->nx_packet_ip_header - 1;
    assert_int_equal(ip.nx_ip_packet_filter_extended(&ip, packet, NX_IP_PACKET_OUT), NX_SUCCESS);
    assert_int_equal(ip.nx_ip_packet_filter_extended(&ip, packet, NX_IP_PACKET_IN), NX_SUCCESS);
    assert_int_equal(malformed(), 2);
    assert_int_equal(nx_packet_release(packet), NX_SUCCESS);
    check_nothing();
    close_all();
}

/* Any bytes: every packet goes on, and each is in one of the statistics at most once. */
static void noise(void **state) {
    (void)state;
    uint64_t random = 11;
    const uint32_t rounds = REPETITIONS(4000, 200);
    for (UINT capture = EVAGG_NETXDUO_RECEIVED; capture <= EVAGG_NETXDUO_ALL; capture++) {
        attached_open(capture);
        for (uint32_t i = 0; i < rounds; i++) {
            const kind_t kind = kinds[next_random(&random) % KINDS];
            packet_t packet = packet_of(kind, EVAGG_IN, 2, PAYLOAD);
            for (uint32_t k = 0; k < 3; k++) {
                packet.bytes[next_random(&random) % packet.length] = (uint8_t)next_random(&random);
            }
            /* No fragments: they would wait for others. */
            if (packet.bytes[0] >> 4 == 4) {
                packet.bytes[6] = packet.bytes[7] = 0;
            } else if (packet.bytes[6] == 44) {
                packet.bytes[6] = 60;
            }
            packet.length = (ULONG)(next_random(&random) % (packet.length + 1));
            assert_int_equal(see_in(&ip, &packet), NX_SUCCESS);
            assert_int_equal(see_out(&ip, &packet), NX_SUCCESS);
        }
        const evagg_statistics_t statistics = connections_statistics(subject.handle);
        const uint64_t seen = statistics.offered + statistics.malformed + statistics.ignored;
        assert_int_equal(ip.fake_sent, rounds);
        if (capture == EVAGG_NETXDUO_ALL) {
            assert_int_equal(seen, 2 * rounds);
        } else {
            assert_int_equal(seen, 2 * rounds - ip.fake_dropped);
        }
        assert_true(statistics.offered > 0);
        while (connections_length(subject.handle) > 0) {
            connections_drain(&subject, 1002, 4);
        }
        close_all();
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_filter_of_all_in_and_out),
        cmocka_unit_test(the_filter_with_options_and_extension_headers),
        cmocka_unit_test(nothing_of_it_reaches_the_protocols),
        cmocka_unit_test(a_packet_too_short_for_its_transport_header),
        cmocka_unit_test(a_chain_split_anywhere),
        cmocka_unit_test(an_append_pointer_before_the_header),
        cmocka_unit_test(noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
