/* The integer model: the interpreter against a second implementation (scripts/golden/model_integer.py), its files, its
 * proof. */
#include "model_support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/rng.h"
#include "deploy/random_model.h"
#include "model/qmodel.h"

#define PATH TEST_TEMPORARY "/q"

static const char *const models[] = {"integer_all",     "integer_gru",    "integer_long_stride",
                                     "integer_one",     "integer_graph",  "integer_recurrent",
                                     "integer_16_bits", "integer_energy", "integer_wide"};
#define N_MODELS (sizeof models / sizeof *models)

static tin_qmodel *load(const char *name)
{
    tin_qmodel *m = NULL;
    tin_error err = {0};
    assert_ok(tin_qmodel_load(&m, test_path(TEST_FILES, name, ""), &err), &err);
    return m;
}

static void compare(const tin_qmodel *m, const tin_safetensors *golden)
{
    tin_qrunner *runner = NULL;
    const tin_tensor *counts = tin_safetensors_find(golden, "counts"), *want = tin_safetensors_find(golden, "scores");
    int16_t scores[MAX_TEST_CLASSES];
    assert_int_equal(tin_qrunner_create(&runner, m, NULL), TIN_OK);
    for (int pass = 0; pass < 2; pass++) { /* the second after a reset: nothing may be left of the first */
        int64_t decision = 0;
        for (int64_t t = 0; t < counts->shape[0]; t++) {
            int due = tin_qrunner_step(runner, (const int16_t *)counts->data + t * m->n_channels, scores);
            assert_int_equal(due, (t + 1) % m->hop == 0);
            if (due)
                assert_memory_equal(scores, (const int16_t *)want->data + decision * m->n_classes,
                                    (size_t)m->n_classes * sizeof *scores);
            decision += due;
        }
        assert_int_equal(decision, want->shape[0]);
        tin_qrunner_reset(runner);
    }
    tin_qrunner_free(runner);
}

static void scores_equal_the_second_implementation(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_MODELS; i++) {
        tin_safetensors *golden = NULL;
        tin_qmodel *m = load(models[i]);
        assert_int_equal(tin_safetensors_read(&golden, test_path(TEST_FILES, models[i], ".golden.safetensors"), NULL),
                         TIN_OK);
        compare(m, golden);
        tin_safetensors_free(golden);
        tin_qmodel_free(m);
    }
}

static void a_saved_model_comes_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_MODELS; i++) {
        tin_qmodel *m = load(models[i]), *back = NULL;
        tin_error err = {0};
        assert_ok(tin_qmodel_save(m, PATH, &err), &err);
        assert_ok(tin_qmodel_load(&back, PATH, &err), &err);
        assert_string_equal(m->hash, back->hash);
        assert_true(m->input_scale == back->input_scale && m->layers[0].output_scale == back->layers[0].output_scale);
        assert_string_equal(m->classes[0].name, back->classes[0].name);
        assert_true(tin_qmodel_macs(m) == tin_qmodel_macs(back));
        tin_qmodel_free(m);
        tin_qmodel_free(back);
    }
}

static void macs_are_counted_per_decision(void **state)
{
    (void)state;
    tin_qmodel *m = load("integer_all");
    /* hop 8: strides 2 1 2 . 2; conv 6->8 k5 runs 4 times, depthwise 8->16 k3 4, conv 16->7 k3 2, gru 2, dense once */
    assert_true(tin_qmodel_macs(m) == 4 * 8 * 30 + 4 * 16 * 3 + 2 * 7 * 48 + 2 * 27 * (7 + 9) + 6 * 9 + 5 * 6);
    tin_qmodel_free(m);
}

static void expect_refused(tin_qmodel *m, const char *word)
{
    tin_error err = {0};
    assert_int_equal(tin_qmodel_check(m, &err), TIN_ERR_MODEL);
    if (!strstr(err.message, word))
        fail_msg("wanted \"%s\": %s", word, err.message);
    tin_qmodel_free(m);
}

#define REFUSED_IN(file, word, ...)                                                                                    \
    do {                                                                                                               \
        tin_qmodel *m = load(file);                                                                                    \
        __VA_ARGS__;                                                                                                   \
        expect_refused(m, word);                                                                                       \
    } while (0)
