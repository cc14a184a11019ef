/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A table of uthash with what an agent keeps, over entries that are allocated once. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "tables.h"

typedef struct {
    UT_hash_handle hh;
    counts_t counts;
    unsigned char *key;
} entry_t;

struct uthash_table {
    entry_t *head;
    entry_t *entries;
    unsigned char *keys;
    size_t key_maximum;
    size_t capacity;
    size_t used;
    bool discards_oldest;
};

uthash_table_t *uthash_table_new(size_t capacity, size_t key_maximum, bool discards_oldest) {
    uthash_table_t *table = calloc(1, sizeof *table);
    table->entries = calloc(capacity, sizeof *table->entries);
    table->keys = calloc(capacity, key_maximum);
    table->key_maximum = key_maximum;
    table->capacity = capacity;
    table->discards_oldest = discards_oldest;
    return table;
}

void uthash_table_free(uthash_table_t *table) {
    HASH_CLEAR(hh, table->head);
    free(table->keys);
    free(table->entries);
    free(table);
}

uint32_t uthash_table_hash(const void *key, size_t key_length) {
    unsigned hash;
    HASH_VALUE(key, key_length, hash);
    return hash;
}

int uthash_table_record(uthash_table_t *table, const void *key, size_t key_length, bool is_incoming,
                        uint32_t bytes, uint32_t now) {
    entry_t *entry;
    unsigned hash;
    HASH_VALUE(key, key_length, hash);
    HASH_FIND_BYHASHVALUE(hh, table->head, key, key_length, hash, entry);
    if (entry) {
        counts_add(&entry->counts, is_incoming, bytes, now);
        return COUNTED;
    }
    size_t index;
    if (table->used < table->capacity) {
        index = table->used++;
        entry = &table->entries[index];
    } else if (table->discards_oldest) {
        entry = table->head;
        HASH_DELETE(hh, table->head, entry);
        index = (size_t)(entry - table->entries);
    } else {
        return REJECTED;
    }
    entry->counts = (counts_t){.first_seen = now};
    counts_add(&entry->counts, is_incoming, bytes, now);
    entry->key = table->keys + index * table->key_maximum;
    memcpy(entry->key, key, key_length);
    HASH_ADD_KEYPTR_BYHASHVALUE(hh, table->head, entry->key, key_length, hash, entry);
    return FIRST;
}

size_t uthash_table_drain(uthash_table_t *table, uint32_t *hit_counts) {
    size_t count = 0;
    for (entry_t *entry = table->head; entry; entry = entry->hh.next) {
        hit_counts[count++] = entry->counts.hit_count;
    }
    HASH_CLEAR(hh, table->head);
    table->used = 0;
    return count;
}
