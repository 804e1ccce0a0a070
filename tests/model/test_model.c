#include "model_support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/rng.h"

#define PATH TEST_TEMPORARY "/model"

static const tin_layer_spec har[] = {
    {.op = TIN_OP_CONV1D, .units = 16, .kernel = 5, .stride = 2},
    {.op = TIN_OP_BATCH_NORM},
    {.op = TIN_OP_RELU},
    {.op = TIN_OP_CONV1D, .units = 24, .kernel = 5, .stride = 2},
    {.op = TIN_OP_RELU},
    {.op = TIN_OP_DROPOUT, .rate = 0.1f},
    {.op = TIN_OP_MASK, .bands = 3, .rows = 5, .count = 2},
    {.op = TIN_OP_GRU, .units = 24},
    {.op = TIN_OP_DENSE},
};
#define N_HAR ((int)(sizeof har / sizeof *har))

static tin_model *make_har(void)
{
    test_dataset d;
    tin_model *m = NULL;
    tin_error err = {0};
    test_dataset_fill(&d, 6, 6);
    assert_ok(tin_model_create(&m, &d.dataset, har, N_HAR, &err), &err);
    tin_model_initialise(m, 42);
    return m;
}

static void op_names_go_both_ways(void **state)
{
    (void)state;
    for (int op = 0; op < TIN_OP_COUNT; op++)
        assert_int_equal(tin_op_from_name(tin_op_name((tin_op)op)), op);
    assert_int_equal(tin_op_from_name("transformer"), TIN_OP_COUNT);
    assert_int_equal(tin_op_from_name(NULL), TIN_OP_COUNT);
}

static void shapes_are_resolved(void **state)
{
    (void)state;
    tin_model *m = make_har();
    assert_int_equal(m->hop, 4);
    assert_int_equal(m->layers[8].n_outputs, 6);
    assert_int_equal(m->layers[3].params[0].shape[1], 16);
    assert_true(tin_model_macs(m) == 6480 + 2 * 16); /* TARGETS' network plus the batch_norm */
    size_t trainable = 16 * 6 * 5 + 16 + 32 + 24 * 16 * 5 + 24 + 72 * 48 + 144 + 24 * 6 + 6;
    assert_int_equal(tin_model_trainable(m), trainable);
    assert_int_equal(m->n_params, trainable + 32); /* running statistics */
    tin_model_free(m);
}

static void depthwise_reads_its_own_input(void **state)
{
    (void)state;
    test_dataset d;
    tin_model *m = NULL;
    test_dataset_fill(&d, 3, 2);
    const tin_layer_spec layers[] = {{.op = TIN_OP_CONV1D, .kernel = 2, .depthwise = true},
                                     {.op = TIN_OP_CONV1D, .units = 6, .kernel = 2, .depthwise = true},
                                     {.op = TIN_OP_DENSE}};
    assert_int_equal(tin_model_create(&m, &d.dataset, layers, 3, NULL), TIN_OK);
    assert_int_equal(m->layers[0].n_outputs, 3);
    assert_int_equal(m->layers[1].groups, 3);
    assert_int_equal(m->layers[1].params[0].shape[1], 1);
    assert_true(tin_model_macs(m) == 3 * 2 + 6 * 2 + 6 * 2);
    tin_model_free(m);
}

