/* NPY, the format of one NumPy array (numpy.lib.format, versions 1.0 to 3.0).
 *
 *     "\x93NUMPY" major minor, length of the header (2 bytes in version 1, 4 from 2 on, little-endian), the header,
 *     a Python dictionary of exactly 'descr', 'fortran_order' and 'shape', the items without a gap
 *
 * An array of one dimension is a column. Items are numbers; texts, records, complex numbers and Python objects are
 * refused. Whole numbers beyond 2^53 lose their last digits, as in any double. */
#include <stdbool.h>
#include <string.h>

#include "data/table_formats.h"

#define MAGIC "\x93NUMPY"
#define MAX_HEADER_BYTES (1u << 20)

typedef enum kind { SIGNED, UNSIGNED, FLOAT } kind;

typedef struct array {
    kind kind;
    size_t item_bytes;
    bool big_endian, fortran_order;
    uint64_t rows, columns;
} array;

/* ---- the header: a dictionary in Python's notation ---- */

typedef struct header {
    const tin_table_input *in;
    const char *at, *end;
} header;

static tin_status damaged(const header *h, const char *what, tin_error *err)
{
    return tin_fail_at(err, TIN_ERR_DATA, h->in->path, 0,
                       "the header of the array is damaged: %s; write it again with numpy.save", what);
}

static bool take(header *h, const char *word)
{
    while (h->at < h->end && (*h->at == ' ' || *h->at == '\n'))
        h->at++;
    size_t n = strlen(word);
    if ((size_t)(h->end - h->at) < n || memcmp(h->at, word, n) != 0)
        return false;
    h->at += n;
    return true;
}

static bool take_number(header *h, uint64_t *value)
{
    (void)take(h, "");
    const char *first = h->at;
    for (*value = 0; h->at < h->end && *h->at >= '0' && *h->at <= '9'; h->at++) {
        if (*value > (UINT64_MAX - 9) / 10)
            return false;
        *value = *value * 10 + (uint64_t)(*h->at - '0');
    }
    return h->at > first;
}

/* '<f8': byte order, kind, bytes. */
static tin_status parse_type(header *h, array *a, tin_error *err)
{
    if (!take(h, "'")) {
        return tin_fail_at(err, TIN_ERR_DATA, h->in->path, 0,
                           "the array's items are records of several fields; save one array of numbers instead");
    }
    const char *type = h->at;
    const char *quote = memchr(type, '\'', (size_t)(h->end - type));
    if (quote == NULL)
        return damaged(h, "'descr' does not end", err);
    h->at = quote + 1;
    const int length = (int)(quote - type);
    static const struct {
        char name[3];
        kind kind;
        unsigned bytes;
    } types[] = {{"b1", UNSIGNED, 1}, {"i1", SIGNED, 1},   {"i2", SIGNED, 2},   {"i4", SIGNED, 4},
                 {"i8", SIGNED, 8},   {"u1", UNSIGNED, 1}, {"u2", UNSIGNED, 2}, {"u4", UNSIGNED, 4},
                 {"u8", UNSIGNED, 8}, {"f2", FLOAT, 2},    {"f4", FLOAT, 4},    {"f8", FLOAT, 8}};
    for (size_t i = 0; length == 3 && i < sizeof types / sizeof *types; i++)
        if (memcmp(type + 1, types[i].name, 2) == 0 &&
            (type[0] == '<' || type[0] == '>' || (type[0] == '|' && types[i].bytes == 1))) {
            a->kind = types[i].kind;
            a->item_bytes = types[i].bytes;
            a->big_endian = type[0] == '>';
            return TIN_OK;
        }
    return tin_fail_at(err, TIN_ERR_DATA, h->in->path, 0,
                       "the array's items are of type '%.*s'; integers, booleans and floats of up to 8 bytes are read "
                       "(convert with .astype)",
                       length > 20 ? 20 : length, type);
}

static tin_status parse_shape(header *h, array *a, tin_error *err)
{
    uint64_t sizes[2] = {0, 1};
    size_t n = 0;
    if (!take(h, "("))
        return damaged(h, "'shape' is no tuple", err);
    while (!take(h, ")")) {
        uint64_t size;
        if (!take_number(h, &size))
            return damaged(h, "'shape' has something else than sizes", err);
        if (n < 2)
            sizes[n] = size;
        n++;
        if (!take(h, ",") && (n == 1 || h->at == h->end || *h->at != ')'))
            return damaged(h, "'shape' is no tuple", err);
    }
    if (n < 1 || n > 2)
        return tin_fail_at(err, TIN_ERR_DATA, h->in->path, 0,
                           "the array has %zu dimensions; 1 (one column) or 2 (rows, columns) are read", n);
    a->rows = sizes[0];
    a->columns = sizes[1];
    return TIN_OK;
}

static tin_status parse_order(header *h, array *a, tin_error *err)
{
    a->fortran_order = take(h, "True");
    return a->fortran_order || take(h, "False") ? TIN_OK : damaged(h, "'fortran_order' is not True or False", err);
}

