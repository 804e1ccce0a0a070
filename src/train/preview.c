#include "train/preview.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "train/augment.h"
#include "train/preview_page.h"
#include "train/sampler.h"

#define SECONDS 8.0       /* of a sequence ... */
#define SOUND_SECONDS 2.0 /* ... of sound */
#define SOUND_HZ 1000     /* rates from here on are sound */
#define CANDIDATES 32     /* sequences to choose from */
#define MOST_FRAMES (TIN_PREVIEW_SEQUENCES * 100000)

typedef tin_config_augment augment;

/* An operation: where its group, which begins with the probability, is in the settings; how strong it is: 0 is off;
 * what it does. */
typedef struct operation {
    const char *name;
    size_t offset;
    double (*strength)(const augment *);
    void (*describe)(const augment *, char *text, size_t size);
} operation;

static double always(const augment *a)
{
    (void)a;
    return 1;
}

#define OPERATION_TEXT(name, ...)                                                                                      \
    static void describe_##name(const augment *a, char *text, size_t size)                                             \
    {                                                                                                                  \
        (void)a;                                                                                                       \
        snprintf(text, size, __VA_ARGS__);                                                                             \
    }
#define OPERATION_STRENGTH(name, value)                                                                                \
    static double strength_##name(const augment *a)                                                                    \
    {                                                                                                                  \
        return value;                                                                                                  \
    }
OPERATION_TEXT(splice, "an event of another recording in a place of %g s, with %g ms of cross-fade",
               a->splice.every_ms / 1000, a->splice.fade_ms)
OPERATION_TEXT(speed, "faster or slower by up to %g %%", a->speed.by * 100)
OPERATION_TEXT(warp, "the speed changes by up to %g %% on the way, each %g ms", a->warp.by * 100, a->warp.period_ms)
OPERATION_TEXT(shift, "up to %g ms against its labels", a->shift.ms)
OPERATION_TEXT(mirror, "the other side of the body, %s pointing from left to right", a->mirror.axis)
OPERATION_TEXT(turn, "turned by up to %g degrees about %s", a->turn.degrees, a->turn.axis)
OPERATION_TEXT(rotate, "turned by up to %g degrees about a random axis", a->rotate.degrees)
OPERATION_TEXT(scale, "each sensor by up to %g %% more or less", a->scale.by * 100)
OPERATION_TEXT(gain, "%g to %g dB", a->gain.db[0], a->gain.db[1])
OPERATION_TEXT(room, "echoes for %g to %g ms, %g to %g dB below the direct sound", a->room.decay_ms[0],
               a->room.decay_ms[1], a->room.direct_db[0], a->room.direct_db[1])
OPERATION_TEXT(background, "another recording, %g to %g dB below", a->background.snr_db[0], a->background.snr_db[1])
OPERATION_TEXT(bias, "a constant up to %g, %g, %g (acceleration, rotation, others)", a->bias.accel, a->bias.gyro,
               a->bias.other)
OPERATION_TEXT(drift, "a random walk of %g, %g, %g in the first second (acceleration, rotation, others)",
               a->drift.accel, a->drift.gyro, a->drift.other)
OPERATION_TEXT(noise,
               "deviation up to %g, %g, %g (acceleration, rotation, others); of a data sheet %g ug/sqrt(Hz), %g "
               "mdps/sqrt(Hz)",
               a->noise.accel, a->noise.gyro, a->noise.other, a->noise.accel_density, a->noise.gyro_density)
