/* Gradients of every op against central differences, in the double precision instance of the kernel source; then the
 * single precision instances against the double one. */
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

#define CHUNK 24
#define LANES 19 /* two groups, the second one not full */

typedef struct bench {
    tin_model *model;
    tin_engine *engine;
    tin_pool *pool;
    float *x, *target;
    double weight;
    uint8_t reset[LANES];
    void *first, *state;
    size_t state_bytes;
} bench;

static void bench_open(bench *b, tin_model *model, tin_isa isa, int threads)
{
    tin_error err = {0};
    memset(b, 0, sizeof *b);
    b->model = model;
    assert_int_equal(tin_pool_create(&b->pool, threads, &err), TIN_OK);
    tin_engine_settings settings = {.model = model, .n_lanes = LANES, .chunk = CHUNK, .isa = isa, .pool = b->pool};
    if (tin_engine_create(&b->engine, &settings, &err)) {
        fail_msg("%s", tin_error_text(&err));
    }
    size_t n_x = (size_t)(LANES * CHUNK * model->n_channels);
    size_t n_targets = (size_t)(LANES * tin_engine_decisions(b->engine) * model->n_classes);
    b->x = tin_alloc(n_x, sizeof *b->x, NULL);
    b->target = tin_alloc(n_targets, sizeof *b->target, NULL);
    test_random(b->x, n_x, 2, 5);
    test_random(b->target, n_targets, 1, 6);
    for (size_t i = 0; i < n_targets; i++) {
        b->target[i] = fmaxf(b->target[i], 0); /* soft, some decisions without weight */
        b->weight += (double)b->target[i];
    }
    b->state_bytes = tin_engine_state_bytes(b->engine, LANES);
    b->first = tin_alloc(b->state_bytes, 1, NULL);
    b->state = tin_alloc(b->state_bytes, 1, NULL);
    for (int l = 0; l < LANES; l += 5) {
        b->reset[l] = 1;
    }
}

static void bench_close(bench *b)
{
    tin_engine_free(b->engine);
    tin_pool_destroy(b->pool);
    tin_free(b->x);
    tin_free(b->target);
    tin_free(b->first);
    tin_free(b->state);
}

static double focal; /* gamma of the loss in the steps that follow */

/* One step from the state b->first. */
static double bench_step(bench *b, float *params, double *gradient)
{
    tin_engine_batch batch = {b->x, b->target, b->weight, b->reset, 77, focal, NULL};
    memcpy(b->state, b->first, b->state_bytes);
    return tin_engine_step(b->engine, params, b->state, &batch, gradient);
}

/* The loss with parameter i at `value`; params stay as they are. */
static double loss_at(bench *b, size_t i, float value, float *params, double *gradient)
{
    size_t n = b->model->n_params;
    memcpy(params, b->model->params, n * sizeof *params);
    params[i] = value;
    return bench_step(b, params, gradient);
}

static void check_gradient(const tin_layer_spec *layers, int n_layers)
{
    tin_model *model = test_model(layers, n_layers, 3, 4, 21);
    bench b;
    bench_open(&b, model, TIN_ISA_DOUBLE, 1);
    size_t n = model->n_params, n_checked = 0;
    float *params = tin_alloc(n, sizeof *params, NULL);
    double *gradient = tin_alloc(n, sizeof *gradient, NULL), *scrap = tin_alloc(n, sizeof *scrap, NULL);
    memcpy(params, model->params, n * sizeof *params);
    bench_step(&b, params, scrap); /* so that the checked chunk starts from a state that is not zero */
    memcpy(b.first, b.state, b.state_bytes);
    memcpy(params, model->params, n * sizeof *params);
    bench_step(&b, params, gradient);
    for (int l = 0; l < model->n_layers; l++) {
        for (int p = 0; p < model->layers[l].n_params; p++) {
            const tin_param *param = &model->layers[l].params[p];
            size_t step = param->trainable ? 1 + param->size / 40 : param->size;
            for (size_t i = param->offset; param->trainable && i < param->offset + param->size; i += step) {
                float high = model->params[i] + 1e-6f, low = model->params[i] - 1e-6f;
                double slope = (loss_at(&b, i, high, params, scrap) - loss_at(&b, i, low, params, scrap)) /
                               ((double)high - (double)low);
                if (fabs(slope - gradient[i]) > 1e-6 * (0.1 + fabs(slope))) {
                    fail_msg("layer %d %s[%zu]: gradient %.9g, difference %.9g", l + 1, param->name, i - param->offset,
                             gradient[i], slope);
                }
                n_checked += fabs(slope) > 1e-6;
            }
        }
    }
    assert_true(n_checked > 10);
    tin_free(params);
    tin_free(gradient);
    tin_free(scrap);
    bench_close(&b);
    tin_model_free(model);
}

