/* sigmoid of four values. */
#ifndef TINK_QUAD_SIGMOID_H
#define TINK_QUAD_SIGMOID_H

#include "runtime/quad.h"
#include "runtime/sigmoid.h"

/* [fragment] */
#ifdef TINK_HELIUM
/* As tink_sigmoid: t * 2^16 saturates, so that its high byte is limit8(t >> 8). */
static inline tink_quad tink_quad_sigmoid(tink_quad t)
{
    const uint32x4_t i = vreinterpretq_u32_s32(vshrq_n_s32(vqshlq_n_s32(t, 16), 24));
    const tink_quad p = vreinterpretq_s32_u32(vldrwq_gather_shifted_offset_u32(tink_sigmoid_table + 128, i));
    return vaddq_s32(p, vmullbq_int_s16(vreinterpretq_s16_s32(t), vreinterpretq_s16_s32(p)));
}
#else
static inline tink_quad tink_quad_sigmoid(tink_quad t)
{
    int32_t i;
    for (i = 0; i < 4; i++) {
        t.v[i] = tink_sigmoid(t.v[i]);
    }
    return t;
}
#endif
/* [end] */

#endif
