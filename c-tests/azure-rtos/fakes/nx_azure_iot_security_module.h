/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef FAKE_NX_AZURE_IOT_SECURITY_MODULE_H
#define FAKE_NX_AZURE_IOT_SECURITY_MODULE_H

#include "nx_api.h"

typedef enum {
    SECURITY_MODULE_STATE_NOT_INITIALIZED,
    SECURITY_MODULE_STATE_PENDING,
    SECURITY_MODULE_STATE_ACTIVE,
    SECURITY_MODULE_STATE_SUSPENDED
} security_module_state_t;

typedef struct notifier_t {
    void (*notify)(struct notifier_t *notifier, int number, void *payload);
} notifier_t;

typedef struct {
    security_module_state_t state;
    /* Told of each message that is to be sent. */
    notifier_t message_ready;
    /* The timer after which a message is tried again; 0: there is none. */
    unsigned long h_state_machine;
} NX_AZURE_IOT_SECURITY_MODULE;

#endif
