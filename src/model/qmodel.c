#include "model/qmodel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "model/model_build.h"

#define HASH_VERSION "tinamou integer model 1"
#define MAX_RATE_HZ 1e6 /* generated code states frames per 1000 s in 32 bits */

/* ---- life ---- */

int tin_qlayer_rows(const tin_qlayer *layer)
{
    if (layer->op == TIN_OP_AVG_POOL)
        return 1;
    return layer->op == TIN_OP_GRU ? 3 * layer->n_outputs : layer->n_outputs;
}

/* Weights that one row reads. */
static int row_weights(const tin_qlayer *layer)
{
    if (layer->op == TIN_OP_AVG_POOL)
        return 0;
    return layer->op == TIN_OP_CONV1D ? layer->kernel * (layer->n_inputs / layer->groups) : layer->n_inputs;
}

size_t tin_qlayer_weights(const tin_qlayer *layer)
{
    return (size_t)tin_qlayer_rows(layer) * (size_t)row_weights(layer);
}

tin_status tin_qmodel_create(tin_qmodel **model, double rate_hz, const tin_channel *channels, int n_channels,
                             const tin_class *classes, int n_classes, tin_error *err)
{
    *model = NULL;
    if (n_channels < 1 || n_channels > TIN_MAX_CHANNELS || n_classes < 1 || n_classes > TIN_MAX_CLASSES)
        return tin_fail(err, TIN_ERR_MODEL, "%d channels and %d classes; a model takes 1 to %d and gives 1 to %d",
                        n_channels, n_classes, TIN_MAX_CHANNELS, TIN_MAX_CLASSES);
    tin_qmodel *m = tin_alloc(1, sizeof *m, err);
    if (!m)
        return TIN_ERR_MEMORY;
    m->rate_hz = rate_hz;
    m->n_channels = n_channels;
    m->n_classes = n_classes;
    m->hop = 1;
    tin_status status = tin_channels_copy(&m->channels, channels, n_channels, err);
    if (!status)
        status = tin_classes_copy(&m->classes, classes, n_classes, err);
    if (status) {
        tin_qmodel_free(m);
        return status;
    }
    *model = m;
    return TIN_OK;
}

tin_status tin_qlayer_allocate(tin_qlayer *layer, tin_error *err)
{
    size_t rows = (size_t)tin_qlayer_rows(layer), units = (size_t)layer->n_outputs;
    layer->mult = tin_alloc(rows, sizeof *layer->mult, err);
    if (!layer->mult)
        return TIN_ERR_MEMORY;
    if (layer->op == TIN_OP_AVG_POOL)
        return TIN_OK;
    layer->weight = tin_alloc(tin_qlayer_weights(layer), 1, err);
    layer->bias = layer->weight ? tin_alloc(rows, sizeof *layer->bias, err) : NULL;
    if (!layer->bias)
        return TIN_ERR_MEMORY;
    if (layer->op != TIN_OP_GRU)
        return TIN_OK;
    layer->hidden_weight = tin_alloc(rows * units, 1, err);
    layer->hidden_bias = layer->hidden_weight ? tin_alloc(units, sizeof *layer->hidden_bias, err) : NULL;
    layer->hidden_mult = layer->hidden_bias ? tin_alloc(rows, sizeof *layer->hidden_mult, err) : NULL;
    return layer->hidden_mult ? TIN_OK : TIN_ERR_MEMORY;
}

void tin_qmodel_free(tin_qmodel *model)
{
    if (!model)
        return;
    for (int i = 0; i < TIN_MAX_LAYERS; i++) { /* also a layer that was being made when something failed */
        tin_qlayer *l = &model->layers[i];
        tin_free(l->weight);
        tin_free(l->bias);
        tin_free(l->mult);
        tin_free(l->hidden_weight);
        tin_free(l->hidden_bias);
        tin_free(l->hidden_mult);
    }
    tin_channels_free(model->channels, model->n_channels);
    tin_classes_free(model->classes, model->n_classes);
    tin_free(model);
}

/* ---- the proof that nothing overflows ---- */

static tin_status bad_layer(const tin_qmodel *m, int layer, const char *what, tin_error *err)
{
    return tin_fail(err, TIN_ERR_MODEL, "layer %d (%s): %s; quantise the model again", layer + 1,
                    tin_op_name(m->layers[layer].op), what);
}

