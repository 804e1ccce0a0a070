#include "quantize_support.h"

#include <math.h>
#include <stdio.h>
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

/* ---- graphs ---- */

static const tin_layer_spec residual[] = {
    {.op = TIN_OP_CONV1D, .units = 12, .kernel = 5, .stride = 2, .name = "stem"},
    {.op = TIN_OP_BATCH_NORM},
    {.op = TIN_OP_RELU6, .name = "a"},
    {.op = TIN_OP_CONV1D, .units = 12, .kernel = 3, .dilation = 2, .name = "body"},
    {.op = TIN_OP_ADD, .from = {"body", "a"}, .n_from = 2},
    {.op = TIN_OP_RELU, .name = "b"},
    {.op = TIN_OP_CONV1D, .units = 12, .kernel = 3},
    {.op = TIN_OP_HARD_TANH, .name = "c"},
    {.op = TIN_OP_ADD, .from = {"a", "b", "c"}, .n_from = 3},
    {.op = TIN_OP_MAX_POOL, .kernel = 4, .stride = 2},
    {.op = TIN_OP_DENSE},
};
static const tin_layer_spec squeeze[] = {
    {.op = TIN_OP_CONV1D, .units = 12, .kernel = 5, .stride = 4},
    {.op = TIN_OP_TANH, .name = "x"},
    {.op = TIN_OP_EMA, .shift = 5},
    {.op = TIN_OP_DENSE, .units = 6},
    {.op = TIN_OP_RELU},
    {.op = TIN_OP_DENSE, .units = 12},
    {.op = TIN_OP_HARD_SIGMOID, .name = "gate"},
    {.op = TIN_OP_MULTIPLY, .from = {"x", "gate"}, .n_from = 2, .name = "first"},
    {.op = TIN_OP_DENSE, .units = 12, .from = {"x"}, .n_from = 1},
    {.op = TIN_OP_SIGMOID},
    {.op = TIN_OP_MULTIPLY, .from = {"sigmoid_10", "first"}, .n_from = 2},
    {.op = TIN_OP_DENSE},
};
static const tin_layer_spec branches[] = {
    {.op = TIN_OP_CONV1D, .units = 10, .kernel = 4, .stride = 4},
    {.op = TIN_OP_RELU, .name = "stem"},
    {.op = TIN_OP_AVG_POOL, .kernel = 4, .stride = 2, .name = "pooled"},
    {.op = TIN_OP_MAX_POOL, .kernel = 4, .stride = 2, .from = {"stem"}, .n_from = 1, .name = "most"},
    {.op = TIN_OP_CONCAT, .from = {"pooled", "most"}, .n_from = 2, .name = "both"},
    {.op = TIN_OP_GRU, .units = 8, .name = "gru"},
    {.op = TIN_OP_EMA, .shift = 3, .from = {"both"}, .n_from = 1, .name = "slow"},
    {.op = TIN_OP_CONCAT, .from = {"gru", "slow"}, .n_from = 2},
    {.op = TIN_OP_DENSE},
};
static const tin_layer_spec energy[] = {
    {.op = TIN_OP_CONV1D, .units = 10, .kernel = 4, .stride = 4},
    {.op = TIN_OP_RELU},
    {.op = TIN_OP_AVG_POOL, .kernel = 4, .stride = 2, .name = "pooled"},
    {.op = TIN_OP_LOG_ENERGY, .levels = 3, .kernel = 4, .stride = 8, .from = {"input"}, .n_from = 1, .name = "energy"},
    {.op = TIN_OP_LOG_MEL, .kernel = 20, .stride = 8, .bands = 4, .from = {"input"}, .n_from = 1, .name = "mel"},
    {.op = TIN_OP_LOG_VARIANCE, .kernel = 2, .stride = 8, .from = {"input"}, .n_from = 1, .name = "spread"},
    {.op = TIN_OP_HIGH_PASS, .shift = 4, .from = {"input"}, .n_from = 1, .name = "moved"},
    {.op = TIN_OP_DIFFERENCE, .dilation = 2, .from = {"input"}, .n_from = 1, .name = "jerk"},
    {.op = TIN_OP_MAGNITUDE, .from = {"input"}, .n_from = 1, .name = "length"},
    {.op = TIN_OP_CONCAT, .from = {"moved", "jerk", "length"}, .n_from = 3, .name = "motion"},
    {.op = TIN_OP_CONV1D, .units = 6, .kernel = 8, .stride = 8, .name = "few"},
    {.op = TIN_OP_CONCAT, .from = {"pooled", "energy", "mel", "spread", "few"}, .n_from = 5},
    {.op = TIN_OP_DENSE, .units = 8},
    {.op = TIN_OP_RELU},
    {.op = TIN_OP_DENSE},
};
static const tin_layer_spec lstm[] = {{.op = TIN_OP_LSTM, .units = 16}, {.op = TIN_OP_DENSE}};
static const tin_layer_spec mgu[] = {{.op = TIN_OP_MGU, .units = 16}, {.op = TIN_OP_DENSE}};
static const tin_layer_spec min_gru[] = {
    {.op = TIN_OP_MIN_GRU, .units = 16}, {.op = TIN_OP_MIN_GRU, .units = 12}, {.op = TIN_OP_DENSE}};
static const tin_layer_spec gru_before[] = {{.op = TIN_OP_GRU, .units = 16, .reset_before = true},
                                            {.op = TIN_OP_DENSE}};

