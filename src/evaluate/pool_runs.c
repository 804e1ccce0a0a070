#include "evaluate/pool_runs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_tools.h"
#include "base/memory.h"
#include "base/natural_order.h"
#include "evaluate/metrics_json.h"
#include "evaluate/result_json.h"
#include "evaluate/trivial_detectors.h"

/* A test recording of one run, and what its model said of it. */
typedef struct said {
    size_t run;
    tin_stream stream;    /* names are borrowed from the run's timelines, intervals owned */
    tin_interval *events; /* [n_events] owned */
    size_t n_events;
    tin_interval *predicted; /* [n_predicted] the preferred class of every frame, owned */
    size_t n_predicted;
    tin_detection detection;
    int64_t n_windows, windows_right;
} said;

typedef struct pool {
    const char *const *folders;
    json_t **timelines; /* [n_runs] */
    json_t *metrics;    /* of the first run */
    size_t n_runs;
    tin_dataset head; /* rate, classes and unlabelled of all */
    tin_margins margins;
    bool has_events;
    int hop;
    said *streams;
    size_t n_streams;
    tin_scored_set set; /* of the streams, for their people and events */
} pool;

static void pool_clear(pool *p)
{
    for (size_t i = 0; i < p->n_streams; i++) {
        tin_free(p->streams[i].stream.intervals);
        tin_free(p->streams[i].events);
        tin_free(p->streams[i].predicted);
        tin_detection_free(&p->streams[i].detection);
    }
    for (size_t i = 0; i < p->n_runs && p->timelines; i++) {
        json_decref(p->timelines[i]);
    }
    tin_free(p->timelines);
    tin_free(p->streams);
    tin_free(p->set.items);
    tin_free(p->head.classes);
    json_decref(p->metrics);
}

static tin_status damaged(const pool *p, size_t run, const char *what, tin_error *err)
{
    return tin_fail_at(
        err, TIN_ERR_FORMAT, p->folders[run], 0,
        "metrics.json and timelines.json hold no %s; an earlier version wrote them, or they are damaged: make "
        "them again with `tinamou evaluate --force` and the settings of that run",
        what);
}

/* Intervals [start, end, class] in order, inside the stream, not overlapping; without a gap when `whole`. */
static tin_status read_intervals(const pool *p, const said *s, const json_t *list, int least_class, bool whole,
                                 tin_interval **intervals, size_t *n, tin_error *err)
{
    size_t i;
    const json_t *one;
    int64_t end = 0;
    *intervals = tin_alloc(json_array_size(list), sizeof **intervals, err);
    if (!*intervals) {
        return TIN_ERR_MEMORY;
    }
    json_array_foreach(list, i, one)
    {
        json_int_t start = json_integer_value(json_array_get(one, 0)), k = json_integer_value(json_array_get(one, 2));
        json_int_t stop = json_integer_value(json_array_get(one, 1));
        if (json_array_size(one) < 3 || start < end || (whole && start != end) || stop <= start ||
            stop > s->stream.n_frames || k < least_class || k >= p->head.n_classes) {
            return damaged(p, s->run, "sound intervals", err);
        }
        end = stop;
        (*intervals)[(*n)++] = (tin_interval){start, stop, (int32_t)k};
    }
    return json_is_array(list) && (!whole || end == s->stream.n_frames) ? TIN_OK
                                                                        : damaged(p, s->run, "list of intervals", err);
}

static tin_status read_triggers(const pool *p, said *s, const json_t *list, tin_error *err)
{
    size_t i;
    const json_t *one;
    int64_t last = 0;
    s->detection.triggers = tin_alloc(json_array_size(list), sizeof *s->detection.triggers, err);
    if (!s->detection.triggers) {
        return TIN_ERR_MEMORY;
    }
    json_array_foreach(list, i, one)
    {
        json_int_t frame = json_integer_value(json_array_get(one, 0)), k = json_integer_value(json_array_get(one, 1));
        if (json_array_size(one) < 2 || frame < last || frame >= s->stream.n_frames || k < 0 ||
            k >= p->head.n_classes) {
            return damaged(p, s->run, "sound triggers", err);
        }
        last = frame;
        s->detection.triggers[s->detection.n_triggers++] = (tin_trigger){frame, (int32_t)k};
    }
    return json_is_array(list) ? TIN_OK : damaged(p, s->run, "triggers", err);
}

