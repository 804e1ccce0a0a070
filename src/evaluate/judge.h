/* Lets a detector speak on every stream of a set and counts what it said. */
#ifndef TIN_JUDGE_H
#define TIN_JUDGE_H

#include <stdio.h>

#include "evaluate/detector_result.h"
#include "evaluate/trivial_detectors.h"

typedef enum tin_detector_kind { TIN_DETECTOR_MODEL, TIN_DETECTOR_CONSTANT, TIN_DETECTOR_CLOCK } tin_detector_kind;

typedef struct tin_detector {
    tin_detector_kind kind;
    const tin_decision_rule *rule; /* model; NULL: no class is an event, so nothing is ever reported */
    int class_index;               /* constant; TIN_DECISION_NONE: never reports */
    const tin_clock *clock;        /* clock */
} tin_detector;

typedef struct tin_judge_options {
    tin_margins margins;
    int resamples;
    uint64_t seed;
    FILE *timelines; /* gets one object per stream (docs/metrics-format.md), with commas between; NULL: none */
} tin_judge_options;

/* What the detector says about one stream of the set. predictions [n_frames]; of a model NULL: not asked for. *detection is
 * for tin_detection_free. */
tin_status tin_detector_speak(const tin_detector *detector, const tin_dataset *dataset, const tin_scored_set *set,
                              const tin_scored_stream *stream, int16_t *predictions, tin_detection *detection,
                              tin_error *err) TIN_USE_RESULT;

/* Makes *result (tin_detector_result_free, also after a failure). The set's windows count for the model only. */
tin_status tin_judge(const tin_detector *detector, const tin_dataset *dataset, const tin_scored_set *set,
                     const tin_judge_options *options, tin_detector_result *result, tin_error *err) TIN_USE_RESULT;

#endif
