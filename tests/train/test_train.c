/* The loop: it learns, its result does not depend on threads, kills or interruptions, and it says what is wrong. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/progress.h"
#include "base/rng.h"
#include "model/safetensors.h"
#include "train/train.h"
#include "train/validate.h"
#include "train_data.h"

#define PATH TEST_TEMPORARY "/train.tind"

static const tin_layer_spec layers[] = {{.op = TIN_OP_CONV1D, .units = 8, .kernel = 5, .stride = 2},
                                        {.op = TIN_OP_BATCH_NORM},
                                        {.op = TIN_OP_RELU},
                                        {.op = TIN_OP_CONV1D, .kernel = 3, .stride = 2, .depthwise = true},
                                        {.op = TIN_OP_CONV1D, .units = 8},
                                        {.op = TIN_OP_RELU},
                                        {.op = TIN_OP_GRU, .units = 8},
                                        {.op = TIN_OP_DROPOUT, .rate = 0.1f},
                                        {.op = TIN_OP_MASK, .bands = 3, .rows = 5, .count = 2},
                                        {.op = TIN_OP_DENSE}};
#define N_LAYERS ((int)(sizeof layers / sizeof *layers))

static const tin_config_train usual = {.steps = 120,
                                       .batch = 20,
                                       .chunk = 80,
                                       .stateful = true,
                                       .learning_rate = 1e-2,
                                       .weight_decay = 1e-4,
                                       .warmup = 10,
                                       .clip = 1,
                                       .class_weight_power = 0.5,
                                       .evaluate_every = 20,
                                       .checkpoint_every = 10,
                                       .augment = {.speed = {1, 0.05},
                                                   .rotate = {1, 10},
                                                   .scale = {1, 0.05},
                                                   .noise = {.probability = 1, .accel = 0.01, .gyro = 0.01}}};

static tin_dataset *dataset;

static int open_data(void **unused)
{
    (void)unused;
    dataset = test_dataset(PATH, 14, 1000);
    return 0;
}

static int close_data(void **unused)
{
    (void)unused;
    tin_dataset_close(dataset);
    return 0;
}

static tin_model *fresh_model(void)
{
    tin_model *model = NULL;
    tin_error err = {0};
    if (tin_model_create(&model, dataset, layers, N_LAYERS, &err) || tin_model_fit_input(model, dataset, &err)) {
        fail_msg("%s", tin_error_text(&err));
    }
    tin_model_initialise(model, 3);
    return model;
}

/* A teacher for every run that follows; NULL: none. */
static const tin_model *teacher;

static tin_status run(tin_model *model, const tin_config_train *settings, int threads, const char *folder,
                      tin_train_result *result, tin_error *err)
{
    tin_pool *pool = NULL;
    if (tin_pool_create(&pool, threads, err)) {
        return err->status;
    }
    tin_train_options options = {.settings = *settings,
                                 .seed = 11,
                                 .pool = pool,
                                 .folder = folder,
                                 .name = "train",
                                 .quiet = true,
                                 .evaluate = {.early_ms = 100, .late_ms = 300},
                                 .teachers = &teacher,
                                 .n_teachers = teacher != NULL,
                                 .distill = 0.7,
                                 .temperature = 2};
    tin_status status = tin_train(model, dataset, &options, result, err);
    tin_pool_destroy(pool);
    return status;
}

static void must_run(tin_model *model, const tin_config_train *settings, int threads, const char *folder,
                     tin_train_result *result)
{
    tin_error err = {0};
    if (run(model, settings, threads, folder, result, &err)) {
        fail_msg("%s", tin_error_text(&err));
    }
}

static void remove_checkpoint(const char *folder)
{
    char path[TIN_PATH_MAX];
    snprintf(path, sizeof path, "%s/train_checkpoint.safetensors", folder);
    remove(path);
}

