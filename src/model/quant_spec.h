/* Scales of the activations: what calibration finds, quantisation-aware training trains with, and conversion fixes. */
#ifndef TIN_QUANT_SPEC_H
#define TIN_QUANT_SPEC_H

#include "model/model.h"

/* For a folded model. value = q * scale, q in -127..127 (0..127 after relu), +-32767 with 16 bits.
 * output_scale[i] belongs to the tensor after layer i: > 0 where it is rounded, 0 where it is not (a layer whose
 * activation is a layer of its own, tin_model_activation; the last dense). Recurrent layers: 1/128 always.
 * max_pool has the scale of what it reads.
 * Weights have no scale here: it is tin_weight_scale of each output row (of each row of each recurrent matrix).
 * power_of_two: every scale, of weights too, is rounded up to a power of two, so that requantisation is a shift. */
typedef struct tin_quant_spec {
    float input_scale;
    int input_bits; /* 8 or 16; 0 counts as 8, here and below */
    float output_scale[TIN_MAX_LAYERS];
    uint8_t output_bits[TIN_MAX_LAYERS]; /* 8 or 16 */
    uint8_t weight_bits[TIN_MAX_LAYERS]; /* 8 or 4 */
    bool power_of_two;
} tin_quant_spec;

/* THE definition of the scale of one row of weights, for trainer and quantiser: q = w / scale, rounded, ties to even,
 * in +-127 (8 bits) or +-7 (4 bits). 8 bits: max |w| / 127. 4 bits: of max |w| / 7 times 16/16, 15/16, .. 11/16 the
 * one with the smallest squared error, the greater one of equals (weights beyond it saturate). power_of_two: the next
 * power of two from max |w| / 127 or / 7 upwards; with 4 bits also half of that. 0 for a row of zeros. */
double tin_weight_scale(const float *w, int n, int bits, bool power_of_two);
/* Smallest power of two >= value; value > 0. */
double tin_power_of_two_up(double value);

#endif
