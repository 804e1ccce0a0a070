#include "metrics/nab_score.h"

#include <math.h>

#define FALSE_POSITIVE_WEIGHT 0.11

/* 1 far before 0, -1 far behind it. */
static double sigmoid(double position)
{
    return position > 3 ? -1 : 2 / (1 + exp(5 * position)) - 1;
}

/* A window: frames start to end - 1. */
typedef struct window {
    int64_t start, end;
} window;

static window window_of(const tin_scene *scene, const tin_margins *margins, size_t i)
{
    int64_t start = tin_window_start(margins, &scene->events[i]), end = tin_window_end(margins, &scene->events[i]);
    return (window){start > 0 ? start : 0, end < scene->n_frames ? end : scene->n_frames};
}

/* The first event of the class from *i on, with those whose windows overlap; *i is moved behind them. */
static bool next_window(const tin_scene *scene, const tin_margins *margins, int class_index, size_t *i, window *next)
{
    bool found = false;
    for (; *i < scene->n_events; ++*i) {
        if (scene->events[*i].class_index != class_index) {
            continue;
        }
        window own = window_of(scene, margins, *i);
        if (found && own.start >= next->end) {
            break;
        }
        *next = (window){found ? next->start : own.start, own.end};
        found = true;
    }
    return found;
}

/* What a trigger costs at `frame` in no window, after the window `last`; end 0: there was none. */
static double false_score(int64_t frame, window last)
{
    int64_t width = last.end - last.start;
    double position =
        last.end > 0 && width > 1 ? (double)(frame - last.end + 1) / (double)(width - 1) : (double)INFINITY;
    return FALSE_POSITIVE_WEIGHT * sigmoid(position);
}

/* What a trigger is worth at `frame` of its window. */
static double true_score(int64_t frame, window w)
{
    return sigmoid(-(double)(w.end - frame) / (double)(w.end - w.start)) / sigmoid(-1);
}

void tin_nab_count(const tin_scene *scene, const tin_detection *detection, const tin_margins *margins, int class_index,
                   tin_event_counts *counts)
{
    size_t event = 0;
    window last = {0, 0}, now = {0, 0};
    bool more = next_window(scene, margins, class_index, &event, &now), reported = false;
    int64_t windows = 0;
    double score = 0;
    for (size_t j = 0; j < detection->n_triggers; j++) {
        int64_t frame = detection->triggers[j].frame;
        if (detection->triggers[j].class_index != class_index) {
            continue;
        }
        while (more && now.end <= frame) {
            score -= reported ? 0 : 1;
            windows++;
            last = now;
            reported = false;
            more = next_window(scene, margins, class_index, &event, &now);
        }
        if (!more || frame < now.start) {
            score += false_score(frame, last);
        } else if (!reported) { /* later ones are worth less */
            score += true_score(frame, now);
            reported = true;
        }
    }
    for (; more; more = next_window(scene, margins, class_index, &event, &now)) {
        score -= reported ? 0 : 1;
        windows++;
        reported = false;
    }
    counts->nab_windows += windows;
    counts->nab_billionths += llround(1e9 * score);
}
