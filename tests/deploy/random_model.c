#include "deploy/random_model.h"

#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "model/model_build.h"

static void random_weights(tin_rng *rng, int8_t *w, long n, bool extreme)
{
    for (long i = 0; i < n; i++) {
        w[i] = extreme ? (int8_t)(tin_rng_below(rng, 2) ? 127 : -127) : (int8_t)((int)tin_rng_below(rng, 255) - 127);
    }
}

static void random_int32s(tin_rng *rng, int32_t *v, long n, double range)
{
    for (long i = 0; i < n; i++) {
        v[i] = (int32_t)tin_rng_range(rng, -range, range);
    }
}

/* Multipliers that turn the usual size of the sum of n products into `target`. */
static void random_mults(tin_rng *rng, int32_t *v, long rows, long n, double target, int shift)
{
    for (long i = 0; i < rows; i++) {
        const double real = target / (73.0 * 50.0 * sqrt((double)n)) * tin_rng_range(rng, 0.7, 1.4);
        const double mult = real * 4294967296.0 / (double)(1 << shift);
        v[i] = (int32_t)(mult < 2147483647.0 ? mult : 2147483647.0);
    }
}

static void fill_gru(tin_rng *rng, tin_qlayer *l, bool extreme)
{
    const long units = l->n_outputs;
    l->shift = (int)tin_rng_below(rng, 4);
    l->hidden_shift = (int)tin_rng_below(rng, 4);
    random_weights(rng, l->weight, 3 * units * l->n_inputs, extreme);
    random_weights(rng, l->hidden_weight, 3 * units * units, extreme);
    random_int32s(rng, l->bias, 3 * units, 20000);
    random_int32s(rng, l->hidden_bias, units, 20000);
    random_mults(rng, l->mult, 2 * units, l->n_inputs, 3000, l->shift);
    random_mults(rng, l->mult + 2 * units, units, l->n_inputs, 6000, l->shift);
    random_mults(rng, l->hidden_mult, 2 * units, units, 3000, l->hidden_shift);
    random_mults(rng, l->hidden_mult + 2 * units, units, units, 90000, l->hidden_shift);
    l->output_scale = 1.0f / 128.0f;
}

static tin_status fill_layer(tin_rng *rng, tin_qlayer *l, bool last, bool extreme, tin_error *err)
{
    const tin_status status = tin_qlayer_allocate(l, err);
    if (status) {
        return status;
    }
    l->output_scale = last ? 1.0f / TIN_SCORE_ONE : 0.03125f;
    if (l->op == TIN_OP_GRU) {
        fill_gru(rng, l, extreme);
    } else if (l->op == TIN_OP_AVG_POOL) {
        l->shift = (int)tin_rng_below(rng, 3);
        const double mult = 4294967296.0 / l->kernel / (double)(1 << l->shift);
        l->mult[0] = (int32_t)(mult < 2147483647.0 ? mult : 2147483647.0);
    } else {
        const long n = (long)l->kernel * (l->n_inputs / l->groups);
        l->shift = (int)tin_rng_below(rng, 5);
        random_weights(rng, l->weight, n * l->n_outputs, extreme);
        random_int32s(rng, l->bias, l->n_outputs, 9000);
        random_mults(rng, l->mult, l->n_outputs, n, last ? 1500 : 60, l->shift);
    }
    return TIN_OK;
}

static tin_status make_classes(tin_qmodel **model, const random_spec *spec, tin_error *err)
{
    tin_channel channels[TIN_MAX_CHANNELS];
    tin_class classes[TIN_MAX_CLASSES];
    char channel_names[TIN_MAX_CHANNELS][16], class_names[TIN_MAX_CLASSES][64];
    char unit[] = "g";
    for (int c = 0; c < spec->n_channels; c++) {
        (void)snprintf(channel_names[c], sizeof channel_names[c], "axis %d", c);
        channels[c] = (tin_channel){.name = channel_names[c], .unit = unit, .scale = 0.000244140625};
    }
    for (int k = 0; k < spec->n_classes; k++) {
        (void)snprintf(class_names[k], sizeof class_names[k], "%s %d", spec->class_name ? spec->class_name : "class",
                       k);
        classes[k] = (tin_class){.name = class_names[k], .event = spec->event_every > 0 && k % spec->event_every == 0};
    }
    return tin_qmodel_create(model, 50.0, channels, spec->n_channels, classes, spec->n_classes, err);
}

