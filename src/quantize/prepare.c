/* With powers of two everywhere, the scaling of the input must be shifts too: what is left of it goes into the weights
 * that read the input. The float model computes the same as before. */
#include "quantize/quantize.h"

static bool reads_input(const tin_layer *l)
{
    for (int k = 0; k < l->n_from; k++) {
        if (l->from[k] == TIN_FROM_INPUT && l->op != TIN_OP_LOG_ENERGY) /* that one reads counts */
            return true;
    }
    return false;
}

/* Column of the input channel that weight `at` of the layer multiplies. */
static int channel_of(const tin_layer *l, size_t at)
{
    const tin_param *p = &l->params[0];
    size_t kernel = p->n_dims == 3 ? (size_t)p->shape[2] : 1, columns = (size_t)p->shape[1];
    size_t output = at / (kernel * columns), column = at / kernel % columns;
    return l->groups > 1 ? (int)output / (l->n_outputs / l->groups) : (int)column;
}

tin_status tin_quantize_prepare(tin_model *folded, const tin_config_quantize *settings, tin_error *err)
{
    double factor[TIN_MAX_CHANNELS];
    if (!settings->power_of_two)
        return TIN_OK;
    for (int i = 0; i < folded->n_layers; i++) {
        const tin_layer *l = &folded->layers[i];
        if (reads_input(l) && l->n_params == 0)
            return tin_fail(err, TIN_ERR_MODEL,
                            "layer %d (%s) reads the input, whose scaling is then no shift; with quantize.power_of_two "
                            "let it read a conv1d or dense of the input",
                            i + 1, tin_op_name(l->op));
    }
    for (int c = 0; c < folded->n_channels; c++) {
        double scale = (double)folded->input.scale[c], rounded = tin_power_of_two_up(scale);
        factor[c] = scale / rounded;
        folded->input.scale[c] = (float)rounded;
    }
    for (int i = 0; i < folded->n_layers; i++) {
        const tin_layer *l = &folded->layers[i];
        float *weight = reads_input(l) ? folded->params + l->params[0].offset : NULL;
        for (size_t at = 0; weight && at < l->params[0].size; at++)
            weight[at] = (float)((double)weight[at] * factor[channel_of(l, at)]);
    }
    return TIN_OK;
}
