/* The versions of a project's dataset: which there are, and why each was made. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/cli.h"
#include "cli/run_names.h"

#define MOST_REASONS 6 /* settings that are named */

static tin_status path_of(const cli_session *session, const tin_dataset_row *row, char path[TIN_PATH_MAX],
                          tin_error *err)
{
    char folder[TIN_PATH_MAX], name[48];
    snprintf(name, sizeof name, "%s.tind", row->name);
    tin_status status = tin_path_join(folder, session->project, "data", err);
    return status ? status : tin_path_join(path, folder, name, err);
}

tin_status cli_data_settings_diff(const tin_dataset *before, const tin_dataset *after, json_t **list, tin_error *err)
{
    const tin_run_row a = {.config = before->settings}, b = {.config = after->settings};
    if (!before->settings[0] || !after->settings[0]) {
        *list = json_array();
        return *list ? TIN_OK : tin_fail(err, TIN_ERR_MEMORY, "out of memory for the settings");
    }
    return cli_settings_diff(&a, &b, true, list, err);
}

/* "data.rate_hz: 50 -> 100; ...", or what else it must have been. */
static tin_status explain(const tin_dataset *before, const tin_dataset *after, tin_text *text, tin_error *err)
{
    json_t *list = NULL, *item;
    size_t i;
    tin_status status = cli_data_settings_diff(before, after, &list, err);
    json_array_foreach(list, i, item)
    {
        const char *a = json_string_value(json_object_get(item, "a")),
                   *b = json_string_value(json_object_get(item, "b"));
        if (i < MOST_REASONS) {
            tin_text_printf(text, "%sdata.%s: %s -> %s", i > 0 ? "; " : "",
                            json_string_value(json_object_get(item, "key")), a ? a : "none", b ? b : "none");
        }
    }
    if (json_array_size(list) > MOST_REASONS) {
        tin_text_printf(text, "; and %zu more", json_array_size(list) - MOST_REASONS);
    }
    if (status == TIN_OK && json_array_size(list) == 0) {
        tin_text_add(text, strcmp(before->program, after->program) != 0
                               ? "another version of the program"
                               : "recordings, seed or the file of the split changed");
    }
    json_decref(list);
    return status;
}

tin_status cli_record_version(cli_session *session, const char *path, tin_error *err)
{
    char name[32], before_path[TIN_PATH_MAX];
    tin_dataset_row *rows = NULL;
    tin_dataset *before = NULL;
    tin_text reason = {0};
    size_t n = 0;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(strrchr(path, '/') + 1, "."), strrchr(path, '/') + 1);
    tin_status status = tin_runs_datasets(session->runs, &rows, &n, err);
    if (status == TIN_OK && n == 0) {
        tin_text_add(&reason, "the first");
    } else if (status == TIN_OK) {
        status = path_of(session, &rows[0], before_path, err);
        if (status == TIN_OK && tin_dataset_open(&before, before_path, NULL) == TIN_OK) {
            status = explain(before, session->dataset, &reason, err);
        } else {
            tin_text_add(&reason, "the one before it is gone");
        }
    }
    status = status ? status : tin_text_check(&reason, err);
    status = status ? status : tin_runs_add_dataset(session->runs, name, session->dataset->hash, reason.data, err);
    tin_dataset_close(before);
    tin_text_free(&reason);
    tin_runs_datasets_free(rows, n);
    return status;
}

/* The newest two that are still there; TIN_ERR_USAGE when there are less. */
tin_status cli_newest_datasets(const cli_session *session, char paths[2][TIN_PATH_MAX], tin_error *err)
{
    tin_dataset_row *rows = NULL;
    size_t n = 0;
    int found = 0;
    tin_status status = tin_runs_datasets(session->runs, &rows, &n, err);
    for (size_t i = 0; i < n && found < 2 && !status; i++) {
        status = path_of(session, &rows[i], paths[1 - found], err);
        found += status == TIN_OK && tin_file_exists(paths[1 - found]);
    }
    tin_runs_datasets_free(rows, n);
    if (status == TIN_OK && found < 2) {
        status = tin_fail(err, TIN_ERR_USAGE,
                          "the project has %d version%s of its dataset; name two dataset files to compare them", found,
                          found == 1 ? "" : "s");
    }
    return status;
}

static tin_status list_versions(const cli_session *session, json_t *list, tin_error *err)
{
    tin_dataset_row *rows = NULL;
    size_t n = 0;
    tin_status status = tin_runs_datasets(session->runs, &rows, &n, err);
    for (size_t i = 0; i < n && !status; i++) {
        if (json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s}", "name", rows[i].name, "hash", rows[i].hash,
                                                  "made", rows[i].made, "reason", rows[i].reason)) != 0) {
            status = tin_fail(err, TIN_ERR_MEMORY, "out of memory for the list of versions");
        }
    }
    tin_runs_datasets_free(rows, n);
    return status;
}

static json_t *stream_object(const tin_stream *s)
{
    json_t *files = json_array();
    for (size_t i = 0; i < s->lineage.n_files; i++) {
        const tin_lineage_file *f = &s->lineage.files[i];
        (void)json_array_append_new(
            files, json_pack("{s:s, s:I, s:s}", "path", f->path, "bytes", (json_int_t)f->bytes, "sha256", f->sha256));
    }
    return json_pack("{s:s, s:s, s:o, s:f, s:f, s:I, s:I, s:I}", "id", s->id, "counts_sha256", s->counts_hash, "files",
                     files, "rate_hz", s->lineage.rate_hz, "jitter_s", s->lineage.jitter_s, "duplicates",
                     (json_int_t)s->lineage.n_duplicates, "gaps", (json_int_t)s->lineage.n_gaps, "clipped",
                     (json_int_t)s->n_clipped);
}

tin_status cli_report_lineage(cli_session *session, tin_error *err)
{
    const tin_dataset *d = session->dataset;
    json_t *versions = json_array(), *streams = json_array();
    json_t *data = json_object_get(session->results, "data");
    tin_status status = list_versions(session, versions, err);
    for (size_t i = 0; i < d->n_streams && !status; i++) {
        if (json_array_append_new(streams, stream_object(&d->streams[i])) != 0) {
            status = tin_fail(err, TIN_ERR_MEMORY, "out of memory for the lineage");
        }
    }
    json_t *lineage = json_pack("{s:s, s:s, s:o}", "program", d->program, "settings", d->settings, "streams", streams);
    status = status ? (json_decref(lineage), status) : cli_set(data, "lineage", lineage, err);
    return status ? (json_decref(versions), status) : cli_set(data, "versions", versions, err);
}
