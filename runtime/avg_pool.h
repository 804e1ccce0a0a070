/* Mean over the last rows, by a multiplier instead of a division. */
#ifndef TINK_AVG_POOL_H
#define TINK_AVG_POOL_H

#include "runtime/mean.h"
#include "runtime/read_row.h"
#include "runtime/write_row.h"

/* [fragment] */
/* x [kernel][channels]; y[i] = saturate(requantize(sum of column i)). */
static void tink_avg_pool(const tink_avg_pool_t *c, const tink_row *x, tink_row *y)
{
    int32_t i, k;
    for (i = 0; i < c->channels; i++) {
        int32_t sum = 0;
        for (k = 0; k < c->kernel; k++) {
            sum += tink_read(x, k * c->channels + i, c->wide);
        }
        tink_write(y, i, tink_requantize(sum, c->mult, c->shift), c->low, c->wide_out);
    }
}
/* [end] */

#endif
