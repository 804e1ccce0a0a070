/* The recurrent cells: what differs between them, one inline step forward and one back. Formulas: model/model.h.
 *
 * With quantisation the matrices and the next layer read h (and r * h of reset_before) rounded to 1/128 within
 * -128/128..127/128; the state that the update reads and writes stays exact. The gradient passes through that rounding. */
#ifndef TIN_KERNEL_CELL_H
#define TIN_KERNEL_CELL_H

#include "train/kernel/kernel_project.h"

#define UNITS_MOST (SUMS_MOST / 3) /* units whose gates are in registers together; lstm has fewer, part_units */
#define CELL_LIMIT 16              /* of lstm's c, with quantisation */

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
typedef enum cell_part { PART_GRU, PART_LSTM, PART_MGU, PART_MIN_GRU, PART_RESET, PART_CANDIDATE } cell_part;

INLINE int part_gates(cell_part part)
{
    return part == PART_LSTM ? 4 : part == PART_GRU ? 3 : part == PART_CANDIDATE ? 1 : 2;
}

/* The part that comes first; min_gru's gates are no part, one product does all of them. */
static cell_part first_part(tin_node_kind kind)
{
    switch (kind) {
    case TIN_NODE_GRU:
        return PART_GRU;
    case TIN_NODE_LSTM:
        return PART_LSTM;
    case TIN_NODE_MGU:
        return PART_MGU;
    case TIN_NODE_GRU_RESET_BEFORE:
        return PART_RESET;
    default:
        return PART_MIN_GRU;
    }
}

