/* Counts without gravity and offset. */
#ifndef TINK_HIGH_PASS_H
#define TINK_HIGH_PASS_H

#include "runtime/slow_mean.h"
#include "runtime/write_row.h"

/* [fragment] */
typedef struct tink_high_pass_t {
    const int32_t *mult; /* per channel */
    int16_t channels, decay, shift, low, wide_out;
} tink_high_pass_t;

static void tink_high_pass(const tink_high_pass_t *e, const int16_t *frame, uint16_t *started, int32_t *means,
                           tink_row *y)
{
    int32_t c;
    tink_start_means(frame, e->channels, e->decay, started, means);
    for (c = 0; c < e->channels; c++) {
        const int32_t v = tink_less_mean(frame[c], e->decay, &means[c]);
        tink_write(y, c, tink_requantize(v, e->mult[c], e->shift), e->low, e->wide_out);
    }
}
/* [end] */

#endif