#define CHECK(...)                                                                                                     \
    do {                                                                                                               \
        const tin_layer_spec layers[] = {__VA_ARGS__};                                                                 \
        check_gradient(layers, (int)(sizeof layers / sizeof *layers));                                                 \
    } while (0)

static void conv1d_dense(void **unused)
{
    (void)unused;
    CHECK({.op = TIN_OP_CONV1D, .units = 9, .kernel = 5}, {.op = TIN_OP_DENSE});
    CHECK({.op = TIN_OP_CONV1D, .units = 5, .kernel = 5, .stride = 2},
          {.op = TIN_OP_CONV1D, .units = 7, .kernel = 4, .stride = 3}, {.op = TIN_OP_DENSE});
    CHECK({.op = TIN_OP_CONV1D, .units = 5, .kernel = 1, .stride = 2},
          {.op = TIN_OP_CONV1D, .units = 6, .kernel = 2, .stride = 4}, {.op = TIN_OP_DENSE});
}

static void conv1d_dilated(void **unused)
{
    (void)unused;
    CHECK({.op = TIN_OP_CONV1D, .units = 4, .kernel = 3, .dilation = 2},
          {.op = TIN_OP_CONV1D, .units = 5, .kernel = 3, .dilation = 3, .stride = 2},
          {.op = TIN_OP_CONV1D, .units = 6, .kernel = 4, .dilation = 4}, {.op = TIN_OP_DENSE});
}

static void conv1d_depthwise(void **unused)
{
    (void)unused;
    CHECK({.op = TIN_OP_CONV1D, .kernel = 4, .depthwise = true},
          {.op = TIN_OP_CONV1D, .units = 9, .kernel = 5, .stride = 2, .depthwise = true},
          {.op = TIN_OP_CONV1D, .units = 9, .kernel = 3, .stride = 2, .dilation = 3, .depthwise = true},
          {.op = TIN_OP_CONV1D, .units = 5}, {.op = TIN_OP_DENSE});
}

static void check_recurrent(tin_op op, bool reset_before)
{
    CHECK({.op = op, .units = 11, .reset_before = reset_before}, {.op = TIN_OP_DENSE});
    CHECK({.op = op, .units = 5, .reset_before = reset_before}, {.op = op, .units = 6, .reset_before = reset_before},
          {.op = TIN_OP_CONV1D, .units = 4, .kernel = 3, .stride = 2}, {.op = TIN_OP_DENSE});
}

static void gru(void **unused)
{
    (void)unused;
    check_recurrent(TIN_OP_GRU, false);
}

static void gru_reset_before(void **unused)
{
    (void)unused;
    check_recurrent(TIN_OP_GRU, true);
}

static void lstm(void **unused)
{
    (void)unused;
    check_recurrent(TIN_OP_LSTM, false);
}

static void mgu(void **unused)
{
    (void)unused;
    check_recurrent(TIN_OP_MGU, false);
}

static void min_gru(void **unused)
{
    (void)unused;
    check_recurrent(TIN_OP_MIN_GRU, false);
}

static void avg_pool(void **unused)
{
    (void)unused;
    CHECK({.op = TIN_OP_DENSE, .units = 5}, {.op = TIN_OP_AVG_POOL, .kernel = 4, .stride = 2},
          {.op = TIN_OP_AVG_POOL, .kernel = 3}, {.op = TIN_OP_DENSE});
}

static void batch_norm(void **unused)
{
    (void)unused;
    CHECK({.op = TIN_OP_CONV1D, .units = 6, .kernel = 3}, {.op = TIN_OP_BATCH_NORM},
          {.op = TIN_OP_CONV1D, .units = 5, .kernel = 3, .stride = 2}, {.op = TIN_OP_BATCH_NORM}, {.op = TIN_OP_DENSE});
    CHECK({.op = TIN_OP_BATCH_NORM}, {.op = TIN_OP_DENSE});
}

