/* conv1d with groups 1, and dense, with packed weights and a relu, for rows of 8 bits that packed kernels read. A
 * template: see packed_layer.h. */
#include "runtime/packed_layer.h"
#include "runtime/packed_wide.h"

/* [fragment] */
#ifdef TINK_DSP
#if TINK_ONCE_RELU
#define TINK_PACKED_RELU_BLOCK TINK_PACKED_BLOCK
#else
#define TINK_PACKED_RELU_BLOCK tink_packed
#endif
#define TINK_STORE_RELU                                                                                                \
    "pkhbt r2, r2, r3, lsl #16\n\t"                                                                                    \
    "pkhbt r3, r4, r5, lsl #16\n\t"                                                                                    \
    "usat16 r2, #7, r2\n\t"                                                                                            \
    "usat16 r3, #7, r3\n\t"                                                                                            \
    "strd r2, r3, [r6], #8\n\t"

/* tink_packed_wide for low 0 and high 127, where the weights show that no row leaves 16 bits before that. */
TINK_ASSEMBLY void tink_packed_relu(const tink_packed_linear_t *c TINK_UNUSED, const int16_t *x TINK_UNUSED,
                                    int16_t *y TINK_UNUSED)
{
    __asm__ volatile(TINK_PACKED_LAYER("r3, lsl #1", TINK_STORE_RELU) /**/
                     :
                     : [block] "i"(TINK_PACKED_RELU_BLOCK)
                     : "memory");
}
#else
#define tink_packed_relu tink_packed_wide
#endif
/* [end] */
