/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The NetworkActivity collector of the micro agent 3.5.x, on evagg. docs/azure-rtos.md is the guide.

   It has no other function to call than the one below: the agent finds it as it found its own. These
   macros change it, on the compiler's command line or in asc_config.h. */
#ifndef EVAGG_MICRO_AGENT_H
#define EVAGG_MICRO_AGENT_H

#include <asc_config.h>

#include "evagg.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Connections that are kept, of either IP version: 1 to EVAGG_MAXIMUM_CAPACITY, 62 bytes of RAM each.
   The agent's own settings are for each version; the larger one is taken, and not the sum. */
#ifndef EVAGG_MICRO_AGENT_CONNECTIONS
#if ASC_COLLECTOR_NETWORK_ACTIVITY_MAX_IPV4_OBJECTS_IN_CACHE > \
    ASC_COLLECTOR_NETWORK_ACTIVITY_MAX_IPV6_OBJECTS_IN_CACHE
#define EVAGG_MICRO_AGENT_CONNECTIONS ASC_COLLECTOR_NETWORK_ACTIVITY_MAX_IPV4_OBJECTS_IN_CACHE
#else
#define EVAGG_MICRO_AGENT_CONNECTIONS ASC_COLLECTOR_NETWORK_ACTIVITY_MAX_IPV6_OBJECTS_IN_CACHE
#endif
#endif

/* Bytes of a message that connections may take: 40 for one of IPv4, 64 for one of IPv6. What does not
   fit goes with the next collection. RAM is nearly as much. */
#ifndef EVAGG_MICRO_AGENT_MESSAGE_BUDGET
#define EVAGG_MICRO_AGENT_MESSAGE_BUDGET 2880
#endif

/* The most that the budget can be. The serializer refuses more than 115 connections of one IP version
   in one message. And a message of more than 6,656 bytes stops the agent's thread for good; connections,
   the message itself, heartbeat and system information stay 1,700 below that, which are left for other
   collectors of your own. */
#ifndef EVAGG_MICRO_AGENT_MESSAGE_BUDGET_MAXIMUM
#define EVAGG_MICRO_AGENT_MESSAGE_BUDGET_MAXIMUM (115 * 40)
#endif

/* EVAGG_MICRO_AGENT_RETAINED, if it is defined, goes before the cache, such as
   __attribute__((section(".evagg"))), and the cache is taken over after a warm reset. */

/**
 * What happened to the connections so far. The losses are `rejected`, `malformed` and `ignored`.
 *
 * @param statistics Receives the counts, zeros before the agent has started.
 * @return EVAGG_OK; EVAGG_ERROR_NULL_ARGUMENT, also before the agent has started.
 *
 * Any thread.
 */
evagg_status_t evagg_micro_agent_statistics(evagg_statistics_t *statistics);

#ifdef __cplusplus
}
#endif

#endif
