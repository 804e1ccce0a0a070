/* conv1d: dense through the matrix kernel, depthwise through its own. */
#include "deploy/emit.h"

static long plain_weight(const void *context, long index)
{
    return ((const int8_t *)context)[index];
}

static void depthwise_data(tin_emit *e, int layer)
{
    const tin_qlayer *l = &e->model->layers[layer];
    const char *label = e->layers[layer].label;
    tin_emit_array(e, "int8_t", label, "weight", (long)l->n_outputs * l->kernel, plain_weight, l->weight);
    tin_emit_int32s(e, label, "bias", l->bias, l->n_outputs);
    tin_emit_int32s(e, label, "mult", l->mult, l->n_outputs);
    tin_text_printf(&e->source, "static const %s_depthwise_t %s_%s = {\n", e->name, e->name, label);
    tin_text_printf(&e->source, "    %s_%s_weight, %s_%s_bias, %s_%s_mult,\n", e->name, label, e->name, label, e->name,
                    label);
    tin_text_printf(&e->source,
                    "    %d, /* step */\n    %d, %d, %d, %d, %d, /* inputs, multiplier, taps, shift, low */\n};\n\n",
                    l->dilation * l->n_inputs, l->n_inputs, l->n_outputs / l->n_inputs, l->kernel, l->shift,
                    l->activation == TIN_ACTIVATION_RELU ? 0 : -127);
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

typedef struct packed {
    tin_emit_matrix matrix;
    tin_encoding encoding;
    int rest;
} packed;

static long packed_word(const void *context, long index)
{
    const packed *p = context;
    const long words = tin_packed_words(&p->matrix, p->encoding);
    return tin_packed_word(&p->matrix, p->encoding, p->rest, (int)(index / words) * 4, index % words);
}

static void packed_linear_data(tin_emit *e, int layer)
{
    const tin_qlayer *l = &e->model->layers[layer];
    const char *label = e->layers[layer].label;
    const tin_encoding encoding = e->layers[layer].encoding;
    const tin_emit_matrix m = tin_emit_window(l);
    const packed p = {m, encoding, tin_packed_shift(&m)};
    tin_emit_array(e, "int32_t", label, "weight", (m.n_rows + 3) / 4 * tin_packed_words(&m, encoding), packed_word, &p);
    tin_text_printf(&e->source, "static const %s_%s_linear_t %s_%s = {\n", e->name, tin_encoding_name(encoding),
                    e->name, label);
    tin_text_printf(&e->source, "    %s_%s_weight,\n    %d, %d, %d, /* jump, taps, columns */\n", e->name, label,
                    l->dilation * l->n_inputs, m.taps, m.width);
    tin_text_printf(&e->source, "    %ld, %d, %d, /* count, rows, low */\n};\n\n", tin_packed_count(&m, p.rest),
                    l->n_outputs, l->activation == TIN_ACTIVATION_RELU ? 0 : -127);
}

static long block_weight(const void *context, long index)
{
    const tin_emit_matrix *m = context;
    const long block = tin_emit_block_bytes(m);
    return tin_emit_block_weight(m, (int)(index / block) * 4, index % block);
}

/* Shared with dense, which is a window of one row. */
static void linear_data(tin_emit *e, int layer)
{
    if (e->layers[layer].encoding != TIN_ENCODING_PLAIN) {
        packed_linear_data(e, layer);
        return;
    }
    const tin_qlayer *l = &e->model->layers[layer];
    const char *label = e->layers[layer].label;
    const tin_emit_matrix m = tin_emit_window(l);
    tin_emit_array(e, "int8_t", label, "weight", (m.n_rows + 3) / 4 * tin_emit_block_bytes(&m), block_weight, &m);
    tin_emit_int32s_by_4(e, label, "bias", l->bias, l->n_outputs);
    tin_emit_int32s_by_4(e, label, "mult", l->mult, l->n_outputs);
    tin_text_printf(&e->source, "static const %s_linear_t %s_%s = {\n", e->name, e->name, label);
    tin_text_printf(&e->source, "    %s_%s_weight, %s_%s_bias, %s_%s_mult,\n", e->name, label, e->name, label, e->name,
                    label);
    tin_text_printf(&e->source, "    %d, %d, /* jump, columns */\n", l->dilation * l->n_inputs, m.width);
    tin_text_printf(&e->source, "    %d, %d, %d, %d, /* taps, rows, shift, low */\n};\n\n", m.taps, l->n_outputs,
                    l->shift, l->activation == TIN_ACTIVATION_RELU ? 0 : -127);
}

void tin_emit_conv1d_data(tin_emit *e, int layer)
{
    if (e->model->layers[layer].groups > 1) {
        depthwise_data(e, layer);
    } else {
        linear_data(e, layer);
    }
}

static void linear_call(tin_emit *e, int layer, const char *input, const char *output)
{
    const tin_encoding encoding = e->layers[layer].encoding;
    const bool scores = layer + 1 == e->model->n_layers;
    tin_text_printf(&e->source, "    %s_", e->name);
    if (encoding != TIN_ENCODING_PLAIN) {
        tin_text_printf(&e->source, "%s_", tin_encoding_name(encoding));
    }
    tin_text_printf(&e->source, "linear(&%s_%s, %s, %s%s%s%s);\n", e->name, e->layers[layer].label, input,
                    encoding != TIN_ENCODING_PLAIN ? "s->lanes, " : "", scores ? "NULL, " : "", output,
                    scores ? "" : ", NULL");
}

void tin_emit_conv1d_call(tin_emit *e, int layer, const char *input, const char *output)
{
    if (e->model->layers[layer].groups > 1) {
        tin_text_printf(&e->source, "    %s_depthwise(&%s_%s, %s, %s);\n", e->name, e->name, e->layers[layer].label,
                        input, output);
    } else {
        linear_call(e, layer, input, output);
    }
}

void tin_emit_dense_data(tin_emit *e, int layer)
{
    linear_data(e, layer);
}

void tin_emit_dense_call(tin_emit *e, int layer, const char *input, const char *output)
{
    linear_call(e, layer, input, output);
}
