/* Recordings that are too short for the model's strides are refused before training, with the mend. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include <stdio.h>
#include <string.h>

#include "train/train.h"
#include "train_data.h"

static const tin_config_train settings = {.steps = 2,
                                          .batch = 2,
                                          .chunk = 64,
                                          .stateful = true,
                                          .metric = (char[]){"accuracy"},
                                          .optimiser = (char[]){"adamw"},
                                          .schedule = (char[]){"cosine"},
                                          .learning_rate = 1e-3,
                                          .clip = 1,
                                          .evaluate_every = 1,
                                          .checkpoint_every = 2};

static tin_status train_on(const char *file, int64_t n_frames, tin_error *err)
{
    const tin_layer_spec layers[] = {{.op = TIN_OP_CONV1D, .units = 4, .kernel = 5, .stride = 64},
                                     {.op = TIN_OP_DENSE}};
    tin_dataset *dataset = test_dataset(file, 14, n_frames);
    tin_model *model = NULL;
    tin_pool *pool = NULL;
    tin_train_result result;
    assert_int_equal(tin_model_create(&model, dataset, layers, 2, err), TIN_OK);
    assert_int_equal(tin_model_fit_input(model, dataset, err), TIN_OK);
    assert_int_equal(tin_pool_create(&pool, 1, err), TIN_OK);
    const tin_train_options options = {
        .settings = settings, .seed = 1, .pool = pool, .folder = TEST_TEMPORARY, .name = "short", .quiet = true};
    const tin_status status = tin_train(model, dataset, &options, &result, err);
    tin_pool_destroy(pool);
    tin_model_free(model);
    tin_dataset_close(dataset);
    return status;
}

static void a_stride_longer_than_every_recording_is_refused(void **unused)
{
    (void)unused;
    tin_error err = {0};
    assert_int_equal(train_on(TEST_TEMPORARY "/short.tind", 63, &err), TIN_ERR_MODEL);
    assert_non_null(strstr(err.message, "decides every 64 frames, but the longest recording of the training people has "
                                        "63; give layers smaller strides"));
    err = (tin_error){0};
    remove(TEST_TEMPORARY "/short_checkpoint.safetensors"); /* of an earlier run, maybe with other kernels */
    const tin_status status = train_on(TEST_TEMPORARY "/long.tind", 640, &err);
    if (status) {
        fail_msg("%s", tin_error_text(&err));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_stride_longer_than_every_recording_is_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
