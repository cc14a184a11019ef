/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Runs each operation many times in a function of its own, measure_NAME, and prints NAME and how
   many times. scripts/bench-check.py runs it under callgrind and divides. Several seeds, because
   chains differ from seed to seed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "evagg.h"

#define SEEDS 32u
#define CAPACITY 64u
#define LARGE_CAPACITY 65535u
#define SEEDS_OF_LARGE 4u
#define NEW_EVENTS 256u
#define PROCESSES 32u
#define COMMAND_LINE_LENGTH 60u
#define PACKET_LENGTH 80u
#define PAGE 16u

/* Not inlined, so that callgrind sees it, and with one line of output for all seeds. */
#define OPERATION(name)                     \
    static unsigned long operations_##name; \
    static __attribute__((noinline)) void measure_##name(void)
#define PRINT(name) printf("%s %lu\n", #name, operations_##name)

EVAGG_ALIGNED static uint8_t storage[EVAGG_CONNECTIONS_STORAGE_SIZE(LARGE_CAPACITY)];
EVAGG_ALIGNED static uint8_t process_storage[EVAGG_PROCESSES_STORAGE_SIZE(PROCESSES, 4096)];
static evagg_connections_t *connections;
static evagg_processes_t *processes;
static evagg_connection_t keys[LARGE_CAPACITY];
static uint32_t key_count;
static evagg_connection_t new_keys[NEW_EVENTS];
static uint8_t packets[CAPACITY][PACKET_LENGTH];
static size_t packet_length;
static evagg_connection_record_t records[CAPACITY];
static char command_lines[PROCESSES][COMMAND_LINE_LENGTH];
static uint32_t random_state;
static size_t lock_word;

static void expect(int holds, const char *what) {
    if (!holds) {
        fprintf(stderr, "instructions: %s\n", what);
        exit(1);
    }
}

static uint32_t random_word(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state;
}

static evagg_connection_t random_connection(uint8_t ip_version) {
    evagg_connection_t connection = {.protocol = 6, .ip_version = ip_version};
    size_t length = ip_version == 4 ? 4 : 16;
    for (size_t i = 0; i < length; i++) {
        connection.local_address[i] = (uint8_t)(10 + i);
        connection.remote_address[i] = (uint8_t)random_word();
    }
    connection.local_port = (uint16_t)random_word();
    connection.remote_port = (uint16_t)random_word();
    return connection;
}

static size_t acquire(void *context) {
    (void)context;
    size_t before = lock_word;
    lock_word = 1;
    return before;
}

static void release(void *context, size_t state) {
    (void)context;
    lock_word = state;
}

static evagg_config_t config(uint32_t seed, uint32_t capacity) {
    evagg_config_t it = EVAGG_CONFIG_INIT;
    it.capacity = capacity;
    it.hash_seed = UINT64_C(0x9e3779b97f4a7c15) * (seed + 1);
    return it;
}

static void start(const evagg_config_t *it, uint32_t cached) {
    expect(evagg_connections_init(storage, sizeof storage, it, &connections) == EVAGG_OK, "init");
    key_count = cached;
    for (uint32_t i = 0; i < cached; i++) {
        expect(evagg_connections_record(connections, &keys[i], EVAGG_IN, 20, 1) == EVAGG_FIRST,
               "the first event of a key");
    }
}

static void choose_keys(uint32_t count, uint8_t ip_version) {
    random_state = 2463534242u;
    for (uint32_t i = 0; i < count; i++) {
        keys[i] = random_connection(ip_version);
    }
    for (uint32_t i = 0; i < NEW_EVENTS; i++) {
        new_keys[i] = random_connection(ip_version);
    }
}

/* Ports and addresses whose XOR is the same. */
static void choose_colliding_keys(void) {
    for (uint32_t i = 0; i < CAPACITY; i++) {
        keys[i] = keys[0];
        keys[i].remote_address[2] = (uint8_t)i;
        keys[i].remote_port = (uint16_t)i;
    }
}

static void make_packets(uint8_t ip_version) {
    uint8_t length = ip_version == 4 ? 4 : 16;
    size_t transport = ip_version == 4 ? 20 : 40;
    packet_length = transport + 20;
    memset(packets, 0, sizeof packets);
    for (uint32_t i = 0; i < CAPACITY; i++) {
        uint8_t *packet = packets[i];
        packet[0] = ip_version == 4 ? 0x45 : 0x60;
        packet[ip_version == 4 ? 3 : 5] = (uint8_t)(ip_version == 4 ? packet_length : 20);
        packet[ip_version == 4 ? 9 : 6] = 6;
        memcpy(packet + transport - 2 * (size_t)length, keys[i].local_address, length);
        memcpy(packet + transport - length, keys[i].remote_address, length);
        packet[transport] = (uint8_t)(keys[i].local_port >> 8);
        packet[transport + 1] = (uint8_t)keys[i].local_port;
        packet[transport + 2] = (uint8_t)(keys[i].remote_port >> 8);
        packet[transport + 3] = (uint8_t)keys[i].remote_port;
    }
}

static void make_command_lines(void) {
    for (uint32_t i = 0; i < PROCESSES; i++) {
        for (uint32_t j = 0; j < COMMAND_LINE_LENGTH; j++) {
            command_lines[i][j] = (char)('a' + random_word() % 26);
        }
    }
}

static void record_known(void) {
    for (uint32_t i = 0; i < key_count; i++) {
        expect(evagg_connections_record(connections, &keys[i], EVAGG_OUT, 40, 2) == EVAGG_COUNTED,
               "a known event");
    }
}

#define RECORDS_KNOWN(name)             \
    OPERATION(name) {                   \
        record_known();                 \
        operations_##name += key_count; \
    }

