/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Taking over storage after a warm reset: what is kept, what comes from the config, and what is
   refused. Here a reset comes between two calls; see every_store.c for those within one. */
#include "support.h"

static connections_case_t subject;
static processes_case_t process_subject;
CONNECTIONS_MEMORY(memory, 8);
CONNECTIONS_MEMORY(moved, 8);
PROCESSES_MEMORY(process_memory, 8, 256);
PROCESSES_MEMORY(process_moved, 8, 256);
/* A copy of the storage, to see that a refused one is untouched. */
static uint8_t before[sizeof process_memory];
static uint32_t warned, warned_earlier;

static void warn(void *context, const evagg_warning_t *warning) {
    (void)context;
    (void)warning;
    warned++;
}

static void warn_earlier(void *context, const evagg_warning_t *warning) {
    (void)context;
    (void)warning;
    warned_earlier++;
}

static void refuse_connections(const evagg_config_t *config, evagg_status_t status) {
    evagg_connections_t *handle = (evagg_connections_t *)(void *)memory;
    memcpy(before, memory, sizeof memory);
    assert_int_equal(evagg_connections_attach(memory, sizeof memory, config, &handle), status);
    assert_null(handle);
    assert_memory_equal(before, memory, sizeof memory);
}

static void refuse_processes(const evagg_config_t *config, evagg_status_t status) {
    evagg_processes_t *handle = (evagg_processes_t *)(void *)process_memory;
    memcpy(before, process_memory, sizeof process_memory);
    assert_int_equal(evagg_processes_attach(process_memory, sizeof process_memory, config, &handle),
                     status);
    assert_null(handle);
    assert_memory_equal(before, process_memory, sizeof process_memory);
}

static void attach_connections(uint8_t *storage, const evagg_config_t *config) {
    assert_int_equal(evagg_connections_attach(storage, sizeof memory, config, &subject.handle),
                     EVAGG_OK);
    assert_ptr_equal(subject.handle, storage);
}

static void attach_processes(uint8_t *storage, const evagg_config_t *config) {
    assert_int_equal(
        evagg_processes_attach(storage, sizeof process_memory, config, &process_subject.handle),
        EVAGG_OK);
    assert_ptr_equal(process_subject.handle, storage);
}

static void connections_and_their_accounting_are_kept(void **state) {
    (void)state;
    evagg_config_t config = config_of(3, 0);
    connections_open(&subject, memory, sizeof memory, &config);
    assert_int_equal(evagg_connections_set_warning_callback(subject.handle, warn_earlier, NULL),
                     EVAGG_OK);
    for (uint32_t n = 0; n < 3; n++) {
        assert_int_equal(see_flow(subject.handle, n, 1001), EVAGG_FIRST);
    }
    assert_int_equal(see_flow(subject.handle, 1, 1002), EVAGG_COUNTED);
    assert_int_equal(evagg_connections_record_packet(subject.handle, NULL, 0, EVAGG_IN, 1002),
                     EVAGG_MALFORMED);
    assert_int_equal(connections_page(&subject, 1003, 1), EVAGG_MORE);
    assert_int_equal(see_flow(subject.handle, 0, 1004), EVAGG_FIRST);
    const evagg_statistics_t earlier = connections_statistics(subject.handle);

    memcpy(moved, memory, sizeof memory);
    memset(memory, 0, sizeof memory);
    config.start = 1005;
    attach_connections(moved, &config);
    const evagg_statistics_t later = connections_statistics(subject.handle);
    assert_int_equal(earlier.recoveries, 0);
    assert_int_equal(later.recoveries, 1);
    assert_memory_equal(&earlier, &later, offsetof(evagg_statistics_t, recoveries));
    assert_int_equal(connections_length(subject.handle), 3);
    /* Found again, and full as before. The warnings are owed to the next callback. */
    assert_int_equal(see_flow(subject.handle, 0, 1005), EVAGG_COUNTED);
    assert_int_equal(evagg_connections_set_warning_callback(subject.handle, NULL, NULL), EVAGG_OK);
    assert_int_equal(see_flow(subject.handle, 5, 1005), EVAGG_REJECTED);
    assert_int_equal(evagg_connections_set_warning_callback(subject.handle, warn, NULL), EVAGG_OK);
    /* The other two pages of the window that was being flushed, then the window after it. */
    assert_int_equal(connections_page(&subject, 1006, 1), EVAGG_MORE);
    assert_int_equal(subject.window.sequence, 0);
    assert_int_equal(subject.window.end, 1003);
    assert_int_equal(connections_page(&subject, 1006, 4), EVAGG_OK);
    assert_int_equal(subject.window.kept, 4);
    connections_drain(&subject, 1007, 4);
    assert_int_equal(subject.window.sequence, 1);
    assert_int_equal(subject.window.start, 1003);
    assert_int_equal(subject.count, 1);
    assert_int_equal(subject.records[0].hit_count, 2);
    assert_int_equal(subject.records[0].first_seen, 1004);
    assert_int_equal(subject.window.rejected, 1);
    assert_int_equal(warned, 2);
    assert_int_equal(warned_earlier, 0);
    connections_close(&subject, 1008);
}

