/* Batch norm, dropout and mask. */
#ifndef TIN_KERNEL_NORM_H
#define TIN_KERNEL_NORM_H

#include "base/rng.h"
#include "train/kernel/kernel_rows.h"

/* Ones in the lanes in use. */
static void lane_mask(int n_lanes, real mask[TIN_LANES])
{
    for (int l = 0; l < TIN_LANES; l++) {
        mask[l] = l < n_lanes ? 1 : 0;
    }
}

static double masked_total(const vec *sums, int n_lanes)
{
    real lanes[TIN_LANES];
    memcpy(lanes, sums, sizeof lanes);
    double total = 0;
    for (int l = 0; l < n_lanes; l++) {
        total += (double)lanes[l];
    }
    return total;
}

static void norm_sums(const tin_pass *pass, const tin_node *node, double *sums)
{
    const real *work = pass->work;
    int n = node->n_outputs;
    for (int c = 0; c < n; c++) {
        vec first[NV], second[NV], centre = splat((real)pass->shared[node->shared + (size_t)(TIN_NORM_CENTRE * n + c)]);
        memset(first, 0, sizeof first);
        memset(second, 0, sizeof second);
        for (int t = 0; t < node->rows_out; t++) {
            const real *x = work + node->in[0].x + ((ptrdiff_t)t * n + c) * TIN_LANES;
            UNROLL
            for (int v = 0; v < NV; v++) {
                vec d = load(x + v * VL) - centre;
                first[v] += d;
                second[v] += d * d;
            }
        }
        sums[c] = masked_total(first, pass->n_lanes);
        sums[n + c] = masked_total(second, pass->n_lanes);
    }
}

static void norm_backward_sums(const tin_pass *pass, const tin_node *node, double *sums)
{
    output_gradient(pass, node);
    const real *work = pass->work;
    int n = node->n_outputs;
    for (int c = 0; c < n; c++) {
        vec first[NV], second[NV], mean = splat((real)pass->shared[node->shared + (size_t)(TIN_NORM_MEAN * n + c)]);
        memset(first, 0, sizeof first);
        memset(second, 0, sizeof second);
        for (int t = 0; t < node->rows_out; t++) {
            ptrdiff_t at = ((ptrdiff_t)t * n + c) * TIN_LANES;
            UNROLL
            for (int v = 0; v < NV; v++) {
                vec dy = load(work + node->dy + at + v * VL);
                first[v] += dy;
                second[v] += dy * (load(work + node->in[0].x + at + v * VL) - mean);
            }
        }
        sums[c] = masked_total(first, pass->n_lanes);
        sums[n + c] = masked_total(second, pass->n_lanes);
    }
}

static void norm_forward(const tin_pass *pass, const tin_node *node)
{
    real *work = pass->work;
    int n = node->n_outputs;
    const double *scale = pass->shared + node->shared + TIN_NORM_SCALE * n, *shift = scale + n;
    finish f = finish_of(node);
    const real *x = work + node->in[0].x;
    real *y = work + node->y;
    for (int t = 0; t < node->rows_out; t++) {
        for (int c = 0; c < n; c++) {
            vec a = splat((real)scale[c]), b = splat((real)shift[c]);
            for (int v = 0; v < NV; v++, x += VL, y += VL) {
                store(y, finish_apply(load(x) * a + b, f));
            }
        }
    }
}

/* After the sums of all groups are known (norm_backward_sums has masked dy). Padded lanes get zero. */
static void norm_backward(const tin_pass *pass, const tin_node *node)
{
    if (!node->in[0].gradient) {
        return;
    }
    real *work = pass->work;
    int n = node->n_outputs;
    const double *k = pass->shared + node->shared + TIN_NORM_DY * n;
    real mask[TIN_LANES] __attribute__((aligned(64)));
    lane_mask(pass->n_lanes, mask);
    const real *x = work + node->in[0].x, *dy = work + node->dy;
    real *dx = work + node->in[0].dx;
    for (int t = 0; t < node->rows_out; t++) {
        for (int c = 0; c < n; c++) {
            vec a = splat((real)k[c]), b = splat((real)k[n + c]), one = splat((real)k[2 * n + c]);
            for (int v = 0; v < NV; v++, x += VL, dy += VL, dx += VL) {
                give(dx, (load(dy) * a + load(x) * b + one) * load(mask + v * VL), node->in[0].add);
            }
        }
    }
}

