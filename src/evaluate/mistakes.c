#include "evaluate/mistakes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json_tools.h"
#include "base/memory.h"

#define SCORE_ONE 256.0     /* score units of one logit */
#define LEAST_STRETCH_S 1.0 /* of wrong frames, for a proposal: a shorter one is the model's delay at a border */

const char *tin_mistake_name(tin_mistake_kind kind)
{
    static const char *const names[] = {
#define X(code, name) name,
        TIN_MISTAKE_LIST(X)
#undef X
    };
    return names[kind];
}

int64_t tin_mistakes_frame(const tin_mistakes *mistakes, int64_t decision)
{
    return mistakes->timing.hop * (decision + 1) - 1 - mistakes->timing.delay;
}

int64_t tin_mistakes_decision(const tin_mistakes *mistakes, size_t stream, int64_t t)
{
    int64_t j = (t + 1 + mistakes->timing.delay) / mistakes->timing.hop - 1;
    int64_t last = mistakes->said[stream].n_decisions - 1;
    j = j > last ? last : j;
    return j < 0 ? 0 : j;
}

/* means[n_classes]: logits over the frames [start, end). */
static void mean_scores(const tin_mistakes *m, size_t stream, int64_t start, int64_t end, double *means)
{
    const int n_classes = m->dataset->n_classes;
    const tin_said *said = &m->said[stream];
    int64_t first = tin_mistakes_decision(m, stream, start), last = tin_mistakes_decision(m, stream, end - 1);
    for (int k = 0; k < n_classes; k++) {
        double sum = 0;
        for (int64_t j = first; j <= last && j < said->n_decisions; j++) {
            sum += said->scores[j * n_classes + k];
        }
        means[k] = sum / (double)(last - first + 1) / SCORE_ONE;
    }
}

static int greatest_but(const double *means, int n_classes, int but)
{
    int best = -1;
    for (int k = 0; k < n_classes; k++) {
        if (k != but && (best < 0 || means[k] > means[best])) {
            best = k;
        }
    }
    return best;
}

/* The first label that ends behind the frame. */
static size_t first_behind(const tin_stream *s, int64_t frame)
{
    size_t low = 0, high = s->n_intervals;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->intervals[middle].end > frame) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

/* The longest piece of [start, end) without a label of an event; it must be more than half of it. Labels of events are
 * not for a new label to cut (data.relabel). */
static tin_interval free_piece(const tin_mistakes *m, size_t stream, int64_t start, int64_t end)
{
    const tin_stream *s = &m->dataset->streams[stream];
    tin_interval best = {0};
    int64_t from = start;
    for (size_t i = first_behind(s, start); i <= s->n_intervals; i++) {
        const tin_interval *v = i < s->n_intervals ? &s->intervals[i] : NULL;
        if (v != NULL && (v->class_index < 0 || !m->dataset->classes[v->class_index].event || v->end <= from)) {
            continue;
        }
        int64_t to = v != NULL && v->start < end ? v->start : end;
        if (to - from > best.end - best.start) {
            best = (tin_interval){from, to, 0};
        }
        if (v == NULL || v->end >= end) {
            break;
        }
        from = v->end;
    }
    return 2 * (best.end - best.start) > end - start ? best : (tin_interval){0};
}

/* Two reports may come from one run of frames; one new label is enough. Of one stream in the order of time. */
static bool is_proposed(const tin_mistakes *m, const tin_mistake *e)
{
    for (size_t i = m->n; i > 0 && m->items[i - 1].stream == e->stream; i--) {
        const tin_mistake *before = &m->items[i - 1];
        if (before->truth < 0 && before->proposed.end > 0) {
            return e->proposed.start < before->proposed.end;
        }
    }
    return false;
}

/* Where the model is surer of what it said than of the label, that is proposed. */
static void propose(const tin_mistakes *m, tin_mistake *e)
{
    const bool brief =
        e->kind == TIN_MISTAKE_FRAMES && (double)(e->end - e->start) < LEAST_STRETCH_S * m->dataset->rate_hz;
    if (!(e->confidence > 0) || brief) {
        return;
    }
    const bool new_event = e->truth < 0;
    e->proposed = new_event ? free_piece(m, e->stream, e->start, e->end) : (tin_interval){e->start, e->end, 0};
    e->proposed.class_index = e->said;
    if (new_event && is_proposed(m, e)) {
        e->proposed = (tin_interval){0};
    }
}

