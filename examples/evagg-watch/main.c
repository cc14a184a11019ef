/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* evagg-watch: the sample agent. Events come in through live.c or replay.c, watch.c gives them to
 * the library and drains its windows, report.c shows them. */
#include <signal.h>
#include <stddef.h>

#include "options.h"
#include "run.h"

volatile sig_atomic_t stop_requested;

static void request_stop(int signal_number) {
    (void)signal_number;
    stop_requested = 1;
}

int main(int argc, char **argv) {
    struct options options;
    options_parse(&options, argc, argv);

    /* Without SA_RESTART, so that a replay from a silent pipe ends too. */
    struct sigaction stop = {.sa_handler = request_stop};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    (void)sigaction(SIGINT, &stop, NULL);
    (void)sigaction(SIGTERM, &stop, NULL);
    /* A broken pipe is then an error of the write, and gets its line. */
    (void)sigaction(SIGPIPE, &ignore, NULL);

    int exit_code = options.capture_file != NULL ? run_replay(&options) : run_live(&options);
    network_list_free(&options.local_networks);
    return exit_code;
}
