/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "json.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "address.h"
#include "failure.h"
#include "text.h"

static void check(const void *item) {
    if (item == NULL) {
        fail(EX_OSERR, "out of memory");
    }
}

static void add_text(cJSON *object, const char *name, const char *text) {
    check(cJSON_AddStringToObject(object, name, text));
}

static void add_flag(cJSON *object, const char *name, bool value) {
    check(cJSON_AddBoolToObject(object, name, value));
}

static void add_count(cJSON *object, const char *name, uint64_t value) {
    check(cJSON_AddNumberToObject(object, name, (double)value));
}

static void add_time(cJSON *object, const char *name, int64_t milliseconds) {
    check(cJSON_AddNumberToObject(object, name, (double)milliseconds / 1000.0));
}

static cJSON *new_object(const char *type) {
    cJSON *object = cJSON_CreateObject();
    check(object);
    add_text(object, "type", type);
    return object;
}

static char *print_and_delete(cJSON *object) {
    char *line = cJSON_PrintUnformatted(object);
    check(line);
    cJSON_Delete(object);
    return line;
}

char *json_window(const struct window_summary *window) {
    cJSON *object = new_object("window");
    add_text(object, "kind", kind_name(window->kind));
    add_count(object, "sequence", window->sequence);
    add_time(object, "start", window->start);
    add_time(object, "end", window->end);
    add_count(object, "offered", window->offered);
    add_count(object, "merged", window->merged);
    add_count(object, "kept", window->kept);
    add_count(object, "rejected", window->rejected);
    add_count(object, "discarded", window->discarded);
    add_count(object, "records", window->records);
    if (window->kind == KIND_PROCESSES) {
        add_count(object, "gone", window->gone);
        add_count(object, "overruns", window->overruns);
    }
    return print_and_delete(object);
}

static void add_endpoint(cJSON *object, const char *address_name, const char *port_name,
                         uint8_t ip_version, const uint8_t *address, uint16_t port) {
    char text[INET6_ADDRSTRLEN];
    address_text(ip_version, address, text);
    add_text(object, address_name, text);
    add_count(object, port_name, port);
}

char *json_connection(const struct connection_entry *entry, uint32_t window) {
    const evagg_connection_record_t *record = &entry->record;
    const evagg_connection_t *connection = &record->connection;
    const char *transport = transport_name(connection->protocol);
    cJSON *object = new_object("connection");
    add_count(object, "window", window);
    add_count(object, "protocol", connection->protocol);
    add_text(object, "transport", transport != NULL ? transport : "other");
    add_count(object, "ip_version", connection->ip_version);
    add_endpoint(object, "local_address", "local_port", connection->ip_version,
                 connection->local_address, connection->local_port);
    add_endpoint(object, "remote_address", "remote_port", connection->ip_version,
                 connection->remote_address, connection->remote_port);
    add_count(object, "hits", record->hit_count);
    add_count(object, "bytes_in", record->bytes_in);
    add_count(object, "bytes_out", record->bytes_out);
    add_time(object, "first_seen", entry->first_seen);
    add_time(object, "last_seen", entry->last_seen);
    add_flag(object, "saturated", (record->flags & EVAGG_RECORD_SATURATED) != 0);
    return print_and_delete(object);
}

char *json_process(const struct process_entry *entry, uint32_t window) {
    const evagg_process_record_t *record = &entry->record;
    bool escaped;
    char *command_line =
        text_escape(entry->command_line, record->command_line_length, TEXT_FOR_JSON, &escaped);
    /* 64 bits do not fit in the numbers of most JSON readers. */
    char hash[17];
    (void)snprintf(hash, sizeof hash, "%016" PRIx64, record->hash);

    cJSON *object = new_object("process");
    add_count(object, "window", window);
    add_count(object, "user_id", record->user_id);
    add_count(object, "pid", record->process_id);
    add_count(object, "ppid", record->parent_process_id);
    add_text(object, "command_line", command_line);
    add_flag(object, "escaped", escaped);
    add_count(object, "full_length", record->full_length);
    add_flag(object, "truncated", (record->flags & EVAGG_RECORD_TRUNCATED) != 0);
    add_text(object, "hash", hash);
    add_count(object, "hits", record->hit_count);
    add_time(object, "first_seen", entry->first_seen);
    add_time(object, "last_seen", entry->last_seen);
    add_flag(object, "saturated", (record->flags & EVAGG_RECORD_SATURATED) != 0);
    free(command_line);
    return print_and_delete(object);
}

char *json_warning(enum event_kind kind, const evagg_warning_t *warning) {
    cJSON *object = new_object("warning");
    add_text(object, "kind", kind_name(kind));
    add_count(object, "code", warning->code);
    add_count(object, "window", warning->window);
    add_text(object, "text", warning->text);
    add_count(object, "capacity", warning->capacity);
    add_count(object, "lost", warning->lost);
    add_count(object, "recommended_capacity", warning->recommended_capacity);
    add_count(object, "recommended_text_bytes", warning->recommended_text_bytes);
    add_flag(object, "at_least", warning->at_least != 0);
    return print_and_delete(object);
}

static void add_statistics(cJSON *object, const evagg_statistics_t *statistics,
                           const struct totals *totals) {
    add_count(object, "offered", statistics->offered);
    add_count(object, "kept", totals->kept);
    add_count(object, "rejected", statistics->rejected);
    add_count(object, "discarded", statistics->discarded);
    add_count(object, "malformed", statistics->malformed);
    add_count(object, "ignored", statistics->ignored);
    add_count(object, "records", totals->records);
    add_count(object, "windows", totals->windows);
}

char *json_summary(const struct watch *watch) {
    const struct counts *counts = &watch->counts;
    evagg_statistics_t both[KIND_COUNT] = {0};
    evagg_statistics_t sum = {0};
    struct totals totals = {0};
    watch_statistics(watch, both);
    for (enum event_kind kind = 0; kind < KIND_COUNT; kind++) {
        sum.offered += both[kind].offered;
        sum.rejected += both[kind].rejected;
        sum.discarded += both[kind].discarded;
        sum.malformed += both[kind].malformed;
        sum.ignored += both[kind].ignored;
        totals.kept += watch->totals[kind].kept;
        totals.records += watch->totals[kind].records;
        totals.windows += watch->totals[kind].windows;
        totals.record_bytes += watch->totals[kind].record_bytes;
        totals.event_bytes += watch->totals[kind].event_bytes;
    }

    cJSON *object = new_object("summary");
    add_flag(object, "complete", watch->complete);
    add_count(object, "packets", counts->packets);
    add_count(object, "packets_not_ip", counts->packets_not_ip);
    add_count(object, "packets_dropped", counts->packets_dropped);
    add_count(object, "processes_started", counts->processes_started);
    add_count(object, "processes_gone", counts->processes_gone);
    add_count(object, "connector_overruns", counts->connector_overruns);
    add_statistics(object, &sum, &totals);
    add_count(object, "event_bytes", totals.event_bytes);
    add_count(object, "record_bytes", totals.record_bytes);
    for (enum event_kind kind = 0; kind < KIND_COUNT; kind++) {
        cJSON *part = cJSON_AddObjectToObject(object, kind_name(kind));
        check(part);
        add_statistics(part, &both[kind], &watch->totals[kind]);
        add_count(part, "high_water_mark", both[kind].high_water_mark);
    }
    return print_and_delete(object);
}