/* Accuracy over the test frames by the naive reference. */
static double test_accuracy(const tin_model *model)
{
    tin_float_runner *runner = NULL;
    assert_int_equal(tin_float_runner_create(&runner, model, NULL), TIN_OK);
    double right = 0, all = 0;
    for (size_t i = 0; i < dataset->n_streams; i++) {
        const tin_stream *s = &dataset->streams[i];
        if (s->role != TIN_ROLE_TEST) {
            continue;
        }
        int16_t labels[1000];
        float scores[TEST_CLASSES] = {0};
        tin_dataset_labels(dataset, s, labels);
        tin_float_runner_reset(runner);
        for (int64_t t = 0; t < s->n_frames; t++) {
            (void)tin_float_runner_step(runner, s->counts + t * TEST_CHANNELS, scores);
            int best = 0;
            for (int c = 1; c < TEST_CLASSES; c++) {
                best = scores[c] > scores[best] ? c : best;
            }
            all += labels[t] >= 0;
            right += labels[t] == best;
        }
    }
    tin_float_runner_free(runner);
    return right / all;
}

static void learns(void **unused)
{
    (void)unused;
    for (int mode = 0; mode < 3; mode++) {
        tin_config_train settings = usual;
        settings.stateful = mode == 0;
        settings.windows = mode == 2;
        settings.chunk = mode == 2 ? 40 : 80;
        tin_model *model = fresh_model();
        tin_train_result result;
        double before = test_accuracy(model);
        must_run(model, &settings, 2, NULL, &result);
        double after = test_accuracy(model);
        if (before > 0.6 || after < (mode == 2 ? 0.7 : 0.85) || result.best_score < 0.85) {
            fail_msg("mode %d: accuracy %g before, %g after, validation %g", mode, before, after, result.best_score);
        }
        assert_int_equal(result.steps, settings.steps);
        assert_true(result.frames_per_second > 0);
        tin_model_free(model);
    }
}

/* Targets that come later are learnt as such: the decision at t is right about the frame at t - delay. */
static void learns_with_a_delay(void **unused)
{
    (void)unused;
    tin_model *model = fresh_model();
    tin_train_result result;
    model->delay = 12;
    tin_config_train settings = usual;
    settings.metric = (char[]){"iou_f1"};
    must_run(model, &settings, 2, NULL, &result);
    assert_true(result.best_score > 0.8);
    tin_float_runner *runner = NULL;
    assert_int_equal(tin_float_runner_create(&runner, model, NULL), TIN_OK);
    double right[2] = {0}, all = 0; /* with the label then, with the label now */
    for (size_t i = 0; i < dataset->n_streams; i++) {
        const tin_stream *s = &dataset->streams[i];
        int16_t labels[1000];
        float scores[TEST_CLASSES] = {0};
        tin_dataset_labels(dataset, s, labels);
        tin_float_runner_reset(runner);
        for (int64_t t = 0; t < s->n_frames; t++) {
            (void)tin_float_runner_step(runner, s->counts + t * TEST_CHANNELS, scores);
            int best = 0;
            for (int c = 1; c < TEST_CLASSES; c++) {
                best = scores[c] > scores[best] ? c : best;
            }
            if (s->role == TIN_ROLE_TEST && t >= 12 && labels[t] >= 0) {
                all++;
                right[0] += labels[t - 12] == best;
                right[1] += labels[t] == best;
            }
        }
    }
    if (right[0] / all < 0.92 || right[1] / all > right[0] / all - 0.05) {
        fail_msg("accuracy %g then, %g now", right[0] / all, right[1] / all);
    }
    tin_float_runner_free(runner);
    tin_model_free(model);
}

/* A student learns from a teacher that looks ahead, and from nothing else when its share is 1. */
static void learns_from_a_teacher(void **unused)
{
    (void)unused;
    tin_model *late = fresh_model(), *student = fresh_model(), *other = fresh_model();
    tin_train_result result;
    late->delay = 12;
    must_run(late, &usual, 2, NULL, &result);
    teacher = late;
    must_run(student, &usual, 1, NULL, &result);
    must_run(other, &usual, 4, NULL, &result);
    assert_true(result.best_score > 0.85);
    assert_memory_equal(student->params, other->params, student->n_params * sizeof *student->params);
    teacher = NULL;
    tin_model_free(other);
    other = fresh_model();
    must_run(other, &usual, 4, NULL, &result);
    assert_memory_not_equal(student->params, other->params, student->n_params * sizeof *student->params);

    tin_error err = {0};
    tin_config_train settings = usual;
    settings.chunk = 8;
    teacher = late;
    assert_int_equal(run(student, &settings, 1, NULL, &result, &err), TIN_ERR_CONFIG);
    assert_non_null(strstr(tin_error_text(&err), "make it longer"));
    teacher = NULL;
    tin_model_free(late);
    tin_model_free(student);
    tin_model_free(other);
}

