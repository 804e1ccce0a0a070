/* bench_train MODEL BATCH [ISA] [quant] [loop [OPERATION|all|off]|share]: median frames per second of one training step (forward, loss, backward, AdamW)
 * on one thread, for the models of the comparison. MODEL: a (conv 6->16 k5 s2, conv 16->24 k5 s2, gru 24, dense 5) or b
 * (gru 32, dense 5). Prints one number. With `loop`: time of a bare step over that of a
 * step with the sampling and augmentation before it (noise, rotation, gain, speed; and the operation that is named, in every
 * sequence, or all of them with a probability of 0.3). With `share`: multiply-adds of the network in
 * a step over those that this core can do in the same time, in the widest vectors that it has (x86-64). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/progress.h"
#include "base/rng.h"
#include "train/engine.h"
#include "train/optimiser.h"
#include "train/sampler.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define CHUNK 500
#define CHANNELS 6
#define CLASSES 5
#define SECONDS 2.0
#define MOST_STEPS 20000
#define STREAMS 8
#define STREAM_FRAMES 30000
#define LABEL_FRAMES 90 /* of one label */

static const tin_layer_spec model_a[] = {{.op = TIN_OP_CONV1D, .units = 16, .kernel = 5, .stride = 2},
                                         {.op = TIN_OP_RELU},
                                         {.op = TIN_OP_CONV1D, .units = 24, .kernel = 5, .stride = 2},
                                         {.op = TIN_OP_RELU},
                                         {.op = TIN_OP_GRU, .units = 24},
                                         {.op = TIN_OP_DENSE}};
static const tin_layer_spec model_b[] = {{.op = TIN_OP_GRU, .units = 32}, {.op = TIN_OP_DENSE}};

typedef struct bench {
    tin_model *model;
    tin_pool *pool;
    tin_engine *engine;
    tin_optimiser optimiser;
    float *x, *target;
    uint8_t *reset;
    void *state;
    double *gradient;
    tin_dataset dataset;
    tin_stream streams[STREAMS];
    tin_interval intervals[STREAM_FRAMES / LABEL_FRAMES];
    int16_t *counts;
    tin_sampler *sampler;
} bench;

static tin_status make_model(bench *b, bool small, tin_error *err)
{
    static tin_channel channels[CHANNELS] = {{"ax", "g", 0.001},     {"ay", "g", 0.001},     {"az", "g", 0.001},
                                             {"gx", "rad/s", 0.001}, {"gy", "rad/s", 0.001}, {"gz", "rad/s", 0.001}};
    static tin_class class = {"c", false};
    static tin_class classes[CLASSES];
    for (int i = 0; i < CLASSES; i++) {
        classes[i] = class;
        classes[i].event = i == 1;
    }
    b->dataset = (tin_dataset){.rate_hz = 50,
                               .n_channels = CHANNELS,
                               .n_classes = CLASSES,
                               .channels = channels,
                               .classes = classes,
                               .streams = b->streams,
                               .n_streams = STREAMS};
    const tin_layer_spec *layers = small ? model_b : model_a;
    int n_layers = (int)(small ? sizeof model_b / sizeof *model_b : sizeof model_a / sizeof *model_a);
    tin_status status = tin_model_create(&b->model, &b->dataset, layers, n_layers, err);
    if (status == TIN_OK) {
        tin_model_initialise(b->model, 1);
    }
    return status;
}

