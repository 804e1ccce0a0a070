/* The recurrent cells: what differs between them, one inline step forward and one back. Formulas: model/model.h.
 *
 * With quantisation the matrices and the next layer read h (and r * h of reset_before) rounded to 1/128 within
 * -128/128..127/128; the state that the update reads and writes stays exact. The gradient passes through that rounding. */
#ifndef TIN_KERNEL_CELL_H
#define TIN_KERNEL_CELL_H

#include "train/kernel/kernel_project.h"

#define UNITS_MOST 4  /* units whose gates are in registers together */
#define CELL_LIMIT 16 /* of lstm's c, with quantisation */

/* Shape of a cell. Saved per decision, rows of [H]: gru r z n q; reset_before r z n rh; lstm i f g o tanh(c); mgu f n q;
 * min_gru z n; q is the part of n that comes from the state, rh = r * h.
 * Gradients per decision: gru n r z q; mgu n f q; else the gates in order. So the rows that meet the input lie side by
 * side from 0 on, those that meet the state from first_hidden on. */
typedef struct cell_shape {
    int gates;        /* rows of weight_ih over H */
    int saved;        /* rows saved per decision */
    int gradients;    /* rows of gradients per decision */
    int first_hidden; /* gradient row of gate 0 for the state */
    int shift;        /* gradient row k belongs to gate (k + shift) % gates of the input */
    int hidden_gates; /* that read h itself */
    int reset_gates;  /* that read r * h */
} cell_shape;

static cell_shape shape_of(const tin_node *node)
{
    switch (node->kind) {
    case TIN_NODE_GRU:
        return (cell_shape){3, 4, 4, 1, 2, 3, 0};
    case TIN_NODE_GRU_RESET_BEFORE:
        return (cell_shape){3, 4, 3, 0, 0, 2, 1};
    case TIN_NODE_LSTM:
        return (cell_shape){4, 5, 4, 0, 0, 4, 0};
    case TIN_NODE_MGU:
        return (cell_shape){2, 3, 3, 1, 1, 2, 0};
    default: /* min_gru */
        return (cell_shape){2, 2, 2, 0, 0, 0, 0};
    }
}

/* What is computed in one go over the units; reset_before needs r of all units before the first n. */
typedef enum cell_part { PART_GRU, PART_LSTM, PART_MGU, PART_RESET, PART_CANDIDATE } cell_part;

INLINE int part_gates(cell_part part)
{
    return part == PART_LSTM ? 4 : part == PART_GRU ? 3 : part == PART_CANDIDATE ? 1 : 2;
}

/* Whether the state's part of the last gate is multiplied by another gate, so that it is summed apart. */
INLINE bool part_product(cell_part part)
{
    return part == PART_GRU || part == PART_MGU;
}

/* One decision. x: input row; h: row that the matrix reads; old, next: exact states (lstm: c); y: output row, the same
 * as next where nothing is rounded and there is no c; saved: rows of [H]. */
typedef struct cell_rows {
    int n_inputs, n_units;
    const real *x, *h, *old;
    real *next, *y, *saved;
    bool quantised;
} cell_rows;

INLINE vec round_state(vec h)
{
    vec low = splat(-128), high = splat(127);
    return vec_round(vec_min(vec_max(h * (real)128, low), high)) * ((real)1 / 128);
}

INLINE vec state_read(vec h, bool quantised)
{
    return quantised ? round_state(h) : h;
}

/* h' = n + z * (h - n) */
INLINE void cell_mix(const cell_rows *rows, vec n, vec z, ptrdiff_t at)
{
    vec h = n + z * (load(rows->old + at) - n);
    store(rows->next + at, h);
    if (rows->quantised) {
        store(rows->y + at, round_state(h));
    }
}

