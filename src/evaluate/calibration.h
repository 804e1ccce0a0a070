/* How far the confidence of a model can be believed: the softmax of its scores against how often it is right, frame by frame,
 * before the decision layer. Guo et al., On Calibration of Modern Neural Networks (ICML 2017). docs/metrics.md. */
#ifndef TIN_CALIBRATION_H
#define TIN_CALIBRATION_H

#include "evaluate/score_streams.h"

#define TIN_CALIBRATION_BINS 15

/* Frames whose confidence lies in (b / 15, (b + 1) / 15]. */
typedef struct tin_calibration_bin {
    int64_t n, n_right;
    double confidence; /* sum over the frames */
} tin_calibration_bin;

typedef struct tin_calibration {
    tin_calibration_bin bins[TIN_CALIBRATION_BINS];
    int64_t n;
    double ece; /* expected calibration error: mean over the frames of their bin's |share right - confidence|; NaN
                             without frames */
    double overconfident; /* mean confidence - share right */
} tin_calibration;

/* Labelled frames of which the model speaks. */
void tin_calibration_measure(tin_calibration *calibration, const tin_scored_set *set);

#endif
