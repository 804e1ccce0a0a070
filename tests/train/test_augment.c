/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "train/augment.h"
#include "train/sampler.h"

#define PATH TEST_TEMPORARY "/augment.tind"
#define LANES 8
#define CHUNK 200
#define MOST_CHANNELS 7
#define CLASSES 3
#define FRAMES 4000
#define RATE 50.0
#define COUNTS_PER_LABEL 1000

/* Six channels of a movement sensor and one that is none. */
static tin_channel channels[MOST_CHANNELS] = {{"ax", "g", 0.001},     {"ay", "g", 0.001},     {"az", "g", 0.001},
                                              {"gx", "rad/s", 0.002}, {"gy", "rad/s", 0.002}, {"gz", "rad/s", 0.002},
                                              {"pressure", "Pa", 0.1}};
static tin_channel sound[1] = {{"sound", "", 1.0 / 32768}};
static tin_class classes[CLASSES] = {{"rest", false}, {"shake", true}, {"turn", true}};

typedef enum filling { LABELS, WAVES, IMPULSES } filling;

/* LABELS: every count says the label of its frame. WAVES: each channel has one of its own. IMPULSES: one per 1000 frames. */
static int16_t count_at(filling fill, int stream, int64_t t, int c, int label)
{
    if (fill == LABELS) {
        return (int16_t)(COUNTS_PER_LABEL * label);
    }
    if (fill == IMPULSES) {
        return t % 1000 == 500 ? 16384 : 0;
    }
    return (int16_t)lrint((1000 + 300 * c) * sin(0.05 * (c + 2) * (double)t + stream) +
                          500 * sin(1.9 * (double)t * (1 + 0.1 * stream)));
}

/* rest for 600 frames, then an event of 60 to 110, and so on. */
static tin_dataset *make_dataset(filling fill, int n_channels)
{
    tin_dataset_builder *builder = NULL;
    tin_dataset *dataset = NULL;
    const tin_dataset head = {.name = (char[]){"test"},
                              .rate_hz = RATE,
                              .n_channels = n_channels,
                              .n_classes = CLASSES,
                              .channels = n_channels == 1 ? sound : channels,
                              .classes = classes,
                              .unlabelled = TIN_LABEL_IGNORE};
    assert_int_equal(tin_dataset_builder_create(&builder, PATH, &head, NULL), TIN_OK);
    int16_t *counts = tin_alloc((size_t)(FRAMES * n_channels), sizeof *counts, NULL);
    for (int i = 0; i < 6; i++) {
        tin_interval intervals[32];
        size_t n = 0;
        char id[20];
        for (int64_t start = 0, end; start < FRAMES; start = end, n++) {
            int32_t label = n % 2 == 0 ? 0 : 1 + (int32_t)(n / 2 + (size_t)i) % 2;
            end = start + (label ? 60 + 10 * i : 600);
            end = end < FRAMES ? end : FRAMES;
            intervals[n] = (tin_interval){start, end, label};
            for (int64_t t = start; t < end; t++) {
                for (int c = 0; c < n_channels; c++) {
                    counts[t * n_channels + c] = count_at(fill, i, t, c, label);
                }
            }
        }
        snprintf(id, sizeof id, "r%d", i);
        tin_stream stream = {.id = id,
                             .subject = id,
                             .session = (char[]){""},
                             .origin = (char[]){"test"},
                             .role = i == 4   ? TIN_ROLE_VALIDATION
                                     : i == 5 ? TIN_ROLE_TEST
                                              : TIN_ROLE_TRAIN,
                             .n_frames = FRAMES,
                             .counts = counts,
                             .intervals = intervals,
                             .n_intervals = n};
        assert_int_equal(tin_dataset_builder_add(builder, &stream, NULL), TIN_OK);
    }
    assert_int_equal(tin_dataset_builder_finish(builder, NULL, NULL), TIN_OK);
    tin_dataset_builder_free(builder);
    tin_free(counts);
    assert_int_equal(tin_dataset_open(&dataset, PATH, NULL), TIN_OK);
    return dataset;
}

