/* The ops log_variance, high_pass, difference and magnitude against a second implementation
 * (scripts/golden/model_features.py), by hand, and what their shapes may be. */
#include "model_support.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "model/feature.h"
#include "model/log_variance.h"
#include "model/motion.h"

#define CHANNELS 6

/* All rows of the golden tensor `name`, twice: the second time after a reset. */
static void compare(const tin_safetensors *golden, const char *name, tin_feature_shape shape)
{
    const tin_tensor *counts = tin_safetensors_find(golden, "counts"), *want = tin_safetensors_find(golden, name);
    tin_feature *f = NULL;
    assert_non_null(want);
    shape.n_channels = CHANNELS;
    assert_null(tin_feature_mend(&shape));
    assert_int_equal(tin_feature_width(&shape), want->shape[1]);
    assert_int_equal(tin_feature_create(&f, &shape, NULL), TIN_OK);
    size_t bytes = tin_feature_state_bytes(f);
    void *state = tin_alloc(1, bytes, NULL);
    for (int pass = 0; pass < 2; pass++) {
        const int32_t *row = want->data;
        int32_t values[CHANNELS];
        for (int64_t t = 0; t < counts->shape[0]; t++) {
            if (!tin_feature_step(f, state, (const int16_t *)counts->data + t * CHANNELS, values))
                continue;
            for (int i = 0; i < want->shape[1]; i++) {
                assert_int_equal(values[i], *row++);
                assert_true(values[i] >= -tin_feature_bound(shape.op) && values[i] <= tin_feature_bound(shape.op));
            }
        }
        assert_ptr_equal(row, (const int32_t *)want->data + want->shape[0] * want->shape[1]);
        memset(state, 0, bytes);
    }
    tin_free(state);
    tin_feature_free(f);
}

static void values_equal_the_second_implementation(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        tin_feature_shape shape;
    } cases[] = {
        {"log_variance.1.8", {.op = TIN_OP_LOG_VARIANCE, .kernel = 1, .stride = 8}},
        {"log_variance.5.20", {.op = TIN_OP_LOG_VARIANCE, .kernel = 5, .stride = 20}},
        {"log_variance.2.150", {.op = TIN_OP_LOG_VARIANCE, .kernel = 2, .stride = 150}},
        {"log_variance.16.1", {.op = TIN_OP_LOG_VARIANCE, .kernel = 16, .stride = 1}},
        {"high_pass.1", {.op = TIN_OP_HIGH_PASS, .shift = 1}},
        {"high_pass.4", {.op = TIN_OP_HIGH_PASS, .shift = 4}},
        {"high_pass.12", {.op = TIN_OP_HIGH_PASS, .shift = 12}},
        {"difference.1", {.op = TIN_OP_DIFFERENCE, .lag = 1}},
        {"difference.7", {.op = TIN_OP_DIFFERENCE, .lag = 7}},
        {"magnitude.0", {.op = TIN_OP_MAGNITUDE}},
        {"magnitude.5", {.op = TIN_OP_MAGNITUDE, .shift = 5}},
    };
    tin_safetensors *golden = NULL;
    assert_int_equal(tin_safetensors_read(&golden, test_path(TEST_FILES, "features", ".golden.safetensors"), NULL),
                     TIN_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        compare(golden, cases[i].name, cases[i].shape);
    tin_safetensors_free(golden);
}

static int32_t one_value(tin_feature_shape shape, const int16_t *counts, int n_frames)
{
    tin_feature *f = NULL;
    int64_t state[64] = {0};
    int32_t values[3] = {0};
    assert_int_equal(tin_feature_create(&f, &shape, NULL), TIN_OK);
    assert_true(tin_feature_state_bytes(f) <= sizeof state);
    for (int t = 0; t < n_frames; t++)
        (void)tin_feature_step(f, state, counts + t * shape.n_channels, values);
    tin_feature_free(f);
    return values[0];
}

/* 3-4-0 is 5 counts, 40 eighths; +-1000 has the variance 10^6 = 2^19.93, L counts 159 eighths for 10^6 + 1. */
static void rows_by_hand(void **state)
{
    (void)state;
    const tin_feature_shape length = {.op = TIN_OP_MAGNITUDE, .n_channels = 3};
    const tin_feature_shape spread = {.op = TIN_OP_LOG_VARIANCE, .n_channels = 1, .kernel = 1, .stride = 4};
    const tin_feature_shape moved = {.op = TIN_OP_HIGH_PASS, .n_channels = 1, .shift = 2};
    assert_int_equal(one_value(length, (const int16_t[]){3, -4, 0}, 1), 40);
    assert_int_equal(one_value(length, (const int16_t[]){-32768, -32768, -32768}, 1), 8 * 56755);
    assert_int_equal(one_value(spread, (const int16_t[]){7, 7, 7, 7}, 4), -112);
    assert_int_equal(one_value(spread, (const int16_t[]){1000, -1000, 1000, -1000}, 4), 159 - 112);
    assert_int_equal(one_value(spread, (const int16_t[]){-32768, 32767, -32768, 32767}, 4), 127);
    assert_int_equal(one_value(moved, (const int16_t[]){500, 500, 500}, 3), 0); /* at rest from the first frame on */
    assert_int_equal(one_value(moved, (const int16_t[]){500, 504}, 2), 32);
    assert_int_equal(one_value(moved, (const int16_t[]){500, 504, 504}, 3), 24); /* a quarter of it has gone */
}

