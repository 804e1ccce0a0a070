/* Frame metrics: is the class that the model prefers at each frame the labelled one? Plain arrays in, counts out.
 * Exact definitions: docs/metrics.md. Counts of streams add up, so that a sum over streams or people is a sum of
 * arrays. */
#ifndef TIN_FRAME_METRICS_H
#define TIN_FRAME_METRICS_H

#include "dataset/dataset.h"
#include "metrics/margins.h"

/* What is known of one class from a confusion matrix. NaN where the denominator is 0. */
typedef struct tin_class_figures {
    int64_t n_true, n_predicted, n_right; /* frames */
    double precision, recall, f1;
} tin_class_figures;

typedef struct tin_frame_figures {
    int64_t n_frames;         /* counted: label is not TIN_LABEL_IGNORE */
    double accuracy;          /* right / counted */
    double balanced_accuracy; /* mean recall of the classes that occur in the labels */
    double macro_f1;          /* mean F1 of the classes that occur in the labels or in the predictions */
} tin_frame_figures;

/* Index of the greatest score, the lowest on a tie. scores [n_classes], n_classes >= 1. */
int tin_argmax_s16(const int16_t *scores, int n_classes);

/* When a model speaks, and of which frame: decision j is complete after frame hop*(j+1)-1, comes `latency` frames later, is
 * held for `hop` frames from that one on, and what is held at frame t speaks of frame t - latency - delay. */
typedef struct tin_timing {
    int hop;     /* >= 1 */
    int delay;   /* frames, a multiple of hop, 0: it speaks of the frame that completes it */
    int latency; /* frames, below hop: of the device, whose work is spread over frames */
} tin_timing;

/* predictions [n_frames]: what the model says of each frame, from scores [n_decisions][n_classes]. Frames of which it
 * speaks before its first decision get class 0. The last delay + latency frames, whose decision the end of the stream cuts off,
 * get the last one that came. */
void tin_frame_predictions(const int16_t *scores, int64_t n_decisions, int n_classes, tin_timing timing,
                           int64_t n_frames, int16_t *predictions);

/* Adds every frame whose label is not TIN_LABEL_IGNORE to confusion [n_classes][n_classes]: row label, column
 * prediction. labels and predictions [n_frames], in 0..n_classes-1 (labels also TIN_LABEL_IGNORE). */
void tin_frame_count(const int16_t *labels, const int16_t *predictions, int64_t n_frames, int n_classes,
                     int64_t *confusion);

/* The margins of that matrix only, which is all that the figures need: adds to n_true, n_predicted, n_right of
 * per_class [n_classes]. */
void tin_class_count(const int16_t *labels, const int16_t *predictions, int64_t n_frames, tin_class_figures *per_class);
/* The same with borders forgiven: a frame in the margin of an event of the predicted class, [start - early, start) or [end, end +
 * late), counts as labelled with that class. events [n_events] sorted, not overlapping. */
void tin_class_count_with_margins(const int16_t *labels, const int16_t *predictions, int64_t n_frames,
                                  const tin_interval *events, size_t n_events, const tin_margins *margins,
                                  tin_class_figures *per_class);
/* From the counts of per_class [n_classes] to precision, recall and F1 of each, and the figures of all. */
void tin_class_figures_finish(tin_class_figures *per_class, int n_classes, tin_frame_figures *figures);

/* Figures of a confusion matrix. per_class [n_classes] is overwritten. */
void tin_frame_figures_of(const int64_t *confusion, int n_classes, tin_frame_figures *figures,
                          tin_class_figures *per_class);

#endif
