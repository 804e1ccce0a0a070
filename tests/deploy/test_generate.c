/* Generated code, compiled on the host, against the interpreter, bit for bit; its text, its warnings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "deploy/fixture.h"

#define N_FRAMES 900

/* What the interpreter and the decision layer give, in the driver's format. */
static int32_t *expected_results(const tin_qmodel *model, const tin_decision_rule *rule, const int16_t *counts,
                                 int latency, size_t *n)
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
    for (int t = 0; t < N_FRAMES - latency; t++) {
        if (tin_qrunner_step(runner, counts + (ptrdiff_t)t * model->n_channels, scores) == 0) {
            continue;
        }
        int best = 0;
        values[(*n)++] = t + latency;
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

/* How a model is generated and built. */
typedef struct trial {
    const char *name, *schedule;
    const char *const *compiler; /* [4] with its flags */
    uint64_t seed;               /* of the frames and settings */
    bool poison; /* garbage in all memory of the state that is dead by the memory plan, in front of each call */
    bool forget; /* the last row of the plan is taken for dead */
} trial;

static void write_poison(const char *name, bool forget);

/* The first of the n values in FOLDER/results.bin that is not the expected one; -1: none. */
static long first_difference(const int32_t *expected, size_t n)
{
    tin_error err = {0};
    size_t size = 0;
    char *got = NULL;
    long at = -1;
    must(tin_file_read(path_of("results.bin"), &got, &size, &err), &err);
    assert_int_equal(size, n * sizeof *expected);
    for (size_t i = 0; i < n && at < 0; i++) {
        at = memcmp(got + i * sizeof *expected, &expected[i], sizeof *expected) != 0 ? (long)i : -1;
    }
    tin_free(got);
    return at;
}

static void compile_driver(const trial *b)
{
    char model[80], upper[80], header[80], poison[80], profile[80], source[64], letters[64] = "";
    for (size_t i = 0; b->name[i] != '\0'; i++) {
        letters[i] = (char)(b->name[i] >= 'a' && b->name[i] <= 'z' ? b->name[i] - 32 : b->name[i]);
    }
    (void)snprintf(model, sizeof model, "-DMODEL=%s", b->name);
    (void)snprintf(upper, sizeof upper, "-DUPPER=%s", letters);
    (void)snprintf(header, sizeof header, "-DHEADER=\"%s.h\"", b->name);
    (void)snprintf(poison, sizeof poison, b->poison ? "-DPOISON=\"%s_poison.h\"" : "-DNO_%s_POISON", b->name);
    (void)snprintf(profile, sizeof profile, b->poison ? "-D%s_PROFILE" : "-DNO_%s_PROFILE", letters);
    (void)snprintf(source, sizeof source, "%s.c", b->name);
    const char *const compile[] = {b->compiler[0],
                                   b->compiler[1],
                                   b->compiler[2],
                                   b->compiler[3],
                                   "-std=c99",
                                   "-Wall",
                                   "-Wextra",
                                   "-Wshadow",
                                   "-Wconversion",
                                   "-pedantic",
                                   "-Werror",
                                   model,
                                   upper,
                                   header,
                                   poison,
                                   profile,
                                   "-I",
                                   TEST_TEMPORARY,
                                   path_of(source),
                                   TEST_FILES "/driver.c",
                                   "-o",
                                   path_of(b->name),
                                   NULL};
    run(compile);
}

/* Generates, compiles, runs. Returns the first of the values that is not what the interpreter gives, -1: none; adds the
 * triggers to *triggers. */
static long try_build(const tin_qmodel *model, const tin_decision_rule *rule, const trial *b, int *triggers)
{
    tin_error err = {0};
    static const char *const optimize[] = {"size", "balanced", "speed"}, *const target[] = {"m4", "m55", "rv32"};
    tin_generate_facts facts = facts_of(b->name);
    int latency = -1;
    facts.optimize = optimize[b->seed / 3 % 3];
    facts.target = target[b->seed / 9 % 3];
    facts.schedule = b->schedule;
    must(tin_schedule_latency(model, &facts, &latency, &err), &err);
    assert_in_range(latency, 0, model->hop - 1);
    const size_t bytes = (size_t)N_FRAMES * (size_t)model->n_channels * sizeof(int16_t);
    int16_t *counts = tin_alloc(bytes, 1, &err);
    assert_non_null(counts);
    random_counts(counts, N_FRAMES, model->n_channels, b->seed);
    must(tin_generate(model, rule, &facts, TEST_TEMPORARY, &err), &err);
    if (b->poison) {
        write_poison(b->name, b->forget);
    }
    compile_driver(b);
    must(tin_file_write(path_of("frames.bin"), counts, bytes, &err), &err);
    const char *const execute[] = {path_of(b->name), path_of("frames.bin"), path_of("results.bin"), NULL};
    if (b->forget) {
        tin_process_result result = {0};
        must(tin_process_run(execute, 120, &result, &err), &err);
        const long differs = result.exit_code == 5 ? 0 : -1; /* two instances, each with garbage of its own */
        tin_process_free(&result);
        tin_free(counts);
        return differs;
    }
    run(execute);
    size_t n = 0;
    int32_t *expected = expected_results(model, rule, counts, latency, &n);
    const long at = first_difference(expected, n);
    const size_t per_decision = (size_t)model->n_classes + 4;
    for (size_t i = per_decision - 1; i < n; i += per_decision) {
        *triggers += expected[i] >= 0;
    }
    tin_free(expected);
    tin_free(counts);
    return at;
}

/* Returns the number of triggers. */
static int compare_build(const tin_qmodel *model, const tin_decision_rule *rule, const trial *b)
{
    int triggers = 0;
    const long at = try_build(model, rule, b, &triggers);
    if (at >= 0) {
        fail_msg("seed %lu, %s: decision %ld, value %ld is wrong", (unsigned long)b->seed, b->schedule,
                 at / (model->n_classes + 4), at % (model->n_classes + 4));
    }
    return triggers;
}

/* Every other seed in the schedule "spread". */
static int compare(const tin_qmodel *model, const tin_decision_rule *rule, const char *name,
                   const char *const compiler[4], uint64_t seed)
{
    return compare_build(model, rule, &(trial){name, seed % 2 ? "earliest" : "spread", compiler, seed, false, false});
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

/* Every op, branches of several periods, several readers, 8 and 16 bits. */
static void test_random_graphs(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 48; seed++) {
        tin_error err = {0};
        tin_qmodel *model = NULL;
        must(random_graph(&model, seed, &err), &err);
        const tin_decision_rule rule = random_rule(seed);
        (void)compare(model, &rule, "random_graph", seed % 3 == 0 ? checked : seed % 3 == 1 ? plain : small, seed);
        tin_qmodel_free(model);
    }
}

/* The comment above a layer names the encoding. */
static void expect_encoding(const char *file, const char *encoding)
{
    tin_error err = {0};
    char *text = NULL, wanted[64];
    size_t size = 0;
    (void)snprintf(wanted, sizeof wanted, "weights packed as %s", encoding);
    must(tin_file_read(path_of(file), &text, &size, &err), &err);
    if (strstr(text, wanted) == NULL) {
        fail_msg("%s: no %s", file, wanted);
    }
    tin_free(text);
}

/* Weights of all kinds in networks of all shapes; the seed gives the setting of `optimize`. */
static void test_encodings(void **state)
{
    (void)state;
    static const char *const encodings[RANDOM_VALUES_COUNT] = {"t2", "n4", "book", "sparse", "sparse"};
    for (uint64_t seed = 0; seed < 4; seed++) {
        for (int values = RANDOM_INT4; values < RANDOM_VALUES_COUNT; values++) {
            tin_error err = {0};
            tin_qmodel *model = NULL;
            must(seed == 0 ? random_model_har(&model, 7, &err) : random_model_any(&model, 2 * seed, &err), &err);
            must(random_model_values(model, (random_values)values, seed, &err), &err);
            const tin_decision_rule rule = random_rule(seed);
            (void)compare(model, &rule, "packed", seed % 2 ? plain : checked, seed * 3);
            if (seed == 0) {
                expect_encoding("packed.c", encodings[values]);
            }
            tin_qmodel_free(model);
        }
    }
}

/* Each core gets the encoding that is cheapest on it. */
static void test_encodings_of_each_target(void **state)
{
    (void)state;
    static const struct {
        const char *target, *optimize, *wanted;
        random_values values;
    } cases[] = {{"m4", "balanced", "weights packed as t2", RANDOM_ANY},
                 {"m55", "balanced", "weights packed as v16", RANDOM_ANY},
                 {"m55", "size", "weights packed as n4", RANDOM_INT4},
                 {"m3", "balanced", "net_recurrent_t net_gru_3", RANDOM_ANY}, /* plain */
                 {"rv32", "speed", "net_recurrent_t net_gru_3", RANDOM_ANY},
                 {"rv32", "speed", "weights packed as sparse", RANDOM_SPARSE_75}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tin_error err = {0};
        tin_qmodel *model = NULL;
        char *text = NULL;
        size_t size = 0;
        const tin_decision_rule rule = random_rule(1);
        tin_generate_facts facts = facts_of("net");
        facts.target = cases[i].target;
        facts.optimize = cases[i].optimize;
        must(random_model_har(&model, 7, &err), &err);
        must(random_model_values(model, cases[i].values, 1, &err), &err);
        must(tin_generate(model, &rule, &facts, TEST_TEMPORARY, &err), &err);
        must(tin_file_read(path_of("net.c"), &text, &size, &err), &err);
        if (strstr(text, cases[i].wanted) == NULL) {
            fail_msg("%s, %s: no %s", cases[i].target, cases[i].optimize, cases[i].wanted);
        }
        tin_free(text);
        tin_qmodel_free(model);
    }
}

static void compare_spec(const random_spec *spec, uint64_t seed)
{
    tin_error err = {0};
    tin_qmodel *model = NULL;
    must(random_model(&model, spec, seed, &err), &err);
    const tin_decision_rule rule = random_rule(seed);
    (void)compare(model, &rule, "special", checked, seed);
    if (model->hop > 1) {
        (void)compare(model, &rule, "special", checked, seed + 1);
    }
    tin_qmodel_free(model);
}

static void test_har(void **state)
{
    (void)state;
    tin_error err = {0};
    tin_qmodel *model = NULL;
    must(random_model_har(&model, 7, &err), &err);
    const tin_decision_rule rule = common_rule(300, 200, 2, 3);
    assert_true(compare(model, &rule, "har", checked, 7) > 0);
    assert_true(compare(model, &rule, "har", checked, 8) > 0);
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
    static const random_layer long_window[] = {{.op = TIN_OP_CONV1D, .units = 2, .kernel = 513, .stride = 300}};
    compare_spec(&(random_spec){.n_channels = 64, .n_classes = 2, .layers = long_window, .n_layers = 1}, 106);
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

/* Pools that keep sums or maxima in place of rows, windows that overlap and that do not. */
static void test_pools(void **state)
{
    (void)state;
    static const random_layer overlapping[] = {{.op = TIN_OP_AVG_POOL, .kernel = 12, .stride = 3},
                                               {.op = TIN_OP_CONV1D, .units = 6, .kernel = 3, .stride = 2},
                                               {.op = TIN_OP_AVG_POOL, .kernel = 100}};
    static const random_layer apart[] = {{.op = TIN_OP_AVG_POOL, .kernel = 5, .stride = 5},
                                         {.op = TIN_OP_MAX_POOL, .units = 5, .kernel = 2, .stride = 2},
                                         {.op = TIN_OP_CONV1D, .units = 4, .kernel = 3},
                                         {.op = TIN_OP_MAX_POOL, .units = 4, .kernel = 3, .stride = 3}};
    compare_spec(&(random_spec){.n_channels = 5, .n_classes = 3, .layers = overlapping, .n_layers = 3}, 110);
    compare_spec(&(random_spec){.n_channels = 5, .n_classes = 3, .layers = apart, .n_layers = 4}, 111);
}

/* Of movement, with the sanitizers, in both schedules. */
static void test_features(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        tin_error err = {0};
        tin_qmodel *model = NULL;
        must(random_model_motion(&model, seed, &err), &err);
        const tin_decision_rule rule = random_rule(seed);
        (void)compare(model, &rule, "features_any", checked, seed);
        tin_qmodel_free(model);
    }
}

/* From the memory plan in NAME.c: which bytes are alive at which call, and the mark of each call, for the driver. */
static void write_poison(const char *name, bool forget)
{
    char file[80];
    tin_error err = {0};
    tin_text out = {0};
    long from, to, first, last;
    int n, rows = 0, left = 0;
    (void)snprintf(file, sizeof file, "%s.c", name);
    char *code = read_text(file), *plan = strstr(code, "/* Memory plan. What a step calls: 0 input");
    tin_text_add(&out, "static const struct { int16_t call, mark; } calls[] = {{0, 0}");
    for (char *s = plan; s != NULL && (s = strpbrk(s, ",*")) != NULL && strncmp(s, "* In ", 5) != 0; s++) {
        char label[32];
        int call;
        if (sscanf(s + 1, " %d %31[a-z0-9_]", &call, label) == 2) {
            tin_text_printf(&out, ", {%d, %s}", call, strrchr(label, '_') + 1);
            /* log_energy takes the frame right behind the input */
            tin_text_printf(&out, strncmp(label, "log_", 4) == 0 ? ", {0, %s}" : "", strrchr(label, '_') + 1);
        }
    }
    tin_text_add(&out, "};\nstatic const struct { int32_t wide, from, to, first, last; } rows[] = {{0, 0, -1, 0, 0}");
    char *row = plan == NULL ? NULL : strstr(plan, " of scratch"), *end = plan == NULL ? NULL : strstr(plan, "*/");
    for (char *s = row; s != NULL && s < end; s = strstr(s + 1, " of scratch")) {
        left++;
    }
    for (; row != NULL && row < end; row = strstr(row + 1, " of scratch"), rows++) {
        n = sscanf(row + strlen(" of scratch") + 2 * (row[11] == '1'), " %ld to %ld: %*[a-z0-9_ ], calls %ld to %ld",
                   &from, &to, &first, &last);
        assert_int_equal(n, 4);
        if (!forget || rows + 1 < left) {
            tin_text_printf(&out, ", {%d, %ld, %ld, %ld, %ld}", row[11] == '1', from, to, first, last);
        }
    }
    tin_text_add(&out, "};\n");
    (void)snprintf(file, sizeof file, "%s.h", name);
    char *header = read_text(file);
    for (int i = 0; i < 4; i++) {
        static const char *const members[] = {"scratch", "scratch16", "lanes", "widened"};
        char member[32];
        (void)snprintf(member, sizeof member, " %s[", members[i]);
        tin_text_printf(&out, strstr(header, member) != NULL ? "#define HAS_%s 1\n" : "", members[i]);
    }
    (void)snprintf(file, sizeof file, "%s_poison.h", name);
    must(tin_text_check(&out, &err), &err);
    must(tin_file_write(path_of(file), out.data, out.size, &err), &err);
    tin_text_free(&out);
    tin_free(header);
    tin_free(code);
}

/* What the memory plan calls dead is dead: with garbage there, and in the widened input, in front of every call the results
 * are the same. Where the plan forgets a row they are not. */
static void test_memory_plan(void **state)
{
    (void)state;
    int forgotten = 0;
    for (uint64_t seed = 1; seed <= 18; seed++) {
        tin_error err = {0};
        tin_qmodel *model = NULL;
        int triggers = 0;
        must(random_graph(&model, seed, &err), &err);
        const tin_decision_rule rule = random_rule(seed);
        trial b = {"poisoned", seed % 2 ? "earliest" : "spread", plain, seed, true, false};
        (void)compare_build(model, &rule, &b);
        if (seed <= 6) {
            b.forget = true;
            forgotten += try_build(model, &rule, &b, &triggers) >= 0;
        }
        tin_qmodel_free(model);
    }
    assert_true(forgotten > 2);
}

/* Histories that are long enough to move seldom. */
static void test_long_histories(void **state)
{
    (void)state;
    static const random_layer dilated[] = {
        {.op = TIN_OP_CONV1D, .units = 11, .kernel = 3, .dilation = 16},
        {.op = TIN_OP_CONV1D, .units = 1, .kernel = 2, .dilation = 40, .depthwise = true},
        {.op = TIN_OP_CONV1D, .units = 6, .kernel = 30}};
    compare_spec(&(random_spec){.n_channels = 5, .n_classes = 3, .layers = dilated, .n_layers = 3}, 120);
    char *code = read_text("special.c");
    assert_non_null(strstr(code, "_first > "));
    tin_free(code);
}

/* Generated text in both languages, by both compilers, also for a core without an operating system. */
static void test_compiles_everywhere(void **state)
{
    (void)state;
    static const random_layer layers[] = {
        {.op = TIN_OP_CONV1D, .units = 2, .kernel = 3, .stride = 4, .depthwise = true},
        {.op = TIN_OP_CONV1D, .units = 5, .kernel = 2, .dilation = 3},
        {.op = TIN_OP_AVG_POOL, .kernel = 3, .stride = 2},
        {.op = TIN_OP_GRU, .units = 6},
        {.op = TIN_OP_CONV1D, .units = 3, .kernel = 2}};
    static const char *const languages[][2] = {{"gcc", "-std=c99"},   {"gcc", "-std=c17"},   {"clang", "-std=c99"},
                                               {"g++", "-std=c++11"}, {"g++", "-std=c++20"}, {"clang++", "-std=c++11"}};
    const random_spec spec = {.n_channels = 3, .n_classes = 4, .layers = layers, .n_layers = 5, .event_every = 3};
    tin_error err = {0};
    const tin_generate_facts facts = facts_of("everything");
    for (int kind = 0; kind < 5; kind++) { /* a chain, and graphs of all ops */
        tin_qmodel *model = NULL;
        tin_decision_rule rule = common_rule(-5, TIN_RULE_SCORE_MAX, 1, 0);
        rule.smooth_shift = kind % 2;
        must(kind < 2 ? random_model(&model, &spec, 11, &err) : random_graph(&model, (uint64_t)kind + 8, &err), &err);
        must(tin_generate(model, &rule, &facts, TEST_TEMPORARY, &err), &err);
        tin_qmodel_free(model);
        for (size_t i = 0; i < sizeof languages / sizeof languages[0]; i++) {
            const bool cpp = strstr(languages[i][0], "++") != NULL;
            const char *const argv[] = {languages[i][0],
                                        languages[i][1],
                                        "-Wall",
                                        "-Wextra",
                                        "-Wconversion",
                                        "-Wshadow",
                                        "-pedantic",
                                        "-Werror",
                                        "-x",
                                        cpp ? "c++" : "c",
                                        "-c",
                                        path_of("everything.c"),
                                        "-o",
                                        path_of("everything.o"),
                                        NULL};
            run(argv);
        }
        const char *const freestanding[] = {"gcc",
                                            "-std=c99",
                                            "-ffreestanding",
                                            "-nostdlib",
                                            "-O2",
                                            "-Werror",
                                            "-shared",
                                            "-fPIC",
                                            path_of("everything.c"),
                                            "-o",
                                            path_of("everything.so"),
                                            NULL};
        run(freestanding);
    }
}

/* However long the name is, the code reads as if it had been written for it. */
static void test_layout(void **state)
{
    (void)state;
    static const random_layer layers[] = {
        {.op = TIN_OP_CONV1D, .units = 2, .kernel = 3, .stride = 5, .depthwise = true},
        {.op = TIN_OP_AVG_POOL, .kernel = 3, .stride = 2},
        {.op = TIN_OP_GRU, .units = 26}};
    static const char *const names[] = {"g", "gestures", "a_name_that_is_rather_long_for_c"};
    const random_spec spec = {.n_channels = 3, .n_classes = 40, .layers = layers, .n_layers = 3, .event_every = 3};
    tin_decision_rule rule = common_rule(5, 5, 1, 0);
    rule.smooth_shift = 2;
    tin_error err = {0};
    tin_qmodel *model = NULL;
    must(random_model(&model, &spec, 13, &err), &err);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const tin_generate_facts facts = facts_of(names[i]);
        must(tin_generate(model, &rule, &facts, TEST_TEMPORARY, &err), &err);
        for (int part = 0; part < 2; part++) {
            char file[80];
            (void)snprintf(file, sizeof file, "%s%s", names[i], part ? ".h" : ".c");
            char *text = read_text(file);
            assert_null(strstr(text, "\n\n\n"));
            assert_null(strstr(text, " \n"));
            for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
                assert_int_not_equal(line[strspn(line, " ")], '\\'); /* a macro's line that was cut before its end */
                const bool code = strstr(line, "/*") == NULL && strncmp(line, " *", 2) != 0 && line[0] != '#';
                if (strlen(line) > 120 && (code || i < 2)) {
                    fail_msg("%s: %s", file, line);
                }
            }
            tin_free(text);
        }
    }
    must(tin_generate(model, &rule, &(tin_generate_facts){.name = "gestures", .command = ""}, TEST_TEMPORARY, &err),
         &err);
    char *code = read_text("gestures.c"), *header = read_text("gestures.h");
    assert_non_null(strstr(code, "greatest(score, gestures_events_first + GESTURES_EVENTS,\n                           "
                                 "                 gestures_events"));
    assert_non_null(
        strstr(code, "int16_t *x GESTURES_UNUSED,\n                                       int16_t *h GEST"));
    assert_non_null(strstr(header, "/* logits * GESTURES_SCORE_ONE */\n    int16_t class_index;             /* gre"));
    tin_free(code);
    tin_free(header);
    tin_qmodel_free(model);
}