#define REFUSED(word, ...) REFUSED_IN("integer_all", word, __VA_ARGS__)

static void a_model_that_could_overflow_is_refused(void **state)
{
    (void)state;
    /* exactly at the bound: 127 * sum + |bias| = 2^31 - 1 passes, one more does not */
    tin_qmodel *edge = load("integer_one");
    tin_qlayer *l = &edge->layers[2];
    l->shift = 0;
    l->weight[0] = -127;
    l->bias[0] = INT32_MAX - 127 * 127;
    assert_int_equal(tin_qmodel_check(edge, NULL), TIN_OK);
    l->bias[0]++;
    expect_refused(edge,
                   "layer 3 (dense), row 0: the accumulator can reach 2147483648, but with shift 0 it must stay below");
    REFUSED("with shift 3", m->layers[2].bias[4] = 1 << 28);
    REFUSED("layer 1 (conv1d), row 2", m->layers[0].bias[2] = INT32_MIN);
    REFUSED("layer 4 (gru), hidden row 20", m->layers[3].hidden_bias[2] = 1 << 25);
    REFUSED("layer 4 (gru), row 26", m->layers[3].bias[26] = -(1 << 27));
    REFUSED("layer 5 (avg_pool), row 0", m->layers[4].kernel = 300; m->layers[4].shift = 16);
    REFUSED("-128", m->layers[0].weight[7] = -128);
    REFUSED("negative", m->layers[3].hidden_mult[1] = -1);
    REFUSED("shift 17", m->layers[2].shift = 17);
    REFUSED("shift -1", m->layers[3].hidden_shift = -1);
    /* h8 goes down to -128, so the layer behind a gru has the wider bound */
    tin_qmodel *g = load("integer_gru");
    l = &g->layers[2];
    memset(l->weight, 127, 5);
    l->bias[0] = INT32_MAX - 5 * 127 * 128;
    assert_int_equal(tin_qmodel_check(g, NULL), TIN_OK);
    l->bias[0] = INT32_MAX - 5 * 127 * 128 + 1;
    expect_refused(g, "layer 3 (dense), row 0");
}

static void a_model_of_the_wrong_shape_is_refused(void **state)
{
    (void)state;
    REFUSED("input shift", m->input_shift = 16);
    REFUSED("offset 32768", m->input_offset[1] = 32768);
    REFUSED("negative", m->input_mult[5] = -1);
    REFUSED("input_scale", m->input_scale = 0);
    REFUSED("rate_hz", m->rate_hz = INFINITY);
    REFUSED("rate_hz", m->rate_hz = 1e300);
    REFUSED("hop is 16", m->hop = 16);
    REFUSED("0 layers", m->n_layers = 0);
    REFUSED("last layer must be dense", m->n_layers = 4);
    REFUSED("activation does not belong", m->layers[6].activation = TIN_ACTIVATION_RELU);
    REFUSED("activation does not belong", m->layers[3].activation = TIN_ACTIVATION_RELU);
    REFUSED("holds no batch_norm", m->layers[5].op = TIN_OP_RELU);
    REFUSED("holds no batch_norm", m->layers[5].op = (tin_op)99);
    REFUSED("width", m->layers[1].n_inputs = 7);
    REFUSED("must be 1 or more", m->layers[0].stride = 0);
    REFUSED("stride is -1", m->layers[0].stride = -1);
    REFUSED("span", m->layers[0].dilation = 16384; m->layers[0].kernel = 16384);
    REFUSED("dilation is 2", m->layers[4].dilation = 2);
    REFUSED("groups do not follow", m->layers[1].groups = 4);
    REFUSED("scale of its output", m->layers[2].output_scale = NAN);
}

static void a_log_energy_that_is_not_one_is_refused(void **state)
{
    (void)state;
    REFUSED_IN("integer_energy", "not 1/32", m->layers[0].output_scale = 0.03f);
    REFUSED_IN("integer_energy", "16 bits; give it 8", m->layers[0].output_bits = 16);
    REFUSED_IN("integer_energy", "levels is 9", m->layers[0].levels = 9);
    REFUSED_IN("integer_energy", "kernel times stride", m->layers[0].kernel = 1);
    REFUSED_IN("integer_energy", "reads the input only", m->layers[1].from[0] = 0);
    REFUSED_IN("integer_energy", "activation does not belong", m->layers[0].activation = TIN_ACTIVATION_RELU);
}

