/* The sweep must equal brute force: the decision layer of the model library run anew at each threshold, counted by
 * tin_event_count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/rng.h"
#include "evaluate/rule_choice.h"

#define N_STREAMS 4
#define N_CLASSES 5
#define MOST 200 /* decisions of a stream */
#define MOST_EVENTS 12

/* Two classes of background around three events, so that class and event indices differ. */
static const tin_class CLASSES[N_CLASSES] = {
    {"wave", true}, {"rest", false}, {"knock", true}, {"walk", false}, {"turn", true}};

typedef struct world {
    int16_t scores[N_STREAMS][MOST * N_CLASSES];
    int16_t labels[N_STREAMS][MOST * 3 + 2];
    tin_interval events[N_STREAMS][MOST_EVENTS];
    tin_sweep_stream streams[N_STREAMS];
    tin_sweep_input input;
} world;

/* Random walks of few distinct values (many ties), with bumps of the right class at events. Stream 2 is empty. */
static void make_world(world *w, uint64_t seed, int hop, int32_t range)
{
    static const int64_t n_decisions[N_STREAMS] = {MOST, 64, 0, 131};
    tin_rng rng;
    tin_rng_seed(&rng, seed);
    memset(w, 0, sizeof *w);
    for (int s = 0; s < N_STREAMS; s++) {
        int64_t n_frames = n_decisions[s] * hop + (hop > 1);
        size_t n_events = 0;
        for (int64_t t = 5 + tin_rng_below(&rng, 20); t + 12 < n_frames && n_events < MOST_EVENTS;) {
            int64_t length = 3 + tin_rng_below(&rng, 9);
            int32_t k = (int32_t[]){0, 2, 4}[tin_rng_below(&rng, 3)];
            w->events[s][n_events++] = (tin_interval){t, t + length, k};
            t += length + tin_rng_below(&rng, 30);
        }
        for (int64_t t = 0; t < n_frames; t++) {
            w->labels[s][t] = t % 50 < 8 ? TIN_LABEL_IGNORE : 1;
        }
        for (int64_t j = 0; j < n_decisions[s]; j++) {
            for (int k = 0; k < N_CLASSES; k++) {
                int32_t z = (int32_t)tin_rng_below(&rng, (uint32_t)range) - range / 2;
                for (size_t i = 0; i < n_events; i++) {
                    int64_t t = hop * (j + 1) - 1;
                    bool inside = t >= w->events[s][i].start && t < w->events[s][i].end + 2;
                    z += inside && w->events[s][i].class_index == k ? range / 2 : 0;
                }
                w->scores[s][j * N_CLASSES + k] = (int16_t)z;
            }
        }
        w->streams[s] =
            (tin_sweep_stream){{w->events[s], n_events, w->labels[s], n_frames}, w->scores[s], n_decisions[s]};
    }
    w->input = (tin_sweep_input){w->streams,
                                 N_STREAMS,
                                 CLASSES,
                                 N_CLASSES,
                                 {hop, seed % 3 == 2 ? 2 * (int)hop : 0, (int)((int64_t)seed % hop)},
                                 tin_margins_common(2, 4, false)};
}

static tin_sweep_point brute_force(const tin_sweep_input *input, const tin_decision_rule *rule)
{
    tin_sweep_point point = {.on = rule->on[0]};
    for (size_t s = 0; s < input->n_streams; s++) {
        const tin_sweep_stream *stream = &input->streams[s];
        tin_detection d;
        tin_event_outcome outcomes[MOST_EVENTS];
        assert_int_equal(tin_detect(rule, CLASSES, N_CLASSES, input->timing, stream->scores, stream->n_decisions,
                                    stream->scene.n_frames, &d, NULL),
                         TIN_OK);
        assert_int_equal(tin_event_count(&stream->scene, &d, &input->margins, outcomes, NULL, &point.counts, NULL),
                         TIN_OK);
        for (size_t i = 0; i < stream->scene.n_events; i++) {
            if (outcomes[i].class_index == stream->scene.events[i].class_index) {
                point.latency_sum += outcomes[i].latency;
            }
        }
        tin_detection_free(&d);
    }
    /* the sweep does not fill these */
    point.counts.overlap75 = point.counts.false_active_frames = point.counts.segments_unlabelled = 0;
    return point;
}

typedef struct check {
    const tin_sweep_input *input;
    const tin_rule_family *family;
    size_t n_visits;
} check;

static int64_t equals_brute_force(void *context, const tin_sweep_point *point)
{
    check *c = context;
    tin_decision_rule rule = tin_rule_of(c->family, point->on);
    tin_sweep_point expected = brute_force(c->input, &rule);
    assert_int_equal(point->latency_sum, expected.latency_sum);
    assert_memory_equal(&point->counts, &expected.counts, sizeof expected.counts);
    c->n_visits++;
    return INT64_MAX;
}

