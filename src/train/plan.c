#include "train/plan.h"

#include <math.h>
#include <string.h>

#define LONGEST_KERNEL 256 /* of the kernels' tables */
_Static_assert(TIN_NODE_READS == TIN_MAX_FROM, "a node reads what a layer reads");

/* How a layer is run: one row per op that can be trained. */
typedef struct op_kind {
    tin_node_kind kind;
    tin_node_activation activation;
} op_kind;

static op_kind kind_of(const tin_layer *layer)
{
    static const op_kind kinds[TIN_OP_COUNT] = {
        [TIN_OP_CONV1D] = {TIN_NODE_CONV, 0},
        [TIN_OP_DENSE] = {TIN_NODE_CONV, 0},
        [TIN_OP_GRU] = {TIN_NODE_GRU, 0},
        [TIN_OP_LSTM] = {TIN_NODE_LSTM, 0},
        [TIN_OP_MGU] = {TIN_NODE_MGU, 0},
        [TIN_OP_MIN_GRU] = {TIN_NODE_MIN_GRU, 0},
        [TIN_OP_AVG_POOL] = {TIN_NODE_AVG_POOL, 0},
        [TIN_OP_MAX_POOL] = {TIN_NODE_MAX_POOL, 0},
        [TIN_OP_EMA] = {TIN_NODE_EMA, 0},
        [TIN_OP_BATCH_NORM] = {TIN_NODE_NORM, 0},
        [TIN_OP_ADD] = {TIN_NODE_ADD, 0},
        [TIN_OP_MULTIPLY] = {TIN_NODE_MULTIPLY, 0},
        [TIN_OP_CONCAT] = {TIN_NODE_CONCAT, 0},
        [TIN_OP_DROPOUT] = {TIN_NODE_DROPOUT, 0},
        [TIN_OP_MASK] = {TIN_NODE_MASK, 0},
        [TIN_OP_LOG_ENERGY] = {TIN_NODE_LOG_ENERGY, 0},
        [TIN_OP_LOG_MEL] = {TIN_NODE_FEATURE, 0},
        [TIN_OP_LOG_VARIANCE] = {TIN_NODE_FEATURE, 0},
        [TIN_OP_HIGH_PASS] = {TIN_NODE_FEATURE, 0},
        [TIN_OP_DIFFERENCE] = {TIN_NODE_FEATURE, 0},
        [TIN_OP_MAGNITUDE] = {TIN_NODE_FEATURE, 0},
        [TIN_OP_RELU] = {TIN_NODE_ACTIVATION, TIN_NODE_RELU},
        [TIN_OP_RELU6] = {TIN_NODE_ACTIVATION, TIN_NODE_RELU6},
        [TIN_OP_HARD_TANH] = {TIN_NODE_ACTIVATION, TIN_NODE_HARD_TANH},
        [TIN_OP_HARD_SIGMOID] = {TIN_NODE_ACTIVATION, TIN_NODE_HARD_SIGMOID},
        [TIN_OP_SIGMOID] = {TIN_NODE_ACTIVATION, TIN_NODE_SIGMOID},
        [TIN_OP_TANH] = {TIN_NODE_ACTIVATION, TIN_NODE_TANH},
    };
    op_kind kind = kinds[layer->op]; /* TIN_NODE_INPUT where there is no row */
    if (kind.kind == TIN_NODE_CONV && layer->groups > 1) {
        kind.kind = TIN_NODE_DEPTHWISE;
    }
    if (kind.kind == TIN_NODE_GRU && layer->reset_before) {
        kind.kind = TIN_NODE_GRU_RESET_BEFORE;
    }
    return kind;
}

static void place_params(tin_node *node, const tin_layer *layer)
{
    if (layer->n_params >= 2) {
        node->weight = layer->params[0].offset;
        node->bias = layer->params[1].offset;
    }
    if (tin_node_recurrent(node->kind) && layer->n_params == 4) { /* weight_ih, weight_hh, bias_ih, bias_hh */
        node->weight_hh = layer->params[1].offset;
        node->bias = layer->params[2].offset;
        node->bias_hh = layer->params[3].offset;
    } else if (node->kind == TIN_NODE_NORM) {
        node->running_mean = layer->params[2].offset;
        node->running_var = layer->params[3].offset;
    }
}

