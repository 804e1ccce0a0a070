#include "train/splice.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

#define TRIES 4 /* draws of an event that fits the place */

struct tin_splicer {
    const tin_dataset *dataset;
    const tin_labels *labels;
    double probability;
    int64_t fade;
    tin_stretches events;                    /* class after class */
    size_t first_event[TIN_MAX_CLASSES + 1]; /* of the classes that have some */
    uint32_t n_classes;
    tin_stretches places; /* stream after stream, in order of time */
    size_t *first_place;  /* [n_streams + 1] by stream of the dataset */
};

/* The events, class after class, so that each class is drawn equally often. */
static tin_status find_events(tin_splicer *s, const bool *wanted, const tin_stretch_query *recordings, tin_error *err)
{
    for (int c = 0; c < s->dataset->n_classes; c++) {
        bool one[TIN_MAX_CLASSES] = {false};
        one[c] = wanted[c];
        tin_stretch_query q = *recordings;
        q.classes = one;
        q.least = 1;
        tin_status status = tin_stretches_find(&s->events, &q, err);
        if (status) {
            return status;
        }
        if (s->events.n > s->first_event[s->n_classes]) {
            s->first_event[++s->n_classes] = s->events.n;
        }
    }
    return s->events.n > 0
               ? TIN_OK
               : tin_fail(err, TIN_ERR_DATA,
                          "train.augment.splice: the training recordings have no event of its classes; name "
                          "others in events, or set its probability to 0");
}

static tin_status find_places(tin_splicer *s, const bool *wanted, int64_t every, const tin_stretch_query *recordings,
                              tin_error *err)
{
    tin_stretch_query q = *recordings;
    q.classes = wanted;
    q.least = 2 * s->fade + 1;
    q.most = every > q.least ? every : q.least;
    tin_status status = tin_stretches_find(&s->places, &q, err);
    if (status == TIN_OK && s->places.n == 0) {
        status =
            tin_fail(err, TIN_ERR_DATA,
                     "train.augment.splice: no stretch of its classes lasts %lld frames, two fades; name others in "
                     "into, or make fade_ms shorter",
                     (long long)q.least);
    }
    if (status) {
        return status;
    }
    s->first_place = tin_alloc(s->dataset->n_streams + 1, sizeof *s->first_place, err);
    if (!s->first_place) {
        return TIN_ERR_MEMORY;
    }
    for (size_t i = 0; i < s->places.n; i++) {
        s->first_place[s->places.items[i].stream + 1] = i + 1;
    }
    for (size_t i = 0; i < s->dataset->n_streams; i++) {
        if (s->first_place[i + 1] == 0) {
            s->first_place[i + 1] = s->first_place[i];
        }
    }
    return TIN_OK;
}

tin_status tin_splicer_create(tin_splicer **splicer, const tin_config_splice *settings, const tin_dataset *dataset,
                              const tin_stretch_query *recordings, tin_error *err)
{
    bool events[TIN_MAX_CLASSES], into[TIN_MAX_CLASSES];
    *splicer = NULL;
    tin_splicer *s = tin_alloc(1, sizeof *s, err);
    if (!s) {
        return TIN_ERR_MEMORY;
    }
    s->dataset = dataset;
    s->labels = recordings->labels;
    s->probability = settings->probability;
    s->fade = (int64_t)rint(settings->fade_ms * 1e-3 * dataset->rate_hz);
    tin_status status = tin_stretch_classes(dataset, settings->events, settings->events_count, true,
                                            "train.augment.splice.events", events, err);
    if (status == TIN_OK) {
        status = tin_stretch_classes(dataset, settings->into, settings->into_count, false, "train.augment.splice.into",
                                     into, err);
    }
    status = status ? status : find_events(s, events, recordings, err);
    status = status
                 ? status
                 : find_places(s, into, (int64_t)rint(settings->every_ms * 1e-3 * dataset->rate_hz), recordings, err);
    if (status) {
        tin_splicer_free(s);
        return status;
    }
    *splicer = s;
    return TIN_OK;
}

