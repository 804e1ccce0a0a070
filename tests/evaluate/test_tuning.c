/* The decision rule of a run: what was asked, what is kept of it, and a choice from the scores alone. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_tools.h"
#include "base/memory.h"
#include "evaluate/tuning.h"
#include "made_world.h"
#include "model/decision_json.h"

static const double NONE = (double)NAN;

static tin_tuning_ask ask_for(tin_preset preset)
{
    return (tin_tuning_ask){true, preset, NONE, NONE, NONE, TIN_AIM_COUNT};
}

/* A model that hears nothing. */
static bool deaf;

/* Evaluates in a folder below the tests' own. */
static tin_status evaluate(const char *folder, const tin_tuning_ask *ask, bool reuse, bool forget,
                           tin_evaluate_summary *s, tin_error *err)
{
    tin_dataset *dataset = make_dataset(TEST_TEMPORARY "/world.tind", CLASSES, false);
    tiny t;
    make_tiny(&t, dataset);
    if (deaf) {
        t.weight[2] = t.weight[5] = 0;
    }
    tin_evaluate_options options = options_in(folder);
    options.ask = ask;
    options.reuse_scores = reuse;
    options.forget = forget;
    *err = (tin_error){0};
    tin_status status = tin_evaluate(&t.model, NULL, dataset, &options, s, err);
    tin_dataset_close(dataset);
    return status;
}

static json_t *load(const char *folder, const char *name)
{
    json_t *root = NULL;
    assert_int_equal(tin_json_load(&root, folder, name, NULL), TIN_OK);
    return root;
}

static char *bytes_of(const char *folder, const char *name)
{
    char path[TIN_PATH_MAX], *text = NULL;
    size_t size = 0;
    assert_int_equal(tin_path_join(path, folder, name, NULL), TIN_OK);
    assert_int_equal(tin_file_read(path, &text, &size, NULL), TIN_OK);
    return text;
}

static const json_t *at(const json_t *object, const char *key, const char *second)
{
    return json_object_get(json_object_get(object, key), second);
}

static void every_evaluation_says_what_was_chosen_and_why(void **state)
{
    (void)state;
    const char *folder = TEST_TEMPORARY "/plain";
    tin_evaluate_summary s;
    tin_error err;
    assert_int_equal(evaluate(folder, NULL, false, true, &s, &err), TIN_OK);
    assert_string_equal(s.preset, "balanced");
    assert_int_equal(s.test_reads, 1);
    json_t *tuning = load(folder, "tuning.json"), *metrics = load(folder, "metrics.json");
    assert_true(json_is_false(at(tuning, "asked", "by_hand")));
    assert_string_equal(json_string_value(at(tuning, "asked", "preset")), "balanced");
    assert_true(json_equal(at(tuning, "chosen", "rule"), at(metrics, "summary", "rule")));
    assert_true(json_equal(json_object_get(tuning, "chosen"), at(tuning, "presets", "balanced")));
    assert_string_equal(json_string_value(at(tuning, "chosen", "why")), "greatest F1 of triggers");
    const json_t *front = json_object_get(tuning, "front");
    assert_true(json_array_size(front) > 0);
    assert_int_equal(json_array_size(front), json_integer_value(json_object_get(tuning, "front_size")));
    for (int p = 0; p < TIN_PRESET_COUNT; p++) {
        const json_t *choice = at(tuning, "presets", tin_preset_name((tin_preset)p));
        tin_decision_rule rule;
        assert_int_equal(tin_decision_read(&rule, json_object_get(choice, "rule"), 3, "tuning.json", NULL), TIN_OK);
        assert_int_equal(json_integer_value(at(choice, "validation", "n_events")), 18);
        assert_int_equal(json_integer_value(at(choice, "left_out", "n_events")), 18);
        assert_int_equal(json_array_size(at(choice, "validation", "fp_per_hour_exact_95")), 2);
    }
    /* what the chosen rule does is what the evaluation measured with it */
    const json_t *validation = json_object_get(json_object_get(metrics, "validation"), "integer");
    assert_true(json_equal(at(validation, "events", "f1"), json_object_get(at(tuning, "chosen", "validation"), "f1")));
    assert_true(json_equal(at(validation, "events", "iou50_f1"),
                           json_object_get(at(tuning, "chosen", "validation"), "iou50_f1")));
    json_decref(tuning);
    json_decref(metrics);
}

