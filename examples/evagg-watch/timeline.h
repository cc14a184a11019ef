/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Between the calendar, in milliseconds since 1970, and the ticks of the library.
 *
 * The library compares ticks modulo 2^32: those of one window must not be further apart than
 * half of that, 24.8 days in milliseconds. A capture may well hold packets of different years.
 * So a tick is a millisecond, but the gaps in which nothing happens are cut short, and where
 * they were is kept to find the way back. */
#ifndef EVAGG_WATCH_TIMELINE_H
#define EVAGG_WATCH_TIMELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "evagg.h"

struct timeline_stretch {
    int64_t offset; /* ticks since the base */
    int64_t time;
};

struct timeline {
    int64_t window_start;
    int64_t earliest; /* of the events in the window: packets may be out of order */
    int64_t latest;
    evagg_time_t base;
    int64_t highest_offset;
    int64_t latest_in_stretch;
    struct timeline_stretch *stretches; /* of the window */
    size_t stretch_count;
};

/* Also for the next window: the ticks go on from where they are. */
void timeline_start_window(struct timeline *timeline, int64_t start);
void timeline_free(struct timeline *timeline);
evagg_time_t timeline_ticks(struct timeline *timeline, int64_t time);
int64_t timeline_time(const struct timeline *timeline, evagg_time_t ticks);

/* True if the window has to be closed before the ticks lose their order. */
bool timeline_is_full(const struct timeline *timeline);

#endif
