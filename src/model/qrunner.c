/* The interpreter of the integer model: it defines the result, so it stays as plain as docs/integer-arithmetic.md.
 * Rows between layers are int16 here, whatever their bits. tin_qmodel_check has proven that no sum below leaves int32.
 */
#include <string.h>

#include "base/memory.h"
#include "model/feature.h"
#include "model/model_build.h"
#include "model/qmodel.h"

#define HALF (1 << 27) /* sigmoid(0) in Q28 */

typedef struct layer_state {
    int16_t *rows; /* [history][n_inputs], ring; conv1d and pools */
    int history, newest, fill;
    int32_t *state;       /* [n_outputs]: h Q15 of gru, mgu and min_gru, c Q23 of lstm, a of ema */
    int16_t *output;      /* [n_outputs]; h8 of recurrent layers */
    tin_feature *feature; /* and its state */
    void *stream;
    bool fired;
} layer_state;

struct tin_qrunner {
    const tin_qmodel *model;
    int16_t input[TIN_MAX_CHANNELS];
    layer_state layers[TIN_MAX_LAYERS];
};

static int16_t clamp(int32_t v, int32_t least, int32_t most)
{
    return (int16_t)(v > most ? most : v < least ? least : v);
}

static int16_t saturate(int32_t v, int bits)
{
    int32_t most = bits == 16 ? 32767 : 127;
    return clamp(v, -most, most);
}

static int32_t dot(const int8_t *w, const int16_t *x, int n)
{
    int32_t sum = 0;
    for (int i = 0; i < n; i++)
        sum += w[i] * x[i];
    return sum;
}

/* Row that came `age` rows before the newest. */
static const int16_t *row(const layer_state *s, const tin_qlayer *l, int age)
{
    int at = (s->newest - age + s->history) % s->history;
    return s->rows + (size_t)at * (size_t)l->n_inputs;
}

/* Stores a row; true when the layer is due. */
static bool push(layer_state *s, const tin_qlayer *l, const int16_t *x)
{
    s->newest = (s->newest + 1) % s->history;
    memcpy(s->rows + (size_t)s->newest * (size_t)l->n_inputs, x, (size_t)l->n_inputs * sizeof *x);
    s->fill++;
    if (s->fill < s->history)
        return false;
    s->fill -= l->stride;
    return true;
}

/* ---- conv1d, dense ---- */

static int16_t activate(const tin_qlayer *l, int32_t v)
{
    switch (l->activation) {
    case TIN_ACTIVATION_RELU:
        return saturate(v < 0 ? 0 : v, l->output_bits);
    case TIN_ACTIVATION_SIGMOID:
        return clamp((tin_sigmoid_q28(v) + (1 << 20)) >> 21, 0, 127);
    case TIN_ACTIVATION_TANH:
        return clamp((tin_sigmoid_q28(v) - HALF + (1 << 19)) >> 20, -128, 127);
    default:
        return saturate(v, l->output_bits);
    }
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
        s->output[o] = activate(l, tin_requantize(acc, l->mult[o], l->shift));
    }
}

/* dense, and a of a recurrent layer. */
static int32_t dense_row(const tin_qlayer *l, int r, const int16_t *x)
{
    int32_t acc = l->bias[r] + dot(l->weight + (size_t)r * (size_t)l->n_inputs, x, l->n_inputs);
    return tin_requantize(acc, l->mult[r], l->shift);
}

static void run_dense(const tin_qlayer *l, layer_state *s, const int16_t *x, bool last)
{
    for (int o = 0; o < l->n_outputs; o++) {
        int32_t v = dense_row(l, o, x);
        s->output[o] = last ? clamp(v, INT16_MIN, INT16_MAX) : activate(l, v);
    }
}

/* ---- recurrent layers ---- */

/* b: the part of a gate that reads the state, h8 or r * h8. */
static int32_t hidden_row(const tin_qlayer *l, int r, const int16_t *h8)
{
    int units = l->n_outputs, candidate = tin_qlayer_rows(l) - units;
    int32_t acc = tin_qlayer_gates_candidate(l) && r >= candidate ? l->hidden_bias[r - candidate] : 0;
    acc += dot(l->hidden_weight + (size_t)r * (size_t)units, h8, units);
    return tin_requantize(acc, l->hidden_mult[r], l->hidden_shift);
}

/* Q28, in [2^16, 2^28 - 2^16] */
static int32_t gate(const tin_qlayer *l, const layer_state *s, const int16_t *x, int which, int unit)
{
    int r = which * l->n_outputs + unit;
    return tin_sigmoid_q28(dense_row(l, r, x) + hidden_row(l, r, s->output));
}

/* t Q13, the result Q27 */
static int32_t hyperbolic_tangent(int32_t t)
{
    return tin_sigmoid_q28(t) - HALF;
}

/* Q15; between h and n (docs/integer-arithmetic.md). */
static int32_t blend(int32_t h, int32_t n, int32_t z)
{
    return (n + tin_multiply_high(h * 4096 - n, z) * 16 + 2048) >> 12;
}