static void relu(void **unused)
{
    (void)unused;
    CHECK({.op = TIN_OP_CONV1D, .units = 8, .kernel = 3}, {.op = TIN_OP_RELU},
          {.op = TIN_OP_CONV1D, .units = 5, .kernel = 3, .stride = 2}, {.op = TIN_OP_BATCH_NORM}, {.op = TIN_OP_RELU},
          {.op = TIN_OP_GRU, .units = 5}, {.op = TIN_OP_RELU}, {.op = TIN_OP_DENSE});
}

static void dropout(void **unused)
{
    (void)unused;
    CHECK({.op = TIN_OP_DENSE, .units = 6}, {.op = TIN_OP_DROPOUT, .rate = 0.3f}, {.op = TIN_OP_GRU, .units = 5},
          {.op = TIN_OP_DROPOUT, .rate = 0.2f}, {.op = TIN_OP_DENSE});
}

static void mask(void **unused)
{
    (void)unused;
    CHECK({.op = TIN_OP_DENSE, .units = 6}, {.op = TIN_OP_MASK, .bands = 3, .rows = 4, .count = 1},
          {.op = TIN_OP_GRU, .units = 5}, {.op = TIN_OP_DENSE});
}

/* The loss of one step of dense, mask, dense with the weights of a model without the mask. */
static double masked_loss(int bands, int rows)
{
    const tin_layer_spec masked[] = {{.op = TIN_OP_DENSE, .units = 6},
                                     {.op = TIN_OP_MASK, .bands = bands, .rows = rows, .count = 2},
                                     {.op = TIN_OP_DENSE}};
    const tin_layer_spec plain[] = {{.op = TIN_OP_DENSE, .units = 6}, {.op = TIN_OP_DENSE}};
    bool with = bands >= 0;
    tin_model *model = with ? test_model(masked, 3, 3, 4, 21) : test_model(plain, 2, 3, 4, 21);
    bench b;
    bench_open(&b, model, TIN_ISA_DOUBLE, 1);
    float *params = tin_alloc(model->n_params, sizeof *params, NULL);
    double *gradient = tin_alloc(model->n_params, sizeof *gradient, NULL);
    for (size_t i = 0; i < model->n_params; i++) {
        params[i] = (float)((i * 37) % 19) / 19 - 0.45f;
    }
    double loss = bench_step(&b, params, gradient);
    tin_free(params);
    tin_free(gradient);
    bench_close(&b);
    tin_model_free(model);
    return loss;
}

/* Masks of no width change nothing, either kind alone changes the loss, and the same seed gives the same masks. */
static void mask_acts(void **unused)
{
    (void)unused;
    double plain = masked_loss(-1, 0), channels = masked_loss(3, 0), rows = masked_loss(0, 5);
    assert_true(masked_loss(0, 0) == plain);
    assert_true(fabs(channels - plain) > 1e-6 && fabs(rows - plain) > 1e-6 && channels != rows);
    assert_true(masked_loss(3, 0) == channels && masked_loss(0, 5) == rows);
}

static void max_pool(void **unused)
{
    (void)unused;
    CHECK({.op = TIN_OP_DENSE, .units = 5}, {.op = TIN_OP_MAX_POOL, .kernel = 4, .stride = 2},
          {.op = TIN_OP_MAX_POOL, .kernel = 3}, {.op = TIN_OP_DENSE});
    CHECK({.op = TIN_OP_MAX_POOL, .kernel = 2, .stride = 3}, {.op = TIN_OP_DENSE, .units = 4},
          {.op = TIN_OP_MAX_POOL, .kernel = 1, .stride = 2}, {.op = TIN_OP_DENSE});
}

static void ema(void **unused)
{
    (void)unused;
    CHECK({.op = TIN_OP_DENSE, .units = 5}, {.op = TIN_OP_EMA, .shift = 1}, {.op = TIN_OP_EMA, .shift = 3},
          {.op = TIN_OP_DENSE});
}

