/* Quantisation: from a folded float model to the integer model that runs on the device (docs/quantization.md).
 * Fine-tuning between calibration and conversion is tin_train with options.quant.
 *
 * The simple path: tin_quantize_prepare, tin_quantize_calibrate, tin_quantize_convert. */
#ifndef TIN_QUANTIZE_H
#define TIN_QUANTIZE_H

#include "dataset/dataset.h"
#include "model/model.h"
#include "model/qmodel.h"
#include "model/quant_spec.h"
#include "project/config.h"

/* What is done to the folded model before, so that it loses less: with settings->equalize the channels of a tensor come
 * nearer to one another in size; with power_of_two the scaling of the input becomes shifts. The model gives the same scores as
 * before, but for float rounding. */
tin_status tin_quantize_prepare(tin_model *folded, const tin_dataset *dataset, const tin_config_quantize *settings,
                                tin_error *err) TIN_USE_RESULT;

/* For each tensor the greatest |x| that its integers reach, with 8 bits and with 16. 0: a tensor without a range of its
 * own (a layer whose activation is a layer of its own, the scores, and what takes the range of what it reads). */
typedef struct tin_quant_ranges {
    double input[2], output[TIN_MAX_LAYERS][2];
} tin_quant_ranges;

/* Runs the float reference over training streams (evenly chosen, about 200,000 frames at most) and finds the ranges. */
tin_status tin_quantize_observe(const tin_model *folded, const tin_dataset *dataset,
                                const tin_config_quantize *settings, tin_quant_ranges *ranges,
                                tin_error *err) TIN_USE_RESULT;
/* A specification with the bits of the settings (8 for "auto") and no scales yet. */
void tin_quantize_start(const tin_model *folded, const tin_config_quantize *settings, tin_quant_spec *spec);
/* Fills in the scales of `spec` from its bits and power_of_two; sets the bits to 8 where the integers cannot be wider
 * (after recurrent layers, for one), and those of the scores to 16. */
void tin_quantize_assign(const tin_model *folded, const tin_quant_ranges *ranges, tin_quant_spec *spec);
/* All three. */
tin_status tin_quantize_calibrate(const tin_model *folded, const tin_dataset *dataset,
                                  const tin_config_quantize *settings, tin_quant_spec *spec,
                                  tin_error *err) TIN_USE_RESULT;
/* ---- bits by measurement ---- */

/* How near the integer model is to the float model, over decisions of validation streams, or of training streams where there
 * are none. */
typedef struct tin_nearness {
    double kl;        /* mean Kullback-Leibler divergence of softmax of the scores from that of the float model, nats */
    double agreement; /* share of decisions with the same greatest score */
} tin_nearness;

typedef enum tin_trial_kind { TIN_TRIAL_INPUT_16, TIN_TRIAL_OUTPUT_16, TIN_TRIAL_WEIGHTS_4 } tin_trial_kind;

/* One change of the model that has 8 bits wherever the settings say auto. */
typedef struct tin_trial {
    tin_trial_kind kind;
    int layer;     /* of the folded model; TIN_FROM_INPUT for the input. Outputs: the layer with the activation in it */
    bool possible; /* false: the sums could overflow, `nearness` is 0 */
    tin_nearness nearness;
    size_t bytes_saved; /* of weights */
    bool chosen;
} tin_trial;

typedef struct tin_sensitivity {
    int64_t n_decisions; /* 0: nothing was to be chosen, so nothing was measured */
    tin_nearness before, after;
    size_t weight_bytes_before, weight_bytes; /* of all matrices; biases and multipliers come on top */
    tin_trial trials[2 * TIN_MAX_LAYERS + 1];
    int n_trials;
} tin_sensitivity;

/* Bytes of all matrices: a byte per weight, half of one with 4 bits. */
size_t tin_quantize_weight_bytes(const tin_model *folded, const tin_quant_spec *spec);
/* Calibrates; where the settings say "auto" tries each change, and takes 16 bits where they gain most and 4 bits where
 * they cost least until the weights fit settings->max_weight_bytes (docs/quantization.md, "Mixed precision"). Shows
 * progress unless quiet. TIN_ERR_CONFIG when the weights cannot be made to fit. */
tin_status tin_quantize_choose(const tin_model *folded, const tin_dataset *dataset, const tin_config_quantize *settings,
                               bool quiet, tin_quant_spec *spec, tin_sensitivity *sensitivity,
                               tin_error *err) TIN_USE_RESULT;

/* Rounds weights, folds input scaling, makes multipliers and shifts (qmodel.h); runs tin_qmodel_check and
 * tin_qmodel_seal. */
tin_status tin_quantize_convert(const tin_model *folded, const tin_quant_spec *spec, tin_qmodel **qmodel,
                                tin_error *err) TIN_USE_RESULT;

#endif
