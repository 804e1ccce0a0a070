#include "evaluate/judge.h"

#include "base/json_tools.h"
#include "base/memory.h"

/* What a detector says about one stream, and what became of it. */
typedef struct verdict {
    int16_t *predictions; /* [n_frames] */
    tin_detection detection;
    tin_event_outcome *outcomes; /* [n_events] */
    tin_trigger_kind *kinds;     /* [n_triggers] */
} verdict;

static void verdict_clear(verdict *v)
{
    tin_free(v->predictions);
    tin_free(v->outcomes);
    tin_free(v->kinds);
    tin_detection_free(&v->detection);
}

tin_status tin_detector_speak(const tin_detector *detector, const tin_dataset *dataset, const tin_scored_set *set,
                              const tin_scored_stream *stream, int16_t *predictions, tin_detection *detection,
                              tin_error *err)
{
    int64_t n_frames = stream->stream->n_frames;
    *detection = (tin_detection){0};
    switch (detector->kind) {
    case TIN_DETECTOR_CONSTANT:
        return tin_constant_detect(dataset->classes, detector->class_index, set->timing.hop, n_frames, predictions,
                                   detection, err);
    case TIN_DETECTOR_CLOCK:
        return tin_clock_detect(detector->clock, n_frames, predictions, detection, err);
    case TIN_DETECTOR_MODEL:
    default:
        if (predictions != NULL) {
            tin_frame_predictions(stream->scores, stream->n_decisions, set->n_classes, set->timing, n_frames,
                                  predictions);
        }
        if (detector->rule == NULL) {
            return TIN_OK;
        }
        return tin_detect(detector->rule, dataset->classes, set->n_classes, set->timing, stream->scores,
                          stream->n_decisions, n_frames, detection, err);
    }
}

static json_t *interval_json(tin_json_builder *b, const tin_interval *interval)
{
    json_t *o = json_array();
    tin_json_append(b, o, json_integer(interval->start));
    tin_json_append(b, o, json_integer(interval->end));
    tin_json_append(b, o, json_integer(interval->class_index));
    return o;
}

static json_t *intervals_json(tin_json_builder *b, const tin_interval *intervals, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        tin_json_append(b, list, interval_json(b, &intervals[i]));
    }
    return list;
}

/* Runs of equal predictions: the class that the model preferred at each frame. */
static json_t *predicted_json(tin_json_builder *b, const int16_t *predictions, int64_t n_frames)
{
    json_t *list = json_array();
    for (int64_t t = 0, start = 0; t < n_frames; t++) {
        if (t + 1 == n_frames || predictions[t + 1] != predictions[t]) {
            tin_json_append(b, list, interval_json(b, &(tin_interval){start, t + 1, predictions[t]}));
            start = t + 1;
        }
    }
    return list;
}

static tin_status add_timeline(FILE *timelines, bool first, const tin_scored_stream *stream, const verdict *v,
                               tin_error *err)
{
    tin_json_builder b = {false};
    json_t *o = json_object(), *triggers = json_array(), *events = json_array();
    for (size_t j = 0; j < v->detection.n_triggers; j++) {
        json_t *t = json_array();
        tin_json_append(&b, t, json_integer(v->detection.triggers[j].frame));
        tin_json_append(&b, t, json_integer(v->detection.triggers[j].class_index));
        tin_json_append(&b, t, json_string(tin_trigger_kind_name(v->kinds[j])));
        tin_json_append(&b, triggers, t);
    }
    for (size_t i = 0; i < stream->n_events; i++) {
        json_t *e = interval_json(&b, &stream->events[i]);
        bool reported = v->outcomes[i].class_index != TIN_DECISION_NONE;
        tin_json_append(&b, e, json_integer(v->outcomes[i].class_index));
        tin_json_append(&b, e, json_integer(reported ? stream->events[i].start + v->outcomes[i].latency : -1));
        tin_json_append(&b, events, e);
    }
    tin_json_put(&b, o, "id", json_string(stream->stream->id));
    tin_json_put(&b, o, "subject", json_string(stream->stream->subject));
    tin_json_put(&b, o, "counts_sha256", json_string(stream->stream->counts_hash));
    tin_json_put(&b, o, "n_frames", json_integer(stream->stream->n_frames));
    tin_json_put(&b, o, "intervals", intervals_json(&b, stream->stream->intervals, stream->stream->n_intervals));
    tin_json_put(&b, o, "predicted", predicted_json(&b, v->predictions, stream->stream->n_frames));
    tin_json_put(&b, o, "events", events);
    tin_json_put(&b, o, "segments", intervals_json(&b, v->detection.segments, v->detection.n_segments));
    tin_json_put(&b, o, "triggers", triggers);
    if (stream->n_windows > 0) {
        json_t *windows = json_array();
        tin_json_append(&b, windows, json_integer(stream->n_windows));
        tin_json_append(&b, windows, json_integer(stream->windows_right));
        tin_json_put(&b, o, "windows", windows);
    }
    if (!first) {
        (void)fputc(',', timelines); /* an error stays with the file until it is committed */
    }
    tin_status status =
        b.failed ? tin_fail(err, TIN_ERR_MEMORY, "out of memory while the timeline of %s was made", stream->stream->id)
                 : tin_json_write(o, timelines, "timelines.json", err);
    json_decref(o);
    return status;
}

static tin_status judge_stream(const tin_detector *detector, const tin_dataset *dataset, const tin_scored_set *set,
                               const tin_scored_stream *stream, const tin_judge_options *options,
                               tin_detector_result *result, tin_error *err)
{
    tin_status status = TIN_ERR_MEMORY;
    tin_scored_stream counted = *stream;
    verdict v = {0};
    v.predictions = tin_alloc((size_t)stream->stream->n_frames, sizeof *v.predictions, err);
    v.outcomes = tin_alloc(stream->n_events, sizeof *v.outcomes, err);
    if (v.predictions == NULL || v.outcomes == NULL) {
        goto cleanup;
    }
    status = tin_detector_speak(detector, dataset, set, stream, v.predictions, &v.detection, err);
    if (status != TIN_OK) {
        goto cleanup;
    }
    v.kinds = tin_alloc(v.detection.n_triggers, sizeof *v.kinds, err);
    if (v.kinds == NULL) {
        status = TIN_ERR_MEMORY;
        goto cleanup;
    }
    if (detector->kind != TIN_DETECTOR_MODEL) {
        counted.n_windows = counted.windows_right = 0;
    }
    status = tin_detector_result_add(result, &counted, v.predictions, &v.detection, &options->margins, v.outcomes,
                                     v.kinds, err);
    if (status == TIN_OK && options->timelines != NULL) {
        status = add_timeline(options->timelines, stream == set->items, stream, &v, err);
    }
cleanup:
    verdict_clear(&v);
    return status;
}

tin_status tin_judge(const tin_detector *detector, const tin_dataset *dataset, const tin_scored_set *set,
                     const tin_judge_options *options, tin_detector_result *result, tin_error *err)
{
    tin_status status = tin_detector_result_create(result, dataset, set, err);
    for (size_t i = 0; status == TIN_OK && i < set->n; i++) {
        status = judge_stream(detector, dataset, set, &set->items[i], options, result, err);
        tin_scored_stream_forget(set, &set->items[i]);
    }
    return status == TIN_OK ? tin_detector_result_finish(result, options->resamples, options->seed, err) : status;
}
