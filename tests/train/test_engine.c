/* The engine in evaluation mode against the naive float reference, and what carrying state means. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "train/engine.h"
#include "train_models.h"

#define LANES 21
#define FRAMES 240
#define CHANNELS 3
#define CLASSES 4

static const tin_layer_spec mixed[] = {{.op = TIN_OP_CONV1D, .units = 11, .kernel = 7, .stride = 2},
                                       {.op = TIN_OP_BATCH_NORM},
                                       {.op = TIN_OP_RELU},
                                       {.op = TIN_OP_CONV1D, .units = 22, .kernel = 5, .stride = 2, .depthwise = true},
                                       {.op = TIN_OP_CONV1D, .units = 9, .kernel = 3, .dilation = 4},
                                       {.op = TIN_OP_DROPOUT, .rate = 0.5f},
                                       {.op = TIN_OP_MASK, .bands = 3, .rows = 5, .count = 2},
                                       {.op = TIN_OP_AVG_POOL, .kernel = 3, .stride = 2},
                                       {.op = TIN_OP_GRU, .units = 13},
                                       {.op = TIN_OP_DENSE, .units = 6},
                                       {.op = TIN_OP_RELU},
                                       {.op = TIN_OP_DENSE}};
/* Kernels shorter than the stride: rows that nobody reads. */
static const tin_layer_spec gaps[] = {{.op = TIN_OP_CONV1D, .units = 5, .kernel = 2, .stride = 4},
                                      {.op = TIN_OP_AVG_POOL, .kernel = 1, .stride = 3},
                                      {.op = TIN_OP_DENSE}};
/* More history than a chunk has rows. */
static const tin_layer_spec wide[] = {{.op = TIN_OP_CONV1D, .units = 5, .kernel = 9, .dilation = 11},
                                      {.op = TIN_OP_AVG_POOL, .kernel = 50, .stride = 4},
                                      {.op = TIN_OP_DENSE}};

#define FROM(...) .from = {__VA_ARGS__}, .n_from = (int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *))
/* Branches, a residual block, squeeze and excite, readers of the input and of a layer with histories of their own. */
static const tin_layer_spec branches[] = {
    {.op = TIN_OP_CONV1D, .units = 6, .kernel = 5, .stride = 2, .name = "a"},
    {.op = TIN_OP_RELU6, .name = "stem"},
    {.op = TIN_OP_CONV1D, .units = 6, .kernel = 3, .dilation = 5},
    {.op = TIN_OP_BATCH_NORM},
    {.op = TIN_OP_HARD_TANH, .name = "deep"},
    {.op = TIN_OP_ADD, FROM("deep", "stem")},
    {.op = TIN_OP_RELU, .name = "block"},
    {.op = TIN_OP_EMA, .shift = 3},
    {.op = TIN_OP_DENSE, .units = 6},
    {.op = TIN_OP_HARD_SIGMOID, .name = "excite"},
    {.op = TIN_OP_MULTIPLY, FROM("block", "excite"), .name = "squeezed"},
    {.op = TIN_OP_MAX_POOL, .kernel = 6, .stride = 2, FROM("input"), .name = "most"},
    {.op = TIN_OP_CONV1D, .units = 4, .kernel = 9, .stride = 2, FROM("input")},
    {.op = TIN_OP_SIGMOID, .name = "side"},
    {.op = TIN_OP_CONCAT, FROM("most", "squeezed", "side", "stem")},
    {.op = TIN_OP_TANH},
    {.op = TIN_OP_GRU, .units = 7},
    {.op = TIN_OP_MAX_POOL, .kernel = 3, .stride = 2},
    {.op = TIN_OP_DENSE}};

/* Every recurrent cell; the lstm has a reader with history. */
static const tin_layer_spec cells[] = {{.op = TIN_OP_GRU, .units = 7, .reset_before = true, .name = "a"},
                                       {.op = TIN_OP_MGU, .units = 9},
                                       {.op = TIN_OP_LSTM, .units = 6, .name = "c"},
                                       {.op = TIN_OP_CONV1D, .units = 5, .kernel = 4, .stride = 2},
                                       {.op = TIN_OP_MIN_GRU, .units = 10, .name = "m"},
                                       {.op = TIN_OP_AVG_POOL, .kernel = 2, .stride = 2, FROM("c"), .name = "p"},
                                       {.op = TIN_OP_CONCAT, FROM("m", "p")},
                                       {.op = TIN_OP_DENSE}};
