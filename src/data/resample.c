/* From samples at their own times to frames at the project's rate. docs/data.md gives the rules. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/recording.h"

#define GAP_PERIODS 5.0     /* of the slower of recording and dataset */
#define GRID_TOLERANCE 0.01 /* of a frame: samples this near their frame's time are taken as they are */
#define ROUNDING 1e-9       /* seconds: more than the rounding of times, less than any clock's tick */
#define MAX_STRETCH 100.0   /* frames per sample: more is a wrong time unit, not a slow sensor */

static int compare_double(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Samples with equal times become one, their mean. */
static size_t average_duplicates(tin_track *t)
{
    const size_t width = (size_t)t->n_channels;
    size_t kept = 0;
    if (t->times == NULL)
        return 0;
    for (size_t i = 0; i < t->n_samples;) {
        size_t end = i + 1;
        double *to = t->values + kept * width;
        const double *from = t->values + i * width;
        memmove(to, from, width * sizeof *to);
        for (; end < t->n_samples && t->times[end] == t->times[i]; end++)
            for (size_t c = 0; c < width; c++)
                to[c] += t->values[end * width + c];
        for (size_t c = 0; c < width && end - i > 1; c++)
            to[c] /= (double)(end - i);
        t->times[kept++] = t->times[i];
        i = end;
    }
    size_t gone = t->n_samples - kept;
    t->n_samples = kept;
    return gone;
}

/* *period: the median; *jitter: the standard deviation of the seconds between samples. */
static tin_status measure_period(const tin_track *t, double *period, double *jitter, tin_error *err)
{
    *period = t->times == NULL ? 1 / t->rate_hz : 0;
    *jitter = 0;
    if (t->times == NULL || t->n_samples < 2)
        return TIN_OK;
    const size_t n = t->n_samples - 1;
    double *steps = tin_alloc(n, sizeof *steps, err);
    if (steps == NULL)
        return TIN_ERR_MEMORY;
    double mean = (t->times[n] - t->times[0]) / (double)n, sum = 0;
    for (size_t i = 0; i < n; i++) {
        steps[i] = t->times[i + 1] - t->times[i];
        sum += (steps[i] - mean) * (steps[i] - mean);
    }
    qsort(steps, n, sizeof *steps, compare_double);
    *period = steps[n / 2];
    *jitter = sqrt(sum / (double)n);
    tin_free(steps);
    return TIN_OK;
}

/* Time that all tracks looked at so far cover without a gap. */
typedef struct stretch {
    double start, end;
} stretch;

typedef struct stretches {
    stretch *items;
    size_t n;
} stretches;

/* Where the run of samples that starts at `first` ends: behind the last sample before a gap. */
static size_t run_end(const tin_track *t, size_t first, double longest)
{
    size_t end = first + 1;
    if (t->times == NULL)
        return t->n_samples;
    while (end < t->n_samples && t->times[end] - t->times[end - 1] <= longest)
        end++;
    return end;
}

/* Keeps of `s` what the track covers too. Both are in order of time, so one pass over both finds all. */
static tin_status intersect(tin_recording *r, const tin_track *t, double period, double rate_hz, stretches *s,
                            tin_error *err)
{
    const double longest = GAP_PERIODS * fmax(period, 1.0 / rate_hz) + ROUNDING;
    size_t n_runs = 0, n = 0, k = 0;
    for (size_t i = 0; i < t->n_samples; i = run_end(t, i, longest))
        n_runs++;
    stretch *kept = tin_alloc(n_runs + s->n, sizeof *kept, err);
    if (kept == NULL)
        return TIN_ERR_MEMORY;
    for (size_t first = 0, end = 0; first < t->n_samples; first = end) {
        end = run_end(t, first, longest);
        double from = tin_track_time(t, first), to = tin_track_time(t, end - 1);
        for (; k < s->n && s->items[k].start <= to; k++) {
            stretch both = {fmax(from, s->items[k].start), fmin(to, s->items[k].end)};
            if (both.start <= both.end)
                kept[n++] = both;
            if (s->items[k].end > to)
                break;
        }
        if (end < t->n_samples) {
            tin_status status =
                tin_notes_add(&r->notes, err, "%s: no samples for %.3g s after %.3f s (period %.3g s); split there",
                              r->origin, t->times[end] - t->times[end - 1], t->times[end - 1], period);
            if (status != TIN_OK) {
                tin_free(kept);
                return status;
            }
        }
    }
    tin_free(s->items);
    *s = (stretches){kept, n};
    return TIN_OK;
}

/* The latest sample at or before `time`; the first one when there is none. */
static size_t sample_at(const tin_track *t, double time)
{
    size_t low = 0, high = t->n_samples;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (tin_track_time(t, middle) <= time)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* True when the track's samples from `start` on lie on the times of n frames. */
static bool on_grid(const tin_track *t, double start, int64_t n, double rate_hz)
{
    size_t first = sample_at(t, start + GRID_TOLERANCE / rate_hz);
    if (n < 1 || (size_t)n > t->n_samples - first)
        return false;
    for (size_t i = 0; i < (size_t)n; i++)
        if (fabs((tin_track_time(t, first + i) - start) * rate_hz - (double)i) > GRID_TOLERANCE)
            return false;
    return true;
}

static void interpolate(const tin_track *t, size_t width, double rate_hz, tin_piece *piece)
{
    const size_t n = (size_t)t->n_channels;
    size_t i = sample_at(t, piece->start);
    for (int64_t k = 0; k < piece->n_frames; k++) {
        double time = piece->start + (double)k / rate_hz;
        double *frame = piece->frames + (size_t)k * width + t->first_channel;
        while (i + 1 < t->n_samples && tin_track_time(t, i + 1) <= time)
            i++;
        const double *a = t->values + i * n;
        if (i + 1 == t->n_samples) {
            memcpy(frame, a, n * sizeof *frame);
            continue;
        }
        double before = tin_track_time(t, i), after = tin_track_time(t, i + 1);
        double weight = (time - before) / (after - before);
        for (size_t c = 0; c < n; c++)
            frame[c] = a[c] + (a[n + c] - a[c]) * weight;
    }
}

static void copy(const tin_track *t, size_t width, double rate_hz, tin_piece *piece)
{
    const size_t n = (size_t)t->n_channels;
    const double *from = t->values + sample_at(t, piece->start + GRID_TOLERANCE / rate_hz) * n;
    for (int64_t k = 0; k < piece->n_frames; k++, from += n)
        memcpy(piece->frames + (size_t)k * width + t->first_channel, from, n * sizeof *from);
}

static tin_status check_stretch(const tin_recording *r, const stretch *s, double n_frames, double rate_hz,
                                tin_error *err)
{
    for (int i = 0; i < r->n_tracks; i++) {
        const tin_track *t = &r->tracks[i];
        double n = (double)(sample_at(t, s->end) - sample_at(t, s->start) + 1);
        if (!(n_frames <= MAX_STRETCH * n))
            return tin_fail_at(
                err, TIN_ERR_DATA, r->origin, 0,
                "samples come %.3g s apart, more than %g times slower than %g Hz; correct data.csv.time_unit, "
                "the times or data.rate_hz",
                r->period, MAX_STRETCH, rate_hz);
    }
    return TIN_OK;
}

static tin_status make_piece(tin_recording *r, const stretch *s, double rate_hz, tin_error *err)
{
    const size_t width = (size_t)r->n_channels;
    const double seconds = s->end - s->start;
    const double length = floor(seconds * rate_hz + ROUNDING * rate_hz) + 1;
    tin_status status = check_stretch(r, s, length, rate_hz, err);
    if (status != TIN_OK)
        return status;
    bool untouched = true;
    const int64_t grid = (int64_t)(seconds * rate_hz + GRID_TOLERANCE) + 1;
    for (int i = 0; i < r->n_tracks && untouched; i++)
        untouched = on_grid(&r->tracks[i], s->start, grid, rate_hz);
    tin_piece *piece = &r->pieces[r->n_pieces];
    piece->start = s->start;
    piece->n_frames = untouched ? grid : (int64_t)length;
    piece->frames = tin_alloc((size_t)piece->n_frames, width * sizeof *piece->frames, err);
    if (piece->frames == NULL)
        return TIN_ERR_MEMORY;
    r->n_pieces++;
    for (int i = 0; i < r->n_tracks; i++)
        (untouched ? copy : interpolate)(&r->tracks[i], width, rate_hz, piece);
    return TIN_OK;
}

/* The time that every track covers without a gap. */
static tin_status find_stretches(tin_recording *r, double rate_hz, stretches *s, tin_error *err)
{
    s->items = tin_alloc(1, sizeof *s->items, err);
    if (s->items == NULL)
        return TIN_ERR_MEMORY;
    s->items[0] = (stretch){-INFINITY, INFINITY};
    s->n = 1;
    tin_status status = TIN_OK;
    for (int i = 0; i < r->n_tracks && status == TIN_OK; i++) {
        double period = 0, jitter = 0;
        tin_track *t = &r->tracks[i];
        if (t->n_samples == 0)
            return tin_fail_at(err, TIN_ERR_DATA, r->origin, 0, "the recording has no samples; remove the file");
        r->n_duplicates += average_duplicates(t);
        status = measure_period(t, &period, &jitter, err);
        r->period = fmax(r->period, period);
        r->jitter = fmax(r->jitter, jitter);
        if (status == TIN_OK)
            status = intersect(r, t, period, rate_hz, s, err);
    }
    if (status == TIN_OK && s->n == 0)
        status = tin_fail_at(err, TIN_ERR_DATA, r->origin, 0,
                             "its sensors have no time in common; correct their times or leave the recording out");
    return status;
}

tin_status tin_resample(tin_recording *r, double rate_hz, tin_error *err)
{
    stretches s = {0};
    tin_status status = find_stretches(r, rate_hz, &s, err);
    if (status == TIN_OK) {
        r->pieces = tin_alloc(s.n, sizeof *r->pieces, err);
        status = r->pieces == NULL ? TIN_ERR_MEMORY : TIN_OK;
    }
    for (size_t i = 0; i < s.n && status == TIN_OK; i++)
        status = make_piece(r, &s.items[i], rate_hz, err);
    tin_free(s.items);
    tin_recording_free_tracks(r);
    return status;
}
