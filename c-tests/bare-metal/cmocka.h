/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What the C tests use of cmocka (https://cmocka.org), for machines without an operating system:
   the same names, the same meaning. On a host the tests use cmocka itself. */
#ifndef EVAGG_C_TESTS_CMOCKA_H
#define EVAGG_C_TESTS_CMOCKA_H

#include <stddef.h>
#include <stdint.h>

struct CMUnitTest {
    const char *name;
    void (*test_func)(void **state);
};

/* Only for the macros below. An assertion that does not hold ends its test. */
void cmocka_check(int holds, const char *text, const char *file, int line);
void cmocka_check_equal(uintmax_t left, uintmax_t right, const char *file, int line);
void cmocka_check_strings(const char *left, const char *right, const char *file, int line);
void cmocka_check_memory(const void *left, const void *right, size_t size, const char *file,
                         int line);
int cmocka_run(const char *group, const struct CMUnitTest *tests, size_t count,
               int (*setup)(void **state), int (*teardown)(void **state));

#define cmocka_unit_test(function) \
    { #function, function }
/* Returns how many tests failed. */
#define cmocka_run_group_tests(tests, setup, teardown) \
    cmocka_run(#tests, tests, sizeof(tests) / sizeof((tests)[0]), setup, teardown)

#define assert_true(condition) cmocka_check((condition) != 0, #condition, __FILE__, __LINE__)
#define assert_null(pointer) \
    cmocka_check((pointer) == NULL, #pointer " is NULL", __FILE__, __LINE__)
#define assert_non_null(pointer) \
    cmocka_check((pointer) != NULL, #pointer " is not NULL", __FILE__, __LINE__)
#define assert_int_equal(left, right) \
    cmocka_check_equal((uintmax_t)(left), (uintmax_t)(right), __FILE__, __LINE__)
#define assert_ptr_equal(left, right) \
    cmocka_check_equal((uintptr_t)(left), (uintptr_t)(right), __FILE__, __LINE__)
#define assert_string_equal(left, right) cmocka_check_strings(left, right, __FILE__, __LINE__)
#define assert_memory_equal(left, right, size) \
    cmocka_check_memory(left, right, size, __FILE__, __LINE__)

#endif
