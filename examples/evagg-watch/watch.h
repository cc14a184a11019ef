/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What the parts of evagg-watch share: the options, the clock of a run, and its totals. */
#ifndef EVAGG_WATCH_WATCH_H
#define EVAGG_WATCH_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "evagg.h"
#include "network.h"
#include "timeline.h"

enum event_kind { KIND_CONNECTIONS, KIND_PROCESSES, KIND_COUNT };

enum sort_order { SORT_HITS, SORT_FIRST_SEEN, SORT_BYTES };

struct options {
    const char *capture_file; /* NULL: watch the machine itself */
    const char *interface_name;
    struct network_list local_networks;
    uint32_t interval; /* milliseconds; 0: a replay is one window */
    uint64_t window_limit;
    uint32_t connection_capacity;
    uint32_t process_capacity;
    uint32_t process_text_bytes; /* 0: by the capacity */
    uint8_t overflow_policy;     /* 0: the default of each kind */
    uint64_t seed;
    enum sort_order sort;
    bool json;
    bool watch_packets;
    bool watch_processes;
};

struct counts {
    uint64_t packets;
    uint64_t packets_not_ip;
    uint64_t packets_dropped;
    uint64_t processes_started;
    uint64_t processes_gone;
    uint64_t connector_overruns;
};

struct totals {
    uint64_t kept;
    uint64_t records;
    uint64_t windows;
    uint64_t record_bytes; /* the records as JSON Lines */
    uint64_t event_bytes;  /* the same, had each event in them been sent by itself */
};

struct watch {
    const struct options *options;
    struct timeline time;
    evagg_connections_t *connections; /* NULL: not watched */
    evagg_processes_t *processes;     /* NULL: not watched */
    void *connection_storage;
    void *process_storage;
    struct warning_context {
        const struct options *options;
        enum event_kind kind;
    } warning_contexts[KIND_COUNT];
    struct counts counts;
    struct counts counts_before_window;
    struct totals totals[KIND_COUNT];
    uint64_t windows_closed;
    bool complete; /* the whole input has been read */
};

const char *kind_name(enum event_kind kind);

void watch_open(struct watch *watch, const struct options *options);
void watch_close(struct watch *watch);
/* Zeros for a kind that is not watched. */
void watch_statistics(const struct watch *watch, evagg_statistics_t statistics[KIND_COUNT]);

/* Both record an event in the open window. */
void watch_packet(struct watch *watch, const struct network_list *local_networks,
                  const uint8_t *packet, size_t length, int64_t time);
void watch_process(struct watch *watch, const evagg_process_t *process, int64_t time);

/* Flushes both kinds, reports them, and opens the next window at next_start. Every time is in
 * milliseconds since 1970. */
void watch_close_window(struct watch *watch, int64_t end, int64_t next_start);

#endif