/* The choice from the kept scores is that of a whole evaluation, and it stays until it is forgotten. */
static void a_choice_by_hand_needs_no_model_and_stays(void **state)
{
    (void)state;
    const char *by_hand = TEST_TEMPORARY "/by_hand", *whole = TEST_TEMPORARY "/whole";
    static const char *const files[] = {"metrics.json", "tuning.json", "sweep.csv", "timelines.json",
                                        "scores.safetensors"};
    tin_tuning_ask ask = ask_for(TIN_PRESET_COUNT);
    ask.max_fnr = 0.9;
    ask.aim = TIN_AIM_LATENCY;
    tin_evaluate_summary s, again;
    tin_error err;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(evaluate(i == 0 ? by_hand : whole, NULL, false, true, &s, &err), TIN_OK);
    }
    const tin_decision_rule before = s.rule;
    json_t *tuning_before = load(by_hand, "tuning.json");
    assert_int_equal(evaluate(by_hand, &ask, true, false, &s, &err), TIN_OK);
    assert_int_equal(evaluate(whole, &ask, false, false, &again, &err), TIN_OK);
    assert_memory_not_equal(&s.rule, &before, sizeof before);
    json_t *tuning = load(by_hand, "tuning.json"); /* a preset is the same rule whatever is asked for */
    assert_true(json_equal(json_object_get(tuning, "presets"), json_object_get(tuning_before, "presets")));
    json_decref(tuning);
    json_decref(tuning_before);
    assert_string_equal(s.preset, "custom");
    assert_int_equal(s.test_reads, 2);
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        char *a = bytes_of(by_hand, files[f]), *b = bytes_of(whole, files[f]);
        assert_string_equal(a, b);
        tin_free(a);
        tin_free(b);
    }
    assert_int_equal(evaluate(by_hand, NULL, false, false, &again, &err), TIN_OK);
    assert_memory_equal(&again.rule, &s.rule, sizeof s.rule);
    assert_int_equal(again.test_reads, 2);
    assert_int_equal(evaluate(by_hand, NULL, false, true, &again, &err), TIN_OK);
    assert_memory_equal(&again.rule, &before, sizeof before);
    assert_string_equal(again.preset, "balanced");
    assert_int_equal(again.test_reads, 2); /* a rule read before is not counted again */
}

static void what_cannot_be_had_changes_nothing(void **state)
{
    (void)state;
    const char *folder = TEST_TEMPORARY "/never";
    tin_tuning_ask ask = ask_for(TIN_PRESET_COUNT);
    ask.max_fp_per_hour = 0;
    ask.max_fnr = 0;
    tin_evaluate_summary s;
    tin_error err;
    deaf = true;
    assert_int_equal(evaluate(folder, NULL, false, true, &s, &err), TIN_OK);
    char *tuning = bytes_of(folder, "tuning.json"), *metrics = bytes_of(folder, "metrics.json");
    assert_int_equal(evaluate(folder, &ask, true, false, &s, &err), TIN_ERR_USAGE);
    deaf = false;
    assert_non_null(strstr(err.message, "tinamou tune"));
    char *tuning_after = bytes_of(folder, "tuning.json"), *metrics_after = bytes_of(folder, "metrics.json");
    assert_string_equal(tuning, tuning_after);
    assert_string_equal(metrics, metrics_after);
    tin_free(tuning);
    tin_free(metrics);
    tin_free(tuning_after);
    tin_free(metrics_after);
}

/* Bounds that are given are held, and the rest is best in the order that the documentation says. */
static void bounds_decide_what_is_made_best(void **state)
{
    (void)state;
    static const struct {
        double fp, fnr, latency;
        const char *why;
    } cases[] = {
        {0.5, NONE, NONE,
         "at most 0.5 false alarms per hour, fewest missed and misnamed events, then least delay, then fewest false "
         "alarms"},
        {NONE, 0.25, NONE,
         "at most 0.25 of the events missed, fewest false alarms, then least delay, then fewest missed and misnamed "
         "events"},
        {NONE, NONE, 2000,
         "a mean delay of at most 2000 ms, fewest missed and misnamed events, then fewest false alarms, then least "
         "delay"},
    };
    const char *folder = TEST_TEMPORARY "/bounds";
    tin_evaluate_summary s;
    tin_error err;
    assert_int_equal(evaluate(folder, NULL, false, true, &s, &err), TIN_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const tin_tuning_ask ask = {true, TIN_PRESET_COUNT, cases[i].fp, cases[i].fnr, cases[i].latency, TIN_AIM_COUNT};
        assert_int_equal(evaluate(folder, &ask, true, false, &s, &err), TIN_OK);
        json_t *tuning = load(folder, "tuning.json");
        assert_string_equal(json_string_value(at(tuning, "chosen", "why")), cases[i].why);
        assert_true(json_is_null(at(tuning, "asked", "preset")));
        json_decref(tuning);
    }
}

