/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A firmware that resets itself before an instruction of a call, starts again, attaches to what the
   reset left and goes on counting; then before a later instruction, and so through all calls, attach
   and init among them. Whatever the instruction: the instance is one that the calls so far can have
   left, with the call that was under way done up to one of its events or records, or not at all. */
#include <inttypes.h>
#include <stdio.h>
#include "board.h"
#include "kinds.h"

/* Instructions between resets, and before the call begins. */
#ifndef WARM_RESET_STRIDE
#define WARM_RESET_STRIDE REPETITIONS(3u, 2003u)
#endif
#define STRIDE_BEFORE 5u
/* attach and init are the longest. */
#define STRIDE_OF_START (3 * WARM_RESET_STRIDE)
/* Every so many resets the attach after it is interrupted as well. */
#define RESETS_PER_NESTED 5u
#ifdef __riscv
#define PROCESSOR "RISC-V"
#else
#define PROCESSOR "Cortex-M"
#endif
/* The others reset the program only, which takes less time. */
#ifndef RESETS_PER_MACHINE_RESET
#define RESETS_PER_MACHINE_RESET REPETITIONS(16u, 8u)
#endif
#define MARK 0x57a26e5eu
#define NEVER UINT32_MAX
#define MOST_TURNS 100000u
#define MOST_PAGES 16u

/* Of library.ld. */
extern const uint8_t board_library_start[], board_library_end[];

typedef enum effect_t { NO_EFFECT, EVENT, FLUSH, MERGE, ATTACH, INIT } effect_t;
typedef enum stage_t { BEFORE, WITHIN, AFTER } stage_t;

typedef struct call_t {
    const char *name;
    uint8_t policy;
    /* A bit for each key that is cached, in the order of the keys. Key n has n + 1 hits. */
    uint8_t cached;
    effect_t effect;
    uint32_t key;
    evagg_status_t (*make)(void);
} call_t;

typedef struct entry_t {
    uint32_t key;
    uint32_t hits;
} entry_t;

/* What an instance holds and has counted since `before`. */
typedef struct model_t {
    entry_t entries[KINDS_CAPACITY];
    uint32_t count;
    uint32_t partial;
    uint32_t offered, merged, rejected, discarded;
} model_t;

typedef struct progress_t {
    uint32_t mark;
    uint32_t resets, machine_resets, distinct, lost, twice, partial, nested, initialised;
    uint32_t kind, call, instructions;
    volatile uint32_t stage;
    /* Where in attach the next reset is to come, or NEVER; whether one was, and attach came first. */
    uint32_t attach_at, attach_length, attach_was_first;
    /* Attaches begun since `before`. */
    uint32_t attaches;
    evagg_statistics_t before;
    model_t model;
    evagg_status_t status, attached;
    page_t page, merged;
    evagg_statistics_t statistics;
    uint32_t random;
    uint32_t seen[16384];
} progress_t;

BOARD_RETAINED static progress_t progress;
static const kind_t *kind;

static evagg_config_t configuration(void) {
    evagg_config_t config = config_of(KINDS_CAPACITY, EVAGG_REJECT_NEW);
    config.start = 1001;
    return config;
}

static evagg_status_t record_known(void) { return kind->record(0); }
static evagg_status_t record_absent(void) { return kind->record(2); }
static evagg_status_t record_excess(void) { return kind->record(4); }
static evagg_status_t packet_known(void) { return kind->record_packet(0, KINDS_PACKET_BYTES); }
static evagg_status_t packet_absent(void) { return kind->record_packet(2, KINDS_PACKET_BYTES); }
static evagg_status_t flush_all(void) { return kind->flush(&progress.page, KINDS_CAPACITY); }
static evagg_status_t flush_half(void) { return kind->flush(&progress.page, 2); }
static evagg_status_t merge(void) { return kind->merge(&progress.merged); }
static evagg_status_t take_statistics(void) { return kind->statistics(&progress.statistics); }
static evagg_status_t initialise(void) {
    const evagg_config_t config = configuration();
    return kind->open(&config);
}

