/* Cortex-M: start-up, semihosting, a 32-bit timer of the board. -DTIMER_NRF51 or -DTIMER_SSE300 where it is not the
 * CMSDK timer of Arm's boards; -DBUFFER and -DMODEL_STACK in bytes. All run with -icount shift=6, which makes an
 * instruction 64 ns of virtual time. */
#define TICKS 1

static int32_t semihost(int32_t operation, const void *argument)
{
    register int32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

#include "semihosting.h"

/* ---- clock ---- */

#define REGISTER(address) (*(volatile uint32_t *)(address))

#if defined(TIMER_NRF51) /* TIMER0 counts up at 16 MHz; a capture makes its value readable */
static inline uint32_t clock_start(void)
{
    REGISTER(0x40008040u) = 1;
    return REGISTER(0x40008540u);
}
static void start_clock(void)
{
    REGISTER(0x40008508u) = 3; /* 32 bits */
    REGISTER(0x40008510u) = 0; /* no prescaler */
    REGISTER(0x40008000u) = 1;
}
#elif defined(TIMER_SSE300) /* the system counter of the SSE-300 counts up at 32 MHz */
static inline uint32_t clock_start(void)
{
    return REGISTER(0x48000000u);
}
static void start_clock(void)
{
    REGISTER(0x58100000u) = 1;
}
#else                       /* the CMSDK's timer 0 counts down, at the board's clock */
static inline uint32_t clock_start(void)
{
    return ~REGISTER(0x40000004u);
}
static void start_clock(void)
{
    REGISTER(0x40000000u) = 0;
    REGISTER(0x40000008u) = 0xffffffffu;
    REGISTER(0x40000004u) = 0xffffffffu;
    REGISTER(0x40000000u) = 1;
}
#endif

static inline uint32_t clock_stop(uint32_t start)
{
    return clock_start() - start;
}

static void calibration_loop(uint32_t turns)
{
    __asm__ volatile(".syntax unified\n 1: subs %0, %0, #1\n bne 1b\n" : "+l"(turns) : : "cc");
}

static void board_begin(void)
{
    open_files();
    start_clock();
}

/* ---- start-up ---- */

extern uint32_t data_load[], data_start[], data_end[], bss_start[], bss_end[], stack_top[];
void reset_handler(void);

__attribute__((section(".vectors"), used)) static const uintptr_t vectors[16] = {
    (uintptr_t)stack_top, (uintptr_t)reset_handler, (uintptr_t)fault, (uintptr_t)fault,
    (uintptr_t)fault,     (uintptr_t)fault,         (uintptr_t)fault, (uintptr_t)fault};

void reset_handler(void)
{
#if defined(__ARM_FEATURE_MVE) || defined(__ARM_FP)
    REGISTER(0xe000ed88u) |= 0xfu << 20; /* the vector unit is off after reset */
    __asm__ volatile("dsb\n isb" : : : "memory");
#endif
    memcpy(data_start, data_load, (size_t)((char *)data_end - (char *)data_start));
    memset(bss_start, 0, (size_t)((char *)bss_end - (char *)bss_start));
    (void)main();
}

/* ---- the model's own stack, so that what it paints is its own ---- */

static uint8_t model_stack[MODEL_STACK] __attribute__((aligned(8)));
uint8_t *const model_stack_top = model_stack + sizeof model_stack;

int32_t call_on_model_stack(call_t function, void *state, const int16_t *frame, void *out);
__attribute__((naked, noinline)) int32_t call_on_model_stack(call_t function, void *state, const int16_t *frame,
                                                             void *out)
{
    __asm__ volatile(".syntax unified\n"
                     "push {r4, lr}\n"
                     "mov r4, sp\n"
                     "mov r12, r0\n"
                     "mov r0, r1\n"
                     "mov r1, r2\n"
                     "mov r2, r3\n"
                     "ldr r3, =model_stack_top\n"
                     "ldr r3, [r3]\n"
                     "mov sp, r3\n"
                     "blx r12\n"
                     "mov sp, r4\n"
                     "pop {r4, pc}\n");
}

__attribute__((naked, noinline)) static int32_t nothing(void *state, const int16_t *frame, void *out)
{
    (void)state;
    (void)frame;
    (void)out;
    __asm__ volatile("bx lr\n");
}
