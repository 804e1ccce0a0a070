/* The two matrix products of training, blocked for registers.
 *
 *   project: y[t][r] = bias[r] + sum_s sum_k W[r][s][k] * x[t * x_step + offset[s] + k]      (weights broadcast)
 *   outer:   sum[r][c] += sum_t a[t][r] * b[t][c]                                          (gradients of weights)
 *
 * x, y, a, b are rows of lanes; index 1 is one channel, that is TIN_LANES reals. */
#ifndef TIN_KERNEL_PROJECT_H
#define TIN_KERNEL_PROJECT_H

#include "model/quant_spec.h"
#include "train/kernel/kernel_rows.h"

#if defined __AVX512F__ && !TIN_KERNEL_DOUBLE
#define SUMS_MOST 24 /* sums that stay in registers, beside what feeds them */
#define ROWS_MOST 8  /* rows of a block of project; its places in time: SUMS_MOST / ROWS_MOST */
#define OUTER_ROWS 6
#define OUTER_COLUMNS 4
#else
#define SUMS_MOST 12
#define ROWS_MOST 4
#define OUTER_ROWS 3
#define OUTER_COLUMNS 4
#endif
#define TIMES_MOST (SUMS_MOST / ROWS_MOST)
#define MAX_SEGMENTS 256

/* Runs of `length` channels, each `offset` channels after the start of a place. */
typedef struct segments {
    int n, length;
    ptrdiff_t offset[MAX_SEGMENTS];
} segments;

typedef struct projection {
    int n_times, n_rows;
    const real *weights; /* packed: block of rows, then segment, then k, then row */
    const real *bias;    /* [n_rows], or NULL for 0 */
    const real *x;
    ptrdiff_t x_step;
    const segments *segments;
    real *y;
    ptrdiff_t y_step;
    finish finish;
    bool add; /* to y */
} projection;

INLINE void project_block(int rows, int times, const projection *p, const real *w, int row, int t, int v)
{
    vec sum[ROWS_MOST][TIMES_MOST];
    UNROLL
    for (int r = 0; r < rows; r++) {
        vec first = p->bias ? splat(p->bias[row + r]) : splat(0);
        UNROLL
        for (int c = 0; c < times; c++) {
            sum[r][c] = first;
        }
    }
    const real *base = p->x + t * p->x_step * TIN_LANES + v * VL;
    ptrdiff_t step = p->x_step * TIN_LANES;
    for (int s = 0; s < p->segments->n; s++) {
        const real *x = base + p->segments->offset[s] * TIN_LANES;
        for (int k = 0; k < p->segments->length; k++) {
            vec xs[TIMES_MOST];
            UNROLL
            for (int c = 0; c < times; c++) {
                xs[c] = load(x + c * step);
            }
            UNROLL
            for (int r = 0; r < rows; r++) {
                UNROLL
                for (int c = 0; c < times; c++) {
                    sum[r][c] += xs[c] * w[r];
                }
            }
            w += rows;
            x += TIN_LANES;
        }
    }
    if (p->finish.limited || p->finish.quantised || p->add) {
        UNROLL
        for (int c = 0; c < times; c++) {
            const real *y = p->y + (t + c) * p->y_step * TIN_LANES + row * TIN_LANES + v * VL;
            UNROLL
            for (int r = 0; r < rows; r++) {
                sum[r][c] = finish_apply(sum[r][c], p->finish);
                if (p->add) {
                    sum[r][c] += load(y + r * TIN_LANES);
                }
            }
        }
    }
    UNROLL
    for (int c = 0; c < times; c++) {
        real *y = p->y + (t + c) * p->y_step * TIN_LANES + row * TIN_LANES + v * VL;
        UNROLL
        for (int r = 0; r < rows; r++) {
            store(y + r * TIN_LANES, sum[r][c]);
        }
    }
}

INLINE void project_rows(int rows, const projection *p, const real *w, int row)
{
    for (int v = 0; v < NV; v++) {
        int t = 0;
        for (; t + TIMES_MOST <= p->n_times; t += TIMES_MOST) {
            project_block(rows, TIMES_MOST, p, w, row, t, v);
        }
        if (t + 2 == p->n_times) {
            project_block(rows, 2, p, w, row, t, v);
        } else if (t < p->n_times) {
            project_block(rows, 1, p, w, row, t, v);
        }
    }
}

