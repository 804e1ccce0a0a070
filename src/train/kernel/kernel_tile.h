/* Matrix products on the tiles of x86-64 (AMX): a tile is up to 16 rows of 64 bytes, and one instruction adds the product
 * of a tile of 16-bit floats with another to a tile of sums in float.
 *
 * A float of 24 bits is the exact sum of PARTS 16-bit floats (bfloat16) of 8 bits each: what is cut off, again and again.
 * Of the products of parts those are added that are not below 2^-24 of the whole, so that results are as exact as in float.
 * A product of tiles sums over pairs: a word holds the parts of two values, the first in its low half. */
#ifndef TIN_KERNEL_TILE_H
#define TIN_KERNEL_TILE_H

#include "train/kernel/kernel_vector.h"

#if TIN_KERNEL_TILES
#define PARTS 3
#define TILE_ROWS 16                      /* of a tile, at most; sums have a column for each lane */
#define TILE_PAIRS 16                     /* pairs that a product of tiles sums over */
#define TILE_WORDS (TILE_ROWS * TILE_PAIRS) /* of a tile of parts or of sums, at most */

/* The parts of TIN_LANES pairs to rows of words, part_step words apart. */
INLINE void split_pairs(vec first, vec second, real *to, ptrdiff_t part_step)
{
    const ivec high = (ivec)splat(0) - 0x10000;
    UNROLL
    for (int part = 0; part < PARTS; part++) {
        ivec a = (ivec)first & high, b = (ivec)second & high;
        store(to + part * part_step, (vec)(((ivec)first >> 16 & 0xffff) | b));
        first -= (vec)a;
        second -= (vec)b;
    }
}

/* n rows of lanes as (n + 1) / 2 rows of pairs, [part][pair][lane]. */
static void pairs_of_rows(const real *x, ptrdiff_t n, real *to, ptrdiff_t part_step)
{
    for (; n > 1; n -= 2, x += 2 * TIN_LANES, to += TIN_LANES) {
        split_pairs(load(x), load(x + TIN_LANES), to, part_step);
    }
    if (n > 0) {
        split_pairs(load(x), splat(0), to, part_step);
    }
}

/* Rows of pairs of n rows, up to whole tiles. */
static ptrdiff_t paired_rows(ptrdiff_t n)
{
    return (n + 2 * TILE_PAIRS - 1) / (2 * TILE_PAIRS) * TILE_PAIRS;
}

static void clear_pairs(ptrdiff_t n, real *to, ptrdiff_t part_step)
{
    for (int part = 0; part < PARTS; part++) {
        memset(to + part * part_step, 0, (size_t)(n * TIN_LANES) * sizeof(real));
    }
}

/* As pairs_of_rows, with zeros to the end of the last tile. */
static void whole_pairs_of_rows(const real *x, ptrdiff_t n, real *to, ptrdiff_t part_step)
{
    ptrdiff_t pairs = (n + 1) / 2;
    pairs_of_rows(x, n, to, part_step);
    clear_pairs(paired_rows(n) - pairs, to + pairs * TIN_LANES, part_step);
}

/* Rows come in blocks of two sizes, as part_size cuts them. Tiles 0 (sums) and 1 (left factor) are for blocks of `rows`, 2
 * and 3 for those of one row less; 4 to 6 hold the right factor. */
static void tiles_for(int n_rows)
{
    struct {
        uint8_t palette, start_row, unused[14];
        uint16_t bytes[16];
        uint8_t rows[16];
    } shape = {.palette = 1};
    int rows = part_size(n_rows, TILE_ROWS, 0);
    for (int i = 0; i < 7; i++) {
        int n = i > 3 ? TILE_PAIRS : i < 2 || rows == 1 ? rows : rows - 1;
        shape.bytes[i] = TIN_LANES * sizeof(real);
        shape.rows[i] = (uint8_t)n;
    }
    __asm__ volatile("ldtilecfg %0" : : "m"(shape));
}

static void tiles_done(void)
{
    __asm__ volatile("tilerelease" : : : "memory");
}

