/* The fast runner against the interpreter, bit for bit, on random models of every kind and every instruction set that this
 * machine has. */
#include "model_support.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "deploy/random_model.h"
#include "model/replay.h"

static int16_t *interpret(const tin_qmodel *m, const int16_t *counts, int64_t n_frames)
{
    tin_qrunner *runner = NULL;
    tin_error err = {0};
    int16_t *scores = tin_alloc((size_t)(n_frames / m->hop * m->n_classes), sizeof *scores, &err);
    assert_non_null(scores);
    assert_ok(tin_qrunner_create(&runner, m, &err), &err);
    int64_t n = 0;
    for (int64_t t = 0; t < n_frames / m->hop * m->hop; t++)
        n += tin_qrunner_step(runner, counts + t * m->n_channels, scores + n * m->n_classes);
    assert_int_equal(n, n_frames / m->hop);
    tin_qrunner_free(runner);
    return scores;
}

static void expect_scores(const tin_qmodel *m, const int16_t *got, const int16_t *want, int64_t n, const char *where)
{
    for (int64_t i = 0; i < n * m->n_classes; i++) {
        if (got[i] != want[i])
            fail_msg("%s: decision %lld, class %lld: %d, the interpreter says %d", where, (long long)(i / m->n_classes),
                     (long long)(i % m->n_classes), got[i], want[i]);
    }
}

/* In one call; and, after a reset, in parts of random lengths. */
static void compare_level(const tin_qmodel *m, tin_cpu_level level, const int16_t *counts, int64_t n_frames,
                          const int16_t *want, const char *what)
{
    tin_replay *replay = NULL;
    tin_error err = {0};
    char where[128];
    const int64_t n = n_frames / m->hop;
    int16_t *got = tin_alloc((size_t)(n * m->n_classes), sizeof *got, &err);
    assert_non_null(got);
    assert_ok(tin_replay_create(&replay, m, level, &err), &err);
    assert_int_equal(tin_replay_run(replay, counts, n_frames, got), n);
    (void)snprintf(where, sizeof where, "%s, level %d", what, (int)level);
    expect_scores(m, got, want, n, where);
    memset(got, 0x55, (size_t)(n * m->n_classes) * sizeof *got);
    tin_replay_reset(replay);
    tin_rng rng;
    tin_rng_seed(&rng, (uint64_t)n_frames);
    for (int64_t at = 0; at < n;) {
        int64_t part = 1 + (int64_t)tin_rng_below(&rng, 200);
        part = part < n - at ? part : n - at;
        assert_int_equal(
            tin_replay_run(replay, counts + at * m->hop * m->n_channels, part * m->hop, got + at * m->n_classes), part);
        at += part;
    }
    (void)snprintf(where, sizeof where, "%s, level %d, in parts", what, (int)level);
    expect_scores(m, got, want, n, where);
    tin_replay_free(replay);
    tin_free(got);
}

static void compare(const tin_qmodel *m, int64_t n_frames, uint64_t seed, const char *what)
{
    tin_error err = {0};
    int16_t *counts = tin_alloc((size_t)(n_frames * m->n_channels), sizeof *counts, &err);
    assert_non_null(counts);
    random_counts(counts, n_frames, m->n_channels, seed);
    int16_t *want = interpret(m, counts, n_frames);
    for (int level = TIN_CPU_BASELINE; level < TIN_CPU_LEVELS; level++) {
        if (tin_cpu_has((tin_cpu_level)level))
            compare_level(m, (tin_cpu_level)level, counts, n_frames, want, what);
    }
    tin_free(want);
    tin_free(counts);
}

typedef tin_status (*maker)(tin_qmodel **model, uint64_t seed, tin_error *err);