/* Events are the intervals of event classes, as `evaluate` takes them. */
static tin_status take_events(const pool *p, said *s, tin_error *err)
{
    s->events = tin_alloc(s->stream.n_intervals, sizeof *s->events, err);
    for (size_t i = 0; i < s->stream.n_intervals && s->events; i++) {
        int32_t k = s->stream.intervals[i].class_index;
        if (k >= 0 && p->head.classes[k].event) {
            s->events[s->n_events++] = s->stream.intervals[i];
        }
    }
    return s->events ? TIN_OK : TIN_ERR_MEMORY;
}

static tin_status read_stream(const pool *p, said *s, const json_t *from, tin_error *err)
{
    const json_t *windows = json_object_get(from, "windows");
    const char *hash = json_string_value(json_object_get(from, "counts_sha256"));
    s->stream.id = (char *)(uintptr_t)json_string_value(json_object_get(from, "id"));
    s->stream.subject = (char *)(uintptr_t)json_string_value(json_object_get(from, "subject"));
    s->stream.n_frames = json_integer_value(json_object_get(from, "n_frames"));
    s->n_windows = json_integer_value(json_array_get(windows, 0));
    s->windows_right = json_integer_value(json_array_get(windows, 1));
    snprintf(s->stream.counts_hash, sizeof s->stream.counts_hash, "%s", hash ? hash : "");
    if (!hash || !s->stream.id || !s->stream.subject || s->stream.n_frames < 1 ||
        s->stream.n_frames > (int64_t)1 << 40 || s->windows_right < 0 || s->windows_right > s->n_windows) {
        return damaged(p, s->run, "sound recordings", err);
    }
    tin_status status = read_intervals(p, s, json_object_get(from, "intervals"), TIN_LABEL_IGNORE, false,
                                       &s->stream.intervals, &s->stream.n_intervals, err);
    status =
        status ? status
               : read_intervals(p, s, json_object_get(from, "predicted"), 0, true, &s->predicted, &s->n_predicted, err);
    status = status ? status
                    : read_intervals(p, s, json_object_get(from, "segments"), 0, false, &s->detection.segments,
                                     &s->detection.n_segments, err);
    status = status ? status : read_triggers(p, s, json_object_get(from, "triggers"), err);
    return status ? status : take_events(p, s, err);
}

static tin_status read_streams(pool *p, size_t run, tin_error *err)
{
    size_t i;
    const json_t *one, *list = json_object_get(p->timelines[run], "streams");
    size_t n = json_array_size(list);
    if (n == 0) {
        return damaged(p, run, "test recordings", err);
    }
    said *grown = tin_grow(p->streams, p->n_streams, p->n_streams + n, sizeof *grown, err);
    if (!grown) {
        return TIN_ERR_MEMORY;
    }
    p->streams = grown;
    json_array_foreach(list, i, one)
    {
        said *s = &p->streams[p->n_streams++];
        s->run = run;
        tin_status status = read_stream(p, s, one, err);
        if (status) {
            return status;
        }
    }
    return TIN_OK;
}

