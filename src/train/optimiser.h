/* AdamW (Loshchilov and Hutter 2019, as PyTorch computes it) with clipping of the global gradient norm. */
#ifndef TIN_OPTIMISER_H
#define TIN_OPTIMISER_H

#include <stdint.h>

#include "model/model.h"
#include "project/config.h"

typedef struct tin_optimiser {
    size_t n;             /* parameters of the model */
    float *mean, *square; /* [n] moments */
    float *gradient;      /* [n] clipped, of the step under way */
    float *decay;         /* [n] 1 where weights decay: not biases, not batch norm */
    uint8_t *trainable;   /* [n] */
} tin_optimiser;

/* Zero-initialise before. On failure free it. */
tin_status tin_optimiser_create(tin_optimiser *optimiser, const tin_model *model, tin_error *err) TIN_USE_RESULT;
void tin_optimiser_free(tin_optimiser *optimiser);

/* Learning rate of step 0, 1, ...: linear warm-up times a cosine from 1 to 0.02. */
double tin_optimiser_rate(const tin_config_train *settings, int step);

/* Norm of the gradient over the trainable parameters; not finite when any of them is not. */
double tin_optimiser_norm(const tin_optimiser *optimiser, const double *gradient);

/* One update, step 0, 1, ...; norm as above. */
void tin_optimiser_update(tin_optimiser *optimiser, const tin_config_train *settings, int step, double norm,
                          const double *gradient, float *params);

#endif
