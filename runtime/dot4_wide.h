/* tink_dot4 for rows of 16 bits. */
#ifndef TINK_DOT4_WIDE_H
#define TINK_DOT4_WIDE_H

#include "runtime/kernel.h"

/* [fragment] */
/* acc[r] += sum of w[r][i] * x[i] over n columns for four rows r, in the order of weights that tink_dot4 reads. Returns
 * the weights behind them. */
TINK_KERNEL const int8_t *tink_dot4_wide(const int8_t *w, const int16_t *x, int32_t n, int32_t acc[4])
{
    int32_t left, r;
    for (left = n >> 2; left > 0; left--) {
#ifdef TINK_DSP
        int32_t x01, x23, x02, x13;
        __builtin_memcpy(&x01, x, sizeof x01);
        __builtin_memcpy(&x23, x + 2, sizeof x23);
        __asm__("pkhbt %0, %1, %2, lsl #16" : "=r"(x02) : "r"(x01), "r"(x23));
        __asm__("pkhtb %0, %1, %2, asr #16" : "=r"(x13) : "r"(x23), "r"(x01));
        for (r = 0; r < 4; r++) {
            int32_t packed, w02, w13;
            __builtin_memcpy(&packed, w, sizeof packed);
            __asm__("sxtb16 %0, %1" : "=r"(w02) : "r"(packed));
            __asm__("sxtb16 %0, %1, ror #8" : "=r"(w13) : "r"(packed));
            __asm__("smlad %0, %1, %2, %0" : "+r"(acc[r]) : "r"(w02), "r"(x02));
            __asm__("smlad %0, %1, %2, %0" : "+r"(acc[r]) : "r"(w13), "r"(x13));
            w += 4;
        }
#else
        for (r = 0; r < 4; r++, w += 4) {
            acc[r] += w[0] * (int32_t)x[0] + w[1] * (int32_t)x[1] + w[2] * (int32_t)x[2] + w[3] * (int32_t)x[3];
        }
#endif
        x += 4;
    }
    for (left = n & 3; left > 0; left--, x++) {
        for (r = 0; r < 4; r++) {
            acc[r] += *w++ * (int32_t)*x;
        }
    }
    return w;
}
/* [end] */

#endif