/* Classes, rate and margins, from the first run. */
static tin_status read_head(pool *p, tin_error *err)
{
    size_t i;
    const json_t *one, *classes = json_object_get(p->metrics, "classes");
    const json_t *unlabelled = json_object_get(p->timelines[0], "unlabelled");
    tin_dataset *head = &p->head;
    head->rate_hz = json_number_value(json_object_get(p->metrics, "rate_hz"));
    head->n_classes = (int)json_array_size(classes);
    head->unlabelled = (int32_t)json_integer_value(unlabelled);
    p->hop = (int)json_integer_value(json_object_get(p->metrics, "hop"));
    p->has_events = json_is_true(json_object_get(p->metrics, "has_events"));
    if (json_array_size(classes) < 1 || json_array_size(classes) > TIN_MAX_CLASSES || p->hop < 1 ||
        !(head->rate_hz > 0 && head->rate_hz < 1e6)) {
        return damaged(p, 0, "classes and rate", err);
    }
    if (!json_is_integer(unlabelled) || head->unlabelled < TIN_LABEL_IGNORE || head->unlabelled >= head->n_classes) {
        return damaged(p, 0, "class of frames without a label", err);
    }
    head->classes = tin_alloc((size_t)head->n_classes, sizeof *head->classes, err);
    if (!head->classes) {
        return TIN_ERR_MEMORY;
    }
    json_array_foreach(classes, i, one)
    {
        head->classes[i].name = (char *)(uintptr_t)json_string_value(json_object_get(one, "name"));
        head->classes[i].event = json_is_true(json_object_get(one, "event"));
        if (!head->classes[i].name) {
            return damaged(p, 0, "names of classes", err);
        }
    }
    return TIN_OK;
}

/* Milliseconds that can be frames. */
static bool take_ms(const json_t *object, const char *key, double *ms)
{
    const json_t *value = json_object_get(object, key);
    *ms = json_number_value(value);
    return json_is_number(value) && *ms >= 0 && *ms <= 600000;
}

static tin_status read_margins(pool *p, tin_error *err)
{
    size_t i;
    const json_t *one, *settings = json_object_get(p->metrics, "settings"),
                       *list = json_object_get(settings, "margins");
    tin_config_margin margins[TIN_MAX_CLASSES];
    tin_config_evaluate given = {.margins = margins,
                                 .allow_repeats = json_is_true(json_object_get(settings, "allow_repeats"))};
    if (!take_ms(settings, "early_ms", &given.early_ms) || !take_ms(settings, "late_ms", &given.late_ms) ||
        !take_ms(settings, "deadline_ms", &given.deadline_ms) || !take_ms(settings, "collar_ms", &given.collar_ms) ||
        json_array_size(list) > TIN_MAX_CLASSES) {
        return damaged(p, 0, "settings", err);
    }
    json_array_foreach(list, i, one)
    {
        tin_config_margin *margin = &margins[given.margins_count++];
        margin->class = (char *)(uintptr_t)json_string_value(json_object_get(one, "class"));
        if (!margin->class || !take_ms(one, "early_ms", &margin->early_ms) ||
            !take_ms(one, "late_ms", &margin->late_ms)) {
            return damaged(p, 0, "margins of classes", err);
        }
    }
    return tin_margins_create(&p->margins, &given, &p->head, err);
}

/* What figures of different runs must share to add up. */
static tin_status check_same(const pool *p, const json_t *other, size_t run, tin_error *err)
{
    static const char *const keys[] = {"classes", "rate_hz", "hop", "has_events"};
    static const char *const settings[] = {"early_ms",    "late_ms",   "margins",
                                           "deadline_ms", "collar_ms", "allow_repeats"};
    const json_t *a = json_object_get(p->metrics, "settings"), *b = json_object_get(other, "settings");
    const char *differs = NULL;
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
        differs = json_equal(json_object_get(p->metrics, keys[k]), json_object_get(other, keys[k])) ? differs : keys[k];
    }
    for (size_t k = 0; k < sizeof settings / sizeof *settings; k++) {
        const json_t *in_a = json_object_get(a, settings[k]), *in_b = json_object_get(b, settings[k]);
        differs = in_a == in_b || json_equal(in_a, in_b) ? differs : settings[k]; /* both may be missing */
    }
    if (!json_equal(json_object_get(p->timelines[0], "unlabelled"), json_object_get(p->timelines[run], "unlabelled"))) {
        differs = "unlabelled";
    }
    return !differs ? TIN_OK
                    : tin_fail(err, TIN_ERR_MISMATCH,
                               "%s and %s differ in '%s', so that their counts do not add up; give the folds of one "
                               "experiment",
                               p->folders[0], p->folders[run], differs);
}

