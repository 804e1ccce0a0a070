#include "evaluate/trivial_detectors.h"

#include <math.h>

#include "base/memory.h"

static int16_t majority(const int64_t *counts, int n_classes)
{
    int best = 0;
    for (int k = 1; k < n_classes; k++) {
        best = counts[k] > counts[best] ? k : best;
    }
    return (int16_t)best;
}

static bool any_of(const int64_t *counts, int n_classes)
{
    for (int k = 0; k < n_classes; k++) {
        if (counts[k] > 0) {
            return true;
        }
    }
    return false;
}

/* Adds the labels of one stream to the counts of each second [n_bins][n_classes]. */
static tin_status count_labels(const tin_clock *clock, const tin_dataset *dataset, const tin_stream *stream,
                               int64_t *counts, tin_error *err)
{
    int16_t *labels = tin_alloc((size_t)stream->n_frames, sizeof *labels, err);
    if (labels == NULL) {
        return TIN_ERR_MEMORY;
    }
    tin_dataset_labels(dataset, stream, labels);
    for (int64_t t = 0; t < stream->n_frames; t++) {
        size_t bin = (size_t)((double)t / clock->bin_frames);
        if (labels[t] != TIN_LABEL_IGNORE) {
            counts[bin * (size_t)dataset->n_classes + (size_t)labels[t]]++;
        }
    }
    tin_free(labels);
    return TIN_OK;
}

static tin_status learn_bins(tin_clock *clock, const tin_dataset *dataset, int64_t longest, tin_error *err)
{
    int n_classes = dataset->n_classes;
    tin_status status = TIN_ERR_MEMORY;
    clock->n_bins = (size_t)((double)longest / clock->bin_frames) + 1;
    int64_t *counts = tin_alloc((clock->n_bins + 1) * (size_t)n_classes, sizeof *counts, err);
    clock->bins = tin_alloc(clock->n_bins, sizeof *clock->bins, err);
    if (counts == NULL || clock->bins == NULL) {
        goto cleanup;
    }
    for (size_t i = 0; i < dataset->n_streams; i++) {
        if (dataset->streams[i].role != clock->role) {
            continue;
        }
        status = count_labels(clock, dataset, &dataset->streams[i], counts, err);
        if (status != TIN_OK) {
            goto cleanup;
        }
    }
    int64_t *all = counts + clock->n_bins * (size_t)n_classes;
    for (size_t b = 0; b < clock->n_bins; b++) {
        for (int k = 0; k < n_classes; k++) {
            all[k] += counts[b * (size_t)n_classes + (size_t)k];
        }
    }
    clock->otherwise = majority(all, n_classes);
    for (size_t b = 0; b < clock->n_bins; b++) {
        const int64_t *of_bin = counts + b * (size_t)n_classes;
        clock->bins[b] = any_of(of_bin, n_classes) ? majority(of_bin, n_classes) : clock->otherwise;
    }
    status = TIN_OK;
cleanup:
    tin_free(counts);
    return status;
}

/* The ordinal-th event of a stream, NULL when it has fewer. */
static const tin_interval *event_of(const tin_dataset *dataset, const tin_stream *stream, size_t ordinal)
{
    for (size_t i = 0; i < stream->n_intervals; i++) {
        int32_t k = stream->intervals[i].class_index;
        if (k >= 0 && dataset->classes[k].event && ordinal-- == 0) {
            return &stream->intervals[i];
        }
    }
    return NULL;
}

static tin_status learn_events(tin_clock *clock, const tin_dataset *dataset, size_t n_train, size_t most_events,
                               tin_error *err)
{
    clock->events = tin_alloc(most_events, sizeof *clock->events, err);
    if (clock->events == NULL) {
        return TIN_ERR_MEMORY;
    }
    for (size_t ordinal = 0; ordinal < most_events; ordinal++) {
        int64_t counts[TIN_MAX_CLASSES] = {0};
        double start = 0, end = 0;
        size_t n = 0;
        for (size_t i = 0; i < dataset->n_streams; i++) {
            const tin_stream *stream = &dataset->streams[i];
            const tin_interval *event = stream->role == clock->role ? event_of(dataset, stream, ordinal) : NULL;
            if (event != NULL) {
                counts[event->class_index]++;
                start += (double)event->start;
                end += (double)event->end;
                n++;
            }
        }
        if (2 * n < n_train) {
            break;
        }
        int64_t from = llround(start / (double)n), to = llround(end / (double)n);
        int64_t earliest = clock->n_events > 0 ? clock->events[clock->n_events - 1].end : 0;
        from = from > earliest ? from : earliest; /* means of different streams may cross */
        if (to > from) {
            clock->events[clock->n_events++] = (tin_interval){from, to, majority(counts, dataset->n_classes)};
        }
    }
    return TIN_OK;
}