static void processes_and_their_texts_are_kept(void **state) {
    (void)state;
    static const char text[] = "/usr/bin/a --long enough to be cut off at sixteen";
    const evagg_config_t config = process_config_of(3, 40, 16, 0);
    processes_open(&process_subject, process_memory, sizeof process_memory, &config);
    /* The ring of 40 bytes wraps within the third text. */
    assert_int_equal(see_text(process_subject.handle, text, 10, 7, 1, 1001), EVAGG_FIRST);
    assert_int_equal(see_text(process_subject.handle, text + 1, 15, 7, 2, 1001), EVAGG_FIRST);
    assert_int_equal(see_text(process_subject.handle, text + 2, 14, 7, 3, 1001), EVAGG_FIRST);
    assert_int_equal(see_text(process_subject.handle, text, sizeof text - 1, 7, 4, 1002),
                     EVAGG_FIRST);
    assert_int_equal(see_text(process_subject.handle, text, 0, 7, 5, 1002), EVAGG_FIRST);
    const evagg_statistics_t earlier = processes_statistics(process_subject.handle);

    memcpy(process_moved, process_memory, sizeof process_memory);
    memset(process_memory, 0, sizeof process_memory);
    attach_processes(process_moved, &config);
    const evagg_statistics_t later = processes_statistics(process_subject.handle);
    assert_int_equal(later.recoveries, 1);
    assert_memory_equal(&earlier, &later, offsetof(evagg_statistics_t, recoveries));
    assert_int_equal(see_text(process_subject.handle, text, sizeof text - 1, 7, 6, 1003),
                     EVAGG_COUNTED);
    assert_int_equal(see_text(process_subject.handle, text + 2, 14, 7, 6, 1003), EVAGG_COUNTED);
    assert_int_equal(see_text(process_subject.handle, text, 0, 7, 6, 1003), EVAGG_COUNTED);
    processes_drain(&process_subject, 1004, 4);
    assert_int_equal(process_subject.count, 3);
    const evagg_process_record_t *const cut = &process_subject.records[1];
    assert_int_equal(cut->full_length, sizeof text - 1);
    assert_int_equal(cut->flags, EVAGG_RECORD_TRUNCATED);
    assert_int_equal(cut->process_id, 4);
    assert_int_equal(cut->hit_count, 2);
    assert_memory_equal(cut->command_line, text, 16);
    processes_close(&process_subject, 1005);
}

