/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Each misuse has its own status, writes its outputs, and changes nothing else. */
#include "support.h"

static connections_case_t subject;
static processes_case_t process_subject;
CONNECTIONS_MEMORY(memory, 64);
PROCESSES_MEMORY(process_memory, 32, 4096);

static uintptr_t acquire(void *context) {
    (void)context;
    return 0;
}

static void release(void *context, uintptr_t state) {
    (void)context;
    (void)state;
}

static void warn(void *context, const evagg_warning_t *warning) {
    (void)context;
    (void)warning;
}

/* The memory as a refused init must leave it. */
static void soil(uint8_t *bytes, size_t size) { memset(bytes, 0xa5, size); }

static void assert_soiled(const uint8_t *bytes, size_t size) {
    for (size_t i = 0; i < size; i++) {
        assert_int_equal(bytes[i], 0xa5);
    }
}

static void refuse_connections(size_t offset, size_t size, const evagg_config_t *config,
                               evagg_status_t status) {
    evagg_connections_t *handle = (evagg_connections_t *)(void *)memory;
    soil(memory, sizeof memory);
    assert_int_equal(evagg_connections_init(memory + offset, size, config, &handle), status);
    assert_null(handle);
    assert_soiled(memory, sizeof memory);
}

static void refuse_processes(size_t offset, size_t size, const evagg_config_t *config,
                             evagg_status_t status) {
    evagg_processes_t *handle = (evagg_processes_t *)(void *)process_memory;
    soil(process_memory, sizeof process_memory);
    assert_int_equal(evagg_processes_init(process_memory + offset, size, config, &handle), status);
    assert_null(handle);
    assert_soiled(process_memory, sizeof process_memory);
}

static void refuse_both(const evagg_config_t *config, evagg_status_t status) {
    refuse_connections(0, sizeof memory, config, status);
    refuse_processes(0, sizeof process_memory, config, status);
}

static void init_needs_all_its_arguments(void **state) {
    (void)state;
    const evagg_config_t config = config_of(4, 0);
    evagg_connections_t *connections = (evagg_connections_t *)(void *)memory;
    evagg_processes_t *processes = (evagg_processes_t *)(void *)process_memory;
    refuse_both(NULL, EVAGG_ERROR_NULL_ARGUMENT);
    assert_int_equal(evagg_connections_init(NULL, sizeof memory, &config, &connections),
                     EVAGG_ERROR_NULL_ARGUMENT);
    assert_null(connections);
    assert_int_equal(evagg_processes_init(NULL, sizeof process_memory, &config, &processes),
                     EVAGG_ERROR_NULL_ARGUMENT);
    assert_null(processes);
    soil(memory, sizeof memory);
    assert_int_equal(evagg_connections_init(memory, sizeof memory, &config, NULL),
                     EVAGG_ERROR_NULL_ARGUMENT);
    assert_soiled(memory, sizeof memory);
    soil(process_memory, sizeof process_memory);
    assert_int_equal(evagg_processes_init(process_memory, sizeof process_memory, &config, NULL),
                     EVAGG_ERROR_NULL_ARGUMENT);
    assert_soiled(process_memory, sizeof process_memory);
}

static void storage_one_byte_too_small(void **state) {
    (void)state;
    static const uint32_t capacities[] = {1, 2, 3, 31, 32};
    for (size_t i = 0; i < COUNT_OF(capacities); i++) {
        const uint32_t capacity = capacities[i];
        evagg_config_t config = process_config_of(capacity, 600, 0, 0);
        size_t size = evagg_processes_storage_size(capacity, 600);
        refuse_processes(0, size - 1, &config, EVAGG_ERROR_STORAGE_TOO_SMALL);
        refuse_processes(0, 0, &config, EVAGG_ERROR_STORAGE_TOO_SMALL);
        processes_open(&process_subject, process_memory, size, &config);
        assert_int_equal(see_job(process_subject.handle, 0, 1001), EVAGG_FIRST);
        processes_close(&process_subject, 1002);

        config = config_of(capacity, 0);
        size = evagg_connections_storage_size(capacity);
        refuse_connections(0, size - 1, &config, EVAGG_ERROR_STORAGE_TOO_SMALL);
        refuse_connections(0, 0, &config, EVAGG_ERROR_STORAGE_TOO_SMALL);
        connections_open(&subject, memory, size, &config);
        assert_int_equal(see_flow(subject.handle, 0, 1001), EVAGG_FIRST);
        connections_close(&subject, 1002);
    }
    /* Zero stands for the default, which needs its size too. */
    evagg_config_t config = EVAGG_CONFIG_INIT;
    config.lock = SUPPORT_LOCK;
    refuse_connections(0, EVAGG_CONNECTIONS_STORAGE_SIZE(EVAGG_CONNECTIONS_DEFAULT_CAPACITY) - 1,
                       &config, EVAGG_ERROR_STORAGE_TOO_SMALL);
    refuse_processes(0,
                     EVAGG_PROCESSES_STORAGE_SIZE(EVAGG_PROCESSES_DEFAULT_CAPACITY,
                                                  EVAGG_PROCESSES_DEFAULT_TEXT_BYTES) -
                         1,
                     &config, EVAGG_ERROR_STORAGE_TOO_SMALL);
}