/* integer_graph: stem left sum top mean bend all slow squeeze excite scaled scores */
static void a_graph_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    REFUSED_IN("integer_graph", "does not stand before it", m->layers[2].from[1] = 2);
    REFUSED_IN("integer_graph", "does not stand before it", m->layers[2].from[1] = -2);
    REFUSED_IN("integer_graph", "reads no layer", m->layers[2].n_from = 0);
    REFUSED_IN("integer_graph", "reads no layer", m->layers[2].n_from = TIN_MAX_FROM + 1);
    REFUSED_IN("integer_graph", "name two", m->layers[10].n_from = 1);
    REFUSED_IN("integer_graph", "is taken", memcpy(m->layers[3].name, "stem", 5));
    REFUSED_IN("integer_graph", "letters", memcpy(m->layers[3].name, "a b", 4));
    REFUSED_IN("integer_graph", "no layer reads \"left\"", m->layers[2].from[1] = 0);
    REFUSED_IN("integer_graph", "rows every", m->layers[2].from[0] = TIN_FROM_INPUT);
    REFUSED_IN("integer_graph", "its period", m->layers[7].period = 2);
    REFUSED_IN("integer_graph", "shift is 13", m->layers[7].ema_shift = 13);
    REFUSED_IN("integer_graph", "reset_before", m->layers[0].reset_before = true);
    REFUSED_IN("integer_graph", "delay is 3", m->delay = 3);
    REFUSED_IN("integer_graph", "delay is -4", m->delay = -4);
    REFUSED_IN("integer_graph", "activation does not belong", m->layers[2].activation = TIN_ACTIVATION_SIGMOID);
    REFUSED_IN("integer_graph", "activation does not belong", m->layers[0].activation = (tin_activation)-1);
}

static void bits_that_an_op_has_not_are_refused(void **state)
{
    (void)state;
    REFUSED_IN("integer_graph", "12 bits", m->input_bits = 12);
    REFUSED_IN("integer_graph", "has 9 bits; give it 8 or 16", m->layers[0].output_bits = 9);
    REFUSED_IN("integer_graph", "has 8 bits; give it 16", m->layers[11].output_bits = 8);
    REFUSED_IN("integer_graph", "layer 6 (conv1d): its output has 16 bits; give it 8",
               m->layers[5].output_bits = 16); /* a tanh */
    REFUSED_IN("integer_graph", "layer 8 (ema): its output has 16 bits", m->layers[7].output_bits = 16);
    REFUSED_IN("integer_graph", "layer 4 (max_pool): it reads 16 bits from sum", m->layers[2].output_bits = 16);
    REFUSED_IN("integer_graph", "layer 8 (ema): it reads 16 bits from all", m->layers[6].output_bits = 16);
    REFUSED_IN("integer_recurrent", "layer 4 (gru): its output has 16 bits", m->layers[3].output_bits = 16);
}

/* Each bound of docs/integer-arithmetic.md, at the last value that passes and at the first that does not. */
static void sums_without_weights_are_bounded(void **state)
{
    (void)state;
    tin_qmodel *q = load("integer_16_bits");
    tin_qlayer *add = &q->layers[2];
    add->mult[0] = 32767;
    add->mult[1] = 16386; /* 32767 * (32767 + 16386) + 2^29 = 2^31 - 16385 */
    add->shift = 30;
    assert_int_equal(tin_qmodel_check(q, NULL), TIN_OK);
    add->mult[1]++;
    expect_refused(q, "layer 3 (add), input 1: the sum can reach");
    q = load("integer_16_bits");
    q->layers[10].mult[1] = 32768;
    expect_refused(q, "outside 0..32767");
    REFUSED_IN("integer_16_bits", "shift 0 is outside 1..30", m->layers[10].shift = 0);
    REFUSED_IN("integer_16_bits", "shift 31 is outside 1..30", m->layers[5].shift = 31);
    REFUSED_IN("integer_graph", "multiplier -1", m->layers[6].mult[2] = -1);
    q = load("integer_graph"); /* ema: 128 * 2^20 + 2^11 at shift 3 is below 2^28, at shift 4 above 2^27 */
    q->layers[7].ema_shift = 12;
    q->layers[7].shift = 3;
    assert_int_equal(tin_qmodel_check(q, NULL), TIN_OK);
    q->layers[7].shift = 4;
    expect_refused(q, "layer 8 (ema), row 0: the accumulator can reach 134219776");
    q = load("integer_graph"); /* multiply: 127 * 128, a max_pool or concat of a tanh may be -128 */
    q->layers[10].shift = 16;
    assert_int_equal(tin_qmodel_check(q, NULL), TIN_OK);
    q->layers[10].shift = 17;
    expect_refused(q, "shift 17");
    REFUSED_IN("integer_graph", "layer 5 (avg_pool), row 0: multiplier", m->layers[4].mult[0] = -5);
}

