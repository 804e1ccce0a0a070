/* The same counts in two places, whatever the shift between them. Anchors are frames that a hash of their surroundings
 * picks, so that a copy has the same anchors; pairs of equal anchors vote for a pair of recordings and a shift, and the
 * counts themselves decide. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "inspect/check_parts.h"

#define WINDOW 16              /* frames that an anchor's hash covers */
#define MOST_ANCHORS (1 << 20) /* about so many; the share of frames that are one follows from it */
#define LEAST_SHARE 32         /* at most one of so many frames */
#define MOST_EQUAL 16 /* anchors of one hash; more are a pattern that repeats, as of a sensor that stands still */
#define LEAST_S 2.0   /* of equal counts */
#define BASE UINT64_C(0x9E3779B97F4A7C15)

typedef struct anchor {
    uint64_t hash;
    int64_t frame;
    uint32_t stream;
} anchor;

typedef struct pair {
    uint32_t a, b;
    int64_t shift, frame; /* frame of a is like frame + shift of b */
} pair;

typedef struct anchors {
    anchor *items;
    size_t n, capacity;
} anchors;

typedef struct copy_work {
    const tin_dataset *dataset;
    uint64_t mask;
    anchors *of_stream; /* [n_streams] */
} copy_work;

static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
    return x ^ (x >> 31);
}

static uint64_t frame_hash(const int16_t *counts, int n_channels)
{
    uint64_t h = 1;
    for (int c = 0; c < n_channels; c++) {
        h = mix(h + (uint16_t)counts[c]);
    }
    return h;
}

static tin_status keep(anchors *list, uint64_t hash, size_t stream, int64_t frame, tin_error *err)
{
    if (list->n == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 64;
        anchor *grown = list->items ? tin_grow(list->items, list->capacity, capacity, sizeof *grown, err)
                                    : tin_alloc(capacity, sizeof *grown, err);
        if (!grown) {
            return TIN_ERR_MEMORY;
        }
        list->items = grown;
        list->capacity = capacity;
    }
    list->items[list->n++] = (anchor){hash, frame, (uint32_t)stream};
    return TIN_OK;
}

/* Rolling hash over WINDOW frames; a window that only repeats one frame is none. */
static tin_status find_anchors(void *context, size_t index, tin_findings *findings, tin_error *err)
{
    (void)findings;
    copy_work *w = context;
    const tin_stream *s = &w->dataset->streams[index];
    uint64_t ring[WINDOW] = {0}, sum = 0, leaving = 1, last = 0;
    int64_t changed = 0;
    tin_status status = TIN_OK;
    for (int i = 0; i < WINDOW; i++) {
        leaving *= BASE;
    }
    for (int64_t t = 0; t < s->n_frames && !status; t++) {
        uint64_t h = frame_hash(s->counts + t * w->dataset->n_channels, w->dataset->n_channels);
        changed = h == last ? changed : t;
        last = h;
        sum = sum * BASE + h - ring[t % WINDOW] * leaving;
        ring[t % WINDOW] = h;
        if (t >= WINDOW - 1 && t - changed < WINDOW / 2 && (mix(sum) & w->mask) == 0) {
            status = keep(&w->of_stream[index], mix(sum), index, t - WINDOW + 1, err);
        }
    }
    return status;
}

static int by_hash(const void *left, const void *right)
{
    const anchor *a = left, *b = right;
    if (a->hash != b->hash) {
        return a->hash < b->hash ? -1 : 1;
    }
    return a->stream != b->stream ? (a->stream < b->stream ? -1 : 1) : (a->frame > b->frame) - (a->frame < b->frame);
}

static int by_pair(const void *left, const void *right)
{
    const pair *x = left, *y = right;
    if (x->a != y->a) {
        return x->a < y->a ? -1 : 1;
    }
    if (x->b != y->b) {
        return x->b < y->b ? -1 : 1;
    }
    if (x->shift != y->shift) {
        return x->shift < y->shift ? -1 : 1;
    }
    return (x->frame > y->frame) - (x->frame < y->frame);
}

/* All pairs of equal anchors; *pairs NULL: only counts them. */
static size_t make_pairs(const anchors *all, pair *pairs)
{
    size_t n = 0;
    for (size_t i = 0, end; i < all->n; i = end) {
        for (end = i + 1; end < all->n && all->items[end].hash == all->items[i].hash; end++) {
        }
        for (size_t x = i; end - i <= MOST_EQUAL && x < end; x++) {
            for (size_t y = x + 1; y < end; y++, n++) {
                const anchor *a = &all->items[x], *b = &all->items[y];
                if (pairs) {
                    pairs[n] = (pair){a->stream, b->stream, b->frame - a->frame, a->frame};
                }
            }
        }
    }
    return n;
}

static bool same_frame(const tin_dataset *d, const pair *p, int64_t frame)
{
    return memcmp(d->streams[p->a].counts + frame * d->n_channels,
                  d->streams[p->b].counts + (frame + p->shift) * d->n_channels,
                  (size_t)d->n_channels * sizeof(int16_t)) == 0;
}