/* sums: of the gates of one unit, `step` apart; input_n: the input's part of n where it is apart; at: place in a row. */
INLINE void cell_step(cell_part part, const cell_rows *rows, const vec *sums, int step, vec input_n, ptrdiff_t at)
{
    ptrdiff_t row = (ptrdiff_t)rows->n_units * TIN_LANES;
    real *saved = rows->saved + at;
    if (part == PART_GRU) {
        vec r = vec_sigmoid(sums[0]), z = vec_sigmoid(sums[step]), q = sums[2 * step];
        vec n = vec_tanh(input_n + r * q);
        cell_mix(rows, n, z, at);
        store(saved, r);
        store(saved + row, z);
        store(saved + 2 * row, n);
        store(saved + 3 * row, q);
    } else if (part == PART_MGU) {
        vec f = vec_sigmoid(sums[0]), q = sums[step];
        vec n = vec_tanh(input_n + f * q);
        cell_mix(rows, n, splat(1) - f, at);
        store(saved, f);
        store(saved + row, n);
        store(saved + 2 * row, q);
    } else if (part == PART_RESET) {
        vec r = vec_sigmoid(sums[0]);
        store(saved, r);
        store(saved + row, vec_sigmoid(sums[step]));
        store(saved + 3 * row, state_read(r * load(rows->old + at), rows->quantised));
    } else if (part == PART_CANDIDATE) {
        vec n = vec_tanh(sums[0]);
        cell_mix(rows, n, load(saved + row), at);
        store(saved + 2 * row, n);
    } else {
        vec i = vec_sigmoid(sums[0]), f = vec_sigmoid(sums[step]);
        vec g = vec_tanh(sums[2 * step]), o = vec_sigmoid(sums[3 * step]);
        vec c = f * load(rows->old + at) + i * g;
        if (rows->quantised) {
            c = vec_min(splat(CELL_LIMIT), vec_max(splat(-CELL_LIMIT), c));
        }
        vec t = vec_tanh(c);
        store(rows->next + at, c);
        store(rows->y + at, state_read(o * t, rows->quantised));
        store(saved, i);
        store(saved + row, f);
        store(saved + 2 * row, g);
        store(saved + 3 * row, o);
        store(saved + 4 * row, t);
    }
}

/* sum[g][j] += w[k][g][j] * x[k] */
INLINE const real *gate_sums(int n_sums, int n, const real *w, const real *x, vec *sums)
{
    for (int k = 0; k < n; k++, x += TIN_LANES, w += n_sums) {
        vec xs = load(x);
        UNROLL
        for (int j = 0; j < n_sums; j++) {
            sums[j] += xs * w[j];
        }
    }
    return w;
}

/* `units` units from `unit` on. w: [I][gates][units], then [H][gates][units]; bias: [gates][units], then [units] of the
 * state's part of the last gate where it is apart. */
INLINE const real *cell_units(cell_part part, int units, const cell_rows *rows, const real *w, const real *bias,
                              int unit)
{
    const real *next_w = w;
    int n_sums = part_gates(part) * units, last = n_sums - units;
    for (int v = 0; v < NV; v++) {
        vec sums[4 * UNITS_MOST], input_n[UNITS_MOST] = {{0}};
        UNROLL
        for (int j = 0; j < n_sums; j++) {
            sums[j] = splat(bias[j]);
        }
        next_w = gate_sums(n_sums, rows->n_inputs, w, rows->x + v * VL, sums);
        if (part_product(part)) {
            UNROLL
            for (int j = 0; j < units; j++) {
                input_n[j] = sums[last + j];
                sums[last + j] = splat(bias[n_sums + j]);
            }
        }
        next_w = gate_sums(n_sums, rows->n_units, next_w, rows->h + v * VL, sums);
        UNROLL
        for (int j = 0; j < units; j++) {
            cell_step(part, rows, sums + j, units, input_n[j], (ptrdiff_t)(unit + j) * TIN_LANES + v * VL);
        }
    }
    return next_w;
}

/* A part of one decision, all units. */
INLINE void cell_decision(cell_part part, const cell_rows *rows, const real *w, const real *bias)
{
    for (int unit = 0, units; unit < rows->n_units; unit += units) {
        units = part_size(rows->n_units, UNITS_MOST, unit);
        switch (units) {
        case 4:
            w = cell_units(part, 4, rows, w, bias, unit);
            break;
        case 3:
            w = cell_units(part, 3, rows, w, bias, unit);
            break;
        case 2:
            w = cell_units(part, 2, rows, w, bias, unit);
            break;
        default:
            w = cell_units(part, 1, rows, w, bias, unit);
            break;
        }
        bias += (part_gates(part) + part_product(part)) * units;
    }
}

/* Back through one decision, value by value. saved as above; old, next: exact states; dy and carry: what reaches h'.
 * Writes gradients (rows as in cell_shape) and direct, what goes straight to the state before. */
typedef struct cell_back {
    ptrdiff_t row; /* reals of [H] */
    const real *saved, *old, *next, *dy, *carry;
    real *gradients, *direct;
    real *cell; /* lstm: dc, from the decision after to the one before; reset_before: d(r * h) */
    bool quantised;
} cell_back;

