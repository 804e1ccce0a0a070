#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "data/csv_import.h"
#include "data/csv_table.h"

#define LONGEST_RECORDING_S 1e9 /* keeps sums and differences of times exact to a microsecond, and finite */

/* Column numbers of one file, and what was read so far. */
typedef struct sample_reader {
    const tin_csv_layout *layout;
    tin_csv_table *table;
    tin_recording *r;
    tin_track *track;
    size_t signals[TIN_MAX_CHANNELS], time, label, subject;
    double first_time, last_time; /* in ticks */
    double label_start;           /* seconds */
    char *open_label;             /* of the rows before; NULL: none */
    tin_error *err;
} sample_reader;

tin_status tin_csv_check_label(const tin_csv_layout *layout, const char *label, const char *path, long line,
                               tin_error *err)
{
    const char *fault = tin_dataset_text_fault(label, true);
    if (fault != NULL)
        return tin_fail_at(err, TIN_ERR_DATA, path, line, "column '%s': the label %s; save the file as UTF-8 text",
                           layout->label_column[0] != '\0' ? layout->label_column : "label", fault);
    for (size_t i = 0; i < layout->n_labels; i++)
        if (strcmp(layout->labels[i], label) == 0)
            return TIN_OK;
    if (layout->n_labels == 0)
        return TIN_OK;
    char list[400] = "";
    size_t used = 0;
    for (size_t i = 0; i < layout->n_labels && used < sizeof list - 1; i++) {
        int n = snprintf(list + used, sizeof list - used, "%s%s", i > 0 ? ", " : "", layout->labels[i]);
        used += n > 0 ? (size_t)n : 0;
    }
    return tin_fail_at(err, TIN_ERR_DATA, path, line,
                       "column '%s': label '%.60s' is unknown; known are: %s. Correct it, or name it in data.classes "
                       "(a class called ignore takes labels that are not to be used)",
                       layout->label_column[0] != '\0' ? layout->label_column : "label", label, list);
}

static tin_status find_columns(sample_reader *s)
{
    const tin_csv_layout *l = s->layout;
    tin_status status = TIN_OK;
    for (int i = 0; i < l->n_columns && status == TIN_OK; i++)
        status = tin_csv_column(s->table, l->columns[i], "data.csv.columns", &s->signals[i], s->err);
    if (status == TIN_OK && l->time_column[0] != '\0')
        status = tin_csv_column(s->table, l->time_column, "data.csv.time_column", &s->time, s->err);
    if (status == TIN_OK && l->label_column[0] != '\0')
        status = tin_csv_column(s->table, l->label_column, "data.csv.label_column", &s->label, s->err);
    if (status == TIN_OK && l->subject_column[0] != '\0')
        status = tin_csv_column(s->table, l->subject_column, "data.csv.subject_column", &s->subject, s->err);
    return status;
}

/* Seconds from the first sample. */
static tin_status take_time(sample_reader *s, double *seconds)
{
    const tin_csv_table *t = s->table;
    if (s->layout->time_column[0] == '\0') {
        s->track->rate_hz = s->layout->rate_hz;
        *seconds = (double)s->track->n_samples / s->layout->rate_hz;
        return TIN_OK;
    }
    double ticks = 0;
    tin_status status = tin_csv_number(t, s->time, &ticks, s->err);
    if (status != TIN_OK)
        return status;
    if (s->track->n_samples == 0)
        s->first_time = ticks;
    else if (ticks < s->last_time)
        return tin_fail_at(
            s->err, TIN_ERR_DATA, t->path, t->line,
            "column '%s': time %s comes after %.15g, so it runs backwards; sort the rows by time, or start "
            "a new file where the clock was set",
            s->layout->time_column, t->fields[s->time], s->last_time);
    s->last_time = ticks;
    *seconds = (ticks - s->first_time) / s->layout->ticks_per_second;
    if (!(*seconds <= LONGEST_RECORDING_S))
        return tin_fail_at(
            s->err, TIN_ERR_DATA, t->path, t->line,
            "column '%s': %s is more than 30 years after the first sample; correct data.csv.time_unit or the "
            "value",
            s->layout->time_column, t->fields[s->time]);
    return TIN_OK;
}

