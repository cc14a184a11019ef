/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef FAKE_SERIALIZER_H
#define FAKE_SERIALIZER_H

#include <stdint.h>

#include "asc_security_core/asc_result.h"

typedef enum {
    TRANSPORT_PROTOCOL_TCP,
    TRANSPORT_PROTOCOL_UDP,
    TRANSPORT_PROTOCOL_ICMP
} transport_protocol_t;

typedef struct {
    uint32_t bytes_in;
    uint32_t bytes_out;
    uint16_t local_port;
    uint16_t remote_port;
    transport_protocol_t transport_protocol;
} network_activity_common_t;

typedef struct network_activity_ipv4 {
    struct network_activity_ipv4 *previous;
    struct network_activity_ipv4 *next;
    network_activity_common_t common;
    uint32_t local_address;
    uint32_t remote_address;
} network_activity_ipv4_t;

typedef struct network_activity_ipv6 {
    struct network_activity_ipv6 *previous;
    struct network_activity_ipv6 *next;
    network_activity_common_t common;
    uint32_t local_address[4];
    uint32_t remote_address[4];
} network_activity_ipv6_t;

/* Fields are in network memory order where they are addresses. */
typedef struct {
    uint8_t ip_version;
    uint8_t local_address[16];
    uint8_t remote_address[16];
    network_activity_common_t common;
} fake_entry_t;

#define FAKE_ENTRIES 160

/* The message with what was put into it: first the connections of IPv4, then those of IPv6. */
typedef struct {
    unsigned calls;
    /* Of the whole message as it would be. */
    unsigned bytes;
    unsigned long timestamp;
    uint32_t interval;
    unsigned count;
    fake_entry_t entries[FAKE_ENTRIES];
} serializer_t;

asc_result_t serializer_event_add_network_activity(serializer_t *serializer,
                                                   unsigned long timestamp, uint32_t interval,
                                                   network_activity_ipv4_t *ipv4,
                                                   network_activity_ipv6_t *ipv6);

#endif
