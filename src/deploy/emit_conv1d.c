/* conv1d: dense through the matrix kernel, depthwise through its own. */
#include <stdio.h>

#include "deploy/emit.h"

static long plain_weight(const void *context, long index)
{
    return ((const int8_t *)context)[index];
}

/* 0 behind relu, else the lowest of its width; a curve sees to itself. */
int tin_emit_low(tin_emit *e, int layer)
{
    switch (e->model->layers[layer].activation) {
    case TIN_ACTIVATION_RELU:
        return 0;
    case TIN_ACTIVATION_NONE:
        return layer + 1 == e->model->n_layers ? -32768 : e->model->layers[layer].output_bits == 16 ? -32767 : -127;
    default:
        return -128;
    }
}

int tin_emit_curve(const tin_qlayer *l)
{
    return l->activation == TIN_ACTIVATION_SIGMOID ? 1 : l->activation == TIN_ACTIVATION_TANH ? 2 : 0;
}

/* The end of a descriptor: what only some models have. */
static void finish(tin_emit *e, int layer)
{
    if (e->curves) {
        tin_text_printf(&e->source, "    %d, /* curve */\n", tin_emit_curve(&e->model->layers[layer]));
    }
    tin_text_add(&e->source, "};\n");
}

static void depthwise_data(tin_emit *e, int layer)
{
    const tin_qlayer *l = &e->model->layers[layer];
    const char *label = e->layers[layer].label;
    tin_emit_array(e, "int8_t", label, "weight", (long)l->n_outputs * l->kernel, plain_weight, l->weight);
    tin_emit_int32s(e, label, "bias", l->bias, l->n_outputs);
    tin_emit_factors(e, label, l->mult, l->n_outputs);
    tin_text_printf(&e->source, "static const %s_depthwise_t %s_%s = {\n", e->name, e->name, label);
    tin_text_printf(&e->source, "    %s_%s_weight, %s_%s_bias, %s_%s_mult,\n", e->name, label, e->name, label, e->name,
                    label);
    tin_text_printf(&e->source, "    %d, /* step */\n    %d, %d, %d, /* inputs, multiplier, taps */\n",
                    l->dilation * l->n_inputs, l->n_inputs, l->n_outputs / l->n_inputs, l->kernel);
    tin_text_printf(&e->source, "    %d, %d, %d, %d, /* shift, low, wide, wide_out */\n", l->shift,
                    tin_emit_low(e, layer), tin_emit_input_wide(e, layer, 0), tin_emit_output_wide(e, layer));
    finish(e, layer);
}

/* NAME_LABEL, or NAME_LABEL_1 for the first part. */
static void part_name(tin_emit *e, int layer, int part)
{
    tin_text_printf(&e->source, "%s_%s", e->name, e->layers[layer].label);
    if (part > 0) {
        tin_text_printf(&e->source, "_%d", part);
    }
}

/* With dilation 1 the whole window is one run of neighbours. */
tin_emit_matrix tin_emit_window(const tin_qlayer *l)
{
    const bool together = l->dilation == 1;
    return (tin_emit_matrix){.weight = l->weight,
                             .n_rows = l->n_outputs,
                             .taps = together ? 1 : l->kernel,
                             .width = together ? l->kernel * l->n_inputs : l->n_inputs,
                             .bias = l->bias,
                             .mult = l->mult,
                             .shift = l->shift};
}

/* Whether the outputs have 16 bits. */
static bool is_wide(tin_emit *e, int layer)
{
    return layer + 1 == e->model->n_layers || tin_emit_output_wide(e, layer);
}