/* Every metric can choose; those of events need events. */
static void each_metric_chooses(void **unused)
{
    (void)unused;
    for (int m = 0; m < TIN_METRIC_COUNT; m++) {
        char name[40];
        snprintf(name, sizeof name, "%s", tin_metric_name((tin_metric)m));
        tin_config_train settings = usual;
        settings.steps = 60;
        settings.evaluate_every = 10;
        settings.metric = name;
        tin_model *model = fresh_model();
        tin_train_result result;
        remove_checkpoint(TEST_TEMPORARY "/metric");
        must_run(model, &settings, 1, TEST_TEMPORARY "/metric", &result);
        char *text = NULL, column[64];
        size_t size;
        assert_int_equal(tin_file_read(TEST_TEMPORARY "/metric/train_curve.csv", &text, &size, NULL), TIN_OK);
        snprintf(column, sizeof column, ",validation_%s", name);
        assert_non_null(strstr(text, column));
        double best = -INFINITY, best_step = 0;
        for (const char *row = strchr(text, '\n'); row && row[1]; row = strchr(row + 1, '\n')) {
            double v[9];
            assert_int_equal(sscanf(row, "%lf,%lf,%lf,%lf,%lf,%lf,%lf,%lf,%lf", &v[0], &v[1], &v[2], &v[3], &v[4],
                                    &v[5], &v[6], &v[7], &v[8]),
                             9);
            double goodness = m == TIN_METRIC_LOSS ? -v[3 + m] : v[3 + m];
            if (goodness > best) {
                best = goodness;
                best_step = v[0];
            }
        }
        assert_true(fabs(best - result.best_score) < 1e-5 && best_step == result.best_step);
        tin_free(text);
        tin_model_free(model);
    }
    tin_config_train settings = usual;
    tin_model *model = fresh_model();
    tin_train_result result;
    tin_error err = {0};
    settings.metric = (char[]){"event_f1"};
    settings.windows = true;
    settings.chunk = 40;
    assert_int_equal(run(model, &settings, 1, NULL, &result, &err), TIN_ERR_DATA);
    assert_non_null(strstr(tin_error_text(&err), "windows hold no events"));
    memset(&err, 0, sizeof err);
    settings.metric = (char[]){"beauty"};
    assert_int_equal(run(model, &settings, 1, NULL, &result, &err), TIN_ERR_CONFIG);
    tin_model_free(model);
}

/* The score in the curve is what the naive reference finds. */
static void validation_is_the_reference(void **unused)
{
    (void)unused;
    tin_config_train settings = usual;
    settings.steps = 40;
    settings.evaluate_every = 40;
    tin_model *model = fresh_model();
    tin_train_result result;
    remove_checkpoint(TEST_TEMPORARY "/score");
    must_run(model, &settings, 1, TEST_TEMPORARY "/score", &result);
    for (size_t i = 0; i < dataset->n_streams; i++) { /* the roles are only swapped in memory */
        tin_role role = dataset->streams[i].role;
        dataset->streams[i].role = role == TIN_ROLE_TEST         ? TIN_ROLE_VALIDATION
                                   : role == TIN_ROLE_VALIDATION ? TIN_ROLE_TEST
                                                                 : role;
    }
    double accuracy = test_accuracy(model);
    for (size_t i = 0; i < dataset->n_streams; i++) {
        tin_role role = dataset->streams[i].role;
        dataset->streams[i].role = role == TIN_ROLE_TEST         ? TIN_ROLE_VALIDATION
                                   : role == TIN_ROLE_VALIDATION ? TIN_ROLE_TEST
                                                                 : role;
    }
    char *text = NULL;
    size_t size;
    double step, rate, loss, shown, f1;
    assert_int_equal(tin_file_read(TEST_TEMPORARY "/score/train_curve.csv", &text, &size, NULL), TIN_OK);
    const char *row = strchr(text, '\n');
    assert_non_null(row);
    assert_int_equal(sscanf(row, "%lf,%lf,%lf,%lf,%lf", &step, &rate, &loss, &shown, &f1), 5);
    assert_true(step == 40 && fabs(shown - accuracy) < 2e-3 && fabs(f1 - result.best_score) < 1e-6);
    tin_free(text);
    tin_model_free(model);
}