static tin_status check_shape(const tin_qmodel *m, int index, int n_inputs, tin_error *err)
{
    const tin_qlayer *l = &m->layers[index];
    bool conv = l->op == TIN_OP_CONV1D, window = conv || l->op == TIN_OP_AVG_POOL, last = index == m->n_layers - 1;
    if (!window && l->op != TIN_OP_GRU && l->op != TIN_OP_DENSE)
        return bad_layer(m, index, "an integer model holds conv1d, gru, dense and avg_pool only", err);
    if (l->n_inputs != n_inputs || l->n_outputs < 1 || l->n_outputs > TIN_MAX_WIDTH)
        return bad_layer(m, index, "its width does not follow from the layer before it", err);
    if (l->kernel < 1 || l->kernel > TIN_MAX_HISTORY || l->stride < 1 || l->stride > TIN_MAX_STRIDE ||
        l->dilation < 1 || l->dilation > TIN_MAX_HISTORY || (int64_t)(l->kernel - 1) * l->dilation >= TIN_MAX_HISTORY)
        return bad_layer(m, index, "kernel, stride or dilation is out of range", err);
    if ((!window && (l->kernel != 1 || l->stride != 1)) || (!conv && l->dilation != 1))
        return bad_layer(m, index, "kernel, stride and dilation belong to conv1d (avg_pool has kernel and stride)",
                         err);
    if (l->groups != 1 && (!conv || l->groups != l->n_inputs || l->n_outputs % l->n_inputs != 0))
        return bad_layer(m, index, "groups must be 1, or the inputs of a depthwise conv1d", err);
    if (l->op == TIN_OP_AVG_POOL && l->n_outputs != l->n_inputs)
        return bad_layer(m, index, "avg_pool keeps the width of its input", err);
    if (last ? l->op != TIN_OP_DENSE || l->activation || l->n_outputs != m->n_classes
             : l->activation && !conv && l->op != TIN_OP_DENSE)
        return bad_layer(
            m, index, "the last layer must be dense, without relu, one output per class; relu follows conv1d or dense",
            err);
    if (!(l->output_scale > 0.0f) || !isfinite(l->output_scale))
        return bad_layer(m, index, "the scale of its output is not a positive number", err);
    return TIN_OK;
}

/* One row: |bias| + sum |w| * input_bound must stay below 2^(31 - shift). `what`: "row" or "hidden row". */
static tin_status check_row(int layer, tin_op op, const char *what, int row, const int8_t *weight, int n, int32_t bias,
                            int input_bound, int32_t mult, int shift, tin_error *err)
{
    int64_t bound = llabs((long long)bias);
    for (int i = 0; i < n; i++) {
        if (weight[i] == INT8_MIN)
            return tin_fail(err, TIN_ERR_MODEL,
                            "layer %d (%s), %s %d: weight -128 is outside -127..127; quantise the model again",
                            layer + 1, tin_op_name(op), what, row);
        bound += (int64_t)abs(weight[i]) * input_bound;
    }
    if (mult < 0)
        return tin_fail(err, TIN_ERR_MODEL, "layer %d (%s), %s %d: multiplier %d is negative; quantise the model again",
                        layer + 1, tin_op_name(op), what, row, (int)mult);
    if (bound >= (int64_t)1 << (31 - shift))
        return tin_fail(err, TIN_ERR_MODEL,
                        "layer %d (%s), %s %d: the accumulator can reach %lld, but with shift %d it must stay below "
                        "%lld; use fewer "
                        "inputs or taps, or train with more weight decay so that the bias is smaller",
                        layer + 1, tin_op_name(op), what, row, (long long)bound, shift, (long long)1 << (31 - shift));
    return TIN_OK;
}

static tin_status check_shift(int layer, tin_op op, int shift, tin_error *err)
{
    if (shift >= 0 && shift <= 16)
        return TIN_OK;
    return tin_fail(err, TIN_ERR_MODEL,
                    "layer %d (%s): shift %d is outside 0..16; the scales differ too much, quantise again", layer + 1,
                    tin_op_name(op), shift);
}

/* input_bound: greatest |x|, 127, or 128 when the layer before is a gru. */
static tin_status check_sums(const tin_qmodel *m, int index, int input_bound, tin_error *err)
{
    const tin_qlayer *l = &m->layers[index];
    tin_status status = check_shift(index, l->op, l->shift, err);
    if (status)
        return status;
    if (l->op == TIN_OP_AVG_POOL)
        return check_row(index, l->op, "row", 0, NULL, 0, l->kernel * input_bound, 0, l->mult[0], l->shift, err);
    int rows = tin_qlayer_rows(l), n = row_weights(l), units = l->n_outputs;
    for (int r = 0; !status && r < rows; r++)
        status = check_row(index, l->op, "row", r, l->weight + (size_t)r * (size_t)n, n, l->bias[r], input_bound,
                           l->mult[r], l->shift, err);
    if (status || l->op != TIN_OP_GRU)
        return status;
    status = check_shift(index, l->op, l->hidden_shift, err);
    for (int r = 0; !status && r < rows; r++)
        status =
            check_row(index, l->op, "hidden row", r, l->hidden_weight + (size_t)r * (size_t)units, units,
                      r >= 2 * units ? l->hidden_bias[r - 2 * units] : 0, 128, l->hidden_mult[r], l->hidden_shift, err);
    return status;
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
    for (int c = 0; c < m->n_channels; c++) {
        /* |counts - offset| <= 65535 and shift <= 15: the product stays below 2^31 */
        if (m->input_offset[c] < INT16_MIN || m->input_offset[c] > INT16_MAX || m->input_mult[c] < 0)
            return tin_fail(err, TIN_ERR_MODEL,
                            "channel %d: offset %d is no int16 or multiplier %d is negative; quantise again", c,
                            (int)m->input_offset[c], (int)m->input_mult[c]);
    }
    return TIN_OK;
}

