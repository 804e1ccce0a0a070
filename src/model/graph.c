/* From the description of the layers to the graph: who reads whom, shapes, parameters. */
#include <stdio.h>
#include <string.h>

#include "model/feature.h"
#include "model/log_energy.h"
#include "model/model.h"
#include "model/model_build.h"

/* ---- what each op may have ---- */

enum {
    HAS_WINDOW = 1, /* kernel and stride */
    HAS_DILATION = 2,
    HAS_UNITS = 4, /* gives another width than it reads */
    HAS_RATE = 8,
    HAS_SHIFT = 16,
    HAS_LEVELS = 32,
    READS_MANY = 64, /* two or more layers */
    RECURRENT = 128,
    HAS_BANDS = 256,
    READS_COUNTS = 512,
    GIVES_LOG = 1024,
    MAY_SHIFT = 2048, /* 0 is allowed */
    HAS_MASK = 4096,
};

static const struct op_facts {
    unsigned has;
    int gates;
} ops[TIN_OP_COUNT] = {
    [TIN_OP_CONV1D] = {HAS_WINDOW | HAS_DILATION | HAS_UNITS, 1},
    [TIN_OP_GRU] = {HAS_UNITS | RECURRENT, 3},
    [TIN_OP_DENSE] = {HAS_UNITS, 1},
    [TIN_OP_AVG_POOL] = {HAS_WINDOW, 0},
    [TIN_OP_DROPOUT] = {HAS_RATE, 0},
    [TIN_OP_MASK] = {HAS_MASK, 0},
    [TIN_OP_LSTM] = {HAS_UNITS | RECURRENT, 4},
    [TIN_OP_MGU] = {HAS_UNITS | RECURRENT, 2},
    [TIN_OP_MIN_GRU] = {HAS_UNITS | RECURRENT, 2},
    [TIN_OP_MAX_POOL] = {HAS_WINDOW, 0},
    [TIN_OP_EMA] = {HAS_SHIFT, 0},
    [TIN_OP_ADD] = {READS_MANY, 0},
    [TIN_OP_MULTIPLY] = {READS_MANY, 0},
    [TIN_OP_CONCAT] = {READS_MANY, 0},
    [TIN_OP_LOG_ENERGY] = {HAS_WINDOW | HAS_LEVELS | READS_COUNTS | GIVES_LOG, 0},
    [TIN_OP_LOG_MEL] = {HAS_WINDOW | HAS_BANDS | READS_COUNTS | GIVES_LOG, 0},
    [TIN_OP_LOG_VARIANCE] = {HAS_WINDOW | READS_COUNTS | GIVES_LOG, 0},
    [TIN_OP_HIGH_PASS] = {HAS_SHIFT | READS_COUNTS, 0},
    [TIN_OP_DIFFERENCE] = {HAS_DILATION | READS_COUNTS, 0},
    [TIN_OP_MAGNITUDE] = {HAS_SHIFT | MAY_SHIFT | READS_COUNTS, 0},
};

int tin_op_gates(tin_op op)
{
    return ops[op].has & RECURRENT ? ops[op].gates : 1;
}

bool tin_op_recurrent(tin_op op)
{
    return ops[op].has & RECURRENT;
}

bool tin_op_reads_counts(tin_op op)
{
    return ops[op].has & READS_COUNTS;
}

bool tin_op_gives_log(tin_op op)
{
    return ops[op].has & GIVES_LOG;
}

bool tin_op_trains_only(tin_op op)
{
    return op == TIN_OP_DROPOUT || op == TIN_OP_MASK;
}

bool tin_op_is_activation(tin_op op)
{
    return op == TIN_OP_RELU || (op >= TIN_OP_RELU6 && op <= TIN_OP_TANH);
}

/* ---- parameters ---- */

static void add_param(tin_layer *layer, const char *name, bool trainable, int a, int b, int c)
{
    tin_param *p = &layer->params[layer->n_params++];
    *p = (tin_param){.name = name, .shape = {a, b, c}, .n_dims = c ? 3 : b ? 2 : 1, .trainable = trainable};
    p->size = (size_t)a * (size_t)(b ? b : 1) * (size_t)(c ? c : 1);
}

