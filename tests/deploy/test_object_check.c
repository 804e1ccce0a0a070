/* The object check and the stack bound on objects that break their rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "deploy/fixture.h"
#include "deploy/measure.h"

static const tin_target *target(const char *name)
{
    const tin_target *found = NULL;
    tin_error err = {0};
    must(tin_target_find(&found, name, &err), &err);
    return found;
}

/* Compiles `source` for the core; "broken.o", "broken.su". */
static void compile(const char *source, const char *core)
{
    tin_error err = {0};
    must(tin_file_write(path_of("broken.c"), source, strlen(source), &err), &err);
    const char *const argv[] = {
        "arm-none-eabi-gcc", core, "-mthumb",           "-O2", "-ffunction-sections", "-fstack-usage",
        "-fno-builtin",      "-c", path_of("broken.c"), "-o",  path_of("broken.o"),   NULL};
    run(argv);
}

static void refused(const char *source, const char *core, const char *word)
{
    tin_error err = {0};
    compile(source, core);
    assert_int_equal(tin_object_check(target("m4"), path_of("broken.o"), &err), TIN_ERR_TOOL);
    if (strstr(err.message, word) == NULL) {
        fail_msg("\"%s\" is not in: %s", word, err.message);
    }
}

static void test_forbidden_instructions(void **state)
{
    (void)state;
    tin_error err = {0};
    refused("int f(int a, int b) { return a / b; }", "-mcpu=cortex-m4", "sdiv");
    refused("unsigned f(unsigned a, unsigned b) { return a / b; }", "-mcpu=cortex-m4", "udiv");
    refused("int f(int a, int b) { return a / b; }", "-mcpu=cortex-m0", "__aeabi_idiv");
    refused("int f(int a, int b) { return a % b; }", "-mcpu=cortex-m0", "__aeabi_idivmod");
    refused("float f(float a) { return a * 3; }", "-mcpu=cortex-m4", "__aeabi_fmul");
    refused("float *g; void __attribute__((target(\"fpu=fpv4-sp-d16\"))) f(void) { __asm__ volatile(\".fpu "
            "fpv4-sp-d16\\n vadd.f32 s0, s0, "
            "s1\"); }",
            "-mcpu=cortex-m4", "vadd");
    refused("int puts(const char *); int f(void) { return puts(\"a\"); }", "-mcpu=cortex-m4", "puts");
    refused("void *malloc(unsigned); void *f(void) { return malloc(4); }", "-mcpu=cortex-m4", "malloc");
    refused("", "-mcpu=cortex-m4", "no instruction");
    compile(
        "#include <string.h>\nvoid f(char *a, char *b, int n) { memcpy(a, b, n); memmove(a, b, n); memset(a, 0, n); }",
        "-mcpu=cortex-m4");
    must(tin_object_check(target("m4"), path_of("broken.o"), &err), &err);
}

/* Helium: vectors of integers and what saves their registers, but no floats. */
static void test_vectors_of_integers(void **state)
{
    (void)state;
    static const char sum[] = "#include <arm_mve.h>\nint f(int8x16_t a, int8x16_t b) { return vmladavq_s8(a, b); }\n"
                              "void g(void); int h(int32x4_t a) { __asm__ volatile(\"\" : : : \"q4\");"
                              " return vaddvq_s32(vaddq_n_s32(a, 1)); }";
    static const char core[] = "-mcpu=cortex-m55";
    tin_error err = {0};
    must(tin_file_write(path_of("broken.c"), sum, sizeof sum - 1, &err), &err);
    const char *const argv[] = {
        "arm-none-eabi-gcc", core, "-mthumb", "-mfloat-abi=hard", "-O2", "-c", path_of("broken.c"), "-o",
        path_of("broken.o"), NULL};
    run(argv);
    must(tin_object_check(target("m55"), path_of("broken.o"), &err), &err);
    assert_int_equal(tin_object_check(target("m4"), path_of("broken.o"), &err), TIN_ERR_TOOL);
    err = (tin_error){0};
    static const char floats[] = "#include <arm_mve.h>\nfloat32x4_t f(float32x4_t a) { return vaddq_f32(a, a); }";
    must(tin_file_write(path_of("broken.c"), floats, sizeof floats - 1, &err), &err);
    run(argv);
    assert_int_equal(tin_object_check(target("m55"), path_of("broken.o"), &err), TIN_ERR_TOOL);
    assert_non_null(strstr(err.message, "vadd.f32"));
}

