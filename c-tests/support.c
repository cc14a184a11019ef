/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "support.h"

evagg_config_t config_of(uint32_t capacity, uint8_t policy) {
    evagg_config_t config = EVAGG_CONFIG_INIT;
    config.capacity = capacity;
    config.overflow_policy = policy;
    config.start = 1000;
    config.lock = SUPPORT_LOCK;
    config.hash_seed = SUPPORT_SEED;
    return config;
}

evagg_config_t process_config_of(uint32_t capacity, uint32_t text_bytes, uint16_t text_maximum,
                                 uint8_t policy) {
    evagg_config_t config = config_of(capacity, policy);
    config.text_bytes = text_bytes;
    config.text_maximum = text_maximum;
    return config;
}

static void assert_window_adds_up(const evagg_window_t *window, uint64_t hits) {
    assert_int_equal(window->remaining, 0);
    assert_int_equal(window->kept, hits);
    assert_int_equal((uint64_t)window->offered + window->merged,
                     (uint64_t)window->kept + window->rejected + window->discarded);
}

static void assert_nothing_unaccounted(const evagg_statistics_t *statistics, uint64_t flushed) {
    const uint64_t entered = statistics->offered + statistics->merged;
    assert_int_equal(entered, flushed + statistics->rejected + statistics->discarded);
    assert_int_equal(entered, statistics->counted + statistics->rejected);
}

void connections_open(connections_case_t *instance, void *memory, size_t size,
                      const evagg_config_t *config) {
    memset(instance, 0, sizeof *instance);
    assert_int_equal(evagg_connections_init(memory, size, config, &instance->handle), EVAGG_OK);
    assert_non_null(instance->handle);
}

evagg_status_t connections_page(connections_case_t *instance, evagg_time_t now, size_t records) {
    const size_t room = SUPPORT_RECORDS - instance->count;
    assert_true(room > 0);
    evagg_connection_record_t *const first = &instance->records[instance->count];
    const evagg_status_t status = evagg_connections_flush(
        instance->handle, now, first, records < room ? records : room, &instance->window);
    assert_true(status == EVAGG_OK || status == EVAGG_MORE);
    assert_true(instance->window.records <= records);
    assert_int_equal(status == EVAGG_MORE, instance->window.remaining > 0);
    for (uint32_t i = 0; i < instance->window.records; i++) {
        assert_true(first[i].hit_count > 0);
        instance->flushed += first[i].hit_count;
    }
    instance->count += instance->window.records;
    return status;
}

void connections_drain(connections_case_t *instance, evagg_time_t now, size_t page) {
    const uint64_t before = instance->flushed;
    evagg_status_t status;
    instance->count = 0;
    do {
        status = connections_page(instance, now, page);
    } while (status == EVAGG_MORE);
    assert_window_adds_up(&instance->window, instance->flushed - before);
}

void connections_close(connections_case_t *instance, evagg_time_t now) {
    /* Two windows at most: the one whose pages wait, if any, and the current one. */
    for (uint32_t window = 0; window < 2; window++) {
        do {
            instance->count = 0;
        } while (connections_page(instance, now, 1) == EVAGG_MORE);
    }
    assert_int_equal(connections_length(instance->handle), 0);
    const evagg_statistics_t statistics = connections_statistics(instance->handle);
    assert_nothing_unaccounted(&statistics, instance->flushed);
    assert_int_equal(evagg_connections_deinit(instance->handle), EVAGG_OK);
}

const evagg_connection_record_t *connections_find(const connections_case_t *instance,
                                                  const evagg_connection_t *connection) {
    for (uint32_t i = 0; i < instance->count; i++) {
        const evagg_connection_t *const other = &instance->records[i].connection;
        if (other->local_port == connection->local_port &&
            other->remote_port == connection->remote_port &&
            other->protocol == connection->protocol &&
            other->ip_version == connection->ip_version &&
            memcmp(other->local_address, connection->local_address, 16) == 0 &&
            memcmp(other->remote_address, connection->remote_address, 16) == 0) {
            return &instance->records[i];
        }
    }
    return NULL;
}