static void a_library_never_writes_beyond_the_size_it_asks_for(void **state) {
    (void)state;
    const size_t size = EVAGG_CONNECTIONS_STORAGE_SIZE(5);
    const evagg_config_t config = config_of(5, EVAGG_DISCARD_OLDEST);
    soil(memory, sizeof memory);
    connections_open(&subject, memory, size, &config);
    for (uint32_t n = 0; n < 50; n++) {
        assert_int_equal(see_flow(subject.handle, n, 1001), EVAGG_FIRST);
    }
    connections_close(&subject, 1002);
    assert_soiled(memory + size, sizeof memory - size);

    const size_t process_size = EVAGG_PROCESSES_STORAGE_SIZE(5, 67);
    const evagg_config_t process_config = process_config_of(5, 67, 67, EVAGG_DISCARD_OLDEST);
    soil(process_memory, sizeof process_memory);
    processes_open(&process_subject, process_memory, process_size, &process_config);
    for (uint32_t n = 0; n < 50; n++) {
        assert_int_equal(see_job(process_subject.handle, n, 1001), EVAGG_FIRST);
    }
    processes_close(&process_subject, 1002);
    assert_soiled(process_memory + process_size, sizeof process_memory - process_size);
}

static void storage_misaligned_by_every_offset(void **state) {
    (void)state;
    const evagg_config_t config = config_of(2, 0);
    const evagg_config_t process_config = process_config_of(2, 256, 0, 0);
    for (size_t offset = 1; offset < EVAGG_STORAGE_ALIGNMENT; offset++) {
        refuse_connections(offset, sizeof memory - offset, &config, EVAGG_ERROR_MISALIGNED);
        refuse_processes(offset, sizeof process_memory - offset, &process_config,
                         EVAGG_ERROR_MISALIGNED);
    }
}

static void config_misaligned_by_every_offset(void **state) {
    (void)state;
    const evagg_config_t config = config_of(2, 0);
    EVAGG_ALIGNED static uint8_t place[2 * sizeof config];
    for (size_t offset = 1; offset < _Alignof(evagg_config_t); offset++) {
        memcpy(place + offset, &config, sizeof config);
        void *const odd = place + offset;
        refuse_both(odd, EVAGG_ERROR_MISALIGNED);
    }
}

static void a_stale_header_is_noticed(void **state) {
    (void)state;
    const evagg_config_t good = config_of(2, 0);
    evagg_config_t config = good;
    config.size--;
    refuse_both(&config, EVAGG_ERROR_STALE_HEADER);
    config.size = (uint16_t)(good.size + 1u);
    refuse_both(&config, EVAGG_ERROR_STALE_HEADER);
    config.size = 0;
    refuse_both(&config, EVAGG_ERROR_STALE_HEADER);
    config = good;
    config.abi_version++;
    refuse_both(&config, EVAGG_ERROR_STALE_HEADER);
    config.abi_version = (uint16_t)(good.abi_version - 1u);
    refuse_both(&config, EVAGG_ERROR_STALE_HEADER);
}

