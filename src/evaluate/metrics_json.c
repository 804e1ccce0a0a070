#include "evaluate/metrics_json.h"

#include <string.h>

#include <math.h>

#include "base/memory.h"

#define FORMAT_VERSION 1
#define MOST_BINS 60

typedef tin_json_builder builder;

static json_t *bounds_json(builder *b, tin_bounds bounds)
{
    json_t *pair = json_array();
    tin_json_append(b, pair, tin_json_real(bounds.low));
    tin_json_append(b, pair, tin_json_real(bounds.high));
    return pair;
}

static json_t *frames_json(builder *b, const tin_detector_result *r, bool with_confusion)
{
    const tin_frame_figures *f = &r->total.frames;
    const tin_class_figures *per_class = r->total.per_class;
    json_t *o = json_object();
    tin_json_put(b, o, "n_frames", json_integer(f->n_frames));
    tin_json_put(b, o, "accuracy", tin_json_real(f->accuracy));
    tin_json_put(b, o, "accuracy_95", bounds_json(b, r->accuracy_bounds));
    tin_json_put(b, o, "accuracy_with_margins", tin_json_real(r->accuracy_with_margins));
    tin_json_put(b, o, "balanced_accuracy", tin_json_real(f->balanced_accuracy));
    tin_json_put(b, o, "macro_f1", tin_json_real(f->macro_f1));
    if (with_confusion) {
        tin_json_put(b, o, "confusion", tin_json_matrix(b, r->confusion, r->n_classes, r->n_classes));
    }
    json_t *classes = json_array();
    for (int k = 0; k < r->n_classes; k++) {
        json_t *c = json_object();
        tin_json_put(b, c, "name", json_string(r->classes[k].name));
        tin_json_put(b, c, "n_true", json_integer(per_class[k].n_true));
        tin_json_put(b, c, "n_predicted", json_integer(per_class[k].n_predicted));
        tin_json_put(b, c, "precision", tin_json_real(per_class[k].precision));
        tin_json_put(b, c, "recall", tin_json_real(per_class[k].recall));
        tin_json_put(b, c, "f1", tin_json_real(per_class[k].f1));
        tin_json_append(b, classes, c);
    }
    tin_json_put(b, o, "classes", classes);
    return o;
}

/* Bins of 0.1 s, doubled until there are at most MOST_BINS. latencies ascending. */
static json_t *histogram_json(builder *b, const double *latencies, size_t n)
{
    double width = 0.1;
    int64_t counts[MOST_BINS] = {0};
    double low = n > 0 ? latencies[0] : 0, high = n > 0 ? latencies[n - 1] : 0;
    while (tin_bin_of(high, width) - tin_bin_of(low, width) >= MOST_BINS) {
        width *= 2;
    }
    int64_t first = tin_bin_of(low, width);
    int n_bins = n > 0 ? (int)(tin_bin_of(high, width) - first) + 1 : 0;
    for (size_t i = 0; i < n; i++) {
        counts[tin_bin_of(latencies[i], width) - first]++;
    }
    json_t *o = json_object(), *bins = json_array();
    for (int i = 0; i < n_bins; i++) {
        tin_json_append(b, bins, json_integer(counts[i]));
    }
    tin_json_put(b, o, "first_s", tin_json_real((double)first * width));
    tin_json_put(b, o, "width_s", tin_json_real(width));
    tin_json_put(b, o, "counts", bins);
    return o;
}

static json_t *latency_json(builder *b, const tin_detector_result *r)
{
    json_t *o = json_object();
    tin_json_put(b, o, "mean_s", tin_json_real(tin_mean(r->latencies, r->n_latencies)));
    tin_json_put(b, o, "median_s", tin_json_real(tin_percentile(r->latencies, r->n_latencies, 0.5)));
    tin_json_put(b, o, "p95_s", tin_json_real(tin_percentile(r->latencies, r->n_latencies, 0.95)));
    tin_json_put(b, o, "histogram", histogram_json(b, r->latencies, r->n_latencies));
    return o;
}

