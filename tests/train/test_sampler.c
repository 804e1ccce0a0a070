/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "train/augment.h"
#include "train/labels.h"
#include "train/sampler.h"
#include "train_data.h"

#define PATH TEST_TEMPORARY "/sampler.tind"
#define LANES 18
#define CHUNK 40

static const tin_layer_spec layers[] = {
    {.op = TIN_OP_CONV1D, .units = 4, .kernel = 3, .stride = 4}, {.op = TIN_OP_GRU, .units = 4}, {.op = TIN_OP_DENSE}};

static const tin_config_train augmented = {.steps = 10,
                                           .batch = LANES,
                                           .chunk = CHUNK,
                                           .stateful = true,
                                           .class_weight_power = 0.5,
                                           .augment = {.speed = {1, 0.1},
                                                       .mirror = {0.5, "x"},
                                                       .rotate = {1, 20},
                                                       .scale = {1, 0.1},
                                                       .noise = {.probability = 1, .accel = 0.02, .gyro = 0.05}}};

typedef struct world {
    tin_dataset *dataset;
    tin_model *model;
    tin_pool *pool;
    tin_config_train train;
    tin_sampler *sampler;
    tin_sampler_batch batch;
} world;

static void open_world(world *w, const tin_config_train *train, int threads)
{
    tin_error err = {0};
    memset(w, 0, sizeof *w);
    w->train = *train;
    w->dataset = test_dataset(PATH, 14, 1000);
    assert_int_equal(tin_model_create(&w->model, w->dataset, layers, 3, &err), TIN_OK);
    assert_int_equal(tin_model_fit_input(w->model, w->dataset, &err), TIN_OK);
    assert_int_equal(tin_pool_create(&w->pool, threads, &err), TIN_OK);
    tin_sampler_settings s = {w->model, w->dataset, &w->train, 5, LANES, 0, 0, w->pool};
    if (tin_sampler_create(&w->sampler, &s, &err)) {
        fail_msg("%s", tin_error_text(&err));
    }
    w->batch.x = tin_alloc(LANES * CHUNK * TEST_CHANNELS, sizeof(float), NULL);
    w->batch.target = tin_alloc(LANES * CHUNK / 4 * TEST_CLASSES, sizeof(float), NULL);
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

static void same_batches(world *a, world *b)
{
    assert_int_equal(tin_sampler_next(a->sampler, &a->batch, NULL), TIN_OK);
    assert_int_equal(tin_sampler_next(b->sampler, &b->batch, NULL), TIN_OK);
    assert_memory_equal(a->batch.x, b->batch.x, LANES * CHUNK * TEST_CHANNELS * sizeof(float));
    assert_memory_equal(a->batch.target, b->batch.target, LANES * CHUNK / 4 * TEST_CLASSES * sizeof(float));
    assert_memory_equal(a->batch.reset, b->batch.reset, LANES);
    assert_memory_equal(&a->batch.weight, &b->batch.weight, sizeof(double));
}

static void threads_and_resuming_change_nothing(void **unused)
{
    (void)unused;
    for (int mode = 0; mode < 3; mode++) {
        tin_config_train train = augmented;
        train.stateful = mode == 0;
        train.windows = mode == 2;
        world a, b, c;
        open_world(&a, &train, 1);
        open_world(&b, &train, 2);
        for (int i = 0; i < 40; i++) {
            same_batches(&a, &b);
        }
        open_world(&c, &train, 1);
        int64_t n_begun;
        const tin_sampler_lane *lanes = tin_sampler_lanes(a.sampler, &n_begun);
        tin_sampler_restore(c.sampler, lanes, n_begun);
        for (int i = 0; i < 40; i++) {
            same_batches(&a, &c);
        }
        close_world(&a);
        close_world(&b);
        close_world(&c);
    }
}

/* Without augmentation the frames are the recording's, normalised, chunk after chunk, and targets are held labels. */
static void plain_chunks_are_the_recording(void **unused)
{
    (void)unused;
    tin_config_train train = {.steps = 1, .batch = LANES, .chunk = CHUNK, .stateful = true};
    world w;
    open_world(&w, &train, 1);
    int n_reset = 0, n_labelled = 0;
    tin_sampler_lane before[LANES];
    for (int i = 0; i < 60; i++) {
        int64_t n_begun;
        memcpy(before, tin_sampler_lanes(w.sampler, &n_begun), sizeof before);
        assert_int_equal(tin_sampler_next(w.sampler, &w.batch, NULL), TIN_OK);
        const tin_sampler_lane *lanes = tin_sampler_lanes(w.sampler, &n_begun);
        double weight = 0;
        for (int l = 0; l < LANES; l++) {
            const tin_stream *stream = &w.dataset->streams[lanes[l].stream];
            assert_int_equal(stream->role, TIN_ROLE_TRAIN);
            assert_int_equal(w.batch.reset[l], lanes[l].chunk == 1);
            assert_true(w.batch.reset[l] ||
                        (before[l].sequence == lanes[l].sequence && before[l].chunk + 1 == lanes[l].chunk));
            n_reset += w.batch.reset[l];
            int16_t labels[1000];
            tin_dataset_labels(w.dataset, stream, labels);
            int64_t first = (int64_t)lanes[l].start + (lanes[l].chunk - 1) * CHUNK;
            for (int t = 0; t < CHUNK; t++) {
                for (int c = 0; c < TEST_CHANNELS; c++) {
                    float x = w.batch.x[(l * CHUNK + t) * TEST_CHANNELS + c], expected = 0;
                    if (first + t < stream->n_frames) {
                        int count = stream->counts[(first + t) * TEST_CHANNELS + c] - w.model->input.offset[c];
                        expected = (float)count * w.model->input.scale[c];
                    }
                    assert_true(fabsf(x - expected) < 1e-5f);
                }
            }
            for (int j = 0; j < CHUNK / 4; j++) {
                float target[TEST_CLASSES] = {0};
                for (int64_t t = first + 4 * j + 3; t < first + 4 * j + 7; t++) {
                    if (t < stream->n_frames && labels[t] >= 0) {
                        target[labels[t]] += 0.25f;
                        n_labelled++;
                    }
                }
                for (int c = 0; c < TEST_CLASSES; c++) {
                    float got = w.batch.target[(l * CHUNK / 4 + j) * TEST_CLASSES + c];
                    assert_true(fabsf(got - target[c]) < 1e-6f);
                    weight += (double)got;
                }
            }
        }
        assert_true(fabs(weight - w.batch.weight) < 1e-6 * weight);
    }
    assert_true(n_reset > LANES && n_labelled > 0);
    close_world(&w);
}

/* With a delay the targets are the labels of earlier frames; the signal stays. */
static void delayed_targets_are_earlier_labels(void **unused)
{
    (void)unused;
    tin_config_train train = {.steps = 1, .batch = LANES, .chunk = CHUNK, .stateful = true};
    world w;
    open_world(&w, &train, 1);
    w.model->delay = 8;
    for (int i = 0; i < 30; i++) {
        int64_t n_begun;
        assert_int_equal(tin_sampler_next(w.sampler, &w.batch, NULL), TIN_OK);
        const tin_sampler_lane *lanes = tin_sampler_lanes(w.sampler, &n_begun);
        for (int l = 0; l < LANES; l++) {
            const tin_stream *stream = &w.dataset->streams[lanes[l].stream];
            int16_t labels[1000];
            tin_dataset_labels(w.dataset, stream, labels);
            int64_t first = (int64_t)lanes[l].start + (lanes[l].chunk - 1) * CHUNK;
            for (int j = 0; j < CHUNK / 4; j++) {
                float target[TEST_CLASSES] = {0};
                for (int64_t t = first + 4 * j + 3 - 8; t < first + 4 * j + 7 - 8; t++) {
                    if (t >= 0 && t < stream->n_frames && labels[t] >= 0) {
                        target[labels[t]] += 0.25f;
                    }
                }
                assert_memory_equal(target, w.batch.target + (l * CHUNK / 4 + j) * TEST_CLASSES, sizeof target);
            }
        }
    }
    close_world(&w);
}

/* x and the signal ahead are pieces of one signal: its noise does not depend on which of them is looked at, nor on where
 * a chunk ends. Mirrors what a teacher sees with a delay of its own. */
static void ahead_is_the_same_signal_later(void **unused)
{
    (void)unused;
    enum { LEAD = 12 };
    for (int side = 0; side < 2; side++) {
        world a, b;
        open_world(&a, &augmented, 1);
        open_world(&b, &augmented, 1);
        tin_sampler_free(b.sampler);
        tin_sampler_settings s = {b.model, b.dataset, &b.train, 5, LANES, side ? LEAD : 0, side ? 0 : LEAD, b.pool};
        assert_int_equal(tin_sampler_create(&b.sampler, &s, NULL), TIN_OK);
        size_t values = LANES * CHUNK * TEST_CHANNELS;
        b.batch.ahead = tin_alloc(values, sizeof(float), NULL);
        float *before = tin_alloc(values, sizeof *before, NULL);
        for (int i = 0; i < 40; i++) {
            assert_int_equal(tin_sampler_next(a.sampler, &a.batch, NULL), TIN_OK);
            assert_int_equal(tin_sampler_next(b.sampler, &b.batch, NULL), TIN_OK);
            const float *here = side ? b.batch.ahead : b.batch.x, *later = side ? b.batch.x : b.batch.ahead;
            assert_memory_equal(a.batch.x, here, values * sizeof *here);
            for (int l = 0; l < LANES; l++) {
                const float *x = here + l * CHUNK * TEST_CHANNELS, *y = later + l * CHUNK * TEST_CHANNELS;
                size_t common = (CHUNK - LEAD) * TEST_CHANNELS;
                assert_memory_equal(x + LEAD * TEST_CHANNELS, y, common * sizeof *x);
                if (i > 0 && !b.batch.reset[l]) { /* what was ahead then is here now */
                    assert_memory_equal(before + l * CHUNK * TEST_CHANNELS + common, x,
                                        LEAD * TEST_CHANNELS * sizeof *x);
                }
            }
            memcpy(before, later, values * sizeof *before);
        }
        tin_free(before);
        tin_free(b.batch.ahead);
        close_world(&a);
        close_world(&b);
    }
}

static void every_recording_comes_once_per_round(void **unused)
{
    (void)unused;
    world w;
    open_world(&w, &augmented, 1);
    int64_t seen[14] = {0}, last = -1, n_begun;
    int n_train = 0;
    for (size_t i = 0; i < w.dataset->n_streams; i++) {
        n_train += w.dataset->streams[i].role == TIN_ROLE_TRAIN;
    }
    for (int i = 0; i < 200; i++) {
        assert_int_equal(tin_sampler_next(w.sampler, &w.batch, NULL), TIN_OK);
        const tin_sampler_lane *lanes = tin_sampler_lanes(w.sampler, &n_begun);
        for (int l = 0; l < LANES; l++) {
            if (lanes[l].sequence > last) {
                last = lanes[l].sequence;
                seen[lanes[l].stream]++;
            }
        }
    }
    for (int i = 0; i < 14; i++) {
        bool train = w.dataset->streams[i].role == TIN_ROLE_TRAIN;
        assert_int_equal(train, seen[i] > 0);
        assert_true(!train || llabs(seen[i] - n_begun / n_train) <= 1);
    }
    close_world(&w);
}

static void check_windows(int history)
{
    tin_config_train train = augmented;
    train.windows = true;
    train.history_frames = history;
    train.label_smoothing = 0.3;
    world w;
    open_world(&w, &train, 1);
    int mixed = 0;
    for (int i = 0; i < 50; i++) {
        assert_int_equal(tin_sampler_next(w.sampler, &w.batch, NULL), TIN_OK);
        int64_t n_begun;
        const tin_sampler_lane *lanes = tin_sampler_lanes(w.sampler, &n_begun);
        for (int l = 0; l < LANES; l++) {
            int16_t labels[1000];
            tin_dataset_labels(w.dataset, &w.dataset->streams[lanes[l].stream], labels);
            assert_true(lanes[l].start >= 0);
            /* the speed is within 0.9..1.1; the window lies surely from `first` to `last` */
            int64_t first = (int64_t)(lanes[l].start + history * 1.1),
                    last = (int64_t)(lanes[l].start + CHUNK * 0.9) - 1;
            assert_true(first < last && labels[first] >= 0 && labels[first] == labels[last]);
            int64_t before = (int64_t)lanes[l].start;
            mixed += labels[before] != labels[first];
            assert_true(w.batch.reset[l]);
            const float *target = w.batch.target + l * CHUNK / 4 * TEST_CLASSES;
            for (int j = 0; j < (CHUNK / 4 - 1) * TEST_CLASSES; j++) {
                assert_true(target[j] == 0);
            }
            const float *weights = tin_sampler_class_weights(w.sampler);
            for (int c = 0; c < TEST_CLASSES; c++) {
                float share = c == labels[first] ? 0.8f : 0.1f;
                assert_true(fabsf(target[(CHUNK / 4 - 1) * TEST_CLASSES + c] - share * weights[c]) < 1e-6f);
            }
        }
    }
    assert_true(history > 0 ? mixed > 0 : mixed == 0);
    close_world(&w);
}

static void windows_lie_in_one_label(void **unused)
{
    (void)unused;
    check_windows(0);
}

/* What comes before the window may have any label. */
static void windows_may_have_a_history(void **unused)
{
    (void)unused;
    check_windows(CHUNK / 2);
}

/* Every unit that the data stage knows; three channels in one unit. */
static void triads_are_known_by_their_units(void **unused)
{
    (void)unused;
    static const struct {
        const char *units[6];
        int n;
        bool accel, gyro;
    } cases[] = {{{"g", "g", "g", "rad/s", "rad/s", "rad/s"}, 6, true, true},
                 {{"mg", "mg", "mg", "mdps", "mdps", "mdps"}, 6, true, true},
                 {{"m/s2", "m/s2", "m/s2", "dps", "dps", "dps"}, 6, true, true},
                 {{"m/s^2", "m/s^2", "m/s^2", "mrad/s", "mrad/s", "mrad/s"}, 5, true, false},
                 {{"g", "g", "mg", "deg/s", "deg/s", "deg/s"}, 6, false, false},
                 {{"g", "g", "g", "V", "V", "V"}, 6, true, false},
                 {{"g", "g"}, 2, false, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tin_channel channels[6] = {0};
        for (int c = 0; c < cases[i].n; c++) {
            channels[c].unit = (char *)(uintptr_t)cases[i].units[c];
        }
        tin_triads triads = tin_triads_find(channels, cases[i].n);
        assert_true(triads.accel == cases[i].accel && triads.gyro == cases[i].gyro);
    }
}

/* Rotation keeps the length of a triad, mirroring its squares, and both triads turn by the same angle. */
static void augmentation_is_physical(void **unused)
{
    (void)unused;
    world w;
    tin_config_train train = augmented;
    train.augment.scale.by = train.augment.speed.by = train.augment.noise.probability = 0;
    open_world(&w, &train, 1);
    tin_triads triads = tin_triads_find(w.dataset->channels, TEST_CHANNELS);
    assert_true(triads.accel && triads.gyro);
    tin_augment_source source = {w.model, &train.augment, triads, 50, 5};
    int n_mirrored = 0;
    for (uint64_t i = 0; i < 100; i++) {
        tin_rng rng;
        tin_rng_derive(&rng, 3, i);
        tin_augment a;
        tin_augment_draw(&a, &source, (int64_t)i, &rng);
        assert_true(a.clock.speed == 1);
        double r[2][3][3];
        for (int c = 0; c < 6; c++) {
            for (int j = 0; j < 3; j++) { /* undo normalisation and units */
                const tin_channel *to = &w.model->channels[c], *from = &w.model->channels[c / 3 * 3 + j];
                r[c / 3][c % 3][j] =
                    (double)a.matrix[j][c] / ((double)w.model->input.scale[c] / to->scale) / from->scale;
            }
        }
        double mirror = r[0][1][0] * r[1][1][0] < 0 || r[0][2][0] * r[1][2][0] < 0;
        n_mirrored += mirror > 0;
        for (int p = 0; p < 2; p++) {
            for (int x = 0; x < 3; x++) {
                for (int y = 0; y < 3; y++) {
                    double dot = 0;
                    for (int k = 0; k < 3; k++) {
                        dot += r[p][k][x] * r[p][k][y];
                    }
                    assert_true(fabs(dot - (x == y)) < 1e-5);
                    double sign = !mirror ? 1 : (y == 0 ? -1 : 1) * (p == 1 ? -1 : 1);
                    double base = r[0][x][y] * (mirror && y == 0 ? -1 : 1);
                    assert_true(fabs(r[p][x][y] * sign - base) < 1e-5);
                }
            }
            double trace = r[p][0][0] * (mirror ? (p ? 1 : -1) : 1) + r[p][1][1] * (mirror ? (p ? -1 : 1) : 1) +
                           r[p][2][2] * (mirror ? (p ? -1 : 1) : 1);
            assert_true((trace - 1) / 2 > cos(20.001 * M_PI / 180));
        }
    }
    assert_true(n_mirrored > 30 && n_mirrored < 70);
    close_world(&w);
}

/* The device on the other side of the body and elsewhere around the limb, by hand: turn * mirror, the axis along the limb
 * stays where it is, and a mirror keeps rotation about its own axis alone. */
static void turn_and_mirror_keep_their_axes(void **unused)
{
    (void)unused;
    world w;
    tin_config_train train = augmented;
    train.augment = (tin_config_augment){.mirror = {1, "y"}, .turn = {1, 60, "z"}};
    open_world(&w, &train, 1);
    tin_augment_source source = {w.model, &train.augment, tin_triads_find(w.dataset->channels, TEST_CHANNELS), 50, 5};
    int n_left = 0;
    double least = 1;
    for (int64_t i = 0; i < 100; i++) {
        tin_rng rng;
        tin_rng_derive(&rng, 3, (uint64_t)i);
        tin_augment a;
        tin_augment_draw(&a, &source, i, &rng);
        for (int c = 0; c < 6; c++) {
            for (int j = 0; j < 3; j++) {
                a.matrix[j][c] /= w.model->input.scale[c] / (float)w.model->channels[c].scale *
                                  (float)w.model->channels[c / 3 * 3 + j].scale;
            }
        }
        double cosine = (double)a.matrix[0][0], sine = (double)a.matrix[0][1];
        const double accel[3][3] = {{cosine, sine, 0}, {sine, -cosine, 0}, {0, 0, 1}}; /* [from][to] */
        for (int j = 0; j < 3; j++) {
            for (int c = 0; c < 3; c++) {
                assert_true(fabs((double)a.matrix[j][c] - accel[j][c]) < 1e-5);
                assert_true(fabs((double)a.matrix[j][3 + c] + accel[j][c]) <
                            1e-5); /* a pseudovector: the mirror times -1 */
            }
        }
        assert_true(fabs(hypot(cosine, sine) - 1) < 1e-5 && cosine > 0.5 - 1e-5);
        n_left += sine > 0;
        least = fmin(least, cosine);
    }
    assert_true(n_left > 30 && n_left < 70 && least < 0.55);
    close_world(&w);
}

static void noise_and_speed_are_as_asked(void **unused)
{
    (void)unused;
    enum { N = 20000 };
    tin_clock clock = {.start = 0.25, .speed = 0.5};
    tin_augment a = {.matrix = {{1}}, .noise = {2}, .axis = {{0}, {1}, {2}}};
    static int16_t counts[N / 2 + 2];
    static float x[N];
    for (int i = 0; i < N / 2 + 2; i++) {
        counts[i] = (int16_t)i;
    }
    tin_rng rng;
    tin_rng_seed(&rng, 1);
    tin_augment_apply(&a, &clock, counts, N / 2 + 2, 1, N, &rng, x);
    double sum = 0, squares = 0, fourth = 0;
    for (int i = 0; i < N; i++) {
        double noise = ((double)x[i] - (0.25 + 0.5 * i)) / 2;
        sum += noise;
        squares += noise * noise;
        fourth += noise * noise * noise * noise;
    }
    assert_true(fabs(sum / N) < 0.03 && fabs(squares / N - 1) < 0.03 && fabs(fourth / N - 2.7) < 0.15);
    a.noise[0] = 0;
    clock.start = 0;
    tin_augment_apply(&a, &clock, counts, 11, 1, 40, NULL, x); /* ends at frame 10, output 20 */
    assert_true(x[20] == 10 && x[19] == 9.5f && x[21] == 0 && x[39] == 0);
}

/* Any number of channels, and any place in the recording: what the formula says, and nothing is written behind the end. */
static void every_channel_is_interpolated(void **unused)
{
    (void)unused;
    enum { ROWS = 12, FRAMES = 21 };
    for (int n = 1; n <= 20; n++) {
        tin_augment a = {.axis = {{0, 1, 2, 3, 4, 5, 6, 7}}};
        a.axis[1] = a.axis[2] = a.axis[0];
        int16_t *counts = tin_alloc((size_t)(ROWS * n), sizeof *counts, NULL);
        float *x = tin_alloc((size_t)(FRAMES * n + 1), sizeof *x, NULL);
        for (int i = 0; i < ROWS * n; i++) {
            counts[i] = (int16_t)(i * i * 37 % 30011);
        }
        for (int c = 0; c < n; c++) {
            a.matrix[0][c] = (float)(c + 1);
            a.shift[c] = (float)c;
        }
        for (int k = -6; k < 16; k++) {
            double start = 0.75 * k;
            x[FRAMES * n] = 77;
            tin_clock clock = {.start = start, .speed = 0.9};
            tin_augment_apply(&a, &clock, counts, ROWS, n, FRAMES, NULL, x);
            for (int i = 0; i < FRAMES; i++) {
                double position = start + i * 0.9, row = floor(position), share = position - row;
                for (int c = 0; c < n; c++) {
                    double expected = 0;
                    if (position >= 0 && position <= ROWS - 1) {
                        int at = (int)row * n + c;
                        double now = counts[at], next = share > 0 ? counts[at + n] : now;
                        expected = (now + share * (next - now)) * (c + 1) + c;
                    }
                    if (fabs((double)x[i * n + c] - expected) > 1e-6 * fabs(expected) + 0.05) {
                        fail_msg("%d channels, frame %d, channel %d: %g, not %g", n, i, c, (double)x[i * n + c],
                                 expected);
                    }
                }
            }
            assert_true(x[FRAMES * n] == 77);
        }
        tin_free(counts);
        tin_free(x);
    }
}

/* Label of frame t, and the target of its neighbourhood in a run-time cursor's order. */
static int32_t label_of(const tin_labels *labels, int64_t t)
{
    return labels->runs[tin_labels_find(labels, t)].label;
}

static void borders_are_ramps(void **unused)
{
    (void)unused;
    world w;
    tin_labels soft = {0};
    tin_borders borders = {0};
    tin_config_train settings = {0};
    open_world(&w, &augmented, 1);
    settings.border_ms = 8 * 1000 / w.dataset->rate_hz;
    const tin_stream *stream = &w.dataset->streams[0];
    assert_int_equal(tin_borders_create(&borders, w.dataset, &settings, NULL), TIN_OK);
    assert_int_equal(tin_labels_create(&soft, w.dataset, stream, &borders, NULL), TIN_OK);
    int64_t e = soft.runs[0].end;
    size_t run = 0;
    float before = 1, target[TEST_CLASSES];
    for (int64_t t = e - 12; t < e + 12; t++) {
        memset(target, 0, sizeof target);
        assert_true(tin_labels_add(&soft, &run, t, 1, target) == 1);
        float own = target[soft.runs[0].label], expected = (float)(0.5 - ((double)(t - e) + 0.5) / 16);
        assert_true(fabsf(own - fminf(1, fmaxf(0, expected))) < 1e-6f);
        assert_true(own <= before);
        before = own;
    }
    memset(target, 0, sizeof target);
    assert_true(tin_labels_add(&soft, &run, 999, 1, target) == 0); /* no label */
    assert_true(tin_labels_add(&soft, &run, 1000, 1, target) == 0);
    assert_true(tin_labels_add(&soft, &run, -1, 1, target) == 0);
    tin_labels_free(&soft);
    tin_borders_free(&borders);
    close_world(&w);
}

/* Frames at borders weigh less, and every event carries the same weight however long it is; background keeps its own. */
static void weights_of_frames(void **unused)
{
    (void)unused;
    world w;
    open_world(&w, &augmented, 1);
    const tin_stream *stream = &w.dataset->streams[0];
    tin_labels labels;
    assert_int_equal(tin_labels_create(&labels, w.dataset, stream, NULL, NULL), TIN_OK);
    tin_labels_weigh_margins(&labels, 10, 0.2);
    int64_t e = labels.runs[0].end, n_events = 0;
    for (int64_t i = 0; i < 15; i++) {
        float expected = i < 10 ? (float)(0.2 + 0.8 * ((double)i + 0.5) / 10) : 1;
        assert_true(fabsf(tin_labels_weight(&labels, 1, e + i) - expected) < 1e-6f);
        assert_true(fabsf(tin_labels_weight(&labels, 0, e - 1 - i) - expected) < 1e-6f);
    }
    double sum = tin_labels_event_weight(&labels, w.dataset->classes, &n_events), mean = sum / (double)n_events;
    assert_true(n_events > 5);
    tin_labels_balance_events(&labels, w.dataset->classes, mean, 1);
    for (size_t r = 0; r < labels.n_runs; r++) {
        double total = 0;
        for (int64_t t = labels.runs[r].start; t < labels.runs[r].end; t++) {
            total += (double)tin_labels_weight(&labels, r, t);
        }
        if (labels.runs[r].label > 0) {
            assert_true(fabs(total - mean) < 1e-4 * mean);
        } else {
            assert_true(labels.runs[r].factor == 1);
        }
    }
    n_events = 0;
    assert_true(fabs(tin_labels_event_weight(&labels, w.dataset->classes, &n_events) - sum) < 1e-4 * sum);
    float target[TEST_CLASSES] = {0};
    size_t run = 0;
    double weight = (double)tin_labels_weight(&labels, 1, e);
    assert_true(fabs(tin_labels_add(&labels, &run, e, 0.25, target) - 0.25 * weight) < 1e-7);
    assert_true(fabs((double)target[label_of(&labels, e)] - 0.25 * weight) < 1e-6);
    tin_labels_free(&labels);
    close_world(&w);

    /* and in batches: the settings reach the targets */
    tin_config_train train = {.steps = 1, .batch = LANES, .chunk = CHUNK, .stateful = true, .margin_ms = 200};
    world a, b;
    open_world(&a, &train, 1);
    train.margin_ms = 0;
    open_world(&b, &train, 1);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(tin_sampler_next(a.sampler, &a.batch, NULL), TIN_OK);
        assert_int_equal(tin_sampler_next(b.sampler, &b.batch, NULL), TIN_OK);
        assert_true(a.batch.weight < b.batch.weight && a.batch.weight > 0.3 * b.batch.weight);
    }
    close_world(&a);
    close_world(&b);
}

/* By hand: seconds n of a class, beta 0.9, weights (1 - beta) / (1 - beta^n) over their mean. */
static void effective_numbers_weigh_classes(void **unused)
{
    (void)unused;
    tin_config_train train = {.steps = 1,
                              .batch = LANES,
                              .chunk = CHUNK,
                              .stateful = true,
                              .class_weight_beta = 0.9,
                              .class_weight_power = 3};
    world w;
    open_world(&w, &train, 1);
    double frames[TEST_CLASSES] = {0}, weight[TEST_CLASSES], mean = 0;
    for (size_t i = 0; i < w.dataset->n_streams; i++) {
        const tin_stream *s = &w.dataset->streams[i];
        for (size_t k = 0; s->role == TIN_ROLE_TRAIN && k < s->n_intervals; k++) {
            frames[s->intervals[k].class_index] += (double)(s->intervals[k].end - s->intervals[k].start);
        }
    }
    for (int c = 0; c < TEST_CLASSES; c++) {
        weight[c] = 0.1 / (1 - pow(0.9, frames[c] / 50));
        mean += weight[c] / TEST_CLASSES;
    }
    for (int c = 0; c < TEST_CLASSES; c++) {
        assert_true(fabs((double)tin_sampler_class_weights(w.sampler)[c] - weight[c] / mean) < 1e-6);
    }
    close_world(&w);
}

/* Each pair is mixed by one factor, the same for signal and target and for as long as both sequences run. */
static void mixup_mixes_pairs(void **unused)
{
    (void)unused;
    tin_config_train train = augmented;
    world plain, mixed, threads;
    open_world(&plain, &train, 1);
    train.mixup = 0.4;
    open_world(&mixed, &train, 1);
    open_world(&threads, &train, 2);
    double share[LANES / 2] = {0};
    int n_new = 0;
    for (int i = 0; i < 30; i++) {
        assert_int_equal(tin_sampler_next(plain.sampler, &plain.batch, NULL), TIN_OK);
        same_batches(&mixed, &threads);
        for (int p = 0; p < LANES / 2; p++) {
            size_t a = (size_t)(2 * p), b = a + 1, n = CHUNK * TEST_CHANNELS, n_targets = CHUNK / 4 * TEST_CLASSES;
            const float *x = plain.batch.x + a * n, *y = plain.batch.x + b * n;
            double top = 0, bottom = 0; /* the factor by least squares */
            for (size_t k = 0; k < n; k++) {
                double d = (double)x[k] - (double)y[k];
                top += d * ((double)mixed.batch.x[a * n + k] - (double)y[k]);
                bottom += d * d;
            }
            double found = top / bottom;
            assert_true(found > 0.5 - 1e-4 && found < 1 + 1e-4);
            bool fresh = plain.batch.reset[a] || plain.batch.reset[b];
            assert_true(fresh || fabs(found - share[p]) < 1e-4);
            n_new += fresh && fabs(found - share[p]) > 1e-3;
            share[p] = found;
            for (size_t k = 0; k < n_targets; k++) {
                double own = (double)plain.batch.target[a * n_targets + k];
                double other = (double)plain.batch.target[b * n_targets + k];
                assert_true(fabs((double)mixed.batch.target[a * n_targets + k] - found * own - (1 - found) * other) <
                            1e-3);
                assert_true(fabs((double)mixed.batch.target[b * n_targets + k] - found * other - (1 - found) * own) <
                            1e-3);
            }
        }
        assert_true(fabs(mixed.batch.weight - plain.batch.weight) < 1e-5 * plain.batch.weight);
    }
    assert_true(n_new > LANES);
    close_world(&plain);
    close_world(&mixed);
    close_world(&threads);
}

/* A sequence's first chunk resets, but for the share of the recordings that go on from the one before. */
static void recordings_go_on_from_the_one_before(void **unused)
{
    (void)unused;
    for (int mode = 0; mode < 3; mode++) {
        tin_config_train train = {.steps = 1, .batch = LANES, .chunk = CHUNK, .stateful = mode < 2, .carry_over = 0.4};
        train.carry_over = mode == 1 ? 1 : 0.4;
        world w;
        open_world(&w, &train, 1);
        int n_begun = 0, n_reset = 0;
        for (int i = 0; i < 800; i++) {
            int64_t n;
            assert_int_equal(tin_sampler_next(w.sampler, &w.batch, NULL), TIN_OK);
            const tin_sampler_lane *lanes = tin_sampler_lanes(w.sampler, &n);
            for (int l = 0; l < LANES; l++) {
                assert_true(!w.batch.reset[l] || lanes[l].chunk == 1);
                n_begun += lanes[l].chunk == 1;
                n_reset += w.batch.reset[l];
            }
        }
        double share = (double)n_reset / n_begun;
        assert_true(n_begun > 400 && (mode == 0   ? fabs(share - 0.6) < 0.1
                                      : mode == 1 ? n_reset == 0
                                                  : n_reset == n_begun));
        close_world(&w);
    }
}

/* Batches without a label are passed over; a reset that fell to one is not lost. */
static void a_reset_outlives_batches_without_labels(void **unused)
{
    (void)unused;
    tin_config_train train = {.steps = 1, .batch = 1, .chunk = CHUNK, .stateful = true};
    world w;
    open_world(&w, &train, 1);
    for (size_t i = 0; i < w.dataset->n_streams; i++) {
        for (size_t k = 0; k < w.dataset->streams[i].n_intervals; k++) {
            tin_interval *interval = &w.dataset->streams[i].intervals[k];
            interval->class_index = interval->start < 800 ? TIN_LABEL_IGNORE : interval->class_index;
        }
    }
    tin_sampler_free(w.sampler);
    tin_sampler_settings s = {w.model, w.dataset, &w.train, 5, 1, 0, 0, w.pool};
    assert_int_equal(tin_sampler_create(&w.sampler, &s, NULL), TIN_OK);
    int64_t before = -1, n, n_passed_over = 0;
    for (int i = 0; i < 60; i++) {
        assert_int_equal(tin_sampler_next(w.sampler, &w.batch, NULL), TIN_OK);
        const tin_sampler_lane *lane = tin_sampler_lanes(w.sampler, &n);
        assert_int_equal(w.batch.reset[0], lane->sequence != before);
        n_passed_over += lane->sequence != before && lane->chunk > 1;
        before = lane->sequence;
    }
    assert_true(n_passed_over > 5);
    close_world(&w);
}

static void refuses_what_it_cannot_sample(void **unused)
{
    (void)unused;
    world w;
    tin_error err = {0};
    open_world(&w, &augmented, 1);
    tin_config_train train = augmented;
    train.windows = true;
    train.chunk = 400;
    tin_sampler_settings s = {w.model, w.dataset, &train, 5, LANES, 0, 0, w.pool};
    tin_sampler *sampler = NULL;
    assert_int_equal(tin_sampler_create(&sampler, &s, &err), TIN_ERR_DATA);
    assert_non_null(strstr(tin_error_text(&err), "make train.chunk shorter"));
    for (int n = 1;; n++) {
        memset(&err, 0, sizeof err);
        train.chunk = CHUNK;
        train.border_ms = train.margin_ms = 100;
        train.event_balance = 1;
        tin_memory_fail_at((size_t)n);
        tin_status status = tin_sampler_create(&sampler, &s, &err);
        tin_memory_fail_at(0);
        if (status == TIN_OK) {
            assert_true(n > 10);
            break;
        }
        assert_int_equal(status, TIN_ERR_MEMORY);
        assert_null(sampler);
    }
    tin_sampler_free(sampler);
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_and_resuming_change_nothing),
        cmocka_unit_test(plain_chunks_are_the_recording),
        cmocka_unit_test(every_recording_comes_once_per_round),
        cmocka_unit_test(windows_lie_in_one_label),
        cmocka_unit_test(windows_may_have_a_history),
        cmocka_unit_test(triads_are_known_by_their_units),
        cmocka_unit_test(augmentation_is_physical),
        cmocka_unit_test(turn_and_mirror_keep_their_axes),
        cmocka_unit_test(noise_and_speed_are_as_asked),
        cmocka_unit_test(borders_are_ramps),
        cmocka_unit_test(delayed_targets_are_earlier_labels),
        cmocka_unit_test(ahead_is_the_same_signal_later),
        cmocka_unit_test(every_channel_is_interpolated),
        cmocka_unit_test(weights_of_frames),
        cmocka_unit_test(effective_numbers_weigh_classes),
        cmocka_unit_test(mixup_mixes_pairs),
        cmocka_unit_test(recordings_go_on_from_the_one_before),
        cmocka_unit_test(a_reset_outlives_batches_without_labels),
        cmocka_unit_test(refuses_what_it_cannot_sample),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
