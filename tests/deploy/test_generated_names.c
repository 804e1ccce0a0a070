/* Names in generated code: of the model, of classes in any script, of several models in one firmware; and what the generator
 * refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "deploy/fixture.h"

/* Two models in one firmware, as C and as C++: run in turns each gives what it gives alone. */
static const char both_program[] =
    "#include <stdio.h>\n#include <string.h>\n#include \"left.h\"\n#include \"right.h\"\n"
    "static left_t l, l2; static right_t r, r2; static left_result_t lo[2]; static right_result_t ro[2];\n"
    "static int16_t noise(unsigned long *s) { *s = *s * 1103515245UL + 12345UL; return (int16_t)(*s >> 8); }\n"
    "int main(void) { int t, i, due = 0; unsigned long a = 1, b = 2; left_init(&l); left_init(&l2); right_init(&r);\n"
    "right_init(&r2); static int16_t x[400][LEFT_CHANNELS], y[400][RIGHT_CHANNELS]; static int32_t alone[2][400];\n"
    "static left_result_t ls[400]; static right_result_t rs[400];\n"
    "for (t = 0; t < 400; t++) { for (i = 0; i < LEFT_CHANNELS; i++) x[t][i] = noise(&a);\n"
    "for (i = 0; i < RIGHT_CHANNELS; i++) y[t][i] = noise(&b); }\n"
    "for (t = 0; t < 400; t++) { alone[0][t] = left_step(&l, x[t], &lo[0]); ls[t] = lo[0]; due += alone[0][t]; }\n"
    "for (t = 0; t < 400; t++) { alone[1][t] = right_step(&r, y[t], &ro[0]); rs[t] = ro[0]; due += alone[1][t]; }\n"
    "for (t = 0; t < 400; t++) { if (left_step(&l2, x[t], &lo[1]) != alone[0][t]) return 1;\n"
    "if (right_step(&r2, y[t], &ro[1]) != alone[1][t]) return 2;\n"
    "if (memcmp(&ls[t], &lo[1], sizeof lo[1]) != 0 || memcmp(&rs[t], &ro[1], sizeof ro[1]) != 0) return 3; }\n"
    "printf(\"%d\\n\", due); return due > 100 && left_class_name(0)[0] == 'A' && right_class_name(0)[0] == 'B' ? 0 : "
    "4; }\n";

static void test_two_models_in_one_program(void **state)
{
    (void)state;
    static const char together[] = "#include \"left.c\"\n#include \"right.c\"\n#include \"both.c\"\n";
    static const random_layer layers[2][2] = {
        {{.op = TIN_OP_CONV1D, .units = 9, .kernel = 3, .stride = 3}, {.op = TIN_OP_GRU, .units = 8}},
        {{.op = TIN_OP_CONV1D, .units = 8, .kernel = 4, .stride = 2}, {.op = TIN_OP_GRU, .units = 12}}};
    const random_spec specs[2] = {
        {.n_channels = 1, .n_classes = 2, .layers = layers[0], .n_layers = 2, .class_name = "A"},
        {.n_channels = 2, .n_classes = 3, .layers = layers[1], .n_layers = 2, .class_name = "B"}};
    static const char *const names[2] = {"left", "right"};
    tin_error err = {0};
    for (int i = 0; i < 2; i++) {
        tin_qmodel *model = NULL;
        tin_generate_facts facts = facts_of(names[i]);
        const tin_decision_rule rule = common_rule(1, 1, 1, 0);
        facts.schedule = i == 0 ? "earliest" : "spread";
        must(random_model(&model, &specs[i], 12, &err), &err);
        must(tin_generate(model, &rule, &facts, TEST_TEMPORARY, &err), &err);
        tin_qmodel_free(model);
    }
    must(tin_file_write(path_of("both.c"), both_program, sizeof both_program - 1, &err), &err);
    must(tin_file_write(path_of("together.c"), together, sizeof together - 1, &err), &err);
    for (int cpp = 0; cpp < 2; cpp++) {
        const char *const execute[] = {path_of("both"), NULL};
        const char *const apart[] = {cpp ? "g++" : "gcc",
                                     cpp ? "-std=c++11" : "-std=c99",
                                     "-Wall",
                                     "-Wextra",
                                     "-Werror",
                                     "-x",
                                     cpp ? "c++" : "c",
                                     path_of("both.c"),
                                     path_of("left.c"),
                                     path_of("right.c"),
                                     "-o",
                                     path_of("both"),
                                     NULL};
        const char *const in_one[] = {
            cpp ? "g++" : "gcc", cpp ? "-std=c++11" : "-std=c99", "-Wall", "-Wextra",       "-Werror", "-x",
            cpp ? "c++" : "c",   path_of("together.c"),           "-o",    path_of("both"), NULL};
        run(apart);
        run(execute);
        const char *const again[] = {path_of("both"), NULL};
        run(in_one);
        run(again);
    }
}