static void a_bound_follows_the_values(void **state)
{
    (void)state;
    tin_qmodel *m = load("integer_graph"), *wide = load("integer_16_bits"), *r = load("integer_recurrent");
    static const int graph[] = {127, 127, 127, 127, 127, 128, 128, 127, 127, 127, 127};
    for (int i = 0; i < 11; i++)
        assert_int_equal(tin_qmodel_bound(m, i), graph[i]);
    assert_int_equal(tin_qmodel_bound(m, TIN_FROM_INPUT), 127);
    assert_int_equal(tin_qmodel_bound(wide, TIN_FROM_INPUT), 32767);
    assert_int_equal(tin_qmodel_bound(wide, 2), 32767);
    assert_int_equal(tin_qmodel_bound(r, 5), 128); /* max_pool of a concat of h8 */
    tin_qmodel_free(m);
    tin_qmodel_free(wide);
    tin_qmodel_free(r);
}

/* What is given stays, what is not is filled in; nothing breaks on a graph that the check refuses afterwards. */
static void link_fills_what_follows(void **state)
{
    (void)state;
    tin_qmodel *m = load("integer_all");
    m->layers[1].name[0] = 0;
    m->layers[1].n_from = m->layers[1].output_bits = m->layers[1].period = m->layers[6].output_bits = m->hop = 0;
    tin_qmodel_link(m);
    assert_string_equal(m->layers[1].name, "conv1d_2");
    assert_true(m->layers[1].n_from == 1 && m->layers[1].from[0] == 0 && m->layers[1].period == 2 && m->hop == 8);
    assert_true(m->layers[1].output_bits == 8 && m->layers[6].output_bits == 16);
    assert_int_equal(tin_qmodel_check(m, NULL), TIN_OK);
    static const int wrong[] = {1, 2, TIN_MAX_LAYERS, INT32_MAX, -2, INT32_MIN};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        m->layers[1].from[0] = wrong[i];
        tin_qmodel_link(m);
        assert_int_equal(m->layers[1].period, 0);
        assert_int_equal(tin_qmodel_check(m, NULL), TIN_ERR_MODEL);
    }
    m->layers[1].from[0] = 0;
    m->layers[1].stride = INT32_MAX;
    tin_qmodel_link(m);
    assert_int_equal(tin_qmodel_check(m, NULL), TIN_ERR_MODEL);
    tin_qmodel_free(m);
}

/* Every op with every neighbour, through the files. */
static void random_graphs_come_back(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        tin_qmodel *m = NULL, *back = NULL;
        tin_qrunner *a = NULL, *b = NULL;
        tin_error err = {0};
        int16_t counts[64 * 8], x[MAX_TEST_CLASSES], y[MAX_TEST_CLASSES];
        assert_ok(random_graph(&m, seed, &err), &err);
        assert_ok(tin_qmodel_save(m, PATH, &err), &err);
        assert_ok(tin_qmodel_load(&back, PATH, &err), &err);
        assert_string_equal(m->hash, back->hash);
        assert_int_equal(m->delay, back->delay);
        assert_ok(tin_qrunner_create(&a, m, &err), &err);
        assert_ok(tin_qrunner_create(&b, back, &err), &err);
        random_counts(counts, 64, m->n_channels, seed);
        for (int t = 0; t < 64 * m->hop; t++) {
            const int16_t *frame = counts + t % 64 * m->n_channels;
            int due = tin_qrunner_step(a, frame, x);
            assert_int_equal(due, (t + 1) % m->hop == 0);
            assert_int_equal(due, tin_qrunner_step(b, frame, y));
            if (due)
                assert_memory_equal(x, y, (size_t)m->n_classes * sizeof *x);
        }
        tin_qrunner_free(a);
        tin_qrunner_free(b);
        tin_qmodel_free(m);
        tin_qmodel_free(back);
    }
}

