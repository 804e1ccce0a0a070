#include "evaluate/detector_result.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

static tin_person_result *person_of(tin_detector_result *result, const char *name)
{
    for (size_t i = 0; i < result->n_people; i++) {
        if (strcmp(result->people[i].name, name) == 0) {
            return &result->people[i];
        }
    }
    return NULL;
}

tin_status tin_detector_result_create(tin_detector_result *result, const tin_dataset *dataset,
                                      const tin_scored_set *set, tin_error *err)
{
    *result = (tin_detector_result){
        .n_classes = dataset->n_classes, .rate_hz = dataset->rate_hz, .classes = dataset->classes};
    size_t cells = (size_t)dataset->n_classes * (size_t)dataset->n_classes, n_events = 0;
    size_t side = (size_t)dataset->n_classes + 1;
    for (size_t i = 0; i < set->n; i++) {
        n_events += set->items[i].n_events;
    }
    result->latency_capacity = n_events;
    result->confusion = tin_alloc(cells, sizeof *result->confusion, err);
    result->event_confusion = tin_alloc(side * side, sizeof *result->event_confusion, err);
    result->people = tin_alloc(set->n, sizeof *result->people, err);
    result->latencies = tin_alloc(n_events, sizeof *result->latencies, err);
    if (result->confusion == NULL || result->event_confusion == NULL || result->people == NULL ||
        result->latencies == NULL) {
        goto failed;
    }
    for (size_t i = 0; i < set->n; i++) {
        if (person_of(result, set->items[i].stream->subject) == NULL) {
            result->people[result->n_people++].name = set->items[i].stream->subject;
        }
    }
    size_t n_classes = (size_t)dataset->n_classes;
    result->per_class = tin_alloc((result->n_people + 1) * n_classes, sizeof *result->per_class, err);
    if (result->per_class == NULL) {
        goto failed;
    }
    result->total = (tin_person_result){.name = "", .per_class = result->per_class};
    for (size_t i = 0; i < result->n_people; i++) {
        result->people[i].per_class = result->per_class + (i + 1) * n_classes;
    }
    return TIN_OK;
failed:
    tin_detector_result_free(result);
    return TIN_ERR_MEMORY;
}

void tin_detector_result_free(tin_detector_result *result)
{
    tin_free(result->confusion);
    tin_free(result->event_confusion);
    tin_free(result->people);
    tin_free(result->per_class);
    tin_free(result->latencies);
    *result = (tin_detector_result){0};
}

static void add_person(tin_person_result *person, const tin_scored_stream *stream, const int16_t *predictions,
                       const tin_event_counts *events, int64_t excused)
{
    tin_class_count(stream->labels, predictions, stream->stream->n_frames, person->per_class);
    person->excused += excused;
    tin_event_counts_add(&person->events, events, 1);
    person->n_windows += stream->n_windows;
    person->windows_right += stream->windows_right;
}

/* Event confusion and latencies from what became of each event and trigger. */
static void add_events(tin_detector_result *result, tin_person_result *person, const tin_scored_stream *stream,
                       const tin_detection *detection, const tin_event_outcome *outcomes, const tin_trigger_kind *kinds)
{
    int none = result->n_classes, side = none + 1;
    for (size_t i = 0; i < stream->n_events; i++) {
        int32_t truth = stream->events[i].class_index, said = outcomes[i].class_index;
        result->event_confusion[truth * side + (said == TIN_DECISION_NONE ? none : said)]++;
        if (said == truth && result->n_latencies < result->latency_capacity) {
            result->latencies[result->n_latencies++] = (double)outcomes[i].latency / result->rate_hz;
            person->latency_frames += outcomes[i].latency;
        }
    }
    for (size_t j = 0; j < detection->n_triggers; j++) {
        if (kinds[j] == TIN_TRIGGER_FALSE) {
            result->event_confusion[none * side + detection->triggers[j].class_index]++;
        }
    }
}

