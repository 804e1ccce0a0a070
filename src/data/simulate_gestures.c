/* Gestures, and movements that resemble them and are none. */
#include <math.h>
#include <string.h>

#include "data/simulate.h"

#define PI 3.14159265358979323846
#define DEGREE (PI / 180)
#define SHORTEST_GAP_S 6.0 /* from the start of one gesture to that of the next */
#define LONGEST_GAP_S 20.0

const char *const tin_sim_gesture_names[TIN_SIM_GESTURES + 1] = {"none", "double_flick", "raise_to_look", "shake",
                                                                 "circle"};

/* Degrees: yaw (unused), flexion, abduction, rotation, elbow, pronation. */
static const double look_pose[TIN_SIM_ANGLES] = {0, 38, 14, 48, 104, -6};
static const double ready_pose[TIN_SIM_ANGLES] = {0, 26, 12, 28, 86, -22};
static const double mouth_pose[TIN_SIM_ANGLES] = {0, 52, 26, 30, 126, -88};

typedef struct maker {
    tin_sim_track *track;
    const tin_sim_person *person;
    tin_rng *rng;
} maker;

static double between(const maker *m, double low, double high)
{
    return tin_rng_range(m->rng, low, high);
}

static void draw_pose(const maker *m, const double degrees[TIN_SIM_ANGLES], double pose[TIN_SIM_ANGLES])
{
    for (int d = 0; d < TIN_SIM_ANGLES; d++)
        pose[d] = degrees[d] * DEGREE + m->person->posture[d] + 5 * DEGREE * tin_rng_normal(m->rng);
}

/* Some gestures begin with lifting the forearm and end with letting it down. Returns when the gesture may start;
 * `length` is how long it will last. */
static double lift(const maker *m, double t, double length, double *end)
{
    double pose[TIN_SIM_ANGLES], rise = between(m, 0.55, 1.0) / m->person->tempo, wait = between(m, 0.05, 0.4);
    double fall = between(m, 0.6, 1.2);
    draw_pose(m, ready_pose, pose);
    *end = t + length;
    if (tin_rng_uniform(m->rng) >= m->person->prepare)
        return t;
    tin_sim_blend(m->track, pose, t, rise, wait + length + 0.1, fall);
    *end = t + rise + wait + length + 0.1 + fall;
    return t + rise + wait;
}

/* One quick turn of the forearm, there and back, the elbow moving along a little. */
static void flick(const maker *m, double t, double length, double size)
{
    tin_sim_add_pulse(m->track, TIN_SIM_PRONATION, t, length, size);
    tin_sim_add_pulse(m->track, TIN_SIM_ELBOW, t, length, between(m, 0.03, 0.12) * fabs(size));
    tin_sim_add_pulse(m->track, TIN_SIM_ROTATION, t, length, between(m, -0.06, 0.06) * size);
}

static double double_flick(const maker *m, double t, tin_sim_event *event)
{
    double one = between(m, 0.26, 0.38) / m->person->tempo, pause = between(m, 0.0, 0.12), end = 0;
    double size = m->person->flick_sign * between(m, 38, 66) * DEGREE * m->person->strength;
    double start = lift(m, t, 2 * one + pause, &end);
    flick(m, start, one, size);
    flick(m, start + one + pause, one, size * between(m, 0.8, 1.15));
    *event = (tin_sim_event){1, start, start + 2 * one + pause};
    return end;
}

static double raise_to_look(const maker *m, double t, tin_sim_event *event)
{
    double pose[TIN_SIM_ANGLES], rise = between(m, 0.45, 0.75) / m->person->tempo, hold = between(m, 0.9, 2.4);
    double fall = between(m, 0.6, 1.1);
    draw_pose(m, look_pose, pose);
    tin_sim_blend(m->track, pose, t, rise, hold, fall);
    /* the gesture is the raise and the first moment of looking; how long somebody reads is another matter */
    *event = (tin_sim_event){2, t, t + rise + 0.35};
    return t + rise + hold + fall;
}

/* Adds size * sin(2 pi hz (t - start)) with smooth ends. */
static void swing(const maker *m, tin_sim_dof dof, double start, double length, double hz, double phase, double size)
{
    const double rate = m->track->rate_hz;
    for (size_t i = (size_t)(start * rate); i < m->track->n && (double)i / rate < start + length; i++) {
        double s = (double)i / rate - start;
        m->track->dof[dof][i] += size * tin_sim_window(s, 0, length, 0.18) * sin(2 * PI * hz * s + phase);
    }
}

static double shake(const maker *m, double t, tin_sim_event *event)
{
    double hz = between(m, 3.0, 4.2) * m->person->tempo, swings = 3 + (double)tin_rng_below(m->rng, 2), end = 0;
    double length = swings / hz + 0.15, size = between(m, 10, 17) * DEGREE * m->person->strength;
    double start = lift(m, t, length, &end);
    swing(m, TIN_SIM_ELBOW, start, length, hz, 0, size);
    swing(m, TIN_SIM_PRONATION, start, length, hz, between(m, -0.6, 0.6), size * between(m, 0.3, 1.1));
    swing(m, TIN_SIM_ROTATION, start, length, hz, between(m, -0.5, 0.5), size * between(m, 0.2, 0.7));
    *event = (tin_sim_event){3, start, start + length};
    return end;
}