/* The augmentation of the comparison, and `extra`: the name of an operation, "all", or NULL. */
static tin_config_augment augmentation(const char *extra)
{
    tin_config_augment a = {.speed = {1, 0.1},
                            .rotate = {1, 15},
                            .scale = {1, 0.1},
                            .noise = {.probability = 1, .accel = 0.005, .gyro = 0.01}};
    if (extra && strcmp(extra, "off") == 0) {
        return (tin_config_augment){.speed = {0, 0}};
    }
    const bool all = extra && strcmp(extra, "all") == 0;
    const double often = all ? 0.3 : 1;
#define IS(name) (extra && (all || strcmp(extra, name) == 0) ? often : 0)
    a.splice = (tin_config_splice){.probability = IS("splice"), .every_ms = 4000, .fade_ms = 100};
    a.warp = (tin_config_warp){IS("warp"), 0.2, 2000};
    a.background = (tin_config_background){.probability = IS("background"), .snr_db = {5, 25}};
    a.bias = (tin_config_sensors){IS("bias"), 0.03, 0.03, 0};
    a.drift = (tin_config_sensors){IS("drift"), 0.01, 0.01, 0};
    a.range = (tin_config_range){IS("range"), {0.25, 1}};
    a.resolution = (tin_config_resolution){IS("resolution"), {8, 12}};
    a.drop = (tin_config_drop){IS("drop"), 10, {20, 200}, true};
    a.mute = (tin_config_chance){IS("mute")};
#undef IS
    return a;
}

/* Recordings of noise with a label of LABEL_FRAMES frames after the other, and a sampler over them. */
static tin_status make_sampler(bench *b, int batch, const char *extra, tin_error *err)
{
    static tin_config_train train = {.steps = MOST_STEPS, .chunk = CHUNK, .stateful = true, .class_weight_power = 0.5};
    train.augment = augmentation(extra);
    b->counts = tin_alloc((size_t)STREAM_FRAMES * CHANNELS, sizeof *b->counts, err);
    if (!b->counts) {
        return TIN_ERR_MEMORY;
    }
    tin_rng rng;
    tin_rng_seed(&rng, 3);
    for (int i = 0; i < STREAM_FRAMES * CHANNELS; i++) {
        b->counts[i] = (int16_t)((int)tin_rng_below(&rng, 4000) - 2000);
    }
    int n = STREAM_FRAMES / LABEL_FRAMES;
    for (int i = 0; i < n; i++) {
        b->intervals[i] = (tin_interval){i * LABEL_FRAMES, (i + 1) * LABEL_FRAMES, i % CLASSES};
    }
    for (int i = 0; i < STREAMS; i++) {
        static char subject[] = "one";
        b->streams[i] = (tin_stream){.subject = subject,
                                     .n_frames = STREAM_FRAMES,
                                     .counts = b->counts,
                                     .intervals = b->intervals,
                                     .n_intervals = (size_t)n};
    }
    tin_sampler_settings settings = {
        .model = b->model, .dataset = &b->dataset, .train = &train, .n_lanes = batch, .pool = b->pool};
    tin_status status = tin_model_fit_input(b->model, &b->dataset, err);
    return status ? status : tin_sampler_create(&b->sampler, &settings, err);
}

static tin_status make(bench *b, bool small, int batch, const char *isa, bool quantise, const char *extra,
                       tin_error *err)
{
    static tin_quant_spec quant = {.input_scale = 4.f / 127};
    tin_status status = make_model(b, small, err);
    if (status == TIN_OK) {
        status = tin_pool_create(&b->pool, 1, err);
    }
    for (int i = 0; status == TIN_OK && i < b->model->n_layers; i++) {
        tin_op op = b->model->layers[i].op;
        quant.output_scale[i] = op == TIN_OP_RELU ? 4.f / 127 : op == TIN_OP_GRU ? 1.f / 128 : 0;
    }
    if (status == TIN_OK) {
        tin_engine_settings settings = {.model = b->model,
                                        .quant = quantise ? &quant : NULL,
                                        .n_lanes = batch,
                                        .chunk = CHUNK,
                                        .isa = tin_isa_from_name(isa),
                                        .pool = b->pool};
        status = tin_engine_create(&b->engine, &settings, err);
    }
    if (status == TIN_OK) {
        status = tin_optimiser_create(&b->optimiser, b->model, err);
    }
    status = status ? status : make_sampler(b, batch, extra, err);
    if (status) {
        return status;
    }
    size_t lanes = (size_t)batch;
    b->x = tin_alloc(lanes * CHUNK * CHANNELS, sizeof *b->x, err);
    b->target = tin_alloc(lanes * (size_t)tin_engine_decisions(b->engine) * CLASSES, sizeof *b->target, err);
    b->reset = tin_alloc(lanes, 1, err);
    b->state = tin_alloc(tin_engine_state_bytes(b->engine, batch), 1, err);
    b->gradient = tin_alloc(b->model->n_params, sizeof *b->gradient, err);
    return b->x && b->target && b->reset && b->state && b->gradient ? TIN_OK : TIN_ERR_MEMORY;
}

