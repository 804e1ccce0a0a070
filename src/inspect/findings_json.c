#include "inspect/findings_json.h"

#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/json_tools.h"
#include "dataset/relabel_row.h"

static json_t *class_name(const tin_dataset *d, int32_t class_index)
{
    return class_index >= 0                  ? json_string(d->classes[class_index].name)
           : class_index == TIN_LABEL_IGNORE ? json_string("ignore")
                                             : json_null();
}

static json_t *stream_id(const tin_dataset *d, int64_t stream)
{
    return stream >= 0 ? json_string(d->streams[stream].id) : json_null();
}

static json_t *finding_json(tin_json_builder *b, const tin_finding *f, const tin_dataset *d)
{
    json_t *o = json_object();
    bool place = f->stream >= 0 && f->end > f->start;
    tin_json_put(b, o, "check", json_string(tin_check_name(f->check)));
    tin_json_put(b, o, "severity", json_string(tin_severity_name(f->severity)));
    tin_json_put(b, o, "text", json_string(f->text));
    tin_json_put(b, o, "stream", stream_id(d, f->stream));
    tin_json_put(b, o, "subject", f->stream >= 0 ? json_string(d->streams[f->stream].subject) : json_null());
    tin_json_put(b, o, "start_s", place ? json_real((double)f->start / d->rate_hz) : json_null());
    tin_json_put(b, o, "end_s", place ? json_real((double)f->end / d->rate_hz) : json_null());
    tin_json_put(b, o, "other_stream", stream_id(d, f->other));
    tin_json_put(b, o, "other_start_s",
                 f->other >= 0 && place ? json_real((double)f->other_start / d->rate_hz) : json_null());
    tin_json_put(b, o, "class", class_name(d, f->class_index));
    tin_json_put(b, o, "suggested", class_name(d, f->suggested));
    tin_json_put(b, o, "channel", f->channel >= 0 ? json_string(d->channels[f->channel].name) : json_null());
    tin_json_put(b, o, "value", tin_json_real(f->value));
    tin_json_put(b, o, "limit", tin_json_real(f->limit));
    return o;
}

static json_t *check_json(tin_json_builder *b, const tin_findings *findings, tin_check check)
{
    json_t *o = json_object();
    size_t kept = 0;
    for (size_t i = 0; i < findings->n; i++) {
        kept += findings->items[i].check == check;
    }
    tin_json_put(b, o, "name", json_string(tin_check_name(check)));
    tin_json_put(b, o, "title", json_string(tin_check_title(check)));
    tin_json_put(b, o, "mend", json_string(tin_check_mend(check)));
    tin_json_put(b, o, "found", json_integer((json_int_t)findings->found[check]));
    tin_json_put(b, o, "listed", json_integer((json_int_t)kept));
    return o;
}

tin_status tin_findings_json(json_t **json, const tin_findings *findings, const tin_dataset *dataset, const char *run,
                             tin_error *err)
{
    tin_json_builder b = {false};
    json_t *root = json_object(), *of = json_object(), *summary = json_object(), *checks = json_array(),
           *list = json_array();
    int64_t frames = 0;
    for (size_t i = 0; i < dataset->n_streams; i++) {
        frames += dataset->streams[i].n_frames;
    }
    tin_json_put(&b, of, "name", json_string(dataset->name));
    tin_json_put(&b, of, "hash", json_string(dataset->hash));
    tin_json_put(&b, of, "streams", json_integer((json_int_t)dataset->n_streams));
    tin_json_put(&b, of, "seconds", json_real((double)frames / dataset->rate_hz));
    tin_json_put(&b, summary, "faults", json_integer((json_int_t)tin_findings_count(findings, TIN_FAULT)));
    tin_json_put(&b, summary, "warnings", json_integer((json_int_t)tin_findings_count(findings, TIN_WARNING)));
    tin_json_put(&b, summary, "notes", json_integer((json_int_t)tin_findings_count(findings, TIN_NOTE)));
    for (int c = 0; c < TIN_CHECK_COUNT; c++) {
        if (run || (c != TIN_CHECK_CONTRADICTED && c != TIN_CHECK_MISSED)) {
            tin_json_append(&b, checks, check_json(&b, findings, (tin_check)c));
        }
    }
    for (size_t i = 0; i < findings->n; i++) {
        tin_json_append(&b, list, finding_json(&b, &findings->items[i], dataset));
    }
    tin_json_put(&b, root, "dataset", of);
    tin_json_put(&b, root, "run", run ? json_string(run) : json_null());
    tin_json_put(&b, root, "summary", summary);
    tin_json_put(&b, root, "checks", checks);
    tin_json_put(&b, root, "findings", list);
    if (b.failed) {
        json_decref(root);
        *json = NULL;
        return tin_fail(err, TIN_ERR_MEMORY, "out of memory for the findings");
    }
    *json = root;
    return TIN_OK;
}

tin_status tin_findings_relabel(const tin_findings *findings, const tin_dataset *dataset, const char *path,
                                tin_error *err)
{
    tin_writer writer = {0};
    tin_status status = tin_writer_open(&writer, path, err);
    if (status) {
        return status;
    }
    fputs(TIN_RELABEL_COLUMNS "\n", writer.stream);
    for (size_t i = 0; i < findings->n; i++) {
        const tin_finding *f = &findings->items[i];
        if (f->suggested < 0 || f->stream < 0) {
            continue;
        }
        tin_relabel_write_row(writer.stream, dataset, &dataset->streams[f->stream],
                              (tin_interval){f->start, f->end, f->suggested}, f->class_index);
        fputc('\n', writer.stream);
    }
    status = tin_writer_commit(&writer, err);
    tin_writer_abort(&writer);
    return status;
}
