#include "evaluate/detector_result.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "metrics/nab_score.h"
#include "metrics/span_metrics.h"

static tin_person_result *person_of(tin_detector_result *result, const char *name)
{
    for (size_t i = 0; i < result->n_people; i++) {
        if (strcmp(result->people[i].name, name) == 0) {
            return &result->people[i];
        }
    }
    return NULL;
}

/* Memory of all people and of the total: per_class, forgiven and events_of. */
static tin_status create_people(tin_detector_result *result, tin_error *err)
{
    size_t n_classes = (size_t)result->n_classes, n = result->n_people + 1;
    result->per_class = tin_alloc(2 * n * n_classes, sizeof *result->per_class, err);
    result->events_of = tin_alloc(n * n_classes, sizeof *result->events_of, err);
    if (result->per_class == NULL || result->events_of == NULL) {
        return TIN_ERR_MEMORY;
    }
    for (size_t i = 0; i < n; i++) {
        tin_person_result *person = i < result->n_people ? &result->people[i] : &result->total;
        person->per_class = result->per_class + i * n_classes;
        person->forgiven = result->per_class + (n + i) * n_classes;
        person->events_of = result->events_of + i * n_classes;
    }
    return TIN_OK;
}

/* Room for n latencies, of which there is none yet. Returns what is behind it. */
static double *give(tin_latencies *latencies, double *room)
{
    double *behind = room + latencies->n;
    *latencies = (tin_latencies){room, 0};
    return behind;
}

/* Shares the memory out: the whole, each person and each class get as much as they have events. */
static tin_status create_seconds(tin_detector_result *result, const tin_scored_set *set, tin_error *err)
{
    for (size_t i = 0; i < set->n; i++) {
        const tin_scored_stream *stream = &set->items[i];
        result->n_events += stream->n_events;
        person_of(result, stream->stream->subject)->latencies.n += stream->n_events;
        for (size_t e = 0; e < stream->n_events; e++) {
            result->latencies_of[stream->events[e].class_index].n++;
        }
    }
    result->seconds = tin_alloc(5 * result->n_events, sizeof *result->seconds, err);
    if (result->seconds == NULL) {
        return TIN_ERR_MEMORY;
    }
    double *next = result->total.latencies.seconds = result->seconds;
    result->starts = next += result->n_events;
    result->ends = next += result->n_events;
    next += result->n_events;
    for (int k = 0; k < result->n_classes; k++) {
        next = give(&result->latencies_of[k], next);
    }
    for (size_t i = 0; i < result->n_people; i++) {
        next = give(&result->people[i].latencies, next);
    }
    return TIN_OK;
}

tin_status tin_detector_result_create(tin_detector_result *result, const tin_dataset *dataset,
                                      const tin_scored_set *set, tin_error *err)
{
    *result = (tin_detector_result){
        .n_classes = dataset->n_classes, .rate_hz = dataset->rate_hz, .classes = dataset->classes, .total.name = ""};
    size_t cells = (size_t)dataset->n_classes * (size_t)dataset->n_classes;
    size_t side = (size_t)dataset->n_classes + 1;
    result->confusion = tin_alloc(cells, sizeof *result->confusion, err);
    result->event_confusion = tin_alloc(side * side, sizeof *result->event_confusion, err);
    result->people = tin_alloc(set->n, sizeof *result->people, err);
    tin_status status = result->confusion == NULL || result->event_confusion == NULL || result->people == NULL
                            ? TIN_ERR_MEMORY
                            : TIN_OK;
    for (size_t i = 0; i < set->n && status == TIN_OK; i++) {
        if (person_of(result, set->items[i].stream->subject) == NULL) {
            result->people[result->n_people++].name = set->items[i].stream->subject;
        }
    }
    status = status ? status : create_people(result, err);
    status = status ? status : create_seconds(result, set, err);
    if (status != TIN_OK) {
        tin_detector_result_free(result);
    }
    return status;
}

