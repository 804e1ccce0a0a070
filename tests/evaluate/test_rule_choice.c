/* The choice of the decision rule and its Pareto front against brute force. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "evaluate/rule_choice.h"
#include "random_world.h"

#define RATE_HZ 10
#define SPREAD 256

static tin_rule_goal goal_of(tin_aim aim, int32_t spread)
{
    return (tin_rule_goal){.max_fp_per_hour = (double)INFINITY,
                           .max_fnr = (double)INFINITY,
                           .max_latency_s = (double)INFINITY,
                           .rate_hz = RATE_HZ,
                           .deadline_frames = RATE_HZ,
                           .aims = {aim},
                           .n_aims = 1,
                           .spread = spread};
}

static const tin_choice_options OPTIONS = {6, NULL, true};

/* The plain search of one person: every threshold of the documented grid, each judged by the sum over the thresholds
 * around it, in the plain way. */
typedef struct found {
    bool any;
    double value;
    int64_t false_positives;
    tin_decision_rule rule;
} found;

static double f1_of(const tin_sweep_counts *c)
{
    return 2 * (double)c->true_positives /
           (double)(c->true_positives + c->wrong_class + c->false_positives + c->n_events);
}

static void search_family(const tin_sweep_input *input, const tin_sweep_family *family, found *best)
{
    static tin_sweep_counts at[2 * SPREAD + 4096]; /* of threshold low + i */
    tin_smoothed *smoothed = NULL;
    int32_t *thresholds = NULL;
    size_t n = 0;
    int64_t n_events = 0;
    for (size_t s = 0; s < input->n_streams; s++) {
        n_events += (int64_t)input->streams[s].scene.n_events;
    }
    assert_int_equal(tin_smoothed_create(&smoothed, input, family->rule.smooth_shift, NULL, NULL), TIN_OK);
    assert_int_equal(tin_sweep_thresholds(smoothed, TIN_SWEEP_ALL, &thresholds, &n, NULL), TIN_OK);
    const int32_t high = thresholds[0] + SPREAD, low = thresholds[n - 1] - SPREAD;
    assert_true(high - low < (int32_t)(sizeof at / sizeof *at));
    size_t next = 0;
    bool ended = false;
    tin_sweep_counts now = {0};
    for (int32_t t = high; t >= low; t--) {
        if (!ended && (t == high || (next < n && t == thresholds[next]))) {
            const tin_decision_rule rule = tin_sweep_rule(family, CLASSES, N_CLASSES, t);
            const tin_sweep_counts counts = brute_force(input, &rule, NULL);
            /* every trigger opens a segment, and none is lost at the end of these streams */
            ended = counts.n_segments > 2 * n_events;
            now = ended ? now : counts;
            next += t != high && !ended;
        }
        at[t - low] = now;
    }
    for (size_t i = 0; i < next; i++) {
        tin_sweep_counts sum = {0};
        for (int32_t t = thresholds[i] - SPREAD; t <= thresholds[i] + SPREAD; t++) {
            tin_sweep_counts_add(&sum, &at[t - low], 1);
        }
        const double value = f1_of(&sum);
        if (!best->any || value > best->value ||
            (value == best->value && sum.false_positives < best->false_positives)) {
            *best =
                (found){true, value, sum.false_positives, tin_sweep_rule(family, CLASSES, N_CLASSES, thresholds[i])};
        }
    }
    tin_free(thresholds);
    tin_smoothed_free(smoothed);
}

static void one_person_gets_the_best_of_the_plain_grid(void **state)
{
    (void)state;
    static world w;
    static const int32_t hysteresis[] = {0, 128, 256, 512, 1024, 2048};
    static const int counts[] = {1, 2, 3, 5};
    make_world(&w, 9, 1, 60);
    w.input.n_people = 1;
    for (int s = 0; s < N_STREAMS; s++) {
        w.streams[s].person = 0;
    }
    found best = {0};
    for (int i = 0; i < 4 * 6 * 4 * 2; i++) {
        const int count = counts[i / 2 % 4];
        const tin_sweep_family family = {{.smooth_shift = i / 48,
                                          .hysteresis = hysteresis[i / 8 % 6],
                                          .needed = count,
                                          .of = count,
                                          .refractory = i % 2 * OPTIONS.refractory},
                                         TIN_SWEEP_ALL};
        search_family(&w.input, &family, &best);
    }
    const tin_rule_goal goal = goal_of(TIN_AIM_EVENT_F1, SPREAD);
    tin_choices choices;
    assert_int_equal(tin_rules_choose(&w.input, &goal, 1, &OPTIONS, &choices, NULL), TIN_OK);
    assert_true(best.value > 0.3);
    assert_memory_equal(&choices.of[0].rule, &best.rule, sizeof best.rule);
    assert_int_equal(choices.of[0].n_left_out, 0);
    tin_choices_free(&choices);
}

