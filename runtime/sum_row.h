/* A row goes into the sums of an avg_pool whose windows do not overlap. */
#ifndef TINK_SUM_ROW_H
#define TINK_SUM_ROW_H

#include "runtime/read_row.h"

/* [fragment] */
static void tink_sum_row(const tink_row *x, int32_t wide, int32_t channels, int32_t *sum)
{
    int32_t i;
    for (i = 0; i < channels; i++) {
        sum[i] += tink_read(x, i, wide);
    }
}
/* [end] */

#endif
