/* Packages: each one builds as its ecosystem builds it (with a stand-in for the ecosystem on the host), its self-test
 * passes, and fails when any of its vectors is damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>
#include <yaml.h>

#include "base/text.h"
#include "deploy/package_fixture.h"

/* What `program` prints; it must end with `code`. */
static char *output_of(const char *const argv[], int code)
{
    tin_error err = {0};
    tin_process_result result = {0};
    must(tin_process_run(argv, 120, &result, &err), &err);
    if (result.exit_code != code) {
        fail_msg("%s ended with %d: %s%s", argv[0], result.exit_code, result.output, result.errors);
    }
    tin_free(result.errors);
    return result.output;
}

static void must_pass(const char *program)
{
    char *text = output_of((const char *const[]){program, NULL}, 0);
    if (strstr(text, NAME ": PASS\n") == NULL || strstr(text, "frame ") == NULL) {
        fail_msg("%s printed: %s", program, text);
    }
    tin_free(text);
}

static void test_cmake(void **state)
{
    static const char parent[] =
        "cmake_minimum_required(VERSION 3.13)\nproject(firmware LANGUAGES C)\n"
        "add_subdirectory(" PACKAGE("cmake") " net)\n"
                                             "add_executable(firmware firmware.c)\n"
                                             "target_link_libraries(firmware PRIVATE " NAME "::" NAME ")\n";
    static const char firmware[] =
        "#include \"" NAME ".h\"\nint main(void)\n{\n    " NAME "_t s;\n    " NAME "_init(&s);\n    return 0;\n}\n";
    project p;
    tin_error err = {0};
    (void)state;
    make_project(&p, &ordinary, 1);
    must(tin_package_write(&p.package, output_folder(), &err), &err);
    build_with_cmake(PACKAGE("cmake"), path_of("build-cmake"));
    must_pass(path_of("build-cmake/" NAME "_example"));
    run((const char *const[]){"ctest", "--test-dir", path_of("build-cmake"), NULL});
    /* inside another project: the library alone */
    must(tin_folder_make(path_of("parent"), &err), &err);
    must(tin_file_write(path_of("parent/CMakeLists.txt"), parent, sizeof parent - 1, &err), &err);
    must(tin_file_write(path_of("parent/firmware.c"), firmware, sizeof firmware - 1, &err), &err);
    build_with_cmake(path_of("parent"), path_of("build-parent"));
    assert_true(tin_file_exists(path_of("build-parent/firmware")));
    assert_false(tin_file_exists(path_of("build-parent/net/" NAME "_example")));
    free_project(&p);
}

/* The sketch as the IDE compiles it: C++ with the library's folder, the library itself C. */
static void build_sketch(const char *package, const char *sketch, const char *c, const char *cpp, const char *core)
{
    char include[TIN_PATH_MAX], source[2][TIN_PATH_MAX], path[TIN_PATH_MAX];
    (void)snprintf(include, sizeof include, "-I%s/src", package);
    (void)snprintf(source[0], sizeof source[0], "%s/src/" NAME ".c", package);
    (void)snprintf(source[1], sizeof source[1], "%s/src/" NAME "_selftest.c", package);
    (void)snprintf(path, sizeof path, "%s/%s", package, sketch);
    for (int i = 0; i < 2; i++) {
        run((const char *const[]){c, core, "-std=gnu11", "-Os", "-Wall", "-Wextra", "-Werror", include, "-c", source[i],
                                  "-o", i == 0 ? path_of("model.o") : path_of("selftest.o"), NULL});
    }
    run((const char *const[]){cpp,
                              core,
                              "-std=gnu++11",
                              "-Os",
                              "-Wall",
                              "-Wextra",
                              "-Werror",
                              include,
                              "-I" TEST_FILES "/arduino",
                              "-x",
                              "c++",
                              path,
                              TEST_FILES "/arduino/main.cpp",
                              "-x",
                              "none",
                              path_of("model.o"),
                              path_of("selftest.o"),
                              "-o",
                              path_of("sketch"),
                              NULL});
}

