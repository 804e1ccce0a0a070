/* What matrices and the next layer read of the state of a packed gru. */
#ifndef TINK_STATE_LANES_H
#define TINK_STATE_LANES_H

#include "runtime/requantize.h"

/* [fragment] */
/* The state in 8 bits, 1/128. */
static inline TINK_UNUSED void tink_state_lanes(const int16_t *h, int32_t units, int16_t *h8)
{
    int32_t k;
    for (k = 0; k < units; k++) {
        h8[k] = (int16_t)tink_limit8((h[k] + (int32_t)128) >> 8);
    }
}
/* [end] */

#endif
