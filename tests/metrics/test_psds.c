/* PSDS: worked out by hand, and the implementation of its authors (scripts/golden/psds.py). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/memory.h"
#include "metrics/psds.h"

#define MOST 256
#define MOST_POINTS 16
#define N_CLASSES 8

static void close_to(double value, double expected)
{
    assert_true(fabs(value - expected) < 1e-9);
}

/* Criteria 0.5, 0.5, 0.3. Events: A = class 1 [10, 30), B = class 2 [40, 60), C = class 2 [60, 80).
 *   [12, 20) class 1: all of it in A, passes; covers 8 of A. [20, 34) class 1: 10 of 14 in A, passes; covers 10 more: 18 of 20,
 *   A is found, by two segments together. [36, 56) class 1: none of it in events of class 1, false; 16 of 20 in class 2: crossed.
 *   [58, 82) class 2: 22 of 24 in B and C, passes; covers 2 of B, which is not found, and all of C, which is.
 *   [85, 95) class 3: false, crosses nothing. */
static void counts_by_hand(void **state)
{
    (void)state;
    const tin_interval events[] = {{10, 30, 1}, {40, 60, 2}, {60, 80, 2}};
    const tin_interval segments[] = {{12, 20, 1}, {20, 34, 1}, {36, 56, 1}, {58, 82, 2}, {85, 95, 3}};
    const tin_scene scene = {events, 3, NULL, 100};
    const tin_psds_settings settings = {"", 0.5, 0.5, 0.3, 0.5, 0, 100};
    tin_psds_counts c;
    int64_t covered[3];
    assert_int_equal(tin_psds_counts_create(&c, 4, NULL), TIN_OK);
    tin_psds_count(&scene, segments, 5, &settings, covered, &c);
    assert_true(c.found[1] == 1 && c.found[2] == 1 && c.found[3] == 0);
    assert_true(c.false_segments[1] == 1 && c.false_segments[2] == 0 && c.false_segments[3] == 1);
    for (int i = 0; i < 16; i++) {
        assert_int_equal(c.crossed[i], i == 4 * 1 + 2);
    }
    /* 100 frames at 10 Hz: 360 of them an hour. Class 1: 360 false ones an hour, and per hour of class 2 (40 frames) 900
     * crossed, the only other class that occurs: 360 + 0.5 * 900. */
    const int64_t n_events[] = {0, 1, 2, 0}, frames[] = {0, 20, 40, 0};
    const tin_psds_truth truth = {4, n_events, frames, 100, 10};
    tin_psds_point points[4];
    tin_psds_points_of(&c, &truth, &settings, points);
    close_to(points[1].fp_per_hour, 810);
    close_to(points[1].found, 1);
    close_to(points[2].fp_per_hour, 0);
    close_to(points[2].found, 0.5);
    tin_psds_counts_clear(&c);
    assert_true(c.found[1] == 0 && c.crossed[6] == 0);
    tin_psds_counts_free(&c);
}

/* Up to 100 false positives an hour. Class 1 finds 0.4 at 20, 0.2 at 30, which is worse and does not count, and all at 60.
 * Class 2 finds 0.5 at 0 and 1 at 120, too late. Means: 0.25 up to 20, 0.45 up to 60, 0.75 up to 100: 5 + 18 + 30. Less one
 * standard deviation: 0, 0.4, 0.5: 0 + 16 + 20. Class 3 never occurs. */
static void area_by_hand(void **state)
{
    (void)state;
    const tin_psds_point points[3][4] = {{{0, 0}, {60, 1}, {120, 1}, {0, 0}},
                                         {{0, 0}, {20, 0.4}, {0, 0.5}, {9, 0}},
                                         {{0, 0}, {30, 0.2}, {0, 0.1}, {0, 0}}};
    const int64_t n_events[] = {0, 5, 10, 0}, frames[] = {0, 50, 90, 0};
    const tin_psds_truth truth = {4, n_events, frames, 1000, 10},
                         empty = {4, (int64_t[4]){0}, (int64_t[4]){0}, 1000, 10};
    tin_psds_settings settings = {"", 0.5, 0.5, 0.3, 0, 0, 100};
    double value = 0;
    assert_int_equal(tin_psds_value(points[0], 3, &truth, &settings, &value, NULL), TIN_OK);
    close_to(value, 0.53);
    settings.alpha_st = 1;
    assert_int_equal(tin_psds_value(points[0], 3, &truth, &settings, &value, NULL), TIN_OK);
    close_to(value, 0.36);
    assert_int_equal(tin_psds_value(points[0], 0, &truth, &settings, &value, NULL), TIN_OK);
    close_to(value, 0);
    assert_int_equal(tin_psds_value(points[0], 3, &empty, &settings, &value, NULL), TIN_OK);
    assert_true(isnan(value));
    tin_memory_fail_at(1);
    assert_int_equal(tin_psds_value(points[0], 3, &truth, &settings, &value, NULL), TIN_ERR_MEMORY);
    tin_psds_counts counts;
    tin_memory_fail_at(1);
    assert_int_equal(tin_psds_counts_create(&counts, 4, NULL), TIN_ERR_MEMORY);
    tin_memory_fail_at(0);
}

