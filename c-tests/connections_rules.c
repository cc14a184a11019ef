/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What makes connections identical, what an entry keeps, and what a full cache does. */
#include "support.h"

static connections_case_t subject;
CONNECTIONS_MEMORY(memory, 64);

static void open_with(uint32_t capacity, uint8_t policy) {
    const evagg_config_t config = config_of(capacity, policy);
    connections_open(&subject, memory, sizeof memory, &config);
}

static evagg_status_t record(const evagg_connection_t *connection, uint8_t direction,
                             uint32_t bytes, evagg_time_t now) {
    return evagg_connections_record(subject.handle, connection, direction, bytes, now);
}

static void identical_events_share_one_entry(void **state) {
    (void)state;
    open_with(4, 0);
    const evagg_connection_t connection = flow(0);
    assert_int_equal(record(&connection, EVAGG_OUT, 10, 1001), EVAGG_FIRST);
    assert_int_equal(record(&connection, EVAGG_IN, 200, 1005), EVAGG_COUNTED);
    assert_int_equal(record(&connection, EVAGG_OUT, 1, 1009), EVAGG_COUNTED);
    assert_int_equal(connections_length(subject.handle), 1);

    connections_drain(&subject, 1010, 4);
    assert_int_equal(subject.count, 1);
    const evagg_connection_record_t *const kept = &subject.records[0];
    assert_non_null(connections_find(&subject, &connection));
    assert_int_equal(kept->hit_count, 3);
    assert_int_equal(kept->bytes_in, 200);
    assert_int_equal(kept->bytes_out, 11);
    assert_int_equal(kept->first_seen, 1001);
    assert_int_equal(kept->last_seen, 1009);
    assert_int_equal(kept->flags, 0);
    connections_close(&subject, 1011);
}

static void zero_bytes_still_count_as_a_hit(void **state) {
    (void)state;
    open_with(4, 0);
    const evagg_connection_t connection = flow(0);
    assert_int_equal(record(&connection, EVAGG_IN, 0, 1001), EVAGG_FIRST);
    assert_int_equal(record(&connection, EVAGG_IN, 0, 1001), EVAGG_COUNTED);
    connections_drain(&subject, 1010, 4);
    assert_int_equal(subject.records[0].hit_count, 2);
    assert_int_equal(subject.records[0].bytes_in, 0);
    assert_int_equal(subject.records[0].bytes_out, 0);
    connections_close(&subject, 1011);
}

/* With one entry there is one place to look: what is taken for the same is counted into it. */
static void check_distinct(const evagg_connection_t *one, const evagg_connection_t *other) {
    open_with(1, EVAGG_DISCARD_OLDEST);
    assert_int_equal(record(one, EVAGG_IN, 1, 1000), EVAGG_FIRST);
    assert_int_equal(record(other, EVAGG_IN, 1, 1000), EVAGG_FIRST);
    assert_int_equal(record(other, EVAGG_IN, 1, 1000), EVAGG_COUNTED);
    assert_int_equal(record(one, EVAGG_IN, 1, 1000), EVAGG_FIRST);
    connections_close(&subject, 1001);
}

/* Every byte of the identity, changed on its own, makes another connection; both IP versions. */
static void every_field_of_the_identity_distinguishes(void **state) {
    (void)state;
    for (uint8_t version = 4; version <= 6; version += 2) {
        const size_t address_bytes = version == 4 ? 4 : 16;
        evagg_connection_t base = flow(0);
        base.ip_version = version;
        for (uint32_t bit = 0; bit < 8; bit++) {
            const uint8_t mask = (uint8_t)(1u << bit);
            for (size_t i = 0; i < address_bytes; i++) {
                evagg_connection_t changed = base;
                changed.local_address[i] ^= mask;
                check_distinct(&base, &changed);
                changed = base;
                changed.remote_address[i] ^= mask;
                check_distinct(&base, &changed);
            }
            evagg_connection_t changed = base;
            changed.protocol ^= mask;
            check_distinct(&base, &changed);
        }
        for (uint32_t bit = 0; bit < 16; bit++) {
            evagg_connection_t changed = base;
            changed.local_port ^= (uint16_t)(1u << bit);
            check_distinct(&base, &changed);
            changed = base;
            changed.remote_port ^= (uint16_t)(1u << bit);
            check_distinct(&base, &changed);
        }
    }
    /* The same bytes as IPv4 and as IPv6. */
    const evagg_connection_t as_ipv4 = flow(0);
    evagg_connection_t as_ipv6 = as_ipv4;
    as_ipv6.ip_version = 6;
    check_distinct(&as_ipv4, &as_ipv6);
}

