/* What has changed in the counts since some frames ago. */
#ifndef TINK_DIFFERENCE_H
#define TINK_DIFFERENCE_H

#include "runtime/write_row.h"

/* [fragment] */
typedef struct tink_difference_t {
    const int32_t *mult; /* per channel */
    int16_t channels, lag, shift, low, wide_out;
} tink_difference_t;

/* past [lag][channels], a ring; *oldest is 0 before the first frame, then its oldest row + 1. */
static void tink_difference(const tink_difference_t *e, const int16_t *frame, uint16_t *oldest, int16_t *past,
                            tink_row *y)
{
    int32_t c, k;
    for (k = 0; *oldest == 0 && k < e->lag; k++) { /* as if the first frame had always been there */
        for (c = 0; c < e->channels; c++) {
            past[k * e->channels + c] = frame[c];
        }
    }
    k = *oldest > 0 ? *oldest - 1 : 0;
    for (c = 0; c < e->channels; c++) {
        int16_t *before = &past[k * e->channels + c];
        const int32_t v = 8 * ((int32_t)frame[c] - *before);
        *before = frame[c];
        tink_write(y, c, tink_requantize(v, e->mult[c], e->shift), e->low, e->wide_out);
    }
    *oldest = (uint16_t)(k + 1 < e->lag ? k + 2 : 1);
}
/* [end] */

#endif
