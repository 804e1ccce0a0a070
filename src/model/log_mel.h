/* The op log_mel: how strong sound is, band by band on the mel scale, over the last `kernel` frames, after every `stride`
 * of them. Integers everywhere, so that training, both runners and generated code give the same numbers. This is the naive
 * reference; docs/integer-arithmetic.md explains the choices and bounds.
 *
 * One window x[0..W-1] of counts of a channel, W a multiple of 4, N the least power of two >= W (at least 32), M = N / 2:
 *     s = the greatest of -1..14 with max(x[n], -1 - x[n]) * 2^s < 2^14 for all n
 *     y[n] = (x[n] * w[n] + 2^(14-s)) >> (15 - s)                    w: Hann, Q15; y[n] = 0 from W on
 *     Z = FFT of z[n] = y[2n] + i y[2n+1], n < M: radix 2, decimation in time, in place; each butterfly of a, b and the
 *         twiddle c - i d (Q15) halves:
 *             t = b * (c - i d);  a' = (a * 2^15 + t + 2^15) >> 16, b' = (a * 2^15 - t + 2^15) >> 16   real and imaginary
 *     for 0 < k < M, the spectrum of y, with c - i d the twiddle of k of N (k and M - k together):
 *         e = Z[k] + conj Z[M-k], o = (Z[k] - conj Z[M-k]) / i, t = o * (c - i d)
 *         X = (e * 2^14 + (t >> 1) + 2^14) >> 15, for M - k with -t;   P[k] = re(X)^2 + im(X)^2
 *     band m = sum over the bins between the centres of m-1 and m of (P[k] * f[k]) >> 16
 *            + sum over those between m and m+1 of P[k] - ((P[k] * f[k]) >> 16)
 *     q[m] = min(127, L(8 * (band + 2^max(0, 2s-8))) - 16 s - 87)                         value = q / 32, q >= -127
 *     L(v) = log2 in eighths, as in log_energy.h */
#ifndef TIN_LOG_MEL_H
#define TIN_LOG_MEL_H

#include <stdint.h>

#define TIN_LOG_MEL_MAX_KERNEL 1024
#define TIN_LOG_MEL_MIN_KERNEL 16
#define TIN_LOG_MEL_MAX_BANDS 128

typedef struct tin_log_mel_shape {
    int kernel, stride; /* frames of a window, and from one to the next */
    int bands, low_hz, high_hz;
    double rate_hz;
} tin_log_mel_shape;

/* What follows from the shape: constants of the device. */
typedef struct tin_log_mel {
    int kernel, bands;
    int log2_points;                                /* of N */
    int first_bin, n_bins;                          /* those that belong to a band, all in 1..M-1 */
    uint16_t window[TIN_LOG_MEL_MAX_KERNEL / 2];    /* [W / 2] the rising half, Q15, at most 32767 */
    int32_t cosine[TIN_LOG_MEL_MAX_KERNEL / 4 + 1]; /* [N/4 + 1] cos(2 pi k / N), Q15; the first is 32768 */
    uint16_t weight[TIN_LOG_MEL_MAX_KERNEL / 2]; /* [n_bins] f: how far the bin is from one centre to the next, Q16 */
    uint16_t
        count[TIN_LOG_MEL_MAX_BANDS + 1]; /* [bands + 1] bins before the centre of band 0, 1, .. and behind the last */
} tin_log_mel;

/* Whether a layer may have this shape; NULL or what to do instead. */
const char *tin_log_mel_mend(const tin_log_mel_shape *shape);
/* Of a shape without a mend. */
void tin_log_mel_fill(tin_log_mel *tables, const tin_log_mel_shape *shape);
/* One window: counts [kernel], the oldest first; q [bands]. */
void tin_log_mel_window(const tin_log_mel *tables, const int16_t *counts, int8_t *q);
/* Multiplications of one window. */
double tin_log_mel_products(int kernel);
/* The least power of two that holds the window, as an exponent. */
int tin_log_mel_log2_points(int kernel);

#endif
