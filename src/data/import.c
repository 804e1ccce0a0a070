/* Files into recordings by the mapping: samples of each sensor, their clock, their labels, and the persons of one file. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/clock.h"
#include "data/import_labels.h"
#include "data/import_plan.h"
#include "data/samples.h"

#define LONGEST_RECORDING_S 1e9 /* keeps sums and differences of times exact to a microsecond, and finite */
#define ROUNDING_S 1e-6

typedef struct import_job {
    tin_import_plan plan;
    tin_import_labels labels;
} import_job;

/* The files of one set, read. */
typedef struct read_set {
    char path[TIN_PATH_MAX]; /* of the first file, for errors */
    const import_job *job;
    const tin_file_set *set;
    size_t index;
    tin_samples *samples; /* [n_families] */
    tin_recording origin; /* its files alone are used */
    double zero;          /* seconds of the clock at the recording's zero */
    tin_recordings *out;
    tin_error *err;
} read_set;

/* Rows [first, end) of the first file, which become one recording. */
typedef struct segment {
    size_t first, end;
    const char *subject;
} segment;

static tin_status read_files(read_set *r, tin_pool *pool)
{
    const tin_import_plan *p = &r->job->plan;
    tin_status status = TIN_OK;
    for (int i = 0; i < p->n_families && status == TIN_OK; i++) {
        char path[TIN_PATH_MAX];
        status = tin_path_join(path, p->in->folder, r->set->names[i], r->err);
        if (status == TIN_OK)
            status = tin_samples_read(&r->set->files[i]->layout, path, pool, &r->samples[i], r->err);
        if (status == TIN_OK)
            status = tin_recording_add_file(&r->origin, p->in->folder, r->set->names[i], r->err);
    }
    return status;
}

/* Seconds on the file's own clock at a row; the row behind the last one is a mean step later. */
static double row_seconds(const tin_samples *s, size_t row)
{
    if (s->ticks == NULL)
        return (double)row / s->rate_hz;
    if (row < s->n_rows)
        return s->ticks[row] / s->ticks_per_second;
    const double step = s->n_rows > 1 ? (s->ticks[s->n_rows - 1] - s->ticks[0]) / (double)(s->n_rows - 1) : 0;
    return (s->ticks[s->n_rows - 1] + step) / s->ticks_per_second;
}

/* Seconds on the recording's clock; the difference is taken in ticks, which are mostly whole numbers. */
static double clock_seconds(const read_set *r, const tin_samples *s, size_t row, size_t zero_row)
{
    if (s->ticks == NULL)
        return (double)(row - zero_row) / s->rate_hz;
    return s == &r->samples[0] ? (s->ticks[row] - s->ticks[zero_row]) / s->ticks_per_second
                               : s->ticks[row] / s->ticks_per_second - r->zero;
}

/* First sample of the track at or behind a row. */
static size_t sample_at_row(const tin_samples *s, int track, size_t row)
{
    size_t low = 0, high = s->tracks[track].n_samples;
    if (s->rows[track] == NULL)
        return row < high ? row : high;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->rows[track][middle] < row)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Samples [first, end) of a track as one of the recording. The values move there when they are all of the track. */
static tin_status add_track(const read_set *r, tin_samples *s, int track, size_t first, size_t end, size_t zero_row,
                            tin_recording *to)
{
    tin_track *from = &s->tracks[track];
    const size_t width = (size_t)from->n_channels;
    tin_track *t = tin_recording_add_track(to, from->n_channels, r->err);
    if (t == NULL)
        return TIN_ERR_MEMORY;
    t->n_samples = t->capacity = end - first;
    if (first == 0 && end == from->n_samples) {
        t->values = from->values;
        from->values = NULL;
    } else {
        t->values = tin_alloc(end - first, width * sizeof *t->values, r->err);
        if (t->values == NULL)
            return TIN_ERR_MEMORY;
        memcpy(t->values, from->values + first * width, (end - first) * width * sizeof *t->values);
    }
    if (s->ticks == NULL && s->rows[track] == NULL) {
        t->rate_hz = s->rate_hz;
        return TIN_OK;
    }
    t->times = tin_alloc(end - first, sizeof *t->times, r->err);
    if (t->times == NULL)
        return TIN_ERR_MEMORY;
    for (size_t i = first; i < end; i++)
        t->times[i - first] = clock_seconds(r, s, s->rows[track] != NULL ? s->rows[track][i] : i, zero_row);
    return TIN_OK;
}

