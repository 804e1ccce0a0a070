/* The matrix product of forward passes and of gradients of inputs, blocked for registers; weights are broadcast.
 *
 *   y[t][r] = bias[r] + sum_s sum_k W[r][s][k] * x[t * x_step + offset[s] + k]
 *
 * x, y are rows of lanes; index 1 is one channel, that is TIN_LANES reals. */
#ifndef TIN_KERNEL_PROJECT_H
#define TIN_KERNEL_PROJECT_H

#include "model/quant_spec.h"
#include "train/kernel/kernel_rows.h"
#include "train/kernel/kernel_tile.h"

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
    const real *weights; /* packed: block of rows, then segment, then k, then row; then what product_done adds */
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

/* Reals of packed weights. */
static size_t product_size(int n_rows, int n_segments, int length)
{
    size_t n = (size_t)n_rows * (size_t)n_segments * (size_t)length;
#if TIN_KERNEL_TILES
    return tin_whole_rows(n) + (tiled(n_rows, length) ? tile_weights(n_rows, n_segments * pair_blocks(length)) : 0);
#else
    return n;
#endif
}

/* To be called when the weights are in their places, in blocks of `most` rows. */
static void product_done(real *packed, int n_rows, int most, int n_segments, int length)
{
#if TIN_KERNEL_TILES
    if (tiled(n_rows, length)) {
        size_t n = (size_t)n_rows * (size_t)n_segments * (size_t)length;
        pack_tiles(packed, n_rows, most, n_segments, length, packed + tin_whole_rows(n));
    }
#else
    (void)packed, (void)n_rows, (void)most, (void)n_segments, (void)length;
#endif
}

#if TIN_KERNEL_TILES
#define PAIRED 128 /* rows of pairs of a stretch of time, at most: they stay in the first cache */

/* Where the stretch's channels begin and end. */
static void segment_range(const segments *s, ptrdiff_t *low, ptrdiff_t *high)
{
    *low = *high = s->offset[0];
    for (int i = 1; i < s->n; i++) {
        *low = s->offset[i] < *low ? s->offset[i] : *low;
        *high = s->offset[i] > *high ? s->offset[i] : *high;
    }
    *high += s->length;
}

/* Places in time whose channels fit, or 0. */
static int projected_times(const projection *p)
{
    ptrdiff_t low, high, most = 2 * (PAIRED - TILE_PAIRS);
    segment_range(p->segments, &low, &high);
    return high - low > most ? 0 : 1 + (int)((most - (high - low)) / (p->x_step > 0 ? p->x_step : 1));
}

/* Places t..t+n-1 of two blocks of rows. pairs: of the channels from `low` on, and from low + 1 on. */
static void project_tile_rows(const projection *p, const real *tiles, int row, int t, int n, ptrdiff_t low,
                              real (*pairs)[PARTS * PAIRED * TIN_LANES])
{
    real bias[2 * TILE_WORDS] __attribute__((aligned(64)));
    tile_run runs[MAX_SEGMENTS];
    int end = row + 2 * TILE_ROWS < p->n_rows ? row + 2 * TILE_ROWS : p->n_rows;
    for (int r = row; p->bias && r < end; r++) {
        store(bias + (r - row) * TIN_LANES, splat(p->bias[r]));
    }
    for (int i = 0; i < n; i++) {
        real *y = p->y + ((t + i) * p->y_step + row) * TIN_LANES;
        for (int s = 0; s < p->segments->n; s++) {
            ptrdiff_t at = i * p->x_step + p->segments->offset[s] - low;
            runs[s] = (tile_run){pairs[at & 1] + at / 2 * TIN_LANES,
                                 (ptrdiff_t)PAIRED * TIN_LANES,
                                 pair_blocks(p->segments->length),
                                 {p->n_rows, p->n_rows}};
        }
        tile_product(tiles, row, end, p->n_rows, runs, p->segments->n, p->add ? y : p->bias ? bias : NULL, y);
    }
}

static void project_tiles(const projection *p, int most_times)
{
    const segments *s = p->segments;
    int n_k = s->n * s->length;
    const real *tiles = p->weights + tin_whole_rows((size_t)p->n_rows * (size_t)n_k);
    real pairs[2][PARTS * PAIRED * TIN_LANES] __attribute__((aligned(64)));
    const ptrdiff_t part_step = (ptrdiff_t)PAIRED * TIN_LANES;
    ptrdiff_t low, high;
    segment_range(s, &low, &high);
    bool odd = p->x_step & 1;
    for (int i = 0; i < s->n; i++) {
        odd = odd || ((s->offset[i] - low) & 1);
    }
    tiles_for(p->n_rows);
    for (int t = 0, n; t < p->n_times; t += n) {
        n = p->n_times - t < most_times ? p->n_times - t : most_times;
        ptrdiff_t count = (n - 1) * p->x_step + high - low;
        const real *x = p->x + (t * p->x_step + low) * TIN_LANES;
        for (int half = 0; half <= odd; half++) {
            ptrdiff_t paired = (count - half + 1) / 2;
            pairs_of_rows(x + half * TIN_LANES, count - half, pairs[half], part_step);
            for (int part = 0; part < PARTS; part++) {
                clear_pairs(TILE_PAIRS, pairs[half] + part * part_step + paired * TIN_LANES);
            }
        }
        for (int row = 0; row < p->n_rows; row += 2 * TILE_ROWS) {
            project_tile_rows(p, tiles, row, t, n, low, pairs);
        }
        for (int i = t; (p->finish.limited || p->finish.quantised) && i < t + n; i++) {
            real *y = p->y + i * p->y_step * TIN_LANES;
            for (int j = 0; j < p->n_rows * TIN_LANES; j += VL) {
                store(y + j, finish_apply(load(y + j), p->finish));
            }
        }
    }
    tiles_done();
}
#endif

static void project(const projection *p)
{
#if TIN_KERNEL_TILES
    int times = tiled(p->n_rows, p->segments->length) && p->segments->n > 0 ? projected_times(p) : 0;
    if (times > 0) {
        project_tiles(p, times);
        return;
    }
#endif
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
