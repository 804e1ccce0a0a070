/* Puts the generated pair together. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "deploy/emit.h"

const tin_emit_op *tin_emit_op_of(tin_op op)
{
    switch (op) {
    case TIN_OP_CONV1D:
        return &tin_emit_conv1d;
    case TIN_OP_DENSE:
        return &tin_emit_dense;
    case TIN_OP_GRU:
    case TIN_OP_MGU:
    case TIN_OP_LSTM:
        return &tin_emit_recurrent;
    case TIN_OP_MIN_GRU:
        return &tin_emit_min_gru;
    case TIN_OP_AVG_POOL:
        return &tin_emit_avg_pool;
    case TIN_OP_MAX_POOL:
        return &tin_emit_max_pool;
    case TIN_OP_EMA:
        return &tin_emit_ema;
    case TIN_OP_LOG_ENERGY:
        return &tin_emit_log_energy;
    case TIN_OP_LOG_MEL:
        return &tin_emit_log_mel;
    case TIN_OP_LOG_VARIANCE:
        return &tin_emit_log_variance;
    case TIN_OP_HIGH_PASS:
    case TIN_OP_DIFFERENCE:
    case TIN_OP_MAGNITUDE:
        return &tin_emit_motion;
    case TIN_OP_ADD:
        return &tin_emit_add;
    case TIN_OP_MULTIPLY:
        return &tin_emit_multiply;
    case TIN_OP_CONCAT:
        return &tin_emit_concat;
    default:
        return NULL;
    }
}

const tin_emit_op *tin_emit_op_at(const tin_emit *e, int layer)
{
    return e->layers[layer].encoding == TIN_ENCODING_CMSIS ? &tin_emit_cmsis
                                                           : tin_emit_op_of(e->model->layers[layer].op);
}

static void describe_inputs(tin_emit *e, int i)
{
    tin_text *t = &e->source;
    const tin_qlayer *l = &e->model->layers[i];
    for (int k = 0; k < l->n_from; k++) {
        tin_text_printf(t, "%s%s",
                        k == 0               ? "; reads "
                        : k + 1 == l->n_from ? " and "
                                             : ", ",
                        l->from[k] == TIN_FROM_INPUT ? "input" : e->layers[l->from[k]].label);
    }
}

/* What the proof of the sums says: how far they reach, and how many bits of an int32 stay unused behind the shift. */
static void describe_sums(tin_emit *e, int i)
{
    const tin_qlayer *l = &e->model->layers[i];
    for (int hidden = 0; hidden < 2; hidden++) {
        const int shift = hidden ? l->hidden_shift : l->shift;
        const int64_t bound = tin_qmodel_sum_bound(e->model, i, hidden);
        int left = 0;
        while (left < 31 && bound << (shift + left + 1) < INT64_C(1) << 31) {
            left++;
        }
        if (bound > 0) {
            tin_text_printf(&e->source, "%s %lld * 2^%d, bits left: %d",
                            hidden ? "; on the state" : "\n * sums at most", (long long)bound, shift, left);
        }
    }
}

static void describe(tin_emit *e, int i)
{
    static const char *const activations[] = {"", ", relu", ", sigmoid", ", tanh"};
    tin_text *t = &e->source;
    const tin_qlayer *l = &e->model->layers[i];
    tin_text_printf(t, "/* layer %d: %s, %d -> %d", i + 1, tin_op_name(l->op), l->n_inputs, l->n_outputs);
    if (l->kernel > 1 || l->stride > 1) {
        tin_text_printf(t, ", kernel %d, stride %d, dilation %d", l->kernel, l->stride, l->dilation);
    }
    tin_text_printf(t, "%s%s%s", l->groups > 1 ? ", depthwise" : "", l->reset_before ? ", reset before" : "",
                    activations[l->activation]);
    describe_inputs(e, i);
    tin_text_printf(t, "\n * int%d out%s, value = q * %.9g; %ld run%s per decision of %.0f MAC",
                    tin_emit_row_of(e, i)->lanes ? 8 : tin_emit_row_of(e, i)->bits,
                    tin_emit_row_of(e, i)->lanes ? " in 16 bits" : "", (double)l->output_scale, e->layers[i].runs,
                    e->layers[i].runs == 1 ? "" : "s", e->layers[i].macs);
    if (e->layers[i].encoding == TIN_ENCODING_CMSIS) {
        tin_text_printf(t, "; by %s", tin_cmsis_function(e, i));
    } else if (e->cmsis) {
        tin_text_add(t, "; CMSIS-NN has nothing that gives this result");
    }
    if (e->layers[i].encoding != TIN_ENCODING_PLAIN && e->layers[i].encoding != TIN_ENCODING_CMSIS) {
        tin_text_printf(t, "; weights packed as %s", tin_encoding_name(e->layers[i].encoding));
    }
    describe_sums(e, i);
    tin_text_add(t, " */\n");
}

static long offset_at(const void *context, long index)
{
    return ((const int32_t *)context)[index];
}

/* What is added and what that is multiplied by, channel after channel. */
static long input_unit_at(const void *context, long index)
{
    const tin_emit *e = context;
    const long c = index / 2;
    return index % 2 == 0 ? -e->model->input_offset[c]
                          : tin_emit_factor(e, (int32_t)((int64_t)e->model->input_mult[c] << e->model->input_shift));
}