static void step(bench *b, int number, double weight)
{
    static const tin_config_train train = {.steps = MOST_STEPS, .learning_rate = 1e-3, .clip = 1};
    tin_engine_batch batch = {b->x, b->target, weight, b->reset, 1, 0, NULL};
    (void)tin_engine_step(b->engine, b->model->params, b->state, &batch, b->gradient);
    double norm = tin_optimiser_norm(&b->optimiser, b->gradient);
    tin_optimiser_update(&b->optimiser, &train, number, norm, b->gradient, b->model->params);
}

static int compare(const void *a, const void *b)
{
    double d = *(const double *)a - *(const double *)b;
    return (d > 0) - (d < 0);
}

static void fill_batch(bench *b, int batch)
{
    tin_rng rng;
    tin_rng_seed(&rng, 2);
    for (int i = 0; i < batch * CHUNK * CHANNELS; i++) {
        b->x[i] = (float)tin_rng_normal(&rng);
    }
    int n_decisions = tin_engine_decisions(b->engine);
    for (int i = 0; i < batch * n_decisions; i++) {
        b->target[i * CLASSES + (int)tin_rng_below(&rng, CLASSES)] = 1;
    }
}

static double median(double *times, int n)
{
    qsort(times, (size_t)n, sizeof *times, compare);
    return times[n / 2];
}

static double measure(bench *b, int batch)
{
    static double times[MOST_STEPS];
    int n_decisions = tin_engine_decisions(b->engine), n = 0;
    fill_batch(b, batch);
    double started = tin_now();
    while (n < MOST_STEPS && (n < 10 || tin_now() - started < SECONDS)) {
        double before = tin_now();
        step(b, n, (double)batch * n_decisions);
        times[n++] = tin_now() - before;
    }
    return batch * (double)CHUNK / median(times, n);
}

/* Of this thread, so that what else the machine does is left out. */
static double cpu_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double loop_share(bench *b)
{
    static double bare[MOST_STEPS], whole[MOST_STEPS];
    tin_sampler_batch batch = {.x = b->x, .target = b->target, .reset = b->reset};
    double started = tin_now();
    int n = 0;
    while (n < MOST_STEPS && (n < 10 || tin_now() - started < SECONDS)) {
        double before = cpu_now();
        if (tin_sampler_next(b->sampler, &batch, NULL)) {
            return 0;
        }
        double filled = cpu_now();
        step(b, n, batch.weight);
        double after = cpu_now();
        bare[n] = after - filled;
        whole[n++] = after - before;
    }
    return median(bare, n) / median(whole, n);
}

#define CHAINS 16 /* sums that do not wait for one another */
#define TURNS 2000000

#if defined(__x86_64__)
#define FMA_CHAINS(name, isa, type, set, fma, store)                                                                   \
    __attribute__((target(isa))) static float name(float seed)                                                         \
    {                                                                                                                  \
        type sum[CHAINS], a = set(seed), b = set(0.5f);                                                                \
        for (int k = 0; k < CHAINS; k++) {                                                                             \
            sum[k] = set((float)k);                                                                                    \
        }                                                                                                              \
        for (int i = 0; i < TURNS; i++) {                                                                              \
            for (int k = 0; k < CHAINS; k++) {                                                                         \
                sum[k] = fma(sum[k], b, a);                                                                            \
            }                                                                                                          \
        }                                                                                                              \
        float out[sizeof(type) / sizeof(float)], all = 0;                                                              \
        for (int k = 0; k < CHAINS; k++) {                                                                             \
            store(out, sum[k]);                                                                                        \
            all += out[0];                                                                                             \
        }                                                                                                              \
        return all;                                                                                                    \
    }
