/* From float to integers: scales, rounding, refusals, and how near the integer model stays to the float model. */
#include "quantize_support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static tin_qmodel *quantise(const tin_model *m, const sample *s)
{
    tin_quant_spec spec;
    tin_qmodel *q = NULL;
    tin_error err = {0};
    assert_ok(tin_quantize_calibrate(m, &s->dataset, &usual, &spec, &err), &err);
    assert_ok(tin_quantize_convert(m, &spec, &q, &err), &err);
    return q;
}

/* How far the integer scores are from the float ones, over decisions [from, to). */
typedef struct distance {
    double rms, spread; /* logits; of the difference, and of the float scores around their mean */
    double agreement,
        sure; /* share of equal argmax: of all decisions, and where the float margin is above a tenth of a logit */
} distance;

static int argmax_f32(const float *x, int n)
{
    int best = 0;
    for (int k = 1; k < n; k++)
        best = x[k] > x[best] ? k : best;
    return best;
}

static int argmax_s16(const int16_t *x, int n)
{
    int best = 0;
    for (int k = 1; k < n; k++)
        best = x[k] > x[best] ? k : best;
    return best;
}

typedef struct sums {
    double error, first, second, values, equal, n, sure_equal, sure;
} sums;

static void add_decision(sums *a, const float *f, const int16_t *q, int n_classes)
{
    for (int k = 0; k < n_classes; k++) {
        double e = (double)q[k] / TIN_SCORE_ONE - (double)f[k];
        a->error += e * e;
        a->first += (double)f[k];
        a->second += (double)f[k] * (double)f[k];
    }
    a->values += n_classes;
    int best = argmax_f32(f, n_classes);
    bool equal = best == argmax_s16(q, n_classes), sure = true;
    for (int k = 0; k < n_classes; k++)
        sure = sure && (k == best || f[best] - f[k] > 0.1f);
    a->equal += equal;
    a->n++;
    a->sure += sure;
    a->sure_equal += sure && equal;
}

static distance finish(const sums *a)
{
    double mean = a->first / a->values;
    return (distance){sqrt(a->error / a->values), sqrt(a->second / a->values - mean * mean), a->equal / a->n,
                      a->sure_equal / a->sure};
}

/* Runs both over the stream; early: first tenth of the frames, late: last tenth, all. */
static void compare(const tin_model *m, const tin_qmodel *q, const sample *s, distance *early, distance *late,
                    distance *all)
{
    tin_float_runner *fr = NULL;
    tin_qrunner *qr = NULL;
    float f[MAX_CLASSES];
    int16_t z[MAX_CLASSES];
    sums total = {0}, first = {0}, last = {0};
    int64_t n = s->stream.n_frames;
    assert_int_equal(tin_float_runner_create(&fr, m, NULL), TIN_OK);
    assert_int_equal(tin_qrunner_create(&qr, q, NULL), TIN_OK);
    for (int64_t t = 0; t < n; t++) {
        const int16_t *frame = s->counts + t * m->n_channels;
        int due = tin_float_runner_step(fr, frame, f);
        assert_int_equal(due, tin_qrunner_step(qr, frame, z));
        if (!due)
            continue;
        add_decision(&total, f, z, m->n_classes);
        if (t < n / 10)
            add_decision(&first, f, z, m->n_classes);
        if (t >= n - n / 10)
            add_decision(&last, f, z, m->n_classes);
    }
    *all = finish(&total);
    if (early)
        *early = finish(&first);
    if (late)
        *late = finish(&last);
    tin_float_runner_free(fr);
    tin_qrunner_free(qr);
}

/* ---- nearness ---- */

/* Bounds on what was measured over three seeds (error: rms of the difference over the spread of the float scores).
 * Rounding to 8 bits costs about 1 % per layer; a fault in a scale, a unit or a rounding is many times larger. */
