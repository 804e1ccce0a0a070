#include "data/import_labels.h"

#include <ctype.h>
#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/clock.h"
#include "data/decimal.h"
#include "data/file_list.h"

static char *copy_part(const char *from, size_t size, tin_error *err)
{
    char *part = tin_alloc(size + 1, 1, err);
    if (part != NULL)
        memcpy(part, from, size);
    return part;
}

/* Blanks around a part of a text cut. */
static tin_slice trimmed(const char *from, const char *to)
{
    while (from < to && isspace((unsigned char)*from))
        from++;
    while (to > from && isspace((unsigned char)to[-1]))
        to--;
    return (tin_slice){from, (size_t)(to - from)};
}

static tin_status add_name(tin_import_labels *l, tin_slice value, tin_slice name, const char *path, long line,
                           tin_error *err)
{
    for (size_t i = 0; i < l->n_names; i++)
        if (strlen(l->names[i].value) == value.size && memcmp(l->names[i].value, value.at, value.size) == 0)
            return tin_fail_at(err, path != NULL ? TIN_ERR_DATA : TIN_ERR_CONFIG, path != NULL ? path : "", line,
                               "label %.*s is '%s' already; remove one", (int)value.size, value.at, l->names[i].name);
    tin_label_name *names = tin_grow(l->names, l->n_names, l->n_names + 1, sizeof *names, err);
    if (names == NULL)
        return TIN_ERR_MEMORY;
    l->names = names;
    tin_label_name *n = &names[l->n_names++];
    n->value = copy_part(value.at, value.size, err);
    n->name = copy_part(name.at, name.size, err);
    return n->value == NULL || n->name == NULL ? TIN_ERR_MEMORY : TIN_OK;
}

/* "VALUE = NAME" or "NAME" of the settings. */
static tin_status add_setting(tin_import_labels *l, const char *text, tin_error *err)
{
    const char *equals = strstr(text, " = "), *end = text + strlen(text);
    tin_slice value = trimmed(text, equals != NULL ? equals : end);
    tin_slice name = equals != NULL ? trimmed(equals + 3, end) : value;
    if (value.size == 0 || name.size == 0)
        return tin_fail(err, TIN_ERR_CONFIG, "data.import.labels.names has '%s'; write NAME or \"VALUE = NAME\"", text);
    return add_name(l, value, name, NULL, 0, err);
}

/* A line "VALUE NAME": the name goes to the line's end; blanks, a comma, a semicolon or "=" stand between. */
static tin_status add_line(tin_import_labels *l, const char *path, const char *from, const char *to, long line,
                           tin_error *err)
{
    const tin_slice all = trimmed(from, to);
    const char *end = all.at + all.size, *s = all.at;
    while (s < end && !isspace((unsigned char)*s) && *s != ',' && *s != ';' && *s != '=')
        s++;
    const tin_slice value = {all.at, (size_t)(s - all.at)};
    while (s < end && (isspace((unsigned char)*s) || *s == ',' || *s == ';' || *s == '='))
        s++;
    if (all.size == 0)
        return TIN_OK;
    if (value.size == 0 || s == end)
        return tin_fail_at(err, TIN_ERR_DATA, path, line, "'%.*s' is no label; write its value and its name",
                           all.size < 60 ? (int)all.size : 60, all.at);
    return add_name(l, value, (tin_slice){s, (size_t)(end - s)}, path, line, err);
}

static tin_status read_names_file(tin_import_labels *l, const char *folder, tin_error *err)
{
    char path[TIN_PATH_MAX], *text = NULL;
    size_t size = 0;
    tin_file_list list = {0};
    tin_status status = tin_file_list_make(&list, folder, l->settings->names_file, err);
    if (status == TIN_OK && list.n != 1)
        status = tin_fail(err, TIN_ERR_DATA, "%s file '%s' in '%s'; there must be one with the names of the labels",
                          list.n == 0 ? "no" : "more than one", l->settings->names_file, folder);
    if (status == TIN_OK)
        status = tin_path_join(path, folder, list.names[0], err);
    if (status == TIN_OK)
        status = tin_file_read(path, &text, &size, err);
    long number = 1;
    for (const char *s = text; status == TIN_OK && s < text + size; number++) {
        const char *end = memchr(s, '\n', (size_t)(text + size - s));
        end = end != NULL ? end : text + size;
        status = add_line(l, path, s, end, number, err);
        s = end + (end < text + size);
    }
    tin_free(text);
    tin_file_list_free(&list);
    return status;
}

