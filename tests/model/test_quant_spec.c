/* The scale of a row of weights, against a plain search. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first */
#include <cmocka.h>

#include "base/rng.h"
#include "model/quant_spec.h"

static double error_of(const float *w, int n, double scale, double most)
{
    double sum = 0;
    for (int i = 0; i < n; i++) {
        double q = fmax(-most, fmin(most, rint((double)w[i] / scale)));
        sum += pow(q * scale - (double)w[i], 2);
    }
    return sum;
}

static double greatest(const float *w, int n)
{
    double top = 0;
    for (int i = 0; i < n; i++)
        top = fmax(top, fabs((double)w[i]));
    return top;
}

static void powers_of_two_are_rounded_up(void **state)
{
    (void)state;
    assert_true(tin_power_of_two_up(1) == 1);
    assert_true(tin_power_of_two_up(1.0001) == 2);
    assert_true(tin_power_of_two_up(0.9999) == 1);
    assert_true(tin_power_of_two_up(ldexp(1, -40)) == ldexp(1, -40));
    assert_true(tin_power_of_two_up(3e-5) == ldexp(1, -15));
}

static void scales_of_rows_are_as_defined(void **state)
{
    (void)state;
    tin_rng rng;
    tin_rng_seed(&rng, 1);
    double full = 0, chosen = 0;
    for (int n = 1; n <= 200; n++) {
        float w[200];
        for (int i = 0; i < n; i++)
            w[i] = (float)(tin_rng_normal(&rng) * 0.1);
        double top = greatest(w, n), four = tin_weight_scale(w, n, 4, false), best = HUGE_VAL;
        assert_true(tin_weight_scale(w, n, 8, false) == top / 127);
        assert_true(tin_weight_scale(w, n, 8, true) == tin_power_of_two_up(top / 127));
        for (int clip = 11; clip <= 16; clip++)
            best = fmin(best, error_of(w, n, top / 7 * clip / 16, 7));
        assert_true(fabs(error_of(w, n, four, 7) - best) <= 1e-12 * best);
        assert_true(four <= top / 7 && four >= top / 7 * 11 / 16);
        full += error_of(w, n, top / 7, 7);
        chosen += best;
        double up = tin_power_of_two_up(top / 7), half = up / 2;
        assert_true(tin_weight_scale(w, n, 4, true) == (error_of(w, n, half, 7) < error_of(w, n, up, 7) ? half : up));
    }
    print_message("squared error of 4 bits: %.3f of that without clipping\n", chosen / full);
    assert_true(chosen < 0.9 * full);
    assert_true(tin_weight_scale((const float[3]){0}, 3, 8, false) == 0);
    assert_true(tin_weight_scale((const float[3]){0}, 3, 4, true) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(powers_of_two_are_rounded_up),
                                       cmocka_unit_test(scales_of_rows_are_as_defined)};
    return cmocka_run_group_tests_name("quant_spec", tests, NULL, NULL);
}
