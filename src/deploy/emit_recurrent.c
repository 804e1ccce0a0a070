/* gru, mgu and lstm: both matrices in blocks of four units, and one record of constants per four units. min_gru, which
 * has one matrix only. */
#include <stdio.h>

#include "deploy/emit.h"

/* Gates in the order in which the kernel reads them: for each four units the gates first..last, then the same for the
 * gates of the next part. gru with the reset before the product has two parts: r of all units, then z and n. */
typedef struct gate_order {
    const tin_emit *e;
    const tin_qlayer *layer;
    int gates, split;       /* gates of the first part; as many as there are where there is one part */
    tin_emit_matrix matrix; /* of all gates: gate g of unit u is row g * units + u */
} gate_order;

static gate_order order_of(const tin_emit *e, const tin_qlayer *l, bool hidden)
{
    const int gates = tin_qlayer_gates(l), units = l->n_outputs;
    return (gate_order){.e = e,
                        .layer = l,
                        .gates = gates,
                        .split = l->reset_before ? 1 : gates,
                        .matrix = {.weight = hidden ? l->hidden_weight : l->weight,
                                   .n_rows = gates * units,
                                   .taps = 1,
                                   .width = hidden ? units : l->n_inputs}};
}

/* Block `index` of the kernel's order: which gate, of which four units. */
static void find_block(const gate_order *o, long index, int *gate, int *group)
{
    const int groups = (o->layer->n_outputs + 3) / 4;
    const bool second = index >= (long)o->split * groups;
    const long at = second ? index - (long)o->split * groups : index;
    const int width = second ? o->gates - o->split : o->split;
    *gate = (int)(at % width) + (second ? o->split : 0);
    *group = (int)(at / width);
}

static long gate_weight(const void *context, long index)
{
    const gate_order *o = context;
    const long block = tin_emit_block_bytes(&o->matrix);
    int gate, group;
    find_block(o, index / block, &gate, &group);
    const tin_emit_matrix one = {.weight = o->matrix.weight + (long)gate * o->layer->n_outputs * o->matrix.width,
                                 .n_rows = o->layer->n_outputs,
                                 .taps = 1,
                                 .width = o->matrix.width};
    return tin_emit_block_weight(&one, 4 * group, index % block);
}

static long gate_weights(const gate_order *o)
{
    return (long)o->gates * ((o->layer->n_outputs + 3) / 4) * tin_emit_block_bytes(&o->matrix);
}

/* The last gate has a hidden bias of its own where it is multiplied by another: gru with the reset after, and mgu. */
static bool has_hidden_bias(const tin_qlayer *l)
{
    return l->op == TIN_OP_MGU || (l->op == TIN_OP_GRU && !l->reset_before);
}

/* int32 of one gate of four units, and of all gates. */
static long gate_record(const tin_qlayer *l)
{
    return l->op == TIN_OP_MIN_GRU ? 8 : 12;
}

static long group_record(const tin_qlayer *l)
{
    return gate_record(l) * tin_qlayer_gates(l) + (has_hidden_bias(l) ? 4 : 0);
}

/* Per gate bias, mult, hidden mult of four units, then the hidden bias of the last gate. Units that do not exist hold
 * 0. */
static long unit_value(const void *context, long index)
{
    const gate_order *o = context;
    const tin_qlayer *l = o->layer;
    const long groups = group_record(l), record = gate_record(l);
    int gate, group;
    bool hidden_bias = false;
    if (has_hidden_bias(l)) { /* one part: the group's record is not a whole number of gate records */
        group = (int)(index / groups);
        index %= groups;
        hidden_bias = index >= record * o->gates;
        gate = (int)(index / record);
    } else {
        find_block(o, index / record, &gate, &group);
    }
    const int u = 4 * group + (int)(index % 4), field = hidden_bias ? 3 : (int)(index % record / 4);
    if (u >= l->n_outputs) {
        return o->e->powers && (field == 1 || field == 2) ? 1 : 0; /* a shift that is none of 0 - 1 bits */
    }
    if (hidden_bias) {
        return l->hidden_bias[u];
    }
    const int row = gate * l->n_outputs + u;
    return field == 0 ? l->bias[row] : tin_emit_factor(o->e, field == 1 ? l->mult[row] : l->hidden_mult[row]);
}

static void weights(tin_emit *e, int layer, bool hidden)
{
    const gate_order o = order_of(e, &e->model->layers[layer], hidden);
    tin_emit_array(e, "int8_t", e->layers[layer].label, hidden ? "hidden_weight" : "weight", gate_weights(&o),
                   gate_weight, &o);
}

