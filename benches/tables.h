/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The tables that are written in C, for src/tables. */
#ifndef TABLES_H
#define TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The values of Outcome in src/tables/mod.rs. */
enum { FIRST = 1, COUNTED, REJECTED };

typedef struct {
    uint32_t hit_count;
    uint32_t bytes_in;
    uint32_t bytes_out;
    uint32_t first_seen;
    uint32_t last_seen;
} counts_t;

static inline uint32_t saturating_add(uint32_t one, uint32_t other) {
    uint32_t sum = one + other;
    return sum < one ? UINT32_MAX : sum;
}

static inline void counts_add(counts_t *counts, bool is_incoming, uint32_t bytes, uint32_t now) {
    uint32_t *counter = is_incoming ? &counts->bytes_in : &counts->bytes_out;
    counts->hit_count = saturating_add(counts->hit_count, 1);
    *counter = saturating_add(*counter, bytes);
    counts->last_seen = now;
}

typedef struct uthash_table uthash_table_t;

uthash_table_t *uthash_table_new(size_t capacity, size_t key_maximum, bool discards_oldest);
void uthash_table_free(uthash_table_t *table);
uint32_t uthash_table_hash(const void *key, size_t key_length);
int uthash_table_record(uthash_table_t *table, const void *key, size_t key_length, bool is_incoming,
                        uint32_t bytes, uint32_t now);
size_t uthash_table_drain(uthash_table_t *table, uint32_t *hit_counts);

/* Keys have 38 bytes. */
typedef struct pool_table pool_table_t;

pool_table_t *pool_table_new(size_t capacity);
void pool_table_free(pool_table_t *table);
uint32_t pool_table_hash(const void *key);
int pool_table_record(pool_table_t *table, const void *key, bool is_incoming, uint32_t bytes,
                      uint32_t now);
size_t pool_table_drain(pool_table_t *table, uint32_t *hit_counts);

#endif
