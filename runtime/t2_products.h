/* What T2 and the sparse kernel share: the products of a block of four rows and four columns. */
#ifndef TINK_T2_PRODUCTS_H
#define TINK_T2_PRODUCTS_H

#include "runtime/wrap.h"

/* [fragment] */
#ifdef TINK_DSP
/* Two columns, in x, of rows 0, 1, then rows 2, 3. */
#define TINK_T2_TWO_COLUMNS(x, w01, w23)                                                                               \
    "smlad r2, " w01 ", " x ", r2\n\tsxtb16 " w01 ", " w01 "\n\tsmlad r3, " w01 ", " x ", r3\n\t"                      \
    "smlad r4, " w23 ", " x ", r4\n\tsxtb16 " w23 ", " w23 "\n\tsmlad r5, " w23 ", " x ", r5\n\t"
/* Four columns, in a and b. */
#define TINK_T2_PRODUCTS(a, b)                                                                                         \
    "ldmia r0!, {r8-r11}\n\t"              /**/                                                                        \
        TINK_T2_TWO_COLUMNS(a, "r8", "r9") /**/                                                                        \
        TINK_T2_TWO_COLUMNS(b, "r10", "r11")

/* Both rows of each pair to their places, then as far as the multipliers ask for. */
#define TINK_T2_SHIFTED_ROWS                                                                                           \
    "sub r2, r2, r3\n\t"                                                                                               \
    "sub r4, r4, r5\n\t"                                                                                               \
    "rsb r6, r12, #8\n\t"                                                                                              \
    "asr r2, r2, r6\n\t"                                                                                               \
    "lsl r3, r3, r12\n\t"                                                                                              \
    "asr r4, r4, r6\n\t"                                                                                               \
    "lsl r5, r5, r12\n\t"
#define TINK_T2_WHOLE_ROWS                                                                                             \
    "sub r2, r2, r3\n\t"                                                                                               \
    "sub r4, r4, r5\n\t"                                                                                               \
    "asr r2, r2, #8\n\t"                                                                                               \
    "asr r4, r4, #8\n\t"
#else
/* Two columns of two rows: w holds two lanes. */
static inline TINK_UNUSED void tink_t2_pair(int32_t w, const int16_t x[2], int32_t *sum, int32_t *low_bytes)
{
    const int32_t low = (int16_t)w, high = w >> 16, low_byte = (int8_t)low, high_byte = (int8_t)high;
    *sum = tink_plus(*sum, low * x[0] + high * x[1]);
    *low_bytes = tink_plus(*low_bytes, low_byte * x[0] + high_byte * x[1]);
}
#endif
/* [end] */

#endif
