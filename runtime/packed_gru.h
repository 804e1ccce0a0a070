/* gru with packed weights. A template: tink_packed is the kernel of an encoding (t2.h, t43.h), whose name the
 * generator puts in. */
#include "runtime/blend.h"
#include "runtime/four_sigmoids.h"
#include "runtime/multiply_high.h"
#include "runtime/packed_once.h"
#include "runtime/requantize_four.h"
#include "runtime/sigmoid.h"
#include "runtime/state_lanes.h"

/* [fragment] */
typedef struct tink_packed_gru_t {
    const int32_t *weight;                /* per four units, as tink_packed reads them: x and h of gate r, of n, of z */
    const uint32_t *table;                /* of the sigmoid, at 0 */
    int32_t count, hidden_count, n_count; /* of x, of h in gates r and z, of h in n: see tink_packed */
    int32_t units;                        /* filled up to four */
} tink_packed_gru_t;

#ifdef TINK_DSP
/* In assembly there are macros for what is done to four units. On the stack below what they push are, from `at` on,
 * x, h8, the descriptor, where the next h go, table, where h ends, and the counts where products are made in a loop.
 * Where size counts the block requantises. */
#if TINK_ONCE_GRU
#define TINK_PACKED_GRU_BLOCK TINK_PACKED_BLOCK
#ifndef __OPTIMIZE_SIZE__
#define TINK_PACKED_READ(at, x, count) "ldr r1, [sp, #" at " + " x "]\n\t"
#define TINK_PACKED_KEEP "push {r4-r9}\n"
#define TINK_PACKED_LEAVE "add sp, sp, #24\n\t"
#endif
#else
#define TINK_PACKED_GRU_BLOCK tink_packed
#endif
#ifndef TINK_PACKED_READ
#define TINK_PACKED_READ(at, x, count) "ldr r1, [sp, #" at " + " x "]\n\tldr r12, [sp, #" at " + " count "]\n\t"
#define TINK_PACKED_KEEP "ldrd r10, r11, [r6, #8]\n\tpush {r4-r11}\n"
#define TINK_PACKED_LEAVE "add sp, sp, #32\n\t"
#endif
#ifdef __OPTIMIZE_SIZE__
#define TINK_NO_BIAS "movs r2, #0\n\tmovs r3, #0\n\tmovs r4, #0\n\tmovs r5, #0\n\t"
#define TINK_NO_BIASES
#define TINK_PACKED_N_ROWS
#define TINK_SCALE_AND_ADD "pop {r6-r9}\n\tadd r2, r6\n\tadd r3, r7\n\tadd r4, r8\n\tadd r5, r9\n\t"
#else
#define TINK_NO_BIAS "adr r2, 9f\n\tldmia r2, {r2-r5}\n\t"
#define TINK_NO_BIASES "\n\t.balign 4\n9:\n\t.word 0, 0, 0, 0"
#define TINK_PACKED_N_ROWS "ldr r12, [sp, #40]\n\tldr r12, [r12, #16]\n\t" TINK_PACKED_SHIFTED_ROWS TINK_SCALE_ROWS
#define TINK_SCALE_AND_ADD                                                                                             \
    "pop {r6-r9}\n\t"                                                                                                  \
    "ldmia r0!, {r10-r12, lr}\n\t"                                                                                     \
    "smmlar r2, r2, r10, r6\n\t"                                                                                       \
    "smmlar r3, r3, r11, r7\n\t"                                                                                       \
    "smmlar r4, r4, r12, r8\n\t"                                                                                       \
    "smmlar r5, r5, lr, r9\n\t"
#endif

/* Pushes the product of x. */
#define TINK_PACKED_OF_X(at)                                                                                           \
    TINK_PACKED_READ(at, "0", "24")                         /**/                                                       \
    "bl %c[block]\n\t"                                      /**/                                                       \
        TINK_BEHIND_BLOCK(TINK_PACKED_ROWS TINK_SCALE_ROWS) /**/                                                       \
        "push {r2-r5}\n\t"

/* sigmoid(product of x + product of h), as gates r and z are; at16: at + 16. */
#define TINK_PACKED_GATE(at, at16)                                                                                     \
    TINK_PACKED_OF_X(at)                    /**/                                                                       \
    TINK_PACKED_READ(at16, "4", "28")       /**/                                                                       \
    TINK_NO_BIAS                            /**/                                                                       \
        "bl %c[block] + 2\n\t"              /**/                                                                       \
        TINK_BEHIND_BLOCK(TINK_PACKED_ROWS) /**/                                                                       \
        TINK_SCALE_AND_ADD                  /**/                                                                       \
        "ldr r1, [sp, #" at " + 16]\n\t"    /**/                                                                       \
        TINK_SIGMOID

