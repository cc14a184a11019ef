/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* An interrupt before every instruction of a call, one after the other, which records in the same
   instance; before every third one it flushes or merges instead. With the built-in lock it is told EVAGG_ERROR_BUSY while the lock
   is held, and else served; with callbacks that mask interrupts it is always served. Whatever was
   said, the accounts are exact. */
#include <inttypes.h>
#include <stdio.h>
#include "board.h"
#include "kinds.h"

/* An unoptimised call has some forty times as many instructions: there, so many interrupts in each. */
#define MOST_STEPS REPETITIONS(UINT32_MAX, 12u)
/* More than the longest call has. */
#define MOST_INSTRUCTIONS 1000000u
/* For the answer that the lock is held. */
#define MOST_FOR_BUSY REPETITIONS(400u, 8000u)
#define MOST_WINDOWS 8u
#define MOST_PAGES 32u
/* Cached throughout and never the oldest, so that an interrupt's event does not change the path of
   the call that it meets. */
#define INTERRUPT_KEY 3u

#define HAS_BUILT_IN_LOCK (SUPPORT_LOCK == EVAGG_LOCK_DEFAULT)

/* Of library.ld. */
extern const uint8_t board_library_start[], board_library_end[];

typedef enum stage_t { BEFORE, WITHIN, AFTER } stage_t;

typedef struct call_t {
    const char *name;
    uint8_t policy;
    /* A bit for each key that is cached, in the order of the keys. */
    uint8_t cached;
    /* Of a call that no flush interrupts. */
    evagg_status_t status;
    evagg_status_t (*make)(void);
} call_t;

/* What the interrupt calls. */
typedef struct visit_t {
    const char *name;
    evagg_status_t (*make)(void);
    int is_event;
    uint32_t stride;
} visit_t;

/* All that went in and came out of the instance in one run. */
typedef struct ledger_t {
    uint32_t in[KINDS_KEYS];
    uint32_t out[KINDS_KEYS];
    uint32_t offered;
    uint32_t merged;
    uint32_t malformed;
    uint32_t busy;
    uint32_t window_hits[MOST_WINDOWS];
    uint64_t window_offered;
    uint32_t windows_ended;
} ledger_t;

typedef struct meeting_t {
    volatile uint32_t begun;
    volatile uint32_t ended;
    stage_t stage;
    uintptr_t address;
    evagg_status_t status;
    uint32_t took;
} meeting_t;

static const kind_t *kind;
static volatile stage_t stage;
static meeting_t meeting;
static const visit_t *visit;
static ledger_t ledger;
static page_t page, merged_page, visit_page, visit_merged_page;
static evagg_statistics_t call_statistics;
static uint32_t call_length;

static volatile uint32_t held;
static volatile uint32_t acquired;
static volatile uint32_t met_held;

/* Two bytes of code a bit, for code of up to a megabyte. */
static uint32_t seen[16384];
static uint32_t interrupts, distinct, all_busy;

static size_t acquire(void *context) {
    (void)context;
    const uint32_t state = board_mask_interrupts();
    held = 1;
    acquired++;
    return state;
}

static void release(void *context, size_t state) {
    (void)context;
    held = 0;
    board_restore_interrupts((uint32_t)state);
}

static void on_warning(void *context, const evagg_warning_t *warning) {
    (void)context, (void)warning;
}

static evagg_status_t record_known(void) { return kind->record(0); }
static evagg_status_t record_absent(void) { return kind->record(2); }
static evagg_status_t record_excess(void) { return kind->record(4); }
static evagg_status_t packet_known(void) { return kind->record_packet(0, KINDS_PACKET_BYTES); }
static evagg_status_t packet_absent(void) { return kind->record_packet(2, KINDS_PACKET_BYTES); }
static evagg_status_t packet_malformed(void) { return kind->record_packet(0, 19); }
static evagg_status_t flush_page(void) { return kind->flush(&page, KINDS_CAPACITY); }
static evagg_status_t merge_page(void) { return kind->merge(&merged_page); }
static evagg_status_t take_statistics(void) { return kind->statistics(&call_statistics); }
static evagg_status_t take_length(void) { return kind->length(&call_length); }
static evagg_status_t ask_due(void) { return kind->due(); }

