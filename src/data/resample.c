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
static size_t average_duplicates(tin_recording *r)
{
    const size_t width = (size_t)r->n_channels;
    size_t kept = 0;
    for (size_t i = 0; i < r->n_samples;) {
        size_t end = i + 1;
        double *to = r->values + kept * width;
        const double *from = r->values + i * width;
        memmove(to, from, width * sizeof *to);
        for (; end < r->n_samples && r->times[end] == r->times[i]; end++)
            for (size_t c = 0; c < width; c++)
                to[c] += r->values[end * width + c];
        for (size_t c = 0; c < width && end - i > 1; c++)
            to[c] /= (double)(end - i);
        r->times[kept++] = r->times[i];
        i = end;
    }
    size_t gone = r->n_samples - kept;
    r->n_samples = kept;
    return gone;
}

/* Sets period and jitter. */
static tin_status measure_period(tin_recording *r, tin_error *err)
{
    if (r->n_samples < 2)
        return TIN_OK;
    const size_t n = r->n_samples - 1;
    double *steps = tin_alloc(n, sizeof *steps, err);
    if (steps == NULL)
        return TIN_ERR_MEMORY;
    double mean = r->times[n] / (double)n, sum = 0;
    for (size_t i = 0; i < n; i++) {
        steps[i] = r->times[i + 1] - r->times[i];
        sum += (steps[i] - mean) * (steps[i] - mean);
    }
    qsort(steps, n, sizeof *steps, compare_double);
    r->period = steps[n / 2];
    r->jitter = sqrt(sum / (double)n);
    tin_free(steps);
    return TIN_OK;
}

/* True when samples [first, end) lie on the frames' times. */
static bool on_grid(const tin_recording *r, size_t first, size_t end, double rate_hz)
{
    for (size_t i = first; i < end; i++)
        if (fabs((r->times[i] - r->times[first]) * rate_hz - (double)(i - first)) > GRID_TOLERANCE)
            return false;
    return true;
}

static void interpolate(const tin_recording *r, size_t first, size_t end, double rate_hz, tin_piece *piece)
{
    const size_t width = (size_t)r->n_channels;
    size_t i = first;
    for (int64_t k = 0; k < piece->n_frames; k++) {
        double t = piece->start + (double)k / rate_hz;
        double *frame = piece->frames + (size_t)k * width;
        while (i + 1 < end && r->times[i + 1] <= t)
            i++;
        const double *a = r->values + i * width;
        if (i + 1 == end) {
            memcpy(frame, a, width * sizeof *frame);
            continue;
        }
        double weight = (t - r->times[i]) / (r->times[i + 1] - r->times[i]);
        for (size_t c = 0; c < width; c++)
            frame[c] = a[c] + (a[width + c] - a[c]) * weight;
    }
}

static tin_status make_piece(tin_recording *r, size_t first, size_t end, double rate_hz, tin_error *err)
{
    const size_t width = (size_t)r->n_channels;
    const bool untouched = on_grid(r, first, end, rate_hz);
    const double length = floor((r->times[end - 1] - r->times[first]) * rate_hz + ROUNDING * rate_hz) + 1;
    if (!(length <= MAX_STRETCH * (double)(end - first)))
        return tin_fail_at(
            err, TIN_ERR_DATA, r->origin, 0,
            "samples come %.3g s apart, more than %g times slower than %g Hz; correct data.csv.time_unit, "
            "the times or data.rate_hz",
            r->period, MAX_STRETCH, rate_hz);
    tin_piece *piece = &r->pieces[r->n_pieces];
    piece->start = r->times[first];
    piece->n_frames = untouched ? (int64_t)(end - first) : (int64_t)length;
    piece->frames = tin_alloc((size_t)piece->n_frames, width * sizeof *piece->frames, err);
    if (piece->frames == NULL)
        return TIN_ERR_MEMORY;
    r->n_pieces++;
    if (untouched)
        memcpy(piece->frames, r->values + first * width, (end - first) * width * sizeof *piece->frames);
    else
        interpolate(r, first, end, rate_hz, piece);
    return TIN_OK;
}

/* Where the run of samples that starts at `first` ends: behind the last sample before a gap. */
static size_t run_end(const tin_recording *r, size_t first, double rate_hz)
{
    double longest = GAP_PERIODS * fmax(r->period, 1.0 / rate_hz) + ROUNDING;
    size_t end = first + 1;
    while (end < r->n_samples && r->times[end] - r->times[end - 1] <= longest)
        end++;
    return end;
}

static tin_status make_pieces(tin_recording *r, double rate_hz, tin_error *err)
{
    size_t n_runs = 0;
    for (size_t i = 0; i < r->n_samples; i = run_end(r, i, rate_hz))
        n_runs++;
    r->pieces = tin_alloc(n_runs, sizeof *r->pieces, err);
    if (r->pieces == NULL)
        return TIN_ERR_MEMORY;
    for (size_t first = 0; first < r->n_samples;) {
        size_t end = run_end(r, first, rate_hz);
        tin_status status = make_piece(r, first, end, rate_hz, err);
        if (status == TIN_OK && end < r->n_samples)
            status =
                tin_notes_add(&r->notes, err, "%s: no samples for %.3g s after %.3f s (period %.3g s); split there",
                              r->origin, r->times[end] - r->times[end - 1], r->times[end - 1], r->period);
        if (status != TIN_OK)
            return status;
        first = end;
    }
    return TIN_OK;
}

tin_status tin_resample(tin_recording *r, double rate_hz, tin_error *err)
{
    if (r->n_samples == 0)
        return tin_fail_at(err, TIN_ERR_DATA, r->origin, 0, "the recording has no samples; remove the file");
    r->n_duplicates = average_duplicates(r);
    tin_status status = measure_period(r, err);
    if (status == TIN_OK)
        status = make_pieces(r, rate_hz, err);
    tin_free(r->times);
    tin_free(r->values);
    r->times = r->values = NULL;
    return status;
}
