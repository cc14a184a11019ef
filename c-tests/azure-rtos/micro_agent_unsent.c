/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Messages that fail, or are not sent: their connections come again, and nothing is counted twice. */
#include "agent.h"

static void the_message_waits(void) { fake_security_module.h_state_machine = 7; }
static void the_message_is_sent(void) { fake_security_module.h_state_machine = 0; }

static void talk_to_all(void) {
    for (size_t i = 0; i < KINDS; i++) {
        agent_talk(kinds[i], 3);
    }
}

/* `times` what talk_to_all leaves. */
static void check_all(uint32_t times) {
    for (size_t i = 0; i < KINDS; i++) {
        const uint32_t header = transport_header_of(kinds[i]);
        agent_check(kinds[i], 3, times * (header + 1), times * (header + 2));
    }
}

static void a_serializer_that_fails(void **state) {
    (void)state;
    static const asc_result_t results[] = {ASC_RESULT_EXCEPTION, ASC_RESULT_BAD_ARGUMENT,
                                           ASC_RESULT_EMPTY};
    agent_open();
    for (size_t i = 0; i < COUNT_OF(results); i++) {
        const evagg_statistics_t before = agent_statistics();
        talk_to_all();
        fake_agent.serializer_result = results[i];
        assert_int_equal(fake_agent_collect(), results[i]);
        assert_int_equal(fake_serializer.count, KINDS);
        /* Two hits each. */
        assert_int_equal(agent_statistics().merged, before.merged + 2 * KINDS);
        talk_to_all();
        assert_int_equal(fake_agent_collect(), results[i]);
        assert_int_equal(agent_statistics().merged, before.merged + 6 * KINDS);
        fake_agent.serializer_result = ASC_RESULT_OK;
        agent_collect(KINDS);
        check_all(2);
        agent_collect(0);
    }
    assert_int_equal(fake_agent.logs[LOG_LEVEL_ERROR], 2 * COUNT_OF(results));
    agent_close();
}

static void an_unsent_message_comes_again(void **state) {
    (void)state;
    agent_open();
    const evagg_statistics_t before = agent_statistics();
    talk_to_all();
    agent_collect(KINDS);
    the_message_waits();
    for (uint32_t i = 1; i <= 5; i++) {
        talk_to_all();
        agent_collect(KINDS);
        check_all(1 + i);
    }
    /* 2 hits of a connection in the first message, 4 in the second, and so on. */
    assert_int_equal(agent_statistics().merged, before.merged + (2 + 4 + 6 + 8 + 10) * KINDS);
    the_message_is_sent();
    agent_collect(0);
    agent_close();
}

static void a_sent_message_does_not_come_again(void **state) {
    (void)state;
    agent_open();
    talk_to_all();
    agent_collect(KINDS);
    the_message_is_sent();
    agent_collect(0);
    /* Nor does it when a later one waits. */
    agent_talk(kinds[0], 8);
    agent_collect(1);
    the_message_waits();
    agent_collect(1);
    agent_check_talk(kinds[0], 8);
    the_message_is_sent();
    agent_collect(0);
    the_message_waits();
    agent_collect(0);
    agent_close();
}

/* One that failed is back already when the timer of an older one still runs. */
static void nothing_comes_back_twice(void **state) {
    (void)state;
    agent_open();
    talk_to_all();
    fake_agent.serializer_result = ASC_RESULT_EXCEPTION;
    the_message_waits();
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(fake_agent_collect(), ASC_RESULT_EXCEPTION);
    }
    fake_agent.serializer_result = ASC_RESULT_OK;
    agent_collect(KINDS);
    check_all(1);
    agent_collect(KINDS);
    check_all(1);
    agent_close();
}

static void new_connections_come_with_those_that_come_again(void **state) {
    (void)state;
    agent_open();
    agent_talk(kinds[0], 1);
    agent_collect(1);
    the_message_waits();
    agent_talk(kinds[0], 2);
    agent_talk(kinds[0], 1);
    agent_collect(2);
    agent_check(kinds[0], 1, 2 * 21, 2 * 22);
    agent_check_talk(kinds[0], 2);
    agent_close();
}

