/* Packed weights: the streams that runtime/t2.h, t43.h, n4.h, book.h and sparse.h read, what they cost, and whether the
 * values of a matrix allow them. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "deploy/emit.h"

#define MAX_COLUMNS 512 /* of a packed matrix: each takes a byte of RAM, or two where it is widened */

static long groups_of(const tin_emit_matrix *m)
{
    return (long)m->taps * ((m->width + 3) / 4);
}

bool tin_encoding_is_vector(tin_encoding encoding)
{
    return encoding == TIN_ENCODING_V16 || encoding == TIN_ENCODING_V32;
}

long tin_packed_eights(const tin_emit_matrix *m)
{
    return ((long)m->taps * m->width + 7) / 8;
}

long tin_packed_columns(const tin_emit_matrix *m)
{
    return 4 * groups_of(m);
}

/* The part of the shift that no multiplier can take in: mult * 2^(shift - rest) < 2^31. */
int tin_packed_shift(const tin_emit_matrix *m)
{
    int rest = 0;
    for (int r = 0; r < m->n_rows; r++) {
        while (rest < m->shift && ((int64_t)m->mult[r] << (m->shift - rest)) > INT32_MAX) {
            rest++;
        }
    }
    return rest;
}

long tin_packed_count(const tin_emit_matrix *m, int rest)
{
    return (groups_of(m) - 1) * 256 + rest;
}

/* Weight of a row and column `column` of a group; 0 where there is none. */
static int weight_at(const tin_emit_matrix *m, long row, long group, int column)
{
    const long per_tap = (m->width + 3) / 4, tap = group / per_tap, at = group % per_tap * 4 + column;
    return row < m->n_rows && at < m->width ? m->weight[(row * m->taps + tap) * m->width + at] : 0;
}

static int32_t bias_at(const tin_emit_matrix *m, long row)
{
    return row < m->n_rows ? m->bias[row] : 0;
}

/* Words in the order of the kernel; only counted while there is no room for them. */
typedef struct stream {
    const tin_emit *e;
    int32_t *words;
    long n;
} stream;

static void put(stream *s, uint32_t word)
{
    if (s->words != NULL) {
        s->words[s->n] = (int32_t)word;
    }
    s->n++;
}

/* Columns c and c + 1 of a group, rows r and r + 1 in each lane. */
static void put_lanes(stream *s, const tin_emit_matrix *m, long row, long group, int c)
{
    const int low = 256 * weight_at(m, row, group, c) + weight_at(m, row + 1, group, c);
    const int high = 256 * weight_at(m, row, group, c + 1) + weight_at(m, row + 1, group, c + 1);
    put(s, ((uint32_t)high << 16) | ((uint32_t)low & 0xffff));
}

static void put_bias(stream *s, const tin_emit_matrix *m, tin_encoding encoding, long row)
{
    for (int r = 0; m->bias != NULL && r < (encoding == TIN_ENCODING_T43 ? 3 : 4); r++) {
        const int32_t bias = bias_at(m, row + r);
        const bool pair = encoding == TIN_ENCODING_T43 || r % 2 == 0;
        if (encoding == TIN_ENCODING_N4) {
            put(s, (uint32_t)(4096 * bias));
        } else if (encoding == TIN_ENCODING_BOOK || tin_encoding_is_vector(encoding) || !pair) {
            put(s, (uint32_t)bias);
        } else {
            put(s, (uint32_t)(256 * bias + bias_at(m, row + r + 1)));
        }
    }
}

static void put_t2(stream *s, const tin_emit_matrix *m, long row, long group)
{
    for (int i = 0; i < 4; i++) {
        put_lanes(s, m, row + i % 2 * 2, group, i / 2 * 2);
    }
}

static void put_t43(stream *s, const tin_emit_matrix *m, long row, long group)
{
    for (int i = 0; i < 6; i++) {
        put_lanes(s, m, row + i % 3, group, i / 3 * 2);
    }
}

static void put_n4(stream *s, const tin_emit_matrix *m, long row, long group)
{
    for (int c = 0; c < 4; c += 2) {
        uint32_t word = 0;
        for (int r = 0; r < 4; r++) {
            word |= ((uint32_t)weight_at(m, row + r, group, c) & 15) << (12 - 4 * r);
            word |= ((uint32_t)weight_at(m, row + r, group, c + 1) & 15) << (28 - 4 * r);
        }
        put(s, word);
    }
}

/* The different weights of four rows, at most 16; returns how many, 17 for more. */
static int book_of(const tin_emit_matrix *m, long row, int book[17])
{
    int n = 0;
    for (long i = 0; i < 16 * groups_of(m) && n < 17; i++) {
        const int w = weight_at(m, row + i % 4, i / 16, (int)(i / 4 % 4));
        int k = 0;
        while (k < n && book[k] != w) {
            k++;
        }
        if (k == n) {
            book[n++] = w;
        }
    }
    return n;
}