static tin_status close_label(sample_reader *s, double end)
{
    tin_status status = TIN_OK;
    /* A label that changed at the same time stamp lasted for no time: the latest one counts. */
    if (s->open_label != NULL && end > s->label_start)
        status = tin_recording_add_span(s->r, s->label_start, end, s->open_label, s->err);
    tin_free(s->open_label);
    s->open_label = NULL;
    return status;
}

static tin_status take_label(sample_reader *s, double seconds)
{
    const char *label = s->table->fields[s->label];
    if (s->open_label == NULL ? label[0] == '\0' : strcmp(label, s->open_label) == 0)
        return TIN_OK;
    tin_status status = close_label(s, seconds);
    if (status != TIN_OK || label[0] == '\0')
        return status;
    status = tin_csv_check_label(s->layout, label, s->table->path, s->table->line, s->err);
    if (status != TIN_OK)
        return status;
    s->label_start = seconds;
    s->open_label = tin_strdup(label, s->err);
    return s->open_label == NULL ? TIN_ERR_MEMORY : TIN_OK;
}

static tin_status take_subject(sample_reader *s)
{
    const tin_csv_table *t = s->table;
    const char *subject = t->fields[s->subject];
    if (subject[0] == '\0')
        return tin_fail_at(s->err, TIN_ERR_DATA, t->path, t->line, "column '%s': empty; name the person",
                           s->layout->subject_column);
    if (s->r->subject == NULL) {
        const char *fault = tin_dataset_text_fault(subject, true);
        if (fault != NULL)
            return tin_fail_at(s->err, TIN_ERR_DATA, t->path, t->line,
                               "column '%s': the person's name %s; save the file as UTF-8 text",
                               s->layout->subject_column, fault);
        s->r->subject = tin_strdup(subject, s->err);
        return s->r->subject == NULL ? TIN_ERR_MEMORY : TIN_OK;
    }
    if (strcmp(subject, s->r->subject) != 0)
        return tin_fail_at(s->err, TIN_ERR_DATA, t->path, t->line,
                           "column '%s': '%.60s' after '%.60s'; write one file per recording of one person",
                           s->layout->subject_column, subject, s->r->subject);
    return TIN_OK;
}

static tin_status take_sample(sample_reader *s)
{
    double seconds = 0, values[TIN_MAX_CHANNELS];
    tin_status status = take_time(s, &seconds);
    for (int i = 0; i < s->layout->n_columns && status == TIN_OK; i++)
        status = tin_csv_number(s->table, s->signals[i], &values[i], s->err);
    if (status == TIN_OK && s->layout->label_column[0] != '\0')
        status = take_label(s, seconds);
    if (status == TIN_OK && s->layout->subject_column[0] != '\0')
        status = take_subject(s);
    return status == TIN_OK ? tin_track_add(s->track, seconds, values, s->err) : status;
}

tin_status tin_csv_read_samples(const tin_csv_layout *layout, const char *path, tin_recording *r, tin_error *err)
{
    tin_csv_table *table = tin_alloc(1, sizeof *table, err);
    if (table == NULL)
        return TIN_ERR_MEMORY;
    sample_reader s = {.layout = layout, .table = table, .r = r, .err = err};
    bool more = true;
    s.track = tin_recording_add_track(r, layout->n_columns, err);
    tin_status status = s.track == NULL ? TIN_ERR_MEMORY : tin_csv_open(table, path, err);
    if (status == TIN_OK)
        status = find_columns(&s);
    while (status == TIN_OK && (status = tin_csv_next(table, &more, err)) == TIN_OK && more)
        status = take_sample(&s);
    if (status == TIN_OK && s.track->n_samples == 0)
        status = tin_fail_at(err, TIN_ERR_DATA, path, 0,
                             "the file names columns and has no rows; record again or remove it");
    if (status == TIN_OK)
        status = close_label(&s, INFINITY);
    if (layout->zero != NULL)
        *layout->zero = s.first_time / layout->ticks_per_second;
    tin_free(s.open_label);
    tin_csv_close(table);
    tin_free(table);
    return status;
}