/* Keys and values of library.properties. */
static char *property(const char *text, const char *key)
{
    static char value[512];
    const char *at = strstr(text, key);
    while (at != NULL && ((at != text && at[-1] != '\n') || at[strlen(key)] != '=')) {
        at = strstr(at + 1, key);
    }
    if (at == NULL) {
        fail_msg("no %s in library.properties", key);
        return NULL;
    }
    (void)snprintf(value, sizeof value, "%.*s", (int)strcspn(at + strlen(key) + 1, "\n"), at + strlen(key) + 1);
    return value;
}

static void test_arduino(void **state)
{
    static const char *const keys[] = {"name",      "version",  "author", "maintainer",    "sentence",
                                       "paragraph", "category", "url",    "architectures", "includes"};
    project p;
    tin_error err = {0};
    char *text = NULL;
    size_t size = 0;
    (void)state;
    make_project(&p, &ordinary, 2);
    p.package.formats = TIN_PACKAGE_ARDUINO;
    p.package.frames = 60; /* an AVR keeps constants in RAM */
    must(tin_package_write(&p.package, output_folder(), &err), &err);
    build_sketch(PACKAGE("arduino"), "examples/" NAME "/" NAME ".ino", "gcc", "g++", "-O1");
    must_pass(path_of("sketch"));
    build_sketch(PACKAGE("arduino"), "examples/" NAME "/" NAME ".ino", "avr-gcc", "avr-g++", "-mmcu=atmega1284p");
    must(tin_file_read(PACKAGE("arduino") "/library.properties", &text, &size, &err), &err);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        assert_non_null(property(text, keys[i]));
    }
    assert_string_equal(property(text, "name"), NAME);
    assert_string_equal(property(text, "version"), "1.0.0");
    assert_string_equal(property(text, "architectures"), "*");
    assert_string_equal(property(text, "includes"), NAME ".h");
    assert_string_equal(property(text, "category"), "Data Processing");
    tin_free(text);
    free_project(&p);
}

static void test_platformio(void **state)
{
    project p;
    tin_error err = {0};
    json_error_t why;
    const char *name, *version, *base, *header, *file;
    json_t *files;
    size_t i;
    json_t *one;
    char path[TIN_PATH_MAX];
    (void)state;
    make_project(&p, &ordinary, 3);
    p.package.formats = TIN_PACKAGE_PLATFORMIO;
    must(tin_package_write(&p.package, output_folder(), &err), &err);
    json_t *root = json_load_file(PACKAGE("platformio") "/library.json", JSON_REJECT_DUPLICATES, &why);
    assert_non_null(root);
    assert_int_equal(json_unpack(root, "{s:s, s:s, s:[s], s:[{s:s, s:o}]}", "name", &name, "version", &version,
                                 "headers", &header, "examples", "base", &base, "files", &files),
                     0);
    assert_string_equal(name, NAME);
    assert_string_equal(version, "1.0.0");
    assert_true(strlen(json_string_value(json_object_get(root, "description"))) <= 255);
    (void)snprintf(path, sizeof path, PACKAGE("platformio") "/src/%s", header);
    assert_true(tin_file_exists(path));
    assert_true(json_array_size(files) > 0);
    json_array_foreach(files, i, one)
    {
        file = json_string_value(one);
        (void)snprintf(path, sizeof path, PACKAGE("platformio") "/%s/%s", base, file);
        assert_true(tin_file_exists(path));
    }
    json_decref(root);
    build_sketch(PACKAGE("platformio"), "examples/" NAME "/src/main.cpp", "gcc", "g++", "-O1");
    must_pass(path_of("sketch"));
    free_project(&p);
}

