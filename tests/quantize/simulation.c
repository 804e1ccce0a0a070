#include "simulation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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

/* Half up, as requantize. An average of 8 rows is a tie in every eighth case, so the tiny part counts: it puts sums
 * that are a tie but for the rounding of double on the side where the integers have them. */
static double round_to(double v, double scale, double low, double high)
{
    return fmin(high, fmax(low, floor(v / scale + 0.5 + 1e-9))) * scale;
}

static double round_state(double v)
{
    return round_to(v, 1.0 / 128, -128, 127);
}

static double *round_rows(const simulation *sim, int layer, int index)
{
    const tin_param *p = &sim->model->layers[layer].params[index];
    const float *w = param(sim->model, layer, index);
    size_t per_row = p->size / (size_t)p->shape[0];
    int bits = sim->spec->weight_bits[layer] == 4 ? 4 : 8;
    double most = bits == 4 ? 7 : 127, *rounded = zeros(p->size);
    for (size_t i = 0; i < p->size; i++) {
        const float *row = w + i / per_row * per_row;
        double scale = tin_weight_scale(row, (int)per_row, bits, sim->spec->power_of_two);
        rounded[i] = scale > 0 ? fmax(-most, fmin(most, rint((double)w[i] / scale))) * scale : 0;
    }
    return rounded;
}

void open_simulation(simulation *sim, const tin_model *m, const tin_quant_spec *spec)
{
    *sim = (simulation){.model = m, .spec = spec};
    for (int i = 0; i < m->n_layers; i++) {
        const tin_layer *l = &m->layers[i];
        layer_sim *s = &sim->layers[i];
        s->output = zeros((size_t)l->n_outputs);
        s->state = zeros((size_t)l->n_outputs);
        s->cell = zeros((size_t)l->n_outputs);
        s->row = zeros((size_t)l->n_inputs);
        s->history = (l->kernel - 1) * l->dilation + 1;
        s->fill = s->history - l->stride;
        s->rows = zeros((size_t)s->history * (size_t)l->n_inputs);
        if (l->n_params > 0)
            s->weight = round_rows(sim, i, 0);
        if (l->n_params == 4)
            s->hidden_weight = round_rows(sim, i, 1);
        if (tin_op_reads_counts(l->op)) {
            const tin_feature_shape shape = tin_feature_of_layer(l, m->rate_hz);
            assert_int_equal(tin_feature_create(&s->feature, &shape, NULL), TIN_OK);
            s->stream = zeros(tin_feature_state_bytes(s->feature) / sizeof(double));
        }
    }
}

void close_simulation(simulation *sim)
{
    for (int i = 0; i < sim->model->n_layers; i++) {
        layer_sim *s = &sim->layers[i];
        free(s->weight);
        free(s->hidden_weight);
        free(s->rows);
        free(s->state);
        free(s->cell);
        free(s->row);
        free(s->output);
        tin_feature_free(s->feature);
        free(s->stream);
    }
}

/* ---- ops; each fills output with what it has before rounding ---- */

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

static double logistic(double x)
{
    return 1 / (1 + exp(-x));
}

/* W x + b of row r. */
static double input_sum(const tin_model *m, int index, const layer_sim *s, int r)
{
    const tin_layer *l = &m->layers[index];
    double sum = (double)param(m, index, l->n_params == 4 ? 2 : 1)[r];
    for (int i = 0; i < l->n_inputs; i++)
        sum += s->weight[r * l->n_inputs + i] * s->row[i];
    return sum;
}

/* U v + c of row r. */
static double state_sum(const tin_model *m, int index, const layer_sim *s, int r, const double *v)
{
    int n_units = m->layers[index].n_outputs;
    double sum = (double)param(m, index, 3)[r];
    for (int j = 0; j < n_units; j++)
        sum += s->hidden_weight[r * n_units + j] * v[j];
    return sum;
}

static double gate(const tin_model *m, int index, const layer_sim *s, int r)
{
    return input_sum(m, index, s, r) + state_sum(m, index, s, r, s->output);
}

