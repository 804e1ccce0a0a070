/* What matrices and the next layer read of the state of gru, mgu and min_gru. */
#ifndef TINK_STATE8_H
#define TINK_STATE8_H

#include "runtime/kernel.h"

/* [fragment] */
/* The state in 8 bits, 1/128. */
static void tink_state8(const int16_t *h, int32_t units, int8_t *h8)
{
    int32_t k;
    for (k = 0; k < units; k++) {
        const int32_t v = (h[k] + (int32_t)128) >> 8;
        h8[k] = (int8_t)(v > 127 ? 127 : v);
    }
}
/* [end] */

#endif
