/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Faults that existing collectors of connections and processes have, replayed and shown not to
   happen here; and the cases that their own unit tests check, with the counts asserted. */
#include "support.h"

static connections_case_t subject;
static processes_case_t process_subject;
CONNECTIONS_MEMORY(memory, 128);
PROCESSES_MEMORY(process_memory, 32, 4096);

static void open_with(uint32_t capacity) {
    const evagg_config_t config = config_of(capacity, 0);
    connections_open(&subject, memory, sizeof memory, &config);
}

/* A UDP packet from 192.0.2.1 to 198.51.100.2, 20 bytes of IP payload. */
static void make_packet(uint8_t packet[40], uint16_t local_port, uint16_t remote_port) {
    static const uint8_t header[20] = {0x45, 0, 0,   40, 0, 0, 0,   0,  64,  17,
                                       0,    0, 192, 0,  2, 1, 198, 51, 100, 2};
    memset(packet, 0, 40);
    memcpy(packet, header, sizeof header);
    packet[20] = (uint8_t)(local_port >> 8);
    packet[21] = (uint8_t)local_port;
    packet[22] = (uint8_t)(remote_port >> 8);
    packet[23] = (uint8_t)remote_port;
    packet[25] = 20;
}

static evagg_status_t see_packet(uint16_t local_port, uint16_t remote_port) {
    uint8_t packet[40];
    make_packet(packet, local_port, remote_port);
    return evagg_connections_record_packet(subject.handle, packet, sizeof packet, EVAGG_OUT, 1001);
}

/* Allocation before look-up loses the packets of connections that are cached. */
static void a_full_cache_goes_on_counting_known_connections(void **state) {
    (void)state;
    open_with(64);
    for (uint16_t n = 0; n < 64; n++) {
        assert_int_equal(see_packet(5000, n), EVAGG_FIRST);
    }
    for (uint32_t i = 0; i < 1000; i++) {
        assert_int_equal(see_packet(5000, 63), EVAGG_COUNTED);
    }
    connections_drain(&subject, 1002, 16);
    assert_int_equal(subject.records[63].hit_count, 1001);
    assert_int_equal(subject.records[63].bytes_out, 20020);
    connections_close(&subject, 1003);
}

static void count_warning(void *context, const evagg_warning_t *warning) {
    (void)warning;
    ++*(uint32_t *)context;
}

/* A warning for each packet floods, and one that is compiled out helps nobody. */
static void a_thousand_losses_give_two_warnings(void **state) {
    (void)state;
    uint32_t warnings = 0;
    open_with(64);
    assert_int_equal(
        evagg_connections_set_warning_callback(subject.handle, count_warning, &warnings), EVAGG_OK);
    for (uint16_t n = 0; n < 1064; n++) {
        assert_int_equal(see_packet(5000, n), n < 64 ? EVAGG_FIRST : EVAGG_REJECTED);
    }
    assert_int_equal(warnings, 1);
    connections_drain(&subject, 1002, 16);
    assert_int_equal(warnings, 2);
    connections_close(&subject, 1003);
}

static void what_was_lost_is_counted(void **state) {
    (void)state;
    open_with(64);
    for (uint16_t n = 0; n < 100; n++) {
        (void)see_packet(5000, n);
    }
    assert_int_equal(connections_statistics(subject.handle).rejected, 36);
    assert_int_equal(connections_statistics(subject.handle).high_water_mark, 64);
    connections_drain(&subject, 1002, 16);
    assert_int_equal(subject.window.rejected, 36);
    connections_close(&subject, 1003);
}

/* A window that could not be sent is gone at the next collection. */
static void an_unsent_window_comes_again(void **state) {
    (void)state;
    open_with(64);
    for (uint16_t n = 0; n < 10; n++) {
        assert_int_equal(see_packet(5000, n), EVAGG_FIRST);
    }
    for (uint32_t attempt = 0; attempt < 5; attempt++) {
        connections_drain(&subject, 1002 + attempt, 4);
        assert_int_equal(subject.count, 10);
        assert_int_equal(evagg_connections_merge(subject.handle, subject.records, subject.count),
                         EVAGG_OK);
    }
    connections_drain(&subject, 1010, 4);
    for (uint32_t n = 0; n < 10; n++) {
        assert_int_equal(subject.records[n].hit_count, 1);
        assert_int_equal(subject.records[n].bytes_out, 20);
        assert_int_equal(subject.records[n].first_seen, 1001);
    }
    connections_close(&subject, 1011);
}

