/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A reset after every single store of every call. The storage as it is then is attached and emptied:
   all that comes out must be as before the call or as after it. For Linux. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "facts.h"
#include "stepping.h"

#define SKIPPED 77
/* Ticks: of the calls before, and of the call that is interrupted. */
#define EARLIER 1001u
#define NOW 1010u
#define SET_BACK 990u
#define LARGE_HITS UINT32_C(0x90000000)

typedef struct scenario_t {
    const char *name;
    uint8_t policy;
    void (*before)(const kind_t *kind, void *memory);
    evagg_status_t (*call)(const kind_t *kind, void *memory);
    /* Between attaching and emptying; may be NULL. */
    void (*then)(const kind_t *kind, void *memory);
} scenario_t;

static void see(const kind_t *kind, void *memory, uint32_t key) {
    assert_true(kind->see(memory, key, EARLIER) > 0);
}

/* A page of one record. */
static evagg_status_t take_page(const kind_t *kind, void *memory) {
    fact_t fact;
    evagg_window_t window;
    return kind->page(memory, NOW, &fact, &window);
}

static void nothing(const kind_t *kind, void *memory) { (void)kind, (void)memory; }

static void two_entries(const kind_t *kind, void *memory) {
    see(kind, memory, 0);
    see(kind, memory, 1);
    see(kind, memory, 1);
}

static void full(const kind_t *kind, void *memory) {
    two_entries(kind, memory);
    see(kind, memory, 0);
    see(kind, memory, 3);
}

static void full_with_losses(const kind_t *kind, void *memory) {
    full(kind, memory);
    see(kind, memory, 7);
}

static void draining(const kind_t *kind, void *memory) {
    full(kind, memory);
    assert_int_equal(take_page(kind, memory), EVAGG_MORE);
}

static void draining_and_full(const kind_t *kind, void *memory) {
    draining(kind, memory);
    see(kind, memory, 7);
}

/* The window that is being flushed has lost all its entries to the next one. */
static void draining_without_entries(const kind_t *kind, void *memory) {
    draining_and_full(kind, memory);
    see(kind, memory, 0);
    see(kind, memory, 3);
}

static void last_page(const kind_t *kind, void *memory) {
    draining_and_full(kind, memory);
    assert_int_equal(take_page(kind, memory), EVAGG_MORE);
}

static void next_window(const kind_t *kind, void *memory) {
    full_with_losses(kind, memory);
    while (take_page(kind, memory) == EVAGG_MORE) {
    }
}

/* What waits does not add up any more; what is recorded meanwhile still does. */
static void saturated_record_waits(const kind_t *kind, void *memory) {
    see(kind, memory, 1);
    assert_int_equal(kind->merge(memory, 0, UINT32_MAX), EVAGG_OK);
    assert_int_equal(take_page(kind, memory), EVAGG_MORE);
    see(kind, memory, 3);
}

/* The next window to be closed carries into the upper half of a total. */
static void large_totals(const kind_t *kind, void *memory) {
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(kind->merge(memory, i, LARGE_HITS), EVAGG_OK);
        assert_int_equal(take_page(kind, memory), EVAGG_OK);
    }
    see(kind, memory, 3);
}

/* So that the window recommends a capacity, and tells by that what its sketch holds. */
static void lose_some(const kind_t *kind, void *memory) {
    for (uint32_t key = 0; key < FACTS_KEYS; key++) {
        see(kind, memory, key);
    }
}

static evagg_status_t see_new(const kind_t *kind, void *memory) {
    return kind->see(memory, 5, NOW);
}

/* Of processes it takes more text than one entry gives back. */
static evagg_status_t see_long(const kind_t *kind, void *memory) {
    return kind->see(memory, 2, NOW);
}

static evagg_status_t see_known(const kind_t *kind, void *memory) {
    return kind->see(memory, 1, NOW);
}

static evagg_status_t see_known_set_back(const kind_t *kind, void *memory) {
    return kind->see(memory, 1, SET_BACK);
}

