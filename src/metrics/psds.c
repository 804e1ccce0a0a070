#include "metrics/psds.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

const tin_psds_settings tin_psds_kinds[TIN_PSDS_KINDS] = {
    {"psds1", 0.7, 0.7, 0, 0, 1, 100},
    {"psds2", 0.1, 0.1, 0.3, 0.5, 1, 100},
};

tin_status tin_psds_counts_create(tin_psds_counts *counts, int n_classes, tin_error *err)
{
    size_t n = (size_t)n_classes;
    *counts = (tin_psds_counts){.n_classes = n_classes};
    counts->found = tin_alloc(n * (n + 2), sizeof *counts->found, err);
    if (counts->found == NULL) {
        return TIN_ERR_MEMORY;
    }
    counts->false_segments = counts->found + n;
    counts->crossed = counts->found + 2 * n;
    tin_psds_counts_clear(counts);
    return TIN_OK;
}

void tin_psds_counts_clear(tin_psds_counts *counts)
{
    size_t n = (size_t)counts->n_classes;
    memset(counts->found, 0, n * (n + 2) * sizeof *counts->found);
}

void tin_psds_counts_free(tin_psds_counts *counts)
{
    tin_free(counts->found);
    *counts = (tin_psds_counts){0};
}

static int64_t common_frames(const tin_interval *a, const tin_interval *b)
{
    int64_t start = a->start > b->start ? a->start : b->start, end = a->end < b->end ? a->end : b->end;
    return end > start ? end - start : 0;
}

/* part >= share * whole, where the product may come out a hair too great. */
static bool reaches(int64_t part, double share, int64_t whole)
{
    return part > 0 && (double)part >= share * (double)whole * (1 - 1e-12);
}

/* Frames of the segment in events of its own class; *first is moved past the events that end before it. */
static int64_t own_frames(const tin_scene *scene, const tin_interval *segment, size_t *first)
{
    int64_t frames = 0;
    while (*first < scene->n_events && scene->events[*first].end <= segment->start) {
        (*first)++;
    }
    for (size_t i = *first; i < scene->n_events && scene->events[i].start < segment->end; i++) {
        frames += scene->events[i].class_index == segment->class_index ? common_frames(&scene->events[i], segment) : 0;
    }
    return frames;
}

/* A false segment: which other classes it triggered instead. Events that it meets begin at `first`. */
static void count_crossed(const tin_scene *scene, const tin_interval *segment, size_t first, double cttc,
                          tin_psds_counts *counts)
{
    const tin_interval *events = scene->events;
    for (size_t i = first; i < scene->n_events && events[i].start < segment->end; i++) {
        int32_t other = events[i].class_index;
        int64_t frames = 0;
        bool seen = other == segment->class_index;
        for (size_t e = first; e < scene->n_events && events[e].start < segment->end; e++) {
            seen = seen || (e < i && events[e].class_index == other);
            frames += events[e].class_index == other ? common_frames(&events[e], segment) : 0;
        }
        if (!seen && reaches(frames, cttc, segment->end - segment->start)) {
            counts->crossed[segment->class_index * counts->n_classes + other]++;
        }
    }
}

void tin_psds_count(const tin_scene *scene, const tin_interval *segments, size_t n_segments,
                    const tin_psds_settings *settings, int64_t *covered, tin_psds_counts *counts)
{
    for (size_t i = 0; i < scene->n_events; i++) {
        covered[i] = 0;
    }
    for (size_t j = 0, first = 0; j < n_segments; j++) {
        const tin_interval *segment = &segments[j];
        if (!reaches(own_frames(scene, segment, &first), settings->dtc, segment->end - segment->start)) {
            counts->false_segments[segment->class_index]++;
            count_crossed(scene, segment, first, settings->cttc, counts);
            continue;
        }
        for (size_t i = first; i < scene->n_events && scene->events[i].start < segment->end; i++) {
            bool own = scene->events[i].class_index == segment->class_index;
            covered[i] += own ? common_frames(&scene->events[i], segment) : 0;
        }
    }
    for (size_t i = 0; i < scene->n_events; i++) {
        const tin_interval *event = &scene->events[i];
        counts->found[event->class_index] += reaches(covered[i], settings->gtc, event->end - event->start);
    }
}

