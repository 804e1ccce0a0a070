#include <math.h>

#include "base/memory.h"
#include "data/simulate.h"

#define TWO_PI 6.28318530717958647692
#define BAND_RAMP                                                                                                      \
    0.6 /* ramps of a band last this many periods of its lowest frequency: the window itself must not shake */
#define MAX_TONES 16

tin_status tin_sim_track_create(tin_sim_track *track, size_t n, double rate_hz, tin_error *err)
{
    *track = (tin_sim_track){.n = n, .rate_hz = rate_hz};
    for (int d = 0; d < TIN_SIM_DOFS; d++) {
        track->dof[d] = tin_alloc(n, sizeof *track->dof[d], err);
        if (track->dof[d] == NULL)
            return TIN_ERR_MEMORY;
    }
    return TIN_OK;
}

void tin_sim_track_free(tin_sim_track *track)
{
    for (int d = 0; d < TIN_SIM_DOFS; d++)
        tin_free(track->dof[d]);
    *track = (tin_sim_track){0};
}

double tin_sim_smooth(double u)
{
    if (u <= 0)
        return 0;
    return u >= 1 ? 1 : u * u * u * (10 + u * (6 * u - 15));
}

double tin_sim_window(double t, double start, double end, double ramp)
{
    double left = tin_sim_smooth((t - start) / ramp), right = tin_sim_smooth((end - t) / ramp);
    return left < right ? left : right;
}

static size_t sample_at(const tin_sim_track *track, double t)
{
    double i = ceil(t * track->rate_hz);
    return i <= 0 ? 0 : i >= (double)track->n ? track->n : (size_t)i;
}

/* A sine as a turning phasor: two multiplications per sample instead of a call of sin. */
typedef struct tone {
    double c, s, turn_c, turn_s;
} tone;

static void add_tones(tin_sim_track *track, tin_sim_dof dof, double start, double end, double ramp, tone *tones,
                      int count)
{
    double *x = track->dof[dof];
    for (size_t i = sample_at(track, start), last = sample_at(track, end); i < last; i++) {
        double sum = 0;
        for (int k = 0; k < count; k++) {
            tone *z = &tones[k];
            double c = z->c * z->turn_c - z->s * z->turn_s;
            z->s = z->s * z->turn_c + z->c * z->turn_s;
            z->c = c;
            sum += z->s;
        }
        x[i] += sum * tin_sim_window((double)i / track->rate_hz, start, end, ramp);
    }
}

/* The amplitude of a tone is size * (2 pi f)^power. */
static void add_random_tones(tin_sim_track *track, tin_sim_dof dof, double start, double end, double low, double high,
                             double rms, int power, int count, tin_rng *rng)
{
    tone tones[MAX_TONES];
    for (int k = 0; k < count && k < MAX_TONES; k++) {
        /* one in each of `count` parts of the band, so that no two beat slowly */
        double hz = low + (high - low) * (k + tin_rng_uniform(rng)) / count;
        double phase = TWO_PI * tin_rng_uniform(rng);
        double size = rms * sqrt(2.0 / count) * pow(TWO_PI * hz, power);
        tones[k] = (tone){size * cos(phase), size * sin(phase), cos(TWO_PI * hz / track->rate_hz),
                          sin(TWO_PI * hz / track->rate_hz)};
    }
    double ramp = fmin(fmax(BAND_RAMP / low, BAND_RAMP), (end - start) / 3);
    add_tones(track, dof, start, end, ramp, tones, count < MAX_TONES ? count : MAX_TONES);
}

void tin_sim_add_band(tin_sim_track *track, tin_sim_dof dof, double start, double end, double low, double high,
                      double rms, int count, tin_rng *rng)
{
    add_random_tones(track, dof, start, end, low, high, rms, 0, count, rng);
}

void tin_sim_add_shaking(tin_sim_track *track, tin_sim_dof dof, double start, double end, double low, double high,
                         double acceleration, int count, tin_rng *rng)
{
    add_random_tones(track, dof, start, end, low, high, acceleration, -2, count, rng);
}

/* 0 to 1 over rise, 1 for hold, back to 0 over fall; t from the start. */
static double trapezoid(double t, double rise, double hold, double fall)
{
    return t < rise + hold ? tin_sim_smooth(t / rise) : 1 - tin_sim_smooth((t - rise - hold) / fall);
}

void tin_sim_add_hold(tin_sim_track *track, tin_sim_dof dof, double start, double rise, double hold, double fall,
                      double size)
{
    size_t last = sample_at(track, start + rise + hold + fall);
    for (size_t i = sample_at(track, start); i < last; i++)
        track->dof[dof][i] += size * trapezoid((double)i / track->rate_hz - start, rise, hold, fall);
}

void tin_sim_add_pulse(tin_sim_track *track, tin_sim_dof dof, double start, double length, double size)
{
    tin_sim_add_hold(track, dof, start, length / 2, 0, length / 2, size);
}

void tin_sim_blend(tin_sim_track *track, const double pose[TIN_SIM_ANGLES], double start, double rise, double hold,
                   double fall)
{
    size_t last = sample_at(track, start + rise + hold + fall);
    for (size_t i = sample_at(track, start); i < last; i++) {
        double w = trapezoid((double)i / track->rate_hz - start, rise, hold, fall);
        for (int d = TIN_SIM_FLEXION; d < TIN_SIM_ANGLES; d++) /* the trunk stays where it looks */
            track->dof[d][i] += w * (pose[d] - track->dof[d][i]);
    }
}
