/* The interpreter of the integer model: it defines the result, so it stays as plain as docs/integer-arithmetic.md.
 * tin_qmodel_check has proven that no sum below leaves int32. */
#include <string.h>

#include "base/memory.h"
#include "model/model_build.h"
#include "model/qmodel.h"

typedef struct layer_state {
    int8_t *rows; /* [history][n_inputs], ring; conv1d and avg_pool */
    int history, newest, fill;
    int16_t *hidden; /* [n_outputs] Q15, and the next state behind it; gru */
    int8_t *output;  /* [n_outputs]; for gru this is h8 */
} layer_state;

struct tin_qrunner {
    const tin_qmodel *model;
    int8_t input[TIN_MAX_CHANNELS];
    layer_state layers[TIN_MAX_LAYERS];
};

static int8_t saturate8(int32_t v, bool relu)
{
    int32_t least = relu ? 0 : -127;
    return (int8_t)(v > 127 ? 127 : v < least ? least : v);
}

static int16_t saturate16(int32_t v)
{
    return (int16_t)(v > INT16_MAX ? INT16_MAX : v < INT16_MIN ? INT16_MIN : v);
}

static int32_t dot(const int8_t *w, const int8_t *x, int n)
{
    int32_t sum = 0;
    for (int i = 0; i < n; i++)
        sum += w[i] * x[i];
    return sum;
}

/* Row that came `age` rows before the newest. */
static const int8_t *row(const layer_state *s, const tin_qlayer *l, int age)
{
    int at = (s->newest - age + s->history) % s->history;
    return s->rows + (size_t)at * (size_t)l->n_inputs;
}

/* Stores a row; true when the layer is due. */
static bool push(layer_state *s, const tin_qlayer *l, const int8_t *x)
{
    s->newest = (s->newest + 1) % s->history;
    memcpy(s->rows + (size_t)s->newest * (size_t)l->n_inputs, x, (size_t)l->n_inputs);
    s->fill++;
    if (s->fill < s->history)
        return false;
    s->fill -= l->stride;
    return true;
}

static void run_conv1d(const tin_qlayer *l, layer_state *s)
{
    int inputs = l->n_inputs / l->groups, outputs = l->n_outputs / l->groups; /* of a group */
    for (int o = 0; o < l->n_outputs; o++) {
        int32_t acc = l->bias[o];
        for (int k = 0; k < l->kernel; k++) {
            const int8_t *w = l->weight + (size_t)(o * l->kernel + k) * (size_t)inputs;
            acc += dot(w, row(s, l, (l->kernel - 1 - k) * l->dilation) + o / outputs * inputs, inputs);
        }
        s->output[o] = saturate8(tin_requantize(acc, l->mult[o], l->shift), l->activation == TIN_ACTIVATION_RELU);
    }
}

static void run_avg_pool(const tin_qlayer *l, layer_state *s)
{
    for (int i = 0; i < l->n_inputs; i++) {
        int32_t acc = 0;
        for (int age = 0; age < l->kernel; age++)
            acc += row(s, l, age)[i];
        s->output[i] = saturate8(tin_requantize(acc, l->mult[0], l->shift), false);
    }
}

static int32_t dense_row(const tin_qlayer *l, int o, const int8_t *x)
{
    int32_t acc = l->bias[o] + dot(l->weight + (size_t)o * (size_t)l->n_inputs, x, l->n_inputs);
    return tin_requantize(acc, l->mult[o], l->shift);
}

/* b of qmodel.h: the part of a gate that reads the state. */
static int32_t hidden_row(const tin_qlayer *l, int r, const int8_t *h8)
{
    int n_units = l->n_outputs;
    int32_t acc = r >= 2 * n_units ? l->hidden_bias[r - 2 * n_units] : 0;
    acc += dot(l->hidden_weight + (size_t)r * (size_t)n_units, h8, n_units);
    return tin_requantize(acc, l->hidden_mult[r], l->hidden_shift);
}

/* Every value stays inside int32, and h inside int16 (proof: docs/integer-arithmetic.md, "GRU"): |a|, |b| < 2^30 as
 * outputs of requantize; r, z in [2^16, 2^28 - 2^16]; |n| <= 2^27 - 2^16; |h * 2^12 - n| < 2^28; the new h lies between
 * the old h and n. */
