/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Takes the place of collector_network_activity.c and object_network_activity_ext.c. All but the
   packets, which evagg_netxduo.c records, runs on the agent's thread, or on the one that enables or
   disables the agent. */
#include <asc_config.h>

#include <stdbool.h>
#include <string.h>

#include "nx_api.h"
#include "tx_api.h"

#include "asc_security_core/collector.h"
#include "asc_security_core/components_factory_declarations.h"
#include "asc_security_core/components_manager.h"
#include "asc_security_core/logger.h"
#include "asc_security_core/serializer.h"
#include "asc_security_core/utils/irand.h"
#include "asc_security_core/utils/itime.h"
#ifdef ASC_COMPONENT_SECURITY_MODULE
#include "nx_azure_iot_security_module.h"
#endif

#include "evagg_micro_agent.h"
#include "evagg_netxduo.h"
#include "evagg_threadx.h"

/* What an entry with traffic both ways takes of a message. */
#define IPV4_BYTES 40
#define IPV6_BYTES 64

#if EVAGG_MICRO_AGENT_CONNECTIONS < 1 || EVAGG_MICRO_AGENT_CONNECTIONS > EVAGG_MAXIMUM_CAPACITY
#error "EVAGG_MICRO_AGENT_CONNECTIONS, or the agent's settings that it comes from, is out of range"
#endif
#if EVAGG_MICRO_AGENT_MESSAGE_BUDGET < IPV6_BYTES
#error "EVAGG_MICRO_AGENT_MESSAGE_BUDGET does not suffice for one connection"
#endif
#if EVAGG_MICRO_AGENT_MESSAGE_BUDGET > EVAGG_MICRO_AGENT_MESSAGE_BUDGET_MAXIMUM
#error "EVAGG_MICRO_AGENT_MESSAGE_BUDGET is more than the agent's serializer takes"
#endif

#ifdef ASC_COLLECTOR_NETWORK_ACTIVITY_CAPTURE_UNICAST_ONLY
#define INCOMING EVAGG_NETXDUO_RECEIVED
#else
#define INCOMING EVAGG_NETXDUO_ALL
#endif
#ifdef ASC_COLLECTOR_NETWORK_ACTIVITY_TCP_DISABLED
#define NO_TCP EVAGG_NETXDUO_NO_TCP
#else
#define NO_TCP 0
#endif
#ifdef ASC_COLLECTOR_NETWORK_ACTIVITY_UDP_DISABLED
#define NO_UDP EVAGG_NETXDUO_NO_UDP
#else
#define NO_UDP 0
#endif
#ifdef ASC_COLLECTOR_NETWORK_ACTIVITY_ICMP_DISABLED
#define NO_ICMP EVAGG_NETXDUO_NO_ICMP
#else
#define NO_ICMP 0
#endif
#define CAPTURE (INCOMING | NO_TCP | NO_UDP | NO_ICMP)

#ifndef EVAGG_MICRO_AGENT_RETAINED
#define EVAGG_MICRO_AGENT_RETAINED
#define ATTACH 0
#else
#define ATTACH 1
#endif

/* The serializer's nodes have no place for the hit count, which is needed if the message fails. */
typedef struct {
    network_activity_ipv4_t node;
    uint32_t hit_count;
} ipv4_entry_t;

typedef struct {
    network_activity_ipv6_t node;
    uint32_t hit_count;
} ipv6_entry_t;

#define NODE_BYTES(ipv4, ipv6) ((ipv4) > (ipv6) ? (ipv4) : (ipv6))

/* The message under way, until it is known to have been sent. */
static struct {
    network_activity_ipv4_t *ipv4;
    network_activity_ipv6_t *ipv6;
    union {
        ipv4_entry_t ipv4;
        ipv6_entry_t ipv6;
        unsigned char
            bytes[NODE_BYTES(EVAGG_MICRO_AGENT_MESSAGE_BUDGET * sizeof(ipv4_entry_t) / IPV4_BYTES,
                             EVAGG_MICRO_AGENT_MESSAGE_BUDGET * sizeof(ipv6_entry_t) / IPV6_BYTES)];
    } nodes;
} message;

