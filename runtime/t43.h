/* T43: three 16-bit lanes carry four rows, so that 1.5 bytes per weight take 3 SMLAD for 8 products. */
#ifndef TINK_T43_H
#define TINK_T43_H

#include "runtime/requantize_four.h"
#include "runtime/wrap.h"

/* [fragment] */
#ifdef TINK_DSP
#define TINK_T43_COLUMNS                                                                                               \
    "ldmia %[x]!, {r6, r12}\n\t"                                                                                       \
    "ldmia %[w]!, {r8-r11}\n\t"                                                                                        \
    "smlad %[a], r8, r6, %[a]\n\t"                                                                                     \
    "smlad %[b], r9, r6, %[b]\n\t"                                                                                     \
    "smlad %[c], r10, r6, %[c]\n\t"                                                                                    \
    "smlad %[a], r11, r12, %[a]\n\t"                                                                                   \
    "ldmia %[w]!, {r8, r9}\n\t"                                                                                        \
    "smlad %[b], r8, r12, %[b]\n\t"                                                                                    \
    "smlad %[c], r9, r12, %[c]\n\t"
#endif

/* Four rows, requantised, plus *add unless it is NULL. Lanes hold 256 * w0 + w1, 256 * w1 + w2 and 256 * w2 + w3; A, B,
 * C are the sums over them. C - 256 * B + 2^16 * A = row 3 + 2^24 * row 0 modulo 2^32 gives row 3, as |row| < 2^23, and
 * then the others one by one, 256 times too great. Per four columns six words: columns 0 and 2 of the three lanes, then
 * columns 1 and 3. In front of them the biases, in the same way, where with_bias; behind them a multiplier per row.
 * count: as in T2. |row| * 257 < 2^31, so A, B and C do not overflow. */
TINK_BLOCK tink_four tink_t43(const int32_t **stream, const int32_t *x, int32_t count, int32_t with_bias,
                              const tink_four *add)
{
    const int32_t *w = *stream;
    tink_four row;
#ifdef TINK_DSP
    register int32_t a __asm__("r2") = 0;
    register int32_t b __asm__("r3") = 0;
    register int32_t c __asm__("r4") = 0;
    register int32_t d __asm__("r5");
    if (with_bias) {
        __asm__("ldmia %0!, {r2-r4}" : "+r"(w), "=r"(a), "=r"(b), "=r"(c) : : "memory");
    }
    __asm__ volatile(
        TINK_LOOP(TINK_T43_COLUMNS) "sub r6, %[c], %[b], lsl #8\n\t"
                                    "add r6, r6, %[a], lsl #16\n\t"
                                    "sbfx %[d], r6, #0, #24\n\t"
                                    "sub %[c], %[c], %[d]\n\t"
                                    "sub %[b], %[b], %[c], asr #8\n\t"
                                    "sub %[a], %[a], %[b], asr #8\n\t"
                                    "rsb r6, %[count], #8\n\t" /* the low byte of count is the shift still */
                                    "asr %[a], %[a], r6\n\t"
                                    "asr %[b], %[b], r6\n\t"
                                    "asr %[c], %[c], r6\n\t"
                                    "lsl %[d], %[d], %[count]"
        : [w] "+r"(w), [x] "+r"(x), [count] "+r"(count), [a] "+r"(a), [b] "+r"(b), [c] "+r"(c), [d] "=&r"(d)
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
        memcpy(sums, w, 3 * sizeof *w);
        w += 3;
    }
    for (groups *= 2; groups > 0; groups--, w += 3, x++) {
        const int32_t low = (int16_t)*x, high = *x >> 16;
        int32_t i;
        for (i = 0; i < 3; i++) {
            sums[i] = tink_plus(sums[i], (int16_t)w[i] * low + (w[i] >> 16) * high);
        }
    }
    sums[3] = (int32_t)(((uint32_t)sums[2] - ((uint32_t)sums[1] << 8) + ((uint32_t)sums[0] << 16)) << 8) >> 8;
    sums[2] = tink_minus(sums[2], sums[3]) >> 8;
    sums[1] = tink_minus(sums[1], sums[2]) >> 8;
    sums[0] = tink_minus(sums[0], sums[1]) >> 8;
    row = tink_requantize_four(sums, w, count & 255, add);
    w += 4;
#endif
    *stream = w;
    return row;
}
/* [end] */

#endif