/* The example of docs/generated-code.md, as it stands there. */
static void test_documented_example_compiles(void **state)
{
    (void)state;
    static const char mark[] = "<!-- compiled by tests/deploy/test_generate.c -->\n```c\n";
    tin_error err = {0};
    tin_qmodel *model = NULL;
    char *text = NULL;
    size_t size = 0;
    const tin_decision_rule rule = common_rule(1, 1, 1, 0);
    const tin_generate_facts facts = facts_of("gestures");
    must(random_model_har(&model, 1, &err), &err);
    must(tin_generate(model, &rule, &facts, TEST_TEMPORARY, &err), &err);
    must(tin_file_read(TEST_FILES "/../../../docs/generated-code.md", &text, &size, &err), &err);
    const char *begin = strstr(text, mark);
    assert_non_null(begin);
    begin += sizeof mark - 1;
    const char *end = strstr(begin, "```");
    assert_non_null(end);
    must(tin_file_write(path_of("example.c"), begin, (size_t)(end - begin), &err), &err);
    const char *const build[] = {"gcc",     "-std=c99",           "-Wall", "-Wextra",
                                 "-Werror", "-pedantic",          "-c",    path_of("example.c"),
                                 "-o",      path_of("example.o"), NULL};
    run(build);
    tin_free(text);
    tin_qmodel_free(model);
}

