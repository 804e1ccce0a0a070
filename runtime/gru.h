/* GRU with reset_after: int8 in, state in Q15, state rounded to int8 (1/128) for the matrix and the next layer. */
#ifndef TINK_GRU_H
#define TINK_GRU_H

#include "runtime/dot4.h"
#include "runtime/requantize.h"
#include "runtime/sigmoid.h"

/* [fragment] */
typedef struct tink_gru_t {
    const int8_t *weight, *hidden_weight; /* per four units: gates r, z, n, each as tink_dot4 reads it */
    const int32_t *unit; /* per four units: per gate bias[4], mult[4], hidden mult[4]; hidden bias of n [4] */
    int16_t inputs, units, shift, hidden_shift;
} tink_gru_t;

/* h: state, Q15; h8: the same rounded to 8 bits, also the output. Old h8 is read by all units before it is made anew.
 */
TINK_KERNEL void tink_gru(const tink_gru_t *c, const int8_t *x, int16_t *h, int8_t *h8)
{
    const int8_t *w = c->weight, *u = c->hidden_weight;
    const int32_t *p = c->unit;
    const int32_t shift = c->shift, hidden_shift = c->hidden_shift;
    int32_t k;
    for (k = 0; k < c->units; p += 16) {
        int32_t a[3][4], b[4], i; /* a: r, z and the input's part of n */
        for (int32_t gate = 0;; gate++, p += 12) {
            memcpy(a[gate], p, sizeof a[gate]);
            memset(b, 0, sizeof b);
            w = tink_dot4(w, x, c->inputs, a[gate]);
            u = tink_dot4(u, h8, c->units, b);
            if (gate == 2) {
                break;
            }
            for (i = 0; i < 4; i++) {
                a[gate][i] = tink_sigmoid(tink_requantize(a[gate][i], p[4 + i], shift) +
                                          tink_requantize(b[i], p[8 + i], hidden_shift));
            }
        }
        for (i = 0; i < 4 && k < c->units; i++, k++) {
            const int32_t v = tink_multiply_high(tink_requantize(b[i] + p[12 + i], p[8 + i], hidden_shift), a[0][i]);
            const int32_t n = tink_sigmoid(tink_requantize(a[2][i], p[4 + i], shift) + v) - ((int32_t)1 << 27);
            const int32_t old = h[k] * ((int32_t)1 << 12);
            h[k] = (int16_t)((n + tink_multiply_high(old - n, a[1][i]) * 16 + 2048) >> 12);
        }
    }
    for (k = 0; k < c->units; k++) {
        const int32_t v = (h[k] + (int32_t)128) >> 8;
        h8[k] = (int8_t)(v > 127 ? 127 : v);
    }
}
/* [end] */

#endif