static void add_params(tin_layer *layer)
{
    int in = layer->n_inputs, out = layer->n_outputs, rows = tin_op_gates(layer->op) * out;
    switch (layer->op) {
    case TIN_OP_CONV1D:
        add_param(layer, "weight", true, out, in / layer->groups, layer->kernel);
        add_param(layer, "bias", true, out, 0, 0);
        break;
    case TIN_OP_GRU:
    case TIN_OP_LSTM:
    case TIN_OP_MGU:
        add_param(layer, "weight_ih", true, rows, in, 0);
        add_param(layer, "weight_hh", true, rows, out, 0);
        add_param(layer, "bias_ih", true, rows, 0, 0);
        add_param(layer, "bias_hh", true, rows, 0, 0);
        break;
    case TIN_OP_DENSE:
    case TIN_OP_MIN_GRU:
        add_param(layer, "weight", true, rows, in, 0);
        add_param(layer, "bias", true, rows, 0, 0);
        break;
    case TIN_OP_BATCH_NORM:
        add_param(layer, "weight", true, out, 0, 0);
        add_param(layer, "bias", true, out, 0, 0);
        add_param(layer, "running_mean", false, out, 0, 0);
        add_param(layer, "running_var", false, out, 0, 0);
        break;
    default: /* the others have none */
        break;
    }
}

/* ---- who reads whom ---- */

static tin_status name_layer(tin_model *m, int index, const tin_layer_spec *spec, tin_error *err)
{
    tin_layer *layer = &m->layers[index];
    if (!spec->name || !spec->name[0]) {
        snprintf(layer->name, sizeof layer->name, "%s_%d", tin_op_name(spec->op), index + 1);
    } else {
        size_t length = strlen(spec->name);
        bool plain = length < sizeof layer->name;
        for (size_t i = 0; plain && i < length; i++)
            plain = strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_", spec->name[i]) != NULL;
        if (!plain)
            return tin_fail(err, TIN_ERR_MODEL, "layer %d: its name is \"%.60s\"; use 1 to %d letters, digits and _",
                            index + 1, spec->name, TIN_LAYER_NAME - 1);
        memcpy(layer->name, spec->name, length + 1);
    }
    bool taken = strcmp(layer->name, "input") == 0;
    for (int i = 0; i < index; i++)
        taken |= strcmp(layer->name, m->layers[i].name) == 0;
    return taken ? tin_fail(err, TIN_ERR_MODEL, "layer %d: the name \"%s\" is taken; give it another one", index + 1,
                            layer->name)
                 : TIN_OK;
}

static tin_status find_layer(const tin_model *m, int index, const char *name, int *found, tin_error *err)
{
    if (strcmp(name, "input") == 0) {
        *found = TIN_FROM_INPUT;
        return TIN_OK;
    }
    for (int i = 0; i < index; i++) {
        if (strcmp(name, m->layers[i].name) == 0) {
            *found = i;
            return TIN_OK;
        }
    }
    return tin_fail(err, TIN_ERR_MODEL,
                    "layer %d (%s): from names \"%.60s\", which is no layer before it; name one of those, or input",
                    index + 1, tin_op_name(m->layers[index].op), name);
}

static int width_of(const tin_model *m, int from)
{
    return from == TIN_FROM_INPUT ? m->n_channels : m->layers[from].n_outputs;
}

static int period_of(const tin_model *m, int from)
{
    return from == TIN_FROM_INPUT ? 1 : m->layers[from].period;
}

