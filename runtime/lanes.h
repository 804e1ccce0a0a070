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

/* n columns, filled up to four; what fills up has weight 0. Returns where the next ones go. */
TINK_KERNEL int32_t *tink_widen(const int8_t *x, int32_t n, int32_t *lanes)
{
    for (; n >= 4; n -= 4, x += 4, lanes += 2) {
#ifdef TINK_DSP
        int32_t packed, even, odd;
        __builtin_memcpy(&packed, x, sizeof packed);
        __asm__("sxtb16 %0, %1" : "=r"(even) : "r"(packed));
        __asm__("sxtb16 %0, %1, ror #8" : "=r"(odd) : "r"(packed));
        lanes[0] = even;
        lanes[1] = odd;
#else
        lanes[0] = tink_lanes(x[0], x[2]);
        lanes[1] = tink_lanes(x[1], x[3]);
#endif
    }
    if (n > 0) {
        lanes[0] = tink_lanes(x[0], n > 2 ? x[2] : 0);
        lanes[1] = tink_lanes(n > 1 ? x[1] : 0, 0);
        lanes += 2;
    }
    return lanes;
}
/* [end] */

#endif
