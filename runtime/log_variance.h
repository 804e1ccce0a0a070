/* The log of the variance over blocks of frames, from raw counts (docs/integer-arithmetic.md). */
#ifndef TINK_LOG_VARIANCE_H
#define TINK_LOG_VARIANCE_H

#include "runtime/log2_eighths.h"

/* [fragment] */
typedef struct tink_log_variance_t {
    int16_t channels, kernel;
    int16_t frames, silence; /* kernel times stride; L(frames^2) + 112 */
} tink_log_variance_t;

/* Every frame: sums of the block under way, unsigned: that they cannot overflow follows from the bound. */
static void tink_log_variance_take(const int16_t *frame, int32_t channels, int32_t *sum, uint64_t *squares)
{
    int32_t c;
    for (c = 0; c < channels; c++) {
        sum[c] = (int32_t)((uint32_t)sum[c] + (uint32_t)frame[c]);
        squares[c] += (uint32_t)((int32_t)frame[c] * frame[c]);
    }
}

/* v: frames^2 times the variance. */
static int8_t tink_variance_q(uint64_t v, uint32_t frames, int32_t silence)
{
    const int32_t q = tink_log2_eighths(v + (uint64_t)frames * frames) - silence;
    return (int8_t)(q < 127 ? q : 127);
}

/* After every block. past_ [kernel - 1][channels]: of the blocks before, a ring whose oldest row is *oldest; with kernel 1 none
 * of them is looked at. */
TINK_KERNEL void tink_log_variance_give(const tink_log_variance_t *e, int32_t *sum, uint64_t *squares,
                                        int32_t *past_sum, uint64_t *past_squares, uint16_t *oldest, int8_t *y)
{
    const int32_t n = e->channels, rows = e->kernel - 1;
    const uint32_t frames = (uint32_t)e->frames;
    int32_t c, k;
    for (c = 0; c < n; c++) {
        uint64_t all_squares = squares[c];
        uint64_t all = (uint64_t)sum[c];
        for (k = 0; k < rows; k++) {
            all += (uint64_t)past_sum[k * n + c];
            all_squares += past_squares[k * n + c];
        }
        if (rows > 0) {
            past_sum[*oldest * n + c] = sum[c];
            past_squares[*oldest * n + c] = squares[c];
        }
        sum[c] = 0;
        squares[c] = 0;
        y[c] = tink_variance_q(frames * all_squares - all * all, frames, e->silence);
    }
    if (rows > 0) {
        *oldest = (uint16_t)(*oldest + 1 < rows ? *oldest + 1 : 0);
    }
}
/* [end] */

#endif
