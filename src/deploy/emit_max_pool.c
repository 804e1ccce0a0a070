/* max_pool: over the rows of a history, or by a row of maxima that each row is taken into when it comes. */
#include "deploy/emit.h"

static bool keeps_maxima(const tin_emit *e, int layer)
{
    return e->layers[layer].pooling == TIN_POOLING_BLOCK;
}

static void kernels(tin_emit *e, int layer)
{
    tin_emit_kernel(e, keeps_maxima(e, layer) ? "max_row" : "max_pool");
}

static void state(tin_emit *e, int layer)
{
    if (keeps_maxima(e, layer)) {
        tin_emit_member_add(e, "int8_t", e->layers[layer].label, "_most", e->model->layers[layer].n_inputs,
                            "greatest values of the rows in the window");
    }
}

static void init(tin_emit *e, int layer)
{
    const char *label = e->layers[layer].label;
    if (keeps_maxima(e, layer)) {
        tin_emit_statement(e, "memset(s->%s_most, -128, sizeof s->%s_most);", label, label);
    }
}

static void call(tin_emit *e, int layer)
{
    const tin_qlayer *l = &e->model->layers[layer];
    char input[TIN_EXPRESSION], output[TIN_EXPRESSION];
    tin_emit_output(e, layer, output);
    if (keeps_maxima(e, layer)) {
        tin_emit_statement(e, "memcpy(%s, s->%s_most, %d);", output, e->layers[layer].label, l->n_inputs);
        init(e, layer);
        return;
    }
    tin_emit_statement(e, "%s_max_pool(%s, %d, %d, %s);", e->name, tin_emit_input(e, layer, 0, input), l->kernel,
                       l->n_inputs, output);
}

static void take(tin_emit *e, int layer)
{
    char input[TIN_EXPRESSION];
    tin_emit_statement(e, "%s_max_row(%s, %d, s->%s_most);", e->name, tin_emit_input(e, layer, 0, input),
                       e->model->layers[layer].n_inputs, e->layers[layer].label);
}

const tin_emit_op tin_emit_max_pool = {kernels, state, NULL, call, take, init, NULL};
