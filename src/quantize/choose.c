/* Bits by measurement: each change is tried alone, the good ones are taken in order of what they bring. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/progress.h"
#include "model/replay.h"
#include "quantize/blocks.h"
#include "quantize/graph_check.h"
#include "quantize/quantize.h"

#define MAX_FRAMES 50000
#define LEAST_GAIN 0.1  /* 16 bits must take away this share of the divergence, */
#define LEAST_NATS 1e-3 /* and this much: less changes no decision worth the price */

typedef struct chooser {
    const tin_model *model;
    const tin_dataset *dataset;
    const tin_config_quantize *settings;
    tin_quant_ranges ranges;
    float *logits; /* [n_decisions][n_classes] of the float model */
    int64_t n_decisions;
    tin_sensitivity *result;
    bool quiet;
    tin_progress progress;
    long n_measured;
} chooser;

static bool is_auto(const char *text)
{
    return text && strcmp(text, "auto") == 0;
}

static tin_blocks validation_blocks(const chooser *c)
{
    /* with cross-validation nobody validates the model that is shipped */
    tin_role role = tin_dataset_frames(c->dataset, TIN_ROLE_VALIDATION) > 0 ? TIN_ROLE_VALIDATION : TIN_ROLE_TRAIN;
    return tin_blocks_begin(c->dataset, role, MAX_FRAMES, c->model->hop);
}

/* ---- measuring ---- */

static tin_status run_float(chooser *c, tin_error *err)
{
    tin_float_runner *runner = NULL;
    int n_classes = c->model->n_classes;
    int64_t n = 0;
    tin_blocks blocks = validation_blocks(c);
    while (tin_blocks_next(&blocks))
        c->n_decisions += (blocks.end - blocks.start) / c->model->hop;
    if (c->n_decisions == 0)
        return tin_fail(
            err, TIN_ERR_DATA,
            "no decision on the validation people, on whom `auto` is measured; give them longer recordings, "
            "or write the bits");
    c->logits = tin_alloc((size_t)c->n_decisions * (size_t)n_classes, sizeof *c->logits, err);
    if (!c->logits)
        return TIN_ERR_MEMORY;
    tin_status status = tin_float_runner_create(&runner, c->model, err);
    if (status)
        return status;
    blocks = validation_blocks(c);
    while (tin_blocks_next(&blocks)) {
        tin_float_runner_reset(runner);
        for (int64_t t = blocks.start; t < blocks.end; t++)
            n += tin_float_runner_step(runner, blocks.stream->counts + t * c->model->n_channels,
                                       c->logits + n * n_classes);
    }
    tin_float_runner_free(runner);
    return TIN_OK;
}

static int greatest(const double *x, int n)
{
    int best = 0;
    for (int k = 1; k < n; k++)
        best = x[k] > x[best] ? k : best;
    return best;
}

/* log(sum(exp(x))) */
static double log_sum(const double *x, int n)
{
    double top = x[greatest(x, n)], sum = 0;
    for (int k = 0; k < n; k++)
        sum += exp(x[k] - top);
    return top + log(sum);
}

/* Adds one decision: sum of p * (log p - log q), p of the float model. */
static void add_decision(tin_nearness *sum, const float *logits, const int16_t *scores, int n)
{
    double f[TIN_MAX_CLASSES], z[TIN_MAX_CLASSES];
    for (int k = 0; k < n; k++) {
        f[k] = (double)logits[k];
        z[k] = (double)scores[k] / TIN_SCORE_ONE;
    }
    double f_sum = log_sum(f, n), z_sum = log_sum(z, n);
    for (int k = 0; k < n; k++)
        sum->kl += exp(f[k] - f_sum) * (f[k] - f_sum - (z[k] - z_sum));
    sum->agreement += greatest(f, n) == greatest(z, n);
}

static tin_status run_integers(const chooser *c, const tin_qmodel *q, tin_nearness *nearness, tin_error *err)
{
    tin_replay *replay = NULL;
    const int n_classes = c->model->n_classes, n_channels = c->model->n_channels;
    int64_t n = 0;
    int16_t *scores = tin_alloc((size_t)c->n_decisions * (size_t)n_classes, sizeof *scores, err);
    tin_status status = scores ? tin_replay_create(&replay, q, TIN_REPLAY_BEST, err) : TIN_ERR_MEMORY;
    *nearness = (tin_nearness){0};
    tin_blocks blocks = validation_blocks(c);
    while (!status && tin_blocks_next(&blocks)) {
        tin_replay_reset(replay);
        n += tin_replay_run(replay, blocks.stream->counts + blocks.start * n_channels, blocks.end - blocks.start,
                            scores + n * n_classes);
    }
    for (int64_t i = 0; i < n; i++)
        add_decision(nearness, c->logits + i * n_classes, scores + i * n_classes, n_classes);
    if (n > 0) {
        nearness->kl /= (double)n;
        nearness->agreement /= (double)n;
    }
    tin_replay_free(replay);
    tin_free(scores);
    return status;
}