static void put_counts(builder *b, json_t *o, const tin_event_counts *c, double rate_hz)
{
    tin_json_put(b, o, "n_events", json_integer(c->n_events));
    tin_json_put(b, o, "true_positives", json_integer(c->true_positives));
    tin_json_put(b, o, "wrong_class", json_integer(c->wrong_class));
    tin_json_put(b, o, "corrected", json_integer(c->corrected));
    tin_json_put(b, o, "missed", json_integer(c->missed));
    tin_json_put(b, o, "n_triggers", json_integer(c->n_triggers));
    tin_json_put(b, o, "false_positives", json_integer(c->false_positives));
    tin_json_put(b, o, "false_triggers", json_integer(c->false_triggers));
    tin_json_put(b, o, "false_triggers_unlabelled", json_integer(c->false_triggers_unlabelled));
    tin_json_put(b, o, "repeats", json_integer(c->repeats));
    tin_json_put(b, o, "duplicates", json_integer(c->duplicates));
    tin_json_put(b, o, "rejection_hours", tin_json_real((double)c->rejection_frames / (3600 * rate_hz)));
    tin_json_put(b, o, "n_segments", json_integer(c->n_segments));
    tin_json_put(b, o, "overlap50", json_integer(c->overlap50));
    tin_json_put(b, o, "overlap75", json_integer(c->overlap75));
}

static void put_figures(builder *b, json_t *o, const tin_event_figures *f)
{
    tin_json_put(b, o, "fnr", tin_json_real(f->fnr));
    tin_json_put(b, o, "fcr", tin_json_real(f->fcr));
    tin_json_put(b, o, "recall", tin_json_real(f->recall));
    tin_json_put(b, o, "precision", tin_json_real(f->precision));
    tin_json_put(b, o, "f1", tin_json_real(f->f1));
    tin_json_put(b, o, "fp_per_hour", tin_json_real(f->fp_per_hour));
    tin_json_put(b, o, "fp_per_frame", tin_json_real(f->fp_per_frame));
    tin_json_put(b, o, "fp_per_hour_labelled", tin_json_real(f->fp_per_hour_labelled));
    tin_json_put(b, o, "iou50_f1", tin_json_real(f->iou50_f1));
    tin_json_put(b, o, "iou50_precision", tin_json_real(f->iou50_precision));
    tin_json_put(b, o, "iou50_recall", tin_json_real(f->iou50_recall));
    tin_json_put(b, o, "iou50_f1_labelled", tin_json_real(f->iou50_f1_labelled));
    tin_json_put(b, o, "iou75_f1", tin_json_real(f->iou75_f1));
    tin_json_put(b, o, "false_active_share", tin_json_real(f->false_active_share));
}

static json_t *events_json(builder *b, const tin_detector_result *r, bool with_confusion)
{
    json_t *o = json_object();
    put_counts(b, o, &r->total.events, r->rate_hz);
    put_figures(b, o, &r->events);
    tin_json_put(b, o, "fnr_plus_fcr_95", bounds_json(b, r->miss_bounds));
    tin_json_put(b, o, "fp_per_hour_95", bounds_json(b, r->fp_per_hour_bounds));
    tin_json_put(b, o, "fp_per_hour_below_95", tin_json_real(r->fp_per_hour_below));
    tin_json_put(b, o, "iou50_f1_95", bounds_json(b, r->iou50_f1_bounds));
    tin_json_put(b, o, "latency", latency_json(b, r));
    if (with_confusion) {
        tin_json_put(b, o, "confusion", tin_json_matrix(b, r->event_confusion, r->n_classes + 1, r->n_classes + 1));
    }
    return o;
}

/* Per class [frames with this label, frames predicted as it, frames that are both]. */
static json_t *class_counts_json(builder *b, const tin_class_figures *per_class, int n_classes)
{
    json_t *list = json_array();
    for (int k = 0; k < n_classes; k++) {
        json_t *counts = json_array();
        tin_json_append(b, counts, json_integer(per_class[k].n_true));
        tin_json_append(b, counts, json_integer(per_class[k].n_predicted));
        tin_json_append(b, counts, json_integer(per_class[k].n_right));
        tin_json_append(b, list, counts);
    }
    return list;
}

