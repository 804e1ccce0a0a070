/* Private to src/data: the samples of one file, whatever its format, as the mapping wants them. */
#ifndef TIN_SAMPLES_H
#define TIN_SAMPLES_H

#include "base/pool.h"
#include "data/recording.h"

/* One column that is read. */
typedef struct tin_sample_column {
    char *name; /* of the file's header, or a number from 1; owned */
    int sensor; /* item of files.channels */
    double factor;
} tin_sample_column;

/* What to read of a file. */
typedef struct tin_sample_layout {
    const tin_config_files *settings;
    const char *where;          /* the settings' name, for errors: "data.import.files[1]" */
    tin_sample_column *columns; /* [n_columns]; those of a sensor stand together, in order of the sensors */
    int n_columns;
    double rate_hz;             /* of files that say none */
    const char *label_column;   /* "": none */
    const char *subject_column; /* "": none */
} tin_sample_layout;

/* A text that holds from this row on. NULL or "": none. */
typedef struct tin_row_text {
    size_t row;
    long line;
    char *text;
    size_t size; /* bytes of it */
} tin_row_text;

typedef struct tin_row_texts {
    tin_row_text *items;
    size_t n, capacity;
} tin_row_texts;

/* Tracks have as times the ticks of the time column (never decreasing within a cut). */
typedef struct tin_samples {
    tin_track *tracks; /* one, or one per sensor where numbers may be missing */
    uint32_t **rows;   /* [n_tracks][samples] row of each sample; NULL: all rows have one */
    int n_tracks;
    size_t n_rows;
    double *ticks;                  /* [n_rows]; NULL: no time column */
    double ticks_per_second;        /* of ticks */
    double rate_hz;                 /* where there are no ticks */
    tin_row_texts labels, subjects; /* where the columns change; the first one is at row 0 */
    size_t *cuts;                   /* rows before which the clock was set back */
    size_t n_cuts, cuts_capacity;
    size_t n_broken;       /* rows left out */
    long first_broken;     /* line */
    char *label, *subject; /* of the whole file, where the format says it */
} tin_samples;

/* Reads the file. `pool` NULL: in this thread alone. What is read does not depend on the pool. */
tin_status tin_samples_read(const tin_sample_layout *layout, const char *path, tin_pool *pool, tin_samples *samples,
                            tin_error *err) TIN_USE_RESULT;
/* Delimited text in memory, which the caller keeps; block_bytes: what a thread takes at a time. */
tin_status tin_samples_read_text(const tin_sample_layout *layout, const char *text, size_t size, const char *path,
                                 tin_pool *pool, size_t block_bytes, tin_samples *samples,
                                 tin_error *err) TIN_USE_RESULT;
void tin_samples_free(tin_samples *samples);

/* Tracks without samples for a layout; `missing`: one per sensor. */
tin_status tin_samples_start(tin_samples *samples, const tin_sample_layout *layout, bool missing,
                             tin_error *err) TIN_USE_RESULT;
/* One more change; the text is copied. */
tin_status tin_row_texts_add(tin_row_texts *texts, size_t row, long line, const char *text, size_t size,
                             tin_error *err) TIN_USE_RESULT;
tin_status tin_samples_add_cut(tin_samples *samples, size_t row, tin_error *err) TIN_USE_RESULT;

/* A table file (table.h). */
tin_status tin_samples_read_table(const tin_sample_layout *layout, const char *path, tin_samples *samples,
                                  tin_error *err) TIN_USE_RESULT;

#endif
