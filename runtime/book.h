/* Codebook: at most 16 different weights in four rows, two in a byte. */
#ifndef TINK_BOOK_H
#define TINK_BOOK_H

#include "runtime/lanes.h"

/* [fragment] */
static inline int32_t tink_book_value(const int32_t *table, uint32_t index)
{
#ifdef TINK_DSP
    return ((const int8_t *)table)[index];
#else
    return (int8_t)((uint32_t)table[index >> 2] >> (8 * (index & 3)));
#endif
}

/* Four rows, requantised, plus *add unless it is NULL. A stream: biases, where with_bias; 16 values, four in a word,
 * low byte first; per four columns two words, of columns 0 and 2, then 1 and 3, each with four nibbles for the rows,
 * row 0 lowest; a multiplier per row. count: as in T2. */
TINK_BLOCK tink_four tink_book(const int32_t **stream, const int32_t *x, int32_t count, int32_t with_bias,
                               const tink_four *add)
{
    const int32_t *w = *stream, *table;
    const int32_t shift = count & 255;
    int32_t a = 0, b = 0, c = 0, d = 0, groups = (count >> 8) + 1;
    tink_four row;
    if (with_bias) {
        a = w[0];
        b = w[1];
        c = w[2];
        d = w[3];
        w += 4;
    }
    table = w;
    w += 4;
    for (groups *= 2; groups > 0; groups--) {
        const int32_t low = (int16_t)*x, high = *x >> 16;
        const uint32_t index = (uint32_t)*w++;
        a += tink_book_value(table, index & 15) * low;
        b += tink_book_value(table, index >> 4 & 15) * low;
        c += tink_book_value(table, index >> 8 & 15) * low;
        d += tink_book_value(table, index >> 12 & 15) * low;
        a += tink_book_value(table, index >> 16 & 15) * high;
        b += tink_book_value(table, index >> 20 & 15) * high;
        c += tink_book_value(table, index >> 24 & 15) * high;
        d += tink_book_value(table, index >> 28) * high;
        x++;
    }
    row.a = tink_requantize(a, w[0], shift) + (add != NULL ? add->a : 0);
    row.b = tink_requantize(b, w[1], shift) + (add != NULL ? add->b : 0);
    row.c = tink_requantize(c, w[2], shift) + (add != NULL ? add->c : 0);
    row.d = tink_requantize(d, w[3], shift) + (add != NULL ? add->d : 0);
    *stream = w + 4;
    return row;
}
/* [end] */

#endif
