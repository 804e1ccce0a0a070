/* From samples at their own times to frames, and the order of names. */
#include "data_test.h"

#include "base/rng.h"
#include "base/natural_order.h"
#include "data/file_list.h"
#include "data/recording.h"

static tin_recording recording_of(int n, double (*time)(int), double (*value)(double))
{
    tin_recording r = {.n_channels = 1, .origin = tin_strdup("r", NULL)};
    tin_track *track = tin_recording_add_track(&r, 1, NULL);
    assert_non_null(track);
    for (int i = 0; i < n; i++) {
        double t = time(i), v = value(t);
        assert_int_equal(tin_track_add(track, t, &v, NULL), TIN_OK);
    }
    return r;
}

static double at_50_hz(int i)
{
    return i / 50.0;
}
static double at_48_hz(int i)
{
    return i / 48.0;
}
static double nearly_50_hz(int i)
{
    return i / 50.0 + (i % 3) * 8e-5; /* less than one percent of a period */
}
static double in_two_parts(int i)
{
    return i / 50.0 + (i >= 10 ? 0.1 : 0); /* 0.12 s without samples: 6 periods */
}
static double with_a_hole(int i)
{
    return i / 50.0 + (i >= 10 ? 0.08 : 0); /* 5 periods are no gap */
}
static double line(double t)
{
    return 3 * t - 1;
}
static double odd(double t)
{
    return t * 1e9 - (double)(int64_t)(t * 1e9 / 7) * 7;
}

static void same_rate_is_untouched(void **state)
{
    (void)state;
    double (*times[2])(int) = {at_50_hz, nearly_50_hz};
    for (int k = 0; k < 2; k++) {
        tin_recording r = recording_of(3000, times[k], odd);
        assert_int_equal(tin_resample(&r, 50, TIN_RESAMPLE_LINEAR, NULL), TIN_OK);
        assert_int_equal(r.n_pieces, 1);
        assert_int_equal(r.pieces[0].n_frames, 3000);
        for (int i = 0; i < 3000; i++)
            assert_true(r.pieces[0].frames[i] == odd(times[k](i)));
        assert_int_equal(r.notes.n, 0);
        tin_recording_free(&r);
    }
}

static void lines_stay_lines(void **state)
{
    (void)state;
    static const double rates[4] = {50, 20, 47.9, 313};
    for (int k = 0; k < 4; k++) {
        tin_recording r = recording_of(481, at_48_hz, line);
        assert_int_equal(tin_resample(&r, rates[k], TIN_RESAMPLE_LINEAR, NULL), TIN_OK);
        assert_int_equal(r.pieces[0].n_frames, (int64_t)(10 * rates[k]) + 1);
        for (int64_t i = 0; i < r.pieces[0].n_frames; i++) {
            double error = r.pieces[0].frames[i] - line((double)i / rates[k]);
            assert_true(error < 1e-12 && error > -1e-12);
        }
        tin_recording_free(&r);
    }
}

static void gaps_split(void **state)
{
    (void)state;
    tin_recording r = recording_of(30, in_two_parts, line);
    assert_int_equal(tin_resample(&r, 50, TIN_RESAMPLE_LINEAR, NULL), TIN_OK);
    assert_int_equal(r.n_pieces, 2);
    assert_int_equal(r.pieces[0].n_frames, 10);
    assert_int_equal(r.pieces[1].n_frames, 20);
    assert_true(r.pieces[1].start == in_two_parts(10));
    assert_int_equal(r.notes.n, 1);
    tin_recording_free(&r);
    r = recording_of(30, with_a_hole, line);
    assert_int_equal(tin_resample(&r, 50, TIN_RESAMPLE_LINEAR, NULL), TIN_OK);
    assert_int_equal(r.n_pieces, 1);
    assert_int_equal(r.pieces[0].n_frames, 34);
    tin_recording_free(&r);
    r = recording_of(1, at_50_hz, line);
    assert_int_equal(tin_resample(&r, 50, TIN_RESAMPLE_LINEAR, NULL), TIN_OK);
    assert_int_equal(r.pieces[0].n_frames, 1);
    tin_recording_free(&r);
}

/* Two sensors, one with a fixed rate and one with times of its own: the frames cover what both do, and a gap of either
 * splits. */
