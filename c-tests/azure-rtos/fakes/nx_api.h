/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What the integrations use of NetX Duo, by its names. */
#ifndef FAKE_NX_API_H
#define FAKE_NX_API_H

#include "tx_api.h"

/* As if nx_user.h had it. */
#if !defined(NX_ENABLE_IP_PACKET_FILTER) && !defined(FAKE_WITHOUT_PACKET_FILTER)
#define NX_ENABLE_IP_PACKET_FILTER
#endif

#define NX_NULL ((void *)0)
#define NX_TRUE 1
#define NX_FALSE 0

#define NX_SUCCESS 0x00
#define NX_PTR_ERROR 0x07
#define NX_OPTION_ERROR 0x0a
#define NX_NO_MORE_ENTRIES 0x17
#define NX_NOT_SUCCESSFUL 0x43

#define NX_IP_VERSION_V4 4
#define NX_IP_VERSION_V6 6
#define NX_PROTOCOL_ICMP 1
#define NX_PROTOCOL_TCP 6
#define NX_PROTOCOL_UDP 17
#define NX_PROTOCOL_ICMPV6 58

#define NX_IP_PACKET_IN 0
#define NX_IP_PACKET_OUT 1

/* Between host and network order, either way. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define NX_CHANGE_ULONG_ENDIAN(word) (word) = __builtin_bswap32(word)
#else
#define NX_CHANGE_ULONG_ENDIAN(word)
#endif

typedef struct NX_PACKET_STRUCT {
    /* The next buffer of this packet. */
    struct NX_PACKET_STRUCT *nx_packet_next;
    UCHAR *nx_packet_prepend_ptr;
    UCHAR *nx_packet_append_ptr;
    UCHAR *nx_packet_ip_header;
    /* Of all buffers. */
    ULONG nx_packet_length;
    UCHAR nx_packet_ip_version;
    UCHAR *fake_block;
    ULONG fake_sum;
} NX_PACKET;

enum { FAKE_TCP, FAKE_UDP, FAKE_ICMP, FAKE_ICMPV6, FAKE_PROTOCOLS };

typedef struct NX_IP_STRUCT {
    ULONG nx_ip_id;
    struct NX_IP_STRUCT *nx_ip_created_next;
    TX_MUTEX nx_ip_protection;
    VOID (*nx_ip_tcp_packet_receive)(struct NX_IP_STRUCT *, NX_PACKET *);
    VOID (*nx_ip_udp_packet_receive)(struct NX_IP_STRUCT *, NX_PACKET *);
    VOID (*nx_ip_icmp_packet_receive)(struct NX_IP_STRUCT *, NX_PACKET *);
#ifndef NX_DISABLE_IPV6
    VOID (*nx_ip_icmpv6_packet_process)(struct NX_IP_STRUCT *, NX_PACKET *);
#endif
#ifdef NX_ENABLE_IP_PACKET_FILTER
    UINT (*nx_ip_packet_filter)(VOID *, UINT);
    UINT (*nx_ip_packet_filter_extended)(struct NX_IP_STRUCT *, NX_PACKET *, UINT);
#endif
    /* Packets and bytes that the protocols got, packets sent, and those that went no further. */
    ULONG fake_delivered[FAKE_PROTOCOLS];
    ULONG fake_delivered_bytes;
    ULONG fake_sent;
    ULONG fake_dropped;
    /* Fragments of a packet that is not whole yet. */
    NX_PACKET *fake_fragments;
} NX_IP;

UINT nx_packet_release(NX_PACKET *packet);

#endif
