/* Scales of activations that are learnt while a model is fine-tuned: output_scale[i] * exp(shift[i]), shift by Adam. */
#ifndef TIN_LEARN_SCALES_H
#define TIN_LEARN_SCALES_H

#include "model/quant_spec.h"

typedef struct tin_scales {
    double shift[TIN_MAX_LAYERS], best[TIN_MAX_LAYERS];  /* now, and of the best weights; 0 at the start */
    double mean[TIN_MAX_LAYERS], square[TIN_MAX_LAYERS]; /* Adam's moments */
} tin_scales;

/* One update, step 0, 1, ...; share: of the greatest learning rate. gradient: d loss / d ln scale, 0 where nothing is
 * learnt. */
void tin_scales_update(tin_scales *scales, int step, double share, const double gradient[TIN_MAX_LAYERS]);

/* The spec with its scales shifted. */
tin_quant_spec tin_scales_apply(const tin_quant_spec *quant, const double shift[TIN_MAX_LAYERS]);

#endif