typedef struct world {
    tin_dataset *dataset;
    tin_model *model;
    tin_pool *pool;
    tin_config_train train;
    tin_sampler *sampler;
    tin_sampler_batch batch;
    size_t values, targets;
} world;

static const tin_config_train bare = {.steps = 1, .batch = LANES, .chunk = CHUNK, .stateful = true};

static void open_with(world *w, const tin_config_train *train, filling fill, int n_channels, int threads)
{
    static const tin_layer_spec dense = {.op = TIN_OP_DENSE};
    tin_error err = {0};
    memset(w, 0, sizeof *w);
    w->train = *train;
    w->dataset = make_dataset(fill, n_channels);
    assert_int_equal(tin_model_create(&w->model, w->dataset, &dense, 1, &err), TIN_OK);
    assert_int_equal(tin_model_fit_input(w->model, w->dataset, &err), TIN_OK);
    assert_int_equal(tin_pool_create(&w->pool, threads, &err), TIN_OK);
    tin_sampler_settings s = {w->model, w->dataset, &w->train, 5, LANES, 0, 0, w->pool};
    if (tin_sampler_create(&w->sampler, &s, &err)) {
        fail_msg("%s", tin_error_text(&err));
    }
    w->values = (size_t)(LANES * train->chunk * n_channels);
    w->targets = (size_t)(LANES * train->chunk * CLASSES);
    w->batch.x = tin_alloc(w->values, sizeof(float), NULL);
    w->batch.target = tin_alloc(w->targets, sizeof(float), NULL);
    w->batch.reset = tin_alloc(LANES, 1, NULL);
}

static void close_world(world *w)
{
    tin_sampler_free(w->sampler);
    tin_free(w->batch.x);
    tin_free(w->batch.target);
    tin_free(w->batch.reset);
    tin_model_free(w->model);
    tin_pool_destroy(w->pool);
    tin_dataset_close(w->dataset);
}

static void next(world *w)
{
    tin_error err = {0};
    if (tin_sampler_next(w->sampler, &w->batch, &err)) {
        fail_msg("%s", tin_error_text(&err));
    }
}

/* Counts that the network is shown. */
static double counts_of(const world *w, size_t i)
{
    int c = (int)(i % (size_t)w->model->n_channels);
    return (double)w->batch.x[i] / (double)w->model->input.scale[c] + w->model->input.offset[c];
}

/* Every operation, so strong that nobody could miss it. */
static const tin_config_augment strong = {
    .splice = {.probability = 1, .every_ms = 5000, .fade_ms = 200},
    .speed = {1, 0.2},
    .warp = {1, 0.3, 1000},
    .shift = {1, 400},
    .mirror = {1, "x"},
    .turn = {1, 60, "y"},
    .rotate = {1, 60},
    .scale = {1, 0.5},
    .gain = {1, {6, 12}},
    .room = {1, {200, 400}, {3, 6}},
    .background = {.probability = 1, .snr_db = {5, 10}},
    .bias = {1, 0.5, 0.5, 10},
    .drift = {1, 0.1, 0.1, 5},
    .noise = {1, 0.1, 0.1, 1, 50000, 5e6, 0},
    .range = {1, {0.005, 0.01}},
    .resolution = {1, {4, 6}},
    .drop = {1, 60, {100, 300}, true},
    .mute = {1},
};

/* The probabilities, which stand first in each group. */
static double *probabilities(tin_config_augment *a, int i)
{
    double *all[] = {&a->splice.probability,     &a->speed.probability,      &a->warp.probability,
                     &a->shift.probability,      &a->mirror.probability,     &a->turn.probability,
                     &a->rotate.probability,     &a->scale.probability,      &a->gain.probability,
                     &a->room.probability,       &a->background.probability, &a->bias.probability,
                     &a->drift.probability,      &a->noise.probability,      &a->range.probability,
                     &a->resolution.probability, &a->drop.probability,       &a->mute.probability};
    return i < (int)(sizeof all / sizeof *all) ? all[i] : NULL;
}

static tin_config_train only(int which)
{
    tin_config_train train = bare;
    train.augment = strong;
    for (int i = 0; probabilities(&train.augment, i); i++) {
        if (i != which) {
            *probabilities(&train.augment, i) = 0;
        }
    }
    return train;
}