void tin_splicer_free(tin_splicer *s)
{
    if (s) {
        tin_free(s->events.items);
        tin_free(s->places.items);
        tin_free(s->first_place);
        tin_free(s);
    }
}

/* Each interval of a training recording is an event or a stretch, with as many places in it as are long enough. Arrays
 * that double. */
size_t tin_splicer_bytes(const tin_config_splice *settings, const tin_dataset *dataset)
{
    double least = fmax(fmax(settings->every_ms, 2 * settings->fade_ms) * 1e-3 * dataset->rate_hz, 1);
    size_t n = 64;
    for (size_t i = 0; i < dataset->n_streams; i++) {
        const tin_stream *stream = &dataset->streams[i];
        n += stream->role == TIN_ROLE_TRAIN ? 2 * stream->n_intervals + 1 + (size_t)((double)stream->n_frames / least)
                                            : 0;
    }
    return sizeof(tin_splicer) + 2 * n * sizeof(tin_stretch) + (dataset->n_streams + 1) * sizeof(size_t);
}

void tin_spliced_begin(tin_spliced *spliced, const tin_splicer *splicer, size_t stream, uint64_t seed)
{
    *spliced = (tin_spliced){.splicer = splicer, .stream = stream, .seed = seed, .place = SIZE_MAX};
}