static uint32_t book_index(const int *book, int w)
{
    uint32_t k = 0;
    while (book[k] != w) {
        k++;
    }
    return k;
}

static void put_book(stream *s, const tin_emit_matrix *m, long row)
{
    int book[17] = {0};
    (void)book_of(m, row, book);
    for (int i = 0; i < 16; i += 4) {
        uint32_t word = 0;
        for (int k = 3; k >= 0; k--) {
            word = word << 8 | ((uint32_t)book[i + k] & 255);
        }
        put(s, word);
    }
    for (long group = 0; group < groups_of(m); group++) {
        for (int c = 0; c < 4; c += 2) {
            uint32_t word = 0;
            for (int r = 0; r < 4; r++) {
                word |= book_index(book, weight_at(m, row + r, group, c)) << (4 * r);
                word |= book_index(book, weight_at(m, row + r, group, c + 1)) << (16 + 4 * r);
            }
            put(s, word);
        }
    }
}

/* The groups of four rows that are not all zero, at least one. */
static int groups_kept(const tin_emit_matrix *m, long row, uint8_t kept[MAX_COLUMNS / 4])
{
    int n = 0;
    for (long group = 0; group < groups_of(m); group++) {
        bool zero = true;
        for (int i = 0; i < 16; i++) {
            zero = zero && weight_at(m, row + i / 4, group, i % 4) == 0;
        }
        if (!zero) {
            kept[n++] = (uint8_t)group;
        }
    }
    if (n == 0) {
        kept[n++] = 0;
    }
    return n;
}

static void put_sparse(stream *s, const tin_emit_matrix *m, long row)
{
    uint8_t kept[MAX_COLUMNS / 4];
    const int n = groups_kept(m, row, kept), words = (n + 3) / 4;
    put(s, (uint32_t)words << 8 | (uint32_t)n);
    for (int i = 0; i < words; i++) {
        uint32_t word = 0;
        for (int k = 4 * i; k < 4 * i + 4 && k < n; k++) {
            word |= (kept[k] | (k + 1 == n ? 128u : 0)) << (8 * (k % 4));
        }
        put(s, word);
    }
    for (int i = 0; i < n; i++) {
        put_t2(s, m, row, kept[i]);
    }
}

/* Four columns of a row from `column` on, taps side by side, low byte first; 0 where there is none. */
static void put_columns(stream *s, const tin_emit_matrix *m, long row, long column)
{
    const long n = (long)m->taps * m->width;
    uint32_t word = 0;
    for (long i = 3; i >= 0; i--) {
        const bool there = row < m->n_rows && column + i < n;
        word = word << 8 | (there ? (uint32_t)m->weight[row * n + column + i] & 255 : 0);
    }
    put(s, word);
}

static void put_v16(stream *s, const tin_emit_matrix *m, long row)
{
    const long columns = 8 * tin_packed_eights(m);
    for (long column = 0, width; column < columns; column += width) {
        width = columns - column < 16 ? 8 : 16;
        for (long i = 0; i < 4 * width; i += 4) {
            put_columns(s, m, row + i / width, column + i % width);
        }
    }
}

/* Four rows from `row` on. */
static void put_block(stream *s, const tin_emit_matrix *m, tin_encoding encoding, int rest, long row)
{
    put_bias(s, m, encoding, row);
    if (encoding == TIN_ENCODING_BOOK) {
        put_book(s, m, row);
    } else if (encoding == TIN_ENCODING_SPARSE) {
        put_sparse(s, m, row);
    } else if (tin_encoding_is_vector(encoding)) {
        put_v16(s, m, row);
    } else {
        for (long group = 0; group < groups_of(m); group++) {
            if (encoding == TIN_ENCODING_T2) {
                put_t2(s, m, row, group);
            } else if (encoding == TIN_ENCODING_T43) {
                put_t43(s, m, row, group);
            } else {
                put_n4(s, m, row, group);
            }
        }
    }
    for (long r = row; r < row + 4; r++) {
        if (r >= m->n_rows || s->e == NULL) {
            put(s, s->e != NULL && s->e->powers ? 1 : 0);
        } else {
            put(s, (uint32_t)tin_emit_factor(s->e, (int32_t)((int64_t)m->mult[r] << (m->shift - rest))));
        }
    }
}

/* The blocks of the first `rows` rows. */
static void put_rows(stream *s, const tin_emit_matrix *m, const int *rest, int n, tin_encoding encoding, long rows)
{
    s->n = 0;
    for (long row = 0; row < rows; row += 4) {
        for (int i = 0; i < n; i++) {
            put_block(s, &m[i], encoding, rest[i], row);
        }
    }
}

long tin_packed_words(const tin_emit_matrix *m, int n, tin_encoding encoding, long rows)
{
    static const int no_shift[6] = {0};
    stream s = {NULL, NULL, 0};
    put_rows(&s, m, no_shift, n, encoding, rows);
    return s.n;
}

