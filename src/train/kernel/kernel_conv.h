/* Convolutions over time (a dense layer is one with kernel 1), and pooling.
 *
 * Output t reads rows t * stride + skip + k * dilation - history of the input, k = 0..K-1. */
#ifndef TIN_KERNEL_CONV_H
#define TIN_KERNEL_CONV_H

#include "train/kernel/kernel_outer.h"

/* First row that output 0 reads, relative to row 0 of the chunk. */
static ptrdiff_t conv_first_row(const tin_node *node)
{
    return node->skip - node->history;
}

/* Taps without gaps are one run of K * I channels. */
static void conv_segments(const tin_node *node, segments *s)
{
    bool dense = node->dilation == 1;
    s->n = dense ? 1 : node->kernel;
    s->length = dense ? node->kernel * node->n_inputs : node->n_inputs;
    for (int k = 0; k < s->n; k++) {
        s->offset[k] = (ptrdiff_t)k * node->dilation * node->n_inputs;
    }
}

/* The taps through which input row stride * m + phase (counted from the first row of history) gets its gradient, and
 * where the rows of dy lie relative to row m. */
static int conv_phase(const tin_node *node, int phase, segments *s, int *taps)
{
    s->n = 0;
    s->length = node->n_outputs;
    for (int k = 0; k < node->kernel; k++) {
        int distance = phase - node->skip - k * node->dilation;
        if (distance % node->stride == 0) {
            taps[s->n] = k;
            s->offset[s->n++] = (ptrdiff_t)(distance / node->stride) * node->n_outputs;
        }
    }
    return s->n;
}

/* Rows of the chunk of that phase: the first one as index m, and their number. */
static int conv_phase_rows(const tin_node *node, int phase, int *first)
{
    int from = node->history - phase, to = node->history + node->rows_in - phase;
    *first = from > 0 ? (from + node->stride - 1) / node->stride : 0;
    int end = to > 0 ? (to + node->stride - 1) / node->stride : 0;
    return end - *first;
}

static size_t conv_weights(const tin_node *node)
{
    return (size_t)node->n_outputs * (size_t)node->kernel * (size_t)node->n_inputs;
}

/* Parts of the packed weights. */
typedef struct conv_packed {
    const real *rows;     /* [O][I][K], rounded */
    const real *forward;  /* of rows, for project */
    const real *backward; /* of all phases, likewise */
    const real *bias;
} conv_packed;

static size_t conv_forward_size(const tin_node *node)
{
    segments s;
    conv_segments(node, &s);
    return product_size(node->n_outputs, s.n, s.length);
}

static size_t conv_backward_size(const tin_node *node)
{
    size_t size = 0;
    for (int phase = 0; phase < node->stride; phase++) {
        segments s;
        int taps[MAX_SEGMENTS];
        int n_taps = conv_phase(node, phase, &s, taps);
        size += product_size(node->n_inputs, n_taps, node->n_outputs);
    }
    return size;
}

static size_t conv_packed_size(const tin_node *node)
{
    return tin_whole_rows(conv_weights(node)) + conv_forward_size(node) + conv_backward_size(node) +
           (size_t)node->n_outputs;
}

static conv_packed conv_parts(const tin_node *node, const real *packed)
{
    const real *forward = packed + tin_whole_rows(conv_weights(node)), *backward = forward + conv_forward_size(node);
    return (conv_packed){packed, forward, backward, backward + conv_backward_size(node)};
}

/* Gathers weight [O][I][K] for dx: rows are inputs, columns (tap of the phase, output). */
static real *conv_pack_phase(const tin_node *node, const real *weight, const int *taps, int n_taps, real *first)
{
    real *packed = first;
    int n_k = node->kernel;
    ptrdiff_t output_step = (ptrdiff_t)node->n_inputs * n_k;
    for (int row = 0, rows; row < node->n_inputs; row += rows) {
        rows = part_size(node->n_inputs, ROWS_MOST, row);
        for (int s = 0; s < n_taps; s++) {
            for (int o = 0; o < node->n_outputs; o++) {
                for (int r = 0; r < rows; r++) {
                    *packed++ = weight[o * output_step + (row + r) * n_k + taps[s]];
                }
            }
        }
    }
    product_done(first, node->n_inputs, ROWS_MOST, n_taps, node->n_outputs);
    return first + product_size(node->n_inputs, n_taps, node->n_outputs);
}