/* Index of the place that holds the frame or is the first one behind it; the stream's end when there is none. */
static size_t place_at(const tin_spliced *sp, int64_t frame)
{
    const tin_splicer *s = sp->splicer;
    size_t low = s->first_place[sp->stream], high = s->first_place[sp->stream + 1];
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (s->places.items[middle].end <= frame) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Looks at a place: what this sequence has there. Nothing: from = to. */
static void look(tin_spliced *sp, size_t place)
{
    const tin_splicer *s = sp->splicer;
    if (place == sp->place) {
        return;
    }
    const tin_stretch *room = &s->places.items[place];
    tin_rng rng;
    tin_rng_derive(&rng, sp->seed, place);
    sp->place = place;
    sp->from = sp->to = room->start;
    if (tin_rng_uniform(&rng) >= s->probability) {
        return;
    }
    for (int i = 0; i < TRIES; i++) {
        uint32_t class = tin_rng_below(&rng, s->n_classes);
        size_t first = s->first_event[class], n = s->first_event[class + 1] - first;
        const tin_stretch *event = &s->events.items[first + tin_rng_below(&rng, (uint32_t)n)];
        int64_t length = event->end - event->start + 2 * s->fade, slack = room->end - room->start - length;
        if (slack >= 0) {
            sp->from = room->start + (int64_t)(tin_rng_uniform(&rng) * (double)(slack + 1));
            sp->to = sp->from + length;
            sp->offset = event->start - s->fade - sp->from;
            sp->shown = event->stream;
            sp->shown_run = tin_labels_find(&s->labels[sp->shown], event->start);
            return;
        }
    }
}

/* Share of the event's recording in a frame of the place: rises from 0 to 1 over the frames of the fade. */
static double share_at(const tin_spliced *sp, int64_t frame)
{
    double fade = (double)sp->splicer->fade + 1;
    int64_t edge = frame - sp->from < sp->to - 1 - frame ? frame - sp->from : sp->to - 1 - frame;
    return fmin(1, (double)(edge + 1) / fade);
}

/* Frame of the event's recording; before its start and behind its end its first and last one. */
static int64_t shown_frame(const tin_spliced *sp, int64_t frame)
{
    int64_t at = frame + sp->offset, n = sp->splicer->dataset->streams[sp->shown].n_frames;
    return at < 0 ? 0 : at < n ? at : n - 1;
}

static void mix(const tin_spliced *sp, int64_t frame, int16_t *counts)
{
    const tin_dataset *d = sp->splicer->dataset;
    const int16_t *other = d->streams[sp->shown].counts + shown_frame(sp, frame) * d->n_channels;
    float share = (float)share_at(sp, frame);
    for (int c = 0; c < d->n_channels; c++) {
        counts[c] = (int16_t)lrintf((float)counts[c] + share * (float)(other[c] - counts[c]));
    }
}

/* What a place has of the frames first .. last - 1; counts: of frame `first`. */
static void lay_over(const tin_spliced *sp, int64_t first, int64_t last, int16_t *counts)
{
    const tin_dataset *d = sp->splicer->dataset;
    const int64_t n_channels = d->n_channels, inner = sp->from + sp->splicer->fade, after = sp->to - sp->splicer->fade;
    for (int64_t t = first; t < last;) {
        if (t < inner || t >= after) {
            mix(sp, t, counts + (t - first) * n_channels);
            t++;
            continue;
        }
        int64_t end = after < last ? after : last;
        memcpy(counts + (t - first) * n_channels, d->streams[sp->shown].counts + (t + sp->offset) * n_channels,
               (size_t)((end - t) * n_channels) * sizeof *counts);
        t = end;
    }
}

void tin_spliced_counts(tin_spliced *sp, int64_t from, int64_t to, int16_t *counts)
{
    const tin_splicer *s = sp->splicer;
    const int n_channels = s->dataset->n_channels;
    memcpy(counts, s->dataset->streams[sp->stream].counts + from * n_channels,
           (size_t)((to - from) * n_channels) * sizeof *counts);
    for (size_t i = place_at(sp, from); i < s->first_place[sp->stream + 1] && s->places.items[i].start < to; i++) {
        look(sp, i);
        int64_t first = sp->from > from ? sp->from : from, last = sp->to < to ? sp->to : to;
        lay_over(sp, first, last, counts + (first - from) * n_channels);
    }
}

/* Looks at the place that holds the frame or is the next one; false when there is none. */
static bool look_from(tin_spliced *sp, int64_t frame)
{
    const tin_splicer *s = sp->splicer;
    const tin_stretch *place = sp->place < s->places.n ? &s->places.items[sp->place] : NULL;
    if (!place || frame < place->start || frame >= place->end) {
        size_t i = place_at(sp, frame);
        if (i >= s->first_place[sp->stream + 1]) {
            return false;
        }
        look(sp, i);
    }
    return true;
}

tin_spliced_piece tin_spliced_at(tin_spliced *sp, int64_t frame)
{
    const tin_splicer *s = sp->splicer;
    const tin_labels *own = &s->labels[sp->stream];
    if (!look_from(sp, frame)) {
        return (tin_spliced_piece){own, 0, own->n_frames, &sp->run};
    }
    if (frame < sp->from) {
        return (tin_spliced_piece){own, 0, sp->from, &sp->run};
    }
    if (frame >= sp->to) {
        return (tin_spliced_piece){own, 0, s->places.items[sp->place].end, &sp->run};
    }
    if (frame >= sp->from + s->fade && frame < sp->to - s->fade) {
        return (tin_spliced_piece){&s->labels[sp->shown], sp->offset, sp->to - s->fade, &sp->shown_run};
    }
    return (tin_spliced_piece){NULL, 0, frame + 1, NULL};
}

double tin_spliced_label(tin_spliced *sp, int64_t frame, double weight, float *target)
{
    const tin_labels *own = &sp->splicer->labels[sp->stream];
    if (frame < 0 || frame >= own->n_frames) {
        return 0;
    }
    tin_spliced_piece piece = tin_spliced_at(sp, frame);
    if (piece.labels) {
        return tin_labels_add(piece.labels, piece.run, frame + piece.offset, weight, target);
    }
    const tin_labels *shown = &sp->splicer->labels[sp->shown];
    int64_t at = shown_frame(sp, frame);
    sp->run = tin_labels_step(own, sp->run, frame);
    sp->shown_run = tin_labels_step(shown, sp->shown_run, at);
    return own->runs[sp->run].label == shown->runs[sp->shown_run].label
               ? tin_labels_add(own, &sp->run, frame, weight, target)
               : 0;
}
