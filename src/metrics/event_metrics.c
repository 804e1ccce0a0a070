#include "metrics/event_metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

const char *tin_trigger_kind_name(tin_trigger_kind kind)
{
    static const char *const names[] = {
#define X(code, name) name,
        TIN_TRIGGER_KIND_LIST(X)
#undef X
    };
    return (int)kind >= 0 && kind < TIN_TRIGGER_KIND_COUNT ? names[kind] : "unknown";
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t greatest(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

tin_status tin_detect(const tin_decision_rule *rule, const tin_class *classes, int n_classes, tin_timing timing,
                      const int16_t *scores, int64_t n_decisions, int64_t n_frames, tin_detection *detection,
                      tin_error *err)
{
    *detection = (tin_detection){0};
    detection->triggers = tin_alloc((size_t)n_decisions, sizeof *detection->triggers, err);
    detection->segments = tin_alloc((size_t)n_decisions, sizeof *detection->segments, err);
    if (detection->triggers == NULL || detection->segments == NULL) {
        tin_detection_free(detection);
        return TIN_ERR_MEMORY;
    }
    tin_decision_state state;
    tin_decision_reset(&state);
    int before = TIN_DECISION_NONE;
    for (int64_t j = 0; j < n_decisions; j++) {
        int trigger = tin_decision_step(&state, rule, classes, n_classes, scores + j * n_classes);
        int64_t frame = (int64_t)timing.hop * (j + 1) - 1 + timing.latency;
        if (frame >= n_frames) {
            break; /* the end of the stream cuts it off */
        }
        if (trigger != TIN_DECISION_NONE) {
            detection->triggers[detection->n_triggers++] = (tin_trigger){frame, trigger};
        }
        if (state.active != TIN_DECISION_NONE && state.active != before) {
            detection->segments[detection->n_segments++] = (tin_interval){frame, frame, state.active};
        }
        if (state.active != TIN_DECISION_NONE) {
            detection->segments[detection->n_segments - 1].end = least(frame + timing.hop, n_frames);
        }
        before = state.active;
    }
    detection->n_segments =
        tin_segments_delay(detection->segments, detection->n_segments, timing.delay + timing.latency, n_frames);
    return TIN_OK;
}

size_t tin_segments_delay(tin_interval *segments, size_t n, int delay, int64_t n_frames)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        tin_interval s = segments[i];
        s.start = greatest(s.start - delay, 0);
        s.end = s.end < n_frames ? s.end - delay : n_frames;
        if (s.end > s.start) {
            segments[kept++] = s;
        }
    }
    return kept;
}

void tin_detection_free(tin_detection *detection)
{
    tin_free(detection->triggers);
    tin_free(detection->segments);
    *detection = (tin_detection){0};
}

/* Looks through the events whose acceptance window holds the trigger, from `first` on (events before it are over for
 * good). Gives the kind and, when the trigger is matched, the event in *match. */
static tin_trigger_kind classify(const tin_scene *scene, const tin_margins *margins, const tin_trigger *trigger,
                                 size_t first, const tin_event_outcome *outcomes, size_t *match)
{
    size_t own = SIZE_MAX, other = SIZE_MAX;
    tin_trigger_kind taken = TIN_TRIGGER_FALSE;
    for (size_t i = first; i < scene->n_events && scene->events[i].start - margins->most.early <= trigger->frame; i++) {
        const tin_interval *event = &scene->events[i];
        if (trigger->frame < tin_window_start(margins, event) || trigger->frame >= tin_window_end(margins, event)) {
            continue;
        }
        bool same = event->class_index == trigger->class_index;
        if (outcomes[i].class_index != TIN_DECISION_NONE) {
            taken = same || taken == TIN_TRIGGER_REPEAT ? TIN_TRIGGER_REPEAT : TIN_TRIGGER_DUPLICATE;
        } else if (same && own == SIZE_MAX) {
            own = i;
        } else if (!same && other == SIZE_MAX) {
            other = i;
        }
    }
    *match = own != SIZE_MAX ? own : other;
    if (own != SIZE_MAX) {
        return TIN_TRIGGER_TRUE;
    }
    return other != SIZE_MAX ? TIN_TRIGGER_WRONG_CLASS : taken;
}