static void project(const projection *p)
{
    const real *w = p->weights;
    for (int row = 0, rows; row < p->n_rows; row += rows) {
        rows = part_size(p->n_rows, ROWS_MOST, row);
        switch (rows) {
#if ROWS_MOST == 8
        case 8:
            project_rows(8, p, w, row);
            break;
        case 7:
            project_rows(7, p, w, row);
            break;
        case 6:
            project_rows(6, p, w, row);
            break;
        case 5:
            project_rows(5, p, w, row);
            break;
#endif
        case 4:
            project_rows(4, p, w, row);
            break;
        case 3:
            project_rows(3, p, w, row);
            break;
        case 2:
            project_rows(2, p, w, row);
            break;
        default:
            project_rows(1, p, w, row);
            break;
        }
        w += (size_t)rows * (size_t)p->segments->n * (size_t)p->segments->length;
    }
}

typedef struct outer_product {
    int n_times, n_rows, n_columns;
    const real *a;
    ptrdiff_t a_step;
    const real *b;
    ptrdiff_t b_step;
    bool first; /* sums start at 0; else they go on from the call before */
    real *sums; /* one vec per row and column, in order of the tiles */
} outer_product;

INLINE real *outer_tile(int rows, int columns, const outer_product *p, real *sums, int row, int column)
{
    vec sum[OUTER_ROWS][OUTER_COLUMNS];
    UNROLL
    for (int r = 0; r < rows; r++) {
        UNROLL
        for (int c = 0; c < columns; c++) {
            sum[r][c] = p->first ? splat(0) : load(sums + (r * columns + c) * VL);
        }
    }
    const real *a = p->a + row * TIN_LANES, *b = p->b + column * TIN_LANES;
    ptrdiff_t a_step = p->a_step * TIN_LANES, b_step = p->b_step * TIN_LANES;
    for (int t = 0; t < p->n_times; t++, a += a_step, b += b_step) {
        for (int v = 0; v < NV; v++) {
            vec bs[OUTER_COLUMNS];
            UNROLL
            for (int c = 0; c < columns; c++) {
                bs[c] = load(b + c * TIN_LANES + v * VL);
            }
            UNROLL
            for (int r = 0; r < rows; r++) {
                vec as = load(a + r * TIN_LANES + v * VL);
                UNROLL
                for (int c = 0; c < columns; c++) {
                    sum[r][c] += as * bs[c];
                }
            }
        }
    }
    UNROLL
    for (int r = 0; r < rows; r++) {
        UNROLL
        for (int c = 0; c < columns; c++) {
            store(sums + (r * columns + c) * VL, sum[r][c]);
        }
    }
    return sums + rows * columns * VL;
}

INLINE real *outer_columns(int columns, const outer_product *p, real *sums, int row, int rows, int column)
{
    switch (rows) {
#if OUTER_ROWS == 6
    case 6:
        return outer_tile(6, columns, p, sums, row, column);
    case 5:
        return outer_tile(5, columns, p, sums, row, column);
    case 4:
        return outer_tile(4, columns, p, sums, row, column);
#endif
    case 3:
        return outer_tile(3, columns, p, sums, row, column);
    case 2:
        return outer_tile(2, columns, p, sums, row, column);
    default:
        return outer_tile(1, columns, p, sums, row, column);
    }
}

static void outer(const outer_product *p)
{
    real *sums = p->sums;
    for (int row = 0, rows; row < p->n_rows; row += rows) {
        rows = part_size(p->n_rows, OUTER_ROWS, row);
        for (int column = 0, columns; column < p->n_columns; column += columns) {
            columns = part_size(p->n_columns, OUTER_COLUMNS, column);
            switch (columns) {
            case 4:
                sums = outer_columns(4, p, sums, row, rows, column);
                break;
            case 3:
                sums = outer_columns(3, p, sums, row, rows, column);
                break;
            case 2:
                sums = outer_columns(2, p, sums, row, rows, column);
                break;
            default:
                sums = outer_columns(1, p, sums, row, rows, column);
                break;
            }
        }
    }
}

