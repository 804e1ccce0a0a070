/* QEMU's board virt with a 32-bit RISC-V core: start-up and semihosting. The cycle counter counts instructions, with
 * -icount shift=0 one for each. -DBUFFER and -DMODEL_STACK in bytes. */
#define TICKS 1

static int32_t semihost(int32_t operation, const void *argument)
{
    register int32_t a0 __asm__("a0") = operation;
    register const void *a1 __asm__("a1") = argument;
    __asm__ volatile(".balign 16\n"
                     ".option push\n"
                     ".option norvc\n" /* the three are known by their 32-bit form, on one page */
                     "slli x0, x0, 0x1f\n"
                     "ebreak\n"
                     "srai x0, x0, 7\n"
                     ".option pop\n"
                     : "+r"(a0)
                     : "r"(a1)
                     : "memory");
    return a0;
}

#include "semihosting.h"

static inline uint32_t clock_start(void)
{
    uint32_t count;
    __asm__ volatile(".option push\n .option arch, +zicsr\n csrr %0, mcycle\n .option pop\n"
                     : "=r"(count)
                     :
                     : "memory");
    return count;
}

static inline uint32_t clock_stop(uint32_t start)
{
    return clock_start() - start;
}

static void calibration_loop(uint32_t turns)
{
    __asm__ volatile("1: addi %0, %0, -1\n bnez %0, 1b\n" : "+r"(turns));
}

static void board_begin(void)
{
    open_files();
}

/* ---- start-up ---- */

extern uint32_t data_load[], data_start[], data_end[], bss_start[], bss_end[];

void start(void);
void start(void)
{
    memcpy(data_start, data_load, (size_t)((char *)data_end - (char *)data_start));
    memset(bss_start, 0, (size_t)((char *)bss_end - (char *)bss_start));
    (void)main();
}

__attribute__((section(".vectors"), naked, used)) void reset_handler(void);
void reset_handler(void)
{
    __asm__ volatile("la sp, stack_top\n"
                     "la t0, trap\n"
                     ".option push\n .option arch, +zicsr\n csrw mtvec, t0\n .option pop\n"
                     "j start\n"
                     ".balign 4\n"
                     "trap: j fault\n");
}

/* ---- the model's own stack, so that what it paints is its own ---- */

static uint8_t model_stack[MODEL_STACK] __attribute__((aligned(16)));
uint8_t *const model_stack_top = model_stack + sizeof model_stack;

int32_t call_on_model_stack(call_t function, void *state, const int16_t *frame, void *out);
__attribute__((naked, noinline)) int32_t call_on_model_stack(call_t function, void *state, const int16_t *frame,
                                                             void *out)
{
    __asm__ volatile("addi sp, sp, -16\n"
                     "sw ra, 12(sp)\n"
                     "sw s0, 8(sp)\n"
                     "mv s0, sp\n"
                     "mv t1, a0\n"
                     "mv a0, a1\n"
                     "mv a1, a2\n"
                     "mv a2, a3\n"
                     "la t0, model_stack_top\n"
                     "lw sp, 0(t0)\n"
                     "jalr t1\n"
                     "mv sp, s0\n"
                     "lw ra, 12(sp)\n"
                     "lw s0, 8(sp)\n"
                     "addi sp, sp, 16\n"
                     "ret\n");
}

__attribute__((naked, noinline)) static int32_t nothing(void *state, const int16_t *frame, void *out)
{
    __asm__ volatile("ret\n");
}
