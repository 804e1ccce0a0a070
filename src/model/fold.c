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

tin_status tin_model_fold(tin_model **folded, const tin_model *model, tin_error *err)
{
    *folded = NULL;
    tin_layer_spec specs[TIN_MAX_LAYERS];
    int from[TIN_MAX_LAYERS]; /* layer of `model` that each kept layer comes from */
    int n = 0;
    for (int i = 0; i < model->n_layers; i++) {
        const tin_layer *l = &model->layers[i];
        if (l->op == TIN_OP_DROPOUT)
            continue;
        if (l->op == TIN_OP_BATCH_NORM) {
            if (n == 0 || !is_linear(model->layers[from[n - 1]].op))
                return tin_fail(
                    err, TIN_ERR_MODEL,
                    "layer %d (batch_norm) has no conv1d or dense right before it to be folded into; move it there",
                    i + 1);
            continue;
        }
        from[n] = i;
        specs[n++] = tin_layer_describe(l);
    }
    tin_model_frame frame = {model->rate_hz, model->n_channels, model->n_classes, model->channels, model->classes};
    tin_status status = tin_model_build(folded, &frame, specs, n, err);
    if (status)
        return status;
    tin_model *f = *folded;
    f->input = model->input;
    int at = -1;
    for (int i = 0; i < model->n_layers; i++) {
        const tin_layer *l = &model->layers[i];
        if (l->op == TIN_OP_BATCH_NORM) {
            fold_batch_norm(f, &f->layers[at], model, l);
        } else if (l->op != TIN_OP_DROPOUT) {
            at++;
            for (int p = 0; p < l->n_params; p++)
                memcpy(tin_param_data(f, &f->layers[at].params[p]), tin_param_data(model, &l->params[p]),
                       l->params[p].size * sizeof(float));
        }
    }
    return TIN_OK;
}
