/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The way of a packet through NetX Duo, as far as a hook can tell. */
#include "fake_netx.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

NX_IP *_nx_ip_created_ptr;
ULONG _nx_ip_created_count;

ULONG fake_packets;
ULONG fake_released;
#ifdef FAKE_PORT_MUTEX
_Thread_local UINT fake_in_hook;
#else
UINT fake_in_hook;
#endif
ULONG fake_misalignment;

enum { IPV4_HEADER = 20, IPV6_HEADER = 40, FRAGMENT_HEADER = 8 };

static ULONG get16(const UCHAR *at) { return (ULONG)at[0] << 8 | at[1]; }

/* A sum over a packet and what describes it, to see whether it is still the same. */
static ULONG sum_of(const NX_PACKET *packet) {
    ULONG sum = packet->nx_packet_length + packet->nx_packet_ip_version;

    for (; packet != NX_NULL; packet = packet->nx_packet_next) {
        const UCHAR *byte = packet->nx_packet_ip_header != NX_NULL ? packet->nx_packet_ip_header
                                                                   : packet->nx_packet_prepend_ptr;

        sum = sum * 31 + (ULONG)(packet->nx_packet_prepend_ptr - packet->fake_block);
        for (; byte < packet->nx_packet_append_ptr; byte++) {
            sum = sum * 31 + *byte;
        }
    }
    return sum;
}

static NX_PACKET *buffer(const UCHAR *bytes, ULONG length) {
    /* The end of the packet is the end of the block, for sanitizers. */
    const ULONG start = 8 + fake_misalignment;
    NX_PACKET *packet = calloc(1, sizeof *packet);

    if (packet == NX_NULL || (packet->fake_block = malloc(start + length)) == NX_NULL) {
        abort();
    }
    packet->nx_packet_prepend_ptr = packet->fake_block + start;
    packet->nx_packet_append_ptr = packet->nx_packet_prepend_ptr + length;
    memcpy(packet->nx_packet_prepend_ptr, bytes, length);
    return packet;
}

NX_PACKET *fake_packet(const VOID *bytes, ULONG length, ULONG first) {
    NX_PACKET *packet;

    if (first == 0 || first > length) {
        first = length;
    }
    packet = buffer(bytes, first);
    packet->nx_packet_ip_header = packet->nx_packet_prepend_ptr;
    packet->nx_packet_length = length;
    packet->nx_packet_ip_version = (UCHAR)(length > 0 ? *(const UCHAR *)bytes >> 4 : 0);
    if (first < length) {
        packet->nx_packet_next = buffer((const UCHAR *)bytes + first, length - first);
    }
    fake_packets++;
    return packet;
}

static VOID consume(NX_PACKET *packet) {
    fake_packets--;
    while (packet != NX_NULL) {
        NX_PACKET *next = packet->nx_packet_next;

        free(packet->fake_block);
        free(packet);
        packet = next;
    }
}

UINT nx_packet_release(NX_PACKET *packet) {
    fake_released++;
    consume(packet);
    return NX_SUCCESS;
}

static VOID deliver(NX_IP *ip, NX_PACKET *packet, UINT protocol) {
    fake_check(fake_posture() == FAKE_ENABLED, "a protocol was called with interrupts masked");
    fake_check(packet->fake_sum == sum_of(packet), "a hook has changed the packet");
    ip->fake_delivered[protocol]++;
    ip->fake_delivered_bytes += packet->nx_packet_length;
    consume(packet);
}

VOID fake_tcp_receive(NX_IP *ip, NX_PACKET *packet) { deliver(ip, packet, FAKE_TCP); }
VOID fake_udp_receive(NX_IP *ip, NX_PACKET *packet) { deliver(ip, packet, FAKE_UDP); }
VOID fake_icmp_receive(NX_IP *ip, NX_PACKET *packet) { deliver(ip, packet, FAKE_ICMP); }
VOID fake_icmpv6_receive(NX_IP *ip, NX_PACKET *packet) { deliver(ip, packet, FAKE_ICMPV6); }

VOID fake_ip_create(NX_IP *ip) {
    memset(ip, 0, sizeof *ip);
    ip->nx_ip_id = 0x49502020;
    if (_nx_ip_created_ptr == NX_NULL) {
        _nx_ip_created_ptr = ip;
        ip->nx_ip_created_next = ip;
    } else {
        ip->nx_ip_created_next = _nx_ip_created_ptr->nx_ip_created_next;
        _nx_ip_created_ptr->nx_ip_created_next = ip;
    }
    _nx_ip_created_count++;
}