static void the_hash_sees_every_number(void **state)
{
    (void)state;
    tin_qmodel *m = load("integer_all");
    char before[65];
    memcpy(before, m->hash, sizeof before);
    int32_t *numbers[] = {&m->input_offset[0],
                          &m->input_mult[5],
                          &m->input_shift,
                          &m->layers[0].bias[1],
                          &m->hop,
                          &m->layers[4].mult[0],
                          &m->layers[3].hidden_bias[8],
                          &m->layers[2].dilation,
                          &m->layers[1].from[0],
                          &m->layers[1].output_bits,
                          &m->input_bits,
                          &m->layers[3].ema_shift,
                          &m->layers[3].levels};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        ++*numbers[i];
        assert_int_equal(tin_qmodel_seal(m, NULL), TIN_OK);
        assert_string_not_equal(m->hash, before);
        --*numbers[i];
    }
    m->delay = 8; /* what people and tools read, no part of the result */
    m->layers[2].output_scale = 1;
    memcpy(m->layers[2].name, "other", 6);
    assert_int_equal(tin_qmodel_seal(m, NULL), TIN_OK);
    assert_string_equal(m->hash, before);
    m->classes[0].event = true;
    assert_int_equal(tin_qmodel_seal(m, NULL), TIN_OK);
    assert_string_not_equal(m->hash, before);
    m->classes[0].event = false;
    m->layers[3].hidden_weight[80] ^= 1;
    assert_int_equal(tin_qmodel_seal(m, NULL), TIN_OK);
    assert_string_not_equal(m->hash, before);
    m->layers[3].hidden_weight[80] ^= 1;
    assert_int_equal(tin_qmodel_seal(m, NULL), TIN_OK);
    assert_string_equal(m->hash, before);
    tin_qmodel_free(m);
}

static void damaged_files_are_refused(void **state)
{
    (void)state;
    static const char *const extensions[] = {".json", ".safetensors"};
    tin_qmodel *m = load("integer_one");
    for (int e = 0; e < 2; e++) {
        char *bytes = NULL;
        size_t size = 0;
        const char *path = test_path(TEST_TEMPORARY, "q", extensions[e]);
        assert_int_equal(tin_qmodel_save(m, PATH, NULL), TIN_OK);
        assert_int_equal(tin_file_read(path, &bytes, &size, NULL), TIN_OK);
        for (size_t n = 0; n + 1 < size; n++) { /* the last byte of the .json is a newline */
            tin_qmodel *back = NULL;
            write_bytes(path, bytes, n);
            assert_int_equal(tin_qmodel_load(&back, PATH, NULL), TIN_ERR_FORMAT);
            assert_null(back);
        }
        tin_free(bytes);
    }
    tin_qmodel_free(m);
}

/* Every flip of the description is refused, or changes a thing that does not touch the result (names, scales, rate). */
static void flip(const char *name)
{
    char *bytes = NULL;
    size_t size = 0;
    tin_rng rng;
    tin_qmodel *m = load(name);
    assert_int_equal(tin_qmodel_save(m, PATH, NULL), TIN_OK);
    assert_int_equal(tin_file_read(PATH ".json", &bytes, &size, NULL), TIN_OK);
    tin_rng_seed(&rng, 4);
    for (int i = 0; i < 2000; i++) {
        tin_qmodel *back = NULL;
        size_t at = tin_rng_below(&rng, (uint32_t)size);
        char before = bytes[at];
        bytes[at] ^= (char)(1u << tin_rng_below(&rng, 8));
        write_bytes(PATH ".json", bytes, size);
        if (!tin_qmodel_load(&back, PATH, NULL))
            assert_string_equal(back->hash, m->hash);
        tin_qmodel_free(back);
        bytes[at] = before;
    }
    tin_free(bytes);
    tin_qmodel_free(m);
}

