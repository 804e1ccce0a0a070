#include "train/effects.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

#define BACKGROUND_SECONDS 30 /* longer stretches are cut, so that each is drawn as often as it is long */
#define OTHER_PERSON 8        /* draws of a background of somebody else */
#define ECHOES_PER_SECOND 1500
#define FULL_SCALE 32767

/* Mean of a stretch and power about it: of each channel, and of its sensor together. */
typedef struct loudness {
    float mean[TIN_MAX_CHANNELS];   /* counts */
    double power[TIN_MAX_CHANNELS]; /* counts^2; of a triad: of its three channels, in each of them */
} loudness;

struct tin_effects {
    const tin_augment_source *source;
    const tin_dataset *dataset;
    tin_stretches backgrounds;
    loudness *of_background; /* [backgrounds.n] */
    loudness *of_stream;     /* [n_streams] those trained on */
};

static void measure(const tin_effects *e, const tin_stretch *stretch, size_t *touched, loudness *loud)
{
    const int n_channels = e->dataset->n_channels;
    const int16_t *counts = e->dataset->streams[stretch->stream].counts + stretch->start * n_channels;
    const int64_t n = stretch->end - stretch->start;
    int64_t sum[TIN_MAX_CHANNELS] = {0}, squares[TIN_MAX_CHANNELS] = {0}; /* exact: 2^30 per frame */
    double power[TIN_MAX_CHANNELS];
    for (int64_t t = 0; t < n; t++, counts += n_channels) {
        for (int c = 0; c < n_channels; c++) {
            int64_t v = counts[c];
            sum[c] += v;
            squares[c] += v * v;
        }
    }
    for (int c = 0; c < n_channels; c++) {
        double mean = (double)sum[c] / (double)n;
        loud->mean[c] = (float)mean;
        power[c] = fmax((double)squares[c] / (double)n - mean * mean, 0);
    }
    for (int c = 0; c < n_channels; c++) {
        int first = c / 3 * 3;
        loud->power[c] = tin_sensor_of(e->source->triads, c) == TIN_SENSOR_OTHER
                             ? power[c]
                             : power[first] + power[first + 1] + power[first + 2];
    }
    tin_dataset_touched(e->dataset, touched, 1, (size_t)(n * n_channels) * sizeof *counts);
}

static tin_status find_backgrounds(tin_effects *e, const tin_stretch_query *recordings, tin_error *err)
{
    const tin_config_background *s = &e->source->settings->background;
    bool wanted[TIN_MAX_CLASSES];
    tin_stretch_query q = *recordings;
    tin_status status = tin_stretch_classes(e->dataset, s->classes, s->classes_count, false,
                                            "train.augment.background.classes", wanted, err);
    q.classes = wanted;
    q.least = (int64_t)ceil(e->dataset->rate_hz);
    q.most = BACKGROUND_SECONDS * q.least;
    status = status ? status : tin_stretches_find(&e->backgrounds, &q, err);
    if (status == TIN_OK && e->backgrounds.n == 0) {
        status =
            tin_fail(err, TIN_ERR_DATA,
                     "train.augment.background: no stretch of its classes in the training recordings lasts a second; "
                     "name others in classes, or set its probability to 0");
    }
    if (status) {
        return status;
    }
    e->of_background = tin_alloc(e->backgrounds.n, sizeof *e->of_background, err);
    e->of_stream = tin_alloc(e->dataset->n_streams, sizeof *e->of_stream, err);
    if (!e->of_background || !e->of_stream) {
        return TIN_ERR_MEMORY;
    }
    size_t touched = 0;
    for (size_t i = 0; i < e->backgrounds.n; i++) {
        measure(e, &e->backgrounds.items[i], &touched, &e->of_background[i]);
    }
    for (size_t i = 0; i < recordings->n_streams; i++) {
        size_t stream = recordings->streams[i];
        tin_stretch whole = {stream, 0, e->dataset->streams[stream].n_frames, 0};
        measure(e, &whole, &touched, &e->of_stream[stream]);
    }
    return TIN_OK;
}

