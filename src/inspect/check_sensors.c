/* Sensors that stand still, and signals cut off at the end of their range. */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "inspect/check_parts.h"

#define CLIP_RUN 3      /* frames at the end of the range */
#define CLIP_NEAR 0.001 /* share of the signal's range within which a value is "at the end" */
#define CLIP_STEP 0.02  /* share of the signal's range: how far the frames around a run are from it, at least */
#define CLIP_RUNS 3     /* such runs, or CLIP_FRAMES frames in all; at the end of int16 one run is enough */
#define CLIP_FRAMES 10
#define CLIP_WARNING 0.001 /* share of a stream's frames */
#define FROZEN_S 1.0       /* shortest stretch of one value */
#define FROZEN_RATIO 20    /* and so many times the channel's mean run of one value: coarse sensors repeat values */
#define COARSE_LEVELS 128  /* or a sensor is coarse where its range has fewer steps */
#define COARSE_S 10.0    /* coarse sensors repeat values where nothing moves: only such stretches are told, as notes */
#define COARSE_RUN_S 0.1 /* a sensor is coarse where runs between this and FROZEN_S are more than those above it */
#define COARSE_RUNS 5    /* and so many at least */
#define MOST_RUNS 4096   /* frozen runs of one stream that are told apart */

/* One channel of one stream. */
typedef struct shape {
    int least, greatest, resolution; /* counts; resolution: least step that is not 0 */
    int64_t n_runs;                  /* of equal values */
    int64_t n_some, n_long;          /* of COARSE_RUN_S, and of FROZEN_S */
} shape;

typedef struct frozen_run {
    int64_t start, end;
    int channel;
    bool coarse;
} frozen_run;

static shape shape_of(const tin_dataset *d, const tin_stream *s, int channel)
{
    const int16_t *x = s->counts + channel;
    shape h = {x[0], x[0], INT_MAX, 0, 0, 0};
    for (int64_t t = 0, from = 0; t < s->n_frames; t++) {
        int value = x[t * d->n_channels];
        h.least = value < h.least ? value : h.least;
        h.greatest = value > h.greatest ? value : h.greatest;
        int step = t + 1 < s->n_frames ? abs(x[(t + 1) * d->n_channels] - value) : INT_MAX;
        if (step > 0) {
            h.resolution = step < h.resolution ? step : h.resolution;
            double run_s = tin_seconds(d, t + 1 - from);
            h.n_runs++;
            h.n_some += run_s >= COARSE_RUN_S && run_s < FROZEN_S;
            h.n_long += run_s >= FROZEN_S;
            from = t + 1;
        }
    }
    return h;
}

/* sign 1: the upper end, -1: the lower one. */
static tin_status check_end(const tin_checking *c, size_t index, int channel, const shape *h, int sign,
                            tin_findings *findings, tin_error *err)
{
    const tin_dataset *d = c->dataset;
    const tin_stream *s = &d->streams[index];
    const int16_t *x = s->counts + channel;
    int end = sign > 0 ? h->greatest : h->least, range = h->greatest - h->least;
    bool of_counts = end == INT16_MAX || end == INT16_MIN;
    double near = CLIP_NEAR * range, step = CLIP_STEP * range;
    int64_t runs = 0, frames = 0, longest = 0, at = 0;
    for (int64_t t = 0; t < s->n_frames;) {
        int64_t from = t;
        while (t < s->n_frames && sign * (end - x[t * d->n_channels]) <= near) {
            t++;
        }
        int64_t length = t - from;
        if (length == 0) {
            t++;
            continue;
        }
        bool steep = (from == 0 || sign * (end - x[(from - 1) * d->n_channels]) >= step) &&
                     (t == s->n_frames || sign * (end - x[t * d->n_channels]) >= step);
        if (of_counts || (length >= CLIP_RUN && steep)) {
            runs++;
            frames += length;
            at = length > longest ? from : at;
            longest = length > longest ? length : longest;
        }
    }
    if (runs == 0 || (!of_counts && runs < CLIP_RUNS && frames < CLIP_FRAMES)) {
        return TIN_OK;
    }
    double share = (double)frames / (double)s->n_frames;
    tin_finding f = tin_finding_of(TIN_CHECK_SENSOR_CLIPPED, share >= CLIP_WARNING ? TIN_WARNING : TIN_NOTE);
    f.stream = (int64_t)index;
    f.channel = channel;
    f.start = at;
    f.end = at + longest;
    f.value = tin_seconds(d, frames);
    f.limit = CLIP_WARNING * tin_seconds(d, s->n_frames);
    f.rank = share;
    return tin_findings_add(findings, f, err, "%s is cut off at %.4g %s: %lld times, %.2f s in all, %.2f s at most%s",
                            d->channels[channel].name, end * d->channels[channel].scale, d->channels[channel].unit,
                            (long long)runs, f.value, tin_seconds(d, longest),
                            of_counts ? "; that is the end of the counts" : "");
}