/* A trigger of the right class inside a window whose event was taken by a wrong one: the device put itself right. */
static bool corrects(const tin_scene *scene, const tin_margins *margins, const tin_trigger *trigger,
                     const tin_event_outcome *outcome, size_t i)
{
    const tin_interval *event = &scene->events[i];
    return outcome->class_index != TIN_DECISION_NONE && outcome->class_index != event->class_index &&
           trigger->class_index == event->class_index && trigger->frame > event->start + outcome->latency &&
           trigger->frame < tin_window_end(margins, event);
}

/* Among the events of one class, or of all: TIN_DECISION_NONE. */
static int64_t count_corrected(const tin_scene *scene, const tin_detection *detection, const tin_margins *margins,
                               const tin_event_outcome *outcomes, int class_index)
{
    int64_t corrected = 0;
    size_t first = 0;
    for (size_t i = 0; i < scene->n_events; i++) {
        if (class_index != TIN_DECISION_NONE && scene->events[i].class_index != class_index) {
            continue;
        }
        while (first < detection->n_triggers &&
               detection->triggers[first].frame < scene->events[i].start - margins->most.early) {
            first++;
        }
        for (size_t j = first; j < detection->n_triggers; j++) {
            if (detection->triggers[j].frame >= tin_window_end(margins, &scene->events[i])) {
                break;
            }
            if (corrects(scene, margins, &detection->triggers[j], &outcomes[i], i)) {
                corrected++;
                break;
            }
        }
    }
    return corrected;
}

static bool unlabelled(const tin_scene *scene, const tin_trigger *trigger)
{
    return scene->labels != NULL && scene->labels[trigger->frame] == TIN_LABEL_IGNORE;
}

static void add_kinds(tin_event_counts *counts, const int64_t n_of[TIN_TRIGGER_KIND_COUNT], const tin_margins *margins)
{
    for (int kind = 0; kind < TIN_TRIGGER_KIND_COUNT; kind++) {
        counts->n_triggers += n_of[kind];
    }
    counts->wrong_triggers += n_of[TIN_TRIGGER_WRONG_CLASS];
    counts->false_triggers += n_of[TIN_TRIGGER_FALSE];
    counts->repeats += n_of[TIN_TRIGGER_REPEAT];
    counts->duplicates += n_of[TIN_TRIGGER_DUPLICATE];
    counts->false_positives += n_of[TIN_TRIGGER_FALSE] + n_of[TIN_TRIGGER_DUPLICATE];
    if (!margins->allow_repeats) {
        counts->false_positives += n_of[TIN_TRIGGER_REPEAT];
    }
}

void tin_event_match(const tin_scene *scene, const tin_detection *detection, const tin_margins *margins,
                     tin_event_outcome *outcomes, tin_trigger_kind *kinds, tin_event_counts *counts)
{
    for (size_t i = 0; i < scene->n_events; i++) {
        outcomes[i] = (tin_event_outcome){TIN_DECISION_NONE, 0};
    }
    size_t first = 0;
    int64_t n_of[TIN_TRIGGER_KIND_COUNT] = {0};
    for (size_t j = 0; j < detection->n_triggers; j++) {
        const tin_trigger *trigger = &detection->triggers[j];
        while (first < scene->n_events && scene->events[first].end + margins->most.late <= trigger->frame) {
            first++;
        }
        size_t match = SIZE_MAX;
        tin_trigger_kind kind = classify(scene, margins, trigger, first, outcomes, &match);
        if (match != SIZE_MAX) {
            int64_t latency = trigger->frame - scene->events[match].start;
            outcomes[match] = (tin_event_outcome){trigger->class_index, latency};
            counts->latency_frames += kind == TIN_TRIGGER_TRUE ? latency : 0;
            counts->in_time += kind == TIN_TRIGGER_TRUE && latency <= margins->deadline;
        }
        if (kinds != NULL) {
            kinds[j] = kind;
        }
        n_of[kind]++;
        counts->false_triggers_unlabelled += kind == TIN_TRIGGER_FALSE && unlabelled(scene, trigger);
    }
    counts->n_events += (int64_t)scene->n_events;
    counts->true_positives += n_of[TIN_TRIGGER_TRUE];
    counts->wrong_class += n_of[TIN_TRIGGER_WRONG_CLASS];
    counts->missed += (int64_t)scene->n_events - n_of[TIN_TRIGGER_TRUE] - n_of[TIN_TRIGGER_WRONG_CLASS];
    if (n_of[TIN_TRIGGER_WRONG_CLASS] > 0) {
        counts->corrected += count_corrected(scene, detection, margins, outcomes, TIN_DECISION_NONE);
    }
    add_kinds(counts, n_of, margins);
}

