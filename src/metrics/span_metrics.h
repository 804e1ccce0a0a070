/* How well the segments that the device holds an event active fit the events themselves: segment-based and event-based
 * figures as sed_eval defines them (Mesaros, Heittola, Virtanen: Metrics for polyphonic sound event detection, Applied
 * Sciences 6, 2016), and by how much borders are off. docs/metrics.md, "Segments". */
#ifndef TIN_SPAN_METRICS_H
#define TIN_SPAN_METRICS_H

#include "metrics/event_metrics.h"

/* A segment and the event that it was matched to with an IoU of at least 0.5: frames by which it starts and ends later. */
typedef struct tin_border {
    int64_t start, end;
} tin_border;

/* Adds units_true .. end_error of one stream to `all`, and the part of each class to of_class [n_classes]. borders
 * [n_events] gets *n_borders pairs. Uses margins->unit and ->collar; acceptance windows play no part. */
tin_status tin_span_count(const tin_scene *scene, const tin_detection *detection, const tin_margins *margins,
                          tin_event_counts *all, tin_event_counts *of_class, tin_border *borders, size_t *n_borders,
                          tin_error *err) TIN_USE_RESULT;

/* Segments matched to events one to one, as many as can be, by class and start, and by their end too when `ends`: starts
 * are at most `collar` frames apart, ends at most `collar` or half of the event's length. match [n_events] gets the segment
 * of each event, SIZE_MAX for none. Which ones are matched may be a choice, how many of each class is not. */
tin_status tin_collar_match(const tin_scene *scene, const tin_detection *detection, double collar, bool ends,
                            size_t *match, tin_error *err) TIN_USE_RESULT;

#endif
