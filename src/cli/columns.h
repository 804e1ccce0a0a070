/* Private to src/cli: a table for people on stdout. Columns are as wide as they need; on a terminal that is too narrow
 * the last ones in rank are left out. */
#ifndef TIN_CLI_COLUMNS_H
#define TIN_CLI_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define CLI_TABLE_MOST_COLUMNS 20

typedef struct cli_column {
    const char *heading;
    bool left; /* texts; numbers stand on the right */
    int rank;  /* 0: always shown; greater: left out earlier */
} cli_column;

typedef struct cli_table {
    const cli_column *columns;
    size_t n_columns;
    char **cells; /* [n_cells] row by row */
    size_t n_cells, capacity;
} cli_table;

/* The next cell, which is copied. */
tin_status cli_table_add(cli_table *table, const char *cell, tin_error *err) TIN_USE_RESULT;
/* width 0: as wide as it needs. Returns whether a column was left out. */
bool cli_table_print(const cli_table *table, size_t width);
void cli_table_free(cli_table *table);
/* Columns of the terminal that stdout is, or of the variable COLUMNS; 0: none, as for a file or pipe. */
size_t cli_terminal_width(void);

#endif
