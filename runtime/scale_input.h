/* Raw sensor counts to int8. */
#ifndef TINK_SCALE_INPUT_H
#define TINK_SCALE_INPUT_H

#include "runtime/requantize.h"

/* [fragment] */
static void tink_scale_input(const int16_t *counts, const int16_t *offset, const int32_t *mult, int32_t shift,
                             int32_t channels, int8_t *y)
{
    for (int32_t c = 0; c < channels; c++) {
        const int32_t v = (int32_t)counts[c] - offset[c];
        y[c] = tink_output8(tink_requantize(v, mult[c], shift), -127);
    }
}
/* [end] */

#endif
