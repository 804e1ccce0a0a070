/* Layers by the library CMSIS-NN (docs/deployment.md, "CMSIS-NN"): which of its functions serves a layer, and whether
 * its rounding gives the same result.
 *
 * Its requantisation with a shift s >= 0 is (acc * 2^s * M + 2^30) >> 31, ours (acc * 2^shift * m + 2^31) >> 32: the
 * same for s = shift - 1 and M = m. With shift 0 it takes M = m / 2, which is exact where m is even; where m is odd, it
 * is compared with both neighbours at every value at which the output changes. */
#include <stdio.h>
#include <stdlib.h>

#include "deploy/emit.h"

#define MAX_LANES 2048 /* words of RAM for sums */

typedef enum service { NONE, LINEAR, SUMS, GRU, DEPTHWISE } service;

/* The least acc whose output, (acc * mult + 2^31) >> 32, is at least `output`; mult > 0. */
static int64_t least_for(int output, int64_t mult)
{
    const int64_t n = (int64_t)output * ((int64_t)1 << 32) - ((int64_t)1 << 31);
    return n > 0 ? (n + mult - 1) / mult : -(-n / mult);
}

/* Whether two multipliers give the same output between low and 127 for all sums up to `bound`. */
static bool same_outputs(int64_t one, int64_t other, int low, int64_t bound)
{
    for (int output = low + 1; output <= 127; output++) {
        const int64_t a = least_for(output, one), b = least_for(output, other);
        if (a != b && (llabs(a) <= bound || llabs(b) <= bound)) {
            return false;
        }
    }
    return true;
}

/* Multiplier of CMSIS-NN for a row, -1 when there is none. */
static int32_t multiplier_of(const tin_emit_matrix *m, int row, int low)
{
    const int32_t mult = m->mult[row];
    if (m->shift > 0 || mult % 2 == 0) {
        return m->shift > 0 ? mult : mult / 2;
    }
    const long n = (long)m->taps * m->width;
    int64_t bound = llabs((long long)m->bias[row]);
    for (long i = 0; i < n; i++) {
        bound += 128 * abs(m->weight[row * n + i]);
    }
    for (int32_t half = mult / 2; half <= mult / 2 + 1; half++) {
        if (half > 0 && same_outputs(mult, 2 * (int64_t)half, low, bound)) {
            return half;
        }
    }
    return -1;
}

static bool all_rows(const tin_emit_matrix *m, int low)
{
    for (int row = 0; row < m->n_rows; row++) {
        if (multiplier_of(m, row, low) < 0) {
            return false;
        }
    }
    return true;
}

/* The matrix of a depthwise conv1d: a row per output over its own taps. */
static tin_emit_matrix depthwise_of(const tin_qlayer *l)
{
    return (tin_emit_matrix){.weight = l->weight,
                             .n_rows = l->n_outputs,
                             .taps = 1,
                             .width = l->kernel,
                             .bias = l->bias,
                             .mult = l->mult,
                             .shift = l->shift};
}

static service service_of(tin_emit *e, int layer)
{
    const tin_qlayer *l = &e->model->layers[layer];
    const bool curve = l->activation == TIN_ACTIVATION_SIGMOID || l->activation == TIN_ACTIVATION_TANH;
    const bool whole = !curve && !tin_emit_output_wide(e, layer) && layer + 1 < e->model->n_layers;
    if (tin_emit_input_wide(e, layer, 0)) {
        return NONE;
    }
    if (l->op == TIN_OP_GRU) {
        return l->reset_before || 6 * l->n_outputs > MAX_LANES ? NONE : GRU;
    }
    if (l->op == TIN_OP_CONV1D && l->groups > 1) {
        const tin_emit_matrix m = depthwise_of(l);
        return whole && all_rows(&m, tin_emit_low(e, layer)) ? DEPTHWISE : NONE;
    }
    if (l->op != TIN_OP_CONV1D && l->op != TIN_OP_DENSE) {
        return NONE;
    }
    const tin_emit_matrix m = tin_emit_window(l);
    if (l->n_outputs + (m.taps > 1 ? (long)m.taps * m.width / 4 + 1 : 0) > MAX_LANES) {
        return NONE;
    }
    return whole && all_rows(&m, tin_emit_low(e, layer)) ? LINEAR : SUMS;
}

