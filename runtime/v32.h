/* V32: the weights of V16 in rows of 17 to 32 columns, for which x stays in two vectors. */
#ifndef TINK_V32_H
#define TINK_V32_H

#include "runtime/move.h"
#include "runtime/quad.h"
#include "runtime/v16_rows.h"

/* [fragment] */
#ifdef TINK_HELIUM
/* Sixteen columns, and the others: eight of 16 bits or, with more of them, sixteen of 8. */
typedef struct tink_v32_x {
    int8x16_t first, others;
} tink_v32_x;
#else
typedef const int8_t *tink_v32_x;
#endif

/* x of n columns, 16 < n <= 32; room for them is only needed without vectors. */
static inline tink_v32_x tink_v32_open(const int8_t *x, int32_t n, int8_t *room)
{
#ifdef TINK_HELIUM
    tink_v32_x v;
    (void)room;
    v.first = vldrbq_s8(x);
    if (n > 24) {
        v.others = vldrbq_z_s8(x + 16, vctp8q((uint32_t)n - 16));
    } else {
        v.others = vreinterpretq_s8_s16(vldrbq_z_s16(x + 16, vctp16q((uint32_t)n - 16)));
    }
    return v;
#else
    if (x != room) {
        tink_move(room, x, n);
    }
    return room;
#endif
}

#ifdef TINK_HELIUM
/* Four rows over sixteen columns or eight: while one vector is loaded, the one before is multiplied. */
#define TINK_V32_ROWS(type, bytes, product, x)                                                                         \
    "vldrb." type " %q[sum], [%[w]], #" bytes "\n\t"                                                                   \
    "vldrb." type " %q[more], [%[w]], #" bytes "\n\t" product " %[a], %q[sum], " x "\n\t"                              \
    "vldrb." type " %q[sum], [%[w]], #" bytes "\n\t" product " %[b], %q[more], " x "\n\t"                              \
    "vldrb." type " %q[more], [%[w]], #" bytes "\n\t" product " %[c], %q[sum], " x "\n\t" product                      \
    " %[d], %q[more], " x "\n\t"
#endif

/* As tink_v16, with three or four groups. */
TINK_BLOCK tink_quad tink_v32(const int32_t **stream, tink_v32_x x, int32_t groups, int32_t shift, int32_t with_bias)
{
    const int32_t *w = *stream;
    tink_quad sum;
#ifdef TINK_HELIUM
    register int32_t a __asm__("r4") = 0;
    register int32_t b __asm__("r6") = 0;
    register int32_t c __asm__("r8") = 0;
    register int32_t d __asm__("r10") = 0;
    tink_quad more;
    if (with_bias) {
        __asm__("ldmia %0!, {r4, r6, r8, r10}" : "+r"(w), "=r"(a), "=r"(b), "=r"(c), "=r"(d) : : "memory");
    }
    __asm__ volatile(
        TINK_V32_ROWS("u8", "16", "vmladava.s8", "%q[first]") /**/
        "lsls r12, %[groups], #31\n\t"
        "beq 1f\n\t"                                            /**/
        TINK_V32_ROWS("s16", "8", "vmladava.s16", "%q[others]") /**/
        "b 2f\n"
        "1:\n\t"                                               /**/
        TINK_V32_ROWS("u8", "16", "vmladava.s8", "%q[others]") /**/
        "2:\n\t"
        "vmov %q[sum][2], %q[sum][0], %[a], %[c]\n\t"
        "vmov %q[sum][3], %q[sum][1], %[b], %[d]"
        : [w] "+l"(w), [a] "+r"(a), [b] "+r"(b), [c] "+r"(c), [d] "+r"(d), [sum] "=&w"(sum), [more] "=&w"(more)
        : [groups] "r"(groups), [first] "w"(x.first), [others] "w"(x.others)
        : "r12", "cc", "memory");
#else
    sum = tink_v16_rows(&w, x, groups, with_bias);
#endif
    *stream = w + 4;
    return tink_quad_requantize(sum, tink_quad_load(w), shift);
}
/* [end] */

#endif