static evagg_status_t merge_new(const kind_t *kind, void *memory) {
    return kind->merge(memory, 5, 1000);
}

static evagg_status_t merge_known(const kind_t *kind, void *memory) {
    return kind->merge(memory, 1, 1000);
}

static evagg_status_t set_policy(const kind_t *kind, void *memory) {
    return kind->set_policy(memory, EVAGG_DISCARD_OLDEST);
}

static evagg_status_t set_enabled(const kind_t *kind, void *memory) {
    return kind->set_enabled(memory, 0);
}

static const scenario_t scenarios[] = {
    {"record, new", EVAGG_REJECT_NEW, two_entries, see_new, NULL},
    {"record, first of all", EVAGG_REJECT_NEW, nothing, see_new, NULL},
    {"record, new in the second window", EVAGG_REJECT_NEW, next_window, see_new, lose_some},
    {"record, known", EVAGG_REJECT_NEW, full_with_losses, see_known, NULL},
    {"record, known, clock set back", EVAGG_REJECT_NEW, two_entries, see_known_set_back, NULL},
    {"record, known in the window before", EVAGG_REJECT_NEW, draining, see_known, NULL},
    {"record, full", EVAGG_REJECT_NEW, full, see_new, NULL},
    {"record, full again", EVAGG_REJECT_NEW, full_with_losses, see_new, NULL},
    {"record, full of another window", EVAGG_REJECT_NEW, draining_and_full, see_new, NULL},
    {"record, discarding", EVAGG_DISCARD_OLDEST, full, see_new, NULL},
    {"record, discarding several", EVAGG_DISCARD_OLDEST, full, see_long, NULL},
    {"record, discarding from the closed window", EVAGG_DISCARD_OLDEST, draining_and_full, see_new,
     NULL},
    {"record, discarding while the closed window is empty", EVAGG_DISCARD_OLDEST,
     draining_without_entries, see_new, NULL},
    {"flush, first page", EVAGG_REJECT_NEW, full_with_losses, take_page, NULL},
    {"flush, a page between", EVAGG_REJECT_NEW, draining, take_page, NULL},
    {"flush, last page", EVAGG_REJECT_NEW, last_page, take_page, NULL},
    {"flush, all discarded", EVAGG_DISCARD_OLDEST, draining_without_entries, take_page, NULL},
    {"flush, second window", EVAGG_REJECT_NEW, next_window, take_page, NULL},
    {"flush, empty", EVAGG_REJECT_NEW, nothing, take_page, NULL},
    {"flush, totals beyond 32 bits", EVAGG_REJECT_NEW, large_totals, take_page, NULL},
    {"merge, new", EVAGG_REJECT_NEW, two_entries, merge_new, NULL},
    {"merge, known", EVAGG_REJECT_NEW, two_entries, merge_known, NULL},
    {"merge, new, while a saturated record waits", EVAGG_REJECT_NEW, saturated_record_waits,
     merge_new, NULL},
    {"merge, full", EVAGG_REJECT_NEW, full, merge_new, NULL},
    {"merge, discarding", EVAGG_DISCARD_OLDEST, full, merge_new, NULL},
    {"merge, discarding from the closed window", EVAGG_DISCARD_OLDEST, draining_and_full, merge_new,
     NULL},
    {"set_overflow_policy", EVAGG_REJECT_NEW, full, set_policy, NULL},
    {"set_enabled", EVAGG_REJECT_NEW, full, set_enabled, NULL},
};

#define IMAGES_MOST 8192u

typedef struct trial_t {
    const kind_t *kind;
    const scenario_t *scenario;
    uint8_t *memory;
    uint8_t *images;
    uint32_t image_count;
} trial_t;

static uint64_t images_attached, calls_stepped;
/* Where copies are attached. */
EVAGG_ALIGNED static uint8_t copy[EVAGG_PROCESSES_STORAGE_SIZE(FACTS_CAPACITY, FACTS_TEXT_BYTES) +
                                  EVAGG_CONNECTIONS_STORAGE_SIZE(FACTS_CAPACITY)];

