/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "options.h"

#include <argp.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sysexits.h>

#define DEFAULT_LIVE_INTERVAL 10000

enum {
    KEY_CONNECTIONS = 256,
    KEY_PROCESSES,
    KEY_PROCESS_TEXT,
    KEY_OVERFLOW,
    KEY_SEED,
    KEY_NO_PACKETS,
    KEY_NO_PROCESSES,
};

static const struct argp_option option_table[] = {
    {"pcap", 'r', "FILE", 0, "Replay a capture file (- for standard input)", 1},
    {"interface", 'i', "NAME", 0, "Watch one interface (default: any)", 1},
    {"local", 'l', "CIDR", 0,
     "Addresses that are local; may be given again (default: those of this host; in a replay, the "
     "endpoint that compares lower)",
     1},
    {"no-packets", KEY_NO_PACKETS, NULL, 0, "Watch processes only", 1},
    {"no-processes", KEY_NO_PROCESSES, NULL, 0, "Watch packets only", 1},
    {"interval", 't', "SECONDS", 0,
     "Length of a window (default: 10; in a replay, by the clock of the capture, the whole file)",
     2},
    {"count", 'c', "N", 0, "Stop after N windows", 2},
    {"connections", KEY_CONNECTIONS, "N", 0, "Entries of the connection cache (default: 64)", 3},
    {"processes", KEY_PROCESSES, "N", 0, "Entries of the process cache (default: 32)", 3},
    {"process-text", KEY_PROCESS_TEXT, "BYTES", 0,
     "Bytes that the command lines of the process cache share (default: 128 for each entry)", 3},
    {"overflow", KEY_OVERFLOW, "POLICY", 0,
     "When a cache is full, reject new events or discard the oldest entry (default: reject "
     "connections, discard processes)",
     3},
    {"seed", KEY_SEED, "N", 0, "Seed of the hash (default: random)", 3},
    {"json", 'j', NULL, 0, "Write JSON Lines", 4},
    {"sort", 's', "ORDER", 0, "hits, first-seen or bytes (default: hits)", 4},
    {0},
};

static uint64_t parse_number(struct argp_state *state, const char *name, const char *text,
                             uint64_t minimum, uint64_t maximum) {
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 0);
    if (!isdigit((unsigned char)text[0]) || *end != '\0' || errno != 0 || number < minimum ||
        number > maximum) {
        argp_error(state, "--%s %s: not a number from %llu to %llu", name, text,
                   (unsigned long long)minimum, (unsigned long long)maximum);
    }
    return number;
}

static uint32_t parse_interval(struct argp_state *state, const char *text) {
    char *end;
    double seconds = strtod(text, &end);
    if (end == text || *end != '\0' || !(seconds >= 0.001 && seconds <= 2000000.0)) {
        argp_error(state, "--interval %s: not a number of seconds from 0.001 to 2000000", text);
    }
    return (uint32_t)(seconds * 1000.0 + 0.5);
}

/* The position of the text in a list that ends in NULL. */
static int parse_choice(struct argp_state *state, const char *name, const char *text,
                        const char *const *choices) {
    for (int i = 0; choices[i] != NULL; i++) {
        if (strcmp(text, choices[i]) == 0) {
            return i;
        }
    }
    argp_error(state, "--%s: no such choice: %s", name, text);
    return 0;
}

static void add_local_network(struct argp_state *state, struct options *options, const char *text) {
    struct network network;
    if (!network_parse(text, &network)) {
        argp_error(state, "--local %s: not an address or a network", text);
    }
    network_list_add(&options->local_networks, &network);
}

static void settle(struct argp_state *state, struct options *options) {
    bool replay = options->capture_file != NULL;
    if (replay && (options->interface_name != NULL || !options->watch_packets)) {
        argp_error(state, "--pcap goes neither with --interface nor with --no-packets");
    }
    if (replay) {
        options->watch_processes = false;
    } else if (options->interval == 0) {
        options->interval = DEFAULT_LIVE_INTERVAL;
    }
    if (!options->watch_packets && !options->watch_processes) {
        argp_error(state, "with --no-packets and --no-processes nothing is left to watch");
    }
    if (options->interface_name == NULL) {
        options->interface_name = "any";
    }
}

static error_t parse_option(int key, char *argument, struct argp_state *state) {
    static const char *const orders[] = {"hits", "first-seen", "bytes", NULL};
    static const char *const policies[] = {"reject", "discard", NULL};
    static const uint8_t policy_values[] = {EVAGG_REJECT_NEW, EVAGG_DISCARD_OLDEST};
    struct options *options = state->input;
    switch (key) {
    case 'r':
        options->capture_file = argument;
        break;
    case 'i':
        options->interface_name = argument;
        break;
    case 'l':
        add_local_network(state, options, argument);
        break;
    case KEY_NO_PACKETS:
        options->watch_packets = false;
        break;
    case KEY_NO_PROCESSES:
        options->watch_processes = false;
        break;
    case 't':
        options->interval = parse_interval(state, argument);
        break;
    case 'c':
        options->window_limit = parse_number(state, "count", argument, 1, UINT32_MAX);
        break;
    case KEY_CONNECTIONS:
        options->connection_capacity =
            (uint32_t)parse_number(state, "connections", argument, 1, EVAGG_MAXIMUM_CAPACITY);
        break;
    case KEY_PROCESSES:
        options->process_capacity =
            (uint32_t)parse_number(state, "processes", argument, 1, EVAGG_MAXIMUM_CAPACITY);
        break;
    case KEY_PROCESS_TEXT:
        options->process_text_bytes =
            (uint32_t)parse_number(state, "process-text", argument,
                                   EVAGG_PROCESSES_DEFAULT_TEXT_MAXIMUM, EVAGG_MAXIMUM_TEXT_BYTES);
        break;
    case KEY_OVERFLOW:
        options->overflow_policy =
            policy_values[parse_choice(state, "overflow", argument, policies)];
        break;
    case KEY_SEED:
        options->seed = parse_number(state, "seed", argument, 0, UINT64_MAX);
        break;
    case 'j':
        options->json = true;
        break;
    case 's':
        options->sort = (enum sort_order)parse_choice(state, "sort", argument, orders);
        break;
    case ARGP_KEY_ARG:
        argp_error(state, "unexpected argument: %s", argument);
        break;
    case ARGP_KEY_END:
        settle(state, options);
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static void print_version(FILE *stream, struct argp_state *state) {
    (void)state;
    (void)fprintf(stream, "evagg-watch %s\n", evagg_version());
}

void options_parse(struct options *options, int argc, char **argv) {
    static const struct argp parser = {
        .options = option_table,
        .parser = parse_option,
        .doc = "Counts the connections and the processes of this machine, or the connections of a "
               "capture file, and reports each distinct one once per window.",
    };
    static char program_name[] = "evagg-watch";
    argp_err_exit_status = EX_USAGE;
    argp_program_version_hook = print_version;

    *options = (struct options){
        .connection_capacity = EVAGG_CONNECTIONS_DEFAULT_CAPACITY,
        .process_capacity = EVAGG_PROCESSES_DEFAULT_CAPACITY,
        .watch_packets = true,
        .watch_processes = true,
    };
    /* Peers must not be able to choose colliding connections. */
    if (getrandom(&options->seed, sizeof options->seed, 0) != (ssize_t)sizeof options->seed) {
        options->seed = 0;
    }
    /* getopt would complain under the whole path. */
    if (argc > 0) {
        argv[0] = program_name;
    }
    (void)argp_parse(&parser, argc, argv, 0, NULL, options);
}
