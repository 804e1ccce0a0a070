#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "metrics/event_metrics.h"

static void close_to(double value, double expected)
{
    assert_true(fabs(value - expected) < 1e-12);
}

#define COUNT(a) (sizeof(a) / sizeof *(a))

/* Counts of one scene; outcomes and kinds may be NULL. */
static tin_event_counts count(const tin_scene *scene, const tin_trigger *triggers, size_t n_triggers,
                              const tin_interval *segments, size_t n_segments, tin_margins margins,
                              tin_event_outcome *outcomes, tin_trigger_kind *kinds)
{
    tin_trigger t[32];
    tin_interval s[32];
    if (n_triggers > 0) {
        memcpy(t, triggers, n_triggers * sizeof *t);
    }
    if (n_segments > 0) {
        memcpy(s, segments, n_segments * sizeof *s);
    }
    tin_detection detection = {t, s, n_triggers, n_segments};
    tin_event_counts counts = {0};
    assert_int_equal(tin_event_count(scene, &detection, &margins, outcomes, kinds, &counts, NULL), TIN_OK);
    return counts;
}

/* 100 frames, early 2, late 5. Events A = class 1 in [10, 20), window [8, 25); B = class 2 in [40, 50), window [38,
 * 55); C = class 1 in [70, 80), window [68, 85). trigger  5 class 1: in no window             false trigger  8 class 1:
 * first frame of A's window true, latency -2 trigger 24 class 1: A is taken                repeat trigger 25 class 1:
 * A's window is over        false trigger 41 class 1: B is of another class     wrong, latency 1 trigger 44 class 2: B
 * is taken                repeat; B counts as corrected trigger 45 class 3: B is taken                duplicate C is
 * missed. Windows cover 17 + 17 + 17 = 51 frames, so there are 49 rejection frames. */
static const tin_interval EVENTS[] = {{10, 20, 1}, {40, 50, 2}, {70, 80, 1}};
static const tin_trigger TRIGGERS[] = {{5, 1}, {8, 1}, {24, 1}, {25, 1}, {41, 1}, {44, 2}, {45, 3}};

static void matching_by_hand(void **state)
{
    (void)state;
    const tin_scene scene = {EVENTS, 3, NULL, 100};
    tin_event_outcome outcomes[3];
    tin_trigger_kind kinds[7];
    tin_event_counts c = count(&scene, TRIGGERS, 7, NULL, 0, tin_margins_common(2, 5, false), outcomes, kinds);
    const tin_trigger_kind expected[] = {TIN_TRIGGER_FALSE,    TIN_TRIGGER_TRUE,        TIN_TRIGGER_REPEAT,
                                         TIN_TRIGGER_FALSE,    TIN_TRIGGER_WRONG_CLASS, TIN_TRIGGER_REPEAT,
                                         TIN_TRIGGER_DUPLICATE};
    for (size_t i = 0; i < COUNT(expected); i++) {
        assert_int_equal(kinds[i], expected[i]);
    }
    assert_int_equal(outcomes[0].class_index, 1);
    assert_int_equal(outcomes[0].latency, -2);
    assert_int_equal(outcomes[1].class_index, 1);
    assert_int_equal(outcomes[1].latency, 1);
    assert_int_equal(outcomes[2].class_index, TIN_DECISION_NONE);
    assert_int_equal(c.n_events, 3);
    assert_int_equal(c.true_positives, 1);
    assert_int_equal(c.wrong_class, 1);
    assert_int_equal(c.missed, 1);
    assert_int_equal(c.corrected, 1);
    assert_int_equal(c.n_triggers, 7);
    assert_int_equal(c.false_triggers, 2);
    assert_int_equal(c.repeats, 2);
    assert_int_equal(c.duplicates, 1);
    assert_int_equal(c.false_positives, 5);
    assert_int_equal(c.rejection_frames, 49);
    tin_event_figures f = tin_event_figures_of(&c, 10);
    close_to(f.fnr, 1.0 / 3);
    close_to(f.fcr, 1.0 / 3);
    close_to(f.fp_per_frame, 5.0 / 49);
    close_to(f.fp_per_hour, 5.0 / 49 * 36000);
    close_to(f.precision, 1.0 / 7);
    close_to(f.f1, 2.0 / 10);
}

