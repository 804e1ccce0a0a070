/* The float reference. It stays naive: one loop nest per op, straight from the formulas of model.h. Sums are made in
 * double, so that the reference is closer to the true value than what is compared with it. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "model/feature.h"
#include "model/model.h"
#include "model/model_build.h"

typedef struct layer_state {
    float *rows; /* [history][n_inputs], ring; conv1d and pools */
    int history, newest, fill;
    float *hidden, *cell; /* [n_outputs]: h of recurrent layers, c of lstm, y of ema */
    float *row;           /* [n_inputs], the row read, when it is put together from several layers */
    float *output;        /* [n_outputs] */
    tin_feature *feature; /* and its state */
    void *stream;
    bool fired;
} layer_state;

struct tin_float_runner {
    const tin_model *model;
    float input[TIN_MAX_CHANNELS];
    layer_state layers[TIN_MAX_LAYERS];
};

static double sigmoid(double x)
{
    return 1.0 / (1.0 + exp(-x));
}

/* Row that came `age` rows before the newest. */
static const float *row(const layer_state *s, const tin_layer *l, int age)
{
    int at = (s->newest - age + s->history) % s->history;
    return s->rows + (size_t)at * (size_t)l->n_inputs;
}

/* Stores a row; true when the layer is due. */
static bool push(layer_state *s, const tin_layer *l, const float *x)
{
    s->newest = (s->newest + 1) % s->history;
    memcpy(s->rows + (size_t)s->newest * (size_t)l->n_inputs, x, (size_t)l->n_inputs * sizeof *x);
    s->fill++;
    if (s->fill < s->history)
        return false;
    s->fill -= l->stride;
    return true;
}

static void run_conv1d(const tin_model *m, const tin_layer *l, layer_state *s)
{
    const float *weight = tin_param_data(m, &l->params[0]), *bias = tin_param_data(m, &l->params[1]);
    int inputs = l->n_inputs / l->groups, outputs = l->n_outputs / l->groups; /* of a group */
    for (int o = 0; o < l->n_outputs; o++) {
        double sum = (double)bias[o];
        for (int k = 0; k < l->kernel; k++) {
            const float *x = row(s, l, (l->kernel - 1 - k) * l->dilation) + o / outputs * inputs;
            for (int i = 0; i < inputs; i++)
                sum += (double)weight[(o * inputs + i) * l->kernel + k] * (double)x[i];
        }
        s->output[o] = (float)sum;
    }
}

static double dot(const float *w, const float *x, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += (double)w[i] * (double)x[i];
    return sum;
}

/* W x + b of row `r`; U v + c of the same. */
static double input_row(const tin_model *m, const tin_layer *l, int r, const float *x)
{
    int bias = l->op == TIN_OP_MIN_GRU ? 1 : 2;
    const float *w = tin_param_data(m, &l->params[0]), *b = tin_param_data(m, &l->params[bias]);
    return (double)b[r] + dot(w + (size_t)r * (size_t)l->n_inputs, x, l->n_inputs);
}

static double hidden_row(const tin_model *m, const tin_layer *l, int r, const float *v)
{
    const float *u = tin_param_data(m, &l->params[1]), *c = tin_param_data(m, &l->params[3]);
    return (double)c[r] + dot(u + (size_t)r * (size_t)l->n_outputs, v, l->n_outputs);
}

/* Row of gate `gate` of unit j, both parts. */
static double gate_sum(const tin_model *m, const tin_layer *l, const layer_state *s, const float *x, int gate, int j)
{
    int r = gate * l->n_outputs + j;
    return input_row(m, l, r, x) + hidden_row(m, l, r, s->hidden);
}

static double gru_candidate(const tin_model *m, const tin_layer *l, const layer_state *s, const float *x, int j)
{
    int n_units = l->n_outputs, r = 2 * n_units + j;
    if (!l->reset_before)
        return input_row(m, l, r, x) + sigmoid(gate_sum(m, l, s, x, 0, j)) * hidden_row(m, l, r, s->hidden);
    float kept[TIN_MAX_WIDTH]; /* r * h of all units */
    for (int k = 0; k < n_units; k++)
        kept[k] = (float)(sigmoid(gate_sum(m, l, s, x, 0, k)) * (double)s->hidden[k]);
    return input_row(m, l, r, x) + hidden_row(m, l, r, kept);
}