/* The labels that can be: those of the settings or of the names file; else those of data.classes, so that any other in a
 * file is a slip of the pen; else any. */
static tin_status load_names(tin_import_labels *l, const tin_config_data *data, const char *folder, tin_source *source,
                             tin_error *err)
{
    const tin_config_labels *s = l->settings;
    tin_status status = TIN_OK;
    for (unsigned i = 0; i < s->names_count && status == TIN_OK; i++)
        status = add_setting(l, s->names[i], err);
    if (status == TIN_OK && s->names_file[0] != '\0')
        status = read_names_file(l, folder, err);
    for (size_t i = 0; i < l->n_names && status == TIN_OK; i++) {
        bool event = false, again = false;
        const char *fault = tin_dataset_text_fault(l->names[i].name, true);
        for (unsigned k = 0; k < s->events_count; k++)
            event |= fnmatch(s->events[k], l->names[i].name, 0) == 0;
        for (size_t k = 0; k < i; k++)
            again |= strcmp(l->names[k].name, l->names[i].name) == 0;
        if (fault != NULL)
            status = tin_fail(err, TIN_ERR_DATA, "the name of label '%s' %s", l->names[i].value, fault);
        else if (!again)
            status = tin_source_add_label(source, l->names[i].name, event, err);
    }
    const bool given = l->n_names > 0;
    l->closed = given || data->classes_count > 0;
    for (unsigned i = 0; !given && i < data->classes_count; i++) {
        const tin_config_class *c = &data->classes[i];
        for (unsigned k = 0; k < (c->from_count > 0 ? c->from_count : 1) && status == TIN_OK; k++) {
            const char *name = c->from_count > 0 ? c->from[k] : c->name;
            status = add_name(l, (tin_slice){name, strlen(name)}, (tin_slice){name, strlen(name)}, NULL, 0, err);
        }
    }
    return status;
}

static tin_status unknown(const tin_import_labels *l, const char *value, const char *path, long line, const char *place,
                          tin_error *err)
{
    char list[400] = "";
    size_t used = 0;
    for (size_t i = 0; i < l->n_names && used < sizeof list - 1; i++) {
        int n = snprintf(list + used, sizeof list - used, "%s%s", i > 0 ? ", " : "", l->names[i].value);
        used += n > 0 ? (size_t)n : 0;
    }
    return tin_fail_at(err, TIN_ERR_DATA, path, line,
                       "%s: label '%.60s' is unknown; known are: %s. Correct it, or name it in data.classes (a class "
                       "called ignore takes labels that are not to be used) or in labels.names",
                       place, value, list);
}

tin_status tin_import_labels_name(const tin_import_labels *l, const char *value, const char *path, long line,
                                  const char *place, const char **name, tin_error *err)
{
    const tin_config_labels *s = l->settings;
    *name = NULL;
    if (value[0] == '\0')
        return TIN_OK;
    for (unsigned i = 0; i < s->none_count; i++)
        if (strcmp(s->none[i], value) == 0)
            return TIN_OK;
    const char *fault = tin_dataset_text_fault(value, true);
    if (fault != NULL)
        return tin_fail_at(err, TIN_ERR_DATA, path, line, "%s: the label %s; save the file as UTF-8 text", place,
                           fault);
    *name = value;
    for (size_t i = 0; i < l->n_names; i++)
        if (strcmp(l->names[i].value, value) == 0) {
            *name = l->names[i].name;
            return TIN_OK;
        }
    return l->closed ? unknown(l, value, path, line, place, err) : TIN_OK;
}

/* A name that lives as long as the labels. */
static const char *keep_name(tin_import_labels *l, const char *name, tin_error *err)
{
    for (size_t i = 0; i < l->n_names; i++)
        if (l->names[i].name == name)
            return name;
    for (size_t i = 0; i < l->n_other; i++)
        if (strcmp(l->other[i], name) == 0)
            return l->other[i];
    char **other = tin_grow(l->other, l->n_other, l->n_other + 1, sizeof *other, err);
    if (other == NULL)
        return NULL;
    l->other = other;
    other[l->n_other] = tin_strdup(name, err);
    return other[l->n_other] == NULL ? NULL : other[l->n_other++];
}

