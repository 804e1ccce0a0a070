/* GRU (reset_after, gates r, z, n):
 *   r = s(Wr x + br + Ur h + cr), z likewise, q = Un h + cn, n = tanh(Wn x + bn + r * q), h' = n + z * (h - n)
 *
 * With quantisation the matrices and the next layer read h rounded to 1/128 within -128/128..127/128; the state that
 * the update reads and writes stays exact. The gradient passes through that rounding.
 *
 * Saved: gates [T][4][H] (r, z, n, q), then exact states [T+1][H]; without quantisation those are the output rows,
 * which have one more row before the chunk. */
#ifndef TIN_KERNEL_GRU_H
#define TIN_KERNEL_GRU_H

#include "train/kernel/kernel_project.h"

#define UNITS_MOST 4  /* units whose gates are in registers together */
#define CHAIN_ROWS 20 /* decisions of the backward chain whose gate gradients are kept */

/* Parts of the packed weights. */
typedef struct gru_packed {
    const real *forward; /* per block of units: [I][3][units], then [H][3][units] */
    const real *bias;    /* per block of units: r, z (both biases), n of input, n of state; [4][units] */
    const real *hidden;  /* transposed weight_hh for project, rows r, z, n of the gates as columns */
    const real *input;   /* transposed weight_ih likewise, order n, r, z */
} gru_packed;

static size_t gru_packed_size(const tin_node *node)
{
    size_t n_i = (size_t)node->n_inputs, n_h = (size_t)node->n_outputs;
    return 9 * n_h * (n_i + n_h) + 4 * n_h; /* forward, backward, rounded rows; biases */
}

static gru_packed gru_parts(const tin_node *node, const real *packed)
{
    size_t n_i = (size_t)node->n_inputs, n_h = (size_t)node->n_outputs;
    gru_packed p;
    p.forward = packed;
    p.bias = p.forward + 3 * n_h * (n_i + n_h);
    p.hidden = p.bias + 4 * n_h;
    p.input = p.hidden + 3 * n_h * n_h;
    return p;
}

/* The transpose of gate rows for `project`: row j of the product is column j of weight [3H][n_columns]. order: which
 * gate comes first, second, third. */
static real *gru_pack_transposed(const real *weight, int n_h, int n_columns, const int order[3], real *packed)
{
    for (int row = 0, rows; row < n_columns; row += rows) {
        rows = part_size(n_columns, ROWS_MOST, row);
        for (int g = 0; g < 3; g++) {
            for (int u = 0; u < n_h; u++) {
                for (int r = 0; r < rows; r++) {
                    *packed++ = weight[(order[g] * n_h + u) * n_columns + row + r];
                }
            }
        }
    }
    return packed;
}

static real *gru_pack_units(const real *weight, int n_h, int n_columns, int unit, int units, real *packed)
{
    for (int k = 0; k < n_columns; k++) {
        for (int g = 0; g < 3; g++) {
            for (int j = 0; j < units; j++) {
                *packed++ = weight[(g * n_h + unit + j) * n_columns + k];
            }
        }
    }
    return packed;
}

static void gru_pack(const tin_node *node, const float *params, real *packed)
{
    int n_i = node->n_inputs, n_h = node->n_outputs;
    const float *b_ih = params + node->bias, *b_hh = params + node->bias_hh;
    real *forward = packed, *bias = forward + 3 * n_h * (n_i + n_h), *transposed = bias + 4 * n_h;
    real *w_ih = transposed + 3 * n_h * (n_i + n_h), *w_hh = w_ih + 3 * n_h * n_i;
    for (int row = 0; row < 3 * n_h; row++) {
        round_row(params + node->weight + (size_t)(row * n_i), n_i, node->weight_bits, node->power_of_two,
                  w_ih + row * n_i);
        round_row(params + node->weight_hh + (size_t)(row * n_h), n_h, node->weight_bits, node->power_of_two,
                  w_hh + row * n_h);
    }
    for (int unit = 0, units; unit < n_h; unit += units) {
        units = part_size(n_h, UNITS_MOST, unit);
        forward = gru_pack_units(w_ih, n_h, n_i, unit, units, forward);
        forward = gru_pack_units(w_hh, n_h, n_h, unit, units, forward);
        for (int j = 0; j < units; j++) {
            int u = unit + j;
            bias[j] = (real)b_ih[u] + (real)b_hh[u];
            bias[units + j] = (real)b_ih[n_h + u] + (real)b_hh[n_h + u];
            bias[2 * units + j] = (real)b_ih[2 * n_h + u];
            bias[3 * units + j] = (real)b_hh[2 * n_h + u];
        }
        bias += 4 * units;
    }
    static const int hidden_order[3] = {0, 1, 2}, input_order[3] = {2, 0, 1};
    transposed = gru_pack_transposed(w_hh, n_h, n_h, hidden_order, transposed);
    gru_pack_transposed(w_ih, n_h, n_i, input_order, transposed);
}

