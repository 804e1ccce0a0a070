/* sigmoid and tanh of four values behind a conv1d or a dense. */
#ifndef TINK_QUAD_CURVE_H
#define TINK_QUAD_CURVE_H

#include "runtime/quad_sigmoid.h"

/* [fragment] */
/* curve 0: v as it is; 1: sigmoid of v in Q12; 2: tanh of v in Q13; both in Q7, at most 128. */
static tink_quad tink_quad_curve(tink_quad v, int32_t curve)
{
    if (curve != 0) {
        const int32_t zero = curve == 2 ? (int32_t)1 << 27 : 0, half = curve == 2 ? (int32_t)1 << 19 : (int32_t)1 << 20;
        v = tink_quad_sigmoid(v);
#ifdef TINK_HELIUM
        v = vshlq_r_s32(vaddq_n_s32(v, half - zero), curve == 2 ? -20 : -21);
#else
        {
            int32_t i;
            for (i = 0; i < 4; i++) {
                v.v[i] = (v.v[i] - zero + half) >> (curve == 2 ? 20 : 21);
            }
        }
#endif
    }
    return v;
}
/* [end] */

#endif
