/* conv1d with groups 1, and dense, with packed weights. A template: tink_packed is the kernel of an encoding (t2.h,
 * t43.h), whose name the generator puts in. */
#include "runtime/lanes.h"
#if TINK_CURVES
#include "runtime/curve.h"
#endif

/* [fragment] */
typedef struct tink_packed_linear_t {
    const int32_t *weight;       /* per four rows: bias, weights, mult, as tink_packed reads them */
    int32_t jump, taps, columns; /* of x: from tap to tap, columns per tap */
    int32_t count;               /* see tink_packed */
    int16_t rows, low;
#if TINK_CURVES
    int16_t curve;
#endif
} tink_packed_linear_t;

/* y[r] = requantize(bias[r] + sum of w[r] * x), at least `low`, as int8 into y8 or, when that is NULL, as int16 into
 * y16. lanes: room for the widened x. */
TINK_KERNEL void tink_packed_linear(const tink_packed_linear_t *c, const int8_t *x, int32_t *lanes, int8_t *y8,
                                    int16_t *y16)
{
    const int32_t *w = c->weight;
    const int32_t low = c->low;
    int32_t left;
    tink_widen(x, c->jump, c->taps, c->columns, lanes);
    for (left = c->rows; left > 0; left -= 4) {
        const tink_four row = tink_packed(&w, lanes, c->count, 1);
        const int32_t rows[4] = {row.a, row.b, row.c, row.d};
        int32_t i;
        for (i = 0; i < 4 && i < left; i++) {
#if TINK_CURVES
            const int32_t y = tink_curve(rows[i], c->curve);
#else
            const int32_t y = rows[i];
#endif
            if (y8 != NULL) {
                *y8++ = tink_output8(y, low);
            } else {
                *y16++ = (int16_t)(y < low ? low : y > 32767 ? 32767 : y);
            }
        }
    }
}
/* [end] */
