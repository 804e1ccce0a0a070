/* Tables of numbers read from files of other tools, one call for all formats:
 *
 *     tin_table table;
 *     tin_status status = tin_table_read("walk.npz", "acceleration", &table, &err);
 *     ... table.values[row * table.n_columns + column] ...
 *     tin_table_free(&table);
 *
 * The whole table is in memory. It is whole or there is none: a file that is cut, damaged or of an unexpected kind is
 * an error, never a shorter table. Delimited text is not read here (samples.h). docs/formats.md says what each format
 * may hold; files are hostile input, except that HDF5 files are as safe as the HDF5 library is. */
#ifndef TIN_TABLE_H
#define TIN_TABLE_H

#include <stddef.h>

#include "base/error.h"

#define TIN_TABLE_MAX_VALUES ((size_t)1 << 29) /* 4 GiB of doubles */
#define TIN_TABLE_MAX_COLUMNS 4096

typedef struct tin_table {
    size_t n_rows, n_columns;
    double *values;        /* [n_rows][n_columns]; may hold NaN and infinity where the format can */
    char **names, **units; /* [n_columns]; NULL: the format has none */
    double rate_hz;        /* rows per second; 0: the file does not say */
    char *label, *subject; /* of the whole file; NULL: the file does not say */
} tin_table;

/* Reads the file by its ending, in any case: wav, flac, ogg, oga, npy, npz, json and cbor (Edge
 * Impulse's acquisition format), h5, hdf5.
 * entry: the array inside an npz, the dataset inside an HDF5 file; NULL or "": the file must hold a single one, or the format knows no entries.
 * When the environment variable TINAMOU_HMAC_KEY holds a key (its characters), the signature of each json and cbor file must
 * fit it, and a file that says that it is not signed is refused.
 * TIN_ERR_DATA for a file that is not as the format demands and for one above the limits; the table is then empty. */
tin_status tin_table_read(const char *path, const char *entry, tin_table *table, tin_error *err) TIN_USE_RESULT;
void tin_table_free(tin_table *table);

#endif
