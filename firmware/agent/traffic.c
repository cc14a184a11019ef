/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "traffic.h"
#include <string.h>

#define ICMP 1u
#define TCP 6u
#define UDP 17u
#define FRAGMENT_HEADER 44u
#define ICMPV6 58u
#define SCTP 132u

#define LONGEST_TRANSPORT_HEADER 20u
#define LARGEST_PAYLOAD 1400u
#define FIRST_PROCESS_ID 100u

/* One of each sort that the library tells apart; connections repeat them with other addresses. */
typedef struct sort_t {
    uint8_t ip_version;
    uint8_t protocol;
    bool fragment; /* not the first one: without ports */
} sort_t;

static const sort_t sorts[TRAFFIC_QUIET_CONNECTIONS] = {
    {4, TCP, false}, {6, TCP, false}, {4, UDP, false},  {6, UDP, false},
    {4, UDP, true},  {6, UDP, true},  {4, ICMP, false}, {6, ICMPV6, false},
};

static const char *const programs[TRAFFIC_BUSY_PROGRAMS] = {
    "sensor --channel 3",
    "modem attach",
    "update --server updates.example.net --channel stable --verify",
    "",
    "sensor --channel 4",
    "sensor --channel 5",
    "shell uptime",
    "shell ls /data",
    "modem detach",
    "log rotate",
    "provision --device pump --region north --certificate /data/device.pem",
    "watchdog",
};

static uint32_t next_random(void) {
    /* A linear congruential generator, whose high bits are the good ones. */
    static uint32_t state = 1;
    state = state * 1664525u + 1013904223u;
    return state >> 16;
}

static void put_u16(uint8_t *to, uint32_t value) {
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
}

static uint32_t address_length(uint8_t ip_version) { return ip_version == 4 ? 4 : 16; }

static void put_address(uint8_t *to, uint8_t ip_version, bool remote, uint32_t host) {
    static const uint8_t ipv4[2][3] = {{192, 0, 2}, {198, 51, 100}};
    if (ip_version == 4) {
        memcpy(to, ipv4[remote], sizeof ipv4[remote]);
        to[3] = (uint8_t)host;
    } else {
        memcpy(to, (const uint8_t[]){0x20, 0x01, 0x0d, 0xb8, 0, remote}, 6);
        to[15] = (uint8_t)host;
    }
}

evagg_connection_t traffic_connection(uint32_t number) {
    const sort_t sort = sorts[number % TRAFFIC_QUIET_CONNECTIONS];
    const bool ports = !sort.fragment && (sort.protocol == TCP || sort.protocol == UDP);
    evagg_connection_t connection = {.ip_version = sort.ip_version, .protocol = sort.protocol};
    put_address(connection.local_address, sort.ip_version, false, 1);
    put_address(connection.remote_address, sort.ip_version, true, number + 1);
    connection.local_port = (uint16_t)(ports ? 49152 + number : 0);
    connection.remote_port = ports ? 443 : 0;
    return connection;
}

/* Checksums stay 0, as with hardware that computes them; the library does not verify them. */
static size_t put_ip_header(uint8_t *to, sort_t sort, uint32_t payload, const uint8_t *source,
                            const uint8_t *destination) {
    const uint32_t length = address_length(sort.ip_version);
    if (sort.ip_version == 4) {
        to[0] = 0x45;
        put_u16(to + 2, 20 + payload);
        put_u16(to + 6, sort.fragment ? LARGEST_PAYLOAD / 8 : 0);
        to[8] = 64;
        to[9] = sort.protocol;
        memcpy(to + 12, source, length);
        memcpy(to + 16, destination, length);
        return 20;
    }
    to[0] = 0x60;
    put_u16(to + 4, payload);
    to[6] = sort.fragment ? FRAGMENT_HEADER : sort.protocol;
    to[7] = 64;
    memcpy(to + 8, source, length);
    memcpy(to + 24, destination, length);
    if (!sort.fragment) {
        return 40;
    }
    to[40] = sort.protocol;
    /* The offset in units of eight bytes, above three other bits: the number of bytes itself. */
    put_u16(to + 42, LARGEST_PAYLOAD);
    return 48;
}

