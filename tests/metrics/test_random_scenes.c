/* What must hold of every scene, on thousands of random ones: empty streams, no event, no report, one frame, intervals that
 * touch, acceptance windows that overlap, each class its own margins. Under the sanitizers it looks for bad reads too. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "metrics/nab_score.h"
#include "metrics/psds.h"
#include "metrics/span_metrics.h"

enum { MOST = 40, N_CLASSES = 5, RATE = 10 };

typedef struct random_scene {
    int64_t n_frames;
    tin_interval events[MOST], segments[MOST];
    tin_trigger triggers[MOST];
    int16_t labels[400];
    tin_scene scene;
    tin_detection detection;
    tin_margins margins;
} random_scene;

static int below(tin_rng *rng, int64_t n)
{
    return (int)tin_rng_below(rng, (uint32_t)n);
}

/* Sorted, not overlapping; classes 1.. */
static size_t draw_intervals(tin_rng *rng, int64_t n_frames, tin_interval intervals[MOST])
{
    size_t n = 0, most = (size_t)below(rng, MOST);
    for (int64_t at = 0; n < most && at < n_frames;) {
        int64_t start = at + (below(rng, 2) ? below(rng, 12) : 0), end = start + 1 + below(rng, 15);
        if (end > n_frames) {
            break;
        }
        intervals[n++] = (tin_interval){start, end, 1 + below(rng, N_CLASSES - 1)};
        at = end;
    }
    return n;
}

static void draw(tin_rng *rng, random_scene *s)
{
    s->n_frames = below(rng, 8) ? below(rng, 400) : below(rng, 3);
    size_t n_events = draw_intervals(rng, s->n_frames, s->events);
    size_t n_segments = draw_intervals(rng, s->n_frames, s->segments), n_triggers = 0;
    for (int64_t t = 0; t < s->n_frames && n_triggers < MOST; t++) {
        if (below(rng, 10) == 0) {
            s->triggers[n_triggers++] = (tin_trigger){t, 1 + below(rng, N_CLASSES - 1)};
        }
    }
    for (int64_t t = 0; t < s->n_frames; t++) {
        s->labels[t] = (int16_t)(below(rng, 5) ? 0 : TIN_LABEL_IGNORE);
    }
    s->scene = (tin_scene){s->events, n_events, below(rng, 2) ? s->labels : NULL, s->n_frames};
    s->detection = (tin_detection){s->triggers, s->segments, n_triggers, n_segments};
    s->margins = tin_margins_common(0, 0, below(rng, 2));
    for (int k = 1; k < N_CLASSES; k++) {
        tin_margin *own = &s->margins.of[k], *most = &s->margins.most;
        *own = (tin_margin){below(rng, 20), below(rng, 30)};
        *most = (tin_margin){own->early > most->early ? own->early : most->early,
                             own->late > most->late ? own->late : most->late};
    }
    s->margins.deadline = below(rng, 20) - 3;
    s->margins.collar = below(rng, 12);
    s->margins.unit = 1 + below(rng, 25) / 2.0;
}

static void count_all(const random_scene *s, tin_event_counts *all, tin_event_counts of_class[N_CLASSES])
{
    tin_event_outcome outcomes[MOST];
    tin_trigger_kind kinds[MOST];
    tin_border borders[MOST];
    size_t n_borders = 0;
    assert_int_equal(tin_event_count(&s->scene, &s->detection, &s->margins, outcomes, kinds, all, NULL), TIN_OK);
    for (int k = 1; k < N_CLASSES; k++) {
        assert_int_equal(
            tin_event_count_class(&s->scene, &s->detection, &s->margins, outcomes, kinds, k, &of_class[k], NULL),
            TIN_OK);
        tin_nab_count(&s->scene, &s->detection, &s->margins, k, &of_class[k]);
        all->nab_windows += of_class[k].nab_windows;
        all->nab_billionths += of_class[k].nab_billionths;
    }
    assert_int_equal(tin_span_count(&s->scene, &s->detection, &s->margins, all, of_class, borders, &n_borders, NULL),
                     TIN_OK);
    assert_int_equal(n_borders, all->overlap50);
}

