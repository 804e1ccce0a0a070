#include "evaluate/positions.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/progress.h"

#define FARTHEST (1 << 17) /* score units: margins lie within +-2^16 */
#define MOST_DECISIONS 4e8 /* of all positions together; a larger evaluation has fewer positions */
#define LEAST_POSITIONS 32
#define AT_ONCE 16             /* positions that are added at a time, whatever the number of threads */
#define MOST_FALSE_PER_EVENT 1 /* the lowest position of interest has this many false positives per event */
#define END_HALVINGS 5         /* of the step to the lowest position */

tin_decision_rule tin_rule_with_offset(const tin_decision_rule *rule, int32_t offset)
{
    tin_decision_rule moved = *rule;
    for (int k = 0; k < TIN_MAX_CLASSES; k++) {
        moved.on[k] += offset; /* of a class that is no event it is not read */
    }
    return moved;
}

/* What one position comes to, for the choice of the others. */
typedef struct probe {
    int32_t offset;
    tin_event_counts counts[2]; /* validation, test */
    tin_status status;
    tin_error err;
} probe;

typedef struct chooser {
    const tin_positions_input *input;
    probe probes[TIN_MOST_POSITIONS + AT_ONCE]; /* [n] by offset; behind them those that are being made */
    size_t n;
} chooser;

static tin_status match_stream(const chooser *c, const tin_scored_set *set, const tin_scored_stream *s,
                               const tin_decision_rule *rule, tin_event_counts *counts, tin_error *err)
{
    const tin_scene scene = {s->events, s->n_events, s->labels, s->stream->n_frames};
    tin_detection detection = {0};
    tin_event_outcome *outcomes = tin_alloc(s->n_events, sizeof *outcomes, err);
    tin_status status = outcomes != NULL ? tin_detect(rule, c->input->dataset->classes, set->n_classes, set->timing,
                                                      s->scores, s->n_decisions, s->stream->n_frames, &detection, err)
                                         : TIN_ERR_MEMORY;
    if (status == TIN_OK) {
        tin_event_match(&scene, &detection, &c->input->margins, outcomes, NULL, counts);
    }
    tin_detection_free(&detection);
    tin_free(outcomes);
    return status;
}

static void probe_one(void *context, int index, int thread)
{
    (void)thread;
    chooser *c = context;
    probe *p = &c->probes[c->n + (size_t)index];
    const tin_decision_rule rule = tin_rule_with_offset(&c->input->rule, p->offset);
    for (size_t k = 0; k < 2; k++) {
        const tin_scored_set *set = k == 0 ? c->input->validation : c->input->test;
        for (size_t i = 0; i < set->n && p->status == TIN_OK; i++) {
            p->status = match_stream(c, set, &set->items[i], &rule, &p->counts[k], &p->err);
        }
    }
}

static void run_jobs(tin_pool *pool, int n, void (*job)(void *context, int index, int thread), void *context)
{
    if (pool != NULL) {
        tin_pool_run(pool, n, job, context);
    } else {
        for (int i = 0; i < n; i++) {
            job(context, i, 0);
        }
    }
}

static int by_offset(const void *left, const void *right)
{
    const probe *a = left, *b = right;
    return (a->offset > b->offset) - (a->offset < b->offset);
}

/* Makes probes of offsets [n] that are not there yet, and sorts them in. */
static tin_status add_probes(chooser *c, const int32_t *offsets, size_t n, tin_error *err)
{
    for (size_t i = 0; i < n; i++) {
        c->probes[c->n + i] = (probe){.offset = offsets[i]};
    }
    run_jobs(c->input->pool, (int)n, probe_one, c);
    for (size_t i = 0; i < n; i++) {
        const probe *p = &c->probes[c->n + i];
        if (p->status != TIN_OK) {
            return tin_fail(err, p->status, "%s", p->err.message);
        }
    }
    c->n += n;
    qsort(c->probes, c->n, sizeof *c->probes, by_offset);
    return TIN_OK;
}