static void expect_near(const char *name, const tin_model *m, const sample *s, double error, double agreement,
                        double sure)
{
    distance d;
    tin_qmodel *q = quantise(m, s);
    compare(m, q, s, NULL, NULL, &d);
    print_message("%s: error %.4f of spread %.2f, agreement %.4f, %.4f\n", name, d.rms / d.spread, d.spread,
                  d.agreement, d.sure);
    if (!(d.rms < error * d.spread) || !(d.agreement >= agreement) || !(d.sure >= sure))
        fail_msg("%s: rms %g, spread %g, agreement %g, %g", name, d.rms, d.spread, d.agreement, d.sure);
    tin_qmodel_free(q);
}

static void integers_stay_near_the_float_model(void **state)
{
    (void)state;
    static const network more[] = {{"wide", har, N_LAYERS(har), 8, 200, true},
                                   {"one", plain_gru, N_LAYERS(plain_gru), 1, 1, true}};
    for (int i = 0; i < n_networks + N_LAYERS(more); i++) {
        const network *net = i < n_networks ? &networks[i] : &more[i - n_networks];
        for (uint64_t seed = 1; seed <= 3; seed++) {
            sample s;
            open_sample(&s, net->n_channels, net->n_classes, 12000, seed);
            tin_model *m = make_model(&s, net->layers, net->n_layers, seed);
            bool one = net->n_classes == 1; /* its scores hardly move */
            expect_near(net->name, m, &s, one ? 0.1 : 0.06, 0.95, 0.99);
            tin_model_free(m);
            close_sample(&s);
        }
    }
}

static void random_graphs_stay_near_the_float_model(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        sample s;
        random_graph g;
        make_graph(&g, seed);
        open_sample(&s, 3, 4, 4000, seed);
        tin_model *m = make_model(&s, g.layers, g.n, seed);
        expect_near("random graph", m, &s, 0.1, 0.93, 0.95);
        tin_model_free(m);
        close_sample(&s);
    }
}

static void long_streams_do_not_drift(void **state)
{
    (void)state;
    sample s;
    distance early, late, all;
    open_sample(&s, 6, 5, 100000, 9);
    tin_model *m = make_model(&s, plain_gru, N_LAYERS(plain_gru), 9);
    tin_qmodel *q = quantise(m, &s);
    compare(m, q, &s, &early, &late, &all);
    print_message("rms early %.5f, late %.5f, agreement %.4f and %.4f\n", early.rms, late.rms, early.agreement,
                  late.agreement);
    assert_true(late.rms < 1.3 * early.rms);
    assert_true(late.agreement > early.agreement - 0.005);
    tin_qmodel_free(q);
    tin_model_free(m);
    close_sample(&s);
}

/* ---- calibration ---- */

static const tin_layer_spec small[] = {{.op = TIN_OP_CONV1D, .units = 2, .stride = 2},
                                       {.op = TIN_OP_RELU},
                                       {.op = TIN_OP_AVG_POOL, .kernel = 2},
                                       {.op = TIN_OP_GRU, .units = 3},
                                       {.op = TIN_OP_DENSE, .units = 2},
                                       {.op = TIN_OP_DENSE}};

/* A model with all weights zero but those that a test sets. */
static tin_model *zero_model(const sample *s, const tin_layer_spec *layers, int n_layers)
{
    tin_model *m = NULL;
    tin_error err = {0};
    assert_ok(tin_model_create(&m, &s->dataset, layers, n_layers, &err), &err);
    return m;
}

static float *weights(tin_model *m, int layer, int param)
{
    return m->params + m->layers[layer].params[param].offset;
}

