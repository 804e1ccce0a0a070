#include "train/sampler.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "train/effects.h"
#include "train/splice.h"

/* Streams of random numbers, kept apart by these marks. */
#define SEED_ORDER 0x6f72646572u
#define SEED_SEQUENCE 0x736571u
#define SEED_MIX 0x6d6978u
#define SEED_CARRY 0x6361727279u

#define FIRST_CUT                                                                                                      \
    0.9 /* the first recording of a lane starts anywhere in this share of it, so that lanes get out of step */
#define LATER_CUT 0.5
#define MOST_EMPTY 1000 /* batches without a label before it is an error */

struct tin_sampler {
    tin_sampler_settings s;
    tin_augment_source source;
    int n_decisions;
    tin_borders borders;
    tin_labels *labels; /* [n_streams of the dataset], empty for those not trained on */
    size_t *streams;    /* [n_streams] indices of the training streams */
    size_t n_streams;
    double *frames_before; /* [n_streams + 1] running sum of lengths */
    tin_stretches windows; /* where they fit */
    tin_effects *effects;
    tin_splicer *splicer;  /* NULL: none */
    double *starts_before; /* [windows.n + 1] running sum of the places where a window may start */
    float class_weights[TIN_MAX_CLASSES];
    uint32_t *order; /* of the round under way */
    int64_t order_round;
    tin_sampler_lane *lanes;
    int64_t n_begun;
    float whole;        /* share of the label in a target whose frames all have it: 1, but for rounding */
    double whole_known; /* likewise, the sum of the parts */
    size_t touched;     /* bytes of counts that were read, see tin_dataset_touched */
    double *weights;    /* [n_lanes] of the batch under way */
    float *rows;        /* [n_lanes][chunk + most lead][channels] when x is not all that is wanted, else NULL */
    int16_t *spliced;   /* [n_threads][most_source][channels]; NULL: no splicer */
    float *dry;         /* [n_threads][reach + chunk][channels]; NULL: no room */
};

static tin_status find_streams(tin_sampler *sampler, tin_error *err)
{
    const tin_dataset *d = sampler->s.dataset;
    sampler->labels = tin_alloc(d->n_streams, sizeof *sampler->labels, err);
    sampler->streams = tin_alloc(d->n_streams, sizeof *sampler->streams, err);
    sampler->frames_before = tin_alloc(d->n_streams + 1, sizeof *sampler->frames_before, err);
    sampler->order = tin_alloc(d->n_streams, sizeof *sampler->order, err);
    if (!sampler->labels || !sampler->streams || !sampler->frames_before || !sampler->order) {
        return TIN_ERR_MEMORY;
    }
    tin_status status = tin_borders_create(&sampler->borders, d, sampler->s.train, err);
    for (size_t i = 0; i < d->n_streams && status == TIN_OK; i++) {
        if (d->streams[i].role != TIN_ROLE_TRAIN || d->streams[i].n_frames < 2) {
            continue;
        }
        status = tin_labels_create(&sampler->labels[i], d, &d->streams[i], &sampler->borders, err);
        size_t n = sampler->n_streams++;
        sampler->streams[n] = i;
        sampler->frames_before[n + 1] = sampler->frames_before[n] + (double)d->streams[i].n_frames;
    }
    return status;
}

/* Weights of frames: less at label borders, and each event as much as the mean one. */
static void weigh_frames(tin_sampler *sampler)
{
    const tin_config_train *train = sampler->s.train;
    const tin_dataset *d = sampler->s.dataset;
    int64_t n_events = 0;
    double sum = 0;
    if (train->windows || (train->margin_ms <= 0 && train->event_balance <= 0)) {
        return;
    }
    for (size_t i = 0; i < sampler->n_streams; i++) {
        tin_labels *labels = &sampler->labels[sampler->streams[i]];
        tin_labels_weigh_margins(labels, train->margin_ms * 1e-3 * d->rate_hz, train->margin_weight);
        sum += tin_labels_event_weight(labels, d->classes, &n_events);
    }
    for (size_t i = 0; n_events > 0 && i < sampler->n_streams; i++) {
        tin_labels_balance_events(&sampler->labels[sampler->streams[i]], d->classes, sum / (double)n_events,
                                  train->event_balance);
    }
}

