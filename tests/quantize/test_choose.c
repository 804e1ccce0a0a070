/* Bits by measurement: what is measured, what is taken, what is refused. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "quantize_support.h"

#define N_FRAMES 9000

/* The same signal once for training and once, another part of it, for validation. */
typedef struct pair {
    sample sample;
    tin_stream streams[2];
} pair;

static void open_pair(pair *p, int n_channels, int n_classes, uint64_t seed)
{
    open_sample(&p->sample, n_channels, n_classes, N_FRAMES, seed);
    p->streams[0] = p->streams[1] = p->sample.stream;
    p->streams[0].n_frames = N_FRAMES / 3 * 2;
    p->streams[1].counts += (size_t)p->streams[0].n_frames * (size_t)n_channels;
    p->streams[1].n_frames = N_FRAMES / 3;
    p->streams[1].role = TIN_ROLE_VALIDATION;
    p->sample.dataset.streams = p->streams;
    p->sample.dataset.n_streams = 2;
}

static tin_sensitivity choose(const pair *p, const tin_model *m, const tin_config_quantize *settings,
                              tin_quant_spec *spec)
{
    tin_sensitivity s;
    tin_error err = {0};
    assert_ok(tin_quantize_choose(m, &p->sample.dataset, settings, true, spec, &s, &err), &err);
    return s;
}

/* log(softmax) */
static void log_softmax(double *x, int n)
{
    double sum = 0;
    for (int k = 0; k < n; k++)
        sum += exp(x[k]);
    for (int k = 0; k < n; k++)
        x[k] -= log(sum);
}

/* The definition, over the validation stream in blocks of 2000 frames. */
static double divergence(const pair *p, const tin_model *m, const tin_quant_spec *spec)
{
    tin_qmodel *q = NULL;
    tin_float_runner *fr = NULL;
    tin_qrunner *qr = NULL;
    float f[MAX_CLASSES];
    int16_t z[MAX_CLASSES];
    double sum = 0, n = 0;
    assert_int_equal(tin_quantize_convert(m, spec, &q, NULL), TIN_OK);
    assert_int_equal(tin_float_runner_create(&fr, m, NULL), TIN_OK);
    assert_int_equal(tin_qrunner_create(&qr, q, NULL), TIN_OK);
    for (int64_t t = 0; t < p->streams[1].n_frames; t++) {
        const int16_t *frame = p->streams[1].counts + t * m->n_channels;
        if (t % 2000 == 0) {
            tin_float_runner_reset(fr);
            tin_qrunner_reset(qr);
        }
        int due = tin_float_runner_step(fr, frame, f);
        assert_int_equal(due, tin_qrunner_step(qr, frame, z));
        if (!due)
            continue;
        double a[MAX_CLASSES], b[MAX_CLASSES];
        for (int k = 0; k < m->n_classes; k++) {
            a[k] = (double)f[k];
            b[k] = z[k] / 256.0;
        }
        log_softmax(a, m->n_classes);
        log_softmax(b, m->n_classes);
        for (int k = 0; k < m->n_classes; k++)
            sum += exp(a[k]) * (a[k] - b[k]);
        n++;
    }
    tin_float_runner_free(fr);
    tin_qrunner_free(qr);
    tin_qmodel_free(q);
    return sum / n;
}

static const tin_config_quantize all_auto = {.percentile = 0.999,
                                             .activation_percentile = 0.9999,
                                             .weight_bits = (char *)"auto",
                                             .activation_bits = (char *)"auto",
                                             .input_bits = (char *)"auto"};

static void choices_bring_what_was_measured(void **state)
{
    (void)state;
    pair p;
    tin_quant_spec spec, again, plain;
    tin_error err = {0};
    open_pair(&p, 6, 6, 4);
    tin_model *m = make_model(&p.sample, har, N_LAYERS(har), 4);
    tin_config_quantize settings = all_auto;
    settings.max_weight_bytes = 4000;
    tin_sensitivity s = choose(&p, m, &settings, &spec), t = choose(&p, m, &settings, &again);
    assert_memory_equal(&spec, &again, sizeof spec);
    assert_true(s.after.kl == t.after.kl);

    assert_int_equal(s.n_decisions, N_FRAMES / 3 / 4);
    assert_int_equal(s.n_trials, 1 + 2 + 4); /* the input, behind two relus; two conv1d, gru, dense */
    assert_ok(tin_quantize_calibrate(m, &p.sample.dataset, &usual, &plain, &err), &err);
    assert_true(fabs(s.before.kl - divergence(&p, m, &plain)) < 1e-9);
    assert_true(fabs(s.after.kl - divergence(&p, m, &spec)) < 1e-9);

    size_t weights = 6 * 16 * 5 + 16 * 24 * 5 + 2 * 72 * 24 + 24 * 6;
    assert_int_equal(s.weight_bytes_before, weights);
    assert_true(s.weight_bytes <= 4000);
    assert_int_equal(s.weight_bytes, tin_quantize_weight_bytes(m, &spec));
    size_t saved = 0;
    double dearest_taken = -HUGE_VAL, cheapest_left = HUGE_VAL;
    for (int i = 0; i < s.n_trials; i++) {
        if (s.trials[i].kind != TIN_TRIAL_WEIGHTS_4)
            continue;
        double cost = (s.trials[i].nearness.kl - s.before.kl) / (double)s.trials[i].bytes_saved;
        saved += s.trials[i].chosen ? s.trials[i].bytes_saved : 0;
        dearest_taken = s.trials[i].chosen ? fmax(dearest_taken, cost) : dearest_taken;
        cheapest_left = s.trials[i].chosen ? cheapest_left : fmin(cheapest_left, cost);
        assert_int_equal(spec.weight_bits[s.trials[i].layer], s.trials[i].chosen ? 4 : 8);
    }
    assert_int_equal(saved, s.weight_bytes_before - s.weight_bytes);
    assert_true(dearest_taken <= cheapest_left);
    tin_model_free(m);
    close_sample(&p.sample);
}

