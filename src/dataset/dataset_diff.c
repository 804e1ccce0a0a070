#include "dataset/dataset_diff.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "dataset/dataset_format.h"

#define VALUE_BYTES (TIN_DATASET_TEXT_BYTES + 100)

typedef struct comparison {
    const tin_dataset *before, *after;
    tin_dataset_diff *diff;
    tin_error *err;
} comparison;

static tin_status copy_text(char **to, const char *from, tin_error *err)
{
    *to = from == NULL ? NULL : tin_strdup(from, err);
    return from != NULL && *to == NULL ? TIN_ERR_MEMORY : TIN_OK;
}

static tin_status add_change(const comparison *c, tin_dataset_change change)
{
    tin_dataset_diff *d = c->diff;
    if (d->n == d->capacity) {
        size_t capacity = d->capacity == 0 ? 16 : 2 * d->capacity;
        tin_dataset_change *grown = tin_grow(d->changes, d->n, capacity, sizeof *grown, c->err);
        if (grown == NULL)
            return TIN_ERR_MEMORY;
        d->changes = grown;
        d->capacity = capacity;
    }
    tin_dataset_change *to = &d->changes[d->n++];
    *to = change;
    to->stream = to->before = to->after = NULL;
    tin_status status = copy_text(&to->stream, change.stream, c->err);
    if (status == TIN_OK)
        status = copy_text(&to->before, change.before, c->err);
    if (status == TIN_OK)
        status = copy_text(&to->after, change.after, c->err);
    return status;
}

/* Adds a change of a text unless both sides are equal. `stream` NULL: of the dataset. */
static tin_status compare_text(const comparison *c, const char *stream, const char *what, const char *before,
                               const char *after)
{
    if (before != NULL && after != NULL && strcmp(before, after) == 0)
        return TIN_OK;
    return add_change(c, (tin_dataset_change){.stream = (char *)(uintptr_t)stream,
                                              .what = what,
                                              .before = (char *)(uintptr_t)before,
                                              .after = (char *)(uintptr_t)after});
}

static const char *class_name(const tin_dataset *d, int32_t class_index)
{
    return class_index == TIN_LABEL_IGNORE ? "ignore" : d->classes[class_index].name;
}

static const char *channel_text(const tin_dataset *d, const char *name, char text[VALUE_BYTES * 2])
{
    for (int i = 0; i < d->n_channels; i++)
        if (strcmp(d->channels[i].name, name) == 0) {
            (void)snprintf(text, VALUE_BYTES * 2, "%d: %s [%s] x %.9g", i + 1, name, d->channels[i].unit,
                           d->channels[i].scale);
            return text;
        }
    return NULL;
}

static const char *class_text(const tin_dataset *d, const char *name, char text[VALUE_BYTES * 2])
{
    for (int i = 0; i < d->n_classes; i++)
        if (strcmp(d->classes[i].name, name) == 0) {
            (void)snprintf(text, VALUE_BYTES * 2, "%d: %s%s", i + 1, name, d->classes[i].event ? " (event)" : "");
            return text;
        }
    return NULL;
}

typedef const char *describe(const tin_dataset *d, const char *name, char text[VALUE_BYTES * 2]);

/* A channel or class of `own`: those of `before` are compared, those of `after` count only when they are new. */
static tin_status compare_named(const comparison *c, const char *what, const char *name, bool of_after, describe *text)
{
    char before[VALUE_BYTES * 2], after[VALUE_BYTES * 2];
    const char *b = text(c->before, name, before), *a = text(c->after, name, after);
    return of_after && b != NULL ? TIN_OK : compare_text(c, NULL, what, b, a);
}

static tin_status compare_heads(const comparison *c)
{
    const tin_dataset *sides[2] = {c->before, c->after};
    char before[40], after[40];
    tin_status status = compare_text(c, NULL, "name", c->before->name, c->after->name);
    (void)snprintf(before, sizeof before, "%.12g", c->before->rate_hz);
    (void)snprintf(after, sizeof after, "%.12g", c->after->rate_hz);
    if (status == TIN_OK)
        status = compare_text(c, NULL, "rate_hz", before, after);
    for (int side = 0; side < 2; side++)
        for (int i = 0; i < sides[side]->n_channels && status == TIN_OK; i++)
            status = compare_named(c, "channel", sides[side]->channels[i].name, side == 1, channel_text);
    for (int side = 0; side < 2; side++)
        for (int i = 0; i < sides[side]->n_classes && status == TIN_OK; i++)
            status = compare_named(c, "class", sides[side]->classes[i].name, side == 1, class_text);
    if (status == TIN_OK)
        status = compare_text(c, NULL, "unlabelled", class_name(c->before, c->before->unlabelled),
                              class_name(c->after, c->after->unlabelled));
    return status;
}

/* Label at `frame`, which never decreases from call to call; *at is the interval where the search goes on. *end is moved
 * down to where the label ends. */
