/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef EVAGG_WATCH_PROCESS_DETAILS_H
#define EVAGG_WATCH_PROCESS_DETAILS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct process_details {
    char *command_line; /* arguments with spaces between; valid until the next read */
    size_t command_line_length;
    uint32_t user_id; /* the real one: who started the process */
    uint32_t parent_process_id;
};

void process_details_open(struct process_details *details);
void process_details_close(struct process_details *details);

/* False if the process is gone, or so far gone that its command line is. */
bool process_details_read(struct process_details *details, pid_t process_id);

#endif