/* The wrist goes round once, always the same way: upper arm up and down, and in and out a quarter turn later. */
static double circle(const maker *m, double t, tin_sim_event *event)
{
    double length = between(m, 0.75, 1.1) / m->person->tempo, size = between(m, 17, 27) * DEGREE * m->person->strength;
    double wide = between(m, 0.8, 1.2), end = 0, rate = m->track->rate_hz;
    double start = lift(m, t, length, &end);
    for (size_t i = (size_t)(start * rate); i < m->track->n && (double)i / rate < start + length; i++) {
        double u = ((double)i / rate - start) / length;
        double phase = 2 * PI * (0.5 * u + 0.5 * tin_sim_smooth(u)), w = tin_sim_window(u, 0, 1, 0.25);
        m->track->dof[TIN_SIM_FLEXION][i] += w * size * (1 - cos(phase));
        m->track->dof[TIN_SIM_ROTATION][i] += w * wide * size * sin(phase);
        m->track->dof[TIN_SIM_ELBOW][i] += w * 0.3 * size * (1 - cos(phase));
    }
    *event = (tin_sim_event){4, start, start + length};
    return end;
}

/* --- no gestures --- */

static double single_flick(const maker *m, double t)
{
    double end = 0, length = between(m, 0.26, 0.42) / m->person->tempo, start = lift(m, t, length, &end);
    flick(m, start, length,
          (tin_rng_uniform(m->rng) < 0.5 ? 1 : -1) * between(m, 35, 65) * DEGREE * m->person->strength);
    return end;
}

static double scratch(const maker *m, double t)
{
    double length = between(m, 1.0, 2.4), hz = between(m, 4.6, 6.5), size = between(m, 1.5, 4) * DEGREE;
    swing(m, TIN_SIM_ELBOW, t, length, hz, 0, size);
    swing(m, TIN_SIM_PRONATION, t, length, hz, 1.2, 0.7 * size);
    return t + length;
}

static double reach(const maker *m, double t)
{
    double rise = between(m, 0.5, 1.0), hold = between(m, 0.2, 1.2), fall = between(m, 0.5, 1.0);
    tin_sim_add_hold(m->track, TIN_SIM_FLEXION, t, rise, hold, fall, between(m, 25, 55) * DEGREE);
    tin_sim_add_hold(m->track, TIN_SIM_ELBOW, t, rise, hold, fall, between(m, -10, 20) * DEGREE);
    tin_sim_add_hold(m->track, TIN_SIM_PRONATION, t, rise, hold, fall, between(m, -40, 40) * DEGREE);
    return t + rise + hold + fall;
}

static double drink(const maker *m, double t)
{
    double pose[TIN_SIM_ANGLES], rise = between(m, 0.7, 1.2), hold = between(m, 0.8, 2), fall = between(m, 0.7, 1.2);
    draw_pose(m, mouth_pose, pose);
    tin_sim_blend(m->track, pose, t, rise, hold, fall);
    return t + rise + hold + fall;
}

/* A door handle, a key: one slow turn and back. */
static double turn_key(const maker *m, double t)
{
    double rise = between(m, 0.35, 0.7), hold = between(m, 0, 0.5), fall = between(m, 0.4, 0.8);
    tin_sim_add_hold(m->track, TIN_SIM_PRONATION, t, rise, hold, fall, between(m, -75, -35) * DEGREE);
    return t + rise + hold + fall;
}

/* Room that a movement needs at most, with lifting and letting down. */
#define LONGEST_MOVEMENT_S 5.4

static void confuse(const maker *m, double from, double to)
{
    static double (*const movements[])(const maker *, double) = {single_flick, scratch, reach, drink, turn_key};
    if (to - from < LONGEST_MOVEMENT_S + 0.5 || tin_rng_uniform(m->rng) < 0.25)
        return;
    (void)movements[tin_rng_below(m->rng, 5)](m, between(m, from, to - LONGEST_MOVEMENT_S));
}

size_t tin_sim_max_events(const tin_sim_track *track)
{
    return (size_t)((double)track->n / track->rate_hz / SHORTEST_GAP_S) + 1;
}

size_t tin_sim_gestures(tin_sim_track *track, const tin_sim_person *person, tin_rng *rng, tin_sim_event *events)
{
    static double (*const gestures[TIN_SIM_GESTURES])(const maker *, double,
                                                      tin_sim_event *) = {double_flick, raise_to_look, shake, circle};
    const maker m = {track, person, rng};
    const double total = (double)track->n / track->rate_hz;
    int bag[TIN_SIM_GESTURES] = {0, 1, 2, 3};
    size_t n = 0, most = tin_sim_max_events(track);
    double end = 0.5, t = between(&m, 3, 9);
    for (; n < most && t + LONGEST_MOVEMENT_S < total; n++) {
        size_t k = n % TIN_SIM_GESTURES;
        uint32_t other = (uint32_t)k + tin_rng_below(rng, (uint32_t)(TIN_SIM_GESTURES - k));
        int gesture = bag[other]; /* every four gestures hold each kind once, in random order */
        bag[other] = bag[k];
        bag[k] = gesture;
        confuse(&m, end + 0.3, t - 0.3);
        end = gestures[gesture](&m, t, &events[n]);
        t += between(&m, SHORTEST_GAP_S, LONGEST_GAP_S);
    }
    confuse(&m, end + 0.3, total - 0.3);
    return n;
}