/* Everything that has a state or draws random numbers. */
static tin_config_train with_all(void)
{
    tin_config_train settings = usual;
    settings.optimiser = (char *)(uintptr_t) "sgd";
    settings.schedule = (char *)(uintptr_t) "one_cycle";
    settings.learning_rate = 0.1;
    settings.momentum = 0.9;
    settings.nesterov = true;
    settings.mixup = 0.3;
    settings.average_decay = 0.95;
    settings.average_from = 0.2;
    settings.focal_gamma = 1;
    settings.event_balance = 1;
    settings.margin_ms = 100;
    settings.class_weight_beta = 0.9;
    return settings;
}

static void threads_do_not_matter(void **unused)
{
    (void)unused;
    for (int i = 0; i < 2; i++) {
        tin_config_train settings = i ? with_all() : usual;
        settings.batch = 40;
        tin_model *one = fresh_model();
        tin_train_result result;
        must_run(one, &settings, 1, NULL, &result);
        for (int threads = 2; threads <= 4; threads += 2) {
            tin_model *more = fresh_model();
            must_run(more, &settings, threads, NULL, &result);
            assert_memory_equal(one->params, more->params, one->n_params * sizeof *one->params);
            tin_model_free(more);
        }
        tin_model_free(one);
    }
}

/* The optimisers, losses and schedules all learn; so does everything at once. */
static void every_setting_learns(void **unused)
{
    (void)unused;
    tin_config_train settings[5] = {usual, usual, usual, usual, with_all()};
    settings[0].optimiser = (char[]){"adam"};
    settings[1].optimiser = (char[]){"sgd"};
    settings[1].learning_rate = 0.1;
    settings[1].momentum = 0.9;
    settings[2].focal_gamma = 2;
    settings[2].schedule = (char[]){"linear"};
    settings[3].mixup = 0.2;
    settings[3].schedule = (char[]){"step"};
    settings[3].decay_every = 60;
    settings[3].decay_factor = 0.3;
    for (int i = 0; i < 5; i++) {
        tin_model *model = fresh_model();
        tin_train_result result;
        must_run(model, &settings[i], 2, NULL, &result);
        if (result.best_score < 0.85) {
            fail_msg("setting %d: %g", i, result.best_score);
        }
        tin_model_free(model);
    }
}

