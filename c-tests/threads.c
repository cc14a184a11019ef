/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Two threads record while a third flushes: the totals are exact. For hosts with POSIX threads. */
#include "support.h"

#include <pthread.h>

#define RECORDERS 2u
#define EVENTS 60000u
#define FLOWS 100u

CONNECTIONS_MEMORY(connection_memory, 64);
PROCESSES_MEMORY(process_memory, 32, 1024);

typedef struct recorder_t {
    evagg_connections_t *connections;
    evagg_processes_t *processes;
    uint64_t seed;
    uint64_t cached;
    uint64_t rejected;
    uint64_t other;
} recorder_t;

/* The main thread alone asserts; a recorder only counts. */
static void *record_flows(void *argument) {
    recorder_t *const recorder = argument;
    for (uint32_t i = 0; i < EVENTS; i++) {
        const uint32_t n = (uint32_t)(next_random(&recorder->seed) % FLOWS);
        const evagg_status_t status = see_flow(recorder->connections, n, i);
        recorder->cached += status == EVAGG_FIRST || status == EVAGG_COUNTED;
        recorder->rejected += status == EVAGG_REJECTED;
        recorder->other += status < EVAGG_FIRST || status > EVAGG_REJECTED;
    }
    return NULL;
}

static void *record_jobs(void *argument) {
    recorder_t *const recorder = argument;
    for (uint32_t i = 0; i < EVENTS; i++) {
        const uint32_t n = (uint32_t)(next_random(&recorder->seed) % FLOWS);
        const evagg_status_t status = see_job(recorder->processes, n, i);
        recorder->cached += status == EVAGG_FIRST || status == EVAGG_COUNTED;
        recorder->rejected += status == EVAGG_REJECTED;
        recorder->other += status < EVAGG_FIRST || status > EVAGG_REJECTED;
    }
    return NULL;
}

typedef struct totals_t {
    uint64_t flushed, merged, offered, rejected, discarded;
} totals_t;

static void add_window(totals_t *totals, const evagg_window_t *window) {
    assert_int_equal((uint64_t)window->offered + window->merged,
                     (uint64_t)window->kept + window->rejected + window->discarded);
    totals->offered += window->offered;
    totals->merged += window->merged;
    totals->rejected += window->rejected;
    totals->discarded += window->discarded;
}

/* One window in pages of seven; every third page is put back as unsent. */
static void flush_connections(evagg_connections_t *handle, totals_t *totals) {
    static uint32_t pages;
    evagg_connection_record_t page[7];
    evagg_window_t window;
    evagg_status_t status;
    uint64_t hits = 0;
    do {
        status = evagg_connections_flush(handle, 1, page, COUNT_OF(page), &window);
        assert_true(status == EVAGG_OK || status == EVAGG_MORE);
        for (uint32_t i = 0; i < window.records; i++) {
            hits += page[i].hit_count;
        }
        if (pages++ % 3 == 0) {
            assert_true(evagg_connections_merge(handle, page, window.records) >= 0);
        }
    } while (status == EVAGG_MORE);
    assert_int_equal(window.kept, hits);
    totals->flushed += hits;
    add_window(totals, &window);
}

static void flush_processes(evagg_processes_t *handle, totals_t *totals) {
    evagg_process_record_t page[7];
    char text[128];
    evagg_window_t window;
    evagg_status_t status;
    uint64_t hits = 0;
    do {
        status = evagg_processes_flush(handle, 1, page, COUNT_OF(page), text, sizeof text, &window);
        assert_true(status == EVAGG_OK || status == EVAGG_MORE);
        for (uint32_t i = 0; i < window.records; i++) {
            hits += page[i].hit_count;
            /* A text that another thread writes over would not be a command line of the family. */
            assert_int_equal(page[i].command_line_length, JOB_TEXT - 1);
            assert_memory_equal(page[i].command_line, "/bin/j 000000", 13);
        }
    } while (status == EVAGG_MORE);
    assert_int_equal(window.kept, hits);
    totals->flushed += hits;
    add_window(totals, &window);
}

static void run(recorder_t recorders[RECORDERS], void *(*body)(void *), totals_t *totals) {
    pthread_t threads[RECORDERS];
    evagg_connections_t *const connections = recorders[0].connections;
    evagg_processes_t *const processes = recorders[0].processes;
    for (uint32_t i = 0; i < RECORDERS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, body, &recorders[i]), 0);
    }
    for (uint32_t i = 0; i < 300; i++) {
        if (connections != NULL) {
            flush_connections(connections, totals);
        } else {
            flush_processes(processes, totals);
        }
    }
    for (uint32_t i = 0; i < RECORDERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    /* What is left; the connections put back by the last pages take some rounds to leave. */
    for (uint32_t i = 0; i < 40; i++) {
        if (connections != NULL) {
            flush_connections(connections, totals);
        } else {
            flush_processes(processes, totals);
        }
    }
}

