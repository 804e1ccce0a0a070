/* The float model: a graph of layers over a stream, its weights, and the scaling of its input.
 *
 * The layers stand in an order in which each reads only layers before it, or the input. A layer reads the one right
 * before it unless it says otherwise; the last one gives the scores. add, multiply and concat read several.
 *
 * Streaming is the semantics. A layer with kernel k, dilation d and stride s holds the last L = (k-1)*d + 1 of its
 * input rows; the stream is preceded by zeros. It gives its first output when s rows have arrived (rows 0..s-1), then
 * one every s rows. The period of a layer is the product of the strides on the way to it: it gives output j on input
 * frame period*(j+1)-1. Layers that are read together must have the same period, so their rows come on the same frame.
 * The period of the last layer is the hop: the network gives decision j after input frame hop*(j+1)-1, from frames <=
 * that one; a stream of n frames has n / hop decisions (integer part).
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

#define TIN_MASK_MAX_COUNT 16

/* op, name in files. One list for enum and strings. */
#define TIN_OP_LIST(X)                                                                                                 \
    X(TIN_OP_CONV1D, "conv1d")                                                                                         \
    X(TIN_OP_GRU, "gru")                                                                                               \
    X(TIN_OP_DENSE, "dense")                                                                                           \
    X(TIN_OP_AVG_POOL, "avg_pool")                                                                                     \
    X(TIN_OP_BATCH_NORM, "batch_norm")                                                                                 \
    X(TIN_OP_RELU, "relu")                                                                                             \
    X(TIN_OP_DROPOUT, "dropout")                                                                                       \
    X(TIN_OP_LSTM, "lstm")                                                                                             \
    X(TIN_OP_MGU, "mgu")                                                                                               \
    X(TIN_OP_MIN_GRU, "min_gru")                                                                                       \
    X(TIN_OP_MAX_POOL, "max_pool")                                                                                     \
    X(TIN_OP_EMA, "ema")                                                                                               \
    X(TIN_OP_ADD, "add")                                                                                               \
    X(TIN_OP_MULTIPLY, "multiply")                                                                                     \
    X(TIN_OP_CONCAT, "concat")                                                                                         \
    X(TIN_OP_RELU6, "relu6")                                                                                           \
    X(TIN_OP_HARD_SIGMOID, "hard_sigmoid")                                                                             \
    X(TIN_OP_HARD_TANH, "hard_tanh")                                                                                   \
    X(TIN_OP_SIGMOID, "sigmoid")                                                                                       \
    X(TIN_OP_TANH, "tanh")                                                                                             \
    X(TIN_OP_LOG_ENERGY, "log_energy")                                                                                 \
    X(TIN_OP_LOG_MEL, "log_mel")                                                                                       \
    X(TIN_OP_LOG_VARIANCE, "log_variance")                                                                             \
    X(TIN_OP_HIGH_PASS, "high_pass")                                                                                   \
    X(TIN_OP_DIFFERENCE, "difference")                                                                                 \
    X(TIN_OP_MAGNITUDE, "magnitude")                                                                                   \
    X(TIN_OP_MASK, "mask")

typedef enum tin_op {
#define X(op, name) op,
    TIN_OP_LIST(X)
#undef X
        TIN_OP_COUNT
} tin_op;

const char *tin_op_name(tin_op op);
/* TIN_OP_COUNT when unknown. */
tin_op tin_op_from_name(const char *name);

/* Gates of a recurrent layer: 3 for gru, 4 lstm, 2 mgu and min_gru; 1 for all others. */
int tin_op_gates(tin_op op);
bool tin_op_recurrent(tin_op op);
/* relu, relu6, hard_sigmoid, hard_tanh, sigmoid, tanh */
bool tin_op_is_activation(tin_op op);
/* dropout, mask: nothing outside training. */
bool tin_op_trains_only(tin_op op);
/* Features: layers over the input's counts, not over its scaled values (model/feature.h). */
bool tin_op_reads_counts(tin_op op);
/* Of those log_energy, log_mel and log_variance, which give logarithms on a scale of their own. */
bool tin_op_gives_log(tin_op op);

#define TIN_MAX_LAYERS 64
#define TIN_MAX_PARAMS 4
#define TIN_MAX_FROM 8          /* layers that one layer reads */
#define TIN_LAYER_NAME 32       /* bytes of a layer's name, with the NUL */
#define TIN_FROM_INPUT (-1)     /* in `from`: the frame itself */
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

