#include "model/replay.h"

#include <string.h>

#include "base/memory.h"
#include "model/replay/replay_layer.h"

#define BLOCK_FRAMES 256 /* about: a multiple of the hop; so that what lies between two layers stays in the cache */

struct tin_replay {
    const tin_qmodel *model;
    const tin_replay_kernel *kernel;
    int block; /* frames */
    bool reads_input;
    tin_replay_input input;
    tin_replay_layer layers[TIN_MAX_LAYERS];
};

static const tin_replay_kernel *kernel_of(tin_cpu_level level)
{
#if TIN_REPLAY_X86
    if (level >= TIN_CPU_AVX512 && tin_cpu_has(TIN_CPU_AVX512))
        return &tin_replay_avx512;
    if (level >= TIN_CPU_AVX2 && tin_cpu_has(TIN_CPU_AVX2))
        return &tin_replay_avx2;
#else
    (void)level;
#endif
    return &tin_replay_baseline;
}

static int padded(int n)
{
    return (n + TIN_REPLAY_LANES - 1) / TIN_REPLAY_LANES * TIN_REPLAY_LANES;
}

static tin_replay_tensor *tensor_of(tin_replay *r, int from)
{
    return from == TIN_FROM_INPUT ? &r->input.out : &r->layers[from].out;
}

/* ---- what is prepared once ---- */

/* Row `row` of `from`, [n_taps][n_inputs], becomes output `output` of `m`. */
static void pack_row(tin_replay_matrix *m, const int8_t *from, int n_inputs, int output)
{
    for (int tap = 0; tap < m->taps; tap++) {
        for (int i = 0; i < n_inputs; i++) {
            const size_t pair = (size_t)(tap * m->pairs + i / 2);
            m->weight[2 * (pair * (size_t)m->outputs + (size_t)output) + (size_t)(i % 2)] = from[tap * n_inputs + i];
        }
    }
}

/* `gates` parts of `units` rows each, from weight [gates * units][taps * n_inputs]; bias NULL: zeros, for `n_bias` rows
 * less than all it is of the last ones. */
typedef struct matrix_source {
    const int8_t *weight;
    const int32_t *bias, *mult;
    int gates, units, taps, n_inputs, n_bias, shift;
} matrix_source;

static tin_status make_matrix(tin_replay_matrix *m, const matrix_source *from, tin_error *err)
{
    const int wide = padded(from->units), rows = from->gates * from->units;
    m->outputs = from->gates * wide;
    m->taps = from->taps;
    m->pairs = (from->n_inputs + 1) / 2;
    m->shift = from->shift;
    m->weight = tin_alloc((size_t)m->taps * (size_t)m->pairs, (size_t)m->outputs * 2 * sizeof *m->weight, err);
    m->bias = tin_alloc((size_t)m->outputs, sizeof *m->bias, err);
    m->mult = tin_alloc((size_t)m->outputs, sizeof *m->mult, err);
    if (!m->weight || !m->bias || !m->mult)
        return TIN_ERR_MEMORY;
    for (int row = 0; row < rows; row++) {
        const int output = row / from->units * wide + row % from->units, without = rows - from->n_bias;
        pack_row(m, from->weight + (ptrdiff_t)row * from->taps * from->n_inputs, from->n_inputs, output);
        m->bias[output] = row < without ? 0 : from->bias[row - without];
        m->mult[output] = from->mult[row];
    }
    return TIN_OK;
}

static tin_status make_linear(tin_replay_layer *l, tin_error *err)
{
    const tin_qlayer *q = l->layer;
    const int gates = tin_qlayer_gates(q);
    return make_matrix(&l->on_input,
                       &(matrix_source){q->weight, q->bias, q->mult, gates, q->n_outputs, q->kernel, q->n_inputs,
                                        gates * q->n_outputs, q->shift},
                       err);
}

static tin_status make_depthwise(tin_replay_layer *l, tin_error *err)
{
    const tin_qlayer *q = l->layer;
    const int wide = padded(q->n_outputs), outputs = q->n_outputs / q->groups; /* of a channel */
    l->depthwise = tin_alloc((size_t)q->kernel * (size_t)wide, sizeof *l->depthwise, err);
    l->source = tin_alloc((size_t)wide, sizeof *l->source, err);
    l->on_input.bias = tin_alloc((size_t)wide, sizeof *l->on_input.bias, err);
    l->on_input.mult = tin_alloc((size_t)wide, sizeof *l->on_input.mult, err);
    if (!l->depthwise || !l->source || !l->on_input.bias || !l->on_input.mult)
        return TIN_ERR_MEMORY;
    for (int o = 0; o < q->n_outputs; o++) {
        l->source[o] = (int16_t)(o / outputs);
        l->on_input.bias[o] = q->bias[o];
        l->on_input.mult[o] = q->mult[o];
        for (int k = 0; k < q->kernel; k++)
            l->depthwise[k * wide + o] = q->weight[o * q->kernel + k];
    }
    return TIN_OK;
}