/* Where the recording ends: a mean step behind the last sample of the track that ends first. */
static double recording_end(const tin_recording *rec)
{
    double end = INFINITY;
    for (int i = 0; i < rec->n_tracks; i++) {
        const tin_track *t = &rec->tracks[i];
        const double last = tin_track_time(t, t->n_samples - 1), first = tin_track_time(t, 0);
        const double step = t->times == NULL   ? 1 / t->rate_hz
                            : t->n_samples > 1 ? (last - first) / (double)(t->n_samples - 1)
                                               : 0;
        end = fmin(end, t->times == NULL ? t->start + (double)t->n_samples / t->rate_hz : last + step);
    }
    return end;
}

/* A label holds from the row where it begins to the next change; the latest of those at one time counts. */
static tin_status add_column_labels(const read_set *r, const segment *g, tin_recording *rec)
{
    const tin_samples *s = &r->samples[0];
    char place[TIN_TEXT_MAX_PLACE];
    (void)snprintf(place, sizeof place, "column '%.60s'", r->set->files[0]->layout.label_column);
    tin_status status = TIN_OK;
    for (size_t i = 0; i < s->labels.n && status == TIN_OK; i++) {
        const tin_row_text *l = &s->labels.items[i];
        const size_t next = i + 1 < s->labels.n ? s->labels.items[i + 1].row : s->n_rows;
        const size_t first = l->row > g->first ? l->row : g->first;
        const char *name = NULL;
        if (l->row >= g->end || next <= g->first)
            continue;
        status = tin_import_labels_name(&r->job->labels, l->text, r->path, l->line, place, &name, r->err);
        const double start = clock_seconds(r, s, first, g->first);
        const double end = next < g->end ? clock_seconds(r, s, next, g->first) : (double)INFINITY;
        if (status == TIN_OK && name != NULL && end > start)
            status = tin_recording_add_span(rec, start, end, name, r->err);
    }
    return status;
}

/* One row of a label file, cut or refused. The unit's numbers stay in the messages, as they are in the file. */
static tin_status add_row(const read_set *r, const tin_label_row *row, double *last_end, tin_recording *rec)
{
    const tin_config_labels *settings = r->job->labels.settings;
    const tin_samples *s = &r->samples[0];
    const bool samples = strcmp(settings->unit, "samples") == 0;
    const double ticks = tin_clock_ticks(settings->unit);
    const bool from_start = strcmp(settings->clock, "start") == 0 || strcmp(settings->format, "audacity") == 0;
    const double zero = samples || from_start ? 0 : r->zero * ticks;
    double start = row->start, end = row->end;
    const double tick = samples ? 0.5 : ROUNDING_S * ticks;
    double length = recording_end(rec);
    length = !samples ? zero + length * ticks : s->ticks == NULL ? round(length * s->rate_hz) : (double)s->n_rows;
    tin_status status = TIN_OK;
    if (start < zero - tick || start > length - tick)
        return tin_fail_at(
            r->err, TIN_ERR_DATA, row->path, row->line,
            "%s from %.15g %s lies outside %s, which goes from %.15g to %.15g; correct the row or the file", row->label,
            start, settings->unit, rec->origin, zero, length);
    if (end > length + tick)
        status = tin_notes_add(&rec->notes, r->err, "%s: line %ld: %s ends at %.15g %s of %.15g; cut", rec->origin,
                               row->line, row->label, end, settings->unit, length);
    end = fmin(end, length);
    const double shared = *last_end - start;
    if (shared > settings->mend_overlap + tick / 1000 || (shared > tick / 1000 && end <= *last_end))
        return tin_fail_at(
            r->err, TIN_ERR_DATA, row->path, row->line,
            "%s from %.15g %s overlaps the label before it, which ends at %.15g; correct one of them, or "
            "allow it by labels.mend_overlap",
            row->label, start, settings->unit, *last_end);
    if (shared > tick / 1000 && status == TIN_OK)
        status =
            tin_notes_add(&rec->notes, r->err, "%s: line %ld: %s shares %.15g %s with the label before; starts later",
                          rec->origin, row->line, row->label, shared, settings->unit);
    start = fmax(start, *last_end);
    *last_end = end;
    if (samples)
        start = start < (double)s->n_rows ? clock_seconds(r, s, (size_t)start, 0) : (double)INFINITY;
    else
        start = start / ticks - zero / ticks;
    if (samples)
        end = end < (double)s->n_rows ? clock_seconds(r, s, (size_t)end, 0)
                                      : row_seconds(s, s->n_rows) - row_seconds(s, 0);
    else
        end = end / ticks - zero / ticks;
    return status == TIN_OK ? tin_recording_add_span(rec, start, end, row->label, r->err) : status;
}