static void values_out_of_range_in_the_config(void **state) {
    (void)state;
    const evagg_config_t good = process_config_of(2, 256, 0, 0);
    evagg_config_t config;
#define REFUSE(field, value)                         \
    do {                                             \
        config = good;                               \
        config.field = (value);                      \
        refuse_both(&config, EVAGG_ERROR_BAD_VALUE); \
    } while (0)
    REFUSE(capacity, 65536);
    REFUSE(capacity, UINT32_MAX);
    REFUSE(overflow_policy, 3);
    REFUSE(overflow_policy, 255);
    REFUSE(lock, 2);
    REFUSE(lock, 255);
    REFUSE(warning_delivery, 2);
    REFUSE(warning_delivery, 255);
    /* Times are compared modulo 2^32, so that a longer interval would never be over. */
    REFUSE(interval, UINT32_C(0x80000000));
    REFUSE(interval, UINT32_MAX);
    for (size_t i = 0; i < sizeof good.reserved; i++) {
        REFUSE(reserved[i], 1);
        REFUSE(reserved[i], 0x80);
    }
#undef REFUSE
    /* One callback without the other. */
    config = good;
    config.lock = EVAGG_LOCK_DEFAULT;
    config.acquire = acquire;
    refuse_both(&config, EVAGG_ERROR_BAD_VALUE);
    config.acquire = NULL;
    config.release = release;
    refuse_both(&config, EVAGG_ERROR_BAD_VALUE);
    /* Both callbacks, and the word that no lock is needed. */
    config.acquire = acquire;
    config.lock = EVAGG_LOCK_NONE;
    refuse_both(&config, EVAGG_ERROR_BAD_VALUE);
    /* A text budget that cannot hold the longest text, for the kind that has texts. */
    config = process_config_of(2, 255, 256, 0);
    refuse_processes(0, sizeof process_memory, &config, EVAGG_ERROR_BAD_VALUE);
    config = process_config_of(2, 255, 0, 0);
    refuse_processes(0, sizeof process_memory, &config, EVAGG_ERROR_BAD_VALUE);
    config = process_config_of(2, UINT32_MAX, 0, 0);
    refuse_processes(0, sizeof process_memory, &config, EVAGG_ERROR_BAD_VALUE);
    config = process_config_of(2, 255, 255, 0);
    processes_open(&process_subject, process_memory, sizeof process_memory, &config);
    processes_close(&process_subject, 1001);
    /* The other kind has none, and does not read what is said of them. */
    config = process_config_of(2, 255, 256, 0);
    connections_open(&subject, memory, sizeof memory, &config);
    connections_close(&subject, 1001);
}

/* A live instance with two entries, to see that misuse leaves them as they are. */
static snapshot_t open_connections(void) {
    const evagg_config_t config = config_of(4, 0);
    connections_open(&subject, memory, sizeof memory, &config);
    assert_int_equal(see_flow(subject.handle, 0, 1001), EVAGG_FIRST);
    assert_int_equal(see_flow(subject.handle, 1, 1002), EVAGG_FIRST);
    assert_int_equal(see_flow(subject.handle, 1, 1003), EVAGG_COUNTED);
    return connections_snapshot(subject.handle);
}

static void close_connections(const snapshot_t *before) {
    connections_unchanged(subject.handle, before);
    /* Policy and switch are as they were, too. */
    assert_int_equal(see_flow(subject.handle, 2, 1004), EVAGG_FIRST);
    assert_int_equal(see_flow(subject.handle, 3, 1004), EVAGG_FIRST);
    assert_int_equal(see_flow(subject.handle, 4, 1004), EVAGG_REJECTED);
    connections_drain(&subject, 1005, 3);
    assert_int_equal(subject.window.sequence, 0);
    assert_int_equal(subject.window.start, 1000);
    assert_int_equal(subject.count, 4);
    for (uint32_t n = 0; n < 4; n++) {
        const evagg_connection_t connection = flow(n);
        assert_memory_equal(&subject.records[n].connection, &connection, sizeof connection);
        assert_int_equal(subject.records[n].hit_count, n == 1 ? 2 : 1);
        assert_int_equal(subject.records[n].bytes_out, n == 1 ? 200 : 100);
        assert_int_equal(subject.records[n].bytes_in, 0);
    }
    assert_int_equal(subject.records[1].first_seen, 1002);
    assert_int_equal(subject.records[1].last_seen, 1003);
    connections_close(&subject, 1006);
}

static snapshot_t open_processes(void) {
    const evagg_config_t config = process_config_of(4, 1024, 64, 0);
    processes_open(&process_subject, process_memory, sizeof process_memory, &config);
    assert_int_equal(see_job(process_subject.handle, 0, 1001), EVAGG_FIRST);
    assert_int_equal(see_job(process_subject.handle, 1, 1002), EVAGG_FIRST);
    assert_int_equal(see_job(process_subject.handle, 1, 1003), EVAGG_COUNTED);
    return processes_snapshot(process_subject.handle);
}

