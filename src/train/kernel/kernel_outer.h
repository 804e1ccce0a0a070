/* The matrix product of gradients of weights, blocked for registers.
 *
 *   sum[r][c] += sum_t sum_lanes a[t][r] * b[t][c]
 *
 * a, b are rows of lanes. A vec of sums is FOLD lanes of FOLDED columns: the same FOLD lanes of a row of a, over and
 * over, times those lanes of FOLDED columns of b, which lie side by side after b was turned. So what is loaded serves
 * more sums than if a vec were all lanes of one column, and there are fewer sums to fetch and put back. */
#ifndef TIN_KERNEL_OUTER_H
#define TIN_KERNEL_OUTER_H

#include "train/kernel/kernel_project.h"

#define OUTER_TIMES 12 /* places in time of a product at most: what a tile reads stays in the first cache */
#include "train/kernel/kernel_tile_outer.h"

#define FOLD (VL < 4 ? VL : 4)
#define FOLDED (VL / FOLD)
#define FOLDS (TIN_LANES / FOLD)
#define OUTER_COLUMNS 3                        /* vecs of columns of a tile, */
#define OUTER_ROWS (SUMS_MOST / OUTER_COLUMNS) /* of so many rows */

typedef struct outer_product {
    int n_times, n_rows, n_columns;
    const real *a;
    ptrdiff_t a_step;
    const real *b;
    ptrdiff_t b_step;
    bool first;   /* sums start at 0; else they go on from the call before */
    real *sums;   /* [outer_sums], in order of the tiles */
    real *turned; /* [outer_turned] */
} outer_product;

static int folded_columns(int n_columns)
{
    return (n_columns + FOLDED - 1) / FOLDED;
}

static size_t outer_sums(int n_rows, int n_columns)
{
#if TIN_KERNEL_TILES
    if (tiled_outer(n_rows, n_columns)) {
        return outer_tile_sums(0, n_rows, n_columns);
    }
#endif
    return (size_t)n_rows * (size_t)folded_columns(n_columns) * (size_t)VL;
}

/* Columns from one place in time to the next in the turned b: those that places share are turned once. */
static ptrdiff_t turned_step(int n_columns, ptrdiff_t b_step)
{
    ptrdiff_t whole = folded_columns(n_columns) * FOLDED;
    return b_step < whole ? b_step : whole;
}

/* Columns of a fold of the turned b, up to whole vecs. */
static ptrdiff_t turned_columns(int n_times, int n_columns, ptrdiff_t b_step)
{
    ptrdiff_t last = (n_times - 1) * turned_step(n_columns, b_step);
    return (last + FOLDED - 1) / FOLDED * FOLDED + folded_columns(n_columns) * FOLDED;
}

static size_t outer_turned(int n_rows, int n_columns, ptrdiff_t b_step)
{
#if TIN_KERNEL_TILES
    if (tiled_outer(n_rows, n_columns)) {
        return outer_tile_turned(n_columns);
    }
#endif
    (void)n_rows;
    return FOLDED == 1 ? 0 : (size_t)turned_columns(OUTER_TIMES, n_columns, b_step) * TIN_LANES;
}

/* FOLDED columns of b, of which the first `has` are there. */
INLINE void turn_columns(int has, const real *b, real *to, ptrdiff_t fold_step)
{
    UNROLL
    for (int lane = 0; lane < TIN_LANES; lane += VL) {
        vec v[FOLDED];
        UNROLL
        for (int i = 0; i < FOLDED; i++) {
            v[i] = i < has ? load(b + i * TIN_LANES + lane) : splat(0);
        }
        transpose(FOLD, FOLDED, v);
        UNROLL
        for (int i = 0; i < FOLDED; i++) {
            store(to + (lane / FOLD + i) * fold_step, v[i]);
        }
    }
}

/* n columns of b, [column][fold][FOLD], to [fold][column][FOLD]; what is missing of the last FOLDED becomes 0. */
static void turn_run(ptrdiff_t n, const real *b, real *to, ptrdiff_t fold_step)
{
    ptrdiff_t c = 0;
    for (; c + FOLDED <= n; c += FOLDED) {
        turn_columns(FOLDED, b + c * TIN_LANES, to + c * FOLD, fold_step);
    }
    if (c < n) {
        turn_columns((int)(n - c), b + c * TIN_LANES, to + c * FOLD, fold_step);
    }
}

static void outer_turn(const outer_product *p)
{
    ptrdiff_t step = turned_step(p->n_columns, p->b_step),
              fold_step = turned_columns(p->n_times, p->n_columns, p->b_step) * FOLD;
    if (step == p->b_step) {
        turn_run((p->n_times - 1) * step + p->n_columns, p->b, p->turned, fold_step);
        return;
    }
    for (int t = 0; t < p->n_times; t++) {
        turn_run(p->n_columns, p->b + t * p->b_step * TIN_LANES, p->turned + t * step * FOLD, fold_step);
    }
}

/* FOLD lanes, over and over. */
INLINE vec load_fold(const real *p)
{
#if VECTOR_BYTES == 64
    return (vec)_mm512_broadcast_f32x4(_mm_load_ps(p));
#elif VECTOR_BYTES == 32
    return (vec)_mm256_broadcast_ps((const __m128 *)p);
#else
    return load(p);
#endif
}