tin_status tin_effects_create(tin_effects **effects, const tin_augment_source *source, const tin_dataset *dataset,
                              const tin_stretch_query *recordings, tin_error *err)
{
    *effects = NULL;
    tin_effects *e = tin_alloc(1, sizeof *e, err);
    if (!e) {
        return TIN_ERR_MEMORY;
    }
    e->source = source;
    e->dataset = dataset;
    tin_status status = source->settings->background.probability > 0 ? find_backgrounds(e, recordings, err) : TIN_OK;
    if (status) {
        tin_effects_free(e);
        return status;
    }
    *effects = e;
    return TIN_OK;
}

void tin_effects_free(tin_effects *e)
{
    if (e) {
        tin_free(e->backgrounds.items);
        tin_free(e->of_background);
        tin_free(e->of_stream);
        tin_free(e);
    }
}

size_t tin_effects_bytes(const tin_config_augment *settings, const tin_dataset *dataset)
{
    size_t n = 64;
    if (settings->background.probability <= 0) {
        return sizeof(tin_effects);
    }
    for (size_t i = 0; i < dataset->n_streams; i++) {
        const tin_stream *stream = &dataset->streams[i];
        n += 2 * stream->n_intervals + 2 + (size_t)((double)stream->n_frames / (BACKGROUND_SECONDS * dataset->rate_hz));
    }
    return sizeof(tin_effects) + n * (2 * sizeof(tin_stretch) + sizeof(loudness)) +
           dataset->n_streams * sizeof(loudness);
}

/* ---- what a sequence has ---- */

/* Of each channel in the unit of the network's input. */
static double normalised(const tin_augment_source *s, int c)
{
    return (double)s->model->input.scale[c] / s->model->channels[c].scale;
}

static double of_sensor(const tin_config_sensors *s, tin_sensor sensor)
{
    return sensor == TIN_SENSOR_ACCEL ? s->accel : sensor == TIN_SENSOR_GYRO ? s->gyro : s->other;
}

int tin_effects_reach(const tin_config_augment *settings, double rate_hz)
{
    return settings->room.probability > 0 ? (int)ceil(settings->room.decay_ms[1] * 1e-3 * rate_hz) : 0;
}

/* Velvet noise (Karjalainen and Jarvelainen 2007): one echo of +-1 somewhere in each piece of time, under an exponential
 * that is 60 dB down after `decay`. Their power together is `direct_db` below that of the direct sound. */
static void draw_room(tin_effect *f, const tin_augment_source *s, int64_t sequence)
{
    const tin_config_room *room = &s->settings->room;
    tin_rng rng;
    if (!tin_augment_chosen(s, sequence, TIN_AUGMENT_ROOM, room->probability, &rng)) {
        return;
    }
    double decay = tin_rng_range(&rng, room->decay_ms[0], room->decay_ms[1]) * 1e-3;
    double direct = pow(10, tin_rng_range(&rng, room->direct_db[0], room->direct_db[1]) / 10), sum = 0;
    double frames = decay * s->rate_hz, n = fmin(fmin(TIN_ECHOES, frames - 1), decay * ECHOES_PER_SECOND);
    for (int i = 0; i < (int)n; i++) {
        f->delay[i] = 1 + (int)((i + tin_rng_uniform(&rng)) / n * (frames - 1));
        double level = exp(-log(1000) * f->delay[i] / frames);
        f->echo[i] = (float)(tin_rng_uniform(&rng) < 0.5 ? level : -level);
        sum += level * level;
    }
    f->n_echoes = (int)n;
    for (int i = 0; i < f->n_echoes; i++) {
        f->echo[i] *= (float)sqrt(1 / (direct * sum));
    }
}

