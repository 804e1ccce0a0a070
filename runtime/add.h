/* Sum of rows, each with a multiplier of its own. */
#ifndef TINK_ADD_H
#define TINK_ADD_H

#include "runtime/read_row.h"
#include "runtime/write_row.h"

/* [fragment] */
typedef struct tink_add_t {
    const int32_t *mult; /* [rows] */
    int16_t rows, channels, shift, low;
    int16_t wide, wide_out; /* bit k of wide: row k is int16_t */
} tink_add_t;

/* x [rows]; y[i] = saturate((sum of x[k][i] * mult[k], rounded) >> shift). */
static void tink_add(const tink_add_t *c, const tink_row *const *x, tink_row *y)
{
    int32_t i, k;
    for (i = 0; i < c->channels; i++) {
        int32_t sum = (int32_t)1 << (c->shift - 1);
        for (k = 0; k < c->rows; k++) {
            sum += tink_read(x[k], i, (c->wide >> k) & 1) * c->mult[k];
        }
        tink_write(y, i, sum >> c->shift, c->low, c->wide_out);
    }
}
/* [end] */

#endif