/* What each op computes, and its parameters (row-major, PyTorch's layouts and gate orders). s is the logistic function,
 * h the state, h' the new state, which is the output.
 *   conv1d      weight [O][I/groups][K], bias [O];  y[o] = bias + sum_k sum_i w[o][i][k] * x[t - (K-1-k)*dilation][i]
 *               groups is 1 (dense) or I (depthwise, then O is a multiple of I; output o reads input o / (O/I))
 *   dense       weight [O][I], bias [O]
 *   gru         weight_ih [3H][I], weight_hh [3H][H], bias_ih [3H], bias_hh [3H], rows r, z, n
 *               r = s(Wr x + br + Ur h + cr), z likewise, h' = n + z * (h - n)
 *               n = tanh(Wn x + bn + r * (Un h + cn))       reset after the product, as PyTorch and Keras' default
 *               n = tanh(Wn x + bn + Un (r * h) + cn)       `reset_before`: the original definition (Cho et al. 2014)
 *   lstm        weight_ih [4H][I], weight_hh [4H][H], bias_ih [4H], bias_hh [4H], rows i, f, g, o (PyTorch)
 *               i, f, o = s(W x + b + U h + c), g = tanh(same), c' = f * c + i * g, h' = o * tanh(c')
 *   mgu         weight_ih [2H][I], weight_hh [2H][H], bias_ih [2H], bias_hh [2H], rows f, n: the minimal gated unit
 *               (Zhou et al. 2016) with the reset after the product: two thirds of a gru
 *               f = s(Wf x + bf + Uf h + cf), n = tanh(Wn x + bn + f * (Un h + cn)), h' = h + f * (n - h)
 *   min_gru     weight [2H][I], bias [2H], rows z, n: gates that do not read the state (Feng et al. 2024), no matrix
 *               on the state at all;  z = s(Wz x + bz), n = tanh(Wn x + bn), h' = n + z * (h - n)
 *   avg_pool    mean over the last `kernel` rows (zeros before the stream), one output each `stride` rows
 *   max_pool    maximum likewise (zeros before the stream take part)
 *   ema         y' = y + (x - y) / 2^shift, y starts at 0: a mean over a long past in one row of memory
 *   batch_norm  weight [O], bias [O], running_mean [O], running_var [O]; eps 1e-5, momentum 0.1 (PyTorch's)
 *   add         sum of the layers in `from`, all of one width (residual blocks)
 *   multiply    product of the two layers in `from`, of one width (squeeze and excite)
 *   concat      the rows of the layers in `from`, one behind the other
 *   relu, relu6 = min(6, relu), hard_sigmoid = clip(x/6 + 1/2, 0, 1), hard_tanh = clip(x, -1, 1), sigmoid, tanh
 *   dropout     acts in training only
 *   mask        likewise: SpecAugment (Park et al. 2019) without its time warp. Per sequence and chunk, `count` times:
 *               0..bands neighbouring channels become zero throughout, and all channels for 0..rows rows. No rescaling;
 *               behind a batch_norm zero is the mean.
 *   log_energy  reads the input's counts, in integers everywhere (model/log_energy.h): per channel and level 1..levels
 *               the log2 of the energy of the Haar details over the last `kernel` blocks of `stride` frames; an output
 *               after every block. stride 8, 16, 32, ...; kernel * stride a multiple of 2^levels. O = I * levels, level
 *               after level within a channel. No parameters.
 *   log_mel     reads the input's counts likewise (model/log_mel.h): per channel the log2 of the power in `bands` bands of
 *               the mel scale from low_hz to high_hz, of the spectrum of the last `kernel` frames under a Hann window; an
 *               output after every `stride` frames. O = I * bands. No parameters.
 *   log_variance  reads the input's counts (model/log_variance.h): per channel the log2 of the variance of the last
 *               `kernel` blocks of `stride` frames; an output after every block. No parameters.
 *   high_pass, difference, magnitude  read the input's counts (model/motion.h); a count of channel c is worth scale[c] of the
 *               input, whose offset has no part: x - y of an ema with `shift`; x[t] - x[t - dilation]; the length of (x, y, z)
 *               per three channels, with a `shift` of their high_pass. No parameters. */
typedef struct tin_layer {
    tin_op op;
    char name[TIN_LAYER_NAME];      /* unique in the model, "input" is taken */
    int from[TIN_MAX_FROM], n_from; /* indices of the layers that it reads, all less than its own; or TIN_FROM_INPUT */
    int n_inputs, n_outputs;        /* width of the row that it reads (of the whole row for concat) and gives */
    int kernel, stride,
        dilation;      /* conv1d; pools and features use kernel and stride, difference the dilation; 1 elsewhere */
    int period;        /* input frames per output row */
    int groups;        /* conv1d, 1 elsewhere */
    float rate;        /* dropout: probability of zero, 0..0.95 */
    bool reset_before; /* gru */
    int shift;         /* ema, high_pass: 1..12; magnitude: 0..12; 0 elsewhere */
    int levels;        /* log_energy: 1..8, 0 elsewhere */
    int bands, low_hz, high_hz; /* log_mel, 0 elsewhere; mask: its widest mask in channels is `bands` */
    int rows, count;            /* mask, 0 elsewhere */
    tin_param params[TIN_MAX_PARAMS];
    int n_params;
} tin_layer;

