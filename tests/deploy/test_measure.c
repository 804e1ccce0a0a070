/* Generated code on the emulated Cortex-M4: exact, and every kind of difference is found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#include "deploy/fixture.h"

#define N_CHANNELS 3
#define N_FRAMES 700

static int16_t frames[2][N_FRAMES * N_CHANNELS];
static char id_first[] = "first", id_second[] = "second", id_train[] = "train";

/* Two test streams, one of them shorter than a hop, with a training stream between that must not be run. */
static const tin_dataset *dataset(tin_stream streams[3], tin_dataset *d)
{
    random_counts(frames[0], N_FRAMES, N_CHANNELS, 1);
    random_counts(frames[1], N_FRAMES, N_CHANNELS, 2);
    streams[0] = (tin_stream){.id = id_first, .role = TIN_ROLE_TEST, .n_frames = N_FRAMES, .counts = frames[0]};
    streams[1] = (tin_stream){.id = id_train, .role = TIN_ROLE_TRAIN, .n_frames = N_FRAMES, .counts = frames[1]};
    streams[2] = (tin_stream){.id = id_second, .role = TIN_ROLE_TEST, .n_frames = N_FRAMES - 1, .counts = frames[1]};
    *d = (tin_dataset){.n_channels = N_CHANNELS, .streams = streams, .n_streams = 3};
    return d;
}

static tin_qmodel *make_model(uint64_t seed)
{
    static const random_layer layers[] = {
        {.op = TIN_OP_CONV1D, .units = 2, .kernel = 3, .stride = 2, .depthwise = true, .relu = true},
        {.op = TIN_OP_CONV1D, .units = 7, .kernel = 2, .dilation = 3},
        {.op = TIN_OP_AVG_POOL, .kernel = 3, .stride = 2},
        {.op = TIN_OP_GRU, .units = 6},
        {.op = TIN_OP_DENSE, .units = 5, .relu = true}};
    const random_spec spec = {
        .n_channels = N_CHANNELS, .n_classes = 4, .layers = layers, .n_layers = 5, .event_every = 2};
    tin_error err = {0};
    tin_qmodel *model = NULL;
    must(random_model(&model, &spec, seed, &err), &err);
    return model;
}

static tin_decision_rule rule; /* main */
static const tin_measure_options size_build = {.optimize = "size", .quiet = true},
                                 speed_build = {.optimize = "speed", .quiet = true};

static void generate(const tin_qmodel *model, const char *folder)
{
    tin_error err = {0};
    const tin_generate_facts facts = facts_of("net");
    must(tin_folder_make(folder, &err), &err);
    must(tin_generate(model, &rule, &facts, folder, &err), &err);
}

static void test_exact_on_the_core(void **state)
{
    (void)state;
    const char *folder = TEST_TEMPORARY "/a folder, with \"quotes\"";
    tin_stream streams[3];
    tin_dataset d;
    tin_footprint size, speed;
    tin_error err = {0};
    tin_qmodel *model = make_model(21);
    generate(model, folder);
    must(tin_measure(model, &rule, dataset(streams, &d), folder, "net", &size_build, &size, &err), &err);
    must(tin_measure(model, &rule, &d, folder, "net", &speed_build, &speed, &err), &err);
    assert_int_equal(size.verified_frames, 2 * N_FRAMES - 1);
    assert_int_equal(size.mismatches, 0);
    assert_true(size.code_bytes > 1500 && size.code_bytes < 4000);
    assert_true(size.weight_bytes > 500 && size.weight_bytes < 1500);
    assert_true(size.state_bytes > 100 && size.state_bytes < 300);
    assert_true(size.stack_bytes > 50 && size.stack_bytes <= size.stack_static_bytes && size.stack_static_bytes < 400);
    assert_true(speed.stack_bytes > 50 && speed.stack_bytes <= speed.stack_static_bytes &&
                speed.stack_static_bytes < 400);
    assert_true(speed.insn_per_frame > 300 && speed.insn_per_frame < size.insn_per_frame);
    assert_true((double)speed.insn_worst_frame > speed.insn_per_frame);
    assert_true(fabs(speed.insn_per_decision / speed.insn_per_frame - 4) < 0.02);
    /* the layers add up to the whole */
    double sum = 0;
    assert_int_equal(speed.n_layers, 8);
    assert_string_equal(speed.layers[4].name, "gru_4");
    for (int i = 0; i < speed.n_layers; i++) {
        assert_true(speed.layers[i].insn_per_run > 20);
        sum += speed.layers[i].insn_per_decision;
    }
    assert_true(sum > 0.9 * speed.insn_per_decision && sum < 1.1 * speed.insn_per_decision);
    tin_qmodel_free(model);
}

