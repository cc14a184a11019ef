/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "status.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define LINE_BYTES 256
#define COUNT_LENGTH 24
#define DEFAULT_COLUMNS 79

static bool line_is_shown;

bool status_wanted(void) { return isatty(STDERR_FILENO) == 1; }

void status_clear(void) {
    if (line_is_shown) {
        (void)fputs("\r\033[K", stderr);
        line_is_shown = false;
    }
}

/* At most six characters, so that with the default caches the line fits into 80 columns. */
static void count_text(uint64_t count, char text[COUNT_LENGTH]) {
    static const char *const units[] = {"", "k", "M", "G", "T", "P"};
    size_t unit = 0;
    while (count >= 100000) {
        count /= 1000;
        unit++;
    }
    (void)snprintf(text, COUNT_LENGTH, "%" PRIu64 "%s", count, units[unit]);
}

static void add_kind(char *line, size_t size, enum event_kind kind,
                     const evagg_statistics_t *statistics, uint32_t length, uint32_t capacity) {
    char offered[COUNT_LENGTH];
    char lost[COUNT_LENGTH];
    size_t used = strlen(line);
    count_text(statistics->offered, offered);
    count_text(statistics->rejected + statistics->discarded, lost);
    (void)snprintf(line + used, size - used, "%s%s %s, %" PRIu32 "/%" PRIu32 ", lost %s",
                   used > 0 ? " | " : "", kind_name(kind), offered, length, capacity, lost);
}

/* A line that wraps could not be written over. */
static int columns(void) {
    struct winsize size;
    bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? size.ws_col - 1 : DEFAULT_COLUMNS;
}

void status_show(const struct watch *watch, const char *progress) {
    char line[LINE_BYTES];
    evagg_statistics_t statistics;
    uint32_t length;
    if (!status_wanted()) {
        return;
    }
    (void)snprintf(line, sizeof line, "%s", progress);
    if (watch->connections != NULL &&
        evagg_connections_statistics(watch->connections, &statistics) == EVAGG_OK &&
        evagg_connections_length(watch->connections, &length) == EVAGG_OK) {
        add_kind(line, sizeof line, KIND_CONNECTIONS, &statistics, length,
                 watch->options->connection_capacity);
    }
    if (watch->processes != NULL &&
        evagg_processes_statistics(watch->processes, &statistics) == EVAGG_OK &&
        evagg_processes_length(watch->processes, &length) == EVAGG_OK) {
        add_kind(line, sizeof line, KIND_PROCESSES, &statistics, length,
                 watch->options->process_capacity);
    }
    (void)fprintf(stderr, "\r\033[K%.*s", columns(), line);
    (void)fflush(stderr);
    line_is_shown = true;
}
