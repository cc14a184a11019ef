/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "table.h"

#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "address.h"
#include "text.h"

#define TIME_LENGTH 40
#define COUNT_LENGTH 24
#define ENDPOINT_LENGTH (INET6_ADDRSTRLEN + sizeof "[]:65535")

static void time_text(int64_t milliseconds, const char *format, char text[TIME_LENGTH]) {
    int64_t remainder = ((milliseconds % 1000) + 1000) % 1000;
    time_t seconds = (time_t)((milliseconds - remainder) / 1000);
    struct tm calendar;
    size_t length = 0;
    if (localtime_r(&seconds, &calendar) != NULL) {
        length = strftime(text, TIME_LENGTH - 4, format, &calendar);
    }
    (void)snprintf(text + length, TIME_LENGTH - length, ".%03d", (int)remainder);
}

static const char *record_time_format(const struct window_summary *window) {
    char first_day[TIME_LENGTH];
    char last_day[TIME_LENGTH];
    time_text(window->start - window->start % 1000, "%F", first_day);
    time_text(window->end - window->end % 1000, "%F", last_day);
    return strcmp(first_day, last_day) == 0 ? "%T" : "%F %T";
}

static void print_heading(const struct window_summary *window) {
    char start[TIME_LENGTH];
    char end[TIME_LENGTH];
    time_text(window->start, "%F %T", start);
    time_text(window->end, "%F %T", end);
    (void)printf("Window %" PRIu32 ", %s, %s to %s\n", window->sequence, kind_name(window->kind),
                 start, end);
}

static void print_accounting(const struct window_summary *window) {
    (void)printf("offered %" PRIu32 " = kept %" PRIu32 " + rejected %" PRIu32
                 " + discarded %" PRIu32 "; %zu record%s\n",
                 window->offered, window->kept, window->rejected, window->discarded,
                 window->records, window->records == 1 ? "" : "s");
    if (window->kind == KIND_PROCESSES && window->gone > 0) {
        (void)printf("%" PRIu64 " more had ended before /proc could be read\n", window->gone);
    }
    if (window->kind == KIND_PROCESSES && window->overruns > 0) {
        (void)printf("overruns of the process connector: %" PRIu64
                     "; how many processes were missed is not known\n",
                     window->overruns);
    }
    (void)putchar('\n');
}

static void endpoint_text(const evagg_connection_t *connection, const uint8_t *address,
                          uint16_t port, char text[ENDPOINT_LENGTH]) {
    char plain[INET6_ADDRSTRLEN];
    address_text(connection->ip_version, address, plain);
    const char *format = connection->ip_version == 6 ? "[%s]:%u" : "%s:%u";
    bool has_ports = connection->local_port != 0 || connection->remote_port != 0;
    if (!has_ports) {
        format = "%s";
    }
    (void)snprintf(text, ENDPOINT_LENGTH, format, plain, (unsigned)port);
}

static void count_text(uint32_t value, char text[COUNT_LENGTH]) {
    (void)snprintf(text, COUNT_LENGTH, "%" PRIu32 "%s", value, value == UINT32_MAX ? "+" : "");
}

static int longer(int width, const char *text) {
    int length = (int)strlen(text);
    return length > width ? length : width;
}

void table_connections(const struct window_summary *window,
                       const struct connection_entry *entries) {
    const char *time_format = record_time_format(window);
    char local[ENDPOINT_LENGTH];
    char remote[ENDPOINT_LENGTH];
    int local_width = (int)strlen("LOCAL");
    int remote_width = (int)strlen("REMOTE");
    for (size_t i = 0; i < window->records; i++) {
        const evagg_connection_t *connection = &entries[i].record.connection;
        endpoint_text(connection, connection->local_address, connection->local_port, local);
        endpoint_text(connection, connection->remote_address, connection->remote_port, remote);
        local_width = longer(local_width, local);
        remote_width = longer(remote_width, remote);
    }
    print_heading(window);
    if (window->records > 0) {
        char width_sample[TIME_LENGTH];
        time_text(window->start, time_format, width_sample);
        (void)printf("%10s %11s %11s %-6s %-*s %-*s %-*s %s\n", "HITS", "BYTES IN", "BYTES OUT",
                     "PROTO", local_width, "LOCAL", remote_width, "REMOTE", longer(0, width_sample),
                     "FIRST SEEN", "LAST SEEN");
    }
    for (size_t i = 0; i < window->records; i++) {
        const evagg_connection_record_t *record = &entries[i].record;
        const evagg_connection_t *connection = &record->connection;
        const char *transport = transport_name(connection->protocol);
        char hits[COUNT_LENGTH];
        char bytes_in[COUNT_LENGTH];
        char bytes_out[COUNT_LENGTH];
        char first_seen[TIME_LENGTH];
        char last_seen[TIME_LENGTH];
        endpoint_text(connection, connection->local_address, connection->local_port, local);
        endpoint_text(connection, connection->remote_address, connection->remote_port, remote);
        count_text(record->hit_count, hits);
        count_text(record->bytes_in, bytes_in);
        count_text(record->bytes_out, bytes_out);
        time_text(entries[i].first_seen, time_format, first_seen);
        time_text(entries[i].last_seen, time_format, last_seen);
        (void)printf("%10s %11s %11s %-6s %-*s %-*s %s %s\n", hits, bytes_in, bytes_out,
                     transport != NULL ? transport : "other", local_width, local, remote_width,
                     remote, first_seen, last_seen);
    }
    print_accounting(window);
}

void table_processes(const struct window_summary *window, const struct process_entry *entries) {
    const char *time_format = record_time_format(window);
    print_heading(window);
    if (window->records > 0) {
        char width_sample[TIME_LENGTH];
        time_text(window->start, time_format, width_sample);
        int width = longer(0, width_sample);
        (void)printf("%10s %-*s %-*s %-12s %9s %9s %s\n", "HITS", width, "FIRST SEEN", width,
                     "LAST SEEN", "USER", "PID", "PARENT", "COMMAND LINE");
    }
    for (size_t i = 0; i < window->records; i++) {
        const evagg_process_record_t *record = &entries[i].record;
        bool truncated = (record->flags & EVAGG_RECORD_TRUNCATED) != 0;
        char hits[COUNT_LENGTH];
        char user[COUNT_LENGTH];
        char first_seen[TIME_LENGTH];
        char last_seen[TIME_LENGTH];
        bool escaped;
        const struct passwd *account = getpwuid(record->user_id);
        if (account != NULL && strlen(account->pw_name) < sizeof user) {
            strcpy(user, account->pw_name);
        } else {
            (void)snprintf(user, sizeof user, "%" PRIu32, record->user_id);
        }
        count_text(record->hit_count, hits);
        time_text(entries[i].first_seen, time_format, first_seen);
        time_text(entries[i].last_seen, time_format, last_seen);
        char *command_line = text_escape(entries[i].command_line, record->command_line_length,
                                         TEXT_FOR_TERMINAL, &escaped);
        (void)printf("%10s %s %s %-12s %9" PRIu32 " %9" PRIu32 " %s%s\n", hits, first_seen,
                     last_seen, user, record->process_id, record->parent_process_id, command_line,
                     truncated ? " ..." : "");
        free(command_line);
    }
    print_accounting(window);
}