/* Saved, of dropout and mask: the factor of each value. */
static size_t dropout_saved_size(const tin_node *node)
{
    return (size_t)node->rows_out * (size_t)node->n_outputs * TIN_LANES;
}

/* 0 or 1 / (1 - rate); the rate in steps of 2^-16. */
static void dropout_factors(const tin_node *node, tin_rng *rng, real *factor)
{
    uint32_t threshold = (uint32_t)lrintf(node->rate * 65536);
    const real values[2] = {0, (real)65536 / (real)(65536 - threshold)};
    for (size_t i = 0; i < dropout_saved_size(node); i += 4) {
        uint64_t bits = tin_rng_next(rng);
        for (size_t j = 0; j < 4; j++, bits >>= 16) {
            factor[i + j] = values[(bits & 0xffff) >= threshold];
        }
    }
}

/* Zeros in a rectangle of one lane. */
static void mask_rectangle(const tin_node *node, real *factor, int row, int rows, int channel, int channels)
{
    for (int t = row; t < row + rows; t++) {
        for (int c = channel; c < channel + channels; c++) {
            factor[((size_t)t * (size_t)node->n_outputs + (size_t)c) * TIN_LANES] = 0;
        }
    }
}

/* Widths and places are uniform, as in SpecAugment; a mask ends with its chunk. */
static void mask_factors(const tin_node *node, tin_rng *rng, real *factor)
{
    int rows = node->rows_out, channels = node->n_outputs, longest = node->mask_rows < rows ? node->mask_rows : rows;
    for (size_t i = 0; i < dropout_saved_size(node); i++) {
        factor[i] = 1;
    }
    for (int lane = 0; lane < TIN_LANES; lane++) {
        for (int k = 0; k < node->mask_count; k++) {
            int wide = (int)tin_rng_below(rng, (uint32_t)node->mask_bands + 1);
            int channel = (int)tin_rng_below(rng, (uint32_t)(channels - wide) + 1);
            int tall = (int)tin_rng_below(rng, (uint32_t)longest + 1);
            int row = (int)tin_rng_below(rng, (uint32_t)(rows - tall) + 1);
            mask_rectangle(node, factor + lane, 0, rows, channel, wide);
            mask_rectangle(node, factor + lane, row, tall, 0, channels);
        }
    }
}

static void dropout_forward(const tin_pass *pass, const tin_node *node)
{
    const real *x = (const real *)pass->work + node->in[0].x;
    real *y = (real *)pass->work + node->y, *factor = (real *)pass->work + node->saved;
    size_t n = dropout_saved_size(node);
    if (!pass->training) {
        memcpy(y, x, n * sizeof(real));
        return;
    }
    tin_rng rng;
    tin_rng_derive(&rng, pass->dropout_seed, (uint64_t)node->layer);
    if (node->kind == TIN_NODE_MASK) {
        mask_factors(node, &rng, factor);
    } else {
        dropout_factors(node, &rng, factor);
    }
    for (size_t i = 0; i < n; i += (size_t)VL) {
        store(y + i, load(x + i) * load(factor + i));
    }
}

static void dropout_backward(const tin_pass *pass, const tin_node *node)
{
    const real *dy = (const real *)pass->work + node->dy, *factor = (const real *)pass->work + node->saved;
    real *dx = (real *)pass->work + node->in[0].dx;
    for (ptrdiff_t i = 0; i < output_reals(node); i += VL) {
        give(dx + i, load(dy + i) * load(factor + i), node->in[0].add);
    }
}

#endif