tin_status tin_import_labels_add(tin_import_labels *l, tin_label_row row, const char *value, const char *place,
                                 tin_error *err)
{
    const char *name = NULL;
    if (value[0] == '\0')
        return tin_fail_at(err, TIN_ERR_DATA, row.path, row.line, "%s: empty; name the label or remove the row", place);
    tin_status status = tin_import_labels_name(l, value, row.path, row.line, place, &name, err);
    if (status != TIN_OK || name == NULL)
        return status;
    if (l->n_rows == l->rows_capacity) {
        size_t capacity = l->rows_capacity == 0 ? 256 : 2 * l->rows_capacity;
        tin_label_row *rows = tin_grow(l->rows, l->n_rows, capacity, sizeof *rows, err);
        if (rows == NULL)
            return TIN_ERR_MEMORY;
        l->rows = rows;
        l->rows_capacity = capacity;
    }
    row.label = keep_name(l, name, err);
    l->rows[l->n_rows++] = row;
    return row.label == NULL ? TIN_ERR_MEMORY : TIN_OK;
}

/* An open table of intervals. */
typedef struct interval_reader {
    tin_import_labels *labels;
    const tin_import_plan *plan;
    const tin_text_table *t;
    tin_fields *fields;
    const tin_captures *captures; /* of the file's path */
    size_t start, end, label, n_match, match[8];
    const char *to[8];
    size_t last_set; /* rows of one recording mostly stand together */
    size_t unmatched;
    const char *first_unmatched;
    tin_error *err;
} interval_reader;

static tin_status find_columns(interval_reader *r, bool audacity)
{
    const tin_config_labels *s = r->labels->settings;
    tin_status status = tin_text_column(r->t, audacity ? "1" : s->start, "data.import.labels.start", &r->start, r->err);
    if (status == TIN_OK)
        status = tin_text_column(r->t, audacity ? "2" : s->end, "data.import.labels.end", &r->end, r->err);
    if (status == TIN_OK)
        status = tin_text_column(r->t, audacity ? "3" : s->label, "data.import.labels.label", &r->label, r->err);
    for (unsigned i = 0; i < s->match_count && !audacity && status == TIN_OK; i++) {
        r->to[i] = s->match[i].to;
        status = tin_text_column(r->t, s->match[i].column, "data.import.labels.match", &r->match[r->n_match++], r->err);
    }
    if (status == TIN_OK && s->match_count == 0 && r->captures->n == 0) {
        r->to[0] = "id";
        r->n_match = 1;
        status = tin_text_column(r->t, "stream", "data.import.labels.match", &r->match[0], r->err);
    }
    return status;
}

/* Numbers are equal as numbers: "02" and "2". */
static bool same_key(tin_slice a, const char *b, size_t size)
{
    double x, y;
    if (a.size == size && memcmp(a.at, b, size) == 0)
        return true;
    return tin_decimal(a.at, a.size, '.', &x) && tin_decimal(b, size, '.', &y) && x == y;
}

static bool row_fits(const interval_reader *r, const tin_file_set *set)
{
    for (size_t i = 0; i < r->n_match; i++) {
        const tin_slice field = r->fields->at[r->match[i]];
        const tin_capture *c = tin_capture_find(&set->captures, r->to[i], strlen(r->to[i]));
        const char *text = strcmp(r->to[i], "id") == 0        ? set->id
                           : strcmp(r->to[i], "subject") == 0 ? set->subject
                                                              : NULL;
        bool same = c != NULL ? same_key(field, c->text, c->size) : text != NULL && same_key(field, text, strlen(text));
        if (!same)
            return false;
    }
    return r->captures->n == 0 || tin_set_fits(set, r->captures);
}

static bool find_set(interval_reader *r, size_t *set)
{
    for (size_t i = 0; i < r->plan->n_sets; i++) {
        *set = (r->last_set + i) % r->plan->n_sets;
        if (row_fits(r, &r->plan->sets[*set])) {
            r->last_set = *set;
            return true;
        }
    }
    return false;
}

