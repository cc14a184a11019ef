/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "threads_support.h"

#include <stdlib.h>

#define LARGEST 200u

PROCESSES_MEMORY(memory, LARGEST, LARGEST *JOB_TEXT);

void subject_open(subject_t *subject, int is_of_processes, uint32_t capacity, uint8_t policy) {
    memset(subject, 0, sizeof *subject);
    const evagg_config_t config =
        process_config_of(capacity, is_of_processes ? capacity * JOB_TEXT : 0,
                          is_of_processes ? JOB_TEXT : 0, policy);
    if (is_of_processes) {
        assert_int_equal(evagg_processes_init(memory, sizeof memory, &config, &subject->processes),
                         EVAGG_OK);
    } else {
        assert_int_equal(
            evagg_connections_init(memory, sizeof memory, &config, &subject->connections),
            EVAGG_OK);
    }
}

void subject_close(subject_t *subject) {
    assert_int_equal(subject->connections != NULL ? evagg_connections_deinit(subject->connections)
                                                  : evagg_processes_deinit(subject->processes),
                     EVAGG_OK);
}

void subject_set_warning_callback(const subject_t *subject, evagg_warning_callback_t callback,
                                  void *context) {
    assert_int_equal(
        subject->connections != NULL
            ? evagg_connections_set_warning_callback(subject->connections, callback, context)
            : evagg_processes_set_warning_callback(subject->processes, callback, context),
        EVAGG_OK);
}

static uint32_t bytes_of(uint32_t key) { return key % 1499u + 1; }

evagg_status_t subject_record(const subject_t *subject, uint32_t key, evagg_time_t now) {
    if (subject->processes != NULL) {
        return see_job(subject->processes, key, now);
    }
    const evagg_connection_t connection = flow(key);
    return evagg_connections_record(subject->connections, &connection,
                                    key % 2 == 0 ? EVAGG_IN : EVAGG_OUT, bytes_of(key), now);
}

static item_t connection_item(const evagg_connection_record_t *record) {
    const uint8_t *const address = record->connection.remote_address;
    item_t item = {.hits = record->hit_count, .last_seen = record->last_seen};
    item.key = (uint32_t)address[1] << 16 | (uint32_t)address[2] << 8 | address[3];
    const evagg_connection_t connection = flow(item.key);
    const uint32_t bytes = item.key % 2 == 0 ? record->bytes_in : record->bytes_out;
    item.is_sound = memcmp(&record->connection, &connection, sizeof connection) == 0 &&
                    record->bytes_in + record->bytes_out == bytes && record->flags == 0 &&
                    bytes == (uint64_t)item.hits * bytes_of(item.key);
    return item;
}

static item_t process_item(const evagg_process_record_t *record) {
    item_t item = {.hits = record->hit_count, .last_seen = record->last_seen};
    char text[JOB_TEXT];
    item.key = record->process_id - 100;
    if (item.key < KEY_LIMIT) {
        job_text(item.key, text);
        item.is_sound = record->command_line_length == JOB_TEXT - 1 && record->flags == 0 &&
                        record->full_length == JOB_TEXT - 1 && record->user_id == 1000 &&
                        memcmp(record->command_line, text, JOB_TEXT) == 0;
    }
    return item;
}

evagg_status_t subject_flush(const subject_t *subject, evagg_time_t now, page_t *page,
                             uint32_t records) {
    evagg_status_t status;
    if (subject->connections != NULL) {
        status = evagg_connections_flush(subject->connections, now, page->connections, records,
                                         &page->window);
    } else {
        status = evagg_processes_flush(subject->processes, now, page->processes, records,
                                       page->text, sizeof page->text, &page->window);
    }
    for (uint32_t i = 0; i < page->window.records; i++) {
        page->items[i] = subject->connections != NULL ? connection_item(&page->connections[i])
                                                      : process_item(&page->processes[i]);
    }
    return status;
}

evagg_status_t subject_merge(const subject_t *subject, const page_t *page) {
    return subject->connections != NULL
               ? evagg_connections_merge(subject->connections, page->connections,
                                         page->window.records)
               : evagg_processes_merge(subject->processes, page->processes, page->window.records);
}

uint32_t subject_length(const subject_t *subject) {
    uint32_t length = UINT32_MAX;
    (void)(subject->connections != NULL ? evagg_connections_length(subject->connections, &length)
                                        : evagg_processes_length(subject->processes, &length));
    return length;
}

evagg_statistics_t subject_statistics(const subject_t *subject) {
    return subject->connections != NULL ? connections_statistics(subject->connections)
                                        : processes_statistics(subject->processes);
}

uint32_t repetitions(uint32_t many, uint32_t few) {
    return getenv("EVAGG_LONG") != NULL ? many : few;
}
