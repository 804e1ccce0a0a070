/* Private to src/data: the labels of an import: their names, and label files of every kind as one list of rows. */
#ifndef TIN_IMPORT_LABELS_H
#define TIN_IMPORT_LABELS_H

#include "data/import_plan.h"
#include "data/text_table.h"

/* One interval of a label file, in the unit of the settings: half open, samples counted from 0. */
typedef struct tin_label_row {
    double start, end;
    const char *label; /* in tin_import_labels */
    const char *path;  /* in tin_import_labels */
    long line;         /* or number of the annotation */
    size_t set;        /* whose it is */
} tin_label_row;

/* Texts of a file with one for each row of the samples. */
typedef struct tin_row_file {
    size_t set;
    char *path;
    char **texts;
    size_t n;
} tin_row_file;

typedef struct tin_row_files {
    tin_row_file *items;
    size_t n;
} tin_row_files;

typedef struct tin_label_name {
    char *value, *name;
} tin_label_name;

typedef struct tin_import_labels {
    const tin_config_labels *settings;
    tin_label_name *names; /* that can be, in order */
    size_t n_names;
    bool closed;         /* no others can be */
    tin_label_row *rows; /* sorted by set and start */
    size_t n_rows, rows_capacity;
    tin_row_files row_files, subject_files;
    char **paths; /* of label files */
    size_t n_paths;
    char **other; /* names that are not in `names`, where these are not closed */
    size_t n_other;
} tin_import_labels;

/* Reads the names and all label files of the plan's sets, and declares the labels to the source. The caller frees
 * the labels, also after a failure. */
tin_status tin_import_labels_load(tin_import_labels *labels, const tin_import_plan *plan, tin_source *source,
                                  tin_error *err) TIN_USE_RESULT;
void tin_import_labels_free(tin_import_labels *labels);

/* *name: what the value of a file stands for; NULL: no label. It lives as long as the value or the labels. TIN_ERR_DATA
 * for one that is unknown where all are known; `place`: "column 'label'". */
tin_status tin_import_labels_name(const tin_import_labels *labels, const char *value, const char *path, long line,
                                  const char *place, const char **name, tin_error *err) TIN_USE_RESULT;
/* The set's rows, [*n]. */
const tin_label_row *tin_import_labels_rows(const tin_import_labels *labels, size_t set, size_t *n);
/* The set's texts, or NULL. */
const tin_row_file *tin_row_file_find(const tin_row_files *files, size_t set);

/* For the readers of formats: one more row; the label is named, and the row kept unless it has none. */
tin_status tin_import_labels_add(tin_import_labels *labels, tin_label_row row, const char *value, const char *place,
                                 tin_error *err) TIN_USE_RESULT;
/* label_studio.c: every annotated region of an export. */
tin_status tin_label_studio_read(tin_import_labels *labels, const tin_import_plan *plan, const char *path,
                                 const char *text, size_t size, size_t *unmatched, tin_error *err) TIN_USE_RESULT;

#endif
