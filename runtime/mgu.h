/* The minimal gated unit: one gate f forgets and resets. */
#ifndef TINK_MGU_H
#define TINK_MGU_H

#include "runtime/blend.h"
#include "runtime/multiply_high.h"
#include "runtime/recurrent.h"
#include "runtime/state8.h"

/* [fragment] */
/* Gates f, n. h: state, Q15; h8: the same rounded to 8 bits, also the output. */
TINK_KERNEL void tink_mgu(const tink_recurrent_t *c, const tink_row *x, int16_t *h, int8_t *h8)
{
    tink_gates_t next = {c->weight, c->hidden_weight, c->unit};
    int32_t k, i, gate;
    for (k = 0; k < c->units;) {
        int32_t a[2][4], b[4];
        for (gate = 0; gate < 2; gate++) {
            tink_gate4(c, &next, x, h8, a[gate], gate == 1 ? b : NULL);
        }
        for (i = 0; i < 4 && k < c->units; i++, k++) {
            const int32_t f = a[0][i], n = tink_sigmoid(a[1][i] + tink_multiply_high(b[i], f));
            h[k] = tink_blend(h[k], n - ((int32_t)1 << 27), ((int32_t)1 << 28) - f);
        }
    }
    tink_state8(h, c->units, h8);
}
/* [end] */

#endif
