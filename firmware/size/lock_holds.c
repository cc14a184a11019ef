/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Prints how many instructions flush and merge hold the lock for at the longest, at two capacities.
   The lock callbacks read the counter as soon as interrupts are masked and just before they are
   restored. One reading is as coarse as the counter's steps, so that each hold is measured many
   times, at every phase of a step, and the longest mean counts. */
#include <string.h>

#include "board.h"
#include "measurement.h"

#define LARGE 4096u
#define PAGE 16u
/* More than the holds of one call, which takes the lock for each record and a few times beside. */
#define HOLDS 32u
/* Once for each phase of a step of the counter, and not less than evens out the chains. */
#define REPETITIONS (BOARD_INSTRUCTION_STEP > 40u ? BOARD_INSTRUCTION_STEP : 40u)

/* A mean for each hold of a call, counted from the call's first. */
typedef struct {
    uint64_t sum[HOLDS];
    uint32_t count[HOLDS];
} holds_t;

EVAGG_ALIGNED static uint8_t storage[EVAGG_CONNECTIONS_STORAGE_SIZE(LARGE)];
static evagg_connections_t *connections;
static evagg_connection_record_t page[PAGE];
static holds_t empty, first_pages, middle_pages, last_pages, merges_new, merges_known,
    merges_discarding;
/* Where the holds of the measured call go; NULL outside of one. */
static holds_t *holds;
static uint32_t hold;
static uint32_t hold_begin;
static uint32_t warnings;

static size_t acquire(void *context) {
    (void)context;
    const uint32_t state = board_mask_interrupts();
    hold_begin = board_instructions();
    return state;
}

static void release(void *context, size_t state) {
    const uint32_t elapsed = board_instructions() - hold_begin;
    (void)context;
    if (holds != NULL) {
        expect(hold < HOLDS, "more holds in a call than the table has");
        holds->sum[hold] += elapsed;
        holds->count[hold++]++;
    }
    board_restore_interrupts((uint32_t)state);
}

static void on_warning(void *context, const evagg_warning_t *warning) {
    (void)context, (void)warning;
    warnings++;
}

/* Called before each measured call. A step of the counter begins when its timer is written; then
   come `phase` times 3 instructions, which reach every phase of a step because 3 does not divide
   it. */
static void count_holds_in(holds_t *chosen, uint32_t phase) {
    holds = chosen;
    hold = 0;
#if BOARD_INSTRUCTION_STEP > 1
    volatile uint32_t *const timer = (volatile uint32_t *)(uintptr_t)BOARD_TIMER;
    timer[1] = UINT32_MAX;
    phase = phase % BOARD_INSTRUCTION_STEP + 1;
    __asm volatile(".syntax unified\n1: nop\n subs %0, #1\n bne 1b" : "+l"(phase) : : "cc");
#else
    (void)phase;
#endif
}

static double longest(const holds_t *measured) {
    double result = 0;
    for (uint32_t i = 0; i < HOLDS; i++) {
        if (measured->count[i] > 0) {
            const double mean = (double)measured->sum[i] / measured->count[i];
            result = mean > result ? mean : result;
        }
    }
    return result;
}

static void print_longest(const char *name, uint32_t capacity, const holds_t *const measured[],
                          uint32_t count) {
    double result = 0;
    for (uint32_t i = 0; i < count; i++) {
        const double mean = longest(measured[i]) - longest(&empty);
        result = mean > result ? mean : result;
    }
    printf("%s_%" PRIu32 " %" PRIu32 "\n", name, capacity, (uint32_t)(result + 0.5));
}

static void start(uint32_t capacity, uint32_t seed) {
    evagg_config_t config = EVAGG_CONFIG_INIT;
    config.capacity = capacity;
    config.hash_seed = UINT64_C(0x9e3779b97f4a7c15) * (seed + 1);
    config.acquire = acquire;
    config.release = release;
    expect(evagg_connections_init(storage, sizeof storage, &config, &connections) == EVAGG_OK,
           "init");
    expect(evagg_connections_set_warning_callback(connections, on_warning, NULL) == EVAGG_OK,
           "the warning callback");
}

