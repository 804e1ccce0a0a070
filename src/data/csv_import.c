/* The general CSV importer: one file per recording, labels in a column or in interval tables. */
#include "data/csv_import.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/csv_table.h"
#include "data/file_list.h"

/* One row of an interval table. */
typedef struct table_row {
    char *stream, *label;
    double start, end; /* seconds on the clock of the recording's time column */
    const char *file;  /* path, kept in csv_job.table_paths */
    long line;
} table_row;

typedef struct csv_job {
    const tin_config_csv *csv;
    const char *folder;
    tin_csv_layout layout;
    tin_file_list files, tables;
    char **table_paths; /* [tables.n] */
    table_row *rows;
    size_t n_rows, rows_capacity;
    const char **known; /* labels that data.classes names */
} csv_job;

static const char *or_empty(const char *s)
{
    return s != NULL ? s : "";
}

/* Length of a file's id: its path below the folder without the ending. */
static size_t id_length(const char *name)
{
    const char *slash = strrchr(name, '/');
    const char *dot = strrchr(slash != NULL ? slash : name, '.');
    return dot != NULL && dot != (slash != NULL ? slash + 1 : name) ? (size_t)(dot - name) : strlen(name);
}

static bool is_id(const char *name, const char *id)
{
    return strlen(id) == id_length(name) && strncmp(name, id, id_length(name)) == 0;
}

static char *copy_part(const char *from, size_t length, tin_error *err)
{
    char *part = tin_alloc(length + 1, 1, err);
    if (part != NULL)
        memcpy(part, from, length);
    return part;
}

static tin_status set_names(const csv_job *job, const char *name, tin_recording *r, tin_error *err)
{
    const char *slash = strrchr(name, '/');
    const char *base = slash != NULL ? slash + 1 : name;
    const char *separator = or_empty(job->csv->subject_separator);
    const char *cut = separator[0] != '\0' ? strstr(base, separator) : NULL;
    size_t length = cut != NULL ? (size_t)(cut - base) : id_length(base);
    r->id = copy_part(name, id_length(name), err);
    r->session = tin_strdup("", err);
    r->origin = tin_strdup(name, err);
    if (r->id == NULL || r->session == NULL || r->origin == NULL)
        return TIN_ERR_MEMORY;
    if (job->layout.subject_column[0] != '\0')
        return TIN_OK;
    if (length == 0)
        return tin_fail_at(err, TIN_ERR_DATA, name, 0,
                           "no person before '%s' in the file's name; rename it to PERSON%s..., or set "
                           "data.csv.subject_column",
                           separator, separator);
    r->subject = copy_part(base, length, err);
    return r->subject == NULL ? TIN_ERR_MEMORY : TIN_OK;
}

static int compare_rows(const void *a, const void *b)
{
    const table_row *x = *(const table_row *const *)a, *y = *(const table_row *const *)b;
    return (x->start > y->start) - (x->start < y->start);
}

/* `before`: the row that starts last before this one, or NULL. */
static tin_status add_row(const table_row *row, const table_row *before, double zero, double length, tin_recording *r,
                          tin_error *err)
{
    if (row->start < zero - 1e-6 || row->end > zero + length + 1e-6)
        return tin_fail_at(
            err, TIN_ERR_DATA, row->file, row->line,
            "'%s' from %.15g to %.15g s lies outside '%s', which goes from %.15g to %.15g s; correct the times",
            row->label, row->start, row->end, row->stream, zero, zero + length);
    if (before != NULL && row->start < before->end)
        return tin_fail_at(err, TIN_ERR_DATA, row->file, row->line,
                           "'%s' from %.15g s overlaps '%s' of line %ld, which ends at %.15g s; correct one of them",
                           row->label, row->start, before->label, before->line, before->end);
    return tin_recording_add_span(r, row->start - zero, row->end - zero, row->label, err);
}

static tin_status add_table_spans(const csv_job *job, double zero, tin_recording *r, tin_error *err)
{
    const table_row **mine = tin_alloc(job->n_rows, sizeof *mine, err);
    if (mine == NULL)
        return TIN_ERR_MEMORY;
    size_t n = 0;
    for (size_t i = 0; i < job->n_rows; i++)
        if (strcmp(job->rows[i].stream, r->id) == 0)
            mine[n++] = &job->rows[i];
    qsort(mine, n, sizeof *mine, compare_rows);
    const tin_track *t = &r->tracks[0];
    double last = tin_track_time(t, t->n_samples - 1); /* the last sample lasts as long as the others do on average */
    double length = t->n_samples > 1 ? last + last / (double)(t->n_samples - 1) : 1 / job->layout.rate_hz;
    tin_status status = TIN_OK;
    for (size_t i = 0; i < n && status == TIN_OK; i++)
        status = add_row(mine[i], i > 0 ? mine[i - 1] : NULL, zero, length, r, err);
    if (n == 0 && status == TIN_OK)
        status = tin_notes_add(&r->notes, err, "%s: no row for it in the interval tables", r->origin);
    tin_free(mine);
    return status;
}

