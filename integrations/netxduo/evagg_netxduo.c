/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "evagg_netxduo.h"

#include <stddef.h>
#include <string.h>

#include "nx_ip.h"
#include "tx_api.h"

#ifndef NX_ENABLE_IP_PACKET_FILTER
#error \
    "NetX Duo has no packet filter: define NX_ENABLE_IP_PACKET_FILTER in nx_user.h and build NetX Duo anew"
#endif

typedef UINT (*filter_t)(NX_IP *, NX_PACKET *, UINT);
typedef VOID (*receiver_t)(NX_IP *, NX_PACKET *);

enum {
    TCP,
    UDP,
    ICMP,
#ifndef NX_DISABLE_IPV6
    ICMP_V6,
#endif
    RECEIVERS,
    FILTER = RECEIVERS
};

/* Headers, that of TCP without options. */
enum { IPV4_WORDS = 5, IPV6_WORDS = 10, TRANSPORT_WORDS = 5 };

typedef char ulong_has_four_bytes[sizeof(ULONG) == 4 ? 1 : -1];

/* An IP instance and the hooks that it had. It is not given up before the IP instance is deleted: a
   hook that somebody else has taken over since is still called, through theirs. */
typedef struct {
    NX_IP *ip;
    /* NULL: nothing is recorded. */
    evagg_connections_t *volatile connections;
    filter_t filter;
    receiver_t receivers[RECEIVERS];
    UCHAR capture;
    /* Bits of the hooks that were set and not restored. */
    UCHAR hooked;
} attachment_t;

static attachment_t attachments[EVAGG_NETXDUO_IP_MAXIMUM];

static attachment_t *find(const NX_IP *ip) {
    for (UINT i = 0; i < EVAGG_NETXDUO_IP_MAXIMUM; i++) {
        if (attachments[i].ip == ip) {
            return &attachments[i];
        }
    }
    return NX_NULL;
}

/* How much of a packet can be read from `start` on: of a chain, the first buffer. */
static size_t bytes_at_hand(const NX_PACKET *packet, const UCHAR *start) {
    const UCHAR *end = packet->nx_packet_append_ptr;

    return end > start ? (size_t)(end - start) : 0;
}

static ULONG in_network_order(ULONG word) {
    NX_CHANGE_ULONG_ENDIAN(word);
    return word;
}

static VOID put_words(ULONG *wire, const UCHAR *header, UINT count) {
    for (UINT i = 0; i < count; i++) {
        ULONG word;

        memcpy(&word, &header[4 * i], sizeof word);
        wire[i] = in_network_order(word);
    }
}

/* By now NetX has turned the words of the IP header into host order, taken its options away and put
   fragments together; the length in the header is still the old one. From nx_packet_prepend_ptr on
   the packet is as it came, and not checked yet. The library reads packets as they are on the wire, so
   this one gets a new header with all that matters: addresses, protocol, length, and ports. */
static VOID record_received(evagg_connections_t *connections, const NX_PACKET *packet,
                            UCHAR protocol) {
    ULONG wire[IPV6_WORDS + TRANSPORT_WORDS];
    ULONG *start = wire;
    ULONG *const transport = &wire[IPV6_WORDS];
    const UCHAR *header = packet->nx_packet_ip_header;
    size_t at_hand = bytes_at_hand(packet, packet->nx_packet_prepend_ptr);
    ULONG length = packet->nx_packet_length;

    /* Fragments can make a packet longer than a header can say. */
    if (length > 0xffff - 4 * IPV4_WORDS) {
        length = 0xffff - 4 * IPV4_WORDS;
    }
    if (packet->nx_packet_ip_version == NX_IP_VERSION_V4) {
        start = transport - IPV4_WORDS;
        start[0] = in_network_order(0x45000000 | (4 * IPV4_WORDS + length));
        start[1] = 0;
        start[2] = in_network_order((ULONG)protocol << 16);
        put_words(&start[3], &header[12], 2);
    } else {
        start[0] = in_network_order(0x60000000);
        start[1] = in_network_order(length << 16 | (ULONG)protocol << 8);
        put_words(&start[2], &header[8], 8);
    }
    /* Of the transport header, the library reads that it is there, and the ports. */
    transport[0] = transport[1] = transport[2] = transport[3] = transport[4] = 0;
    if (at_hand >= sizeof(ULONG)) {
        memcpy(transport, packet->nx_packet_prepend_ptr, sizeof(ULONG));
    }
    if (at_hand > 4 * TRANSPORT_WORDS) {
        at_hand = 4 * TRANSPORT_WORDS;
    }
    (void)evagg_connections_record_packet(connections, start,
                                          4 * (size_t)(transport - start) + at_hand, EVAGG_IN,
                                          (evagg_time_t)tx_time_get());
}

static UINT is_left_out(UINT capture, UCHAR protocol) {
    switch (protocol) {
    case NX_PROTOCOL_TCP:
        return capture & EVAGG_NETXDUO_NO_TCP;
    case NX_PROTOCOL_UDP:
        return capture & EVAGG_NETXDUO_NO_UDP;
    case NX_PROTOCOL_ICMP:
    case NX_PROTOCOL_ICMPV6:
        return capture & EVAGG_NETXDUO_NO_ICMP;
    default:
        return NX_FALSE;
    }
}

