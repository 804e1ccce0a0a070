/* Calibration: the float reference runs over a part of the training streams; the range of each tensor comes from the
 * distribution of |x|. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "quantize/blocks.h"
#include "quantize/graph_check.h"
#include "quantize/histogram.h"
#include "quantize/quantize.h"

#define MAX_FRAMES 200000

/* ---- collecting ---- */

typedef struct collector {
    const tin_model *model;
    tin_float_runner *runner;
    float *scores;
    tin_histogram input;
    tin_histogram layers[TIN_MAX_LAYERS]; /* bins NULL where no range is sought */
} collector;

/* Does the tensor after layer i have a range that the data must tell? */
static bool has_range(const tin_model *m, int i)
{
    switch (m->layers[i].op) {
    case TIN_OP_CONV1D:
    case TIN_OP_DENSE:
    case TIN_OP_ADD:
        return i < m->n_layers - 1 && tin_model_activation(m, i) < 0;
    case TIN_OP_RELU:
    case TIN_OP_AVG_POOL:
    case TIN_OP_EMA:
    case TIN_OP_MULTIPLY:
    case TIN_OP_HIGH_PASS:
    case TIN_OP_DIFFERENCE:
    case TIN_OP_MAGNITUDE:
        return true;
    default:
        return false;
    }
}

static tin_status open_collector(collector *c, const tin_model *m, tin_error *err)
{
    c->model = m;
    tin_status status = tin_float_runner_create(&c->runner, m, err);
    if (status)
        return status;
    c->scores = tin_alloc((size_t)m->n_classes, sizeof *c->scores, err);
    status = c->scores ? tin_histogram_open(&c->input, err) : TIN_ERR_MEMORY;
    for (int i = 0; i < m->n_layers && !status; i++) {
        if (has_range(m, i))
            status = tin_histogram_open(&c->layers[i], err);
    }
    return status;
}

static void close_collector(collector *c)
{
    tin_float_runner_free(c->runner);
    tin_free(c->scores);
    tin_histogram_close(&c->input);
    for (int i = 0; i < TIN_MAX_LAYERS; i++)
        tin_histogram_close(&c->layers[i]);
}

static tin_status collect_frame(collector *c, const tin_stream *stream, int64_t frame, tin_error *err)
{
    const tin_model *m = c->model;
    const int16_t *counts = stream->counts + frame * m->n_channels;
    for (int k = 0; k < m->n_channels; k++)
        tin_histogram_add(&c->input, (float)(counts[k] - m->input.offset[k]) * m->input.scale[k]);
    tin_float_runner_step(c->runner, counts, c->scores);
    for (int i = 0; i < m->n_layers; i++) {
        if (!c->layers[i].bins || !tin_float_runner_fired(c->runner, i))
            continue;
        const float *x = tin_float_runner_output(c->runner, i);
        for (int j = 0; j < m->layers[i].n_outputs; j++) {
            if (!isfinite(x[j]))
                return tin_fail(err, TIN_ERR_NUMERIC,
                                "layer %d gives %g at frame %lld of stream %s; train the model again", i + 1,
                                (double)x[j], (long long)frame, stream->id);
            tin_histogram_add(&c->layers[i], x[j]);
        }
    }
    return TIN_OK;
}

static tin_status collect(collector *c, const tin_dataset *dataset, tin_error *err)
{
    tin_status status = TIN_OK;
    tin_blocks blocks = tin_blocks_begin(dataset, TIN_ROLE_TRAIN, MAX_FRAMES, c->model->hop);
    while (!status && tin_blocks_next(&blocks)) {
        tin_float_runner_reset(c->runner);
        for (int64_t t = blocks.start; t < blocks.end && !status; t++)
            status = collect_frame(c, blocks.stream, t, err);
    }
    return status;
}

/* 16 bits have resolution to spare: twice the greatest value, so that what training never saw seldom saturates. A tensor
 * that is always zero needs no range, but a scale must be a positive number. */
static tin_status find_range(const tin_histogram *h, const tin_config_quantize *settings, double share, double range[2],
                             tin_error *err)
{
    const char *method = settings->method ? settings->method : "percentile";
    tin_status status = TIN_OK;
    if (strcmp(method, "mse") == 0)
        status = tin_histogram_mse(h, &range[0], err);
    else if (strcmp(method, "kl") == 0)
        status = tin_histogram_kl(h, &range[0], err);
    else
        range[0] = tin_histogram_percentile(h, strcmp(method, "minmax") == 0 ? 1.0 : share);
    range[1] = 2.0 * (double)h->greatest;
    for (int k = 0; k < 2; k++)
        range[k] = range[k] > 0.0 ? range[k] : 1.0;
    return status;
}

static tin_status find_ranges(const collector *c, const tin_config_quantize *settings, tin_quant_ranges *ranges,
                              tin_error *err)
{
    const tin_model *m = c->model;
    *ranges = (tin_quant_ranges){0};
    tin_status status = find_range(&c->input, settings, settings->percentile, ranges->input, err);
    for (int i = 0; i < m->n_layers && !status; i++) {
        const tin_histogram *h = &c->layers[i];
        if (h->bins && h->n == 0)
            return tin_fail(err, TIN_ERR_DATA,
                            "layer %d never gave an output: the training streams are shorter than one decision (%d "
                            "frames); use longer ones",
                            i + 1, m->hop);
        if (h->bins)
            status = find_range(h, settings, settings->activation_percentile, ranges->output[i], err);
    }
    return status;
}

tin_status tin_quantize_observe(const tin_model *folded, const tin_dataset *dataset,
                                const tin_config_quantize *settings, tin_quant_ranges *ranges, tin_error *err)
{
    collector c = {0};
    if (!(settings->percentile > 0.0 && settings->percentile <= 1.0) ||
        !(settings->activation_percentile > 0.0 && settings->activation_percentile <= 1.0))
        return tin_fail(err, TIN_ERR_CONFIG,
                        "quantize: percentile is %g and activation_percentile %g; use shares above 0 up to 1",
                        settings->percentile, settings->activation_percentile);
    tin_status status = tin_quantize_check_graph(folded, settings->power_of_two, err);
    if (status)
        return status;
    if (dataset->n_channels != folded->n_channels)
        return tin_fail(err, TIN_ERR_MODEL,
                        "the dataset has %d channels, the model %d; use the dataset that it was trained on",
                        dataset->n_channels, folded->n_channels);
    if (tin_dataset_frames(dataset, TIN_ROLE_TRAIN) == 0)
        return tin_fail(err, TIN_ERR_DATA,
                        "no training frames; leave subjects for training in data.validation and data.test");
    status = open_collector(&c, folded, err);
    if (!status)
        status = collect(&c, dataset, err);
    if (!status)
        status = find_ranges(&c, settings, ranges, err);
    close_collector(&c);
    return status;
}

tin_status tin_quantize_calibrate(const tin_model *folded, const tin_dataset *dataset,
                                  const tin_config_quantize *settings, tin_quant_spec *spec, tin_error *err)
{
    tin_quant_ranges ranges;
    tin_status status = tin_quantize_observe(folded, dataset, settings, &ranges, err);
    if (status)
        return status;
    tin_quantize_start(folded, settings, spec);
    tin_quantize_assign(folded, &ranges, spec);
    return TIN_OK;
}
