/* Private to the command line: options, the session that the commands share, and the commands.
 *
 * Logs and progress go to stderr, results to stdout. Only this folder prints. */
#ifndef TIN_CLI_H
#define TIN_CLI_H

#include <jansson.h>
#include <stdbool.h>

#include "base/file.h"
#include "base/pool.h"
#include "cli/figures.h"
#include "data/data.h"
#include "dataset/dataset.h"
#include "deploy/deploy.h"
#include "evaluate/evaluate.h"
#include "evaluate/score_streams.h"
#include "project/config.h"
#include "project/runs.h"
#include "quantize/quantize.h"

#define CLI_PROJECT_FILE "tinamou.yaml"
/* what the actions of `data` write beside the datasets */
#define CLI_CHECK_PAGE "check.html"
#define CLI_STATS_PAGE "stats.html"
#define CLI_RELABEL "relabel.csv"

/* Options that a command may allow, as bits. */
enum {
    CLI_JSON = 1 << 0,
    CLI_QUIET = 1 << 1,
    CLI_FORCE = 1 << 2,
    CLI_THREADS = 1 << 3,
    CLI_SEED = 1 << 4,
    CLI_DATA = 1 << 5,
    CLI_SOURCE = 1 << 6,
    CLI_SEEDS = 1 << 7,
    CLI_PACKAGE = 1 << 8,
    CLI_OUTPUT = 1 << 9,
    CLI_FRAMES = 1 << 10,
    CLI_TARGET = 1 << 11,
    CLI_BACKEND = 1 << 12,
    CLI_CMSIS_NN = 1 << 13,
    CLI_SCHEDULE = 1 << 14,
    CLI_OPTIMIZE = 1 << 15,
    CLI_CODE = CLI_TARGET | CLI_BACKEND | CLI_CMSIS_NN | CLI_SCHEDULE | CLI_OPTIMIZE, /* settings of deploy */
    CLI_MEASURE = 1 << 16,
    CLI_PROFILE = 1 << 17,
    CLI_VERIFY = 1 << 18,
    CLI_BAUD = 1 << 19,
    CLI_URL = 1 << 20,
    CLI_LIST = 1 << 21, /* --sort, --tag */
    CLI_COMMON = 1 << 22,
    CLI_GATES = 1 << 23, /* --against, --max-regression and a --max-... or --min-... per figure of figures.h */
    CLI_RUN = 1 << 24,
    CLI_STRICT = 1 << 25,
    CLI_STREAM = 1 << 26,
    CLI_FOLDS = 1 << 27,
    CLI_MLFLOW = 1 << 28,
    CLI_FILES = 1 << 29,               /* what the report writes besides: --relabel, --png, --svg, --csv, --figures */
    CLI_TUNE = 1 << 30,                /* --preset, --objective */
    CLI_BOUNDS = CLI_GATES | CLI_TUNE, /* those of --max-... that `tinamou tune` knows too */
    CLI_WORK = CLI_JSON | CLI_QUIET | CLI_FORCE | CLI_THREADS | CLI_SEED | CLI_DATA
};

#define CLI_MAX_SEEDS 64
#define CLI_MAX_OPERANDS 2