static void run_gru(const tin_qlayer *l, layer_state *s, const int8_t *x)
{
    int n_units = l->n_outputs;
    int16_t *next = s->hidden + n_units;
    for (int j = 0; j < n_units; j++) {
        int32_t a[3], b[3];
        for (int g = 0; g < 3; g++) {
            a[g] = dense_row(l, g * n_units + j, x);
            b[g] = hidden_row(l, g * n_units + j, s->output);
        }
        int32_t r = tin_sigmoid_q28(a[0] + b[0]), z = tin_sigmoid_q28(a[1] + b[1]);
        int32_t n = tin_sigmoid_q28(a[2] + tin_multiply_high(b[2], r)) - (1 << 27);
        int32_t h = n + tin_multiply_high(s->hidden[j] * 4096 - n, z) * 16;
        next[j] = (int16_t)((h + 2048) >> 12);
    }
    for (int j = 0; j < n_units; j++) {
        s->hidden[j] = next[j];
        int32_t h8 = (next[j] + 128) >> 8;
        s->output[j] = (int8_t)(h8 > 127 ? 127 : h8);
    }
}

/* False when the layer is not due. */
static bool run_layer(const tin_qlayer *l, layer_state *s, const int8_t *x)
{
    if (s->rows && !push(s, l, x))
        return false;
    if (l->op == TIN_OP_CONV1D) {
        run_conv1d(l, s);
    } else if (l->op == TIN_OP_AVG_POOL) {
        run_avg_pool(l, s);
    } else if (l->op == TIN_OP_GRU) {
        run_gru(l, s, x);
    } else {
        for (int o = 0; o < l->n_outputs; o++)
            s->output[o] = saturate8(dense_row(l, o, x), l->activation == TIN_ACTIVATION_RELU);
    }
    return true;
}

int tin_qrunner_step(tin_qrunner *runner, const int16_t *counts, int16_t *scores)
{
    const tin_qmodel *m = runner->model;
    for (int c = 0; c < m->n_channels; c++)
        runner->input[c] =
            saturate8(tin_requantize(counts[c] - m->input_offset[c], m->input_mult[c], m->input_shift), false);
    const int8_t *x = runner->input;
    int last = m->n_layers - 1;
    for (int i = 0; i < last; i++) {
        if (!run_layer(&m->layers[i], &runner->layers[i], x))
            return 0;
        x = runner->layers[i].output;
    }
    for (int k = 0; k < m->n_classes; k++)
        scores[k] = saturate16(dense_row(&m->layers[last], k, x));
    return 1;
}

void tin_qrunner_reset(tin_qrunner *runner)
{
    for (int i = 0; i < runner->model->n_layers; i++) {
        const tin_qlayer *l = &runner->model->layers[i];
        layer_state *s = &runner->layers[i];
        s->newest = 0;
        s->fill = s->history - l->stride;
        if (s->rows)
            memset(s->rows, 0, (size_t)s->history * (size_t)l->n_inputs);
        if (s->hidden)
            memset(s->hidden, 0, 2 * (size_t)l->n_outputs * sizeof *s->hidden);
        memset(s->output, 0, (size_t)l->n_outputs);
    }
}

static tin_status create_state(layer_state *s, const tin_qlayer *l, tin_error *err)
{
    s->output = tin_alloc((size_t)l->n_outputs, 1, err);
    if (!s->output)
        return TIN_ERR_MEMORY;
    if (l->op == TIN_OP_CONV1D || l->op == TIN_OP_AVG_POOL) {
        s->history = tin_layer_history(l->kernel, l->dilation);
        s->rows = tin_alloc((size_t)s->history * (size_t)l->n_inputs, 1, err);
        if (!s->rows)
            return TIN_ERR_MEMORY;
    }
    if (l->op == TIN_OP_GRU && !(s->hidden = tin_alloc(2 * (size_t)l->n_outputs, sizeof *s->hidden, err)))
        return TIN_ERR_MEMORY;
    return TIN_OK;
}

tin_status tin_qrunner_create(tin_qrunner **runner, const tin_qmodel *model, tin_error *err)
{
    *runner = NULL;
    tin_qrunner *r = tin_alloc(1, sizeof *r, err);
    if (!r)
        return TIN_ERR_MEMORY;
    r->model = model;
    for (int i = 0; i < model->n_layers; i++) {
        tin_status status = create_state(&r->layers[i], &model->layers[i], err);
        if (status) {
            tin_qrunner_free(r);
            return status;
        }
    }
    tin_qrunner_reset(r);
    *runner = r;
    return TIN_OK;
}

void tin_qrunner_free(tin_qrunner *runner)
{
    if (!runner)
        return;
    for (int i = 0; i < runner->model->n_layers; i++) {
        tin_free(runner->layers[i].rows);
        tin_free(runner->layers[i].hidden);
        tin_free(runner->layers[i].output);
    }
    tin_free(runner);
}