static tin_status read_run(pool *p, size_t run, tin_error *err)
{
    json_t *metrics = NULL;
    tin_status status = tin_json_load(&metrics, p->folders[run], "metrics.json", err);
    status = status ? status : tin_json_load(&p->timelines[run], p->folders[run], "timelines.json", err);
    if (status == TIN_OK &&
        (!tin_metrics_known(metrics) || json_integer_value(json_object_get(p->timelines[run], "format")) != 1)) {
        status =
            tin_fail_at(err, TIN_ERR_FORMAT, p->folders[run], 0,
                        "metrics.json is of a format that this program does not know; use the tinamou that wrote it");
    }
    if (status == TIN_OK && run == 0) {
        p->metrics = json_incref(metrics);
        status = read_head(p, err);
        status = status ? status : read_margins(p, err);
    } else if (status == TIN_OK) {
        status = check_same(p, metrics, run, err);
    }
    json_decref(metrics);
    return status ? status : read_streams(p, run, err);
}

/* By person, then by recording: the result does not depend on the order in which the runs are given. 0: the same recording.
 * Parts of one recording may have the same name where the split is by time, but not the same signal. */
static int compare_recordings(const void *left, const void *right)
{
    const tin_stream *a = &((const said *)left)->stream, *b = &((const said *)right)->stream;
    int order = tin_natural_compare(a->subject, b->subject);
    order = order ? order : tin_natural_compare(a->id, b->id);
    return order ? order : strcmp(a->counts_hash, b->counts_hash);
}

/* Puts the recordings in order; each must be there once. */
static tin_status sort_streams(pool *p, tin_error *err)
{
    qsort(p->streams, p->n_streams, sizeof *p->streams, compare_recordings);
    for (size_t i = 1; i < p->n_streams; i++) {
        const said *a = &p->streams[i - 1], *b = &p->streams[i];
        if (compare_recordings(a, b) == 0) {
            size_t first = a->run < b->run ? a->run : b->run, second = a->run < b->run ? b->run : a->run;
            return tin_fail(err, TIN_ERR_USAGE,
                            "%s and %s were both tested on the recording '%s', which would count twice; give the folds "
                            "of one experiment",
                            p->folders[first], p->folders[second], b->stream.id);
        }
    }
    return TIN_OK;
}

static tin_status make_set(pool *p, tin_error *err)
{
    p->set.items = tin_alloc(p->n_streams, sizeof *p->set.items, err);
    if (!p->set.items) {
        return TIN_ERR_MEMORY;
    }
    for (; p->set.n < p->n_streams; p->set.n++) {
        const said *s = &p->streams[p->set.n];
        p->set.items[p->set.n] = (tin_scored_stream){.stream = &s->stream,
                                                     .events = s->events,
                                                     .n_events = s->n_events,
                                                     .n_windows = s->n_windows,
                                                     .windows_right = s->windows_right};
    }
    return TIN_OK;
}

/* What is counted: the models, or a detector that says one class always. */
enum { THE_MODELS = -1 };

static tin_status speak(const pool *p, int detector, size_t i, int16_t *predictions, tin_detection *constant,
                        const tin_detection **detection, tin_error *err)
{
    const said *s = &p->streams[i];
    if (detector != THE_MODELS) {
        *detection = constant;
        return tin_constant_detect(p->head.classes, detector, p->hop, s->stream.n_frames, predictions, constant, err);
    }
    *detection = &s->detection;
    for (size_t k = 0; k < s->n_predicted; k++) {
        for (int64_t t = s->predicted[k].start; t < s->predicted[k].end; t++) {
            predictions[t] = (int16_t)s->predicted[k].class_index;
        }
    }
    return TIN_OK;
}

