#include "train/plan.h"

#include <string.h>

#define LONGEST_KERNEL 256 /* of the kernels' tables */

static tin_node_kind kind_of(const tin_layer *layer)
{
    switch (layer->op) {
    case TIN_OP_GRU:
        return TIN_NODE_GRU;
    case TIN_OP_AVG_POOL:
        return TIN_NODE_POOL;
    case TIN_OP_BATCH_NORM:
        return TIN_NODE_NORM;
    case TIN_OP_RELU:
        return TIN_NODE_RELU;
    case TIN_OP_DROPOUT:
        return TIN_NODE_DROPOUT;
    default:
        return layer->groups > 1 ? TIN_NODE_DEPTHWISE : TIN_NODE_CONV;
    }
}

static void place_params(tin_node *node, const tin_layer *layer)
{
    if (layer->n_params >= 2) {
        node->weight = layer->params[0].offset;
        node->bias = layer->params[1].offset;
    }
    if (node->kind == TIN_NODE_GRU) { /* weight_ih, weight_hh, bias_ih, bias_hh */
        node->weight_hh = layer->params[1].offset;
        node->bias = layer->params[2].offset;
        node->bias_hh = layer->params[3].offset;
    } else if (node->kind == TIN_NODE_NORM) {
        node->running_mean = layer->params[2].offset;
        node->running_var = layer->params[3].offset;
    }
}

static void start_node(tin_node *node, const tin_layer *layer, int index, int rows_in)
{
    memset(node, 0, sizeof *node);
    node->kind = kind_of(layer);
    node->layer = index;
    node->n_inputs = layer->n_inputs;
    node->n_outputs = layer->n_outputs;
    bool over_time = node->kind == TIN_NODE_CONV || node->kind == TIN_NODE_DEPTHWISE || node->kind == TIN_NODE_POOL;
    bool has_taps = over_time && layer->op != TIN_OP_DENSE;
    node->kernel = has_taps ? layer->kernel : 1;
    node->stride = has_taps ? layer->stride : 1;
    node->dilation = has_taps && node->kind != TIN_NODE_POOL ? layer->dilation : 1;
    int span = (node->kernel - 1) * node->dilation + 1;
    node->history = span > node->stride ? span - node->stride : 0;
    node->skip = span < node->stride ? node->stride - span : 0;
    node->rows_in = rows_in;
    node->rows_out = rows_in / node->stride;
    node->rate = layer->rate;
    place_params(node, layer);
}

static tin_status check_layer(const tin_model *model, const tin_quant_spec *quant, int index, tin_error *err)
{
    const tin_layer *layer = &model->layers[index];
    if (layer->op == TIN_OP_CONV1D && layer->groups == 1 && layer->kernel > LONGEST_KERNEL) {
        return tin_fail(err, TIN_ERR_MODEL, "layer %d (%s): kernel %d is longer than %d; use a stride or a dilation",
                        index + 1, tin_op_name(layer->op), layer->kernel, LONGEST_KERNEL);
    }
    bool depthwise = layer->groups == layer->n_inputs;
    if (layer->op == TIN_OP_CONV1D && layer->groups != 1 && !depthwise) {
        return tin_fail(err, TIN_ERR_MODEL, "layer %d (conv1d): %d groups; use 1 or as many as inputs (%d)", index + 1,
                        layer->groups, layer->n_inputs);
    }
    if (quant && (layer->op == TIN_OP_BATCH_NORM || layer->op == TIN_OP_DROPOUT)) {
        return tin_fail(err, TIN_ERR_MODEL, "layer %d (%s) cannot be trained with quantisation; fold the model first",
                        index + 1, tin_op_name(layer->op));
    }
    return TIN_OK;
}

static bool takes_relu(tin_node_kind kind)
{
    return kind == TIN_NODE_CONV || kind == TIN_NODE_DEPTHWISE || kind == TIN_NODE_NORM || kind == TIN_NODE_POOL;
}

