/* Conversion: weights to int8, scales to multipliers and shifts (formulas: docs/quantization.md). */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "model/feature.h"
#include "quantize/graph_check.h"
#include "quantize/quantize.h"
#include "quantize/rows.h"

/* Greatest bias in units of its accumulator: far below int32, so that it leaves room for the sum and for the shift. Sums
 * over 16-bit numbers are larger and need less of a shift. */
#define BIAS_LIMIT 4194304.0        /* 2^22 */
#define BIAS_LIMIT_WIDE 268435456.0 /* 2^28 */
#define GREATEST_SMALL_FACTOR 32767 /* of add and concat */
#define MOTION_SHIFT 11             /* a value of a feature is below 2^20 */
#define GREATEST_SMALL_SHIFT 30

#define STATE_UNIT (1.0 / 128.0)
#define Q12 4096.0
#define Q13 8192.0
#define Q17 131072.0

typedef struct conversion {
    const tin_model *model;
    const tin_quant_spec *spec;
    tin_qmodel *q;
    int place[TIN_MAX_LAYERS]; /* layer of q that gives the tensor after each layer */
} conversion;

static const float *param(const tin_model *model, int layer, int index)
{
    return model->params + model->layers[layer].params[index].offset;
}

/* Value of one unit of what layer `from` (or TIN_FROM_INPUT) gives. */
static double unit_of(const conversion *c, int from)
{
    return (double)(from == TIN_FROM_INPUT ? c->q->input_scale : c->q->layers[c->place[from]].output_scale);
}

static int bits_of(const conversion *c, int from)
{
    return from == TIN_FROM_INPUT ? c->q->input_bits : c->q->layers[c->place[from]].output_bits;
}

/* Rows of layer `index` that read what layer `from` gives. */
static tin_rows rows_of(const conversion *c, int index, int from)
{
    return (tin_rows){.layer = index,
                      .bits = c->spec->weight_bits[index] == 4 ? 4 : 8,
                      .power_of_two = c->spec->power_of_two,
                      .input_unit = unit_of(c, from),
                      .bias_limit = bits_of(c, from) == 16 ? BIAS_LIMIT_WIDE : BIAS_LIMIT};
}

/* ---- one function per op ---- */

/* What the activation makes of a row: units of the requantised sum per value, and what is added to the bias.
 * hard_sigmoid: (y + 3) / 6, kept within 0..1 by the integers. */
static void activation_units(tin_op activation, double output_unit, double *units, double *extra)
{
    *units = activation == TIN_OP_SIGMOID        ? Q12
             : activation == TIN_OP_TANH         ? Q13
             : activation == TIN_OP_HARD_SIGMOID ? 1.0 / (6.0 * output_unit)
                                                 : 1.0 / output_unit;
    *extra = activation == TIN_OP_HARD_SIGMOID ? 3.0 : 0.0;
}

static tin_status convert_linear(conversion *c, int index, tin_qlayer *q, tin_error *err)
{
    const tin_layer *l = &c->model->layers[index];
    const float *weight = param(c->model, index, 0), *bias = param(c->model, index, 1);
    int inputs = l->n_inputs / l->groups, tensor = tin_quantize_tensor(c->model, index);
    double units, extra;
    tin_rows m = rows_of(c, index, l->from[0]);
    m.n_rows = l->n_outputs;
    m.n = inputs * l->kernel;
    activation_units(c->model->layers[tensor].op, (double)q->output_scale, &units, &extra);
    for (int r = 0; r < m.n_rows; r++) {
        m.bias[r] = (double)bias[r] + extra;
        m.output[r] = units;
    }
    float *taps = tin_alloc((size_t)m.n_rows * (size_t)m.n, sizeof *taps, err);
    if (!taps)
        return TIN_ERR_MEMORY;
    for (int o = 0; o < l->n_outputs; o++) /* [O][I][K] to [O][K][I] */
        for (int i = 0; i < inputs; i++)
            for (int k = 0; k < l->kernel; k++)
                taps[(o * l->kernel + k) * inputs + i] = weight[(o * inputs + i) * l->kernel + k];
    tin_status status = tin_rows_convert(&m, taps, q->weight, q->bias, q->mult, &q->shift, err);
    tin_free(taps);
    return status;
}

