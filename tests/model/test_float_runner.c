/* The float reference against PyTorch (scripts/golden/model_float.py). */
#include "model_support.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "model/float_product.h"

static const char *const models[] = {"float_conv", "float_gru",   "float_long_stride", "float_one",
                                     "float_wide", "float_graph", "float_recurrent"};
#define N_MODELS (sizeof models / sizeof *models)

/* Largest difference to the golden scores; also checks when decisions fall. */
static double compare(const tin_model *m, const tin_safetensors *golden)
{
    tin_float_runner *runner = NULL;
    const tin_tensor *counts = tin_safetensors_find(golden, "counts"), *want = tin_safetensors_find(golden, "scores");
    float scores[MAX_TEST_CLASSES];
    double greatest = 0;
    int64_t decision = 0;
    assert_int_equal(tin_float_runner_create(&runner, m, NULL), TIN_OK);
    for (int pass = 0; pass < 2; pass++) { /* the second after a reset: nothing may be left of the first */
        decision = 0;
        for (int64_t t = 0; t < counts->shape[0]; t++) {
            const int16_t *frame = (const int16_t *)counts->data + t * m->n_channels;
            int due = tin_float_runner_step(runner, frame, scores);
            assert_int_equal(due, (t + 1) % m->hop == 0);
            for (int k = 0; due && k < m->n_classes; k++) {
                double wanted = (double)((const float *)want->data)[decision * m->n_classes + k];
                greatest = fmax(greatest, fabs((double)scores[k] - wanted));
            }
            decision += due;
        }
        tin_float_runner_reset(runner);
    }
    assert_int_equal(decision, want->shape[0]);
    tin_float_runner_free(runner);
    return greatest;
}

static void scores_equal_pytorch(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_MODELS; i++) {
        tin_model *m = NULL, *folded = NULL, *copy = NULL, *back = NULL;
        tin_safetensors *golden = NULL;
        tin_error err = {0};
        assert_ok(tin_model_load(&m, test_path(TEST_FILES, models[i], ""), &err), &err);
        assert_ok(tin_safetensors_read(&golden, test_path(TEST_FILES, models[i], ".golden.safetensors"), &err), &err);
        double plain = compare(m, golden);
        if (plain > 2e-6)
            fail_msg("%s: off by %g", models[i], plain);
        assert_ok(tin_model_fold(&folded, m, &err), &err);
        double after = compare(folded, golden);
        if (after > 1e-5)
            fail_msg("%s, folded: off by %g", models[i], after);
        assert_ok(tin_model_copy(&copy, m, &err), &err);
        assert_true(compare(copy, golden) == plain);
        assert_ok(tin_model_save(m, TEST_TEMPORARY "/back", &err), &err);
        assert_ok(tin_model_load(&back, TEST_TEMPORARY "/back", &err), &err);
        assert_true(compare(back, golden) == plain);
        print_message("%s: %.1e, folded %.1e, %.0f MAC\n", models[i], plain, after, tin_model_macs(m));
        tin_model_free(m);
        tin_model_free(folded);
        tin_model_free(copy);
        tin_model_free(back);
        tin_safetensors_free(golden);
    }
}

/* Causal: what comes later changes nothing; and each layer reports when it fired. */
static void a_prefix_gives_the_same_decisions(void **state)
{
    (void)state;
    tin_model *m = NULL;
    tin_float_runner *a = NULL, *b = NULL;
    tin_error err = {0};
    tin_rng rng;
    float x[MAX_TEST_CLASSES], y[MAX_TEST_CLASSES];
    assert_ok(tin_model_load(&m, test_path(TEST_FILES, "float_conv", ""), &err), &err);
    assert_ok(tin_float_runner_create(&a, m, &err), &err);
    assert_ok(tin_float_runner_create(&b, m, &err), &err);
    tin_rng_seed(&rng, 1);
    for (int t = 0; t < 64; t++) {
        int16_t frame[6], other[6];
        for (int c = 0; c < 6; c++) {
            frame[c] = (int16_t)tin_rng_range(&rng, -3000, 3000);
            other[c] = t < 40 ? frame[c] : (int16_t)-frame[c];
        }
        int due = tin_float_runner_step(a, frame, x);
        assert_int_equal(due, tin_float_runner_step(b, other, y));
        if (due && t < 40)
            assert_memory_equal(x, y, (size_t)m->n_classes * sizeof *x);
        assert_int_equal(tin_float_runner_fired(a, 0), t % 2 == 1);
        assert_int_equal(tin_float_runner_fired(a, m->n_layers - 1), due);
        if (due)
            assert_memory_equal(x, tin_float_runner_output(a, m->n_layers - 1), (size_t)m->n_classes * sizeof *x);
    }
    tin_float_runner_free(a);
    tin_float_runner_free(b);
    tin_model_free(m);
}

/* Bit for bit the sum in the order of the inputs, each product rounded, on whatever this machine has. */
static void products_keep_their_order(void **state)
{
    (void)state;
    static double weight[40 * 100], sums[100];
    float x[40];
    tin_rng rng;
    tin_rng_seed(&rng, 1);
    for (int round = 0; round < 200; round++) {
        const int inputs = 1 + (int)tin_rng_below(&rng, 40), outputs = 1 + (int)tin_rng_below(&rng, 90);
        const int stride = outputs + (int)tin_rng_below(&rng, 10);
        for (int i = 0; i < inputs * stride; i++)
            weight[i] = tin_rng_normal(&rng);
        for (int i = 0; i < inputs; i++)
            x[i] = (float)tin_rng_normal(&rng);
        for (int o = 0; o < outputs; o++)
            sums[o] = o;
        tin_float_product_best()(weight, (size_t)stride, x, inputs, outputs, sums);
        for (int o = 0; o < outputs; o++) {
            volatile double want = o; /* volatile: rounded after each step */
            for (int i = 0; i < inputs; i++) {
                volatile double product = weight[i * stride + o] * (double)x[i];
                want += product;
            }
            assert_true(want == sums[o]);
        }
    }
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    tin_model *m = NULL;
    tin_error err = {0};
    assert_ok(tin_model_load(&m, test_path(TEST_FILES, "float_gru", ""), &err), &err);
    for (size_t n = 1;; n++) {
        tin_float_runner *r = NULL;
        tin_memory_fail_at(n);
        tin_status status = tin_float_runner_create(&r, m, NULL);
        tin_memory_fail_at(0);
        if (!status) {
            assert_true(n > 5);
            tin_float_runner_free(r);
            break;
        }
        assert_int_equal(status, TIN_ERR_MEMORY);
        assert_null(r);
    }
    tin_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_equal_pytorch),
        cmocka_unit_test(a_prefix_gives_the_same_decisions),
        cmocka_unit_test(products_keep_their_order),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("float_runner", tests, NULL, NULL);
}
