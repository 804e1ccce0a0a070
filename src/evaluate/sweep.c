#include "evaluate/sweep.h"

#include <string.h>

#include "base/memory.h"

#define NO_EVENT (-1)

struct tin_smoothed {
    const tin_sweep_input *input;
    int n_events;                     /* event classes, E */
    int16_t classes[TIN_MAX_CLASSES]; /* class of event class e */
    size_t n;                         /* decisions of all streams; each stream starts at a multiple of 64 */
    size_t *start;                    /* [n_streams + 1] first slot of a stream */
    int32_t *margin;                  /* [n][E] s_k less the offset of k */
    int16_t *best;                    /* [n] e of the greatest margin; NO_EVENT in the slots between two streams */
    uint64_t *by_best, *by_margin;    /* sorted, falling: key(s_best, slot), key(s_k, slot * E + e) */
    size_t n_by_best, n_by_margin;
};

tin_sweep_counts tin_sweep_counts_of(const tin_event_counts *counts)
{
    return (tin_sweep_counts){
#define X(count) .count = counts->count,
        TIN_SWEEP_COUNT_LIST(X)
#undef X
    };
}

tin_event_counts tin_sweep_counts_all(const tin_sweep_counts *counts)
{
    return (tin_event_counts){
#define X(count) .count = counts->count,
        TIN_SWEEP_COUNT_LIST(X)
#undef X
    };
}

tin_decision_rule tin_sweep_rule(const tin_sweep_family *family, const tin_class *classes, int n_classes, int32_t t)
{
    tin_decision_rule rule = family->rule;
    for (int k = 0; k < n_classes; k++) {
        if (!classes[k].event) {
            rule.on[k] = 0;
        } else if (family->swept == TIN_SWEEP_ALL) {
            rule.on[k] += t;
        } else if (family->swept == k) {
            rule.on[k] = t;
        }
    }
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

#define DIGIT_BITS 11
#define N_DIGITS (1 << DIGIT_BITS)

/* Sorts by value, falling; keys of one value keep their order. scratch [n]. Three passes over digits of 11 bits: qsort took
 * longer than the sweep. */
static void sort_falling(uint64_t *keys, size_t n, uint64_t *scratch)
{
    for (int shift = 32; shift < 64; shift += DIGIT_BITS) {
        size_t start[N_DIGITS] = {0}, sum = 0;
        for (size_t i = 0; i < n; i++) {
            start[~(keys[i] >> shift) & (N_DIGITS - 1)]++;
        }
        for (size_t d = 0; d < N_DIGITS; d++) {
            size_t count = start[d];
            start[d] = sum;
            sum += count;
        }
        for (size_t i = 0; i < n; i++) {
            scratch[start[~(keys[i] >> shift) & (N_DIGITS - 1)]++] = keys[i];
        }
        memcpy(keys, scratch, n * sizeof *keys);
    }
}

/* decision.h, the part that does not depend on the threshold. */
static void smooth_stream(tin_smoothed *m, size_t stream, int shift, const int32_t *offsets)
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
            margin[e] = (sum[e] >> shift) - (offsets != NULL ? offsets[m->classes[e]] : 0);
            best = margin[e] > margin[best] ? e : best;
            m->by_margin[m->n_by_margin++] = key_of(margin[e], slot * (size_t)m->n_events + (size_t)e);
        }
        m->best[slot] = (int16_t)best;
        m->by_best[m->n_by_best++] = key_of(margin[best], slot);
    }
}

