/* Frame and event figures against scikit-learn and a second, naive implementation: scripts/golden/evaluate_metrics.py.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "metrics/event_metrics.h"
#include "metrics/frame_metrics.h"

#define MOST_FRAMES 1000
#define MOST 64

typedef struct golden {
    int n_classes;
    int64_t n_frames;
    int16_t labels[MOST_FRAMES], predictions[MOST_FRAMES];
    tin_interval events[MOST], segments[MOST];
    tin_trigger triggers[MOST];
    tin_scene scene;
    tin_detection detection;
    tin_margins margins;
} golden;

static int64_t integer(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    assert_true(json_is_integer(value));
    return json_integer_value(value);
}

static int64_t item(const json_t *array, size_t i)
{
    return json_integer_value(json_array_get(array, i));
}

static size_t read_intervals(const json_t *array, tin_interval *intervals)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *one = json_array_get(array, i);
        assert_true(i < MOST);
        intervals[i] = (tin_interval){item(one, 0), item(one, 1), (int32_t)item(one, 2)};
    }
    return json_array_size(array);
}

static void read_case(golden *g, const json_t *json)
{
    const json_t *labels = json_object_get(json, "labels"), *predictions = json_object_get(json, "predictions");
    const json_t *triggers = json_object_get(json, "triggers");
    g->n_classes = (int)integer(json, "n_classes");
    g->n_frames = (int64_t)json_array_size(labels);
    assert_true(g->n_frames > 0 && g->n_frames <= MOST_FRAMES && json_array_size(triggers) <= MOST);
    for (size_t t = 0; t < json_array_size(labels); t++) {
        g->labels[t] = (int16_t)item(labels, t);
        g->predictions[t] = (int16_t)item(predictions, t);
    }
    for (size_t j = 0; j < json_array_size(triggers); j++) {
        const json_t *one = json_array_get(triggers, j);
        g->triggers[j] = (tin_trigger){item(one, 0), (int32_t)item(one, 1)};
    }
    size_t n_events = read_intervals(json_object_get(json, "events"), g->events);
    size_t n_segments = read_intervals(json_object_get(json, "segments"), g->segments);
    g->scene = (tin_scene){g->events, n_events, g->labels, g->n_frames};
    g->detection = (tin_detection){g->triggers, g->segments, json_array_size(triggers), n_segments};
    g->margins = tin_margins_common(0, 0, json_is_true(json_object_get(json, "allow_repeats")));
    g->margins.deadline = integer(json, "deadline");
    for (int k = 0; k < g->n_classes; k++) {
        const tin_margin own = {item(json_object_get(json, "early"), (size_t)k),
                                item(json_object_get(json, "late"), (size_t)k)};
        tin_margin *most = &g->margins.most;
        g->margins.of[k] = own;
        *most = (tin_margin){own.early > most->early ? own.early : most->early,
                             own.late > most->late ? own.late : most->late};
    }
}

/* null stands for no value. */
static void same_real(double value, const json_t *expected)
{
    if (json_is_null(expected)) {
        assert_true(isnan(value));
    } else {
        assert_true(json_is_number(expected) && fabs(value - json_number_value(expected)) < 1e-12);
    }
}

static void check_frames(const golden *g, const json_t *expected)
{
    int64_t confusion[25] = {0};
    tin_class_figures from_matrix[5], counted[5] = {{0}};
    tin_frame_figures f, again;
    assert_true(g->n_classes <= 5);
    tin_frame_count(g->labels, g->predictions, g->n_frames, g->n_classes, confusion);
    tin_class_count(g->labels, g->predictions, g->n_frames, counted);
    tin_frame_figures_of(confusion, g->n_classes, &f, from_matrix);
    tin_class_figures_finish(counted, g->n_classes, &again);
    assert_memory_equal(&f, &again, sizeof f);
    for (int i = 0; i < g->n_classes; i++) {
        const json_t *row = json_array_get(json_object_get(expected, "confusion"), (size_t)i);
        for (int j = 0; j < g->n_classes; j++) {
            assert_int_equal(confusion[i * g->n_classes + j], item(row, (size_t)j));
        }
        same_real(from_matrix[i].precision, json_array_get(json_object_get(expected, "precision"), (size_t)i));
        same_real(counted[i].recall, json_array_get(json_object_get(expected, "recall"), (size_t)i));
    }
    same_real(f.accuracy, json_object_get(expected, "accuracy"));
    same_real(f.balanced_accuracy, json_object_get(expected, "balanced_accuracy"));
    same_real(f.macro_f1, json_object_get(expected, "macro_f1"));
    const json_t *with_margins = json_object_get(expected, "with_margins");
    tin_class_figures forgiven[5] = {{0}};
    tin_class_count_with_margins(g->labels, g->predictions, g->n_frames, g->events, g->scene.n_events, &g->margins,
                                 forgiven);
    tin_class_figures_finish(forgiven, g->n_classes, &f);
    for (int k = 0; k < g->n_classes; k++) {
        same_real(forgiven[k].precision, json_array_get(json_object_get(with_margins, "precision"), (size_t)k));
        same_real(forgiven[k].recall, json_array_get(json_object_get(with_margins, "recall"), (size_t)k));
    }
    same_real(f.accuracy, json_object_get(with_margins, "accuracy"));
    same_real(f.balanced_accuracy, json_object_get(with_margins, "balanced_accuracy"));
    same_real(f.macro_f1, json_object_get(with_margins, "macro_f1"));
}

