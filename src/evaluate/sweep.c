#include "evaluate/sweep.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define NO_EVENT (-1)

struct tin_smoothed {
    const tin_sweep_input *input;
    int n_events;                     /* event classes, E */
    int16_t classes[TIN_MAX_CLASSES]; /* class of event class e */
    size_t n;                         /* decisions of all streams; each stream starts at a multiple of 64 */
    size_t *start;                    /* [n_streams + 1] first slot of a stream */
    int32_t *margin;                  /* [n][E] s_k */
    int16_t *best;                    /* [n] e of the greatest margin; NO_EVENT in the slots between two streams */
    uint64_t *by_best, *by_margin;    /* sorted, falling: key(s_best, slot), key(s_k, slot * E + e) */
    size_t n_by_best, n_by_margin;
};

tin_decision_rule tin_rule_of(const tin_rule_family *family, int32_t on)
{
    tin_decision_rule rule = tin_decision_plain(on);
    rule.smooth_shift = family->smooth_shift;
    rule.hysteresis = family->hysteresis;
    rule.needed = rule.of = family->count;
    rule.refractory = family->refractory;
    return rule;
}

/* Value and place in one sortable word. */
static uint64_t key_of(int32_t value, size_t place)
{
    return (uint64_t)((uint32_t)value ^ 0x80000000u) << 32 | (uint32_t)place;
}

static int32_t key_value(uint64_t key)
{
    return (int32_t)((uint32_t)(key >> 32) ^ 0x80000000u);
}

static int compare_falling(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a > b ? -1 : a < b;
}

/* decision.h, the part that does not depend on the threshold. */
static void smooth_stream(tin_smoothed *m, size_t stream, int shift)
{
    const tin_sweep_input *input = m->input;
    int32_t sum[TIN_MAX_CLASSES] = {0};
    for (int64_t j = 0; j < input->streams[stream].n_decisions; j++) {
        const int16_t *z = input->streams[stream].scores + j * input->n_classes;
        int32_t rejection = 0;
        bool found = false;
        for (int k = 0; k < input->n_classes; k++) {
            if (!input->classes[k].event && (!found || z[k] > rejection)) {
                rejection = z[k];
                found = true;
            }
        }
        size_t slot = m->start[stream] + (size_t)j;
        int32_t *margin = m->margin + slot * (size_t)m->n_events;
        int best = 0;
        for (int e = 0; e < m->n_events; e++) {
            sum[e] += z[m->classes[e]] - rejection - (sum[e] >> shift);
            margin[e] = sum[e] >> shift;
            best = margin[e] > margin[best] ? e : best;
            m->by_margin[m->n_by_margin++] = key_of(margin[e], slot * (size_t)m->n_events + (size_t)e);
        }
        m->best[slot] = (int16_t)best;
        m->by_best[m->n_by_best++] = key_of(margin[best], slot);
    }
}

tin_status tin_smoothed_create(tin_smoothed **smoothed, const tin_sweep_input *input, int smooth_shift, tin_error *err)
{
    *smoothed = NULL;
    tin_status status = TIN_ERR_MEMORY;
    tin_smoothed *m = tin_alloc(1, sizeof *m, err);
    if (m == NULL) {
        return status;
    }
    m->input = input;
    for (int k = 0; k < input->n_classes; k++) {
        if (input->classes[k].event) {
            m->classes[m->n_events++] = (int16_t)k;
        }
    }
    m->start = tin_alloc(input->n_streams + 1, sizeof *m->start, err);
    if (m->start == NULL) {
        goto cleanup;
    }
    for (size_t i = 0; i < input->n_streams; i++) {
        m->start[i + 1] = m->start[i] + ((size_t)input->streams[i].n_decisions + 63) / 64 * 64;
    }
    m->n = m->start[input->n_streams];
    size_t n_margins = m->n * (size_t)m->n_events;
    if (n_margins > UINT32_MAX) {
        status = tin_fail(err, TIN_ERR_DATA,
                          "the validation streams hold %zu decisions of %d event classes, more than the threshold "
                          "sweep can number; move people from validation to training",
                          m->n, m->n_events);
        goto cleanup;
    }
    m->margin = tin_alloc(n_margins, sizeof *m->margin, err);
    m->best = tin_alloc(m->n, sizeof *m->best, err);
    m->by_best = tin_alloc(m->n, sizeof *m->by_best, err);
    m->by_margin = tin_alloc(n_margins, sizeof *m->by_margin, err);
    if (m->margin == NULL || m->best == NULL || m->by_best == NULL || m->by_margin == NULL) {
        goto cleanup;
    }
    for (size_t i = 0; i < m->n; i++) {
        m->best[i] = NO_EVENT;
    }
    for (size_t i = 0; i < input->n_streams; i++) {
        smooth_stream(m, i, smooth_shift);
    }
    qsort(m->by_best, m->n_by_best, sizeof *m->by_best, compare_falling);
    qsort(m->by_margin, m->n_by_margin, sizeof *m->by_margin, compare_falling);
    *smoothed = m;
    m = NULL;
    status = TIN_OK;
cleanup:
    tin_smoothed_free(m);
    return status;
}