static void conv_pack(const tin_node *node, const float *params, real *packed)
{
    conv_packed parts = conv_parts(node, packed);
    int n_i = node->n_inputs, n_k = node->kernel, n_row = n_i * n_k;
    real *weight = packed, *forward = packed + (parts.forward - packed), *backward = packed + (parts.backward - packed),
         *bias = packed + (parts.bias - packed), *to = forward;
    for (int o = 0; o < node->n_outputs; o++) {
        bias[o] = (real)params[node->bias + (size_t)o];
        round_row(params + node->weight + (size_t)o * (size_t)n_row, n_row, node->weight_bits, node->power_of_two,
                  weight + (size_t)o * (size_t)n_row);
    }
    for (int row = 0, rows; row < node->n_outputs; row += rows) {
        rows = part_size(node->n_outputs, ROWS_MOST, row);
        for (int k = 0; k < n_k; k++) {
            for (int i = 0; i < n_i; i++) {
                for (int r = 0; r < rows; r++) {
                    *to++ = weight[(row + r) * n_row + i * n_k + k];
                }
            }
        }
    }
    segments whole;
    conv_segments(node, &whole);
    product_done(forward, node->n_outputs, ROWS_MOST, whole.n, whole.length);
    for (int phase = 0; phase < node->stride && node->in[0].gradient; phase++) {
        segments s;
        int taps[MAX_SEGMENTS];
        int n_taps = conv_phase(node, phase, &s, taps);
        backward = conv_pack_phase(node, weight, taps, n_taps, backward);
    }
}

static void conv_forward(const tin_pass *pass, const tin_node *node)
{
    real *work = pass->work;
    conv_packed packed = conv_parts(node, (const real *)pass->packed + node->packed);
    segments s;
    conv_segments(node, &s);
    projection p = {.n_times = node->rows_out,
                    .n_rows = node->n_outputs,
                    .weights = packed.forward,
                    .bias = packed.bias,
                    .x = work + node->in[0].x + conv_first_row(node) * node->n_inputs * TIN_LANES,
                    .x_step = (ptrdiff_t)node->stride * node->n_inputs,
                    .segments = &s,
                    .y = work + node->y,
                    .y_step = node->n_outputs,
                    .finish = finish_of(node)};
    project(&p);
}

static void conv_input_gradient(const tin_pass *pass, const tin_node *node)
{
    real *work = pass->work;
    const real *weights = conv_parts(node, (const real *)pass->packed + node->packed).backward;
    for (int phase = 0; phase < node->stride; phase++) {
        segments s;
        int taps[MAX_SEGMENTS], first;
        conv_phase(node, phase, &s, taps);
        int n = conv_phase_rows(node, phase, &first);
        ptrdiff_t row = (ptrdiff_t)first * node->stride + phase - node->history;
        projection p = {.n_times = n,
                        .n_rows = node->n_inputs,
                        .weights = weights,
                        .x = work + node->dy + (ptrdiff_t)first * node->n_outputs * TIN_LANES,
                        .x_step = node->n_outputs,
                        .segments = &s,
                        .y = work + node->in[0].dx + row * node->n_inputs * TIN_LANES,
                        .y_step = (ptrdiff_t)node->stride * node->n_inputs,
                        .add = node->in[0].add};
        project(&p);
        weights += product_size(node->n_inputs, s.n, node->n_outputs);
    }
}

/* `outer` turns one of its factors: dy where it has fewer channels per decision than what is read. */
static bool turns_dy(const tin_node *node, const segments *s)
{
#if TIN_KERNEL_TILES
    if (tiled_outer(node->n_outputs, s->length)) {
        return node->n_outputs < s->length;
    }
#endif
    return node->n_outputs < node->stride * node->n_inputs && node->n_outputs < s->length;
}

