/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A cache of 6 that loses connections, in an agent that logs warnings. */
#include "agent.h"

#include <stdio.h>

static unsigned warnings(void) { return fake_agent.logs[LOG_LEVEL_WARN]; }

/* The larger of the agent's two settings, which are 5 and 6. */
static void the_size_of_the_cache(void **state) {
    (void)state;
    assert_int_equal(EVAGG_MICRO_AGENT_CONNECTIONS, 6);
    agent_open();
    for (uint32_t n = 0; n < 8; n++) {
        agent_talk(kinds[n % KINDS], n);
    }
    agent_collect(6);
    agent_close();
}

static void one_warning_a_window(void **state) {
    (void)state;
    agent_open();
    for (unsigned window = 1; window <= 4; window++) {
        for (uint32_t i = 0; i < 1000; i++) {
            agent_talk(kinds[0], i % 20);
        }
        assert_int_equal(warnings(), window - 1);
        agent_collect(6);
        assert_int_equal(warnings(), window);
        assert_true(strstr(fake_agent.log_text, "EVAGG_MICRO_AGENT_CONNECTIONS") != NULL);
    }
    agent_collect(0);
    agent_close();
    assert_int_equal(warnings(), 4);
}

/* 20 connections: the warning says how large the cache should be, near to that. */
static void the_warning_says_what_to_do(void **state) {
    (void)state;
    unsigned hint = 0;
    agent_open();
    for (uint32_t n = 0; n < 20; n++) {
        agent_talk(kinds[0], n);
    }
    agent_collect(6);
    for (unsigned size = 20; size <= 30 && hint == 0; size++) {
        char text[8];
        (void)snprintf(text, sizeof text, "%u", size);
        hint = strstr(fake_agent.log_text, text) != NULL ? size : 0;
    }
    assert_true(hint != 0);
    agent_close();
}

static void without_losses_there_is_none(void **state) {
    (void)state;
    agent_open();
    for (uint32_t i = 0; i < 1000; i++) {
        agent_talk(kinds[i % 2], i % 3);
    }
    agent_collect(6);
    agent_collect(0);
    agent_close();
    assert_int_equal(warnings(), 0);
}

/* Not while nothing can be sent, and not from the hooks: see fake_log. */
static void the_warning_waits_for_its_window(void **state) {
    (void)state;
    agent_open();
    for (uint32_t n = 0; n < 20; n++) {
        agent_talk(kinds[0], n);
    }
    fake_security_module.state = SECURITY_MODULE_STATE_PENDING;
    agent_collect(0);
    assert_int_equal(warnings(), 0);
    fake_security_module.state = SECURITY_MODULE_STATE_ACTIVE;
    agent_collect(6);
    assert_int_equal(warnings(), 1);
    agent_close();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_size_of_the_cache),
        cmocka_unit_test(one_warning_a_window),
        cmocka_unit_test(the_warning_says_what_to_do),
        cmocka_unit_test(without_losses_there_is_none),
        cmocka_unit_test(the_warning_waits_for_its_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
