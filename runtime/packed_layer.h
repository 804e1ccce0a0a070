/* conv1d with groups 1, and dense, with packed weights: what those with outputs of 8 and of 16 bits share. A
 * template: tink_packed is the kernel of an encoding (t2.h, t43.h), whose name the generator puts in. */
#include "runtime/packed_once.h"
#include "runtime/requantize_four.h"

/* [fragment] */
typedef struct tink_packed_linear_t {
    const int32_t *weight;   /* per four rows: bias, weights, mult, as tink_packed reads them */
    int32_t count;           /* see tink_packed */
    int16_t rows, low, high; /* outputs, and what they are limited to */
#if TINK_CURVES
    int16_t curve;
#endif
} tink_packed_linear_t;

#ifdef TINK_DSP
/* A layer, four rows at a time, in a function of (descriptor, x, y). The six words on the stack are x, count, where
 * the next rows go and where they end, low and high, each in both halves of a word. rows_bytes: what r3 values
 * take. store: writes r2 to r5, which are the rows, to r6, which it moves on; it keeps r7. */
#define TINK_PACKED_LAYER(rows_bytes, store)                                                                           \
    "push {r4-r11, lr}\n\t"                                                                                            \
    "sub sp, sp, #24\n\t"                                                                                              \
    "ldrsh r3, [r0, #8]\n\t"                                                                                           \
    "ldrh r4, [r0, #10]\n\t"                                                                                           \
    "ldrh r5, [r0, #12]\n\t"                                                                                           \
    "pkhbt r4, r4, r4, lsl #16\n\t"                                                                                    \
    "pkhbt r5, r5, r5, lsl #16\n\t"                                                                                    \
    "add r3, r2, " rows_bytes "\n\t"                                                                                   \
    "ldrd r0, r12, [r0]\n\t"                                                                                           \
    "strd r1, r12, [sp]\n\t"                                                                                           \
    "strd r2, r3, [sp, #8]\n\t"                                                                                        \
    "strd r4, r5, [sp, #16]\n"                                                                                         \
    "1:\n\t"                                                                                                           \
    "ldrd r1, r12, [sp]\n\t"                                                                                           \
    "bl %c[block]\n\t"                                      /**/                                                       \
        TINK_BEHIND_BLOCK(TINK_PACKED_ROWS TINK_SCALE_ROWS) /**/                                                       \
        "ldrd r6, r7, [sp, #8]\n\t"                         /**/                                                       \
        store                                               /**/                                                       \
        "str r6, [sp, #8]\n\t"                                                                                         \
        "cmp r6, r7\n\t"                                                                                               \
        "bcc 1b\n\t"                                                                                                   \
        "add sp, sp, #24\n\t"                                                                                          \
        "pop {r4-r11, pc}"
#endif
/* [end] */
