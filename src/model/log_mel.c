#include "model/log_mel.h"

#include <math.h>
#include <string.h>

#include "model/log_energy.h"

#define PI 3.14159265358979323846
#define MOST_POINTS 1024
#define LEAST_LOG2_POINTS 5

int tin_log_mel_log2_points(int kernel)
{
    int log2_points = LEAST_LOG2_POINTS;
    while (1 << log2_points < kernel)
        log2_points++;
    return log2_points;
}

double tin_log_mel_products(int kernel)
{
    int log2_points = tin_log_mel_log2_points(kernel);
    double half = ldexp(1, log2_points - 1); /* complex points: four products per butterfly; split, power and bands */
    return kernel + 2 * half * (log2_points - 1) + 5 * half;
}

/* ---- constants ---- */

static double mel(double hz)
{
    return 2595 * log10(1 + hz / 700);
}

/* Where bin k lies on the scale of band centres: band m has its centre at m + 1, its edges at m and m + 2. */
static double place_of(const tin_log_mel_shape *s, int k, int log2_points)
{
    double low = mel(s->low_hz), step = (mel(s->high_hz) - low) / (s->bands + 1);
    return (mel(k * s->rate_hz / ldexp(1, log2_points)) - low) / step;
}

/* Bins of each stretch between centres; the first of all that belong to a band. */
static int count_bins(const tin_log_mel_shape *s, uint16_t *count)
{
    int log2_points = tin_log_mel_log2_points(s->kernel), first = 0;
    memset(count, 0, ((size_t)s->bands + 1) * sizeof *count);
    for (int k = 1; k < 1 << (log2_points - 1); k++) {
        double place = place_of(s, k, log2_points);
        if (place > 0 && place < s->bands + 1) {
            first = first > 0 ? first : k;
            count[(int)place]++;
        }
    }
    return first;
}

const char *tin_log_mel_mend(const tin_log_mel_shape *s)
{
    uint16_t count[TIN_LOG_MEL_MAX_BANDS + 1];
    if (s->kernel < TIN_LOG_MEL_MIN_KERNEL || s->kernel > TIN_LOG_MEL_MAX_KERNEL || s->kernel % 4 != 0)
        return "log_mel needs a kernel of 16, 20, 24, .. to 1024 frames, its window";
    if (s->stride > s->kernel)
        return "log_mel needs a stride of at most its kernel, so that no frame is left out";
    if (s->bands < 1 || s->bands > TIN_LOG_MEL_MAX_BANDS)
        return "log_mel needs 1 to 128 bands";
    if (s->low_hz < 0 || s->high_hz <= s->low_hz || 2.0 * s->high_hz > s->rate_hz)
        return "log_mel needs low_hz below high_hz, and that at most half of the rate";
    (void)count_bins(s, count);
    for (int m = 0; m < s->bands; m++) {
        if (count[m] == 0 && count[m + 1] == 0)
            return "a band of log_mel is narrower than a bin of its spectrum; use fewer bands or a longer kernel";
    }
    return NULL;
}

static int q15(double x)
{
    return (int)floor(x * 32768 + 0.5);
}

void tin_log_mel_fill(tin_log_mel *t, const tin_log_mel_shape *s)
{
    memset(t, 0, sizeof *t);
    t->kernel = s->kernel;
    t->bands = s->bands;
    t->log2_points = tin_log_mel_log2_points(s->kernel);
    for (int n = 0; n < s->kernel / 2; n++) {
        double root = sin(PI * (n + 0.5) / s->kernel);
        int w = q15(root * root);
        t->window[n] = (uint16_t)(w < 32767 ? w : 32767);
    }
    for (int k = 0; k <= 1 << (t->log2_points - 2); k++)
        t->cosine[k] = q15(cos(2 * PI * k / ldexp(1, t->log2_points)));
    t->first_bin = count_bins(s, t->count);
    for (int m = 0; m <= s->bands; m++)
        t->n_bins += t->count[m];
    for (int i = 0; i < t->n_bins; i++) {
        double place = place_of(s, t->first_bin + i, t->log2_points);
        int f = (int)floor((place - floor(place)) * 65536 + 0.5);
        t->weight[i] = (uint16_t)(f < 65535 ? f : 65535);
    }
}

/* ---- one window ---- */

typedef struct complex_int {
    int32_t re, im;
} complex_int;

