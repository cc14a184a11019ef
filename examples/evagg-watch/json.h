/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* One line of JSON each, without the line break, to be freed by the caller. docs/evagg-watch.md
 * describes them. */
#ifndef EVAGG_WATCH_JSON_H
#define EVAGG_WATCH_JSON_H

#include "report.h"

char *json_window(const struct window_summary *window);
char *json_connection(const struct connection_entry *entry, uint32_t window);
char *json_process(const struct process_entry *entry, uint32_t window);
char *json_warning(enum event_kind kind, const evagg_warning_t *warning);
char *json_summary(const struct watch *watch);

#endif
