/* What docs/proofs.md says of generated code, by the script that users run: over every op and every encoding; and that the
 * script finds what is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "deploy/fixture.h"

#define PROVE TEST_FILES "/../../../scripts/prove.sh"

typedef struct proven {
    const char *name; /* of the model, and in a failure */
    enum { CHAIN, WINDOWS, GRAPH, MOTION } shape;
    uint64_t seed; /* of a graph */
    random_values values;
    const char *optimize, *expected; /* the encoding that the head names, or NULL */
    const char *machines[3];         /* of Frama-C, beside one with ints of 32 bits */
    const char *schedule, *target;   /* NULL: earliest, m4; for the m0 multipliers are powers of two */
} proven;

static const proven models[] = {
    {"plain_chain", CHAIN, 0, RANDOM_ANY, "plain", NULL, .machines = {"x86_16", "ppc_32"}},
    {"t2_chain", CHAIN, 0, RANDOM_ANY, "balanced", "t2", .machines = {"x86_16", "x86_64"}},
    {"t43_chain", CHAIN, 0, RANDOM_ANY, "speed", "t43", .machines = {"x86_16"}},
    {"n4_chain", CHAIN, 0, RANDOM_INT4, "size", "n4", .machines = {"x86_16"}},
    {"book_chain", CHAIN, 0, RANDOM_BOOK, "size", "book", .machines = {"x86_16"}},
    {"sparse_chain", CHAIN, 0, RANDOM_SPARSE_75, "size", "sparse", .machines = {"x86_16", "ppc_32"}},
    {"spread_chain", CHAIN, 0, RANDOM_ANY, "balanced", "t2", .machines = {"x86_16"}, .schedule = "spread"},
    {"shift_chain", CHAIN, 0, RANDOM_ANY, "balanced", NULL, .machines = {"x86_16", "ppc_32"}, .target = "m0"},
    {"vector_chain", CHAIN, 0, RANDOM_ANY, "balanced", "v16", .machines = {"x86_16"}, .target = "m55"},
    {"windows", WINDOWS, 0, RANDOM_ANY, "balanced", NULL, .machines = {"x86_16"}},
    {"gates", GRAPH, 3, RANDOM_ANY, "balanced", NULL,
     .machines = {NULL}}, /* mgu, lstm, gru, min_gru, add, concat, max_pool */
    {"spectra", GRAPH, 17, RANDOM_ANY, "balanced", NULL, .machines = {"x86_16", "ppc_32"}}, /* log_energy, log_mel */
    {"motions", MOTION, 3, RANDOM_ANY, "balanced", NULL, .machines = {"x86_16"}},           /* and those of movement */
    {"averages", GRAPH, 14, RANDOM_ANY, "balanced", NULL, .machines = {"x86_16"}},          /* ema, multiply */
};
#define N_MODELS (sizeof models / sizeof models[0])

/* conv1d strided, dilated, depthwise, and a gru: small, since each is analysed on several machines. */
static tin_status chain(tin_qmodel **model, tin_error *err)
{
    static const random_layer layers[] = {
        {.op = TIN_OP_CONV1D, .units = 5, .kernel = 3, .stride = 2, .relu = true},
        {.op = TIN_OP_CONV1D, .units = 2, .kernel = 2, .depthwise = true},
        {.op = TIN_OP_CONV1D, .units = 6, .kernel = 2, .dilation = 3},
        {.op = TIN_OP_GRU, .units = 6},
    };
    const random_spec spec = {.n_channels = 3, .n_classes = 4, .layers = layers, .n_layers = 4, .event_every = 2};
    return random_model(model, &spec, 5, err);
}

/* Pools that keep sums, rings and maxima, and a history that moves seldom. */
static tin_status windows(tin_qmodel **model, tin_error *err)
{
    static const random_layer layers[] = {
        {.op = TIN_OP_AVG_POOL, .kernel = 12, .stride = 3},
        {.op = TIN_OP_CONV1D, .units = 4, .kernel = 3, .dilation = 20},
        {.op = TIN_OP_AVG_POOL, .kernel = 2, .stride = 2},
        {.op = TIN_OP_MAX_POOL, .units = 4, .kernel = 3, .stride = 3},
    };
    const random_spec spec = {.n_channels = 3, .n_classes = 3, .layers = layers, .n_layers = 4, .event_every = 2};
    return random_model(model, &spec, 6, err);
}

