/* gru by vectors. A template: tink_packed is the kernel of an encoding (v16.h, v32.h), whose name the generator puts in. */
#include "runtime/multiply_high.h"
#include "runtime/quad_sigmoid.h"

/* [fragment] */
typedef struct tink_packed_gru_t {
    const int32_t *weight; /* per four units, as tink_packed reads them: x and h of gate r, of n, of z */
    int32_t inputs, units;
    int32_t groups, shift, hidden_groups, hidden_shift; /* see tink_packed */
} tink_packed_gru_t;

/* sigmoid(a + b) */
static inline tink_quad tink_packed_gate(tink_quad a, tink_quad b)
{
#ifdef TINK_HELIUM
    a = vaddq_s32(a, b);
#else
    int32_t i;
    for (i = 0; i < 4; i++) {
        a.v[i] += b.v[i];
    }
#endif
    return tink_quad_sigmoid(a);
}

/* New states h, Q15, and h8 of four units: n, the sigmoid, and z in Q28. */
static inline void tink_packed_units(tink_quad n, tink_quad z, int16_t *h, int8_t *h8)
{
#ifdef TINK_HELIUM
    n = vsubq_n_s32(n, (int32_t)1 << 27);
    z = vrmulhq_s32(vsubq_s32(vshlq_n_s32(vldrhq_s32(h), 12), n), z);
    n = vrshrq_n_s32(vaddq_s32(n, vshlq_n_s32(z, 4)), 12);
    vstrhq_s32(h, n);
    vstrbq_s32(h8, vminq_s32(vrshrq_n_s32(n, 8), vdupq_n_s32(127)));
#else
    int32_t i;
    for (i = 0; i < 4; i++) {
        const int32_t tanh = n.v[i] - ((int32_t)1 << 27);
        const int32_t high = tink_multiply_high(h[i] * ((int32_t)1 << 12) - tanh, z.v[i]);
        const int32_t v = (tanh + high * 16 + 2048) >> 12;
        h[i] = (int16_t)v;
        h8[i] = (int8_t)tink_limit8((v + 128) >> 8);
    }
#endif
}

/* h: state, Q15; h8: the same rounded to 8 bits, also the output; both filled up to four units. lanes: room for x
 * and h8. */
TINK_KERNEL void tink_packed_gru(const tink_packed_gru_t *c, const int8_t *x, int16_t *h, int8_t *h8, int32_t *lanes)
{
    const int32_t *w = c->weight;
    int8_t *const room = (int8_t *)lanes;
    const tink_packed_x in = tink_packed_open(x, c->inputs, room);
    const tink_packed_x old = tink_packed_open(h8, c->units, room + 8 * c->groups);
    int32_t left;
    for (left = c->units; left > 0; left -= 4, h += 4, h8 += 4) {
        tink_quad a, b, r, n;
        a = tink_packed(&w, in, c->groups, c->shift, 1);
        b = tink_packed(&w, old, c->hidden_groups, c->hidden_shift, 0);
        r = tink_packed_gate(a, b);
        a = tink_packed(&w, in, c->groups, c->shift, 1);
        b = tink_quad_requantize(tink_packed(&w, old, c->hidden_groups, c->hidden_shift, 1), r, 0);
        n = tink_packed_gate(a, b);
        a = tink_packed(&w, in, c->groups, c->shift, 1);
        b = tink_packed(&w, old, c->hidden_groups, c->hidden_shift, 0);
        tink_packed_units(n, tink_packed_gate(a, b), h, h8);
    }
}
/* [end] */
