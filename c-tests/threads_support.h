/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef EVAGG_C_TESTS_THREADS_SUPPORT_H
#define EVAGG_C_TESTS_THREADS_SUPPORT_H

#include "support.h"

#define PAGE_RECORDS 8u
/* Keys are smaller: what flow() and job_text() can tell apart. */
#define KEY_LIMIT (1u << 24)

/* An instance of one kind; the other handle is NULL. */
typedef struct subject_t {
    evagg_connections_t *connections;
    evagg_processes_t *processes;
} subject_t;

/* What a record says, whatever its kind. */
typedef struct item_t {
    uint32_t key;
    uint32_t hits;
    evagg_time_t last_seen;
    /* 0 if the record cannot have come of the events that were given. */
    uint8_t is_sound;
} item_t;

typedef struct page_t {
    evagg_window_t window;
    item_t items[PAGE_RECORDS];
    evagg_connection_record_t connections[PAGE_RECORDS];
    evagg_process_record_t processes[PAGE_RECORDS];
    char text[PAGE_RECORDS * JOB_TEXT];
} page_t;

/* Both kinds in the same storage, one after the other, under the built-in lock. */
void subject_open(subject_t *subject, int is_of_processes, uint32_t capacity, uint8_t policy);
void subject_close(subject_t *subject);
void subject_set_warning_callback(const subject_t *subject, evagg_warning_callback_t callback,
                                  void *context);
/* A connection's bytes and their direction follow from its key. */
evagg_status_t subject_record(const subject_t *subject, uint32_t key, evagg_time_t now);
evagg_status_t subject_flush(const subject_t *subject, evagg_time_t now, page_t *page,
                             uint32_t records);
evagg_status_t subject_merge(const subject_t *subject, const page_t *page);
uint32_t subject_length(const subject_t *subject);
evagg_statistics_t subject_statistics(const subject_t *subject);

/* `many` if EVAGG_LONG is set, else `few`. */
uint32_t repetitions(uint32_t many, uint32_t few);

#endif