static size_t read_intervals(const json_t *list, tin_interval intervals[MOST])
{
    size_t i;
    const json_t *one;
    assert_true(json_array_size(list) <= MOST);
    json_array_foreach(list, i, one)
    {
        intervals[i] =
            (tin_interval){json_integer_value(json_array_get(one, 0)), json_integer_value(json_array_get(one, 1)),
                           (int32_t)json_integer_value(json_array_get(one, 2))};
    }
    return json_array_size(list);
}

/* Truth of all recordings into the arrays of `truth`. */
static void read_truth(const json_t *one, int64_t n_events[N_CLASSES], int64_t frames[N_CLASSES], tin_psds_truth *truth)
{
    const json_t *lengths = json_object_get(one, "lengths"), *events = json_object_get(one, "events");
    *truth = (tin_psds_truth){(int)json_integer_value(json_object_get(one, "n_classes")), n_events, frames, 0, 64};
    assert_true(truth->n_classes <= N_CLASSES);
    for (size_t f = 0; f < json_array_size(lengths); f++) {
        tin_interval intervals[MOST];
        size_t n = read_intervals(json_array_get(events, f), intervals);
        for (size_t i = 0; i < n; i++) {
            n_events[intervals[i].class_index]++;
            frames[intervals[i].class_index] += intervals[i].end - intervals[i].start;
        }
        truth->n_frames += json_integer_value(json_array_get(lengths, f));
    }
}

static double score(const json_t *one, const tin_psds_settings *settings)
{
    int64_t n_events[N_CLASSES] = {0}, frames[N_CLASSES] = {0}, covered[MOST];
    tin_psds_point points[MOST_POINTS * N_CLASSES];
    const json_t *lengths = json_object_get(one, "lengths"), *events = json_object_get(one, "events"),
                 *thresholds = json_object_get(one, "points");
    tin_psds_truth truth;
    tin_psds_counts counts;
    double value = 0;
    read_truth(one, n_events, frames, &truth);
    assert_true(json_array_size(thresholds) <= MOST_POINTS);
    assert_int_equal(tin_psds_counts_create(&counts, truth.n_classes, NULL), TIN_OK);
    for (size_t t = 0; t < json_array_size(thresholds); t++) {
        tin_psds_counts_clear(&counts);
        for (size_t f = 0; f < json_array_size(lengths); f++) {
            tin_interval own[MOST], segments[MOST];
            size_t n_own = read_intervals(json_array_get(events, f), own);
            size_t n_segments = read_intervals(json_array_get(json_array_get(thresholds, t), f), segments);
            const tin_scene scene = {own, n_own, NULL, json_integer_value(json_array_get(lengths, f))};
            tin_psds_count(&scene, segments, n_segments, settings, covered, &counts);
        }
        tin_psds_points_of(&counts, &truth, settings, points + t * (size_t)truth.n_classes);
    }
    tin_psds_counts_free(&counts);
    assert_int_equal(tin_psds_value(points, json_array_size(thresholds), &truth, settings, &value, NULL), TIN_OK);
    return value;
}

static void values_equal_psds_eval(void **state)
{
    (void)state;
    size_t i, k;
    const json_t *one, *kind;
    json_t *cases = json_load_file(TEST_FILES "/psds.json", 0, NULL);
    assert_true(json_array_size(cases) >= 10);
    json_array_foreach(cases, i, one)
    {
        json_array_foreach(json_object_get(one, "values"), k, kind)
        {
            const tin_psds_settings settings = {"",
                                                json_number_value(json_object_get(kind, "dtc")),
                                                json_number_value(json_object_get(kind, "gtc")),
                                                json_number_value(json_object_get(kind, "cttc")),
                                                json_number_value(json_object_get(kind, "alpha_ct")),
                                                json_number_value(json_object_get(kind, "alpha_st")),
                                                json_number_value(json_object_get(kind, "max_fp_per_hour"))};
            close_to(score(one, &settings), json_number_value(json_object_get(kind, "value")));
        }
    }
    json_decref(cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_by_hand),
        cmocka_unit_test(area_by_hand),
        cmocka_unit_test(values_equal_psds_eval),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
