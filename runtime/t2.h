/* T2: two rows' weights share a 16-bit lane, so that one byte per weight is ready for SMLAD and only every other row
 * must be taken apart. */
#ifndef TINK_T2_H
#define TINK_T2_H

#include "runtime/requantize_four.h"
#include "runtime/t2_products.h"

/* [fragment] */
/* Four rows, requantised. Lanes hold 256 * w0 + w1 and 256 * w2 + w3: with A the sum over them and B the sum over their
 * low bytes, which is row 1, A - B is 256 * row 0. Per four columns four words: columns 0 and 1 of rows 0, 1 and rows
 * 2, 3, then columns 2 and 3. In front of them the biases, in the same way (A, B, A, B); behind them a multiplier per
 * row. The shift is at most 8. |row| * 257 < 2^31, so nothing overflows. */
#ifdef TINK_DSP
#if TINK_SHIFTED
#define TINK_T2_ROWS TINK_T2_SHIFTED_ROWS
#else
#define TINK_T2_ROWS TINK_T2_WHOLE_ROWS
#endif
#define TINK_T2_COLUMNS "ldmia r1!, {r6, r7}\n\t" TINK_T2_PRODUCTS("r6", "r7")
#if TINK_ONCE
/* A number of groups that is known when this is compiled: eight columns at a time. */
#define TINK_T2_EIGHT                                                                                                  \
    "ldmia r1!, {r6-r9}\n\t"                                                                                           \
    "ldmia r0!, {r10-r12, lr}\n\t"              /**/                                                                   \
        TINK_T2_TWO_COLUMNS("r6", "r10", "r11") /**/                                                                   \
        TINK_T2_TWO_COLUMNS("r7", "r12", "lr")  /**/                                                                   \
        "ldmia r0!, {r10-r12, lr}\n\t"          /**/                                                                   \
        TINK_T2_TWO_COLUMNS("r8", "r10", "r11") /**/                                                                   \
        TINK_T2_TWO_COLUMNS("r9", "r12", "lr")
#define TINK_T2_ONCE                                                                                                   \
    "ldmia r0!, {r2-r5}\n\t"                                                                                           \
    "push {lr}\n\t"                                                                                                    \
    ".rept %c[groups] / 2\n\t" TINK_T2_EIGHT ".endr\n\t"                                                               \
    ".rept %c[groups] %% 2\n\t" TINK_T2_COLUMNS ".endr\n\t"                                                            \
    "pop {pc}"
#endif

TINK_ASSEMBLY void tink_t2(void)
{
    __asm__ volatile("ldmia r0!, {r2-r5}\n\t" TINK_LOOP(TINK_T2_COLUMNS) /* sums */
                     TINK_IN_BLOCK(TINK_T2_SHIFTED_ROWS TINK_SCALE_ROWS) /**/
                     "bx lr"
                     :
                     : [unit] "i"(TINK_UNIT));
}
#elif defined(TINK_THUMB1)
/* Two columns of two rows: the word of weights in w, the sums in high registers. */
#define TINK_T2_PAIR(w, sum, low_bytes)                                                                                \
    "sxth r4, " w "\n\tsxtb r5, " w "\n\t"                                                                             \
    "muls r4, r6, r4\n\tadd " sum ", r4\n\tmuls r5, r6, r5\n\tadd " low_bytes ", r5\n\t"                               \
    "asrs " w ", " w ", #16\n\tsxtb r5, " w "\n\t"                                                                     \
    "muls " w ", r7, " w "\n\tadd " sum ", " w "\n\tmuls r5, r7, r5\n\tadd " low_bytes ", r5\n\t"
#define TINK_T2_WORD                                                                                                   \
    "ldmia r1!, {r6}\n\tasrs r7, r6, #16\n\tsxth r6, r6\n\tldmia r0!, {r2, r3}\n\t" /* x, weights */                   \
        TINK_T2_PAIR("r2", "r8", "r9")                                              /* rows 0, 1 */                    \
        TINK_T2_PAIR("r3", "r10", "r11")