/* Counts 0..999 once each: percentiles are known. */
static void scales_are_percentiles(void **state)
{
    (void)state;
    sample s;
    tin_quant_spec spec;
    tin_error err = {0};
    open_sample(&s, 1, 2, 1000, 1);
    for (int t = 0; t < 1000; t++)
        s.counts[t] = (int16_t)(t % 2 ? -t : t);
    tin_model *m = zero_model(&s, small, N_LAYERS(small));
    m->input.scale[0] = 0.5f;
    weights(m, 0, 0)[0] = 1; /* reads the frames 1, 3, ..: -0.5, -1.5, .. */
    weights(m, 0, 0)[1] = -2;
    tin_config_quantize settings = {.percentile = 0.9, .activation_percentile = 1};
    assert_ok(tin_quantize_calibrate(m, &s.dataset, &settings, &spec, &err), &err);
    assert_true(fabs((double)spec.input_scale * 127 / 450 - 1) < 0.006); /* 0.4 % wide bins, upper edge */
    assert_true((double)spec.input_scale * 127 >= 449);
    assert_true(spec.output_scale[0] == 0);            /* relu follows */
    assert_true(spec.output_scale[1] == 999.0f / 127); /* the greatest value, exactly */
    assert_true(spec.output_scale[2] == 998.0f / 127); /* the mean of 999 and 997 */
    assert_true(spec.output_scale[3] == 1.0f / 128);
    assert_true(spec.output_scale[4] == 1.0f / 127); /* always zero: any scale, but a positive one */
    assert_true(spec.output_scale[5] == 0);          /* the scores */
    tin_model_free(m);
    close_sample(&s);
}

static void expect_calibration_refused(const tin_model *m, const tin_dataset *d, const tin_config_quantize *settings,
                                       tin_status want, const char *word)
{
    tin_quant_spec spec;
    tin_error err = {0};
    assert_int_equal(tin_quantize_calibrate(m, d, settings, &spec, &err), want);
    if (!strstr(err.message, word))
        fail_msg("%s", err.message);
}

static void calibration_refuses_what_it_cannot_use(void **state)
{
    (void)state;
    sample s;
    open_sample(&s, 1, 2, 100, 1);
    tin_model *m = zero_model(&s, small, N_LAYERS(small));
    expect_calibration_refused(m, &s.dataset, &(tin_config_quantize){.percentile = 0, .activation_percentile = 1},
                               TIN_ERR_CONFIG, "percentile is 0");
    expect_calibration_refused(m, &s.dataset, &(tin_config_quantize){.percentile = 1, .activation_percentile = 1.1},
                               TIN_ERR_CONFIG, "activation_percentile 1.1");
    s.stream.n_frames = 1;
    expect_calibration_refused(m, &s.dataset, &usual, TIN_ERR_DATA, "never gave an output");
    s.stream.role = TIN_ROLE_TEST;
    expect_calibration_refused(m, &s.dataset, &usual, TIN_ERR_DATA, "no training frames");
    s.stream = (tin_stream){.id = "one", .role = TIN_ROLE_TRAIN, .n_frames = 100, .counts = s.counts};
    s.dataset.n_channels = 2;
    expect_calibration_refused(m, &s.dataset, &usual, TIN_ERR_MODEL, "2 channels, the model 1");
    s.dataset.n_channels = 1;
    weights(m, 0, 1)[0] = INFINITY;
    expect_calibration_refused(m, &s.dataset, &usual, TIN_ERR_NUMERIC, "stream one");
    tin_model_free(m);
    close_sample(&s);
}

/* Only every n-th block of a long dataset is run, from its beginning to its end. */
static void long_datasets_are_thinned_evenly(void **state)
{
    (void)state;
    sample s;
    tin_quant_spec spec;
    open_sample(&s, 1, 2, 1000000, 1);
    memset(s.counts, 0, 1000000 * sizeof *s.counts);
    tin_model *m = zero_model(&s, small, N_LAYERS(small));
    tin_config_quantize settings = {.percentile = 1, .activation_percentile = 1};
    for (int block = 1; block < 5; block++) /* the first of five is run, the others are left out */
        s.counts[2000 * block] = 500;
    assert_int_equal(tin_quantize_calibrate(m, &s.dataset, &settings, &spec, NULL), TIN_OK);
    assert_true(spec.input_scale == 1.0f / 127);
    s.counts[990000] = 100; /* block 495 */
    assert_int_equal(tin_quantize_calibrate(m, &s.dataset, &settings, &spec, NULL), TIN_OK);
    assert_true(spec.input_scale == 100.0f / 127);
    tin_model_free(m);
    close_sample(&s);
}

/* ---- conversion ---- */

