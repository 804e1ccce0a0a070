/* Labels of a stream by frame, hard or with soft borders. */
#ifndef TIN_LABELS_H
#define TIN_LABELS_H

#include "dataset/dataset.h"

typedef struct tin_labels {
    int64_t n_frames;
    int16_t *label; /* [n_frames] class or TIN_LABEL_IGNORE */
    int16_t *other; /* [n_frames] with soft borders: the class beyond the near border; else NULL */
    float *share;   /* [n_frames] its share, 0..0.5 */
    float *weight;  /* [n_frames] in the loss; NULL: 1 */
} tin_labels;

/* border: half-width in frames of the linear ramp at each border between two labels, 0: hard. */
tin_status tin_labels_create(tin_labels *labels, const tin_dataset *dataset, const tin_stream *stream, double border,
                             tin_error *err) TIN_USE_RESULT;
void tin_labels_free(tin_labels *labels);

/* First frame after `start` with another label, or n_frames. */
int64_t tin_labels_run_end(const tin_labels *labels, int64_t start);

/* Frames nearer than `margin` frames to a border between two labels weigh less: `least` at the border, linearly up to 1. */
tin_status tin_labels_weigh_margins(tin_labels *labels, double margin, double least, tin_error *err) TIN_USE_RESULT;
/* Sum of the weights of the frames of events, each run of an event class being one; adds to *n_events. */
double tin_labels_event_weight(const tin_labels *labels, const tin_class *classes, int64_t *n_events);
/* Multiplies the weights of each event, which sum to s, by (mean / s)^power: with power 1 every event sums to the mean.
 * Needs tin_labels_weigh_margins before. */
void tin_labels_balance_events(tin_labels *labels, const tin_class *classes, double mean, double power);

/* Adds `weight` times that of the frame of the label at `frame` to target[class]. Returns what was added: 0 when there is no label or no
 * frame. */
double tin_labels_add(const tin_labels *labels, int64_t frame, double weight, float *target);

#endif