VOID fake_ip_delete(NX_IP *ip) {
    NX_IP *before = ip;

    while (before->nx_ip_created_next != ip) {
        before = before->nx_ip_created_next;
    }
    before->nx_ip_created_next = ip->nx_ip_created_next;
    _nx_ip_created_ptr = before != ip ? before : NX_NULL;
    _nx_ip_created_count--;
    ip->nx_ip_id = 0;
}

VOID fake_enable_all(NX_IP *ip) {
    ip->nx_ip_tcp_packet_receive = fake_tcp_receive;
    ip->nx_ip_udp_packet_receive = fake_udp_receive;
    ip->nx_ip_icmp_packet_receive = fake_icmp_receive;
#ifndef NX_DISABLE_IPV6
    ip->nx_ip_icmpv6_packet_process = fake_icmpv6_receive;
#endif
}

typedef UINT (*volatile filter_hook_t)(NX_IP *, NX_PACKET *, UINT);

/* The hook is read twice, as unoptimised code does. */
static UINT filter(NX_IP *ip, NX_PACKET *packet, UINT direction) {
    const filter_hook_t *const extended = &ip->nx_ip_packet_filter_extended;
    UINT status = NX_SUCCESS;

    packet->fake_sum = sum_of(packet);
    fake_in_hook++;
    if (ip->nx_ip_packet_filter != NX_NULL) {
        status = ip->nx_ip_packet_filter(packet->nx_packet_ip_header, direction);
    }
    if (status == NX_SUCCESS && *extended != NX_NULL) {
        status = (*extended)(ip, packet, direction);
    }
    fake_in_hook--;
    fake_check(packet->fake_sum == sum_of(packet), "a filter has changed the packet");
    fake_check(fake_posture() == FAKE_ENABLED, "a filter has left interrupts masked");
    return status;
}

/* Words in network order become words in host order. */
static VOID to_host_order(UCHAR *bytes, UINT words) {
    for (; words > 0; words--, bytes += 4) {
        const uint32_t word = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
                              (uint32_t)bytes[2] << 8 | bytes[3];

        memcpy(bytes, &word, sizeof word);
    }
}

/* Puts a fragment to those before it, of the same packet and in their order. */
static NX_PACKET *reassemble(NX_IP *ip, NX_PACKET *packet, UINT is_last) {
    NX_PACKET *whole = ip->fake_fragments;
    NX_PACKET *last = whole;

    if (whole == NX_NULL) {
        ip->fake_fragments = packet;
        return NX_NULL;
    }
    while (last->nx_packet_next != NX_NULL) {
        last = last->nx_packet_next;
    }
    last->nx_packet_next = packet;
    whole->nx_packet_length += packet->nx_packet_length;
    packet->nx_packet_ip_header = NX_NULL;
    fake_packets--;
    if (!is_last) {
        return NX_NULL;
    }
    ip->fake_fragments = NX_NULL;
    return whole;
}

/* To the transport header of a packet whose IP header is sound: its protocol, or -1. */
static int enter_ipv4(NX_PACKET *packet, ULONG first, UINT *offset, UINT *more) {
    UCHAR *header = packet->nx_packet_ip_header;
    ULONG header_length, total;
    int protocol;

    if (first < IPV4_HEADER) {
        return -1;
    }
    header_length = 4 * (header[0] & 15u);
    total = get16(header + 2);
    if (header_length < IPV4_HEADER || first < header_length || total < header_length ||
        total > packet->nx_packet_length) {
        return -1;
    }
    protocol = header[9];
    *offset = get16(header + 6) & 0x1fff;
    *more = get16(header + 6) >> 13 & 1;
    to_host_order(header, IPV4_HEADER / 4);
    packet->nx_packet_prepend_ptr = header + header_length;
    packet->nx_packet_length = total - header_length;
    if (header_length > IPV4_HEADER) {
        uint32_t word;

        memcpy(&word, header, sizeof word);
        word = (word & 0xf0ffffff) | 0x05000000;
        memcpy(header, &word, sizeof word);
        packet->nx_packet_ip_header = header + header_length - IPV4_HEADER;
        memmove(packet->nx_packet_ip_header, header, IPV4_HEADER);
    }
    return protocol;
}