/* The product that gives gradients of weights to a run of taps, without its places. */
static outer_product conv_product(const tin_node *node)
{
    segments s;
    conv_segments(node, &s);
    int n_o = node->n_outputs, step = node->stride * node->n_inputs;
    if (turns_dy(node, &s)) {
        return (outer_product){.n_rows = s.length, .n_columns = n_o, .a_step = step, .b_step = n_o};
    }
    return (outer_product){.n_rows = n_o, .n_columns = s.length, .a_step = n_o, .b_step = step};
}

/* Scratch: sums of weights (of each run of taps) and of biases, and what `outer` turns. */
static size_t conv_sums(const tin_node *node)
{
    segments s;
    conv_segments(node, &s);
    return (size_t)s.n * outer_sums(conv_product(node).n_rows, conv_product(node).n_columns);
}

static size_t conv_scratch_size(const tin_node *node)
{
    return conv_sums(node) + (size_t)(node->n_outputs * VL) +
           outer_turned(conv_product(node).n_rows, conv_product(node).n_columns, conv_product(node).b_step);
}

/* Takes dy back through activation and rounding as it goes. */
static void conv_weight_gradient(const tin_pass *pass, const tin_node *node)
{
    real *work = pass->work, *gradient = pass->gradient, *sums = work + node->scratch;
    int n_i = node->n_inputs, n_o = node->n_outputs;
    segments s;
    conv_segments(node, &s);
    outer_product p = conv_product(node);
    bool turned = turns_dy(node, &s);
    size_t part = outer_sums(p.n_rows, p.n_columns);
    real *bias_sums = sums + conv_sums(node);
    p.turned = bias_sums + n_o * VL;
    const real *x = work + node->in[0].x + conv_first_row(node) * n_i * TIN_LANES, *dy = work + node->dy;
    for (int t = 0; t < node->rows_out; t += OUTER_TIMES) {
        p.n_times = node->rows_out - t < OUTER_TIMES ? node->rows_out - t : OUTER_TIMES;
        p.first = t == 0;
        output_gradient_rows(pass, node, t, p.n_times);
        const real *dy_t = dy + (ptrdiff_t)t * n_o * TIN_LANES,
                   *x_t = x + (ptrdiff_t)t * node->stride * n_i * TIN_LANES;
        for (int i = 0; i < s.n; i++) {
            const real *x_i = x_t + s.offset[i] * TIN_LANES;
            p.a = turned ? x_i : dy_t;
            p.b = turned ? dy_t : x_i;
            p.sums = sums + (size_t)i * part;
            outer(&p);
        }
        add_rows(p.n_times, n_o, dy_t, n_o, p.first, bias_sums);
    }
    for (int k = 0; k < s.n; k++) {
        weight_map map = {n_o, n_i, node->kernel, k, 0, turned};
        outer_reduce(sums + (size_t)k * part, p.n_rows, p.n_columns, gradient + node->weight, map);
    }
    for (int o = 0; o < n_o; o++) {
        gradient[node->bias + (size_t)o] += vec_sum(load(bias_sums + o * VL));
    }
}

static void conv_backward(const tin_pass *pass, const tin_node *node)
{
    conv_weight_gradient(pass, node);
    if (node->in[0].gradient && !node->in[0].later) {
        conv_input_gradient(pass, node);
    }
}

/* dx of a dense for decisions first..first+n-1, to rows [n][I]. */
static void dense_input_gradient(const tin_pass *pass, const tin_node *node, int first, int n, real *dx)
{
    segments whole = {.n = 1, .length = node->n_outputs};
    projection p = {.n_times = n,
                    .n_rows = node->n_inputs,
                    .weights = conv_parts(node, (const real *)pass->packed + node->packed).backward,
                    .x = (const real *)pass->work + node->dy + (ptrdiff_t)first * node->n_outputs * TIN_LANES,
                    .x_step = node->n_outputs,
                    .segments = &whole,
                    .y = dx,
                    .y_step = node->n_inputs};
    project(&p);
}

