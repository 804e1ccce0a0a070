#include "evaluate/psds_sweep.h"

#include <string.h>

#include "base/memory.h"

enum {
    MOST_THRESHOLDS = 100,
    FEWEST_THRESHOLDS = 10,
    MOST_DECISIONS = 500000000, /* thresholds times decisions; fewer thresholds where a set has very many */
    FARTHEST = 1 << 17,         /* score units; margins lie within +-65535 */
};

/* A detector over a set at many thresholds. */
typedef struct sweep {
    const tin_detector *detector;
    const tin_dataset *dataset;
    const tin_scored_set *set;
    tin_psds_truth truth;
    size_t most_events;
    int64_t most_frames;
    const int32_t *shifts;                  /* [n_shifts]; of a detector without thresholds one that is not looked at */
    tin_psds_point *points[TIN_PSDS_KINDS]; /* [n_shifts][n_classes] */
    tin_status *statuses;                   /* [n_shifts] */
} sweep;

/* How far the best event class of a decision is above its threshold: the greatest shift at which it still triggers, but for
 * smoothing and counting. */
static int32_t excess(const tin_decision_rule *rule, const tin_dataset *dataset, const int16_t *scores)
{
    int32_t rejection = INT16_MIN, best = -FARTHEST;
    bool any = false;
    for (int k = 0; k < dataset->n_classes; k++) {
        if (!dataset->classes[k].event) {
            any = true;
            rejection = scores[k] > rejection ? scores[k] : rejection;
        }
    }
    for (int k = 0; k < dataset->n_classes; k++) {
        int64_t above = (int64_t)scores[k] - (any ? rejection : 0) - rule->on[k];
        if (dataset->classes[k].event && above > best) {
            best = (int32_t)(above < FARTHEST - 1 ? above : FARTHEST - 1);
        }
    }
    return best;
}

static void shift_rule(tin_decision_rule *rule, int32_t shift)
{
    for (int k = 0; k < TIN_MAX_CLASSES; k++) {
        rule->on[k] += shift;
    }
}

tin_status tin_psds_shifts(const tin_decision_rule *rule, const tin_dataset *dataset, const tin_scored_set *set,
                           size_t most, int32_t **shifts, size_t *n, tin_error *err)
{
    uint8_t *attained = tin_alloc(2 * (size_t)FARTHEST, 1, err);
    *shifts = tin_alloc(most + 1, sizeof **shifts, err);
    *n = 0;
    if (attained == NULL || *shifts == NULL) {
        tin_free(attained);
        return TIN_ERR_MEMORY;
    }
    memset(attained, 0, 2 * (size_t)FARTHEST);
    attained[FARTHEST] = 1;
    for (size_t i = 0; i < set->n; i++) {
        for (int64_t j = 0; j < set->items[i].n_decisions; j++) {
            attained[FARTHEST + excess(rule, dataset, set->items[i].scores + j * set->n_classes)] = 1;
        }
        tin_scored_stream_forget(set, &set->items[i]);
    }
    size_t n_attained = 0, seen = 0;
    for (int32_t s = -FARTHEST; s < FARTHEST; s++) {
        n_attained += attained[FARTHEST + s];
    }
    for (int32_t s = -FARTHEST; s < FARTHEST; s++) {
        if (attained[FARTHEST + s]) {
            /* the first of each of `most` shares of equal size */
            bool taken = seen == 0 || seen * most / n_attained != (seen - 1) * most / n_attained || most >= n_attained;
            if (taken || s == 0) {
                (*shifts)[(*n)++] = s;
            }
            seen++;
        }
    }
    tin_free(attained);
    return TIN_OK;
}

/* One threshold over one stream. */
static tin_status count_stream(const sweep *s, const tin_detector *detector, const tin_scored_stream *stream,
                               int16_t *predictions, int64_t *covered, tin_psds_counts counts[TIN_PSDS_KINDS],
                               tin_error *err)
{
    tin_detection detection = {0};
    const tin_scene scene = {stream->events, stream->n_events, NULL, stream->stream->n_frames};
    tin_status status = tin_detector_speak(detector, s->dataset, s->set, stream, predictions, &detection, err);
    for (int kind = 0; kind < TIN_PSDS_KINDS && status == TIN_OK; kind++) {
        tin_psds_count(&scene, detection.segments, detection.n_segments, &tin_psds_kinds[kind], covered, &counts[kind]);
    }
    tin_detection_free(&detection);
    return status;
}

