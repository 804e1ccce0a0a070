/* Private to src/quantize: the distribution of |x| of one tensor, and the range that its integers should cover. */
#ifndef TIN_HISTOGRAM_H
#define TIN_HISTOGRAM_H

#include <stdint.h>

#include "base/error.h"

/* Bins over the top bits of the float: sign dropped, 8 bits of exponent, 11 of fraction. So a bin is at most 0.05 % wide
 * at any magnitude, no range has to be known beforehand, and the result does not depend on the order of the values. */
typedef struct tin_histogram {
    uint32_t *bins; /* [TIN_HISTOGRAM_BINS] */
    uint64_t n;
    float greatest;
} tin_histogram;

#define TIN_HISTOGRAM_FRACTION_BITS 11
#define TIN_HISTOGRAM_BINS (256u << TIN_HISTOGRAM_FRACTION_BITS)

tin_status tin_histogram_open(tin_histogram *h, tin_error *err) TIN_USE_RESULT;
void tin_histogram_close(tin_histogram *h);
/* x finite; at most 2^32 - 1 values. */
void tin_histogram_add(tin_histogram *h, float x);

/* Each gives the greatest |x| that integers 0..127 should reach; 0 when all values are 0 or there are none. */

/* Least bin edge with at least this share of the values below it, never more than the greatest value. */
double tin_histogram_percentile(const tin_histogram *h, double share);
/* The range with the smallest mean squared error of rounding and saturating, of greatest * 2^(-j/32), j = 0..255. */
tin_status tin_histogram_mse(const tin_histogram *h, double *range, tin_error *err) TIN_USE_RESULT;
/* The range at which the distribution in 128 steps loses least information: the smallest Kullback-Leibler divergence of
 * 2048 equal bins up to the greatest value from what 128 steps leave of them (Migacz, "8-bit inference with TensorRT",
 * GTC 2017). The bin of the zeros counts as its neighbour, as in NVIDIA's pytorch-quantization: zeros cost no steps. */
tin_status tin_histogram_kl(const tin_histogram *h, double *range, tin_error *err) TIN_USE_RESULT;

#endif