static void swapped_ends_are_another_connection(void **state) {
    (void)state;
    open_with(4, 0);
    const evagg_connection_t there = flow(0);
    evagg_connection_t back = there;
    memcpy(back.local_address, there.remote_address, 16);
    memcpy(back.remote_address, there.local_address, 16);
    back.local_port = there.remote_port;
    back.remote_port = there.local_port;
    assert_int_equal(record(&there, EVAGG_IN, 1, 1000), EVAGG_FIRST);
    assert_int_equal(record(&back, EVAGG_IN, 1, 1000), EVAGG_FIRST);
    connections_close(&subject, 1001);
}

static void ipv4_ignores_the_rest_of_the_address_and_returns_zeroes(void **state) {
    (void)state;
    open_with(4, 0);
    const evagg_connection_t clean = flow(0);
    evagg_connection_t dirty = clean;
    memset(dirty.local_address + 4, 0xaa, 12);
    memset(dirty.remote_address + 4, 0x55, 12);
    assert_int_equal(record(&dirty, EVAGG_IN, 1, 1000), EVAGG_FIRST);
    assert_int_equal(record(&clean, EVAGG_IN, 1, 1000), EVAGG_COUNTED);
    connections_drain(&subject, 1001, 4);
    assert_non_null(connections_find(&subject, &clean));
    connections_close(&subject, 1001);
}

static void ipv6_comes_back_whole(void **state) {
    (void)state;
    open_with(4, 0);
    evagg_connection_t connection = flow(0);
    connection.ip_version = 6;
    connection.protocol = 58;
    connection.local_port = 0;
    connection.remote_port = 65535;
    for (uint8_t i = 0; i < 16; i++) {
        connection.local_address[i] = (uint8_t)(0xf0u + i);
        connection.remote_address[i] = (uint8_t)(0x0fu - i);
    }
    assert_int_equal(record(&connection, EVAGG_IN, 1, 1000), EVAGG_FIRST);
    connections_drain(&subject, 1001, 4);
    assert_non_null(connections_find(&subject, &connection));
    connections_close(&subject, 1001);
}

static void a_window_starts_empty(void **state) {
    (void)state;
    open_with(4, 0);
    assert_int_equal(see_flow(subject.handle, 0, 1000), EVAGG_FIRST);
    connections_drain(&subject, 1001, 4);
    assert_int_equal(connections_length(subject.handle), 0);
    assert_int_equal(see_flow(subject.handle, 0, 1002), EVAGG_FIRST);
    connections_drain(&subject, 1003, 4);
    assert_int_equal(subject.records[0].hit_count, 1);
    assert_int_equal(subject.records[0].first_seen, 1002);
    connections_close(&subject, 1004);
}

