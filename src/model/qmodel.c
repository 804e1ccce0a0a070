/* The integer model: its arrays, what follows from them, its hash. The proof is in qmodel_check.c. */
#include "model/qmodel.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "model/feature.h"
#include "model/model_build.h"
#include "model/qmodel_parts.h"

#define HASH_VERSION "tinamou integer model 2"

/* ---- what an op has ---- */

static const char *const activation_names[] = {
#define X(activation, name) name,
    TIN_ACTIVATION_LIST(X)
#undef X
};

const char *tin_activation_name(tin_activation activation)
{
    return (unsigned)activation < TIN_ACTIVATION_COUNT ? activation_names[activation] : "unknown";
}

tin_activation tin_activation_from_name(const char *name)
{
    int i = 0;
    while (i < TIN_ACTIVATION_COUNT && strcmp(name, activation_names[i]) != 0)
        i++;
    return (tin_activation)i;
}

int tin_qlayer_gates(const tin_qlayer *layer)
{
    return tin_op_gates(layer->op);
}

bool tin_qlayer_reads_state(const tin_qlayer *layer)
{
    return tin_op_recurrent(layer->op) && layer->op != TIN_OP_MIN_GRU;
}

bool tin_qlayer_gates_candidate(const tin_qlayer *layer)
{
    return layer->op == TIN_OP_MGU || (layer->op == TIN_OP_GRU && !layer->reset_before);
}

static bool has_weights(const tin_qlayer *layer)
{
    return layer->op == TIN_OP_CONV1D || layer->op == TIN_OP_DENSE || tin_op_recurrent(layer->op);
}

int tin_qlayer_rows(const tin_qlayer *layer)
{
    switch (layer->op) {
    case TIN_OP_ADD:
    case TIN_OP_CONCAT:
        return layer->n_from;
    case TIN_OP_AVG_POOL:
    case TIN_OP_EMA:
    case TIN_OP_MULTIPLY:
        return 1;
    case TIN_OP_HIGH_PASS:
    case TIN_OP_DIFFERENCE:
    case TIN_OP_MAGNITUDE:
        return layer->n_outputs;
    default:
        return has_weights(layer) ? tin_qlayer_gates(layer) * layer->n_outputs : 0;
    }
}

size_t tin_qlayer_weights(const tin_qlayer *layer)
{
    size_t reads = has_weights(layer) ? (size_t)layer->n_inputs : 0;
    if (layer->op == TIN_OP_CONV1D)
        reads = (size_t)layer->kernel * (size_t)(layer->n_inputs / layer->groups);
    return (size_t)tin_qlayer_rows(layer) * reads;
}

int tin_qlayer_list_parts(const tin_qlayer *l, tin_qlayer_part parts[TIN_QLAYER_PARTS])
{
    int rows = tin_qlayer_rows(l), n = 0;
    if (rows > 0)
        parts[n++] = (tin_qlayer_part){"mult", TIN_I32, 1, {rows}, l->mult};
    if (!has_weights(l))
        return n;
    parts[n++] = (tin_qlayer_part){"bias", TIN_I32, 1, {rows}, l->bias};
    if (l->op == TIN_OP_CONV1D)
        parts[n++] = (tin_qlayer_part){"weight", TIN_I8, 3, {rows, l->kernel, l->n_inputs / l->groups}, l->weight};
    else
        parts[n++] = (tin_qlayer_part){"weight", TIN_I8, 2, {rows, l->n_inputs}, l->weight};
    if (!tin_qlayer_reads_state(l))
        return n;
    parts[n++] = (tin_qlayer_part){"hidden_mult", TIN_I32, 1, {rows}, l->hidden_mult};
    if (tin_qlayer_gates_candidate(l))
        parts[n++] = (tin_qlayer_part){"hidden_bias", TIN_I32, 1, {l->n_outputs}, l->hidden_bias};
    parts[n++] = (tin_qlayer_part){"hidden_weight", TIN_I8, 2, {rows, l->n_outputs}, l->hidden_weight};
    return n;
}

size_t tin_qlayer_part_bytes(const tin_qlayer_part *part)
{
    tin_tensor t = {.dtype = part->dtype, .n_dims = part->n_dims};
    memcpy(t.shape, part->shape, sizeof part->shape);
    return tin_tensor_bytes(&t);
}

int tin_qmodel_bound(const tin_qmodel *model, int layer)
{
    if (layer == TIN_FROM_INPUT)
        return model->input_bits == 16 ? 32767 : 127;
    const tin_qlayer *l = &model->layers[layer];
    if (l->output_bits == 16)
        return 32767;
    if (l->op == TIN_OP_MAX_POOL)
        return tin_qmodel_bound(model, l->from[0]);
    return tin_op_recurrent(l->op) || l->op == TIN_OP_CONCAT || l->activation == TIN_ACTIVATION_TANH ? 128 : 127;
}

