/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What each hook of NetX Duo records: five-tuple, bytes and direction, once. */
#include "packets.h"

static const uint8_t directions[] = {EVAGG_IN, EVAGG_OUT};
static const UINT captures[] = {EVAGG_NETXDUO_RECEIVED, EVAGG_NETXDUO_ALL};

static void check_delivered(kind_t kind, ULONG packets, ULONG bytes) {
    const UINT protocol = kind.protocol == TCP    ? FAKE_TCP
                          : kind.protocol == UDP  ? FAKE_UDP
                          : kind.protocol == ICMP ? FAKE_ICMP
                                                  : FAKE_ICMPV6;
    assert_int_equal(ip.fake_delivered[protocol], packets);
    assert_int_equal(ip.fake_delivered_bytes, bytes);
    assert_int_equal(ip.fake_dropped, 0);
}

static void every_protocol_in_both_directions(void **state) {
    (void)state;
    for (size_t i = 0; i < 4 * KINDS; i++) {
        const kind_t kind = kinds[i / 4];
        const uint8_t direction = directions[i % 2];
        const packet_t packet = packet_of(kind, direction, 3, 11);
        const ULONG bytes = transport_header_of(kind) + 11;
        attached_open(captures[i / 2 % 2]);
        assert_int_equal(see(&ip, &packet, direction), NX_SUCCESS);
        check_one(kind, 3, direction, bytes);
        if (direction == EVAGG_IN) {
            check_delivered(kind, 1, bytes);
        } else {
            assert_int_equal(ip.fake_sent, 1);
        }
        close_all();
    }
}

/* A conversation is one entry, and neither capture counts anything twice. */
static void both_directions_share_an_entry(void **state) {
    (void)state;
    for (size_t i = 0; i < 2 * KINDS; i++) {
        const kind_t kind = kinds[i / 2];
        const packet_t in = packet_of(kind, EVAGG_IN, 7, 5);
        const packet_t out = packet_of(kind, EVAGG_OUT, 7, 50);
        const ULONG header = transport_header_of(kind);
        attached_open(captures[i % 2]);
        for (uint32_t n = 0; n < 10; n++) {
            (void)see_in(&ip, &in);
            (void)see_out(&ip, &out);
            (void)see_out(&ip, &out);
        }
        connections_drain(&subject, 1002, 4);
        assert_int_equal(subject.count, 1);
        assert_int_equal(subject.records[0].hit_count, 30);
        assert_int_equal(subject.records[0].bytes_in, 10 * (header + 5));
        assert_int_equal(subject.records[0].bytes_out, 20 * (header + 50));
        check_delivered(kind, 10, 10 * (header + 5));
        close_all();
    }
}

static void the_clock_is_that_of_threadx(void **state) {
    (void)state;
    const packet_t in = packet_of(kinds[0], EVAGG_IN, 7, 5);
    const packet_t out = packet_of(kinds[0], EVAGG_OUT, 7, 5);
    attached_open(EVAGG_NETXDUO_RECEIVED);
    fake_time = 1500;
    (void)see_in(&ip, &in);
    fake_time = 1600;
    (void)see_out(&ip, &out);
    connections_drain(&subject, 1700, 4);
    assert_int_equal(subject.records[0].first_seen, 1500);
    assert_int_equal(subject.records[0].last_seen, 1600);
    close_all();
}

static void ipv4_options_of_every_length(void **state) {
    (void)state;
    for (ULONG options = 0; options <= 40; options += 4) {
        for (size_t i = 0; i < 4; i++) {
            const uint8_t direction = directions[i % 2];
            packet_t packet = packet_of(kinds[1], direction, 3, 11);
            insert_options(&packet, options);
            attached_open(captures[i / 2]);
            assert_int_equal(see(&ip, &packet, direction), NX_SUCCESS);
            check_one(kinds[1], 3, direction, 8 + 11);
            close_all();
        }
    }
}

