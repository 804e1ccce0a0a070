/* sigmoid and tanh behind a conv1d or a dense. */
#ifndef TINK_CURVE_H
#define TINK_CURVE_H

#include "runtime/sigmoid.h"

/* [fragment] */
/* curve 0: v as it is; 1: sigmoid of v in Q12; 2: tanh of v in Q13; both in Q7, at most 128. */
static int32_t tink_curve(int32_t v, int32_t curve)
{
    if (curve == 1) {
        v = (tink_sigmoid(v) + ((int32_t)1 << 20)) >> 21;
    }
    if (curve == 2) {
        v = (tink_sigmoid(v) - ((int32_t)1 << 27) + ((int32_t)1 << 19)) >> 20;
    }
    return v;
}
/* [end] */

#endif
