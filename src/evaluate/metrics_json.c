#include "evaluate/metrics_json.h"

#include <string.h>

#include <math.h>

#include "base/memory.h"
#include "evaluate/result_json.h"
#include "evaluate/score_streams.h"
#include "model/decision_json.h"

#define FORMAT_VERSION 2

typedef tin_json_builder builder;

bool tin_metrics_known(const json_t *metrics)
{
    json_int_t format = json_integer_value(json_object_get(metrics, "format"));
    return format >= 1 && format <= FORMAT_VERSION;
}

/* In the order of the classes, so that two files differ where margins do. */
static json_t *margins_json(builder *b, const tin_evaluation *e)
{
    const tin_config_evaluate *s = &e->options->settings;
    json_t *list = json_array();
    for (int k = 0; k < e->dataset->n_classes; k++) {
        for (unsigned i = 0; i < s->margins_count; i++) {
            const tin_config_margin *given = &s->margins[i];
            if (strcmp(given->class, e->dataset->classes[k].name) == 0) {
                json_t *o = json_object();
                tin_json_put(b, o, "class", json_string(given->class));
                tin_json_put(b, o, "early_ms", tin_json_real(given->early_ms >= 0 ? given->early_ms : s->early_ms));
                tin_json_put(b, o, "late_ms", tin_json_real(given->late_ms >= 0 ? given->late_ms : s->late_ms));
                tin_json_append(b, list, o);
            }
        }
    }
    return list;
}

static json_t *settings_json(builder *b, const tin_evaluation *e)
{
    const tin_config_evaluate *s = &e->options->settings;
    json_t *o = json_object();
    tin_json_put(b, o, "early_ms", tin_json_real(s->early_ms));
    tin_json_put(b, o, "late_ms", tin_json_real(s->late_ms));
    if (s->margins_count > 0) {
        tin_json_put(b, o, "margins", margins_json(b, e));
    }
    tin_json_put(b, o, "collar_ms", tin_json_real(s->collar_ms));
    tin_json_put(b, o, "deadline_ms", tin_json_real(s->deadline_ms));
    tin_json_put(b, o, "allow_repeats", json_boolean(s->allow_repeats));
    tin_json_put(b, o, "max_fp_per_hour", tin_json_real(s->max_fp_per_hour));
    tin_json_put(b, o, "objective", json_string(s->objective != NULL ? s->objective : "event_f1"));
    tin_json_put(b, o, "window_frames", json_integer(s->window_frames));
    tin_json_put(b, o, "window_step", json_integer(s->window_step));
    tin_json_put(b, o, "bootstrap", json_integer(s->bootstrap));
    if (e->options->cross != NULL) {
        tin_json_put(b, o, "cross_validation", json_integer(e->options->cross->n));
    }
    /* as text: JSON readers lose digits of integers above 2^53 */
    char seed[32];
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)e->options->seed);
    tin_json_put(b, o, "seed", json_string(seed));
    return o;
}

static json_t *summary_json(builder *b, const tin_evaluate_summary *s, const tin_dataset *dataset)
{
    json_t *o = json_object();
#define X(figure) tin_json_put(b, o, #figure, tin_json_real(s->figure));
    TIN_SUMMARY_LIST(X)
    TIN_SUMMARY_LATER_LIST(X)
#undef X
    if (s->worst_person[0] != '\0') {
        tin_json_put(b, o, "worst_person", json_string(s->worst_person));
    }
    tin_json_put(b, o, "n_events", json_integer(s->n_events));
    tin_json_put(b, o, "n_test_frames", json_integer(s->n_test_frames));
    tin_json_put(b, o, "preset", s->preset[0] != '\0' ? json_string(s->preset) : json_null());
    tin_json_put(b, o, "rule", tin_decision_json(b, &s->rule, dataset->classes, dataset->n_classes));
    return o;
}

