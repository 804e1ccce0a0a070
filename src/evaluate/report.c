/* report.html: the page (report/, bundled at build time) with its data as JSON inside. Missing inputs leave their keys
 * out; the page then says so instead of showing the section. */
#include <inttypes.h>
#include <string.h>

#include "base/file.h"
#include "base/json_tools.h"
#include "base/memory.h"
#include "base/text.h"
#include "evaluate/evaluate.h"
#include "evaluate/number_table.h"
#include "evaluate/report_mistakes.h"
#include "evaluate/report_parts.h"
#include "evaluate/report_scores.h"
#include "evaluate/report_words.h"
#include "page/page.h"

#define MOST_ROWS 2500     /* of a curve */
#define MOST_VALUES 600000 /* numbers of all signals together */
#define MOST_SIGNALS 12    /* channels of a timeline */
#define MOST_TIMELINES 200
#define MOST_COLUMNS 4000 /* of a signal */
#define LEAST_COLUMNS 200

extern const char tin_report_style[], tin_report_script[];

/* The table as {"columns": [...], "rows": [[...]]}; every n-th row so that MOST_ROWS are left, and the last one. */
static void add_table(tin_text *out, const tin_number_table *table)
{
    const size_t every = table->n_rows / MOST_ROWS + 1;
    tin_text_add(out, "{\"columns\":[");
    for (size_t c = 0; c < table->n_columns; c++) {
        tin_text_add(out, c > 0 ? "," : "");
        tin_page_add_string(out, table->names[c]);
    }
    tin_text_add(out, "],\"rows\":[");
    for (size_t i = 0; i < table->n_rows; i++) {
        const double *row = table->values + i * table->n_columns;
        const bool wanted = i % every == 0 || i + 1 == table->n_rows;
        for (size_t c = 0; wanted && c < table->n_columns; c++) {
            tin_text_add(out, c > 0 ? "," : i > 0 ? ",[" : "[");
            tin_page_add_number(out, row[c]);
        }
        tin_text_add(out, wanted ? "]" : "");
    }
    tin_text_add(out, "]}");
}

/* Adds ,"key":table when FOLDER/NAME is there. */
static tin_status add_table_file(tin_text *out, const char *folder, const char *name, const char *key, tin_error *err)
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
    add_table(out, &table);
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

tin_status tin_report_timelines(json_t **timelines, const tin_dataset *dataset, const char *folder, tin_error *err)
{
    tin_status status = tin_json_load(timelines, folder, "timelines.json", err);
    if (status != TIN_OK) {
        return status;
    }
    const char *hash = json_string_value(json_object_get(*timelines, "data_hash"));
    if (hash != NULL && strcmp(hash, dataset->hash) == 0) {
        return TIN_OK;
    }
    json_decref(*timelines);
    *timelines = NULL;
    return tin_fail_at(err, TIN_ERR_FORMAT, folder, 0,
                       "timelines.json was made from another dataset; run the stage evaluate again");
}

static tin_status add_timelines_file(tin_text *out, const tin_dataset *dataset, const char *folder, tin_error *err)
{
    char path[TIN_PATH_MAX];
    json_t *root = NULL;
    tin_status status = tin_path_join(path, folder, "timelines.json", err);
    if (status != TIN_OK || !tin_file_exists(path)) {
        return status;
    }
    status = tin_report_timelines(&root, dataset, folder, err);
    status = status ? status : add_timelines(out, dataset, root, folder, err);
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

/* ,"words":[sentences],"files":[[stage, name, hash]] */
static void add_words_and_files(tin_text *out, const json_t *metrics, const tin_report_options *options)
{
    tin_text words = {0};
    tin_report_words(&words, metrics);
    out->status = words.status != TIN_OK ? words.status : out->status;
    tin_text_add(out, ",\"words\":");
    tin_page_add_string(out, words.data != NULL ? words.data : "");
    tin_text_free(&words);
    tin_text_add(out, ",\"files\":[");
    const char *comma = "";
    for (size_t i = 0; i < options->n_files; i++) {
        const tin_run_file *file = &options->files[i];
        if (file->stage != TIN_STAGE_REPORT) { /* its file is this page */
            tin_text_printf(out, "%s[\"%s\",", comma, tin_stage_name(file->stage));
            tin_page_add_string(out, file->name);
            tin_text_printf(out, ",\"%s\"]", file->sha256);
            comma = ",";
        }
    }
    tin_text_add(out, "]");
}

/* All data of the page as one JSON object. */
static tin_status gather(tin_text *out, const tin_dataset *dataset, const tin_report_options *options, tin_error *err)
{
    json_t *metrics = NULL;
    const char *folder = options->folder;
    tin_status status = tin_json_load(&metrics, folder, "metrics.json", err);
    if (status != TIN_OK) {
        return status;
    }
    tin_text_add(out, "{\"title\":");
    tin_page_add_string(out, options->title);
    tin_text_add(out, ",\"metrics\":");
    tin_page_add_json(out, metrics);
    add_words_and_files(out, metrics, options);
    status = add_table_file(out, folder, "train_curve.csv", "train_curve", err);
    status = status ? status : add_table_file(out, folder, "finetune_curve.csv", "finetune_curve", err);
    status = status ? status : add_json_file(out, folder, "footprint.json", "footprint", err);
    status = status ? status : add_json_file(out, folder, "tuning.json", "tuning", err);
    status = status ? status : add_config(out, folder, err);
    add_channels(out, dataset);
    tin_text_printf(out, ",\"unlabelled\":%" PRId32, dataset->unlabelled);
    status = status ? status : add_timelines_file(out, dataset, folder, err);
    status = status ? status : tin_report_mistakes(out, dataset, folder, err);
    status = status ? status : tin_report_scores(out, dataset, options, metrics, MOST_TIMELINES, err);
    tin_text_add(out, "}");
    json_decref(metrics);
    return status == TIN_OK ? tin_text_check(out, err) : status;
}

tin_status tin_evaluate_report(const tin_dataset *dataset, const tin_report_options *options, tin_error *err)
{
    char path[TIN_PATH_MAX];
    tin_text json = {0};
    tin_status status = gather(&json, dataset, options, err);
    status = status ? status : tin_path_join(path, options->folder, "report.html", err);
    status = status ? status : tin_page_write(path, tin_report_style, tin_report_script, json.data, err);
    tin_text_free(&json);
    return status;
}

tin_status tin_report_write_json(const tin_dataset *dataset, const tin_report_options *options, const char *path,
                                 tin_error *err)
{
    tin_text json = {0};
    tin_status status = gather(&json, dataset, options, err);
    tin_text_add(&json, "\n");
    status = status ? status : tin_text_check(&json, err);
    status = status ? status : tin_file_write(path, json.data, json.size, err);
    tin_text_free(&json);
    return status;
}
