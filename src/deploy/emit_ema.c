/* ema: one row of 32-bit means. */
#include "deploy/emit.h"

static void kernels(tin_emit *e, int layer)
{
    (void)layer;
    tin_emit_kernel(e, "ema");
}

static void state(tin_emit *e, int layer)
{
    tin_emit_member_add(e, "int32_t", e->layers[layer].label, "_mean", e->model->layers[layer].n_outputs,
                        "units of the input times 2^(shift + 8)");
}

static void call(tin_emit *e, int layer)
{
    const tin_qlayer *l = &e->model->layers[layer];
    char input[TIN_EXPRESSION], output[TIN_EXPRESSION];
    tin_emit_statement(e, "%s_ema(%s, s->%s_mean, %d, %d, %ld, %d, %s);", e->name, tin_emit_input(e, layer, 0, input),
                       e->layers[layer].label, l->n_outputs, l->ema_shift, (long)tin_emit_factor(e, l->mult[0]),
                       l->shift, tin_emit_output(e, layer, output));
}

const tin_emit_op tin_emit_ema = {kernels, state, NULL, call, NULL, NULL, NULL};