static void wrong_layers_are_refused_with_the_mend(void **state)
{
    (void)state;
    static const struct {
        tin_layer_spec first;
        const char *word;
    } cases[] = {
        {{.op = TIN_OP_CONV1D, .kernel = 3}, "units is 0; use 1 to 256"},
        {{.op = TIN_OP_GRU, .units = 257}, "units is 257"},
        {{.op = TIN_OP_GRU, .units = -1}, "units is -1"},
        {{.op = TIN_OP_CONV1D, .units = 4, .kernel = -1}, "kernel is -1"},
        {{.op = TIN_OP_CONV1D, .units = 4, .stride = 1025}, "stride is 1025"},
        {{.op = TIN_OP_CONV1D, .units = 4, .kernel = 200, .dilation = 100}, "span 19901 rows"},
        {{.op = TIN_OP_CONV1D, .units = 4, .kernel = 16384, .dilation = 16384}, "span"},
        {{.op = TIN_OP_CONV1D, .units = 7, .depthwise = true}, "multiple of its inputs"},
        {{.op = TIN_OP_DENSE, .units = 4, .depthwise = true}, "depthwise is 1"},
        {{.op = TIN_OP_DENSE, .units = 4, .kernel = 3}, "kernel is 3"},
        {{.op = TIN_OP_GRU, .units = 4, .stride = 2}, "stride is 2"},
        {{.op = TIN_OP_AVG_POOL, .kernel = 2, .dilation = 2}, "dilation is 2"},
        {{.op = TIN_OP_RELU, .units = 9}, "keeps the width"},
        {{.op = TIN_OP_DROPOUT, .rate = 0.96f}, "rate is 0.96"},
        {{.op = TIN_OP_DROPOUT, .rate = NAN}, "rate is"},
        {{.op = TIN_OP_RELU, .rate = 0.5f}, "rate is 0.5"},
        {{.op = TIN_OP_GRU, .units = 2, .shift = 3}, "shift is 3"},
        {{.op = TIN_OP_EMA}, "shift is 0"},
        {{.op = TIN_OP_EMA, .shift = 13}, "shift is 13"},
        {{.op = TIN_OP_LSTM, .units = 2, .reset_before = true}, "reset_before is 1"},
        {{.op = TIN_OP_MASK, .bands = 300, .count = 1}, "bands is 300"},
        {{.op = TIN_OP_MASK, .rows = -1, .count = 1}, "rows is -1"},
        {{.op = TIN_OP_MASK}, "count is 0"},
        {{.op = TIN_OP_RELU, .rows = 2}, "rows is 2"},
        {{.op = TIN_OP_RELU, .levels = 2}, "levels is 2"},
        {{.op = TIN_OP_MIN_GRU, .units = 2, .kernel = 3}, "kernel is 3"},
        {{.op = TIN_OP_RELU, .name = "a-b"}, "its name is \"a-b\""},
        {{.op = TIN_OP_RELU, .name = "a_name_of_32_characters_is_too_lo"}, "use 1 to 31 letters"},
        {{.op = TIN_OP_RELU, .name = "input"}, "\"input\" is taken"},
        {{.op = TIN_OP_RELU, .from = {"dense_2"}, .n_from = 1}, "no layer before it"},
        {{.op = TIN_OP_RELU, .from = {"input", "input"}, .n_from = 2}, "name one"},
        {{.op = TIN_OP_ADD}, "name two or more"},
        {{.op = TIN_OP_MULTIPLY, .from = {"input", "input", "input"}, .n_from = 3}, "name two"},
        {{.op = TIN_OP_CONCAT, .from = {"input"}, .n_from = TIN_MAX_FROM + 1}, "name at most 8"},
        {{.op = TIN_OP_COUNT}, "unknown op"},
        {{.op = (tin_op)-1}, "unknown op"},
    };
    test_dataset d;
    test_dataset_fill(&d, 6, 3);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const tin_layer_spec layers[2] = {cases[i].first, {.op = TIN_OP_DENSE}};
        tin_model *m = NULL;
        tin_error err = {0};
        assert_int_equal(tin_model_create(&m, &d.dataset, layers, 2, &err), TIN_ERR_MODEL);
        assert_null(m);
        if (!strstr(err.message, cases[i].word) || strncmp(err.message, "layer 1", 7) != 0)
            fail_msg("case %zu: %s", i, err.message);
    }
}

static void expect_refused(const tin_dataset *d, const tin_layer_spec *layers, int n, const char *word)
{
    tin_model *m = NULL;
    tin_error err = {0};
    assert_int_equal(tin_model_create(&m, d, layers, n, &err), TIN_ERR_MODEL);
    assert_null(m);
    if (!strstr(err.message, word))
        fail_msg("%s", err.message);
}

