/* Conversion: weights to int8, scales to multipliers and shifts (formulas: docs/quantization.md). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "quantize/graph_check.h"
#include "quantize/quantize.h"

#define MAX_ROWS (3 * TIN_MAX_WIDTH)

/* Largest bias in units of its accumulator. A row of tiny weights with a bias would otherwise have a scale so small
 * that the bias overflows; the row's weights then do not matter, so its scale is raised until the bias fits. */
#define BIAS_LIMIT 4194304.0 /* 2^22 */

#define GRU_STATE_UNIT (1.0 / 128.0)
#define Q12 4096.0
#define Q13 8192.0
#define Q17 131072.0

/* A matrix on its way to integers: row r has `n` weights. scale: value of one weight unit. */
typedef struct rows {
    int layer; /* for messages, from 0 */
    int n_rows, n;
    double input_unit; /* value of one unit of x */
    double scale[MAX_ROWS];
    double bias[MAX_ROWS];   /* real */
    double output[MAX_ROWS]; /* units of the result per value */
} rows;

static const float *param(const tin_model *model, int layer, int index)
{
    return model->params + model->layers[layer].params[index].offset;
}

static tin_status not_finite(const rows *m, int row, tin_error *err)
{
    return tin_fail(err, TIN_ERR_MODEL, "layer %d, row %d: a weight or bias is NaN or infinite; train the model again",
                    m->layer + 1, row);
}

/* A row of zeros takes the smallest scale of the others, so that it does not set the layer's
 * shift. */
static tin_status choose_scales(rows *m, const float *weight, tin_error *err)
{
    double smallest = HUGE_VAL;
    for (int r = 0; r < m->n_rows; r++) {
        const float *row = weight + (size_t)r * (size_t)m->n;
        for (int i = 0; i < m->n; i++) {
            if (!isfinite(row[i]))
                return not_finite(m, r, err);
        }
        m->scale[r] = tin_weight_scale(row, m->n, 8, false);
        if (m->scale[r] > 0.0 && m->scale[r] < smallest)
            smallest = m->scale[r];
    }
    for (int r = 0; r < m->n_rows; r++) {
        if (!isfinite(m->bias[r]))
            return not_finite(m, r, err);
        if (m->scale[r] == 0.0)
            m->scale[r] = isfinite(smallest) ? smallest : 1.0;
        double needed = fabs(m->bias[r]) / (BIAS_LIMIT * m->input_unit);
        if (m->scale[r] < needed)
            m->scale[r] = needed;
    }
    return TIN_OK;
}

/* Smallest shift >= 0 with round(real * 2^(32 - shift)) < 2^31 for all; mult = that. `most`: 16, or 15 for the input.
 */
static tin_status choose_multipliers(const double *real, int n, int32_t *mult, int *shift, int most, const char *what,
                                     int layer, tin_error *err)
{
    double greatest = 0;
    int at = 0;
    for (int r = 0; r < n; r++) {
        if (!(real[r] <= greatest)) {
            greatest = real[r];
            at = r;
        }
    }
    int s = 0;
    while (s <= most && !(rint(ldexp(greatest, 32 - s)) < 2147483648.0))
        s++;
    if (s > most)
        return tin_fail(err, TIN_ERR_MODEL,
                        "layer %d, %s %d: its multiplier %g is 2^%d or more; its values are far larger than what "
                        "follows, check the scaling",
                        layer + 1, what, at, greatest, most - 1);
    for (int r = 0; r < n; r++)
        mult[r] = (int32_t)rint(ldexp(real[r], 32 - s));
    *shift = s;
    return TIN_OK;
}

static int8_t round_weight(float w, double scale)
{
    double q = rint((double)w / scale);
    return (int8_t)(q > 127.0 ? 127.0 : q < -127.0 ? -127.0 : q);
}

/* Fills weight (same order), bias and mult; `bias` may be NULL. */
static tin_status convert_rows(rows *m, const float *from, int8_t *weight, int32_t *bias, int32_t *mult, int *shift,
                               tin_error *err)
{
    double real[MAX_ROWS];
    tin_status status = choose_scales(m, from, err);
    if (status)
        return status;
    for (int r = 0; r < m->n_rows; r++) {
        double unit = m->scale[r] * m->input_unit; /* value of one unit of the accumulator */
        for (int i = 0; i < m->n; i++) {
            size_t at = (size_t)r * (size_t)m->n + (size_t)i;
            weight[at] = round_weight(from[at], m->scale[r]);
        }
        if (bias)
            bias[r] = (int32_t)rint(m->bias[r] / unit); /* |.| <= 2^22 by choose_scales */
        real[r] = unit * m->output[r];
    }
    return choose_multipliers(real, m->n_rows, mult, shift, 16, "row", m->layer, err);
}

/* ---- one function per op ---- */

static tin_status convert_linear(const tin_model *model, int index, double input_unit, double output_unit,
                                 tin_qlayer *q, tin_error *err)
{
    const tin_layer *l = &model->layers[index];
    const float *weight = param(model, index, 0), *bias = param(model, index, 1);
    int inputs = l->n_inputs / l->groups;
    rows m = {.layer = index, .n_rows = l->n_outputs, .n = inputs * l->kernel, .input_unit = input_unit};
    for (int r = 0; r < m.n_rows; r++) {
        m.bias[r] = (double)bias[r];
        m.output[r] = 1.0 / output_unit;
    }
    float *taps = tin_alloc((size_t)m.n_rows * (size_t)m.n, sizeof *taps, err);
    if (!taps)
        return TIN_ERR_MEMORY;
    for (int o = 0; o < l->n_outputs; o++) /* [O][I][K] to [O][K][I] */
        for (int i = 0; i < inputs; i++)
            for (int k = 0; k < l->kernel; k++)
                taps[(o * l->kernel + k) * inputs + i] = weight[(o * inputs + i) * l->kernel + k];
    tin_status status = convert_rows(&m, taps, q->weight, q->bias, q->mult, &q->shift, err);
    tin_free(taps);
    return status;
}

