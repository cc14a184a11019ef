/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The lock of evagg_threadx.h: it masks interrupts and restores what was before. */
#include "packets.h"

static void acquire_masks_and_release_restores(void **state) {
    (void)state;
    const ULONG masks = fake_masks;
    const size_t posture = evagg_threadx_acquire(NULL);
    assert_int_equal(fake_posture(), FAKE_MASKED);
    assert_int_equal(posture, FAKE_ENABLED);
    evagg_threadx_release(NULL, posture);
    assert_int_equal(fake_posture(), FAKE_ENABLED);
    assert_int_equal(fake_masks, masks + 1);
    check_fakes();
}

/* An interrupt handler, or initialization, may have interrupts masked already. */
static void what_was_masked_before_stays_masked(void **state) {
    (void)state;
    const UINT outer = fake_tx_disable();
    const size_t inner = evagg_threadx_acquire(NULL);
    assert_int_equal(inner, FAKE_MASKED);
    evagg_threadx_release(NULL, inner);
    assert_int_equal(fake_posture(), FAKE_MASKED);
    fake_tx_restore(outer);
    assert_int_equal(fake_posture(), FAKE_ENABLED);
    fake_nested_masks = 0;
    check_fakes();
}

static void the_context_is_not_used(void **state) {
    (void)state;
    int context = 7;
    const size_t posture = evagg_threadx_acquire(&context);
    evagg_threadx_release(&context, posture);
    assert_int_equal(context, 7);
    check_fakes();
}

/* Once for each event and each record that leaves or comes back, never one within the other. */
static void an_instance_locks_with_it(void **state) {
    (void)state;
    cache_open();
    const ULONG masks = fake_masks;
    for (uint32_t n = 0; n < 10; n++) {
        assert_int_equal(see_flow(subject.handle, n, 1001), EVAGG_FIRST);
    }
    assert_int_equal(fake_masks, masks + 10);
    connections_drain(&subject, 1002, 4);
    assert_true(fake_masks >= masks + 20);
    assert_int_equal(evagg_connections_merge(subject.handle, subject.records, 10), EVAGG_OK);
    assert_true(fake_masks >= masks + 30);
    assert_int_equal(fake_posture(), FAKE_ENABLED);
    connections_close(&subject, 1003);
    check_fakes();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(acquire_masks_and_release_restores),
        cmocka_unit_test(what_was_masked_before_stays_masked),
        cmocka_unit_test(the_context_is_not_used),
        cmocka_unit_test(an_instance_locks_with_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