OPERATION_TEXT(range, "the sensor measures %g to %g of full scale", a->range.share[0], a->range.share[1])
OPERATION_TEXT(resolution, "%g to %g bits", a->resolution.bits[0], a->resolution.bits[1])
OPERATION_TEXT(drop, "%g stretches of %g to %g ms lost per minute", a->drop.per_minute, a->drop.ms[0], a->drop.ms[1])
OPERATION_TEXT(mute, "one channel is zero")
OPERATION_STRENGTH(speed, a->speed.by)
OPERATION_STRENGTH(warp, a->warp.by)
OPERATION_STRENGTH(shift, a->shift.ms)
OPERATION_STRENGTH(turn, a->turn.degrees)
OPERATION_STRENGTH(rotate, a->rotate.degrees)
OPERATION_STRENGTH(scale, a->scale.by)
OPERATION_STRENGTH(bias, a->bias.accel + a->bias.gyro + a->bias.other)
OPERATION_STRENGTH(drift, a->drift.accel + a->drift.gyro + a->drift.other)
OPERATION_STRENGTH(noise,
                   a->noise.accel + a->noise.gyro + a->noise.other + a->noise.accel_density + a->noise.gyro_density)

#define OPERATION(name, strength)                                                                                      \
    {                                                                                                                  \
#name, offsetof(augment, name), strength, describe_##name                                                      \
    }
static const operation operations[TIN_PREVIEW_OPERATIONS] = {
    OPERATION(splice, always),
    OPERATION(speed, strength_speed),
    OPERATION(warp, strength_warp),
    OPERATION(shift, strength_shift),
    OPERATION(mirror, always),
    OPERATION(turn, strength_turn),
    OPERATION(rotate, strength_rotate),
    OPERATION(scale, strength_scale),
    OPERATION(gain, always),
    OPERATION(room, always),
    OPERATION(background, always),
    OPERATION(bias, strength_bias),
    OPERATION(drift, strength_drift),
    OPERATION(noise, strength_noise),
    OPERATION(range, always),
    OPERATION(resolution, always),
    OPERATION(drop, always),
    OPERATION(mute, always),
};

static double probability_of(const augment *a, const operation *o)
{
    return *(const double *)(const void *)((const char *)a + o->offset);
}

/* The settings with one operation alone, which every sequence has; NULL: none. */
static augment alone(const augment *all, const operation *wanted)
{
    augment a = *all;
    for (int i = 0; i < TIN_PREVIEW_OPERATIONS; i++) {
        *(double *)(void *)((char *)&a + operations[i].offset) = &operations[i] == wanted ? 1 : 0;
    }
    return a;
}

static bool is_on(const augment *all, const operation *o)
{
    return probability_of(all, o) > 0 && o->strength(all) > 0;
}

typedef struct previewer {
    const tin_dataset *dataset;
    const tin_preview_options *options;
    tin_config_train train; /* of the view under way */
    tin_model *model;       /* of a decision per frame, for channels and scaling */
    tin_preview *preview;
    int lanes[TIN_PREVIEW_SEQUENCES]; /* of the sequences, among the candidates */
    float *x, *target;                /* [CANDIDATES] as the sampler gives them */
    uint8_t reset[CANDIDATES];
    tin_preview_view views[TIN_PREVIEW_OPERATIONS + 2];
    int n_views;
    char off[256];
} previewer;

/* Plain crops, whose targets are shares. */
static void choose_settings(previewer *p)
{
    tin_config_train *s = &p->train;
    int64_t longest = 2;
    for (size_t i = 0; i < p->dataset->n_streams; i++) {
        const tin_stream *stream = &p->dataset->streams[i];
        longest = stream->role == TIN_ROLE_TRAIN && stream->n_frames > longest ? stream->n_frames : longest;
    }
    double frames = (p->dataset->rate_hz < SOUND_HZ ? SECONDS : SOUND_SECONDS) * p->dataset->rate_hz;
    s->chunk = (int)fmax(2, fmin(fmin(frames, MOST_FRAMES / TIN_PREVIEW_SEQUENCES), (double)longest));
    s->batch = CANDIDATES;
    s->stateful = s->windows = false;
    s->history_frames = 0;
    s->mixup = s->label_smoothing = s->class_weight_power = s->class_weight_beta = s->margin_ms = s->event_balance = 0;
    p->preview->seconds = s->chunk / p->dataset->rate_hz;
}

