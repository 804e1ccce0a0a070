#include "inspect/spectrum.h"

#include <kissfft/kiss_fftr.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"

#define SEGMENT_S 5.0
#define LEAST_FRAMES 8
#define MOST_SEGMENT 1024

struct tin_spectrum {
    double rate_hz;
    int n; /* frames of a segment */
    kiss_fftr_cfg fft;
    float in[MOST_SEGMENT];
    kiss_fft_cpx out[MOST_SEGMENT / 2 + 1];
};

tin_status tin_spectrum_create(tin_spectrum **spectrum, double rate_hz, tin_error *err)
{
    tin_spectrum *s = tin_alloc(1, sizeof *s, err);
    *spectrum = s;
    if (!s) {
        return TIN_ERR_MEMORY;
    }
    s->rate_hz = rate_hz;
    s->n = 32;
    while (s->n < MOST_SEGMENT && 1.5 * s->n < SEGMENT_S * rate_hz) {
        s->n *= 2;
    }
    size_t bytes = 0;
    (void)kiss_fftr_alloc(s->n, 0, NULL, &bytes);
    void *memory = tin_alloc(1, bytes, err);
    s->fft = memory ? kiss_fftr_alloc(s->n, 0, memory, &bytes) : NULL;
    if (!s->fft) {
        tin_free(memory);
        tin_free(s);
        *spectrum = NULL;
        return TIN_ERR_MEMORY;
    }
    return TIN_OK;
}

void tin_spectrum_free(tin_spectrum *spectrum)
{
    if (spectrum) {
        tin_free(spectrum->fft);
        tin_free(spectrum);
    }
}

int tin_spectrum_bins(const tin_spectrum *spectrum)
{
    return spectrum->n / 2 + 1;
}

int tin_spectrum_frames(const tin_spectrum *spectrum)
{
    return spectrum->n;
}

int64_t tin_spectrum_segments(const tin_spectrum *spectrum, int64_t n)
{
    return n < LEAST_FRAMES ? 0 : n < spectrum->n ? 1 : (n - spectrum->n) / (spectrum->n / 2) + 1;
}

void tin_spectrum_add(tin_spectrum *spectrum, const tin_dataset *dataset, const tin_stream *stream, int channel,
                      int64_t start, int64_t end, int64_t index, double *sums)
{
    tin_spectrum *s = spectrum;
    const double scale = dataset->channels[channel].scale, pi = 3.14159265358979323846;
    int n = end - start < s->n ? (int)(end - start) : s->n, bins = s->n / 2 + 1;
    const int16_t *x = stream->counts + (start + index * (s->n / 2)) * dataset->n_channels + channel;
    double mean = 0, windows = 0;
    for (int t = 0; t < n; t++) {
        mean += (double)x[t * dataset->n_channels] / n;
    }
    memset(s->in, 0, sizeof s->in);
    for (int t = 0; t < n; t++) {
        double hann = 0.5 - 0.5 * cos(2 * pi * (t + 0.5) / n);
        windows += hann * hann;
        s->in[t] = (float)(hann * (x[t * dataset->n_channels] - mean) * scale);
    }
    kiss_fftr(s->fft, s->in, s->out);
    for (int k = 0; k < bins; k++) {
        double square = (double)s->out[k].r * (double)s->out[k].r + (double)s->out[k].i * (double)s->out[k].i;
        sums[k] += (k == 0 || k == bins - 1 ? 1 : 2) * square / (windows * s->rate_hz);
    }
}
