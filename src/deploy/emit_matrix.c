/* The order of weights that runtime/dot4.h reads. */
#include "deploy/emit.h"

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