static void counts_fit(const tin_event_counts *c, int64_t n_frames)
{
    int64_t fewer = c->n_events < c->n_segments ? c->n_events : c->n_segments;
    assert_int_equal(c->n_events, c->true_positives + c->wrong_class + c->missed);
    assert_int_equal(c->n_triggers,
                     c->true_positives + c->wrong_triggers + c->repeats + c->duplicates + c->false_triggers);
    assert_true(c->in_time <= c->true_positives && c->corrected <= c->wrong_class);
    assert_true(c->false_triggers_unlabelled <= c->false_triggers && c->rejection_unlabelled <= c->rejection_frames);
    assert_true(c->n_frames == n_frames && c->rejection_frames <= n_frames && c->false_active_frames <= n_frames);
    assert_true(c->overlap75 <= c->overlap50 && c->overlap50 <= fewer);
    assert_true(c->borders_right <= c->onset_right && c->onset_right + c->onset_substituted <= fewer);
    assert_true(c->borders_right + c->borders_substituted <= fewer);
    assert_int_equal(c->units_true, c->units_right + c->units_substituted + c->units_deleted);
    assert_int_equal(c->units_said, c->units_right + c->units_substituted + c->units_inserted);
    assert_true(c->nab_windows <= c->n_events && c->nab_billionths <= 1000000000 * c->nab_windows);
}

/* Every member but those of frames, and substitutions, which one class alone cannot have. */
static void classes_add_up(const tin_event_counts *all, const tin_event_counts of_class[N_CLASSES])
{
    tin_event_counts sum = {0};
    for (int k = 0; k < N_CLASSES; k++) {
        tin_event_counts_add(&sum, &of_class[k], 1);
    }
    assert_int_equal(sum.units_deleted - all->units_deleted, all->units_substituted);
    assert_int_equal(sum.units_inserted - all->units_inserted, all->units_substituted);
    sum.n_frames = all->n_frames;
    sum.rejection_frames = all->rejection_frames;
    sum.rejection_unlabelled = all->rejection_unlabelled;
    sum.units_substituted = all->units_substituted;
    sum.units_deleted = all->units_deleted;
    sum.units_inserted = all->units_inserted;
    sum.onset_substituted = all->onset_substituted;
    sum.borders_substituted = all->borders_substituted;
    assert_memory_equal(&sum, all, sizeof sum);
}

static void share(double value)
{
    assert_true(isnan(value) || (value >= 0 && value <= 1));
}

static void figures_fit(const tin_event_counts *c)
{
    tin_event_figures f = tin_event_figures_of(c, RATE);
    const double shares[] = {f.fnr,
                             f.fcr,
                             f.recall,
                             f.precision,
                             f.f1,

                             f.iou50_f1,
                             f.iou75_f1,
                             f.segment_f1,
                             f.onset_f1,
                             f.onset_offset_f1,
                             f.false_active_share,
                             f.deadline_recall};
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        share(shares[i]);
    }
    assert_true(isnan(f.nab_score) || f.nab_score <= 100 + 1e-9);
    assert_true(isnan(f.onset_error_rate) || f.onset_error_rate >= 0);
}

static double psds_of(const random_scene *s, const tin_interval *segments, size_t n_segments, int kind)
{
    int64_t n_events[N_CLASSES] = {0}, frames[N_CLASSES] = {0}, covered[MOST];
    tin_psds_counts counts;
    tin_psds_point points[N_CLASSES];
    double value = 0;
    for (size_t i = 0; i < s->scene.n_events; i++) {
        n_events[s->events[i].class_index]++;
        frames[s->events[i].class_index] += s->events[i].end - s->events[i].start;
    }
    const tin_psds_truth truth = {N_CLASSES, n_events, frames, s->n_frames, RATE};
    assert_int_equal(tin_psds_counts_create(&counts, N_CLASSES, NULL), TIN_OK);
    tin_psds_count(&s->scene, segments, n_segments, &tin_psds_kinds[kind], covered, &counts);
    tin_psds_points_of(&counts, &truth, &tin_psds_kinds[kind], points);
    assert_int_equal(tin_psds_value(points, 1, &truth, &tin_psds_kinds[kind], &value, NULL), TIN_OK);
    tin_psds_counts_free(&counts);
    return value;
}