static void tracks_meet(void **state)
{
    (void)state;
    tin_recording r = recording_of(30, in_two_parts, line);
    tin_track *second = tin_recording_add_track(&r, 2, NULL);
    assert_non_null(second);
    r.n_channels = 3;
    second->start = 0.05;
    second->rate_hz = 100;
    for (int i = 0; i < 50; i++) {
        double v[2] = {line(0.05 + i / 100.0), -line(0.05 + i / 100.0)};
        assert_int_equal(tin_track_add(second, 0, v, NULL), TIN_OK);
    }
    assert_int_equal(tin_resample(&r, 50, TIN_RESAMPLE_LINEAR, NULL), TIN_OK);
    assert_int_equal(r.n_pieces, 2);
    assert_true(r.pieces[0].start == 0.05);
    assert_int_equal(r.pieces[0].n_frames, 7); /* 0.05 .. 0.18 */
    assert_true(r.pieces[1].start == in_two_parts(10));
    assert_int_equal(r.pieces[1].n_frames, 13); /* 0.3 .. 0.54 */
    for (size_t p = 0; p < 2; p++)
        for (int64_t i = 0; i < r.pieces[p].n_frames; i++)
            for (int c = 0; c < 3; c++) {
                double expected = line(r.pieces[p].start + (double)i / 50) * (c == 2 ? -1 : 1);
                double error = r.pieces[p].frames[3 * i + c] - expected;
                assert_true(error < 1e-12 && error > -1e-12);
            }
    tin_recording_free(&r);
    r = recording_of(30, at_50_hz, line);
    second = tin_recording_add_track(&r, 1, NULL);
    assert_non_null(second);
    r.n_channels = 2;
    second->start = 10;
    second->rate_hz = 50;
    double one = 1;
    assert_int_equal(tin_track_add(second, 0, &one, NULL), TIN_OK);
    tin_error err = {0};
    assert_int_equal(tin_resample(&r, 50, TIN_RESAMPLE_LINEAR, &err), TIN_ERR_DATA);
    assert_non_null(strstr(err.message, "no time in common"));
    tin_recording_free(&r);
}

static void natural_order(void **state)
{
    (void)state;
    static const char *const sorted[] = {"", "1", "01", "2", "10", "a", "a1", "a1b2", "a01b3", "a2", "a10", "b"};
    /* equal numbers of other length fall back to the text: "01" before "1" */
    assert_true(tin_natural_compare("01", "1") < 0);
    for (size_t i = 0; i < sizeof sorted / sizeof *sorted; i++)
        for (size_t k = 0; k < sizeof sorted / sizeof *sorted; k++) {
            int order = tin_natural_compare(sorted[i], sorted[k]);
            if (i == k)
                assert_int_equal(order, 0);
            else if (strcmp(sorted[i], "01") != 0 && strcmp(sorted[k], "01") != 0)
                assert_true((order < 0) == (i < k));
        }
}

/* Names with one pattern, in natural order; the pattern's depth is that of the search. */
static void files_by_pattern(void **state)
{
    (void)state;
    static const char folder[] = TEST_TEMPORARY "/list";
    static const char *const names[] = {"a10.csv", "a9.csv", "b.txt", ".hidden.csv", "sub/a1.csv", "sub/deep/a.csv"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        write_text(folder, names[i], "x");
    tin_file_list list;
    assert_int_equal(tin_file_list_make(&list, folder, "*.csv", NULL), TIN_OK);
    assert_int_equal(list.n, 2);
    assert_string_equal(list.names[0], "a9.csv");
    assert_string_equal(list.names[1], "a10.csv");
    tin_file_list_free(&list);
    assert_int_equal(tin_file_list_make(&list, folder, "*/*.csv", NULL), TIN_OK);
    assert_int_equal(list.n, 1);
    assert_string_equal(list.names[0], "sub/a1.csv");
    tin_file_list_free(&list);
    tin_error err = {0};
    assert_int_equal(tin_file_list_make(&list, TEST_TEMPORARY "/none", "*", &err), TIN_ERR_IO);
    tin_file_list_free(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_rate_is_untouched),
        cmocka_unit_test(lines_stay_lines),
        cmocka_unit_test(gaps_split),
        cmocka_unit_test(tracks_meet),
        cmocka_unit_test(natural_order),
        cmocka_unit_test(files_by_pattern),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
