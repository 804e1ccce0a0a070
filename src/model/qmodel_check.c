/* The proof that an integer model computes what docs/integer-arithmetic.md says: its graph is sound and no sum leaves
 * int32. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/feature.h"
#include "model/model_build.h"

#define MAX_RATE_HZ 1e6 /* generated code states frames per 1000 s in 32 bits */

static tin_status bad_layer(const tin_qmodel *m, int layer, const char *what, tin_error *err)
{
    return tin_fail(err, TIN_ERR_MODEL, "layer %d (%s): %s; quantise the model again", layer + 1,
                    tin_op_name(m->layers[layer].op), what);
}

static tin_status check_input(const tin_qmodel *m, tin_error *err)
{
    if (!(m->rate_hz > 0.0) || !isfinite(m->rate_hz) || !(m->input_scale > 0.0f) || !isfinite(m->input_scale))
        return tin_fail(err, TIN_ERR_MODEL,
                        "rate_hz or input_scale is not a positive number; quantise the model again");
    if (m->rate_hz > MAX_RATE_HZ)
        return tin_fail(err, TIN_ERR_MODEL, "rate_hz is %g; use at most %g frames per second", m->rate_hz, MAX_RATE_HZ);
    if (m->input_shift < 0 || m->input_shift > 15)
        return tin_fail(err, TIN_ERR_MODEL,
                        "input shift %d is outside 0..15; check the range of the channels, then quantise again",
                        m->input_shift);
    if (m->input_bits != 8 && m->input_bits != 16)
        return tin_fail(err, TIN_ERR_MODEL, "the input has %d bits; give it 8 or 16", m->input_bits);
    for (int c = 0; c < m->n_channels; c++) {
        /* |counts - offset| <= 65535 and shift <= 15: the product stays below 2^31 */
        if (m->input_offset[c] < INT16_MIN || m->input_offset[c] > INT16_MAX || m->input_mult[c] < 0)
            return tin_fail(err, TIN_ERR_MODEL,
                            "channel %d: offset %d is no int16 or multiplier %d is negative; quantise again", c,
                            (int)m->input_offset[c], (int)m->input_mult[c]);
    }
    return TIN_OK;
}

/* ---- the graph: by the rules of the float model ---- */

static tin_status describe(const tin_qmodel *m, int index, tin_layer_spec *spec, tin_error *err)
{
    const tin_qlayer *l = &m->layers[index];
    if ((unsigned)l->op >= TIN_OP_COUNT || tin_op_is_activation(l->op) || l->op == TIN_OP_BATCH_NORM ||
        tin_op_trains_only(l->op))
        return bad_layer(m, index, "an integer model holds no batch_norm, dropout, mask or activation of its own", err);
    if (l->n_from < 1 || l->n_from > TIN_MAX_FROM)
        return bad_layer(m, index, "it reads no layer, or too many", err);
    *spec = (tin_layer_spec){.op = l->op,
                             .name = l->name,
                             .n_from = l->n_from,
                             .units = l->n_outputs,
                             .kernel = l->kernel,
                             .stride = l->stride,
                             .dilation = l->dilation,
                             .depthwise = l->groups > 1,
                             .reset_before = l->reset_before,
                             .shift = l->ema_shift,
                             .levels = l->levels,
                             .bands = l->bands,
                             .low_hz = l->low_hz,
                             .high_hz = l->high_hz};
    for (int k = 0; k < l->n_from; k++) {
        if (l->from[k] != TIN_FROM_INPUT && (l->from[k] < 0 || l->from[k] >= index))
            return bad_layer(m, index, "it reads a layer that does not stand before it", err);
        spec->from[k] = l->from[k] == TIN_FROM_INPUT ? "input" : m->layers[l->from[k]].name;
    }
    return TIN_OK;
}

