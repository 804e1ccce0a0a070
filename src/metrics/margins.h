/* The acceptance window of an event, outside of which a trigger is false: from `early` frames before its start to `late`
 * frames after its end, for each class its own; and the deadline after its start. */
#ifndef TIN_MARGINS_H
#define TIN_MARGINS_H

#include "dataset/dataset.h"
#include "project/config.h"

typedef struct tin_margin {
    int64_t early, late; /* frames, >= 0 */
} tin_margin;

typedef struct tin_margins {
    tin_margin of[TIN_MAX_CLASSES]; /* by class */
    tin_margin most;                /* no event has more: bounds a search through events in order of time */
    int64_t deadline;               /* frames from the start of an event; a later trigger is not in time */
    double collar;                  /* frames by which a border may be off and still be right (tin_span_count) */
    double unit;                    /* frames of a unit of time there */
    bool allow_repeats;
} tin_margins;

/* The same margin for all classes; every trigger is in time, no collar, a unit is a frame. */
tin_margins tin_margins_common(int64_t early, int64_t late, bool allow_repeats);
/* The latest whole frame within so many milliseconds, also where the product comes out a hair too small. */
int64_t tin_deadline_frames(double ms, double rate_hz);
/* As the settings say it of the dataset's classes. */
tin_status tin_margins_create(tin_margins *margins, const tin_config_evaluate *settings, const tin_dataset *dataset,
                              tin_error *err) TIN_USE_RESULT;

static inline int64_t tin_window_start(const tin_margins *margins, const tin_interval *event)
{
    return event->start - margins->of[event->class_index].early;
}

static inline int64_t tin_window_end(const tin_margins *margins, const tin_interval *event)
{
    return event->end + margins->of[event->class_index].late;
}

#endif
