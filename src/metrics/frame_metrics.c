#include "metrics/frame_metrics.h"

#include <math.h>

int tin_argmax_s16(const int16_t *scores, int n_classes)
{
    int best = 0;
    for (int k = 1; k < n_classes; k++) {
        if (scores[k] > scores[best]) {
            best = k;
        }
    }
    return best;
}

void tin_frame_predictions(const int16_t *scores, int64_t n_decisions, int n_classes, tin_timing timing,
                           int64_t n_frames, int16_t *predictions)
{
    int64_t j = 0; /* decisions that have come */
    int16_t held = 0;
    const int ago = timing.delay + timing.latency;
    for (int64_t t = 0; t < n_frames + ago; t++) {
        if (t < n_frames && j < n_decisions && t == timing.hop * (j + 1) - 1 + timing.latency) {
            held = (int16_t)tin_argmax_s16(scores + j++ * n_classes, n_classes);
        }
        if (t >= ago) {
            predictions[t - ago] = held;
        }
    }
}

void tin_frame_count(const int16_t *labels, const int16_t *predictions, int64_t n_frames, int n_classes,
                     int64_t *confusion)
{
    for (int64_t t = 0; t < n_frames; t++) {
        if (labels[t] != TIN_LABEL_IGNORE) {
            confusion[(int64_t)labels[t] * n_classes + predictions[t]]++;
        }
    }
}

static double ratio(int64_t part, int64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : (double)NAN;
}

static void count_frame(int16_t label, int16_t prediction, tin_class_figures *per_class)
{
    per_class[label].n_true++;
    per_class[prediction].n_predicted++;
    per_class[label].n_right += label == prediction;
}

void tin_class_count(const int16_t *labels, const int16_t *predictions, int64_t n_frames, tin_class_figures *per_class)
{
    for (int64_t t = 0; t < n_frames; t++) {
        if (labels[t] != TIN_LABEL_IGNORE) {
            count_frame(labels[t], predictions[t], per_class);
        }
    }
}

/* Whether frame t lies in the margin of an event of class_index; events from `first` on are looked at. */
static bool in_margin(int64_t t, int16_t class_index, const tin_interval *events, size_t first, size_t n_events,
                      const tin_margins *margins)
{
    for (size_t i = first; i < n_events && events[i].start - margins->most.early <= t; i++) {
        const tin_interval *event = &events[i];
        bool in_window = t >= tin_window_start(margins, event) && t < tin_window_end(margins, event);
        bool inside = t >= event->start && t < event->end;
        if (in_window && !inside && event->class_index == class_index) {
            return true;
        }
    }
    return false;
}

void tin_class_count_with_margins(const int16_t *labels, const int16_t *predictions, int64_t n_frames,
                                  const tin_interval *events, size_t n_events, const tin_margins *margins,
                                  tin_class_figures *per_class)
{
    size_t first = 0; /* first event whose late margin is not over */
    for (int64_t t = 0; t < n_frames; t++) {
        int16_t label = labels[t], prediction = predictions[t];
        while (first < n_events && events[first].end + margins->most.late <= t) {
            first++;
        }
        if (label != TIN_LABEL_IGNORE) {
            bool forgiven = label != prediction && in_margin(t, prediction, events, first, n_events, margins);
            count_frame(forgiven ? prediction : label, prediction, per_class);
        }
    }
}

void tin_class_figures_finish(tin_class_figures *per_class, int n_classes, tin_frame_figures *figures)
{
    int64_t total = 0, right = 0;
    int n_true = 0, n_seen = 0;
    double recalls = 0, f1s = 0;
    for (int k = 0; k < n_classes; k++) {
        tin_class_figures *f = &per_class[k];
        f->precision = ratio(f->n_right, f->n_predicted);
        f->recall = ratio(f->n_right, f->n_true);
        f->f1 = ratio(2 * f->n_right, f->n_true + f->n_predicted);
        total += f->n_true;
        right += f->n_right;
        if (f->n_true > 0) {
            n_true++;
            recalls += f->recall;
        }
        if (f->n_true + f->n_predicted > 0) {
            n_seen++;
            f1s += f->f1;
        }
    }
    figures->n_frames = total;
    figures->accuracy = ratio(right, total);
    figures->balanced_accuracy = n_true > 0 ? recalls / n_true : (double)NAN;
    figures->macro_f1 = n_seen > 0 ? f1s / n_seen : (double)NAN;
}

void tin_frame_figures_of(const int64_t *confusion, int n_classes, tin_frame_figures *figures,
                          tin_class_figures *per_class)
{
    for (int k = 0; k < n_classes; k++) {
        per_class[k] = (tin_class_figures){.n_right = confusion[k * n_classes + k]};
        for (int i = 0; i < n_classes; i++) {
            per_class[k].n_true += confusion[k * n_classes + i];
            per_class[k].n_predicted += confusion[i * n_classes + k];
        }
    }
    tin_class_figures_finish(per_class, n_classes, figures);
}