typedef struct cli_options {
    const char *project; /* folder, "." when not given; NULL for a command that must have it and got none */
    const char *operands[CLI_MAX_OPERANDS]; /* what stands before the folder, see cli_command; NULL: not given */
    const char *data;                       /* NULL: as the project says */
    const char *schedule, *optimize;        /* NULL: as the project says */
    const char *url;                        /* data fetch: a mirror; NULL: the publisher's */
    const char *source;                     /* init; NULL: from the data, else simulate */
    bool json, quiet, force, has_seed;
    int threads; /* -1: as the project says */
    uint64_t seed;
    uint64_t seeds[CLI_MAX_SEEDS];           /* of --seeds */
    int n_seeds;                             /* 0: not given */
    int n_folds;                             /* of --folds, instead of data.split.folds; 0: not given */
    bool leave_one_out;                      /* instead of data.split.folds: a fold per person, or per session */
    int fold;                                /* of these the one that is tested; 0: all, side by side */
    const char *target, *backend, *cmsis_nn; /* instead of those of deploy; NULL: as the project says */
    unsigned targets;                        /* bits of emulated cores to measure on, 0: none */
    const char *profile;                     /* the device to estimate for; NULL: all with a measured core */
    unsigned packages;                       /* bits of formats, 0: none */
    const char *output;                      /* folder of the packages; NULL: package in the run folder */
    const char *verify;                      /* serial line of a board; NULL: none */
    long baud;                               /* of that line; 0: not given */
    const char *stream;                      /* id of the recording that the page shows first; NULL: the first one */
    bool strict;                             /* warnings count */
    const char *relabel;                     /* file for the labels that look wrong; NULL: none */
    const char *png, *svg, *csv, *figures;   /* files of the report for other programs; NULL: not asked for */
    int64_t frames;                          /* of recordings in a package or to a board; -1: not given */
    const char *sort, *tag;                  /* of the list of runs; NULL: by time, all */
    const char *run;                         /* ID, beginning of one or tag; NULL: not given */
    bool common;                             /* compare on the people that both datasets share */
    const char *against;                     /* runs to compare with; NULL: none */
    double max_regression;                   /* points; NaN: not given */
    double gates[CLI_MOST_FIGURES];          /* bounds in the order of cli_figures; NaN: not given */
    const char *preset, *objective;          /* of the decision rule; NULL: not given */
    const char *mlflow;                      /* address of the server; NULL: none */
} cli_options;

typedef struct cli_command {
    const char *name;     /* one word, or two for an action of a stage: "data diff" */
    unsigned allowed;     /* option bits */
    const char *operands; /* names of what stands before [FOLDER], "OLD NEW"; "[OLD NEW]": all or none; NULL: nothing */
    const char *summary, *description, *examples;
    const char *folder; /* what FOLDER is; NULL: the project */
    tin_status (*run)(const struct cli_command *command, const cli_options *options, tin_error *err);
    int last_stage; /* of the commands that work through stages: -1 for data, else a tin_stage */
} cli_command;

extern const cli_command cli_commands[]; /* ends with a NULL name */

/* Reads what stands behind the command's name. *help is set when help was asked for. argv[0] is the command. */
tin_status cli_parse(const cli_command *command, int argc, char **argv, cli_options *options, bool *help,
                     tin_error *err) TIN_USE_RESULT;
void cli_print_usage(FILE *stream);
void cli_print_help(const cli_command *command);

/* Everything that a command holds open. Zero-initialise; cli_session_close frees what is there. */
typedef struct cli_session {
    cli_options options;
    char project[TIN_PATH_MAX];
    tin_config *config;
    tin_pool *pool;
    tin_runs *runs;
    tin_dataset *dataset;
    tin_run run;
    json_t *results; /* what --json prints */
    int *part_of;    /* [streams of the dataset] of cross-validation, 1...; 0: test; NULL: none */
    int part;        /* whose model is being made; 0: that of all */
    const struct tin_tuning_ask
        *ask;    /* of the decision rule, by hand; the scores of the run are used again. NULL: none */
    bool forget; /* what was asked by hand before */
} cli_session;

tin_status cli_session_open(cli_session *session, const cli_options *options, tin_error *err) TIN_USE_RESULT;
void cli_session_close(cli_session *session);
/* TIN_ERR_USAGE for a folder's name that is empty or that no result could hold. */
tin_status cli_check_folder(const char *folder, tin_error *err) TIN_USE_RESULT;
/* One line on stderr unless quiet. */
void cli_log(const cli_session *session, const char *format, ...) TIN_PRINTF(2, 3);
/* object[key] = value; takes the reference. Records TIN_ERR_MEMORY. NaN becomes null in cli_set_real. */
tin_status cli_set(json_t *object, const char *key, json_t *value, tin_error *err) TIN_USE_RESULT;
tin_status cli_set_real(json_t *object, const char *key, double value, tin_error *err) TIN_USE_RESULT;

/* Makes PROJECT/data/KEY.tind unless it is there and whole, and opens it. */
tin_status cli_open_dataset(cli_session *session, bool force, tin_error *err) TIN_USE_RESULT;
/* The data stage: the same, and enters the run. */
tin_status cli_data_stage(cli_session *session, bool force, tin_error *err) TIN_USE_RESULT;
/* Versions of the dataset (data_versions.c). Records the one that is open, which was built just now; its reason is what
 * differs from the version before it. */
