/* What a decision rule does on the validation people, with intervals. */
#ifndef TIN_TUNED_RULE_H
#define TIN_TUNED_RULE_H

#include <jansson.h>

#include "base/json_tools.h"
#include "evaluate/statistics.h"
#include "evaluate/sweep.h"

/* Figures that have an interval over people. */
#define TIN_TUNED_FIGURE_LIST(X)                                                                                       \
    X(fnr_plus_fcr)                                                                                                    \
    X(fp_per_hour)                                                                                                     \
    X(latency_mean_s)                                                                                                  \
    X(f1)                                                                                                              \
    X(iou50_f1)
typedef enum tin_tuned_figure {
#define X(figure) TIN_TUNED_##figure,
    TIN_TUNED_FIGURE_LIST(X)
#undef X
        TIN_TUNED_COUNT
} tin_tuned_figure;

typedef struct tin_tuned_rule {
    tin_decision_rule rule;
    tin_event_counts counts;
    double figures[TIN_TUNED_COUNT];
    tin_bounds bounds[TIN_TUNED_COUNT]; /* bootstrap over people; NaN for one person */
} tin_tuned_rule;

/* Fills all but `rule`, which is run over the streams. */
tin_status tin_tuned_rule_judge(tin_tuned_rule *tuned, const tin_sweep_input *input, double rate_hz, int resamples,
                                uint64_t seed, tin_error *err) TIN_USE_RESULT;
/* Counts, figures, intervals over people, and what the counts alone say. */
json_t *tin_tuned_rule_json(tin_json_builder *builder, const tin_tuned_rule *tuned, double rate_hz);
/* Counts and figures, for counts of which nothing else is known. */
json_t *tin_tuned_counts_json(tin_json_builder *builder, const tin_event_counts *counts, double rate_hz);

#endif