static tin_status add_file_labels(const read_set *r, tin_recording *rec)
{
    size_t n = 0;
    double last_end = -INFINITY;
    const tin_label_row *rows = tin_import_labels_rows(&r->job->labels, r->index, &n);
    tin_status status = TIN_OK;
    for (size_t i = 0; i < n && status == TIN_OK; i++)
        status = add_row(r, &rows[i], &last_end, rec);
    return status;
}

/* Row texts: text i is the label of row i. */
static tin_status add_row_labels(const read_set *r, const segment *g, tin_recording *rec)
{
    const tin_row_file *f = tin_row_file_find(&r->job->labels.row_files, r->index);
    const tin_samples *s = &r->samples[0];
    tin_status status = TIN_OK;
    for (size_t i = g->first, next; i < g->end && status == TIN_OK; i = next) {
        const char *name = NULL;
        next = i + 1;
        while (next < g->end && strcmp(f->texts[next], f->texts[i]) == 0)
            next++;
        status = tin_import_labels_name(&r->job->labels, f->texts[i], f->path, 0, "the label", &name, r->err);
        if (status == TIN_OK && name != NULL)
            status = tin_recording_add_span(rec, clock_seconds(r, s, i, g->first),
                                            next < g->end ? clock_seconds(r, s, next, g->first) : (double)INFINITY,
                                            name, r->err);
    }
    return status;
}

static tin_status add_whole_label(const read_set *r, const char *value, tin_recording *rec)
{
    const char *name = NULL;
    tin_status status = tin_import_labels_name(&r->job->labels, value, r->path, 0, "the label", &name, r->err);
    return status == TIN_OK && name != NULL ? tin_recording_add_span(rec, 0, INFINITY, name, r->err) : status;
}

static tin_status add_labels(const read_set *r, const segment *g, tin_recording *rec)
{
    const tin_config_labels *l = r->job->labels.settings;
    if (l->column[0] != '\0')
        return add_column_labels(r, g, rec);
    if (r->set->label != NULL)
        return add_whole_label(r, r->set->label, rec);
    if (l->in_file)
        return r->samples[0].label != NULL
                   ? add_whole_label(r, r->samples[0].label, rec)
                   : tin_notes_add(&rec->notes, r->err, "%s: its format holds no label", rec->origin);
    return strcmp(l->format, "rows") == 0 ? add_row_labels(r, g, rec) : add_file_labels(r, rec);
}

/* Subject, and the id with it: what the set could not know before the file was read. */
static tin_status name_recording(const read_set *r, const char *subject, const char *number, tin_recording *rec)
{
    const tin_config_import *s = r->job->plan.settings;
    const char *person = subject != NULL ? subject : r->set->subject;
    tin_captures captures = r->set->captures;
    const char *fault = person != NULL ? tin_dataset_text_fault(person, true) : "is not known";
    if (fault != NULL)
        return tin_fail_at(r->err, TIN_ERR_DATA, r->path, 0, "the person's name %s; save the file as UTF-8 text",
                           fault);
    if (subject != NULL && s->id[0] != '\0' && captures.n < TIN_MAX_CAPTURES) {
        char *id = NULL;
        captures.items[captures.n++] =
            (tin_capture){.name = "subject", .name_size = 7, .text = subject, .size = strlen(subject)};
        tin_status status = tin_pattern_fill(s->id, &captures, "data.import.id", &id, r->err);
        if (status != TIN_OK)
            return status;
        rec->id = id;
    }
    const char *id = rec->id != NULL ? rec->id : r->set->id;
    char *whole = tin_alloc(strlen(id) + strlen(number) + 1, 1, r->err);
    if (whole == NULL)
        return TIN_ERR_MEMORY;
    (void)sprintf(whole, "%s%s", id, number);
    tin_free(rec->id);
    rec->id = whole;
    rec->subject = tin_strdup(person, r->err);
    rec->session = tin_strdup(r->set->session, r->err);
    rec->origin = tin_strdup(r->set->names[0], r->err);
    rec->has_role = r->set->has_role;
    rec->role = r->set->role;
    return rec->subject == NULL || rec->session == NULL || rec->origin == NULL
               ? TIN_ERR_MEMORY
               : tin_recording_copy_files(rec, &r->origin, r->err);
}

