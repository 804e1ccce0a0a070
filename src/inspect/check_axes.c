/* Units and axes of motion sensors, person by person: what gravity is in the declared unit, where it points, and whether
 * the gyroscope turns it as it should. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "inspect/check_parts.h"

#define BINS_PER_OCTAVE 32
#define OCTAVES 24 /* of the histogram of |a| / gravity: 2^-12 to 2^12 */
#define N_BINS (BINS_PER_OCTAVE * OCTAVES)
#define GRAVITY_LOW 0.8 /* median |a| in units of gravity */
#define GRAVITY_HIGH 1.25
#define NO_GRAVITY 0.4       /* below it in most people: gravity was taken out */
#define RATIO_TOLERANCE 0.2  /* how far a known ratio may be off, as a share */
#define GYRO_RATIO 20        /* of one person's rotation to the others' median */
#define FEWEST_PEOPLE 4      /* to compare one with the others */
#define DIRECTION_DEGREES 60 /* of mean gravity to that of the others, and DIRECTION_RATIO times their own spread */
#define DIRECTION_RATIO 3
#define GYRO_BLOCK_S 0.1 /* mean over blocks, so that vibration does not count */
#define GYRO_GRAVITY 0.1 /* blocks count where |a| is gravity within this share */
#define GYRO_AGREE 0.4   /* correlation of the best order and signs of the axes, at least */
#define GYRO_BETTER 0.2  /* and by so much better than the order as it is */
#define GYRO_BLOCKS 600  /* such blocks of one person, at least */
#define GYRO_SLOPE 10    /* by which rotation and turning of gravity may differ in size */
#define N_ORDERS 48      /* orders of three axes with signs */

/* Sums of one person. */
typedef struct motion {
    int64_t bins[N_BINS], n; /* |a| */
    double gravity[3];       /* sum of a, in units of gravity */
    double rotation;         /* sum of |w|^2, rad/s */
    int64_t n_rotation, n_blocks;
    double turned[3][3][3]; /* sum of da_i w_j a_k */
    double products[9][9];  /* sum of w_j a_k w_j' a_k' */
    double change;          /* sum of |da|^2 */
} motion;

typedef struct axes_work {
    const tin_dataset *dataset;
    tin_people people;
    motion *motions;                /* [people.n] */
    const tin_sensor *accel, *gyro; /* NULL: none */
} axes_work;

/* axis[i] and sign[i]: output axis i is sign * input axis. */
typedef struct order {
    int axis[3], sign[3];
} order;

