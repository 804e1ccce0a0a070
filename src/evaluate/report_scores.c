#include "evaluate/report_scores.h"

#include <inttypes.h>
#include <string.h>

#include "base/file.h"
#include "evaluate/calibration.h"
#include "evaluate/positions.h"
#include "evaluate/result_json.h"
#include "evaluate/score_file.h"
#include "page/page.h"

#define SCORES "scores.safetensors"
#define MOST_RUNS 300000 /* of all timelines together, about 25 bytes each */

/* What the page shows of a position, as in metrics.json. */
static const char *const position_keys[] = {
    "n_events",
    "true_positives",
    "wrong_class",
    "missed",
    "false_positives",
    "false_triggers",
    "repeats",
    "duplicates",
    "rejection_hours",
    "fnr",
    "fnr_exact_95",
    "fcr",
    "fcr_exact_95",
    "recall",
    "recall_exact_95",
    "precision",
    "f1",
    "fp_per_hour",
    "fp_per_hour_exact_95",
    "fp_per_hour_below_95",
    "deadline_recall",
    "deadline_recall_exact_95",
    "iou50_f1",
    "iou75_f1",
    "false_active_share",
    "latency",
};

static void add_position(tin_text *out, const tin_detector_result *result)
{
    tin_json_builder b = {false};
    json_t *all = tin_events_json(&b, result, false), *o = json_object();
    for (size_t i = 0; i < sizeof position_keys / sizeof *position_keys; i++) {
        tin_json_put(&b, o, position_keys[i], json_incref(json_object_get(all, position_keys[i])));
    }
    int side = result->n_classes + 1;
    tin_json_put(&b, o, "confusion", tin_json_matrix(&b, result->event_confusion, side, side));
    if (b.failed) {
        out->status = TIN_ERR_MEMORY;
    } else {
        tin_page_add_json(out, o);
    }
    json_decref(all);
    json_decref(o);
}

static void add_runs(tin_text *out, const char *key, const tin_position_runs *runs)
{
    tin_text_printf(out, "\"%s\":[", key);
    for (size_t i = 0; i < runs->n; i++) {
        const tin_position_run *r = &runs->items[i];
        tin_text_printf(out, "%s[%" PRId64 ",%" PRId64 ",%" PRId32 ",%d,%d]", i > 0 ? "," : "", r->a, r->b, r->c,
                        r->from, r->to);
    }
    tin_text_add(out, "]");
}

static void add_positions(tin_text *out, const tin_positions *positions)
{
    const tin_detector_result *sets[] = {positions->validation, positions->test};
    tin_text_printf(out, ",\"thresholds\":{\"chosen\":%zu,\"offsets\":[", positions->chosen);
    for (size_t p = 0; p < positions->n; p++) {
        tin_text_printf(out, p > 0 ? ",%" PRId32 : "%" PRId32, positions->offsets[p]);
    }
    tin_text_add(out, "],\"kinds\":[");
    for (int k = 0; k < TIN_TRIGGER_KIND_COUNT; k++) {
        tin_text_printf(out, "%s\"%s\"", k > 0 ? "," : "", tin_trigger_kind_name((tin_trigger_kind)k));
    }
    for (size_t s = 0; s < 2; s++) {
        tin_text_add(out, s == 0 ? "],\"validation\":[" : "],\"test\":[");
        for (size_t p = 0; p < positions->n; p++) {
            tin_text_add(out, p > 0 ? "," : "");
            add_position(out, &sets[s][p]);
        }
    }
    tin_text_add(out, "],\"streams\":[");
    for (size_t i = 0; i < positions->n_streams; i++) {
        const tin_stream_runs *s = &positions->streams[i];
        tin_text_add(out, i > 0 ? ",{" : "{");
        add_runs(out, "triggers", &s->triggers);
        tin_text_add(out, ",");
        add_runs(out, "segments", &s->segments);
        tin_text_add(out, ",");
        add_runs(out, "events", &s->events);
        tin_text_add(out, "}");
    }
    tin_text_add(out, "]}");
}

