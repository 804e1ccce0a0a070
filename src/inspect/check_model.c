/* Labels that a trained model contradicts, as confident learning ranks them (Northcutt, Jiang and Chuang, Confident
 * Learning, JAIR 2021): a label counts as contradicted where another class is about as probable as that class is, on
 * average, where it is labelled; ranked by the margin between the two. The unit is the labelled interval. */
#include "inspect/model_scores.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "inspect/check_parts.h"
#include "model/replay.h"

#define AS_SURE 0.8      /* share of the class's usual probability that the other class has, at least */
#define LEAST_MARGIN 0.2 /* of the other class before the label's */
#define SKIPPED 0.25     /* share of an interval at its begin where a causal model cannot know yet */
#define MISSED_FAR_S 0.5 /* an event that only the model sees is so far from labelled ones, at least */
#define MISSED_LEAST_S 0.2

#define PART 256 /* decisions that are made at a time */

struct tin_model_scores {
    const tin_qmodel *model;
    tin_replay *replay;
    int16_t *logits; /* [PART][n_classes] of decisions first..first+n-1 */
    const int16_t *counts;
    int64_t n_decisions, at, first, n;
};

tin_status tin_model_scores_create(tin_model_scores **scores, const tin_qmodel *model, tin_error *err)
{
    *scores = NULL;
    tin_model_scores *s = tin_alloc(1, sizeof *s, err);
    if (!s) {
        return TIN_ERR_MEMORY;
    }
    s->model = model;
    s->logits = tin_alloc((size_t)PART * (size_t)model->n_classes, sizeof *s->logits, err);
    tin_status status = s->logits ? tin_replay_create(&s->replay, model, TIN_REPLAY_BEST, err) : TIN_ERR_MEMORY;
    if (status) {
        tin_model_scores_free(s);
        return status;
    }
    *scores = s;
    return TIN_OK;
}

void tin_model_scores_free(tin_model_scores *scores)
{
    if (scores) {
        tin_replay_free(scores->replay);
        tin_free(scores->logits);
        tin_free(scores);
    }
}

void tin_model_scores_begin(tin_model_scores *scores, const int16_t *counts, int64_t n_frames)
{
    tin_replay_reset(scores->replay);
    scores->counts = counts;
    scores->n_decisions = n_frames / scores->model->hop;
    scores->at = scores->first = scores->n = 0;
}

/* The logits of the next decision; NULL when there is none. */
static const int16_t *next_logits(tin_model_scores *s)
{
    const tin_qmodel *m = s->model;
    if (s->at == s->n_decisions) {
        return NULL;
    }
    if (s->at == s->first + s->n) {
        s->first = s->at;
        s->n = s->n_decisions - s->at < PART ? s->n_decisions - s->at : PART;
        (void)tin_replay_run(s->replay, s->counts + s->first * m->hop * m->n_channels, s->n * m->hop, s->logits);
    }
    return s->logits + (s->at++ - s->first) * m->n_classes;
}

bool tin_model_scores_next(tin_model_scores *scores, float *probabilities, int64_t *frame)
{
    const int n = scores->model->n_classes;
    const int16_t *logits = next_logits(scores);
    if (!logits) {
        return false;
    }
    *frame = scores->at * scores->model->hop - 1;
    int most = logits[0];
    double sum = 0;
    for (int k = 1; k < n; k++) {
        most = logits[k] > most ? logits[k] : most;
    }
    for (int k = 0; k < n; k++) {
        probabilities[k] = (float)exp((logits[k] - most) / 256.0);
        sum += (double)probabilities[k];
    }
    for (int k = 0; k < n; k++) {
        probabilities[k] = (float)((double)probabilities[k] / sum);
    }
    return true;
}

/* A stretch without a labelled event in which the model sees one class. */
typedef struct sighting {
    size_t stream;
    int64_t start, end;
    int32_t class_index;
    double probability; /* mean */
} sighting;

typedef struct model_work {
    const tin_dataset *dataset;
    const tin_qmodel *model;
    struct {
        float *means; /* [n_intervals][n_classes]; the first of a row is negative: no decision fell into it */
        sighting *sightings;
        size_t n, capacity;
    } * of_stream;
} model_work;

static tin_status keep(model_work *w, size_t index, sighting seen, tin_error *err)
{
    size_t n = w->of_stream[index].n, capacity = w->of_stream[index].capacity;
    if (n == capacity) {
        sighting *grown = n ? tin_grow(w->of_stream[index].sightings, n, 2 * n, sizeof *grown, err)
                            : tin_alloc(16, sizeof *grown, err);
        if (!grown) {
            return TIN_ERR_MEMORY;
        }
        w->of_stream[index].sightings = grown;
        w->of_stream[index].capacity = n ? 2 * n : 16;
    }
    w->of_stream[index].sightings[w->of_stream[index].n++] = seen;
    return TIN_OK;
}

