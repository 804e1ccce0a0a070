#include "evaluate/evaluate.h"

#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "evaluate/judge.h"
#include "evaluate/metrics_json.h"
#include "evaluate/no_reset.h"
#include "evaluate/psds_sweep.h"
#include "evaluate/score_file.h"
#include "evaluate/sweep_table.h"
#include "evaluate/tuning.h"

#define SCORES "scores.safetensors"
#define FLOAT_SCORES "scores_float.safetensors"

#define SWEEP_DECISIONS 1000000 /* of test streams, swept at a time */

/* Everything of one call of tin_evaluate. */
typedef struct work {
    tin_evaluation e; /* what goes to metrics.json */
    const tin_model *float_model;
    tin_windows windows;
    tin_scored_set validation, test, float_validation, float_test;
    tin_tuning tuning;
    tin_writer timelines; /* grows as streams are judged */
} work;

static void work_clear(work *w)
{
    tin_detector_result *results[] = {&w->e.validation, &w->e.test, &w->e.float_validation, &w->e.float_test};
    tin_scored_set *sets[] = {&w->validation, &w->test, &w->float_validation, &w->float_test};
    for (size_t i = 0; i < 4; i++) {
        tin_detector_result_free(results[i]);
        tin_scored_set_free(sets[i]);
    }
    for (size_t i = 0; i < w->e.n_trivial; i++) {
        tin_detector_result_free(&w->e.trivial[i].result);
    }
    tin_free(w->e.trivial);
    tin_tuning_free(&w->tuning);
    tin_writer_abort(&w->timelines);
}

static tin_status take_settings(work *w, tin_error *err)
{
    const tin_config_evaluate *s = &w->e.options->settings;
    if (s->objective != NULL && strcmp(s->objective, "event_f1") != 0 && strcmp(s->objective, "iou_f1") != 0) {
        return tin_fail(err, TIN_ERR_CONFIG, "evaluate.objective is \"%s\"; use event_f1 or iou_f1", s->objective);
    }
    w->windows.frames = s->window_frames > 0 ? s->window_frames : 0;
    w->windows.history = s->window_history > 0 ? s->window_history : 0;
    w->windows.step = s->window_step > 0 ? s->window_step : (w->windows.frames + 1) / 2;
    w->e.timing = (tin_timing){w->e.qmodel->hop, w->e.qmodel->delay, w->e.options->latency};
    w->e.has_float = w->float_model != NULL;
    w->e.rule = tin_decision_plain(0);
    for (int k = 0; k < w->e.dataset->n_classes; k++) {
        w->e.has_events = w->e.has_events || w->e.dataset->classes[k].event;
    }
    return tin_margins_create(&w->e.margins, s, w->e.dataset, err);
}

static tin_status need_streams(const tin_dataset *dataset, tin_error *err)
{
    if (tin_dataset_frames(dataset, TIN_ROLE_VALIDATION) == 0) {
        return tin_fail(err, TIN_ERR_DATA, "the dataset has no validation people; name some in data.validation");
    }
    if (tin_dataset_frames(dataset, TIN_ROLE_TEST) == 0) {
        return tin_fail(err, TIN_ERR_DATA, "the dataset has no test people; name some in data.test");
    }
    return TIN_OK;
}

/* Both models over the streams of one role, or what they gave before. */
static tin_status score_role(work *w, tin_role role, tin_scored_set *integer, tin_scored_set *real, tin_error *err)
{
    const tin_evaluate_options *o = w->e.options;
    const tin_cross_models *cross = role == TIN_ROLE_VALIDATION ? o->cross : NULL;
    const tin_scorer of_integer = {.qmodel = w->e.qmodel, .cross = cross, .latency = o->latency, .folder = o->folder},
                     of_float = {.model = w->float_model, .cross = cross, .latency = o->latency, .folder = o->folder};
    tin_status status =
        o->reuse_scores
            ? tin_scores_load(integer, o->folder, SCORES, w->e.dataset, role, w->e.timing, err)
            : tin_score_streams(of_integer, w->e.dataset, role, w->windows, o->pool, o->quiet, integer, err);
    if (status == TIN_OK && w->e.has_float) {
        status = o->reuse_scores
                     ? tin_scores_load(real, o->folder, FLOAT_SCORES, w->e.dataset, role, w->e.timing, err)
                     : tin_score_streams(of_float, w->e.dataset, role, w->windows, o->pool, o->quiet, real, err);
    }
    return status;
}

/* Of the test people; where scores are reused, what it was before, since no decision rule changes it. */
static tin_status read_on(work *w, tin_error *err)
{
    tin_evaluate_summary before = {0};
    tin_error why = {0};
    if (w->e.options->reuse_scores) {
        tin_status status = tin_evaluate_load(w->e.options->folder, &before, &why);
        if (status == TIN_ERR_MEMORY) {
            return tin_fail(err, status, "%s", why.message);
        }
        if (status == TIN_OK && isfinite(before.frame_accuracy_no_reset)) {
            w->e.no_reset_accuracy = before.frame_accuracy_no_reset;
            return TIN_OK;
        }
    }
    return tin_no_reset_accuracy(w->e.qmodel, w->e.dataset, TIN_ROLE_TEST, w->e.timing, &w->e.no_reset_accuracy, err);
}

