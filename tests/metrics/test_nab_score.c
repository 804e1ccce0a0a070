/* The NAB score: worked out by hand, and the benchmark's own scorer (scripts/golden/nab_score.py). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "metrics/nab_score.h"

#define MOST 64

static tin_event_counts score(const tin_interval *events, size_t n_events, const tin_trigger *triggers,
                              size_t n_triggers, int64_t n_frames, int64_t early, int64_t late, int class_index)
{
    tin_trigger own[MOST];
    tin_event_counts counts = {0};
    assert_true(n_triggers <= MOST);
    for (size_t j = 0; j < n_triggers; j++) {
        own[j] = triggers[j];
    }
    const tin_scene scene = {events, n_events, NULL, n_frames};
    const tin_detection detection = {own, NULL, n_triggers, 0};
    const tin_margins margins = tin_margins_common(early, late, false);
    tin_nab_count(&scene, &detection, &margins, class_index, &counts);
    return counts;
}

static void is_score(tin_event_counts counts, int64_t windows, double expected)
{
    assert_int_equal(counts.nab_windows, windows);
    assert_true(fabs((double)counts.nab_billionths / 1e9 - expected) < 1e-9);
    if (windows > 0) {
        double of_hundred = 100 * (expected + (double)windows) / (2 * (double)windows);
        assert_true(fabs(tin_event_figures_of(&counts, 10).nab_score - of_hundred) < 1e-7);
    }
}

/* Window [20, 30) of an event [20, 28), 2 frames late. S(p) = 2 / (1 + exp(5 p)) - 1; S(-1) = 0.9866142982.
 *   at 20: p = -10 / 10, worth 1. At 25: p = -5 / 10, worth S(-0.5) / S(-1) = 0.8482836400 / 0.9866142982.
 *   at 5, before any window: -0.11. At 38: p = (38 - 29) / 9 = 1: -0.11 * 0.9866142982. At 57: p > 3: -0.11.
 *   never: -1, which is 0 of 100; at 20 alone: 100 of 100. Class 2 has no event here, and a trigger at 22. */
static void scores_by_hand(void **state)
{
    (void)state;
    const tin_interval event = {20, 28, 1};
    const tin_trigger at_once = {20, 1}, later = {25, 1}, all[] = {{5, 1}, {22, 2}, {25, 1}, {26, 1}, {38, 1}, {57, 1}};
    is_score(score(&event, 1, NULL, 0, 100, 0, 2, 1), 1, -1);
    is_score(score(&event, 1, &at_once, 1, 100, 0, 2, 1), 1, 1);
    is_score(score(&event, 1, &later, 1, 100, 0, 2, 1), 1, 0.8482836399575129 / 0.9866142981514303);
    is_score(score(&event, 1, all, 6, 100, 0, 2, 1), 1,
             0.8482836399575129 / 0.9866142981514303 - 0.11 - 0.11 * 0.9866142981514303 - 0.11);
    is_score(score(&event, 1, all, 6, 100, 0, 2, 2), 0, -0.11);
    assert_true(isnan(tin_event_figures_of(&(tin_event_counts){0}, 10).nab_score));
}

/* Windows [18, 32) and [30, 42) share two frames and are one, [18, 42); a window at the ends of the stream is cut. A window of
 * one frame has no width to measure a distance by: what follows it is far. */
static void windows_join_and_are_cut(void **state)
{
    (void)state;
    const tin_interval joined[] = {{20, 30, 1}, {32, 40, 1}}, cut[] = {{0, 4, 1}, {46, 50, 1}}, point = {10, 11, 1};
    const tin_trigger first = {18, 1}, ends[] = {{0, 1}, {44, 1}}, behind = {11, 1};
    is_score(score(joined, 2, &first, 1, 100, 2, 2, 1), 1, 1);
    is_score(score(cut, 2, ends, 2, 50, 2, 2, 1), 2, 2);
    is_score(score(&point, 1, &behind, 1, 50, 0, 0, 1), 1, -1.11);
}

static void scores_equal_the_benchmark(void **state)
{
    (void)state;
    size_t i, n;
    const json_t *one, *item;
    json_t *cases = json_load_file(TEST_FILES "/nab.json", 0, NULL);
    assert_true(json_array_size(cases) >= 40);
    json_array_foreach(cases, i, one)
    {
        tin_interval events[MOST];
        tin_trigger triggers[MOST];
        const json_t *e = json_object_get(one, "events"), *t = json_object_get(one, "triggers");
        assert_true(json_array_size(e) <= MOST && json_array_size(t) <= MOST);
        json_array_foreach(e, n, item)
        {
            events[n] = (tin_interval){json_integer_value(json_array_get(item, 0)),
                                       json_integer_value(json_array_get(item, 1)), 1};
        }
        json_array_foreach(t, n, item)
        {
            triggers[n] = (tin_trigger){json_integer_value(item), 1};
        }
        is_score(score(events, json_array_size(e), triggers, json_array_size(t),
                       json_integer_value(json_object_get(one, "n_frames")),
                       json_integer_value(json_object_get(one, "early")),
                       json_integer_value(json_object_get(one, "late")), 1),
                 json_integer_value(json_object_get(one, "n_windows")),
                 json_number_value(json_object_get(one, "score")));
    }
    json_decref(cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_by_hand),
        cmocka_unit_test(windows_join_and_are_cut),
        cmocka_unit_test(scores_equal_the_benchmark),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