static void activations(void **unused)
{
    (void)unused;
    CHECK({.op = TIN_OP_CONV1D, .units = 8, .kernel = 3}, {.op = TIN_OP_SIGMOID},
          {.op = TIN_OP_CONV1D, .kernel = 3, .depthwise = true}, {.op = TIN_OP_TANH}, {.op = TIN_OP_DENSE, .units = 9},
          {.op = TIN_OP_BATCH_NORM}, {.op = TIN_OP_TANH}, {.op = TIN_OP_DENSE});
    CHECK({.op = TIN_OP_CONV1D, .units = 8, .kernel = 3}, {.op = TIN_OP_HARD_SIGMOID}, {.op = TIN_OP_DENSE, .units = 9},
          {.op = TIN_OP_BATCH_NORM}, {.op = TIN_OP_HARD_TANH}, {.op = TIN_OP_DENSE});
    CHECK({.op = TIN_OP_BATCH_NORM}, {.op = TIN_OP_RELU6}, {.op = TIN_OP_GRU, .units = 5}, {.op = TIN_OP_SIGMOID},
          {.op = TIN_OP_HARD_SIGMOID}, {.op = TIN_OP_TANH}, {.op = TIN_OP_DENSE});
}

#define FROM(...) .from = {__VA_ARGS__}, .n_from = (int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *))

static void add(void **unused)
{
    (void)unused;
    CHECK({.op = TIN_OP_DENSE, .units = 6, .name = "a"}, {.op = TIN_OP_CONV1D, .units = 6, .kernel = 3, .name = "b"},
          {.op = TIN_OP_ADD, FROM("a", "b")}, {.op = TIN_OP_RELU}, {.op = TIN_OP_DENSE});
    CHECK({.op = TIN_OP_DENSE, .units = 6, .name = "a"}, {.op = TIN_OP_CONV1D, .units = 6, .kernel = 3, .name = "b"},
          {.op = TIN_OP_ADD, FROM("a", "b", "b", "a")}, {.op = TIN_OP_TANH}, {.op = TIN_OP_DENSE});
    CHECK({.op = TIN_OP_ADD, FROM("input", "input")}, {.op = TIN_OP_DENSE});
}

static void multiply(void **unused)
{
    (void)unused;
    CHECK({.op = TIN_OP_DENSE, .units = 6, .name = "a"}, {.op = TIN_OP_EMA, .shift = 2},
          {.op = TIN_OP_DENSE, .units = 6}, {.op = TIN_OP_HARD_SIGMOID, .name = "gate"},
          {.op = TIN_OP_MULTIPLY, FROM("gate", "a"), .name = "m"}, {.op = TIN_OP_MULTIPLY, FROM("m", "m")},
          {.op = TIN_OP_DENSE});
}

static void concat(void **unused)
{
    (void)unused;
    CHECK({.op = TIN_OP_CONV1D, .units = 5, .kernel = 3, .stride = 2, .name = "a"},
          {.op = TIN_OP_AVG_POOL, .kernel = 4, .stride = 2, FROM("input"), .name = "b"},
          {.op = TIN_OP_CONCAT, FROM("a", "b", "a"), .name = "c"}, {.op = TIN_OP_GRU, .units = 4},
          {.op = TIN_OP_CONCAT, FROM("c", "gru_4")}, {.op = TIN_OP_DENSE});
}

/* Readers of one tensor with histories of their own, each kind of them the first and the last that gives its gradient. */
static void many_readers(void **unused)
{
    (void)unused;
    CHECK({.op = TIN_OP_GRU, .units = 6, .name = "a"}, {.op = TIN_OP_CONV1D, .units = 4, .kernel = 5, FROM("a")},
          {.op = TIN_OP_CONV1D, .kernel = 2, .dilation = 7, .depthwise = true, FROM("a"), .name = "d"},
          {.op = TIN_OP_MAX_POOL, .kernel = 3, FROM("a"), .name = "m"},
          {.op = TIN_OP_AVG_POOL, .kernel = 9, FROM("a"), .name = "p"},
          {.op = TIN_OP_EMA, .shift = 1, FROM("a"), .name = "e"}, {.op = TIN_OP_BATCH_NORM, FROM("a"), .name = "n"},
          {.op = TIN_OP_GRU, .units = 3, FROM("a"), .name = "g"},
          {.op = TIN_OP_DROPOUT, .rate = 0.2f, FROM("a"), .name = "o"}, {.op = TIN_OP_TANH, FROM("a"), .name = "t"},
          {.op = TIN_OP_CONCAT, FROM("conv1d_2", "d", "m", "p", "e", "n", "g", "o"), .name = "c"},
          {.op = TIN_OP_CONCAT, FROM("c", "t")}, {.op = TIN_OP_DENSE});
}