/* Lengths that nobody checks; and non-first fragments keyed on their payload. */
static void short_packets_and_later_fragments(void **state) {
    (void)state;
    uint8_t packet[40];
    open_with(64);
    make_packet(packet, 5000, 80);
    for (size_t length = 0; length < 28; length++) {
        assert_int_equal(
            evagg_connections_record_packet(subject.handle, packet, length, EVAGG_OUT, 1001),
            EVAGG_MALFORMED);
    }
    assert_int_equal(connections_statistics(subject.handle).malformed, 28);
    for (uint16_t n = 0; n < 20; n++) {
        make_packet(packet, n, (uint16_t)(n * 771u));
        packet[7] = (uint8_t)(n + 1u);
        assert_int_equal(
            evagg_connections_record_packet(subject.handle, packet, 40, EVAGG_OUT, 1001),
            n == 0 ? EVAGG_FIRST : EVAGG_COUNTED);
    }
    connections_drain(&subject, 1002, 4);
    assert_int_equal(subject.count, 1);
    assert_int_equal(subject.records[0].connection.local_port, 0);
    assert_int_equal(subject.records[0].connection.remote_port, 0);
    assert_int_equal(subject.records[0].hit_count, 20);
    connections_close(&subject, 1003);
}

/* Remote ports chosen to share a bucket of an unkeyed XOR modulo 91: all are found all the same. */
static void keys_that_collide_elsewhere_are_kept_apart(void **state) {
    (void)state;
    open_with(128);
    for (uint32_t round = 1; round <= 3; round++) {
        uint32_t seen = 0;
        for (uint32_t port = 7; seen < 128; port += 91) {
            assert_int_equal(see_packet(5000, (uint16_t)port),
                             round == 1 ? EVAGG_FIRST : EVAGG_COUNTED);
            seen++;
        }
    }
    evagg_connection_record_t record;
    for (uint32_t n = 0; n < 128; n++) {
        assert_int_equal(evagg_connections_flush(subject.handle, 1002, &record, 1, &subject.window),
                         n < 127 ? EVAGG_MORE : EVAGG_OK);
        assert_int_equal(record.hit_count, 3);
        assert_int_equal(record.connection.remote_port, 7 + 91 * n);
        subject.flushed += record.hit_count;
    }
    connections_close(&subject, 1003);
}

/* Stop and start again must not eat the cache up, nor must a full cache break the collection. */
static void restarts_do_not_wear_the_cache_out(void **state) {
    (void)state;
    for (uint32_t restart = 0; restart < 100; restart++) {
        open_with(64);
        for (uint16_t n = 0; n < 70; n++) {
            assert_int_equal(see_packet(5000, n), n < 64 ? EVAGG_FIRST : EVAGG_REJECTED);
        }
        if (restart % 2 == 0) {
            connections_drain(&subject, 1002, 64);
            assert_int_equal(subject.count, 64);
            connections_close(&subject, 1003);
        } else {
            /* Stopped with everything still cached. */
            assert_int_equal(evagg_connections_deinit(subject.handle), EVAGG_OK);
        }
    }
}

/* Identity is content, not where it lies: packets at different addresses are one connection. */
static void the_address_of_a_packet_is_no_part_of_its_identity(void **state) {
    (void)state;
    static uint8_t packets[60][41];
    open_with(64);
    for (uint32_t i = 0; i < 60; i++) {
        uint8_t *const packet = packets[i] + i % 2;
        make_packet(packet, 5000, 80);
        assert_int_equal(evagg_connections_record_packet(subject.handle, packet, 40, EVAGG_OUT, 1),
                         i == 0 ? EVAGG_FIRST : EVAGG_COUNTED);
    }
    assert_int_equal(connections_length(subject.handle), 1);
    connections_close(&subject, 1003);
}

static void open_processes(uint32_t capacity, uint8_t policy, evagg_time_t interval) {
    evagg_config_t config = process_config_of(capacity, 1024, 64, policy);
    config.interval = interval;
    processes_open(&process_subject, process_memory, sizeof process_memory, &config);
}

static void the_same_payload_twice_then_two_alternating(void **state) {
    (void)state;
    open_processes(4, 0, 0);
    assert_int_equal(see_job(process_subject.handle, 0, 1001), EVAGG_FIRST);
    assert_int_equal(see_job(process_subject.handle, 0, 1001), EVAGG_COUNTED);
    processes_drain(&process_subject, 1002, 4);
    assert_int_equal(process_subject.count, 1);
    assert_int_equal(process_subject.records[0].hit_count, 2);
    for (uint32_t i = 0; i < 7; i++) {
        assert_int_equal(see_job(process_subject.handle, i % 2, 1003),
                         i < 2 ? EVAGG_FIRST : EVAGG_COUNTED);
    }
    processes_drain(&process_subject, 1004, 4);
    assert_int_equal(process_subject.count, 2);
    assert_int_equal(process_subject.records[0].hit_count, 4);
    assert_int_equal(process_subject.records[1].hit_count, 3);
    processes_close(&process_subject, 1005);
}

