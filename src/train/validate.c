#include "train/validate.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "model/qmodel.h"
#include "train/augment.h"
#include "train/labels.h"

const char *tin_metric_name(tin_metric metric)
{
    static const char *const names[] = {
#define X(metric, name) name,
        TIN_METRIC_LIST(X)
#undef X
    };
    return (unsigned)metric < TIN_METRIC_COUNT ? names[metric] : "unknown";
}

tin_metric tin_metric_from_name(const char *name)
{
    int metric = name ? 0 : TIN_METRIC_MACRO_F1;
    while (name && metric < TIN_METRIC_COUNT && strcmp(name, tin_metric_name((tin_metric)metric)) != 0) {
        metric++;
    }
    return (tin_metric)metric;
}

double tin_validation_goodness(const tin_validation_score *score, tin_metric metric)
{
    return metric == TIN_METRIC_LOSS ? -score->value[metric] : score->value[metric];
}

/* Frames [start, end) of a stream that one lane runs through from the reset state. */
typedef struct piece {
    size_t stream;
    int64_t start, end;
    size_t first_decision; /* its place in `said` and `decided` */
    size_t n_events;
} piece;

typedef struct lane_place {
    size_t piece; /* n_pieces: idle */
    int64_t next; /* frame */
    size_t run;   /* of the labels near it */
} lane_place;

struct tin_validation {
    const tin_model *model;
    const tin_dataset *dataset;
    const tin_config_train *settings;
    tin_augment plain;
    tin_labels *labels; /* [n_streams] */
    piece *pieces;
    size_t n_pieces, capacity;
    int n_lanes, n_decisions;
    lane_place lanes[TIN_VALIDATION_LANES];
    uint8_t reset[TIN_VALIDATION_LANES];
    float *x, *scores;
    int64_t *confusion;   /* [label][prediction] */
    int16_t *said;        /* [decisions of all pieces] class; windows: NULL */
    int16_t *decided;     /* [decisions of all pieces][n_classes] score units; NULL: no event is counted */
    tin_interval *events; /* of all pieces, in their order */
    int16_t *expanded;    /* [frames of the longest piece] its labels; NULL without `decided` */
    size_t n_decided, n_events;
    tin_margins margins;
    double loss;
    int64_t n_losses;
    size_t touched; /* bytes of counts that were read, see tin_dataset_touched */
    void *state;
};

static tin_status add_piece(tin_validation *v, size_t stream, int64_t start, int64_t end, tin_error *err)
{
    if (v->n_pieces == v->capacity) {
        size_t more = v->capacity ? 2 * v->capacity : 64;
        piece *grown = tin_grow(v->pieces, v->capacity, more, sizeof *grown, err);
        if (!grown) {
            return TIN_ERR_MEMORY;
        }
        v->pieces = grown;
        v->capacity = more;
    }
    v->pieces[v->n_pieces++] = (piece){stream, start, end, v->n_decided, 0};
    v->n_decided += (size_t)((end - start) / v->model->hop);
    return TIN_OK;
}

static tin_status add_windows(tin_validation *v, size_t stream, tin_error *err)
{
    const tin_labels *labels = &v->labels[stream];
    int history = v->settings->history_frames, frames = v->settings->chunk - history;
    int step = frames / 2 > 0 ? frames / 2 : 1;
    tin_status status = TIN_OK;
    for (size_t r = 0; r < labels->n_runs && status == TIN_OK; r++) {
        const tin_label_run *run = &labels->runs[r];
        for (int64_t t = run->start; run->label >= 0 && t + frames <= run->end && status == TIN_OK; t += step) {
            status = t >= history ? add_piece(v, stream, t - history, t + frames, err) : TIN_OK;
        }
    }
    return status;
}

/* Without a label every model scores 0, and the first would be kept. */
static bool has_labels(const tin_validation *v)
{
    for (size_t i = 0; i < v->dataset->n_streams; i++) {
        for (size_t r = 0; r < v->labels[i].n_runs; r++) {
            if (v->labels[i].runs[r].label >= 0) {
                return true;
            }
        }
    }
    return false;
}

