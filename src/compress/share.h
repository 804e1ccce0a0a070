/* Private to src/compress: weight sharing. Each four rows of a matrix (of one gate) get a codebook of a few int8
 * values, as the kernels read them. */
#ifndef TIN_SHARE_H
#define TIN_SHARE_H

#include "model/model.h"

/* Rounds the matrices of a folded model to the scale of the row times one of at most `entries` (4..16) whole numbers in
 * -127..127 per band of rows: k-means over q = w / scale, each weight counting scale^2. -127 and 127 are entries where a row's largest
 * weight needs them, and 0 where there are zeros, which stay; so a tin_constraint recognises the rows. */
tin_status tin_share_apply(tin_model *model, int entries, tin_error *err) TIN_USE_RESULT;

#endif
