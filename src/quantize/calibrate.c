/* Calibration: the float reference runs over a part of the training streams, and each tensor's range is a percentile of
 * |x|. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "quantize/graph_check.h"
#include "quantize/quantize.h"

#define MAX_FRAMES 200000
#define BLOCK_FRAMES 2000 /* the runner starts anew for each block */

/* Histogram of |x| over the top bits of the float: sign dropped, 8 bits of exponent, 8 of fraction. So a bin is at most
 * 0.4 % wide at any magnitude, no range has to be known beforehand, and the result does not depend on the order of the
 * values. */
#define FRACTION_BITS 8
#define N_BINS (256 << FRACTION_BITS)

typedef struct histogram {
    uint64_t *bins; /* [N_BINS] */
    uint64_t n;
    float greatest;
} histogram;

static void add_value(histogram *h, float x)
{
    uint32_t bits;
    float size = fabsf(x);
    memcpy(&bits, &size, sizeof bits);
    h->bins[bits >> (23 - FRACTION_BITS)]++;
    h->n++;
    if (size > h->greatest)
        h->greatest = size;
}

static float upper_edge(uint32_t bin)
{
    uint32_t bits = (bin + 1) << (23 - FRACTION_BITS);
    float edge;
    memcpy(&edge, &bits, sizeof edge);
    return edge;
}

/* Least bin edge with at least this share of the values below it, never more than the greatest value. */
static float percentile(const histogram *h, double share)
{
    double want = share * (double)h->n;
    uint64_t seen = 0;
    for (uint32_t bin = 0; bin < N_BINS; bin++) {
        seen += h->bins[bin];
        if ((double)seen >= want)
            return fminf(upper_edge(bin), h->greatest);
    }
    return h->greatest;
}

/* A tensor that is always zero needs no range, but a scale must be a positive number. */
static float scale_of(float range)
{
    return range > 0.0f ? range / 127.0f : 1.0f / 127.0f;
}

/* ---- collecting ---- */

typedef struct collector {
    const tin_model *model;
    tin_float_runner *runner;
    float *scores;
    histogram input;
    histogram layers[TIN_MAX_LAYERS]; /* bins NULL where no scale is sought */
} collector;

/* Is the tensor after layer i rounded to int8 with a scale of its own? */
static bool has_scale(const tin_model *m, int i)
{
    tin_op op = m->layers[i].op;
    if (op == TIN_OP_RELU || op == TIN_OP_AVG_POOL)
        return true;
    return (op == TIN_OP_CONV1D || op == TIN_OP_DENSE) && i < m->n_layers - 1 && !tin_quantize_has_relu(m, i);
}

static tin_status open_collector(collector *c, const tin_model *m, tin_error *err)
{
    c->model = m;
    tin_status status = tin_float_runner_create(&c->runner, m, err);
    if (status)
        return status;
    c->scores = tin_alloc((size_t)m->n_classes, sizeof *c->scores, err);
    c->input.bins = c->scores ? tin_alloc(N_BINS, sizeof *c->input.bins, err) : NULL;
    if (!c->input.bins)
        return TIN_ERR_MEMORY;
    for (int i = 0; i < m->n_layers; i++) {
        if (has_scale(m, i) && !(c->layers[i].bins = tin_alloc(N_BINS, sizeof *c->layers[i].bins, err)))
            return TIN_ERR_MEMORY;
    }
    return TIN_OK;
}

static void close_collector(collector *c)
{
    tin_float_runner_free(c->runner);
    tin_free(c->scores);
    tin_free(c->input.bins);
    for (int i = 0; i < TIN_MAX_LAYERS; i++)
        tin_free(c->layers[i].bins);
}

static tin_status collect_frame(collector *c, const tin_stream *stream, int64_t frame, tin_error *err)
{
    const tin_model *m = c->model;
    const int16_t *counts = stream->counts + frame * m->n_channels;
    for (int k = 0; k < m->n_channels; k++)
        add_value(&c->input, (float)(counts[k] - m->input.offset[k]) * m->input.scale[k]);
    tin_float_runner_step(c->runner, counts, c->scores);
    for (int i = 0; i < m->n_layers && tin_float_runner_fired(c->runner, i); i++) {
        if (!c->layers[i].bins)
            continue;
        const float *x = tin_float_runner_output(c->runner, i);
        for (int j = 0; j < m->layers[i].n_outputs; j++) {
            if (!isfinite(x[j]))
                return tin_fail(err, TIN_ERR_NUMERIC,
                                "layer %d gives %g at frame %lld of stream %s; train the model again", i + 1,
                                (double)x[j], (long long)frame, stream->id);
            add_value(&c->layers[i], x[j]);
        }
    }
    return TIN_OK;
}

/* Every n-th block of the training streams, counted through all of them, so that each recording has its share. */
static tin_status collect(collector *c, const tin_dataset *dataset, tin_error *err)
{
    int64_t every = (tin_dataset_frames(dataset, TIN_ROLE_TRAIN) + MAX_FRAMES - 1) / MAX_FRAMES, block = 0;
    for (size_t s = 0; s < dataset->n_streams; s++) {
        const tin_stream *stream = &dataset->streams[s];
        if (stream->role != TIN_ROLE_TRAIN)
            continue;
        for (int64_t start = 0; start < stream->n_frames; start += BLOCK_FRAMES, block++) {
            if (block % every != 0)
                continue;
            int64_t end = start + BLOCK_FRAMES < stream->n_frames ? start + BLOCK_FRAMES : stream->n_frames;
            tin_float_runner_reset(c->runner);
            for (int64_t t = start; t < end; t++) {
                tin_status status = collect_frame(c, stream, t, err);
                if (status)
                    return status;
            }
        }
    }
    return TIN_OK;
}

static tin_status choose_scales(const collector *c, const tin_config_quantize *settings, tin_quant_spec *spec,
                                tin_error *err)
{
    const tin_model *m = c->model;
    *spec = (tin_quant_spec){.input_scale = scale_of(percentile(&c->input, settings->percentile))};
    for (int i = 0; i < m->n_layers; i++) {
        const histogram *h = &c->layers[i];
        if (h->bins && h->n == 0)
            return tin_fail(err, TIN_ERR_DATA,
                            "layer %d never gave an output: the training streams are shorter than one decision (%d "
                            "frames); use longer ones",
                            i + 1, m->hop);
        if (h->bins)
            spec->output_scale[i] = scale_of(percentile(h, settings->activation_percentile));
        else if (m->layers[i].op == TIN_OP_GRU)
            spec->output_scale[i] = 1.0f / 128.0f;
    }
    return TIN_OK;
}

tin_status tin_quantize_calibrate(const tin_model *folded, const tin_dataset *dataset,
                                  const tin_config_quantize *settings, tin_quant_spec *spec, tin_error *err)
{
    collector c = {0};
    if (!(settings->percentile > 0.0 && settings->percentile <= 1.0) ||
        !(settings->activation_percentile > 0.0 && settings->activation_percentile <= 1.0))
        return tin_fail(err, TIN_ERR_CONFIG,
                        "quantize: percentile is %g and activation_percentile %g; use shares above 0 up to 1",
                        settings->percentile, settings->activation_percentile);
    tin_status status = tin_quantize_check_graph(folded, err);
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
        status = choose_scales(&c, settings, spec, err);
    close_collector(&c);
    return status;
}