/* gain[c] so that the power of the sensor in the recording is 10^(snr / 10) times that of what is added. */
static void draw_background(tin_effect *f, const tin_effects *e, int64_t sequence, size_t stream)
{
    const tin_config_background *b = &e->source->settings->background;
    tin_rng rng;
    if (!tin_augment_chosen(e->source, sequence, TIN_AUGMENT_BACKGROUND, b->probability, &rng)) {
        return;
    }
    const tin_stream *streams = e->dataset->streams;
    size_t at = 0;
    for (int i = 0; i < OTHER_PERSON; i++) {
        at = tin_rng_below(&rng, (uint32_t)e->backgrounds.n);
        if (strcmp(streams[e->backgrounds.items[at].stream].subject, streams[stream].subject) != 0) {
            break;
        }
    }
    const tin_stretch *from = &e->backgrounds.items[at];
    double ratio = pow(10, -tin_rng_range(&rng, b->snr_db[0], b->snr_db[1]) / 10);
    f->background = streams[from->stream].counts + from->start * e->dataset->n_channels;
    f->n_background = from->end - from->start;
    f->background_at = (int64_t)(tin_rng_uniform(&rng) * (double)f->n_background);
    for (int c = 0; c < e->dataset->n_channels; c++) {
        double power = e->of_background[at].power[c];
        double gain = power > 0 ? sqrt(ratio * e->of_stream[stream].power[c] / power) : 0;
        f->background_gain[c] = (float)gain * e->source->model->input.scale[c];
        f->background_mean[c] = e->of_background[at].mean[c];
    }
}

static void draw_drift(tin_effect *f, const tin_effects *e, int64_t sequence, size_t stream)
{
    const tin_augment_source *s = e->source;
    const tin_config_sensors *bias = &s->settings->bias, *drift = &s->settings->drift;
    const int n_channels = s->model->n_channels;
    tin_rng rng;
    memset(f->bias, 0, (size_t)n_channels * sizeof *f->bias);
    if (bias->accel + bias->gyro + bias->other > 0 &&
        tin_augment_chosen(s, sequence, TIN_AUGMENT_BIAS, bias->probability, &rng)) {
        f->biased = true;
        for (int c = 0; c < n_channels; c++) {
            double most = of_sensor(bias, tin_sensor_of(s->triads, c));
            f->bias[c] = (float)(most * tin_rng_range(&rng, -1, 1) * normalised(s, c));
        }
    }
    if (drift->accel + drift->gyro + drift->other > 0 &&
        tin_augment_chosen(s, sequence, TIN_AUGMENT_DRIFT, drift->probability, &rng)) {
        f->drifts = true;
        f->drift_seed = tin_rng_next(&rng);
        double steps = (double)e->dataset->streams[stream].n_frames / (1 - s->settings->speed.by) / s->rate_hz + 2;
        f->drift_frames = (int64_t)fmax(rint(s->rate_hz), 1);
        f->drift_steps = (int64_t)exp2(ceil(log2(steps)) + 1);
        for (int c = 0; c < n_channels; c++) {
            double second = of_sensor(drift, tin_sensor_of(s->triads, c));
            f->drift[c] = (float)(second * sqrt((double)f->drift_frames / s->rate_hz) * normalised(s, c));
        }
    }
}

/* Range, resolution, lost samples, mute: what the sensor and the line do to the counts. */
static void draw_faults(tin_effect *f, const tin_augment_source *s, int64_t sequence)
{
    const tin_config_augment *a = s->settings;
    const tin_input_scaling *input = &s->model->input;
    tin_rng rng;
    if (tin_augment_chosen(s, sequence, TIN_AUGMENT_RANGE, a->range.probability, &rng)) {
        f->limited = true;
        double share = a->range.share[0] * pow(a->range.share[1] / a->range.share[0], tin_rng_uniform(&rng));
        for (int c = 0; c < s->model->n_channels; c++) {
            f->least[c] = (float)(-share * FULL_SCALE - input->offset[c]) * input->scale[c];
            f->most[c] = (float)(share * FULL_SCALE - input->offset[c]) * input->scale[c];
        }
    }
    if (tin_augment_chosen(s, sequence, TIN_AUGMENT_RESOLUTION, a->resolution.probability, &rng)) {
        int least = (int)ceil(a->resolution.bits[0]), most = (int)floor(a->resolution.bits[1]);
        f->shift = 16 - least - (most > least ? (int)tin_rng_below(&rng, (uint32_t)(most - least + 1)) : 0);
    }
    if (tin_augment_chosen(s, sequence, TIN_AUGMENT_DROP, a->drop.probability, &rng)) {
        f->drop_every = (int64_t)fmax(rint(60 * s->rate_hz / a->drop.per_minute), 1);
        f->drop_frames[0] = a->drop.ms[0] * 1e-3 * s->rate_hz;
        f->drop_frames[1] = a->drop.ms[1] * 1e-3 * s->rate_hz;
        f->drop_seed = tin_rng_next(&rng);
    }
    if (tin_augment_chosen(s, sequence, TIN_AUGMENT_MUTE, a->mute.probability, &rng)) {
        f->mute = (int)tin_rng_below(&rng, (uint32_t)s->model->n_channels);
    }
}