static void close_processes(const snapshot_t *before) {
    processes_unchanged(process_subject.handle, before);
    for (uint32_t n = 2; n < 5; n++) {
        assert_int_equal(see_job(process_subject.handle, n, 1004), EVAGG_FIRST);
    }
    processes_drain(&process_subject, 1005, 3);
    assert_int_equal(process_subject.window.sequence, 0);
    assert_int_equal(process_subject.window.start, 1000);
    assert_int_equal(process_subject.count, 4);
    for (uint32_t n = 0; n < 4; n++) {
        char text[JOB_TEXT];
        job_text(n + 1, text);
        assert_string_equal(process_subject.records[n].command_line, text);
        assert_int_equal(process_subject.records[n].hit_count, n == 0 ? 2 : 1);
    }
    assert_int_equal(process_subject.window.discarded, 1);
    processes_close(&process_subject, 1006);
}

static void record_checks_its_arguments(void **state) {
    (void)state;
    snapshot_t before = open_connections();
    evagg_connection_t connection = flow(1);
    static const uint8_t directions[] = {0, 3, 4, 255};
    for (size_t i = 0; i < COUNT_OF(directions); i++) {
        assert_int_equal(
            evagg_connections_record(subject.handle, &connection, directions[i], 1, 1004),
            EVAGG_ERROR_BAD_VALUE);
    }
    static const uint8_t versions[] = {0, 3, 5, 7, 255};
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        connection.ip_version = versions[i];
        assert_int_equal(evagg_connections_record(subject.handle, &connection, EVAGG_IN, 1, 1004),
                         EVAGG_ERROR_BAD_VALUE);
    }
    assert_int_equal(evagg_connections_record(subject.handle, NULL, EVAGG_IN, 1, 1004),
                     EVAGG_ERROR_NULL_ARGUMENT);
    close_connections(&before);

    before = open_processes();
    assert_int_equal(evagg_processes_record(process_subject.handle, NULL, 1004),
                     EVAGG_ERROR_NULL_ARGUMENT);
    assert_int_equal(see_text(process_subject.handle, NULL, 1, 0, 0, 1004),
                     EVAGG_ERROR_NULL_ARGUMENT);
#if SIZE_MAX > UINT32_MAX
    /* Refused before a byte of it is read. */
    assert_int_equal(see_text(process_subject.handle, "x", (size_t)UINT32_MAX + 1, 0, 0, 1004),
                     EVAGG_ERROR_BAD_VALUE);
#endif
    close_processes(&before);
}

static void switches_check_their_values(void **state) {
    (void)state;
    snapshot_t before = open_connections();
    assert_int_equal(evagg_connections_set_overflow_policy(subject.handle, 3),
                     EVAGG_ERROR_BAD_VALUE);
    assert_int_equal(evagg_connections_set_overflow_policy(subject.handle, 255),
                     EVAGG_ERROR_BAD_VALUE);
    assert_int_equal(evagg_connections_set_enabled(subject.handle, 2), EVAGG_ERROR_BAD_VALUE);
    assert_int_equal(evagg_connections_set_enabled(subject.handle, 255), EVAGG_ERROR_BAD_VALUE);
    close_connections(&before);
    before = open_processes();
    assert_int_equal(evagg_processes_set_overflow_policy(process_subject.handle, 3),
                     EVAGG_ERROR_BAD_VALUE);
    assert_int_equal(evagg_processes_set_enabled(process_subject.handle, 2), EVAGG_ERROR_BAD_VALUE);
    close_processes(&before);
}

static void assert_zero(const void *bytes, size_t size) {
    for (size_t i = 0; i < size; i++) {
        assert_int_equal(((const uint8_t *)bytes)[i], 0);
    }
}