bool tin_cmsis_serves(tin_emit *e, int layer, long *lanes)
{
    const tin_qlayer *l = &e->model->layers[layer];
    const service s = service_of(e, layer);
    *lanes = s == GRU ? 6L * l->n_outputs : s == SUMS ? l->n_outputs : 0;
    if (s == LINEAR || s == SUMS) {
        const tin_emit_matrix m = tin_emit_window(l);
        *lanes += m.taps > 1 ? ((long)m.taps * m.width + 3) / 4 : 0;
    }
    return s != NONE;
}

const char *tin_cmsis_function(tin_emit *e, int layer)
{
    static const char *const functions[] = {NULL, "arm_fully_connected_per_channel_s8", "arm_nn_mat_mult_nt_t_s8_s32",
                                            "arm_nn_mat_mult_nt_t_s8_s32", "arm_depthwise_conv_s8"};
    return functions[service_of(e, layer)];
}

static void kernels(tin_emit *e, int layer)
{
    static const char *const files[] = {NULL, "cmsis_linear", "cmsis_sums_linear", "cmsis_gru", "cmsis_depthwise"};
    tin_emit_kernel(e, files[service_of(e, layer)]);
}

static void state(tin_emit *e, int layer)
{
    if (service_of(e, layer) == GRU) {
        tin_emit_recurrent.state(e, layer);
    }
}

/* ---- constants ---- */

static long weight_at(const void *context, long index)
{
    return ((const int8_t *)context)[index];
}

/* Depthwise: tap by tap. */
static long tap_at(const void *context, long index)
{
    const tin_qlayer *l = context;
    return l->weight[index % l->n_outputs * l->kernel + index / l->n_outputs];
}

typedef struct rows_of {
    const tin_emit_matrix *matrix;
    int low;
} rows_of;

static long mult_at(const void *context, long row)
{
    const rows_of *r = context;
    return multiplier_of(r->matrix, (int)row, r->low);
}

static long shift_at(const void *context, long row)
{
    (void)row;
    const rows_of *r = context;
    return r->matrix->shift > 0 ? r->matrix->shift - 1 : 0;
}

/* bias, mult and shift as CMSIS-NN wants them. */
static void rows(tin_emit *e, int layer, const tin_emit_matrix *m)
{
    const char *label = e->layers[layer].label;
    const rows_of context = {m, tin_emit_low(e, layer)};
    tin_emit_int32s(e, label, "bias", m->bias, m->n_rows);
    tin_emit_array(e, "int32_t", label, "mult", m->n_rows, mult_at, &context);
    tin_emit_array(e, "int32_t", label, "shift", m->n_rows, shift_at, &context);
}

/* "static const NAME_KERNEL_t NAME_LABEL = {" and pointers to the arrays with these endings. */
static void begin(tin_emit *e, int layer, const char *kernel, const char *const *endings)
{
    const char *label = e->layers[layer].label;
    tin_text_printf(&e->source, "static const %s_%s_t %s_%s = {\n    ", e->name, kernel, e->name, label);
    for (int i = 0; endings[i] != NULL; i++) {
        tin_text_printf(&e->source, "%s_%s_%s,%s", e->name, label, endings[i], endings[i + 1] == NULL ? "\n" : " ");
    }
}

static void linear_data(tin_emit *e, int layer, bool sums)
{
    static const char *const endings[] = {"weight", "bias", "mult", "shift", NULL}, *const of_sums[] = {
                                                                                        "weight", "bias", "mult", NULL};
    const tin_qlayer *l = &e->model->layers[layer];
    const char *label = e->layers[layer].label;
    const tin_emit_matrix m = tin_emit_window(l);
    tin_emit_array(e, "int8_t", label, "weight", (long)m.n_rows * m.taps * m.width, weight_at, m.weight);
    if (sums) {
        tin_emit_int32s(e, label, "bias", l->bias, l->n_outputs);
        tin_emit_factors(e, label, l->mult, l->n_outputs);
    } else {
        rows(e, layer, &m);
    }
    begin(e, layer, sums ? "cmsis_sums_linear" : "cmsis_linear", sums ? of_sums : endings);
    tin_text_printf(&e->source, "    %d, %d, %d, /* jump, taps, columns */\n", l->dilation * l->n_inputs, m.taps,
                    m.width);
    if (sums) {
        tin_text_printf(&e->source, "    %d, %d, %d, /* rows, shift, low */\n", m.n_rows, m.shift,
                        tin_emit_low(e, layer));
    } else {
        tin_text_printf(&e->source, "    %d, %d, /* rows, low */\n", m.n_rows, tin_emit_low(e, layer));
    }
    if (sums && e->curves) {
        tin_text_printf(&e->source, "    %d, /* curve */\n", tin_emit_curve(l));
    }
    tin_text_add(&e->source, "};\n");
}