static void wrong_models_are_refused(void **state)
{
    (void)state;
    static tin_layer_spec deep[TIN_MAX_LAYERS + 1], large[10];
    test_dataset d;
    test_dataset_fill(&d, 6, 3);
    for (int i = 0; i <= TIN_MAX_LAYERS; i++)
        deep[i] = (tin_layer_spec){.op = i == TIN_MAX_LAYERS ? TIN_OP_DENSE : TIN_OP_AVG_POOL, .stride = 2};
    for (int i = 0; i < 10; i++)
        large[i] = (tin_layer_spec){.op = TIN_OP_CONV1D, .units = 256, .kernel = 100};
    expect_refused(&d.dataset, NULL, 0, "0 layers");
    expect_refused(&d.dataset, deep, TIN_MAX_LAYERS + 1, "65 layers");
    expect_refused(&d.dataset, deep, 20, "strides multiply");
    expect_refused(&d.dataset, large, 10, "weights by now");
    expect_refused(&d.dataset, (tin_layer_spec[]){{.op = TIN_OP_DENSE, .units = 4}}, 1, "one output per class (3)");
    expect_refused(&d.dataset, (tin_layer_spec[]){{.op = TIN_OP_GRU, .units = 3}}, 1, "must be dense");
    d.dataset.n_channels = TIN_MAX_CHANNELS + 1;
    expect_refused(&d.dataset, har, N_HAR, "65 channels");
    d.dataset.n_channels = 6;
    d.dataset.rate_hz = NAN;
    expect_refused(&d.dataset, har, N_HAR, "rate_hz");
}

#define FROM(...) .from = {__VA_ARGS__}, .n_from = (int)(sizeof(const char *[]){__VA_ARGS__} / sizeof(const char *))

static void graphs_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    test_dataset d;
    test_dataset_fill(&d, 4, 3);
    const tin_layer_spec slow = {.op = TIN_OP_CONV1D, .units = 4, .stride = 2, .name = "slow"};
    const tin_layer_spec wide = {.op = TIN_OP_DENSE, .units = 200, .name = "wide"}, end = {.op = TIN_OP_DENSE};
    expect_refused(&d.dataset, (tin_layer_spec[]){slow, {.op = TIN_OP_ADD, FROM("slow", "input")}, end}, 3,
                   "layer 2 (add): it reads rows every 2 and every 1 frames; give both ways the same strides");
    expect_refused(&d.dataset, (tin_layer_spec[]){wide, {.op = TIN_OP_ADD, FROM("wide", "input")}, end}, 3,
                   "layer 2 (add): it reads rows of 200 and of 4 values");
    expect_refused(&d.dataset, (tin_layer_spec[]){wide, {.op = TIN_OP_CONCAT, FROM("wide", "wide")}, end}, 3,
                   "layer 2 (concat): it reads 400 values; keep it at or below 256");
    expect_refused(&d.dataset, (tin_layer_spec[]){slow, {.op = TIN_OP_DENSE, FROM("input")}}, 2,
                   "layer 1 (conv1d): no layer reads \"slow\"; name it in the from of one, or take it out");
    expect_refused(&d.dataset, (tin_layer_spec[]){wide, {.op = TIN_OP_AVG_POOL, .kernel = 5001}, end}, 3,
                   "layer 2 (avg_pool): it keeps 5001 rows of 200 values; use a smaller kernel or dilation");
    expect_refused(&d.dataset, (tin_layer_spec[]){slow, slow, end}, 3, "layer 2: the name \"slow\" is taken");
}

static void a_graph_is_resolved(void **state)
{
    (void)state;
    test_dataset d;
    tin_model *m = NULL;
    int reader = -1;
    test_dataset_fill(&d, 4, 3);
    const tin_layer_spec layers[] = {{.op = TIN_OP_CONV1D, .units = 6, .kernel = 3, .stride = 2},
                                     {.op = TIN_OP_RELU},
                                     {.op = TIN_OP_MAX_POOL, .kernel = 4, .stride = 3},
                                     {.op = TIN_OP_CONV1D, .units = 5, .stride = 3, FROM("relu_2"), .name = "other"},
                                     {.op = TIN_OP_CONCAT, FROM("max_pool_3", "other")},
                                     {.op = TIN_OP_DENSE}};
    assert_int_equal(tin_model_create(&m, &d.dataset, layers, 6, NULL), TIN_OK);
    assert_int_equal(m->hop, 6);
    assert_true(m->layers[1].period == 2 && m->layers[3].period == 6 && m->layers[3].from[0] == 1);
    assert_true(m->layers[4].n_inputs == 11 && m->layers[4].from[0] == 2 && m->layers[4].from[1] == 3);
    assert_int_equal(tin_model_readers(m, 1, &reader), 2);
    assert_int_equal(reader, 3);
    assert_int_equal(tin_model_activation(m, 0), 1);
    assert_int_equal(tin_model_activation(m, 3), -1);
    /* 3 runs of the first convolution per decision, one of the other layers */
    assert_true(tin_model_macs(m) == 3 * 6 * 12 + 5 * 6 + 3 * 11);
    tin_model_free(m);
}

