/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* On bare metal: packets come in an interrupt while the main program collects. Every byte is sent
   once. */
#include "agent.h"

#include "board.h"

#define COLLECTIONS REPETITIONS(2000u, 60u)
/* Of each kind: the cache has room for all of a window that is being collected and of the next. */
#define FLOWS 5u

static volatile uint32_t interrupts;
static volatile uint32_t interrupts_of_collections;
static volatile int is_collecting;
static uint64_t bytes_seen;
static uint64_t random = 1;

/* The time between interrupts varies, so that they come everywhere. */
static void see_one(void) {
    const kind_t kind = kinds[next_random(&random) % KINDS];
    const uint8_t direction = next_random(&random) % 2 == 0 ? EVAGG_IN : EVAGG_OUT;
    const uint32_t n = (uint32_t)(next_random(&random) % FLOWS);
    const ULONG payload = (ULONG)(next_random(&random) % 30);
    const packet_t packet = packet_of(kind, direction, n, payload);
    fake_check(fake_posture() == FAKE_ENABLED, "an interrupt came while they were masked");
    fake_check(see(&ip, &packet, direction) == NX_SUCCESS, "a packet was dropped");
    bytes_seen += transport_header_of(kind) + payload;
    interrupts++;
    interrupts_of_collections += is_collecting != 0;
    board_start_tick(4 + (uint32_t)(next_random(&random) % 64), see_one);
}

static void every_byte_is_sent_once(void **state) {
    (void)state;
    uint64_t fates = 2, sent = 0, waiting = 0;
    agent_open();
    board_start_tick(4, see_one);
    for (uint32_t i = 0; i < COLLECTIONS; i++) {
        is_collecting = 1;
        sent += agent_collect_by_chance(&fates, &waiting);
        is_collecting = 0;
    }
    board_stop_tick();
    assert_true(interrupts_of_collections > COLLECTIONS / 4);
    fake_security_module.h_state_machine = 0;
    fake_agent.serializer_result = ASC_RESULT_OK;
    sent += waiting;
    while (fake_agent_collect() == ASC_RESULT_OK) {
        sent += agent_message_bytes();
    }
    const evagg_statistics_t statistics = agent_statistics();
    assert_int_equal(statistics.offered, interrupts);
    assert_int_equal(statistics.rejected, 0);
    assert_int_equal(statistics.busy, 0);
    assert_int_equal(sent, bytes_seen);
    agent_close();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_is_sent_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