static void start_node(tin_node *node, const tin_layer *layer, int index, const tin_quant_spec *quant, int rows_in)
{
    op_kind kind = kind_of(layer);
    node->kind = kind.kind;
    node->activation = kind.activation;
    node->layer = index;
    node->n_inputs = layer->n_inputs;
    node->n_outputs = layer->n_outputs;
    node->kernel = layer->kernel;
    node->stride = layer->stride;
    node->dilation = layer->dilation;
    int span = (node->kernel - 1) * node->dilation + 1;
    bool feature = tin_op_reads_counts(layer->op); /* which keeps its past itself */
    node->history = span > node->stride && !feature ? span - node->stride : 0;
    node->skip = span < node->stride ? node->stride - span : 0;
    node->rows_in = rows_in;
    node->rows_out = rows_in / node->stride;
    node->rate = layer->rate;
    node->mask_bands = layer->op == TIN_OP_MASK ? layer->bands : 0;
    node->mask_rows = layer->rows;
    node->mask_count = layer->count;
    node->share = ldexpf(1, -layer->shift);
    node->log2_stride = ilogb(layer->stride);
    node->trains = layer->n_params > 0;
    node->weight_bits = !quant ? 0 : quant->weight_bits[index] ? quant->weight_bits[index] : 8;
    node->power_of_two = quant && quant->power_of_two;
    place_params(node, layer);
}

static tin_status check_layer(const tin_model *model, const tin_quant_spec *quant, int index, int chunk, tin_error *err)
{
    const tin_layer *layer = &model->layers[index];
    if (layer->op == TIN_OP_LOG_ENERGY && chunk % (1 << layer->levels) != 0) {
        return tin_fail(err, TIN_ERR_CONFIG, "train: chunk %d must be a multiple of %d, the frames of a detail of %s",
                        chunk, 1 << layer->levels, layer->name);
    }
    if (kind_of(layer).kind == TIN_NODE_INPUT) {
        return tin_fail(err, TIN_ERR_MODEL, "layer %d (%s) cannot be trained; take it out", index + 1,
                        tin_op_name(layer->op));
    }
    if (layer->op == TIN_OP_CONV1D && layer->groups == 1 && layer->kernel > LONGEST_KERNEL) {
        return tin_fail(err, TIN_ERR_MODEL, "layer %d (%s): kernel %d is longer than %d; use a stride or a dilation",
                        index + 1, tin_op_name(layer->op), layer->kernel, LONGEST_KERNEL);
    }
    bool depthwise = layer->groups == layer->n_inputs;
    if (layer->op == TIN_OP_CONV1D && layer->groups != 1 && !depthwise) {
        return tin_fail(err, TIN_ERR_MODEL, "layer %d (conv1d): %d groups; use 1 or as many as inputs (%d)", index + 1,
                        layer->groups, layer->n_inputs);
    }
    if (quant && (layer->op == TIN_OP_BATCH_NORM || tin_op_trains_only(layer->op))) {
        return tin_fail(err, TIN_ERR_MODEL, "layer %d (%s) cannot be trained with quantisation; fold the model first",
                        index + 1, tin_op_name(layer->op));
    }
    return TIN_OK;
}

static void set_scale(tin_node *node, float scale, int bits, bool power_of_two)
{
    node->quantised = scale > 0;
    node->scale = power_of_two && scale > 0 ? (float)tin_power_of_two_up((double)scale) : scale;
    node->limit = bits == 16 ? 32767 : 127;
}

static bool gives_log(const tin_node *node)
{
    return node->kind == TIN_NODE_LOG_ENERGY || (node->kind == TIN_NODE_FEATURE && tin_op_gives_log(node->op));
}

static bool fixed_scale(const tin_node *node)
{
    return tin_node_recurrent(node->kind) || gives_log(node) || node->activation == TIN_NODE_SIGMOID ||
           node->activation == TIN_NODE_TANH;
}

/* Of node i: what it rounds its output to. */
static void quantise_node(tin_plan *plan, int i, const tin_quant_spec *quant)
{
    tin_node *node = &plan->nodes[i];
    int layer = node->scaled_by;
    const tin_node *source = &plan->nodes[node->in[0].node];
    if (node->kind == TIN_NODE_INPUT) {
        set_scale(node, quant->input_scale, quant->input_bits, quant->power_of_two);
    } else if (fixed_scale(node)) {
        set_scale(node, gives_log(node) ? TIN_LOG_SCALE : 1.f / 128, 8, false);
    } else if (node->kind == TIN_NODE_MAX_POOL) {
        node->quantised = source->quantised;
        node->scale = source->scale;
        node->limit = source->limit;
    } else {
        set_scale(node, quant->output_scale[layer], quant->output_bits[layer], quant->power_of_two);
    }
    for (int k = 0; k < node->n_in; k++) {
        const tin_node *part = &plan->nodes[node->in[k].node];
        node->in[k].same_scale = part->quantised && part->scale == node->scale && part->limit == node->limit;
    }
}

