#include "model/model.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "model/feature.h"
#include "model/model_build.h"

static const char *const op_names[TIN_OP_COUNT] = {
#define X(op, name) [op] = name,
    TIN_OP_LIST(X)
#undef X
};

const char *tin_op_name(tin_op op)
{
    return (unsigned)op < TIN_OP_COUNT ? op_names[op] : "unknown";
}

tin_op tin_op_from_name(const char *name)
{
    for (int i = 0; name && i < TIN_OP_COUNT; i++) {
        if (strcmp(name, op_names[i]) == 0)
            return (tin_op)i;
    }
    return TIN_OP_COUNT;
}

int tin_layer_history(int kernel, int dilation)
{
    return (kernel - 1) * dilation + 1;
}

float *tin_param_data(const tin_model *model, const tin_param *param)
{
    return model->params + param->offset;
}

tin_status tin_model_set_delay(tin_model *model, double delay_ms, tin_error *err)
{
    double hop_ms = 1000 * model->hop / model->rate_hz, hops = delay_ms / hop_ms, whole = rint(hops);
    if (!(delay_ms >= 0) || whole * model->hop > TIN_MAX_DELAY)
        return tin_fail(err, TIN_ERR_CONFIG, "model.delay_ms is %g; write 0 to %g", delay_ms,
                        floor((double)TIN_MAX_DELAY / model->hop) * hop_ms);
    if (fabs(hops - whole) > 1e-6 * (1 + whole))
        return tin_fail(err, TIN_ERR_CONFIG,
                        "model.delay_ms is %g, but the network decides every %g ms (%d frames); write %g or %g",
                        delay_ms, hop_ms, model->hop, floor(hops) * hop_ms, ceil(hops) * hop_ms);
    model->delay = (int)whole * model->hop;
    return TIN_OK;
}

/* ---- names ---- */

tin_status tin_channels_copy(tin_channel **copy, const tin_channel *channels, int n, tin_error *err)
{
    tin_channel *c = *copy = tin_alloc((size_t)n, sizeof *c, err);
    for (int i = 0; c && i < n; i++) {
        c[i].scale = channels[i].scale;
        if (!(c[i].name = tin_strdup(channels[i].name ? channels[i].name : "", err)) ||
            !(c[i].unit = tin_strdup(channels[i].unit ? channels[i].unit : "", err)))
            return TIN_ERR_MEMORY;
    }
    return c ? TIN_OK : TIN_ERR_MEMORY;
}

tin_status tin_classes_copy(tin_class **copy, const tin_class *classes, int n, tin_error *err)
{
    tin_class *c = *copy = tin_alloc((size_t)n, sizeof *c, err);
    for (int i = 0; c && i < n; i++) {
        c[i].event = classes[i].event;
        if (!(c[i].name = tin_strdup(classes[i].name ? classes[i].name : "", err)))
            return TIN_ERR_MEMORY;
    }
    return c ? TIN_OK : TIN_ERR_MEMORY;
}

void tin_channels_free(tin_channel *channels, int n)
{
    for (int i = 0; channels && i < n; i++) {
        tin_free(channels[i].name);
        tin_free(channels[i].unit);
    }
    tin_free(channels);
}

void tin_classes_free(tin_class *classes, int n)
{
    for (int i = 0; classes && i < n; i++)
        tin_free(classes[i].name);
    tin_free(classes);
}

static tin_status check_frame(const tin_model_frame *frame, tin_error *err)
{
    if (frame->n_channels < 1 || frame->n_channels > TIN_MAX_CHANNELS)
        return tin_fail(err, TIN_ERR_MODEL, "%d channels; a model takes 1 to %d", frame->n_channels, TIN_MAX_CHANNELS);
    if (frame->n_classes < 1 || frame->n_classes > TIN_MAX_CLASSES)
        return tin_fail(err, TIN_ERR_MODEL, "%d classes; a model gives 1 to %d", frame->n_classes, TIN_MAX_CLASSES);
    if (!(frame->rate_hz > 0.0) || !isfinite(frame->rate_hz))
        return tin_fail(err, TIN_ERR_MODEL, "rate_hz is %g; give frames per second, more than 0", frame->rate_hz);
    return TIN_OK;
}

