/* Requantisation and saturation: the one place where an accumulator becomes an activation (docs/integer-arithmetic.md).
 * Right shifts of negative values are arithmetic, as in every compiler for the targets. */
#ifndef TINK_REQUANTIZE_H
#define TINK_REQUANTIZE_H

#include "runtime/kernel.h"
#if TINK_POWERS
#else
#include "runtime/multiply_high.h"
#endif

/* [fragment] */
#if TINK_POWERS
/* Every multiplier of this model is a power of two: acc * 2^shift / 2^down, rounded half up; 2 <= down <= 32. */
static inline int32_t tink_requantize(int32_t acc, int32_t down, int32_t shift)
{
    return (((int32_t)((uint32_t)acc << shift) >> (down - 1)) + 1) >> 1;
}
#else
/* acc * 2^shift * mult / 2^32; |acc| * 2^shift < 2^31 follows from the weights. Unsigned, as C leaves the left shift of
 * a negative number undefined. */
static inline int32_t tink_requantize(int32_t acc, int32_t mult, int32_t shift)
{
    return tink_multiply_high((int32_t)((uint32_t)acc << shift), mult);
}
#endif

/* v limited to int8. */
static inline int32_t tink_limit8(int32_t v)
{
#ifdef TINK_DSP
    __asm__("ssat %0, #8, %1" : "=r"(v) : "r"(v));
    return v;
#else
    return v < -128 ? -128 : v > 127 ? 127 : v;
#endif
}

/* The 8-bit output of a layer: at most 127, at least `low`, which is -127, or 0 after relu. */
static inline int8_t tink_output8(int32_t v, int32_t low)
{
    v = tink_limit8(v);
    return (int8_t)(v < low ? low : v);
}
/* [end] */

#endif