/* Effective number of a class (Cui et al. 2019), E(n) = (1 - beta^n) / (1 - beta), weights 1 / E(n) with mean 1. Frames
 * that follow each other say the same, so n counts seconds. */
static void weigh_by_effective_number(tin_sampler *sampler, const double *counts, int n_present)
{
    double weights[TIN_MAX_CLASSES], sum = 0, beta = sampler->s.train->class_weight_beta;
    for (int c = 0; c < sampler->s.dataset->n_classes; c++) {
        double seconds = counts[c] / sampler->s.dataset->rate_hz;
        weights[c] = counts[c] > 0 ? 1 / (1 - pow(beta, seconds)) : 0;
        sum += weights[c];
    }
    for (int c = 0; c < sampler->s.dataset->n_classes; c++) {
        sampler->class_weights[c] = weights[c] > 0 ? (float)(weights[c] * n_present / sum) : 1;
    }
}

static void add_weights(const tin_labels *labels, size_t run, double *counts, double *total)
{
    const tin_label_run *r = &labels->runs[run];
    if (r->label < 0) {
        return;
    }
    if (!labels->weighed) {
        counts[r->label] += (double)(r->end - r->start);
        *total += (double)(r->end - r->start);
        return;
    }
    for (int64_t t = r->start; t < r->end; t++) {
        double weight = (double)tin_labels_weight(labels, run, t);
        counts[r->label] += weight;
        *total += weight;
    }
}

static tin_status weigh_classes(tin_sampler *sampler, tin_error *err)
{
    int n_classes = sampler->s.dataset->n_classes, n_present = 0;
    double counts[TIN_MAX_CLASSES] = {0}, total = 0;
    for (size_t i = 0; i < sampler->n_streams; i++) {
        const tin_labels *labels = &sampler->labels[sampler->streams[i]];
        for (size_t r = 0; r < labels->n_runs; r++) {
            add_weights(labels, r, counts, &total);
        }
    }
    if (total <= 0) {
        return tin_fail(err, TIN_ERR_DATA,
                        "no labelled training frames; label some, or give data.unlabelled a class instead of ignore");
    }
    for (int c = 0; c < n_classes; c++) {
        n_present += counts[c] > 0;
    }
    for (int c = 0; c < n_classes; c++) {
        double ratio = counts[c] > 0 ? total / n_present / counts[c] : 1;
        sampler->class_weights[c] = (float)pow(ratio, sampler->s.train->class_weight_power);
    }
    if (sampler->s.train->class_weight_beta > 0) {
        weigh_by_effective_number(sampler, counts, n_present);
    }
    return TIN_OK;
}

/* Frames of a chunk that lie inside one label. */
static int window_frames(const tin_config_train *train)
{
    return train->chunk - train->history_frames;
}

static tin_stretch_query recordings_of(const tin_sampler *s)
{
    return (tin_stretch_query){.labels = s->labels, .streams = s->streams, .n_streams = s->n_streams};
}

/* Stretches of one label that hold a window at its greatest speed, with its history before it. */
static tin_status find_windows(tin_sampler *sampler, tin_error *err)
{
    const tin_config_train *train = sampler->s.train;
    double fastest = tin_augment_fastest(&train->augment), rate = sampler->s.dataset->rate_hz;
    double swing = 2 * fastest * tin_augment_most_swing(&train->augment, rate);
    int64_t least = (int64_t)ceil(window_frames(train) * fastest + swing) + 1;
    tin_stretch_query q = recordings_of(sampler);
    q.skip = (int64_t)ceil(train->history_frames * fastest + swing);
    q.least = least;
    tin_status status = tin_stretches_find(&sampler->windows, &q, err);
    if (status) {
        return status;
    }
    if (sampler->windows.n == 0) {
        return tin_fail(err, TIN_ERR_DATA,
                        "no label lasts %lld frames, the length of a window; make train.chunk shorter",
                        (long long)least);
    }
    sampler->starts_before = tin_alloc(sampler->windows.n + 1, sizeof *sampler->starts_before, err);
    for (size_t i = 0; sampler->starts_before && i < sampler->windows.n; i++) {
        int64_t starts = sampler->windows.items[i].end - sampler->windows.items[i].start - least + 1;
        sampler->starts_before[i + 1] = sampler->starts_before[i] + (double)starts;
    }
    return sampler->starts_before ? TIN_OK : TIN_ERR_MEMORY;
}