static void sweep_equals_brute_force(void **state)
{
    (void)state;
    static world w;
    const tin_rule_family families[] = {{0, 0, 1, 0},  {0, 7, 1, 0}, {0, 0, 3, 0},  {0, 5, 2, 4},
                                        {1, 10, 1, 0}, {2, 0, 2, 7}, {3, 30, 1, 3}, {0, 400, 1, 90}};
    for (uint64_t seed = 1; seed <= 6; seed++) {
        make_world(&w, seed, seed % 2 ? 1 : 3, seed < 4 ? 40 : 400);
        w.input.margins.allow_repeats = seed == 5;
        if (seed % 2 == 0) {
            w.input.margins.of[N_CLASSES - 1] = w.input.margins.most = (tin_margin){9, 15};
        }
        for (size_t f = 0; f < sizeof families / sizeof *families; f++) {
            tin_smoothed *smoothed = NULL;
            int32_t *thresholds = NULL;
            size_t n = 0;
            assert_int_equal(tin_smoothed_create(&smoothed, &w.input, families[f].smooth_shift, NULL), TIN_OK);
            assert_int_equal(tin_sweep_thresholds(smoothed, &thresholds, &n, NULL), TIN_OK);
            check c = {&w.input, &families[f], 0};
            assert_int_equal(tin_sweep_run(smoothed, &families[f], thresholds, n, true, equals_brute_force, &c, NULL),
                             TIN_OK);
            assert_int_equal(c.n_visits, n);
            tin_free(thresholds);
            tin_smoothed_free(smoothed);
        }
    }
}

/* With steps of several values at a time the walks overlap; the result must not care. */
static void coarse_thresholds_equal_brute_force(void **state)
{
    (void)state;
    static world w;
    make_world(&w, 77, 2, 300);
    const tin_rule_family family = {1, 20, 2, 5};
    const int32_t thresholds[] = {400, 170, 90, 33, 0, -50, -400};
    tin_smoothed *smoothed = NULL;
    assert_int_equal(tin_smoothed_create(&smoothed, &w.input, 1, NULL), TIN_OK);
    check c = {&w.input, &family, 0};
    assert_int_equal(tin_sweep_run(smoothed, &family, thresholds, 7, true, equals_brute_force, &c, NULL), TIN_OK);
    assert_int_equal(c.n_visits, 7);
    tin_smoothed_free(smoothed);
}

static void thresholds_are_all_values_once_from_the_top(void **state)
{
    (void)state;
    /* margins of class 1: 5, 9, 5 */
    const int16_t scores[] = {0, 5, 1, 10, 2, 7};
    const tin_class classes[] = {{"rest", false}, {"wave", true}};
    const tin_sweep_stream stream = {{NULL, 0, NULL, 3}, scores, 3};
    const tin_sweep_input input = {&stream, 1, classes, 2, {1, 0, 0}, tin_margins_common(0, 0, false)};
    tin_smoothed *smoothed = NULL;
    int32_t *thresholds = NULL;
    size_t n = 0;
    assert_int_equal(tin_smoothed_create(&smoothed, &input, 0, NULL), TIN_OK);
    assert_int_equal(tin_sweep_thresholds(smoothed, &thresholds, &n, NULL), TIN_OK);
    const int32_t expected[] = {10, 9, 5};
    assert_int_equal(n, 3);
    assert_memory_equal(thresholds, expected, sizeof expected);
    tin_free(thresholds);
    tin_smoothed_free(smoothed);
}

typedef struct found {
    bool any;
    double value;
    int64_t false_positives;
    tin_decision_rule rule;
} found;

static double value_of(const tin_rule_goal *goal, const tin_event_counts *counts)
{
    tin_event_figures f = tin_event_figures_of(counts, 1);
    switch (goal->objective) {
    case TIN_OBJECTIVE_EVENT_F1:
        return f.f1;
    case TIN_OBJECTIVE_IOU_F1:
        return f.iou50_f1;
    default:
        return counts->false_positives <= goal->max_false_positives ? f.recall : -1;
    }
}

/* The best threshold of a family, the highest on a tie, by running every one of them. */
static found search_family(const tin_sweep_input *input, const tin_rule_goal *goal, const tin_rule_family *family)
{
    found best = {.value = -1};
    tin_smoothed *smoothed = NULL;
    int32_t *thresholds = NULL;
    size_t n = 0;
    assert_int_equal(tin_smoothed_create(&smoothed, input, family->smooth_shift, NULL), TIN_OK);
    assert_int_equal(tin_sweep_thresholds(smoothed, &thresholds, &n, NULL), TIN_OK);
    for (size_t i = 0; i < n; i++) {
        tin_decision_rule rule = tin_rule_of(family, thresholds[i]);
        tin_event_counts counts = brute_force(input, &rule).counts;
        double value = value_of(goal, &counts);
        if (value > best.value) {
            best = (found){true, value, counts.false_positives, rule};
        }
    }
    tin_free(thresholds);
    tin_smoothed_free(smoothed);
    return best;
}

