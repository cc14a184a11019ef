/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Prints how many instructions a call takes, from its first to its return, lock callbacks that mask
   interrupts included. Each figure is a mean over many calls, less the same loop around a function
   that does nothing, and over several seeds, because chains differ from seed to seed. */
#include <string.h>

#include "board.h"
#include "measurement.h"

#define CAPACITY 64u
#define KEYS 63u
#define PAGE 16u
#define SEEDS 16u
#define ROUNDS 4u
/* What the functions that do nothing take: loading the result and returning. */
#define NOTHING 2u

typedef evagg_status_t record_t(evagg_connections_t *, const evagg_connection_t *, uint8_t,
                                uint32_t, evagg_time_t);
typedef evagg_status_t record_packet_t(evagg_connections_t *, const void *, size_t, uint8_t,
                                       evagg_time_t);
typedef evagg_status_t flush_t(evagg_connections_t *, evagg_time_t, evagg_connection_record_t *,
                               size_t, evagg_window_t *);

EVAGG_ALIGNED static uint8_t storage[EVAGG_CONNECTIONS_STORAGE_SIZE(CAPACITY)];
static evagg_connections_t *connections;
static evagg_connection_t keys[CAPACITY];
static uint8_t packets[KEYS][60];
static evagg_connection_record_t page[PAGE];
static evagg_window_t window;

static size_t acquire(void *context) {
    (void)context;
    return board_mask_interrupts();
}

static void release(void *context, size_t state) {
    (void)context;
    board_restore_interrupts((uint32_t)state);
}

static evagg_status_t record_nothing(evagg_connections_t *handle,
                                     const evagg_connection_t *connection, uint8_t direction,
                                     uint32_t bytes, evagg_time_t now) {
    (void)handle, (void)connection, (void)direction, (void)bytes, (void)now;
    return EVAGG_OK;
}

static evagg_status_t record_no_packet(evagg_connections_t *handle, const void *packet,
                                       size_t length, uint8_t direction, evagg_time_t now) {
    (void)handle, (void)packet, (void)length, (void)direction, (void)now;
    return EVAGG_OK;
}

static evagg_status_t flush_nothing(evagg_connections_t *handle, evagg_time_t now,
                                    evagg_connection_record_t *records, size_t record_count,
                                    evagg_window_t *result) {
    (void)handle, (void)now, (void)records, (void)record_count, (void)result;
    return EVAGG_OK;
}

/* An instance with `count` of the keys cached. */
static void start(uint32_t seed, uint32_t count) {
    evagg_config_t config = EVAGG_CONFIG_INIT;
    config.capacity = CAPACITY;
    config.hash_seed = UINT64_C(0x9e3779b97f4a7c15) * (seed + 1);
    config.acquire = acquire;
    config.release = release;
    expect(evagg_connections_init(storage, sizeof storage, &config, &connections) == EVAGG_OK,
           "init");
    for (uint32_t i = 0; i < count; i++) {
        expect(evagg_connections_record(connections, &keys[i], EVAGG_IN, 20, 1) == EVAGG_FIRST,
               "the first event of a key");
    }
}

static void choose_random_keys(uint8_t ip_version) {
    uint32_t state = 2463534242u;
    for (uint32_t i = 0; i < CAPACITY; i++) {
        keys[i] = random_connection(&state, ip_version);
    }
}

/* What a peer can do to a table whose hash is all fields by exclusive or, modulo the buckets: all
   of these keys share a bucket of 91. */
static void choose_colliding_keys(void) {
    const evagg_connection_t key = {{192, 0, 2, 1}, {198, 51, 100, 7}, 49152, 0, 6, 4};
    uint32_t hash = key.local_port ^ (uint32_t)key.protocol;
    for (uint32_t i = 0; i < 4; i++) {
        hash ^= (uint32_t)(key.local_address[i] ^ key.remote_address[i]) << (24 - 8 * i);
    }
    uint32_t count = 0;
    for (uint32_t port = 1; count < KEYS; port++) {
        expect(port <= UINT16_MAX, "63 colliding keys");
        if ((hash ^ port) % 91 == 0) {
            keys[count] = key;
            keys[count++].remote_port = (uint16_t)port;
        }
    }
}

