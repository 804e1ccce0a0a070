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

/* What must be done to the folded model before: with power_of_two the scaling of the input becomes shifts. The model
 * gives the same scores as before, but for float rounding. */
tin_status tin_quantize_prepare(tin_model *folded, const tin_config_quantize *settings, tin_error *err) TIN_USE_RESULT;

/* For each tensor the greatest |x| that its integers reach, with 8 bits and with 16. 0: a tensor without a range of its
 * own (a layer whose activation is a layer of its own, the scores, and what takes the range of what it reads). */
typedef struct tin_quant_ranges {
    double input[2], output[TIN_MAX_LAYERS][2];
} tin_quant_ranges;

/* Runs the float reference over training streams (evenly chosen, about 200,000 frames at most) and finds the ranges. */
tin_status tin_quantize_observe(const tin_model *folded, const tin_dataset *dataset,
                                const tin_config_quantize *settings, tin_quant_ranges *ranges,
                                tin_error *err) TIN_USE_RESULT;
/* Fills in the scales of `spec` from its bits and power_of_two; sets the bits to 8 where the integers cannot be wider
 * (after recurrent layers, for one), and those of the scores to 16. */
void tin_quantize_assign(const tin_model *folded, const tin_quant_ranges *ranges, tin_quant_spec *spec);
/* Both, with the bits of the settings. */
tin_status tin_quantize_calibrate(const tin_model *folded, const tin_dataset *dataset,
                                  const tin_config_quantize *settings, tin_quant_spec *spec,
                                  tin_error *err) TIN_USE_RESULT;
/* Rounds weights, folds input scaling, makes multipliers and shifts (qmodel.h); runs tin_qmodel_check and
 * tin_qmodel_seal. */
tin_status tin_quantize_convert(const tin_model *folded, const tin_quant_spec *spec, tin_qmodel **qmodel,
                                tin_error *err) TIN_USE_RESULT;

#endif
