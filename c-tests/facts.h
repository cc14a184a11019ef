/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Both kinds of instance with numbered keys, and everything that one tells when it is emptied. */
#ifndef EVAGG_C_TESTS_FACTS_H
#define EVAGG_C_TESTS_FACTS_H

#include <stdbool.h>

#include "support.h"

#define FACTS_CAPACITY 3u
#define FACTS_TEXT_BYTES 40u
#define FACTS_TEXT_MAXIMUM 16u
#define FACTS_KEYS 8u
#define FACTS_RECORDS 8u
#define FACTS_WINDOWS 2u

/* A record, and the window that it came with. */
typedef struct fact_t {
    uint32_t sequence, key;
    uint32_t numbers[7];
} fact_t;

#define FACT_HITS 0u

/* A handle is the address of its storage. */
typedef struct kind_t {
    const char *name;
    size_t size;
    evagg_status_t (*init)(void *memory, const evagg_config_t *config);
    evagg_status_t (*attach)(void *memory, const evagg_config_t *config);
    evagg_status_t (*warn)(void *memory, evagg_warning_callback_t callback, void *context);
    evagg_status_t (*see)(void *memory, uint32_t key, evagg_time_t now);
    evagg_status_t (*merge)(void *memory, uint32_t key, uint32_t hits);
    /* One record at most. */
    evagg_status_t (*page)(void *memory, evagg_time_t now, fact_t *fact, evagg_window_t *window);
    evagg_status_t (*statistics)(const void *memory, evagg_statistics_t *statistics);
    evagg_status_t (*set_policy)(void *memory, uint8_t policy);
    evagg_status_t (*set_enabled)(void *memory, uint8_t enabled);
} kind_t;

extern const kind_t connections_kind, processes_kind;

typedef struct fact_window_t {
    evagg_window_t window;
    /* Hits that the window kept, but not in these records: flushed before. */
    uint32_t flushed_before;
    uint32_t first_warnings, final_warnings, recommended;
} fact_window_t;

typedef struct facts_t {
    evagg_statistics_t statistics;
    fact_window_t windows[FACTS_WINDOWS];
    fact_t records[FACTS_RECORDS];
    uint32_t record_count;
} facts_t;

evagg_config_t facts_config(uint8_t policy, evagg_time_t start);
/* Empties the instance: the window that is being flushed, if there is one, and the current one. */
void take_facts(const kind_t *kind, void *memory, evagg_time_t now, facts_t *facts);

#endif
