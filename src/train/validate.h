/* Scores of the validation streams during training: the float engine in evaluation mode, all frames (or all windows).
 */
#ifndef TIN_VALIDATE_H
#define TIN_VALIDATE_H

#include "dataset/dataset.h"
#include "project/config.h"
#include "train/engine.h"

typedef struct tin_validation tin_validation;

typedef struct tin_validation_score {
    double accuracy; /* right / counted */
    double macro_f1; /* mean F1 of the classes that occur in labels or predictions */
} tin_validation_score;

/* dataset, model (channels, input scaling, hop) and settings must outlive it. Frames: every labelled frame; each stream
 * starts from the reset state; decision j holds for frames hop*(j+1)-1 .. hop*(j+2)-2, class 0 before the first.
 * Windows: settings->chunk frames every half of that inside one label, each from the reset state, its last decision
 * counts. TIN_ERR_DATA when there is nothing to validate on. */
tin_status tin_validation_create(tin_validation **validation, const tin_model *model, const tin_dataset *dataset,
                                 const tin_config_train *settings, tin_error *err) TIN_USE_RESULT;
void tin_validation_free(tin_validation *validation);

/* engine: made with chunk settings->chunk. Allocates carried state on its first call. */
tin_status tin_validation_run(tin_validation *validation, tin_engine *engine, const float *params,
                              tin_validation_score *score, tin_error *err) TIN_USE_RESULT;

#endif
