/* V16: eight bits per weight, sixteen columns of a row side by side, as the vectors of Helium take them. */
#ifndef TINK_V16_H
#define TINK_V16_H

#include "runtime/move.h"
#include "runtime/quad.h"
#include "runtime/v16_rows.h"

/* [fragment] */
/* What the kernel reads x from. */
typedef const int8_t *tink_v16_x;

/* x of n columns, brought to `room` unless it is there. */
static inline tink_v16_x tink_v16_open(const int8_t *x, int32_t n, int8_t *room)
{
    if (x != room) {
        tink_move(room, x, n);
    }
    return room;
}

/* Four rows, requantised. A stream: a bias per row, where with_bias; per 16 columns 16 bytes of each row; where
 * eight columns and less are left, eight bytes of each row; a multiplier per row. x: `groups` times eight columns;
 * what stands behind those that there are has weight 0. */
TINK_BLOCK tink_quad tink_v16(const int32_t **stream, tink_v16_x x, int32_t groups, int32_t shift, int32_t with_bias)
{
    const int32_t *w = *stream;
    tink_quad sum;
#ifdef TINK_HELIUM
    register int32_t a __asm__("r4") = 0;
    register int32_t b __asm__("r6") = 0;
    register int32_t c __asm__("r8") = 0;
    register int32_t d __asm__("r10") = 0;
    if (with_bias) {
        __asm__("ldmia %0!, {r4, r6, r8, r10}" : "+r"(w), "=r"(a), "=r"(b), "=r"(c), "=r"(d) : : "memory");
    }
    __asm__ volatile("lsrs r12, %[groups], #1\n\t"
                     "wls lr, r12, 2f\n"
                     "1:\n\t"
                     "vldrb.u8 q0, [%[x]], #16\n\t"
                     "vldrb.u8 q1, [%[w]], #16\n\t"
                     "vldrb.u8 q2, [%[w]], #16\n\t"
                     "vmladava.s8 %[a], q1, q0\n\t"
                     "vldrb.u8 q1, [%[w]], #16\n\t"
                     "vmladava.s8 %[b], q2, q0\n\t"
                     "vldrb.u8 q2, [%[w]], #16\n\t"
                     "vmladava.s8 %[c], q1, q0\n\t"
                     "vmladava.s8 %[d], q2, q0\n\t"
                     "le lr, 1b\n"
                     "2:\n\t"
                     "lsls r12, %[groups], #31\n\t"
                     "beq 3f\n\t"
                     "vldrb.s16 q0, [%[x]]\n\t"
                     "vldrb.s16 q1, [%[w]], #8\n\t"
                     "vldrb.s16 q2, [%[w]], #8\n\t"
                     "vmladava.s16 %[a], q1, q0\n\t"
                     "vldrb.s16 q1, [%[w]], #8\n\t"
                     "vmladava.s16 %[b], q2, q0\n\t"
                     "vldrb.s16 q2, [%[w]], #8\n\t"
                     "vmladava.s16 %[c], q1, q0\n\t"
                     "vmladava.s16 %[d], q2, q0\n"
                     "3:\n\t"
                     "vmov %q[sum][2], %q[sum][0], %[a], %[c]\n\t"
                     "vmov %q[sum][3], %q[sum][1], %[b], %[d]"
                     : [w] "+l"(w), [x] "+l"(x), [a] "+r"(a), [b] "+r"(b), [c] "+r"(c), [d] "+r"(d), [sum] "=w"(sum)
                     : [groups] "r"(groups)
                     : "q0", "q1", "q2", "r12", "lr", "cc", "memory");
#else
    sum = tink_v16_rows(&w, x, groups, with_bias);
#endif
    *stream = w + 4;
    return tink_quad_requantize(sum, tink_quad_load(w), shift);
}
/* [end] */

#endif