/* The network sees x[c] = (counts[c] - offset[c]) * scale[c]. */
typedef struct tin_input_scaling {
    int32_t offset[TIN_MAX_CHANNELS]; /* counts, fits int16 */
    float scale[TIN_MAX_CHANNELS];    /* per count, > 0 */
} tin_input_scaling;

typedef struct tin_model {
    int n_channels, n_classes; /* of the input, outputs of the last layer */
    double rate_hz;            /* of the input frames */
    int hop;                   /* input frames per decision */
    int delay; /* frames, a multiple of the hop: the decision at frame t was trained on the label at t - delay */
    tin_class *classes;    /* [n_classes] owned */
    tin_channel *channels; /* [n_channels] owned */
    tin_input_scaling input;
    tin_layer layers[TIN_MAX_LAYERS];
    int n_layers;
    float *params; /* [n_params] owned, all tensors, in order of the layers */
    size_t n_params;
} tin_model;

/* What a caller fills in to describe a layer; 0 means the default. */
typedef struct tin_layer_spec {
    tin_op op;
    const char *name;               /* NULL or "": op_N, N the place in the list from 1 */
    const char *from[TIN_MAX_FROM]; /* names of layers further up, or "input" */
    int n_from;                     /* 0: the layer right before it, the input for the first */
    int units; /* conv1d output channels, units of a recurrent layer, dense outputs (0 for the last: the classes) */
    int kernel, stride, dilation; /* default 1 */
    bool depthwise;               /* conv1d: groups = inputs; units 0: as many as inputs */
    float rate;
    bool reset_before;
    int shift, levels;
    int bands, low_hz, high_hz; /* log_mel; high_hz 0: half of the rate */
    int rows, count;            /* mask, with `bands` */
} tin_layer_spec;

/* Checks shapes, resolves sizes, allocates zero parameters (batch_norm weight and running_var 1). The last layer must
 * give n_classes outputs and be dense; every other layer must be read. TIN_ERR_MODEL names the layer and the mend.
 * Copies names and classes from `dataset` (channels, classes, rate). */
tin_status tin_model_create(tin_model **model, const tin_dataset *dataset, const tin_layer_spec *layers, int n_layers,
                            tin_error *err) TIN_USE_RESULT;
/* Sets the delay from milliseconds. TIN_ERR_CONFIG unless it is a multiple of the hop, 0 to 65536 frames; names the
 * next ones that are. */
tin_status tin_model_set_delay(tin_model *model, double delay_ms, tin_error *err) TIN_USE_RESULT;
tin_status tin_model_copy(tin_model **copy, const tin_model *model, tin_error *err) TIN_USE_RESULT;
/* The specification that builds layer `index` again; its names belong to the model. */
tin_layer_spec tin_layer_describe(const tin_model *model, int index);
/* Other layers over the same stream: names, classes, input scaling and delay of `model`, parameters as created. */
tin_status tin_model_rebuild(tin_model **rebuilt, const tin_model *model, const tin_layer_spec *layers, int n_layers,
                             tin_error *err) TIN_USE_RESULT;
void tin_model_free(tin_model *model);
/* Uniform(+-1/sqrt(fan_in)) as PyTorch's defaults for conv1d, dense (fan_in I*K) and gru (fan_in H); batch_norm as
 * created. */
void tin_model_initialise(tin_model *model, uint64_t seed);
/* offset = rounded mean, scale = 1 / deviation, per channel over the training streams. */
tin_status tin_model_fit_input(tin_model *model, const tin_dataset *dataset, tin_error *err) TIN_USE_RESULT;

/* Files: `path` without extension. Atomic; the .json is written last and names the hash of the .safetensors. */
tin_status tin_model_save(const tin_model *model, const char *path, tin_error *err) TIN_USE_RESULT;
tin_status tin_model_load(tin_model **model, const char *path, tin_error *err) TIN_USE_RESULT;

/* New model without batch_norm (folded into the conv1d or dense before it), dropout and mask. TIN_ERR_MODEL if a batch_norm
 * has no such layer. */
tin_status tin_model_fold(tin_model **folded, const tin_model *model, tin_error *err) TIN_USE_RESULT;

/* How many layers read layer `layer` (or TIN_FROM_INPUT); *reader, when not NULL, is the last of them. */
int tin_model_readers(const tin_model *model, int layer, int *reader);
/* The activation (relu, ..., tanh) that becomes part of layer `layer` in the integer model and in training: the only
 * reader of a conv1d, dense, batch_norm or add that is not the last layer. -1: none. */
int tin_model_activation(const tin_model *model, int layer);

size_t tin_model_trainable(const tin_model *model);
/* Multiply-accumulates per decision (all layers over one hop). */
double tin_model_macs(const tin_model *model);

/* The naive float reference, streaming, one frame at a time; evaluation mode. It stays naive: everything faster is
 * compared with it. */
typedef struct tin_float_runner tin_float_runner;
/* Of the weights that the model has now. */
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
