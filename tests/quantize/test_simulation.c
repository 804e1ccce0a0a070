/* The integer model against a simulation in double that rounds where quantisation-aware training rounds: weights per
 * row, int8 between layers, the gru's state read in steps of 1/128; true sigmoid and tanh, exact biases and
 * multipliers. What is left is the integer arithmetic alone, so the bounds are far tighter than against the float
 * model. Two small grus in a row have the widest: they pass on each step of 1/128 that fell on the other side. */
#include "quantize_support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct layer_sim {
    double *weight, *hidden_weight; /* rounded, times their scale */
    double *rows;                   /* [history][n_inputs], newest last */
    int history, fill;
    double *state, *output; /* output: what the next layer reads */
} layer_sim;

typedef struct simulation {
    const tin_model *model;
    const tin_quant_spec *spec;
    layer_sim layers[TIN_MAX_LAYERS];
} simulation;

static double *zeros(size_t n)
{
    double *p = calloc(n, sizeof *p);
    assert_non_null(p);
    return p;
}

static const float *param(const tin_model *m, int layer, int index)
{
    return m->params + m->layers[layer].params[index].offset;
}

/* An activation: half up, as requantize. An average of 8 rows is a tie in every eighth case, so the tiny part counts:
 * it puts sums that are a tie but for the rounding of double on the side where the integers have them. */
static double round_to(double v, double scale, double low, double high)
{
    return fmin(high, fmax(low, floor(v / scale + 0.5 + 1e-9))) * scale;
}

static double *round_rows(const tin_model *m, int layer, int index, int n_rows)
{
    const float *w = param(m, layer, index);
    size_t n = m->layers[layer].params[index].size, per_row = n / (size_t)n_rows;
    double *rounded = zeros(n);
    for (size_t r = 0; r < (size_t)n_rows; r++) {
        double top = 0;
        for (size_t i = 0; i < per_row; i++)
            top = fmax(top, fabs((double)w[r * per_row + i]));
        for (size_t i = 0; i < per_row; i++)
            rounded[r * per_row + i] = rint((double)w[r * per_row + i] / (top / 127)) * (top / 127);
    }
    return rounded;
}

static void open_simulation(simulation *sim, const tin_model *m, const tin_quant_spec *spec)
{
    *sim = (simulation){.model = m, .spec = spec};
    for (int i = 0; i < m->n_layers; i++) {
        const tin_layer *l = &m->layers[i];
        layer_sim *s = &sim->layers[i];
        s->output = zeros((size_t)l->n_outputs);
        s->state = zeros((size_t)l->n_outputs);
        s->history = (l->kernel - 1) * l->dilation + 1;
        s->fill = s->history - l->stride;
        s->rows = zeros((size_t)s->history * (size_t)l->n_inputs);
        if (l->n_params > 0)
            s->weight = round_rows(m, i, 0, l->params[0].shape[0]);
        if (l->op == TIN_OP_GRU)
            s->hidden_weight = round_rows(m, i, 1, l->params[1].shape[0]);
    }
}

static void close_simulation(simulation *sim)
{
    for (int i = 0; i < sim->model->n_layers; i++) {
        layer_sim *s = &sim->layers[i];
        free(s->weight);
        free(s->hidden_weight);
        free(s->rows);
        free(s->state);
        free(s->output);
    }
}

static void simulate_conv1d(const tin_model *m, int index, layer_sim *s)
{
    const tin_layer *l = &m->layers[index];
    int inputs = l->n_inputs / l->groups, per_group = l->n_outputs / l->groups;
    for (int o = 0; o < l->n_outputs; o++) {
        s->output[o] = (double)param(m, index, 1)[o];
        for (int i = 0; i < inputs; i++) {
            for (int k = 0; k < l->kernel; k++)
                s->output[o] += s->weight[(o * inputs + i) * l->kernel + k] *
                                s->rows[k * l->dilation * l->n_inputs + o / per_group * inputs + i];
        }
    }
}

static void simulate_dense(const tin_model *m, int index, layer_sim *s, const double *x)
{
    const tin_layer *l = &m->layers[index];
    for (int o = 0; o < l->n_outputs; o++) {
        s->output[o] = (double)param(m, index, 1)[o];
        for (int i = 0; i < l->n_inputs; i++)
            s->output[o] += s->weight[o * l->n_inputs + i] * x[i];
    }
}

static double logistic(double x)
{
    return 1 / (1 + exp(-x));
}

