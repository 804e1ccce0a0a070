/* Quantisation: from a folded float model to the integer model that runs on the device. Fine-tuning between calibration
 * and conversion is tin_train with options.quant. */
#ifndef TIN_QUANTIZE_H
#define TIN_QUANTIZE_H

#include "dataset/dataset.h"
#include "model/model.h"
#include "model/qmodel.h"
#include "model/quant_spec.h"
#include "project/config.h"

/* Runs the float reference over training streams (evenly chosen, about 200,000 frames at most) and takes percentiles of
 * |activation|. */
tin_status tin_quantize_calibrate(const tin_model *folded, const tin_dataset *dataset,
                                  const tin_config_quantize *settings, tin_quant_spec *spec,
                                  tin_error *err) TIN_USE_RESULT;
/* Rounds weights, folds input scaling, makes multipliers and shifts (qmodel.h); runs tin_qmodel_check and
 * tin_qmodel_seal. */
tin_status tin_quantize_convert(const tin_model *folded, const tin_quant_spec *spec, tin_qmodel **qmodel,
                                tin_error *err) TIN_USE_RESULT;

#endif
