/* The constants of an avg_pool. */
#ifndef TINK_MEAN_H
#define TINK_MEAN_H

#include "runtime/kernel.h"

/* [fragment] */
typedef struct tink_avg_pool_t {
    int32_t mult;
    int16_t kernel, channels, shift;
    int16_t low, wide, wide_out; /* wide: rows are int16_t */
} tink_avg_pool_t;
/* [end] */

#endif