/* Every op in random shapes, extreme weights and odd widths: the core's own instructions give what the interpreter
 * gives. */
static void test_random_models_on_the_core(void **state)
{
    (void)state;
    for (uint64_t k = 60; k < 84; k++) {
        const uint64_t seed = k < 82 ? k : 116 + k % 2 * 2; /* 116: a packed layer of 16 bits, odd in a concat */
        tin_error err = {0};
        tin_qmodel *model = NULL;
        tin_footprint footprint;
        const tin_decision_rule any = random_rule(seed);
        tin_generate_facts facts = facts_of("net");
        tin_measure_options options = seed % 2 ? size_build : speed_build;
        facts.schedule = seed % 4 < 2 ? "earliest" : "spread";
        must(seed < 70 ? random_model_any(&model, seed, &err) : random_graph(&model, seed, &err), &err);
        int16_t *counts = tin_alloc(N_FRAMES * (size_t)model->n_channels, sizeof *counts, &err);
        assert_non_null(counts);
        random_counts(counts, N_FRAMES, model->n_channels, seed);
        tin_stream stream = {.id = id_first, .role = TIN_ROLE_TEST, .n_frames = N_FRAMES, .counts = counts};
        const tin_dataset d = {.n_channels = model->n_channels, .streams = &stream, .n_streams = 1};
        must(tin_generate(model, &any, &facts, TEST_TEMPORARY, &err), &err);
        must(tin_schedule_latency(model, &facts, &options.latency, &err), &err);
        must(tin_measure(model, &any, &d, TEST_TEMPORARY, "net", &options, &footprint, &err), &err);
        assert_int_equal(footprint.verified_frames, N_FRAMES);
        assert_true(footprint.stack_bytes <= footprint.stack_static_bytes);
        tin_free(counts);
        tin_qmodel_free(model);
    }
}

/* The benchmark network with the schedule "spread": no frame takes much more than the average, decisions come late by
 * what was said, and by no other number of frames. */
static void test_spread_levels_frames(void **state)
{
    (void)state;
    tin_error err = {0};
    tin_qmodel *model = NULL;
    tin_footprint early, level;
    tin_measure_options options = {.optimize = "balanced", .quiet = true};
    tin_generate_facts facts = facts_of("net");
    must(random_model_har(&model, 7, &err), &err);
    static int16_t counts[N_FRAMES * 6];
    random_counts(counts, N_FRAMES, 6, 3);
    tin_stream stream = {.id = id_first, .role = TIN_ROLE_TEST, .n_frames = N_FRAMES, .counts = counts};
    const tin_dataset d = {.n_channels = 6, .streams = &stream, .n_streams = 1};
    must(tin_generate(model, &rule, &facts, TEST_TEMPORARY, &err), &err);
    must(tin_measure(model, &rule, &d, TEST_TEMPORARY, "net", &options, &early, &err), &err);
    facts.schedule = "spread";
    must(tin_generate(model, &rule, &facts, TEST_TEMPORARY, &err), &err);
    must(tin_schedule_latency(model, &facts, &options.latency, &err), &err);
    assert_in_range(options.latency, 1, model->hop - 1);
    must(tin_measure(model, &rule, &d, TEST_TEMPORARY, "net", &options, &level, &err), &err);
    assert_true((double)early.insn_worst_frame > 3.0 * early.insn_per_frame);
    assert_true((double)level.insn_worst_frame < 1.4 * level.insn_per_frame);
    assert_true(level.insn_per_frame < 1.2 * early.insn_per_frame);
    options.latency--;
    assert_int_equal(tin_measure(model, &rule, &d, TEST_TEMPORARY, "net", &options, &level, &err), TIN_ERR_MISMATCH);
    tin_qmodel_free(model);
}

