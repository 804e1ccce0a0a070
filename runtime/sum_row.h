/* A row goes into the sums of an avg_pool whose windows do not overlap. */
#ifndef TINK_SUM_ROW_H
#define TINK_SUM_ROW_H

#include "runtime/read_row.h"

/* [fragment] */
/* A sum is bounded by the window, which no single row shows: it is one of unsigned numbers. */
static void tink_sum_row(const tink_row *x, int32_t wide, int32_t channels, int32_t *sum)
{
    int32_t i;
    for (i = 0; i < channels; i++) {
        sum[i] = (int32_t)((uint32_t)sum[i] + (uint32_t)tink_read(x, i, wide));
    }
}
/* [end] */

#endif