/* The recordings of one file that share an id are told apart by a number: _2, _3, ... */
static tin_status tell_apart(const read_set *r, tin_recording *rec)
{
    size_t same = 0;
    for (size_t i = 0; i + 1 < r->out->n; i++) {
        const char *id = r->out->items[i].id;
        const size_t size = strlen(rec->id);
        same += strncmp(id, rec->id, size) == 0 && (id[size] == '\0' || id[size] == '_');
    }
    if (same == 0)
        return TIN_OK;
    char *id = tin_alloc(strlen(rec->id) + 24, 1, r->err);
    if (id == NULL)
        return TIN_ERR_MEMORY;
    (void)sprintf(id, "%s_%zu", rec->id, same + 1);
    tin_free(rec->id);
    rec->id = id;
    return TIN_OK;
}

static tin_status note_differences(const read_set *r, tin_recording *rec)
{
    const tin_import_plan *p = &r->job->plan;
    tin_status status = TIN_OK;
    for (int i = 0; i < p->n_families && status == TIN_OK; i++) {
        const tin_samples *s = &r->samples[i], *first = &r->samples[0];
        if (s->n_broken > 0)
            status = tin_notes_add(&rec->notes, r->err, "%s: %zu broken rows (line %ld the first); left out",
                                   r->set->names[i], s->n_broken, s->first_broken);
        if (status == TIN_OK && s->ticks == NULL && first->ticks == NULL && s->rate_hz == first->rate_hz &&
            s->n_rows != first->n_rows)
            status = tin_notes_add(&rec->notes, r->err, "%s and %s differ by %zu samples; the longer one cut",
                                   r->set->names[0], r->set->names[i],
                                   s->n_rows > first->n_rows ? s->n_rows - first->n_rows : first->n_rows - s->n_rows);
    }
    return status;
}

/* Length, and that there is a time that all sensors cover. */
static tin_status check_length(const read_set *r, const tin_recording *rec)
{
    double begin = -INFINITY, end = INFINITY;
    for (int i = 0; i < rec->n_tracks; i++) {
        const tin_track *t = &rec->tracks[i];
        if (t->n_samples == 0)
            return tin_fail_at(r->err, TIN_ERR_DATA, r->path, 0,
                               "a sensor has no samples, all are missing; leave it out, or remove the recording");
        const double length = tin_track_time(t, t->n_samples - 1) - tin_track_time(t, 0);
        if (!(length <= LONGEST_RECORDING_S))
            return tin_fail_at(r->err, TIN_ERR_DATA, r->path, 0,
                               "%.15g s from the first to the last sample is more than 30 years; correct time_unit or "
                               "the values",
                               length);
        begin = fmax(begin, tin_track_time(t, 0));
        end = fmin(end, tin_track_time(t, t->n_samples - 1));
    }
    return begin <= end
               ? TIN_OK
               : tin_fail_at(r->err, TIN_ERR_DATA, r->path, 0,
                             "its sensors have no time in common; correct their times or leave the recording out");
}

/* One recording of the set: the rows of the segment in the first file, and all of the others. */
static tin_status make_recording(read_set *r, const segment *g)
{
    const tin_import_plan *p = &r->job->plan;
    tin_status status = TIN_OK;
    bool empty = false;
    for (int k = 0; k < r->samples[0].n_tracks; k++)
        empty |= sample_at_row(&r->samples[0], k, g->first) == sample_at_row(&r->samples[0], k, g->end);
    if (empty && (g->first > 0 || g->end < r->samples[0].n_rows))
        return TIN_OK; /* a part where a sensor was off */
    tin_recording *rec = tin_recordings_add(r->out, r->err);
    if (rec == NULL)
        return TIN_ERR_MEMORY;
    r->zero = row_seconds(&r->samples[0], g->first);
    status = name_recording(r, g->subject, "", rec);
    if (status == TIN_OK)
        status = tell_apart(r, rec);
    for (int i = 0; i < p->n_families && status == TIN_OK; i++) {
        tin_samples *s = &r->samples[i];
        for (int k = 0; k < s->n_tracks && status == TIN_OK; k++) {
            const size_t first = i == 0 ? sample_at_row(s, k, g->first) : 0;
            const size_t end = i == 0 ? sample_at_row(s, k, g->end) : s->tracks[k].n_samples;
            status = add_track(r, s, k, first, end, i == 0 ? g->first : 0, rec);
        }
    }
    if (status == TIN_OK)
        status = check_length(r, rec);
    if (status == TIN_OK && g->first == 0)
        status = note_differences(r, rec);
    return status == TIN_OK ? add_labels(r, g, rec) : status;
}

