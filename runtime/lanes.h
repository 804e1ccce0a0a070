/* The input of the packed matrix kernels: 8-bit values widened into the 16-bit lanes of words, once per run of a layer,
 * so that every row of the matrix reads them ready for a dual multiplication. */
#ifndef TINK_LANES_H
#define TINK_LANES_H

#include "runtime/requantize.h"

/* [fragment] */
/* Four columns make two words of lanes: columns 0 and 2, then 1 and 3, low half first. */
static inline TINK_UNUSED int32_t tink_lanes(int32_t low, int32_t high)
{
    return (int32_t)(((uint32_t)high << 16) | ((uint32_t)low & 0xffff));
}

/* n columns, filled up to four; what fills up has weight 0. Returns where the next ones go. */
#ifdef TINK_DSP
TINK_ASSEMBLY int32_t *tink_widen(const int8_t *x TINK_UNUSED, int32_t n TINK_UNUSED, int32_t *lanes TINK_UNUSED)
{
    __asm__ volatile("push {r4, lr}\n\t"
                     "subs r1, r1, #8\n\t"
                     "bmi 2f\n"
                     "1:\n\t" /* eight columns */
                     "ldr r3, [r0], #4\n\t"
                     "ldr lr, [r0], #4\n\t"
                     "sxtb16 r4, r3, ror #8\n\t"
                     "sxtb16 r3, r3\n\t"
                     "sxtb16 r12, lr\n\t"
                     "sxtb16 lr, lr, ror #8\n\t"
                     "stmia r2!, {r3, r4, r12, lr}\n\t"
                     "subs r1, r1, #8\n\t"
                     "bpl 1b\n"
                     "2:\n\t" /* four, then one to three */
                     "adds r1, r1, #8\n\t"
                     "beq 5f\n\t"
                     "cmp r1, #4\n\t"
                     "blt 3f\n\t"
                     "ldr r3, [r0], #4\n\t"
                     "subs r1, r1, #4\n\t"
                     "b 4f\n"
                     "3:\n\t"
                     "ldrb r3, [r0]\n\t"
                     "cmp r1, #2\n\t"
                     "itt ge\n\t"
                     "ldrbge r12, [r0, #1]\n\t"
                     "orrge r3, r3, r12, lsl #8\n\t"
                     "cmp r1, #3\n\t"
                     "itt eq\n\t"
                     "ldrbeq r12, [r0, #2]\n\t"
                     "orreq r3, r3, r12, lsl #16\n\t"
                     "movs r1, #0\n"
                     "4:\n\t"
                     "sxtb16 r4, r3, ror #8\n\t"
                     "sxtb16 r3, r3\n\t"
                     "stmia r2!, {r3, r4}\n\t"
                     "cmp r1, #0\n\t"
                     "bne 3b\n"
                     "5:\n\t"
                     "mov r0, r2\n\t"
                     "pop {r4, pc}");
}
#else
TINK_KERNEL int32_t *tink_widen(const int8_t *x, int32_t n, int32_t *lanes)
{
    for (; n >= 4; n -= 4, x += 4, lanes += 2) {
        lanes[0] = tink_lanes(x[0], x[2]);
        lanes[1] = tink_lanes(x[1], x[3]);
    }
    if (n > 0) {
        lanes[0] = tink_lanes(x[0], n > 2 ? x[2] : 0);
        lanes[1] = tink_lanes(n > 1 ? x[1] : 0, 0);
        lanes += 2;
    }
    return lanes;
}
#endif
/* [end] */

#endif
