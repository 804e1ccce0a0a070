/* The window of a dilated conv1d for the packed kernels. */
#ifndef TINK_WIDEN_TAPS_H
#define TINK_WIDEN_TAPS_H

#include "runtime/lanes.h"

/* [fragment] */
/* Taps side by side, each of `columns` and `jump` behind the one before. */
static void tink_widen_taps(const int8_t *x, int32_t jump, int32_t taps, int32_t columns, int16_t *lanes)
{
    int32_t k;
    for (k = 0; k < taps; k++) {
        lanes = tink_widen(x + k * jump, columns, lanes);
    }
}
/* [end] */

#endif