static tin_status parse_header(header *h, array *a, tin_error *err)
{
    static const struct {
        const char *key;
        tin_status (*parse)(header *h, array *a, tin_error *err);
    } keys[] = {{"'descr'", parse_type}, {"'fortran_order'", parse_order}, {"'shape'", parse_shape}};
    bool seen[3] = {false};
    if (!take(h, "{"))
        return damaged(h, "it is no dictionary", err);
    while (!take(h, "}")) {
        size_t i = 0;
        while (i < 3 && !take(h, keys[i].key))
            i++;
        if (i == 3 || seen[i] || !take(h, ":"))
            return damaged(h, "keys other than descr, fortran_order and shape, once each", err);
        seen[i] = true;
        tin_status status = keys[i].parse(h, a, err);
        if (status != TIN_OK)
            return status;
        if (!take(h, ",") && (h->at == h->end || *h->at != '}'))
            return damaged(h, "a comma is missing", err);
    }
    (void)take(h, "");
    if (!seen[0] || !seen[1] || !seen[2] || h->at != h->end)
        return damaged(h, "keys other than descr, fortran_order and shape, once each", err);
    return TIN_OK;
}

/* ---- the items ---- */

/* IEEE 754 binary16. */
static double half(uint64_t bits)
{
    const uint64_t exponent = bits >> 10 & 31, fraction = bits & 1023;
    uint64_t wide = (bits & 0x8000) << 48;
    if (exponent == 0) /* zero and subnormal: fraction * 2^-24 */
        return (bits & 0x8000 ? -1.0 : 1.0) * (double)fraction / 16777216;
    wide |= (exponent == 31 ? (uint64_t)2047 : exponent + 1008) << 52 | fraction << 42;
    double value;
    memcpy(&value, &wide, sizeof value);
    return value;
}

static double item(const array *a, const uint8_t *bytes)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < a->item_bytes; i++)
        bits = bits << 8 | bytes[a->big_endian ? i : a->item_bytes - 1 - i];
    if (a->kind == UNSIGNED)
        return (double)bits;
    if (a->kind == SIGNED) {
        const unsigned spare = 64 - 8 * (unsigned)a->item_bytes;
        int64_t value = (int64_t)(bits << spare);
        return (double)(value >> spare);
    }
    if (a->item_bytes == 2)
        return half(bits);
    double value;
    if (a->item_bytes == 4) {
        uint32_t narrow = (uint32_t)bits;
        float single;
        memcpy(&single, &narrow, sizeof single);
        return (double)single;
    }
    memcpy(&value, &bits, sizeof value);
    return value;
}

static tin_status read_items(const tin_table_input *in, const array *a, const uint8_t *bytes, size_t size,
                             tin_table *table, tin_error *err)
{
    /* Compared before anything is allocated, so that a header alone costs no memory. */
    if (a->columns > 0 && a->rows <= SIZE_MAX / 8 / a->columns && a->rows * a->columns * a->item_bytes != size)
        return tin_fail_at(err, TIN_ERR_DATA, in->path, 0,
                           "the array needs %llu bytes by its header, %zu are there; the file is cut or damaged, write "
                           "it again",
                           (unsigned long long)(a->rows * a->columns * a->item_bytes), size);
    tin_status status = tin_table_shape(table, in->path, a->rows, a->columns, err);
    for (size_t r = 0; status == TIN_OK && r < table->n_rows; r++)
        for (size_t c = 0; c < table->n_columns; c++) {
            size_t i = a->fortran_order ? c * table->n_rows + r : r * table->n_columns + c;
            table->values[r * table->n_columns + c] = item(a, bytes + i * a->item_bytes);
        }
    return status;
}

tin_status tin_table_read_npy(const tin_table_input *in, tin_table *table, tin_error *err)
{
    header h = {.in = in};
    const uint8_t *d = in->data;
    if (in->size < 8 || memcmp(d, MAGIC, 6) != 0)
        return tin_fail_at(err, TIN_ERR_DATA, in->path, 0, "is no array of numpy.save (no NUMPY at its start)");
    if (d[6] < 1 || d[6] > 3 || d[7] != 0)
        return tin_fail_at(err, TIN_ERR_DATA, in->path, 0, "has version %u.%u of the NPY format; 1.0 to 3.0 are read",
                           d[6], d[7]);
    const size_t start = d[6] == 1 ? 10 : 12;
    if (in->size < start)
        return damaged(&h, "the file is cut", err);
    const size_t length = d[8] | (size_t)d[9] << 8 | (d[6] == 1 ? 0 : (size_t)d[10] << 16 | (size_t)d[11] << 24);
    if (length > in->size - start || length > MAX_HEADER_BYTES)
        return damaged(&h, "it is longer than the file, or than 1 MiB", err);
    h.at = (const char *)d + start;
    h.end = h.at + length;
    array a = {0};
    tin_status status = parse_header(&h, &a, err);
    return status == TIN_OK ? read_items(in, &a, d + start + length, in->size - start - length, table, err) : status;
}