static double run_lstm_unit(const tin_model *m, const tin_layer *l, layer_state *s, const float *x, int j)
{
    double i = sigmoid(gate_sum(m, l, s, x, 0, j)), f = sigmoid(gate_sum(m, l, s, x, 1, j));
    double g = tanh(gate_sum(m, l, s, x, 2, j)), o = sigmoid(gate_sum(m, l, s, x, 3, j));
    s->cell[j] = (float)(f * (double)s->cell[j] + i * g); /* read by no other unit */
    return o * tanh((double)s->cell[j]);
}

static void run_recurrent(const tin_model *m, const tin_layer *l, layer_state *s, const float *x)
{
    int n_units = l->n_outputs;
    for (int j = 0; j < n_units; j++) {
        double h = (double)s->hidden[j], n, z;
        switch (l->op) {
        case TIN_OP_GRU:
            z = sigmoid(gate_sum(m, l, s, x, 1, j));
            n = tanh(gru_candidate(m, l, s, x, j));
            break;
        case TIN_OP_MGU: {
            double f = sigmoid(gate_sum(m, l, s, x, 0, j));
            n = tanh(input_row(m, l, n_units + j, x) + f * hidden_row(m, l, n_units + j, s->hidden));
            z = 1.0 - f;
            break;
        }
        case TIN_OP_MIN_GRU:
            z = sigmoid(input_row(m, l, j, x));
            n = tanh(input_row(m, l, n_units + j, x));
            break;
        default: /* lstm */
            n = run_lstm_unit(m, l, s, x, j);
            z = 0.0;
            break;
        }
        s->output[j] = (float)(n + z * (h - n));
    }
    memcpy(s->hidden, s->output, (size_t)n_units * sizeof *s->hidden);
}

static void run_dense(const tin_model *m, const tin_layer *l, layer_state *s, const float *x)
{
    const float *w = tin_param_data(m, &l->params[0]), *b = tin_param_data(m, &l->params[1]);
    for (int o = 0; o < l->n_outputs; o++)
        s->output[o] = (float)((double)b[o] + dot(w + (size_t)o * (size_t)l->n_inputs, x, l->n_inputs));
}

static void run_pool(const tin_layer *l, layer_state *s)
{
    for (int i = 0; i < l->n_inputs; i++) {
        double sum = 0, most = (double)row(s, l, 0)[i];
        for (int age = 0; age < l->kernel; age++) {
            double x = (double)row(s, l, age)[i];
            sum += x;
            most = x > most ? x : most;
        }
        s->output[i] = (float)(l->op == TIN_OP_MAX_POOL ? most : sum / l->kernel);
    }
}

static void run_ema(const tin_layer *l, layer_state *s, const float *x)
{
    for (int i = 0; i < l->n_outputs; i++) {
        s->hidden[i] = (float)((double)s->hidden[i] + ldexp((double)x[i] - (double)s->hidden[i], -l->shift));
        s->output[i] = s->hidden[i];
    }
}

static void run_batch_norm(const tin_model *m, const tin_layer *l, layer_state *s, const float *x)
{
    const float *w = tin_param_data(m, &l->params[0]), *b = tin_param_data(m, &l->params[1]);
    const float *mean = tin_param_data(m, &l->params[2]), *var = tin_param_data(m, &l->params[3]);
    for (int i = 0; i < l->n_outputs; i++)
        s->output[i] =
            (float)(((double)x[i] - (double)mean[i]) / sqrt((double)var[i] + TIN_BATCH_NORM_EPS) * (double)w[i] +
                    (double)b[i]);
}