FMA_CHAINS(fma_avx512, "avx512f", __m512, _mm512_set1_ps, _mm512_fmadd_ps, _mm512_storeu_ps)
FMA_CHAINS(fma_avx2, "avx2,fma", __m256, _mm256_set1_ps, _mm256_fmadd_ps, _mm256_storeu_ps)

/* Multiply-adds per second of this core at its best; 0 where that is not known. */
static double peak(void)
{
    static volatile float sink;
    const bool wide = __builtin_cpu_supports("avx512f");
    if (!wide && !(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))) {
        return 0;
    }
    double best = 0;
    for (int i = 0; i < 20; i++) {
        double before = tin_now();
        sink = wide ? fma_avx512(sink) : fma_avx2(sink);
        double rate = (double)TURNS * CHAINS * (wide ? 16 : 8) / (tin_now() - before);
        best = rate > best ? rate : best;
    }
    return best;
}
#else
static double peak(void)
{
    return 0;
}
#endif

/* Multiply-adds of a training step per frame: forward, gradients of weights, gradients of inputs but for the first layer. */
static double step_macs(bool small)
{
    const double first = small ? 3 * 32 * CHANNELS : 16 * 5 * CHANNELS / 2.0;
    const double others = small ? 3 * 32 * 32 + 32 * CLASSES : (24 * 5 * 16 + 3 * 24 * (24 + 24) + 24 * CLASSES) / 4.0;
    return 2 * first + 3 * others;
}

int main(int argc, char **argv)
{
    static bench b;
    tin_error err = {0};
    const char *isa = NULL, *extra = NULL;
    bool quantise = false, loop = false, share = false;
    for (int i = 3; i < argc; i++) {
        if (strcmp(argv[i], "quant") == 0) {
            quantise = true;
        } else if (strcmp(argv[i], "loop") == 0) {
            loop = true;
            extra = i + 1 < argc ? argv[++i] : NULL;
        } else if (strcmp(argv[i], "share") == 0) {
            share = true;
        } else {
            isa = argv[i];
        }
    }
    int batch = argc > 2 ? atoi(argv[2]) : 0;
    if (batch < 1 || (strcmp(argv[1], "a") != 0 && strcmp(argv[1], "b") != 0) ||
        tin_isa_from_name(isa) == TIN_ISA_COUNT) {
        fprintf(stderr,
                "usage: bench_train a|b BATCH [baseline|avx2|avx512|amx] [quant] [loop [OPERATION|all|off]|share]\n");
        return 2;
    }
    if (make(&b, argv[1][0] == 'b', batch, isa, quantise, extra, &err)) {
        fprintf(stderr, "%s\n", tin_error_text(&err));
        return 1;
    }
    if (loop) {
        printf("%.3f\n", loop_share(&b));
    } else if (share) {
        const double most = peak();
        printf("%.3f\n", most > 0 ? measure(&b, batch) * step_macs(argv[1][0] == 'b') / most : 0);
    } else {
        printf("%.0f\n", measure(&b, batch));
    }
    tin_sampler_free(b.sampler);
    tin_free(b.counts);
    tin_free(b.x);
    tin_free(b.target);
    tin_free(b.reset);
    tin_free(b.state);
    tin_free(b.gradient);
    tin_optimiser_free(&b.optimiser);
    tin_engine_free(b.engine);
    tin_pool_destroy(b.pool);
    tin_model_free(b.model);
    return 0;
}