/* ---- life ---- */

static void set_ones(const tin_model *m, const tin_param *p)
{
    float *w = tin_param_data(m, p);
    for (size_t i = 0; i < p->size; i++)
        w[i] = 1.0f;
}

static void reset_batch_norm(const tin_model *m, const tin_layer *layer)
{
    set_ones(m, &layer->params[0]);
    set_ones(m, &layer->params[3]);
    memset(tin_param_data(m, &layer->params[1]), 0, layer->params[1].size * sizeof(float));
    memset(tin_param_data(m, &layer->params[2]), 0, layer->params[2].size * sizeof(float));
}

tin_status tin_model_build(tin_model **model, const tin_model_frame *frame, const tin_layer_spec *layers, int n_layers,
                           tin_error *err)
{
    *model = NULL;
    tin_status status = check_frame(frame, err);
    if (status)
        return status;
    tin_model *m = tin_alloc(1, sizeof *m, err);
    if (!m)
        return TIN_ERR_MEMORY;
    m->n_channels = frame->n_channels;
    m->n_classes = frame->n_classes;
    m->rate_hz = frame->rate_hz;
    for (int c = 0; c < m->n_channels; c++)
        m->input.scale[c] = 1.0f;
    status = tin_graph_resolve(m, layers, n_layers, err);
    if (!status)
        status = tin_channels_copy(&m->channels, frame->channels, m->n_channels, err);
    if (!status)
        status = tin_classes_copy(&m->classes, frame->classes, m->n_classes, err);
    if (!status && !(m->params = tin_alloc(m->n_params, sizeof *m->params, err)))
        status = TIN_ERR_MEMORY;
    if (status) {
        tin_model_free(m);
        return status;
    }
    for (int i = 0; i < m->n_layers; i++) {
        if (m->layers[i].op == TIN_OP_BATCH_NORM)
            reset_batch_norm(m, &m->layers[i]);
    }
    *model = m;
    return TIN_OK;
}

tin_status tin_model_create(tin_model **model, const tin_dataset *dataset, const tin_layer_spec *layers, int n_layers,
                            tin_error *err)
{
    tin_model_frame frame = {dataset->rate_hz, dataset->n_channels, dataset->n_classes, dataset->channels,
                             dataset->classes};
    return tin_model_build(model, &frame, layers, n_layers, err);
}

tin_status tin_model_rebuild(tin_model **rebuilt, const tin_model *model, const tin_layer_spec *layers, int n_layers,
                             tin_error *err)
{
    tin_model_frame frame = {model->rate_hz, model->n_channels, model->n_classes, model->channels, model->classes};
    tin_status status = tin_model_build(rebuilt, &frame, layers, n_layers, err);
    if (status)
        return status;
    (*rebuilt)->input = model->input;
    (*rebuilt)->delay = model->delay;
    return TIN_OK;
}

tin_status tin_model_copy(tin_model **copy, const tin_model *model, tin_error *err)
{
    tin_layer_spec specs[TIN_MAX_LAYERS];
    for (int i = 0; i < model->n_layers; i++)
        specs[i] = tin_layer_describe(model, i);
    tin_status status = tin_model_rebuild(copy, model, specs, model->n_layers, err);
    if (status)
        return status;
    memcpy((*copy)->params, model->params, model->n_params * sizeof *model->params);
    return TIN_OK;
}

void tin_model_free(tin_model *model)
{
    if (!model)
        return;
    tin_channels_free(model->channels, model->n_channels);
    tin_classes_free(model->classes, model->n_classes);
    tin_free(model->params);
    tin_free(model);
}

/* ---- weights and input ---- */

