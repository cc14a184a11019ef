/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* record_packet: five-tuple and bytes of raw IPv4 and IPv6 packets, whole, cut and contradictory. */
#include "support.h"

#include <stdlib.h>

enum { ICMP = 1, TCP = 6, UDP = 17, FRAGMENT = 44, ESP = 50, AH = 51, ICMP6 = 58, NO_NEXT = 59 };
enum { HOP_BY_HOP = 0, ROUTING = 43, DESTINATION_OPTIONS = 60 };

typedef struct packet_t {
    uint8_t bytes[256];
    size_t length;
} packet_t;

/* A small one, because it is made anew for each packet. */
#define CAPACITY 8u

static connections_case_t subject;
CONNECTIONS_MEMORY(memory, CAPACITY);

static void open_subject(void) {
    const evagg_config_t config = config_of(CAPACITY, 0);
    connections_open(&subject, memory, sizeof memory, &config);
}

static evagg_status_t see(const packet_t *packet, uint8_t direction) {
    return evagg_connections_record_packet(subject.handle, packet->bytes, packet->length, direction,
                                           1001);
}

static void put16(uint8_t *at, size_t value) {
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void append(packet_t *packet, const uint8_t *bytes, size_t length) {
    assert_true(packet->length + length <= sizeof packet->bytes);
    memcpy(packet->bytes + packet->length, bytes, length);
    packet->length += length;
}

/* A transport header, ports 4660 to 80, and `payload` bytes behind it. */
static void append_transport(packet_t *packet, uint8_t protocol, size_t payload) {
    uint8_t header[20] = {0};
    const size_t length = protocol == TCP ? 20 : 8;
    if (protocol == TCP || protocol == UDP) {
        put16(header, 4660);
        put16(header + 2, 80);
    } else {
        header[0] = 8;
        header[1] = 0xee;
    }
    if (protocol == TCP) {
        header[12] = 0x50;
    }
    if (protocol == UDP) {
        put16(header + 4, 8 + payload);
    }
    append(packet, header, length);
    memset(packet->bytes + packet->length, 0xdd, payload);
    packet->length += payload;
}

static packet_t ipv4_header(uint8_t protocol, size_t option_bytes) {
    packet_t packet = {.length = 20 + option_bytes};
    packet.bytes[0] = (uint8_t)(0x40u | (packet.length / 4));
    packet.bytes[8] = 64;
    packet.bytes[9] = protocol;
    static const uint8_t source[4] = {192, 0, 2, 1}, destination[4] = {198, 51, 100, 2};
    memcpy(packet.bytes + 12, source, 4);
    memcpy(packet.bytes + 16, destination, 4);
    memset(packet.bytes + 20, 1, option_bytes);
    return packet;
}

static packet_t ipv4(uint8_t protocol, size_t option_bytes, size_t payload) {
    packet_t packet = ipv4_header(protocol, option_bytes);
    append_transport(&packet, protocol, payload);
    put16(packet.bytes + 2, packet.length);
    return packet;
}

static packet_t ipv6_header(uint8_t next_header) {
    packet_t packet = {.length = 40};
    packet.bytes[0] = 0x60;
    packet.bytes[6] = next_header;
    packet.bytes[7] = 64;
    for (uint8_t i = 0; i < 16; i++) {
        packet.bytes[8 + i] = (uint8_t)(0x20u + i);
        packet.bytes[24 + i] = (uint8_t)(0xa0u + i);
    }
    return packet;
}

static void ipv6_finish(packet_t *packet) { put16(packet->bytes + 4, packet->length - 40); }

static packet_t ipv6(uint8_t protocol, size_t payload) {
    packet_t packet = ipv6_header(protocol);
    append_transport(&packet, protocol, payload);
    ipv6_finish(&packet);
    return packet;
}

/* An extension header of `kind`, `units` units longer than its shortest form. */
static void append_extension(packet_t *packet, uint8_t kind, uint8_t next_header, uint8_t units) {
    uint8_t bytes[64] = {0};
    size_t length;
    bytes[0] = next_header;
    switch (kind) {
    case FRAGMENT:
        length = 8;
        break;
    case AH:
        /* In 4-byte units less two; 12 bytes and up. */
        bytes[1] = (uint8_t)(1 + units);
        length = (bytes[1] + 2u) * 4u;
        break;
    default:
        bytes[1] = units;
        length = (units + 1u) * 8u;
    }
    append(packet, bytes, length);
}

static void set_fragment(packet_t *packet, size_t header_offset, uint16_t offset, uint8_t more) {
    put16(packet->bytes + header_offset + 2, (size_t)(offset << 3 | more));
}

static evagg_connection_t expected(uint8_t version, uint8_t protocol, uint8_t direction) {
    evagg_connection_t connection;
    const packet_t packet = version == 4 ? ipv4_header(protocol, 0) : ipv6_header(protocol);
    const uint8_t *const source = packet.bytes + (version == 4 ? 12 : 8);
    const size_t size = version == 4 ? 4 : 16;
    memset(&connection, 0, sizeof connection);
    uint8_t *const from =
        direction == EVAGG_OUT ? connection.local_address : connection.remote_address;
    uint8_t *const to =
        direction == EVAGG_OUT ? connection.remote_address : connection.local_address;
    memcpy(from, source, size);
    memcpy(to, source + size, size);
    if (protocol == TCP || protocol == UDP) {
        connection.local_port = direction == EVAGG_OUT ? 4660 : 80;
        connection.remote_port = direction == EVAGG_OUT ? 80 : 4660;
    }
    connection.protocol = protocol;
    connection.ip_version = version;
    return connection;
}

static void check_counted(const packet_t *packet, const evagg_connection_t *connection,
                          uint8_t direction, size_t bytes) {
    open_subject();
    assert_int_equal(see(packet, direction), EVAGG_FIRST);
    connections_drain(&subject, 1002, 4);
    assert_int_equal(subject.count, 1);
    assert_memory_equal(&subject.records[0].connection, connection, sizeof *connection);
    assert_int_equal(subject.records[0].bytes_in, direction == EVAGG_IN ? bytes : 0);
    assert_int_equal(subject.records[0].bytes_out, direction == EVAGG_OUT ? bytes : 0);
    assert_int_equal(subject.records[0].hit_count, 1);
    assert_int_equal(subject.records[0].first_seen, 1001);
    connections_close(&subject, 1003);
}

static void check_malformed(const packet_t *packet) {
    open_subject();
    assert_int_equal(see(packet, EVAGG_IN), EVAGG_MALFORMED);
    snapshot_t expected_state;
    memset(&expected_state, 0, sizeof expected_state);
    expected_state.statistics.malformed = 1;
    connections_unchanged(subject.handle, &expected_state);
    connections_close(&subject, 1003);
}

static void ipv4_and_ipv6_in_both_directions(void **state) {
    (void)state;
    static const uint8_t protocols4[] = {TCP, UDP, ICMP}, protocols6[] = {TCP, UDP, ICMP6};
    for (uint8_t direction = EVAGG_IN; direction <= EVAGG_OUT; direction++) {
        for (size_t i = 0; i < 3; i++) {
            const size_t transport = protocols4[i] == TCP ? 20 : 8;
            packet_t packet = ipv4(protocols4[i], 0, 11);
            evagg_connection_t connection = expected(4, protocols4[i], direction);
            check_counted(&packet, &connection, direction, transport + 11);
            packet = ipv6(protocols6[i], 11);
            connection = expected(6, protocols6[i], direction);
            check_counted(&packet, &connection, direction, transport + 11);
        }
    }
}

static void ipv4_options_of_every_length(void **state) {
    (void)state;
    for (size_t options = 0; options <= 40; options += 4) {
        const packet_t packet = ipv4(UDP, options, 5);
        const evagg_connection_t connection = expected(4, UDP, EVAGG_OUT);
        check_counted(&packet, &connection, EVAGG_OUT, 13);
    }
}

static void every_ipv6_extension_header_is_walked(void **state) {
    (void)state;
    static const uint8_t kinds[] = {HOP_BY_HOP, ROUTING, FRAGMENT, AH, DESTINATION_OPTIONS};
    const evagg_connection_t connection = expected(6, UDP, EVAGG_OUT);
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        for (uint8_t units = 0; units < 4; units++) {
            packet_t packet = ipv6_header(kinds[i]);
            append_extension(&packet, kinds[i], UDP, units);
            append_transport(&packet, UDP, 5);
            ipv6_finish(&packet);
            check_counted(&packet, &connection, EVAGG_OUT, packet.length - 40);
        }
    }
}

