/* The matrix product of gradients of weights on tiles: kernel_outer.h's, of one left factor with several right ones. */
#ifndef TIN_KERNEL_TILE_OUTER_H
#define TIN_KERNEL_TILE_OUTER_H

#include "train/kernel/kernel_tile.h"

#if TIN_KERNEL_TILES
#define OUTER_PAIRS ((OUTER_TIMES + 1) / 2) /* of places in time: a product sums over the lanes of two */

/* A right factor, for rows first_row..end_row-1 of the left one; blocks of rows that they share with other rows are computed
 * whole. */
typedef struct outer_factor {
    const real *b;
    ptrdiff_t b_step;
    int n_columns, first_row, end_row;
    real *sums; /* [outer_tile_sums]: block of rows, block of columns, [row][column] */
} outer_factor;

/* Whether the product of that many rows and columns is faster on tiles. */
static bool tiled_outer(int n_rows, int n_columns)
{
    return n_rows >= 8 && n_columns >= 4 && n_rows * n_columns >= 100;
}

static size_t outer_tile_sums(int first_row, int end_row, int n_columns)
{
    int blocks = first_row < end_row ? blocks_of(end_row, TILE_ROWS) - first_row / TILE_ROWS : 0;
    return (size_t)(blocks * blocks_of(n_columns, TILE_ROWS)) * TILE_WORDS;
}

static size_t outer_tile_turned(int n_columns)
{
    return (size_t)(blocks_of(n_columns, TILE_ROWS) * OUTER_PAIRS * PARTS) * TILE_WORDS;
}

/* TILE_ROWS columns, of which the first `has` are there, at two places in time (second NULL: zeros): pairs of lanes, a row of
 * words for each lane. */
INLINE void turn_pairs(int has, const real *first, const real *second, real *to)
{
    real turned[TILE_WORDS] __attribute__((aligned(64)));
    for (int place = 0; place < 2; place++) {
        const real *from = place > 0 ? second : first;
        vec v[TILE_ROWS];
        UNROLL
        for (int c = 0; c < TILE_ROWS; c++) {
            v[c] = c < has && from ? load(from + c * TIN_LANES) : splat(0);
        }
        transpose(1, TILE_ROWS, v);
        UNROLL
        for (int l = 0; l < TIN_LANES; l++) {
            if (place > 0) {
                split_pairs(load(turned + l * TIN_LANES), v[l], to + l * TIN_LANES, TILE_WORDS);
            } else {
                store(turned + l * TIN_LANES, v[l]);
            }
        }
    }
}

/* All of a right factor: block of columns, pair of places, part. */
static real *turn_factor(const outer_factor *f, int n_times, real *to)
{
    for (int c = 0; c < f->n_columns; c += TILE_ROWS) {
        for (int t = 0; t < n_times; t += 2, to += PARTS * TILE_WORDS) {
            const real *first = f->b + (t * f->b_step + c) * TIN_LANES;
            const real *second = t + 1 < n_times ? first + f->b_step * TIN_LANES : NULL;
            if (f->n_columns - c >= TILE_ROWS && second) {
                turn_pairs(TILE_ROWS, first, second, to);
            } else {
                turn_pairs(f->n_columns - c, first, second, to);
            }
        }
    }
    return to;
}