/* The scalars of a YAML file as "key: value" lines, each key with the keys above it: "build/cmake: .". */
static char *flat_yaml(const char *path)
{
    tin_error err = {0};
    tin_text text = {0};
    char *data = NULL, keys[8][64] = {""};
    size_t size = 0;
    int depth = -1;
    bool is_key[8] = {false};
    yaml_parser_t parser;
    yaml_event_t event;
    bool done = false;
    must(tin_file_read(path, &data, &size, &err), &err);
    assert_int_equal(yaml_parser_initialize(&parser), 1);
    yaml_parser_set_input_string(&parser, (const unsigned char *)data, size);
    while (!done) {
        if (!yaml_parser_parse(&parser, &event)) {
            fail_msg("%s: line %zu: %s", path, parser.problem_mark.line + 1, parser.problem);
        }
        const char *word = event.type == YAML_SCALAR_EVENT ? (const char *)event.data.scalar.value : "";
        switch (event.type) {
        case YAML_MAPPING_START_EVENT:
            depth++;
            assert_true(depth < 8);
            is_key[depth] = true;
            break;
        case YAML_MAPPING_END_EVENT:
            depth--;
            if (depth >= 0) {
                is_key[depth] = true;
            }
            break;
        case YAML_SEQUENCE_END_EVENT:
            is_key[depth] = true;
            break;
        case YAML_SCALAR_EVENT:
            if (is_key[depth]) {
                (void)snprintf(keys[depth], sizeof keys[depth], "%.63s", word);
                is_key[depth] = false;
                break;
            }
            for (int i = 0; i <= depth; i++) {
                tin_text_printf(&text, "%s%s", i == 0 ? "" : "/", keys[i]);
            }
            tin_text_printf(&text, ": %s\n", word);
            break;
        case YAML_STREAM_END_EVENT:
            done = true;
            break;
        default:
            break;
        }
        /* behind a scalar value the next one is a key again; inside a sequence it is the next item */
        if (event.type == YAML_SCALAR_EVENT && word[0] != '\0' && strcmp(word, keys[depth]) != 0 &&
            parser.state != YAML_PARSE_BLOCK_SEQUENCE_ENTRY_STATE &&
            parser.state != YAML_PARSE_INDENTLESS_SEQUENCE_ENTRY_STATE) {
            is_key[depth] = true;
        }
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    tin_free(data);
    return text.data;
}

static void must_hold(const char *path, const char *const lines[])
{
    char *text = flat_yaml(path);
    assert_non_null(text);
    for (size_t i = 0; lines[i] != NULL; i++) {
        const char *at = strstr(text, lines[i]);
        if (at == NULL || (at != text && at[-1] != '\n') || at[strlen(lines[i])] != '\n') {
            fail_msg("%s has no \"%s\":\n%s", path, lines[i], text);
        }
    }
    tin_free(text);
}

static void test_zephyr(void **state)
{
    project p;
    tin_error err = {0};
    (void)state;
    make_project(&p, &ordinary, 4);
    p.package.formats = TIN_PACKAGE_ZEPHYR;
    must(tin_package_write(&p.package, output_folder(), &err), &err);
    must_hold(
        PACKAGE("zephyr") "/zephyr/module.yml",
        (const char *const[]){"name: " NAME, "build/cmake: .", "build/kconfig: Kconfig", "samples: samples", NULL});
    must_hold(PACKAGE("zephyr") "/samples/" NAME "/sample.yaml",
              (const char *const[]){"sample/name: " NAME, "tests/sample.tinamou." NAME "/harness: console",
                                    "tests/sample.tinamou." NAME "/harness_config/type: one_line", NULL});
    assert_int_equal(setenv("ZEPHYR_BASE", TEST_FILES "/zephyr", 1), 0);
    build_with_cmake(PACKAGE("zephyr") "/samples/" NAME, path_of("build-zephyr"));
    must_pass(path_of("build-zephyr/app"));
    free_project(&p);
}

static void test_espidf(void **state)
{
    project p;
    tin_error err = {0};
    (void)state;
    make_project(&p, &ordinary, 5);
    p.package.formats = TIN_PACKAGE_ESPIDF;
    must(tin_package_write(&p.package, output_folder(), &err), &err);
    must_hold(PACKAGE("espidf") "/idf_component.yml",
              (const char *const[]){"version: 1.0.0", "license: 0BSD", "dependencies/idf: >=5.0", NULL});
    must_hold(PACKAGE("espidf") "/examples/" NAME "/main/idf_component.yml",
              (const char *const[]){"dependencies/" NAME "/override_path: ../../..", NULL});
    assert_int_equal(setenv("IDF_PATH", TEST_FILES "/espidf", 1), 0);
    build_with_cmake(PACKAGE("espidf") "/examples/" NAME, path_of("build-espidf"));
    must_pass(path_of("build-espidf/app"));
    free_project(&p);
}

/* ---- the self-test finds what is wrong ---- */

static void build_selftest(const char *source, const char *compiler, const char *standard)
{
    run((const char *const[]){compiler, "-x", strstr(compiler, "++") ? "c++" : "c", standard, "-O1", "-Wall", "-Wextra",
                              "-Wconversion", "-Wshadow", "-pedantic", "-Werror", "-I", PACKAGE("cmake") "/src", source,
                              PACKAGE("cmake") "/src/" NAME ".c", PACKAGE("cmake") "/examples/" NAME "/main.c", "-o",
                              path_of("selftest"), NULL});
}

/* Writes a copy with 12345, of the other sign, for the number that comes `skip` numbers behind `where` and its '='. */
static void damage(const char *where, int skip, const char *to)
{
    tin_error err = {0};
    char *text = NULL;
    size_t size = 0;
    must(tin_file_read(PACKAGE("cmake") "/src/" NAME "_selftest.c", &text, &size, &err), &err);
    char *at = strstr(text, where);
    assert_non_null(at);
    at = strchr(at, '=');
    for (int i = 0; i <= skip; i++) {
        at += strcspn(at, "0123456789");
        if (strncmp(at, "32_C(", 5) == 0) {
            at += 5;
        }
        at += i < skip ? strspn(at, "0123456789") : 0;
    }
    FILE *file = fopen(to, "w");
    assert_non_null(file);
    const int negative = at[-1] == '-';
    (void)fprintf(file, "%.*s%s%s", (int)(at - text) - negative, text, negative ? "12345" : "-12345",
                  at + strspn(at, "0123456789"));
    assert_int_equal(fclose(file), 0);
    tin_free(text);
}

static void test_damage_is_found(void **state)
{
    static const struct {
        const char *where;
        int skip;
        const char *word;
    } cases[] = {
        {"_recorded[NET2_RECORDED]", 20, "expected"},
        {"_recorded[NET2_RECORDED]", 3 * 600,
         "results of recorded frames 576 to 607 differ"}, /* behind the decisions in full */
        {" first[", 0, ": its frame is "},
        {" first[", 2, ": score 1 is "},
        {" first[", 5, ": class_index is "},
        {" first[", 8 + 6, ": active is "},
        {" first[", 16 + 7, ": trigger is "},
        {" recorded_sums[", 0, "results of recorded frames 0 to 31 differ"},
        {" recorded_sums[", 2, "results of recorded frames 64 to 95 differ"},
        {" made_sums[", 15, "results of made-up frames 3840 to 4095 differ"},
    };
    project p;
    tin_error err = {0};
    (void)state;
    make_project(&p, &ordinary, 6);
    p.package.formats = TIN_PACKAGE_CMAKE;
    must(tin_package_write(&p.package, output_folder(), &err), &err);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *damaged = path_of("damaged.c");
        damage(cases[i].where, cases[i].skip, damaged);
        build_selftest(damaged, "gcc", "-std=c99");
        char *text = output_of((const char *const[]){path_of("selftest"), NULL}, 1);
        if (strstr(text, cases[i].word) == NULL || strstr(text, NAME ": FAIL\n") == NULL ||
            strstr(text, "PASS") != NULL) {
            fail_msg("case %zu printed: %s", i, text);
        }
        tin_free(text);
    }
    free_project(&p);
}

