/* The kernels of one instruction set: compiled by src/model/module.cmake with TIN_REPLAY_NAME set to its name. */
#include "model/replay/replay_product.h"
#include "model/replay/replay_recurrent.h"

static void quantise_row(const tin_replay_input *in, const int16_t *counts, int16_t *to)
{
    const int32_t most = in->bits == 16 ? 32767 : 127;
    for (int c = 0; c < in->n_channels; c += VL) {
        const vec v = requantize(load_s16(counts + c) - load(in->offset + c), load(in->mult + c), in->shift);
        store_s16(to + c, clamp(v, splat(-most), splat(most)));
    }
}

static void run_input(const tin_replay_input *in, const int16_t *counts, int n_frames)
{
    const int channels = in->n_channels, wide = whole_vectors(channels);
    int t = 0;
    for (; t * channels + wide <= n_frames * channels; t++) /* a vector may reach into the next frames */
        quantise_row(in, counts + (ptrdiff_t)t * channels, in->out.rows + (ptrdiff_t)t * in->out.stride);
    for (; t < n_frames; t++) {
        int16_t frame[TIN_MAX_CHANNELS] = {0};
        memcpy(frame, counts + (ptrdiff_t)t * channels, (size_t)channels * sizeof *frame);
        quantise_row(in, frame, in->out.rows + (ptrdiff_t)t * in->out.stride);
    }
}

/* The first row that output row 0 reads of the first tensor, and the steps from there. */
static walk walk_of(const tin_replay_layer *l)
{
    const tin_qlayer *q = l->layer;
    const ptrdiff_t stride = l->from[0]->stride;
    const int before = q->stride - tin_layer_history(q->kernel, q->dilation);
    return (walk){l->from[0]->rows + before * stride, q->stride * stride, q->dilation * stride};
}

static int16_t *out_row(const tin_replay_layer *l, int t)
{
    return l->out.rows + (ptrdiff_t)t * l->out.stride;
}

/* ---- ops that take one vector of outputs of one row after the other ---- */

/* Outputs o.. of depthwise read the channels at `source`. */
INLINE vec spread(const int16_t *x, const int16_t *source)
{
    vec v = {0};
    for (int i = 0; i < VL; i++)
        v[i] = x[source[i]];
    return v;
}

static void run_depthwise(const tin_replay_layer *l, walk in, int n_rows)
{
    const finish f = finish_of(l);
    const bool same = l->layer->n_outputs == l->layer->n_inputs;
    for (int t = 0; t < n_rows; t++, in.x += in.row) {
        for (int o = 0; o < l->layer->n_outputs; o += VL) {
            vec acc = load(l->on_input.bias + o);
            for (int k = 0; k < l->layer->kernel; k++) {
                const int16_t *x = in.x + k * in.tap;
                const vec row = same ? load_s16(x + o) : spread(x, l->source + o);
                acc += row * load(l->depthwise + (ptrdiff_t)k * l->out.stride + o);
            }
            acc = requantize(acc, load(l->on_input.mult + o), l->layer->shift);
            store_s16(out_row(l, t) + o, finish_apply(acc, f));
        }
    }
}

static void run_avg_pool(const tin_replay_layer *l, walk in, int n_rows)
{
    const finish f = finish_of(l);
    for (int t = 0; t < n_rows; t++, in.x += in.row) {
        for (int o = 0; o < l->layer->n_outputs; o += VL) {
            vec sum = {0};
            for (int k = 0; k < l->layer->kernel; k++)
                sum += load_s16(in.x + k * in.tap + o);
            sum = requantize(sum, splat(l->layer->mult[0]), l->layer->shift);
            store_s16(out_row(l, t) + o, finish_apply(sum, f));
        }
    }
}

static void run_max_pool(const tin_replay_layer *l, walk in, int n_rows)
{
    for (int t = 0; t < n_rows; t++, in.x += in.row) {
        for (int o = 0; o < l->layer->n_outputs; o += VL) {
            vec most = load_s16(in.x + o);
            for (int k = 1; k < l->layer->kernel; k++)
                most = vec_max(most, load_s16(in.x + k * in.tap + o));
            store_s16(out_row(l, t) + o, most);
        }
    }
}