/* The same scene by class. Class 1: A found at -2 frames, C missed; triggers 8 true, 41 wrong (of B), 24 repeat, 5 and 25
 * false: precision 1 / (1 + 1 + 3). Class 2: B taken by class 1, put right at 44, whose trigger is a repeat. Class 3 has
 * no event: trigger 45, a duplicate. In time is A alone, with a deadline of -2 frames or more. */
static void each_class_has_its_part(void **state)
{
    (void)state;
    const tin_scene scene = {EVENTS, 3, NULL, 100};
    tin_trigger triggers[COUNT(TRIGGERS)];
    memcpy(triggers, TRIGGERS, sizeof triggers);
    const tin_detection detection = {triggers, NULL, COUNT(TRIGGERS), 0};
    tin_event_outcome outcomes[3];
    tin_trigger_kind kinds[COUNT(TRIGGERS)];
    tin_margins margins = tin_margins_common(2, 5, false);
    for (margins.deadline = -3; margins.deadline <= -2; margins.deadline++) {
        tin_event_counts all = {0}, c[4] = {{0}};
        assert_int_equal(tin_event_count(&scene, &detection, &margins, outcomes, kinds, &all, NULL), TIN_OK);
        for (int k = 0; k < 4; k++) {
            assert_int_equal(tin_event_count_class(&scene, &detection, &margins, outcomes, kinds, k, &c[k], NULL),
                             TIN_OK);
        }
        assert_true(all.in_time == (margins.deadline == -2) && c[1].in_time == all.in_time);
        assert_true(c[1].n_events == 2 && c[1].true_positives == 1 && c[1].missed == 1 && c[1].wrong_class == 0);
        assert_true(c[1].wrong_triggers == 1 && c[1].false_triggers == 2 && c[1].repeats == 1);
        assert_true(c[1].latency_frames == -2 && c[1].n_triggers == 5);
        close_to(tin_event_figures_of(&c[1], 10).precision, 1.0 / 5);
        close_to(tin_event_figures_of(&c[1], 10).latency_mean_s, -0.2);
        assert_true(c[2].n_events == 1 && c[2].wrong_class == 1 && c[2].corrected == 1 && c[2].repeats == 1);
        assert_true(c[3].n_events == 0 && c[3].duplicates == 1 && c[3].false_positives == 1 && c[0].n_triggers == 0);
    }
    tin_event_counts c = {0};
    tin_memory_fail_at(1);
    assert_int_equal(tin_event_count_class(&scene, &detection, &margins, outcomes, kinds, 1, &c, NULL), TIN_ERR_MEMORY);
    tin_memory_fail_at(0);
}

static void repeats_can_be_allowed_but_not_other_classes(void **state)
{
    (void)state;
    const tin_scene scene = {EVENTS, 3, NULL, 100};
    tin_event_counts c = count(&scene, TRIGGERS, 7, NULL, 0, tin_margins_common(2, 5, true), NULL, NULL);
    assert_int_equal(c.false_positives, 3);
    close_to(tin_event_figures_of(&c, 10).precision, 1.0 / 5);
    close_to(tin_event_figures_of(&c, 10).f1, 2.0 / 8);
}

/* Windows of A = class 1 [10, 20) and B = class 2 [22, 30) overlap in [17, 25): a trigger of class 2 at 18 passes over
 * A, which comes first, and takes B; the next one of class 2 then takes A as a wrong class. */
