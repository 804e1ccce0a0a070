/* Encodings of weight matrices: the order of weights that runtime/dot4.h reads, and the packed streams of runtime/t2.h
 * and runtime/t43.h; which of them is taken, and whether it may be. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "deploy/emit.h"

#define MAX_LANES 512 /* columns of a packed matrix: their lanes take 2 bytes of RAM each */

const char *tin_encoding_name(tin_encoding encoding)
{
    static const char *const names[] = {"plain", "t2", "t43"};
    return names[encoding];
}

const char *tin_emit_encoded(const tin_emit *e, int layer, const char *kernel, char text[TIN_EXPRESSION])
{
    const tin_encoding encoding = e->layers[layer].encoding;
    const bool plain = encoding == TIN_ENCODING_PLAIN;
    (void)snprintf(text, TIN_EXPRESSION, "%s_%s%s%s", e->name, plain ? "" : tin_encoding_name(encoding),
                   plain ? "" : "_", kernel);
    return text;
}

long tin_emit_block_bytes(const tin_emit_matrix *m)
{
    return 4L * m->taps * m->width;
}

int8_t tin_emit_block_weight(const tin_emit_matrix *m, int row, long index)
{
    const long per_tap = 4L * m->width, tap = index / per_tap, at = index % per_tap;
    const long grouped = m->width / 4 * 16; /* bytes in whole groups of four columns */
    const long r = at < grouped ? at % 16 / 4 : at % 4;
    const long column = at < grouped ? at / 16 * 4 + at % 4 : at / 4;
    return row + r < m->n_rows ? m->weight[((row + r) * m->taps + tap) * m->width + column] : (int8_t)0;
}

static long groups_of(const tin_emit_matrix *m)
{
    return (long)m->taps * ((m->width + 3) / 4);
}

long tin_packed_lanes(const tin_emit_matrix *m)
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

bool tin_packed_fits(const tin_emit_matrix *m)
{
    const long n = (long)m->taps * m->width;
    if (tin_packed_lanes(m) > MAX_LANES || tin_packed_shift(m) > 8) {
        return false;
    }
    for (int r = 0; r < m->n_rows; r++) {
        int64_t bound = m->bias != NULL ? llabs((long long)m->bias[r]) : 0;
        for (long i = 0; i < n; i++) {
            const int w = m->weight[r * n + i];
            if (w < -127) {
                return false;
            }
            bound += 128 * abs(w);
        }
        if (bound * 257 > INT32_MAX) {
            return false;
        }
    }
    return true;
}

/* Two rows in 16 bits. */
static int32_t lane(const tin_emit_matrix *m, long row, long tap, long column)
{
    int32_t v[2] = {0, 0};
    for (int i = 0; i < 2; i++) {
        if (row + i < m->n_rows && column < m->width) {
            v[i] = m->weight[((row + i) * m->taps + tap) * m->width + column];
        }
    }
    return 256 * v[0] + v[1];
}

static int32_t bias_of(const tin_emit_matrix *m, long row)
{
    return row < m->n_rows ? m->bias[row] : 0;
}

/* Words in front of the weights, and per two columns. */
static int bias_words(const tin_emit_matrix *m, tin_encoding encoding)
{
    return m->bias == NULL ? 0 : encoding == TIN_ENCODING_T2 ? 4 : 3;
}

static int pair_words(tin_encoding encoding)
{
    return encoding == TIN_ENCODING_T2 ? 2 : 3;
}

long tin_packed_words(const tin_emit_matrix *m, tin_encoding encoding)
{
    return bias_words(m, encoding) + 2 * groups_of(m) * pair_words(encoding) + 4;
}

static int32_t bias_word(const tin_emit_matrix *m, tin_encoding encoding, long row, long index)
{
    if (encoding == TIN_ENCODING_T2 && index % 2 == 1) {
        return bias_of(m, row + index);
    }
    return 256 * bias_of(m, row + index) + bias_of(m, row + index + 1);
}

static int32_t weight_word(const tin_emit_matrix *m, tin_encoding encoding, long row, long index)
{
    const int per_pair = pair_words(encoding);
    const long pair = index / per_pair, group = pair / 2, per_tap = (m->width + 3) / 4;
    const long tap = group / per_tap, column = group % per_tap * 4 + pair % 2;
    const long first = row + index % per_pair * (encoding == TIN_ENCODING_T2 ? 2 : 1);
    const uint32_t low = (uint32_t)lane(m, first, tap, column), high = (uint32_t)lane(m, first, tap, column + 2);
    return (int32_t)((high << 16) | (low & 0xffff));
}

int32_t tin_packed_word(const tin_emit_matrix *m, tin_encoding encoding, int rest, int row, long index)
{
    const long words = tin_packed_words(m, encoding), biases = bias_words(m, encoding);
    if (index < biases) {
        return bias_word(m, encoding, row, index);
    }
    if (index < words - 4) {
        return weight_word(m, encoding, row, index - biases);
    }
    const long r = row + index - (words - 4);
    return r < m->n_rows ? (int32_t)((int64_t)m->mult[r] << (m->shift - rest)) : 0;
}

long tin_packed_count(const tin_emit_matrix *m, int rest)
{
    const long groups = groups_of(m);
    return ((groups + 1) / 2 - 1) * 512 + groups % 2 * 256 + rest;
}

void tin_emit_choose_encoding(tin_emit *e, int layer)
{
    const tin_qlayer *l = &e->model->layers[layer];
    const char *optimize = e->facts->optimize;
    long lanes = 0;
    bool fits = true, odd = false;
    if (l->op == TIN_OP_GRU && !l->reset_before) {
        for (int part = 0; part < 6; part++) {
            const tin_emit_matrix m = tin_emit_gate(l, part / 2, part % 2 == 1);
            lanes += part < 2 ? tin_packed_lanes(&m) : 0;
            fits = fits && tin_packed_fits(&m);
            odd = odd || tin_packed_lanes(&m) % 8 != 0;
        }
    } else if ((l->op == TIN_OP_CONV1D && l->groups == 1) || l->op == TIN_OP_DENSE) {
        const tin_emit_matrix m = tin_emit_window(l);
        lanes = tin_packed_lanes(&m);
        fits = tin_packed_fits(&m);
        odd = lanes % 8 != 0;
    } else {
        fits = false;
    }
    if (fits && !tin_emit_input_wide(e, layer, 0)) {
        e->layers[layer].encoding =
            optimize != NULL && strcmp(optimize, "speed") == 0 ? TIN_ENCODING_T43 : TIN_ENCODING_T2;
        e->lanes = lanes > e->lanes ? lanes : e->lanes;
        e->odd_groups = e->odd_groups || odd;
    }
}
