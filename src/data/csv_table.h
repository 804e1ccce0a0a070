/* Private to src/data: rows of delimited text (CSV). Knows quotes, doubled quotes, separators and line ends inside
 * quotes, CRLF, a byte order mark, and finds out whether commas, semicolons or tabs separate. Not a whole-table reader:
 * one row at a time, fields without copies. Any bytes are safe to read. */
#ifndef TIN_CSV_TABLE_H
#define TIN_CSV_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define TIN_CSV_MAX_FIELDS 1024

typedef struct tin_csv_table {
    const char *path; /* for errors; the caller keeps it */
    char *text;       /* the whole file, NUL-terminated; owned. Quoted fields are unquoted in place. */
    size_t size, position;
    char separator;
    long line, next_line; /* 1-based, of the current row's start and of `position` */
    size_t n_fields;
    char *
        fields[TIN_CSV_MAX_FIELDS]; /* of the current row, NUL-terminated, spaces around them cut; valid for this row */
    size_t n_names;
    char **names; /* of the columns, owned */
} tin_csv_table;

/* Reads the file and its first row, the column names. TIN_ERR_DATA when there is none, or for a NUL byte. */
tin_status tin_csv_open(tin_csv_table *table, const char *path, tin_error *err) TIN_USE_RESULT;
/* The same over text got from tin_alloc with a NUL behind its `size` bytes; the table owns it, also after a failure. */
tin_status tin_csv_take(tin_csv_table *table, char *text, size_t size, const char *path, tin_error *err) TIN_USE_RESULT;
/* Next row; *more is false at the end. Empty lines are passed over. TIN_ERR_DATA for a row with another number of
 * fields than the first one, and for a quote without an end. */
tin_status tin_csv_next(tin_csv_table *table, bool *more, tin_error *err) TIN_USE_RESULT;
/* Index of the column, or TIN_ERR_DATA with a list of those that are there. `setting`: where the name came from. */
tin_status tin_csv_column(const tin_csv_table *table, const char *name, const char *setting, size_t *index,
                          tin_error *err) TIN_USE_RESULT;
/* The current row's field as a finite number. */
tin_status tin_csv_number(const tin_csv_table *table, size_t column, double *number, tin_error *err) TIN_USE_RESULT;
void tin_csv_close(tin_csv_table *table);

#endif
