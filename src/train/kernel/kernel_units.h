/* Products of recurrent layers whose units fill whole vectors. A row is [lane][unit] here: weights are loaded as
 * vectors and meet several lanes before they are loaded again, values are broadcast, and the gradient of a weight is
 * one number, not one of each lane. The cells (kernel_cell.h) work on single values and do not care. */
#ifndef TIN_KERNEL_UNITS_H
#define TIN_KERNEL_UNITS_H

#include "train/kernel/kernel_cell.h"

#define TILE_VECS (SUMS_MOST / 4) /* vectors of units whose sums are in registers together, */
#define TILE_LANES 4              /* of so many lanes or columns of weights */
#define ROW_VECS 3                /* the same of unit_rows */
#define ROW_LANES (SUMS_MOST / 3)

/* Value k of lane l is x[k * step + l * lane_step]. */
typedef struct lane_values {
    const real *x;
    ptrdiff_t step, lane_step;
} lane_values;

static lane_values values_of_lanes(const real *row)
{
    return (lane_values){row, TIN_LANES, 1};
}

static lane_values values_of_units(const real *row, int n_units)
{
    return (lane_values){row, 1, n_units};
}

/* min_gru has no product inside its loop over time. */
static bool units_fill_vectors(const tin_node *node)
{
    return node->n_outputs % VL == 0 && node->kind != TIN_NODE_MIN_GRU;
}

/* [unit][lane] to [lane][unit]. */
static void lanes_to_units(int n_units, const real *from, real *to)
{
    for (int u = 0; u < n_units; u += VL) {
        for (int l = 0; l < TIN_LANES; l += VL) {
            vec v[VL];
            UNROLL
            for (int i = 0; i < VL; i++) {
                v[i] = load(from + (u + i) * TIN_LANES + l);
            }
            transpose(1, VL, v);
            UNROLL
            for (int i = 0; i < VL; i++) {
                store(to + (l + i) * n_units + u, v[i]);
            }
        }
    }
}

static void units_to_lanes(int n_units, const real *from, real *to)
{
    for (int u = 0; u < n_units; u += VL) {
        for (int l = 0; l < TIN_LANES; l += VL) {
            vec v[VL];
            UNROLL
            for (int i = 0; i < VL; i++) {
                v[i] = load(from + (l + i) * n_units + u);
            }
            transpose(1, VL, v);
            UNROLL
            for (int i = 0; i < VL; i++) {
                store(to + (u + i) * TIN_LANES + l, v[i]);
            }
        }
    }
}

/* Where vectors first, first + 1, ... of rows of gates, each [lane][unit], begin. */
INLINE void vector_places(int vecs, int first, int n_units, ptrdiff_t *places)
{
    int gate = first * VL / n_units, unit = first * VL - gate * n_units;
    UNROLL
    for (int v = 0; v < vecs; v++) {
        places[v] = (ptrdiff_t)gate * n_units * TIN_LANES + unit;
        bool last = unit + VL == n_units;
        unit = last ? 0 : unit + VL;
        gate += last;
    }
}

/* sums[l][v] += sum_k w[k][v] * value k of lane + l. Meanwhile n rows of lanes from ahead on come to the cache, if it
 * is not NULL. */
INLINE void tile_sums(int lanes, int vecs, int n, const real *w, ptrdiff_t w_step, lane_values values, int lane,
                      const real *ahead, vec *sums)
{
    const real *x = values.x + lane * values.lane_step;
    for (int k = 0; k < n; k++, w += w_step, x += values.step) {
        vec ws[TILE_VECS];
        load_each(vecs, w, ws);
        if (ahead) {
            __builtin_prefetch(ahead + k * TIN_LANES);
        }
        UNROLL
        for (int l = 0; l < lanes; l++) {
            vec xs = splat(x[l * values.lane_step]);
            UNROLL
            for (int v = 0; v < vecs; v++) {
                sums[l * vecs + v] += ws[v] * xs;
            }
        }
    }
}

