/* Training: the engine for small causal models, the loop around it, and quantisation-aware fine-tuning.
 *
 * Deterministic: same dataset, model, settings and seed give the same bytes of weights at any number of threads, also
 * when a run was killed and resumed from its checkpoint; on one instruction set (docs/training.md). */
#ifndef TIN_TRAIN_H
#define TIN_TRAIN_H

#include "base/pool.h"
#include "dataset/dataset.h"
#include "model/model.h"
#include "model/quant_spec.h"
#include "project/config.h"
#include "train/constraint.h"

typedef struct tin_train_options {
    tin_config_train settings;
    uint64_t seed;
    tin_pool *pool;
    const char *folder;           /* NAME_checkpoint.safetensors and NAME_curve.csv go here; NULL: none */
    const char *name;             /* file stem prefix: "train" or "finetune" */
    const tin_quant_spec *quant;  /* NULL: float; else fake quantisation with these scales, `model` must be folded */
    bool learn_scales;            /* with quant: the scales of the activations are trained too */
    tin_config_evaluate evaluate; /* acceptance margins around events, for train.metric event_f1; text is borrowed */
    /* Knowledge distillation: the target of a decision is (1 - distill) times its label plus distill times
     * softmax(z / temperature) of the teacher's logits z. The teacher may have a delay of its own (a non-causal
     * teacher): its decision that speaks of the same frame is taken, from the same augmented signal. Its hop must divide
     * that of `model`; float, evaluation mode, never changed. Of several, of the same layers, the mean softmax counts. */
    const tin_model *const *teachers; /* [n_teachers] */
    int n_teachers;                   /* 0: none */
    double distill, temperature;      /* 0..1; > 0 */
    const tin_constraint *constraint; /* NULL: none; else what the weights keep, of this model */
    bool quiet;
} tin_train_options;

typedef struct tin_train_result {
    int steps, best_step; /* best_step 0: fine-tuning found nothing better than its start */
    double best_score;    /* settings.metric on the validation streams; the loss with a minus */
    double seconds;
    double frames_per_second;
    tin_quant_spec quant; /* with options.quant: the spec to convert the model with, learnt scales in it */
} tin_train_result;

/* The most bytes that a training takes, without the mapped dataset. */
typedef struct tin_train_memory {
    size_t engine;               /* work spaces (one per thread), gradients, carried states; also of the teacher */
    size_t batch;                /* signals and targets, of training and validation */
    size_t weights, data, total; /* data: labels and decisions of all streams */
} tin_train_memory;
tin_status tin_train_memory_of(const tin_model *model, const tin_dataset *dataset, const tin_train_options *options,
                               tin_train_memory *memory, tin_error *err) TIN_USE_RESULT;

/* Trains `model` in place; it ends with the weights of the best validation score. Resumes from the checkpoint in
 * options->folder when it belongs to the same run (config, data, seed). TIN_ERR_CONFIG: it would take more memory
 * than settings.max_memory_mb (0: no bound). TIN_ERR_NUMERIC names step and streams of the
 * batch; TIN_ERR_INTERRUPTED leaves a checkpoint; TIN_ERR_MISMATCH: the checkpoint is of another instruction set. */
tin_status tin_train(tin_model *model, const tin_dataset *dataset, const tin_train_options *options,
                     tin_train_result *result, tin_error *err) TIN_USE_RESULT;

/* Looking at a model without changing it. */
/* settings.metric on the validation streams. */
tin_status tin_train_score(const tin_model *model, const tin_dataset *dataset, const tin_train_options *options,
                           double *score, tin_error *err) TIN_USE_RESULT;
/* Hands the gradient of the loss [n_params] on each of n_batches batches of the training streams to `take`. */
typedef void tin_gradient_function(void *context, const double *gradient);
tin_status tin_train_gradients(const tin_model *model, const tin_dataset *dataset, const tin_train_options *options,
                               int n_batches, tin_gradient_function *take, void *context,
                               tin_error *err) TIN_USE_RESULT;

#endif
