#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "metrics/frame_metrics.h"

#define IGNORE TIN_LABEL_IGNORE

static void close_to(double value, double expected)
{
    assert_true(fabs(value - expected) < 1e-12);
}

/* hop 4: decision 0 is known after frame 3 and is held for frames 3..6, decision 1 for 7..10. */
static void predictions_are_held_from_the_decision_frame(void **state)
{
    (void)state;
    const int16_t scores[] = {1, 5, 2, 7, 0, 7};
    const int16_t expected[] = {0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0};
    int16_t predictions[11];
    tin_frame_predictions(scores, 2, 3, (tin_timing){4, 0, 0}, 11, predictions);
    assert_memory_equal(predictions, expected, sizeof expected);
}

/* The same with a delay of 4: what is held at frame t speaks of frame t - 4; the last decision stands for the frames 7 to
 * 10, whose own would come after the end. */
static void a_delayed_decision_speaks_of_earlier_frames(void **state)
{
    (void)state;
    const int16_t scores[] = {1, 5, 2, 7, 0, 7};
    const int16_t expected[] = {1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0}, held[] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    int16_t predictions[11];
    tin_frame_predictions(scores, 2, 3, (tin_timing){4, 4, 0}, 11, predictions);
    assert_memory_equal(predictions, expected, sizeof expected);
    tin_frame_predictions(scores, 1, 3, (tin_timing){4, 4, 0}, 11, predictions);
    assert_memory_equal(predictions, held, sizeof held);
    /* a stream that is shorter than the delay */
    tin_frame_predictions(scores, 0, 3, (tin_timing){4, 4, 0}, 3, predictions);
    assert_int_equal(predictions[0] + predictions[1] + predictions[2], 0);
}

/* A device that reports each decision 3 frames later says the same of every frame, up to the decision that the end of the
 * stream cuts off. */
static void a_late_device_says_the_same(void **state)
{
    (void)state;
    const int16_t scores[] = {1, 5, 2, 7, 0, 7};
    const int16_t all[] = {0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0}, cut[] = {0, 0, 0, 1, 1, 1, 1, 1, 1, 1};
    int16_t predictions[11];
    tin_frame_predictions(scores, 2, 3, (tin_timing){4, 0, 3}, 11, predictions);
    assert_memory_equal(predictions, all, sizeof all);
    tin_frame_predictions(scores, 2, 3, (tin_timing){4, 0, 3}, 10, predictions);
    assert_memory_equal(predictions, cut, sizeof cut);
}

static void hop_one_decides_every_frame_and_ties_take_the_lowest(void **state)
{
    (void)state;
    const int16_t scores[] = {3, 3, -1, 2, 4, 9};
    const int16_t expected[] = {0, 1, 1};
    int16_t predictions[3];
    tin_frame_predictions(scores, 3, 2, (tin_timing){1, 0, 0}, 3, predictions);
    assert_memory_equal(predictions, expected, sizeof expected);
}

static void a_stream_shorter_than_hop_is_class_zero(void **state)
{
    (void)state;
    int16_t predictions[3] = {9, 9, 9};
    const int16_t expected[3] = {0, 0, 0};
    tin_frame_predictions(NULL, 0, 3, (tin_timing){4, 0, 0}, 3, predictions);
    assert_memory_equal(predictions, expected, sizeof expected);
}

/* labels 0 0 0 0 1 1 1 2 - ; predictions 0 0 1 0 1 1 0 1 2: confusion
 *          0 1 2     recall     precision   F1
 *   0      3 1 0     3/4        3/4         6/8
 *   1      1 2 0     2/3        2/4         4/7
 *   2      0 1 0     0          none        0
 * accuracy 5/8, balanced (3/4 + 2/3 + 0)/3 = 17/36, macro F1 (3/4 + 4/7 + 0)/3 = 37/84. Class 3 occurs nowhere. */
static void figures_by_hand(void **state)
{
    (void)state;
    const int16_t labels[] = {0, 0, 0, 0, 1, 1, 1, 2, IGNORE};
    const int16_t predictions[] = {0, 0, 1, 0, 1, 1, 0, 1, 2};
    int64_t confusion[16] = {0};
    tin_frame_count(labels, predictions, 9, 4, confusion);
    const int64_t expected[16] = {3, 1, 0, 0, 1, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0};
    assert_memory_equal(confusion, expected, sizeof expected);
    tin_frame_figures f;
    tin_class_figures per_class[4];
    tin_frame_figures_of(confusion, 4, &f, per_class);
    assert_int_equal(f.n_frames, 8);
    close_to(f.accuracy, 5.0 / 8);
    close_to(f.balanced_accuracy, 17.0 / 36);
    close_to(f.macro_f1, 37.0 / 84);
    close_to(per_class[0].precision, 0.75);
    close_to(per_class[1].recall, 2.0 / 3);
    close_to(per_class[1].f1, 4.0 / 7);
    assert_true(isnan(per_class[2].precision));
    close_to(per_class[2].f1, 0);
    assert_true(isnan(per_class[3].recall));
}