static tin_status make_recurrent(tin_replay_layer *l, int rows, tin_error *err)
{
    const tin_qlayer *q = l->layer;
    const int units = q->n_outputs, gates = tin_qlayer_gates(q);
    tin_status status = make_linear(l, err);
    if (status)
        return status;
    l->sums = tin_alloc((size_t)rows * (size_t)l->on_input.outputs, sizeof *l->sums, err);
    l->hidden = tin_alloc((size_t)l->on_input.outputs, sizeof *l->hidden, err);
    l->kept = tin_alloc((size_t)padded(units), sizeof *l->kept, err);
    if (!l->sums || !l->hidden || !l->kept)
        return TIN_ERR_MEMORY;
    if (!tin_qlayer_reads_state(q))
        return TIN_OK;
    const int n_bias = tin_qlayer_gates_candidate(q) ? units : 0;
    return make_matrix(&l->on_state,
                       &(matrix_source){q->hidden_weight, q->hidden_bias, q->hidden_mult, gates, units, 1, units,
                                        n_bias, q->hidden_shift},
                       err);
}

static tin_status make_feature(tin_replay_layer *l, double rate_hz, tin_error *err)
{
    const tin_feature_shape shape = tin_feature_of_qlayer(l->layer, rate_hz);
    tin_status status = tin_feature_create(&l->feature, &shape, err);
    if (!status && !(l->stream = tin_alloc(1, tin_feature_state_bytes(l->feature), err)))
        status = TIN_ERR_MEMORY;
    return status;
}

static tin_status make_tensor(tin_replay_tensor *t, int block, tin_error *err)
{
    const size_t rows = (size_t)t->history + (size_t)(block / t->period);
    t->stride = padded(t->width);
    /* a vector that begins in a row of a concat may reach beyond the last one */
    t->memory = tin_alloc(rows * (size_t)t->stride + TIN_REPLAY_LANES, sizeof(int16_t), err);
    if (!t->memory)
        return TIN_ERR_MEMORY;
    t->rows = (int16_t *)t->memory + (ptrdiff_t)t->history * t->stride;
    return TIN_OK;
}

static bool keeps_state(tin_op op)
{
    return tin_op_recurrent(op) || op == TIN_OP_EMA;
}

/* Fills what layers say of one another: widths, periods, and how many rows of the past each tensor needs. */
static void link_layers(tin_replay *r)
{
    const tin_qmodel *m = r->model;
    r->input.out = (tin_replay_tensor){.width = m->n_channels, .period = 1};
    for (int i = 0; i < m->n_layers; i++) {
        const tin_qlayer *q = &m->layers[i];
        tin_replay_layer *l = &r->layers[i];
        l->layer = q;
        l->last = i == m->n_layers - 1;
        l->out.width = q->n_outputs;
        l->out.period = q->period;
        l->out.history = tin_op_recurrent(q->op); /* h8 of the step before */
        if (tin_op_reads_counts(q->op))
            continue;
        for (int k = 0; k < q->n_from; k++) {
            tin_replay_tensor *from = tensor_of(r, q->from[k]);
            const int history = tin_layer_history(q->kernel, q->dilation) - 1;
            from->history = history > from->history ? history : from->history;
            l->from[k] = from;
            r->reads_input = r->reads_input || q->from[k] == TIN_FROM_INPUT;
        }
    }
}

static tin_status make_layer(tin_replay *r, tin_replay_layer *l, tin_error *err)
{
    const tin_qlayer *q = l->layer;
    tin_status status = make_tensor(&l->out, r->block, err);
    if (!status && keeps_state(q->op) && !(l->state = tin_alloc((size_t)l->out.stride, sizeof *l->state, err)))
        status = TIN_ERR_MEMORY;
    if (status)
        return status;
    if (tin_op_reads_counts(q->op))
        return make_feature(l, r->model->rate_hz, err);
    if (tin_op_recurrent(q->op))
        return make_recurrent(l, r->block / q->period, err);
    if (q->op == TIN_OP_CONV1D && q->groups > 1)
        return make_depthwise(l, err);
    return q->op == TIN_OP_CONV1D || q->op == TIN_OP_DENSE ? make_linear(l, err) : TIN_OK;
}

static void make_input(tin_replay *r)
{
    const tin_qmodel *m = r->model;
    r->input.n_channels = m->n_channels;
    r->input.shift = m->input_shift;
    r->input.bits = m->input_bits;
    for (int c = 0; c < m->n_channels; c++) {
        r->input.offset[c] = m->input_offset[c];
        r->input.mult[c] = m->input_mult[c];
    }
}