static void put_packet(traffic_packet_t *packet, const evagg_connection_t *connection,
                       sort_t sort) {
    const bool out = packet->event.direction == EVAGG_OUT;
    uint8_t *const bytes = packet->bytes;
    memset(bytes, 0, sizeof packet->bytes);
    const size_t transport =
        put_ip_header(bytes, sort, packet->event.bytes,
                      out ? connection->local_address : connection->remote_address,
                      out ? connection->remote_address : connection->local_address);
    packet->length = transport + LONGEST_TRANSPORT_HEADER;
    if (sort.fragment) {
        /* Payload, which must not be taken for ports. */
        memset(bytes + transport, 0xa5, LONGEST_TRANSPORT_HEADER);
        return;
    }
    if (sort.protocol == ICMP || sort.protocol == ICMPV6) {
        bytes[transport] = 128;
        return;
    }
    put_u16(bytes + transport, out ? connection->local_port : connection->remote_port);
    put_u16(bytes + transport + 2, out ? connection->remote_port : connection->local_port);
    if (sort.protocol == TCP) {
        bytes[transport + 12] = 0x50;
    } else {
        put_u16(bytes + transport + 4, packet->event.bytes);
    }
}

void traffic_next_packet(traffic_packet_t *packet, bool busy) {
    const uint32_t number =
        next_random() % (busy ? TRAFFIC_BUSY_CONNECTIONS : TRAFFIC_QUIET_CONNECTIONS);
    const uint32_t roll = next_random();
    const evagg_connection_t connection = traffic_connection(number);
    sort_t sort = sorts[number % TRAFFIC_QUIET_CONNECTIONS];
    packet->event.number = number;
    packet->event.outcome = EVAGG_COUNTED;
    packet->event.direction = roll % 2 == 0 ? EVAGG_IN : EVAGG_OUT;
    packet->event.bytes = 2 * LONGEST_TRANSPORT_HEADER + next_random() % LARGEST_PAYLOAD;
    if (roll / 2 % 16 == 1) {
        sort.protocol = SCTP;
        packet->event.outcome = EVAGG_IGNORED;
    }
    put_packet(packet, &connection, sort);
    if (roll / 2 % 16 == 0) {
        packet->event.outcome = EVAGG_MALFORMED;
        if (roll / 32 % 2 == 0) {
            packet->length = roll / 64 % 20; /* short of any IP header */
        } else {
            packet->bytes[0] |= 0x90; /* a version that does not exist */
        }
    }
}

void traffic_next_program(evagg_process_t *program, traffic_event_t *event, bool busy) {
    const uint32_t number = next_random() % (busy ? TRAFFIC_BUSY_PROGRAMS : TRAFFIC_QUIET_PROGRAMS);
    program->command_line = programs[number];
    program->command_line_length = strlen(programs[number]);
    program->user_id = number % 2;
    program->process_id = FIRST_PROCESS_ID + number;
    program->parent_process_id = 1;
    event->number = number;
    event->outcome = EVAGG_COUNTED;
    event->bytes = 0;
    event->direction = EVAGG_OUT;
}

uint32_t traffic_connection_number(const evagg_connection_record_t *record) {
    const uint8_t *const address = record->connection.remote_address;
    const uint32_t number = address[address_length(record->connection.ip_version) - 1] - 1u;
    if (number >= TRAFFIC_EVENTS) {
        return TRAFFIC_EVENTS;
    }
    const evagg_connection_t connection = traffic_connection(number);
    return memcmp(&connection, &record->connection, sizeof connection) == 0 ? number
                                                                            : TRAFFIC_EVENTS;
}

uint32_t traffic_program_number(const evagg_process_record_t *record, uint32_t text_maximum) {
    const uint32_t number = record->process_id - FIRST_PROCESS_ID;
    if (number >= TRAFFIC_BUSY_PROGRAMS) {
        return TRAFFIC_EVENTS;
    }
    const size_t length = strlen(programs[number]);
    const size_t kept = length < text_maximum ? length : text_maximum;
    const bool same = record->full_length == length && record->command_line_length == kept &&
                      memcmp(record->command_line, programs[number], kept) == 0 &&
                      record->user_id == number % 2 && record->parent_process_id == 1;
    return same ? number : TRAFFIC_EVENTS;
}
