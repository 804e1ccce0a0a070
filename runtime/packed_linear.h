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

/* Outputs of 8 bits, as tink_output8, of the `left` rows that there are. Returns where the next ones go. */
static inline int8_t *tink_packed_store8(int8_t *y, tink_four v, int32_t low, int32_t left)
{
#if defined(TINK_DSP) && !defined(__OPTIMIZE_SIZE__)
    if (low == 0) {
        __asm__("usat %0, #7, %0" : "+r"(v.a));
        __asm__("usat %0, #7, %0" : "+r"(v.b));
        __asm__("usat %0, #7, %0" : "+r"(v.c));
        __asm__("usat %0, #7, %0" : "+r"(v.d));
    } else
#endif
    {
        v.a = tink_output8(v.a, low);
        v.b = tink_output8(v.b, low);
        v.c = tink_output8(v.c, low);
        v.d = tink_output8(v.d, low);
    }
    y[0] = (int8_t)v.a;
    if (left > 3) {
        y[1] = (int8_t)v.b;
        y[2] = (int8_t)v.c;
        y[3] = (int8_t)v.d;
        return y + 4;
    }
    if (left > 1) {
        y[1] = (int8_t)v.b;
    }
    if (left > 2) {
        y[2] = (int8_t)v.c;
    }
    return y + left;
}

static inline int16_t tink_packed_output16(int32_t v, int32_t low)
{
#ifdef TINK_DSP
    __asm__("ssat %0, #16, %0" : "+r"(v));
#endif
    return (int16_t)(v < low ? low : v > 32767 ? 32767 : v);
}

/* Outputs of 16 bits likewise. */
static inline int16_t *tink_packed_store16(int16_t *y, tink_four v, int32_t low, int32_t left)
{
    y[0] = tink_packed_output16(v.a, low);
    if (left > 1) {
        y[1] = tink_packed_output16(v.b, low);
    }
    if (left > 2) {
        y[2] = tink_packed_output16(v.c, low);
    }
    if (left > 3) {
        y[3] = tink_packed_output16(v.d, low);
        return y + 4;
    }
    return y + left;
}

/* y[r] = requantize(bias[r] + sum of w[r] * x), at least `low`, as int8 into y8 or, when that is NULL, as int16 into
 * y16. lanes: room for the widened x. */
TINK_KERNEL void tink_packed_linear(const tink_packed_linear_t *c, const int8_t *x, int32_t *lanes, int8_t *y8,
                                    int16_t *y16)
{
    const int32_t *w = c->weight;
    int32_t *to = lanes;
    int32_t left;
    for (left = 0; left < c->taps; left++) {
        to = tink_widen(x + left * c->jump, c->columns, to);
    }
    for (left = c->rows; left > 0; left -= 4) {
#if TINK_CURVES
        tink_four row = tink_packed(&w, lanes, c->count, 1, NULL);
        if (c->curve != 0) {
            row.a = tink_curve(row.a, c->curve);
            row.b = tink_curve(row.b, c->curve);
            row.c = tink_curve(row.c, c->curve);
            row.d = tink_curve(row.d, c->curve);
        }
#else
        const tink_four row = tink_packed(&w, lanes, c->count, 1, NULL);
#endif
        if (y8 != NULL) {
            y8 = tink_packed_store8(y8, row, c->low, left);
        } else {
            y16 = tink_packed_store16(y16, row, c->low, left);
        }
    }
}
/* [end] */