static void weights_biases_and_multipliers_are_as_documented(void **state)
{
    (void)state;
    sample s;
    tin_qmodel *q = NULL;
    tin_error err = {0};
    open_sample(&s, 1, 2, 10, 1);
    tin_model *m = zero_model(&s, small, N_LAYERS(small));
    m->input.offset[0] = -7;
    m->input.scale[0] = 0.125f;
    weights(m, 0, 0)[0] = 0.5f; /* alone in its row: 127 */
    weights(m, 0, 1)[0] = -3;
    float *ih = weights(m, 3, 0), *hh = weights(m, 3, 1), *b_ih = weights(m, 3, 2), *b_hh = weights(m, 3, 3);
    for (int r = 0; r < 9; r++) {
        ih[2 * r] = 1.27f;
        ih[2 * r + 1] = -0.635f; /* -63.5: a tie, to even: -64 */
        hh[3 * r] = -2.54f;
        b_ih[r] = 0.25f;
        b_hh[r] = 0.5f;
    }
    weights(m, 4, 0)[0] = 1;
    weights(m, 5, 0)[0] = 1;
    weights(m, 5, 0)[2] = 0.001f;
    tin_quant_spec spec = {.input_scale = 0.0625f, .output_scale = {0, 0.1f, 0.025f, 1.0f / 128, 0.05f, 0}};
    assert_ok(tin_quantize_convert(m, &spec, &q, &err), &err);
    assert_int_equal(q->n_layers, 5); /* the relu is part of the conv1d */
    assert_int_equal(q->hop, 2);
    assert_int_equal(q->input_offset[0], -7);
    assert_int_equal(q->input_shift, 3); /* 0.125 / 0.0625 = 2 = 2^30 / 2^(32 - 3) */
    assert_int_equal(q->input_mult[0], 1 << 30);
    const tin_qlayer *conv = &q->layers[0], *pool = &q->layers[1], *gru = &q->layers[2], *last = &q->layers[4];
    assert_true(conv->activation == TIN_ACTIVATION_RELU && conv->output_scale == 0.1f && !q->layers[3].activation);
    double unit = 0.5 / 127 * 0.0625; /* of the accumulator */
    assert_int_equal(conv->weight[0], 127);
    assert_int_equal(conv->weight[1], 0);
    assert_int_equal(conv->bias[0], (int)rint(-3 / unit));
    assert_int_equal(conv->shift, 0);
    assert_true(fabs(conv->mult[0] / 4294967296.0 - unit / (double)0.1f) < 1e-9);
    assert_int_equal(pool->mult[0], 1 << 30); /* a mean of 2, 4 times finer: 2 = 2^30 / 2^(32 - 3) */
    assert_int_equal(pool->shift, 3);
    assert_true(pool->output_scale == 0.025f);
    double in_unit = (double)1.27f / 127 * (double)0.025f, state_unit = (double)2.54f / 127 / 128;
    for (int r = 0; r < 9; r++) {
        bool n = r >= 6;
        assert_int_equal(gru->weight[2 * r], 127);
        assert_int_equal(gru->weight[2 * r + 1], -64);
        assert_int_equal(gru->hidden_weight[3 * r], -127);
        assert_int_equal(gru->bias[r], (int)rint((n ? 0.25 : 0.75) / in_unit));
        assert_true(fabs(ldexp(gru->mult[r], gru->shift - 32) - in_unit * (n ? 8192 : 4096)) < 1e-7);
        assert_true(fabs(ldexp(gru->hidden_mult[r], gru->hidden_shift - 32) - state_unit * (n ? 131072 : 4096)) < 1e-6);
    }
    assert_int_equal(gru->shift, 3);        /* 2.048 < 2^2, not < 2^1: 2^31 / 2^(32 - 3) = 2^2 */
    assert_int_equal(gru->hidden_shift, 6); /* 20.48 */
    assert_int_equal(gru->hidden_bias[0], (int)rint(0.5 / state_unit));
    assert_true(last->output_scale == 1.0f / 256);
    assert_true(fabs(ldexp(last->mult[0], last->shift - 32) - 1.0 / 127 * (double)0.05f * 256) < 1e-9);
    assert_int_equal(strlen(q->hash), 64);
    tin_qmodel_free(q);
    tin_model_free(m);
    close_sample(&s);
}

