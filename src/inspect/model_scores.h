/* Private to src/inspect: class probabilities (softmax of the logits) of the integer model, decision by decision. */
#ifndef TIN_MODEL_SCORES_H
#define TIN_MODEL_SCORES_H

#include "model/qmodel.h"

typedef struct tin_model_scores tin_model_scores;
tin_status tin_model_scores_create(tin_model_scores **scores, const tin_qmodel *model, tin_error *err) TIN_USE_RESULT;
/* counts [n_frames][n_channels], which must live as long as decisions are taken. */
void tin_model_scores_begin(tin_model_scores *scores, const int16_t *counts, int64_t n_frames);
/* The next decision: fills probabilities[n_classes] and the frame after which it came. False when there is none. */
bool tin_model_scores_next(tin_model_scores *scores, float *probabilities, int64_t *frame);
void tin_model_scores_free(tin_model_scores *scores);

#endif