/* One channel has rare knocks far beyond the rest, and the model amplifies what is small: 8 bits cannot show both. */
static void a_fine_input_gets_16_bits(void **state)
{
    (void)state;
    static const tin_layer_spec layers[] = {
        {.op = TIN_OP_DENSE, .units = 4}, {.op = TIN_OP_RELU}, {.op = TIN_OP_DENSE}};
    pair p;
    tin_quant_spec spec;
    open_pair(&p, 2, 3, 5);
    tin_model *m = make_model(&p.sample, layers, N_LAYERS(layers), 5);
    for (int i = 0; i < 8; i++)
        m->params[m->layers[0].params[0].offset + (size_t)i] *= i % 2 ? 8.0f : 0.01f;
    m->input.scale[0] *= 30;
    tin_config_quantize settings = all_auto;
    settings.weight_bits = (char *)"8";
    tin_sensitivity s = choose(&p, m, &settings, &spec);
    assert_int_equal(spec.input_bits, 16);
    assert_true(s.trials[0].kind == TIN_TRIAL_INPUT_16 && s.trials[0].chosen);
    assert_true(s.trials[0].nearness.kl < 0.5 * s.before.kl && s.after.kl <= s.trials[0].nearness.kl);
    settings.input_bits = (char *)"8"; /* what is written is not changed */
    s = choose(&p, m, &settings, &spec);
    assert_int_equal(spec.input_bits, 8);
    tin_model_free(m);
    close_sample(&p.sample);
}

static void bits_that_are_written_are_not_measured(void **state)
{
    (void)state;
    pair p;
    tin_quant_spec spec, plain;
    tin_error err = {0};
    open_pair(&p, 3, 5, 6);
    const network *net = &networks[6];
    assert_string_equal(net->name, "branches");
    tin_model *m = make_model(&p.sample, net->layers, net->n_layers, 6);
    tin_sensitivity s = choose(&p, m, &usual, &spec);
    assert_int_equal(s.n_decisions, 0);
    assert_int_equal(s.weight_bytes, s.weight_bytes_before);
    assert_ok(tin_quantize_calibrate(m, &p.sample.dataset, &usual, &plain, &err), &err);
    assert_memory_equal(&spec, &plain, sizeof spec);
    tin_model_free(m);
    close_sample(&p.sample);
}

static void expect_refused(const pair *p, const tin_model *m, const tin_config_quantize *settings, tin_status want,
                           const char *word)
{
    tin_quant_spec spec;
    tin_sensitivity s;
    tin_error err = {0};
    assert_int_equal(tin_quantize_choose(m, &p->sample.dataset, settings, true, &spec, &s, &err), want);
    if (!strstr(err.message, word))
        fail_msg("%s", err.message);
}

static void what_cannot_be_chosen_is_refused(void **state)
{
    (void)state;
    pair p;
    open_pair(&p, 6, 5, 7);
    tin_model *m = make_model(&p.sample, plain_gru, N_LAYERS(plain_gru), 7);
    tin_config_quantize settings = all_auto;
    settings.max_weight_bytes = 1000;
    expect_refused(&p, m, &settings, TIN_ERR_CONFIG,
                   "the weights take 1904 bytes, quantize.max_weight_bytes is 1000; make");
    settings = usual;
    settings.max_weight_bytes = 3807;
    expect_refused(&p, m, &settings, TIN_ERR_CONFIG,
                   "3808 bytes, quantize.max_weight_bytes is 3807; write weight_bits: auto");
    tin_model *slow = make_model(&p.sample, har, N_LAYERS(har), 7);
    p.streams[1].n_frames = slow->hop - 1;
    expect_refused(&p, slow, &all_auto, TIN_ERR_DATA, "no decision on the validation people");
    tin_model_free(slow);
    tin_model_free(m);
    close_sample(&p.sample);
}

/* As with train.cross_validation. */
static void where_nobody_validates_training_people_are_measured(void **state)
{
    (void)state;
    pair p;
    tin_quant_spec spec;
    open_pair(&p, 6, 5, 9);
    tin_model *m = make_model(&p.sample, plain_gru, N_LAYERS(plain_gru), 9);
    p.sample.dataset.n_streams = 1;
    tin_sensitivity s = choose(&p, m, &all_auto, &spec);
    assert_int_equal(s.n_decisions, p.streams[0].n_frames / m->hop);
    tin_model_free(m);
    close_sample(&p.sample);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    pair p;
    open_pair(&p, 3, 5, 8);
    p.streams[0].n_frames = 100;
    p.streams[1].n_frames = 40;
    tin_model *m = make_model(&p.sample, networks[6].layers, networks[6].n_layers, 8);
    for (size_t n = 1;; n++) {
        tin_quant_spec spec;
        tin_sensitivity s;
        tin_memory_fail_at(n);
        tin_status status = tin_quantize_choose(m, &p.sample.dataset, &all_auto, true, &spec, &s, NULL);
        tin_memory_fail_at(0);
        if (!status) {
            assert_true(n > 100);
            break;
        }
        assert_int_equal(status, TIN_ERR_MEMORY);
    }
    tin_model_free(m);
    close_sample(&p.sample);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(choices_bring_what_was_measured),
        cmocka_unit_test(a_fine_input_gets_16_bits),
        cmocka_unit_test(bits_that_are_written_are_not_measured),
        cmocka_unit_test(what_cannot_be_chosen_is_refused),
        cmocka_unit_test(where_nobody_validates_training_people_are_measured),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("choose", tests, NULL, NULL);
}