/* conv1d [O][I][K] becomes [O][K][I]. */
static void taps_are_reordered(void **state)
{
    (void)state;
    sample s;
    tin_qmodel *q = NULL;
    const tin_layer_spec layers[] = {{.op = TIN_OP_CONV1D, .units = 1, .kernel = 3}, {.op = TIN_OP_DENSE}};
    open_sample(&s, 2, 1, 10, 1);
    tin_model *m = zero_model(&s, layers, 2);
    for (int i = 0; i < 6; i++)
        weights(m, 0, 0)[i] = (float)(i + 1) * 127 / 6; /* channel 0: 1 2 3 sixths, channel 1: 4 5 6 */
    tin_quant_spec spec = {.input_scale = 1, .output_scale = {1, 0}};
    assert_int_equal(tin_quantize_convert(m, &spec, &q, NULL), TIN_OK);
    const int8_t want[6] = {21, 85, 42, 106, 64, 127};
    assert_memory_equal(q->layers[0].weight, want, 6);
    tin_qmodel_free(q);
    tin_model_free(m);
    close_sample(&s);
}

/* A pruned or dying unit: all weights zero or tiny, but a bias. It must neither overflow nor spoil its neighbours. */
static void rows_without_weight_keep_their_bias(void **state)
{
    (void)state;
    sample s;
    distance d;
    open_sample(&s, 6, 6, 4000, 3);
    tin_model *m = make_model(&s, har, N_LAYERS(har), 3);
    for (int i = 0; i < 30; i++) {
        weights(m, 0, 0)[i] = 0;
        weights(m, 0, 0)[30 + i] = 1e-30f;
    }
    weights(m, 0, 1)[0] = 0.7f;
    weights(m, 0, 1)[1] = 0.9f;
    int gru = 4;
    assert_int_equal(m->layers[gru].op, TIN_OP_GRU);
    memset(weights(m, gru, 1), 0, 24 * sizeof(float));
    weights(m, gru, 3)[48] = 0.8f;
    for (int i = 0; i < 24; i++)
        weights(m, gru, 1)[48 * 24 + i] = 1e-20f;
    tin_qmodel *q = quantise(m, &s);
    compare(m, q, &s, NULL, NULL, &d);
    if (!(d.rms < 0.04 * d.spread))
        fail_msg("rms %g, spread %g", d.rms, d.spread);
    assert_int_equal(q->layers[0].weight[0], 0);
    assert_in_range(q->layers[0].bias[1], (1 << 22) - 2, (1 << 22) + 2);
    tin_qmodel_free(q);
    tin_model_free(m);
    close_sample(&s);
}