static size_t gru_saved_size(const tin_node *node)
{
    return (size_t)(5 * node->rows_out + 1) * (size_t)node->n_outputs * TIN_LANES;
}

/* Row 0 is the state before the chunk. */
static real *gru_states(const tin_pass *pass, const tin_node *node)
{
    real *work = pass->work;
    size_t row = (size_t)node->n_outputs * TIN_LANES;
    return node->quantised ? work + node->saved + 4 * row * (size_t)node->rows_out : work + node->y - row;
}

INLINE vec round_state(vec h)
{
    vec low = splat(-128), high = splat(127);
    return vec_round(vec_min(vec_max(h * (real)128, low), high)) * ((real)1 / 128);
}

/* sum[g][j] += w[k][g][j] * x[k] */
INLINE const real *gate_sums(int units, int n, const real *w, const real *x, vec *sums)
{
    for (int k = 0; k < n; k++, x += TIN_LANES, w += 3 * units) {
        vec xs = load(x);
        UNROLL
        for (int j = 0; j < 3 * units; j++) {
            sums[j] += xs * w[j];
        }
    }
    return w;
}

/* One decision of `units` units from `unit` on. x: input row; h: row of rounded states (matrix); old, next: exact
 * states; y: rounded output or the same as next; gates: [4][H]. */
typedef struct gru_rows {
    int n_inputs, n_units;
    const real *x, *h, *old;
    real *next, *y, *gates;
    bool quantised;
} gru_rows;

INLINE const real *gru_units(int units, const gru_rows *rows, const real *w, const real *bias, int unit)
{
    const real *next_w = w;
    ptrdiff_t gate = (ptrdiff_t)rows->n_units * TIN_LANES;
    for (int v = 0; v < NV; v++) {
        vec sums[3 * UNITS_MOST], input_n[UNITS_MOST];
        UNROLL
        for (int j = 0; j < 3 * units; j++) {
            sums[j] = splat(bias[j]);
        }
        next_w = gate_sums(units, rows->n_inputs, w, rows->x + v * VL, sums);
        UNROLL
        for (int j = 0; j < units; j++) {
            input_n[j] = sums[2 * units + j];
            sums[2 * units + j] = splat(bias[3 * units + j]);
        }
        next_w = gate_sums(units, rows->n_units, next_w, rows->h + v * VL, sums);
        UNROLL
        for (int j = 0; j < units; j++) {
            ptrdiff_t at = (ptrdiff_t)(unit + j) * TIN_LANES + v * VL;
            vec r = vec_sigmoid(sums[j]), z = vec_sigmoid(sums[units + j]), q = sums[2 * units + j];
            vec n = vec_tanh(input_n[j] + r * q);
            vec h = n + z * (load(rows->old + at) - n);
            store(rows->next + at, h);
            if (rows->quantised) {
                store(rows->y + at, round_state(h));
            }
            store(rows->gates + at, r);
            store(rows->gates + gate + at, z);
            store(rows->gates + 2 * gate + at, n);
            store(rows->gates + 3 * gate + at, q);
        }
    }
    return next_w;
}

static void gru_decision(const gru_rows *rows, const gru_packed *packed)
{
    const real *w = packed->forward, *bias = packed->bias;
    for (int unit = 0, units; unit < rows->n_units; unit += units) {
        units = part_size(rows->n_units, UNITS_MOST, unit);
        switch (units) {
        case 4:
            w = gru_units(4, rows, w, bias, unit);
            break;
        case 3:
            w = gru_units(3, rows, w, bias, unit);
            break;
        case 2:
            w = gru_units(2, rows, w, bias, unit);
            break;
        default:
            w = gru_units(1, rows, w, bias, unit);
            break;
        }
        bias += 4 * units;
    }
}

