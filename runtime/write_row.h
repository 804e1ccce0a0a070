/* The output of a layer in a row of either width. */
#ifndef TINK_WRITE_ROW_H
#define TINK_WRITE_ROW_H

#include "runtime/requantize.h"

/* [fragment] */
/* y[i] = v limited to low..127, or low..32767 where y holds int16_t (`wide` is not 0). */
static inline void tink_write(tink_row *y, int32_t i, int32_t v, int32_t low, int32_t wide)
{
#if TINK_WIDE
    if (wide) {
        ((int16_t *)y)[i] = (int16_t)(v < low ? low : v > 32767 ? 32767 : v);
    } else {
        ((int8_t *)y)[i] = tink_output8(v, low);
    }
#else
    (void)wide;
    y[i] = tink_output8(v, low);
#endif
}
/* [end] */

#endif
