/* conv1d with one group per input channel. */
#ifndef TINK_DEPTHWISE_H
#define TINK_DEPTHWISE_H

#include "runtime/requantize.h"

/* [fragment] */
typedef struct tink_depthwise_t {
    const int8_t *weight;       /* [inputs * multiplier][taps], oldest tap first */
    const int32_t *bias, *mult; /* [inputs * multiplier] */
    int32_t step;               /* from one tap of x to the next: dilation * inputs */
    int16_t inputs, multiplier, taps, shift, low;
} tink_depthwise_t;

/* Output o reads input o / multiplier. */
static void tink_depthwise(const tink_depthwise_t *c, const int8_t *x, int8_t *y)
{
    const int8_t *w = c->weight;
    int32_t o = 0;
    for (int32_t i = 0; i < c->inputs; i++) {
        for (int32_t m = 0; m < c->multiplier; m++, o++) {
            const int8_t *tap = x + i;
            int32_t acc = c->bias[o];
            for (int32_t k = 0; k < c->taps; k++) {
                acc += w[k] * (int32_t)tap[k * c->step];
            }
            w += c->taps;
            y[o] = tink_output8(tink_requantize(acc, c->mult[o], c->shift), c->low);
        }
    }
}
/* [end] */

#endif