/* Sums of vectors first..first+vecs-1 of the gates' units, to the rows from saved on as cell_units has it. w:
 * [I][vecs], then [H][vecs]; bias: [gates][H], then [H] of the state's part of the last gate where it is apart. */
INLINE void unit_tile(cell_part part, int vecs, const cell_rows *rows, lane_values x, lane_values h, const real *w,
                      const real *bias, real *saved, int first)
{
    int n_units = rows->n_units, gates = part_gates(part), last = (gates - 1) * n_units / VL;
    ptrdiff_t row = (ptrdiff_t)n_units * TIN_LANES, places[TILE_VECS];
    vector_places(vecs, first, n_units, places);
    for (int lane = 0; lane < TIN_LANES; lane += TILE_LANES) {
        vec sums[SUMS_MOST];
        real *to = saved + lane * n_units;
        UNROLL
        for (int v = 0; v < vecs; v++) {
            vec b = load(bias + (first + v) * VL);
            UNROLL
            for (int l = 0; l < TILE_LANES; l++) {
                sums[l * vecs + v] = b;
            }
        }
        tile_sums(TILE_LANES, vecs, rows->n_inputs, w, vecs * VL, x, lane, NULL, sums);
        UNROLL
        for (int v = 0; v < vecs; v++) {
            if (part_product(part) && first + v >= last) {
                vec b = load(bias + (first + v) * VL + n_units);
                UNROLL
                for (int l = 0; l < TILE_LANES; l++) {
                    store(to + places[v] + l * n_units, sums[l * vecs + v]);
                    sums[l * vecs + v] = b;
                }
            }
        }
        tile_sums(TILE_LANES, vecs, n_units, w + rows->n_inputs * vecs * VL, vecs * VL, h, lane, NULL, sums);
        UNROLL
        for (int v = 0; v < vecs; v++) {
            ptrdiff_t at = places[v] + (part_product(part) && first + v >= last ? row : 0);
            UNROLL
            for (int l = 0; l < TILE_LANES; l++) {
                store(to + at + l * n_units, sums[l * vecs + v]);
            }
        }
    }
}

#define UNIT_TILE_CASE(vecs)                                                                                           \
    case vecs:                                                                                                         \
        unit_tile(part, vecs, rows, x, h, w, bias, saved, first);                                                      \
        break;

/* cell_decision for rows of units. */
INLINE void unit_decision(cell_part part, const cell_rows *rows, lane_values x, lane_values h, const real *w,
                          const real *bias)
{
    int n = part_gates(part) * rows->n_units / VL;
    real *saved = rows->saved + (part == PART_CANDIDATE ? (ptrdiff_t)(2 * rows->n_units) * TIN_LANES : 0);
    for (int first = 0, vecs; first < n; first += vecs) {
        vecs = part_size(n, TILE_VECS, first);
        switch (vecs) {
#if SUMS_MOST == 24
            UNIT_TILE_CASE(6)
            UNIT_TILE_CASE(5)
            UNIT_TILE_CASE(4)
#endif
            UNIT_TILE_CASE(3)
            UNIT_TILE_CASE(2)
            UNIT_TILE_CASE(1)
        }
        w += vecs * VL * (rows->n_inputs + rows->n_units);
    }
    cell_activations(part, rows);
}

/* Rows row..row+n_rows-1 of weight [..][n_columns], turned. */
static real *pack_unit_tile(const real *weight, int n_columns, int row, int n_rows, real *packed)
{
    for (int k = 0; k < n_columns; k++) {
        for (int r = row; r < row + n_rows; r++) {
            *packed++ = weight[r * n_columns + k];
        }
    }
    return packed;
}