/* Sees the validation streams only. */
static tin_status choose_rule(work *w, tin_error *err)
{
    const tin_evaluate_options *o = w->e.options;
    const tin_tuning_input input = {.dataset = w->e.dataset,
                                    .validation = &w->validation,
                                    .margins = w->e.margins,
                                    .settings = &o->settings,
                                    .seed = o->seed,
                                    .pool = o->pool,
                                    .quiet = o->quiet};
    tin_tuning_ask ask;
    json_t *test_rules = NULL;
    tin_status status = tin_tuning_load(o->folder, &o->settings, o->forget, &ask, &test_rules, err);
    if (status == TIN_OK) {
        status = tin_tuning_make(&input, o->ask != NULL ? o->ask : &ask, test_rules, &w->tuning, err);
    }
    if (status == TIN_OK) {
        w->e.rule = w->tuning.rule;
        w->e.n_candidates = w->tuning.n_candidates;
        w->e.preset = w->tuning.ask.preset < TIN_PRESET_COUNT ? tin_preset_name(w->tuning.ask.preset) : "custom";
        w->e.test_reads = (int64_t)json_array_size(w->tuning.test_rules);
    }
    json_decref(test_rules);
    return status;
}

/* The test streams a part at a time: sorting all margins of 1,000 hours takes gigabytes. */
static tin_status sweep_test(const work *w, tin_sweep_table *table, tin_error *err)
{
    tin_sweep_stream *streams = NULL;
    tin_sweep_input all;
    tin_status status = tin_sweep_input_of(w->e.dataset, &w->test, &w->e.margins, &streams, &all, err);
    for (size_t i = 0, n; i < w->test.n && status == TIN_OK; i += n) {
        int64_t decisions = 0;
        for (n = 0; i + n < w->test.n && (n == 0 || decisions < SWEEP_DECISIONS); n++) {
            decisions += streams[i + n].n_decisions;
        }
        tin_sweep_input part = all;
        part.streams = streams + i;
        part.n_streams = n;
        status = tin_sweep_table_add_test(table, &part, &w->e.rule, err);
        for (size_t k = 0; k < n; k++) {
            tin_scored_stream_forget(&w->test, &w->test.items[i + k]);
        }
    }
    tin_free(streams);
    return status;
}

static tin_status write_sweep(work *w, tin_error *err)
{
    tin_sweep_stream *streams = NULL;
    tin_sweep_input validation;
    tin_sweep_table table = {0};
    tin_status status = tin_sweep_input_of(w->e.dataset, &w->validation, &w->e.margins, &streams, &validation, err);
    if (status == TIN_OK) {
        status = tin_sweep_table_make(&table, &validation, &w->e.rule, err);
    }
    if (status == TIN_OK) {
        status = sweep_test(w, &table, err);
    }
    if (status == TIN_OK) {
        status = tin_sweep_table_save(&table, w->e.dataset->rate_hz, w->e.options->folder, err);
    }
    tin_sweep_table_free(&table);
    tin_free(streams);
    return status;
}

/* A detector on the test people, with PSDS where there are events. */
static tin_status judge_test(work *w, const tin_detector *detector, const tin_scored_set *set,
                             const tin_judge_options *options, tin_detector_result *result, tin_error *err)
{
    tin_status status = tin_judge(detector, w->e.dataset, set, options, result, err);
    if (status == TIN_OK && w->e.has_events) {
        status =
            tin_psds_sweep(detector, w->e.dataset, set, w->e.options->pool, result->psds, &result->n_thresholds, err);
    }
    return status;
}

/* timelines.json is written as it comes: test people, then validation people, keys in order. */
static tin_status begin_timelines(work *w, tin_error *err)
{
    char path[TIN_PATH_MAX];
    tin_status status = tin_path_join(path, w->e.options->folder, "timelines.json", err);
    status = status == TIN_OK ? tin_writer_open(&w->timelines, path, err) : status;
    if (status == TIN_OK) {
        fprintf(w->timelines.stream, "{\"data_hash\":\"%s\",\"format\":1,\"streams\":[", w->e.dataset->hash);
    }
    return status;
}

static tin_status judge_integer(work *w, const tin_detector *model, tin_judge_options options, tin_error *err)
{
    tin_status status = begin_timelines(w, err);
    options.timelines = w->timelines.stream;
    if (status == TIN_OK) {
        status = judge_test(w, model, &w->test, &options, &w->e.test, err);
    }
    if (status == TIN_OK) {
        fprintf(options.timelines, "],\"unlabelled\":%d,\"validation\":[", (int)w->e.dataset->unlabelled);
        status = tin_judge(model, w->e.dataset, &w->validation, &options, &w->e.validation, err);
    }
    if (status == TIN_OK) {
        fputs("]}\n", options.timelines);
    }
    return status;
}

