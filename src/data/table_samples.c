/* Tables of numbers (table.h) into samples. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/clock.h"
#include "data/samples.h"
#include "data/table.h"

typedef struct table_job {
    const tin_sample_layout *layout;
    const tin_table *table;
    const char *path;
    tin_samples *s;
    size_t *columns; /* [n_columns] of the layout */
    size_t time, label;
    tin_error *err;
} table_job;

static tin_status find_column(const table_job *j, const char *name, const char *setting, size_t *index)
{
    const tin_table *t = j->table;
    char *end = NULL, list[400] = "";
    for (size_t i = 0; t->names != NULL && i < t->n_columns; i++)
        if (strcmp(t->names[i], name) == 0) {
            *index = i;
            return TIN_OK;
        }
    unsigned long number = isdigit((unsigned char)name[0]) ? strtoul(name, &end, 10) : 0;
    if (number > 0 && *end == '\0' && number <= t->n_columns) {
        *index = number - 1;
        return TIN_OK;
    }
    for (size_t i = 0; t->names != NULL && i < t->n_columns; i++)
        (void)snprintf(list + strlen(list), sizeof list - strlen(list), "%s%.40s", i > 0 ? ", " : ": ", t->names[i]);
    return tin_fail_at(j->err, TIN_ERR_DATA, j->path, 0,
                       "there is no column '%s'; the file has %zu%s. Write one of these, or a number from 1, in %s.%s",
                       name, t->n_columns, list, j->layout->where, setting);
}

static tin_status find_columns(table_job *j)
{
    const tin_sample_layout *l = j->layout;
    tin_status status = TIN_OK;
    for (int i = 0; i < l->n_columns && status == TIN_OK; i++)
        status = find_column(j, l->columns[i].name, "channels", &j->columns[i]);
    if (status == TIN_OK && l->settings->time_column[0] != '\0')
        status = find_column(j, l->settings->time_column, "time_column", &j->time);
    if (status == TIN_OK && l->label_column[0] != '\0')
        status = find_column(j, l->label_column, "labels.column", &j->label);
    return status;
}

static tin_status bad_value(const table_job *j, size_t row, size_t column, const char *what)
{
    const tin_table *t = j->table;
    char number[24];
    (void)snprintf(number, sizeof number, "%zu", column + 1);
    return tin_fail_at(j->err, TIN_ERR_DATA, j->path, 0, "row %zu, column '%.60s': %g %s", row + 1,
                       t->names != NULL ? t->names[column] : number, t->values[row * t->n_columns + column], what);
}

static tin_status take_time(table_job *j, size_t row)
{
    tin_samples *s = j->s;
    double ticks = j->table->values[row * j->table->n_columns + j->time];
    if (s->ticks == NULL)
        return TIN_OK;
    if (!isfinite(ticks))
        return bad_value(j, row, j->time, "is no time; remove the row or repair the value");
    s->ticks[row] = ticks;
    if (row == 0 || ticks >= s->ticks[row - 1])
        return TIN_OK;
    return strcmp(j->layout->settings->time_back, "split") == 0
               ? tin_samples_add_cut(s, row, j->err)
               : bad_value(j, row, j->time, "comes after a later time; sort the rows, or write time_back: split");
}

static tin_status take_row(table_job *j, size_t row)
{
    const tin_sample_layout *l = j->layout;
    const double *values = j->table->values + row * j->table->n_columns;
    tin_samples *s = j->s;
    tin_status status = take_time(j, row);
    for (int i = 0, t = 0; t < s->n_tracks && status == TIN_OK; t++) {
        tin_track *track = &s->tracks[t];
        double *to = track->values + track->n_samples * (size_t)track->n_channels;
        bool missing = false;
        for (int c = 0; c < track->n_channels && status == TIN_OK; c++, i++) {
            double v = values[j->columns[i]];
            missing |= isnan(v) && s->rows[t] != NULL;
            to[c] = v * l->columns[i].factor;
            if (!isfinite(v) && !missing)
                status = bad_value(j, row, j->columns[i], "is not finite; repair it, or write missing: [NaN]");
        }
        if (missing)
            continue;
        if (s->rows[t] != NULL)
            s->rows[t][track->n_samples] = (uint32_t)row;
        track->n_samples++;
    }
    if (status == TIN_OK && l->label_column[0] != '\0') {
        char text[32];
        double v = values[j->label];
        (void)snprintf(text, sizeof text, "%.15g", v);
        const tin_row_texts *labels = &s->labels;
        if (isnan(v))
            text[0] = '\0';
        if (labels->n == 0 || strcmp(labels->items[labels->n - 1].text, text) != 0)
            status = tin_row_texts_add(&s->labels, row, (long)row + 1, text, strlen(text), j->err);
    }
    return status;
}

static tin_status read_rows(table_job *j)
{
    const tin_table *t = j->table;
    tin_samples *s = j->s;
    const bool missing = j->layout->settings->missing_count > 0, timed = j->layout->settings->time_column[0] != '\0';
    s->n_rows = t->n_rows;
    s->ticks = timed ? tin_alloc(t->n_rows, sizeof *s->ticks, j->err) : NULL;
    tin_status status = timed && s->ticks == NULL ? TIN_ERR_MEMORY : TIN_OK;
    for (int i = 0; i < s->n_tracks && status == TIN_OK; i++) {
        tin_track *track = &s->tracks[i];
        track->values = tin_alloc(t->n_rows, (size_t)track->n_channels * sizeof *track->values, j->err);
        s->rows[i] = missing ? tin_alloc(t->n_rows, sizeof **s->rows, j->err) : NULL;
        if (track->values == NULL || (missing && s->rows[i] == NULL))
            status = TIN_ERR_MEMORY;
    }
    for (size_t row = 0; row < t->n_rows && status == TIN_OK; row++)
        status = take_row(j, row);
    return status;
}

tin_status tin_samples_read_table(const tin_sample_layout *l, const char *path, tin_samples *samples, tin_error *err)
{
    tin_table table = {0};
    const tin_config_files *f = l->settings;
    *samples = (tin_samples){.ticks_per_second = tin_clock_ticks(f->time_unit)};
    table_job j = {.layout = l, .table = &table, .path = path, .s = samples, .err = err};
    tin_status status = l->subject_column[0] == '\0'
                            ? tin_table_read(path, f->entry, &table, err)
                            : tin_fail_at(err, TIN_ERR_CONFIG, path, 0,
                                          "data.import.subject_column is for text files; name the person in the path");
    samples->rate_hz = f->rate_hz > 0 ? f->rate_hz : table.rate_hz > 0 ? table.rate_hz : l->rate_hz;
    if (status == TIN_OK && table.n_rows > UINT32_MAX)
        status = tin_fail_at(err, TIN_ERR_DATA, path, 0, "%zu rows; split the file into several", table.n_rows);
    if (status == TIN_OK)
        status = tin_samples_start(samples, l, f->missing_count > 0, err);
    if (status == TIN_OK && (j.columns = tin_alloc((size_t)l->n_columns, sizeof *j.columns, err)) == NULL)
        status = TIN_ERR_MEMORY;
    if (status == TIN_OK)
        status = find_columns(&j);
    if (status == TIN_OK)
        status = read_rows(&j);
    if (status == TIN_OK) {
        samples->label = table.label;
        samples->subject = table.subject;
        table.label = table.subject = NULL;
    }
    tin_free(j.columns);
    tin_table_free(&table);
    return status;
}
