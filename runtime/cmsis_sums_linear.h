/* conv1d with groups 1, and dense, where the rounding of CMSIS-NN does not give the result: its sums, our requantisation. */
#ifndef TINK_CMSIS_SUMS_LINEAR_H
#define TINK_CMSIS_SUMS_LINEAR_H

#include "runtime/cmsis_products.h"
#include "runtime/cmsis_window.h"
#include "runtime/requantize.h"
#if TINK_CURVES
#include "runtime/curve.h"
#endif

/* [fragment] */
typedef struct tink_cmsis_sums_linear_t {
    const int8_t *weight;        /* [rows][taps][columns] */
    const int32_t *bias, *mult;  /* [rows] */
    int32_t jump, taps, columns; /* of x: from tap to tap, columns per tap */
    int32_t rows, shift, low;
#if TINK_CURVES
    int32_t curve;
#endif
} tink_cmsis_sums_linear_t;

/* y[r] = requantize(bias[r] + sum of w[r] * x), at least `low`, as int8 into y8 or, when that is NULL, as int16 into
 * y16. lanes: room for a sum per row, then for the window where there are taps. */
TINK_KERNEL void tink_cmsis_sums_linear(const tink_cmsis_sums_linear_t *c, const int8_t *x, int32_t *lanes, int8_t *y8,
                                        int16_t *y16)
{
    int32_t r;
    x = tink_cmsis_window(x, c->jump, c->taps, c->columns, (int8_t *)(lanes + c->rows));
    tink_cmsis_products(c->weight, x, c->taps * c->columns, c->rows, lanes);
    for (r = 0; r < c->rows; r++) {
        int32_t y = tink_requantize(lanes[r] + c->bias[r], c->mult[r], c->shift);
#if TINK_CURVES
        y = tink_curve(y, c->curve);
#endif
        if (y8 != NULL) {
            y8[r] = tink_output8(y, c->low);
        } else {
            y16[r] = (int16_t)(y < c->low ? c->low : y > 32767 ? 32767 : y);
        }
    }
}
/* [end] */

#endif
