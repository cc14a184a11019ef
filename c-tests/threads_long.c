/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Three threads record while a fourth flushes and merges, under the built-in lock: the totals are
   exact. EVAGG_LONG=1 gives 100 million events. */
#include "threads_support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#define RECORDERS 3u
#define KEYS 100u

typedef enum { ROOMY, REJECTING, DISCARDING, MODES } treatment_t;

typedef struct recorder_t {
    const subject_t *subject;
    uint64_t seed;
    uint32_t events;
    uint64_t accepted[KEYS];
    uint64_t rejected;
    uint64_t other;
} recorder_t;

typedef struct flushed_t {
    uint64_t offered, merged, kept, rejected, discarded;
    /* Hits that left and were not put back. */
    uint64_t left[KEYS];
    uint64_t lossy_windows;
    uint32_t pages;
    uint32_t faults;
} flushed_t;

static subject_t subject;
static atomic_uint recording;
static atomic_uint warnings_of_first_loss, warnings_of_losses, warning_faults;
static uint64_t all_events;

/* It may call the library, from whichever thread it is given by. */
static void count_warning(void *context, const evagg_warning_t *warning) {
    (void)context;
    (void)atomic_fetch_add(
        warning->code == EVAGG_WARNING_LOSSES ? &warnings_of_losses : &warnings_of_first_loss, 1);
    if (subject_length(&subject) > warning->capacity) {
        (void)atomic_fetch_add(&warning_faults, 1);
    }
}

/* The main thread alone asserts; the others only count. */
static void *record(void *argument) {
    recorder_t *const recorder = argument;
    for (uint32_t i = 0; i < recorder->events; i++) {
        const uint32_t key = (uint32_t)(next_random(&recorder->seed) % KEYS);
        const evagg_status_t status = subject_record(recorder->subject, key, i);
        if (status == EVAGG_FIRST || status == EVAGG_COUNTED) {
            recorder->accepted[key]++;
        } else if (status == EVAGG_REJECTED) {
            recorder->rejected++;
        } else {
            recorder->other++;
        }
    }
    (void)atomic_fetch_sub(&recording, 1);
    return NULL;
}

/* One window in pages of one to seven; if `merges`, every third page is put back as unsent. */
static void flush_window(flushed_t *flushed, int merges) {
    page_t page;
    evagg_status_t status;
    uint64_t hits = 0;
    do {
        flushed->pages++;
        status = subject_flush(&subject, 1, &page, 1 + flushed->pages % 7);
        flushed->faults += status != EVAGG_OK && status != EVAGG_MORE;
        const int is_put_back = merges && flushed->pages % 3 == 0;
        for (uint32_t i = 0; i < page.window.records; i++) {
            const item_t *const item = &page.items[i];
            flushed->faults += !item->is_sound || item->key >= KEYS;
            hits += item->hits;
            flushed->left[item->key % KEYS] += is_put_back ? 0 : item->hits;
        }
        if (is_put_back) {
            flushed->faults += subject_merge(&subject, &page) != EVAGG_OK;
        }
    } while (status == EVAGG_MORE);
    const evagg_window_t *const window = &page.window;
    flushed->faults += (uint64_t)window->offered + window->merged !=
                       (uint64_t)window->kept + window->rejected + window->discarded;
    flushed->faults += window->kept != hits;
    flushed->offered += window->offered;
    flushed->merged += window->merged;
    flushed->kept += window->kept;
    flushed->rejected += window->rejected;
    flushed->discarded += window->discarded;
    flushed->lossy_windows += window->rejected + window->discarded > 0;
}