void tin_smoothed_free(tin_smoothed *smoothed)
{
    if (smoothed == NULL) {
        return;
    }
    tin_free(smoothed->start);
    tin_free(smoothed->margin);
    tin_free(smoothed->best);
    tin_free(smoothed->by_best);
    tin_free(smoothed->by_margin);
    tin_free(smoothed);
}

const tin_sweep_input *tin_smoothed_input(const tin_smoothed *smoothed)
{
    return smoothed->input;
}

tin_status tin_sweep_thresholds(const tin_smoothed *smoothed, int32_t **thresholds, size_t *n, tin_error *err)
{
    *n = 0;
    *thresholds = tin_alloc(smoothed->n_by_best + 1, sizeof **thresholds, err);
    if (*thresholds == NULL) {
        return TIN_ERR_MEMORY;
    }
    for (size_t i = 0; i < smoothed->n_by_best; i++) {
        int32_t value = key_value(smoothed->by_best[i]);
        if (*n == 0) {
            (*thresholds)[(*n)++] = value + 1;
        }
        if (value != (*thresholds)[*n - 1]) {
            (*thresholds)[(*n)++] = value;
        }
    }
    return TIN_OK;
}

/* State of the decision layer after one decision; classes as e. */
typedef struct layer {
    int16_t active, candidate;
    int32_t run, wait;
} layer;

typedef struct sweep {
    const tin_smoothed *m;
    tin_rule_family family;
    int32_t on, off;
    layer *trace;        /* [n] state after each decision, at the present threshold */
    uint64_t *changes;   /* [n / 64] bit: `active` changes in this decision */
    uint8_t *dirty;      /* [n_streams] changes moved since `of_stream` was computed */
    int64_t *n_triggers; /* [n_streams] */
    int64_t all_triggers;
    tin_sweep_point *of_stream; /* [n_streams] */
    tin_sweep_point total;
    bool overlap;
    /* work space for the largest stream */
    tin_trigger *triggers;
    tin_interval *segments;
    tin_event_outcome *outcomes;
    tin_overlap_pair *pairs;
    uint8_t *used;
} sweep;

static const layer START = {NO_EVENT, NO_EVENT, 0, 0};

/* Steps 1 to 4 of decision.h. */
static layer step(const sweep *w, size_t slot, layer state)
{
    const int32_t *margin = w->m->margin + slot * (size_t)w->m->n_events;
    int16_t best = w->m->best[slot];
    bool held = state.wait > 0;
    if (held) {
        state.wait--;
    }
    if (state.active != NO_EVENT && margin[state.active] < w->off) {
        state.active = NO_EVENT;
    }
    if (margin[best] >= w->on) {
        int32_t longer = state.run < w->family.count ? state.run + 1 : state.run;
        state.run = best == state.candidate ? longer : 1;
        state.candidate = best;
    } else {
        state.run = 0;
        state.candidate = NO_EVENT;
    }
    if (state.run >= w->family.count && best != state.active && !held) {
        state.active = best;
        state.wait = w->family.refractory;
    }
    return state;
}

static bool same(layer a, layer b)
{
    return a.active == b.active && a.candidate == b.candidate && a.run == b.run && a.wait == b.wait;
}