uint32_t connections_length(const evagg_connections_t *handle) {
    uint32_t length = UINT32_MAX;
    assert_int_equal(evagg_connections_length(handle, &length), EVAGG_OK);
    return length;
}

evagg_statistics_t connections_statistics(const evagg_connections_t *handle) {
    evagg_statistics_t statistics;
    memset(&statistics, 0xff, sizeof statistics);
    assert_int_equal(evagg_connections_statistics(handle, &statistics), EVAGG_OK);
    return statistics;
}

snapshot_t connections_snapshot(const evagg_connections_t *handle) {
    const snapshot_t snapshot = {connections_statistics(handle), connections_length(handle)};
    return snapshot;
}

static void assert_statistics_equal(const evagg_statistics_t *a, const evagg_statistics_t *b) {
    assert_int_equal(a->offered, b->offered);
    assert_int_equal(a->merged, b->merged);
    assert_int_equal(a->counted, b->counted);
    assert_int_equal(a->rejected, b->rejected);
    assert_int_equal(a->discarded, b->discarded);
    assert_int_equal(a->malformed, b->malformed);
    assert_int_equal(a->ignored, b->ignored);
    assert_int_equal(a->disabled, b->disabled);
    assert_int_equal(a->busy, b->busy);
    assert_int_equal(a->high_water_mark, b->high_water_mark);
    assert_int_equal(a->windows, b->windows);
}

void connections_unchanged(const evagg_connections_t *handle, const snapshot_t *before) {
    const snapshot_t after = connections_snapshot(handle);
    assert_statistics_equal(&after.statistics, &before->statistics);
    assert_int_equal(after.length, before->length);
}

void processes_open(processes_case_t *instance, void *memory, size_t size,
                    const evagg_config_t *config) {
    memset(instance, 0, sizeof *instance);
    instance->text_maximum =
        config->text_maximum == 0 ? EVAGG_PROCESSES_DEFAULT_TEXT_MAXIMUM : config->text_maximum;
    assert_int_equal(evagg_processes_init(memory, size, config, &instance->handle), EVAGG_OK);
    assert_non_null(instance->handle);
}

evagg_status_t processes_page(processes_case_t *instance, evagg_time_t now, size_t records) {
    const size_t room = SUPPORT_RECORDS - instance->count;
    assert_true(room > 0);
    char *text = instance->text;
    for (uint32_t i = 0; i < instance->count; i++) {
        text += instance->records[i].command_line_length + 1u;
    }
    const size_t text_room = SUPPORT_TEXT - (size_t)(text - instance->text);
    evagg_process_record_t *const first = &instance->records[instance->count];
    const evagg_status_t status =
        evagg_processes_flush(instance->handle, now, first, records < room ? records : room, text,
                              text_room, &instance->window);
    assert_true(status == EVAGG_OK || status == EVAGG_MORE);
    assert_true(instance->window.records <= records);
    assert_int_equal(status == EVAGG_MORE, instance->window.remaining > 0);
    for (uint32_t i = 0; i < instance->window.records; i++) {
        const evagg_process_record_t *const record = &first[i];
        assert_true(record->hit_count > 0);
        instance->flushed += record->hit_count;
        assert_ptr_equal(record->command_line, text);
        assert_true(record->command_line_length <= instance->text_maximum);
        assert_int_equal(record->command_line[record->command_line_length], '\0');
        assert_int_equal((record->flags & EVAGG_RECORD_TRUNCATED) != 0,
                         record->full_length > record->command_line_length);
        text += record->command_line_length + 1u;
    }
    instance->count += instance->window.records;
    return status;
}

void processes_drain(processes_case_t *instance, evagg_time_t now, size_t page) {
    const uint64_t before = instance->flushed;
    evagg_status_t status;
    instance->count = 0;
    do {
        status = processes_page(instance, now, page);
    } while (status == EVAGG_MORE);
    assert_window_adds_up(&instance->window, instance->flushed - before);
}

