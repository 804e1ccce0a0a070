#include "train/augment.h"

#include <math.h>
#include <string.h>

#include "base/cpu.h"

#define NOISE_SPAN 20.0 /* greatest over least deviation */
#define GRAVITY 9.80665 /* m/s^2 */

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

/* NULL, in settings made by hand in C: x. */
static int axis_of(const char *name)
{
    return name ? name[0] - 'x' : 0;
}

/* The device sits elsewhere around the limb: r becomes r * turn. */
static void draw_turn(const tin_augment_source *source, int64_t sequence, double r[3][3])
{
    const tin_config_turn *turn = &source->settings->turn;
    tin_rng rng;
    if (turn->degrees <= 0 || !tin_augment_chosen(source, sequence, TIN_AUGMENT_TURN, turn->probability, &rng)) {
        return;
    }
    double axis[3] = {0}, t[3][3], tilt[3][3];
    axis[axis_of(turn->axis)] = 1;
    rotation(axis, tin_rng_range(&rng, -turn->degrees, turn->degrees) * M_PI / 180, t);
    memcpy(tilt, r, sizeof tilt);
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++) {
            r[i][j] = tilt[i][0] * t[0][j] + tilt[i][1] * t[1][j] + tilt[i][2] * t[2][j];
        }
    }
}

static double noise_of(double most, double share)
{
    return most > 0 ? most * pow(NOISE_SPAN, share - 1) : 0;
}

/* What one ug or one mdps is in the unit of a channel; 0: the channel measures something else. */
static double unit_of(const char *unit, tin_sensor sensor)
{
    static const struct {
        const char *unit;
        double micro_g, milli_dps;
    } units[] = {{"g", 1e-6, 0},
                 {"mg", 1e-3, 0},
                 {"m/s^2", GRAVITY * 1e-6, 0},
                 {"m/s2", GRAVITY * 1e-6, 0},
                 {"rad/s", 0, M_PI / 180e3},
                 {"mrad/s", 0, M_PI / 180},
                 {"deg/s", 0, 1e-3},
                 {"dps", 0, 1e-3},
                 {"mdps", 0, 1}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(unit, units[i].unit) == 0) {
            return sensor == TIN_SENSOR_GYRO ? units[i].milli_dps : units[i].micro_g;
        }
    }
    return 0;
}

/* Deviation of the noise that a data sheet promises: density * sqrt(bandwidth), in the channel's unit. */
static double data_sheet_noise(const tin_augment_source *source, int c, tin_sensor sensor)
{
    const tin_config_noise *noise = &source->settings->noise;
    double bandwidth = noise->bandwidth_hz > 0 ? noise->bandwidth_hz : source->rate_hz / 2;
    double density = sensor == TIN_SENSOR_GYRO    ? noise->gyro_density
                     : sensor == TIN_SENSOR_ACCEL ? noise->accel_density
                                                  : 0;
    return density > 0 ? density * sqrt(bandwidth) * unit_of(source->model->channels[c].unit, sensor) : 0;
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
    a->clock.speed = 1;
    a->clock.line = a->clock.node = INT64_MIN;
    a->axis[0] = a->axis[1] = a->axis[2] = self;
    for (int c = 0; c < model->n_channels; c++) {
        a->matrix[0][c] = model->input.scale[c];
        a->shift[c] = -(float)model->input.offset[c] * model->input.scale[c];
    }
}

bool tin_augment_chosen(const tin_augment_source *source, int64_t sequence, tin_augment_op op, double probability,
                        tin_rng *rng)
{
    if (probability <= 0) {
        return false;
    }
    tin_rng_seed(rng, tin_augment_seed(source, sequence, op));
    return tin_rng_uniform(rng) < probability;
}

/* Likewise, for what draws its values elsewhere. */
static bool has(const tin_augment_source *source, int64_t sequence, tin_augment_op op, double probability)
{
    tin_rng rng;
    return probability >= 1 || tin_augment_chosen(source, sequence, op, probability, &rng);
}

double tin_augment_fastest(const tin_config_augment *settings)
{
    return 1 + (settings->speed.probability > 0 ? settings->speed.by : 0);
}

double tin_augment_most_swing(const tin_config_augment *settings, double rate_hz)
{
    return settings->warp.probability > 0 ? settings->warp.by * settings->warp.period_ms * 1e-3 * rate_hz / 3 : 0;
}

static void draw_clock(tin_augment *a, const tin_augment_source *source, int64_t sequence, double speed)
{
    const tin_config_augment *s = source->settings;
    tin_rng rng;
    a->clock.speed = has(source, sequence, TIN_AUGMENT_SPEED, s->speed.probability) ? speed : 1;
    double swing = tin_augment_most_swing(s, source->rate_hz);
    if (swing > 0 && tin_augment_chosen(source, sequence, TIN_AUGMENT_WARP, s->warp.probability, &rng)) {
        a->clock.swing = swing;
        a->clock.period = s->warp.period_ms * 1e-3 * source->rate_hz;
        a->clock.seed = tin_rng_next(&rng);
    }
    if (s->shift.ms > 0 && tin_augment_chosen(source, sequence, TIN_AUGMENT_SHIFT, s->shift.probability, &rng)) {
        a->later = s->shift.ms * 1e-3 * source->rate_hz * tin_rng_range(&rng, -1, 1);
    }
}

