/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "kinds.h"

#include "board.h"

#define NOW 1001u
#define PORT 5000u
#define USER 100u
#define PAYLOAD 20u /* of the packets too */

/* Made beforehand, so that a call is the library's and little else. */
#define FLOW(n) \
    { {192, 0, 2, 1}, {198, 51, 100, 7}, PORT + (n), 443, 6, 4 }
static const evagg_connection_t flows[KINDS_KEYS] = {FLOW(0), FLOW(1), FLOW(2), FLOW(3), FLOW(4)};

#define JOB(n) \
    { "/bin/job " #n, 10, USER + (n), 1000 + (n), 1 }
static const evagg_process_t jobs[KINDS_KEYS] = {JOB(0), JOB(1), JOB(2), JOB(3), JOB(4)};

#define PACKET(n)                                                                               \
    {                                                                                           \
        0x45, 0, 0, KINDS_PACKET_BYTES, 0, 0, 0, 0, 64, 6, 0, 0, 192, 0, 2, 1, 198, 51, 100, 7, \
            (PORT + (n)) >> 8, (PORT + (n)) & 255, 443 >> 8, 443 & 255                          \
    }
static const uint8_t packets[KINDS_KEYS][KINDS_PACKET_BYTES] = {PACKET(0), PACKET(1), PACKET(2),
                                                                PACKET(3), PACKET(4)};

BOARD_RETAINED CONNECTIONS_MEMORY(connections_memory, KINDS_CAPACITY);
BOARD_RETAINED PROCESSES_MEMORY(processes_memory, KINDS_CAPACITY,
                                KINDS_CAPACITY *KINDS_TEXT_MAXIMUM);
static evagg_connections_t *connections;
static evagg_processes_t *processes;

static evagg_status_t open_connections(const evagg_config_t *config) {
    return evagg_connections_init(connections_memory, sizeof connections_memory, config,
                                  &connections);
}

static evagg_status_t attach_connections(const evagg_config_t *config) {
    return evagg_connections_attach(connections_memory, sizeof connections_memory, config,
                                    &connections);
}

static evagg_status_t set_policy_of_connections(uint8_t policy) {
    return evagg_connections_set_overflow_policy(connections, policy);
}

static evagg_status_t warn_of_connections(evagg_warning_callback_t callback) {
    return evagg_connections_set_warning_callback(connections, callback, NULL);
}

static evagg_status_t record_connection(uint32_t key) {
    return evagg_connections_record(connections, &flows[key], EVAGG_OUT, PAYLOAD, NOW);
}

static evagg_status_t record_packet(uint32_t key, size_t length) {
    return evagg_connections_record_packet(connections, packets[key], length, EVAGG_OUT, NOW);
}

static evagg_status_t flush_connections(page_t *page, size_t records) {
    return evagg_connections_flush(connections, NOW + 1, page->records.connections, records,
                                   &page->window);
}

static evagg_status_t merge_connections(const page_t *page) {
    return evagg_connections_merge(connections, page->records.connections, page->window.records);
}

static evagg_status_t connections_due(void) { return evagg_connections_due(connections, NOW); }

static evagg_status_t length_of_connections(uint32_t *length) {
    return evagg_connections_length(connections, length);
}

static evagg_status_t statistics_of_connections(evagg_statistics_t *statistics) {
    return evagg_connections_statistics(connections, statistics);
}

static uint32_t connection_hits(const page_t *page, uint32_t index) {
    return page->records.connections[index].hit_count;
}

static uint32_t connection_key(const page_t *page, uint32_t index) {
    return page->records.connections[index].connection.local_port - PORT;
}

static int is_partial_connection(const page_t *page, uint32_t index) {
    const evagg_connection_record_t *const record = &page->records.connections[index];
    return record->bytes_in != 0 || record->bytes_out != PAYLOAD * record->hit_count ||
           record->first_seen != NOW || record->last_seen != NOW || record->flags != 0;
}

const kind_t connections_kind = {
    "connections",       open_connections,  attach_connections,    set_policy_of_connections,
    warn_of_connections, record_connection, record_packet,         flush_connections,
    merge_connections,   connections_due,   length_of_connections, statistics_of_connections,
    connection_hits,     connection_key,    is_partial_connection,
};

static evagg_config_t with_text(const evagg_config_t *config) {
    evagg_config_t changed = *config;
    changed.text_bytes = KINDS_CAPACITY * KINDS_TEXT_MAXIMUM;
    changed.text_maximum = KINDS_TEXT_MAXIMUM;
    return changed;
}

static evagg_status_t open_processes(const evagg_config_t *config) {
    const evagg_config_t changed = with_text(config);
    return evagg_processes_init(processes_memory, sizeof processes_memory, &changed, &processes);
}

static evagg_status_t attach_processes(const evagg_config_t *config) {
    const evagg_config_t changed = with_text(config);
    return evagg_processes_attach(processes_memory, sizeof processes_memory, &changed, &processes);
}

static evagg_status_t set_policy_of_processes(uint8_t policy) {
    return evagg_processes_set_overflow_policy(processes, policy);
}

static evagg_status_t warn_of_processes(evagg_warning_callback_t callback) {
    return evagg_processes_set_warning_callback(processes, callback, NULL);
}

static evagg_status_t record_process(uint32_t key) {
    return evagg_processes_record(processes, &jobs[key], NOW);
}

static evagg_status_t flush_processes(page_t *page, size_t records) {
    return evagg_processes_flush(processes, NOW + 1, page->records.processes, records, page->text,
                                 sizeof page->text, &page->window);
}

static evagg_status_t merge_processes(const page_t *page) {
    return evagg_processes_merge(processes, page->records.processes, page->window.records);
}

static evagg_status_t processes_due(void) { return evagg_processes_due(processes, NOW); }

static evagg_status_t length_of_processes(uint32_t *length) {
    return evagg_processes_length(processes, length);
}

static evagg_status_t statistics_of_processes(evagg_statistics_t *statistics) {
    return evagg_processes_statistics(processes, statistics);
}

static uint32_t process_hits(const page_t *page, uint32_t index) {
    return page->records.processes[index].hit_count;
}

static uint32_t process_key(const page_t *page, uint32_t index) {
    const evagg_process_record_t *const record = &page->records.processes[index];
    const uint32_t key = record->user_id - USER;
    const int is_whole = key < KINDS_KEYS && record->command_line_length == 10 &&
                         memcmp(record->command_line, jobs[key].command_line, 10) == 0;
    return is_whole ? key : UINT32_MAX;
}

static int is_partial_process(const page_t *page, uint32_t index) {
    const evagg_process_record_t *const record = &page->records.processes[index];
    return record->first_seen != NOW || record->last_seen != NOW || record->flags != 0 ||
           record->process_id != record->user_id - USER + 1000 || record->full_length != 10;
}

const kind_t processes_kind = {
    "processes",
    open_processes,
    attach_processes,
    set_policy_of_processes,
    warn_of_processes,
    record_process,
    NULL,
    flush_processes,
    merge_processes,
    processes_due,
    length_of_processes,
    statistics_of_processes,
    process_hits,
    process_key,
    is_partial_process,
};
