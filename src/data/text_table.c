#include "data/text_table.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/decimal.h"

static tin_status fault(const tin_text_table *t, const char *p, tin_error *err, const char *what)
{
    return tin_fail_at(err, TIN_ERR_DATA, t->path, tin_text_line(t, p), "%s", what);
}

long tin_text_line(const tin_text_table *t, const char *p)
{
    long line = 1;
    const char *s = t->text;
    while (s < p && (s = memchr(s, '\n', (size_t)(p - s))) != NULL) {
        s++;
        line++;
    }
    return line;
}

static void set_kinds(tin_text_table *t, char separator, const char *row_end)
{
    bool lines = memchr(t->text, '\n', (size_t)(t->end - t->text)) != NULL;
    t->runs = separator == ' ';
    t->kinds[' '] = t->kinds['\t'] = TIN_BLANK;
    t->kinds['\r'] = lines ? TIN_BLANK : TIN_ROW_END; /* CRLF; without any LF it ends rows itself */
    t->kinds['\n'] = TIN_ROW_END;
    if (row_end[0] != '\0')
        t->kinds[(unsigned char)row_end[0]] = TIN_ROW_END;
    t->kinds['"'] = TIN_QUOTE;
    if (t->runs)
        t->kinds[' '] = t->kinds['\t'] = TIN_SEPARATOR | TIN_BLANK;
    else
        t->kinds[(unsigned char)separator] = TIN_SEPARATOR;
}

/* What stands most often in the line, outside quotes: a semicolon, tab or comma; blanks when only they do; a comma when
 * nothing does. */
static char find_separator(const tin_text_table *t, const char *line)
{
    static const char separators[3] = {',', ';', '\t'};
    size_t count[3] = {0, 0, 0}, blanks = 0, size = 0;
    bool quoted = false;
    for (const char *s = line; s < t->end && (quoted || (*s != '\n' && *s != '\r')); s++, size++) {
        quoted ^= *s == '"';
        for (int i = t->point == ',' ? 1 : 0; i < 3 && !quoted; i++)
            count[i] += *s == separators[i];
        blanks += !quoted && *s == ' ' && size > 0 && s[-1] != ' ' && s + 1 < t->end && s[1] != '\n' && s[1] != '\r';
    }
    int best = 0;
    for (int i = 1; i < 3; i++)
        if (count[i] > count[best])
            best = i;
    return count[best] == 0 && blanks > 0 ? ' ' : separators[best];
}

static char separator_of(const tin_config_text *settings, const tin_text_table *t, const char *line)
{
    static const struct {
        const char *name;
        char separator;
    } names[] = {{"comma", ','}, {"semicolon", ';'}, {"tab", '\t'}, {"blanks", ' '}};
    for (size_t i = 0; settings->separator != NULL && i < sizeof names / sizeof *names; i++)
        if (strcmp(settings->separator, names[i].name) == 0)
            return names[i].separator;
    return find_separator(t, line);
}

const char *tin_text_skip(const tin_text_table *t, const char *p)
{
    const size_t comment = strlen(t->comment);
    for (;;) {
        const char *s = p;
        while (s < t->end && t->kinds[(unsigned char)*s] & TIN_BLANK)
            s++;
        if (s == t->end)
            return t->end;
        if (t->kinds[(unsigned char)*s] & TIN_ROW_END) {
            p = s + 1;
        } else if (comment > 0 && (size_t)(t->end - s) >= comment && memcmp(s, t->comment, comment) == 0) {
            p = memchr(s, '\n', (size_t)(t->end - s));
            if (p == NULL)
                return t->end;
        } else {
            return p;
        }
    }
}

/* *p stands on the opening quote, and behind the closing one afterwards; *doubled: there are quotes to be halved. */
static tin_status take_quoted(const tin_text_table *t, const char **p, tin_slice *field, bool *doubled, tin_error *err)
{
    const char *from = *p + 1, *s = from;
    *doubled = false;
    for (;; s += 2) {
        s = memchr(s, '"', (size_t)(t->end - s));
        if (s == NULL)
            return fault(t, *p, err, "a quote (\") opened in this row is never closed; close it");
        if (s + 1 == t->end || s[1] != '"')
            break;
        *doubled = true;
    }
    *field = (tin_slice){from, (size_t)(s - from)};
    for (s++; s < t->end && t->kinds[(unsigned char)*s] == TIN_BLANK; s++) {
    }
    if (s < t->end && !(t->kinds[(unsigned char)*s] & (TIN_SEPARATOR | TIN_ROW_END)))
        return fault(t, *p, err, "text behind a closing quote (\"); write a quote inside a field twice");
    *p = s;
    return TIN_OK;
}

/* Halves doubled quotes: the field moves into the scratch memory, which holds the whole row. */
static void undouble(tin_slice *field, char **to)
{
    const char *s = field->at, *end = s + field->size;
    char *from = *to;
    while (s < end) {
        *(*to)++ = *s;
        s += s[0] == '"' && s + 1 < end ? 2 : 1;
    }
    *field = (tin_slice){from, (size_t)(*to - from)};
}