static int32_t gru_unit(const tin_qlayer *l, const layer_state *s, const int16_t *x, const int16_t *kept, int j)
{
    int units = l->n_outputs, r = 2 * units + j;
    int32_t a = dense_row(l, r, x);
    int32_t b =
        l->reset_before ? hidden_row(l, r, kept) : tin_multiply_high(hidden_row(l, r, s->output), gate(l, s, x, 0, j));
    return blend(s->state[j], hyperbolic_tangent(a + b), gate(l, s, x, 1, j));
}

static int32_t mgu_unit(const tin_qlayer *l, const layer_state *s, const int16_t *x, int j)
{
    int r = l->n_outputs + j;
    int32_t f = gate(l, s, x, 0, j), b = tin_multiply_high(hidden_row(l, r, s->output), f);
    return blend(s->state[j], hyperbolic_tangent(dense_row(l, r, x) + b), 2 * HALF - f);
}

static int32_t min_gru_unit(const tin_qlayer *l, const layer_state *s, const int16_t *x, int j)
{
    int32_t z = tin_sigmoid_q28(dense_row(l, j, x)), n = hyperbolic_tangent(dense_row(l, l->n_outputs + j, x));
    return blend(s->state[j], n, z);
}

/* The new c, Q23; *o: the output gate. */
static int32_t lstm_unit(const tin_qlayer *l, const layer_state *s, const int16_t *x, int j, int32_t *o)
{
    int r = 2 * l->n_outputs + j;
    int32_t i = gate(l, s, x, 0, j), f = gate(l, s, x, 1, j);
    int32_t g = hyperbolic_tangent(dense_row(l, r, x) + hidden_row(l, r, s->output));
    int32_t c = tin_multiply_high(s->state[j] * 16, f) + tin_multiply_high(g, i);
    *o = gate(l, s, x, 3, j);
    return c > HALF - 1 ? HALF - 1 : c < -HALF ? -HALF : c;
}

static void run_recurrent(const tin_qlayer *l, layer_state *s, const int16_t *x)
{
    int16_t h8[TIN_MAX_WIDTH], kept[TIN_MAX_WIDTH]; /* the new h8; r * h8 when the reset comes before the product */
    for (int j = 0; l->reset_before && j < l->n_outputs; j++)
        kept[j] = clamp((tin_multiply_high(s->state[j] * 4096, gate(l, s, x, 0, j)) + (1 << 15)) >> 16, -128, 127);
    for (int j = 0; j < l->n_outputs; j++) { /* all from the old h8 */
        if (l->op == TIN_OP_LSTM) {
            int32_t o;
            s->state[j] = lstm_unit(l, s, x, j, &o);
            int32_t h = tin_multiply_high(hyperbolic_tangent((s->state[j] + (1 << 9)) >> 10), o); /* Q23 */
            h8[j] = clamp((h + (1 << 15)) >> 16, -128, 127);
            continue;
        }
        s->state[j] = l->op == TIN_OP_GRU   ? gru_unit(l, s, x, kept, j)
                      : l->op == TIN_OP_MGU ? mgu_unit(l, s, x, j)
                                            : min_gru_unit(l, s, x, j);
        h8[j] = clamp((s->state[j] + 128) >> 8, -128, 127);
    }
    memcpy(s->output, h8, (size_t)l->n_outputs * sizeof *h8);
}

/* ---- layers without weights ---- */

static void run_pool(const tin_qlayer *l, layer_state *s)
{
    for (int i = 0; i < l->n_inputs; i++) {
        int32_t sum = 0;
        int16_t most = row(s, l, 0)[i];
        for (int age = 0; age < l->kernel; age++) {
            int16_t x = row(s, l, age)[i];
            sum += x;
            most = x > most ? x : most;
        }
        s->output[i] =
            l->op == TIN_OP_MAX_POOL ? most : saturate(tin_requantize(sum, l->mult[0], l->shift), l->output_bits);
    }
}

static void run_ema(const tin_qlayer *l, layer_state *s, const int16_t *x)
{
    int k = l->ema_shift;
    for (int i = 0; i < l->n_outputs; i++) {
        s->state[i] += x[i] * 256 - ((s->state[i] + (1 << (k - 1))) >> k);
        s->output[i] = saturate(tin_requantize(s->state[i], l->mult[0], l->shift), 8);
    }
}

static const int16_t *input_of(const tin_qrunner *r, int from)
{
    return from == TIN_FROM_INPUT ? r->input : r->layers[from].output;
}

static void run_add(const tin_qrunner *r, const tin_qlayer *l, layer_state *s)
{
    for (int i = 0; i < l->n_outputs; i++) {
        int32_t sum = 1 << (l->shift - 1);
        for (int k = 0; k < l->n_from; k++)
            sum += input_of(r, l->from[k])[i] * l->mult[k];
        s->output[i] = activate(l, sum >> l->shift);
    }
}

