/* What is done before calibration leaves the float model as it was, and does what it is for. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "quantize_support.h"

static const tin_config_quantize equal = {.percentile = 0.999, .activation_percentile = 0.9999, .equalize = true};
static const tin_config_quantize shifts = {.percentile = 0.999, .activation_percentile = 0.9999, .power_of_two = true};

/* Largest difference of the scores of two float models over the stream, over the largest score. */
static double difference(const tin_model *a, const tin_model *b, const sample *s)
{
    tin_float_runner *one = NULL, *two = NULL;
    float x[MAX_CLASSES], y[MAX_CLASSES];
    double most = 0, size = 0;
    assert_int_equal(tin_float_runner_create(&one, a, NULL), TIN_OK);
    assert_int_equal(tin_float_runner_create(&two, b, NULL), TIN_OK);
    for (int64_t t = 0; t < s->stream.n_frames; t++) {
        const int16_t *frame = s->counts + t * a->n_channels;
        int due = tin_float_runner_step(one, frame, x);
        assert_int_equal(tin_float_runner_step(two, frame, y), due);
        for (int k = 0; due && k < a->n_classes; k++) {
            most = fmax(most, fabs((double)x[k] - (double)y[k]));
            size = fmax(size, fabs((double)x[k]));
        }
    }
    tin_float_runner_free(one);
    tin_float_runner_free(two);
    return most / size;
}

/* Also counts the parameters that changed. */
static void expect_same(const char *name, const tin_model *m, const sample *s, const tin_config_quantize *settings,
                        size_t *changed)
{
    tin_model *prepared = NULL;
    tin_error err = {0};
    assert_ok(tin_model_copy(&prepared, m, &err), &err);
    assert_ok(tin_quantize_prepare(prepared, &s->dataset, settings, &err), &err);
    double far = difference(m, prepared, s);
    if (!(far < 2e-4))
        fail_msg("%s: scores differ by %g", name, far);
    for (size_t i = 0; i < m->n_params; i++)
        *changed += m->params[i] != prepared->params[i];
    tin_model_free(prepared);
}

static void the_float_model_stays_the_same(void **state)
{
    (void)state;
    for (int i = 0; i < n_networks; i++) {
        const network *net = &networks[i];
        sample s;
        size_t equalised = 0, shifted = 0;
        open_sample(&s, net->n_channels, net->n_classes, 3000, (uint64_t)i + 1);
        tin_model *m = make_model(&s, net->layers, net->n_layers, (uint64_t)i + 1);
        expect_same(net->name, m, &s, &equal, &equalised);
        if (net->shifts)
            expect_same(net->name, m, &s, &shifts, &shifted);
        assert_true(equalised > 0 || net->n_channels == 1);
        assert_true(shifted > 0 || !net->shifts);
        tin_model_free(m);
        close_sample(&s);
    }
    for (uint64_t seed = 1; seed <= 30; seed++) {
        sample s;
        random_graph g;
        size_t changed = 0;
        make_graph(&g, seed);
        open_sample(&s, 3, 4, 2000, seed);
        tin_model *m = make_model(&s, g.layers, g.n, seed);
        expect_same("random graph", m, &s, &equal, &changed);
        tin_model_free(m);
        close_sample(&s);
    }
}

static double root_mean_square(const tin_model *m, const sample *s, int layer, int channel)
{
    tin_float_runner *runner = NULL;
    float scores[MAX_CLASSES];
    double sum = 0, n = 0;
    assert_int_equal(tin_float_runner_create(&runner, m, NULL), TIN_OK);
    for (int64_t t = 0; t < s->stream.n_frames; t++) {
        tin_float_runner_step(runner, s->counts + t * m->n_channels, scores);
        if (tin_float_runner_fired(runner, layer)) {
            sum += pow((double)tin_float_runner_output(runner, layer)[channel], 2);
            n++;
        }
    }
    tin_float_runner_free(runner);
    return sqrt(sum / n);
}

/* A channel 16 times smaller than its neighbour is 4 times smaller afterwards; a dead one stays in bounds. */
static void small_channels_grow_by_the_root(void **state)
{
    (void)state;
    static const tin_layer_spec layers[] = {{.op = TIN_OP_CONV1D, .units = 3, .kernel = 3},
                                            {.op = TIN_OP_RELU},
                                            {.op = TIN_OP_GRU, .units = 4},
                                            {.op = TIN_OP_DENSE}};
    sample s;
    open_sample(&s, 2, 3, 1500, 5);
    tin_model *m = make_model(&s, layers, N_LAYERS(layers), 5);
    float *weight = m->params + m->layers[0].params[0].offset, *bias = m->params + m->layers[0].params[1].offset;
    for (int i = 0; i < 6; i++) { /* the second row: a sixteenth of the first; the third: next to nothing */
        weight[6 + i] = weight[i] / 16;
        weight[12 + i] = weight[i] * 1e-9f;
    }
    bias[1] = bias[0] / 16;
    bias[2] = bias[0] * 1e-9f;
    assert_int_equal(tin_quantize_prepare(m, &s.dataset, &equal, NULL), TIN_OK);
    double first = root_mean_square(m, &s, 1, 0), second = root_mean_square(m, &s, 1, 1);
    assert_true(fabs(first / second - 4) < 1e-3);
    assert_true(fabs((double)weight[12] / ((double)weight[0] * 1e-9) - 32) < 0.1);
    tin_model_free(m);
    close_sample(&s);
}

