#include "evaluate/number_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"

/* Ends the line at its newline (and carriage return) and gives the start of the next one, NULL at the end of the text.
 */
static char *cut_line(char *line)
{
    char *newline = strchr(line, '\n');
    if (newline == NULL) {
        return NULL;
    }
    *newline = '\0';
    if (newline > line && newline[-1] == '\r') {
        newline[-1] = '\0';
    }
    return newline + 1;
}

static tin_status read_header(tin_number_table *table, char *line, const char *path, tin_error *err)
{
    for (char *field = line; field != NULL;) {
        char *comma = strchr(field, ',');
        if (comma != NULL) {
            *comma = '\0';
        }
        if (table->n_columns == TIN_TABLE_MAX_COLUMNS || field[0] == '\0') {
            return tin_fail_at(
                err, TIN_ERR_FORMAT, path, 1,
                "the header has an empty name or more than %d columns; run the stage that writes this file again",
                TIN_TABLE_MAX_COLUMNS);
        }
        table->names[table->n_columns++] = field;
        field = comma != NULL ? comma + 1 : NULL;
    }
    return TIN_OK;
}

static tin_status read_row(tin_number_table *table, char *line, long number, const char *path, tin_error *err)
{
    double *row = table->values + table->n_rows * table->n_columns;
    char *field = line;
    for (size_t c = 0; c < table->n_columns; c++) {
        if (field == NULL) {
            return tin_fail_at(err, TIN_ERR_FORMAT, path, number,
                               "has %zu fields, the header %zu; run the stage that writes this file "
                               "again",
                               c, table->n_columns);
        }
        char *comma = strchr(field, ',');
        if (comma != NULL) {
            *comma = '\0';
        }
        char *end = field;
        row[c] = field[0] == '\0' ? (double)NAN : strtod(field, &end);
        if (*end != '\0') {
            return tin_fail_at(err, TIN_ERR_FORMAT, path, number,
                               "column %s is \"%.40s\", not a number; run the stage that writes this "
                               "file again",
                               table->names[c], field);
        }
        field = comma != NULL ? comma + 1 : NULL;
    }
    if (field != NULL) {
        return tin_fail_at(err, TIN_ERR_FORMAT, path, number,
                           "has more than %zu fields; run the stage that writes this file again", table->n_columns);
    }
    table->n_rows++;
    return TIN_OK;
}

static size_t count_lines(const char *text)
{
    size_t n = 1;
    for (; *text != '\0'; text++) {
        n += *text == '\n';
    }
    return n;
}

tin_status tin_number_table_read(tin_number_table *table, const char *path, tin_error *err)
{
    *table = (tin_number_table){0};
    size_t size = 0;
    tin_status status = tin_file_read(path, &table->text, &size, err);
    if (status != TIN_OK) {
        return status;
    }
    if (size == 0 || strlen(table->text) != size) {
        status = tin_fail_at(err, TIN_ERR_FORMAT, path, 0,
                             "is empty or holds a zero byte; run the stage that writes this file again");
        goto cleanup;
    }
    size_t n_lines = count_lines(table->text);
    char *line = table->text, *next = cut_line(line);
    status = read_header(table, line, path, err);
    if (status != TIN_OK) {
        goto cleanup;
    }
    table->values = tin_alloc(n_lines * table->n_columns, sizeof *table->values, err);
    if (table->values == NULL) {
        status = TIN_ERR_MEMORY;
        goto cleanup;
    }
    long number = 2;
    for (line = next; status == TIN_OK && line != NULL && line[0] != '\0'; line = next, number++) {
        next = cut_line(line);
        status = read_row(table, line, number, path, err);
    }
cleanup:
    if (status != TIN_OK) {
        tin_number_table_free(table);
    }
    return status;
}

void tin_number_table_free(tin_number_table *table)
{
    tin_free(table->text);
    tin_free(table->values);
    *table = (tin_number_table){0};
}

size_t tin_number_table_column(const tin_number_table *table, const char *name)
{
    size_t c = 0;
    while (c < table->n_columns && strcmp(table->names[c], name) != 0) {
        c++;
    }
    return c;
}
