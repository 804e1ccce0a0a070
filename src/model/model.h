/* The float model: a chain of layers over a stream, its weights, and the scaling of its input.
 *
 * Streaming is the semantics. A layer with kernel k, dilation d and stride s holds the last L = (k-1)*d + 1 of its
 * input rows; the stream is preceded by zeros. It gives its first output when s rows have arrived (rows 0..s-1), then
 * one every s rows. So the whole network gives decision j after input frame hop*(j+1)-1, where hop is the product of
 * all strides, from frames <= that one; a stream of n frames has n / hop decisions (integer part).
 *
 * Dimension letters used everywhere: T time (rows), I inputs, O outputs, K kernel taps, H GRU units, N classes.
 *
 * On disk: NAME.json (graph, readable, docs/model-format.md) and NAME.safetensors (tensors, PyTorch's names and
 * shapes). */
#ifndef TIN_MODEL_H
#define TIN_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "dataset/dataset.h"

/* op, name in files. One list for enum and strings. */
#define TIN_OP_LIST(X)                                                                                                 \
    X(TIN_OP_CONV1D, "conv1d")                                                                                         \
    X(TIN_OP_GRU, "gru")                                                                                               \
    X(TIN_OP_DENSE, "dense")                                                                                           \
    X(TIN_OP_AVG_POOL, "avg_pool")                                                                                     \
    X(TIN_OP_BATCH_NORM, "batch_norm")                                                                                 \
    X(TIN_OP_RELU, "relu")                                                                                             \
    X(TIN_OP_DROPOUT, "dropout")

typedef enum tin_op {
#define X(op, name) op,
    TIN_OP_LIST(X)
#undef X
        TIN_OP_COUNT
} tin_op;

const char *tin_op_name(tin_op op);
/* TIN_OP_COUNT when unknown. */
tin_op tin_op_from_name(const char *name);

#define TIN_MAX_LAYERS 64
#define TIN_MAX_PARAMS 4
#define TIN_MAX_WIDTH 256       /* channels or units of a layer */
#define TIN_BATCH_NORM_EPS 1e-5 /* PyTorch's default */

/* One tensor of a layer, at params + offset of the model. */
typedef struct tin_param {
    const char
        *name; /* "weight", "bias", "weight_ih", "weight_hh", "bias_ih", "bias_hh", "running_mean", "running_var" */
    int shape[3], n_dims;
    size_t offset, size; /* floats */
    bool trainable;      /* false: running statistics */
} tin_param;

/* Parameters by op (row-major, PyTorch's layouts and gate order r, z, n):
 *   conv1d      weight [O][I/groups][K], bias [O];  y[o] = bias + sum_k sum_i w[o][i][k] * x[t - (K-1-k)*dilation][i]
 *               groups is 1 (dense) or I (depthwise, then O is a multiple of I; output o reads input o / (O/I))
 *   gru         weight_ih [3H][I], weight_hh [3H][H], bias_ih [3H], bias_hh [3H]   (reset_after, as PyTorch and Keras:
 *               r = s(Wr x + br + Ur h + cr), z likewise, n = tanh(Wn x + bn + r * (Un h + cn)), h' = n + z * (h - n))
 *   dense       weight [O][I], bias [O]
 *   avg_pool    none; mean over the last `kernel` rows (zeros before the stream), one output each `stride` rows
 *   batch_norm  weight [O], bias [O], running_mean [O], running_var [O]; eps 1e-5, momentum 0.1 (PyTorch's)
 *   relu, dropout  none; dropout acts in training only */
typedef struct tin_layer {
    tin_op op;
    int n_inputs, n_outputs;
    int kernel, stride, dilation; /* conv1d; avg_pool uses kernel and stride; 1 elsewhere */
    int groups;                   /* conv1d, 1 elsewhere */
    float rate;                   /* dropout: probability of zero, 0..0.95 */
    tin_param params[TIN_MAX_PARAMS];
    int n_params;
} tin_layer;