/* Another model of the same shape, another rule: the code of the one fails the test of the other. */
static void test_other_model_fails(void **state)
{
    project p, q;
    tin_error err = {0};
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        make_project(&p, &ordinary, 7);
        p.package.formats = TIN_PACKAGE_CMAKE;
        must(tin_package_write(&p.package, output_folder(), &err), &err);
        make_project(&q, &ordinary, kind == 0 ? 8 : 7);
        q.rule.needed = q.rule.of = kind == 0 ? 1 : 3;
        const tin_generate_facts facts = facts_of(NAME);
        must(tin_generate(q.model, &q.rule, &facts, PACKAGE("cmake") "/src", &err), &err);
        build_selftest(PACKAGE("cmake") "/src/" NAME "_selftest.c", "gcc", "-std=c99");
        tin_free(output_of((const char *const[]){path_of("selftest"), NULL}, 1));
        free_project(&p);
        free_project(&q);
    }
}

/* The limits of shape, by both compilers and in both languages. */
static void test_shapes(void **state)
{
    static const random_layer strided[] = {{.op = TIN_OP_CONV1D, .units = 3, .kernel = 3, .stride = 40},
                                           {.op = TIN_OP_AVG_POOL, .kernel = 5, .stride = 5}};
    static const random_spec specs[] = {
        {.n_channels = 1, .n_classes = 1, .layers = layers, .n_layers = 2, .event_every = 1},
        {.n_channels = 64, .n_classes = 200, .layers = layers, .n_layers = 2, .event_every = 3},
        {.n_channels = 6, .n_classes = 2, .layers = strided, .n_layers = 2}};
    static const struct {
        const char *compiler, *standard;
    } builds[] = {{"gcc", "-std=c99"}, {"clang", "-std=c99"}, {"g++", "-std=c++11"}, {"clang++", "-std=c++11"}};
    (void)state;
    for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++) {
        project p;
        tin_error err = {0};
        make_project(&p, &specs[i], 10 + i);
        p.package.formats = TIN_PACKAGE_CMAKE;
        must(tin_package_write(&p.package, output_folder(), &err), &err);
        for (size_t b = 0; b < sizeof builds / sizeof builds[0]; b++) {
            build_selftest(PACKAGE("cmake") "/src/" NAME "_selftest.c", builds[b].compiler, builds[b].standard);
            must_pass(path_of("selftest"));
        }
        free_project(&p);
    }
}

