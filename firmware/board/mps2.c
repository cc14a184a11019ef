/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The instruction counter of the MPS2 boards: timer 0 of the CMSDK, 32 bits wide, which counts down
   at the processor clock. An instruction takes 1 ns under -icount shift=0. */
#include "board.h"

struct timer {
    volatile uint32_t control;
    volatile uint32_t value;
    volatile uint32_t reload;
};

uint32_t board_instructions(void) {
    struct timer *const timer = (struct timer *)(uintptr_t)BOARD_TIMER;
    if (timer->control == 0) {
        timer->reload = UINT32_MAX;
        timer->value = UINT32_MAX;
        timer->control = 1;
    }
    return ~timer->value * BOARD_INSTRUCTION_STEP;
}