/* The network sees x[c] = (counts[c] - offset[c]) * scale[c]. */
typedef struct tin_input_scaling {
    int32_t offset[TIN_MAX_CHANNELS]; /* counts, fits int16 */
    float scale[TIN_MAX_CHANNELS];    /* per count, > 0 */
} tin_input_scaling;

typedef struct tin_model {
    int n_channels, n_classes; /* inputs of the first layer, outputs of the last */
    double rate_hz;            /* of the input frames */
    int hop;                   /* input frames per decision */
    tin_class *classes;        /* [n_classes] owned */
    tin_channel *channels;     /* [n_channels] owned */
    tin_input_scaling input;
    tin_layer layers[TIN_MAX_LAYERS];
    int n_layers;
    float *params; /* [n_params] owned, all tensors, in order of the layers */
    size_t n_params;
} tin_model;

/* What a caller fills in to describe a layer; 0 means the default. */
typedef struct tin_layer_spec {
    tin_op op;
    int units; /* conv1d output channels, gru units, dense outputs (0 for the last dense: number of classes) */
    int kernel, stride, dilation; /* default 1 */
    bool depthwise;               /* conv1d: groups = inputs; units 0: as many as inputs */
    float rate;
} tin_layer_spec;

/* Checks shapes, resolves sizes, allocates zero parameters (batch_norm weight and running_var 1). The last layer must
 * give n_classes outputs and be dense. TIN_ERR_MODEL names the layer and the mend. Copies names and classes from
 * `dataset` (channels, classes, rate). */
tin_status tin_model_create(tin_model **model, const tin_dataset *dataset, const tin_layer_spec *layers, int n_layers,
                            tin_error *err) TIN_USE_RESULT;
tin_status tin_model_copy(tin_model **copy, const tin_model *model, tin_error *err) TIN_USE_RESULT;
void tin_model_free(tin_model *model);
/* Uniform(+-1/sqrt(fan_in)) as PyTorch's defaults for conv1d, dense (fan_in I*K) and gru (fan_in H); batch_norm as
 * created. */
void tin_model_initialise(tin_model *model, uint64_t seed);
/* offset = rounded mean, scale = 1 / deviation, per channel over the training streams. */
tin_status tin_model_fit_input(tin_model *model, const tin_dataset *dataset, tin_error *err) TIN_USE_RESULT;

/* Files: `path` without extension. Atomic; the .json is written last and names the hash of the .safetensors. */
tin_status tin_model_save(const tin_model *model, const char *path, tin_error *err) TIN_USE_RESULT;
tin_status tin_model_load(tin_model **model, const char *path, tin_error *err) TIN_USE_RESULT;

/* New model without batch_norm (folded into the conv1d or dense before it) and dropout. TIN_ERR_MODEL if a batch_norm
 * has no such layer. */
tin_status tin_model_fold(tin_model **folded, const tin_model *model, tin_error *err) TIN_USE_RESULT;

size_t tin_model_trainable(const tin_model *model);
/* Multiply-accumulates per decision (all layers over one hop). */
double tin_model_macs(const tin_model *model);

/* The naive float reference, streaming, one frame at a time; evaluation mode. It stays naive: everything faster is
 * compared with it. */
typedef struct tin_float_runner tin_float_runner;
tin_status tin_float_runner_create(tin_float_runner **runner, const tin_model *model, tin_error *err) TIN_USE_RESULT;
void tin_float_runner_reset(tin_float_runner *runner);
/* counts [n_channels]; returns 1 and fills scores [n_classes] (logits) when a decision is due, else 0. */
int tin_float_runner_step(tin_float_runner *runner, const int16_t *counts, float *scores);
/* Output row of layer `layer` (after the last step in which it fired), [n_outputs]: for calibration. */
const float *tin_float_runner_output(const tin_float_runner *runner, int layer);
/* Whether that layer fired in the last step. */
bool tin_float_runner_fired(const tin_float_runner *runner, int layer);
void tin_float_runner_free(tin_float_runner *runner);

#endif