static void weights_start_within_pytorchs_bounds(void **state)
{
    (void)state;
    tin_model *a = make_har(), *b = make_har();
    assert_memory_equal(a->params, b->params, a->n_params * sizeof(float));
    tin_model_initialise(b, 43);
    assert_memory_not_equal(a->params, b->params, a->n_params * sizeof(float));
    for (int i = 0; i < a->n_layers; i++) {
        const tin_layer *l = &a->layers[i];
        if (l->op == TIN_OP_BATCH_NORM)
            continue;
        double fan = l->op == TIN_OP_GRU ? l->n_outputs : l->n_inputs * l->kernel, top = 0;
        for (int p = 0; p < l->n_params; p++) {
            for (size_t j = 0; j < l->params[p].size; j++)
                top = fmax(top, fabs((double)a->params[l->params[p].offset + j]));
        }
        assert_true(l->n_params == 0 || (top <= 1 / sqrt(fan) && top > 0.9 / sqrt(fan)));
    }
    const tin_param *var = &a->layers[1].params[3];
    assert_true(!var->trainable && a->params[var->offset] == 1.0f && a->params[a->layers[1].params[0].offset] == 1.0f);
    tin_model_free(a);
    tin_model_free(b);
}

static void input_is_scaled_by_training_streams_only(void **state)
{
    (void)state;
    test_dataset d;
    tin_model *m = NULL;
    const int16_t train[] = {10, 5, 14, 5, 30000, 5, -30000, 5}, test[] = {32767, 32767};
    tin_stream streams[2] = {{.role = TIN_ROLE_TEST, .n_frames = 1, .counts = test},
                             {.role = TIN_ROLE_TRAIN, .n_frames = 4, .counts = train}};
    test_dataset_fill(&d, 2, 2);
    d.dataset.streams = streams;
    d.dataset.n_streams = 2;
    assert_int_equal(tin_model_create(&m, &d.dataset, (tin_layer_spec[]){{.op = TIN_OP_DENSE}}, 1, NULL), TIN_OK);
    assert_int_equal(tin_model_fit_input(m, &d.dataset, NULL), TIN_OK);
    assert_int_equal(m->input.offset[0], 6);
    double deviation = sqrt((100.0 + 196 + 2 * 9e8) / 4 - 36);
    assert_true(fabs((double)m->input.scale[0] * deviation - 1) < 1e-6);
    assert_int_equal(m->input.offset[1], 5); /* a channel that never moves */
    assert_true(m->input.scale[1] == 1.0f);
    streams[1].role = TIN_ROLE_VALIDATION;
    assert_int_equal(tin_model_fit_input(m, &d.dataset, NULL), TIN_ERR_DATA);
    d.dataset.n_channels = 1;
    assert_int_equal(tin_model_fit_input(m, &d.dataset, NULL), TIN_ERR_MODEL);
    tin_model_free(m);
}