/* The person of each row of the first file as changes, from its column or its file of rows. */
static tin_status find_subjects(const read_set *r, tin_row_texts *subjects)
{
    const tin_row_file *f = tin_row_file_find(&r->job->labels.subject_files, r->index);
    tin_status status = TIN_OK;
    if (f == NULL)
        return TIN_OK;
    for (size_t i = 0; i < f->n && status == TIN_OK; i++)
        if (i == 0 || strcmp(f->texts[i], f->texts[i - 1]) != 0)
            status = tin_row_texts_add(subjects, i, (long)i + 1, f->texts[i], strlen(f->texts[i]), r->err);
    return status;
}

static tin_status check_rows(const read_set *r, const tin_row_files *files)
{
    const tin_row_file *f = tin_row_file_find(files, r->index);
    return f == NULL || f->n == r->samples[0].n_rows
               ? TIN_OK
               : tin_fail_at(r->err, TIN_ERR_DATA, f->path, 0,
                             "%zu rows, but %s has %zu; there must be one for each row of it", f->n, r->set->names[0],
                             r->samples[0].n_rows);
}

/* A recording ends where the person changes or the clock is set back. */
static tin_status make_segments(read_set *r, const tin_row_texts *subjects)
{
    const tin_samples *s = &r->samples[0];
    const bool whole = r->job->plan.n_families > 1 || (r->job->labels.settings->files[0] != '\0' &&
                                                       strcmp(r->job->labels.settings->format, "rows") != 0);
    tin_status status = TIN_OK;
    size_t subject = 0, cut = 0;
    if (whole && (subjects->n > 1 || s->n_cuts > 0))
        return tin_fail_at(
            r->err, TIN_ERR_DATA, r->path, 0,
            "the person changes or the clock is set back at row %zu, while other files go with this one; "
            "write one file per recording",
            s->n_cuts > 0 ? s->cuts[0] + 1 : subjects->items[1].row + 1);
    for (segment g = {0}; g.first < s->n_rows && status == TIN_OK; g.first = g.end) {
        while (cut < s->n_cuts && s->cuts[cut] <= g.first)
            cut++;
        while (subject < subjects->n && subjects->items[subject].row <= g.first)
            subject++;
        g.end = cut < s->n_cuts ? s->cuts[cut] : s->n_rows;
        if (subject < subjects->n && subjects->items[subject].row < g.end)
            g.end = subjects->items[subject].row;
        g.subject = subject > 0 ? subjects->items[subject - 1].text : s->subject;
        if (g.subject != NULL && g.subject[0] == '\0')
            return tin_fail_at(r->err, TIN_ERR_DATA, r->path, subject > 0 ? subjects->items[subject - 1].line : 0,
                               "column '%s': empty; name the person", r->set->files[0]->layout.subject_column);
        status = make_recording(r, &g);
    }
    return status;
}

/* Each row is a recording: one channel of each file. */
static tin_status make_window(read_set *r, size_t row, const char *subject)
{
    const tin_import_plan *p = &r->job->plan;
    char number[24];
    tin_recording *rec = tin_recordings_add(r->out, r->err);
    if (rec == NULL)
        return TIN_ERR_MEMORY;
    (void)snprintf(number, sizeof number, "_%zu", row + 1);
    tin_status status = name_recording(r, subject, number, rec);
    for (int i = 0; i < p->n_families && status == TIN_OK; i++) {
        const tin_track *from = &r->samples[i].tracks[0];
        const size_t n = (size_t)from->n_channels;
        tin_track *t = tin_recording_add_track(rec, 1, r->err);
        if (t == NULL || (t->values = tin_alloc(n, sizeof *t->values, r->err)) == NULL)
            return TIN_ERR_MEMORY;
        memcpy(t->values, from->values + row * n, n * sizeof *t->values);
        t->n_samples = t->capacity = n;
        t->rate_hz = r->samples[i].rate_hz;
    }
    const tin_row_file *labels = tin_row_file_find(&r->job->labels.row_files, r->index);
    if (status == TIN_OK && labels != NULL)
        status = add_whole_label(r, labels->texts[row], rec);
    else if (status == TIN_OK && r->set->label != NULL)
        status = add_whole_label(r, r->set->label, rec);
    return status;
}