/* Their bytes count where the packet is seen as it is on the wire. */
static void ipv6_extension_headers(void **state) {
    (void)state;
#ifndef NX_DISABLE_IPV6
    static const uint8_t types[] = {0, 43, 60};
    for (size_t i = 0; i < 3 * 4 * COUNT_OF(types); i++) {
        const kind_t kind = kinds[3 + i % 3];
        const uint8_t units = (uint8_t)(i / 3 % 4);
        const ULONG transport = transport_header_of(kind) + 5;
        for (size_t k = 0; k < 4; k++) {
            const uint8_t direction = directions[k % 2];
            const int is_received = direction == EVAGG_IN && k / 2 == 0;
            packet_t packet = packet_of(kind, direction, 9, 5);
            insert_extension(&packet, types[i / 12], units);
            insert_extension(&packet, 60, 0);
            attached_open(captures[k / 2]);
            assert_int_equal(see(&ip, &packet, direction), NX_SUCCESS);
            check_one(kind, 9, direction, is_received ? transport : packet.length - 40);
            close_all();
        }
    }
#endif
}

/* Three fragments of 32, 24 and 8 bytes of payload. */
static void see_fragments(kind_t kind) {
    for (uint32_t i = 0; i < 3; i++) {
        packet_t packet = packet_of(kind, EVAGG_IN, 4, 0);
        cut_to(&packet, ip_header_of(kind) + 8);
        if (kind.version == 6) {
            insert_extension(&packet, 44, 0);
        }
        set_fragment(&packet, i == 0 ? 0 : i == 1 ? 4 : 7, i < 2);
        cut_to(&packet, packet.length + (i == 0 ? 24 : i == 1 ? 16 : 0));
        assert_int_equal(see_in(&ip, &packet), NX_SUCCESS);
    }
}

static void fragments_are_one_packet_once_they_are_put_together(void **state) {
    (void)state;
    for (size_t i = 1; i < KINDS; i += 3) {
        attached_open(EVAGG_NETXDUO_RECEIVED);
        see_fragments(kinds[i]);
        check_delivered(kinds[i], 1, 64);
        check_one(kinds[i], 4, EVAGG_IN, 64);
        close_all();
    }
}

static void each_fragment_counts_where_all_is_captured(void **state) {
    (void)state;
    for (size_t i = 1; i < KINDS; i += 3) {
        const ULONG extension = kinds[i].version == 6 ? 8 : 0;
        evagg_connection_t connection = connection_of(kinds[i], 4);
        attached_open(EVAGG_NETXDUO_ALL);
        see_fragments(kinds[i]);
        check_delivered(kinds[i], 1, 64);
        connections_drain(&subject, 1002, 4);
        assert_int_equal(subject.count, 2);
        assert_memory_equal(&subject.records[0].connection, &connection, sizeof connection);
        assert_int_equal(subject.records[0].hit_count, 1);
        assert_int_equal(subject.records[0].bytes_in, 32 + extension);
        connection.local_port = connection.remote_port = 0;
        assert_memory_equal(&subject.records[1].connection, &connection, sizeof connection);
        assert_int_equal(subject.records[1].hit_count, 2);
        assert_int_equal(subject.records[1].bytes_in, 32 + 2 * extension);
        close_all();
    }
}

/* The headers are in the first buffer of a chain, and need not leave anything behind them there. */
static void a_chain_whose_first_buffer_ends_behind_the_headers(void **state) {
    (void)state;
    for (size_t i = 0; i < 4 * KINDS; i++) {
        const kind_t kind = kinds[i / 4];
        const uint8_t direction = directions[i % 2];
        const packet_t packet = packet_of(kind, direction, 3, 60);
        const ULONG headers = packet.length - 60;
        attached_open(captures[i / 2 % 2]);
        if (direction == EVAGG_IN) {
            assert_int_equal(fake_receive(&ip, packet.bytes, packet.length, headers), NX_SUCCESS);
        } else {
            assert_int_equal(fake_send(&ip, packet.bytes, packet.length, headers), NX_SUCCESS);
        }
        check_one(kind, 3, direction, transport_header_of(kind) + 60);
        close_all();
    }
}

