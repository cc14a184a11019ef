/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "calls.h"

#include <stddef.h>

#include "evagg.h"

EVAGG_ALIGNED uint8_t size_processes_storage[EVAGG_PROCESSES_STORAGE_SIZE(32, 4096)];

static const evagg_config_t config = EVAGG_CONFIG_INIT;
/* Read and written as if by hardware. */
static volatile uint32_t clock_register;
static volatile uint32_t log_register;
static evagg_process_t process;
static evagg_process_record_t page[8];
static char text[1024];
static evagg_window_t window;

static void on_warning(void *context, const evagg_warning_t *warning) {
    (void)context;
    log_register = (uint32_t)warning->text[0];
}

void processes_calls(void) {
    evagg_processes_t *processes;
    log_register = (uint32_t)evagg_processes_init(
        size_processes_storage, sizeof size_processes_storage, &config, &processes);
    log_register = (uint32_t)evagg_processes_set_warning_callback(processes, on_warning, NULL);
    log_register = (uint32_t)evagg_processes_record(processes, &process, clock_register);
    log_register = (uint32_t)evagg_processes_flush(processes, clock_register, page, 8, text,
                                                   sizeof text, &window);
}
