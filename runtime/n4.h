/* N4: weights of -8..7, eight in a word. */
#ifndef TINK_N4_H
#define TINK_N4_H

#include "runtime/requantize_four.h"

/* [fragment] */
/* Four rows, requantised. Per four columns two words: columns 0 and 1, then 2 and 3; a lane holds a nibble of each row,
 * row 0 at the top. In front of them the biases times 4096; behind them a multiplier per row. The shift is at most 12.
 * |row| * 4096 < 2^31, so nothing overflows. */
#ifdef TINK_DSP
/* Two columns: r10 keeps one nibble per lane, at its top, so that the sums are 4096 times too great. */
#define TINK_N4_PAIR(w, x)                                                                                             \
    "and r11, r10, " w "\n\tsmlad r2, r11, " x ", r2\n\t"                                                              \
    "and r11, r10, " w ", lsl #4\n\tsmlad r3, r11, " x ", r3\n\t"                                                      \
    "and r11, r10, " w ", lsl #8\n\tsmlad r4, r11, " x ", r4\n\t"                                                      \
    "and r11, r10, " w ", lsl #12\n\tsmlad r5, r11, " x ", r5\n\t"
#define TINK_N4_COLUMNS                                                                                                \
    "ldmia r1!, {r6, r7}\n\tldmia r0!, {r8, r9}\n\t" /* x, weights */                                                  \
        TINK_N4_PAIR("r8", "r6") TINK_N4_PAIR("r9", "r7")

#define TINK_N4_SHIFTED_ROWS                                                                                           \
    "rsb r6, r12, #12\n\tasr r2, r2, r6\n\tasr r3, r3, r6\n\tasr r4, r4, r6\n\tasr r5, r5, r6\n\t"
#if TINK_SHIFTED
#define TINK_N4_ROWS TINK_N4_SHIFTED_ROWS
#else
#define TINK_N4_ROWS "asr r2, r2, #12\n\tasr r3, r3, #12\n\tasr r4, r4, #12\n\tasr r5, r5, #12\n\t"
#endif
#if TINK_ONCE
#define TINK_N4_ONCE                                                                                                   \
    "ldmia r0!, {r2-r5}\n\tmov r10, #0xf000f000\n\t.rept %c[groups]\n\t" /**/                                          \
        TINK_N4_COLUMNS ".endr\n\tbx lr"
#endif

TINK_ASSEMBLY void tink_n4(void)
{
    __asm__ volatile("ldmia r0!, {r2-r5}\n\t"
                     "mov r10, #0xf000f000\n\t" TINK_LOOP(TINK_N4_COLUMNS) /* sums */
                     TINK_IN_BLOCK(TINK_N4_SHIFTED_ROWS TINK_SCALE_ROWS)   /**/
                     "bx lr"
                     :
                     : [unit] "i"(TINK_UNIT));
}
#else
/* Row 0 of two columns. */
static inline int32_t tink_n4_products(uint32_t w, const int16_t x[2])
{
    return ((int32_t)(w << 16) >> 28) * x[0] + ((int32_t)w >> 28) * x[1];
}

TINK_BLOCK const int32_t *tink_n4(const int32_t *w, const int16_t *x, int32_t count, int32_t row[4])
{
    int32_t sums[4] = {0, 0, 0, 0}, groups = (count >> 8) + 1;
    if ((count & TINK_UNBIASED) == 0) {
        int32_t i;
        for (i = 0; i < 4; i++) {
            sums[i] = *w++ >> 12;
        }
    }
    for (groups *= 2; groups > 0; groups--, w++, x += 2) {
        const uint32_t nibbles = (uint32_t)*w;
        sums[0] += tink_n4_products(nibbles, x);
        sums[1] += tink_n4_products(nibbles << 4, x);
        sums[2] += tink_n4_products(nibbles << 8, x);
        sums[3] += tink_n4_products(nibbles << 12, x);
    }
    return tink_requantize_four(sums, w, count, row);
}
#endif
/* [end] */

#endif
