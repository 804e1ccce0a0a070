#include "metrics/span_metrics.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

/* A set of classes. */
enum { WORDS = (TIN_MAX_CLASSES + 63) / 64 };
typedef struct class_set {
    uint64_t bits[WORDS];
} class_set;

static void take_in(class_set *set, int class_index)
{
    set->bits[class_index / 64] |= UINT64_C(1) << class_index % 64;
}

/* The classes of the intervals that share a frame with [from, to). *first is moved past those that end before it. */
static class_set classes_in(const tin_interval *intervals, size_t n, double from, double to, size_t *first)
{
    class_set set = {{0}};
    while (*first < n && (double)intervals[*first].end <= from) {
        (*first)++;
    }
    for (size_t i = *first; i < n && (double)intervals[i].start < to; i++) {
        take_in(&set, intervals[i].class_index);
    }
    return set;
}

/* One more unit of time in which `is` classes are true and `said` ones active. */
static void count_unit(const class_set *is, const class_set *said, tin_event_counts *all, tin_event_counts *of_class)
{
    int64_t n_true = 0, n_said = 0, n_right = 0;
    for (int w = 0; w < WORDS; w++) {
        for (uint64_t left = is->bits[w] | said->bits[w]; left != 0; left &= left - 1) {
            int k = 64 * w + __builtin_ctzll(left);
            int64_t t = (int64_t)(is->bits[w] >> k % 64 & 1), s = (int64_t)(said->bits[w] >> k % 64 & 1);
            n_true += t;
            n_said += s;
            n_right += t & s;
            of_class[k].units_true += t;
            of_class[k].units_said += s;
            of_class[k].units_right += t & s;
            of_class[k].units_deleted += t & ~s;
            of_class[k].units_inserted += s & ~t;
        }
    }
    all->units_true += n_true;
    all->units_said += n_said;
    all->units_right += n_right;
    all->units_substituted += (n_true < n_said ? n_true : n_said) - n_right;
    all->units_deleted += n_true > n_said ? n_true - n_said : 0;
    all->units_inserted += n_said > n_true ? n_said - n_true : 0;
}

static void count_units(const tin_scene *scene, const tin_detection *detection, double unit, tin_event_counts *all,
                        tin_event_counts *of_class)
{
    size_t event = 0, segment = 0;
    for (int64_t u = 0; (double)u * unit < (double)scene->n_frames; u++) {
        double from = (double)u * unit, to = (double)(u + 1) * unit;
        class_set is = classes_in(scene->events, scene->n_events, from, to, &event);
        class_set said = classes_in(detection->segments, detection->n_segments, from, to, &segment);
        count_unit(&is, &said, all, of_class);
    }
}

static bool start_fits(const tin_interval *event, const tin_interval *segment, double collar)
{
    return fabs((double)(event->start - segment->start)) <= collar;
}

static bool end_fits(const tin_interval *event, const tin_interval *segment, double collar)
{
    double half = (double)(event->end - event->start) / 2;
    return fabs((double)(event->end - segment->end)) <= (collar > half ? collar : half);
}

/* The search for as many pairs as can be: for each event in turn, a path from it to a free segment, over segments that are
 * taken and the events that they belong to, along which the pairs are exchanged. */
typedef struct search {
    const tin_scene *scene;
    const tin_detection *detection;
    double collar;
    bool ends;
    size_t *match;  /* [n_events] segment, SIZE_MAX: none */
    size_t *owner;  /* [n_segments] event that it is matched to, SIZE_MAX: none */
    size_t *from;   /* [n_segments] event from which this search reached it */
    size_t *seen;   /* [n_segments] the search (event + 1) that reached it last */
    size_t *queue;  /* [n_events] events of this search */
    size_t *nearby; /* [n_events] the first segment that starts within the collar */
} search;

static bool fits(const search *s, const tin_interval *event, size_t segment)
{
    const tin_interval *other = &s->detection->segments[segment];
    return start_fits(event, other, s->collar) && (!s->ends || end_fits(event, other, s->collar));
}

/* The path that was found, from its last segment back. */
static void exchange(search *s, size_t segment)
{
    while (segment != SIZE_MAX) {
        size_t event = s->from[segment], before = s->match[event];
        s->match[event] = segment;
        s->owner[segment] = event;
        segment = before;
    }
}

static void find_segment(search *s, size_t event)
{
    size_t n_queue = 0;
    s->queue[n_queue++] = event;
    for (size_t q = 0; q < n_queue; q++) {
        const tin_interval *e = &s->scene->events[s->queue[q]];
        for (size_t j = s->nearby[s->queue[q]]; j < s->detection->n_segments; j++) {
            const tin_interval *segment = &s->detection->segments[j];
            if ((double)(segment->start - e->start) > s->collar) {
                break;
            }
            if (s->seen[j] == event + 1 || segment->class_index != e->class_index || !fits(s, e, j)) {
                continue;
            }
            s->seen[j] = event + 1;
            s->from[j] = s->queue[q];
            if (s->owner[j] == SIZE_MAX) {
                exchange(s, j);
                return;
            }
            s->queue[n_queue++] = s->owner[j];
        }
    }
}

