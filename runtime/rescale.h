/* A row of one scale becomes part of a concat of another. */
#ifndef TINK_RESCALE_H
#define TINK_RESCALE_H

#include "runtime/read_row.h"
#include "runtime/write_row.h"

/* [fragment] */
typedef struct tink_rescale_t {
    int32_t mult;
    int16_t channels, shift, low, wide, wide_out; /* wide: rows are int16_t */
} tink_rescale_t;

/* y[i] = saturate((x[i] * mult, rounded) >> shift) */
static void tink_rescale(const tink_rescale_t *c, const tink_row *x, tink_row *y)
{
    const int32_t half = ((int32_t)1 << c->shift) >> 1;
    int32_t i;
    for (i = 0; i < c->channels; i++) {
        const int32_t v = (tink_read(x, i, c->wide) * c->mult + half) >> c->shift;
        tink_write(y, i, v, c->low, c->wide_out);
    }
}
/* [end] */

#endif