static bool says_nothing(const probe *p)
{
    return p->counts[0].n_triggers == 0 && p->counts[1].n_triggers == 0;
}

static bool says_too_much(const probe *p)
{
    int64_t events = p->counts[0].n_events + p->counts[1].n_events;
    return p->counts[0].false_positives + p->counts[1].false_positives > MOST_FALSE_PER_EVENT * events;
}

static bool same_counts(const probe *a, const probe *b)
{
    return memcmp(a->counts, b->counts, sizeof a->counts) == 0;
}

/* The ends of the range: up to where nothing is said, down to where most of what is said is false, each in doubling steps. */
static tin_status probe_ends(chooser *c, tin_error *err)
{
    tin_status status = add_probes(c, (const int32_t[]){0}, 1, err);
    for (int32_t far = 64; status == TIN_OK && !says_nothing(&c->probes[c->n - 1]) && far <= FARTHEST; far *= 2) {
        status = add_probes(c, &far, 1, err);
    }
    for (int32_t far = 64; status == TIN_OK && !says_too_much(&c->probes[0]) && far <= FARTHEST; far *= 2) {
        status = add_probes(c, (const int32_t[]){-far}, 1, err);
    }
    for (int i = 0; i < END_HALVINGS && status == TIN_OK && c->n > 1 && says_too_much(&c->probes[0]); i++) {
        const int32_t middle = c->probes[0].offset + (c->probes[1].offset - c->probes[0].offset) / 2;
        status = add_probes(c, &middle, 1, err);
        if (says_too_much(&c->probes[1]) && c->probes[1].offset <= 0) {
            memmove(c->probes, c->probes + 1, --c->n * sizeof *c->probes);
        }
    }
    while (c->n > 1 && c->probes[1].offset <= 0 && same_counts(&c->probes[0], &c->probes[1])) {
        memmove(c->probes, c->probes + 1, --c->n * sizeof *c->probes);
    }
    return status;
}

static double part(int64_t change, int64_t whole)
{
    return (double)llabs(change) / (double)(whole > 0 ? whole : 1);
}

/* How much changes between two neighbours: shares of the events, and false positives against those that there are. */
static double change(const probe *a, const probe *b, int32_t range)
{
    double sum = 0;
    for (size_t k = 0; k < 2; k++) {
        const tin_event_counts *x = &a->counts[k], *y = &b->counts[k];
        int64_t more = x->false_positives > y->false_positives ? x->false_positives : y->false_positives;
        sum += part(x->true_positives - y->true_positives, x->n_events) +
               part(x->wrong_class - y->wrong_class, x->n_events) +
               part(x->false_positives - y->false_positives, more + x->n_events / 4);
    }
    /* where both ends are alike something may still happen between them */
    return sum + 0.5 * (double)(b->offset - a->offset) / (double)range;
}

/* The offsets in the middle of those up to AT_ONCE intervals where most changes; returns how many. */
static size_t next_offsets(const chooser *c, size_t most, int32_t offsets[AT_ONCE])
{
    double best[AT_ONCE];
    size_t n = 0;
    const int32_t range = c->probes[c->n - 1].offset - c->probes[0].offset;
    most = most < AT_ONCE ? most : AT_ONCE;
    for (size_t i = 0; i + 1 < c->n; i++) {
        const probe *a = &c->probes[i], *b = &c->probes[i + 1];
        if (b->offset - a->offset < 2) {
            continue;
        }
        double value = change(a, b, range);
        size_t place = n;
        while (place > 0 && best[place - 1] < value) {
            place--;
        }
        if (place == most) {
            continue;
        }
        n = n < most ? n + 1 : most;
        memmove(best + place + 1, best + place, (n - 1 - place) * sizeof *best);
        memmove(offsets + place + 1, offsets + place, (n - 1 - place) * sizeof *offsets);
        best[place] = value;
        offsets[place] = a->offset + (b->offset - a->offset) / 2;
    }
    return n;
}