static void focal_loss(void **unused)
{
    (void)unused;
    for (int i = 0; i < 3; i++) {
        focal = (const double[]){0.5, 1, 3}[i];
        CHECK({.op = TIN_OP_CONV1D, .units = 6, .kernel = 3, .stride = 2}, {.op = TIN_OP_DENSE});
    }
    focal = 0;
}

static const tin_layer_spec everything[] = {{.op = TIN_OP_CONV1D, .units = 24, .kernel = 7, .stride = 2},
                                            {.op = TIN_OP_BATCH_NORM},
                                            {.op = TIN_OP_RELU},
                                            {.op = TIN_OP_CONV1D, .kernel = 5, .stride = 2, .depthwise = true},
                                            {.op = TIN_OP_CONV1D, .units = 18, .kernel = 2, .dilation = 3},
                                            {.op = TIN_OP_RELU},
                                            {.op = TIN_OP_AVG_POOL, .kernel = 2},
                                            {.op = TIN_OP_GRU, .units = 14},
                                            {.op = TIN_OP_DROPOUT, .rate = 0.1f},
                                            {.op = TIN_OP_DENSE}};
#define N_EVERYTHING ((int)(sizeof everything / sizeof *everything))

static double *gradient_on(const tin_layer_spec *layers, int n_layers, tin_isa isa, int threads, double *loss)
{
    tin_model *model = test_model(layers, n_layers, 3, 4, 22);
    bench b;
    bench_open(&b, model, isa, threads);
    double *gradient = tin_alloc(model->n_params, sizeof *gradient, NULL);
    *loss = bench_step(&b, model->params, gradient);
    bench_close(&b);
    tin_model_free(model);
    return gradient;
}

static void compare_with_double(const tin_layer_spec *layers, int n_layers)
{
    double exact_loss, loss;
    double *exact = gradient_on(layers, n_layers, TIN_ISA_DOUBLE, 1, &exact_loss);
    tin_model *model = test_model(layers, n_layers, 3, 4, 22);
    int n_isas = 0;
    for (int isa = TIN_ISA_AUTO; isa < TIN_ISA_DOUBLE; isa++) {
        if (!tin_isa_kernel((tin_isa)isa)) {
            continue;
        }
        double *gradient = gradient_on(layers, n_layers, (tin_isa)isa, 1, &loss), most = 0, difference = 0;
        assert_true(fabs(loss - exact_loss) < 2e-6 * exact_loss);
        for (size_t i = 0; i < model->n_params; i++) {
            most = fmax(most, fabs(exact[i]));
            difference = fmax(difference, fabs(exact[i] - gradient[i]));
        }
        bool parts =
            tin_isa_kernel((tin_isa)isa) == tin_isa_kernel(TIN_ISA_AMX); /* factors of 17 bits, kernel_tile.h */
        if (difference > (parts ? 1e-5 : 3e-6) * most) {
            fail_msg("%s, %d units: gradient is off by %g of %g", tin_isa_kernel((tin_isa)isa)->name, layers[0].units,
                     difference, most);
        }
        tin_free(gradient);
        n_isas++;
    }
    assert_true(n_isas >= 2);
    tin_free(exact);
    tin_model_free(model);
}

static void float_is_double(void **unused)
{
    (void)unused;
    compare_with_double(everything, N_EVERYTHING);
    focal = 2;
    compare_with_double(everything, N_EVERYTHING);
    focal = 0;
}

static const tin_layer_spec cells[] = {{.op = TIN_OP_GRU},
                                       {.op = TIN_OP_GRU, .reset_before = true},
                                       {.op = TIN_OP_LSTM},
                                       {.op = TIN_OP_MGU},
                                       {.op = TIN_OP_MIN_GRU}};
#define N_CELLS (sizeof cells / sizeof *cells)

/* Every block of units and of rows that a kernel is compiled for, and more than one of them. */
static void cells_of_every_width(void **unused)
{
    (void)unused;
    const int more[] = {32, 38, 48, 50};
    for (size_t i = 0; i < N_CELLS; i++) {
        for (int k = 1; k <= 26 + 4; k++) {
            tin_layer_spec layers[] = {cells[i], {.op = TIN_OP_DENSE}};
            layers[0].units = k <= 26 ? k : more[k - 27];
            compare_with_double(layers, 2);
        }
    }
}