static tin_status undouble_all(tin_fields *f, const unsigned char *doubled, size_t row_bytes, tin_error *err)
{
    if (row_bytes > f->scratch_bytes) {
        tin_free(f->scratch);
        f->scratch_bytes = 0;
        f->scratch = tin_alloc(row_bytes, 1, err);
        if (f->scratch == NULL)
            return TIN_ERR_MEMORY;
        f->scratch_bytes = row_bytes;
    }
    char *to = f->scratch;
    for (size_t i = 0; i < f->n; i++)
        if (doubled[i / 8] & 1 << i % 8)
            undouble(&f->at[i], &to);
    return TIN_OK;
}

static void take_plain(const tin_text_table *t, const char **p, tin_slice *field)
{
    const char *s = *p;
    while (s < t->end && !(t->kinds[(unsigned char)*s] & (TIN_SEPARATOR | TIN_ROW_END)))
        s++;
    const char *last = s;
    while (last > *p && t->kinds[(unsigned char)last[-1]] & TIN_BLANK)
        last--;
    *field = (tin_slice){*p, (size_t)(last - *p)};
    *p = s;
}

tin_status tin_text_row(const tin_text_table *t, const char *p, tin_fields *f, const char **next, tin_error *err)
{
    unsigned char doubled[TIN_TEXT_MAX_FIELDS / 8] = {0};
    const char *row = p;
    bool any = false;
    f->n = 0;
    for (;;) {
        while (p < t->end && t->kinds[(unsigned char)*p] & TIN_BLANK)
            p++;
        bool ends = p == t->end || t->kinds[(unsigned char)*p] & TIN_ROW_END;
        if (ends && t->runs)
            break;
        if (f->n == TIN_TEXT_MAX_FIELDS)
            return fault(t, row, err, "more than 1024 fields in a row; split the table");
        if (!ends && t->kinds[(unsigned char)*p] == TIN_QUOTE) {
            bool two = false;
            tin_status status = take_quoted(t, &p, &f->at[f->n], &two, err);
            if (status != TIN_OK)
                return status;
            doubled[f->n / 8] |= (unsigned char)(two << f->n % 8);
            any |= two;
        } else {
            take_plain(t, &p, &f->at[f->n]);
        }
        f->n++;
        if (p == t->end || t->kinds[(unsigned char)*p] & TIN_ROW_END)
            break;
        p++;
    }
    *next = p < t->end ? p + 1 : p;
    return any ? undouble_all(f, doubled, (size_t)(p - row), err) : TIN_OK;
}

tin_status tin_text_check_count(const tin_text_table *t, const char *p, const tin_fields *f, tin_error *err)
{
    return f->n == t->n_columns
               ? TIN_OK
               : tin_fail_at(err, TIN_ERR_DATA, t->path, tin_text_line(t, p),
                             "%zu fields where the first line %s %zu columns; complete the row or remove it", f->n,
                             t->names != NULL ? "names" : "has", t->n_columns);
}

void tin_fields_free(tin_fields *f)
{
    tin_free(f->scratch);
    f->scratch = NULL;
    f->scratch_bytes = 0;
}

static tin_status copy_names(tin_text_table *t, const tin_fields *f, tin_error *err)
{
    t->names = tin_alloc(f->n, sizeof *t->names, err);
    for (size_t i = 0; i < f->n && t->names != NULL; i++) {
        t->names[i] = tin_alloc(f->at[i].size + 1, 1, err);
        if (t->names[i] == NULL)
            return TIN_ERR_MEMORY;
        memcpy(t->names[i], f->at[i].at, f->at[i].size);
    }
    return t->names == NULL ? TIN_ERR_MEMORY : TIN_OK;
}

/* Counts the columns and takes the names. */
static tin_status read_first(tin_text_table *t, bool header, tin_error *err)
{
    const char *row = t->first, *next = NULL;
    tin_fields *f = tin_alloc(1, sizeof *f, err);
    if (f == NULL)
        return TIN_ERR_MEMORY;
    tin_status status = tin_text_row(t, row, f, &next, err);
    if (status == TIN_OK) {
        t->n_columns = f->n;
        if (header) {
            t->first = tin_text_skip(t, next);
            status = copy_names(t, f, err);
        }
    }
    tin_fields_free(f);
    tin_free(f);
    return status;
}

tin_status tin_text_nul(const char *path, tin_error *err)
{
    return tin_fail_at(err, TIN_ERR_DATA, path, 0, "the file holds NUL bytes; save it as text in UTF-8");
}

tin_status tin_text_take(tin_text_table *t, const tin_config_text *settings, const char *text, size_t size,
                         const char *path, tin_error *err)
{
    *t = (tin_text_table){.path = path};
    return size > 0 && memchr(text, '\0', size) != NULL ? tin_text_nul(path, err)
                                                        : tin_text_begin(t, settings, text, size, path, err);
}

