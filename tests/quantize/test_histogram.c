/* Ranges from made-up distributions, against scripts/golden/quantize_ranges.py. */
#include <math.h>

#include "base/memory.h"
#include "quantize/histogram.h"
#include "quantize_support.h"

#define N 20000

typedef double distribution(int i);

static double place(int i)
{
    return (i + 0.5) / N;
}

static double laplace(int i)
{
    return -log(1 - place(i));
}

static double half_zeros(int i)
{
    return i % 2 ? 0 : laplace(i);
}

static double heavy_tail(int i)
{
    return sqrt(place(i) / (1 - place(i)));
}

static double uniform(int i)
{
    return 3 * place(i);
}

static double knocks(int i)
{
    return i >= N - 10 ? 20 : place(i);
}

static void fill(tin_histogram *h, distribution *value)
{
    assert_int_equal(tin_histogram_open(h, NULL), TIN_OK);
    for (int i = 0; i < N; i++)
        tin_histogram_add(h, (float)(i % 3 ? -value(i) : value(i))); /* the sign has no effect */
}

static void expect_near(const char *name, const char *method, double got, double want, double share)
{
    if (!(fabs(got / want - 1) <= share))
        fail_msg("%s, %s: %.9g in place of %.9g", name, method, got, want);
}

static void ranges_are_those_of_the_definitions(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        distribution *value;
        double percentile, minmax, mse, kl, kl_tolerance;
    } cases[] = {
        {"laplace", laplace, 6.88306267, 10.5966347, 9.50893826, 9.26688125, 0.03},
        {"half zeros", half_zeros, 6.17779413, 9.49802244, 9.09533745, 8.89975834, 0.08},
        {"heavy tail", heavy_tail, 31.2187405, 199.9975, 179.468664, 37.4018762, 1e-06},
        {"uniform", uniform, 2.996925, 2.999925, 2.999925, 2.999925, 1e-6},
        {"knocks", knocks, 0.998975, 20, 20, 20, 1e-6},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tin_histogram h;
        double mse = 0, kl = 0;
        fill(&h, cases[i].value);
        assert_int_equal(tin_histogram_mse(&h, &mse, NULL), TIN_OK);
        assert_int_equal(tin_histogram_kl(&h, &kl, NULL), TIN_OK);
        print_message("%s: mse %.9g, kl %.9g\n", cases[i].name, mse, kl);
        /* a bin is 0.05 % wide; one candidate of mse is 2.2 % from the next */
        expect_near(cases[i].name, "percentile", tin_histogram_percentile(&h, 0.999), cases[i].percentile, 0.0006);
        expect_near(cases[i].name, "minmax", tin_histogram_percentile(&h, 1), cases[i].minmax, 1e-6);
        expect_near(cases[i].name, "mse", mse, cases[i].mse, 0.0225);
        /* a thin tail, one value here and there in bins of 0.05 %, moves a flat optimum */
        expect_near(cases[i].name, "kl", kl, cases[i].kl, cases[i].kl_tolerance);
        tin_histogram_close(&h);
    }
}

static void nothing_and_zeros_have_no_range(void **state)
{
    (void)state;
    for (int n = 0; n < 3; n += 2) {
        tin_histogram h;
        double mse = 1, kl = 1;
        assert_int_equal(tin_histogram_open(&h, NULL), TIN_OK);
        for (int i = 0; i < n; i++)
            tin_histogram_add(&h, i ? -0.0f : 0.0f);
        assert_int_equal(tin_histogram_mse(&h, &mse, NULL), TIN_OK);
        assert_int_equal(tin_histogram_kl(&h, &kl, NULL), TIN_OK);
        assert_true(mse == 0 && kl == 0 && tin_histogram_percentile(&h, 0.999) == 0);
        tin_histogram_close(&h);
    }
}

/* Any magnitude. */
static void constants_have_their_own_range(void **state)
{
    (void)state;
    const float sizes[] = {1e-30f, 1, 12345.678f, 3e38f};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        tin_histogram h;
        double mse = 0, kl = 0, size = (double)sizes[i];
        assert_int_equal(tin_histogram_open(&h, NULL), TIN_OK);
        for (int k = 0; k < 100; k++)
            tin_histogram_add(&h, sizes[i]);
        assert_int_equal(tin_histogram_mse(&h, &mse, NULL), TIN_OK);
        assert_int_equal(tin_histogram_kl(&h, &kl, NULL), TIN_OK);
        assert_true(tin_histogram_percentile(&h, 0.5) == size && kl > 0.999 * size && kl <= size);
        assert_true(mse > 0 && mse <= size); /* any range of which it is a multiple of a step */
        tin_histogram_close(&h);
    }
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    tin_histogram h;
    double range;
    fill(&h, laplace);
    tin_memory_fail_at(1);
    assert_int_equal(tin_histogram_mse(&h, &range, NULL), TIN_ERR_MEMORY);
    tin_memory_fail_at(1);
    assert_int_equal(tin_histogram_kl(&h, &range, NULL), TIN_ERR_MEMORY);
    tin_histogram_close(&h);
    tin_memory_fail_at(1);
    assert_int_equal(tin_histogram_open(&h, NULL), TIN_ERR_MEMORY);
    tin_memory_fail_at(0);
    assert_null(h.bins);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_are_those_of_the_definitions),
        cmocka_unit_test(nothing_and_zeros_have_no_range),
        cmocka_unit_test(constants_have_their_own_range),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("histogram", tests, NULL, NULL);
}
