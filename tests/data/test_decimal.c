/* Decimal text to double: the bits of strtod, for random texts, hard cases and every way of writing; and times. */
#include "data_test.h"

#include <math.h>

#include "base/rng.h"
#include "data/clock.h"
#include "data/decimal.h"

static void same_as_strtod(const char *text)
{
    double value = -1, expected = strtod(text, NULL);
    const size_t size = strlen(text);
    char *exact = malloc(size); /* no byte behind it, so that a sanitizer sees a read there */
    memcpy(exact, text, size);
    if (!tin_decimal(exact, size, '.', &value))
        fail_msg("'%s' is no number", text);
    if (memcmp(&value, &expected, sizeof value) != 0)
        fail_msg("'%s': %.17g instead of %.17g", text, value, expected);
    free(exact);
}

static void ways_of_writing(void **state)
{
    (void)state;
    static const char *const good[] = {"0",
                                       "-0",
                                       "-0.0",
                                       "1",
                                       "+1",
                                       "12.5",
                                       ".5",
                                       "5.",
                                       "-.25",
                                       "1e-3",
                                       "-1.25E+2",
                                       "1e0",
                                       "0e5",
                                       "00012.500",
                                       "0.1",
                                       "123456789012345",
                                       "1234567890123456789",
                                       "12345678901234567890",
                                       "0.3832031488418579",
                                       "-0.010995570570230484",
                                       "1657533977810",
                                       "1657533977810123456",
                                       "4.9e-324",
                                       "2.2250738585072011e-308",
                                       "2.2250738585072014e-308",
                                       "1.7976931348623157e308",
                                       "9007199254740993",
                                       "9007199254740992.5",
                                       "9007199254740993.0000000000000001",
                                       "1e22",
                                       "1e23",
                                       "8.5e22",
                                       "123456789e27",
                                       "1234567890123456789e-27",
                                       "1e-22",
                                       "1e-27",
                                       "1e-28",
                                       "9999999999999999999",
                                       "18446744073709551615",
                                       "18446744073709551616",
                                       "0.000000000000000000000000000001",
                                       "3.14159265358979323846264338327950288419716939937510",
                                       "6.0221e0023"};
    static const char *const bad[] = {"",    "-",    "+",  ".",  "e5",   "1e",    "1e+",    "--1",   "+-1", "1.2.3",
                                      "1,5", "0x10", " 1", "1 ", "1e5x", "1_000", "nan(1)", "1e5.0", "abc"};
    double value;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        same_as_strtod(good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (tin_decimal(bad[i], strlen(bad[i]), '.', &value))
            fail_msg("'%s' is no number", bad[i]);
    assert_true(tin_decimal("1e999", 5, '.', &value) && isinf(value)); /* the caller refuses it as not finite */
    assert_true(tin_decimal("-nan", 4, '.', &value) && isnan(value));
    assert_true(tin_decimal("-1,5e1", 6, ',', &value) && value == -15);
    assert_false(tin_decimal("1.5", 3, ',', &value));
    char long_text[900];
    memset(long_text, '3', sizeof long_text);
    assert_true(tin_decimal(long_text, 700, '.', &value) && isinf(value));
    assert_false(tin_decimal(long_text, 900, '.', &value));
}

/* Half-way between two doubles, and one unit of the last of 17 to 19 digits beside: where rounding twice would show. */
static void half_ways(void **state)
{
    (void)state;
    tin_rng rng;
    char text[80];
    tin_rng_seed(&rng, 11);
    for (int i = 0; i < 200000; i++) {
        uint64_t m = tin_rng_next(&rng) >> 11 | (uint64_t)1 << 52; /* 53 bits */
        (void)snprintf(text, sizeof text, "%llu",
                       (unsigned long long)(2 * m + 1 + (uint64_t)(i % 3) - 1)); /* 54 bits */
        same_as_strtod(text);
        (void)snprintf(text, sizeof text, "%llu.%llue%d", (unsigned long long)(m >> 3),
                       (unsigned long long)(tin_rng_next(&rng) % 1000), (int)tin_rng_below(&rng, 60) - 30);
        same_as_strtod(text);
    }
}

static void random_numbers(void **state)
{
    (void)state;
    static const int digits[] = {17, 16, 15, 9, 6, 3, 1, 18};
    tin_rng rng;
    char text[400];
    tin_rng_seed(&rng, 12);
    for (int i = 0; i < 200000; i++) {
        uint64_t bits = tin_rng_next(&rng);
        double any, near = tin_rng_normal(&rng) * 10;
        memcpy(&any, &bits, sizeof any);
        (void)snprintf(text, sizeof text, "%.*g", digits[i % 8], near);
        same_as_strtod(text);
        (void)snprintf(text, sizeof text, "%.*f", digits[i % 8], (double)(float)near);
        same_as_strtod(text);
        if (isfinite(any)) {
            (void)snprintf(text, sizeof text, "%.17g", any);
            same_as_strtod(text);
        }
        size_t n = 1 + tin_rng_below(&rng, 30), used = 0; /* any digits with a point and an exponent anywhere */
        for (size_t k = 0; k < n; k++)
            text[used++] = (char)('0' + tin_rng_below(&rng, 10));
        text[tin_rng_below(&rng, (uint32_t)n)] = i % 2 && n > 1 ? '.' : '7';
        (void)snprintf(text + used, sizeof text - used, "e%d", (int)tin_rng_below(&rng, 80) - 40);
        if (i % 4 < 3)
            text[used] = '\0';
        same_as_strtod(text);
    }
}

static void is_time(const char *text, double seconds)
{
    double ticks = 0;
    assert_true(tin_clock_iso8601(text, strlen(text), &ticks));
    if (ticks != seconds * 1e6)
        fail_msg("%s: %.6f", text, ticks / 1e6);
    for (size_t n = 0; n < 16; n++) /* what is shorter than minutes is no time */
        assert_false(tin_clock_iso8601(text, n, &ticks));
}

static void times(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "2024",
                                      "2024-13-01T00:00",
                                      "2024-00-01T00:00",
                                      "2024-01-32T00:00",
                                      "2024-01-01T25:00",
                                      "2024-01-01T00:60",
                                      "2024-01-01T00:00:61",
                                      "2024-01-01T00:00:00.",
                                      "2024-01-01T00:00:00+",
                                      "2024-01-01T00:00:00+1",
                                      "2024-01-01T00:00:00+15:00",
                                      "2024-01-01T00:00:00ZZ",
                                      "2024-01-01X00:00:00",
                                      "24-01-01T00:00:00",
                                      "2024-1-1T00:00:00",
                                      "2024-01-01T00:00:00+01:0"};
    double ticks;
    is_time("1970-01-01T00:00:00Z", 0);
    is_time("2000-02-29T12:00:00Z", 951825600);
    is_time("2024-03-01 12:30:00.25+01:00", 1709292600.25);
    is_time("2024-03-01T12:30:00,25-0130", 1709301600.25);
    is_time("2024-03-01T12:30", 1709296200);
    is_time("1969-12-31T23:59:59.5Z", -0.5);
    is_time("2022-07-11T10:06:17.810Z", 1657533977.810);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (tin_clock_iso8601(bad[i], strlen(bad[i]), &ticks))
            fail_msg("%s is no time", bad[i]);
    assert_true(tin_clock_ticks("s") == 1 && tin_clock_ticks("ms") == 1e3 && tin_clock_ticks("ns") == 1e9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ways_of_writing),
        cmocka_unit_test(half_ways),
        cmocka_unit_test(random_numbers),
        cmocka_unit_test(times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
