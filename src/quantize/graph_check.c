#include "quantize/graph_check.h"

static bool is_linear(tin_op op)
{
    return op == TIN_OP_CONV1D || op == TIN_OP_DENSE;
}

bool tin_quantize_has_relu(const tin_model *folded, int i)
{
    return is_linear(folded->layers[i].op) && i + 1 < folded->n_layers && folded->layers[i + 1].op == TIN_OP_RELU;
}

tin_status tin_quantize_check_graph(const tin_model *folded, tin_error *err)
{
    for (int i = 0; i < folded->n_layers; i++) {
        tin_op op = folded->layers[i].op;
        if (op == TIN_OP_BATCH_NORM || op == TIN_OP_DROPOUT)
            return tin_fail(err, TIN_ERR_MODEL, "layer %d (%s) cannot be quantised; fold the model first", i + 1,
                            tin_op_name(op));
        if (op == TIN_OP_RELU && (i == 0 || !tin_quantize_has_relu(folded, i - 1)))
            return tin_fail(err, TIN_ERR_MODEL,
                            "layer %d (relu) does not follow a conv1d or dense, so it cannot be part of one; move it "
                            "right behind one",
                            i + 1);
    }
    return TIN_OK;
}