/* Sums of the block of rows from `row` on, and the next if `two`: left [block][pair of places][part]. */
INLINE void outer_tile_blocks(bool two, bool last, int row, const outer_factor *f, int pairs, bool fresh,
                              const real *left, const real *right)
{
    const int columns = blocks_of(f->n_columns, TILE_ROWS), step = columns * TILE_WORDS;
    const bool first = row + TILE_ROWS > f->first_row && row < f->end_row;
    const bool second = two && row + 2 * TILE_ROWS > f->first_row && row + TILE_ROWS < f->end_row;
    real *sums = f->sums + (row / TILE_ROWS - f->first_row / TILE_ROWS) * step;
    for (int c = 0; c < columns && (first || second); c++, sums += TILE_WORDS) {
        const real *from = fresh || !first ? NULL : sums, *next_from = fresh || !second ? NULL : sums + step;
        tiles_start(two, last, from, next_from);
        for (int k = 0; k < pairs; k++, right += PARTS * TILE_WORDS) {
            const real *a = left + k * PARTS * TILE_WORDS, *next = a + OUTER_PAIRS * PARTS * TILE_WORDS;
            TILE_LOAD(2, right);
            TILE_LOAD(3, right + TILE_WORDS);
            if (first && !two) {
                TILE_ADD(6, 7, 7, a);
            } else if (first) {
                TILE_ADD(0, 4, 5, a);
            }
            if (second && last) {
                TILE_ADD(6, 7, 7, next);
            } else if (second) {
                TILE_ADD(1, 4, 5, next);
            }
        }
        if (first && !two) {
            TILE_STORE(6, sums);
        } else if (first) {
            TILE_STORE(0, sums);
        }
        if (second && last) {
            TILE_STORE(6, sums + step);
        } else if (second) {
            TILE_STORE(1, sums + step);
        }
    }
}

/* n rows at two places in time, `step` reals apart (0: zeros at the second): pairs of places. */
INLINE void split_rows(const real *a, ptrdiff_t step, int n, real *to)
{
    if (step == 0) {
        for (int r = 0; r < n; r++) {
            split_pairs(load(a + r * TIN_LANES), splat(0), to + r * TIN_LANES, TILE_WORDS);
        }
        return;
    }
    _Pragma("GCC unroll 4") for (int r = 0; r < n; r++)
    {
        split_pairs(load(a + r * TIN_LANES), load(a + step + r * TIN_LANES), to + r * TIN_LANES, TILE_WORDS);
    }
}

/* sums += a times each factor (fresh: sums = ...), over n_times places. turned: [outer_tile_turned] of all factors. */
static void outer_tiles(int n_times, int n_rows, const real *a, ptrdiff_t a_step, const outer_factor *factors, int n,
                        bool fresh, real *turned)
{
    real left[2 * OUTER_PAIRS * PARTS * TILE_WORDS] __attribute__((aligned(64)));
    const int pairs = (n_times + 1) / 2;
    real *end = turned;
    for (int i = 0; i < n; i++) {
        end = turn_factor(&factors[i], n_times, end);
    }
    tiles_for(n_rows);
    for (int row = 0; row < n_rows; row += 2 * TILE_ROWS) {
        int rows = n_rows - row < 2 * TILE_ROWS ? n_rows - row : 2 * TILE_ROWS;
        for (int t = 0; t < n_times; t += 2) {
            const real *first = a + (t * a_step + row) * TIN_LANES;
            const bool both = t + 1 < n_times;
            real *to = left + t / 2 * PARTS * TILE_WORDS;
            split_rows(first, both ? a_step * TIN_LANES : 0, rows < TILE_ROWS ? rows : TILE_ROWS, to);
            split_rows(first + TILE_WORDS, both ? a_step * TIN_LANES : 0, rows - TILE_ROWS,
                       to + OUTER_PAIRS * PARTS * TILE_WORDS);
        }
        const real *right = turned;
        for (int i = 0; i < n; i++) {
            if (rows <= TILE_ROWS) {
                outer_tile_blocks(false, true, row, &factors[i], pairs, fresh, left, right);
            } else if (row + 2 * TILE_ROWS >= n_rows) {
                outer_tile_blocks(true, true, row, &factors[i], pairs, fresh, left, right);
            } else {
                outer_tile_blocks(true, false, row, &factors[i], pairs, fresh, left, right);
            }
            right += blocks_of(factors[i].n_columns, TILE_ROWS) * pairs * PARTS * TILE_WORDS;
        }
    }
    tiles_done();
}

static real outer_tile_sum(const real *sums, int n_columns, int row, int column)
{
    int block = row / TILE_ROWS * blocks_of(n_columns, TILE_ROWS) + column / TILE_ROWS;
    return sums[block * TILE_WORDS + row % TILE_ROWS * TILE_ROWS + column % TILE_ROWS];
}
#endif

#endif
