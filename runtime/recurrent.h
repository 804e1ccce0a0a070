/* What the recurrent layers share: the matrix products of one gate of four units. */
#ifndef TINK_RECURRENT_H
#define TINK_RECURRENT_H

#include "runtime/dot4.h"
#include "runtime/requantize.h"
#include "runtime/sigmoid.h"
#if TINK_WIDE
#include "runtime/dot4_wide.h"
#endif

/* [fragment] */
typedef struct tink_recurrent_t {
    const int8_t *weight, *hidden_weight; /* per four units: gate after gate, each as tink_dot4 reads it */
    const int32_t *unit; /* likewise: bias[4], mult[4], hidden mult[4]; hidden bias[4] where a gate has one */
    int16_t inputs, units, shift, hidden_shift;
#if TINK_WIDE
    int16_t wide; /* x is int16_t */
#endif
} tink_recurrent_t;

/* Where the next gate begins. */
typedef struct tink_gates_t {
    const int8_t *weight, *hidden_weight;
    const int32_t *unit;
} tink_gates_t;

/* The next gate of four units, from a = requantize(bias + W x) and b = requantize(hidden bias + U h): sigmoid(a + b) in
 * Q28 or, where `product` is not NULL, as b is to be multiplied before, a in gate and b in product. */
static inline void tink_gate4(const tink_recurrent_t *c, tink_gates_t *next, const tink_row *x, const int8_t *h,
                              int32_t gate[4], int32_t *product)
{
    const int32_t *p = next->unit;
    int32_t b[4], i;
    memcpy(gate, p, 4 * sizeof gate[0]);
    memset(b, 0, sizeof b);
#if TINK_WIDE
    next->weight = c->wide ? tink_dot4_wide(next->weight, (const int16_t *)x, c->inputs, gate)
                           : tink_dot4(next->weight, (const int8_t *)x, c->inputs, gate);
#else
    next->weight = tink_dot4(next->weight, x, c->inputs, gate);
#endif
    next->hidden_weight = tink_dot4(next->hidden_weight, h, c->units, b);
    next->unit = p + (product != NULL ? 16 : 12);
    for (i = 0; i < 4; i++, p++) {
        gate[i] = tink_requantize(gate[i], p[4], c->shift);
        if (product != NULL) {
            product[i] = tink_requantize(b[i] + p[12], p[8], c->hidden_shift);
        } else {
            gate[i] = tink_sigmoid(gate[i] + tink_requantize(b[i], p[8], c->hidden_shift));
        }
    }
}
/* [end] */

#endif