static void folding_refuses_what_it_cannot_fold(void **state)
{
    (void)state;
    test_dataset d;
    test_dataset_fill(&d, 4, 3);
    const tin_layer_spec first[] = {{.op = TIN_OP_BATCH_NORM}, {.op = TIN_OP_DENSE}};
    const tin_layer_spec behind_gru[] = {
        {.op = TIN_OP_GRU, .units = 3}, {.op = TIN_OP_BATCH_NORM}, {.op = TIN_OP_DENSE}};
    const tin_layer_spec *bad[2] = {first, behind_gru};
    for (int i = 0; i < 2; i++) {
        tin_model *m = NULL, *folded = NULL;
        tin_error err = {0};
        assert_int_equal(tin_model_create(&m, &d.dataset, bad[i], 2 + i, NULL), TIN_OK);
        assert_int_equal(tin_model_fold(&folded, m, &err), TIN_ERR_MODEL);
        assert_null(folded);
        assert_non_null(strstr(err.message, "move it there"));
        tin_model_free(m);
    }
}

/* ---- files ---- */

static void a_saved_model_comes_back(void **state)
{
    (void)state;
    tin_model *m = make_har(), *back = NULL;
    tin_error err = {0};
    char first[65], second[65];
    m->input.offset[2] = -123;
    m->input.scale[2] = 0.1f;
    assert_ok(tin_model_save(m, PATH, &err), &err);
    assert_ok(tin_model_load(&back, PATH, &err), &err);
    assert_int_equal(back->n_layers, m->n_layers);
    assert_int_equal(back->hop, m->hop);
    assert_true(back->layers[5].rate == m->layers[5].rate);
    assert_true(back->layers[6].bands == 3 && back->layers[6].rows == 5 && back->layers[6].count == 2);
    assert_memory_equal(back->params, m->params, m->n_params * sizeof(float));
    assert_memory_equal(&back->input, &m->input, sizeof m->input);
    assert_true(back->classes[1].event && !back->classes[0].event);
    assert_string_equal(back->channels[0].unit, "g");
    assert_int_equal(tin_hash_file(PATH ".json", first, NULL), TIN_OK);
    assert_ok(tin_model_save(back, PATH, &err), &err); /* same model, same bytes */
    assert_int_equal(tin_hash_file(PATH ".json", second, NULL), TIN_OK);
    assert_string_equal(first, second);
    tin_model_free(m);
    tin_model_free(back);
}