#define TILE_CLEAR(tile) __asm__ volatile("tilezero %%tmm" #tile : : :)
#define TILE_LOAD(tile, from, step)                                                                                    \
    __asm__ volatile("tileloadd (%0,%1,1), %%tmm" #tile : : "r"(from), "r"((step) * (ptrdiff_t)sizeof(real)) : "memory")
#define TILE_STORE(tile, to, step)                                                                                     \
    __asm__ volatile("tilestored %%tmm" #tile ", (%0,%1,1)"                                                            \
                     :                                                                                                 \
                     : "r"(to), "r"((step) * (ptrdiff_t)sizeof(real))                                                  \
                     : "memory")
#define TILE_PRODUCT(sums, left, right)                                                                                \
    __asm__ volatile("tdpbf16ps %%tmm" #right ", %%tmm" #left ", %%tmm" #sums : : :)
#define TILE_SIX(sums, tile, rows)                                                                                     \
    TILE_LOAD(tile, left, (ptrdiff_t)TILE_PAIRS);                                                                      \
    TILE_PRODUCT(sums, tile, 4);                                                                                       \
    TILE_PRODUCT(sums, tile, 5);                                                                                       \
    TILE_PRODUCT(sums, tile, 6);                                                                                       \
    TILE_LOAD(tile, left + (rows) * TILE_PAIRS, (ptrdiff_t)TILE_PAIRS);                                                \
    TILE_PRODUCT(sums, tile, 4);                                                                                       \
    TILE_PRODUCT(sums, tile, 5);                                                                                       \
    TILE_LOAD(tile, left + 2 * (rows) * TILE_PAIRS, (ptrdiff_t)TILE_PAIRS);                                            \
    TILE_PRODUCT(sums, tile, 4)

INLINE void tile_start(bool whole, const real *from, ptrdiff_t step)
{
    if (!from && whole) {
        TILE_CLEAR(0);
    } else if (!from) {
        TILE_CLEAR(2);
    } else if (whole) {
        TILE_LOAD(0, from, step);
    } else {
        TILE_LOAD(2, from, step);
    }
}

/* Adds a product: left [part][rows][pair], right [part][pair][lane]. */
INLINE void tile_add(bool whole, int rows, const real *left, const real *right, ptrdiff_t part_step)
{
    TILE_LOAD(4, right, (ptrdiff_t)TIN_LANES);
    TILE_LOAD(5, right + part_step, (ptrdiff_t)TIN_LANES);
    TILE_LOAD(6, right + 2 * part_step, (ptrdiff_t)TIN_LANES);
    if (whole) {
        TILE_SIX(0, 1, rows);
    } else {
        TILE_SIX(2, 3, rows);
    }
}

INLINE void tile_end(bool whole, real *to, ptrdiff_t step)
{
    if (whole) {
        TILE_STORE(0, to, step);
    } else {
        TILE_STORE(2, to, step);
    }
}

/* Whether a product of so many rows of weights, over runs of so many channels, is faster on tiles. */
static bool tiled(int n_rows, int length)
{
    return n_rows >= 8 && length >= 12;
}

/* Whether the state of a recurrent layer meets its weights on tiles. */
static bool tiled_state(const tin_node *node)
{
    return node->kind != TIN_NODE_MIN_GRU && node->n_outputs >= 12;
}

static int tile_blocks(int length)
{
    return (length + 2 * TILE_PAIRS - 1) / (2 * TILE_PAIRS);
}

/* Words of weights [n_rows][length] as left factor. */
static size_t tile_weights(int n_rows, int length)
{
    return (size_t)n_rows * (size_t)tile_blocks(length) * PARTS * TILE_PAIRS;
}

/* What split_pairs does, of one value: part of it, in the half of a word. */
static uint32_t split_value(float *value, int half)
{
    uint32_t bits;
    memcpy(&bits, value, sizeof bits);
    bits &= 0xffff0000u;
    float part;
    memcpy(&part, &bits, sizeof part);
    *value -= part;
    return half > 0 ? bits : bits >> 16;
}

/* The block, of at most `most` rows, that has the row: its first row and its size. */
static int block_of(int n_rows, int most, int row, int *size)
{
    int first = 0;
    *size = part_size(n_rows, most, 0);
    while (first + *size <= row) {
        first += *size;
        *size = part_size(n_rows, most, first);
    }
    return first;
}

/* The left factor from weights as they are packed for vectors, in blocks of `most` rows: n_runs runs of `length` channels.
 * Block of rows, then run, then block of pairs, then [part][row][pair]. */
static void pack_tiles(const real *packed, int n_rows, int most, int n_runs, int length, real *tiles)
{
    uint32_t *to = (uint32_t *)tiles;
    memset(to, 0, (size_t)n_runs * tile_weights(n_rows, length) * sizeof *to);
    for (int row = 0; row < n_rows; row++) {
        int from_rows, rows, from_first = block_of(n_rows, most, row, &from_rows);
        int first = block_of(n_rows, TILE_ROWS, row, &rows);
        const real *from = packed + (ptrdiff_t)from_first * n_runs * length + row - from_first;
        uint32_t *block = to + (size_t)n_runs * tile_weights(first, length);
        for (int run = 0; run < n_runs; run++, block += tile_weights(rows, length)) {
            for (int k = 0; k < length; k++, from += from_rows) {
                float value = *from;
                for (int part = 0; part < PARTS; part++) {
                    int place = (k / (2 * TILE_PAIRS) * PARTS + part) * rows + row - first;
                    block[place * TILE_PAIRS + k / 2 % TILE_PAIRS] |= split_value(&value, k & 1);
                }
            }
        }
    }
}

/* to = from (NULL: zeros) + weights * x for one place in time. x: pairs of `length` rows of lanes, from there to the end of
 * the last block finite; to may be from. */
static void tile_rows(const real *weights, int n_rows, int length, const real *pairs, ptrdiff_t part_step,
                      const real *from, real *to)
{
    int most = part_size(n_rows, TILE_ROWS, 0), blocks = tile_blocks(length);
    for (int row = 0, rows; row < n_rows; row += rows, to += rows * TIN_LANES) {
        rows = part_size(n_rows, TILE_ROWS, row);
        bool whole = rows == most;
        tile_start(whole, from ? from + row * TIN_LANES : NULL, TIN_LANES);
        for (int i = 0; i < blocks; i++, weights += PARTS * rows * TILE_PAIRS) {
            tile_add(whole, rows, weights, pairs + i * TILE_PAIRS * TIN_LANES, part_step);
        }
        tile_end(whole, to, TIN_LANES);
    }
}
#endif

#endif
