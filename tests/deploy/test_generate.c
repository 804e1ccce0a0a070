/* Generated code, compiled on the host, against the interpreter, bit for bit; its names, its text, its warnings. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/process.h"
#include "deploy/deploy.h"
#include "deploy/random_model.h"

#define N_FRAMES 900

static tin_generate_facts facts_of(const char *name)
{
    return (tin_generate_facts){.name = name,
                                .version = "test",
                                .data_hash = "",
                                .config_hash = "",
                                .command = "tinamou deploy",
                                .frame_accuracy = NAN,
                                .fnr = NAN,
                                .fcr = NAN,
                                .fp_per_hour = NAN,
                                .latency_mean_s = NAN};
}

static void must(tin_status status, tin_error *err)
{
    if (status != TIN_OK) {
        fail_msg("%s", tin_error_text(err));
    }
}

/* Runs a program that must succeed; its words are shown when it does not. */
static void run(const char *const argv[])
{
    tin_error err = {0};
    tin_process_result result = {0};
    must(tin_process_run(argv, 120, &result, &err), &err);
    if (result.exit_code != 0 || (result.errors[0] != '\0' && strstr(argv[0], "cc") != NULL)) {
        fail_msg("%s %s ... ended with %d:\n%s%s", argv[0], argv[1], result.exit_code, result.output, result.errors);
    }
    tin_process_free(&result);
}

static char *path_of(const char *file)
{
    static char ring[8][TIN_PATH_MAX];
    static int next;
    char *path = ring[next++ % 8];
    (void)snprintf(path, TIN_PATH_MAX, "%s/%s", TEST_TEMPORARY, file);
    return path;
}

/* What the interpreter and the decision layer give, in the driver's format. */
static int32_t *expected_results(const tin_qmodel *model, const tin_decision_rule *rule, const int16_t *counts,
                                 size_t *n)
{
    tin_error err = {0};
    tin_qrunner *runner = NULL;
    tin_decision_state state;
    int16_t scores[TIN_MAX_CLASSES];
    const size_t per_decision = (size_t)model->n_classes + 4;
    int32_t *values = tin_alloc((size_t)(N_FRAMES / model->hop + 1) * per_decision, sizeof *values, &err);
    assert_non_null(values);
    must(tin_qrunner_create(&runner, model, &err), &err);
    tin_decision_reset(&state);
    *n = 0;
    for (int t = 0; t < N_FRAMES; t++) {
        if (tin_qrunner_step(runner, counts + (ptrdiff_t)t * model->n_channels, scores) == 0) {
            continue;
        }
        int best = 0;
        values[(*n)++] = t;
        for (int k = 0; k < model->n_classes; k++) {
            values[(*n)++] = scores[k];
            best = scores[k] > scores[best] ? k : best;
        }
        const int trigger = tin_decision_step(&state, rule, model->classes, model->n_classes, scores);
        values[(*n)++] = best;
        values[(*n)++] = state.active;
        values[(*n)++] = trigger;
    }
    tin_qrunner_free(runner);
    return values;
}

/* Generates, compiles with `compiler` and `flag`, runs, compares. Returns the number of triggers. */
static int compare(const tin_qmodel *model, const tin_decision_rule *rule, const char *name,
                   const char *const compiler[4], uint64_t seed)
{
    tin_error err = {0};
    const tin_generate_facts facts = facts_of(name);
    char define_model[80], define_upper[80], define_header[80], upper[64] = "", source[64];
    int16_t *counts = tin_alloc((size_t)N_FRAMES * (size_t)model->n_channels, sizeof *counts, &err);
    assert_non_null(counts);
    random_counts(counts, N_FRAMES, model->n_channels, seed);
    for (size_t i = 0; name[i] != '\0'; i++) {
        upper[i] = (char)(name[i] >= 'a' && name[i] <= 'z' ? name[i] - 32 : name[i]);
    }
    (void)snprintf(define_model, sizeof define_model, "-DMODEL=%s", name);
    (void)snprintf(define_upper, sizeof define_upper, "-DUPPER=%s", upper);
    (void)snprintf(define_header, sizeof define_header, "-DHEADER=\"%s.h\"", name);
    (void)snprintf(source, sizeof source, "%s.c", name);
    must(tin_generate(model, rule, &facts, TEST_TEMPORARY, &err), &err);
    const char *const compile[] = {compiler[0],    compiler[1],     compiler[2],
                                   compiler[3],    "-std=c99",      "-Wall",
                                   "-Wextra",      "-Wshadow",      "-Wconversion",
                                   "-pedantic",    "-Werror",       define_model,
                                   define_upper,   define_header,   "-I",
                                   TEST_TEMPORARY, path_of(source), TEST_FILES "/driver.c",
                                   "-o",           path_of(name),   NULL};
    run(compile);
    must(tin_file_write(path_of("frames.bin"), counts, (size_t)N_FRAMES * (size_t)model->n_channels * sizeof *counts,
                        &err),
         &err);
    const char *const execute[] = {path_of(name), path_of("frames.bin"), path_of("results.bin"), NULL};
    run(execute);
    size_t n = 0, size = 0;
    char *got = NULL;
    int32_t *expected = expected_results(model, rule, counts, &n);
    must(tin_file_read(path_of("results.bin"), &got, &size, &err), &err);
    assert_int_equal(size, n * sizeof *expected);
    int triggers = 0;
    for (size_t i = 0; i < n; i++) {
        const size_t per_decision = (size_t)model->n_classes + 4;
        int32_t value;
        memcpy(&value, got + i * sizeof value, sizeof value);
        if (value != expected[i]) {
            fail_msg("seed %lu, decision %zu, value %zu: %d, expected %d", (unsigned long)seed, i / per_decision,
                     i % per_decision, (int)value, (int)expected[i]);
        }
        triggers += i % per_decision == per_decision - 1 && value >= 0;
    }
    tin_free(got);
    tin_free(expected);
    tin_free(counts);
    return triggers;
}

