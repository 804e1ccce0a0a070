/* GRU with the reset before the product: the original definition. */
#ifndef TINK_GRU_BEFORE_H
#define TINK_GRU_BEFORE_H

#include "runtime/blend.h"
#include "runtime/multiply_high.h"
#include "runtime/recurrent.h"
#include "runtime/state8.h"

/* [fragment] */
/* Gates r of all units, then z, n of four units after four units. h: state, Q15; h8: the same rounded to 8 bits, also
 * the output; rh8 [units]: room for r * h. */
TINK_KERNEL void tink_gru_before(const tink_recurrent_t *c, const tink_row *x, int16_t *h, int8_t *h8, int8_t *rh8)
{
    tink_gates_t next = {c->weight, c->hidden_weight, c->unit};
    int32_t k, i, r[4], z[4], n[4];
    for (k = 0; k < c->units;) {
        tink_gate4(c, &next, x, h8, r, NULL);
        for (i = 0; i < 4 && k < c->units; i++, k++) {
            const int32_t v = tink_multiply_high(h[k] * ((int32_t)1 << 12), r[i]);
            rh8[k] = tink_output8((v + ((int32_t)1 << 15)) >> 16, -128);
        }
    }
    for (k = 0; k < c->units;) {
        tink_gate4(c, &next, x, h8, z, NULL);
        tink_gate4(c, &next, x, rh8, n, NULL);
        for (i = 0; i < 4 && k < c->units; i++, k++) {
            h[k] = tink_blend(h[k], n[i] - ((int32_t)1 << 27), z[i]);
        }
    }
    tink_state8(h, c->units, h8);
}
/* [end] */

#endif