const network networks[] = {
    {"har", har, N_LAYERS(har), 6, 6, true},
    {"gru", plain_gru, N_LAYERS(plain_gru), 6, 5, true},
    {"separable", separable, N_LAYERS(separable), 3, 4, true},
    {"odd", odd, N_LAYERS(odd), 1, 2, false},
    {"residual", residual, N_LAYERS(residual), 6, 5, false},
    {"squeeze", squeeze, N_LAYERS(squeeze), 6, 5, false},
    {"branches", branches, N_LAYERS(branches), 3, 5, true},
    {"energy", energy, N_LAYERS(energy), 3, 5, true},
    {"lstm", lstm, N_LAYERS(lstm), 6, 5, true},
    {"mgu", mgu, N_LAYERS(mgu), 6, 5, true},
    {"min_gru", min_gru, N_LAYERS(min_gru), 6, 5, true},
    {"gru_before", gru_before, N_LAYERS(gru_before), 6, 5, true},
};
const int n_networks = N_LAYERS(networks);

static int add_random(random_graph *g, tin_layer_spec spec, int width, int first, int second)
{
    const int from[2] = {first, second};
    int at = g->n++;
    snprintf(g->names[at], sizeof g->names[at], "n%d", at);
    spec.name = g->names[at];
    for (spec.n_from = 0; spec.n_from < 2 && from[spec.n_from] >= 0; spec.n_from++) {
        spec.from[spec.n_from] = g->names[from[spec.n_from]];
        g->n_readers[from[spec.n_from]]++;
    }
    g->layers[at] = spec;
    g->width[at] = width;
    return at;
}

/* A finished tensor: none that an activation will become part of. */
static int any_tensor(const random_graph *g, tin_rng *rng, int width)
{
    for (;;) {
        int at = (int)tin_rng_below(rng, (uint32_t)g->n);
        bool taken = at + 1 < g->n && tin_op_is_activation(g->layers[at + 1].op);
        if (!taken && (width == 0 || g->width[at] == width))
            return at;
    }
}

static void add_activation(random_graph *g, tin_rng *rng)
{
    static const tin_op all[] = {TIN_OP_RELU,         TIN_OP_RELU6,   TIN_OP_HARD_TANH,
                                 TIN_OP_HARD_SIGMOID, TIN_OP_SIGMOID, TIN_OP_TANH};
    int last = g->n - 1;
    tin_op op = all[tin_rng_below(rng, g->layers[last].op == TIN_OP_ADD ? 3 : 6)];
    if (tin_rng_uniform(rng) < 0.6)
        add_random(g, (tin_layer_spec){.op = op}, g->width[last], last, -1);
}

void make_graph(random_graph *g, uint64_t seed)
{
    static const tin_op ops[] = {TIN_OP_CONV1D, TIN_OP_CONV1D,   TIN_OP_DENSE,    TIN_OP_GRU,      TIN_OP_LSTM,
                                 TIN_OP_MGU,    TIN_OP_MIN_GRU,  TIN_OP_AVG_POOL, TIN_OP_MAX_POOL, TIN_OP_EMA,
                                 TIN_OP_ADD,    TIN_OP_MULTIPLY, TIN_OP_CONCAT};
    tin_rng rng;
    tin_rng_seed(&rng, seed);
    *g = (random_graph){0};
    add_random(g, (tin_layer_spec){.op = TIN_OP_CONV1D, .units = 6, .kernel = 4, .stride = 1 + (int)seed % 3}, 6, -1,
               -1);
    add_activation(g, &rng);
    for (int step = 0; step < 6; step++) {
        tin_layer_spec spec = {.op = ops[tin_rng_below(&rng, N_LAYERS(ops))]};
        int first = any_tensor(g, &rng, 0), second = -1, width = g->width[first];
        if (spec.op == TIN_OP_CONV1D || spec.op == TIN_OP_AVG_POOL || spec.op == TIN_OP_MAX_POOL)
            spec.kernel = 1 + (int)tin_rng_below(&rng, 5);
        if (spec.op == TIN_OP_CONV1D && tin_rng_uniform(&rng) < 0.4)
            spec.depthwise = true;
        else if (spec.op == TIN_OP_CONV1D || spec.op == TIN_OP_DENSE || tin_op_recurrent(spec.op))
            width = spec.units = 6;
        spec.reset_before = spec.op == TIN_OP_GRU && tin_rng_uniform(&rng) < 0.5;
        spec.shift = spec.op == TIN_OP_EMA ? 1 + (int)tin_rng_below(&rng, 6) : 0;
        if (spec.op == TIN_OP_ADD)
            second = any_tensor(g, &rng, width);
        if (spec.op == TIN_OP_MULTIPLY) { /* by a gate: powers of a signal have no range that 8 bits can show */
            second = add_random(g, (tin_layer_spec){.op = TIN_OP_DENSE, .units = width}, width, first, -1);
            second = add_random(g, (tin_layer_spec){.op = TIN_OP_HARD_SIGMOID}, width, second, -1);
        }
        if (spec.op == TIN_OP_CONCAT)
            width += g->width[second = any_tensor(g, &rng, 0)];
        add_random(g, spec, width, first, second);
        if (spec.op == TIN_OP_CONV1D || spec.op == TIN_OP_DENSE || spec.op == TIN_OP_ADD)
            add_activation(g, &rng);
    }
    for (int at = 0, joined = -1; at < g->n; at++) { /* what nobody reads comes together */
        if (g->n_readers[at] > 0 || at == joined)
            continue;
        int last = g->n - 1;
        if (at < last)
            joined = add_random(g, (tin_layer_spec){.op = TIN_OP_CONCAT}, g->width[at] + g->width[last], at, last);
    }
    add_random(g, (tin_layer_spec){.op = TIN_OP_DENSE}, 0, g->n - 1, -1);
}
