#include "compress/sparse.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define SIDE 4

bool tin_sparse_has(const tin_layer *layer, const tin_param *param)
{
    return param->n_dims > 1 && layer->groups == 1;
}

/* How one parameter is cut. */
typedef struct cut {
    int rows, row_blocks; /* of one gate */
    int inputs, taps;
    int width, column_blocks; /* of one run of columns */
    bool together;            /* all taps are one run */
} cut;

static cut cut_of(const tin_layer *layer, const tin_param *param)
{
    cut c = {.rows = layer->n_outputs, .inputs = param->shape[1], .taps = param->n_dims == 3 ? param->shape[2] : 1};
    c.together = layer->dilation == 1;
    c.row_blocks = (c.rows + SIDE - 1) / SIDE;
    c.width = c.together ? c.inputs * c.taps : c.inputs;
    c.column_blocks = (c.width + SIDE - 1) / SIDE;
    return c;
}

static int blocks_in(const cut *c, const tin_param *param)
{
    return param->shape[0] / c->rows * c->row_blocks * c->column_blocks * (c->together ? 1 : c->taps);
}

/* Block of weight [row][input][tap] within the parameter. */
static int block_at(const cut *c, int row, int input, int tap)
{
    int band = row / c->rows * c->row_blocks + row % c->rows / SIDE;
    int column = c->together ? tap * c->inputs + input : input, run = c->together ? 0 : tap;
    return (band * (c->together ? 1 : c->taps) + run) * c->column_blocks + column / SIDE;
}

static void fill(tin_sparse *blocks, const tin_param *param, const cut *c, int first)
{
    int *at = blocks->of_param + param->offset;
    for (int row = 0; row < param->shape[0]; row++) {
        for (int input = 0; input < c->inputs; input++) {
            for (int tap = 0; tap < c->taps; tap++) {
                *at++ = first + block_at(c, row, input, tap);
            }
        }
    }
    for (int b = first; b < first + blocks_in(c, param); b++) {
        blocks->matrix[b] = first;
    }
}

tin_status tin_sparse_find(tin_sparse *blocks, const tin_model *model, tin_error *err)
{
    *blocks = (tin_sparse){.n = 0};
    for (int pass = 0; pass < 2; pass++) {
        int n = 0;
        for (int i = 0; i < model->n_layers; i++) {
            for (int p = 0; p < model->layers[i].n_params; p++) {
                const tin_param *param = &model->layers[i].params[p];
                if (!tin_sparse_has(&model->layers[i], param)) {
                    continue;
                }
                cut c = cut_of(&model->layers[i], param);
                if (pass == 1) {
                    fill(blocks, param, &c, n);
                }
                n += blocks_in(&c, param);
            }
        }
        if (pass == 0) {
            blocks->n = n;
            blocks->of_param = tin_alloc(model->n_params, sizeof *blocks->of_param, err);
            blocks->matrix = tin_alloc((size_t)n, sizeof *blocks->matrix, err);
            if (!blocks->of_param || !blocks->matrix) {
                tin_sparse_free(blocks);
                return TIN_ERR_MEMORY;
            }
            memset(blocks->of_param, -1, model->n_params * sizeof *blocks->of_param);
        }
    }
    return TIN_OK;
}

void tin_sparse_free(tin_sparse *blocks)
{
    tin_free(blocks->of_param);
    tin_free(blocks->matrix);
    *blocks = (tin_sparse){.n = 0};
}

typedef struct ranked {
    double importance;
    int block;
} ranked;

static int by_importance(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    return x->importance != y->importance ? (x->importance > y->importance) - (x->importance < y->importance)
                                          : (x->block > y->block) - (x->block < y->block);
}

tin_status tin_sparse_choose(const tin_sparse *blocks, const double *importance, double keep, bool *removed,
                             tin_error *err)
{
    int left = blocks->n - (int)(keep * blocks->n + 0.5); /* blocks that still have to go */
    ranked *order = tin_alloc((size_t)blocks->n, sizeof *order, err);
    int *present = tin_alloc((size_t)blocks->n, sizeof *present, err), *size = NULL; /* by first block of a matrix */
    if (order && present) {
        size = tin_alloc((size_t)blocks->n, sizeof *size, err);
    }
    if (!size) {
        tin_free(order);
        tin_free(present);
        return TIN_ERR_MEMORY;
    }
    for (int b = 0; b < blocks->n; b++) {
        order[b] = (ranked){importance[b], b};
        size[blocks->matrix[b]]++;
        present[blocks->matrix[b]]++;
        removed[b] = false;
    }
    qsort(order, (size_t)blocks->n, sizeof *order, by_importance);
    for (int i = 0; i < blocks->n && left > 0; i++) {
        int b = order[i].block, m = blocks->matrix[b];
        if (present[m] - 1 >= keep / 4 * size[m]) {
            removed[b] = true;
            present[m]--;
            left--;
        }
    }
    tin_free(size);
    tin_free(present);
    tin_free(order);
    return TIN_OK;
}

void tin_sparse_clear(const tin_sparse *blocks, tin_model *model, const bool *removed)
{
    for (size_t i = 0; i < model->n_params; i++) {
        if (blocks->of_param[i] >= 0 && removed[blocks->of_param[i]]) {
            model->params[i] = 0;
        }
    }
}
