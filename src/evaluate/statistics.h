/* Intervals for figures: percentiles, bootstrap over people, exact bounds of counts. docs/metrics.md. */
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

/* Figures [n_figures] of the people drawn [n], each as often as drawn; NaN: there is none. */
typedef void (*tin_figures_of_drawn)(void *context, const size_t *drawn, size_t n, double *figures);
/* 95 % percentile intervals [n_figures] of figures when n people are drawn n times with replacement, `resamples` times. The
 * same seed draws the same people, so intervals belong together. Draws without the figure are left out. NaN for n < 2: one
 * person says nothing about others. */
tin_status tin_bootstrap(tin_figures_of_drawn figures_of, void *context, size_t n, size_t n_figures, int resamples,
                         uint64_t seed, tin_bounds *bounds, tin_error *err) TIN_USE_RESULT;

/* Greatest mean of a Poisson count that still gives `count` or fewer with probability `tail` (0.05: one-sided 95 %
 * upper bound; for count 0 that is -ln(0.05) = 2.996). Exact (Garwood 1936), by bisection. */
double tin_poisson_upper(int64_t count, double tail);
/* Exact 95 % interval of the mean of a Poisson count, 2.5 % on either side (Garwood 1936). */
tin_bounds tin_poisson_bounds(int64_t count);
/* Exact 95 % interval of the chance of an event seen in `part` of `whole` independent trials, 2.5 % on either side (Clopper
 * and Pearson 1934). NaN for whole = 0. */
tin_bounds tin_share_bounds(int64_t part, int64_t whole);

#endif