RECORDS_KNOWN(known_ipv4)
RECORDS_KNOWN(known_ipv4_callbacks)
RECORDS_KNOWN(known_ipv4_no_lock)
RECORDS_KNOWN(known_ipv4_colliding)
RECORDS_KNOWN(known_ipv4_of_65535)
RECORDS_KNOWN(known_ipv6)

static void record_packets(void) {
    for (uint32_t i = 0; i < CAPACITY; i++) {
        expect(evagg_connections_record_packet(connections, packets[i], packet_length, EVAGG_OUT,
                                               2) == EVAGG_COUNTED,
               "a known packet");
    }
}

OPERATION(packet_ipv4) {
    record_packets();
    operations_packet_ipv4 += CAPACITY;
}

OPERATION(packet_ipv6) {
    record_packets();
    operations_packet_ipv6 += CAPACITY;
}

OPERATION(first) {
    for (uint32_t i = 0; i < CAPACITY; i++) {
        expect(evagg_connections_record(connections, &keys[i], EVAGG_IN, 20, 1) == EVAGG_FIRST,
               "a new event");
    }
    operations_first += CAPACITY;
}

OPERATION(rejected) {
    for (uint32_t i = 0; i < NEW_EVENTS; i++) {
        expect(evagg_connections_record(connections, &new_keys[i], EVAGG_IN, 20, 1) ==
                   EVAGG_REJECTED,
               "an event of a full cache");
    }
    operations_rejected += NEW_EVENTS;
}

OPERATION(discarding) {
    for (uint32_t i = 0; i < NEW_EVENTS; i++) {
        expect(evagg_connections_record(connections, &new_keys[i], EVAGG_IN, 20, 1) == EVAGG_FIRST,
               "an event that makes the oldest go");
    }
    operations_discarding += NEW_EVENTS;
}

OPERATION(flush_record) {
    evagg_window_t window;
    evagg_status_t status;
    do {
        status = evagg_connections_flush(connections, 3, records + CAPACITY - PAGE, PAGE, &window);
        operations_flush_record += window.records;
    } while (status == EVAGG_MORE);
    expect(status == EVAGG_OK, "flush");
}

OPERATION(merge_record) {
    expect(evagg_connections_merge(connections, records, CAPACITY) == EVAGG_OK, "merge");
    operations_merge_record += CAPACITY;
}

static void record_processes(evagg_status_t expected) {
    for (uint32_t i = 0; i < PROCESSES; i++) {
        evagg_process_t process = {.command_line = command_lines[i],
                                   .command_line_length = COMMAND_LINE_LENGTH,
                                   .process_id = i};
        expect(evagg_processes_record(processes, &process, 1) == expected, "a process");
    }
}

OPERATION(process_first) {
    record_processes(EVAGG_FIRST);
    operations_process_first += PROCESSES;
}

OPERATION(process_known) {
    record_processes(EVAGG_COUNTED);
    operations_process_known += PROCESSES;
}

static void take_records(void) {
    evagg_window_t window;
    expect(evagg_connections_flush(connections, 3, records, CAPACITY, &window) == EVAGG_OK,
           "flush of all records");
    expect(window.records == CAPACITY, "as many records as entries");
}

/* Fewer seeds: it takes long, and there are chains of every length in each. */
static void run_large(uint32_t seed) {
    evagg_config_t it = config(seed, LARGE_CAPACITY);
    choose_keys(LARGE_CAPACITY, 4);
    start(&it, LARGE_CAPACITY);
    measure_known_ipv4_of_65535();
}

static void run(uint32_t seed) {
    evagg_config_t it = config(seed, CAPACITY);
    choose_keys(CAPACITY, 4);
    start(&it, CAPACITY);
    measure_known_ipv4();
    make_packets(4);
    measure_packet_ipv4();
    measure_rejected();
    measure_flush_record();
    start(&it, 0);
    measure_first();
    take_records();
    expect(evagg_connections_merge(connections, records, CAPACITY) == EVAGG_OK, "merge");
    measure_merge_record();

    it.overflow_policy = EVAGG_DISCARD_OLDEST;
    start(&it, CAPACITY);
    measure_discarding();

    it = config(seed, CAPACITY);
    it.acquire = acquire;
    it.release = release;
    start(&it, CAPACITY);
    measure_known_ipv4_callbacks();

    it = config(seed, CAPACITY);
    it.lock = EVAGG_LOCK_NONE;
    start(&it, CAPACITY);
    measure_known_ipv4_no_lock();

    it = config(seed, CAPACITY);
    choose_colliding_keys();
    start(&it, CAPACITY);
    measure_known_ipv4_colliding();
    choose_keys(CAPACITY, 6);
    start(&it, CAPACITY);
    measure_known_ipv6();
    make_packets(6);
    measure_packet_ipv6();

    it = config(seed, PROCESSES);
    expect(evagg_processes_init(process_storage, sizeof process_storage, &it, &processes) ==
               EVAGG_OK,
           "init of processes");
    make_command_lines();
    measure_process_first();
    measure_process_known();
}

int main(void) {
    for (uint32_t seed = 0; seed < SEEDS; seed++) {
        run(seed);
    }
    for (uint32_t seed = 0; seed < SEEDS_OF_LARGE; seed++) {
        run_large(seed);
    }
    PRINT(known_ipv4);
    PRINT(known_ipv4_callbacks);
    PRINT(known_ipv4_no_lock);
    PRINT(known_ipv4_colliding);
    PRINT(known_ipv4_of_65535);
    PRINT(known_ipv6);
    PRINT(packet_ipv4);
    PRINT(packet_ipv6);
    PRINT(first);
    PRINT(rejected);
    PRINT(discarding);
    PRINT(flush_record);
    PRINT(merge_record);
    PRINT(process_first);
    PRINT(process_known);
    return 0;
}