static void own_class_comes_first_where_windows_overlap(void **state)
{
    (void)state;
    const tin_interval events[] = {{10, 20, 1}, {22, 30, 2}};
    const tin_scene scene = {events, 2, NULL, 60};
    const tin_trigger triggers[] = {{18, 2}, {19, 2}, {24, 1}};
    tin_event_outcome outcomes[2];
    tin_trigger_kind kinds[3];
    tin_event_counts c = count(&scene, triggers, 3, NULL, 0, tin_margins_common(5, 5, false), outcomes, kinds);
    assert_int_equal(outcomes[1].class_index, 2);
    assert_int_equal(outcomes[1].latency, -4);
    assert_int_equal(outcomes[0].class_index, 2);
    assert_int_equal(outcomes[0].latency, 9);
    assert_int_equal(kinds[2], TIN_TRIGGER_REPEAT);
    assert_int_equal(c.corrected, 1);
    /* windows [5, 25) and [17, 35) join: 60 - 30 */
    assert_int_equal(c.rejection_frames, 30);
}

static void earlier_event_of_the_same_class_first(void **state)
{
    (void)state;
    const tin_interval events[] = {{10, 20, 1}, {20, 30, 1}};
    const tin_scene scene = {events, 2, NULL, 60};
    const tin_trigger triggers[] = {{19, 1}, {21, 1}, {22, 1}};
    tin_event_outcome outcomes[2];
    tin_event_counts c = count(&scene, triggers, 3, NULL, 0, tin_margins_common(5, 5, false), outcomes, NULL);
    assert_int_equal(outcomes[0].latency, 9);
    assert_int_equal(outcomes[1].latency, 1);
    assert_int_equal(c.repeats, 1);
}

/* Class 1 may be 1 early and 2 late, class 2 20 early and 30 late. A = class 1 [30, 40), window [29, 42); B = class 2
 * [44, 50), window [24, 80): it begins before that of A and ends behind that of C = class 1 [60, 70), window [59, 72).
 * trigger 23 class 1: in no window   26 class 2: B, true, latency -18   28 class 1: B is taken, A is not yet open: duplicate
 * 41 class 1: A   45 class 1: A is over, B is taken: duplicate   58 class 1: C not open: duplicate   59 class 2: B is
 * taken, C is not: wrong class   71 class 1: C is taken: repeat, and corrects it   75 class 1: duplicate   80 class 2: false.
 * B's window covers all of the others: 100 - 56 rejection frames. Segment [20, 90) of class 1 is false outside [29, 42)
 * and [59, 72): 70 - 26; one of class 1 in [5, 10) is false all over; one of class 2 in [24, 80) nowhere. */
static void each_class_has_its_own_margins(void **state)
{
    (void)state;
    const tin_interval events[] = {{30, 40, 1}, {44, 50, 2}, {60, 70, 1}};
    const tin_scene scene = {events, 3, NULL, 100};
    tin_margins margins = tin_margins_common(1, 2, false);
    margins.of[2] = margins.most = (tin_margin){20, 30};
    const tin_trigger triggers[] = {{23, 1}, {26, 2}, {28, 1}, {41, 1}, {45, 1},
                                    {58, 1}, {59, 2}, {71, 1}, {75, 1}, {80, 2}};
    const tin_trigger_kind expected[] = {TIN_TRIGGER_FALSE,       TIN_TRIGGER_TRUE,      TIN_TRIGGER_DUPLICATE,
                                         TIN_TRIGGER_TRUE,        TIN_TRIGGER_DUPLICATE, TIN_TRIGGER_DUPLICATE,
                                         TIN_TRIGGER_WRONG_CLASS, TIN_TRIGGER_REPEAT,    TIN_TRIGGER_DUPLICATE,
                                         TIN_TRIGGER_FALSE};
    tin_event_outcome outcomes[3];
    tin_trigger_kind kinds[COUNT(triggers)];
    tin_event_counts c = count(&scene, triggers, COUNT(triggers), NULL, 0, margins, outcomes, kinds);
    for (size_t i = 0; i < COUNT(expected); i++) {
        assert_int_equal(kinds[i], expected[i]);
    }
    assert_int_equal(outcomes[0].latency, 11);
    assert_int_equal(outcomes[1].latency, -18);
    assert_int_equal(outcomes[2].class_index, 2);
    assert_int_equal(c.corrected, 1);
    assert_int_equal(c.rejection_frames, 44);
    const tin_interval wide = {20, 90, 1}, apart = {5, 10, 1}, other = {24, 80, 2};
    assert_int_equal(count(&scene, NULL, 0, &wide, 1, margins, NULL, NULL).false_active_frames, 44);
    assert_int_equal(count(&scene, NULL, 0, &apart, 1, margins, NULL, NULL).false_active_frames, 5);
    assert_int_equal(count(&scene, NULL, 0, &other, 1, margins, NULL, NULL).false_active_frames, 0);
    /* a window that begins early lies before one that begins late: frames between are counted once */
    const tin_interval far[] = {{30, 31, 1}, {44, 50, 2}};
    const tin_scene two = {far, 2, NULL, 100};
    margins.of[2] = margins.most = (tin_margin){5, 3};
    assert_int_equal(count(&two, NULL, 0, NULL, 0, margins, NULL, NULL).rejection_frames, 100 - 4 - 14);
}

