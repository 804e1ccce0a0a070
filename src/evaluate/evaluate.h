/* Evaluation: what the user of the device will feel. Definitions: docs/metrics.md. */
#ifndef TIN_EVALUATE_H
#define TIN_EVALUATE_H

#include "base/pool.h"
#include "dataset/dataset.h"
#include "model/decision.h"
#include "model/model.h"
#include "model/qmodel.h"
#include "project/config.h"

typedef struct tin_evaluate_options {
    tin_config_evaluate settings;
    uint64_t seed; /* of the bootstrap */
    int latency; /* frames by which the device's decisions come later than the frame that completes them, below the hop */
    tin_pool *pool;
    const char *folder; /* run folder: all files of docs/metrics-format.md but the report go there */
    bool quiet;
} tin_evaluate_options;

/* The figures that the command line, the run store and the generated header show. NaN where they do not apply. */
typedef struct tin_evaluate_summary {
    double frame_accuracy, balanced_accuracy, macro_f1; /* integer model, test people */
    double float_frame_accuracy;                        /* float model, test people */
    double frame_accuracy_low, frame_accuracy_high;     /* 95 % bootstrap over subjects */
    double window_accuracy, float_window_accuracy;      /* settings.window_frames > 0 */
    double fnr, fcr, fp_per_hour, latency_mean_s, latency_median_s, latency_p95_s,
        iou50_f1; /* events, test people, chosen rule */
    int64_t n_events, n_test_frames;
    tin_decision_rule rule; /* chosen on the validation people */
} tin_evaluate_summary;

/* Scores validation and test streams with both models, chooses the decision rule on validation, reads test once, writes
 * metrics.json (docs/metrics-format.md). float_model may be NULL. */
tin_status tin_evaluate(const tin_qmodel *qmodel, const tin_model *float_model, const tin_dataset *dataset,
                        const tin_evaluate_options *options, tin_evaluate_summary *summary,
                        tin_error *err) TIN_USE_RESULT;
/* Reads the summary back from metrics.json in `folder`. */
tin_status tin_evaluate_load(const char *folder, tin_evaluate_summary *summary, tin_error *err) TIN_USE_RESULT;

/* Writes FOLDER/report.html: one file, opens offline, headed by `title`. Uses metrics.json, curve files, footprint.json
 * if it is there. */
tin_status tin_evaluate_report(const tin_dataset *dataset, const char *folder, const char *title,
                               tin_error *err) TIN_USE_RESULT;

#endif
