/* Mean over the last rows, by a multiplier instead of a division. */
#ifndef TINK_AVG_POOL_H
#define TINK_AVG_POOL_H

#include "runtime/requantize.h"

/* [fragment] */
/* x [kernel][channels]; y[i] = saturate8(requantize(sum of column i)). */
static void tink_avg_pool(const int8_t *x, int32_t kernel, int32_t channels, int32_t mult, int32_t shift, int8_t *y)
{
    for (int32_t i = 0; i < channels; i++) {
        const int8_t *row = x + i;
        int32_t sum = 0;
        for (int32_t k = 0; k < kernel; k++) {
            sum += row[k * channels];
        }
        y[i] = tink_output8(tink_requantize(sum, mult, shift), -127);
    }
}
/* [end] */

#endif
