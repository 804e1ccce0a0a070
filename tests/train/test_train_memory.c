/* What is said before a training starts is at least what the training takes, and not far more. The linker puts the
 * counting allocator of this file before the one of base/memory.h (--wrap). */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "train/train.h"
#include "train_data.h"

#define FOLDER TEST_TEMPORARY "/memory"
#define SMALL (1 << 20) /* the allowance of train_memory.c */

static _Atomic size_t now, most;

static void *counted(void *p)
{
    size_t sum = p ? (now += malloc_usable_size(p)) : 0;
    most = sum > most ? sum : most;
    return p;
}

void *__real_tin_alloc(size_t n, size_t size, tin_error *err);
char *__real_tin_strdup(const char *s, tin_error *err);
void __real_tin_free(void *p);
void *__wrap_tin_alloc(size_t n, size_t size, tin_error *err);
void *__wrap_tin_grow(void *p, size_t old_n, size_t new_n, size_t size, tin_error *err);
char *__wrap_tin_strdup(const char *s, tin_error *err);
void __wrap_tin_free(void *p);

void *__wrap_tin_alloc(size_t n, size_t size, tin_error *err)
{
    return counted(__real_tin_alloc(n, size, err));
}

char *__wrap_tin_strdup(const char *s, tin_error *err)
{
    return counted(__real_tin_strdup(s, err));
}

void __wrap_tin_free(void *p)
{
    now -= p ? malloc_usable_size(p) : 0;
    __real_tin_free(p);
}

/* Old and new live side by side for a while. */
void *__wrap_tin_grow(void *p, size_t old_n, size_t new_n, size_t size, tin_error *err)
{
    void *grown = __wrap_tin_alloc(new_n, size, err);
    if (grown && p) {
        memcpy(grown, p, (old_n < new_n ? old_n : new_n) * size);
        __wrap_tin_free(p);
    }
    return grown;
}

#define MODEL(layers) layers, (int)(sizeof layers / sizeof *layers)
static const tin_layer_spec recurrent[] = {{.op = TIN_OP_CONV1D, .units = 8, .kernel = 5, .stride = 2},
                                           {.op = TIN_OP_BATCH_NORM},
                                           {.op = TIN_OP_RELU},
                                           {.op = TIN_OP_GRU, .units = 24},
                                           {.op = TIN_OP_DENSE}};
static const tin_layer_spec wide[] = {{.op = TIN_OP_CONV1D, .units = 64, .kernel = 9, .dilation = 3},
                                      {.op = TIN_OP_RELU},
                                      {.op = TIN_OP_LSTM, .units = 64},
                                      {.op = TIN_OP_DENSE}};
static const tin_layer_spec plain[] = {{.op = TIN_OP_CONV1D, .units = 4, .kernel = 3}, {.op = TIN_OP_DENSE}};

static const tin_config_train usual = {.steps = 6,
                                       .batch = 20,
                                       .chunk = 80,
                                       .stateful = true,
                                       .learning_rate = 1e-3,
                                       .evaluate_every = 3,
                                       .checkpoint_every = 2};

static tin_dataset *dataset;

static tin_model *make_model(const tin_layer_spec *layers, int n_layers)
{
    tin_model *model = NULL;
    tin_error err = {0};
    if (tin_model_create(&model, dataset, layers, n_layers, &err) || tin_model_fit_input(model, dataset, &err)) {
        fail_msg("%s", tin_error_text(&err));
    }
    tin_model_initialise(model, 3);
    return model;
}

static tin_status train(tin_model *model, const tin_train_options *options, tin_error *err)
{
    tin_train_result result;
    return tin_train(model, dataset, options, &result, err);
}

/* Twice: the second run reads the checkpoint of the first. */
static void check(tin_model *model, tin_train_options options, int threads)
{
    tin_error err = {0};
    tin_train_memory said;
    tin_pool *pool = NULL;
    assert_int_equal(tin_pool_create(&pool, threads, &err), TIN_OK);
    options.pool = pool;
    options.name = "train";
    options.quiet = true;
    options.seed = 1;
    remove(FOLDER "/train_checkpoint.safetensors");
    if (tin_train_memory_of(model, dataset, &options, &said, &err)) {
        fail_msg("%s", tin_error_text(&err));
    }
    for (int i = 0; i < 2; i++) {
        size_t before = now;
        most = before;
        tin_model *copy = NULL;
        if (tin_model_copy(&copy, model, &err) || train(copy, &options, &err)) {
            fail_msg("%s", tin_error_text(&err));
        }
        size_t taken = most - before;
        tin_model_free(copy);
        if (said.total < taken || said.total > 2 * taken + SMALL) {
            fail_msg("%zu bytes said (engine %zu, batch %zu, weights %zu, data %zu), %zu taken", said.total,
                     said.engine, said.batch, said.weights, said.data, taken);
        }
    }
    tin_pool_destroy(pool);
}