static const call_t calls[] = {
    {"attach", EVAGG_REJECT_NEW, 0x0f, ATTACH, 0, NULL},
    {"attach to discarding", EVAGG_DISCARD_OLDEST, 0x0e, ATTACH, 0, NULL},
    {"record, known", EVAGG_REJECT_NEW, 0x0b, EVENT, 0, record_known},
    {"record, new", EVAGG_REJECT_NEW, 0x0b, EVENT, 2, record_absent},
    {"record, rejected", EVAGG_REJECT_NEW, 0x0f, EVENT, 4, record_excess},
    {"record, discarding", EVAGG_DISCARD_OLDEST, 0x0f, EVENT, 4, record_excess},
    {"record_packet, known", EVAGG_REJECT_NEW, 0x0b, EVENT, 0, packet_known},
    {"record_packet, new", EVAGG_REJECT_NEW, 0x0b, EVENT, 2, packet_absent},
    {"flush", EVAGG_REJECT_NEW, 0x0f, FLUSH, 0, flush_all},
    {"flush of a page", EVAGG_REJECT_NEW, 0x0f, FLUSH, 0, flush_half},
    {"merge", EVAGG_REJECT_NEW, 0x0b, MERGE, 0, merge},
    {"merge, rejected", EVAGG_REJECT_NEW, 0x1b, MERGE, 0, merge},
    {"merge, discarding", EVAGG_DISCARD_OLDEST, 0x1b, MERGE, 0, merge},
    {"statistics", EVAGG_REJECT_NEW, 0x0b, NO_EFFECT, 0, take_statistics},
    {"init", EVAGG_REJECT_NEW, 0x0f, INIT, 0, initialise},
};

static void require(int holds, const char *text, int line) {
    if (holds) {
        return;
    }
    const call_t *const call = &calls[progress.call];
    printf("FAILED: %s (line %d)\nreset %" PRIu32 ", %s %s, at %" PRIu32 ", stage %" PRIu32
           ", attach %" PRId32 ", attaches %" PRIu32 "\n",
           text, line, progress.resets, kind->name, call->name, progress.instructions,
           progress.stage, progress.attached, progress.attaches);
    board_exit(1);
}

#define REQUIRE(condition) require((condition) != 0, #condition, __LINE__)

static void note_address(uintptr_t address) {
    if (address < (uintptr_t)board_library_start || address >= (uintptr_t)board_library_end) {
        return;
    }
    const uintptr_t place = (address - (uintptr_t)board_library_start) / 2;
    REQUIRE(place / 32 < COUNT_OF(progress.seen));
    progress.distinct += (progress.seen[place / 32] >> place % 32 & 1) == 0;
    progress.seen[place / 32] |= UINT32_C(1) << place % 32;
}

static void on_interrupt(void) {
    note_address(board_interrupted_address());
    progress.resets++;
    if (progress.resets % RESETS_PER_MACHINE_RESET == 0) {
        progress.machine_resets++;
        board_reset_machine();
    }
    board_reset_program();
}

static void wait_for_reset(void) {
    for (volatile uint32_t turns = 0; turns < MOST_TURNS; turns++) {
    }
    REQUIRE(!"the reset comes");
}

static void choose_kind(void) { kind = progress.kind == 0 ? &connections_kind : &processes_kind; }

/* One event or record: as far as the entry that makes room, if `is_half`. */
static void apply(model_t *model, uint32_t key, uint32_t hits, int is_event, int is_half) {
    const int discards = calls[progress.call].policy == EVAGG_DISCARD_OLDEST;
    for (uint32_t i = 0; i < model->count; i++) {
        if (model->entries[i].key == key) {
            if (!is_half) {
                model->entries[i].hits += hits;
                *(is_event ? &model->offered : &model->merged) += hits;
            }
            return;
        }
    }
    if (model->count == KINDS_CAPACITY && discards) {
        model->discarded += model->entries[0].hits;
        model->count--;
        memmove(model->entries, model->entries + 1, model->count * sizeof model->entries[0]);
    }
    if (is_half) {
        return;
    }
    *(is_event ? &model->offered : &model->merged) += hits;
    if (model->count == KINDS_CAPACITY) {
        model->rejected += hits;
    } else {
        model->entries[model->count].key = key;
        model->entries[model->count++].hits = hits;
    }
}

static int is_same(const model_t *left, const model_t *right) {
    int same = left->count == right->count && left->offered == right->offered &&
               left->merged == right->merged && left->rejected == right->rejected &&
               left->discarded == right->discarded;
    for (uint32_t i = 0; same && i < left->count; i++) {
        same = left->entries[i].key == right->entries[i].key &&
               left->entries[i].hits == right->entries[i].hits;
    }
    return same;
}