static size_t most_positions(const tin_positions_input *input)
{
    double decisions = 1;
    for (size_t i = 0; i < input->validation->n; i++) {
        decisions += (double)input->validation->items[i].n_decisions;
    }
    for (size_t i = 0; i < input->test->n; i++) {
        decisions += (double)input->test->items[i].n_decisions;
    }
    double most = MOST_DECISIONS / decisions;
    return most > TIN_MOST_POSITIONS ? TIN_MOST_POSITIONS : most < LEAST_POSITIONS ? LEAST_POSITIONS : (size_t)most;
}

static tin_status choose(tin_positions *positions, const tin_positions_input *input, tin_error *err)
{
    chooser *c = tin_alloc(1, sizeof *c, err);
    if (c == NULL) {
        return TIN_ERR_MEMORY;
    }
    c->input = input;
    const size_t most = most_positions(input);
    tin_status status = probe_ends(c, err);
    size_t n = 1;
    while (status == TIN_OK && n > 0 && c->n < most) {
        int32_t offsets[AT_ONCE];
        n = next_offsets(c, most - c->n, offsets);
        status = add_probes(c, offsets, n, err);
    }
    positions->n = c->n;
    for (size_t p = 0; p < c->n; p++) {
        positions->offsets[p] = c->probes[p].offset;
        positions->chosen = c->probes[p].offset == 0 ? p : positions->chosen;
    }
    tin_free(c);
    return status;
}

/* What is said in one stream at one position, and what became of it. */
typedef struct heard {
    tin_detection detection;
    tin_event_outcome *outcomes; /* [n_events] */
    tin_trigger_kind *kinds;     /* [n_triggers] */
    tin_status status;
    tin_error err;
} heard;

/* One stream at all positions. */
typedef struct hearing {
    const tin_positions_input *input;
    const tin_positions *positions;
    const tin_scored_set *set;
    const tin_scored_stream *stream;
    int16_t *predictions;         /* [n_frames] they do not depend on the threshold */
    tin_detector_result *results; /* [n] that it is added to */
    heard at[TIN_MOST_POSITIONS];
} hearing;

static void hear_one(void *context, int index, int thread)
{
    (void)thread;
    hearing *h = context;
    heard *at = &h->at[index];
    const tin_scored_stream *s = h->stream;
    const tin_decision_rule rule = tin_rule_with_offset(&h->input->rule, h->positions->offsets[index]);
    const tin_detector detector = {.kind = TIN_DETECTOR_MODEL, .rule = &rule};
    at->outcomes = tin_alloc(s->n_events, sizeof *at->outcomes, &at->err);
    at->status = at->outcomes == NULL
                     ? TIN_ERR_MEMORY
                     : tin_detector_speak(&detector, h->input->dataset, h->set, s, NULL, &at->detection, &at->err);
    if (at->status == TIN_OK) {
        at->kinds = tin_alloc(at->detection.n_triggers, sizeof *at->kinds, &at->err);
        at->status = at->kinds == NULL ? TIN_ERR_MEMORY
                                       : tin_detector_result_add(&h->results[index], s, h->predictions, &at->detection,
                                                                 &h->input->margins, at->outcomes, at->kinds, &at->err);
    }
}

static void heard_clear(heard *at)
{
    tin_free(at->outcomes);
    tin_free(at->kinds);
    tin_detection_free(&at->detection);
    *at = (heard){0};
}

static bool same_run(const tin_position_run *x, const tin_position_run *y)
{
    return x->a == y->a && x->b == y->b && x->c == y->c;
}

static tin_status append(tin_position_runs *runs, tin_position_run run, tin_error *err)
{
    if (runs->n == runs->capacity) {
        size_t capacity = runs->capacity > 0 ? 2 * runs->capacity : 64;
        tin_position_run *items = runs->n > 0 ? tin_grow(runs->items, runs->n, capacity, sizeof *items, err)
                                              : tin_alloc(capacity, sizeof *items, err);
        if (items == NULL) {
            return TIN_ERR_MEMORY;
        }
        runs->items = items;
        runs->capacity = capacity;
    }
    runs->items[runs->n++] = run;
    return TIN_OK;
}