static void settings_are_those_of_the_config(void **state) {
    (void)state;
    evagg_config_t config = config_of(2, EVAGG_REJECT_NEW);
    connections_open(&subject, memory, sizeof memory, &config);
    assert_int_equal(see_flow(subject.handle, 0, 1001), EVAGG_FIRST);
    assert_int_equal(see_flow(subject.handle, 1, 1001), EVAGG_FIRST);
    assert_int_equal(evagg_connections_set_enabled(subject.handle, 0), EVAGG_OK);
    config.overflow_policy = EVAGG_DISCARD_OLDEST;
    config.interval = 50;
    config.hash_seed = 1; /* not read: the entries are found by the storage's own */
    config.warning_delivery = EVAGG_WARN_AT_FLUSH;
    config.start = 1010;
    attach_connections(memory, &config);
    assert_int_equal(evagg_connections_set_warning_callback(subject.handle, warn, NULL), EVAGG_OK);
    warned = 0;
    assert_int_equal(see_flow(subject.handle, 1, 1011), EVAGG_COUNTED);
    assert_int_equal(see_flow(subject.handle, 2, 1011), EVAGG_FIRST);
    assert_int_equal(warned, 0);
    assert_int_equal(evagg_connections_due(subject.handle, 1049), EVAGG_OK);
    assert_int_equal(evagg_connections_due(subject.handle, 1050), EVAGG_DUE);
    connections_drain(&subject, 1050, 4);
    assert_int_equal(warned, 2);
    assert_int_equal(subject.window.discarded, 1);
    connections_close(&subject, 1051);
}

static void a_clock_that_was_reset_too_does_not_keep_a_window_open(void **state) {
    (void)state;
    evagg_config_t config = config_of(2, 0);
    config.interval = 60;
    connections_open(&subject, memory, sizeof memory, &config);
    assert_int_equal(see_flow(subject.handle, 0, 5000), EVAGG_FIRST);
    config.start = 3;
    attach_connections(memory, &config);
    assert_int_equal(evagg_connections_due(subject.handle, 62), EVAGG_OK);
    assert_int_equal(evagg_connections_due(subject.handle, 63), EVAGG_DUE);
    connections_drain(&subject, 63, 4);
    assert_int_equal(subject.window.start, 3);
    connections_close(&subject, 64);
}

static void what_is_no_instance_is_refused_untouched(void **state) {
    (void)state;
    const evagg_config_t config = config_of(8, 0);
    const evagg_config_t process_config = process_config_of(8, 256, 16, 0);
    static const uint8_t fills[] = {0, 0xff, 0xa5, 0xc5, 0xc0};
    for (size_t i = 0; i < COUNT_OF(fills); i++) {
        memset(memory, fills[i], sizeof memory);
        memset(process_memory, fills[i], sizeof process_memory);
        refuse_connections(&config, EVAGG_ERROR_NOT_INITIALISED);
        refuse_processes(&process_config, EVAGG_ERROR_NOT_INITIALISED);
    }
    connections_open(&subject, memory, sizeof memory, &config);
    assert_int_equal(evagg_connections_deinit(subject.handle), EVAGG_OK);
    refuse_connections(&config, EVAGG_ERROR_NOT_INITIALISED);
    /* The other kind. */
    connections_open(&subject, process_memory, sizeof process_memory, &config);
    refuse_processes(&process_config, EVAGG_ERROR_NOT_INITIALISED);
}

static void another_layout_is_refused_untouched(void **state) {
    (void)state;
    const evagg_config_t config = config_of(8, 0);
    connections_open(&subject, memory, sizeof memory, &config);
    /* The layout's number, behind the magic number: there in every version of the library. */
    memory[4]++;
    refuse_connections(&config, EVAGG_ERROR_STALE_HEADER);
}

static void another_size_is_refused_untouched(void **state) {
    (void)state;
    evagg_config_t config = config_of(4, 0);
    connections_open(&subject, memory, sizeof memory, &config);
    config.capacity = 5;
    refuse_connections(&config, EVAGG_ERROR_BAD_VALUE);
    config.capacity = 3;
    refuse_connections(&config, EVAGG_ERROR_BAD_VALUE);
    config = process_config_of(4, 128, 16, 0);
    processes_open(&process_subject, process_memory, sizeof process_memory, &config);
    config.text_bytes = 127;
    refuse_processes(&config, EVAGG_ERROR_BAD_VALUE);
    config.text_bytes = 128;
    config.text_maximum = 17;
    refuse_processes(&config, EVAGG_ERROR_BAD_VALUE);
}

