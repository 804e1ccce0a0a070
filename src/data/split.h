/* Private to src/data: who trains, who chooses, who tests. What stays together is a unit: all recordings of a subject, of a
 * session, or, by time, a block of a recording. Units lie in folds, of which one is for the test, the one before it for
 * validation, and the others are trained on. */
#ifndef TIN_SPLIT_H
#define TIN_SPLIT_H

#include "data/class_map.h"

#define TIN_SPLIT_MOST_FOLDS 100 /* by time and by number; leave-one-out has as many as there are units */

/* Seconds [start, end) on the recording's clock have a role. */
typedef struct tin_split_segment {
    double start, end;
    tin_role role;
} tin_split_segment;

/* Zero-initialise. */
typedef struct tin_split {
    tin_role *roles; /* [n_recordings]; by time NULL */
    int n_folds, test_fold;
    double guard_s;
} tin_split;

/* frozen: path of the file that remembers the fold of each unit; it is read when it is there, and written when units were
 * added to it. NULL: nothing is remembered. TIN_ERR_CONFIG for a subject that is not there, for one in both lists, and
 * when a role stays empty. */
tin_status tin_split_make(tin_split *split, const tin_config_data *settings, const tin_source *source,
                          const tin_class_map *map, const char *frozen, tin_error *err) TIN_USE_RESULT;
void tin_split_free(tin_split *split);

/* What becomes of a recording that ends at `end` seconds on its clock: segments in order, of which there are at most
 * TIN_SPLIT_MOST_FOLDS. What lies in none is left out. */
size_t tin_split_segments(const tin_split *split, size_t recording, double end,
                          tin_split_segment segments[TIN_SPLIT_MOST_FOLDS]);

/* The fold, from 1 on, that each of some units was given. */
typedef struct tin_split_unit {
    char *name; /* owned */
    int fold;   /* 0: none yet */
} tin_split_unit;

typedef struct tin_split_file {
    tin_split_unit *units; /* [n] in the order of the file */
    size_t n;
} tin_split_file;

/* Empty when there is no such file. TIN_ERR_CONFIG for one that says something else than `by` and folds 1..n_folds (0: any
 * number). */
tin_status tin_split_file_read(tin_split_file *file, const char *path, const char *by, int n_folds,
                               tin_error *err) TIN_USE_RESULT;
tin_status tin_split_file_write(const tin_split_file *file, const char *path, const char *by, int n_folds,
                                tin_error *err) TIN_USE_RESULT;
/* The unit of that name, which is added when it is not there; NULL: no memory. Pointers last until the next one is added. */
tin_split_unit *tin_split_file_unit(tin_split_file *file, const char *name, tin_error *err) TIN_USE_RESULT;
void tin_split_file_free(tin_split_file *file);

#endif