/* A time or a sample's number, on the settings' unit. */
static tin_status take_time(const interval_reader *r, const char *p, size_t column, double *time)
{
    const tin_config_labels *s = r->labels->settings;
    const tin_slice field = r->fields->at[column];
    char place[TIN_TEXT_MAX_PLACE];
    if (strcmp(s->unit, "iso8601") != 0) {
        tin_status status = tin_text_number(r->t, p, r->fields, column, time, r->err);
        if (status == TIN_OK && strcmp(s->unit, "samples") == 0 && (*time != floor(*time) || fabs(*time) > 1e15))
            status = tin_fail_at(r->err, TIN_ERR_DATA, r->t->path, tin_text_line(r->t, p),
                                 "%s: %.15g is no whole number; samples are counted",
                                 tin_text_place(r->t, column, place), *time);
        return status;
    }
    return tin_clock_iso8601(field.at, field.size, time)
               ? TIN_OK
               : tin_fail_at(r->err, TIN_ERR_DATA, r->t->path, tin_text_line(r->t, p),
                             "%s: '%.*s' is no time of ISO 8601; write it like 2024-03-01T12:30:00.25Z",
                             tin_text_place(r->t, column, place), field.size < 60 ? (int)field.size : 60, field.at);
}

static tin_status take_interval(interval_reader *r, const char *p)
{
    const tin_config_labels *s = r->labels->settings;
    const bool samples = strcmp(s->unit, "samples") == 0;
    tin_label_row row = {.path = r->t->path, .line = tin_text_line(r->t, p)};
    char place[TIN_TEXT_MAX_PLACE];
    double first, last;
    tin_status status = tin_text_check_count(r->t, p, r->fields, r->err);
    if (status == TIN_OK)
        status = take_time(r, p, r->start, &first);
    if (status == TIN_OK)
        status = take_time(r, p, r->end, &last);
    if (status != TIN_OK)
        return status;
    row.start = first - (samples ? s->first : 0);
    row.end = last - (samples ? s->first : 0) + (samples && s->end_included);
    if (samples && row.start < 0)
        return tin_fail_at(r->err, TIN_ERR_DATA, row.path, row.line, "samples %.15g to %.15g; the first sample is %d",
                           first, last, s->first);
    if (!(row.end > row.start))
        return tin_fail_at(r->err, TIN_ERR_DATA, row.path, row.line,
                           "from %.15g to %.15g %s has no length; the end must come after the start", first, last,
                           s->unit);
    if (!find_set(r, &row.set)) {
        r->first_unmatched = r->unmatched++ == 0 ? p : r->first_unmatched;
        return TIN_OK;
    }
    char *value = copy_part(r->fields->at[r->label].at, r->fields->at[r->label].size, r->err);
    status = value == NULL
                 ? TIN_ERR_MEMORY
                 : tin_import_labels_add(r->labels, row, value, tin_text_place(r->t, r->label, place), r->err);
    tin_free(value);
    return status;
}

static tin_status note_unmatched(const interval_reader *r, tin_source *source)
{
    const long line = r->unmatched > 0 ? tin_text_line(r->t, r->first_unmatched) : 0;
    if (r->unmatched == 0)
        return TIN_OK;
    if (r->labels->n_rows == 0)
        return tin_fail_at(
            r->err, TIN_ERR_DATA, r->t->path, line,
            "no row of this table belongs to a recording; the id of the first recording is '%s'. Correct "
            "the names in the table, or data.import.labels.match",
            r->plan->sets[0].id);
    return tin_notes_add(&source->notes, r->err,
                         "%s: %zu rows (line %ld the first) belong to no recording that is there; left out", r->t->path,
                         r->unmatched, line);
}

static tin_status read_table(interval_reader *r, const char *path, tin_source *source)
{
    static const tin_config_text audacity_text = {
        .separator = (char *)(uintptr_t) "tab", .comment = (char *)(uintptr_t) "\\", .no_quotes = true};
    const bool audacity = strcmp(r->labels->settings->format, "audacity") == 0;
    tin_text_table table;
    r->t = &table;
    tin_status status = tin_text_open(&table, audacity ? &audacity_text : &r->labels->settings->text, path, r->err);
    if (status == TIN_OK)
        status = find_columns(r, audacity);
    for (const char *p = table.first, *next = NULL; status == TIN_OK && (p = tin_text_skip(&table, p)) < table.end;
         p = next) {
        status = tin_text_row(&table, p, r->fields, &next, r->err);
        if (status == TIN_OK)
            status = take_interval(r, p);
    }
    if (status == TIN_OK)
        status = note_unmatched(r, source);
    tin_text_close(&table);
    return status;
}

