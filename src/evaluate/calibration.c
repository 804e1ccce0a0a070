#include "evaluate/calibration.h"

#include <math.h>

#include "model/qmodel.h"

/* The greatest softmax of one decision: 1 / sum_k exp(z_k - max z). */
static double confidence_of(const int16_t *scores, int n_classes, int best)
{
    double sum = 0;
    for (int k = 0; k < n_classes; k++) {
        sum += exp((double)(scores[k] - scores[best]) / TIN_SCORE_ONE);
    }
    return 1 / sum;
}

static int bin_of(double confidence)
{
    int bin = (int)ceil(confidence * TIN_CALIBRATION_BINS) - 1;
    return bin < 0 ? 0 : bin >= TIN_CALIBRATION_BINS ? TIN_CALIBRATION_BINS - 1 : bin;
}

/* The frames [from, to) that a decision speaks of. */
static void add_decision(tin_calibration *c, const tin_scored_set *set, const tin_scored_stream *s, int64_t decision,
                         int64_t from, int64_t to)
{
    const int16_t *scores = s->scores + decision * set->n_classes;
    const int best = tin_argmax_s16(scores, set->n_classes);
    const double confidence = confidence_of(scores, set->n_classes, best);
    tin_calibration_bin *bin = &c->bins[bin_of(confidence)];
    for (int64_t t = from < 0 ? 0 : from; t < to; t++) {
        if (s->labels[t] != TIN_LABEL_IGNORE) {
            bin->n++;
            bin->n_right += s->labels[t] == best;
            bin->confidence += confidence;
        }
    }
}

void tin_calibration_measure(tin_calibration *c, const tin_scored_set *set)
{
    double off = 0, confidence = 0;
    int64_t right = 0;
    *c = (tin_calibration){0};
    for (size_t i = 0; i < set->n; i++) {
        const tin_scored_stream *s = &set->items[i];
        const int64_t n_frames = s->stream->n_frames, hop = set->timing.hop;
        for (int64_t j = 0; j < s->n_decisions && hop * (j + 1) - 1 + set->timing.latency < n_frames; j++) {
            /* as in tin_frame_predictions: the last one that came speaks to the end */
            const bool last = j + 1 == s->n_decisions || hop * (j + 2) - 1 + set->timing.latency >= n_frames;
            const int64_t from = hop * (j + 1) - 1 - set->timing.delay;
            add_decision(c, set, s, j, from, last || from + hop > n_frames ? n_frames : from + hop);
        }
        tin_scored_stream_forget(set, s);
    }
    for (int b = 0; b < TIN_CALIBRATION_BINS; b++) {
        c->n += c->bins[b].n;
        right += c->bins[b].n_right;
        confidence += c->bins[b].confidence;
        off += fabs((double)c->bins[b].n_right - c->bins[b].confidence);
    }
    c->ece = c->n > 0 ? off / (double)c->n : (double)NAN;
    c->overconfident = c->n > 0 ? (confidence - (double)right) / (double)c->n : (double)NAN;
}
