/* metrics.json: every figure of an evaluation. Fields: docs/metrics-format.md. */
#ifndef TIN_METRICS_JSON_H
#define TIN_METRICS_JSON_H

#include "base/json_tools.h"
#include "evaluate/detector_result.h"
#include "evaluate/evaluate.h"

/* One trivial detector and its figures on the test people. */
typedef struct tin_trivial_result {
    char name[96];
    tin_detector_result result;
} tin_trivial_result;

/* What an evaluation found. Owned by its maker. */
typedef struct tin_evaluation {
    const tin_dataset *dataset;
    const tin_qmodel *qmodel;
    const tin_evaluate_options *options;
    bool has_events; /* some class is an event */
    bool has_float;
    tin_timing timing;
    tin_margins margins;
    tin_decision_rule rule; /* all 0 but count 1 without events */
    int64_t n_candidates;   /* rules compared on validation */
    const char *preset;     /* summary.preset */
    int64_t test_reads;
    double no_reset_accuracy; /* summary.frame_accuracy_no_reset */
    tin_detector_result validation, test, float_validation, float_test;
    tin_trivial_result *trivial; /* [n_trivial] */
    size_t n_trivial;
} tin_evaluation;

/* Whether this program knows the format of a metrics.json: 1 and 2, which differ in summary.rule alone. */
bool tin_metrics_known(const json_t *metrics);
tin_evaluate_summary tin_evaluation_summary(const tin_evaluation *evaluation);
/* FOLDER/metrics.json, atomically. */
tin_status tin_metrics_save(const tin_evaluation *evaluation, const char *folder, tin_error *err) TIN_USE_RESULT;

#endif