static tin_qmodel *make(const proven *p)
{
    tin_error err = {0};
    tin_qmodel *model = NULL;
    must(p->shape == CHAIN     ? chain(&model, &err)
         : p->shape == WINDOWS ? windows(&model, &err)
         : p->shape == MOTION  ? random_model_motion(&model, p->seed, &err)
                               : random_graph(&model, p->seed, &err),
         &err);
    if (p->values != RANDOM_ANY) {
        must(random_model_values(model, p->values, 1, &err), &err);
    }
    if (p->target != NULL && strcmp(p->target, "m0") == 0) {
        must(random_model_powers(model, &err), &err);
    }
    return model;
}

/* NAME.c, NAME.h; returns the path of NAME.c. */
static const char *generate(const proven *p)
{
    static char source[64];
    tin_error err = {0};
    tin_generate_facts facts = facts_of(p->name);
    tin_decision_rule rule = common_rule(300, 200, 2, 30);
    if (p->shape == CHAIN) { /* all that a rule can have */
        rule.smooth_shift = 3;
        rule.on[0] = 250;
        rule.lead = 100;
        rule.of = 4;
        rule.min_length = 6;
    }
    if (p->shape == WINDOWS) {
        rule.lead = 100; /* beside one threshold, and not smoothed */
    }
    tin_qmodel *model = make(p);
    facts.optimize = p->optimize;
    facts.schedule = p->schedule;
    facts.target = p->target != NULL ? p->target : facts.target;
    must(tin_generate(model, &rule, &facts, TEST_TEMPORARY, &err), &err);
    tin_qmodel_free(model);
    (void)snprintf(source, sizeof source, "%s.c", p->name);
    return path_of(source);
}

static void test_models_cover_ops_and_encodings(void **state)
{
    (void)state;
    bool seen[TIN_OP_COUNT] = {false};
    for (size_t i = 0; i < N_MODELS; i++) {
        tin_error err = {0};
        tin_qmodel *model = make(&models[i]);
        for (int l = 0; l < model->n_layers; l++) {
            seen[model->layers[l].op] = true;
        }
        tin_qmodel_free(model);
        if (models[i].expected != NULL) {
            char *text = NULL, wanted[64];
            size_t size = 0;
            (void)snprintf(wanted, sizeof wanted, "weights packed as %s", models[i].expected);
            must(tin_file_read(generate(&models[i]), &text, &size, &err), &err);
            assert_non_null(strstr(text, wanted));
            tin_free(text);
        }
    }
    static const tin_op ops[] = {
        TIN_OP_CONV1D,     TIN_OP_DENSE,   TIN_OP_AVG_POOL,     TIN_OP_MAX_POOL,  TIN_OP_GRU,        TIN_OP_LSTM,
        TIN_OP_MGU,        TIN_OP_MIN_GRU, TIN_OP_ADD,          TIN_OP_MULTIPLY,  TIN_OP_CONCAT,     TIN_OP_EMA,
        TIN_OP_LOG_ENERGY, TIN_OP_LOG_MEL, TIN_OP_LOG_VARIANCE, TIN_OP_HIGH_PASS, TIN_OP_DIFFERENCE, TIN_OP_MAGNITUDE};
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        if (!seen[ops[i]]) {
            fail_msg("no model has %s", tin_op_name(ops[i]));
        }
    }
}

/* Exit code and words of the script. */
static int prove(const char *what, const char *source, const char *const machines[3], char words[4096])
{
    tin_error err = {0};
    tin_process_result result = {0};
    const char *argv[] = {"sh", PROVE, what, source, NULL, NULL, NULL, NULL};
    for (int i = 0; machines != NULL && i < 3; i++) {
        argv[4 + i] = machines[i];
    }
    must(tin_process_run(argv, 300, &result, &err), &err);
    (void)snprintf(words, 4096, "%s", result.errors);
    const int code = result.exit_code;
    tin_process_free(&result);
    return code;
}

static void holds(const char *what, const char *source, const char *const machines[3])
{
    char words[4096];
    if (prove(what, source, machines, words) != 0) {
        fail_msg("%s: %s", what, words);
    }
}

