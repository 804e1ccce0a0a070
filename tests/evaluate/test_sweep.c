/* The sweep must equal brute force: the decision layer of the model library run anew at each threshold, counted by
 * tin_event_count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "evaluate/sweep_table.h"
#include "random_world.h"

typedef struct check {
    const tin_sweep_input *input;
    const tin_sweep_family *family;
    size_t n_visits;
} check;

static int64_t equals_brute_force(void *context, const tin_sweep_point *point, const tin_sweep_point *people)
{
    check *c = context;
    const tin_decision_rule rule = tin_sweep_rule(c->family, CLASSES, N_CLASSES, point->on);
    tin_sweep_counts own[N_STREAMS] = {{0}};
    const tin_sweep_counts expected = brute_force(c->input, &rule, own);
    assert_int_equal(tin_decision_check(&rule, NULL), TIN_OK);
    assert_memory_equal(&point->counts, &expected, sizeof expected);
    for (size_t i = 0; i < c->input->n_people; i++) {
        assert_memory_equal(&people[i].counts, &own[i], sizeof own[i]);
    }
    c->n_visits++;
    return INT64_MAX;
}

static void sweep_all(const tin_sweep_input *input, const tin_sweep_family *family)
{
    tin_smoothed *smoothed = NULL;
    int32_t *thresholds = NULL;
    size_t n = 0;
    const int32_t *offsets = family->swept == TIN_SWEEP_ALL ? family->rule.on : NULL;
    assert_int_equal(tin_smoothed_create(&smoothed, input, family->rule.smooth_shift, offsets, NULL), TIN_OK);
    assert_int_equal(tin_sweep_thresholds(smoothed, family->swept, &thresholds, &n, NULL), TIN_OK);
    check c = {input, family, 0};
    assert_int_equal(tin_sweep_run(smoothed, family, thresholds, n, true, equals_brute_force, &c, NULL), TIN_OK);
    assert_int_equal(c.n_visits, n);
    tin_free(thresholds);
    tin_smoothed_free(smoothed);
}

/* Every element of a rule, common thresholds, thresholds that keep a distance, and one class alone. */
static void sweep_equals_brute_force(void **state)
{
    (void)state;
    static world w;
    static const int swept[] = {TIN_SWEEP_ALL, TIN_SWEEP_ALL, 0, 2, 4};
    tin_rng rng;
    tin_rng_seed(&rng, 2);
    for (uint64_t seed = 1; seed <= 40; seed++) {
        const int32_t range = seed % 3 ? 40 : 400;
        make_world(&w, seed, seed % 2 ? 1 : 3, range);
        w.input.margins.allow_repeats = seed == 5;
        if (seed % 2 == 0) {
            w.input.margins.of[N_CLASSES - 1] = w.input.margins.most = (tin_margin){9, 15};
        }
        tin_sweep_family family = {.swept = swept[seed % 5]};
        tin_decision_rule *rule = &family.rule;
        rule->smooth_shift = (int)tin_rng_below(&rng, 4);
        rule->of = 1 + (int)tin_rng_below(&rng, seed % 4 ? 5 : 16);
        rule->needed = 1 + (int)tin_rng_below(&rng, (uint32_t)rule->of);
        rule->hysteresis = (int32_t)tin_rng_below(&rng, 2) * (int32_t)tin_rng_below(&rng, (uint32_t)range);
        rule->lead = (int32_t)tin_rng_below(&rng, 2) * (int32_t)tin_rng_below(&rng, (uint32_t)range);
        rule->min_length = (int)tin_rng_below(&rng, 2) * (int)tin_rng_below(&rng, 12);
        rule->refractory = (int)tin_rng_below(&rng, 2) * (int)tin_rng_below(&rng, 12);
        for (int k = 0; seed % 5 != 0 && k < N_CLASSES; k += 2) {
            rule->on[k] = (int32_t)tin_rng_below(&rng, (uint32_t)range) - range / 3;
        }
        sweep_all(&w.input, &family);
    }
}

/* With steps of several values at a time the walks overlap; the result must not care. */
static void coarse_thresholds_equal_brute_force(void **state)
{
    (void)state;
    static world w;
    make_world(&w, 77, 2, 300);
    const int32_t thresholds[] = {400, 170, 90, 33, 0, -50, -400};
    const tin_sweep_family families[] = {
        {{.smooth_shift = 1, .hysteresis = 20, .needed = 2, .of = 3, .refractory = 5}, TIN_SWEEP_ALL},
        {{.smooth_shift = 1, .hysteresis = 20, .lead = 9, .needed = 2, .of = 3, .on = {20, 0, 0, 0, 60}}, 2}};
    for (size_t f = 0; f < 2; f++) {
        tin_smoothed *smoothed = NULL;
        assert_int_equal(tin_smoothed_create(&smoothed, &w.input, 1, NULL, NULL), TIN_OK);
        check c = {&w.input, &families[f], 0};
        assert_int_equal(tin_sweep_run(smoothed, &families[f], thresholds, 7, true, equals_brute_force, &c, NULL),
                         TIN_OK);
        assert_int_equal(c.n_visits, 7);
        tin_smoothed_free(smoothed);
    }
}

