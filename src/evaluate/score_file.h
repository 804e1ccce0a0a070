/* Scores of a run on disk: scores.safetensors of the integer model, scores_float.safetensors of the float model
 * (docs/metrics-format.md). With them the decision rule is chosen anew without running a model. */
#ifndef TIN_SCORE_FILE_H
#define TIN_SCORE_FILE_H

#include "evaluate/score_streams.h"

/* FOLDER/NAME, atomically: one tensor per stream of the sets [n]. */
tin_status tin_scores_save(const tin_scored_set *sets, size_t n, const char *folder, const char *name,
                           tin_error *err) TIN_USE_RESULT;
/* What tin_score_streams gave. TIN_ERR_FORMAT when the file is not of this dataset and timing. tin_scored_set_free also
 * after a failure. */
tin_status tin_scores_load(tin_scored_set *set, const char *folder, const char *name, const tin_dataset *dataset,
                           tin_role role, tin_timing timing, tin_error *err) TIN_USE_RESULT;

#endif