static size_t stream_of(const tin_smoothed *m, size_t slot)
{
    size_t low = 0, high = m->input->n_streams;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (m->start[middle] <= slot) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Writes the change bit of `slot` and keeps the number of triggers: `active` becomes a class in step 4 only, which is a
 * trigger, so a change to a class is one. */
static void mark(sweep *w, size_t stream, size_t slot, layer before, layer old_before, layer now, layer old_now)
{
    bool was = old_now.active != NO_EVENT && old_now.active != old_before.active;
    bool is = now.active != NO_EVENT && now.active != before.active;
    w->n_triggers[stream] += is - was;
    w->all_triggers += is - was;
    uint64_t bit = (uint64_t)1 << (slot & 63);
    if (now.active != before.active) {
        w->changes[slot >> 6] |= bit;
    } else {
        w->changes[slot >> 6] &= ~bit;
    }
    if (now.active != old_now.active) {
        w->dirty[stream] = 1;
    }
}

/* Makes the trace right again from `slot` on, until it is what it was. The order in which slots are repaired does not
 * matter: a slot's state depends on its own thresholds and the state before it, and each change is carried on to the
 * next slot. */
static void repair(sweep *w, size_t slot)
{
    size_t stream = stream_of(w->m, slot);
    size_t first = w->m->start[stream], end = first + (size_t)w->m->input->streams[stream].n_decisions;
    layer before = slot > first ? w->trace[slot - 1] : START, old_before = before;
    for (; slot < end; slot++) {
        layer old_now = w->trace[slot], now = step(w, slot, before);
        mark(w, stream, slot, before, old_before, now, old_now);
        w->trace[slot] = now;
        if (same(now, old_now)) {
            break;
        }
        before = now;
        old_before = old_now;
    }
}

/* From the present thresholds to lower ones. *i, *k: next keys in by_best and by_margin. */
static void lower(sweep *w, int32_t on, size_t *i, size_t *k)
{
    const tin_smoothed *m = w->m;
    w->on = on;
    w->off = on - w->family.hysteresis;
    for (; *i < m->n_by_best && key_value(m->by_best[*i]) >= w->on; ++*i) {
        repair(w, (size_t)(uint32_t)m->by_best[*i]);
    }
    for (; *k < m->n_by_margin && key_value(m->by_margin[*k]) >= w->off; ++*k) {
        size_t place = (size_t)(uint32_t)m->by_margin[*k];
        size_t slot = place / (size_t)m->n_events;
        int16_t e = (int16_t)(place % (size_t)m->n_events);
        /* `off` matters only to the class that was active */
        if (slot > 0 && w->trace[slot - 1].active == e) {
            repair(w, slot);
        }
    }
}

/* Triggers and segments from the change bits of one stream. */
static tin_detection detection_of(sweep *w, size_t stream)
{
    const tin_smoothed *m = w->m;
    const tin_sweep_stream *s = &m->input->streams[stream];
    const tin_timing timing = m->input->timing;
    int64_t hop = timing.hop;
    tin_detection d = {w->triggers, w->segments, 0, 0};
    bool open = false;
    for (size_t word = m->start[stream] / 64; word < m->start[stream + 1] / 64; word++) {
        for (uint64_t bits = w->changes[word]; bits != 0; bits &= bits - 1) {
            size_t slot = word * 64 + (size_t)__builtin_ctzll(bits);
            int64_t frame = hop * ((int64_t)(slot - m->start[stream]) + 1) - 1 + timing.latency;
            if (frame >= s->scene.n_frames) {
                continue; /* the end of the stream cuts it off */
            }
            if (open) {
                d.segments[d.n_segments - 1].end = frame;
            }
            open = w->trace[slot].active != NO_EVENT;
            if (open) {
                int32_t class_index = m->classes[w->trace[slot].active];
                d.triggers[d.n_triggers++] = (tin_trigger){frame, class_index};
                d.segments[d.n_segments++] = (tin_interval){frame, s->scene.n_frames, class_index};
            }
        }
    }
    if (open) {
        int64_t held = hop * (s->n_decisions + 1) - 1 + timing.latency;
        d.segments[d.n_segments - 1].end = held < s->scene.n_frames ? held : s->scene.n_frames;
    }
    d.n_segments = tin_segments_delay(d.segments, d.n_segments, timing.delay + timing.latency, s->scene.n_frames);
    return d;
}

static void count_stream(sweep *w, size_t stream)
{
    const tin_scene *scene = &w->m->input->streams[stream].scene;
    tin_detection d = detection_of(w, stream);
    tin_sweep_point now = {0};
    tin_event_match(scene, &d, &w->m->input->margins, w->outcomes, NULL, &now.counts);
    for (size_t i = 0; i < scene->n_events; i++) {
        if (w->outcomes[i].class_index == scene->events[i].class_index) {
            now.latency_sum += w->outcomes[i].latency;
        }
    }
    now.counts.n_segments = (int64_t)d.n_segments;
    if (w->overlap) {
        now.counts.overlap50 =
            tin_overlap_count(scene->events, scene->n_events, d.segments, d.n_segments, 50, w->pairs, w->used);
    }
    tin_event_counts_add(&w->total.counts, &w->of_stream[stream].counts, -1);
    tin_event_counts_add(&w->total.counts, &now.counts, 1);
    w->total.latency_sum += now.latency_sum - w->of_stream[stream].latency_sum;
    w->of_stream[stream] = now;
    w->dirty[stream] = 0;
}

static void sweep_clear(sweep *w)
{
    tin_free(w->trace);
    tin_free(w->changes);
    tin_free(w->dirty);
    tin_free(w->n_triggers);
    tin_free(w->of_stream);
    tin_free(w->triggers);
    tin_free(w->segments);
    tin_free(w->outcomes);
    tin_free(w->pairs);
    tin_free(w->used);
}

static tin_status sweep_prepare(sweep *w, tin_error *err)
{
    const tin_sweep_input *input = w->m->input;
    size_t most_decisions = 0, most_events = 0;
    for (size_t i = 0; i < input->n_streams; i++) {
        size_t n = (size_t)input->streams[i].n_decisions, events = input->streams[i].scene.n_events;
        most_decisions = n > most_decisions ? n : most_decisions;
        most_events = events > most_events ? events : most_events;
    }
    size_t most = most_decisions + most_events;
    w->trace = tin_alloc(w->m->n, sizeof *w->trace, err);
    w->changes = tin_alloc(w->m->n / 64, sizeof *w->changes, err);
    w->dirty = tin_alloc(input->n_streams, 1, err);
    w->n_triggers = tin_alloc(input->n_streams, sizeof *w->n_triggers, err);
    w->of_stream = tin_alloc(input->n_streams, sizeof *w->of_stream, err);
    w->triggers = tin_alloc(most_decisions, sizeof *w->triggers, err);
    w->segments = tin_alloc(most_decisions, sizeof *w->segments, err);
    w->outcomes = tin_alloc(most_events, sizeof *w->outcomes, err);
    w->pairs = tin_alloc(most, sizeof *w->pairs, err);
    w->used = tin_alloc(most, 1, err);
    if (w->trace == NULL || w->changes == NULL || w->dirty == NULL || w->n_triggers == NULL || w->of_stream == NULL ||
        w->triggers == NULL || w->segments == NULL || w->outcomes == NULL || w->pairs == NULL || w->used == NULL) {
        return TIN_ERR_MEMORY;
    }
    for (size_t i = 0; i < w->m->n; i++) {
        w->trace[i] = START; /* the trace of a threshold above every score */
    }
    for (size_t i = 0; i < input->n_streams; i++) {
        w->dirty[i] = 1;
        tin_event_count_frames(&input->streams[i].scene, &input->margins, &w->total.counts);
    }
    return TIN_OK;
}

tin_status tin_sweep_run(const tin_smoothed *smoothed, const tin_rule_family *family, const int32_t *thresholds,
                         size_t n, bool overlap, tin_sweep_visit visit, void *context, tin_error *err)
{
    sweep w = {.m = smoothed, .family = *family, .overlap = overlap};
    tin_status status = sweep_prepare(&w, err);
    int64_t limit = INT64_MAX;
    size_t i = 0, k = 0;
    for (size_t t = 0; status == TIN_OK && t < n; t++) {
        lower(&w, thresholds[t], &i, &k);
        if (w.all_triggers > limit) {
            continue;
        }
        for (size_t stream = 0; stream < smoothed->input->n_streams; stream++) {
            if (w.dirty[stream]) {
                count_stream(&w, stream);
            }
        }
        w.total.on = thresholds[t];
        limit = visit(context, &w.total);
    }
    sweep_clear(&w);
    return status;
}
