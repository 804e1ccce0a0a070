/* The same generated code on every emulated core, bit for bit, and for each core what it asks of the libraries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "deploy/fixture.h"
#include "deploy/target.h"

/* Frames that were compared, over all cores: the figure exact.frames. */
static int64_t frames_compared;
static int too_large;

/* One test stream of random counts. */
static void measure(const tin_target *target, const tin_qmodel *model, const tin_decision_rule *rule,
                    const tin_generate_facts *facts, const char *optimize, int64_t n_frames, uint64_t seed)
{
    char id[] = "random";
    tin_error err = {0};
    tin_footprint footprint;
    int16_t *counts = tin_alloc((size_t)n_frames * (size_t)model->n_channels, sizeof *counts, &err);
    assert_non_null(counts);
    random_counts(counts, n_frames, model->n_channels, seed);
    tin_stream stream = {.id = id, .role = TIN_ROLE_TEST, .n_frames = n_frames, .counts = counts};
    const tin_dataset d = {.n_channels = model->n_channels, .streams = &stream, .n_streams = 1};
    tin_measure_options options = {.optimize = optimize, .target = target->name, .quiet = true};
    must(tin_schedule_latency(model, facts, &options.latency, &err), &err);
    const tin_status status = tin_measure(model, rule, &d, TEST_TEMPORARY, "net", &options, &footprint, &err);
    if (status == TIN_ERR_MODEL && strstr(err.message, "do not fit") != NULL) { /* the AVR has 8 KB for all */
        assert_string_equal(target->name, "avr");
        too_large++;
        tin_free(counts);
        return;
    }
    if (status != TIN_OK) {
        fail_msg("%s, seed %d: %s", target->title, (int)seed, tin_error_text(&err));
    }
    assert_int_equal(footprint.verified_frames, n_frames);
    assert_int_equal(footprint.mismatches, 0);
    frames_compared += footprint.verified_frames;
    tin_free(counts);
}

/* Chains and graphs of every op and encoding, sizes odd and extreme. */
static void test_random_models_on_every_core(void **state)
{
    (void)state;
    static const char *const optimize[] = {"size", "balanced", "speed"};
    for (uint64_t seed = 20; seed < 35; seed++) {
        tin_error err = {0};
        tin_qmodel *model = NULL;
        if (seed < 25) {
            must(random_model_any(&model, seed, &err), &err);
        } else if (seed < 30) {
            must(random_graph(&model, seed, &err), &err);
        } else { /* any value, 4 bits, codebook, zero blocks */
            must(random_model_har(&model, seed, &err), &err);
            must(random_model_values(model, (random_values)(seed - 30), seed, &err), &err);
        }
        const tin_decision_rule rule = random_rule(seed);
        tin_generate_facts facts = facts_of("net");
        facts.optimize = seed >= 30 ? "size" : optimize[seed % 3];
        facts.target = seed % 5 == 0 ? "m55" : "m4";
        facts.schedule = seed % 3 == 1 ? "spread" : "earliest";
        must(tin_generate(model, &rule, &facts, TEST_TEMPORARY, &err), &err);
        for (const tin_target *t = tin_targets; t->name != NULL; t++) {
            measure(t, model, &rule, &facts, optimize[seed % 2], t->serial ? 150 : 600, seed);
        }
        tin_qmodel_free(model);
    }
    assert_true(too_large <= 7); /* 5 of them HAR networks */
}

/* Long without a reset: what a device does. */
static void test_long_stream_on_every_core(void **state)
{
    (void)state;
    tin_error err = {0};
    tin_qmodel *model = NULL;
    const tin_decision_rule rule = random_rule(7);
    const tin_generate_facts facts = facts_of("net");
    must(random_model_har(&model, 7, &err), &err);
    must(tin_generate(model, &rule, &facts, TEST_TEMPORARY, &err), &err);
    for (const tin_target *t = tin_targets; t->name != NULL; t++) {
        if (!t->serial) {
            measure(t, model, &rule, &facts, "balanced", 100000, 7);
        }
    }
    tin_qmodel_free(model);
}

