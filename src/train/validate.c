#include "train/validate.h"

#include <string.h>

#include "base/memory.h"
#include "train/augment.h"
#include "train/labels.h"

#define MOST_LANES 64

/* Frames [start, end) of a stream that one lane runs through from the reset state. */
typedef struct piece {
    size_t stream;
    int64_t start, end;
} piece;

typedef struct lane_place {
    size_t piece; /* n_pieces: idle */
    int64_t next; /* frame */
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
    lane_place lanes[MOST_LANES];
    uint8_t reset[MOST_LANES];
    float *x, *scores;
    int64_t *confusion; /* [label][prediction] */
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
    v->pieces[v->n_pieces++] = (piece){stream, start, end};
    return TIN_OK;
}

static tin_status add_windows(tin_validation *v, size_t stream, tin_error *err)
{
    const tin_labels *labels = &v->labels[stream];
    int chunk = v->settings->chunk, step = chunk / 2 > 0 ? chunk / 2 : 1;
    tin_status status = TIN_OK;
    for (int64_t start = 0, end; start < labels->n_frames && status == TIN_OK; start = end) {
        end = tin_labels_run_end(labels, start);
        for (int64_t t = start; labels->label[start] >= 0 && t + chunk <= end && status == TIN_OK; t += step) {
            status = add_piece(v, stream, t, t + chunk, err);
        }
    }
    return status;
}

/* Without a label every model scores 0, and the first would be kept. */
static bool has_labels(const tin_validation *v)
{
    for (size_t i = 0; i < v->dataset->n_streams; i++) {
        for (int64_t t = 0; t < v->labels[i].n_frames; t++) {
            if (v->labels[i].label[t] >= 0) {
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
        tin_status status = tin_labels_create(&v->labels[i], d, &d->streams[i], 0, err);
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

static tin_status allocate(tin_validation *v, tin_error *err)
{
    v->n_lanes = v->n_pieces < MOST_LANES ? (int)v->n_pieces : MOST_LANES;
    v->n_decisions = v->settings->chunk / v->model->hop;
    size_t n_lanes = (size_t)v->n_lanes, n_classes = (size_t)v->model->n_classes;
    v->x = tin_alloc(n_lanes * (size_t)v->settings->chunk * (size_t)v->model->n_channels, sizeof *v->x, err);
    v->scores = tin_alloc(n_lanes * (size_t)v->n_decisions * n_classes, sizeof *v->scores, err);
    v->confusion = tin_alloc(n_classes * n_classes, sizeof *v->confusion, err);
    return v->x && v->scores && v->confusion ? TIN_OK : TIN_ERR_MEMORY;
}

tin_status tin_validation_create(tin_validation **validation, const tin_model *model, const tin_dataset *dataset,
                                 const tin_config_train *settings, tin_error *err)
{
    *validation = NULL;
    tin_validation *v = tin_alloc(1, sizeof *v, err);
    if (!v) {
        return TIN_ERR_MEMORY;
    }
    v->model = model;
    v->dataset = dataset;
    v->settings = settings;
    tin_augment_none(&v->plain, model);
    tin_status status = find_pieces(v, err);
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

static void count(tin_validation *v, const tin_labels *labels, int64_t frame, int prediction)
{
    if (labels->label[frame] >= 0) {
        v->confusion[labels->label[frame] * v->model->n_classes + prediction]++;
    }
}

/* Takes the predictions of the chunk that lane l has just run. */
static void count_chunk(tin_validation *v, int l)
{
    const piece *p = &v->pieces[v->lanes[l].piece];
    const tin_labels *labels = &v->labels[p->stream];
    int n_classes = v->model->n_classes, hop = v->model->hop, chunk = v->settings->chunk;
    const float *scores = v->scores + (ptrdiff_t)l * v->n_decisions * n_classes;
    int64_t first = v->lanes[l].next;
    if (v->settings->windows) {
        count(v, labels, first, best_class(scores + (ptrdiff_t)(v->n_decisions - 1) * n_classes, n_classes));
        return;
    }
    for (int64_t t = p->start; first == p->start && t < p->start + hop - 1 && t < p->end; t++) {
        count(v, labels, t, 0);
    }
    for (int j = 0; j < v->n_decisions; j++) {
        int prediction = best_class(scores + (ptrdiff_t)j * n_classes, n_classes);
        int64_t from = first + (int64_t)hop * (j + 1) - 1;
        for (int64_t t = from; t < from + hop && t < p->end; t++) {
            count(v, labels, t, prediction);
        }
    }
    v->lanes[l].next = first + chunk;
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
            v->reset[l] = 1;
        }
        float *x = v->x + (ptrdiff_t)l * chunk * n_channels;
        if (lane->piece < v->n_pieces) {
            const tin_stream *stream = &v->dataset->streams[v->pieces[lane->piece].stream];
            tin_augment_apply(&v->plain, stream->counts, v->pieces[lane->piece].end, n_channels, (double)lane->next,
                              chunk, NULL, x);
            any = true;
        } else {
            memset(x, 0, (size_t)(chunk * n_channels) * sizeof *x);
        }
    }
    return any;
}

static tin_validation_score score_of(const int64_t *confusion, int n_classes)
{
    tin_validation_score score = {0};
    int64_t all = 0, right = 0;
    int n_present = 0;
    for (int c = 0; c < n_classes; c++) {
        int64_t labelled = 0, predicted = 0, both = confusion[c * n_classes + c];
        for (int k = 0; k < n_classes; k++) {
            labelled += confusion[c * n_classes + k];
            predicted += confusion[k * n_classes + c];
        }
        all += labelled;
        right += both;
        if (labelled + predicted > 0) {
            score.macro_f1 += 2.0 * (double)both / (double)(labelled + predicted);
            n_present++;
        }
    }
    score.accuracy = all > 0 ? (double)right / (double)all : 0;
    score.macro_f1 = n_present > 0 ? score.macro_f1 / n_present : 0;
    return score;
}

tin_status tin_validation_run(tin_validation *v, tin_engine *engine, const float *params, tin_validation_score *score,
                              tin_error *err)
{
    size_t n_classes = (size_t)v->model->n_classes, next_piece = 0;
    if (!v->state) {
        v->state = tin_alloc(tin_engine_state_bytes(engine, v->n_lanes), 1, err);
        if (!v->state) {
            return TIN_ERR_MEMORY;
        }
    }
    memset(v->confusion, 0, n_classes * n_classes * sizeof *v->confusion);
    for (int l = 0; l < v->n_lanes; l++) {
        v->lanes[l].piece = v->n_pieces;
    }
    while (prepare(v, &next_piece)) {
        tin_engine_infer(engine, params, v->state, v->n_lanes, v->x, v->reset, v->scores);
        for (int l = 0; l < v->n_lanes; l++) {
            if (v->lanes[l].piece < v->n_pieces) {
                count_chunk(v, l);
            }
        }
    }
    *score = score_of(v->confusion, v->model->n_classes);
    return TIN_OK;
}