static void what_is_said_of_a_choice_is_what_its_rule_does(void **state)
{
    (void)state;
    static world w;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        make_world(&w, 40 + seed, 2, 600);
        tin_rule_goal goals[4] = {goal_of(TIN_AIM_EVENT_F1, SPREAD), goal_of(TIN_AIM_IOU_F1, SPREAD),
                                  goal_of(TIN_AIM_MISSES, 0), goal_of(TIN_AIM_FALSE_ALARMS, 0)};
        goals[2].max_fp_per_hour = 100;
        goals[3].max_fnr = 0.4;
        tin_choices choices;
        assert_int_equal(tin_rules_choose(&w.input, goals, 4, &OPTIONS, &choices, NULL), TIN_OK);
        for (int g = 0; g < 4; g++) {
            const tin_rule_choice *c = &choices.of[g];
            assert_true(c->any);
            tin_sweep_counts counts = brute_force(&w.input, &c->rule, NULL);
            counts.overlap50 = c->point.counts.overlap50;
            assert_memory_equal(&c->point.counts, &counts, sizeof counts);
            assert_true(tin_goal_met(&goals[g], &c->point));
            assert_int_equal(c->n_left_out, 2);
            assert_int_equal(c->left_out.counts.n_events, counts.n_events);
        }
        tin_choices_free(&choices);
    }
}

/* Whoever is left out, the others say the same. */
static void twins_lose_nothing_when_one_is_left_out(void **state)
{
    (void)state;
    static world w;
    make_world(&w, 6, 1, 300);
    for (int s = 0; s < 2; s++) {
        w.streams[2 + s] = w.streams[s];
        w.streams[2 + s].person = 1;
    }
    const tin_rule_goal goal = goal_of(TIN_AIM_EVENT_F1, SPREAD);
    tin_choices choices;
    assert_int_equal(tin_rules_choose(&w.input, &goal, 1, &OPTIONS, &choices, NULL), TIN_OK);
    assert_int_equal(choices.of[0].n_left_out, 2);
    assert_memory_equal(&choices.of[0].left_out.counts, &choices.of[0].point.counts, sizeof(tin_sweep_counts));
    tin_choices_free(&choices);
}

static void a_bound_that_cannot_be_held_is_said(void **state)
{
    (void)state;
    static world w;
    make_world(&w, 21, 1, 60);
    tin_rule_goal goal = goal_of(TIN_AIM_LATENCY, 0);
    goal.max_fp_per_hour = 0;
    goal.max_fnr = 0;
    tin_choices choices;
    assert_int_equal(tin_rules_choose(&w.input, &goal, 1, &OPTIONS, &choices, NULL), TIN_OK);
    assert_false(choices.of[0].any);
    tin_choices_free(&choices);
    goal.max_fnr = (double)INFINITY;
    assert_int_equal(tin_rules_choose(&w.input, &goal, 1, &OPTIONS, &choices, NULL), TIN_OK);
    assert_true(choices.of[0].any);
    assert_int_equal(brute_force(&w.input, &choices.of[0].rule, NULL).false_positives, 0);
    tin_choices_free(&choices);
}