static int most_lead(const tin_sampler_settings *s)
{
    return s->lead > s->ahead ? s->lead : s->ahead;
}

static bool wants_rows(const tin_sampler_settings *s)
{
    return most_lead(s) > 0 && !s->train->windows;
}

static float *make_rows(const tin_sampler_settings *s, tin_error *err)
{
    size_t frames = (size_t)(s->train->chunk + most_lead(s));
    return wants_rows(s) ? tin_alloc((size_t)s->n_lanes * frames * (size_t)s->model->n_channels, sizeof(float), err)
                         : NULL;
}

/* Frames of a recording that one chunk can show, with what the room hears before it. */
static size_t most_source(const tin_sampler_settings *s)
{
    const tin_config_augment *a = &s->train->augment;
    double rate = s->dataset->rate_hz, frames = s->train->chunk + tin_effects_reach(a, rate);
    return (size_t)ceil((frames + 2 * tin_augment_most_swing(a, rate)) * tin_augment_fastest(a)) + 4;
}

static bool splices(const tin_config_train *train)
{
    return train->augment.splice.probability > 0 && !train->windows;
}

static size_t dry_frames(const tin_sampler_settings *s)
{
    int reach = tin_effects_reach(&s->train->augment, s->dataset->rate_hz);
    return reach > 0 ? (size_t)(reach + s->train->chunk) : 0;
}

static tin_status make_augmentation(tin_sampler *s, tin_error *err)
{
    const tin_sampler_settings *settings = &s->s;
    const tin_stretch_query recordings = recordings_of(s);
    size_t row = (size_t)settings->model->n_channels, threads = (size_t)tin_pool_threads(settings->pool);
    tin_status status = tin_effects_create(&s->effects, &s->source, settings->dataset, &recordings, err);
    if (status == TIN_OK && splices(settings->train)) {
        status = tin_splicer_create(&s->splicer, &settings->train->augment.splice, settings->dataset, &recordings, err);
        s->spliced = status ? NULL : tin_alloc(threads * most_source(settings) * row, sizeof *s->spliced, err);
        status = status || s->spliced ? status : TIN_ERR_MEMORY;
    }
    if (status == TIN_OK && dry_frames(settings) > 0) {
        s->dry = tin_alloc(threads * dry_frames(settings) * row, sizeof *s->dry, err);
        status = s->dry ? TIN_OK : TIN_ERR_MEMORY;
    }
    return status;
}

size_t tin_sampler_augmentation_bytes(const tin_model *model, const tin_dataset *dataset, const tin_config_train *train,
                                      int n_threads)
{
    tin_sampler_settings s = {.model = model, .dataset = dataset, .train = train};
    size_t frames = dry_frames(&s) * sizeof(float), bytes = tin_effects_bytes(&train->augment, dataset);
    if (splices(train)) {
        frames += most_source(&s) * sizeof(int16_t);
        bytes += tin_splicer_bytes(&train->augment.splice, dataset);
    }
    return bytes + (size_t)n_threads * frames * (size_t)model->n_channels;
}

tin_status tin_sampler_create(tin_sampler **sampler, const tin_sampler_settings *settings, tin_error *err)
{
    *sampler = NULL;
    tin_sampler *s = tin_alloc(1, sizeof *s, err);
    if (!s) {
        return TIN_ERR_MEMORY;
    }
    s->s = *settings;
    s->source = (tin_augment_source){
        .model = settings->model,
        .settings = &settings->train->augment,
        .triads = tin_triads_find(settings->model->channels, settings->model->n_channels),
        .rate_hz = settings->dataset->rate_hz,
        .seed = settings->seed,
    };
    s->n_decisions = settings->train->chunk / settings->model->hop;
    s->order_round = -1;
    for (int i = 0; i < settings->model->hop; i++) {
        s->whole += (float)(1.0 / settings->model->hop);
        s->whole_known += 1.0 / settings->model->hop;
    }
    s->lanes = tin_alloc((size_t)settings->n_lanes, sizeof *s->lanes, err);
    s->weights = tin_alloc((size_t)settings->n_lanes, sizeof *s->weights, err);
    s->rows = make_rows(settings, err);
    bool rows = s->rows || !wants_rows(settings);
    tin_status status = s->lanes && s->weights && rows ? find_streams(s, err) : TIN_ERR_MEMORY;
    if (status == TIN_OK) {
        weigh_frames(s);
        status = weigh_classes(s, err);
    }
    if (status == TIN_OK && settings->train->windows) {
        status = find_windows(s, err);
    }
    if (status == TIN_OK) {
        status = make_augmentation(s, err);
    }
    if (status) {
        tin_sampler_free(s);
        return status;
    }
    for (int l = 0; l < settings->n_lanes; l++) {
        s->lanes[l].sequence = -1;
        s->lanes[l].last = 1;
    }
    *sampler = s;
    return TIN_OK;
}

