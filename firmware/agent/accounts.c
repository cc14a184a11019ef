/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "accounts.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static uint32_t failures;

void check_that(bool holds, const char *kind, const char *claim) {
    if (!holds) {
        failures++;
        printf("FAILED: %s: %s\n", kind, claim);
    }
}

static void check_equal(uint64_t found, uint32_t expected, const char *kind, const char *claim) {
    check_that(found == expected, kind, claim);
    if (found != expected) {
        printf("  expected %" PRIu32 ", found %" PRIu32 "\n", expected, (uint32_t)found);
    }
}

uint32_t failed_checks(void) { return failures; }

void open_account(account_t *account, const char *kind) {
    memset(account, 0, sizeof *account);
    account->kind = kind;
}

static void add(tally_t *tally, uint32_t hits, uint32_t bytes_in, uint32_t bytes_out) {
    tally->hits += hits;
    tally->bytes_in += bytes_in;
    tally->bytes_out += bytes_out;
}

void enter_offer(offers_t *offers, const traffic_event_t *event, evagg_status_t status) {
    const bool cacheable =
        status == EVAGG_FIRST || status == EVAGG_COUNTED || status == EVAGG_REJECTED;
    if (event->outcome != (cacheable ? EVAGG_COUNTED : status)) {
        offers->unexpected++;
    }
    offers->rejected += status == EVAGG_REJECTED;
    offers->malformed += status == EVAGG_MALFORMED;
    offers->ignored += status == EVAGG_IGNORED;
    if (cacheable) {
        const bool in = event->direction == EVAGG_IN;
        offers->offered++;
        add(&offers->events[event->number], 1, in ? event->bytes : 0, in ? 0 : event->bytes);
    }
}

static void enter_record(account_t *account, uint32_t number, const tally_t *tally, bool sent) {
    account->page_hits += tally->hits;
    if (!sent) {
        account->unsent_hits += tally->hits;
        return;
    }
    account->sent_hits += tally->hits;
    if (number == TRAFFIC_EVENTS) {
        account->unknown_records++;
        return;
    }
    add(&account->sent[number], tally->hits, tally->bytes_in, tally->bytes_out);
}

void enter_connections(account_t *account, const evagg_connection_record_t *records, uint32_t count,
                       bool sent) {
    for (; count > 0; count--, records++) {
        const tally_t tally = {records->hit_count, records->bytes_in, records->bytes_out};
        enter_record(account, traffic_connection_number(records), &tally, sent);
    }
}

void enter_processes(account_t *account, const evagg_process_record_t *records, uint32_t count,
                     uint32_t text_maximum, bool sent) {
    for (; count > 0; count--, records++) {
        const tally_t tally = {records->hit_count, 0, 0};
        enter_record(account, traffic_program_number(records, text_maximum), &tally, sent);
    }
}

void enter_window(account_t *account, const evagg_window_t *window, bool sent) {
    const char *const kind = account->kind;
    printf("%s %" PRIu32 ": %" PRIu32 " offered + %" PRIu32 " merged = %" PRIu32 " kept + %" PRIu32
           " rejected + %" PRIu32 " discarded%s\n",
           kind, window->sequence, window->offered, window->merged, window->kept, window->rejected,
           window->discarded, sent ? "" : "; not sent, merged back");
    check_equal(window->sequence, account->windows, kind, "no window is left out");
    check_equal((uint64_t)window->kept + window->rejected + window->discarded,
                window->offered + window->merged, kind, "the window's law of conservation");
    check_equal(window->kept, account->page_hits, kind, "the window kept what its pages hold");
    /* What this window's flush put back counts for the next one. */
    const uint32_t unsent = sent ? account->unsent_hits : account->unsent_hits - account->page_hits;
    check_equal(window->merged, unsent - account->unsent_before, kind,
                "what was put back counts as merged");
    account->unsent_before = unsent;
    account->page_hits = 0;
    account->windows++;
    account->windows_with_loss += window->rejected + window->discarded > 0;
    account->total.offered += window->offered;
    account->total.merged += window->merged;
    account->total.kept += window->kept;
    account->total.rejected += window->rejected;
    account->total.discarded += window->discarded;
}

static void check_event(const account_t *account, uint32_t number, bool lossless) {
    const tally_t *const sent = &account->sent[number];
    tally_t offered = account->interrupt.events[number];
    const tally_t *const own = &account->main_loop.events[number];
    add(&offered, own->hits, own->bytes_in, own->bytes_out);
    check_that(sent->hits <= offered.hits && sent->bytes_in <= offered.bytes_in &&
                   sent->bytes_out <= offered.bytes_out,
               account->kind, "nothing was sent that was not offered");
    if (lossless) {
        check_equal(sent->hits, offered.hits, account->kind, "every hit of the event was sent");
        check_equal(sent->bytes_in, offered.bytes_in, account->kind, "every byte in was sent");
        check_equal(sent->bytes_out, offered.bytes_out, account->kind, "every byte out was sent");
    }
}

void check_account(const account_t *account, const evagg_statistics_t *statistics, bool lossless) {
    const char *const kind = account->kind;
    const offers_t *const interrupt = &account->interrupt;
    const offers_t *const main_loop = &account->main_loop;
    const evagg_window_t *const total = &account->total;
    const uint32_t offered = interrupt->offered + main_loop->offered;
    const uint32_t refused = interrupt->rejected + main_loop->rejected;

    check_equal(interrupt->unexpected + main_loop->unexpected, 0, kind,
                "every call returned what it must");
    check_equal(account->unknown_records, 0, kind, "every record is of an event that was offered");

    /* What was merged was kept before, and is kept, rejected or discarded once more. */
    const uint32_t accounted = account->sent_hits + total->rejected + total->discarded;
    printf("%s: %" PRIu32 " offered, %" PRIu32 " of them by the interrupt = %" PRIu32
           " sent + %" PRIu32 " rejected + %" PRIu32 " discarded; %" PRIu32
           " malformed and %" PRIu32 " ignored besides\n",
           kind, offered, interrupt->offered, account->sent_hits, total->rejected, total->discarded,
           interrupt->malformed, interrupt->ignored);
    check_equal(accounted, offered, kind, "nothing is unaccounted for");

    check_equal(statistics->offered, offered, kind, "statistics: offered");
    check_equal(statistics->malformed, interrupt->malformed, kind, "statistics: malformed");
    check_equal(statistics->ignored, interrupt->ignored, kind, "statistics: ignored");
    check_equal(statistics->busy, 0, kind, "statistics: busy");
    check_equal(statistics->disabled, 0, kind, "statistics: disabled");
    check_equal(statistics->windows, account->windows, kind, "statistics: windows");
    check_equal(statistics->merged, account->unsent_hits, kind, "statistics: merged");
    check_equal(statistics->rejected, total->rejected, kind, "statistics: rejected");
    check_equal(statistics->discarded, total->discarded, kind, "statistics: discarded");
    check_equal(statistics->counted + statistics->rejected, offered + total->merged, kind,
                "statistics: counted");
    check_equal(total->offered, offered, kind, "the windows' offered events are all");
    check_that(total->rejected >= refused, kind, "what record refused was rejected");

    if (lossless) {
        check_equal(account->windows_with_loss, 0, kind, "a quiet window loses nothing");
    } else {
        check_that(account->windows_with_loss > 0, kind, "a busy window loses something");
        check_that(account->windows_with_loss < account->windows, kind,
                   "a quiet window among busy ones loses nothing");
    }
    for (uint32_t number = 0; number < TRAFFIC_EVENTS; number++) {
        check_event(account, number, lossless);
    }
}
