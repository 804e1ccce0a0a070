/* Scales that are learnt: their gradients by differences, the same at any number of threads and after an interruption,
 * and that they repair a range that was chosen too small. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/progress.h"
#include "train/engine.h"
#include "train/train.h"
#include "train_data.h"
#include "train_models.h"

#define CHUNK 24
#define LANES 19 /* two groups, the second one not full */
#define COUNT(layers) ((int)(sizeof(layers) / sizeof *(layers)))

/* Every kind of node whose scale is free: conv1d behind relu and without, depthwise, pool, add, concat. */
static const tin_layer_spec graph[] = {{.op = TIN_OP_CONV1D, .name = "a", .units = 6, .kernel = 3},
                                       {.op = TIN_OP_RELU, .name = "a1"},
                                       {.op = TIN_OP_CONV1D, .name = "b", .kernel = 3, .depthwise = true},
                                       {.op = TIN_OP_ADD, .name = "sum", .from = {"b", "a1"}, .n_from = 2},
                                       {.op = TIN_OP_AVG_POOL, .name = "pool", .kernel = 2, .stride = 2},
                                       {.op = TIN_OP_CONV1D, .name = "c", .units = 5, .kernel = 1},
                                       {.op = TIN_OP_CONCAT, .name = "both", .from = {"c", "pool"}, .n_from = 2},
                                       {.op = TIN_OP_CONV1D, .name = "d", .units = 5, .kernel = 2},
                                       {.op = TIN_OP_DENSE, .name = "out"}};

/* With 16 bits the steps of rounding are far below the differences; what is left of the error are kinks. */
static void gradients_are_differences(void **unused)
{
    (void)unused;
    tin_error err = {0};
    tin_model *model = test_model(graph, COUNT(graph), 3, 4, 21);
    tin_quant_spec quant = {.input_scale = 4.f / 32767, .input_bits = 16};
    /* Each saturates some of its values, which those after it do not saturate too. */
    static const float range[] = {0, 0.61f, 0.13f, 0.57f, 0.47f, 0.33f, 0.41f, 0.17f, 0};
    for (int i = 0; i < model->n_layers; i++) {
        quant.output_scale[i] = range[i] / 32767;
        quant.output_bits[i] = 16;
    }
    tin_pool *pool = NULL;
    tin_engine *engine = NULL;
    assert_int_equal(tin_pool_create(&pool, 2, &err), TIN_OK);
    tin_engine_settings settings = {
        .model = model, .quant = &quant, .n_lanes = LANES, .chunk = CHUNK, .isa = TIN_ISA_DOUBLE, .pool = pool};
    if (tin_engine_create(&engine, &settings, &err)) {
        fail_msg("%s", tin_error_text(&err));
    }
    size_t n_x = LANES * CHUNK * 3, n_targets = (size_t)(LANES * tin_engine_decisions(engine) * 4);
    size_t state_bytes = tin_engine_state_bytes(engine, LANES);
    float *x = tin_alloc(n_x, sizeof *x, NULL), *target = tin_alloc(n_targets, sizeof *target, NULL);
    double *scrap = tin_alloc(model->n_params, sizeof *scrap, NULL), slopes[TIN_MAX_LAYERS], weight = 0;
    void *state = tin_alloc(state_bytes, 1, NULL);
    uint8_t reset[LANES] = {0};
    test_random(x, n_x, 2, 5);
    test_random(target, n_targets, 1, 6);
    for (size_t i = 0; i < n_targets; i++) {
        target[i] = fmaxf(target[i], 0);
        weight += (double)target[i];
    }
    tin_engine_batch batch = {x, target, weight, reset, 77, 0, slopes};
    tin_engine_step(engine, model->params, state, &batch, scrap);
    batch.scale_gradient = NULL;
    int n_learnt = 0;
    for (int i = 0; i < model->n_layers; i++) {
        double loss[2];
        const double h = 4e-3;
        for (int side = 0; side < 2; side++) {
            tin_quant_spec moved = quant;
            moved.output_scale[i] = (float)((double)quant.output_scale[i] * exp(side ? h : -h));
            tin_engine_set_scales(engine, &moved);
            memset(state, 0, state_bytes);
            loss[side] = tin_engine_step(engine, model->params, state, &batch, scrap);
        }
        double slope = (loss[1] - loss[0]) / (2 * h);
        if (fabs(slope - slopes[i]) > 2e-4 + 0.02 * fabs(slope)) {
            fail_msg("layer %d: gradient %.9g, difference %.9g", i + 1, slopes[i], slope);
        }
        n_learnt += fabs(slope) > 1e-3;
    }
    assert_int_equal(n_learnt, 7);
    tin_engine_free(engine);
    tin_pool_destroy(pool);
    tin_free(x);
    tin_free(target);
    tin_free(scrap);
    tin_free(state);
    tin_model_free(model);
}

static const tin_layer_spec layers[] = {{.op = TIN_OP_CONV1D, .units = 8, .kernel = 5, .stride = 2},
                                        {.op = TIN_OP_RELU},
                                        {.op = TIN_OP_CONV1D, .units = 8, .kernel = 3, .stride = 2},
                                        {.op = TIN_OP_GRU, .units = 8},
                                        {.op = TIN_OP_DENSE}};

static tin_dataset *dataset;

typedef struct outcome {
    tin_model *model;
    tin_train_result result;
} outcome;