static double draw_gain(const tin_augment_source *source, int64_t sequence)
{
    tin_rng rng;
    const tin_config_gain *gain = &source->settings->gain;
    return tin_augment_chosen(source, sequence, TIN_AUGMENT_GAIN, gain->probability, &rng)
               ? pow(10, tin_rng_range(&rng, gain->db[0], gain->db[1]) / 20)
               : 1;
}

void tin_augment_draw(tin_augment *a, const tin_augment_source *source, int64_t sequence, tin_rng *rng)
{
    const tin_config_augment *s = source->settings;
    const tin_model *model = source->model;
    tin_augment_none(a, model);
    draw_clock(a, source, sequence, tin_rng_range(rng, 1 - s->speed.by, 1 + s->speed.by));
    double r[3][3];
    draw_rotation(has(source, sequence, TIN_AUGMENT_ROTATE, s->rotate.probability) ? s->rotate.degrees : 0, rng, r);
    draw_turn(source, sequence, r);
    double by = has(source, sequence, TIN_AUGMENT_SCALE, s->scale.probability) ? s->scale.by : 0;
    double gain_accel = tin_rng_range(rng, 1 - by, 1 + by), gain_gyro = tin_rng_range(rng, 1 - by, 1 + by);
    double share = tin_rng_uniform(rng), share_gyro = tin_rng_uniform(rng);
    const bool noisy = has(source, sequence, TIN_AUGMENT_NOISE, s->noise.probability);
    const double noises[] = {noise_of(s->noise.accel, share), noise_of(s->noise.gyro, share_gyro),
                             noise_of(s->noise.other, share)};
    bool mirror = tin_rng_uniform(rng) < s->mirror.probability;
    double accel[3] = {1, 1, 1},
           gyro[3] = {1, 1, 1}; /* rotation is a pseudovector: a mirror keeps what turns about its axis */
    for (int i = 0; mirror && i < 3; i++) {
        bool across = i == axis_of(s->mirror.axis);
        accel[i] = across ? -1 : 1;
        gyro[i] = across ? 1 : -1;
    }
    if (source->triads.accel) {
        fill_triad(a, model, 0, gain_accel, r, accel);
    }
    if (source->triads.gyro) {
        fill_triad(a, model, 1, gain_gyro, r, gyro);
    }
    double gain_other = gain_accel * draw_gain(source, sequence);
    for (int c = 0; c < model->n_channels; c++) {
        tin_sensor sensor = tin_sensor_of(source->triads, c);
        if (sensor == TIN_SENSOR_OTHER) {
            a->matrix[0][c] *= (float)gain_other;
        }
        if (noisy) {
            double noise = hypot(noises[sensor], data_sheet_noise(source, c, sensor));
            a->noise[c] = (float)(noise * (double)model->input.scale[c] / model->channels[c].scale);
        }
    }
}

static double node_value(const tin_clock *clock, int64_t node)
{
    return node > 0 ? clock->swing * ((double)(tin_rng_at(clock->seed, (uint64_t)node) >> 11) * 0x1p-52 - 1) : 0;
}

static double smooth_curve(tin_clock *clock, int64_t line)
{
    double at = (double)(line * TIN_CLOCK_GRID) / clock->period;
    int64_t node = (int64_t)at - (at < 0);
    double t = at - (double)node;
    if (node != clock->node) {
        clock->node = node;
        clock->value[0] = node_value(clock, node);
        clock->value[1] = node_value(clock, node + 1);
    }
    return clock->value[0] + (clock->value[1] - clock->value[0]) * t * t * (3 - 2 * t);
}

static int64_t grid_line(int64_t frame)
{
    return frame >= 0 ? frame / TIN_CLOCK_GRID : -((-frame + TIN_CLOCK_GRID - 1) / TIN_CLOCK_GRID);
}

double tin_clock_swing(tin_clock *clock, int64_t i)
{
    int64_t frame = clock->first + i, line = grid_line(frame);
    if (line != clock->line) {
        clock->line = line;
        clock->from = smooth_curve(clock, line);
        clock->slope = (smooth_curve(clock, line + 1) - clock->from) / TIN_CLOCK_GRID;
    }
    return clock->from + (double)(frame - line * TIN_CLOCK_GRID) * clock->slope;
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
    double start, speed;
    bool noisy;
} signal;

#define PAIRS(word) (((word)&0x00ff00ffu) + ((word) >> 8 & 0x00ff00ffu))
#define ROWS rows_plain
#define WIDEN(x) __builtin_convertvector(x, int_8)
#define BYTES(word) ((PAIRS(word) + (PAIRS(word) >> 16)) & 0xffffu) /* the four of each lane */
#include "train/augment_rows.h"
#undef ROWS
#undef WIDEN
#undef BYTES

