#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first */
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "model/decision_json.h"

#define NONE TIN_DECISION_NONE

static const tin_class classes[4] = {{"rest", false}, {"walk", false}, {"tap", true}, {"turn", true}};

/* One decision; margins of tap and turn over the better background score, which is 100. */
static int step(tin_decision_state *s, const tin_decision_rule *rule, int tap, int turn)
{
    int16_t scores[4] = {100, -50, (int16_t)(100 + tap), (int16_t)(100 + turn)};
    return tin_decision_step(s, rule, classes, 4, scores);
}

/* One threshold; `count` decisions one after another. */
static tin_decision_rule rule_of(int32_t on, int32_t hysteresis, int32_t count, int32_t refractory,
                                 int32_t smooth_shift)
{
    tin_decision_rule rule = tin_decision_plain(on);
    rule.hysteresis = hysteresis;
    rule.needed = rule.of = count;
    rule.refractory = refractory;
    rule.smooth_shift = smooth_shift;
    return rule;
}

static void threshold_is_inclusive_and_acts_on_the_margin(void **state)
{
    (void)state;
    tin_decision_rule rule = rule_of(50, 0, 1, 0, 0);
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
    tin_decision_rule rule = rule_of(0, 0, 1, 0, 0);
    tin_decision_state s;
    tin_decision_reset(&s);
    assert_int_equal(step(&s, &rule, 7, 7), 2);
}

static void hysteresis_keeps_the_class_until_below_off(void **state)
{
    (void)state;
    tin_decision_rule rule = rule_of(50, 30, 1, 0, 0);
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
    tin_decision_rule rule = rule_of(10, 10, 3, 0, 0);
    tin_decision_state s;
    tin_decision_reset(&s);
    assert_int_equal(step(&s, &rule, 20, 0), NONE);
    assert_int_equal(step(&s, &rule, 20, 0), NONE);
    assert_int_equal(step(&s, &rule, 0, 20), NONE); /* another class starts at one */
    assert_int_equal(s.candidates[0], 3);
    assert_int_equal(s.candidates[1], 2);
    assert_int_equal(step(&s, &rule, 0, 20), NONE);
    assert_int_equal(step(&s, &rule, 0, 9), NONE); /* below `on` */
    assert_int_equal(s.candidates[0], NONE);
    assert_int_equal(step(&s, &rule, 0, 20), NONE);
    assert_int_equal(step(&s, &rule, 0, 20), NONE);
    assert_int_equal(step(&s, &rule, 0, 20), 3);
    assert_int_equal(step(&s, &rule, 0, 20), NONE);
}

static void refractory_time_holds_triggers_back(void **state)
{
    (void)state;
    tin_decision_rule rule = rule_of(10, 0, 1, 3, 0);
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
    tin_decision_rule rule = rule_of(10, 0, 1, 1, 0);
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
    tin_decision_rule rule = rule_of(46, 46, 1, 0, 2);
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
    tin_decision_rule rule = rule_of(70000, 70000, 1, 0, 8);
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
    tin_decision_rule rule = rule_of(30, 0, 1, 0, 0);
    tin_decision_state s;
    tin_decision_reset(&s);
    assert_int_equal(tin_decision_step(&s, &rule, events, 2, (int16_t[]){29, -500}), NONE);
    assert_int_equal(tin_decision_step(&s, &rule, events, 2, (int16_t[]){30, -500}), 0);
}

static void without_event_classes_nothing_triggers(void **state)
{
    (void)state;
    tin_decision_rule rule = rule_of(-70000, 0, 1, 0, 0);
    tin_decision_state s;
    tin_decision_reset(&s);
    for (int i = 0; i < 3; i++)
        assert_int_equal(tin_decision_step(&s, &rule, classes, 2, (int16_t[]){5, 6}), NONE);
    assert_int_equal(s.active, NONE);
}

/* tap begins at 50, turn at 200; what is best is what is most above its own threshold */
static void each_class_has_its_threshold(void **state)
{
    (void)state;
    tin_decision_rule rule = tin_decision_plain(0);
    rule.on[2] = 50;
    rule.on[3] = 200;
    rule.hysteresis = 30;
    tin_decision_state s;
    tin_decision_reset(&s);
    assert_int_equal(step(&s, &rule, 49, 199), NONE);
    assert_int_equal(step(&s, &rule, 60, 199), 2);
    assert_int_equal(step(&s, &rule, 60, 211), 3); /* 10 and 11 above */
    assert_int_equal(step(&s, &rule, 0, 170), NONE);
    assert_int_equal(s.active, 3); /* off is 170 of turn */
    assert_int_equal(step(&s, &rule, 0, 169), NONE);
    assert_int_equal(s.active, NONE);
    assert_int_equal(step(&s, &rule, 50, 200), 2); /* a tie */
}

