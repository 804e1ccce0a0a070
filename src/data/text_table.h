/* Private to src/data: rows of delimited text, and the columns that settings name. Knows quotes, doubled quotes,
 * separators and line ends inside quotes, CRLF, a byte order mark, comments, and finds out what separates.
 *
 * Fields are slices of the text, without copies. Any bytes are safe to read. text_samples.h reads big files of numbers
 * with the same rules; here one row is taken at a time. */
#ifndef TIN_TEXT_TABLE_H
#define TIN_TEXT_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/file.h"
#include "project/config.h"

#define TIN_TEXT_MAX_FIELDS 1024
#define TIN_TEXT_MAX_PLACE 80

typedef struct tin_slice {
    const char *at;
    size_t size;
} tin_slice;

/* One row. Zero-initialise; tin_fields_free afterwards. */
typedef struct tin_fields {
    size_t n;
    tin_slice at[TIN_TEXT_MAX_FIELDS]; /* blanks around them cut, quotes taken off */
    char *scratch;                     /* for quotes doubled inside quotes */
    size_t scratch_bytes;
} tin_fields;

enum tin_character { TIN_SEPARATOR = 1, TIN_ROW_END = 2, TIN_BLANK = 4, TIN_QUOTE = 8 };

typedef struct tin_text_table {
    const char *path; /* for errors; the caller keeps it */
    tin_map map;
    const char *text, *end; /* behind the byte order mark */
    const char *first;      /* first row, behind skipped lines and header */
    unsigned char kinds[256];
    bool runs; /* any number of separators in a row is one (blanks) */
    char point;
    const char *comment; /* "": none */
    size_t n_columns;    /* of the header or the first row; 0: there is no row */
    char **names;        /* [n_columns], owned; NULL: no header */
} tin_text_table;

/* Maps the file and reads its header. `settings` must live as long as the table. TIN_ERR_DATA when there is nothing, or
 * for a NUL byte. */
tin_status tin_text_open(tin_text_table *t, const tin_config_text *settings, const char *path,
                         tin_error *err) TIN_USE_RESULT;
/* The same over bytes in memory, which the caller keeps. */
tin_status tin_text_take(tin_text_table *t, const tin_config_text *settings, const char *text, size_t size,
                         const char *path, tin_error *err) TIN_USE_RESULT;
/* The same for a caller who looks for NUL bytes by himself, and reports them by tin_text_nul. */
tin_status tin_text_begin(tin_text_table *t, const tin_config_text *settings, const char *text, size_t size,
                          const char *path, tin_error *err) TIN_USE_RESULT;
tin_status tin_text_nul(const char *path, tin_error *err);
void tin_text_close(tin_text_table *t);

/* Passes over empty lines and comments: the next row, or t->end. */
const char *tin_text_skip(const tin_text_table *t, const char *p);
/* Splits the row at p (got from tin_text_skip, not the end); *next is what follows it. TIN_ERR_DATA for a quote without
 * an end, text behind a closing quote, or too many fields. The number of fields is not checked. */
tin_status tin_text_row(const tin_text_table *t, const char *p, tin_fields *fields, const char **next,
                        tin_error *err) TIN_USE_RESULT;
/* TIN_ERR_DATA when the row at p has another number of fields than the table. */
tin_status tin_text_check_count(const tin_text_table *t, const char *p, const tin_fields *fields,
                                tin_error *err) TIN_USE_RESULT;
void tin_fields_free(tin_fields *fields);

/* 1-based line of a place in the text. */
long tin_text_line(const tin_text_table *t, const char *p);
/* "column 'ax'" or "column 3", for errors. */
const char *tin_text_place(const tin_text_table *t, size_t column, char place[TIN_TEXT_MAX_PLACE]);

/* Index of the column that `name` means: a name of the header, else a number from 1. TIN_ERR_DATA lists what is there.
 * `setting`: where the name came from. */
tin_status tin_text_column(const tin_text_table *t, const char *name, const char *setting, size_t *index,
                           tin_error *err) TIN_USE_RESULT;
/* A field as a finite number, or TIN_ERR_DATA; `row` says the line. */
tin_status tin_text_number(const tin_text_table *t, const char *row, const tin_fields *fields, size_t column,
                           double *number, tin_error *err) TIN_USE_RESULT;

#endif
