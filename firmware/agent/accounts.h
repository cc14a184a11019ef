/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The agent's own books: what was offered, and what became of it. They are kept apart from the
   library's, so that each can be checked against the other. */
#ifndef AGENT_ACCOUNTS_H
#define AGENT_ACCOUNTS_H

#include "traffic.h"

typedef struct tally_t {
    uint32_t hits, bytes_in, bytes_out;
} tally_t;

/* What one context offered. Interrupt and main loop have one each, so that neither needs a lock. */
typedef struct offers_t {
    uint32_t offered, rejected, malformed, ignored;
    uint32_t unexpected; /* calls that returned what they must not */
    tally_t events[TRAFFIC_EVENTS];
} offers_t;

/* One kind of event. */
typedef struct account_t {
    const char *kind;
    offers_t interrupt;
    offers_t main_loop;
    tally_t sent[TRAFFIC_EVENTS];
    uint32_t unknown_records;
    uint32_t sent_hits;
    uint32_t unsent_hits;   /* of the windows that the uplink refused, and which were merged back */
    uint32_t page_hits;     /* of the pages of the present window so far */
    uint32_t unsent_before; /* what unsent_hits was when the present window began */
    evagg_window_t total;   /* sums over all windows */
    uint32_t windows, windows_with_loss;
} account_t;

void open_account(account_t *account, const char *kind);
void enter_offer(offers_t *offers, const traffic_event_t *event, evagg_status_t status);
void enter_connections(account_t *account, const evagg_connection_record_t *records, uint32_t count,
                       bool sent);
void enter_processes(account_t *account, const evagg_process_record_t *records, uint32_t count,
                     uint32_t text_maximum, bool sent);
/* Checks a window with its last page, and prints it. */
void enter_window(account_t *account, const evagg_window_t *window, bool sent);

/* Checks the books when nothing is cached any more; without losses, event by event as well. */
void check_account(const account_t *account, const evagg_statistics_t *statistics, bool lossless);
/* Prints what does not hold, and counts it. */
void check_that(bool holds, const char *kind, const char *claim);
uint32_t failed_checks(void);

#endif