static void append(model_t *model, const page_t *page, uint32_t records) {
    for (uint32_t i = 0; i < records; i++) {
        REQUIRE(model->count < KINDS_CAPACITY);
        model->partial += kind->is_partial(page, i) != 0;
        model->entries[model->count].key = kind->key(page, i);
        model->entries[model->count++].hits = kind->hits(page, i);
    }
}

static void check_window(const evagg_window_t *window) {
    REQUIRE(window->offered + window->merged ==
            window->kept + window->rejected + window->discarded);
}

/* Empties the instance. The windows' sums go to `sum`. */
static void drain(model_t *held, evagg_window_t *sum) {
    static page_t page;
    uint32_t windows = 0;
    memset(sum, 0, sizeof *sum);
    for (uint32_t pages = 0; windows < 2; pages++) {
        REQUIRE(pages < MOST_PAGES);
        const evagg_status_t status = kind->flush(&page, KINDS_CAPACITY);
        REQUIRE(status == EVAGG_OK || status == EVAGG_MORE);
        append(held, &page, page.window.records);
        if (status == EVAGG_OK) {
            check_window(&page.window);
            windows++;
            sum->offered += page.window.offered;
            sum->merged += page.window.merged;
            sum->kept += page.window.kept;
            sum->rejected += page.window.rejected;
            sum->discarded += page.window.discarded;
        }
    }
    uint32_t length = 1;
    REQUIRE(kind->length(&length) == EVAGG_OK && length == 0);
}

static evagg_statistics_t statistics_now(void) {
    evagg_statistics_t statistics;
    REQUIRE(kind->statistics(&statistics) == EVAGG_OK);
    REQUIRE(statistics.counted == statistics.offered + statistics.merged - statistics.rejected);
    REQUIRE(statistics.malformed == 0 && statistics.ignored == 0 && statistics.disabled == 0 &&
            statistics.busy == 0);
    return statistics;
}

static uint32_t hits_of(const model_t *model) {
    uint32_t hits = 0;
    for (uint32_t i = 0; i < model->count; i++) {
        hits += model->entries[i].hits;
    }
    return hits;
}

/* How many of the call's events or records are done; the instance holds `held`. */
static void check_events(const model_t *held, uint32_t count, int is_event) {
    const call_t *const call = &calls[progress.call];
    model_t candidate = progress.model;
    for (uint32_t done = 0;; done++) {
        const uint32_t key = is_event ? call->key : kind->key(&progress.merged, done);
        const uint32_t hits = is_event ? 1 : kind->hits(&progress.merged, done);
        const int is_whole =
            progress.stage == WITHIN || done == (progress.stage == AFTER ? count : 0);
        if (is_whole && is_same(held, &candidate)) {
            progress.lost += is_event && progress.stage == WITHIN && done == 0;
            return;
        }
        REQUIRE(done < count);
        model_t half = candidate;
        apply(&half, key, hits, is_event, 1);
        if (progress.stage == WITHIN && is_same(held, &half)) {
            progress.lost += is_event ? 1 : 0;
            return;
        }
        apply(&candidate, key, hits, is_event, 0);
    }
}

/* The page has the oldest entries and the instance the others; of one, both or neither. */
static void check_flush(const model_t *held, uint32_t page_size) {
    const model_t *const model = &progress.model;
    model_t given;
    memset(&given, 0, sizeof given);
    REQUIRE(progress.page.window.records <= page_size);
    append(&given, &progress.page, progress.page.window.records);
    REQUIRE(given.partial == 0);
    REQUIRE(held->count <= model->count);
    const uint32_t removed = model->count - held->count;
    for (uint32_t i = 0; i < given.count; i++) {
        REQUIRE(given.entries[i].key == model->entries[i].key &&
                given.entries[i].hits == model->entries[i].hits);
    }
    for (uint32_t i = 0; i < held->count; i++) {
        REQUIRE(held->entries[i].key == model->entries[removed + i].key &&
                held->entries[i].hits == model->entries[removed + i].hits);
    }
    if (progress.stage != WITHIN) {
        REQUIRE(removed == (progress.stage == BEFORE ? 0 : page_size));
        REQUIRE(given.count == removed);
    }
    REQUIRE(given.count + 1 >= removed && given.count <= removed + 1);
    if (given.count < removed) {
        progress.lost += model->entries[given.count].hits;
    }
    if (given.count > removed) {
        progress.twice += model->entries[removed].hits;
    }
    REQUIRE(held->offered == 0 && held->merged == 0 && held->rejected == 0 && held->discarded == 0);
}