TINK_ASSEMBLY const int32_t *tink_t2(const int32_t *w TINK_UNUSED, const int16_t *x TINK_UNUSED,
                                     int32_t count TINK_UNUSED, int32_t row[4] TINK_UNUSED)
{
    __asm__ volatile(".syntax unified\n\t"
                     "push {r3-r7, lr}\n\t"
                     "mov r4, r8\n\t"
                     "mov r5, r9\n\t"
                     "mov r6, r10\n\t"
                     "mov r7, r11\n\t"
                     "push {r4-r7}\n\t"
                     "lsls r4, r2, #25\n\t"
                     "lsrs r4, r4, #25\n\t"
                     "mov lr, r4\n\t" /* shift */
                     "movs r4, #0\n\t"
                     "movs r5, #0\n\t"
                     "movs r6, #0\n\t"
                     "movs r7, #0\n\t"
                     "lsrs r2, r2, #8\n\t" /* carry: without biases */
                     "bcs 1f\n\t"
                     "ldmia r0!, {r4-r7}\n"
                     "1:\n\t"
                     "mov r8, r4\n\t"
                     "mov r9, r5\n\t"
                     "mov r10, r6\n\t"
                     "mov r11, r7\n\t"
                     "adds r2, r2, #1\n\t"
                     "lsls r2, r2, #3\n\t"
                     "adds r2, r2, r1\n\t"
                     "mov r12, r2\n"                    /* where the lanes end */
                     "3:\n\t" TINK_T2_WORD TINK_T2_WORD /* four columns */
                     "cmp r1, r12\n\t"
                     "bne 3b\n\t"
                     "mov r4, r8\n\t"
                     "mov r5, r9\n\t"
                     "mov r6, r10\n\t"
                     "mov r7, r11\n\t"
                     "subs r4, r4, r5\n\t"
                     "subs r6, r6, r7\n\t"
                     "asrs r4, r4, #8\n\t"
                     "asrs r6, r6, #8\n\t"
                     "sub sp, sp, #16\n\t"
                     "mov r1, sp\n\t"
                     "stmia r1!, {r4-r7}\n\t"
                     "mov r1, sp\n\t"
                     "ldr r3, [sp, #32]\n\t"
                     "movs r4, r3\n\t"
                     "adds r4, r4, #16\n\t"
                     "mov r12, r4\n" /* where the rows end */
                     "4:\n\t"
                     "ldmia r1!, {r4}\n\t"
                     "mov r7, lr\n\t"
                     "lsls r4, r4, r7\n\t"
                     "ldmia r0!, {r5}\n\t"
#if TINK_POWERS
                     "subs r5, r5, #1\n\t"
                     "asrs r4, r4, r5\n\t"
                     "adds r5, r4, #1\n\t"
                     "asrs r5, r5, #1\n\t"
#else
                     "uxth r2, r4\n\t"
                     "asrs r4, r4, #16\n\t"
                     "uxth r6, r5\n\t"
                     "asrs r5, r5, #16\n\t"
                     "movs r7, r2\n\t"
                     "muls r7, r6, r7\n\t"
                     "lsrs r7, r7, #16\n\t"
                     "muls r2, r5, r2\n\t"
                     "adds r2, r2, r7\n\t"
                     "muls r6, r4, r6\n\t"
                     "muls r5, r4, r5\n\t"
                     "asrs r7, r6, #16\n\t"
                     "adds r5, r5, r7\n\t"
                     "uxth r6, r6\n\t"
                     "adds r2, r2, r6\n\t"
                     "lsrs r2, r2, #16\n\t"
                     "adcs r5, r5, r2\n\t"
#endif
                     "stmia r3!, {r5}\n\t"
                     "cmp r3, r12\n\t"
                     "bne 4b\n\t"
                     "add sp, sp, #16\n\t"
                     "pop {r4-r7}\n\t"
                     "mov r8, r4\n\t"
                     "mov r9, r5\n\t"
                     "mov r10, r6\n\t"
                     "mov r11, r7\n\t"
                     "pop {r3-r7, pc}");
}
#else
TINK_BLOCK const int32_t *tink_t2(const int32_t *w, const int16_t *x, int32_t count, int32_t row[4])
{
    int32_t sums[4] = {0, 0, 0, 0}, groups = (count >> 8) + 1;
    if ((count & TINK_UNBIASED) == 0) {
        memcpy(sums, w, sizeof sums);
        w += 4;
    }
    for (groups *= 2; groups > 0; groups--, w += 2, x += 2) {
        tink_t2_pair(w[0], x, &sums[0], &sums[1]);
        tink_t2_pair(w[1], x, &sums[2], &sums[3]);
    }
    sums[0] = tink_minus(sums[0], sums[1]) >> 8;
    sums[2] = tink_minus(sums[2], sums[3]) >> 8;
    return tink_requantize_four(sums, w, count, row);
}
#endif
/* [end] */

#endif