static void gru_data(tin_emit *e, int layer)
{
    static const char *const endings[] = {"weight",      "hidden_weight", "bias", "mult",
                                          "hidden_mult", "hidden_bias",   NULL};
    const tin_qlayer *l = &e->model->layers[layer];
    const char *label = e->layers[layer].label;
    const long n = 3L * l->n_outputs;
    tin_emit_array(e, "int8_t", label, "weight", n * l->n_inputs, weight_at, l->weight);
    tin_emit_array(e, "int8_t", label, "hidden_weight", n * l->n_outputs, weight_at, l->hidden_weight);
    tin_emit_int32s(e, label, "bias", l->bias, n);
    tin_emit_factors(e, label, l->mult, n);
    tin_emit_int32s(e, label, "hidden_mult", l->hidden_mult, n);
    tin_emit_int32s(e, label, "hidden_bias", l->hidden_bias, l->n_outputs);
    begin(e, layer, "cmsis_gru", endings);
    tin_text_printf(&e->source, "    %d, %d, %d, %d, /* inputs, units, shift, hidden_shift */\n};\n", l->n_inputs,
                    l->n_outputs, l->shift, l->hidden_shift);
}

static void depthwise_data(tin_emit *e, int layer)
{
    static const char *const endings[] = {"weight", "bias", "mult", "shift", NULL};
    const tin_qlayer *l = &e->model->layers[layer];
    const tin_emit_matrix m = depthwise_of(l);
    tin_emit_array(e, "int8_t", e->layers[layer].label, "weight", (long)l->n_outputs * l->kernel, tap_at, l);
    rows(e, layer, &m);
    begin(e, layer, "cmsis_depthwise", endings);
    tin_text_printf(&e->source, "    %d, %d, %d, %d, %d, /* inputs, multiplier, taps, dilation, low */\n};\n",
                    l->n_inputs, l->n_outputs / l->n_inputs, l->kernel, l->dilation, tin_emit_low(e, layer));
}

static void data(tin_emit *e, int layer)
{
    const service s = service_of(e, layer);
    if (s == GRU) {
        gru_data(e, layer);
    } else if (s == DEPTHWISE) {
        depthwise_data(e, layer);
    } else {
        linear_data(e, layer, s == SUMS);
    }
}

/* ---- calls ---- */

static void call(tin_emit *e, int layer)
{
    const char *label = e->layers[layer].label, *lanes = e->lanes > 0 ? "s->lanes" : "NULL";
    char input[TIN_EXPRESSION], output[TIN_EXPRESSION];
    const bool wide = layer + 1 == e->model->n_layers || tin_emit_output_wide(e, layer);
    tin_emit_input(e, layer, 0, input);
    tin_emit_output(e, layer, output);
    switch (service_of(e, layer)) {
    case LINEAR:
        tin_emit_statement(e, "%s_cmsis_linear(&%s_%s, %s, %s, %s);", e->name, e->name, label, input, lanes, output);
        break;
    case DEPTHWISE:
        tin_emit_statement(e, "%s_cmsis_depthwise(&%s_%s, %s, %s);", e->name, e->name, label, input, output);
        break;
    case GRU:
        tin_emit_statement(e, "%s_cmsis_gru(&%s_%s, %s, s->%s_h, s->%s_h8, s->lanes);", e->name, e->name, label, input,
                           label, label);
        if (tin_emit_row_of(e, layer)->place != TIN_PLACE_STATE) {
            tin_emit_statement(e, "memcpy(%s, s->%s_h8, %d);", output, label, e->model->layers[layer].n_outputs);
        }
        break;
    default:
        tin_emit_statement(e, "%s_cmsis_sums_linear(&%s_%s, %s, s->lanes, %s%s%s);", e->name, e->name, label, input,
                           wide ? "NULL, " : "", output, wide ? "" : ", NULL");
        break;
    }
}

const tin_emit_op tin_emit_cmsis = {kernels, state, data, call, NULL, NULL, NULL};
