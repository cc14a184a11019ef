/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef EVAGG_WATCH_TEXT_H
#define EVAGG_WATCH_TEXT_H

#include <stdbool.h>
#include <stddef.h>

enum text_target { TEXT_FOR_JSON, TEXT_FOR_TERMINAL };

/* The bytes as NUL-terminated valid UTF-8, to be freed by the caller. Unchanged if they can be
 * shown as they are; otherwise *escaped is true, each byte that cannot is written as \xNN, and
 * each backslash twice, so that the bytes can be had back. A terminal also gets no control
 * characters: a command line is written by whoever starts the process. */
char *text_escape(const char *bytes, size_t length, enum text_target target, bool *escaped);

#endif
