/* What a model will weigh on the device, from its float weights. An estimate: the generator decides, with the code. */
#include <math.h>

#include "base/memory.h"
#include "compress/compress.h"
#include "compress/sparse.h"
#include "model/quant_spec.h"
#include "train/constraint.h"

#define BLOCK_BYTES 16.0
#define PLACE_BYTES 1.0 /* where a block stands, when those of zeros are left out */
#define ROW_BYTES 8.0   /* bias and multiplier */

/* Whether each four rows have at most as many different int8 values as a codebook holds. */
static bool has_codebooks(const tin_model *model, const tin_layer *layer, const tin_param *param)
{
    tin_band band;
    for (int row = 0; tin_band_next(layer, param, &row, &band);) {
        bool used[256] = {false};
        int n_used = 0;
        for (size_t r = 0; r < band.n_rows; r++) {
            const float *w = model->params + band.offset + r * band.n;
            double scale = tin_weight_scale(w, (int)band.n, 8, false);
            for (size_t i = 0; i < band.n; i++) {
                int at = scale > 0 ? 128 + (int)rint((double)w[i] / scale) : 128;
                n_used += !used[at];
                used[at] = true;
            }
        }
        if (n_used > TIN_MAX_ENTRIES) {
            return false;
        }
    }
    return true;
}

/* Blocks [first, first + n) of a matrix that hold anything. */
static int count_blocks(const tin_sparse *blocks, const bool *filled, int first, int *n)
{
    int some = 0;
    *n = 0;
    for (int b = first; b < blocks->n && blocks->matrix[b] == first; b++) {
        some += filled[b];
        (*n)++;
    }
    return some;
}

static void add_matrix(const tin_model *model, const tin_layer *layer, const tin_param *param, const tin_sparse *blocks,
                       const bool *filled, double rows_per_decision, tin_compress_size *size)
{
    int n = 0, some = count_blocks(blocks, filled, blocks->of_param[param->offset], &n);
    double bytes = fmin(BLOCK_BYTES * n, (BLOCK_BYTES + PLACE_BYTES) * some);
    if (has_codebooks(model, layer, param)) {
        int bands = param->shape[0] / layer->n_outputs * ((layer->n_outputs + 3) / 4);
        bytes = fmin(bytes, BLOCK_BYTES / 2 * n + TIN_MAX_ENTRIES * bands);
    }
    size->flash_bytes += bytes;
    size->macs += rows_per_decision * (double)param->size * some / n;
}

tin_status tin_compress_measure(const tin_model *model, tin_compress_size *size, tin_error *err)
{
    tin_sparse blocks;
    *size = (tin_compress_size){.parameters = tin_model_trainable(model)};
    tin_status status = tin_sparse_find(&blocks, model, err);
    if (status) {
        return status;
    }
    bool *filled = tin_alloc((size_t)blocks.n, sizeof *filled, err);
    for (size_t i = 0; filled && i < model->n_params; i++) {
        if (blocks.of_param[i] >= 0 && model->params[i] != 0) {
            filled[blocks.of_param[i]] = true;
        }
    }
    for (int i = 0; filled && i < model->n_layers; i++) {
        const tin_layer *l = &model->layers[i];
        double rows = model->hop / l->period;
        for (int p = 0; p < l->n_params; p++) {
            const tin_param *param = &l->params[p];
            for (size_t k = 0; param->trainable && k < param->size; k++) {
                size->nonzero += model->params[param->offset + k] != 0;
            }
            if (tin_sparse_has(l, param)) {
                add_matrix(model, l, param, &blocks, filled, rows, size);
            } else if (param->n_dims > 1) { /* depthwise */
                size->flash_bytes += (double)param->size;
                size->macs += rows * (double)param->size;
            }
            size->flash_bytes += param->n_dims > 1 ? ROW_BYTES * param->shape[0] : 0;
        }
    }
    tin_free(filled);
    tin_sparse_free(&blocks);
    return filled ? TIN_OK : TIN_ERR_MEMORY;
}
