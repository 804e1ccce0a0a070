#include "cli/columns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/memory.h"

tin_status cli_table_add(cli_table *table, const char *cell, tin_error *err)
{
    if (table->n_cells == table->capacity) {
        size_t capacity = 2 * table->capacity + 64;
        char **grown = table->cells ? tin_grow(table->cells, table->capacity, capacity, sizeof *grown, err)
                                    : tin_alloc(capacity, sizeof *grown, err);
        if (!grown) {
            return TIN_ERR_MEMORY;
        }
        table->cells = grown;
        table->capacity = capacity;
    }
    table->cells[table->n_cells] = tin_strdup(cell, err);
    return table->cells[table->n_cells++] ? TIN_OK : TIN_ERR_MEMORY;
}

/* Characters, not bytes, of UTF-8. */
static size_t text_width(const char *text)
{
    size_t n = 0;
    for (; *text; text++) {
        n += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return n;
}

static size_t whole_width(const size_t *widths, const bool *shown, size_t n)
{
    size_t whole = 0;
    for (size_t i = 0; i < n; i++) {
        whole += shown[i] ? widths[i] + (whole > 0 ? 2 : 0) : 0;
    }
    return whole;
}

/* Leaves out the column of the greatest rank until the others fit. */
static bool choose_columns(const cli_table *table, const size_t *widths, size_t width, bool *shown)
{
    bool left_out = false;
    for (;;) {
        size_t last = table->n_columns;
        if (width == 0 || whole_width(widths, shown, table->n_columns) <= width) {
            return left_out;
        }
        for (size_t i = 0; i < table->n_columns; i++) {
            int rank = table->columns[i].rank;
            if (shown[i] && rank > 0 && (last == table->n_columns || rank > table->columns[last].rank)) {
                last = i;
            }
        }
        if (last == table->n_columns) {
            return left_out;
        }
        shown[last] = false;
        left_out = true;
    }
}

static void print_row(const cli_table *table, const size_t *widths, const bool *shown, const char *const *cells)
{
    size_t blanks = 0; /* are printed before the next cell, so that no line ends with them */
    for (size_t i = 0; i < table->n_columns; i++) {
        const char *cell = cells ? cells[i] : table->columns[i].heading;
        size_t fill = widths[i] - text_width(cell);
        if (!shown[i]) {
            continue;
        }
        blanks += table->columns[i].left ? 0 : fill;
        if (*cell) {
            printf("%*s%s", (int)blanks, "", cell);
            blanks = 0;
        }
        blanks += (table->columns[i].left ? fill : 0) + 2;
    }
    putchar('\n');
}

bool cli_table_print(const cli_table *table, size_t width)
{
    size_t widths[CLI_TABLE_MOST_COLUMNS] = {0};
    bool shown[CLI_TABLE_MOST_COLUMNS];
    for (size_t i = 0; i < table->n_columns; i++) {
        shown[i] = true;
        widths[i] = text_width(table->columns[i].heading);
    }
    for (size_t i = 0; i < table->n_cells; i++) {
        size_t *column = &widths[i % table->n_columns], wide = text_width(table->cells[i]);
        *column = wide > *column ? wide : *column;
    }
    bool left_out = choose_columns(table, widths, width, shown);
    print_row(table, widths, shown, NULL);
    for (size_t i = 0; i + table->n_columns <= table->n_cells; i += table->n_columns) {
        print_row(table, widths, shown, (const char *const *)table->cells + i);
    }
    return left_out;
}

void cli_table_free(cli_table *table)
{
    for (size_t i = 0; i < table->n_cells; i++) {
        tin_free(table->cells[i]);
    }
    tin_free(table->cells);
    *table = (cli_table){0};
}

size_t cli_terminal_width(void)
{
    struct winsize size;
    const char *columns = getenv("COLUMNS");
    if (columns && *columns) {
        return strtoul(columns, NULL, 10);
    }
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}