static const call_t calls[] = {
    {"record, known", EVAGG_REJECT_NEW, 0x0b, EVAGG_COUNTED, record_known},
    {"record, new", EVAGG_REJECT_NEW, 0x0b, EVAGG_FIRST, record_absent},
    {"record, rejected", EVAGG_REJECT_NEW, 0x0f, EVAGG_REJECTED, record_excess},
    {"record, discarding", EVAGG_DISCARD_OLDEST, 0x0f, EVAGG_FIRST, record_excess},
    {"record_packet, known", EVAGG_REJECT_NEW, 0x0b, EVAGG_COUNTED, packet_known},
    {"record_packet, new", EVAGG_REJECT_NEW, 0x0b, EVAGG_FIRST, packet_absent},
    {"record_packet, malformed", EVAGG_REJECT_NEW, 0x0b, EVAGG_MALFORMED, packet_malformed},
    {"flush", EVAGG_REJECT_NEW, 0x0f, EVAGG_OK, flush_page},
    {"merge", EVAGG_REJECT_NEW, 0x0b, EVAGG_OK, merge_page},
    {"statistics", EVAGG_REJECT_NEW, 0x0b, EVAGG_OK, take_statistics},
    {"length", EVAGG_REJECT_NEW, 0x0b, EVAGG_OK, take_length},
    {"due", EVAGG_REJECT_NEW, 0x0b, EVAGG_DUE, ask_due},
};

static int is_packet(const call_t *call) {
    return call->make == packet_known || call->make == packet_absent ||
           call->make == packet_malformed;
}

static evagg_status_t visit_record(void) { return kind->record(INTERRUPT_KEY); }
static evagg_status_t visit_packet(void) {
    return kind->record_packet(INTERRUPT_KEY, KINDS_PACKET_BYTES);
}
static evagg_status_t visit_flush(void) { return kind->flush(&visit_page, 1); }
static evagg_status_t visit_merge(void) { return kind->merge(&visit_merged_page); }

static const visit_t visits[] = {
    {"record", visit_record, 1, 1},
    {"record_packet", visit_packet, 1, 3},
    {"flush", visit_flush, 0, 3},
    {"merge", visit_merge, 0, 3},
};

static void on_interrupt(void) {
    board_stop_tick();
    meeting.begun++;
    meeting.stage = stage;
    meeting.address = board_interrupted_address();
    met_held += held;
    const uint32_t begin = board_instructions();
    meeting.status = visit->make();
    meeting.took = board_instructions() - begin;
    meeting.ended++;
}

static void enter_event(uint32_t key) {
    ledger.offered++;
    ledger.in[key]++;
}

static void enter_page(const page_t *given, evagg_status_t status) {
    assert_true(status == EVAGG_OK || status == EVAGG_MORE);
    if (given->window.records == 0 && status == EVAGG_MORE) {
        return;
    }
    const uint32_t sequence = given->window.sequence;
    assert_true(sequence < MOST_WINDOWS);
    for (uint32_t i = 0; i < given->window.records; i++) {
        const uint32_t key = kind->key(given, i);
        assert_true(key < KINDS_KEYS && !kind->is_partial(given, i));
        ledger.out[key] += kind->hits(given, i);
        ledger.window_hits[sequence] += kind->hits(given, i);
    }
}

/* The last page of a window, when all of its pages are entered. More than one caller may be told. */
static void enter_end(const evagg_window_t *window) {
    assert_int_equal(window->remaining, 0);
    assert_int_equal(window->kept, ledger.window_hits[window->sequence]);
    assert_int_equal(window->offered + window->merged,
                     window->kept + window->rejected + window->discarded);
    if (window->sequence == ledger.windows_ended) {
        ledger.windows_ended++;
        ledger.window_offered += window->offered;
    }
    assert_true(window->sequence < ledger.windows_ended);
}

static void enter_merge(const page_t *given) {
    for (uint32_t i = 0; i < given->window.records; i++) {
        ledger.merged += kind->hits(given, i);
        ledger.in[kind->key(given, i)] += kind->hits(given, i);
    }
}

static void record_each(uint32_t keys) {
    for (uint32_t key = 0; key < KINDS_KEYS; key++) {
        if ((keys >> key & 1) != 0) {
            assert_int_equal(kind->record(key), EVAGG_FIRST);
            enter_event(key);
        }
    }
}

