/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "timeline.h"

#include <stdlib.h>

#include "failure.h"

/* How far back a packet may be and still belong to the same stretch. A packet further back begins a
 * stretch of its own behind it: then "first" and "last" follow the order of the capture. */
#define MOST_DISORDER INT64_C(60000)
#define LONGEST_GAP (4 * MOST_DISORDER)
#define STRETCH_DISTANCE (2 * MOST_DISORDER)

static void add_stretch(struct timeline *timeline, int64_t offset, int64_t time) {
    size_t size = (timeline->stretch_count + 1) * sizeof *timeline->stretches;
    timeline->stretches = reallocate(timeline->stretches, size);
    timeline->stretches[timeline->stretch_count++] =
        (struct timeline_stretch){.offset = offset, .time = time};
    timeline->highest_offset = offset;
    timeline->latest_in_stretch = time;
}

void timeline_start_window(struct timeline *timeline, int64_t start) {
    timeline->window_start = start;
    timeline->earliest = start;
    timeline->latest = start;
    timeline->base += (evagg_time_t)timeline->highest_offset;
    timeline->stretch_count = 0;
    add_stretch(timeline, MOST_DISORDER, start);
}

void timeline_free(struct timeline *timeline) {
    free(timeline->stretches);
    timeline->stretches = NULL;
    timeline->stretch_count = 0;
}

evagg_time_t timeline_ticks(struct timeline *timeline, int64_t time) {
    if (time < timeline->earliest) {
        timeline->earliest = time;
    }
    if (time > timeline->latest) {
        timeline->latest = time;
    }
    int64_t step = time - timeline->latest_in_stretch;
    if (step < -MOST_DISORDER || step > LONGEST_GAP) {
        add_stretch(timeline, timeline->highest_offset + STRETCH_DISTANCE, time);
    } else if (step > 0) {
        timeline->latest_in_stretch = time;
        timeline->highest_offset += step;
    }
    int64_t offset = timeline->highest_offset + time - timeline->latest_in_stretch;
    return timeline->base + (evagg_time_t)offset;
}

int64_t timeline_time(const struct timeline *timeline, evagg_time_t ticks) {
    int64_t offset = (evagg_time_t)(ticks - timeline->base);
    size_t low = 0;
    size_t high = timeline->stretch_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (timeline->stretches[middle].offset - MOST_DISORDER <= offset) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return timeline->stretches[low].time + offset - timeline->stretches[low].offset;
}

bool timeline_is_full(const struct timeline *timeline) {
    return timeline->highest_offset > INT32_MAX - LONGEST_GAP - STRETCH_DISTANCE;
}