/* Fills in confidence, proposal and, where it is not known, what the model said. */
static tin_status add(tin_mistakes *m, tin_mistake e, tin_error *err)
{
    double means[TIN_MAX_CLASSES] = {0};
    const tin_role role = m->dataset->streams[e.stream].role;
    if (m->n == m->capacity) {
        size_t capacity = m->capacity > 0 ? 2 * m->capacity : 64;
        tin_mistake *items =
            m->n > 0 ? tin_grow(m->items, m->n, capacity, sizeof *items, err) : tin_alloc(capacity, sizeof *items, err);
        if (items == NULL) {
            return TIN_ERR_MEMORY;
        }
        m->items = items;
        m->capacity = capacity;
    }
    mean_scores(m, e.stream, e.start, e.end, means);
    if (e.said < 0) {
        e.said = greatest_but(means, m->dataset->n_classes, e.truth);
    }
    int other = e.truth >= 0 ? e.truth : greatest_but(means, m->dataset->n_classes, e.said);
    e.confidence = e.said >= 0 && other >= 0 ? means[e.said] - means[other] : 0;
    propose(m, &e);
    m->items[m->n++] = e;
    m->counts[role][e.kind]++;
    m->frames[role] += e.kind == TIN_MISTAKE_FRAMES ? e.end - e.start : 0;
    return TIN_OK;
}

/* One stream of timelines.json while it is read. */
typedef struct reader {
    tin_mistakes *m;
    size_t stream;
    const char *folder;
    tin_error *err;
} reader;

static tin_status refuse(const reader *r, const char *key)
{
    return tin_fail_at(r->err, TIN_ERR_FORMAT, r->folder, 0,
                       "timelines.json: \"%s\" of '%s' does not fit the dataset; run the stage evaluate again", key,
                       r->m->dataset->streams[r->stream].id);
}

/* Integers [n] of a list; false when there is another thing or one is out of -1..most[i]. */
static bool take(const json_t *list, int64_t *values, const int64_t *most, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const json_t *value = json_array_get(list, i);
        values[i] = (int64_t)json_integer_value(value);
        if (!json_is_integer(value) || values[i] < -1 || values[i] > most[i]) {
            return false;
        }
    }
    return true;
}

static bool take_interval(const reader *r, const json_t *list, tin_interval *interval)
{
    const int64_t n_frames = r->m->dataset->streams[r->stream].n_frames;
    const int64_t most[] = {n_frames, n_frames, r->m->dataset->n_classes - 1};
    int64_t v[3];
    bool good = take(list, v, most, 3) && v[0] >= 0 && v[0] < v[1] && v[2] >= 0;
    *interval = good ? (tin_interval){v[0], v[1], (int32_t)v[2]} : (tin_interval){0};
    return good;
}

static tin_status read_events(const reader *r, const json_t *timeline, const int64_t most[5])
{
    const json_t *list = json_object_get(timeline, "events"), *item;
    size_t i;
    json_array_foreach(list, i, item)
    {
        int64_t v[5] = {[4] = TIN_MISTAKE_NONE};
        size_t n = json_array_size(item) < 5 ? 4 : 5; /* runs of before had no frame of the report */
        if (!take(item, v, most, n) || v[0] < 0 || v[0] >= v[1] || v[2] < 0) {
            return refuse(r, "events");
        }
        tin_mistake e = {.kind = v[3] < 0 ? TIN_MISTAKE_MISSED : TIN_MISTAKE_WRONG,
                         .stream = r->stream,
                         .start = v[0],
                         .end = v[1],
                         .report = v[4],
                         .truth = (int32_t)v[2],
                         .said = (int32_t)v[3]};
        tin_status status = v[3] == v[2] ? TIN_OK : add(r->m, e, r->err);
        if (status != TIN_OK) {
            return status;
        }
    }
    return TIN_OK;
}

