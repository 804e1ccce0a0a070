/* Runs the integer and the float model over the streams of one role, once, and keeps their scores. */
#ifndef TIN_SCORE_STREAMS_H
#define TIN_SCORE_STREAMS_H

#include "base/pool.h"
#include "base/scratch.h"
#include "dataset/dataset.h"
#include "metrics/frame_metrics.h"
#include "model/model.h"
#include "model/qmodel.h"

/* One stream and what a model said about it. */
typedef struct tin_scored_stream {
    const tin_stream *stream;
    int16_t *labels;      /* [n_frames] */
    tin_interval *events; /* [n_events] intervals of event classes */
    size_t n_events;
    int64_t n_decisions;
    int16_t *scores; /* [n_decisions][n_classes] logits * 256; of the float model: rounded and saturated to int16 */
    int64_t n_windows, windows_right;
} tin_scored_stream;

typedef struct tin_scored_set {
    tin_scored_stream *items;
    size_t n;
    int n_classes;
    tin_timing timing;
    tin_scratch_map scratch; /* holds labels and scores */
} tin_scored_set;

/* The models of cross-validation: what each says of the streams of the part that it was not trained on. */
typedef struct tin_cross_models {
    int n;
    const int *part;           /* [n_streams of the dataset] 1..n; 0: no part */
    tin_qmodel *const *qmodels; /* [n] of part 1, 2, ... */
    tin_model *const *models;   /* [n] likewise, float; NULL: not asked for */
} tin_cross_models;

/* What runs: exactly one of the two is not NULL. */
typedef struct tin_scorer {
    int latency; /* of the device, as in tin_timing */
    const tin_qmodel *qmodel;
    const tin_model *model;
    const tin_cross_models *cross; /* they run instead, each on its part, where it is one; NULL: none */
    const char
        *folder; /* where labels and scores wait in an unnamed file, so that memory does not grow with the recordings */
} tin_scorer;

/* Windows inside one label (docs/metrics.md, "Window accuracy"); frames 0: none. */
typedef struct tin_windows {
    int64_t frames, step, history; /* history: frames before the window, where the stream has them */
} tin_windows;

/* The streams of `role` in the order of the dataset, with their events, and room for labels and scores in an unnamed file in
 * `folder`. `set` is freed with tin_scored_set_free, after a failure too. */
tin_status tin_scored_set_create(tin_scored_set *set, const tin_dataset *dataset, tin_role role, tin_timing timing,
                                 int n_classes, const char *folder, tin_error *err) TIN_USE_RESULT;
/* Streams of `role` in the order of the dataset. pool NULL: in the caller's thread; the result does not depend on the
 * threads. TIN_ERR_MODEL when the model was made for other channels or classes. `set` is freed with
 * tin_scored_set_free, after a failure too. */
tin_status tin_score_streams(tin_scorer scorer, const tin_dataset *dataset, tin_role role, tin_windows windows,
                             tin_pool *pool, bool quiet, tin_scored_set *set, tin_error *err) TIN_USE_RESULT;
/* Frees the memory of what was said about one stream until it is looked at again. Any thread may, at any time. */
void tin_scored_stream_forget(const tin_scored_set *set, const tin_scored_stream *stream);
void tin_scored_set_free(tin_scored_set *set);

#endif
