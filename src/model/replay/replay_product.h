/* Private to src/model: sums of products of a matrix and rows, for conv1d, dense and the matrices of recurrent layers. */
#ifndef TIN_REPLAY_PRODUCT_H
#define TIN_REPLAY_PRODUCT_H

#include "model/replay/replay_vector.h"

#define TILE_ROWS 4 /* rows that share a weight */
#define TILE_VECTORS 4

/* Where the rows of one product lie: the first tap of output row 0, from there to that of the next, and to the next tap. */
typedef struct walk {
    const int16_t *x;
    ptrdiff_t row, tap;
} walk;

/* Sums of n_rows rows and n_vectors vectors of outputs from `output` on; both are known when this is compiled. */
INLINE void tile(const tin_replay_matrix *m, walk in, int output, int n_rows, int n_vectors,
                 vec acc[TILE_ROWS][TILE_VECTORS])
{
    const int16_t *w = m->weight + 2 * (ptrdiff_t)output;
    UNROLL
    for (int t = 0; t < n_rows; t++) {
        UNROLL
        for (int v = 0; v < n_vectors; v++)
            acc[t][v] = load(m->bias + output + v * VL);
    }
    for (int tap = 0; tap < m->taps; tap++) {
        const int16_t *x = in.x + tap * in.tap;
        for (int pair = 0; pair < m->pairs; pair++, x += 2, w += 2 * (ptrdiff_t)m->outputs) {
            vec weight[TILE_VECTORS];
            UNROLL
            for (int v = 0; v < n_vectors; v++)
                weight[v] = *(const vec *)(w + 2 * v * VL);
            UNROLL
            for (int t = 0; t < n_rows; t++) {
                const vec both = splat_pair(x + t * in.row);
                UNROLL
                for (int v = 0; v < n_vectors; v++)
                    acc[t][v] += pair_products(both, weight[v]);
            }
        }
    }
    UNROLL
    for (int t = 0; t < n_rows; t++) {
        UNROLL
        for (int v = 0; v < n_vectors; v++)
            acc[t][v] = requantize(acc[t][v], load(m->mult + output + v * VL), m->shift);
    }
}

/* To where the results go: int32, or finished and as int16. */
typedef struct sink {
    int32_t *sums;
    int16_t *rows;
    ptrdiff_t stride;
    finish finish;
} sink;

INLINE void tile_to(const tin_replay_matrix *m, walk in, int row, int output, int n_rows, int n_vectors, sink to)
{
    vec acc[TILE_ROWS][TILE_VECTORS];
    in.x += row * in.row;
    tile(m, in, output, n_rows, n_vectors, acc);
    UNROLL
    for (int t = 0; t < n_rows; t++) {
        const ptrdiff_t at = (row + t) * to.stride + output;
        UNROLL
        for (int v = 0; v < n_vectors; v++) {
            if (to.sums)
                store(to.sums + at + v * VL, acc[t][v]);
            else
                store_s16(to.rows + at + v * VL, finish_apply(acc[t][v], to.finish));
        }
    }
}

INLINE void product_rows(const tin_replay_matrix *m, walk in, int n_rows, int output, int n_vectors, sink to)
{
    int t = 0;
    for (; t + TILE_ROWS <= n_rows; t += TILE_ROWS)
        tile_to(m, in, t, output, TILE_ROWS, n_vectors, to);
    for (; t < n_rows; t++)
        tile_to(m, in, t, output, 1, n_vectors, to);
}

/* Outputs first..last-1, `first` at a vector's beginning. */
static void product(const tin_replay_matrix *m, walk in, int n_rows, int first, int last, sink to)
{
    int o = first;
    for (; o + VL < last; o += 2 * VL)
        product_rows(m, in, n_rows, o, 2, to);
    if (o < last)
        product_rows(m, in, n_rows, o, 1, to);
}

#endif