/* 20 frames a second; what an item leaves out is that of all classes. */
static void margins_come_from_the_settings(void **state)
{
    (void)state;
    char wave[] = "wave", rest[] = "rest", no[] = "no such", *names[] = {rest, no};
    tin_class classes[] = {{"rest", false}, {"wave", true}, {"tap", true}};
    tin_dataset dataset = {.rate_hz = 20, .n_classes = 3, .classes = classes};
    tin_config_margin own[] = {{wave, 200, -1}};
    tin_config_evaluate settings = {.early_ms = 500, .late_ms = 1000, .allow_repeats = true};
    tin_margins m;
    assert_int_equal(tin_margins_create(&m, &settings, &dataset, NULL), TIN_OK);
    assert_true(m.of[1].early == 10 && m.of[2].late == 20 && m.most.early == 10 && m.most.late == 20 &&
                m.allow_repeats);
    settings.margins = own;
    settings.margins_count = 1;
    assert_int_equal(tin_margins_create(&m, &settings, &dataset, NULL), TIN_OK);
    assert_true(m.of[1].early == 4 && m.of[1].late == 20 && m.of[2].early == 10 && m.most.early == 10);
    own[0].late_ms = 1500;
    assert_int_equal(tin_margins_create(&m, &settings, &dataset, NULL), TIN_OK);
    assert_true(m.of[1].late == 30 && m.of[2].late == 20 && m.most.late == 30);
    for (int i = 0; i < 2; i++) {
        tin_error err = {0};
        own[0].class = names[i];
        assert_int_equal(tin_margins_create(&m, &settings, &dataset, &err), TIN_ERR_CONFIG);
        assert_non_null(strstr(tin_error_text(&err), names[i]));
    }
}

/* Labels: frames 0..9 have none, event in [20, 30), margins 0. One false trigger at 5 (unlabelled) and one at 50. */
static void unlabelled_stretches_count_as_rejection_and_apart(void **state)
{
    (void)state;
    int16_t labels[60] = {0};
    for (int t = 0; t < 60; t++) {
        labels[t] = t < 10 ? TIN_LABEL_IGNORE : t >= 20 && t < 30 ? 1 : 0;
    }
    const tin_interval event = {20, 30, 1};
    const tin_scene scene = {&event, 1, labels, 60};
    const tin_trigger triggers[] = {{5, 1}, {25, 1}, {50, 1}};
    /* segments: [4, 12) has 6 of 8 frames without a label; [20, 30) is right; [8, 13) only 2 of 5 */
    const tin_interval segments[] = {{4, 8, 1}, {8, 13, 1}, {20, 30, 1}};
    tin_event_counts c = count(&scene, triggers, 3, segments, 3, tin_margins_common(0, 0, false), NULL, NULL);
    assert_int_equal(c.false_positives, 2);
    assert_int_equal(c.false_triggers_unlabelled, 1);
    assert_int_equal(c.rejection_frames, 50);
    assert_int_equal(c.rejection_unlabelled, 10);
    assert_int_equal(c.segments_unlabelled, 1);
    tin_event_figures f = tin_event_figures_of(&c, 1);
    close_to(f.fp_per_hour, 2.0 / 50 * 3600);
    close_to(f.fp_per_hour_labelled, 1.0 / 40 * 3600);
    close_to(f.iou50_f1, 2.0 / 4);
    close_to(f.iou50_f1_labelled, 2.0 / 3);
}

