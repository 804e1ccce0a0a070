/* Is run B better than run A, by how much, and how sure? Paired bootstrap over the test people: a draw takes people with
 * replacement, the same ones for both sides, and makes each figure from their summed counts in metrics.json.
 * docs/metrics.md, "Comparing two runs".
 *
 *     const tin_compare_side a = {.folders = &folder_a, .n = 1}, b = ...;
 *     tin_comparison c;
 *     tin_compare_runs(&a, &b, &(tin_compare_options){.resamples = 2000}, &c, &err);
 *     c.figures[TIN_COMPARED_FNR].difference; */
#ifndef TIN_COMPARE_H
#define TIN_COMPARE_H

#include <stdbool.h>

#include "base/error.h"
#include "evaluate/person_result.h"
#include "evaluate/statistics.h"

#define TIN_COMPARE_MOST_RUNS 1000

/* figure, key as in `summary` of metrics.json, where it stands in person_result.h, +1: greater is better, -1: smaller; whether
 * it needs what metrics.json always had of EVENTS, of frames (NONE), or counts that came LATER */
#define TIN_COMPARED_LIST(X)                                                                                           \
    X(TIN_COMPARED_FRAME_ACCURACY, "frame_accuracy", TIN_FIGURE_ACCURACY, 1, NONE)                                     \
    X(TIN_COMPARED_MACRO_F1, "macro_f1", TIN_FIGURE_MACRO_F1, 1, NONE)                                                 \
    X(TIN_COMPARED_FNR, "fnr", TIN_FIGURE_FNR, -1, EVENTS)                                                             \
    X(TIN_COMPARED_WORST_FNR, "worst_fnr", TIN_FIGURE_FNR, -1, EVENTS) /* of the person drawn who has the most */      \
    X(TIN_COMPARED_FCR, "fcr", TIN_FIGURE_FCR, -1, EVENTS)                                                             \
    X(TIN_COMPARED_FP_PER_HOUR, "fp_per_hour", TIN_FIGURE_FP_PER_HOUR, -1, EVENTS)                                     \
    X(TIN_COMPARED_DEADLINE_RECALL, "deadline_recall", TIN_FIGURE_DEADLINE_RECALL, 1, LATER)                           \
    X(TIN_COMPARED_LATENCY_MEAN, "latency_mean_s", TIN_FIGURE_LATENCY_MEAN, -1, EVENTS)                                \
    X(TIN_COMPARED_EVENT_F1, "event_f1", TIN_FIGURE_EVENT_F1, 1, EVENTS)                                               \
    X(TIN_COMPARED_SEGMENT_F1, "segment_f1", TIN_FIGURE_SEGMENT_F1, 1, LATER)                                          \
    X(TIN_COMPARED_IOU50_F1, "iou50_f1", TIN_FIGURE_IOU50_F1, 1, EVENTS)
typedef enum tin_compared {
#define X(figure, key, from, better, needs) figure,
    TIN_COMPARED_LIST(X)
#undef X
        TIN_COMPARED_COUNT
} tin_compared;

/* One side: a run, or the runs of several seeds, whose figures are averaged. Folds of one seed (no recording was tested by two of
 * them) count as one run that was tested on the people of all. */
typedef struct tin_compare_side {
    const char *const *folders; /* [n] of runs, which messages name */
    int n;                      /* 1..TIN_COMPARE_MOST_RUNS */
} tin_compare_side;

typedef struct tin_compare_options {
    bool common; /* where the datasets differ: only the people whose test recordings are labelled alike in all runs */
    int resamples;
    uint64_t seed;
} tin_compare_options;

/* NaN where a side does not have the figure, or where there is nothing to draw from. */
typedef struct tin_figure_comparison {
    const char *key;
    int better;        /* +1: greater is better, -1: smaller */
    double a, b;       /* over the compared people; mean over the seeds */
    double difference; /* b - a */
    tin_bounds bounds; /* 95 % of it */
    double b_better;   /* share of the draws in which B is the better one, ties by half */
} tin_figure_comparison;

typedef struct tin_comparison {
    char **people; /* [n_people] compared test people, in the order of A's first run */
    size_t n_people;
    size_t n_left_out; /* people that only some of the runs have, or labelled otherwise; 0 unless options.common */
    int n_runs[2];     /* of each side, folds of one seed counted as one */
    bool same_data; /* the first runs of both sides were measured on the same dataset, or folds on the same datasets */
    const char *no_events; /* why figures of events are not compared; NULL: they are, or there are none */
    tin_figure_comparison figures[TIN_COMPARED_COUNT];
} tin_comparison;

/* +1: B is better and the interval leaves out 0, -1: B is worse likewise, 0: not clear. */
int tin_comparison_verdict(const tin_figure_comparison *figure);

/* Reads metrics.json (and timelines.json with options->common) of every folder. TIN_ERR_MISMATCH says what differs when the
 * runs were not measured on the same data. tin_comparison_free in any case. */
tin_status tin_compare_runs(const tin_compare_side *a, const tin_compare_side *b, const tin_compare_options *options,
                            tin_comparison *comparison, tin_error *err) TIN_USE_RESULT;
void tin_comparison_free(tin_comparison *comparison);

#endif
