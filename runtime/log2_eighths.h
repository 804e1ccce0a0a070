/* The logarithm of energies, by counting bits. */
#ifndef TINK_LOG2_EIGHTHS_H
#define TINK_LOG2_EIGHTHS_H

#include "runtime/kernel.h"

/* [fragment] */
/* 8 * log2(v) by straight lines between powers of two, 8 <= v. */
static int32_t tink_log2_eighths(uint64_t v)
{
    int32_t shift = 0, step;
    uint32_t w;
    for (; (v >> 32) != 0; v >>= 16) {
        shift += 16;
    }
    w = (uint32_t)v;
    for (step = 16; step > 0; step >>= 1) {
        if (w >= (uint32_t)8 << step) {
            w >>= step;
            shift += step;
        }
    }
    return 8 * shift + (int32_t)w + 16;
}
/* [end] */

#endif
