#include "deploy/golden.h"

#include <stdio.h>
#include <string.h>

#define COLUMNS 120
#define FIRST_BYTES 512 /* for decisions in full */
#define FIRST_MOST 16

/* ---- which piece ---- */

static const int16_t *counts_at(const tin_expectation *x, const tin_stream *s, int64_t frame)
{
    return s->counts + frame * x->model->n_channels;
}

static tin_piece piece_around(const tin_stream *s, int64_t frame, int64_t n)
{
    n = n < s->n_frames ? n : s->n_frames;
    int64_t first = frame - n * 3 / 4;
    first = first > s->n_frames - n ? s->n_frames - n : first;
    return (tin_piece){s, first > 0 ? first : 0, n};
}

static bool is_event(const tin_dataset *d, const tin_interval *i)
{
    return i->class_index >= 0 && i->class_index < d->n_classes && d->classes[i->class_index].event;
}

/* Whether class k is labelled at `frame`, or ended less than a second before. */
static bool labelled(const tin_dataset *d, const tin_stream *s, int64_t frame, int k)
{
    const int64_t late = (int64_t)d->rate_hz;
    for (size_t i = 0; i < s->n_intervals; i++) {
        if (s->intervals[i].class_index == k && s->intervals[i].start <= frame && frame < s->intervals[i].end + late) {
            return true;
        }
    }
    return false;
}

static bool triggers(tin_expectation *x, const tin_piece *p)
{
    tin_expectation_reset(x);
    for (int64_t t = 0; t < p->n; t++) {
        if (tin_expectation_step(x, counts_at(x, p->stream, p->first + t)) == 1 &&
            x->values[x->model->n_classes + 2] >= 0) {
            return true;
        }
    }
    return false;
}

/* The first detection of `s` that is right and comes about within a piece of n frames too. */
static bool find_detection(tin_expectation *x, tin_expectation *alone, const tin_dataset *d, const tin_stream *s,
                           int64_t n, tin_piece *piece)
{
    tin_expectation_reset(x);
    for (int64_t t = 0; t < s->n_frames; t++) {
        const int due = tin_expectation_step(x, counts_at(x, s, t)), trigger = x->values[x->model->n_classes + 2];
        if (due == 1 && trigger >= 0 && labelled(d, s, t - x->model->delay - x->latency, trigger)) {
            *piece = piece_around(s, t, n);
            if (triggers(alone, piece)) {
                return true;
            }
        }
    }
    return false;
}

static const tin_interval *first_event(const tin_dataset *d, const tin_stream *s)
{
    for (size_t k = 0; k < s->n_intervals; k++) {
        if (is_event(d, &s->intervals[k])) {
            return &s->intervals[k];
        }
    }
    return NULL;
}

tin_piece tin_piece_of(const tin_dataset *d, const tin_stream *s, int64_t n)
{
    const tin_interval *event = first_event(d, s);
    return piece_around(s, event != NULL ? event->start : 0, n);
}

tin_status tin_piece_choose(tin_expectation *x, const tin_dataset *d, int64_t n, tin_piece *piece, tin_error *err)
{
    const tin_stream *any = NULL; /* the first one, or the first one with an event */
    tin_expectation alone = {0};
    bool found = false;
    tin_status status = tin_expectation_begin(&alone, x->model, x->rule, err);
    alone.latency = x->latency;
    for (size_t i = 0; i < d->n_streams && status == TIN_OK && !found; i++) {
        const tin_stream *s = &d->streams[i];
        if (s->role == TIN_ROLE_TEST && s->n_frames > 0) {
            any = any == NULL || (first_event(d, any) == NULL && first_event(d, s) != NULL) ? s : any;
            found = find_detection(x, &alone, d, s, n, piece);
        }
    }
    tin_expectation_end(&alone);
    if (status == TIN_OK && any == NULL) {
        status = tin_fail(err, TIN_ERR_DATA,
                          "there is no frame of a test stream; give data.test at least one subject with recordings");
    }
    if (status == TIN_OK && !found) {
        *piece = tin_piece_of(d, any, n);
    }
    return status;
}

/* ---- the vectors ---- */

typedef struct list {
    tin_text *text;
    size_t column;
} list;

