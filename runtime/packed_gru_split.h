/* gru with packed weights in two halves, so that its work can be spread over frames: the products with the state need no
 * new row and may run ahead of it. A template: tink_packed is the kernel of an encoding (t2.h, t43.h), whose name the
 * generator puts in. */
#include "runtime/gru_four.h"

/* [fragment] */
/* Of some of the units. ahead: per four of them n, r, z of h; the other half: r, n, z of x. */
typedef struct tink_packed_half_t {
    const int32_t *weight;         /* as tink_packed reads them */
    int32_t columns, units, count; /* of the state or of x; units that are computed; see tink_packed */
} tink_packed_half_t;

/* ahead [3 * units]: per four units what the state adds to n, r and z. lanes: room for the widened h8 [columns]. */
TINK_KERNEL void tink_packed_gru_ahead(const tink_packed_half_t *c, const int8_t *h8, int32_t *lanes, int32_t *ahead)
{
    const int32_t *w = c->weight;
    int32_t left, gate;
    (void)tink_widen(h8, c->columns, lanes);
    for (left = c->units; left > 0; left -= 4) {
        for (gate = 0; gate < 3; gate++, ahead += 4) {
            const tink_four v = tink_packed(&w, lanes, c->count, gate == 0, NULL);
            memcpy(ahead, &v, sizeof v);
        }
    }
}

/* h, h8, ahead: from the first of the units on; see tink_packed_gru. lanes: room for the widened x [columns]. */
TINK_KERNEL void tink_packed_gru_now(const tink_packed_half_t *c, const int8_t *x, const int32_t *ahead, int16_t *h,
                                     int8_t *h8, int32_t *lanes)
{
    const int32_t *w = c->weight;
    int32_t left;
    (void)tink_widen(x, c->columns, lanes);
    for (left = c->units; left > 0; left -= 4, ahead += 12, h += 4, h8 += 4) {
        tink_four n, z;
        memcpy(&z, ahead + 4, sizeof z);
        z = tink_sigmoid_four(tink_packed(&w, lanes, c->count, 1, &z)); /* r */
        n.a = tink_multiply_high(ahead[0], z.a);
        n.b = tink_multiply_high(ahead[1], z.b);
        n.c = tink_multiply_high(ahead[2], z.c);
        n.d = tink_multiply_high(ahead[3], z.d);
        n = tink_sigmoid_four(tink_packed(&w, lanes, c->count, 1, &n));
        memcpy(&z, ahead + 8, sizeof z);
        z = tink_sigmoid_four(tink_packed(&w, lanes, c->count, 1, &z));
        tink_gru_unit(n.a, z.a, h, h8);
        tink_gru_unit(n.b, z.b, h + 1, h8 + 1);
        tink_gru_unit(n.c, z.c, h + 2, h8 + 2);
        tink_gru_unit(n.d, z.d, h + 3, h8 + 3);
    }
}
/* [end] */
