/* Augmentation of one sequence: speed, rotation of the sensor, gain, mirroring, noise. Everything but the speed is one
 * matrix on the counts of a frame, with normalisation in it, and noise. */
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

typedef float float_8 __attribute__((vector_size(32)));
typedef int32_t int_8 __attribute__((vector_size(32)));

/* The network sees x[c] = sum_j matrix[j][c] * counts[axis[j][c]] + shift[c] + noise[c] * normal; the axes are the three
 * channels of the triad that c belongs to. A channel of no triad has matrix[0] and itself only. */
typedef struct tin_augment {
    double speed;
    float matrix[3][TIN_MAX_CHANNELS];
    float shift[TIN_MAX_CHANNELS], noise[TIN_MAX_CHANNELS];
    int_8 axis[3]; /* of the first eight channels; all others are themselves */
} tin_augment;

/* Draws from rng, always the same number of values in the same order. */
void tin_augment_draw(tin_augment *augment, const tin_model *model, tin_triads triads, const tin_config_train *settings,
                      tin_rng *rng);

/* The same without any augmentation: normalisation alone. */
void tin_augment_none(tin_augment *augment, const tin_model *model);

/* x [n_frames][n_channels] from counts [n_counts][n_channels]; frame i lies at position start + i * speed, between two
 * frames of counts by linear interpolation. Frames whose position is before the first or past the last one are zero. noise: generator. */
void tin_augment_apply(const tin_augment *augment, const int16_t *counts, int64_t n_counts, int n_channels,
                       double start, int n_frames, tin_rng *noise, float *x);

#endif