/* Whether frame t counts as background, far enough from the labels around. *at: first interval that ends behind it. */
static bool is_quiet(const tin_dataset *d, const tin_stream *s, int64_t t, size_t at)
{
    int64_t far = (int64_t)(MISSED_FAR_S * d->rate_hz);
    for (size_t i = at > 0 ? at - 1 : 0; i < s->n_intervals && s->intervals[i].start <= t + far; i++) {
        const tin_interval *v = &s->intervals[i];
        bool event = v->class_index >= 0 && d->classes[v->class_index].event;
        if ((event && v->end > t - far) || (v->class_index < 0 && v->start <= t && t < v->end)) {
            return false;
        }
    }
    bool inside = at < s->n_intervals && s->intervals[at].start <= t;
    return inside || d->unlabelled != TIN_LABEL_IGNORE;
}

/* One decision about frame t. */
static tin_status take_decision(model_work *w, size_t index, size_t at, int64_t t, const float *p, int64_t *counts,
                                sighting *seen, tin_error *err)
{
    const tin_dataset *d = w->dataset;
    const tin_stream *s = &d->streams[index];
    const int n = d->n_classes;
    if (at < s->n_intervals) {
        const tin_interval *v = &s->intervals[at];
        if ((double)t >= (double)v->start + SKIPPED * (double)(v->end - v->start)) {
            for (int k = 0; k < n; k++) {
                w->of_stream[index].means[(int64_t)at * n + k] += p[k];
            }
            counts[at]++;
        }
    }
    int best = 0;
    for (int k = 1; k < n; k++) {
        best = p[k] > p[best] ? k : best;
    }
    bool goes_on = d->classes[best].event && is_quiet(d, s, t, at);
    tin_status status = TIN_OK;
    if (seen->class_index >= 0 && (!goes_on || seen->class_index != best)) {
        seen->probability /= (double)(seen->end - seen->start) / w->model->hop;
        if (tin_seconds(d, seen->end - seen->start) >= MISSED_LEAST_S) {
            status = keep(w, index, *seen, err);
        }
        seen->class_index = -1;
    }
    if (goes_on) {
        if (seen->class_index < 0) {
            *seen = (sighting){.stream = index, .start = t, .end = t, .class_index = best};
        }
        seen->end = t + w->model->hop;
        seen->probability += (double)p[best];
    }
    return status;
}

static tin_status score_stream(void *context, size_t index, tin_findings *findings, tin_error *err)
{
    (void)findings;
    model_work *w = context;
    const tin_dataset *d = w->dataset;
    const tin_stream *s = &d->streams[index];
    tin_model_scores *scores = NULL;
    float p[TIN_MAX_CLASSES];
    sighting seen = {.class_index = -1};
    size_t at = 0;
    int64_t *counts = tin_alloc(s->n_intervals, sizeof *counts, err);
    w->of_stream[index].means = tin_alloc(s->n_intervals * (size_t)d->n_classes, sizeof(float), err);
    tin_status status = counts && w->of_stream[index].means ? TIN_OK : TIN_ERR_MEMORY;
    status = status ? status : tin_model_scores_create(&scores, w->model, err);
    if (!status) {
        tin_model_scores_begin(scores, s->counts, s->n_frames);
    }
    for (int64_t f; !status && tin_model_scores_next(scores, p, &f);) {
        int64_t t = f - w->model->delay; /* the frame that the decision speaks of */
        while (at < s->n_intervals && s->intervals[at].end <= t) {
            at++;
        }
        if (t >= 0) {
            status = take_decision(w, index, at, t, p, counts, &seen, err);
        }
    }
    for (size_t i = 0; i < s->n_intervals && !status; i++) {
        float *mean = w->of_stream[index].means + i * (size_t)d->n_classes;
        for (int k = 0; k < d->n_classes; k++) {
            mean[k] = counts[i] > 0 ? mean[k] / (float)counts[i] : -1;
        }
    }
    tin_free(counts);
    tin_model_scores_free(scores);
    return status;
}

/* thresholds[k]: AS_SURE of the mean probability of class k over the intervals that are labelled k; 2 where there is none. */
static void take_thresholds(const model_work *w, double thresholds[TIN_MAX_CLASSES])
{
    const tin_dataset *d = w->dataset;
    int64_t n[TIN_MAX_CLASSES] = {0};
    double sums[TIN_MAX_CLASSES] = {0};
    for (size_t i = 0; i < d->n_streams; i++) {
        for (size_t j = 0; j < d->streams[i].n_intervals; j++) {
            int32_t k = d->streams[i].intervals[j].class_index;
            const float *mean = w->of_stream[i].means + j * (size_t)d->n_classes;
            if (k >= 0 && mean[0] >= 0) {
                sums[k] += (double)mean[k];
                n[k]++;
            }
        }
    }
    for (int k = 0; k < d->n_classes; k++) {
        thresholds[k] = n[k] > 0 ? AS_SURE * sums[k] / (double)n[k] : 2;
    }
}

