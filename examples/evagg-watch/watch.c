/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "watch.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "direction.h"
#include "failure.h"
#include "report.h"

#define RECORDS_A_PAGE 32
#define TEXT_BYTES_A_PAGE 8192
#define TEXT_BYTES_AN_ENTRY 128

const char *kind_name(enum event_kind kind) {
    return kind == KIND_CONNECTIONS ? "connections" : "processes";
}

/* Everything below an outcome is a mistake of this program, not of its user. */
static void expect(evagg_status_t status, const char *call) {
    if (status < 0) {
        fail(EX_SOFTWARE, "%s: %s", call, evagg_status_name(status));
    }
}

static void *allocate_storage(size_t size) {
    void *storage = aligned_alloc(EVAGG_STORAGE_ALIGNMENT,
                                  size + EVAGG_STORAGE_ALIGNMENT - size % EVAGG_STORAGE_ALIGNMENT);
    if (storage == NULL) {
        fail(EX_OSERR, "out of memory");
    }
    return storage;
}

static void on_warning(void *context, const evagg_warning_t *warning) {
    const struct warning_context *origin = context;
    report_warning(origin->options, origin->kind, warning);
}

static evagg_config_t common_config(const struct options *options) {
    evagg_config_t config = EVAGG_CONFIG_INIT;
    config.overflow_policy = options->overflow_policy;
    config.lock = EVAGG_LOCK_NONE; /* one thread makes all calls */
    config.hash_seed = options->seed;
    return config;
}

static void open_connections(struct watch *watch) {
    evagg_config_t config = common_config(watch->options);
    config.capacity = watch->options->connection_capacity;
    size_t size = evagg_connections_storage_size(config.capacity);
    watch->connection_storage = allocate_storage(size);
    expect(evagg_connections_init(watch->connection_storage, size, &config, &watch->connections),
           "evagg_connections_init");
    expect(evagg_connections_set_warning_callback(watch->connections, on_warning,
                                                  &watch->warning_contexts[KIND_CONNECTIONS]),
           "evagg_connections_set_warning_callback");
}

static void open_processes(struct watch *watch) {
    evagg_config_t config = common_config(watch->options);
    config.capacity = watch->options->process_capacity;
    config.text_bytes = watch->options->process_text_bytes;
    if (config.text_bytes == 0) {
        config.text_bytes = config.capacity * TEXT_BYTES_AN_ENTRY;
    }
    /* One command line of the greatest length must fit even in the smallest cache. */
    if (config.text_bytes < EVAGG_PROCESSES_DEFAULT_TEXT_MAXIMUM) {
        config.text_bytes = EVAGG_PROCESSES_DEFAULT_TEXT_MAXIMUM;
    }
    size_t size = evagg_processes_storage_size(config.capacity, config.text_bytes);
    watch->process_storage = allocate_storage(size);
    expect(evagg_processes_init(watch->process_storage, size, &config, &watch->processes),
           "evagg_processes_init");
    expect(evagg_processes_set_warning_callback(watch->processes, on_warning,
                                                &watch->warning_contexts[KIND_PROCESSES]),
           "evagg_processes_set_warning_callback");
}

void watch_open(struct watch *watch, const struct options *options) {
    memset(watch, 0, sizeof *watch);
    watch->options = options;
    timeline_start_window(&watch->time, 0);
    for (enum event_kind kind = 0; kind < KIND_COUNT; kind++) {
        watch->warning_contexts[kind].options = options;
        watch->warning_contexts[kind].kind = kind;
    }
    if (options->watch_packets) {
        open_connections(watch);
    }
    if (options->watch_processes) {
        open_processes(watch);
    }
}

void watch_close(struct watch *watch) {
    if (watch->connections != NULL) {
        expect(evagg_connections_deinit(watch->connections), "evagg_connections_deinit");
    }
    if (watch->processes != NULL) {
        expect(evagg_processes_deinit(watch->processes), "evagg_processes_deinit");
    }
    timeline_free(&watch->time);
    free(watch->connection_storage);
    free(watch->process_storage);
}