/* Fills from, n_inputs and the period of what is read. */
static tin_status resolve_from(tin_model *m, int index, const tin_layer_spec *spec, tin_error *err)
{
    tin_layer *l = &m->layers[index];
    bool many = ops[spec->op].has & READS_MANY;
    l->n_from = spec->n_from > 0 ? spec->n_from : 1;
    l->from[0] = index - 1; /* TIN_FROM_INPUT for the first */
    if (l->n_from > TIN_MAX_FROM)
        return tin_fail(err, TIN_ERR_MODEL, "layer %d (%s): from names %d layers; name at most %d", index + 1,
                        tin_op_name(spec->op), l->n_from, TIN_MAX_FROM);
    for (int k = 0; k < spec->n_from; k++) {
        tin_status status = find_layer(m, index, spec->from[k], &l->from[k], err);
        if (status)
            return status;
    }
    if (many ? l->n_from < 2 || (spec->op == TIN_OP_MULTIPLY && l->n_from != 2) : l->n_from != 1)
        return tin_fail(err, TIN_ERR_MODEL, "layer %d (%s): from names %d layer%s; name %s", index + 1,
                        tin_op_name(spec->op), l->n_from, l->n_from == 1 ? "" : "s",
                        spec->op == TIN_OP_MULTIPLY ? "two"
                        : many                      ? "two or more"
                                                    : "one");
    l->n_inputs = width_of(m, l->from[0]);
    l->period = period_of(m, l->from[0]);
    for (int k = 1; k < l->n_from; k++) {
        int width = width_of(m, l->from[k]), period = period_of(m, l->from[k]);
        if (period != l->period)
            return tin_fail(
                err, TIN_ERR_MODEL,
                "layer %d (%s): it reads rows every %d and every %d frames; give both ways the same strides", index + 1,
                tin_op_name(spec->op), l->period, period);
        if (spec->op != TIN_OP_CONCAT && width != l->n_inputs)
            return tin_fail(err, TIN_ERR_MODEL, "layer %d (%s): it reads rows of %d and of %d values; make them alike",
                            index + 1, tin_op_name(spec->op), l->n_inputs, width);
        l->n_inputs += spec->op == TIN_OP_CONCAT ? width : 0;
    }
    if (l->n_inputs > TIN_MAX_WIDTH)
        return tin_fail(err, TIN_ERR_MODEL, "layer %d (%s): it reads %d values; keep it at or below %d", index + 1,
                        tin_op_name(spec->op), l->n_inputs, TIN_MAX_WIDTH);
    return TIN_OK;
}

int tin_model_readers(const tin_model *model, int layer, int *reader)
{
    int n = 0;
    for (int i = 0; i < model->n_layers; i++) {
        for (int k = 0; k < model->layers[i].n_from; k++) {
            if (model->layers[i].from[k] == layer) {
                n++;
                if (reader)
                    *reader = i;
            }
        }
    }
    return n;
}

int tin_model_activation(const tin_model *model, int layer)
{
    int reader = -1;
    tin_op op = model->layers[layer].op;
    bool takes = op == TIN_OP_CONV1D || op == TIN_OP_DENSE || op == TIN_OP_BATCH_NORM || op == TIN_OP_ADD;
    if (!takes || tin_model_readers(model, layer, &reader) != 1 || !tin_op_is_activation(model->layers[reader].op))
        return -1;
    return reader;
}

/* ---- shapes ---- */

static tin_status wrong(const tin_layer_spec *spec, int index, const char *field, int value, const char *mend,
                        tin_error *err)
{
    return tin_fail(err, TIN_ERR_MODEL, "layer %d (%s): %s is %d; %s", index + 1, tin_op_name(spec->op), field, value,
                    mend);
}

static int or_one(int value)
{
    return value == 0 ? 1 : value;
}

