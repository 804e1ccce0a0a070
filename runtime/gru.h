/* GRU with the reset after the product, as PyTorch and Keras' default. */
#ifndef TINK_GRU_H
#define TINK_GRU_H

#include "runtime/blend.h"
#include "runtime/multiply_high.h"
#include "runtime/recurrent.h"
#include "runtime/state8.h"

/* [fragment] */
/* Gates r, z, n. h: state, Q15; h8: the same rounded to 8 bits, also the output. Old h8 is read by all units before it
 * is made anew. */
TINK_KERNEL void tink_gru(const tink_recurrent_t *c, const tink_row *x, int16_t *h, int8_t *h8)
{
    tink_gates_t next = {c->weight, c->hidden_weight, c->unit};
    int32_t k, i, gate;
    for (k = 0; k < c->units;) {
        int32_t a[3][4], b[4];
        for (gate = 0; gate < 3; gate++) {
            tink_gate4(c, &next, x, h8, a[gate], gate == 2 ? b : NULL);
        }
        for (i = 0; i < 4 && k < c->units; i++, k++) {
            const int32_t n = tink_sigmoid(a[2][i] + tink_multiply_high(b[i], a[0][i]));
            h[k] = tink_blend(h[k], n - ((int32_t)1 << 27), a[1][i]);
        }
    }
    tink_state8(h, c->units, h8);
}
/* [end] */

#endif