/* The part of each class; all of them together are the whole. */
static void check_classes(const golden *g, const tin_event_outcome *outcomes, const tin_trigger_kind *kinds,
                          const tin_event_counts *whole, const json_t *expected)
{
    tin_event_counts sum = {0};
    assert_int_equal(json_array_size(expected), g->n_classes);
    for (int k = 0; k < g->n_classes; k++) {
        const json_t *one = json_array_get(expected, (size_t)k);
        tin_event_counts c = {0};
        assert_int_equal(tin_event_count_class(&g->scene, &g->detection, &g->margins, outcomes, kinds, k, &c, NULL),
                         TIN_OK);
        assert_int_equal(c.n_events, integer(one, "n_events"));
        assert_int_equal(c.true_positives, integer(one, "true"));
        assert_int_equal(c.wrong_class, integer(one, "wrong"));
        assert_int_equal(c.missed, integer(one, "missed"));
        assert_int_equal(c.corrected, integer(one, "corrected"));
        assert_int_equal(c.wrong_triggers, integer(one, "wrong_triggers"));
        assert_int_equal(c.n_triggers, integer(one, "n_triggers"));
        assert_int_equal(c.latency_frames, integer(one, "latency"));
        assert_int_equal(c.in_time, integer(one, "in_time"));
        assert_int_equal(c.false_triggers, integer(one, "false"));
        assert_int_equal(c.false_positives, integer(one, "false_positives"));
        assert_int_equal(c.false_active_frames, integer(one, "false_active"));
        assert_int_equal(c.n_segments, integer(one, "n_segments"));
        assert_int_equal(c.overlap50, integer(one, "overlap50"));
        tin_event_counts_add(&sum, &c, 1);
    }
    sum.n_frames = whole->n_frames;
    sum.rejection_frames = whole->rejection_frames;
    sum.rejection_unlabelled = whole->rejection_unlabelled;
    assert_memory_equal(&sum, whole, sizeof sum);
}

static void check_events(const golden *g, const json_t *expected)
{
    tin_event_outcome outcomes[MOST];
    tin_trigger_kind kinds[MOST];
    tin_event_counts c = {0};
    assert_int_equal(tin_event_count(&g->scene, &g->detection, &g->margins, outcomes, kinds, &c, NULL), TIN_OK);
    assert_int_equal(c.true_positives, integer(expected, "true"));
    assert_int_equal(c.wrong_class, integer(expected, "wrong"));
    assert_int_equal(c.missed, integer(expected, "missed"));
    assert_int_equal(c.corrected, integer(expected, "corrected"));
    assert_int_equal(c.in_time, integer(expected, "in_time"));
    assert_int_equal(c.false_triggers, integer(expected, "false"));
    assert_int_equal(c.false_triggers_unlabelled, integer(expected, "false_unlabelled"));
    assert_int_equal(c.repeats, integer(expected, "repeats"));
    assert_int_equal(c.duplicates, integer(expected, "duplicates"));
    assert_int_equal(c.false_positives, integer(expected, "false_positives"));
    assert_int_equal(c.rejection_frames, integer(expected, "rejection_frames"));
    assert_int_equal(c.rejection_unlabelled, integer(expected, "rejection_unlabelled"));
    assert_int_equal(c.false_active_frames, integer(expected, "false_active"));
    assert_int_equal(c.segments_unlabelled, integer(expected, "segments_unlabelled"));
    assert_int_equal(c.overlap50, integer(expected, "overlap50"));
    assert_int_equal(c.overlap75, integer(expected, "overlap75"));
    const json_t *latencies = json_object_get(expected, "latencies");
    size_t n = 0;
    for (size_t i = 0; i < g->scene.n_events; i++) {
        if (outcomes[i].class_index == g->events[i].class_index) {
            assert_int_equal(outcomes[i].latency, item(latencies, n++));
        }
    }
    assert_int_equal(n, json_array_size(latencies));
    check_classes(g, outcomes, kinds, &c, json_object_get(expected, "classes"));
}

static void figures_equal_the_other_implementation(void **state)
{
    (void)state;
    static golden g;
    json_t *cases = json_load_file(TEST_FILES "/metrics.json", 0, NULL);
    assert_int_equal(json_array_size(cases), 24);
    for (size_t i = 0; i < json_array_size(cases); i++) {
        const json_t *one = json_array_get(cases, i);
        read_case(&g, one);
        check_frames(&g, json_object_get(one, "frames"));
        check_events(&g, json_object_get(one, "result"));
    }
    json_decref(cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_equal_the_other_implementation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
