/* What is done to the folded model before calibration. The float model computes the same afterwards. */
#include <math.h>

#include "base/memory.h"
#include "quantize/blocks.h"
#include "quantize/quantize.h"

#define MAX_FRAMES 50000
#define LEAST_FACTOR (1.0 / 32.0) /* a dead channel is not blown up */

static bool is_linear(tin_op op)
{
    return op == TIN_OP_CONV1D || op == TIN_OP_DENSE || tin_op_recurrent(op);
}

/* Column of the layer's input that its weight `at` multiplies. */
static int column_of(const tin_layer *l, size_t at)
{
    const tin_param *p = &l->params[0];
    size_t kernel = p->n_dims == 3 ? (size_t)p->shape[2] : 1, columns = (size_t)p->shape[1];
    size_t output = at / (kernel * columns), column = at / kernel % columns;
    return l->groups > 1 ? (int)output / (l->n_outputs / l->groups) : (int)column;
}

/* Weights that read columns first.. of the layer's input, times factor[0..n). */
static void scale_columns(tin_model *m, const tin_layer *l, int first, int n, const double *factor)
{
    float *weight = m->params + l->params[0].offset;
    for (size_t at = 0; at < l->params[0].size; at++) {
        int column = column_of(l, at) - first;
        if (column >= 0 && column < n)
            weight[at] = (float)((double)weight[at] * factor[column]);
    }
}

/* Rows of the weights, and the bias. */
static void scale_rows(tin_model *m, const tin_layer *l, const double *factor)
{
    for (int p = 0; p < l->n_params; p++) {
        float *values = m->params + l->params[p].offset;
        size_t per_row = l->params[p].size / (size_t)l->n_outputs;
        for (size_t at = 0; at < l->params[p].size; at++)
            values[at] = (float)((double)values[at] * factor[at / per_row]);
    }
}

/* ---- who reads a channel ---- */

/* Gives each channel on, so that a factor > 0 on it is given on too. */
static bool passes_on(tin_op op)
{
    return op == TIN_OP_RELU || op == TIN_OP_AVG_POOL || op == TIN_OP_MAX_POOL || op == TIN_OP_EMA ||
           op == TIN_OP_CONCAT || op == TIN_OP_HIGH_PASS || op == TIN_OP_DIFFERENCE;
}

/* Multiplies all weights that read what `from` gives (columns first.. of its row) by factor[0..n). With factor NULL
 * changes nothing. False when something reads it that is not linear. */
static bool scale_readers(tin_model *m, int from, int first, int n, const double *factor)
{
    double by_three[TIN_MAX_CHANNELS];
    for (int i = 0; i < m->n_layers; i++) {
        const tin_layer *l = &m->layers[i];
        if (l->op == TIN_OP_MAGNITUDE && from == TIN_FROM_INPUT) { /* worth as much as the first of its channels */
            for (int o = 0; factor && o < l->n_outputs; o++)
                by_three[o] = factor[3 * o];
            if (!scale_readers(m, i, 0, l->n_outputs, factor ? by_three : NULL))
                return false;
            continue;
        }
        for (int k = 0, at = 0; k < l->n_from; k++) {
            if (l->from[k] == from && !tin_op_gives_log(l->op)) { /* that reads counts as they are */
                if (is_linear(l->op) && factor)
                    scale_columns(m, l, first, n, factor);
                if (passes_on(l->op) ? !scale_readers(m, i, first + at, n, factor) : !is_linear(l->op))
                    return false;
            }
            if (l->op == TIN_OP_CONCAT)
                at += l->from[k] == TIN_FROM_INPUT ? m->n_channels : m->layers[l->from[k]].n_outputs;
        }
    }
    return true;
}

/* ---- equalisation ---- */

/* The channels of a tensor share one scale, so a channel that is small beside the others has few steps. Where only
 * linear layers read it, it is made larger and the weights that read it smaller by as much (Nagel et al., "Data-free
 * quantization through weight equalization and bias correction", ICCV 2019; here with the size of the data in place of
 * that of the weights). By the root of the ratio of sizes: made all alike, the weights would suffer in turn. */

/* Sums of squares of each channel. */
typedef struct sizes {
    double input[TIN_MAX_CHANNELS], layers[TIN_MAX_LAYERS][TIN_MAX_WIDTH];
} sizes;