/* With probability 0 an operation changes no bit, however strong; with 1 it does. */
static void off_is_the_signal_as_it_was(void **unused)
{
    (void)unused;
    world plain;
    open_with(&plain, &bare, WAVES, MOST_CHANNELS, 1);
    world off;
    tin_config_train train = only(-1);
    open_with(&off, &train, WAVES, MOST_CHANNELS, 1);
    for (int i = 0; i < 5; i++) {
        next(&plain);
        next(&off);
        assert_memory_equal(plain.batch.x, off.batch.x, plain.values * sizeof(float));
        assert_memory_equal(plain.batch.target, off.batch.target, plain.targets * sizeof(float));
    }
    int n = 0;
    for (; probabilities(&train.augment, n); n++) {
        world on;
        train = only(n);
        open_with(&on, &train, WAVES, MOST_CHANNELS, 1);
        for (int i = 0; i < 5; i++) {
            next(&on);
        }
        bool signal = memcmp(plain.batch.x, on.batch.x, plain.values * sizeof(float)) != 0;
        bool labels = memcmp(plain.batch.target, on.batch.target, plain.targets * sizeof(float)) != 0;
        if (n == 3 ? signal || !labels : !signal) {
            fail_msg("operation %d: signal %d, labels %d", n, signal, labels);
        }
        if (n > 3) {
            assert_false(labels);
        }
        close_world(&on);
    }
    assert_int_equal(n, 18);
    close_world(&plain);
    close_world(&off);
}

/* A probability between: so many sequences have it, the others are as they were. */
static void probabilities_are_shares_of_sequences(void **unused)
{
    (void)unused;
    tin_config_train half = only(6);
    half.augment.rotate.probability = 0.3;
    half.stateful = false;
    tin_config_train none = bare;
    none.stateful = false;
    world a, b;
    open_with(&a, &half, WAVES, MOST_CHANNELS, 1);
    open_with(&b, &none, WAVES, MOST_CHANNELS, 1);
    int n = 0, changed = 0;
    size_t values = a.values / LANES;
    for (int i = 0; i < 60; i++) {
        next(&a);
        next(&b);
        for (size_t l = 0; l < LANES; l++, n++) {
            changed += memcmp(a.batch.x + l * values, b.batch.x + l * values, values * sizeof(float)) != 0;
        }
    }
    assert_true(changed > 0.24 * n && changed < 0.36 * n);
    close_world(&a);
    close_world(&b);
}

/* The same bytes with any number of threads and from any place on, everything switched on. */
static void threads_and_resuming_change_nothing(void **unused)
{
    (void)unused;
    for (int mode = 0; mode < 3; mode++) {
        tin_config_train train = bare;
        train.augment = strong;
        train.stateful = mode == 0;
        train.windows = mode == 2;
        world w[4];
        for (int k = 0; k < 4; k++) {
            open_with(&w[k], &train, WAVES, MOST_CHANNELS, k == 3 ? 1 : 1 << k);
        }
        for (int i = 0; i < 12; i++) {
            if (i == 5) {
                int64_t n_begun;
                const tin_sampler_lane *lanes = tin_sampler_lanes(w[0].sampler, &n_begun);
                tin_sampler_restore(w[3].sampler, lanes, n_begun);
            }
            for (int k = 0; k < (i < 5 ? 3 : 4); k++) {
                next(&w[k]);
                assert_memory_equal(w[0].batch.x, w[k].batch.x, w[0].values * sizeof(float));
                assert_memory_equal(w[0].batch.target, w[k].batch.target, w[0].targets * sizeof(float));
            }
        }
        for (int k = 0; k < 4; k++) {
            close_world(&w[k]);
        }
    }
}