static tin_status check_graph(const tin_qmodel *m, tin_error *err)
{
    tin_layer_spec specs[TIN_MAX_LAYERS];
    tin_model graph = {.n_channels = m->n_channels, .n_classes = m->n_classes, .rate_hz = m->rate_hz};
    for (int i = 0; i < m->n_layers; i++) {
        tin_status status = describe(m, i, &specs[i], err);
        if (status)
            return status;
    }
    tin_status status = tin_graph_resolve(&graph, specs, m->n_layers, err);
    for (int i = 0; !status && i < m->n_layers; i++) {
        const tin_qlayer *l = &m->layers[i];
        const tin_layer *want = &graph.layers[i];
        if (l->n_inputs != want->n_inputs || l->n_outputs != want->n_outputs || l->groups != want->groups)
            status = bad_layer(m, i, "its width or groups do not follow from what it reads", err);
        else if (l->kernel != want->kernel || l->stride != want->stride || l->dilation != want->dilation)
            status = bad_layer(m, i, "kernel, stride and dilation must be 1 or more", err);
        else if (l->period != want->period)
            status = bad_layer(m, i, "its period does not follow from what it reads", err);
    }
    if (!status && m->hop != graph.hop)
        return tin_fail(err, TIN_ERR_MODEL, "hop is %d but the strides multiply to %d; quantise the model again",
                        m->hop, graph.hop);
    if (!status && (m->delay < 0 || m->delay > TIN_MAX_DELAY || m->delay % m->hop != 0))
        return tin_fail(err, TIN_ERR_MODEL, "delay is %d frames; use a multiple of the hop %d up to %d", m->delay,
                        m->hop, TIN_MAX_DELAY);
    return status;
}

/* ---- what is done to the output, and its bits ---- */

static bool gives_16_bits(const tin_qlayer *l)
{
    bool linear = l->op == TIN_OP_CONV1D || l->op == TIN_OP_DENSE;
    return (linear && l->activation <= TIN_ACTIVATION_RELU) || l->op == TIN_OP_AVG_POOL || l->op == TIN_OP_ADD ||
           l->op == TIN_OP_CONCAT || (tin_op_reads_counts(l->op) && !tin_op_gives_log(l->op));
}

static bool reads_16_bits(tin_op op)
{
    return op != TIN_OP_MAX_POOL && op != TIN_OP_EMA && op != TIN_OP_MULTIPLY;
}

static tin_status check_output(const tin_qmodel *m, int index, tin_error *err)
{
    const tin_qlayer *l = &m->layers[index];
    bool last = index == m->n_layers - 1, linear = l->op == TIN_OP_CONV1D || l->op == TIN_OP_DENSE;
    tin_activation most = last                  ? TIN_ACTIVATION_NONE
                          : linear              ? TIN_ACTIVATION_TANH
                          : l->op == TIN_OP_ADD ? TIN_ACTIVATION_RELU
                                                : TIN_ACTIVATION_NONE;
    if ((unsigned)l->activation > (unsigned)most)
        return bad_layer(m, index,
                         "its activation does not belong to it: relu follows conv1d, dense or add, sigmoid and tanh "
                         "conv1d or dense, and nothing the last layer",
                         err);
    if (last ? l->output_bits != 16 : l->output_bits != 8 && !(l->output_bits == 16 && gives_16_bits(l)))
        return tin_fail(err, TIN_ERR_MODEL, "layer %d (%s): its output has %d bits; give it %s", index + 1,
                        tin_op_name(l->op), l->output_bits,
                        last               ? "16, as it gives the scores"
                        : gives_16_bits(l) ? "8 or 16"
                                           : "8");
    for (int k = 0; k < l->n_from; k++) {
        if (tin_qmodel_bound(m, l->from[k]) > 128 && !reads_16_bits(l->op))
            return tin_fail(err, TIN_ERR_MODEL, "layer %d (%s): it reads 16 bits from %s; give that 8 bits", index + 1,
                            tin_op_name(l->op),
                            l->from[k] == TIN_FROM_INPUT ? "the input" : m->layers[l->from[k]].name);
    }
    if (tin_op_gives_log(l->op) && l->output_scale != TIN_LOG_SCALE)
        return bad_layer(m, index, "the scale of its output is not 1/32", err);
    if (!(l->output_scale > 0.0f) || !isfinite(l->output_scale))
        return bad_layer(m, index, "the scale of its output is not a positive number", err);
    return TIN_OK;
}

