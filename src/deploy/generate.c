/* Puts the generated pair together. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "deploy/emit.h"

static bool uses_depthwise(const tin_qlayer *l)
{
    return l->op == TIN_OP_CONV1D && l->groups > 1;
}

static bool uses_linear(const tin_qlayer *l)
{
    return l->op == TIN_OP_DENSE || (l->op == TIN_OP_CONV1D && l->groups == 1);
}

/* Kernels of the matrices in one encoding. */
static void matrix_kernels(tin_emit *e, tin_encoding encoding)
{
    bool linear = false, gru = false;
    for (int i = 0; i < e->model->n_layers; i++) {
        const bool same = e->layers[i].encoding == encoding;
        linear = linear || (same && uses_linear(&e->model->layers[i]));
        gru = gru || (same && e->model->layers[i].op == TIN_OP_GRU);
    }
    const bool plain = encoding == TIN_ENCODING_PLAIN;
    if (linear || gru) {
        tin_emit_fragment(e, plain ? "dot4" : tin_encoding_name(encoding));
    }
    if (linear) {
        tin_emit_template(e, plain ? "linear" : "packed_linear", encoding);
    }
    if (gru) {
        tin_emit_template(e, plain ? "gru" : "packed_gru", encoding);
    }
}

static void sigmoid(tin_emit *e)
{
    tin_text_add(&e->source, "/* sigmoid, chord by chord: intercept * 2^16 + slope */\n");
    tin_text_printf(&e->source, "static const uint32_t %s_sigmoid_table[256] = {", e->name);
    for (int i = 0; i < 256; i++) {
        tin_text_printf(&e->source, "%s0x%08x,", i % 8 == 0 ? "\n    " : " ", tin_sigmoid_table[i]);
    }
    tin_text_add(&e->source, "\n};\n\n");
    tin_emit_fragment(e, "sigmoid");
}

static void kernels(tin_emit *e)
{
    bool gru = false, depthwise = false, pool = false;
    for (int i = 0; i < e->model->n_layers; i++) {
        gru = gru || e->model->layers[i].op == TIN_OP_GRU;
        depthwise = depthwise || uses_depthwise(&e->model->layers[i]);
        pool = pool || e->model->layers[i].op == TIN_OP_AVG_POOL;
    }
    tin_emit_fragment(e, "kernel");
    tin_emit_fragment(e, "requantize");
    tin_emit_fragment(e, "scale_input");
    if (gru) {
        sigmoid(e);
    }
    if (e->lanes > 0) {
        tin_emit_fragment(e, "lanes");
    }
    for (int encoding = 0; encoding < TIN_ENCODING_COUNT; encoding++) {
        matrix_kernels(e, (tin_encoding)encoding);
    }
    if (depthwise) {
        tin_emit_fragment(e, "depthwise");
    }
    if (pool) {
        tin_emit_fragment(e, "avg_pool");
    }
    tin_emit_fragment(e, "decision");
}

static void describe(tin_emit *e, int i)
{
    tin_text *t = &e->source;
    const tin_qlayer *l = &e->model->layers[i];
    tin_text_printf(t, "/* layer %d: %s, %d -> %d", i + 1, tin_op_name(l->op), l->n_inputs, l->n_outputs);
    if (l->op == TIN_OP_CONV1D || l->op == TIN_OP_AVG_POOL) {
        tin_text_printf(t, ", kernel %d, stride %d, dilation %d%s", l->kernel, l->stride, l->dilation,
                        uses_depthwise(l) ? ", depthwise" : "");
    }
    tin_text_printf(t, "%s; int8 in, %s out, value = q * %.9g\n", l->activation == TIN_ACTIVATION_RELU ? ", relu" : "",
                    i + 1 == e->model->n_layers ? "int16" : "int8", (double)l->output_scale);
    tin_text_printf(t, " * %ld run%s per decision of %.0f MAC", e->layers[i].runs, e->layers[i].runs == 1 ? "" : "s",
                    e->layers[i].macs);
    if (e->layers[i].encoding != TIN_ENCODING_PLAIN) {
        tin_text_printf(t, "; weights packed as %s", tin_encoding_name(e->layers[i].encoding));
    }
    tin_text_add(t, " */\n");
}

static long offset_at(const void *context, long index)
{
    return ((const int32_t *)context)[index];
}

static long event_at(const void *context, long index)
{
    return ((const tin_class *)context)[index].event;
}

