/* conv1d with groups 1, and dense, with packed weights. A template: tink_packed is the kernel of an encoding (t2.h,
 * t43.h), whose name the generator puts in. */
#include "runtime/packed_rows.h"
#if TINK_CURVES
#include "runtime/curve.h"
#endif

/* [fragment] */
typedef struct tink_packed_linear_t {
    const int32_t *weight; /* per four rows: bias, weights, mult, as tink_packed reads them */
    int32_t count;         /* see tink_packed */
    int32_t jump;          /* of x: from tap to tap */
    int16_t taps, columns; /* columns per tap */
    int16_t rows, low;     /* least output */
    int16_t wide;          /* outputs are int16_t */
#if TINK_CURVES
    int16_t curve;
#endif
} tink_packed_linear_t;

#ifdef TINK_DSP
/* All rows, four at a time, as int8 of at least `low`. On the stack: lanes, count, where the next four go, where they
 * end, and `low` in four bytes. */
TINK_ASSEMBLY void tink_packed_bytes(const tink_packed_linear_t *c TINK_UNUSED, const int32_t *lanes TINK_UNUSED,
                                     int8_t *y TINK_UNUSED)
{
    __asm__ volatile("push {r4-r11, lr}\n\t"
                     "sub sp, sp, #20\n\t"
                     "ldrsh r5, [r0, #16]\n\t"
                     "ldrb r4, [r0, #18]\n\t"
                     "ldrd r0, r12, [r0]\n\t"
                     "mov r6, #0x01010101\n\t"
                     "mul r4, r4, r6\n\t"
                     "add r3, r2, r5\n\t"
                     "strd r1, r12, [sp]\n\t"
                     "strd r2, r3, [sp, #8]\n\t"
                     "str r4, [sp, #16]\n"
                     "1:\n\t"
                     "ldrd r1, r12, [sp]\n\t"
                     "bl %c[packed]\n\t"
                     "ssat r2, #8, r2\n\t"
                     "ssat r3, #8, r3\n\t"
                     "ssat r4, #8, r4\n\t"
                     "ssat r5, #8, r5\n\t"
                     "pkhbt r2, r2, r4, lsl #16\n\t"
                     "pkhbt r3, r3, r5, lsl #16\n\t"
                     "uxtb16 r2, r2\n\t"
                     "uxtb16 r3, r3\n\t"
                     "orr r2, r2, r3, lsl #8\n\t"
                     "ldrd r6, r7, [sp, #8]\n\t"
                     "ldr r4, [sp, #16]\n\t"
                     "ssub8 r3, r2, r4\n\t"
                     "sel r2, r2, r4\n\t"
                     "str r2, [r6], #4\n\t"
                     "str r6, [sp, #8]\n\t"
                     "cmp r6, r7\n\t"
                     "bne 1b\n\t"
                     "add sp, sp, #20\n\t"
                     "pop {r4-r11, pc}"
                     :
                     : [packed] "i"(tink_packed));
}
#endif

/* y[r] = requantize(bias[r] + sum of w[r] * x), at least `low`, as int8 or int16. lanes: room for the widened x. */
TINK_KERNEL void tink_packed_linear(const tink_packed_linear_t *c, const int8_t *x, int32_t *lanes, void *y)
{
    const int32_t *w = c->weight;
    int32_t *to = lanes;
    int32_t r;
    for (r = 0; r < c->taps; r++) {
        to = tink_widen(x + r * c->jump, c->columns, to);
    }
#ifdef TINK_DSP
#if TINK_CURVES
    if (c->wide == 0 && c->rows % 4 == 0 && c->curve == 0) {
#else
    if (c->wide == 0 && c->rows % 4 == 0) {
#endif
        tink_packed_bytes(c, lanes, (int8_t *)y);
        return;
    }
#endif
    for (r = 0; r < c->rows; r += 4) {
        int32_t row[4], i;
        w = tink_packed_rows(w, lanes, c->count, row);
        for (i = 0; i < 4 && r + i < c->rows; i++) {
            int32_t v = row[i];
#if TINK_CURVES
            v = tink_curve(v, c->curve);
#endif
            if (c->wide == 0) {
                ((int8_t *)y)[r + i] = tink_output8(v, c->low);
            } else {
                ((int16_t *)y)[r + i] = (int16_t)(v < c->low ? c->low : v > 32767 ? 32767 : v);
            }
        }
    }
}
/* [end] */
