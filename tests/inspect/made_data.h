/* Hand-made recordings for the tests of inspect: people whose sensor turns slowly under gravity, with short bursts of
 * movement that are labelled exactly. Everything may be changed before the checks run. Included by one test each. */
#ifndef MADE_DATA_H
#define MADE_DATA_H

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "inspect/check.h"

#define RATE 50.0
#define N_PEOPLE 6
#define N_STREAMS (N_PEOPLE + 1) /* the last one is for what a test adds */
#define N_FRAMES 6000
#define N_CHANNELS 6
#define MOST_LABELS 64
#define ACCEL_SCALE (8.0 / 32768)
#define GYRO_SCALE (35.0 / 32768)

typedef struct world {
    tin_dataset d;
    tin_channel channels[N_CHANNELS];
    tin_class classes[3];
    tin_stream streams[N_STREAMS];
    char ids[N_STREAMS][16], subjects[N_STREAMS][16];
    tin_interval intervals[N_STREAMS][MOST_LABELS];
    int16_t counts[N_STREAMS][N_FRAMES * N_CHANNELS];
} world;

static inline double bell(tin_rng *rng)
{
    double sum = 0;
    for (int i = 0; i < 6; i++) {
        sum += (double)tin_rng_below(rng, 20001) / 10000 - 1;
    }
    return sum / 1.4142;
}

/* Roll and pitch go slowly up and down; gravity and rotation follow from them. Bursts: 1.2 s of shaking. */
static inline void make_person(world *w, int i)
{
    tin_rng rng;
    tin_rng_seed(&rng, (uint64_t)i + 1);
    tin_stream *s = &w->streams[i];
    double roll_hz = 0.11 + 0.01 * i, pitch_hz = 0.17 + 0.013 * i, two_pi = 6.283185307179586;
    int64_t next = 200 + (int64_t)tin_rng_below(&rng, 100), end = 0;
    int32_t kind = 1;
    for (int64_t t = 0; t < N_FRAMES; t++) {
        double at = (double)t / RATE;
        double roll = 0.5 * sin(two_pi * roll_hz * at), pitch = 0.4 * sin(two_pi * pitch_hz * at + i);
        double roll_rate = 0.5 * two_pi * roll_hz * cos(two_pi * roll_hz * at);
        double pitch_rate = 0.4 * two_pi * pitch_hz * cos(two_pi * pitch_hz * at + i);
        double v[6] = {-sin(pitch), sin(roll) * cos(pitch), cos(roll) * cos(pitch),
                       roll_rate,   pitch_rate * cos(roll), -pitch_rate * sin(roll)};
        if (t == next && t + 400 < N_FRAMES) {
            end = t + 60;
            next = t + 150 + (int64_t)tin_rng_below(&rng, 60);
            s->intervals[s->n_intervals++] = (tin_interval){t, end, kind};
            kind = 3 - kind;
        }
        for (int c = 0; c < N_CHANNELS; c++) {
            double shake = t < end ? bell(&rng) * (c < 3 ? 0.5 : 1.5) : 0;
            double value = v[c] + shake + bell(&rng) * (c < 3 ? 0.004 : 0.01);
            w->counts[i][t * N_CHANNELS + c] = (int16_t)rint(value / w->channels[c].scale);
        }
    }
}

static inline void make_world(world *w)
{
    static const char *const names[N_CHANNELS] = {"ax", "ay", "az", "gx", "gy", "gz"};
    static const tin_role roles[N_STREAMS] = {TIN_ROLE_TRAIN, TIN_ROLE_TRAIN, TIN_ROLE_TRAIN, TIN_ROLE_VALIDATION,
                                              TIN_ROLE_TEST,  TIN_ROLE_TEST,  TIN_ROLE_TRAIN};
    memset(w, 0, sizeof *w);
    for (int c = 0; c < N_CHANNELS; c++) {
        w->channels[c] = (tin_channel){(char *)(uintptr_t)names[c], (char *)(uintptr_t)(c < 3 ? "g" : "rad/s"),
                                       c < 3 ? ACCEL_SCALE : GYRO_SCALE};
    }
    w->classes[0].name = (char *)(uintptr_t) "none";
    w->classes[1] = (tin_class){(char *)(uintptr_t) "shake", true};
    w->classes[2] = (tin_class){(char *)(uintptr_t) "tap", true};
    for (int i = 0; i < N_STREAMS; i++) {
        snprintf(w->ids[i], sizeof w->ids[i], "r%d", i + 1);
        snprintf(w->subjects[i], sizeof w->subjects[i], "s%02d", i + 1);
        w->streams[i] = (tin_stream){.id = w->ids[i],
                                     .subject = w->subjects[i],
                                     .session = (char *)(uintptr_t) "",
                                     .origin = (char *)(uintptr_t) "",
                                     .role = roles[i],
                                     .n_frames = N_FRAMES,
                                     .counts = w->counts[i],
                                     .intervals = w->intervals[i]};
        make_person(w, i);
    }
    w->d = (tin_dataset){.name = (char *)(uintptr_t) "made",
                         .rate_hz = RATE,
                         .n_channels = N_CHANNELS,
                         .n_classes = 3,
                         .channels = w->channels,
                         .classes = w->classes,
                         .streams = w->streams,
                         .n_streams = N_PEOPLE};
}

#endif
