/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What a firmware asks of the machine it runs on. main() is called with the stack, .data and .bss
   in place and interrupts on; what it returns becomes the exit status of the emulator. */
#ifndef EVAGG_FIRMWARE_BOARD_H
#define EVAGG_FIRMWARE_BOARD_H

#include <stdint.h>

/* For data that has to survive a reset without loss of power: start-up neither loads nor clears it,
   and it has a fixed place, the start of RAM. */
#define BOARD_RETAINED __attribute__((section(".evagg")))

/* Masks interrupts; returns what the matching restore needs. Pairs may nest. */
uint32_t board_mask_interrupts(void);
void board_restore_interrupts(uint32_t state);

/* Calls handler in an interrupt, again and again, each time `period` counts of the timer after it
   returned: of the processor clock on Cortex-M (2 to 2^24), of mtime on RISC-V. So the main program
   goes on, however long the handler takes. The handler may call both functions. */
void board_start_tick(uint32_t period, void (*handler)(void));
void board_stop_tick(void);

/* For the handler: the instruction that the interrupt came before. */
uintptr_t board_interrupted_address(void);

/* Calls handler, which calls board_stop_tick(), in an interrupt that comes one instruction later for
   every one that `instructions` is more: a fixed number of instructions after it returns. In an
   emulator that counts them, and not on the microbit. */
void board_interrupt_once(uint32_t instructions, void (*handler)(void));

/* Instructions executed, modulo 2^32, in an emulator that counts them (-icount shift=0). On the
   Cortex-M machines it advances in steps of BOARD_INSTRUCTION_STEP; microbit has none. */
uint32_t board_instructions(void);

/* Resets the machine, which keeps what is BOARD_RETAINED. */
_Noreturn void board_reset_machine(void);
/* For the handler, which then returns: not to the program, but to its start-up. To the program that
   is a reset, and in the emulator it takes a hundredth of the time. */
void board_reset_program(void);

/* Ends the emulator with that exit status. */
_Noreturn void board_exit(int status);
/* The same with a last line of text, and BOARD_FAILED as the status. */
_Noreturn void board_fail(const char *text);
#define BOARD_FAILED 125

#endif
