/* A value of a row of either width. */
#ifndef TINK_READ_ROW_H
#define TINK_READ_ROW_H

#include "runtime/kernel.h"

/* [fragment] */
/* x[i]; `wide` is not 0 where x holds int16_t. */
static inline int32_t tink_read(const tink_row *x, int32_t i, int32_t wide)
{
#if TINK_WIDE
    return wide ? ((const int16_t *)x)[i] : ((const int8_t *)x)[i];
#else
    (void)wide;
    return x[i];
#endif
}
/* [end] */

#endif