tin_status tin_qmodel_check(const tin_qmodel *model, tin_error *err)
{
    tin_status status = check_input(model, err);
    if (status)
        return status;
    if (model->n_layers < 1 || model->n_layers > TIN_MAX_LAYERS)
        return tin_fail(err, TIN_ERR_MODEL, "the model has %d layers; give it 1 to %d", model->n_layers,
                        TIN_MAX_LAYERS);
    int width = model->n_channels, hop = 1, input_bound = 127;
    for (int i = 0; i < model->n_layers; i++) {
        const tin_qlayer *l = &model->layers[i];
        status = check_shape(model, i, width, err);
        if (!status)
            status = check_sums(model, i, input_bound, err);
        if (status)
            return status;
        if (hop > TIN_MAX_HOP / l->stride)
            return bad_layer(model, i, "the strides multiply to more than 65536", err);
        hop *= l->stride;
        width = l->n_outputs;
        input_bound = l->op == TIN_OP_GRU ? 128 : 127;
    }
    if (hop != model->hop)
        return tin_fail(err, TIN_ERR_MODEL, "hop is %d but the strides multiply to %d; quantise the model again",
                        model->hop, hop);
    return TIN_OK;
}

/* ---- hash ---- */

static void hash_ints(tin_hash *hash, const int32_t *values, size_t n)
{
    tin_hash_add(hash, values, n * sizeof *values);
}

static void hash_layer(tin_hash *hash, const tin_qlayer *l)
{
    int32_t facts[] = {(int32_t)l->op, l->n_inputs, l->n_outputs,           l->kernel, l->stride,
                       l->dilation,    l->groups,   (int32_t)l->activation, l->shift,  l->hidden_shift};
    size_t rows = (size_t)tin_qlayer_rows(l), units = (size_t)l->n_outputs;
    hash_ints(hash, facts, sizeof facts / sizeof *facts);
    hash_ints(hash, l->mult, rows);
    if (l->op == TIN_OP_AVG_POOL)
        return;
    tin_hash_add(hash, l->weight, tin_qlayer_weights(l));
    hash_ints(hash, l->bias, rows);
    if (l->op != TIN_OP_GRU)
        return;
    tin_hash_add(hash, l->hidden_weight, rows * units);
    hash_ints(hash, l->hidden_bias, units);
    hash_ints(hash, l->hidden_mult, rows);
}

tin_status tin_qmodel_seal(tin_qmodel *model, tin_error *err)
{
    tin_hash *hash = NULL;
    tin_status status = tin_hash_begin(&hash, err);
    if (status)
        return status;
    int32_t facts[] = {model->n_channels, model->n_classes, model->hop, model->input_shift, model->n_layers};
    tin_hash_add(hash, HASH_VERSION, sizeof HASH_VERSION);
    hash_ints(hash, facts, sizeof facts / sizeof *facts);
    hash_ints(hash, model->input_offset, (size_t)model->n_channels);
    hash_ints(hash, model->input_mult, (size_t)model->n_channels);
    for (int k = 0; k < model->n_classes; k++)
        hash_ints(hash, &(int32_t){model->classes[k].event}, 1); /* the decision layer reads it */
    for (int i = 0; i < model->n_layers; i++)
        hash_layer(hash, &model->layers[i]);
    tin_hash_end(hash, model->hash);
    return TIN_OK;
}

double tin_qmodel_macs(const tin_qmodel *model)
{
    double macs = 0;
    int stride = 1; /* input frames per output of the layer */
    for (int i = 0; i < model->n_layers; i++) {
        const tin_qlayer *l = &model->layers[i];
        stride *= l->stride;
        double weights = (double)tin_qlayer_weights(l);
        if (l->op == TIN_OP_GRU)
            weights += 3.0 * l->n_outputs * l->n_outputs;
        macs += weights * (model->hop / stride); /* hop is a multiple of stride */
    }
    return macs;
}
