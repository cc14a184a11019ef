/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "packets.h"

enum { IPV4_HEADER = 20, IPV6_HEADER = 40, LOCAL_PORT = 4660, FIRST_REMOTE_PORT = 5000 };

NX_IP ip;
connections_case_t subject;
CONNECTIONS_MEMORY(memory, CAPACITY);

const kind_t kinds[KINDS] = {
    {4, TCP}, {4, UDP}, {4, ICMP},
#ifndef NX_DISABLE_IPV6
    {6, TCP}, {6, UDP}, {6, ICMPV6},
#endif
};

static void put16(uint8_t *at, ULONG value) {
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

ULONG ip_header_of(kind_t kind) { return kind.version == 4 ? IPV4_HEADER : IPV6_HEADER; }

ULONG transport_header_of(kind_t kind) {
    return kind.protocol == TCP ? 20 : kind.protocol == ICMPV6 ? 4 : 8;
}

evagg_connection_t connection_of(kind_t kind, uint32_t n) {
    const size_t size = kind.version == 4 ? 4 : 16;
    evagg_connection_t connection;

    memset(&connection, 0, sizeof connection);
    for (size_t i = 0; i < size; i++) {
        connection.local_address[i] = (uint8_t)(0x11 + i);
        connection.remote_address[i] = (uint8_t)(0xa1 + i);
    }
    put16(&connection.remote_address[size - 2], n);
    connection.protocol = kind.protocol;
    connection.ip_version = kind.version;
    if (kind.protocol == TCP || kind.protocol == UDP) {
        connection.local_port = LOCAL_PORT;
        connection.remote_port = (uint16_t)(FIRST_REMOTE_PORT + n);
    }
    return connection;
}

static void set_length(packet_t *packet) {
    if (packet->bytes[0] >> 4 == 4) {
        put16(&packet->bytes[2], packet->length);
    } else {
        put16(&packet->bytes[4], packet->length - IPV6_HEADER);
    }
}

packet_t packet_of(kind_t kind, uint8_t direction, uint32_t n, ULONG payload) {
    const evagg_connection_t connection = connection_of(kind, n);
    const uint8_t is_out = direction == EVAGG_OUT;
    const uint8_t *const source = is_out ? connection.local_address : connection.remote_address;
    const uint8_t *const target = is_out ? connection.remote_address : connection.local_address;
    const ULONG header = ip_header_of(kind);
    packet_t packet;

    memset(&packet, 0, sizeof packet);
    packet.length = header + transport_header_of(kind) + payload;
    assert_true(packet.length <= sizeof packet.bytes);
    if (kind.version == 4) {
        packet.bytes[0] = 0x45;
        put16(&packet.bytes[4], 0xbeef);
        packet.bytes[8] = 64;
        packet.bytes[9] = kind.protocol;
        memcpy(&packet.bytes[12], source, 4);
        memcpy(&packet.bytes[16], target, 4);
    } else {
        put16(&packet.bytes[0], 0x6012);
        put16(&packet.bytes[2], 0x3456);
        packet.bytes[6] = kind.protocol;
        packet.bytes[7] = 64;
        memcpy(&packet.bytes[8], source, 16);
        memcpy(&packet.bytes[24], target, 16);
    }
    set_length(&packet);
    if (connection.local_port != 0) {
        put16(&packet.bytes[header], is_out ? connection.local_port : connection.remote_port);
        put16(&packet.bytes[header + 2], is_out ? connection.remote_port : connection.local_port);
    } else {
        packet.bytes[header] = 8;
        packet.bytes[header + 3] = (uint8_t)n;
    }
    if (kind.protocol == TCP) {
        packet.bytes[header + 12] = 0x50;
    }
    memset(&packet.bytes[packet.length - payload], 0xdd, payload);
    return packet;
}

static void insert(packet_t *packet, ULONG at, ULONG length) {
    assert_true(packet->length + length <= sizeof packet->bytes);
    memmove(&packet->bytes[at + length], &packet->bytes[at], packet->length - at);
    memset(&packet->bytes[at], 0, length);
    packet->length += length;
    set_length(packet);
}

void insert_options(packet_t *packet, ULONG bytes) {
    insert(packet, IPV4_HEADER, bytes);
    memset(&packet->bytes[IPV4_HEADER], 1, bytes);
    packet->bytes[0] = (uint8_t)(packet->bytes[0] + bytes / 4);
}

void insert_extension(packet_t *packet, uint8_t type, uint8_t units) {
    insert(packet, IPV6_HEADER, 8 * (units + 1u));
    packet->bytes[IPV6_HEADER] = packet->bytes[6];
    packet->bytes[IPV6_HEADER + 1] = units;
    packet->bytes[6] = type;
}

void set_fragment(packet_t *packet, uint32_t offset, uint8_t more) {
    if (packet->bytes[0] >> 4 == 4) {
        put16(&packet->bytes[6], (more ? 0x2000u : 0) | offset);
    } else {
        put16(&packet->bytes[IPV6_HEADER + 2], offset << 3 | more);
    }
}

void cut_to(packet_t *packet, ULONG length) {
    packet->length = length;
    set_length(packet);
}

UINT see_in(NX_IP *instance, const packet_t *packet) {
    return fake_receive(instance, packet->bytes, packet->length, 0);
}

UINT see_out(NX_IP *instance, const packet_t *packet) {
    return fake_send(instance, packet->bytes, packet->length, 0);
}

UINT see(NX_IP *instance, const packet_t *packet, uint8_t direction) {
    return direction == EVAGG_IN ? see_in(instance, packet) : see_out(instance, packet);
}

void ip_open(NX_IP *instance) {
    fake_ip_create(instance);
    fake_enable_all(instance);
}

evagg_config_t cache_config(void) {
    evagg_config_t config = config_of(CAPACITY, 0);

    config.lock = EVAGG_LOCK_DEFAULT;
    config.acquire = evagg_threadx_acquire;
    config.release = evagg_threadx_release;
    config.warning_delivery = EVAGG_WARN_AT_FLUSH;
    return config;
}

void cache_open(void) {
    const evagg_config_t config = cache_config();

    fake_time = 1001;
    fake_misalignment = 0;
    connections_open(&subject, memory, sizeof memory, &config);
}

void attached_open(UINT capture) {
    cache_open();
    ip_open(&ip);
    assert_int_equal(evagg_netxduo_attach(&ip, subject.handle, capture), NX_SUCCESS);
}

void check_one(kind_t kind, uint32_t n, uint8_t direction, uint32_t bytes) {
    const evagg_connection_t connection = connection_of(kind, n);

    connections_drain(&subject, 1002, 4);
    assert_int_equal(subject.count, 1);
    assert_memory_equal(&subject.records[0].connection, &connection, sizeof connection);
    assert_int_equal(subject.records[0].hit_count, 1);
    assert_int_equal(subject.records[0].bytes_in, direction == EVAGG_IN ? bytes : 0);
    assert_int_equal(subject.records[0].bytes_out, direction == EVAGG_OUT ? bytes : 0);
    assert_int_equal(subject.records[0].first_seen, fake_time);
    assert_int_equal(subject.records[0].last_seen, fake_time);
}

void check_nothing(void) {
    connections_drain(&subject, 1002, 4);
    assert_int_equal(subject.count, 0);
}

void check_fakes(void) {
    const char *const fault = fake_fault;

    fake_fault = NULL;
    assert_string_equal(fault != NULL ? fault : "", "");
    assert_int_equal(fake_packets, 0);
    assert_int_equal(fake_nested_masks, 0);
    assert_int_equal(fake_posture(), FAKE_ENABLED);
}

void close_all(void) {
    evagg_netxduo_detach_all();
    while (_nx_ip_created_ptr != NULL) {
        fake_ip_delete(_nx_ip_created_ptr);
    }
    connections_close(&subject, 1003);
    check_fakes();
}
