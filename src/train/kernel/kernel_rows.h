/* What works on each value alone: activations, add, multiply, concat, ema. */
#ifndef TIN_KERNEL_ROWS_H
#define TIN_KERNEL_ROWS_H

#include "train/kernel/kernel_vector.h"

/* A gradient reaches a tensor: the last of its readers writes, the others add. */
INLINE void give(real *dx, vec v, bool add)
{
    if (add) {
        v += load(dx);
    }
    store(dx, v);
}

static ptrdiff_t output_reals(const tin_node *node)
{
    return (ptrdiff_t)node->rows_out * node->n_outputs * TIN_LANES;
}

INLINE vec round_to_limits(vec v, real low, real high, real scale)
{
    return vec_round(vec_min(splat(high), vec_max(splat(low), v / splat(scale)))) * scale;
}

/* sigmoid and tanh are rounded to multiples of 1/128 in -128..127, as on the device. */
INLINE vec curve(tin_node_activation activation, vec v, bool quantised, finish f)
{
    if (activation == TIN_NODE_HARD_SIGMOID) {
        return finish_apply(v * splat((real)1 / 6) + splat((real)0.5), f);
    }
    v = activation == TIN_NODE_SIGMOID ? vec_sigmoid(v) : vec_tanh(v);
    return quantised ? round_to_limits(v, -128, 127, (real)1 / 128) : v;
}

/* The derivative from the value alone. */
INLINE vec curve_slope(tin_node_activation activation, vec y, finish f)
{
    if (activation == TIN_NODE_HARD_SIGMOID) {
        return (vec)((ivec)splat((real)1 / 6) & finish_mask(y, f));
    }
    return activation == TIN_NODE_SIGMOID ? y - y * y : splat(1) - y * y;
}

/* y holds what goes into the activation, then what comes out. */
static void curve_forward(const tin_pass *pass, const tin_node *node)
{
    real *y = (real *)pass->work + node->y;
    finish f = limits_of(node);
    for (ptrdiff_t i = 0; i < output_reals(node); i += VL) {
        store(y + i, curve(node->activation, load(y + i), node->quantised, f));
    }
}

/* Takes dy of a node back through activation and rounding, in place: rows first..first+n-1. */
static void output_gradient_rows(const tin_pass *pass, const tin_node *node, int first, int n)
{
    ptrdiff_t row = (ptrdiff_t)node->n_outputs * TIN_LANES, end = (first + n) * row;
    const real *y = (const real *)pass->work + node->y;
    real *dy = (real *)pass->work + node->dy;
    finish f = limits_of(node);
    if (is_curve(node->activation)) {
        for (ptrdiff_t i = first * row; i < end; i += VL) {
            store(dy + i, load(dy + i) * curve_slope(node->activation, load(y + i), f));
        }
    } else if (f.limited || f.quantised) {
        for (ptrdiff_t i = first * row; i < end; i += VL) {
            store(dy + i, finish_gradient(load(dy + i), load(y + i), f));
        }
    }
}

static void output_gradient(const tin_pass *pass, const tin_node *node)
{
    output_gradient_rows(pass, node, 0, node->rows_out);
}

/* d loss / d ln scale, as PACT has it (Choi et al. 2018): a value at the limit is limit * scale, so it grows as the scale
 * does; those inside do not move. */
static double scale_slope(const tin_pass *pass, const tin_node *node)
{
    const real *y = (const real *)pass->work + node->y, *dy = (const real *)pass->work + node->dy;
    finish f = limits_of(node);
    double sum = 0;
    ptrdiff_t row = (ptrdiff_t)node->n_outputs * TIN_LANES;
    for (ptrdiff_t t = 0; t < output_reals(node); t += row) {
        vec part = splat(0);
        for (ptrdiff_t i = t; i < t + row; i += VL) {
            part += (vec)((ivec)load(dy + i) & ~finish_mask(load(y + i), f)) * load(y + i);
        }
        sum += (double)vec_sum(part);
    }
    return sum;
}

/* An activation that is not part of the node before it. */
static void activation_forward(const tin_pass *pass, const tin_node *node)
{
    const real *x = (const real *)pass->work + node->in[0].x;
    real *y = (real *)pass->work + node->y;
    finish f = finish_of(node);
    for (ptrdiff_t i = 0; i < output_reals(node); i += VL) {
        store(y + i, finish_apply(load(x + i), f));
    }
}

static void activation_backward(const tin_pass *pass, const tin_node *node)
{
    output_gradient(pass, node);
    const real *dy = (const real *)pass->work + node->dy;
    real *dx = (real *)pass->work + node->in[0].dx;
    for (ptrdiff_t i = 0; i < output_reals(node); i += VL) {
        give(dx + i, load(dy + i), node->in[0].add);
    }
}

