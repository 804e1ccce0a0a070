/* Rows of 8-bit values in 16 bits for those who read int8_t. */
#ifndef TINK_NARROW_H
#define TINK_NARROW_H

#include "runtime/kernel.h"

/* [fragment] */
static void tink_narrow(const int16_t *x, int32_t n, int8_t *y)
{
    for (; n > 0; n--) {
        *y++ = (int8_t)*x++;
    }
}
/* [end] */

#endif