/* ---- the folder ---- */

static char *read_package(const char *file)
{
    char path[TIN_PATH_MAX], *text = NULL;
    size_t size = 0;
    tin_error err = {0};
    (void)snprintf(path, sizeof path, PACKAGE("cmake") "/%s", file);
    must(tin_file_read(path, &text, &size, &err), &err);
    return text;
}

static void test_piece(void **state)
{
    project p;
    tin_error err = {0};
    char *text;
    (void)state;
    make_project(&p, &ordinary, 12);
    p.package.formats = TIN_PACKAGE_CMAKE;
    p.package.frames = 100;
    p.rule =
        tin_decision_plain(100000); /* no detection: around the event, three quarters of the frames before its start */
    must(tin_package_write(&p.package, output_folder(), &err), &err);
    text = read_package("src/" NAME "_selftest.h");
    assert_non_null(strstr(text, "frames 825 to 924 of second <2a>/ \"recording\""));
    tin_free(text);
    p.streams[2].n_intervals = 0; /* no event either: the first test stream */
    must(tin_package_write(&p.package, TEST_TEMPORARY "/packages", &err), &err);
    text = read_package("src/" NAME "_selftest.h");
    assert_non_null(strstr(text, "frames 0 to 99 of first"));
    tin_free(text);
    p.streams[1].n_frames = 1; /* shorter than a hop */
    assert_int_equal(tin_package_write(&p.package, TEST_TEMPORARY "/packages", &err), TIN_ERR_DATA);
    assert_non_null(strstr(err.message, "no decision in 1 frames"));
    p.streams[1].role = p.streams[2].role = TIN_ROLE_VALIDATION;
    err = (tin_error){0};
    assert_int_equal(tin_package_write(&p.package, TEST_TEMPORARY "/packages", &err), TIN_ERR_DATA);
    assert_non_null(strstr(err.message, "data.test"));
    free_project(&p);
}