static tin_status find_pieces(tin_validation *v, tin_error *err)
{
    const tin_dataset *d = v->dataset;
    v->labels = tin_alloc(d->n_streams, sizeof *v->labels, err);
    if (!v->labels) {
        return TIN_ERR_MEMORY;
    }
    for (size_t i = 0; i < d->n_streams; i++) {
        if (d->streams[i].role != TIN_ROLE_VALIDATION || d->streams[i].n_frames < 1) {
            continue;
        }
        tin_status status = tin_labels_create(&v->labels[i], d, &d->streams[i], NULL, err);
        if (status == TIN_OK) {
            status = v->settings->windows ? add_windows(v, i, err) : add_piece(v, i, 0, d->streams[i].n_frames, err);
        }
        if (status) {
            return status;
        }
    }
    if (v->n_pieces == 0) {
        return tin_fail(err, TIN_ERR_DATA, "no %s to validate on; give data.validation subjects with recordings%s",
                        v->settings->windows ? "window inside one label" : "recording",
                        v->settings->windows ? " or make train.chunk shorter" : "");
    }
    if (!has_labels(v)) {
        return tin_fail(err, TIN_ERR_DATA,
                        "no labelled validation frames; label some, choose other subjects in data.validation, or give "
                        "data.unlabelled a class instead of ignore");
    }
    return TIN_OK;
}

/* Intervals of event classes, in order of pieces, each of which is a whole stream here. */
static tin_status find_events(tin_validation *v, tin_error *err)
{
    size_t most = 0;
    for (size_t p = 0; p < v->n_pieces; p++) {
        most += v->dataset->streams[v->pieces[p].stream].n_intervals;
    }
    v->events = tin_alloc(most, sizeof *v->events, err);
    for (size_t p = 0; v->events && p < v->n_pieces; p++) {
        const tin_stream *stream = &v->dataset->streams[v->pieces[p].stream];
        for (size_t i = 0; i < stream->n_intervals; i++) {
            int32_t k = stream->intervals[i].class_index;
            if (k >= 0 && v->dataset->classes[k].event) {
                v->events[v->n_events++] = stream->intervals[i];
                v->pieces[p].n_events++;
            }
        }
    }
    return v->events ? TIN_OK : TIN_ERR_MEMORY;
}

static tin_status prepare_events(tin_validation *v, tin_error *err)
{
    tin_metric metric = tin_metric_from_name(v->settings->metric);
    tin_status status = v->settings->windows ? TIN_OK : find_events(v, err);
    if (status == TIN_OK && v->n_events > 0) {
        int64_t longest = 0;
        for (size_t i = 0; i < v->n_pieces; i++) {
            longest = v->pieces[i].end > longest ? v->pieces[i].end : longest;
        }
        v->decided = tin_alloc(v->n_decided * (size_t)v->model->n_classes, sizeof *v->decided, err);
        v->expanded = tin_alloc((size_t)longest, sizeof *v->expanded, err);
        return v->decided && v->expanded ? TIN_OK : TIN_ERR_MEMORY;
    }
    if (status == TIN_OK && (metric == TIN_METRIC_EVENT_F1 || metric == TIN_METRIC_IOU_F1)) {
        return tin_fail(err, TIN_ERR_DATA, "train.metric is %s, but %s; use accuracy, macro_f1 or balanced_accuracy",
                        tin_metric_name(metric),
                        v->settings->windows ? "windows hold no events"
                                             : "no event is labelled on the validation people");
    }
    return status;
}

