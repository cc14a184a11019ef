/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "direction.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

#include "evagg.h"

#define IPV4_HEADER_LENGTH 20
#define IPV6_HEADER_LENGTH 40
#define IPPROTO_HOST_IDENTITY 139
#define IPPROTO_SHIM6 140

static size_t ipv4_port_offset(const uint8_t *packet) {
    bool first_fragment = (packet[6] & 0x1f) == 0 && packet[7] == 0;
    bool has_ports = packet[9] == IPPROTO_TCP || packet[9] == IPPROTO_UDP;
    return first_fragment && has_ports ? (packet[0] & 0x0fu) * 4u : 0;
}

static size_t ipv6_port_offset(const uint8_t *packet, size_t length) {
    uint8_t next_header = packet[6];
    size_t offset = IPV6_HEADER_LENGTH;
    while (next_header != IPPROTO_TCP && next_header != IPPROTO_UDP) {
        if (length - offset < 8) {
            return 0;
        }
        const uint8_t *extension = packet + offset;
        size_t extension_length;
        switch (next_header) {
        case IPPROTO_HOPOPTS:
        case IPPROTO_ROUTING:
        case IPPROTO_DSTOPTS:
        case IPPROTO_MH:
        case IPPROTO_HOST_IDENTITY:
        case IPPROTO_SHIM6:
            extension_length = (extension[1] + 1u) * 8u;
            break;
        case IPPROTO_AH:
            extension_length = (extension[1] + 2u) * 4u;
            break;
        case IPPROTO_FRAGMENT:
            if (extension[2] != 0 || (extension[3] & 0xf8) != 0) {
                return 0;
            }
            extension_length = 8;
            break;
        default:
            return 0;
        }
        if (extension_length > length - offset) {
            return 0;
        }
        next_header = extension[0];
        offset += extension_length;
    }
    return offset;
}

/* Ports matter only between equal addresses, as on the loopback interface. */
static bool source_port_is_higher(const uint8_t *packet, size_t length, size_t port_offset) {
    if (port_offset == 0 || length < port_offset || length - port_offset < 4) {
        return false;
    }
    return memcmp(packet + port_offset, packet + port_offset + 2, 2) > 0;
}

uint8_t packet_direction(const struct network_list *local_networks, const uint8_t *packet,
                         size_t length) {
    uint8_t ip_version = length > 0 ? packet[0] >> 4 : 0;
    size_t address_length;
    const uint8_t *source;
    if (ip_version == 4 && length >= IPV4_HEADER_LENGTH) {
        address_length = 4;
        source = packet + 12;
    } else if (ip_version == 6 && length >= IPV6_HEADER_LENGTH) {
        address_length = 16;
        source = packet + 8;
    } else {
        return EVAGG_IN; /* the library will call it malformed */
    }
    const uint8_t *destination = source + address_length;

    bool source_is_local = network_list_contains(local_networks, ip_version, source);
    bool destination_is_local = network_list_contains(local_networks, ip_version, destination);
    if (source_is_local != destination_is_local) {
        return source_is_local ? EVAGG_OUT : EVAGG_IN;
    }
    int order = memcmp(source, destination, address_length);
    if (order != 0) {
        return order < 0 ? EVAGG_OUT : EVAGG_IN;
    }
    size_t port_offset =
        ip_version == 4 ? ipv4_port_offset(packet) : ipv6_port_offset(packet, length);
    return source_port_is_higher(packet, length, port_offset) ? EVAGG_IN : EVAGG_OUT;
}
