/* conv1d with groups 1, and dense: weight matrix times window of inputs, requantised. */
#ifndef TINK_LINEAR_H
#define TINK_LINEAR_H

#include "runtime/dot4.h"
#include "runtime/requantize.h"

/* [fragment] */
typedef struct tink_linear_t {
    const int8_t *weight;       /* per four rows: taps, each as tink_dot4 reads it */
    const int32_t *bias, *mult; /* [rows], filled up to a multiple of four */
    int32_t jump, columns;      /* from tap to tap of x; columns per tap */
    int16_t taps, rows, shift, low;
} tink_linear_t;

/* y[r] = saturate(requantize(bias[r] + sum of w[r] * x)), as int8 into y8 or, when that is NULL, as int16 into y16. */
TINK_KERNEL void tink_linear(const tink_linear_t *c, const int8_t *x, int8_t *y8, int16_t *y16)
{
    const int8_t *w = c->weight;
    const int32_t *mult = c->mult;
    const int32_t shift = c->shift, low = c->low;
    int32_t left;
    for (left = c->rows; left > 0; left -= 4) {
        int32_t acc[4], tap, i;
        memcpy(acc, c->bias + (c->rows - left), sizeof acc);
        for (tap = 0; tap < c->taps; tap++) {
            w = tink_dot4(w, x + tap * c->jump, c->columns, acc);
        }
        for (i = 0; i < 4 && i < left; i++) {
            const int32_t y = tink_requantize(acc[i], *mult++, shift);
            if (y8 != NULL) {
                *y8++ = tink_output8(y, low);
            } else {
                *y16++ = (int16_t)(y < -32768 ? -32768 : y > 32767 ? 32767 : y);
            }
        }
    }
}
/* [end] */

#endif
