/* Matrix products on the tiles of x86-64 (AMX): a tile is up to 16 rows of 64 bytes, and one instruction adds the product
 * of a tile of 16-bit floats (bfloat16, 8 bits) with another to a tile of sums in float.
 *
 * A factor is the sum of two such floats: itself rounded, and what that leaves, rounded: 17 bits of a float's 24. Of the four
 * products of two factors that of the two rests, 2^-16 of the whole at most, is left out. So a product errs by 2.8e-5 at most,
 * 4.4e-6 in the root mean square, to either side; sums are float.
 *
 * A product of tiles sums over pairs: a word holds a part of two values, the first one's in its low half. */
#ifndef TIN_KERNEL_TILE_H
#define TIN_KERNEL_TILE_H

#include "train/kernel/kernel_vector.h"

#if TIN_KERNEL_TILES
#define PARTS 2
#define TILE_ROWS 16  /* of a tile, at most; a row of sums is one of lanes */
#define TILE_PAIRS 16 /* pairs that a product of tiles sums over */
#define TILE_WORDS (TILE_ROWS * TILE_PAIRS)
#define ROUND_HALF 0x8000    /* of what is cut off */
#define HIGH_HALF (-0x10000) /* of a word */

/* The parts of TIN_LANES pairs to rows of words, part_step words apart. */
INLINE void split_pairs(vec first, vec second, real *to, ptrdiff_t part_step)
{
    UNROLL
    for (int part = 0; part < PARTS; part++) {
        ivec a = (ivec)first + ROUND_HALF, b = (ivec)second + ROUND_HALF;
        const __mmask32 odd = 0xaaaaaaaau;
        store(to + part * part_step, (vec)_mm512_mask_blend_epi16(odd, (__m512i)(a >> 16), (__m512i)b));
        first -= (vec)(a & HIGH_HALF);
        second -= (vec)(b & HIGH_HALF);
    }
}

INLINE void clear_pairs(ptrdiff_t n, real *to)
{
    for (ptrdiff_t i = 0; i < n; i++) {
        store(to + i * TIN_LANES, splat(0));
    }
}

static int blocks_of(int n, int block)
{
    return (n + block - 1) / block;
}

static int pair_blocks(int n)
{
    return blocks_of(n, 2 * TILE_PAIRS);
}