static void an_unsent_message_without_a_hub(void **state) {
    (void)state;
    agent_open();
    talk_to_all();
    agent_collect(KINDS);
    the_message_waits();
    fake_security_module.state = SECURITY_MODULE_STATE_SUSPENDED;
    agent_collect(0);
    the_message_is_sent();
    agent_collect(0);
    fake_security_module.state = SECURITY_MODULE_STATE_ACTIVE;
    agent_collect(KINDS);
    check_all(1);
    agent_close();
}

static void unsent_when_the_component_ends(void **state) {
    (void)state;
    for (int is_unsent = 0; is_unsent < 2; is_unsent++) {
        agent_open();
        talk_to_all();
        agent_collect(KINDS);
        if (is_unsent) {
            the_message_waits();
        }
        assert_int_equal(fake_agent_ops()->stop(FAKE_COLLECTOR_ID), ASC_RESULT_OK);
        assert_int_equal(fake_agent_ops()->deinit(FAKE_COLLECTOR_ID), ASC_RESULT_OK);
        the_message_is_sent();
        assert_int_equal(fake_agent_ops()->init(FAKE_COLLECTOR_ID), ASC_RESULT_OK);
        assert_int_equal(fake_agent_ops()->start(FAKE_COLLECTOR_ID), ASC_RESULT_OK);
        if (is_unsent) {
            agent_collect(KINDS);
            check_all(1);
        } else {
            agent_collect(0);
        }
        agent_close();
    }
}

static void without_a_module_every_message_counts_as_sent(void **state) {
    (void)state;
    agent_open();
    talk_to_all();
    agent_collect(KINDS);
    the_message_waits();
    g_component_factory[SecurityModule].component.info.ctx = NULL;
    agent_collect(0);
    agent_close();
}

/* The cache has filled since: what there is no room for is counted as lost. */
static void what_comes_back_to_a_full_cache(void **state) {
    (void)state;
    agent_open();
    const evagg_statistics_t before = agent_statistics();
    for (uint32_t n = 0; n < 10; n++) {
        agent_talk(kinds[0], n);
    }
    agent_collect(10);
    the_message_waits();
    for (uint32_t n = 0; n < EVAGG_MICRO_AGENT_CONNECTIONS; n++) {
        agent_talk(kinds[0], 5 + n);
    }
    agent_collect(EVAGG_MICRO_AGENT_CONNECTIONS);
    assert_true(agent_find(kinds[0], 4) == NULL);
    agent_check(kinds[0], 5, 2 * 21, 2 * 22);
    agent_check_talk(kinds[0], 10);
    const evagg_statistics_t after = agent_statistics();
    assert_int_equal(after.merged, before.merged + 20);
    assert_int_equal(after.rejected, before.rejected + 10);
    agent_close();
}

/* Whatever becomes of the messages: in the end every byte was sent once. */
/* The message is dropped then, without having been announced. */
static void another_collector_fails(void **state) {
    (void)state;
    agent_open();
    talk_to_all();
    assert_int_equal(fake_agent_collect_silently(), ASC_RESULT_OK);
    assert_int_equal(fake_serializer.count, KINDS);
    agent_collect(KINDS);
    check_all(1);
    agent_collect(0);
    agent_close();
}

/* A collection of others alone, between two of ours, drops what is unsent and begins a message of its
   own. What becomes of that one says nothing of ours. */
static void others_collect_in_between(void **state) {
    (void)state;
    for (int ours_is_sent = 0; ours_is_sent <= 1; ours_is_sent++) {
        for (int theirs_is_sent = 0; theirs_is_sent <= 1; theirs_is_sent++) {
            agent_open();
            const unsigned announcements = fake_agent.announcements;
            talk_to_all();
            agent_collect(KINDS);
            fake_security_module.h_state_machine = ours_is_sent ? 0 : 7;
            fake_agent_announce();
            fake_security_module.h_state_machine = theirs_is_sent ? 0 : 7;
            fake_agent_announce();
            agent_collect(ours_is_sent ? 0 : KINDS);
            if (!ours_is_sent) {
                check_all(1);
            }
            assert_int_equal(fake_agent.announcements, announcements + 3 + !ours_is_sent);
            the_message_is_sent();
            agent_collect(0);
            agent_close();
        }
    }
}

