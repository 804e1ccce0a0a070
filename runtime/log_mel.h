/* The log of the power in bands of the mel scale, from raw counts (docs/integer-arithmetic.md). Sums that cannot overflow by
 * the bounds there are made unsigned. */
#ifndef TINK_LOG_MEL_H
#define TINK_LOG_MEL_H

#include "runtime/log2_eighths.h"

/* [fragment] */
typedef struct tink_log_mel_t {
    const uint16_t *window; /* the rising half, Q15 */
    const int16_t *cosine;  /* of the first quarter of a circle, Q15 */
    const uint16_t *weight; /* per bin: how far it is from one centre to the next, Q16 */
    const uint16_t *count;  /* bins from one centre to the next */
    int16_t channels, kernel, stride, points, bands, first_bin; /* points: of the complex transform */
} tink_log_mel_t;

/* Every frame. past [channels][kernel]: the frames of the window; new ones are written behind those that are kept. */
static void tink_log_mel_take(const int16_t *frame, int32_t channels, int32_t kernel, int32_t stride, uint16_t *taken,
                              int16_t *past)
{
    const int32_t at = kernel - stride + *taken;
    int32_t c;
    for (c = 0; c < channels; c++) {
        past[c * kernel + at] = frame[c];
    }
    *taken = (uint16_t)(*taken + 1 < stride ? *taken + 1 : 0);
}

/* A complex value in a word: the real part in its low half. */
static inline int32_t tink_real(int32_t z)
{
    return (int16_t)(uint16_t)((uint32_t)z & 0xffffu);
}

static inline int32_t tink_imaginary(int32_t z)
{
    return (int16_t)(z >> 16);
}

/* The high halves of two words. */
static inline int32_t tink_halves(uint32_t re, uint32_t im)
{
    return (int32_t)((im & 0xffff0000u) | (re >> 16));
}

/* a and b become (a + t) / 2 and (a - t) / 2; t is Q15. */
static inline void tink_butterfly(int32_t *a, int32_t *b, uint32_t t_re, uint32_t t_im)
{
    const uint32_t re = ((uint32_t)tink_real(*a) << 15) + 0x8000u, im = ((uint32_t)tink_imaginary(*a) << 15) + 0x8000u;
    *a = tink_halves(re + t_re, im + t_im);
    *b = tink_halves(re - t_re, im - t_im);
}

/* The twiddles 1 and -i. */
static inline void tink_butterflies_plain(int32_t *z, int32_t half)
{
    const int32_t b = z[half];
    tink_butterfly(z, z + half, (uint32_t)tink_real(b) << 15, (uint32_t)tink_imaginary(b) << 15);
    if (half > 1) {
        const int32_t d = z[half + (half >> 1)];
        tink_butterfly(z + (half >> 1), z + half + (half >> 1), (uint32_t)tink_imaginary(d) << 15,
                       0u - ((uint32_t)tink_real(d) << 15));
    }
}

/* The twiddles c - i s and, a quarter of a circle on, -s - i c. */
static inline void tink_butterflies(int32_t *z, int32_t half, int32_t c, int32_t s)
{
    const int32_t b = z[half], d = z[half + (half >> 1)];
    tink_butterfly(z, z + half, (uint32_t)(tink_real(b) * c) + (uint32_t)(tink_imaginary(b) * s),
                   (uint32_t)(tink_imaginary(b) * c) - (uint32_t)(tink_real(b) * s));
    tink_butterfly(z + (half >> 1), z + half + (half >> 1),
                   (uint32_t)(tink_imaginary(d) * c) - (uint32_t)(tink_real(d) * s),
                   0u - ((uint32_t)(tink_real(d) * c) + (uint32_t)(tink_imaginary(d) * s)));
}

/* In place, values in the order of reversed bits; divides by `points`. */
TINK_KERNEL void tink_log_mel_transform(const tink_log_mel_t *e, int32_t *z)
{
    const int32_t points = e->points;
    int32_t half, at, j, step = points;
    for (half = 1; half < points; half *= 2, step >>= 1) {
        for (at = 0; at < points; at += 2 * half) {
            tink_butterflies_plain(z + at, half);
        }
        for (j = 1; j < half >> 1; j++) {
            const int32_t c = e->cosine[j * step], s = e->cosine[(points >> 1) - j * step];
            for (at = j; at < points; at += 2 * half) {
                tink_butterflies(z + at, half, c, s);
            }
        }
    }
}

/* The index behind `at` in the order of reversed bits. */
static inline int32_t tink_next_reversed(int32_t at, int32_t points)
{
    int32_t bit;
    for (bit = points >> 1; (at & bit) != 0; bit >>= 1) {
        at ^= bit;
    }
    return at | bit;
}

/* Half of the window, from x on, to the places from `at` on: k is the first index into e->window, which moves by `step`
 * (1 or -1). Returns the place behind. */
