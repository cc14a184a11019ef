/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "table.h"

#include <inttypes.h>
#include <stdio.h>

#define MESSAGE_BYTES 4096

static uint64_t messages(uint64_t bytes) { return (bytes + MESSAGE_BYTES - 1) / MESSAGE_BYTES; }

static void print_inputs(const struct watch *watch, const evagg_statistics_t *connections) {
    const struct counts *counts = &watch->counts;
    if (watch->connections != NULL) {
        (void)printf("packets: %" PRIu64 " read = %" PRIu64 " offered + %" PRIu64
                     " without IP + %" PRIu32 " of other protocols + %" PRIu32 " malformed\n",
                     counts->packets, connections->offered, counts->packets_not_ip,
                     connections->ignored, connections->malformed);
    }
    if (counts->packets_dropped > 0) {
        (void)printf("the kernel dropped %" PRIu64 " more packets\n", counts->packets_dropped);
    }
    if (watch->processes != NULL) {
        (void)printf("processes: %" PRIu64 " programs executed, %" PRIu64
                     " of them gone before /proc could be read\n",
                     counts->processes_started, counts->processes_gone);
    }
    if (counts->connector_overruns > 0) {
        (void)printf("overruns of the process connector: %" PRIu64
                     "; how many processes were missed is not known\n",
                     counts->connector_overruns);
    }
}

void table_summary(const struct watch *watch) {
    evagg_statistics_t statistics[KIND_COUNT];
    uint64_t offered = 0;
    uint64_t lost = 0;
    uint64_t records = 0;
    uint64_t record_bytes = 0;
    uint64_t event_bytes = 0;
    watch_statistics(watch, statistics);
    for (enum event_kind kind = 0; kind < KIND_COUNT; kind++) {
        offered += statistics[kind].offered;
        lost += statistics[kind].rejected + statistics[kind].discarded;
        records += watch->totals[kind].records;
        record_bytes += watch->totals[kind].record_bytes;
        event_bytes += watch->totals[kind].event_bytes;
    }

    (void)printf("Summary\n");
    if (!watch->complete) {
        (void)printf("the input was not read to its end\n");
    }
    print_inputs(watch, &statistics[KIND_CONNECTIONS]);
    (void)printf("events: %" PRIu64 " offered, %" PRIu64 " records out, %" PRIu64
                 " events rejected or discarded\n",
                 offered, records, lost);
    if (records > 0) {
        /* Events that were lost would make aggregation look better than it is. */
        (void)printf("%.1f times fewer records than the events in them\n",
                     (double)(offered - lost) / (double)records);
        (void)printf("messages of 4 KB: %" PRIu64 " instead of %" PRIu64 ", as JSON Lines\n",
                     messages(record_bytes), messages(event_bytes));
    }
}