static tin_status measure(chooser *c, const tin_quant_spec *bits, tin_nearness *nearness, tin_error *err)
{
    tin_quant_spec spec = *bits;
    tin_qmodel *q = NULL;
    if (tin_stop_requested())
        return tin_fail(err, TIN_ERR_INTERRUPTED, "stopped while bits were chosen");
    tin_quantize_assign(c->model, &c->ranges, &spec);
    tin_status status = tin_quantize_convert(c->model, &spec, &q, err);
    if (!status)
        status = run_integers(c, q, nearness, err);
    tin_qmodel_free(q);
    tin_progress_update(&c->progress, ++c->n_measured, NULL);
    return status;
}

/* ---- the changes ---- */

static size_t layer_bytes(const tin_layer *l, int bits)
{
    size_t n = 0;
    for (int p = 0; p < l->n_params; p++) {
        if (l->params[p].n_dims > 1) /* a matrix, no bias */
            n += bits == 4 ? (l->params[p].size + 1) / 2 : l->params[p].size;
    }
    return n;
}

size_t tin_quantize_weight_bytes(const tin_model *folded, const tin_quant_spec *spec)
{
    size_t n = 0;
    for (int i = 0; i < folded->n_layers; i++)
        n += layer_bytes(&folded->layers[i], spec->weight_bits[i]);
    return n;
}

/* A tensor, and for a concat also what it alone reads: 8 bits there would leave nothing to gain. */
static void widen(const tin_model *m, int tensor, tin_quant_spec *spec)
{
    if (tensor == TIN_FROM_INPUT)
        return;
    const tin_layer *l = &m->layers[tensor];
    spec->output_bits[tensor] = 16;
    for (int k = 0; l->op == TIN_OP_CONCAT && k < l->n_from; k++) {
        if (tin_model_readers(m, l->from[k], NULL) == 1)
            widen(m, l->from[k], spec);
    }
}

static void apply(const tin_model *m, const tin_trial *trial, tin_quant_spec *spec)
{
    if (trial->kind == TIN_TRIAL_INPUT_16)
        spec->input_bits = 16;
    else if (trial->kind == TIN_TRIAL_OUTPUT_16)
        widen(m, trial->layer, spec);
    else
        spec->weight_bits[trial->layer] = 4;
}

/* Read by a concat alone: it changes with that. */
static bool goes_with_concat(const tin_model *m, int tensor)
{
    int reader = -1;
    return tin_model_readers(m, tensor, &reader) == 1 && m->layers[reader].op == TIN_OP_CONCAT;
}

static void list_trials(chooser *c)
{
    const tin_model *m = c->model;
    const tin_config_quantize *settings = c->settings;
    tin_sensitivity *s = c->result;
    if (is_auto(settings->input_bits) && tin_quantize_may_be_wide(m, TIN_FROM_INPUT))
        s->trials[s->n_trials++] = (tin_trial){.kind = TIN_TRIAL_INPUT_16, .layer = TIN_FROM_INPUT};
    for (int i = 0; i < m->n_layers - 1 && is_auto(settings->activation_bits); i++) {
        if (tin_quantize_may_be_wide(m, i) && tin_quantize_tensor(m, i) == i && !goes_with_concat(m, i))
            s->trials[s->n_trials++] = (tin_trial){.kind = TIN_TRIAL_OUTPUT_16, .layer = i};
    }
    for (int i = 0; i < m->n_layers && is_auto(settings->weight_bits); i++) {
        if (m->layers[i].n_params > 0)
            s->trials[s->n_trials++] =
                (tin_trial){.kind = TIN_TRIAL_WEIGHTS_4,
                            .layer = i,
                            .bytes_saved = layer_bytes(&m->layers[i], 8) - layer_bytes(&m->layers[i], 4)};
    }
}

/* Measures `spec` with the trial in it. Wider sums may not fit: then the trial is no longer possible. */
static tin_status try(chooser *c, tin_trial *trial, tin_quant_spec *spec, tin_nearness *nearness, tin_error *err)
{
    tin_error why = {0};
    apply(c->model, trial, spec);
    tin_status status = measure(c, spec, nearness, &why);
    trial->possible = status == TIN_OK;
    return status && status != TIN_ERR_MODEL ? tin_fail(err, status, "%s", why.message) : TIN_OK;
}

