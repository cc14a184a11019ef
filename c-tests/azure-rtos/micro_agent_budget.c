/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* How much a message may have, and when the rest comes. For several budgets. */
#include "agent.h"

#define BUDGET EVAGG_MICRO_AGENT_MESSAGE_BUDGET
#define CONNECTIONS EVAGG_MICRO_AGENT_CONNECTIONS

/* Those of one version in a message. */
#define IPV6_ENTRIES ((uint32_t)(BUDGET / 64))
#define IPV4_ENTRIES ((uint32_t)((BUDGET - 64) / 40 + 1))

static const kind_t ipv4 = {4, TCP};
static const kind_t ipv6 = {6, TCP};

static uint32_t least(uint32_t left, uint32_t right) { return left < right ? left : right; }

/* Of the last message. The bytes of the whole are looked at by the fake serializer. */
static void check_budget(void) {
    unsigned bytes = 0;
    for (unsigned i = 0; i < fake_serializer.count; i++) {
        bytes += fake_serializer.entries[i].ip_version == 4 ? 40 : 64;
    }
    assert_true(bytes <= BUDGET);
    assert_null(fake_fault);
}

/* A full cache leaves in as few messages as the budget allows, in the order in which it came. */
static void a_full_cache(kind_t kind, uint32_t entries) {
    agent_open();
    for (uint32_t n = 0; n < CONNECTIONS; n++) {
        agent_talk(kind, n);
    }
    for (uint32_t n = 0; n < CONNECTIONS; n += entries) {
        const uint32_t count = least(entries, CONNECTIONS - n);
        agent_collect(count);
        check_budget();
        for (uint32_t i = 0; i < count; i++) {
            agent_check_talk(kind, n + i);
        }
    }
    agent_collect(0);
    agent_close();
}

static void a_full_cache_of_ipv4(void **state) {
    (void)state;
    a_full_cache(ipv4, IPV4_ENTRIES);
}

static void a_full_cache_of_ipv6(void **state) {
    (void)state;
    a_full_cache(ipv6, IPV6_ENTRIES);
}

static void a_full_cache_of_both(void **state) {
    (void)state;
    uint64_t random = 5;
    uint32_t seen = 0;
    agent_open();
    for (uint32_t n = 0; n < CONNECTIONS; n++) {
        agent_talk(next_random(&random) % 2 == 0 ? ipv4 : ipv6, n);
    }
    while (fake_agent_collect() == ASC_RESULT_OK) {
        check_budget();
        assert_true(fake_serializer.count > 0);
        seen += fake_serializer.count;
    }
    assert_int_equal(seen, CONNECTIONS);
    agent_close();
}

/* What goes on meanwhile comes behind the rest, in the same message if there is room. */
static void what_was_recorded_since_comes_behind_the_rest(void **state) {
    (void)state;
    if (IPV6_ENTRIES + 2 > CONNECTIONS) {
        return;
    }
    agent_open();
    for (uint32_t n = 0; n < IPV6_ENTRIES + 2; n++) {
        agent_talk(ipv6, n);
    }
    agent_collect(IPV6_ENTRIES);
    /* A new one, one that has left, and one that is waiting: what it had belongs to the window before,
       and what comes to it now to this one. */
    agent_talk(ipv6, 500);
    agent_talk(ipv6, 0);
    agent_talk(ipv6, IPV6_ENTRIES);
    const uint32_t order[] = {IPV6_ENTRIES, IPV6_ENTRIES + 1, 500, 0, IPV6_ENTRIES};
    for (uint32_t n = 0; n < COUNT_OF(order); n += IPV6_ENTRIES) {
        const uint32_t count = least(IPV6_ENTRIES, COUNT_OF(order) - n);
        agent_collect(count);
        check_budget();
        for (uint32_t i = 0; i < count; i++) {
            const network_activity_common_t *const common = &fake_serializer.entries[i].common;
            assert_int_equal(common->remote_port, connection_of(ipv6, order[n + i]).remote_port);
            assert_int_equal(common->bytes_in, 21);
            assert_int_equal(common->bytes_out, 22);
        }
    }
    agent_collect(0);
    agent_close();
}

/* The rest outlives a message that fails and comes before it. */
static void a_failure_amid_the_rest(void **state) {
    (void)state;
    uint64_t bytes = 0;
    unsigned messages = 0;
    agent_open();
    for (uint32_t n = 0; n < CONNECTIONS; n++) {
        agent_talk(ipv6, n);
    }
    for (;;) {
        fake_agent.serializer_result = messages++ % 3 == 1 ? ASC_RESULT_EXCEPTION : ASC_RESULT_OK;
        const asc_result_t result = fake_agent_collect();
        check_budget();
        if (result == ASC_RESULT_EMPTY) {
            break;
        }
        bytes += result == ASC_RESULT_OK ? agent_message_bytes() : 0;
        assert_true(messages < 1000);
    }
    assert_int_equal(bytes, CONNECTIONS * 43);
    agent_close();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_cache_of_ipv4),
        cmocka_unit_test(a_full_cache_of_ipv6),
        cmocka_unit_test(a_full_cache_of_both),
        cmocka_unit_test(what_was_recorded_since_comes_behind_the_rest),
        cmocka_unit_test(a_failure_amid_the_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