/* Gates first_gate, ... of a part for unit_decision. */
static void pack_unit_part(cell_part part, const tin_node *node, const float *params, const real *w_ih,
                           const real *w_hh, int first_gate, real **forward, real **bias)
{
    int n_h = node->n_outputs, first = first_gate * n_h, n = part_gates(part) * n_h;
    for (int row = 0, rows; row < n; row += rows) {
        rows = part_size(n / VL, TILE_VECS, row / VL) * VL;
        *forward = pack_unit_tile(w_ih, node->n_inputs, first + row, rows, *forward);
        *forward = pack_unit_tile(w_hh, n_h, first + row, rows, *forward);
    }
    const float *b_ih = params + node->bias + first, *b_hh = params + node->bias_hh + first;
    for (int row = 0; row < n; row++) {
        bool apart = part_product(part) && row >= n - n_h;
        *(*bias)++ = (real)b_ih[row] + (apart ? 0 : (real)b_hh[row]);
    }
    for (int row = n - n_h; part_product(part) && row < n; row++) {
        *(*bias)++ = (real)b_hh[row];
    }
}

/* Row of units y = start + sum_g sum_k w[g][k] * value k of row g of x. */
typedef struct unit_product {
    int n_units, n_rows, n; /* rows of x, values of each */
    const real *w;          /* [n_rows][n][H] */
    lane_values x;
    ptrdiff_t row;     /* reals from one row of x to the next */
    const real *start; /* NULL: 0 */
    const real *ahead; /* 2 * n_rows * n rows of lanes that will be read soon, or NULL */
    real *y;
} unit_product;

INLINE void unit_rows_tile(int vecs, const unit_product *p, int first)
{
    int n_units = p->n_units;
    const real *ahead = first == 0 ? p->ahead : NULL;
    for (int lane = 0; lane < TIN_LANES; lane += ROW_LANES) {
        vec sums[SUMS_MOST];
        ptrdiff_t at = lane * n_units + first;
        UNROLL
        for (int l = 0; l < ROW_LANES; l++) {
            UNROLL
            for (int v = 0; v < vecs; v++) {
                sums[l * vecs + v] = p->start ? load(p->start + at + l * n_units + v * VL) : splat(0);
            }
        }
        lane_values x = p->x;
        for (int g = 0; g < p->n_rows; g++, x.x += p->row) {
            tile_sums(ROW_LANES, vecs, p->n, p->w + g * p->n * n_units + first, n_units, x, lane, ahead, sums);
            ahead = ahead ? ahead + p->n * TIN_LANES : NULL;
        }
        UNROLL
        for (int l = 0; l < ROW_LANES; l++) {
            store_each(vecs, p->y + at + l * n_units, sums + l * vecs);
        }
    }
}

static void unit_rows(const unit_product *p)
{
    for (int unit = 0, units; unit < p->n_units; unit += units) {
        units = part_size(p->n_units / VL, ROW_VECS, unit / VL) * VL;
        switch (units / VL) {
        case 3:
            unit_rows_tile(3, p, unit);
            break;
        case 2:
            unit_rows_tile(2, p, unit);
            break;
        default:
            unit_rows_tile(1, p, unit);
            break;
        }
    }
}

/* sums[c][r] += sum_t sum_lanes a[t][gate of r][lane][unit of r] * value c of b[t] */
typedef struct unit_outer {
    int n_times, n_units, n_gates, n_columns;
    const real *a;
    ptrdiff_t a_step; /* reals */
    lane_values b;
    ptrdiff_t b_step;
    bool first; /* sums start at 0; else they go on from the call before */
    real *sums; /* [n_columns][n_gates * H] */
} unit_outer;

