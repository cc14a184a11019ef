/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/timerfd.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "capture.h"
#include "connector.h"
#include "failure.h"
#include "report.h"
#include "run.h"
#include "status.h"

#define PACKETS_A_READ 1024

enum source { SOURCE_PROCESSES, SOURCE_PACKETS, SOURCE_TIMER, SOURCE_COUNT };

struct live {
    struct watch watch;
    struct network_list own_addresses;
    const struct network_list *local_networks;
    pcap_t *capture;
    struct mnl_socket *connector;
    struct pollfd sources[SOURCE_COUNT];
    int64_t clock_offset; /* from the clock that never jumps to the calendar */
    int64_t latest_packet;
    bool input_failed;
};

static int64_t milliseconds(clockid_t clock) {
    struct timespec time;
    (void)clock_gettime(clock, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static int64_t now(const struct live *live) {
    return milliseconds(CLOCK_MONOTONIC) + live->clock_offset;
}

static int start_timer(uint32_t interval) {
    struct timespec period = {.tv_sec = interval / 1000, .tv_nsec = interval % 1000 * 1000000L};
    struct itimerspec setting = {.it_interval = period, .it_value = period};
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (timer < 0 || timerfd_settime(timer, 0, &setting, NULL) != 0) {
        fail(EX_OSERR, "timer: %s", strerror(errno));
    }
    return timer;
}

static void learn_own_addresses(struct live *live) {
    if (live->watch.options->local_networks.count > 0) {
        live->local_networks = &live->watch.options->local_networks;
        return;
    }
    live->local_networks = &live->own_addresses;
    if (!network_list_of_host(&live->own_addresses)) {
        complain("the addresses of this host: %s", strerror(errno));
    }
}

static void open_sources(struct live *live, const struct options *options) {
    for (enum source source = 0; source < SOURCE_COUNT; source++) {
        live->sources[source] = (struct pollfd){.fd = -1, .events = POLLIN};
    }
    if (options->watch_packets) {
        live->capture = capture_open_interface(options->interface_name);
        live->sources[SOURCE_PACKETS].fd = pcap_get_selectable_fd(live->capture);
    }
    if (options->watch_processes) {
        live->connector = connector_open();
        live->sources[SOURCE_PROCESSES].fd = mnl_socket_get_fd(live->connector);
    }
    live->sources[SOURCE_TIMER].fd = start_timer(options->interval);
}

/* When the kernel saw the packet, by the clock of the run: the calendar tells only how long ago that
 * was, as it may have been set since the start. Never before the window or the last packet. */
static int64_t packet_time(struct live *live, const struct timeval *seen) {
    int64_t age =
        milliseconds(CLOCK_REALTIME) - ((int64_t)seen->tv_sec * 1000 + seen->tv_usec / 1000);
    int64_t time = now(live) - (age > 0 ? age : 0);
    if (time < live->watch.time.window_start) {
        time = live->watch.time.window_start;
    }
    if (time > live->latest_packet) {
        live->latest_packet = time;
    }
    return live->latest_packet;
}

static void on_frame(u_char *context, const struct pcap_pkthdr *header, const u_char *frame) {
    struct live *live = (struct live *)(void *)context;
    capture_frame(&live->watch, pcap_datalink(live->capture), live->local_networks, header, frame,
                  packet_time(live, &header->ts));
}

static void read_packets(struct live *live) {
    int result = pcap_dispatch(live->capture, PACKETS_A_READ, on_frame, (u_char *)live);
    if (result == PCAP_ERROR) {
        complain("%s: %s", live->watch.options->interface_name, pcap_geterr(live->capture));
        live->input_failed = true;
    }
}

static void read_sources(struct live *live) {
    /* Processes first: packets wait in the kernel, but /proc forgets. */
    if (live->connector != NULL) {
        connector_read(live->connector, &live->watch, now(live));
    }
    if (live->capture != NULL) {
        read_packets(live);
    }
}

static void close_window(struct live *live) {
    int64_t end = now(live);
    struct pcap_stat statistics;
    if (live->capture != NULL && pcap_stats(live->capture, &statistics) == 0) {
        live->watch.counts.packets_dropped = statistics.ps_drop;
    }
    watch_close_window(&live->watch, end, end);
    learn_own_addresses(live);
}

static bool timer_expired(const struct live *live) {
    uint64_t expirations;
    return read(live->sources[SOURCE_TIMER].fd, &expirations, sizeof expirations) ==
           (ssize_t)sizeof expirations;
}

static void watch_until_stopped(struct live *live, const sigset_t *signals_while_waiting) {
    const struct timespec period = {.tv_nsec = STATUS_PERIOD_MILLISECONDS * 1000000L};
    const struct timespec *timeout = status_wanted() ? &period : NULL;
    uint64_t limit = live->watch.options->window_limit;
    int64_t status_due = now(live);
    while (!stop_requested && !live->input_failed) {
        if (ppoll(live->sources, SOURCE_COUNT, timeout, signals_while_waiting) < 0 &&
            errno != EINTR) {
            fail(EX_OSERR, "poll: %s", strerror(errno));
        }
        read_sources(live);
        if (timer_expired(live)) {
            close_window(live);
            if (limit > 0 && live->watch.windows_closed >= limit) {
                live->watch.complete = true;
                return;
            }
        }
        if (timeout != NULL && now(live) >= status_due) {
            status_show(&live->watch, "");
            status_due = now(live) + STATUS_PERIOD_MILLISECONDS;
        }
    }
    live->watch.complete = !live->input_failed;
    close_window(live);
}

static void close_sources(struct live *live) {
    if (live->capture != NULL) {
        pcap_close(live->capture);
    }
    if (live->connector != NULL) {
        connector_close(live->connector);
    }
    (void)close(live->sources[SOURCE_TIMER].fd);
    network_list_free(&live->own_addresses);
}

int run_live(const struct options *options) {
    struct live live = {0};
    sigset_t stop_signals;
    sigset_t signals_before;
    /* The signals arrive only while ppoll waits, so that none is missed between look and wait. */
    (void)sigemptyset(&stop_signals);
    (void)sigaddset(&stop_signals, SIGINT);
    (void)sigaddset(&stop_signals, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &stop_signals, &signals_before);

    watch_open(&live.watch, options);
    open_sources(&live, options);
    live.clock_offset = milliseconds(CLOCK_REALTIME) - milliseconds(CLOCK_MONOTONIC);
    timeline_start_window(&live.watch.time, now(&live));
    learn_own_addresses(&live);

    watch_until_stopped(&live, &signals_before);
    report_summary(&live.watch);
    close_sources(&live);
    watch_close(&live.watch);
    return live.input_failed ? EX_IOERR : EX_OK;
}
