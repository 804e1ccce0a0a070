/* The training engine: forward and backward of a tin_model over chunks of many sequences at once, private to src/train.
 *
 * Sequences run in lanes. State is always carried: every lane goes on from the chunk before, unless it is reset. There
 * is no gradient through the border of a chunk. Results are the same bytes at any number of threads; they depend on the
 * instruction set, because sums are ordered differently. */
#ifndef TIN_ENGINE_H
#define TIN_ENGINE_H

#include "base/pool.h"
#include "model/model.h"
#include "model/quant_spec.h"
#include "train/isa.h"

typedef struct tin_engine tin_engine;

typedef struct tin_engine_settings {
    const tin_model *model;      /* its shapes; parameters are given to each call */
    const tin_quant_spec *quant; /* NULL: float; else the model is folded and weights and activations are rounded */
    int n_lanes;                 /* sequences of a training step, > 0; any number, multiples of 16 waste nothing */
    int chunk;                   /* input frames, a multiple of the hop */
    tin_isa isa;
    tin_pool *pool;
} tin_engine_settings;

/* Copies what it needs of model and quant; the pool must outlive it. TIN_ERR_MODEL when the model cannot be trained so.
 */
tin_status tin_engine_create(tin_engine **engine, const tin_engine_settings *settings, tin_error *err) TIN_USE_RESULT;
void tin_engine_free(tin_engine *engine);
/* What creating it would take, and the carried state of each TIN_LANES lanes. */
tin_status tin_engine_memory(const tin_engine_settings *settings, size_t *bytes, size_t *state_bytes,
                             tin_error *err) TIN_USE_RESULT;
int tin_engine_decisions(const tin_engine *engine); /* per chunk */

/* Carried state of n_lanes lanes: zeros at the start. Its bytes mean something to the same model and number of lanes
 * only. */
size_t tin_engine_state_bytes(const tin_engine *engine, int n_lanes);

typedef struct tin_engine_batch {
    const float *x;         /* [n_lanes][chunk][channels], normalised */
    const float *target;    /* [n_lanes][decisions][classes]: weight of a decision times its share of the class */
    double target_weight;   /* sum over `target`, > 0: the loss is divided by it */
    const uint8_t *reset;   /* [n_lanes]: 1: the lane starts a new sequence with this chunk */
    uint64_t dropout_seed;  /* of this step */
    double focal;           /* gamma of the focal loss, 0: cross-entropy */
    double *scale_gradient; /* NULL, or [TIN_MAX_LAYERS]: filled with d loss / d ln output_scale where a scale may be
                               learnt, else 0 */
} tin_engine_batch;

/* Loss of the batch and its gradient [n_params]; updates state, and the running statistics in params. */
double tin_engine_step(tin_engine *engine, float *params, void *state, const tin_engine_batch *batch, double *gradient);

/* For learnt scales: takes output_scale of a spec that is else the one that the engine was made with; and fills
 * output_scale with the scales in use (powers of two, and max_pool's). */
void tin_engine_set_scales(tin_engine *engine, const tin_quant_spec *quant);
void tin_engine_get_scales(const tin_engine *engine, tin_quant_spec *quant);

/* Evaluation mode: scores [n_lanes][decisions][classes] (logits); n_lanes may be any number. Updates state. */
void tin_engine_infer(tin_engine *engine, const float *params, void *state, int n_lanes, const float *x,
                      const uint8_t *reset, float *scores);

#endif
