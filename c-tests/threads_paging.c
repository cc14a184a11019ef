/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Pages of one record while three threads record, with one and with two flushers: every event that
   was accepted leaves once, in a window that was open during its call. */
#include "threads_support.h"

#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define RECORDERS 3u
#define MOST_EVENTS 1200000u
#define CAPACITY 64u
/* Keys from here on are seen again and again; those below once each. */
#define REPEATED (KEY_LIMIT - 8u)
#define WINDOWS (1u << 20)

typedef struct event_t {
    /* The first and the last window that can have counted it. */
    uint32_t earliest;
    uint32_t latest;
    evagg_status_t status;
    /* Where it left the cache, and how often. */
    atomic_uint window;
    atomic_uint departures;
} event_t;

typedef struct window_t {
    /* In the records of all pages. */
    atomic_uint hits;
    /* As told at its end, plus one; 0: not told. */
    atomic_uint kept;
} window_t;

static subject_t subject;
static event_t *events;
static window_t *windows;
static uint32_t events_each;
/* Windows that are known to be closed, and how often one may have begun to be. */
static atomic_uint closed, closing;
static atomic_uint recording;
static atomic_uint faults;
static atomic_ullong repeated_given, repeated_left, discarded, rejected;

static void expect_that(int holds) {
    if (!holds) {
        (void)atomic_fetch_add(&faults, 1);
    }
}

static void *record(void *argument) {
    event_t *const mine = argument;
    const uint32_t first_key = (uint32_t)(mine - events);
    for (uint32_t i = 0; i < events_each; i++) {
        mine[i].earliest = atomic_load(&closed);
        mine[i].status = subject_record(&subject, first_key + i, mine[i].earliest);
        mine[i].latest = atomic_load(&closing);
        expect_that(mine[i].status == EVAGG_FIRST || mine[i].status == EVAGG_REJECTED);
        if (i % 4 == 0) {
            const evagg_status_t status =
                subject_record(&subject, REPEATED + i / 4 % 8, atomic_load(&closed));
            expect_that(status > 0 && status <= EVAGG_REJECTED);
            if (status != EVAGG_REJECTED) {
                (void)atomic_fetch_add(&repeated_given, 1);
            }
        }
    }
    (void)atomic_fetch_sub(&recording, 1);
    return NULL;
}

static void take(const item_t *item, uint32_t sequence) {
    expect_that(item->is_sound);
    /* Its time is the number of windows that were closed when it was given: a later window's event in
       this one, or counted into this one's entry, would be later. */
    expect_that(item->last_seen <= sequence);
    if (item->key >= REPEATED) {
        (void)atomic_fetch_add(&repeated_left, item->hits);
        return;
    }
    expect_that(item->hits == 1 && item->key < RECORDERS * events_each);
    event_t *const event = &events[item->key % (RECORDERS * events_each)];
    atomic_store(&event->window, sequence);
    (void)atomic_fetch_add(&event->departures, 1);
}

static void end_window(const evagg_window_t *window) {
    expect_that((uint64_t)window->offered + window->merged ==
                (uint64_t)window->kept + window->rejected + window->discarded);
    const uint32_t before = atomic_exchange(&windows[window->sequence].kept, window->kept + 1);
    /* Two flushers can be told, and are told the same. */
    expect_that(before == 0 || before == window->kept + 1);
    if (before == 0) {
        (void)atomic_fetch_add(&rejected, window->rejected);
        (void)atomic_fetch_add(&discarded, window->discarded);
    }
}

static void *flush(void *argument) {
    (void)argument;
    evagg_status_t status = EVAGG_OK;
    page_t page;
    for (;;) {
        if (status == EVAGG_OK) {
            while (atomic_load(&recording) > 0 && subject_length(&subject) < CAPACITY / 2) {
                (void)sched_yield();
            }
            if (atomic_load(&recording) == 0 && subject_length(&subject) == 0) {
                return NULL;
            }
        }
        /* With one flusher, only the first page of a window closes one. */
        if (status == EVAGG_OK) {
            (void)atomic_fetch_add(&closing, 1);
        }
        status = subject_flush(&subject, atomic_load(&closed), &page, 1);
        const uint32_t sequence = page.window.sequence;
        if (status < 0 || sequence >= WINDOWS) {
            expect_that(0);
            return NULL;
        }
        uint32_t known = atomic_load(&closed);
        while (known < sequence + 1 &&
               !atomic_compare_exchange_weak(&closed, &known, sequence + 1)) {
        }
        if (page.window.records == 1) {
            take(&page.items[0], sequence);
            (void)atomic_fetch_add(&windows[sequence].hits, page.items[0].hits);
        }
        if (status == EVAGG_OK) {
            end_window(&page.window);
        }
    }
}