/* The interval of the class in `list`, sorted by time, that holds the frame; false when there is none. */
static bool find_interval(const reader *r, const json_t *list, int64_t frame, int32_t class_index, tin_interval *found)
{
    size_t low = 0, high = json_array_size(list); /* those before `low` start at the frame or earlier */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (json_integer_value(json_array_get(json_array_get(list, middle), 0)) <= frame) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low > 0 && take_interval(r, json_array_get(list, low - 1), found) && found->class_index == class_index &&
           frame < found->end;
}

/* What the model saw when it made the report at this frame: the run of frames at which it prefers that class, else as long
 * as the device held it active, else one decision. */
static tin_interval seen(const reader *r, const json_t *timeline, int64_t report, int32_t class_index)
{
    tin_interval found;
    const tin_timing timing = r->m->timing;
    const int64_t n_frames = r->m->dataset->streams[r->stream].n_frames;
    int64_t about = report - timing.delay - timing.latency;
    about = about < 0 ? 0 : about;
    if (!find_interval(r, json_object_get(timeline, "predicted"), about, class_index, &found) &&
        !find_interval(r, json_object_get(timeline, "segments"), about, class_index, &found)) {
        found = (tin_interval){about, about + timing.hop < n_frames ? about + timing.hop : n_frames, class_index};
    }
    return found;
}

static tin_status read_triggers(const reader *r, const json_t *timeline, const int64_t most[2])
{
    const json_t *list = json_object_get(timeline, "triggers"), *item;
    size_t i;
    json_array_foreach(list, i, item)
    {
        int64_t v[2];
        const char *name = json_string_value(json_array_get(item, 2));
        if (!take(item, v, most, 2) || v[0] < 0 || v[1] < 0 || name == NULL) {
            return refuse(r, "triggers");
        }
        for (int kind = TIN_MISTAKE_FALSE; kind <= TIN_MISTAKE_DUPLICATE; kind++) {
            if (strcmp(name, tin_mistake_name(kind)) != 0 || (kind == TIN_MISTAKE_REPEAT && r->m->allow_repeats)) {
                continue;
            }
            tin_interval saw = seen(r, timeline, v[0], (int32_t)v[1]);
            tin_mistake e = {.kind = kind,
                             .stream = r->stream,
                             .start = saw.start,
                             .end = saw.end,
                             .report = v[0],
                             .truth = TIN_MISTAKE_NONE,
                             .said = (int32_t)v[1]};
            tin_status status = add(r->m, e, r->err);
            if (status != TIN_OK) {
                return status;
            }
        }
    }
    return TIN_OK;
}

/* Runs of wrong frames with one label and one preferred class. */
static tin_status read_frames(const reader *r, const json_t *timeline)
{
    const tin_stream *s = &r->m->dataset->streams[r->stream];
    const json_t *list = json_object_get(timeline, "predicted"), *item;
    size_t i;
    tin_status status = TIN_OK;
    int16_t *labels = tin_alloc((size_t)s->n_frames, sizeof *labels, r->err);
    if (labels == NULL) {
        return TIN_ERR_MEMORY;
    }
    tin_dataset_labels(r->m->dataset, s, labels);
    json_array_foreach(list, i, item)
    {
        tin_interval run;
        if (!take_interval(r, item, &run)) {
            status = refuse(r, "predicted");
        }
        for (int64_t t = run.start, end; t < run.end && status == TIN_OK; t = end) {
            for (end = t + 1; end < run.end && labels[end] == labels[t]; end++) {
            }
            tin_mistake e = {.kind = TIN_MISTAKE_FRAMES,
                             .stream = r->stream,
                             .start = t,
                             .end = end,
                             .report = TIN_MISTAKE_NONE,
                             .truth = labels[t],
                             .said = run.class_index};
            if (labels[t] >= 0 && labels[t] != run.class_index) {
                status = add(r->m, e, r->err);
            }
        }
        if (status != TIN_OK) {
            break;
        }
    }
    tin_free(labels);
    return status;
}

