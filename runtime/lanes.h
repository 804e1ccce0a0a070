/* The input of the packed matrix kernels: 8-bit values as int16_t, so that a dual multiplication takes two at a
 * time. Rows that only such kernels read are written so at once; others are widened, once per run of a layer. */
#ifndef TINK_LANES_H
#define TINK_LANES_H

#include "runtime/requantize.h"

/* [fragment] */
/* n columns, filled up to four: what fills up has weight 0. Returns where the next ones go. */
#ifdef TINK_DSP
TINK_ASSEMBLY int16_t *tink_widen(const int8_t *x TINK_UNUSED, int32_t n TINK_UNUSED, int16_t *lanes TINK_UNUSED)
{
    __asm__ volatile("push {r4, lr}\n\t"
                     "subs r1, r1, #4\n\t"
                     "bmi 2f\n"
                     "1:\n\t" /* four columns */
                     "ldr r3, [r0], #4\n\t"
                     "sxtb16 r4, r3, ror #8\n\t"
                     "sxtb16 r3, r3\n\t"
                     "pkhbt r12, r3, r4, lsl #16\n\t"
                     "pkhtb r4, r4, r3, asr #16\n\t"
                     "strd r12, r4, [r2], #8\n\t"
                     "subs r1, r1, #4\n\t"
                     "bpl 1b\n"
                     "2:\n\t" /* one to three */
                     "adds r1, r1, #4\n\t"
                     "beq 4f\n\t"
                     "add r4, r2, #8\n"
                     "3:\n\t"
                     "ldrsb r3, [r0], #1\n\t"
                     "strh r3, [r2], #2\n\t"
                     "subs r1, r1, #1\n\t"
                     "bne 3b\n\t"
                     "mov r2, r4\n"
                     "4:\n\t"
                     "mov r0, r2\n\t"
                     "pop {r4, pc}"
                     :
                     :
                     : "memory");
}
#else
TINK_KERNEL int16_t *tink_widen(const int8_t *x, int32_t n, int16_t *lanes)
{
    int32_t i;
    for (i = 0; i < n; i++) {
        *lanes++ = x[i];
    }
    for (; i % 4 != 0; i++) {
        *lanes++ = 0;
    }
    return lanes;
}
#endif
/* [end] */

#endif
