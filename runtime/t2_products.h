/* What T2 and the sparse kernel share: the products of a block of four rows and four columns. */
#ifndef TINK_T2_PRODUCTS_H
#define TINK_T2_PRODUCTS_H

#include "runtime/wrap.h"

/* [fragment] */
#ifdef TINK_DSP
/* x0 and x1 hold columns 0 and 2, then 1 and 3. */
#define TINK_T2_PRODUCTS(x0, x1)                                                                                       \
    "ldmia r0!, {r8-r11}\n\t"                                                                                          \
    "smlad r2, r8, " x0 ", r2\n\tsxtb16 r8, r8\n\tsmlad r3, r8, " x0 ", r3\n\t"                                        \
    "smlad r4, r9, " x0 ", r4\n\tsxtb16 r9, r9\n\tsmlad r5, r9, " x0 ", r5\n\t"                                        \
    "smlad r2, r10, " x1 ", r2\n\tsxtb16 r10, r10\n\tsmlad r3, r10, " x1 ", r3\n\t"                                    \
    "smlad r4, r11, " x1 ", r4\n\tsxtb16 r11, r11\n\tsmlad r5, r11, " x1 ", r5\n\t"

/* Both rows of each pair to their places, then as far as the multipliers ask for. */
#define TINK_T2_ROWS                                                                                                   \
    "sub r2, r2, r3\n\t"                                                                                               \
    "sub r4, r4, r5\n\t"                                                                                               \
    "rsb r6, r12, #8\n\t"                                                                                              \
    "asr r2, r2, r6\n\t"                                                                                               \
    "lsl r3, r3, r12\n\t"                                                                                              \
    "asr r4, r4, r6\n\t"                                                                                               \
    "lsl r5, r5, r12\n\t"
#else
/* Two columns of two rows: x and w hold two lanes each. */
static inline TINK_UNUSED void tink_t2_pair(int32_t w, int32_t x, int32_t *sum, int32_t *low_bytes)
{
    const int32_t low = (int16_t)w, high = w >> 16, x_low = (int16_t)x, x_high = x >> 16;
    *sum = tink_plus(*sum, low * x_low + high * x_high);
    *low_bytes = tink_plus(*low_bytes, (int8_t)low * x_low + (int8_t)high * x_high);
}
#endif
/* [end] */

#endif
