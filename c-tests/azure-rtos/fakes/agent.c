/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The micro agent around its NetworkActivity collector. */
#include "fake_agent.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "asc_security_core/utils/irand.h"
#include "fake_netx.h"

fake_agent_t fake_agent = {.time = 1700000000, .random = 1};
serializer_t fake_serializer;
#ifdef ASC_COMPONENT_SECURITY_MODULE
NX_AZURE_IOT_SECURITY_MODULE fake_security_module = {.state = SECURITY_MODULE_STATE_ACTIVE};
#endif

component_factory_t g_component_factory[FAKE_COMPONENTS] = {
    [NetworkActivity] = {{{NULL}, NULL}},
#ifdef ASC_COMPONENT_SECURITY_MODULE
    [SecurityModule] = {{{&fake_security_module}, NULL}},
#endif
};

void fake_log(int level, const char *format, ...) {
    va_list arguments;

    fake_check(fake_posture() == FAKE_ENABLED, "logged with interrupts masked");
    fake_check(fake_in_hook == 0, "logged from a hook");
    fake_agent.logs[level]++;
    va_start(arguments, format);
    (void)vsnprintf(fake_agent.log_text, sizeof fake_agent.log_text, format, arguments);
    va_end(arguments);
}

uint32_t irand_int(void) {
    fake_agent.random_calls++;
    return fake_agent.random++ & 0x7fff;
}

unsigned long itime_time(unsigned long *time) {
    if (time != NULL) {
        *time = fake_agent.time;
    }
    return fake_agent.time;
}

static fake_entry_t *next_entry(serializer_t *serializer, const network_activity_common_t *common,
                                uint8_t ip_version) {
    fake_entry_t *entry =
        &serializer
             ->entries[serializer->count < FAKE_ENTRIES ? serializer->count++ : FAKE_ENTRIES - 1];
    const unsigned both_ways = common->bytes_in != 0 && common->bytes_out != 0 ? 4 : 0;

    memset(entry, 0, sizeof *entry);
    entry->ip_version = ip_version;
    entry->common = *common;
    serializer->bytes += (ip_version == 4 ? 36 : 60) + both_ways;
    return entry;
}

asc_result_t serializer_event_add_network_activity(serializer_t *serializer,
                                                   unsigned long timestamp, uint32_t interval,
                                                   network_activity_ipv4_t *ipv4,
                                                   network_activity_ipv6_t *ipv6) {
    unsigned of_ipv4 = 0;
    unsigned of_ipv6 = 0;

    fake_check(fake_posture() == FAKE_ENABLED, "serialized with interrupts masked");
    fake_check(serializer == &fake_serializer, "another serializer");
    serializer->calls++;
    serializer->timestamp = timestamp;
    serializer->interval = interval;
    for (; ipv4 != NULL; ipv4 = ipv4->next, of_ipv4++) {
        fake_entry_t *entry = next_entry(serializer, &ipv4->common, 4);

        memcpy(entry->local_address, &ipv4->local_address, 4);
        memcpy(entry->remote_address, &ipv4->remote_address, 4);
    }
    for (; ipv6 != NULL; ipv6 = ipv6->next, of_ipv6++) {
        fake_entry_t *entry = next_entry(serializer, &ipv6->common, 6);

        memcpy(entry->local_address, ipv6->local_address, 16);
        memcpy(entry->remote_address, ipv6->remote_address, 16);
    }
    fake_check(of_ipv4 <= FAKE_VERSION_MAXIMUM && of_ipv6 <= FAKE_VERSION_MAXIMUM,
               "the serializer takes no more of one IP version");
    fake_check(serializer->bytes <= FAKE_MESSAGE_MAXIMUM, "the agent has stopped for good");
    return fake_agent.serializer_result;
}

asc_result_t collector_default_create(component_id_t id, uint32_t type,
                                      collector_priority_t priority, collect_function_t collect,
                                      uint32_t interval, void *state) {
    fake_check(id == FAKE_COLLECTOR_ID && type == NetworkActivity, "another collector");
    fake_agent.creations++;
    fake_agent.collect = collect;
    fake_agent.collector.interval = interval;
    fake_agent.collector.state = state;
    fake_agent.priority = priority;
    return ASC_RESULT_OK;
}

asc_result_t collector_default_deinit(component_id_t id) {
    fake_check(id == FAKE_COLLECTOR_ID, "another collector");
    fake_agent.deinits++;
    return ASC_RESULT_OK;
}

asc_result_t collector_default_subscribe(component_id_t id) {
    fake_check(id == FAKE_COLLECTOR_ID, "another collector");
    return ASC_RESULT_OK;
}

asc_result_t collector_default_unsubscribe(component_id_t id) {
    return collector_default_subscribe(id);
}

const component_ops_t *fake_agent_ops(void) {
    return g_component_factory[NetworkActivity].component.ops;
}

asc_result_t fake_agent_collect_silently(void) {
    memset(&fake_serializer, 0, sizeof fake_serializer);
    /* The message itself, the heartbeat and the system's description. */
    fake_serializer.bytes = 180 + 150;
    return fake_agent.collect(&fake_agent.collector, &fake_serializer);
}

#ifdef ASC_COMPONENT_SECURITY_MODULE
static void take_message(notifier_t *notifier, int number, void *payload) {
    fake_check(notifier == &fake_security_module.message_ready, "another module is told");
    fake_check(number == FAKE_MESSAGE_READY && payload == &fake_agent, "it is told something else");
    fake_agent.announcements++;
}

void fake_module_init(void) { fake_security_module.message_ready.notify = take_message; }

void fake_agent_announce(void) {
    notifier_t *const notifier = &fake_security_module.message_ready;

    if (notifier->notify != NULL) {
        notifier->notify(notifier, FAKE_MESSAGE_READY, &fake_agent);
    }
}
#else
void fake_module_init(void) {}
void fake_agent_announce(void) {}
#endif

asc_result_t fake_agent_collect(void) {
    const asc_result_t result = fake_agent_collect_silently();

    if (result == ASC_RESULT_OK) {
        fake_agent_announce();
    }
    return result;
}
