/* The inner product of every layer with a weight matrix: four rows at once, so that each load of x serves four of them.
 *
 * Weights of four rows: n / 4 groups of four columns, each group row after row [4 rows][4 columns]; then the n % 4
 * columns that are left, column after column [column][4 rows]. The last rows of a matrix are filled up with zero rows.
 */
#ifndef TINK_DOT4_H
#define TINK_DOT4_H

#include "runtime/kernel.h"

/* [fragment] */
#ifdef TINK_DSP
/* acc + four products; x02 and x13 hold x[0], x[2] and x[1], x[3] as pairs of 16 bits. The builtin is one load also
 * where -ffreestanding makes memcpy a call. */
static inline __attribute__((always_inline)) int32_t tink_dot4_row(const int8_t *w, int32_t x02, int32_t x13,
                                                                   int32_t acc)
{
    int32_t packed, w02, w13;
    __builtin_memcpy(&packed, w, sizeof packed);
    __asm__("sxtb16 %0, %1" : "=r"(w02) : "r"(packed));
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(w13) : "r"(packed));
    __asm__("smlad %0, %1, %2, %0" : "+r"(acc) : "r"(w02), "r"(x02));
    __asm__("smlad %0, %1, %2, %0" : "+r"(acc) : "r"(w13), "r"(x13));
    return acc;
}
#endif

/* acc[r] += sum of w[r][i] * x[i] over n columns for four rows r. Returns the weights behind them. */
TINK_KERNEL const int8_t *tink_dot4(const int8_t *w, const int8_t *x, int32_t n, int32_t acc[4])
{
    int32_t a0 = acc[0], a1 = acc[1], a2 = acc[2], a3 = acc[3];
    int32_t left;
    for (left = n >> 2; left > 0; left--) {
#ifdef TINK_DSP
        int32_t packed, x02, x13;
        __builtin_memcpy(&packed, x, sizeof packed);
        __asm__("sxtb16 %0, %1" : "=r"(x02) : "r"(packed));
        __asm__("sxtb16 %0, %1, ror #8" : "=r"(x13) : "r"(packed));
        a0 = tink_dot4_row(w, x02, x13, a0);
        a1 = tink_dot4_row(w + 4, x02, x13, a1);
        a2 = tink_dot4_row(w + 8, x02, x13, a2);
        a3 = tink_dot4_row(w + 12, x02, x13, a3);
#else
        const int32_t x0 = x[0], x1 = x[1], x2 = x[2], x3 = x[3];
        a0 += w[0] * x0;
        a0 += w[1] * x1;
        a0 += w[2] * x2;
        a0 += w[3] * x3;
        a1 += w[4] * x0;
        a1 += w[5] * x1;
        a1 += w[6] * x2;
        a1 += w[7] * x3;
        a2 += w[8] * x0;
        a2 += w[9] * x1;
        a2 += w[10] * x2;
        a2 += w[11] * x3;
        a3 += w[12] * x0;
        a3 += w[13] * x1;
        a3 += w[14] * x2;
        a3 += w[15] * x3;
#endif
        w += 16;
        x += 4;
    }
    for (left = n & 3; left > 0; left--) {
        const int32_t x0 = *x++;
        a0 += w[0] * x0;
        a1 += w[1] * x0;
        a2 += w[2] * x0;
        a3 += w[3] * x0;
        w += 4;
    }
    acc[0] = a0;
    acc[1] = a1;
    acc[2] = a2;
    acc[3] = a3;
    return w;
}
/* [end] */

#endif