/* cos and sin of 2 pi k / N, 0 <= k < N / 2 */
static complex_int twiddle(const tin_log_mel *t, int k)
{
    int quarter = 1 << (t->log2_points - 2);
    return k <= quarter ? (complex_int){t->cosine[k], t->cosine[quarter - k]}
                        : (complex_int){-t->cosine[2 * quarter - k], t->cosine[k - quarter]};
}

/* b * (c - i d) */
static complex_int turn(complex_int b, complex_int w)
{
    return (complex_int){b.re * w.re + b.im * w.im, b.im * w.re - b.re * w.im};
}

static int scale_of(const int16_t *x, int n)
{
    int peak = 0, s = 14;
    for (int i = 0; i < n; i++)
        peak = x[i] > peak ? x[i] : -1 - x[i] > peak ? -1 - x[i] : peak;
    while (s >= 0 && peak << s >= 1 << 14)
        s--;
    return s;
}

static int reversed(int n, int bits)
{
    int r = 0;
    for (int b = 0; b < bits; b++)
        r |= (n >> b & 1) << (bits - 1 - b);
    return r;
}

/* The windowed counts as complex values, where the FFT expects them. */
static void window(const tin_log_mel *t, const int16_t *x, int s, complex_int *z)
{
    int w_frames = t->kernel, log2_half = t->log2_points - 1;
    for (int n = 0; n < 1 << t->log2_points; n++) {
        int mirrored = n < w_frames - 1 - n ? n : w_frames - 1 - n;
        int32_t y = n < w_frames ? (x[n] * t->window[mirrored] + (1 << (14 - s))) >> (15 - s) : 0;
        complex_int *to = &z[reversed(n / 2, log2_half)];
        *(n % 2 == 0 ? &to->re : &to->im) = y;
    }
}

static void transform(const tin_log_mel *t, complex_int *z)
{
    int n = 1 << (t->log2_points - 1);
    for (int half = 1; half < n; half *= 2) {
        for (int at = 0; at < n; at++) {
            if ((at & half) != 0)
                continue;
            complex_int a = z[at], b = turn(z[at + half], twiddle(t, (at & (half - 1)) * (n / half)));
            z[at] = (complex_int){(a.re * 32768 + b.re + 32768) >> 16, (a.im * 32768 + b.im + 32768) >> 16};
            z[at + half] = (complex_int){(a.re * 32768 - b.re + 32768) >> 16, (a.im * 32768 - b.im + 32768) >> 16};
        }
    }
}

/* Power of bin k of the real spectrum, or of M - k with sign -1. */
static uint32_t power(complex_int e, complex_int turned, int sign)
{
    int32_t re = (e.re * 16384 + sign * (turned.re >> 1) + 16384) >> 15;
    int32_t im = (e.im * 16384 + sign * (turned.im >> 1) + 16384) >> 15;
    return (uint32_t)re * (uint32_t)re + (uint32_t)im * (uint32_t)im;
}

static void powers(const tin_log_mel *t, const complex_int *z, uint32_t *p)
{
    int m = 1 << (t->log2_points - 1);
    for (int k = 1; k <= m / 2; k++) {
        complex_int a = z[k], b = z[m - k];
        complex_int e = {a.re + b.re, a.im - b.im}, o = {a.im + b.im, b.re - a.re}, turned = turn(o, twiddle(t, k));
        p[k] = power(e, turned, 1);
        p[m - k] = k < m - k ? power(e, turned, -1) : p[k];
    }
}

static int8_t band_q(uint32_t band, int s)
{
    uint32_t floor_power = s > 4 ? (uint32_t)1 << (2 * s - 8) : 1;
    int q = tin_log2_eighths(8 * ((uint64_t)band + floor_power)) - 16 * s - 87;
    return (int8_t)(q < 127 ? q : 127);
}

void tin_log_mel_window(const tin_log_mel *t, const int16_t *counts, int8_t *q)
{
    complex_int z[MOST_POINTS / 2];
    uint32_t p[MOST_POINTS / 2], rising = 0; /* what the bins so far give to the band whose centre comes next */
    int s = scale_of(counts, t->kernel), at = 0;
    window(t, counts, s, z);
    transform(t, z);
    powers(t, z, p);
    for (int m = 0; m <= t->bands; m++) {
        uint32_t falling = rising;
        rising = 0;
        for (int i = 0; i < t->count[m]; i++, at++) {
            uint32_t bin = p[t->first_bin + at], share = (uint32_t)((uint64_t)bin * t->weight[at] >> 16);
            rising += share;
            falling += bin - share;
        }
        if (m > 0)
            q[m - 1] = band_q(falling, s);
    }
}
