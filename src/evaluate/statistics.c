#include "evaluate/statistics.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/rng.h"

double tin_percentile(const double *sorted, size_t n, double p)
{
    if (n == 0) {
        return (double)NAN;
    }
    double position = p * (double)(n - 1);
    size_t below = (size_t)position;
    if (below + 1 >= n) {
        return sorted[n - 1];
    }
    return sorted[below] + (position - (double)below) * (sorted[below + 1] - sorted[below]);
}

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

void tin_sort_doubles(double *values, size_t n)
{
    if (n > 1) {
        qsort(values, n, sizeof *values, compare_doubles);
    }
}

int64_t tin_bin_of(double value, double width)
{
    return (int64_t)floor(value / width + 1e-9);
}

double tin_mean(const double *values, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += values[i];
    }
    return n > 0 ? sum / (double)n : (double)NAN;
}

tin_status tin_bootstrap_ratio(const double *parts, const double *wholes, size_t n, double scale, int resamples,
                               uint64_t seed, tin_bounds *bounds, tin_error *err)
{
    *bounds = (tin_bounds){(double)NAN, (double)NAN};
    if (n < 2 || resamples <= 0) {
        return TIN_OK;
    }
    double *values = tin_alloc((size_t)resamples, sizeof *values, err);
    if (values == NULL) {
        return TIN_ERR_MEMORY;
    }
    tin_rng rng;
    tin_rng_seed(&rng, seed);
    size_t n_values = 0;
    for (int r = 0; r < resamples; r++) {
        double part = 0, whole = 0;
        for (size_t i = 0; i < n; i++) {
            size_t person = tin_rng_below(&rng, (uint32_t)n);
            part += parts[person];
            whole += wholes[person];
        }
        if (whole > 0) {
            values[n_values++] = scale * part / whole;
        }
    }
    tin_sort_doubles(values, n_values);
    bounds->low = tin_percentile(values, n_values, 0.025);
    bounds->high = tin_percentile(values, n_values, 0.975);
    tin_free(values);
    return TIN_OK;
}

/* P(X <= count) for X ~ Poisson(mean), mean >= count. Terms by logarithms, so that a great mean does not underflow to
 * 0; from the greatest term (k = count) down, until they no longer matter. */
static double poisson_cumulative(int64_t count, double mean)
{
    double sum = 0;
    for (int64_t k = count; k >= 0; k--) {
        double term = exp((double)k * log(mean) - mean - lgamma((double)k + 1));
        sum += term;
        if (term < 1e-18 * sum) {
            break;
        }
    }
    return sum;
}

double tin_poisson_upper(int64_t count, double tail)
{
    double low = (double)count, high = (double)count + 10;
    while (poisson_cumulative(count, high) > tail) {
        high *= 2;
    }
    for (int i = 0; i < 100; i++) {
        double middle = (low + high) / 2;
        if (middle > 0 && poisson_cumulative(count, middle) <= tail) {
            high = middle;
        } else {
            low = middle;
        }
    }
    return high;
}
