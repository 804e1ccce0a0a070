/* A row goes into the sums of an avg_pool whose windows overlap, and the oldest one leaves them. */
#ifndef TINK_SUM_SLIDE_H
#define TINK_SUM_SLIDE_H

#include "runtime/read_row.h"

/* [fragment] */
/* oldest: its place in the ring, which the new row takes. The sum is bounded by what is in the ring, which no single
 * row shows: it is one of unsigned numbers. */
static void tink_sum_slide(const tink_row *x, int32_t wide, int32_t channels, int32_t *sum, tink_row *oldest)
{
    int32_t i;
    for (i = 0; i < channels; i++) {
        const int32_t change = tink_read(x, i, wide) - tink_read(oldest, i, wide);
        sum[i] = (int32_t)((uint32_t)sum[i] + (uint32_t)change);
    }
#if TINK_WIDE
    memcpy(oldest, x, (size_t)channels << (wide ? 1 : 0));
#else
    memcpy(oldest, x, (size_t)channels);
#endif
}
/* [end] */

#endif