/* Units whose gates are summed at once. */
INLINE int part_units(cell_part part)
{
    return part == PART_LSTM ? SUMS_MOST / 4 : UNITS_MOST;
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

/* `count` vectors of a row: what cell_units left there becomes its sigmoid, and x. */
INLINE void sigmoid_row(int count, real *row, vec *x)
{
    load_each(count, row, x);
    sigmoid_each(count, x);
    store_each(count, row, x);
}

INLINE void tanh_row(int count, real *row, vec *x)
{
    load_each(count, row, x);
    tanh_each(count, x);
    store_each(count, row, x);
}

/* n = tanh(input's part + gate * state's part), whose rows follow one another. */
INLINE void gated_tanh_row(int count, real *row, ptrdiff_t next_row, const vec *gate, vec *n)
{
    UNROLL
    for (int i = 0; i < count; i++) {
        n[i] = load(row + i * VL) + gate[i] * load(row + next_row + i * VL);
    }
    tanh_each(count, n);
    store_each(count, row, n);
}

/* h' = n + z * (h - n) */
INLINE void cell_mix(int count, const cell_rows *rows, const vec *n, const vec *z, ptrdiff_t at)
{
    UNROLL
    for (int i = 0; i < count; i++, at += VL) {
        vec h = n[i] + z[i] * (load(rows->old + at) - n[i]);
        store(rows->next + at, h);
        if (rows->quantised) {
            store(rows->y + at, round_state(h));
        }
    }
}

INLINE void lstm_activate(int count, const cell_rows *rows, ptrdiff_t at)
{
    ptrdiff_t row = (ptrdiff_t)rows->n_units * TIN_LANES;
    real *saved = rows->saved + at;
    vec in[ACTIVATED], f[ACTIVATED], g[ACTIVATED], o[ACTIVATED], c[ACTIVATED];
    sigmoid_row(count, saved, in);
    sigmoid_row(count, saved + row, f);
    tanh_row(count, saved + 2 * row, g);
    sigmoid_row(count, saved + 3 * row, o);
    UNROLL
    for (int i = 0; i < count; i++) {
        c[i] = f[i] * load(rows->old + at + i * VL) + in[i] * g[i];
        if (rows->quantised) {
            c[i] = vec_min(splat(CELL_LIMIT), vec_max(splat(-CELL_LIMIT), c[i]));
        }
    }
    store_each(count, rows->next + at, c);
    tanh_each(count, c);
    store_each(count, saved + 4 * row, c);
    UNROLL
    for (int i = 0; i < count; i++) {
        store(rows->y + at + i * VL, state_read(o[i] * c[i], rows->quantised));
    }
}

/* The sums of `count` vectors of units, where cell_units left them, become what is saved. */
INLINE void cell_activate(cell_part part, int count, const cell_rows *rows, ptrdiff_t at)
{
    ptrdiff_t row = (ptrdiff_t)rows->n_units * TIN_LANES;
    real *saved = rows->saved + at;
    vec r[ACTIVATED], z[ACTIVATED], n[ACTIVATED];
    if (part == PART_GRU) {
        sigmoid_row(count, saved, r);
        sigmoid_row(count, saved + row, z);
        gated_tanh_row(count, saved + 2 * row, row, r, n);
        cell_mix(count, rows, n, z, at);
    } else if (part == PART_MGU) {
        sigmoid_row(count, saved, r);
        gated_tanh_row(count, saved + row, row, r, n);
        UNROLL
        for (int i = 0; i < count; i++) {
            z[i] = splat(1) - r[i];
        }
        cell_mix(count, rows, n, z, at);
    } else if (part == PART_MIN_GRU) {
        sigmoid_row(count, saved, z);
        tanh_row(count, saved + row, n);
        cell_mix(count, rows, n, z, at);
    } else if (part == PART_RESET) {
        sigmoid_row(count, saved, r);
        sigmoid_row(count, saved + row, z);
        UNROLL
        for (int i = 0; i < count; i++) {
            store(saved + 3 * row + i * VL, state_read(r[i] * load(rows->old + at + i * VL), rows->quantised));
        }
    } else if (part == PART_CANDIDATE) {
        load_each(count, saved + row, z);
        tanh_row(count, saved + 2 * row, n);
        cell_mix(count, rows, n, z, at);
    } else {
        lstm_activate(count, rows, at);
    }
}

/* All units, as many side by side as the registers take. */
INLINE void cell_activations(cell_part part, const cell_rows *rows)
{
    ptrdiff_t row = (ptrdiff_t)rows->n_units * TIN_LANES, i = 0;
    for (; i + ACTIVATED * VL <= row; i += ACTIVATED * VL) {
        cell_activate(part, ACTIVATED, rows, i);
    }
    for (; i < row; i += VL) {
        cell_activate(part, 1, rows, i);
    }
}

/* sum[g][j] += w[k][g][j] * x[k]. Meanwhile 2n rows of lanes from ahead on come to the cache, if it is not NULL. */
INLINE const real *gate_sums(int n_sums, int n, const real *w, const real *x, const real *ahead, vec *sums)
{
    for (int k = 0; k < n; k++, x += TIN_LANES, w += n_sums) {
        vec xs = load(x);
        if (ahead) {
            __builtin_prefetch(ahead + 2 * k * TIN_LANES);
            __builtin_prefetch(ahead + (2 * k + 1) * TIN_LANES);
        }
        UNROLL
        for (int j = 0; j < n_sums; j++) {
            sums[j] += xs * w[j];
        }
    }
    return w;
}

/* The sums of `units` units from `unit` on, to the rows from saved on: a row for each gate; where the state's part of
 * the last gate is apart, it goes to one more. w: [I][gates][units], then [H][gates][units]; bias: [gates][units], then
 * [units] of the state's part of the last gate where it is apart. */
INLINE const real *cell_units(cell_part part, int units, const cell_rows *rows, const real *w, const real *bias,
                              real *saved, int unit)
{
    const real *next_w = w;
    int gates = part_gates(part), n_sums = gates * units, last = n_sums - units;
    ptrdiff_t row = (ptrdiff_t)rows->n_units * TIN_LANES;
    for (int v = 0; v < NV; v++) {
        vec sums[SUMS_MOST];
        real *to = saved + (ptrdiff_t)unit * TIN_LANES + v * VL;
        UNROLL
        for (int j = 0; j < n_sums; j++) {
            sums[j] = splat(bias[j]);
        }
        next_w = gate_sums(n_sums, rows->n_inputs, w, rows->x + v * VL, NULL, sums);
        if (part_product(part)) {
            UNROLL
            for (int j = 0; j < units; j++) {
                store(to + (gates - 1) * row + j * TIN_LANES, sums[last + j]);
                sums[last + j] = splat(bias[n_sums + j]);
            }
        }
        next_w = gate_sums(n_sums, rows->n_units, next_w, rows->h + v * VL, NULL, sums);
        UNROLL
        for (int g = 0; g < gates; g++) {
            ptrdiff_t at = (part_product(part) && g == gates - 1 ? gates : g) * row;
            UNROLL
            for (int j = 0; j < units; j++) {
                store(to + at + j * TIN_LANES, sums[g * units + j]);
            }
        }
    }
    return next_w;
}

#define UNITS_CASE(units)                                                                                              \
    case units:                                                                                                        \
        w = units <= part_units(part) ? cell_units(part, units, rows, w, bias, saved, unit) : w;                       \
        break;

/* A part of one decision: first the sums of all units, then, without one waiting for another, their activations. */
INLINE void cell_decision(cell_part part, const cell_rows *rows, const real *w, const real *bias)
{
    ptrdiff_t row = (ptrdiff_t)rows->n_units * TIN_LANES;
    real *saved = rows->saved + (part == PART_CANDIDATE ? 2 * row : 0);
    for (int unit = 0, units; unit < rows->n_units; unit += units) {
        units = part_size(rows->n_units, part_units(part), unit);
        switch (units) {
#if SUMS_MOST == 24
            UNITS_CASE(8)
            UNITS_CASE(7)
            UNITS_CASE(6)
            UNITS_CASE(5)
#endif
            UNITS_CASE(4)
            UNITS_CASE(3)
            UNITS_CASE(2)
            UNITS_CASE(1)
        }
        bias += (part_gates(part) + part_product(part)) * units;
    }
    cell_activations(part, rows);
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
