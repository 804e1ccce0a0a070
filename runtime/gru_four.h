/* What the kernels of a packed gru share: gates of four units, and the new state of one. */
#ifndef TINK_GRU_FOUR_H
#define TINK_GRU_FOUR_H

#include "runtime/lanes.h"
#include "runtime/multiply_high.h"
#include "runtime/sigmoid.h"

/* [fragment] */
static inline tink_four tink_sigmoid_four(tink_four v)
{
    v.a = tink_sigmoid(v.a);
    v.b = tink_sigmoid(v.b);
    v.c = tink_sigmoid(v.c);
    v.d = tink_sigmoid(v.d);
    return v;
}

/* v >> 8 limited to int8. */
static inline int32_t tink_state_limit8(int32_t v)
{
#ifdef TINK_DSP
    __asm__("ssat %0, #8, %1, asr #8" : "=r"(v) : "r"(v));
    return v;
#else
    return tink_limit8(v >> 8);
#endif
}

/* n and z of one unit: its new state, h in Q15 and h8. */
static inline void tink_gru_unit(int32_t n, int32_t z, int16_t *h, int8_t *h8)
{
    n -= (int32_t)1 << 27;
    n = (n + tink_multiply_high(*h * ((int32_t)1 << 12) - n, z) * 16 + 2048) >> 12;
    *h = (int16_t)n;
    *h8 = (int8_t)tink_state_limit8(n + 128);
}
/* [end] */

#endif