/* Where the rows of the candidate (n, in lstm g: a tanh) stand among the gates. */
static int candidate_gate(tin_op op)
{
    return op == TIN_OP_GRU || op == TIN_OP_LSTM ? 2 : 1;
}

static tin_status convert_state(conversion *c, int index, tin_qlayer *q, tin_error *err)
{
    const tin_layer *l = &c->model->layers[index];
    const float *bias = param(c->model, index, 3);
    int n_units = l->n_outputs, first = candidate_gate(l->op) * n_units;
    int32_t hidden_bias[TIN_MAX_ROWS];
    tin_rows m = rows_of(c, index, l->from[0]);
    m.n_rows = tin_op_gates(l->op) * n_units;
    m.n = n_units;
    m.input_unit = STATE_UNIT;
    m.bias_limit = BIAS_LIMIT;
    for (int r = 0; r < m.n_rows; r++) {
        bool candidate = r >= first && r < first + n_units, apart = candidate && tin_qlayer_gates_candidate(q);
        m.bias[r] = apart ? (double)bias[r] : 0.0;
        m.output[r] = apart ? Q17 : candidate ? Q13 : Q12;
    }
    tin_status status = tin_rows_convert(&m, param(c->model, index, 1), q->hidden_weight, hidden_bias, q->hidden_mult,
                                         &q->hidden_shift, err);
    if (!status && tin_qlayer_gates_candidate(q))
        memcpy(q->hidden_bias, hidden_bias + first, (size_t)n_units * sizeof *hidden_bias);
    return status;
}

static tin_status convert_recurrent(conversion *c, int index, tin_qlayer *q, tin_error *err)
{
    const tin_layer *l = &c->model->layers[index];
    bool reads_state = tin_qlayer_reads_state(q);
    const float *bias = param(c->model, index, reads_state ? 2 : 1);
    int n_units = l->n_outputs, first = candidate_gate(l->op) * n_units;
    tin_rows m = rows_of(c, index, l->from[0]);
    m.n_rows = tin_op_gates(l->op) * n_units;
    m.n = l->n_inputs;
    for (int r = 0; r < m.n_rows; r++) {
        bool candidate = r >= first && r < first + n_units, apart = candidate && tin_qlayer_gates_candidate(q);
        m.bias[r] = (double)bias[r] + (reads_state && !apart ? (double)param(c->model, index, 3)[r] : 0.0);
        m.output[r] = candidate ? Q13 : Q12;
    }
    tin_status status = tin_rows_convert(&m, param(c->model, index, 0), q->weight, q->bias, q->mult, &q->shift, err);
    return status || !reads_state ? status : convert_state(c, index, q, err);
}

/* add and concat: a factor of at most 15 bits for each layer read, one shift, as large as the factors and the sum
 * allow. A factor of 1 is 2^shift exactly: concat copies such rows. */
static tin_status convert_small_factors(const conversion *c, int index, tin_qlayer *q, tin_error *err)
{
    const tin_layer *l = &c->model->layers[index];
    double real[TIN_MAX_FROM], greatest = 0, reach = 0; /* reach: greatest |sum| per 2^shift */
    for (int k = 0; k < l->n_from; k++) {
        real[k] = unit_of(c, l->from[k]) / (double)q->output_scale;
        double part = real[k] * (bits_of(c, l->from[k]) == 16 ? 32767.0 : 128.0);
        reach = l->op == TIN_OP_ADD ? reach + part : fmax(reach, part);
        greatest = fmax(greatest, real[k]);
    }
    int shift = GREATEST_SMALL_SHIFT;
    /* room for the rounding of the sum (1), and of at most 8 factors (half a unit each: 2^17) */
    while (shift > 0 && (rint(ldexp(greatest, shift)) > GREATEST_SMALL_FACTOR ||
                         !(ldexp(reach + 1.0, shift) < 2147483648.0 - 131072.0)))
        shift--;
    if (shift == 0)
        return tin_fail(err, TIN_ERR_MODEL,
                        "layer %d (%s): it multiplies what it reads by up to %g; its inputs are far larger than its "
                        "output, check the scaling",
                        index + 1, tin_op_name(l->op), greatest);
    for (int k = 0; k < l->n_from; k++)
        q->mult[k] = (int32_t)rint(ldexp(real[k], shift));
    q->shift = shift;
    return TIN_OK;
}

