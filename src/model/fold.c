/* Folding: y = (conv(x) - mean) / sqrt(var + eps) * g + beta is again a convolution, so batch_norm costs nothing on the
 * device. */
#include <math.h>
#include <string.h>

#include "model/model.h"
#include "model/model_build.h"

static bool is_linear(tin_op op)
{
    return op == TIN_OP_CONV1D || op == TIN_OP_DENSE;
}

/* w' = w * f, b' = (b - mean) * f + beta with f = g / sqrt(var + eps) */
static void fold_batch_norm(const tin_model *folded, const tin_layer *linear, const tin_model *model,
                            const tin_layer *norm)
{
    float *weight = tin_param_data(folded, &linear->params[0]), *bias = tin_param_data(folded, &linear->params[1]);
    const float *g = tin_param_data(model, &norm->params[0]), *beta = tin_param_data(model, &norm->params[1]);
    const float *mean = tin_param_data(model, &norm->params[2]), *var = tin_param_data(model, &norm->params[3]);
    size_t per_row = linear->params[0].size / (size_t)linear->n_outputs;
    for (int o = 0; o < linear->n_outputs; o++) {
        double f = (double)g[o] / sqrt((double)var[o] + TIN_BATCH_NORM_EPS);
        for (size_t i = 0; i < per_row; i++)
            weight[(size_t)o * per_row + i] = (float)((double)weight[(size_t)o * per_row + i] * f);
        bias[o] = (float)(((double)bias[o] - (double)mean[o]) * f + (double)beta[o]);
    }
}

/* The layer whose rows layer `from` gives once batch_norm, dropout and mask are gone. */
static int kept(const tin_model *model, int from)
{
    while (from != TIN_FROM_INPUT &&
           (tin_op_trains_only(model->layers[from].op) || model->layers[from].op == TIN_OP_BATCH_NORM))
        from = model->layers[from].from[0];
    return from;
}

static tin_status check_norm(const tin_model *model, int norm, tin_error *err)
{
    int linear = model->layers[norm].from[0];
    if (linear != TIN_FROM_INPUT && is_linear(model->layers[linear].op) && tin_model_readers(model, linear, NULL) == 1)
        return TIN_OK;
    return tin_fail(err, TIN_ERR_MODEL,
                    "layer %d (batch_norm) has no conv1d or dense right before it, read by nothing else, to be folded "
                    "into; move it there",
                    norm + 1);
}

tin_status tin_model_fold(tin_model **folded, const tin_model *model, tin_error *err)
{
    *folded = NULL;
    tin_layer_spec specs[TIN_MAX_LAYERS];
    int place[TIN_MAX_LAYERS]; /* in the folded model */
    int n = 0;
    for (int i = 0; i < model->n_layers; i++) {
        const tin_layer *l = &model->layers[i];
        if (l->op == TIN_OP_BATCH_NORM) {
            tin_status status = check_norm(model, i, err);
            if (status)
                return status;
        }
        if (tin_op_trains_only(l->op) || l->op == TIN_OP_BATCH_NORM)
            continue;
        place[i] = n;
        specs[n] = tin_layer_describe(model, i);
        for (int k = 0; k < l->n_from; k++) {
            int from = kept(model, l->from[k]);
            specs[n].from[k] = from == TIN_FROM_INPUT ? "input" : model->layers[from].name;
        }
        n++;
    }
    tin_status status = tin_model_rebuild(folded, model, specs, n, err);
    if (status)
        return status;
    const tin_model *f = *folded;
    for (int i = 0; i < model->n_layers; i++) {
        const tin_layer *l = &model->layers[i];
        if (l->op == TIN_OP_BATCH_NORM)
            fold_batch_norm(f, &f->layers[place[l->from[0]]], model, l);
        for (int p = 0; l->op != TIN_OP_BATCH_NORM && p < l->n_params; p++)
            memcpy(tin_param_data(f, &f->layers[place[i]].params[p]), tin_param_data(model, &l->params[p]),
                   l->params[p].size * sizeof(float));
    }
    return TIN_OK;
}
