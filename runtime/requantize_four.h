/* What stands around the sums of the packed kernels. */
#ifndef TINK_REQUANTIZE_FOUR_H
#define TINK_REQUANTIZE_FOUR_H

#include "runtime/requantize.h"

/* [fragment] */
/* Added to the count of a packed kernel where there are no biases. */
#define TINK_UNBIASED 128

#ifdef TINK_DSP
/* The packed kernels with DSP instructions are called by their templates only, in registers:
 *
 *     r0          stream; behind the weights afterwards
 *     r1          input, at a multiple of four bytes; behind what was read afterwards
 *     r2-r5       four sums afterwards, some of them too great by a factor that is the encoding's
 *     r12         (groups of four columns - 1) * 256 + shift; the shift is in the low byte afterwards
 *     r6-r11, lr  are overwritten
 *
 * The first instruction, of two bytes, loads the biases. Who has none enters behind it, with r2 to r5 at 0.
 * ..._ROWS makes the sums what the multipliers ask for, TINK_SCALE_ROWS multiplies. Where size counts the kernel
 * does both itself. */
#define TINK_SCALE_ROWS                                                                                                \
    "ldmia r0!, {r8-r11}\n\t"                                                                                          \
    "smmulr r2, r2, r8\n\t"                                                                                            \
    "smmulr r3, r3, r9\n\t"                                                                                            \
    "smmulr r4, r4, r10\n\t"                                                                                           \
    "smmulr r5, r5, r11\n\t"
#ifdef __OPTIMIZE_SIZE__
#define TINK_IN_BLOCK(code) code
#define TINK_BEHIND_BLOCK(code)
#else
#define TINK_IN_BLOCK(code)
#define TINK_BEHIND_BLOCK(code) code
#endif

/* The loop over groups of four columns. Where speed counts a turn takes two units of groups, and an odd number of
 * units enters in the middle; TINK_UNIT is 1 or 2. */
#ifdef __OPTIMIZE_SIZE__
#define TINK_LOOP(columns) "1:\n\t" columns "subs r12, r12, #256\n\tbpl 1b\n\t"
#else
#if TINK_ODD_UNITS
#define TINK_ENTER "tst r12, #256 * %c[unit]\n\tbeq 2f\n"
#else
#define TINK_ENTER
#endif
#define TINK_UNIT_OF(columns) ".rept %c[unit]\n\t" columns ".endr\n\t"
#define TINK_LOOP(columns)                                                                                             \
    TINK_ENTER "1:\n\t"       /**/                                                                                     \
        TINK_UNIT_OF(columns) /**/                                                                                     \
        "2:\n\t"              /**/                                                                                     \
        TINK_UNIT_OF(columns) /**/                                                                                     \
        "subs r12, r12, #512 * %c[unit]\n\tbpl 1b\n\t"
#endif
#else
/* Portable, they are functions of the stream, the input, the count and row[4], which gets the four rows. They
 * return the stream behind the block. */
static inline TINK_UNUSED const int32_t *tink_requantize_four(const int32_t sum[4], const int32_t *mult, int32_t count,
                                                              int32_t row[4])
{
    const int32_t shift = count & 127;
    row[0] = tink_requantize(sum[0], mult[0], shift);
    row[1] = tink_requantize(sum[1], mult[1], shift);
    row[2] = tink_requantize(sum[2], mult[2], shift);
    row[3] = tink_requantize(sum[3], mult[3], shift);
    return mult + 4;
}
#endif
/* [end] */

#endif