void watch_statistics(const struct watch *watch, evagg_statistics_t statistics[KIND_COUNT]) {
    memset(statistics, 0, KIND_COUNT * sizeof *statistics);
    if (watch->connections != NULL) {
        expect(evagg_connections_statistics(watch->connections, &statistics[KIND_CONNECTIONS]),
               "evagg_connections_statistics");
    }
    if (watch->processes != NULL) {
        expect(evagg_processes_statistics(watch->processes, &statistics[KIND_PROCESSES]),
               "evagg_processes_statistics");
    }
}

void watch_packet(struct watch *watch, const struct network_list *local_networks,
                  const uint8_t *packet, size_t length, int64_t time) {
    uint8_t direction = packet_direction(local_networks, packet, length);
    expect(evagg_connections_record_packet(watch->connections, packet, length, direction,
                                           timeline_ticks(&watch->time, time)),
           "evagg_connections_record_packet");
}

void watch_process(struct watch *watch, const evagg_process_t *process, int64_t time) {
    expect(evagg_processes_record(watch->processes, process, timeline_ticks(&watch->time, time)),
           "evagg_processes_record");
}

static struct window_summary summarise(const struct watch *watch, enum event_kind kind,
                                       const evagg_window_t *window, int64_t end, size_t records) {
    return (struct window_summary){
        .kind = kind,
        .sequence = window->sequence,
        .start = watch->time.window_start,
        .end = end,
        .offered = window->offered,
        .merged = window->merged,
        .kept = window->kept,
        .rejected = window->rejected,
        .discarded = window->discarded,
        .records = records,
        .gone = watch->counts.processes_gone - watch->counts_before_window.processes_gone,
        .overruns =
            watch->counts.connector_overruns - watch->counts_before_window.connector_overruns,
    };
}

static void flush_connections(struct watch *watch, int64_t end) {
    evagg_time_t now = timeline_ticks(&watch->time, end);
    evagg_connection_record_t page[RECORDS_A_PAGE];
    struct connection_entry *entries = NULL;
    size_t count = 0;
    evagg_window_t window;
    evagg_status_t status;
    do {
        status = evagg_connections_flush(watch->connections, now, page, RECORDS_A_PAGE, &window);
        expect(status, "evagg_connections_flush");
        entries = reallocate(entries, (count + window.records) * sizeof *entries);
        for (uint32_t i = 0; i < window.records; i++) {
            entries[count++] = (struct connection_entry){
                .record = page[i],
                .first_seen = timeline_time(&watch->time, page[i].first_seen),
                .last_seen = timeline_time(&watch->time, page[i].last_seen),
            };
        }
    } while (status == EVAGG_MORE);
    struct window_summary summary = summarise(watch, KIND_CONNECTIONS, &window, end, count);
    report_connections(watch, &summary, entries);
    free(entries);
}

static char *copy_text(const char *text, size_t length) {
    char *copy = allocate(length + 1);
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

static void flush_processes(struct watch *watch, int64_t end) {
    evagg_time_t now = timeline_ticks(&watch->time, end);
    evagg_process_record_t page[RECORDS_A_PAGE];
    char text[TEXT_BYTES_A_PAGE];
    struct process_entry *entries = NULL;
    size_t count = 0;
    evagg_window_t window;
    evagg_status_t status;
    do {
        status = evagg_processes_flush(watch->processes, now, page, RECORDS_A_PAGE, text,
                                       sizeof text, &window);
        expect(status, "evagg_processes_flush");
        entries = reallocate(entries, (count + window.records) * sizeof *entries);
        for (uint32_t i = 0; i < window.records; i++) {
            entries[count++] = (struct process_entry){
                .record = page[i],
                .command_line = copy_text(page[i].command_line, page[i].command_line_length),
                .first_seen = timeline_time(&watch->time, page[i].first_seen),
                .last_seen = timeline_time(&watch->time, page[i].last_seen),
            };
        }
    } while (status == EVAGG_MORE);
    struct window_summary summary = summarise(watch, KIND_PROCESSES, &window, end, count);
    report_processes(watch, &summary, entries);
    for (size_t i = 0; i < count; i++) {
        free(entries[i].command_line);
    }
    free(entries);
}

void watch_close_window(struct watch *watch, int64_t end, int64_t next_start) {
    if (watch->connections != NULL) {
        flush_connections(watch, end);
    }
    if (watch->processes != NULL) {
        flush_processes(watch, end);
    }
    report_flush();
    watch->windows_closed++;
    watch->counts_before_window = watch->counts;
    timeline_start_window(&watch->time, next_start);
}
