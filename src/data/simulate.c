#include "data/simulate.h"

#include <math.h>
#include <stdio.h>

#include "base/memory.h"

#define LONGEST_SESSION_MIN 10.0   /* bounds the memory of one job, and people take a watch off now and then */
#define ANNOTATOR_DEVIATION_S 0.08 /* of a label's border from the true one */
#define SHORTEST_LABEL_S 0.2

typedef struct plan {
    const tin_config_data *settings;
    uint64_t seed;
    int sessions; /* per person */
    double session_s;
} plan;

/* The labels that a person with a video would draw: borders off by some frames. */
static tin_status add_labels(tin_recording *r, const tin_sim_event *events, size_t n, double total, tin_rng *rng,
                             tin_error *err)
{
    double before = 0;
    for (size_t i = 0; i < n; i++) {
        double start = fmax(events[i].start + ANNOTATOR_DEVIATION_S * tin_rng_normal(rng), before);
        double end = fmax(events[i].end + ANNOTATOR_DEVIATION_S * tin_rng_normal(rng), start + SHORTEST_LABEL_S);
        end = fmin(end, total);
        tin_status status = tin_recording_add_span(r, start, end, tin_sim_gesture_names[events[i].gesture], err);
        if (status != TIN_OK)
            return status;
        before = end;
    }
    return TIN_OK;
}

static tin_status set_names(tin_recording *r, int subject, int session, const plan *p, tin_error *err)
{
    char id[48];
    (void)snprintf(id, sizeof id, "p%02d", subject + 1);
    r->subject = tin_strdup(id, err);
    (void)snprintf(id, sizeof id, "%d", session + 1);
    r->session = tin_strdup(p->sessions > 1 ? id : "", err);
    if (p->sessions > 1)
        (void)snprintf(id, sizeof id, "p%02d_%d", subject + 1, session + 1);
    else
        (void)snprintf(id, sizeof id, "p%02d", subject + 1);
    r->id = tin_strdup(id, err);
    r->origin = tin_strdup("simulated", err);
    return r->subject == NULL || r->session == NULL || r->id == NULL || r->origin == NULL ? TIN_ERR_MEMORY : TIN_OK;
}

static tin_status simulate_session(const void *context, size_t index, tin_pool *pool, tin_recordings *out,
                                   tin_error *err)
{
    (void)pool;
    const plan *p = context;
    tin_recording *r = tin_recordings_add(out, err);
    if (r == NULL)
        return TIN_ERR_MEMORY;
    const int subject = (int)index / p->sessions, session = (int)index % p->sessions;
    const double rate = p->settings->rate_hz;
    const int oversampling = (int)fmax(1, ceil(TIN_SIM_FINE_HZ / rate - 1e-9));
    const int64_t n_frames = (int64_t)fmax(1, floor(p->session_s * rate + 1e-6));
    const size_t n = (size_t)n_frames * (size_t)oversampling + 2;
    /* One generator per person and one per session, so that no result depends on who computes what when. */
    const uint64_t person_stream = (uint64_t)subject << 32;
    tin_rng rng;
    tin_sim_person person;
    tin_sim_track track = {0};
    double *imu = NULL;
    tin_sim_event *events = NULL;
    tin_rng_derive(&rng, p->seed, person_stream);
    tin_sim_person_draw(&person, &rng);
    tin_rng_derive(&rng, p->seed, person_stream + 1 + (uint64_t)session);

    tin_status status = set_names(r, subject, session, p, err);
    if (status == TIN_OK)
        status = tin_sim_track_create(&track, n, rate * oversampling, err);
    if (status != TIN_OK)
        goto cleanup;
    status = TIN_ERR_MEMORY;
    imu = tin_alloc(n, 6 * sizeof *imu, err);
    events = tin_alloc(tin_sim_max_events(&track), sizeof *events, err);
    r->pieces = tin_alloc(1, sizeof *r->pieces, err);
    if (imu == NULL || events == NULL || r->pieces == NULL)
        goto cleanup;
    r->n_pieces = 1;
    r->pieces[0].n_frames = n_frames;
    r->pieces[0].frames = tin_alloc((size_t)n_frames, 6 * sizeof(double), err);
    if (r->pieces[0].frames == NULL)
        goto cleanup;

    tin_sim_background(&track, &person, &rng);
    size_t n_events = tin_sim_gestures(&track, &person, &rng, events);
    tin_sim_life(&track, &person, &rng);
    tin_sim_kinematics(&track, &person, imu, NULL);
    tin_sim_sensor(imu, oversampling, n_frames, rate, &rng, r->pieces[0].frames);
    status = add_labels(r, events, n_events, (double)n_frames / rate, &rng, err);
cleanup:
    tin_sim_track_free(&track);
    tin_free(imu);
    tin_free(events);
    return status;
}

tin_status tin_simulate(const tin_import *in, tin_source *source, tin_error *err)
{
    static const char *const names[6] = {"ax", "ay", "az", "gx", "gy", "gz"};
    static const char *const units[6] = {"g", "g", "g", "rad/s", "rad/s", "rad/s"};
    const tin_config_simulate *s = &in->settings->simulate;
    if (s->subjects < 1 || s->subjects > 100000 || !(s->minutes >= 0.2 && s->minutes <= 100000))
        return tin_fail(err, TIN_ERR_CONFIG,
                        "data.simulate: %d subjects of %g minutes; write 1 to 100000 subjects of 0.2 to 100000 minutes",
                        s->subjects, s->minutes);
    plan p = {.settings = in->settings, .seed = in->seed};
    p.sessions = (int)ceil(s->minutes / LONGEST_SESSION_MIN);
    p.session_s = 60 * s->minutes / p.sessions;
    if ((double)p.sessions * s->subjects > 1e6)
        return tin_fail(err, TIN_ERR_CONFIG, "data.simulate: %d subjects of %g minutes are too much; write less",
                        s->subjects, s->minutes);
    source->name = "simulate";
    source->background = tin_sim_gesture_names[0];
    tin_status status = tin_source_set_channels(source, names, units, 6, err);
    for (int i = 0; i <= TIN_SIM_GESTURES && status == TIN_OK; i++)
        status = tin_source_add_label(source, tin_sim_gesture_names[i], i > 0, err);
    return status == TIN_OK
               ? tin_source_read(in, source, (size_t)p.sessions * (size_t)s->subjects, simulate_session, &p, err)
               : status;
}