static void test_variables_are_refused(void **state)
{
    (void)state;
    static const char *const sources[] = {"int counter = 1; int f(void) { return counter++; }",
                                          "static int n; int f(void) { return n++; }"};
    for (int i = 0; i < 2; i++) {
        tin_error err = {0};
        tin_footprint footprint;
        compile(sources[i], "-mcpu=cortex-m4");
        assert_int_equal(tin_object_sizes(target("m4"), path_of("broken.o"), "x", &footprint, &err), TIN_ERR_TOOL);
        assert_non_null(strstr(err.message, "variables"));
    }
}

static void test_sizes(void **state)
{
    (void)state;
    tin_error err = {0};
    tin_footprint footprint;
    compile("const signed char x_a_weight[100] = {1}; const int x_a_bias[5] = {1}; const int x_table[7] = {1};\n"
            "const int other_bias[3] = {1}; int x_step(int i) { return x_a_weight[i] + x_a_bias[i] + x_table[i] + "
            "other_bias[i]; }",
            "-mcpu=cortex-m4");
    must(tin_object_sizes(target("m4"), path_of("broken.o"), "x", &footprint, &err), &err);
    assert_int_equal(footprint.weight_bytes, 120);
    assert_true(footprint.code_bytes >= 28 + 12 + 8 && footprint.code_bytes < 120);
    assert_int_equal(footprint.flash_bytes, footprint.code_bytes + footprint.weight_bytes);
}

/* Links x_init and x_step with a main so that the C library's functions have code. */
static tin_status bound_of(const char *source, long *bytes, tin_error *err)
{
    compile(source, "-mcpu=cortex-m4");
    static const char start[] = "void x_init(void); void x_step(void); void _start(void) { x_init(); x_step(); }";
    must(tin_file_write(path_of("start.c"), start, sizeof start - 1, err), err);
    const char *const link[] = {"arm-none-eabi-gcc",
                                "-mcpu=cortex-m4",
                                "-mthumb",
                                "-nostartfiles",
                                path_of("start.c"),
                                path_of("broken.o"),
                                "-o",
                                path_of("broken.elf"),
                                NULL};
    run(link);
    return tin_stack_bound(target("m4"), path_of("broken.o"), path_of("broken.su"), path_of("broken.elf"), "x", bytes,
                           err);
}

#define NOINLINE "__attribute__((noinline)) "
#define DEEP(name, words, call)                                                                                        \
    NOINLINE "static void " name "(volatile int *p) { volatile int a[" words "]; a[0] = *p; " call " *p = a[0]; }\n"

static void test_stack_bound(void **state)
{
    (void)state;
    tin_error err = {0};
    long bytes = 0, shallow = 0, library = 0;
    must(bound_of("void x_init(void) {}\nvoid x_step(void) {}", &bytes, &err), &err);
    assert_int_equal(bytes, 0);
    must(bound_of(DEEP("g", "20", "") DEEP("h", "50", "") "void x_init(void) {}\n"
                                                          "void x_step(void) { volatile int v = 1; g(&v); h(&v); }",
                  &shallow, &err),
         &err);
    must(bound_of(DEEP("h", "50", "")
                      DEEP("g", "20", "h(p);") "void x_init(void) { volatile int v = 1; g(&v); }\nvoid x_step(void) {}",
                  &bytes, &err),
         &err);
    assert_true(shallow >= 200 && shallow < 260);                /* the deeper one of two */
    assert_true(bytes >= shallow + 80 && bytes < shallow + 130); /* the sum along a path, from init */
    must(bound_of("const int table[9] = {1}; \n"
                  "void x_init(void) { __asm__ volatile(\"movw r0, #:lower16:table\\n movt r0, #:upper16:table\" : : : "
                  "\"r0\"); }\n"
                  "void x_step(void) {}",
                  &bytes, &err),
         &err);
    assert_int_equal(bytes, 0); /* the address of a constant is no call */
    must(bound_of("#include <string.h>\nstatic char s[99]; void x_init(void) { memmove(s, s + 1, 50); }\nvoid "
                  "x_step(void) {}",
                  &library, &err),
         &err);
    assert_true(library >= 8 && library < 100); /* memmove of the C library pushes registers */
}