/* What spans chunks is a function of the place in the sequence: two chunks show what one of twice the length does. */
static void chunks_are_pieces_of_one_signal(void **unused)
{
    (void)unused;
    tin_config_train train = bare;
    train.augment = strong;
    train.augment.noise.probability = train.augment.drop.probability = 0; /* by the chunk */
    train.augment.resolution.probability = 0;                             /* rounds what rounding has changed */
    world shorter, longer;
    open_with(&shorter, &train, WAVES, MOST_CHANNELS, 1);
    train.chunk = 2 * CHUNK;
    open_with(&longer, &train, WAVES, MOST_CHANNELS, 1);
    float *both = tin_alloc(longer.values, sizeof *both, NULL);
    for (int i = 0; i < 3; i++) { /* before any recording ends */
        size_t row = shorter.values / LANES;
        for (size_t half = 0; half < 2; half++) {
            next(&shorter);
            for (size_t l = 0; l < LANES; l++) {
                memcpy(both + (2 * l + half) * row, shorter.batch.x + l * row, row * sizeof *both);
            }
        }
        next(&longer);
        for (size_t l = 0; l < LANES; l++) {
            int64_t n;
            if (tin_sampler_lanes(longer.sampler, &n)[l].chunk != i + 1 ||
                tin_sampler_lanes(shorter.sampler, &n)[l].chunk != 2 * i + 2) {
                continue;
            }
            for (size_t k = 2 * l * row; k < 2 * (l + 1) * row; k++) {
                if (fabsf(both[k] - longer.batch.x[k]) > 1e-3f) {
                    fail_msg("batch %d, value %zu: %g, not %g", i, k, (double)both[k], (double)longer.batch.x[k]);
                }
            }
        }
    }
    tin_free(both);
    close_world(&shorter);
    close_world(&longer);
}

/* The label of a frame is what the recording that it shows has there: with every operation on time and places. */
static void labels_follow_the_signal(void **unused)
{
    (void)unused;
    for (int which = 0; which < 4; which++) {
        tin_config_train train = only(which);
        if (which == 3) { /* all of them, without the shift */
            train.augment.splice.probability = train.augment.speed.probability = train.augment.warp.probability = 1;
            train.augment.shift.probability = 0;
        }
        world w;
        open_with(&w, &train, LABELS, MOST_CHANNELS, 1);
        size_t n = 0, n_events = 0, n_between = 0;
        for (int i = 0; i < 15; i++) {
            next(&w);
            for (size_t t = 0; t < LANES * CHUNK; t++) {
                const float *target = w.batch.target + t * CLASSES;
                double value = counts_of(&w, t * MOST_CHANNELS) / COUNTS_PER_LABEL, label = rint(value);
                if (target[0] + target[1] + target[2] <= 0) {
                    continue; /* behind the end */
                }
                n++;
                if (fabs(value - label) > 1e-4) {
                    n_between++; /* between two frames, or in a fade */
                    continue;
                }
                if (target[(int)label] <= 0) {
                    fail_msg("operations %d: frame %zu of batch %d shows label %g", which, t, i, label);
                }
                n_events += label > 0;
            }
        }
        assert_true(n > 15 * LANES * CHUNK * 0.8 && n_between < n / 8);
        /* one frame in eight is an event as recorded; splices add as much again */
        double share = (double)n_events / (double)n;
        if (which == 0 || which == 3) {
            assert_true(share > 0.2 && share < 0.5);
        } else {
            assert_true(share > 0.07 && share < 0.17);
        }
        close_world(&w);
    }
}

/* The signal moves against its labels by the same number of frames all through the sequence. */
static void a_shift_is_constant(void **unused)
{
    (void)unused;
    tin_config_train train = only(3);
    world w;
    open_with(&w, &train, LABELS, 1, 1);
    tin_sampler_lane lanes[LANES];
    int least = 0, most = 0;
    for (int i = 0; i < 18; i++) {
        int64_t n_begun;
        next(&w);
        memcpy(lanes, tin_sampler_lanes(w.sampler, &n_begun), sizeof lanes);
        for (size_t l = 0; l < LANES; l++) {
            for (size_t t = 1; t < CHUNK; t++) {
                const float *target = w.batch.target + (l * CHUNK + t) * CLASSES, *before = target - CLASSES;
                if (!(before[0] > 0 && target[0] <= 0 && target[1] + target[2] > 0)) {
                    continue; /* no event begins */
                }
                for (int d = -30; d <= 30; d++) { /* 400 ms are 20 frames */
                    int64_t at = (int64_t)t + d;
                    if (at > 0 && at < CHUNK && counts_of(&w, l * CHUNK + (size_t)at) > 500 &&
                        counts_of(&w, l * CHUNK + (size_t)at - 1) < 500) {
                        assert_true(d >= -21 && d <= 21);
                        least = d < least ? d : least;
                        most = d > most ? d : most;
                    }
                }
            }
        }
    }
    assert_true(least < -5 && most > 5);
    close_world(&w);
}

