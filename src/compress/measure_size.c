/* What a model will weigh on the device, from its float weights. An estimate: the generator decides, with the code. */
#include <math.h>

#include "base/memory.h"
#include "compress/compress.h"
#include "compress/sparse.h"
#include "model/quant_spec.h"

#define BLOCK_BYTES 16.0
#define ROW_BYTES 8.0 /* bias and multiplier */
#define ENTRIES 16

/* Different int8 values of a matrix, up to one more than a codebook holds. */
static int count_values(const float *w, size_t n_rows, size_t n)
{
    bool used[256] = {false};
    int n_used = 0;
    for (size_t r = 0; r < n_rows && n_used <= ENTRIES; r++) {
        double scale = tin_weight_scale(w + r * n, (int)n, 8, false);
        for (size_t i = r * n; i < (r + 1) * n; i++) {
            int at = scale > 0 ? 128 + (int)rint((double)w[i] / scale) : 128;
            n_used += !used[at];
            used[at] = true;
        }
    }
    return n_used;
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

static void add_matrix(const tin_model *model, const tin_param *param, const tin_sparse *blocks, const bool *filled,
                       double rows_per_decision, tin_compress_size *size)
{
    const float *w = model->params + param->offset;
    size_t n_rows = (size_t)param->shape[0];
    int n = 0, some = count_blocks(blocks, filled, blocks->of_param[param->offset], &n);
    double bytes = BLOCK_BYTES * n, sparse = BLOCK_BYTES * some + n / 8.0;
    if (count_values(w, n_rows, param->size / n_rows) <= ENTRIES) {
        bytes = bytes / 2 + ENTRIES;
        sparse = BLOCK_BYTES / 2 * some + n / 8.0 + ENTRIES;
    }
    size->flash_bytes += fmin(bytes, sparse);
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
                add_matrix(model, param, &blocks, filled, rows, size);
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