/* IoU by hand. Event [10, 20): [10, 15) has 5/10 = 0.5, counts at 0.5 and not at 0.75; [12, 27) has 8/17. */
static void overlap_needs_half_of_the_union(void **state)
{
    (void)state;
    const tin_interval event = {10, 20, 1};
    tin_overlap_pair pairs[8];
    uint8_t used[8];
    const tin_interval half = {10, 15, 1}, less = {10, 14, 1}, late = {12, 27, 1}, most = {11, 20, 1},
                       other = {10, 20, 2};
    assert_int_equal(tin_overlap_count(&event, 1, &half, 1, 50, pairs, used), 1);
    assert_int_equal(tin_overlap_count(&event, 1, &half, 1, 75, pairs, used), 0);
    assert_int_equal(tin_overlap_count(&event, 1, &less, 1, 50, pairs, used), 0);
    assert_int_equal(tin_overlap_count(&event, 1, &late, 1, 50, pairs, used), 0);
    assert_int_equal(tin_overlap_count(&event, 1, &most, 1, 75, pairs, used), 1);
    assert_int_equal(tin_overlap_count(&event, 1, &other, 1, 50, pairs, used), 0);
    assert_int_equal(tin_overlap_count(&event, 1, NULL, 0, 50, pairs, used), 0);
    assert_int_equal(tin_overlap_count(NULL, 0, &half, 1, 50, pairs, used), 0);
}

/* Two segments of IoU 0.5 with one event (its halves): one of them is matched. One segment over two events of 10 in 20:
 * one event. */
static void overlap_is_one_to_one(void **state)
{
    (void)state;
    tin_overlap_pair pairs[8];
    uint8_t used[8];
    const tin_interval event = {10, 20, 1}, halves[] = {{10, 15, 1}, {15, 20, 1}};
    assert_int_equal(tin_overlap_count(&event, 1, halves, 2, 50, pairs, used), 1);
    const tin_interval events[] = {{10, 20, 1}, {20, 30, 1}}, both = {10, 30, 1};
    assert_int_equal(tin_overlap_count(events, 2, &both, 1, 50, pairs, used), 1);
}

/* At 10 %: segment S [10, 30) with A [8, 14) (4/22) and B [14, 30) (16/20); T [4, 10) with A (2/10). Greedy takes S-B
 * (0.8) first, then T-A (0.2): 2. First come first served would take S-A. */
static void overlap_takes_the_greatest_first(void **state)
{
    (void)state;
    tin_overlap_pair pairs[8];
    uint8_t used[8];
    const tin_interval events[] = {{8, 14, 1}, {14, 30, 1}}, segments[] = {{4, 10, 1}, {10, 30, 1}};
    assert_int_equal(tin_overlap_count(events, 2, segments, 2, 10, pairs, used), 2);
}

/* Window of the class-1 event is [8, 25): a segment of class 1 over [0, 30) is false in 8 + 5 frames, one of class 2 in
 * [10, 20) in 10. */
static void false_activity_is_outside_the_own_window(void **state)
{
    (void)state;
    const tin_interval event = {10, 20, 1};
    const tin_scene scene = {&event, 1, NULL, 40};
    const tin_interval own = {0, 30, 1}, other = {10, 20, 2};
    tin_event_counts c = count(&scene, NULL, 0, &own, 1, tin_margins_common(2, 5, false), NULL, NULL);
    assert_int_equal(c.false_active_frames, 13);
    close_to(tin_event_figures_of(&c, 1).false_active_share, 13.0 / 40);
    c = count(&scene, NULL, 0, &other, 1, tin_margins_common(2, 5, false), NULL, NULL);
    assert_int_equal(c.false_active_frames, 10);
}