/* Of 10 events 8 are found with no false trigger. Half a deadline late each is worth 4 found at once, in time or not. */
static void a_prompt_trigger_is_worth_more(void **state)
{
    (void)state;
    const tin_rule_goal goal = goal_of(TIN_AIM_PROMPT_F1, 0); /* deadline RATE_HZ frames, one second */
    const tin_sweep_counts late = {.n_events = 10, .true_positives = 8, .missed = 2, .latency_frames = 4 * RATE_HZ};
    const tin_sweep_counts few = {.n_events = 10, .true_positives = 5, .missed = 5};
    const tin_sweep_counts early = {.n_events = 10, .true_positives = 5, .missed = 5, .latency_frames = -900};
    const tin_sweep_counts later = {.n_events = 10, .true_positives = 8, .missed = 2, .latency_frames = 9 * RATE_HZ};
    const tin_sweep_counts none = {.n_events = 10, .missed = 10};
    /* late: 4 / 18 = 0.222 and few: 5 / 15 = 0.333; no gain by coming early; later than the deadline on average: 0, as none */
    assert_true(tin_goal_compare(&goal, &(tin_sweep_point){.counts = late}, &(tin_sweep_point){.counts = few}) < 0);
    assert_true(tin_goal_compare(&goal, &(tin_sweep_point){.counts = late}, &(tin_sweep_point){.counts = later}) > 0);
    assert_int_equal(tin_goal_compare(&goal, &(tin_sweep_point){.counts = few}, &(tin_sweep_point){.counts = early}),
                     0);
    assert_int_equal(tin_goal_compare(&goal, &(tin_sweep_point){.counts = later}, &(tin_sweep_point){.counts = none}),
                     0);
}

static void the_number_of_threads_changes_nothing(void **state)
{
    (void)state;
    static world w;
    make_world(&w, 5, 1, 200);
    const tin_rule_goal goals[] = {goal_of(TIN_AIM_PROMPT_F1, SPREAD), goal_of(TIN_AIM_EVENT_F05, SPREAD)};
    tin_choices one, many;
    tin_choice_options options = OPTIONS;
    assert_int_equal(tin_rules_choose(&w.input, goals, 2, &options, &one, NULL), TIN_OK);
    assert_int_equal(tin_pool_create(&options.pool, 4, NULL), TIN_OK);
    assert_int_equal(tin_rules_choose(&w.input, goals, 2, &options, &many, NULL), TIN_OK);
    tin_pool_destroy(options.pool);
    for (int g = 0; g < 2; g++) {
        assert_memory_equal(&one.of[g].rule, &many.of[g].rule, sizeof one.of[g].rule);
        assert_memory_equal(&one.of[g].point.counts, &many.of[g].point.counts, sizeof(tin_sweep_counts));
        assert_memory_equal(&one.of[g].left_out.counts, &many.of[g].left_out.counts, sizeof(tin_sweep_counts));
    }
    assert_int_equal(one.n_front, many.n_front);
    assert_int_equal(one.n_candidates, many.n_candidates);
    for (size_t i = 0; i < one.n_front; i++) {
        assert_memory_equal(&one.front[i].rule, &many.front[i].rule, sizeof one.front[i].rule);
    }
    tin_choices_free(&one);
    tin_choices_free(&many);
}

static int64_t misses(const tin_sweep_point *p)
{
    return p->counts.missed + p->counts.wrong_class;
}

static double latency(const tin_sweep_point *p)
{
    return (double)p->counts.latency_frames / (double)p->counts.true_positives;
}

static bool at_least_as_good(const tin_sweep_point *a, const tin_sweep_point *b)
{
    return a->counts.false_positives <= b->counts.false_positives && misses(a) <= misses(b) &&
           latency(a) <= latency(b) + 1e-9;
}

#define N_POINTS 3000

/* Points of few values: many are equal in one, two or all three. */
static void make_points(tin_sweep_point *points, tin_sweep_family *families, uint64_t seed)
{
    tin_rng rng;
    tin_rng_seed(&rng, seed);
    for (size_t i = 0; i < N_POINTS; i++) {
        const int64_t right = tin_rng_below(&rng, 13), wrong = tin_rng_below(&rng, (uint32_t)(13 - right));
        points[i] = (tin_sweep_point){.on = (int32_t)tin_rng_below(&rng, 40),
                                      .counts = {.n_events = 12,
                                                 .true_positives = right,
                                                 .wrong_class = wrong,
                                                 .missed = 12 - right - wrong,
                                                 .false_positives = right + tin_rng_below(&rng, 5),
                                                 .latency_frames = right * (int64_t)(right + tin_rng_below(&rng, 6))}};
        families[i] = (tin_sweep_family){
            {.needed = 1 + (int)tin_rng_below(&rng, 3), .of = 3, .lead = (int32_t)tin_rng_below(&rng, 2)},
            TIN_SWEEP_ALL};
    }
}