void tin_plan_scale(tin_plan *plan, const tin_quant_spec *quant)
{
    for (int i = 0; i < plan->n_nodes; i++) {
        quantise_node(plan, i, quant);
    }
}

static bool scale_is_limit(const tin_node *node)
{
    return node->activation == TIN_NODE_RELU6 || node->activation == TIN_NODE_HARD_TANH ||
           node->activation == TIN_NODE_HARD_SIGMOID;
}

/* Rows that a concat copies keep the scale that they share with it. */
static void keep_shared_scales(tin_plan *plan, tin_node *concat)
{
    for (int k = 0; k < concat->n_in; k++) {
        tin_node *part = &plan->nodes[concat->in[k].node];
        if (concat->in[k].same_scale) {
            concat->learns = false;
            while (part->kind == TIN_NODE_MAX_POOL) {
                part = &plan->nodes[part->in[0].node];
            }
            part->learns = false;
        }
    }
}

static void choose_learners(tin_plan *plan)
{
    for (int i = 1; i < plan->n_nodes; i++) {
        tin_node *node = &plan->nodes[i];
        node->learns = node->trains && node->quantised && !fixed_scale(node) && !scale_is_limit(node) &&
                       node->kind != TIN_NODE_MAX_POOL;
    }
    for (int i = 1; i < plan->n_nodes; i++) {
        if (plan->nodes[i].kind == TIN_NODE_CONCAT) {
            keep_shared_scales(plan, &plan->nodes[i]);
        }
    }
}

static void read_node(tin_plan *plan, tin_node *node, int from)
{
    node->in[node->n_in++] =
        (tin_read){.node = from, .n_channels = plan->nodes[from].n_outputs, .gradient = plan->nodes[from].trains};
    node->trains |= plan->nodes[from].trains;
}

static tin_status add_feature(tin_plan *plan, tin_node *node, const tin_layer *layer, double rate_hz, tin_error *err)
{
    const tin_feature_shape shape = tin_feature_of_layer(layer, rate_hz);
    tin_feature **feature = &plan->features[node - plan->nodes];
    tin_status status = tin_feature_create(feature, &shape, err);
    node->feature = *feature;
    node->op = layer->op;
    return status;
}

void tin_plan_free(tin_plan *plan)
{
    for (int i = 0; i < plan->n_nodes; i++) {
        tin_feature_free(plan->features[i]);
    }
}

static void add_input(tin_plan *plan, const tin_model *model, int chunk)
{
    tin_node *node = &plan->nodes[plan->n_nodes++];
    node->kind = TIN_NODE_INPUT;
    node->layer = TIN_FROM_INPUT;
    node->n_outputs = model->n_channels;
    node->rows_out = chunk;
}

static tin_status make_nodes(tin_plan *plan, const tin_model *model, const tin_quant_spec *quant, int chunk,
                             tin_error *err)
{
    int node_of[TIN_MAX_LAYERS]; /* the node whose output is that of the layer */
    add_input(plan, model, chunk);
    for (int i = 0; i < model->n_layers; i++) {
        tin_status status = check_layer(model, quant, i, chunk, err);
        if (status) {
            return status;
        }
        const tin_layer *layer = &model->layers[i];
        int first = layer->from[0], from = first == TIN_FROM_INPUT ? 0 : node_of[first];
        bool fused = first != TIN_FROM_INPUT && tin_model_activation(model, first) == i;
        node_of[i] = from;
        if (layer->op == TIN_OP_DROPOUT && layer->rate <= 0) {
            continue;
        }
        tin_node *node = &plan->nodes[from];
        if (fused) {
            node->activation = kind_of(layer).activation;
        } else {
            node_of[i] = plan->n_nodes++;
            node = &plan->nodes[node_of[i]];
            start_node(node, layer, i, quant, plan->nodes[from].rows_out);
            for (int k = 0; k < layer->n_from; k++) {
                int source = layer->from[k] == TIN_FROM_INPUT ? 0 : node_of[layer->from[k]];
                read_node(plan, node, source);
            }
            plan->n_norms += node->kind == TIN_NODE_NORM;
            status = node->kind == TIN_NODE_FEATURE ? add_feature(plan, node, layer, model->rate_hz, err) : TIN_OK;
            if (status) {
                return status;
            }
        }
        node->scaled_by = i;
    }
    return TIN_OK;
}

