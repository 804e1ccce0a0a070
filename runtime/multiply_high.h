/* The product that requantisation and the gates of recurrent layers need. */
#ifndef TINK_MULTIPLY_HIGH_H
#define TINK_MULTIPLY_HIGH_H

#include "runtime/kernel.h"

/* [fragment] */
#if defined(TINK_THUMB1)
/* a * m / 2^32, rounded half up, 0 <= m: from products of 16 bits. */
TINK_ASSEMBLY int32_t tink_multiply_high(int32_t a TINK_UNUSED, int32_t m TINK_UNUSED)
{
    __asm__ volatile(".syntax unified\n\t"
                     "mov r12, r4\n\t"
                     "uxth r2, r0\n\t"
                     "asrs r0, r0, #16\n\t"
                     "uxth r3, r1\n\t"
                     "asrs r1, r1, #16\n\t"
                     "movs r4, r2\n\t"
                     "muls r4, r3, r4\n\t"
                     "lsrs r4, r4, #16\n\t"
                     "muls r2, r1, r2\n\t"
                     "adds r2, r2, r4\n\t" /* low half of a times m */
                     "muls r3, r0, r3\n\t"
                     "muls r1, r0, r1\n\t"
                     "asrs r0, r3, #16\n\t"
                     "adds r0, r0, r1\n\t"
                     "uxth r3, r3\n\t"
                     "adds r2, r2, r3\n\t"
                     "lsrs r2, r2, #16\n\t" /* carry: the half */
                     "adcs r0, r0, r2\n\t"
                     "mov r4, r12\n\t"
                     "bx lr");
}
#elif defined(TINK_SHORT_MULTIPLY)
/* a * m / 2^32, rounded half up, 0 <= m: from products of 16 bits. */
TINK_KERNEL int32_t tink_multiply_high(int32_t a, int32_t m)
{
    const uint32_t a_low = (uint32_t)a & 0xffff, m_low = (uint32_t)m & 0xffff;
    const int32_t a_high = a >> 16, m_high = m >> 16;
    const int32_t outer = a_high * (int32_t)m_low;
    const uint32_t inner = a_low * (uint32_t)m_high;
    const uint32_t middle = (a_low * m_low >> 16) + (inner & 0xffff) + ((uint32_t)outer & 0xffff) + 0x8000;
    return a_high * m_high + (outer >> 16) + (int32_t)(inner >> 16) + (int32_t)(middle >> 16);
}
#else
/* a * m / 2^32, rounded half up, 0 <= m. */
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
#endif
/* [end] */

#endif
