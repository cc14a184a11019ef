/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "process_details.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "failure.h"

/* The usual limit of the kernel for all arguments together. */
#define COMMAND_LINE_BYTES (2 * 1024 * 1024)
#define STATUS_BYTES 4096

void process_details_open(struct process_details *details) {
    memset(details, 0, sizeof *details);
    details->command_line = allocate(COMMAND_LINE_BYTES);
}

void process_details_close(struct process_details *details) {
    free(details->command_line);
    details->command_line = NULL;
}

/* The number of bytes read; 0 also if the file cannot be read. */
static size_t read_process_file(pid_t process_id, const char *name, char *buffer, size_t size) {
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/%s", (int)process_id, name);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return 0;
    }
    size_t length = 0;
    while (length < size) {
        ssize_t count = read(file, buffer + length, size - length);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            break;
        }
        length += (size_t)count;
    }
    (void)close(file);
    return length;
}

static bool read_status_number(const char *status, const char *field, uint32_t *number) {
    const char *line = strstr(status, field);
    if (line == NULL) {
        return false;
    }
    *number = (uint32_t)strtoul(line + strlen(field), NULL, 10);
    return true;
}

bool process_details_read(struct process_details *details, pid_t process_id) {
    char status[STATUS_BYTES];
    char *text = details->command_line;
    size_t length = read_process_file(process_id, "cmdline", text, COMMAND_LINE_BYTES);
    if (length == 0) {
        return false;
    }
    if (text[length - 1] == '\0') {
        length--;
    }
    for (char *end = text; (end = memchr(end, '\0', length - (size_t)(end - text))) != NULL;) {
        *end = ' ';
    }
    details->command_line_length = length;

    size_t status_length = read_process_file(process_id, "status", status, sizeof status - 1);
    status[status_length] = '\0';
    return read_status_number(status, "\nUid:\t", &details->user_id) &&
           read_status_number(status, "\nPPid:\t", &details->parent_process_id);
}
