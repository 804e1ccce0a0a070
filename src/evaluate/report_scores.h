/* Private to src/evaluate: what the report makes of scores.safetensors: what every position of the threshold does, and how
 * far the model's confidence can be believed. */
#ifndef TIN_REPORT_SCORES_H
#define TIN_REPORT_SCORES_H

#include <jansson.h>

#include "base/text.h"
#include "evaluate/evaluate.h"
#include "evaluate/positions.h"

/* The positions of a run with events, from its scores. tin_positions_free, also after a failure. */
tin_status tin_report_positions(tin_positions *positions, const tin_dataset *dataset, const tin_report_options *options,
                                const json_t *metrics, size_t most_streams, tin_error *err) TIN_USE_RESULT;

/* Adds the keys ,"thresholds": and ,"calibration": of docs/metrics-format.md; nothing where the run has no scores.
 * metrics: what stands in metrics.json. most_streams: timelines in the page. */
tin_status tin_report_scores(tin_text *out, const tin_dataset *dataset, const tin_report_options *options,
                             const json_t *metrics, size_t most_streams, tin_error *err) TIN_USE_RESULT;

#endif
