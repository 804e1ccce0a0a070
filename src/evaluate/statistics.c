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

/* values [resamples] of one figure; those that are NaN are left out. */
static tin_bounds middle_of(double *values, size_t n)
{
    size_t n_values = 0;
    for (size_t i = 0; i < n; i++) {
        if (!isnan(values[i])) {
            values[n_values++] = values[i];
        }
    }
    tin_sort_doubles(values, n_values);
    return (tin_bounds){tin_percentile(values, n_values, 0.025), tin_percentile(values, n_values, 0.975)};
}

tin_status tin_bootstrap(tin_figures_of_drawn figures_of, void *context, size_t n, size_t n_figures, int resamples,
                         uint64_t seed, tin_bounds *bounds, tin_error *err)
{
    for (size_t f = 0; f < n_figures; f++) {
        bounds[f] = (tin_bounds){(double)NAN, (double)NAN};
    }
    if (n < 2 || resamples <= 0) {
        return TIN_OK;
    }
    size_t n_draws = (size_t)resamples;
    double *values = tin_alloc(n_draws * n_figures, sizeof *values, err);
    double *figures = tin_alloc(n_figures, sizeof *figures, err);
    size_t *drawn = tin_alloc(n, sizeof *drawn, err);
    tin_status status = values && figures && drawn ? TIN_OK : TIN_ERR_MEMORY;
    tin_rng rng;
    tin_rng_seed(&rng, seed);
    for (size_t r = 0; status == TIN_OK && r < n_draws; r++) {
        for (size_t i = 0; i < n; i++) {
            drawn[i] = tin_rng_below(&rng, (uint32_t)n);
        }
        figures_of(context, drawn, n, figures);
        for (size_t f = 0; f < n_figures; f++) {
            values[f * n_draws + r] = figures[f];
        }
    }
    for (size_t f = 0; status == TIN_OK && f < n_figures; f++) {
        bounds[f] = middle_of(values + f * n_draws, n_draws);
    }
    tin_free(values);
    tin_free(figures);
    tin_free(drawn);
    return status;
}

/* P(X <= count) for X ~ Poisson(mean). Terms by logarithms, so that a great mean does not underflow to 0; from k = count
 * down, until they no longer matter. */
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

/* The mean of which `count` or more are seen with probability `tail`. */
static double poisson_lower(int64_t count, double tail)
{
    double low = 0, high = (double)count;
    for (int i = 0; i < 100 && count > 0; i++) {
        double middle = (low + high) / 2;
        if (middle > 0 && 1 - poisson_cumulative(count - 1, middle) > tail) {
            high = middle;
        } else {
            low = middle;
        }
    }
    return low;
}

tin_bounds tin_poisson_bounds(int64_t count)
{
    return (tin_bounds){poisson_lower(count, 0.025), tin_poisson_upper(count, 0.025)};
}

/* 1 + d_1 / (1 + d_2 / (1 + ...)) of the incomplete beta function, https://dlmf.nist.gov/8.17.E22, by Lentz's method; fast
 * for x < (a + 1) / (a + b + 2). */
static double beta_fraction(double a, double b, double x)
{
    double c = 1, d = 0, value = 1;
    for (int j = 1; j < 100000; j++) {
        double m = j / 2;
        double term = j % 2 == 0 ? m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
                                 : -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        d = 1 / (1 + term * d);
        c = 1 + term / c;
        value *= c * d;
        if (fabs(c * d - 1) < 1e-15) {
            break;
        }
    }
    return value;
}

/* I_x(a, b), the share of a beta distribution below x. */
static double beta_cumulative(double a, double b, double x)
{
    if (x <= 0 || x >= 1) {
        return x <= 0 ? 0 : 1;
    }
    double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));
    return x < (a + 1) / (a + b + 2) ? front / a / beta_fraction(a, b, x) : 1 - front / b / beta_fraction(b, a, 1 - x);
}

/* The x with I_x(a, b) = share. */
static double beta_quantile(double a, double b, double share)
{
    double low = 0, high = 1;
    for (int i = 0; i < 100; i++) {
        double middle = (low + high) / 2;
        if (beta_cumulative(a, b, middle) < share) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return high;
}

tin_bounds tin_share_bounds(int64_t part, int64_t whole)
{
    if (whole <= 0) {
        return (tin_bounds){(double)NAN, (double)NAN};
    }
    double hit = (double)part, miss = (double)(whole - part);
    return (tin_bounds){part > 0 ? beta_quantile(hit, miss + 1, 0.025) : 0,
                        part < whole ? beta_quantile(hit + 1, miss, 0.975) : 1};
}
