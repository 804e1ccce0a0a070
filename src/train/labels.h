/* Labels of a stream as runs of one label, hard or with soft borders. Nothing is kept per frame: 1,000 hours have 180
 * million of them. */
#ifndef TIN_LABELS_H
#define TIN_LABELS_H

#include "dataset/dataset.h"
#include "project/config.h"

/* kind, name in the settings. What holds at distance d frames from a border of half-width w, d at the frame's middle:
 * RAMP: the label beyond has the share (1 - d / w) / 2 as far as w; GAUSSIAN: the true border lies around the labelled
 * one with the deviation w / 2, so that the share beyond is erfc(d / (w / 2) / sqrt 2) / 2, as far as 2 w; IGNORED: no
 * target as far as w. */
#define TIN_BORDER_LIST(X)                                                                                             \
    X(TIN_BORDER_HARD, "hard")                                                                                         \
    X(TIN_BORDER_IGNORED, "ignored")                                                                                   \
    X(TIN_BORDER_RAMP, "ramp")                                                                                         \
    X(TIN_BORDER_GAUSSIAN, "gaussian")
typedef enum tin_border_kind {
#define X(kind, name) kind,
    TIN_BORDER_LIST(X)
#undef X
        TIN_BORDER_COUNT
} tin_border_kind;

/* How labels fade on both sides of a border. */
typedef struct tin_border {
    int64_t reach; /* frames from the border on that it changes, 0: hard */
    float *share;  /* [reach] of the label beyond; NULL: those frames are ignored */
    double width;  /* half, frames */
    bool listed;   /* in train.borders */
} tin_border;

/* Start and end of every class; zero-initialise. */
typedef struct tin_borders {
    tin_border of[TIN_MAX_CLASSES][2];
} tin_borders;

/* By train.border, border_ms and borders. TIN_ERR_CONFIG for a class that is not there. */
tin_status tin_borders_create(tin_borders *borders, const tin_dataset *dataset, const tin_config_train *train,
                              tin_error *err) TIN_USE_RESULT;
void tin_borders_free(tin_borders *borders);

/* Frames [start, end) of one label. */
typedef struct tin_label_run {
    int64_t start, end;
    const tin_border *border[2]; /* at start and end; NULL: hard, or no label beyond */
    int32_t label;               /* class or TIN_LABEL_IGNORE; the next run has another one */
    float factor;                /* of the weight in the loss */
} tin_label_run;

typedef struct tin_labels {
    int64_t n_frames;
    tin_label_run *runs; /* [n_runs], all frames without a gap */
    size_t n_runs;
    double margin, least; /* see tin_labels_weigh_margins */
    bool weighed;         /* the weights are not all 1 */
} tin_labels;

/* borders must outlive the labels; NULL: all are hard. */
tin_status tin_labels_create(tin_labels *labels, const tin_dataset *dataset, const tin_stream *stream,
                             const tin_borders *borders, tin_error *err) TIN_USE_RESULT;
void tin_labels_free(tin_labels *labels);

/* Index of the run that holds the frame, which is in the stream. */
size_t tin_labels_find(const tin_labels *labels, int64_t frame);
/* The same, from the run of a frame nearby. */
size_t tin_labels_step(const tin_labels *labels, size_t run, int64_t frame);
/* The frames [*start, *end) of a run whose target is the label alone, with the weight 1; maybe none. */
void tin_labels_plain(const tin_labels *labels, size_t run, int64_t *start, int64_t *end);

/* Frames nearer than `margin` frames to a border between two labels weigh less: `least` at the border, linearly up to 1. */
void tin_labels_weigh_margins(tin_labels *labels, double margin, double least);
/* Weight of a frame of the run in the loss. */
float tin_labels_weight(const tin_labels *labels, size_t run, int64_t frame);
/* Sum of the weights of the frames of events, each run of an event class being one; adds to *n_events. */
double tin_labels_event_weight(const tin_labels *labels, const tin_class *classes, int64_t *n_events);
/* Multiplies the weights of each event, which sum to s, by (mean / s)^power: with power 1 every event sums to the mean.
 * Needs tin_labels_weigh_margins before. */
void tin_labels_balance_events(tin_labels *labels, const tin_class *classes, double mean, double power);

/* Adds `weight` times that of the frame of the label at `frame` to target[class]. Returns what was added: 0 when there is no label or no
 * frame. *run: of a frame nearby, and then of this one. */
double tin_labels_add(const tin_labels *labels, size_t *run, int64_t frame, double weight, float *target);

#endif
