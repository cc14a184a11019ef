/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef EVAGG_WATCH_FAILURE_H
#define EVAGG_WATCH_FAILURE_H

#include <stddef.h>

/* One line on standard error; the status line, if one is shown, makes room. */
__attribute__((format(printf, 1, 2))) void complain(const char *format, ...);

/* The same, and the end with a code of sysexits.h. */
__attribute__((format(printf, 2, 3), noreturn)) void fail(int exit_code, const char *format, ...);

void *allocate(size_t size);
void *reallocate(void *memory, size_t size);

#endif