/* All of them in the order that RFC 8200 recommends; the fragment header is atomic (RFC 6946). */
static packet_t chain_of_extensions(void) {
    packet_t packet = ipv6_header(HOP_BY_HOP);
    append_extension(&packet, HOP_BY_HOP, DESTINATION_OPTIONS, 0);
    append_extension(&packet, DESTINATION_OPTIONS, ROUTING, 1);
    append_extension(&packet, ROUTING, FRAGMENT, 2);
    append_extension(&packet, FRAGMENT, AH, 0);
    append_extension(&packet, AH, DESTINATION_OPTIONS, 3);
    append_extension(&packet, DESTINATION_OPTIONS, TCP, 0);
    append_transport(&packet, TCP, 9);
    ipv6_finish(&packet);
    return packet;
}

static void a_chain_of_extension_headers(void **state) {
    (void)state;
    const packet_t packet = chain_of_extensions();
    const evagg_connection_t connection = expected(6, TCP, EVAGG_IN);
    check_counted(&packet, &connection, EVAGG_IN, packet.length - 40);
}

static void first_fragments_have_ports_later_ones_have_none(void **state) {
    (void)state;
    evagg_connection_t with_ports = expected(4, UDP, EVAGG_OUT);
    evagg_connection_t without = with_ports;
    without.local_port = without.remote_port = 0;

    packet_t packet = ipv4(UDP, 0, 8);
    put16(packet.bytes + 6, 0x2000);
    check_counted(&packet, &with_ports, EVAGG_OUT, 16);
    put16(packet.bytes + 6, 0x4000);
    check_counted(&packet, &with_ports, EVAGG_OUT, 16);
    for (uint32_t offset = 1; offset <= 0x1fff; offset <<= 1) {
        put16(packet.bytes + 6, offset);
        check_counted(&packet, &without, EVAGG_OUT, 16);
        put16(packet.bytes + 6, 0x2000u | offset);
        check_counted(&packet, &without, EVAGG_OUT, 16);
    }
    put16(packet.bytes + 6, 0x1fff);
    check_counted(&packet, &without, EVAGG_OUT, 16);

    with_ports = expected(6, UDP, EVAGG_OUT);
    without = with_ports;
    without.local_port = without.remote_port = 0;
    packet = ipv6_header(FRAGMENT);
    append_extension(&packet, FRAGMENT, UDP, 0);
    append_transport(&packet, UDP, 8);
    ipv6_finish(&packet);
    set_fragment(&packet, 40, 0, 1);
    check_counted(&packet, &with_ports, EVAGG_OUT, 24);
    /* The two reserved bits between offset and M are not part of the offset. */
    put16(packet.bytes + 42, 6);
    check_counted(&packet, &with_ports, EVAGG_OUT, 24);
    for (uint16_t offset = 1; offset <= 0x1000; offset = (uint16_t)(offset << 1)) {
        set_fragment(&packet, 40, offset, 0);
        check_counted(&packet, &without, EVAGG_OUT, 24);
        set_fragment(&packet, 40, offset, 1);
        check_counted(&packet, &without, EVAGG_OUT, 24);
    }
}