static void model_refuses(const tin_layer_spec *spec, int n_channels, const char *word)
{
    test_dataset d;
    tin_model *m = NULL;
    tin_error err = {0};
    test_dataset_fill(&d, n_channels, 2);
    const tin_layer_spec layers[] = {*spec, {.op = TIN_OP_DENSE}};
    assert_int_equal(tin_model_create(&m, &d.dataset, layers, 2, &err), TIN_ERR_MODEL);
    if (!strstr(err.message, word))
        fail_msg("%s", err.message);
}

static void shapes_without_meaning_are_refused(void **state)
{
    (void)state;
    model_refuses(&(tin_layer_spec){.op = TIN_OP_MAGNITUDE}, 4, "by threes");
    model_refuses(&(tin_layer_spec){.op = TIN_OP_MAGNITUDE, .shift = 13}, 3, "shift is 13");
    model_refuses(&(tin_layer_spec){.op = TIN_OP_HIGH_PASS}, 3, "shift is 0");
    model_refuses(&(tin_layer_spec){.op = TIN_OP_DIFFERENCE, .kernel = 2}, 3, "kernel is 2");
    model_refuses(&(tin_layer_spec){.op = TIN_OP_LOG_VARIANCE, .kernel = 3}, 3, "4 to 16384");
    model_refuses(&(tin_layer_spec){.op = TIN_OP_LOG_VARIANCE, .kernel = 1024, .stride = 17}, 3, "4 to 16384");
}

/* What does not give a logarithm has the unit of its channel's scaling, and keeps its settings in the file. */
static void a_model_keeps_units_and_settings(void **state)
{
    (void)state;
    const tin_layer_spec layers[] = {
        {.op = TIN_OP_HIGH_PASS, .shift = 3, .name = "moved"},
        {.op = TIN_OP_DIFFERENCE, .dilation = 9, .from = {"input"}, .n_from = 1, .name = "jerk"},
        {.op = TIN_OP_MAGNITUDE, .shift = 2, .from = {"input"}, .n_from = 1, .name = "length"},
        {.op = TIN_OP_CONCAT, .from = {"moved", "jerk", "length"}, .n_from = 3},
        {.op = TIN_OP_DENSE}};
    static const int16_t frames[] = {100, 0, 0, 100, 16, 0};
    test_dataset d;
    tin_model *m = NULL, *loaded = NULL;
    tin_float_runner *runner = NULL;
    tin_error err = {0};
    float scores[2];
    test_dataset_fill(&d, 3, 2);
    assert_ok(tin_model_create(&m, &d.dataset, layers, 5, &err), &err);
    m->input.offset[1] = 50;
    m->input.scale[0] = 0.5f;
    m->input.scale[1] = 0.25f;
    assert_ok(tin_model_save(m, test_path(TEST_TEMPORARY, "motion", ""), &err), &err);
    assert_ok(tin_model_load(&loaded, test_path(TEST_TEMPORARY, "motion", ""), &err), &err);
    assert_int_equal(loaded->layers[0].shift, 3);
    assert_int_equal(loaded->layers[1].dilation, 9);
    assert_int_equal(loaded->layers[2].shift, 2);
    assert_int_equal(loaded->layers[2].n_outputs, 1);
    assert_ok(tin_float_runner_create(&runner, loaded, &err), &err);
    assert_int_equal(tin_float_runner_step(runner, frames, scores), 1);
    assert_int_equal(tin_float_runner_step(runner, frames + 3, scores), 1);
    const float *row = tin_float_runner_output(runner, 3);
    assert_true(row[0] == 0 && row[1] == 4 && row[2] == 0); /* 16 counts of 0.25 */
    assert_true(row[3] == 0 && row[4] == 4 && row[5] == 0);
    assert_true(row[6] == 8); /* 16 counts of the first channel's 0.5 */
    tin_float_runner_free(runner);
    tin_model_free(loaded);
    tin_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_equal_the_second_implementation),
        cmocka_unit_test(rows_by_hand),
        cmocka_unit_test(shapes_without_meaning_are_refused),
        cmocka_unit_test(a_model_keeps_units_and_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
