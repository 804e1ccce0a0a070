/* What stands behind the sums of the packed kernels. */
#ifndef TINK_REQUANTIZE_FOUR_H
#define TINK_REQUANTIZE_FOUR_H

#include "runtime/lanes.h"

/* [fragment] */
#ifdef TINK_DSP
/* Names of the registers that the packed kernels share: rows in a to d, the weights behind w. */
#define TINK_ROWS(w) "+r"(w), "+r"(a), "+r"(b), "+r"(c), "+r"(d)

/* Multiplies the rows by the multipliers behind the weights, and adds *add where it is not NULL. */
#define TINK_REQUANTIZE(w, add)                                                                                        \
    if ((add) != NULL) {                                                                                               \
        const tink_four *from = (add);                                                                                 \
        __asm__("ldmia %0!, {r8-r11}\n\t"                                                                              \
                "ldmia %5!, {r6, r12}\n\t"                                                                             \
                "smmlar %1, %1, r8, r6\n\t"                                                                            \
                "smmlar %2, %2, r9, r12\n\t"                                                                           \
                "ldmia %5!, {r6, r12}\n\t"                                                                             \
                "smmlar %3, %3, r10, r6\n\t"                                                                           \
                "smmlar %4, %4, r11, r12"                                                                              \
                : TINK_ROWS(w), "+r"(from)                                                                             \
                :                                                                                                      \
                : "r6", "r8", "r9", "r10", "r11", "r12", "memory");                                                    \
    } else {                                                                                                           \
        __asm__("ldmia %0!, {r8-r11}\n\t"                                                                              \
                "smmulr %1, %1, r8\n\t"                                                                                \
                "smmulr %2, %2, r9\n\t"                                                                                \
                "smmulr %3, %3, r10\n\t"                                                                               \
                "smmulr %4, %4, r11"                                                                                   \
                : TINK_ROWS(w)                                                                                         \
                :                                                                                                      \
                : "r8", "r9", "r10", "r11", "memory");                                                                 \
    }

/* The loop over groups of four columns: count is (groups - 1) * 256 + shift, and ends with the shift in its low byte.
 * Two groups per turn where speed counts; an odd number enters in the middle. */
#ifdef __OPTIMIZE_SIZE__
#define TINK_LOOP(columns) "1:\n\t" columns "subs %[count], %[count], #256\n\tbpl 1b\n\t"
#else
#if TINK_ODD_GROUPS
#define TINK_ENTER "tst %[count], #256\n\tbeq 2f\n"
#else
#define TINK_ENTER
#endif
#define TINK_AGAIN "subs %[count], %[count], #512\n\tbpl 1b\n\t"
#define TINK_LOOP(columns) TINK_ENTER "1:\n\t" columns "2:\n\t" columns TINK_AGAIN
#endif
#else
static inline tink_four tink_requantize_four(const int32_t *sum, const int32_t *mult, int32_t shift,
                                             const tink_four *add)
{
    tink_four v;
    v.a = tink_requantize(sum[0], mult[0], shift) + (add != NULL ? add->a : 0);
    v.b = tink_requantize(sum[1], mult[1], shift) + (add != NULL ? add->b : 0);
    v.c = tink_requantize(sum[2], mult[2], shift) + (add != NULL ? add->c : 0);
    v.d = tink_requantize(sum[3], mult[3], shift) + (add != NULL ? add->d : 0);
    return v;
}
#endif
/* [end] */

#endif