static void prepare(void *context) {
    const trial_t *const trial = context;
    const evagg_config_t config = facts_config(trial->scenario->policy, 1000);
    if (trial->kind->init(trial->memory, &config) != EVAGG_OK) {
        abort();
    }
    trial->scenario->before(trial->kind, trial->memory);
}

static void call(void *context) {
    const trial_t *const trial = context;
    if (trial->scenario->call(trial->kind, trial->memory) < 0) {
        abort();
    }
}

static void keep_image(void *context) {
    trial_t *const trial = context;
    assert_true(trial->image_count < IMAGES_MOST);
    memcpy(trial->images + trial->image_count++ * trial->kind->size, trial->memory,
           trial->kind->size);
}

static evagg_status_t attach_image(const trial_t *trial, const uint8_t *image, facts_t *facts) {
    const evagg_config_t config = facts_config(trial->scenario->policy, NOW);
    memcpy(copy, image, trial->kind->size);
    const evagg_status_t status = trial->kind->attach(copy, &config);
    if (status == EVAGG_OK) {
        if (trial->scenario->then != NULL) {
            trial->scenario->then(trial->kind, copy);
        }
        take_facts(trial->kind, copy, NOW, facts);
        images_attached++;
    }
    return status;
}

static const fact_t *find_record(const facts_t *facts, const fact_t *wanted) {
    for (uint32_t i = 0; i < facts->record_count; i++) {
        const fact_t *const record = &facts->records[i];
        if (record->sequence == wanted->sequence && record->key == wanted->key) {
            return record;
        }
    }
    return NULL;
}

static const fact_window_t *find_window(const facts_t *facts, uint32_t sequence) {
    for (uint32_t i = 0; i < FACTS_WINDOWS; i++) {
        if (facts->windows[i].window.sequence == sequence) {
            return &facts->windows[i];
        }
    }
    return NULL;
}

static void assert_between(uint64_t value, uint64_t one, uint64_t other) {
    assert_true(value >= (one < other ? one : other));
    assert_true(value <= (one < other ? other : one));
}

/* What is in both is in `seen`, and what is in `seen` is in one. Each number of a record is as it was
   or as it will be: the event under way may be in it in part. */
static void check_records(const facts_t *before, const facts_t *after, const facts_t *seen) {
    const fact_t *last_before = NULL;
    const fact_t *last_after = NULL;
    for (uint32_t i = 0; i < seen->record_count; i++) {
        const fact_t *const record = &seen->records[i];
        const fact_t *const was = find_record(before, record);
        const fact_t *const will_be = find_record(after, record);
        assert_true(was != NULL || will_be != NULL);
        for (uint32_t j = 0; j < COUNT_OF(record->numbers); j++) {
            assert_true((was != NULL && record->numbers[j] == was->numbers[j]) ||
                        (will_be != NULL && record->numbers[j] == will_be->numbers[j]));
        }
        /* In the order of their admission, and none twice. */
        assert_true(was == NULL || last_before == NULL || was > last_before);
        assert_true(will_be == NULL || last_after == NULL || will_be > last_after);
        last_before = was != NULL ? was : last_before;
        last_after = will_be != NULL ? will_be : last_after;
    }
    for (uint32_t i = 0; i < before->record_count; i++) {
        const fact_t *const record = &before->records[i];
        assert_true(find_record(after, record) == NULL || find_record(seen, record) != NULL);
    }
}

/* Hits of what was in the window before and is no longer. */
static uint32_t hits_gone(const facts_t *before, const facts_t *seen, uint32_t sequence) {
    uint32_t hits = 0;
    for (uint32_t i = 0; i < before->record_count; i++) {
        const fact_t *const record = &before->records[i];
        if (record->sequence == sequence && find_record(seen, record) == NULL) {
            hits += record->numbers[FACT_HITS];
        }
    }
    return hits;
}

