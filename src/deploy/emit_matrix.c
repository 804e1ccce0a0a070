/* The order of weights that runtime/dot4.h reads, and which encoding a layer gets. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "deploy/emit.h"

const char *tin_encoding_name(tin_encoding encoding)
{
    static const char *const names[] = {"plain", "t2", "t43", "n4", "book", "sparse", "v16", "cmsis"};
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

/* The matrices of a layer that are packed; none where it has no packed kernel. */
static int matrices_of(const tin_qlayer *l, tin_emit_matrix m[6])
{
    if (l->op == TIN_OP_GRU && !l->reset_before) {
        for (int part = 0; part < 6; part++) {
            m[part] = tin_emit_gate(l, part / 2, part % 2 == 1);
        }
        return 6;
    }
    m[0] = tin_emit_window(l);
    return (l->op == TIN_OP_CONV1D && l->groups == 1) || l->op == TIN_OP_DENSE ? 1 : 0;
}

/* Bytes, instructions of a run; false when a matrix does not allow the encoding. */
static bool cost_of(const tin_emit *e, const tin_emit_matrix *m, int n, tin_encoding encoding, double *bytes,
                    double *insn)
{
    *bytes = *insn = 0;
    for (int i = 0; i < n; i++) {
        if (encoding != TIN_ENCODING_PLAIN && !tin_packed_fits(&m[i], encoding)) {
            return false;
        }
        tin_packed_cost(&m[i], encoding, e->scalar, bytes, insn);
    }
    return true;
}

/* size: the fewest bytes; speed: the fewest instructions; else the least product of both, without those that take more
 * bytes than there are weights. The other figure decides a tie. */
static double rank(const char *optimize, double bytes, double insn)
{
    if (optimize != NULL && strcmp(optimize, "size") == 0) {
        return bytes * 1e9 + insn;
    }
    return optimize != NULL && strcmp(optimize, "speed") == 0 ? insn * 1e9 + bytes : bytes * insn;
}

void tin_emit_choose_encoding(tin_emit *e, int layer)
{
    long sums = 0;
    if (e->cmsis && tin_cmsis_serves(e, layer, &sums)) {
        e->layers[layer].encoding = TIN_ENCODING_CMSIS;
        e->lanes = sums > e->lanes ? sums : e->lanes;
        return;
    }
    const char *optimize = e->facts->optimize;
    const bool fast = optimize != NULL && strcmp(optimize, "speed") == 0;
    tin_emit_matrix m[6];
    const bool plain = tin_emit_input_wide(e, layer, 0) || (optimize != NULL && strcmp(optimize, "plain") == 0);
    const int n = plain ? 0 : matrices_of(&e->model->layers[layer], m);
    double least = INFINITY;
    for (int k = e->scalar ? TIN_ENCODING_PLAIN : TIN_ENCODING_T2; n > 0 && k < TIN_ENCODING_CMSIS; k++) {
        double bytes, insn;
        if ((k == TIN_ENCODING_T43 && !fast) || (k == TIN_ENCODING_V16 && !e->vectors) ||
            !cost_of(e, m, n, (tin_encoding)k, &bytes, &insn)) {
            continue;
        }
        if (rank(optimize, bytes, insn) < least) {
            e->layers[layer].encoding = (tin_encoding)k;
            least = rank(optimize, bytes, insn);
        }
    }
    long lanes = 0;
    for (int i = 0; e->layers[layer].encoding != TIN_ENCODING_PLAIN && i < n; i++) {
        lanes += i < 2 ? tin_packed_lanes(&m[i], e->layers[layer].encoding) : 0; /* those on x and on the state */
        e->shifted = e->shifted || tin_packed_shift(&m[i]) > 0;
        e->odd_groups = e->odd_groups || tin_packed_lanes(&m[i], TIN_ENCODING_T2) % 4 != 0;
    }
    e->lanes = lanes > e->lanes ? lanes : e->lanes;
}
