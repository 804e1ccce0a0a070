#include <math.h>

#include "data/simulate.h"

#define HALF_PI 1.57079632679489661923

tin_sim_quat tin_sim_quat_multiply(tin_sim_quat a, tin_sim_quat b)
{
    return (tin_sim_quat){a.w * b.w - a.x * b.x - a.y * b.y - a.z * b.z, a.w * b.x + a.x * b.w + a.y * b.z - a.z * b.y,
                          a.w * b.y - a.x * b.z + a.y * b.w + a.z * b.x, a.w * b.z + a.x * b.y - a.y * b.x + a.z * b.w};
}

tin_sim_quat tin_sim_quat_from_vector(const double v[3])
{
    double angle = sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
    double k = angle > 1e-12 ? sin(angle / 2) / angle : 0.5;
    return (tin_sim_quat){cos(angle / 2), k * v[0], k * v[1], k * v[2]};
}

static tin_sim_quat conjugate(tin_sim_quat q)
{
    return (tin_sim_quat){q.w, -q.x, -q.y, -q.z};
}

/* The rotation vector of q, |angle| <= pi. */
static void to_vector(tin_sim_quat q, double v[3])
{
    double s = sqrt(q.x * q.x + q.y * q.y + q.z * q.z);
    double sign = q.w < 0 ? -1 : 1;
    double k = s > 1e-12 ? 2 * atan2(s, sign * q.w) / s : 2;
    v[0] = sign * k * q.x;
    v[1] = sign * k * q.y;
    v[2] = sign * k * q.z;
}

static void rotate(tin_sim_quat q, const double v[3], double out[3])
{
    /* v + 2 w (u x v) + 2 u x (u x v), u the vector part */
    double cx = q.y * v[2] - q.z * v[1], cy = q.z * v[0] - q.x * v[2], cz = q.x * v[1] - q.y * v[0];
    out[0] = v[0] + 2 * (q.w * cx + q.y * cz - q.z * cy);
    out[1] = v[1] + 2 * (q.w * cy + q.z * cx - q.x * cz);
    out[2] = v[2] + 2 * (q.w * cz + q.x * cy - q.y * cx);
}

/* Rotations about one axis. */
static tin_sim_quat about_x(double angle)
{
    return (tin_sim_quat){cos(angle / 2), sin(angle / 2), 0, 0};
}
static tin_sim_quat about_y(double angle)
{
    return (tin_sim_quat){cos(angle / 2), 0, sin(angle / 2), 0};
}
static tin_sim_quat about_z(double angle)
{
    return (tin_sim_quat){cos(angle / 2), 0, 0, sin(angle / 2)};
}

/* Orientation and position of the watch. Both bones lie along x of their frames; pi/2 about y lets them hang. */
static tin_sim_quat place(const tin_sim_track *track, const tin_sim_person *person, size_t i, double position[3])
{
    double a[TIN_SIM_DOFS], part[3];
    for (int d = 0; d < TIN_SIM_DOFS; d++)
        a[d] = track->dof[d][i];
    tin_sim_quat trunk = about_z(a[TIN_SIM_YAW]);
    tin_sim_quat upper = tin_sim_quat_multiply(trunk, about_x(a[TIN_SIM_ABDUCTION]));
    upper = tin_sim_quat_multiply(upper, about_y(HALF_PI - a[TIN_SIM_FLEXION]));
    upper = tin_sim_quat_multiply(upper, about_x(a[TIN_SIM_ROTATION]));
    tin_sim_quat fore = tin_sim_quat_multiply(upper, about_y(-a[TIN_SIM_ELBOW]));
    rotate(trunk, (const double[3]){a[TIN_SIM_X], a[TIN_SIM_Y], a[TIN_SIM_Z]}, position);
    rotate(upper, (const double[3]){person->upper_arm, 0, 0}, part);
    for (int k = 0; k < 3; k++)
        position[k] += part[k];
    rotate(fore, (const double[3]){person->forearm, 0, 0}, part);
    for (int k = 0; k < 3; k++)
        position[k] += part[k];
    return tin_sim_quat_multiply(tin_sim_quat_multiply(fore, about_x(a[TIN_SIM_PRONATION])), person->mount);
}

