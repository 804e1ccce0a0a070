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

static void bootstrap_of_equal_people_is_a_point(void **state)
{
    (void)state;
    const double parts[] = {3, 3, 3}, wholes[] = {4, 4, 4};
    tin_bounds b;
    assert_int_equal(tin_bootstrap_ratio(parts, wholes, 3, 1, 200, 1, &b, NULL), TIN_OK);
    assert_true(b.low == 0.75 && b.high == 0.75);
}

/* Two people, 0 of 1 and 1 of 1: the mean of a draw is 0, 0.5 or 1 with probability 1/4, 1/2, 1/4, so the 95 % interval
 * is [0, 1]. Of people 0 of 1 and 2 of 9 the ratio is 0, 0.2 or 2/9. */
static void bootstrap_draws_people(void **state)
{
    (void)state;
    const double parts[] = {0, 1}, wholes[] = {1, 1}, more[] = {0, 2}, sizes[] = {1, 9};
    tin_bounds b, again;
    assert_int_equal(tin_bootstrap_ratio(parts, wholes, 2, 100, 2000, 5, &b, NULL), TIN_OK);
    assert_true(b.low == 0 && b.high == 100);
    assert_int_equal(tin_bootstrap_ratio(more, sizes, 2, 1, 2000, 5, &b, NULL), TIN_OK);
    assert_true(b.low == 0 && b.high == 2.0 / 9);
    assert_int_equal(tin_bootstrap_ratio(more, sizes, 2, 1, 2000, 5, &again, NULL), TIN_OK);
    assert_true(b.low == again.low && b.high == again.high);
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
    tin_bounds b;
    assert_int_equal(tin_bootstrap_ratio(parts, wholes, 400, 1, 4000, 9, &b, NULL), TIN_OK);
    assert_true(fabs(b.low - 0.4716) < 0.003);
    assert_true(fabs(b.high - 0.5284) < 0.003);
}

static void nothing_to_bound_is_nan(void **state)
{
    (void)state;
    const double parts[] = {0, 0}, wholes[] = {0, 0};
    tin_bounds b;
    assert_int_equal(tin_bootstrap_ratio(parts, wholes, 2, 1, 100, 1, &b, NULL), TIN_OK);
    assert_true(isnan(b.low) && isnan(b.high));
    assert_int_equal(tin_bootstrap_ratio(NULL, NULL, 0, 1, 100, 1, &b, NULL), TIN_OK);
    assert_true(isnan(b.low));
    /* one person, drawn again and again, would be an interval of width 0 */
    const double part = 3, whole = 4;
    assert_int_equal(tin_bootstrap_ratio(&part, &whole, 1, 1, 100, 1, &b, NULL), TIN_OK);
    assert_true(isnan(b.low) && isnan(b.high));
    tin_error err = {0};
    tin_memory_fail_at(1);
    assert_int_equal(tin_bootstrap_ratio(parts, wholes, 2, 1, 100, 1, &b, &err), TIN_ERR_MEMORY);
    tin_memory_fail_at(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percentiles_are_linear_between_values),
        cmocka_unit_test(a_value_on_a_border_opens_its_bin),
        cmocka_unit_test(poisson_bounds_are_exact),
        cmocka_unit_test(bootstrap_of_equal_people_is_a_point),
        cmocka_unit_test(bootstrap_draws_people),
        cmocka_unit_test(bootstrap_width_is_right),
        cmocka_unit_test(nothing_to_bound_is_nan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
