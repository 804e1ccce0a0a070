/* Exponential mean over a long past in one row of memory. */
#ifndef TINK_EMA_H
#define TINK_EMA_H

#include "runtime/requantize.h"

/* [fragment] */
/* mean: state, units of x times 2^(decay + 8). */
static void tink_ema(const int8_t *x, int32_t *mean, int32_t channels, int32_t decay, int32_t mult, int32_t shift,
                     int8_t *y)
{
    const int32_t half = (int32_t)1 << (decay - 1);
    int32_t i;
    for (i = 0; i < channels; i++) {
        const int32_t before = mean[i], after = before - ((before + half) >> decay) + x[i] * 256;
        mean[i] = after;
        y[i] = tink_output8(tink_requantize(after, mult, shift), -127);
    }
}
/* [end] */

#endif