void tin_packed_emit(tin_emit *e, int layer, const char *suffix, const tin_emit_matrix *m, const int *rest, int n)
{
    const tin_encoding encoding = e->layers[layer].encoding;
    tin_error err = {0};
    stream s = {e, NULL, 0};
    put_rows(&s, m, rest, n, encoding, m[0].n_rows);
    s.words = tin_alloc((size_t)s.n, sizeof *s.words, &err);
    if (s.words == NULL) {
        e->source.status = TIN_ERR_MEMORY;
        return;
    }
    put_rows(&s, m, rest, n, encoding, m[0].n_rows);
    tin_emit_int32s(e, e->layers[layer].label, suffix, s.words, s.n);
    tin_free(s.words);
}

/* How far left the kernel can shift: as far as its sums are too great. */
static int most_shift(tin_encoding encoding)
{
    return tin_encoding_is_vector(encoding) ? 16 : encoding == TIN_ENCODING_N4 ? 12 : 8;
}

/* Sums, with all inputs at 128 or -128, must stay below 2^31 times this much. */
static int scale_of(tin_encoding encoding)
{
    const bool whole = encoding == TIN_ENCODING_BOOK || tin_encoding_is_vector(encoding);
    return encoding == TIN_ENCODING_N4 ? 4096 : whole ? 1 : 257;
}

/* The sum of row r is at most this far from 0. */
static int64_t sum_bound(const tin_emit_matrix *m, int r)
{
    const long n = (long)m->taps * m->width;
    int64_t bound = m->bias != NULL ? llabs((long long)m->bias[r]) : 0;
    for (long i = 0; i < n; i++) {
        bound += 128 * abs(m->weight[r * n + i]);
    }
    return bound;
}

int64_t tin_packed_bound(const tin_emit_matrix *m)
{
    int64_t most = 0;
    for (int r = 0; r < m->n_rows; r++) {
        const int64_t bound = ((sum_bound(m, r) << m->shift) * m->mult[r] >> 32) + 1;
        most = bound > most ? bound : most;
    }
    return most;
}

bool tin_packed_fits(const tin_emit_matrix *m, tin_encoding encoding)
{
    const long n = (long)m->taps * m->width;
    if (encoding == TIN_ENCODING_V32 && (tin_packed_eights(m) < 3 || tin_packed_eights(m) > 4)) {
        return false;
    }
    if (4 * groups_of(m) > MAX_COLUMNS || tin_packed_shift(m) > most_shift(encoding)) {
        return false;
    }
    for (int r = 0; r < m->n_rows; r++) {
        for (long i = 0; i < n; i++) {
            const int w = m->weight[r * n + i];
            if ((w < -127 && !tin_encoding_is_vector(encoding)) || (encoding == TIN_ENCODING_N4 && (w < -8 || w > 7))) {
                return false;
            }
        }
        if (sum_bound(m, r) * scale_of(encoding) > INT32_MAX) {
            return false;
        }
    }
    for (long row = 0; encoding == TIN_ENCODING_BOOK && row < m->n_rows; row += 4) {
        int book[17];
        if (book_of(m, row, book) > 16) {
            return false;
        }
    }
    return true;
}

/* What an encoding takes on one kind of core: instructions per group of four rows and columns, and per four rows
 * besides. */
typedef struct price {
    double per_group, per_block;
} price;

/* With dual multiplications: measured on a Cortex-M4; a Cortex-M55 takes the same, and its vectors in v16. */
static const price dual[TIN_ENCODING_COUNT] = {{0, 0},   {15, 36},  {11, 40}, {19, 36}, {52, 38},
                                               {18, 43}, {2.5, 15}, {2, 13},  {0, 0}};
/* With a product per instruction: measured on rv32imc. */
static const price single[TIN_ENCODING_COUNT] = {{58, 260}, {88, 260}, {100, 185}, {80, 178}, {193, 157},
                                                 {88, 330}, {0, 0},    {0, 0},     {0, 0}};

void tin_packed_cost(const tin_emit_matrix *m, tin_encoding encoding, bool scalar, double *bytes, double *insn)
{
    const price *of = scalar ? &single[encoding] : &dual[encoding];
    const int rest = tin_packed_shift(m);
    stream s = {NULL, NULL, 0};
    if (encoding == TIN_ENCODING_PLAIN) {
        *bytes += (m->n_rows + 3) / 4 * 4.0 * ((double)m->taps * m->width + (m->bias != NULL ? 8 : 4));
    } else {
        put_rows(&s, m, &rest, 1, encoding, m->n_rows);
        *bytes += 4.0 * (double)s.n;
    }
    for (long row = 0; row < m->n_rows; row += 4) {
        uint8_t kept[MAX_COLUMNS / 4];
        const long groups = encoding == TIN_ENCODING_SPARSE ? groups_kept(m, row, kept) : groups_of(m);
        *insn += of->per_block + (double)groups * of->per_group;
    }
}
