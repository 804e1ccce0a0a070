/* The back end cmsis-nn against the interpreter. The library is not here: a stand-in of the functions that are called,
 * written after its documentation (files/cmsis_nn_standin), takes its place. What the library itself gives is measured
 * by hand, docs/deployment.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "deploy/host_run.h"

#define STANDIN TEST_FILES "/cmsis_nn_standin"

static void generate(const tin_qmodel *model, const tin_decision_rule *rule, const char *backend)
{
    tin_error err = {0};
    tin_generate_facts facts = facts_of("net");
    facts.backend = backend;
    must(tin_generate(model, rule, &facts, TEST_TEMPORARY, &err), &err);
}

static void compare(const tin_qmodel *model, uint64_t seed)
{
    tin_generate_facts facts = facts_of("net");
    facts.backend = "cmsis-nn";
    compare_on_host(model, &facts, STANDIN "/Include", STANDIN "/standin.c", seed);
}

static void test_har(void **state)
{
    (void)state;
    tin_error err = {0};
    tin_qmodel *model = NULL;
    must(random_model_har(&model, 7, &err), &err);
    compare(model, 7);
    assert_true(in_code("conv1d_1 = {") && in_code("by arm_fully_connected_per_channel_s8"));
    assert_true(in_code("net_cmsis_gru(") && in_code("by arm_nn_mat_mult_nt_t_s8_s32"));
    tin_qmodel_free(model);
}

static void test_random_models(void **state)
{
    (void)state;
    tin_error err = {0};
    for (uint64_t seed = 1; seed <= 24; seed++) {
        tin_qmodel *model = NULL;
        must(seed % 2 ? random_model_any(&model, seed, &err) : random_graph(&model, seed, &err), &err);
        compare(model, seed);
        tin_qmodel_free(model);
    }
}

/* Multipliers of a layer whose shift is 0 have no exact half when they are odd: the neighbours are tried, and where none
 * gives the same outputs, the sums are requantised by our own formula. Dilation and depthwise on the way. */
static void test_every_rounding(void **state)
{
    (void)state;
    tin_error err = {0};
    static const random_layer layers[] = {
        {.op = TIN_OP_CONV1D, .units = 12, .kernel = 3, .dilation = 2, .relu = true},
        {.op = TIN_OP_CONV1D, .units = 2, .kernel = 3, .dilation = 3, .depthwise = true},
        {.op = TIN_OP_DENSE, .units = 9}};
    const random_spec spec = {.n_channels = 4, .n_classes = 3, .layers = layers, .n_layers = 3, .event_every = 2};
    bool neighbour = false, refused = false;
    for (int turn = 0; turn < 6; turn++) {
        tin_qmodel *model = NULL;
        must(random_model(&model, &spec, (uint64_t)turn + 50, &err), &err);
        for (int i = 0; i < 3; i++) {
            tin_qlayer *l = &model->layers[i];
            const int32_t odd = turn < 3 ? 8388609 : 262145; /* the second needs sums so great that 1 more counts */
            for (int r = 0; r < l->n_outputs; r++) {
                l->mult[r] = turn % 3 == 0 ? l->mult[r] : odd + 2 * r;
            }
            l->shift = turn % 3 == 0 ? l->shift : 0;
        }
        must(tin_qmodel_check(model, &err), &err);
        must(tin_qmodel_seal(model, &err), &err);
        compare(model, (uint64_t)turn + 50);
        const bool served = in_code("net_cmsis_linear(&net_dense_3");
        neighbour = neighbour || (turn % 3 != 0 && served);
        refused = refused || (turn % 3 != 0 && !served && in_code("net_cmsis_sums_linear(&net_dense_3"));
        assert_true(turn % 3 != 0 || in_code("net_cmsis_depthwise("));
        tin_qmodel_free(model);
    }
    assert_true(neighbour);
    assert_true(refused);
}

static void test_layers_without_a_function(void **state)
{
    (void)state;
    tin_error err = {0};
    tin_qmodel *model = NULL;
    static const random_layer layers[] = {{.op = TIN_OP_AVG_POOL, .kernel = 3, .stride = 3}};
    const random_spec spec = {.n_channels = 2, .n_classes = 2, .layers = layers, .n_layers = 1, .event_every = 2};
    const tin_decision_rule rule = random_rule(1);
    must(random_model(&model, &spec, 1, &err), &err);
    generate(model, &rule, "cmsis-nn");
    assert_true(in_code("CMSIS-NN has nothing that gives this result"));
    generate(model, &rule, "auto");
    assert_false(in_code("arm_nn"));
    tin_qmodel_free(model);
}

