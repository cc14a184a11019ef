/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "facts.h"

static evagg_status_t init_connections(void *memory, const evagg_config_t *config) {
    evagg_connections_t *handle;
    return evagg_connections_init(memory, connections_kind.size, config, &handle);
}

static evagg_status_t attach_connections(void *memory, const evagg_config_t *config) {
    evagg_connections_t *handle;
    return evagg_connections_attach(memory, connections_kind.size, config, &handle);
}

static evagg_status_t warn_connections(void *memory, evagg_warning_callback_t callback,
                                       void *context) {
    return evagg_connections_set_warning_callback(memory, callback, context);
}

static evagg_status_t see_connection(void *memory, uint32_t key, evagg_time_t now) {
    const evagg_connection_t connection = flow(key);
    return evagg_connections_record(memory, &connection, (uint8_t)(EVAGG_IN + key % 2), 100 + key,
                                    now);
}

static evagg_status_t merge_connection(void *memory, uint32_t key, uint32_t hits) {
    const evagg_connection_record_t record = {.connection = flow(key),
                                              .hit_count = hits,
                                              .bytes_in = 7,
                                              .bytes_out = 8,
                                              .first_seen = 900,
                                              .last_seen = 2000};
    return evagg_connections_merge(memory, &record, 1);
}

static evagg_status_t page_of_connections(void *memory, evagg_time_t now, fact_t *fact,
                                          evagg_window_t *window) {
    evagg_connection_record_t record;
    const evagg_status_t status = evagg_connections_flush(memory, now, &record, 1, window);
    if (status >= 0 && window->records == 1) {
        const fact_t found = {window->sequence,
                              FACTS_KEYS,
                              {record.hit_count, record.bytes_in, record.bytes_out,
                               record.first_seen, record.last_seen, record.flags, 0}};
        *fact = found;
        for (uint32_t key = 0; key < FACTS_KEYS; key++) {
            const evagg_connection_t known = flow(key);
            if (memcmp(&known, &record.connection, sizeof known) == 0) {
                fact->key = key;
            }
        }
    }
    return status;
}

static evagg_status_t statistics_of_connections(const void *memory,
                                                evagg_statistics_t *statistics) {
    return evagg_connections_statistics(memory, statistics);
}

static evagg_status_t set_policy_of_connections(void *memory, uint8_t policy) {
    return evagg_connections_set_overflow_policy(memory, policy);
}

static evagg_status_t set_connections_enabled(void *memory, uint8_t enabled) {
    return evagg_connections_set_enabled(memory, enabled);
}

const kind_t connections_kind = {
    "connections",
    EVAGG_CONNECTIONS_STORAGE_SIZE(FACTS_CAPACITY),
    init_connections,
    attach_connections,
    warn_connections,
    see_connection,
    merge_connection,
    page_of_connections,
    statistics_of_connections,
    set_policy_of_connections,
    set_connections_enabled,
};

/* Some are longer than what is kept, and three of the longest do not fit in the text ring. */
static size_t text_of(uint32_t key, char text[32]) {
    static const size_t lengths[FACTS_KEYS] = {10, 16, 20, 5, 24, 16, 0, 9};
    memset(text, 'x', 32);
    text[0] = (char)('a' + key);
    return lengths[key];
}

static evagg_status_t init_processes(void *memory, const evagg_config_t *config) {
    evagg_processes_t *handle;
    return evagg_processes_init(memory, processes_kind.size, config, &handle);
}

static evagg_status_t attach_processes(void *memory, const evagg_config_t *config) {
    evagg_processes_t *handle;
    return evagg_processes_attach(memory, processes_kind.size, config, &handle);
}

static evagg_status_t warn_processes(void *memory, evagg_warning_callback_t callback,
                                     void *context) {
    return evagg_processes_set_warning_callback(memory, callback, context);
}

static evagg_status_t see_process(void *memory, uint32_t key, evagg_time_t now) {
    char text[32];
    const size_t length = text_of(key, text);
    const evagg_process_t process = {.command_line = text,
                                     .command_line_length = length,
                                     .user_id = 1000 + key,
                                     .process_id = now,
                                     .parent_process_id = now + 1};
    return evagg_processes_record(memory, &process, now);
}

static evagg_status_t merge_process(void *memory, uint32_t key, uint32_t hits) {
    char text[32];
    const size_t length = text_of(key, text);
    const uint32_t kept = (uint32_t)(length < FACTS_TEXT_MAXIMUM ? length : FACTS_TEXT_MAXIMUM);
    const evagg_process_record_t record = {
        .hash = key,
        .command_line = text,
        .command_line_length = kept,
        .full_length = (uint32_t)length,
        .user_id = 1000 + key,
        .process_id = 3,
        .parent_process_id = 2,
        .hit_count = hits,
        .first_seen = 900,
        .last_seen = 2000,
        .flags = (uint16_t)(kept < length ? EVAGG_RECORD_TRUNCATED : 0)};
    return evagg_processes_merge(memory, &record, 1);
}