static void flush_whole(page_t *given) {
    assert_int_equal(kind->flush(given, KINDS_CAPACITY), EVAGG_OK);
    enter_page(given, EVAGG_OK);
    enter_end(&given->window);
}

/* An instance as the call is to find it: windows 0 and 1 have given the records to merge. */
static void prepare(const call_t *call, int masks) {
    evagg_config_t config = config_of(KINDS_CAPACITY, call->policy);
    config.lock = EVAGG_LOCK_DEFAULT;
    if (masks) {
        config.acquire = acquire;
        config.release = release;
    }
    memset(&ledger, 0, sizeof ledger);
    memset(&meeting, 0, sizeof meeting);
    assert_int_equal(kind->open(&config), EVAGG_OK);
    assert_int_equal(kind->set_warning_callback(on_warning), EVAGG_OK);
    record_each(0x07);
    flush_whole(&merged_page);
    record_each(1u << INTERRUPT_KEY);
    flush_whole(&visit_merged_page);
    record_each(call->cached);
}

static void enter_call(const call_t *call, evagg_status_t status) {
    if (call->make == packet_malformed) {
        ledger.malformed++;
    } else if (call->make == record_known || call->make == packet_known) {
        enter_event(0);
    } else if (call->make == record_absent || call->make == packet_absent) {
        enter_event(2);
    } else if (call->make == record_excess) {
        enter_event(4);
    } else if (call->make == flush_page) {
        enter_page(&page, status);
    } else if (call->make == merge_page) {
        enter_merge(&merged_page);
    }
}

static void enter_visit(void) {
    if (meeting.status == EVAGG_ERROR_BUSY) {
        assert_true(meeting.took <= MOST_FOR_BUSY);
        ledger.busy += visit->is_event != 0;
    } else if (visit->is_event) {
        assert_true(meeting.status == EVAGG_COUNTED || meeting.status == EVAGG_FIRST ||
                    meeting.status == EVAGG_REJECTED);
        enter_event(INTERRUPT_KEY);
    } else if (visit->make == visit_flush) {
        enter_page(&visit_page, meeting.status);
    } else {
        assert_int_equal(meeting.status, EVAGG_OK);
        enter_merge(&visit_merged_page);
    }
}

/* Empties the instance; then all that went in has come out or was counted as lost. */
static void settle(const call_t *call, evagg_status_t status) {
    page_t last;
    evagg_statistics_t statistics;
    if (call->make == flush_page && status == EVAGG_OK) {
        enter_end(&page.window);
    }
    if (visit->make == visit_flush && meeting.status == EVAGG_OK) {
        enter_end(&visit_page.window);
    }
    uint32_t length = 1;
    for (uint32_t pages = 0; length > 0 || ledger.window_offered < ledger.offered; pages++) {
        assert_true(pages < MOST_PAGES);
        const evagg_status_t drained = kind->flush(&last, KINDS_CAPACITY);
        enter_page(&last, drained);
        if (drained == EVAGG_OK) {
            enter_end(&last.window);
        }
        assert_int_equal(kind->length(&length), EVAGG_OK);
    }
    assert_int_equal(ledger.window_offered, ledger.offered);
    assert_int_equal(kind->statistics(&statistics), EVAGG_OK);
    assert_int_equal(statistics.offered, ledger.offered);
    assert_int_equal(statistics.merged, ledger.merged);
    assert_int_equal(statistics.malformed, ledger.malformed);
    assert_int_equal(statistics.busy, ledger.busy);
    assert_int_equal(statistics.windows, ledger.windows_ended);
    assert_int_equal(statistics.counted + statistics.rejected, ledger.offered + ledger.merged);
    uint64_t missing = 0;
    for (uint32_t key = 0; key < KINDS_KEYS; key++) {
        assert_true(ledger.out[key] <= ledger.in[key]);
        missing += ledger.in[key] - ledger.out[key];
    }
    assert_int_equal(missing, statistics.rejected + statistics.discarded);
}

static void note_address(void) {
    if (meeting.address < (uintptr_t)board_library_start ||
        meeting.address >= (uintptr_t)board_library_end) {
        return;
    }
    const uintptr_t place = (meeting.address - (uintptr_t)board_library_start) / 2;
    assert_true(place / 32 < COUNT_OF(seen));
    distinct += (seen[place / 32] >> place % 32 & 1) == 0;
    seen[place / 32] |= UINT32_C(1) << place % 32;
}