/* A call of the library cannot be made in parts, however much work it is. */
static void test_no_parts_of_a_call(void **state)
{
    (void)state;
    tin_error err = {0};
    tin_qmodel *model = NULL;
    static const random_layer layers[] = {{.op = TIN_OP_CONV1D, .units = 200, .kernel = 20, .stride = 8},
                                          {.op = TIN_OP_GRU, .units = 4}};
    const random_spec spec = {.n_channels = 8, .n_classes = 2, .layers = layers, .n_layers = 2, .event_every = 2};
    const tin_decision_rule rule = random_rule(1);
    tin_generate_facts facts = facts_of("net");
    facts.schedule = "spread";
    must(random_model(&model, &spec, 1, &err), &err);
    must(tin_generate(model, &rule, &facts, TEST_TEMPORARY, &err), &err);
    assert_true(in_code("net_conv1d_1_2")); /* our kernels take it in parts */
    facts.backend = "cmsis-nn";
    must(tin_generate(model, &rule, &facts, TEST_TEMPORARY, &err), &err);
    assert_true(in_code("net_cmsis_linear(&net_conv1d_1,"));
    assert_false(in_code("net_conv1d_1_2"));
    tin_qmodel_free(model);
}

/* Builds the stand-in for the core and measures with it, as with the library. */
static void test_measure(void **state)
{
    (void)state;
    tin_error err = {0};
    tin_qmodel *model = NULL;
    tin_footprint footprint;
    char id[] = "noise", folder[TIN_PATH_MAX], *text = NULL;
    size_t size = 0;
    static const char *const headers[2][2] = {
        {STANDIN "/Include/arm_nnfunctions.h", "library/Include/arm_nnfunctions.h"},
        {STANDIN "/Include/arm_nnsupportfunctions.h", "library/Include/arm_nnsupportfunctions.h"}};
    int16_t counts[200 * 6];
    tin_stream stream = {.id = id, .role = TIN_ROLE_TEST, .n_frames = 200, .counts = counts};
    const tin_decision_rule rule = common_rule(300, 200, 2, 3);
    must(tin_path_join(folder, TEST_TEMPORARY, "library", &err), &err);
    const tin_measure_options options = {.optimize = "balanced", .cmsis_nn = folder, .quiet = true};
    must(random_model_har(&model, 7, &err), &err);
    random_counts(counts, 200, 6, 3);
    const tin_dataset dataset = {.n_channels = 6, .n_classes = model->n_classes, .streams = &stream, .n_streams = 1};
    generate(model, &rule, "cmsis-nn");
    must(tin_folder_make(path_of("library/Include"), &err), &err);
    for (int i = 0; i < 2; i++) {
        must(tin_file_read(headers[i][0], &text, &size, &err), &err);
        must(tin_file_write(path_of(headers[i][1]), text, size, &err), &err);
        tin_free(text);
    }
    const char *const compile[] = {"arm-none-eabi-gcc",
                                   "-mcpu=cortex-m4",
                                   "-mthumb",
                                   "-O2",
                                   "-I",
                                   STANDIN "/Include",
                                   "-c",
                                   STANDIN "/standin.c",
                                   "-o",
                                   path_of("standin.o"),
                                   NULL};
    const char *const archive[] = {"arm-none-eabi-ar", "rcs", path_of("library/libcmsis-nn.a"), path_of("standin.o"),
                                   NULL};
    run(compile);
    run(archive);
    must(tin_measure(model, &rule, &dataset, TEST_TEMPORARY, "net", &options, &footprint, &err), &err);
    assert_int_equal(footprint.mismatches, 0);
    assert_int_equal(footprint.verified_frames, 200);
    assert_int_equal(footprint.stack_static_bytes, footprint.stack_bytes); /* no bound with a library */
    const tin_measure_options without = {.optimize = "balanced", .quiet = true};
    assert_int_equal(tin_measure(model, &rule, &dataset, TEST_TEMPORARY, "net", &without, &footprint, &err),
                     TIN_ERR_TOOL);
    tin_qmodel_free(model);
}

static void refused(const char *folder, const char *word)
{
    tin_error err = {0};
    assert_int_equal(tin_cmsis_nn_check(folder, &err), TIN_ERR_CONFIG);
    if (strstr(err.message, word) == NULL) {
        fail_msg("\"%s\" is not in: %s", word, err.message);
    }
}

static void test_what_is_missing_is_said(void **state)
{
    (void)state;
    static const char old[] = "arm_status arm_fully_connected_s8(...);";
    tin_error err = {0};
    refused(NULL, "deploy.cmsis_nn is empty");
    refused("", "--cmsis-nn");
    refused(TEST_TEMPORARY, "no header of CMSIS-NN");
    refused(STANDIN, "libcmsis-nn.a");
    must(tin_folder_make(path_of("old/Include"), &err), &err);
    must(tin_file_write(path_of("old/Include/arm_nnfunctions.h"), old, sizeof old - 1, &err), &err);
    refused(path_of("old"), "7.0.0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_har),
        cmocka_unit_test(test_random_models),
        cmocka_unit_test(test_every_rounding),
        cmocka_unit_test(test_layers_without_a_function),
        cmocka_unit_test(test_no_parts_of_a_call),
        cmocka_unit_test(test_measure),
        cmocka_unit_test(test_what_is_missing_is_said),
    };
#ifdef SKIP_WITHOUT_EMULATOR
    if (!tin_process_exists("qemu-system-arm") || !tin_process_exists("arm-none-eabi-gcc")) {
        return 77; /* CTest: skipped */
    }
#endif
    return cmocka_run_group_tests(tests, NULL, NULL);
}
