/* Optimisers and schedules against PyTorch (scripts/golden/optimisers.py). */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include <math.h>
#include <string.h>

#include "model/safetensors.h"
#include "train/optimiser.h"
#include "train_models.h"

#define N 16
#define STEPS 6
#define SCHEDULED 40

static const tin_layer_spec layers[] = {{.op = TIN_OP_DENSE}};
static tin_safetensors *file;

static int open_file(void **unused)
{
    (void)unused;
    tin_error err = {0};
    return tin_safetensors_read(&file, TEST_FILES "/optimisers.safetensors", &err);
}

static int close_file(void **unused)
{
    (void)unused;
    tin_safetensors_free(file);
    return 0;
}

static const float *golden(const char *name)
{
    const tin_tensor *t = tin_safetensors_find(file, name);
    assert_non_null(t);
    return t->data;
}

static void check_optimiser(const char *name, const tin_config_train *settings)
{
    tin_model *model = test_model(layers, 1, 3, 4, 1);
    tin_optimiser o = {0};
    assert_int_equal(model->n_params, N);
    assert_int_equal(tin_optimiser_create(&o, model, NULL), TIN_OK);
    memcpy(model->params, golden("start"), N * sizeof *model->params);
    for (int step = 0; step < STEPS; step++) {
        double gradient[N];
        for (int i = 0; i < N; i++) {
            gradient[i] = (double)golden("gradients")[step * N + i];
        }
        tin_optimiser_update(&o, settings, step, tin_optimiser_norm(&o, gradient), gradient, model->params);
        for (int i = 0; i < N; i++) {
            double expected = (double)golden(name)[step * N + i], got = (double)model->params[i];
            if (fabs(got - expected) > 1e-6) {
                fail_msg("%s, step %d: parameter %d is %.9g, PyTorch %.9g", name, step, i, got, expected);
            }
        }
    }
    tin_optimiser_free(&o);
    tin_model_free(model);
}

static void updates_are_pytorch(void **unused)
{
    (void)unused;
    tin_config_train settings = {
        .steps = 10, .learning_rate = 0.05, .weight_decay = 0.1, .momentum = 0.8, .schedule = (char[]){"constant"}};
    check_optimiser("adamw", &settings);
    settings.optimiser = (char[]){"adamw"};
    check_optimiser("adamw", &settings);
    settings.optimiser = (char[]){"adam"};
    check_optimiser("adam", &settings);
    settings.optimiser = (char[]){"sgd"};
    check_optimiser("sgd", &settings);
    settings.nesterov = true;
    check_optimiser("nesterov", &settings);
}

static void schedules_are_pytorch(void **unused)
{
    (void)unused;
    char names[][12] = {"cosine", "linear", "step", "one_cycle"};
    for (int k = 0; k < 4; k++) {
        tin_config_train settings = {.steps = SCHEDULED,
                                     .learning_rate = 0.05,
                                     .final_rate = 0.02,
                                     .decay_every = 7,
                                     .decay_factor = 0.3,
                                     .schedule = names[k]};
        for (int step = 0; step < SCHEDULED; step++) {
            double expected = (double)golden(names[k])[step], got = tin_optimiser_rate(&settings, step);
            if (fabs(got - expected) > 1e-6 * expected + 1e-9) {
                fail_msg("%s, step %d: %.9g, PyTorch %.9g", names[k], step, got, expected);
            }
        }
    }
    /* no schedule of one or two steps divides by zero */
    for (int steps = 1; steps < 5; steps++) {
        tin_config_train settings = {.steps = steps, .learning_rate = 1, .schedule = names[3]};
        for (int step = 0; step < steps; step++) {
            double rate = tin_optimiser_rate(&settings, step);
            assert_true(rate > 0 && rate <= 1);
        }
    }
    tin_config_train warm = {.steps = 100, .learning_rate = 1, .warmup = 4, .schedule = (char[]){"constant"}};
    assert_true(fabs(tin_optimiser_rate(&warm, 1) - 0.5) < 1e-12 && tin_optimiser_rate(&warm, 50) == 1);
    assert_int_equal(tin_schedule_from_name("polynomial"), TIN_SCHEDULE_COUNT);
    assert_int_equal(tin_optimiser_from_name("lion"), TIN_OPTIMISER_COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(updates_are_pytorch),
        cmocka_unit_test(schedules_are_pytorch),
    };
    return cmocka_run_group_tests(tests, open_file, close_file);
}