static void check_windows(const facts_t *before, const facts_t *after, const facts_t *seen) {
    for (uint32_t i = 0; i < FACTS_WINDOWS; i++) {
        const fact_window_t *const window = &seen->windows[i];
        const uint32_t sequence = window->window.sequence;
        const fact_window_t *was = find_window(before, sequence);
        const fact_window_t *will_be = find_window(after, sequence);
        assert_true(was != NULL || will_be != NULL);
        const bool is_new = was == NULL;
        was = was != NULL ? was : will_be;
        will_be = will_be != NULL ? will_be : was;
        assert_true(window->window.start == was->window.start ||
                    window->window.start == will_be->window.start);
        assert_int_equal(window->window.end, NOW);
        assert_between(window->window.offered, was->window.offered, will_be->window.offered);
        assert_between(window->window.merged, was->window.merged, will_be->window.merged);
        assert_between(window->window.rejected, was->window.rejected, will_be->window.rejected);
        assert_between(window->window.discarded, was->window.discarded, will_be->window.discarded);
        /* A record that has left with a page is accounted for as kept, another only as discarded. */
        assert_true(window->flushed_before == was->flushed_before ||
                    (!is_new && window->flushed_before ==
                                    was->flushed_before + hits_gone(before, seen, sequence)));
        const bool has_losses = window->window.rejected + window->window.discarded > 0;
        assert_int_equal(window->final_warnings, has_losses);
        assert_int_equal(window->first_warnings, has_losses);
        if (has_losses) {
            assert_between(window->recommended,
                           was->recommended != 0 ? was->recommended : will_be->recommended,
                           will_be->recommended);
        }
    }
    assert_int_equal(seen->windows[1].window.sequence, seen->windows[0].window.sequence + 1);
}

static void check_statistics(const evagg_statistics_t *before, const evagg_statistics_t *after,
                             const evagg_statistics_t *seen) {
    assert_between(seen->offered, before->offered, after->offered);
    assert_between(seen->merged, before->merged, after->merged);
    assert_between(seen->counted, before->counted, after->counted);
    assert_between(seen->rejected, before->rejected, after->rejected);
    assert_between(seen->discarded, before->discarded, after->discarded);
    assert_between(seen->windows, before->windows, after->windows);
    assert_between(seen->high_water_mark, before->high_water_mark, after->high_water_mark);
    assert_int_equal(seen->disabled, before->disabled);
    assert_int_equal(seen->recoveries, 1);
}

static void check_image(const trial_t *trial, const uint8_t *image, const facts_t *before,
                        const facts_t *after) {
    facts_t seen;
    assert_int_equal(attach_image(trial, image, &seen), EVAGG_OK);
    check_records(before, after, &seen);
    check_windows(before, after, &seen);
    check_statistics(&before->statistics, &after->statistics, &seen.statistics);
}

/* Steps through taking over an image: a reset in there is no different from one before it. */
static void attach_call(void *context) {
    const trial_t *const trial = context;
    const evagg_config_t config = facts_config(trial->scenario->policy, NOW);
    if (trial->kind->attach(trial->memory, &config) != EVAGG_OK) {
        abort();
    }
}

static void copy_last_image(void *context) {
    const trial_t *const trial = context;
    memcpy(trial->memory, trial->images, trial->kind->size);
}

static void check_attach(const trial_t *trial, const uint8_t *image) {
    facts_t expected, seen;
    assert_int_equal(attach_image(trial, image, &expected), EVAGG_OK);
    trial_t attaching = *trial;
    attaching.images = malloc(IMAGES_MOST * trial->kind->size);
    assert_non_null(attaching.images);
    memcpy(attaching.images, image, trial->kind->size);
    attaching.image_count = 1;
    const stepping_t stepping = {trial->memory, trial->kind->size, copy_last_image,
                                 attach_call,   keep_image,        &attaching};
    (void)step_through(&stepping);
    calls_stepped++;
    for (uint32_t i = 0; i < attaching.image_count; i++) {
        assert_int_equal(attach_image(trial, attaching.images + i * trial->kind->size, &seen),
                         EVAGG_OK);
        assert_between(seen.statistics.recoveries, 1, 2);
        seen.statistics.recoveries = expected.statistics.recoveries;
        assert_memory_equal(&expected, &seen, sizeof seen);
    }
    free(attaching.images);
}