static void add_calibration(tin_text *out, const tin_scored_set *test)
{
    tin_calibration c;
    tin_calibration_measure(&c, test);
    tin_text_printf(out, ",\"calibration\":{\"n_frames\":%" PRId64 ",\"ece\":", c.n);
    tin_page_add_number(out, c.ece);
    tin_text_add(out, ",\"overconfident\":");
    tin_page_add_number(out, c.overconfident);
    tin_text_add(out, ",\"bins\":[");
    for (int b = 0; b < TIN_CALIBRATION_BINS; b++) {
        const double n = (double)c.bins[b].n;
        tin_text_printf(out, "%s[%" PRId64 ",", b > 0 ? "," : "", c.bins[b].n);
        tin_page_add_number(out, c.bins[b].confidence / n);
        tin_text_add(out, ",");
        tin_page_add_number(out, (double)c.bins[b].n_right / n);
        tin_text_add(out, "]");
    }
    tin_text_add(out, "]}");
}

static int read_int(const json_t *metrics, const char *key)
{
    return (int)json_integer_value(json_object_get(metrics, key));
}

static tin_status read_timing(tin_timing *timing, const json_t *metrics, const char *folder, tin_error *err)
{
    *timing = (tin_timing){read_int(metrics, "hop"), read_int(metrics, "delay"), read_int(metrics, "latency")};
    return timing->hop >= 1 && timing->delay >= 0 && timing->latency >= 0
               ? TIN_OK
               : tin_fail_at(err, TIN_ERR_FORMAT, folder, 0,
                             "metrics.json: hop %d, delay %d, latency %d cannot be; run the stage evaluate again",
                             timing->hop, timing->delay, timing->latency);
}

tin_status tin_report_positions(tin_positions *positions, const tin_dataset *dataset, const tin_report_options *options,
                                const json_t *metrics, size_t most_streams, tin_error *err)
{
    tin_evaluate_summary summary;
    tin_timing timing;
    tin_scored_set validation = {0}, test = {0};
    tin_positions_input input = {.dataset = dataset,
                                 .validation = &validation,
                                 .test = &test,
                                 .pool = options->pool,
                                 .most_streams = most_streams,
                                 .most_runs = MOST_RUNS,
                                 .quiet = options->quiet};
    *positions = (tin_positions){0};
    tin_status status = read_timing(&timing, metrics, options->folder, err);
    status = status ? status : tin_evaluate_load(options->folder, &summary, err);
    status = status ? status : tin_margins_create(&input.margins, &options->settings, dataset, err);
    status = status ? status
                    : tin_scores_load(&validation, options->folder, SCORES, dataset, TIN_ROLE_VALIDATION, timing, err);
    status = status ? status : tin_scores_load(&test, options->folder, SCORES, dataset, TIN_ROLE_TEST, timing, err);
    if (status == TIN_OK) {
        input.rule = summary.rule;
        status = tin_positions_make(positions, &input, err);
    }
    tin_scored_set_free(&validation);
    tin_scored_set_free(&test);
    return status;
}

tin_status tin_report_scores(tin_text *out, const tin_dataset *dataset, const tin_report_options *options,
                             const json_t *metrics, size_t most_streams, tin_error *err)
{
    char path[TIN_PATH_MAX];
    tin_timing timing;
    tin_scored_set test = {0};
    tin_positions positions = {0};
    tin_status status = tin_path_join(path, options->folder, SCORES, err);
    if (status != TIN_OK || !tin_file_exists(path)) {
        return status;
    }
    status = read_timing(&timing, metrics, options->folder, err);
    status = status ? status : tin_scores_load(&test, options->folder, SCORES, dataset, TIN_ROLE_TEST, timing, err);
    if (status == TIN_OK) {
        add_calibration(out, &test);
    }
    tin_scored_set_free(&test);
    if (status == TIN_OK && json_is_true(json_object_get(metrics, "has_events"))) {
        status = tin_report_positions(&positions, dataset, options, metrics, most_streams, err);
        if (status == TIN_OK) {
            add_positions(out, &positions);
        }
        tin_positions_free(&positions);
    }
    return status;
}