static tin_status make_nodes(tin_plan *plan, const tin_model *model, const tin_quant_spec *quant, int chunk,
                             tin_error *err)
{
    int rows = chunk;
    for (int i = 0; i < model->n_layers; i++) {
        tin_status status = check_layer(model, quant, i, err);
        if (status) {
            return status;
        }
        const tin_layer *layer = &model->layers[i];
        tin_node *node = plan->n_nodes > 0 ? &plan->nodes[plan->n_nodes - 1] : NULL;
        bool fused = layer->op == TIN_OP_RELU && node && takes_relu(node->kind) && !node->relu && !node->quantised;
        if (layer->op == TIN_OP_DROPOUT && layer->rate <= 0) {
            continue;
        }
        if (!fused) {
            node = &plan->nodes[plan->n_nodes++];
            start_node(node, layer, i, rows);
            rows = node->rows_out;
        }
        node->relu |= layer->op == TIN_OP_RELU;
        node->weights_quantised = quant != NULL;
        node->scale = quant ? quant->output_scale[i] : 0;
        node->quantised = node->scale > 0 || (quant && layer->op == TIN_OP_GRU);
        node->input_gradient = plan->n_nodes > 1;
        plan->n_norms += node->kind == TIN_NODE_NORM && !fused;
    }
    return TIN_OK;
}

/* Tensor i is the input of node i; tensor n_nodes the output of the last. */
static void place_tensors(tin_plan *plan)
{
    for (int i = 0; i <= plan->n_nodes; i++) {
        tin_node *from = i > 0 ? &plan->nodes[i - 1] : NULL, *to = i < plan->n_nodes ? &plan->nodes[i] : NULL;
        size_t row = (size_t)(to ? to->n_inputs : from->n_outputs) * TIN_LANES;
        size_t rows = (size_t)(to ? to->rows_in : from->rows_out);
        size_t before = to ? (size_t)to->history : 0;
        if (from && from->kind == TIN_NODE_GRU && before == 0) {
            before = 1; /* the state before the chunk */
        }
        size_t at = plan->work_size + before * row;
        plan->work_size = at + rows * row;
        if (to) {
            to->x = at;
        }
        if (from) {
            size_t behind = from->history > 0 ? (size_t)((from->history - 1) / from->stride + 1) : 0;
            from->y = at;
            from->dy = plan->work_size;
            plan->work_size += (rows + behind) * row;
        }
        if (from && to) {
            to->dx = from->dy;
        }
    }
}

static void place_rest(tin_plan *plan, const tin_kernel *kernel)
{
    for (int i = 0; i < plan->n_nodes; i++) {
        tin_node *node = &plan->nodes[i];
        node->saved = plan->work_size;
        plan->work_size += (kernel->saved_size(node) + TIN_LANES - 1) / TIN_LANES * TIN_LANES;
        node->packed = plan->packed_size;
        plan->packed_size += kernel->packed_size(node);
        node->state = plan->state_size;
        plan->state_size += (size_t)node->history * (size_t)node->n_inputs * TIN_LANES;
        if (node->kind == TIN_NODE_GRU) {
            plan->state_size += (size_t)node->n_outputs * TIN_LANES;
        }
        if (node->kind == TIN_NODE_NORM) {
            node->shared = plan->shared_size;
            plan->shared_size += (size_t)(TIN_NORM_ROWS * node->n_outputs);
        }
    }
    size_t most = 0; /* scratch is used by one node at a time */
    for (int i = 0; i < plan->n_nodes; i++) {
        size_t size = (kernel->scratch_size(&plan->nodes[i]) + TIN_LANES - 1) / TIN_LANES * TIN_LANES;
        most = size > most ? size : most;
        plan->nodes[i].scratch = plan->work_size;
    }
    plan->work_size += most;
}

tin_status tin_plan_make(tin_plan *plan, const tin_model *model, const tin_quant_spec *quant, int chunk,
                         const tin_kernel *kernel, tin_error *err)
{
    memset(plan, 0, sizeof *plan);
    if (chunk <= 0 || chunk % model->hop != 0) {
        return tin_fail(err, TIN_ERR_CONFIG, "train: chunk %d must be a multiple of %d, the frames per decision", chunk,
                        model->hop);
    }
    tin_status status = make_nodes(plan, model, quant, chunk, err);
    if (status) {
        return status;
    }
    plan->input_scale = quant ? quant->input_scale : 0;
    place_tensors(plan);
    place_rest(plan, kernel);
    return TIN_OK;
}
