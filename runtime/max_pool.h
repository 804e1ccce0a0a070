/* The greatest of the last rows. */
#ifndef TINK_MAX_POOL_H
#define TINK_MAX_POOL_H

#include "runtime/kernel.h"

/* [fragment] */
/* x [kernel][channels]; y[i] = greatest of column i. */
static void tink_max_pool(const int8_t *x, int32_t kernel, int32_t channels, int8_t *y)
{
    int32_t i, k;
    for (i = 0; i < channels; i++) {
        int8_t most = x[i];
        for (k = 1; k < kernel; k++) {
            most = x[k * channels + i] > most ? x[k * channels + i] : most;
        }
        y[i] = most;
    }
}
/* [end] */

#endif