static void run_ema(const tin_replay_layer *l, walk in, int n_rows)
{
    const finish f = finish_of(l);
    const int k = l->layer->ema_shift;
    for (int o = 0; o < l->layer->n_outputs; o += VL) {
        vec state = load(l->state + o);
        for (int t = 0; t < n_rows; t++) {
            state += load_s16(in.x + t * in.row + o) * 256 - ((state + (1 << (k - 1))) >> k);
            const vec v = requantize(state, splat(l->layer->mult[0]), l->layer->shift);
            store_s16(out_row(l, t) + o, finish_apply(v, f));
        }
        store(l->state + o, state);
    }
}

static const int16_t *read_row(const tin_replay_layer *l, int which, int t)
{
    return l->from[which]->rows + (ptrdiff_t)t * l->from[which]->stride;
}

static void run_add(const tin_replay_layer *l, int n_rows)
{
    const tin_qlayer *q = l->layer;
    const finish f = finish_of(l);
    for (int t = 0; t < n_rows; t++) {
        for (int o = 0; o < q->n_outputs; o += VL) {
            vec sum = splat(1 << (q->shift - 1));
            for (int k = 0; k < q->n_from; k++)
                sum += load_s16(read_row(l, k, t) + o) * q->mult[k];
            store_s16(out_row(l, t) + o, finish_apply(sum >> q->shift, f));
        }
    }
}

/* A vector may reach beyond its input's part, into what is written next. */
static void run_concat(const tin_replay_layer *l, int n_rows)
{
    const tin_qlayer *q = l->layer;
    const finish f = finish_of(l);
    for (int t = 0; t < n_rows; t++) {
        int16_t *to = out_row(l, t);
        for (int k = 0; k < q->n_from; to += l->from[k++]->width) {
            for (int o = 0; o < l->from[k]->width; o += VL) {
                const vec v = load_s16(read_row(l, k, t) + o) * q->mult[k] + (1 << (q->shift - 1));
                store_s16(to + o, finish_apply(v >> q->shift, f));
            }
        }
    }
}

static void run_multiply(const tin_replay_layer *l, int n_rows)
{
    const finish f = finish_of(l);
    for (int t = 0; t < n_rows; t++) {
        for (int o = 0; o < l->layer->n_outputs; o += VL) {
            const vec v = load_s16(read_row(l, 0, t) + o) * load_s16(read_row(l, 1, t) + o);
            store_s16(out_row(l, t) + o, finish_apply(requantize(v, splat(l->layer->mult[0]), l->layer->shift), f));
        }
    }
}

static void run_layer(tin_replay_layer *l, int n_rows)
{
    const walk in = walk_of(l);
    switch (l->layer->op) {
    case TIN_OP_CONV1D:
    case TIN_OP_DENSE:
        if (l->depthwise)
            run_depthwise(l, in, n_rows);
        else
            product(&l->on_input, in, n_rows, 0, whole_vectors(l->layer->n_outputs),
                    (sink){.rows = l->out.rows, .stride = l->out.stride, .finish = finish_of(l)});
        break;
    case TIN_OP_AVG_POOL:
        run_avg_pool(l, in, n_rows);
        break;
    case TIN_OP_MAX_POOL:
        run_max_pool(l, in, n_rows);
        break;
    case TIN_OP_EMA:
        run_ema(l, in, n_rows);
        break;
    case TIN_OP_ADD:
        run_add(l, n_rows);
        break;
    case TIN_OP_CONCAT:
        run_concat(l, n_rows);
        break;
    case TIN_OP_MULTIPLY:
        run_multiply(l, n_rows);
        break;
    default:
        run_recurrent(l, in, n_rows);
        break;
    }
}

#define JOIN(a, b) a##b
#define INSTANCE(name) JOIN(tin_replay_, name)
const tin_replay_kernel INSTANCE(TIN_REPLAY_NAME) = {run_input, run_layer};
