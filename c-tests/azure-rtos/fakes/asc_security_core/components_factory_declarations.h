/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef FAKE_COMPONENTS_FACTORY_DECLARATIONS_H
#define FAKE_COMPONENTS_FACTORY_DECLARATIONS_H

#include <asc_config.h>

#include "asc_security_core/components_manager.h"

enum {
    NetworkActivity,
#ifdef ASC_COMPONENT_SECURITY_MODULE
    SecurityModule,
#endif
    FAKE_COMPONENTS
};

typedef struct {
    struct {
        struct {
            void *ctx;
        } info;
        const component_ops_t *ops;
    } component;
} component_factory_t;

extern component_factory_t g_component_factory[FAKE_COMPONENTS];

#define COMPONENTS_FACTORY_DEFINITION(name, component_ops)                                         \
    asc_result_t components_factory_##name##_load(void);                                           \
    asc_result_t (*components_factory_##name##_load_ptr)(void) = components_factory_##name##_load; \
    asc_result_t components_factory_##name##_load(void) {                                          \
        g_component_factory[name].component.ops = component_ops;                                   \
        return ASC_RESULT_OK;                                                                      \
    }

#endif