/* Some drivers put the packet behind a frame header of 14 bytes. */
static void headers_at_any_address(void **state) {
    (void)state;
    for (size_t i = 0; i < 4 * KINDS; i++) {
        const kind_t kind = kinds[i / 4];
        const uint8_t direction = directions[i % 2];
        const packet_t packet = packet_of(kind, direction, 3, 2);
        attached_open(captures[i / 2 % 2]);
        for (fake_misalignment = 1; fake_misalignment < 4; fake_misalignment++) {
            assert_int_equal(see(&ip, &packet, direction), NX_SUCCESS);
            check_one(kind, 3, direction, transport_header_of(kind) + 2);
        }
        close_all();
    }
}

/* Ethernet pads short frames. */
static void padding_is_not_counted(void **state) {
    (void)state;
    for (size_t i = 0; i < 2 * KINDS; i++) {
        const kind_t kind = kinds[i / 2];
        packet_t packet = packet_of(kind, EVAGG_IN, 3, 0);
        packet.length += 18;
        attached_open(captures[i % 2]);
        assert_int_equal(see_in(&ip, &packet), NX_SUCCESS);
        check_one(kind, 3, EVAGG_IN, transport_header_of(kind));
        close_all();
    }
}

/* Fragments can come to more than the length field of a header can say. */
static void a_packet_longer_than_its_header_can_say(void **state) {
    (void)state;
    static const ULONG lengths[] = {65514, 65515, 65516, 65535, 65536, 70000};
    for (size_t i = 0; i < KINDS * COUNT_OF(lengths); i++) {
        const kind_t kind = kinds[i % KINDS];
        const ULONG length = lengths[i / KINDS];
        const packet_t bytes = packet_of(kind, EVAGG_IN, 6, 4);
        attached_open(EVAGG_NETXDUO_RECEIVED);
        NX_PACKET *const packet = fake_packet(bytes.bytes, bytes.length, 0);
        UCHAR *const header = packet->nx_packet_ip_header;
        for (ULONG word = 0; word < ip_header_of(kind); word += 4) {
            const uint32_t value = (uint32_t)header[word] << 24 | (uint32_t)header[word + 1] << 16 |
                                   (uint32_t)header[word + 2] << 8 | header[word + 3];
            memcpy(&header[word], &value, sizeof value);
        }
        packet->nx_packet_prepend_ptr += ip_header_of(kind);
        packet->nx_packet_length = length;
        fake_hand_over(&ip, packet,
                       kind.protocol == TCP   ? ip.nx_ip_tcp_packet_receive
                       : kind.protocol == UDP ? ip.nx_ip_udp_packet_receive
#ifndef NX_DISABLE_IPV6
                       : kind.protocol == ICMPV6 ? ip.nx_ip_icmpv6_packet_process
#endif
                                                 : ip.nx_ip_icmp_packet_receive);
        check_one(kind, 6, EVAGG_IN, length < 65515 ? length : 65515);
        close_all();
    }
}

static UINT left_out_bit(kind_t kind) {
    return kind.protocol == TCP   ? EVAGG_NETXDUO_NO_TCP
           : kind.protocol == UDP ? EVAGG_NETXDUO_NO_UDP
                                  : EVAGG_NETXDUO_NO_ICMP;
}