static void flipped_bytes_never_change_the_result(void **state)
{
    (void)state;
    flip("integer_all");
    flip("integer_graph");
}

static void a_description_cannot_ask_for_much_memory(void **state)
{
    (void)state;
    static const char text[] =
        "{\"format\":\"tinamou-integer-model\",\"version\":1,\"hash\":\"\",\"rate_hz\":1,\"hop\":1,\"delay\":0,"
        "\"channels\":[{\"name\":\"a\",\"unit\":\"g\",\"scale\":1}],\"classes\":[{\"name\":\"a\",\"event\":true}],"
        "\"input\":{\"offset\":[0],\"mult\":[0],\"shift\":0,\"bits\":8,\"scale\":1},\"layers\":[{\"name\":\"a\","
        "\"from\":[\"input\"],\"op\":\"conv1d\",\"inputs\":256,"
        "\"outputs\":256,\"kernel\":16384,\"stride\":1,\"dilation\":1,\"groups\":1,\"activation\":\"none\",\"output_"
        "bits\":16,\"shift\":0,\"output_"
        "scale\":1}],"
        "\"tensors_sha256\":\"%s\"}";
    char json[1024], hash[TIN_HASH_HEX];
    tin_qmodel *m = NULL;
    tin_error err = {0};
    assert_int_equal(tin_safetensors_write(PATH ".safetensors", NULL, 0, NULL, 0, hash, NULL), TIN_OK);
    int n = snprintf(json, sizeof json, text, hash);
    write_bytes(PATH ".json", json, (size_t)n);
    assert_int_equal(tin_qmodel_load(&m, PATH, &err), TIN_ERR_FORMAT);
    assert_non_null(strstr(err.message, "missing"));
}

static void fail_every_allocation(const char *name)
{
    tin_qmodel *m = load(name);
    assert_int_equal(tin_qmodel_save(m, PATH, NULL), TIN_OK);
    for (int which = 0; which < 3; which++) {
        for (size_t n = 1;; n++) {
            tin_qmodel *back = NULL;
            tin_qrunner *runner = NULL;
            tin_memory_fail_at(n);
            tin_status status = which == 0   ? tin_qmodel_load(&back, PATH, NULL)
                                : which == 1 ? tin_qmodel_save(m, PATH, NULL)
                                             : tin_qrunner_create(&runner, m, NULL);
            tin_memory_fail_at(0);
            tin_qmodel_free(back);
            tin_qrunner_free(runner);
            if (!status) {
                assert_true(n > 1);
                break;
            }
            assert_int_equal(status, TIN_ERR_MEMORY);
            assert_null(back);
            assert_null(runner);
        }
    }
    tin_qmodel_free(m);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    fail_every_allocation("integer_all");
    fail_every_allocation("integer_recurrent");
    tin_qmodel_free(NULL);
    tin_qrunner_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_equal_the_second_implementation),
        cmocka_unit_test(a_saved_model_comes_back),
        cmocka_unit_test(macs_are_counted_per_decision),
        cmocka_unit_test(a_model_that_could_overflow_is_refused),
        cmocka_unit_test(a_model_of_the_wrong_shape_is_refused),
        cmocka_unit_test(a_log_energy_that_is_not_one_is_refused),
        cmocka_unit_test(a_graph_that_does_not_fit_is_refused),
        cmocka_unit_test(bits_that_an_op_has_not_are_refused),
        cmocka_unit_test(sums_without_weights_are_bounded),
        cmocka_unit_test(a_bound_follows_the_values),
        cmocka_unit_test(link_fills_what_follows),
        cmocka_unit_test(random_graphs_come_back),
        cmocka_unit_test(the_hash_sees_every_number),
        cmocka_unit_test(damaged_files_are_refused),
        cmocka_unit_test(flipped_bytes_never_change_the_result),
        cmocka_unit_test(a_description_cannot_ask_for_much_memory),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("qmodel", tests, NULL, NULL);
}