static int64_t stops_at_ten(void *context, const tin_sweep_point *point, const tin_sweep_point *people)
{
    (void)people;
    ++*(int *)context;
    assert_true(point->counts.n_segments <= 10);
    return 10;
}

static void a_sweep_ends_at_the_first_threshold_with_too_many_triggers(void **state)
{
    (void)state;
    static world w;
    make_world(&w, 8, 1, 400);
    const tin_sweep_family family = {{.needed = 1, .of = 1}, TIN_SWEEP_ALL};
    tin_smoothed *smoothed = NULL;
    int32_t *thresholds = NULL;
    size_t n = 0;
    int visits = 0;
    assert_int_equal(tin_smoothed_create(&smoothed, &w.input, 0, NULL, NULL), TIN_OK);
    assert_int_equal(tin_sweep_thresholds(smoothed, TIN_SWEEP_ALL, &thresholds, &n, NULL), TIN_OK);
    assert_int_equal(tin_sweep_run(smoothed, &family, thresholds, n, false, stops_at_ten, &visits, NULL), TIN_OK);
    assert_in_range(visits, 2, n - 1);
    tin_free(thresholds);
    tin_smoothed_free(smoothed);
}

static void thresholds_are_all_values_once_from_the_top(void **state)
{
    (void)state;
    /* margins of wave: 5, 9, 5; of knock: 3, 0, 8 */
    const int16_t scores[] = {0, 5, 3, 1, 10, 1, 2, 7, 10};
    const tin_class classes[] = {{"rest", false}, {"wave", true}, {"knock", true}};
    const tin_sweep_stream stream = {{NULL, 0, NULL, 3}, scores, 3, 0};
    const tin_sweep_input input = {&stream, 1, 1, classes, 3, {1, 0, 0}, tin_margins_common(0, 0, false)};
    const int32_t offsets[] = {0, 0, 6};
    static const struct {
        int swept;
        bool offset;
        size_t n;
        int32_t values[4];
    } cases[] = {{TIN_SWEEP_ALL, false, 4, {10, 9, 8, 5}},
                 {1, false, 3, {10, 9, 5}},
                 {2, false, 4, {9, 8, 3, 0}},
                 {TIN_SWEEP_ALL, true, 3, {10, 9, 5}}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tin_smoothed *smoothed = NULL;
        int32_t *thresholds = NULL;
        size_t n = 0;
        assert_int_equal(tin_smoothed_create(&smoothed, &input, 0, cases[i].offset ? offsets : NULL, NULL), TIN_OK);
        assert_int_equal(tin_sweep_thresholds(smoothed, cases[i].swept, &thresholds, &n, NULL), TIN_OK);
        assert_int_equal(n, cases[i].n);
        assert_memory_equal(thresholds, cases[i].values, n * sizeof *thresholds);
        tin_free(thresholds);
        tin_smoothed_free(smoothed);
    }
}

/* The table of thresholds: the chosen rule's row is what the rule does, also where classes have their own thresholds. */
static void the_table_holds_the_rule_itself(void **state)
{
    (void)state;
    static world v, t;
    make_world(&v, 31, 2, 400);
    make_world(&t, 34, 2, 400);
    t.input.timing = v.input.timing;
    tin_decision_rule rule = {.smooth_shift = 1, .needed = 1, .of = 1, .hysteresis = 30, .on = {70, 0, 95, 0, 52}};
    tin_sweep_table table;
    assert_int_equal(tin_sweep_table_make(&table, &v.input, &rule, NULL), TIN_OK);
    assert_int_equal(tin_sweep_table_add_test(&table, &t.input, &rule, NULL), TIN_OK);
    for (size_t i = 0; i < table.n_rows; i += 37) {
        const int32_t on = table.rows[i].on;
        assert_true(i == 0 || on > table.rows[i - 1].on);
        rule.on[0] = on;
        rule.on[2] = on + 25;
        rule.on[4] = on - 18;
        const tin_sweep_counts a = brute_force(&v.input, &rule, NULL), b = brute_force(&t.input, &rule, NULL);
        assert_memory_equal(&table.rows[i].validation.counts, &a, sizeof a);
        assert_memory_equal(&table.rows[i].test.counts, &b, sizeof b);
    }
    tin_sweep_table_free(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sweep_equals_brute_force),
        cmocka_unit_test(coarse_thresholds_equal_brute_force),
        cmocka_unit_test(a_sweep_ends_at_the_first_threshold_with_too_many_triggers),
        cmocka_unit_test(thresholds_are_all_values_once_from_the_top),
        cmocka_unit_test(the_table_holds_the_rule_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
