/* PSDS over the thresholds of a rule: which ones are tried, and that what is counted at each is what the detector says. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "evaluate/psds_sweep.h"
#include "made_world.h"

/* One dataset and what the model says of its test people, for all cases. */
static tin_dataset *dataset;
static tin_scored_set set;
static tin_decision_rule rule; /* main */
static const tin_detector model = {.kind = TIN_DETECTOR_MODEL, .rule = &rule};

static int set_up(void **state)
{
    (void)state;
    tiny t;
    dataset = make_dataset(TEST_TEMPORARY "/world.tind", CLASSES, false);
    make_tiny(&t, dataset);
    return tin_score_streams((tin_scorer){.qmodel = &t.model, .folder = TEST_TEMPORARY}, dataset, TIN_ROLE_TEST,
                             (tin_windows){0}, NULL, true, &set, NULL) != TIN_OK;
}

static int tear_down(void **state)
{
    (void)state;
    tin_scored_set_free(&set);
    tin_dataset_close(dataset);
    return 0;
}

/* Three decisions, rest against wave and knock: excess over 300 is -300, 200 and 700; 0 is always tried. */
static void shifts_are_what_scores_attain(void **state)
{
    (void)state;
    int16_t scores[] = {100, 100, 50, 0, 500, 0, -500, 0, 500};
    const tin_stream stream = {.n_frames = 3};
    tin_scored_stream item = {.stream = &stream, .n_decisions = 3, .scores = scores};
    const tin_scored_set few = {.items = &item, .n = 1, .n_classes = 3, .timing = {1, 0, 0}};
    int32_t *shifts = NULL;
    size_t n = 0;
    assert_int_equal(tin_psds_shifts(&rule, dataset, &few, 10, &shifts, &n, NULL), TIN_OK);
    assert_int_equal(n, 4);
    assert_memory_equal(shifts, ((int32_t[]){-300, 0, 200, 700}), 4 * sizeof *shifts);
    tin_free(shifts);
    /* two of the four, the first of each half, and 0 */
    assert_int_equal(tin_psds_shifts(&rule, dataset, &few, 2, &shifts, &n, NULL), TIN_OK);
    assert_int_equal(n, 3);
    assert_memory_equal(shifts, ((int32_t[]){-300, 0, 200}), 3 * sizeof *shifts);
    tin_free(shifts);
}

/* The same by hand: every threshold set in the rule, its segments counted, one score. */
static void values_are_those_of_every_rule(void **state)
{
    (void)state;
    int32_t *shifts = NULL;
    size_t n = 0, n_thresholds = 0;
    int64_t n_events[3] = {0}, frames[3] = {0}, covered[64];
    double values[TIN_PSDS_KINDS], value = 0;
    assert_int_equal(tin_psds_sweep(&model, dataset, &set, NULL, values, &n_thresholds, NULL), TIN_OK);
    assert_int_equal(tin_psds_shifts(&rule, dataset, &set, 100, &shifts, &n, NULL), TIN_OK);
    assert_true(n == n_thresholds && n > 20);
    for (size_t i = 0; i < set.n; i++) {
        for (size_t e = 0; e < set.items[i].n_events; e++) {
            n_events[set.items[i].events[e].class_index]++;
            frames[set.items[i].events[e].class_index] += 20;
        }
    }
    const tin_psds_truth truth = {3, n_events, frames, 2 * N_FRAMES, RATE};
    for (int kind = 0; kind < TIN_PSDS_KINDS; kind++) {
        tin_psds_point *points = tin_alloc(3 * n, sizeof *points, NULL);
        tin_psds_counts counts;
        assert_int_equal(tin_psds_counts_create(&counts, 3, NULL), TIN_OK);
        for (size_t t = 0; t < n; t++) {
            tin_decision_rule moved = tin_decision_plain(300 + shifts[t]);
            moved.hysteresis = 100;
            tin_psds_counts_clear(&counts);
            for (size_t i = 0; i < set.n; i++) {
                const tin_scored_stream *s = &set.items[i];
                const tin_scene scene = {s->events, s->n_events, NULL, N_FRAMES};
                tin_detection d;
                assert_int_equal(
                    tin_detect(&moved, CLASSES, 3, set.timing, s->scores, s->n_decisions, N_FRAMES, &d, NULL), TIN_OK);
                tin_psds_count(&scene, d.segments, d.n_segments, &tin_psds_kinds[kind], covered, &counts);
                tin_detection_free(&d);
            }
            tin_psds_points_of(&counts, &truth, &tin_psds_kinds[kind], points + 3 * t);
        }
        assert_int_equal(tin_psds_value(points, n, &truth, &tin_psds_kinds[kind], &value, NULL), TIN_OK);
        assert_true(value == values[kind] && value > 0.9);
        tin_psds_counts_free(&counts);
        tin_free(points);
    }
    tin_free(shifts);
}

static void threads_change_nothing(void **state)
{
    (void)state;
    double one[TIN_PSDS_KINDS], three[TIN_PSDS_KINDS];
    size_t n = 0;
    tin_pool *pool = NULL;
    assert_int_equal(tin_pool_create(&pool, 3, NULL), TIN_OK);
    assert_int_equal(tin_psds_sweep(&model, dataset, &set, NULL, one, &n, NULL), TIN_OK);
    assert_int_equal(tin_psds_sweep(&model, dataset, &set, pool, three, &n, NULL), TIN_OK);
    assert_memory_equal(one, three, sizeof one);
    tin_pool_destroy(pool);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    const tin_detector constant = {.kind = TIN_DETECTOR_CONSTANT, .class_index = 1};
    const tin_detector *const detectors[] = {&constant, &model};
    for (size_t d = 0; d < 2; d++) {
        bool done = false;
        for (size_t at = 1; !done; at += at < 50 ? 1 : 13) {
            double values[TIN_PSDS_KINDS];
            size_t n = 0;
            tin_error err = {0};
            tin_memory_fail_at(at);
            tin_status status = tin_psds_sweep(detectors[d], dataset, &set, NULL, values, &n, &err);
            done = tin_memory_fail_at(0) < at;
            assert_int_equal(status, done ? TIN_OK : TIN_ERR_MEMORY);
            assert_int_equal(err.status, status);
        }
    }
}

int main(void)
{
    rule = tin_decision_plain(300);
    rule.hysteresis = 100;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shifts_are_what_scores_attain),
        cmocka_unit_test(values_are_those_of_every_rule),
        cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
