/* log_variance: takes the counts of every frame, gives a row after each block of `stride` frames. */
#include <stdio.h>

#include "deploy/emit.h"
#include "model/log_variance.h"

static void kernels(tin_emit *e, int layer)
{
    (void)layer;
    tin_emit_kernel(e, "log_variance");
}

static void state(tin_emit *e, int layer)
{
    const tin_qlayer *l = &e->model->layers[layer];
    const char *label = e->layers[layer].label;
    const long past = (long)(l->kernel - 1) * l->n_inputs;
    tin_emit_member_add(e, "uint64_t", label, "_squares", l->n_inputs, "of the block under way");
    tin_emit_member_add(e, "int32_t", label, "_sum", l->n_inputs, "likewise");
    if (l->kernel > 1) {
        tin_emit_member_add(e, "uint64_t", label, "_past_squares", past, "of the blocks before it");
        tin_emit_member_add(e, "int32_t", label, "_past_sum", past, "likewise");
        tin_emit_member_add(e, "uint16_t", label, "_oldest", 0, "of them");
    }
}

static void data(tin_emit *e, int layer)
{
    const tin_qlayer *l = &e->model->layers[layer];
    const tin_log_variance_shape shape = {l->n_inputs, l->kernel, l->stride};
    tin_text_printf(&e->source, "static const %s_log_variance_t %s_%s = {\n    %d, %d, %d, %d,", e->name, e->name,
                    e->layers[layer].label, l->n_inputs, l->kernel, l->kernel * l->stride,
                    tin_log_variance_silence(&shape));
    tin_text_add(&e->source, " /* channels, kernel, frames, silence */\n};\n");
}

static void take(tin_emit *e, int layer)
{
    const char *label = e->layers[layer].label;
    tin_emit_statement(e, "%s_log_variance_take(frame, %d, s->%s_sum, s->%s_squares);", e->name,
                       e->model->layers[layer].n_inputs, label, label);
}

static void call(tin_emit *e, int layer)
{
    const char *label = e->layers[layer].label;
    char output[TIN_EXPRESSION], past[TIN_EXPRESSION] = "NULL, NULL, NULL";
    if (e->model->layers[layer].kernel > 1) {
        (void)snprintf(past, sizeof past, "s->%s_past_sum, s->%s_past_squares, &s->%s_oldest", label, label, label);
    }
    tin_emit_statement(e, "%s_log_variance_give(&%s_%s, s->%s_sum, s->%s_squares, %s, %s);", e->name, e->name, label,
                       label, label, past, tin_emit_output(e, layer, output));
}

const tin_emit_op tin_emit_log_variance = {kernels, state, data, call, take, NULL, NULL};