static tin_status count_threshold(const sweep *s, size_t index, tin_error *err)
{
    tin_psds_counts counts[TIN_PSDS_KINDS] = {{0}};
    tin_detector shifted = *s->detector;
    tin_decision_rule rule;
    int64_t *covered = tin_alloc(s->most_events, sizeof *covered, err);
    int16_t *predictions = NULL;
    tin_status status = covered == NULL ? TIN_ERR_MEMORY : TIN_OK;
    if (shifted.kind == TIN_DETECTOR_MODEL) {
        rule = *shifted.rule;
        shift_rule(&rule, s->shifts[index]);
        shifted.rule = &rule;
    } else if (status == TIN_OK) {
        predictions = tin_alloc((size_t)s->most_frames, sizeof *predictions, err);
        status = predictions == NULL ? TIN_ERR_MEMORY : TIN_OK;
    }
    for (int kind = 0; kind < TIN_PSDS_KINDS && status == TIN_OK; kind++) {
        status = tin_psds_counts_create(&counts[kind], s->truth.n_classes, err);
    }
    for (size_t i = 0; i < s->set->n && status == TIN_OK; i++) {
        status = count_stream(s, &shifted, &s->set->items[i], predictions, covered, counts, err);
        tin_scored_stream_forget(s->set, &s->set->items[i]);
    }
    for (int kind = 0; kind < TIN_PSDS_KINDS; kind++) {
        if (status == TIN_OK) {
            tin_psds_points_of(&counts[kind], &s->truth, &tin_psds_kinds[kind],
                               s->points[kind] + index * (size_t)s->truth.n_classes);
        }
        tin_psds_counts_free(&counts[kind]);
    }
    tin_free(covered);
    tin_free(predictions);
    return status;
}

static void run_threshold(void *context, int index, int thread)
{
    (void)thread;
    const sweep *s = context;
    s->statuses[index] = count_threshold(s, (size_t)index, NULL);
}

/* Events and frames of the set; n_events and event_frames [n_classes] are those of s->truth. */
static void measure_truth(sweep *s, int64_t *n_events, int64_t *event_frames)
{
    s->truth = (tin_psds_truth){s->dataset->n_classes, n_events, event_frames, 0, s->dataset->rate_hz};
    for (size_t i = 0; i < s->set->n; i++) {
        const tin_scored_stream *stream = &s->set->items[i];
        s->truth.n_frames += stream->stream->n_frames;
        s->most_frames = stream->stream->n_frames > s->most_frames ? stream->stream->n_frames : s->most_frames;
        s->most_events = stream->n_events > s->most_events ? stream->n_events : s->most_events;
        for (size_t e = 0; e < stream->n_events; e++) {
            n_events[stream->events[e].class_index]++;
            event_frames[stream->events[e].class_index] += stream->events[e].end - stream->events[e].start;
        }
    }
}

static size_t thresholds_for(const tin_scored_set *set)
{
    int64_t n_decisions = 1;
    for (size_t i = 0; i < set->n; i++) {
        n_decisions += set->items[i].n_decisions;
    }
    int64_t n = MOST_DECISIONS / n_decisions;
    return n > MOST_THRESHOLDS ? MOST_THRESHOLDS : n < FEWEST_THRESHOLDS ? FEWEST_THRESHOLDS : (size_t)n;
}

static tin_status run(sweep *s, size_t n, tin_pool *pool, double *values, tin_error *err)
{
    size_t n_points = n * (size_t)s->truth.n_classes;
    s->points[0] = tin_alloc(TIN_PSDS_KINDS * n_points, sizeof *s->points[0], err);
    s->statuses = tin_alloc(n, sizeof *s->statuses, err);
    if (s->points[0] == NULL || s->statuses == NULL) {
        return TIN_ERR_MEMORY;
    }
    for (int kind = 1; kind < TIN_PSDS_KINDS; kind++) {
        s->points[kind] = s->points[0] + (size_t)kind * n_points;
    }
    if (pool != NULL) {
        tin_pool_run(pool, (int)n, run_threshold, s);
    }
    for (size_t t = 0; t < n; t++) {
        if (pool == NULL) {
            run_threshold(s, (int)t, 0);
        }
        if (s->statuses[t] != TIN_OK) {
            return tin_fail(err, s->statuses[t], "out of memory while thresholds were tried for PSDS");
        }
    }
    tin_status status = TIN_OK;
    for (int kind = 0; kind < TIN_PSDS_KINDS && status == TIN_OK; kind++) {
        status = tin_psds_value(s->points[kind], n, &s->truth, &tin_psds_kinds[kind], &values[kind], err);
    }
    return status;
}

tin_status tin_psds_sweep(const tin_detector *detector, const tin_dataset *dataset, const tin_scored_set *set,
                          tin_pool *pool, double *values, size_t *n_thresholds, tin_error *err)
{
    int64_t n_events[TIN_MAX_CLASSES] = {0}, event_frames[TIN_MAX_CLASSES] = {0};
    sweep s = {.detector = detector, .dataset = dataset, .set = set};
    int32_t *shifts = NULL;
    tin_status status = TIN_OK;
    measure_truth(&s, n_events, event_frames);
    *n_thresholds = 1;
    if (detector->kind == TIN_DETECTOR_MODEL) {
        status = tin_psds_shifts(detector->rule, dataset, set, thresholds_for(set), &shifts, n_thresholds, err);
        s.shifts = shifts;
    }
    status = status ? status : run(&s, *n_thresholds, pool, values, err);
    tin_free(shifts);
    tin_free(s.points[0]);
    tin_free(s.statuses);
    return status;
}