/* The same figures twice: the emulator's clock counts instructions, not time. */
static void test_measurement_repeats(void **state)
{
    (void)state;
    tin_stream streams[3];
    tin_dataset d;
    tin_footprint one, two;
    tin_error err = {0};
    tin_qmodel *model = make_model(22);
    tin_measure_options options = speed_build;
    options.max_frames = 300;
    generate(model, TEST_TEMPORARY);
    must(tin_measure(model, &rule, dataset(streams, &d), TEST_TEMPORARY, "net", &options, &one, &err), &err);
    must(tin_measure(model, &rule, &d, TEST_TEMPORARY, "net", &options, &two, &err), &err);
    assert_int_equal(one.verified_frames, 300);
    assert_memory_equal(&one, &two, sizeof one);
    tin_qmodel_free(model);
}

/* One weight, one rule, one stride other than the generated: all must be found and named. */
static void test_differences_are_found(void **state)
{
    (void)state;
    tin_stream streams[3];
    tin_dataset d;
    tin_footprint footprint;
    tin_qmodel *model = make_model(23);
    generate(model, TEST_TEMPORARY);
    tin_decision_rule other_rule = common_rule(-70000, 0, 1, 0);
    other_rule.smooth_shift = 1;
    tin_error err = {0};
    assert_int_equal(
        tin_measure(model, &other_rule, dataset(streams, &d), TEST_TEMPORARY, "net", &size_build, &footprint, &err),
        TIN_ERR_MISMATCH);
    assert_non_null(strstr(err.message, "stream first, frame"));
    assert_non_null(strstr(err.message, "active"));
    assert_true(footprint.mismatches > 0 && footprint.verified_frames == 2 * N_FRAMES - 1);
    model->layers[5].bias[2] += 4000;
    err = (tin_error){0};
    assert_int_equal(tin_measure(model, &rule, &d, TEST_TEMPORARY, "net", &size_build, &footprint, &err),
                     TIN_ERR_MISMATCH);
    assert_non_null(strstr(err.message, "stream first, frame 3: score 2 is"));
    model->layers[5].bias[2] -= 4000;
    model->layers[2].stride = 1;
    model->hop = 2;
    err = (tin_error){0};
    assert_int_equal(tin_measure(model, &rule, &d, TEST_TEMPORARY, "net", &size_build, &footprint, &err),
                     TIN_ERR_MISMATCH);
    assert_non_null(strstr(err.message, "decision due"));
    tin_qmodel_free(model);
}

static void expect_failure(const tin_qmodel *model, const tin_dataset *d, const char *name,
                           const tin_measure_options *options, tin_status status, const char *word)
{
    tin_footprint footprint;
    tin_error err = {0};
    assert_int_equal(tin_measure(model, &rule, d, TEST_TEMPORARY, name, options, &footprint, &err), status);
    if (strstr(err.message, word) == NULL) {
        fail_msg("\"%s\" is not in: %s", word, err.message);
    }
}

static void test_what_can_be_wrong(void **state)
{
    (void)state;
    tin_stream streams[3];
    tin_dataset d;
    tin_qmodel *model = make_model(24);
    tin_measure_options options = size_build;
    generate(model, TEST_TEMPORARY);
    (void)dataset(streams, &d);
    options.optimize = "beauty";
    expect_failure(model, &d, "net", &options, TIN_ERR_CONFIG, "beauty");
    expect_failure(model, &d, "int", &size_build, TIN_ERR_MODEL, "word of C");
    expect_failure(model, &d, "absent", &size_build, TIN_ERR_TOOL, "absent.c");
    d.n_channels = 4;
    expect_failure(model, &d, "net", &size_build, TIN_ERR_MODEL, "4");
    d.n_channels = N_CHANNELS;
    streams[0].role = streams[2].role = TIN_ROLE_VALIDATION;
    expect_failure(model, &d, "net", &size_build, TIN_ERR_DATA, "test");
    tin_qmodel_free(model);
}

