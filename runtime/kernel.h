/* How kernels are declared. */
#ifndef TINK_KERNEL_H
#define TINK_KERNEL_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* [fragment] */
/* Kernels stay functions of their own: shared by the layers, and with a small stack. */
#if defined(__GNUC__)
#define TINK_KERNEL static __attribute__((noinline))
#else
#define TINK_KERNEL static
#endif

/* Cores with the DSP instructions of Armv7E-M and Armv8-M: the same results by fewer instructions. */
#if defined(__GNUC__) && defined(__ARM_FEATURE_SIMD32) && defined(__ARM_FEATURE_UNALIGNED)
#define TINK_DSP 1
#endif
/* [end] */

#endif
