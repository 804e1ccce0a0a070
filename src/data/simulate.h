/* Private to src/data: the simulator of a wrist-worn IMU. docs/simulator.md explains the physics.
 *
 * One session of one person is built on a fine clock: joint angles and the shoulder's position over time (the track),
 * a base posture first, then what the background adds, then gestures and things that look like them. Kinematics turns
 * the track into what an ideal IMU at the wrist feels; the sensor adds its errors and gives frames. */
#ifndef TIN_SIMULATE_H
#define TIN_SIMULATE_H

#include "base/rng.h"
#include "data/recording.h"

#define TIN_SIM_GRAVITY 9.80665
#define TIN_SIM_FINE_HZ 400.0 /* at least; a multiple of the frame rate */

/* Degrees of freedom of the track: angles in rad, positions in m. Left arm; x forward, y left, z up. Zero is an arm
 * that hangs straight, the back of the hand to the front. */
typedef enum tin_sim_dof {
    TIN_SIM_YAW,       /* of the trunk, about z */
    TIN_SIM_FLEXION,   /* of the upper arm, forward */
    TIN_SIM_ABDUCTION, /* of the upper arm, to the side */
    TIN_SIM_ROTATION,  /* of the upper arm about itself; turns a bent forearm inward */
    TIN_SIM_ELBOW,     /* flexion */
    TIN_SIM_PRONATION, /* of the forearm about itself; 0 with a bent elbow: palm down; -pi/2: thumb up */
    TIN_SIM_X,         /* of the shoulder, in the trunk's frame */
    TIN_SIM_Y,
    TIN_SIM_Z,
    TIN_SIM_DOFS,
    TIN_SIM_ANGLES = TIN_SIM_X
} tin_sim_dof;

typedef struct tin_sim_track {
    size_t n;
    double rate_hz;
    double *dof[TIN_SIM_DOFS]; /* [n] each */
} tin_sim_track;

typedef struct tin_sim_quat {
    double w, x, y, z;
} tin_sim_quat;

/* How one person differs from another. */
typedef struct tin_sim_person {
    double upper_arm, forearm;      /* m, shoulder to elbow, elbow to watch */
    tin_sim_quat mount;             /* how the watch sits on the forearm */
    double tempo, strength;         /* factors around 1 */
    double step_hz;                 /* of walking */
    double posture[TIN_SIM_ANGLES]; /* added to every pose, rad */
    double flick_sign;              /* which way the forearm turns first */
    double prepare;                 /* share of gestures that begin with lifting the forearm */
    double swing;                   /* of the arms when walking, rad */
    double tremor;                  /* rad */
} tin_sim_person;

/* A true gesture: class 1..TIN_SIM_GESTURES, seconds. */
typedef struct tin_sim_event {
    int gesture;
    double start, end;
} tin_sim_event;

#define TIN_SIM_GESTURES 4
extern const char *const tin_sim_gesture_names[TIN_SIM_GESTURES + 1]; /* [0] is "none" */

tin_status tin_sim_track_create(tin_sim_track *track, size_t n, double rate_hz, tin_error *err) TIN_USE_RESULT;
void tin_sim_track_free(tin_sim_track *track);

/* Minimum jerk from 0 to 1 over u in 0..1 (Flash and Hogan 1985). */
double tin_sim_smooth(double u);
/* 0 outside [start, end), 1 inside, minimum-jerk ramps of `ramp` seconds within. */
double tin_sim_window(double t, double start, double end, double ramp);
/* Adds `count` sines of random frequency in [low, high) Hz and random phase with this root mean square, windowed. */
void tin_sim_add_band(tin_sim_track *track, tin_sim_dof dof, double start, double end, double low, double high,
                      double rms, int count, tin_rng *rng);
/* The same for positions, with the root mean square given as acceleration, m/s^2. */
void tin_sim_add_shaking(tin_sim_track *track, tin_sim_dof dof, double start, double end, double low, double high,
                         double acceleration, int count, tin_rng *rng);
/* There and back: minimum jerk to `size` at the middle, and back to 0. */
void tin_sim_add_pulse(tin_sim_track *track, tin_sim_dof dof, double start, double length, double size);
/* There, hold, back. */
void tin_sim_add_hold(tin_sim_track *track, tin_sim_dof dof, double start, double rise, double hold, double fall,
                      double size);
/* The same towards a pose instead of by an amount: angle = (1 - w) * angle + w * pose. */
void tin_sim_blend(tin_sim_track *track, const double pose[TIN_SIM_ANGLES], double start, double rise, double hold,
                   double fall);

void tin_sim_person_draw(tin_sim_person *person, tin_rng *rng);
/* Base posture and background of the whole track. */
void tin_sim_background(tin_sim_track *track, const tin_sim_person *person, tin_rng *rng);
/* What every living arm does all the time, also while it rests in a gesture: sway, breath, tremor. Comes last. */
void tin_sim_life(tin_sim_track *track, const tin_sim_person *person, tin_rng *rng);
/* Upper bound of tin_sim_gestures' events. */
size_t tin_sim_max_events(const tin_sim_track *track);
/* Adds gestures and confusers; returns how many events were written. */
size_t tin_sim_gestures(tin_sim_track *track, const tin_sim_person *person, tin_rng *rng, tin_sim_event *events);

/* Ideal IMU at the watch, imu[n][6]: specific force in m/s^2 and angular velocity in rad/s, both in the watch's axes;
 * and the watch's orientation (watch to world), orientation[n], may be NULL. Velocity k is that from k to k + 1; the
 * ends repeat their neighbours. n >= 3. */
void tin_sim_kinematics(const tin_sim_track *track, const tin_sim_person *person, double *imu,
                        tin_sim_quat *orientation);
tin_sim_quat tin_sim_quat_multiply(tin_sim_quat a, tin_sim_quat b);
/* The rotation by |v| about v. */
tin_sim_quat tin_sim_quat_from_vector(const double v[3]);

/* Averages `oversampling` fine samples per frame, adds the errors of the sensor; acceleration in g.
 * frames[n_frames][6]. */
void tin_sim_sensor(const double *imu, int oversampling, int64_t n_frames, double rate_hz, tin_rng *rng,
                    double *frames);

#endif