static void check(const recorder_t recorders[RECORDERS], const totals_t *totals,
                  const evagg_statistics_t *statistics, uint32_t cached_now) {
    uint64_t cached = 0;
    uint64_t rejected = 0;
    for (uint32_t i = 0; i < RECORDERS; i++) {
        cached += recorders[i].cached;
        rejected += recorders[i].rejected;
        assert_int_equal(recorders[i].other, 0);
    }
    assert_int_equal(cached + rejected, RECORDERS * EVENTS);
    assert_int_equal(cached_now, 0);
    assert_int_equal(totals->offered, RECORDERS * EVENTS);
    assert_int_equal(statistics->offered, RECORDERS * EVENTS);
    assert_int_equal(statistics->merged, totals->merged);
    assert_int_equal(statistics->rejected, totals->rejected);
    assert_int_equal(statistics->discarded, totals->discarded);
    assert_int_equal(statistics->busy, 0);
    assert_true(totals->rejected >= rejected);
    assert_int_equal(totals->offered + totals->merged,
                     totals->flushed + totals->rejected + totals->discarded);
}

static void with_connections(evagg_config_t config) {
    evagg_connections_t *handle = NULL;
    totals_t totals = {0};
    recorder_t recorders[RECORDERS];
    memset(recorders, 0, sizeof recorders);
    assert_int_equal(
        evagg_connections_init(connection_memory, sizeof connection_memory, &config, &handle),
        EVAGG_OK);
    for (uint32_t i = 0; i < RECORDERS; i++) {
        recorders[i].connections = handle;
        recorders[i].seed = i;
    }
    run(recorders, record_flows, &totals);
    /* Nothing is recorded any more, and nothing put back after this. */
    evagg_connection_record_t page[64];
    evagg_window_t window;
    assert_int_equal(evagg_connections_flush(handle, 1, page, COUNT_OF(page), &window), EVAGG_OK);
    for (uint32_t i = 0; i < window.records; i++) {
        totals.flushed += page[i].hit_count;
    }
    add_window(&totals, &window);
    const evagg_statistics_t statistics = connections_statistics(handle);
    check(recorders, &totals, &statistics, connections_length(handle));
    assert_int_equal(evagg_connections_deinit(handle), EVAGG_OK);
}

static void with_processes(evagg_config_t config) {
    evagg_processes_t *handle = NULL;
    totals_t totals = {0};
    recorder_t recorders[RECORDERS];
    memset(recorders, 0, sizeof recorders);
    assert_int_equal(evagg_processes_init(process_memory, sizeof process_memory, &config, &handle),
                     EVAGG_OK);
    for (uint32_t i = 0; i < RECORDERS; i++) {
        recorders[i].processes = handle;
        recorders[i].seed = i;
    }
    run(recorders, record_jobs, &totals);
    const evagg_statistics_t statistics = processes_statistics(handle);
    check(recorders, &totals, &statistics, processes_length(handle));
    assert_int_equal(evagg_processes_deinit(handle), EVAGG_OK);
}

static uintptr_t lock_mutex(void *context) {
    (void)pthread_mutex_lock(context);
    return 0x5a5a;
}

static void unlock_mutex(void *context, uintptr_t state) {
    if (state == 0x5a5a) {
        (void)pthread_mutex_unlock(context);
    }
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static evagg_config_t with_mutex(evagg_config_t config) {
    config.acquire = lock_mutex;
    config.release = unlock_mutex;
    config.lock_context = &mutex;
    return config;
}

static void connections_under_the_built_in_lock(void **state) {
    (void)state;
    with_connections(config_of(64, EVAGG_REJECT_NEW));
    with_connections(config_of(64, EVAGG_DISCARD_OLDEST));
}

static void connections_under_a_mutex(void **state) {
    (void)state;
    with_connections(with_mutex(config_of(64, EVAGG_REJECT_NEW)));
    with_connections(with_mutex(config_of(64, EVAGG_DISCARD_OLDEST)));
}

static void processes_under_the_built_in_lock(void **state) {
    (void)state;
    with_processes(process_config_of(32, 300, 64, EVAGG_REJECT_NEW));
    with_processes(process_config_of(32, 300, 64, EVAGG_DISCARD_OLDEST));
}

static void processes_under_a_mutex(void **state) {
    (void)state;
    with_processes(with_mutex(process_config_of(32, 1024, 64, EVAGG_DISCARD_OLDEST)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connections_under_the_built_in_lock),
        cmocka_unit_test(connections_under_a_mutex),
        cmocka_unit_test(processes_under_the_built_in_lock),
        cmocka_unit_test(processes_under_a_mutex),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