void tin_detector_result_free(tin_detector_result *result)
{
    tin_free(result->confusion);
    tin_free(result->event_confusion);
    tin_free(result->people);
    tin_free(result->per_class);
    tin_free(result->events_of);
    tin_free(result->seconds);
    *result = (tin_detector_result){0};
}

static void keep(tin_latencies *latencies, double seconds)
{
    latencies->seconds[latencies->n++] = seconds;
}

/* Event confusion and latencies from what became of each event and trigger. */
static void add_outcomes(tin_detector_result *result, tin_person_result *person, const tin_scored_stream *stream,
                         const tin_detection *detection, const tin_event_outcome *outcomes,
                         const tin_trigger_kind *kinds)
{
    int none = result->n_classes, side = none + 1;
    for (size_t i = 0; i < stream->n_events; i++) {
        int32_t truth = stream->events[i].class_index, said = outcomes[i].class_index;
        result->event_confusion[truth * side + (said == TIN_DECISION_NONE ? none : said)]++;
        if (said == truth && result->total.latencies.n < result->n_events) {
            double seconds = (double)outcomes[i].latency / result->rate_hz;
            keep(&result->total.latencies, seconds);
            keep(&person->latencies, seconds);
            keep(&result->latencies_of[truth], seconds);
        }
    }
    for (size_t j = 0; j < detection->n_triggers; j++) {
        if (kinds[j] == TIN_TRIGGER_FALSE) {
            result->event_confusion[none * side + detection->triggers[j].class_index]++;
        }
    }
}

/* Segments against events, and by how much their borders are off. */
static tin_status add_spans(tin_detector_result *result, const tin_scene *scene, const tin_detection *detection,
                            const tin_margins *margins, tin_person_result *part, tin_error *err)
{
    size_t n = 0;
    tin_border *borders = tin_alloc(scene->n_events, sizeof *borders, err);
    tin_status status =
        borders == NULL ? TIN_ERR_MEMORY
                        : tin_span_count(scene, detection, margins, &part->events, part->events_of, borders, &n, err);
    for (size_t i = 0; i < n && status == TIN_OK && result->n_borders < result->n_events; i++) {
        result->starts[result->n_borders] = (double)borders[i].start / result->rate_hz;
        result->ends[result->n_borders++] = (double)borders[i].end / result->rate_hz;
    }
    tin_free(borders);
    return status;
}

/* What the stream adds to the person and to the total: `part`. */
static tin_status count_stream(tin_detector_result *result, const tin_scored_stream *stream, const int16_t *predictions,
                               const tin_detection *detection, const tin_margins *margins, tin_event_outcome *outcomes,
                               tin_trigger_kind *kinds, tin_person_result *part, tin_error *err)
{
    int64_t n_frames = stream->stream->n_frames;
    const tin_scene scene = {stream->events, stream->n_events, stream->labels, n_frames};
    tin_status status = tin_event_count(&scene, detection, margins, outcomes, kinds, &part->events, err);
    for (int k = 0; k < result->n_classes && status == TIN_OK; k++) {
        tin_event_counts *own = &part->events_of[k];
        if (result->classes[k].event) {
            own->n_frames = part->events.n_frames;
            own->rejection_frames = part->events.rejection_frames;
            own->rejection_unlabelled = part->events.rejection_unlabelled;
            status = tin_event_count_class(&scene, detection, margins, outcomes, kinds, k, own, err);
            tin_nab_count(&scene, detection, margins, k, own);
            part->events.nab_windows += own->nab_windows;
            part->events.nab_billionths += own->nab_billionths;
        }
    }
    status = status ? status : add_spans(result, &scene, detection, margins, part, err);
    tin_class_count(stream->labels, predictions, n_frames, part->per_class);
    tin_class_count_with_margins(stream->labels, predictions, n_frames, stream->events, stream->n_events, margins,
                                 part->forgiven);
    part->n_windows = stream->n_windows;
    part->windows_right = stream->windows_right;
    return status;
}

