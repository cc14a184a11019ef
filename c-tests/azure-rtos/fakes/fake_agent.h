/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What the tests see and set of the fake micro agent. */
#ifndef FAKE_AGENT_H
#define FAKE_AGENT_H

#include <asc_config.h>

#include "asc_security_core/collector.h"
#include "asc_security_core/components_factory_declarations.h"
#include "asc_security_core/logger.h"
#include "asc_security_core/serializer.h"
#include "asc_security_core/utils/itime.h"
#ifdef ASC_COMPONENT_SECURITY_MODULE
#include "nx_azure_iot_security_module.h"
#endif

/* More than half a page of the serializer, and the agent stops for good. */
#define FAKE_MESSAGE_MAXIMUM 6656u
/* More connections of one IP version than this, and the serializer refuses them. */
#define FAKE_VERSION_MAXIMUM 115u

typedef struct {
    unsigned long time;
    /* What irand_int() gives next, and how often it was asked. */
    uint32_t random;
    unsigned random_calls;
    /* What the serializer answers. */
    asc_result_t serializer_result;
    /* What collector_default_create was given. */
    collect_function_t collect;
    collector_internal_t collector;
    collector_priority_t priority;
    unsigned creations;
    unsigned deinits;
    /* How often the module was told of a message. */
    unsigned announcements;
    unsigned logs[LOG_LEVEL_WARN + 1];
    char log_text[200];
} fake_agent_t;

extern fake_agent_t fake_agent;
extern serializer_t fake_serializer;
#ifdef ASC_COMPONENT_SECURITY_MODULE
extern NX_AZURE_IOT_SECURITY_MODULE fake_security_module;
#endif

#define FAKE_COLLECTOR_ID 5u

extern asc_result_t (*components_factory_NetworkActivity_load_ptr)(void);

/* The component's operations, once it is loaded. */
const component_ops_t *fake_agent_ops(void);
/* Begins a message, has the collector add to it, and tells the module that it is to be sent. */
asc_result_t fake_agent_collect(void);
/* The same but for the last, as when another collector fails. */
asc_result_t fake_agent_collect_silently(void);
/* Tells the module of a message, as when other collectors have begun and filled another. */
void fake_agent_announce(void);
#define FAKE_MESSAGE_READY 31
/* What the module's init does. */
void fake_module_init(void);

#endif
