/* Detectors that look at no signal. On scripted data a figure alone can be high without a useful model; these say how
 * high.
 *     constant  says one class always: one trigger at the first decision of a stream, active to its end; or none ever
 *     clock     sees only the time since the start of the recording: the majority label of the training streams in each
 *               second, and the n-th event of a stream at the mean time of the n-th events of the training streams */
#ifndef TIN_TRIVIAL_DETECTORS_H
#define TIN_TRIVIAL_DETECTORS_H

#include "metrics/event_metrics.h"

typedef struct tin_clock {
    double bin_frames; /* frames per second of recording */
    int16_t *bins;     /* [n_bins] class */
    size_t n_bins;
    int16_t otherwise;    /* after the last bin: majority of all */
    tin_interval *events; /* [n_events] when the clock reports */
    size_t n_events;
    tin_role role; /* of the streams that it learnt from */
} tin_clock;

/* Learns from the training streams of the dataset, or where there are none, since everybody validates in his turn, from
 * the validation streams. An n-th event is kept when at least half of the training streams
 * have one; its class is the most frequent. Without training streams it says class 0 and no event. */
tin_status tin_clock_learn(tin_clock *clock, const tin_dataset *dataset, tin_error *err) TIN_USE_RESULT;
void tin_clock_free(tin_clock *clock);

/* What the detectors say about one stream: predictions [n_frames] and the detection (tin_detection_free). class_index
 * TIN_DECISION_NONE: class 0 in every frame, and no event. */
tin_status tin_clock_detect(const tin_clock *clock, int64_t n_frames, int16_t *predictions, tin_detection *detection,
                            tin_error *err) TIN_USE_RESULT;
tin_status tin_constant_detect(const tin_class *classes, int class_index, int hop, int64_t n_frames,
                               int16_t *predictions, tin_detection *detection, tin_error *err) TIN_USE_RESULT;

#endif
