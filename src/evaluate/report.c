/* report.html: the page (report/, bundled at build time) with its data as JSON inside. Missing inputs leave their keys
 * out; the page then says so instead of showing the section. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/json_tools.h"
#include "base/memory.h"
#include "base/text.h"
#include "evaluate/evaluate.h"
#include "evaluate/number_table.h"
#include "evaluate/report_mistakes.h"
#include "page/page.h"

#define MOST_ROWS 2500     /* of the threshold figure and of a curve */
#define MOST_VALUES 600000 /* numbers of all signals together */
#define MOST_SIGNALS 12    /* channels of a timeline */
#define MOST_TIMELINES 200
#define MOST_COLUMNS 4000 /* of a signal */
#define LEAST_COLUMNS 200

extern const char tin_report_style[], tin_report_script[];

/* Whether row i says something else than the row before, its first two columns (the threshold) left aside. NaN equals
 * NaN. */
static bool differs(const tin_number_table *table, size_t i)
{
    const double *row = table->values + i * table->n_columns, *before = row - table->n_columns;
    for (size_t c = 2; c < table->n_columns; c++) {
        if (row[c] != before[c] && !(isnan(row[c]) && isnan(before[c]))) {
            return true;
        }
    }
    return false;
}

/* The table as {"columns": [...], "rows": [[...]]}. steps: only the ends of runs of equal rows, then every n-th so that
 * MOST_ROWS are left; the row whose first column is `keep` always stays. */
static void add_table(tin_text *out, const tin_number_table *table, bool steps, double keep)
{
    size_t n_left = 0, taken = 0, every;
    for (size_t i = 0; i < table->n_rows; i++) {
        n_left += !steps || i == 0 || i + 1 == table->n_rows || differs(table, i) || differs(table, i + 1);
    }
    every = n_left / MOST_ROWS + 1;
    tin_text_add(out, "{\"columns\":[");
    for (size_t c = 0; c < table->n_columns; c++) {
        tin_text_add(out, c > 0 ? "," : "");
        tin_page_add_string(out, table->names[c]);
    }
    tin_text_add(out, "],\"rows\":[");
    const char *comma = "";
    for (size_t i = 0; i < table->n_rows; i++) {
        const double *row = table->values + i * table->n_columns;
        bool last = i + 1 == table->n_rows;
        bool left = !steps || i == 0 || last || differs(table, i) || differs(table, i + 1);
        bool wanted = last || (left && taken % every == 0) || (steps && row[0] == keep);
        taken += left;
        for (size_t c = 0; wanted && c < table->n_columns; c++) {
            tin_text_add(out, c == 0 ? comma : ",");
            tin_text_add(out, c == 0 ? "[" : "");
            tin_page_add_number(out, row[c]);
        }
        if (wanted) {
            tin_text_add(out, "]");
            comma = ",";
        }
    }
    tin_text_add(out, "]}");
}

/* Adds ,"key":table when FOLDER/NAME is there. */
static tin_status add_table_file(tin_text *out, const char *folder, const char *name, const char *key, double keep,
                                 tin_error *err)
{
    char path[TIN_PATH_MAX];
    tin_number_table table;
    tin_status status = tin_path_join(path, folder, name, err);
    if (status != TIN_OK || !tin_file_exists(path)) {
        return status;
    }
    status = tin_number_table_read(&table, path, err);
    if (status != TIN_OK) {
        return status;
    }
    tin_text_printf(out, ",\"%s\":", key);
    add_table(out, &table, isfinite(keep), keep);
    tin_number_table_free(&table);
    return TIN_OK;
}

/* Adds ,"key":content when FOLDER/NAME is there: JSON as it is. */
static tin_status add_json_file(tin_text *out, const char *folder, const char *name, const char *key, tin_error *err)
{
    char path[TIN_PATH_MAX];
    json_t *json = NULL;
    tin_status status = tin_path_join(path, folder, name, err);
    if (status != TIN_OK || !tin_file_exists(path)) {
        return status;
    }
    status = tin_json_load(&json, folder, name, err);
    if (status == TIN_OK) {
        tin_text_printf(out, ",\"%s\":", key);
        tin_page_add_json(out, json);
        json_decref(json);
    }
    return status;
}