static void default_policy_rejects_new_and_keeps_counting_known(void **state) {
    (void)state;
    open_with(4, 0);
    for (uint32_t n = 0; n < 4; n++) {
        assert_int_equal(see_flow(subject.handle, n, 1000 + n), EVAGG_FIRST);
    }
    for (uint32_t round = 0; round < 10; round++) {
        assert_int_equal(see_flow(subject.handle, 4, 1010), EVAGG_REJECTED);
        for (uint32_t n = 0; n < 4; n++) {
            assert_int_equal(see_flow(subject.handle, n, 1010), EVAGG_COUNTED);
        }
    }
    assert_int_equal(connections_length(subject.handle), 4);
    connections_drain(&subject, 1020, 3);
    assert_int_equal(subject.count, 4);
    for (uint32_t n = 0; n < 4; n++) {
        const evagg_connection_t connection = flow(n);
        const evagg_connection_record_t *const kept = connections_find(&subject, &connection);
        assert_non_null(kept);
        assert_int_equal(kept->hit_count, 11);
        assert_int_equal(kept->bytes_out, 1100);
    }
    assert_int_equal(subject.window.offered, 54);
    assert_int_equal(subject.window.kept, 44);
    assert_int_equal(subject.window.rejected, 10);
    assert_int_equal(subject.window.discarded, 0);
    assert_int_equal(see_flow(subject.handle, 4, 1021), EVAGG_FIRST);
    connections_close(&subject, 1022);
}

static void discard_oldest_makes_room_in_order_of_admission(void **state) {
    (void)state;
    open_with(4, EVAGG_DISCARD_OLDEST);
    for (uint32_t n = 0; n < 4; n++) {
        assert_int_equal(see_flow(subject.handle, n, 1000), EVAGG_FIRST);
    }
    /* Counting does not make an entry younger. */
    assert_int_equal(see_flow(subject.handle, 0, 1005), EVAGG_COUNTED);
    assert_int_equal(see_flow(subject.handle, 0, 1005), EVAGG_COUNTED);
    assert_int_equal(see_flow(subject.handle, 4, 1006), EVAGG_FIRST);
    assert_int_equal(connections_statistics(subject.handle).discarded, 3);
    assert_int_equal(see_flow(subject.handle, 5, 1006), EVAGG_FIRST);
    assert_int_equal(connections_statistics(subject.handle).discarded, 4);
    assert_int_equal(connections_length(subject.handle), 4);
    connections_drain(&subject, 1010, 2);
    assert_int_equal(subject.count, 4);
    for (uint32_t i = 0; i < 4; i++) {
        const evagg_connection_t connection = flow(i + 2);
        assert_memory_equal(&subject.records[i].connection, &connection, sizeof connection);
    }
    assert_int_equal(subject.window.offered, 8);
    assert_int_equal(subject.window.kept, 4);
    assert_int_equal(subject.window.discarded, 4);
    assert_int_equal(subject.window.rejected, 0);
    connections_close(&subject, 1011);
}

static void policy_changes_at_run_time(void **state) {
    (void)state;
    open_with(2, EVAGG_REJECT_NEW);
    assert_int_equal(see_flow(subject.handle, 0, 1000), EVAGG_FIRST);
    assert_int_equal(see_flow(subject.handle, 1, 1000), EVAGG_FIRST);
    assert_int_equal(see_flow(subject.handle, 2, 1000), EVAGG_REJECTED);
    assert_int_equal(evagg_connections_set_overflow_policy(subject.handle, EVAGG_DISCARD_OLDEST),
                     EVAGG_OK);
    assert_int_equal(see_flow(subject.handle, 2, 1000), EVAGG_FIRST);
    assert_int_equal(see_flow(subject.handle, 0, 1000), EVAGG_FIRST);
    assert_int_equal(evagg_connections_set_overflow_policy(subject.handle, EVAGG_REJECT_NEW),
                     EVAGG_OK);
    assert_int_equal(see_flow(subject.handle, 1, 1000), EVAGG_REJECTED);
    connections_drain(&subject, 1001, 2);
    assert_int_equal(subject.window.rejected, 2);
    assert_int_equal(subject.window.discarded, 2);
    assert_int_equal(subject.window.kept, 2);
    connections_close(&subject, 1002);
}

