/* Raw sensor counts to the network's input of 8 bits, for packed kernels. */
#ifndef TINK_SCALE_LANES_H
#define TINK_SCALE_LANES_H

#include "runtime/requantize.h"

/* [fragment] */
/* unit: per channel what is added and what that is multiplied by. channels: an even number. |counts + unit| is
 * below 2^16, so that the product fits 16 bits. */
#ifdef TINK_DSP
TINK_ASSEMBLY void tink_scale_lanes(const int16_t *counts TINK_UNUSED, const int32_t *unit TINK_UNUSED,
                                    int32_t channels TINK_UNUSED, int16_t *y TINK_UNUSED)
{
    __asm__ volatile("push {r4-r8, lr}\n\t"
                     "mvn r8, #0x007e007e\n" /* -127, twice */
                     "1:\n\t"
                     "ldr r12, [r0], #4\n\t"
                     "ldmia r1!, {r4-r7}\n\t"
                     "sxtah r4, r4, r12\n\t"
                     "sxtah r6, r6, r12, ror #16\n\t"
                     "smmulr r4, r4, r5\n\t"
                     "smmulr r6, r6, r7\n\t"
                     "pkhbt r4, r4, r6, lsl #16\n\t"
                     "ssat16 r4, #8, r4\n\t"
                     "ssub16 r6, r4, r8\n\t"
                     "sel r4, r4, r8\n\t"
                     "str r4, [r3], #4\n\t"
                     "subs r2, r2, #2\n\t"
                     "bne 1b\n\t"
                     "pop {r4-r8, pc}"
                     :
                     :
                     : "memory");
}
#else
TINK_KERNEL void tink_scale_lanes(const int16_t *counts, const int32_t *unit, int32_t channels, int16_t *y)
{
    for (; channels > 0; channels--, unit += 2) {
        *y++ = tink_output8(tink_requantize(*counts++ + unit[0], unit[1], 0), -127);
    }
}
#endif
/* [end] */

#endif