static VOID release(NX_IP *ip, NX_PACKET *packet) {
    (VOID) ip;
    nx_packet_release(packet);
}

/* Returns whom to pass the packet on to. So the stack that recording takes is free again by then, for
   all that NetX does with the packet. */
static receiver_t record(const NX_IP *ip, const NX_PACKET *packet, UINT receiver, UCHAR protocol) {
    const attachment_t *attachment = find(ip);
    receiver_t original = attachment != NX_NULL ? attachment->receivers[receiver] : NX_NULL;
    evagg_connections_t *connections;
    UINT capture;

    if (original == NX_NULL) {
        /* Somebody has copied this hook to another IP instance: there is nobody to pass it on to. */
        return release;
    }
    connections = attachment->connections;
    capture = attachment->capture;
    if (connections != NX_NULL &&
        (capture == EVAGG_NETXDUO_RECEIVED ||
         ((capture & EVAGG_NETXDUO_ALL) == 0 && !is_left_out(capture, protocol)))) {
        record_received(connections, packet, protocol);
    }
    return original;
}

static VOID receive_tcp(NX_IP *ip, NX_PACKET *packet) {
    record(ip, packet, TCP, NX_PROTOCOL_TCP)(ip, packet);
}

static VOID receive_udp(NX_IP *ip, NX_PACKET *packet) {
    record(ip, packet, UDP, NX_PROTOCOL_UDP)(ip, packet);
}

static VOID receive_icmp(NX_IP *ip, NX_PACKET *packet) {
    record(ip, packet, ICMP, NX_PROTOCOL_ICMP)(ip, packet);
}

#ifndef NX_DISABLE_IPV6
static VOID receive_icmpv6(NX_IP *ip, NX_PACKET *packet) {
    record(ip, packet, ICMP_V6, NX_PROTOCOL_ICMPV6)(ip, packet);
}
#endif

static VOID record_on_the_wire(const attachment_t *attachment, const NX_PACKET *packet,
                               UINT direction) {
    evagg_connections_t *connections = attachment->connections;
    const UCHAR *header = packet->nx_packet_ip_header;
    const size_t at_hand = bytes_at_hand(packet, header);

    if (connections == NX_NULL ||
        (attachment->capture > EVAGG_NETXDUO_ALL && at_hand > 9 &&
         is_left_out(attachment->capture, header[0] >> 4 == 4 ? header[9] : header[6]))) {
        return;
    }
    (void)evagg_connections_record_packet(connections, header, at_hand,
                                          direction == NX_IP_PACKET_OUT ? EVAGG_OUT : EVAGG_IN,
                                          (evagg_time_t)tx_time_get());
}

/* Sees what is sent before it is cut into fragments, and what comes in before anything is checked. */
static UINT filter(NX_IP *ip, NX_PACKET *packet, UINT direction) {
    const attachment_t *attachment = find(ip);
    UINT status = NX_SUCCESS;

    if (attachment != NX_NULL) {
        const filter_t original = attachment->filter;

        if (original != NX_NULL) {
            status = original(ip, packet, direction);
        }
        if (status == NX_SUCCESS &&
            (direction == NX_IP_PACKET_OUT || (attachment->capture & EVAGG_NETXDUO_ALL) != 0)) {
            record_on_the_wire(attachment, packet, direction);
        }
    }
    return status;
}

static const receiver_t own_receivers[RECEIVERS] = {
    receive_tcp,
    receive_udp,
    receive_icmp,
#ifndef NX_DISABLE_IPV6
    receive_icmpv6,
#endif
};

static const size_t receiver_offsets[RECEIVERS] = {
    offsetof(NX_IP, nx_ip_tcp_packet_receive),
    offsetof(NX_IP, nx_ip_udp_packet_receive),
    offsetof(NX_IP, nx_ip_icmp_packet_receive),
#ifndef NX_DISABLE_IPV6
    offsetof(NX_IP, nx_ip_icmpv6_packet_process),
#endif
};

static receiver_t *receiver_of(NX_IP *ip, UINT receiver) {
    return (receiver_t *)(VOID *)((UCHAR *)ip + receiver_offsets[receiver]);
}

/* Whether a hook can be set. One that was set before and is somebody else's now may be called by
   theirs: to set it again would make a circle. One that is what it was before is so because the IP
   instance was created anew in the same place, or because somebody has restored it. */
static UINT can_set(const attachment_t *attachment, UINT hook, UINT is_as_before) {
    return is_as_before || (attachment->hooked >> hook & 1) == 0;
}