/* kernel, stride and dilation: where they may stand and how large they may be. */
static tin_status resolve_window(tin_layer *layer, const tin_layer_spec *spec, int index, tin_error *err)
{
    bool window = ops[spec->op].has & HAS_WINDOW, dilates = ops[spec->op].has & HAS_DILATION;
    layer->kernel = or_one(spec->kernel);
    layer->stride = or_one(spec->stride);
    layer->dilation = or_one(spec->dilation);
    if (layer->kernel < 1 || layer->kernel > TIN_MAX_HISTORY || (!window && layer->kernel != 1))
        return wrong(spec, index, "kernel", spec->kernel, "use 1 or more, in conv1d, pools and features only", err);
    if (layer->stride < 1 || layer->stride > TIN_MAX_STRIDE || (!window && layer->stride != 1))
        return wrong(spec, index, "stride", spec->stride, "use 1 to 1024, in conv1d, pools and features only", err);
    if (layer->dilation < 1 || layer->dilation > TIN_MAX_HISTORY || (!dilates && layer->dilation != 1))
        return wrong(spec, index, "dilation", spec->dilation, "use 1 or more, in conv1d and difference only", err);
    int64_t history = (int64_t)(layer->kernel - 1) * layer->dilation + 1;
    if (history > TIN_MAX_HISTORY)
        return tin_fail(
            err, TIN_ERR_MODEL,
            "layer %d (%s): kernel and dilation span %lld rows; keep (kernel - 1) * dilation + 1 at or below %d",
            index + 1, tin_op_name(spec->op), (long long)history, TIN_MAX_HISTORY);
    if (history * layer->n_inputs > TIN_MAX_WINDOW)
        return tin_fail(err, TIN_ERR_MODEL,
                        "layer %d (%s): it keeps %lld rows of %d values; use a smaller kernel or dilation, so that "
                        "they are at most %d values",
                        index + 1, tin_op_name(spec->op), (long long)history, layer->n_inputs, TIN_MAX_WINDOW);
    if (layer->period > TIN_MAX_HOP / layer->stride)
        return tin_fail(err, TIN_ERR_MODEL, "layer %d (%s): the strides multiply to more than %d; make them smaller",
                        index + 1, tin_op_name(layer->op), TIN_MAX_HOP);
    layer->period *= layer->stride;
    return TIN_OK;
}

static tin_status resolve_width(tin_layer *layer, const tin_layer_spec *spec, int index, int n_classes, bool last,
                                tin_error *err)
{
    int units = spec->units;
    layer->groups = 1;
    if (spec->depthwise && spec->op != TIN_OP_CONV1D)
        return wrong(spec, index, "depthwise", 1, "use it in conv1d only", err);
    if (!(ops[spec->op].has & HAS_UNITS)) {
        const tin_feature_shape feature = tin_feature_of_layer(layer, 0);
        layer->n_outputs = ops[spec->op].has & READS_COUNTS ? tin_feature_width(&feature) : layer->n_inputs;
        if (layer->n_outputs > TIN_MAX_WIDTH)
            return wrong(spec, index, "its width", layer->n_outputs,
                         "channels times levels or bands may be 256 at most", err);
        return units == 0 || units == layer->n_outputs
                   ? TIN_OK
                   : wrong(spec, index, "units", units, "leave it out: this layer keeps the width of its input", err);
    }
    if (spec->depthwise) {
        layer->groups = layer->n_inputs;
        if (units == 0)
            units = layer->n_inputs;
        if (units % layer->n_inputs != 0)
            return wrong(spec, index, "units", units, "a depthwise conv1d needs a multiple of its inputs", err);
    }
    if (last && spec->op == TIN_OP_DENSE && units == 0)
        units = n_classes;
    if (units < 1 || units > TIN_MAX_WIDTH)
        return wrong(spec, index, "units", units, "use 1 to 256", err);
    layer->n_outputs = units;
    return TIN_OK;
}

static tin_status check_mask(const tin_layer_spec *spec, int index, int n_inputs, tin_error *err)
{
    if (spec->low_hz != 0 || spec->high_hz != 0)
        return wrong(spec, index, "low_hz or high_hz", spec->low_hz, "use them in log_mel only", err);
    if (spec->bands < 0 || spec->bands >= n_inputs)
        return wrong(spec, index, "bands", spec->bands, "use 0 to one less than the channels that it reads", err);
    if (spec->rows < 0 || spec->rows > TIN_MAX_HISTORY)
        return wrong(spec, index, "rows", spec->rows, "use 0 to 16384", err);
    if (spec->count < 1 || spec->count > TIN_MASK_MAX_COUNT)
        return wrong(spec, index, "count", spec->count, "use 1 to 16", err);
    return TIN_OK;
}