/* New h of unit u; all read the output of the step before. */
static double simulate_unit(const tin_model *m, int index, layer_sim *s, int u, const double *kept)
{
    const tin_layer *l = &m->layers[index];
    int n_units = l->n_outputs, n = l->op == TIN_OP_GRU || l->op == TIN_OP_LSTM ? 2 * n_units + u : n_units + u;
    double z, candidate;
    switch (l->op) {
    case TIN_OP_LSTM:
        s->cell[u] = logistic(gate(m, index, s, n_units + u)) * s->cell[u] +
                     logistic(gate(m, index, s, u)) * tanh(gate(m, index, s, n));
        return logistic(gate(m, index, s, 3 * n_units + u)) * tanh(s->cell[u]);
    case TIN_OP_MGU:
        z = 1 - logistic(gate(m, index, s, u));
        candidate = tanh(input_sum(m, index, s, n) + (1 - z) * state_sum(m, index, s, n, s->output));
        break;
    case TIN_OP_MIN_GRU:
        z = logistic(input_sum(m, index, s, u));
        candidate = tanh(input_sum(m, index, s, n));
        break;
    default:
        z = logistic(gate(m, index, s, n_units + u));
        candidate = l->reset_before ? tanh(input_sum(m, index, s, n) + state_sum(m, index, s, n, kept))
                                    : tanh(input_sum(m, index, s, n) +
                                           logistic(gate(m, index, s, u)) * state_sum(m, index, s, n, s->output));
        break;
    }
    return candidate + z * (s->state[u] - candidate);
}

static void simulate_recurrent(const tin_model *m, int index, layer_sim *s)
{
    double kept[TIN_MAX_WIDTH], next[TIN_MAX_WIDTH];
    int n_units = m->layers[index].n_outputs;
    for (int u = 0; u < n_units && m->layers[index].reset_before; u++)
        kept[u] = round_state(logistic(gate(m, index, s, u)) * s->state[u]);
    for (int u = 0; u < n_units; u++)
        next[u] = simulate_unit(m, index, s, u, kept);
    memcpy(s->state, next, (size_t)n_units * sizeof *next);
    for (int u = 0; u < n_units; u++)
        s->output[u] = round_state(next[u]);
}

static double activate(tin_op op, double x)
{
    switch (op) {
    case TIN_OP_RELU:
        return fmax(0, x);
    case TIN_OP_RELU6:
        return fmin(6, fmax(0, x));
    case TIN_OP_HARD_SIGMOID:
        return fmin(1, fmax(0, x / 6 + 0.5));
    case TIN_OP_HARD_TANH:
        return fmin(1, fmax(-1, x));
    case TIN_OP_SIGMOID:
        return logistic(x);
    default:
        return tanh(x);
    }
}

static double pool(const tin_layer *l, const layer_sim *s, int i)
{
    double sum = 0, most = -HUGE_VAL;
    for (int k = 0; k < l->kernel; k++) {
        sum += s->rows[k * l->n_inputs + i];
        most = fmax(most, s->rows[k * l->n_inputs + i]);
    }
    return l->op == TIN_OP_AVG_POOL ? sum / l->kernel : most;
}

static const double *read_from(const simulation *sim, int from)
{
    return from == TIN_FROM_INPUT ? sim->input : sim->layers[from].output;
}

/* Ops that give one value for one value of each row read. */
static double simulate_value(simulation *sim, int index, int i)
{
    const tin_layer *l = &sim->model->layers[index];
    layer_sim *s = &sim->layers[index];
    double sum = 0;
    switch (l->op) {
    case TIN_OP_DENSE:
        return input_sum(sim->model, index, s, i);
    case TIN_OP_AVG_POOL:
    case TIN_OP_MAX_POOL:
        return pool(l, s, i);
    case TIN_OP_EMA:
        s->state[i] += (s->row[i] - s->state[i]) / (1 << l->shift);
        return s->state[i];
    case TIN_OP_ADD:
        for (int k = 0; k < l->n_from; k++)
            sum += read_from(sim, l->from[k])[i];
        return sum;
    case TIN_OP_MULTIPLY:
        return read_from(sim, l->from[0])[i] * read_from(sim, l->from[1])[i];
    case TIN_OP_CONCAT:
        return s->row[i];
    default:
        return activate(l->op, s->row[i]);
    }
}