/* The earliest start of the windows of the events from i on: the next event's window may begin before that of event i. */
static int64_t next_window(const tin_scene *scene, const tin_margins *margins, size_t i)
{
    int64_t next = scene->n_frames;
    for (; i < scene->n_events && scene->events[i].start - margins->most.early < next; i++) {
        next = least(next, tin_window_start(margins, &scene->events[i]));
    }
    return next;
}

void tin_event_count_frames(const tin_scene *scene, const tin_margins *margins, tin_event_counts *counts)
{
    int64_t t = 0;
    for (size_t i = 0; i <= scene->n_events; i++) {
        int64_t gap_end = next_window(scene, margins, i);
        for (; t < gap_end; t++) {
            counts->rejection_frames++;
            counts->rejection_unlabelled += scene->labels != NULL && scene->labels[t] == TIN_LABEL_IGNORE;
        }
        if (i < scene->n_events) {
            t = greatest(t, tin_window_end(margins, &scene->events[i]));
        }
    }
    counts->n_frames += scene->n_frames;
}

/* Frames of `segment` in no acceptance window of an event of its class; *touches: whether it overlaps an event's own
 * interval. */
static int64_t false_activity(const tin_scene *scene, const tin_interval *segment, const tin_margins *margins,
                              size_t first, bool *touches)
{
    int64_t outside = 0, cursor = segment->start;
    *touches = false;
    for (size_t i = first; i < scene->n_events && scene->events[i].start - margins->most.early < segment->end; i++) {
        const tin_interval *event = &scene->events[i];
        *touches = *touches || (event->start < segment->end && event->end > segment->start);
        if (event->class_index == segment->class_index) {
            outside += greatest(least(tin_window_start(margins, event), segment->end) - cursor, 0);
            cursor = greatest(cursor, tin_window_end(margins, event));
        }
    }
    return outside + greatest(segment->end - cursor, 0);
}

void tin_event_count_activity(const tin_scene *scene, const tin_detection *detection, const tin_margins *margins,
                              tin_event_counts *counts)
{
    size_t first = 0;
    for (size_t j = 0; j < detection->n_segments; j++) {
        const tin_interval *segment = &detection->segments[j];
        while (first < scene->n_events && scene->events[first].end + margins->most.late <= segment->start) {
            first++;
        }
        bool touches = false;
        counts->false_active_frames += false_activity(scene, segment, margins, first, &touches);
        if (!touches && scene->labels != NULL) {
            int64_t unlabelled = 0;
            for (int64_t t = segment->start; t < segment->end; t++) {
                unlabelled += scene->labels[t] == TIN_LABEL_IGNORE;
            }
            counts->segments_unlabelled += 2 * unlabelled > segment->end - segment->start;
        }
    }
    counts->n_segments += (int64_t)detection->n_segments;
}

/* Greatest IoU first, exactly (cross products of frame counts), then earlier segment, then earlier event. */
static int compare_pairs(const void *left, const void *right)
{
    const tin_overlap_pair *a = left, *b = right;
    int64_t x = a->common * b->united, y = b->common * a->united;
    if (x != y) {
        return x > y ? -1 : 1;
    }
    if (a->segment != b->segment) {
        return a->segment < b->segment ? -1 : 1;
    }
    return a->event < b->event ? -1 : a->event > b->event;
}

