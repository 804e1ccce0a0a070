/* The whole loop on a small data set: what each step leaves, the same bytes from any number of threads and after kills,
 * and integers that keep what the weights asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first */
#include <cmocka.h>

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "compress/channels.h"
#include "compress/compress.h"
#include "compress/importance.h"
#include "compress_support.h"
#include "quantize/quantize.h"
#include "train/train.h"
#include "train_data.h"

static const tin_layer_spec layers[] = {{.op = TIN_OP_CONV1D, .units = 16, .kernel = 5, .stride = 2},
                                        {.op = TIN_OP_BATCH_NORM},
                                        {.op = TIN_OP_RELU},
                                        {.op = TIN_OP_CONV1D, .units = 16, .kernel = 3, .stride = 2},
                                        {.op = TIN_OP_RELU},
                                        {.op = TIN_OP_GRU, .units = 12},
                                        {.op = TIN_OP_DROPOUT, .rate = 0.1f},
                                        {.op = TIN_OP_MASK, .bands = 1, .rows = 5, .count = 2},
                                        {.op = TIN_OP_DENSE}};

static char prune[] = "prune", low_rank[] = "low_rank", sparse[] = "sparse", share[] = "share", distill[] = "distill";
static char none[] = "";
static tin_config_layer teacher[] = {
    {.spec = {.op = TIN_OP_CONV1D, .units = 16, .kernel = 5, .stride = 2}, .name = none},
    {.spec = {.op = TIN_OP_RELU}, .name = none},
    {.spec = {.op = TIN_OP_GRU, .units = 16}, .name = none},
    {.spec = {.op = TIN_OP_DENSE}, .name = none}};
static tin_config_compress steps[] = {{.method = prune, .keep = 0.7, .steps = 40, .learning_rate = 4e-3},
                                      {.method = low_rank, .keep = 0.8, .steps = 40, .learning_rate = 4e-3},
                                      {.method = distill,
                                       .teacher = none,
                                       .layers = teacher,
                                       .teachers = 2,
                                       .layers_count = 4,
                                       .weight = 0.5,
                                       .temperature = 2,
                                       .delay_ms = 80,
                                       .steps = 30,
                                       .learning_rate = 4e-3},
                                      {.method = sparse, .keep = 0.6, .steps = 120, .learning_rate = 4e-3},
                                      {.method = share, .entries = 8, .steps = 120, .learning_rate = 4e-3}};
#define N_STEPS 5

static tin_config config = {.seed = 4,
                            .train = {.steps = 150,
                                      .batch = 16,
                                      .chunk = 80,
                                      .stateful = true,
                                      .learning_rate = 1e-2,
                                      .weight_decay = 1e-4,
                                      .warmup = 10,
                                      .clip = 1,
                                      .class_weight_power = 0.5,
                                      .evaluate_every = 20,
                                      .checkpoint_every = 10},
                            .compress = steps,
                            .compress_count = N_STEPS};

static tin_dataset *dataset;
static tin_model *trained;
static tin_pool *pool;

static int open_all(void **unused)
{
    (void)unused;
    tin_error err = {0};
    tin_train_result result;
    dataset = test_dataset(TEST_TEMPORARY "/compress.tind", 14, 1000);
    assert_ok(tin_pool_create(&pool, 1, &err), &err);
    assert_ok(tin_model_create(&trained, dataset, layers, N_LAYERS(layers), &err), &err);
    assert_ok(tin_model_fit_input(trained, dataset, &err), &err);
    tin_model_initialise(trained, 3);
    tin_train_options options = {
        .settings = config.train, .seed = config.seed, .pool = pool, .name = "train", .quiet = true};
    assert_ok(tin_train(trained, dataset, &options, &result, &err), &err);
    assert_true(result.best_score > 0.9);
    return 0;
}

static int close_all(void **unused)
{
    (void)unused;
    tin_model_free(trained);
    tin_dataset_close(dataset);
    tin_pool_destroy(pool);
    return 0;
}

static tin_model *compress(tin_pool *with, const char *folder, tin_compress_row rows[TIN_MAX_COMPRESS + 1])
{
    tin_error err = {0};
    tin_model *model = NULL;
    int n_rows = 0;
    const tin_compress_options options = {.config = &config, .pool = with, .folder = folder, .quiet = true};
    assert_ok(tin_model_copy(&model, trained, &err), &err);
    assert_ok(tin_compress(&model, dataset, &options, rows, &n_rows, &err), &err);
    assert_int_equal(n_rows, 1 + (int)config.compress_count);
    return model;
}

