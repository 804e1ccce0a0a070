#include "train/learn_scales.h"

#include <math.h>

#define RATE 2e-3 /* of ln scale: 300 steps move a scale by a factor of 1.8 at most */
#define BETA1 0.9
#define BETA2 0.999
#define EPSILON 1e-8

void tin_scales_update(tin_scales *s, int step, double share, const double gradient[TIN_MAX_LAYERS])
{
    double n = step + 1.0;
    for (int i = 0; i < TIN_MAX_LAYERS; i++) {
        s->mean[i] = BETA1 * s->mean[i] + (1 - BETA1) * gradient[i];
        s->square[i] = BETA2 * s->square[i] + (1 - BETA2) * gradient[i] * gradient[i];
        double mean = s->mean[i] / (1 - pow(BETA1, n)), square = s->square[i] / (1 - pow(BETA2, n));
        s->shift[i] -= RATE * share * mean / (sqrt(square) + EPSILON);
    }
}

tin_quant_spec tin_scales_apply(const tin_quant_spec *quant, const double shift[TIN_MAX_LAYERS])
{
    tin_quant_spec spec = *quant;
    for (int i = 0; i < TIN_MAX_LAYERS; i++) {
        spec.output_scale[i] = (float)((double)quant->output_scale[i] * exp(shift[i]));
    }
    return spec;
}
