/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "start.h"

/* Timer of the core-local interruptor. */
static volatile uint32_t *const time_compare = (volatile uint32_t *)0x02004000;
static const volatile uint32_t *const time_now = (const volatile uint32_t *)0x0200bff8;

static volatile uint32_t *const test_finisher = (volatile uint32_t *)0x00100000;
#define REQUEST_RESET 0x7777u

#define INTERRUPTS_ENABLED 8u /* mstatus.MIE */
#define TIMER_INTERRUPT 128u  /* mie.MTIE */
#define TIMER_CAUSE 0x80000007u

static void (*tick_handler)(void);
static uint32_t tick_period;

/* The next interrupt is a period from now. */
static void start_timer(void) {
    uint32_t high;
    uint32_t low;
    do {
        high = time_now[1];
        low = time_now[0];
    } while (time_now[1] != high);
    const uint64_t next = ((uint64_t)high << 32 | low) + tick_period;
    time_compare[1] = UINT32_MAX; /* no interrupt between the two writes */
    time_compare[0] = (uint32_t)next;
    time_compare[1] = (uint32_t)(next >> 32);
}

__attribute__((interrupt("machine"), aligned(4))) static void trap(void) {
    uint32_t cause;
    __asm__ volatile("csrr %0, mcause" : "=r"(cause));
    if (cause != TIMER_CAUSE) {
        uint32_t address;
        __asm__ volatile("csrr %0, mepc" : "=r"(address));
        board_report_exception(cause, address);
    }
    tick_handler();
    start_timer(); /* which does nothing if the handler has stopped the tick */
}

/* The linker shortens addresses near gp once gp is set, hence not while it is. */
__attribute__((naked, section(".vectors"))) void board_reset(void) {
    __asm__ volatile(".option push\n"
                     ".option norelax\n"
                     "la gp, __global_pointer$\n"
                     ".option pop\n"
                     "la sp, board_stack_top\n"
                     "la t0, %0\n"
                     "csrw mtvec, t0\n"
                     "csrw mie, zero\n"
                     "csrsi mstatus, %1\n"
                     "tail board_start\n" ::"i"(trap),
                     "i"(INTERRUPTS_ENABLED));
}

uint32_t board_mask_interrupts(void) {
    uint32_t state;
    __asm__ volatile("csrrc %0, mstatus, %1" : "=r"(state) : "r"(INTERRUPTS_ENABLED) : "memory");
    return state & INTERRUPTS_ENABLED;
}

void board_restore_interrupts(uint32_t state) {
    __asm__ volatile("csrs mstatus, %0" ::"r"(state) : "memory");
}

void board_start_tick(uint32_t period, void (*handler)(void)) {
    board_stop_tick();
    tick_handler = handler;
    tick_period = period;
    start_timer();
    __asm__ volatile("csrs mie, %0" ::"r"(TIMER_INTERRUPT) : "memory");
}

void board_stop_tick(void) { __asm__ volatile("csrc mie, %0" ::"r"(TIMER_INTERRUPT) : "memory"); }

uintptr_t board_interrupted_address(void) {
    uintptr_t address;
    __asm__ volatile("csrr %0, mepc" : "=r"(address));
    return address;
}

uint32_t board_instructions(void) {
    uint32_t count;
    __asm__ volatile("csrr %0, minstret" : "=r"(count)::"memory");
    return count;
}

void board_reset_machine(void) {
    for (;;) {
        *test_finisher = REQUEST_RESET;
    }
}

void board_reset_program(void) {
    board_stop_tick();
    __asm__ volatile("csrw mepc, %0" ::"r"(board_reset));
}