static bool is_power_of_two(int32_t v)
{
    return v > 0 && (v & (v - 1)) == 0;
}

static void all_multipliers_are_powers_of_two(void **state)
{
    (void)state;
    int n = 0;
    for (int i = 0; i < n_networks; i++) {
        const network *net = &networks[i];
        sample s;
        tin_quant_spec spec;
        tin_qmodel *q = NULL;
        tin_error err = {0};
        open_sample(&s, net->n_channels, net->n_classes, 2000, (uint64_t)i + 1);
        tin_model *m = make_model(&s, net->layers, net->n_layers, (uint64_t)i + 1);
        if (net->shifts) {
            n++;
            assert_ok(tin_quantize_prepare(m, &s.dataset, &shifts, &err), &err);
            assert_ok(tin_quantize_calibrate(m, &s.dataset, &shifts, &spec, &err), &err);
            assert_ok(tin_quantize_convert(m, &spec, &q, &err), &err);
            for (int c = 0; c < q->n_channels; c++)
                assert_true(is_power_of_two(q->input_mult[c]));
            for (int k = 0; k < q->n_layers; k++) {
                const tin_qlayer *l = &q->layers[k];
                for (int r = 0; r < tin_qlayer_rows(l); r++) {
                    if (!is_power_of_two(l->mult[r]) || (l->hidden_mult && !is_power_of_two(l->hidden_mult[r])))
                        fail_msg("%s, layer %d, row %d: multiplier %d", net->name, k + 1, r, (int)l->mult[r]);
                }
            }
        }
        tin_qmodel_free(q);
        tin_model_free(m);
        close_sample(&s);
    }
    assert_true(n >= 6);
}

static void expect_no_shifts(const tin_layer_spec *layers, int n_layers, const char *word)
{
    sample s;
    tin_quant_spec spec;
    tin_error err = {0};
    open_sample(&s, 2, 3, 100, 1);
    tin_model *m = make_model(&s, layers, n_layers, 1);
    tin_status status = tin_quantize_prepare(m, &s.dataset, &shifts, &err);
    if (!status)
        status = tin_quantize_calibrate(m, &s.dataset, &shifts, &spec, &err);
    assert_int_equal(status, TIN_ERR_MODEL);
    if (!strstr(err.message, word))
        fail_msg("wanted \"%s\": %s", word, err.message);
    tin_model_free(m);
    close_sample(&s);
}

static void what_no_shift_can_do_is_refused(void **state)
{
    (void)state;
    static const tin_layer_spec six[] = {{.op = TIN_OP_DENSE, .units = 2}, {.op = TIN_OP_RELU6}, {.op = TIN_OP_DENSE}};
    static const tin_layer_spec sixth[] = {
        {.op = TIN_OP_DENSE, .units = 2}, {.op = TIN_OP_HARD_SIGMOID}, {.op = TIN_OP_DENSE}};
    static const tin_layer_spec third[] = {
        {.op = TIN_OP_DENSE, .units = 2}, {.op = TIN_OP_AVG_POOL, .kernel = 3}, {.op = TIN_OP_DENSE}};
    static const tin_layer_spec product[] = {{.op = TIN_OP_MULTIPLY, .from = {"input", "input"}, .n_from = 2},
                                             {.op = TIN_OP_DENSE}};
    expect_no_shifts(six, N_LAYERS(six), "layer 2 (relu6): its factor of 6");
    expect_no_shifts(sixth, N_LAYERS(sixth), "with quantize.power_of_two use sigmoid");
    expect_no_shifts(third, N_LAYERS(third), "layer 2 (avg_pool): a mean of 3 rows");
    expect_no_shifts(product, N_LAYERS(product), "reads the input");
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    sample s;
    open_sample(&s, 3, 5, 100, 1);
    for (size_t n = 1;; n++) {
        tin_model *m = make_model(&s, networks[6].layers, networks[6].n_layers, 1);
        tin_memory_fail_at(n);
        tin_status status = tin_quantize_prepare(m, &s.dataset, &equal, NULL);
        tin_memory_fail_at(0);
        tin_model_free(m);
        if (!status) {
            assert_true(n > 5);
            break;
        }
        assert_int_equal(status, TIN_ERR_MEMORY);
    }
    close_sample(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_float_model_stays_the_same),    cmocka_unit_test(small_channels_grow_by_the_root),
        cmocka_unit_test(all_multipliers_are_powers_of_two), cmocka_unit_test(what_no_shift_can_do_is_refused),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("prepare", tests, NULL, NULL);
}