static void flush_checks_its_arguments(void **state) {
    (void)state;
    evagg_window_t window;
    evagg_connection_record_t records[1];
    evagg_process_record_t process_records[1];
    char text[65];
    snapshot_t before = open_connections();
#define REFUSE(call, status)                  \
    do {                                      \
        memset(&window, 0xff, sizeof window); \
        assert_int_equal((call), (status));   \
        assert_zero(&window, sizeof window);  \
    } while (0)
    REFUSE(evagg_connections_flush(subject.handle, 1004, records, 0, &window),
           EVAGG_ERROR_BUFFER_TOO_SMALL);
    REFUSE(evagg_connections_flush(subject.handle, 1004, NULL, 1, &window),
           EVAGG_ERROR_NULL_ARGUMENT);
    REFUSE(evagg_connections_flush(NULL, 1004, records, 1, &window), EVAGG_ERROR_NULL_ARGUMENT);
    assert_int_equal(evagg_connections_flush(subject.handle, 1004, records, 1, NULL),
                     EVAGG_ERROR_NULL_ARGUMENT);
    close_connections(&before);

    before = open_processes();
    evagg_processes_t *const handle = process_subject.handle;
    REFUSE(evagg_processes_flush(handle, 1004, process_records, 0, text, 65, &window),
           EVAGG_ERROR_BUFFER_TOO_SMALL);
    REFUSE(evagg_processes_flush(handle, 1004, process_records, 1, text, 64, &window),
           EVAGG_ERROR_BUFFER_TOO_SMALL);
    REFUSE(evagg_processes_flush(handle, 1004, process_records, 1, text, 0, &window),
           EVAGG_ERROR_BUFFER_TOO_SMALL);
    REFUSE(evagg_processes_flush(handle, 1004, process_records, 1, NULL, 65, &window),
           EVAGG_ERROR_NULL_ARGUMENT);
    REFUSE(evagg_processes_flush(handle, 1004, NULL, 1, text, 65, &window),
           EVAGG_ERROR_NULL_ARGUMENT);
    REFUSE(evagg_processes_flush(NULL, 1004, process_records, 1, text, 65, &window),
           EVAGG_ERROR_NULL_ARGUMENT);
#undef REFUSE
    assert_int_equal(evagg_processes_flush(handle, 1004, process_records, 1, text, 65, NULL),
                     EVAGG_ERROR_NULL_ARGUMENT);
    close_processes(&before);
}

/* One bad record among good ones, in every place: nothing is merged. */
static void refuse_connection_record(const evagg_connection_record_t *bad) {
    for (size_t place = 0; place < 3; place++) {
        evagg_connection_record_t records[3];
        for (uint32_t i = 0; i < 3; i++) {
            records[i] = (evagg_connection_record_t){.connection = flow(i), .hit_count = 9};
        }
        records[place] = *bad;
        assert_int_equal(evagg_connections_merge(subject.handle, records, 3),
                         EVAGG_ERROR_BAD_VALUE);
    }
}

static void merge_checks_every_connection_first(void **state) {
    (void)state;
    const snapshot_t before = open_connections();
    const evagg_connection_record_t good = {.connection = flow(1), .hit_count = 1};
    evagg_connection_record_t bad = good;
    bad.hit_count = 0;
    refuse_connection_record(&bad);
    bad = good;
    bad.connection.ip_version = 5;
    refuse_connection_record(&bad);
    bad.connection.ip_version = 0;
    refuse_connection_record(&bad);
    for (uint32_t bit = 1; bit < 16; bit++) {
        bad = good;
        bad.flags = (uint16_t)(1u << bit);
        if (bad.flags != EVAGG_RECORD_TRUNCATED) {
            refuse_connection_record(&bad);
        }
    }
    assert_int_equal(evagg_connections_merge(subject.handle, NULL, 1), EVAGG_ERROR_NULL_ARGUMENT);
    assert_int_equal(evagg_connections_merge(subject.handle, NULL, 0), EVAGG_OK);
    close_connections(&before);
}

static void refuse_process_record(const evagg_process_record_t *bad, evagg_status_t status) {
    for (size_t place = 0; place < 3; place++) {
        evagg_process_record_t records[3];
        for (uint32_t i = 0; i < 3; i++) {
            records[i] = (evagg_process_record_t){.command_line = "good",
                                                  .command_line_length = 4,
                                                  .full_length = 4,
                                                  .user_id = i,
                                                  .hit_count = 9};
        }
        records[place] = *bad;
        assert_int_equal(evagg_processes_merge(process_subject.handle, records, 3), status);
    }
}

static void merge_checks_every_process_first(void **state) {
    (void)state;
    const snapshot_t before = open_processes();
    const evagg_process_record_t good = {
        .command_line = "line", .command_line_length = 4, .full_length = 4, .hit_count = 1};
    evagg_process_record_t bad = good;
    bad.hit_count = 0;
    refuse_process_record(&bad, EVAGG_ERROR_BAD_VALUE);
    bad = good;
    bad.command_line = NULL;
    refuse_process_record(&bad, EVAGG_ERROR_NULL_ARGUMENT);
    bad = good;
    bad.full_length = 3;
    refuse_process_record(&bad, EVAGG_ERROR_BAD_VALUE);
    for (uint32_t bit = 2; bit < 16; bit++) {
        bad = good;
        bad.flags = (uint16_t)(1u << bit);
        refuse_process_record(&bad, EVAGG_ERROR_BAD_VALUE);
    }
    assert_int_equal(evagg_processes_merge(process_subject.handle, NULL, 1),
                     EVAGG_ERROR_NULL_ARGUMENT);
    assert_int_equal(evagg_processes_merge(process_subject.handle, NULL, 0), EVAGG_OK);
    close_processes(&before);
}

