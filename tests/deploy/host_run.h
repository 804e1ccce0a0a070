/* Generated code on the host against the interpreter, for tests of code that is generated in an unusual way. Include after
 * cmocka.h. */
#ifndef HOST_RUN_H
#define HOST_RUN_H

#include "deploy/fixture.h"

#define HOST_FRAMES 600

/* What the interpreter gives for frame t; false when no decision is due. */
static inline bool expected_record(tin_qrunner *runner, const tin_qmodel *model, const tin_decision_rule *rule,
                                   tin_decision_state *decision, const int16_t *counts, int t,
                                   int32_t record[TIN_MAX_CLASSES + 4])
{
    const int n = model->n_classes;
    int16_t scores[TIN_MAX_CLASSES];
    int best = 0;
    if (tin_qrunner_step(runner, counts + (ptrdiff_t)t * model->n_channels, scores) == 0) {
        return false;
    }
    record[0] = t;
    for (int k = 0; k < n; k++) {
        record[k + 1] = scores[k];
        best = scores[k] > scores[best] ? k : best;
    }
    record[n + 3] = tin_decision_step(decision, rule, model->classes, n, scores);
    record[n + 2] = decision->active;
    record[n + 1] = best;
    return true;
}

/* Generates "net" by `facts`, compiles it with the sanitizers, the folder of includes and one more source, runs it over
 * frames drawn by the seed, and compares every decision. */
static inline void compare_on_host(const tin_qmodel *model, const tin_generate_facts *facts, const char *include,
                                   const char *source, uint64_t seed)
{
    tin_error err = {0};
    const tin_decision_rule rule = random_rule(seed);
    const size_t n = (size_t)HOST_FRAMES * (size_t)model->n_channels;
    const size_t bytes = ((size_t)model->n_classes + 4) * sizeof(int32_t);
    int16_t *counts = tin_alloc(n, sizeof *counts, &err);
    tin_qrunner *runner = NULL;
    tin_decision_state decision;
    int32_t record[TIN_MAX_CLASSES + 4];
    char *got = NULL;
    size_t size = 0, at = 0;
    assert_non_null(counts);
    random_counts(counts, HOST_FRAMES, model->n_channels, seed);
    must(tin_generate(model, &rule, facts, TEST_TEMPORARY, &err), &err);
    const char *const compile[] = {"gcc",
                                   "-O1",
                                   "-std=c99",
                                   "-Wall",
                                   "-Wextra",
                                   "-Wshadow",
                                   "-Wconversion",
                                   "-pedantic",
                                   "-Werror",
                                   "-fsanitize=address,undefined",
                                   "-fno-sanitize-recover=all",
                                   "-DMODEL=net",
                                   "-DUPPER=NET",
                                   "-DHEADER=\"net.h\"",
                                   "-I",
                                   TEST_TEMPORARY,
                                   "-I",
                                   include,
                                   path_of("net.c"),
                                   TEST_FILES "/driver.c",
                                   "-o",
                                   path_of("net"),
                                   source,
                                   NULL};
    run(compile);
    must(tin_file_write(path_of("frames.bin"), counts, n * sizeof *counts, &err), &err);
    const char *const execute[] = {path_of("net"), path_of("frames.bin"), path_of("results.bin"), NULL};
    run(execute);
    must(tin_file_read(path_of("results.bin"), &got, &size, &err), &err);
    must(tin_qrunner_create(&runner, model, &err), &err);
    tin_decision_reset(&decision);
    for (int t = 0; t < HOST_FRAMES; t++) {
        if (!expected_record(runner, model, &rule, &decision, counts, t, record)) {
            continue;
        }
        assert_true(at + bytes <= size);
        if (memcmp(got + at, record, bytes) != 0) {
            fail_msg("seed %lu: frame %d differs", (unsigned long)seed, t);
        }
        at += bytes;
    }
    assert_int_equal(at, size);
    tin_qrunner_free(runner);
    tin_free(got);
    tin_free(counts);
}

/* Whether the generated source holds these words. */
static inline bool in_code(const char *words)
{
    tin_error err = {0};
    char *text = NULL;
    size_t size = 0;
    must(tin_file_read(path_of("net.c"), &text, &size, &err), &err);
    const bool found = strstr(text, words) != NULL;
    tin_free(text);
    return found;
}

#endif
