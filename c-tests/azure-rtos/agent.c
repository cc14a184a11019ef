/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "agent.h"

static void set_as_shipped(void) {
    fake_agent.time = 1700000000;
    fake_agent.serializer_result = ASC_RESULT_OK;
#ifdef ASC_COMPONENT_SECURITY_MODULE
    g_component_factory[SecurityModule].component.info.ctx = &fake_security_module;
    fake_security_module.state = SECURITY_MODULE_STATE_ACTIVE;
    fake_security_module.h_state_machine = 0;
#endif
}

void agent_open(void) {
    set_as_shipped();
    fake_time = 1001;
    fake_misalignment = 0;
    memset(fake_agent.logs, 0, sizeof fake_agent.logs);
    assert_int_equal(components_factory_NetworkActivity_load_ptr(), ASC_RESULT_OK);
    assert_non_null(fake_agent_ops());
    ip_open(&ip);
    fake_module_init();
    assert_int_equal(fake_agent_ops()->init(FAKE_COLLECTOR_ID), ASC_RESULT_OK);
    assert_int_equal(fake_agent_ops()->subscribe(FAKE_COLLECTOR_ID), ASC_RESULT_OK);
    assert_int_equal(fake_agent_ops()->start(FAKE_COLLECTOR_ID), ASC_RESULT_OK);
}

void agent_close(void) {
    unsigned idle = 0, collections = 0;
    set_as_shipped();
    while (idle < 2) {
        assert_true(++collections < 1000);
        (void)fake_agent_collect();
        idle = fake_serializer.count == 0 ? idle + 1 : 0;
    }
    assert_int_equal(fake_agent_ops()->stop(FAKE_COLLECTOR_ID), ASC_RESULT_OK);
    assert_int_equal(fake_agent_ops()->unsubscribe(FAKE_COLLECTOR_ID), ASC_RESULT_OK);
    assert_int_equal(fake_agent_ops()->deinit(FAKE_COLLECTOR_ID), ASC_RESULT_OK);
    while (_nx_ip_created_ptr != NULL) {
        fake_ip_delete(_nx_ip_created_ptr);
    }
    check_fakes();
}

void agent_see(kind_t kind, uint8_t direction, uint32_t n, ULONG payload) {
    const packet_t packet = packet_of(kind, direction, n, payload);
    assert_int_equal(see(&ip, &packet, direction), NX_SUCCESS);
}

void agent_talk(kind_t kind, uint32_t n) {
    agent_see(kind, EVAGG_IN, n, 1);
    agent_see(kind, EVAGG_OUT, n, 2);
}

static transport_protocol_t protocol_of(kind_t kind) {
    return kind.protocol == TCP   ? TRANSPORT_PROTOCOL_TCP
           : kind.protocol == UDP ? TRANSPORT_PROTOCOL_UDP
                                  : TRANSPORT_PROTOCOL_ICMP;
}

const fake_entry_t *agent_find(kind_t kind, uint32_t n) {
    const evagg_connection_t connection = connection_of(kind, n);
    const fake_entry_t *found = NULL;
    for (unsigned i = 0; i < fake_serializer.count; i++) {
        const fake_entry_t *const entry = &fake_serializer.entries[i];
        if (entry->ip_version == kind.version &&
            memcmp(entry->local_address, connection.local_address, 16) == 0 &&
            memcmp(entry->remote_address, connection.remote_address, 16) == 0 &&
            entry->common.local_port == connection.local_port &&
            entry->common.remote_port == connection.remote_port &&
            entry->common.transport_protocol == protocol_of(kind)) {
            assert_null(found);
            found = entry;
        }
    }
    return found;
}

void agent_check(kind_t kind, uint32_t n, uint32_t bytes_in, uint32_t bytes_out) {
    const fake_entry_t *const entry = agent_find(kind, n);
    assert_non_null(entry);
    assert_int_equal(entry->common.bytes_in, bytes_in);
    assert_int_equal(entry->common.bytes_out, bytes_out);
}

void agent_check_talk(kind_t kind, uint32_t n) {
    const uint32_t header = transport_header_of(kind);
    agent_check(kind, n, header + 1, header + 2);
}

void agent_collect(unsigned count) {
    assert_int_equal(fake_agent_collect(), count > 0 ? ASC_RESULT_OK : ASC_RESULT_EMPTY);
    assert_int_equal(fake_serializer.calls, count > 0);
    assert_int_equal(fake_serializer.count, count);
}

uint64_t agent_message_bytes(void) {
    uint64_t sum = 0;
    for (unsigned i = 0; i < fake_serializer.count; i++) {
        sum += fake_serializer.entries[i].common.bytes_in;
        sum += fake_serializer.entries[i].common.bytes_out;
    }
    return sum;
}

#ifdef ASC_COMPONENT_SECURITY_MODULE
uint64_t agent_collect_by_chance(uint64_t *random, uint64_t *waiting) {
    const uint64_t fate = next_random(random) % 8;
    const uint64_t sent = fate != 0 ? *waiting : 0;
    fake_security_module.h_state_machine = fate == 0;
    fake_agent.serializer_result = fate == 1 ? ASC_RESULT_EXCEPTION : ASC_RESULT_OK;
    *waiting = fake_agent_collect() == ASC_RESULT_OK ? agent_message_bytes() : 0;
    return sent;
}
#endif

evagg_statistics_t agent_statistics(void) {
    evagg_statistics_t statistics;
    assert_int_equal(evagg_micro_agent_statistics(&statistics), EVAGG_OK);
    return statistics;
}
