/* The inner product of every layer with a weight matrix: four rows at once, so that each load of x serves four of them.
 *
 * Weights of four rows: n / 4 groups of four columns, each group row after row [4 rows][4 columns]; then the n % 4
 * columns that are left, column after column [column][4 rows]. The last rows of a matrix are filled up with zero rows.
 */
#ifndef TINK_DOT4_H
#define TINK_DOT4_H

#include "runtime/kernel.h"

/* [fragment] */
/* acc[r] += sum of w[r][i] * x[i] over n columns for four rows r. Returns the weights behind them. */
TINK_KERNEL const int8_t *tink_dot4(const int8_t *w, const int8_t *x, int32_t n, int32_t acc[4])
{
    int32_t a0 = acc[0], a1 = acc[1], a2 = acc[2], a3 = acc[3];
    const int8_t *end = w + 4 * (n & ~(int32_t)3);
    while (w != end) {
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
        w += 16;
        x += 4;
    }
    end = w + 4 * (n & 3);
    while (w != end) {
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