/* NAME.c of this rule, and in *header NAME.h. */
static char *code_of(const tin_qmodel *model, const tin_decision_rule *rule, char **header)
{
    tin_error err = {0};
    const tin_generate_facts facts = facts_of("har");
    must(tin_generate(model, rule, &facts, TEST_TEMPORARY, &err), &err);
    *header = read_text("har.h");
    return read_text("har.c");
}

/* An element of the rule that is neutral leaves nothing behind, neither in the code nor in the state. */
static void test_code_holds_what_the_rule_uses(void **state)
{
    (void)state;
    static const struct {
        size_t field;
        int32_t value, needed;
        const char *in_header, *in_code; /* "": the same code as without */
    } elements[] = {
        {offsetof(tin_decision_rule, on[4]), 5, 1, "", "har_events_on[3] = {\n    1, 1, 5,"},
        {offsetof(tin_decision_rule, smooth_shift), 2, 1, "    int32_t average[HAR_EVENTS];", "HAR_SMOOTH_SHIFT"},
        {offsetof(tin_decision_rule, lead), 30, 1, "#define HAR_LEAD 30 ", "HAR_LEAD"},
        {offsetof(tin_decision_rule, of), 2, 2, "    int32_t candidate, run;", "HAR_NEEDED"},
        {offsetof(tin_decision_rule, of), 6, 2, "    uint8_t candidates[8];", "HAR_OF"},
        {offsetof(tin_decision_rule, min_length), 4, 1, "#define HAR_WAIT 3 ", "HAR_MIN_LENGTH"},
        {offsetof(tin_decision_rule, refractory), 3, 1, "    int32_t wait;", "HAR_WAIT"},
        {offsetof(tin_decision_rule, of), 6, 1, "", ""},
        {offsetof(tin_decision_rule, min_length), 1, 1, "", ""},
        {offsetof(tin_decision_rule, on[1]), 7, 1, "", ""}, /* is no event */
    };
    tin_error err = {0};
    tin_qmodel *model = NULL;
    must(random_model_har(&model, 1, &err), &err);
    const tin_decision_rule simple = tin_decision_plain(1);
    char *header = NULL, *code = code_of(model, &simple, &header);
    assert_non_null(strstr(header, "typedef struct har_decision_t {\n    int32_t active;\n} har_decision_t;"));
    for (size_t i = 0; i < sizeof elements / sizeof elements[0]; i++) {
        tin_decision_rule rule = simple;
        rule.needed = elements[i].needed;
        memcpy((char *)&rule + elements[i].field, &elements[i].value, sizeof elements[i].value);
        char *with_header = NULL, *with = code_of(model, &rule, &with_header);
        if (elements[i].in_code[0] == '\0') {
            assert_string_equal(with, code);
        } else {
            assert_null(strstr(code, elements[i].in_code));
            assert_non_null(strstr(with, elements[i].in_code));
        }
        if (elements[i].in_header[0] != '\0') {
            assert_null(strstr(header, elements[i].in_header));
            assert_non_null(strstr(with_header, elements[i].in_header));
        }
        tin_free(with);
        tin_free(with_header);
    }
    tin_free(code);
    tin_free(header);
    tin_qmodel_free(model);
}