/* Power of the sensor in the recording over that of what was added, in dB. */
static void background_has_the_snr(void **unused)
{
    (void)unused;
    tin_config_train train = only(10);
    train.augment.background.snr_db[0] = train.augment.background.snr_db[1] = 12;
    train.chunk = 1200; /* to and fro over a stretch of rest */
    train.stateful = false;
    tin_config_train none = bare;
    none.chunk = train.chunk;
    none.stateful = false;
    world a, b;
    open_with(&a, &train, WAVES, MOST_CHANNELS, 1);
    open_with(&b, &none, WAVES, MOST_CHANNELS, 1);
    double mean[3] = {0};
    int n = 0;
    for (int i = 0; i < 10; i++) {
        next(&a);
        next(&b);
        const tin_sampler_lane *lanes;
        int64_t n_begun;
        lanes = tin_sampler_lanes(a.sampler, &n_begun);
        for (int l = 0; l < LANES; l++, n++) {
            const int16_t *counts = a.dataset->streams[lanes[l].stream].counts;
            for (int sensor = 0; sensor < 3; sensor++) {
                double signal = 0, added = 0;
                for (int c = 3 * sensor; c < 3 * sensor + 3 && c < MOST_CHANNELS; c++) {
                    double sum = 0, squares = 0;
                    for (int t = 0; t < FRAMES; t++) {
                        double v = counts[t * MOST_CHANNELS + c];
                        sum += v;
                        squares += v * v;
                    }
                    signal += squares / FRAMES - sum / FRAMES * sum / FRAMES;
                    for (int t = 0; t < train.chunk; t++) {
                        size_t at = (size_t)((l * train.chunk + t) * MOST_CHANNELS + c);
                        double d = (double)(a.batch.x[at] - b.batch.x[at]) / (double)a.model->input.scale[c];
                        added += d * d / train.chunk;
                    }
                }
                double db = 10 * log10(signal / added);
                assert_true(fabs(db - 12) < 0.5);
                mean[sensor] += db;
            }
        }
    }
    for (int sensor = 0; sensor < 3; sensor++) {
        assert_true(fabs(mean[sensor] / n - 12) < 0.1);
    }
    close_world(&a);
    close_world(&b);
}

/* Echoes come after the sound, fade, and carry the power that was asked for; a channel of a triad has none. */
static void a_room_echoes(void **unused)
{
    (void)unused;
    for (int n_channels = 1; n_channels <= MOST_CHANNELS; n_channels += 6) {
        tin_config_train train = only(9);
        train.augment.room.direct_db[0] = train.augment.room.direct_db[1] = 6;
        train.chunk = 1000;
        world w;
        open_with(&w, &train, IMPULSES, n_channels, 1);
        const int last = n_channels - 1;
        int n = 0;
        for (int i = 0; i < 3; i++) {
            next(&w);
            for (int l = 0; l < LANES; l++) {
                double echoes = 0, before = 0, sound_counts = 0;
                int at = -1;
                for (int t = 0; t < train.chunk; t++) {
                    double v = counts_of(&w, (size_t)((l * train.chunk + t) * n_channels + last));
                    if (v > 16000) {
                        at = t;
                        sound_counts = v;
                    }
                }
                if (at < 0 || at > 975 ||
                    w.batch.target[(size_t)(l * train.chunk + train.chunk - 1) * CLASSES] +
                            w.batch.target[(size_t)(l * train.chunk + train.chunk - 1) * CLASSES + 1] +
                            w.batch.target[(size_t)(l * train.chunk + train.chunk - 1) * CLASSES + 2] <=
                        0) {
                    continue;
                }
                for (int t = 0; t < train.chunk; t++) {
                    double v = counts_of(&w, (size_t)((l * train.chunk + t) * n_channels + last));
                    before += t < at && t > 25 ? v * v : 0;
                    echoes += t > at ? v * v : 0;
                    if (n_channels > 1) {
                        double other = counts_of(&w, (size_t)((l * train.chunk + t) * n_channels));
                        assert_true(fabs(other) < 1 || (t == at && fabs(other - 16384) < 1));
                    }
                }
                assert_true(fabs(10 * log10(sound_counts * sound_counts / echoes) - 6) < 0.1 && before < 1);
                n++;
            }
        }
        assert_true(n > 5);
        close_world(&w);
    }
}