tin_status tin_collar_match(const tin_scene *scene, const tin_detection *detection, double collar, bool ends,
                            size_t *match, tin_error *err)
{
    size_t n_events = scene->n_events, n_segments = detection->n_segments;
    size_t *work = tin_alloc(3 * n_segments + 2 * n_events, sizeof *work, err);
    if (work == NULL) {
        return TIN_ERR_MEMORY;
    }
    search s = {.scene = scene, .detection = detection, .collar = collar, .ends = ends, .match = match};
    s.owner = work;
    s.from = s.owner + n_segments;
    s.seen = s.from + n_segments;
    s.queue = s.seen + n_segments;
    s.nearby = s.queue + n_events;
    for (size_t j = 0; j < n_segments; j++) {
        s.owner[j] = SIZE_MAX;
        s.seen[j] = 0;
    }
    for (size_t i = 0, j = 0; i < n_events; i++) {
        while (j < n_segments && (double)(scene->events[i].start - detection->segments[j].start) > collar) {
            j++;
        }
        match[i] = SIZE_MAX;
        s.nearby[i] = j;
    }
    for (size_t i = 0; i < n_events; i++) {
        find_segment(&s, i);
    }
    tin_free(work);
    return TIN_OK;
}

/* What was matched, and of the rest, in order of time, one class for another: each event that is left takes the first
 * segment that is left and fits but for its class, as sed_eval does. */
static tin_status count_matched(const tin_scene *scene, const tin_detection *detection, double collar, bool ends,
                                const size_t *match, int64_t *substituted, tin_error *err)
{
    uint8_t *used = tin_alloc(detection->n_segments, 1, err);
    if (used == NULL) {
        return TIN_ERR_MEMORY;
    }
    for (size_t j = 0; j < detection->n_segments; j++) {
        used[j] = 0;
    }
    for (size_t i = 0; i < scene->n_events; i++) {
        if (match[i] != SIZE_MAX) {
            used[match[i]] = 1;
        }
    }
    for (size_t i = 0, first = 0; i < scene->n_events; i++) {
        const tin_interval *event = &scene->events[i], *segments = detection->segments;
        while (first < detection->n_segments && (double)(event->start - segments[first].start) > collar) {
            first++;
        }
        for (size_t j = first; match[i] == SIZE_MAX && j < detection->n_segments; j++) {
            if ((double)(segments[j].start - event->start) > collar) {
                break;
            }
            if (!used[j] && (!ends || end_fits(event, &segments[j], collar))) {
                used[j] = 1;
                (*substituted)++;
                break;
            }
        }
    }
    tin_free(used);
    return TIN_OK;
}

static tin_status count_collars(const tin_scene *scene, const tin_detection *detection, double collar,
                                tin_event_counts *all, tin_event_counts *of_class, tin_error *err)
{
    size_t *match = tin_alloc(scene->n_events, sizeof *match, err);
    tin_status status = match == NULL ? TIN_ERR_MEMORY : TIN_OK;
    for (int ends = 0; ends <= 1 && status == TIN_OK; ends++) {
        int64_t *substituted = ends ? &all->borders_substituted : &all->onset_substituted;
        status = tin_collar_match(scene, detection, collar, ends, match, err);
        status = status ? status : count_matched(scene, detection, collar, ends, match, substituted, err);
        for (size_t i = 0; i < scene->n_events && status == TIN_OK; i++) {
            tin_event_counts *own = &of_class[scene->events[i].class_index];
            int64_t right = match[i] != SIZE_MAX;
            *(ends ? &all->borders_right : &all->onset_right) += right;
            *(ends ? &own->borders_right : &own->onset_right) += right;
        }
    }
    tin_free(match);
    return status;
}

static tin_status count_borders(const tin_scene *scene, const tin_detection *detection, tin_event_counts *all,
                                tin_event_counts *of_class, tin_border *borders, size_t *n_borders, tin_error *err)
{
    size_t n = scene->n_events + detection->n_segments;
    tin_overlap_pair *pairs = tin_alloc(n, sizeof *pairs, err);
    uint8_t *used = tin_alloc(n, 1, err);
    tin_status status = pairs == NULL || used == NULL ? TIN_ERR_MEMORY : TIN_OK;
    if (status == TIN_OK) {
        *n_borders = (size_t)tin_overlap_count(scene->events, scene->n_events, detection->segments,
                                               detection->n_segments, 50, pairs, used);
        for (size_t p = 0; p < *n_borders; p++) {
            const tin_interval *event = &scene->events[pairs[p].event];
            const tin_interval *segment = &detection->segments[pairs[p].segment];
            tin_event_counts *own = &of_class[event->class_index];
            borders[p] = (tin_border){segment->start - event->start, segment->end - event->end};
            all->start_error += llabs(borders[p].start);
            all->end_error += llabs(borders[p].end);
            own->start_error += llabs(borders[p].start);
            own->end_error += llabs(borders[p].end);
        }
    }
    tin_free(pairs);
    tin_free(used);
    return status;
}

tin_status tin_span_count(const tin_scene *scene, const tin_detection *detection, const tin_margins *margins,
                          tin_event_counts *all, tin_event_counts *of_class, tin_border *borders, size_t *n_borders,
                          tin_error *err)
{
    count_units(scene, detection, margins->unit, all, of_class);
    tin_status status = count_collars(scene, detection, margins->collar, all, of_class, err);
    return status ? status : count_borders(scene, detection, all, of_class, borders, n_borders, err);
}