/* Depthwise: output o reads input o / m only, m = O / I. */
static size_t depthwise_packed_size(const tin_node *node)
{
    return (size_t)node->n_outputs * (size_t)(node->kernel + 1);
}

static void depthwise_pack(const tin_node *node, const float *params, real *packed)
{
    size_t n_k = (size_t)node->kernel, n_o = (size_t)node->n_outputs;
    for (size_t o = 0; o < n_o; o++) {
        round_row(params + node->weight + o * n_k, node->kernel, node->weight_bits, node->power_of_two,
                  packed + o * n_k);
        packed[n_o * n_k + o] = (real)params[node->bias + o];
    }
}

static void depthwise_forward(const tin_pass *pass, const tin_node *node)
{
    real *work = pass->work;
    const real *w = (const real *)pass->packed + node->packed, *bias = w + node->n_outputs * node->kernel;
    int n_i = node->n_inputs, n_o = node->n_outputs, n_k = node->kernel, m = n_o / n_i;
    ptrdiff_t tap = (ptrdiff_t)node->dilation * n_i * TIN_LANES;
    const real *x = work + node->in[0].x + conv_first_row(node) * n_i * TIN_LANES;
    real *y = work + node->y;
    finish f = finish_of(node);
    for (int t = 0; t < node->rows_out; t++) {
        for (int o = 0; o < n_o; o++, y += TIN_LANES) {
            const real *xo = x + (o / m) * TIN_LANES;
            for (int v = 0; v < NV; v++) {
                vec sum = splat(bias[o]);
                for (int k = 0; k < n_k; k++) {
                    sum += load(xo + k * tap + v * VL) * w[o * n_k + k];
                }
                store(y + v * VL, finish_apply(sum, f));
            }
        }
        x += (ptrdiff_t)node->stride * n_i * TIN_LANES;
    }
}

/* Before adding to dx row by row. */
static void clear_gradient(const tin_pass *pass, const tin_node *node)
{
    if (!node->in[0].add) {
        size_t n = (size_t)node->rows_in * (size_t)node->n_inputs * TIN_LANES;
        memset((real *)pass->work + node->in[0].dx, 0, n * sizeof(real));
    }
}

/* dx[row][i] = sum of dy * weight(o, k) over the outputs and taps that read it; weight NULL: pooling, `same` each. */
static void spread_gradient(const tin_pass *pass, const tin_node *node, const real *w, real same)
{
    real *work = pass->work, *dx = work + node->in[0].dx;
    const real *dy = work + node->dy;
    int n_i = node->n_inputs, n_o = node->n_outputs, n_k = node->kernel, m = n_o / n_i;
    clear_gradient(pass, node);
    for (int t = 0; t < node->rows_out; t++) {
        for (int k = 0; k < n_k; k++) {
            ptrdiff_t row = (ptrdiff_t)t * node->stride + conv_first_row(node) + (ptrdiff_t)k * node->dilation;
            if (row < 0) {
                continue; /* of an earlier chunk */
            }
            for (int o = 0; o < n_o; o++) {
                real *to = dx + (row * n_i + o / m) * TIN_LANES;
                const real *from = dy + ((ptrdiff_t)t * n_o + o) * TIN_LANES;
                real weight = w ? w[o * n_k + k] : same;
                for (int v = 0; v < NV; v++) {
                    store(to + v * VL, load(to + v * VL) + load(from + v * VL) * weight);
                }
            }
        }
    }
}

