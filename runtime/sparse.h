/* Blocks of four rows by four columns, those that are zero left out; the others as in T2. */
#ifndef TINK_SPARSE_H
#define TINK_SPARSE_H

#include "runtime/requantize_four.h"
#include "runtime/t2_products.h"

/* [fragment] */
/* Four rows, requantised. A stream: biases as in T2; a word, the number of words of places times 256 plus the number of
 * blocks; a byte per block, its place among the groups of four columns, 128 more in the last one, filled up to words;
 * the blocks as in T2; a multiplier per row. */
#ifdef TINK_DSP
#define TINK_SPARSE_SHIFTED_ROWS TINK_T2_SHIFTED_ROWS
#if TINK_SHIFTED
#define TINK_SPARSE_ROWS TINK_T2_SHIFTED_ROWS
#else
#define TINK_SPARSE_ROWS TINK_T2_WHOLE_ROWS
#endif

TINK_ASSEMBLY void tink_sparse(void)
{
    __asm__ volatile("ldmia r0!, {r2-r5}\n\t"
                     "push {lr}\n\t"
                     "ldr r6, [r0]\n\t"
                     "add r7, r0, #4\n\t"
                     "lsr r6, r6, #8\n\t"
                     "add r0, r7, r6, lsl #2\n"
                     "1:\n\t"
                     "ldrb r6, [r7], #1\n\t"
                     "lsls r6, r6, #25\n\t" /* carry: the last one */
                     "add r6, r1, r6, lsr #22\n\t"
                     "ldmia r6, {r6, lr}\n\t" TINK_T2_PRODUCTS("r6", "lr") /* four columns */
                     "bcc 1b\n\t"
                     "lsr r6, r12, #8\n\t"
                     "add r1, r1, r6, lsl #3\n\t"
                     "add r1, r1, #8\n\t"                                    /* behind the input */
                     TINK_IN_BLOCK(TINK_SPARSE_SHIFTED_ROWS TINK_SCALE_ROWS) /**/
                     "pop {pc}");
}
#else
TINK_BLOCK const int32_t *tink_sparse(const int32_t *w, const int16_t *x, int32_t count, int32_t row[4])
{
    int32_t sums[4] = {0, 0, 0, 0}, at, left;
    const int32_t *place;
    if ((count & TINK_UNBIASED) == 0) {
        memcpy(sums, w, sizeof sums);
        w += 4;
    }
    place = w + 1;
    left = *w & 255;
    w += 1 + (*w >> 8);
    for (at = 0; at < left; at++, w += 4) {
        const int16_t *const four = x + 4 * (((uint32_t)place[at >> 2] >> (8 * (at & 3))) & 127);
        tink_t2_pair(w[0], four, &sums[0], &sums[1]);
        tink_t2_pair(w[1], four, &sums[2], &sums[3]);
        tink_t2_pair(w[2], four + 2, &sums[0], &sums[1]);
        tink_t2_pair(w[3], four + 2, &sums[2], &sums[3]);
    }
    sums[0] = tink_minus(sums[0], sums[1]) >> 8;
    sums[2] = tink_minus(sums[2], sums[3]) >> 8;
    return tink_requantize_four(sums, w, count, row);
}
#endif
/* [end] */

#endif
