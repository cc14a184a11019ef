/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The collector set to capture all and to send empty events, in an agent without the security module. */
#include "agent.h"

static void idle_sends_an_empty_event(void **state) {
    (void)state;
    agent_open();
    for (uint32_t i = 0; i < 3; i++) {
        fake_agent.time++;
        assert_int_equal(fake_agent_collect(), ASC_RESULT_OK);
        assert_int_equal(fake_serializer.calls, 1);
        assert_int_equal(fake_serializer.count, 0);
        assert_int_equal(fake_serializer.timestamp, fake_agent.time);
    }
    fake_agent.serializer_result = ASC_RESULT_EXCEPTION;
    assert_int_equal(fake_agent_collect(), ASC_RESULT_EXCEPTION);
    fake_agent.serializer_result = ASC_RESULT_OK;
    fake_agent.time = ITIME_FAILED;
    assert_int_equal(fake_agent_collect(), ASC_RESULT_EMPTY);
    assert_int_equal(fake_serializer.calls, 0);
    agent_close();
}

static void every_packet_once(void **state) {
    (void)state;
    agent_open();
    for (size_t i = 0; i < KINDS; i++) {
        agent_talk(kinds[i], 1);
    }
    agent_collect(KINDS);
    for (size_t i = 0; i < KINDS; i++) {
        agent_check_talk(kinds[i], 1);
    }
    agent_close();
}

static void also_what_netx_drops(void **state) {
    (void)state;
    agent_open();
    ip.nx_ip_udp_packet_receive = NULL;
    agent_see(kinds[1], EVAGG_IN, 1, 4);
    assert_int_equal(ip.fake_dropped, 1);
    agent_collect(1);
    agent_check(kinds[1], 1, 12, 0);
    agent_close();
}

/* Without the module nobody knows better than that a message was sent. */
static void a_message_is_sent_once(void **state) {
    (void)state;
    agent_open();
    agent_talk(kinds[0], 1);
    agent_collect(1);
    assert_int_equal(fake_agent_collect(), ASC_RESULT_OK);
    assert_int_equal(fake_serializer.count, 0);
    agent_talk(kinds[0], 1);
    fake_agent.serializer_result = ASC_RESULT_EXCEPTION;
    assert_int_equal(fake_agent_collect(), ASC_RESULT_EXCEPTION);
    fake_agent.serializer_result = ASC_RESULT_OK;
    agent_collect(1);
    agent_check_talk(kinds[0], 1);
    agent_close();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(idle_sends_an_empty_event),
        cmocka_unit_test(every_packet_once),
        cmocka_unit_test(also_what_netx_drops),
        cmocka_unit_test(a_message_is_sent_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