/* ---- life ---- */

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
    if (rows > 0 && !(layer->mult = tin_alloc(rows, sizeof *layer->mult, err)))
        return TIN_ERR_MEMORY;
    if (!has_weights(layer))
        return TIN_OK;
    layer->weight = tin_alloc(tin_qlayer_weights(layer), 1, err);
    layer->bias = layer->weight ? tin_alloc(rows, sizeof *layer->bias, err) : NULL;
    if (!layer->bias)
        return TIN_ERR_MEMORY;
    if (!tin_qlayer_reads_state(layer))
        return TIN_OK;
    layer->hidden_weight = tin_alloc(rows * units, 1, err);
    layer->hidden_mult = layer->hidden_weight ? tin_alloc(rows, sizeof *layer->hidden_mult, err) : NULL;
    if (!layer->hidden_mult)
        return TIN_ERR_MEMORY;
    if (tin_qlayer_gates_candidate(layer) && !(layer->hidden_bias = tin_alloc(units, sizeof *layer->hidden_bias, err)))
        return TIN_ERR_MEMORY;
    return TIN_OK;
}

static int or_default(int value, int otherwise)
{
    return value == 0 ? otherwise : value;
}

/* A place in `from` that is no layer before gives period 0, which tin_qmodel_check refuses; so do strides without end.
 */
static int link_period(const tin_qmodel *m, int index)
{
    const tin_qlayer *l = &m->layers[index];
    int from = l->from[0];
    int before = from == TIN_FROM_INPUT ? 1 : from >= 0 && from < index ? m->layers[from].period : 0;
    return l->stride > 0 && before <= TIN_MAX_HOP / l->stride ? before * l->stride : 0;
}

void tin_qmodel_link(tin_qmodel *m)
{
    m->input_bits = or_default(m->input_bits, 8);
    for (int i = 0; i < m->n_layers; i++) {
        tin_qlayer *l = &m->layers[i];
        if (!l->name[0])
            snprintf(l->name, sizeof l->name, "%s_%d", tin_op_name(l->op), i + 1);
        if (l->n_from == 0) {
            l->n_from = 1;
            l->from[0] = i - 1; /* TIN_FROM_INPUT for the first */
        }
        l->output_bits = or_default(l->output_bits, i == m->n_layers - 1 ? 16 : 8);
        l->period = link_period(m, i);
        m->hop = l->period;
    }
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

/* ---- hash ---- */

static void hash_ints(tin_hash *hash, const int32_t *values, size_t n)
{
    tin_hash_add(hash, values, n * sizeof *values);
}

static void hash_layer(tin_hash *hash, const tin_qlayer *l, double rate_hz)
{
    int32_t facts[] = {(int32_t)l->op,
                       l->n_inputs,
                       l->n_outputs,
                       l->kernel,
                       l->stride,
                       l->dilation,
                       l->groups,
                       l->ema_shift,
                       l->levels,
                       l->reset_before,
                       (int32_t)l->activation,
                       l->output_bits,
                       l->shift,
                       l->hidden_shift,
                       l->n_from};
    tin_qlayer_part parts[TIN_QLAYER_PARTS];
    int n = tin_qlayer_list_parts(l, parts);
    hash_ints(hash, facts, sizeof facts / sizeof *facts);
    for (int k = 0; k < l->n_from; k++)
        hash_ints(hash, &(int32_t){l->from[k]}, 1);
    for (int p = 0; p < n; p++)
        tin_hash_add(hash, parts[p].data, tin_qlayer_part_bytes(&parts[p]));
    if (l->op == TIN_OP_LOG_MEL)
        hash_ints(hash, (int32_t[]){l->bands, l->low_hz, l->high_hz, (int32_t)lround(rate_hz * 1000)}, 4);
}

tin_status tin_qmodel_seal(tin_qmodel *model, tin_error *err)
{
    tin_hash *hash = NULL;
    tin_status status = tin_hash_begin(&hash, err);
    if (status)
        return status;
    int32_t facts[] = {model->n_channels,  model->n_classes,  model->hop,
                       model->input_shift, model->input_bits, model->n_layers};
    tin_hash_add(hash, HASH_VERSION, sizeof HASH_VERSION);
    hash_ints(hash, facts, sizeof facts / sizeof *facts);
    hash_ints(hash, model->input_offset, (size_t)model->n_channels);
    hash_ints(hash, model->input_mult, (size_t)model->n_channels);
    for (int k = 0; k < model->n_classes; k++)
        hash_ints(hash, &(int32_t){model->classes[k].event}, 1); /* the decision layer reads it */
    for (int i = 0; i < model->n_layers; i++)
        hash_layer(hash, &model->layers[i], model->rate_hz);
    tin_hash_end(hash, model->hash);
    return TIN_OK;
}

double tin_qmodel_macs(const tin_qmodel *model)
{
    double macs = 0;
    for (int i = 0; i < model->n_layers; i++) {
        const tin_qlayer *l = &model->layers[i];
        double weights = (double)tin_qlayer_weights(l);
        if (tin_qlayer_reads_state(l))
            weights += (double)tin_qlayer_rows(l) * l->n_outputs;
        if (tin_op_reads_counts(l->op)) {
            const tin_feature_shape shape = tin_feature_of_qlayer(l, model->rate_hz);
            weights = tin_feature_products(&shape);
        }
        macs += weights * (model->hop / l->period); /* hop is a multiple of the period */
    }
    return macs;
}
