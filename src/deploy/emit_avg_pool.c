/* avg_pool: over the rows of a history, or by sums that each row is taken into when it comes. */
#include <stdio.h>

#include "deploy/emit.h"

static bool keeps_sums(const tin_emit *e, int layer)
{
    return e->layers[layer].pooling != TIN_POOLING_ROWS;
}

static bool slides(const tin_emit *e, int layer)
{
    return e->layers[layer].pooling == TIN_POOLING_SLIDE;
}

/* Of the place of the oldest row in the ring. */
static const char *place_type(const tin_qlayer *l)
{
    return (long)l->kernel * l->n_inputs < 65536 ? "uint16_t" : "int32_t";
}

static void kernels(tin_emit *e, int layer)
{
    if (keeps_sums(e, layer)) {
        tin_emit_kernel(e, "sum_pool");
        tin_emit_kernel(e, slides(e, layer) ? "sum_slide" : "sum_row");
    } else {
        tin_emit_kernel(e, "avg_pool");
    }
}

static void state(tin_emit *e, int layer)
{
    const tin_qlayer *l = &e->model->layers[layer];
    const char *label = e->layers[layer].label;
    char comment[80];
    if (keeps_sums(e, layer)) {
        tin_emit_member_add(e, "int32_t", label, "_sum", l->n_inputs, "of the rows in the window");
    }
    if (slides(e, layer)) {
        (void)snprintf(comment, sizeof comment, "ring of the last %d rows of %d", l->kernel, l->n_inputs);
        tin_emit_member_add(e, tin_emit_input_wide(e, layer, 0) ? "int16_t" : "int8_t", label, "_ring",
                            (long)l->kernel * l->n_inputs, comment);
        tin_emit_member_add(e, place_type(l), label, "_oldest", 0, "value of the ring where its oldest row begins");
    }
}

static void data(tin_emit *e, int layer)
{
    const tin_qlayer *l = &e->model->layers[layer];
    const int wide_out = tin_emit_output_wide(e, layer);
    tin_text_printf(&e->source, "static const %s_avg_pool_t %s_%s = {\n    %ld, /* mult */\n", e->name, e->name,
                    e->layers[layer].label, (long)tin_emit_factor(e, l->mult[0]));
    tin_text_printf(&e->source, "    %d, %d, %d, %d, %d, %d, /* kernel, channels, shift, low, wide, wide_out */\n};\n",
                    l->kernel, l->n_inputs, l->shift, wide_out ? -32767 : -127, tin_emit_input_wide(e, layer, 0),
                    wide_out);
}

static void call(tin_emit *e, int layer)
{
    const char *label = e->layers[layer].label;
    char input[TIN_EXPRESSION], output[TIN_EXPRESSION];
    if (keeps_sums(e, layer)) {
        (void)snprintf(input, sizeof input, "s->%s_sum", label);
    } else {
        tin_emit_input(e, layer, 0, input);
    }
    tin_emit_statement(e, "%s_%s(&%s_%s, %s, %s);", e->name, keeps_sums(e, layer) ? "sum_pool" : "avg_pool", e->name,
                       label, input, tin_emit_output(e, layer, output));
    if (e->layers[layer].pooling == TIN_POOLING_BLOCK) {
        tin_emit_statement(e, "memset(s->%s_sum, 0, sizeof s->%s_sum);", label, label);
    }
}

static void take(tin_emit *e, int layer)
{
    const tin_qlayer *l = &e->model->layers[layer];
    const char *label = e->layers[layer].label;
    char input[TIN_EXPRESSION];
    tin_emit_input(e, layer, 0, input);
    if (!slides(e, layer)) {
        tin_emit_statement(e, "%s_sum_row(%s, %d, %d, s->%s_sum);", e->name, input, tin_emit_input_wide(e, layer, 0),
                           l->n_inputs, label);
        return;
    }
    tin_emit_statement(e, "%s_sum_slide(%s, %d, %d, s->%s_sum, s->%s_ring + s->%s_oldest);", e->name, input,
                       tin_emit_input_wide(e, layer, 0), l->n_inputs, label, label, label);
    tin_emit_statement(e, "s->%s_oldest = (%s)(s->%s_oldest < %ld ? s->%s_oldest + %d : 0);", label, place_type(l),
                       label, (long)(l->kernel - 1) * l->n_inputs, label, l->n_inputs);
}

const tin_emit_op tin_emit_avg_pool = {kernels, state, data, call, take, NULL, NULL};
