/* Models whose multipliers are powers of two, made for a core without a long multiplication: requantisation by shifts,
 * bit-exact, and no call of the compiler's 64-bit product on a Cortex-M0. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "deploy/host_run.h"

static void compare(const tin_qmodel *model, const char *optimize, uint64_t seed)
{
    tin_generate_facts facts = facts_of("net");
    facts.target = "m0";
    facts.optimize = optimize;
    compare_on_host(model, &facts, TEST_TEMPORARY, NULL, seed);
}

/* Whether the object for a Cortex-M0 holds products of 64 bits, its own or the compiler's. */
static bool multiplies_on_m0(const char *level)
{
    tin_error err = {0};
    tin_process_result symbols = {0};
    const char *const build[] = {"arm-none-eabi-gcc",
                                 "-mcpu=cortex-m0",
                                 "-mthumb",
                                 level,
                                 "-std=c99",
                                 "-Wall",
                                 "-Wextra",
                                 "-Wconversion",
                                 "-pedantic",
                                 "-Werror",
                                 "-c",
                                 path_of("net.c"),
                                 "-o",
                                 path_of("net.o"),
                                 NULL};
    const char *const list[] = {"arm-none-eabi-nm", "-P", path_of("net.o"), NULL};
    run(build);
    must(tin_process_run(list, 60, &symbols, &err), &err);
    const bool found =
        strstr(symbols.output, "net_multiply_high") != NULL || strstr(symbols.output, "__aeabi_lmul") != NULL;
    tin_process_free(&symbols);
    return found;
}

/* conv1d of both kinds, pools and dense in every encoding: not a single long product. */
static void test_no_long_product(void **state)
{
    (void)state;
    static const random_layer layers[] = {
        {.op = TIN_OP_CONV1D, .units = 2, .kernel = 3, .stride = 2, .depthwise = true, .relu = true},
        {.op = TIN_OP_CONV1D, .units = 11, .kernel = 3, .dilation = 2},
        {.op = TIN_OP_AVG_POOL, .kernel = 4, .stride = 4},
        {.op = TIN_OP_DENSE, .units = 9, .relu = true}};
    static const char *const optimize[] = {"plain", "balanced", "size", "speed"};
    const random_spec spec = {.n_channels = 3, .n_classes = 3, .layers = layers, .n_layers = 4, .event_every = 2};
    for (uint64_t seed = 0; seed < 8; seed++) {
        tin_error err = {0};
        tin_qmodel *model = NULL;
        must(random_model(&model, &spec, seed, &err), &err);
        must(random_model_values(model, (random_values)(seed % RANDOM_VALUES_COUNT), seed, &err), &err);
        must(random_model_powers(model, &err), &err);
        compare(model, optimize[seed % 4], seed);
        assert_false(multiplies_on_m0(seed % 2 ? "-Os" : "-O2"));
        tin_qmodel_free(model);
    }
}

/* A gru multiplies by its gates, which are no constants. */
static void test_recurrent_layers(void **state)
{
    (void)state;
    tin_error err = {0};
    for (uint64_t seed = 1; seed <= 16; seed++) {
        tin_qmodel *model = NULL;
        must(seed == 1  ? random_model_har(&model, seed, &err)
             : seed % 2 ? random_model_any(&model, seed, &err)
                        : random_graph(&model, seed, &err),
             &err);
        must(random_model_powers(model, &err), &err);
        compare(model, seed % 3 ? "balanced" : "size", seed);
        assert_true(seed != 1 || multiplies_on_m0("-Os"));
        tin_qmodel_free(model);
    }
}

/* Where a single multiplier is none, or another core is asked for, multipliers stay. */
static void test_only_where_all_are_powers(void **state)
{
    (void)state;
    static const random_layer layers[] = {{.op = TIN_OP_CONV1D, .units = 5, .kernel = 3}};
    const random_spec spec = {.n_channels = 3, .n_classes = 3, .layers = layers, .n_layers = 1, .event_every = 2};
    const tin_decision_rule rule = random_rule(1);
    tin_error err = {0};
    tin_qmodel *model = NULL;
    tin_generate_facts facts = facts_of("net");
    must(random_model(&model, &spec, 3, &err), &err);
    must(random_model_powers(model, &err), &err);
    must(tin_generate(model, &rule, &facts, TEST_TEMPORARY, &err), &err); /* m4 */
    assert_true(multiplies_on_m0("-O2"));
    model->layers[0].mult[4] += 1;
    compare(model, "balanced", 3);
    assert_true(multiplies_on_m0("-O2"));
    tin_qmodel_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_long_product),
        cmocka_unit_test(test_recurrent_layers),
        cmocka_unit_test(test_only_where_all_are_powers),
    };
#ifdef SKIP_WITHOUT_EMULATOR
    if (!tin_process_exists("arm-none-eabi-gcc")) {
        return 77; /* CTest: skipped */
    }
#endif
    return cmocka_run_group_tests(tests, NULL, NULL);
}