tin_status tin_smoothed_create(tin_smoothed **smoothed, const tin_sweep_input *input, int smooth_shift,
                               const int32_t *offsets, tin_error *err)
{
    *smoothed = NULL;
    tin_status status = TIN_ERR_MEMORY;
    uint64_t *scratch = NULL;
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
    scratch = tin_alloc(n_margins, sizeof *scratch, err);
    if (scratch == NULL || m->margin == NULL || m->best == NULL || m->by_best == NULL || m->by_margin == NULL) {
        goto cleanup;
    }
    for (size_t i = 0; i < m->n; i++) {
        m->best[i] = NO_EVENT;
    }
    for (size_t i = 0; i < input->n_streams; i++) {
        smooth_stream(m, i, smooth_shift, offsets);
    }
    sort_falling(m->by_best, m->n_by_best, scratch);
    sort_falling(m->by_margin, m->n_by_margin, scratch);
    *smoothed = m;
    m = NULL;
    status = TIN_OK;
cleanup:
    tin_free(scratch);
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

tin_status tin_sweep_thresholds(const tin_smoothed *smoothed, int swept, int32_t **thresholds, size_t *n,
                                tin_error *err)
{
    bool all = swept == TIN_SWEEP_ALL;
    const uint64_t *keys = all ? smoothed->by_best : smoothed->by_margin;
    size_t n_keys = all ? smoothed->n_by_best : smoothed->n_by_margin, n_classes = (size_t)smoothed->n_events;
    *n = 0;
    *thresholds = tin_alloc(smoothed->n_by_best + 1, sizeof **thresholds, err);
    if (*thresholds == NULL) {
        return TIN_ERR_MEMORY;
    }
    for (size_t i = 0; i < n_keys; i++) {
        int32_t value = key_value(keys[i]);
        if (!all && smoothed->classes[(uint32_t)keys[i] % n_classes] != swept) {
            continue;
        }
        if (*n == 0) {
            (*thresholds)[(*n)++] = value + 1;
        }
        if (value != (*thresholds)[*n - 1]) {
            (*thresholds)[(*n)++] = value;
        }
    }
    return TIN_OK;
}

/* State of the decision layer after one decision; classes as e. The candidates stand in an array of their own. */
typedef struct layer {
    int16_t active;
    int32_t wait;
} layer;

/* Which class a decision speaks for: `top` at thresholds up to `critical`, else `rest`. */
typedef struct choice {
    int32_t critical;
    int16_t top, rest;
} choice;

typedef struct sweep {
    const tin_smoothed *m;
    const tin_decision_rule *rule;
    int kept_for, longest; /* decision.h: min_length - 1, W */
    int swept;             /* e, or TIN_SWEEP_ALL */
    int32_t t;
    int32_t on[TIN_MAX_CLASSES]; /* [E] what margins are compared with, at the present threshold */
    const uint64_t *by_choice;   /* sorted, falling: key(critical, slot) */
    const uint64_t
        *by_active; /* key(v, slot * E + e): at v - shift and below, a decision at which e is active goes another way */
    size_t n_by_choice, n_by_active;
    int32_t shift;
    choice *choices;     /* [n], one class swept; NULL: by m->best */
    uint64_t *own_keys;  /* of by_choice and by_active, one class swept */
    int16_t *candidate;  /* [n] class whose threshold is met, at the present threshold */
    layer *trace;        /* [n] state after each decision, at the present threshold */
    uint64_t *changes;   /* [n / 64] bit: `active` changes in this decision */
    uint8_t *dirty;      /* [n_streams] changes moved since `of_stream` was computed */
    int64_t *n_triggers; /* [n_streams] */
    int64_t all_triggers;
    tin_sweep_counts *of_stream; /* [n_streams] */
    tin_sweep_point *of_person;  /* [n_people] */
    tin_sweep_point total;
    bool overlap;
    /* work space for the largest stream */
    tin_trigger *triggers;
    tin_interval *segments;
    tin_event_outcome *outcomes;
    tin_overlap_pair *pairs;
    uint8_t *used;
} sweep;

static const layer START = {NO_EVENT, 0};

/* At least `needed` of the last `of` decisions spoke for the candidate of this one. */
static bool enough(const sweep *w, size_t slot, size_t first)
{
    int found = 1, needed = w->rule->needed;
    size_t oldest = slot - first >= (size_t)w->rule->of ? slot - (size_t)w->rule->of + 1 : first;
    for (size_t i = slot; found < needed && i-- > oldest;) {
        found += w->candidate[i] == w->candidate[slot];
    }
    return found >= needed;
}

/* Steps 1 to 3 of decision.h. first: slot of the stream's first decision. */
static layer step(const sweep *w, size_t slot, size_t first, layer state)
{
    const int32_t *margin = w->m->margin + slot * (size_t)w->m->n_events;
    const int16_t candidate = w->candidate[slot];
    const bool held = state.wait > 0, kept = state.wait > w->longest - w->kept_for;
    if (held) {
        state.wait--;
    }
    if (state.active != NO_EVENT && !kept && margin[state.active] < w->on[state.active] - w->rule->hysteresis) {
        state.active = NO_EVENT;
    }
    if (candidate != NO_EVENT && candidate != state.active && !held && enough(w, slot, first) &&
        (state.active == NO_EVENT ||
         margin[candidate] - w->on[candidate] - (margin[state.active] - w->on[state.active]) >= w->rule->lead)) {
        state.active = candidate;
        state.wait = w->longest;
    }
    return state;
}

static bool same(layer a, layer b)
{
    return a.active == b.active && a.wait == b.wait;
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

/* Makes the trace right again from `slot` on, until it is what it was and the candidate of `slot` no longer counts. The
 * order in which slots are repaired does not matter: a slot's state depends on its own threshold and candidates and the
 * state before it, and each change is carried on to the next slot. */
static void repair(sweep *w, size_t slot, int reach)
{
    size_t stream = stream_of(w->m, slot), last = slot + (size_t)reach - 1;
    size_t first = w->m->start[stream], end = first + (size_t)w->m->input->streams[stream].n_decisions;
    layer before = slot > first ? w->trace[slot - 1] : START, old_before = before;
    for (; slot < end; slot++) {
        layer old_now = w->trace[slot], now = step(w, slot, first, before);
        mark(w, stream, slot, before, old_before, now, old_now);
        w->trace[slot] = now;
        if (slot >= last && same(now, old_now)) {
            break;
        }
        before = now;
        old_before = old_now;
    }
}

static int16_t candidate_at(const sweep *w, size_t slot)
{
    if (w->choices != NULL) {
        const choice *c = &w->choices[slot];
        return w->t <= c->critical ? c->top : c->rest;
    }
    int16_t best = w->m->best[slot];
    return w->m->margin[slot * (size_t)w->m->n_events + (size_t)best] >= w->t ? best : NO_EVENT;
}

static void set_threshold(sweep *w, int32_t t)
{
    w->t = t;
    for (int e = 0; e < w->m->n_events; e++) {
        if (w->swept == TIN_SWEEP_ALL || w->swept == e) {
            w->on[e] = t;
        }
    }
}

/* From the present threshold to a lower one. *i, *k: next keys in by_choice and by_active. */
static void lower(sweep *w, int32_t t, size_t *i, size_t *k)
{
    const tin_smoothed *m = w->m;
    set_threshold(w, t);
    for (; *i < w->n_by_choice && key_value(w->by_choice[*i]) >= t; ++*i) {
        size_t slot = (size_t)(uint32_t)w->by_choice[*i];
        w->candidate[slot] = candidate_at(w, slot);
        repair(w, slot, w->rule->of);
    }
    for (; *k < w->n_by_active && key_value(w->by_active[*k]) >= t - w->shift; ++*k) {
        size_t place = (size_t)(uint32_t)w->by_active[*k];
        size_t slot = place / (size_t)m->n_events;
        int16_t e = (int16_t)(place % (size_t)m->n_events);
        if (slot > 0 && w->trace[slot - 1].active == e) {
            repair(w, slot, 1);
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
    tin_event_counts matched = {.n_segments = (int64_t)d.n_segments};
    tin_event_match(scene, &d, &w->m->input->margins, w->outcomes, NULL, &matched);
    if (w->overlap) {
        matched.overlap50 =
            tin_overlap_count(scene->events, scene->n_events, d.segments, d.n_segments, 50, w->pairs, w->used);
    }
    const tin_sweep_counts now = tin_sweep_counts_of(&matched);
    tin_sweep_point *sums[] = {&w->total, &w->of_person[w->m->input->streams[stream].person]};
    for (size_t i = 0; i < 2; i++) {
        tin_sweep_counts_add(&sums[i]->counts, &w->of_stream[stream], -1);
        tin_sweep_counts_add(&sums[i]->counts, &now, 1);
    }
    w->of_stream[stream] = now;
    w->dirty[stream] = 0;
}

static void sweep_clear(sweep *w)
{
    tin_free(w->choices);
    tin_free(w->own_keys);
    tin_free(w->candidate);
    tin_free(w->trace);
    tin_free(w->changes);
    tin_free(w->dirty);
    tin_free(w->n_triggers);
    tin_free(w->of_stream);
    tin_free(w->of_person);
    tin_free(w->triggers);
    tin_free(w->segments);
    tin_free(w->outcomes);
    tin_free(w->pairs);
    tin_free(w->used);
}

/* The fixed class with the greatest excess, as `rest`; a lower index wins a tie. */
static choice choice_of(const sweep *w, size_t slot)
{
    const int32_t *margin = w->m->margin + slot * (size_t)w->m->n_events;
    int rest = NO_EVENT;
    int32_t most = 0;
    for (int e = 0; e < w->m->n_events; e++) {
        int32_t excess = margin[e] - w->on[e];
        if (e != w->swept && excess >= 0 && (rest == NO_EVENT || excess > most)) {
            rest = e;
            most = excess;
        }
    }
    /* the swept class must reach its threshold and beat the rest */
    int32_t beaten = rest == NO_EVENT ? 0 : most + (rest < w->swept);
    return (choice){margin[w->swept] - beaten, (int16_t)w->swept, (int16_t)rest};
}

/* The keys of one slot at which a decision with an active class changes its way, key(v, slot * E + active). */
static size_t active_keys(const sweep *w, size_t slot, uint64_t *keys)
{
    size_t n = 0, n_events = (size_t)w->m->n_events;
    const int32_t *margin = w->m->margin + slot * n_events;
    int32_t swept = margin[w->swept], lead = w->rule->lead;
    keys[n++] = key_of(swept + w->rule->hysteresis, slot * n_events + (size_t)w->swept); /* s < t - hysteresis ends */
    for (size_t e = 0; lead > 0 && e < n_events; e++) {
        if ((int)e != w->swept) {
            int32_t excess = margin[e] - w->on[e];
            keys[n++] = key_of(swept - excess - lead, slot * n_events + e); /* e active, swept leads */
            keys[n++] = key_of(swept - excess + lead - 1,
                               slot * n_events + (size_t)w->swept); /* swept active, e leads no more */
        }
    }
    return n;
}

/* The keys of a sweep through the thresholds of one class, the others fixed. */
static tin_status prepare_class(sweep *w, tin_error *err)
{
    const tin_smoothed *m = w->m;
    size_t most = 1 + (w->rule->lead > 0 ? 2 * ((size_t)m->n_events - 1) : 0), n_choices = 0, n_keys = 0;
    w->choices = tin_alloc(m->n, sizeof *w->choices, err);
    w->own_keys = tin_alloc(m->n_by_best * (1 + 2 * most), sizeof *w->own_keys, err);
    if (w->choices == NULL || w->own_keys == NULL) {
        return TIN_ERR_MEMORY;
    }
    uint64_t *active = w->own_keys + m->n_by_best;
    for (size_t slot = 0; slot < m->n; slot++) {
        if (m->best[slot] != NO_EVENT) {
            w->choices[slot] = choice_of(w, slot);
            w->own_keys[n_choices++] = key_of(w->choices[slot].critical, slot);
            n_keys += active_keys(w, slot, active + n_keys);
        }
    }
    sort_falling(w->own_keys, n_choices, active + n_keys);
    sort_falling(active, n_keys, active + n_keys);
    w->by_choice = w->own_keys;
    w->by_active = active;
    w->n_by_choice = n_choices;
    w->n_by_active = n_keys;
    return TIN_OK;
}

/* The trace of a threshold above every score. */
static void begin_trace(sweep *w)
{
    const tin_smoothed *m = w->m;
    for (size_t i = 0; i < m->n; i++) {
        w->trace[i] = START;
        w->candidate[i] = NO_EVENT;
    }
    if (w->swept == TIN_SWEEP_ALL) {
        return; /* no candidate: nothing happens */
    }
    set_threshold(w, INT32_MAX);
    for (size_t stream = 0; stream < m->input->n_streams; stream++) {
        size_t first = m->start[stream], end = first + (size_t)m->input->streams[stream].n_decisions;
        for (size_t slot = first; slot < end; slot++) {
            w->candidate[slot] = w->choices[slot].rest;
            layer before = slot > first ? w->trace[slot - 1] : START;
            w->trace[slot] = step(w, slot, first, before);
            mark(w, stream, slot, before, START, w->trace[slot], START);
        }
    }
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
    w->candidate = tin_alloc(w->m->n, sizeof *w->candidate, err);
    w->trace = tin_alloc(w->m->n, sizeof *w->trace, err);
    w->changes = tin_alloc(w->m->n / 64, sizeof *w->changes, err);
    w->dirty = tin_alloc(input->n_streams, 1, err);
    w->n_triggers = tin_alloc(input->n_streams, sizeof *w->n_triggers, err);
    w->of_stream = tin_alloc(input->n_streams, sizeof *w->of_stream, err);
    w->of_person = tin_alloc(input->n_people, sizeof *w->of_person, err);
    w->triggers = tin_alloc(most_decisions, sizeof *w->triggers, err);
    w->segments = tin_alloc(most_decisions, sizeof *w->segments, err);
    w->outcomes = tin_alloc(most_events, sizeof *w->outcomes, err);
    w->pairs = tin_alloc(most, sizeof *w->pairs, err);
    w->used = tin_alloc(most, 1, err);
    if (w->candidate == NULL || w->trace == NULL || w->changes == NULL || w->dirty == NULL || w->n_triggers == NULL ||
        w->of_stream == NULL || w->of_person == NULL || w->triggers == NULL || w->segments == NULL ||
        w->outcomes == NULL || w->pairs == NULL || w->used == NULL) {
        return TIN_ERR_MEMORY;
    }
    for (size_t i = 0; i < input->n_streams; i++) {
        w->dirty[i] = 1;
        tin_event_counts frames = {0};
        tin_event_count_frames(&input->streams[i].scene, &input->margins, &frames);
        w->total.counts.rejection_frames += frames.rejection_frames;
        w->of_person[input->streams[i].person].counts.rejection_frames += frames.rejection_frames;
    }
    for (int e = 0; e < w->m->n_events; e++) {
        w->on[e] = w->rule->on[w->m->classes[e]];
    }
    tin_status status = TIN_OK;
    if (w->swept == TIN_SWEEP_ALL) {
        w->by_choice = w->m->by_best;
        w->n_by_choice = w->m->n_by_best;
        w->by_active = w->m->by_margin;
        w->n_by_active = w->m->n_by_margin;
        w->shift = w->rule->hysteresis;
    } else {
        status = prepare_class(w, err);
    }
    if (status == TIN_OK) {
        begin_trace(w);
    }
    return status;
}

/* e of a class, TIN_SWEEP_ALL likewise. */
static int event_of(const tin_smoothed *m, int swept)
{
    int e = 0;
    while (swept != TIN_SWEEP_ALL && e < m->n_events - 1 && m->classes[e] != swept) {
        e++;
    }
    return swept == TIN_SWEEP_ALL ? TIN_SWEEP_ALL : e;
}

tin_status tin_sweep_run(const tin_smoothed *smoothed, const tin_sweep_family *family, const int32_t *thresholds,
                         size_t n, bool overlap, tin_sweep_visit visit, void *context, tin_error *err)
{
    const tin_decision_rule *rule = &family->rule;
    sweep w = {.m = smoothed, .rule = rule, .swept = event_of(smoothed, family->swept), .overlap = overlap};
    w.kept_for = rule->min_length > 1 ? rule->min_length - 1 : 0;
    w.longest = rule->refractory > w.kept_for ? rule->refractory : w.kept_for;
    tin_status status = sweep_prepare(&w, err);
    int64_t limit = INT64_MAX;
    size_t i = 0, k = 0;
    for (size_t t = 0; status == TIN_OK && t < n; t++) {
        lower(&w, thresholds[t], &i, &k);
        if (w.all_triggers > limit) {
            break;
        }
        for (size_t stream = 0; stream < smoothed->input->n_streams; stream++) {
            if (w.dirty[stream]) {
                count_stream(&w, stream);
            }
        }
        w.total.on = thresholds[t];
        limit = visit(context, &w.total, w.of_person);
    }
    sweep_clear(&w);
    return status;
}
