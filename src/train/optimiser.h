/* AdamW (Loshchilov and Hutter 2019), Adam (Kingma and Ba 2015) and SGD with momentum, as PyTorch computes them, with
 * clipping of the global gradient norm, and the schedules of the learning rate. */
#ifndef TIN_OPTIMISER_H
#define TIN_OPTIMISER_H

#include <stdint.h>

#include "model/model.h"
#include "project/config.h"

/* kind, name in tinamou.yaml */
#define TIN_OPTIMISER_LIST(X)                                                                                          \
    X(TIN_OPTIMISER_ADAMW, "adamw")                                                                                    \
    X(TIN_OPTIMISER_ADAM, "adam")                                                                                      \
    X(TIN_OPTIMISER_SGD, "sgd")
#define TIN_SCHEDULE_LIST(X)                                                                                           \
    X(TIN_SCHEDULE_COSINE, "cosine")                                                                                   \
    X(TIN_SCHEDULE_CONSTANT, "constant")                                                                               \
    X(TIN_SCHEDULE_LINEAR, "linear")                                                                                   \
    X(TIN_SCHEDULE_STEP, "step")                                                                                       \
    X(TIN_SCHEDULE_ONE_CYCLE, "one_cycle")
#define X(kind, name) kind,
typedef enum tin_optimiser_kind { TIN_OPTIMISER_LIST(X) TIN_OPTIMISER_COUNT } tin_optimiser_kind;
typedef enum tin_schedule { TIN_SCHEDULE_LIST(X) TIN_SCHEDULE_COUNT } tin_schedule;
#undef X
/* NULL: the first one; COUNT when unknown. */
tin_optimiser_kind tin_optimiser_from_name(const char *name);
tin_schedule tin_schedule_from_name(const char *name);

typedef struct tin_optimiser {
    size_t n;             /* parameters of the model */
    float *mean, *square; /* [n] moments; sgd: mean is its velocity */
    float *gradient;      /* [n] clipped, of the step under way */
    float *decay;         /* [n] 1 where weights decay: not biases, not batch norm */
    uint8_t *trainable;   /* [n] */
} tin_optimiser;

/* Zero-initialise before. On failure free it. */
tin_status tin_optimiser_create(tin_optimiser *optimiser, const tin_model *model, tin_error *err) TIN_USE_RESULT;
void tin_optimiser_free(tin_optimiser *optimiser);

/* Learning rate of step s = 0, 1, ... of S, f = final_rate, times a linear warm-up (not one_cycle):
 *   cosine f + (1 - f) (1 + cos(pi s / S)) / 2, linear 1 - (1 - f) s / S, step decay_factor^floor(s / decay_every),
 *   one_cycle (Smith and Topin 2019, PyTorch's OneCycleLR): cosine up from 1/25 over 30 % of the steps, then down to
 *   1 / 250000. */
double tin_optimiser_rate(const tin_config_train *settings, int step);

/* Norm of the gradient over the trainable parameters; not finite when any of them is not. */
double tin_optimiser_norm(const tin_optimiser *optimiser, const double *gradient);

/* One update, step 0, 1, ...; norm as above. */
void tin_optimiser_update(tin_optimiser *optimiser, const tin_config_train *settings, int step, double norm,
                          const double *gradient, float *params);

#endif
