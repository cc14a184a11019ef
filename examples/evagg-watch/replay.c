/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>

#include "capture.h"
#include "failure.h"
#include "report.h"
#include "run.h"
#include "status.h"

#define PACKETS_BETWEEN_LOOKS 1024
#define QUIET_LOOKS 2

struct progress {
    FILE *file;
    off_t size; /* 0: not known, as for a pipe */
    struct timespec last_look;
    uint32_t looks;
};

static void start_progress(struct progress *progress, pcap_t *capture) {
    struct stat status;
    progress->file = pcap_file(capture);
    progress->looks = 0;
    progress->size = 0;
    if (fstat(fileno(progress->file), &status) == 0 && S_ISREG(status.st_mode)) {
        progress->size = status.st_size;
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &progress->last_look);
}

static void show_progress(struct progress *progress, const struct watch *watch) {
    struct timespec now;
    if (watch->counts.packets % PACKETS_BETWEEN_LOOKS != 0 || !status_wanted()) {
        return;
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t elapsed = (int64_t)(now.tv_sec - progress->last_look.tv_sec) * 1000 +
                      (now.tv_nsec - progress->last_look.tv_nsec) / 1000000;
    if (elapsed < STATUS_PERIOD_MILLISECONDS) {
        return;
    }
    progress->last_look = now;
    /* Most replays are over before anybody wonders. */
    if (++progress->looks < QUIET_LOOKS) {
        return;
    }
    char text[64];
    off_t position = progress->size > 0 ? ftello(progress->file) : -1;
    if (position >= 0) {
        (void)snprintf(text, sizeof text, "%3d %%, %" PRIu64 " packets",
                       (int)(position * 100 / progress->size), watch->counts.packets);
    } else {
        (void)snprintf(text, sizeof text, "%" PRIu64 " packets", watch->counts.packets);
    }
    status_show(watch, text);
}

/* Closes the window if the packet is behind its end. Of windows in which the capture is silent,
 * none is reported. */
static void advance(struct watch *watch, int64_t packet_time) {
    const struct timeline *time = &watch->time;
    int64_t interval = watch->options->interval;
    if (interval > 0 && packet_time - time->window_start >= interval) {
        int64_t passed = (packet_time - time->window_start) / interval;
        watch_close_window(watch, time->window_start + interval,
                           time->window_start + passed * interval);
    } else if (timeline_is_full(time)) {
        watch_close_window(watch, time->latest, packet_time);
    }
}

static bool limit_reached(const struct watch *watch) {
    uint64_t limit = watch->options->window_limit;
    return limit > 0 && watch->windows_closed >= limit;
}

/* The result of pcap_next_ex that ended the replay. */
static int replay_packets(struct watch *watch, pcap_t *capture) {
    struct pcap_pkthdr *header;
    const u_char *frame;
    struct progress progress;
    int link_type = pcap_datalink(capture);
    int result;
    start_progress(&progress, capture);
    while ((result = pcap_next_ex(capture, &header, &frame)) == 1) {
        int64_t time = (int64_t)header->ts.tv_sec * 1000 + header->ts.tv_usec / 1000;
        if (watch->counts.packets == 0) {
            timeline_start_window(&watch->time, time);
        }
        advance(watch, time);
        if (limit_reached(watch) || stop_requested) {
            return 0;
        }
        capture_frame(watch, link_type, &watch->options->local_networks, header, frame, time);
        show_progress(&progress, watch);
    }
    /* A read that the signal has interrupted is no damage. */
    return stop_requested ? 0 : result;
}

int run_replay(const struct options *options) {
    struct watch watch;
    pcap_t *capture = capture_open_file(options->capture_file);
    watch_open(&watch, options);
    int result = replay_packets(&watch, capture);
    watch.complete = result == PCAP_ERROR_BREAK;
    if (watch.counts.packets == 0) {
        if (!options->json) {
            (void)printf("no packets\n\n");
        }
    } else if (!limit_reached(&watch)) {
        if (options->interval == 0 && watch.time.earliest < watch.time.window_start) {
            watch.time.window_start = watch.time.earliest;
        }
        watch_close_window(&watch, watch.time.latest, watch.time.latest);
    }
    report_summary(&watch);
    if (result == PCAP_ERROR) {
        complain("%s: the capture is cut off or damaged after %" PRIu64 " packets: %s",
                 options->capture_file, watch.counts.packets, pcap_geterr(capture));
    }
    pcap_close(capture);
    watch_close(&watch);
    return result == PCAP_ERROR ? EX_DATAERR : EX_OK;
}