static void assert_same(const tin_model *a, const tin_model *b)
{
    assert_int_equal(a->n_params, b->n_params);
    assert_memory_equal(a->params, b->params, a->n_params * sizeof *a->params);
}

static void each_step_makes_it_smaller_and_it_still_works(void **state)
{
    (void)state;
    tin_compress_row rows[TIN_MAX_COMPRESS + 1];
    tin_model *model = compress(pool, NULL, rows);
    assert_string_equal(rows[0].step, "trained");
    assert_string_equal(rows[1].step, "prune 0.7");
    assert_string_equal(rows[3].step, "distill 0.5");
    assert_true(rows[3].teacher_score > 0.85 && rows[2].teacher_score == 0);
    assert_true(rows[3].size.nonzero == rows[2].size.nonzero && rows[3].changed_score == rows[2].score);
    assert_string_equal(rows[5].step, "share 8");
    assert_true((double)rows[1].size.parameters <= 0.7 * (double)rows[0].size.parameters);
    assert_true((double)rows[2].size.parameters <= 0.8 * (double)rows[1].size.parameters);
    assert_true(rows[4].size.nonzero < rows[2].size.nonzero && rows[4].size.parameters == rows[2].size.parameters);
    assert_true(rows[4].size.macs < 0.65 * rows[2].size.macs);
    for (int i = 1; i <= N_STEPS; i++) {
        assert_true(i == 3 || rows[i].size.flash_bytes < rows[i - 1].size.flash_bytes);
        if (!(rows[i].score > 0.85)) {
            fail_msg("%s: %g, %g before its fine-tuning", rows[i].step, rows[i].score, rows[i].changed_score);
        }
    }
    tin_model_free(model);
}

/* The greatest number of values in four rows of a gate of a matrix of the integer model. */
static int count_q(const int8_t *w, int n_rows, int units, int n)
{
    int most = 0, count = 0;
    bool used[256] = {false};
    for (int r = 0; r < n_rows; r++) {
        if (r % units % 4 == 0) {
            memset(used, 0, sizeof used);
            count = 0;
        }
        for (int i = 0; i < n; i++) {
            bool *at = &used[w[r * n + i] + 128];
            count += !*at;
            *at = true;
        }
        most = count > most ? count : most;
    }
    return most;
}

static void integers_keep_zeros_and_codebooks(void **state)
{
    (void)state;
    tin_error err = {0};
    tin_compress_row rows[TIN_MAX_COMPRESS + 1];
    tin_model *model = compress(pool, NULL, rows), *folded = NULL, *before = NULL;
    tin_constraint *constraint = NULL;
    tin_quant_spec spec;
    tin_qmodel *q = NULL;
    tin_train_result result;
    tin_config_quantize settings = {.percentile = 0.999, .activation_percentile = 0.9999};
    assert_ok(tin_model_fold(&folded, model, &err), &err);
    assert_ok(tin_model_copy(&before, folded, &err), &err);
    assert_ok(tin_quantize_calibrate(folded, dataset, &settings, &spec, &err), &err);
    assert_ok(tin_constraint_create(&constraint, folded, &err), &err);
    assert_true(constraint->any);
    tin_train_options options = {.settings = config.train,
                                 .seed = 1,
                                 .pool = pool,
                                 .name = "finetune",
                                 .quant = &spec,
                                 .constraint = constraint,
                                 .quiet = true};
    options.settings.steps = 60;
    assert_ok(tin_train(folded, dataset, &options, &result, &err), &err);
    assert_ok(tin_quantize_convert(folded, &spec, &q, &err), &err);
    bool moved = false;
    for (size_t i = 0; i < folded->n_params; i++) {
        bool bias = constraint->label[i] == 0; /* all rows are shared */
        assert_true(bias || before->params[i] != 0 || folded->params[i] == 0);
        moved = moved || (!bias && before->params[i] != folded->params[i]);
    }
    assert_true(moved || result.best_step == 0);
    for (int i = 0; i < q->n_layers; i++) {
        const tin_qlayer *l = &q->layers[i];
        int n_rows = tin_qlayer_rows(l), units = l->n_outputs;
        assert_true(count_q(l->weight, n_rows, units, (int)tin_qlayer_weights(l) / n_rows) <= 8);
        assert_true(!l->hidden_weight || count_q(l->hidden_weight, n_rows, units, units) <= 8);
    }
    tin_qmodel_free(q);
    tin_constraint_free(constraint);
    tin_model_free(before);
    tin_model_free(folded);
    tin_model_free(model);
}