INLINE void unit_outer_tile(int columns, int vecs, const unit_outer *p, int t0, int t1, int column, int first)
{
    int n_rows = p->n_gates * p->n_units;
    real *sums = p->sums + (ptrdiff_t)column * n_rows + first * VL;
    vec sum[SUMS_MOST];
    UNROLL
    for (int c = 0; c < columns; c++) {
        UNROLL
        for (int v = 0; v < vecs; v++) {
            sum[c * vecs + v] = p->first && t0 == 0 ? splat(0) : load(sums + c * n_rows + v * VL);
        }
    }
    ptrdiff_t places[TILE_VECS];
    vector_places(vecs, first, p->n_units, places);
    for (int t = t0; t < t1; t++) {
        const real *a = p->a + t * p->a_step, *b = p->b.x + t * p->b_step + column * p->b.step;
        for (int lane = 0; lane < TIN_LANES; lane++, a += p->n_units, b += p->b.lane_step) {
            vec as[TILE_VECS];
            UNROLL
            for (int v = 0; v < vecs; v++) {
                as[v] = load(a + places[v]);
            }
            UNROLL
            for (int c = 0; c < columns; c++) {
                vec bs = splat(b[c * p->b.step]);
                UNROLL
                for (int v = 0; v < vecs; v++) {
                    sum[c * vecs + v] += as[v] * bs;
                }
            }
        }
    }
    UNROLL
    for (int c = 0; c < columns; c++) {
        store_each(vecs, sums + c * n_rows, sum + c * vecs);
    }
}

INLINE void unit_outer_columns(int vecs, const unit_outer *p, int t0, int t1, int first)
{
    for (int column = 0, columns; column < p->n_columns; column += columns) {
        columns = part_size(p->n_columns, TILE_LANES, column);
        switch (columns) {
        case 4:
            unit_outer_tile(4, vecs, p, t0, t1, column, first);
            break;
        case 3:
            unit_outer_tile(3, vecs, p, t0, t1, column, first);
            break;
        case 2:
            unit_outer_tile(2, vecs, p, t0, t1, column, first);
            break;
        default:
            unit_outer_tile(1, vecs, p, t0, t1, column, first);
            break;
        }
    }
}

#define UNIT_OUTER_CASE(vecs)                                                                                          \
    case vecs:                                                                                                         \
        unit_outer_columns(vecs, p, t, end, first);                                                                    \
        break;

/* In stretches for which a lies in the first cache. */
static void unit_outer_sums(const unit_outer *p)
{
    int n = p->n_gates * p->n_units / VL, most = (int)(24 * 1024 / sizeof(real)) / (n * VL * TIN_LANES);
    for (int t = 0, times = most > 1 ? most : 1, end; t < p->n_times; t = end) {
        end = t + times < p->n_times ? t + times : p->n_times;
        for (int first = 0, vecs; first < n; first += vecs) {
            vecs = part_size(n, TILE_VECS, first);
            switch (vecs) {
#if SUMS_MOST == 24
                UNIT_OUTER_CASE(6)
                UNIT_OUTER_CASE(5)
                UNIT_OUTER_CASE(4)
#endif
                UNIT_OUTER_CASE(3)
                UNIT_OUTER_CASE(2)
                UNIT_OUTER_CASE(1)
            }
        }
    }
}

/* Adds sums [n_columns][n_rows] to weights [n_rows][n_columns]; row r is row (r + shift) % n_rows there. */
static void unit_reduce(const real *sums, int n_rows, int n_columns, int shift, real *gradient)
{
    for (int r = 0; r < n_rows; r++) {
        real *to = gradient + (ptrdiff_t)((r + shift) % n_rows) * n_columns;
        for (int c = 0; c < n_columns; c++) {
            to[c] += sums[c * n_rows + r];
        }
    }
}

/* sums[r][u] += sum_t sum_lanes a[t][r][lane][u] */
static void unit_add(int n_times, int n_rows, int n_units, const real *a, ptrdiff_t a_step, bool first, real *sums)
{
    for (int r = 0; r < n_rows; r++) {
        for (int u = 0; u < n_units; u += VL) {
            vec sum[4] = {first ? splat(0) : load(sums + r * n_units + u), splat(0), splat(0), splat(0)};
            for (int t = 0; t < n_times; t++) {
                const real *from = a + t * a_step + (ptrdiff_t)r * n_units * TIN_LANES + u;
                UNROLL
                for (int l = 0; l < TIN_LANES; l++) {
                    sum[l % 4] += load(from + l * n_units);
                }
            }
            store(sums + r * n_units + u, (sum[0] + sum[1]) + (sum[2] + sum[3]));
        }
    }
}

#endif
