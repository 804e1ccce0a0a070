/* conv1d with one group per input channel. */
#ifndef TINK_DEPTHWISE_H
#define TINK_DEPTHWISE_H

#include "runtime/read_row.h"
#include "runtime/write_row.h"
#if TINK_CURVES
#include "runtime/curve.h"
#endif

/* [fragment] */
typedef struct tink_depthwise_t {
    const int8_t *weight;                                         /* [inputs * multiplier][taps], oldest tap first */
    const int32_t *bias, *mult;                                   /* [inputs * multiplier] */
    int32_t step;                                                 /* from one tap of x to the next: dilation * inputs */
    int16_t inputs, multiplier, taps, shift, low, wide, wide_out; /* wide: rows are int16_t */
#if TINK_CURVES
    int16_t curve;
#endif
} tink_depthwise_t;

/* Output o reads input o / multiplier. */
static void tink_depthwise(const tink_depthwise_t *c, const tink_row *x, tink_row *y)
{
    const int8_t *w = c->weight;
    int32_t i, m, k, o = 0;
    for (i = 0; i < c->inputs; i++) {
        for (m = 0; m < c->multiplier; m++, o++) {
            int32_t acc = c->bias[o];
            for (k = 0; k < c->taps; k++) {
                acc += w[k] * tink_read(x, i + k * c->step, c->wide);
            }
            w += c->taps;
            acc = tink_requantize(acc, c->mult[o], c->shift);
#if TINK_CURVES
            acc = tink_curve(acc, c->curve);
#endif
            tink_write(y, o, acc, c->low, c->wide_out);
        }
    }
}
/* [end] */

#endif