/* Every combination of protocols that are left out: these are passed on, and nothing is counted. */
static void protocols_that_are_left_out(void **state) {
    (void)state;
    for (UINT capture = 0; capture < 2 * EVAGG_NETXDUO_NO_ICMP; capture++) {
        for (size_t i = 0; i < KINDS; i++) {
            const packet_t in = packet_of(kinds[i], EVAGG_IN, 3, 11);
            const packet_t out = packet_of(kinds[i], EVAGG_OUT, 3, 11);
            const uint64_t offered = (capture & left_out_bit(kinds[i])) == 0 ? 2 : 0;
            attached_open(capture);
            assert_int_equal(see_in(&ip, &in), NX_SUCCESS);
            assert_int_equal(see_out(&ip, &out), NX_SUCCESS);
            check_delivered(kinds[i], 1, transport_header_of(kinds[i]) + 11);
            assert_int_equal(ip.fake_sent, 1);
            assert_int_equal(connections_statistics(subject.handle).offered, offered);
            connections_drain(&subject, 1002, 4);
            assert_int_equal(subject.count, offered / 2);
            close_all();
        }
    }
}

/* Too short to tell a protocol. */
static void a_stub_counts_as_malformed_whatever_is_left_out(void **state) {
    (void)state;
    static const packet_t stub = {{0x45, 0, 0, 9}, 9};
    attached_open(EVAGG_NETXDUO_ALL | EVAGG_NETXDUO_NO_TCP | EVAGG_NETXDUO_NO_UDP |
                  EVAGG_NETXDUO_NO_ICMP);
    (void)see_in(&ip, &stub);
    assert_int_equal(connections_statistics(subject.handle).malformed, 1);
    check_nothing();
    close_all();
}

/* Those that evagg does not know are passed on, and counted where they are seen. */
static void other_protocols(void **state) {
    (void)state;
    static const uint8_t protocols[] = {2, 41, 47, 50, 89};
    for (size_t i = 0; i < 2 * COUNT_OF(protocols); i++) {
        packet_t packet = packet_of(kinds[1], EVAGG_OUT, 3, 20);
        packet.bytes[9] = protocols[i / 2];
        attached_open(captures[i % 2]);
        assert_int_equal(see_out(&ip, &packet), NX_SUCCESS);
        assert_int_equal(ip.fake_sent, 1);
        assert_int_equal(see_in(&ip, &packet), NX_SUCCESS);
        assert_int_equal(connections_statistics(subject.handle).ignored, i % 2 == 0 ? 1 : 2);
        check_nothing();
        close_all();
    }
}

/* With RECEIVED: what NetX drops itself; with ALL it is there. */
static void packets_that_netx_drops(void **state) {
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const packet_t udp = packet_of(kinds[1], EVAGG_IN, 3, 20);
        attached_open(captures[i]);
        ip.nx_ip_udp_packet_receive = NULL;
        assert_int_equal(see_in(&ip, &udp), NX_SUCCESS);
        assert_int_equal(ip.fake_dropped, 1);
        if (captures[i] == EVAGG_NETXDUO_ALL) {
            check_one(kinds[1], 3, EVAGG_IN, 28);
        } else {
            check_nothing();
        }
        close_all();
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_protocol_in_both_directions),
        cmocka_unit_test(both_directions_share_an_entry),
        cmocka_unit_test(the_clock_is_that_of_threadx),
        cmocka_unit_test(ipv4_options_of_every_length),
        cmocka_unit_test(ipv6_extension_headers),
        cmocka_unit_test(fragments_are_one_packet_once_they_are_put_together),
        cmocka_unit_test(each_fragment_counts_where_all_is_captured),
        cmocka_unit_test(a_chain_whose_first_buffer_ends_behind_the_headers),
        cmocka_unit_test(headers_at_any_address),
        cmocka_unit_test(padding_is_not_counted),
        cmocka_unit_test(a_packet_longer_than_its_header_can_say),
        cmocka_unit_test(protocols_that_are_left_out),
        cmocka_unit_test(a_stub_counts_as_malformed_whatever_is_left_out),
        cmocka_unit_test(other_protocols),
        cmocka_unit_test(packets_that_netx_drops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