static tin_status take_scores(const reader *r)
{
    tin_said *said = &r->m->said[r->stream];
    const tin_dataset *d = r->m->dataset;
    const tin_tensor *t = tin_safetensors_find(r->m->scores, d->streams[r->stream].id);
    if (t == NULL || t->dtype != TIN_I16 || t->n_dims != 2 || t->shape[1] != d->n_classes ||
        t->shape[0] > d->streams[r->stream].n_frames) {
        return tin_fail_at(r->err, TIN_ERR_FORMAT, r->folder, 0,
                           "scores.safetensors: no scores of '%s' for %d classes; run the stage evaluate again",
                           d->streams[r->stream].id, d->n_classes);
    }
    said->scores = t->data;
    said->n_decisions = t->shape[0];
    return TIN_OK;
}

static tin_status read_stream(const reader *r, const json_t *timeline)
{
    const int64_t n_frames = r->m->dataset->streams[r->stream].n_frames, last = r->m->dataset->n_classes - 1;
    r->m->said[r->stream].timeline = timeline;
    tin_status status = take_scores(r);
    if (status == TIN_OK && r->m->has_events) {
        status = read_events(r, timeline, (int64_t[]){n_frames, n_frames, last, last, n_frames - 1});
        status = status ? status : read_triggers(r, timeline, (int64_t[]){n_frames - 1, last});
    } else if (status == TIN_OK) {
        status = read_frames(r, timeline);
    }
    return status;
}

static tin_status read_streams(tin_mistakes *m, const char *key, tin_role role, const char *folder, tin_error *err)
{
    const json_t *timeline;
    size_t i;
    reader r = {m, 0, folder, err};
    tin_status status = TIN_OK;
    json_array_foreach(json_object_get(m->timelines, key), i, timeline)
    {
        const char *id = json_string_value(json_object_get(timeline, "id"));
        for (r.stream = 0; r.stream < m->dataset->n_streams; r.stream++) {
            if (id != NULL && strcmp(m->dataset->streams[r.stream].id, id) == 0) {
                break;
            }
        }
        if (r.stream == m->dataset->n_streams || m->dataset->streams[r.stream].role != role ||
            m->said[r.stream].timeline != NULL) {
            return tin_fail_at(err, TIN_ERR_FORMAT, folder, 0,
                               "timelines.json: \"%s\": stream %zu is not in that part of the dataset; run the stage "
                               "evaluate again",
                               key, i + 1);
        }
        status = read_stream(&r, timeline);
        if (status != TIN_OK) {
            break;
        }
    }
    return status;
}

static tin_status take_metrics(tin_mistakes *m, const char *folder, tin_error *err)
{
    json_t *metrics = NULL;
    tin_status status = tin_json_load(&metrics, folder, "metrics.json", err);
    if (status != TIN_OK) {
        return status;
    }
    const json_t *hop = json_object_get(metrics, "hop");
    const char *hash = json_string_value(json_object_get(metrics, "data_hash"));
    m->timing.hop = (int)json_integer_value(hop);
    m->timing.delay = (int)json_integer_value(json_object_get(metrics, "delay"));
    m->timing.latency = (int)json_integer_value(json_object_get(metrics, "latency"));
    m->has_events = json_is_true(json_object_get(metrics, "has_events"));
    m->allow_repeats = json_is_true(json_object_get(json_object_get(metrics, "settings"), "allow_repeats"));
    if (m->timing.hop < 1 || m->timing.delay < 0 || m->timing.latency < 0 || hash == NULL ||
        strcmp(hash, m->dataset->hash) != 0) {
        status =
            tin_fail_at(err, TIN_ERR_FORMAT, folder, 0,
                        "metrics.json: hop, delay, latency or data_hash does not fit; run the stage evaluate again");
    }
    json_decref(metrics);
    return status;
}