void tin_psds_points_of(const tin_psds_counts *counts, const tin_psds_truth *truth, const tin_psds_settings *settings,
                        tin_psds_point *points)
{
    const double per_hour = 3600 * truth->rate_hz;
    for (int k = 0; k < truth->n_classes; k++) {
        double crossed = 0;
        int n_others = 0;
        for (int other = 0; other < truth->n_classes; other++) {
            if (other != k && truth->n_events[other] > 0) {
                crossed += (double)counts->crossed[k * truth->n_classes + other] * per_hour /
                           (double)truth->event_frames[other];
                n_others++;
            }
        }
        points[k].fp_per_hour = (double)counts->false_segments[k] * per_hour / (double)truth->n_frames +
                                (n_others > 0 ? settings->alpha_ct * crossed / n_others : 0);
        points[k].found = truth->n_events[k] > 0 ? (double)counts->found[k] / (double)truth->n_events[k] : 0;
    }
}

/* A point and its class, to be sorted by false positives. */
typedef struct step {
    double fp_per_hour, found;
    int class_index;
} step;

static int compare_steps(const void *left, const void *right)
{
    const step *a = left, *b = right;
    return a->fp_per_hour < b->fp_per_hour ? -1 : a->fp_per_hour > b->fp_per_hour;
}

/* Mean of the classes less alpha_st standard deviations, not below 0. */
static double effective(const double *best, const tin_psds_truth *truth, double alpha_st)
{
    double sum = 0, squares = 0;
    int n = 0;
    for (int k = 0; k < truth->n_classes; k++) {
        n += truth->n_events[k] > 0;
        sum += truth->n_events[k] > 0 ? best[k] : 0;
    }
    double mean = sum / n;
    for (int k = 0; k < truth->n_classes; k++) {
        squares += truth->n_events[k] > 0 ? (best[k] - mean) * (best[k] - mean) : 0;
    }
    double value = mean - alpha_st * sqrt(squares / n);
    return value > 0 ? value : 0;
}

/* The area under the staircase of the best share found at no more false positives. */
static double area(step *steps, size_t n, const tin_psds_truth *truth, const tin_psds_settings *settings)
{
    double best[TIN_MAX_CLASSES] = {0}, at = 0, sum = 0;
    if (n > 1) {
        qsort(steps, n, sizeof *steps, compare_steps);
    }
    for (size_t i = 0; i < n && steps[i].fp_per_hour < settings->max_fp_per_hour; i++) {
        double *of_class = &best[steps[i].class_index];
        if (steps[i].found > *of_class) {
            sum += (steps[i].fp_per_hour - at) * effective(best, truth, settings->alpha_st);
            at = steps[i].fp_per_hour;
            *of_class = steps[i].found;
        }
    }
    return sum + (settings->max_fp_per_hour - at) * effective(best, truth, settings->alpha_st);
}

tin_status tin_psds_value(const tin_psds_point *points, size_t n_thresholds, const tin_psds_truth *truth,
                          const tin_psds_settings *settings, double *value, tin_error *err)
{
    size_t n_classes = (size_t)truth->n_classes, n = 0;
    bool any = false;
    step *steps = tin_alloc(n_thresholds * n_classes, sizeof *steps, err);
    if (steps == NULL) {
        return TIN_ERR_MEMORY;
    }
    for (int k = 0; k < truth->n_classes; k++) {
        any = any || truth->n_events[k] > 0;
        for (size_t t = 0; t < n_thresholds && truth->n_events[k] > 0; t++) {
            const tin_psds_point *p = &points[t * n_classes + (size_t)k];
            steps[n++] = (step){p->fp_per_hour, p->found, k};
        }
    }
    *value = any ? area(steps, n, truth, settings) / settings->max_fp_per_hour : (double)NAN;
    tin_free(steps);
    return TIN_OK;
}
