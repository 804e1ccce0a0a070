/* gru with packed weights. A template: tink_packed is the kernel of an encoding (t2.h, t43.h), whose name the generator
 * puts in. */
#include "runtime/lanes.h"
#include "runtime/sigmoid.h"

/* [fragment] */
typedef struct tink_packed_gru_t {
    const int32_t
        *weight; /* per four units, as tink_packed reads them: r of x, r of h, n of h, n of x, z of x, z of h */
    int32_t inputs, units, count, hidden_count;
} tink_packed_gru_t;

static inline tink_four tink_packed_gate(tink_four x, tink_four h)
{
    x.a = tink_sigmoid(x.a + h.a);
    x.b = tink_sigmoid(x.b + h.b);
    x.c = tink_sigmoid(x.c + h.c);
    x.d = tink_sigmoid(x.d + h.d);
    return x;
}

/* n and z of one unit: its new state. */
static inline int16_t tink_packed_unit(int32_t n, int32_t z, int32_t old)
{
    n -= (int32_t)1 << 27;
    return (int16_t)((n + tink_multiply_high(old * ((int32_t)1 << 12) - n, z) * 16 + 2048) >> 12);
}

/* h: state, Q15; h8: the same rounded to 8 bits, also the output. lanes: room for the widened x and h8. */
TINK_KERNEL void tink_packed_gru(const tink_packed_gru_t *c, const int8_t *x, int16_t *h, int8_t *h8, int32_t *lanes)
{
    const int32_t *w = c->weight;
    int32_t *old = lanes + ((c->inputs + 3) >> 2) * 2;
    int32_t left;
    tink_widen(x, 0, 1, c->inputs, lanes);
    tink_widen(h8, 0, 1, c->units, old);
    for (left = c->units; left > 0; left -= 4) {
        tink_four n, z;
        int32_t i;
        z = tink_packed(&w, lanes, c->count, 1);
        z = tink_packed_gate(z, tink_packed(&w, old, c->hidden_count, 0)); /* r */
        n = tink_packed(&w, old, c->hidden_count, 1);
        n.a = tink_multiply_high(n.a, z.a);
        n.b = tink_multiply_high(n.b, z.b);
        n.c = tink_multiply_high(n.c, z.c);
        n.d = tink_multiply_high(n.d, z.d);
        n = tink_packed_gate(n, tink_packed(&w, lanes, c->count, 1));
        z = tink_packed(&w, lanes, c->count, 1);
        z = tink_packed_gate(z, tink_packed(&w, old, c->hidden_count, 0));
        {
            const int32_t n4[4] = {n.a, n.b, n.c, n.d}, z4[4] = {z.a, z.b, z.c, z.d};
            for (i = 0; i < 4 && i < left; i++) {
                const int32_t new_h = tink_packed_unit(n4[i], z4[i], *h);
                *h++ = (int16_t)new_h;
                *h8++ = (int8_t)tink_limit8((new_h + 128) >> 8);
            }
        }
    }
}
/* [end] */
