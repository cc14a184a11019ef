/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What the tests see and set of the fake ThreadX and NetX Duo. */
#ifndef FAKE_NETX_H
#define FAKE_NETX_H

#include "nx_ip.h"

/* The first thing that a fake found wrong, or NULL. The fakes run in interrupts and in threads too,
   where a test cannot fail. */
extern const char *volatile fake_fault;
VOID fake_check(int holds, const char *fault);

/* ThreadX. */

/* Postures that nobody can guess. */
#define FAKE_ENABLED 0x30u
#define FAKE_MASKED 0x71u

extern volatile ULONG fake_time;
/* How often interrupts were masked, and how often while they were. */
extern ULONG fake_masks;
extern ULONG fake_nested_masks;

UINT fake_posture(VOID);

/* NetX Duo. */

/* Packets that nobody has released, and those that nx_packet_release has. */
extern ULONG fake_packets;
extern ULONG fake_released;
/* While a packet is on its way through a hook, on this thread. */
#ifdef FAKE_PORT_MUTEX
extern _Thread_local UINT fake_in_hook;
#else
extern UINT fake_in_hook;
#endif
/* Where a packet starts from a multiple of 4 on. */
extern ULONG fake_misalignment;

/* The protocols themselves: what the hooks are without evagg. */
VOID fake_tcp_receive(NX_IP *ip, NX_PACKET *packet);
VOID fake_udp_receive(NX_IP *ip, NX_PACKET *packet);
VOID fake_icmp_receive(NX_IP *ip, NX_PACKET *packet);
VOID fake_icmpv6_receive(NX_IP *ip, NX_PACKET *packet);

/* Without protocols and filters. */
VOID fake_ip_create(NX_IP *ip);
VOID fake_ip_delete(NX_IP *ip);
VOID fake_enable_all(NX_IP *ip);

/* A packet as on the wire, its first `first` bytes in one buffer of exactly that size and the others
   in a second one; 0: all in one. */
NX_PACKET *fake_packet(const VOID *bytes, ULONG length, ULONG first);

/* Gives a packet whose IP header NetX has dealt with to what a hook holds. */
VOID fake_hand_over(NX_IP *ip, NX_PACKET *packet, VOID (*receive)(NX_IP *, NX_PACKET *));

/* What NetX does with a packet that a driver hands in, and with one that it hands to a driver. The
   status is that of the filter. */
UINT fake_receive(NX_IP *ip, const VOID *bytes, ULONG length, ULONG first);
UINT fake_send(NX_IP *ip, const VOID *bytes, ULONG length, ULONG first);

#endif
