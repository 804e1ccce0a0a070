/* Scales of the activations: what calibration finds, quantisation-aware training trains with, and conversion fixes. */
#ifndef TIN_QUANT_SPEC_H
#define TIN_QUANT_SPEC_H

#include "model/model.h"

/* For a folded model. value = q * scale, q in -127..127 (0..127 after relu), +-32767 with 16 bits.
 * output_scale[i] belongs to the tensor after layer i: > 0 where it is rounded, 0 where it is not (a layer whose
 * activation is a layer of its own, tin_model_activation; the last dense). Recurrent layers: 1/128 always.
 * Weights have no scale here: it is max |w| / (2^(bits-1) - 1) per output row, always (per row of each recurrent
 * matrix). power_of_two: every scale, of weights too, is rounded up to a power of two, so that requantisation is a
 * shift. */
typedef struct tin_quant_spec {
    float input_scale;
    int input_bits; /* 8 or 16; 0 counts as 8, here and below */
    float output_scale[TIN_MAX_LAYERS];
    uint8_t output_bits[TIN_MAX_LAYERS]; /* 8 or 16 */
    uint8_t weight_bits[TIN_MAX_LAYERS]; /* 8 or 4 */
    bool power_of_two;
} tin_quant_spec;

#endif
