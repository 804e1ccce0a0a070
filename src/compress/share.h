/* Private to src/compress: weight sharing. Each matrix gets a codebook of a few int8 values. */
#ifndef TIN_SHARE_H
#define TIN_SHARE_H

#include "model/model.h"

/* Rounds every matrix of a folded model to the scale of its row times one of at most `entries` (4..16) whole numbers in
 * -127..127: k-means over q = w / scale, each weight counting scale^2. -127 and 127 are entries where a row's largest
 * weight needs them, and 0 where the matrix has zeros, which stay; so a tin_constraint recognises the matrix. */
tin_status tin_share_apply(tin_model *model, int entries, tin_error *err) TIN_USE_RESULT;

#endif