static void damaged_files_are_refused_with_the_mend(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{",
        "{}",
        "{\"asked\": {\"by_hand\": 1}, \"test_rules\": []}",
        "{\"asked\": {\"by_hand\": true, \"preset\": null, \"objective\": null, \"max_fp_per_hour\": null, "
        "\"max_fnr\": null, \"max_latency_ms\": null}}",
        "{\"asked\": {\"by_hand\": true, \"preset\": \"lazy\", \"objective\": null, \"max_fp_per_hour\": null, "
        "\"max_fnr\": null, \"max_latency_ms\": null}, \"test_rules\": []}",
        "{\"asked\": {\"by_hand\": true, \"preset\": null, \"objective\": 7, \"max_fp_per_hour\": null, "
        "\"max_fnr\": null, \"max_latency_ms\": null}, \"test_rules\": []}",
        "{\"asked\": {\"by_hand\": true, \"preset\": null, \"objective\": null, \"max_fp_per_hour\": -1, "
        "\"max_fnr\": null, \"max_latency_ms\": null}, \"test_rules\": []}",
        "{\"asked\": {\"by_hand\": true, \"preset\": null, \"objective\": null, \"max_fp_per_hour\": null, "
        "\"max_fnr\": \"0\", \"max_latency_ms\": null}, \"test_rules\": []}",
        "{\"asked\": {\"by_hand\": true, \"preset\": null, \"objective\": null, \"max_fp_per_hour\": null, "
        "\"max_fnr\": null}, \"test_rules\": []}",
    };
    const char *folder = TEST_TEMPORARY "/damaged";
    const tin_config_evaluate settings = {0};
    assert_int_equal(tin_folder_make(folder, NULL), TIN_OK);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        tin_tuning_ask ask;
        json_t *rules = NULL;
        tin_error err = {0};
        assert_int_equal(tin_file_write(TEST_TEMPORARY "/damaged/tuning.json", texts[i], strlen(texts[i]), NULL),
                         TIN_OK);
        assert_int_equal(tin_tuning_load(folder, &settings, false, &ask, &rules, &err), TIN_ERR_FORMAT);
        assert_non_null(strstr(tin_error_text(&err), "tuning.json"));
        assert_null(rules);
    }
}

static void scores_of_other_recordings_are_refused(void **state)
{
    (void)state;
    const char *folder = TEST_TEMPORARY "/other";
    const tin_tuning_ask ask = ask_for(TIN_PRESET_STRICT);
    tin_evaluate_summary s;
    tin_error err;
    assert_int_equal(evaluate(folder, NULL, false, true, &s, &err), TIN_OK);
    char *scores = bytes_of(folder, "scores.safetensors");
    tin_free(scores);
    assert_int_equal(tin_file_write(TEST_TEMPORARY "/other/scores.safetensors", "\2\0\0\0\0\0\0\0{}", 10, NULL),
                     TIN_OK);
    assert_int_equal(evaluate(folder, &ask, true, false, &s, &err), TIN_ERR_FORMAT);
    assert_non_null(strstr(tin_error_text(&err), "scores.safetensors"));
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    const char *folder = TEST_TEMPORARY "/alloc";
    const tin_tuning_ask ask = ask_for(TIN_PRESET_RESPONSIVE);
    tin_dataset *dataset = make_dataset(TEST_TEMPORARY "/alloc.tind", CLASSES, false);
    tiny t;
    make_tiny(&t, dataset);
    tin_evaluate_options options = options_in(folder);
    tin_evaluate_summary s;
    bool done = false;
    assert_int_equal(tin_evaluate(&t.model, NULL, dataset, &options, &s, NULL), TIN_OK);
    options.ask = &ask;
    options.reuse_scores = true;
    tin_memory_fail_at(0);
    for (size_t n = 1, step = 1; !done && n < 1000000; n += step) {
        tin_error err = {0};
        tin_memory_fail_at(n);
        const tin_status status = tin_evaluate(&t.model, NULL, dataset, &options, &s, &err);
        const size_t made = tin_memory_fail_at(0);
        done = status == TIN_OK;
        assert_true(done ? made < n : status == TIN_ERR_MEMORY);
        step = n < 60 ? 1 : 401; /* the families of rules in the middle allocate alike */
    }
    assert_true(done);
    tin_dataset_close(dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_evaluation_says_what_was_chosen_and_why),
        cmocka_unit_test(a_choice_by_hand_needs_no_model_and_stays),
        cmocka_unit_test(what_cannot_be_had_changes_nothing),
        cmocka_unit_test(bounds_decide_what_is_made_best),
        cmocka_unit_test(damaged_files_are_refused_with_the_mend),
        cmocka_unit_test(scores_of_other_recordings_are_refused),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
