/* The run store: one folder per run below PROJECT/runs, and one row each in PROJECT/runs/runs.sqlite.
 *
 * A run is named by what goes into it: the first 12 digits of SHA-256(config, data hash, tool version). The same inputs
 * are the same run, so a run that was cut off goes on where it stopped. A stage is done when its row says so AND the
 * hashes of its files still hold. */
#ifndef TIN_RUNS_H
#define TIN_RUNS_H

#include <stdbool.h>

#include "base/error.h"
#include "base/file.h"
#include "project/config.h"

#define TIN_STAGE_LIST(X)                                                                                              \
    X(TIN_STAGE_TRAIN, "train")                                                                                        \
    X(TIN_STAGE_COMPRESS, "compress") /* only in runs whose settings ask for it */                                     \
    X(TIN_STAGE_QUANTIZE, "quantize")                                                                                  \
    X(TIN_STAGE_EVALUATE, "evaluate") X(TIN_STAGE_DEPLOY, "deploy") X(TIN_STAGE_REPORT, "report")
typedef enum tin_stage {
#define X(stage, name) stage,
    TIN_STAGE_LIST(X)
#undef X
        TIN_STAGE_COUNT
} tin_stage;
const char *tin_stage_name(tin_stage stage);

typedef struct tin_runs tin_runs; /* an open store */

typedef struct tin_run {
    char id[13];
    char folder[TIN_PATH_MAX];
    char config_hash[65], data_hash[65];
    uint64_t seed;
} tin_run;

/* Makes PROJECT/runs and the store where they are missing. The store survives kill -9 and serves several processes. */
tin_status tin_runs_open(tin_runs **runs, const char *project_folder, tin_error *err) TIN_USE_RESULT;
void tin_runs_close(tin_runs *runs);
/* Finds or makes the run of this config and data, and keeps every other process out of it until tin_runs_close (or the
 * end of this process): TIN_ERR_IO when another one is at work in it. Writes config.txt, the canonical settings, and
 * removes the half-written files of a process that was killed. */
tin_status tin_runs_enter(tin_runs *runs, const tin_config *config, const char *data_hash, tin_run *run,
                          tin_error *err) TIN_USE_RESULT;
/* True in *done when the stage finished and every file that it recorded is unchanged. */
tin_status tin_runs_stage_done(tin_runs *runs, const tin_run *run, tin_stage stage, bool *done,
                               tin_error *err) TIN_USE_RESULT;
/* Marks a stage done: its files (names below the run folder; hashed here) and its figures as a JSON text. Marks later
 * stages not done. */
tin_status tin_runs_stage_finish(tin_runs *runs, const tin_run *run, tin_stage stage, const char *const files[],
                                 int n_files, const char *figures_json, tin_error *err) TIN_USE_RESULT;

/* The figures of a finished stage, as given; NULL in *json when the stage is not done. The caller tin_free()s it. */
tin_status tin_runs_stage_figures(tin_runs *runs, const tin_run *run, tin_stage stage, char **json,
                                  tin_error *err) TIN_USE_RESULT;

/* A run as the store knows it. */
typedef struct tin_run_row {
    tin_run run;
    char started[24]; /* UTC, "2026-01-31 09:00:00" */
    char finished[TIN_STAGE_COUNT]
                 [24]; /* likewise; "" when the stage is not done, as recorded: files are not looked at */
    char *project, *version;
    char *config;                   /* the canonical settings */
    char *figures[TIN_STAGE_COUNT]; /* JSON object as given to tin_runs_stage_finish, NULL when not done */
    char **tags;                    /* [n_tags] by name */
    size_t n_tags;
} tin_run_row;
/* All runs, or those with a tag (NULL: all), the newest first. *rows is freed with tin_runs_list_free, also when n is 0. */
tin_status tin_runs_list(tin_runs *runs, const char *tag, tin_run_row **rows, size_t *n, tin_error *err) TIN_USE_RESULT;
/* The runs that a name means, at least one: the run of this ID, else the runs that carry this tag (the newest first), else
 * the one run whose ID begins so. TIN_ERR_USAGE when there is none, or several begin so. */
tin_status tin_runs_find(tin_runs *runs, const char *name, tin_run_row **rows, size_t *n,
                         tin_error *err) TIN_USE_RESULT;
void tin_runs_list_free(tin_run_row *rows, size_t n);

/* Puts a tag on a run: 1 to 64 letters, digits and ._-, and no ID. Several runs may carry the same one (the seeds of one
 * experiment). Doing it again changes nothing. */
tin_status tin_runs_tag(tin_runs *runs, const tin_run *run, const char *tag, tin_error *err) TIN_USE_RESULT;
/* TIN_ERR_USAGE when the run has no such tag. */
tin_status tin_runs_untag(tin_runs *runs, const tin_run *run, const char *tag, tin_error *err) TIN_USE_RESULT;

/* A file that a stage recorded. */
typedef struct tin_run_file {
    tin_stage stage;
    char *name; /* below the run's folder */
    char sha256[65];
} tin_run_file;
/* The files of a run in the order of the stages, then by name. *files is freed with tin_runs_files_free. */
tin_status tin_runs_files(tin_runs *runs, const tin_run *run, tin_run_file **files, size_t *n,
                          tin_error *err) TIN_USE_RESULT;
void tin_runs_files_free(tin_run_file *files, size_t n);

/* A version of the dataset: data/NAME.tind, which is never changed. */
typedef struct tin_dataset_row {
    char name[32], hash[65];
    char made[24]; /* UTC */
    char *reason;  /* what differs from the version before it */
} tin_dataset_row;
/* Adds a version; one that is there stays as it is. */
tin_status tin_runs_add_dataset(tin_runs *runs, const char *name, const char *hash, const char *reason,
                                tin_error *err) TIN_USE_RESULT;
/* All versions, the newest first. *rows is freed with tin_runs_datasets_free. */
tin_status tin_runs_datasets(tin_runs *runs, tin_dataset_row **rows, size_t *n, tin_error *err) TIN_USE_RESULT;
void tin_runs_datasets_free(tin_dataset_row *rows, size_t n);

#endif
