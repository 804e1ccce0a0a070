#include "train/optimiser.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

#define BETA1 0.9
#define BETA2 0.999
#define EPSILON 1e-8
#define LEAST_RATE 0.02

tin_status tin_optimiser_create(tin_optimiser *o, const tin_model *model, tin_error *err)
{
    size_t n = o->n = model->n_params;
    o->mean = tin_alloc(n, sizeof *o->mean, err);
    o->square = tin_alloc(n, sizeof *o->square, err);
    o->gradient = tin_alloc(n, sizeof *o->gradient, err);
    o->decay = tin_alloc(n, sizeof *o->decay, err);
    o->trainable = tin_alloc(n, sizeof *o->trainable, err);
    if (!o->mean || !o->square || !o->gradient || !o->decay || !o->trainable) {
        return TIN_ERR_MEMORY;
    }
    for (int i = 0; i < model->n_layers; i++) {
        const tin_layer *layer = &model->layers[i];
        for (int p = 0; p < layer->n_params; p++) {
            const tin_param *param = &layer->params[p];
            bool weight = strncmp(param->name, "weight", 6) == 0 && layer->op != TIN_OP_BATCH_NORM;
            for (size_t k = param->offset; k < param->offset + param->size; k++) {
                o->decay[k] = weight ? 1 : 0;
                o->trainable[k] = param->trainable;
            }
        }
    }
    return TIN_OK;
}

void tin_optimiser_free(tin_optimiser *o)
{
    tin_free(o->mean);
    tin_free(o->square);
    tin_free(o->gradient);
    tin_free(o->decay);
    tin_free(o->trainable);
    memset(o, 0, sizeof *o);
}

double tin_optimiser_rate(const tin_config_train *settings, int step)
{
    double warm = settings->warmup > 0 ? fmin(1, (step + 1.0) / settings->warmup) : 1;
    double cosine = 0.5 * (1 + cos(M_PI * step / settings->steps));
    return settings->learning_rate * warm * (LEAST_RATE + (1 - LEAST_RATE) * cosine);
}

double tin_optimiser_norm(const tin_optimiser *o, const double *gradient)
{
    double sum = 0;
    for (size_t i = 0; i < o->n; i++) {
        sum += o->trainable[i] ? gradient[i] * gradient[i] : 0;
    }
    return sqrt(sum);
}

void tin_optimiser_update(tin_optimiser *o, const tin_config_train *settings, int step, double norm,
                          const double *gradient, float *params)
{
    double clip = settings->clip > 0 ? fmin(1, settings->clip / (norm + 1e-6)) : 1;
    double rate = tin_optimiser_rate(settings, step), n = step + 1.0;
    float rate_mean = (float)(rate / (1 - pow(BETA1, n))), root = (float)(1 / sqrt(1 - pow(BETA2, n)));
    float shrink = (float)(rate * settings->weight_decay);
    for (size_t i = 0; i < o->n; i++) {
        o->gradient[i] = o->trainable[i] ? (float)(gradient[i] * clip) : 0;
    }
    float *restrict mean = o->mean, *restrict square = o->square, *restrict p = params;
    const float *restrict g = o->gradient, *restrict decay = o->decay;
    for (size_t i = 0; i < o->n; i++) {
        mean[i] = (float)BETA1 * mean[i] + (float)(1 - BETA1) * g[i];
        square[i] = (float)BETA2 * square[i] + (float)(1 - BETA2) * (g[i] * g[i]);
        float step_size = rate_mean * mean[i] / (sqrtf(square[i]) * root + (float)EPSILON);
        p[i] = p[i] - shrink * decay[i] * p[i] - step_size;
    }
}