static uint64_t all_events, all_windows;

static void check(uint32_t flushers, uint8_t policy) {
    uint64_t accepted = 0;
    uint64_t departed = 0;
    uint64_t turned_away = 0;
    uint64_t wrong_window = 0;
    for (uint32_t i = 0; i < RECORDERS * events_each; i++) {
        const event_t *const event = &events[i];
        const uint32_t departures = atomic_load(&event->departures);
        const uint32_t window = atomic_load(&event->window);
        const uint32_t is_accepted = event->status == EVAGG_FIRST;
        accepted += is_accepted;
        turned_away += !is_accepted;
        departed += departures;
        assert_true(departures <= is_accepted);
        if (policy == EVAGG_REJECT_NEW) {
            assert_int_equal(departures, is_accepted);
        }
        if (departures > 0) {
            wrong_window += window < event->earliest;
            wrong_window += flushers == 1 && window > event->latest;
        }
    }
    assert_int_equal(wrong_window, 0);
    assert_int_equal(accepted + atomic_load(&repeated_given),
                     departed + atomic_load(&repeated_left) + atomic_load(&discarded));
    assert_true(atomic_load(&rejected) >= turned_away);
    const evagg_statistics_t statistics = subject_statistics(&subject);
    assert_int_equal(statistics.offered, RECORDERS * (events_each + (events_each + 3) / 4));
    assert_int_equal(statistics.rejected, atomic_load(&rejected));
    assert_int_equal(statistics.discarded, atomic_load(&discarded));
    assert_int_equal(statistics.windows, atomic_load(&closed));
    for (uint32_t i = 0; i < statistics.windows; i++) {
        assert_int_equal(atomic_load(&windows[i].hits) + 1, atomic_load(&windows[i].kept));
    }
    all_events += statistics.offered;
    all_windows += statistics.windows;
}

static void run(int is_of_processes, uint8_t policy, uint32_t flushers) {
    pthread_t threads[RECORDERS + 2];
    events_each = repetitions(MOST_EVENTS, 40000);
    events = calloc(RECORDERS * events_each, sizeof *events);
    windows = calloc(WINDOWS, sizeof *windows);
    assert_non_null(events);
    assert_non_null(windows);
    atomic_store(&closed, 0);
    atomic_store(&closing, 0);
    atomic_store(&faults, 0);
    atomic_store(&repeated_given, 0);
    atomic_store(&repeated_left, 0);
    atomic_store(&discarded, 0);
    atomic_store(&rejected, 0);
    atomic_store(&recording, RECORDERS);
    subject_open(&subject, is_of_processes, CAPACITY, policy);
    for (uint32_t i = 0; i < RECORDERS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, record, &events[i * events_each]), 0);
    }
    for (uint32_t i = RECORDERS; i < RECORDERS + flushers; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, flush, NULL), 0);
    }
    for (uint32_t i = 0; i < RECORDERS + flushers; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    /* The last window, with what was lost after the cache was empty. */
    page_t page;
    assert_int_equal(subject_flush(&subject, 0, &page, 1), EVAGG_OK);
    assert_int_equal(page.window.records, 0);
    atomic_store(&closed, page.window.sequence + 1);
    end_window(&page.window);
    assert_int_equal(atomic_load(&faults), 0);
    check(flushers, policy);
    subject_close(&subject);
    free(windows);
    free(events);
}

static void one_flusher(void **state) {
    (void)state;
    for (int is_of_processes = 0; is_of_processes < 2; is_of_processes++) {
        run(is_of_processes, EVAGG_REJECT_NEW, 1);
        run(is_of_processes, EVAGG_DISCARD_OLDEST, 1);
    }
}

static void two_flushers(void **state) {
    (void)state;
    for (int is_of_processes = 0; is_of_processes < 2; is_of_processes++) {
        run(is_of_processes, EVAGG_REJECT_NEW, 2);
        run(is_of_processes, EVAGG_DISCARD_OLDEST, 2);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_flusher),
        cmocka_unit_test(two_flushers),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (failed == 0) {
        printf("evidence pages of one record: %" PRIu64 " events through %" PRIu64
               " windows, none in another window, lost or doubled\n",
               all_events, all_windows);
    }
    return failed;
}
