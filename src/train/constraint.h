/* What compression asks training to keep: weights that are zero stay zero, and rows that share few values go on sharing
 * them. Both are read off the weights: a constrained model carries its constraint in its numbers.
 *
 * Weights are shared by bands of four rows (of one gate), as the codebooks of the device are. A band is shared when the
 * integers q = w / scale of its rows (scale = max |w| / 127, as the quantiser's) are whole and at most 16 different ones.
 * Then w = scale of the row * value of the entry; training moves the scales and the values, while each weight keeps its
 * entry. The entries +-127 set the scales, the entry 0 stays zero. */
#ifndef TIN_CONSTRAINT_H
#define TIN_CONSTRAINT_H

#include "model/model.h"

#define TIN_MAX_ENTRIES 16

typedef struct tin_constraint {
    size_t n_params;
    uint8_t *label; /* [n_params] 0: free; 128 + q: this entry of its band, 128 itself: zero */
    bool any;       /* something is not free */
} tin_constraint;

/* Four rows of a matrix, or what is left of a gate. */
typedef struct tin_band {
    size_t offset;    /* of the first weight, in the parameters of the model */
    size_t n_rows, n; /* weights per row */
} tin_band;
/* The next band of a parameter with two dimensions or more; *row begins at 0. */
bool tin_band_next(const tin_layer *layer, const tin_param *param, int *row, tin_band *band);

/* Matrices of conv1d, dense and recurrent layers; biases and norms are free. */
tin_status tin_constraint_create(tin_constraint **constraint, const tin_model *model, tin_error *err) TIN_USE_RESULT;
void tin_constraint_free(tin_constraint *constraint);
/* The nearest weights in params [n_params] that keep the constraint; `whole`: entries become whole numbers again, as
 * they will be in integers. */
void tin_constraint_project(const tin_constraint *constraint, const tin_model *model, float *params, bool whole);

#endif
