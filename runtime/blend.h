/* The state of gru, mgu and min_gru: Q15, read by matrices and the next layer in 8 bits. */
#ifndef TINK_BLEND_H
#define TINK_BLEND_H

#include "runtime/multiply_high.h"
#include "runtime/requantize.h"

/* [fragment] */
/* n + z * (h - n): h Q15, n Q27, z Q28. */
static inline TINK_UNUSED int16_t tink_blend(int32_t h, int32_t n, int32_t z)
{
    return (int16_t)((n + tink_multiply_high(h * ((int32_t)1 << 12) - n, z) * 16 + 2048) >> 12);
}
/* [end] */

#endif