/* Cells whose units are whole blocks of registers. */
static const tin_layer_spec whole_blocks[] = {{.op = TIN_OP_GRU, .units = 16, .reset_before = true},
                                              {.op = TIN_OP_MGU, .units = 32},
                                              {.op = TIN_OP_LSTM, .units = 16},
                                              {.op = TIN_OP_CONV1D, .units = 5, .kernel = 4, .stride = 2},
                                              {.op = TIN_OP_GRU, .units = 48},
                                              {.op = TIN_OP_DENSE}};
/* Convolutions that the widest kernels compute in blocks, some of them filled in part. */
static const tin_layer_spec blocks_in_part[] = {{.op = TIN_OP_CONV1D, .units = 24, .kernel = 5, .stride = 2},
                                                {.op = TIN_OP_RELU},
                                                {.op = TIN_OP_CONV1D, .units = 35, .kernel = 3, .dilation = 2},
                                                {.op = TIN_OP_RELU6},
                                                {.op = TIN_OP_CONV1D, .units = 17, .kernel = 2, .stride = 2},
                                                {.op = TIN_OP_GRU, .units = 21},
                                                {.op = TIN_OP_DENSE}};
/* Blocks that are carried from chunk to chunk, besides a branch that reads the scaled input. */
static const tin_layer_spec energies[] = {
    {.op = TIN_OP_LOG_ENERGY, .levels = 3, .kernel = 6, .stride = 8, .name = "long"},
    {.op = TIN_OP_LOG_ENERGY, .levels = 2, .kernel = 1, .stride = 8, FROM("input"), .name = "short"},
    {.op = TIN_OP_AVG_POOL, .kernel = 8, .stride = 8, FROM("input"), .name = "mean"},
    {.op = TIN_OP_LOG_MEL, .kernel = 20, .stride = 8, .bands = 3, FROM("input"), .name = "mel"},
    {.op = TIN_OP_LOG_VARIANCE, .kernel = 3, .stride = 8, FROM("input"), .name = "spread"},
    {.op = TIN_OP_HIGH_PASS, .shift = 3, FROM("input"), .name = "moved"},
    {.op = TIN_OP_DIFFERENCE, .dilation = 5, FROM("input"), .name = "jerk"},
    {.op = TIN_OP_MAGNITUDE, .shift = 4, FROM("input"), .name = "length"},
    {.op = TIN_OP_CONCAT, FROM("moved", "jerk", "length"), .name = "motion"},
    {.op = TIN_OP_MAX_POOL, .kernel = 8, .stride = 8, FROM("motion"), .name = "most"},
    {.op = TIN_OP_CONCAT, FROM("long", "mean", "short", "mel", "spread", "most")},
    {.op = TIN_OP_DENSE}};
/* Details that are longer than a block. */
static const tin_layer_spec long_details[] = {{.op = TIN_OP_LOG_ENERGY, .levels = 4, .kernel = 6, .stride = 8},
                                              {.op = TIN_OP_DENSE}};

static int16_t *random_counts(void)
{
    int16_t *counts = tin_alloc(LANES * FRAMES * CHANNELS, sizeof *counts, NULL);
    tin_rng rng;
    tin_rng_seed(&rng, 3);
    for (int i = 0; i < LANES * FRAMES * CHANNELS; i++) {
        int most = i % CHANNELS == 1 ? 3 : 2000; /* one channel hardly moves */
        counts[i] = (int16_t)((int)tin_rng_below(&rng, (uint32_t)(2 * most + 1)) - most);
    }
    return counts;
}

