/* gru with packed weights. A template: tink_packed is the kernel of an encoding (t2.h, t43.h), whose name the generator
 * puts in. */
#include "runtime/blend.h"
#include "runtime/multiply_high.h"
#include "runtime/requantize_four.h"
#include "runtime/sigmoid.h"

/* [fragment] */
typedef struct tink_packed_gru_t {
    const int32_t *weight; /* per four units, as tink_packed reads them: x and h of gate r, of n, of z */
    const uint32_t *table; /* of the sigmoid, at 0 */
    int32_t count, hidden_count;
    int16_t inputs, units;
} tink_packed_gru_t;

#ifdef TINK_DSP
/* sigmoid of r2 to r5, the table in r1. */
TINK_ASSEMBLY void tink_packed_gate(void)
{
    __asm__ volatile("ssat r6, #8, r2, asr #8\n\t"
                     "ldr r6, [r1, r6, lsl #2]\n\t"
                     "smlabb r2, r2, r6, r6\n\t"
                     "ssat r6, #8, r3, asr #8\n\t"
                     "ldr r6, [r1, r6, lsl #2]\n\t"
                     "smlabb r3, r3, r6, r6\n\t"
                     "ssat r6, #8, r4, asr #8\n\t"
                     "ldr r6, [r1, r6, lsl #2]\n\t"
                     "smlabb r4, r4, r6, r6\n\t"
                     "ssat r6, #8, r5, asr #8\n\t"
                     "ldr r6, [r1, r6, lsl #2]\n\t"
                     "smlabb r5, r5, r6, r6\n\t"
                     "bx lr");
}

/* sigmoid(product of x + product of h), as gates r and z are. */
#define TINK_PACKED_GATE                                                                                               \
    "ldrd r1, r12, [sp, #32]\n\t"                                                                                      \
    "bl %c[rows]\n\t"                                                                                                  \
    "stmia sp, {r2-r5}\n\t"                                                                                            \
    "ldr r12, [sp, #40]\n\t"                                                                                           \
    "movs r2, #0\n\t"                                                                                                  \
    "movs r3, #0\n\t"                                                                                                  \
    "movs r4, #0\n\t"                                                                                                  \
    "movs r5, #0\n\t"                                                                                                  \
    "bl %c[rows] + 2\n\t"                                                                                              \
    "ldmia sp, {r6-r9}\n\t"                                                                                            \
    "add r2, r2, r6\n\t"                                                                                               \
    "add r3, r3, r7\n\t"                                                                                               \
    "add r4, r4, r8\n\t"                                                                                               \
    "add r5, r5, r9\n\t"                                                                                               \
    "ldr r1, [sp, #52]\n\t"                                                                                            \
    "bl %c[gate]\n\t"

/* n + z * (h - n) of two units: h in `pair`, n in n0 and n1, which end as the new pair in n0. */
#define TINK_PACKED_BLEND(pair, n0, n1, z0, z1)                                                                        \
    "sxth r12, " pair "\n\t"                                                                                           \
    "rsb r12, " n0 ", r12, lsl #12\n\t"                                                                                \
    "smmulr r12, r12, " z0 "\n\t"                                                                                      \
    "add " n0 ", " n0 ", r12, lsl #4\n\t"                                                                              \
    "asr r12, " pair ", #16\n\t"                                                                                       \
    "rsb r12, " n1 ", r12, lsl #12\n\t"                                                                                \
    "smmulr r12, r12, " z1 "\n\t"                                                                                      \
    "add " n1 ", " n1 ", r12, lsl #4\n\t"                                                                              \
    "add " n0 ", " n0 ", #2048\n\t"                                                                                    \
    "add " n1 ", " n1 ", #2048\n\t"                                                                                    \
    "lsl " n1 ", " n1 ", #4\n\t"                                                                                       \
    "pkhtb " n0 ", " n1 ", " n0 ", asr #12\n\t"

/* All units. lanes: x and behind it the old h8; h and h8 begin at multiples of four. On the stack: 16 bytes for the
 * product of x, 16 for r, then n, and from 32 on lanes, counts, h, h8, table and where h8 ends. */