static json_t *person_json(builder *b, const tin_detector_result *r, const tin_person_result *p, bool has_events)
{
    const tin_frame_figures *f = &p->frames;
    json_t *o = json_object();
    tin_json_put(b, o, "name", json_string(p->name));
    tin_json_put(b, o, "n_frames", json_integer(f->n_frames));
    tin_json_put(b, o, "accuracy", tin_json_real(f->accuracy));
    tin_json_put(b, o, "balanced_accuracy", tin_json_real(f->balanced_accuracy));
    tin_json_put(b, o, "macro_f1", tin_json_real(f->macro_f1));
    tin_json_put(b, o, "classes", class_counts_json(b, p->per_class, r->n_classes));
    if (p->n_windows > 0) {
        tin_json_put(b, o, "window_accuracy", tin_json_real((double)p->windows_right / (double)p->n_windows));
    }
    if (has_events) {
        tin_event_figures e = tin_event_figures_of(&p->events, r->rate_hz);
        json_t *events = json_object();
        put_counts(b, events, &p->events, r->rate_hz);
        put_figures(b, events, &e);
        double found = (double)p->events.true_positives;
        tin_json_put(b, events, "latency_mean_s", tin_json_real((double)p->latency_frames / found / r->rate_hz));
        tin_json_put(b, o, "events", events);
    }
    return o;
}

static json_t *result_json(builder *b, const tin_detector_result *r, bool has_events, bool in_detail)
{
    json_t *o = json_object();
    tin_json_put(b, o, "frames", frames_json(b, r, in_detail));
    if (has_events) {
        tin_json_put(b, o, "events", events_json(b, r, in_detail));
    }
    if (r->total.n_windows > 0) {
        json_t *windows = json_object();
        tin_json_put(b, windows, "n_windows", json_integer(r->total.n_windows));
        tin_json_put(b, windows, "accuracy", tin_json_real(r->window_accuracy));
        tin_json_put(b, windows, "accuracy_95", bounds_json(b, r->window_bounds));
        tin_json_put(b, o, "windows", windows);
    }
    if (in_detail) {
        json_t *people = json_array();
        for (size_t i = 0; i < r->n_people; i++) {
            tin_json_append(b, people, person_json(b, r, &r->people[i], has_events));
        }
        tin_json_put(b, o, "people", people);
    }
    return o;
}

static json_t *rule_json(builder *b, const tin_decision_rule *rule)
{
    json_t *o = json_object();
    tin_json_put(b, o, "smooth_shift", json_integer(rule->smooth_shift));
    tin_json_put(b, o, "on", json_integer(rule->on));
    tin_json_put(b, o, "off", json_integer(rule->off));
    tin_json_put(b, o, "count", json_integer(rule->count));
    tin_json_put(b, o, "refractory", json_integer(rule->refractory));
    return o;
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
    tin_json_put(b, o, "allow_repeats", json_boolean(s->allow_repeats));
    tin_json_put(b, o, "max_fp_per_hour", tin_json_real(s->max_fp_per_hour));
    tin_json_put(b, o, "objective", json_string(s->objective != NULL ? s->objective : "event_f1"));
    tin_json_put(b, o, "window_frames", json_integer(s->window_frames));
    tin_json_put(b, o, "window_step", json_integer(s->window_step));
    tin_json_put(b, o, "bootstrap", json_integer(s->bootstrap));
    /* as text: JSON readers lose digits of integers above 2^53 */
    char seed[32];
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)e->options->seed);
    tin_json_put(b, o, "seed", json_string(seed));
    return o;
}

