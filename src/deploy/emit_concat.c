/* concat: inputs that were not written into its row right away are copied, or brought to its scale. */
#include <stdio.h>

#include "deploy/emit.h"

static bool is_copied(const tin_qlayer *l, int k)
{
    return l->mult[k] == (int32_t)1 << l->shift;
}

static bool is_rescaled(tin_emit *e, int layer, int k)
{
    const tin_qlayer *l = &e->model->layers[layer];
    return !is_copied(l, k) || tin_emit_input_wide(e, layer, k) != tin_emit_output_wide(e, layer);
}

static void kernels(tin_emit *e, int layer)
{
    for (int k = 0; k < e->model->layers[layer].n_from; k++) {
        if (is_rescaled(e, layer, k)) {
            tin_emit_kernel(e, "rescale");
        }
    }
}

static void data(tin_emit *e, int layer)
{
    const tin_qlayer *l = &e->model->layers[layer];
    for (int k = 0; k < l->n_from; k++) {
        if (is_rescaled(e, layer, k)) {
            const int wide_out = tin_emit_output_wide(e, layer);
            tin_text_printf(&e->source, "static const %s_rescale_t %s_%s_part_%d = {\n    %ld, /* mult */\n", e->name,
                            e->name, e->layers[layer].label, k + 1, (long)l->mult[k]);
            tin_text_printf(&e->source, "    %d, %d, %d, %d, %d, /* channels, shift, low, wide, wide_out */\n};\n",
                            tin_emit_row_of(e, l->from[k])->width, l->shift, wide_out ? -32767 : -128,
                            tin_emit_input_wide(e, layer, k), wide_out);
        }
    }
}

static void call(tin_emit *e, int layer)
{
    const tin_qlayer *l = &e->model->layers[layer];
    char input[TIN_EXPRESSION], output[TIN_EXPRESSION];
    long column = 0;
    tin_emit_output(e, layer, output);
    for (int k = 0; k < l->n_from; k++) {
        const tin_emit_row *part = tin_emit_row_of(e, l->from[k]);
        char place[32] = "";
        if (column > 0) {
            (void)snprintf(place, sizeof place, " + %ld", column);
        }
        tin_emit_input(e, layer, k, input);
        if (is_rescaled(e, layer, k)) {
            tin_emit_statement(e, "%s_rescale(&%s_%s_part_%d, %s, %s%s);", e->name, e->name, e->layers[layer].label,
                               k + 1, input, output, place);
        } else if (!tin_emit_is_joined(e, layer, k)) {
            tin_emit_statement(e, "memcpy(%s%s, %s, %d);", output, place, input, part->width * part->bits / 8);
        }
        column += part->width;
    }
}

const tin_emit_op tin_emit_concat = {kernels, NULL, data, call, NULL, NULL, NULL};