static order order_of(int index)
{
    static const int axes[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    order o;
    for (int i = 0; i < 3; i++) {
        o.axis[i] = axes[index / 8][i];
        o.sign[i] = index >> i & 1 ? -1 : 1;
    }
    return o;
}

static void order_text(char text[32], const order *o)
{
    snprintf(text, 32, "%s%c, %s%c, %s%c", o->sign[0] < 0 ? "-" : "", "xyz"[o->axis[0]], o -> sign[1] < 0 ? "-" : "",
             "xyz"[o->axis[1]], o -> sign[2] < 0 ? "-" : "", "xyz"[o->axis[2]]);
}

static void take_block(double v[3], const tin_dataset *d, const tin_stream *s, const tin_sensor *sensor, int64_t from,
                       int64_t to, double unit)
{
    for (int i = 0; i < 3; i++) {
        double sum = 0;
        for (int64_t t = from; t < to; t++) {
            sum += s->counts[t * d->n_channels + sensor->first + i];
        }
        v[i] = sum / (double)(to - from) * d->channels[sensor->first + i].scale * sensor->si_scale / unit;
    }
}

static double length(const double v[3])
{
    return sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
}

static void add_acceleration(motion *m, const double a[3])
{
    int bin = (int)floor((log2(fmax(length(a), 1e-6)) + OCTAVES / 2) * BINS_PER_OCTAVE);
    m->bins[bin < 0 ? 0 : bin >= N_BINS ? N_BINS - 1 : bin]++;
    m->n++;
    for (int i = 0; i < 3; i++) {
        m->gravity[i] += a[i];
    }
}

/* While |a| is gravity, the sensor turns it: da/dt = -w x a. */
static void add_turn(motion *m, const double a[3], const double da[3], const double w[3])
{
    double pairs[9];
    for (int j = 0; j < 9; j++) {
        pairs[j] = w[j / 3] * a[j % 3];
        for (int i = 0; i < 3; i++) {
            m->turned[i][j / 3][j % 3] += da[i] * pairs[j];
        }
    }
    for (int j = 0; j < 9; j++) {
        for (int k = 0; k < 9; k++) {
            m->products[j][k] += pairs[j] * pairs[k];
        }
    }
    m->change += da[0] * da[0] + da[1] * da[1] + da[2] * da[2];
    m->n_blocks++;
}

static bool is_gravity(const double a[3])
{
    return fabs(length(a) - 1) <= GYRO_GRAVITY;
}

static void add_stream(motion *m, const axes_work *w, const tin_stream *s)
{
    const tin_dataset *d = w->dataset;
    int64_t block = (int64_t)fmax(1, rint(GYRO_BLOCK_S * d->rate_hz)), n = s->n_frames / block;
    double a[3][3] = {{0}}, now[3] = {0}, before[3] = {0}; /* a: the last three blocks */
    for (int64_t b = 0; b < n; b++) {
        memmove(a[0], a[1], 2 * sizeof a[0]);
        memcpy(before, now, sizeof now);
        if (w->accel) {
            take_block(a[2], d, s, w->accel, b * block, (b + 1) * block, TIN_STANDARD_GRAVITY);
            add_acceleration(m, a[2]);
        }
        if (w->gyro) {
            take_block(now, d, s, w->gyro, b * block, (b + 1) * block, 1);
            m->rotation += now[0] * now[0] + now[1] * now[1] + now[2] * now[2];
            m->n_rotation++;
        }
        if (w->accel && w->gyro && b >= 2 && is_gravity(a[0]) && is_gravity(a[1]) && is_gravity(a[2])) {
            double da[3];
            for (int i = 0; i < 3; i++) {
                da[i] = (a[2][i] - a[0][i]) * d->rate_hz / (2 * (double)block);
            }
            add_turn(m, a[1], da, before);
        }
    }
}

static tin_status sum_person(void *context, size_t person, tin_findings *findings, tin_error *err)
{
    (void)findings;
    (void)err;
    axes_work *w = context;
    for (size_t i = 0; i < w->dataset->n_streams; i++) {
        if (w->people.of_stream[i] == person) {
            add_stream(&w->motions[person], w, &w->dataset->streams[i]);
        }
    }
    return TIN_OK;
}

/* Median of |a| in units of gravity, NaN without a frame. */
static double gravity_of(const motion *m)
{
    int64_t seen = 0;
    for (int i = 0; i < N_BINS; i++) {
        seen += m->bins[i];
        if (2 * seen >= m->n && m->n > 0) {
            return exp2((i + 0.5) / BINS_PER_OCTAVE - OCTAVES / 2);
        }
    }
    return (double)NAN;
}

/* What a ratio of measured to expected probably is. */
static const char *explain(double ratio, bool gyro)
{
    static const struct {
        double ratio;
        bool gyro;
        const char *what;
    } known[] = {
        {9.80665, false, "as if m/s^2 were taken for g"},
        {1 / 9.80665, false, "as if g were taken for m/s^2"},
        {1000, false, "as if mg were taken for g"},
        {0.001, false, "as if g were taken for mg"},
        {9806.65, false, "as if mm/s^2 were taken for g"},
        {101.97, false, "as if mg were taken for m/s^2"},
        {57.29578, true, "as if degrees were taken for radians"},
        {1 / 57.29578, true, "as if radians were taken for degrees"},
        {2, false, "as if the range of the sensor were half of what was assumed"},
        {0.5, false, "as if the range of the sensor were twice what was assumed"},
        {4, false, "as if the range of the sensor were a quarter of what was assumed"},
        {0.25, false, "as if the range of the sensor were four times what was assumed"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        double tolerance = gyro ? 1 : RATIO_TOLERANCE; /* people move more or less, gravity does not */
        if (known[i].gyro == gyro && fabs(log(ratio / known[i].ratio)) < log(1 + tolerance)) {
            return known[i].what;
        }
    }
    return "no unit that is known";
}

static tin_status check_gravity(tin_checking *c, const axes_work *w, double *values, bool *missing, tin_error *err)
{
    const tin_dataset *d = c->dataset;
    size_t n = 0;
    for (size_t i = 0; i < w->people.n; i++) {
        double g = gravity_of(&w->motions[i]);
        if (!isnan(g)) {
            values[n++] = g;
        }
    }
    double median = n > 0 ? tin_median(values, n) : 1;
    *missing = median < NO_GRAVITY && strcmp(explain(median, false), "no unit that is known") == 0;
    if (*missing) {
        tin_finding f = tin_finding_of(TIN_CHECK_UNIT, TIN_NOTE);
        f.channel = w->accel->first;
        f.value = median;
        f.limit = NO_GRAVITY;
        return tin_findings_add(c->findings, f, err,
                                "the acceleration has no gravity (its median size is %.3g g): posture is lost, and "
                                "units and axes cannot be checked by it",
                                median);
    }
    tin_status status = TIN_OK;
    for (size_t i = 0; i < w->people.n && !status; i++) {
        double g = gravity_of(&w->motions[i]);
        if (isnan(g) || (g >= GRAVITY_LOW && g <= GRAVITY_HIGH)) {
            continue;
        }
        const tin_stream *s = &d->streams[w->people.first[i]];
        tin_finding f = tin_finding_of(TIN_CHECK_UNIT, TIN_WARNING);
        f.stream = (int64_t)w->people.first[i];
        f.channel = w->accel->first;
        f.value = g;
        f.limit = g > 1 ? GRAVITY_HIGH : GRAVITY_LOW;
        f.rank = fabs(log(g));
        status =
            tin_findings_add(c->findings, f, err, "%s: the median size of the acceleration is %.3g times gravity, %s",
                             s->subject, g, explain(g, false));
    }
    return status;
}

static tin_status check_rotation(tin_checking *c, const axes_work *w, double *values, tin_error *err)
{
    tin_status status = TIN_OK;
    for (size_t i = 0; i < w->people.n && w->people.n >= FEWEST_PEOPLE && !status; i++) {
        size_t n = 0;
        for (size_t k = 0; k < w->people.n; k++) {
            const motion *m = &w->motions[k];
            if (k != i && m->n_rotation > 0) {
                values[n++] = sqrt(m->rotation / (double)m->n_rotation);
            }
        }
        const motion *m = &w->motions[i];
        double others = n > 0 ? tin_median(values, n) : 0;
        double own = m->n_rotation > 0 ? sqrt(m->rotation / (double)m->n_rotation) : 0;
        if (others <= 0 || own <= 0 || fabs(log(own / others)) < log(GYRO_RATIO)) {
            continue;
        }
        tin_finding f = tin_finding_of(TIN_CHECK_UNIT, TIN_WARNING);
        f.stream = (int64_t)w->people.first[i];
        f.channel = w->gyro->first;
        f.value = own / others;
        f.limit = GYRO_RATIO;
        f.rank = fabs(log(f.value));
        status = tin_findings_add(c->findings, f, err, "%s: the rotation is %.3g times that of the others, %s",
                                  c->dataset->streams[f.stream].subject, f.value, explain(f.value, true));
    }
    return status;
}

static double degrees_between(const double a[3], const double b[3])
{
    double dot = (a[0] * b[0] + a[1] * b[1] + a[2] * b[2]) / fmax(length(a) * length(b), 1e-12);
    return acos(fmin(1, fmax(-1, dot))) * 180 / 3.14159265358979323846;
}

/* The order of axes that brings `a` nearest to `b`. */
static order best_order(const double a[3], const double b[3])
{
    order best = order_of(0);
    double least = 1e9;
    for (int k = 0; k < N_ORDERS; k++) {
        order o = order_of(k);
        double turned[3];
        for (int i = 0; i < 3; i++) {
            turned[i] = o.sign[i] * a[o.axis[i]];
        }
        double angle = degrees_between(turned, b);
        if (angle < least - 1e-9) {
            least = angle;
            best = o;
        }
    }
    return best;
}

static tin_status check_direction(tin_checking *c, const axes_work *w, double *values, tin_error *err)
{
    tin_status status = TIN_OK;
    for (size_t i = 0; i < w->people.n && w->people.n >= FEWEST_PEOPLE && !status; i++) {
        double mean[3] = {0};
        size_t n = 0;
        for (size_t k = 0; k < w->people.n; k++) {
            for (int j = 0; j < 3 && k != i; j++) {
                mean[j] += w->motions[k].gravity[j] / fmax(length(w->motions[k].gravity), 1e-12);
            }
        }
        for (size_t k = 0; k < w->people.n; k++) {
            if (k != i) {
                values[n++] = degrees_between(w->motions[k].gravity, mean);
            }
        }
        double spread = tin_median(values, n), angle = degrees_between(w->motions[i].gravity, mean);
        if (angle <= fmax(DIRECTION_DEGREES, DIRECTION_RATIO * spread)) {
            continue;
        }
        char text[32];
        order o = best_order(w->motions[i].gravity, mean);
        order_text(text, &o);
        tin_finding f = tin_finding_of(TIN_CHECK_AXES, TIN_WARNING);
        f.stream = (int64_t)w->people.first[i];
        f.channel = w->accel->first;
        f.value = angle;
        f.limit = fmax(DIRECTION_DEGREES, DIRECTION_RATIO * spread);
        f.rank = angle;
        status = tin_findings_add(c->findings, f, err,
                                  "%s: mean gravity is %.0f degrees away from that of the others, whose own median is "
                                  "%.0f degrees; nearest to them as (%s)",
                                  c->dataset->streams[f.stream].subject, angle, spread, text);
    }
    return status;
}

/* Correlation of da/dt with -(o w) x a; *slope: da/dt by it, 1 where both are in their units. */
static double agreement(const motion *m, const order *o, double *slope)
{
    static const int cross[3][2][2] = {{{1, 2}, {2, 1}}, {{2, 0}, {0, 2}}, {{0, 1}, {1, 0}}};
    double product = 0, square = 0;
    for (int i = 0; i < 3; i++) {
        int at[2];
        double factor[2];
        for (int part = 0; part < 2; part++) { /* (w x a)_i = w_j a_k - w_k a_j */
            int j = cross[i][part][0], k = cross[i][part][1];
            at[part] = 3 * o->axis[j] + k;
            factor[part] = (part == 0 ? -1 : 1) * o->sign[j];
            product += factor[part] * m->turned[i][o->axis[j]][k];
        }
        for (int a = 0; a < 2; a++) {
            for (int b = 0; b < 2; b++) {
                square += factor[a] * factor[b] * m->products[at[a]][at[b]];
            }
        }
    }
    *slope = square > 0 ? product / square : 0;
    return square > 0 && m->change > 0 ? product / sqrt(square * m->change) : 0;
}

static tin_status add_order(tin_checking *c, const axes_work *w, size_t person, double as_is, double most,
                            const order *best, tin_error *err)
{
    char text[32];
    order_text(text, best);
    tin_finding f = tin_finding_of(TIN_CHECK_AXES, TIN_WARNING);
    f.stream = (int64_t)w->people.first[person];
    f.channel = w->gyro->first;
    f.value = as_is;
    f.limit = most - GYRO_BETTER;
    f.rank = 180 + most - as_is;
    return tin_findings_add(
        c->findings, f, err,
        "%s: the gyroscope does not turn gravity as its axes say (correlation %.2f); it does as (%s) "
        "(%.2f)",
        c->dataset->streams[f.stream].subject, as_is, text, most);
}

static tin_status add_slope(tin_checking *c, const axes_work *w, size_t person, double slope, tin_error *err)
{
    tin_finding f = tin_finding_of(TIN_CHECK_UNIT, TIN_WARNING);
    f.stream = (int64_t)w->people.first[person];
    f.channel = w->gyro->first;
    f.value = 1 / slope;
    f.limit = GYRO_SLOPE;
    f.rank = fabs(log(slope));
    return tin_findings_add(c->findings, f, err, "%s: the rotation is about %.3g times what turns gravity, %s",
                            c->dataset->streams[f.stream].subject, f.value, explain(f.value, true));
}

static tin_status check_turns(tin_checking *c, const axes_work *w, tin_error *err)
{
    tin_status status = TIN_OK;
    for (size_t i = 0; i < w->people.n && !status; i++) {
        const motion *m = &w->motions[i];
        order best = order_of(0);
        double slope, of_best, as_is = agreement(m, &best, &slope), most = as_is;
        for (int k = 1; k < N_ORDERS; k++) {
            order o = order_of(k);
            double r = agreement(m, &o, &of_best);
            if (r > most) {
                most = r;
                best = o;
            }
        }
        if (m->n_blocks < GYRO_BLOCKS || most < GYRO_AGREE) {
            continue;
        }
        if (most >= as_is + GYRO_BETTER) {
            status = add_order(c, w, i, as_is, most, &best, err);
        } else if (slope > 0 && fabs(log(slope)) > log(GYRO_SLOPE)) {
            status = add_slope(c, w, i, slope, err);
        }
    }
    return status;
}

tin_status tin_check_axes(tin_checking *c, tin_error *err)
{
    tin_sensor sensors[TIN_MAX_CHANNELS / 3];
    axes_work w = {.dataset = c->dataset};
    for (int i = tin_find_sensors(c->dataset, sensors) - 1; i >= 0; i--) {
        w.accel = sensors[i].kind == TIN_SENSOR_ACCEL ? &sensors[i] : w.accel;
        w.gyro = sensors[i].kind == TIN_SENSOR_GYRO ? &sensors[i] : w.gyro;
    }
    if (!w.accel && !w.gyro) {
        return TIN_OK;
    }
    bool no_gravity = !w.accel;
    tin_status status = tin_people_find(&w.people, c->dataset, err);
    if (status) {
        return status;
    }
    w.motions = tin_alloc(w.people.n, sizeof *w.motions, err);
    double *values = tin_alloc(w.people.n, sizeof *values, err);
    status = w.motions && values ? TIN_OK : TIN_ERR_MEMORY;
    status = status ? status : tin_check_parallel(c, "check units", w.people.n, sum_person, &w, err);
    if (!status && w.accel) {
        status = check_gravity(c, &w, values, &no_gravity, err);
    }
    if (!status && w.gyro) {
        status = check_rotation(c, &w, values, err);
    }
    if (!status && !no_gravity) {
        status = check_direction(c, &w, values, err);
        status = status || !w.gyro ? status : check_turns(c, &w, err);
    }
    tin_free(values);
    tin_free(w.motions);
    tin_people_free(&w.people);
    return status;
}
