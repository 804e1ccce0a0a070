/* From samples at their own times to frames at the project's rate. docs/data.md and docs/formats.md give the rules. */
#include "data/resample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/recording.h"

#define GAP_PERIODS 5.0     /* of the slower of recording and dataset */
#define GRID_TOLERANCE 0.01 /* of a frame: samples this near their frame's time are taken as they are */
#define FASTER 1.01         /* times rate_hz: a faster track is filtered */
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

/* Of one track. */
typedef struct track_clock {
    double period;  /* median seconds between samples; 0: unknown */
    double longest; /* more seconds than this between two samples are a gap */
    double jitter;  /* standard deviation of the seconds between samples, gaps left out */
} track_clock;

static tin_status measure_clock(const tin_track *t, double rate_hz, track_clock *clock, tin_error *err)
{
    *clock = (track_clock){.period = t->times == NULL ? 1 / t->rate_hz : 0};
    const size_t n = t->times == NULL || t->n_samples < 2 ? 0 : t->n_samples - 1;
    double *steps = tin_alloc(n, sizeof *steps, err);
    if (steps == NULL)
        return TIN_ERR_MEMORY;
    for (size_t i = 0; i < n; i++)
        steps[i] = t->times[i + 1] - t->times[i];
    if (n > 0) {
        qsort(steps, n, sizeof *steps, compare_double);
        clock->period = steps[n / 2];
    }
    clock->longest = GAP_PERIODS * fmax(clock->period, 1.0 / rate_hz) + ROUNDING;
    size_t kept = 0;
    double sum = 0, squares = 0;
    for (; kept < n && steps[kept] <= clock->longest; kept++)
        sum += steps[kept];
    for (size_t i = 0; i < kept; i++)
        squares += (steps[i] - sum / (double)kept) * (steps[i] - sum / (double)kept);
    clock->jitter = kept > 0 ? sqrt(squares / (double)kept) : 0;
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
static tin_status intersect(tin_recording *r, const tin_track *t, const track_clock *clock, stretches *s,
                            tin_error *err)
{
    const double longest = clock->longest;
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
                              r->origin, t->times[end] - t->times[end - 1], t->times[end - 1], clock->period);
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

/* What a track gives to a piece, and where it goes: frame k to frames[k * stride]. */
typedef struct filling {
    double start, rate_hz;
    int64_t n_frames;
    size_t stride;
    double *frames;
} filling;

/* hold: the latest sample as it is. */
static void interpolate(const tin_track *t, bool hold, const filling *f)
{
    const size_t n = (size_t)t->n_channels;
    const double early = hold ? GRID_TOLERANCE / f->rate_hz : 0;
    size_t i = sample_at(t, f->start + early);
    for (int64_t k = 0; k < f->n_frames; k++) {
        double time = f->start + (double)k / f->rate_hz;
        double *frame = f->frames + (size_t)k * f->stride;
        while (i + 1 < t->n_samples && tin_track_time(t, i + 1) <= time + early)
            i++;
        const double *a = t->values + i * n;
        if (hold || i + 1 == t->n_samples) {
            memcpy(frame, a, n * sizeof *frame);
            continue;
        }
        double before = tin_track_time(t, i), after = tin_track_time(t, i + 1);
        double weight = (time - before) / (after - before);
        for (size_t c = 0; c < n; c++)
            frame[c] = a[c] + (a[n + c] - a[c]) * weight;
    }
}

static void copy(const tin_track *t, const filling *f)
{
    const size_t n = (size_t)t->n_channels;
    const double *from = t->values + sample_at(t, f->start + GRID_TOLERANCE / f->rate_hz) * n;
    for (int64_t k = 0; k < f->n_frames; k++, from += n)
        memcpy(f->frames + (size_t)k * f->stride, from, n * sizeof *from);
}

/* Samples [first, first + n) of the track at even times, of their mean rate. Uneven ones are interpolated into *made. */
static tin_status make_even(const tin_track *t, size_t first, size_t n, double rate_hz, tin_series *series,
                            double **made, tin_error *err)
{
    const size_t n_channels = (size_t)t->n_channels;
    *series = (tin_series){.values = t->values + first * n_channels,
                           .n_samples = n,
                           .n_channels = n_channels,
                           .start = tin_track_time(t, first),
                           .rate_hz = rate_hz};
    if (on_grid(t, series->start, (int64_t)n, rate_hz))
        return TIN_OK;
    *made = tin_alloc(n, n_channels * sizeof **made, err);
    if (*made == NULL)
        return TIN_ERR_MEMORY;
    const filling even = {
        .start = series->start, .rate_hz = rate_hz, .n_frames = (int64_t)n, .stride = n_channels, .frames = *made};
    interpolate(t, false, &even);
    series->values = *made;
    return TIN_OK;
}

/* The track's frames between the filling's start and `end`. */
static tin_status fill(const tin_track *t, double end, tin_resampling mode, tin_kernel *kernel, const filling *f,
                       tin_error *err)
{
    const size_t first = sample_at(t, f->start), n = sample_at(t, end) - first + 1;
    const double seconds = tin_track_time(t, first + n - 1) - tin_track_time(t, first);
    const double own_rate_hz = n > 2 ? (double)(n - 1) / seconds : 0;
    if (on_grid(t, f->start, f->n_frames, f->rate_hz)) {
        copy(t, f);
        return TIN_OK;
    }
    if (mode == TIN_RESAMPLE_LINEAR || own_rate_hz < FASTER * f->rate_hz) {
        interpolate(t, mode == TIN_RESAMPLE_CAUSAL, f);
        return TIN_OK;
    }
    tin_series series;
    double *made = NULL;
    tin_status status = kernel->weights != NULL ? TIN_OK : tin_kernel_make(kernel, mode, err);
    if (status == TIN_OK)
        status = make_even(t, first, n, own_rate_hz, &series, &made, err);
    if (status == TIN_OK)
        tin_filter(kernel, &series, f->start, f->rate_hz, f->n_frames, f->stride, f->frames);
    tin_free(made);
    return status;
}

static tin_status check_stretch(const tin_recording *r, const stretch *s, double n_frames, double rate_hz,
                                tin_error *err)
{
    for (int i = 0; i < r->n_tracks; i++) {
        const tin_track *t = &r->tracks[i];
        double n = (double)(sample_at(t, s->end) - sample_at(t, s->start) + 1);
        if (!(n_frames <= MAX_STRETCH * n))
            return tin_fail_at(err, TIN_ERR_DATA, r->origin, 0,
                               "samples come %.3g s apart, more than %g times slower than %g Hz; correct time_unit, "
                               "the times or data.rate_hz",
                               r->period, MAX_STRETCH, rate_hz);
    }
    return TIN_OK;
}

static tin_status make_piece(tin_recording *r, const stretch *s, double rate_hz, tin_resampling mode,
                             tin_kernel *kernel, tin_error *err)
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
    for (int i = 0; i < r->n_tracks && status == TIN_OK; i++) {
        const filling f = {.start = s->start,
                           .rate_hz = rate_hz,
                           .n_frames = piece->n_frames,
                           .stride = width,
                           .frames = piece->frames + r->tracks[i].first_channel};
        status = fill(&r->tracks[i], s->end, mode, kernel, &f, err);
    }
    return status;
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
        track_clock clock;
        tin_track *t = &r->tracks[i];
        if (t->n_samples == 0)
            return tin_fail_at(err, TIN_ERR_DATA, r->origin, 0, "the recording has no samples; remove the file");
        r->n_duplicates += average_duplicates(t);
        status = measure_clock(t, rate_hz, &clock, err);
        r->period = fmax(r->period, clock.period);
        r->jitter = fmax(r->jitter, clock.jitter);
        if (status == TIN_OK)
            status = intersect(r, t, &clock, s, err);
    }
    if (status == TIN_OK && s->n == 0)
        status = tin_fail_at(err, TIN_ERR_DATA, r->origin, 0,
                             "its sensors have no time in common; correct their times or leave the recording out");
    return status;
}

tin_status tin_resample(tin_recording *r, double rate_hz, tin_resampling mode, tin_error *err)
{
    stretches s = {0};
    tin_kernel kernel = {0};
    tin_status status = find_stretches(r, rate_hz, &s, err);
    if (status == TIN_OK) {
        r->pieces = tin_alloc(s.n, sizeof *r->pieces, err);
        status = r->pieces == NULL ? TIN_ERR_MEMORY : TIN_OK;
    }
    for (size_t i = 0; i < s.n && status == TIN_OK; i++)
        status = make_piece(r, &s.items[i], rate_hz, mode, &kernel, err);
    tin_kernel_free(&kernel);
    tin_free(s.items);
    tin_recording_free_tracks(r);
    return status;
}

tin_resampling tin_resampling_find(const char *name)
{
    static const char *const names[] = {
#define X(mode, text) text,
        TIN_RESAMPLING_LIST(X)
#undef X
    };
    size_t i = 0;
    while (name != NULL && strcmp(names[i], name) != 0) /* data.resample was checked when it was read */
        i++;
    return (tin_resampling)i;
}
