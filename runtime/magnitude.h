/* The length of what a sensor of three axes says, whichever way it is turned. */
#ifndef TINK_MAGNITUDE_H
#define TINK_MAGNITUDE_H

#include "runtime/slow_mean.h"
#include "runtime/write_row.h"

/* [fragment] */
typedef struct tink_magnitude_t {
    const int32_t *mult;                          /* per output */
    int16_t outputs, decay, shift, low, wide_out; /* decay 0: of the counts as they are */
} tink_magnitude_t;

/* Integer part of the square root, bit by bit. */
static uint32_t tink_root(uint32_t n)
{
    uint32_t root = 0, bit = (uint32_t)1 << 30;
    while (bit > 0) {
        if (n >= root + bit) {
            n -= root + bit;
            root = (root >> 1) + bit;
        } else {
            root >>= 1;
        }
        bit >>= 2;
    }
    return root;
}

/* means [3 * outputs]; it and `started` are NULL without a decay. */
TINK_KERNEL void tink_magnitude(const tink_magnitude_t *e, const int16_t *frame, uint16_t *started, int32_t *means,
                                tink_row *y)
{
    int32_t o, c;
    if (started != NULL) {
        tink_start_means(frame, 3 * (int32_t)e->outputs, e->decay, started, means);
    }
    for (o = 0; o < e->outputs; o++) {
        uint32_t sum = 0;
        for (c = 3 * o; c < 3 * o + 3; c++) {
            int32_t d = frame[c];
            if (means != NULL) {
                d = (tink_less_mean(d, e->decay, &means[c]) + 4) >> 3;
                d = d < -32767 ? -32767 : d > 32767 ? 32767 : d;
            }
            sum += (uint32_t)(d * d);
        }
        sum = sum < ((uint32_t)1 << 26) ? tink_root(sum << 6) : tink_root(sum) << 3;
        tink_write(y, o, tink_requantize((int32_t)sum, e->mult[o], e->shift), e->low, e->wide_out);
    }
}
/* [end] */

#endif