static tin_status judge_models(work *w, tin_error *err)
{
    const tin_config_evaluate *s = &w->e.options->settings;
    const tin_detector model = {.kind = TIN_DETECTOR_MODEL, .rule = w->e.has_events ? &w->e.rule : NULL};
    const tin_judge_options options = {w->e.margins, s->bootstrap, w->e.options->seed, NULL};
    tin_status status = judge_integer(w, &model, options, err);
    if (status == TIN_OK && w->e.has_float) {
        status = tin_judge(&model, w->e.dataset, &w->float_validation, &options, &w->e.float_validation, err);
    }
    if (status == TIN_OK && w->e.has_float) {
        status = judge_test(w, &model, &w->float_test, &options, &w->e.float_test, err);
    }
    return status;
}

static bool all_events(const tin_dataset *dataset)
{
    bool all = true;
    for (int k = 0; k < dataset->n_classes; k++) {
        all = all && dataset->classes[k].event;
    }
    return all;
}

/* Always one class, for each; the clock; and where every class is an event, so that each of these reports something, one that
 * never does. */
static tin_status judge_trivial(work *w, tin_error *err)
{
    int n_classes = w->e.dataset->n_classes, n = n_classes + 1 + all_events(w->e.dataset);
    const tin_judge_options options = {w->e.margins, w->e.options->settings.bootstrap, w->e.options->seed, NULL};
    tin_clock clock = {0};
    w->e.trivial = tin_alloc((size_t)n, sizeof *w->e.trivial, err);
    if (w->e.trivial == NULL) {
        return TIN_ERR_MEMORY;
    }
    tin_status status = tin_clock_learn(&clock, w->e.dataset, err);
    for (int k = 0; status == TIN_OK && k < n; k++) {
        tin_trivial_result *t = &w->e.trivial[w->e.n_trivial++];
        tin_detector detector = {TIN_DETECTOR_CONSTANT, NULL, k, &clock};
        if (k < n_classes) {
            snprintf(t->name, sizeof t->name, "always %s", w->e.dataset->classes[k].name);
        } else if (k == n_classes) {
            detector.kind = TIN_DETECTOR_CLOCK;
            snprintf(t->name, sizeof t->name, "clock");
        } else {
            detector.class_index = TIN_DECISION_NONE;
            snprintf(t->name, sizeof t->name, "never");
        }
        status = judge_test(w, &detector, &w->test, &options, &t->result, err);
    }
    tin_clock_free(&clock);
    return status;
}

/* Of validation and test people. */
static tin_status write_scores(const work *w, tin_error *err)
{
    const tin_scored_set integer[] = {w->validation, w->test}, real[] = {w->float_validation, w->float_test};
    tin_status status = tin_scores_save(integer, 2, w->e.options->folder, SCORES, err);
    if (status == TIN_OK && w->e.has_float) {
        status = tin_scores_save(real, 2, w->e.options->folder, FLOAT_SCORES, err);
    }
    return status;
}

/* tuning.json comes first: when the process is killed behind it, the stage is done again for what was asked there.
 * metrics.json comes last: where it is, the others are too. */
static tin_status write_all(work *w, tin_error *err)
{
    const char *folder = w->e.options->folder;
    tin_status status = w->e.has_events ? tin_json_save(w->tuning.json, folder, "tuning.json", 1, err) : TIN_OK;
    if (status == TIN_OK && w->e.has_events) {
        status = write_sweep(w, err);
    }
    if (status == TIN_OK && !w->e.options->reuse_scores) {
        status = write_scores(w, err);
    }
    if (status == TIN_OK) {
        status = tin_writer_commit(&w->timelines, err);
    }
    if (status == TIN_OK) {
        status = tin_metrics_save(&w->e, w->e.options->folder, err);
    }
    return status;
}

tin_status tin_evaluate(const tin_qmodel *qmodel, const tin_model *float_model, const tin_dataset *dataset,
                        const tin_evaluate_options *options, tin_evaluate_summary *summary, tin_error *err)
{
    work w = {.e = {.dataset = dataset, .qmodel = qmodel, .options = options}, .float_model = float_model};
    tin_status status = take_settings(&w, err);
    if (status == TIN_OK) {
        status = need_streams(dataset, err);
    }
    if (status == TIN_OK) {
        status = score_role(&w, TIN_ROLE_VALIDATION, &w.validation, &w.float_validation, err);
    }
    if (status == TIN_OK && w.e.has_events) {
        status = choose_rule(&w, err);
    }
    /* The rule is fixed; from here on the test people are read, once. */
    if (status == TIN_OK) {
        status = score_role(&w, TIN_ROLE_TEST, &w.test, &w.float_test, err);
    }
    if (status == TIN_OK) {
        status = read_on(&w, err);
    }
    if (status == TIN_OK) {
        status = judge_models(&w, err);
    }
    if (status == TIN_OK) {
        status = judge_trivial(&w, err);
    }
    if (status == TIN_OK) {
        status = write_all(&w, err);
    }
    if (status == TIN_OK) {
        *summary = tin_evaluation_summary(&w.e);
    }
    work_clear(&w);
    return status;
}