static double clip(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

static double activate(tin_op op, double x)
{
    switch (op) {
    case TIN_OP_RELU:
        return x > 0.0 ? x : 0.0;
    case TIN_OP_RELU6:
        return clip(x, 0.0, 6.0);
    case TIN_OP_HARD_SIGMOID:
        return clip(x / 6.0 + 0.5, 0.0, 1.0);
    case TIN_OP_HARD_TANH:
        return clip(x, -1.0, 1.0);
    case TIN_OP_SIGMOID:
        return sigmoid(x);
    case TIN_OP_TANH:
        return tanh(x);
    default: /* dropout and mask act in training only */
        return x;
    }
}

/* The row that layer l reads; NULL when what it reads gave none on this frame (all of it comes on the same frames). */
static const float *gather(tin_float_runner *r, int index)
{
    const tin_layer *l = &r->model->layers[index];
    layer_state *s = &r->layers[index];
    int at = 0;
    for (int k = 0; k < l->n_from; k++) {
        const layer_state *from = l->from[k] == TIN_FROM_INPUT ? NULL : &r->layers[l->from[k]];
        if (from && !from->fired)
            return NULL;
        const float *x = from ? from->output : r->input;
        if (l->n_from == 1)
            return x;
        int width = from ? r->model->layers[l->from[k]].n_outputs : r->model->n_channels;
        for (int i = 0; i < width; i++) {
            float *to = &s->row[l->op == TIN_OP_CONCAT ? at++ : i];
            bool first = k == 0 || l->op == TIN_OP_CONCAT;
            *to = first ? x[i] : l->op == TIN_OP_ADD ? *to + x[i] : *to * x[i];
        }
    }
    return s->row;
}

static void run_layer(const tin_model *m, const tin_layer *l, layer_state *s, const float *x)
{
    switch (l->op) {
    case TIN_OP_CONV1D:
        run_conv1d(m, l, s);
        break;
    case TIN_OP_GRU:
    case TIN_OP_LSTM:
    case TIN_OP_MGU:
    case TIN_OP_MIN_GRU:
        run_recurrent(m, l, s, x);
        break;
    case TIN_OP_DENSE:
        run_dense(m, l, s, x);
        break;
    case TIN_OP_AVG_POOL:
    case TIN_OP_MAX_POOL:
        run_pool(l, s);
        break;
    case TIN_OP_EMA:
        run_ema(l, s, x);
        break;
    case TIN_OP_BATCH_NORM:
        run_batch_norm(m, l, s, x);
        break;
    default: /* activations; add, multiply and concat are done by gather */
        for (int i = 0; i < l->n_outputs; i++)
            s->output[i] = (float)activate(l->op, (double)x[i]);
        break;
    }
}

static bool run_feature(const tin_model *m, const tin_layer *l, layer_state *s, const int16_t *counts)
{
    int32_t values[TIN_MAX_WIDTH];
    bool due = tin_feature_step(s->feature, s->stream, counts, values);
    for (int i = 0; due && i < l->n_outputs; i++)
        s->output[i] = (float)values[i] * tin_feature_unit(l->op, &m->input, i);
    return due;
}

int tin_float_runner_step(tin_float_runner *runner, const int16_t *counts, float *scores)
{
    const tin_model *m = runner->model;
    for (int c = 0; c < m->n_channels; c++)
        runner->input[c] = (float)(counts[c] - m->input.offset[c]) * m->input.scale[c];
    for (int i = 0; i < m->n_layers; i++) {
        layer_state *s = &runner->layers[i];
        if (s->feature) {
            s->fired = run_feature(m, &m->layers[i], s, counts);
            continue;
        }
        const float *x = gather(runner, i);
        s->fired = x && (!s->rows || push(s, &m->layers[i], x));
        if (s->fired)
            run_layer(m, &m->layers[i], s, x);
    }
    const layer_state *last = &runner->layers[m->n_layers - 1];
    if (last->fired)
        memcpy(scores, last->output, (size_t)m->n_classes * sizeof *scores);
    return last->fired;
}

void tin_float_runner_reset(tin_float_runner *runner)
{
    for (int i = 0; i < runner->model->n_layers; i++) {
        const tin_layer *l = &runner->model->layers[i];
        layer_state *s = &runner->layers[i];
        s->newest = 0;
        s->fill = s->history - l->stride;
        s->fired = false;
        if (s->rows)
            memset(s->rows, 0, (size_t)s->history * (size_t)l->n_inputs * sizeof *s->rows);
        if (s->hidden)
            memset(s->hidden, 0, (size_t)l->n_outputs * sizeof *s->hidden);
        if (s->feature)
            memset(s->stream, 0, tin_feature_state_bytes(s->feature));
        if (s->cell)
            memset(s->cell, 0, (size_t)l->n_outputs * sizeof *s->cell);
        memset(s->output, 0, (size_t)l->n_outputs * sizeof *s->output);
    }
}

static tin_status create_feature(layer_state *s, const tin_feature_shape *shape, tin_error *err)
{
    tin_status status = tin_feature_create(&s->feature, shape, err);
    if (!status && !(s->stream = tin_alloc(1, tin_feature_state_bytes(s->feature), err)))
        status = TIN_ERR_MEMORY;
    return status;
}

static tin_status create_state(layer_state *s, const tin_layer *l, double rate_hz, tin_error *err)
{
    s->output = tin_alloc((size_t)l->n_outputs, sizeof *s->output, err);
    if (!s->output)
        return TIN_ERR_MEMORY;
    if (l->op == TIN_OP_CONV1D || l->op == TIN_OP_AVG_POOL || l->op == TIN_OP_MAX_POOL) {
        s->history = tin_layer_history(l->kernel, l->dilation);
        s->rows = tin_alloc((size_t)s->history * (size_t)l->n_inputs, sizeof *s->rows, err);
        if (!s->rows)
            return TIN_ERR_MEMORY;
    }
    if ((tin_op_recurrent(l->op) || l->op == TIN_OP_EMA) &&
        !(s->hidden = tin_alloc((size_t)l->n_outputs, sizeof *s->hidden, err)))
        return TIN_ERR_MEMORY;
    if (l->op == TIN_OP_LSTM && !(s->cell = tin_alloc((size_t)l->n_outputs, sizeof *s->cell, err)))
        return TIN_ERR_MEMORY;
    if (tin_op_reads_counts(l->op)) {
        const tin_feature_shape shape = tin_feature_of_layer(l, rate_hz);
        return create_feature(s, &shape, err);
    }
    if (l->n_from > 1 && !(s->row = tin_alloc((size_t)l->n_inputs, sizeof *s->row, err)))
        return TIN_ERR_MEMORY;
    return TIN_OK;
}

tin_status tin_float_runner_create(tin_float_runner **runner, const tin_model *model, tin_error *err)
{
    *runner = NULL;
    tin_float_runner *r = tin_alloc(1, sizeof *r, err);
    if (!r)
        return TIN_ERR_MEMORY;
    r->model = model;
    for (int i = 0; i < model->n_layers; i++) {
        tin_status status = create_state(&r->layers[i], &model->layers[i], model->rate_hz, err);
        if (status) {
            tin_float_runner_free(r);
            return status;
        }
    }
    tin_float_runner_reset(r);
    *runner = r;
    return TIN_OK;
}

void tin_float_runner_free(tin_float_runner *runner)
{
    if (!runner)
        return;
    for (int i = 0; i < runner->model->n_layers; i++) {
        tin_free(runner->layers[i].rows);
        tin_free(runner->layers[i].hidden);
        tin_free(runner->layers[i].cell);
        tin_free(runner->layers[i].row);
        tin_feature_free(runner->layers[i].feature);
        tin_free(runner->layers[i].stream);
        tin_free(runner->layers[i].output);
    }
    tin_free(runner);
}

const float *tin_float_runner_output(const tin_float_runner *runner, int layer)
{
    return runner->layers[layer].output;
}

bool tin_float_runner_fired(const tin_float_runner *runner, int layer)
{
    return runner->layers[layer].fired;
}
