/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "calls.h"

#include <stddef.h>

#include "evagg.h"

EVAGG_ALIGNED uint8_t size_connections_storage[EVAGG_CONNECTIONS_STORAGE_SIZE(64)];

static const evagg_config_t config = EVAGG_CONFIG_INIT;
/* Read and written as if by hardware. */
static volatile uint32_t clock_register;
static volatile uint32_t log_register;
static uint8_t packet[64];
static evagg_connection_record_t page[16];
static evagg_window_t window;

static void on_warning(void *context, const evagg_warning_t *warning) {
    (void)context;
    log_register = (uint32_t)warning->text[0];
}

void connections_calls(void) {
    evagg_connections_t *connections;
    log_register = (uint32_t)evagg_connections_init(
        size_connections_storage, sizeof size_connections_storage, &config, &connections);
    log_register = (uint32_t)evagg_connections_set_warning_callback(connections, on_warning, NULL);
    log_register = (uint32_t)evagg_connections_record_packet(connections, packet, sizeof packet,
                                                             EVAGG_IN, clock_register);
    log_register =
        (uint32_t)evagg_connections_flush(connections, clock_register, page, 16, &window);
}