static tin_status allocate(tin_validation *v, tin_error *err)
{
    v->n_lanes = v->n_pieces < TIN_VALIDATION_LANES ? (int)v->n_pieces : TIN_VALIDATION_LANES;
    v->n_decisions = v->settings->chunk / v->model->hop;
    size_t n_lanes = (size_t)v->n_lanes, n_classes = (size_t)v->model->n_classes;
    v->x = tin_alloc(n_lanes * (size_t)v->settings->chunk * (size_t)v->model->n_channels, sizeof *v->x, err);
    v->scores = tin_alloc(n_lanes * (size_t)v->n_decisions * n_classes, sizeof *v->scores, err);
    v->confusion = tin_alloc(n_classes * n_classes, sizeof *v->confusion, err);
    v->said = v->settings->windows ? NULL : tin_alloc(v->n_decided, sizeof *v->said, err);
    if (!v->x || !v->scores || !v->confusion || (!v->said && !v->settings->windows)) {
        return TIN_ERR_MEMORY;
    }
    return prepare_events(v, err);
}

tin_status tin_validation_create(tin_validation **validation, const tin_model *model, const tin_dataset *dataset,
                                 const tin_config_train *settings, const tin_config_evaluate *events, tin_error *err)
{
    *validation = NULL;
    if (settings->keep_last && tin_dataset_frames(dataset, TIN_ROLE_VALIDATION) == 0) {
        return TIN_OK;
    }
    tin_validation *v = tin_alloc(1, sizeof *v, err);
    if (!v) {
        return TIN_ERR_MEMORY;
    }
    v->model = model;
    v->dataset = dataset;
    v->settings = settings;
    tin_augment_none(&v->plain, model);
    tin_status status = tin_margins_create(&v->margins, events, dataset, err);
    v->margins.allow_repeats = false; /* the fixed rule holds nothing back, so that they tell models apart */
    if (status == TIN_OK) {
        status = find_pieces(v, err);
    }
    if (status == TIN_OK) {
        status = allocate(v, err);
    }
    if (status) {
        tin_validation_free(v);
        return status;
    }
    *validation = v;
    return TIN_OK;
}

void tin_validation_free(tin_validation *v)
{
    if (!v) {
        return;
    }
    for (size_t i = 0; v->labels && i < v->dataset->n_streams; i++) {
        tin_labels_free(&v->labels[i]);
    }
    tin_free(v->labels);
    tin_free(v->pieces);
    tin_free(v->x);
    tin_free(v->scores);
    tin_free(v->confusion);
    tin_free(v->said);
    tin_free(v->decided);
    tin_free(v->expanded);
    tin_free(v->events);
    tin_free(v->state);
    tin_free(v);
}

static int best_class(const float *scores, int n_classes)
{
    int best = 0;
    for (int c = 1; c < n_classes; c++) {
        best = scores[c] > scores[best] ? c : best;
    }
    return best;
}

/* ln(sum exp z) - z_label */
static double cross_entropy(const float *z, int n_classes, int label)
{
    double most = (double)z[best_class(z, n_classes)], sum = 0;
    for (int c = 0; c < n_classes; c++) {
        sum += exp((double)z[c] - most);
    }
    return log(sum) + most - (double)z[label];
}

/* Adds the loss of a decision that speaks of frames from .. from + hop - 1. *run: see tin_labels_step. */
static void add_loss(tin_validation *v, const tin_labels *labels, size_t *run, int64_t from, const float *z)
{
    for (int64_t t = from < 0 ? 0 : from; t < from + v->model->hop && t < labels->n_frames; t++) {
        *run = tin_labels_step(labels, *run, t);
        if (labels->runs[*run].label >= 0) {
            v->loss += cross_entropy(z, v->model->n_classes, labels->runs[*run].label);
            v->n_losses++;
        }
    }
}

/* A logit in score units; NaN becomes the least score. */
static int16_t score_units(float logit)
{
    double z = rint((double)logit * TIN_SCORE_ONE);
    return z >= INT16_MAX ? INT16_MAX : z > INT16_MIN ? (int16_t)z : INT16_MIN;
}

