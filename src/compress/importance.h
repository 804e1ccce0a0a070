/* Private to src/compress: how much the loss changes when a group of weights becomes zero, to first order. */
#ifndef TIN_IMPORTANCE_H
#define TIN_IMPORTANCE_H

#include "train/train.h"

#define TIN_NO_GROUP (-1)

/* importance[g] = mean over batches of (sum over the weights of group g of gradient * weight)^2: Molchanov et al. 2019,
 * "Importance Estimation for Neural Network Pruning", equation 8. group[n_params]: of each parameter, or TIN_NO_GROUP.
 * For a channel the weights are those that read it: their sum is the derivative by a factor on the channel. */
tin_status tin_importance_measure(const tin_model *model, const tin_dataset *dataset, const tin_train_options *options,
                                  const int *group, int n_groups, double *importance, tin_error *err) TIN_USE_RESULT;

#endif
