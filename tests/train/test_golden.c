/* Three training steps against PyTorch (scripts/golden/train_step.py): loss, gradient, parameters and running
 * statistics, with carried state, resets, batch norm, clipping and AdamW; the same with quantisation in the loop. */
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
#include "model/safetensors.h"
#include "train/engine.h"
#include "train/optimiser.h"
#include "train_models.h"

#define LANES 5
#define CHUNK 24
#define CHANNELS 3
#define CLASSES 4
#define STEPS 3
#define HOP 4

static const tin_layer_spec float_layers[] = {
    {.op = TIN_OP_CONV1D, .units = 7, .kernel = 5, .stride = 2},
    {.op = TIN_OP_BATCH_NORM},
    {.op = TIN_OP_RELU},
    {.op = TIN_OP_CONV1D, .units = 14, .kernel = 3, .stride = 2, .depthwise = true},
    {.op = TIN_OP_CONV1D, .units = 6, .kernel = 2, .dilation = 3},
    {.op = TIN_OP_RELU},
    {.op = TIN_OP_AVG_POOL, .kernel = 3},
    {.op = TIN_OP_GRU, .units = 5},
    {.op = TIN_OP_DENSE}};
static const tin_layer_spec quant_layers[] = {
    {.op = TIN_OP_CONV1D, .units = 7, .kernel = 5, .stride = 2},
    {.op = TIN_OP_RELU},
    {.op = TIN_OP_CONV1D, .units = 14, .kernel = 3, .stride = 2, .depthwise = true},
    {.op = TIN_OP_CONV1D, .units = 6, .kernel = 2, .dilation = 3},
    {.op = TIN_OP_RELU},
    {.op = TIN_OP_AVG_POOL, .kernel = 3},
    {.op = TIN_OP_GRU, .units = 5},
    {.op = TIN_OP_DENSE}};
static const tin_quant_spec quant_spec = {.input_scale = 0.015f,
                                          .output_scale = {0, 0.02f, 0.03f, 0, 0.025f, 0.025f, 1.f / 128, 0}};

static const float *golden(const tin_safetensors *file, const char *name, int step)
{
    char full[40];
    snprintf(full, sizeof full, step < 0 ? "%s" : "%s.%d", name, step);
    const tin_tensor *t = tin_safetensors_find(file, full);
    assert_non_null(t);
    assert_int_equal(t->dtype, TIN_F32);
    return t->data;
}

/* Greatest difference over the greatest value. */
static double difference(const float *expected, const double *got, size_t n)
{
    double most = 0, value = 0;
    for (size_t i = 0; i < n; i++) {
        most = fmax(most, fabs((double)expected[i] - got[i]));
        value = fmax(value, fabs((double)expected[i]));
    }
    return most / value;
}

static void run(const char *path, const tin_layer_spec *layers, int n_layers, const tin_quant_spec *quant, tin_isa isa,
                double tolerance)
{
    tin_error err = {0};
    tin_safetensors *file = NULL;
    tin_pool *pool = NULL;
    tin_engine *engine = NULL;
    tin_optimiser optimiser = {0};
    tin_model *model = test_model(layers, n_layers, CHANNELS, CLASSES, 1);
    size_t n = model->n_params;
    if (tin_safetensors_read(&file, path, &err) || tin_pool_create(&pool, 1, &err)) {
        fail_msg("%s", tin_error_text(&err));
    }
    tin_engine_settings settings = {
        .model = model, .quant = quant, .n_lanes = LANES, .chunk = CHUNK, .isa = isa, .pool = pool};
    if (tin_engine_create(&engine, &settings, &err)) {
        fail_msg("%s", tin_error_text(&err));
    }
    assert_int_equal(tin_optimiser_create(&optimiser, model, &err), TIN_OK);
    tin_config_train train = {.steps = 1 << 30, .learning_rate = 1e-2, .weight_decay = 1e-1, .clip = 0.05};
    memcpy(model->params, golden(file, "params", 0), n * sizeof *model->params);
    void *state = tin_alloc(tin_engine_state_bytes(engine, LANES), 1, NULL);
    double *gradient = tin_alloc(n, sizeof *gradient, NULL), *params = tin_alloc(n, sizeof *params, NULL);
    bool *noise = tin_alloc(n, sizeof *noise, NULL);
    size_t n_x = LANES * CHUNK * CHANNELS, n_targets = LANES * (CHUNK / HOP) * CLASSES;
    for (int step = 1; step <= STEPS; step++) {
        uint8_t reset[LANES];
        double weight = 0;
        const float *target = golden(file, "target", -1) + (size_t)(step - 1) * n_targets;
        for (size_t i = 0; i < n_targets; i++) {
            weight += (double)target[i];
        }
        for (int l = 0; l < LANES; l++) {
            reset[l] = golden(file, "reset", -1)[(step - 1) * LANES + l] > 0;
        }
        tin_engine_batch batch = {golden(file, "x", -1) + (size_t)(step - 1) * n_x, target, weight, reset, 0, 0, NULL};
        double loss = tin_engine_step(engine, model->params, state, &batch, gradient);
        double expected = (double)golden(file, "loss", step)[0];
        if (fabs(loss - expected) > tolerance * expected) {
            fail_msg("step %d: loss %.9g, PyTorch %.9g", step, loss, expected);
        }
        double d = difference(golden(file, "gradient", step), gradient, n);
        if (!(d < 4 * tolerance)) {
            fail_msg("step %d: gradient differs by %g", step, d);
        }
        tin_optimiser_update(&optimiser, &train, step - 1, tin_optimiser_norm(&optimiser, gradient), gradient,
                             model->params);
        /* A bias before batch norm has no gradient but rounding errors, which Adam makes full steps of, and moments go on
         * from them: leave those parameters out from then on. */
        for (size_t i = 0; i < n; i++) {
            double most = fmax(fabs(gradient[i]), fabs((double)golden(file, "gradient", step)[i]));
            noise[i] |= most > 0 && most < 1e-6;
            params[i] = noise[i] ? (double)golden(file, "params", step)[i] : (double)model->params[i];
        }
        d = difference(golden(file, "params", step), params, n);
        if (!(d < 20 * tolerance)) {
            fail_msg("step %d: parameters differ by %g", step, d);
        }
    }
    tin_free(state);
    tin_free(gradient);
    tin_free(params);
    tin_free(noise);
    tin_optimiser_free(&optimiser);
    tin_engine_free(engine);
    tin_pool_destroy(pool);
    tin_safetensors_free(file);
    tin_model_free(model);
}

#define COUNT(layers) ((int)(sizeof(layers) / sizeof *(layers)))

static void float_steps_are_pytorch(void **unused)
{
    (void)unused;
    for (int isa = TIN_ISA_AUTO; isa < TIN_ISA_COUNT; isa++) {
        if (tin_isa_kernel((tin_isa)isa)) {
            run(TEST_FILES "/train_float.safetensors", float_layers, COUNT(float_layers), NULL, (tin_isa)isa, 2e-6);
        }
    }
}

static void quantised_steps_are_pytorch(void **unused)
{
    (void)unused;
    for (int isa = TIN_ISA_AUTO; isa < TIN_ISA_COUNT; isa++) {
        if (tin_isa_kernel((tin_isa)isa)) {
            run(TEST_FILES "/train_quant.safetensors", quant_layers, COUNT(quant_layers), &quant_spec, (tin_isa)isa,
                2e-6);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(float_steps_are_pytorch),
        cmocka_unit_test(quantised_steps_are_pytorch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