INLINE real *outer_tile(int rows, int columns, const outer_product *p, real *sums, int row, int column)
{
    vec sum[SUMS_MOST];
    UNROLL
    for (int i = 0; i < rows * columns; i++) {
        sum[i] = p->first ? splat(0) : load(sums + i * VL);
    }
    bool turned = FOLDED > 1;
    ptrdiff_t fold_step = turned ? turned_columns(p->n_times, p->n_columns, p->b_step) * FOLD : FOLD;
    ptrdiff_t column_step = turned ? VL : TIN_LANES;
    ptrdiff_t a_step = p->a_step * TIN_LANES;
    ptrdiff_t b_step = turned ? turned_step(p->n_columns, p->b_step) * FOLD : p->b_step * TIN_LANES;
    const real *a = p->a + row * TIN_LANES, *b = (turned ? p->turned : p->b) + column * column_step;
    for (int t = 0; t < p->n_times; t++, a += a_step, b += b_step) {
        for (int f = 0; f < FOLDS; f++) {
            vec bs[OUTER_COLUMNS];
            UNROLL
            for (int c = 0; c < columns; c++) {
                memcpy(&bs[c], b + f * fold_step + c * column_step, sizeof bs[c]);
            }
            UNROLL
            for (int r = 0; r < rows; r++) {
                vec as = load_fold(a + r * TIN_LANES + f * FOLD);
                UNROLL
                for (int c = 0; c < columns; c++) {
                    sum[r * columns + c] += as * bs[c];
                }
            }
        }
    }
    UNROLL
    for (int i = 0; i < rows * columns; i++) {
        store(sums + i * VL, sum[i]);
    }
    return sums + rows * columns * VL;
}

#define OUTER_CASE(rows)                                                                                               \
    case rows:                                                                                                         \
        sums = outer_tile(rows, columns, p, sums, row, column);                                                        \
        break;

INLINE real *outer_columns(int columns, const outer_product *p, real *sums, int column)
{
    for (int row = 0, rows; row < p->n_rows; row += rows) {
        rows = part_size(p->n_rows, OUTER_ROWS, row);
        switch (rows) {
#if SUMS_MOST == 24
            OUTER_CASE(8)
            OUTER_CASE(7)
            OUTER_CASE(6)
            OUTER_CASE(5)
#endif
            OUTER_CASE(4)
            OUTER_CASE(3)
            OUTER_CASE(2)
            OUTER_CASE(1)
        }
    }
    return sums;
}

static void outer(const outer_product *p)
{
#if TIN_KERNEL_TILES
    if (tiled_outer(p->n_rows, p->n_columns)) {
        const outer_factor all = {p->b, p->b_step, p->n_columns, 0, p->n_rows, p->sums};
        outer_tiles(p->n_times, p->n_rows, p->a, p->a_step, &all, 1, p->first, p->turned);
        return;
    }
#endif
    real *sums = p->sums;
    int n = folded_columns(p->n_columns);
    if (FOLDED > 1 && p->n_rows > 0) {
        outer_turn(p);
    }
    for (int column = 0, columns; column < n; column += columns) {
        columns = part_size(n, OUTER_COLUMNS, column);
        sums = columns == 3   ? outer_columns(3, p, sums, column)
               : columns == 2 ? outer_columns(2, p, sums, column)
                              : outer_columns(1, p, sums, column);
    }
}

/* Where sums belong in weights [n_rows][n_inputs][n_taps]: row r is row (r + shift) % n_rows there, column c is input
 * c % n_inputs of tap first_tap + c / n_inputs. */
typedef struct weight_map {
    int n_rows, n_inputs, n_taps, first_tap, shift;
    bool turned; /* rows of the product are columns of the weights */
} weight_map;

static ptrdiff_t row_place(const weight_map *map, int r)
{
    return (ptrdiff_t)((r + map->shift) % map->n_rows) * map->n_inputs * map->n_taps;
}

static ptrdiff_t column_place(const weight_map *map, int c)
{
    return (ptrdiff_t)(c % map->n_inputs) * map->n_taps + map->first_tap + c / map->n_inputs;
}

#if TIN_KERNEL_TILES
/* Of outer_tiles, from row `row` of the first block on. */
static void outer_tile_reduce(const real *sums, int row, int n_rows, int n_columns, real *gradient, weight_map map)
{
    for (int r = 0; r < n_rows; r++) {
        for (int c = 0; c < n_columns; c++) {
            ptrdiff_t place =
                map.turned ? row_place(&map, c) + column_place(&map, r) : row_place(&map, r) + column_place(&map, c);
            gradient[place] += outer_tile_sum(sums, n_columns, row + r, c);
        }
    }
}
#endif

/* Adds what `outer` collected to weights. */
static void outer_reduce(const real *sums, int n_rows, int n_columns, real *gradient, weight_map map)
{
#if TIN_KERNEL_TILES
    if (tiled_outer(n_rows, n_columns)) {
        outer_tile_reduce(sums, 0, n_rows, n_columns, gradient, map);
        return;
    }
#endif
    int n = folded_columns(n_columns);
    for (int column = 0, columns; column < n; column += columns) {
        columns = part_size(n, OUTER_COLUMNS, column);
        ptrdiff_t places[OUTER_COLUMNS * FOLDED];
        int first = column * FOLDED, count = columns * FOLDED;
        count = first + count < n_columns ? count : n_columns - first;
        for (int c = 0; c < count; c++) {
            places[c] = map.turned ? row_place(&map, first + c) : column_place(&map, first + c);
        }
        for (int r = 0; r < n_rows; r++, sums += columns * VL) {
            real *to = gradient + (map.turned ? column_place(&map, r) : row_place(&map, r));
            for (int c = 0; c < count; c++) {
                real sum = 0;
                UNROLL
                for (int i = 0; i < FOLD; i++) {
                    sum += sums[c * FOLD + i];
                }
                to[places[c]] += sum;
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

#endif
