/* The window that a conv1d with dilation looks at, as the functions of CMSIS-NN read it. */
#ifndef TINK_CMSIS_WINDOW_H
#define TINK_CMSIS_WINDOW_H

#include "runtime/kernel.h"

/* [fragment] */
/* Brings taps that stand `jump` apart together in `room`; a single tap stays where it is. */
static const int8_t *tink_cmsis_window(const int8_t *x, int32_t jump, int32_t taps, int32_t columns, int8_t *room)
{
    int32_t k;
    if (taps == 1) {
        return x;
    }
    for (k = 0; k < taps; k++) {
        memcpy(room + k * columns, x + k * jump, (size_t)columns);
    }
    return room;
}
/* [end] */

#endif