static void layer_data(tin_emit *e)
{
    const tin_qmodel *m = e->model;
    tin_text_printf(&e->source, "/* input: %d channels, int16 counts to int8, value = q * %.9g */\n", m->n_channels,
                    (double)m->input_scale);
    tin_emit_array(e, "int16_t", "input", "offset", m->n_channels, offset_at, m->input_offset);
    tin_emit_int32s(e, "input", "mult", m->input_mult, m->n_channels);
    tin_text_add(&e->source, "\n");
    for (int i = 0; i < m->n_layers; i++) {
        describe(e, i);
        switch (m->layers[i].op) {
        case TIN_OP_CONV1D:
            tin_emit_conv1d_data(e, i);
            break;
        case TIN_OP_GRU:
            tin_emit_gru_data(e, i);
            break;
        case TIN_OP_DENSE:
            tin_emit_dense_data(e, i);
            break;
        default:
            tin_text_add(&e->source, "\n");
            break;
        }
    }
    tin_text_add(&e->source, "/* decision layer */\n");
    tin_emit_array(e, "uint8_t", "is", "event", m->n_classes, event_at, m->classes);
    tin_text_printf(&e->source,
                    "static const %s_rule_t %s_rule = {\n    %s_ON,\n    %s_OFF,\n    %s_COUNT,\n"
                    "    %s_REFRACTORY,\n    %s_SMOOTH_SHIFT,\n};\n\n",
                    e->name, e->name, e->upper, e->upper, e->upper, e->upper, e->upper);
}

static void init_function(tin_emit *e)
{
    tin_text *t = &e->source;
    tin_text_printf(t, "void %s_init(%s_t *s)\n{\n    memset(s, 0, sizeof *s);\n", e->name, e->name);
    tin_text_add(t, "    s->decision.active = -1;\n    s->decision.candidate = -1;\n");
    for (int i = 0; i < e->model->n_layers; i++) {
        if (e->layers[i].place == TIN_PLACE_HISTORY) {
            tin_text_printf(t, "    s->%s_fill = %ld;\n", e->layers[i].label,
                            e->layers[i].rows - e->model->layers[i].stride);
        }
    }
    tin_text_add(t, "}\n\n");
}

/* C expression of the row that layer i reads next; for i == n_layers, the scores. NULL: the layer before keeps it in
 * its state. */
static const char *row(const tin_emit *e, int i, char text[160])
{
    if (i == e->model->n_layers) {
        return "out->score";
    }
    const tin_emit_layer *l = &e->layers[i];
    const int width = e->model->layers[i].n_inputs;
    switch (l->place) {
    case TIN_PLACE_SCRATCH_A:
        return "s->scratch_a";
    case TIN_PLACE_SCRATCH_B:
        return "s->scratch_b";
    case TIN_PLACE_STATE:
        return NULL;
    default:
        if (e->model->layers[i].stride > l->rows) { /* rows to skip are written over the first one */
            (void)snprintf(text, 160, "s->%s_x + (s->%s_fill > 0 ? s->%s_fill * %d : 0)", l->label, l->label, l->label,
                           width);
        } else {
            (void)snprintf(text, 160, "s->%s_x + s->%s_fill * %d", l->label, l->label, width);
        }
        return text;
    }
}

static void run_layer(tin_emit *e, int i)
{
    tin_text *t = &e->source;
    const tin_qlayer *l = &e->model->layers[i];
    const char *label = e->layers[i].label;
    const bool history = e->layers[i].place == TIN_PLACE_HISTORY;
    char input_text[160], output_text[160];
    const char *input = row(e, i, input_text), *output = row(e, i + 1, output_text);
    if (history) {
        (void)snprintf(input_text, sizeof input_text, "s->%s_x", label);
        input = input_text;
    } else if (input == NULL) {
        (void)snprintf(input_text, sizeof input_text, "s->%s_h8", e->layers[i - 1].label);
        input = input_text;
    }
    if (history) {
        tin_text_printf(t, "    if (++s->%s_fill < %ld) {\n        return 0;\n    }\n", label, e->layers[i].rows);
    }
    tin_text_printf(t, "    %s_MARK(%d);\n", e->upper, i + 1);
    switch (l->op) {
    case TIN_OP_CONV1D:
        tin_emit_conv1d_call(e, i, input, output);
        break;
    case TIN_OP_GRU:
        tin_emit_gru_call(e, i, input, output);
        break;
    case TIN_OP_DENSE:
        tin_emit_dense_call(e, i, input, output);
        break;
    default:
        tin_emit_avg_pool_call(e, i, input, output);
        break;
    }
    if (history) {
        const long kept = e->layers[i].rows - l->stride;
        if (kept > 0) {
            tin_text_printf(t, "    memmove(s->%s_x, s->%s_x + %d, %ld);\n", label, label, l->stride * l->n_inputs,
                            kept * l->n_inputs);
        }
        tin_text_printf(t, "    s->%s_fill = %ld;\n", label, kept);
    }
}

