/* GRU with the reset after the product, from the matrix products of CMSIS-NN. */
#ifndef TINK_CMSIS_GRU_H
#define TINK_CMSIS_GRU_H

#include "runtime/blend.h"
#include "runtime/cmsis_products.h"
#include "runtime/sigmoid.h"
#include "runtime/state8.h"

/* [fragment] */
typedef struct tink_cmsis_gru_t {
    const int8_t *weight, *hidden_weight;     /* [3 * units][inputs], [3 * units][units]: gates r, z, n */
    const int32_t *bias, *mult, *hidden_mult; /* [3 * units] */
    const int32_t *hidden_bias;               /* [units], of n */
    int32_t inputs, units, shift, hidden_shift;
} tink_cmsis_gru_t;

/* h: state, Q15; h8: the same rounded to 8 bits, also the output. lanes: room for 6 * units sums. */
TINK_KERNEL void tink_cmsis_gru(const tink_cmsis_gru_t *c, const int8_t *x, int16_t *h, int8_t *h8, int32_t *lanes)
{
    const int32_t n = c->units;
    int32_t *const a = lanes, *const b = lanes + 3 * n;
    int32_t k;
    tink_cmsis_products(c->weight, x, c->inputs, 3 * n, a);
    tink_cmsis_products(c->hidden_weight, h8, n, 3 * n, b);
    for (k = 0; k < 3 * n; k++) {
        a[k] = tink_requantize(a[k] + c->bias[k], c->mult[k], c->shift);
        b[k] = tink_requantize(k < 2 * n ? b[k] : b[k] + c->hidden_bias[k - 2 * n], c->hidden_mult[k], c->hidden_shift);
    }
    for (k = 0; k < n; k++) {
        const int32_t r = tink_sigmoid(a[k] + b[k]), z = tink_sigmoid(a[n + k] + b[n + k]);
        const int32_t candidate = tink_sigmoid(a[2 * n + k] + tink_multiply_high(b[2 * n + k], r));
        h[k] = tink_blend(h[k], candidate - ((int32_t)1 << 27), z);
    }
    tink_state8(h, n, h8);
}
/* [end] */

#endif