/* The choice equals an exhaustive search of the documented grid with the documented order of preference, written the
 * plain way. */
static void choice_is_the_best_of_all(void **state)
{
    (void)state;
    static world w;
    static const int32_t hysteresis[] = {0, 128, 256, 512, 1024, 2048};
    static const int counts[] = {1, 2, 3, 5};
    const tin_rule_goal goals[] = {
        {TIN_OBJECTIVE_EVENT_F1, 0, 6}, {TIN_OBJECTIVE_IOU_F1, 0, 0}, {TIN_OBJECTIVE_FEWEST_MISS, 3, 6}};
    for (int g = 0; g < 3; g++) {
        make_world(&w, 11 + (uint64_t)g, 2, 600);
        found best = {0};
        for (int i = 0; i < 4 * 4 * 6 * 2; i++) {
            int refractory = i % 2 * goals[g].refractory;
            if (i % 2 == 1 && refractory == 0) {
                continue;
            }
            const tin_rule_family family = {i / 48, hysteresis[i / 2 % 6], counts[i / 12 % 4], refractory};
            found one = search_family(&w.input, &goals[g], &family);
            if (one.any && (!best.any || one.value > best.value ||
                            (one.value == best.value && one.false_positives < best.false_positives))) {
                best = one;
            }
        }
        for (int k = 0; k < TIN_MAX_CLASSES; k++) {
            best.rule.on[k] = k < N_CLASSES && CLASSES[k].event ? best.rule.on[k] : 0;
        }
        tin_rule_choice choice;
        assert_int_equal(tin_rule_choose(&w.input, &goals[g], NULL, &choice, NULL), TIN_OK);
        assert_true(best.value > 0);
        assert_memory_equal(&choice.rule, &best.rule, sizeof best.rule);
        assert_true(value_of(&goals[g], &choice.counts) == best.value);
    }
}

static void choice_ignores_the_number_of_threads(void **state)
{
    (void)state;
    static world w;
    make_world(&w, 5, 1, 200);
    const tin_rule_goal goal = {TIN_OBJECTIVE_EVENT_F1, 0, 8};
    tin_rule_choice one, many;
    tin_pool *pool = NULL;
    assert_int_equal(tin_pool_create(&pool, 4, NULL), TIN_OK);
    assert_int_equal(tin_rule_choose(&w.input, &goal, NULL, &one, NULL), TIN_OK);
    assert_int_equal(tin_rule_choose(&w.input, &goal, pool, &many, NULL), TIN_OK);
    tin_pool_destroy(pool);
    assert_memory_equal(&one.rule, &many.rule, sizeof one.rule);
    assert_memory_equal(&one.counts, &many.counts, sizeof one.counts);
}

static void a_bound_of_zero_false_positives_is_kept(void **state)
{
    (void)state;
    static world w;
    make_world(&w, 21, 1, 60);
    const tin_rule_goal goal = {TIN_OBJECTIVE_FEWEST_MISS, 0, 0};
    tin_rule_choice choice;
    assert_int_equal(tin_rule_choose(&w.input, &goal, NULL, &choice, NULL), TIN_OK);
    assert_int_equal(brute_force(&w.input, &choice.rule).counts.false_positives, 0);
}

static void no_event_is_refused_with_the_mend(void **state)
{
    (void)state;
    static world w;
    make_world(&w, 3, 1, 40);
    for (int s = 0; s < N_STREAMS; s++) {
        w.streams[s].scene.n_events = 0;
    }
    const tin_rule_goal goal = {TIN_OBJECTIVE_EVENT_F1, 0, 0};
    tin_rule_choice choice;
    tin_error err = {0};
    assert_int_equal(tin_rule_choose(&w.input, &goal, NULL, &choice, &err), TIN_ERR_DATA);
    assert_non_null(strstr(err.message, "data.validation"));
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    static world w;
    make_world(&w, 9, 1, 40);
    const tin_rule_goal goal = {TIN_OBJECTIVE_IOU_F1, 0, 0};
    bool done = false;
    tin_memory_fail_at(0);
    for (size_t n = 1; !done && n < 2000; n++) {
        tin_rule_choice choice;
        tin_error err = {0};
        tin_memory_fail_at(n);
        tin_status status = tin_rule_choose(&w.input, &goal, NULL, &choice, &err);
        size_t made = tin_memory_fail_at(0);
        done = status == TIN_OK;
        assert_true(done ? made < n : status == TIN_ERR_MEMORY && err.status == TIN_ERR_MEMORY);
    }
    assert_true(done);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sweep_equals_brute_force),
        cmocka_unit_test(coarse_thresholds_equal_brute_force),
        cmocka_unit_test(thresholds_are_all_values_once_from_the_top),
        cmocka_unit_test(choice_is_the_best_of_all),
        cmocka_unit_test(choice_ignores_the_number_of_threads),
        cmocka_unit_test(a_bound_of_zero_false_positives_is_kept),
        cmocka_unit_test(no_event_is_refused_with_the_mend),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
