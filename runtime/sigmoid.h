/* sigmoid by a table of 256 chords; needs tink_sigmoid_table (uint32_t[256], intercept * 2^16 + slope). */
#ifndef TINK_SIGMOID_H
#define TINK_SIGMOID_H

#include "runtime/requantize.h"

/* [fragment] */
#if TINK_FOLDED
/* The table is folded: the chords for t >= 0, then in bytes what the others differ by. Chord -1 - j is that of 1 -
 * sigmoid, its slope greater by d = byte j - 50 and its intercept by (d * j + 64) / 256. t: Q12. Result: Q28. */
static inline TINK_UNUSED int32_t tink_sigmoid(int32_t t)
{
    const int32_t i = tink_limit8(t >> 8), j = i < 0 ? -1 - i : i;
    int32_t p = (int32_t)tink_sigmoid_table[j];
    if (i < 0) {
        const int32_t d = (int32_t)(tink_sigmoid_table[128 + (j >> 2)] >> (8 * (j & 3)) & 255) - 50;
        p = ((int32_t)1 << 28) - p + 2 * (int16_t)p + d + ((d * j + 64) >> 8) * 65536;
    }
    return p + (int32_t)(int16_t)t * (int16_t)p;
}
#else
/* t: Q12. Result: Q28, on the chord of the sigmoid over [i/16, (i+1)/16). */
static inline TINK_UNUSED int32_t tink_sigmoid(int32_t t)
{
#ifdef TINK_DSP
    int32_t p;
    __asm__("ssat %0, #8, %1, asr #8\n\t"
            "ldr %0, [%2, %0, lsl #2]\n\t"
            "smlabb %1, %1, %0, %0"
            : "=&r"(p), "+r"(t)
            : "r"(tink_sigmoid_table + 128));
    return t;
#else
    const int32_t i = tink_limit8(t >> 8);
    const int32_t p = (int32_t)tink_sigmoid_table[i + 128];
    return p + (int32_t)(int16_t)t * (int16_t)p;
#endif
}
#endif
/* [end] */

#endif