static const char *label_at(const tin_dataset *d, const tin_stream *s, int64_t frame, size_t *at, int64_t *end)
{
    while (*at < s->n_intervals && s->intervals[*at].end <= frame)
        ++*at;
    const tin_interval *v = *at < s->n_intervals ? &s->intervals[*at] : NULL;
    bool inside = v != NULL && v->start <= frame;
    int64_t until = inside ? v->end : v != NULL ? v->start : s->n_frames;
    *end = until < *end ? until : *end;
    return class_name(d, inside ? v->class_index : d->unlabelled);
}

/* Frames, of those that both have, whose labels differ. */
static int64_t frames_relabelled(const comparison *c, const tin_stream *b, const tin_stream *a)
{
    const int64_t n = b->n_frames < a->n_frames ? b->n_frames : a->n_frames;
    size_t at_before = 0, at_after = 0;
    int64_t differing = 0;
    for (int64_t frame = 0, end; frame < n; frame = end) {
        end = n;
        const char *before = label_at(c->before, b, frame, &at_before, &end);
        const char *after = label_at(c->after, a, frame, &at_after, &end);
        differing += strcmp(before, after) != 0 ? end - frame : 0;
    }
    return differing;
}

static const char *interval_text(const tin_dataset *d, const tin_interval *v, char text[VALUE_BYTES])
{
    if (v == NULL)
        return NULL;
    (void)snprintf(text, VALUE_BYTES, "%s %.3f..%.3f", class_name(d, v->class_index), (double)v->start / d->rate_hz,
                   (double)v->end / d->rate_hz);
    return text;
}

static tin_status add_label_change(const comparison *c, const char *id, const tin_interval *b, const tin_interval *a)
{
    char before[VALUE_BYTES], after[VALUE_BYTES];
    double starts[2] = {b ? (double)b->start / c->before->rate_hz : (double)INFINITY,
                        a ? (double)a->start / c->after->rate_hz : (double)INFINITY};
    double ends[2] = {b ? (double)b->end / c->before->rate_hz : 0, a ? (double)a->end / c->after->rate_hz : 0};
    c->diff->labels_changed++;
    return add_change(c, (tin_dataset_change){.stream = (char *)(uintptr_t)id,
                                              .what = "label",
                                              .before = (char *)(uintptr_t)interval_text(c->before, b, before),
                                              .after = (char *)(uintptr_t)interval_text(c->after, a, after),
                                              .start_s = fmin(starts[0], starts[1]),
                                              .end_s = fmax(ends[0], ends[1])});
}

/* Walks through both lists by time. Two labels that overlap are one that changed, one alone was removed or added. */
static tin_status compare_labels(const comparison *c, const tin_stream *b, const tin_stream *a)
{
    const double before_hz = c->before->rate_hz, after_hz = c->after->rate_hz;
    tin_status status = TIN_OK;
    for (size_t i = 0, k = 0; status == TIN_OK && (i < b->n_intervals || k < a->n_intervals);) {
        const tin_interval *x = i < b->n_intervals ? &b->intervals[i] : NULL;
        const tin_interval *y = k < a->n_intervals ? &a->intervals[k] : NULL;
        bool x_first = y == NULL || (x != NULL && (double)x->end / before_hz <= (double)y->start / after_hz);
        bool y_first = x == NULL || (y != NULL && (double)y->end / after_hz <= (double)x->start / before_hz);
        bool equal = !x_first && !y_first && (double)x->start / before_hz == (double)y->start / after_hz &&
                     (double)x->end / before_hz == (double)y->end / after_hz &&
                     strcmp(class_name(c->before, x->class_index), class_name(c->after, y->class_index)) == 0;
        if (!equal)
            status = add_label_change(c, b->id, y_first ? NULL : x, x_first ? NULL : y);
        i += !y_first;
        k += !x_first;
    }
    return status;
}

static tin_status compare_number(const comparison *c, const char *stream, const char *what, int64_t before,
                                 int64_t after)
{
    char b[24], a[24];
    (void)snprintf(b, sizeof b, "%lld", (long long)before);
    (void)snprintf(a, sizeof a, "%lld", (long long)after);
    return compare_text(c, stream, what, b, a);
}

static tin_status compare_counts(const comparison *c, const tin_stream *b, const tin_stream *a)
{
    if (b->n_frames != a->n_frames || c->before->n_channels != c->after->n_channels)
        return compare_number(c, b->id, "frames", b->n_frames, a->n_frames);
    const size_t n = (size_t)b->n_frames * (size_t)c->before->n_channels;
    size_t differing = 0;
    if (strcmp(b->counts_hash, a->counts_hash) == 0)
        return TIN_OK;
    for (size_t i = 0; i < n; i++)
        differing += b->counts[i] != a->counts[i];
    if (differing == 0)
        return TIN_OK;
    tin_dataset_forget(c->before);
    tin_dataset_forget(c->after);
    char before[40], after[40];
    (void)snprintf(before, sizeof before, "%zu values", n);
    (void)snprintf(after, sizeof after, "%zu of them differ", differing);
    return compare_text(c, b->id, "counts", before, after);
}