/* Each of its inits sets the function that is told of messages. */
static void the_module_begins_anew(void **state) {
    (void)state;
    agent_open();
    for (uint32_t i = 0; i < 10; i++) {
        assert_int_equal(fake_agent_ops()->stop(FAKE_COLLECTOR_ID), ASC_RESULT_OK);
        if (i % 2 == 0) {
            fake_module_init();
        }
        assert_int_equal(fake_agent_ops()->start(FAKE_COLLECTOR_ID), ASC_RESULT_OK);
        const unsigned announcements = fake_agent.announcements;
        talk_to_all();
        agent_collect(KINDS);
        assert_int_equal(fake_agent.announcements, announcements + 1);
        the_message_waits();
        agent_collect(KINDS);
        check_all(1);
        the_message_is_sent();
        agent_collect(0);
    }
    agent_close();
}

static void every_byte_is_sent_once(void **state) {
    (void)state;
    uint64_t random = 3;
    uint64_t seen = 0, sent = 0, waiting = 0;
    agent_open();
    const evagg_statistics_t before = agent_statistics();
    for (uint32_t i = 0; i < REPETITIONS(2000, 300); i++) {
        for (uint32_t k = 0; k < next_random(&random) % 10; k++) {
            const kind_t kind = kinds[next_random(&random) % KINDS];
            const ULONG payload = (ULONG)(next_random(&random) % 20);
            agent_see(kind, k % 2 == 0 ? EVAGG_IN : EVAGG_OUT, (uint32_t)(next_random(&random) % 9),
                      payload);
            seen += transport_header_of(kind) + payload;
        }
        const uint64_t fate = next_random(&random) % 8;
        /* What became of the message before. */
        if (fate < 2) {
            the_message_waits();
        } else {
            the_message_is_sent();
            sent += waiting;
        }
        fake_agent.serializer_result = fate == 3 ? ASC_RESULT_EXCEPTION : ASC_RESULT_OK;
        fake_agent.time = fate == 4 ? ITIME_FAILED : 1700000000;
        fake_security_module.state =
            fate == 5 ? SECURITY_MODULE_STATE_SUSPENDED : SECURITY_MODULE_STATE_ACTIVE;
        waiting = fake_agent_collect() == ASC_RESULT_OK ? agent_message_bytes() : 0;
    }
    the_message_is_sent();
    fake_agent.serializer_result = ASC_RESULT_OK;
    fake_agent.time = 1700000000;
    fake_security_module.state = SECURITY_MODULE_STATE_ACTIVE;
    sent += waiting;
    while (fake_agent_collect() == ASC_RESULT_OK) {
        sent += agent_message_bytes();
    }
    assert_int_equal(agent_statistics().rejected, before.rejected);
    assert_int_equal(sent, seen);
    agent_close();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_serializer_that_fails),
        cmocka_unit_test(an_unsent_message_comes_again),
        cmocka_unit_test(a_sent_message_does_not_come_again),
        cmocka_unit_test(nothing_comes_back_twice),
        cmocka_unit_test(new_connections_come_with_those_that_come_again),
        cmocka_unit_test(an_unsent_message_without_a_hub),
        cmocka_unit_test(unsent_when_the_component_ends),
        cmocka_unit_test(without_a_module_every_message_counts_as_sent),
        cmocka_unit_test(what_comes_back_to_a_full_cache),
        cmocka_unit_test(another_collector_fails),
        cmocka_unit_test(others_collect_in_between),
        cmocka_unit_test(the_module_begins_anew),
        cmocka_unit_test(every_byte_is_sent_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