static void range_and_resolution_are_those_of_a_sensor(void **unused)
{
    (void)unused;
    tin_config_train train = only(14);
    world w;
    open_with(&w, &train, WAVES, MOST_CHANNELS, 1);
    double most = 0, least = 0;
    int at_most = 0;
    for (int i = 0; i < 5; i++) {
        next(&w);
        for (size_t k = 0; k < w.values; k++) {
            most = fmax(most, counts_of(&w, k));
            least = fmin(least, counts_of(&w, k));
            at_most += counts_of(&w, k) > 0.0049 * 32767;
        }
    }
    assert_true(most < 0.01001 * 32767 && most > 0.005 * 32767 && fabs(most + least) < 0.1 && at_most > 1000);
    close_world(&w);

    train = only(15);
    train.augment.resolution.bits[0] = train.augment.resolution.bits[1] = 7;
    open_with(&w, &train, WAVES, MOST_CHANNELS, 1);
    world plain;
    open_with(&plain, &bare, WAVES, MOST_CHANNELS, 1);
    for (int i = 0; i < 5; i++) {
        next(&w);
        next(&plain);
        for (size_t k = 0; k < w.values; k++) {
            double steps = counts_of(&w, k) / 512;
            assert_true(fabs(steps - rint(steps)) < 1e-3);
            assert_true(fabs(counts_of(&w, k) - counts_of(&plain, k)) < 256.1);
        }
    }
    close_world(&w);
    close_world(&plain);
}

/* Lost samples: the last one stands for them, or zeros; about as many as were asked for. */
static void samples_drop_out(void **unused)
{
    (void)unused;
    for (int hold = 0; hold < 2; hold++) {
        tin_config_train train = only(16);
        train.augment.drop.hold = hold;
        world w, plain;
        open_with(&w, &train, WAVES, MOST_CHANNELS, 1);
        open_with(&plain, &bare, WAVES, MOST_CHANNELS, 1);
        int lost = 0, n = 0;
        for (int i = 0; i < 12; i++) {
            next(&w);
            next(&plain);
            for (int t = 0; t < LANES * CHUNK; t++, n++) {
                const size_t at = (size_t)(t * MOST_CHANNELS), bytes = MOST_CHANNELS * sizeof(float);
                if (memcmp(w.batch.x + at, plain.batch.x + at, bytes) == 0) {
                    continue;
                }
                assert_true(t % CHUNK > 0);
                if (hold) {
                    assert_memory_equal(w.batch.x + at, w.batch.x + at - MOST_CHANNELS, bytes);
                } else {
                    for (size_t c = 0; c < MOST_CHANNELS; c++) {
                        assert_true(fabs(counts_of(&w, at + c)) < 0.01);
                    }
                }
                lost++;
            }
        }
        assert_true(lost > 0.1 * n && lost < 0.22 * n); /* 200 ms each second, less at the ends of seconds and chunks */
        close_world(&w);
        close_world(&plain);
    }
}