void tin_sampler_free(tin_sampler *s)
{
    if (!s) {
        return;
    }
    for (size_t i = 0; s->labels && i < s->s.dataset->n_streams; i++) {
        tin_labels_free(&s->labels[i]);
    }
    tin_free(s->labels);
    tin_borders_free(&s->borders);
    tin_free(s->streams);
    tin_free(s->frames_before);
    tin_free(s->order);
    tin_free(s->windows.items);
    tin_free(s->starts_before);
    tin_free(s->lanes);
    tin_free(s->weights);
    tin_free(s->rows);
    tin_effects_free(s->effects);
    tin_splicer_free(s->splicer);
    tin_free(s->spliced);
    tin_free(s->dry);
    tin_free(s);
}

/* Stream of a sequence in stateful mode: round n / n_streams is a random order of all streams. */
static size_t ordered_stream(tin_sampler *s, int64_t sequence)
{
    int64_t n = (int64_t)s->n_streams, wanted = sequence / n;
    if (s->order_round != wanted) {
        tin_rng rng;
        tin_rng_derive(&rng, s->s.seed ^ SEED_ORDER, (uint64_t)wanted);
        for (uint32_t i = 0; i < s->n_streams; i++) {
            uint32_t j = tin_rng_below(&rng, i + 1);
            s->order[i] = s->order[j];
            s->order[j] = i;
        }
        s->order_round = wanted;
    }
    return s->streams[s->order[sequence % n]];
}

/* Generator of a sequence: first its place, then its augmentation, then the seed of its noise. */
static tin_rng sequence_rng(const tin_sampler *s, int64_t sequence)
{
    tin_rng rng;
    tin_rng_derive(&rng, s->s.seed ^ SEED_SEQUENCE, (uint64_t)sequence);
    return rng;
}

