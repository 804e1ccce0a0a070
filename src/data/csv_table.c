#include "data/csv_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/memory.h"

static tin_status fault(const tin_csv_table *t, tin_error *err, const char *what)
{
    return tin_fail_at(err, TIN_ERR_DATA, t->path, t->line, "%s", what);
}

/* What stands most often on the first line, outside quotes; a comma when nothing does. */
static char find_separator(const char *text)
{
    static const char separators[3] = {',', ';', '\t'};
    size_t count[3] = {0, 0, 0};
    bool quoted = false;
    for (const char *s = text; *s != '\0' && (quoted || (*s != '\n' && *s != '\r')); s++) {
        quoted ^= *s == '"';
        for (int i = 0; i < 3 && !quoted; i++)
            count[i] += *s == separators[i];
    }
    int best = 0;
    for (int i = 1; i < 3; i++)
        if (count[i] > count[best])
            best = i;
    return separators[best];
}

static bool is_blank(char c, char separator)
{
    return (c == ' ' || c == '\t') && c != separator;
}

static bool ends_row(const tin_csv_table *t)
{
    const char *s = t->text + t->position;
    return t->position >= t->size || *s == '\n' || (*s == '\r' && (s[1] == '\n' || t->position + 1 == t->size));
}

/* Moves `position` behind the closing quote; the field's text is unquoted in place. */
static tin_status take_quoted(tin_csv_table *t, char **field, char **field_end, tin_error *err)
{
    char *to = t->text + ++t->position;
    *field = to;
    for (;; t->position++) {
        if (t->position >= t->size)
            return fault(t, err, "a quote (\") opened in this row is never closed; close it");
        char c = t->text[t->position];
        if (c == '"') {
            t->position++;
            if (t->position >= t->size || t->text[t->position] != '"')
                break;
        }
        t->next_line += c == '\n';
        *to++ = c;
    }
    *field_end = to;
    while (!ends_row(t) && is_blank(t->text[t->position], t->separator))
        t->position++;
    if (!ends_row(t) && t->text[t->position] != t->separator)
        return fault(t, err, "text behind a closing quote (\"); write a quote inside a field twice");
    return TIN_OK;
}

static void take_plain(tin_csv_table *t, char **field, char **field_end)
{
    *field = t->text + t->position;
    while (!ends_row(t) && t->text[t->position] != t->separator)
        t->position++;
    char *end = t->text + t->position;
    while (end > *field && is_blank(end[-1], t->separator))
        end--;
    *field_end = end;
}

/* One row from `position` on. Fields are NUL-terminated only after the separator behind them was looked at. */
static tin_status take_row(tin_csv_table *t, tin_error *err)
{
    t->line = t->next_line;
    t->n_fields = 0;
    for (;;) {
        char *field = NULL, *field_end = NULL;
        if (t->n_fields == TIN_CSV_MAX_FIELDS)
            return fault(t, err, "more than 1024 fields in a row; split the table");
        while (!ends_row(t) && is_blank(t->text[t->position], t->separator))
            t->position++;
        if (!ends_row(t) && t->text[t->position] == '"') {
            tin_status status = take_quoted(t, &field, &field_end, err);
            if (status != TIN_OK)
                return status;
        } else {
            take_plain(t, &field, &field_end);
        }
        t->fields[t->n_fields++] = field;
        bool last = ends_row(t);
        if (last && t->position < t->size) {
            t->position += t->text[t->position] == '\r' && t->position + 1 < t->size ? 2 : 1;
            t->next_line++;
        } else if (!last) {
            t->position++;
        }
        *field_end = '\0'; /* at the latest on the separator, the line end or the NUL behind the text */
        if (last)
            return TIN_OK;
    }
}

static tin_status copy_names(tin_csv_table *t, tin_error *err)
{
    t->names = tin_alloc(t->n_fields, sizeof *t->names, err);
    if (t->names == NULL)
        return TIN_ERR_MEMORY;
    for (size_t i = 0; i < t->n_fields; i++) {
        t->names[i] = tin_strdup(t->fields[i], err);
        if (t->names[i] == NULL)
            return TIN_ERR_MEMORY;
        t->n_names++;
        for (size_t k = 0; k < i; k++)
            if (t->names[k][0] != '\0' && strcmp(t->names[k], t->names[i]) == 0)
                return tin_fail_at(err, TIN_ERR_DATA, t->path, t->line, "two columns are called '%s'; rename one",
                                   t->names[i]);
    }
    return TIN_OK;
}