/* Bias is constant, drift is a random walk whose variance grows with time; both differ from channel to channel. */
static void bias_stays_and_drift_walks(void **unused)
{
    (void)unused;
    tin_config_train train = only(12);
    world w, plain;
    open_with(&w, &train, WAVES, MOST_CHANNELS, 1);
    open_with(&plain, &bare, WAVES, MOST_CHANNELS, 1);
    double squares[6] = {0}, jump = 0;
    int n[6] = {0};
    float last[LANES] = {0};
    for (int i = 0; i < 400; i++) {
        next(&w);
        next(&plain);
        int64_t n_begun;
        const tin_sampler_lane *lanes = tin_sampler_lanes(w.sampler, &n_begun);
        for (int l = 0; l < LANES; l++) {
            int chunk = (int)lanes[l].chunk - 1;
            for (int t = 0; t < CHUNK; t++) {
                size_t at = (size_t)((l * CHUNK + t) * MOST_CHANNELS);
                float d = w.batch.x[at] - plain.batch.x[at];
                if (t > 0 || chunk > 0) {
                    jump = fmax(jump, (double)fabsf(d - last[l]) / (double)w.model->input.scale[0]);
                }
                last[l] = d;
            }
            if (chunk < 6) { /* after (chunk + 1) * 4 seconds, 0.1 g a second */
                double g = (double)last[l] / (double)w.model->input.scale[0] * 0.001;
                squares[chunk] += g * g;
                n[chunk]++;
            }
        }
    }
    for (int k = 0; k < 6; k++) {
        double expected = 0.01 * (k + 1) * CHUNK / RATE, got = squares[k] / n[k];
        if (n[k] < 150 || got < 0.6 * expected || got > 1.6 * expected) {
            fail_msg("after %d chunks the variance is %g, not %g, of %d", k + 1, got, expected, n[k]);
        }
    }
    assert_true(jump > 0 && jump < 60); /* counts; a step of 2.56 s has a deviation of 160, cut in 16 */
    close_world(&w);

    train = only(11);
    open_with(&w, &train, WAVES, MOST_CHANNELS, 1);
    tin_sampler_restore(plain.sampler, tin_sampler_lanes(w.sampler, &(int64_t){0}), 0);
    next(&w);
    next(&plain);
    for (size_t k = MOST_CHANNELS; k < w.values; k++) {
        size_t c = k % MOST_CHANNELS, start = k / (CHUNK * MOST_CHANNELS) * CHUNK * MOST_CHANNELS + c;
        double d = counts_of(&w, k) - counts_of(&plain, k), first = counts_of(&w, start) - counts_of(&plain, start);
        double most = c < 3 ? 500 : c < 6 ? 250 : 100; /* counts */
        assert_true(fabs(d - first) < 0.01 && fabs(d) <= most + 0.01);
    }
    close_world(&w);
    close_world(&plain);
}

/* The density of a data sheet times the root of the bandwidth. */
static void noise_is_that_of_the_data_sheet(void **unused)
{
    (void)unused;
    tin_config_train train = bare;
    train.augment.noise =
        (tin_config_noise){.probability = 1, .accel_density = 4000, .gyro_density = 300, .bandwidth_hz = 100};
    world w, plain;
    open_with(&w, &train, WAVES, MOST_CHANNELS, 1);
    open_with(&plain, &bare, WAVES, MOST_CHANNELS, 1);
    double squares[MOST_CHANNELS] = {0};
    int n = 0;
    for (int i = 0; i < 12; i++, n += LANES * CHUNK) {
        next(&w);
        next(&plain);
        for (size_t k = 0; k < w.values; k++) {
            double d = counts_of(&w, k) - counts_of(&plain, k);
            squares[k % MOST_CHANNELS] += d * d;
        }
    }
    for (int c = 0; c < MOST_CHANNELS; c++) { /* 40 mg; 3 degrees per second */
        double deviation = sqrt(squares[c] / n) * channels[c].scale, expected = c < 3   ? 0.04
                                                                                : c < 6 ? 3 * M_PI / 180
                                                                                        : 0;
        assert_true(fabs(deviation - expected) <= 0.02 * expected + 1e-3);
    }
    close_world(&w);
    close_world(&plain);
}

