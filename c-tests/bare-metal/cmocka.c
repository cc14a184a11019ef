/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cmocka.h"

static jmp_buf end_of_test;

static _Noreturn void fail(const char *file, int line, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n%s:%d: error: Failure!\n", file, line);
    longjmp(end_of_test, 1);
}

void cmocka_check(int holds, const char *text, const char *file, int line) {
    if (!holds) {
        fail(file, line, "not true: %s", text);
    }
}

void cmocka_check_equal(uintmax_t left, uintmax_t right, const char *file, int line) {
    if (left != right) {
        fail(file, line, "0x%jx != 0x%jx", left, right);
    }
}

void cmocka_check_strings(const char *left, const char *right, const char *file, int line) {
    if (strcmp(left, right) != 0) {
        fail(file, line, "\"%s\" != \"%s\"", left, right);
    }
}

void cmocka_check_memory(const void *left, const void *right, size_t size, const char *file,
                         int line) {
    const uint8_t *const bytes = left;
    const uint8_t *const others = right;
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != others[i]) {
            fail(file, line, "difference at offset %zu: 0x%02x != 0x%02x", i, bytes[i], others[i]);
        }
    }
}

/* As in cmocka, a null function succeeds. */
static int failed(int (*function)(void **state), void **state) {
    return setjmp(end_of_test) != 0 || (function != NULL && function(state) != 0);
}

int cmocka_run(const char *group, const struct CMUnitTest *tests, size_t count,
               int (*setup)(void **state), int (*teardown)(void **state)) {
    void *state = NULL;
    volatile int failures = 0;
    printf("[==========] %s: Running %zu test(s).\n", group, count);
    if (failed(setup, &state)) {
        printf("[  FAILED  ] GROUP SETUP\n");
        return (int)count;
    }
    for (volatile size_t i = 0; i < count; i++) {
        printf("[ RUN      ] %s\n", tests[i].name);
        if (setjmp(end_of_test) == 0) {
            tests[i].test_func(&state);
            printf("[       OK ] %s\n", tests[i].name);
        } else {
            failures++;
            printf("[  FAILED  ] %s\n", tests[i].name);
        }
    }
    if (failed(teardown, &state)) {
        failures++;
        printf("[  FAILED  ] GROUP TEARDOWN\n");
    }
    printf("[==========] %s: %zu test(s) run.\n", group, count);
    printf("[  PASSED  ] %zu test(s).\n", count - (size_t)failures);
    if (failures > 0) {
        printf("[  FAILED  ] %s: %d test(s)\n", group, failures);
    }
    return failures;
}