/* After an init that a reset has interrupted: the old instance, a new one, or none. */
static void check_init(evagg_status_t attached) {
    if (attached == EVAGG_OK) {
        const evagg_statistics_t statistics = statistics_now();
        const int is_old = statistics.offered == progress.before.offered;
        REQUIRE(is_old || statistics.offered == 0);
        REQUIRE(!is_old || progress.stage != AFTER);
        uint32_t length;
        REQUIRE(kind->length(&length) == EVAGG_OK);
        REQUIRE(length == (is_old ? progress.model.count : 0));
    } else {
        REQUIRE(attached == EVAGG_ERROR_NOT_INITIALISED && progress.stage == WITHIN);
        progress.initialised++;
    }
    REQUIRE(initialise() == EVAGG_OK);
}

static void check(void) {
    const call_t *const call = &calls[progress.call];
    const evagg_statistics_t now = statistics_now();
    const evagg_statistics_t *const before = &progress.before;
    const uint32_t recoveries = now.recoveries - before->recoveries;
    REQUIRE(recoveries >= 1 && recoveries <= progress.attaches);
    progress.nested += progress.attaches > 1;
    uint32_t length;
    REQUIRE(kind->length(&length) == EVAGG_OK);
    model_t held;
    memset(&held, 0, sizeof held);
    held.offered = (uint32_t)(now.offered - before->offered);
    held.merged = (uint32_t)(now.merged - before->merged);
    held.rejected = (uint32_t)(now.rejected - before->rejected);
    held.discarded = (uint32_t)(now.discarded - before->discarded);
    evagg_window_t sum;
    drain(&held, &sum);
    REQUIRE(held.count == length);
    /* Only what the call was about to add to. */
    const int adds = call->effect == EVENT || call->effect == MERGE;
    REQUIRE(held.partial <= (adds && progress.stage == WITHIN ? 1 : 0));
    progress.partial += held.partial;
    if (call->effect == EVENT) {
        check_events(&held, 1, 1);
    } else if (call->effect == MERGE) {
        check_events(&held, progress.merged.window.records, 0);
    } else if (call->effect == FLUSH) {
        check_flush(&held, call->make == flush_half ? 2 : KINDS_CAPACITY);
    } else {
        REQUIRE(is_same(&held, &progress.model));
    }
    /* A window whose pages were all given before the reset is not given again. */
    if (sum.offered > 0 || call->effect != FLUSH) {
        REQUIRE(sum.offered + sum.merged == hits_of(&progress.model) + held.offered + held.merged);
        REQUIRE(sum.rejected == held.rejected && sum.discarded == held.discarded);
        REQUIRE(call->effect == FLUSH || sum.kept == hits_of(&held));
    }
    const evagg_statistics_t after = statistics_now();
    REQUIRE(after.offered == now.offered && after.merged == now.merged &&
            after.rejected == now.rejected && after.discarded == now.discarded);
}

static void record_each(uint32_t keys) {
    for (uint32_t key = 0; key < KINDS_KEYS; key++) {
        for (uint32_t hits = 0; (keys >> key & 1) != 0 && hits <= key; hits++) {
            REQUIRE(kind->record(key) == (hits == 0 ? EVAGG_FIRST : EVAGG_COUNTED));
        }
    }
}

/* An empty instance becomes what the call is to find, and is noted. */
static void prepare(const call_t *call) {
    REQUIRE(kind->set_overflow_policy(call->policy) == EVAGG_OK);
    memset(&progress.model, 0, sizeof progress.model);
    if (call->effect == MERGE) {
        record_each(0x07);
        REQUIRE(kind->flush(&progress.merged, KINDS_CAPACITY) == EVAGG_OK);
        REQUIRE(progress.merged.window.records == 3);
    }
    record_each(call->cached);
    for (uint32_t key = 0; key < KINDS_KEYS; key++) {
        if ((call->cached >> key & 1) != 0) {
            progress.model.entries[progress.model.count].key = key;
            progress.model.entries[progress.model.count++].hits = key + 1;
        }
    }
    memset(&progress.page, 0, sizeof progress.page);
    progress.before = statistics_now();
    progress.attaches = 0;
}

