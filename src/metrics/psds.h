/* The polyphonic sound detection score: how many events are found at how many false positives, over all thresholds, with
 * criteria of intersection instead of borders (Bilen, Ferroni, Tuveri, Azcarreta, Krstulovic: A framework for the robust
 * evaluation of sound event detection, ICASSP 2020). docs/metrics.md, "PSDS".
 *
 *     tin_psds_counts counts; ... tin_psds_counts_create, and for each threshold:
 *         tin_psds_counts_clear, tin_psds_count for every stream, tin_psds_points_of for one row of points
 *     double value = tin_psds_value(...) */
#ifndef TIN_PSDS_H
#define TIN_PSDS_H

#include "metrics/event_metrics.h"

typedef struct tin_psds_settings {
    const char *name;
    double dtc; /* a segment is not false when this share of it lies in events of its class */
    double gtc; /* an event is found when such segments cover this share of it */
    double
        cttc; /* a false segment is a cross-trigger of another class when this share of it lies in events of that one */
    double alpha_ct;        /* what a cross-trigger costs besides, false positives */
    double alpha_st;        /* what it costs that classes differ, standard deviations */
    double max_fp_per_hour; /* the area goes up to here */
} tin_psds_settings;

/* The two of DCASE 2021, task 4. */
enum { TIN_PSDS_KINDS = 2 };
extern const tin_psds_settings tin_psds_kinds[TIN_PSDS_KINDS];

/* Of one threshold. */
typedef struct tin_psds_counts {
    int n_classes;
    int64_t *found, *false_segments; /* [n_classes] events, segments */
    int64_t *crossed;                /* [n_classes][n_classes] segments of the row's class in events of the column's */
} tin_psds_counts;

/* What stays the same over thresholds. */
typedef struct tin_psds_truth {
    int n_classes;
    const int64_t *n_events, *event_frames; /* [n_classes] */
    int64_t n_frames;
    double rate_hz;
} tin_psds_truth;

/* One class at one threshold. */
typedef struct tin_psds_point {
    double fp_per_hour; /* with cross-triggers: "effective" */
    double found;       /* share of the events */
} tin_psds_point;

tin_status tin_psds_counts_create(tin_psds_counts *counts, int n_classes, tin_error *err) TIN_USE_RESULT;
void tin_psds_counts_clear(tin_psds_counts *counts);
void tin_psds_counts_free(tin_psds_counts *counts);

/* Adds one stream. covered [n_events] is work space. */
void tin_psds_count(const tin_scene *scene, const tin_interval *segments, size_t n_segments,
                    const tin_psds_settings *settings, int64_t *covered, tin_psds_counts *counts);
/* points [n_classes]; of classes without an event they mean nothing. */
void tin_psds_points_of(const tin_psds_counts *counts, const tin_psds_truth *truth, const tin_psds_settings *settings,
                        tin_psds_point *points);
/* The score, 0..1, from points [n_thresholds][n_classes], in any order; NaN without events. A threshold that never speaks is
 * always among them. */
tin_status tin_psds_value(const tin_psds_point *points, size_t n_thresholds, const tin_psds_truth *truth,
                          const tin_psds_settings *settings, double *value, tin_error *err) TIN_USE_RESULT;

#endif