/* Adds ,"config":text when FOLDER/config.txt is there. */
static tin_status add_config(tin_text *out, const char *folder, tin_error *err)
{
    char path[TIN_PATH_MAX], *text = NULL;
    size_t size = 0;
    tin_status status = tin_path_join(path, folder, "config.txt", err);
    if (status != TIN_OK || !tin_file_exists(path)) {
        return status;
    }
    status = tin_file_read(path, &text, &size, err);
    if (status == TIN_OK) {
        tin_text_add(out, ",\"config\":");
        tin_page_add_string(out, text);
        tin_free(text);
    }
    return status;
}

static void add_extreme(tin_text *out, const tin_dataset *dataset, const tin_stream *stream, int channel,
                        int64_t n_columns, int sign)
{
    for (int64_t c = 0; c < n_columns; c++) {
        int64_t from = c * stream->n_frames / n_columns, to = (c + 1) * stream->n_frames / n_columns;
        int extreme = stream->counts[from * dataset->n_channels + channel];
        for (int64_t t = from + 1; t < to; t++) {
            int value = stream->counts[t * dataset->n_channels + channel];
            extreme = sign * value > sign * extreme ? value : extreme;
        }
        tin_text_printf(out, c > 0 ? ",%d" : "%d", extreme);
    }
}

/* [[least counts], [greatest counts]] per channel; each number covers n_frames / n_columns frames. */
static void add_signals(tin_text *out, const tin_dataset *dataset, const tin_stream *stream, int64_t n_columns)
{
    tin_text_add(out, ",\"signals\":[");
    for (int c = 0; c < dataset->n_channels && c < MOST_SIGNALS; c++) {
        tin_text_add(out, c > 0 ? ",[[" : "[[");
        add_extreme(out, dataset, stream, c, n_columns, -1);
        tin_text_add(out, "],[");
        add_extreme(out, dataset, stream, c, n_columns, 1);
        tin_text_add(out, "]]");
    }
    tin_text_add(out, "]");
}

static const tin_stream *find_stream(const tin_dataset *dataset, const char *id)
{
    for (size_t i = 0; id != NULL && i < dataset->n_streams; i++) {
        if (strcmp(dataset->streams[i].id, id) == 0) {
            return &dataset->streams[i];
        }
    }
    return NULL;
}

static tin_status add_timelines(tin_text *out, const tin_dataset *dataset, const json_t *root, const char *folder,
                                tin_error *err)
{
    const json_t *streams = json_object_get(root, "streams");
    size_t n_all = json_array_size(streams), n = n_all < MOST_TIMELINES ? n_all : MOST_TIMELINES;
    int64_t n_signals = dataset->n_channels < MOST_SIGNALS ? dataset->n_channels : MOST_SIGNALS;
    int64_t budget = n > 0 ? MOST_VALUES / (2 * n_signals * (int64_t)n) : 0;
    budget = budget < LEAST_COLUMNS ? LEAST_COLUMNS : budget > MOST_COLUMNS ? MOST_COLUMNS : budget;
    tin_text_printf(out, ",\"n_timelines\":%zu,\"timelines\":[", n_all);
    for (size_t i = 0; i < n; i++) {
        const json_t *timeline = json_array_get(streams, i);
        const tin_stream *stream = find_stream(dataset, json_string_value(json_object_get(timeline, "id")));
        if (stream == NULL || stream->n_frames < 1) {
            return tin_fail_at(err, TIN_ERR_FORMAT, folder, 0,
                               "timelines.json: stream %zu is not in the dataset; run the stage evaluate again", i + 1);
        }
        tin_text_add(out, i > 0 ? ",{\"is\":" : "{\"is\":");
        tin_page_add_json(out, timeline);
        add_signals(out, dataset, stream, budget < stream->n_frames ? budget : stream->n_frames);
        tin_text_add(out, "}");
    }
    tin_text_add(out, "]");
    return TIN_OK;
}