static evagg_status_t page_of_processes(void *memory, evagg_time_t now, fact_t *fact,
                                        evagg_window_t *window) {
    evagg_process_record_t record;
    char kept[FACTS_TEXT_MAXIMUM + 1];
    const evagg_status_t status =
        evagg_processes_flush(memory, now, &record, 1, kept, sizeof kept, window);
    if (status >= 0 && window->records == 1) {
        const fact_t found = {window->sequence,
                              FACTS_KEYS,
                              {record.hit_count, record.process_id, record.parent_process_id,
                               record.first_seen, record.last_seen, record.flags,
                               record.full_length}};
        *fact = found;
        for (uint32_t key = 0; key < FACTS_KEYS; key++) {
            char text[32];
            const size_t length = text_of(key, text);
            if (record.user_id == 1000 + key && record.full_length == length &&
                memcmp(text, record.command_line, record.command_line_length) == 0) {
                fact->key = key;
            }
        }
    }
    return status;
}

static evagg_status_t statistics_of_processes(const void *memory, evagg_statistics_t *statistics) {
    return evagg_processes_statistics(memory, statistics);
}

static evagg_status_t set_policy_of_processes(void *memory, uint8_t policy) {
    return evagg_processes_set_overflow_policy(memory, policy);
}

static evagg_status_t set_processes_enabled(void *memory, uint8_t enabled) {
    return evagg_processes_set_enabled(memory, enabled);
}

const kind_t processes_kind = {
    "processes",
    EVAGG_PROCESSES_STORAGE_SIZE(FACTS_CAPACITY, FACTS_TEXT_BYTES),
    init_processes,
    attach_processes,
    warn_processes,
    see_process,
    merge_process,
    page_of_processes,
    statistics_of_processes,
    set_policy_of_processes,
    set_processes_enabled,
};

evagg_config_t facts_config(uint8_t policy, evagg_time_t start) {
    evagg_config_t config =
        process_config_of(FACTS_CAPACITY, FACTS_TEXT_BYTES, FACTS_TEXT_MAXIMUM, policy);
    config.start = start;
    return config;
}

typedef struct warnings_t {
    evagg_warning_t given[8];
    uint32_t count;
} warnings_t;

static void take_warning(void *context, const evagg_warning_t *warning) {
    warnings_t *const warnings = context;
    assert_true(warnings->count < COUNT_OF(warnings->given));
    warnings->given[warnings->count++] = *warning;
}

void take_facts(const kind_t *kind, void *memory, evagg_time_t now, facts_t *facts) {
    static warnings_t warnings;
    warnings.count = 0;
    memset(facts, 0, sizeof *facts);
    assert_int_equal(kind->warn(memory, take_warning, &warnings), EVAGG_OK);
    assert_int_equal(kind->statistics(memory, &facts->statistics), EVAGG_OK);
    for (uint32_t i = 0; i < FACTS_WINDOWS; i++) {
        fact_window_t *const entry = &facts->windows[i];
        uint32_t pages = 0;
        uint64_t hits = 0;
        evagg_status_t status;
        do {
            assert_true(facts->record_count < FACTS_RECORDS && pages++ < 2 * FACTS_CAPACITY);
            fact_t *const fact = &facts->records[facts->record_count];
            status = kind->page(memory, now, fact, &entry->window);
            assert_true(status == EVAGG_OK || status == EVAGG_MORE);
            if (entry->window.records == 1) {
                assert_true(fact->key < FACTS_KEYS);
                hits += fact->numbers[FACT_HITS];
                facts->record_count++;
            }
        } while (status == EVAGG_MORE);
        const evagg_window_t *const window = &entry->window;
        /* A count at its maximum means at least that many. */
        if (window->merged < UINT32_MAX) {
            assert_int_equal((uint64_t)window->offered + window->merged,
                             (uint64_t)window->kept + window->rejected + window->discarded);
            assert_true(window->kept >= hits);
            entry->flushed_before = (uint32_t)(window->kept - hits);
        }
    }
    for (uint32_t i = 0; i < FACTS_WINDOWS; i++) {
        fact_window_t *const entry = &facts->windows[i];
        for (uint32_t j = 0; j < warnings.count; j++) {
            const evagg_warning_t *const warning = &warnings.given[j];
            if (warning->window == entry->window.sequence) {
                const bool is_final = warning->code == EVAGG_WARNING_LOSSES;
                entry->first_warnings += !is_final;
                entry->final_warnings += is_final;
                entry->recommended += is_final ? warning->recommended_capacity : 0;
                if (is_final) {
                    assert_int_equal(warning->lost,
                                     entry->window.rejected + entry->window.discarded);
                }
            }
        }
        assert_true(entry->first_warnings <= 1 && entry->final_warnings <= 1);
    }
}