static void a_later_fragment_needs_no_transport_header(void **state) {
    (void)state;
    evagg_connection_t without = expected(4, TCP, EVAGG_IN);
    without.local_port = without.remote_port = 0;
    packet_t packet = ipv4_header(TCP, 0);
    put16(packet.bytes + 6, 100);
    for (size_t payload = 0; payload < 8; payload++) {
        packet.length = 20 + payload;
        put16(packet.bytes + 2, packet.length);
        check_counted(&packet, &without, EVAGG_IN, payload);
    }
}

static void other_protocols_are_ignored(void **state) {
    (void)state;
    static const uint8_t protocols4[] = {0, 2, 4, 41, 47, ESP, 89, 132, 255};
    static const uint8_t protocols6[] = {4, 41, 47, ESP, NO_NEXT, 89, 132, 255};
    uint32_t ignored = 0;
    open_subject();
    for (size_t i = 0; i < COUNT_OF(protocols4); i++) {
        packet_t packet = ipv4(UDP, 0, 8);
        packet.bytes[9] = protocols4[i];
        assert_int_equal(see(&packet, EVAGG_IN), EVAGG_IGNORED);
        ignored++;
    }
    for (size_t i = 0; i < COUNT_OF(protocols6); i++) {
        packet_t packet = ipv6(UDP, 8);
        packet.bytes[6] = protocols6[i];
        assert_int_equal(see(&packet, EVAGG_IN), EVAGG_IGNORED);
        ignored++;
    }
    snapshot_t after;
    memset(&after, 0, sizeof after);
    after.statistics.ignored = ignored;
    connections_unchanged(subject.handle, &after);
    connections_close(&subject, 1003);
}

