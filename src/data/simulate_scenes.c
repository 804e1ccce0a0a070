/* People and their background: postures, small movements, walking, a vehicle. Gestures rise out of it. */
#include <math.h>
#include <string.h>

#include "data/simulate.h"

#define PI 3.14159265358979323846
#define DEGREE (PI / 180)

typedef enum scene { SCENE_HANG, SCENE_REST, SCENE_TYPE, SCENE_WALK, SCENE_HANDLE, SCENE_VEHICLE, SCENES } scene;

/* Degrees: yaw, flexion, abduction, rotation, elbow, pronation. */
static const double poses[SCENES][TIN_SIM_ANGLES] = {
    [SCENE_HANG] = {0, 4, 8, 5, 15, -80},      [SCENE_REST] = {0, 14, 10, 20, 62, -25},
    [SCENE_TYPE] = {0, 18, 12, 22, 88, -4},    [SCENE_WALK] = {0, 2, 8, 5, 24, -75},
    [SCENE_HANDLE] = {0, 25, 18, 25, 80, -50}, [SCENE_VEHICLE] = {0, 42, 12, 15, 55, -18},
};
/* Seconds that a scene lasts at least and at most, and its share. */
static const double scene_shortest[SCENES] = {10, 15, 15, 15, 15, 15}, scene_longest[SCENES] = {25, 45, 50, 45, 50, 45};
static const double scene_share[SCENES] = {0.12, 0.2, 0.18, 0.2, 0.18, 0.12};

