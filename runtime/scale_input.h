/* Raw sensor counts to the network's input. */
#ifndef TINK_SCALE_INPUT_H
#define TINK_SCALE_INPUT_H

#include "runtime/requantize.h"
#if TINK_WIDE
#include "runtime/write_row.h"
#endif

/* [fragment] */
/* low: -127, or -32767 where the input has 16 bits. */
static void tink_scale_input(const int16_t *counts, const int16_t *offset, const int32_t *mult, int32_t shift,
                             int32_t channels, int32_t low, tink_row *y)
{
    int32_t c;
    for (c = 0; c < channels; c++) {
        const int32_t v = tink_requantize((int32_t)counts[c] - offset[c], mult[c], shift);
#if TINK_WIDE
        tink_write(y, c, v, low, low < -127);
#else
        y[c] = tink_output8(v, low);
#endif
    }
}
/* [end] */

#endif
