/* The exact sweep of the threshold `on`: event counts at every value that the smoothed score can take, without running
 * the decision layer again for each one.
 *
 * How: the smoothed margins do not depend on the threshold. From one threshold to the next lower one, only the
 * decisions whose margin lies between the two behave otherwise; from each of these the small state (active, candidate,
 * run, wait) is followed until it is again what it was. Metrics are recomputed only for streams in which a segment
 * changed. Cost per family of rules, with n decisions and E event classes: O(n E log(n E)) once per smoothing for
 * sorting, then O(n) short walks; brute force is O(n) for each of up to n thresholds. tests/evaluate/test_sweep.c
 * compares it with brute force over tin_decision_step. */
#ifndef TIN_SWEEP_H
#define TIN_SWEEP_H

#include "metrics/event_metrics.h"

typedef struct tin_sweep_stream {
    tin_scene scene;
    const int16_t *scores; /* [n_decisions][n_classes] */
    int64_t n_decisions;
} tin_sweep_stream;

typedef struct tin_sweep_input {
    const tin_sweep_stream *streams;
    size_t n_streams;
    const tin_class *classes; /* at least one is an event */
    int n_classes;
    tin_timing timing;
    tin_margins margins;
} tin_sweep_input;

/* A decision rule but for its threshold: off = on - hysteresis. */
typedef struct tin_rule_family {
    int smooth_shift;
    int32_t hysteresis; /* >= 0, score units */
    int count, refractory;
} tin_rule_family;

tin_decision_rule tin_rule_of(const tin_rule_family *family, int32_t on);

/* Smoothed margins of all decisions for one smooth_shift, sorted. Read-only once made: several sweeps may use it at a
 * time. `input` must live as long. */
typedef struct tin_smoothed tin_smoothed;
tin_status tin_smoothed_create(tin_smoothed **smoothed, const tin_sweep_input *input, int smooth_shift,
                               tin_error *err) TIN_USE_RESULT;
void tin_smoothed_free(tin_smoothed *smoothed);
/* What it was made from. */
const tin_sweep_input *tin_smoothed_input(const tin_smoothed *smoothed);
/* All values of s_best, each once, from high to low, and before them one more than the greatest: the threshold that
 * never triggers. *thresholds is tin_free()d by the caller. */
tin_status tin_sweep_thresholds(const tin_smoothed *smoothed, int32_t **thresholds, size_t *n,
                                tin_error *err) TIN_USE_RESULT;

/* Counts at one threshold. Filled: all that tin_event_match and tin_event_count_frames fill, n_segments; overlap50 when
 * asked for. */
typedef struct tin_sweep_point {
    int32_t on;
    tin_event_counts counts;
    int64_t latency_sum; /* frames, over the true positives */
} tin_sweep_point;

/* Returns the greatest number of triggers that is still of interest: thresholds with more are not counted and not
 * visited. */
typedef int64_t (*tin_sweep_visit)(void *context, const tin_sweep_point *point);

/* Visits `thresholds` [n], which fall strictly. family->smooth_shift must be that of `smoothed`. */
tin_status tin_sweep_run(const tin_smoothed *smoothed, const tin_rule_family *family, const int32_t *thresholds,
                         size_t n, bool overlap, tin_sweep_visit visit, void *context, tin_error *err) TIN_USE_RESULT;

#endif
