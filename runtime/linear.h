/* conv1d with groups 1, and dense: weight matrix times window of inputs, requantised. */
#ifndef TINK_LINEAR_H
#define TINK_LINEAR_H

#include <stddef.h>

#include "runtime/dot4.h"
#include "runtime/requantize.h"

/* [fragment] */
typedef struct tink_linear_t {
    const int8_t *weight;       /* blocks of four rows, see tink_dot4 */
    const int32_t *bias, *mult; /* [rows] */
    tink_span_t span;
    int16_t rows, shift;
    int16_t low, high; /* limits of the output; low is 0 after relu */
} tink_linear_t;

/* y[r] = clamp(requantize(bias[r] + sum of w[r] * x)), into y8 or, when that is NULL, into y16. */
static void tink_linear(const tink_linear_t *c, const int8_t *x, int8_t *y8, int16_t *y16)
{
    const int8_t *w = c->weight;
    for (int32_t row = 0; row < c->rows; row += 4) {
        int32_t acc[4];
        w = tink_dot4(w, x, &c->span, acc);
        for (int32_t i = row; i < c->rows && i < row + 4; i++) {
            const int32_t y = tink_requantize(acc[i - row] + c->bias[i], c->mult[i], c->shift);
            if (y8 != NULL) {
                y8[i] = (int8_t)tink_clamp(y, c->low, c->high);
            } else {
                y16[i] = (int16_t)tink_clamp(y, c->low, c->high);
            }
        }
    }
}
/* [end] */

#endif
