/* Scales of the activations: what calibration finds, quantisation-aware training trains with, and conversion fixes. */
#ifndef TIN_QUANT_SPEC_H
#define TIN_QUANT_SPEC_H

#include "model/model.h"

/* For a folded model. value = q * scale, q in -127..127 (0..127 after relu).
 * output_scale[i] belongs to the tensor after layer i: > 0 where it is rounded to int8, 0 where it is not (a conv1d or
 * dense directly followed by relu; the last dense). gru: 1/128 always. Weights have no scale here: it is max |w| / 127
 * per output row, always (per row of each gru matrix). */
typedef struct tin_quant_spec {
    float input_scale;
    float output_scale[TIN_MAX_LAYERS];
} tin_quant_spec;

#endif