static void test_missing_tool_names_its_package(void **state)
{
    (void)state;
    tin_stream streams[3];
    tin_dataset d;
    tin_qmodel *model = make_model(24);
    char *path = strdup(getenv("PATH"));
    generate(model, TEST_TEMPORARY);
    assert_int_equal(setenv("PATH", "/nonexistent", 1), 0);
    (void)dataset(streams, &d);
    for (int i = 0; tin_target_name(i) != NULL; i++) {
        tin_measure_options options = size_build;
        options.target = tin_target_name(i);
        expect_failure(model, &d, "net", &options, TIN_ERR_TOOL, "apt-get install gcc-");
    }
    assert_int_equal(setenv("PATH", path, 1), 0);
    free(path);
    tin_qmodel_free(model);
}

/* Changes one piece of the generated source. */
static void tamper(const char *before, const char *after)
{
    tin_error err = {0};
    char *text = NULL;
    size_t size = 0;
    must(tin_file_read(path_of("net.c"), &text, &size, &err), &err);
    char *at = strstr(text, before);
    assert_non_null(at);
    FILE *to = fopen(path_of("net.c"), "w");
    assert_non_null(to);
    (void)fprintf(to, "%.*s%s%s", (int)(at - text), text, after, at + strlen(before));
    assert_int_equal(fclose(to), 0);
    tin_free(text);
}

/* Code that breaks the contract does not pass, whatever its results. */
static void test_tampered_code(void **state)
{
    (void)state;
    static const struct {
        const char *before, *after, *word;
    } cases[] = {
        {"    return 1;\n", "    return 1 + 5 / (out->score[0] | 1);\n", "sdiv"},
        {"    return 1;\n", "    return *(volatile int32_t *)0xf0000000u;\n", "fault"},
        {"int32_t net_step(", "static int calls;\nint32_t net_step(", "unused"},
        {"    NET_MARK(0);\n",
         "    static volatile int32_t calls;\n    if (calls++ < 0) { return 0; }\n    NET_MARK(0);\n", "variables"},
        {"    return 1;\n",
         "    __asm__ volatile(\"sub sp, #496\\n str r0, [sp]\\n add sp, #496\" ::: \"memory\");\n    return 1;\n",
         "bytes of stack"},
        {"    return 1;\n", "    net_init(s);\n    return 1;\n", "of 1399 frames differ"},
    };
    tin_stream streams[3];
    tin_dataset d;
    tin_qmodel *model = make_model(26);
    (void)dataset(streams, &d);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const bool runs = i + 1 == sizeof cases / sizeof cases[0];
        generate(model, TEST_TEMPORARY);
        tamper(cases[i].before, cases[i].after);
        expect_failure(model, &d, "net", &size_build, runs ? TIN_ERR_MISMATCH : TIN_ERR_TOOL, cases[i].word);
    }
    tin_qmodel_free(model);
}

/* Out of memory here and there on the way: an error and no leak (the sanitizer build looks). */
static void test_allocations_fail(void **state)
{
    (void)state;
    tin_stream streams[3];
    tin_dataset d;
    tin_footprint footprint;
    tin_qmodel *model = make_model(25);
    tin_measure_options options = size_build;
    options.max_frames = 40;
    generate(model, TEST_TEMPORARY);
    (void)dataset(streams, &d);
    int failures = 0;
    tin_status status = TIN_ERR_MEMORY;
    for (size_t n = 1; status != TIN_OK; n += 1 + n / 4) {
        tin_error err = {0};
        (void)tin_memory_fail_at(n);
        status = tin_measure(model, &rule, &d, TEST_TEMPORARY, "net", &options, &footprint, &err);
        (void)tin_memory_fail_at(0);
        assert_true(status == TIN_OK || status == TIN_ERR_MEMORY);
        failures += status != TIN_OK;
    }
    assert_true(failures > 10);
    tin_qmodel_free(model);
}