/* What only some ops have. */
static tin_status resolve_rest(const tin_model *m, tin_layer *layer, const tin_layer_spec *spec, int index,
                               tin_error *err)
{
    unsigned has = ops[spec->op].has;
    layer->rate = spec->rate;
    layer->reset_before = spec->reset_before;
    layer->shift = spec->shift;
    layer->levels = spec->levels;
    layer->bands = spec->bands;
    layer->rows = spec->rows;
    layer->count = spec->count;
    layer->low_hz = spec->low_hz;
    layer->high_hz = has & HAS_BANDS && spec->high_hz == 0 ? (int)(m->rate_hz / 2) : spec->high_hz;
    if (has & HAS_RATE ? !(spec->rate >= 0.0f && spec->rate <= 0.95f) : spec->rate != 0.0f)
        return tin_fail(err, TIN_ERR_MODEL, "layer %d (%s): rate is %g; use 0 to 0.95, in dropout only", index + 1,
                        tin_op_name(spec->op), (double)spec->rate);
    if (spec->reset_before && spec->op != TIN_OP_GRU)
        return wrong(spec, index, "reset_before", 1, "use it in gru only", err);
    if (has & HAS_SHIFT ? spec->shift < (has & MAY_SHIFT ? 0 : 1) || spec->shift > 12 : spec->shift != 0)
        return wrong(spec, index, "shift", spec->shift, "use 1 to 12, in ema, high_pass and magnitude only", err);
    if (has & HAS_LEVELS ? spec->levels < 1 || spec->levels > TIN_LOG_ENERGY_MAX_LEVELS : spec->levels != 0)
        return wrong(spec, index, "levels", spec->levels, "use 1 to 8, in log_energy only", err);
    if (has & HAS_MASK)
        return check_mask(spec, index, layer->n_inputs, err);
    if (spec->rows != 0)
        return wrong(spec, index, "rows", spec->rows, "use it in mask only", err);
    if (spec->count != 0)
        return wrong(spec, index, "count", spec->count, "use it in mask only", err);
    if (has & HAS_BANDS ? spec->bands < 1 || spec->bands > TIN_LOG_MEL_MAX_BANDS : spec->bands != 0)
        return wrong(spec, index, "bands", spec->bands, "use 1 to 128, in log_mel only", err);
    if (!(has & HAS_BANDS) && (spec->low_hz != 0 || spec->high_hz != 0))
        return wrong(spec, index, "low_hz or high_hz", spec->low_hz + spec->high_hz, "use them in log_mel only", err);
    return TIN_OK;
}

/* What only features have. */
static tin_status resolve_feature(const tin_model *m, tin_layer *layer, int index, tin_error *err)
{
    const tin_feature_shape shape = tin_feature_of_layer(layer, m->rate_hz);
    const char *mend = tin_feature_mend(&shape);
    if (layer->from[0] != TIN_FROM_INPUT)
        return tin_fail(err, TIN_ERR_MODEL, "layer %d (%s): it reads the input only; write from: [input]", index + 1,
                        tin_op_name(layer->op));
    return mend ? tin_fail(err, TIN_ERR_MODEL, "layer %d (%s): kernel %d, stride %d; %s", index + 1,
                           tin_op_name(layer->op), layer->kernel, layer->stride, mend)
                : TIN_OK;
}

