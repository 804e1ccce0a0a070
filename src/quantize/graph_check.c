#include "quantize/graph_check.h"

int tin_quantize_tensor(const tin_model *folded, int layer)
{
    int activation = tin_model_activation(folded, layer);
    return activation >= 0 ? activation : layer;
}

static bool reads_narrow(tin_op op)
{
    return op == TIN_OP_MAX_POOL || op == TIN_OP_EMA || op == TIN_OP_MULTIPLY;
}

bool tin_quantize_may_be_wide(const tin_model *folded, int tensor)
{
    tin_op op = tensor == TIN_FROM_INPUT ? TIN_OP_CONV1D : folded->layers[tensor].op;
    if (tin_op_recurrent(op) || reads_narrow(op) || op == TIN_OP_SIGMOID || op == TIN_OP_TANH || tin_op_gives_log(op))
        return false;
    for (int i = 0; i < folded->n_layers; i++) {
        for (int k = 0; k < folded->layers[i].n_from; k++) {
            if (folded->layers[i].from[k] == tensor && reads_narrow(folded->layers[i].op))
                return false;
        }
    }
    return true;
}

/* add has no bias and no table: of the activations it takes those that are limits of its output. */
static bool add_takes(tin_op activation)
{
    return activation == TIN_OP_RELU || activation == TIN_OP_RELU6 || activation == TIN_OP_HARD_TANH;
}

static tin_status check_activation(const tin_model *m, int i, tin_error *err)
{
    const char *name = tin_op_name(m->layers[i].op);
    int from = m->layers[i].from[0];
    tin_op op = from == TIN_FROM_INPUT ? TIN_OP_COUNT : m->layers[from].op;
    if (op != TIN_OP_CONV1D && op != TIN_OP_DENSE && op != TIN_OP_ADD)
        return tin_fail(err, TIN_ERR_MODEL,
                        "layer %d (%s) does not follow a conv1d, dense or add, so it cannot be part of one; move it "
                        "right behind one",
                        i + 1, name);
    if (tin_model_activation(m, from) != i)
        return tin_fail(err, TIN_ERR_MODEL,
                        "layer %d (%s) cannot be part of layer %d (%s), which other layers read too; let them read "
                        "the %s",
                        i + 1, name, from + 1, tin_op_name(op), name);
    if (op == TIN_OP_ADD && !add_takes(m->layers[i].op))
        return tin_fail(err, TIN_ERR_MODEL,
                        "layer %d (%s) cannot be part of an add; use relu, relu6 or hard_tanh, or put a dense between",
                        i + 1, name);
    return TIN_OK;
}

/* Factors that no scale can turn into a power of two. */
static tin_status check_factors(const tin_model *m, int i, tin_error *err)
{
    const tin_layer *l = &m->layers[i];
    if (l->op == TIN_OP_AVG_POOL && (l->kernel & (l->kernel - 1)) != 0)
        return tin_fail(err, TIN_ERR_MODEL,
                        "layer %d (avg_pool): a mean of %d rows is no shift; with quantize.power_of_two use a kernel "
                        "of 2, 4, 8, ..",
                        i + 1, l->kernel);
    if (l->op == TIN_OP_RELU6 || l->op == TIN_OP_HARD_SIGMOID)
        return tin_fail(err, TIN_ERR_MODEL,
                        "layer %d (%s): its factor of 6 is no shift; with quantize.power_of_two use %s", i + 1,
                        tin_op_name(l->op), l->op == TIN_OP_RELU6 ? "relu" : "sigmoid");
    return TIN_OK;
}

tin_status tin_quantize_check_graph(const tin_model *folded, bool power_of_two, tin_error *err)
{
    for (int i = 0; i < folded->n_layers; i++) {
        tin_op op = folded->layers[i].op;
        if (op == TIN_OP_BATCH_NORM || tin_op_trains_only(op))
            return tin_fail(err, TIN_ERR_MODEL, "layer %d (%s) cannot be quantised; fold the model first", i + 1,
                            tin_op_name(op));
        tin_status status = tin_op_is_activation(op) ? check_activation(folded, i, err) : TIN_OK;
        if (!status && power_of_two)
            status = check_factors(folded, i, err);
        if (status)
            return status;
    }
    return TIN_OK;
}
