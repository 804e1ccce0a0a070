/* What the tests of the device's kernels share: random values, and a weight put where tink_dot4 reads it. */
#ifndef RUNTIME_SUPPORT_H
#define RUNTIME_SUPPORT_H

#include <stdint.h>

#include "base/rng.h"

static inline int8_t random_int8(tin_rng *rng)
{
    return (int8_t)((int)tin_rng_below(rng, 256) - 128);
}

static inline int32_t random_int32(tin_rng *rng, int bits)
{
    return (int32_t)((int64_t)(tin_rng_next(rng) >> (64 - bits)) - ((int64_t)1 << (bits - 1)));
}

static inline int32_t clamp(int64_t v, int64_t low, int64_t high)
{
    return (int32_t)(v < low ? low : v > high ? high : v);
}

/* One weight of the order that tink_dot4 reads, written by the words of its comment. */
static inline void put_weight(int8_t *block, int n, int row, int column, int8_t w)
{
    const int whole = n / 4 * 4;
    block[column < whole ? column / 4 * 16 + row * 4 + column % 4 : whole * 4 + (column - whole) * 4 + row] = w;
}

#endif