/* ---- the sums ---- */

/* A sum of products on its way through requantize. */
typedef struct sum {
    int layer, row;
    tin_op op;
    const char *what; /* "row" or "hidden row" */
    const int8_t *weight;
    int n, input_bound;
    int32_t bias; /* or, without weights, the bound itself */
    int32_t mult;
    int shift;
} sum;

/* |bias| + sum |w| * input_bound */
static int64_t bound_of(const sum *s)
{
    int64_t bound = llabs((long long)s->bias);
    for (int i = 0; i < s->n; i++)
        bound += (int64_t)abs(s->weight[i]) * s->input_bound;
    return bound;
}

/* It must stay below 2^(31 - shift). */
static tin_status check_sum(const sum *s, tin_error *err)
{
    const int64_t bound = bound_of(s);
    if (s->n > 0 && memchr(s->weight, INT8_MIN, (size_t)s->n) != NULL)
        return tin_fail(err, TIN_ERR_MODEL,
                        "layer %d (%s), %s %d: weight -128 is outside -127..127; quantise the model again",
                        s->layer + 1, tin_op_name(s->op), s->what, s->row);
    if (s->mult < 0)
        return tin_fail(err, TIN_ERR_MODEL, "layer %d (%s), %s %d: multiplier %d is negative; quantise the model again",
                        s->layer + 1, tin_op_name(s->op), s->what, s->row, (int)s->mult);
    if (bound >= (int64_t)1 << (31 - s->shift))
        return tin_fail(err, TIN_ERR_MODEL,
                        "layer %d (%s), %s %d: the accumulator can reach %lld, but with shift %d it must stay below "
                        "%lld; use fewer inputs or taps, or train with more weight decay so that the bias is smaller",
                        s->layer + 1, tin_op_name(s->op), s->what, s->row, (long long)bound, s->shift,
                        (long long)1 << (31 - s->shift));
    return TIN_OK;
}

static tin_status check_shift(int layer, tin_op op, int shift, int least, int most, tin_error *err)
{
    if (shift >= least && shift <= most)
        return TIN_OK;
    return tin_fail(err, TIN_ERR_MODEL,
                    "layer %d (%s): shift %d is outside %d..%d; the scales differ too much, quantise again", layer + 1,
                    tin_op_name(op), shift, least, most);
}

/* Row `row` of the matrix on the input, or on the state; avg_pool, ema and multiply have a sum without weights. */
static sum row_of(const tin_qmodel *m, int index, bool hidden, int row)
{
    const tin_qlayer *l = &m->layers[index];
    const int rows = tin_qlayer_rows(l), units = l->n_outputs, first = rows - units; /* row of the candidate */
    const int bound = hidden ? 128 : tin_qmodel_bound(m, l->from[0]);
    sum s = {.layer = index, .row = row, .op = l->op, .what = hidden ? "hidden row" : "row", .input_bound = bound};
    s.shift = hidden ? l->hidden_shift : l->shift;
    s.n = hidden ? units : (int)(tin_qlayer_weights(l) / (size_t)rows);
    s.mult = (hidden ? l->hidden_mult : l->mult)[row];
    if (hidden) {
        s.weight = l->hidden_weight + (size_t)row * (size_t)units;
        s.bias = tin_qlayer_gates_candidate(l) && row >= first ? l->hidden_bias[row - first] : 0;
    } else if (s.n > 0) {
        s.weight = l->weight + (size_t)row * (size_t)s.n;
        s.bias = l->bias[row];
    } else {
        s.bias = tin_op_reads_counts(l->op) ? tin_feature_bound(l->op)
                 : l->op == TIN_OP_AVG_POOL ? l->kernel * bound
                 : l->op == TIN_OP_EMA      ? bound * (256 << l->ema_shift) + (1 << (l->ema_shift - 1))
                                            : bound * tin_qmodel_bound(m, l->from[1]);
    }
    return s;
}

