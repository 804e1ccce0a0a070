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
            a->axis[j][c] = 3 * triad + j;
            a->matrix[j][c] = (float)(normalise * gain * r[i][j] * sign[j] * model->channels[3 * triad + j].scale);
        }
    }
}

void tin_augment_none(tin_augment *a, const tin_model *model)
{
    const int_8 self = {0, 1, 2, 3, 4, 5, 6, 7};
    memset(a, 0, sizeof *a);
    a->speed = 1;
    a->axis[0] = a->axis[1] = a->axis[2] = self;
    for (int c = 0; c < model->n_channels; c++) {
        a->matrix[0][c] = model->input.scale[c];
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
    int n_triads = triads.accel + triads.gyro;
    if (triads.accel) {
        fill_triad(a, model, 0, gain_accel, r, mirror ? mirror_accel : plain);
    }
    if (triads.gyro) {
        fill_triad(a, model, 1, gain_gyro, r, mirror ? mirror_gyro : plain);
    }
    for (int c = 0; c < model->n_channels; c++) {
        bool gyro = triads.gyro && c >= 3 && c < 6;
        if (c >= 3 * n_triads) {
            a->matrix[0][c] *= (float)gain_accel;
        }
        a->noise[c] =
            (float)((gyro ? noise_gyro : noise_accel) * (double)model->input.scale[c] / model->channels[c].scale);
    }
}

typedef int16_t short_8 __attribute__((vector_size(16)));
typedef uint32_t uint_8 __attribute__((vector_size(32)));

/* Noise of eight channels at a time. */
typedef struct noise_state {
    uint_8 s[4];
} noise_state;

#define NOISE_SCALE (1 / 147.80054f) /* one over the deviation of the sum of four bytes, sqrt(4 * (256^2 - 1) / 12) */

typedef struct signal {
    const int16_t *counts; /* row first_row of the recording */
    int64_t first_row, n_counts;
    int n_channels;
    double start;
    bool noisy;
} signal;

#define ROWS rows_plain
#define WIDEN(x) __builtin_convertvector(x, int_8)
#include "train/augment_rows.h"
#undef ROWS
#undef WIDEN

#if defined __x86_64__ && defined __GNUC__
#include <immintrin.h>
#pragma GCC push_options
#pragma GCC target("avx2")
#define ROWS rows_avx2
#define WIDEN(x) ((int_8)_mm256_cvtepi16_epi32((__m128i)(x))) /* gcc 12 makes six instructions of the conversion */
#include "train/augment_rows.h"
#undef ROWS
#pragma GCC pop_options
#define HAS_AVX2 __builtin_cpu_supports("avx2")
#else
#define rows_avx2 rows_plain
#define HAS_AVX2 0
#endif

/* Frames from .. to - 1 of `whole` that there are. Whole vectors are stored as far as what reaches behind the channels that
 * are there is written over by the frames that follow; the others go by a detour. */
static void fill_frames(const tin_augment *a, const signal *in, int c, int from, int to, int whole, noise_state *state,
                        float *x)
{
    enum { PIECE = 16 };
    int n_channels = in->n_channels, width = n_channels - c < 8 ? n_channels - c : 8;
    int end = whole < to ? (whole > from ? whole : from) : to;
    (HAS_AVX2 ? rows_avx2 : rows_plain)(a, in, c, from, end, state, x + (ptrdiff_t)from * n_channels + c, n_channels);
    while (end < to) {
        float piece[PIECE][8];
        int next = end + PIECE < to ? end + PIECE : to;
        (HAS_AVX2 ? rows_avx2 : rows_plain)(a, in, c, end, next, state, piece[0], 8);
        for (int i = 0; end < next; i++, end++) {
            memcpy(x + (ptrdiff_t)end * n_channels + c, piece[i], (size_t)width * sizeof *x);
        }
    }
}

/* First frame, up to n_frames, that lies at `position` or behind it. */
static int first_behind(const tin_augment *a, double start, int n_frames, double position)
{
    double guess = ceil((position - start) / a->speed);
    int i = guess >= n_frames ? n_frames : guess > 0 ? (int)guess : 0;
    while (i > 0 && start + (i - 1) * a->speed >= position) {
        i--;
    }
    while (i < n_frames && start + i * a->speed < position) {
        i++;
    }
    return i;
}

void tin_augment_apply(const tin_augment *a, const int16_t *counts, int64_t n_counts, int n_channels, double start,
                       int n_frames, tin_rng *noise, float *x)
{
    signal in = {counts, 0, n_counts, n_channels, start, false};
    noise_state state = {0};
    for (int c = 0; c < n_channels; c++) {
        in.noisy |= a->noise[c] > 0;
    }
    for (int i = 0; in.noisy && i < 16; i++) {
        uint64_t bits = tin_rng_next(noise);
        memcpy((char *)state.s + i * 8, &bits, sizeof bits);
    }
    /* The last rows, of which a whole vector would reach past the end, are copied to where there is room. */
    int16_t tail[(8 + 2) * TIN_MAX_CHANNELS + 8];
    int64_t n_tail = (7 + n_channels) / n_channels + 1, first_row = n_counts > n_tail ? n_counts - n_tail : 0;
    memcpy(tail, counts + first_row * n_channels, (size_t)((n_counts - first_row) * n_channels) * sizeof *tail);
    signal end = in;
    end.counts = tail;
    end.first_row = first_row;
    int n_safe = first_behind(a, start, n_frames, (double)first_row);
    for (int c = 0; c < n_channels; c += 8) {
        bool overwritten = c == 0 || n_channels - c >= 8;
        int whole = overwritten ? n_frames - (c + 7) / n_channels : 0;
        fill_frames(a, &in, c, 0, n_safe, whole, &state, x);
        fill_frames(a, &end, c, n_safe, n_frames, whole, &state, x);
    }
}
