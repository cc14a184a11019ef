/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A firmware with the micro agent's collector, to be weighed and not run. What the collector needs of the agent, NetX Duo and
   ThreadX is in its twin too, for the agent has it anyway. */
#include <asc_config.h>

#include <string.h>

#include "nx_ip.h"

#include "asc_security_core/collector.h"
#include "asc_security_core/components_factory_declarations.h"
#include "asc_security_core/serializer.h"
#include "asc_security_core/utils/irand.h"
#include "asc_security_core/utils/itime.h"

#include "board.h"
#include "evagg_micro_agent.h"

extern asc_result_t (*components_factory_NetworkActivity_load_ptr)(void);

NX_IP *_nx_ip_created_ptr;
ULONG _nx_ip_created_count;
component_factory_t g_component_factory[FAKE_COMPONENTS];

UINT fake_tx_disable(VOID) { return board_mask_interrupts(); }
VOID fake_tx_restore(UINT posture) { board_restore_interrupts(posture); }
UINT tx_mutex_get(TX_MUTEX *mutex, ULONG wait_option) {
    return (UINT)(mutex->fake_gets += wait_option);
}
UINT tx_mutex_put(TX_MUTEX *mutex) { return (UINT)mutex->fake_gets; }
ULONG tx_time_get(VOID) { return _nx_ip_created_count; }
uint32_t irand_int(void) { return _nx_ip_created_count; }
unsigned long itime_time(unsigned long *time) { return time != NULL ? *time : 0; }

UINT nx_packet_release(NX_PACKET *packet) {
    packet->nx_packet_length = 0;
    return NX_SUCCESS;
}

asc_result_t collector_default_create(component_id_t id, uint32_t type,
                                      collector_priority_t priority, collect_function_t collect,
                                      uint32_t interval, void *state) {
    return collect(state, NULL) + id + type + priority + interval;
}

asc_result_t collector_default_deinit(component_id_t id) { return id; }
asc_result_t collector_default_subscribe(component_id_t id) { return id; }
asc_result_t collector_default_unsubscribe(component_id_t id) { return id; }

asc_result_t serializer_event_add_network_activity(serializer_t *serializer,
                                                   unsigned long timestamp, uint32_t interval,
                                                   network_activity_ipv4_t *ipv4,
                                                   network_activity_ipv6_t *ipv6) {
    return serializer != NULL && ipv4 != NULL && ipv6 != NULL ? timestamp + interval : 0;
}

void fake_log(int level, const char *format, ...) {
    _nx_ip_created_count = (ULONG)level + (ULONG)format[0];
}

/* Keeps them. */
static void (*const volatile needed[])(void) = {
    (void (*)(void))fake_tx_disable,
    (void (*)(void))fake_tx_restore,
    (void (*)(void))tx_mutex_get,
    (void (*)(void))tx_mutex_put,
    (void (*)(void))tx_time_get,
    (void (*)(void))irand_int,
    (void (*)(void))itime_time,
    (void (*)(void))nx_packet_release,
    (void (*)(void))collector_default_create,
    (void (*)(void))collector_default_deinit,
    (void (*)(void))collector_default_subscribe,
    (void (*)(void))collector_default_unsubscribe,
    (void (*)(void))serializer_event_add_network_activity,
    (void (*)(void))fake_log,
    (void (*)(void))memcpy,
    (void (*)(void))memset,
};

int main(void) {
    evagg_statistics_t statistics;

    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        needed[i]();
    }
    g_component_factory[0].component.info.ctx = _nx_ip_created_ptr;
    return (int)components_factory_NetworkActivity_load_ptr() +
           (int)evagg_micro_agent_statistics(&statistics);
}