/* Every function at a connection handle that is none. */
static void refuse_connection_handle(evagg_connections_t *handle, evagg_status_t status) {
    static const uint8_t packet[28] = {0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17};
    const evagg_connection_record_t record = {.connection = flow(0), .hit_count = 1};
    evagg_connection_record_t page;
    evagg_window_t window;
    evagg_statistics_t statistics;
    uint32_t length = 77;
    assert_int_equal(evagg_connections_deinit(handle), status);
    assert_int_equal(evagg_connections_set_warning_callback(handle, warn, NULL), status);
    assert_int_equal(evagg_connections_set_overflow_policy(handle, EVAGG_REJECT_NEW), status);
    assert_int_equal(evagg_connections_set_enabled(handle, 1), status);
    assert_int_equal(see_flow(handle, 0, 1001), status);
    assert_int_equal(evagg_connections_record_packet(handle, packet, 28, EVAGG_IN, 1001), status);
    memset(&window, 0xff, sizeof window);
    assert_int_equal(evagg_connections_flush(handle, 1001, &page, 1, &window), status);
    assert_zero(&window, sizeof window);
    assert_int_equal(evagg_connections_merge(handle, &record, 1), status);
    assert_int_equal(evagg_connections_due(handle, 1001), status);
    assert_int_equal(evagg_connections_length(handle, &length), status);
    assert_int_equal(length, 0);
    memset(&statistics, 0xff, sizeof statistics);
    assert_int_equal(evagg_connections_statistics(handle, &statistics), status);
    assert_zero(&statistics, sizeof statistics);
}

static void refuse_process_handle(evagg_processes_t *handle, evagg_status_t status) {
    const evagg_process_record_t record = {
        .command_line = "line", .command_line_length = 4, .full_length = 4, .hit_count = 1};
    evagg_process_record_t page;
    char text[257];
    evagg_window_t window;
    evagg_statistics_t statistics;
    uint32_t length = 77;
    assert_int_equal(evagg_processes_deinit(handle), status);
    assert_int_equal(evagg_processes_set_warning_callback(handle, warn, NULL), status);
    assert_int_equal(evagg_processes_set_overflow_policy(handle, EVAGG_REJECT_NEW), status);
    assert_int_equal(evagg_processes_set_enabled(handle, 1), status);
    assert_int_equal(see_job(handle, 0, 1001), status);
    memset(&window, 0xff, sizeof window);
    assert_int_equal(evagg_processes_flush(handle, 1001, &page, 1, text, sizeof text, &window),
                     status);
    assert_zero(&window, sizeof window);
    assert_int_equal(evagg_processes_merge(handle, &record, 1), status);
    assert_int_equal(evagg_processes_due(handle, 1001), status);
    assert_int_equal(evagg_processes_length(handle, &length), status);
    assert_int_equal(length, 0);
    memset(&statistics, 0xff, sizeof statistics);
    assert_int_equal(evagg_processes_statistics(handle, &statistics), status);
    assert_zero(&statistics, sizeof statistics);
}

static void null_handles(void **state) {
    (void)state;
    refuse_connection_handle(NULL, EVAGG_ERROR_NULL_ARGUMENT);
    refuse_process_handle(NULL, EVAGG_ERROR_NULL_ARGUMENT);
}

static void handles_never_initialised(void **state) {
    (void)state;
    static const uint8_t fills[] = {0, 0xff, 0xa5};
    for (size_t i = 0; i < COUNT_OF(fills); i++) {
        memset(memory, fills[i], sizeof memory);
        memset(process_memory, fills[i], sizeof process_memory);
        refuse_connection_handle((evagg_connections_t *)(void *)memory,
                                 EVAGG_ERROR_NOT_INITIALISED);
        refuse_process_handle((evagg_processes_t *)(void *)process_memory,
                              EVAGG_ERROR_NOT_INITIALISED);
        for (size_t k = 0; k < sizeof memory; k++) {
            assert_int_equal(memory[k], fills[i]);
        }
    }
}