static void step_function(tin_emit *e)
{
    tin_text *t = &e->source;
    const tin_qmodel *m = e->model;
    char text[160];
    tin_text_printf(t, "int32_t %s_step(%s_t *s, const int16_t frame[%s_CHANNELS], %s_result_t *out)\n{\n", e->name,
                    e->name, e->upper, e->name);
    tin_text_printf(t,
                    "    int16_t k, best = 0;\n    %s_MARK(0);\n    %s_scale_input(frame, %s_input_offset, "
                    "%s_input_mult, %d, %d, %s);\n",
                    e->upper, e->name, e->name, e->name, m->input_shift, m->n_channels, row(e, 0, text));
    for (int i = 0; i < m->n_layers; i++) {
        run_layer(e, i);
    }
    tin_text_printf(t, "    %s_MARK(%d);\n", e->upper, m->n_layers + 1);
    tin_text_printf(t, "    for (k = 1; k < %s_CLASSES; k++) {\n        if (out->score[k] > out->score[best]) {\n",
                    e->upper);
    tin_text_add(t, "            best = k;\n        }\n    }\n    out->class_index = best;\n");
    tin_text_printf(
        t, "    out->trigger = (int16_t)%s_decide(&s->decision, %s, &%s_rule, %s_is_event, %s_CLASSES, out->score);\n",
        e->name, e->rule->smooth_shift > 0 ? "s->average" : "NULL", e->name, e->name, e->upper);
    tin_text_add(t, "    out->active = (int16_t)s->decision.active;\n    return 1;\n}\n");
}

static void source(tin_emit *e)
{
    tin_text *t = &e->source;
    tin_text_printf(t, "/* SPDX-License-Identifier: 0BSD\n * %s: see %s.h.\n", e->name, e->name);
    tin_text_printf(t, " * model %s */\n", e->model->hash);
    tin_text_printf(t, "#include \"%s.h\"\n\n#include <stddef.h>\n#include <string.h>\n\n", e->name);
    tin_text_printf(t,
                    "/* Only for measuring: called when a step reaches a layer. 0 is the input, the last number the "
                    "decision layer. */\n"
                    "#ifdef %s_PROFILE\n#ifdef __cplusplus\nextern \"C\"\n#endif\nvoid %s_profile(int32_t layer);\n"
                    "#define %s_MARK(layer) %s_profile(layer)\n#else\n#define %s_MARK(layer)\n#endif\n\n",
                    e->upper, e->name, e->upper, e->name, e->upper);
    kernels(e);
    layer_data(e);
    init_function(e);
    step_function(e);
}

static tin_status write_text(const tin_text *text, const char *folder, const char *name, const char *ending,
                             tin_error *err)
{
    char file[TIN_NAME_MAX + 4], path[TIN_PATH_MAX];
    (void)snprintf(file, sizeof file, "%s%s", name, ending);
    tin_status status = tin_path_join(path, folder, file, err);
    if (status == TIN_OK) {
        status = tin_file_write(path, text->data, text->size, err);
    }
    return status;
}

tin_status tin_generate(const tin_qmodel *qmodel, const tin_decision_rule *rule, const tin_generate_facts *facts,
                        const char *folder, tin_error *err)
{
    tin_status status = tin_emit_check_name(facts->name, err);
    if (status == TIN_OK) {
        status = tin_qmodel_check(qmodel, err);
    }
    if (status == TIN_OK) {
        status = tin_decision_check(rule, err);
    }
    if (status) {
        return status;
    }
    tin_emit *e = tin_alloc(1, sizeof *e, err);
    if (e == NULL) {
        return TIN_ERR_MEMORY;
    }
    e->model = qmodel;
    e->rule = rule;
    e->facts = facts;
    e->name = facts->name;
    for (size_t i = 0; e->name[i] != '\0'; i++) {
        e->upper[i] = (char)toupper((unsigned char)e->name[i]);
    }
    status = tin_emit_plan(e, err);
    if (status) {
        goto cleanup;
    }
    source(e);
    tin_emit_header(e);
    tin_emit_layout(&e->source);
    tin_emit_layout(&e->header);
    status = tin_text_check(&e->source, err);
    if (status == TIN_OK) {
        status = tin_text_check(&e->header, err);
    }
    if (status == TIN_OK) {
        status = write_text(&e->header, folder, e->name, ".h", err);
    }
    if (status == TIN_OK) {
        status = write_text(&e->source, folder, e->name, ".c", err);
    }
cleanup:
    tin_text_free(&e->source);
    tin_text_free(&e->header);
    tin_free(e);
    return status;
}