static VOID set_hooks(attachment_t *attachment) {
    NX_IP *ip = attachment->ip;
    const filter_t current = ip->nx_ip_packet_filter_extended;

    for (UINT i = 0; i < RECEIVERS; i++) {
        receiver_t *receiver = receiver_of(ip, i);

        if (*receiver == NX_NULL) {
            /* How NetX knows that a protocol is not enabled. */
            attachment->hooked = (UCHAR)(attachment->hooked & ~(1u << i));
        } else if (*receiver != own_receivers[i] &&
                   can_set(attachment, i, *receiver == attachment->receivers[i])) {
            attachment->receivers[i] = *receiver;
            attachment->hooked = (UCHAR)(attachment->hooked | 1u << i);
            *receiver = own_receivers[i];
        }
    }
    if (current != filter &&
        can_set(attachment, FILTER, current == NX_NULL || current == attachment->filter)) {
        attachment->filter = current;
        attachment->hooked = (UCHAR)(attachment->hooked | 1u << FILTER);
        ip->nx_ip_packet_filter_extended = filter;
    }
}

/* What the hooks were is kept: see attachment_t. */
static VOID restore_hooks(attachment_t *attachment) {
    NX_IP *ip = attachment->ip;

    for (UINT i = 0; i < RECEIVERS; i++) {
        receiver_t *receiver = receiver_of(ip, i);

        if (*receiver == own_receivers[i]) {
            *receiver = attachment->receivers[i];
            attachment->hooked = (UCHAR)(attachment->hooked & ~(1u << i));
        }
    }
    if (ip->nx_ip_packet_filter_extended == filter) {
        ip->nx_ip_packet_filter_extended = attachment->filter;
        attachment->hooked = (UCHAR)(attachment->hooked & ~(1u << FILTER));
    }
}

static UINT is_created(const NX_IP *ip) {
    const NX_IP *created = _nx_ip_created_ptr;

    for (ULONG i = 0; i < _nx_ip_created_count; i++) {
        if (created == ip) {
            return NX_TRUE;
        }
        created = created->nx_ip_created_next;
    }
    return NX_FALSE;
}

static VOID forget_deleted(VOID) {
    for (UINT i = 0; i < EVAGG_NETXDUO_IP_MAXIMUM; i++) {
        if (!is_created(attachments[i].ip)) {
            memset(&attachments[i], 0, sizeof attachments[i]);
        }
    }
}

/* With interrupts masked. */
static UINT attach(NX_IP *ip, evagg_connections_t *connections, UINT capture) {
    attachment_t *attachment = find(ip);

    if (attachment == NX_NULL) {
        attachment = find(NX_NULL);
    }
    if (attachment == NX_NULL) {
        return NX_NO_MORE_ENTRIES;
    }
    attachment->ip = ip;
    attachment->capture = (UCHAR)capture;
    attachment->connections = connections;
    set_hooks(attachment);
    return NX_SUCCESS;
}

UINT evagg_netxduo_attach(NX_IP *ip, evagg_connections_t *connections, UINT capture) {
    TX_INTERRUPT_SAVE_AREA
    UINT status = NX_PTR_ERROR;

    if (ip == NX_NULL || connections == NX_NULL) {
        return NX_PTR_ERROR;
    }
    if (capture >= 2 * EVAGG_NETXDUO_NO_ICMP) {
        return NX_OPTION_ERROR;
    }
    TX_DISABLE
    forget_deleted();
    if (is_created(ip)) {
        status = attach(ip, connections, capture);
    }
    TX_RESTORE
    return status;
}

UINT evagg_netxduo_attach_all(evagg_connections_t *connections, UINT capture) {
    TX_INTERRUPT_SAVE_AREA
    UINT status = NX_SUCCESS;
    NX_IP *ip;

    if (connections == NX_NULL) {
        return NX_PTR_ERROR;
    }
    if (capture >= 2 * EVAGG_NETXDUO_NO_ICMP) {
        return NX_OPTION_ERROR;
    }
    TX_DISABLE
    forget_deleted();
    ip = _nx_ip_created_ptr;
    for (ULONG i = 0; i < _nx_ip_created_count; i++) {
        if (attach(ip, connections, capture) != NX_SUCCESS) {
            status = NX_NO_MORE_ENTRIES;
        }
        ip = ip->nx_ip_created_next;
    }
    TX_RESTORE
    return status;
}

/* NetX looks whether there is a filter, and then reads it again to call it, all with nx_ip_protection
   held. So the filter must not become NX_NULL while anybody else holds it. */
VOID evagg_netxduo_detach(NX_IP *ip) {
    TX_INTERRUPT_SAVE_AREA
    attachment_t *attachment = NX_NULL;

    TX_DISABLE
    if (is_created(ip)) {
        attachment = find(ip);
    }
    TX_RESTORE
    if (attachment != NX_NULL) {
        tx_mutex_get(&ip->nx_ip_protection, TX_WAIT_FOREVER);
        TX_DISABLE
        attachment->connections = NX_NULL;
        restore_hooks(attachment);
        TX_RESTORE
        tx_mutex_put(&ip->nx_ip_protection);
    }
}

VOID evagg_netxduo_detach_all(void) {
    for (UINT i = 0; i < EVAGG_NETXDUO_IP_MAXIMUM; i++) {
        evagg_netxduo_detach(attachments[i].ip);
    }
}
