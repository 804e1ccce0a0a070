/* Intervals for figures: percentiles, bootstrap over people, exact Poisson bounds. docs/metrics.md. */
#ifndef TIN_STATISTICS_H
#define TIN_STATISTICS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct tin_bounds {
    double low, high; /* NaN when there is nothing to bound */
} tin_bounds;

/* Percentile p in 0..1 of sorted values [n], linear between neighbours (position p * (n-1), as numpy's default); NaN
 * for n = 0. */
double tin_percentile(const double *sorted, size_t n, double p);
/* Ascending; no NaN allowed. */
void tin_sort_doubles(double *values, size_t n);
/* Number of the bin [k * width, (k + 1) * width) that holds the value; a value on a border belongs above it, also where
 * the division comes out a hair too small (0.3 / 0.1). */
int64_t tin_bin_of(double value, double width);
double tin_mean(const double *values, size_t n); /* NaN for n = 0 */

/* 95 % percentile interval of scale * sum(parts) / sum(wholes) when the n people (a person's part and whole are one
 * item) are drawn n times with replacement, `resamples` times. The same seed draws the same people, so intervals of
 * several figures belong together. Draws whose whole is 0 are left out. NaN for n < 2: one person says nothing about
 * others. */
tin_status tin_bootstrap_ratio(const double *parts, const double *wholes, size_t n, double scale, int resamples,
                               uint64_t seed, tin_bounds *bounds, tin_error *err) TIN_USE_RESULT;

/* Greatest mean of a Poisson count that still gives `count` or fewer with probability `tail` (0.05: one-sided 95 %
 * upper bound; for count 0 that is -ln(0.05) = 2.996). Exact (Garwood 1936), by bisection. */
double tin_poisson_upper(int64_t count, double tail);

#endif
