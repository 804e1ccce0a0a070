/* What several teachers say, on the lanes of a batch. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "train/teacher.h"
#include "train_data.h"

static tin_dataset *dataset;

static tin_model *fresh_model(uint64_t seed)
{
    static const tin_layer_spec layers[] = {{.op = TIN_OP_CONV1D, .units = 8, .kernel = 5, .stride = 4},
                                            {.op = TIN_OP_RELU},
                                            {.op = TIN_OP_GRU, .units = 8},
                                            {.op = TIN_OP_DENSE}};
    tin_model *model = NULL;
    tin_error err = {0};
    if (tin_model_create(&model, dataset, layers, 4, &err) || tin_model_fit_input(model, dataset, &err)) {
        fail_msg("%s", tin_error_text(&err));
    }
    tin_model_initialise(model, seed);
    return model;
}

/* What the teachers [n] make of targets that name class 0 with the weight 3, in two chunks after one another. */
static void ask_teachers(const tin_model *const *teachers, int n, const tin_model *student, float *target)
{
    enum { LANES = 3, CHUNK = 40 };
    const int n_decisions = LANES * CHUNK / student->hop, n_classes = student->n_classes;
    float x[LANES * CHUNK * TEST_CHANNELS];
    uint8_t reset[LANES] = {1, 1, 1};
    tin_teacher *t = NULL;
    tin_pool *pool = NULL;
    tin_error err = {0};
    assert_int_equal(tin_pool_create(&pool, 2, &err), TIN_OK);
    tin_teacher_settings settings = {teachers, n, student, 1, 1.5, LANES, CHUNK, false, TIN_ISA_AUTO, pool};
    tin_sampler_batch batch = {.ahead = x, .reset = reset};
    assert_int_equal(tin_teacher_create(&t, &settings, &err), TIN_OK);
    void *state = tin_alloc(tin_teacher_state_bytes(t), 1, &err);
    assert_non_null(state);
    for (int chunk = 0; chunk < 2; chunk++) {
        batch.target = target + chunk * n_decisions * n_classes;
        for (int i = 0; i < LANES * CHUNK * TEST_CHANNELS; i++) {
            x[i] = sinf(0.37f * (float)(i + 1000 * chunk));
        }
        for (int i = 0; i < n_decisions * n_classes; i++) {
            batch.target[i] = i % n_classes == 0 ? 3.f : 0.f;
        }
        tin_teacher_run(t, state, &batch);
        memset(reset, 0, sizeof reset);
    }
    tin_free(state);
    tin_teacher_free(t);
    tin_pool_destroy(pool);
}

/* Of several teachers the mean of their opinions counts, each with a state of its own. */
static void teachers_are_averaged(void **unused)
{
    (void)unused;
    dataset = test_dataset(TEST_TEMPORARY "/teacher.tind", 14, 1000);
    tin_model *student = fresh_model(3), *a = fresh_model(3), *b = fresh_model(77);
    const tin_model *const both[] = {a, b}, *const first[] = {a}, *const second[] = {b};
    float said[3][2 * 3 * 40 / 4 * TEST_CLASSES];
    assert_int_equal(student->hop, 4);
    ask_teachers(both, 2, student, said[0]);
    ask_teachers(first, 1, student, said[1]);
    ask_teachers(second, 1, student, said[2]);
    double apart = 0;
    for (size_t i = 0; i < sizeof said[0] / sizeof *said[0]; i++) {
        float mean = (said[1][i] + said[2][i]) / 2;
        if (fabsf(said[0][i] - mean) > 1e-5f) {
            fail_msg("target %zu: %g, the mean of %g and %g is %g", i, (double)said[0][i], (double)said[1][i],
                     (double)said[2][i], (double)mean);
        }
        apart = fmax(apart, fabs((double)said[1][i] - (double)said[2][i]));
    }
    assert_true(apart > 0.05);
    for (size_t j = 0; j < sizeof said[0] / sizeof *said[0]; j += TEST_CLASSES) { /* each weighs what it did */
        double weight = 0;
        for (size_t c = 0; c < TEST_CLASSES; c++) {
            weight += (double)said[0][j + c];
        }
        assert_true(fabs(weight - 3) < 1e-5);
    }
    tin_model_free(student);
    tin_model_free(a);
    tin_model_free(b);
    tin_dataset_close(dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(teachers_are_averaged)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
