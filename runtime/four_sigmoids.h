/* The gates of a packed gru in assembly. */
#ifndef TINK_FOUR_SIGMOIDS_H
#define TINK_FOUR_SIGMOIDS_H

#include "runtime/sigmoid.h"

/* [fragment] */
#ifdef TINK_DSP
/* sigmoid of r2 to r5, the table's chord 0 in r1; r6 to r12 are overwritten. */
#if TINK_FOLDED
#define TINK_FOUR_SIGMOIDS                                                                                             \
    "movs r6, #4\n"                                                                                                    \
    "1:\n\t"                                                                                                           \
    "ssat r7, #8, r2, asr #8\n\t"                                                                                      \
    "eor r8, r7, r7, asr #31\n\t" /* j */                                                                              \
    "ldr r9, [r1, r8, lsl #2]\n\t"                                                                                     \
    "cmp r7, #0\n\t"                                                                                                   \
    "bge 2f\n\t"                                                                                                       \
    "add r7, r1, r8\n\t"                                                                                               \
    "ldrb r7, [r7, #512]\n\t"                                                                                          \
    "subs r7, r7, #50\n\t" /* d */                                                                                     \
    "mul r8, r8, r7\n\t"                                                                                               \
    "add r8, r8, #64\n\t"                                                                                              \
    "asr r8, r8, #8\n\t"                                                                                               \
    "add r7, r7, r8, lsl #16\n\t"                                                                                      \
    "sxth r8, r9\n\t"                                                                                                  \
    "rsb r9, r9, #0x10000000\n\t"                                                                                      \
    "add r9, r9, r8, lsl #1\n\t"                                                                                       \
    "add r9, r9, r7\n"                                                                                                 \
    "2:\n\t"                                                                                                           \
    "smlabb r7, r2, r9, r9\n\t"                                                                                        \
    "mov r2, r3\n\t"                                                                                                   \
    "mov r3, r4\n\t"                                                                                                   \
    "mov r4, r5\n\t"                                                                                                   \
    "mov r5, r7\n\t"                                                                                                   \
    "subs r6, r6, #1\n\t"                                                                                              \
    "bne 1b\n\t"
#else
#define TINK_FOUR_SIGMOIDS                                                                                             \
    ".irp t, r2, r3, r4, r5\n\t"                                                                                       \
    "ssat r6, #8, \\t, asr #8\n\t"                                                                                     \
    "ldr r6, [r1, r6, lsl #2]\n\t"                                                                                     \
    "smlabb \\t, \\t, r6, r6\n\t"                                                                                      \
    ".endr\n\t"
#ifndef __OPTIMIZE_SIZE__
#define TINK_SIGMOID TINK_FOUR_SIGMOIDS
#define TINK_SIGMOID_OPERAND
#endif
#endif
#ifndef TINK_SIGMOID
TINK_ASSEMBLY void tink_four_sigmoids(void)
{
    __asm__ volatile(TINK_FOUR_SIGMOIDS "bx lr");
}
#define TINK_SIGMOID "bl %c[sigmoid]\n\t"
#define TINK_SIGMOID_OPERAND , [sigmoid] "i"(tink_four_sigmoids)
#endif
#endif
/* [end] */

#endif