static void run(const kind_t *kind, const scenario_t *scenario) {
    trial_t trial = {kind, scenario, stepping_memory(kind->size), NULL, 0};
    trial.images = malloc(IMAGES_MOST * kind->size);
    assert_non_null(trial.images);
    const stepping_t stepping = {trial.memory, kind->size, prepare, call, keep_image, &trial};
    (void)step_through(&stepping);
    calls_stepped++;
    facts_t before, after;
    const uint32_t last = trial.image_count - 1;
    assert_int_equal(attach_image(&trial, trial.images, &before), EVAGG_OK);
    assert_int_equal(attach_image(&trial, trial.images + last * kind->size, &after), EVAGG_OK);
    for (uint32_t i = 0; i <= last; i++) {
        check_image(&trial, trial.images + i * kind->size, &before, &after);
    }
    /* All of them in the long run; otherwise one in the middle. */
    const bool is_long = getenv("EVAGG_LONG") != NULL;
    for (uint32_t i = is_long ? 0 : last / 2; i <= (is_long ? last : last / 2); i++) {
        check_attach(&trial, trial.images + i * kind->size);
    }
    free(trial.images);
}

static void every_call_of(const kind_t *kind) {
    for (size_t i = 0; i < COUNT_OF(scenarios); i++) {
        print_message("%s: %s\n", kind->name, scenarios[i].name);
        run(kind, &scenarios[i]);
    }
}

static void every_call_of_connections(void **state) {
    (void)state;
    every_call_of(&connections_kind);
}

static void every_call_of_processes(void **state) {
    (void)state;
    every_call_of(&processes_kind);
}

static void soil(void *context) {
    const trial_t *const trial = context;
    memset(trial->memory, 0xa5, trial->kind->size);
}

static void init_call(void *context) {
    const trial_t *const trial = context;
    const evagg_config_t config = facts_config(EVAGG_REJECT_NEW, 1000);
    if (trial->kind->init(trial->memory, &config) != EVAGG_OK) {
        abort();
    }
}

/* Nothing is taken for an instance until it is one. */
static void init_of(const kind_t *kind, void (*before)(void *context), bool is_over_another) {
    static const scenario_t another = {"init", EVAGG_REJECT_NEW, full_with_losses, see_new, NULL};
    trial_t trial = {kind, &another, stepping_memory(kind->size), NULL, 0};
    trial.images = malloc(IMAGES_MOST * kind->size);
    assert_non_null(trial.images);
    const stepping_t stepping = {trial.memory, kind->size, before, init_call, keep_image, &trial};
    (void)step_through(&stepping);
    calls_stepped++;
    for (uint32_t i = is_over_another ? 1 : 0; i < trial.image_count; i++) {
        facts_t seen;
        const evagg_status_t status = attach_image(&trial, trial.images + i * kind->size, &seen);
        if (i < trial.image_count - 1) {
            assert_int_equal(status, EVAGG_ERROR_NOT_INITIALISED);
        } else {
            assert_int_equal(status, EVAGG_OK);
            assert_int_equal(seen.record_count, 0);
            assert_int_equal(seen.statistics.offered, 0);
        }
    }
    free(trial.images);
}

static void every_store_of_init(void **state) {
    (void)state;
    init_of(&connections_kind, soil, false);
    init_of(&processes_kind, soil, false);
    init_of(&connections_kind, prepare, true);
    init_of(&processes_kind, prepare, true);
}

int main(void) {
    if (!stepping_is_possible()) {
        print_message("skipped: this system does not let a process be stepped through\n");
        return SKIPPED;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_of_connections),
        cmocka_unit_test(every_call_of_processes),
        cmocka_unit_test(every_store_of_init),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    printf("evidence warm reset, every store: %" PRIu64 " images of %" PRIu64
           " calls attached, each as before or after the call\n",
           images_attached, calls_stepped);
    return failed;
}
