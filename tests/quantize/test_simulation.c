/* The integer model against the simulation in double: what is left is the integer arithmetic alone, so the bounds are
 * far tighter than against the float model. */
#include <math.h>
#include <stdio.h>

#include "simulation.h"

/* rms of the difference in logits, over the spread of the scores */
static double compare(const tin_model *m, const sample *s, const tin_quant_spec *spec)
{
    tin_error err = {0};
    tin_qmodel *q = NULL;
    tin_qrunner *runner = NULL;
    simulation sim;
    double error = 0, first = 0, second = 0, n = 0;
    int16_t z[MAX_CLASSES];
    const double *want = NULL;
    assert_ok(tin_quantize_convert(m, spec, &q, &err), &err);
    assert_ok(tin_qrunner_create(&runner, q, &err), &err);
    open_simulation(&sim, m, spec);
    for (int64_t t = 0; t < s->stream.n_frames; t++) {
        const int16_t *counts = s->counts + t * m->n_channels;
        bool due = simulate_frame(&sim, counts, &want);
        assert_int_equal(tin_qrunner_step(runner, counts, z), due);
        for (int k = 0; due && k < m->n_classes; k++, n++) {
            error += pow(z[k] / (double)TIN_SCORE_ONE - want[k], 2);
            first += want[k];
            second += want[k] * want[k];
        }
    }
    close_simulation(&sim);
    tin_qrunner_free(runner);
    tin_qmodel_free(q);
    return sqrt(error / n) / sqrt(second / n - first * first / n / n);
}

typedef struct variant {
    const char *name;
    tin_config_quantize settings;
    double bound;
} variant;

#define USUAL .percentile = 0.999, .activation_percentile = 0.9999
static const variant variants[] = {
    {"8 bits", {USUAL}, 0.015},
    {"4-bit weights", {USUAL, .weight_bits = (char *)"4"}, 0.03},
    {"16 bits", {USUAL, .input_bits = (char *)"16", .activation_bits = (char *)"16"}, 0.01},
    {"powers of two", {USUAL, .power_of_two = true}, 0.02},
};
#define N_VARIANTS (sizeof variants / sizeof *variants)

/* The variant on the model; its error must stay below the bound. */
static void check_variant(const char *name, const tin_model *m, const sample *s, const variant *v, double bound)
{
    tin_error err = {0};
    tin_quant_spec spec;
    tin_model *prepared = NULL;
    assert_ok(tin_model_copy(&prepared, m, &err), &err);
    assert_ok(tin_quantize_prepare(prepared, &s->dataset, &v->settings, &err), &err);
    assert_ok(tin_quantize_calibrate(prepared, &s->dataset, &v->settings, &spec, &err), &err);
    double share = compare(prepared, s, &spec);
    print_message("%s, %s: %.5f\n", name, v->name, share);
    if (!(share < bound))
        fail_msg("%s, %s: %g is not below %g", name, v->name, share, bound);
    tin_model_free(prepared);
}

static void integers_equal_the_simulation(void **state)
{
    (void)state;
    for (int i = 0; i < n_networks; i++) {
        const network *net = &networks[i];
        sample s;
        open_sample(&s, net->n_channels, net->n_classes, 12000, (uint64_t)i + 1);
        tin_model *m = make_model(&s, net->layers, net->n_layers, (uint64_t)i + 1);
        for (size_t v = 0; v < N_VARIANTS; v++) {
            if (!variants[v].settings.power_of_two || net->shifts)
                check_variant(net->name, m, &s, &variants[v], variants[v].bound);
        }
        tin_model_free(m);
        close_sample(&s);
    }
}

/* Rounds of a value that fell on the other side grow in a chain of small recurrent layers; a fault in a scale, a unit
 * or a rounding is many times larger. */
static void random_graphs_equal_the_simulation(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        sample s;
        random_graph g;
        char name[32];
        make_graph(&g, seed);
        snprintf(name, sizeof name, "graph %d", (int)seed);
        open_sample(&s, 3, 4, 3000, seed);
        tin_model *m = make_model(&s, g.layers, g.n, seed);
        const variant *v = &variants[seed % 3];
        check_variant(name, m, &s, v, 2 * v->bound);
        tin_model_free(m);
        close_sample(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(integers_equal_the_simulation),
                                       cmocka_unit_test(random_graphs_equal_the_simulation)};
    return cmocka_run_group_tests_name("simulation", tests, NULL, NULL);
}
