/* max_pool has no constants. */
#include "deploy/emit.h"

static void kernels(tin_emit *e, int layer)
{
    (void)layer;
    tin_emit_kernel(e, "max_pool");
}

static void call(tin_emit *e, int layer)
{
    const tin_qlayer *l = &e->model->layers[layer];
    char input[TIN_EXPRESSION], output[TIN_EXPRESSION];
    tin_emit_statement(e, "%s_max_pool(%s, %d, %d, %s);", e->name, tin_emit_input(e, layer, 0, input), l->kernel,
                       l->n_inputs, tin_emit_output(e, layer, output));
}

const tin_emit_op tin_emit_max_pool = {kernels, NULL, NULL, call};