/* Which model teaches makes a difference, wherever it comes from. */
static void a_run_can_teach(void **state)
{
    (void)state;
    tin_error err = {0};
    tin_compress_row rows[TIN_MAX_COMPRESS + 1];
    char run[] = "0123456789ab";
    tin_config_compress step = {
        .method = distill, .teacher = run, .teachers = 1, .weight = 1, .temperature = 1, .steps = 20, .learning_rate = 1e-3};
    config.compress = &step;
    config.compress_count = 1;
    assert_int_equal(system("rm -rf " TEST_TEMPORARY "/runs && mkdir -p " TEST_TEMPORARY
                            "/runs/0123456789ab " TEST_TEMPORARY "/runs/now"),
                     0);
    assert_ok(tin_model_save(trained, TEST_TEMPORARY "/runs/0123456789ab/model_float", &err), &err);
    tin_model *taught = compress(pool, TEST_TEMPORARY "/runs/now", rows);
    assert_true(rows[1].teacher_score == rows[0].score);
    tin_model *itself = NULL;
    assert_ok(tin_model_copy(&itself, trained, &err), &err);
    memset(itself->params, 0, itself->n_params * sizeof *itself->params); /* knows nothing: all classes alike */
    assert_ok(tin_model_save(itself, TEST_TEMPORARY "/runs/0123456789ab/model_float", &err), &err);
    tin_model *other = compress(pool, TEST_TEMPORARY "/runs/now", rows);
    assert_true(rows[1].teacher_score < 0.5);
    assert_memory_not_equal(taught->params, other->params, taught->n_params * sizeof *taught->params);

    step.teacher = (char[]){"ba9876543210"};
    int n_rows;
    const tin_compress_options options = {
        .config = &config, .pool = pool, .folder = TEST_TEMPORARY "/runs/now", .quiet = true};
    assert_int_equal(tin_compress(&itself, dataset, &options, rows, &n_rows, &err), TIN_ERR_CONFIG);
    assert_non_null(strstr(tin_error_text(&err), "ba9876543210"));
    config.compress = steps;
    config.compress_count = N_STEPS;
    tin_model_free(other);
    tin_model_free(itself);
    tin_model_free(taught);
}

static void without_layers_of_its_own_a_teacher_has_those_of_the_model(void **state)
{
    (void)state;
    tin_compress_row rows[TIN_MAX_COMPRESS + 1];
    tin_config_compress own = steps[2], models = own;
    models.layers = NULL;
    models.layers_count = 0;
    config.layers = teacher;
    config.layers_count = own.layers_count;
    config.compress_count = 1;
    config.compress = &own;
    tin_model *a = compress(pool, NULL, rows);
    config.compress = &models;
    tin_model *b = compress(pool, NULL, rows);
    assert_same(a, b);
    config.compress = steps;
    config.compress_count = N_STEPS;
    tin_model_free(a);
    tin_model_free(b);
}

/* Otherwise runs of several seeds would be alike and their spread less than that of chance. */
static void seeds_share_no_teacher(void **state)
{
    (void)state;
    tin_compress_row rows[TIN_MAX_COMPRESS + 1];
    config.compress = &steps[2];
    config.compress_count = 1;
    assert_int_equal(system("rm -rf " TEST_TEMPORARY "/seed4 " TEST_TEMPORARY "/seed5"), 0);
    tin_model_free(compress(pool, TEST_TEMPORARY "/seed4", rows));
    config.seed = 5;
    tin_model_free(compress(pool, TEST_TEMPORARY "/seed5", rows));
    config.seed = 4;
    config.compress = steps;
    config.compress_count = N_STEPS;
    assert_int_equal(system("cd " TEST_TEMPORARY " && for a in seed4/*teacher*.csv seed5/*teacher*.csv; do cat $a; done"
                            " | grep -v step | sort | uniq -d | wc -l | grep -qx 0"),
                     0);
}

