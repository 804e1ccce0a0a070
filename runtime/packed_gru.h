/* gru with packed weights. A template: tink_packed is the kernel of an encoding (t2.h, t43.h), whose name the generator
 * puts in. */
#include "runtime/gru_four.h"

/* [fragment] */
typedef struct tink_packed_gru_t {
    const int32_t
        *weight; /* per four units, as tink_packed reads them: r of x, r of h, n of h, n of x, z of x, z of h */
    int32_t inputs, units, count, hidden_count;
} tink_packed_gru_t;

/* h: state, Q15; h8: the same rounded to 8 bits, also the output; both filled up to four units. lanes: room for the
 * widened x and h8. */
TINK_KERNEL void tink_packed_gru(const tink_packed_gru_t *c, const int8_t *x, int16_t *h, int8_t *h8, int32_t *lanes)
{
    const int32_t *w = c->weight;
    int32_t *const old = tink_widen(x, c->inputs, lanes);
    int32_t left;
    (void)tink_widen(h8, c->units, old);
    for (left = c->units; left > 0; left -= 4, h += 4, h8 += 4) {
        tink_four n, z = tink_packed(&w, lanes, c->count, 1, NULL);
        z = tink_sigmoid_four(tink_packed(&w, old, c->hidden_count, 0, &z)); /* r */
        n = tink_packed(&w, old, c->hidden_count, 1, NULL);
        n.a = tink_multiply_high(n.a, z.a);
        n.b = tink_multiply_high(n.b, z.b);
        n.c = tink_multiply_high(n.c, z.c);
        n.d = tink_multiply_high(n.d, z.d);
        n = tink_sigmoid_four(tink_packed(&w, lanes, c->count, 1, &n));
        z = tink_packed(&w, lanes, c->count, 1, NULL);
        z = tink_sigmoid_four(tink_packed(&w, old, c->hidden_count, 0, &z));
        tink_gru_unit(n.a, z.a, h, h8);
        tink_gru_unit(n.b, z.b, h + 1, h8 + 1);
        tink_gru_unit(n.c, z.c, h + 2, h8 + 2);
        tink_gru_unit(n.d, z.d, h + 3, h8 + 3);
    }
}
/* [end] */