static void run_concat(const tin_qrunner *r, const tin_qlayer *l, layer_state *s)
{
    int at = 0;
    for (int k = 0; k < l->n_from; k++) {
        const int16_t *x = input_of(r, l->from[k]);
        int width = l->from[k] == TIN_FROM_INPUT ? r->model->n_channels : r->model->layers[l->from[k]].n_outputs;
        for (int i = 0; i < width; i++) {
            int32_t v = (x[i] * l->mult[k] + (1 << (l->shift - 1))) >> l->shift;
            s->output[at++] = l->output_bits == 8 ? clamp(v, -128, 127) : saturate(v, 16);
        }
    }
}

static void run_multiply(const tin_qrunner *r, const tin_qlayer *l, layer_state *s)
{
    const int16_t *a = input_of(r, l->from[0]), *b = input_of(r, l->from[1]);
    for (int i = 0; i < l->n_outputs; i++)
        s->output[i] = saturate(tin_requantize(a[i] * b[i], l->mult[0], l->shift), 8);
}

/* ---- the graph ---- */

static void run_layer(tin_qrunner *r, int index, const int16_t *x)
{
    const tin_qlayer *l = &r->model->layers[index];
    layer_state *s = &r->layers[index];
    switch (l->op) {
    case TIN_OP_CONV1D:
        run_conv1d(l, s);
        break;
    case TIN_OP_DENSE:
        run_dense(l, s, x, index == r->model->n_layers - 1);
        break;
    case TIN_OP_AVG_POOL:
    case TIN_OP_MAX_POOL:
        run_pool(l, s);
        break;
    case TIN_OP_EMA:
        run_ema(l, s, x);
        break;
    case TIN_OP_ADD:
        run_add(r, l, s);
        break;
    case TIN_OP_CONCAT:
        run_concat(r, l, s);
        break;
    case TIN_OP_MULTIPLY:
        run_multiply(r, l, s);
        break;
    default:
        run_recurrent(l, s, x);
        break;
    }
}

static bool run_feature(const tin_qlayer *l, layer_state *s, const int16_t *counts)
{
    int32_t values[TIN_MAX_WIDTH];
    bool due = tin_feature_step(s->feature, s->stream, counts, values);
    for (int i = 0; due && i < l->n_outputs; i++)
        s->output[i] = tin_op_gives_log(l->op)
                           ? (int16_t)values[i]
                           : saturate(tin_requantize(values[i], l->mult[i], l->shift), l->output_bits);
    return due;
}

int tin_qrunner_step(tin_qrunner *runner, const int16_t *counts, int16_t *scores)
{
    const tin_qmodel *m = runner->model;
    for (int c = 0; c < m->n_channels; c++) {
        int32_t v = tin_requantize(counts[c] - m->input_offset[c], m->input_mult[c], m->input_shift);
        runner->input[c] = saturate(v, m->input_bits);
    }
    for (int i = 0; i < m->n_layers; i++) {
        layer_state *s = &runner->layers[i];
        if (s->feature) {
            s->fired = run_feature(&m->layers[i], s, counts);
            continue;
        }
        int from = m->layers[i].from[0]; /* the others that it reads have the same period: they fire together */
        const int16_t *x = input_of(runner, from);
        s->fired = (from == TIN_FROM_INPUT || runner->layers[from].fired) && (!s->rows || push(s, &m->layers[i], x));
        if (s->fired)
            run_layer(runner, i, x);
    }
    const layer_state *last = &runner->layers[m->n_layers - 1];
    if (last->fired)
        memcpy(scores, last->output, (size_t)m->n_classes * sizeof *scores);
    return last->fired;
}

void tin_qrunner_reset(tin_qrunner *runner)
{
    for (int i = 0; i < runner->model->n_layers; i++) {
        const tin_qlayer *l = &runner->model->layers[i];
        layer_state *s = &runner->layers[i];
        s->newest = 0;
        s->fill = s->history - l->stride;
        s->fired = false;
        if (s->rows)
            memset(s->rows, 0, (size_t)s->history * (size_t)l->n_inputs * sizeof *s->rows);
        if (s->feature)
            memset(s->stream, 0, tin_feature_state_bytes(s->feature));
        if (s->state)
            memset(s->state, 0, (size_t)l->n_outputs * sizeof *s->state);
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

static tin_status create_state(layer_state *s, const tin_qlayer *l, double rate_hz, tin_error *err)
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
        !(s->state = tin_alloc((size_t)l->n_outputs, sizeof *s->state, err)))
        return TIN_ERR_MEMORY;
    const tin_feature_shape shape = tin_feature_of_qlayer(l, rate_hz);
    return tin_op_reads_counts(l->op) ? create_feature(s, &shape, err) : TIN_OK;
}

tin_status tin_qrunner_create(tin_qrunner **runner, const tin_qmodel *model, tin_error *err)
{
    *runner = NULL;
    tin_qrunner *r = tin_alloc(1, sizeof *r, err);
    if (!r)
        return TIN_ERR_MEMORY;
    r->model = model;
    for (int i = 0; i < model->n_layers; i++) {
        tin_status status = create_state(&r->layers[i], &model->layers[i], model->rate_hz, err);
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
        tin_free(runner->layers[i].state);
        tin_feature_free(runner->layers[i].feature);
        tin_free(runner->layers[i].stream);
        tin_free(runner->layers[i].output);
    }
    tin_free(runner);
}
