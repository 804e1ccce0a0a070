/* conv1d with groups 1, and dense: weight matrix times window of inputs, requantised. */
#ifndef TINK_LINEAR_H
#define TINK_LINEAR_H

#include "runtime/dot4.h"
#include "runtime/requantize.h"

/* [fragment] */
typedef struct tink_linear_t {
    const int8_t *weight;       /* per four rows: taps, each as tink_dot4 reads it */
    const int32_t *bias, *mult; /* [rows], filled up to a multiple of four */
    int32_t jump;               /* from tap to tap of x */
    int16_t taps, columns;      /* columns per tap */
    int16_t rows, shift;
    int16_t low, high; /* limits of the output; low is 0 after relu */
} tink_linear_t;

/* y[r] = clamp(requantize(bias[r] + sum of w[r] * x)), into y8 or, when that is NULL, into y16. */
TINK_KERNEL void tink_linear(const tink_linear_t *c, const int8_t *x, int8_t *y8, int16_t *y16)
{
    const int8_t *w = c->weight;
    const int32_t *mult = c->mult;
    const int32_t shift = c->shift, low = c->low, high = c->high, rows = c->rows;
    for (int32_t row = 0; row < rows; row += 4, mult += 4) {
        int32_t acc[4], tap;
        memcpy(acc, c->bias + row, sizeof acc);
        for (tap = 0; tap < c->taps; tap++) {
            w = tink_dot4(w, x + tap * c->jump, c->columns, acc);
        }
        for (int32_t i = 0; i < 4 && row + i < rows; i++) {
            const int32_t y = tink_clamp(tink_requantize(acc[i], mult[i], shift), low, high);
            if (y8 != NULL) {
                *y8++ = (int8_t)y;
            } else {
                *y16++ = (int16_t)y;
            }
        }
    }
}
/* [end] */

#endif