tin_status cli_record_version(cli_session *session, const char *path, tin_error *err) TIN_USE_RESULT;
/* The newest two whose files are there, the older one first. TIN_ERR_USAGE when there are less. */
tin_status cli_newest_datasets(const cli_session *session, char paths[2][TIN_PATH_MAX], tin_error *err) TIN_USE_RESULT;
/* Settings of `data` that differ, as cli_settings_diff; none where a dataset does not know its own. */
tin_status cli_data_settings_diff(const tin_dataset *before, const tin_dataset *after, json_t **list,
                                  tin_error *err) TIN_USE_RESULT;
/* Adds versions and lineage to the results of `data`. */
tin_status cli_report_lineage(cli_session *session, tin_error *err) TIN_USE_RESULT;
/* The stages after it, up to and including `last`. `force`: the first stage that is redone, TIN_STAGE_COUNT for none.
 */
tin_status cli_run_stages(cli_session *session, tin_stage last, tin_stage force, tin_error *err) TIN_USE_RESULT;

/* The files that a stage made, below the run folder. */
#define CLI_MAX_FILES 512
#define CLI_FILE_NAME 128
typedef struct cli_files {
    char names[CLI_MAX_FILES][CLI_FILE_NAME];
    int n;
} cli_files;
/* Path of a file in the run folder. */
tin_status cli_in_run(const cli_session *session, char path[TIN_PATH_MAX], const char *name,
                      tin_error *err) TIN_USE_RESULT;
/* The float model that the stages behind training start from: compressed where the settings ask for it. */
const char *cli_float_model(const cli_session *session);
/* Removes the checkpoints of the compress stage. */
tin_status cli_forget_compression(const cli_session *session, tin_error *err) TIN_USE_RESULT;
/* Adds the file when it is there; with `must` its absence is TIN_ERR_IO. */
tin_status cli_add_file(cli_files *files, const cli_session *session, bool must, tin_error *err, const char *format,
                        ...) TIN_PRINTF(5, 6) TIN_USE_RESULT;

/* Cross-validation (train.cross_validation): everybody but the test people lies in one of its parts. From now on all of them
 * validate. Does nothing when it is off. TIN_ERR_CONFIG with fewer people than parts. */
tin_status cli_cross_begin(cli_session *session, tin_error *err) TIN_USE_RESULT;
/* Until cli_cross_leave the run folder and the roles are those of one part (1...): the others train, the part validates; of 0:
 * all train. */
tin_status cli_cross_enter(cli_session *session, int part, tin_error *err) TIN_USE_RESULT;
void cli_cross_leave(cli_session *session);
typedef struct cli_cross_models {
    tin_qmodel *qmodels[TIN_MAX_CROSS];
    tin_model *models[TIN_MAX_CROSS];
    tin_cross_models view; /* of these and the session's parts */
} cli_cross_models;
/* Loads the models of all parts; cli_cross_models_free also after a failure. */
tin_status cli_cross_models_load(cli_cross_models *models, cli_session *session, tin_error *err) TIN_USE_RESULT;
void cli_cross_models_free(cli_cross_models *models);

/* One function per stage; figures is an empty JSON object to be filled with what the store keeps, which is no path. */
typedef tin_status cli_stage_function(cli_session *session, json_t *figures, cli_files *files, tin_error *err);
cli_stage_function cli_stage_train, cli_stage_compress, cli_stage_quantize, cli_stage_evaluate, cli_stage_deploy,
    cli_stage_report;

/* Frames by which the decisions of the generated code come later, by the settings of `deploy`. */
tin_status cli_latency(const cli_session *session, const tin_qmodel *qmodel, int *latency,
                       tin_error *err) TIN_USE_RESULT;
/* Holds the figures of the deploy stage, fresh or recalled, against the budgets of tinamou.yaml. */
tin_status cli_check_budget(const cli_session *session, tin_error *err) TIN_USE_RESULT;

/* Shows what was measured when bits were chosen, and writes quantize_sensitivity.json; nothing when there was no choice.
 */
tin_status cli_report_sensitivity(const cli_session *session, const tin_model *folded,
                                  const tin_sensitivity *sensitivity, cli_files *files, tin_error *err) TIN_USE_RESULT;

