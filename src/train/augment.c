#include "train/augment.h"

#include <math.h>
#include <string.h>

#define NOISE_SPAN 20.0 /* greatest over least deviation */

/* Three channels in one unit of the list. */
static bool is_triad(const tin_channel *channels, int first, int n_channels, const char *const units[])
{
    if (first + 3 > n_channels) {
        return false;
    }
    const char *unit = channels[first].unit;
    bool known = false;
    for (; *units && !known; units++) {
        known = strcmp(unit, *units) == 0;
    }
    return known && strcmp(unit, channels[first + 1].unit) == 0 && strcmp(unit, channels[first + 2].unit) == 0;
}

tin_triads tin_triads_find(const tin_channel *channels, int n_channels)
{
    static const char *const accel[] = {"g", "mg", "m/s^2", "m/s2", NULL};
    static const char *const gyro[] = {"rad/s", "mrad/s", "deg/s", "dps", "mdps", NULL};
    tin_triads t;
    t.accel = is_triad(channels, 0, n_channels, accel);
    t.gyro = t.accel && is_triad(channels, 3, n_channels, gyro);
    return t;
}

/* Rodrigues: rotation by `angle` about a unit axis. */
static void rotation(const double axis[3], double angle, double r[3][3])
{
    double x = axis[0], y = axis[1], z = axis[2], s = sin(angle), k = 1 - cos(angle);
    double m[3][3] = {{1 - k * (y * y + z * z), k * x * y - s * z, k * x * z + s * y},
                      {k * x * y + s * z, 1 - k * (x * x + z * z), k * y * z - s * x},
                      {k * x * z - s * y, k * y * z + s * x, 1 - k * (x * x + y * y)}};
    memcpy(r, m, sizeof m);
}

static void draw_rotation(double degrees, tin_rng *rng, double r[3][3])
{
    double axis[3], length = 0;
    for (int i = 0; i < 3; i++) {
        axis[i] = tin_rng_normal(rng);
        length += axis[i] * axis[i];
    }
    length = sqrt(length);
    for (int i = 0; i < 3; i++) {
        axis[i] = length > 0 ? axis[i] / length : i == 0;
    }
    rotation(axis, tin_rng_uniform(rng) * degrees * M_PI / 180, r);
}

static double draw_noise(double most, tin_rng *rng)
{
    double share = tin_rng_uniform(rng);
    return most > 0 ? most * pow(NOISE_SPAN, share - 1) : 0;
}

/* Rows of a triad: normalise * gain * rotation * mirror * physical unit. sign: of the mirror, per axis. */
static void fill_triad(tin_augment *a, const tin_model *model, int triad, double gain, double r[3][3],
                       const double sign[3])
{
    for (int i = 0; i < 3; i++) {
        int c = 3 * triad + i;
        double normalise = (double)model->input.scale[c] / model->channels[c].scale;
        for (int j = 0; j < 3; j++) {
            a->matrix[c][j] = (float)(normalise * gain * r[i][j] * sign[j] * model->channels[3 * triad + j].scale);
        }
    }
}

void tin_augment_none(tin_augment *a, const tin_model *model)
{
    memset(a, 0, sizeof *a);
    a->speed = 1;
    for (int c = 0; c < model->n_channels; c++) {
        a->matrix[c][0] = model->input.scale[c];
        a->shift[c] = -(float)model->input.offset[c] * model->input.scale[c];
    }
}

