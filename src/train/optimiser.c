#include "train/optimiser.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

#define BETA1 0.9
#define BETA2 0.999
#define EPSILON 1e-8

/* one_cycle */
#define RISE 0.3 /* share of the steps */
#define FIRST_SHARE (1 / 25.0)
#define LAST_SHARE (FIRST_SHARE / 1e4)

static int find_name(const char *name, const char *const names[], int n)
{
    int i = 0;
    while (name && i < n && strcmp(name, names[i]) != 0) {
        i++;
    }
    return i;
}

#define X(kind, name) name,
tin_optimiser_kind tin_optimiser_from_name(const char *name)
{
    static const char *const names[] = {TIN_OPTIMISER_LIST(X)};
    return (tin_optimiser_kind)find_name(name, names, TIN_OPTIMISER_COUNT);
}

tin_schedule tin_schedule_from_name(const char *name)
{
    static const char *const names[] = {TIN_SCHEDULE_LIST(X)};
    return (tin_schedule)find_name(name, names, TIN_SCHEDULE_COUNT);
}
#undef X

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

static double cosine(double from, double to, double share)
{
    return to + (from - to) * 0.5 * (1 + cos(M_PI * share));
}

static double one_cycle(double step, double steps)
{
    double top = RISE * steps - 1, rise = top > 0 ? step / top : 1;
    return rise < 1 ? cosine(FIRST_SHARE, 1, rise) : cosine(1, LAST_SHARE, (step - top) / (steps - 1 - top));
}

double tin_optimiser_rate(const tin_config_train *settings, int step)
{
    double warm = settings->warmup > 0 ? fmin(1, (step + 1.0) / settings->warmup) : 1;
    double share = (double)step / settings->steps, last = settings->final_rate, level = 1;
    switch (tin_schedule_from_name(settings->schedule)) {
    case TIN_SCHEDULE_COSINE:
        level = cosine(1, last, share);
        break;
    case TIN_SCHEDULE_LINEAR:
        level = 1 - (1 - last) * share;
        break;
    case TIN_SCHEDULE_STEP:
        level = pow(settings->decay_factor, floor((double)step / settings->decay_every));
        break;
    case TIN_SCHEDULE_ONE_CYCLE:
        level = one_cycle(step, settings->steps);
        warm = 1;
        break;
    case TIN_SCHEDULE_CONSTANT:
    case TIN_SCHEDULE_COUNT:
        break;
    }
    return settings->learning_rate * warm * level;
}

double tin_optimiser_norm(const tin_optimiser *o, const double *gradient)
{
    double sum = 0;
    for (size_t i = 0; i < o->n; i++) {
        sum += o->trainable[i] ? gradient[i] * gradient[i] : 0;
    }
    return sqrt(sum);
}

/* shrink: decoupled decay; couple: decay as part of the gradient. */
static void update_adam(tin_optimiser *o, double rate, int step, float shrink, float couple, float *restrict p)
{
    double n = step + 1.0;
    float rate_mean = (float)(rate / (1 - pow(BETA1, n))), root = (float)(1 / sqrt(1 - pow(BETA2, n)));
    float *restrict mean = o->mean, *restrict square = o->square;
    const float *restrict gradient = o->gradient, *restrict decay = o->decay;
    for (size_t i = 0; i < o->n; i++) {
        float g = gradient[i] + couple * decay[i] * p[i];
        mean[i] = (float)BETA1 * mean[i] + (float)(1 - BETA1) * g;
        square[i] = (float)BETA2 * square[i] + (float)(1 - BETA2) * (g * g);
        float step_size = rate_mean * mean[i] / (sqrtf(square[i]) * root + (float)EPSILON);
        p[i] = p[i] - shrink * decay[i] * p[i] - step_size;
    }
}

/* v = momentum v + g; nesterov: p -= rate (g + momentum v), else p -= rate v. */
static void update_sgd(tin_optimiser *o, float rate, float momentum, bool nesterov, float couple, float *restrict p)
{
    float *restrict velocity = o->mean, ahead = nesterov ? momentum : 1, now = nesterov ? 1 : 0;
    const float *restrict gradient = o->gradient, *restrict decay = o->decay;
    for (size_t i = 0; i < o->n; i++) {
        float g = gradient[i] + couple * decay[i] * p[i];
        velocity[i] = momentum * velocity[i] + g;
        p[i] = p[i] - rate * (now * g + ahead * velocity[i]);
    }
}

void tin_optimiser_update(tin_optimiser *o, const tin_config_train *settings, int step, double norm,
                          const double *gradient, float *params)
{
    double clip = settings->clip > 0 ? fmin(1, settings->clip / (norm + 1e-6)) : 1;
    double rate = tin_optimiser_rate(settings, step);
    for (size_t i = 0; i < o->n; i++) {
        o->gradient[i] = o->trainable[i] ? (float)(gradient[i] * clip) : 0;
    }
    switch (tin_optimiser_from_name(settings->optimiser)) {
    case TIN_OPTIMISER_ADAM:
        update_adam(o, rate, step, 0, (float)settings->weight_decay, params);
        break;
    case TIN_OPTIMISER_SGD:
        update_sgd(o, (float)rate, (float)settings->momentum, settings->nesterov, (float)settings->weight_decay,
                   params);
        break;
    case TIN_OPTIMISER_ADAMW:
    case TIN_OPTIMISER_COUNT:
        update_adam(o, rate, step, (float)(rate * settings->weight_decay), 0, params);
        break;
    }
}
