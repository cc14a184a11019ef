/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "failure.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "status.h"

static void print_line(const char *format, va_list arguments) {
    char line[1024];
    (void)vsnprintf(line, sizeof line, format, arguments);
    /* Messages of libpcap may hold several lines, and end in one. */
    line[strcspn(line, "\n")] = '\0';
    status_clear();
    (void)fprintf(stderr, "evagg-watch: %s\n", line);
}

void complain(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    print_line(format, arguments);
    va_end(arguments);
}

void fail(int exit_code, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    print_line(format, arguments);
    va_end(arguments);
    exit(exit_code);
}

void *allocate(size_t size) { return reallocate(NULL, size); }

void *reallocate(void *memory, size_t size) {
    void *result = realloc(memory, size > 0 ? size : 1);
    if (result == NULL) {
        fail(EX_OSERR, "out of memory");
    }
    return result;
}