static tin_status read_recording(const void *context, size_t index, tin_recording *r, tin_error *err)
{
    const csv_job *job = context;
    double zero = 0;
    char path[TIN_PATH_MAX];
    tin_csv_layout layout = job->layout;
    layout.zero = &zero;
    tin_status status = set_names(job, job->files.names[index], r, err);
    if (status == TIN_OK)
        status = tin_path_join(path, job->folder, job->files.names[index], err);
    if (status == TIN_OK)
        status = tin_csv_read_samples(&layout, path, r, err);
    if (status == TIN_OK && job->tables.n > 0)
        status = add_table_spans(job, zero, r, err);
    return status;
}

static tin_status take_row(csv_job *job, const tin_csv_table *t, const size_t column[4], tin_error *err)
{
    table_row row = {.file = t->path, .line = t->line};
    const char *stream = t->fields[column[0]], *label = t->fields[column[3]];
    tin_status status = tin_csv_number(t, column[1], &row.start, err);
    if (status == TIN_OK)
        status = tin_csv_number(t, column[2], &row.end, err);
    if (status == TIN_OK)
        status = tin_csv_check_label(&job->layout, label, t->path, t->line, err);
    if (status != TIN_OK)
        return status;
    if (label[0] == '\0')
        return tin_fail_at(err, TIN_ERR_DATA, t->path, t->line,
                           "column 'label': empty; name the label or remove the row");
    if (!(row.end > row.start))
        return tin_fail_at(err, TIN_ERR_DATA, t->path, t->line,
                           "'%s' from %.15g to %.15g s has no length; the end must come after the start", label,
                           row.start, row.end);
    bool found = false;
    for (size_t i = 0; i < job->files.n && !found; i++)
        found = is_id(job->files.names[i], stream);
    if (!found)
        return tin_fail_at(
            err, TIN_ERR_DATA, t->path, t->line,
            "column 'stream': there is no recording '%.60s'; write the file's name below data.path without "
            "its ending, like '%.*s'",
            stream, (int)id_length(job->files.names[0]), job->files.names[0]);
    if (job->n_rows == job->rows_capacity) {
        size_t capacity = job->rows_capacity == 0 ? 64 : 2 * job->rows_capacity;
        table_row *rows = tin_grow(job->rows, job->n_rows, capacity, sizeof *rows, err);
        if (rows == NULL)
            return TIN_ERR_MEMORY;
        job->rows = rows;
        job->rows_capacity = capacity;
    }
    row.stream = tin_strdup(stream, err);
    row.label = tin_strdup(label, err);
    job->rows[job->n_rows++] = row;
    return row.stream == NULL || row.label == NULL ? TIN_ERR_MEMORY : TIN_OK;
}

static tin_status read_table(csv_job *job, const char *path, tin_error *err)
{
    static const char *const names[4] = {"stream", "start", "end", "label"};
    size_t column[4];
    bool more = true;
    tin_csv_table *table = tin_alloc(1, sizeof *table, err);
    if (table == NULL)
        return TIN_ERR_MEMORY;
    tin_status status = tin_csv_open(table, path, err);
    for (int i = 0; i < 4 && status == TIN_OK; i++)
        status = tin_csv_column(table, names[i], "data.csv.label_file", &column[i], err);
    while (status == TIN_OK && (status = tin_csv_next(table, &more, err)) == TIN_OK && more)
        status = take_row(job, table, column, err);
    tin_csv_close(table);
    tin_free(table);
    return status;
}

/* Finds the tables, takes them out of the list of recordings, and reads them. */
static tin_status read_tables(csv_job *job, tin_error *err)
{
    tin_status status = tin_file_list_make(&job->tables, job->folder, job->csv->label_file, err);
    if (status != TIN_OK)
        return status;
    if (job->tables.n == 0)
        return tin_fail(err, TIN_ERR_DATA, "no file '%s' in '%s'; correct data.csv.label_file", job->csv->label_file,
                        job->folder);
    size_t kept = 0;
    for (size_t i = 0; i < job->files.n; i++) {
        bool table = false;
        for (size_t k = 0; k < job->tables.n && !table; k++)
            table = strcmp(job->files.names[i], job->tables.names[k]) == 0;
        if (table)
            tin_free(job->files.names[i]);
        else
            job->files.names[kept++] = job->files.names[i];
    }
    job->files.n = kept;
    if (kept == 0)
        return TIN_OK; /* reported by the caller */
    job->table_paths = tin_alloc(job->tables.n, sizeof *job->table_paths, err);
    if (job->table_paths == NULL)
        return TIN_ERR_MEMORY;
    for (size_t i = 0; i < job->tables.n && status == TIN_OK; i++) {
        char path[TIN_PATH_MAX];
        status = tin_path_join(path, job->folder, job->tables.names[i], err);
        if (status == TIN_OK && (job->table_paths[i] = tin_strdup(path, err)) == NULL)
            status = TIN_ERR_MEMORY;
        if (status == TIN_OK)
            status = read_table(job, job->table_paths[i], err);
    }
    return status;
}