static tin_status make_windows(read_set *r, const tin_row_texts *subjects)
{
    const tin_import_plan *p = &r->job->plan;
    tin_status status = TIN_OK;
    for (int i = 0; i < p->n_families; i++)
        if (r->samples[i].n_rows != r->samples[0].n_rows)
            return tin_fail_at(r->err, TIN_ERR_DATA, r->path, 0,
                               "%zu rows, but %s has %zu; their windows belong together", r->samples[0].n_rows,
                               r->set->names[i], r->samples[i].n_rows);
    for (size_t row = 0, k = 0; row < r->samples[0].n_rows && status == TIN_OK; row++) {
        while (k < subjects->n && subjects->items[k].row <= row)
            k++;
        status = make_window(r, row, k > 0 ? subjects->items[k - 1].text : NULL);
    }
    return status;
}

static tin_status read_job(const void *context, size_t index, tin_pool *pool, tin_recordings *out, tin_error *err)
{
    const import_job *job = context;
    read_set r = {.job = job, .set = &job->plan.sets[index], .index = index, .out = out, .err = err};
    tin_row_texts subjects = {0};
    (void)tin_import_path(&job->plan, r.set->names[0], r.path);
    r.samples = tin_alloc((size_t)job->plan.n_families, sizeof *r.samples, err);
    tin_status status = r.samples == NULL ? TIN_ERR_MEMORY : read_files(&r, pool);
    if (status == TIN_OK)
        status = check_rows(&r, &job->labels.row_files);
    if (status == TIN_OK)
        status = check_rows(&r, &job->labels.subject_files);
    if (status == TIN_OK)
        status = find_subjects(&r, &subjects);
    if (status == TIN_OK) {
        const tin_row_texts *persons = subjects.n > 0 ? &subjects : &r.samples[0].subjects;
        status = job->plan.files[0].windows ? make_windows(&r, persons) : make_segments(&r, persons);
    }
    for (int i = 0; r.samples != NULL && i < job->plan.n_families; i++)
        tin_samples_free(&r.samples[i]);
    for (size_t i = 0; i < subjects.n; i++)
        tin_free(subjects.items[i].text);
    tin_free(subjects.items);
    tin_recording_free(&r.origin);
    tin_free(r.samples);
    return status;
}

/* One note for all recordings that the label files leave out. */
static tin_status note_unlabelled(const import_job *job, tin_source *source, tin_error *err)
{
    size_t n_without = 0, first = 0, n;
    const tin_config_labels *l = job->labels.settings;
    if (l->files[0] == '\0' || strcmp(l->format, "rows") == 0)
        return TIN_OK;
    for (size_t i = 0; i < job->plan.n_sets; i++) {
        (void)tin_import_labels_rows(&job->labels, i, &n);
        first = n == 0 && n_without == 0 ? i : first;
        n_without += n == 0;
    }
    return n_without == 0 ? TIN_OK
                          : tin_notes_add(&source->notes, err,
                                          "%zu of %zu recordings have no row in the label files, %s the first",
                                          n_without, job->plan.n_sets, job->plan.sets[first].names[0]);
}

tin_status tin_import_files(const tin_import *in, tin_source *source, tin_error *err)
{
    if (in->settings->import.files_count == 0)
        return tin_fail(err, TIN_ERR_CONFIG, "data.source is '%s' without a mapping; write data.import",
                        in->settings->source);
    import_job *job = tin_alloc(1, sizeof *job, err);
    if (job == NULL)
        return TIN_ERR_MEMORY;
    source->name = in->settings->source;
    tin_status status = tin_import_plan_make(&job->plan, in, source, err);
    if (status == TIN_OK)
        status = tin_import_labels_load(&job->labels, &job->plan, source, err);
    if (status == TIN_OK)
        status = note_unlabelled(job, source, err);
    if (status == TIN_OK)
        status = tin_source_read(in, source, job->plan.n_sets, read_job, job, err);
    tin_import_labels_free(&job->labels);
    tin_import_plan_free(&job->plan);
    tin_free(job);
    return status;
}
