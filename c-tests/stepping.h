/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Watches memory while a call changes it: after every instruction that stored something there, the
   watcher sees what a reset would leave. For Linux. */
#ifndef EVAGG_C_TESTS_STEPPING_H
#define EVAGG_C_TESTS_STEPPING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct stepping_t {
    /* Shared with the process that makes the call. */
    uint8_t *memory;
    size_t size;
    /* In that process: before the first step, and what is stepped through. */
    void (*prepare)(void *context);
    void (*call)(void *context);
    /* In this one: once before the call, and after each instruction that changed the memory. */
    void (*watch)(void *context);
    void *context;
} stepping_t;

/* Memory that both processes see; page-aligned, zeros, never freed. */
uint8_t *stepping_memory(size_t size);
/* Whether this system lets a process be stepped through. */
bool stepping_is_possible(void);
/* How many instructions the call took; fails the test if it did not return. */
uint64_t step_through(const stepping_t *stepping);

#endif