static tin_status count_stream(const pool *p, int detector, size_t i, tin_detector_result *result, tin_error *err)
{
    tin_scored_stream counted = p->set.items[i];
    size_t n_frames = (size_t)counted.stream->n_frames;
    int16_t *predictions = tin_alloc(n_frames, sizeof *predictions, err);
    tin_event_outcome *outcomes = tin_alloc(counted.n_events, sizeof *outcomes, err);
    tin_trigger_kind *kinds = NULL;
    tin_detection constant = {0};
    const tin_detection *detection = NULL;
    counted.labels = tin_alloc(n_frames, sizeof *counted.labels, err);
    tin_status status = predictions && outcomes && counted.labels ? TIN_OK : TIN_ERR_MEMORY;
    status = status ? status : speak(p, detector, i, predictions, &constant, &detection, err);
    if (status == TIN_OK) {
        kinds = tin_alloc(detection->n_triggers, sizeof *kinds, err);
        status = kinds ? TIN_OK : TIN_ERR_MEMORY;
    }
    if (status == TIN_OK) {
        tin_dataset_labels(&p->head, counted.stream, counted.labels);
        if (detector != THE_MODELS) {
            counted.n_windows = counted.windows_right = 0;
        }
        status = tin_detector_result_add(result, &counted, predictions, detection, &p->margins, outcomes, kinds, err);
    }
    tin_free(predictions);
    tin_free(counted.labels);
    tin_free(outcomes);
    tin_free(kinds);
    tin_detection_free(&constant);
    return status;
}

/* RESULT as JSON in *object. */
static tin_status judge(const pool *p, int detector, int resamples, uint64_t seed, json_t **object, tin_error *err)
{
    tin_json_builder b = {false};
    tin_detector_result result = {0};
    tin_status status = tin_detector_result_create(&result, &p->head, &p->set, err);
    for (size_t i = 0; i < p->n_streams && status == TIN_OK; i++) {
        status = count_stream(p, detector, i, &result, err);
    }
    status = status ? status : tin_detector_result_finish(&result, resamples, seed, err);
    *object = status ? NULL : tin_result_json(&b, &result, p->has_events, detector == THE_MODELS);
    if (status == TIN_OK && detector != THE_MODELS) {
        tin_json_put(&b, *object, "name", json_sprintf("always %s", p->head.classes[detector].name));
    }
    tin_detector_result_free(&result);
    return status || !b.failed ? status : tin_fail(err, TIN_ERR_MEMORY, "out of memory while the runs were pooled");
}

static tin_status make_json(const pool *p, int resamples, uint64_t seed, json_t *root, tin_error *err)
{
    static const char *const kept[] = {"format", "rate_hz", "classes", "settings", "has_events"};
    tin_json_builder b = {false};
    json_t *result = NULL, *test = json_object(), *trivial = json_array();
    for (size_t k = 0; k < sizeof kept / sizeof *kept; k++) {
        tin_json_put(&b, root, kept[k], json_incref(json_object_get(p->metrics, kept[k])));
    }
    tin_json_put(&b, root, "n_runs", json_integer((json_int_t)p->n_runs));
    tin_json_put(&b, root, "test", test);
    tin_json_put(&b, root, "trivial", trivial);
    tin_status status = judge(p, THE_MODELS, resamples, seed, &result, err);
    tin_json_put(&b, test, "integer", result);
    for (int k = 0; k < p->head.n_classes && status == TIN_OK; k++) {
        status = judge(p, k, resamples, seed, &result, err);
        tin_json_append(&b, trivial, result);
    }
    return status || !b.failed ? status : tin_fail(err, TIN_ERR_MEMORY, "out of memory while the runs were pooled");
}

tin_status tin_pool_runs(const char *const *folders, size_t n, int resamples, uint64_t seed, json_t **pooled,
                         tin_error *err)
{
    pool p = {.folders = folders, .n_runs = n};
    *pooled = NULL;
    p.timelines = tin_alloc(n, sizeof *p.timelines, err);
    tin_status status = p.timelines ? TIN_OK : TIN_ERR_MEMORY;
    for (size_t run = 0; run < n && status == TIN_OK; run++) {
        status = read_run(&p, run, err);
    }
    status = status ? status : sort_streams(&p, err);
    status = status ? status : make_set(&p, err);
    if (status == TIN_OK) {
        *pooled = json_object();
        status = *pooled ? make_json(&p, resamples, seed, *pooled, err)
                         : tin_fail(err, TIN_ERR_MEMORY, "out of memory while the runs were pooled");
    }
    if (status) {
        json_decref(*pooled);
        *pooled = NULL;
    }
    pool_clear(&p);
    return status;
}