static void another_event_takes_over_when_it_leads(void **state)
{
    (void)state;
    tin_decision_rule rule = rule_of(50, 40, 1, 0, 0);
    rule.lead = 20;
    tin_decision_state s;
    tin_decision_reset(&s);
    assert_int_equal(step(&s, &rule, 50, 49), 2); /* no lead is needed where nothing is active */
    assert_int_equal(step(&s, &rule, 60, 79), NONE);
    assert_int_equal(s.active, 2);
    assert_int_equal(step(&s, &rule, 60, 80), 3);
    assert_int_equal(step(&s, &rule, 60, 41), NONE); /* turn lasts down to 10 */
    assert_int_equal(step(&s, &rule, 60, 40), 2);
    assert_int_equal(step(&s, &rule, 9, 50), 3); /* tap is over, so that no lead is needed */
    rule.on[3] = 100;                            /* what counts is the lead over the own thresholds: 10 and 30 */
    tin_decision_reset(&s);
    assert_int_equal(step(&s, &rule, 60, 0), 2);
    assert_int_equal(step(&s, &rule, 60, 129), NONE);
    assert_int_equal(step(&s, &rule, 60, 130), 3);
}

/* 2 of 4: tap, -, turn, tap */
static void some_of_the_last_decisions_are_enough(void **state)
{
    (void)state;
    tin_decision_rule rule = tin_decision_plain(10);
    rule.needed = 2;
    rule.of = 4;
    tin_decision_state s;
    tin_decision_reset(&s);
    assert_int_equal(step(&s, &rule, 20, 0), NONE);
    assert_int_equal(step(&s, &rule, 0, 0), NONE);
    assert_int_equal(step(&s, &rule, 0, 20), NONE);
    assert_int_equal(step(&s, &rule, 20, 0), 2); /* the first and the fourth */
    tin_decision_reset(&s);
    assert_int_equal(step(&s, &rule, 20, 0), NONE);
    for (int i = 0; i < 3; i++)
        assert_int_equal(step(&s, &rule, 0, 0), NONE);
    assert_int_equal(step(&s, &rule, 20, 0), NONE); /* the first one is out */
    assert_int_equal(step(&s, &rule, 20, 0), 2);
}

static void an_event_lasts_its_minimum_length(void **state)
{
    (void)state;
    tin_decision_rule rule = tin_decision_plain(10);
    rule.min_length = 3;
    tin_decision_state s;
    tin_decision_reset(&s);
    assert_int_equal(step(&s, &rule, 20, 0), 2);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(step(&s, &rule, 0, 20), NONE); /* neither over nor another */
        assert_int_equal(s.active, 2);
    }
    assert_int_equal(step(&s, &rule, 0, 20), 3);
    assert_int_equal(step(&s, &rule, 0, 0), NONE);
    assert_int_equal(step(&s, &rule, 0, 0), NONE);
    assert_int_equal(s.active, 3);
    assert_int_equal(step(&s, &rule, 0, 0), NONE);
    assert_int_equal(s.active, NONE);
    rule.refractory = 4; /* it lasts 3, and the next one begins after 4 without a trigger */
    tin_decision_reset(&s);
    assert_int_equal(step(&s, &rule, 20, 0), 2);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(step(&s, &rule, 0, 20), NONE);
        assert_int_equal(s.active, i < 2 ? 2 : NONE);
    }
    assert_int_equal(step(&s, &rule, 0, 20), 3);
    rule.refractory = 0; /* 1 is none */
    rule.min_length = 1;
    tin_decision_reset(&s);
    assert_int_equal(step(&s, &rule, 20, 0), 2);
    assert_int_equal(step(&s, &rule, 0, 20), 3);
}

/* The layer as it was before it had thresholds per class, lead, k of n and minimum length, written anew. */
typedef struct simple {
    int32_t sum[4];
    int active, candidate, run, wait;
} simple;