static void handles_of_the_other_kind(void **state) {
    (void)state;
    const snapshot_t connections_before = open_connections();
    const snapshot_t processes_before = open_processes();
    refuse_connection_handle((evagg_connections_t *)(void *)process_subject.handle,
                             EVAGG_ERROR_NOT_INITIALISED);
    refuse_process_handle((evagg_processes_t *)(void *)subject.handle, EVAGG_ERROR_NOT_INITIALISED);
    close_connections(&connections_before);
    close_processes(&processes_before);
}

static void handles_after_deinit(void **state) {
    (void)state;
    (void)open_connections();
    (void)open_processes();
    assert_int_equal(evagg_connections_deinit(subject.handle), EVAGG_OK);
    refuse_connection_handle(subject.handle, EVAGG_ERROR_NOT_INITIALISED);
    assert_int_equal(evagg_processes_deinit(process_subject.handle), EVAGG_OK);
    refuse_process_handle(process_subject.handle, EVAGG_ERROR_NOT_INITIALISED);
    /* The memory serves again. */
    const snapshot_t connections_before = open_connections();
    const snapshot_t processes_before = open_processes();
    close_connections(&connections_before);
    close_processes(&processes_before);
}

/* An address that no object of these kinds can have, behind every pointer. */
static void misaligned_pointers(void **state) {
    (void)state;
    EVAGG_ALIGNED static uint8_t place[256];
    void *const odd = place + 1;
    evagg_connection_record_t record = {.connection = flow(0), .hit_count = 1};
    evagg_process_record_t process_record;
    evagg_window_t window;
    char text[65];
    snapshot_t before = open_connections();
    refuse_connection_handle((evagg_connections_t *)(void *)((uint8_t *)subject.handle + 1),
                             EVAGG_ERROR_MISALIGNED);
    memset(&window, 0xff, sizeof window);
    assert_int_equal(evagg_connections_flush(subject.handle, 1004, odd, 1, &window),
                     EVAGG_ERROR_MISALIGNED);
    assert_zero(&window, sizeof window);
    assert_int_equal(evagg_connections_flush(subject.handle, 1004, &record, 1, odd),
                     EVAGG_ERROR_MISALIGNED);
    assert_int_equal(evagg_connections_merge(subject.handle, odd, 1), EVAGG_ERROR_MISALIGNED);
    assert_int_equal(evagg_connections_record(subject.handle, odd, EVAGG_IN, 1, 1004),
                     EVAGG_ERROR_MISALIGNED);
    assert_int_equal(evagg_connections_length(subject.handle, odd), EVAGG_ERROR_MISALIGNED);
    assert_int_equal(evagg_connections_statistics(subject.handle, odd), EVAGG_ERROR_MISALIGNED);
    close_connections(&before);

    before = open_processes();
    evagg_processes_t *const handle = process_subject.handle;
    refuse_process_handle((evagg_processes_t *)(void *)((uint8_t *)handle + 1),
                          EVAGG_ERROR_MISALIGNED);
    assert_int_equal(evagg_processes_flush(handle, 1004, odd, 1, text, sizeof text, &window),
                     EVAGG_ERROR_MISALIGNED);
    assert_int_equal(
        evagg_processes_flush(handle, 1004, &process_record, 1, text, sizeof text, odd),
        EVAGG_ERROR_MISALIGNED);
    assert_int_equal(evagg_processes_merge(handle, odd, 1), EVAGG_ERROR_MISALIGNED);
    assert_int_equal(evagg_processes_record(handle, odd, 1004), EVAGG_ERROR_MISALIGNED);
    assert_int_equal(evagg_processes_length(handle, odd), EVAGG_ERROR_MISALIGNED);
    assert_int_equal(evagg_processes_statistics(handle, odd), EVAGG_ERROR_MISALIGNED);
    close_processes(&before);
}

/* The memory is left alone, and so is the place that cannot take a handle. */
static void misaligned_handle_outputs(void **state) {
    (void)state;
    EVAGG_ALIGNED static uint8_t place[4 * sizeof(void *)];
    void *const odd = place + 1;
    const evagg_config_t config = config_of(4, 0);
    soil(place, sizeof place);
    soil(memory, sizeof memory);
    assert_int_equal(evagg_connections_init(memory, sizeof memory, &config, odd),
                     EVAGG_ERROR_MISALIGNED);
    assert_soiled(memory, sizeof memory);
    assert_soiled(place, sizeof place);
    soil(process_memory, sizeof process_memory);
    assert_int_equal(evagg_processes_init(process_memory, sizeof process_memory, &config, odd),
                     EVAGG_ERROR_MISALIGNED);
    assert_soiled(process_memory, sizeof process_memory);
    assert_soiled(place, sizeof place);
}

