#include "compress/low_rank.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

#define BLOCK 4
#define SEARCH_STEPS 30

/* W = u * diag(s) * vt of one layer's first weights; k = min(n_rows, n). */
typedef struct svd {
    int n_rows, n, k;
    double *u, *s, *vt; /* [n_rows][k], [k], [k][n] */
    double *w, *work;
} svd;

static void svd_free(svd *d)
{
    tin_free(d->u);
    tin_free(d->s);
    tin_free(d->vt);
    tin_free(d->w);
    tin_free(d->work);
}

static bool can_factor(const tin_layer *l)
{
    return l->groups == 1 && l->n_params > 0 && l->params[0].n_dims > 1;
}

static tin_status svd_make(svd *d, const tin_model *model, int layer, tin_error *err)
{
    const tin_param *param = &model->layers[layer].params[0];
    *d = (svd){.n_rows = param->shape[0], .n = (int)param->size / param->shape[0]};
    d->k = d->n_rows < d->n ? d->n_rows : d->n;
    size_t rows = (size_t)d->n_rows, n = (size_t)d->n, k = (size_t)d->k;
    lapack_int n_work = -1;
    double wanted = 0;
    openblas_set_num_threads(1); /* the order of sums must not depend on the number of cores */
    /* LAPACK is column-major: what it sees is W transposed, so its u is our vt */
    (void)LAPACKE_dgesvd_work(LAPACK_COL_MAJOR, 'S', 'S', d->n, d->n_rows, NULL, d->n, NULL, NULL, d->n, NULL, d->k,
                              &wanted, n_work);
    n_work = (lapack_int)wanted;
    d->w = tin_alloc(rows * n, sizeof *d->w, err);
    d->u = tin_alloc(rows * k, sizeof *d->u, err);
    d->s = tin_alloc(k, sizeof *d->s, err);
    d->vt = tin_alloc(k * n, sizeof *d->vt, err);
    d->work = tin_alloc((size_t)n_work, sizeof *d->work, err);
    if (!d->w || !d->u || !d->s || !d->vt || !d->work) {
        return TIN_ERR_MEMORY;
    }
    for (size_t i = 0; i < rows * n; i++) {
        d->w[i] = (double)model->params[param->offset + i];
    }
    lapack_int info = LAPACKE_dgesvd_work(LAPACK_COL_MAJOR, 'S', 'S', d->n, d->n_rows, d->w, d->n, d->s, d->vt, d->n,
                                          d->u, d->k, d->work, n_work);
    return info == 0 ? TIN_OK
                     : tin_fail(err, TIN_ERR_NUMERIC,
                                "layer %d (%s): its weights have no singular values (%d); are they finite?", layer + 1,
                                tin_op_name(model->layers[layer].op), (int)info);
}

/* Parameters that a layer saves at a rank. The factor has a bias of its own. */
static long saved(const tin_layer *l, int rank)
{
    if (rank == 0) {
        return 0;
    }
    long n_rows = l->params[0].shape[0], n = (long)l->params[0].size / n_rows;
    return n_rows * n - rank * (n_rows + n + 1);
}

static int rank_for(const svd *d, double energy)
{
    double total = 0, sum = 0;
    for (int i = 0; i < d->k; i++) {
        total += d->s[i] * d->s[i];
    }
    int rank = 0;
    while (rank < d->k && sum < energy * total) {
        sum += d->s[rank] * d->s[rank];
        rank++;
    }
    rank = rank > 0 ? (rank + BLOCK - 1) / BLOCK * BLOCK : BLOCK;
    return rank < d->k ? rank : d->k;
}

static void choose(const tin_model *model, const svd *d, double energy, int rank[TIN_MAX_LAYERS])
{
    for (int i = 0; i < model->n_layers; i++) {
        rank[i] = can_factor(&model->layers[i]) ? rank_for(&d[i], energy) : 0;
        rank[i] = saved(&model->layers[i], rank[i]) > 0 ? rank[i] : 0;
    }
}

static tin_status decompose(const tin_model *model, svd d[TIN_MAX_LAYERS], tin_error *err)
{
    tin_status status = TIN_OK;
    for (int i = 0; i < model->n_layers && status == TIN_OK; i++) {
        status = can_factor(&model->layers[i]) ? svd_make(&d[i], model, i, err) : TIN_OK;
    }
    return status;
}

static void free_all(svd d[TIN_MAX_LAYERS])
{
    for (int i = 0; i < TIN_MAX_LAYERS; i++) {
        svd_free(&d[i]);
    }
}