static tin_status resolve_layer(tin_model *m, int index, const tin_layer_spec *spec, bool last, tin_error *err)
{
    if ((unsigned)spec->op >= TIN_OP_COUNT)
        return tin_fail(err, TIN_ERR_MODEL,
                        "layer %d: unknown op number %d; use one of the ops of docs/model-format.md", index + 1,
                        (int)spec->op);
    tin_layer *layer = &m->layers[index];
    *layer = (tin_layer){.op = spec->op};
    tin_status status = name_layer(m, index, spec, err);
    if (!status)
        status = resolve_from(m, index, spec, err);
    if (!status)
        status = resolve_rest(m, layer, spec, index, err);
    if (!status)
        status = resolve_window(layer, spec, index, err);
    if (!status && ops[spec->op].has & READS_COUNTS)
        status = resolve_feature(m, layer, index, err);
    if (!status)
        status = resolve_width(layer, spec, index, m->n_classes, last, err);
    if (!status)
        add_params(layer);
    return status;
}

static tin_status check_end(const tin_model *m, tin_error *err)
{
    const tin_layer *last = &m->layers[m->n_layers - 1];
    if (last->op != TIN_OP_DENSE || last->n_outputs != m->n_classes)
        return tin_fail(err, TIN_ERR_MODEL,
                        "layer %d (%s) gives %d values; the last layer must be dense with one output per class (%d)",
                        m->n_layers, tin_op_name(last->op), last->n_outputs, m->n_classes);
    for (int i = 0; i < m->n_layers - 1; i++) {
        if (tin_model_readers(m, i, NULL) == 0)
            return tin_fail(err, TIN_ERR_MODEL,
                            "layer %d (%s): no layer reads \"%s\"; name it in the from of one, or take it out", i + 1,
                            tin_op_name(m->layers[i].op), m->layers[i].name);
        if (m->layers[m->n_layers - 1].period % m->layers[i].period != 0)
            return tin_fail(err, TIN_ERR_MODEL,
                            "layer %d (%s): its rows come every %d frames, the decisions every %d; "
                            "make that a multiple",
                            i + 1, tin_op_name(m->layers[i].op), m->layers[i].period, last->period);
    }
    return TIN_OK;
}

tin_status tin_graph_resolve(tin_model *m, const tin_layer_spec *layers, int n_layers, tin_error *err)
{
    if (n_layers < 1 || n_layers > TIN_MAX_LAYERS)
        return tin_fail(err, TIN_ERR_MODEL, "the model has %d layers; give it 1 to %d", n_layers, TIN_MAX_LAYERS);
    for (int i = 0; i < n_layers; i++) {
        tin_layer *layer = &m->layers[i];
        tin_status status = resolve_layer(m, i, &layers[i], i == n_layers - 1, err);
        if (status)
            return status;
        for (int p = 0; p < layer->n_params; p++) {
            layer->params[p].offset = m->n_params;
            m->n_params += layer->params[p].size;
        }
        if (m->n_params > TIN_MAX_WEIGHTS)
            return tin_fail(err, TIN_ERR_MODEL,
                            "layer %d (%s): the model has %zu weights by now; keep it at or below %d", i + 1,
                            tin_op_name(layer->op), m->n_params, TIN_MAX_WEIGHTS);
    }
    m->n_layers = n_layers;
    m->hop = m->layers[n_layers - 1].period;
    return check_end(m, err);
}

tin_layer_spec tin_layer_describe(const tin_model *model, int index)
{
    const tin_layer *l = &model->layers[index];
    tin_layer_spec spec = {.op = l->op,
                           .name = l->name,
                           .n_from = l->n_from,
                           .units = ops[l->op].has & HAS_UNITS ? l->n_outputs : 0,
                           .kernel = l->kernel,
                           .stride = l->stride,
                           .dilation = l->dilation,
                           .depthwise = l->groups > 1,
                           .rate = l->rate,
                           .rows = l->rows,
                           .count = l->count,
                           .reset_before = l->reset_before,
                           .shift = l->shift,
                           .levels = l->levels,
                           .bands = l->bands,
                           .low_hz = l->low_hz,
                           .high_hz = l->high_hz};
    for (int k = 0; k < l->n_from; k++)
        spec.from[k] = l->from[k] == TIN_FROM_INPUT ? "input" : model->layers[l->from[k]].name;
    return spec;
}
