/* What is left of the counts without their slow mean. */
#ifndef TINK_SLOW_MEAN_H
#define TINK_SLOW_MEAN_H

#include "runtime/kernel.h"

/* [fragment] */
/* With the first frame: a mean holds its channel's count times 2^(decay + 3). */
static void tink_start_means(const int16_t *frame, int32_t channels, int32_t decay, uint16_t *started, int32_t *means)
{
    int32_t c;
    for (c = 0; *started == 0 && c < channels; c++) {
        means[c] = (int32_t)frame[c] * ((int32_t)8 << decay);
    }
    *started = 1;
}

/* Eighths of a count; decay is 1 to 12. */
static inline int32_t tink_less_mean(int32_t count, int32_t decay, int32_t *mean)
{
    const int32_t before = *mean, half = (int32_t)1 << (decay - 1);
    *mean = before - ((before + half) >> decay) + 8 * count;
    return 8 * count - ((before + half) >> decay);
}
/* [end] */

#endif
