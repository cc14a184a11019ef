/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef FAKE_COMPONENTS_MANAGER_H
#define FAKE_COMPONENTS_MANAGER_H

#include <stdint.h>

#include "asc_security_core/asc_result.h"

typedef uint32_t component_id_t;

typedef struct {
    asc_result_t (*init)(component_id_t id);
    asc_result_t (*deinit)(component_id_t id);
    asc_result_t (*subscribe)(component_id_t id);
    asc_result_t (*unsubscribe)(component_id_t id);
    asc_result_t (*start)(component_id_t id);
    asc_result_t (*stop)(component_id_t id);
} component_ops_t;

#endif
