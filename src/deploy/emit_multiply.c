/* multiply: one multiplier, which stands in the call. */
#include "deploy/emit.h"

static void kernels(tin_emit *e, int layer)
{
    (void)layer;
    tin_emit_kernel(e, "multiply");
}

static void call(tin_emit *e, int layer)
{
    const tin_qlayer *l = &e->model->layers[layer];
    char first[TIN_EXPRESSION], second[TIN_EXPRESSION], output[TIN_EXPRESSION];
    tin_emit_statement(e, "%s_multiply(%s, %s, %d, %ld, %d, %s);", e->name, tin_emit_input(e, layer, 0, first),
                       tin_emit_input(e, layer, 1, second), l->n_outputs, (long)tin_emit_factor(e, l->mult[0]),
                       l->shift, tin_emit_output(e, layer, output));
}

const tin_emit_op tin_emit_multiply = {kernels, NULL, NULL, call, NULL, NULL, NULL};