int64_t tin_overlap_count(const tin_interval *events, size_t n_events, const tin_interval *segments, size_t n_segments,
                          int percent, tin_overlap_pair *pairs, uint8_t *used)
{
    size_t n_pairs = 0, first = 0;
    for (size_t j = 0; j < n_segments; j++) {
        while (first < n_events && events[first].end <= segments[j].start) {
            first++;
        }
        for (size_t i = first; i < n_events && events[i].start < segments[j].end; i++) {
            int64_t common = least(events[i].end, segments[j].end) - greatest(events[i].start, segments[j].start);
            int64_t united = greatest(events[i].end, segments[j].end) - least(events[i].start, segments[j].start);
            if (events[i].class_index == segments[j].class_index && common > 0 && 100 * common >= percent * united) {
                pairs[n_pairs++] = (tin_overlap_pair){common, united, (uint32_t)j, (uint32_t)i};
            }
        }
    }
    if (n_pairs > 1) {
        qsort(pairs, n_pairs, sizeof *pairs, compare_pairs);
    }
    if (n_pairs == 0) {
        return 0;
    }
    memset(used, 0, n_events + n_segments);
    int64_t matched = 0;
    for (size_t p = 0; p < n_pairs; p++) {
        uint8_t *event = &used[pairs[p].event], *segment = &used[n_events + pairs[p].segment];
        if (!*event && !*segment) {
            *event = *segment = 1;
            pairs[matched++] = pairs[p];
        }
    }
    return matched;
}

static tin_status count_overlap(const tin_scene *scene, const tin_detection *detection, tin_event_counts *counts,
                                tin_error *err)
{
    tin_status status = TIN_ERR_MEMORY;
    size_t n = scene->n_events + detection->n_segments;
    tin_overlap_pair *pairs = tin_alloc(n, sizeof *pairs, err);
    uint8_t *used = tin_alloc(n, 1, err);
    if (pairs == NULL || used == NULL) {
        goto cleanup;
    }
    counts->overlap50 +=
        tin_overlap_count(scene->events, scene->n_events, detection->segments, detection->n_segments, 50, pairs, used);
    counts->overlap75 +=
        tin_overlap_count(scene->events, scene->n_events, detection->segments, detection->n_segments, 75, pairs, used);
    status = TIN_OK;
cleanup:
    tin_free(pairs);
    tin_free(used);
    return status;
}

tin_status tin_event_count(const tin_scene *scene, const tin_detection *detection, const tin_margins *margins,
                           tin_event_outcome *outcomes, tin_trigger_kind *kinds, tin_event_counts *counts,
                           tin_error *err)
{
    tin_event_outcome *work = outcomes;
    if (work == NULL) {
        work = tin_alloc(scene->n_events, sizeof *work, err);
        if (work == NULL) {
            return TIN_ERR_MEMORY;
        }
    }
    tin_status status = count_overlap(scene, detection, counts, err);
    if (status == TIN_OK) {
        tin_event_match(scene, detection, margins, work, kinds, counts);
        tin_event_count_frames(scene, margins, counts);
        tin_event_count_activity(scene, detection, margins, counts);
    }
    if (outcomes == NULL) {
        tin_free(work);
    }
    return status;
}

/* The intervals of one class, into kept [n]. */
static size_t keep_class(const tin_interval *intervals, size_t n, int class_index, tin_interval *kept)
{
    size_t n_kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (intervals[i].class_index == class_index) {
            kept[n_kept++] = intervals[i];
        }
    }
    return n_kept;
}

/* What became of the events and the triggers of one class. */
static void count_outcomes(const tin_scene *scene, const tin_detection *detection, const tin_margins *margins,
                           const tin_event_outcome *outcomes, const tin_trigger_kind *kinds, int class_index,
                           tin_event_counts *counts)
{
    int64_t n_of[TIN_TRIGGER_KIND_COUNT] = {0};
    for (size_t i = 0; i < scene->n_events; i++) {
        if (scene->events[i].class_index == class_index) {
            bool right = outcomes[i].class_index == class_index, none = outcomes[i].class_index == TIN_DECISION_NONE;
            counts->n_events++;
            counts->true_positives += right;
            counts->missed += none;
            counts->wrong_class += !right && !none;
            counts->latency_frames += right ? outcomes[i].latency : 0;
            counts->in_time += right && outcomes[i].latency <= margins->deadline;
        }
    }
    for (size_t j = 0; j < detection->n_triggers; j++) {
        if (detection->triggers[j].class_index == class_index) {
            n_of[kinds[j]]++;
            counts->false_triggers_unlabelled +=
                kinds[j] == TIN_TRIGGER_FALSE && unlabelled(scene, &detection->triggers[j]);
        }
    }
    add_kinds(counts, n_of, margins);
    counts->corrected += count_corrected(scene, detection, margins, outcomes, class_index);
}