static void take_window(tin_validation *v, const piece *p, const float *scores)
{
    const tin_labels *labels = &v->labels[p->stream];
    int n_classes = v->model->n_classes, label = labels->runs[tin_labels_find(labels, p->end - 1)].label;
    const float *z = scores + (ptrdiff_t)(v->n_decisions - 1) * n_classes;
    v->confusion[label * n_classes + best_class(z, n_classes)]++;
    v->loss += cross_entropy(z, n_classes, label);
    v->n_losses++;
}

/* Takes the scores of the chunk that lane l has just run. */
static void take_chunk(tin_validation *v, int l)
{
    const piece *p = &v->pieces[v->lanes[l].piece];
    int n_classes = v->model->n_classes, hop = v->model->hop;
    const float *scores = v->scores + (ptrdiff_t)l * v->n_decisions * n_classes;
    if (v->settings->windows) {
        take_window(v, p, scores);
        return;
    }
    int64_t first = v->lanes[l].next, n_decided = p->end / hop;
    for (int j = 0; j < v->n_decisions && first / hop + j < n_decided; j++) {
        const float *z = scores + (ptrdiff_t)j * n_classes;
        int64_t number = first / hop + j, from = hop * (number + 1) - 1;
        v->said[p->first_decision + (size_t)number] = (int16_t)best_class(z, n_classes);
        add_loss(v, &v->labels[p->stream], &v->lanes[l].run, from - v->model->delay, z);
        for (int c = 0; v->decided && c < n_classes; c++) {
            v->decided[(p->first_decision + (size_t)number) * (size_t)n_classes + (size_t)c] = score_units(z[c]);
        }
    }
    v->lanes[l].next = first + v->settings->chunk;
}

/* Gives each idle lane a piece and fills its chunk; false when no lane has work. */
static bool prepare(tin_validation *v, size_t *next_piece)
{
    bool any = false;
    int n_channels = v->model->n_channels, chunk = v->settings->chunk;
    for (int l = 0; l < v->n_lanes; l++) {
        lane_place *lane = &v->lanes[l];
        bool done = lane->piece < v->n_pieces && (lane->next >= v->pieces[lane->piece].end || v->settings->windows);
        v->reset[l] = 0;
        if (lane->piece >= v->n_pieces || done) {
            lane->piece = *next_piece < v->n_pieces ? (*next_piece)++ : v->n_pieces;
            lane->next = lane->piece < v->n_pieces ? v->pieces[lane->piece].start : 0;
            lane->run = 0;
            v->reset[l] = 1;
        }
        float *x = v->x + (ptrdiff_t)l * chunk * n_channels;
        if (lane->piece < v->n_pieces) {
            const tin_stream *stream = &v->dataset->streams[v->pieces[lane->piece].stream];
            tin_clock clock = {.start = (double)lane->next, .speed = 1};
            tin_augment_apply(&v->plain, &clock, stream->counts, v->pieces[lane->piece].end, n_channels, chunk, NULL,
                              x);
            any = true;
        } else {
            memset(x, 0, (size_t)(chunk * n_channels) * sizeof *x);
        }
    }
    return any;
}

/* Adds the frames of one run. What is held at frame t + delay speaks of frame t, and is what the last decision up to
 * there said, class 0 before the first; the last decision also speaks of the frames that the end cuts off. */
static void count_run(tin_validation *v, const piece *p, const tin_label_run *run)
{
    const int64_t hop = v->model->hop, delay = v->model->delay, n_decided = p->end / hop;
    for (int64_t t = run->start, end; t < run->end; t = end) {
        int64_t decided = (t + delay + 1) / hop < n_decided ? (t + delay + 1) / hop : n_decided;
        int said = decided > 0 ? v->said[p->first_decision + (size_t)decided - 1] : 0;
        end =
            decided < n_decided ? (decided + 1) * hop - 1 - delay : run->end; /* the next decision is held from there */
        end = end < run->end ? end : run->end;
        v->confusion[run->label * v->model->n_classes + said] += end - t;
    }
}

static void count_frames(tin_validation *v)
{
    for (size_t i = 0; i < v->n_pieces; i++) {
        const tin_labels *labels = &v->labels[v->pieces[i].stream];
        for (size_t r = 0; r < labels->n_runs; r++) {
            if (labels->runs[r].label >= 0) {
                count_run(v, &v->pieces[i], &labels->runs[r]);
            }
        }
    }
}