#if defined __x86_64__
#include <immintrin.h>
#pragma GCC push_options
#pragma GCC target("avx2")
#define ROWS rows_avx2
#define WIDEN(x) ((int_8)_mm256_cvtepi16_epi32((__m128i)(x))) /* gcc 12 makes six instructions of the conversion */
#define BYTES(word)                                                                                                    \
    ((uint_8)_mm256_madd_epi16(_mm256_maddubs_epi16((__m256i)(word), _mm256_set1_epi8(1)), _mm256_set1_epi16(1)))
#include "train/augment_rows.h"
#undef ROWS
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target(                                                                                                    \
    "avx512f,avx512vl,avx512bw,avx512dq,prefer-vector-width=256") /* of which the 32 registers and the rotations count */
#define ROWS rows_avx512
#include "train/augment_rows.h"
#undef ROWS
#pragma GCC pop_options
#endif

static void fill_rows(const tin_augment *a, const signal *in, int c, int from, int to, noise_state *state, float *x,
                      int stride)
{
#if defined __x86_64__
    if (tin_cpu_has(TIN_CPU_AVX512)) {
        rows_avx512(a, in, c, from, to, state, x, stride);
        return;
    }
    if (tin_cpu_has(TIN_CPU_AVX2)) {
        rows_avx2(a, in, c, from, to, state, x, stride);
        return;
    }
#endif
    rows_plain(a, in, c, from, to, state, x, stride);
}

/* Frames from .. to - 1 of `whole` that there are. Whole vectors are stored as far as what reaches behind the channels that
 * are there is written over by the frames that follow; the others go by a detour. */
static void fill_frames(const tin_augment *a, const signal *in, int c, int from, int to, int whole, noise_state *state,
                        float *x)
{
    enum { PIECE = 16 };
    int n_channels = in->n_channels, width = n_channels - c < 8 ? n_channels - c : 8;
    int end = whole < to ? (whole > from ? whole : from) : to;
    fill_rows(a, in, c, from, end, state, x + (ptrdiff_t)from * n_channels + c, n_channels);
    while (end < to) {
        float piece[PIECE][8];
        int next = end + PIECE < to ? end + PIECE : to;
        fill_rows(a, in, c, end, next, state, piece[0], 8);
        for (int i = 0; end < next; i++, end++) {
            memcpy(x + (ptrdiff_t)end * n_channels + c, piece[i], (size_t)width * sizeof *x);
        }
    }
}

/* First frame, up to n_frames, that lies at `position` or behind it. */
static int first_behind(const signal *in, int n_frames, double position)
{
    double guess = ceil((position - in->start) / in->speed);
    int i = guess >= n_frames ? n_frames : guess > 0 ? (int)guess : 0;
    while (i > 0 && in->start + (i - 1) * in->speed >= position) {
        i--;
    }
    while (i < n_frames && in->start + i * in->speed < position) {
        i++;
    }
    return i;
}

/* Frames from .. to - 1 of eight channels, by one speed. end: the last rows. */
static void fill_piece(const tin_augment *a, const signal *in, const signal *end, int c, int from, int to, int whole,
                       noise_state *state, float *x)
{
    int n_safe = to;
    if (in->start + to * in->speed >= (double)end->first_row) {
        n_safe = first_behind(in, to, (double)end->first_row);
        n_safe = n_safe > from ? n_safe : from;
    }
    fill_frames(a, in, c, from, n_safe, whole, state, x);
    if (n_safe < to) {
        fill_frames(a, end, c, n_safe, to, whole, state, x);
    }
}

/* First frame behind `from` where the speed changes. */
static int piece_end(const tin_clock *clock, int from, int n_frames)
{
    int64_t end = n_frames;
    if (clock->swing > 0) {
        end = (grid_line(clock->first + from) + 1) * TIN_CLOCK_GRID - clock->first;
    }
    return end < n_frames ? (int)end : n_frames;
}

void tin_augment_apply(const tin_augment *a, tin_clock *clock, const int16_t *counts, int64_t n_counts, int n_channels,
                       int n_frames, tin_rng *noise, float *x)
{
    signal in = {counts, 0, n_counts, n_channels, clock->start, clock->speed, false};
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
    for (int c = 0; c < n_channels; c += 8) {
        bool overwritten = c == 0 || n_channels - c >= 8;
        int whole = overwritten ? n_frames - (c + 7) / n_channels : 0;
        for (int from = 0, to; from < n_frames; from = to) {
            to = piece_end(clock, from, n_frames);
            if (clock->swing > 0) {
                double start = tin_clock_at(clock, from);
                in.speed = clock->speed * (1 + clock->slope);
                in.start = start - from * in.speed;
            }
            signal end = in;
            end.counts = tail;
            end.first_row = first_row;
            fill_piece(a, &in, &end, c, from, to, whole, &state, x);
        }
    }
}