static tin_status compare_streams(const comparison *c, const tin_stream *b, const tin_stream *a)
{
    const size_t changes = c->diff->n;
    tin_status status = compare_text(c, b->id, "role", tin_dataset_role_name(b->role), tin_dataset_role_name(a->role));
    if (status == TIN_OK)
        status = compare_text(c, b->id, "subject", b->subject, a->subject);
    if (status == TIN_OK)
        status = compare_text(c, b->id, "session", b->session, a->session);
    if (status == TIN_OK)
        status = compare_text(c, b->id, "origin", b->origin, a->origin);
    if (status == TIN_OK)
        status = compare_counts(c, b, a);
    if (status == TIN_OK)
        status = compare_number(c, b->id, "clipped", b->n_clipped, a->n_clipped);
    if (status == TIN_OK)
        status = compare_labels(c, b, a);
    if (c->before->rate_hz == c->after->rate_hz)
        c->diff->label_seconds += (double)frames_relabelled(c, b, a) / c->after->rate_hz;
    c->diff->streams_equal += c->diff->n == changes;
    c->diff->streams_changed += c->diff->n != changes;
    return status;
}

static int by_id(const void *a, const void *b)
{
    return strcmp((*(const tin_stream *const *)a)->id, (*(const tin_stream *const *)b)->id);
}

/* The streams in order of their ids; the caller frees. NULL: no memory. */
static const tin_stream **sort_streams(const tin_dataset *d, tin_error *err)
{
    const tin_stream **sorted = tin_alloc(d->n_streams, sizeof *sorted, err);
    for (size_t i = 0; sorted != NULL && i < d->n_streams; i++)
        sorted[i] = &d->streams[i];
    if (sorted != NULL)
        qsort(sorted, d->n_streams, sizeof *sorted, by_id);
    return sorted;
}

static const tin_stream *find_stream(const tin_stream *const *sorted, size_t n, const tin_stream *like)
{
    const tin_stream *const *found = bsearch(&like, sorted, n, sizeof *sorted, by_id);
    return found == NULL ? NULL : *found;
}

static tin_status add_whole_stream(const comparison *c, const tin_dataset *d, const tin_stream *s, bool added)
{
    char text[VALUE_BYTES];
    (void)snprintf(text, sizeof text, "%.3f s of %s, %s", (double)s->n_frames / d->rate_hz, s->subject,
                   tin_dataset_role_name(s->role));
    c->diff->streams_added += added;
    c->diff->streams_removed += !added;
    return compare_text(c, s->id, "stream", added ? NULL : text, added ? text : NULL);
}

static tin_status compare_all(const comparison *c, const tin_stream *const *before, const tin_stream *const *after)
{
    tin_status status = compare_heads(c);
    for (size_t i = 0; i < c->before->n_streams && status == TIN_OK; i++) {
        const tin_stream *b = &c->before->streams[i], *a = find_stream(after, c->after->n_streams, b);
        status = a != NULL ? compare_streams(c, b, a) : add_whole_stream(c, c->before, b, false);
    }
    const tin_stream *last = NULL;
    bool ordered = true;
    for (size_t i = 0; i < c->after->n_streams && status == TIN_OK; i++) {
        const tin_stream *a = &c->after->streams[i], *b = find_stream(before, c->before->n_streams, a);
        ordered = ordered && (b == NULL || last == NULL || last < b);
        last = b != NULL ? b : last;
        if (b == NULL)
            status = add_whole_stream(c, c->after, a, true);
    }
    return status == TIN_OK && !ordered ? compare_text(c, NULL, "order of streams", "as it was", "another") : status;
}

tin_status tin_dataset_compare(tin_dataset_diff *diff, const tin_dataset *before, const tin_dataset *after,
                               tin_error *err)
{
    *diff = (tin_dataset_diff){0};
    const comparison c = {before, after, diff, err};
    const tin_stream **b = sort_streams(before, err), **a = sort_streams(after, err);
    tin_status status = b == NULL || a == NULL ? TIN_ERR_MEMORY : compare_all(&c, b, a);
    tin_free(b);
    tin_free(a);
    if (status != TIN_OK)
        tin_dataset_diff_free(diff);
    return status;
}

void tin_dataset_diff_free(tin_dataset_diff *diff)
{
    for (size_t i = 0; i < diff->n; i++) {
        tin_free(diff->changes[i].stream);
        tin_free(diff->changes[i].before);
        tin_free(diff->changes[i].after);
    }
    tin_free(diff->changes);
    *diff = (tin_dataset_diff){0};
}
