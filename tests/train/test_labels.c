/* Labels as runs, and how they fade at their borders: hand-made streams of 10 frames per second. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "train/labels.h"

#define FRAMES 60
#define NONE 0
#define WALK 1
#define WAVE 2

static tin_class classes[3] = {{"none", false}, {"walk", false}, {"wave", true}};
/* none 0..20, wave 20..40, walk 40..44, unlabelled 44..50, none 50..60 */
static tin_interval intervals[3] = {{20, 40, WAVE}, {40, 44, WALK}, {44, 50, TIN_LABEL_IGNORE}};
static const tin_dataset dataset = {.rate_hz = 10, .n_classes = 3, .classes = classes, .unlabelled = NONE};
static const tin_stream stream = {.n_frames = FRAMES, .intervals = intervals, .n_intervals = 3};

static tin_borders borders;
static tin_labels labels;

static void make(const tin_config_train *settings)
{
    tin_error err = {0};
    tin_labels_free(&labels);
    tin_borders_free(&borders);
    assert_int_equal(tin_borders_create(&borders, &dataset, settings, &err), TIN_OK);
    assert_int_equal(tin_labels_create(&labels, &dataset, &stream, &borders, &err), TIN_OK);
}

/* Share of a class at a frame; NaN when it has no target. */
static double share(int64_t frame, int class_index)
{
    float target[3] = {0};
    size_t run = 0;
    double known = tin_labels_add(&labels, &run, frame, 1, target);
    assert_int_equal(run, frame < 0 || frame >= FRAMES ? 0 : tin_labels_find(&labels, frame));
    assert_true(fabs((double)(target[0] + target[1] + target[2]) - known) < 1e-6);
    return known > 0 ? (double)target[class_index] : (double)NAN;
}

static void near(double value, double expected)
{
    assert_true(fabs(value - expected) < 1e-6);
}

static int teardown(void **state)
{
    (void)state;
    tin_labels_free(&labels);
    tin_borders_free(&borders);
    return 0;
}

static void runs(void **state)
{
    (void)state;
    make(&(tin_config_train){0});
    assert_int_equal(labels.n_runs, 5);
    static const int64_t starts[6] = {0, 20, 40, 44, 50, 60};
    static const int32_t names[5] = {NONE, WAVE, WALK, TIN_LABEL_IGNORE, NONE};
    for (size_t r = 0; r < 5; r++) {
        int64_t from, to;
        assert_int_equal(labels.runs[r].start, starts[r]);
        assert_int_equal(labels.runs[r].end, starts[r + 1]);
        assert_int_equal(labels.runs[r].label, names[r]);
        tin_labels_plain(&labels, r, &from, &to);
        assert_int_equal(from, starts[r]);
        assert_int_equal(to, starts[r + 1]);
    }
    for (int64_t t = 0; t < FRAMES; t++) {
        for (int64_t from = 0; from < FRAMES; from += 7) {
            assert_int_equal(tin_labels_step(&labels, tin_labels_find(&labels, from), t), tin_labels_find(&labels, t));
        }
    }
    near(share(19, NONE), 1);
    near(share(20, WAVE), 1);
    assert_true(isnan(share(45, NONE)) && isnan(share(-1, NONE)) && isnan(share(FRAMES, NONE)));
}

/* Equal labels that touch, and a label of the class that unlabelled frames have, are one run. */
static void equal_neighbours_are_one_run(void **state)
{
    (void)state;
    tin_interval touching[3] = {{10, 20, WAVE}, {20, 30, WAVE}, {40, 50, NONE}};
    tin_stream s = {.n_frames = FRAMES, .intervals = touching, .n_intervals = 3};
    assert_int_equal(tin_labels_create(&labels, &dataset, &s, NULL, NULL), TIN_OK);
    assert_int_equal(labels.n_runs, 3);
    assert_int_equal(labels.runs[1].start, 10);
    assert_int_equal(labels.runs[1].end, 30);
    assert_int_equal(labels.runs[2].end, FRAMES);
}

static void ramp(void **state)
{
    (void)state;
    make(&(tin_config_train){.border_ms = 400}); /* 4 frames to both sides */
    const double beyond[4] = {0.4375, 0.3125, 0.1875, 0.0625};
    for (int i = 0; i < 4; i++) {
        near(share(19 - i, WAVE), beyond[i]);
        near(share(19 - i, NONE), 1 - beyond[i]);
        near(share(20 + i, NONE), beyond[i]);
        near(share(40 + i, WAVE), beyond[i]); /* walk has 4 frames, and no label behind them */
    }
    near(share(15, NONE), 1);
    near(share(24, WAVE), 1);
    near(share(50, NONE), 1); /* nothing is softened towards frames without a label */
    int64_t from, to;
    tin_labels_plain(&labels, 1, &from, &to);
    assert_int_equal(from, 24);
    assert_int_equal(to, 36);
    tin_labels_plain(&labels, 2, &from, &to);
    assert_int_equal(from, 44); /* none of it is plain */
    assert_true(to <= from);
}

