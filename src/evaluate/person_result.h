/* What one person, or all of them together, adds to the figures of a detector, and those figures. Everything here but the
 * figures adds up over streams, people and runs. docs/metrics.md. */
#ifndef TIN_PERSON_RESULT_H
#define TIN_PERSON_RESULT_H

#include "metrics/event_metrics.h"
#include "metrics/frame_metrics.h"

/* Part of an array. */
typedef struct tin_latencies {
    double *seconds; /* [n] */
    size_t n;
} tin_latencies;

/* One person: the unit of the split and of the bootstrap. */
typedef struct tin_person_result {
    const char *name;             /* borrowed from the dataset */
    tin_class_figures *per_class; /* [n_classes] frames */
    tin_class_figures *forgiven; /* [n_classes] frames with margins (tin_class_count_with_margins); NULL: not counted */
    tin_frame_figures frames;    /* set by tin_detector_result_finish */
    tin_event_counts events;
    tin_event_counts *events_of; /* [n_classes] the part of each class (tin_event_count_class) */
    int64_t n_windows, windows_right;
    tin_latencies latencies; /* of the true positives, ascending after tin_detector_result_finish; do not add up */
} tin_person_result;

typedef enum tin_figure_section { TIN_SECTION_FRAMES, TIN_SECTION_EVENTS, TIN_SECTION_WINDOWS } tin_figure_section;

/* The figures that get an interval over people and a worst person: figure, section of metrics.json, key there, +1: greater
 * is better, -1: smaller. */
#define TIN_FIGURE_LIST(X)                                                                                             \
    X(TIN_FIGURE_ACCURACY, FRAMES, "accuracy", 1)                                                                      \
    X(TIN_FIGURE_BALANCED_ACCURACY, FRAMES, "balanced_accuracy", 1)                                                    \
    X(TIN_FIGURE_MACRO_F1, FRAMES, "macro_f1", 1)                                                                      \
    X(TIN_FIGURE_ACCURACY_WITH_MARGINS, FRAMES, "accuracy_with_margins", 1)                                            \
    X(TIN_FIGURE_BALANCED_ACCURACY_WITH_MARGINS, FRAMES, "balanced_accuracy_with_margins", 1)                          \
    X(TIN_FIGURE_MACRO_F1_WITH_MARGINS, FRAMES, "macro_f1_with_margins", 1)                                            \
    X(TIN_FIGURE_WINDOW_ACCURACY, WINDOWS, "accuracy", 1)                                                              \
    X(TIN_FIGURE_FNR, EVENTS, "fnr", -1)                                                                               \
    X(TIN_FIGURE_FCR, EVENTS, "fcr", -1)                                                                               \
    X(TIN_FIGURE_FNR_PLUS_FCR, EVENTS, "fnr_plus_fcr", -1)                                                             \
    X(TIN_FIGURE_RECALL, EVENTS, "recall", 1)                                                                          \
    X(TIN_FIGURE_DEADLINE_RECALL, EVENTS, "deadline_recall", 1)                                                        \
    X(TIN_FIGURE_PRECISION, EVENTS, "precision", 1)                                                                    \
    X(TIN_FIGURE_EVENT_F1, EVENTS, "f1", 1)                                                                            \
    X(TIN_FIGURE_FP_PER_HOUR, EVENTS, "fp_per_hour", -1)                                                               \
    X(TIN_FIGURE_LATENCY_MEAN, EVENTS, "latency_mean_s", -1)                                                           \
    X(TIN_FIGURE_IOU50_F1, EVENTS, "iou50_f1", 1)                                                                      \
    X(TIN_FIGURE_IOU75_F1, EVENTS, "iou75_f1", 1)                                                                      \
    X(TIN_FIGURE_FALSE_ACTIVE, EVENTS, "false_active_share", -1)                                                       \
    X(TIN_FIGURE_SEGMENT_F1, EVENTS, "segment_f1", 1)                                                                  \
    X(TIN_FIGURE_ONSET_F1, EVENTS, "onset_f1", 1)                                                                      \
    X(TIN_FIGURE_ONSET_OFFSET_F1, EVENTS, "onset_offset_f1", 1)                                                        \
    X(TIN_FIGURE_START_ERROR, EVENTS, "start_error_s", -1)                                                             \
    X(TIN_FIGURE_END_ERROR, EVENTS, "end_error_s", -1)                                                                 \
    X(TIN_FIGURE_NAB_SCORE, EVENTS, "nab_score", 1)
typedef enum tin_figure {
#define X(figure, section, key, better) figure,
    TIN_FIGURE_LIST(X)
#undef X
        TIN_FIGURE_COUNT
} tin_figure;

typedef struct tin_figure_name {
    tin_figure_section section;
    const char *key;
    int better;
} tin_figure_name;
extern const tin_figure_name tin_figure_names[TIN_FIGURE_COUNT];

/* sum += other, but for names and figures. */
void tin_person_result_add(tin_person_result *sum, const tin_person_result *other, int n_classes);
/* figures [TIN_FIGURE_COUNT] of the counts; NaN where there is nothing to divide by. */
void tin_person_figures(const tin_person_result *person, int n_classes, double rate_hz, double *figures);

#endif