static tin_status sample(previewer *p, const augment *a, tin_sampler **sampler, tin_error *err)
{
    tin_sampler_batch batch = {.x = p->x, .target = p->target, .reset = p->reset};
    tin_sampler_settings settings = {.model = p->model,
                                     .dataset = p->dataset,
                                     .train = &p->train,
                                     .seed = p->options->seed,
                                     .n_lanes = CANDIDATES,
                                     .pool = p->options->pool};
    p->train.augment = *a;
    tin_status status = tin_sampler_create(sampler, &settings, err);
    return status ? status : tin_sampler_next(*sampler, &batch, err);
}

/* Classes of a candidate as bits; *changes: how often the label changes. */
static uint64_t classes_in(const previewer *p, int lane, int *changes)
{
    int n_classes = p->dataset->n_classes, before = -1;
    uint64_t seen = 0;
    *changes = 0;
    for (int t = 0; t < p->train.chunk; t++) {
        const float *target = p->target + ((size_t)lane * (size_t)p->train.chunk + (size_t)t) * (size_t)n_classes;
        for (int c = 0; c < n_classes; c++) {
            if (target[c] > 0.5f) {
                *changes += c != before;
                before = c;
                seen |= 1ull << (c % 64);
            }
        }
    }
    return seen;
}

/* Where a sequence begins does not depend on the speed: the sampler moves those at the end of a recording. */
static bool has_room(const previewer *p, const tin_sampler_lane *lane)
{
    const augment *all = &p->options->train->augment;
    double frames = p->train.chunk + tin_augment_most_swing(all, p->dataset->rate_hz);
    double n_frames = (double)p->dataset->streams[lane->stream].n_frames;
    return lane->start + frames * tin_augment_fastest(all) + 2 < n_frames;
}

/* Sequences in which much happens, each with classes that the others do not have. */
static void choose_sequences(previewer *p, const tin_sampler *sampler)
{
    int64_t n_begun;
    const tin_sampler_lane *lanes = tin_sampler_lanes(sampler, &n_begun);
    uint64_t seen = 0;
    bool taken[CANDIDATES] = {false};
    for (int k = 0; k < TIN_PREVIEW_SEQUENCES; k++) {
        int best = 0, most = -1;
        for (int l = 0; l < CANDIDATES; l++) {
            int changes;
            uint64_t classes = classes_in(p, l, &changes);
            int score = 100 * __builtin_popcountll(classes & ~seen) + (changes < 99 ? changes : 99);
            score += has_room(p, &lanes[l]) ? 10000 : 0;
            if (!taken[l] && score > most) {
                most = score;
                best = l;
            }
        }
        int unused;
        taken[best] = true;
        seen |= classes_in(p, best, &unused);
        p->lanes[k] = best;
        p->preview->sequences[k].stream = &p->dataset->streams[lanes[best].stream];
        p->preview->sequences[k].start_s = lanes[best].start / p->dataset->rate_hz;
    }
    p->preview->n_sequences = TIN_PREVIEW_SEQUENCES;
}