void tin_augment_draw(tin_augment *a, const tin_model *model, tin_triads triads, const tin_config_train *settings,
                      tin_rng *rng)
{
    static const double plain[3] = {1, 1, 1}, mirror_accel[3] = {-1, 1, 1}, mirror_gyro[3] = {1, -1, -1};
    tin_augment_none(a, model);
    a->speed = tin_rng_range(rng, 1 - settings->warp, 1 + settings->warp);
    double r[3][3];
    draw_rotation(settings->rotate_degrees, rng, r);
    double gain_accel = tin_rng_range(rng, 1 - settings->scale, 1 + settings->scale);
    double gain_gyro = tin_rng_range(rng, 1 - settings->scale, 1 + settings->scale);
    double noise_accel = draw_noise(settings->noise_accel, rng), noise_gyro = draw_noise(settings->noise_gyro, rng);
    bool mirror = tin_rng_uniform(rng) < settings->mirror;
    a->n_triads = triads.accel + triads.gyro;
    if (triads.accel) {
        fill_triad(a, model, 0, gain_accel, r, mirror ? mirror_accel : plain);
    }
    if (triads.gyro) {
        fill_triad(a, model, 1, gain_gyro, r, mirror ? mirror_gyro : plain);
    }
    for (int c = 0; c < model->n_channels; c++) {
        bool gyro = triads.gyro && c >= 3 && c < 6;
        if (c >= 3 * a->n_triads) {
            a->matrix[c][0] *= (float)gain_accel;
        }
        a->noise[c] =
            (float)((gyro ? noise_gyro : noise_accel) * (double)model->input.scale[c] / model->channels[c].scale);
    }
}

/* Adds noise that is nearly normal: the sum of four random bytes, two values out of one draw. */
static void add_noise(const tin_augment *a, int n_channels, tin_rng *rng, float *x)
{
    const uint64_t even = 0x00ff00ff00ff00ffu;
    const float scale = 1 / 147.80054f; /* sqrt(4 * (256^2 - 1) / 12) */
    for (int c = 0; c < n_channels; c += 2) {
        uint64_t bits = tin_rng_next(rng), sums = (bits & even) + (bits >> 8 & even);
        sums += sums >> 16;
        x[c] += a->noise[c] * scale * (float)((int)(sums & 0xffff) - 510);
        if (c + 1 < n_channels) {
            x[c + 1] += a->noise[c + 1] * scale * (float)((int)(sums >> 32 & 0xffff) - 510);
        }
    }
}

static void turn_frame(const tin_augment *a, int n_channels, const float *from, float *x)
{
    for (int t = 0; t < a->n_triads; t++) {
        const float *v = from + 3 * t;
        for (int c = 3 * t; c < 3 * t + 3; c++) {
            const float *m = a->matrix[c];
            x[c] = m[0] * v[0] + m[1] * v[1] + m[2] * v[2] + a->shift[c];
        }
    }
    for (int c = 3 * a->n_triads; c < n_channels; c++) {
        x[c] = a->matrix[c][0] * from[c] + a->shift[c];
    }
}

void tin_augment_apply(const tin_augment *a, const int16_t *counts, int64_t n_counts, int n_channels, double start,
                       int n_frames, tin_rng *noise, float *x)
{
    bool noisy = false;
    for (int c = 0; c < n_channels; c++) {
        noisy |= a->noise[c] > 0;
    }
    for (int i = 0; i < n_frames; i++, x += n_channels) {
        double position = start + i * a->speed;
        if (position < 0) { /* draws no noise, so that it is the same wherever a chunk begins */
            memset(x, 0, (size_t)n_channels * sizeof *x);
            continue;
        }
        int64_t k = (int64_t)position;
        if (k >= n_counts || (k == n_counts - 1 && position > (double)k)) {
            memset(x, 0, (size_t)(n_frames - i) * (size_t)n_channels * sizeof *x);
            return;
        }
        float from[TIN_MAX_CHANNELS], share = (float)(position - (double)k);
        const int16_t *now = counts + k * n_channels, *next = k + 1 < n_counts ? now + n_channels : now;
        for (int c = 0; c < n_channels; c++) {
            from[c] = (float)now[c] + share * (float)(next[c] - now[c]);
        }
        turn_frame(a, n_channels, from, x);
        if (noisy) {
            add_noise(a, n_channels, noise, x);
        }
    }
}