/* The stretch [*start, *end) of stream a around the anchor that is equal to b's. */
static void expand(const tin_dataset *d, const pair *p, int64_t *start, int64_t *end)
{
    const int64_t n_a = d->streams[p->a].n_frames, n_b = d->streams[p->b].n_frames;
    *start = *end = p->frame;
    while (*start > 0 && *start + p->shift > 0 && same_frame(d, p, *start - 1)) {
        --*start;
    }
    while (*end < n_a && *end + p->shift < n_b && same_frame(d, p, *end)) {
        ++*end;
    }
}

static tin_status add_copy(tin_checking *c, const pair *p, int64_t start, int64_t end, int64_t frames, tin_error *err)
{
    const tin_dataset *d = c->dataset;
    const tin_stream *a = &d->streams[p->a], *b = &d->streams[p->b];
    bool apart = a->role != b->role;
    int64_t whole = a->n_frames < b->n_frames ? a->n_frames : b->n_frames;
    tin_finding f = tin_finding_of(TIN_CHECK_DUPLICATE, apart || frames == whole ? TIN_FAULT : TIN_WARNING);
    f.stream = p->a;
    f.other = p->b;
    f.start = start;
    f.end = end;
    f.other_start = start + p->shift;
    f.value = tin_seconds(d, frames);
    f.limit = LEAST_S;
    f.rank = f.value + (apart ? 1e9 : 0);
    return tin_findings_add(c->findings, f, err, "%.1f s of %s are in %s too%s%s", f.value, a->id,
                            p->a == p->b ? "another place of it" : b->id,
                            frames == whole && p->a != p->b ? ": a whole recording" : "",
                            apart ? ", on the other side of the split" : "");
}

/* Pairs [0, n) of one pair of streams, sorted by shift and frame: what they have in common, over all shifts. */
static tin_status judge_pairs(tin_checking *c, const pair *pairs, size_t n, tin_error *err)
{
    const tin_dataset *d = c->dataset;
    int64_t frames = 0, longest = 0, at = 0, covered = 0;
    const pair *best = NULL;
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && pairs[i].shift == pairs[i - 1].shift && pairs[i].frame < covered) {
            continue;
        }
        int64_t start, end;
        expand(d, &pairs[i], &start, &end);
        covered = end;
        if (tin_seconds(d, end - start) < LEAST_S) {
            continue;
        }
        frames += end - start;
        if (end - start > longest) {
            longest = end - start;
            at = start;
            best = &pairs[i];
        }
    }
    return best ? add_copy(c, best, at, at + longest, frames, err) : TIN_OK;
}

static tin_status judge(tin_checking *c, const anchors *all, tin_error *err)
{
    size_t n = make_pairs(all, NULL);
    pair *pairs = tin_alloc(n, sizeof *pairs, err);
    if (!pairs) {
        return TIN_ERR_MEMORY;
    }
    make_pairs(all, pairs);
    if (n > 0) {
        qsort(pairs, n, sizeof *pairs, by_pair);
    }
    tin_status status = TIN_OK;
    for (size_t i = 0, end; i < n && !status; i = end) {
        for (end = i + 1; end < n && pairs[end].a == pairs[i].a && pairs[end].b == pairs[i].b; end++) {
        }
        status = judge_pairs(c, pairs + i, end - i, err);
    }
    tin_free(pairs);
    return status;
}

tin_status tin_check_copies(tin_checking *c, tin_error *err)
{
    const tin_dataset *d = c->dataset;
    copy_work w = {.dataset = d, .mask = LEAST_SHARE - 1};
    anchors all = {0};
    int64_t frames = 0;
    for (size_t i = 0; i < d->n_streams; i++) {
        frames += d->streams[i].n_frames;
    }
    while (frames / (int64_t)(w.mask + 1) > MOST_ANCHORS) {
        w.mask = 2 * w.mask + 1;
    }
    w.of_stream = tin_alloc(d->n_streams, sizeof *w.of_stream, err);
    if (!w.of_stream) {
        return TIN_ERR_MEMORY;
    }
    tin_status status = tin_check_parallel(c, "check copies", d->n_streams, find_anchors, &w, err);
    for (size_t i = 0; i < d->n_streams; i++) {
        all.n += w.of_stream[i].n;
    }
    all.items = status ? NULL : tin_alloc(all.n, sizeof *all.items, err);
    if (!status && !all.items) {
        status = TIN_ERR_MEMORY;
    }
    all.n = 0;
    for (size_t i = 0; i < d->n_streams; i++) {
        if (!status && w.of_stream[i].n > 0) {
            memcpy(all.items + all.n, w.of_stream[i].items, w.of_stream[i].n * sizeof *all.items);
            all.n += w.of_stream[i].n;
        }
        tin_free(w.of_stream[i].items);
    }
    if (!status && all.n > 0) {
        qsort(all.items, all.n, sizeof *all.items, by_hash);
    }
    status = status ? status : judge(c, &all, err);
    tin_free(all.items);
    tin_free(w.of_stream);
    return status;
}
