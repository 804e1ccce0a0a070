/* The float reference. It stays naive: one loop nest per op, straight from the formulas of model.h. Sums are made in
 * double, so that the reference is closer to the true value than what is compared with it. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "model/model.h"
#include "model/model_build.h"

typedef struct layer_state {
    float *rows; /* [history][n_inputs], ring; conv1d and avg_pool */
    int history, newest, fill;
    float *hidden; /* [n_outputs], gru */
    float *output; /* [n_outputs] */
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

static void run_gru(const tin_model *m, const tin_layer *l, layer_state *s, const float *x)
{
    const float *w = tin_param_data(m, &l->params[0]), *u = tin_param_data(m, &l->params[1]);
    const float *b = tin_param_data(m, &l->params[2]), *c = tin_param_data(m, &l->params[3]);
    int in = l->n_inputs, n_units = l->n_outputs;
    for (int j = 0; j < n_units; j++) {
        double a[3], h[3];
        for (int g = 0; g < 3; g++) {
            int r = g * n_units + j;
            a[g] = (double)b[r] + dot(w + (size_t)r * (size_t)in, x, in);
            h[g] = (double)c[r] + dot(u + (size_t)r * (size_t)n_units, s->hidden, n_units);
        }
        double reset = sigmoid(a[0] + h[0]), z = sigmoid(a[1] + h[1]), n = tanh(a[2] + reset * h[2]);
        s->output[j] = (float)(n + z * ((double)s->hidden[j] - n));
    }
    memcpy(s->hidden, s->output, (size_t)n_units * sizeof *s->hidden);
}

static void run_dense(const tin_model *m, const tin_layer *l, layer_state *s, const float *x)
{
    const float *w = tin_param_data(m, &l->params[0]), *b = tin_param_data(m, &l->params[1]);
    for (int o = 0; o < l->n_outputs; o++)
        s->output[o] = (float)((double)b[o] + dot(w + (size_t)o * (size_t)l->n_inputs, x, l->n_inputs));
}

static void run_avg_pool(const tin_layer *l, layer_state *s)
{
    for (int i = 0; i < l->n_inputs; i++) {
        double sum = 0;
        for (int age = 0; age < l->kernel; age++)
            sum += (double)row(s, l, age)[i];
        s->output[i] = (float)(sum / l->kernel);
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

static void run_relu(const tin_layer *l, layer_state *s, const float *x)
{
    for (int i = 0; i < l->n_outputs; i++)
        s->output[i] = x[i] > 0.0f ? x[i] : 0.0f;
}

static void run_layer(const tin_model *m, const tin_layer *l, layer_state *s, const float *x)
{
    switch (l->op) {
    case TIN_OP_CONV1D:
        run_conv1d(m, l, s);
        break;
    case TIN_OP_GRU:
        run_gru(m, l, s, x);
        break;
    case TIN_OP_DENSE:
        run_dense(m, l, s, x);
        break;
    case TIN_OP_AVG_POOL:
        run_avg_pool(l, s);
        break;
    case TIN_OP_BATCH_NORM:
        run_batch_norm(m, l, s, x);
        break;
    case TIN_OP_RELU:
        run_relu(l, s, x);
        break;
    case TIN_OP_DROPOUT: /* acts in training only */
    case TIN_OP_COUNT:
        memcpy(s->output, x, (size_t)l->n_outputs * sizeof *x);
        break;
    }
}

int tin_float_runner_step(tin_float_runner *runner, const int16_t *counts, float *scores)
{
    const tin_model *m = runner->model;
    for (int c = 0; c < m->n_channels; c++)
        runner->input[c] = (float)(counts[c] - m->input.offset[c]) * m->input.scale[c];
    for (int i = 0; i < m->n_layers; i++)
        runner->layers[i].fired = false;
    const float *x = runner->input;
    for (int i = 0; i < m->n_layers; i++) {
        layer_state *s = &runner->layers[i];
        if (s->rows && !push(s, &m->layers[i], x))
            return 0;
        run_layer(m, &m->layers[i], s, x);
        s->fired = true;
        x = s->output;
    }
    memcpy(scores, x, (size_t)m->n_classes * sizeof *scores);
    return 1;
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
        memset(s->output, 0, (size_t)l->n_outputs * sizeof *s->output);
    }
}

static tin_status create_state(layer_state *s, const tin_layer *l, tin_error *err)
{
    s->output = tin_alloc((size_t)l->n_outputs, sizeof *s->output, err);
    if (!s->output)
        return TIN_ERR_MEMORY;
    if (l->op == TIN_OP_CONV1D || l->op == TIN_OP_AVG_POOL) {
        s->history = tin_layer_history(l->kernel, l->dilation);
        s->rows = tin_alloc((size_t)s->history * (size_t)l->n_inputs, sizeof *s->rows, err);
        if (!s->rows)
            return TIN_ERR_MEMORY;
    }
    if (l->op == TIN_OP_GRU && !(s->hidden = tin_alloc((size_t)l->n_outputs, sizeof *s->hidden, err)))
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
        tin_status status = create_state(&r->layers[i], &model->layers[i], err);
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