/* The lists of what was said at a position, in the order of tin_stream_runs. */
enum { LIST_TRIGGERS, LIST_SEGMENTS, LIST_EVENTS, N_LISTS };

static size_t list_size(const hearing *h, size_t p, int list)
{
    const tin_detection *d = &h->at[p].detection;
    return list == LIST_TRIGGERS ? d->n_triggers : list == LIST_SEGMENTS ? d->n_segments : h->stream->n_events;
}

static tin_position_run list_item(const hearing *h, size_t p, int list, size_t i)
{
    const heard *v = &h->at[p];
    const uint16_t at = (uint16_t)p;
    if (list == LIST_TRIGGERS) {
        const tin_trigger *t = &v->detection.triggers[i];
        return (tin_position_run){t->frame, t->class_index, (int32_t)v->kinds[i], at, at};
    }
    if (list == LIST_SEGMENTS) {
        const tin_interval *s = &v->detection.segments[i];
        return (tin_position_run){s->start, s->end, s->class_index, at, at};
    }
    const tin_event_outcome *o = &v->outcomes[i];
    const bool reported = o->class_index != TIN_DECISION_NONE;
    return (tin_position_run){(int64_t)i, reported ? h->stream->events[i].start + o->latency : -1, o->class_index, at,
                              at};
}

/* Brings one list up to position p. `open` are the runs that go on to p - 1, in the order of a, which no two of them share; so
 * are the items of p. What ends is appended to `runs`. */
static tin_status advance(tin_position_runs *runs, tin_position_runs *open, const hearing *h, size_t p, int list,
                          tin_error *err)
{
    tin_position_runs now = {0};
    tin_status status = TIN_OK;
    size_t j = 0;
    for (size_t i = 0; i < list_size(h, p, list) && status == TIN_OK; i++) {
        tin_position_run x = list_item(h, p, list, i);
        while (j < open->n && open->items[j].a < x.a && status == TIN_OK) {
            status = append(runs, open->items[j++], err);
        }
        if (j < open->n && same_run(&open->items[j], &x)) {
            x.from = open->items[j++].from;
        }
        status = status ? status : append(&now, x, err);
    }
    for (; j < open->n && status == TIN_OK; j++) {
        status = append(runs, open->items[j], err);
    }
    tin_free(open->items);
    *open = now;
    return status;
}

static tin_status encode_list(tin_position_runs *runs, const hearing *h, int list, tin_error *err)
{
    tin_position_runs open = {0};
    tin_status status = TIN_OK;
    for (size_t p = 0; p < h->positions->n && status == TIN_OK; p++) {
        status = advance(runs, &open, h, p, list, err);
    }
    for (size_t j = 0; j < open.n && status == TIN_OK; j++) {
        status = append(runs, open.items[j], err);
    }
    tin_free(open.items);
    return status;
}

static void stream_runs_free(tin_stream_runs *runs)
{
    tin_free(runs->triggers.items);
    tin_free(runs->segments.items);
    tin_free(runs->events.items);
    *runs = (tin_stream_runs){0};
}

/* Keeps what was said in the stream while there is room. */
static tin_status keep_stream(tin_positions *positions, const hearing *h, size_t *room, tin_error *err)
{
    tin_stream_runs *stream = &positions->streams[positions->n_streams];
    tin_position_runs *lists[N_LISTS] = {&stream->triggers, &stream->segments, &stream->events};
    tin_status status = TIN_OK;
    size_t n = 0;
    for (int list = 0; list < N_LISTS && status == TIN_OK; list++) {
        status = encode_list(lists[list], h, list, err);
        n += lists[list]->n;
    }
    if (status == TIN_OK && n <= *room) {
        positions->n_streams++;
        *room -= n;
    } else {
        stream_runs_free(stream);
        *room = 0;
    }
    return status;
}

