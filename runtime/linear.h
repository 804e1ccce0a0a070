/* conv1d with groups 1, and dense: weight matrix times window of inputs, requantised. */
#ifndef TINK_LINEAR_H
#define TINK_LINEAR_H

#include "runtime/dot4.h"
#include "runtime/requantize.h"
#if TINK_CURVES
#include "runtime/curve.h"
#endif
#if TINK_WIDE
#include "runtime/dot4_wide.h"
#endif

/* [fragment] */
typedef struct tink_linear_t {
    const int8_t *weight;       /* per four rows: taps, each as tink_dot4 reads it */
    const int32_t *bias, *mult; /* [rows], filled up to a multiple of four */
    int32_t jump, columns;      /* from tap to tap of x; columns per tap */
    int16_t taps, rows, shift, low;
#if TINK_WIDE
    int16_t wide; /* x is int16_t */
#endif
#if TINK_CURVES
    int16_t curve;
#endif
} tink_linear_t;

/* y[r] = requantize(bias[r] + sum of w[r] * x), at least `low`, as int8 into y8 or, when that is NULL, as int16 into
 * y16. */
TINK_KERNEL void tink_linear(const tink_linear_t *c, const tink_row *x, int8_t *y8, int16_t *y16)
{
    const int8_t *w = c->weight;
    const int32_t *mult = c->mult;
    const int32_t shift = c->shift, low = c->low;
    int32_t left;
    for (left = c->rows; left > 0; left -= 4) {
        int32_t acc[4], tap, i;
        memcpy(acc, c->bias + (c->rows - left), sizeof acc);
        for (tap = 0; tap < c->taps; tap++) {
#if TINK_WIDE
            w = c->wide ? tink_dot4_wide(w, (const int16_t *)x + tap * c->jump, c->columns, acc)
                        : tink_dot4(w, (const int8_t *)x + tap * c->jump, c->columns, acc);
#else
            w = tink_dot4(w, x + tap * c->jump, c->columns, acc);
#endif
        }
        for (i = 0; i < 4 && i < left; i++) {
            int32_t y = tink_requantize(acc[i], *mult++, shift);
#if TINK_CURVES
            y = tink_curve(y, c->curve);
#endif
            if (y8 != NULL) {
                *y8++ = tink_output8(y, low);
            } else {
                *y16++ = (int16_t)(y < low ? low : y > 32767 ? 32767 : y);
            }
        }
    }
}
/* [end] */

#endif
