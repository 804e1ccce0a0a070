/* Event metrics: did the device report each event once, with the right class, in time, and nothing else? Plain arrays
 * in, counts out. Exact definitions: docs/metrics.md. Counts of streams add up.
 *
 *     tin_event_counts counts = {0};
 *     tin_event_count(&scene, &detection, &margins, NULL, NULL, &counts, &err);
 *     double fnr = tin_event_figures_of(&counts, rate_hz).fnr; */
#ifndef TIN_EVENT_METRICS_H
#define TIN_EVENT_METRICS_H

#include "dataset/dataset.h"
#include "metrics/frame_metrics.h"
#include "metrics/margins.h"
#include "model/decision.h"

/* One report of the device. */
typedef struct tin_trigger {
    int64_t frame;
    int32_t class_index;
} tin_trigger;

/* What is true in one stream. */
typedef struct tin_scene {
    const tin_interval *events; /* [n_events] of event classes only; sorted, not overlapping, inside the stream */
    size_t n_events;
    const int16_t *labels; /* [n_frames]; NULL: no frame is unlabelled */
    int64_t n_frames;
} tin_scene;

/* What the device said in one stream. */
typedef struct tin_detection {
    tin_trigger *triggers;  /* [n_triggers] in order of time */
    tin_interval *segments; /* [n_segments] frames in which a class was active; sorted, not overlapping */
    size_t n_triggers, n_segments;
} tin_detection;

/* kind, name in files */
#define TIN_TRIGGER_KIND_LIST(X)                                                                                       \
    X(TIN_TRIGGER_TRUE, "true")           /* matched to an event of its class */                                       \
    X(TIN_TRIGGER_WRONG_CLASS, "wrong")   /* matched to an event of another class */                                   \
    X(TIN_TRIGGER_REPEAT, "repeat")       /* in the window of matched events only, one of them of its class */         \
    X(TIN_TRIGGER_DUPLICATE, "duplicate") /* in the window of matched events only, none of them of its class */        \
    X(TIN_TRIGGER_FALSE, "false")         /* in no acceptance window */
typedef enum tin_trigger_kind {
#define X(kind, name) kind,
    TIN_TRIGGER_KIND_LIST(X)
#undef X
        TIN_TRIGGER_KIND_COUNT
} tin_trigger_kind;
const char *tin_trigger_kind_name(tin_trigger_kind kind);

/* What became of one event. */
typedef struct tin_event_outcome {
    int32_t class_index; /* of the trigger that was matched, TIN_DECISION_NONE when missed */
    int64_t latency;     /* frames from the event's start to that trigger; negative: early */
} tin_event_outcome;

/* All that adds up over streams, people and classes. tin_event_count fills the first ones. */
#define TIN_EVENT_COUNT_LIST(X)                                                                                        \
    X(n_events)                                                                                                        \
    X(true_positives) /* events matched by a trigger of their class */                                                 \
    X(wrong_class)    /* events matched by one of another class */                                                     \
    X(missed)                                                                                                          \
    X(corrected)      /* of wrong_class: a trigger of the right class followed */                                      \
    X(wrong_triggers) /* triggers matched to an event of another class; wrong_class, but where one class is counted */ \
    X(latency_frames) /* frames, sum over the true positives */                                                        \
    X(in_time)        /* true positives no later than the deadline of the margins */                                   \
    X(n_triggers)                                                                                                      \
    X(false_triggers)            /* in no acceptance window */                                                         \
    X(false_triggers_unlabelled) /* of these: at a frame without a label */                                            \
    X(repeats)                   /* TIN_TRIGGER_REPEAT */                                                              \
    X(duplicates)                /* TIN_TRIGGER_DUPLICATE */                                                           \
    X(false_positives)           /* false_triggers + duplicates + repeats (without repeats when they are allowed) */   \
    X(rejection_frames)          /* frames in no acceptance window */                                                  \
    X(rejection_unlabelled)      /* of these: without a label */                                                       \
    X(n_frames)                                                                                                        \
    X(false_active_frames) /* active class k, frame in no acceptance window of an event of class k */                  \
    X(n_segments)                                                                                                      \
    X(segments_unlabelled) /* overlap no event, more than half without a label */                                      \
    X(overlap50)           /* segments matched one to one with an IoU of at least 0.5 */                               \
    X(overlap75)           /* ... of at least 0.75 */                                                                  \
    /* from here on by tin_span_count */                                                                               \
    X(units_true)          /* pairs of a unit of time (margins.unit) and a class that is true in it */                 \
    X(units_said)          /* ... that is active in it */                                                              \
    X(units_right)         /* ... that is both */                                                                      \
    X(units_substituted)   /* of a unit: one class for another; of one class alone there is none */                    \
    X(units_deleted)       /* the further true ones */                                                                 \
    X(units_inserted)      /* the further active ones */                                                               \
    X(onset_right)         /* segments matched one to one by class and start */                                        \
    X(onset_substituted)   /* of the others: by start alone */                                                         \
    X(borders_right)       /* segments matched one to one by class, start and end */                                   \
    X(borders_substituted) /* of the others: by start and end alone */                                                 \
    X(start_error)         /* frames, of the overlap50 pairs: sum of |start - start| */                                \
    X(end_error)           /* ... and of |end - end| */                                                                \
    X(nab_windows)         /* by tin_nab_count: windows, of which those of a class that overlap are one */             \
    X(nab_billionths)      /* the score, in units of 1e-9, so that sums do not depend on their order */