/* Scores of all lanes, chunk by chunk; lane 2 is reset at reset_chunk. */
static void infer(const tin_model *model, const int16_t *counts, int chunk, int reset_chunk, float *scores)
{
    tin_error err = {0};
    tin_pool *pool = NULL;
    tin_engine *engine = NULL;
    assert_int_equal(tin_pool_create(&pool, 1, &err), TIN_OK);
    tin_engine_settings settings = {.model = model, .n_lanes = 16, .chunk = chunk, .pool = pool};
    if (tin_engine_create(&engine, &settings, &err)) {
        fail_msg("%s", tin_error_text(&err));
    }
    int n_chunks = FRAMES / chunk, decisions = chunk / model->hop, all = FRAMES / model->hop;
    void *state = tin_alloc(tin_engine_state_bytes(engine, LANES), 1, NULL);
    float *x = tin_alloc((size_t)(LANES * chunk * CHANNELS), sizeof *x, NULL);
    float *part = tin_alloc((size_t)(LANES * decisions * CLASSES), sizeof *part, NULL);
    for (int i = 0; i < n_chunks; i++) {
        uint8_t reset[LANES] = {0};
        reset[2] = i == reset_chunk;
        for (int l = 0; l < LANES; l++) {
            for (int t = 0; t < chunk * CHANNELS; t++) {
                int c = t % CHANNELS, at = (l * FRAMES + i * chunk) * CHANNELS + t;
                x[l * chunk * CHANNELS + t] = (float)(counts[at] - model->input.offset[c]) * model->input.scale[c];
            }
        }
        tin_engine_infer(engine, model->params, state, LANES, x, reset, part);
        for (int l = 0; l < LANES; l++) {
            memcpy(scores + (l * all + i * decisions) * CLASSES, part + l * decisions * CLASSES,
                   (size_t)(decisions * CLASSES) * sizeof *part);
        }
    }
    tin_free(state);
    tin_free(x);
    tin_free(part);
    tin_engine_free(engine);
    tin_pool_destroy(pool);
}

static void compare_with_reference(const tin_layer_spec *layers, int n_layers, int chunk)
{
    tin_model *model = test_model(layers, n_layers, CHANNELS, CLASSES, 9);
    tin_float_runner *runner = NULL;
    assert_int_equal(tin_float_runner_create(&runner, model, NULL), TIN_OK);
    int16_t *counts = random_counts();
    int all = FRAMES / model->hop;
    float *scores = tin_alloc((size_t)(LANES * all * CLASSES), sizeof *scores, NULL), expected[CLASSES];
    infer(model, counts, chunk, -1, scores);
    double most = 0;
    for (int l = 0; l < LANES; l++) {
        int n = 0;
        tin_float_runner_reset(runner);
        for (int t = 0; t < FRAMES; t++) {
            if (tin_float_runner_step(runner, counts + (l * FRAMES + t) * CHANNELS, expected)) {
                for (int c = 0; c < CLASSES; c++) {
                    most = fmax(most, fabs((double)expected[c] - (double)scores[(l * all + n) * CLASSES + c]));
                }
                n++;
            }
        }
        assert_int_equal(n, all);
    }
    bool parts = tin_isa_kernel(TIN_ISA_AUTO) == tin_isa_kernel(TIN_ISA_AMX); /* factors of 17 bits, kernel_tile.h */
    if (!(most < (parts ? 2e-4 : 1e-5))) {
        fail_msg("scores differ by %g", most);
    }
    tin_float_runner_free(runner);
    tin_free(counts);
    tin_free(scores);
    tin_model_free(model);
}

#define COUNT(layers) ((int)(sizeof(layers) / sizeof *(layers)))

static void equals_the_reference(void **unused)
{
    (void)unused;
    compare_with_reference(mixed, COUNT(mixed), 240);
    compare_with_reference(mixed, COUNT(mixed), 24);
    compare_with_reference(mixed, COUNT(mixed), 8);
    compare_with_reference(gaps, COUNT(gaps), 12);
    compare_with_reference(gaps, COUNT(gaps), 240);
    compare_with_reference(wide, COUNT(wide), 8);
    compare_with_reference(wide, COUNT(wide), 120);
    compare_with_reference(cells, COUNT(cells), 240);
    compare_with_reference(cells, COUNT(cells), 8);
    compare_with_reference(cells, COUNT(cells), 2);
    compare_with_reference(whole_blocks, COUNT(whole_blocks), 240);
    compare_with_reference(whole_blocks, COUNT(whole_blocks), 2);
    compare_with_reference(blocks_in_part, COUNT(blocks_in_part), 240);
    compare_with_reference(blocks_in_part, COUNT(blocks_in_part), 8);
    compare_with_reference(branches, COUNT(branches), 240);
    compare_with_reference(branches, COUNT(branches), 16);
    compare_with_reference(branches, COUNT(branches), 4);
    compare_with_reference(energies, COUNT(energies), 240);
    compare_with_reference(energies, COUNT(energies), 8);
    compare_with_reference(long_details, COUNT(long_details), 16);
    compare_with_reference(long_details, COUNT(long_details), 240);
}