/* Backward runs from the last node to the first: the last reader of a tensor writes its gradient, the others add. */
static void order_gradients(tin_plan *plan)
{
    bool written[TIN_MAX_NODES] = {false};
    for (int i = plan->n_nodes - 1; i > 0; i--) {
        for (int k = 0; k < plan->nodes[i].n_in; k++) {
            int from = plan->nodes[i].in[k].node;
            plan->nodes[i].in[k].add = written[from];
            written[from] = true;
        }
    }
}

/* Finds the dense layers that alone read a recurrent one. */
static void find_heads(tin_plan *plan)
{
    int n_readers[TIN_MAX_NODES] = {0}, reader[TIN_MAX_NODES] = {0};
    for (int i = 1; i < plan->n_nodes; i++) {
        for (int k = 0; k < plan->nodes[i].n_in; k++) {
            int from = plan->nodes[i].in[k].node;
            n_readers[from]++;
            reader[from] = i;
        }
    }
    for (int i = 1; i < plan->n_nodes; i++) {
        tin_node *node = &plan->nodes[i], *head = &plan->nodes[reader[i]];
        if (tin_node_recurrent(node->kind) && n_readers[i] == 1 && head->kind == TIN_NODE_CONV && head->kernel == 1 &&
            head->stride == 1) {
            node->head = reader[i];
            head->in[0].later = true;
        }
    }
}

static void place_tensors(tin_plan *plan)
{
    for (int i = 1; i < plan->n_nodes; i++) {
        tin_node *node = &plan->nodes[i], *read = &plan->nodes[node->in[0].node];
        read->carried = node->history > read->carried ? node->history : read->carried;
    }
    for (int i = 0; i < plan->n_nodes; i++) {
        tin_node *node = &plan->nodes[i];
        size_t row = (size_t)node->n_outputs * TIN_LANES, rows = (size_t)node->rows_out;
        size_t before = tin_node_recurrent(node->kind) && node->carried == 0 ? 1 : (size_t)node->carried;
        node->y = plan->work_size + before * row; /* a recurrent layer has the state before the chunk there */
        plan->work_size = node->y + rows * row;
        if (node->trains && node->head == 0) {
            size_t behind = node->history > 0 ? (size_t)((node->history - 1) / node->stride + 1) : 0;
            node->dy = plan->work_size;
            plan->work_size += (rows + behind) * row;
        }
        for (int k = 0; k < node->n_in; k++) {
            const tin_node *from = &plan->nodes[plan->nodes[i].in[k].node];
            node->in[k].x = from->y;
            node->in[k].dx = from->dy;
        }
    }
}

static void place_rest(tin_plan *plan, const tin_kernel *kernel)
{
    size_t most = 0; /* scratch is used by one node at a time */
    for (int i = 0; i < plan->n_nodes; i++) {
        tin_node *node = &plan->nodes[i];
        node->saved = plan->work_size;
        plan->work_size += tin_whole_rows(kernel->saved_size(node));
        node->packed = plan->packed_size;
        plan->packed_size += tin_whole_rows(kernel->packed_size(node));
        node->state = plan->state_size;
        plan->state_size += (size_t)node->carried * (size_t)node->n_outputs * TIN_LANES + kernel->state_size(node);
        if (node->kind == TIN_NODE_NORM) {
            node->shared = plan->shared_size;
            plan->shared_size += (size_t)(TIN_NORM_ROWS * node->n_outputs);
        }
        size_t size = tin_whole_rows(kernel->scratch_size(node));
        most = size > most ? size : most;
    }
    for (int i = 0; i < plan->n_nodes; i++) {
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
    if (quant) {
        tin_plan_scale(plan, quant);
        choose_learners(plan);
    }
    order_gradients(plan);
    find_heads(plan);
    place_tensors(plan);
    place_rest(plan, kernel);
    return TIN_OK;
}