static void nothing_counted_gives_no_figures(void **state)
{
    (void)state;
    const int64_t confusion[4] = {0};
    tin_frame_figures f;
    tin_class_figures per_class[2];
    tin_frame_figures_of(confusion, 2, &f, per_class);
    assert_int_equal(f.n_frames, 0);
    assert_true(isnan(f.accuracy) && isnan(f.balanced_accuracy) && isnan(f.macro_f1));
}

/* Frames that margins make right. */
static int64_t forgiven(const int16_t *labels, const int16_t *predictions, int64_t n_frames, const tin_interval *events,
                        size_t n_events, const tin_margins *margins)
{
    tin_class_figures without[3] = {{0}}, with[3] = {{0}};
    tin_class_count(labels, predictions, n_frames, without);
    tin_class_count_with_margins(labels, predictions, n_frames, events, n_events, margins, with);
    int64_t more = 0, counted = 0;
    for (int k = 0; k < 3; k++) {
        more += with[k].n_right - without[k].n_right;
        counted += with[k].n_true - without[k].n_true;
        assert_int_equal(with[k].n_predicted, without[k].n_predicted);
    }
    assert_int_equal(counted, 0);
    return more;
}

/* Event of class 1 in frames 4..6, early 2, late 1: the margin is frames 2, 3 and 7.
 *   frame       0 1 2 3 4 5 6 7 8 9
 *   label       0 0 0 0 1 1 1 0 0 -
 *   prediction  1 1 1 2 0 1 1 1 1 1    wrong: 0 1 2 3 4 7 8; in the margin with the event's class: 2 and 7. */
static void margin_excuses_only_the_class_of_the_event(void **state)
{
    (void)state;
    const int16_t labels[] = {0, 0, 0, 0, 1, 1, 1, 0, 0, IGNORE};
    const int16_t predictions[] = {1, 1, 1, 2, 0, 1, 1, 1, 1, 1};
    const tin_interval event = {4, 7, 1};
    const tin_margins m21 = tin_margins_common(2, 1, false), m00 = tin_margins_common(0, 0, false),
                      m23 = tin_margins_common(2, 3, false);
    assert_int_equal(forgiven(labels, predictions, 10, &event, 1, &m21), 2);
    assert_int_equal(forgiven(labels, predictions, 10, &event, 1, &m00), 0);
    assert_int_equal(forgiven(labels, predictions, 10, NULL, 0, &m21), 0);
    /* unlabelled frames are in no accuracy, so nothing of them is excused: late 3 reaches frame 9 */
    assert_int_equal(forgiven(labels, predictions, 10, &event, 1, &m23), 3);
    /* another class may be later */
    tin_margins own = m21;
    own.of[2] = own.most = (tin_margin){4, 9};
    assert_int_equal(forgiven(labels, predictions, 10, &event, 1, &own), 2);
    own.of[1] = (tin_margin){4, 9};
    assert_int_equal(forgiven(labels, predictions, 10, &event, 1, &own), 5);
}

/* The same frames: 2 and 7 count as labelled 1. Of class 0 are 0, 1, 3, 8, none right; of class 1 are 2 4 5 6 7, all but 4
 * right; 1 is predicted at 0 1 2 5 6 7 8. */
static void forgiven_frames_have_the_class_of_the_event(void **state)
{
    (void)state;
    const int16_t labels[] = {0, 0, 0, 0, 1, 1, 1, 0, 0, IGNORE};
    const int16_t predictions[] = {1, 1, 1, 2, 0, 1, 1, 1, 1, 1};
    const tin_interval event = {4, 7, 1};
    const tin_margins margins = tin_margins_common(2, 1, false);
    tin_class_figures c[3] = {{0}};
    tin_frame_figures f;
    tin_class_count_with_margins(labels, predictions, 10, &event, 1, &margins, c);
    tin_class_figures_finish(c, 3, &f);
    assert_true(c[0].n_true == 4 && c[0].n_right == 0 && c[0].n_predicted == 1);
    assert_true(c[1].n_true == 5 && c[1].n_right == 4 && c[1].n_predicted == 7);
    close_to(c[1].precision, 4.0 / 7);
    close_to(c[1].recall, 4.0 / 5);
    close_to(f.accuracy, 4.0 / 9);
    close_to(f.balanced_accuracy, 2.0 / 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(predictions_are_held_from_the_decision_frame),
        cmocka_unit_test(a_delayed_decision_speaks_of_earlier_frames),
        cmocka_unit_test(a_late_device_says_the_same),
        cmocka_unit_test(hop_one_decides_every_frame_and_ties_take_the_lowest),
        cmocka_unit_test(a_stream_shorter_than_hop_is_class_zero),
        cmocka_unit_test(figures_by_hand),
        cmocka_unit_test(nothing_counted_gives_no_figures),
        cmocka_unit_test(margin_excuses_only_the_class_of_the_event),
        cmocka_unit_test(forgiven_frames_have_the_class_of_the_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