EVAGG_MICRO_AGENT_RETAINED EVAGG_ALIGNED static uint8_t
    cache[EVAGG_CONNECTIONS_STORAGE_SIZE(EVAGG_MICRO_AGENT_CONNECTIONS)];
static evagg_connections_t *connections;
/* The last message had no room for the end of its window. */
static bool is_window_open;

static asc_result_t init(component_id_t id);
static asc_result_t deinit(component_id_t id);
static asc_result_t start(component_id_t id);
static asc_result_t stop(component_id_t id);

COLLECTOR_OPS_DEFINITIONS(, init, deinit, collector_default_subscribe,
                          collector_default_unsubscribe, start, stop);
COMPONENTS_FACTORY_DEFINITION(NetworkActivity, &_ops)

evagg_status_t evagg_micro_agent_statistics(evagg_statistics_t *statistics) {
    return evagg_connections_statistics(connections, statistics);
}

#if ASC_LOG_LEVEL >= LOG_LEVEL_WARN
/* Of a window's two warnings the one with the totals. */
static void on_warning(void *context, const evagg_warning_t *warning) {
    (void)context;
    if (warning->code == EVAGG_WARNING_LOSSES) {
        log_warn("evagg: %s (EVAGG_MICRO_AGENT_CONNECTIONS)", warning->text);
    }
}
#endif

/* irand_int() has 15 bits or more. */
static uint64_t random_seed(void) {
    uint64_t seed = 0;

    for (int i = 0; i < 5; i++) {
        seed = seed << 15 ^ irand_int();
    }
    return seed;
}

static evagg_status_t open_cache(void) {
    evagg_config_t config = EVAGG_CONFIG_INIT;
    evagg_status_t status;

    config.capacity = EVAGG_MICRO_AGENT_CONNECTIONS;
    config.hash_seed = random_seed();
    config.start = (evagg_time_t)tx_time_get();
    config.warning_delivery = EVAGG_WARN_AT_FLUSH;
    config.acquire = evagg_threadx_acquire;
    config.release = evagg_threadx_release;
#if ATTACH
    status = evagg_connections_attach(cache, sizeof cache, &config, &connections);
    if (status != EVAGG_OK)
#endif
    {
        status = evagg_connections_init(cache, sizeof cache, &config, &connections);
    }
#if ASC_LOG_LEVEL >= LOG_LEVEL_WARN
    if (status == EVAGG_OK) {
        status = evagg_connections_set_warning_callback(connections, on_warning, NULL);
    }
#endif
    return status;
}

static void merge(evagg_connection_record_t *record, const network_activity_common_t *common,
                  uint32_t hit_count) {
    record->connection.local_port = common->local_port;
    record->connection.remote_port = common->remote_port;
    if (common->transport_protocol == TRANSPORT_PROTOCOL_TCP) {
        record->connection.protocol = NX_PROTOCOL_TCP;
    } else if (common->transport_protocol == TRANSPORT_PROTOCOL_UDP) {
        record->connection.protocol = NX_PROTOCOL_UDP;
    }
    record->flags = 0;
    record->hit_count = hit_count;
    record->bytes_in = common->bytes_in;
    record->bytes_out = common->bytes_out;
    /* The agent's messages have no times for it, so the entry keeps none. */
    record->first_seen = record->last_seen = (evagg_time_t)tx_time_get();
    (void)evagg_connections_merge(connections, record, 1);
}

/* Puts the connections of a message that failed, or was not sent, back into the cache. */
static void give_back(void) {
    evagg_connection_record_t record;

    for (const network_activity_ipv4_t *node = message.ipv4; node != NULL; node = node->next) {
        record.connection.ip_version = 4;
        record.connection.protocol = NX_PROTOCOL_ICMP;
        memcpy(record.connection.local_address, &node->local_address, 4);
        memcpy(record.connection.remote_address, &node->remote_address, 4);
        merge(&record, &node->common, ((const ipv4_entry_t *)node)->hit_count);
    }
    for (const network_activity_ipv6_t *node = message.ipv6; node != NULL; node = node->next) {
        record.connection.ip_version = 6;
        record.connection.protocol = NX_PROTOCOL_ICMPV6;
        memcpy(record.connection.local_address, node->local_address, 16);
        memcpy(record.connection.remote_address, node->remote_address, 16);
        merge(&record, &node->common, ((const ipv6_entry_t *)node)->hit_count);
    }
    message.ipv4 = NULL;
    message.ipv6 = NULL;
}

