/* The one definition of the integer arithmetic (docs/integer-arithmetic.md). Right shifts of negative numbers are
 * arithmetic: true of every compiler that Tinamou supports, and tests/model checks it. Left shifts are written as
 * multiplications, which C defines. */
#include "model/qmodel.h"

int32_t tin_multiply_high(int32_t a, int32_t m)
{
    return (int32_t)(((int64_t)a * m + ((int64_t)1 << 31)) >> 32);
}

int32_t tin_requantize(int32_t acc, int32_t mult, int shift)
{
    return tin_multiply_high((int32_t)((int64_t)acc * ((int64_t)1 << shift)), mult);
}

int32_t tin_sigmoid_q28(int32_t t)
{
    int32_t i = t >> 8;
    i = i < -128 ? -128 : i > 127 ? 127 : i;
    int32_t p = (int32_t)tin_sigmoid_table[i + 128];
    /* int16(t): beyond int16 it wraps, where the slope is 0. */
    return p + (int32_t)(int16_t)t * (int16_t)p;
}
