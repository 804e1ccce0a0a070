/* Integer models with seeded random weights, for tests and benchmarks: valid by tin_qmodel_check, with activations that
 * use their range. */
#ifndef RANDOM_MODEL_H
#define RANDOM_MODEL_H

#include "base/rng.h"
#include "model/decision.h"
#include "model/qmodel.h"

typedef struct random_layer {
    tin_op op;
    int units; /* outputs; avg_pool keeps its inputs */
    int kernel, stride, dilation;
    bool depthwise, relu;
} random_layer;

typedef struct random_spec {
    int n_channels, n_classes;
    const random_layer *layers; /* without the last dense, which is added */
    int n_layers;
    const char *class_name; /* NULL: "class"; the number is appended */
    int event_every;        /* class k is an event when event_every > 0 and k % event_every == 0 */
    bool extreme;           /* weights -127 and 127 only */
} random_spec;

/* What values the weights have: any, -8..7, ten different ones, or any with so many zero blocks of 4 x 4. */
typedef enum random_values {
    RANDOM_ANY,
    RANDOM_INT4,
    RANDOM_BOOK,
    RANDOM_SPARSE_50,
    RANDOM_SPARSE_75,
    RANDOM_VALUES_COUNT
} random_values;

tin_status random_model(tin_qmodel **model, const random_spec *spec, uint64_t seed, tin_error *err) TIN_USE_RESULT;
/* A chain of 0 to 5 random layers of every kind, 1 to 9 channels, 1 to 9 classes. */
tin_status random_model_any(tin_qmodel **model, uint64_t seed, tin_error *err) TIN_USE_RESULT;
/* A graph of 1 to 4 random blocks (any op, residual, branches, squeeze and excite, log energies) with 8 and 16 bits. */
tin_status random_graph(tin_qmodel **model, uint64_t seed, tin_error *err) TIN_USE_RESULT;
/* conv 6->16 k5 s2 relu, conv 16->24 k5 s2 relu, GRU 24, dense 24->6: the network of the figures. */
tin_status random_model_har(tin_qmodel **model, uint64_t seed, tin_error *err) TIN_USE_RESULT;
/* Six channels: high_pass, difference, magnitude with and without a shift, log_variance. */
tin_status random_model_motion(tin_qmodel **model, uint64_t seed, tin_error *err) TIN_USE_RESULT;
/* Sound at 8 kHz: log_mel, conv1d, gru. */
tin_status random_model_audio(tin_qmodel **model, uint64_t seed, tin_error *err) TIN_USE_RESULT;
/* Draws the weights of all matrices anew. */
tin_status random_model_values(tin_qmodel *model, random_values values, uint64_t seed, tin_error *err) TIN_USE_RESULT;
/* Every multiplier of a matrix and of the input becomes the power of two at or below it. */
tin_status random_model_powers(tin_qmodel *model, tin_error *err) TIN_USE_RESULT;
/* One threshold for all events, `count` decisions one after another; all else neutral. */
tin_decision_rule common_rule(int32_t on, int32_t hysteresis, int32_t count, int32_t refractory);
/* Each element of the rule is in every other one; thresholds around the middle of the scores. */
tin_decision_rule random_rule(uint64_t seed);
/* Frames of several kinds: noise, slow waves, and values at the limits of int16. counts [n_frames * n_channels] */
void random_counts(int16_t *counts, int64_t n_frames, int n_channels, uint64_t seed);

#endif
