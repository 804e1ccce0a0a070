/* Looking at a model without changing it: its validation score, and its gradients. */
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "train/engine.h"
#include "train/sampler.h"
#include "train/train.h"
#include "train/validate.h"

static tin_engine_settings engine_settings(const tin_model *model, const tin_train_options *options)
{
    return (tin_engine_settings){.model = model,
                                 .quant = options->quant,
                                 .n_lanes = options->settings.batch,
                                 .chunk = options->settings.chunk,
                                 .isa = tin_isa_from_name(options->settings.kernels),
                                 .pool = options->pool};
}

tin_status tin_train_score(const tin_model *model, const tin_dataset *dataset, const tin_train_options *options,
                           double *score, tin_error *err)
{
    tin_engine *engine = NULL;
    tin_validation *validation = NULL;
    tin_validation_score result = {{0}};
    tin_metric metric = tin_metric_from_name(options->settings.metric);
    tin_engine_settings settings = engine_settings(model, options);
    tin_status status = tin_engine_create(&engine, &settings, err);
    if (status == TIN_OK) {
        status = tin_validation_create(&validation, model, dataset, &options->settings, &options->evaluate, err);
    }
    if (status == TIN_OK) {
        status = tin_validation_run(validation, engine, model->params, &result, err);
    }
    *score = status ? 0 : tin_validation_goodness(&result, metric);
    tin_validation_free(validation);
    tin_engine_free(engine);
    return status;
}

/* What the batches are made of. */
typedef struct probe {
    tin_engine *engine;
    tin_sampler *sampler;
    tin_sampler_batch batch;
    float *params; /* a copy: a step updates running statistics */
    void *carried;
    double *gradient;
} probe;

static tin_status open_probe(probe *p, const tin_model *model, const tin_dataset *dataset,
                             const tin_train_options *options, tin_error *err)
{
    size_t n_lanes = (size_t)options->settings.batch;
    tin_engine_settings engine = engine_settings(model, options);
    tin_sampler_settings sampler = {.model = model,
                                    .dataset = dataset,
                                    .train = &options->settings,
                                    .seed = options->seed,
                                    .n_lanes = options->settings.batch,
                                    .pool = options->pool};
    tin_status status = tin_engine_create(&p->engine, &engine, err);
    if (status == TIN_OK) {
        status = tin_sampler_create(&p->sampler, &sampler, err);
    }
    if (status) {
        return status;
    }
    size_t targets = (size_t)tin_engine_decisions(p->engine) * (size_t)model->n_classes;
    p->batch.x = tin_alloc(n_lanes * (size_t)options->settings.chunk * (size_t)model->n_channels, sizeof(float), err);
    p->batch.target = tin_alloc(n_lanes * targets, sizeof(float), err);
    p->batch.reset = tin_alloc(n_lanes, 1, err);
    p->params = tin_alloc(model->n_params, sizeof *p->params, err);
    p->carried = tin_alloc(tin_engine_state_bytes(p->engine, options->settings.batch), 1, err);
    p->gradient = tin_alloc(model->n_params, sizeof *p->gradient, err);
    bool all = p->batch.x && p->batch.target && p->batch.reset && p->params && p->carried && p->gradient;
    return all ? TIN_OK : TIN_ERR_MEMORY;
}

static void close_probe(probe *p)
{
    tin_engine_free(p->engine);
    tin_sampler_free(p->sampler);
    tin_free(p->batch.x);
    tin_free(p->batch.target);
    tin_free(p->batch.reset);
    tin_free(p->params);
    tin_free(p->carried);
    tin_free(p->gradient);
}

tin_status tin_train_gradients(const tin_model *model, const tin_dataset *dataset, const tin_train_options *options,
                               int n_batches, tin_gradient_function *take, void *context, tin_error *err)
{
    probe p = {0};
    tin_status status = open_probe(&p, model, dataset, options, err);
    for (int i = 0; i < n_batches && status == TIN_OK; i++) {
        tin_rng rng;
        tin_rng_derive(&rng, options->seed, (uint64_t)i);
        status = tin_sampler_next(p.sampler, &p.batch, err);
        if (status == TIN_OK) {
            memcpy(p.params, model->params, model->n_params * sizeof *p.params);
            tin_engine_batch batch = {.x = p.batch.x,
                                      .target = p.batch.target,
                                      .target_weight = p.batch.weight,
                                      .reset = p.batch.reset,
                                      .dropout_seed = tin_rng_next(&rng),
                                      .focal = options->settings.focal_gamma};
            (void)tin_engine_step(p.engine, p.params, p.carried, &batch, p.gradient);
            take(context, p.gradient);
        }
    }
    close_probe(&p);
    return status;
}
