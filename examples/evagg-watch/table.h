/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef EVAGG_WATCH_TABLE_H
#define EVAGG_WATCH_TABLE_H

#include "report.h"

void table_connections(const struct window_summary *window, const struct connection_entry *entries);
void table_processes(const struct window_summary *window, const struct process_entry *entries);
void table_summary(const struct watch *watch);

#endif