static void test_footprint_file(void **state)
{
    (void)state;
    tin_error err = {0};
    const tin_footprint f = {.code_bytes = 1,
                             .weight_bytes = 2,
                             .flash_bytes = 3,
                             .state_bytes = 4,
                             .stack_bytes = 5,
                             .stack_static_bytes = 6,
                             .insn_per_frame = 7.5,
                             .insn_per_decision = 8.5,
                             .insn_worst_frame = 9,
                             .verified_frames = 10,
                             .mismatches = 11,
                             .target = "Cortex-M4",
                             .layers = {{"input", 12.5, 13.5}},
                             .n_layers = 1};
    must(tin_footprint_save(&f, TEST_TEMPORARY, "footprint.json", &err), &err);
    json_t *root = json_load_file(path_of("footprint.json"), 0, NULL);
    assert_non_null(root);
    static const char *const whole[] = {"code_bytes",       "weight_bytes",       "flash_bytes", "state_bytes",
                                        "stack_bytes",      "stack_static_bytes", NULL,          NULL,
                                        "insn_worst_frame", "verified_frames",    "mismatches"};
    for (int i = 0; i < 11; i++) {
        if (whole[i] != NULL) {
            assert_int_equal(json_integer_value(json_object_get(root, whole[i])), i + 1);
        }
    }
    assert_true(json_real_value(json_object_get(root, "insn_per_frame")) == 7.5);
    assert_true(json_real_value(json_object_get(root, "insn_per_decision")) == 8.5);
    json_t *layer = json_array_get(json_object_get(root, "layers"), 0);
    assert_true(json_real_value(json_object_get(layer, "insn_per_run")) == 12.5);
    json_decref(root);
    const tin_footprint uncounted = {.insn_per_frame = NAN, .insn_worst_frame = -1, .stack_bytes = -1};
    must(tin_footprint_save(&uncounted, TEST_TEMPORARY, "footprint-x86-64.json", &err), &err);
    root = json_load_file(path_of("footprint-x86-64.json"), 0, NULL);
    assert_true(json_is_null(json_object_get(root, "insn_per_frame")));
    assert_true(json_is_null(json_object_get(root, "insn_worst_frame")));
    assert_true(json_is_null(json_object_get(root, "stack_bytes")));
    json_decref(root);
    tin_error refused = {0};
    assert_int_equal(tin_footprint_save(&f, TEST_TEMPORARY "/no/such", "footprint.json", &refused), TIN_ERR_IO);
}

/* Budgets: what fits to the byte passes; else both figures and what would help. */
static void test_budgets(void **state)
{
    (void)state;
    const tin_footprint f = {
        .code_bytes = 2500, .weight_bytes = 7500, .flash_bytes = 10000, .state_bytes = 380, .stack_static_bytes = 120};
    tin_error err = {0};
    must(tin_footprint_check(&f, 0, 0, "balanced", &err), &err);
    must(tin_footprint_check(&f, 10000, 500, "balanced", &err), &err);
    assert_int_equal(tin_footprint_check(&f, 9999, 500, "balanced", &err), TIN_ERR_MODEL);
    assert_non_null(strstr(err.message, "10000 bytes of flash (instructions and tables 2500, weights 7500)"));
    assert_non_null(strstr(err.message, "max_flash_bytes allows 9999; set deploy.optimize to size"));
    err = (tin_error){0};
    assert_int_equal(tin_footprint_check(&f, 9999, 500, "size", &err), TIN_ERR_MODEL);
    assert_null(strstr(err.message, "deploy.optimize"));
    err = (tin_error){0};
    assert_int_equal(tin_footprint_check(&f, 10000, 499, "size", &err), TIN_ERR_MODEL);
    assert_non_null(strstr(err.message, "500 bytes of RAM (state 380, stack at most 120), but deploy.max_ram_bytes"));
}

int main(void)
{
    rule = common_rule(200, 300, 2, 3);
    rule.smooth_shift = 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exact_on_the_core),
        cmocka_unit_test(test_random_models_on_the_core),
        cmocka_unit_test(test_spread_levels_frames),
        cmocka_unit_test(test_measurement_repeats),
        cmocka_unit_test(test_differences_are_found),
        cmocka_unit_test(test_what_can_be_wrong),
        cmocka_unit_test(test_missing_tool_names_its_package),
        cmocka_unit_test(test_tampered_code),
        cmocka_unit_test(test_allocations_fail),
        cmocka_unit_test(test_footprint_file),
        cmocka_unit_test(test_budgets),
    };
#ifdef SKIP_WITHOUT_EMULATOR
    if (!tin_process_exists("qemu-system-arm") || !tin_process_exists("arm-none-eabi-gcc")) {
        return 77; /* CTest: skipped */
    }
#endif
    return cmocka_run_group_tests(tests, NULL, NULL);
}