tin_status tin_replay_create(tin_replay **replay, const tin_qmodel *model, tin_cpu_level level, tin_error *err)
{
    *replay = NULL;
    tin_replay *r = tin_alloc(1, sizeof *r, err);
    if (!r)
        return TIN_ERR_MEMORY;
    r->model = model;
    r->kernel = kernel_of(level);
    r->block = (BLOCK_FRAMES + model->hop - 1) / model->hop * model->hop;
    link_layers(r);
    make_input(r);
    tin_status status = make_tensor(&r->input.out, r->block, err);
    for (int i = 0; !status && i < model->n_layers; i++)
        status = make_layer(r, &r->layers[i], err);
    if (status) {
        tin_replay_free(r);
        return status;
    }
    *replay = r;
    return TIN_OK;
}

static void free_matrix(tin_replay_matrix *m)
{
    tin_free(m->weight);
    tin_free(m->bias);
    tin_free(m->mult);
}

void tin_replay_free(tin_replay *replay)
{
    if (!replay)
        return;
    for (int i = 0; i < replay->model->n_layers; i++) {
        tin_replay_layer *l = &replay->layers[i];
        free_matrix(&l->on_input);
        free_matrix(&l->on_state);
        tin_feature_free(l->feature);
        void *owned[] = {l->out.memory, l->depthwise, l->source, l->sums, l->hidden, l->state, l->kept, l->stream};
        for (size_t k = 0; k < sizeof owned / sizeof *owned; k++)
            tin_free(owned[k]);
    }
    tin_free(replay->input.out.memory);
    tin_free(replay);
}

/* ---- running ---- */

static void forget(tin_replay_tensor *t)
{
    memset(t->memory, 0, (size_t)t->history * (size_t)t->stride * sizeof *t->rows);
}

void tin_replay_reset(tin_replay *replay)
{
    forget(&replay->input.out);
    for (int i = 0; i < replay->model->n_layers; i++) {
        tin_replay_layer *l = &replay->layers[i];
        forget(&l->out);
        if (l->state)
            memset(l->state, 0, (size_t)l->out.stride * sizeof *l->state);
        if (l->feature)
            memset(l->stream, 0, tin_feature_state_bytes(l->feature));
    }
}

/* Its last rows become those before the next block. */
static void carry(tin_replay_tensor *t, int n_frames)
{
    const ptrdiff_t rows = n_frames / t->period;
    memmove(t->memory, t->rows + (rows - t->history) * t->stride,
            (size_t)t->history * (size_t)t->stride * sizeof *t->rows);
}

static void run_feature(const tin_qmodel *m, tin_replay_layer *l, const int16_t *counts, int n_frames)
{
    const tin_qlayer *q = l->layer;
    const int32_t most = q->output_bits == 16 ? 32767 : 127;
    int16_t *to = l->out.rows;
    for (int t = 0; t < n_frames; t++) {
        int32_t values[TIN_MAX_WIDTH];
        if (!tin_feature_step(l->feature, l->stream, counts + (ptrdiff_t)t * m->n_channels, values))
            continue;
        for (int i = 0; i < q->n_outputs; i++) {
            const int32_t v = tin_op_gives_log(q->op) ? values[i] : tin_requantize(values[i], q->mult[i], q->shift);
            to[i] = (int16_t)(v > most ? most : v < -most ? -most : v);
        }
        to += l->out.stride;
    }
}

static void run_block(tin_replay *r, const int16_t *counts, int n_frames)
{
    const tin_qmodel *m = r->model;
    if (r->reads_input)
        r->kernel->input(&r->input, counts, n_frames);
    for (int i = 0; i < m->n_layers; i++) {
        tin_replay_layer *l = &r->layers[i];
        if (l->feature)
            run_feature(m, l, counts, n_frames);
        else
            r->kernel->layer(l, n_frames / l->out.period);
    }
    carry(&r->input.out, n_frames);
    for (int i = 0; i < m->n_layers; i++)
        carry(&r->layers[i].out, n_frames);
}

int64_t tin_replay_run(tin_replay *replay, const int16_t *counts, int64_t n_frames, int16_t *scores)
{
    const tin_qmodel *m = replay->model;
    const int64_t n_decisions = n_frames / m->hop;
    const tin_replay_tensor *last = &replay->layers[m->n_layers - 1].out;
    for (int64_t left = n_decisions * m->hop; left > 0;) {
        const int n = left < replay->block ? (int)left : replay->block;
        run_block(replay, counts, n);
        for (int j = 0; j < n / m->hop; j++, scores += m->n_classes)
            memcpy(scores, last->rows + (ptrdiff_t)j * last->stride, (size_t)m->n_classes * sizeof *scores);
        counts += (ptrdiff_t)n * m->n_channels;
        left -= n;
    }
    return n_decisions;
}