static tin_status set_channels(const tin_config_csv *csv, tin_source *source, tin_error *err)
{
    if (csv->columns_count == 0 || csv->columns_count > TIN_MAX_CHANNELS)
        return tin_fail(err, TIN_ERR_CONFIG,
                        "data.csv.columns names %u columns; name the 1 to %d signal columns of the files",
                        csv->columns_count, TIN_MAX_CHANNELS);
    if (csv->units_count > 1 && csv->units_count != csv->columns_count)
        return tin_fail(err, TIN_ERR_CONFIG,
                        "data.csv.units has %u units for %u columns; give one for each, or one for all",
                        csv->units_count, csv->columns_count);
    const char *units[TIN_MAX_CHANNELS];
    for (unsigned i = 0; i < csv->columns_count; i++)
        units[i] = csv->units_count == 0 ? "" : csv->units[csv->units_count == 1 ? 0 : i];
    return tin_source_set_channels(source, (const char *const *)csv->columns, units, (int)csv->columns_count, err);
}

static tin_status set_time_unit(const tin_config_csv *csv, tin_csv_layout *layout, tin_error *err)
{
    static const struct {
        const char *name;
        double ticks_per_second;
    } units[4] = {{"s", 1}, {"ms", 1e3}, {"us", 1e6}, {"ns", 1e9}};
    const char *unit = csv->time_unit != NULL ? csv->time_unit : "s";
    for (int i = 0; i < 4; i++)
        if (strcmp(unit, units[i].name) == 0) {
            layout->ticks_per_second = units[i].ticks_per_second;
            return TIN_OK;
        }
    return tin_fail(err, TIN_ERR_CONFIG, "data.csv.time_unit is '%s'; write s, ms, us or ns", unit);
}

/* The labels that data.classes names: with them, any other label in a file is a mistake. */
static tin_status set_known_labels(const tin_config_data *settings, csv_job *job, tin_error *err)
{
    size_t n = 0;
    for (unsigned i = 0; i < settings->classes_count; i++)
        n += settings->classes[i].from_count + 1;
    job->known = tin_alloc(n, sizeof *job->known, err);
    if (job->known == NULL)
        return TIN_ERR_MEMORY;
    for (unsigned i = 0; i < settings->classes_count; i++) {
        const tin_config_class *c = &settings->classes[i];
        for (unsigned k = 0; k < c->from_count; k++)
            job->known[job->layout.n_labels++] = c->from[k];
        if (c->from_count == 0)
            job->known[job->layout.n_labels++] = c->name;
    }
    job->layout.labels = job->known;
    return TIN_OK;
}

static tin_status prepare(const tin_import *in, csv_job *job, tin_source *source, tin_error *err)
{
    const tin_config_csv *csv = job->csv;
    const char *pattern = or_empty(csv->files)[0] != '\0' ? csv->files : "*.csv";
    tin_status status = set_channels(csv, source, err);
    if (status == TIN_OK)
        status = set_time_unit(csv, &job->layout, err);
    if (status == TIN_OK && job->layout.label_column[0] != '\0' && or_empty(csv->label_file)[0] != '\0')
        status =
            tin_fail(err, TIN_ERR_CONFIG,
                     "data.csv.label_column and data.csv.label_file are both set; keep the one that holds the labels");
    if (status == TIN_OK)
        status = set_known_labels(in->settings, job, err);
    if (status == TIN_OK)
        status = tin_file_list_make(&job->files, in->folder, pattern, err);
    if (status == TIN_OK && or_empty(csv->label_file)[0] != '\0')
        status = read_tables(job, err);
    if (status == TIN_OK && job->files.n == 0)
        status = tin_fail(err, TIN_ERR_DATA, "no file '%s' in '%s'; correct data.path or data.csv.files", pattern,
                          in->folder);
    return status;
}

tin_status tin_import_csv(const tin_import *in, tin_source *source, tin_error *err)
{
    const tin_config_csv *csv = &in->settings->csv;
    csv_job job = {.csv = csv,
                   .folder = in->folder,
                   .layout = {.columns = (const char *const *)csv->columns,
                              .n_columns = (int)csv->columns_count,
                              .time_column = or_empty(csv->time_column),
                              .rate_hz = in->settings->rate_hz,
                              .label_column = or_empty(csv->label_column),
                              .subject_column = or_empty(csv->subject_column)}};
    source->name = "csv";
    tin_status status = prepare(in, &job, source, err);
    if (status == TIN_OK)
        status = tin_source_read(in, source, job.files.n, read_recording, &job, err);
    for (size_t i = 0; i < job.n_rows; i++) {
        tin_free(job.rows[i].stream);
        tin_free(job.rows[i].label);
    }
    tin_free(job.rows);
    for (size_t i = 0; job.table_paths != NULL && i < job.tables.n; i++)
        tin_free(job.table_paths[i]);
    tin_free(job.table_paths);
    tin_free(job.known);
    tin_file_list_free(&job.files);
    tin_file_list_free(&job.tables);
    return status;
}