/* The call without an interrupt. How often it takes the lock, so often does a sweep of interrupts
   find it taken anew. */
static uint32_t count_acquisitions(const call_t *call, uint32_t *stride) {
    prepare(call, 1);
    const uint32_t before = acquired;
    const uint32_t begin = board_instructions();
    assert_int_equal(call->make(), call->status);
    *stride = visit->stride * (1 + (board_instructions() - begin) / MOST_STEPS / 3);
    return acquired - before;
}

/* The call, with the interrupt `instructions` later than the earliest. */
static void meet(const call_t *call, int masks, uint32_t instructions) {
    prepare(call, masks);
    stage = BEFORE;
    board_interrupt_once(instructions, on_interrupt);
    stage = WITHIN;
    const evagg_status_t status = call->make();
    stage = AFTER;
    for (uint32_t turns = 0; meeting.ended == 0; turns++) {
        assert_true(turns < MOST_INSTRUCTIONS);
    }
    assert_int_equal(meeting.begun, 1);
    assert_int_equal(meeting.ended, 1);
    assert_int_equal(met_held, 0);
    if (visit->is_event) {
        assert_int_equal(status, call->status);
    } else {
        assert_true(status >= EVAGG_OK);
    }
    enter_call(call, status);
    enter_visit();
    settle(call, status);
}

static void sweep(const call_t *call, int masks) {
    uint32_t stride;
    const uint32_t acquisitions = count_acquisitions(call, &stride);
    uint32_t busy = 0, free_within = 0, stretches = 0, instructions = 0;
    int was_busy = 0;
    do {
        assert_true(instructions < MOST_INSTRUCTIONS);
        meet(call, masks, instructions);
        assert_true(instructions > 0 || meeting.stage == BEFORE);
        const int is_busy = meeting.status == EVAGG_ERROR_BUSY;
        assert_true(!is_busy || meeting.stage == WITHIN);
        if (meeting.stage == WITHIN) {
            interrupts++;
            note_address();
            free_within += !is_busy;
        }
        busy += (uint32_t)is_busy;
        stretches += is_busy && !was_busy;
        was_busy = is_busy;
        instructions += stride;
    } while (meeting.stage != AFTER);
    assert_true(free_within > 0 || MOST_STEPS < UINT32_MAX);
    if (masks) {
        assert_int_equal(busy, 0);
    } else if (visit->is_event) {
        assert_true(stretches > 0 && stretches <= acquisitions);
        assert_true(stretches == acquisitions || MOST_STEPS < UINT32_MAX);
    } else {
        assert_true(busy > 0);
    }
    all_busy += busy;
    printf("  %s %s, interrupted by %s: %" PRIu32 " instructions, %" PRIu32 " busy\n", kind->name,
           call->name, visit->name, instructions, busy);
}

static void sweep_all(int masks) {
    interrupts = distinct = all_busy = 0;
    memset(seen, 0, sizeof seen);
    for (uint32_t k = 0; k < 2; k++) {
        kind = k == 0 ? &connections_kind : &processes_kind;
        for (size_t v = 0; v < COUNT_OF(visits); v++) {
            visit = &visits[v];
            for (size_t c = 0; c < COUNT_OF(calls); c++) {
                const int needs_packets = is_packet(&calls[c]) || visit->make == visit_packet;
                if (!needs_packets || kind->record_packet != NULL) {
                    sweep(&calls[c], masks);
                }
            }
        }
    }
}

static void the_built_in_lock_says_busy_and_counts_it(void **state) {
    (void)state;
    if (!HAS_BUILT_IN_LOCK) {
        printf("skipped: this processor has no built-in lock\n");
        return;
    }
    sweep_all(0);
    printf("evidence busy on bare metal: %" PRIu32 " interrupts at %" PRIu32
           " distinct instructions, %" PRIu32 " busy, all counted, none waited\n",
           interrupts, distinct, all_busy);
}

static void a_lock_that_masks_interrupts_is_never_met(void **state) {
    (void)state;
    sweep_all(1);
    printf("evidence masked interrupts on bare metal: %" PRIu32 " interrupts at %" PRIu32
           " distinct instructions, none met a lock, none waited\n",
           interrupts, distinct);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_built_in_lock_says_busy_and_counts_it),
        cmocka_unit_test(a_lock_that_masks_interrupts_is_never_met),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
