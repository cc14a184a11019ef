/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef EVAGG_WATCH_RUN_H
#define EVAGG_WATCH_RUN_H

#include <signal.h>

#include "watch.h"

/* Set by SIGINT and SIGTERM. */
extern volatile sig_atomic_t stop_requested;

/* Both run until the input or the number of windows is at its end or a stop is requested, report
 * everything, and return the exit code. */
int run_live(const struct options *options);
int run_replay(const struct options *options);

#endif
