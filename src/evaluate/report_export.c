/* What the report holds, for other programs: its central figure as a picture, every event as a row, all data as JSON. */
#include <inttypes.h>
#include <string.h>

#include "base/file.h"
#include "base/json_tools.h"
#include "dataset/relabel_row.h"
#include "evaluate/evaluate.h"
#include "evaluate/figure.h"
#include "evaluate/report_parts.h"
#include "evaluate/report_scores.h"

static int64_t item(const json_t *list, size_t i)
{
    return (int64_t)json_integer_value(json_array_get(list, i));
}

static void put_class(FILE *out, const tin_dataset *dataset, int64_t k)
{
    fputc(',', out);
    if (k >= 0 && k < dataset->n_classes) {
        tin_relabel_write_field(out, dataset->classes[k].name);
    }
}

static void put_start(FILE *out, const json_t *timeline, const char *role)
{
    const char *id = json_string_value(json_object_get(timeline, "id"));
    const char *subject = json_string_value(json_object_get(timeline, "subject"));
    tin_relabel_write_field(out, id != NULL ? id : "");
    fputc(',', out);
    tin_relabel_write_field(out, subject != NULL ? subject : "");
    fprintf(out, ",%s,", role);
}

/* Events with what became of them, then reports that are no event's. */
static void put_timeline(FILE *out, const tin_dataset *dataset, const json_t *timeline, const char *role)
{
    const int decimals = tin_relabel_decimals(dataset);
    const json_t *one;
    size_t i;
    json_array_foreach(json_object_get(timeline, "events"), i, one)
    {
        const int64_t start = item(one, 0), end = item(one, 1), k = item(one, 2), said = item(one, 3),
                      at = item(one, 4);
        put_start(out, timeline, role);
        fprintf(out, "%s,%.*f,%.*f",
                said < 0    ? "missed"
                : said == k ? "found"
                            : "wrong",
                decimals, (double)start / dataset->rate_hz, decimals, (double)end / dataset->rate_hz);
        put_class(out, dataset, k);
        put_class(out, dataset, said);
        if (said >= 0) {
            fprintf(out, ",%.*f,%.*f\n", decimals, (double)at / dataset->rate_hz, decimals,
                    (double)(at - start) / dataset->rate_hz);
        } else {
            fputs(",,\n", out);
        }
    }
    json_array_foreach(json_object_get(timeline, "triggers"), i, one)
    {
        const char *kind = json_string_value(json_array_get(one, 2));
        if (kind != NULL && strcmp(kind, "true") != 0 && strcmp(kind, "wrong") != 0) {
            put_start(out, timeline, role);
            fprintf(out, "%s,,,", kind);
            put_class(out, dataset, item(one, 1));
            fprintf(out, ",%.*f,\n", decimals, (double)item(one, 0) / dataset->rate_hz);
        }
    }
}

static tin_status write_csv(const tin_dataset *dataset, const json_t *timelines, const char *path, tin_error *err)
{
    tin_writer writer = {0};
    tin_status status = tin_writer_open(&writer, path, err);
    if (status != TIN_OK) {
        return status;
    }
    fputs("recording,person,role,what,start_s,end_s,class,reported_class,reported_s,latency_s\n", writer.stream);
    for (size_t s = 0; s < 2; s++) {
        const json_t *streams = json_object_get(timelines, s == 0 ? "validation" : "streams"), *one;
        size_t i;
        json_array_foreach(streams, i, one)
        {
            put_timeline(writer.stream, dataset, one, s == 0 ? "validation" : "test");
        }
    }
    status = tin_writer_commit(&writer, err);
    tin_writer_abort(&writer);
    return status;
}

static tin_status draw(const tin_dataset *dataset, const tin_report_options *options, const tin_export_paths *paths,
                       const json_t *metrics, const json_t *timelines, tin_error *err)
{
    tin_evaluate_summary summary;
    tin_positions positions = {0};
    tin_status status = tin_evaluate_load(options->folder, &summary, err);
    status = status ? status : tin_report_positions(&positions, dataset, options, metrics, 0, err);
    if (status == TIN_OK) {
        const tin_figure_input input = {dataset, &positions, summary.rule, timelines, options->title};
        status = paths->png != NULL ? tin_figure_png(&input, paths->png, err) : TIN_OK;
        status = status || paths->svg == NULL ? status : tin_figure_svg(&input, paths->svg, err);
    }
    tin_positions_free(&positions);
    return status;
}

static tin_status need_events(const json_t *metrics, tin_error *err)
{
    return json_is_true(json_object_get(metrics, "has_events"))
               ? TIN_OK
               : tin_fail(err, TIN_ERR_USAGE,
                          "no class of this model is an event, so there is no threshold to draw and no event to list; "
                          "leave out "
                          "--png, --svg and --csv");
}

tin_status tin_evaluate_export(const tin_dataset *dataset, const tin_report_options *options,
                               const tin_export_paths *paths, tin_error *err)
{
    json_t *metrics = NULL, *timelines = NULL;
    const bool pictures = paths->png != NULL || paths->svg != NULL;
    tin_status status = paths->json != NULL ? tin_report_write_json(dataset, options, paths->json, err) : TIN_OK;
    if (status == TIN_OK && (pictures || paths->csv != NULL)) {
        status = tin_json_load(&metrics, options->folder, "metrics.json", err);
        status = status ? status : need_events(metrics, err);
        status = status ? status : tin_report_timelines(&timelines, dataset, options->folder, err);
    }
    if (status == TIN_OK && paths->csv != NULL) {
        status = write_csv(dataset, timelines, paths->csv, err);
    }
    if (status == TIN_OK && pictures) {
        status = draw(dataset, options, paths, metrics, timelines, err);
    }
    json_decref(metrics);
    json_decref(timelines);
    return status;
}