/* Where a column of `outer` belongs in a row of weights [n_inputs][n_taps]: column c is input c % n_inputs of tap
 * first_tap + c / n_inputs. Row r of the sums is row (r + row_shift) % n_rows of the weights. */
typedef struct weight_map {
    int n_inputs, n_taps, first_tap, row_shift;
} weight_map;

/* Adds the sums over lanes of what `outer` collected to weights [n_rows][n_inputs][n_taps]. */
static void outer_reduce(const real *sums, int n_rows, int n_columns, real *gradient, weight_map map)
{
    ptrdiff_t row_step = (ptrdiff_t)map.n_inputs * map.n_taps;
    for (int row = 0, rows; row < n_rows; row += rows) {
        rows = part_size(n_rows, OUTER_ROWS, row);
        for (int column = 0, columns; column < n_columns; column += columns) {
            columns = part_size(n_columns, OUTER_COLUMNS, column);
            int places[OUTER_COLUMNS] = {0};
            for (int c = 0; c < columns; c++) {
                int input = (column + c) % map.n_inputs, tap = map.first_tap + (column + c) / map.n_inputs;
                places[c] = input * map.n_taps + tap;
            }
            for (int r = 0; r < rows; r++) {
                real *to = gradient + (row + r + map.row_shift) % n_rows * row_step;
                for (int c = 0; c < columns; c++, sums += VL) {
                    to[places[c]] += vec_sum(load(sums));
                }
            }
        }
    }
}

#define ADDED_ROWS 8 /* sums that do not wait for one another */

INLINE void add_some(int rows, int n_times, const real *a, ptrdiff_t a_step, bool first, real *sums)
{
    vec sum[ADDED_ROWS];
    UNROLL
    for (int r = 0; r < rows; r++) {
        sum[r] = first ? splat(0) : load(sums + r * VL);
    }
    for (int t = 0; t < n_times; t++, a += a_step * TIN_LANES) {
        for (int v = 0; v < NV; v++) {
            UNROLL
            for (int r = 0; r < rows; r++) {
                sum[r] += load(a + r * TIN_LANES + v * VL);
            }
        }
    }
    UNROLL
    for (int r = 0; r < rows; r++) {
        store(sums + r * VL, sum[r]);
    }
}

/* sums[r] += sum_t a[t][r], one vec per row: gradients of biases. first: as in outer_product. */
static void add_rows(int n_times, int n_rows, const real *a, ptrdiff_t a_step, bool first, real *sums)
{
    int r = 0;
    for (; r + ADDED_ROWS <= n_rows; r += ADDED_ROWS) {
        add_some(ADDED_ROWS, n_times, a + r * TIN_LANES, a_step, first, sums + r * VL);
    }
    for (; r < n_rows; r++) {
        add_some(1, n_times, a + r * TIN_LANES, a_step, first, sums + r * VL);
    }
}

/* Places in time for which the rows of a tile, and the columns of two, stay in the first cache, while everything else comes from
 * the second: the more of them, the less often the sums of a tile are fetched and put back. */
#define OUTER_TIMES ((int)(24 * 1024 / sizeof(real)) / ((OUTER_ROWS + 2 * OUTER_COLUMNS) * TIN_LANES))

/* A row of weights as the device has it, in multiples of tin_weight_scale; bits 0: copied. */
static void round_row(const float *w, int n, int bits, bool power_of_two, real *out)
{
    real scale = bits ? (real)tin_weight_scale(w, n, bits, power_of_two) : 0, inverse = 1 / scale;
    real most = bits == 4 ? 7 : 127;
    for (int k = 0; k < n; k++) {
        real q = (real)w[k] * inverse + (real)ROUND_MAGIC - (real)ROUND_MAGIC;
        q = q > most ? most : q;
        q = q < -most ? -most : q;
        out[k] = scale > 0 ? q * scale : (real)w[k];
    }
}

#endif
