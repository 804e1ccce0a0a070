/* Product of two rows, value by value. */
#ifndef TINK_MULTIPLY_H
#define TINK_MULTIPLY_H

#include "runtime/requantize.h"

/* [fragment] */
static void tink_multiply(const int8_t *a, const int8_t *b, int32_t channels, int32_t mult, int32_t shift, int8_t *y)
{
    int32_t i;
    for (i = 0; i < channels; i++) {
        y[i] = tink_output8(tink_requantize(a[i] * (int32_t)b[i], mult, shift), -127);
    }
}
/* [end] */

#endif
