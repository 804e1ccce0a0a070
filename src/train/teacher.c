#include "train/teacher.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

struct tin_teacher {
    tin_teacher_settings s;
    tin_engine *engine;
    float *scores;       /* [n_lanes][decisions of the teacher][classes] */
    float *said;         /* [n_lanes][decisions of the student][classes] mean softmax of the teachers */
    size_t state_bytes;  /* of one teacher */
    int n_decisions;
    float gain[TIN_MAX_CHANNELS], shift[TIN_MAX_CHANNELS]; /* from the student's input to the teacher's */
    bool rescales;
};

static tin_status check(const tin_teacher_settings *s, tin_error *err)
{
    const tin_model *a = s->teachers[0], *b = s->student;
    int lead = a->delay - b->delay;
    if (!(s->distill >= 0 && s->distill <= 1) || !(s->temperature > 0)) {
        return tin_fail(err, TIN_ERR_CONFIG, "distillation: the share %g must be 0 to 1, the temperature %g above 0",
                        s->distill, s->temperature);
    }
    if (a->n_channels != b->n_channels || a->n_classes != b->n_classes) {
        return tin_fail(err, TIN_ERR_MODEL,
                        "the teacher has %d channels and %d classes, the model %d and %d; train the "
                        "teacher on the same data",
                        a->n_channels, a->n_classes, b->n_channels, b->n_classes);
    }
    if (b->hop % a->hop != 0) {
        return tin_fail(err, TIN_ERR_MODEL,
                        "the teacher decides every %d frames, the model every %d; the model's must be a multiple",
                        a->hop, b->hop);
    }
    if (!s->windows && (lead > s->chunk || -lead > s->chunk)) {
        return tin_fail(err, TIN_ERR_CONFIG,
                        "train.chunk is %d, less than the %d frames between the delays of teacher and "
                        "model; make it longer",
                        s->chunk, lead < 0 ? -lead : lead);
    }
    return TIN_OK;
}

/* x_teacher = (counts - offset_t) * scale_t with counts = x / scale_s + offset_s. */
static void fit_input(tin_teacher *t)
{
    const tin_input_scaling *to = &t->s.teachers[0]->input, *from = &t->s.student->input;
    for (int c = 0; c < t->s.student->n_channels; c++) {
        t->gain[c] = to->scale[c] / from->scale[c];
        t->shift[c] = (float)(from->offset[c] - to->offset[c]) * to->scale[c];
        t->rescales |= to->scale[c] != from->scale[c] || to->offset[c] != from->offset[c];
    }
}

tin_status tin_teacher_create(tin_teacher **teacher, const tin_teacher_settings *settings, tin_error *err)
{
    *teacher = NULL;
    tin_status status = check(settings, err);
    tin_teacher *t = status ? NULL : tin_alloc(1, sizeof *t, err);
    if (!t) {
        return status ? status : TIN_ERR_MEMORY;
    }
    t->s = *settings;
    tin_engine_settings engine = {.model = settings->teachers[0],
                                  .n_lanes = settings->n_lanes,
                                  .chunk = settings->chunk,
                                  .isa = settings->isa,
                                  .pool = settings->pool};
    status = tin_engine_create(&t->engine, &engine, err);
    if (status == TIN_OK) {
        fit_input(t);
        t->n_decisions = tin_engine_decisions(t->engine);
        size_t lanes = (size_t)settings->n_lanes * (size_t)settings->student->n_classes;
        t->state_bytes = tin_engine_state_bytes(t->engine, settings->n_lanes);
        t->scores = tin_alloc(lanes * (size_t)t->n_decisions, sizeof *t->scores, err);
        t->said = tin_alloc(lanes * (size_t)(settings->chunk / settings->student->hop), sizeof *t->said, err);
        status = t->scores && t->said ? TIN_OK : TIN_ERR_MEMORY;
    }
    if (status) {
        tin_teacher_free(t);
        return status;
    }
    *teacher = t;
    return TIN_OK;
}

void tin_teacher_free(tin_teacher *t)
{
    if (t) {
        tin_engine_free(t->engine);
        tin_free(t->scores);
        tin_free(t->said);
        tin_free(t);
    }
}