static void threads_and_kills_change_nothing(void **state)
{
    (void)state;
    static const char *const folder = TEST_TEMPORARY "/killed";
    tin_error err = {0};
    tin_compress_row rows[TIN_MAX_COMPRESS + 1], again[TIN_MAX_COMPRESS + 1];
    tin_pool *two = NULL;
    tin_model *model = compress(pool, NULL, rows);
    assert_int_equal(system("rm -rf " TEST_TEMPORARY "/killed"), 0);
    assert_ok(tin_pool_create(&two, 2, &err), &err);
    tin_model *other = compress(two, NULL, again);
    tin_pool_destroy(two);
    assert_same(model, other);
    tin_model_free(other);
    for (useconds_t wait = 20000; wait < 300000; wait += 40000) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            tin_model_free(compress(pool, folder, again));
            _exit(0);
        }
        usleep(wait);
        kill(child, SIGKILL);
        int ended;
        assert_int_equal(waitpid(child, &ended, 0), child);
    }
    other = compress(pool, folder, again);
    assert_same(model, other);
    assert_memory_equal(rows, again, sizeof rows);
    tin_model_free(other);
    tin_model_free(model);
}

/* What a channel matters does not depend on its unit: four times the rows that make it and a quarter of the weights that
 * read it are the same function. A channel that nothing reads does not matter. Measuring leaves the model as it is. */
static void importance_is_that_of_the_channel(void **state)
{
    (void)state;
    enum { CHANNEL = 3, UNREAD = 5, LAYER = 3 };
    tin_error err = {0};
    tin_train_options options = {.settings = config.train, .seed = 1, .pool = pool, .name = "probe", .quiet = true};
    tin_channels *channels = NULL;
    tin_model *model = NULL, *before = NULL;
    double first[200], second[200];
    assert_ok(tin_model_copy(&model, trained, &err), &err);
    assert_ok(tin_channels_find(&channels, model, &err), &err);
    int *group = tin_alloc(model->n_params, sizeof *group, &err), n = channels->n_groups;
    assert_true(group && n < 200);
    tin_channels_readers(channels, model, group);
    for (size_t i = 0; i < model->n_params; i++) {
        model->params[i] = group[i] == channels->output[LAYER][UNREAD] ? 0 : model->params[i];
    }
    assert_ok(tin_model_copy(&before, model, &err), &err);
    assert_ok(tin_importance_measure(model, dataset, &options, group, n, first, &err), &err);
    assert_same(model, before);
    const tin_layer *maker = &model->layers[LAYER];
    size_t row = maker->params[0].size / (size_t)maker->n_outputs;
    for (size_t i = 0; i < row; i++) {
        model->params[maker->params[0].offset + CHANNEL * row + i] *= 4;
    }
    model->params[maker->params[1].offset + CHANNEL] *= 4;
    for (size_t i = 0; i < model->n_params; i++) {
        model->params[i] *= group[i] == channels->output[LAYER][CHANNEL] ? 0.25f : 1;
    }
    assert_ok(tin_importance_measure(model, dataset, &options, group, n, second, &err), &err);
    assert_true(first[channels->output[LAYER][UNREAD]] == 0 && first[channels->output[LAYER][CHANNEL]] > 0);
    for (int g = 0; g < n; g++) {
        assert_true(fabs(first[g] - second[g]) <= 1e-3 * first[g] + 1e-12);
    }
    tin_free(group);
    tin_free(channels);
    tin_model_free(before);
    tin_model_free(model);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    tin_config small = config;
    tin_config_compress quick[N_STEPS];
    small.compress = quick;
    small.train.chunk = 16;
    small.train.batch = 4;
    small.train.steps = 2;
    for (int i = 0; i < N_STEPS; i++) {
        quick[i] = steps[i];
        quick[i].steps = i == 4;
    }
    const tin_compress_options options = {.config = &small, .pool = pool, .quiet = true};
    /* every allocation of the first hundreds, then ever larger strides: each one costs the work before it */
    for (size_t n = 1;; n += 1 + n / 60) {
        tin_error err = {0};
        tin_compress_row rows[TIN_MAX_COMPRESS + 1];
        tin_model *model = NULL;
        int n_rows;
        assert_ok(tin_model_copy(&model, trained, &err), &err);
        tin_memory_fail_at(n);
        tin_status status = tin_compress(&model, dataset, &options, rows, &n_rows, &err);
        tin_memory_fail_at(0);
        assert_non_null(model);
        tin_model_free(model);
        if (status == TIN_OK) {
            assert_true(n > 100);
            break;
        }
        assert_int_equal(status, TIN_ERR_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_step_makes_it_smaller_and_it_still_works),
        cmocka_unit_test(integers_keep_zeros_and_codebooks),
        cmocka_unit_test(a_run_can_teach),
        cmocka_unit_test(without_layers_of_its_own_a_teacher_has_those_of_the_model),
        cmocka_unit_test(seeds_share_no_teacher),
        cmocka_unit_test(threads_and_kills_change_nothing),
        cmocka_unit_test(importance_is_that_of_the_channel),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
