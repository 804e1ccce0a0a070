/* conv1d with groups 1, and dense, with packed weights and outputs of int16_t: scores, rows of 16 bits, and rows of
 * 8 bits that packed kernels read. A template: see packed_layer.h. */
#include "runtime/packed_layer.h"

/* [fragment] */
/* y[r] = requantize(bias[r] + sum of w[r] * x), limited to low..high. In assembly the rows are filled up to four,
 * and y has room for that. */
#ifdef TINK_DSP
#if TINK_ONCE_WIDE
#define TINK_PACKED_WIDE_BLOCK TINK_PACKED_BLOCK
#else
#define TINK_PACKED_WIDE_BLOCK tink_packed
#endif
#define TINK_STORE_WIDE                                                                                                \
    "ssat r2, #16, r2\n\t"                                                                                             \
    "ssat r3, #16, r3\n\t"                                                                                             \
    "ssat r4, #16, r4\n\t"                                                                                             \
    "ssat r5, #16, r5\n\t"                                                                                             \
    "pkhbt r2, r2, r3, lsl #16\n\t"                                                                                    \
    "pkhbt r3, r4, r5, lsl #16\n\t"                                                                                    \
    "ldrd r8, r9, [sp, #16]\n\t"                                                                                       \
    "ssub16 r4, r2, r8\n\t"                                                                                            \
    "sel r2, r2, r8\n\t"                                                                                               \
    "ssub16 r4, r3, r8\n\t"                                                                                            \
    "sel r3, r3, r8\n\t"                                                                                               \
    "ssub16 r4, r9, r2\n\t"                                                                                            \
    "sel r2, r2, r9\n\t"                                                                                               \
    "ssub16 r4, r9, r3\n\t"                                                                                            \
    "sel r3, r3, r9\n\t"                                                                                               \
    "str r2, [r6], #4\n\t" /* y may be at an odd int16_t */                                                            \
    "str r3, [r6], #4\n\t"

TINK_ASSEMBLY void tink_packed_wide(const tink_packed_linear_t *c TINK_UNUSED, const int16_t *x TINK_UNUSED,
                                    int16_t *y TINK_UNUSED)
{
    __asm__ volatile(TINK_PACKED_LAYER("r3, lsl #1", TINK_STORE_WIDE) /**/
                     :
                     : [block] "i"(TINK_PACKED_WIDE_BLOCK)
                     : "memory");
}
#else
TINK_KERNEL void tink_packed_wide(const tink_packed_linear_t *c, const int16_t *x, int16_t *y)
{
    const int32_t *w = c->weight;
    int32_t left;
    for (left = c->rows; left > 0; left -= 4) {
        int32_t row[4], i;
        w = tink_packed(w, x, c->count, row);
        for (i = 0; i < 4 && i < left; i++) {
            const int32_t v = row[i];
            *y++ = (int16_t)(v < c->low ? c->low : v > c->high ? c->high : v);
        }
    }
}
#endif
/* [end] */