static void check(const recorder_t recorders[RECORDERS], const flushed_t *flushed,
                  treatment_t treatment) {
    uint64_t given = 0;
    uint64_t rejected = 0;
    uint64_t left = 0;
    for (uint32_t i = 0; i < RECORDERS; i++) {
        assert_int_equal(recorders[i].other, 0);
        given += recorders[i].events;
        rejected += recorders[i].rejected;
    }
    for (uint32_t key = 0; key < KEYS; key++) {
        uint64_t accepted = 0;
        for (uint32_t i = 0; i < RECORDERS; i++) {
            accepted += recorders[i].accepted[key];
        }
        left += flushed->left[key];
        if (treatment != DISCARDING) {
            assert_int_equal(flushed->left[key], accepted);
        }
    }
    assert_int_equal(flushed->faults, 0);
    assert_int_equal(flushed->offered, given);
    assert_int_equal(given, left + flushed->rejected + flushed->discarded);
    assert_int_equal(flushed->offered + flushed->merged,
                     flushed->kept + flushed->rejected + flushed->discarded);
    assert_int_equal(flushed->kept, left + flushed->merged);
    assert_int_equal(flushed->rejected, rejected);
    if (treatment == ROOMY) {
        assert_int_equal(flushed->rejected + flushed->discarded, 0);
    }
    const evagg_statistics_t statistics = subject_statistics(&subject);
    assert_int_equal(statistics.offered, given);
    assert_int_equal(statistics.merged, flushed->merged);
    assert_int_equal(statistics.rejected, flushed->rejected);
    assert_int_equal(statistics.discarded, flushed->discarded);
    assert_int_equal(statistics.counted, given + flushed->merged - flushed->rejected);
    assert_int_equal(statistics.busy, 0);
    assert_int_equal(atomic_load(&warning_faults), 0);
    assert_int_equal(atomic_load(&warnings_of_first_loss), flushed->lossy_windows);
    assert_int_equal(atomic_load(&warnings_of_losses), flushed->lossy_windows);
    all_events += given;
}

static void run(int is_of_processes, treatment_t treatment) {
    static recorder_t recorders[RECORDERS];
    static flushed_t flushed;
    pthread_t threads[RECORDERS];
    /* Room for every key of the window that is recorded and of the one whose pages wait. */
    subject_open(&subject, is_of_processes, treatment == ROOMY ? 2 * KEYS : 64,
                 treatment == DISCARDING ? EVAGG_DISCARD_OLDEST : EVAGG_REJECT_NEW);
    memset(recorders, 0, sizeof recorders);
    memset(&flushed, 0, sizeof flushed);
    atomic_store(&warnings_of_first_loss, 0);
    atomic_store(&warnings_of_losses, 0);
    subject_set_warning_callback(&subject, count_warning, NULL);
    atomic_store(&recording, RECORDERS);
    for (uint32_t i = 0; i < RECORDERS; i++) {
        recorders[i].subject = &subject;
        recorders[i].seed = i;
        recorders[i].events = repetitions(5555556, 60000);
        assert_int_equal(pthread_create(&threads[i], NULL, record, &recorders[i]), 0);
    }
    /* What would be rejected of a merged page could not be told by its keys. */
    while (atomic_load(&recording) > 0) {
        flush_window(&flushed, treatment != REJECTING);
    }
    for (uint32_t i = 0; i < RECORDERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    while (subject_length(&subject) > 0) {
        flush_window(&flushed, 0);
    }
    /* The last window may have lost something, and kept nothing. */
    flush_window(&flushed, 0);
    check(recorders, &flushed, treatment);
    subject_close(&subject);
}

static void connections_are_exact(void **state) {
    (void)state;
    for (treatment_t treatment = ROOMY; treatment < MODES; treatment++) {
        run(0, treatment);
    }
}

static void processes_are_exact(void **state) {
    (void)state;
    for (treatment_t treatment = ROOMY; treatment < MODES; treatment++) {
        run(1, treatment);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connections_are_exact),
        cmocka_unit_test(processes_are_exact),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (failed == 0) {
        printf("evidence built-in lock: %llu events of %u threads, totals exact\n",
               (unsigned long long)all_events, RECORDERS + 1);
    }
    return failed;
}