static tin_status load_files(tin_mistakes *m, const char *folder, bool *there, tin_error *err)
{
    char timelines[TIN_PATH_MAX], scores[TIN_PATH_MAX];
    tin_status status = tin_path_join(timelines, folder, "timelines.json", err);
    status = status ? status : tin_path_join(scores, folder, "scores.safetensors", err);
    *there = status == TIN_OK && tin_file_exists(timelines) && tin_file_exists(scores);
    if (status != TIN_OK || !*there) {
        return status;
    }
    status = take_metrics(m, folder, err);
    status = status ? status : tin_json_load(&m->timelines, folder, "timelines.json", err);
    status = status ? status : tin_safetensors_map(&m->scores, scores, err);
    if (status == TIN_OK) {
        const char *hash = json_string_value(json_object_get(m->timelines, "data_hash"));
        if (hash == NULL || strcmp(hash, m->dataset->hash) != 0) {
            status = tin_fail_at(err, TIN_ERR_FORMAT, timelines, 0,
                                 "was made from another dataset; run the stage evaluate again");
        }
    }
    return status;
}

tin_status tin_mistakes_load(tin_mistakes *mistakes, const tin_dataset *dataset, const char *folder, tin_error *err)
{
    bool there = false;
    *mistakes = (tin_mistakes){.dataset = dataset};
    tin_status status = load_files(mistakes, folder, &there, err);
    if (status != TIN_OK || !there) {
        return status;
    }
    mistakes->said = tin_alloc(dataset->n_streams, sizeof *mistakes->said, err);
    if (mistakes->said == NULL) {
        return TIN_ERR_MEMORY;
    }
    status = read_streams(mistakes, "validation", TIN_ROLE_VALIDATION, folder, err);
    return status ? status : read_streams(mistakes, "streams", TIN_ROLE_TEST, folder, err);
}

static int descending(double a, double b)
{
    return a > b ? -1 : a < b;
}

static int by_place(const tin_mistake *a, const tin_mistake *b)
{
    return a->stream != b->stream ? (a->stream > b->stream ? 1 : -1)
           : a->start != b->start ? (a->start > b->start ? 1 : -1)
           : a->kind != b->kind   ? (a->kind > b->kind ? 1 : -1)
                                  : (a->report > b->report) - (a->report < b->report);
}

static int by_confidence(const void *left, const void *right)
{
    const tin_mistake *a = left, *b = right;
    int order = descending(a->confidence, b->confidence);
    return order ? order : by_place(a, b);
}

/* Which of too many are kept. */
static int by_rank(const void *left, const void *right)
{
    const tin_mistake *a = left, *b = right;
    bool frames = a->kind == TIN_MISTAKE_FRAMES && b->kind == TIN_MISTAKE_FRAMES;
    int order = frames ? descending((double)(a->end - a->start), (double)(b->end - b->start))
                       : descending(a->confidence, b->confidence);
    return order ? order : by_place(a, b);
}

void tin_mistakes_sort(tin_mistakes *mistakes, size_t most)
{
    size_t of_role[3] = {0}, room[3] = {0}, n = 0;
    for (size_t i = 0; i < mistakes->n; i++) {
        of_role[mistakes->dataset->streams[mistakes->items[i].stream].role]++;
    }
    size_t validation = of_role[TIN_ROLE_VALIDATION], test = of_role[TIN_ROLE_TEST], half = most / 2;
    room[TIN_ROLE_TEST] = validation < half ? most - validation : most - half;
    room[TIN_ROLE_VALIDATION] = test < room[TIN_ROLE_TEST] ? most - test : half;
    if (mistakes->n > most) {
        qsort(mistakes->items, mistakes->n, sizeof *mistakes->items, by_rank);
        for (size_t i = 0; i < mistakes->n; i++) {
            size_t *left = &room[mistakes->dataset->streams[mistakes->items[i].stream].role];
            if (*left > 0) {
                mistakes->items[n++] = mistakes->items[i];
                (*left)--;
            }
        }
        mistakes->n = n;
    }
    if (mistakes->n > 0) {
        qsort(mistakes->items, mistakes->n, sizeof *mistakes->items, by_confidence);
    }
}

void tin_mistakes_free(tin_mistakes *mistakes)
{
    tin_free(mistakes->items);
    tin_free(mistakes->said);
    json_decref(mistakes->timelines);
    tin_safetensors_free(mistakes->scores);
    *mistakes = (tin_mistakes){0};
}