static json_t *summary_json(builder *b, const tin_evaluate_summary *s)
{
    json_t *o = json_object();
    tin_json_put(b, o, "frame_accuracy", tin_json_real(s->frame_accuracy));
    tin_json_put(b, o, "balanced_accuracy", tin_json_real(s->balanced_accuracy));
    tin_json_put(b, o, "macro_f1", tin_json_real(s->macro_f1));
    tin_json_put(b, o, "float_frame_accuracy", tin_json_real(s->float_frame_accuracy));
    tin_json_put(b, o, "frame_accuracy_low", tin_json_real(s->frame_accuracy_low));
    tin_json_put(b, o, "frame_accuracy_high", tin_json_real(s->frame_accuracy_high));
    tin_json_put(b, o, "window_accuracy", tin_json_real(s->window_accuracy));
    tin_json_put(b, o, "float_window_accuracy", tin_json_real(s->float_window_accuracy));
    tin_json_put(b, o, "fnr", tin_json_real(s->fnr));
    tin_json_put(b, o, "fcr", tin_json_real(s->fcr));
    tin_json_put(b, o, "fp_per_hour", tin_json_real(s->fp_per_hour));
    tin_json_put(b, o, "latency_mean_s", tin_json_real(s->latency_mean_s));
    tin_json_put(b, o, "latency_median_s", tin_json_real(s->latency_median_s));
    tin_json_put(b, o, "latency_p95_s", tin_json_real(s->latency_p95_s));
    tin_json_put(b, o, "iou50_f1", tin_json_real(s->iou50_f1));
    tin_json_put(b, o, "n_events", json_integer(s->n_events));
    tin_json_put(b, o, "n_test_frames", json_integer(s->n_test_frames));
    tin_json_put(b, o, "rule", rule_json(b, &s->rule));
    return o;
}

tin_evaluate_summary tin_evaluation_summary(const tin_evaluation *e)
{
    const tin_detector_result *r = &e->test;
    double nan = (double)NAN;
    return (tin_evaluate_summary){
        .frame_accuracy = r->total.frames.accuracy,
        .balanced_accuracy = r->total.frames.balanced_accuracy,
        .macro_f1 = r->total.frames.macro_f1,
        .float_frame_accuracy = e->has_float ? e->float_test.total.frames.accuracy : nan,
        .frame_accuracy_low = r->accuracy_bounds.low,
        .frame_accuracy_high = r->accuracy_bounds.high,
        .window_accuracy = r->window_accuracy,
        .float_window_accuracy = e->has_float ? e->float_test.window_accuracy : nan,
        .fnr = e->has_events ? r->events.fnr : nan,
        .fcr = e->has_events ? r->events.fcr : nan,
        .fp_per_hour = e->has_events ? r->events.fp_per_hour : nan,
        .latency_mean_s = tin_mean(r->latencies, r->n_latencies),
        .latency_median_s = tin_percentile(r->latencies, r->n_latencies, 0.5),
        .latency_p95_s = tin_percentile(r->latencies, r->n_latencies, 0.95),
        .iou50_f1 = e->has_events ? r->events.iou50_f1 : nan,
        .n_events = r->total.events.n_events,
        .n_test_frames = r->total.frames.n_frames,
        .rule = e->rule,
    };
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
    tin_json_put(b, o, "integer", result_json(b, integer, e->has_events, true));
    if (e->has_float) {
        tin_json_put(b, o, "float", result_json(b, real, e->has_events, true));
    }
    return o;
}

static json_t *trivial_json(builder *b, const tin_evaluation *e)
{
    json_t *list = json_array();
    for (size_t i = 0; i < e->n_trivial; i++) {
        json_t *o = result_json(b, &e->trivial[i].result, e->has_events, false);
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
    tin_json_put(&b, root, "summary", summary_json(&b, &summary));
    tin_json_put(&b, root, "validation", pair_json(&b, e, &e->validation, &e->float_validation));
    tin_json_put(&b, root, "test", pair_json(&b, e, &e->test, &e->float_test));
    tin_json_put(&b, root, "trivial", trivial_json(&b, e));
    tin_status status = b.failed ? tin_fail(err, TIN_ERR_MEMORY, "out of memory while metrics.json was made")
                                 : tin_json_save(root, folder, "metrics.json", 1, err);
    json_decref(root);
    return status;
}
