/* log_mel: takes the counts of every frame, gives a row after each `stride` frames. */
#include "deploy/emit.h"
#include "model/feature.h"

static void kernels(tin_emit *e, int layer)
{
    (void)layer;
    tin_emit_kernel(e, "log_mel");
}

static void state(tin_emit *e, int layer)
{
    const tin_qlayer *l = &e->model->layers[layer];
    const char *label = e->layers[layer].label;
    tin_emit_member_add(e, "int16_t", label, "_past", (long)l->n_inputs * l->kernel, "frames of the window");
    tin_emit_member_add(e, "uint16_t", label, "_taken", 0, "frames since the last row");
}

static long uint16_at(const void *context, long index)
{
    return ((const uint16_t *)context)[index];
}

/* The first is 1, which no kernel reads. */
static long cosine_at(const void *context, long index)
{
    return index > 0 ? ((const int32_t *)context)[index] : 32767;
}

static void data(tin_emit *e, int layer)
{
    const tin_qlayer *l = &e->model->layers[layer];
    const char *label = e->layers[layer].label, *name = e->name;
    const tin_feature_shape shape = tin_feature_of_qlayer(l, e->model->rate_hz);
    const tin_log_mel_shape mel = tin_feature_mel(&shape);
    tin_log_mel t;
    tin_log_mel_fill(&t, &mel);
    tin_emit_array(e, "uint16_t", label, "window", l->kernel / 2, uint16_at, t.window);
    tin_emit_array(e, "int16_t", label, "cosine", (1L << (t.log2_points - 2)) + 1, cosine_at, t.cosine);
    tin_emit_array(e, "uint16_t", label, "weight", t.n_bins, uint16_at, t.weight);
    tin_emit_array(e, "uint16_t", label, "count", l->bands + 1, uint16_at, t.count);
    tin_text_printf(&e->source,
                    "static const %s_log_mel_t %s_%s = {\n    %s_%s_window,\n    %s_%s_cosine,\n    %s_%s_weight,\n"
                    "    %s_%s_count,\n    %d, %d, %d, %d, %d, %d,",
                    name, name, label, name, label, name, label, name, label, name, label, l->n_inputs, l->kernel,
                    l->stride, 1 << (t.log2_points - 1), l->bands, t.first_bin);
    tin_text_add(&e->source, " /* channels, kernel, stride, points, bands, first bin */\n};\n");
}

static void take(tin_emit *e, int layer)
{
    const tin_qlayer *l = &e->model->layers[layer];
    const char *label = e->layers[layer].label;
    tin_emit_statement(e, "%s_log_mel_take(frame, %d, %d, %d, &s->%s_taken, s->%s_past);", e->name, l->n_inputs,
                       l->kernel, l->stride, label, label);
}

static void call(tin_emit *e, int layer)
{
    const char *label = e->layers[layer].label;
    char output[TIN_EXPRESSION];
    tin_emit_statement(e, "%s_log_mel_give(&%s_%s, s->%s_past, s->lanes, %s);", e->name, e->name, label, label,
                       tin_emit_output(e, layer, output));
}

const tin_emit_op tin_emit_log_mel = {kernels, state, data, call, take, NULL, NULL};