/* One text per row: `column` of the file, with the dialect of the labels. */
static tin_status read_row_file(tin_row_files *files, const tin_config_text *dialect, const char *column, size_t set,
                                const char *path, tin_error *err)
{
    tin_text_table t;
    size_t index = 0, capacity = 0;
    tin_row_file *items = tin_grow(files->items, files->n, files->n + 1, sizeof *items, err);
    if (items == NULL)
        return TIN_ERR_MEMORY;
    files->items = items;
    tin_row_file *f = &items[files->n++];
    f->set = set;
    f->path = tin_strdup(path, err);
    tin_fields *fields = tin_alloc(1, sizeof *fields, err);
    tin_status status = f->path == NULL || fields == NULL ? TIN_ERR_MEMORY : tin_text_open(&t, dialect, f->path, err);
    if (f->path == NULL || fields == NULL) {
        tin_free(fields);
        return status;
    }
    if (status == TIN_OK)
        status = tin_text_column(&t, column, "data.import", &index, err);
    for (const char *p = t.first, *next = NULL; status == TIN_OK && (p = tin_text_skip(&t, p)) < t.end; p = next) {
        status = tin_text_row(&t, p, fields, &next, err);
        if (status == TIN_OK)
            status = tin_text_check_count(&t, p, fields, err);
        if (status == TIN_OK && f->n == capacity) {
            char **texts = tin_grow(f->texts, f->n, capacity == 0 ? 256 : 2 * capacity, sizeof *texts, err);
            capacity = capacity == 0 ? 256 : 2 * capacity;
            f->texts = texts != NULL ? texts : f->texts;
            status = texts == NULL ? TIN_ERR_MEMORY : TIN_OK;
        }
        if (status == TIN_OK && (f->texts[f->n] = copy_part(fields->at[index].at, fields->at[index].size, err)) == NULL)
            status = TIN_ERR_MEMORY;
        f->n += status == TIN_OK;
    }
    tin_text_close(&t);
    tin_fields_free(fields);
    tin_free(fields);
    return status;
}

/* The one file of this pattern for each set. */
static tin_status read_row_files(tin_row_files *files, const tin_import_plan *plan, const char *pattern,
                                 const tin_config_text *dialect, const char *column, tin_error *err)
{
    tin_file_list list = {0};
    tin_status status = tin_file_list_make(&list, plan->in->folder, pattern, err);
    for (size_t i = 0; i < plan->n_sets && status == TIN_OK; i++) {
        const char *name = NULL;
        for (size_t k = 0; k < list.n && name == NULL; k++) {
            tin_captures captures;
            (void)tin_pattern_match(pattern, list.names[k], &captures);
            name = tin_set_fits(&plan->sets[i], &captures) ? list.names[k] : NULL;
        }
        char path[TIN_PATH_MAX];
        if (name == NULL)
            status = tin_fail_at(err, TIN_ERR_DATA, tin_import_path(plan, plan->sets[i].names[0], path), 0,
                                 "no file '%s' belongs to it; correct the pattern, or add the file", pattern);
        else
            status = tin_path_join(path, plan->in->folder, name, err);
        if (status == TIN_OK)
            status = read_row_file(files, dialect, column, i, path, err);
    }
    tin_file_list_free(&list);
    return status;
}

static tin_status read_studio(tin_import_labels *l, const tin_import_plan *plan, const char *path, tin_source *source,
                              tin_error *err)
{
    char *text = NULL;
    size_t size = 0, unmatched = 0;
    tin_status status = tin_file_read(path, &text, &size, err);
    if (status == TIN_OK)
        status = tin_label_studio_read(l, plan, path, text, size, &unmatched, err);
    tin_free(text);
    return status == TIN_OK && unmatched > 0
               ? tin_notes_add(&source->notes, err, "%s: %zu tasks belong to no recording that is there; left out",
                               path, unmatched)
               : status;
}

static tin_status read_file(tin_import_labels *l, const tin_import_plan *plan, const char *name, tin_source *source,
                            tin_error *err)
{
    char path[TIN_PATH_MAX];
    tin_captures captures;
    interval_reader r = {.labels = l, .plan = plan, .captures = &captures, .err = err};
    (void)tin_pattern_match(l->settings->files, name, &captures);
    tin_status status = tin_path_join(path, plan->in->folder, name, err);
    if (status == TIN_OK && (l->paths[l->n_paths] = tin_strdup(path, err)) == NULL)
        status = TIN_ERR_MEMORY;
    if (status != TIN_OK)
        return status;
    const char *kept = l->paths[l->n_paths++];
    if (strcmp(l->settings->format, "label_studio") == 0)
        return read_studio(l, plan, kept, source, err);
    r.fields = tin_alloc(1, sizeof *r.fields, err);
    if (r.fields == NULL)
        return TIN_ERR_MEMORY;
    status = read_table(&r, kept, source);
    tin_fields_free(r.fields);
    tin_free(r.fields);
    return status;
}