/* Runs of one value that are long for this channel. */
static size_t find_frozen(const tin_dataset *d, const tin_stream *s, int channel, const shape *h, frozen_run *runs,
                          size_t n)
{
    const int16_t *x = s->counts + channel;
    bool coarse =
        (h->n_some >= COARSE_RUNS && h->n_some > h->n_long) || (h->greatest - h->least) / h->resolution < COARSE_LEVELS;
    double least =
        fmax((coarse ? COARSE_S : FROZEN_S) * d->rate_hz, FROZEN_RATIO * (double)s->n_frames / (double)h->n_runs);
    for (int64_t t = 0, from = 0; t < s->n_frames && n < MOST_RUNS; t++) {
        if (t + 1 < s->n_frames && x[(t + 1) * d->n_channels] == x[t * d->n_channels]) {
            continue;
        }
        if ((double)(t + 1 - from) >= least) {
            runs[n++] = (frozen_run){from, t + 1, channel, coarse};
        }
        from = t + 1;
    }
    return n;
}

static int by_start(const void *left, const void *right)
{
    const frozen_run *a = left, *b = right;
    return a->start != b->start ? (a->start < b->start ? -1 : 1) : a->channel - b->channel;
}

/* One stretch in which n of the channels stood still together, the first of them in runs[0]. */
static tin_status add_frozen(const tin_checking *c, size_t index, const frozen_run *runs, size_t n, bool coarse,
                             tin_findings *findings, tin_error *err)
{
    const tin_dataset *d = c->dataset;
    bool all = (int)n == d->n_channels && n > 1;
    tin_finding f = tin_finding_of(TIN_CHECK_SENSOR_FROZEN, coarse ? TIN_NOTE : TIN_WARNING);
    f.stream = (int64_t)index;
    f.channel = all ? -1 : runs[0].channel;
    f.start = runs[0].start;
    f.end = runs[0].end;
    f.value = tin_seconds(d, f.end - f.start);
    f.limit = FROZEN_S;
    f.rank = f.value;
    char more[48] = "";
    if (!all && n > 1) {
        snprintf(more, sizeof more, " and %zu more channel%s", n - 1, n == 2 ? "" : "s");
    }
    return tin_findings_add(findings, f, err, "%s%s stand%s still for %.1f s%s",
                            all ? "all channels" : d->channels[runs[0].channel].name, more, n > 1 ? "" : "s", f.value,
                            coarse ? " (or nothing moved: the sensor's steps are coarse)" : "");
}

static tin_status join_frozen(const tin_checking *c, size_t index, frozen_run *runs, size_t n, tin_findings *findings,
                              tin_error *err)
{
    tin_status status = TIN_OK;
    if (n > 0) {
        qsort(runs, n, sizeof *runs, by_start);
    }
    for (size_t i = 0; i < n && !status;) {
        size_t k = i;
        bool coarse = true;
        int64_t slack = (runs[i].end - runs[i].start) / 10 + 2;
        while (k < n && runs[k].start <= runs[i].start + slack && llabs(runs[k].end - runs[i].end) <= slack &&
               (k == i || runs[k].channel != runs[k - 1].channel)) {
            coarse = coarse && runs[k].coarse;
            k++;
        }
        status = add_frozen(c, index, runs + i, k - i, coarse, findings, err);
        i = k;
    }
    return status;
}

static tin_status add_dead(const tin_checking *c, size_t index, int channel, int value, tin_findings *findings,
                           tin_error *err)
{
    const tin_channel *ch = &c->dataset->channels[channel];
    tin_finding f = tin_finding_of(TIN_CHECK_SENSOR_FROZEN, TIN_FAULT);
    f.stream = (int64_t)index;
    f.channel = channel;
    f.value = tin_seconds(c->dataset, c->dataset->streams[index].n_frames);
    f.limit = FROZEN_S;
    return tin_findings_add(findings, f, err, "%s is %.4g %s in the whole recording", ch->name, value * ch->scale,
                            ch->unit);
}

static tin_status check_stream(void *context, size_t index, tin_findings *findings, tin_error *err)
{
    const tin_checking *c = context;
    const tin_dataset *d = c->dataset;
    const tin_stream *s = &d->streams[index];
    size_t n = 0;
    tin_status status = TIN_OK;
    frozen_run *runs = tin_alloc(MOST_RUNS, sizeof *runs, err);
    if (!runs) {
        return TIN_ERR_MEMORY;
    }
    for (int channel = 0; channel < d->n_channels && !status; channel++) {
        shape h = shape_of(d, s, channel);
        if (h.n_runs == 1) {
            status =
                tin_seconds(d, s->n_frames) >= FROZEN_S ? add_dead(c, index, channel, h.least, findings, err) : TIN_OK;
            continue;
        }
        status = check_end(c, index, channel, &h, 1, findings, err);
        status = status ? status : check_end(c, index, channel, &h, -1, findings, err);
        n = find_frozen(d, s, channel, &h, runs, n);
    }
    status = status ? status : join_frozen(c, index, runs, n, findings, err);
    tin_free(runs);
    return status;
}

tin_status tin_check_sensors(tin_checking *c, tin_error *err)
{
    return tin_check_parallel(c, "check sensors", c->dataset->n_streams, check_stream, c, err);
}