/* avg_pool: the mean. ema: its state is 2^(shift + 8) finer. multiply: a product has the product of the units. */
static tin_status convert_one_factor(const conversion *c, int index, tin_qlayer *q, tin_error *err)
{
    const tin_layer *l = &c->model->layers[index];
    double real = unit_of(c, l->from[0]) / (double)q->output_scale;
    real *= l->op == TIN_OP_AVG_POOL ? 1.0 / l->kernel
            : l->op == TIN_OP_EMA    ? ldexp(1.0, -(l->shift + 8))
                                     : unit_of(c, l->from[1]);
    return tin_multipliers(&real, 1, q->mult, &q->shift, 16, "row", index, err);
}

/* A factor for each output, as its channel is scaled. */
static tin_status convert_motion(const conversion *c, int index, tin_qlayer *q, tin_error *err)
{
    double real[TIN_MAX_WIDTH];
    for (int o = 0; o < q->n_outputs; o++)
        real[o] = (double)tin_feature_unit(q->op, &c->model->input, o) / (double)q->output_scale;
    return tin_multipliers(real, q->n_outputs, q->mult, &q->shift, MOTION_SHIFT, "row", index, err);
}

static tin_status convert_layer(conversion *c, int index, tin_qlayer *q, tin_error *err)
{
    switch (q->op) {
    case TIN_OP_CONV1D:
    case TIN_OP_DENSE:
        return convert_linear(c, index, q, err);
    case TIN_OP_ADD:
    case TIN_OP_CONCAT:
        return convert_small_factors(c, index, q, err);
    case TIN_OP_AVG_POOL:
    case TIN_OP_EMA:
    case TIN_OP_MULTIPLY:
        return convert_one_factor(c, index, q, err);
    case TIN_OP_HIGH_PASS:
    case TIN_OP_DIFFERENCE:
    case TIN_OP_MAGNITUDE:
        return convert_motion(c, index, q, err);
    default:
        return tin_op_recurrent(q->op) ? convert_recurrent(c, index, q, err)
                                       : TIN_OK; /* max_pool and logarithms have none */
    }
}

/* ---- the model ---- */

/* (counts - offset) * scale / input_scale in one multiplication */
static tin_status convert_input(const tin_model *model, const tin_quant_spec *spec, tin_qmodel *q, tin_error *err)
{
    double real[TIN_MAX_CHANNELS];
    for (int c = 0; c < model->n_channels; c++) {
        q->input_offset[c] = model->input.offset[c];
        real[c] = (double)model->input.scale[c] / (double)spec->input_scale;
    }
    q->input_scale = spec->input_scale;
    q->input_bits = spec->input_bits == 16 ? 16 : 8;
    return tin_multipliers(real, model->n_channels, q->input_mult, &q->input_shift, 15, "input channel", -1, err);
}

static tin_activation activation_of(tin_op op)
{
    switch (op) {
    case TIN_OP_RELU:
    case TIN_OP_RELU6:
    case TIN_OP_HARD_SIGMOID:
        return TIN_ACTIVATION_RELU;
    case TIN_OP_SIGMOID:
        return TIN_ACTIVATION_SIGMOID;
    case TIN_OP_TANH:
        return TIN_ACTIVATION_TANH;
    default:
        return TIN_ACTIVATION_NONE;
    }
}

