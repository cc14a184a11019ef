/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Fails on purpose, once with each assertion, to show that a failure is noticed, that the tests
   behind it still run, and that the exit status counts the failures. See cmake/expect.cmake. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int tests_run;

static void not_true(void **state) {
    (void)state;
    tests_run++;
    assert_true(tests_run == 0);
}

static void not_null(void **state) {
    tests_run++;
    assert_null(state);
}

static void null(void **state) {
    (void)state;
    tests_run++;
    assert_non_null(NULL);
}

static void numbers_differ_in_the_upper_half(void **state) {
    (void)state;
    tests_run++;
    assert_int_equal(UINT64_C(0x100000002), 2);
}

static void pointers_differ(void **state) {
    tests_run++;
    assert_ptr_equal(state, &tests_run);
}

static void strings_differ(void **state) {
    (void)state;
    tests_run++;
    assert_string_equal("left", "leftmost");
}

static void memory_differs_in_the_last_byte(void **state) {
    (void)state;
    tests_run++;
    assert_memory_equal("abc", "abd", 3);
}

static void all_of_them_hold(void **state) {
    assert_true(tests_run == 7);
    assert_null(NULL);
    assert_non_null(state);
    assert_int_equal(-1, INT64_C(-1));
    assert_ptr_equal(state, state);
    assert_string_equal("left", "left");
    assert_memory_equal("abc", "abd", 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(not_true),
        cmocka_unit_test(not_null),
        cmocka_unit_test(null),
        cmocka_unit_test(numbers_differ_in_the_upper_half),
        cmocka_unit_test(pointers_differ),
        cmocka_unit_test(strings_differ),
        cmocka_unit_test(memory_differs_in_the_last_byte),
        cmocka_unit_test(all_of_them_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