/* Every cut of a packet, in a heap block of exactly its size: a sanitizer sees any read beyond. A
   cut within the headers is malformed, one behind them counts the full size. */
static void check_every_truncation(const packet_t *packet, size_t headers, size_t bytes) {
    for (size_t length = 0; length <= packet->length; length++) {
        uint8_t *const copy = malloc(length > 0 ? length : 1);
        assert_non_null(copy);
        memcpy(copy, packet->bytes, length);
        open_subject();
        const evagg_status_t status =
            evagg_connections_record_packet(subject.handle, copy, length, EVAGG_OUT, 1001);
        free(copy);
        if (length < headers) {
            assert_int_equal(status, EVAGG_MALFORMED);
            assert_int_equal(connections_length(subject.handle), 0);
            assert_int_equal(connections_statistics(subject.handle).malformed, 1);
        } else {
            assert_int_equal(status, EVAGG_FIRST);
            connections_drain(&subject, 1002, 4);
            assert_int_equal(subject.records[0].bytes_out, bytes);
        }
        connections_close(&subject, 1003);
    }
}

static void every_truncation_is_malformed_or_counted_whole(void **state) {
    (void)state;
    packet_t packet = ipv4(TCP, 0, 30);
    check_every_truncation(&packet, 40, 50);
    packet = ipv4(UDP, 40, 30);
    check_every_truncation(&packet, 68, 38);
    packet = ipv4(ICMP, 0, 30);
    check_every_truncation(&packet, 28, 38);
    packet = ipv6(TCP, 30);
    check_every_truncation(&packet, 60, 50);
    packet = ipv6(UDP, 30);
    check_every_truncation(&packet, 48, 38);
    packet = chain_of_extensions();
    check_every_truncation(&packet, packet.length - 9, packet.length - 40);

    packet = ipv4(UDP, 0, 12);
    put16(packet.bytes + 6, 7);
    check_every_truncation(&packet, 20, 20);
    packet = ipv6_header(FRAGMENT);
    append_extension(&packet, FRAGMENT, TCP, 0);
    append_transport(&packet, TCP, 4);
    ipv6_finish(&packet);
    set_fragment(&packet, 40, 7, 0);
    check_every_truncation(&packet, 48, 32);
}

static void a_packet_with_cut_payload_counts_its_full_size(void **state) {
    (void)state;
    packet_t packet = ipv4(TCP, 0, 0);
    put16(packet.bytes + 2, 1500);
    evagg_connection_t connection = expected(4, TCP, EVAGG_IN);
    check_counted(&packet, &connection, EVAGG_IN, 1480);
    put16(packet.bytes + 2, 65535);
    check_counted(&packet, &connection, EVAGG_IN, 65515);
    packet = ipv6(UDP, 0);
    put16(packet.bytes + 4, 65535);
    connection = expected(6, UDP, EVAGG_IN);
    check_counted(&packet, &connection, EVAGG_IN, 65535);
}