static void wrong_arguments_are_refused_as_by_init(void **state) {
    (void)state;
    evagg_connections_t *handle;
    evagg_config_t config = config_of(8, 0);
    connections_open(&subject, memory, sizeof memory, &config);
    refuse_connections(NULL, EVAGG_ERROR_NULL_ARGUMENT);
    assert_int_equal(evagg_connections_attach(NULL, sizeof memory, &config, &handle),
                     EVAGG_ERROR_NULL_ARGUMENT);
    assert_int_equal(evagg_connections_attach(memory, sizeof memory, &config, NULL),
                     EVAGG_ERROR_NULL_ARGUMENT);
    assert_int_equal(evagg_connections_attach(memory + 1, sizeof memory - 1, &config, &handle),
                     EVAGG_ERROR_MISALIGNED);
    assert_int_equal(
        evagg_connections_attach(memory, EVAGG_CONNECTIONS_STORAGE_SIZE(8) - 1, &config, &handle),
        EVAGG_ERROR_STORAGE_TOO_SMALL);
    assert_int_equal(evagg_connections_attach(memory, 0, &config, &handle),
                     EVAGG_ERROR_STORAGE_TOO_SMALL);
    config.size--;
    refuse_connections(&config, EVAGG_ERROR_STALE_HEADER);
    config.size++;
    config.abi_version++;
    refuse_connections(&config, EVAGG_ERROR_STALE_HEADER);
    config.abi_version--;
    config.overflow_policy = 9;
    refuse_connections(&config, EVAGG_ERROR_BAD_VALUE);
    config.overflow_policy = 0;
    attach_connections(memory, &config);
    connections_close(&subject, 1001);
}

/* Each bit of the storage, one at a time: never a crash, and what is accepted can be used to the
   end. How many are noticed is a figure, not a promise: bytes and times have no redundancy. */
static void any_bit_can_be_wrong(void **state) {
    (void)state;
    const evagg_config_t config = config_of(4, EVAGG_DISCARD_OLDEST);
    uint32_t refused = 0, corrupt = 0;
    const uint32_t bits = EVAGG_CONNECTIONS_STORAGE_SIZE(4) * 8;
    for (uint32_t bit = 0; bit < bits; bit += REPETITIONS(1, 7)) {
        connections_open(&subject, memory, sizeof memory, &config);
        for (uint32_t n = 0; n < 6; n++) {
            assert_int_equal(see_flow(subject.handle, n, 1001), EVAGG_FIRST);
        }
        assert_int_equal(connections_page(&subject, 1002, 1), EVAGG_MORE);
        assert_int_equal(see_flow(subject.handle, 1, 1003), EVAGG_FIRST);
        memory[bit / 8] ^= (uint8_t)(1u << bit % 8);
        memcpy(before, memory, sizeof memory);
        const evagg_status_t status =
            evagg_connections_attach(memory, sizeof memory, &config, &subject.handle);
        if (status != EVAGG_OK) {
            assert_memory_equal(before, memory, sizeof memory);
            refused++;
            corrupt += status == EVAGG_ERROR_CORRUPT;
            continue;
        }
        (void)see_flow(subject.handle, 7, 1004);
        evagg_connection_record_t page[5];
        evagg_window_t window;
        uint32_t flushes = 0;
        while (evagg_connections_flush(subject.handle, 1005, page, 5, &window) != EVAGG_OK) {
            assert_true(flushes++ < 4);
        }
        assert_int_equal(evagg_connections_flush(subject.handle, 1006, page, 5, &window), EVAGG_OK);
        assert_int_equal(connections_length(subject.handle), 0);
    }
    assert_true(corrupt > bits / REPETITIONS(1, 7) / 4);
    /* The others: magic number, layout, sizes. */
    assert_true(corrupt < refused && refused - corrupt <= 32 + 8 + 16 + 16 + 32);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connections_and_their_accounting_are_kept),
        cmocka_unit_test(processes_and_their_texts_are_kept),
        cmocka_unit_test(settings_are_those_of_the_config),
        cmocka_unit_test(a_clock_that_was_reset_too_does_not_keep_a_window_open),
        cmocka_unit_test(what_is_no_instance_is_refused_untouched),
        cmocka_unit_test(another_layout_is_refused_untouched),
        cmocka_unit_test(another_size_is_refused_untouched),
        cmocka_unit_test(wrong_arguments_are_refused_as_by_init),
        cmocka_unit_test(any_bit_can_be_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
