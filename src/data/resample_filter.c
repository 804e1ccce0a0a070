#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/memory.h"
#include "data/resample.h"

#define PI 3.14159265358979323846
#define POINTS 512 /* per frame of age: a weight's error is below 2e-6 */
#define SINC_REACH 16.0
#define SINC_CUTOFF 0.45
#define KAISER_BETA 6.755 /* 0.1102 (70 - 8.7); Kaiser 1974 */
#define CAUSAL_REACH 2.0
#define LEAST_SUM 1e-9
#define ROUNDING 1e-9 /* of a sample: one that is as old as counts, counts */

/* Modified Bessel function of the first kind, order 0, by its power series. */
static double bessel_i0(double x)
{
    double sum = 1, term = 1;
    for (int k = 1; term > 1e-17 * sum; k++) {
        term *= x * x / (4.0 * k * k);
        sum += term;
    }
    return sum;
}

static double sinc_weight(double age)
{
    const double x = age / SINC_REACH, phase = 2 * PI * SINC_CUTOFF * age;
    const double window = bessel_i0(KAISER_BETA * sqrt(fmax(0, 1 - x * x))) / bessel_i0(KAISER_BETA);
    return (phase == 0 ? 1 : sin(phase) / phase) * window;
}

static double causal_weight(double age)
{
    return (1 - cos(PI * age)) / 2;
}

tin_status tin_kernel_make(tin_kernel *kernel, tin_resampling mode, tin_error *err)
{
    const bool causal = mode == TIN_RESAMPLE_CAUSAL;
    kernel->youngest = causal ? 0 : -SINC_REACH;
    kernel->oldest = causal ? CAUSAL_REACH : SINC_REACH;
    const size_t n = (size_t)(kernel->oldest - kernel->youngest) * POINTS + 2; /* one for the interpolation */
    kernel->weights = tin_alloc(n, sizeof *kernel->weights, err);
    if (kernel->weights == NULL)
        return TIN_ERR_MEMORY;
    for (size_t i = 0; i + 1 < n; i++)
        kernel->weights[i] = (causal ? causal_weight : sinc_weight)(kernel->youngest + (double)i / POINTS);
    return TIN_OK;
}

void tin_kernel_free(tin_kernel *kernel)
{
    tin_free(kernel->weights);
    *kernel = (tin_kernel){0};
}

void tin_filter(const tin_kernel *kernel, const tin_series *series, double start, double rate_hz, int64_t n_frames,
                size_t stride, double *frames)
{
    const size_t n = series->n_channels;
    const double step = rate_hz / series->rate_hz; /* of age from sample to sample, in frames */
    for (int64_t k = 0; k < n_frames; k++) {
        double *frame = frames + (size_t)k * stride, sum = 0;
        const double position = ((start - series->start) + (double)k / rate_hz) * series->rate_hz;
        const double first = fmax(0, ceil(position - kernel->oldest / step - ROUNDING));
        const double last = fmin((double)(series->n_samples - 1), floor(position - kernel->youngest / step + ROUNDING));
        for (size_t c = 0; c < n; c++)
            frame[c] = 0;
        for (size_t i = (size_t)first; (double)i <= last; i++) {
            const double at = ((position - (double)i) * step - kernel->youngest) * POINTS;
            const size_t point = (size_t)fmax(0, at);
            const double *w = kernel->weights + point;
            const double weight = w[0] + (w[1] - w[0]) * (at - (double)point);
            sum += weight;
            for (size_t c = 0; c < n; c++)
                frame[c] += weight * series->values[i * n + c];
        }
        if (sum < LEAST_SUM) /* causal: the only sample so far is of this very moment */
            memcpy(frame, series->values + (size_t)fmax(0, position) * n, n * sizeof *frame);
        for (size_t c = 0; c < n && sum >= LEAST_SUM; c++)
            frame[c] /= sum;
    }
}
