/* Private to src/inspect: class probabilities (softmax of the logits) of the integer model, frame by frame. */
#ifndef TIN_MODEL_SCORES_H
#define TIN_MODEL_SCORES_H

#include "model/qmodel.h"

typedef struct tin_model_scores tin_model_scores;
tin_status tin_model_scores_create(tin_model_scores **scores, const tin_qmodel *model, tin_error *err) TIN_USE_RESULT;
void tin_model_scores_reset(tin_model_scores *scores);
/* True when a decision is due: it fills probabilities[n_classes]. */
bool tin_model_scores_step(tin_model_scores *scores, const int16_t *counts, float *probabilities);
void tin_model_scores_free(tin_model_scores *scores);

#endif