tin_status tin_csv_take(tin_csv_table *t, char *text, size_t size, const char *path, tin_error *err)
{
    *t = (tin_csv_table){.path = path, .text = text, .size = size, .line = 1, .next_line = 1};
    if (memchr(text, '\0', size) != NULL)
        return tin_fail_at(err, TIN_ERR_DATA, path, 0, "the file holds NUL bytes; save it as CSV text in UTF-8");
    if (size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
        t->position = 3;
    while (t->position < size && ends_row(t)) { /* empty lines above the names */
        t->next_line += text[t->position] == '\n';
        t->position++;
    }
    if (t->position >= size)
        return tin_fail_at(err, TIN_ERR_DATA, path, 0, "the file is empty; its first line must name the columns");
    t->separator = find_separator(text + t->position);
    tin_status status = take_row(t, err);
    return status == TIN_OK ? copy_names(t, err) : status;
}

tin_status tin_csv_open(tin_csv_table *table, const char *path, tin_error *err)
{
    *table = (tin_csv_table){.path = path};
    char *text = NULL;
    size_t size = 0;
    tin_status status = tin_file_read(path, &text, &size, err);
    return status == TIN_OK ? tin_csv_take(table, text, size, path, err) : status;
}

tin_status tin_csv_next(tin_csv_table *t, bool *more, tin_error *err)
{
    *more = false;
    while (t->position < t->size && ends_row(t)) {
        t->next_line += t->text[t->position] == '\n';
        t->position++;
    }
    if (t->position >= t->size)
        return TIN_OK;
    tin_status status = take_row(t, err);
    if (status != TIN_OK)
        return status;
    if (t->n_fields != t->n_names)
        return tin_fail_at(err, TIN_ERR_DATA, t->path, t->line,
                           "%zu fields where the first line names %zu columns; complete the row or remove it",
                           t->n_fields, t->n_names);
    *more = true;
    return TIN_OK;
}

tin_status tin_csv_column(const tin_csv_table *t, const char *name, const char *setting, size_t *index, tin_error *err)
{
    for (size_t i = 0; i < t->n_names; i++)
        if (strcmp(t->names[i], name) == 0) {
            *index = i;
            return TIN_OK;
        }
    char list[400] = "";
    size_t used = 0;
    for (size_t i = 0; i < t->n_names; i++) {
        size_t length = strlen(t->names[i]);
        if (used + length + 8 > sizeof list) {
            memcpy(list + used, "...", 4);
            break;
        }
        if (i > 0) {
            memcpy(list + used, ", ", 2);
            used += 2;
        }
        memcpy(list + used, t->names[i], length + 1);
        used += length;
    }
    return tin_fail_at(err, TIN_ERR_DATA, t->path, 1,
                       "there is no column '%s'; the file has: %s. Correct %s or the first line of the file", name,
                       list, setting);
}

/* Decimal digits with at most 15 of them and a small power of ten are exact in one division (Clinger 1990); true when
 * the field was such a number. Everything else is left to strtod. */
static bool short_number(const char *s, double *number)
{
    static const double powers[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    bool negative = *s == '-';
    s += negative;
    double mantissa = 0;
    int digits = 0, decimals = 0;
    bool point = false;
    for (; *s != '\0'; s++) {
        if (*s == '.' && !point) {
            point = true;
        } else if (*s >= '0' && *s <= '9' && digits < 15) {
            mantissa = mantissa * 10 + (*s - '0');
            digits++;
            decimals += point;
        } else {
            return false;
        }
    }
    *number = (negative ? -mantissa : mantissa) / powers[decimals];
    return digits > 0;
}

tin_status tin_csv_number(const tin_csv_table *t, size_t column, double *number, tin_error *err)
{
    const char *field = t->fields[column];
    if (short_number(field, number))
        return TIN_OK;
    char *end = NULL;
    bool decimal = field[0] != '\0' && field[strspn(field, "0123456789+-.eE")] == '\0';
    *number = strtod(field, &end);
    if (decimal && *end == '\0' && isfinite(*number))
        return TIN_OK;
    if (*end == '\0' && field[0] != '\0' && !isfinite(*number))
        return tin_fail_at(err, TIN_ERR_DATA, t->path, t->line,
                           "column '%s': '%s' is not finite; remove the row or repair the value", t->names[column],
                           field);
    return tin_fail_at(err, TIN_ERR_DATA, t->path, t->line,
                       "column '%s': '%.60s' is not a number; write it with a decimal point, like -1.5",
                       t->names[column], field);
}

void tin_csv_close(tin_csv_table *t)
{
    for (size_t i = 0; i < t->n_names; i++)
        tin_free(t->names[i]);
    tin_free(t->names);
    tin_free(t->text);
    *t = (tin_csv_table){0};
}
