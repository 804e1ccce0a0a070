/* A CSV file of numbers with one header line, as Tinamou writes them (sweep.csv, NAME_curve.csv). An empty field, "nan"
 * or "inf" is NaN. No quotes. Everything is checked: the file may be damaged. */
#ifndef TIN_NUMBER_TABLE_H
#define TIN_NUMBER_TABLE_H

#include <stddef.h>

#include "base/error.h"

#define TIN_TABLE_MAX_COLUMNS 64

typedef struct tin_number_table {
    char *text; /* the file, cut into the names */
    const char *names[TIN_TABLE_MAX_COLUMNS];
    size_t n_columns, n_rows;
    double *values; /* [n_rows][n_columns] */
} tin_number_table;

/* TIN_ERR_FORMAT with file, line and value when a field is no number or a row has another number of fields. */
tin_status tin_number_table_read(tin_number_table *table, const char *path, tin_error *err) TIN_USE_RESULT;
void tin_number_table_free(tin_number_table *table);
/* n_columns when there is none. */
size_t tin_number_table_column(const tin_number_table *table, const char *name);

#endif