static void fill_page(uint32_t *state) {
    for (uint32_t i = 0; i < PAGE; i++) {
        memset(&page[i], 0, sizeof page[i]);
        page[i].connection = random_connection(state, 4);
        page[i].hit_count = 1;
    }
}

static void merge_page(holds_t *chosen, uint32_t phase) {
    count_holds_in(chosen, phase);
    const evagg_status_t status = evagg_connections_merge(connections, page, PAGE);
    holds = NULL;
    expect(status == EVAGG_OK, "merge");
}

/* Merges a full cache's worth of records: new ones, each page a second time while it is known, and
   as many again that make the oldest ones give way. */
static void merge_records(uint32_t capacity, uint32_t repetition) {
    static const uint32_t begin = 2463534242u;
    uint32_t state = begin + repetition;
    start(capacity, repetition);
    for (uint32_t done = 0; done < capacity; done += PAGE) {
        fill_page(&state);
        merge_page(&merges_new, repetition + done / PAGE);
    }
    state = begin + repetition;
    for (uint32_t done = 0; done < capacity; done += PAGE) {
        fill_page(&state);
        merge_page(&merges_known, repetition + done / PAGE);
    }
    evagg_connections_set_overflow_policy(connections, EVAGG_DISCARD_OLDEST);
    for (uint32_t done = 0; done < capacity; done += PAGE) {
        fill_page(&state);
        merge_page(&merges_discarding, repetition + done / PAGE);
    }
    evagg_statistics_t statistics;
    evagg_connections_statistics(connections, &statistics);
    expect(statistics.high_water_mark == capacity && statistics.discarded == 2 * capacity,
           "merges that are new, known and discarding");
}

/* Flushes the full cache that those left, in a window with losses, so that warnings are due. */
static void flush_records(uint32_t capacity, uint32_t repetition) {
    evagg_window_t window;
    warnings = 0;
    for (uint32_t done = 0; done < capacity; done += PAGE) {
        const int is_first = done == 0;
        const int is_last = done + PAGE == capacity;
        count_holds_in(is_first  ? &first_pages
                       : is_last ? &last_pages
                                 : &middle_pages,
                       repetition + done / PAGE);
        const evagg_status_t status = evagg_connections_flush(connections, 1, page, PAGE, &window);
        holds = NULL;
        expect(status == (is_last ? EVAGG_OK : EVAGG_MORE) && window.records == PAGE,
               "a full page");
    }
    expect(warnings == 1, "the warning of a window with losses");
}

static void measure(uint32_t capacity, uint32_t repetitions) {
    static holds_t *const all[] = {&first_pages, &middle_pages, &last_pages,
                                   &merges_new,  &merges_known, &merges_discarding};
    for (uint32_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        memset(all[i], 0, sizeof *all[i]);
    }
    for (uint32_t repetition = 0; repetition < repetitions; repetition++) {
        merge_records(capacity, repetition);
        flush_records(capacity, repetition);
    }
    print_longest("lock_hold_flush", capacity, (const holds_t *const *)&all[0], 3);
    print_longest("lock_hold_merge", capacity, (const holds_t *const *)&all[3], 3);
}

/* What a hold of nothing reads. */
static void measure_empty(void) {
    size_t (*volatile acquire_now)(void *) = acquire;
    void (*volatile release_now)(void *, size_t) = release;
    for (uint32_t phase = 0; phase < 8 * REPETITIONS; phase++) {
        count_holds_in(&empty, phase);
        release_now(NULL, acquire_now(NULL));
    }
    holds = NULL;
}

int main(void) {
    measure_empty();
    measure(64, 8 * REPETITIONS);
    measure(LARGE, REPETITIONS);
    return 0;
}