/* Phi of the normal distribution, from a table: sigma is 2 frames when the half-width is 4. */
static void gaussian(void **state)
{
    (void)state;
    make(&(tin_config_train){.border = (char *)(uintptr_t) "gaussian", .border_ms = 400});
    near(share(20, NONE), 0.4012936743); /* 1 - Phi(0.25) */
    near(share(21, NONE), 0.2266273524); /* 1 - Phi(0.75) */
    near(share(23, NONE), 0.0400591569); /* 1 - Phi(1.75) */
    near(share(27, NONE), 0.0000884173); /* 1 - Phi(3.75), the last one that is touched */
    near(share(28, NONE), 0);
    near(share(19, WAVE), 0.4012936743);
}

static void ignored(void **state)
{
    (void)state;
    make(&(tin_config_train){.border = (char *)(uintptr_t) "ignored", .border_ms = 400});
    for (int i = 0; i < 4; i++) {
        assert_true(isnan(share(19 - i, NONE)) && isnan(share(20 + i, WAVE)) && isnan(share(40 + i, WALK)));
    }
    near(share(15, NONE), 1);
    near(share(24, WAVE), 1);
    near(share(50, NONE), 1);
    int64_t n_events = 0;
    assert_true(tin_labels_event_weight(&labels, classes, &n_events) == 12); /* of 20 frames */
    assert_int_equal(n_events, 1);
    near((double)tin_labels_weight(&labels, 1, 23), 0);
    tin_labels_weigh_margins(&labels, 8, 0.5); /* both at once */
    near((double)tin_labels_weight(&labels, 1, 23), 0);
    near((double)tin_labels_weight(&labels, 1, 24), 0.5 + 0.5 * 4.5 / 8);
    assert_true(isnan(share(23, WAVE)));
}

/* A class in the list decides about its borders, with one width for the start and one for the end. */
static void classes_of_their_own(void **state)
{
    (void)state;
    tin_config_border list[2] = {
        {.class = (char *)(uintptr_t) "wave", .border = (char *)(uintptr_t) "ramp", .early_ms = 200, .late_ms = 0},
        {.class = (char *)(uintptr_t) "walk",
         .border = (char *)(uintptr_t) "ignored",
         .early_ms = 200,
         .late_ms = 200}};
    make(&(tin_config_train){.border_ms = 400, .borders = list, .borders_count = 1});
    near(share(18, WAVE), 0.125); /* 2 frames, not the 4 of all classes */
    near(share(17, WAVE), 0);
    near(share(39, WALK), 0); /* hard at the end, though 0 is narrower than the border of walk */
    near(share(40, WAVE), 0);
    make(&(tin_config_train){.border_ms = 400, .borders = list, .borders_count = 2});
    assert_true(isnan(share(39, WAVE)) && isnan(share(38, WAVE))); /* of two in the list the wider one */
    near(share(37, WAVE), 1);
    tin_error err = {0};
    list[0].class = (char *)(uintptr_t) "jump";
    tin_borders_free(&borders);
    assert_int_equal(
        tin_borders_create(&borders, &dataset, &(tin_config_train){.borders = list, .borders_count = 1}, &err),
        TIN_ERR_CONFIG);
    assert_non_null(strstr(err.message, "'jump'"));
}

/* Margins look past a run that is shorter than they are, and past frames without a label at no border. */
static void margins_cross_short_runs(void **state)
{
    (void)state;
    make(&(tin_config_train){0});
    tin_labels_weigh_margins(&labels, 20, 0);
    near((double)tin_labels_weight(&labels, 1, 20), 0.5 / 20);
    near((double)tin_labels_weight(&labels, 2, 43), 3.5 / 20);
    near((double)tin_labels_weight(&labels, 4, 50), 10.5 / 20); /* to the border at 40 */
    near((double)tin_labels_weight(&labels, 4, 59), 19.5 / 20);
}

static void every_allocation(void **state)
{
    (void)state;
    size_t n = 1;
    for (;; n++) {
        tin_error err = {0};
        teardown(NULL);
        (void)tin_memory_fail_at(n);
        tin_status status = tin_borders_create(&borders, &dataset, &(tin_config_train){.border_ms = 400}, &err);
        status = status ? status : tin_labels_create(&labels, &dataset, &stream, &borders, &err);
        (void)tin_memory_fail_at(0);
        if (status == TIN_OK) {
            break;
        }
        assert_int_equal(status, TIN_ERR_MEMORY);
    }
    assert_true(n > 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(runs, teardown),
        cmocka_unit_test_teardown(equal_neighbours_are_one_run, teardown),
        cmocka_unit_test_teardown(ramp, teardown),
        cmocka_unit_test_teardown(gaussian, teardown),
        cmocka_unit_test_teardown(ignored, teardown),
        cmocka_unit_test_teardown(classes_of_their_own, teardown),
        cmocka_unit_test_teardown(margins_cross_short_runs, teardown),
        cmocka_unit_test_teardown(every_allocation, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