/* Spectra of random sounds and full scale; gravity removed, differences, lengths, variances. */
static void test_features_on_every_core(void **state)
{
    (void)state;
    for (uint64_t seed = 9; seed < 12; seed++) {
        tin_error err = {0};
        tin_qmodel *model = NULL;
        const tin_decision_rule rule = random_rule(seed);
        const tin_generate_facts facts = facts_of("net");
        must(seed == 9 ? random_model_audio(&model, seed, &err) : random_model_motion(&model, seed, &err), &err);
        must(tin_generate(model, &rule, &facts, TEST_TEMPORARY, &err), &err);
        for (const tin_target *t = tin_targets; t->name != NULL; t++) {
            measure(t, model, &rule, &facts, "balanced", t->serial ? 400 : 4000, seed);
        }
        tin_qmodel_free(model);
    }
}

/* Without a word of warning on every core; the C library's three functions, and on cores whose multiplication has no
 * 64-bit result the compiler's own. */
static void test_calls_of_each_core(void **state)
{
    (void)state;
    static const struct {
        const char *core;
        bool multiplies;
    } cores[] = {{"-mcpu=cortex-m0", false}, {"-mcpu=cortex-m23", false}, {"-mcpu=cortex-m3", true},
                 {"-mcpu=cortex-m4", true},  {"-mcpu=cortex-m7", true},   {"-mcpu=cortex-m33", true},
                 {"-mcpu=cortex-m55", true}};
    static const random_layer layers[] = {
        {.op = TIN_OP_CONV1D, .units = 2, .kernel = 3, .stride = 4, .depthwise = true},
        {.op = TIN_OP_CONV1D, .units = 5, .kernel = 2, .dilation = 3},
        {.op = TIN_OP_AVG_POOL, .kernel = 3, .stride = 2},
        {.op = TIN_OP_GRU, .units = 6}};
    static const char *const levels[] = {"-Os", "-O3"};
    const random_spec spec = {.n_channels = 3, .n_classes = 4, .layers = layers, .n_layers = 4, .event_every = 3};
    tin_decision_rule rule = common_rule(5, 5, 1, 0);
    rule.smooth_shift = 1;
    const tin_generate_facts facts = facts_of("net");
    tin_error err = {0};
    const size_t n_builds = 2 * sizeof cores / sizeof cores[0];
    for (size_t at = 0; at < 4 * n_builds; at++) { /* a chain, two graphs of all ops, a network of zero blocks */
        const size_t i = at % n_builds, kind = at / n_builds;
        if (i == 0) {
            tin_qmodel *model = NULL;
            if (kind == 3) {
                must(random_model_har(&model, 7, &err), &err);
                must(random_model_values(model, RANDOM_SPARSE_75, 0, &err), &err);
            } else {
                must(kind == 0 ? random_model(&model, &spec, 11, &err) : random_graph(&model, 9 + kind, &err), &err);
            }
            must(tin_generate(model, &rule, &facts, TEST_TEMPORARY, &err), &err);
            tin_qmodel_free(model);
        }
        const char *const build[] = {"arm-none-eabi-gcc",
                                     cores[i / 2].core,
                                     "-mthumb",
                                     levels[i % 2],
                                     "-std=c99",
                                     "-Wall",
                                     "-Wextra",
                                     "-Wconversion",
                                     "-Wshadow",
                                     "-Wcast-align",
                                     "-pedantic",
                                     "-Werror",
                                     "-c",
                                     path_of("net.c"),
                                     "-o",
                                     path_of("net.o"),
                                     NULL};
        const char *const list[] = {"arm-none-eabi-nm", "-u", "-P", path_of("net.o"), NULL};
        tin_process_result symbols = {0};
        run(build);
        must(tin_process_run(list, 60, &symbols, &err), &err);
        for (char *line = strtok(symbols.output, "\n"); line != NULL; line = strtok(NULL, "\n")) {
            const bool allowed = strncmp(line, "memcpy ", 7) == 0 || strncmp(line, "memmove ", 8) == 0 ||
                                 strncmp(line, "memset ", 7) == 0 ||
                                 (!cores[i / 2].multiplies && strncmp(line, "__aeabi_lmul ", 13) == 0);
            if (!allowed) {
                fail_msg("%s %s needs %s", cores[i / 2].core, levels[i % 2], line);
            }
        }
        tin_process_free(&symbols);
    }
}