static tin_status add_timelines_file(tin_text *out, const tin_dataset *dataset, const char *folder, tin_error *err)
{
    char path[TIN_PATH_MAX];
    json_t *root = NULL;
    tin_status status = tin_path_join(path, folder, "timelines.json", err);
    if (status != TIN_OK || !tin_file_exists(path)) {
        return status;
    }
    status = tin_json_load(&root, folder, "timelines.json", err);
    if (status != TIN_OK) {
        return status;
    }
    const char *hash = json_string_value(json_object_get(root, "data_hash"));
    if (hash == NULL || strcmp(hash, dataset->hash) != 0) {
        status =
            tin_fail_at(err, TIN_ERR_FORMAT, path, 0, "was made from another dataset; run the stage evaluate again");
    } else {
        status = add_timelines(out, dataset, root, folder, err);
    }
    json_decref(root);
    return status;
}

static void add_channels(tin_text *out, const tin_dataset *dataset)
{
    tin_text_add(out, ",\"channels\":[");
    for (int c = 0; c < dataset->n_channels && c < MOST_SIGNALS; c++) {
        tin_text_add(out, c > 0 ? ",{\"name\":" : "{\"name\":");
        tin_page_add_string(out, dataset->channels[c].name);
        tin_text_add(out, ",\"unit\":");
        tin_page_add_string(out, dataset->channels[c].unit);
        tin_text_printf(out, ",\"scale\":%.9g}", dataset->channels[c].scale);
    }
    tin_text_add(out, "]");
}

/* All data of the page as one JSON object. */
static tin_status gather(tin_text *out, const tin_dataset *dataset, const char *folder, const char *title,
                         tin_error *err)
{
    json_t *metrics = NULL;
    tin_status status = tin_json_load(&metrics, folder, "metrics.json", err);
    if (status != TIN_OK) {
        return status;
    }
    tin_text_add(out, "{\"title\":");
    tin_page_add_string(out, title);
    tin_text_add(out, ",\"metrics\":");
    tin_page_add_json(out, metrics);
    const json_t *rule = json_object_get(json_object_get(metrics, "summary"), "rule");
    double on = (double)json_integer_value(json_object_get(rule, "on"));
    json_decref(metrics);
    status = add_table_file(out, folder, "sweep.csv", "sweep", on, err);
    if (status == TIN_OK) {
        status = add_table_file(out, folder, "train_curve.csv", "train_curve", (double)NAN, err);
    }
    if (status == TIN_OK) {
        status = add_table_file(out, folder, "finetune_curve.csv", "finetune_curve", (double)NAN, err);
    }
    if (status == TIN_OK) {
        status = add_json_file(out, folder, "footprint.json", "footprint", err);
    }
    if (status == TIN_OK) {
        status = add_config(out, folder, err);
    }
    add_channels(out, dataset);
    tin_text_printf(out, ",\"unlabelled\":%" PRId32, dataset->unlabelled);
    if (status == TIN_OK) {
        status = add_timelines_file(out, dataset, folder, err);
    }
    status = status ? status : tin_report_mistakes(out, dataset, folder, err);
    tin_text_add(out, "}");
    return status == TIN_OK ? tin_text_check(out, err) : status;
}

tin_status tin_evaluate_report(const tin_dataset *dataset, const char *folder, const char *title, tin_error *err)
{
    char path[TIN_PATH_MAX];
    tin_text json = {0};
    tin_status status = gather(&json, dataset, folder, title, err);
    if (status == TIN_OK) {
        status = tin_path_join(path, folder, "report.html", err);
    }
    if (status == TIN_OK) {
        status = tin_page_write(path, tin_report_style, tin_report_script, json.data, err);
    }
    tin_text_free(&json);
    return status;
}
