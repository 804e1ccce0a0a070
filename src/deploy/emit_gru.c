/* gru: both matrices in blocks of four units, and one record of constants per unit. */
#include "deploy/emit.h"

typedef struct gates {
    tin_emit_matrix matrix; /* n_rows = 3 * units; gate g of unit u is row g * units + u */
    int units;
} gates;

/* Blocks in the order of the kernel: four units after four units, gates r, z, n within. */
static long gate_weight(const void *context, long index)
{
    const gates *g = context;
    const long block = tin_emit_block_bytes(&g->matrix);
    const int group = (int)(index / (3 * block)), gate = (int)(index / block % 3);
    const tin_emit_matrix one = {.weight = g->matrix.weight + (long)gate * g->units * g->matrix.width,
                                 .n_rows = g->units,
                                 .taps = 1,
                                 .width = g->matrix.width};
    return tin_emit_block_weight(&one, 4 * group, index % block);
}

/* Records of 40 per four units: per gate bias, mult, hidden mult; then the hidden bias of n. Units that do not exist
 * hold 0. */
static long unit_value(const void *context, long index)
{
    const tin_qlayer *l = context;
    const int units = l->n_outputs, u = (int)(index / 40 * 4 + index % 4), field = (int)(index % 40 / 4);
    if (u >= units) {
        return 0;
    }
    if (field == 9) {
        return l->hidden_bias[u];
    }
    const int row = field / 3 * units + u;
    return field % 3 == 0 ? l->bias[row] : field % 3 == 1 ? l->mult[row] : l->hidden_mult[row];
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

/* The six products of four units, in the order of the kernel. */
typedef struct packed_gates {
    tin_emit_matrix part[6];
    int rest[6];
    tin_encoding encoding;
    long words; /* of four units */
} packed_gates;

static packed_gates pack_gates(const tin_qlayer *l, tin_encoding encoding)
{
    static const struct {
        int gate;
        bool hidden;
    } order[6] = {{0, false}, {0, true}, {2, true}, {2, false}, {1, false}, {1, true}};
    packed_gates p = {.encoding = encoding, .words = 0};
    int rest[2] = {0, 0}; /* of x and of the state: one for all gates */
    for (int i = 0; i < 6; i++) {
        p.part[i] = tin_emit_gate(l, order[i].gate, order[i].hidden);
        p.words += tin_packed_words(&p.part[i], encoding);
        const int one = tin_packed_shift(&p.part[i]);
        rest[order[i].hidden] = one > rest[order[i].hidden] ? one : rest[order[i].hidden];
    }
    for (int i = 0; i < 6; i++) {
        p.rest[i] = rest[order[i].hidden];
    }
    return p;
}

static long packed_gate_word(const void *context, long index)
{
    const packed_gates *p = context;
    const int row = (int)(index / p->words) * 4;
    long at = index % p->words;
    int part = 0;
    while (at >= tin_packed_words(&p->part[part], p->encoding)) {
        at -= tin_packed_words(&p->part[part++], p->encoding);
    }
    return tin_packed_word(&p->part[part], p->encoding, p->rest[part], row, at);
}

static void packed_gru_data(tin_emit *e, int layer)
{
    const tin_qlayer *l = &e->model->layers[layer];
    const char *label = e->layers[layer].label, *encoding = tin_encoding_name(e->layers[layer].encoding);
    const packed_gates p = pack_gates(l, e->layers[layer].encoding);
    tin_emit_array(e, "int32_t", label, "weight", (l->n_outputs + 3) / 4 * p.words, packed_gate_word, &p);
    tin_text_printf(&e->source, "static const %s_%s_gru_t %s_%s = {\n    %s_%s_weight,\n", e->name, encoding, e->name,
                    label, e->name, label);
    tin_text_printf(&e->source, "    %d, %d, %ld, %ld, /* inputs, units, count, hidden_count */\n};\n\n", l->n_inputs,
                    l->n_outputs, tin_packed_count(&p.part[0], p.rest[0]), tin_packed_count(&p.part[1], p.rest[1]));
}

void tin_emit_gru_data(tin_emit *e, int layer)
{
    if (e->layers[layer].encoding != TIN_ENCODING_PLAIN) {
        packed_gru_data(e, layer);
        return;
    }
    const tin_qlayer *l = &e->model->layers[layer];
    const char *label = e->layers[layer].label;
    const int units = l->n_outputs, groups = (units + 3) / 4;
    const gates input = {{.weight = l->weight, .n_rows = 3 * units, .taps = 1, .width = l->n_inputs}, units};
    const gates hidden = {{.weight = l->hidden_weight, .n_rows = 3 * units, .taps = 1, .width = units}, units};
    tin_emit_array(e, "int8_t", label, "weight", 3 * groups * tin_emit_block_bytes(&input.matrix), gate_weight, &input);
    tin_emit_array(e, "int8_t", label, "hidden_weight", 3 * groups * tin_emit_block_bytes(&hidden.matrix), gate_weight,
                   &hidden);
    tin_text_add(&e->source, "/* per four units: gates r z n: bias, mult, hidden mult; hidden bias of n */\n");
    tin_emit_array(e, "int32_t", label, "unit", 40L * groups, unit_value, l);
    tin_text_printf(&e->source, "static const %s_gru_t %s_%s = {\n    %s_%s_weight, %s_%s_hidden_weight, %s_%s_unit,\n",
                    e->name, e->name, label, e->name, label, e->name, label, e->name, label);
    tin_text_printf(&e->source, "    %d, %d, %d, %d, /* inputs, units, shift, hidden_shift */\n};\n\n", l->n_inputs,
                    units, l->shift, l->hidden_shift);
}

void tin_emit_gru_call(tin_emit *e, int layer, const char *input, const char *output)
{
    const char *label = e->layers[layer].label;
    const tin_encoding encoding = e->layers[layer].encoding;
    const bool packed = encoding != TIN_ENCODING_PLAIN;
    tin_text_printf(&e->source, "    %s_%s%sgru(&%s_%s, %s, s->%s_h, s->%s_h8%s);\n", e->name,
                    packed ? tin_encoding_name(encoding) : "", packed ? "_" : "", e->name, label, input, label, label,
                    packed ? ", s->lanes" : "");
    if (output != NULL) {
        tin_text_printf(&e->source, "    memcpy(%s, s->%s_h8, %d);\n", output, label,
                        e->model->layers[layer].n_outputs);
    }
}