static int enter_ipv6(NX_PACKET *packet, ULONG first, UINT *offset, UINT *more) {
    UCHAR *header = packet->nx_packet_ip_header;
    ULONG at = IPV6_HEADER, payload;
    int next;

    if (first < IPV6_HEADER) {
        return -1;
    }
    payload = get16(header + 4);
    next = header[6];
    if (IPV6_HEADER + payload > packet->nx_packet_length) {
        return -1;
    }
    while (next == 0 || next == 43 || next == 44 || next == 60) {
        ULONG length = FRAGMENT_HEADER;

        if (first < at + 8) {
            return -1;
        }
        if (next == 44) {
            *offset = get16(header + at + 2) >> 3;
            *more = header[at + 3] & 1;
        } else {
            length = 8 * (1u + header[at + 1]);
        }
        next = header[at];
        at += length;
        if (first < at || at > IPV6_HEADER + payload) {
            return -1;
        }
        /* What is behind the header of a later fragment is no header. */
        if (length == FRAGMENT_HEADER && *offset != 0) {
            break;
        }
    }
    to_host_order(header, IPV6_HEADER / 4);
    packet->nx_packet_prepend_ptr = header + at;
    packet->nx_packet_length = IPV6_HEADER + payload - at;
    return next;
}

static VOID (*protocol_of(NX_IP *ip, int protocol))(NX_IP *, NX_PACKET *) {
    switch (protocol) {
    case NX_PROTOCOL_TCP:
        return ip->nx_ip_tcp_packet_receive;
    case NX_PROTOCOL_UDP:
        return ip->nx_ip_udp_packet_receive;
    case NX_PROTOCOL_ICMP:
        return ip->nx_ip_icmp_packet_receive;
#ifndef NX_DISABLE_IPV6
    case NX_PROTOCOL_ICMPV6:
        return ip->nx_ip_icmpv6_packet_process;
#endif
    default:
        return NX_NULL;
    }
}

static VOID drop(NX_IP *ip, NX_PACKET *packet) {
    ip->fake_dropped++;
    consume(packet);
}

VOID fake_hand_over(NX_IP *ip, NX_PACKET *packet, VOID (*receive)(NX_IP *, NX_PACKET *)) {
    const ULONG before = fake_packets;

    packet->fake_sum = sum_of(packet);
    fake_in_hook++;
    receive(ip, packet);
    fake_in_hook--;
    fake_check(fake_packets < before, "a packet was neither passed on nor released");
    fake_check(fake_posture() == FAKE_ENABLED, "a hook has left interrupts masked");
}

static VOID process(NX_IP *ip, NX_PACKET *packet) {
    const ULONG first = (ULONG)(packet->nx_packet_append_ptr - packet->nx_packet_prepend_ptr);
    UINT offset = 0, more = 0;
    int protocol = -1;
    VOID (*receive)(NX_IP *, NX_PACKET *);

    if (packet->nx_packet_ip_version == NX_IP_VERSION_V4) {
        protocol = enter_ipv4(packet, first, &offset, &more);
    } else if (packet->nx_packet_ip_version == NX_IP_VERSION_V6) {
        protocol = enter_ipv6(packet, first, &offset, &more);
    }
    if (protocol >= 0 && (offset != 0 || more)) {
        packet = reassemble(ip, packet, !more);
        if (packet == NX_NULL) {
            return;
        }
    }
    receive = protocol_of(ip, protocol);
    if (receive == NX_NULL) {
        drop(ip, packet);
        return;
    }
    fake_hand_over(ip, packet, receive);
}

UINT fake_receive(NX_IP *ip, const VOID *bytes, ULONG length, ULONG first) {
    NX_PACKET *packet;
    UINT status;

    (void)tx_mutex_get(&ip->nx_ip_protection, TX_WAIT_FOREVER);
    packet = fake_packet(bytes, length, first);
    status = filter(ip, packet, NX_IP_PACKET_IN);
    if (status != NX_SUCCESS) {
        drop(ip, packet);
    } else {
        process(ip, packet);
    }
    (void)tx_mutex_put(&ip->nx_ip_protection);
    return status;
}

UINT fake_send(NX_IP *ip, const VOID *bytes, ULONG length, ULONG first) {
    NX_PACKET *packet;
    UINT status;

    (void)tx_mutex_get(&ip->nx_ip_protection, TX_WAIT_FOREVER);
    packet = fake_packet(bytes, length, first);
    status = filter(ip, packet, NX_IP_PACKET_OUT);
    if (status != NX_SUCCESS) {
        drop(ip, packet);
    } else {
        ip->fake_sent++;
        consume(packet);
    }
    (void)tx_mutex_put(&ip->nx_ip_protection);
    return status;
}