void tin_model_initialise(tin_model *model, uint64_t seed)
{
    for (int i = 0; i < model->n_layers; i++) {
        const tin_layer *layer = &model->layers[i];
        if (layer->op == TIN_OP_BATCH_NORM) {
            reset_batch_norm(model, layer);
            continue;
        }
        bool recurrent = layer->op == TIN_OP_GRU || layer->op == TIN_OP_LSTM || layer->op == TIN_OP_MGU;
        int fan_in = recurrent ? layer->n_outputs : layer->n_inputs / layer->groups * layer->kernel;
        double bound = 1.0 / sqrt((double)fan_in);
        for (int p = 0; p < layer->n_params; p++) {
            tin_rng rng; /* one stream per tensor: a layer's weights do not depend on the layers before it */
            tin_rng_derive(&rng, seed, (uint64_t)i * TIN_MAX_PARAMS + (uint64_t)p);
            float *w = tin_param_data(model, &layer->params[p]);
            for (size_t j = 0; j < layer->params[p].size; j++)
                w[j] = (float)tin_rng_range(&rng, -bound, bound);
        }
    }
}

/* Exact: |count| <= 2^15, so 2^63 holds the squares of 2^33 frames. */
static void add_sums(const tin_dataset *dataset, const tin_stream *stream, int64_t *sums, int64_t *squares)
{
    for (int64_t t = 0; t < stream->n_frames; t++)
        for (int c = 0; c < dataset->n_channels; c++) {
            int64_t v = stream->counts[t * dataset->n_channels + c];
            sums[c] += v;
            squares[c] += v * v;
        }
}

tin_status tin_model_fit_input(tin_model *model, const tin_dataset *dataset, tin_error *err)
{
    int64_t sums[TIN_MAX_CHANNELS] = {0}, squares[TIN_MAX_CHANNELS] = {0};
    if (dataset->n_channels != model->n_channels)
        return tin_fail(err, TIN_ERR_MODEL,
                        "the dataset has %d channels, the model %d; make the model for this dataset",
                        dataset->n_channels, model->n_channels);
    int64_t n = tin_dataset_frames(dataset, TIN_ROLE_TRAIN);
    if (n == 0)
        return tin_fail(err, TIN_ERR_DATA,
                        "no training frames; leave subjects for training in data.validation and data.test");
    for (size_t s = 0; s < dataset->n_streams; s++)
        if (dataset->streams[s].role == TIN_ROLE_TRAIN) {
            add_sums(dataset, &dataset->streams[s], sums, squares);
            tin_dataset_forget(dataset);
        }
    for (int c = 0; c < model->n_channels; c++) {
        double mean = (double)sums[c] / (double)n;
        double variance = (double)squares[c] / (double)n - mean * mean;
        model->input.offset[c] = (int32_t)lround(mean);
        /* A channel that never moves carries nothing; scale 1 keeps it finite. */
        model->input.scale[c] = variance > 1e-3 ? (float)(1.0 / sqrt(variance)) : 1.0f;
    }
    return TIN_OK;
}

size_t tin_model_trainable(const tin_model *model)
{
    size_t n = 0;
    for (int i = 0; i < model->n_layers; i++) {
        for (int p = 0; p < model->layers[i].n_params; p++)
            n += model->layers[i].params[p].trainable ? model->layers[i].params[p].size : 0;
    }
    return n;
}

double tin_model_macs(const tin_model *model)
{
    double macs = 0;
    for (int i = 0; i < model->n_layers; i++) {
        const tin_layer *l = &model->layers[i];
        double rows = model->hop / l->period; /* hop is a multiple of every period */
        if (l->op == TIN_OP_BATCH_NORM || l->op == TIN_OP_MULTIPLY)
            macs += rows * l->n_outputs;
        if (tin_op_reads_counts(l->op)) {
            const tin_feature_shape shape = tin_feature_of_layer(l, model->rate_hz);
            macs += rows * tin_feature_products(&shape);
        }
        for (int p = 0; p < l->n_params; p++)
            macs += l->params[p].n_dims > 1 ? rows * (double)l->params[p].size : 0;
    }
    return macs;
}