static void test_header_states_facts(void **state)
{
    (void)state;
    tin_error err = {0};
    tin_qmodel *model = NULL;
    tin_decision_rule rule = common_rule(300, 400, 2, 25);
    rule.smooth_shift = 2;
    tin_footprint footprint = {.code_bytes = 2500,
                               .weight_bytes = 7400,
                               .flash_bytes = 9900,
                               .state_bytes = 232,
                               .stack_bytes = 220,
                               .stack_static_bytes = 240,
                               .insn_per_frame = 6076.25,
                               .insn_per_decision = 24305,
                               .insn_worst_frame = 22030,
                               .verified_frames = 1234,
                               .target = "Cortex-M4"};
    tin_generate_facts facts = facts_of("har");
    must(random_model_har(&model, 1, &err), &err);
    must(tin_generate(model, &rule, &facts, TEST_TEMPORARY, &err), &err);
    char *bare = read_text("har.h"), *bare_code = read_text("har.c");
    assert_non_null(strstr(bare, model->hash));
    assert_non_null(strstr(bare, "SPDX-License-Identifier: 0BSD"));
    assert_non_null(
        strstr(bare, "MAC          1620.0 per frame on average, 6000 on the worst frame, 6480 per decision"));
    assert_non_null(strstr(bare, "weights      t2: conv1d_1, conv1d_2, gru_3, dense_4"));
    assert_non_null(strstr(bare, "#define HAR_HOP 4"));
    assert_non_null(strstr(bare, "#define HAR_DELAY 0 "));
    assert_non_null(strstr(bare, "#define HAR_RATE_MILLIHZ 50000"));
    assert_non_null(strstr(bare, "#define HAR_ON 300 "));
    assert_non_null(strstr(bare, "#define HAR_HYSTERESIS 400 "));
    assert_null(strstr(bare, " * flash")); /* what is not known is left out */
    assert_null(strstr(bare, "accuracy"));
    assert_null(strstr(bare, "nan"));
    facts.footprint = &footprint;
    facts.frame_accuracy = 0.9125;
    facts.data_hash = "da7a";
    must(tin_generate(model, &rule, &facts, TEST_TEMPORARY, &err), &err);
    char *full = read_text("har.h"), *full_code = read_text("har.c");
    assert_non_null(strstr(full, "flash        9900 bytes: code 2500, weights 7400"));
    assert_non_null(strstr(full, "6076 per frame on average, 22030 on the worst frame"));
    assert_non_null(strstr(full, "0.9125"));
    assert_non_null(strstr(full, "data         da7a"));
    assert_string_equal(bare_code, full_code);
    assert_string_equal(strstr(bare, "#ifndef HAR_H"), strstr(full, "#ifndef HAR_H")); /* comments only */
    must(tin_generate(model, &rule, &facts, TEST_TEMPORARY, &err), &err);
    char *again = read_text("har.h");
    assert_string_equal(full, again);
    tin_free(bare);
    tin_free(bare_code);
    tin_free(full);
    tin_free(full_code);
    tin_free(again);
    tin_qmodel_free(model);
}