tin_status tin_detector_result_add(tin_detector_result *result, const tin_scored_stream *stream,
                                   const int16_t *predictions, const tin_detection *detection,
                                   const tin_margins *margins, tin_event_outcome *outcomes, tin_trigger_kind *kinds,
                                   tin_error *err)
{
    tin_class_figures per_class[TIN_MAX_CLASSES] = {0}, forgiven[TIN_MAX_CLASSES] = {0};
    tin_event_counts events_of[TIN_MAX_CLASSES] = {0};
    tin_person_result part = {.per_class = per_class, .forgiven = forgiven, .events_of = events_of};
    tin_person_result *person = person_of(result, stream->stream->subject);
    if (person == NULL) {
        return tin_fail(err, TIN_ERR_USAGE, "stream %s belongs to no person of this result", stream->stream->id);
    }
    tin_status status = count_stream(result, stream, predictions, detection, margins, outcomes, kinds, &part, err);
    if (status == TIN_OK) {
        tin_person_result_add(&result->total, &part, result->n_classes);
        tin_person_result_add(person, &part, result->n_classes);
        tin_frame_count(stream->labels, predictions, stream->stream->n_frames, result->n_classes, result->confusion);
        add_outcomes(result, person, stream, detection, outcomes, kinds);
    }
    return status;
}

static void figures_of_drawn(void *context, const size_t *drawn, size_t n, double *figures)
{
    const tin_detector_result *result = context;
    tin_class_figures per_class[TIN_MAX_CLASSES] = {0}, forgiven[TIN_MAX_CLASSES] = {0};
    tin_person_result sum = {.per_class = per_class, .forgiven = forgiven};
    for (size_t i = 0; i < n; i++) {
        tin_person_result_add(&sum, &result->people[drawn[i]], result->n_classes);
    }
    tin_person_figures(&sum, result->n_classes, result->rate_hz, figures);
}

static void find_worst(tin_detector_result *result)
{
    double figures[TIN_FIGURE_COUNT], worst[TIN_FIGURE_COUNT];
    for (size_t f = 0; f < TIN_FIGURE_COUNT; f++) {
        result->worst[f] = result->n_people;
    }
    for (size_t i = 0; i < result->n_people; i++) {
        tin_person_figures(&result->people[i], result->n_classes, result->rate_hz, figures);
        for (size_t f = 0; f < TIN_FIGURE_COUNT; f++) {
            int better = tin_figure_names[f].better;
            bool first = result->worst[f] == result->n_people;
            if (!isnan(figures[f]) && (first || better * figures[f] < better * worst[f])) {
                worst[f] = figures[f];
                result->worst[f] = i;
            }
        }
    }
}

static void sort(tin_latencies *latencies)
{
    tin_sort_doubles(latencies->seconds, latencies->n);
}

tin_status tin_detector_result_finish(tin_detector_result *result, int resamples, uint64_t seed, tin_error *err)
{
    tin_person_result *total = &result->total;
    tin_frame_figures with_margins; /* of the whole they are among `figures`; this is for those of each class */
    tin_class_figures_finish(total->forgiven, result->n_classes, &with_margins);
    tin_class_figures_finish(total->per_class, result->n_classes, &total->frames);
    for (size_t i = 0; i < result->n_people; i++) {
        tin_class_figures_finish(result->people[i].per_class, result->n_classes, &result->people[i].frames);
        sort(&result->people[i].latencies);
    }
    for (int k = 0; k < result->n_classes; k++) {
        sort(&result->latencies_of[k]);
    }
    sort(&total->latencies);
    tin_sort_doubles(result->starts, result->n_borders);
    tin_sort_doubles(result->ends, result->n_borders);
    tin_person_figures(total, result->n_classes, result->rate_hz, result->figures);
    find_worst(result);
    return tin_bootstrap(figures_of_drawn, result, result->n_people, TIN_FIGURE_COUNT, resamples, seed, result->bounds,
                         err);
}