static void settle(void);

/* Whether the agent's module for the cloud was told of the last message with connections in it. */
static bool is_announced;

#ifdef ASC_COMPONENT_SECURITY_MODULE
static void (*notify_module)(notifier_t *notifier, int number, void *payload);

static NX_AZURE_IOT_SECURITY_MODULE *security_module(void) {
    return g_component_factory[SecurityModule].component.info.ctx;
}

static bool is_hub_connected(void) {
    return security_module() == NULL || security_module()->state == SECURITY_MODULE_STATE_ACTIVE;
}

/* A message that was not announced was dropped because another collector failed. One that was, is
   sent once the module has no timer to try again. To be asked before the next is announced. */
static bool is_message_unsent(void) {
    return security_module() != NULL && notify_module != NULL &&
           (!is_announced || security_module()->h_state_machine != 0);
}

/* The first message announced after a collection is ours. The next one, if we are not asked before, is
   other collectors': it takes the place of ours, sent or not. */
static void on_message(notifier_t *notifier, int number, void *payload) {
    if (is_announced) {
        settle();
    }
    is_announced = true;
    notify_module(notifier, number, payload);
}

/* Gets between the agent and the module: the agent has no room for another subscriber. The module
   sets its function anew at each of its inits, and these come before all starts. */
static void watch_messages(void) {
    notifier_t *notifier = security_module() != NULL ? &security_module()->message_ready : NULL;

    if (notifier != NULL && notifier->notify != on_message) {
        notify_module = notifier->notify;
        notifier->notify = on_message;
    }
}
#else
static bool is_hub_connected(void) { return true; }
static bool is_message_unsent(void) { return false; }
static void watch_messages(void) {}
#endif

/* Decides about the last message. The agent has dropped it by now, sent or not. */
static void settle(void) {
    if (is_message_unsent()) {
        give_back();
    }
    message.ipv4 = NULL;
    message.ipv6 = NULL;
}

static void attach_all(void) {
    static UINT last_status = NX_SUCCESS;
    const UINT status = evagg_netxduo_attach_all(connections, CAPTURE);

    if (status != NX_SUCCESS && status != last_status) {
        log_error("evagg: some IP instances are not watched, raise EVAGG_NETXDUO_IP_MAXIMUM");
    }
    last_status = status;
}

/* What both versions have in common; false for a protocol that the agent's settings leave out, which
   the hooks could not tell. */
static bool put_common(network_activity_common_t *common, const evagg_connection_record_t *record) {
    switch (record->connection.protocol) {
#ifndef ASC_COLLECTOR_NETWORK_ACTIVITY_TCP_DISABLED
    case NX_PROTOCOL_TCP:
        common->transport_protocol = TRANSPORT_PROTOCOL_TCP;
        break;
#endif
#ifndef ASC_COLLECTOR_NETWORK_ACTIVITY_UDP_DISABLED
    case NX_PROTOCOL_UDP:
        common->transport_protocol = TRANSPORT_PROTOCOL_UDP;
        break;
#endif
#ifndef ASC_COLLECTOR_NETWORK_ACTIVITY_ICMP_DISABLED
    case NX_PROTOCOL_ICMP:
    case NX_PROTOCOL_ICMPV6:
        common->transport_protocol = TRANSPORT_PROTOCOL_ICMP;
        break;
#endif
    default:
        return false;
    }
    common->bytes_in = record->bytes_in;
    common->bytes_out = record->bytes_out;
    common->local_port = record->connection.local_port;
    common->remote_port = record->connection.remote_port;
    return true;
}