/* Last index i < n with sum[i] <= place, of running sums. */
static size_t find_place(const double *sum, size_t n, double place)
{
    size_t low = 0, high = n;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (sum[middle] <= place) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Gives the lane its next sequence. */
static void begin_sequence(tin_sampler *s, tin_sampler_lane *lane)
{
    const tin_config_train *train = s->s.train;
    int64_t number = s->n_begun++;
    tin_rng rng = sequence_rng(s, number);
    double u = tin_rng_uniform(&rng);
    *lane = (tin_sampler_lane){.sequence = number};
    if (train->windows) {
        const tin_stretch *at =
            &s->windows.items[find_place(s->starts_before, s->windows.n, u * s->starts_before[s->windows.n])];
        tin_augment augment;
        tin_augment_draw(&augment, &s->source, number, &rng);
        double first = tin_clock_at(&augment.clock, train->history_frames);
        double room = (double)(at->end - at->start - 1) - (tin_clock_at(&augment.clock, train->chunk - 1) - first);
        lane->stream = (int64_t)at->stream;
        lane->start = (double)at->start + tin_rng_uniform(&rng) * fmax(room, 0) - first;
    } else if (train->stateful) {
        lane->stream = (int64_t)ordered_stream(s, number);
        double cut = number < s->s.n_lanes ? FIRST_CUT : LATER_CUT;
        lane->start = floor(u * cut * (double)s->s.dataset->streams[lane->stream].n_frames);
    } else {
        double place = u * s->frames_before[s->n_streams];
        size_t i = find_place(s->frames_before, s->n_streams, place);
        double swing = tin_augment_most_swing(&train->augment, s->s.dataset->rate_hz);
        double chunk = (train->chunk + swing) * tin_augment_fastest(&train->augment);
        double most = s->frames_before[i + 1] - s->frames_before[i] - chunk - 1;
        lane->stream = (int64_t)s->streams[i];
        lane->start = floor(fmax(0, fmin(place - s->frames_before[i], most)));
    }
}

/* Position to frame: floor, without a call where the processor has no such instruction. */
static int64_t frame_of(double position)
{
    int64_t frame = (int64_t)position;
    return frame - (position < (double)frame);
}

/* From shares of the classes, `known` together, to weighted targets. */
static double finish_target(const tin_sampler *s, double known, float *target)
{
    int n_classes = s->s.dataset->n_classes;
    double smooth = s->s.train->label_smoothing, weight = 0;
    for (int c = 0; c < n_classes; c++) {
        double share = (1 - smooth) * (double)target[c] + smooth * known / n_classes;
        target[c] = (float)share * s->class_weights[c];
        weight += (double)target[c];
    }
    return weight;
}

/* The labels of a sequence, from frame 0 of its targets on. */
typedef struct label_view {
    const tin_labels *labels;
    size_t run; /* of a frame nearby */
    tin_clock clock;
    tin_spliced *spliced; /* NULL: none */
} label_view;

static double add_label(label_view *v, int i, double weight, float *target)
{
    int64_t frame = frame_of(tin_clock_at(&v->clock, i));
    return v->spliced ? tin_spliced_label(v->spliced, frame, weight, target)
                      : tin_labels_add(v->labels, &v->run, frame, weight, target);
}

/* Decisions, up to n, from the one that begins at frame `first` on, whose frames all carry the label alone. */
static int count_same(label_view *v, int first, int hop, int n, int32_t *label)
{
    int64_t frame = frame_of(tin_clock_at(&v->clock, first)), plain, end;
    int count = 0;
    if (frame < 0 || frame >= v->labels->n_frames) {
        return 0;
    }
    tin_spliced_piece piece = {v->labels, 0, v->labels->n_frames, &v->run};
    if (v->spliced) {
        piece = tin_spliced_at(v->spliced, frame);
        if (!piece.labels) {
            return 0;
        }
    }
    *piece.run = tin_labels_step(piece.labels, *piece.run, frame + piece.offset);
    *label = piece.labels->runs[*piece.run].label;
    tin_labels_plain(piece.labels, *piece.run, &plain, &end);
    end = end - piece.offset < piece.end ? end - piece.offset : piece.end;
    while (frame + piece.offset >= plain && count < n && tin_clock_at(&v->clock, first + hop - 1) < (double)end) {
        first += hop;
        count++;
    }
    return count;
}

/* The same label for all of `count` decisions. */
static double fill_same(const tin_sampler *s, int label, int count, float *target)
{
    int n_classes = s->s.dataset->n_classes;
    double weight = 0;
    for (int j = 0; j < count && label >= 0; j++, target += n_classes) {
        target[label] = s->whole;
        if (s->s.train->label_smoothing > 0) {
            weight += finish_target(s, s->whole_known, target);
        } else {
            target[label] *= s->class_weights[label];
            weight += (double)target[label];
        }
    }
    return weight;
}

static void fill_targets(const tin_sampler *s, label_view *v, float *target, double *weight)
{
    int n_classes = s->s.dataset->n_classes, hop = s->s.model->hop, first = hop - 1 - s->s.model->delay;
    for (int j = 0, count = 0; j < s->n_decisions; j += count, target += count * n_classes, first += count * hop) {
        int32_t label = TIN_LABEL_IGNORE;
        count = count_same(v, first, hop, s->n_decisions - j, &label);
        if (count > 0) {
            *weight += fill_same(s, label, count, target);
            continue;
        }
        double known = 0;
        for (int i = first; i < first + hop; i++) {
            known += add_label(v, i, 1.0 / hop, target);
        }
        if (known > 0) {
            *weight += finish_target(s, known, target);
        }
        count = 1;
    }
}

static double lane_targets(const tin_sampler *s, label_view *v, float *target)
{
    int n_classes = s->s.dataset->n_classes, n = s->n_decisions;
    double weight = 0;
    memset(target, 0, (size_t)n * (size_t)n_classes * sizeof *target);
    if (s->s.train->windows) {
        float *last = target + (size_t)(n - 1) * (size_t)n_classes;
        int middle = s->s.train->chunk - (window_frames(s->s.train) + 1) / 2; /* far from what rounding could do */
        last[v->labels->runs[tin_labels_find(v->labels, (int64_t)tin_clock_at(&v->clock, middle))].label] = 1;
        return finish_target(s, 1, last);
    }
    fill_targets(s, v, target, &weight);
    return weight;
}

typedef struct fill_job {
    tin_sampler *sampler;
    tin_sampler_batch *batch;
} fill_job;

/* The augmentation of the sequence of one lane. */
typedef struct sequence {
    const tin_stream *stream;
    size_t index; /* of the stream in the dataset */
    tin_augment augment;
    tin_effect effect;
    uint64_t noise_seed;
    tin_spliced spliced; /* without splicer: nothing */
    int16_t *counts;     /* of the thread: room for what is spliced */
    float *dry;
} sequence;

/* The signal without effects, from frame `from` of the clock on. */
static void show(const tin_sampler *s, sequence *q, const tin_augment *augment, tin_clock clock, int n_frames,
                 tin_rng *noise, float *x)
{
    const int16_t *counts = q->stream->counts;
    int64_t n_counts = q->stream->n_frames;
    if (s->splicer) {
        int64_t from = (int64_t)fmin(fmax(floor(tin_clock_at(&clock, 0)) - 1, 0), (double)n_counts - 1);
        int64_t to = (int64_t)fmin(fmax(ceil(tin_clock_at(&clock, n_frames)) + 1, (double)from + 1), (double)n_counts);
        tin_spliced_counts(&q->spliced, from, to, q->counts);
        counts = q->counts;
        n_counts = to - from;
        clock.start -= (double)from;
    }
    tin_augment_apply(augment, &clock, counts, n_counts, s->s.model->n_channels, n_frames, noise, x);
}

/* The room hears the signal without the sensor's noise, and what came before. */
static void show_in_room(const tin_sampler *s, sequence *q, tin_clock clock, int n_frames, tin_rng *noise, float *x)
{
    tin_augment clean = q->augment, noise_alone;
    int reach = tin_effects_reach(&s->s.train->augment, s->s.dataset->rate_hz);
    size_t row = (size_t)s->s.model->n_channels;
    memset(clean.noise, 0, sizeof clean.noise);
    tin_clock before = clock;
    before.start -= reach * clock.speed;
    before.first -= reach;
    show(s, q, &clean, before, reach + n_frames, NULL, q->dry);
    noise_alone = q->augment;
    memset(noise_alone.matrix, 0, sizeof noise_alone.matrix);
    memset(noise_alone.shift, 0, sizeof noise_alone.shift);
    tin_augment_apply(&noise_alone, &clock, q->stream->counts, q->stream->n_frames, s->s.model->n_channels, n_frames,
                      noise, x);
    for (size_t i = 0; i < (size_t)n_frames * row; i++) {
        x[i] += q->dry[(size_t)reach * row + i];
    }
    tin_effect_room(&q->effect, s->effects, q->dry, reach, n_frames, x);
}

/* The first n_frames of a chunk of a sequence. */
static void fill_chunk(const tin_sampler *s, sequence *q, int64_t chunk, double start, int n_frames, float *x)
{
    tin_clock clock = q->augment.clock;
    clock.start = start;
    clock.first = chunk * s->s.train->chunk;
    tin_rng noise;
    tin_rng_derive(&noise, q->noise_seed, (uint64_t)chunk);
    if (q->effect.n_echoes > 0) {
        show_in_room(s, q, clock, n_frames, &noise, x);
    } else {
        show(s, q, &q->augment, clock, n_frames, &noise, x);
    }
    if (q->effect.any) {
        tin_effect_apply(&q->effect, s->effects, clock.first, n_frames, x);
    }
}

/* The signal of lane `index`, x and ahead. Frames behind the chunk get the augmentation that the next chunk will give
 * them, so that both see one signal. */
static void fill_signal(const tin_sampler *s, int index, sequence *q, double start, tin_sampler_batch *batch)
{
    const tin_sampler_lane *lane = &s->lanes[index];
    int n_channels = s->s.model->n_channels, chunk = s->s.train->chunk;
    size_t row = (size_t)n_channels, values = (size_t)chunk * row, lead = (size_t)s->s.lead, ahead = (size_t)s->s.ahead;
    float *x = batch->x + (size_t)index * values;
    float *from = s->rows ? s->rows + (size_t)index * (size_t)(chunk + most_lead(&s->s)) * row : x;
    fill_chunk(s, q, lane->chunk, start, chunk, from);
    if (s->rows) {
        fill_chunk(s, q, lane->chunk + 1, start + chunk * q->augment.clock.speed, most_lead(&s->s), from + values);
        memcpy(x, from + lead * row, values * sizeof *x);
    } else {
        ahead = 0;
    }
    if (batch->ahead) {
        memcpy(batch->ahead + (size_t)index * values, from + ahead * row, values * sizeof *x);
    }
}

/* What the lane's sequence is, the same for all its chunks. */
static void draw_sequence(const tin_sampler *s, const tin_sampler_lane *lane, int thread, sequence *q)
{
    size_t row = (size_t)s->s.model->n_channels;
    tin_rng rng = sequence_rng(s, lane->sequence);
    (void)tin_rng_uniform(&rng); /* the place, see begin_sequence */
    q->index = (size_t)lane->stream;
    q->stream = &s->s.dataset->streams[lane->stream];
    tin_augment_draw(&q->augment, &s->source, lane->sequence, &rng);
    q->noise_seed = tin_rng_next(&rng);
    tin_effect_draw(&q->effect, s->effects, lane->sequence, q->index);
    if (s->splicer) {
        q->counts = s->spliced + (size_t)thread * most_source(&s->s) * row;
        tin_spliced_begin(&q->spliced, s->splicer, q->index,
                          tin_augment_seed(&s->source, lane->sequence, TIN_AUGMENT_SPLICE));
    }
    if (s->dry) {
        q->dry = s->dry + (size_t)thread * dry_frames(&s->s) * row;
    }
}

static void fill_lane(void *context, int index, int thread)
{
    const fill_job *job = context;
    tin_sampler *s = job->sampler;
    const tin_config_train *train = s->s.train;
    tin_sampler_lane *lane = &s->lanes[index];
    sequence q;
    draw_sequence(s, lane, thread, &q);
    double speed = q.augment.clock.speed, start = lane->start + (double)lane->chunk * train->chunk * speed;
    fill_signal(s, index, &q, start, job->batch);
    size_t targets = (size_t)s->n_decisions * (size_t)s->s.dataset->n_classes;
    label_view view = {
        .labels = &s->labels[lane->stream], .clock = q.augment.clock, .spliced = s->splicer ? &q.spliced : NULL};
    view.clock.start = (s->rows ? start + s->s.lead * speed : start) + q.augment.later;
    view.clock.first = lane->chunk * train->chunk + (s->rows ? s->s.lead : 0);
    if (train->windows) {
        view.clock.start = start; /* one label, wherever in it */
    }
    view.run = tin_labels_find(view.labels, frame_of(tin_clock_at(&view.clock, 0)));
    q.spliced.run = view.run;
    s->weights[index] = lane_targets(s, &view, job->batch->target + (size_t)index * targets);
    lane->chunk++;
    double next = start + train->chunk * speed;
    int64_t n_frames = s->s.dataset->streams[lane->stream].n_frames;
    lane->last = train->windows || !train->stateful || next >= (double)n_frames - 2 * s->s.model->hop;
}

/* Beta(alpha, alpha), 0 < alpha <= 1 (Joehnk 1964). */
static double draw_beta(tin_rng *rng, double alpha)
{
    for (;;) {
        double x = pow(tin_rng_uniform(rng), 1 / alpha), y = pow(tin_rng_uniform(rng), 1 / alpha);
        if (x + y > 0 && x + y <= 1) {
            return x / (x + y);
        }
    }
}

static void mix_values(float *a, float *b, size_t n, float share)
{
    for (size_t i = 0; i < n; i++) {
        float x = a[i], y = b[i];
        a[i] = share * x + (1 - share) * y;
        b[i] = share * y + (1 - share) * x;
    }
}

/* Mixup (Zhang et al. 2018) of lanes 2i and 2i + 1, signals and targets, each keeping the greater part of its own. The
 * factor belongs to the two sequences, so that it stays while both run. */
static void mix_pair(void *context, int index, int thread)
{
    (void)thread;
    const fill_job *job = context;
    tin_sampler *s = job->sampler;
    size_t a = (size_t)index * 2, b = a + 1, row = (size_t)s->s.model->n_channels;
    tin_rng rng;
    tin_rng_derive(&rng, s->s.seed ^ SEED_MIX ^ (uint64_t)s->lanes[a].sequence << 32, (uint64_t)s->lanes[b].sequence);
    double drawn = draw_beta(&rng, s->s.train->mixup), share = fmax(drawn, 1 - drawn), weight = s->weights[a];
    size_t values = (size_t)s->s.train->chunk * row;
    size_t targets = (size_t)s->n_decisions * (size_t)s->s.dataset->n_classes;
    mix_values(job->batch->x + a * values, job->batch->x + b * values, values, (float)share);
    if (job->batch->ahead) {
        mix_values(job->batch->ahead + a * values, job->batch->ahead + b * values, values, (float)share);
    }
    mix_values(job->batch->target + a * targets, job->batch->target + b * targets, targets, (float)share);
    s->weights[a] = share * weight + (1 - share) * s->weights[b];
    s->weights[b] = share * s->weights[b] + (1 - share) * weight;
}

/* Whether a sequence starts with a reset: crops and windows all do, of recordings all but the share train.carry_over. */
static bool starts_anew(const tin_sampler *s, int64_t number)
{
    const tin_config_train *train = s->s.train;
    tin_rng rng;
    tin_rng_derive(&rng, s->s.seed ^ SEED_CARRY, (uint64_t)number);
    return train->windows || !train->stateful || tin_rng_uniform(&rng) >= train->carry_over;
}

tin_status tin_sampler_next(tin_sampler *s, tin_sampler_batch *batch, tin_error *err)
{
    memset(batch->reset, 0, (size_t)s->s.n_lanes);
    for (int i = 0; i < MOST_EMPTY; i++) {
        for (int l = 0; l < s->s.n_lanes; l++) {
            if (s->lanes[l].last) {
                begin_sequence(s, &s->lanes[l]);
                batch->reset[l] |= starts_anew(s, s->lanes[l].sequence);
            }
        }
        fill_job job = {s, batch};
        tin_pool_run(s->s.pool, s->s.n_lanes, fill_lane, &job);
        size_t places = 1; /* that a lane reads at */
        places += s->splicer ? 1u : 0u;
        places += s->s.train->augment.background.probability > 0 ? 1u : 0u;
        tin_dataset_touched(s->s.dataset, &s->touched, (size_t)s->s.n_lanes * places,
                            (size_t)s->s.train->chunk * (size_t)s->s.model->n_channels * sizeof(int16_t));
        if (s->s.train->mixup > 0) {
            tin_pool_run(s->s.pool, s->s.n_lanes / 2, mix_pair, &job);
        }
        batch->weight = 0;
        for (int l = 0; l < s->s.n_lanes; l++) {
            batch->weight += s->weights[l];
        }
        if (batch->weight > 0) {
            return TIN_OK;
        }
    }
    return tin_fail(err, TIN_ERR_DATA, "%d batches without one labelled frame; label more, or make train.chunk longer",
                    MOST_EMPTY);
}

const tin_sampler_lane *tin_sampler_lanes(const tin_sampler *s, int64_t *n_begun)
{
    *n_begun = s->n_begun;
    return s->lanes;
}

void tin_sampler_restore(tin_sampler *s, const tin_sampler_lane *lanes, int64_t n_begun)
{
    memcpy(s->lanes, lanes, (size_t)s->s.n_lanes * sizeof *lanes);
    s->n_begun = n_begun;
}

const float *tin_sampler_class_weights(const tin_sampler *s)
{
    return s->class_weights;
}