/* state: [H] */
static void gru_forward(const tin_pass *pass, const tin_node *node, real *state)
{
    real *work = pass->work;
    gru_packed packed = gru_parts(node, (const real *)pass->packed + node->packed);
    ptrdiff_t row = (ptrdiff_t)node->n_outputs * TIN_LANES;
    real *states = gru_states(pass, node);
    for (ptrdiff_t i = 0; i < row; i += VL) {
        vec h = load(state + i);
        store(work + node->y - row + i, node->quantised ? round_state(h) : h);
        store(states + i, h);
    }
    for (int t = 0; t < node->rows_out; t++) {
        gru_rows rows = {.n_inputs = node->n_inputs,
                         .n_units = node->n_outputs,
                         .x = work + node->in[0].x + (ptrdiff_t)t * node->n_inputs * TIN_LANES,
                         .h = work + node->y + (t - 1) * row,
                         .old = states + t * row,
                         .next = states + (t + 1) * row,
                         .y = work + node->y + t * row,
                         .gates = work + node->saved + 4 * t * row,
                         .quantised = node->quantised};
        gru_decision(&rows, &packed);
    }
    memcpy(state, states + node->rows_out * row, (size_t)row * sizeof(real));
}

/* Scratch: gate gradients [CHAIN_ROWS][4][H] (n, r, z, q), carry and its direct part [H] each, lane sums of the
 * weights. */
typedef struct gru_scratch {
    real *gates, *carry, *direct, *input_sums, *hidden_sums, *bias_sums;
} gru_scratch;

static size_t gru_scratch_size(const tin_node *node)
{
    size_t n_i = (size_t)node->n_inputs, n_h = (size_t)node->n_outputs;
    return (4 * CHAIN_ROWS + 2) * n_h * TIN_LANES + (3 * n_h * (n_i + n_h) + 4 * n_h) * (size_t)VL;
}

static gru_scratch gru_scratch_parts(const tin_node *node, real *scratch)
{
    size_t n_i = (size_t)node->n_inputs, n_h = (size_t)node->n_outputs;
    gru_scratch s;
    s.gates = scratch;
    s.carry = s.gates + 4 * CHAIN_ROWS * n_h * TIN_LANES;
    s.direct = s.carry + n_h * TIN_LANES;
    s.input_sums = s.direct + n_h * TIN_LANES;
    s.hidden_sums = s.input_sums + 3 * n_h * n_i * (size_t)VL;
    s.bias_sums = s.hidden_sums + 3 * n_h * n_h * (size_t)VL;
    return s;
}

/* Gradients of the gates of one decision from dy + carry; `direct` is what goes straight to the state before. */
static void gru_gate_gradient(const tin_pass *pass, const tin_node *node, int t, real *gates, const gru_scratch *s)
{
    const real *work = pass->work;
    ptrdiff_t row = (ptrdiff_t)node->n_outputs * TIN_LANES;
    const real *saved = work + node->saved + 4 * t * row, *old = gru_states(pass, node) + t * row;
    const real *dy = work + node->dy + t * row;
    for (ptrdiff_t i = 0; i < row; i += VL) {
        vec dh = load(dy + i) + load(s->carry + i);
        vec r = load(saved + i), z = load(saved + row + i), n = load(saved + 2 * row + i),
            q = load(saved + 3 * row + i);
        vec dn = dh - dh * z;
        vec da_n = dn - dn * n * n;
        vec da_r = da_n * q * (r - r * r);
        vec da_z = dh * (load(old + i) - n) * (z - z * z);
        store(gates + i, da_n);
        store(gates + row + i, da_r);
        store(gates + 2 * row + i, da_z);
        store(gates + 3 * row + i, da_n * r);
        store(s->direct + i, dh * z);
    }
}