static double clamp(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

void tin_sim_person_draw(tin_sim_person *person, tin_rng *rng)
{
    *person = (tin_sim_person){
        .upper_arm = clamp(0.29 + 0.018 * tin_rng_normal(rng), 0.24, 0.34),
        .forearm = clamp(0.235 + 0.014 * tin_rng_normal(rng), 0.20, 0.28),
        .tempo = clamp(1 + 0.13 * tin_rng_normal(rng), 0.72, 1.35),
        .strength = clamp(1 + 0.18 * tin_rng_normal(rng), 0.6, 1.5),
        .step_hz = clamp(1.9 + 0.09 * tin_rng_normal(rng), 1.7, 2.15),
        .flick_sign = tin_rng_uniform(rng) < 0.85 ? -1 : 1,
        .prepare = tin_rng_range(rng, 0.2, 0.9),
        .swing = tin_rng_range(rng, 12, 26) * DEGREE,
        .tremor = tin_rng_range(rng, 0.003, 0.015) * DEGREE,
    };
    /* Tilt of the watch against the forearm, mostly a turn about it. */
    double tilt[3] = {12 * DEGREE * tin_rng_normal(rng), 5 * DEGREE * tin_rng_normal(rng),
                      6 * DEGREE * tin_rng_normal(rng)};
    person->mount = tin_sim_quat_from_vector(tilt);
    for (int d = TIN_SIM_FLEXION; d < TIN_SIM_ANGLES; d++)
        person->posture[d] = 5 * DEGREE * tin_rng_normal(rng);
}

/* The base posture while it is written: a chain of minimum-jerk moves. */
typedef struct posture {
    tin_sim_track *track;
    double from[TIN_SIM_ANGLES], to[TIN_SIM_ANGLES];
    double start, length; /* of the move under way, seconds */
    size_t written;
} posture;

static void write_until(posture *p, double t)
{
    size_t end = (size_t)clamp(ceil(t * p->track->rate_hz), 0, (double)p->track->n);
    for (size_t i = p->written; i < end; i++) {
        double u = tin_sim_smooth(((double)i / p->track->rate_hz - p->start) / p->length);
        for (int d = 0; d < TIN_SIM_ANGLES; d++)
            p->track->dof[d][i] = p->from[d] + u * (p->to[d] - p->from[d]);
    }
    p->written = end > p->written ? end : p->written;
}

/* From time t on towards `to`; a move under way is broken off only when it is through (callers leave the time). */
static void move(posture *p, double t, double length, const double to[TIN_SIM_ANGLES])
{
    if (t < p->start + p->length)
        t = p->start + p->length;
    write_until(p, t);
    memcpy(p->from, p->to, sizeof p->from);
    memcpy(p->to, to, sizeof p->to);
    p->start = t;
    p->length = length;
}

/* A scene's pose as this person takes it this time. */
static void draw_pose(scene kind, const tin_sim_person *person, double yaw, double spread_degrees, tin_rng *rng,
                      double pose[TIN_SIM_ANGLES])
{
    for (int d = 0; d < TIN_SIM_ANGLES; d++)
        pose[d] = poses[kind][d] * DEGREE + person->posture[d] + spread_degrees * DEGREE * tin_rng_normal(rng);
    pose[TIN_SIM_YAW] = yaw;
    pose[TIN_SIM_ELBOW] = clamp(pose[TIN_SIM_ELBOW], 4 * DEGREE, 140 * DEGREE);
    pose[TIN_SIM_PRONATION] = clamp(pose[TIN_SIM_PRONATION], -170 * DEGREE, 20 * DEGREE);
}

/* Sitting or standing still, with a change of posture now and then. */
static void fidget(posture *p, scene kind, const tin_sim_person *person, double start, double end, tin_rng *rng)
{
    double pose[TIN_SIM_ANGLES];
    for (double t = start + tin_rng_range(rng, 4, 12); t < end - 2; t += tin_rng_range(rng, 4, 14)) {
        draw_pose(kind, person, p->to[TIN_SIM_YAW], 6, rng, pose);
        move(p, t, tin_rng_range(rng, 0.6, 1.4), pose);
    }
}

/* Handling objects: one reach after another, pauses between, the forearm turned as the object asks. */
static void handle(posture *p, const tin_sim_person *person, double start, double end, tin_rng *rng)
{
    double pose[TIN_SIM_ANGLES];
    for (double t = start + 1.2; t < end - 1.5;) {
        draw_pose(SCENE_HANDLE, person, p->to[TIN_SIM_YAW], 14, rng, pose);
        pose[TIN_SIM_PRONATION] = tin_rng_range(rng, -140, 5) * DEGREE;
        double length = tin_rng_range(rng, 0.5, 1.3) / person->tempo;
        move(p, t, length, pose);
        t += length + (tin_rng_uniform(rng) < 0.5 ? tin_rng_range(rng, 0.05, 0.5) : tin_rng_range(rng, 0.5, 3));
    }
}

/* Bursts of key strokes: short small turns of the forearm and taps that the table gives back. */
static void type(tin_sim_track *track, double start, double end, tin_rng *rng)
{
    for (double t = start + 1.5; t < end - 1;) {
        double burst = t + tin_rng_range(rng, 1.5, 8);
        for (; t < burst && t < end - 0.5; t += tin_rng_range(rng, 0.13, 0.42)) {
            double length = tin_rng_range(rng, 0.09, 0.18);
            tin_sim_add_pulse(track, TIN_SIM_PRONATION, t, length, tin_rng_range(rng, -2.5, 2.5) * DEGREE);
            tin_sim_add_pulse(track, TIN_SIM_ELBOW, t, length, tin_rng_range(rng, -0.8, -0.2) * DEGREE);
            if (tin_rng_uniform(rng) < 0.3)
                tin_sim_add_pulse(track, TIN_SIM_ROTATION, t, 0.3, tin_rng_range(rng, -3, 3) * DEGREE);
        }
        t += tin_rng_range(rng, 0.5, 3);
    }
}

/* Harmonics of the step frequency (index 1: steps) in the shoulder's vertical acceleration, m/s^2, and the like. */
static void walk(tin_sim_track *track, const tin_sim_person *person, double start, double end, tin_rng *rng)
{
    const double lift = tin_rng_range(rng, 2.4, 3.4), hz = person->step_hz * tin_rng_range(rng, 0.96, 1.04);
    const double size[4] = {lift, 0.35 * lift, 0.22 * lift, 0.12 * lift};
    const double lead[4] = {0, tin_rng_range(rng, 0, 2 * PI), tin_rng_range(rng, 0, 2 * PI),
                            tin_rng_range(rng, 0, 2 * PI)};
    const double swing = person->swing * tin_rng_range(rng, 0.8, 1.2);
    const double drift_hz[2] = {tin_rng_range(rng, 0.05, 0.12), tin_rng_range(rng, 0.15, 0.3)};
    size_t first = (size_t)(start * track->rate_hz);
    for (size_t i = first; i < track->n && (double)i / track->rate_hz < end; i++) {
        double t = (double)i / track->rate_hz - start, w = tin_sim_window(t, 0, end - start, 1.5);
        /* the tempo wanders by about 2 %; `step` is the phase of the steps, half of it that of the strides */
        double step = 2 * PI * hz * t + 0.25 * sin(2 * PI * drift_hz[0] * t) + 0.12 * sin(2 * PI * drift_hz[1] * t);
        for (int k = 0; k < 4; k++) {
            double omega = 2 * PI * hz * (k + 1);
            track->dof[TIN_SIM_Z][i] += w * size[k] / (omega * omega) * sin((k + 1) * step + lead[k]);
            track->dof[TIN_SIM_X][i] += w * 0.5 * size[k] / (omega * omega) * sin((k + 1) * step + lead[k] + 1.4);
        }
        double stride = step / 2, stride_omega = PI * hz;
        track->dof[TIN_SIM_Y][i] += w * 0.5 / (stride_omega * stride_omega) * sin(stride + 0.5);
        track->dof[TIN_SIM_FLEXION][i] += w * swing * sin(stride);
        track->dof[TIN_SIM_ELBOW][i] += w * 0.55 * swing * (1 + sin(stride + 0.4));
        track->dof[TIN_SIM_PRONATION][i] += w * 0.3 * swing * sin(stride + 1.1);
        track->dof[TIN_SIM_YAW][i] += w * 4 * DEGREE * sin(stride + PI);
    }
}

/* Turns of the trunk while walking; the new direction stays. */
static void walk_turns(posture *p, const tin_sim_person *person, double start, double end, tin_rng *rng)
{
    double pose[TIN_SIM_ANGLES];
    for (double t = start + tin_rng_range(rng, 3, 8); t < end - 3; t += tin_rng_range(rng, 4, 10)) {
        draw_pose(SCENE_WALK, person, p->to[TIN_SIM_YAW] + tin_rng_range(rng, -100, 100) * DEGREE, 4, rng, pose);
        move(p, t, tin_rng_range(rng, 1, 2.2), pose);
    }
}

/* Road, engine and bends. */
static void ride(tin_sim_track *track, double start, double end, tin_rng *rng)
{
    double road = tin_rng_range(rng, 0.25, 0.8);
    tin_sim_add_shaking(track, TIN_SIM_Z, start, end, 1.2, 4, road, 6, rng);
    tin_sim_add_shaking(track, TIN_SIM_Z, start, end, 6, 20, 0.6 * road, 8, rng);
    tin_sim_add_shaking(track, TIN_SIM_X, start, end, 5, 18, 0.3 * road, 6, rng);
    tin_sim_add_shaking(track, TIN_SIM_Y, start, end, 1, 6, 0.5 * road, 6, rng);
    tin_sim_add_shaking(track, TIN_SIM_X, start, end, 0.1, 0.3, 0.4, 4, rng);
    tin_sim_add_band(track, TIN_SIM_PRONATION, start, end, 2, 9, 0.3 * DEGREE, 5, rng);
    tin_sim_add_band(track, TIN_SIM_YAW, start, end, 0.05, 0.2, 6 * DEGREE, 3, rng);
}

static scene draw_scene(scene before, tin_rng *rng)
{
    for (;;) {
        double u = tin_rng_uniform(rng);
        for (int s = 0; s < SCENES; s++) {
            u -= scene_share[s];
            if (u < 0 && s != (int)before)
                return (scene)s;
            if (u < 0)
                break;
        }
    }
}

void tin_sim_background(tin_sim_track *track, const tin_sim_person *person, tin_rng *rng)
{
    const double total = (double)track->n / track->rate_hz;
    posture p = {.track = track, .length = 1e-3};
    scene kind = SCENES;
    /* Postures first: they set the angles. Then what is added, scene by scene. */
    struct {
        scene kind;
        double start, end;
    } plan[128];
    size_t n = 0;
    for (double t = 0; t < total && n < sizeof plan / sizeof *plan; n++) {
        double pose[TIN_SIM_ANGLES];
        kind = draw_scene(kind, rng);
        double end = t + tin_rng_range(rng, scene_shortest[kind], scene_longest[kind]);
        draw_pose(kind, person, p.to[TIN_SIM_YAW], 5, rng, pose);
        if (n == 0) { /* begin in the posture */
            memcpy(p.from, pose, sizeof pose);
            memcpy(p.to, pose, sizeof pose);
        }
        move(&p, t, tin_rng_range(rng, 0.8, 1.6), pose);
        if (kind == SCENE_HANDLE)
            handle(&p, person, t, end, rng);
        else if (kind == SCENE_WALK)
            walk_turns(&p, person, t, end, rng);
        else
            fidget(&p, kind, person, t, end, rng);
        plan[n].kind = kind;
        plan[n].start = t;
        plan[n].end = end;
        t = end;
    }
    write_until(&p, total + 1);
    for (size_t i = 0; i < n; i++) {
        if (plan[i].kind == SCENE_TYPE)
            type(track, plan[i].start, plan[i].end, rng);
        else if (plan[i].kind == SCENE_WALK)
            walk(track, person, plan[i].start + 0.5, plan[i].end, rng);
        else if (plan[i].kind == SCENE_VEHICLE)
            ride(track, plan[i].start, plan[i].end, rng);
    }
}

void tin_sim_life(tin_sim_track *track, const tin_sim_person *person, tin_rng *rng)
{
    const double end = (double)track->n / track->rate_hz;
    for (int d = TIN_SIM_FLEXION; d < TIN_SIM_ANGLES; d++)
        tin_sim_add_band(track, (tin_sim_dof)d, 0, end, 0.08, 0.7, 0.6 * DEGREE, 6, rng);
    tin_sim_add_band(track, TIN_SIM_ELBOW, 0, end, 7, 12, person->tremor, 4, rng);
    tin_sim_add_band(track, TIN_SIM_PRONATION, 0, end, 7, 12, person->tremor, 4, rng);
    tin_sim_add_band(track, TIN_SIM_Z, 0, end, 0.22, 0.32, 0.002, 1, rng);
}