static tin_status convert_gru(const tin_model *model, int index, double input_unit, tin_qlayer *q, tin_error *err)
{
    const tin_layer *l = &model->layers[index];
    const float *bias_ih = param(model, index, 2), *bias_hh = param(model, index, 3);
    int n_units = l->n_outputs, n_rows = 3 * n_units;
    int32_t hidden_bias[MAX_ROWS];
    rows m = {.layer = index, .n_rows = n_rows, .n = l->n_inputs, .input_unit = input_unit};
    for (int r = 0; r < n_rows; r++) {
        bool candidate =
            r >= 2 * n_units; /* row of n: its hidden bias is multiplied by the reset gate, so it stays apart */
        m.bias[r] = (double)bias_ih[r] + (candidate ? 0.0 : (double)bias_hh[r]);
        m.output[r] = candidate ? Q13 : Q12;
    }
    tin_status status = convert_rows(&m, param(model, index, 0), q->weight, q->bias, q->mult, &q->shift, err);
    if (status)
        return status;
    m = (rows){.layer = index, .n_rows = n_rows, .n = n_units, .input_unit = GRU_STATE_UNIT};
    for (int r = 0; r < n_rows; r++) {
        bool candidate = r >= 2 * n_units;
        m.bias[r] = candidate ? (double)bias_hh[r] : 0.0;
        m.output[r] = candidate ? Q17 : Q12;
    }
    status =
        convert_rows(&m, param(model, index, 1), q->hidden_weight, hidden_bias, q->hidden_mult, &q->hidden_shift, err);
    if (!status)
        memcpy(q->hidden_bias, hidden_bias + 2 * n_units, (size_t)n_units * sizeof *hidden_bias);
    return status;
}

static tin_status convert_layer(const tin_model *model, int index, double input_unit, tin_qlayer *q, tin_error *err)
{
    double mean = input_unit / ((double)q->output_scale * q->kernel);
    if (q->op == TIN_OP_AVG_POOL)
        return choose_multipliers(&mean, 1, q->mult, &q->shift, 16, "row", index, err);
    if (q->op == TIN_OP_GRU)
        return convert_gru(model, index, input_unit, q, err);
    return convert_linear(model, index, input_unit, (double)q->output_scale, q, err);
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
    return choose_multipliers(real, model->n_channels, q->input_mult, &q->input_shift, 15, "input channel", -1, err);
}

static float output_scale(const tin_model *model, const tin_quant_spec *spec, int index)
{
    switch (model->layers[index].op) {
    case TIN_OP_GRU:
        return (float)GRU_STATE_UNIT;
    default:
        if (index == model->n_layers - 1)
            return 1.0f / TIN_SCORE_ONE;
        return spec->output_scale[tin_quantize_has_relu(model, index) ? index + 1 : index];
    }
}

static tin_status convert_layers(const tin_model *model, const tin_quant_spec *spec, tin_qmodel *q, tin_error *err)
{
    float before = spec->input_scale;
    for (int i = 0; i < model->n_layers; i++) {
        const tin_layer *l = &model->layers[i];
        if (l->op == TIN_OP_RELU) /* part of the layer before it */
            continue;
        tin_qlayer *ql = &q->layers[q->n_layers];
        *ql = (tin_qlayer){.op = l->op,
                           .n_inputs = l->n_inputs,
                           .n_outputs = l->n_outputs,
                           .kernel = l->kernel,
                           .stride = l->stride,
                           .dilation = l->dilation,
                           .groups = l->groups,
                           .activation = tin_quantize_has_relu(model, i) ? TIN_ACTIVATION_RELU : TIN_ACTIVATION_NONE,
                           .output_scale = output_scale(model, spec, i)};
        if (!(ql->output_scale > 0.0f) || !isfinite(ql->output_scale))
            return tin_fail(err, TIN_ERR_MODEL,
                            "layer %d (%s): the scale of its output is %g; calibrate this model again", i + 1,
                            tin_op_name(l->op), (double)ql->output_scale);
        tin_status status = tin_qlayer_allocate(ql, err);
        if (!status)
            status = convert_layer(model, i, (double)before, ql, err);
        if (status)
            return status;
        memcpy(ql->name, l->name, sizeof ql->name);
        q->n_layers++;
        before = ql->output_scale;
    }
    return TIN_OK;
}

tin_status tin_quantize_convert(const tin_model *folded, const tin_quant_spec *spec, tin_qmodel **qmodel,
                                tin_error *err)
{
    tin_qmodel *q = NULL;
    *qmodel = NULL;
    tin_status status = tin_quantize_check_graph(folded, err);
    if (status)
        return status;
    if (!(spec->input_scale > 0.0f) || !isfinite(spec->input_scale))
        return tin_fail(err, TIN_ERR_MODEL, "the scale of the input is %g; calibrate this model again",
                        (double)spec->input_scale);
    status = tin_qmodel_create(&q, folded->rate_hz, folded->channels, folded->n_channels, folded->classes,
                               folded->n_classes, err);
    if (!status)
        status = convert_input(folded, spec, q, err);
    if (!status)
        status = convert_layers(folded, spec, q, err);
    if (!status) {
        tin_qmodel_link(q);
        q->delay = folded->delay;
        status = tin_qmodel_check(q, err);
    }
    if (!status)
        status = tin_qmodel_seal(q, err);
    if (status) {
        tin_qmodel_free(q);
        return status;
    }
    *qmodel = q;
    return TIN_OK;
}
