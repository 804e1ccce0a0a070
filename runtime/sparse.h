/* Blocks of four rows by four columns, those that are zero left out; the others as in T2. */
#ifndef TINK_SPARSE_H
#define TINK_SPARSE_H

#include "runtime/requantize_four.h"
#include "runtime/t2_products.h"

/* [fragment] */
/* Four rows, requantised, plus *add unless it is NULL. A stream: biases as in T2, where with_bias; a byte per block,
 * its place among the groups of four columns, 128 more in the last one, filled up to words; the blocks as in T2; a
 * multiplier per row. The low byte of count is the shift. */
TINK_BLOCK tink_four tink_sparse(const int32_t **stream, const int32_t *x, int32_t count, int32_t with_bias,
                                 const tink_four *add)
{
    const int32_t *w = *stream;
    tink_four row;
#ifdef TINK_DSP
    register int32_t a __asm__("r2") = 0;
    register int32_t b __asm__("r3") = 0;
    register int32_t c __asm__("r4") = 0;
    register int32_t d __asm__("r5") = 0;
    const uint8_t *place;
    int32_t down;
    if (with_bias) {
        __asm__("ldmia %0!, {r2-r5}" : "+r"(w), "=r"(a), "=r"(b), "=r"(c), "=r"(d) : : "memory");
    }
    place = (const uint8_t *)(w + 1);
    w += 1 + (*w >> 8);
    __asm__ volatile("1:\n\t"
                     "ldrb r6, [%[place]], #1\n\t"
                     "lsls r6, r6, #25\n\t" /* carry: the last one */
                     "add r6, %[x], r6, lsr #22\n\t"
                     "ldmia r6, {r6, r12}\n\t" TINK_T2_PRODUCTS "bcc 1b\n\t"
                     "sub %[a], %[a], %[b]\n\t"
                     "sub %[c], %[c], %[d]"
                     : [w] "+r"(w), [place] "+r"(place), [a] "+r"(a), [b] "+r"(b), [c] "+r"(c), [d] "+r"(d)
                     : [x] "r"(x)
                     : "r6", "r8", "r9", "r10", "r11", "r12", "cc", "memory");
    count &= 255;
    down = 8 - count;
    __asm__("asr %0, %0, %4\n\t"
            "lsl %1, %1, %5\n\t"
            "asr %2, %2, %4\n\t"
            "lsl %3, %3, %5"
            : "+r"(a), "+r"(b), "+r"(c), "+r"(d)
            : "r"(down), "r"(count));
    TINK_REQUANTIZE(w, add)
    row.a = a;
    row.b = b;
    row.c = c;
    row.d = d;
#else
    int32_t sums[4] = {0, 0, 0, 0}, at, left;
    const int32_t *place;
    if (with_bias) {
        memcpy(sums, w, sizeof sums);
        w += 4;
    }
    place = w + 1;
    left = *w & 255;
    w += 1 + (*w >> 8);
    for (at = 0; at < left; at++, w += 4) {
        const int32_t group = (int32_t)(((uint32_t)place[at >> 2] >> (8 * (at & 3))) & 127);
        tink_t2_products(w[0], x[2 * group], &sums[0], &sums[1]);
        tink_t2_products(w[1], x[2 * group], &sums[2], &sums[3]);
        tink_t2_products(w[2], x[2 * group + 1], &sums[0], &sums[1]);
        tink_t2_products(w[3], x[2 * group + 1], &sums[2], &sums[3]);
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
