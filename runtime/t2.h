/* T2: two rows' weights share a 16-bit lane, so that one byte per weight is ready for SMLAD and only every other row
 * must be taken apart. */
#ifndef TINK_T2_H
#define TINK_T2_H

#include "runtime/requantize_four.h"
#include "runtime/t2_products.h"

/* [fragment] */
#ifdef TINK_DSP
#define TINK_T2_COLUMNS "ldmia %[x]!, {r6, r12}\n\t" TINK_T2_PRODUCTS
#endif

/* Four rows, requantised, plus *add unless it is NULL. Lanes hold 256 * w0 + w1 and 256 * w2 + w3: with A the sum over
 * them and B the sum over their low bytes, which is row 1, A - B is 256 * row 0. Per four columns four words: columns 0
 * and 2 of rows 0, 1 and rows 2, 3, then columns 1 and 3. In front of them the biases, in the same way (A, B, A, B),
 * where with_bias; behind them a multiplier per row. count: (groups of four columns - 1) * 256 + shift
 * (at most 8). |row| * 257 < 2^31, so nothing overflows. */
TINK_BLOCK tink_four tink_t2(const int32_t **stream, const int32_t *x, int32_t count, int32_t with_bias,
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
        TINK_LOOP(TINK_T2_COLUMNS) "sub %[a], %[a], %[b]\n\t"
                                   "sub %[c], %[c], %[d]\n\t"
                                   "rsb r6, %[count], #8\n\t" /* the low byte of count is the shift still */
                                   "asr %[a], %[a], r6\n\t"
                                   "lsl %[b], %[b], %[count]\n\t"
                                   "asr %[c], %[c], r6\n\t"
                                   "lsl %[d], %[d], %[count]"
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
        memcpy(sums, w, sizeof sums);
        w += 4;
    }
    for (groups *= 2; groups > 0; groups--, w += 2, x++) {
        tink_t2_products(w[0], *x, &sums[0], &sums[1]);
        tink_t2_products(w[1], *x, &sums[2], &sums[3]);
    }
    sums[0] = tink_minus(sums[0], sums[1]) >> 8;
    sums[2] = tink_minus(sums[2], sums[3]) >> 8;
    row = tink_requantize_four(sums, w, count & 255, add);
    w += 4;
#endif
    *stream = w;
    return row;
}
/* [end] */

#endif