/* Ethernet pads short frames: what lies behind the stated length is no part of the packet. */
static void padding_behind_the_packet_is_not_counted(void **state) {
    (void)state;
    packet_t packet = ipv4(UDP, 0, 2);
    memset(packet.bytes + packet.length, 0, 16);
    packet.length += 16;
    evagg_connection_t connection = expected(4, UDP, EVAGG_IN);
    check_counted(&packet, &connection, EVAGG_IN, 10);
    packet = ipv6(UDP, 2);
    packet.length += 16;
    connection = expected(6, UDP, EVAGG_IN);
    check_counted(&packet, &connection, EVAGG_IN, 10);
}

static void contradictory_headers_are_malformed(void **state) {
    (void)state;
    for (uint8_t version = 0; version < 16; version++) {
        if (version != 4 && version != 6) {
            packet_t packet = ipv4(UDP, 0, 40);
            packet.bytes[0] = (uint8_t)(version << 4 | 5);
            check_malformed(&packet);
        }
    }
    for (uint8_t words = 0; words < 5; words++) {
        packet_t packet = ipv4(UDP, 0, 40);
        packet.bytes[0] = (uint8_t)(0x40u | words);
        check_malformed(&packet);
    }
    for (size_t total = 0; total < 28; total++) {
        packet_t packet = ipv4(UDP, 0, 40);
        put16(packet.bytes + 2, total);
        check_malformed(&packet);
    }
    /* A header length beyond the total length, the bytes being there. */
    packet_t packet = ipv4(UDP, 0, 60);
    packet.bytes[0] = 0x4f;
    put16(packet.bytes + 2, 59);
    check_malformed(&packet);
    for (size_t length = 0; length < 8; length++) {
        packet = ipv6(UDP, 40);
        put16(packet.bytes + 4, length);
        check_malformed(&packet);
    }
}

/* An extension header that claims more than the packet has. */
static void extension_headers_that_run_out_are_malformed(void **state) {
    (void)state;
    static const uint8_t kinds[] = {HOP_BY_HOP, ROUTING, AH, DESTINATION_OPTIONS};
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        for (uint32_t claimed = 8; claimed <= 255; claimed += 13) {
            packet_t packet = ipv6_header(kinds[i]);
            append_extension(&packet, kinds[i], UDP, 0);
            append_transport(&packet, UDP, 4);
            ipv6_finish(&packet);
            packet.bytes[41] = (uint8_t)claimed;
            check_malformed(&packet);
        }
    }
    /* A chain that never ends: destination options all the way. */
    packet_t packet = ipv6_header(DESTINATION_OPTIONS);
    while (packet.length + 8 <= sizeof packet.bytes) {
        append_extension(&packet, DESTINATION_OPTIONS, DESTINATION_OPTIONS, 0);
    }
    ipv6_finish(&packet);
    check_malformed(&packet);
}

static void nothing_and_null(void **state) {
    (void)state;
    const packet_t packet = ipv4(UDP, 0, 0);
    open_subject();
    assert_int_equal(evagg_connections_record_packet(subject.handle, packet.bytes, 0, EVAGG_IN, 1),
                     EVAGG_MALFORMED);
    const snapshot_t before = connections_snapshot(subject.handle);
    assert_int_equal(evagg_connections_record_packet(subject.handle, NULL, 28, EVAGG_IN, 1),
                     EVAGG_ERROR_NULL_ARGUMENT);
    assert_int_equal(see(&packet, 0), EVAGG_ERROR_BAD_VALUE);
    assert_int_equal(see(&packet, 3), EVAGG_ERROR_BAD_VALUE);
    connections_unchanged(subject.handle, &before);
    connections_close(&subject, 1003);
}