tin_status tin_clock_learn(tin_clock *clock, const tin_dataset *dataset, tin_error *err)
{
    const bool train = tin_dataset_frames(dataset, TIN_ROLE_TRAIN) > 0;
    *clock = (tin_clock){.bin_frames = dataset->rate_hz, .role = train ? TIN_ROLE_TRAIN : TIN_ROLE_VALIDATION};
    int64_t longest = 0;
    size_t n_train = 0, most_events = 0;
    for (size_t i = 0; i < dataset->n_streams; i++) {
        const tin_stream *stream = &dataset->streams[i];
        if (stream->role == clock->role) {
            n_train++;
            longest = stream->n_frames > longest ? stream->n_frames : longest;
            most_events = stream->n_intervals > most_events ? stream->n_intervals : most_events;
        }
    }
    tin_status status = n_train > 0 ? learn_bins(clock, dataset, longest, err) : TIN_OK;
    if (status == TIN_OK && n_train > 0) {
        status = learn_events(clock, dataset, n_train, most_events, err);
    }
    if (status != TIN_OK) {
        tin_clock_free(clock);
    }
    return status;
}

void tin_clock_free(tin_clock *clock)
{
    tin_free(clock->bins);
    tin_free(clock->events);
    *clock = (tin_clock){0};
}

static tin_status reserve(tin_detection *detection, size_t n, tin_error *err)
{
    *detection = (tin_detection){0};
    detection->triggers = tin_alloc(n, sizeof *detection->triggers, err);
    detection->segments = tin_alloc(n, sizeof *detection->segments, err);
    if (detection->triggers == NULL || detection->segments == NULL) {
        tin_detection_free(detection);
        return TIN_ERR_MEMORY;
    }
    return TIN_OK;
}

static void report(tin_detection *detection, int64_t start, int64_t end, int32_t class_index)
{
    detection->triggers[detection->n_triggers++] = (tin_trigger){start, class_index};
    detection->segments[detection->n_segments++] = (tin_interval){start, end, class_index};
}

tin_status tin_clock_detect(const tin_clock *clock, int64_t n_frames, int16_t *predictions, tin_detection *detection,
                            tin_error *err)
{
    tin_status status = reserve(detection, clock->n_events, err);
    if (status != TIN_OK) {
        return status;
    }
    for (int64_t t = 0; t < n_frames; t++) {
        size_t bin = (size_t)((double)t / clock->bin_frames);
        predictions[t] = bin < clock->n_bins ? clock->bins[bin] : clock->otherwise;
    }
    for (size_t i = 0; i < clock->n_events && clock->events[i].start < n_frames; i++) {
        const tin_interval *event = &clock->events[i];
        report(detection, event->start, event->end < n_frames ? event->end : n_frames, event->class_index);
    }
    return TIN_OK;
}

tin_status tin_constant_detect(const tin_class *classes, int class_index, int hop, int64_t n_frames,
                               int16_t *predictions, tin_detection *detection, tin_error *err)
{
    tin_status status = reserve(detection, 1, err);
    if (status != TIN_OK) {
        return status;
    }
    for (int64_t t = 0; t < n_frames; t++) {
        predictions[t] = (int16_t)(class_index != TIN_DECISION_NONE ? class_index : 0);
    }
    if (class_index != TIN_DECISION_NONE && classes[class_index].event && n_frames >= hop) {
        report(detection, hop - 1, n_frames, class_index);
    }
    return TIN_OK;
}