static void test_names(void **state)
{
    (void)state;
    static const char *const bad[] = {"",          "1st",
                                      "has space", "a-b",
                                      "String",    "STDINT",
                                      "x1_",       "Size",
                                      "int",       "class",
                                      "template",  "int8",
                                      "size",      "time",
                                      "_x",        "a__b",
                                      "x.y",       "string",
                                      "stdint",    "co_await",
                                      "a\nb",      "\xc3\xa9t\xc3\xa9",
                                      "a_class",   "a_Class_b",
                                      "a_result",  "a_decision",
                                      "../x",      "name_that_is_far_too_long_for_any_c_compiler_to_like_it"};
    static const char *const good[] = {"har", "Har2", "a", "my_model", "x_1", "classes", "a_result_b"};
    tin_error err = {0};
    tin_qmodel *model = NULL;
    const tin_decision_rule rule = common_rule(1, 1, 1, 0);
    must(random_model_har(&model, 1, &err), &err);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        tin_error refused = {0};
        const tin_generate_facts facts = facts_of(bad[i]);
        assert_int_equal(tin_generate(model, &rule, &facts, TEST_TEMPORARY, &refused), TIN_ERR_MODEL);
        assert_non_null(strpbrk(refused.message, ";")); /* the mend */
    }
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        const tin_generate_facts facts = facts_of(good[i]);
        must(tin_generate(model, &rule, &facts, TEST_TEMPORARY, &err), &err);
    }
    const tin_generate_facts facts = facts_of("har");
    tin_error refused = {0};
    const tin_decision_rule wrong = common_rule(1, -1, 1, 0);
    assert_int_equal(tin_generate(model, &wrong, &facts, TEST_TEMPORARY, &refused), TIN_ERR_MODEL);
    refused = (tin_error){0};
    assert_int_equal(tin_generate(model, &rule, &facts, TEST_TEMPORARY "/no/such/folder", &refused), TIN_ERR_IO);
    tin_qmodel_free(model);
}

/* Class names of any bytes arrive unchanged; nothing of them ends a comment or a string early. */
static void test_class_names_in_any_script(void **state)
{
    (void)state;
    static const char name[] = "\xe6\xad\xa9 \"\\ ?\?/ */ /* \x01\xff%s\n1";
    static const char program[] =
        "#include <string.h>\n#include \"script.h\"\nint main(void) { return strcmp(script_class_name(1), "
        "\"\\xe6\\xad\\xa9 \\\"\\\\ ?\\?/ */ /* \\x01\\xff%s\\n1 1\") || script_class_name(-1)[0] || "
        "script_class_name(SCRIPT_CLASSES)[0]; }\n";
    const random_spec spec = {.n_channels = 1, .n_classes = 3, .class_name = name};
    const tin_decision_rule rule = common_rule(1, 1, 1, 0);
    tin_generate_facts facts = facts_of("script");
    tin_error err = {0};
    tin_qmodel *model = NULL;
    facts.command = "*/ int x; /* \\ \n";
    must(random_model(&model, &spec, 13, &err), &err);
    must(tin_generate(model, &rule, &facts, TEST_TEMPORARY, &err), &err);
    must(tin_file_write(path_of("script_main.c"), program, sizeof program - 1, &err), &err);
    const char *const build[] = {"gcc",
                                 "-std=c99",
                                 "-Wall",
                                 "-Wextra",
                                 "-Werror",
                                 "-pedantic",
                                 path_of("script_main.c"),
                                 path_of("script.c"),
                                 "-o",
                                 path_of("script"),
                                 NULL};
    const char *const execute[] = {path_of("script"), NULL};
    run(build);
    run(execute);
    tin_qmodel_free(model);
}

/* Names of which no letter is left, that begin with a digit, that are alike, and 200 of them: the code compiles in both
 * languages, with a constant for each that has one of its own. */
