#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first */
#include <cmocka.h>
#include <string.h>

#include "model/decision.h"

#define NONE TIN_DECISION_NONE

static const tin_class classes[4] = {{"rest", false}, {"walk", false}, {"tap", true}, {"turn", true}};

/* One decision; margins of tap and turn over the better background score, which is 100. */
static int step(tin_decision_state *s, const tin_decision_rule *rule, int tap, int turn)
{
    int16_t scores[4] = {100, -50, (int16_t)(100 + tap), (int16_t)(100 + turn)};
    return tin_decision_step(s, rule, classes, 4, scores);
}

static void threshold_is_inclusive_and_acts_on_the_margin(void **state)
{
    (void)state;
    tin_decision_rule rule = {.on = 50, .off = 50, .count = 1};
    tin_decision_state s;
    tin_decision_reset(&s);
    assert_int_equal(s.active, NONE);
    assert_int_equal(step(&s, &rule, 49, 0), NONE);
    assert_int_equal(step(&s, &rule, 50, 0), 2);
    assert_int_equal(s.active, 2);
    assert_int_equal(step(&s, &rule, 60, 0), NONE); /* still active: no second trigger */
    assert_int_equal(step(&s, &rule, 60, 61), 3);   /* another class takes over */
    assert_int_equal(s.active, 3);
}

static void a_tie_goes_to_the_lower_class(void **state)
{
    (void)state;
    tin_decision_rule rule = {.on = 0, .off = 0, .count = 1};
    tin_decision_state s;
    tin_decision_reset(&s);
    assert_int_equal(step(&s, &rule, 7, 7), 2);
}

static void hysteresis_keeps_the_class_until_below_off(void **state)
{
    (void)state;
    tin_decision_rule rule = {.on = 50, .off = 20, .count = 1};
    tin_decision_state s;
    tin_decision_reset(&s);
    assert_int_equal(step(&s, &rule, 50, 0), 2);
    assert_int_equal(step(&s, &rule, 20, 0), NONE);
    assert_int_equal(s.active, 2);
    assert_int_equal(step(&s, &rule, 55, 0), NONE); /* the same event */
    assert_int_equal(step(&s, &rule, 19, 0), NONE);
    assert_int_equal(s.active, NONE);
    assert_int_equal(step(&s, &rule, 55, 0), 2); /* a new one */
}

static void count_needs_consecutive_decisions_of_one_class(void **state)
{
    (void)state;
    tin_decision_rule rule = {.on = 10, .off = 0, .count = 3};
    tin_decision_state s;
    tin_decision_reset(&s);
    assert_int_equal(step(&s, &rule, 20, 0), NONE);
    assert_int_equal(step(&s, &rule, 20, 0), NONE);
    assert_int_equal(step(&s, &rule, 0, 20), NONE); /* another class starts at one */
    assert_int_equal(s.run, 1);
    assert_int_equal(s.candidate, 3);
    assert_int_equal(step(&s, &rule, 0, 20), NONE);
    assert_int_equal(step(&s, &rule, 0, 9), NONE); /* below `on` */
    assert_int_equal(s.run, 0);
    assert_int_equal(s.candidate, NONE);
    assert_int_equal(step(&s, &rule, 0, 20), NONE);
    assert_int_equal(step(&s, &rule, 0, 20), NONE);
    assert_int_equal(step(&s, &rule, 0, 20), 3);
    assert_int_equal(step(&s, &rule, 0, 20), NONE);
    assert_int_equal(s.run, 3); /* never above count */
}

static void refractory_time_holds_triggers_back(void **state)
{
    (void)state;
    tin_decision_rule rule = {.on = 10, .off = 10, .count = 1, .refractory = 3};
    tin_decision_state s;
    tin_decision_reset(&s);
    assert_int_equal(step(&s, &rule, 20, 0), 2);
    assert_int_equal(s.wait, 3);
    assert_int_equal(step(&s, &rule, 0, 20), NONE); /* wait 2 */
    assert_int_equal(s.active, NONE);               /* tap ended, turn may not start yet */
    assert_int_equal(step(&s, &rule, 0, 20), NONE); /* wait 1 */
    assert_int_equal(step(&s, &rule, 0, 20), NONE); /* wait 0: the third decision without a trigger */
    assert_int_equal(step(&s, &rule, 0, 20), 3);
    assert_int_equal(s.active, 3);
}

/* 1 once did what 0 does */
static void a_refractory_time_of_one_holds_one_decision(void **state)
{
    (void)state;
    tin_decision_rule rule = {.on = 10, .off = 10, .count = 1, .refractory = 1};
    tin_decision_state s;
    tin_decision_reset(&s);
    assert_int_equal(step(&s, &rule, 20, 0), 2);
    assert_int_equal(step(&s, &rule, 0, 20), NONE);
    assert_int_equal(step(&s, &rule, 0, 20), 3);
}

