/* What T2 and the sparse kernel share: the products of a block of four rows and four columns. */
#ifndef TINK_T2_PRODUCTS_H
#define TINK_T2_PRODUCTS_H

#include "runtime/wrap.h"

/* [fragment] */
#ifdef TINK_DSP
#define TINK_T2_PRODUCTS                                                                                               \
    "ldmia %[w]!, {r8-r11}\n\t"                                                                                        \
    "smlad %[a], r8, r6, %[a]\n\t"                                                                                     \
    "sxtb16 r8, r8\n\t"                                                                                                \
    "smlad %[b], r8, r6, %[b]\n\t"                                                                                     \
    "smlad %[c], r9, r6, %[c]\n\t"                                                                                     \
    "sxtb16 r9, r9\n\t"                                                                                                \
    "smlad %[d], r9, r6, %[d]\n\t"                                                                                     \
    "smlad %[a], r10, r12, %[a]\n\t"                                                                                   \
    "sxtb16 r10, r10\n\t"                                                                                              \
    "smlad %[b], r10, r12, %[b]\n\t"                                                                                   \
    "smlad %[c], r11, r12, %[c]\n\t"                                                                                   \
    "sxtb16 r11, r11\n\t"                                                                                              \
    "smlad %[d], r11, r12, %[d]\n\t"
#else
/* Two columns of two rows: x and w hold two lanes each. */
static inline void tink_t2_products(int32_t w, int32_t x, int32_t *sum, int32_t *low_bytes)
{
    const int32_t low = (int16_t)w, high = w >> 16, x_low = (int16_t)x, x_high = x >> 16;
    *sum = tink_plus(*sum, low * x_low + high * x_high);
    *low_bytes = tink_plus(*low_bytes, (int8_t)low * x_low + (int8_t)high * x_high);
}
#endif
/* [end] */

#endif