INLINE void back_gru(const cell_back *b, ptrdiff_t i)
{
    const real *saved = b->saved + i;
    real *gradients = b->gradients + i;
    vec dh = load(b->dy + i) + load(b->carry + i);
    vec r = load(saved), z = load(saved + b->row), n = load(saved + 2 * b->row), q = load(saved + 3 * b->row);
    vec dn = dh - dh * z;
    vec da_n = dn - dn * n * n;
    store(gradients, da_n);
    store(gradients + b->row, da_n * q * (r - r * r));
    store(gradients + 2 * b->row, dh * (load(b->old + i) - n) * (z - z * z));
    store(gradients + 3 * b->row, da_n * r);
    store(b->direct + i, dh * z);
}

INLINE void back_mgu(const cell_back *b, ptrdiff_t i)
{
    const real *saved = b->saved + i;
    real *gradients = b->gradients + i;
    vec dh = load(b->dy + i) + load(b->carry + i);
    vec f = load(saved), n = load(saved + b->row), q = load(saved + 2 * b->row);
    vec dn = dh * f;
    vec da_n = dn - dn * n * n;
    store(gradients, da_n);
    store(gradients + b->row, (dh * (n - load(b->old + i)) + da_n * q) * (f - f * f));
    store(gradients + 2 * b->row, da_n * f);
    store(b->direct + i, dh - dn);
}

INLINE void back_min_gru(const cell_back *b, ptrdiff_t i)
{
    vec dh = load(b->dy + i) + load(b->carry + i);
    vec z = load(b->saved + i), n = load(b->saved + b->row + i);
    vec dn = dh - dh * z;
    store(b->gradients + i, dh * (load(b->old + i) - n) * (z - z * z));
    store(b->gradients + b->row + i, dn - dn * n * n);
    store(b->direct + i, dh * z);
}

INLINE void back_lstm(const cell_back *b, ptrdiff_t i)
{
    const real *saved = b->saved + i;
    real *gradients = b->gradients + i;
    vec dh = load(b->dy + i) + load(b->carry + i);
    vec in = load(saved), f = load(saved + b->row), g = load(saved + 2 * b->row);
    vec o = load(saved + 3 * b->row), t = load(saved + 4 * b->row);
    vec dt = dh * o;
    vec dc = load(b->cell + i) + dt - dt * t * t;
    if (b->quantised) {
        vec c = load(b->next + i);
        dc = (vec)((ivec)dc & (c < splat(CELL_LIMIT)) & (c > splat(-CELL_LIMIT)));
    }
    vec dg = dc * in;
    store(gradients, dc * g * (in - in * in));
    store(gradients + b->row, dc * load(b->old + i) * (f - f * f));
    store(gradients + 2 * b->row, dg - dg * g * g);
    store(gradients + 3 * b->row, dh * t * (o - o * o));
    store(b->cell + i, dc * f);
    store(b->direct + i, splat(0));
}

/* n and z of reset_before; then, when d(r * h) is known, r. */
INLINE void back_candidate(const cell_back *b, ptrdiff_t i)
{
    const real *saved = b->saved + i;
    vec dh = load(b->dy + i) + load(b->carry + i);
    vec z = load(saved + b->row), n = load(saved + 2 * b->row);
    vec dn = dh - dh * z;
    store(b->gradients + b->row + i, dh * (load(b->old + i) - n) * (z - z * z));
    store(b->gradients + 2 * b->row + i, dn - dn * n * n);
    store(b->direct + i, dh * z);
}

INLINE void back_reset(const cell_back *b, ptrdiff_t i)
{
    vec r = load(b->saved + i), d = load(b->cell + i);
    store(b->gradients + i, d * load(b->old + i) * (r - r * r));
    store(b->direct + i, load(b->direct + i) + d * r);
}

#define BACK_ROW(step)                                                                                                 \
    for (ptrdiff_t i = 0; i < b->row; i += VL) {                                                                       \
        step(b, i);                                                                                                    \
    }                                                                                                                  \
    break

/* All but the part of reset_before that needs d(r * h). */
static void cell_gradient(tin_node_kind kind, const cell_back *b)
{
    switch (kind) {
    case TIN_NODE_GRU:
        BACK_ROW(back_gru);
    case TIN_NODE_GRU_RESET_BEFORE:
        BACK_ROW(back_candidate);
    case TIN_NODE_LSTM:
        BACK_ROW(back_lstm);
    case TIN_NODE_MGU:
        BACK_ROW(back_mgu);
    default:
        BACK_ROW(back_min_gru);
    }
}

static void cell_reset_gradient(const cell_back *b)
{
    for (ptrdiff_t i = 0; i < b->row; i += VL) {
        back_reset(b, i);
    }
}

#endif