static tin_status run_trials(chooser *c, const tin_quant_spec *start, tin_error *err)
{
    tin_status status = TIN_OK;
    for (int i = 0; i < c->result->n_trials && !status; i++) {
        tin_quant_spec spec = *start;
        status = try(c, &c->result->trials[i], &spec, &c->result->trials[i].nearness, err);
    }
    return status;
}

/* ---- the choice ---- */

/* Of the trials that could be taken the one that costs least: of 4-bit weights per byte saved, of 16 bits the one with
 * the least divergence. NULL: none. */
static tin_trial *next_trial(const chooser *c, bool weights)
{
    tin_sensitivity *s = c->result;
    tin_trial *best = NULL;
    double best_cost = 0;
    for (int i = 0; i < s->n_trials; i++) {
        tin_trial *t = &s->trials[i];
        if (t->chosen || !t->possible || (t->kind == TIN_TRIAL_WEIGHTS_4) != weights)
            continue;
        double cost = t->nearness.kl;
        if (weights)
            cost = (t->nearness.kl - s->before.kl) / (double)t->bytes_saved;
        if (!best || cost < best_cost) {
            best = t;
            best_cost = cost;
        }
    }
    return best;
}

/* 16 bits in order of what each brings alone, as long as each takes away its share of what is left. */
static tin_status take_wide(chooser *c, tin_quant_spec *spec, tin_error *err)
{
    double left = c->result->before.kl;
    for (;;) {
        tin_trial *t = next_trial(c, false);
        tin_quant_spec with = *spec;
        tin_nearness nearness = {0};
        tin_status status = t ? try(c, t, &with, &nearness, err) : TIN_OK;
        if (status || !t)
            return status;
        if (t->possible && !(left - nearness.kl >= fmax(LEAST_GAIN * left, LEAST_NATS)))
            return TIN_OK;
        if (t->possible) {
            t->chosen = true;
            *spec = with;
            left = nearness.kl;
        }
    }
}

/* 4 bits in order of what a saved byte costs, until the weights fit. */
static tin_status take_small(chooser *c, tin_quant_spec *spec, tin_error *err)
{
    size_t most = (size_t)c->settings->max_weight_bytes;
    while (most > 0 && tin_quantize_weight_bytes(c->model, spec) > most) {
        tin_trial *t = is_auto(c->settings->weight_bits) ? next_trial(c, true) : NULL;
        if (!t)
            return tin_fail(err, TIN_ERR_CONFIG, "the weights take %zu bytes, quantize.max_weight_bytes is %zu; %s",
                            tin_quantize_weight_bytes(c->model, spec), most,
                            is_auto(c->settings->weight_bits) ? "make the model smaller"
                                                              : "write weight_bits: auto, or make the model smaller");
        t->chosen = true;
        apply(c->model, t, spec);
    }
    return TIN_OK;
}

static tin_status choose(chooser *c, tin_quant_spec *spec, tin_error *err)
{
    tin_sensitivity *s = c->result;
    list_trials(c);
    if (s->n_trials == 0)
        return take_small(c, spec, err);
    tin_progress_begin(&c->progress, "sensitivity", s->n_trials + 3, c->quiet);
    tin_status status = run_float(c, err);
    s->n_decisions = c->n_decisions;
    if (!status)
        status = measure(c, spec, &s->before, err);
    if (!status)
        status = run_trials(c, spec, err);
    if (!status)
        status = take_wide(c, spec, err);
    if (!status)
        status = take_small(c, spec, err);
    if (!status)
        status = measure(c, spec, &s->after, err);
    tin_progress_end(&c->progress, NULL);
    return status;
}

tin_status tin_quantize_choose(const tin_model *folded, const tin_dataset *dataset, const tin_config_quantize *settings,
                               bool quiet, tin_quant_spec *spec, tin_sensitivity *sensitivity, tin_error *err)
{
    chooser c = {.model = folded, .dataset = dataset, .settings = settings, .result = sensitivity, .quiet = quiet};
    *sensitivity = (tin_sensitivity){0};
    tin_status status = tin_quantize_observe(folded, dataset, settings, &c.ranges, err);
    if (status)
        return status;
    tin_quantize_start(folded, settings, spec);
    sensitivity->weight_bytes_before = tin_quantize_weight_bytes(folded, spec);
    status = choose(&c, spec, err);
    tin_quantize_assign(folded, &c.ranges, spec);
    sensitivity->weight_bytes = tin_quantize_weight_bytes(folded, spec);
    tin_free(c.logits);
    return status;
}