static tin_status settle_output(const conversion *c, int index, tin_qlayer *q, tin_error *err)
{
    const tin_layer *l = &c->model->layers[index];
    int tensor = tin_quantize_tensor(c->model, index);
    tin_op activation = c->model->layers[tensor].op;
    q->activation = activation_of(activation);
    q->output_scale = c->spec->output_scale[tensor];
    q->output_bits = c->spec->output_bits[tensor] == 16 ? 16 : 8;
    if (l->op == TIN_OP_MAX_POOL)
        q->output_scale = (float)unit_of(c, l->from[0]);
    if (tin_op_gives_log(l->op))
        q->output_scale = TIN_LOG_SCALE;
    if (tin_op_recurrent(l->op) || activation == TIN_OP_SIGMOID || activation == TIN_OP_TANH)
        q->output_scale = (float)STATE_UNIT;
    if (q->output_bits == 16 && !tin_quantize_may_be_wide(c->model, tensor))
        return tin_fail(err, TIN_ERR_MODEL, "layer %d (%s): its output cannot have 16 bits; calibrate this model again",
                        index + 1, tin_op_name(l->op));
    if (index == c->model->n_layers - 1) {
        q->output_scale = 1.0f / TIN_SCORE_ONE;
        q->output_bits = 16;
    }
    if (q->output_scale > 0.0f && isfinite(q->output_scale))
        return TIN_OK;
    return tin_fail(err, TIN_ERR_MODEL, "layer %d (%s): the scale of its output is %g; calibrate this model again",
                    index + 1, tin_op_name(l->op), (double)q->output_scale);
}

static tin_status add_layer(conversion *c, int index, tin_error *err)
{
    const tin_layer *l = &c->model->layers[index];
    tin_qlayer *q = &c->q->layers[c->q->n_layers];
    *q = (tin_qlayer){.op = l->op,
                      .n_from = l->n_from,
                      .n_inputs = l->n_inputs,
                      .n_outputs = l->n_outputs,
                      .kernel = l->kernel,
                      .stride = l->stride,
                      .dilation = l->dilation,
                      .groups = l->groups,
                      .reset_before = l->reset_before,
                      .ema_shift = l->shift,
                      .levels = l->levels,
                      .bands = l->bands,
                      .low_hz = l->low_hz,
                      .high_hz = l->high_hz};
    memcpy(q->name, l->name, sizeof q->name);
    for (int k = 0; k < l->n_from; k++)
        q->from[k] = l->from[k] == TIN_FROM_INPUT ? TIN_FROM_INPUT : c->place[l->from[k]];
    c->place[index] = c->place[tin_quantize_tensor(c->model, index)] = c->q->n_layers;
    tin_status status = settle_output(c, index, q, err);
    if (!status)
        status = tin_qlayer_allocate(q, err);
    if (!status)
        status = convert_layer(c, index, q, err);
    if (!status)
        c->q->n_layers++;
    return status;
}

static tin_status convert_layers(conversion *c, tin_error *err)
{
    tin_status status = TIN_OK;
    for (int i = 0; i < c->model->n_layers && !status; i++) {
        if (!tin_op_is_activation(c->model->layers[i].op)) /* those are part of another layer */
            status = add_layer(c, i, err);
    }
    c->q->delay = c->model->delay;
    tin_qmodel_link(c->q);
    return status;
}

tin_status tin_quantize_convert(const tin_model *folded, const tin_quant_spec *spec, tin_qmodel **qmodel,
                                tin_error *err)
{
    conversion c = {.model = folded, .spec = spec};
    *qmodel = NULL;
    tin_status status = tin_quantize_check_graph(folded, spec->power_of_two, err);
    if (status)
        return status;
    if (!(spec->input_scale > 0.0f) || !isfinite(spec->input_scale))
        return tin_fail(err, TIN_ERR_MODEL, "the scale of the input is %g; calibrate this model again",
                        (double)spec->input_scale);
    status = tin_qmodel_create(&c.q, folded->rate_hz, folded->channels, folded->n_channels, folded->classes,
                               folded->n_classes, err);
    if (!status)
        status = convert_input(folded, spec, c.q, err);
    if (!status)
        status = convert_layers(&c, err);
    if (!status)
        status = tin_qmodel_check(c.q, err);
    if (!status)
        status = tin_qmodel_seal(c.q, err);
    if (status) {
        tin_qmodel_free(c.q);
        return status;
    }
    *qmodel = c.q;
    return TIN_OK;
}
