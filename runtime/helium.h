/* The vectors of Armv8.1-M, where the compiler says that the core has them. */
#ifndef TINK_HELIUM_H
#define TINK_HELIUM_H

#include "runtime/kernel.h"

/* [fragment] */
#if defined(TINK_DSP) && defined(__ARM_FEATURE_MVE)
#define TINK_HELIUM 1
#include <arm_mve.h>
#endif
/* [end] */

#endif