typedef struct tin_event_counts {
#define X(count) int64_t count;
    TIN_EVENT_COUNT_LIST(X)
#undef X
} tin_event_counts;

/* NaN where the denominator is 0. */
typedef struct tin_event_figures {
    double fnr, fcr, recall;     /* missed, wrong_class, true_positives / n_events */
    double precision, f1;        /* triggers that are true; F1 = 2 TP / (counted triggers + events) */
    double fp_per_hour;          /* false_positives per hour of rejection_frames */
    double fp_per_frame;         /* false_positives per rejection frame */
    double fp_per_hour_labelled; /* without triggers and frames that have no label */
    double iou50_precision, iou50_recall, iou50_f1, iou75_f1, iou50_f1_labelled;
    double false_active_share;             /* of all frames */
    double latency_mean_s;                 /* over the true positives */
    double deadline_recall;                /* in_time / n_events */
    double segment_f1, segment_error_rate; /* of units of time */
    double onset_f1, onset_error_rate, onset_offset_f1, onset_offset_error_rate;
    double start_error_s, end_error_s; /* mean, of the overlap50 pairs */
    double nab_score; /* 0: a detector that never speaks, 100: one that speaks at the start of every window */
} tin_event_figures;

/* Runs the decision layer over scores [n_decisions][n_classes]. Trigger of decision j: frame hop*(j+1)-1 +
 * latency, when the device reports it, whatever the delay. `active` after decision j holds for `hop` frames from there
 * on, and the segment is what it speaks of, delay + latency frames earlier (tin_segments_delay). The arrays of `detection` belong to the
 * caller: tin_detection_free. */
tin_status tin_detect(const tin_decision_rule *rule, const tin_class *classes, int n_classes, tin_timing timing,
                      const int16_t *scores, int64_t n_decisions, int64_t n_frames, tin_detection *detection,
                      tin_error *err) TIN_USE_RESULT;
/* Moves segments [n] from when they were said to what they speak of; one that lasts to the end of the stream still does.
 * Those that speak of nothing in the stream are dropped. Returns how many are left. */
size_t tin_segments_delay(tin_interval *segments, size_t n, int delay, int64_t n_frames);
void tin_detection_free(tin_detection *detection);

/* Everything at once: adds the counts of one stream. outcomes [n_events] and kinds [n_triggers] say what became of
 * each; either may be NULL. */
tin_status tin_event_count(const tin_scene *scene, const tin_detection *detection, const tin_margins *margins,
                           tin_event_outcome *outcomes, tin_trigger_kind *kinds, tin_event_counts *counts,
                           tin_error *err) TIN_USE_RESULT;

/* The parts of tin_event_count, for callers that need one of them very often. */

/* Matches triggers and adds n_events .. false_positives. outcomes [n_events] is needed as work space. */
void tin_event_match(const tin_scene *scene, const tin_detection *detection, const tin_margins *margins,
                     tin_event_outcome *outcomes, tin_trigger_kind *kinds, tin_event_counts *counts);
/* Adds n_frames, rejection_frames, rejection_unlabelled. */
void tin_event_count_frames(const tin_scene *scene, const tin_margins *margins, tin_event_counts *counts);
/* Adds n_segments .. false_active_frames. */
void tin_event_count_activity(const tin_scene *scene, const tin_detection *detection, const tin_margins *margins,
                              tin_event_counts *counts);

/* One pair of an event and a segment of its class that overlap; work space of tin_overlap_count. */
typedef struct tin_overlap_pair {
    int64_t common, united; /* frames; IoU = common / united */
    uint32_t segment, event;
} tin_overlap_pair;
/* Segments matched to events of their class one to one, greatest IoU first (ties: earlier segment, then earlier event),
 * with IoU >= percent / 100. pairs [n_events + n_segments] and used [n_events + n_segments] are work space; the first of
 * pairs, as many as returned, are those that were matched. */
int64_t tin_overlap_count(const tin_interval *events, size_t n_events, const tin_interval *segments, size_t n_segments,
                          int percent, tin_overlap_pair *pairs, uint8_t *used);

/* Adds what one class has of the counts: its own events, triggers and segments, against the acceptance windows of all
 * classes. outcomes [n_events] and kinds [n_triggers] are those of tin_event_match. The counts of all classes add up to
 * those of tin_event_count, but for the frames (n_frames, rejection_*), which belong to no class and are left alone. */
tin_status tin_event_count_class(const tin_scene *scene, const tin_detection *detection, const tin_margins *margins,
                                 const tin_event_outcome *outcomes, const tin_trigger_kind *kinds, int class_index,
                                 tin_event_counts *counts, tin_error *err) TIN_USE_RESULT;

/* sum += sign * other. */
void tin_event_counts_add(tin_event_counts *sum, const tin_event_counts *other, int sign);
tin_event_figures tin_event_figures_of(const tin_event_counts *counts, double rate_hz);

#endif