/* The speed changes on the way, never backwards, and the sequence stays near where it would be. */
static void a_warped_clock_rises(void **unused)
{
    (void)unused;
    tin_clock clock = {
        .speed = 0.9, .swing = 0.3 * 50 / 3, .period = 50, .seed = 4, .line = INT64_MIN, .node = INT64_MIN};
    double least = 9, most = 0, drift = 0;
    for (int i = -100; i < 5000; i++) {
        double step = tin_clock_at(&clock, i + 1) - tin_clock_at(&clock, i);
        least = fmin(least, step);
        most = fmax(most, step);
        drift = fmax(drift, fabs(tin_clock_at(&clock, i) - 0.9 * i));
    }
    assert_true(least > 0.9 * 0.7 - 1e-9 && most < 0.9 * 1.3 + 1e-9 && most - least > 0.2);
    assert_true(drift > 2 && drift <= 0.9 * clock.swing);
    assert_true(tin_clock_at(&clock, 0) == 0 && tin_clock_at(&clock, -30) == -27);
}

static tin_status try_sampler(const tin_config_augment *augment, tin_error *err)
{
    world w;
    open_with(&w, &bare, WAVES, MOST_CHANNELS, 1);
    w.train.augment = *augment;
    tin_sampler_settings s = {w.model, w.dataset, &w.train, 5, LANES, 0, 0, w.pool};
    tin_sampler *sampler = NULL;
    tin_status status = tin_sampler_create(&sampler, &s, err);
    tin_sampler_free(sampler);
    close_world(&w);
    return status;
}

static void failures_say_what_to_mend(void **unused)
{
    (void)unused;
    char *unknown[] = {(char[]){"stir"}}, *events[] = {(char[]){"rest"}};
    tin_config_augment a = {.background = {.probability = 1, .snr_db = {5, 5}, .classes = unknown, .classes_count = 1}};
    tin_error err = {0};
    assert_int_equal(try_sampler(&a, &err), TIN_ERR_CONFIG);
    assert_non_null(strstr(tin_error_text(&err), "train.augment.background.classes names 'stir'"));
    a = (tin_config_augment){.splice = {.probability = 1, .every_ms = 1000, .fade_ms = 9000}};
    memset(&err, 0, sizeof err);
    assert_int_equal(try_sampler(&a, &err), TIN_ERR_DATA);
    assert_non_null(strstr(tin_error_text(&err), "make fade_ms shorter"));
    a = (tin_config_augment){.splice = {.probability = 1, .into = unknown, .into_count = 1}};
    memset(&err, 0, sizeof err);
    assert_int_equal(try_sampler(&a, &err), TIN_ERR_CONFIG);
    a.splice = (tin_config_splice){.probability = 1, .every_ms = 5000, .events = events, .events_count = 1};
    assert_int_equal(try_sampler(&a, &err), TIN_OK);

    world w;
    open_with(&w, &bare, WAVES, MOST_CHANNELS, 2);
    w.train.augment = strong;
    tin_sampler_settings s = {w.model, w.dataset, &w.train, 5, LANES, 0, 0, w.pool};
    for (int n = 1;; n++) {
        tin_sampler *sampler = NULL;
        memset(&err, 0, sizeof err);
        tin_memory_fail_at((size_t)n);
        tin_status status = tin_sampler_create(&sampler, &s, &err);
        tin_memory_fail_at(0);
        tin_sampler_free(sampler);
        if (status == TIN_OK) {
            assert_true(n > 20);
            break;
        }
        assert_int_equal(status, TIN_ERR_MEMORY);
        assert_null(sampler);
    }
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(off_is_the_signal_as_it_was),
        cmocka_unit_test(probabilities_are_shares_of_sequences),
        cmocka_unit_test(threads_and_resuming_change_nothing),
        cmocka_unit_test(chunks_are_pieces_of_one_signal),
        cmocka_unit_test(labels_follow_the_signal),
        cmocka_unit_test(a_shift_is_constant),
        cmocka_unit_test(background_has_the_snr),
        cmocka_unit_test(a_room_echoes),
        cmocka_unit_test(range_and_resolution_are_those_of_a_sensor),
        cmocka_unit_test(samples_drop_out),
        cmocka_unit_test(bias_stays_and_drift_walks),
        cmocka_unit_test(noise_is_that_of_the_data_sheet),
        cmocka_unit_test(a_warped_clock_rises),
        cmocka_unit_test(failures_say_what_to_mend),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
