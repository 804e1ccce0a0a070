/* Private to src/data: one CSV file of samples as a recording, shared by the general importer and those of published
 * data sets in CSV. */
#ifndef TIN_CSV_IMPORT_H
#define TIN_CSV_IMPORT_H

#include "data/recording.h"

/* What a file must look like. `labels`: the only labels allowed, n_labels 0: all. */
typedef struct tin_csv_layout {
    const char *const *columns; /* signals */
    int n_columns;
    const char *time_column; /* "": rows are at rate_hz */
    double ticks_per_second; /* of the time column */
    double rate_hz;
    const char *label_column;   /* "": none */
    const char *subject_column; /* "": r->subject is set by the caller */
    const char *const *labels;
    size_t n_labels;
    double *zero; /* where the clock stood at the first sample, seconds; may be NULL */
} tin_csv_layout;

/* Fills times, values, spans (of the label column) and the subject (of its column). r->n_channels is n_columns. */
tin_status tin_csv_read_samples(const tin_csv_layout *layout, const char *path, tin_recording *r,
                                tin_error *err) TIN_USE_RESULT;
/* TIN_OK when the layout allows the label, else TIN_ERR_DATA at that line. */
tin_status tin_csv_check_label(const tin_csv_layout *layout, const char *label, const char *path, long line,
                               tin_error *err) TIN_USE_RESULT;

#endif