static void units(tin_emit *e, int layer)
{
    const tin_qlayer *l = &e->model->layers[layer];
    const gate_order o = order_of(e, l, false);
    tin_text_printf(&e->source, "/* per four units, gate after gate: bias, mult%s%s */\n",
                    l->op == TIN_OP_MIN_GRU ? "" : ", hidden mult",
                    has_hidden_bias(l) ? "; behind the last gate its hidden bias" : "");
    tin_emit_array(e, "int32_t", e->layers[layer].label, "unit", group_record(l) * ((l->n_outputs + 3) / 4), unit_value,
                   &o);
}

tin_emit_matrix tin_emit_gate(const tin_qlayer *l, int gate, bool hidden)
{
    const int units = l->n_outputs, columns = hidden ? units : l->n_inputs;
    const long first = (long)gate * units;
    return (tin_emit_matrix){.weight = (hidden ? l->hidden_weight : l->weight) + first * columns,
                             .n_rows = units,
                             .taps = 1,
                             .width = columns,
                             .bias = !hidden     ? l->bias + first
                                     : gate == 2 ? l->hidden_bias
                                                 : NULL,
                             .mult = (hidden ? l->hidden_mult : l->mult) + first,
                             .shift = hidden ? l->hidden_shift : l->shift};
}

/* Which gate of which matrix. */
typedef struct gate_of {
    int gate;
    bool hidden;
} gate_of;

/* The products of four units in the order of the kernel: all six, then those on the state and on x alone. */
static const gate_of together[6] = {{0, false}, {0, true}, {2, false}, {2, true}, {1, false}, {1, true}};
static const gate_of on_state[3] = {{2, true}, {0, true}, {1, true}}, on_x[3] = {{0, false}, {2, false}, {1, false}};

/* The matrices of `order`; rest [n]: the shift that is left to the kernel, one for all gates on x and one for those on the
 * state; packed kernels have another one for gate n of the state. */
static void gates_in_order(const tin_qlayer *l, bool packed, const gate_of *order, int n, tin_emit_matrix *parts,
                           int *rest)
{
    int most[3] = {0, 0, 0}, kind[6];
    for (int i = 0; i < n; i++) {
        parts[i] = tin_emit_gate(l, order[i].gate, order[i].hidden);
        kind[i] = order[i].hidden + (packed && order[i].hidden && order[i].gate == 2);
        const int one = tin_packed_shift(&parts[i]);
        most[kind[i]] = one > most[kind[i]] ? one : most[kind[i]];
    }
    for (int i = 0; i < n; i++) {
        rest[i] = most[kind[i]];
    }
}

static void packed_gru_data(tin_emit *e, int layer)
{
    const tin_qlayer *l = &e->model->layers[layer];
    const char *label = e->layers[layer].label, *encoding = tin_encoding_name(e->layers[layer].encoding);
    tin_emit_matrix parts[6];
    int rest[6];
    gates_in_order(l, tin_emit_is_packed(e, layer), together, 6, parts, rest);
    tin_packed_emit(e, layer, "weight", parts, rest, 6);
    tin_text_printf(&e->source, "static const %s_%s_gru_t %s_%s = {\n    %s_%s_weight,", e->name, encoding, e->name,
                    label, e->name, label);
    if (tin_encoding_is_vector(e->layers[layer].encoding)) {
        tin_text_printf(&e->source, "\n    %d, %d, /* inputs, units */\n", l->n_inputs, l->n_outputs);
        tin_text_printf(&e->source, "    %ld, %d, %ld, %d, /* groups, shift, those of the state */\n};\n",
                        tin_packed_eights(&parts[0]), rest[0], tin_packed_eights(&parts[1]), rest[1]);
        return;
    }
    tin_text_printf(&e->source, " %s_sigmoid_table%s,\n", e->name, e->folded ? "" : " + 128");
    tin_text_printf(&e->source, "    %ld, %ld, %ld, /* count, hidden_count, n_count */\n    %ld, /* units */\n};\n",
                    tin_packed_count(&parts[0], rest[0]), tin_packed_count(&parts[1], rest[1]),
                    tin_packed_count(&parts[3], rest[3]), tin_emit_fours(l->n_outputs));
}

static const char *half_name(tin_emit_act act)
{
    return act == TIN_ACT_AHEAD ? "hidden" : "now";
}