TINK_ASSEMBLY void tink_packed_units(const tink_packed_gru_t *c TINK_UNUSED, int16_t *h TINK_UNUSED,
                                     int8_t *h8 TINK_UNUSED, const int32_t *lanes TINK_UNUSED)
{
    __asm__ volatile("push {r4-r11, lr}\n\t"
                     "sub sp, sp, #60\n\t"
                     "ldrsh r10, [r0, #18]\n\t"
                     "add r10, r10, #3\n\t"
                     "bic r10, r10, #3\n\t"
                     "add r10, r2, r10\n\t"
                     "mov r8, r2\n\t"
                     "mov r7, r1\n\t"
                     "mov r4, r3\n\t"
                     "ldrd r5, r6, [r0, #8]\n\t"
                     "ldrd r0, r9, [r0]\n\t"
                     "add r12, sp, #32\n\t"
                     "stmia r12, {r4-r10}\n"
                     "3:\n\t" TINK_PACKED_GATE /* r */
                     "strd r2, r3, [sp, #16]\n\t"
                     "strd r4, r5, [sp, #24]\n\t"
                     "ldrd r1, r12, [sp, #32]\n\t"
                     "bl %c[rows]\n\t"
                     "stmia sp, {r2-r5}\n\t"
                     "ldr r12, [sp, #40]\n\t"
                     "bl %c[rows]\n\t"
                     "ldmia sp, {r6-r9}\n\t"
                     "ldrd r10, r11, [sp, #16]\n\t"
                     "smmlar r2, r2, r10, r6\n\t"
                     "smmlar r3, r3, r11, r7\n\t"
                     "ldrd r10, r11, [sp, #24]\n\t"
                     "smmlar r4, r4, r10, r8\n\t"
                     "smmlar r5, r5, r11, r9\n\t"
                     "ldr r1, [sp, #52]\n\t"
                     "bl %c[gate]\n\t"
                     "sub r2, r2, #0x8000000\n\t"
                     "sub r3, r3, #0x8000000\n\t"
                     "sub r4, r4, #0x8000000\n\t"
                     "sub r5, r5, #0x8000000\n\t"
                     "strd r2, r3, [sp, #16]\n\t"
                     "strd r4, r5, [sp, #24]\n\t" /* n */
                     TINK_PACKED_GATE             /* z */
                     "ldrd r6, r7, [sp, #16]\n\t"
                     "ldrd r8, r9, [sp, #24]\n\t"
                     "ldr r1, [sp, #44]\n\t"
                     "ldrd r10, r11, [r1]\n\t"                        /* h */
                     TINK_PACKED_BLEND("r10", "r6", "r7", "r2", "r3") /* units 0, 1 */
                     TINK_PACKED_BLEND("r11", "r8", "r9", "r4", "r5") /* units 2, 3 */
                     "strd r6, r8, [r1], #8\n\t"
                     "str r1, [sp, #44]\n\t"
                     "mov r10, #0x00800080\n\t"
                     "qadd16 r6, r6, r10\n\t"
                     "qadd16 r8, r8, r10\n\t"
                     "uxtb16 r6, r6, ror #8\n\t"
                     "uxtb16 r8, r8, ror #8\n\t"
                     "orr r6, r6, r6, lsr #8\n\t"
                     "orr r8, r8, r8, lsr #8\n\t"
                     "pkhbt r6, r6, r8, lsl #16\n\t"
                     "ldr r1, [sp, #48]\n\t"
                     "ldr r7, [sp, #56]\n\t"
                     "str r6, [r1], #4\n\t"
                     "str r1, [sp, #48]\n\t"
                     "cmp r1, r7\n\t"
                     "bne 3b\n\t"
                     "add sp, sp, #60\n\t"
                     "pop {r4-r11, pc}"
                     :
                     : [rows] "i"(tink_packed), /* four rows */
                       [gate] "i"(tink_packed_gate));
}
#else
/* All units. lanes: x and behind it the old h8. */
static inline void tink_packed_units(const tink_packed_gru_t *c, int16_t *h, int8_t *h8, const int32_t *lanes)
{
    const int32_t *w = c->weight, *const old = lanes + 2 * ((c->count >> 8) + 1);
    const int32_t unbiased = c->hidden_count + TINK_UNBIASED;
    int32_t left;
    for (left = c->units; left > 0; left -= 4) {
        int32_t sum[24]; /* of x, then of h, for r, n, z */
        int32_t i;
        w = tink_packed(w, lanes, c->count, sum);
        w = tink_packed(w, old, unbiased, sum + 4);
        w = tink_packed(w, lanes, c->count, sum + 8);
        w = tink_packed(w, old, c->hidden_count, sum + 12);
        w = tink_packed(w, lanes, c->count, sum + 16);
        w = tink_packed(w, old, unbiased, sum + 20);
        for (i = 0; i < 4; i++) {
            const int32_t r = tink_sigmoid(sum[i] + sum[4 + i]), z = tink_sigmoid(sum[16 + i] + sum[20 + i]);
            const int32_t n = tink_sigmoid(sum[8 + i] + tink_multiply_high(sum[12 + i], r));
            *h = tink_blend(*h, n - ((int32_t)1 << 27), z);
            *h8++ = (int8_t)tink_limit8(((int32_t)*h++ + 128) >> 8);
        }
    }
}
#endif

/* h: state, Q15; h8: the same rounded to 8 bits, also the output; both filled up to four units. lanes: room for the
 * widened x and h8. */
TINK_KERNEL void tink_packed_gru(const tink_packed_gru_t *c, const int8_t *x, int16_t *h, int8_t *h8, int32_t *lanes)
{
    (void)tink_widen(h8, c->units, tink_widen(x, c->inputs, lanes));
    tink_packed_units(c, h, h8, lanes);
}
/* [end] */
