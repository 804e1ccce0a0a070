/* Sums modulo 2^32. */
#ifndef TINK_WRAP_H
#define TINK_WRAP_H

#include "runtime/kernel.h"

/* [fragment] */
#ifndef TINK_DSP
/* Sums over lanes that hold several rows are made and taken apart modulo 2^32, as SMLAD adds. */
static inline TINK_UNUSED int32_t tink_plus(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a + (uint32_t)b);
}

static inline TINK_UNUSED int32_t tink_minus(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a - (uint32_t)b);
}
#endif
/* [end] */

#endif
