/* Private to src/data: what the readers of table_FORMAT.c share. */
#ifndef TIN_TABLE_FORMATS_H
#define TIN_TABLE_FORMATS_H

#include <stdint.h>

#include "data/table.h"

typedef struct tin_table_input {
    const char *path, *entry; /* entry NULL: none asked for */
    const char *key;          /* that signatures must fit; NULL: they are not looked at */
    const uint8_t *data;      /* [size] the whole file */
    size_t size;
} tin_table_input;

/* The limits of table.h, and no empty table. */
tin_status tin_table_check_shape(const char *path, uint64_t n_rows, uint64_t n_columns, tin_error *err) TIN_USE_RESULT;
/* Checks and sets the shape and allocates the values. A reader compares sizes with the bytes that are there before,
 * where its format lets it. */
tin_status tin_table_shape(tin_table *table, const char *path, uint64_t n_rows, uint64_t n_columns,
                           tin_error *err) TIN_USE_RESULT;
/* "1", "2", ... as the columns' names. */
tin_status tin_table_number_columns(tin_table *table, tin_error *err) TIN_USE_RESULT;

/* One reader per format. After a failure the table may be half filled; tin_table_read_bytes frees it. */
tin_status tin_table_read_wav(const tin_table_input *in, tin_table *table, tin_error *err) TIN_USE_RESULT;
tin_status tin_table_read_flac(const tin_table_input *in, tin_table *table, tin_error *err) TIN_USE_RESULT;
tin_status tin_table_read_ogg(const tin_table_input *in, tin_table *table, tin_error *err) TIN_USE_RESULT;
tin_status tin_table_read_npy(const tin_table_input *in, tin_table *table, tin_error *err) TIN_USE_RESULT;
tin_status tin_table_read_npz(const tin_table_input *in, tin_table *table, tin_error *err) TIN_USE_RESULT;
tin_status tin_table_read_acquisition(const tin_table_input *in, tin_table *table, tin_error *err) TIN_USE_RESULT;
/* Opens in->path itself: the library reads from a file. */
tin_status tin_table_read_hdf5(const tin_table_input *in, tin_table *table, tin_error *err) TIN_USE_RESULT;

/* tin_table_read for a file that is in memory already; in->path still tells the format. */
tin_status tin_table_read_bytes(const tin_table_input *in, tin_table *table, tin_error *err) TIN_USE_RESULT;

#endif
