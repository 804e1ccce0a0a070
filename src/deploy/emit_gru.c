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

void tin_emit_gru_data(tin_emit *e, int layer)
{
    const tin_qlayer *l = &e->model->layers[layer];
    const char *label = e->layers[layer].label;
    const int units = l->n_outputs, groups = (units + 3) / 4;
    const gates input = {{l->weight, 3 * units, 1, l->n_inputs}, units};
    const gates hidden = {{l->hidden_weight, 3 * units, 1, units}, units};
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
    tin_text_printf(&e->source, "    %s_gru(&%s_%s, %s, s->%s_h, s->%s_h8);\n", e->name, e->name, label, input, label,
                    label);
    if (output != NULL) {
        tin_text_printf(&e->source, "    memcpy(%s, s->%s_h8, %d);\n", output, label,
                        e->model->layers[layer].n_outputs);
    }
}