static const char *seen_by(const tin_stream *s)
{
    return s->role == TIN_ROLE_TRAIN ? "; it was trained on this label" : "";
}

static tin_status check_interval(tin_checking *c, const model_work *w, size_t i, size_t j, const double *thresholds,
                                 tin_error *err)
{
    const tin_dataset *d = c->dataset;
    const tin_stream *s = &d->streams[i];
    const tin_interval *v = &s->intervals[j];
    const float *p = w->of_stream[i].means + j * (size_t)d->n_classes;
    if (v->class_index < 0 || p[0] < 0) {
        return TIN_OK;
    }
    int best = -1;
    for (int k = 0; k < d->n_classes; k++) {
        if (k != v->class_index && (double)p[k] >= thresholds[k] && (best < 0 || p[k] > p[best])) {
            best = k;
        }
    }
    double margin = best < 0 ? 0 : (double)(p[best] - p[v->class_index]);
    if (margin < LEAST_MARGIN) {
        return TIN_OK;
    }
    tin_finding f = tin_finding_of(TIN_CHECK_CONTRADICTED, TIN_NOTE);
    f.stream = (int64_t)i;
    f.start = v->start;
    f.end = v->end;
    f.class_index = v->class_index;
    f.suggested = best;
    f.value = margin;
    f.limit = LEAST_MARGIN;
    f.rank = margin;
    return tin_findings_add(c->findings, f, err,
                            "labelled '%s' (probability %.2f), the model says '%s' (%.2f), mean over %.2f s%s",
                            d->classes[v->class_index].name, (double)p[v->class_index], d->classes[best].name,
                            (double)p[best], tin_seconds(d, v->end - v->start), seen_by(s));
}

static tin_status add_sighting(tin_checking *c, const sighting *seen, const double *thresholds, tin_error *err)
{
    const tin_dataset *d = c->dataset;
    if (seen->probability < thresholds[seen->class_index]) {
        return TIN_OK;
    }
    tin_finding f = tin_finding_of(TIN_CHECK_MISSED, TIN_NOTE);
    f.stream = (int64_t)seen->stream;
    f.start = seen->start;
    f.end = seen->end < d->streams[seen->stream].n_frames ? seen->end : d->streams[seen->stream].n_frames;
    f.suggested = seen->class_index;
    f.value = seen->probability;
    f.limit = thresholds[seen->class_index];
    f.rank = seen->probability * tin_seconds(d, f.end - f.start);
    return tin_findings_add(c->findings, f, err,
                            "the model sees '%s' for %.2f s (probability %.2f), nobody labelled it%s",
                            d->classes[seen->class_index].name, tin_seconds(d, f.end - f.start), seen->probability,
                            seen_by(&d->streams[seen->stream]));
}

static tin_status check_fit(const tin_dataset *d, const tin_qmodel *m, tin_error *err)
{
    bool fits = m->n_channels == d->n_channels && m->n_classes == d->n_classes;
    for (int k = 0; fits && k < d->n_classes; k++) {
        fits = strcmp(m->classes[k].name, d->classes[k].name) == 0;
    }
    return fits ? TIN_OK
                : tin_fail(err, TIN_ERR_MODEL,
                           "the run's model has %d channels and %d classes, not the dataset's %d and %d by the same "
                           "names; give a run of this dataset",
                           m->n_channels, m->n_classes, d->n_channels, d->n_classes);
}

tin_status tin_check_model(tin_checking *c, tin_error *err)
{
    const tin_dataset *d = c->dataset;
    model_work w = {.dataset = d, .model = c->options->model};
    if (!w.model) {
        return TIN_OK;
    }
    tin_status status = check_fit(d, w.model, err);
    if (status) {
        return status;
    }
    w.of_stream = tin_alloc(d->n_streams, sizeof *w.of_stream, err);
    if (!w.of_stream) {
        return TIN_ERR_MEMORY;
    }
    status = tin_check_parallel(c, "check by the model", d->n_streams, score_stream, &w, err);
    if (!status) {
        double thresholds[TIN_MAX_CLASSES];
        take_thresholds(&w, thresholds);
        for (size_t i = 0; i < d->n_streams && !status; i++) {
            for (size_t j = 0; j < d->streams[i].n_intervals && !status; j++) {
                status = check_interval(c, &w, i, j, thresholds, err);
            }
            for (size_t j = 0; j < w.of_stream[i].n && !status; j++) {
                status = add_sighting(c, &w.of_stream[i].sightings[j], thresholds, err);
            }
        }
    }
    for (size_t i = 0; i < d->n_streams; i++) {
        tin_free(w.of_stream[i].means);
        tin_free(w.of_stream[i].sightings);
    }
    tin_free(w.of_stream);
    return status;
}