/* Any frames, without an end: Eva reaches a fixpoint with no alarm. */
static void test_no_undefined_behaviour(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_MODELS; i++) {
        static const char *const usual[3] = {"x86_32"};
        const char *source = generate(&models[i]);
        holds("undefined", source, usual);
        if (models[i].machines[0] != NULL) {
            holds("undefined", source, models[i].machines);
        }
    }
}

static void test_misra_list_is_complete(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_MODELS; i++) {
        holds("misra", generate(&models[i]), NULL);
    }
}

static void test_no_warnings(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_MODELS; i++) {
        holds("warnings", generate(&models[i]), NULL);
    }
}

/* Changes one piece of the source; the script must fail and say the word. */
static void found(const char *what, const char *before, const char *after, const char *word)
{
    tin_error err = {0};
    char *text = NULL, words[4096];
    size_t size = 0;
    const char *const machines[3] = {"x86_32"};
    const char *source = generate(&models[0]);
    must(tin_file_read(source, &text, &size, &err), &err);
    const char *at = strstr(text, before);
    assert_non_null(at);
    FILE *to = fopen(source, "w");
    assert_non_null(to);
    (void)fprintf(to, "%.*s%s%s", (int)(at - text), text, after, at + strlen(before));
    assert_int_equal(fclose(to), 0);
    tin_free(text);
    assert_int_equal(prove(what, source, strcmp(what, "undefined") == 0 ? machines : NULL, words), 1);
    if (strstr(words, word) == NULL) {
        fail_msg("\"%s\" is not in: %s", word, words);
    }
}

static void test_what_is_wrong_is_found(void **state)
{
    (void)state;
    found("undefined", "memset(s, 0, sizeof *s)", "memset(s, 0, sizeof *s + 1)", "memset");
    found("undefined", "    memset(s, 0, sizeof *s);\n", "", "accessing uninitialized");
    found("undefined", "conv1d_1_bias[8] = {\n    ", "conv1d_1_bias[8] = {\n    2147483647 + 0 * ", "signed overflow");
    found("undefined", "    s->decision.active = -1;\n",
          "    s->decision.active = -1;\n    s->decision.active = 5 / s->decision.wait;\n", "division by zero");
    found("misra", "    return 1;\n", "    goto end;\nend:\n    return 1;\n", "misra-c2012-15.1");
    found("misra", "    return 1;\n", "    if (out->active == out->active) { out->active = 0; }\n    return 1;\n",
          "duplicateExpression");
    found("warnings", "    return 1;\n", "    uint16_t spare = 0;\n    return 1;\n", "spare");
}

/* The comment above a layer states the bound that the check holds against int32. */
static void test_bound_of_sums_is_stated(void **state)
{
    (void)state;
    tin_error err = {0};
    char *text = NULL, wanted[80];
    size_t size = 0;
    tin_qmodel *model = make(&models[0]);
    const tin_qlayer *l = &model->layers[0];
    int64_t most = 0;
    for (int row = 0; row < 5; row++) {
        int64_t sum = l->bias[row] < 0 ? -(int64_t)l->bias[row] : l->bias[row];
        for (int i = 0; i < 9; i++) {
            const int w = l->weight[row * 9 + i];
            sum += 127 * (w < 0 ? -w : w);
        }
        most = sum > most ? sum : most;
    }
    assert_int_equal(tin_qmodel_sum_bound(model, 0, false), most);
    assert_int_equal(tin_qmodel_sum_bound(model, 0, true), 0);
    int left = 31;
    while (most << (l->shift + left) >= INT64_C(1) << 31) {
        left--;
    }
    (void)snprintf(wanted, sizeof wanted, "sums at most %lld * 2^%d, bits left: %d", (long long)most, l->shift, left);
    must(tin_file_read(generate(&models[0]), &text, &size, &err), &err);
    assert_non_null(strstr(text, wanted));
    assert_non_null(strstr(text, "; on the state "));
    tin_free(text);
    tin_qmodel_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_models_cover_ops_and_encodings),
        cmocka_unit_test(test_bound_of_sums_is_stated),
        cmocka_unit_test(test_no_warnings),
        cmocka_unit_test(test_misra_list_is_complete),
        cmocka_unit_test(test_what_is_wrong_is_found),
        cmocka_unit_test(test_no_undefined_behaviour),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