static void compare_made(maker make, int n_seeds, int64_t n_frames, const char *name)
{
    for (uint64_t seed = 1; seed <= (uint64_t)n_seeds; seed++) {
        tin_qmodel *m = NULL;
        tin_error err = {0};
        char what[64];
        (void)snprintf(what, sizeof what, "%s %d", name, (int)seed);
        assert_ok(make(&m, seed, &err), &err);
        compare(m, n_frames + (int64_t)seed, seed, what);
        if (seed % 3 == 0) {
            if (random_model_values(m, (random_values)(seed / 3 % RANDOM_VALUES_COUNT), seed, &err) == TIN_OK)
                compare(m, n_frames / 2, seed, what);
        } else if (seed % 3 == 1 && random_model_powers(m, &err) == TIN_OK) {
            compare(m, n_frames / 2, seed, what);
        }
        tin_qmodel_free(m);
    }
}

static void chains_equal_the_interpreter(void **state)
{
    (void)state;
    compare_made(random_model_any, 120, 700, "chain");
}

static void graphs_equal_the_interpreter(void **state)
{
    (void)state;
    compare_made(random_graph, 200, 700, "graph");
}

static void the_known_networks_equal_the_interpreter(void **state)
{
    (void)state;
    compare_made(random_model_har, 6, 3000, "har");
    compare_made(random_model_motion, 12, 1500, "motion");
    compare_made(random_model_audio, 3, 4000, "audio");
}

/* Widths on both sides of every vector's length, up to the widest, for each kind of layer. */
static void every_width_equals_the_interpreter(void **state)
{
    (void)state;
    static const int widths[] = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 47, 63, 64, 65, 100, 129, 256};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        const int w = widths[i];
        const random_layer layers[] = {{.op = TIN_OP_CONV1D, .units = w, .kernel = 3, .stride = 2, .relu = true},
                                       {.op = TIN_OP_CONV1D, .units = 1, .kernel = 4, .depthwise = true},
                                       {.op = TIN_OP_GRU, .units = w},
                                       {.op = TIN_OP_AVG_POOL, .kernel = 3, .stride = 2},
                                       {.op = TIN_OP_DENSE, .units = w}};
        const random_spec spec = {
            .n_channels = 1 + w % 64, .n_classes = 1 + w % 64, .layers = layers, .n_layers = 5, .extreme = w % 2 == 0};
        tin_qmodel *m = NULL;
        tin_error err = {0};
        char what[32];
        (void)snprintf(what, sizeof what, "width %d", w);
        assert_ok(random_model(&m, &spec, (uint64_t)w, &err), &err);
        compare(m, 600, (uint64_t)w, what);
        tin_qmodel_free(m);
    }
}

static void a_recording_shorter_than_a_decision_gives_none(void **state)
{
    (void)state;
    tin_qmodel *m = NULL;
    tin_replay *replay = NULL;
    tin_error err = {0};
    int16_t counts[3 * 6] = {0};
    assert_ok(random_model_har(&m, 1, &err), &err);
    assert_ok(tin_replay_create(&replay, m, TIN_REPLAY_BEST, &err), &err);
    assert_int_equal(m->hop, 4);
    assert_int_equal(tin_replay_run(replay, counts, 3, NULL), 0);
    assert_int_equal(tin_replay_run(replay, NULL, 0, NULL), 0);
    tin_replay_free(replay);
    tin_qmodel_free(m);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    maker makers[] = {random_model_har, random_model_motion, random_model_any, random_graph};
    for (size_t i = 0; i < 4; i++) {
        tin_qmodel *m = NULL;
        assert_int_equal(makers[i](&m, 7, NULL), TIN_OK);
        for (size_t n = 1;; n++) {
            tin_replay *replay = NULL;
            tin_memory_fail_at(n);
            const tin_status status = tin_replay_create(&replay, m, TIN_REPLAY_BEST, NULL);
            tin_memory_fail_at(0);
            tin_replay_free(replay);
            if (status == TIN_OK) {
                assert_true(n > 4);
                break;
            }
            assert_int_equal(status, TIN_ERR_MEMORY);
            assert_null(replay);
        }
        tin_qmodel_free(m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chains_equal_the_interpreter),
        cmocka_unit_test(graphs_equal_the_interpreter),
        cmocka_unit_test(the_known_networks_equal_the_interpreter),
        cmocka_unit_test(every_width_equals_the_interpreter),
        cmocka_unit_test(a_recording_shorter_than_a_decision_gives_none),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("replay", tests, NULL, NULL);
}
