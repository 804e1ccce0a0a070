/* Rows of 16 bits that move towards the front of their array. */
#ifndef TINK_MOVE_WORDS_H
#define TINK_MOVE_WORDS_H

#include "runtime/kernel.h"

/* [fragment] */
/* n bytes, a multiple of four, n > 0, to a place in front of them, from and to multiples of four; they may overlap. */
#if defined(TINK_DSP) && !defined(__OPTIMIZE_SIZE__)
TINK_ASSEMBLY void tink_move_words(int16_t *to TINK_UNUSED, const int16_t *from TINK_UNUSED, int32_t n TINK_UNUSED)
{
    __asm__ volatile("push {r4-r10, lr}\n\t"
                     "subs r2, r2, #32\n\t"
                     "bcc 2f\n"
                     "1:\n\t"
                     "ldmia r1!, {r3-r10}\n\t"
                     "stmia r0!, {r3-r10}\n\t"
                     "subs r2, r2, #32\n\t"
                     "bcs 1b\n"
                     "2:\n\t"
                     "adds r2, r2, #32\n\t"
                     "beq 4f\n"
                     "3:\n\t"
                     "ldr r3, [r1], #4\n\t"
                     "subs r2, r2, #4\n\t"
                     "str r3, [r0], #4\n\t"
                     "bne 3b\n"
                     "4:\n\t"
                     "pop {r4-r10, pc}"
                     :
                     :
                     : "memory");
}
#else
#define tink_move_words(to, from, n) memmove(to, from, n)
#endif
/* [end] */

#endif