/* a += m - (a >> 2): 80, 140, 185 for m = 80; s = a >> 2: 20, 35, 46 */
static void smoothing_is_a_moving_average_by_shifts(void **state)
{
    (void)state;
    tin_decision_rule rule = {.smooth_shift = 2, .on = 46, .off = 0, .count = 1};
    tin_decision_state s;
    tin_decision_reset(&s);
    assert_int_equal(step(&s, &rule, 80, 0), NONE);
    assert_int_equal(s.sum[2], 80);
    assert_int_equal(step(&s, &rule, 80, 0), NONE);
    assert_int_equal(s.sum[2], 140);
    assert_int_equal(step(&s, &rule, 80, 0), 2);
    assert_int_equal(s.sum[2], 185);
    tin_decision_reset(&s);
    assert_int_equal(step(&s, &rule, -1, -6), NONE); /* the shift rounds towards minus infinity */
    assert_int_equal(step(&s, &rule, -1, -6), NONE);
    assert_int_equal(s.sum[2], -1);  /* -1 + (-1 - (-1)) */
    assert_int_equal(s.sum[3], -10); /* -6 + (-6 - (-2)) */
}

static void the_average_stays_in_int32_at_the_extremes(void **state)
{
    (void)state;
    tin_decision_rule rule = {.smooth_shift = 8, .on = 70000, .off = 0, .count = 1};
    tin_decision_state s;
    tin_decision_reset(&s);
    const tin_class two[2] = {{"rest", false}, {"tap", true}};
    for (int i = 0; i < 20000; i++)
        assert_int_equal(tin_decision_step(&s, &rule, two, 2, (int16_t[]){-32768, 32767}), NONE);
    assert_in_range(s.sum[1], 65535 * 256 - 256, 65535 * 256 + 256);
}

static void without_a_background_class_the_score_is_its_own_margin(void **state)
{
    (void)state;
    const tin_class events[2] = {{"tap", true}, {"turn", true}};
    tin_decision_rule rule = {.on = 30, .off = 30, .count = 1};
    tin_decision_state s;
    tin_decision_reset(&s);
    assert_int_equal(tin_decision_step(&s, &rule, events, 2, (int16_t[]){29, -500}), NONE);
    assert_int_equal(tin_decision_step(&s, &rule, events, 2, (int16_t[]){30, -500}), 0);
}

static void without_event_classes_nothing_triggers(void **state)
{
    (void)state;
    tin_decision_rule rule = {.on = -70000, .off = -70000, .count = 1};
    tin_decision_state s;
    tin_decision_reset(&s);
    for (int i = 0; i < 3; i++)
        assert_int_equal(tin_decision_step(&s, &rule, classes, 2, (int16_t[]){5, 6}), NONE);
    assert_int_equal(s.active, NONE);
}

static void rules_out_of_range_are_refused(void **state)
{
    (void)state;
    const tin_decision_rule good = {.on = 5, .off = 5, .count = 1};
    assert_int_equal(tin_decision_check(&good, NULL), TIN_OK);
    tin_decision_rule bad[] = {good, good, good, good, good};
    const char *word[] = {"smooth_shift", "smooth_shift", "off", "count", "refractory"};
    bad[0].smooth_shift = -1;
    bad[1].smooth_shift = 9;
    bad[2].off = 6;
    bad[3].count = 0;
    bad[4].refractory = -1;
    for (int i = 0; i < 5; i++) {
        tin_error err = {0};
        assert_int_equal(tin_decision_check(&bad[i], &err), TIN_ERR_MODEL);
        assert_non_null(strstr(err.message, word[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threshold_is_inclusive_and_acts_on_the_margin),
        cmocka_unit_test(a_tie_goes_to_the_lower_class),
        cmocka_unit_test(hysteresis_keeps_the_class_until_below_off),
        cmocka_unit_test(count_needs_consecutive_decisions_of_one_class),
        cmocka_unit_test(refractory_time_holds_triggers_back),
        cmocka_unit_test(a_refractory_time_of_one_holds_one_decision),
        cmocka_unit_test(smoothing_is_a_moving_average_by_shifts),
        cmocka_unit_test(the_average_stays_in_int32_at_the_extremes),
        cmocka_unit_test(without_a_background_class_the_score_is_its_own_margin),
        cmocka_unit_test(without_event_classes_nothing_triggers),
        cmocka_unit_test(rules_out_of_range_are_refused),
    };
    return cmocka_run_group_tests_name("decision", tests, NULL, NULL);
}