/* Hears one stream at all positions; keeps what was said while *room is above 0. */
static tin_status hear_stream(tin_positions *positions, hearing *h, size_t *room, tin_error *err)
{
    const tin_scored_set *set = h->set;
    h->predictions = tin_alloc((size_t)h->stream->stream->n_frames, sizeof *h->predictions, err);
    if (h->predictions == NULL) {
        return TIN_ERR_MEMORY;
    }
    tin_frame_predictions(h->stream->scores, h->stream->n_decisions, set->n_classes, set->timing,
                          h->stream->stream->n_frames, h->predictions);
    run_jobs(h->input->pool, (int)positions->n, hear_one, h);
    tin_free(h->predictions);
    tin_status status = TIN_OK;
    for (size_t p = 0; p < positions->n && status == TIN_OK; p++) {
        status = h->at[p].status ? tin_fail(err, h->at[p].status, "%s", h->at[p].err.message) : TIN_OK;
    }
    if (status == TIN_OK && *room > 0) {
        status = keep_stream(positions, h, room, err);
    }
    for (size_t p = 0; p < positions->n; p++) {
        heard_clear(&h->at[p]);
    }
    tin_scored_stream_forget(set, h->stream);
    return status;
}

/* Hears all streams of a set at all positions. keep: streams whose runs are kept. */
static tin_status hear_set(tin_positions *positions, const tin_positions_input *input, const tin_scored_set *set,
                           tin_detector_result *results, size_t keep, tin_progress *progress, tin_error *err)
{
    size_t room = keep > 0 ? input->most_runs : 0;
    hearing *h = tin_alloc(1, sizeof *h, err);
    tin_status status = h != NULL ? TIN_OK : TIN_ERR_MEMORY;
    for (size_t p = 0; p < positions->n && status == TIN_OK; p++) {
        status = tin_detector_result_create(&results[p], input->dataset, set, err);
    }
    for (size_t i = 0; i < set->n && status == TIN_OK; i++) {
        *h =
            (hearing){.input = input, .positions = positions, .set = set, .stream = &set->items[i], .results = results};
        room = i < keep ? room : 0;
        status = tin_stop_requested() ? tin_fail(err, TIN_ERR_INTERRUPTED, "stopped by the user; run again to go on")
                                      : hear_stream(positions, h, &room, err);
        tin_progress_update(progress, progress->done + 1, NULL);
    }
    for (size_t p = 0; p < positions->n && status == TIN_OK; p++) {
        status = tin_detector_result_finish(&results[p], 0, 0, err);
    }
    tin_free(h);
    return status;
}

tin_status tin_positions_make(tin_positions *positions, const tin_positions_input *input, tin_error *err)
{
    const tin_scored_set *test = input->test, *validation = input->validation;
    size_t keep = input->most_streams < test->n ? input->most_streams : test->n;
    tin_progress progress;
    *positions = (tin_positions){0};
    positions->validation = tin_alloc(TIN_MOST_POSITIONS, sizeof *positions->validation, err);
    positions->test = tin_alloc(TIN_MOST_POSITIONS, sizeof *positions->test, err);
    positions->streams = tin_alloc(keep, sizeof *positions->streams, err);
    if (positions->validation == NULL || positions->test == NULL || positions->streams == NULL) {
        return TIN_ERR_MEMORY;
    }
    tin_progress_begin(&progress, "thresholds", (long)(test->n + validation->n), input->quiet);
    tin_status status = choose(positions, input, err);
    status = status ? status : hear_set(positions, input, validation, positions->validation, 0, &progress, err);
    status = status ? status : hear_set(positions, input, test, positions->test, keep, &progress, err);
    tin_progress_end(&progress, NULL);
    return status;
}

void tin_positions_free(tin_positions *positions)
{
    for (size_t p = 0; p < positions->n; p++) {
        if (positions->validation != NULL) {
            tin_detector_result_free(&positions->validation[p]);
        }
        if (positions->test != NULL) {
            tin_detector_result_free(&positions->test[p]);
        }
    }
    for (size_t i = 0; i < positions->n_streams; i++) {
        stream_runs_free(&positions->streams[i]);
    }
    tin_free(positions->validation);
    tin_free(positions->test);
    tin_free(positions->streams);
    *positions = (tin_positions){0};
}