/* Cells that no dense reads: another cell does, or a conv with history. The first one gives its input a gradient. */
static void cells_in_a_row(void **unused)
{
    (void)unused;
    const int widths[] = {6, 8, 16, 24, 32, 48};
    for (size_t i = 0; i < N_CELLS; i++) {
        for (size_t k = 0; k < sizeof widths / sizeof *widths; k++) {
            tin_layer_spec layers[] = {{.op = TIN_OP_CONV1D, .units = 5, .kernel = 3},
                                       cells[i],
                                       cells[(i + 1) % N_CELLS],
                                       {.op = TIN_OP_CONV1D, .units = 5, .kernel = 2},
                                       {.op = TIN_OP_DENSE}};
            layers[1].units = layers[2].units = widths[k];
            compare_with_double(layers, 5);
        }
    }
}

/* Every block of channels, whole and in part; runs of channels that overlap, that lie apart and that begin at odd ones; a
 * tensor that two layers read. */
static void convolutions_of_every_width(void **unused)
{
    (void)unused;
    const int widths[][2] = {{12, 8}, {13, 16}, {16, 31}, {24, 33}, {47, 12}, {70, 17}};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        for (int kind = 0; kind < 6; kind++) {
            const int kernel = (const int[]){1, 5, 3, 2, 4, 3}[kind], stride = (const int[]){1, 2, 3, 1, 2, 1}[kind];
            const int dilation = (const int[]){1, 1, 1, 5, 1, 2}[kind];
            tin_layer_spec layers[] = {
                {.op = TIN_OP_CONV1D, .units = widths[i][0], .kernel = 5, .name = "a"},
                {.op = TIN_OP_TANH,
                 .name = "b"}, /* no relu: where its input is near 0, a rounding error moves a gradient */
                {.op = TIN_OP_CONV1D, .units = widths[i][1], .kernel = kernel, .stride = stride, .dilation = dilation},
                {.op = TIN_OP_TANH, .name = "c"},
                {.op = TIN_OP_CONV1D, .units = widths[i][1], .kernel = 2, .stride = stride, FROM("b"), .name = "d"},
                {.op = TIN_OP_ADD, FROM("c", "d")},
                {.op = TIN_OP_DENSE}};
            compare_with_double(layers, (int)(sizeof layers / sizeof *layers));
        }
    }
}

static void threads_do_not_matter(void **unused)
{
    (void)unused;
    double loss[3];
    tin_model *model = test_model(everything, N_EVERYTHING, 3, 4, 22);
    double *one = gradient_on(everything, N_EVERYTHING, TIN_ISA_AUTO, 1, &loss[0]);
    for (int threads = 2; threads <= 3; threads++) {
        double *more = gradient_on(everything, N_EVERYTHING, TIN_ISA_AUTO, threads, &loss[1]);
        assert_memory_equal(one, more, model->n_params * sizeof *one);
        assert_memory_equal(&loss[0], &loss[1], sizeof loss[0]);
        tin_free(more);
    }
    tin_free(one);
    tin_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conv1d_dense),
        cmocka_unit_test(conv1d_dilated),
        cmocka_unit_test(conv1d_depthwise),
        cmocka_unit_test(gru),
        cmocka_unit_test(gru_reset_before),
        cmocka_unit_test(lstm),
        cmocka_unit_test(mgu),
        cmocka_unit_test(min_gru),
        cmocka_unit_test(focal_loss),
        cmocka_unit_test(avg_pool),
        cmocka_unit_test(batch_norm),
        cmocka_unit_test(relu),
        cmocka_unit_test(dropout),
        cmocka_unit_test(mask),
        cmocka_unit_test(mask_acts),
        cmocka_unit_test(max_pool),
        cmocka_unit_test(ema),
        cmocka_unit_test(activations),
        cmocka_unit_test(add),
        cmocka_unit_test(multiply),
        cmocka_unit_test(concat),
        cmocka_unit_test(many_readers),
        cmocka_unit_test(float_is_double),
        cmocka_unit_test(cells_of_every_width),
        cmocka_unit_test(cells_in_a_row),
        cmocka_unit_test(convolutions_of_every_width),
        cmocka_unit_test(threads_do_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