static void depthwise_backward(const tin_pass *pass, const tin_node *node)
{
    output_gradient(pass, node);
    real *work = pass->work, *gradient = pass->gradient;
    int n_i = node->n_inputs, n_o = node->n_outputs, n_k = node->kernel, m = n_o / n_i;
    const real *x = work + node->in[0].x + conv_first_row(node) * n_i * TIN_LANES, *dy = work + node->dy;
    ptrdiff_t x_step = (ptrdiff_t)node->stride * n_i * TIN_LANES, dy_step = (ptrdiff_t)n_o * TIN_LANES;
    for (int o = 0; o < n_o; o++) {
        for (int k = -1; k < n_k; k++) { /* -1: the bias */
            const real *a = dy + o * TIN_LANES;
            const real *b = k < 0 ? a : x + ((ptrdiff_t)k * node->dilation * n_i + o / m) * TIN_LANES;
            vec sum = splat(0);
            for (int t = 0; t < node->rows_out; t++, a += dy_step, b += x_step) {
                for (int v = 0; v < NV; v++) {
                    vec da = load(a + v * VL);
                    if (k >= 0) {
                        da *= load(b + v * VL);
                    }
                    sum += da;
                }
            }
            size_t at = k < 0 ? node->bias + (size_t)o : node->weight + (size_t)(o * n_k + k);
            gradient[at] += vec_sum(sum);
        }
    }
    if (node->in[0].gradient) {
        spread_gradient(pass, node, (const real *)pass->packed + node->packed, 0);
    }
}

/* Mean over the last K rows. */
static void avg_pool_forward(const tin_pass *pass, const tin_node *node)
{
    real *work = pass->work;
    int n = node->n_inputs;
    const real *x = work + node->in[0].x + conv_first_row(node) * n * TIN_LANES;
    real *y = work + node->y, share = 1 / (real)node->kernel;
    finish f = finish_of(node);
    for (int t = 0; t < node->rows_out; t++) {
        for (int i = 0; i < n * TIN_LANES; i += VL, y += VL) {
            vec sum = splat(0);
            for (int k = 0; k < node->kernel; k++) {
                sum += load(x + (ptrdiff_t)k * n * TIN_LANES + i);
            }
            store(y, finish_apply(sum * share, f));
        }
        x += (ptrdiff_t)node->stride * n * TIN_LANES;
    }
}

static void avg_pool_backward(const tin_pass *pass, const tin_node *node)
{
    output_gradient(pass, node);
    if (node->in[0].gradient) {
        spread_gradient(pass, node, NULL, 1 / (real)node->kernel);
    }
}

/* Greatest of the last K rows; with quantisation it has the scale of its input, so nothing is rounded. */
static void max_pool_forward(const tin_pass *pass, const tin_node *node)
{
    real *work = pass->work;
    ptrdiff_t row = (ptrdiff_t)node->n_inputs * TIN_LANES;
    const real *x = work + node->in[0].x + conv_first_row(node) * row;
    real *y = work + node->y;
    for (int t = 0; t < node->rows_out; t++, x += node->stride * row) {
        for (ptrdiff_t i = 0; i < row; i += VL, y += VL) {
            vec most = load(x + i);
            for (int k = 1; k < node->kernel; k++) {
                most = vec_max(most, load(x + k * row + i));
            }
            store(y, most);
        }
    }
}

/* The gradient goes to the oldest of the rows that have the greatest value, as PyTorch's does. */
static void max_pool_backward(const tin_pass *pass, const tin_node *node)
{
    real *work = pass->work;
    ptrdiff_t row = (ptrdiff_t)node->n_inputs * TIN_LANES;
    const real *y = work + node->y, *dy = work + node->dy;
    clear_gradient(pass, node);
    for (int t = 0; t < node->rows_out; t++) {
        ptrdiff_t first = (ptrdiff_t)t * node->stride + conv_first_row(node);
        for (ptrdiff_t i = 0; i < row; i += VL, y += VL, dy += VL) {
            ivec left = (ivec)splat(0) == 0;
            for (ptrdiff_t r = first; r < first + node->kernel; r++) {
                ivec here = left & (load(work + node->in[0].x + r * row + i) == load(y));
                left &= ~here;
                if (r >= 0) { /* before: of an earlier chunk */
                    real *dx = work + node->in[0].dx + r * row + i;
                    store(dx, load(dx) + (vec)((ivec)load(dy) & here));
                }
            }
        }
    }
}

#endif
