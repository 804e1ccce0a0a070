/* The float reference. It stays naive: one loop nest per op, straight from the formulas of model.h. Sums are made in
 * double, in the order of the formulas, so that the reference is closer to the true value than what is compared with it. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "model/feature.h"
#include "model/float_product.h"
#include "model/model.h"
#include "model/model_build.h"

typedef struct layer_state {
    float *rows; /* [history][n_inputs], ring; conv1d and pools */
    int history, newest, fill;
    float *hidden, *cell;           /* [n_outputs]: h of recurrent layers, c of lstm, y of ema */
    float *row;                     /* [n_inputs], the row read, when it is put together from several layers */
    float *output;                  /* [n_outputs] */
    double *weight, *hidden_weight; /* turned: [n_inputs][rows], of conv1d [kernel][n_inputs][n_outputs]; [H][rows] */
    double *sums, *hidden_sums;     /* [rows] W x and U v */
    tin_feature *feature;           /* and its state */
    void *stream;
    bool fired;
} layer_state;

struct tin_float_runner {
    const tin_model *model;
    tin_float_product product;
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

static void run_depthwise(const tin_model *m, const tin_layer *l, layer_state *s)
{
    const float *weight = tin_param_data(m, &l->params[0]), *bias = tin_param_data(m, &l->params[1]);
    int outputs = l->n_outputs / l->groups; /* of a group */
    for (int o = 0; o < l->n_outputs; o++) {
        double sum = (double)bias[o];
        for (int k = 0; k < l->kernel; k++)
            sum +=
                (double)weight[o * l->kernel + k] * (double)row(s, l, (l->kernel - 1 - k) * l->dilation)[o / outputs];
        s->output[o] = (float)sum;
    }
}

static void run_conv1d(const tin_float_runner *r, const tin_layer *l, layer_state *s)
{
    const float *bias = tin_param_data(r->model, &l->params[1]);
    const size_t outputs = (size_t)l->n_outputs, tap = (size_t)l->n_inputs * outputs;
    for (size_t o = 0; o < outputs; o++)
        s->sums[o] = (double)bias[o];
    for (int k = 0; k < l->kernel; k++)
        r->product(s->weight + (size_t)k * tap, outputs, row(s, l, (l->kernel - 1 - k) * l->dilation), l->n_inputs,
                   l->n_outputs, s->sums);
    for (size_t o = 0; o < outputs; o++)
        s->output[o] = (float)s->sums[o];
}

static int rows_of(const tin_layer *l)
{
    return tin_op_gates(l->op) * l->n_outputs;
}

/* W x of all rows. */
static void multiply_input(const tin_float_runner *r, const tin_layer *l, layer_state *s, const float *x)
{
    const int rows = rows_of(l);
    memset(s->sums, 0, (size_t)rows * sizeof *s->sums);
    r->product(s->weight, (size_t)rows, x, l->n_inputs, rows, s->sums);
}

/* U v of the rows of gates first..last-1. */
static void multiply_state(const tin_float_runner *r, const tin_layer *l, layer_state *s, const float *v, int first,
                           int last)
{
    const int at = first * l->n_outputs, n = (last - first) * l->n_outputs;
    memset(s->hidden_sums + at, 0, (size_t)n * sizeof *s->hidden_sums);
    r->product(s->hidden_weight + at, (size_t)rows_of(l), v, l->n_outputs, n, s->hidden_sums + at);
}

/* W x + b of row `r`; U v + c of the same. */
static double input_row(const tin_model *m, const tin_layer *l, const layer_state *s, int r)
{
    int bias = l->op == TIN_OP_MIN_GRU ? 1 : 2;
    return (double)tin_param_data(m, &l->params[bias])[r] + s->sums[r];
}

static double hidden_row(const tin_model *m, const tin_layer *l, const layer_state *s, int r)
{
    return (double)tin_param_data(m, &l->params[3])[r] + s->hidden_sums[r];
}

/* Row of gate `gate` of unit j, both parts. */
static double gate_sum(const tin_model *m, const tin_layer *l, const layer_state *s, int gate, int j)
{
    int r = gate * l->n_outputs + j;
    return input_row(m, l, s, r) + hidden_row(m, l, s, r);
}

/* U (r * h) in place of U h. */
static void reset_before(const tin_float_runner *r, const tin_layer *l, layer_state *s)
{
    float kept[TIN_MAX_WIDTH]; /* r * h of all units */
    for (int k = 0; k < l->n_outputs; k++)
        kept[k] = (float)(sigmoid(gate_sum(r->model, l, s, 0, k)) * (double)s->hidden[k]);
    multiply_state(r, l, s, kept, 2, 3);
}

static double gru_candidate(const tin_model *m, const tin_layer *l, const layer_state *s, int j)
{
    const int r = 2 * l->n_outputs + j;
    const double reset = l->reset_before ? 1.0 : sigmoid(gate_sum(m, l, s, 0, j));
    return input_row(m, l, s, r) + reset * hidden_row(m, l, s, r);
}

static double run_lstm_unit(const tin_model *m, const tin_layer *l, layer_state *s, int j)
{
    double i = sigmoid(gate_sum(m, l, s, 0, j)), f = sigmoid(gate_sum(m, l, s, 1, j));
    double g = tanh(gate_sum(m, l, s, 2, j)), o = sigmoid(gate_sum(m, l, s, 3, j));
    s->cell[j] = (float)(f * (double)s->cell[j] + i * g); /* read by no other unit */
    return o * tanh((double)s->cell[j]);
}

static void run_recurrent(const tin_float_runner *r, const tin_layer *l, layer_state *s, const float *x)
{
    const tin_model *m = r->model;
    int n_units = l->n_outputs;
    multiply_input(r, l, s, x);
    if (s->hidden_weight)
        multiply_state(r, l, s, s->hidden, 0, tin_op_gates(l->op));
    if (l->reset_before)
        reset_before(r, l, s);
    for (int j = 0; j < n_units; j++) {
        double h = (double)s->hidden[j], n, z;
        switch (l->op) {
        case TIN_OP_GRU:
            z = sigmoid(gate_sum(m, l, s, 1, j));
            n = tanh(gru_candidate(m, l, s, j));
            break;
        case TIN_OP_MGU: {
            double f = sigmoid(gate_sum(m, l, s, 0, j));
            n = tanh(input_row(m, l, s, n_units + j) + f * hidden_row(m, l, s, n_units + j));
            z = 1.0 - f;
            break;
        }
        case TIN_OP_MIN_GRU:
            z = sigmoid(input_row(m, l, s, j));
            n = tanh(input_row(m, l, s, n_units + j));
            break;
        default: /* lstm */
            n = run_lstm_unit(m, l, s, j);
            z = 0.0;
            break;
        }
        s->output[j] = (float)(n + z * (h - n));
    }
    memcpy(s->hidden, s->output, (size_t)n_units * sizeof *s->hidden);
}

static void run_dense(const tin_float_runner *r, const tin_layer *l, layer_state *s, const float *x)
{
    const float *b = tin_param_data(r->model, &l->params[1]);
    multiply_input(r, l, s, x);
    for (int o = 0; o < l->n_outputs; o++)
        s->output[o] = (float)((double)b[o] + s->sums[o]);
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

static void run_layer(const tin_float_runner *r, const tin_layer *l, layer_state *s, const float *x)
{
    const tin_model *m = r->model;
    switch (l->op) {
    case TIN_OP_CONV1D:
        if (l->groups > 1)
            run_depthwise(m, l, s);
        else
            run_conv1d(r, l, s);
        break;
    case TIN_OP_GRU:
    case TIN_OP_LSTM:
    case TIN_OP_MGU:
    case TIN_OP_MIN_GRU:
        run_recurrent(r, l, s, x);
        break;
    case TIN_OP_DENSE:
        run_dense(r, l, s, x);
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
            run_layer(runner, &m->layers[i], s, x);
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

/* weight [rows][n], with `taps` values of each behind one another, to [taps][n][rows]. */
static tin_status turn(double **turned, const float *weight, int rows, int n, int taps, tin_error *err)
{
    *turned = tin_alloc((size_t)rows * (size_t)n, (size_t)taps * sizeof **turned, err);
    if (!*turned)
        return TIN_ERR_MEMORY;
    for (ptrdiff_t i = 0; i < (ptrdiff_t)rows * n * taps; i++)
        (*turned)[(i % taps * n + i / taps % n) * rows + i / taps / n] = (double)weight[i];
    return TIN_OK;
}

static tin_status turn_weights(const tin_model *m, const tin_layer *l, layer_state *s, tin_error *err)
{
    const bool linear = (l->op == TIN_OP_CONV1D && l->groups == 1) || l->op == TIN_OP_DENSE;
    if (!linear && !tin_op_recurrent(l->op))
        return TIN_OK;
    const int rows = rows_of(l);
    s->sums = tin_alloc((size_t)rows, sizeof *s->sums, err);
    tin_status status = s->sums ? TIN_OK : TIN_ERR_MEMORY;
    if (!status)
        status = turn(&s->weight, tin_param_data(m, &l->params[0]), rows, l->n_inputs, l->kernel, err);
    if (status || linear || l->op == TIN_OP_MIN_GRU)
        return status;
    s->hidden_sums = tin_alloc((size_t)rows, sizeof *s->hidden_sums, err);
    return s->hidden_sums ? turn(&s->hidden_weight, tin_param_data(m, &l->params[1]), rows, l->n_outputs, 1, err)
                          : TIN_ERR_MEMORY;
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
    r->product = tin_float_product_best();
    for (int i = 0; i < model->n_layers; i++) {
        tin_status status = create_state(&r->layers[i], &model->layers[i], model->rate_hz, err);
        if (!status)
            status = turn_weights(model, &model->layers[i], &r->layers[i], err);
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
        tin_free(runner->layers[i].weight);
        tin_free(runner->layers[i].hidden_weight);
        tin_free(runner->layers[i].sums);
        tin_free(runner->layers[i].hidden_sums);
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
