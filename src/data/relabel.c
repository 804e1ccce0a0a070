#include "data/relabel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/label_rules.h"
#include "data/text_table.h"

#define MOST_ROWS 1000000

enum { STREAM, START, END, LABEL, SUGGESTED, N_COLUMNS };

static const char *const columns[N_COLUMNS] = {"stream", "start", "end", "label", "suggested"};

static char *copy(tin_slice s, tin_error *err)
{
    char *text = tin_alloc(s.size + 1, 1, err);
    if (text != NULL && s.size > 0)
        memcpy(text, s.at, s.size);
    return text;
}

static tin_status find_class(int32_t *index, tin_slice name, const tin_text_table *t, long line, const char *column,
                             const tin_class *classes, int n_classes, tin_error *err)
{
    char *text = copy(name, err);
    if (text == NULL)
        return TIN_ERR_MEMORY;
    const bool found = tin_label_class_find(index, text, classes, n_classes);
    tin_free(text);
    return found ? TIN_OK
                 : tin_fail_at(err, TIN_ERR_DATA, t->path, line,
                               "column '%s': there is no class '%.*s'; write a name of data.classes, or ignore", column,
                               (int)(name.size < 60 ? name.size : 60), name.at);
}

static tin_status read_row(const tin_text_table *t, const char *p, const tin_fields *f, const size_t *at,
                           const tin_class *classes, int n_classes, tin_relabel_row *row, tin_error *err)
{
    const tin_slice label = f->at[at[LABEL]];
    row->line = tin_text_line(t, p);
    row->label = TIN_RELABEL_NEW;
    tin_status status = tin_text_number(t, p, f, at[START], &row->start, err);
    if (status == TIN_OK)
        status = tin_text_number(t, p, f, at[END], &row->end, err);
    if (status == TIN_OK && !(row->start >= 0 && row->start < row->end && row->end < 1e9))
        status = tin_fail_at(err, TIN_ERR_DATA, t->path, row->line,
                             "from %g to %g s is no time of a recording; write start and end as `data check` did",
                             row->start, row->end);
    if (status == TIN_OK && label.size > 0)
        status = find_class(&row->label, label, t, row->line, columns[LABEL], classes, n_classes, err);
    if (status == TIN_OK)
        status = find_class(&row->suggested, f->at[at[SUGGESTED]], t, row->line, columns[SUGGESTED], classes, n_classes,
                            err);
    row->stream = status == TIN_OK ? copy(f->at[at[STREAM]], err) : NULL;
    return status == TIN_OK && row->stream == NULL ? TIN_ERR_MEMORY : status;
}

static tin_status read_rows(tin_relabel *r, const tin_text_table *t, tin_fields *fields, const size_t *at,
                            int n_classes, tin_error *err)
{
    size_t capacity = 0;
    tin_status status = TIN_OK;
    for (const char *p = tin_text_skip(t, t->first), *next = p; p != t->end && status == TIN_OK;
         p = tin_text_skip(t, next)) {
        status = tin_text_row(t, p, fields, &next, err);
        if (status == TIN_OK)
            status = tin_text_check_count(t, p, fields, err);
        if (status != TIN_OK || fields->at[at[SUGGESTED]].size == 0)
            continue;
        if (r->n == MOST_ROWS)
            return tin_fail_at(err, TIN_ERR_DATA, t->path, tin_text_line(t, p), "more than %d rows; label anew",
                               MOST_ROWS);
        if (r->n == capacity) {
            capacity = capacity == 0 ? 64 : 2 * capacity;
            tin_relabel_row *rows = tin_grow(r->rows, r->n, capacity, sizeof *rows, err);
            if (rows == NULL)
                return TIN_ERR_MEMORY;
            r->rows = rows;
        }
        status = read_row(t, p, fields, at, r->classes, n_classes, &r->rows[r->n], err);
        r->n += status == TIN_OK;
    }
    return status;
}

static int by_stream(const void *left, const void *right)
{
    const tin_relabel_row *a = left, *b = right;
    int order = strcmp(a->stream, b->stream);
    return order != 0 ? order : a->line < b->line ? -1 : a->line > b->line;
}

tin_status tin_relabel_read(tin_relabel *relabel, const char *path, double rate_hz, const tin_class *classes,
                            int n_classes, tin_error *err)
{
    const tin_config_text settings = {.header = true};
    tin_text_table t = {0};
    size_t at[N_COLUMNS];
    *relabel = (tin_relabel){.path = path, .classes = classes, .rate_hz = rate_hz};
    tin_fields *fields = tin_alloc(1, sizeof *fields, err);
    tin_status status = fields != NULL ? tin_text_open(&t, &settings, path, err) : TIN_ERR_MEMORY;
    for (int c = 0; c < N_COLUMNS && status == TIN_OK; c++)
        status = tin_text_column(&t, columns[c], "data.relabel", &at[c], err);
    if (status == TIN_OK)
        status = read_rows(relabel, &t, fields, at, n_classes, err);
    if (relabel->n > 0)
        qsort(relabel->rows, relabel->n, sizeof *relabel->rows, by_stream);
    if (fields != NULL)
        tin_fields_free(fields);
    tin_free(fields);
    tin_text_close(&t);
    return status;
}

