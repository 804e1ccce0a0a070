/* T43: three 16-bit lanes carry four rows, so that 1.5 bytes per weight take 3 SMLAD for 8 products. */
#ifndef TINK_T43_H
#define TINK_T43_H

#include "runtime/requantize_four.h"
#include "runtime/wrap.h"

/* [fragment] */
/* Four rows, requantised. Lanes hold 256 * w0 + w1, 256 * w1 + w2 and 256 * w2 + w3; A, B, C are the sums over them.
 * C - 256 * B + 2^16 * A = row 3 + 2^24 * row 0 modulo 2^32 gives row 3, as |row| < 2^23, and then the others one by
 * one, 256 times too great. Per four columns six words: columns 0 and 1 of the three lanes, then columns 2 and 3. In
 * front of them the biases, in the same way; behind them a multiplier per row. The shift is at most 8.
 * |row| * 257 < 2^31, so A, B and C do not overflow. */
#ifdef TINK_DSP
#define TINK_T43_COLUMNS                                                                                               \
    "ldmia r1!, {r6, r7}\n\tldmia r0!, {r8-r11}\n\t"                                                                   \
    "smlad r2, r8, r6, r2\n\tsmlad r3, r9, r6, r3\n\tsmlad r4, r10, r6, r4\n\t"                                        \
    "smlad r2, r11, r7, r2\n\tldmia r0!, {r8, r9}\n\tsmlad r3, r8, r7, r3\n\tsmlad r4, r9, r7, r4\n\t"

/* The four rows. */
#define TINK_T43_APART                                                                                                 \
    "sub r6, r4, r3, lsl #8\n\t"                                                                                       \
    "add r6, r6, r2, lsl #16\n\t"                                                                                      \
    "sbfx r5, r6, #0, #24\n\t"                                                                                         \
    "sub r4, r4, r5\n\t"                                                                                               \
    "sub r3, r3, r4, asr #8\n\t"                                                                                       \
    "sub r2, r2, r3, asr #8\n\t"
#define TINK_T43_SHIFTED_ROWS                                                                                          \
    TINK_T43_APART                                                                                                     \
    "rsb r6, r12, #8\n\t"                                                                                              \
    "asr r2, r2, r6\n\t"                                                                                               \
    "asr r3, r3, r6\n\t"                                                                                               \
    "asr r4, r4, r6\n\t"                                                                                               \
    "lsl r5, r5, r12\n\t"
#if TINK_SHIFTED
#define TINK_T43_ROWS TINK_T43_SHIFTED_ROWS
#else
#define TINK_T43_ROWS TINK_T43_APART "asr r2, r2, #8\n\tasr r3, r3, #8\n\tasr r4, r4, #8\n\t"
#endif
#if TINK_ONCE
#define TINK_T43_ONCE "ldmia r0!, {r2-r4}\n\t.rept %c[groups]\n\t" TINK_T43_COLUMNS ".endr\n\tbx lr"
#endif

TINK_ASSEMBLY void tink_t43(void)
{
    __asm__ volatile("ldmia r0!, {r2-r4}\n\t" TINK_LOOP(TINK_T43_COLUMNS) /* sums */
                     TINK_IN_BLOCK(TINK_T43_SHIFTED_ROWS TINK_SCALE_ROWS) /**/
                     "bx lr"
                     :
                     : [unit] "i"(TINK_UNIT));
}
#else
TINK_BLOCK const int32_t *tink_t43(const int32_t *w, const int16_t *x, int32_t count, int32_t row[4])
{
    int32_t sums[4] = {0, 0, 0, 0}, groups = (count >> 8) + 1;
    if ((count & TINK_UNBIASED) == 0) {
        memcpy(sums, w, 3 * sizeof *w);
        w += 3;
    }
    for (groups *= 2; groups > 0; groups--, w += 3, x += 2) {
        int32_t i;
        for (i = 0; i < 3; i++) {
            sums[i] = tink_plus(sums[i], (int32_t)(int16_t)w[i] * x[0] + (w[i] >> 16) * x[1]);
        }
    }
    sums[3] = (int32_t)(((uint32_t)sums[2] - ((uint32_t)sums[1] << 8) + ((uint32_t)sums[0] << 16)) << 8) >> 8;
    sums[2] = tink_minus(sums[2], sums[3]) >> 8;
    sums[1] = tink_minus(sums[1], sums[2]) >> 8;
    sums[0] = tink_minus(sums[0], sums[1]) >> 8;
    return tink_requantize_four(sums, w, count, row);
}
#endif
/* [end] */

#endif
