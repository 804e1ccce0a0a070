#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "evaluate/statistics.h"

/* numpy.percentile([1, 2, 4, 8], [0, 50, 95, 100]) = 1, 3, 7.4, 8 */
static void percentiles_are_linear_between_values(void **state)
{
    (void)state;
    double v[] = {8, 1, 4, 2};
    tin_sort_doubles(v, 4);
    assert_true(tin_percentile(v, 4, 0) == 1);
    assert_true(tin_percentile(v, 4, 0.5) == 3);
    assert_true(fabs(tin_percentile(v, 4, 0.95) - 7.4) < 1e-12);
    assert_true(tin_percentile(v, 4, 1) == 8);
    assert_true(tin_percentile(v, 1, 0.3) == 1);
    assert_true(isnan(tin_percentile(v, 0, 0.5)));
    assert_true(tin_mean(v, 4) == 3.75);
    assert_true(isnan(tin_mean(v, 0)));
}

/* Frames at 50 Hz, in bins of 0.1 s: every fifth frame opens a bin, though 0.3 / 0.1 < 3 in doubles. */
static void a_value_on_a_border_opens_its_bin(void **state)
{
    (void)state;
    for (int frame = -200; frame < 3000; frame++) {
        int expected = (frame + 1000) / 5 - 200; /* rounds down, also below 0 */
        assert_int_equal(tin_bin_of(frame / 50.0, 0.1), expected);
    }
}

/* Reference: scipy.stats.chi2.ppf(1 - tail, 2 * count + 2) / 2. */
static void poisson_bounds_are_exact(void **state)
{
    (void)state;
    assert_true(fabs(tin_poisson_upper(0, 0.05) - 2.995732273553991) < 1e-9);
    assert_true(fabs(tin_poisson_upper(1, 0.05) - 4.743864518390577) < 1e-9);
    assert_true(fabs(tin_poisson_upper(0, 0.025) - 3.6888794541139363) < 1e-9);
    assert_true(fabs(tin_poisson_upper(10, 0.025) - 18.39035604201778) < 1e-9);
    assert_true(fabs(tin_poisson_upper(2000, 0.05) - 2075.142591043989) < 1e-6);
}

/* The other way about: with this mean, `count` or more are seen with probability 2.5 %. scipy.stats.chi2.ppf(0.025, 2 *
 * count) / 2 and chi2.ppf(0.975, 2 * count + 2) / 2. */
static void poisson_bounds_have_two_sides(void **state)
{
    (void)state;
    const struct {
        int64_t count;
        double low, high;
    } known[] = {{0, 0, 3.6888794541139354},
                 {1, 0.025317807984289876, 5.571643390938898},
                 {7, 2.8143630515198654, 14.422675361702376},
                 {2000, 1913.2987096256304, 2089.6174394458276}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        tin_bounds b = tin_poisson_bounds(known[i].count);
        assert_true(fabs(b.low - known[i].low) <= 1e-9 * known[i].low);
        assert_true(fabs(b.high - known[i].high) <= 1e-9 * known[i].high);
    }
}

/* scipy.stats.beta.ppf(0.025, k, n - k + 1) and beta.ppf(0.975, k + 1, n - k). */
static void share_bounds_are_exact(void **state)
{
    (void)state;
    const struct {
        int64_t part, whole;
        double low, high;
    } known[] = {
        {0, 1, 0, 0.975},
        {0, 20, 0, 0.1684334709830853},
        {1, 20, 0.0012650894979498038, 0.24873276277202777},
        {10, 20, 0.27195784956079183, 0.7280421504392081},
        {20, 20, 0.8315665290169146, 1},
        {3, 7, 0.09898827844250786, 0.8159484323599169},
        {17, 4000, 0.002477671491900137, 0.006795968659733767},
        {3999, 4000, 0.9986078848780338, 0.9999936705680349},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        tin_bounds b = tin_share_bounds(known[i].part, known[i].whole);
        assert_true(fabs(b.low - known[i].low) < 1e-9 && fabs(b.high - known[i].high) < 1e-9);
    }
    assert_true(isnan(tin_share_bounds(0, 0).low) && isnan(tin_share_bounds(0, 0).high));
}

/* What people add to a ratio, as the figure of a bootstrap. */
typedef struct shares {
    const double *parts, *wholes;
} shares;

static void ratio_of_drawn(void *context, const size_t *drawn, size_t n, double *figures)
{
    const shares *s = context;
    double part = 0, whole = 0;
    for (size_t i = 0; i < n; i++) {
        part += s->parts[drawn[i]];
        whole += s->wholes[drawn[i]];
    }
    figures[0] = whole > 0 ? part / whole : (double)NAN;
    figures[1] = whole > 0 ? 100 * part / whole : (double)NAN;
}

