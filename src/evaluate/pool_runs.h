/* The figures of several runs as those of one: each was tested on other recordings, as the folds of one experiment are, and
 * together they say what new people may expect. What was said of every test recording (timelines.json) is counted again by the
 * functions that `evaluate` counts with, so that figures, people and intervals mean the same.
 *
 *     json_t *pooled = NULL;
 *     status = tin_pool_runs(folders, n, 2000, seed, &pooled, &err);
 *     json_object_get(json_object_get(pooled, "test"), "integer"); */
#ifndef TIN_POOL_RUNS_H
#define TIN_POOL_RUNS_H

#include <jansson.h>

#include "base/error.h"

/* *pooled: a new object in the layout of metrics.json, with `format`, `rate_hz`, `classes`, `settings`, `has_events`, `test`
 * {`integer`: RESULT} and `trivial`, and `n_runs`. TIN_ERR_MISMATCH when classes, rate or what counts as an event differ,
 * TIN_ERR_USAGE when two runs were tested on the same recording. folders [n], n >= 1, which messages name. */
tin_status tin_pool_runs(const char *const *folders, size_t n, int resamples, uint64_t seed, json_t **pooled,
                         tin_error *err) TIN_USE_RESULT;

#endif
