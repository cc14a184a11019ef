/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "start.h"

#include <stddef.h>

extern uint32_t board_stack_top[];

static volatile uint32_t *register_at(uintptr_t address) { return (volatile uint32_t *)address; }

#define SYSTICK_CONTROL register_at(0xe000e010)
#define SYSTICK_RELOAD register_at(0xe000e014)
#define SYSTICK_CURRENT register_at(0xe000e018)
#define INTERRUPT_CONTROL register_at(0xe000ed04)
#define RESET_CONTROL register_at(0xe000ed0c)
#define COPROCESSOR_ACCESS register_at(0xe000ed88)

#define SYSTICK_ON 7u /* processor clock, interrupt, on */
#define REQUEST_RESET 0x05fa0004u
#define XPSR_THUMB (UINT32_C(1) << 24)
#define XPSR_PADDED (UINT32_C(1) << 9)
#define CLEAR_PENDING_SYSTICK (UINT32_C(1) << 25)

static void (*tick_handler)(void); /* NULL when stopped */
static uint32_t tick_period;
static uint32_t *interrupted_frame;

/* `frame` is what the processor has stacked: r0 to r3, r12, lr, pc, xPSR. */
__attribute__((used)) static void report_exception(const uint32_t *frame) {
    uint32_t exception;
    __asm__ volatile("mrs %0, ipsr" : "=r"(exception));
    board_report_exception(exception, frame[6]);
}

/* Naked, because the frame lies where the stack pointer is on entry. */
__attribute__((naked)) static void unexpected(void) {
    __asm__ volatile("mrs r0, msp\n"
                     "ldr r1, =report_exception\n"
                     "bx r1\n");
}

/* No interrupt of the timer comes after this. */
static void stop_timer(void) {
    *SYSTICK_CONTROL = 0;
    *INTERRUPT_CONTROL = CLEAR_PENDING_SYSTICK;
    __asm__ volatile("dsb\n\tisb" ::: "memory");
}

static void start_timer(void) {
    *SYSTICK_RELOAD = tick_period - 1;
    *SYSTICK_CURRENT = 0;
    *SYSTICK_CONTROL = SYSTICK_ON;
}

__attribute__((used)) static void tick(uint32_t *frame) {
    interrupted_frame = frame;
    stop_timer();
    tick_handler();
    if (tick_handler != NULL) {
        start_timer();
    }
}

__attribute__((naked)) static void systick(void) {
    __asm__ volatile("mrs r0, msp\n"
                     "ldr r1, =tick\n"
                     "bx r1\n");
}

void board_reset(void) {
#ifdef __ARM_FP
    *COPROCESSOR_ACCESS |= UINT32_C(0xf) << 20;
    __asm__ volatile("dsb\n\tisb" ::: "memory");
#endif
    board_start();
}

struct vectors {
    uint32_t *stack;
    void (*handlers[15])(void);
};

__attribute__((section(".vectors"), used)) static const struct vectors vectors = {
    board_stack_top,
    {
        board_reset,
        unexpected, /* NMI */
        unexpected, /* HardFault */
        unexpected, /* MemManage */
        unexpected, /* BusFault */
        unexpected, /* UsageFault */
        unexpected, /* SecureFault */
        unexpected,
        unexpected,
        unexpected,
        unexpected, /* SVCall */
        unexpected, /* DebugMonitor */
        unexpected,
        unexpected, /* PendSV */
        systick,
    },
};

uint32_t board_mask_interrupts(void) {
    uint32_t state;
    __asm__ volatile("mrs %0, primask\n\tcpsid i" : "=r"(state)::"memory");
    return state;
}

void board_restore_interrupts(uint32_t state) {
    __asm__ volatile("msr primask, %0" ::"r"(state) : "memory");
}

void board_start_tick(uint32_t period, void (*handler)(void)) {
    stop_timer();
    tick_handler = handler;
    tick_period = period;
    start_timer();
}

void board_stop_tick(void) {
    stop_timer();
    tick_handler = NULL;
}

uintptr_t board_interrupted_address(void) { return interrupted_frame[6]; }

void board_reset_machine(void) {
    for (;;) {
        *RESET_CONTROL = REQUEST_RESET;
        __asm__ volatile("dsb" ::: "memory");
    }
}

/* What the processor does in a reset. */
__attribute__((naked)) static void start_again(void) {
    __asm__ volatile("ldr r0, =board_stack_top\n"
                     "mov sp, r0\n"
                     "ldr r0, =board_reset\n"
                     "bx r0\n");
}

void board_reset_program(void) {
    interrupted_frame[6] = (uint32_t)(uintptr_t)start_again & ~UINT32_C(1);
    interrupted_frame[7] &= XPSR_THUMB | XPSR_PADDED; /* in no block of an IT instruction */
    tick_handler = NULL;
}