/* Every row of one matrix. */
static tin_status check_rows(const tin_qmodel *m, int index, bool hidden, tin_error *err)
{
    const tin_qlayer *l = &m->layers[index];
    tin_status status = check_shift(index, l->op, hidden ? l->hidden_shift : l->shift, 0, 16, err);
    for (int row = 0; !status && row < tin_qlayer_rows(l); row++) {
        const sum s = row_of(m, index, hidden, row);
        status = check_sum(&s, err);
    }
    return status;
}

/* add: all its inputs in one sum; concat: each alone. */
static tin_status check_mix(const tin_qmodel *m, int index, tin_error *err)
{
    const tin_qlayer *l = &m->layers[index];
    tin_status status = check_shift(index, l->op, l->shift, 1, 30, err);
    int64_t round = status ? 0 : (int64_t)1 << (l->shift - 1), bound = round;
    for (int k = 0; !status && k < l->n_from; k++) {
        if (l->mult[k] < 0 || l->mult[k] > INT16_MAX)
            return tin_fail(err, TIN_ERR_MODEL,
                            "layer %d (%s), input %d: multiplier %d is outside 0..32767; quantise the model again",
                            index + 1, tin_op_name(l->op), k, (int)l->mult[k]);
        bound = (l->op == TIN_OP_ADD ? bound : round) + (int64_t)l->mult[k] * tin_qmodel_bound(m, l->from[k]);
        if (bound > INT32_MAX)
            return tin_fail(err, TIN_ERR_MODEL,
                            "layer %d (%s), input %d: the sum can reach %lld, but it must stay below 2147483648; "
                            "quantise again with smaller multipliers",
                            index + 1, tin_op_name(l->op), k, (long long)bound);
    }
    return status;
}

static tin_status check_sums(const tin_qmodel *m, int index, tin_error *err)
{
    const tin_qlayer *l = &m->layers[index];
    if (l->op == TIN_OP_MAX_POOL || tin_op_gives_log(l->op))
        return TIN_OK;
    if (l->op == TIN_OP_ADD || l->op == TIN_OP_CONCAT)
        return check_mix(m, index, err);
    const tin_status status = check_rows(m, index, false, err);
    return status || !tin_qlayer_reads_state(l) ? status : check_rows(m, index, true, err);
}

int64_t tin_qmodel_sum_bound(const tin_qmodel *model, int layer, bool hidden)
{
    const tin_qlayer *l = &model->layers[layer];
    const bool mixes = l->op == TIN_OP_ADD || l->op == TIN_OP_CONCAT; /* products of 15 bits, see check_mix */
    int64_t most = 0;
    for (int row = 0; !mixes && (!hidden || tin_qlayer_reads_state(l)) && row < tin_qlayer_rows(l); row++) {
        const sum s = row_of(model, layer, hidden, row);
        const int64_t bound = bound_of(&s);
        most = bound > most ? bound : most;
    }
    return most;
}

tin_status tin_qmodel_check(const tin_qmodel *model, tin_error *err)
{
    tin_status status = check_input(model, err);
    if (status)
        return status;
    if (model->n_layers < 1 || model->n_layers > TIN_MAX_LAYERS)
        return tin_fail(err, TIN_ERR_MODEL, "the model has %d layers; give it 1 to %d", model->n_layers,
                        TIN_MAX_LAYERS);
    status = check_graph(model, err);
    for (int i = 0; !status && i < model->n_layers; i++) {
        status = check_output(model, i, err);
        if (!status)
            status = check_sums(model, i, err);
    }
    return status;
}
