/* Evaluation: what the user of the device will feel. Definitions: docs/metrics.md. */
#ifndef TIN_EVALUATE_H
#define TIN_EVALUATE_H

#include "base/pool.h"
#include "dataset/dataset.h"
#include "model/decision.h"
#include "model/model.h"
#include "model/qmodel.h"
#include "project/config.h"
#include "project/runs.h"

struct tin_tuning_ask; /* tuning.h */

typedef struct tin_evaluate_options {
    tin_config_evaluate settings;
    uint64_t seed; /* of the bootstrap */
    int latency; /* frames by which the device's decisions come later than the frame that completes them, below the hop */
    tin_pool *pool;
    const char *folder; /* run folder: all files of docs/metrics-format.md but the report go there */
    bool quiet;
    /* What is asked of the decision rule by hand; NULL: what was asked by hand before in this folder, else the settings'
     * preset. */
    const struct tin_tuning_ask *ask;
    bool forget;                          /* what was asked by hand before */
    bool reuse_scores;                    /* those in the folder, so that no model is run */
    const struct tin_cross_models *cross; /* what they say of the validation people counts (score_streams.h); NULL: what
                                             the model says that is evaluated */
} tin_evaluate_options;

/* Figures of the summary, named as in metrics.json: of the integer model on the test people, with the chosen rule. */
#define TIN_SUMMARY_LIST(X)                                                                                            \
    X(frame_accuracy)                                                                                                  \
    X(frame_accuracy_low) /* 95 % bootstrap over people */                                                             \
    X(frame_accuracy_high)                                                                                             \
    X(float_frame_accuracy) /* of the float model */                                                                   \
    X(balanced_accuracy)                                                                                               \
    X(macro_f1)                                                                                                        \
    X(window_accuracy) /* settings.window_frames > 0 */                                                                \
    X(float_window_accuracy)                                                                                           \
    X(fnr)                                                                                                             \
    X(fcr)                                                                                                             \
    X(fp_per_hour)                                                                                                     \
    X(latency_mean_s)                                                                                                  \
    X(latency_median_s)                                                                                                \
    X(latency_p95_s)                                                                                                   \
    X(iou50_f1)
/* Those that metrics.json has not had from the beginning. */
#define TIN_SUMMARY_LATER_LIST(X)                                                                                      \
    X(event_f1)                                                                                                        \
    X(segment_f1)                                                                                                      \
    X(deadline_recall)                                                                                                 \
    X(worst_fnr)               /* the share that the person with the most misses misses */                             \
    X(frame_accuracy_no_reset) /* frame_accuracy when the state goes on from each recording into the next */

#define TIN_NO_RESET_LOSS 0.02 /* frame_accuracy less frame_accuracy_no_reset: more of it is worth a word */

/* The figures that the command line, the run store and the generated header show. NaN where they do not apply. */
typedef struct tin_evaluate_summary {
#define X(figure) double figure;
    TIN_SUMMARY_LIST(X)
    TIN_SUMMARY_LATER_LIST(X)
#undef X
    char worst_person[64]; /* whose worst_fnr it is; empty: nobody's */
    int64_t n_events, n_test_frames;
    tin_decision_rule rule; /* chosen on the validation people */
    char preset[16];        /* that it was chosen for; "custom": bounds given by hand; empty: no rule */
    int64_t test_reads;     /* rules with which the test people of this run have been read; 0: no rule */
} tin_evaluate_summary;

/* Scores validation and test streams with both models, chooses the decision rule on validation, reads test once, writes
 * metrics.json (docs/metrics-format.md). float_model may be NULL. */
tin_status tin_evaluate(const tin_qmodel *qmodel, const tin_model *float_model, const tin_dataset *dataset,
                        const tin_evaluate_options *options, tin_evaluate_summary *summary,
                        tin_error *err) TIN_USE_RESULT;
/* Reads the summary back from metrics.json in `folder`. */
tin_status tin_evaluate_load(const char *folder, tin_evaluate_summary *summary, tin_error *err) TIN_USE_RESULT;

typedef struct tin_report_options {
    const char *folder, *title;   /* of the run; heads the page */
    tin_config_evaluate settings; /* those of the evaluation */
    const tin_run_file *files;    /* [n_files] of the run, for its lineage */
    size_t n_files;
    tin_pool *pool; /* NULL: in the caller's thread */
    bool quiet;
} tin_report_options;

/* Writes FOLDER/report.html: one file, opens offline. Uses metrics.json, and the other files of docs/metrics-format.md
 * where they are. */
tin_status tin_evaluate_report(const tin_dataset *dataset, const tin_report_options *options,
                               tin_error *err) TIN_USE_RESULT;

/* NULL: not written. */
typedef struct tin_export_paths {
    const char *png, *svg; /* the central figure: error rates over the threshold, confusions, a piece of a recording */
    const char *csv;       /* every event and false report of the validation and test people, a row each */
    const char *json;      /* all data of the page */
} tin_export_paths;
/* What the report holds, in files for other programs, each written atomically. Formats: docs/metrics-format.md.
 * TIN_ERR_USAGE for a picture or a table of events of a run that has none. */
tin_status tin_evaluate_export(const tin_dataset *dataset, const tin_report_options *options,
                               const tin_export_paths *paths, tin_error *err) TIN_USE_RESULT;

typedef struct tin_relabel_count {
    size_t rows, test_rows; /* test_rows: of test people */
} tin_relabel_count;

/* Writes the labels that the mistakes of the run in `folder` make look wrong, as data.relabel takes them: those of the
 * validation and test people where the model is surer of what it said than of the label, the surest first
 * (docs/mistakes.md). */
tin_status tin_evaluate_relabel(const tin_dataset *dataset, const char *folder, const char *path,
                                tin_relabel_count *count, tin_error *err) TIN_USE_RESULT;

#endif