/* The rules hold on every core: its divisions, its floats, its recursion and its calls through pointers. */
static void test_rules_of_every_core(void **state)
{
    (void)state;
    static const struct {
        const char *source, *word;
        bool stack;
    } cases[] = {{"long x_step(long a, long b) { return a / b; }", "div", false},
                 {"double x_step(double a) { return a * 3; }", "float", false},
                 {"void x_init(void) {}" NOINLINE
                  "long x_step(volatile long *n) { long a = *n; return a < 2 ? a : x_step(n) + x_step(n + a); }",
                  "calls itself", true},
                 {"void x_init(void) {} long (*volatile to)(void); long x_step(void) { return to() + to(); }",
                  "through a pointer", true}};
    for (const tin_target *t = tin_targets; t->name != NULL; t++) {
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            tin_error err = {0};
            tin_command command = {0};
            tin_process_result result = {0};
            long bytes;
            if (cases[i].stack && t->ticks_per_insn == 0) {
                continue; /* no bound is asked for */
            }
            must(tin_file_write(path_of("broken.c"), cases[i].source, strlen(cases[i].source), &err), &err);
            tin_command_format(&command, "%sgcc", t->tools);
            tin_command_words(&command, t->flags);
            tin_command_words(&command, "-O2 -ffunction-sections -fstack-usage -c -o");
            tin_command_add(&command, path_of("broken.o"));
            tin_command_add(&command, path_of("broken.c"));
            must(tin_command_run(&command, 60, &result, &err), &err);
            tin_process_free(&result);
            const tin_status status =
                cases[i].stack ? tin_stack_bound(t, path_of("broken.o"), path_of("broken.su"), "", "x", &bytes, &err)
                               : tin_object_check(t, path_of("broken.o"), &err);
            if (status != TIN_ERR_TOOL || strstr(err.message, cases[i].word) == NULL) {
                fail_msg("%s: \"%s\" is not in: %s", t->title, cases[i].word, err.message);
            }
        }
    }
}

static void test_stack_without_bound(void **state)
{
    (void)state;
    static const struct {
        const char *source, *word;
    } cases[] = {
        {NOINLINE "static int g(volatile int *p) { int v = *p; if (v) { v += g(p) * *p; } return v + *p; }\n"
                  "void x_init(void) {}\nvoid x_step(void) { volatile int v = 0; g(&v); }",
         "calls itself"},
        {"void x_init(void) {}\nvoid x_step(void) { volatile int n = 4; volatile char a[n]; a[0] = 1; }", "no bound"},
        {"void (*volatile p)(void);\nvoid x_init(void) {}\nvoid x_step(void) { p(); p(); }", "pointer"},
        {"void x_init(void) {}\nvoid x_step(void);\n__asm__(\".global x_step\\n.thumb_func\\nx_step: bx lr\\n\");",
         "x_step"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tin_error err = {0};
        long bytes;
        assert_int_equal(bound_of(cases[i].source, &bytes, &err), TIN_ERR_TOOL);
        if (strstr(err.message, cases[i].word) == NULL) {
            fail_msg("case %zu: \"%s\" is not in: %s", i, cases[i].word, err.message);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forbidden_instructions),
        cmocka_unit_test(test_vectors_of_integers),
        cmocka_unit_test(test_variables_are_refused),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_stack_bound),
        cmocka_unit_test(test_rules_of_every_core),
        cmocka_unit_test(test_stack_without_bound),
    };
#ifdef SKIP_WITHOUT_EMULATOR
    if (!tin_process_exists("arm-none-eabi-gcc")) {
        return 77; /* CTest: skipped */
    }
#endif
    return cmocka_run_group_tests(tests, NULL, NULL);
}
