/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A protocol that the agent's settings leave out is not sent; the others are. */
#include "agent.h"

#if defined(ASC_COLLECTOR_NETWORK_ACTIVITY_TCP_DISABLED)
#define DISABLED 0
#elif defined(ASC_COLLECTOR_NETWORK_ACTIVITY_UDP_DISABLED)
#define DISABLED 1
#elif defined(ASC_COLLECTOR_NETWORK_ACTIVITY_ICMP_DISABLED)
#define DISABLED 2
#endif

static void only_the_others_are_sent(void **state) {
    (void)state;
    agent_open();
    for (uint32_t round = 0; round < 3; round++) {
        for (size_t i = 0; i < KINDS; i++) {
            agent_talk(kinds[i], 1);
            agent_talk(kinds[i], 2);
        }
        agent_collect(2 * (KINDS - 2));
        for (size_t i = 0; i < KINDS; i++) {
            if (i % 3 != DISABLED) {
                agent_check_talk(kinds[i], 1);
                agent_check_talk(kinds[i], 2);
            } else {
                assert_true(agent_find(kinds[i], 1) == NULL);
            }
        }
        agent_collect(0);
    }
    agent_close();
}

/* It takes no room of the others. */
static void alone_it_gives_nothing(void **state) {
    (void)state;
    agent_open();
    const evagg_statistics_t before = agent_statistics();
    for (uint32_t n = 0; n < 2 * EVAGG_MICRO_AGENT_CONNECTIONS; n++) {
        agent_talk(kinds[DISABLED + 3 * (n % 2)], n);
    }
    for (uint32_t n = 0; n < 30; n++) {
        agent_talk(kinds[(DISABLED + 1) % 3], n);
    }
    agent_collect(30);
    assert_int_equal(agent_statistics().rejected, before.rejected);
    agent_close();
}

/* Not even where a hook cannot tell it, because it is behind an extension header. */
static void behind_an_extension_header_too(void **state) {
    (void)state;
    const kind_t kind = kinds[DISABLED + 3];
    packet_t packet = packet_of(kind, EVAGG_OUT, 1, 0);
    agent_open();
    insert_extension(&packet, 60, 0);
    const evagg_statistics_t before = agent_statistics();
    assert_int_equal(see_out(&ip, &packet), NX_SUCCESS);
    assert_int_equal(agent_statistics().offered, before.offered + 1);
    agent_collect(0);
    agent_close();
}

/* With one that comes back, too. */
static void unsent_the_others_come_again(void **state) {
    (void)state;
    agent_open();
    for (size_t i = 0; i < KINDS; i++) {
        agent_talk(kinds[i], 1);
    }
    agent_collect(KINDS - 2);
    fake_security_module.h_state_machine = 1;
    agent_collect(KINDS - 2);
    for (size_t i = 0; i < KINDS; i++) {
        if (i % 3 != DISABLED) {
            agent_check_talk(kinds[i], 1);
        }
    }
    agent_close();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_others_are_sent),
        cmocka_unit_test(alone_it_gives_nothing),
        cmocka_unit_test(behind_an_extension_header_too),
        cmocka_unit_test(unsent_the_others_come_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