/* Replaces `from` by `to` in the description and expects the load to fail with `word`. */
static void expect_edit_refused(const char *text, const char *from, const char *to, tin_status status, const char *word)
{
    tin_model *m = NULL;
    tin_error err = {0};
    const char *at = strstr(text, from);
    char *edited = malloc(strlen(text) + strlen(to) + 1);
    assert_non_null(edited);
    assert_non_null(at);
    sprintf(edited, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    write_bytes(PATH ".json", edited, strlen(edited));
    free(edited);
    assert_int_equal(tin_model_load(&m, PATH, &err), status);
    assert_null(m);
    if (!strstr(err.message, word))
        fail_msg("%s -> %s: %s", from, to, err.message);
}

static void an_edited_description_is_refused(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    tin_model *m = make_har();
    assert_int_equal(tin_model_save(m, PATH, NULL), TIN_OK);
    assert_int_equal(tin_file_read(PATH ".json", &text, &size, NULL), TIN_OK);
    expect_edit_refused(text, "tinamou-model", "other", TIN_ERR_FORMAT, "format");
    expect_edit_refused(text, "\"version\": 1", "\"version\": 2", TIN_ERR_FORMAT, "version");
    expect_edit_refused(text, "\"rate_hz\": 50.0", "\"rate_hz\": \"50\"", TIN_ERR_FORMAT, "rate_hz");
    expect_edit_refused(text, "\"rate_hz\": 50.0", "\"rate_hz\": -1", TIN_ERR_MODEL, "rate_hz");
    expect_edit_refused(text, "\"unit\": \"g\"", "\"unit\": 1", TIN_ERR_FORMAT, "channel 0");
    expect_edit_refused(text, "\"event\": true", "\"event\": 1", TIN_ERR_FORMAT, "class 1");
    expect_edit_refused(text, "\"op\": \"conv1d", "\"op\": \"conv9d", TIN_ERR_FORMAT, "conv9d");
    expect_edit_refused(text, "\"kernel\": 5", "\"kernel\": 3", TIN_ERR_FORMAT, "is F32 [16, 6, 5] but F32 [16, 6, 3]");
    expect_edit_refused(text, "\"kernel\": 5", "\"kernel\": 99999999999", TIN_ERR_FORMAT, "whole number");
    expect_edit_refused(text, "\"inputs\": 16", "\"inputs\": 15", TIN_ERR_FORMAT, "do not follow");
    expect_edit_refused(text, "\"groups\": 1", "\"groups\": 2", TIN_ERR_MODEL, "multiple of its inputs");
    expect_edit_refused(text, "\"hop\": 4", "\"hop\": 8", TIN_ERR_FORMAT, "hop");
    expect_edit_refused(text, "\"scale\": [\n      1.0", "\"scale\": [\n      0.0", TIN_ERR_FORMAT, "scale 0");
    expect_edit_refused(text, "\"offset\": [\n      0", "\"offset\": [\n      40000", TIN_ERR_FORMAT, "fits int16");
    expect_edit_refused(text, "\"offset\": [\n      0,", "\"offset\": [\n", TIN_ERR_FORMAT, "list of 6 to 6");
    expect_edit_refused(text, "\"from\": [\n        \"input\"", "\"from\": [\n        \"nobody\"", TIN_ERR_MODEL,
                        "no layer before it");
    expect_edit_refused(text, "\"from\": [\n        \"input\"", "\"from\": [\n        1", TIN_ERR_FORMAT,
                        "names of layers");
    expect_edit_refused(text, "\"from\": [\n        \"input\"", "\"from\": [\n", TIN_ERR_FORMAT, "list of 1 to 8");
    expect_edit_refused(text, "\"reset_before\": false", "\"reset_before\": 0", TIN_ERR_FORMAT, "reset_before");
    expect_edit_refused(text, "\"tensors_sha256\": \"", "\"tensors_sha256\": \"0", TIN_ERR_FORMAT, "SHA-256");
    tin_free(text);
    tin_model_free(m);
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    static const char *const extensions[] = {".json", ".safetensors"};
    tin_model *m = NULL;
    test_dataset d;
    test_dataset_fill(&d, 2, 2);
    assert_int_equal(tin_model_create(&m, &d.dataset, (tin_layer_spec[]){{.op = TIN_OP_DENSE}}, 1, NULL), TIN_OK);
    for (int e = 0; e < 2; e++) {
        char *bytes = NULL;
        size_t size = 0;
        const char *path = test_path(TEST_TEMPORARY, "model", extensions[e]);
        assert_int_equal(tin_model_save(m, PATH, NULL), TIN_OK);
        assert_int_equal(tin_file_read(path, &bytes, &size, NULL), TIN_OK);
        for (size_t n = 0; n + 1 < size; n++) { /* the last byte of the .json is a newline */
            tin_model *back = NULL;
            write_bytes(path, bytes, n);
            assert_int_equal(tin_model_load(&back, PATH, NULL), TIN_ERR_FORMAT);
            assert_null(back);
        }
        tin_free(bytes);
    }
    tin_model_free(m);
}

static void flipped_bytes_do_no_harm(void **state)
{
    (void)state;
    char *bytes = NULL;
    size_t size = 0;
    tin_rng rng;
    tin_model *m = make_har();
    assert_int_equal(tin_model_save(m, PATH, NULL), TIN_OK);
    assert_int_equal(tin_file_read(PATH ".json", &bytes, &size, NULL), TIN_OK);
    tin_rng_seed(&rng, 2);
    for (int i = 0; i < 2000; i++) {
        tin_model *back = NULL;
        size_t at = tin_rng_below(&rng, (uint32_t)size);
        char before = bytes[at];
        bytes[at] ^= (char)(1u << tin_rng_below(&rng, 8));
        write_bytes(PATH ".json", bytes, size);
        tin_error err = {0};
        if (tin_model_load(&back, PATH, &err))
            assert_true(err.message[0] != 0);
        else
            assert_true(isfinite(tin_model_macs(back)));
        tin_model_free(back);
        bytes[at] = before;
    }
    tin_free(bytes);
    tin_model_free(m);
}

static void weights_that_are_no_numbers_are_refused(void **state)
{
    (void)state;
    tin_model *m = make_har(), *back = NULL;
    tin_error err = {0};
    m->params[7] = NAN;
    assert_int_equal(tin_model_save(m, PATH, NULL), TIN_OK);
    assert_int_equal(tin_model_load(&back, PATH, &err), TIN_ERR_FORMAT);
    assert_non_null(strstr(err.message, "layers.0.weight\": value 7 is"));
    m->params[7] = 0;
    m->params[m->layers[1].params[3].offset] = -1;
    assert_int_equal(tin_model_save(m, PATH, NULL), TIN_OK);
    assert_int_equal(tin_model_load(&back, PATH, NULL), TIN_ERR_FORMAT);
    tin_model_free(m);
}

/* ---- memory ---- */

static tin_status one_call(int which, const tin_model *m, tin_model **made)
{
    test_dataset d;
    test_dataset_fill(&d, 6, 6);
    switch (which) {
    case 0:
        return tin_model_create(made, &d.dataset, har, N_HAR, NULL);
    case 1:
        return tin_model_copy(made, m, NULL);
    case 2:
        return tin_model_fold(made, m, NULL);
    case 3:
        return tin_model_load(made, PATH, NULL);
    default:
        return tin_model_save(m, PATH, NULL);
    }
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    tin_model *m = make_har();
    assert_int_equal(tin_model_save(m, PATH, NULL), TIN_OK);
    for (int which = 0; which < 5; which++) {
        for (size_t n = 1;; n++) {
            tin_model *made = NULL;
            tin_memory_fail_at(n);
            tin_status status = one_call(which, m, &made);
            tin_memory_fail_at(0);
            if (!status) {
                assert_true(n > 1);
                tin_model_free(made);
                break;
            }
            assert_int_equal(status, TIN_ERR_MEMORY);
            assert_null(made);
        }
    }
    tin_model_free(m);
    tin_model_free(NULL);
}

static void delay_is_a_multiple_of_the_hop(void **state)
{
    (void)state;
    tin_model *m = make_har(), *copy = NULL;
    tin_error err = {0};
    double hop_ms = 1000 * m->hop / m->rate_hz;
    assert_ok(tin_model_set_delay(m, 3 * hop_ms, &err), &err);
    assert_int_equal(m->delay, 3 * m->hop);
    assert_ok(tin_model_copy(&copy, m, &err), &err);
    assert_int_equal(copy->delay, m->delay);
    tin_model_free(copy);
    assert_int_equal(tin_model_set_delay(m, 2.5 * hop_ms, &err), TIN_ERR_CONFIG);
    char both[64];
    snprintf(both, sizeof both, "write %g or %g", 2 * hop_ms, 3 * hop_ms);
    assert_non_null(strstr(tin_error_text(&err), both));
    assert_int_equal(m->delay, 3 * m->hop);
    const double wrong[] = {-hop_ms, 1e9, (double)NAN};
    for (int i = 0; i < 3; i++) {
        memset(&err, 0, sizeof err);
        assert_int_equal(tin_model_set_delay(m, wrong[i], &err), TIN_ERR_CONFIG);
    }
    assert_ok(tin_model_set_delay(m, 0, &err), &err);
    assert_int_equal(m->delay, 0);
    tin_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(op_names_go_both_ways),
        cmocka_unit_test(shapes_are_resolved),
        cmocka_unit_test(delay_is_a_multiple_of_the_hop),
        cmocka_unit_test(depthwise_reads_its_own_input),
        cmocka_unit_test(wrong_layers_are_refused_with_the_mend),
        cmocka_unit_test(wrong_models_are_refused),
        cmocka_unit_test(graphs_that_do_not_fit_are_refused),
        cmocka_unit_test(a_graph_is_resolved),
        cmocka_unit_test(weights_start_within_pytorchs_bounds),
        cmocka_unit_test(input_is_scaled_by_training_streams_only),
        cmocka_unit_test(folding_refuses_what_it_cannot_fold),
        cmocka_unit_test(a_saved_model_comes_back),
        cmocka_unit_test(an_edited_description_is_refused),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(flipped_bytes_do_no_harm),
        cmocka_unit_test(weights_that_are_no_numbers_are_refused),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