/* What the chosen sequences look like under `a`, in units. */
static tin_status add_view(previewer *p, const char *name, const augment *a, tin_error *err)
{
    tin_preview_view *v = &p->views[p->n_views];
    tin_sampler *sampler = NULL;
    size_t n_channels = (size_t)p->model->n_channels, values = (size_t)p->train.chunk * n_channels;
    size_t targets = (size_t)p->train.chunk * (size_t)p->dataset->n_classes;
    tin_status status = sample(p, a, &sampler, err);
    if (status == TIN_OK && p->n_views == 0) {
        choose_sequences(p, sampler);
    }
    tin_sampler_free(sampler);
    if (status) {
        return status;
    }
    p->n_views++;
    v->name = name;
    v->values = tin_alloc(TIN_PREVIEW_SEQUENCES * values, sizeof *v->values, err);
    v->target = tin_alloc(TIN_PREVIEW_SEQUENCES * targets, sizeof *v->target, err);
    if (!v->values || !v->target) {
        return TIN_ERR_MEMORY;
    }
    for (size_t k = 0; k < TIN_PREVIEW_SEQUENCES; k++) {
        size_t lane = (size_t)p->lanes[k];
        memcpy(v->target + k * targets, p->target + lane * targets, targets * sizeof *v->target);
        for (size_t i = 0; i < values; i++) {
            size_t c = i % n_channels;
            double counts = (double)(p->x[lane * values + i] / p->model->input.scale[c]) + p->model->input.offset[c];
            v->values[k * values + i] = (float)(counts * p->model->channels[c].scale);
        }
    }
    return TIN_OK;
}

static tin_status add_views(previewer *p, tin_error *err)
{
    const augment *all = &p->options->train->augment;
    augment a = alone(all, NULL);
    tin_status status = add_view(p, "as recorded", &a, err);
    for (int i = 0; i < TIN_PREVIEW_OPERATIONS && !status; i++) {
        const operation *o = &operations[i];
        if (!is_on(all, o)) {
            size_t used = strlen(p->off);
            snprintf(p->off + used, sizeof p->off - used, "%s%s", used ? ", " : "", o->name);
            continue;
        }
        p->preview->operations[p->preview->n_operations++] = o->name;
        a = alone(all, o);
        o->describe(all, p->views[p->n_views].meaning, sizeof p->views[0].meaning);
        double probability = probability_of(all, o);
        size_t used = strlen(p->views[p->n_views].meaning);
        if (probability < 1) {
            snprintf(p->views[p->n_views].meaning + used, sizeof p->views[0].meaning - used,
                     "; in training with a probability of %g", probability);
        }
        status = add_view(p, o->name, &a, err);
    }
    return status ? status : add_view(p, "all together", all, err);
}

static tin_status write_page(const previewer *p, const char *path, tin_error *err)
{
    tin_text page = {0};
    tin_preview_scene scene = {.title = p->options->title,
                               .dataset = p->dataset,
                               .preview = p->preview,
                               .n_frames = p->train.chunk,
                               .views = p->views,
                               .n_views = p->n_views,
                               .off = p->off};
    tin_preview_page(&scene, &page);
    tin_status status = tin_text_check(&page, err);
    status = status ? status : tin_file_write(path, page.data, page.size, err);
    tin_text_free(&page);
    return status;
}

tin_status tin_preview_write(tin_preview *preview, const tin_dataset *dataset, const tin_preview_options *options,
                             const char *path, tin_error *err)
{
    static const tin_layer_spec dense = {.op = TIN_OP_DENSE};
    *preview = (tin_preview){0};
    previewer *p = tin_alloc(1, sizeof *p, err);
    if (!p) {
        return TIN_ERR_MEMORY;
    }
    p->dataset = dataset;
    p->options = options;
    p->train = *options->train;
    p->preview = preview;
    choose_settings(p);
    size_t frames = (size_t)(CANDIDATES * p->train.chunk);
    p->x = tin_alloc(frames * (size_t)dataset->n_channels, sizeof *p->x, err);
    p->target = tin_alloc(frames * (size_t)dataset->n_classes, sizeof *p->target, err);
    tin_status status = p->x && p->target ? tin_model_create(&p->model, dataset, &dense, 1, err) : TIN_ERR_MEMORY;
    status = status ? status : tin_model_fit_input(p->model, dataset, err);
    status = status ? status : add_views(p, err);
    status = status ? status : write_page(p, path, err);
    for (int i = 0; i < p->n_views; i++) {
        tin_free(p->views[i].values);
        tin_free(p->views[i].target);
    }
    tin_model_free(p->model);
    tin_free(p->x);
    tin_free(p->target);
    tin_free(p);
    return status;
}