void tin_effect_draw(tin_effect *f, const tin_effects *e, int64_t sequence, size_t stream)
{
    f->n_echoes = 0;
    f->background = NULL;
    f->biased = f->drifts = f->limited = false;
    f->shift = 0;
    f->drop_every = 0;
    f->mute = -1;
    draw_room(f, e->source, sequence);
    draw_background(f, e, sequence, stream);
    draw_drift(f, e, sequence, stream);
    draw_faults(f, e->source, sequence);
    f->any = f->background || f->biased || f->drifts || f->limited || f->shift || f->drop_every || f->mute >= 0;
}

/* ---- what it does ---- */

/* One channel, `stride` floats from frame to frame. zero: silence. */
static inline void add_echoes(const tin_effect *f, const float *dry, float zero, int n_frames, int stride, float *x)
{
    for (int k = 0; k < f->n_echoes; k++) {
        const float *from = dry - (ptrdiff_t)f->delay[k] * stride;
        const float level = f->echo[k];
        for (int i = 0; i < n_frames; i++) {
            x[i * stride] += level * (from[i * stride] - zero);
        }
    }
}

static void zero_counts(const tin_input_scaling *input, int n_channels, float *zero)
{
    for (int c = 0; c < n_channels; c++) {
        zero[c] = (float)-input->offset[c] * input->scale[c];
    }
}

void tin_effect_room(const tin_effect *f, const tin_effects *e, const float *dry, int reach, int n_frames, float *x)
{
    const int n_channels = e->source->model->n_channels;
    float zero[TIN_MAX_CHANNELS];
    zero_counts(&e->source->model->input, n_channels, zero);
    for (int c = 0; c < n_channels; c++) {
        const float *now = dry + (ptrdiff_t)reach * n_channels + c;
        if (n_channels == 1) { /* so that it becomes vectors */
            add_echoes(f, now, zero[c], n_frames, 1, x);
        } else if (tin_sensor_of(e->source->triads, c) == TIN_SENSOR_OTHER) {
            add_echoes(f, now, zero[c], n_frames, n_channels, x + c);
        }
    }
}

/* A value per channel, for eight frames at a time: so that loops over them are long, and become vectors. */
#define BLOCK 8
typedef float block[BLOCK * TIN_MAX_CHANNELS];

static void spread(const float *per_channel, int n_channels, float *values)
{
    for (int i = 0; i < BLOCK; i++) {
        memcpy(values + i * n_channels, per_channel, (size_t)n_channels * sizeof *values);
    }
}

/* Runs `body` for `n` values from x on, i being the place in the block. */
#define FOR_BLOCKS(x, n, n_channels, body)                                                                             \
    for (int64_t at_ = 0; at_ < (n); at_ += BLOCK * (n_channels)) {                                                    \
        float *restrict y = (x) + at_;                                                                                 \
        const int m_ = (n)-at_ < BLOCK * (n_channels) ? (int)((n)-at_) : BLOCK * (n_channels);                         \
        for (int i = 0; i < m_; i++) {                                                                                 \
            body;                                                                                                      \
        }                                                                                                              \
    }