static void test_earlier_package(void **state)
{
    project p;
    tin_error err = {0};
    struct stat before, after;
    char *one, *two;
    (void)state;
    make_project(&p, &ordinary, 13);
    p.package.formats = TIN_PACKAGE_CMAKE;
    must(tin_package_write(&p.package, output_folder(), &err), &err);
    one = read_package("src/" NAME "_selftest.c");
    assert_int_equal(stat(PACKAGE("cmake"), &before), 0);
    must(tin_package_write(&p.package, TEST_TEMPORARY "/packages", &err), &err);
    two = read_package("src/" NAME "_selftest.c");
    assert_string_equal(one, two); /* same inputs, same bytes */
    assert_int_equal(stat(PACKAGE("cmake"), &after), 0);
    assert_true(before.st_ino != after.st_ino); /* a whole new folder */
    tin_free(two);
    /* a file of the user's stays, and is named */
    must(tin_file_write(PACKAGE("cmake") "/src/notes.txt", "mine", 4, &err), &err);
    p.package.frames = 50;
    assert_int_equal(tin_package_write(&p.package, TEST_TEMPORARY "/packages", &err), TIN_ERR_IO);
    assert_non_null(strstr(err.file, "notes.txt"));
    assert_true(tin_file_exists(PACKAGE("cmake") "/src/notes.txt"));
    two = read_package("src/" NAME "_selftest.c");
    assert_string_equal(one, two);
    tin_free(two);
    tin_free(one);
    assert_int_equal(unlink(PACKAGE("cmake") "/src/notes.txt"), 0);
    free_project(&p);
}

/* Whatever allocation fails, the earlier package stays whole and nothing half-written is left. */
static void test_memory(void **state)
{
    project p;
    tin_error err = {0};
    char *before;
    (void)state;
    make_project(&p, &ordinary, 14);
    p.package.formats = TIN_PACKAGE_CMAKE;
    p.package.frames = 40;
    must(tin_package_write(&p.package, output_folder(), &err), &err);
    before = read_package("src/" NAME "_selftest.c");
    (void)tin_memory_fail_at(0);
    must(tin_package_write(&p.package, TEST_TEMPORARY "/packages", &err), &err);
    const size_t n = tin_memory_fail_at(0);
    assert_true(n > 20);
    for (size_t i = 1; i <= n; i++) {
        err = (tin_error){0};
        (void)tin_memory_fail_at(i);
        const tin_status status = tin_package_write(&p.package, TEST_TEMPORARY "/packages", &err);
        (void)tin_memory_fail_at(0);
        if (status != TIN_ERR_MEMORY) {
            fail_msg("allocation %zu: %s", i, tin_error_text(&err));
        }
        char *after = read_package("src/" NAME "_selftest.c");
        assert_string_equal(before, after);
        tin_free(after);
        assert_false(tin_file_exists(TEST_TEMPORARY "/packages/cmake/." NAME ".half-written"));
    }
    tin_free(before);
    free_project(&p);
}

static void test_formats(void **state)
{
    static const struct {
        const char *text;
        unsigned formats;
    } good[] = {{"cmake", TIN_PACKAGE_CMAKE},
                {"all", TIN_PACKAGE_ALL},
                {"espidf,arduino", TIN_PACKAGE_ESPIDF | TIN_PACKAGE_ARDUINO},
                {"zephyr,zephyr", TIN_PACKAGE_ZEPHYR}};
    static const char *const bad[] = {"", "cmak", "cmake,", ",cmake", "cmake;arduino", "ALL", "mbed"};
    unsigned formats;
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        tin_error err = {0};
        must(tin_package_formats(good[i].text, &formats, &err), &err);
        assert_int_equal(formats, good[i].formats);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        tin_error err = {0};
        assert_int_equal(tin_package_formats(bad[i], &formats, &err), TIN_ERR_USAGE);
        assert_non_null(strstr(err.message, "platformio"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formats),         cmocka_unit_test(test_cmake),
        cmocka_unit_test(test_arduino),         cmocka_unit_test(test_platformio),
        cmocka_unit_test(test_zephyr),          cmocka_unit_test(test_espidf),
        cmocka_unit_test(test_damage_is_found), cmocka_unit_test(test_other_model_fails),
        cmocka_unit_test(test_shapes),          cmocka_unit_test(test_piece),
        cmocka_unit_test(test_earlier_package), cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