/* Decisions t0..t1-1, backwards: fills s->gates and moves s->carry to t0. */
static void gru_chain(const tin_pass *pass, const tin_node *node, int t0, int t1, const gru_scratch *s,
                      const gru_packed *packed)
{
    ptrdiff_t row = (ptrdiff_t)node->n_outputs * TIN_LANES;
    segments whole = {.n = 1, .length = 3 * node->n_outputs};
    for (int t = t1 - 1; t >= t0; t--) {
        real *gates = s->gates + 4 * (t - t0) * row;
        gru_gate_gradient(pass, node, t, gates, s);
        projection p = {.n_times = 1,
                        .n_rows = node->n_outputs,
                        .weights = packed->hidden,
                        .start = s->direct,
                        .x = gates + row,
                        .segments = &whole,
                        .y = s->carry};
        project(&p);
    }
}

/* What the gate gradients of decisions t0..t1-1 give to weights and input. */
static void gru_spread(const tin_pass *pass, const tin_node *node, int t0, int t1, const gru_scratch *s,
                       const gru_packed *packed)
{
    real *work = pass->work;
    int n_i = node->n_inputs, n_h = node->n_outputs, n = t1 - t0;
    ptrdiff_t row = (ptrdiff_t)n_h * TIN_LANES;
    outer_product hidden = {.n_times = n,
                            .n_rows = 3 * n_h,
                            .n_columns = n_h,
                            .a = s->gates + row,
                            .a_step = 4 * n_h,
                            .b = work + node->y + (t0 - 1) * row,
                            .b_step = n_h,
                            .sums = s->hidden_sums};
    outer(&hidden);
    outer_product input = {.n_times = n,
                           .n_rows = 3 * n_h,
                           .n_columns = n_i,
                           .a = s->gates,
                           .a_step = 4 * n_h,
                           .b = work + node->in[0].x + (ptrdiff_t)t0 * n_i * TIN_LANES,
                           .b_step = n_i,
                           .sums = s->input_sums};
    outer(&input);
    add_rows(n, 4 * n_h, s->gates, 4 * n_h, s->bias_sums);
    if (node->in[0].gradient) {
        segments whole = {.n = 1, .length = 3 * n_h};
        projection p = {.n_times = n,
                        .n_rows = n_i,
                        .weights = packed->input,
                        .x = s->gates,
                        .x_step = 4 * n_h,
                        .segments = &whole,
                        .y = work + node->in[0].dx + (ptrdiff_t)t0 * n_i * TIN_LANES,
                        .y_step = n_i,
                        .add = node->in[0].add};
        project(&p);
    }
}

static void gru_reduce(const tin_pass *pass, const tin_node *node, const gru_scratch *s)
{
    real *gradient = pass->gradient;
    int n_i = node->n_inputs, n_h = node->n_outputs;
    weight_map hidden = {n_h, 1, 0, 0}, input = {n_i, 1, 0, 2 * n_h}; /* input sums have the gates in order n, r, z */
    outer_reduce(s->hidden_sums, 3 * n_h, n_h, gradient + node->weight_hh, hidden);
    outer_reduce(s->input_sums, 3 * n_h, n_i, gradient + node->weight, input);
    for (int u = 0; u < n_h; u++) {
        real an = vec_sum(load(s->bias_sums + u * VL)), ar = vec_sum(load(s->bias_sums + (n_h + u) * VL));
        real az = vec_sum(load(s->bias_sums + (2 * n_h + u) * VL)),
             aq = vec_sum(load(s->bias_sums + (3 * n_h + u) * VL));
        real *b_ih = gradient + node->bias + u, *b_hh = gradient + node->bias_hh + u;
        b_ih[0] += ar;
        b_hh[0] += ar;
        b_ih[n_h] += az;
        b_hh[n_h] += az;
        b_ih[2 * n_h] += an;
        b_hh[2 * n_h] += aq;
    }
}

static void gru_backward(const tin_pass *pass, const tin_node *node)
{
    gru_packed packed = gru_parts(node, (const real *)pass->packed + node->packed);
    real *scratch = (real *)pass->work + node->scratch;
    memset(scratch, 0, gru_scratch_size(node) * sizeof(real));
    gru_scratch s = gru_scratch_parts(node, scratch);
    for (int t1 = node->rows_out; t1 > 0; t1 -= CHAIN_ROWS) {
        int t0 = t1 > CHAIN_ROWS ? t1 - CHAIN_ROWS : 0;
        gru_chain(pass, node, t0, t1, &s, &packed);
        gru_spread(pass, node, t0, t1, &s, &packed);
    }
    gru_reduce(pass, node, &s);
}

#endif