tin_status tin_low_rank_choose(const tin_model *model, double energy, int rank[TIN_MAX_LAYERS], tin_error *err)
{
    svd d[TIN_MAX_LAYERS] = {{.n = 0}};
    tin_status status = decompose(model, d, err);
    if (status == TIN_OK) {
        choose(model, d, energy, rank);
    }
    free_all(d);
    return status;
}

tin_status tin_low_rank_search(const tin_model *model, double keep, int rank[TIN_MAX_LAYERS], tin_error *err)
{
    svd d[TIN_MAX_LAYERS] = {{.n = 0}};
    double low = 0, high = 1, n_params = (double)tin_model_trainable(model);
    tin_status status = decompose(model, d, err);
    for (int step = 0; step < SEARCH_STEPS && status == TIN_OK; step++) {
        double energy = (low + high) / 2, left = n_params;
        choose(model, d, energy, rank);
        for (int i = 0; i < model->n_layers; i++) {
            left -= (double)saved(&model->layers[i], rank[i]);
        }
        *(left <= keep * n_params ? &low : &high) = energy;
    }
    if (status == TIN_OK) {
        choose(model, d, low, rank);
    }
    free_all(d);
    return status;
}

/* The layer of the first factor, and what is left for the layer itself. */
static tin_status split_spec(const tin_model *model, int layer, int rank, tin_layer_spec *first, tin_layer_spec *second,
                             char name[TIN_LAYER_NAME], tin_error *err)
{
    const tin_layer *l = &model->layers[layer];
    int length = snprintf(name, TIN_LAYER_NAME, "%s_low", l->name);
    if (length >= TIN_LAYER_NAME) {
        return tin_fail(err, TIN_ERR_MODEL, "layer %d: its name \"%s\" is too long for \"%s_low\"; shorten it",
                        layer + 1, l->name, l->name);
    }
    *second = tin_layer_describe(model, layer);
    *first = *second;
    first->name = name;
    first->units = rank;
    first->op = l->op == TIN_OP_CONV1D ? TIN_OP_CONV1D : TIN_OP_DENSE;
    first->reset_before = false;
    second->kernel = second->stride = second->dilation = 1;
    second->n_from = 1;
    second->from[0] = name;
    return TIN_OK;
}

/* sqrt(s) on both sides: the rows of the first factor then have like sizes, and so have the columns of the second. */
static void fill_factors(const svd *d, int rank, float *first, float *second)
{
    for (int j = 0; j < rank; j++) {
        double root = sqrt(d->s[j]);
        for (int i = 0; i < d->n; i++) {
            first[(size_t)j * (size_t)d->n + (size_t)i] = (float)(root * d->vt[(size_t)j * (size_t)d->n + (size_t)i]);
        }
        for (int r = 0; r < d->n_rows; r++) {
            second[(size_t)r * (size_t)rank + (size_t)j] = (float)(root * d->u[(size_t)r * (size_t)d->k + (size_t)j]);
        }
    }
}

static void copy_params(const tin_model *model, int layer, int first_param, const tin_model *to, int place)
{
    for (int p = first_param; p < model->layers[layer].n_params; p++) {
        const tin_param *from = &model->layers[layer].params[p];
        memcpy(to->params + to->layers[place].params[p].offset, model->params + from->offset,
               from->size * sizeof(float));
    }
}

tin_status tin_low_rank_apply(tin_model **factored, const tin_model *model, const int rank[TIN_MAX_LAYERS],
                              tin_error *err)
{
    tin_layer_spec specs[2 * TIN_MAX_LAYERS];
    char names[TIN_MAX_LAYERS][TIN_LAYER_NAME];
    svd d[TIN_MAX_LAYERS] = {{.n = 0}};
    int n = 0;
    *factored = NULL;
    tin_status status = decompose(model, d, err);
    for (int i = 0; i < model->n_layers && status == TIN_OK; i++) {
        if (rank[i] > 0) {
            status = split_spec(model, i, rank[i], &specs[n], &specs[n + 1], names[i], err);
            n += 2;
        } else {
            specs[n++] = tin_layer_describe(model, i);
        }
    }
    status = status ? status : tin_model_rebuild(factored, model, specs, n, err);
    for (int i = 0, at = 0; i < model->n_layers && status == TIN_OK; i++, at++) {
        const tin_model *f = *factored;
        if (rank[i] > 0) {
            fill_factors(&d[i], rank[i], f->params + f->layers[at].params[0].offset,
                         f->params + f->layers[at + 1].params[0].offset);
            at++;
        }
        copy_params(model, i, rank[i] > 0, f, at);
    }
    free_all(d);
    return status;
}
