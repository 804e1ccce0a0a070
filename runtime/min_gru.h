/* The GRU whose gates do not read the state: no matrix on the state at all. */
#ifndef TINK_MIN_GRU_H
#define TINK_MIN_GRU_H

#include "runtime/blend.h"
#include "runtime/dot4.h"
#include "runtime/sigmoid.h"
#include "runtime/state8.h"
#if TINK_WIDE
#include "runtime/dot4_wide.h"
#endif

/* [fragment] */
typedef struct tink_min_gru_t {
    const int8_t *weight; /* per four units: gates z, n, each as tink_dot4 reads it */
    const int32_t *unit;  /* likewise: bias[4], mult[4] */
    int16_t inputs, units, shift;
#if TINK_WIDE
    int16_t wide; /* x is int16_t */
#endif
} tink_min_gru_t;

/* h: state, Q15; y: the same rounded to 8 bits. */
TINK_KERNEL void tink_min_gru(const tink_min_gru_t *c, const tink_row *x, int16_t *h, int8_t *y)
{
    const int8_t *w = c->weight;
    const int32_t *p = c->unit;
    int32_t k, i, gate;
    for (k = 0; k < c->units; p += 16) {
        int32_t a[2][4];
        for (gate = 0; gate < 2; gate++) {
            memcpy(a[gate], p + 8 * gate, sizeof a[gate]);
#if TINK_WIDE
            w = c->wide ? tink_dot4_wide(w, (const int16_t *)x, c->inputs, a[gate])
                        : tink_dot4(w, (const int8_t *)x, c->inputs, a[gate]);
#else
            w = tink_dot4(w, x, c->inputs, a[gate]);
#endif
        }
        for (i = 0; i < 4 && k < c->units; i++, k++) {
            const int32_t z = tink_sigmoid(tink_requantize(a[0][i], p[4 + i], c->shift));
            const int32_t n = tink_sigmoid(tink_requantize(a[1][i], p[12 + i], c->shift));
            h[k] = tink_blend(h[k], n - ((int32_t)1 << 27), z);
        }
    }
    tink_state8(h, c->units, y);
}
/* [end] */

#endif
