/* Four rows of a packed matrix for C. A template: tink_packed is the kernel of an encoding (t2.h, t43.h), whose
 * name the generator puts in. */
#include "runtime/requantize_four.h"

/* [fragment] */
/* Four rows into row; count as in requantize_four.h. Returns the stream behind them. */
#ifdef TINK_DSP
TINK_ASSEMBLY const int32_t *tink_packed_rows(const int32_t *w TINK_UNUSED, const int16_t *x TINK_UNUSED,
                                              int32_t count TINK_UNUSED, int32_t row[4] TINK_UNUSED)
{
    __asm__ volatile("push {r3-r11, lr}\n\t"
                     "bic r12, r2, #128\n\t"
                     "lsls r2, r2, #25\n\t" /* carry: without biases */
                     "bcs 1f\n\t"
                     "bl %c[block]\n\t"
                     "b 2f\n"
                     "1:\n\t"
                     "movs r2, #0\n\t"
                     "movs r3, #0\n\t"
                     "movs r4, #0\n\t"
                     "movs r5, #0\n\t"
                     "bl %c[block] + 2\n"
                     "2:\n\t"                                                    /**/
                     TINK_BEHIND_BLOCK(TINK_PACKED_SHIFTED_ROWS TINK_SCALE_ROWS) /**/
                     "pop {r6}\n\t"
                     "stmia r6, {r2-r5}\n\t"
                     "pop {r4-r11, pc}"
                     :
                     : [block] "i"(tink_packed)
                     : "memory");
}
#else
static inline const int32_t *tink_packed_rows(const int32_t *w, const int16_t *x, int32_t count, int32_t row[4])
{
    return tink_packed(w, x, count, row);
}
#endif
/* [end] */
