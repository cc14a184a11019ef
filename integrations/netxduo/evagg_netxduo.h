/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Records the packets of NetX Duo's IP instances.

   NetX Duo and this file need NX_ENABLE_IP_PACKET_FILTER in nx_user.h. The instance of evagg needs
   the lock of evagg_threadx.h, or one as good: packets are recorded by the IP threads and by the
   threads that send. It needs EVAGG_WARN_AT_FLUSH if its warnings must not be given on those. Its
   clock is tx_time_get(), so `start` of its configuration and `now` of flush are that too.

   A hook that was there before is called on, and is back in its place after detach. */
#ifndef EVAGG_NETXDUO_H
#define EVAGG_NETXDUO_H

#include "nx_api.h"

#include "evagg.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How many IP instances can be attached, 1 or more; the same for all files that include this. An IP
   instance takes its place until it is deleted. */
#ifndef EVAGG_NETXDUO_IP_MAXIMUM
#define EVAGG_NETXDUO_IP_MAXIMUM 2
#endif

/* Incoming packets that NetX hands to TCP, UDP, ICMP or ICMPv6: checked, reassembled, for one of the
   addresses of the device. Multicast and broadcast that the device listens to is among them. */
#define EVAGG_NETXDUO_RECEIVED 0
/* Incoming packets as the driver hands them in: those that NetX will drop or forward too, and each
   fragment for itself. One that is forwarded to another address of the device comes in twice. */
#define EVAGG_NETXDUO_ALL 1
/* To be added to either: packets of this protocol are left out. Behind IPv6 extension headers that the
   driver hands in, they are recorded all the same. */
#define EVAGG_NETXDUO_NO_TCP 2
#define EVAGG_NETXDUO_NO_UDP 4
#define EVAGG_NETXDUO_NO_ICMP 8

/**
 * Records what an IP instance sends and receives from now on.
 *
 * It can be repeated at any time, with another instance or capture too. A packet is recorded once, but
 * for one that is under way while the capture changes.
 * Repeat it after nx_tcp_enable, nx_udp_enable, nx_icmp_enable and nxd_icmp_enable, which set hooks
 * that were not there before. A hook that somebody else sets over one of these must call it: it is not
 * set again, lest the two call each other for ever. Set a packet filter of your own before.
 *
 * @param ip          Created, and attached until evagg_netxduo_detach. Detach before nx_ip_delete if another
 *                    IP instance can be created in the same place.
 * @param connections Receives the packets; it must live as long.
 * @param capture     EVAGG_NETXDUO_RECEIVED or EVAGG_NETXDUO_ALL, and what is to be left out.
 * @return NX_SUCCESS; NX_PTR_ERROR for NULL or an IP instance that was not created; NX_OPTION_ERROR;
 *         NX_NO_MORE_ENTRIES with EVAGG_NETXDUO_IP_MAXIMUM others. After an error nothing has changed.
 *
 * Any thread, and initialization. Interrupts are masked while it runs, some hundred instructions.
 */
UINT evagg_netxduo_attach(NX_IP *ip, evagg_connections_t *connections, UINT capture);

/**
 * evagg_netxduo_attach for every IP instance that there is. Repeat it when there can be more.
 *
 * @return As evagg_netxduo_attach; after NX_NO_MORE_ENTRIES as many are attached as can be.
 */
UINT evagg_netxduo_attach_all(evagg_connections_t *connections, UINT capture);

/**
 * Records no more of an IP instance. Its hooks are what they were, but for one that another party
 * has taken over since: that one goes on to pass its packets on.
 *
 * @param ip Attached or not; NULL is ignored. It must not be deleted meanwhile.
 *
 * Any thread. It waits for the mutex of the IP instance, so that no hook of it is under way.
 */
VOID evagg_netxduo_detach(NX_IP *ip);

/** evagg_netxduo_detach for every IP instance that there is. */
VOID evagg_netxduo_detach_all(void);

#ifdef __cplusplus
}
#endif

#endif