tin_evaluate_summary tin_evaluation_summary(const tin_evaluation *e)
{
    const tin_detector_result *r = &e->test;
    const double *f = r->figures, *of_float = e->float_test.figures;
    double events[TIN_FIGURE_COUNT], nan = (double)NAN, worst[TIN_FIGURE_COUNT];
    for (size_t i = 0; i < TIN_FIGURE_COUNT; i++) {
        events[i] = e->has_events ? f[i] : nan;
    }
    tin_evaluate_summary s = {
        .frame_accuracy = f[TIN_FIGURE_ACCURACY],
        .balanced_accuracy = f[TIN_FIGURE_BALANCED_ACCURACY],
        .macro_f1 = f[TIN_FIGURE_MACRO_F1],
        .float_frame_accuracy = e->has_float ? of_float[TIN_FIGURE_ACCURACY] : nan,
        .frame_accuracy_low = r->bounds[TIN_FIGURE_ACCURACY].low,
        .frame_accuracy_high = r->bounds[TIN_FIGURE_ACCURACY].high,
        .window_accuracy = f[TIN_FIGURE_WINDOW_ACCURACY],
        .float_window_accuracy = e->has_float ? of_float[TIN_FIGURE_WINDOW_ACCURACY] : nan,
        .fnr = events[TIN_FIGURE_FNR],
        .fcr = events[TIN_FIGURE_FCR],
        .fp_per_hour = events[TIN_FIGURE_FP_PER_HOUR],
        .latency_mean_s = events[TIN_FIGURE_LATENCY_MEAN],
        .latency_median_s = tin_percentile(r->total.latencies.seconds, r->total.latencies.n, 0.5),
        .latency_p95_s = tin_percentile(r->total.latencies.seconds, r->total.latencies.n, 0.95),
        .iou50_f1 = events[TIN_FIGURE_IOU50_F1],
        .event_f1 = events[TIN_FIGURE_EVENT_F1],
        .segment_f1 = events[TIN_FIGURE_SEGMENT_F1],
        .deadline_recall = events[TIN_FIGURE_DEADLINE_RECALL],
        .worst_fnr = nan,
        .frame_accuracy_no_reset = e->no_reset_accuracy,
        .n_events = r->total.events.n_events,
        .n_test_frames = r->total.frames.n_frames,
        .rule = e->rule,
        .test_reads = e->test_reads,
    };
    snprintf(s.preset, sizeof s.preset, "%s", e->preset != NULL ? e->preset : "");
    size_t person = r->worst[TIN_FIGURE_FNR];
    if (e->has_events && person < r->n_people) {
        tin_person_figures(&r->people[person], r->n_classes, r->rate_hz, worst);
        s.worst_fnr = worst[TIN_FIGURE_FNR];
        snprintf(s.worst_person, sizeof s.worst_person, "%s", r->people[person].name);
    }
    return s;
}

static json_t *classes_json(builder *b, const tin_dataset *dataset)
{
    json_t *classes = json_array();
    for (int k = 0; k < dataset->n_classes; k++) {
        json_t *c = json_object();
        tin_json_put(b, c, "name", json_string(dataset->classes[k].name));
        tin_json_put(b, c, "event", json_boolean(dataset->classes[k].event));
        tin_json_append(b, classes, c);
    }
    return classes;
}

static json_t *pair_json(builder *b, const tin_evaluation *e, const tin_detector_result *integer,
                         const tin_detector_result *real)
{
    json_t *o = json_object();
    tin_json_put(b, o, "integer", tin_result_json(b, integer, e->has_events, true));
    if (e->has_float) {
        tin_json_put(b, o, "float", tin_result_json(b, real, e->has_events, true));
    }
    return o;
}

static json_t *trivial_json(builder *b, const tin_evaluation *e)
{
    json_t *list = json_array();
    for (size_t i = 0; i < e->n_trivial; i++) {
        json_t *o = tin_result_json(b, &e->trivial[i].result, e->has_events, false);
        tin_json_put(b, o, "name", json_string(e->trivial[i].name));
        tin_json_append(b, list, o);
    }
    return list;
}

tin_status tin_metrics_save(const tin_evaluation *e, const char *folder, tin_error *err)
{
    builder b = {false};
    tin_evaluate_summary summary = tin_evaluation_summary(e);
    json_t *root = json_object();
    tin_json_put(&b, root, "format", json_integer(FORMAT_VERSION));
    tin_json_put(&b, root, "tool_version", json_string(TINAMOU_VERSION));
    tin_json_put(&b, root, "dataset", json_string(e->dataset->name));
    tin_json_put(&b, root, "data_hash", json_string(e->dataset->hash));
    tin_json_put(&b, root, "model_hash", json_string(e->qmodel->hash));
    tin_json_put(&b, root, "rate_hz", tin_json_real(e->dataset->rate_hz));
    tin_json_put(&b, root, "hop", json_integer(e->timing.hop));
    tin_json_put(&b, root, "delay", json_integer(e->timing.delay));
    tin_json_put(&b, root, "latency", json_integer(e->timing.latency));
    tin_json_put(&b, root, "classes", classes_json(&b, e->dataset));
    tin_json_put(&b, root, "settings", settings_json(&b, e));
    tin_json_put(&b, root, "has_events", json_boolean(e->has_events));
    tin_json_put(&b, root, "rules_compared", json_integer(e->n_candidates));
    tin_json_put(&b, root, "test_reads", json_integer(e->test_reads));
    tin_json_put(&b, root, "summary", summary_json(&b, &summary, e->dataset));
    tin_json_put(&b, root, "validation", pair_json(&b, e, &e->validation, &e->float_validation));
    tin_json_put(&b, root, "test", pair_json(&b, e, &e->test, &e->float_test));
    tin_json_put(&b, root, "trivial", trivial_json(&b, e));
    tin_status status = b.failed ? tin_fail(err, TIN_ERR_MEMORY, "out of memory while metrics.json was made")
                                 : tin_json_save(root, folder, "metrics.json", 1, err);
    json_decref(root);
    return status;
}