static void compare_chunks(const tin_layer_spec *layers, int n_layers)
{
    tin_model *model = test_model(layers, n_layers, CHANNELS, CLASSES, 9);
    int16_t *counts = random_counts();
    size_t n = (size_t)(LANES * FRAMES / model->hop * CLASSES);
    float *whole = tin_alloc(n, sizeof *whole, NULL), *cut = tin_alloc(n, sizeof *cut, NULL);
    infer(model, counts, FRAMES, -1, whole);
    for (int chunk = 8; chunk <= 120; chunk += 112) {
        infer(model, counts, chunk, -1, cut);
        assert_memory_equal(whole, cut, n * sizeof *whole);
    }
    tin_free(whole);
    tin_free(cut);
    tin_free(counts);
    tin_model_free(model);
}

static void chunks_do_not_matter(void **unused)
{
    (void)unused;
    compare_chunks(mixed, COUNT(mixed));
    compare_chunks(whole_blocks, COUNT(whole_blocks));
}

/* A lane that is reset gives what a fresh stream gives, and its neighbours do not notice. */
static void compare_reset(const tin_layer_spec *layers, int n_layers)
{
    tin_model *model = test_model(layers, n_layers, CHANNELS, CLASSES, 9);
    int16_t *counts = random_counts();
    int all = FRAMES / model->hop, half = all / 2 * CLASSES;
    size_t n = (size_t)(LANES * all * CLASSES);
    float *plain = tin_alloc(n, sizeof *plain, NULL), *reset = tin_alloc(n, sizeof *reset, NULL);
    float *fresh = tin_alloc(n, sizeof *fresh, NULL);
    infer(model, counts, FRAMES / 2, -1, plain);
    infer(model, counts, FRAMES / 2, 1, reset);
    size_t lane = (size_t)(all * CLASSES), half_bytes = (size_t)half * sizeof *plain;
    memmove(counts + 2 * FRAMES * CHANNELS, counts + (2 * FRAMES + FRAMES / 2) * CHANNELS,
            FRAMES / 2 * CHANNELS * sizeof *counts);
    infer(model, counts, FRAMES / 2, -1, fresh);
    assert_memory_equal(reset + 2 * lane + half, fresh + 2 * lane, half_bytes);
    assert_memory_not_equal(reset + 2 * lane + half, plain + 2 * lane + half, half_bytes);
    assert_memory_equal(reset, plain, 2 * lane * sizeof *plain);
    assert_memory_equal(reset + 3 * lane, plain + 3 * lane, (LANES - 3) * lane * sizeof *plain);
    tin_free(plain);
    tin_free(reset);
    tin_free(fresh);
    tin_free(counts);
    tin_model_free(model);
}

static void reset_forgets(void **unused)
{
    (void)unused;
    compare_reset(mixed, COUNT(mixed));
    compare_reset(whole_blocks, COUNT(whole_blocks));
    compare_reset(energies, COUNT(energies));
}

static void refuses_what_it_cannot_train(void **unused)
{
    (void)unused;
    tin_error err = {0};
    tin_model *model = test_model(mixed, COUNT(mixed), CHANNELS, CLASSES, 9);
    tin_pool *pool = NULL;
    assert_int_equal(tin_pool_create(&pool, 1, &err), TIN_OK);
    tin_engine *engine = NULL;
    tin_engine_settings settings = {.model = model, .n_lanes = 16, .chunk = 12, .pool = pool};
    assert_int_equal(tin_engine_create(&engine, &settings, &err), TIN_ERR_CONFIG);
    assert_non_null(strstr(tin_error_text(&err), "multiple of 8"));
    tin_quant_spec quant = {.input_scale = 1};
    settings.chunk = 16;
    settings.quant = &quant;
    memset(&err, 0, sizeof err);
    assert_int_equal(tin_engine_create(&engine, &settings, &err), TIN_ERR_MODEL);
    assert_non_null(strstr(tin_error_text(&err), "fold the model"));
    assert_null(engine);
    tin_model_free(model);
    model = test_model(long_details, COUNT(long_details), CHANNELS, CLASSES, 9);
    settings = (tin_engine_settings){.model = model, .n_lanes = 16, .chunk = 24, .pool = pool};
    memset(&err, 0, sizeof err);
    assert_int_equal(tin_engine_create(&engine, &settings, &err), TIN_ERR_CONFIG);
    assert_non_null(strstr(tin_error_text(&err), "multiple of 16, the frames of a detail of log_energy_1"));
    tin_pool_destroy(pool);
    tin_model_free(model);
}

