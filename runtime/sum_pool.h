/* Mean over the last rows, from their sums. */
#ifndef TINK_SUM_POOL_H
#define TINK_SUM_POOL_H

#include "runtime/mean.h"
#include "runtime/write_row.h"

/* [fragment] */
/* y[i] = saturate(requantize(sum[i])). */
static void tink_sum_pool(const tink_avg_pool_t *c, const int32_t *sum, tink_row *y)
{
    int32_t i;
    for (i = 0; i < c->channels; i++) {
        tink_write(y, i, tink_requantize(sum[i], c->mult, c->shift), c->low, c->wide_out);
    }
}
/* [end] */

#endif