tin_status tin_event_count_class(const tin_scene *scene, const tin_detection *detection, const tin_margins *margins,
                                 const tin_event_outcome *outcomes, const tin_trigger_kind *kinds, int class_index,
                                 tin_event_counts *counts, tin_error *err)
{
    tin_interval *kept = tin_alloc(scene->n_events + detection->n_segments, sizeof *kept, err);
    if (kept == NULL) {
        return TIN_ERR_MEMORY;
    }
    tin_scene own_events = *scene;
    tin_detection own_segments = *detection;
    own_events.events = kept;
    own_events.n_events = keep_class(scene->events, scene->n_events, class_index, kept);
    own_segments.segments = kept + own_events.n_events;
    own_segments.n_segments =
        keep_class(detection->segments, detection->n_segments, class_index, own_segments.segments);
    tin_status status = count_overlap(&own_events, &own_segments, counts, err);
    if (status == TIN_OK) {
        count_outcomes(scene, detection, margins, outcomes, kinds, class_index, counts);
        tin_event_count_activity(scene, &own_segments, margins, counts);
    }
    tin_free(kept);
    return status;
}

void tin_event_counts_add(tin_event_counts *sum, const tin_event_counts *other, int sign)
{
#define X(count) sum->count += sign * other->count;
    TIN_EVENT_COUNT_LIST(X)
#undef X
}

static double ratio(int64_t part, int64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : (double)NAN;
}

/* F1 = 2 right / (true + said). */
static double f1_of(int64_t right, int64_t n_true, int64_t n_said)
{
    return ratio(2 * right, n_true + n_said);
}

/* Error rate of segments matched one to one: what is neither right nor substituted is deleted or inserted, so that
 * (S + D + I) / true = (true + said - 2 right - S) / true. */
static double error_rate_of(int64_t right, int64_t substituted, int64_t n_true, int64_t n_said)
{
    return ratio(n_true + n_said - 2 * right - substituted, n_true);
}

tin_event_figures tin_event_figures_of(const tin_event_counts *c, double rate_hz)
{
    double frames_per_hour = 3600 * rate_hz;
    int64_t counted = c->true_positives + c->wrong_triggers + c->false_positives;
    return (tin_event_figures){
        .fnr = ratio(c->missed, c->n_events),
        .fcr = ratio(c->wrong_class, c->n_events),
        .recall = ratio(c->true_positives, c->n_events),
        .precision = ratio(c->true_positives, counted),
        .f1 = ratio(2 * c->true_positives, counted + c->n_events),
        .fp_per_hour = ratio(c->false_positives, c->rejection_frames) * frames_per_hour,
        .fp_per_frame = ratio(c->false_positives, c->rejection_frames),
        .fp_per_hour_labelled =
            ratio(c->false_positives - c->false_triggers_unlabelled, c->rejection_frames - c->rejection_unlabelled) *
            frames_per_hour,
        .iou50_precision = ratio(c->overlap50, c->n_segments),
        .iou50_recall = ratio(c->overlap50, c->n_events),
        .iou50_f1 = ratio(2 * c->overlap50, c->n_segments + c->n_events),
        .iou75_f1 = ratio(2 * c->overlap75, c->n_segments + c->n_events),
        .iou50_f1_labelled = ratio(2 * c->overlap50, c->n_segments - c->segments_unlabelled + c->n_events),
        .false_active_share = ratio(c->false_active_frames, c->n_frames),
        .latency_mean_s = ratio(c->latency_frames, c->true_positives) / rate_hz,
        .deadline_recall = ratio(c->in_time, c->n_events),
        .segment_f1 = f1_of(c->units_right, c->units_true, c->units_said),
        .segment_error_rate = ratio(c->units_substituted + c->units_deleted + c->units_inserted, c->units_true),
        .onset_f1 = f1_of(c->onset_right, c->n_events, c->n_segments),
        .onset_error_rate = error_rate_of(c->onset_right, c->onset_substituted, c->n_events, c->n_segments),
        .onset_offset_f1 = f1_of(c->borders_right, c->n_events, c->n_segments),
        .onset_offset_error_rate = error_rate_of(c->borders_right, c->borders_substituted, c->n_events, c->n_segments),
        .start_error_s = ratio(c->start_error, c->overlap50) / rate_hz,
        .end_error_s = ratio(c->end_error, c->overlap50) / rate_hz,
        .nab_score = 50 + 50 * ratio(c->nab_billionths, c->nab_windows) / 1e9,
    };
}
