/* Shared by the tests of src/compress. */
#ifndef COMPRESS_SUPPORT_H
#define COMPRESS_SUPPORT_H

#include "model/model.h"

#define N_LAYERS(layers) ((int)(sizeof(layers) / sizeof *(layers)))

/* Greatest difference of the scores of two models over n_frames random frames, from the float reference. */
double score_difference(const tin_model *a, const tin_model *b, int n_frames);
void assert_ok(tin_status status, tin_error *err);

#endif