static tin_status bootstrap(const double *parts, const double *wholes, size_t n, int resamples, uint64_t seed,
                            tin_bounds bounds[2])
{
    shares s = {parts, wholes};
    return tin_bootstrap(ratio_of_drawn, &s, n, 2, resamples, seed, bounds, NULL);
}

static void bootstrap_of_equal_people_is_a_point(void **state)
{
    (void)state;
    const double parts[] = {3, 3, 3}, wholes[] = {4, 4, 4};
    tin_bounds b[2];
    assert_int_equal(bootstrap(parts, wholes, 3, 200, 1, b), TIN_OK);
    assert_true(b[0].low == 0.75 && b[0].high == 0.75 && b[1].low == 75);
}

/* Two people, 0 of 1 and 1 of 1: the mean of a draw is 0, 0.5 or 1 with probability 1/4, 1/2, 1/4, so the 95 % interval
 * is [0, 1]. Of people 0 of 1 and 2 of 9 the ratio is 0, 0.2 or 2/9. */
static void bootstrap_draws_people(void **state)
{
    (void)state;
    const double parts[] = {0, 1}, wholes[] = {1, 1}, more[] = {0, 2}, sizes[] = {1, 9};
    tin_bounds b[2], again[2];
    assert_int_equal(bootstrap(parts, wholes, 2, 2000, 5, b), TIN_OK);
    assert_true(b[0].low == 0 && b[0].high == 1 && b[1].low == 0 && b[1].high == 100);
    assert_int_equal(bootstrap(more, sizes, 2, 2000, 5, b), TIN_OK);
    assert_true(b[0].low == 0 && b[0].high == 2.0 / 9);
    assert_int_equal(bootstrap(more, sizes, 2, 2000, 5, again), TIN_OK);
    assert_memory_equal(b, again, sizeof b);
}

/* 400 people with normal-ish values: the interval of the mean is close to mean +- 1.96 * deviation / sqrt(n). Values
 * i/399 uniform in 0..1: 0.5 +- 1.96 * 0.2894 / 20 = 0.4716 .. 0.5284. */
static void bootstrap_width_is_right(void **state)
{
    (void)state;
    double parts[400], wholes[400];
    for (int i = 0; i < 400; i++) {
        parts[i] = i / 399.0;
        wholes[i] = 1;
    }
    tin_bounds b[2];
    assert_int_equal(bootstrap(parts, wholes, 400, 4000, 9, b), TIN_OK);
    assert_true(fabs(b[0].low - 0.4716) < 0.003);
    assert_true(fabs(b[0].high - 0.5284) < 0.003);
}

/* A draw of the first person twice has no figure, and is left out. */
static void nothing_to_bound_is_nan(void **state)
{
    (void)state;
    const double parts[] = {0, 0}, wholes[] = {0, 0}, part[] = {0, 3}, whole[] = {0, 4};
    tin_bounds b[2];
    assert_int_equal(bootstrap(parts, wholes, 2, 100, 1, b), TIN_OK);
    assert_true(isnan(b[0].low) && isnan(b[0].high));
    assert_int_equal(bootstrap(part, whole, 2, 100, 1, b), TIN_OK);
    assert_true(b[0].low == 0.75 && b[0].high == 0.75);
    assert_int_equal(bootstrap(NULL, NULL, 0, 100, 1, b), TIN_OK);
    assert_true(isnan(b[0].low));
    /* one person, drawn again and again, would be an interval of width 0 */
    assert_int_equal(bootstrap(part + 1, whole + 1, 1, 100, 1, b), TIN_OK);
    assert_true(isnan(b[0].low) && isnan(b[0].high));
    for (size_t n = 1; n <= 3; n++) {
        tin_memory_fail_at(n);
        assert_int_equal(bootstrap(parts, wholes, 2, 100, 1, b), TIN_ERR_MEMORY);
        tin_memory_fail_at(0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percentiles_are_linear_between_values),
        cmocka_unit_test(a_value_on_a_border_opens_its_bin),
        cmocka_unit_test(poisson_bounds_are_exact),
        cmocka_unit_test(poisson_bounds_have_two_sides),
        cmocka_unit_test(share_bounds_are_exact),
        cmocka_unit_test(bootstrap_of_equal_people_is_a_point),
        cmocka_unit_test(bootstrap_draws_people),
        cmocka_unit_test(bootstrap_width_is_right),
        cmocka_unit_test(nothing_to_bound_is_nan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
