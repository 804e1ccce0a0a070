/* The data stage: recordings in, dataset out. Importers for published data sets and CSV, resampling on timestamps, the
 * split by subject, and the simulator of a wrist-worn IMU. */
#ifndef TIN_DATA_H
#define TIN_DATA_H

#include "base/file.h"
#include "base/pool.h"
#include "dataset/dataset.h"
#include "project/config.h"

typedef struct tin_data_report {
    size_t n_streams, n_subjects, n_intervals;
    int64_t n_frames, n_clipped;
    size_t n_warnings;
    char **warnings; /* what was found and mended or left: duplicate timestamps, lengths that differ, labels past the
                        end; owned */
} tin_data_report;

typedef struct tin_data_options {
    const char *root;          /* folder that data.path is relative to */
    const char *settings_text; /* canonical text of the settings, for the lineage; NULL: none */
    const char *split_file;    /* that remembers the fold of each unit, see split.h; NULL: nothing is remembered */
    uint64_t seed;
    tin_pool *pool;
    bool quiet;
    size_t keep_bytes; /* of frames in memory, 0: 128 MB; those beyond wait in a file. Changes no result */
} tin_data_options;

/* Imports or simulates as `settings` says and writes the dataset atomically to `path`. Memory does not grow with the
 * recordings: beyond keep_bytes their frames wait in an unnamed file in the folder of `path`. The caller frees the report with
 * tin_data_report_free (also after a failure). hash may be NULL. */
tin_status tin_data_build(const tin_config_data *settings, const tin_data_options *options, const char *path,
                          char hash[65], tin_data_report *report, tin_error *err) TIN_USE_RESULT;
/* A name that the program itself gives to files of a project: settings, datasets, pages, split, list of labels. Such a file is no
 * recording, even where a project and its recordings share a folder. */
bool tin_data_is_own_file(const char *name);
/* Name of the split file of these settings, "" when they need none. */
void tin_data_split_name(const tin_config_data *settings, char name[64]);
/* A fold that units of the dataset lie in. */
typedef struct tin_data_fold {
    int fold;    /* of data.split.fold */
    char *units; /* names of the people or sessions, with commas between; "" by time; owned */
} tin_data_fold;
/* All folds by the settings that the dataset was made from and its split file (NULL: none, as by time), in order.
 * tin_data_folds_free also after a failure. */
tin_status tin_data_folds(const tin_config_data *settings, const tin_dataset *dataset, const char *split_file,
                          tin_data_fold **folds, size_t *n, tin_error *err) TIN_USE_RESULT;
void tin_data_folds_free(tin_data_fold *folds, size_t n);
/* The file of data.relabel, below `root` unless it is absolute; "" when the settings name none. */
tin_status tin_data_relabel_path(const tin_config_data *settings, const char *root, char path[TIN_PATH_MAX],
                                 tin_error *err) TIN_USE_RESULT;
void tin_data_report_free(tin_data_report *report);

#endif
