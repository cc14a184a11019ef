/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "failure.h"
#include "json.h"
#include "status.h"
#include "table.h"

static int compare(uint64_t left, uint64_t right) { return (left > right) - (left < right); }

/* Both orders by size fall back to this one, and it to what tells records apart, so that the same
 * events always give the same report. */
static int connections_by_first_seen(const void *left, const void *right) {
    const struct connection_entry *a = left;
    const struct connection_entry *b = right;
    if (a->first_seen != b->first_seen) {
        return a->first_seen < b->first_seen ? -1 : 1;
    }
    return memcmp(&a->record.connection, &b->record.connection, sizeof a->record.connection);
}

static int connections_by_hits(const void *left, const void *right) {
    const struct connection_entry *a = left;
    const struct connection_entry *b = right;
    int order = compare(b->record.hit_count, a->record.hit_count);
    return order != 0 ? order : connections_by_first_seen(left, right);
}

static uint64_t total_bytes(const struct connection_entry *entry) {
    return (uint64_t)entry->record.bytes_in + entry->record.bytes_out;
}

static int connections_by_bytes(const void *left, const void *right) {
    int order = compare(total_bytes(right), total_bytes(left));
    return order != 0 ? order : connections_by_hits(left, right);
}

static int processes_by_first_seen(const void *left, const void *right) {
    const struct process_entry *a = left;
    const struct process_entry *b = right;
    if (a->first_seen != b->first_seen) {
        return a->first_seen < b->first_seen ? -1 : 1;
    }
    return compare(a->record.process_id, b->record.process_id);
}

static int processes_by_hits(const void *left, const void *right) {
    const struct process_entry *a = left;
    const struct process_entry *b = right;
    int order = compare(b->record.hit_count, a->record.hit_count);
    return order != 0 ? order : processes_by_first_seen(left, right);
}

static void print_line(const char *line) {
    status_clear();
    (void)puts(line);
}

/* Counts the record in the totals and prints it if JSON is wanted. */
static void report_record(struct watch *watch, struct totals *totals, uint32_t hits, char *line) {
    size_t line_bytes = strlen(line) + 1;
    totals->records++;
    totals->record_bytes += line_bytes;
    totals->event_bytes += hits * (uint64_t)line_bytes;
    if (watch->options->json) {
        print_line(line);
    }
    free(line);
}

static void report_window(struct watch *watch, const struct window_summary *window) {
    struct totals *totals = &watch->totals[window->kind];
    totals->kept += window->kept;
    totals->windows++;
    if (watch->options->json) {
        char *line = json_window(window);
        print_line(line);
        free(line);
    }
}

void report_connections(struct watch *watch, const struct window_summary *window,
                        struct connection_entry *entries) {
    static int (*const orders[])(const void *, const void *) = {
        [SORT_HITS] = connections_by_hits,
        [SORT_FIRST_SEEN] = connections_by_first_seen,
        [SORT_BYTES] = connections_by_bytes,
    };
    qsort(entries, window->records, sizeof *entries, orders[watch->options->sort]);
    report_window(watch, window);
    for (size_t i = 0; i < window->records; i++) {
        report_record(watch, &watch->totals[KIND_CONNECTIONS], entries[i].record.hit_count,
                      json_connection(&entries[i], window->sequence));
    }
    if (!watch->options->json) {
        status_clear();
        table_connections(window, entries);
    }
}

void report_processes(struct watch *watch, const struct window_summary *window,
                      struct process_entry *entries) {
    qsort(entries, window->records, sizeof *entries,
          watch->options->sort == SORT_FIRST_SEEN ? processes_by_first_seen : processes_by_hits);
    report_window(watch, window);
    for (size_t i = 0; i < window->records; i++) {
        report_record(watch, &watch->totals[KIND_PROCESSES], entries[i].record.hit_count,
                      json_process(&entries[i], window->sequence));
    }
    if (!watch->options->json) {
        status_clear();
        table_processes(window, entries);
    }
}

void report_warning(const struct options *options, enum event_kind kind,
                    const evagg_warning_t *warning) {
    if (!options->json) {
        complain("warning: %s", warning->text);
        return;
    }
    char *line = json_warning(kind, warning);
    print_line(line);
    free(line);
    report_flush();
}

void report_summary(const struct watch *watch) {
    if (watch->options->json) {
        char *line = json_summary(watch);
        print_line(line);
        free(line);
    } else {
        status_clear();
        table_summary(watch);
    }
    report_flush();
}

void report_flush(void) {
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fail(EX_IOERR, "cannot write to standard output: %s", strerror(errno));
    }
}