/* The descriptor of n outputs from `first` on; `part` 0: of all, else its number. */
static void packed_linear_part(tin_emit *e, int layer, int part, int first, int n)
{
    const tin_qlayer *l = &e->model->layers[layer];
    const tin_encoding encoding = e->layers[layer].encoding;
    const tin_emit_matrix m = tin_emit_window(l);
    const int rest = tin_packed_shift(&m);
    char place[32] = "";
    if (first > 0) {
        (void)snprintf(place, sizeof place, " + %ld", tin_packed_words(&m, 1, encoding, first));
    }
    tin_text_printf(&e->source, "static const %s_%s_linear_t ", e->name, tin_encoding_name(encoding));
    part_name(e, layer, part);
    tin_text_printf(&e->source, " = {\n    %s_%s_weight%s,\n", e->name, e->layers[layer].label, place);
    if (tin_encoding_is_vector(encoding)) {
        tin_text_printf(&e->source, "    %d, %d, %d, /* jump, taps, columns */\n", l->dilation * l->n_inputs, m.taps,
                        m.width);
        tin_text_printf(&e->source, "    %ld, %d, /* groups, shift */\n", tin_packed_eights(&m), rest);
        tin_text_printf(&e->source, "    %d, %d, /* rows, low */\n", n, tin_emit_low(e, layer));
    } else {
        const bool eight = layer + 1 < e->model->n_layers && l->output_bits != 16;
        tin_text_printf(&e->source, "    %ld, %d, /* count, rows */\n", tin_packed_count(&m, rest), n);
        tin_text_printf(&e->source, "    %d, %d, /* low, high */\n", tin_emit_low(e, layer), eight ? 127 : 32767);
    }
    finish(e, layer);
}

/* The kernel of a packed conv1d or dense. */
static const char *packed_kernel(tin_emit *e, int layer)
{
    static const char *const names[TIN_STORE_COUNT] = {"bytes", "wide", "relu", ""};
    return names[tin_emit_store(e, layer)];
}

static long block_weight(const void *context, long index)
{
    const tin_emit_matrix *m = context;
    const long block = tin_emit_block_bytes(m);
    return tin_emit_block_weight(m, (int)(index / block) * 4, index % block);
}

static void linear_part(tin_emit *e, int layer, int part, int first, int n)
{
    const tin_qlayer *l = &e->model->layers[layer];
    const char *label = e->layers[layer].label;
    const tin_emit_matrix m = tin_emit_window(l);
    char weight[32] = "", row[32] = "";
    if (first > 0) {
        (void)snprintf(weight, sizeof weight, " + %ld", first / 4 * tin_emit_block_bytes(&m));
        (void)snprintf(row, sizeof row, " + %d", first);
    }
    tin_text_printf(&e->source, "static const %s_linear_t ", e->name);
    part_name(e, layer, part);
    tin_text_printf(&e->source, " = {\n    %s_%s_weight%s, %s_%s_bias%s, %s_%s_mult%s,\n", e->name, label, weight,
                    e->name, label, row, e->name, label, row);
    tin_text_printf(&e->source, "    %d, %d, /* jump, columns */\n", l->dilation * l->n_inputs, m.width);
    tin_text_printf(&e->source, "    %d, %d, %d, %d, /* taps, rows, shift, low */\n", m.taps, n, l->shift,
                    tin_emit_low(e, layer));
    if (e->wide) {
        tin_text_printf(&e->source, "    %d, /* wide */\n", tin_emit_input_wide(e, layer, 0));
    }
    finish(e, layer);
}

/* Shared with dense, which is a window of one row. */
static void linear_data(tin_emit *e, int layer)
{
    const tin_qlayer *l = &e->model->layers[layer];
    const char *label = e->layers[layer].label;
    const bool packed = e->layers[layer].encoding != TIN_ENCODING_PLAIN;
    const tin_emit_matrix m = tin_emit_window(l);
    const int rest = tin_packed_shift(&m);
    int n;
    const tin_emit_run *parts = tin_emit_parts(e, layer, TIN_ACT_GIVE, &n);
    if (packed) {
        tin_packed_emit(e, layer, "weight", &m, &rest, 1);
    } else {
        tin_emit_array(e, "int8_t", label, "weight", (m.n_rows + 3) / 4 * tin_emit_block_bytes(&m), block_weight, &m);
        tin_emit_int32s_by_4(e, label, "bias", l->bias, l->n_outputs);
        tin_emit_factors(e, label, l->mult, l->n_outputs);
    }
    for (int i = 0; i < n; i++) {
        const bool whole = parts[i].n == 0;
        (packed ? packed_linear_part : linear_part)(e, layer, whole ? 0 : i + 1, parts[i].first,
                                                    whole ? l->n_outputs : parts[i].n);
    }
}