static int32_t tink_log_mel_half(const tink_log_mel_t *e, const int16_t *x, int32_t k, int32_t step, int32_t down,
                                 int32_t at, int32_t *z)
{
    const int32_t round = (int32_t)1 << (down - 1), pairs = e->kernel >> 2;
    int32_t i;
    for (i = 0; i < pairs; i++, k += 2 * step) {
        const int32_t re = (x[2 * i] * (int32_t)e->window[k] + round) >> down;
        const int32_t im = (x[2 * i + 1] * (int32_t)e->window[k + step] + round) >> down;
        z[at] = tink_halves((uint32_t)re << 16, (uint32_t)im << 16);
        at = tink_next_reversed(at, e->points);
    }
    return at;
}

/* The window as complex values in the order of reversed bits; returns s. */
TINK_KERNEL int32_t tink_log_mel_load(const tink_log_mel_t *e, const int16_t *x, int32_t *z)
{
    const int32_t half = e->kernel >> 1;
    int32_t peak = 0, s = 14, i, at;
    for (i = 0; i < e->kernel; i++) {
        peak |= x[i] < 0 ? -1 - x[i] : x[i];
    }
    for (; peak > 0; peak >>= 1) {
        s--;
    }
    at = tink_log_mel_half(e, x, 0, 1, 15 - s, 0, z);
    at = tink_log_mel_half(e, x + half, half - 1, -1, 15 - s, at, z);
    for (i = half; i < e->points; i++) {
        z[at] = 0;
        at = tink_next_reversed(at, e->points);
    }
    return s;
}

static inline int32_t tink_squares(int32_t re, int32_t im)
{
    return (int32_t)((uint32_t)re * (uint32_t)re + (uint32_t)im * (uint32_t)im);
}

static inline int32_t tink_mix(int32_t e, int32_t t)
{
    return (int32_t)((uint32_t)e * 16384u + (uint32_t)t + 16384u) >> 15;
}

/* The transform of pairs becomes the power of each bin of the real spectrum, in place; bin 0 and that of half the rate are
 * left out. */
TINK_KERNEL void tink_log_mel_power(const tink_log_mel_t *e, int32_t *z)
{
    const int32_t half = e->points >> 1;
    int32_t k;
    for (k = 1; k < half; k++) {
        const int32_t a = z[k], b = z[e->points - k], c = e->cosine[k], s = e->cosine[half - k];
        const int32_t even_re = tink_real(a) + tink_real(b), even_im = tink_imaginary(a) - tink_imaginary(b);
        const int32_t odd_re = tink_imaginary(a) + tink_imaginary(b), odd_im = tink_real(b) - tink_real(a);
        const int32_t t_re = (int32_t)((uint32_t)odd_re * (uint32_t)c + (uint32_t)odd_im * (uint32_t)s) >> 1;
        const int32_t t_im = (int32_t)((uint32_t)odd_im * (uint32_t)c - (uint32_t)odd_re * (uint32_t)s) >> 1;
        z[k] = tink_squares(tink_mix(even_re, t_re), tink_mix(even_im, t_im));
        z[e->points - k] = tink_squares(tink_mix(even_re, -t_re), tink_mix(even_im, -t_im));
    }
    z[half] = tink_squares(tink_real(z[half]), tink_imaginary(z[half]));
}

/* bins: of the power from the first that belongs to a band. */
TINK_KERNEL void tink_log_mel_bands(const tink_log_mel_t *e, const int32_t *bins, int32_t s, int8_t *y)
{
    const uint32_t least = s > 4 ? (uint32_t)1 << (2 * s - 8) : 1u;
    const uint16_t *weight = e->weight;
    uint32_t rising = 0;
    int32_t m, i;
    for (m = 0; m <= e->bands; m++) {
        uint32_t falling = rising;
        rising = 0;
        for (i = e->count[m]; i > 0; i--) {
            const uint32_t bin = (uint32_t)*bins++, f = *weight++;
            const uint32_t share = (bin >> 16) * f + (((bin & 0xffffu) * f) >> 16);
            rising += share;
            falling += bin - share;
        }
        if (m > 0) {
            const int32_t q = tink_log2_eighths(8u * ((uint64_t)falling + least)) - 16 * s - 87;
            *y++ = (int8_t)(q < 127 ? q : 127);
        }
    }
}

/* After the last of every `stride` frames. z [points]: room for the time of this call. */
TINK_KERNEL void tink_log_mel_give(const tink_log_mel_t *e, int16_t *past, int32_t *z, int8_t *y)
{
    int32_t c;
    for (c = 0; c < e->channels; c++, past += e->kernel, y += e->bands) {
        const int32_t s = tink_log_mel_load(e, past, z);
        tink_log_mel_transform(e, z);
        tink_log_mel_power(e, z);
        tink_log_mel_bands(e, z + e->first_bin, s, y);
        if (e->kernel > e->stride) {
            memmove(past, past + e->stride, (size_t)(e->kernel - e->stride) * sizeof *past);
        }
    }
}
/* [end] */

#endif