/* A part that others read too, or of a scale of its own, is multiplied; what only the concat reads is copied. */
static void concat_gives_its_scale_to_what_it_alone_reads(void **state)
{
    (void)state;
    static const tin_layer_spec layers[] = {
        {.op = TIN_OP_DENSE, .units = 2, .name = "a"},
        {.op = TIN_OP_RELU, .name = "b"},
        {.op = TIN_OP_MAX_POOL, .kernel = 2, .name = "c"},
        {.op = TIN_OP_DENSE, .units = 3, .from = {"input"}, .n_from = 1, .name = "shared"},
        {.op = TIN_OP_GRU, .units = 2, .name = "gru"},
        {.op = TIN_OP_CONCAT, .from = {"c", "shared", "gru"}, .n_from = 3, .name = "joined"},
        {.op = TIN_OP_DENSE},
    };
    sample s;
    tin_qmodel *q = NULL;
    tin_quant_spec spec = {0};
    tin_error err = {0};
    open_sample(&s, 1, 2, 10, 1);
    tin_model *m = zero_model(&s, layers, N_LAYERS(layers));
    const tin_quant_ranges ranges = {.input = {2, 4},
                                     .output = {[1] = {3, 6}, [3] = {5, 10}}}; /* of the relu and of the shared dense */
    tin_quantize_assign(m, &ranges, &spec);
    assert_true(spec.output_scale[5] == 5.0f / 127); /* the greatest of 3, 5 and 127/128 */
    assert_true(spec.output_scale[1] == 5.0f / 127 && spec.output_scale[2] == 5.0f / 127);
    assert_true(spec.output_scale[3] == 5.0f / 127 && spec.output_scale[4] == 1.0f / 128);
    assert_true(spec.output_scale[0] == 0 && spec.output_scale[6] == 0);
    assert_ok(tin_quantize_convert(m, &spec, &q, &err), &err);
    const tin_qlayer *joined = &q->layers[4];
    assert_int_equal(joined->op, TIN_OP_CONCAT);
    assert_string_equal(joined->name, "joined");
    assert_true(joined->from[0] == 1 && joined->from[1] == 2 && joined->from[2] == 3);
    assert_int_equal(joined->shift, 14);
    assert_int_equal(joined->mult[0], 1 << 14);
    assert_int_equal(joined->mult[1], 1 << 14);
    assert_int_equal(joined->mult[2], (int)rint(16384.0 / 128 / 5 * 127));
    tin_qmodel_free(q);
    /* 16 bits: what a max_pool or a gru gives stays at 8 and keeps its own range */
    memset(&spec, 0, sizeof spec);
    spec.input_bits = 16;
    memset(spec.output_bits, 16, sizeof spec.output_bits);
    tin_quantize_assign(m, &ranges, &spec);
    assert_int_equal(spec.input_bits, 16);
    assert_true(spec.output_bits[1] == 8 && spec.output_bits[2] == 8 && spec.output_bits[4] == 8);
    assert_true(spec.output_bits[3] == 16 && spec.output_bits[5] == 16);
    assert_true(spec.output_scale[5] == 10.0f / 32767 && spec.output_scale[2] == 3.0f / 127);
    tin_model_free(m);
    close_sample(&s);
}

static void expect_conversion_refused(const tin_model *m, const tin_quant_spec *spec, const char *word)
{
    tin_qmodel *q = NULL;
    tin_error err = {0};
    assert_int_equal(tin_quantize_convert(m, spec, &q, &err), TIN_ERR_MODEL);
    assert_null(q);
    if (!strstr(err.message, word))
        fail_msg("wanted \"%s\": %s", word, err.message);
}

