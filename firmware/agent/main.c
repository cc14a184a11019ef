/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A firmware as a product has it: the timer interrupt records events; the main loop flushes a
   window page by page, sends it, and puts it back when the uplink fails. What a product does not
   have is in traffic.c, which stands for the network, and in accounts.c, which checks that nothing
   is unaccounted for. */
#include <inttypes.h>
#include <stdio.h>
#include "accounts.h"
#include "board.h"

#define CONNECTIONS 20u
#define PROCESSES 8u
#define TEXT_MAXIMUM 40u
#define TEXT_BYTES (PROCESSES * 32u)
#define CONNECTIONS_PAGE 8u
#define PROCESSES_PAGE 3u

/* One tick of the clock is one interrupt. An unoptimised build takes ten times as long for each, and a
   planted fault is found in few as well. */
#if defined(NDEBUG) && !defined(AGENT_PLANTED_FAULT)
#define WINDOW_TICKS 4500u
#define LEAST_INTERRUPTS 100000u
#else
#define WINDOW_TICKS 450u
#define LEAST_INTERRUPTS 10000u
#endif
#define WINDOWS 12u

/* Counts of the board's timer that the main loop has for itself between two interrupts. So few that
   interrupts meet every one of its calls. */
#define TICK_PERIOD 20u

BOARD_RETAINED EVAGG_ALIGNED static uint8_t
    connections_storage[EVAGG_CONNECTIONS_STORAGE_SIZE(CONNECTIONS)];
BOARD_RETAINED EVAGG_ALIGNED static uint8_t
    processes_storage[EVAGG_PROCESSES_STORAGE_SIZE(PROCESSES, TEXT_BYTES)];
static evagg_connections_t *connections;
static evagg_processes_t *processes;

static volatile evagg_time_t now;
static volatile bool busy;

/* Which call of the main loop an interrupt meets. */
typedef enum call_t { NO_CALL, RECORD, FLUSH, MERGE, CALLS } call_t;
static volatile call_t call;
static uint32_t interrupts[CALLS];

static account_t connections_account;
static account_t processes_account;
static bool stopping;

static size_t mask_interrupts(void *context) {
    (void)context;
    return board_mask_interrupts();
}

static void restore_interrupts(void *context, size_t state) {
    (void)context;
    board_restore_interrupts((uint32_t)state);
}

static void on_tick(void) {
    static traffic_packet_t packet;
    static evagg_process_t program;
    static traffic_event_t start;
    interrupts[call]++;
    now++;
    traffic_next_packet(&packet, busy);
    enter_offer(&connections_account.interrupt, &packet.event,
                evagg_connections_record_packet(connections, packet.bytes, packet.length,
                                                packet.event.direction, now));
    if (now % 4 == 0) {
        traffic_next_program(&program, &start, busy);
        enter_offer(&processes_account.interrupt, &start,
                    evagg_processes_record(processes, &program, now));
    }
}

/* EVAGG_WARN_AT_FLUSH: called from the main loop only, so that it may print. */
static void on_warning(void *context, const evagg_warning_t *warning) {
    (void)context;
    printf("  %s\n", warning->text);
}

/* What a reset has left is taken over; after power-on there is nothing. */
static bool start_connections(const evagg_config_t *config) {
    return evagg_connections_attach(connections_storage, sizeof connections_storage, config,
                                    &connections) == EVAGG_OK ||
           evagg_connections_init(connections_storage, sizeof connections_storage, config,
                                  &connections) == EVAGG_OK;
}

static bool start_processes(const evagg_config_t *config) {
    return evagg_processes_attach(processes_storage, sizeof processes_storage, config,
                                  &processes) == EVAGG_OK ||
           evagg_processes_init(processes_storage, sizeof processes_storage, config, &processes) ==
               EVAGG_OK;
}

static bool start_agent(void) {
    evagg_config_t config = EVAGG_CONFIG_INIT;
    /* A product reads its hardware's random number generator. */
    config.hash_seed = 0x9e3779b97f4a7c15;
    config.start = now;
    config.interval = WINDOW_TICKS;
    config.warning_delivery = EVAGG_WARN_AT_FLUSH;
    config.acquire = mask_interrupts;
    config.release = restore_interrupts;
    config.capacity = CONNECTIONS;
    if (!start_connections(&config)) {
        return false;
    }
    config.capacity = PROCESSES;
    config.text_bytes = TEXT_BYTES;
    config.text_maximum = TEXT_MAXIMUM;
    return start_processes(&config) &&
           evagg_connections_set_warning_callback(connections, on_warning, NULL) == EVAGG_OK &&
           evagg_processes_set_warning_callback(processes, on_warning, NULL) == EVAGG_OK;
}

static bool uplink_works(const evagg_window_t *window) {
    return stopping || window->sequence % 3 != 2;
}

