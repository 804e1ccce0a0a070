/* N4: weights of -8..7, eight in a word. */
#ifndef TINK_N4_H
#define TINK_N4_H

#include "runtime/requantize_four.h"

/* [fragment] */
#ifdef TINK_DSP
/* Two columns: r10 keeps one nibble per lane, at its top, so that the sums are 4096 times too great. */
#define TINK_N4_PAIR(w, x)                                                                                             \
    "and r11, r10, " w "\n\tsmlad %[a], r11, " x ", %[a]\n\t"                                                          \
    "and r11, r10, " w ", lsl #4\n\tsmlad %[b], r11, " x ", %[b]\n\t"                                                  \
    "and r11, r10, " w ", lsl #8\n\tsmlad %[c], r11, " x ", %[c]\n\t"                                                  \
    "and r11, r10, " w ", lsl #12\n\tsmlad %[d], r11, " x ", %[d]\n\t"
#define TINK_N4_COLUMNS                                                                                                \
    "ldmia %[x]!, {r6, r12}\n\tldmia %[w]!, {r8, r9}\n\t" TINK_N4_PAIR("r8", "r6") TINK_N4_PAIR("r9", "r12")
#endif

#ifndef TINK_DSP
/* Row 0 of two columns. */
static inline int32_t tink_n4_products(uint32_t w, int32_t x)
{
    return ((int32_t)(w << 16) >> 28) * (int16_t)x + ((int32_t)w >> 28) * (x >> 16);
}
#endif

/* Four rows, requantised, plus *add unless it is NULL. Per four columns two words: columns 0 and 2, then 1 and 3; a
 * lane holds a nibble of each row, row 0 at the top. In front of them the biases times 4096, where with_bias; behind
 * them a multiplier per row. count: as in T2, but the shift is at most 12. |row| * 4096 < 2^31, so nothing overflows. */
TINK_BLOCK tink_four tink_n4(const int32_t **stream, const int32_t *x, int32_t count, int32_t with_bias,
                             const tink_four *add)
{
    const int32_t *w = *stream;
    tink_four row;
#ifdef TINK_DSP
    register int32_t a __asm__("r2") = 0;
    register int32_t b __asm__("r3") = 0;
    register int32_t c __asm__("r4") = 0;
    register int32_t d __asm__("r5") = 0;
    if (with_bias) {
        __asm__("ldmia %0!, {r2-r5}" : "+r"(w), "=r"(a), "=r"(b), "=r"(c), "=r"(d) : : "memory");
    }
    __asm__ volatile(
        "mov r10, #0xf000f000\n\t" TINK_LOOP(TINK_N4_COLUMNS) "rsb r6, %[count], #12\n\t" /* 12 - shift, in a byte */
                                                              "asr %[a], %[a], r6\n\t"
                                                              "asr %[b], %[b], r6\n\t"
                                                              "asr %[c], %[c], r6\n\t"
                                                              "asr %[d], %[d], r6"
        : [w] "+r"(w), [x] "+r"(x), [count] "+r"(count), [a] "+r"(a), [b] "+r"(b), [c] "+r"(c), [d] "+r"(d)
        :
        : "r6", "r8", "r9", "r10", "r11", "r12", "cc", "memory");
    TINK_REQUANTIZE(w, add)
    row.a = a;
    row.b = b;
    row.c = c;
    row.d = d;
#else
    int32_t sums[4] = {0, 0, 0, 0}, groups = (count >> 8) + 1;
    if (with_bias) {
        int32_t i;
        for (i = 0; i < 4; i++) {
            sums[i] = *w++ >> 12;
        }
    }
    for (groups *= 2; groups > 0; groups--, w++, x++) {
        const uint32_t nibbles = (uint32_t)*w;
        sums[0] += tink_n4_products(nibbles, *x);
        sums[1] += tink_n4_products(nibbles << 4, *x);
        sums[2] += tink_n4_products(nibbles << 8, *x);
        sums[3] += tink_n4_products(nibbles << 12, *x);
    }
    row = tink_requantize_four(sums, w, count & 255, add);
    w += 4;
#endif
    *stream = w;
    return row;
}
/* [end] */

#endif
