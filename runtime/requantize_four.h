/* What stands before and behind the sums of the packed kernels. */
#ifndef TINK_REQUANTIZE_FOUR_H
#define TINK_REQUANTIZE_FOUR_H

#include "runtime/lanes.h"

/* [fragment] */
/* Added to the count of a packed kernel where there are no biases. */
#define TINK_UNBIASED 128

#ifdef TINK_DSP
/* The packed kernels with DSP instructions are called by their templates only, in registers:
 *
 *     r0      stream; behind the block afterwards
 *     r1      lanes; behind those that were read afterwards
 *     r2-r5   the four rows afterwards
 *     r12     count: (groups of four columns - 1) * 256 + shift
 *     r6-r12  are overwritten
 *
 * The first instruction, of two bytes, loads the biases. Who has none enters behind it, with r2 to r5 at 0. */

/* Multiplies the rows by the multipliers behind the weights. */
#define TINK_SCALE_ROWS                                                                                                \
    "ldmia r0!, {r8-r11}\n\t"                                                                                          \
    "smmulr r2, r2, r8\n\t"                                                                                            \
    "smmulr r3, r3, r9\n\t"                                                                                            \
    "smmulr r4, r4, r10\n\t"                                                                                           \
    "smmulr r5, r5, r11\n\t"

/* The loop over groups of four columns; afterwards the low byte of r12 is the shift still. Two groups per turn where
 * speed counts; an odd number enters in the middle. */
#ifdef __OPTIMIZE_SIZE__
#define TINK_LOOP(columns) "1:\n\t" columns "subs r12, r12, #256\n\tbpl 1b\n\t"
#else
#if TINK_ODD_GROUPS
#define TINK_ENTER "tst r12, #256\n\tbeq 2f\n"
#else
#define TINK_ENTER
#endif
#define TINK_LOOP(columns) TINK_ENTER "1:\n\t" columns "2:\n\t" columns "subs r12, r12, #512\n\tbpl 1b\n\t"
#endif
#else
/* Portable, they are functions of the stream, the lanes, the count and row[4], which gets the four rows. They return
 * the stream behind the block. */
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