static void bounds_models_batches_and_threads(void **unused)
{
    (void)unused;
    static const int batches[] = {1, 20, 100}, threads[] = {1, 4, 2};
    tin_model *models[] = {make_model(MODEL(recurrent)), make_model(MODEL(wide)), make_model(MODEL(plain))};
    for (int m = 0; m < 3; m++) {
        for (int b = 0; b < 3; b++) {
            tin_train_options options = {.settings = usual, .folder = b == 2 ? NULL : FOLDER};
            options.settings.batch = batches[b];
            check(models[m], options, threads[b]);
        }
    }
    for (int m = 0; m < 3; m++) {
        tin_model_free(models[m]);
    }
}

static void bounds_settings(void **unused)
{
    (void)unused;
    tin_model *model = make_model(MODEL(recurrent));
    tin_train_options options = {.settings = usual, .folder = FOLDER};
    options.settings.metric = "event_f1";
    options.settings.border_ms = 100;
    options.settings.margin_ms = 100;
    options.settings.average_decay = 0.9;
    options.settings.mixup = 0.2;
    options.settings.steps = 1200; /* a long curve */
    options.settings.evaluate_every = 6;
    check(model, options, 2);
    options = (tin_train_options){.settings = usual, .folder = FOLDER};
    options.settings.windows = true;
    options.settings.history_frames = 76; /* a window of 4 frames: one begins every second frame */
    check(model, options, 2);
    tin_model_free(model);
}

/* What the augmentation keeps: places and events, loudness, and what each thread writes into. */
static void bounds_augmentation(void **unused)
{
    (void)unused;
    tin_model *model = make_model(plain, 2);
    tin_train_options options = {.settings = usual, .folder = FOLDER};
    options.settings.augment.splice = (tin_config_splice){.probability = 1, .every_ms = 100, .fade_ms = 20};
    options.settings.augment.speed = (tin_config_by){1, 0.8};
    options.settings.augment.warp = (tin_config_warp){1, 0.9, 5000};
    options.settings.augment.room = (tin_config_room){1, {2000, 2000}, {3, 3}};
    options.settings.augment.background = (tin_config_background){.probability = 1, .snr_db = {5, 5}};
    check(model, options, 4);
    tin_model_free(model);
}

static void bounds_teachers(void **unused)
{
    (void)unused;
    tin_model *model = make_model(MODEL(plain)), *teacher = make_model(MODEL(wide));
    const tin_model *const teachers[] = {teacher, teacher, teacher};
    teacher->delay = 40;
    tin_train_options options = {
        .settings = usual, .folder = FOLDER, .teachers = teachers, .n_teachers = 1, .distill = 0.5, .temperature = 2};
    options.settings.batch = 40;
    check(model, options, 2);
    options.n_teachers = 3;
    check(model, options, 2);
    tin_model_free(model);
    tin_model_free(teacher);
}

static void bounds_fine_tuning(void **unused)
{
    (void)unused;
    tin_model *model = make_model(MODEL(recurrent)), *folded = NULL;
    assert_int_equal(tin_model_fold(&folded, model, NULL), TIN_OK);
    tin_quant_spec quant = {.input_scale = 4.f / 127};
    for (int i = 0; i < folded->n_layers; i++) {
        quant.output_scale[i] = 6.f / 127;
    }
    check(folded, (tin_train_options){.settings = usual, .folder = FOLDER, .quant = &quant}, 2);
    tin_model_free(model);
    tin_model_free(folded);
}

/* Refused before anything is allocated for it, with what to change. */
static void refuses_too_much(void **unused)
{
    (void)unused;
    tin_error err = {0};
    tin_pool *pool = NULL;
    tin_model *model = make_model(MODEL(wide));
    assert_int_equal(tin_pool_create(&pool, 2, &err), TIN_OK);
    tin_train_options options = {.settings = usual, .name = "train", .quiet = true, .pool = pool};
    tin_train_memory said;
    options.settings.batch = 64;
    assert_int_equal(tin_train_memory_of(model, dataset, &options, &said, &err), TIN_OK);
    int mb = (int)(said.total >> 20);
    assert_true(mb >= 2);
    options.settings.max_memory_mb = mb;
    size_t before = now;
    most = before;
    assert_int_equal(train(model, &options, &err), TIN_ERR_CONFIG);
    assert_true(most - before < said.total / 10);
    assert_non_null(strstr(tin_error_text(&err), "train.max_memory_mb"));
    assert_non_null(strstr(tin_error_text(&err), "train.batch (64) or train.chunk (80)"));
    options.settings.max_memory_mb = mb + 1;
    err = (tin_error){0};
    assert_int_equal(train(model, &options, &err), TIN_OK);
    tin_pool_destroy(pool);
    tin_model_free(model);
}

int main(void)
{
    dataset = test_dataset(TEST_TEMPORARY "/memory.tind", 14, 1000);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_models_batches_and_threads),
        cmocka_unit_test(bounds_settings),
        cmocka_unit_test(bounds_augmentation),
        cmocka_unit_test(bounds_teachers),
        cmocka_unit_test(bounds_fine_tuning),
        cmocka_unit_test(refuses_too_much),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    tin_dataset_close(dataset);
    return failed;
}
