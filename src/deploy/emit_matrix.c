/* The order of weights that runtime/dot4.h reads, and which encoding a layer gets. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "deploy/emit.h"

const char *tin_encoding_name(tin_encoding encoding)
{
    static const char *const names[] = {"plain", "t2", "t43", "n4", "book", "sparse", "v16", "v32", "cmsis"};
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

int tin_emit_matrices(const tin_qlayer *l, tin_emit_matrix m[6])
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
    const int n = plain ? 0 : tin_emit_matrices(&e->model->layers[layer], m);
    double least = INFINITY;
    for (int k = e->scalar ? TIN_ENCODING_PLAIN : TIN_ENCODING_T2; n > 0 && k < TIN_ENCODING_CMSIS; k++) {
        double bytes, insn;
        if ((k == TIN_ENCODING_T43 && !fast) || (tin_encoding_is_vector((tin_encoding)k) && !e->vectors) ||
            !cost_of(e, m, n, (tin_encoding)k, &bytes, &insn)) {
            continue;
        }
        if (rank(optimize, bytes, insn) < least) {
            e->layers[layer].encoding = (tin_encoding)k;
            least = rank(optimize, bytes, insn);
        }
    }
    long lanes = 0;
    for (int i = 0; tin_encoding_is_vector(e->layers[layer].encoding) && i < n; i++) {
        lanes += i < 2 ? 2 * tin_packed_eights(&m[i]) : 0; /* those on x and on the state */
    }
    e->lanes = lanes > e->lanes ? lanes : e->lanes;
}

/* Instructions of a Cortex-M4, from runs of the benchmark network and random ones; within a quarter of what is measured,
 * which is enough to level frames. */
#define CALL 40.0
#define PER_COLUMN 1.5 /* widened into lanes */
#define PER_MAC 2.5    /* of a plain matrix */
#define PER_ROW 16.0
#define PER_DEPTHWISE_MAC 8.0
#define PER_UNIT 75.0 /* gates and new state */
#define PER_STORE 12.0

/* gru in two halves: those of the matrices on x give the state, those on h run ahead. */
static tin_emit_cost gru_cost(const tin_emit_matrix m[6], tin_encoding encoding, bool scalar, int units)
{
    double bytes = 0, late = 0, ahead = 0;
    for (int i = 0; i < 6; i++) {
        tin_packed_cost(&m[i], encoding, scalar, &bytes, i % 2 == 0 ? &late : &ahead);
    }
    const int blocks = (units + 3) / 4;
    return (tin_emit_cost){.fixed = CALL + PER_COLUMN * m[0].width,
                           .per_block = late / blocks + 4 * PER_UNIT,
                           .ahead_fixed = CALL + PER_COLUMN * units,
                           .ahead_per_block = ahead / blocks + PER_STORE,
                           .blocks = blocks};
}

tin_emit_cost tin_emit_layer_cost(const tin_emit *e, int layer)
{
    const tin_qlayer *l = &e->model->layers[layer];
    const tin_emit_layer *out = &e->layers[layer];
    const bool packed = out->encoding != TIN_ENCODING_PLAIN;
    const double values = (double)l->n_outputs * l->kernel * (l->n_from > 1 ? l->n_from : 1);
    tin_emit_matrix m[6];
    if (out->encoding == TIN_ENCODING_CMSIS) { /* one call of the library, in no parts */
        return (tin_emit_cost){.fixed = CALL + PER_MAC * out->macs + PER_ROW * l->n_outputs};
    }
    if (packed && l->op == TIN_OP_GRU) {
        tin_emit_matrices(l, m);
        const tin_emit_cost c = gru_cost(m, out->encoding, e->scalar, l->n_outputs);
        const double all = c.fixed + c.ahead_fixed + c.blocks * (c.per_block + c.ahead_per_block);
        return tin_encoding_is_vector(out->encoding) ? (tin_emit_cost){.fixed = all}
                                                     : c; /* it has no kernel for halves */
    }
    if ((l->op == TIN_OP_CONV1D && l->groups == 1) || l->op == TIN_OP_DENSE) {
        const tin_emit_matrix window = tin_emit_window(l);
        const int blocks = (l->n_outputs + 3) / 4;
        double bytes = 0, insn = 0;
        if (packed) {
            tin_packed_cost(&window, out->encoding, e->scalar, &bytes, &insn);
            return (tin_emit_cost){
                .fixed = CALL + PER_COLUMN * window.taps * window.width, .per_block = insn / blocks, .blocks = blocks};
        }
        return (tin_emit_cost){
            .fixed = CALL, .per_block = PER_MAC * out->macs / blocks + 4 * PER_ROW, .blocks = blocks};
    }
    if (l->op == TIN_OP_CONV1D) {
        return (tin_emit_cost){.fixed = CALL + PER_DEPTHWISE_MAC * out->macs + PER_ROW * l->n_outputs};
    }
    if (out->macs > 0) {
        return (tin_emit_cost){.fixed = CALL + PER_MAC * out->macs + PER_UNIT * l->n_outputs};
    }
    return (tin_emit_cost){.fixed = CALL + PER_DEPTHWISE_MAC * values + PER_ROW * l->n_outputs};
}
