/* Private to src/compress: low-rank factors by singular value decomposition. A matrix W [O][n] becomes two, [O][r] and
 * [r][n], which is less when r (O + n) < O n. A dense or conv1d becomes a layer NAME_low of r outputs without
 * activation (with the kernel, stride and dilation) and the layer itself over those; a recurrent layer gets a dense
 * NAME_low before it that holds the factor of its input matrix. The matrix on the state stays. */
#ifndef TIN_LOW_RANK_H
#define TIN_LOW_RANK_H

#include "model/model.h"

/* Smallest ranks (rounded up to whole blocks of four) that keep `energy` (0..1) of the sum of squares of the singular
 * values; 0: the layer stays as it is, because nothing would be saved. */
tin_status tin_low_rank_choose(const tin_model *model, double energy, int rank[TIN_MAX_LAYERS],
                               tin_error *err) TIN_USE_RESULT;
/* The ranks of the greatest energy at which the model has at most `keep` of its parameters. */
tin_status tin_low_rank_search(const tin_model *model, double keep, int rank[TIN_MAX_LAYERS],
                               tin_error *err) TIN_USE_RESULT;
/* rank[i] 1..min(O, n) factors layer i, 0 leaves it; at full rank the result computes the same. */
tin_status tin_low_rank_apply(tin_model **factored, const tin_model *model, const int rank[TIN_MAX_LAYERS],
                              tin_error *err) TIN_USE_RESULT;

#endif