void tin_sim_kinematics(const tin_sim_track *track, const tin_sim_person *person, double *imu,
                        tin_sim_quat *orientation)
{
    const double rate = track->rate_hz;
    double p[3][3]; /* positions i - 1, i, i + 1 */
    tin_sim_quat q = place(track, person, 0, p[1]);
    for (int k = 0; k < 3; k++)
        p[0][k] = p[1][k];
    for (size_t i = 0; i < track->n; i++) {
        bool last = i + 1 == track->n;
        tin_sim_quat next = last ? q : place(track, person, i + 1, p[2]);
        if (orientation != NULL)
            orientation[i] = q;
        double *out = imu + 6 * i, omega[3], force[3];
        to_vector(tin_sim_quat_multiply(conjugate(q), next), omega);
        for (int k = 0; k < 3; k++)
            force[k] = (p[2][k] - 2 * p[1][k] + p[0][k]) * rate * rate + (k == 2 ? TIN_SIM_GRAVITY : 0);
        rotate(conjugate(q), force, out);
        for (int k = 0; k < 3; k++)
            out[3 + k] = omega[k] * rate;
        q = next;
        for (int k = 0; k < 3; k++) {
            p[0][k] = p[1][k];
            p[1][k] = p[2][k];
        }
    }
    /* The ends have no neighbour on one side. */
    const size_t end = track->n - 1;
    for (int k = 0; k < 3; k++)
        imu[k] = imu[6 + k];
    for (int k = 0; k < 6; k++)
        imu[6 * end + (size_t)k] = imu[6 * (end - 1) + (size_t)k];
}

/* Datasheet figures of a common wrist IMU (6 axes, 8 g, 2000 degrees per second). */
#define DEGREE (3.14159265358979323846 / 180)
#define ACCEL_NOISE (150e-6)       /* g per root hertz */
#define GYRO_NOISE (7e-3 * DEGREE) /* rad/s per root hertz */
#define ACCEL_BIAS 0.02            /* g, deviation between devices */
#define GYRO_BIAS (0.5 * DEGREE)   /* rad/s, likewise */
#define ACCEL_DRIFT 2e-4           /* g per root second, random walk */
#define GYRO_DRIFT (0.01 * DEGREE) /* rad/s per root second */
#define SENSITIVITY 0.005          /* relative, deviation between devices */

void tin_sim_sensor(const double *imu, int oversampling, int64_t n_frames, double rate_hz, tin_rng *rng, double *frames)
{
    double bias[6], gain[6];
    for (int c = 0; c < 6; c++) {
        bias[c] = (c < 3 ? ACCEL_BIAS : GYRO_BIAS) * tin_rng_normal(rng);
        gain[c] = (1 + SENSITIVITY * tin_rng_normal(rng)) * (c < 3 ? 1 / TIN_SIM_GRAVITY : 1);
    }
    const double bandwidth = sqrt(rate_hz / 2), step = sqrt(1 / rate_hz);
    for (int64_t t = 0; t < n_frames; t++)
        for (int c = 0; c < 6; c++) {
            double sum = 0;
            for (int k = 0; k < oversampling; k++)
                sum += imu[(t * oversampling + k) * 6 + c];
            bias[c] += (c < 3 ? ACCEL_DRIFT : GYRO_DRIFT) * step * tin_rng_normal(rng);
            frames[t * 6 + c] = gain[c] * sum / oversampling + bias[c] +
                                (c < 3 ? ACCEL_NOISE : GYRO_NOISE) * bandwidth * tin_rng_normal(rng);
        }
}
