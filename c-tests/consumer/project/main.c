/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "evagg.h"

#include <stdio.h>

EVAGG_ALIGNED static uint8_t memory[EVAGG_PROCESSES_STORAGE_SIZE(8, 1024)];

int main(void) {
    evagg_processes_t *processes;
    evagg_config_t config = EVAGG_CONFIG_INIT;
    config.capacity = 8;
    config.text_bytes = 1024;
    evagg_process_t process = {"/bin/true", 9, 1000, 42, 1};

    if (evagg_processes_init(memory, sizeof memory, &config, &processes) != EVAGG_OK ||
        evagg_processes_record(processes, &process, 1) != EVAGG_FIRST ||
        evagg_processes_record(processes, &process, 2) != EVAGG_COUNTED) {
        return 1;
    }
    printf("evagg %s\n", evagg_version());
    return 0;
}
