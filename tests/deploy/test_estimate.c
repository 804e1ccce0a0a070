/* Names of emulated cores, and estimates from profiles of devices against values worked out by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "deploy/estimate.h"

static void test_target_list(void **state)
{
    (void)state;
    tin_error err = {0};
    unsigned all = 0, some = 0;
    int n = 0;
    while (tin_target_name(n) != NULL) {
        n++;
    }
    assert_true(n >= 10);
    assert_int_equal(tin_target_list("all", &all, &err), TIN_OK);
    assert_int_equal(all, (1u << n) - 1);
    assert_int_equal(tin_target_list("m4,m0,m4", &some, &err), TIN_OK);
    assert_int_equal(__builtin_popcount(some), 2);
    static const char *const wrong[] = {"", "m", "m4,", "m44", "M4", "m4 m0", "a_name_longer_than_any_of_them_is"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        err = (tin_error){0};
        assert_int_equal(tin_target_list(wrong[i], &some, &err), TIN_ERR_USAGE);
        assert_non_null(strstr(err.message, " m33 "));
    }
}

static void near(double value, double expected)
{
    assert_true(fabs(value - expected) < 1e-9 * (1 + fabs(expected)));
}

static void test_estimate(void **state)
{
    (void)state;
    const tin_power_profile device = {
        .name = "d", .target = "m4", .mhz = 10, .cycles_per_insn = 2, .ua_per_mhz = 100, .volts = 3, .sleep_ua = 4};
    tin_footprint f = {.insn_per_frame = 5000, .insn_per_decision = 20000, .insn_worst_frame = 15000};
    /* 10,000 cycles per frame at 100 frames per second: 1 of 10 million cycles per second; 1 mA at 3 V is 3 mW */
    tin_estimate e = tin_estimate_of(&device, &f, 100);
    near(e.cycles_per_decision, 40000);
    near(e.duty, 0.1);
    near(e.worst_share, 0.3);
    near(e.decision_uj, 0.004 * 3000);
    near(e.average_uw, 0.1 * 3000 + 0.9 * 12);
    e = tin_estimate_of(&device, &f, 2000); /* does not keep up, and never sleeps */
    near(e.duty, 2);
    near(e.average_uw, 3000);
}

/* Every profile is of a core that can be measured, and says where it is from. */
static void test_profiles(void **state)
{
    (void)state;
    for (const tin_power_profile *p = tin_power_profiles; p->name != NULL; p++) {
        tin_error err = {0};
        const tin_power_profile *found = NULL;
        unsigned targets;
        assert_int_equal(tin_power_profile_find(&found, p->name, &err), TIN_OK);
        assert_ptr_equal(found, p);
        assert_int_equal(tin_target_list(p->target, &targets, &err), TIN_OK);
        assert_true(p->mhz > 0 && p->cycles_per_insn >= 1 && p->ua_per_mhz > 0 && p->volts > 1 && p->sleep_ua > 0);
        assert_true(strlen(p->source) > 10);
    }
    const tin_power_profile *none = NULL;
    tin_error err = {0};
    assert_int_equal(tin_power_profile_find(&none, "toaster", &err), TIN_ERR_USAGE);
    assert_non_null(strstr(err.message, "apollo3 (m4)"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_target_list),
        cmocka_unit_test(test_estimate),
        cmocka_unit_test(test_profiles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
