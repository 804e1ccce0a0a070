/* conv1d with groups 1, and dense, by vectors. A template: tink_packed is the kernel of an encoding (v16.h, v32.h), whose name
 * the generator puts in. */
#include "runtime/quad.h"
#if TINK_CURVES
#include "runtime/quad_curve.h"
#endif

/* [fragment] */
typedef struct tink_packed_linear_t {
    const int32_t *weight;       /* per four rows: bias, weights, mult, as tink_packed reads them */
    int32_t jump, taps, columns; /* of x: from tap to tap, columns per tap */
    int32_t groups, shift;       /* see tink_packed */
    int16_t rows, low;
#if TINK_CURVES
    int16_t curve;
#endif
} tink_packed_linear_t;

/* y[r] = requantize(bias[r] + sum of w[r] * x), at least `low`, as int8 into y8 or, when that is NULL, as int16 into
 * y16. lanes: room for x, side by side. */
TINK_KERNEL void tink_packed_linear(const tink_packed_linear_t *c, const int8_t *x, int32_t *lanes, int8_t *y8,
                                    int16_t *y16)
{
    const int32_t *w = c->weight;
    int8_t *const room = (int8_t *)lanes;
    tink_packed_x window;
    int32_t r;
    if (c->taps > 1) {
        for (r = 0; r < c->taps; r++) {
            tink_move(room + r * c->columns, x + r * c->jump, c->columns);
        }
        x = room;
    }
    window = tink_packed_open(x, c->taps * c->columns, room);
    for (r = 0; r < c->rows; r += 4) {
        tink_quad row;
        row = tink_packed(&w, window, c->groups, c->shift, 1);
#if TINK_CURVES
        row = tink_quad_curve(row, c->curve);
#endif
        if (y8 != NULL) {
            tink_quad_store8(y8 + r, tink_quad_limit(row, c->low, 127), c->rows - r);
        } else {
            tink_quad_store16(y16 + r, tink_quad_limit(row, c->low, 32767), c->rows - r);
        }
    }
}
/* [end] */