/* Out of memory at every allocation: an error, no leak (the sanitizer build looks), and earlier files stay whole. */
static void test_every_allocation_fails_once(void **state)
{
    (void)state;
    tin_error err = {0};
    tin_qmodel *model = NULL;
    const tin_decision_rule rule = common_rule(1, 1, 1, 0);
    const tin_generate_facts facts = facts_of("starved");
    must(random_graph(&model, 10, &err), &err);
    must(tin_generate(model, &rule, &facts, TEST_TEMPORARY, &err), &err);
    char *before = read_text("starved.c");
    size_t failures = 0;
    for (size_t n = 1;; n++) {
        tin_error failed = {0};
        (void)tin_memory_fail_at(n);
        const tin_status status = tin_generate(model, &rule, &facts, TEST_TEMPORARY, &failed);
        const size_t made = tin_memory_fail_at(0);
        char *after = read_text("starved.c");
        assert_string_equal(before, after);
        tin_free(after);
        if (status == TIN_OK) {
            assert_true(made < n);
            break;
        }
        assert_int_equal(status, TIN_ERR_MEMORY);
        failures++;
    }
    assert_true(failures > 3);
    tin_free(before);
    tin_qmodel_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_har),
        cmocka_unit_test(test_random_models),
        cmocka_unit_test(test_encodings),
        cmocka_unit_test(test_encodings_of_each_target),
        cmocka_unit_test(test_random_graphs),
        cmocka_unit_test(test_features),
        cmocka_unit_test(test_extreme_shapes),
        cmocka_unit_test(test_pools),
        cmocka_unit_test(test_long_histories),
        cmocka_unit_test(test_memory_plan),
        cmocka_unit_test(test_compiles_everywhere),
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_documented_example_compiles),
        cmocka_unit_test(test_code_holds_what_the_rule_uses),
        cmocka_unit_test(test_header_states_facts),
        cmocka_unit_test(test_every_allocation_fails_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