static void simulate_gru(const tin_model *m, int index, layer_sim *s, const double *x)
{
    const tin_layer *l = &m->layers[index];
    int n_units = l->n_outputs;
    for (int u = 0; u < n_units; u++) {
        double a[3], b[3];
        for (int g = 0; g < 3; g++) {
            int r = g * n_units + u;
            a[g] = (double)param(m, index, 2)[r];
            b[g] = (double)param(m, index, 3)[r];
            for (int i = 0; i < l->n_inputs; i++)
                a[g] += s->weight[r * l->n_inputs + i] * x[i];
            for (int j = 0; j < n_units; j++)
                b[g] += s->hidden_weight[r * n_units + j] * s->output[j];
        }
        double z = logistic(a[1] + b[1]), n = tanh(a[2] + logistic(a[0] + b[0]) * b[2]);
        s->state[u] = n + z * (s->state[u] - n);
    }
    for (int u = 0; u < n_units; u++)
        s->output[u] = round_to(s->state[u], 1.0 / 128, -128, 127);
}

/* False when the layer is not due. */
static bool simulate_layer(simulation *sim, int index, const double *x)
{
    const tin_model *m = sim->model;
    const tin_layer *l = &m->layers[index];
    layer_sim *s = &sim->layers[index];
    size_t width = (size_t)l->n_inputs;
    memmove(s->rows, s->rows + width, (size_t)(s->history - 1) * width * sizeof *x);
    memcpy(s->rows + (size_t)(s->history - 1) * width, x, width * sizeof *x);
    if (++s->fill < s->history)
        return false;
    s->fill -= l->stride;
    if (l->op == TIN_OP_CONV1D)
        simulate_conv1d(m, index, s);
    else if (l->op == TIN_OP_DENSE)
        simulate_dense(m, index, s, x);
    else if (l->op == TIN_OP_GRU)
        simulate_gru(m, index, s, x);
    for (int i = 0; i < l->n_outputs && l->op == TIN_OP_RELU; i++)
        s->output[i] = fmax(0, x[i]);
    for (int i = 0; i < l->n_outputs && l->op == TIN_OP_AVG_POOL; i++) {
        s->output[i] = 0;
        for (int k = 0; k < l->kernel; k++)
            s->output[i] += s->rows[k * l->n_inputs + i] / l->kernel;
    }
    double scale = (double)sim->spec->output_scale[index];
    for (int i = 0; i < l->n_outputs && scale > 0 && l->op != TIN_OP_GRU; i++)
        s->output[i] = round_to(s->output[i], scale, -127, 127);
    return true;
}

static bool simulate_frame(simulation *sim, const int16_t *counts, const double **scores)
{
    const tin_model *m = sim->model;
    double input[TIN_MAX_CHANNELS];
    for (int c = 0; c < m->n_channels; c++)
        input[c] = round_to((counts[c] - m->input.offset[c]) * (double)m->input.scale[c],
                            (double)sim->spec->input_scale, -127, 127);
    const double *x = input;
    for (int i = 0; i < m->n_layers; i++) {
        if (!simulate_layer(sim, i, x))
            return false;
        x = sim->layers[i].output;
    }
    *scores = x;
    return true;
}

static void integers_equal_the_simulation(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const tin_layer_spec *layers;
        int n_layers, n_channels, n_classes;
        double bound; /* rms of the difference in logits, over the spread of the scores */
    } cases[] = {{"har", har, 7, 6, 6, 0.006},
                 {"gru", plain_gru, 2, 6, 5, 0.006},
                 {"separable", separable, 10, 3, 4, 0.004},
                 {"odd", odd, 6, 1, 2, 0.012}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sample s;
        tin_error err = {0};
        tin_quant_spec spec;
        tin_qmodel *q = NULL;
        tin_qrunner *runner = NULL;
        simulation sim;
        double error = 0, first = 0, second = 0, n = 0;
        int16_t z[MAX_CLASSES];
        const double *want = NULL;
        open_sample(&s, cases[i].n_channels, cases[i].n_classes, 12000, i + 1);
        tin_model *m = make_model(&s, cases[i].layers, cases[i].n_layers, i + 1);
        assert_ok(tin_quantize_calibrate(m, &s.dataset, &usual, &spec, &err), &err);
        assert_ok(tin_quantize_convert(m, &spec, &q, &err), &err);
        assert_ok(tin_qrunner_create(&runner, q, &err), &err);
        open_simulation(&sim, m, &spec);
        for (int64_t t = 0; t < s.stream.n_frames; t++) {
            const int16_t *counts = s.counts + t * m->n_channels;
            bool due = simulate_frame(&sim, counts, &want);
            assert_int_equal(tin_qrunner_step(runner, counts, z), due);
            for (int k = 0; due && k < m->n_classes; k++, n++) {
                error += pow(z[k] / (double)TIN_SCORE_ONE - want[k], 2);
                first += want[k];
                second += want[k] * want[k];
            }
        }
        double share = sqrt(error / n) / sqrt(second / n - first * first / n / n);
        print_message("%s: %.5f\n", cases[i].name, share);
        if (!(share < cases[i].bound))
            fail_msg("%s: %g", cases[i].name, share);
        close_simulation(&sim);
        tin_qrunner_free(runner);
        tin_qmodel_free(q);
        tin_model_free(m);
        close_sample(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(integers_equal_the_simulation)};
    return cmocka_run_group_tests_name("simulation", tests, NULL, NULL);
}
