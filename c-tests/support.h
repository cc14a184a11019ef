/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef EVAGG_C_TESTS_SUPPORT_H
#define EVAGG_C_TESTS_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "evagg.h"

#define SUPPORT_RECORDS 64u
#define SUPPORT_TEXT 4160u
#define SUPPORT_SEED UINT64_C(0x0123456789abcdef)

/* The lock of an instance to which a test gives no callbacks: the built-in one, except on processors
   without compare-and-swap, which have none. A test makes all its calls from one context. */
#ifdef __GCC_HAVE_SYNC_COMPARE_AND_SWAP_4
#define SUPPORT_LOCK EVAGG_LOCK_DEFAULT
#else
#define SUPPORT_LOCK EVAGG_LOCK_NONE
#endif

/* Repetitions of what has many. An unoptimised build takes some twenty times as long for each, which
   in the emulator is too long. */
#ifdef SUPPORT_FEW_REPETITIONS
#define REPETITIONS(many, few) (few)
#else
#define REPETITIONS(many, few) (many)
#endif

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#define CONNECTIONS_MEMORY(name, capacity) \
    EVAGG_ALIGNED static uint8_t name[EVAGG_CONNECTIONS_STORAGE_SIZE(capacity)]
#define PROCESSES_MEMORY(name, capacity, text_bytes) \
    EVAGG_ALIGNED static uint8_t name[EVAGG_PROCESSES_STORAGE_SIZE(capacity, text_bytes)]

/* An instance under test with what has left it so far, so that closing it can check that every
   event is accounted for. `records` holds the window drained last. */
typedef struct connections_case_t {
    evagg_connections_t *handle;
    uint64_t flushed;
    evagg_window_t window;
    uint32_t count;
    evagg_connection_record_t records[SUPPORT_RECORDS];
} connections_case_t;

typedef struct processes_case_t {
    evagg_processes_t *handle;
    uint32_t text_maximum;
    uint64_t flushed;
    evagg_window_t window;
    uint32_t count;
    evagg_process_record_t records[SUPPORT_RECORDS];
    char text[SUPPORT_TEXT];
} processes_case_t;

typedef struct snapshot_t {
    evagg_statistics_t statistics;
    uint32_t length;
} snapshot_t;

/* A config with fixed seed, start 1000, SUPPORT_LOCK and the given capacity and policy. */
evagg_config_t config_of(uint32_t capacity, uint8_t policy);
evagg_config_t process_config_of(uint32_t capacity, uint32_t text_bytes, uint16_t text_maximum,
                                 uint8_t policy);

void connections_open(connections_case_t *instance, void *memory, size_t size,
                      const evagg_config_t *config);
/* One flush call; adds to `records` and `flushed`. */
evagg_status_t connections_page(connections_case_t *instance, evagg_time_t now, size_t records);
/* Flushes one window to its end in pages and checks its accounting. */
void connections_drain(connections_case_t *instance, evagg_time_t now, size_t page);
/* Drains all windows, checks that nothing is unaccounted for, and deinitialises. */
void connections_close(connections_case_t *instance, evagg_time_t now);
const evagg_connection_record_t *connections_find(const connections_case_t *instance,
                                                  const evagg_connection_t *connection);
snapshot_t connections_snapshot(const evagg_connections_t *handle);
void connections_unchanged(const evagg_connections_t *handle, const snapshot_t *before);
uint32_t connections_length(const evagg_connections_t *handle);
evagg_statistics_t connections_statistics(const evagg_connections_t *handle);

void processes_open(processes_case_t *instance, void *memory, size_t size,
                    const evagg_config_t *config);
evagg_status_t processes_page(processes_case_t *instance, evagg_time_t now, size_t records);
void processes_drain(processes_case_t *instance, evagg_time_t now, size_t page);
void processes_close(processes_case_t *instance, evagg_time_t now);
const evagg_process_record_t *processes_find(const processes_case_t *instance, const char *text,
                                             size_t length, uint32_t user_id);
snapshot_t processes_snapshot(const evagg_processes_t *handle);
void processes_unchanged(const evagg_processes_t *handle, const snapshot_t *before);
uint32_t processes_length(const evagg_processes_t *handle);
evagg_statistics_t processes_statistics(const evagg_processes_t *handle);

/* The n-th of a family of distinct IPv4 TCP connections. */
evagg_connection_t flow(uint32_t n);
/* Records flow(n), outgoing, 100 bytes. */
evagg_status_t see_flow(evagg_connections_t *handle, uint32_t n, evagg_time_t now);

#define JOB_TEXT 16u
/* Writes the n-th command line of a family, JOB_TEXT bytes, "/bin/j 00000012" and NUL. */
void job_text(uint32_t n, char text[JOB_TEXT]);
/* Records job n as user 1000, process n + 100, parent 1. */
evagg_status_t see_job(evagg_processes_t *handle, uint32_t n, evagg_time_t now);
evagg_status_t see_text(evagg_processes_t *handle, const char *text, size_t length,
                        uint32_t user_id, uint32_t process_id, evagg_time_t now);

/* A small generator of fixed sequences, the same on every machine. */
uint64_t next_random(uint64_t *state);
/* Decimal digits of value at text, NUL behind; returns their end. */
char *put_number(char *text, uint32_t value);
char *put_text(char *text, const char *source);

#endif