/* Words of a part of pairs of n rows of lanes, up to whole tiles. */
static ptrdiff_t pairs_size(int n)
{
    return (ptrdiff_t)pair_blocks(n) * TILE_WORDS;
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

/* The same, with zeros up to whole tiles, for one place in time; the parts are pairs_size(n) apart. */
static void whole_pairs_of_rows(const real *x, int n, real *to)
{
    ptrdiff_t part_step = pairs_size(n), end = (n + 1) / 2 * TIN_LANES;
    pairs_of_rows(x, n, to, part_step);
    for (int part = 0; part < PARTS; part++) {
        clear_pairs((part_step - end) / TIN_LANES, to + part * part_step + end);
    }
}

/* Sets the tiles up for n_rows rows of sums, in blocks of TILE_ROWS: the last block has tiles of its own, 6 (sums) and 7
 * (left factor). */
static void tiles_for(int n_rows)
{
    struct {
        uint8_t palette, start_row, unused[14];
        uint16_t bytes[16];
        uint8_t rows[16];
    } shape = {.palette = 1};
    for (int i = 0; i < 8; i++) {
        shape.bytes[i] = TILE_PAIRS * sizeof(real);
        shape.rows[i] = (uint8_t)(i < 6 ? TILE_ROWS : (n_rows - 1) % TILE_ROWS + 1);
    }
    __asm__ volatile("ldtilecfg %0" : : "m"(shape));
}

static void tiles_done(void)
{
    __asm__ volatile("tilerelease" : : : "memory");
}

#define TILE_CLEAR(tile) __asm__ volatile("tilezero %%tmm" #tile : : :)
#define TILE_LOAD(tile, from)                                                                                          \
    __asm__ volatile("tileloadd (%0,%1,1), %%tmm" #tile : : "r"(from), "r"((ptrdiff_t)64) : "memory")
#define TILE_STORE(tile, to)                                                                                           \
    __asm__ volatile("tilestored %%tmm" #tile ", (%0,%1,1)" : : "r"(to), "r"((ptrdiff_t)64) : "memory")
#define TILE_PRODUCT(sums, left, right) __asm__ volatile("tdpbf16ps %%tmm" #right ", %%tmm" #left ", %%tmm" #sums : : :)
#define TILE_START(tile, from)                                                                                         \
    if (from) {                                                                                                        \
        TILE_LOAD(tile, from);                                                                                         \
    } else {                                                                                                           \
        TILE_CLEAR(tile);                                                                                              \
    }
/* The right factor's parts are in tiles 2 and 3. */
#define TILE_ADD(sums, high, low, left)                                                                                \
    TILE_LOAD(high, left);                                                                                             \
    TILE_PRODUCT(sums, high, 2);                                                                                       \
    TILE_PRODUCT(sums, high, 3);                                                                                       \
    TILE_LOAD(low, (left) + TILE_WORDS);                                                                               \
    TILE_PRODUCT(sums, low, 2)

/* Pairs that a product sums over, whole tiles of them; rows without[0]..without[1]-1 of the sums leave them out. */
typedef struct tile_run {
    const real *pairs; /* [part][pair][lane] */
    ptrdiff_t part_step;
    int blocks, without[2];
} tile_run;

static bool meets(const tile_run *x, int row)
{
    return row < x->without[0] || row + TILE_ROWS > x->without[1];
}

/* The sums of a block, and of the next if `two`, begin as they stand there (NULL: with zeros). last: as in tile_blocks. */
INLINE void tiles_start(bool two, bool last, const real *from, const real *next)
{
    if (!two) {
        TILE_START(6, from);
    } else {
        TILE_START(0, from);
        if (last) {
            TILE_START(6, next);
        } else {
            TILE_START(1, next);
        }
    }
}

/* The block of rows from `row` on, and the next if `two`, which share right factors. last: the last of them is the last of
 * all; one alone is. block: words of the weights of a block. */
INLINE void tile_blocks(bool two, bool last, const real *weights, int block, int row, const tile_run *x, int n,
                        const real *from, real *to)
{
    const real *next = weights + block, *next_from = from ? from + TILE_WORDS : NULL;
    tiles_start(two, last, from, next_from);
    for (int i = 0; i < n; i++) {
        const bool first = meets(&x[i], row), second = two && meets(&x[i], row + TILE_ROWS);
        const real *right = x[i].pairs;
        for (int k = 0; k < x[i].blocks; k++) {
            TILE_LOAD(2, right);
            TILE_LOAD(3, right + x[i].part_step);
            if (first && !two) {
                TILE_ADD(6, 7, 7, weights);
            } else if (first) {
                TILE_ADD(0, 4, 5, weights);
            }
            if (second && last) {
                TILE_ADD(6, 7, 7, next);
            } else if (second) {
                TILE_ADD(1, 4, 5, next);
            }
            right += TILE_WORDS;
            weights += PARTS * TILE_WORDS;
            next += PARTS * TILE_WORDS;
        }
    }
    if (!two) {
        TILE_STORE(6, to);
    } else {
        TILE_STORE(0, to);
        if (last) {
            TILE_STORE(6, to + TILE_WORDS);
        } else {
            TILE_STORE(1, to + TILE_WORDS);
        }
    }
}

/* to = from (NULL: zeros) + weights * x for one place in time; to may be from. Rows row..end-1 of n_rows; end is n_rows or a
 * multiple of two blocks. The tiles are set up for n_rows. */
static void tile_product(const real *weights, int row, int end, int n_rows, const tile_run *x, int n, const real *from,
                         real *to)
{
    int block = 0;
    for (int i = 0; i < n; i++) {
        block += x[i].blocks * PARTS * TILE_WORDS;
    }
    weights += row / TILE_ROWS * block;
    for (; row < end; row += 2 * TILE_ROWS, weights += 2 * block, to += 2 * TILE_WORDS) {
        if (row + TILE_ROWS >= n_rows) {
            tile_blocks(false, true, weights, block, row, x, n, from, to);
        } else if (row + 2 * TILE_ROWS >= n_rows) {
            tile_blocks(true, true, weights, block, row, x, n, from, to);
        } else {
            tile_blocks(true, false, weights, block, row, x, n, from, to);
        }
        from = from ? from + 2 * TILE_WORDS : NULL;
    }
}

/* Whether a product of so many rows of weights, over runs of so many channels, is faster on tiles. */
static bool tiled(int n_rows, int length)
{
    return n_rows >= 8 && length >= 12;
}

/* Whether the sums of a recurrent layer are done on tiles. */
static bool tiled_state(const tin_node *node)
{
    return node->kind != TIN_NODE_MIN_GRU && node->n_outputs >= 12;
}

/* Words of weights as left factor of n_blocks blocks of pairs: block of rows, block of pairs, [part][row][pair]. */
static size_t tile_weights(int n_rows, int n_blocks)
{
    return (size_t)(blocks_of(n_rows, TILE_ROWS) * n_blocks) * PARTS * TILE_WORDS;
}

/* Weights w[k * step] of a row, in blocks of pairs from `first` on of n_blocks. */
static void pack_row(const real *w, ptrdiff_t step, int length, int row, int first, int n_blocks, real *tiles)
{
    real *to = tiles + (row / TILE_ROWS * n_blocks + first) * PARTS * TILE_WORDS + row % TILE_ROWS * TILE_PAIRS;
    for (int k = 0; k < length; k += 2 * TILE_PAIRS, to += PARTS * TILE_WORDS) {
        real even[TILE_PAIRS] __attribute__((aligned(64))) = {0}, odd[TILE_PAIRS] __attribute__((aligned(64))) = {0};
        int n = length - k < 2 * TILE_PAIRS ? length - k : 2 * TILE_PAIRS;
        for (int i = 0; i < n; i += 2) {
            even[i / 2] = w[(k + i) * step];
            odd[i / 2] = i + 1 < n ? w[(k + i + 1) * step] : 0;
        }
        split_pairs(load(even), load(odd), to, TILE_WORDS);
    }
}

/* From weights as they are packed for vectors, in blocks of `most` rows: n_runs runs of `length` channels. The rows that the
 * last block lacks are never read. */
static void pack_tiles(const real *packed, int n_rows, int most, int n_runs, int length, real *tiles)
{
    int blocks = pair_blocks(length);
    for (int first = 0, rows; first < n_rows; first += rows) {
        rows = part_size(n_rows, most, first);
        for (int run = 0; run < n_runs; run++, packed += length * rows) {
            for (int r = 0; r < rows; r++) {
                pack_row(packed + r, rows, length, first + r, run * blocks, n_runs * blocks, tiles);
            }
        }
    }
}
#endif

#endif
