#include "evaluate/person_result.h"

#include <math.h>
#include <string.h>

const tin_figure_name tin_figure_names[TIN_FIGURE_COUNT] = {
#define X(figure, section, key, better) {TIN_SECTION_##section, key, better},
    TIN_FIGURE_LIST(X)
#undef X
};

static void add_classes(tin_class_figures *sum, const tin_class_figures *other, int n_classes)
{
    for (int k = 0; k < n_classes && sum != NULL && other != NULL; k++) {
        sum[k].n_true += other[k].n_true;
        sum[k].n_predicted += other[k].n_predicted;
        sum[k].n_right += other[k].n_right;
    }
}

void tin_person_result_add(tin_person_result *sum, const tin_person_result *other, int n_classes)
{
    add_classes(sum->per_class, other->per_class, n_classes);
    add_classes(sum->forgiven, other->forgiven, n_classes);
    for (int k = 0; k < n_classes && sum->events_of != NULL; k++) {
        tin_event_counts_add(&sum->events_of[k], &other->events_of[k], 1);
    }
    tin_event_counts_add(&sum->events, &other->events, 1);
    sum->n_windows += other->n_windows;
    sum->windows_right += other->windows_right;
}

/* Of counts that stay as they are. */
static tin_frame_figures frames_of(const tin_class_figures *per_class, int n_classes)
{
    tin_class_figures copy[TIN_MAX_CLASSES];
    tin_frame_figures frames = {0, (double)NAN, (double)NAN, (double)NAN};
    if (per_class != NULL) {
        memcpy(copy, per_class, (size_t)n_classes * sizeof *copy);
        tin_class_figures_finish(copy, n_classes, &frames);
    }
    return frames;
}

void tin_person_figures(const tin_person_result *person, int n_classes, double rate_hz, double *figures)
{
    tin_frame_figures frames = frames_of(person->per_class, n_classes);
    tin_frame_figures forgiven = frames_of(person->forgiven, n_classes);
    tin_event_figures e = tin_event_figures_of(&person->events, rate_hz);
    figures[TIN_FIGURE_ACCURACY] = frames.accuracy;
    figures[TIN_FIGURE_BALANCED_ACCURACY] = frames.balanced_accuracy;
    figures[TIN_FIGURE_MACRO_F1] = frames.macro_f1;
    figures[TIN_FIGURE_ACCURACY_WITH_MARGINS] = forgiven.accuracy;
    figures[TIN_FIGURE_BALANCED_ACCURACY_WITH_MARGINS] = forgiven.balanced_accuracy;
    figures[TIN_FIGURE_MACRO_F1_WITH_MARGINS] = forgiven.macro_f1;
    figures[TIN_FIGURE_WINDOW_ACCURACY] =
        person->n_windows > 0 ? (double)person->windows_right / (double)person->n_windows : (double)NAN;
    figures[TIN_FIGURE_FNR] = e.fnr;
    figures[TIN_FIGURE_FCR] = e.fcr;
    figures[TIN_FIGURE_FNR_PLUS_FCR] = e.fnr + e.fcr;
    figures[TIN_FIGURE_RECALL] = e.recall;
    figures[TIN_FIGURE_DEADLINE_RECALL] = e.deadline_recall;
    figures[TIN_FIGURE_PRECISION] = e.precision;
    figures[TIN_FIGURE_EVENT_F1] = e.f1;
    figures[TIN_FIGURE_FP_PER_HOUR] = e.fp_per_hour;
    figures[TIN_FIGURE_LATENCY_MEAN] = e.latency_mean_s;
    figures[TIN_FIGURE_IOU50_F1] = e.iou50_f1;
    figures[TIN_FIGURE_IOU75_F1] = e.iou75_f1;
    figures[TIN_FIGURE_FALSE_ACTIVE] = e.false_active_share;
    figures[TIN_FIGURE_SEGMENT_F1] = e.segment_f1;
    figures[TIN_FIGURE_ONSET_F1] = e.onset_f1;
    figures[TIN_FIGURE_ONSET_OFFSET_F1] = e.onset_offset_f1;
    figures[TIN_FIGURE_START_ERROR] = e.start_error_s;
    figures[TIN_FIGURE_END_ERROR] = e.end_error_s;
    figures[TIN_FIGURE_NAB_SCORE] = e.nab_score;
}
