/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A chained table over a pool of objects, as agents in C have it: an object is taken from the pool and filled in before
   it is looked for; the table knows it through callbacks; the hash is the XOR of its words modulo 91, without a key. */
#include <stdlib.h>
#include <string.h>

#include "tables.h"

#define BUCKETS 91u
#define KEY_BYTES 38u
#define KEY_WORDS 10u

typedef struct object {
    struct object *next;
    unsigned char key[KEY_BYTES];
    counts_t counts;
} object_t;

struct pool_table {
    object_t *buckets[BUCKETS];
    object_t *free;
    object_t *objects;
    uint32_t (*hash)(const object_t *object);
    bool (*is_same)(const object_t *one, const object_t *other);
    void (*merge)(object_t *into, const object_t *from);
};

uint32_t pool_table_hash(const void *key) {
    uint32_t words[KEY_WORDS] = {0};
    memcpy(words, key, KEY_BYTES);
    uint32_t hash = 0;
    for (size_t i = 0; i < KEY_WORDS; i++) {
        hash ^= words[i];
    }
    return hash % BUCKETS;
}

static uint32_t hash_object(const object_t *object) { return pool_table_hash(object->key); }

static bool is_same_object(const object_t *one, const object_t *other) {
    return memcmp(one->key, other->key, KEY_BYTES) == 0;
}

static void merge_object(object_t *into, const object_t *from) {
    into->counts.hit_count = saturating_add(into->counts.hit_count, from->counts.hit_count);
    into->counts.bytes_in = saturating_add(into->counts.bytes_in, from->counts.bytes_in);
    into->counts.bytes_out = saturating_add(into->counts.bytes_out, from->counts.bytes_out);
    into->counts.last_seen = from->counts.last_seen;
}

static object_t *take(pool_table_t *table) {
    object_t *object = table->free;
    if (object) {
        table->free = object->next;
        memset(object, 0, sizeof *object);
    }
    return object;
}

static void put_back(pool_table_t *table, object_t *object) {
    object->next = table->free;
    table->free = object;
}

/* One object more than the capacity: without it, known events would be lost as soon as the table is full. */
pool_table_t *pool_table_new(size_t capacity) {
    pool_table_t *table = calloc(1, sizeof *table);
    table->objects = calloc(capacity + 1, sizeof *table->objects);
    for (size_t i = capacity + 1; i-- > 0;) {
        put_back(table, &table->objects[i]);
    }
    table->hash = hash_object;
    table->is_same = is_same_object;
    table->merge = merge_object;
    return table;
}

void pool_table_free(pool_table_t *table) {
    free(table->objects);
    free(table);
}

int pool_table_record(pool_table_t *table, const void *key, bool is_incoming, uint32_t bytes,
                      uint32_t now) {
    object_t *object = take(table);
    if (!object) {
        return REJECTED;
    }
    memcpy(object->key, key, KEY_BYTES);
    object->counts.first_seen = now;
    counts_add(&object->counts, is_incoming, bytes, now);
    object_t **bucket = &table->buckets[table->hash(object)];
    for (object_t *found = *bucket; found; found = found->next) {
        if (table->is_same(found, object)) {
            table->merge(found, object);
            put_back(table, object);
            return COUNTED;
        }
    }
    if (!table->free) {
        put_back(table, object);
        return REJECTED;
    }
    object->next = *bucket;
    *bucket = object;
    return FIRST;
}

size_t pool_table_drain(pool_table_t *table, uint32_t *hit_counts) {
    size_t count = 0;
    for (size_t i = 0; i < BUCKETS; i++) {
        for (object_t *object = table->buckets[i], *next; object; object = next) {
            next = object->next;
            hit_counts[count++] = object->counts.hit_count;
            put_back(table, object);
        }
        table->buckets[i] = NULL;
    }
    return count;
}