/* With decay 1 the average is the plain mean of the weights from average_from on, running statistics included. */
static void the_average_is_the_mean(void **unused)
{
    (void)unused;
    enum { FROM = 5, TO = 9 };
    tin_config_train settings = usual;
    settings.schedule = (char[]){"constant"}; /* so that a shorter run is the beginning of a longer one */
    settings.steps = settings.evaluate_every = 1;
    tin_model *last = fresh_model();
    double *mean = tin_alloc(last->n_params, sizeof *mean, NULL);
    tin_train_result result;
    for (int steps = FROM + 1; steps <= TO; steps++) {
        settings.steps = settings.evaluate_every = steps; /* one validation: the last weights come back */
        tin_model *model = fresh_model();
        must_run(model, &settings, 1, NULL, &result);
        for (size_t i = 0; i < model->n_params; i++) {
            mean[i] += (double)model->params[i] / (TO - FROM);
        }
        tin_model_free(model);
    }
    const char *folder = TEST_TEMPORARY "/average";
    remove_checkpoint(folder);
    settings.average_decay = 1;
    settings.average_from = (double)FROM / TO;
    must_run(last, &settings, 1, folder, &result);
    tin_safetensors *file = NULL;
    assert_int_equal(tin_safetensors_read(&file, TEST_TEMPORARY "/average/train_checkpoint.safetensors", NULL), TIN_OK);
    const float *average = tin_safetensors_find(file, "average")->data;
    for (size_t i = 0; i < last->n_params; i++) {
        assert_true(fabs((double)average[i] - mean[i]) < 1e-5 * (1 + fabs(mean[i])));
    }
    tin_safetensors_free(file);

    /* The better of the two is kept, and the curve tells both. */
    settings = usual;
    settings.average_decay = 0.98;
    settings.learning_rate = 3e-2;
    remove_checkpoint(folder);
    tin_model_free(last);
    last = fresh_model();
    must_run(last, &settings, 1, folder, &result);
    char *text = NULL;
    size_t size;
    assert_int_equal(tin_file_read(TEST_TEMPORARY "/average/train_curve.csv", &text, &size, NULL), TIN_OK);
    assert_non_null(strstr(text, ",average_macro_f1\n"));
    double best = 0;
    for (const char *row = strchr(text, '\n'); row && row[1]; row = strchr(row + 1, '\n')) {
        double v[10];
        assert_int_equal(sscanf(row, "%lf,%lf,%lf,%lf,%lf,%lf,%lf,%lf,%lf,%lf", &v[0], &v[1], &v[2], &v[3], &v[4],
                                &v[5], &v[6], &v[7], &v[8], &v[9]),
                         10);
        best = fmax(best, fmax(v[4], v[9]));
    }
    assert_true(fabs(best - result.best_score) < 1e-5);
    tin_free(text);
    tin_free(mean);
    tin_model_free(last);
}

static void trained_in_child(const tin_config_train *settings, int threads, const char *folder, int wait_us)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        tin_model *model = fresh_model();
        tin_train_result result;
        tin_error err = {0};
        _exit(run(model, settings, threads, folder, &result, &err) == TIN_OK ? 0 : 1);
    }
    usleep((useconds_t)wait_us);
    kill(child, SIGKILL);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) || (WIFEXITED(status) && WEXITSTATUS(status) == 0));
}

/* The second time with everything that has a state: a teacher, averages, mixup, momentum. */
static void killed_runs_end_the_same(void **unused)
{
    (void)unused;
    const char *folder = TEST_TEMPORARY "/killed";
    tin_model *late = fresh_model();
    tin_model_initialise(late, 8);
    late->delay = 8;
    for (int threads = 1; threads <= 2; threads++) {
        tin_config_train settings = threads == 2 ? with_all() : usual;
        teacher = threads == 2 ? late : NULL;
        settings.checkpoint_every = 3;
        settings.steps = 240;
        settings.patience = 1000;
        tin_model *whole = fresh_model(), *killed = fresh_model();
        tin_train_result a, b;
        must_run(whole, &settings, threads, NULL, &a);
        remove_checkpoint(folder);
        tin_rng rng;
        tin_rng_seed(&rng, (uint64_t)getpid());
        int span = (int)(a.seconds * 1e6);
        for (int i = 0; i < 6; i++) {
            trained_in_child(&settings, threads, folder, span / 20 + (int)tin_rng_below(&rng, (uint32_t)span / 4 + 1));
        }
        must_run(killed, &settings, threads, folder, &b);
        assert_memory_equal(whole->params, killed->params, whole->n_params * sizeof *whole->params);
        assert_int_equal(a.best_step, b.best_step);
        assert_true(a.best_score == b.best_score);
        /* Once more: the run is finished, and nothing is trained. */
        tin_model *again = fresh_model();
        double seconds = b.seconds;
        must_run(again, &settings, threads, folder, &b);
        assert_true(b.seconds == seconds);
        assert_memory_equal(whole->params, again->params, whole->n_params * sizeof *whole->params);
        tin_model_free(whole);
        tin_model_free(killed);
        tin_model_free(again);
    }
    teacher = NULL;
    tin_model_free(late);
}

