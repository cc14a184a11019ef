/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* One face for both kinds of event, so that a test is written once. An event is a small number. */
#ifndef EVAGG_C_TESTS_KINDS_H
#define EVAGG_C_TESTS_KINDS_H

#include "support.h"

#define KINDS_CAPACITY 4u
#define KINDS_KEYS 5u
#define KINDS_TEXT_MAXIMUM 16u

/* What a call of flush gave. */
typedef struct page_t {
    union {
        evagg_connection_record_t connections[KINDS_CAPACITY];
        evagg_process_record_t processes[KINDS_CAPACITY];
    } records;
    char text[KINDS_CAPACITY * (KINDS_TEXT_MAXIMUM + 1)];
    evagg_window_t window;
} page_t;

typedef struct kind_t {
    const char *name;
    evagg_status_t (*open)(const evagg_config_t *config);
    evagg_status_t (*attach)(const evagg_config_t *config);
    evagg_status_t (*set_overflow_policy)(uint8_t policy);
    evagg_status_t (*set_warning_callback)(evagg_warning_callback_t callback);
    evagg_status_t (*record)(uint32_t key);
    /* NULL: this kind has no packets. */
    evagg_status_t (*record_packet)(uint32_t key, size_t length);
    evagg_status_t (*flush)(page_t *page, size_t records);
    /* Merges the records of the page. */
    evagg_status_t (*merge)(const page_t *page);
    evagg_status_t (*due)(void);
    evagg_status_t (*length)(uint32_t *length);
    evagg_status_t (*statistics)(evagg_statistics_t *statistics);
    uint32_t (*hits)(const page_t *page, uint32_t index);
    /* KINDS_KEYS or more for a record of no event that there is. */
    uint32_t (*key)(const page_t *page, uint32_t index);
    /* Whether the record's bytes and times are not those of its hits. */
    int (*is_partial)(const page_t *page, uint32_t index);
} kind_t;

#define KINDS_PACKET_BYTES 40u

extern const kind_t connections_kind;
extern const kind_t processes_kind;

#endif