static void front_is_complete_and_holds_nothing_that_is_beaten(void **state)
{
    (void)state;
    static tin_sweep_point points[N_POINTS];
    static tin_sweep_family families[N_POINTS];
    const int64_t most = 12;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        make_points(points, families, seed);
        tin_front parts[2], backwards;
        tin_front_rule *front = NULL, *again = NULL;
        size_t n = 0, n_again = 0;
        for (int p = 0; p < 2; p++) {
            assert_int_equal(tin_front_create(&parts[p], CLASSES, N_CLASSES, most, NULL), TIN_OK);
        }
        assert_int_equal(tin_front_create(&backwards, CLASSES, N_CLASSES, most, NULL), TIN_OK);
        for (size_t i = 0; i < N_POINTS; i++) {
            const size_t j = N_POINTS - 1 - i;
            assert_int_equal(tin_front_add(&parts[i % 2], &families[i], &points[i], NULL), TIN_OK);
            assert_int_equal(tin_front_add(&backwards, &families[j], &points[j], NULL), TIN_OK);
        }
        assert_int_equal(tin_front_join(&parts[0], &parts[1], NULL), TIN_OK);
        assert_int_equal(tin_front_rules(&parts[0], &front, &n, NULL), TIN_OK);
        assert_int_equal(tin_front_rules(&backwards, &again, &n_again, NULL), TIN_OK);
        assert_true(n > 3);
        assert_int_equal(n, n_again);
        for (size_t i = 0; i < n; i++) {
            assert_memory_equal(&front[i].rule, &again[i].rule, sizeof front[i].rule);
            for (size_t k = 0; k < n; k++) { /* nothing on it beats another one, or is there twice */
                assert_true(i == k || !at_least_as_good(&front[k].point, &front[i].point));
            }
        }
        for (size_t i = 0; i < N_POINTS; i++) { /* everything that is not on it is beaten or equalled */
            bool covered = points[i].counts.false_positives > most || points[i].counts.true_positives == 0;
            for (size_t k = 0; k < n && !covered; k++) {
                covered = at_least_as_good(&front[k].point, &points[i]);
            }
            assert_true(covered);
        }
        tin_free(front);
        tin_free(again);
        tin_front_free(&parts[0]);
        tin_front_free(&parts[1]);
        tin_front_free(&backwards);
    }
}

static void no_event_is_refused_with_the_mend(void **state)
{
    (void)state;
    static world w;
    make_world(&w, 3, 1, 40);
    for (int s = 0; s < N_STREAMS; s++) {
        w.streams[s].scene.n_events = 0;
    }
    const tin_rule_goal goal = goal_of(TIN_AIM_EVENT_F1, 0);
    tin_choices choices;
    tin_error err = {0};
    assert_int_equal(tin_rules_choose(&w.input, &goal, 1, &OPTIONS, &choices, &err), TIN_ERR_DATA);
    assert_non_null(strstr(err.message, "data.validation"));
    tin_choices_free(&choices);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    static world w;
    make_world(&w, 9, 1, 10);
    const tin_rule_goal goal = goal_of(TIN_AIM_IOU_F1, SPREAD);
    bool done = false;
    size_t step = 1;
    tin_memory_fail_at(0);
    for (size_t n = 1; !done && n < 100000; n += step) {
        tin_choices choices;
        tin_error err = {0};
        tin_memory_fail_at(n);
        const tin_status status = tin_rules_choose(&w.input, &goal, 1, &OPTIONS, &choices, &err);
        const size_t made = tin_memory_fail_at(0);
        done = status == TIN_OK;
        assert_true(done ? made < n : status == TIN_ERR_MEMORY && err.status == TIN_ERR_MEMORY);
        tin_choices_free(&choices);
        step = n < 300 ? 1 : 211; /* the families behind the first ones allocate like them */
    }
    assert_true(done);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_person_gets_the_best_of_the_plain_grid),
        cmocka_unit_test(what_is_said_of_a_choice_is_what_its_rule_does),
        cmocka_unit_test(twins_lose_nothing_when_one_is_left_out),
        cmocka_unit_test(a_bound_that_cannot_be_held_is_said),
        cmocka_unit_test(a_prompt_trigger_is_worth_more),
        cmocka_unit_test(the_number_of_threads_changes_nothing),
        cmocka_unit_test(front_is_complete_and_holds_nothing_that_is_beaten),
        cmocka_unit_test(no_event_is_refused_with_the_mend),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
