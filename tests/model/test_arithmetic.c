#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first */
#include <cmocka.h>
#include <math.h>

#include "base/hash.h"
#include "base/rng.h"
#include "model/qmodel.h"

#define ONE 268435456.0 /* Q28 */

static void right_shift_is_arithmetic(void **state)
{
    (void)state;
    volatile int32_t a = -5;
    volatile int64_t b = -5;
    assert_int_equal(a >> 1, -3);
    assert_int_equal(b >> 32, -1);
}

static void multiply_high_rounds_half_up(void **state)
{
    (void)state;
    assert_int_equal(tin_multiply_high(2, 1 << 30), 1);
    assert_int_equal(tin_multiply_high(1, 1 << 30), 0);
    assert_int_equal(tin_multiply_high(-2, 1 << 30), 0);
    assert_int_equal(tin_multiply_high(-3, 1 << 30), -1);
    assert_int_equal(tin_multiply_high(INT32_MAX, INT32_MAX), (1 << 30) - 1);
    assert_int_equal(tin_multiply_high(-INT32_MAX, INT32_MAX), 1 - (1 << 30));
    assert_int_equal(tin_requantize(-7, 1 << 30, 2), -7);
    assert_int_equal(tin_requantize(32767, INT32_MAX, 16),
                     (int32_t)floor(32767.0 * 65536.0 * INT32_MAX / 4294967296.0 + 0.5));
}

/* floor(x * m / 2^(32-s) + 1/2) in long double, which holds all 64 bits of the product */
static void requantize_is_the_rounded_real_product(void **state)
{
    (void)state;
    tin_rng rng;
    tin_rng_seed(&rng, 3);
    for (int i = 0; i < 200000; i++) {
        int shift = (int)tin_rng_below(&rng, 17);
        int32_t acc = (int32_t)(tin_rng_next(&rng) >> 32) >> (shift + (int)tin_rng_below(&rng, 15));
        int32_t mult = (int32_t)(tin_rng_next(&rng) >> (33 + tin_rng_below(&rng, 20)));
        if (acc == INT32_MIN)
            continue;
        long double real = ldexpl((long double)acc * mult, shift - 32);
        assert_int_equal(tin_requantize(acc, mult, shift), (int32_t)floorl(real + 0.5L));
    }
}

static void sigmoid_holds_its_bounds_everywhere(void **state)
{
    (void)state;
    int32_t before = tin_sigmoid_q28(-70000);
    double greatest = 0, inner = 0, fall = 0;
    for (int32_t t = -70000; t <= 70000; t++) {
        int32_t v = tin_sigmoid_q28(t);
        double error = fabs(v / ONE - 1.0 / (1.0 + exp(-t / 4096.0)));
        assert_in_range(v, 65536, 268435456 - 65536);
        if (t >= INT16_MIN && t <= INT16_MAX)
            greatest = fmax(greatest, error);
        else
            assert_true(error <= 1.0 / 4096);
        if (t > -32512 && t < 32512)
            inner = fmax(inner, error);
        fall = fmax(fall, (before - v) / ONE);
        before = v;
    }
    assert_true(greatest < 1.2e-4);
    assert_true(inner < 6.2e-5);
    assert_true(fall < 2.6e-5);
    const int32_t far[] = {INT32_MIN, INT32_MIN + 1, -(1 << 30), -40000, 40000, 1 << 30, INT32_MAX};
    for (size_t i = 0; i < sizeof far / sizeof *far; i++)
        assert_int_equal(tin_sigmoid_q28(far[i]), far[i] < 0 ? 65536 : 268369920);
}

/* docs/integer-arithmetic.md states this hash: whoever copies the table can check it. */
static void sigmoid_table_is_the_documented_one(void **state)
{
    (void)state;
    char hex[TIN_HASH_HEX];
    assert_int_equal(tin_hash_bytes(tin_sigmoid_table, sizeof(uint32_t) * 256, hex, NULL), TIN_OK);
    assert_string_equal(hex, "5afcb1a6d7c709ad265860202fa85bcc889e35efc449d6931ff11e05d3488ccd");
    assert_int_equal(tin_sigmoid_table[0] & 0xffff, 0);
    assert_int_equal(tin_sigmoid_table[255] & 0xffff, 0);
}

/* The update of the gru: for extreme and random h, n and z the new state lies between h and n, so it never leaves
 * int16. */
static void gru_update_is_a_convex_combination(void **state)
{
    (void)state;
    tin_rng rng;
    tin_rng_seed(&rng, 5);
    const int32_t n_edge = (1 << 27) - 65536, z_edge = (1 << 28) - 65536;
    for (int i = 0; i < 400000; i++) {
        int32_t h = (int32_t)tin_rng_below(&rng, 65536) - 32768;
        int32_t n = (int32_t)tin_rng_below(&rng, 2 * (uint32_t)n_edge + 1) - n_edge;
        int32_t z = 65536 + (int32_t)tin_rng_below(&rng, (uint32_t)z_edge - 65535);
        if (i % 4 == 0)
            z = i % 8 ? z_edge : 65536;
        if (i % 7 == 0)
            n = i % 2 ? n_edge : -n_edge;
        if (i % 11 == 0)
            h = i % 2 ? 32767 : -32768;
        if (i % 13 == 0)
            n = h * 4096 + (int32_t)tin_rng_below(&rng, 64) - 32;
        if (n < -n_edge || n > n_edge)
            continue;
        int32_t next = (n + tin_multiply_high(h * 4096 - n, z) * 16 + 2048) >> 12, target = (n + 2048) >> 12;
        int32_t low = h < target ? h : target, high = h > target ? h : target;
        assert_true(next >= low && next <= high);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_shift_is_arithmetic),
        cmocka_unit_test(multiply_high_rounds_half_up),
        cmocka_unit_test(requantize_is_the_rounded_real_product),
        cmocka_unit_test(sigmoid_holds_its_bounds_everywhere),
        cmocka_unit_test(sigmoid_table_is_the_documented_one),
        cmocka_unit_test(gru_update_is_a_convex_combination),
    };
    return cmocka_run_group_tests_name("arithmetic", tests, NULL, NULL);
}