static void interruption_leaves_a_checkpoint(void **unused)
{
    (void)unused;
    const char *folder = TEST_TEMPORARY "/interrupted";
    remove_checkpoint(folder);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        tin_stop_install();
        raise(SIGINT);
        tin_model *model = fresh_model();
        tin_train_result result;
        tin_error err = {0};
        _exit(run(model, &usual, 1, folder, &result, &err) == TIN_ERR_INTERRUPTED ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_true(tin_file_exists(TEST_TEMPORARY "/interrupted/train_checkpoint.safetensors"));
    tin_model *whole = fresh_model(), *resumed = fresh_model();
    tin_train_result result;
    must_run(whole, &usual, 1, NULL, &result);
    must_run(resumed, &usual, 1, folder, &result);
    assert_memory_equal(whole->params, resumed->params, whole->n_params * sizeof *whole->params);
    tin_model_free(whole);
    tin_model_free(resumed);
}

static void checkpoints_of_others_are_not_taken(void **unused)
{
    (void)unused;
    const char *folder = TEST_TEMPORARY "/owner";
    tin_config_train settings = usual;
    tin_train_result result;
    tin_error err = {0};
    settings.steps = 20;
    remove_checkpoint(folder);
    tin_model *model = fresh_model(), *other = fresh_model(), *plain = fresh_model();
    settings.kernels = (char[]){"baseline"};
    assert_int_equal(run(model, &settings, 1, folder, &result, &err), TIN_OK);
    /* The same run with other instructions is refused ... */
    tin_model *moved = fresh_model();
    settings.kernels = (char[]){"avx2"};
    tin_status status = run(moved, &settings, 1, folder, &result, &err);
    if (status != TIN_ERR_USAGE) { /* the machine has them */
        assert_int_equal(status, TIN_ERR_MISMATCH);
        assert_non_null(strstr(tin_error_text(&err), "train.kernels: baseline"));
        assert_non_null(strstr(tin_error_text(&err), "delete the checkpoint"));
    }
    /* ... another run starts from its own beginning. */
    settings.kernels = NULL;
    settings.learning_rate = 5e-3;
    must_run(other, &settings, 1, folder, &result);
    must_run(plain, &settings, 1, NULL, &result);
    assert_memory_equal(other->params, plain->params, other->n_params * sizeof *other->params);
    memset(&err, 0, sizeof err);
    settings.kernels = (char[]){"abacus"};
    assert_int_equal(run(model, &settings, 1, NULL, &result, &err), TIN_ERR_USAGE);
    tin_model_free(model);
    tin_model_free(moved);
    tin_model_free(other);
    tin_model_free(plain);
}

static void damaged_checkpoints_are_refused(void **unused)
{
    (void)unused;
    const char *folder = TEST_TEMPORARY "/damaged", *path = TEST_TEMPORARY "/damaged/train_checkpoint.safetensors";
    tin_config_train settings = usual;
    tin_train_result result;
    settings.steps = 10;
    settings.batch = 1;
    remove_checkpoint(folder);
    tin_model *model = fresh_model();
    must_run(model, &settings, 1, folder, &result);
    char *data = NULL;
    size_t size;
    assert_int_equal(tin_file_read(path, &data, &size, NULL), TIN_OK);
    size_t step = size / 60 + 1;
    for (size_t n = 0; n < size; n += n < 40 ? 1 : step) {
        assert_int_equal(tin_file_write(path, data, n, NULL), TIN_OK);
        tin_error err = {0};
        assert_int_equal(run(model, &settings, 1, folder, &result, &err), TIN_ERR_FORMAT);
    }
    for (size_t n = size - 1; n > size / 2; n -= step) { /* one bit of the state: it must not train on from there */
        data[n] = (char)(data[n] ^ 4);
        assert_int_equal(tin_file_write(path, data, size, NULL), TIN_OK);
        data[n] = (char)(data[n] ^ 4);
        tin_error err = {0};
        tin_model *fresh = fresh_model(); /* a run is known by the weights it starts from, too */
        assert_int_equal(run(fresh, &settings, 1, folder, &result, &err), TIN_ERR_FORMAT);
        assert_non_null(strstr(tin_error_text(&err), "delete it to train from the start"));
        tin_model_free(fresh);
    }
    tin_free(data);
    tin_model_free(model);
}

static void finished_runs_write_their_curve_again(void **unused)
{
    (void)unused;
    const char *folder = TEST_TEMPORARY "/curve", *path = TEST_TEMPORARY "/curve/train_curve.csv";
    tin_config_train settings = usual;
    tin_train_result result;
    settings.steps = 20;
    settings.evaluate_every = 5;
    remove_checkpoint(folder);
    tin_model *model = fresh_model(), *again = fresh_model();
    must_run(model, &settings, 1, folder, &result);
    char *before = NULL, *after = NULL;
    size_t size_before, size_after;
    assert_int_equal(tin_file_read(path, &before, &size_before, NULL), TIN_OK);
    assert_int_equal(tin_file_write(path, "damage", 6, NULL), TIN_OK);
    must_run(again, &settings, 1, folder, &result);
    assert_int_equal(tin_file_read(path, &after, &size_after, NULL), TIN_OK);
    assert_int_equal(size_before, size_after);
    assert_memory_equal(before, after, size_before);
    tin_free(before);
    tin_free(after);
    tin_model_free(model);
    tin_model_free(again);
}

static void divergence_names_step_and_recordings(void **unused)
{
    (void)unused;
    tin_config_train settings = usual;
    settings.learning_rate = 1e30;
    settings.clip = 0;
    settings.warmup = 0;
    tin_model *model = fresh_model();
    tin_train_result result;
    for (int i = 0; i < 5; i++) {
        static char kernels[][9] = {"auto", "baseline", "avx2", "avx512", "amx"};
        tin_error err = {0};
        settings.kernels = kernels[i];
        tin_status status = run(model, &settings, 1, NULL, &result, &err);
        if (status == TIN_ERR_USAGE && strstr(tin_error_text(&err), kernels[i])) {
            continue; /* not on this machine */
        }
        assert_int_equal(status, TIN_ERR_NUMERIC);
        assert_non_null(strstr(tin_error_text(&err), "step "));
        assert_non_null(strstr(tin_error_text(&err), "r0"));
        assert_non_null(strstr(tin_error_text(&err), "learning_rate"));
    }
    tin_model_free(model);
}

static void patience_ends_it(void **unused)
{
    (void)unused;
    tin_config_train settings = usual;
    settings.learning_rate = 1e-9; /* nothing changes, so the first score stays the best */
    settings.patience = 40;
    tin_model *model = fresh_model();
    tin_train_result result;
    must_run(model, &settings, 1, NULL, &result);
    assert_int_equal(result.best_step, 20);
    assert_int_equal(result.steps, 60);
    settings.keep_last = true;
    must_run(model, &settings, 1, NULL, &result);
    assert_int_equal(result.best_step, settings.steps);
    tin_model_free(model);
}

static void fine_tunes_with_quantisation(void **unused)
{
    (void)unused;
    tin_model *model = fresh_model(), *folded = NULL;
    tin_train_result result;
    tin_error err = {0};
    must_run(model, &usual, 2, NULL, &result);
    assert_int_equal(tin_model_fold(&folded, model, &err), TIN_OK);
    tin_quant_spec quant = {.input_scale = 4.f / 127};
    for (int i = 0; i < folded->n_layers - 1; i++) {
        bool inner = folded->layers[i + 1].op == TIN_OP_RELU;
        quant.output_scale[i] = inner ? 0 : folded->layers[i].op == TIN_OP_GRU ? 1.f / 128 : 6.f / 127;
    }
    tin_pool *pool = NULL;
    assert_int_equal(tin_pool_create(&pool, 1, &err), TIN_OK);
    tin_train_options options = {
        .settings = usual, .seed = 1, .pool = pool, .name = "finetune", .quant = &quant, .quiet = true};
    options.settings.learning_rate = 1e-3;
    if (tin_train(folded, dataset, &options, &result, &err)) {
        fail_msg("%s", tin_error_text(&err));
    }
    assert_true(result.best_score > 0.85);
    double good = result.best_score;

    /* steps that only do harm: what was given comes back */
    float *before = tin_alloc(folded->n_params, sizeof *before, &err);
    assert_non_null(before);
    memcpy(before, folded->params, folded->n_params * sizeof *before);
    options.settings.learning_rate = 1;
    options.settings.steps = options.settings.evaluate_every = 20;
    if (tin_train(folded, dataset, &options, &result, &err)) {
        fail_msg("%s", tin_error_text(&err));
    }
    assert_int_equal(result.best_step, 0);
    assert_true(result.best_score == good);
    assert_memory_equal(before, folded->params, folded->n_params * sizeof *before);
    tin_free(before);
    tin_pool_destroy(pool);
    tin_model_free(model);
    tin_model_free(folded);
}

static void refuses_wrong_settings(void **unused)
{
    (void)unused;
    tin_model *model = fresh_model();
    tin_train_result result;
    tin_error err = {0};
    tin_config_train settings = usual;
    settings.chunk = 81;
    assert_int_equal(run(model, &settings, 1, NULL, &result, &err), TIN_ERR_CONFIG);
    assert_non_null(strstr(tin_error_text(&err), "multiple of 4"));
    size_t n_intervals[64];
    assert_in_range(dataset->n_streams, 1, 64);
    for (size_t i = 0; i < dataset->n_streams; i++) { /* the labels are only hidden in memory */
        n_intervals[i] = dataset->streams[i].n_intervals;
        dataset->streams[i].n_intervals *= dataset->streams[i].role != TIN_ROLE_VALIDATION;
    }
    memset(&err, 0, sizeof err);
    assert_int_equal(run(model, &usual, 1, NULL, &result, &err), TIN_ERR_DATA);
    assert_non_null(strstr(tin_error_text(&err), "no labelled validation frames"));
    for (size_t i = 0; i < dataset->n_streams; i++) {
        dataset->streams[i].n_intervals = n_intervals[i];
    }
    settings = usual;
    settings.steps = 0;
    memset(&err, 0, sizeof err);
    assert_int_equal(run(model, &settings, 1, NULL, &result, &err), TIN_ERR_CONFIG);
    tin_model_free(model);
}

static void survives_every_failed_allocation(void **unused)
{
    (void)unused;
    tin_config_train settings = usual;
    settings.steps = 2;
    settings.evaluate_every = 1;
    settings.batch = 2;
    tin_model *model = fresh_model();
    tin_train_result result;
    int n = 1;
    for (;; n++) {
        tin_error err = {0};
        remove_checkpoint(TEST_TEMPORARY "/memory");
        tin_memory_fail_at((size_t)n);
        tin_status status = run(model, &settings, 1, TEST_TEMPORARY "/memory", &result, &err);
        tin_memory_fail_at(0);
        if (status == TIN_OK) {
            break;
        }
        assert_int_equal(status, TIN_ERR_MEMORY);
    }
    assert_true(n > 40);
    tin_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(learns),
        cmocka_unit_test(learns_with_a_delay),
        cmocka_unit_test(learns_from_a_teacher),
        cmocka_unit_test(each_metric_chooses),
        cmocka_unit_test(validation_is_the_reference),
        cmocka_unit_test(threads_do_not_matter),
        cmocka_unit_test(every_setting_learns),
        cmocka_unit_test(the_average_is_the_mean),
        cmocka_unit_test(killed_runs_end_the_same),
        cmocka_unit_test(interruption_leaves_a_checkpoint),
        cmocka_unit_test(checkpoints_of_others_are_not_taken),
        cmocka_unit_test(damaged_checkpoints_are_refused),
        cmocka_unit_test(finished_runs_write_their_curve_again),
        cmocka_unit_test(divergence_names_step_and_recordings),
        cmocka_unit_test(patience_ends_it),
        cmocka_unit_test(fine_tunes_with_quantisation),
        cmocka_unit_test(refuses_wrong_settings),
        cmocka_unit_test(survives_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, open_data, close_data);
}