/* sigmoid(product of x + product of h * r) - 2^27: r was pushed by what came before. */
#define TINK_PACKED_TANH                                                                                               \
    TINK_PACKED_OF_X("16")                                                                                             \
    "ldr r1, [sp, #32 + 4]\n\t"                                                                                        \
    "ldr r12, [sp, #32 + 8]\n\t"                                                                                       \
    "ldr r12, [r12, #16]\n\t"                                                                                          \
    "bl %c[block]\n\t" /**/                                                                                            \
        TINK_PACKED_N_ROWS /**/ "pop {r6-r9}\n\t"                                                                      \
    "pop {r10-r12, lr}\n\t"                                                                                            \
    "smmlar r2, r2, r10, r6\n\t"                                                                                       \
    "smmlar r3, r3, r11, r7\n\t"                                                                                       \
    "smmlar r4, r4, r12, r8\n\t"                                                                                       \
    "smmlar r5, r5, lr, r9\n\t"                                                                                        \
    "ldr r1, [sp, #16]\n\t" TINK_SIGMOID "sub r2, r2, #0x8000000\n\t"                                                  \
    "sub r3, r3, #0x8000000\n\t"                                                                                       \
    "sub r4, r4, #0x8000000\n\t"                                                                                       \
    "sub r5, r5, #0x8000000\n\t"

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

/* See the portable twin; x, h and h8 begin at multiples of four. */
TINK_ASSEMBLY void tink_packed_gru(const tink_packed_gru_t *c TINK_UNUSED, const int16_t *x TINK_UNUSED,
                                   int16_t *h TINK_UNUSED, int16_t *h8 TINK_UNUSED)
{
    __asm__ volatile("push {r4-r11, lr}\n\t"
                     "ldr r11, [r0, #20]\n\t"
                     "mov r6, r0\n\t"
                     "ldrd r0, r8, [r6]\n\t"
                     "mov r4, r1\n\t"
                     "mov r5, r3\n\t"
                     "mov r7, r2\n\t"
                     "add r9, r2, r11, lsl #1\n\t" /**/
                     TINK_PACKED_KEEP              /* below what is pushed */
                     "3:\n\t"                      /**/
                     TINK_PACKED_GATE("0", "16")   /* r */
                     "push {r2-r5}\n\t"            /**/
                     TINK_PACKED_TANH              /* n */
                     "push {r2-r5}\n\t"            /**/
                     TINK_PACKED_GATE("16", "32")  /* z */
                     "pop {r6-r9}\n\t"
                     "ldr r1, [sp, #12]\n\t"
                     "ldrd r10, r11, [r1]\n\t"                        /* h */
                     TINK_PACKED_BLEND("r10", "r6", "r7", "r2", "r3") /* units 0, 1 */
                     TINK_PACKED_BLEND("r11", "r8", "r9", "r4", "r5") /* units 2, 3 */
                     "strd r6, r8, [r1], #8\n\t"
                     "ldr r7, [sp, #20]\n\t"
                     "str r1, [sp, #12]\n\t"
                     "cmp r1, r7\n\t"
                     "bne 3b\n\t"
                     "ldrd r0, r1, [sp, #4]\n\t" /* h8 */
                     "ldr r1, [r1, #20]\n\t"
                     "mov r6, #0x00800080\n\t"
                     "sub r1, r7, r1, lsl #1\n"
                     "4:\n\t"
                     "ldrd r2, r3, [r1], #8\n\t"
                     "qadd16 r2, r2, r6\n\t"
                     "qadd16 r3, r3, r6\n\t"
                     "sxtb16 r2, r2, ror #8\n\t"
                     "sxtb16 r3, r3, ror #8\n\t"
                     "strd r2, r3, [r0], #8\n\t"
                     "cmp r1, r7\n\t"
                     "bne 4b\n\t"                         /**/
                     TINK_PACKED_LEAVE "pop {r4-r11, pc}" /**/
                     TINK_NO_BIASES
                     :
                     : [block] "i"(TINK_PACKED_GRU_BLOCK) /**/
                     TINK_SIGMOID_OPERAND
                     : "memory");
}
#else
/* h: state, Q15; h8: the same rounded to 8 bits, also the output; both filled up to four units. */
TINK_KERNEL void tink_packed_gru(const tink_packed_gru_t *c, const int16_t *x, int16_t *h, int16_t *h8)
{
    const int32_t *w = c->weight;
    const int32_t unbiased = c->hidden_count + TINK_UNBIASED;
    int32_t k;
    for (k = 0; k < c->units; k += 4) {
        int32_t sum[24]; /* of x, then of h, for r, n, z */
        int32_t i;
        w = tink_packed(w, x, c->count, sum);
        w = tink_packed(w, h8, unbiased, sum + 4);
        w = tink_packed(w, x, c->count, sum + 8);
        w = tink_packed(w, h8, c->n_count, sum + 12);
        w = tink_packed(w, x, c->count, sum + 16);
        w = tink_packed(w, h8, unbiased, sum + 20);
        for (i = 0; i < 4; i++) {
            const int32_t r = tink_sigmoid(sum[i] + sum[4 + i]), z = tink_sigmoid(sum[16 + i] + sum[20 + i]);
            const int32_t n = tink_sigmoid(sum[8 + i] + tink_multiply_high(sum[12 + i], r));
            h[k + i] = tink_blend(h[k + i], n - ((int32_t)1 << 27), z);
        }
    }
    tink_state_lanes(h, c->units, h8);
}
#endif
/* [end] */