static uint32_t next_place(uint32_t bound) {
    progress.random = progress.random * 1664525u + 1013904223u;
    return (progress.random >> 8) % bound;
}

/* Never returns: the reset comes in the call or, at the latest, after it. */
static void run(const call_t *call) {
    prepare(call);
    progress.stage = BEFORE;
    progress.attach_at = NEVER;
    if (call->effect == ATTACH) {
        progress.attach_at = progress.instructions;
        board_interrupt_once(0, on_interrupt);
        wait_for_reset();
    }
    if (progress.resets % RESETS_PER_NESTED == 0 && progress.attach_length > 0) {
        progress.attach_at = next_place(progress.attach_length);
    }
    board_interrupt_once(progress.instructions, on_interrupt);
    progress.stage = WITHIN;
    progress.status = call->make();
    progress.stage = AFTER;
    wait_for_reset();
}

/* On to the next instruction, or to the next call once the reset came behind this one. */
static void advance(void) {
    const call_t *const call = &calls[progress.call];
    const int is_attach = call->effect == ATTACH;
    const int is_done = is_attach ? (int)progress.attach_was_first : progress.stage == AFTER;
    if (!is_done) {
        const int is_early = !is_attach && progress.stage == BEFORE;
        const int is_start = is_attach || call->effect == INIT;
        progress.instructions += is_early   ? STRIDE_BEFORE
                                 : is_start ? STRIDE_OF_START
                                            : WARM_RESET_STRIDE;
        return;
    }
    if (is_attach) {
        progress.attach_length = progress.instructions;
    } else {
        REQUIRE(progress.status >= EVAGG_OK);
    }
    progress.instructions = 0;
    progress.call++;
    while (
        progress.call < COUNT_OF(calls) && kind->record_packet == NULL &&
        (calls[progress.call].make == packet_known || calls[progress.call].make == packet_absent)) {
        progress.call++;
    }
}

static evagg_status_t attach(void) {
    const evagg_config_t config = configuration();
    const uint32_t at = progress.attach_at;
    progress.attach_was_first = 0;
    progress.attach_at = NEVER;
    progress.attaches++;
    if (at != NEVER) {
        board_interrupt_once(at, on_interrupt);
    }
    const evagg_status_t status = kind->attach(&config);
    board_stop_tick();
    progress.attach_was_first = at != NEVER;
    progress.attached = status;
    return status;
}

static void begin_kind(void) {
    choose_kind();
    const evagg_config_t config = configuration();
    REQUIRE(kind->attach(&config) == EVAGG_ERROR_NOT_INITIALISED);
    REQUIRE(initialise() == EVAGG_OK);
    progress.call = 0;
    progress.instructions = 0;
}

static void begin(void) {
    memset(&progress, 0, sizeof progress);
    progress.attach_at = NEVER;
    begin_kind();
    progress.mark = MARK;
}

static void go_on(void) {
    choose_kind();
    const evagg_status_t attached = attach();
    if (calls[progress.call].effect == INIT) {
        check_init(attached);
    } else {
        REQUIRE(attached == EVAGG_OK);
        check();
    }
    advance();
    if (progress.call == COUNT_OF(calls) && progress.kind == 0) {
        progress.kind = 1;
        begin_kind();
    }
}

int main(void) {
    if (progress.mark != MARK) {
        begin();
    } else {
        go_on();
    }
    if (progress.call < COUNT_OF(calls)) {
        run(&calls[progress.call]);
    }
    REQUIRE(progress.lost > 0 && progress.nested > 0 && progress.initialised > 0);
    printf("evidence warm reset on %s: %" PRIu32 " resets, %" PRIu32
           " of them of the machine, at %" PRIu32 " distinct instructions, %" PRIu32
           " events lost, %" PRIu32 " counted twice, %" PRIu32
           " counted in part, all else accounted for\n",
           PROCESSOR, progress.resets, progress.machine_resets, progress.distinct, progress.lost,
           progress.twice, progress.partial);
    return 0;
}