static void add_forward(const tin_pass *pass, const tin_node *node)
{
    const real *work = pass->work, *first = work + node->in[0].x, *last = work + node->in[node->n_in - 1].x;
    real *y = (real *)pass->work + node->y;
    finish f = finish_of(node);
    for (ptrdiff_t i = 0; i < output_reals(node); i += VL) {
        vec sum = load(first + i);
        for (int k = 1; k < node->n_in - 1; k++) {
            sum += load(work + node->in[k].x + i);
        }
        store(y + i, finish_apply(sum + load(last + i), f));
    }
}

static void add_backward(const tin_pass *pass, const tin_node *node)
{
    output_gradient(pass, node);
    const real *dy = (const real *)pass->work + node->dy;
    for (int k = 0; k < node->n_in; k++) {
        real *dx = (real *)pass->work + node->in[k].dx;
        for (ptrdiff_t i = 0; node->in[k].gradient && i < output_reals(node); i += VL) {
            give(dx + i, load(dy + i), node->in[k].add);
        }
    }
}

static void multiply_forward(const tin_pass *pass, const tin_node *node)
{
    const real *a = (const real *)pass->work + node->in[0].x, *b = (const real *)pass->work + node->in[1].x;
    real *y = (real *)pass->work + node->y;
    finish f = finish_of(node);
    for (ptrdiff_t i = 0; i < output_reals(node); i += VL) {
        store(y + i, finish_apply(load(a + i) * load(b + i), f));
    }
}

static void multiply_backward(const tin_pass *pass, const tin_node *node)
{
    output_gradient(pass, node);
    const real *dy = (const real *)pass->work + node->dy;
    for (int k = 0; k < 2; k++) {
        const real *other = (const real *)pass->work + node->in[1 - k].x;
        real *dx = (real *)pass->work + node->in[k].dx;
        for (ptrdiff_t i = 0; node->in[k].gradient && i < output_reals(node); i += VL) {
            give(dx + i, load(dy + i) * load(other + i), node->in[k].add);
        }
    }
}

/* Part k of a row; rows that have the scale of the result are copied. */
INLINE finish concat_finish(const tin_node *node, int k)
{
    const finish none = {0};
    return node->in[k].same_scale ? none : finish_of(node);
}

static void concat_forward(const tin_pass *pass, const tin_node *node)
{
    real *to = (real *)pass->work + node->y;
    for (int k = 0; k < node->n_in; to += node->in[k].n_channels * TIN_LANES, k++) {
        const real *x = (const real *)pass->work + node->in[k].x;
        int n = node->in[k].n_channels * TIN_LANES;
        finish f = concat_finish(node, k);
        for (int t = 0; t < node->rows_out; t++, x += n) {
            real *y = to + (ptrdiff_t)t * node->n_outputs * TIN_LANES;
            for (int i = 0; i < n; i += VL) {
                store(y + i, finish_apply(load(x + i), f));
            }
        }
    }
}

static void concat_backward(const tin_pass *pass, const tin_node *node)
{
    ptrdiff_t from = 0, row = (ptrdiff_t)node->n_outputs * TIN_LANES;
    for (int k = 0; k < node->n_in; from += node->in[k].n_channels * TIN_LANES, k++) {
        real *dx = (real *)pass->work + node->in[k].dx;
        int n = node->in[k].n_channels * TIN_LANES;
        finish f = concat_finish(node, k);
        for (int t = 0; node->in[k].gradient && t < node->rows_out; t++, dx += n) {
            const real *y = (const real *)pass->work + node->y + t * row + from;
            const real *dy = (const real *)pass->work + node->dy + t * row + from;
            for (int i = 0; i < n; i += VL) {
                give(dx + i, finish_gradient(load(dy + i), load(y + i), f), node->in[k].add);
            }
        }
    }
}

/* s' = s + (x - s) * share, y = s', rounded where asked; the state s stays exact. state: [I]. */
static void ema_forward(const tin_pass *pass, const tin_node *node, real *state)
{
    const real *x = (const real *)pass->work + node->in[0].x;
    real *y = (real *)pass->work + node->y;
    vec share = splat((real)node->share);
    finish f = finish_of(node);
    for (int t = 0; t < node->rows_out; t++) {
        for (int i = 0; i < node->n_outputs * TIN_LANES; i += VL, x += VL, y += VL) {
            vec s = load(state + i);
            s += (load(x) - s) * share;
            store(state + i, s);
            store(y, finish_apply(s, f));
        }
    }
}

static void ema_backward(const tin_pass *pass, const tin_node *node)
{
    output_gradient(pass, node);
    const real *dy = (const real *)pass->work + node->dy;
    real *dx = (real *)pass->work + node->in[0].dx;
    vec share = splat((real)node->share);
    ptrdiff_t row = (ptrdiff_t)node->n_outputs * TIN_LANES;
    for (ptrdiff_t i = 0; i < row; i += VL) {
        vec carry = splat(0);
        for (ptrdiff_t at = (node->rows_out - 1) * row + i; at >= 0; at -= row) {
            vec d = load(dy + at) + carry;
            give(dx + at, d * share, node->in[0].add);
            carry = d - d * share;
        }
    }
}

#endif