tin_status random_model(tin_qmodel **model, const random_spec *spec, uint64_t seed, tin_error *err)
{
    tin_rng rng;
    tin_rng_seed(&rng, seed);
    tin_status status = make_classes(model, spec, err);
    if (status) {
        return status;
    }
    tin_qmodel *m = *model;
    m->input_scale = 0.03125f;
    m->input_shift = (int)tin_rng_below(&rng, 13);
    for (int c = 0; c < m->n_channels; c++) {
        m->input_offset[c] = (int32_t)tin_rng_below(&rng, 8001) - 4000;
        const double mult = tin_rng_range(&rng, 0.003, 0.02) * 4294967296.0 / (double)(1 << m->input_shift);
        m->input_mult[c] = (int32_t)mult;
    }
    int width = m->n_channels;
    for (int i = 0; i <= spec->n_layers && status == TIN_OK; i++) {
        const bool last = i == spec->n_layers;
        const random_layer dense = {.op = TIN_OP_DENSE, .units = m->n_classes};
        const random_layer *s = last ? &dense : &spec->layers[i];
        tin_qlayer *l = &m->layers[i];
        l->op = s->op;
        l->n_inputs = width;
        l->n_outputs = s->op == TIN_OP_AVG_POOL ? width : s->depthwise ? width * s->units : s->units;
        l->kernel = s->kernel > 0 ? s->kernel : 1;
        l->stride = s->stride > 0 ? s->stride : 1;
        l->dilation = s->dilation > 0 ? s->dilation : 1;
        l->groups = s->depthwise ? width : 1;
        l->activation = s->relu ? TIN_ACTIVATION_RELU : TIN_ACTIVATION_NONE;
        width = l->n_outputs;
        m->n_layers = i + 1;
        status = fill_layer(&rng, l, last, spec->extreme, err);
    }
    if (status == TIN_OK) {
        tin_qmodel_link(m);
        status = tin_qmodel_check(m, err);
    }
    if (status == TIN_OK) {
        status = tin_qmodel_seal(m, err);
    }
    if (status) {
        tin_qmodel_free(m);
        *model = NULL;
    }
    return status;
}

tin_status random_model_any(tin_qmodel **model, uint64_t seed, tin_error *err)
{
    static const tin_op ops[] = {TIN_OP_CONV1D, TIN_OP_CONV1D, TIN_OP_CONV1D,
                                 TIN_OP_GRU,    TIN_OP_DENSE,  TIN_OP_AVG_POOL};
    tin_rng rng;
    random_layer layers[5];
    tin_rng_derive(&rng, seed, 1);
    random_spec spec = {.n_channels = 1 + (int)tin_rng_below(&rng, 9),
                        .n_classes = 1 + (int)tin_rng_below(&rng, 9),
                        .layers = layers,
                        .n_layers = (int)tin_rng_below(&rng, 6),
                        .event_every = (int)tin_rng_below(&rng, 4),
                        .extreme = tin_rng_below(&rng, 5) == 0};
    int width = spec.n_channels;
    for (int i = 0; i < spec.n_layers; i++) {
        random_layer *l = &layers[i];
        *l = (random_layer){.op = ops[tin_rng_below(&rng, 6)]};
        const bool window = l->op == TIN_OP_CONV1D || l->op == TIN_OP_AVG_POOL;
        l->depthwise = l->op == TIN_OP_CONV1D && tin_rng_below(&rng, 3) == 0;
        l->units = 1 + (int)tin_rng_below(&rng, l->depthwise ? (width < 30 ? 3 : 1) : 21);
        if ((l->op == TIN_OP_CONV1D || l->op == TIN_OP_DENSE) && tin_rng_below(&rng, 2) == 0)
            l->relu = true;
        l->kernel = window ? 1 + (int)tin_rng_below(&rng, 6) : 1;
        l->stride = window && tin_rng_below(&rng, 2) == 0 ? 1 + (int)tin_rng_below(&rng, 5) : 1;
        l->dilation = l->op == TIN_OP_CONV1D && tin_rng_below(&rng, 3) == 0 ? 1 + (int)tin_rng_below(&rng, 4) : 1;
        width = l->op == TIN_OP_AVG_POOL ? width : l->depthwise ? width * l->units : l->units;
    }
    return random_model(model, &spec, seed, err);
}

tin_status random_model_har(tin_qmodel **model, uint64_t seed, tin_error *err)
{
    static const random_layer layers[] = {{.op = TIN_OP_CONV1D, .units = 16, .kernel = 5, .stride = 2, .relu = true},
                                          {.op = TIN_OP_CONV1D, .units = 24, .kernel = 5, .stride = 2, .relu = true},
                                          {.op = TIN_OP_GRU, .units = 24}};
    const random_spec spec = {.n_channels = 6, .n_classes = 6, .layers = layers, .n_layers = 3, .event_every = 2};
    return random_model(model, &spec, seed, err);
}

tin_decision_rule random_rule(uint64_t seed)
{
    tin_rng rng;
    tin_rng_derive(&rng, seed, 2);
    tin_decision_rule rule = {.smooth_shift = tin_rng_below(&rng, 2) ? 0 : (int)tin_rng_below(&rng, 9),
                              .on = (int32_t)tin_rng_range(&rng, -500, 1500),
                              .count = 1 + (int)tin_rng_below(&rng, 4),
                              .refractory = tin_rng_below(&rng, 2) ? 0 : (int)tin_rng_below(&rng, 9)};
    rule.off = rule.on - (int32_t)tin_rng_below(&rng, 1500);
    return rule;
}

void random_counts(int16_t *counts, int64_t n_frames, int n_channels, uint64_t seed)
{
    tin_rng rng;
    tin_rng_derive(&rng, seed, 3);
    for (int64_t t = 0; t < n_frames; t++) {
        const int kind = (int)(t / 64 % 4);
        for (int c = 0; c < n_channels; c++) {
            double v = tin_rng_range(&rng, -8000, 8000);
            if (kind == 1) {
                v = 6000 * sin((double)t * 0.05 + c) + v * 0.1;
            } else if (kind == 2) {
                v = tin_rng_below(&rng, 2) ? 32767 : -32768;
            } else if (kind == 3) {
                v *= 4;
            }
            counts[t * n_channels + c] = (int16_t)v;
        }
    }
}