void processes_close(processes_case_t *instance, evagg_time_t now) {
    /* Two windows at most: the one whose pages wait, if any, and the current one. */
    for (uint32_t window = 0; window < 2; window++) {
        do {
            instance->count = 0;
        } while (processes_page(instance, now, 1) == EVAGG_MORE);
    }
    assert_int_equal(processes_length(instance->handle), 0);
    const evagg_statistics_t statistics = processes_statistics(instance->handle);
    assert_nothing_unaccounted(&statistics, instance->flushed);
    assert_int_equal(evagg_processes_deinit(instance->handle), EVAGG_OK);
}

const evagg_process_record_t *processes_find(const processes_case_t *instance, const char *text,
                                             size_t length, uint32_t user_id) {
    for (uint32_t i = 0; i < instance->count; i++) {
        const evagg_process_record_t *const record = &instance->records[i];
        if (record->user_id == user_id && record->command_line_length == length &&
            memcmp(record->command_line, text, length) == 0) {
            return record;
        }
    }
    return NULL;
}

uint32_t processes_length(const evagg_processes_t *handle) {
    uint32_t length = UINT32_MAX;
    assert_int_equal(evagg_processes_length(handle, &length), EVAGG_OK);
    return length;
}

evagg_statistics_t processes_statistics(const evagg_processes_t *handle) {
    evagg_statistics_t statistics;
    memset(&statistics, 0xff, sizeof statistics);
    assert_int_equal(evagg_processes_statistics(handle, &statistics), EVAGG_OK);
    return statistics;
}

snapshot_t processes_snapshot(const evagg_processes_t *handle) {
    const snapshot_t snapshot = {processes_statistics(handle), processes_length(handle)};
    return snapshot;
}

void processes_unchanged(const evagg_processes_t *handle, const snapshot_t *before) {
    const snapshot_t after = processes_snapshot(handle);
    assert_statistics_equal(&after.statistics, &before->statistics);
    assert_int_equal(after.length, before->length);
}

evagg_connection_t flow(uint32_t n) {
    evagg_connection_t connection;
    memset(&connection, 0, sizeof connection);
    connection.local_address[0] = 192;
    connection.local_address[1] = 0;
    connection.local_address[2] = 2;
    connection.local_address[3] = 1;
    connection.remote_address[0] = 10;
    connection.remote_address[1] = (uint8_t)(n >> 16);
    connection.remote_address[2] = (uint8_t)(n >> 8);
    connection.remote_address[3] = (uint8_t)n;
    connection.local_port = (uint16_t)(40000u + n % 1000u);
    connection.remote_port = 443;
    connection.protocol = 6;
    connection.ip_version = 4;
    return connection;
}

evagg_status_t see_flow(evagg_connections_t *handle, uint32_t n, evagg_time_t now) {
    const evagg_connection_t connection = flow(n);
    return evagg_connections_record(handle, &connection, EVAGG_OUT, 100, now);
}

void job_text(uint32_t n, char text[JOB_TEXT]) {
    memcpy(text, "/bin/j 00000000", JOB_TEXT);
    for (size_t i = JOB_TEXT - 2; n > 0; i--, n /= 10) {
        text[i] = (char)('0' + n % 10);
    }
}

evagg_status_t see_text(evagg_processes_t *handle, const char *text, size_t length,
                        uint32_t user_id, uint32_t process_id, evagg_time_t now) {
    const evagg_process_t process = {.command_line = text,
                                     .command_line_length = length,
                                     .user_id = user_id,
                                     .process_id = process_id,
                                     .parent_process_id = 1};
    return evagg_processes_record(handle, &process, now);
}

evagg_status_t see_job(evagg_processes_t *handle, uint32_t n, evagg_time_t now) {
    char text[JOB_TEXT];
    job_text(n, text);
    return see_text(handle, text, JOB_TEXT - 1, 1000, n + 100, now);
}

uint64_t next_random(uint64_t *state) {
    *state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

char *put_number(char *text, uint32_t value) {
    char digits[10];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    while (count > 0) {
        *text++ = digits[--count];
    }
    *text = '\0';
    return text;
}

char *put_text(char *text, const char *source) {
    const size_t length = strlen(source);
    memcpy(text, source, length + 1);
    return text + length;
}