static int simple_step(simple *s, const tin_decision_rule *r, const int16_t *z)
{
    const int32_t background = z[0] > z[1] ? z[0] : z[1], on = r->on[2], off = on - r->hysteresis;
    int32_t value[4];
    for (int k = 2; k < 4; k++) {
        s->sum[k] += z[k] - background - (s->sum[k] >> r->smooth_shift);
        value[k] = s->sum[k] >> r->smooth_shift;
    }
    const int best = value[3] > value[2] ? 3 : 2;
    const bool held = s->wait > 0;
    s->wait -= held;
    if (s->active != NONE && value[s->active] < off)
        s->active = NONE;
    if (value[best] >= on) {
        s->run = best == s->candidate ? s->run + 1 : 1;
        s->candidate = best;
    } else {
        s->run = 0;
        s->candidate = NONE;
    }
    if (s->run < r->of || best == s->active || held)
        return NONE;
    s->active = best;
    s->wait = r->refractory;
    return best;
}

/* Neutral values of the new elements, and needed == of against decisions that are counted one after another. */
static void the_rest_neutral_it_is_the_simple_layer(void **state)
{
    (void)state;
    tin_rng rng;
    tin_rng_seed(&rng, 3);
    int triggers = 0;
    for (int round = 0; round < 400; round++) {
        const tin_decision_rule rule =
            rule_of((int32_t)tin_rng_below(&rng, 600) - 300, (int32_t)tin_rng_below(&rng, 500),
                    1 + (int32_t)tin_rng_below(&rng, 16), (int32_t)tin_rng_below(&rng, 6),
                    (int32_t)tin_rng_below(&rng, 2) * (int32_t)tin_rng_below(&rng, 9));
        simple expected = {.active = NONE, .candidate = NONE};
        tin_decision_state s;
        tin_decision_reset(&s);
        int16_t z[4] = {0};
        for (int j = 0; j < 200; j++) {
            for (int k = 0; k < 4; k++)
                z[k] = (int16_t)(z[k] * 7 / 8 + (int)tin_rng_below(&rng, 301) - 150);
            const int trigger = tin_decision_step(&s, &rule, classes, 4, z);
            assert_int_equal(trigger, simple_step(&expected, &rule, z));
            assert_int_equal(s.active, expected.active);
            triggers += trigger != NONE;
        }
    }
    assert_true(triggers > 1000);
}

static void rules_out_of_range_are_refused(void **state)
{
    (void)state;
    static const struct {
        size_t field;
        int32_t value;
        const char *words;
    } bad[] = {
        {offsetof(tin_decision_rule, smooth_shift), -1, "smooth_shift is -1; use 0 to 8"},
        {offsetof(tin_decision_rule, smooth_shift), 9, "smooth_shift is 9; use 0 to 8"},
        {offsetof(tin_decision_rule, on[3]), 131073, "on of class 3 is 131073; use -131072 to 131072"},
        {offsetof(tin_decision_rule, on[199]), INT32_MIN, "on of class 199"},
        {offsetof(tin_decision_rule, hysteresis), -1, "hysteresis is -1; use 0 to 131072"},
        {offsetof(tin_decision_rule, lead), 131073, "lead is 131073"},
        {offsetof(tin_decision_rule, needed), 0, "needed is 0; use 1 to 16"},
        {offsetof(tin_decision_rule, needed), 2, "needed is 2; use 1 to 1"},
        {offsetof(tin_decision_rule, of), 17, "of is 17; use 1 to 16"},
        {offsetof(tin_decision_rule, min_length), -1, "min_length is -1; use 0 to"},
        {offsetof(tin_decision_rule, refractory), INT32_MAX, "refractory is 2147483647; use 0 to"},
    };
    const tin_decision_rule good = tin_decision_plain(5);
    assert_int_equal(tin_decision_check(&good, NULL), TIN_OK);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        tin_decision_rule rule = good;
        tin_error err = {0};
        memcpy((char *)&rule + bad[i].field, &bad[i].value, sizeof bad[i].value);
        assert_int_equal(tin_decision_check(&rule, &err), TIN_ERR_MODEL);
        assert_non_null(strstr(err.message, bad[i].words));
    }
}

static tin_decision_rule full_rule(void)
{
    tin_decision_rule rule = {.on = {[2] = -300, [3] = 131072}};
#define X(field, least, most) rule.field = most;
    TIN_RULE_FIELD_LIST(X)
#undef X
    return rule;
}

