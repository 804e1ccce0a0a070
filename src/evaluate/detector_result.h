/* All figures of one detector (a model with its rule, or a trivial one) on one set of streams: totals, classes, people,
 * confidence. */
#ifndef TIN_DETECTOR_RESULT_H
#define TIN_DETECTOR_RESULT_H

#include "evaluate/person_result.h"
#include "evaluate/score_streams.h"
#include "evaluate/statistics.h"
#include "metrics/psds.h"

typedef struct tin_detector_result {
    int n_classes;
    double rate_hz;
    const tin_class *classes;  /* borrowed from the dataset */
    int64_t *confusion;        /* [n_classes][n_classes] frames: row label, column prediction */
    int64_t *event_confusion;  /* [n_classes + 1][n_classes + 1]: row true class, column class of the trigger; the last
                                  row is "no event"  (false triggers), the last column "no trigger" (missed). Duplicates
                                  are in no cell. */
    tin_person_result total;   /* name "" */
    tin_person_result *people; /* [n_people] in the order of the dataset */
    size_t n_people;
    tin_class_figures *per_class; /* and forgiven, of total and people */
    tin_event_counts *events_of;  /* of total and people */
    /* memory of all that is in seconds, of which there are at most as many as events: the latencies of the total, of
     * people, of each class, and the borders */
    double *seconds;
    size_t n_events;
    tin_latencies latencies_of[TIN_MAX_CLASSES];
    double *starts, *ends; /* [n_borders] by which segments start and end later than their events, ascending likewise */
    size_t n_borders;
    /* set by tin_detector_result_finish, as are the ratios inside total and people */
    double psds[TIN_PSDS_KINDS]; /* by tin_psds_sweep, over n_thresholds; 0 thresholds: was not asked for */
    size_t n_thresholds;
    double figures[TIN_FIGURE_COUNT];
    tin_bounds bounds[TIN_FIGURE_COUNT]; /* over people */
    size_t worst[TIN_FIGURE_COUNT]; /* index of the worst person, the first one on a tie; n_people: nobody has it */
} tin_detector_result;

/* People are those of `set`. */
tin_status tin_detector_result_create(tin_detector_result *result, const tin_dataset *dataset,
                                      const tin_scored_set *set, tin_error *err) TIN_USE_RESULT;
/* Adds one stream. predictions [n_frames]. outcomes [n_events] and kinds [n_triggers] are filled. */
tin_status tin_detector_result_add(tin_detector_result *result, const tin_scored_stream *stream,
                                   const int16_t *predictions, const tin_detection *detection,
                                   const tin_margins *margins, tin_event_outcome *outcomes, tin_trigger_kind *kinds,
                                   tin_error *err) TIN_USE_RESULT;
/* Figures and bounds. resamples 0: no bootstrap. */
tin_status tin_detector_result_finish(tin_detector_result *result, int resamples, uint64_t seed,
                                      tin_error *err) TIN_USE_RESULT;
void tin_detector_result_free(tin_detector_result *result);

#endif