static void disabled_passes_events_by_and_keeps_what_is_cached(void **state) {
    (void)state;
    open_with(4, 0);
    assert_int_equal(see_flow(subject.handle, 0, 1000), EVAGG_FIRST);
    assert_int_equal(evagg_connections_set_enabled(subject.handle, 0), EVAGG_OK);
    assert_int_equal(see_flow(subject.handle, 0, 1001), EVAGG_DISABLED);
    assert_int_equal(see_flow(subject.handle, 1, 1001), EVAGG_DISABLED);
    const evagg_statistics_t statistics = connections_statistics(subject.handle);
    assert_int_equal(statistics.disabled, 2);
    assert_int_equal(statistics.offered, 1);
    assert_int_equal(connections_length(subject.handle), 1);
    connections_drain(&subject, 1002, 4);
    assert_int_equal(subject.count, 1);
    assert_int_equal(subject.records[0].hit_count, 1);
    assert_int_equal(evagg_connections_set_enabled(subject.handle, 1), EVAGG_OK);
    assert_int_equal(see_flow(subject.handle, 1, 1003), EVAGG_FIRST);
    connections_close(&subject, 1004);
}

static void statistics_and_high_water_mark(void **state) {
    (void)state;
    static const uint8_t truncated[1] = {0x45};
    open_with(4, 0);
    for (uint32_t n = 0; n < 3; n++) {
        (void)see_flow(subject.handle, n, 1000);
    }
    (void)see_flow(subject.handle, 0, 1000);
    assert_int_equal(connections_statistics(subject.handle).high_water_mark, 3);
    connections_drain(&subject, 1001, 4);
    for (uint32_t n = 0; n < 2; n++) {
        (void)see_flow(subject.handle, n, 1002);
    }
    assert_int_equal(evagg_connections_record_packet(subject.handle, truncated, sizeof truncated,
                                                     EVAGG_IN, 1002),
                     EVAGG_MALFORMED);
    const evagg_statistics_t statistics = connections_statistics(subject.handle);
    assert_int_equal(statistics.offered, 6);
    assert_int_equal(statistics.counted, 6);
    assert_int_equal(statistics.merged, 0);
    assert_int_equal(statistics.rejected, 0);
    assert_int_equal(statistics.discarded, 0);
    assert_int_equal(statistics.malformed, 1);
    assert_int_equal(statistics.ignored, 0);
    assert_int_equal(statistics.disabled, 0);
    assert_int_equal(statistics.busy, 0);
    assert_int_equal(statistics.high_water_mark, 3);
    assert_int_equal(statistics.windows, 1);
    connections_close(&subject, 1003);
}

static void counters_saturate_and_say_so(void **state) {
    (void)state;
    open_with(4, 0);
    const evagg_connection_t connection = flow(0);
    const evagg_connection_record_t large = {.connection = connection,
                                             .hit_count = UINT32_MAX - 2,
                                             .bytes_in = 7,
                                             .first_seen = 1000,
                                             .last_seen = 1000};
    assert_true(evagg_connections_merge(subject.handle, &large, 1) >= 0);
    assert_int_equal(record(&connection, EVAGG_IN, 1, 1001), EVAGG_COUNTED);
    connections_drain(&subject, 1002, 4);
    assert_int_equal(subject.records[0].hit_count, UINT32_MAX - 1);
    assert_int_equal(subject.records[0].flags, 0);

    assert_true(evagg_connections_merge(subject.handle, &large, 1) >= 0);
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(record(&connection, EVAGG_IN, 1, 1003), EVAGG_COUNTED);
    }
    evagg_window_t window;
    evagg_connection_record_t kept;
    assert_int_equal(evagg_connections_flush(subject.handle, 1004, &kept, 1, &window), EVAGG_OK);
    assert_int_equal(kept.hit_count, UINT32_MAX);
    assert_int_equal(kept.flags, EVAGG_RECORD_SATURATED);
    assert_int_equal(kept.bytes_in, 12);

    assert_int_equal(record(&connection, EVAGG_IN, UINT32_MAX - 1, 1005), EVAGG_FIRST);
    assert_int_equal(record(&connection, EVAGG_OUT, UINT32_MAX - 1, 1005), EVAGG_COUNTED);
    assert_int_equal(record(&connection, EVAGG_OUT, 5, 1005), EVAGG_COUNTED);
    assert_int_equal(evagg_connections_flush(subject.handle, 1006, &kept, 1, &window), EVAGG_OK);
    assert_int_equal(kept.hit_count, 3);
    assert_int_equal(kept.bytes_in, UINT32_MAX - 1);
    assert_int_equal(kept.bytes_out, UINT32_MAX);
    assert_int_equal(kept.flags, EVAGG_RECORD_SATURATED);
    assert_int_equal(evagg_connections_deinit(subject.handle), EVAGG_OK);
}