static const char *const plain[4] = {"gcc", "-O2", "-g", "-fno-common"};
static const char *const small[4] = {"clang", "-Os", "-g", "-fno-common"};
static const char *const checked[4] = {"gcc", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"};

static void test_random_models(void **state)
{
    (void)state;
    int triggers = 0;
    for (uint64_t seed = 1; seed <= 45; seed++) {
        tin_error err = {0};
        tin_qmodel *model = NULL;
        must(random_model_any(&model, seed, &err), &err);
        const tin_decision_rule rule = random_rule(seed);
        triggers += compare(model, &rule, "random_net", seed % 3 == 0 ? checked : seed % 3 == 1 ? plain : small, seed);
        tin_qmodel_free(model);
    }
    assert_true(triggers > 100);
}

static void compare_spec(const random_spec *spec, uint64_t seed)
{
    tin_error err = {0};
    tin_qmodel *model = NULL;
    must(random_model(&model, spec, seed, &err), &err);
    const tin_decision_rule rule = random_rule(seed);
    (void)compare(model, &rule, "special", checked, seed);
    tin_qmodel_free(model);
}

static void test_har(void **state)
{
    (void)state;
    tin_error err = {0};
    tin_qmodel *model = NULL;
    must(random_model_har(&model, 7, &err), &err);
    const tin_decision_rule rule = {.on = 300, .off = 100, .count = 2, .refractory = 3};
    assert_true(compare(model, &rule, "har", checked, 7) > 0);
    tin_qmodel_free(model);
}

static void test_extreme_shapes(void **state)
{
    (void)state;
    static const random_layer wide[] = {{.op = TIN_OP_CONV1D, .units = 256, .kernel = 3},
                                        {.op = TIN_OP_GRU, .units = 63},
                                        {.op = TIN_OP_AVG_POOL, .kernel = 7, .stride = 3},
                                        {.op = TIN_OP_DENSE, .units = 31, .relu = true}};
    static const random_layer strided[] = {
        {.op = TIN_OP_CONV1D, .units = 5, .kernel = 2, .stride = 7},
        {.op = TIN_OP_AVG_POOL, .kernel = 1, .stride = 3},
        {.op = TIN_OP_GRU, .units = 3},
        {.op = TIN_OP_CONV1D, .units = 3, .kernel = 3, .dilation = 5, .depthwise = true},
        {.op = TIN_OP_GRU, .units = 2}};
    static const random_layer skip_everything[] = {{.op = TIN_OP_CONV1D, .units = 4, .kernel = 1, .stride = 1024}};
    static const random_layer dilated[] = {
        {.op = TIN_OP_CONV1D, .units = 7, .kernel = 4, .dilation = 9},
        {.op = TIN_OP_CONV1D, .units = 2, .kernel = 3, .dilation = 2, .depthwise = true},
        {.op = TIN_OP_DENSE, .units = 1},
        {.op = TIN_OP_DENSE, .units = 6}};
    compare_spec(&(random_spec){.n_channels = 64, .n_classes = 200, .layers = wide, .n_layers = 4, .event_every = 1},
                 101);
    compare_spec(&(random_spec){.n_channels = 1, .n_classes = 1, .layers = strided, .n_layers = 5}, 102);
    compare_spec(&(random_spec){.n_channels = 1, .n_classes = 1, .n_layers = 0, .event_every = 1}, 103);
    compare_spec(&(random_spec){.n_channels = 3, .n_classes = 2, .layers = skip_everything, .n_layers = 1}, 104);
    compare_spec(
        &(random_spec){
            .n_channels = 3, .n_classes = 5, .layers = dilated, .n_layers = 4, .event_every = 2, .extreme = true},
        105);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_har),
        cmocka_unit_test(test_random_models),
        cmocka_unit_test(test_extreme_shapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