static void add_frame(const tin_model *m, const tin_float_runner *runner, const int16_t *counts, sizes *s)
{
    for (int c = 0; c < m->n_channels; c++) {
        double x = (double)(counts[c] - m->input.offset[c]) * (double)m->input.scale[c];
        s->input[c] += x * x;
    }
    for (int i = 0; i < m->n_layers; i++) {
        const float *x = tin_float_runner_output(runner, i);
        for (int o = 0; o < m->layers[i].n_outputs && tin_float_runner_fired(runner, i); o++)
            s->layers[i][o] += (double)x[o] * (double)x[o];
    }
}

static tin_status measure_sizes(const tin_model *m, const tin_dataset *dataset, sizes *s, tin_error *err)
{
    tin_float_runner *runner = NULL;
    float scores[TIN_MAX_CLASSES];
    tin_status status = tin_float_runner_create(&runner, m, err);
    if (status)
        return status;
    tin_blocks blocks = tin_blocks_begin(dataset, TIN_ROLE_TRAIN, MAX_FRAMES, m->hop);
    while (tin_blocks_next(&blocks)) {
        tin_float_runner_reset(runner);
        for (int64_t t = blocks.start; t < blocks.end; t++) {
            const int16_t *counts = blocks.stream->counts + t * m->n_channels;
            tin_float_runner_step(runner, counts, scores);
            add_frame(m, runner, counts, s);
        }
    }
    tin_float_runner_free(runner);
    return TIN_OK;
}

/* What the readers' weights are multiplied by, and its inverse: the fourth root of the ratio of mean squares. False for
 * a tensor that is always zero. */
static bool find_factors(const double *size, int n, double *factor, double *inverse)
{
    double greatest = 0;
    for (int o = 0; o < n; o++)
        greatest = fmax(greatest, size[o]);
    for (int o = 0; o < n; o++) {
        factor[o] = size[o] > 0.0 ? fmax(LEAST_FACTOR, sqrt(sqrt(size[o] / greatest))) : 1.0;
        inverse[o] = 1.0 / factor[o];
    }
    return greatest > 0.0 && isfinite(greatest);
}

static void equalize_layers(tin_model *m, const sizes *s)
{
    double factor[TIN_MAX_WIDTH], inverse[TIN_MAX_WIDTH];
    if (scale_readers(m, TIN_FROM_INPUT, 0, m->n_channels, NULL) &&
        find_factors(s->input, m->n_channels, factor, inverse)) {
        scale_readers(m, TIN_FROM_INPUT, 0, m->n_channels, factor);
        for (int c = 0; c < m->n_channels; c++)
            m->input.scale[c] = (float)((double)m->input.scale[c] * inverse[c]);
    }
    for (int i = 0; i < m->n_layers - 1; i++) {
        const tin_layer *l = &m->layers[i];
        int activation = tin_model_activation(m, i);
        if ((l->op == TIN_OP_CONV1D || l->op == TIN_OP_DENSE) && scale_readers(m, i, 0, l->n_outputs, NULL) &&
            find_factors(s->layers[activation >= 0 ? activation : i], l->n_outputs, factor, inverse)) {
            scale_readers(m, i, 0, l->n_outputs, factor);
            scale_rows(m, l, inverse);
        }
    }
}

static tin_status equalize(tin_model *m, const tin_dataset *dataset, tin_error *err)
{
    sizes *s = tin_alloc(1, sizeof *s, err);
    if (!s)
        return TIN_ERR_MEMORY;
    tin_status status = measure_sizes(m, dataset, s, err);
    if (!status)
        equalize_layers(m, s);
    tin_free(s);
    return status;
}

/* ---- powers of two ---- */

/* With powers of two everywhere, the scaling of the input must be shifts too: what is left of it goes into the weights
 * that read the input. */
static tin_status round_input(tin_model *m, tin_error *err)
{
    double factor[TIN_MAX_CHANNELS];
    if (!scale_readers(m, TIN_FROM_INPUT, 0, m->n_channels, NULL))
        return tin_fail(err, TIN_ERR_MODEL,
                        "a layer that is not linear (add, multiply or an activation) reads the input, whose scaling is "
                        "then no shift; with quantize.power_of_two let it read a conv1d or dense of the input");
    for (int c = 0; c < m->n_channels; c++) {
        double scale = (double)m->input.scale[c], rounded = tin_power_of_two_up(scale);
        factor[c] = scale / rounded;
        m->input.scale[c] = (float)rounded;
    }
    scale_readers(m, TIN_FROM_INPUT, 0, m->n_channels, factor);
    return TIN_OK;
}

tin_status tin_quantize_prepare(tin_model *folded, const tin_dataset *dataset, const tin_config_quantize *settings,
                                tin_error *err)
{
    tin_status status = settings->equalize ? equalize(folded, dataset, err) : TIN_OK;
    return status || !settings->power_of_two ? status : round_input(folded, err);
}