/* The stretch to and fro, so that no frame of it is followed by one from elsewhere. */
static void add_background(const tin_effect *f, int n_channels, int64_t first, int n_frames, float *x)
{
    const int64_t n = f->n_background;
    int64_t at = (f->background_at + first) % (2 * n);
    block gain, offset;
    float per_channel[TIN_MAX_CHANNELS];
    for (int c = 0; c < n_channels; c++) {
        per_channel[c] = -f->background_gain[c] * f->background_mean[c];
    }
    spread(per_channel, n_channels, offset);
    spread(f->background_gain, n_channels, gain);
    while (n_frames > 0) {
        int64_t room = at < n ? n - at : 2 * n - at, now = room < n_frames ? room : n_frames, values = now * n_channels;
        if (at < n) {
            const int16_t *counts = f->background + at * n_channels;
            FOR_BLOCKS(x, values, n_channels, y[i] += gain[i] * (float)counts[at_ + i] + offset[i])
        } else {
            const int16_t *counts = f->background + (2 * n - 1 - at) * n_channels;
            for (int64_t k = 0; k < now; k++) {
                for (int c = 0; c < n_channels; c++) {
                    x[k * n_channels + c] += gain[c] * (float)counts[c - k * n_channels] + offset[c];
                }
            }
        }
        x += values;
        n_frames -= (int)now;
        at = (at + now) % (2 * n);
    }
}

/* Nearly normal, deviation 1: the sum of the eight bytes of a random word. */
static double near_normal(uint64_t seed, uint64_t index)
{
    uint64_t word = tin_rng_at(seed, index);
    word = (word & 0x00ff00ff00ff00ffu) + (word >> 8 & 0x00ff00ff00ff00ffu);
    word = (word & 0x0000ffff0000ffffu) + (word >> 16 & 0x0000ffff0000ffffu);
    return ((double)((word & 0xffffffffu) + (word >> 32)) - 1020) / 209.02153; /* sqrt(8 * (256^2 - 1) / 12) */
}

#define WALK_STEPS 32 /* known at a time */

/* values[k - first]: a random walk at its steps k = first .. first + WALK_STEPS, of which [low, low + length] are between
 * two known values; deviation 1 per step. Levy's construction: the middle is drawn between two ends. So no step before the
 * first need be taken. */
static void walk(uint64_t seed, int64_t low, int64_t length, double from, double to, int64_t first, double *values)
{
    if (low > first + WALK_STEPS || low + length < first) {
        return;
    }
    if (length == 1) {
        if (low >= first) {
            values[low - first] = from;
        }
        if (low < first + WALK_STEPS) {
            values[low + 1 - first] = to;
        }
        return;
    }
    int64_t half = length / 2;
    double middle = (from + to) / 2 + near_normal(seed, (uint64_t)(low + half)) * sqrt((double)half / 2);
    walk(seed, low, half, from, middle, first, values);
    walk(seed, low + half, half, middle, to, first, values);
}

/* Frames of one step, of which `into` have gone: a line from one value of the walk to the next. */
static void add_step(const tin_effect *f, int n_channels, double (*values)[WALK_STEPS + 1], int step, int64_t into,
                     int64_t n_frames, float *x)
{
    const double per_frame = 1 / (double)f->drift_frames;
    block now, slope;
    for (int c = 0; c < n_channels; c++) {
        double from = values[c][step], rise = (values[c][step + 1] - from) * per_frame;
        for (int k = 0; k < BLOCK; k++) {
            now[k * n_channels + c] = f->bias[c] + f->drift[c] * (float)(from + rise * (double)(into + k));
            slope[k * n_channels + c] = f->drift[c] * (float)(rise * BLOCK);
        }
    }
    FOR_BLOCKS(x, n_frames * n_channels, n_channels, y[i] += now[i]; now[i] += slope[i])
}

static void add_drift(const tin_effect *f, int n_channels, int64_t first, int n_frames, float *x)
{
    double values[TIN_MAX_CHANNELS][WALK_STEPS + 1];
    for (int64_t frame = first, known = -1; frame < first + n_frames;) {
        int64_t step = frame / f->drift_frames, end = (step + 1) * f->drift_frames;
        if (known < 0 || step >= known + WALK_STEPS) {
            known = step;
            for (int c = 0; c < n_channels; c++) {
                uint64_t seed = tin_rng_at(f->drift_seed, (uint64_t)c);
                walk(seed, 0, f->drift_steps, 0, near_normal(seed, 0) * sqrt((double)f->drift_steps), known, values[c]);
            }
        }
        end = end < first + n_frames ? end : first + n_frames;
        add_step(f, n_channels, values, (int)(step - known), frame - step * f->drift_frames, end - frame,
                 x + (frame - first) * n_channels);
        frame = end;
    }
}