static evagg_status_t put_back(const evagg_connection_record_t *page, uint32_t count) {
#ifdef AGENT_PLANTED_FAULT
    /* The checks must notice that the first record which could not be sent is lost. */
    static bool lost;
    if (!lost) {
        lost = true;
        page++;
        count--;
    }
#endif
    return evagg_connections_merge(connections, page, count);
}

static void collect_connections(void) {
    evagg_connection_record_t page[CONNECTIONS_PAGE];
    evagg_window_t window;
    evagg_status_t status;
    do {
        call = FLUSH;
        status = evagg_connections_flush(connections, now, page, CONNECTIONS_PAGE, &window);
        call = NO_CALL;
        check_that(status >= 0, "connections", "a page is flushed");
        const bool sent = uplink_works(&window);
        if (!sent) {
            call = MERGE;
            check_that(put_back(page, window.records) == EVAGG_OK, "connections",
                       "a page is merged");
            call = NO_CALL;
        }
        enter_connections(&connections_account, page, window.records, sent);
    } while (status == EVAGG_MORE);
    enter_window(&connections_account, &window, uplink_works(&window));
}

static void collect_processes(void) {
    evagg_process_record_t page[PROCESSES_PAGE];
    char text[PROCESSES_PAGE * (TEXT_MAXIMUM + 1)];
    evagg_window_t window;
    evagg_status_t status;
    do {
        call = FLUSH;
        status =
            evagg_processes_flush(processes, now, page, PROCESSES_PAGE, text, sizeof text, &window);
        call = NO_CALL;
        check_that(status >= 0, "processes", "a page is flushed");
        const bool sent = uplink_works(&window);
        if (!sent) {
            call = MERGE;
            check_that(evagg_processes_merge(processes, page, window.records) == EVAGG_OK,
                       "processes", "a page is merged");
            call = NO_CALL;
        }
        enter_processes(&processes_account, page, window.records, TEXT_MAXIMUM, sent);
    } while (status == EVAGG_MORE);
    enter_window(&processes_account, &window, uplink_works(&window));
}

/* The agent reports its own connection too: the main loop records beside the interrupt. */
static void record_own_packet(void) {
    const traffic_event_t event = {TRAFFIC_OWN_CONNECTION, EVAGG_COUNTED, 64, EVAGG_OUT};
    const evagg_connection_t connection = traffic_connection(event.number);
    call = RECORD;
    const evagg_status_t status =
        evagg_connections_record(connections, &connection, event.direction, event.bytes, now);
    call = NO_CALL;
    enter_offer(&connections_account.main_loop, &event, status);
}

/* Runs for some windows, with bursts or without, until all is sent; then checks the books. */
static void run_agent(bool bursts) {
    evagg_statistics_t statistics;
    open_account(&connections_account, "connections");
    open_account(&processes_account, "processes");
    stopping = false;
    if (!start_agent()) {
        check_that(false, "agent", "it starts");
        return;
    }
    board_start_tick(TICK_PERIOD, on_tick);
    while (connections_account.windows < WINDOWS) {
        busy = bursts && connections_account.windows % 4 < 2;
        record_own_packet();
        if (evagg_connections_due(connections, now) == EVAGG_DUE) {
            collect_connections();
        }
        if (evagg_processes_due(processes, now) == EVAGG_DUE) {
            collect_processes();
        }
    }
    board_stop_tick();
    stopping = true;
    collect_connections();
    collect_processes();
    check_that(evagg_connections_statistics(connections, &statistics) == EVAGG_OK, "connections",
               "there are statistics");
    check_account(&connections_account, &statistics, !bursts);
    check_that(evagg_processes_statistics(processes, &statistics) == EVAGG_OK, "processes",
               "there are statistics");
    check_account(&processes_account, &statistics, !bursts);
    check_that(evagg_connections_deinit(connections) == EVAGG_OK, "connections", "they end");
    check_that(evagg_processes_deinit(processes) == EVAGG_OK, "processes", "they end");
}

int main(void) {
    run_agent(true);
    run_agent(false);
    uint32_t all = 0;
    for (call_t met = NO_CALL; met < CALLS; met++) {
        all += interrupts[met];
    }
    printf("%" PRIu32 " interrupts, of them %" PRIu32 " within record, %" PRIu32
           " within flush, %" PRIu32 " within merge\n",
           all, interrupts[RECORD], interrupts[FLUSH], interrupts[MERGE]);
    check_that(all >= LEAST_INTERRUPTS, "agent", "there were enough interrupts");
    check_that(interrupts[RECORD] > 1000 && interrupts[FLUSH] > 10 && interrupts[MERGE] > 3,
               "agent", "interrupts met every call");
    return failed_checks() == 0 ? 0 : 1;
}