static void nothing_there_gives_nan_not_zero(void **state)
{
    (void)state;
    tin_event_counts c = {0};
    tin_event_figures f = tin_event_figures_of(&c, 50);
    assert_true(isnan(f.fnr) && isnan(f.fp_per_hour) && isnan(f.iou50_f1) && isnan(f.precision));
}

static void counts_add_up(void **state)
{
    (void)state;
    /* every member is an int64_t, so the sum can be checked without naming them */
    int64_t a[sizeof(tin_event_counts) / sizeof(int64_t)], b[COUNT(a)], sum[COUNT(a)];
    for (size_t i = 0; i < COUNT(a); i++) {
        a[i] = (int64_t)i + 1;
        b[i] = 100 * (int64_t)i;
    }
    tin_event_counts x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    tin_event_counts_add(&x, &y, 1);
    memcpy(sum, &x, sizeof x);
    for (size_t i = 0; i < COUNT(a); i++) {
        assert_int_equal(sum[i], a[i] + b[i]);
    }
    tin_event_counts_add(&x, &y, -1);
    assert_memory_equal(&x, a, sizeof x);
}

static const tin_class CLASSES[] = {{"rest", false}, {"wave", true}};

/* An event begins at a margin of 256 and ends below 100. */
static tin_decision_rule between(void)
{
    tin_decision_rule rule = tin_decision_plain(256);
    rule.hysteresis = 156;
    return rule;
}

/* hop 2, 9 frames, 4 decisions at frames 1, 3, 5, 7; margin of class 1 is z1 - z0: 10, 300, 300, -5; on 256, off 100,
 * no smoothing: one trigger at frame 3, active for frames 3..6. */
static void detection_puts_decisions_at_their_frames(void **state)
{
    (void)state;
    const int16_t scores[] = {0, 10, 0, 300, 0, 300, 5, 0};
    const tin_decision_rule rule = between();
    tin_detection d;
    assert_int_equal(tin_detect(&rule, CLASSES, 2, (tin_timing){2, 0, 0}, scores, 4, 9, &d, NULL), TIN_OK);
    assert_int_equal(d.n_triggers, 1);
    assert_int_equal(d.triggers[0].frame, 3);
    assert_int_equal(d.triggers[0].class_index, 1);
    assert_int_equal(d.n_segments, 1);
    assert_int_equal(d.segments[0].start, 3);
    assert_int_equal(d.segments[0].end, 7);
    tin_detection_free(&d);
    /* active to the end: the last decision is held to the end of the stream and not past it */
    assert_int_equal(tin_detect(&rule, CLASSES, 2, (tin_timing){2, 0, 0}, scores, 3, 6, &d, NULL), TIN_OK);
    assert_int_equal(d.segments[0].end, 6);
    tin_detection_free(&d);
}

/* A device that reports 1 frame later: the trigger comes later, the segment is the same; what would come behind the end of
 * the stream does not. */
static void a_late_device_moves_triggers_and_no_segment(void **state)
{
    (void)state;
    const int16_t scores[] = {0, 10, 0, 300, 0, 300, 5, 0};
    const tin_decision_rule rule = between();
    tin_detection d;
    assert_int_equal(tin_detect(&rule, CLASSES, 2, (tin_timing){2, 0, 1}, scores, 4, 9, &d, NULL), TIN_OK);
    assert_int_equal(d.triggers[0].frame, 4);
    assert_int_equal(d.segments[0].start, 3);
    assert_int_equal(d.segments[0].end, 7);
    tin_detection_free(&d);
    assert_int_equal(tin_detect(&rule, CLASSES, 2, (tin_timing){2, 0, 1}, scores, 2, 4, &d, NULL), TIN_OK);
    assert_int_equal(d.n_triggers, 0);
    tin_detection_free(&d);
}