/* -ffreestanding makes every memcpy a call: none may stand in an inner loop, in any encoding. */
static void test_inner_loop_calls_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *optimize, *compiler, *flag, *level, *begin, *end;
    } cases[] = {{"balanced", "arm-none-eabi-gcc", "-fno-builtin", "-Os", "\nnet_t2:", ".size\tnet_t2,"},
                 {"speed", "arm-none-eabi-gcc", "-ffreestanding", "-Os", "\nnet_t43:", ".size\tnet_t43,"},
                 {"plain", "arm-none-eabi-gcc", "-ffreestanding", "-O2", "\nnet_dot4:", ".size\tnet_dot4,"}};
    static const random_layer long_window[] = {{.op = TIN_OP_CONV1D, .units = 2, .kernel = 90, .stride = 3}};
    const random_spec plain = {.n_channels = 6, .n_classes = 2, .layers = long_window, .n_layers = 1};
    const tin_decision_rule rule = common_rule(5, 5, 1, 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tin_generate_facts facts = facts_of("net");
        tin_error err = {0};
        tin_qmodel *model = NULL;
        facts.optimize = cases[i].optimize;
        must(i < 2 ? random_model_har(&model, 11, &err) : random_model(&model, &plain, 11, &err), &err);
        must(tin_generate(model, &rule, &facts, TEST_TEMPORARY, &err), &err);
        tin_qmodel_free(model);
        const char *const build[] = {cases[i].compiler,
                                     cases[i].flag,
                                     cases[i].level,
                                     "-mcpu=cortex-m4",
                                     "-mthumb",
                                     "-S",
                                     "-std=c99",
                                     "-pedantic",
                                     "-Werror",
                                     path_of("net.c"),
                                     "-o",
                                     path_of("net.s"),
                                     NULL};
        char *text = NULL;
        size_t size = 0;
        run(build);
        must(tin_file_read(path_of("net.s"), &text, &size, &err), &err);
        char *begin = strstr(text, cases[i].begin), *end = begin == NULL ? NULL : strstr(begin, cases[i].end);
        if (end == NULL) {
            fail_msg("no %s in the assembly", cases[i].begin + 1);
            return;
        }
        *end = '\0';
        assert_non_null(strstr(begin, "smlad"));
        assert_null(strstr(begin, "\tbl\t"));
        tin_free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_models_on_every_core), cmocka_unit_test(test_long_stream_on_every_core),
        cmocka_unit_test(test_features_on_every_core),      cmocka_unit_test(test_calls_of_each_core),
        cmocka_unit_test(test_inner_loop_calls_nothing),
    };
#ifdef SKIP_WITHOUT_EMULATOR
    if (!tin_process_exists("qemu-system-arm") || !tin_process_exists("arm-none-eabi-gcc")) {
        return 77; /* CTest: skipped */
    }
#endif
    const int failures = cmocka_run_group_tests(tests, NULL, NULL);
    size_t n_cores = 0;
    while (tin_targets[n_cores].name != NULL) {
        n_cores++;
    }
    (void)printf("exact.cores %zu cores\nexact.frames %lld frames\n", failures == 0 ? n_cores : 0,
                 (long long)frames_compared);
    return failures;
}