/* Moves connections from the cache to the message, oldest first, while the largest still fits. */
static void fill(void) {
    network_activity_ipv4_t **ipv4_end = &message.ipv4;
    network_activity_ipv6_t **ipv6_end = &message.ipv6;
    unsigned char *next = message.nodes.bytes;
    const evagg_time_t now = (evagg_time_t)tx_time_get();
    evagg_connection_record_t record;
    evagg_window_t window;
    evagg_status_t status;
    int left = EVAGG_MICRO_AGENT_MESSAGE_BUDGET;
    bool is_rest = is_window_open;

    do {
        status = evagg_connections_flush(connections, now, &record, 1, &window);
        if (window.records != 0 && record.connection.ip_version == 4) {
            ipv4_entry_t *entry = (ipv4_entry_t *)(void *)next;

            if (put_common(&entry->node.common, &record)) {
                memcpy(&entry->node.local_address, record.connection.local_address, 4);
                memcpy(&entry->node.remote_address, record.connection.remote_address, 4);
                entry->hit_count = record.hit_count;
                *ipv4_end = &entry->node;
                ipv4_end = &entry->node.next;
                next += sizeof *entry;
                left -= IPV4_BYTES;
            }
        } else if (window.records != 0) {
            ipv6_entry_t *entry = (ipv6_entry_t *)(void *)next;

            if (put_common(&entry->node.common, &record)) {
                memcpy(entry->node.local_address, record.connection.local_address, 16);
                memcpy(entry->node.remote_address, record.connection.remote_address, 16);
                entry->hit_count = record.hit_count;
                *ipv6_end = &entry->node;
                ipv6_end = &entry->node.next;
                next += sizeof *entry;
                left -= IPV6_BYTES;
            }
        }
        if (status != EVAGG_MORE) {
            if (!is_rest) {
                break;
            }
            /* The rest of the window before is done; there is room for what was recorded since. */
            is_rest = false;
        }
    } while (left >= IPV6_BYTES);
    is_window_open = status == EVAGG_MORE;
    *ipv4_end = NULL;
    *ipv6_end = NULL;
}

static asc_result_t collect(collector_internal_t *collector, serializer_t *serializer) {
    asc_result_t result = ASC_RESULT_EMPTY;
    unsigned long now;

    if (serializer == NULL) {
        log_error("evagg: the serializer is NULL");
        return ASC_RESULT_BAD_ARGUMENT;
    }
    settle();
    /* There may be IP instances and protocols that were not there at the start. */
    attach_all();
    now = itime_time(NULL);
    if (now == ITIME_FAILED || !is_hub_connected()) {
        /* What is cached can wait; a message that cannot be sent is dropped by the agent. */
        return ASC_RESULT_EMPTY;
    }
    fill();
#ifndef ASC_COLLECTOR_NETWORK_ACTIVITY_SEND_EMPTY_EVENTS
    if (message.ipv4 != NULL || message.ipv6 != NULL)
#endif
    {
        result = serializer_event_add_network_activity(serializer, now, collector->interval,
                                                       message.ipv4, message.ipv6);
        if (result != ASC_RESULT_OK) {
            log_error("evagg: the message failed (%d), its connections stay", (int)result);
            give_back();
        }
        is_announced = false;
    }
    return result;
}

static asc_result_t init(component_id_t id) {
    /* It outlives the component, with what is cached and counted. */
    if (connections == NULL) {
        const evagg_status_t status = open_cache();

        if (status != EVAGG_OK) {
            log_error("evagg: the cache cannot be made (%d)", (int)status);
            return ASC_RESULT_EXCEPTION;
        }
    }
    return collector_default_create(id, NetworkActivity, COLLECTOR_PRIORITY_HIGH, collect,
                                    ASC_HIGH_PRIORITY_INTERVAL, NULL);
}

static asc_result_t deinit(component_id_t id) {
    settle();
    return collector_default_deinit(id);
}

static asc_result_t start(component_id_t id) {
    (void)id;
    watch_messages();
    attach_all();
    return ASC_RESULT_OK;
}

/* What is cached stays, and goes with the first collection after the next start. */
static asc_result_t stop(component_id_t id) {
    (void)id;
    evagg_netxduo_detach_all();
    return ASC_RESULT_OK;
}