static void outputs_must_not_be_null(void **state) {
    (void)state;
    snapshot_t before = open_connections();
    assert_int_equal(evagg_connections_length(subject.handle, NULL), EVAGG_ERROR_NULL_ARGUMENT);
    assert_int_equal(evagg_connections_statistics(subject.handle, NULL), EVAGG_ERROR_NULL_ARGUMENT);
    close_connections(&before);
    before = open_processes();
    assert_int_equal(evagg_processes_length(process_subject.handle, NULL),
                     EVAGG_ERROR_NULL_ARGUMENT);
    assert_int_equal(evagg_processes_statistics(process_subject.handle, NULL),
                     EVAGG_ERROR_NULL_ARGUMENT);
    close_processes(&before);
}

static void every_status_has_its_name_and_its_number(void **state) {
    (void)state;
    static const struct {
        evagg_status_t status;
        evagg_status_t number;
        const char *name;
    } known[] = {
#define STATUS(name, number) {name, number, #name}
        STATUS(EVAGG_OK, 0),
        STATUS(EVAGG_FIRST, 1),
        STATUS(EVAGG_COUNTED, 2),
        STATUS(EVAGG_REJECTED, 3),
        STATUS(EVAGG_DISABLED, 4),
        STATUS(EVAGG_IGNORED, 5),
        STATUS(EVAGG_MALFORMED, 6),
        STATUS(EVAGG_MORE, 7),
        STATUS(EVAGG_DUE, 8),
        STATUS(EVAGG_ERROR_NULL_ARGUMENT, -1),
        STATUS(EVAGG_ERROR_STORAGE_TOO_SMALL, -2),
        STATUS(EVAGG_ERROR_MISALIGNED, -3),
        STATUS(EVAGG_ERROR_STALE_HEADER, -4),
        STATUS(EVAGG_ERROR_BAD_VALUE, -5),
        STATUS(EVAGG_ERROR_NOT_INITIALISED, -6),
        STATUS(EVAGG_ERROR_CORRUPT, -7),
        STATUS(EVAGG_ERROR_BUSY, -8),
        STATUS(EVAGG_ERROR_LOCK_REQUIRED, -9),
        STATUS(EVAGG_ERROR_BUFFER_TOO_SMALL, -10),
#undef STATUS
    };
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        assert_int_equal(known[i].status, known[i].number);
        assert_string_equal(evagg_status_name(known[i].status), known[i].name);
    }
    static const evagg_status_t unknown[] = {9, 1000, -11, INT32_MIN, INT32_MAX};
    for (size_t i = 0; i < COUNT_OF(unknown); i++) {
        assert_string_equal(evagg_status_name(unknown[i]), "EVAGG_STATUS_UNKNOWN");
    }
}

static void the_version_is_the_one_of_the_header(void **state) {
    (void)state;
    char text[40];
    char *end = put_number(text, EVAGG_VERSION_MAJOR);
    end = put_number(put_text(end, "."), EVAGG_VERSION_MINOR);
    (void)put_number(put_text(end, "."), EVAGG_VERSION_PATCH);
    assert_string_equal(evagg_version(), text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(init_needs_all_its_arguments),
        cmocka_unit_test(storage_one_byte_too_small),
        cmocka_unit_test(a_library_never_writes_beyond_the_size_it_asks_for),
        cmocka_unit_test(storage_misaligned_by_every_offset),
        cmocka_unit_test(config_misaligned_by_every_offset),
        cmocka_unit_test(a_stale_header_is_noticed),
        cmocka_unit_test(values_out_of_range_in_the_config),
        cmocka_unit_test(record_checks_its_arguments),
        cmocka_unit_test(switches_check_their_values),
        cmocka_unit_test(flush_checks_its_arguments),
        cmocka_unit_test(merge_checks_every_connection_first),
        cmocka_unit_test(merge_checks_every_process_first),
        cmocka_unit_test(null_handles),
        cmocka_unit_test(handles_never_initialised),
        cmocka_unit_test(handles_of_the_other_kind),
        cmocka_unit_test(handles_after_deinit),
        cmocka_unit_test(misaligned_pointers),
        cmocka_unit_test(misaligned_handle_outputs),
        cmocka_unit_test(outputs_must_not_be_null),
        cmocka_unit_test(every_status_has_its_name_and_its_number),
        cmocka_unit_test(the_version_is_the_one_of_the_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