/* One half of a gru that runs in two: its stream, and a descriptor per part. */
static void half_data(tin_emit *e, int layer, tin_emit_act act)
{
    const tin_qlayer *l = &e->model->layers[layer];
    const char *label = e->layers[layer].label;
    const tin_encoding encoding = e->layers[layer].encoding;
    const bool hidden = act == TIN_ACT_AHEAD;
    tin_emit_matrix gates[3];
    char suffix[32];
    int rest[3], n;
    const tin_emit_run *parts = tin_emit_parts(e, layer, act, &n);
    gates_in_order(l, true, hidden ? on_state : on_x, 3, gates, rest);
    (void)snprintf(suffix, sizeof suffix, "%s_weight", half_name(act));
    tin_packed_emit(e, layer, suffix, gates, rest, 3);
    for (int i = 0; i < n; i++) {
        tin_text_printf(&e->source, "static const %s_%s_half_t %s_%s_%s_%d = {\n    %s_%s_%s", e->name,
                        tin_encoding_name(encoding), e->name, label, half_name(act), i + 1, e->name, label, suffix);
        if (parts[i].first > 0) {
            tin_text_printf(&e->source, " + %ld", tin_packed_words(gates, 3, encoding, parts[i].first));
        }
        tin_text_printf(&e->source, ",\n    %d, %ld, %ld, /* units, count, n_count */\n};\n", parts[i].n,
                        tin_packed_count(&gates[1], rest[1]), tin_packed_count(&gates[0], rest[0]));
    }
}

static void data(tin_emit *e, int layer)
{
    const tin_qlayer *l = &e->model->layers[layer];
    const char *label = e->layers[layer].label;
    if (e->layers[layer].ahead) {
        half_data(e, layer, TIN_ACT_AHEAD);
        half_data(e, layer, TIN_ACT_GIVE);
        return;
    }
    if (e->layers[layer].encoding != TIN_ENCODING_PLAIN) {
        packed_gru_data(e, layer);
        return;
    }
    weights(e, layer, false);
    weights(e, layer, true);
    units(e, layer);
    tin_text_printf(&e->source, "static const %s_recurrent_t %s_%s = {\n    %s_%s_weight, %s_%s_hidden_weight,\n",
                    e->name, e->name, label, e->name, label, e->name, label);
    tin_text_printf(&e->source, "    %s_%s_unit,\n    %d, %d, %d, %d, /* inputs, units, shift, hidden_shift */\n",
                    e->name, label, l->n_inputs, l->n_outputs, l->shift, l->hidden_shift);
    if (e->wide) {
        tin_text_printf(&e->source, "    %d, /* wide */\n", tin_emit_input_wide(e, layer, 0));
    }
    tin_text_add(&e->source, "};\n");
}

static const char *kernel_of(const tin_qlayer *l)
{
    return l->reset_before ? "gru_before" : tin_op_name(l->op);
}

static void kernels(tin_emit *e, int layer)
{
    const tin_encoding encoding = e->layers[layer].encoding;
    if (encoding == TIN_ENCODING_PLAIN) {
        tin_emit_kernel(e, kernel_of(&e->model->layers[layer]));
    } else if (tin_encoding_is_vector(encoding)) {
        tin_emit_kernel(e, tin_encoding_name(encoding));
        tin_emit_template(e, "vector_gru", encoding);
    } else {
        tin_emit_widening(e, layer);
        if (!tin_emit_row_of(e, layer)->lanes) {
            tin_emit_kernel(e, "narrow");
        }
        tin_emit_kernel(e, tin_encoding_name(encoding));
        tin_emit_template(e, e->layers[layer].ahead ? "packed_gru_split" : "packed_gru", encoding);
    }
}

static void state(tin_emit *e, int layer)
{
    const tin_qlayer *l = &e->model->layers[layer];
    const char *label = e->layers[layer].label;
    const bool packed = e->layers[layer].encoding != TIN_ENCODING_PLAIN; /* its kernel writes four units at a time */
    const long units = packed ? (l->n_outputs + 3) / 4 * 4 : l->n_outputs;
    if (l->op == TIN_OP_LSTM) {
        tin_emit_member_add(e, "int32_t", label, "_cell", units, "Q23");
    } else {
        tin_emit_member_add(e, "int16_t", label, "_h", units, "Q15");
    }
    if (l->op != TIN_OP_MIN_GRU) {
        tin_emit_member_add(e, tin_emit_is_packed(e, layer) ? "int16_t" : "int8_t", label, "_h8", units, "Q7");
    }
    if (e->layers[layer].ahead) {
        tin_emit_member_add(e, "int32_t", label, "_ahead", 3 * units, "products with the state, for the next row");
    }
}

/* The state of a layer as its row, where that is another one: n units behind `unit`. */
static void copy_state(tin_emit *e, int layer, const char *unit, int n)
{
    const tin_emit_row *row = tin_emit_row_of(e, layer);
    const char *label = e->layers[layer].label;
    char output[TIN_EXPRESSION];
    if (row->place == TIN_PLACE_STATE) {
        return;
    }
    tin_emit_output(e, layer, output);
    if (tin_emit_is_packed(e, layer) && !row->lanes) {
        tin_emit_statement(e, "%s_narrow(s->%s_h8%s, %d, %s%s);", e->name, label, unit, n, output, unit);
    } else {
        tin_emit_statement(e, "memcpy(%s%s, s->%s_h8%s, %d);", output, unit, label, unit, n * row->bits / 8);
    }
}