/* The keys as TCP segments without data, received. */
static uint32_t write_packets(void) {
    const int is_ipv4 = keys[0].ip_version == 4;
    const uint32_t transport = is_ipv4 ? 20 : 40;
    const uint32_t address = is_ipv4 ? 4 : 16;
    for (uint32_t i = 0; i < KEYS; i++) {
        uint8_t *packet = packets[i];
        memset(packet, 0, sizeof packets[i]);
        packet[0] = is_ipv4 ? 0x45 : 0x60;
        packet[is_ipv4 ? 3 : 5] = is_ipv4 ? 40 : 20;
        packet[is_ipv4 ? 9 : 6] = keys[i].protocol;
        memcpy(&packet[transport - 2 * address], keys[i].remote_address, address);
        memcpy(&packet[transport - address], keys[i].local_address, address);
        packet[transport] = (uint8_t)(keys[i].remote_port >> 8);
        packet[transport + 1] = (uint8_t)keys[i].remote_port;
        packet[transport + 2] = (uint8_t)(keys[i].local_port >> 8);
        packet[transport + 3] = (uint8_t)keys[i].local_port;
    }
    return transport + 20;
}

static uint32_t time_records(record_t *volatile chosen) {
    record_t *const record = chosen;
    const uint32_t begin = board_instructions();
    for (uint32_t round = 0; round < ROUNDS; round++) {
        for (uint32_t i = 0; i < KEYS; i++) {
            record(connections, &keys[i], EVAGG_IN, 20, 2);
        }
    }
    return board_instructions() - begin;
}

static uint32_t time_packets(record_packet_t *volatile chosen, uint32_t length) {
    record_packet_t *const record_packet = chosen;
    const uint32_t begin = board_instructions();
    for (uint32_t round = 0; round < ROUNDS; round++) {
        for (uint32_t i = 0; i < KEYS; i++) {
            record_packet(connections, packets[i], length, EVAGG_IN, 2);
        }
    }
    return board_instructions() - begin;
}

static uint32_t time_flush(flush_t *volatile chosen) {
    flush_t *const flush = chosen;
    const uint32_t begin = board_instructions();
    for (uint32_t i = 0; i < CAPACITY / PAGE; i++) {
        flush(connections, 2, page, PAGE, &window);
    }
    return board_instructions() - begin;
}

static void expect_hits(void) {
    evagg_statistics_t statistics;
    expect(evagg_connections_statistics(connections, &statistics) == EVAGG_OK &&
               statistics.counted == KEYS * (ROUNDS + 1) && statistics.high_water_mark == KEYS,
           "hits only");
}

static void measure_record(const char *name) {
    uint64_t sum = 0;
    for (uint32_t seed = 0; seed < SEEDS; seed++) {
        start(seed, KEYS);
        sum += time_records(evagg_connections_record) - time_records(record_nothing);
        expect_hits();
    }
    const uint32_t calls = SEEDS * ROUNDS * KEYS;
    print_figure(name, sum + calls * NOTHING, calls);
}

static void measure_record_packet(const char *name) {
    const uint32_t length = write_packets();
    uint64_t sum = 0;
    for (uint32_t seed = 0; seed < SEEDS; seed++) {
        start(seed, KEYS);
        sum += time_packets(evagg_connections_record_packet, length) -
               time_packets(record_no_packet, length);
        expect_hits();
    }
    const uint32_t calls = SEEDS * ROUNDS * KEYS;
    print_figure(name, sum + calls * NOTHING, calls);
}

/* A full cache, page by page: the share of one record in all calls. */
static void measure_flush(const char *name) {
    uint64_t sum = 0;
    for (uint32_t seed = 0; seed < SEEDS; seed++) {
        start(seed, CAPACITY);
        sum += time_flush(evagg_connections_flush) - time_flush(flush_nothing);
        expect(window.kept == CAPACITY && window.remaining == 0, "the flush of a full cache");
    }
    print_figure(name, sum + SEEDS * CAPACITY / PAGE * NOTHING, SEEDS * CAPACITY);
}

int main(void) {
    choose_random_keys(4);
    measure_record("record_hit_ipv4");
    measure_record_packet("record_packet_hit_ipv4");
    measure_flush("flush_per_record");
    choose_random_keys(6);
    measure_record_packet("record_packet_hit_ipv6");
    choose_colliding_keys();
    measure_record_packet("record_packet_hit_colliding_63");
    return 0;
}
