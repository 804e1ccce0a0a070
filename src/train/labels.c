#include "train/labels.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

int64_t tin_labels_run_end(const tin_labels *labels, int64_t start)
{
    enum { AT_ONCE = 16 }; /* compared together, in vectors */
    int64_t end = start + 1;
    for (int differs = 0; end + AT_ONCE <= labels->n_frames; end += AT_ONCE) {
        for (int i = 0; i < AT_ONCE; i++) {
            differs |= labels->label[end + i] ^ labels->label[start];
        }
        if (differs) {
            break;
        }
    }
    while (end < labels->n_frames && labels->label[end] == labels->label[start]) {
        end++;
    }
    return end;
}

/* The frames up to `border` before and after border frame e belong partly to the other side: half of it at the border,
 * nothing at `border` frames from it. A run shorter than twice that goes to the nearer of its borders. */
static void soften(tin_labels *labels, int64_t e, double border)
{
    int16_t before = labels->label[e - 1], after = labels->label[e];
    for (int side = 0; side < 2; side++) {
        for (int64_t i = 0; (double)i + 0.5 < border; i++) {
            int64_t t = side ? e + i : e - 1 - i;
            if (t < 0 || t >= labels->n_frames || labels->label[t] != (side ? after : before)) {
                break;
            }
            float share = (float)(0.5 * (1 - ((double)i + 0.5) / border));
            if (share > labels->share[t]) {
                labels->share[t] = share;
                labels->other[t] = side ? before : after;
            }
        }
    }
}

tin_status tin_labels_create(tin_labels *labels, const tin_dataset *dataset, const tin_stream *stream, double border,
                             tin_error *err)
{
    size_t n = (size_t)stream->n_frames;
    memset(labels, 0, sizeof *labels);
    labels->n_frames = stream->n_frames;
    labels->label = tin_alloc(n, sizeof *labels->label, err);
    if (!labels->label) {
        return TIN_ERR_MEMORY;
    }
    tin_dataset_labels(dataset, stream, labels->label);
    if (border <= 0) {
        return TIN_OK;
    }
    labels->other = tin_alloc(n, sizeof *labels->other, err);
    labels->share = tin_alloc(n, sizeof *labels->share, err);
    if (!labels->other || !labels->share) {
        return TIN_ERR_MEMORY;
    }
    for (int64_t e = 1; e < labels->n_frames; e++) {
        if (labels->label[e] != labels->label[e - 1] && labels->label[e] >= 0 && labels->label[e - 1] >= 0) {
            soften(labels, e, border);
        }
    }
    return TIN_OK;
}

void tin_labels_free(tin_labels *labels)
{
    tin_free(labels->label);
    tin_free(labels->other);
    tin_free(labels->share);
    tin_free(labels->weight);
    memset(labels, 0, sizeof *labels);
}

tin_status tin_labels_weigh_margins(tin_labels *labels, double margin, double least, tin_error *err)
{
    labels->weight = tin_alloc((size_t)labels->n_frames, sizeof *labels->weight, err);
    if (!labels->weight) {
        return TIN_ERR_MEMORY;
    }
    for (int64_t t = 0; t < labels->n_frames; t++) {
        labels->weight[t] = 1;
    }
    for (int64_t e = 1; e < labels->n_frames; e++) {
        if (labels->label[e] == labels->label[e - 1] || labels->label[e] < 0 || labels->label[e - 1] < 0) {
            continue;
        }
        for (int64_t i = 0; (double)i + 0.5 < margin; i++) {
            float weight = (float)(least + (1 - least) * ((double)i + 0.5) / margin);
            int64_t sides[2] = {e - 1 - i, e + i};
            for (int k = 0; k < 2; k++) {
                if (sides[k] >= 0 && sides[k] < labels->n_frames && weight < labels->weight[sides[k]]) {
                    labels->weight[sides[k]] = weight;
                }
            }
        }
    }
    return TIN_OK;
}

static bool is_event(const tin_labels *labels, const tin_class *classes, int64_t t)
{
    return labels->label[t] >= 0 && classes[labels->label[t]].event;
}

static double sum_weights(const tin_labels *labels, int64_t start, int64_t end)
{
    double sum = 0;
    for (int64_t t = start; t < end; t++) {
        sum += (double)labels->weight[t];
    }
    return sum;
}

double tin_labels_event_weight(const tin_labels *labels, const tin_class *classes, int64_t *n_events)
{
    double sum = 0;
    for (int64_t start = 0, end; start < labels->n_frames; start = end) {
        end = tin_labels_run_end(labels, start);
        if (is_event(labels, classes, start)) {
            sum += sum_weights(labels, start, end);
            ++*n_events;
        }
    }
    return sum;
}

void tin_labels_balance_events(tin_labels *labels, const tin_class *classes, double mean, double power)
{
    for (int64_t start = 0, end; start < labels->n_frames; start = end) {
        end = tin_labels_run_end(labels, start);
        double sum = is_event(labels, classes, start) ? sum_weights(labels, start, end) : 0;
        float factor = sum > 0 ? (float)pow(mean / sum, power) : 1;
        for (int64_t t = start; t < end; t++) {
            labels->weight[t] *= factor;
        }
    }
}

double tin_labels_add(const tin_labels *labels, int64_t frame, double weight, float *target)
{
    if (frame < 0 || frame >= labels->n_frames || labels->label[frame] < 0) {
        return 0;
    }
    weight *= labels->weight ? (double)labels->weight[frame] : 1;
    double other = labels->share ? weight * (double)labels->share[frame] : 0;
    target[labels->label[frame]] += (float)(weight - other);
    if (other > 0) {
        target[labels->other[frame]] += (float)other;
    }
    return weight;
}
