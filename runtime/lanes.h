/* The input of the packed matrix kernels: 8-bit values widened into the 16-bit lanes of words, once per run of a layer,
 * so that every row of the matrix reads them ready for a dual multiplication. */
#ifndef TINK_LANES_H
#define TINK_LANES_H

#include "runtime/requantize.h"

/* [fragment] */
/* Four columns make two words of lanes: columns 0 and 2, then 1 and 3, low half first. */
typedef struct tink_four {
    int32_t a, b, c, d;
} tink_four;

static inline int32_t tink_lanes(int32_t low, int32_t high)
{
    return (int32_t)(((uint32_t)high << 16) | ((uint32_t)low & 0xffff));
}

/* taps rows of n columns, `jump` apart, each filled up to four columns; what fills up has weight 0. */
TINK_KERNEL void tink_widen(const int8_t *x, int32_t jump, int32_t taps, int32_t n, int32_t *lanes)
{
    for (; taps > 0; taps--, x += jump) {
        const int8_t *from = x;
        int32_t left;
        for (left = n; left >= 4; left -= 4, from += 4, lanes += 2) {
#ifdef TINK_DSP
            int32_t packed;
            __builtin_memcpy(&packed, from, sizeof packed);
            __asm__("sxtb16 %0, %1" : "=r"(lanes[0]) : "r"(packed));
            __asm__("sxtb16 %0, %1, ror #8" : "=r"(lanes[1]) : "r"(packed));
#else
            lanes[0] = tink_lanes(from[0], from[2]);
            lanes[1] = tink_lanes(from[1], from[3]);
#endif
        }
        if (left > 0) {
            lanes[0] = tink_lanes(from[0], left > 2 ? from[2] : 0);
            lanes[1] = left > 1 ? tink_lanes(from[1], 0) : 0;
            lanes += 2;
        }
    }
}
/* [end] */

#endif