/* Fine-tuning of fresh weights with ranges that are too small. */
static tin_status run_steps(outcome *o, int steps, int threads, const char *folder, bool learn, tin_error *err)
{
    tin_pool *pool = NULL;
    tin_quant_spec quant = {.input_scale = 4.f / 127};
    const float range[] = {0, 0.25f, 0.2f, 127.f / 128, 0};
    for (int i = 0; i < COUNT(layers); i++) {
        quant.output_scale[i] = range[i] / 127;
    }
    tin_train_options options = {.settings = {.steps = steps,
                                              .batch = 40,
                                              .chunk = 80,
                                              .stateful = true,
                                              .learning_rate = 1e-3,
                                              .warmup = 10,
                                              .clip = 1,
                                              .evaluate_every = 50,
                                              .checkpoint_every = 10,
                                              .metric = "loss"},
                                 .seed = 1,
                                 .folder = folder,
                                 .name = "train",
                                 .quiet = true,
                                 .quant = &quant,
                                 .learn_scales = learn};
    *o = (outcome){0};
    tin_status status = tin_model_create(&o->model, dataset, layers, COUNT(layers), err);
    status = status ? status : tin_model_fit_input(o->model, dataset, err);
    status = status ? status : tin_pool_create(&pool, threads, err);
    if (status) {
        return status;
    }
    tin_model_initialise(o->model, 3);
    options.pool = pool;
    status = tin_train(o->model, dataset, &options, &o->result, err);
    tin_pool_destroy(pool);
    if (!learn && status == TIN_OK) {
        assert_memory_equal(&o->result.quant, &quant, sizeof quant);
    }
    return status;
}

static tin_status run(outcome *o, int threads, const char *folder, bool learn, tin_error *err)
{
    return run_steps(o, 300, threads, folder, learn, err);
}

static void must_run(outcome *o, int threads, const char *folder, bool learn)
{
    tin_error err = {0};
    if (run(o, threads, folder, learn, &err)) {
        fail_msg("%s", tin_error_text(&err));
    }
}

static void assert_same(const outcome *a, const outcome *b)
{
    assert_memory_equal(a->model->params, b->model->params, a->model->n_params * sizeof(float));
    assert_memory_equal(a->result.quant.output_scale, b->result.quant.output_scale,
                        sizeof a->result.quant.output_scale);
}

static void learnt_ranges_grow_where_they_are_small(void **unused)
{
    (void)unused;
    outcome fixed, learnt;
    must_run(&fixed, 1, NULL, false);
    must_run(&learnt, 1, NULL, true);
    print_message("validation loss %.4f fixed, %.4f learnt; ranges %.3f and %.3f\n", -fixed.result.best_score,
                  -learnt.result.best_score, (double)learnt.result.quant.output_scale[1] * 127,
                  (double)learnt.result.quant.output_scale[2] * 127);
    assert_true(learnt.result.quant.output_scale[1] * 127 > 0.3f && learnt.result.quant.output_scale[2] * 127 > 0.24f);
    assert_true(learnt.result.best_score > fixed.result.best_score);
    assert_true(learnt.result.quant.output_scale[0] == 0 && learnt.result.quant.output_scale[3] == 1.f / 128);
    tin_model_free(fixed.model);
    tin_model_free(learnt.model);
}

static void threads_and_interruptions_do_not_matter(void **unused)
{
    (void)unused;
    const char *folder = TEST_TEMPORARY "/interrupted";
    outcome one, other;
    must_run(&one, 1, NULL, true);
    for (int threads = 2; threads <= 4; threads += 2) {
        must_run(&other, threads, NULL, true);
        assert_same(&one, &other);
        tin_model_free(other.model);
    }
    remove(TEST_TEMPORARY "/interrupted/train_checkpoint.safetensors");
    for (int i = 0; i < 3; i++) { /* after its first step, then twice somewhere */
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            tin_error err = {0};
            if (i == 0) {
                tin_stop_install();
                raise(SIGINT);
            }
            tin_status status = run(&other, 1, folder, true, &err);
            _exit(status == TIN_OK || status == TIN_ERR_INTERRUPTED ? 0 : 1);
        }
        if (i > 0) {
            usleep(60000);
            kill(child, SIGKILL);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) || (WIFEXITED(status) && WEXITSTATUS(status) == 0));
    }
    must_run(&other, 2, folder, true);
    assert_same(&one, &other);
    tin_model_free(other.model);
    must_run(&other, 1, folder, true); /* over: what it gave is in the checkpoint */
    assert_same(&one, &other);
    tin_model_free(other.model);
    tin_model_free(one.model);
}

static void survives_every_failed_allocation(void **unused)
{
    (void)unused;
    tin_status status = TIN_ERR_MEMORY;
    int n = 1;
    for (; status != TIN_OK; n++) {
        tin_error err = {0};
        outcome o;
        remove(TEST_TEMPORARY "/memory/train_checkpoint.safetensors");
        tin_memory_fail_at((size_t)n);
        status = run_steps(&o, 2, 1, TEST_TEMPORARY "/memory", true, &err);
        tin_memory_fail_at(0);
        assert_true(status == TIN_OK || status == TIN_ERR_MEMORY);
        tin_model_free(o.model);
    }
    assert_true(n > 40);
}

int main(void)
{
    dataset = test_dataset(TEST_TEMPORARY "/scales.tind", 14, 1000);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_are_differences),
        cmocka_unit_test(learnt_ranges_grow_where_they_are_small),
        cmocka_unit_test(threads_and_interruptions_do_not_matter),
        cmocka_unit_test(survives_every_failed_allocation),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    tin_dataset_close(dataset);
    return failed;
}
