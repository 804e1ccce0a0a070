/* Private to src/data: how tin_resample (recording.h) makes its frames. docs/formats.md says when to choose which. */
#ifndef TIN_RESAMPLE_H
#define TIN_RESAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* How frames are made of a track that does not lie on their times; the names are those of data.resample.
 *
 * A track that is faster than the frames goes through a low-pass filter with frame(t) = sum w(t - t_i) x_i / sum w(t - t_i),
 * ages t - t_i counted in frames:
 *   sinc    w(a) = sin(2 pi C a) / (2 pi C a) * I0(B sqrt(1 - (a/16)^2)) / I0(B), |a| <= 16, C = 0.45, B = 6.755 (Kaiser's window
 *           for 70 dB): no delay; flat to 0.38 of the frame rate, half at 0.45, below -65 dB from 0.52 on
 *   causal  w(a) = (1 - cos(pi a)) / 2, 0 <= a < 2: Hann's window; one frame of delay; -3 dB at 0.36 of the frame rate, -6 dB at
 *           one half, nothing at the whole, below -31 dB beyond; like the filter within a sensor that runs at the frame rate
 * A slower one is interpolated linearly (linear, sinc), or its latest sample holds (causal). linear does so with a faster
 * one too. */
#define TIN_RESAMPLING_LIST(X) X(LINEAR, "linear") X(SINC, "sinc") X(CAUSAL, "causal")
typedef enum tin_resampling {
#define X(mode, name) TIN_RESAMPLE_##mode,
    TIN_RESAMPLING_LIST(X)
#undef X
} tin_resampling;

/* By a name that is there; NULL (settings that no file was read for): LINEAR. */
tin_resampling tin_resampling_find(const char *name);

/* Weights w(a) at 512 points per frame of age, interpolated linearly between them. */
typedef struct tin_kernel {
    double youngest, oldest; /* ages outside weigh nothing */
    double *weights;         /* NULL: not made */
} tin_kernel;

/* SINC or CAUSAL. */
tin_status tin_kernel_make(tin_kernel *kernel, tin_resampling mode, tin_error *err) TIN_USE_RESULT;
void tin_kernel_free(tin_kernel *kernel);

/* Samples at even times: sample i at start + i / rate_hz. */
typedef struct tin_series {
    const double *values; /* [n_samples][n_channels] */
    size_t n_samples, n_channels;
    double start, rate_hz;
} tin_series;

/* frames[k * stride + c] of the time start + k / rate_hz for k < n_frames. Where the filter reaches over an end of the series
 * the samples that are there count. Each time must be within the series. */
void tin_filter(const tin_kernel *kernel, const tin_series *series, double start, double rate_hz, int64_t n_frames,
                size_t stride, double *frames);

#endif
