/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Packets on the wire, and an evagg instance for them under the lock of evagg_threadx.h. */
#ifndef EVAGG_C_TESTS_AZURE_PACKETS_H
#define EVAGG_C_TESTS_AZURE_PACKETS_H

#include "support.h"

#include "evagg_netxduo.h"
#include "evagg_threadx.h"
#include "fake_netx.h"

#define TCP NX_PROTOCOL_TCP
#define UDP NX_PROTOCOL_UDP
#define ICMP NX_PROTOCOL_ICMP
#define ICMPV6 NX_PROTOCOL_ICMPV6

typedef struct packet_t {
    uint8_t bytes[192];
    ULONG length;
} packet_t;

/* IP version and protocol: what the hooks tell apart. */
typedef struct kind_t {
    uint8_t version;
    uint8_t protocol;
} kind_t;

#ifdef NX_DISABLE_IPV6
#define KINDS 3u
#else
#define KINDS 6u
#endif
extern const kind_t kinds[KINDS];

/* Bytes of the IP header and of the least transport header. */
ULONG ip_header_of(kind_t kind);
ULONG transport_header_of(kind_t kind);

/* The n-th connection of a kind, and a packet of it. n is less than 10,000. */
evagg_connection_t connection_of(kind_t kind, uint32_t n);
packet_t packet_of(kind_t kind, uint8_t direction, uint32_t n, ULONG payload);

/* IPv4 options of that many bytes, a multiple of 4. */
void insert_options(packet_t *packet, ULONG bytes);
/* An extension header of IPv6 behind the IP header: 0, 43, 60, of 8 * (units + 1) bytes, or 44. */
void insert_extension(packet_t *packet, uint8_t type, uint8_t units);
/* Makes it the fragment whose offset is that many times 8 bytes; IPv6 needs the extension header 44 in
   first place. */
void set_fragment(packet_t *packet, uint32_t offset, uint8_t more);
/* Makes the packet that long, in its length field too. */
void cut_to(packet_t *packet, ULONG length);

UINT see_in(NX_IP *ip, const packet_t *packet);
UINT see_out(NX_IP *ip, const packet_t *packet);
UINT see(NX_IP *ip, const packet_t *packet, uint8_t direction);

/* One IP instance, with every protocol. */
extern NX_IP ip;
void ip_open(NX_IP *instance);

/* Opens `instance` with a capacity of up to CAPACITY. */
#define CAPACITY 16u
extern connections_case_t subject;
evagg_config_t cache_config(void);
void cache_open(void);
/* Opens `subject` and `ip`, and attaches it. */
void attached_open(UINT capture);
/* Drains `subject`: it has that one record, of one packet. */
void check_one(kind_t kind, uint32_t n, uint8_t direction, uint32_t bytes);
/* Drains `subject` and checks that it had nothing. */
void check_nothing(void);
/* Closes `subject`, detaches and deletes the IP instances, and looks for what the fakes found. */
void close_all(void);
/* The last part of it. */
void check_fakes(void);

#endif
