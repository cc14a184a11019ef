/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef EVAGG_WATCH_REPORT_H
#define EVAGG_WATCH_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "watch.h"

/* What a record becomes once its window is drained: times of the calendar, text of its own. */
struct connection_entry {
    evagg_connection_record_t record;
    int64_t first_seen;
    int64_t last_seen;
};

struct process_entry {
    evagg_process_record_t record;
    char *command_line;
    int64_t first_seen;
    int64_t last_seen;
};

struct window_summary {
    enum event_kind kind;
    uint32_t sequence;
    int64_t start;
    int64_t end;
    uint32_t offered;
    uint32_t merged;
    uint32_t kept;
    uint32_t rejected;
    uint32_t discarded;
    size_t records;
    uint64_t gone; /* processes that had ended before /proc was read */
    uint64_t overruns;
};

/* Both sort the entries. */
void report_connections(struct watch *watch, const struct window_summary *window,
                        struct connection_entry *entries);
void report_processes(struct watch *watch, const struct window_summary *window,
                      struct process_entry *entries);
void report_warning(const struct options *options, enum event_kind kind,
                    const evagg_warning_t *warning);
void report_summary(const struct watch *watch);

/* Output that cannot be written ends the program. */
void report_flush(void);

#endif