static void what_holds_of_every_scene(void **state)
{
    (void)state;
    static random_scene s;
    tin_rng rng;
    tin_rng_seed(&rng, 20261126);
    for (int i = 0; i < 4000; i++) {
        tin_event_counts all = {0}, of_class[N_CLASSES] = {{0}};
        draw(&rng, &s);
        count_all(&s, &all, of_class);
        counts_fit(&all, s.n_frames);
        classes_add_up(&all, of_class);
        figures_fit(&all);
        for (int kind = 0; kind < TIN_PSDS_KINDS; kind++) {
            share(psds_of(&s, s.segments, s.detection.n_segments, kind));
        }
    }
}

/* A detector that says what is true, when it begins, has every figure as good as it can be. */
static void the_truth_is_perfect(void **state)
{
    (void)state;
    static random_scene s;
    tin_rng rng;
    tin_rng_seed(&rng, 7);
    for (int i = 0; i < 1000; i++) {
        tin_event_counts all = {0}, of_class[N_CLASSES] = {{0}};
        draw(&rng, &s);
        size_t n = s.scene.n_events;
        s.margins = tin_margins_common(0, 0, false);
        memcpy(s.segments, s.events, n * sizeof *s.events);
        for (size_t e = 0; e < n; e++) {
            s.triggers[e] = (tin_trigger){s.events[e].start, s.events[e].class_index};
        }
        s.detection = (tin_detection){s.triggers, s.segments, n, n};
        count_all(&s, &all, of_class);
        tin_event_figures f = tin_event_figures_of(&all, RATE);
        if (n == 0) {
            assert_true(isnan(f.recall) && isnan(f.segment_f1) && isnan(psds_of(&s, s.segments, 0, 0)));
            continue;
        }
        assert_true(f.recall == 1 && f.precision == 1 && f.deadline_recall == 1 && f.latency_mean_s == 0);
        assert_true(f.iou75_f1 == 1 && f.segment_f1 == 1 && f.segment_error_rate == 0 && f.onset_offset_f1 == 1);
        assert_true(f.start_error_s == 0 && f.end_error_s == 0 && f.false_active_share == 0);
        assert_true(fabs(f.nab_score - 100) < 1e-6);
        assert_true(fabs(psds_of(&s, s.segments, n, 0) - 1) < 1e-12);
    }
}

/* The most pairs of events from `event` on with segments that are not taken, by trying every choice. */
static int most_pairs(const random_scene *s, size_t event, uint64_t taken, double collar)
{
    if (event == s->scene.n_events) {
        return 0;
    }
    int best = most_pairs(s, event + 1, taken, collar);
    for (size_t j = 0; j < s->detection.n_segments; j++) {
        const tin_interval *e = &s->events[event], *segment = &s->segments[j];
        if (e->class_index == segment->class_index && fabs((double)(e->start - segment->start)) <= collar &&
            !(taken >> j & 1)) {
            int with = 1 + most_pairs(s, event + 1, taken | UINT64_C(1) << j, collar);
            best = with > best ? with : best;
        }
    }
    return best;
}

static void as_many_pairs_as_by_trying_all(void **state)
{
    (void)state;
    static random_scene s;
    tin_rng rng;
    tin_rng_seed(&rng, 8);
    for (int i = 0; i < 2000; i++) {
        size_t match[MOST];
        int found = 0;
        draw(&rng, &s);
        s.scene.n_events = s.scene.n_events < 7 ? s.scene.n_events : 7;
        s.detection.n_segments = s.detection.n_segments < 9 ? s.detection.n_segments : 9;
        double collar = below(&rng, 40);
        for (size_t e = 0; e < s.scene.n_events; e++) {
            s.events[e].class_index = 1 + (int32_t)(e % 2);
        }
        for (size_t j = 0; j < s.detection.n_segments; j++) {
            s.segments[j].class_index = 1 + below(&rng, 2);
        }
        assert_int_equal(tin_collar_match(&s.scene, &s.detection, collar, false, match, NULL), TIN_OK);
        for (size_t e = 0; e < s.scene.n_events; e++) {
            found += match[e] != SIZE_MAX;
        }
        assert_int_equal(found, most_pairs(&s, 0, 0, collar));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_holds_of_every_scene),
        cmocka_unit_test(the_truth_is_perfect),
        cmocka_unit_test(as_many_pairs_as_by_trying_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