static void models_that_do_not_fit_integers_are_refused(void **state)
{
    (void)state;
    static const tin_layer_spec unfolded[] = {
        {.op = TIN_OP_DENSE, .units = 2}, {.op = TIN_OP_BATCH_NORM}, {.op = TIN_OP_DENSE}};
    static const tin_layer_spec relu_first[] = {{.op = TIN_OP_RELU}, {.op = TIN_OP_DENSE}};
    static const tin_layer_spec relu_gru[] = {
        {.op = TIN_OP_GRU, .units = 2}, {.op = TIN_OP_RELU}, {.op = TIN_OP_DENSE}};
    static const tin_layer_spec relu_twice[] = {
        {.op = TIN_OP_DENSE, .units = 2}, {.op = TIN_OP_RELU}, {.op = TIN_OP_RELU}, {.op = TIN_OP_DENSE}};
    static const tin_layer_spec shared[] = {{.op = TIN_OP_DENSE, .units = 2, .name = "a"},
                                            {.op = TIN_OP_RELU, .name = "b"},
                                            {.op = TIN_OP_ADD, .from = {"a", "b"}, .n_from = 2},
                                            {.op = TIN_OP_DENSE}};
    static const tin_layer_spec sum[] = {{.op = TIN_OP_DENSE, .units = 2, .name = "a"},
                                         {.op = TIN_OP_ADD, .from = {"a", "a"}, .n_from = 2},
                                         {.op = TIN_OP_SIGMOID},
                                         {.op = TIN_OP_DENSE}};
    static const struct {
        const tin_layer_spec *layers;
        int n;
        const char *word;
    } graphs[] = {{shared, 4, "layer 2 (relu) cannot be part of layer 1 (dense), which other layers read too"},
                  {sum, 4, "layer 3 (sigmoid) cannot be part of an add"},
                  {unfolded, 3, "fold the model first"},
                  {relu_first, 2, "layer 1 (relu)"},
                  {relu_gru, 3, "layer 2 (relu) does not follow a conv1d, dense or add"},
                  {relu_twice, 4, "layer 3 (relu)"}};
    const tin_quant_spec good = {.input_scale = 1, .output_scale = {1, 1, 1, 1, 1, 1}};
    sample s;
    open_sample(&s, 1, 2, 10, 1);
    for (size_t i = 0; i < sizeof graphs / sizeof *graphs; i++) {
        tin_model *m = zero_model(&s, graphs[i].layers, graphs[i].n);
        tin_quant_spec spec;
        expect_conversion_refused(m, &good, graphs[i].word);
        assert_int_equal(tin_quantize_calibrate(m, &s.dataset, &usual, &spec, NULL), TIN_ERR_MODEL);
        tin_model_free(m);
    }
    tin_model *m = zero_model(&s, small, N_LAYERS(small));
    tin_quant_spec spec = good;
    spec.input_scale = 0;
    expect_conversion_refused(m, &spec, "scale of the input is 0");
    spec = good;
    spec.output_scale[4] = NAN;
    expect_conversion_refused(m, &spec, "layer 5 (dense): the scale of its output");
    spec = good;
    spec.input_scale = 1e-6f;
    expect_conversion_refused(m, &spec, "input channel 0: its multiplier 1e+06");
    weights(m, 0, 0)[1] = NAN;
    expect_conversion_refused(m, &good, "layer 1, row 1: a weight or bias is NaN");
    weights(m, 0, 0)[1] = 0;
    weights(m, 3, 3)[7] = INFINITY;
    expect_conversion_refused(m, &good, "layer 4, row 7");
    weights(m, 3, 3)[7] = 0;
    weights(m, 0, 0)[0] = 1;
    weights(m, 0, 0)[1] = 1e9f;
    expect_conversion_refused(m, &good, "layer 1, row 1: its multiplier");
    tin_model_free(m);
    close_sample(&s);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    static const char *const methods[] = {"percentile", "minmax", "mse", "kl"};
    for (int i = 0; i < n_networks; i++) {
        const network *net = &networks[i];
        sample s;
        tin_quant_spec spec;
        tin_config_quantize settings = usual;
        settings.method = (char *)methods[i % 4];
        open_sample(&s, net->n_channels, net->n_classes, 300, 1);
        tin_model *m = make_model(&s, net->layers, net->n_layers, 1);
        for (int which = 0; which < 2; which++) {
            for (size_t n = 1;; n++) {
                tin_qmodel *q = NULL;
                tin_memory_fail_at(n);
                tin_status status = which == 0 ? tin_quantize_calibrate(m, &s.dataset, &settings, &spec, NULL)
                                               : tin_quantize_convert(m, &spec, &q, NULL);
                tin_memory_fail_at(0);
                tin_qmodel_free(q);
                if (!status) {
                    assert_true(n > 5);
                    break;
                }
                assert_int_equal(status, TIN_ERR_MEMORY);
                assert_null(q);
            }
        }
        tin_model_free(m);
        close_sample(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_stay_near_the_float_model),
        cmocka_unit_test(random_graphs_stay_near_the_float_model),
        cmocka_unit_test(long_streams_do_not_drift),
        cmocka_unit_test(scales_are_percentiles),
        cmocka_unit_test(calibration_refuses_what_it_cannot_use),
        cmocka_unit_test(long_datasets_are_thinned_evenly),
        cmocka_unit_test(weights_biases_and_multipliers_are_as_documented),
        cmocka_unit_test(taps_are_reordered),
        cmocka_unit_test(rows_without_weight_keep_their_bias),
        cmocka_unit_test(concat_gives_its_scale_to_what_it_alone_reads),
        cmocka_unit_test(models_that_do_not_fit_integers_are_refused),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("quantize", tests, NULL, NULL);
}
