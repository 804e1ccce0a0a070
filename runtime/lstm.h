/* LSTM: the cell in Q23, the output in 8 bits. */
#ifndef TINK_LSTM_H
#define TINK_LSTM_H

#include "runtime/multiply_high.h"
#include "runtime/recurrent.h"

/* [fragment] */
/* Gates i, f, g, o. cell: state, Q23; h8: output of the step before, and of this one at the end; y [units]: room for it
 * meanwhile. */
TINK_KERNEL void tink_lstm(const tink_recurrent_t *c, const tink_row *x, int32_t *cell, int8_t *h8, int8_t *y)
{
    const int32_t one = (int32_t)1 << 27;
    tink_gates_t next = {c->weight, c->hidden_weight, c->unit};
    int32_t k, i, gate;
    for (k = 0; k < c->units;) {
        int32_t a[4][4];
        for (gate = 0; gate < 4; gate++) {
            tink_gate4(c, &next, x, h8, a[gate], NULL);
        }
        for (i = 0; i < 4 && k < c->units; i++, k++) {
            int32_t v = tink_multiply_high(cell[k] * 16, a[1][i]) + tink_multiply_high(a[2][i] - one, a[0][i]);
            v = v < -one ? -one : v > one - 1 ? one - 1 : v;
            cell[k] = v;
            v = tink_multiply_high(tink_sigmoid((v + 512) >> 10) - one, a[3][i]);
            y[k] = tink_output8((v + ((int32_t)1 << 15)) >> 16, -128);
        }
    }
    memcpy(h8, y, (size_t)c->units);
}
/* [end] */

#endif
