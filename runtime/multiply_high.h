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
    const int64_t product = (int64_t)a * m;
    return (int32_t)(product >> 32) + (int32_t)((uint32_t)product >> 31); /* + 1 where the low half is 1/2 and more */
#endif
}
/* [end] */

#endif