static void call(tin_emit *e, int layer)
{
    const tin_qlayer *l = &e->model->layers[layer];
    const char *label = e->layers[layer].label;
    char input[TIN_EXPRESSION], kernel[TIN_EXPRESSION], work[64] = "";
    if (tin_encoding_is_vector(e->layers[layer].encoding)) {
        (void)snprintf(work, sizeof work, ", s->lanes");
    } else if (e->layers[layer].work_at >= 0) {
        (void)snprintf(work, sizeof work, ", s->scratch + %ld", e->layers[layer].work_at);
    }
    if (tin_emit_is_packed(e, layer)) {
        tin_emit_packed_input(e, layer, input);
    } else {
        tin_emit_input(e, layer, 0, input);
    }
    tin_emit_statement(e, "%s(&%s_%s, %s, s->%s_%s, s->%s_h8%s);", tin_emit_encoded(e, layer, kernel_of(l), kernel),
                       e->name, label, input, label, l->op == TIN_OP_LSTM ? "cell" : "h", label, work);
    copy_state(e, layer, "", l->n_outputs);
}

/* Part `number` of a gru in two halves. */
static void call_half(tin_emit *e, const tin_emit_run *run, int number)
{
    const char *label = e->layers[run->layer].label;
    const bool ahead = run->act == TIN_ACT_AHEAD;
    char input[TIN_EXPRESSION], kernel[TIN_EXPRESSION], unit[32] = "", product[32] = "";
    if (run->first > 0) {
        (void)snprintf(unit, sizeof unit, " + %d", run->first);
        (void)snprintf(product, sizeof product, " + %d", 3 * run->first);
    }
    tin_emit_encoded(e, run->layer, ahead ? "gru_ahead" : "gru_now", kernel);
    if (ahead) {
        tin_emit_statement(e, "%s(&%s_%s_hidden_%d, s->%s_h8, s->%s_ahead%s);", kernel, e->name, label, number, label,
                           label, product);
        return;
    }
    tin_emit_packed_input(e, run->layer, input);
    tin_emit_statement(e, "%s(&%s_%s_now_%d, %s, s->%s_ahead%s, s->%s_h%s, s->%s_h8%s);", kernel, e->name, label,
                       number, input, label, product, label, unit, label, unit);
    copy_state(e, run->layer, unit, run->n);
}

static void part(tin_emit *e, const tin_emit_run *run)
{
    int n;
    const tin_emit_run *parts = tin_emit_parts(e, run->layer, run->act, &n);
    call_half(e, run, (int)(run - parts) + 1);
}

/* What the state of 0 adds to the first row. */
static void init(tin_emit *e, int layer)
{
    int n;
    const tin_emit_run *parts = tin_emit_parts(e, layer, TIN_ACT_AHEAD, &n);
    for (int i = 0; e->layers[layer].ahead && i < n; i++) {
        call_half(e, &parts[i], i + 1);
    }
}

static void min_gru_data(tin_emit *e, int layer)
{
    const tin_qlayer *l = &e->model->layers[layer];
    const char *label = e->layers[layer].label;
    weights(e, layer, false);
    units(e, layer);
    tin_text_printf(&e->source, "static const %s_min_gru_t %s_%s = {\n    %s_%s_weight, %s_%s_unit,\n", e->name,
                    e->name, label, e->name, label, e->name, label);
    tin_text_printf(&e->source, "    %d, %d, %d, /* inputs, units, shift */\n", l->n_inputs, l->n_outputs, l->shift);
    if (e->wide) {
        tin_text_printf(&e->source, "    %d, /* wide */\n", tin_emit_input_wide(e, layer, 0));
    }
    tin_text_add(&e->source, "};\n");
}

static void min_gru_call(tin_emit *e, int layer)
{
    const char *label = e->layers[layer].label;
    char input[TIN_EXPRESSION], output[TIN_EXPRESSION];
    tin_emit_statement(e, "%s_min_gru(&%s_%s, %s, s->%s_h, %s);", e->name, e->name, label,
                       tin_emit_input(e, layer, 0, input), label, tin_emit_output(e, layer, output));
}

const tin_emit_op tin_emit_recurrent = {kernels, state, data, call, NULL, init, part};
const tin_emit_op tin_emit_min_gru = {kernels, state, min_gru_data, min_gru_call, NULL, NULL, NULL};
