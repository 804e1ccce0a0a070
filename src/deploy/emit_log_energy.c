/* log_energy: takes the counts of every frame, gives a row after each block of `stride` frames. */
#include <stdio.h>

#include "deploy/emit.h"
#include "model/log_energy.h"

static void kernels(tin_emit *e, int layer)
{
    (void)layer;
    tin_emit_kernel(e, "log_energy");
}

static void state(tin_emit *e, int layer)
{
    const tin_qlayer *l = &e->model->layers[layer];
    const char *label = e->layers[layer].label;
    tin_emit_member_add(e, "uint64_t", label, "_sum", l->n_outputs, "squares of the block under way");
    if (l->kernel > 1) {
        tin_emit_member_add(e, "uint32_t", label, "_past", (long)(l->kernel - 1) * l->n_outputs, "blocks before it");
        tin_emit_member_add(e, "uint16_t", label, "_oldest", 0, "of them");
    }
    tin_emit_member_add(e, "int32_t", label, "_left", l->n_outputs, "first half of the next detail");
    tin_emit_member_add(e, "uint16_t", label, "_frames", 0, "taken, modulo 2^16");
}

static void data(tin_emit *e, int layer)
{
    const tin_qlayer *l = &e->model->layers[layer];
    /* y of silence is L(16 * kernel) less what the kernel subtracts */
    const int log2_stride = tin_log_energy_shift(1, l->stride) + 3;
    tin_text_printf(&e->source, "static const %s_log_energy_t %s_%s = {\n    %d, %d, %d, %d, %d,", e->name, e->name,
                    e->layers[layer].label, l->n_outputs, l->levels, l->kernel, log2_stride,
                    tin_log_energy_silence(l->kernel));
    tin_text_add(&e->source, " /* outputs, levels, kernel, log2 of the stride, silence */\n};\n\n");
}

static void take(tin_emit *e, int layer)
{
    const char *label = e->layers[layer].label;
    const tin_qlayer *l = &e->model->layers[layer];
    tin_emit_statement(e, "%s_log_energy_take(frame, %d, %d, &s->%s_frames, s->%s_left, s->%s_sum);", e->name,
                       l->n_inputs, l->levels, label, label, label);
}

static void call(tin_emit *e, int layer)
{
    const char *label = e->layers[layer].label;
    char output[TIN_EXPRESSION], past[TIN_EXPRESSION] = "NULL, NULL";
    if (e->model->layers[layer].kernel > 1) {
        (void)snprintf(past, sizeof past, "s->%s_past, &s->%s_oldest", label, label);
    }
    tin_emit_statement(e, "%s_log_energy_give(&%s_%s, s->%s_sum, %s, %s);", e->name, e->name, label, label, past,
                       tin_emit_output(e, layer, output));
}

const tin_emit_op tin_emit_log_energy = {kernels, state, data, call, take, NULL, NULL};
