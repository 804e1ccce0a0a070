/* add: a multiplier per row, and the rows side by side for the kernel. */
#include "deploy/emit.h"

static void kernels(tin_emit *e, int layer)
{
    (void)layer;
    tin_emit_kernel(e, "add");
}

static void data(tin_emit *e, int layer)
{
    const tin_qlayer *l = &e->model->layers[layer];
    const char *label = e->layers[layer].label;
    const int wide_out = tin_emit_output_wide(e, layer);
    int wide = 0;
    for (int k = 0; k < l->n_from; k++) {
        wide |= tin_emit_input_wide(e, layer, k) << k;
    }
    const int low = l->activation == TIN_ACTIVATION_RELU ? 0 : wide_out ? -32767 : -127;
    tin_emit_int32s(e, label, "mult", l->mult, l->n_from);
    tin_text_printf(&e->source, "static const %s_add_t %s_%s = {\n    %s_%s_mult,\n", e->name, e->name, label, e->name,
                    label);
    tin_text_printf(&e->source, "    %d, %d, %d, %d, %d, %d, /* rows, channels, shift, low, wide, wide_out */\n};\n",
                    l->n_from, l->n_outputs, l->shift, low, wide, wide_out);
}

static void call(tin_emit *e, int layer)
{
    const tin_qlayer *l = &e->model->layers[layer];
    const char *label = e->layers[layer].label;
    char text[TIN_EXPRESSION];
    tin_emit_statement(e, "{");
    tin_emit_statement(e, "    const %s_row *x[%d];", e->name, l->n_from);
    for (int k = 0; k < l->n_from; k++) {
        tin_emit_statement(e, "    x[%d] = %s;", k, tin_emit_input(e, layer, k, text));
    }
    tin_emit_statement(e, "    %s_add(&%s_%s, x, %s);", e->name, e->name, label, tin_emit_output(e, layer, text));
    tin_emit_statement(e, "}");
}

const tin_emit_op tin_emit_add = {kernels, NULL, data, call, NULL, NULL, NULL};
