/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* From reset to main() and from its end to the emulator's, as far as it is the same everywhere. */
#include "start.h"

#include <picotls.h>
#include <semihost.h>

/* Addresses that sections.ld defines. */
extern const uint32_t board_data_source[];
extern uint32_t board_data_start[], board_data_end[], board_bss_end[], board_stack_end[];
extern uint8_t board_thread_start[];

/* At the end of the stack, to notice that it was too small. */
#define GUARD_WORDS 8u
#define GUARD 0x5ac3a53cu

int main(void);

void board_start(void) {
    for (uint32_t i = 0; i < GUARD_WORDS; i++) {
        board_stack_end[i] = GUARD;
    }
    const uint32_t *source = board_data_source;
    for (uint32_t *to = board_data_start; to < board_data_end; to++) {
        *to = *source++;
    }
    for (uint32_t *to = board_data_end; to < board_bss_end; to++) {
        *to = 0;
    }
    _set_tls(board_thread_start);
    board_exit(main());
}

void board_exit(int status) {
    for (uint32_t i = 0; i < GUARD_WORDS; i++) {
        if (board_stack_end[i] != GUARD) {
            sys_semihost_write0("the stack has overflowed\n");
            status = BOARD_FAILED;
            break;
        }
    }
    sys_semihost_exit_extended((uintptr_t)status);
}

void board_fail(const char *text) {
    sys_semihost_write0(text);
    sys_semihost_write0("\n");
    board_exit(BOARD_FAILED);
}

static void put_hexadecimal(uint32_t value) {
    char text[] = "0x00000000";
    for (unsigned i = 0; i < 8; i++) {
        text[2 + i] = "0123456789abcdef"[value >> (28 - 4 * i) & 15];
    }
    sys_semihost_write0(text);
}

void board_report_exception(uint32_t cause, uint32_t address) {
    sys_semihost_write0("exception ");
    put_hexadecimal(cause);
    sys_semihost_write0(" at ");
    put_hexadecimal(address);
    board_fail("");
}