tin_status tin_text_begin(tin_text_table *t, const tin_config_text *settings, const char *text, size_t size,
                          const char *path, tin_error *err)
{
    const char *row_end = settings->row_end != NULL ? settings->row_end : "";
    *t = (tin_text_table){.path = path,
                          .text = text,
                          .end = text + size,
                          .point = settings->decimal_comma ? ',' : '.',
                          .comment = settings->comment != NULL ? settings->comment : ""};
    const char *p = size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? text + 3 : text;
    for (int i = 0; i < settings->skip_lines && p < t->end; i++) {
        p = memchr(p, '\n', (size_t)(t->end - p));
        p = p == NULL ? t->end : p + 1;
    }
    set_kinds(t, '\0', row_end); /* to find the first row; its separator is not known yet */
    p = size > 0 ? tin_text_skip(t, p) : p;
    if (p == t->end)
        return tin_fail_at(err, TIN_ERR_DATA, path, 0,
                           settings->header ? "the file is empty; its first line must name the columns"
                                            : "the file is empty; record again or remove it");
    memset(t->kinds, 0, sizeof t->kinds);
    set_kinds(t, separator_of(settings, t, p), row_end);
    if (settings->no_quotes)
        t->kinds['"'] = 0;
    t->first = p;
    return read_first(t, settings->header, err);
}

tin_status tin_text_open(tin_text_table *t, const tin_config_text *settings, const char *path, tin_error *err)
{
    tin_map map = {0};
    *t = (tin_text_table){.path = path};
    tin_status status = tin_map_open(&map, path, err);
    if (status != TIN_OK)
        return status;
    status = tin_text_take(t, settings, map.data != NULL ? (const char *)map.data : "", map.size, path, err);
    t->map = map;
    return status;
}

void tin_text_close(tin_text_table *t)
{
    for (size_t i = 0; t->names != NULL && i < t->n_columns; i++)
        tin_free(t->names[i]);
    tin_free(t->names);
    tin_map_close(&t->map);
    *t = (tin_text_table){0};
}

const char *tin_text_place(const tin_text_table *t, size_t column, char place[TIN_TEXT_MAX_PLACE])
{
    if (t->names != NULL)
        (void)snprintf(place, TIN_TEXT_MAX_PLACE, "column '%.60s'", t->names[column]);
    else
        (void)snprintf(place, TIN_TEXT_MAX_PLACE, "column %zu", column + 1);
    return place;
}

static tin_status no_column(const tin_text_table *t, const char *name, const char *setting, tin_error *err)
{
    char list[400] = "";
    size_t used = 0;
    if (t->names == NULL)
        return tin_fail_at(err, TIN_ERR_DATA, t->path, tin_text_line(t, t->first),
                           "there is no column '%s'; the file names no columns and has %zu of them. Write a number "
                           "from 1 to %zu in %s",
                           name, t->n_columns, t->n_columns, setting);
    for (size_t i = 0; i < t->n_columns && used < sizeof list - 1; i++) {
        int n = snprintf(list + used, sizeof list - used, "%s%.60s", i > 0 ? ", " : "", t->names[i]);
        used += n > 0 ? (size_t)n : 0;
    }
    return tin_fail_at(err, TIN_ERR_DATA, t->path, 1,
                       "there is no column '%s'; the file has: %s. Correct %s or the first line of the file", name,
                       list, setting);
}

tin_status tin_text_column(const tin_text_table *t, const char *name, const char *setting, size_t *index,
                           tin_error *err)
{
    bool found = false;
    for (size_t i = 0; t->names != NULL && i < t->n_columns; i++)
        if (strcmp(t->names[i], name) == 0) {
            if (found)
                return tin_fail_at(err, TIN_ERR_DATA, t->path, 1,
                                   "two columns are called '%s'; rename one, or give the column's number in %s", name,
                                   setting);
            found = true;
            *index = i;
        }
    if (found)
        return TIN_OK;
    char *end = NULL;
    errno = 0;
    unsigned long number = isdigit((unsigned char)name[0]) ? strtoul(name, &end, 10) : 0;
    if (number == 0 || *end != '\0' || errno != 0 || number > t->n_columns)
        return no_column(t, name, setting, err);
    *index = number - 1;
    return TIN_OK;
}

tin_status tin_text_number(const tin_text_table *t, const char *row, const tin_fields *f, size_t column, double *number,
                           tin_error *err)
{
    const tin_slice s = f->at[column];
    char place[TIN_TEXT_MAX_PLACE];
    bool is_number = tin_decimal(s.at, s.size, t->point, number);
    if (is_number && isfinite(*number))
        return TIN_OK;
    (void)tin_text_place(t, column, place);
    return is_number
               ? tin_fail_at(err, TIN_ERR_DATA, t->path, tin_text_line(t, row),
                             "%s: '%.*s' is not finite; remove the row, repair the value, or name it in `missing`",
                             place, (int)(s.size < 60 ? s.size : 60), s.at)
               : tin_fail_at(err, TIN_ERR_DATA, t->path, tin_text_line(t, row),
                             "%s: '%.*s' is not a number; write it with a decimal %s, like -1%c5", place,
                             (int)(s.size < 60 ? s.size : 60), s.at, t->point == ',' ? "comma" : "point", t->point);
}
