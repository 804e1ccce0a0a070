/* How kernels are declared. */
#ifndef TINK_KERNEL_H
#define TINK_KERNEL_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* What a model uses. In generated code the generator has decided these, and only what is used is left. */
#ifndef TINK_WIDE
#define TINK_WIDE 1     /* rows of 16 bits between layers */
#define TINK_CURVES 1   /* conv1d or dense with sigmoid or tanh */
#define TINK_VECTORS 1  /* a core with vectors is expected */
#define TINK_POWERS 0   /* all multipliers are powers of two, and the core has no long multiplication */
#define TINK_SHIFTED 1  /* sums of V16 that need a shift beside their multiplier */
#define TINK_EVENTFUL 1 /* the decision rule: what runtime/decision.h can do */
#define TINK_RESTS 1
#define TINK_SMOOTHS 1
#define TINK_THRESHOLDS 1
#define TINK_SCANS 1
#define TINK_AGREES 1
#define TINK_RUNS 0
#define TINK_HISTORY 1
#define TINK_KEEPS 1
#define TINK_LEADS 1
#define TINK_WAITS 1
#endif

/* [fragment] */
/* Kernels stay functions of their own: shared by the layers, and with a small stack. */
#if defined(__GNUC__)
#define TINK_KERNEL static __attribute__((noinline))
#define TINK_UNUSED __attribute__((unused)) /* assembly does without, or takes it from its register */
#else
#define TINK_KERNEL static
#define TINK_UNUSED
#endif

/* The inner product of a kernel: part of its loop where speed counts, called where size counts. */
#if defined(__GNUC__) && defined(__OPTIMIZE__) && !defined(__OPTIMIZE_SIZE__)
#define TINK_BLOCK static inline __attribute__((always_inline))
#else
#define TINK_BLOCK TINK_KERNEL
#endif

#if TINK_POWERS
#else
/* Cores with the DSP instructions of Armv7E-M and Armv8-M: the same results by fewer instructions. Not where code is to
 * be independent of its place, as assembly names functions. */
#if defined(__GNUC__) && defined(__OPTIMIZE__) && defined(__ARM_FEATURE_SIMD32) && defined(__ARM_FEATURE_UNALIGNED) && \
    !defined(__ARM_BIG_ENDIAN) && !defined(__PIC__)
#define TINK_DSP 1
#endif
#endif

/* Cores whose multiplication has no 64-bit result. */
#if defined(__ARM_ARCH_6M__) || defined(__ARM_ARCH_8M_BASE__) || defined(__AVR__)
#define TINK_SHORT_MULTIPLY 1
#endif

/* Cores with Thumb-1 and a multiplication of one instruction, where the compiler runs out of its eight registers. */
#if defined(__GNUC__) && defined(__OPTIMIZE__) && defined(__thumb__) && !defined(__thumb2__) &&                        \
    !defined(__ARM_BIG_ENDIAN) && defined(__ARM_ARCH) && __ARM_ARCH >= 6
#define TINK_THUMB1 1
#endif

/* A function in assembly, which finds its parameters in registers, and is left out where others take its place. */
#define TINK_ASSEMBLY static __attribute__((naked, noinline, unused))

#if TINK_WIDE
/* A row between two layers: int8_t, or int16_t where it is wide. */
typedef void tink_row;
#else
/* A row between two layers. */
typedef int8_t tink_row;
#endif
/* [end] */

#endif