/* The first row of the stream, or one behind the last row of all. */
static size_t find_first(const tin_relabel *relabel, const char *stream)
{
    size_t low = 0, high = relabel->n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (strcmp(relabel->rows[middle].stream, stream) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

size_t tin_relabel_room(const tin_relabel *relabel, const char *stream)
{
    size_t first = find_first(relabel, stream), i = first;
    while (i < relabel->n && strcmp(relabel->rows[i].stream, stream) == 0)
        i++;
    return 2 * (i - first); /* a new label in the midst of another makes three of one */
}

static const char *class_name(const tin_relabel *relabel, int32_t index)
{
    return index >= 0 ? relabel->classes[index].name : "ignore";
}

static tin_status replace(tin_relabel *relabel, const tin_relabel_row *row, const tin_stream *s,
                          tin_interval *intervals, int64_t start, int64_t end, tin_error *err)
{
    for (size_t i = 0; i < s->n_intervals; i++) {
        if (intervals[i].start != start || intervals[i].end != end)
            continue;
        if (intervals[i].class_index != row->label)
            return tin_fail_at(err, TIN_ERR_DATA, relabel->path, row->line,
                               "the label of '%s' from %.10g to %.10g s is '%s', not '%s'; correct the row, or have "
                               "`data check` write the list anew",
                               s->id, row->start, row->end, class_name(relabel, intervals[i].class_index),
                               class_name(relabel, row->label));
        relabel->n_labels += intervals[i].class_index != row->suggested;
        intervals[i].class_index = row->suggested;
        return TIN_OK;
    }
    return tin_fail_at(err, TIN_ERR_DATA, relabel->path, row->line,
                       "'%s' has no label from %.10g to %.10g s; correct the row, or have `data check` write the list "
                       "anew where recordings or rules have changed since",
                       s->id, row->start, row->end);
}

/* Takes [start, end) out of the labels, and puts the new one there. */
static tin_status insert(tin_relabel *relabel, const tin_relabel_row *row, tin_stream *s, tin_interval *intervals,
                         int64_t start, int64_t end, tin_error *err)
{
    size_t first = 0, last = 0; /* those that share frames with it */
    while (first < s->n_intervals && intervals[first].end <= start)
        first++;
    for (last = first; last < s->n_intervals && intervals[last].start < end; last++) {
        const int32_t there = intervals[last].class_index;
        if (there >= 0 && relabel->classes[there].event)
            return tin_fail_at(err, TIN_ERR_DATA, relabel->path, row->line,
                               "'%s' has the label '%s' between %.10g and %.10g s already; name it in the column "
                               "`label` with its own start and end, or remove the row",
                               s->id, class_name(relabel, there), row->start, row->end);
    }
    tin_interval made[3];
    size_t n = 0;
    if (last > first && intervals[first].start < start)
        made[n++] = (tin_interval){intervals[first].start, start, intervals[first].class_index};
    made[n++] = (tin_interval){start, end, row->suggested};
    if (last > first && intervals[last - 1].end > end)
        made[n++] = (tin_interval){end, intervals[last - 1].end, intervals[last - 1].class_index};
    memmove(intervals + first + n, intervals + last, (s->n_intervals - last) * sizeof *intervals);
    memcpy(intervals + first, made, n * sizeof *made);
    s->n_intervals += n;
    s->n_intervals -= last - first;
    relabel->n_labels++;
    return TIN_OK;
}

tin_status tin_relabel_apply(tin_relabel *relabel, tin_stream *stream, tin_interval *intervals, tin_error *err)
{
    tin_status status = TIN_OK;
    for (size_t i = find_first(relabel, stream->id);
         i < relabel->n && strcmp(relabel->rows[i].stream, stream->id) == 0 && status == TIN_OK; i++) {
        tin_relabel_row *row = &relabel->rows[i];
        const int64_t start = llround(row->start * relabel->rate_hz), end = llround(row->end * relabel->rate_hz);
        row->used = true;
        if (start >= end || end > stream->n_frames)
            status = tin_fail_at(err, TIN_ERR_DATA, relabel->path, row->line,
                                 "from %.10g to %.10g s are no frames of '%s', which lasts %.10g s; correct the row",
                                 row->start, row->end, stream->id, (double)stream->n_frames / relabel->rate_hz);
        else if (row->label == TIN_RELABEL_NEW)
            status = insert(relabel, row, stream, intervals, start, end, err);
        else
            status = replace(relabel, row, stream, intervals, start, end, err);
    }
    return status;
}

tin_status tin_relabel_finish(const tin_relabel *relabel, tin_error *err)
{
    const tin_relabel_row *first = NULL;
    for (size_t i = 0; i < relabel->n; i++)
        if (!relabel->rows[i].used && (first == NULL || relabel->rows[i].line < first->line))
            first = &relabel->rows[i];
    return first == NULL ? TIN_OK
                         : tin_fail_at(err, TIN_ERR_DATA, relabel->path, first->line,
                                       "there is no recording '%.200s'; correct the row, or have `data check` write "
                                       "the list anew (`data stats` lists the recordings)",
                                       first->stream);
}

void tin_relabel_free(tin_relabel *relabel)
{
    for (size_t i = 0; i < relabel->n; i++)
        tin_free(relabel->rows[i].stream);
    tin_free(relabel->rows);
    *relabel = (tin_relabel){0};
}