static void layer_data(tin_emit *e)
{
    const tin_qmodel *m = e->model;
    const tin_emit_row *input = tin_emit_row_of(e, TIN_FROM_INPUT);
    tin_text_printf(&e->source, "/* input: %d channels, int16 counts to int%d%s, value = q * %.9g */\n", m->n_channels,
                    input->lanes ? 8 : input->bits, input->lanes ? " in 16 bits" : "", (double)m->input_scale);
    if (tin_emit_row_of(e, TIN_FROM_INPUT)->lanes) {
        tin_emit_array(e, "int32_t", "input", "unit", 2L * m->n_channels, input_unit_at, e);
    } else if (tin_emit_reads_input(e)) {
        tin_emit_array(e, "int16_t", "input", "offset", m->n_channels, offset_at, m->input_offset);
        tin_emit_factors(e, "input", m->input_mult, m->n_channels);
    }
    tin_text_add(&e->source, "\n");
    for (int i = 0; i < m->n_layers; i++) {
        describe(e, i);
        const tin_emit_op *op = tin_emit_op_at(e, i);
        if (op->data != NULL) {
            op->data(e, i);
        }
        tin_text_add(&e->source, "\n");
    }
}

/* Whether a history of packed kernels moves. */
static bool moves_words(tin_emit *e)
{
    bool moves = false;
    for (int layer = TIN_FROM_INPUT; layer < e->model->n_layers; layer++) {
        const tin_emit_row *row = tin_emit_row_of(e, layer);
        moves = moves || (row->place == TIN_PLACE_HISTORY && row->lanes && row->width % 2 == 0);
    }
    return moves;
}

static void kernels(tin_emit *e)
{
    if (tin_emit_reads_input(e)) {
        tin_emit_kernel(e, tin_emit_row_of(e, TIN_FROM_INPUT)->lanes ? "scale_lanes" : "scale_input");
    }
    for (int i = 0; i < e->model->n_layers; i++) {
        tin_emit_op_at(e, i)->kernels(e, i);
    }
    if (moves_words(e)) {
        tin_emit_kernel(e, "move_words");
    }
    tin_emit_kernel(e, "decision");
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
    tin_emit_memory_plan(e);
    tin_emit_init(e);
    tin_emit_step(e);
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

static bool are_powers(const int32_t *mult, int n)
{
    for (int i = 0; i < n; i++) {
        if (mult[i] <= 0 || (mult[i] & (mult[i] - 1)) != 0) {
            return false;
        }
    }
    return true;
}

/* Whether every multiplier of a requantisation is a power of two. add, concat and logarithms have none. */
static bool only_powers(const tin_qmodel *m)
{
    bool only = are_powers(m->input_mult, m->n_channels);
    for (int i = 0; i < m->n_layers; i++) {
        const tin_qlayer *l = &m->layers[i];
        const bool small = l->op == TIN_OP_ADD || l->op == TIN_OP_CONCAT;
        const int n = small || l->mult == NULL ? 0 : tin_qlayer_rows(l);
        only = only && are_powers(l->mult, n) && (l->hidden_mult == NULL || are_powers(l->hidden_mult, n));
    }
    return only;
}

static bool is(const char *setting, const char *value)
{
    return setting != NULL && strcmp(setting, value) == 0;
}

/* Settings have few values; an unknown one is not to be taken for the default. */
static tin_status check_settings(const tin_generate_facts *facts, tin_error *err)
{
    const struct {
        const char *name, *value, *choices[7];
    } settings[] = {{"optimize", facts->optimize, {"balanced", "speed", "size", "plain"}},
                    {"target", facts->target, {"m4", "m55", "m0", "m3", "m7", "m33", "rv32"}},
                    {"backend", facts->backend, {"auto", "cmsis-nn"}},
                    {"schedule", facts->schedule, {"earliest", "spread"}}};
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        bool known = settings[i].value == NULL;
        for (int k = 0; k < 7 && settings[i].choices[k] != NULL; k++) {
            known = known || is(settings[i].value, settings[i].choices[k]);
        }
        if (!known) {
            return tin_fail(err, TIN_ERR_MODEL, "deploy.%s is '%s'; write %s or %s", settings[i].name,
                            settings[i].value, settings[i].choices[0], settings[i].choices[1]);
        }
    }
    return TIN_OK;
}

/* The plan of checked inputs; *out is to be freed. */
static tin_status make_plan(tin_emit **out, const tin_qmodel *qmodel, const tin_generate_facts *facts, tin_error *err)
{
    const tin_status status = check_settings(facts, err);
    tin_emit *e = *out = status ? NULL : tin_alloc(1, sizeof *e, err);
    if (e == NULL) {
        return status ? status : TIN_ERR_MEMORY;
    }
    e->model = qmodel;
    e->facts = facts;
    e->cmsis = is(facts->backend, "cmsis-nn");
    e->powers = is(facts->target, "m0") && only_powers(qmodel);
    e->vectors = is(facts->target, "m55");
    e->folded = is(facts->optimize, "size") && !e->vectors;
    e->scalar = is(facts->target, "m3") || is(facts->target, "rv32");
    e->spread = is(facts->schedule, "spread") && qmodel->hop > 1;
    return tin_emit_plan(e, err);
}

tin_status tin_schedule_latency(const tin_qmodel *qmodel, const tin_generate_facts *facts, int *latency, tin_error *err)
{
    tin_emit *e = NULL;
    tin_status status = tin_qmodel_check(qmodel, err);
    if (status == TIN_OK) {
        status = make_plan(&e, qmodel, facts, err);
    }
    *latency = status == TIN_OK ? e->latency : 0;
    tin_free(e);
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
    tin_emit *e = NULL;
    status = make_plan(&e, qmodel, facts, err);
    if (status) {
        tin_free(e);
        return status;
    }
    e->rule = rule;
    tin_emit_choose_rule(e);
    e->name = facts->name;
    for (size_t i = 0; e->name[i] != '\0'; i++) {
        e->upper[i] = (char)toupper((unsigned char)e->name[i]);
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
    tin_text_free(&e->source);
    tin_text_free(&e->header);
    tin_free(e);
    return status;
}