static void add_bias(const tin_effect *f, int n_channels, int n_frames, float *x)
{
    block bias;
    spread(f->bias, n_channels, bias);
    FOR_BLOCKS(x, (int64_t)n_frames * n_channels, n_channels, y[i] += bias[i])
}

static void limit(const tin_effect *f, int n_channels, int n_frames, float *x)
{
    block least, most;
    spread(f->least, n_channels, least);
    spread(f->most, n_channels, most);
    FOR_BLOCKS(x, (int64_t)n_frames * n_channels, n_channels, y[i] = y[i] < most[i] ? y[i] : most[i];
               y[i] = y[i] > least[i] ? y[i] : least[i])
}

/* Counts become the nearest multiple of 2^shift. Adding and taking away 1.5 * 2^23 rounds to nearest. */
static void coarsen(const tin_effect *f, const tin_input_scaling *input, int n_channels, int n_frames, float *x)
{
    const float magic = 0x1.8p23f;
    float of[3][TIN_MAX_CHANNELS];
    block step, per_step, zero;
    zero_counts(input, n_channels, of[0]);
    for (int c = 0; c < n_channels; c++) {
        of[1][c] = input->scale[c] * (float)(1 << f->shift);
        of[2][c] = 1 / of[1][c];
    }
    spread(of[0], n_channels, zero);
    spread(of[1], n_channels, step);
    spread(of[2], n_channels, per_step);
    FOR_BLOCKS(x, (int64_t)n_frames * n_channels, n_channels,
               y[i] = ((y[i] - zero[i]) * per_step[i] + magic - magic) * step[i] + zero[i])
}

/* One stretch of lost samples somewhere in each `drop_every` frames; it ends with them, and with the chunk. */
static void drop(const tin_effect *f, const tin_augment_source *s, int64_t first, int n_frames, float *x)
{
    const int n_channels = s->model->n_channels;
    float zero[TIN_MAX_CHANNELS];
    zero_counts(&s->model->input, n_channels, zero);
    for (int64_t k = first / f->drop_every; k * f->drop_every < first + n_frames; k++) {
        tin_rng rng;
        tin_rng_derive(&rng, f->drop_seed, (uint64_t)k);
        double length = tin_rng_range(&rng, f->drop_frames[0], f->drop_frames[1]);
        int64_t from = k * f->drop_every + (int64_t)(tin_rng_uniform(&rng) * (double)f->drop_every);
        int64_t to = from + (int64_t)fmax(rint(length), 1), end = (k + 1) * f->drop_every;
        to = (to < end ? to : end) - first;
        from = from > first ? from - first : 1; /* the first sample of a chunk arrives: the one before is not there */
        if (from >= n_frames) {
            continue;
        }
        const float *held = s->settings->drop.hold ? x + (from - 1) * n_channels : zero;
        for (int64_t i = from; i < to && i < n_frames; i++) {
            memcpy(x + i * n_channels, held, (size_t)n_channels * sizeof *x);
        }
    }
}

void tin_effect_apply(const tin_effect *f, const tin_effects *e, int64_t first, int n_frames, float *x)
{
    const tin_model *model = e->source->model;
    const int n_channels = model->n_channels;
    if (f->background) {
        add_background(f, n_channels, first, n_frames, x);
    }
    if (f->drifts) {
        add_drift(f, n_channels, first, n_frames, x); /* with the bias in it */
    } else if (f->biased) {
        add_bias(f, n_channels, n_frames, x);
    }
    if (f->limited) {
        limit(f, n_channels, n_frames, x);
    }
    if (f->shift > 0) {
        coarsen(f, &model->input, n_channels, n_frames, x);
    }
    if (f->drop_every > 0) {
        drop(f, e->source, first, n_frames, x);
    }
    if (f->mute >= 0) {
        const float zero = (float)-model->input.offset[f->mute] * model->input.scale[f->mute];
        for (int i = 0; i < n_frames; i++) {
            x[i * n_channels + f->mute] = zero;
        }
    }
}