static void round_output(simulation *sim, int index)
{
    const tin_layer *l = &sim->model->layers[index];
    layer_sim *s = &sim->layers[index];
    double scale = (double)sim->spec->output_scale[index], most = sim->spec->output_bits[index] == 16 ? 32767 : 127;
    double least = l->op == TIN_OP_TANH ? -128 : -most;
    /* copies of a state, which may be -128 */
    if (l->op == TIN_OP_MAX_POOL || l->op == TIN_OP_CONCAT)
        least = -most - 1;
    for (int i = 0; i < l->n_outputs && scale > 0; i++)
        s->output[i] = round_to(s->output[i], scale, least, most);
}

static void simulate_layer(simulation *sim, int index)
{
    const tin_model *m = sim->model;
    const tin_layer *l = &m->layers[index];
    layer_sim *s = &sim->layers[index];
    size_t width = (size_t)l->n_inputs;
    memmove(s->rows, s->rows + width, (size_t)(s->history - 1) * width * sizeof *s->row);
    memcpy(s->rows + (size_t)(s->history - 1) * width, s->row, width * sizeof *s->row);
    s->fired = ++s->fill >= s->history;
    if (!s->fired)
        return;
    s->fill -= l->stride;
    if (tin_op_recurrent(l->op)) {
        simulate_recurrent(m, index, s);
        return;
    }
    if (l->op == TIN_OP_CONV1D)
        simulate_conv1d(m, index, s);
    for (int i = 0; i < l->n_outputs && l->op != TIN_OP_CONV1D; i++)
        s->output[i] = simulate_value(sim, index, i);
    round_output(sim, index);
}

/* Puts the row together; false when what it reads gave none in this frame. */
static bool gather(simulation *sim, int index)
{
    const tin_layer *l = &sim->model->layers[index];
    layer_sim *s = &sim->layers[index];
    int from = l->from[0], n = 0;
    if (from != TIN_FROM_INPUT && !sim->layers[from].fired)
        return false;
    for (int k = 0; k < (l->op == TIN_OP_CONCAT ? l->n_from : 1); k++) {
        int width = l->from[k] == TIN_FROM_INPUT ? sim->model->n_channels : sim->model->layers[l->from[k]].n_outputs;
        memcpy(s->row + n, read_from(sim, l->from[k]), (size_t)width * sizeof *s->row);
        n += width;
    }
    return true;
}

bool simulate_frame(simulation *sim, const int16_t *counts, const double **scores)
{
    const tin_model *m = sim->model;
    double most = sim->spec->input_bits == 16 ? 32767 : 127;
    for (int c = 0; c < m->n_channels; c++)
        sim->input[c] = round_to((counts[c] - m->input.offset[c]) * (double)m->input.scale[c],
                                 (double)sim->spec->input_scale, -most, most);
    for (int i = 0; i < m->n_layers; i++) {
        layer_sim *s = &sim->layers[i];
        int32_t q[TIN_MAX_WIDTH];
        s->fired = false;
        if (s->feature) {
            s->fired = tin_feature_step(s->feature, s->stream, counts, q);
            for (int k = 0; s->fired && k < m->layers[i].n_outputs; k++)
                s->output[k] = q[k] * (double)tin_feature_unit(m->layers[i].op, &m->input, k);
            if (s->fired && !tin_op_gives_log(m->layers[i].op))
                round_output(sim, i);
        } else if (gather(sim, i)) {
            simulate_layer(sim, i);
        }
    }
    *scores = sim->layers[m->n_layers - 1].output;
    return sim->layers[m->n_layers - 1].fired;
}