/* The seed changes where keys fall, never what is counted. */
static void any_seed_counts_the_same(void **state) {
    (void)state;
    static const uint64_t seeds[] = {0, 1, UINT64_MAX, UINT64_C(0x8000000000000000)};
    for (size_t i = 0; i < COUNT_OF(seeds); i++) {
        evagg_config_t config = config_of(64, 0);
        config.hash_seed = seeds[i];
        connections_open(&subject, memory, sizeof memory, &config);
        for (uint32_t round = 0; round < 3; round++) {
            for (uint32_t n = 0; n < 64; n++) {
                assert_int_equal(see_flow(subject.handle, n, 1000),
                                 round == 0 ? EVAGG_FIRST : EVAGG_COUNTED);
            }
        }
        connections_drain(&subject, 1001, 7);
        assert_int_equal(subject.count, 64);
        for (uint32_t n = 0; n < 64; n++) {
            assert_int_equal(subject.records[n].hit_count, 3);
        }
        connections_close(&subject, 1002);
    }
}

static void instances_do_not_share_state(void **state) {
    (void)state;
    static connections_case_t other;
    CONNECTIONS_MEMORY(other_memory, 4);
    const evagg_config_t config = config_of(4, 0);
    open_with(4, 0);
    connections_open(&other, other_memory, sizeof other_memory, &config);
    assert_int_equal(see_flow(subject.handle, 0, 1000), EVAGG_FIRST);
    assert_int_equal(connections_length(other.handle), 0);
    assert_int_equal(see_flow(other.handle, 0, 1000), EVAGG_FIRST);
    assert_int_equal(evagg_connections_set_enabled(other.handle, 0), EVAGG_OK);
    assert_int_equal(see_flow(subject.handle, 1, 1000), EVAGG_FIRST);
    connections_close(&other, 1001);
    assert_int_equal(see_flow(subject.handle, 1, 1000), EVAGG_COUNTED);
    connections_close(&subject, 1001);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identical_events_share_one_entry),
        cmocka_unit_test(zero_bytes_still_count_as_a_hit),
        cmocka_unit_test(every_field_of_the_identity_distinguishes),
        cmocka_unit_test(swapped_ends_are_another_connection),
        cmocka_unit_test(ipv4_ignores_the_rest_of_the_address_and_returns_zeroes),
        cmocka_unit_test(ipv6_comes_back_whole),
        cmocka_unit_test(a_window_starts_empty),
        cmocka_unit_test(default_policy_rejects_new_and_keeps_counting_known),
        cmocka_unit_test(discard_oldest_makes_room_in_order_of_admission),
        cmocka_unit_test(policy_changes_at_run_time),
        cmocka_unit_test(disabled_passes_events_by_and_keeps_what_is_cached),
        cmocka_unit_test(statistics_and_high_water_mark),
        cmocka_unit_test(counters_saturate_and_say_so),
        cmocka_unit_test(any_seed_counts_the_same),
        cmocka_unit_test(instances_do_not_share_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