static void switching_off_tells_the_caller_and_flushes_what_was_kept(void **state) {
    (void)state;
    open_processes(4, 0, 0);
    assert_int_equal(see_job(process_subject.handle, 0, 1001), EVAGG_FIRST);
    assert_int_equal(see_job(process_subject.handle, 0, 1001), EVAGG_COUNTED);
    assert_int_equal(evagg_processes_set_enabled(process_subject.handle, 0), EVAGG_OK);
    assert_int_equal(see_job(process_subject.handle, 0, 1001), EVAGG_DISABLED);
    assert_int_equal(evagg_processes_due(process_subject.handle, 1001), EVAGG_DUE);
    processes_drain(&process_subject, 1002, 4);
    assert_int_equal(process_subject.count, 1);
    assert_int_equal(process_subject.records[0].hit_count, 2);
    processes_close(&process_subject, 1005);
}

static void the_interval_decides_and_an_empty_window_gives_nothing(void **state) {
    (void)state;
    open_processes(4, 0, 60);
    assert_int_equal(see_job(process_subject.handle, 0, 1001), EVAGG_FIRST);
    assert_int_equal(evagg_processes_due(process_subject.handle, 1059), EVAGG_OK);
    assert_int_equal(evagg_processes_due(process_subject.handle, 1060), EVAGG_DUE);
    processes_drain(&process_subject, 1060, 4);
    assert_int_equal(process_subject.count, 1);
    assert_int_equal(evagg_processes_due(process_subject.handle, 1119), EVAGG_OK);
    processes_drain(&process_subject, 1120, 4);
    assert_int_equal(process_subject.count, 0);
    assert_int_equal(process_subject.window.kept, 0);
    processes_close(&process_subject, 1121);
}

static void a_cache_of_four_takes_a_fifth_once_one_has_left(void **state) {
    (void)state;
    open_processes(4, EVAGG_REJECT_NEW, 0);
    for (uint32_t n = 0; n < 5; n++) {
        assert_int_equal(see_job(process_subject.handle, n, 1001),
                         n < 4 ? EVAGG_FIRST : EVAGG_REJECTED);
    }
    assert_int_equal(processes_page(&process_subject, 1002, 1), EVAGG_MORE);
    assert_int_equal(see_job(process_subject.handle, 4, 1003), EVAGG_FIRST);
    assert_int_equal(see_job(process_subject.handle, 5, 1003), EVAGG_REJECTED);
    processes_close(&process_subject, 1004);
}

static void a_hundred_keys_are_found_and_come_out_once(void **state) {
    (void)state;
    uint8_t seen[100] = {0};
    open_with(128);
    for (uint32_t round = 0; round < 2; round++) {
        for (uint32_t n = 0; n < 100; n++) {
            assert_int_equal(see_flow(subject.handle, n, 1001),
                             round == 0 ? EVAGG_FIRST : EVAGG_COUNTED);
        }
    }
    evagg_status_t status;
    do {
        subject.count = 0;
        status = connections_page(&subject, 1002, 13);
        for (uint32_t i = 0; i < subject.count; i++) {
            seen[subject.records[i].connection.remote_address[3]]++;
            assert_int_equal(subject.records[i].hit_count, 2);
        }
    } while (status == EVAGG_MORE);
    for (uint32_t n = 0; n < 100; n++) {
        assert_int_equal(seen[n], 1);
    }
    assert_int_equal(connections_length(subject.handle), 0);
    connections_close(&subject, 1003);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_cache_goes_on_counting_known_connections),
        cmocka_unit_test(a_thousand_losses_give_two_warnings),
        cmocka_unit_test(what_was_lost_is_counted),
        cmocka_unit_test(an_unsent_window_comes_again),
        cmocka_unit_test(short_packets_and_later_fragments),
        cmocka_unit_test(keys_that_collide_elsewhere_are_kept_apart),
        cmocka_unit_test(restarts_do_not_wear_the_cache_out),
        cmocka_unit_test(the_address_of_a_packet_is_no_part_of_its_identity),
        cmocka_unit_test(the_same_payload_twice_then_two_alternating),
        cmocka_unit_test(switching_off_tells_the_caller_and_flushes_what_was_kept),
        cmocka_unit_test(the_interval_decides_and_an_empty_window_gives_nothing),
        cmocka_unit_test(a_cache_of_four_takes_a_fifth_once_one_has_left),
        cmocka_unit_test(a_hundred_keys_are_found_and_come_out_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