static void survive_failed_allocations(const tin_layer_spec *layers, int n_layers)
{
    tin_model *model = test_model(layers, n_layers, CHANNELS, CLASSES, 9);
    tin_pool *pool = NULL;
    assert_int_equal(tin_pool_create(&pool, 1, NULL), TIN_OK);
    tin_engine_settings settings = {.model = model, .n_lanes = 40, .chunk = 16, .pool = pool};
    tin_engine *engine = NULL;
    int n = 0;
    for (;; n++) {
        tin_error err = {0};
        tin_memory_fail_at((size_t)n + 1);
        tin_status status = tin_engine_create(&engine, &settings, &err);
        tin_memory_fail_at(0);
        if (status == TIN_OK) {
            break;
        }
        assert_int_equal(status, TIN_ERR_MEMORY);
        assert_null(engine);
    }
    assert_true(n >= 8);
    tin_engine_free(engine);
    tin_pool_destroy(pool);
    tin_model_free(model);
}

static void survives_every_failed_allocation(void **unused)
{
    (void)unused;
    survive_failed_allocations(mixed, COUNT(mixed));
    survive_failed_allocations(energies, COUNT(energies));
}

/* The activation of the input, straight to the scores. */
static void compare_curve(tin_op op, double (*curve)(double), double most, tin_isa isa)
{
    const tin_layer_spec layers[] = {{.op = op}, {.op = TIN_OP_DENSE}};
    tin_model *model = test_model(layers, COUNT(layers), 1, 1, 9);
    model->params[0] = 1;
    model->params[1] = 0;
    tin_error err = {0};
    tin_pool *pool = NULL;
    tin_engine *engine = NULL;
    enum { N = 4096 };
    assert_int_equal(tin_pool_create(&pool, 1, &err), TIN_OK);
    tin_engine_settings settings = {.model = model, .n_lanes = 16, .chunk = N, .isa = isa, .pool = pool};
    if (tin_engine_create(&engine, &settings, &err)) {
        fail_msg("%s", tin_error_text(&err));
    }
    void *state = tin_alloc(tin_engine_state_bytes(engine, 1), 1, NULL);
    float *x = tin_alloc(N, sizeof *x, NULL), *y = tin_alloc(N, sizeof *y, NULL);
    const uint8_t reset = 1;
    for (float reach = 0.5f; reach < 100; reach *= 2) {
        for (int i = 0; i < N; i++) {
            x[i] = reach * (2 * (float)i / N - 1);
        }
        tin_engine_infer(engine, model->params, state, 1, x, &reset, y);
        for (int i = 0; i < N; i++) {
            double error = (double)y[i] - curve((double)x[i]);
            if (!(fabs(error) < most)) {
                fail_msg("instruction set %d, %.9g: %.9g is wrong by %g", isa, (double)x[i], (double)y[i], error);
            }
        }
    }
    tin_free(x);
    tin_free(y);
    tin_free(state);
    tin_engine_free(engine);
    tin_pool_destroy(pool);
    tin_model_free(model);
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

/* The errors that kernel_vector.h states. */
static void curves_are_as_exact_as_stated(void **unused)
{
    (void)unused;
    for (tin_isa isa = TIN_ISA_AUTO; isa < TIN_ISA_DOUBLE; isa++) {
        if (tin_isa_kernel(isa)) {
            compare_curve(TIN_OP_SIGMOID, sigmoid, 2e-7, isa);
            compare_curve(TIN_OP_TANH, tanh, 4e-7, isa);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_the_reference),
        cmocka_unit_test(chunks_do_not_matter),
        cmocka_unit_test(reset_forgets),
        cmocka_unit_test(refuses_what_it_cannot_train),
        cmocka_unit_test(curves_are_as_exact_as_stated),
        cmocka_unit_test(survives_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
