/* GRU with reset_after: int8 in, state in Q15, state rounded to int8 (1/128) for the matrix and the next layer. */
#ifndef TINK_GRU_H
#define TINK_GRU_H

#include "runtime/dot4.h"
#include "runtime/requantize.h"
#include "runtime/sigmoid.h"

/* [fragment] */
typedef struct tink_gru_t {
    const int8_t *weight, *hidden_weight; /* for each four units: gates r, z, n, four rows each (tink_dot4) */
    const int32_t *unit;                  /* [units][10]: bias r z n, hidden bias n, mult r z n, hidden mult r z n */
    tink_span_t span, hidden_span;
    int16_t units, shift, hidden_shift;
} tink_gru_t;

/* h: state, Q15; h8: the same rounded to 8 bits, also the output. Old h8 is read by all units before it is made anew.
 */
static void tink_gru(const tink_gru_t *c, const int8_t *x, int16_t *h, int8_t *h8)
{
    const int8_t *w = c->weight, *u = c->hidden_weight;
    const int32_t *p = c->unit;
    for (int32_t first = 0; first < c->units; first += 4) {
        int32_t a[3][4], b[3][4];
        for (int32_t gate = 0; gate < 3; gate++) {
            w = tink_dot4(w, x, &c->span, a[gate]);
            u = tink_dot4(u, h8, &c->hidden_span, b[gate]);
        }
        for (int32_t i = 0; i < 4 && first + i < c->units; i++, p += 10) {
            const int32_t r = tink_sigmoid(tink_requantize(a[0][i] + p[0], p[4], c->shift) +
                                           tink_requantize(b[0][i], p[7], c->hidden_shift));
            const int32_t z = tink_sigmoid(tink_requantize(a[1][i] + p[1], p[5], c->shift) +
                                           tink_requantize(b[1][i], p[8], c->hidden_shift));
            const int32_t v = tink_requantize(b[2][i] + p[3], p[9], c->hidden_shift);
            const int32_t n = tink_sigmoid(tink_requantize(a[2][i] + p[2], p[6], c->shift) + tink_multiply_high(v, r)) -
                              ((int32_t)1 << 27);
            const int32_t old = h[first + i] * ((int32_t)1 << 12);
            h[first + i] = (int16_t)((n + tink_multiply_high(old - n, z) * 16 + 2048) >> 12);
        }
    }
    for (int32_t k = 0; k < c->units; k++) {
        const int32_t v = (h[k] + (int32_t)128) >> 8;
        h8[k] = (int8_t)(v > 127 ? 127 : v);
    }
}
/* [end] */

#endif