static void a_rule_comes_back_from_its_file(void **state)
{
    (void)state;
    const tin_decision_rule rule = full_rule();
    tin_decision_rule back = {0};
    tin_json_builder b = {false};
    json_t *object = tin_decision_json(&b, &rule, classes, 4);
    assert_false(b.failed);
    assert_int_equal(tin_decision_read(&back, object, 4, "f", NULL), TIN_OK);
    assert_memory_equal(&back, &rule, sizeof rule);
    char *text = json_dumps(object, JSON_COMPACT);
    assert_string_equal(text,
                        "{\"on\":[null,null,-300,131072],\"smooth_shift\":8,\"hysteresis\":131072,\"lead\":131072,"
                        "\"needed\":16,\"of\":16,\"min_length\":1000000000,\"refractory\":1000000000}");
    free(text);
    json_decref(object);
}

/* Each field gone, of another type and beyond its range. */
static void hostile_rules_are_refused(void **state)
{
    (void)state;
    const tin_decision_rule rule = full_rule();
    static const char *const keys[] = {"on",
#define X(field, least, most) #field,
                                       TIN_RULE_FIELD_LIST(X)
#undef X
    };
    static const char *const values[] = {"\"1\"", "1.5", "-1", "2147483648", "1e99", "[1]", "{}", "null", "true"};
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
        for (size_t v = 0; v <= sizeof values / sizeof *values; v++) {
            tin_json_builder b = {false};
            json_t *object = tin_decision_json(&b, &rule, classes, 4);
            if (v == 0) {
                json_object_del(object, keys[k]);
            } else {
                json_object_set_new(object, keys[k], json_loads(values[v - 1], JSON_DECODE_ANY, NULL));
            }
            tin_decision_rule back = {.lead = 77};
            tin_error err = {0};
            assert_int_equal(tin_decision_read(&back, object, 4, "metrics.json", &err), TIN_ERR_FORMAT);
            assert_non_null(strstr(err.message, keys[k]));
            assert_int_equal(back.lead, 77);
            json_decref(object);
        }
    }
    static const struct {
        const char *key, *value;
    } more[] = {{"on", "[]"},
                {"on", "[null, null, 1, 2, 3]"},
                {"on", "[null, null, 1, 131073]"},
                {"on", "[null, null, true, 1]"},
                {"needed", "17"},
                {"of", "15"} /* below needed */};
    for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
        tin_json_builder b = {false};
        json_t *object = tin_decision_json(&b, &rule, classes, 4);
        tin_decision_rule back;
        json_object_set_new(object, more[i].key, json_loads(more[i].value, JSON_DECODE_ANY, NULL));
        assert_int_equal(tin_decision_read(&back, object, 4, "metrics.json", NULL), TIN_ERR_FORMAT);
        json_decref(object);
    }
    tin_decision_rule back;
    assert_int_equal(tin_decision_read(&back, NULL, 4, "metrics.json", NULL), TIN_ERR_FORMAT);
}

static void another_rule_has_another_hash(void **state)
{
    (void)state;
    const tin_decision_rule rule = tin_decision_plain(7);
    const uint32_t hash = tin_decision_hash(&rule, classes, 4);
    tin_decision_rule other = rule;
    other.on[0] = other.on[1] = other.on[4] = 9; /* no events */
    assert_int_equal(tin_decision_hash(&other, classes, 4), hash);
    other.on[3] = 8;
    assert_int_not_equal(tin_decision_hash(&other, classes, 4), hash);
#define X(field, least, most)                                                                                          \
    other = rule;                                                                                                      \
    other.field++;                                                                                                     \
    assert_int_not_equal(tin_decision_hash(&other, classes, 4), hash);
    TIN_RULE_FIELD_LIST(X)
#undef X
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
        cmocka_unit_test(each_class_has_its_threshold),
        cmocka_unit_test(another_event_takes_over_when_it_leads),
        cmocka_unit_test(some_of_the_last_decisions_are_enough),
        cmocka_unit_test(an_event_lasts_its_minimum_length),
        cmocka_unit_test(the_rest_neutral_it_is_the_simple_layer),
        cmocka_unit_test(rules_out_of_range_are_refused),
        cmocka_unit_test(a_rule_comes_back_from_its_file),
        cmocka_unit_test(hostile_rules_are_refused),
        cmocka_unit_test(another_rule_has_another_hash),
    };
    return cmocka_run_group_tests_name("decision", tests, NULL, NULL);
}
