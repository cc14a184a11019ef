/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Between start.c and the code of one processor. */
#ifndef EVAGG_FIRMWARE_START_H
#define EVAGG_FIRMWARE_START_H

#include "board.h"

/* The entry of every linker script: sets up the stack and what the processor needs for C code. */
void board_reset(void);
/* Fills .data, clears .bss and runs main(). */
_Noreturn void board_start(void);
/* A crash ends the emulator instead of hanging it. */
_Noreturn void board_report_exception(uint32_t cause, uint32_t address);

#endif
