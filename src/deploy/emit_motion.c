/* high_pass, difference and magnitude: a row with every frame, from its counts. */
#include <stdio.h>

#include "deploy/emit.h"

static const char *kernel_of(const tin_emit *e, int layer)
{
    return tin_op_name(e->model->layers[layer].op);
}

static bool has_means(const tin_qlayer *l)
{
    return l->op != TIN_OP_DIFFERENCE && l->ema_shift > 0;
}

static void kernels(tin_emit *e, int layer)
{
    tin_emit_kernel(e, kernel_of(e, layer));
}

static void state(tin_emit *e, int layer)
{
    const tin_qlayer *l = &e->model->layers[layer];
    const char *label = e->layers[layer].label;
    if (l->op == TIN_OP_DIFFERENCE) {
        tin_emit_member_add(e, "int16_t", label, "_past", (long)l->dilation * l->n_inputs, "ring of the last frames");
        tin_emit_member_add(e, "uint16_t", label, "_oldest", 0, "of them, and 1; 0 before the first frame");
    }
    if (has_means(l)) {
        tin_emit_member_add(e, "int32_t", label, "_means", l->n_inputs, "counts times 2^(shift + 3)");
        tin_emit_member_add(e, "uint16_t", label, "_started", 0, "1 from the first frame on");
    }
}

static void data(tin_emit *e, int layer)
{
    const tin_qlayer *l = &e->model->layers[layer];
    const char *label = e->layers[layer].label, *kernel = kernel_of(e, layer);
    const int wide_out = tin_emit_output_wide(e, layer), lag = l->op == TIN_OP_DIFFERENCE ? l->dilation : l->ema_shift;
    tin_emit_factors(e, label, l->mult, l->n_outputs);
    tin_text_printf(&e->source, "static const %s_%s_t %s_%s = {\n    %s_%s_mult,\n    %d, %d, %d, %d, %d,", e->name,
                    kernel, e->name, label, e->name, label, l->n_outputs, lag, l->shift, wide_out ? -32767 : -127,
                    wide_out);
    tin_text_printf(&e->source, " /* outputs, %s, shift, low, wide_out */\n};\n",
                    l->op == TIN_OP_DIFFERENCE ? "lag" : "decay");
}

static void call(tin_emit *e, int layer)
{
    const tin_qlayer *l = &e->model->layers[layer];
    const char *label = e->layers[layer].label;
    char output[TIN_EXPRESSION], past[TIN_EXPRESSION] = "NULL, NULL";
    if (l->op == TIN_OP_DIFFERENCE) {
        (void)snprintf(past, sizeof past, "&s->%s_oldest, s->%s_past", label, label);
    } else if (has_means(l)) {
        (void)snprintf(past, sizeof past, "&s->%s_started, s->%s_means", label, label);
    }
    tin_emit_statement(e, "%s_%s(&%s_%s, frame, %s, %s);", e->name, kernel_of(e, layer), e->name, label, past,
                       tin_emit_output(e, layer, output));
}

const tin_emit_op tin_emit_motion = {kernels, state, data, call, NULL, NULL, NULL};
