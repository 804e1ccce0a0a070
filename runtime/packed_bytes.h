/* conv1d with groups 1, and dense, with packed weights and outputs of int8_t. A template: see packed_layer.h. */
#include "runtime/packed_layer.h"
#include "runtime/packed_rows.h"
#if TINK_CURVES
#include "runtime/curve.h"
#endif

/* [fragment] */
#ifdef TINK_DSP
#define TINK_STORE_BYTES                                                                                               \
    "ssat r2, #8, r2\n\t"                                                                                              \
    "ssat r3, #8, r3\n\t"                                                                                              \
    "ssat r4, #8, r4\n\t"                                                                                              \
    "ssat r5, #8, r5\n\t"                                                                                              \
    "pkhbt r2, r2, r4, lsl #16\n\t"                                                                                    \
    "pkhbt r3, r3, r5, lsl #16\n\t"                                                                                    \
    "ldr r8, [sp, #16]\n\t"                                                                                            \
    "ssub16 r4, r2, r8\n\t"                                                                                            \
    "sel r2, r2, r8\n\t"                                                                                               \
    "ssub16 r4, r3, r8\n\t"                                                                                            \
    "sel r3, r3, r8\n\t"                                                                                               \
    "uxtb16 r2, r2\n\t"                                                                                                \
    "uxtb16 r3, r3\n\t"                                                                                                \
    "orr r2, r2, r3, lsl #8\n\t"                                                                                       \
    "str r2, [r6], #4\n\t"

/* A multiple of four rows. */
TINK_ASSEMBLY void tink_packed_fours(const tink_packed_linear_t *c TINK_UNUSED, const int16_t *x TINK_UNUSED,
                                     int8_t *y TINK_UNUSED)
{
    __asm__ volatile(TINK_PACKED_LAYER("r3", TINK_STORE_BYTES) /**/
                     :
                     : [block] "i"(tink_packed)
                     : "memory");
}
#endif

/* y[r] = requantize(bias[r] + sum of w[r] * x), at least `low`. */
TINK_KERNEL void tink_packed_bytes(const tink_packed_linear_t *c, const int16_t *x, int8_t *y)
{
    const int32_t *w = c->weight;
    int32_t left = c->rows;
#ifdef TINK_DSP
#if TINK_CURVES
    if (left % 4 == 0 && c->curve == 0) {
#else
    if (left % 4 == 0) {
#endif
        tink_packed_fours(c, x, y);
        return;
    }
#endif
    for (; left > 0; left -= 4) {
        int32_t row[4], i;
        w = tink_packed_rows(w, x, c->count, row);
        for (i = 0; i < 4 && i < left; i++) {
#if TINK_CURVES
            *y++ = tink_output8(tink_curve(row[i], c->curve), c->low);
#else
            *y++ = tink_output8(row[i], c->low);
#endif
        }
    }
}
/* [end] */
