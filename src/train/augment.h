/* Private to src/train. Augmentation of one sequence, first part: what is one matrix on the counts of a frame, with
 * normalisation in it, and noise; and the clock, which says which place of the recording each frame shows. What else
 * there is follows in effects.h.
 *
 * Everything is a function of the seed, the number of the sequence and the place in it, so that neither threads nor
 * chunks nor a resumed run change it. */
#ifndef TIN_AUGMENT_H
#define TIN_AUGMENT_H

#include "base/rng.h"
#include "model/model.h"
#include "project/config.h"

/* Which channels turn together. */
typedef struct tin_triads {
    bool accel; /* channels 0-2 are three axes of acceleration (g, mg, m/s^2) */
    bool gyro;  /* channels 3-5 three axes of rotation (rad/s, mrad/s, deg/s, mdps) */
} tin_triads;

tin_triads tin_triads_find(const tin_channel *channels, int n_channels);

typedef enum tin_sensor { TIN_SENSOR_ACCEL, TIN_SENSOR_GYRO, TIN_SENSOR_OTHER } tin_sensor;

static inline tin_sensor tin_sensor_of(tin_triads triads, int channel)
{
    return triads.accel && channel < 3  ? TIN_SENSOR_ACCEL
           : triads.gyro && channel < 6 ? TIN_SENSOR_GYRO
                                        : TIN_SENSOR_OTHER;
}

/* One operation of a sequence has random numbers of its own, so that none changes another one. */
typedef enum tin_augment_op {
    TIN_AUGMENT_SPLICE,
    TIN_AUGMENT_SPEED,
    TIN_AUGMENT_WARP,
    TIN_AUGMENT_SHIFT,
    TIN_AUGMENT_ROTATE,
    TIN_AUGMENT_SCALE,
    TIN_AUGMENT_GAIN,
    TIN_AUGMENT_ROOM,
    TIN_AUGMENT_BACKGROUND,
    TIN_AUGMENT_BIAS,
    TIN_AUGMENT_DRIFT,
    TIN_AUGMENT_NOISE,
    TIN_AUGMENT_RANGE,
    TIN_AUGMENT_RESOLUTION,
    TIN_AUGMENT_DROP,
    TIN_AUGMENT_MUTE,
    TIN_AUGMENT_TURN,
    TIN_AUGMENT_OPS
} tin_augment_op;

/* What all sequences share. */
typedef struct tin_augment_source {
    const tin_model *model;
    const tin_config_augment *settings;
    tin_triads triads;
    double rate_hz;
    uint64_t seed;
} tin_augment_source;

/* Seed of the operation's random numbers in this sequence. */
static inline uint64_t tin_augment_seed(const tin_augment_source *source, int64_t sequence, tin_augment_op op)
{
    return tin_rng_at(source->seed ^ 0x61756772656cu, (uint64_t)sequence * TIN_AUGMENT_OPS + op);
}

/* Whether the sequence has the operation; *rng: of its random numbers. */
bool tin_augment_chosen(const tin_augment_source *source, int64_t sequence, tin_augment_op op, double probability,
                        tin_rng *rng);

#define TIN_CLOCK_GRID 16

/* Frame i of a piece of a sequence shows the recording at start + i * speed, and with `swing` at up to so many frames (of
 * the sequence) more or less: D(first + i), a smooth curve through a random value every `period` frames, 0 before frame
 * 0, taken every TIN_CLOCK_GRID frames and a line between. Position rises with i, since |D'| <= 3 swing / period < 1. */
typedef struct tin_clock {
    double start, speed;
    double swing, period; /* swing 0: none */
    uint64_t seed;
    int64_t first; /* frame of the sequence that is i = 0 */
    /* what was looked at last, INT64_MIN: nothing: the line of the grid, and the value of the curve at the node before */
    int64_t line, node;
    double from, slope, value[2];
} tin_clock;

double tin_clock_swing(tin_clock *clock, int64_t i); /* D(first + i) */

static inline double tin_clock_at(tin_clock *clock, int64_t i)
{
    double position = clock->start + (double)i * clock->speed;
    return clock->swing > 0 ? position + clock->speed * tin_clock_swing(clock, i) : position;
}

typedef float float_8 __attribute__((vector_size(32)));
typedef int32_t int_8 __attribute__((vector_size(32)));

/* The network sees x[c] = sum_j matrix[j][c] * counts[axis[j][c]] + shift[c] + noise[c] * normal; the axes are the three
 * channels of the triad that c belongs to. A channel of no triad has matrix[0] and itself only. */
typedef struct tin_augment {
    tin_clock clock; /* of the whole sequence: start is 0 */
    double later;    /* frames by which the labels lie behind the signal */
    float matrix[3][TIN_MAX_CHANNELS];
    float shift[TIN_MAX_CHANNELS], noise[TIN_MAX_CHANNELS];
    int_8 axis[3]; /* of the first eight channels; all others are themselves */
} tin_augment;

/* Draws from rng, always the same number of values in the same order. */
void tin_augment_draw(tin_augment *augment, const tin_augment_source *source, int64_t sequence, tin_rng *rng);

/* The same without any augmentation: normalisation alone. */
void tin_augment_none(tin_augment *augment, const tin_model *model);

/* The greatest share by which a sequence can be faster than the recording, and the greatest swing, frames. */
double tin_augment_fastest(const tin_config_augment *settings);
double tin_augment_most_swing(const tin_config_augment *settings, double rate_hz);

/* x [n_frames][n_channels] from counts [n_counts][n_channels]; frame i lies at the clock's position between two frames of
 * counts, by linear interpolation. Frames whose position is before the first or past the last one are zero. noise: generator. */
void tin_augment_apply(const tin_augment *augment, tin_clock *clock, const int16_t *counts, int64_t n_counts,
                       int n_channels, int n_frames, tin_rng *noise, float *x);

#endif
