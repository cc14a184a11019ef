/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "link.h"

#include <net/ethernet.h>
#include <pcap/pcap.h>
#include <string.h>

#ifndef DLT_LINUX_SLL2
#define DLT_LINUX_SLL2 276
#endif

#define VLAN_TAG_LENGTH 4
#define ETHER_TYPE_QINQ_OLD 0x9100
#define ETHER_TYPE_QINQ 0x88a8
#define SMALLEST_ETHER_TYPE 0x0600

/* IPv6 has another address family number on each system that wrote the capture. */
enum {
    FAMILY_IPV4 = 2,
    FAMILY_LINUX_IPV6 = 10,
    FAMILY_NETBSD_IPV6 = 24,
    FAMILY_FREEBSD_IPV6 = 28,
    FAMILY_DARWIN_IPV6 = 30
};

struct cursor {
    const uint8_t *bytes;
    size_t length;
};

static bool skip(struct cursor *cursor, size_t count) {
    if (cursor->length < count) {
        return false;
    }
    cursor->bytes += count;
    cursor->length -= count;
    return true;
}

static uint16_t read_u16(const uint8_t *bytes) { return (uint16_t)(bytes[0] << 8 | bytes[1]); }

/* The type is at type_offset of a header of header_length bytes; VLAN tags may follow it. */
static bool skip_typed_header(struct cursor *cursor, size_t type_offset, size_t header_length) {
    if (cursor->length < header_length) {
        return false;
    }
    uint16_t type = read_u16(cursor->bytes + type_offset);
    (void)skip(cursor, header_length);
    while (type == ETHERTYPE_VLAN || type == ETHER_TYPE_QINQ || type == ETHER_TYPE_QINQ_OLD) {
        if (cursor->length < VLAN_TAG_LENGTH) {
            return false;
        }
        type = read_u16(cursor->bytes + 2);
        (void)skip(cursor, VLAN_TAG_LENGTH);
    }
    if (type < SMALLEST_ETHER_TYPE) {
        static const uint8_t snap[] = {0xaa, 0xaa, 0x03, 0x00, 0x00, 0x00};
        if (cursor->length < sizeof snap + 2 || memcmp(cursor->bytes, snap, sizeof snap) != 0) {
            return false;
        }
        type = read_u16(cursor->bytes + sizeof snap);
        (void)skip(cursor, sizeof snap + 2);
    }
    return type == ETHERTYPE_IP || type == ETHERTYPE_IPV6;
}

static bool skip_family(struct cursor *cursor) {
    if (cursor->length < 4) {
        return false;
    }
    /* DLT_NULL has the byte order of the machine that captured, DLT_LOOP that of the network: a
     * family number is small, so its two zero bytes tell which. */
    unsigned high = read_u16(cursor->bytes);
    unsigned low = read_u16(cursor->bytes + 2);
    if (high != 0 && low != 0) {
        return false;
    }
    unsigned family = high == 0 ? low : high >> 8 | (high & 0xffu) << 8;
    (void)skip(cursor, 4);
    switch (family) {
    case FAMILY_IPV4:
    case FAMILY_LINUX_IPV6:
    case FAMILY_NETBSD_IPV6:
    case FAMILY_FREEBSD_IPV6:
    case FAMILY_DARWIN_IPV6:
        return true;
    default:
        return false;
    }
}

static bool skip_link_header(int link_type, struct cursor *cursor) {
    switch (link_type) {
    case DLT_EN10MB:
        return skip_typed_header(cursor, 12, 14);
    case DLT_LINUX_SLL:
        return skip_typed_header(cursor, 14, 16);
    case DLT_LINUX_SLL2:
        return skip_typed_header(cursor, 0, 20);
    case DLT_NULL:
    case DLT_LOOP:
        return skip_family(cursor);
    case DLT_RAW:
    case DLT_IPV4:
    case DLT_IPV6:
        return true;
    default:
        return false;
    }
}

bool link_type_known(int link_type) {
    switch (link_type) {
    case DLT_EN10MB:
    case DLT_LINUX_SLL:
    case DLT_LINUX_SLL2:
    case DLT_NULL:
    case DLT_LOOP:
    case DLT_RAW:
    case DLT_IPV4:
    case DLT_IPV6:
        return true;
    default:
        return false;
    }
}

bool link_find_ip(int link_type, const uint8_t *frame, size_t length, const uint8_t **packet,
                  size_t *packet_length) {
    struct cursor cursor = {frame, length};
    if (!skip_link_header(link_type, &cursor)) {
        return false;
    }
    *packet = cursor.bytes;
    *packet_length = cursor.length;
    return true;
}