/* What the store and --json keep of a measurement; null for what the core does not tell. */
tin_status cli_footprint_figures(json_t *figures, const tin_footprint *footprint, tin_error *err) TIN_USE_RESULT;
/* Measures the finished code on the cores of --measure and puts figures and estimates into the results. */
tin_status cli_measure_targets(cli_session *session, const tin_qmodel *qmodel, const tin_decision_rule *rule,
                               tin_error *err) TIN_USE_RESULT;
void cli_print_measure(const json_t *measure);
/* What `deploy` is asked for besides its stage: measurement on other cores, packages, a board on a serial
 * line. Does nothing when nothing is asked for. */
tin_status cli_deploy_actions(cli_session *session, tin_error *err) TIN_USE_RESULT;

/* TIN_ERR_USAGE where --relabel would write over the list that data.relabel names. */
tin_status cli_check_relabel(const cli_session *session, tin_error *err) TIN_USE_RESULT;
/* Writes the list of --relabel. Does nothing without it. */
tin_status cli_report_relabel(cli_session *session, tin_error *err) TIN_USE_RESULT;
/* What the report is made from. *files are those of the run, [options->n_files], freed with tin_runs_files_free, also after a
 * failure. */
tin_status cli_report_options(cli_session *session, tin_report_options *options, tin_run_file **files,
                              tin_error *err) TIN_USE_RESULT;
/* Writes the files of --png, --svg, --csv and --figures. Does nothing without them. */
tin_status cli_report_files(cli_session *session, tin_error *err) TIN_USE_RESULT;

/* One JSON value on stdout, as every --json prints it. */
tin_status cli_print_json(const json_t *value, tin_error *err) TIN_USE_RESULT;
/* Prints results: one JSON object, or a table for people. */
tin_status cli_print_results(const cli_session *session, tin_error *err) TIN_USE_RESULT;
/* The part of it that is about the evaluation, from metrics.json in the folder of the run. */
tin_status cli_print_quality(const cli_session *session, tin_error *err) TIN_USE_RESULT;

tin_status cli_command_init(const cli_command *command, const cli_options *options, tin_error *err);
tin_status cli_command_data_fetch(const cli_command *command, const cli_options *options, tin_error *err);
tin_status cli_command_data_check(const cli_command *command, const cli_options *options, tin_error *err);
tin_status cli_command_data_diff(const cli_command *command, const cli_options *options, tin_error *err);
tin_status cli_command_data_preview(const cli_command *command, const cli_options *options, tin_error *err);
tin_status cli_command_data_stats(const cli_command *command, const cli_options *options, tin_error *err);
tin_status cli_command_runs(const cli_command *command, const cli_options *options, tin_error *err);
tin_status cli_command_runs_show(const cli_command *command, const cli_options *options, tin_error *err);
tin_status cli_command_runs_tag(const cli_command *command, const cli_options *options, tin_error *err);
tin_status cli_command_runs_untag(const cli_command *command, const cli_options *options, tin_error *err);
tin_status cli_command_runs_compare(const cli_command *command, const cli_options *options, tin_error *err);
tin_status cli_command_runs_pool(const cli_command *command, const cli_options *options, tin_error *err);
tin_status cli_command_runs_export(const cli_command *command, const cli_options *options, tin_error *err);
tin_status cli_command_tune(const cli_command *command, const cli_options *options, tin_error *err);
tin_status cli_command_check(const cli_command *command, const cli_options *options, tin_error *err);
tin_status cli_command_stages(const cli_command *command, const cli_options *options, tin_error *err);
/* The stages of a command for one seed, from opening the session to printing the results. force_data: the dataset too. */
tin_status cli_work_through(const cli_command *command, const cli_options *options, bool force_data,
                            tin_error *err) TIN_USE_RESULT;
/* The folds of --folds or --leave-one-out that the open dataset has (tin_data_folds). */
tin_status cli_folds(const cli_session *session, tin_data_fold **folds, size_t *n, tin_error *err) TIN_USE_RESULT;
/* The same for every seed of --seeds, or fold of --folds or --leave-one-out, side by side. */
tin_status cli_run_seeds(const cli_command *command, const cli_options *options, tin_error *err) TIN_USE_RESULT;

#endif
