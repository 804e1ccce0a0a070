/* The same generated code on other cores: bit for bit without the DSP instructions (Cortex-M3) and with them (M7), and
 * for each core what it asks of the libraries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "deploy/fixture.h"

#define N_FRAMES 600
#define LINK_SCRIPT TEST_FILES "/../../../src/deploy/targets/m4/link.ld"
#define HARNESS TEST_FILES "/../../../src/deploy/targets/m4/harness.c"
#define REPORT_MAGIC 0x544d494eu

typedef struct expectation {
    char bytes[N_FRAMES * 2 * (TIN_MAX_CLASSES + 5)]; /* records of the harness */
    size_t size;
    uint32_t decisions;
} expectation;

static void append(expectation *e, const void *data, size_t size)
{
    memcpy(e->bytes + e->size, data, size);
    e->size += size;
}

static void expect(expectation *e, const tin_qmodel *model, const tin_decision_rule *rule, const int16_t *counts)
{
    tin_error err = {0};
    tin_qrunner *runner = NULL;
    tin_decision_state state;
    int16_t scores[TIN_MAX_CLASSES];
    e->size = e->decisions = 0;
    must(tin_qrunner_create(&runner, model, &err), &err);
    tin_decision_reset(&state);
    for (uint32_t t = 0; t < N_FRAMES; t++) {
        if (tin_qrunner_step(runner, counts + (size_t)t * (size_t)model->n_channels, scores) == 0) {
            continue;
        }
        int best = 0;
        for (int k = 1; k < model->n_classes; k++) {
            best = scores[k] > scores[best] ? k : best;
        }
        const int trigger = tin_decision_step(&state, rule, model->classes, model->n_classes, scores);
        const int16_t words[3] = {(int16_t)best, (int16_t)state.active, (int16_t)trigger};
        append(e, &t, sizeof t);
        append(e, scores, (size_t)model->n_classes * sizeof *scores);
        append(e, words, sizeof words);
        e->decisions++;
    }
    tin_qrunner_free(runner);
}

/* Harness and model on one core. */
static void run_on(const char *core, const char *board, const char *optimize)
{
    const char *const link[] = {"arm-none-eabi-gcc",
                                core,
                                "-mthumb",
                                optimize,
                                "-std=gnu11",
                                "-ffunction-sections",
                                "-DMODEL=net",
                                "-DUPPER=NET",
                                "-DHEADER=\"net.h\"",
                                "-I",
                                TEST_TEMPORARY,
                                "-nostartfiles",
                                "-T",
                                LINK_SCRIPT,
                                "-Wl,--gc-sections",
                                HARNESS,
                                path_of("net.c"),
                                "-o",
                                path_of("net.elf"),
                                NULL};
    const char *const emulate[] = {"qemu-system-arm",
                                   "-M",
                                   board,
                                   "-display",
                                   "none",
                                   "-serial",
                                   "none",
                                   "-monitor",
                                   "none",
                                   "-semihosting",
                                   "-icount",
                                   "shift=6",
                                   "-kernel",
                                   path_of("net.elf"),
                                   NULL};
    run(link);
    (void)remove(path_of("results.bin"));
    run(emulate);
}

static void compare(const expectation *e, const char *core)
{
    tin_error err = {0};
    char *got = NULL;
    size_t size = 0;
    uint32_t report[3];
    must(tin_file_read(path_of("results.bin"), &got, &size, &err), &err);
    assert_true(size > e->size + sizeof report);
    for (size_t i = 0; i < e->size; i++) {
        if (got[i] != e->bytes[i]) {
            fail_msg("%s: byte %zu of %zu differs", core, i, e->size);
        }
    }
    memcpy(report, got + e->size, sizeof report);
    assert_int_equal(report[0], REPORT_MAGIC);
    assert_int_equal(report[2], e->decisions);
    tin_free(got);
}

static void test_exact_with_and_without_dsp(void **state)
{
    (void)state;
    static const char paths[] = "#define FRAMES_PATH \"" TEST_TEMPORARY "/frames.bin\"\n"
                                "#define RESULTS_PATH \"" TEST_TEMPORARY "/results.bin\"\n";
    static const struct {
        const char *core, *board, *optimize;
    } cores[] = {{"-mcpu=cortex-m3", "mps2-an385", "-O2"},
                 {"-mcpu=cortex-m3", "mps2-an385", "-O0"},
                 {"-mcpu=cortex-m7", "mps2-an500", "-Os"}};
    static expectation e;
    tin_error err = {0};
    must(tin_file_write(path_of("paths.h"), paths, sizeof paths - 1, &err), &err);
    for (uint64_t seed = 20; seed < 38; seed++) {
        tin_qmodel *model = NULL;
        if (seed <= 21 || seed >= 34) {
            must(random_model_har(&model, seed, &err), &err);
        } else if (seed < 28) {
            must(random_model_any(&model, seed, &err), &err);
        } else {
            must(random_graph(&model, seed, &err), &err);
        }
        if (seed >= 34) { /* 4 bits, codebook, zero blocks */
            must(random_model_values(model, (random_values)(RANDOM_INT4 + (seed - 34)), seed, &err), &err);
        }
        const tin_decision_rule rule = random_rule(seed);
        tin_generate_facts facts = facts_of("net");
        facts.optimize = seed >= 34 ? "size" : seed % 2 == 0 ? "balanced" : "speed";
        const size_t n = (size_t)N_FRAMES * (size_t)model->n_channels;
        int16_t *file = tin_alloc(n + 4, sizeof *file, &err); /* 32-bit length, counts, 32-bit 0 */
        assert_non_null(file);
        file[0] = N_FRAMES;
        random_counts(file + 2, N_FRAMES, model->n_channels, seed);
        must(tin_file_write(path_of("frames.bin"), file, (n + 4) * sizeof *file, &err), &err);
        must(tin_generate(model, &rule, &facts, TEST_TEMPORARY, &err), &err);
        expect(&e, model, &rule, file + 2);
        assert_true(e.decisions > 0);
        for (size_t i = 0; i < sizeof cores / sizeof cores[0]; i++) {
            run_on(cores[i].core, cores[i].board, cores[i].optimize);
            compare(&e, cores[i].core);
        }
        tin_free(file);
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
    const tin_decision_rule rule = {.smooth_shift = 1, .on = 5, .count = 1};
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
    const tin_decision_rule rule = {.on = 5, .count = 1};
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
        cmocka_unit_test(test_exact_with_and_without_dsp),
        cmocka_unit_test(test_calls_of_each_core),
        cmocka_unit_test(test_inner_loop_calls_nothing),
    };
#ifdef SKIP_WITHOUT_EMULATOR
    if (!tin_process_exists("qemu-system-arm") || !tin_process_exists("arm-none-eabi-gcc")) {
        return 77; /* CTest: skipped */
    }
#endif
    return cmocka_run_group_tests(tests, NULL, NULL);
}
