/* PSDS of a detector (metrics/psds.h): the threshold of the rule of a model is moved, all classes by the same amount, over
 * what its scores attain; a detector that looks at no signal has the one threshold that it has. */
#ifndef TIN_PSDS_SWEEP_H
#define TIN_PSDS_SWEEP_H

#include "evaluate/judge.h"
#include "metrics/psds.h"

/* Amounts by which the thresholds of `rule` are moved over the streams of a set: at most `most`, rising, as evenly as can
 * be among those that change anything, and 0 among them. *shifts is tin_free()d by the caller. */
tin_status tin_psds_shifts(const tin_decision_rule *rule, const tin_dataset *dataset, const tin_scored_set *set,
                           size_t most, int32_t **shifts, size_t *n, tin_error *err) TIN_USE_RESULT;

/* values [TIN_PSDS_KINDS]; *n_thresholds that were tried. pool NULL: in the caller's thread; the result does not depend on
 * the threads. */
tin_status tin_psds_sweep(const tin_detector *detector, const tin_dataset *dataset, const tin_scored_set *set,
                          tin_pool *pool, double *values, size_t *n_thresholds, tin_error *err) TIN_USE_RESULT;

#endif
