/* The product that requantisation and the gates of recurrent layers need. */
#ifndef TINK_MULTIPLY_HIGH_H
#define TINK_MULTIPLY_HIGH_H

#include "runtime/kernel.h"

/* [fragment] */
/* a * m / 2^32, rounded half up. */
static inline int32_t tink_multiply_high(int32_t a, int32_t m)
{
#ifdef TINK_DSP
    int32_t high;
    __asm__("smmulr %0, %1, %2" : "=r"(high) : "r"(a), "r"(m));
    return high;
#else
    return (int32_t)(((int64_t)a * m + (int64_t)0x80000000) >> 32);
#endif
}
/* [end] */

#endif
