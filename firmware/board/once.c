/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "board.h"

/* Takes `count` instructions more than with 0. */
static void spend_instructions(uint32_t count) {
    uint32_t half = count / 2 + 1;
    count &= 1;
#ifdef __riscv
    __asm__ volatile("beqz %1, 1f\n\t"
                     "nop\n"
                     "1:\n\t"
                     "addi %0, %0, -1\n\t"
                     "bnez %0, 1b"
                     : "+r"(half)
                     : "r"(count));
#else
    __asm__ volatile(".syntax unified\n\t"
                     "cmp %1, #0\n\t"
                     "beq 1f\n\t"
                     "nop\n"
                     "1:\n\t"
                     "subs %0, #1\n\t"
                     "bne 1b"
                     : "+l"(half)
                     : "l"(count)
                     : "cc");
#endif
}

void board_interrupt_once(uint32_t instructions, void (*handler)(void)) {
#ifdef __riscv
    /* mtime goes on where it is, and here a count of it begins. On Cortex-M, starting the timer
       begins one. */
    spend_instructions(BOARD_TICK_INSTRUCTIONS - board_instructions() % BOARD_TICK_INSTRUCTIONS);
#endif
    board_start_tick(2 + instructions / BOARD_TICK_INSTRUCTIONS, handler);
    spend_instructions(2 * BOARD_TICK_INSTRUCTIONS - 1 - instructions % BOARD_TICK_INSTRUCTIONS);
}
