/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Prints how many instructions a packet of a known connection takes in a hook of evagg_netxduo.c,
   from the call of the hook to its return, less what NetX itself takes without it. */
#include <string.h>

#include "board.h"
#include "evagg_netxduo.h"
#include "evagg_threadx.h"
#include "measurement.h"
#include "nx_ip.h"

#define KEYS 63u
#define SEEDS 16u
#define ROUNDS 4u

NX_IP *_nx_ip_created_ptr;
ULONG _nx_ip_created_count;

static NX_IP ip;
static NX_PACKET packets[KEYS];
static uint32_t buffers[KEYS][15];
EVAGG_ALIGNED static uint8_t storage[EVAGG_CONNECTIONS_STORAGE_SIZE(KEYS)];

UINT fake_tx_disable(VOID) { return board_mask_interrupts(); }
VOID fake_tx_restore(UINT posture) { board_restore_interrupts(posture); }
UINT tx_mutex_get(TX_MUTEX *mutex, ULONG wait_option) {
    return (UINT)(mutex->fake_gets += wait_option);
}
UINT tx_mutex_put(TX_MUTEX *mutex) { return (UINT)mutex->fake_gets; }
ULONG tx_time_get(VOID) { return 2; }
UINT nx_packet_release(NX_PACKET *packet) { return (UINT)packet->nx_packet_length; }

static VOID pass(NX_IP *instance, NX_PACKET *packet) { (VOID) instance, (VOID)packet; }

static UINT pass_all(NX_IP *instance, NX_PACKET *packet, UINT direction) {
    (VOID) instance, (VOID)packet, (VOID)direction;
    return NX_SUCCESS;
}

/* TCP segments without data; as NetX has them when it hands them to TCP if `is_received`. */
static void write_packets(uint8_t ip_version, int is_received) {
    const uint32_t words = ip_version == 4 ? 5 : 10;
    const uint32_t address = ip_version == 4 ? 4 : 16;
    uint32_t state = 2463534242u;

    for (uint32_t i = 0; i < KEYS; i++) {
        const evagg_connection_t key = random_connection(&state, ip_version);
        uint8_t *header = (uint8_t *)buffers[i];

        memset(buffers[i], 0, sizeof buffers[i]);
        header[0] = ip_version == 4 ? 0x45 : 0x60;
        header[ip_version == 4 ? 3 : 5] = ip_version == 4 ? 40 : 20;
        header[ip_version == 4 ? 9 : 6] = key.protocol;
        memcpy(&header[4 * words - 2 * address], key.remote_address, address);
        memcpy(&header[4 * words - address], key.local_address, address);
        header[4 * words + 1] = (uint8_t)key.remote_port;
        header[4 * words + 3] = (uint8_t)key.local_port;
        for (uint32_t word = 0; is_received && word < words; word++) {
            buffers[i][word] = __builtin_bswap32(buffers[i][word]);
        }
        packets[i].nx_packet_ip_version = ip_version;
        packets[i].nx_packet_ip_header = header;
        packets[i].nx_packet_prepend_ptr = is_received ? &header[4 * words] : header;
        packets[i].nx_packet_append_ptr = &header[4 * words + 20];
        packets[i].nx_packet_length = is_received ? 20 : 4 * words + 20;
    }
}

static uint32_t time_received(void) {
    VOID (*const hook)(NX_IP *, NX_PACKET *) = ip.nx_ip_tcp_packet_receive;
    const uint32_t begin = board_instructions();

    for (uint32_t i = 0; i < ROUNDS * KEYS; i++) {
        hook(&ip, &packets[i % KEYS]);
    }
    return board_instructions() - begin;
}

static uint32_t time_sent(void) {
    UINT (*const hook)(NX_IP *, NX_PACKET *, UINT) = ip.nx_ip_packet_filter_extended;
    const uint32_t begin = board_instructions();

    for (uint32_t i = 0; i < ROUNDS * KEYS; i++) {
        hook(&ip, &packets[i % KEYS], NX_IP_PACKET_OUT);
    }
    return board_instructions() - begin;
}

static void measure(const char *name, uint8_t ip_version, uint32_t (*time)(void)) {
    uint64_t sum = 0;

    write_packets(ip_version, time == time_received);
    for (uint32_t seed = 0; seed < SEEDS; seed++) {
        evagg_config_t config = EVAGG_CONFIG_INIT;
        evagg_connections_t *connections;
        evagg_statistics_t statistics;
        uint32_t with_hook;

        config.capacity = KEYS;
        config.hash_seed = UINT64_C(0x9e3779b97f4a7c15) * (seed + 1);
        config.acquire = evagg_threadx_acquire;
        config.release = evagg_threadx_release;
        expect(evagg_connections_init(storage, sizeof storage, &config, &connections) == EVAGG_OK,
               "init");
        expect(evagg_netxduo_attach(&ip, connections, EVAGG_NETXDUO_RECEIVED) == NX_SUCCESS,
               "attach");
        (void)time();
        with_hook = time();
        expect(evagg_connections_statistics(connections, &statistics) == EVAGG_OK &&
                   statistics.counted == 2 * ROUNDS * KEYS && statistics.high_water_mark == KEYS,
               "hits only");
        evagg_netxduo_detach(&ip);
        sum += with_hook - time();
    }
    print_figure(name, sum, SEEDS * ROUNDS * KEYS);
}

int main(void) {
    ip.nx_ip_created_next = &ip;
    ip.nx_ip_tcp_packet_receive = pass;
    ip.nx_ip_packet_filter_extended = pass_all;
    _nx_ip_created_ptr = &ip;
    _nx_ip_created_count = 1;
    measure("netxduo_received_hit_ipv4", 4, time_received);
    measure("netxduo_received_hit_ipv6", 6, time_received);
    measure("netxduo_sent_hit_ipv4", 4, time_sent);
    measure("netxduo_sent_hit_ipv6", 6, time_sent);
    return 0;
}
