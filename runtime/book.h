/* Codebook: at most 16 different weights in four rows, two in a byte. */
#ifndef TINK_BOOK_H
#define TINK_BOOK_H

#include "runtime/requantize_four.h"

/* [fragment] */
/* Four rows, requantised. A stream: biases; 16 values, four in a word, low byte first; per four columns two words, of
 * columns 0 and 1, then 2 and 3, each with four nibbles for the rows, row 0 lowest; a multiplier per row. */
#ifdef TINK_DSP
#define TINK_BOOK_ROW(row, product, index, bit, x)                                                                     \
    "ubfx r10, " index ", #" bit ", #4\n\tldrsb r10, [r7, r10]\n\t" product " " row ", r10, " x ", " row "\n\t"
#define TINK_BOOK_PAIR(index, x)                                                                                       \
    TINK_BOOK_ROW("r2", "smlabb", index, "0", x)                                                                       \
    TINK_BOOK_ROW("r3", "smlabb", index, "4", x)                                                                       \
    TINK_BOOK_ROW("r4", "smlabb", index, "8", x)                                                                       \
    TINK_BOOK_ROW("r5", "smlabb", index, "12", x)                                                                      \
    TINK_BOOK_ROW("r2", "smlabt", index, "16", x)                                                                      \
    TINK_BOOK_ROW("r3", "smlabt", index, "20", x)                                                                      \
    TINK_BOOK_ROW("r4", "smlabt", index, "24", x)                                                                      \
    TINK_BOOK_ROW("r5", "smlabt", index, "28", x)

#define TINK_BOOK_SHIFTED_ROWS "lsl r2, r2, r12\n\tlsl r3, r3, r12\n\tlsl r4, r4, r12\n\tlsl r5, r5, r12\n\t"
#if TINK_SHIFTED
#define TINK_BOOK_ROWS TINK_BOOK_SHIFTED_ROWS
#else
#define TINK_BOOK_ROWS
#endif

TINK_ASSEMBLY void tink_book(void)
{
    __asm__ volatile("ldmia r0!, {r2-r5}\n\t"
                     "mov r7, r0\n\t"
                     "add r0, r0, #16\n"
                     "1:\n\t"
                     "ldmia r1!, {r6, r11}\n\t"
                     "ldmia r0!, {r8, r9}\n\t" TINK_BOOK_PAIR("r8", "r6") /* columns 0, 1 */
                     TINK_BOOK_PAIR("r9", "r11")                          /* columns 2, 3 */
                     "subs r12, r12, #256\n\t"
                     "bpl 1b\n\t"                                          /**/
                     TINK_IN_BLOCK(TINK_BOOK_SHIFTED_ROWS TINK_SCALE_ROWS) /**/
                     "bx lr");
}
#else
static inline int32_t tink_book_value(const int32_t *table, uint32_t index)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return ((const int8_t *)table)[index];
#else
    return (int8_t)((uint32_t)table[index >> 2] >> (8 * (index & 3)));
#endif
}

TINK_BLOCK const int32_t *tink_book(const int32_t *w, const int16_t *x, int32_t count, int32_t row[4])
{
    const int32_t *table;
    int32_t sums[4] = {0, 0, 0, 0}, groups = (count >> 8) + 1, i;
    if ((count & TINK_UNBIASED) == 0) {
        memcpy(sums, w, sizeof sums);
        w += 4;
    }
    table = w;
    w += 4;
    for (groups *= 2; groups > 0; groups--, x += 2) {
        uint32_t indices = (uint32_t)*w++;
        for (i = 0; i < 4; i++, indices >>= 4) {
            sums[i] += tink_book_value(table, indices & 15) * x[0];
        }
        for (i = 0; i < 4; i++, indices >>= 4) {
            sums[i] += tink_book_value(table, indices & 15) * x[1];
        }
    }
    return tink_requantize_four(sums, w, count, row);
}
#endif
/* [end] */

#endif
