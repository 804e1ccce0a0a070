/* The exact sweep of a threshold: event counts at every value that the smoothed score can take, without running the
 * decision layer again for each one.
 *
 * How: the smoothed margins do not depend on the threshold. From one threshold to the next lower one, only the
 * decisions whose margin lies between the two behave otherwise; from each of these the small state of the layer is
 * followed until it is again what it was. Metrics are recomputed only for streams in which a segment changed. Cost per
 * family of rules, with n decisions and E event classes: O(n E log(n E)) once per smoothing for sorting, then O(n)
 * short walks; brute force is O(n) for each of up to n thresholds. tests/evaluate/test_sweep.c compares it with brute
 * force over tin_decision_step. */
#ifndef TIN_SWEEP_H
#define TIN_SWEEP_H

#include "metrics/event_metrics.h"

typedef struct tin_sweep_stream {
    tin_scene scene;
    const int16_t *scores; /* [n_decisions][n_classes] */
    int64_t n_decisions;
    size_t person; /* below n_people of the input */
} tin_sweep_stream;

typedef struct tin_sweep_input {
    const tin_sweep_stream *streams;
    size_t n_streams, n_people;
    const tin_class *classes; /* at least one is an event */
    int n_classes;
    tin_timing timing;
    tin_margins margins;
} tin_sweep_input;

/* Rules that differ in one threshold t. */
typedef struct tin_sweep_family {
    tin_decision_rule rule;
    int swept; /* TIN_SWEEP_ALL: on_k = rule.on[k] + t of every event class; or one class: on_k = t of that class alone */
} tin_sweep_family;
#define TIN_SWEEP_ALL (-1)

/* The rule of the family at threshold t. `on` of classes that are no events is 0. */
tin_decision_rule tin_sweep_rule(const tin_sweep_family *family, const tin_class *classes, int n_classes, int32_t t);

/* Margins of all decisions for one smooth_shift, less offsets [n_classes] of the classes (NULL: 0), sorted. Read-only
 * once made: several sweeps may use it at a time. `input` must live as long. */
typedef struct tin_smoothed tin_smoothed;
tin_status tin_smoothed_create(tin_smoothed **smoothed, const tin_sweep_input *input, int smooth_shift,
                               const int32_t *offsets, tin_error *err) TIN_USE_RESULT;
void tin_smoothed_free(tin_smoothed *smoothed);
/* What it was made from. */
const tin_sweep_input *tin_smoothed_input(const tin_smoothed *smoothed);
/* All values that a common threshold meets, each once, from high to low, and before them one more than the greatest: the
 * threshold that never triggers. With `swept` a class: the values of that class alone. *thresholds is tin_free()d by
 * the caller. */
tin_status tin_sweep_thresholds(const tin_smoothed *smoothed, int swept, int32_t **thresholds, size_t *n,
                                tin_error *err) TIN_USE_RESULT;

/* Those of tin_event_counts by which rules are chosen; overlap50 when asked for. Few, since they are added very often. */
#define TIN_SWEEP_COUNT_LIST(X)                                                                                        \
    X(n_events)                                                                                                        \
    X(true_positives)                                                                                                  \
    X(wrong_class)                                                                                                     \
    X(missed)                                                                                                          \
    X(latency_frames)                                                                                                  \
    X(in_time)                                                                                                         \
    X(false_positives)                                                                                                 \
    X(rejection_frames)                                                                                                \
    X(n_segments)                                                                                                      \
    X(overlap50)
typedef struct tin_sweep_counts {
#define X(count) int64_t count;
    TIN_SWEEP_COUNT_LIST(X)
#undef X
} tin_sweep_counts;
tin_sweep_counts tin_sweep_counts_of(const tin_event_counts *counts);
/* The others are 0. */
tin_event_counts tin_sweep_counts_all(const tin_sweep_counts *counts);
/* sum += factor * other. */
static inline void tin_sweep_counts_add(tin_sweep_counts *sum, const tin_sweep_counts *other, int64_t factor)
{
#define X(count) sum->count += factor * other->count;
    TIN_SWEEP_COUNT_LIST(X)
#undef X
}

/* Counts at one threshold. */
typedef struct tin_sweep_point {
    int32_t on; /* t */
    tin_sweep_counts counts;
} tin_sweep_point;

/* people [n_people]: the same counts, of each person. Returns the greatest number of triggers that is still of
 * interest: the sweep ends at the first threshold with more. */
typedef int64_t (*tin_sweep_visit)(void *context, const tin_sweep_point *point, const tin_sweep_point *people);

/* Visits `thresholds` [n], which fall strictly. family->rule.smooth_shift must be that of `smoothed`, and with
 * TIN_SWEEP_ALL its `on` the offsets; with one class the offsets must be 0. */
tin_status tin_sweep_run(const tin_smoothed *smoothed, const tin_sweep_family *family, const int32_t *thresholds,
                         size_t n, bool overlap, tin_sweep_visit visit, void *context, tin_error *err) TIN_USE_RESULT;

#endif
