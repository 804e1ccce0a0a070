#include "quantize_support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

void assert_ok(tin_status status, tin_error *err)
{
    if (status)
        fail_msg("%s", tin_error_text(err));
}

/* Like an inertial sensor: slow posture, bursts of rhythm, noise, now and then a knock. */
static void fill_signal(int16_t *counts, int64_t n, int n_channels, uint64_t seed)
{
    tin_rng rng;
    tin_rng_seed(&rng, seed);
    double posture[64] = {0}, phase = 0, strength = 0;
    for (int64_t t = 0; t < n; t++) {
        if (t % 150 == 0)
            strength = tin_rng_uniform(&rng) < 0.5 ? 0 : tin_rng_range(&rng, 200, 1500);
        phase += 0.15 + strength / 8000;
        for (int c = 0; c < n_channels; c++) {
            posture[c] += 0.002 * (tin_rng_normal(&rng) * 12000 - posture[c]);
            double knock = tin_rng_uniform(&rng) < 1e-3 ? tin_rng_normal(&rng) * 800 : 0;
            double v =
                300 * c + posture[c] + strength * sin(phase * (1 + c % 3) + c) + 40 * tin_rng_normal(&rng) + knock;
            counts[t * n_channels + c] = (int16_t)fmax(-32768, fmin(32767, v));
        }
    }
}

void open_sample(sample *s, int n_channels, int n_classes, int64_t n_frames, uint64_t seed)
{
    memset(s, 0, sizeof *s);
    for (int c = 0; c < n_channels; c++)
        s->channels[c] = (tin_channel){"signal", "g", 0.001};
    for (int k = 0; k < n_classes; k++)
        s->classes[k] = (tin_class){"state", k > 0};
    s->counts = malloc((size_t)(n_frames * n_channels) * sizeof *s->counts);
    assert_non_null(s->counts);
    fill_signal(s->counts, n_frames, n_channels, seed);
    s->stream =
        (tin_stream){.id = "one", .subject = "a", .role = TIN_ROLE_TRAIN, .n_frames = n_frames, .counts = s->counts};
    s->dataset = (tin_dataset){.rate_hz = 50,
                               .n_channels = n_channels,
                               .n_classes = n_classes,
                               .channels = s->channels,
                               .classes = s->classes,
                               .streams = &s->stream,
                               .n_streams = 1};
}

void close_sample(sample *s)
{
    free(s->counts);
}

tin_model *make_model(const sample *s, const tin_layer_spec *layers, int n_layers, uint64_t seed)
{
    tin_model *m = NULL, *folded = NULL;
    tin_error err = {0};
    tin_rng rng;
    assert_ok(tin_model_create(&m, &s->dataset, layers, n_layers, &err), &err);
    tin_model_initialise(m, seed);
    assert_ok(tin_model_fit_input(m, &s->dataset, &err), &err);
    tin_rng_seed(&rng, seed);
    for (int i = 0; i < m->n_layers; i++) {
        const tin_layer *l = &m->layers[i];
        if (l->op == TIN_OP_BATCH_NORM) {
            for (int p = 0; p < 4; p++) {
                for (size_t j = 0; j < l->params[p].size; j++)
                    m->params[l->params[p].offset + j] =
                        (float)(p % 3 ? tin_rng_range(&rng, -0.2, 0.2) : tin_rng_range(&rng, 0.5, 1.5));
            }
        } else {
            for (int p = 0; p < l->n_params; p++) {
                for (size_t j = 0; j < l->params[p].size; j++)
                    m->params[l->params[p].offset + j] *= i == m->n_layers - 1 ? 6.0f : 1.8f;
            }
        }
    }
    assert_ok(tin_model_fold(&folded, m, &err), &err);
    tin_model_free(m);
    return folded;
}

const tin_config_quantize usual = {.percentile = 0.999, .activation_percentile = 0.9999};

const tin_layer_spec har[7] = {
    {.op = TIN_OP_CONV1D, .units = 16, .kernel = 5, .stride = 2},
    {.op = TIN_OP_BATCH_NORM},
    {.op = TIN_OP_RELU},
    {.op = TIN_OP_CONV1D, .units = 24, .kernel = 5, .stride = 2},
    {.op = TIN_OP_RELU},
    {.op = TIN_OP_GRU, .units = 24},
    {.op = TIN_OP_DENSE},
};
const tin_layer_spec plain_gru[2] = {{.op = TIN_OP_GRU, .units = 32}, {.op = TIN_OP_DENSE}};
const tin_layer_spec separable[10] = {
    {.op = TIN_OP_CONV1D, .units = 16, .kernel = 3, .stride = 2},
    {.op = TIN_OP_RELU},
    {.op = TIN_OP_CONV1D, .kernel = 5, .dilation = 2, .depthwise = true},
    {.op = TIN_OP_BATCH_NORM},
    {.op = TIN_OP_CONV1D, .units = 20, .kernel = 1},
    {.op = TIN_OP_RELU},
    {.op = TIN_OP_AVG_POOL, .kernel = 8, .stride = 4},
    {.op = TIN_OP_DENSE, .units = 16},
    {.op = TIN_OP_RELU},
    {.op = TIN_OP_DENSE},
};
const tin_layer_spec odd[6] = {{.op = TIN_OP_AVG_POOL, .kernel = 1, .stride = 3},
                               {.op = TIN_OP_CONV1D, .units = 4, .kernel = 2, .stride = 5},
                               {.op = TIN_OP_GRU, .units = 3},
                               {.op = TIN_OP_AVG_POOL, .kernel = 3},
                               {.op = TIN_OP_GRU, .units = 4},
                               {.op = TIN_OP_DENSE}};
