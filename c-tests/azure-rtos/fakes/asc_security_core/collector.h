/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef FAKE_COLLECTOR_H
#define FAKE_COLLECTOR_H

#include "asc_security_core/components_manager.h"
#include "asc_security_core/serializer.h"

typedef enum {
    COLLECTOR_PRIORITY_HIGH,
    COLLECTOR_PRIORITY_MEDIUM,
    COLLECTOR_PRIORITY_LOW
} collector_priority_t;

typedef struct {
    uint32_t interval;
    void *state;
} collector_internal_t;

typedef asc_result_t (*collect_function_t)(collector_internal_t *collector,
                                           serializer_t *serializer);

asc_result_t collector_default_create(component_id_t id, uint32_t type,
                                      collector_priority_t priority, collect_function_t collect,
                                      uint32_t interval, void *state);
asc_result_t collector_default_deinit(component_id_t id);
asc_result_t collector_default_subscribe(component_id_t id);
asc_result_t collector_default_unsubscribe(component_id_t id);

#define COLLECTOR_OPS_DEFINITIONS(prefix, init, deinit, subscribe, unsubscribe, start, stop) \
    static component_ops_t prefix##_ops = {init, deinit, subscribe, unsubscribe, start, stop}

#endif
