/* The portable twin of v16.h and v32.h. */
#ifndef TINK_V16_ROWS_H
#define TINK_V16_ROWS_H

#include "runtime/quad.h"

/* [fragment] */
#ifndef TINK_HELIUM
/* Byte i of the words, low byte first. */
static inline int32_t tink_v16_byte(const int32_t *words, int32_t i)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return ((const int8_t *)words)[i];
#else
    return (int8_t)((uint32_t)words[i >> 2] >> (8 * (i & 3)));
#endif
}

/* The sums of four rows; moves *stream behind their weights. */
static inline tink_quad tink_v16_rows(const int32_t **stream, const int8_t *x, int32_t groups, int32_t with_bias)
{
    const int32_t *w = *stream;
    tink_quad sum;
    int32_t r, left;
    memset(sum.v, 0, sizeof sum.v);
    if (with_bias) {
        sum = tink_quad_load(w);
        w += 4;
    }
    left = groups * 8;
    while (left > 0) {
        int32_t width = 16;
        if (left < width) {
            width = 8;
        }
        for (r = 0; r < 4; r++) {
            int32_t i;
            for (i = 0; i < width; i++) {
                sum.v[r] += tink_v16_byte(w, r * width + i) * x[i];
            }
        }
        left -= width;
        x = &x[width];
        w = &w[width];
    }
    *stream = w;
    return sum;
}
#endif
/* [end] */

#endif