int tin_teacher_lead(const tin_teacher *t)
{
    return t->s.windows ? 0 : t->s.teachers[0]->delay - t->s.student->delay;
}

size_t tin_teacher_state_bytes(const tin_teacher *t)
{
    return (size_t)t->s.n_teachers * t->state_bytes;
}

typedef struct lane_job {
    tin_teacher *teacher;
    tin_sampler_batch *batch;
} lane_job;

static void rescale_lane(void *context, int lane, int thread)
{
    (void)thread;
    const lane_job *job = context;
    const tin_teacher *t = job->teacher;
    int n_channels = t->s.student->n_channels;
    float *x = job->batch->ahead + (ptrdiff_t)lane * t->s.chunk * n_channels;
    for (int i = 0; i < t->s.chunk; i++, x += n_channels) {
        for (int c = 0; c < n_channels; c++) {
            x[c] = x[c] * t->gain[c] + t->shift[c];
        }
    }
}

/* Adds the softmax of z / temperature over the number of teachers. */
static void add_opinion(const tin_teacher *t, const float *z, float *said)
{
    int n_classes = t->s.student->n_classes;
    double p[TIN_MAX_CLASSES], most = (double)z[0], sum = 0;
    for (int c = 0; c < n_classes; c++) {
        most = fmax(most, (double)z[c]);
    }
    for (int c = 0; c < n_classes; c++) {
        p[c] = exp(((double)z[c] - most) / t->s.temperature);
        sum += p[c];
    }
    for (int c = 0; c < n_classes; c++) {
        said[c] += (float)(p[c] / sum / t->s.n_teachers);
    }
}

/* Takes what a teacher says of the lane, at the student's decisions. */
static void hear_lane(void *context, int lane, int thread)
{
    (void)thread;
    const lane_job *job = context;
    const tin_teacher *t = job->teacher;
    ptrdiff_t n_classes = t->s.student->n_classes, n = t->s.chunk / t->s.student->hop, every = t->n_decisions / n;
    const float *scores = t->scores + lane * t->n_decisions * n_classes;
    for (ptrdiff_t j = 0; j < n; j++) {
        add_opinion(t, scores + (every * (j + 1) - 1) * n_classes, t->said + (lane * n + j) * n_classes);
    }
}

/* The opinion has the weight that the decision has by its label. */
static void mix_decision(const tin_teacher *t, const float *said, float *target)
{
    int n_classes = t->s.student->n_classes;
    double weight = 0;
    for (int c = 0; c < n_classes; c++) {
        weight += (double)target[c];
    }
    for (int c = 0; c < n_classes; c++) {
        target[c] = (float)((1 - t->s.distill) * (double)target[c] + t->s.distill * weight * (double)said[c]);
    }
}

static void mix_lane(void *context, int lane, int thread)
{
    (void)thread;
    const lane_job *job = context;
    const tin_teacher *t = job->teacher;
    ptrdiff_t n_classes = t->s.student->n_classes, n = t->s.chunk / t->s.student->hop;
    for (ptrdiff_t j = 0; j < n; j++) {
        mix_decision(t, t->said + (lane * n + j) * n_classes, job->batch->target + (lane * n + j) * n_classes);
    }
}

void tin_teacher_run(tin_teacher *t, void *state, tin_sampler_batch *batch)
{
    lane_job job = {t, batch};
    size_t n = (size_t)t->s.n_lanes * (size_t)(t->s.chunk / t->s.student->hop) * (size_t)t->s.student->n_classes;
    if (t->rescales) {
        tin_pool_run(t->s.pool, t->s.n_lanes, rescale_lane, &job);
    }
    memset(t->said, 0, n * sizeof *t->said);
    for (int i = 0; i < t->s.n_teachers; i++) {
        tin_engine_infer(t->engine, t->s.teachers[i]->params, (char *)state + (size_t)i * t->state_bytes, t->s.n_lanes,
                         batch->ahead, batch->reset, t->scores);
        tin_pool_run(t->s.pool, t->s.n_lanes, hear_lane, &job);
    }
    tin_pool_run(t->s.pool, t->s.n_lanes, mix_lane, &job);
}