/* The same with a delay of 2: the trigger comes when it came, the segment is what it speaks of. */
static void a_delay_moves_segments_and_no_trigger(void **state)
{
    (void)state;
    const int16_t scores[] = {0, 10, 0, 300, 0, 300, 5, 0};
    const tin_decision_rule rule = between();
    tin_detection d;
    assert_int_equal(tin_detect(&rule, CLASSES, 2, (tin_timing){2, 2, 0}, scores, 4, 9, &d, NULL), TIN_OK);
    assert_int_equal(d.triggers[0].frame, 3);
    assert_int_equal(d.segments[0].start, 1);
    assert_int_equal(d.segments[0].end, 5);
    tin_detection_free(&d);
    assert_int_equal(tin_detect(&rule, CLASSES, 2, (tin_timing){2, 2, 0}, scores, 3, 6, &d, NULL), TIN_OK);
    assert_int_equal(d.segments[0].start, 1);
    assert_int_equal(d.segments[0].end, 6); /* active to the end */
    tin_detection_free(&d);
    tin_interval segments[] = {{0, 3, 1}, {4, 9, 1}, {10, 12, 0}};
    assert_int_equal(tin_segments_delay(segments, 3, 4, 12), 2); /* the first speaks of nothing in the stream */
    assert_true(segments[0].start == 0 && segments[0].end == 5 && segments[1].start == 6 && segments[1].end == 12);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    const int16_t scores[] = {0, 10, 0, 300, 0, 300, 5, 0};
    const tin_decision_rule rule = between();
    const tin_interval event = {3, 7, 1};
    const tin_scene scene = {&event, 1, NULL, 9};
    const tin_margins margins = tin_margins_common(0, 0, false);
    tin_memory_fail_at(0);
    for (size_t n = 1;; n++) {
        assert_true(n < 20);
        tin_detection d = {0};
        tin_event_counts c = {0};
        tin_error err = {0};
        tin_memory_fail_at(n);
        tin_status status = tin_detect(&rule, CLASSES, 2, (tin_timing){2, 0, 0}, scores, 4, 9, &d, &err);
        if (status == TIN_OK) {
            status = tin_event_count(&scene, &d, &margins, NULL, NULL, &c, &err);
        }
        size_t made = tin_memory_fail_at(0);
        tin_detection_free(&d);
        if (status == TIN_OK) {
            assert_true(made < n);
            assert_int_equal(c.true_positives, 1);
            break;
        }
        assert_int_equal(status, TIN_ERR_MEMORY);
        assert_int_equal(err.status, TIN_ERR_MEMORY);
        assert_int_equal(c.n_events, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matching_by_hand),
        cmocka_unit_test(each_class_has_its_part),
        cmocka_unit_test(repeats_can_be_allowed_but_not_other_classes),
        cmocka_unit_test(own_class_comes_first_where_windows_overlap),
        cmocka_unit_test(earlier_event_of_the_same_class_first),
        cmocka_unit_test(each_class_has_its_own_margins),
        cmocka_unit_test(margins_come_from_the_settings),
        cmocka_unit_test(unlabelled_stretches_count_as_rejection_and_apart),
        cmocka_unit_test(overlap_needs_half_of_the_union),
        cmocka_unit_test(overlap_is_one_to_one),
        cmocka_unit_test(overlap_takes_the_greatest_first),
        cmocka_unit_test(false_activity_is_outside_the_own_window),
        cmocka_unit_test(nothing_there_gives_nan_not_zero),
        cmocka_unit_test(counts_add_up),
        cmocka_unit_test(detection_puts_decisions_at_their_frames),
        cmocka_unit_test(a_delay_moves_segments_and_no_trigger),
        cmocka_unit_test(a_late_device_moves_triggers_and_no_segment),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