static tin_status count_events(tin_validation *v, tin_event_counts *counts, tin_error *err)
{
    const tin_timing timing = {v->model->hop, v->model->delay, 0};
    const tin_interval *events = v->events;
    /* half a logit above and below the classes that are no events; nothing is smoothed or held back */
    tin_decision_rule rule = tin_decision_plain(TIN_SCORE_ONE / 2);
    rule.hysteresis = TIN_SCORE_ONE;
    tin_status status = TIN_OK;
    for (size_t i = 0; i < v->n_pieces && status == TIN_OK; i++) {
        const piece *p = &v->pieces[i];
        const tin_scene scene = {events, p->n_events, v->expanded, p->end};
        tin_dataset_labels(v->dataset, &v->dataset->streams[p->stream], v->expanded);
        events += p->n_events;
        tin_detection said = {0};
        status = tin_detect(&rule, v->dataset->classes, v->model->n_classes, timing,
                            v->decided + p->first_decision * (size_t)v->model->n_classes, p->end / timing.hop, p->end,
                            &said, err);
        status = status ? status : tin_event_count(&scene, &said, &v->margins, NULL, NULL, counts, err);
        tin_detection_free(&said);
    }
    return status;
}

static tin_status finish(tin_validation *v, tin_validation_score *score, tin_error *err)
{
    tin_event_counts counts = {0};
    tin_class_figures per_class[TIN_MAX_CLASSES];
    tin_frame_figures frames;
    tin_status status = v->decided ? count_events(v, &counts, err) : TIN_OK;
    if (v->said) {
        count_frames(v);
    }
    tin_frame_figures_of(v->confusion, v->model->n_classes, &frames, per_class);
    tin_event_figures events = tin_event_figures_of(&counts, v->dataset->rate_hz);
    score->value[TIN_METRIC_ACCURACY] = frames.accuracy;
    score->value[TIN_METRIC_MACRO_F1] = frames.macro_f1;
    score->value[TIN_METRIC_BALANCED_ACCURACY] = frames.balanced_accuracy;
    score->value[TIN_METRIC_LOSS] = v->n_losses > 0 ? v->loss / (double)v->n_losses : (double)NAN;
    score->value[TIN_METRIC_EVENT_F1] = events.f1;
    score->value[TIN_METRIC_IOU_F1] = events.iou50_f1;
    return status;
}

tin_status tin_validation_run(tin_validation *v, tin_engine *engine, const float *params, tin_validation_score *score,
                              tin_error *err)
{
    size_t next_piece = 0;
    for (int m = 0; m < TIN_METRIC_COUNT; m++) {
        score->value[m] = (double)NAN;
    }
    if (!v) {
        return TIN_OK;
    }
    size_t n_classes = (size_t)v->model->n_classes;
    if (!v->state) {
        v->state = tin_alloc(tin_engine_state_bytes(engine, v->n_lanes), 1, err);
        if (!v->state) {
            return TIN_ERR_MEMORY;
        }
    }
    v->loss = 0;
    v->n_losses = 0;
    memset(v->confusion, 0, n_classes * n_classes * sizeof *v->confusion);
    for (int l = 0; l < v->n_lanes; l++) {
        v->lanes[l].piece = v->n_pieces;
    }
    while (prepare(v, &next_piece)) {
        tin_dataset_touched(v->dataset, &v->touched, (size_t)v->n_lanes,
                            (size_t)v->settings->chunk * (size_t)v->model->n_channels * sizeof(int16_t));
        tin_engine_infer(engine, params, v->state, v->n_lanes, v->x, v->reset, v->scores);
        for (int l = 0; l < v->n_lanes; l++) {
            if (v->lanes[l].piece < v->n_pieces) {
                take_chunk(v, l);
            }
        }
    }
    return finish(v, score, err);
}