static void item(list *l, const char *before, long number, const char *behind)
{
    char word[48];
    const size_t length = (size_t)snprintf(word, sizeof word, "%s%ld%s", before, number, behind);
    const bool fits = l->column > 0 && l->column + 1 + length <= COLUMNS;
    tin_text_add(l->text, fits ? " " : l->column > 0 ? "\n    " : "    "); /* at 0 the line is new */
    tin_text_add(l->text, word);
    l->column = (fits ? l->column + 1 : 4) + length;
}

/* On a line of its own when it does not fit behind the last one. */
static void row(list *l, const int16_t *values, int n)
{
    if (l->column > 0 && l->column + 3 + 8 * (size_t)n > COLUMNS) {
        tin_text_add(l->text, "\n");
        l->column = 0;
    }
    for (int i = 0; i < n; i++) {
        item(l, i == 0 ? "{" : "", values[i], i == n - 1 ? "}," : ",");
    }
}

/* As in packages/selftest.c.in. */
static uint32_t add(uint32_t sum, int16_t value)
{
    const uint32_t bits = (uint16_t)value;
    sum = (sum ^ (bits & 255)) * 16777619;
    return (sum ^ (bits >> 8)) * 16777619;
}

static void make_frame(uint32_t *random, int64_t frame, int n_channels, int16_t *counts)
{
    const int shift = 16 + (int)(frame / 64 % 8);
    for (int c = 0; c < n_channels; c++) {
        *random = *random * 1664525 + 1013904223;
        counts[c] = (int16_t)((int32_t)*random >> shift);
    }
}

/* Results over n frames, of the piece or, without one, made up: the sums, and the first decisions where `first` is
 * given. */
static void run(tin_expectation *x, const tin_piece *piece, int64_t n, int64_t stretch, tin_text *sums, list *first,
                int *n_first)
{
    list l = {sums, 0};
    uint32_t sum = 2166136261, random = 1;
    int16_t made[TIN_MAX_CHANNELS], values[TIN_MAX_CLASSES + 4];
    const int fields = 1 + tin_expectation_fields(x);
    tin_expectation_reset(x);
    for (int64_t t = 0; t < n; t++) {
        if (piece == NULL) {
            make_frame(&random, t, x->model->n_channels, made);
        }
        if (tin_expectation_step(x, piece ? counts_at(x, piece->stream, piece->first + t) : made) == 1) {
            values[0] = (int16_t)t;
            memcpy(values + 1, x->values, (size_t)(fields - 1) * sizeof *values);
            for (int i = 0; i < fields; i++) {
                sum = add(sum, values[i]);
            }
            if (first != NULL &&
                (*n_first == 0 || (*n_first < FIRST_MOST && (*n_first + 1) * fields * 2 <= FIRST_BYTES))) {
                row(first, values, fields);
                (*n_first)++;
            }
        }
        if ((t + 1) % stretch == 0 || t + 1 == n) {
            item(&l, "UINT32_C(", (long)sum, "),");
        }
    }
}

tin_status tin_golden_make(tin_golden *golden, tin_expectation *x, const tin_piece *piece, tin_error *err)
{
    list recorded = {&golden->recorded, 0}, first = {&golden->first, 0};
    const int n_channels = x->model->n_channels;
    golden->piece = *piece;
    for (int64_t t = 0; t < piece->n; t++) {
        row(&recorded, counts_at(x, piece->stream, piece->first + t), n_channels);
    }
    run(x, piece, piece->n, TIN_GOLDEN_RECORDED_STRETCH, &golden->recorded_sums, &first, &golden->n_first);
    run(x, NULL, TIN_GOLDEN_MADE, TIN_GOLDEN_MADE_STRETCH, &golden->made_sums, NULL, NULL);
    if (golden->n_first == 0) {
        return tin_fail(err, TIN_ERR_DATA,
                        "recording %s has no decision in %lld frames; the self-test needs one every %d frames: give "
                        "--frames more, or data.test a longer recording",
                        piece->stream->id, (long long)piece->n, x->model->hop);
    }
    const tin_text *const texts[] = {&golden->recorded, &golden->first, &golden->recorded_sums, &golden->made_sums};
    tin_status status = TIN_OK;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0] && status == TIN_OK; i++) {
        status = tin_text_check(texts[i], err);
    }
    return status;
}

void tin_golden_free(tin_golden *golden)
{
    tin_text_free(&golden->recorded);
    tin_text_free(&golden->first);
    tin_text_free(&golden->recorded_sums);
    tin_text_free(&golden->made_sums);
}
