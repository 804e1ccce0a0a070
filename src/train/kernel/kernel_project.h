/* The matrix product of forward passes and of gradients of inputs, blocked for registers; weights are broadcast.
 *
 *   y[t][r] = bias[r] + sum_s sum_k W[r][s][k] * x[t * x_step + offset[s] + k]
 *
 * x, y are rows of lanes; index 1 is one channel, that is TIN_LANES reals. */
#ifndef TIN_KERNEL_PROJECT_H
#define TIN_KERNEL_PROJECT_H

#include "model/quant_spec.h"
#include "train/kernel/kernel_rows.h"

#if defined __AVX512F__ && !TIN_KERNEL_DOUBLE
#define SUMS_MOST 24 /* sums that stay in registers, beside what feeds them */
#define ROWS_MOST 8  /* rows of a block of project; its places in time: SUMS_MOST / ROWS_MOST */
#else
#define SUMS_MOST 12
#define ROWS_MOST 4
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
