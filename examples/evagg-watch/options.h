/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef EVAGG_WATCH_OPTIONS_H
#define EVAGG_WATCH_OPTIONS_H

#include "watch.h"

/* Ends the program with EX_USAGE if the command line makes no sense. */
void options_parse(struct options *options, int argc, char **argv);

#endif