static bool is_depthwise(const tin_emit *e, int layer)
{
    return e->model->layers[layer].groups > 1;
}

static void kernels(tin_emit *e, int layer)
{
    const tin_encoding encoding = e->layers[layer].encoding;
    if (is_depthwise(e, layer)) {
        tin_emit_kernel(e, "depthwise");
    } else if (encoding == TIN_ENCODING_PLAIN) {
        tin_emit_kernel(e, "linear");
    } else if (tin_encoding_is_vector(encoding)) {
        tin_emit_kernel(e, tin_encoding_name(encoding));
        tin_emit_template(e, "vector_linear", encoding);
    } else {
        char file[32];
        (void)snprintf(file, sizeof file, "packed_%s", packed_kernel(e, layer));
        tin_emit_widening(e, layer);
        tin_emit_kernel(e, tin_encoding_name(encoding));
        tin_emit_template(e, file, encoding);
    }
}

static void data(tin_emit *e, int layer)
{
    if (is_depthwise(e, layer)) {
        depthwise_data(e, layer);
    } else {
        linear_data(e, layer);
    }
}

/* Statement of part `part`, whose outputs begin at `first`. */
static void call_part(tin_emit *e, int layer, int part, int first)
{
    char input[TIN_EXPRESSION], output[TIN_EXPRESSION], kernel[TIN_EXPRESSION], place[32] = "", number[16] = "";
    const tin_encoding encoding = e->layers[layer].encoding;
    if (first > 0) {
        (void)snprintf(place, sizeof place, " + %d", first);
    }
    if (part > 0) {
        (void)snprintf(number, sizeof number, "_%d", part);
    }
    if (tin_emit_is_packed(e, layer)) {
        tin_emit_packed_input(e, layer, input);
        tin_emit_statement(e, "%s(&%s_%s%s, %s, %s%s);", tin_emit_encoded(e, layer, packed_kernel(e, layer), kernel),
                           e->name, e->layers[layer].label, number, input, tin_emit_output(e, layer, output), place);
        return;
    }
    tin_emit_statement(e, "%s(&%s_%s%s, %s, %s%s%s%s%s);", tin_emit_encoded(e, layer, "linear", kernel), e->name,
                       e->layers[layer].label, number, tin_emit_input(e, layer, 0, input),
                       encoding == TIN_ENCODING_PLAIN ? "" : "s->lanes, ", is_wide(e, layer) ? "NULL, " : "",
                       tin_emit_output(e, layer, output), place, is_wide(e, layer) ? "" : ", NULL");
}

static void call(tin_emit *e, int layer)
{
    char input[TIN_EXPRESSION], output[TIN_EXPRESSION];
    if (is_depthwise(e, layer)) {
        tin_emit_statement(e, "%s_depthwise(&%s_%s, %s, %s);", e->name, e->name, e->layers[layer].label,
                           tin_emit_input(e, layer, 0, input), tin_emit_output(e, layer, output));
    } else {
        call_part(e, layer, 0, 0);
    }
}

static void part(tin_emit *e, const tin_emit_run *run)
{
    int n;
    const tin_emit_run *parts = tin_emit_parts(e, run->layer, TIN_ACT_GIVE, &n);
    call_part(e, run->layer, (int)(run - parts) + 1, run->first);
}

const tin_emit_op tin_emit_conv1d = {kernels, NULL, data, call, NULL, NULL, part};
const tin_emit_op tin_emit_dense = {kernels, NULL, data, call, NULL, NULL, part};
