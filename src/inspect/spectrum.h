/* Private to src/inspect: power spectral density by Welch's method (IEEE Trans. Audio Electroacoustics 15, 1967): the mean
 * over segments that overlap by half, each without its mean and under a Hann window. A stretch that is shorter than a
 * segment is one segment, filled up with zeros. */
#ifndef TIN_SPECTRUM_H
#define TIN_SPECTRUM_H

#include "dataset/dataset.h"

typedef struct tin_spectrum tin_spectrum;
/* Segments of about 5 s: a power of two from 32 to 1024 frames. */
tin_status tin_spectrum_create(tin_spectrum **spectrum, double rate_hz, tin_error *err) TIN_USE_RESULT;
void tin_spectrum_free(tin_spectrum *spectrum);
int tin_spectrum_bins(const tin_spectrum *spectrum);   /* N / 2 + 1; bin i is at i * rate_hz / N */
int tin_spectrum_frames(const tin_spectrum *spectrum); /* N */
/* Segments in a stretch of n frames; 0 below 8 frames. */
int64_t tin_spectrum_segments(const tin_spectrum *spectrum, int64_t n);
/* Adds the density of segment `index` of frames [start, end) of one channel to sums[bins], in unit^2 / Hz. */
void tin_spectrum_add(tin_spectrum *spectrum, const tin_dataset *dataset, const tin_stream *stream, int channel,
                      int64_t start, int64_t end, int64_t index, double *sums);

#endif
