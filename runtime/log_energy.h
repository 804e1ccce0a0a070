/* The log of the energy of Haar details, octave by octave, from raw counts (docs/integer-arithmetic.md). */
#ifndef TINK_LOG_ENERGY_H
#define TINK_LOG_ENERGY_H

#include "runtime/log2_eighths.h"

/* [fragment] */
typedef struct tink_log_energy_t {
    int16_t outputs, levels, kernel, log2_stride;
    int16_t silence; /* L(16 * kernel) + 112 */
} tink_log_energy_t;

/* Every frame. Level after level within a channel: left, the first of the two values that make the next detail; sum, of
 * the squares of the block under way. */
TINK_KERNEL void tink_log_energy_take(const int16_t *counts, int32_t channels, int32_t levels, uint16_t *frames,
                                      int32_t *left, uint64_t *sum)
{
    const int32_t before = *frames; /* modulo 2^16 */
    int32_t c, l;
    for (c = 0; c < channels; c++, left += levels, sum += levels) {
        int32_t a = counts[c], second = 1;
        for (l = 0; l < levels && second != 0; l++) {
            second = (before >> l) & 1;
            if (second != 0) {
                const int32_t d = a - left[l];
                sum[l] += (uint64_t)((int64_t)d * d);
                a += left[l];
            } else {
                left[l] = a;
            }
        }
    }
    *frames = (uint16_t)(before + 1);
}

/* After every block. past [kernel - 1][outputs]: the blocks before, a ring whose oldest row is *oldest; with kernel 1
 * neither is looked at. */
TINK_KERNEL void tink_log_energy_give(const tink_log_energy_t *e, uint64_t *sum, uint32_t *past, uint16_t *oldest,
                                      int8_t *y)
{
    const int32_t n = e->outputs, rows = e->kernel - 1;
    int32_t i, k, level = 1;
    for (i = 0; i < n; i++) {
        const uint64_t mean = sum[i] >> (e->log2_stride + level - 4);
        const uint32_t block = mean > 0xffffffffu ? 0xffffffffu : (uint32_t)mean;
        uint64_t all = (uint64_t)block + 16u * (uint32_t)e->kernel;
        for (k = 0; k < rows; k++) {
            all += past[k * n + i];
        }
        if (rows > 0) {
            past[*oldest * n + i] = block;
        }
        sum[i] = 0;
        y[i] = (int8_t)(tink_log2_eighths(all) - e->silence);
        level = level < e->levels ? level + 1 : 1;
    }
    if (rows > 0) {
        *oldest = (uint16_t)(*oldest + 1 < rows ? *oldest + 1 : 0);
    }
}
/* [end] */

#endif
