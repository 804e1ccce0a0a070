/* avg_pool has no constants but one descriptor. */
#include "deploy/emit.h"

static void kernels(tin_emit *e, int layer)
{
    (void)layer;
    tin_emit_kernel(e, "avg_pool");
}

static void data(tin_emit *e, int layer)
{
    const tin_qlayer *l = &e->model->layers[layer];
    const int wide_out = tin_emit_output_wide(e, layer);
    tin_text_printf(&e->source, "static const %s_avg_pool_t %s_%s = {\n    %ld, /* mult */\n", e->name, e->name,
                    e->layers[layer].label, (long)l->mult[0]);
    tin_text_printf(&e->source, "    %d, %d, %d, %d, %d, %d, /* kernel, channels, shift, low, wide, wide_out */\n};\n",
                    l->kernel, l->n_inputs, l->shift, wide_out ? -32767 : -127, tin_emit_input_wide(e, layer, 0),
                    wide_out);
}

static void call(tin_emit *e, int layer)
{
    char input[TIN_EXPRESSION], output[TIN_EXPRESSION];
    tin_emit_statement(e, "%s_avg_pool(&%s_%s, %s, %s);", e->name, e->name, e->layers[layer].label,
                       tin_emit_input(e, layer, 0, input), tin_emit_output(e, layer, output));
}

const tin_emit_op tin_emit_avg_pool = {kernels, NULL, data, call};
