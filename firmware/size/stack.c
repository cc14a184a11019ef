/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Prints the most stack that each function of the library used, in bytes below the stack pointer of
   its caller, over calls that go as deep as they can: every outcome, every kind of lock. The stack
   is painted before each call; the callbacks use none of it. */
#include <string.h>

#include "measurement.h"

/* More than any call uses; the board has more below main. */
#define PAINTED 1024u
#define PAINT 0xa5c35a3cu
#define FUNCTIONS 32u

EVAGG_ALIGNED static uint8_t connections_storage[EVAGG_CONNECTIONS_STORAGE_SIZE(4)];
EVAGG_ALIGNED static uint8_t processes_storage[EVAGG_PROCESSES_STORAGE_SIZE(4, 64)];

static struct {
    const char *name;
    uint32_t bytes;
} functions[FUNCTIONS];

/* These are inlined, so that the stack below the pointer they read belongs to the measured call. */
__attribute__((always_inline)) static inline volatile uint32_t *stack_pointer(void) {
    volatile uint32_t *pointer;
#ifdef __riscv
    __asm volatile("mv %0, sp" : "=r"(pointer));
#else
    __asm volatile("mov %0, sp" : "=r"(pointer));
#endif
    return pointer;
}

__attribute__((always_inline)) static inline void paint(void) {
    volatile uint32_t *const top = stack_pointer();
    for (volatile uint32_t *word = top - PAINTED / 4; word < top; word++) {
        *word = PAINT;
    }
}

__attribute__((always_inline)) static inline uint32_t unpainted(void) {
    volatile uint32_t *const top = stack_pointer();
    volatile uint32_t *word = top - PAINTED / 4;
    while (word < top && *word == PAINT) {
        word++;
    }
    return (uint32_t)((uintptr_t)top - (uintptr_t)word);
}

static void note(const char *name, uint32_t bytes) {
    expect(bytes < PAINTED, "more stack than was painted");
    uint32_t i = 0;
    while (functions[i].name != NULL && strcmp(functions[i].name, name) != 0) {
        i++;
    }
    expect(i + 1 < FUNCTIONS, "more functions than the table has");
    functions[i].name = name;
    functions[i].bytes = bytes > functions[i].bytes ? bytes : functions[i].bytes;
}

static evagg_status_t status;
static uint32_t warnings;

