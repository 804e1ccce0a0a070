/* Private to src/compress: the blocks of four rows and four columns that the matrix kernels work on, as the generator
 * lays weights out: per gate of a recurrent layer; a conv1d's columns are taps times inputs, oldest tap first (with
 * dilation each tap apart). Columns left over are blocks of up to three. */
#ifndef TIN_SPARSE_H
#define TIN_SPARSE_H

#include "model/model.h"

typedef struct tin_sparse {
    int n;
    int *of_param; /* [n_params] block of each weight, or -1 */
    int *matrix;   /* [n] first block of the same matrix */
} tin_sparse;

/* Whether the matrix kernels read this parameter: weights of dense, conv1d (no depthwise) and recurrent layers. */
bool tin_sparse_has(const tin_layer *layer, const tin_param *param);
tin_status tin_sparse_find(tin_sparse *blocks, const tin_model *model, tin_error *err) TIN_USE_RESULT;
void tin_sparse_free(tin_sparse *blocks);

/* Chooses the blocks that go, until `keep` of all blocks stay; a quarter of that share stays in each matrix. */
tin_status tin_sparse_choose(const tin_sparse *blocks, const double *importance, double keep, bool *removed,
                             tin_error *err) TIN_USE_RESULT;
void tin_sparse_clear(const tin_sparse *blocks, tin_model *model, const bool *removed);

#endif