tin_status tin_detector_result_add(tin_detector_result *result, const tin_scored_stream *stream,
                                   const int16_t *predictions, const tin_detection *detection,
                                   const tin_margins *margins, tin_event_outcome *outcomes, tin_trigger_kind *kinds,
                                   tin_error *err)
{
    int64_t n_frames = stream->stream->n_frames;
    const tin_scene scene = {stream->events, stream->n_events, stream->labels, n_frames};
    tin_event_counts counts = {0};
    tin_status status = tin_event_count(&scene, detection, margins, outcomes, kinds, &counts, err);
    if (status != TIN_OK) {
        return status;
    }
    int64_t excused =
        tin_frame_excused(stream->labels, predictions, n_frames, stream->events, stream->n_events, margins);
    tin_frame_count(stream->labels, predictions, n_frames, result->n_classes, result->confusion);
    add_person(&result->total, stream, predictions, &counts, excused);
    tin_person_result *person = person_of(result, stream->stream->subject);
    if (person == NULL) {
        return tin_fail(err, TIN_ERR_USAGE, "stream %s belongs to no person of this result", stream->stream->id);
    }
    add_person(person, stream, predictions, &counts, excused);
    add_events(result, person, stream, detection, outcomes, kinds);
    return TIN_OK;
}

static int64_t right_frames(const tin_person_result *person, int n_classes)
{
    int64_t right = 0;
    for (int k = 0; k < n_classes; k++) {
        right += person->per_class[k].n_right;
    }
    return right;
}

/* The ratios that get a bootstrap: numerators and denominators of one person. */
enum { RATIO_ACCURACY, RATIO_MISS, RATIO_FP, RATIO_IOU, RATIO_WINDOWS, N_RATIOS };

static void ratios_of(const tin_person_result *person, int n_classes, double part[N_RATIOS], double whole[N_RATIOS])
{
    const tin_event_counts *e = &person->events;
    part[RATIO_ACCURACY] = (double)right_frames(person, n_classes);
    whole[RATIO_ACCURACY] = (double)person->frames.n_frames;
    part[RATIO_MISS] = (double)(e->missed + e->wrong_class);
    whole[RATIO_MISS] = (double)e->n_events;
    part[RATIO_FP] = (double)e->false_positives;
    whole[RATIO_FP] = (double)e->rejection_frames;
    part[RATIO_IOU] = 2 * (double)e->overlap50;
    whole[RATIO_IOU] = (double)(e->n_segments + e->n_events);
    part[RATIO_WINDOWS] = (double)person->windows_right;
    whole[RATIO_WINDOWS] = (double)person->n_windows;
}

static tin_status bootstrap(tin_detector_result *result, int resamples, uint64_t seed, tin_error *err)
{
    tin_bounds *bounds[N_RATIOS] = {&result->accuracy_bounds, &result->miss_bounds, &result->fp_per_hour_bounds,
                                    &result->iou50_f1_bounds, &result->window_bounds};
    size_t n = result->n_people;
    double *parts = tin_alloc(n * N_RATIOS, sizeof *parts, err);
    double *wholes = tin_alloc(n * N_RATIOS, sizeof *wholes, err);
    tin_status status = parts == NULL || wholes == NULL ? TIN_ERR_MEMORY : TIN_OK;
    for (size_t i = 0; status == TIN_OK && i < n; i++) {
        double part[N_RATIOS], whole[N_RATIOS];
        ratios_of(&result->people[i], result->n_classes, part, whole);
        for (size_t r = 0; r < N_RATIOS; r++) {
            parts[r * n + i] = part[r];
            wholes[r * n + i] = whole[r];
        }
    }
    for (size_t r = 0; status == TIN_OK && r < N_RATIOS; r++) {
        double scale = r == RATIO_FP ? 3600 * result->rate_hz : 1;
        status = tin_bootstrap_ratio(parts + r * n, wholes + r * n, n, scale, resamples, seed, bounds[r], err);
    }
    tin_free(parts);
    tin_free(wholes);
    return status;
}

tin_status tin_detector_result_finish(tin_detector_result *result, int resamples, uint64_t seed, tin_error *err)
{
    tin_person_result *total = &result->total;
    double nan = (double)NAN;
    tin_class_figures_finish(total->per_class, result->n_classes, &total->frames);
    for (size_t i = 0; i < result->n_people; i++) {
        tin_class_figures_finish(result->people[i].per_class, result->n_classes, &result->people[i].frames);
    }
    result->events = tin_event_figures_of(&total->events, result->rate_hz);
    int64_t n = total->frames.n_frames;
    int64_t right = right_frames(total, result->n_classes);
    result->accuracy_with_margins = n > 0 ? (double)(right + total->excused) / (double)n : nan;
    result->window_accuracy = total->n_windows > 0 ? (double)total->windows_right / (double)total->n_windows : nan;
    double hours = (double)total->events.rejection_frames / (3600 * result->rate_hz);
    result->fp_per_hour_below = hours > 0 ? tin_poisson_upper(total->events.false_positives, 0.05) / hours : nan;
    tin_sort_doubles(result->latencies, result->n_latencies);
    return bootstrap(result, resamples, seed, err);
}