/* `call` stands for a whole call, for a status or for nothing. */
#define MEASURE(function, call)             \
    do {                                    \
        paint();                            \
        call;                               \
        const uint32_t bytes = unpainted(); \
        note(#function, bytes);             \
    } while (0)
#define STATUS(function, ...) MEASURE(function, status = function(__VA_ARGS__))
#define VALUE(function, ...) MEASURE(function, (void)function(__VA_ARGS__))

static size_t acquire(void *context) {
    (void)context;
    return 0;
}

static void release(void *context, size_t state) { (void)context, (void)state; }

static void on_warning(void *context, const evagg_warning_t *warning) {
    (void)context, (void)warning;
    warnings++;
}

/* Packets of 40 bytes IPv4, and of IPv6 with destination options, routing and fragment headers. */
static const uint8_t ipv4_tcp[40] = {0x45, [3] = 40, [9] = 6};
static const uint8_t ipv4_other[40] = {0x45, [3] = 40, [9] = 50};
static const uint8_t ipv6_udp[72] = {
    0x60, [5] = 32, [6] = 60, [40] = 43, [48] = 44, [56] = 17, [59] = 1};

/* One window, full and more; its first loss is the event, the packet or the record of `round`. */
static void measure_connections_window(evagg_connections_t *handle, uint32_t round) {
    evagg_connection_record_t records[4] = {0};
    evagg_window_t window;
    evagg_statistics_t statistics;
    uint32_t length;
    uint32_t state = 2463534242u + round;
    evagg_connection_t connection;
    for (uint32_t i = 0; i < 4; i++) {
        connection = random_connection(&state, i % 2 == 0 ? 4 : 6);
        STATUS(evagg_connections_record, handle, &connection, EVAGG_OUT, UINT32_MAX, 2);
        STATUS(evagg_connections_record, handle, &connection, EVAGG_OUT, UINT32_MAX, 2);
    }
    expect(status == EVAGG_COUNTED, "a known connection");
    for (uint32_t i = 0; i < 4; i++) {
        connection = random_connection(&state, 6);
        records[i].connection = connection;
        records[i].hit_count = 1;
        switch ((round + i) % 4) {
        case 0:
            STATUS(evagg_connections_record, handle, &connection, EVAGG_IN, 1, 3);
            break;
        case 1:
            STATUS(evagg_connections_record_packet, handle, ipv4_tcp, sizeof ipv4_tcp, EVAGG_IN, 3);
            break;
        case 2:
            STATUS(evagg_connections_record_packet, handle, ipv6_udp, sizeof ipv6_udp, EVAGG_IN, 3);
            break;
        default:
            STATUS(evagg_connections_merge, handle, records, i + 1);
        }
    }
    STATUS(evagg_connections_record_packet, handle, ipv6_udp, 60, EVAGG_IN, 3);
    expect(status == EVAGG_MALFORMED, "a packet cut off");
    STATUS(evagg_connections_record_packet, handle, ipv4_other, sizeof ipv4_other, EVAGG_IN, 3);
    expect(status == EVAGG_IGNORED, "a packet of another protocol");
    STATUS(evagg_connections_due, handle, 9);
    STATUS(evagg_connections_length, handle, &length);
    expect(length == 4, "a full cache");
    do {
        STATUS(evagg_connections_flush, handle, 9, records, 3, &window);
    } while (status == EVAGG_MORE);
    expect(status == EVAGG_OK && window.rejected + window.discarded > 0, "a window with losses");
    STATUS(evagg_connections_statistics, handle, &statistics);
}

static void measure_connections(const evagg_config_t *config) {
    evagg_connections_t *handle;
    VALUE(evagg_connections_storage_size, 4);
    STATUS(evagg_connections_init, connections_storage, sizeof connections_storage, config,
           &handle);
    expect(status == EVAGG_OK, "init of connections");
    STATUS(evagg_connections_set_warning_callback, handle, on_warning, NULL);
    STATUS(evagg_connections_set_overflow_policy, handle, config->overflow_policy);
    STATUS(evagg_connections_set_enabled, handle, 1);
    warnings = 0;
    for (uint32_t round = 0; round < 4; round++) {
        measure_connections_window(handle, round);
    }
    STATUS(evagg_connections_deinit, handle);
    expect(status == EVAGG_OK && warnings == 8, "two warnings a window");
}

/* Flushes a window with losses; the last page stays in `records` and `text`. */
static uint32_t measure_processes_flush(evagg_processes_t *handle, evagg_process_record_t *records,
                                        char *text) {
    evagg_window_t window;
    do {
        STATUS(evagg_processes_flush, handle, 9, records, 2, text, 64, &window);
    } while (status == EVAGG_MORE);
    expect(status == EVAGG_OK && window.rejected + window.discarded > 0, "a window with losses");
    return window.records;
}

/* Two windows. The first loss of one is an event, of the other a record; for want of text or of an
   entry, as `round` has it. Long command lines are truncated. */
static void measure_processes_windows(evagg_processes_t *handle, uint32_t round) {
    static const char line[64] = "a command line that is longer than what is kept of it";
    evagg_process_record_t records[2];
    char text[64];
    evagg_statistics_t statistics;
    uint32_t length;
    for (uint32_t user = 0; user < 5; user++) {
        const evagg_process_t process = {line, (round + user) % 2 == 0 ? 7 : sizeof line, user, 1,
                                         2};
        STATUS(evagg_processes_record, handle, &process, 2);
        STATUS(evagg_processes_record, handle, &process, 2);
    }
    STATUS(evagg_processes_due, handle, 9);
    STATUS(evagg_processes_length, handle, &length);
    const uint32_t count = measure_processes_flush(handle, records, text);
    for (uint32_t user = 10; user < 14; user++) {
        const evagg_process_t process = {line, 7, user, 1, 2};
        STATUS(evagg_processes_record, handle, &process, 2);
    }
    expect(status == EVAGG_FIRST, "four short command lines");
    STATUS(evagg_processes_merge, handle, records, count);
    expect(status == EVAGG_OK, "merge");
    STATUS(evagg_processes_statistics, handle, &statistics);
    (void)measure_processes_flush(handle, records, text);
}

static void measure_processes(const evagg_config_t *config) {
    evagg_processes_t *handle;
    VALUE(evagg_processes_storage_size, 4, 64);
    STATUS(evagg_processes_init, processes_storage, sizeof processes_storage, config, &handle);
    expect(status == EVAGG_OK, "init of processes");
    STATUS(evagg_processes_set_warning_callback, handle, on_warning, NULL);
    STATUS(evagg_processes_set_overflow_policy, handle, config->overflow_policy);
    STATUS(evagg_processes_set_enabled, handle, 1);
    warnings = 0;
    for (uint32_t round = 0; round < 4; round++) {
        measure_processes_windows(handle, round);
    }
    STATUS(evagg_processes_deinit, handle);
    expect(status == EVAGG_OK && warnings == 16, "two warnings a window");
}

/* Every policy and delivery of warnings, with the lock of `config`. */
static void measure_with(evagg_config_t config) {
    config.capacity = 4;
    config.text_bytes = 64;
    config.text_maximum = 40;
    for (uint8_t policy = EVAGG_REJECT_NEW; policy <= EVAGG_DISCARD_OLDEST; policy++) {
        for (uint8_t at_flush = 0; at_flush < 2; at_flush++) {
            config.overflow_policy = policy;
            config.warning_delivery = at_flush ? EVAGG_WARN_AT_FLUSH : EVAGG_WARN_AT_ONCE;
            measure_connections(&config);
            measure_processes(&config);
        }
    }
}

int main(void) {
    evagg_config_t config = EVAGG_CONFIG_INIT;
    evagg_connections_t *handle;
    /* The built-in lock, where the target has one. */
    if (evagg_connections_init(connections_storage, sizeof connections_storage, &config, &handle) !=
        EVAGG_ERROR_LOCK_REQUIRED) {
        measure_with(config);
    }
    config.lock = EVAGG_LOCK_NONE;
    measure_with(config);
    config.lock = EVAGG_LOCK_DEFAULT;
    config.acquire = acquire;
    config.release = release;
    measure_with(config);
    VALUE(evagg_status_name, EVAGG_ERROR_BUSY);
    MEASURE(evagg_version, (void)evagg_version());
    for (uint32_t i = 0; functions[i].name != NULL; i++) {
        printf("%s %" PRIu32 "\n", functions[i].name, functions[i].bytes);
    }
    return 0;
}