static void disabled_passes_packets_by(void **state) {
    (void)state;
    const packet_t packet = ipv4(UDP, 0, 0);
    open_subject();
    assert_int_equal(evagg_connections_set_enabled(subject.handle, 0), EVAGG_OK);
    assert_int_equal(see(&packet, EVAGG_IN), EVAGG_DISABLED);
    assert_int_equal(connections_statistics(subject.handle).disabled, 1);
    assert_int_equal(connections_length(subject.handle), 0);
    connections_close(&subject, 1003);
}

static void packets_and_events_share_entries(void **state) {
    (void)state;
    const packet_t packet = ipv4(UDP, 0, 4);
    const evagg_connection_t connection = expected(4, UDP, EVAGG_OUT);
    open_subject();
    assert_int_equal(evagg_connections_record(subject.handle, &connection, EVAGG_IN, 5, 1001),
                     EVAGG_FIRST);
    assert_int_equal(see(&packet, EVAGG_OUT), EVAGG_COUNTED);
    connections_drain(&subject, 1002, 4);
    assert_int_equal(subject.count, 1);
    assert_int_equal(subject.records[0].bytes_in, 5);
    assert_int_equal(subject.records[0].bytes_out, 12);
    connections_close(&subject, 1003);
}

/* Any bytes whatever: no over-read, and every packet lands in exactly one statistic. */
static void noise_is_accounted_for(void **state) {
    (void)state;
    uint64_t random = 7;
    uint64_t counts[2] = {0, 0};
    open_subject();
    const uint32_t rounds = REPETITIONS(20000, 5000);
    for (uint32_t i = 0; i < rounds; i++) {
        const size_t length = (size_t)(next_random(&random) % 100);
        uint8_t *const bytes = malloc(length > 0 ? length : 1);
        assert_non_null(bytes);
        for (size_t k = 0; k < length; k++) {
            bytes[k] = (uint8_t)next_random(&random);
        }
        if (length > 6) {
            bytes[0] = (uint8_t)((next_random(&random) & 1u) != 0 ? 0x45u : 0x60u);
            bytes[6] = (uint8_t)(next_random(&random) % 64);
        }
        const evagg_status_t status =
            evagg_connections_record_packet(subject.handle, bytes, length, EVAGG_IN, 1001);
        free(bytes);
        assert_true(status == EVAGG_FIRST || status == EVAGG_COUNTED || status == EVAGG_REJECTED ||
                    status == EVAGG_IGNORED || status == EVAGG_MALFORMED);
        counts[0] += status == EVAGG_MALFORMED;
        counts[1] += status == EVAGG_IGNORED;
    }
    const evagg_statistics_t statistics = connections_statistics(subject.handle);
    assert_int_equal(statistics.malformed, counts[0]);
    assert_int_equal(statistics.ignored, counts[1]);
    assert_int_equal(statistics.offered, rounds - counts[0] - counts[1]);
    assert_true(statistics.offered > 0);
    connections_close(&subject, 1003);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ipv4_and_ipv6_in_both_directions),
        cmocka_unit_test(ipv4_options_of_every_length),
        cmocka_unit_test(every_ipv6_extension_header_is_walked),
        cmocka_unit_test(a_chain_of_extension_headers),
        cmocka_unit_test(first_fragments_have_ports_later_ones_have_none),
        cmocka_unit_test(a_later_fragment_needs_no_transport_header),
        cmocka_unit_test(other_protocols_are_ignored),
        cmocka_unit_test(every_truncation_is_malformed_or_counted_whole),
        cmocka_unit_test(a_packet_with_cut_payload_counts_its_full_size),
        cmocka_unit_test(padding_behind_the_packet_is_not_counted),
        cmocka_unit_test(contradictory_headers_are_malformed),
        cmocka_unit_test(extension_headers_that_run_out_are_malformed),
        cmocka_unit_test(nothing_and_null),
        cmocka_unit_test(disabled_passes_packets_by),
        cmocka_unit_test(packets_and_events_share_entries),
        cmocka_unit_test(noise_is_accounted_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
