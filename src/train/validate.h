/* Scores of the validation streams during training: the float engine in evaluation mode, all frames (or all windows).
 */
#ifndef TIN_VALIDATE_H
#define TIN_VALIDATE_H

#include "dataset/dataset.h"
#include "metrics/event_metrics.h"
#include "project/config.h"
#include "train/engine.h"

#define TIN_VALIDATION_LANES 64 /* sequences at once, at most */

/* metric, its name in tinamou.yaml and (after "validation_") in the curve. The event figures come from a fixed rule of
 * the decision layer, so that they can be compared from one validation to the next: a class becomes active half a logit
 * above every class that is no event, and ends half a logit below. */
#define TIN_METRIC_LIST(X)                                                                                             \
    X(TIN_METRIC_ACCURACY, "accuracy")                                                                                 \
    X(TIN_METRIC_MACRO_F1, "macro_f1")                                                                                 \
    X(TIN_METRIC_BALANCED_ACCURACY, "balanced_accuracy")                                                               \
    X(TIN_METRIC_LOSS, "loss")         /* mean cross-entropy of labelled frames, no weights: the less the better */    \
    X(TIN_METRIC_EVENT_F1, "event_f1") /* of triggers (docs/metrics.md) */                                             \
    X(TIN_METRIC_IOU_F1, "iou_f1")     /* of segments at an overlap of 0.5 */
typedef enum tin_metric {
#define X(metric, name) metric,
    TIN_METRIC_LIST(X)
#undef X
        TIN_METRIC_COUNT
} tin_metric;
const char *tin_metric_name(tin_metric metric);
/* NULL: macro_f1; TIN_METRIC_COUNT when unknown. */
tin_metric tin_metric_from_name(const char *name);

typedef struct tin_validation tin_validation;

typedef struct tin_validation_score {
    double value[TIN_METRIC_COUNT]; /* NaN: there are no events to count, or windows are scored */
} tin_validation_score;

/* The greater the better. */
double tin_validation_goodness(const tin_validation_score *score, tin_metric metric);

/* dataset, model (channels, input scaling, hop, delay) and settings must outlive it. Frames: every labelled frame; each
 * stream starts from the reset state; when decisions come and of what they speak: tin_timing. Windows: settings->chunk
 * frames every half of that inside one label, each from the reset state, its last decision counts. TIN_ERR_DATA when
 * there is nothing to validate on, or no event for a metric of events; but with settings->keep_last and nobody who validates
 * *validation is NULL. */
tin_status tin_validation_create(tin_validation **validation, const tin_model *model, const tin_dataset *dataset,
                                 const tin_config_train *settings, const tin_config_evaluate *events,
                                 tin_error *err) TIN_USE_RESULT;
void tin_validation_free(tin_validation *validation);

/* engine: made with chunk settings->chunk. Allocates carried state on its first call. Without a validation all is NaN. */
tin_status tin_validation_run(tin_validation *validation, tin_engine *engine, const float *params,
                              tin_validation_score *score, tin_error *err) TIN_USE_RESULT;

#endif
