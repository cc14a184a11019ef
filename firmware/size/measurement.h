/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef EVAGG_FIRMWARE_SIZE_MEASUREMENT_H
#define EVAGG_FIRMWARE_SIZE_MEASUREMENT_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "evagg.h"

/* Stops the program as failed, so that no figure comes from calls that did something else. */
static inline void expect(int holds, const char *what) {
    if (!holds) {
        printf("not measured: %s\n", what);
        exit(1);
    }
}

/* One line of the output. */
static inline void print_figure(const char *name, uint64_t sum, uint32_t count) {
    printf("%s %" PRIu32 "\n", name, (uint32_t)((sum + count / 2) / count));
}

/* A fixed sequence, the same on every machine (xorshift, Marsaglia 2003). */
static inline uint32_t next_random(uint32_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* TCP between this device and a random peer. */
static inline evagg_connection_t random_connection(uint32_t *state, uint8_t ip_version) {
    evagg_connection_t connection = {{192, 0, 2, 1}, {0}, 0, 0, 6, ip_version};
    for (uint32_t i = 0; i < (ip_version == 4 ? 4u : 16u); i++) {
        connection.remote_address[i] = (uint8_t)next_random(state);
    }
    connection.local_port = (uint16_t)next_random(state);
    connection.remote_port = (uint16_t)next_random(state);
    return connection;
}

#endif