static int compare_rows(const void *a, const void *b)
{
    const tin_label_row *x = a, *y = b;
    if (x->set != y->set)
        return (x->set > y->set) - (x->set < y->set);
    return x->start != y->start ? (x->start > y->start) - (x->start < y->start)
                                : (x->line > y->line) - (x->line < y->line);
}

static tin_status read_files(tin_import_labels *l, const tin_import_plan *plan, tin_source *source, tin_error *err)
{
    const tin_config_labels *s = l->settings;
    tin_file_list list = {0};
    tin_status status = tin_pattern_check(s->files, "data.import.labels.files", err);
    if (status == TIN_OK && strcmp(s->format, "audacity") == 0 && strchr(s->files, '{') == NULL)
        status = tin_fail(err, TIN_ERR_CONFIG,
                          "data.import.labels.files is '%s'; a label track belongs to one recording: write {id} or the "
                          "captures of its path, e.g. \"{id}.txt\"",
                          s->files);
    if (status == TIN_OK)
        status = tin_file_list_make(&list, plan->in->folder, s->files, err);
    if (status == TIN_OK && list.n == 0)
        status = tin_fail(err, TIN_ERR_DATA, "no file '%s' in '%s'; correct data.import.labels.files", s->files,
                          plan->in->folder);
    if (status == TIN_OK && (l->paths = tin_alloc(list.n, sizeof *l->paths, err)) == NULL)
        status = TIN_ERR_MEMORY;
    for (size_t i = 0; i < list.n && status == TIN_OK; i++)
        status = read_file(l, plan, list.names[i], source, err);
    if (l->n_rows > 0)
        qsort(l->rows, l->n_rows, sizeof *l->rows, compare_rows);
    tin_file_list_free(&list);
    return status;
}

tin_status tin_import_labels_load(tin_import_labels *l, const tin_import_plan *plan, tin_source *source, tin_error *err)
{
    static const tin_config_text one_column = {.separator = (char *)(uintptr_t) "tab"};
    const tin_config_labels *s = &plan->settings->labels;
    *l = (tin_import_labels){.settings = s};
    tin_status status = load_names(l, plan->in->settings, plan->in->folder, source, err);
    if (status == TIN_OK && plan->settings->subject_file[0] != '\0')
        status = read_row_files(&l->subject_files, plan, plan->settings->subject_file, &one_column, "1", err);
    if (status == TIN_OK && s->files[0] != '\0')
        status = strcmp(s->format, "rows") == 0 ? read_row_files(&l->row_files, plan, s->files, &s->text, s->label, err)
                                                : read_files(l, plan, source, err);
    return status;
}

const tin_label_row *tin_import_labels_rows(const tin_import_labels *l, size_t set, size_t *n)
{
    size_t low = 0, high = l->n_rows;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (l->rows[middle].set < set)
            low = middle + 1;
        else
            high = middle;
    }
    size_t end = low;
    while (end < l->n_rows && l->rows[end].set == set)
        end++;
    *n = end - low;
    return l->rows + low;
}

const tin_row_file *tin_row_file_find(const tin_row_files *files, size_t set)
{
    for (size_t i = 0; i < files->n; i++)
        if (files->items[i].set == set)
            return &files->items[i];
    return NULL;
}

static void free_row_files(tin_row_files *files)
{
    for (size_t i = 0; i < files->n; i++) {
        for (size_t k = 0; k < files->items[i].n; k++)
            tin_free(files->items[i].texts[k]);
        tin_free(files->items[i].texts);
        tin_free(files->items[i].path);
    }
    tin_free(files->items);
}

void tin_import_labels_free(tin_import_labels *l)
{
    for (size_t i = 0; i < l->n_names; i++) {
        tin_free(l->names[i].value);
        tin_free(l->names[i].name);
    }
    for (size_t i = 0; i < l->n_paths; i++)
        tin_free(l->paths[i]);
    for (size_t i = 0; i < l->n_other; i++)
        tin_free(l->other[i]);
    tin_free(l->names);
    tin_free(l->paths);
    tin_free(l->other);
    tin_free(l->rows);
    free_row_files(&l->row_files);
    free_row_files(&l->subject_files);
    *l = (tin_import_labels){0};
}
