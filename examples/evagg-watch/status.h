/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef EVAGG_WATCH_STATUS_H
#define EVAGG_WATCH_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "watch.h"

#define STATUS_PERIOD_MILLISECONDS 250

/* One line on standard error that is written over and over; nothing unless that is a terminal. */
bool status_wanted(void);
void status_show(const struct watch *watch, const char *progress);
void status_clear(void);

#endif