static void test_class_constants(void **state)
{
    (void)state;
    static char names[TIN_MAX_CLASSES][24];
    tin_error err = {0};
    tin_qmodel *model = NULL;
    const random_spec spec = {.n_channels = 1, .n_classes = TIN_MAX_CLASSES};
    const tin_decision_rule rule = common_rule(1, 1, 1, 0);
    const tin_generate_facts facts = facts_of("scripts");
    static const char *const first[] = {"\xe6\xad\xa9",      "%%", "1st", "x y", "x_y", "x-y", "",
                                        "\xc3\xa9t\xc3\xa9", "es"};
    must(random_model(&model, &spec, 14, &err), &err);
    for (int k = 0; k < TIN_MAX_CLASSES; k++) {
        (void)snprintf(names[k], sizeof names[k], "the same %d", k / 2);
        if (k < (int)(sizeof first / sizeof first[0])) {
            (void)snprintf(names[k], sizeof names[k], "%s", first[k]);
        }
        tin_free(model->classes[k].name);
        model->classes[k].name = tin_strdup(names[k], &err);
    }
    must(tin_generate(model, &rule, &facts, TEST_TEMPORARY, &err), &err);
    char *header = read_text("scripts.h");
    int constants = 0;
    for (const char *s = header; (s = strstr(s, "#define SCRIPTS_CLASS_")) != NULL; s++) {
        constants++;
    }
    assert_int_equal(constants, 4 + (TIN_MAX_CLASSES - 9 + 1) / 2); /* 1ST, X_Y, T, ES; one of each pair */
    assert_non_null(strstr(header, "#define SCRIPTS_CLASS_1ST 2 "));
    assert_non_null(strstr(header, "#define SCRIPTS_CLASS_X_Y 3 "));
    tin_free(header);
    for (int cpp = 0; cpp < 2; cpp++) {
        const char *const compile[] = {cpp ? "g++" : "gcc",
                                       cpp ? "-std=c++11" : "-std=c99",
                                       "-Wall",
                                       "-Wextra",
                                       "-Werror",
                                       "-pedantic",
                                       "-x",
                                       cpp ? "c++" : "c",
                                       "-c",
                                       path_of("scripts.c"),
                                       "-o",
                                       path_of("scripts.o"),
                                       NULL};
        run(compile);
    }
    tin_qmodel_free(model);
}

/* The generator does not trust the model: a sum that could leave int32, and settings that it does not know. */
static void test_what_is_refused(void **state)
{
    (void)state;
    tin_error err = {0};
    tin_qmodel *model = NULL;
    const tin_decision_rule rule = common_rule(1, 1, 1, 0);
    must(random_model_har(&model, 1, &err), &err);
    const struct {
        tin_generate_facts facts;
        const char *words;
    } unknown[] = {{{.name = "net", .schedule = "late"}, "deploy.schedule is 'late'; write earliest or spread"},
                   {{.name = "net", .backend = "x-nn"}, "deploy.backend is 'x-nn'; write auto or cmsis-nn"},
                   {{.name = "net", .optimize = "fast"}, "deploy.optimize is 'fast'; write balanced or speed"},
                   {{.name = "net", .target = "m99"}, "deploy.target is 'm99'; write m4 or m55"}};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        tin_error refused = {0};
        int latency = 1;
        assert_int_equal(tin_generate(model, &rule, &unknown[i].facts, TEST_TEMPORARY, &refused), TIN_ERR_MODEL);
        assert_string_equal(refused.message, unknown[i].words);
        refused = (tin_error){0};
        assert_int_equal(tin_schedule_latency(model, &unknown[i].facts, &latency, &refused), TIN_ERR_MODEL);
        assert_int_equal(latency, 0);
    }
    const tin_generate_facts facts = facts_of("net");
    tin_error refused = {0};
    model->layers[1].bias[5] = INT32_MAX / 2;
    model->layers[1].shift = 1;
    assert_int_equal(tin_generate(model, &rule, &facts, TEST_TEMPORARY, &refused), TIN_ERR_MODEL);
    assert_non_null(strstr(refused.message, "layer 2 (conv1d), row 5: the accumulator can reach "));
    assert_non_null(strstr(refused.message, "use fewer inputs or taps, or train with more weight decay"));
    tin_qmodel_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_models_in_one_program), cmocka_unit_test(test_names),
        cmocka_unit_test(test_class_names_in_any_script), cmocka_unit_test(test_class_constants),
        cmocka_unit_test(test_what_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
