/* From ranges to scales: scale = range / 127, or / 32767 with 16 bits. What a layer without a free choice of scale asks
 * of others is settled here (docs/quantization.md, "Scales"). */
#include <math.h>
#include <stdlib.h>

#include "model/feature.h"
#include "quantize/graph_check.h"
#include "quantize/quantize.h"

/* The state of recurrent layers, sigmoid and tanh: 127 units of 1/128. */
#define STATE_RANGE (127.0 / 128.0)

/* "8", "4", "16"; NULL and "auto": 8 */
static uint8_t bits_of(const char *text)
{
    int bits = text ? atoi(text) : 0;
    return (uint8_t)(bits > 0 ? bits : 8);
}

void tin_quantize_start(const tin_model *folded, const tin_config_quantize *settings, tin_quant_spec *spec)
{
    *spec = (tin_quant_spec){.input_bits = bits_of(settings->input_bits), .power_of_two = settings->power_of_two};
    for (int i = 0; i < folded->n_layers; i++) {
        spec->output_bits[i] = bits_of(settings->activation_bits);
        spec->weight_bits[i] = bits_of(settings->weight_bits);
    }
}

typedef struct layout {
    const tin_model *model;
    const tin_quant_ranges *ranges;
    tin_quant_spec *spec;
    double range[TIN_MAX_LAYERS]; /* of the tensor after each layer; 0: it is not rounded */
} layout;

static bool wide(int bits)
{
    return bits == 16;
}

/* Has that tensor one scale and no other? Then `range` is it. */
static bool fixed_range(tin_op op, double *range)
{
    *range = op == TIN_OP_RELU6                                    ? 6.0
             : op == TIN_OP_HARD_SIGMOID || op == TIN_OP_HARD_TANH ? 1.0
             : tin_op_gives_log(op)                                ? (double)TIN_LOG_SCALE * 127.0
                                                                   : STATE_RANGE;
    return tin_op_recurrent(op) || tin_op_gives_log(op) || (tin_op_is_activation(op) && op != TIN_OP_RELU);
}

static double range_of(const layout *l, int tensor)
{
    return tensor == TIN_FROM_INPUT ? l->ranges->input[wide(l->spec->input_bits)] : l->range[tensor];
}

/* The bits where there is no choice. */
static void settle_bits(layout *l)
{
    const tin_model *m = l->model;
    tin_quant_spec *spec = l->spec;
    spec->input_bits = wide(spec->input_bits) && tin_quantize_may_be_wide(m, TIN_FROM_INPUT) ? 16 : 8;
    for (int i = 0; i < m->n_layers; i++) {
        bool sixteen = (wide(spec->output_bits[i]) && tin_quantize_may_be_wide(m, i)) || i == m->n_layers - 1;
        spec->output_bits[i] = sixteen ? 16 : 8;
        spec->weight_bits[i] = spec->weight_bits[i] == 4 ? 4 : 8;
    }
}

static void settle_ranges(layout *l)
{
    const tin_model *m = l->model;
    for (int i = 0; i < m->n_layers; i++) {
        const tin_layer *layer = &m->layers[i];
        double *range = &l->range[i];
        if (i == m->n_layers - 1 || tin_quantize_tensor(m, i) != i) {
            *range = 0.0;
        } else if (layer->op == TIN_OP_MAX_POOL) {
            *range = range_of(l, layer->from[0]);
        } else if (layer->op == TIN_OP_CONCAT) {
            *range = 0.0;
            for (int k = 0; k < layer->n_from; k++)
                *range = fmax(*range, range_of(l, layer->from[k]));
        } else if (!fixed_range(layer->op, range)) {
            *range = l->ranges->output[i][wide(l->spec->output_bits[i])];
        }
    }
}

/* May the tensor take the range of the only layer that reads it? */
static bool may_follow(const tin_model *m, int tensor)
{
    double range;
    while (tensor != TIN_FROM_INPUT && tin_model_readers(m, tensor, NULL) == 1) {
        if (m->layers[tensor].op != TIN_OP_MAX_POOL)
            return !fixed_range(m->layers[tensor].op, &range);
        tensor = m->layers[tensor].from[0];
    }
    return false;
}

/* What a concat alone reads, with the same bits, takes its range, so that copying is exact. */
static void follow_concats(layout *l)
{
    const tin_model *m = l->model;
    for (int i = m->n_layers - 1; i >= 0; i--) {
        const tin_layer *layer = &m->layers[i];
        bool pass_on = layer->op == TIN_OP_CONCAT || layer->op == TIN_OP_MAX_POOL;
        for (int k = 0; pass_on && k < layer->n_from; k++) {
            bool alike =
                layer->from[k] != TIN_FROM_INPUT && l->spec->output_bits[layer->from[k]] == l->spec->output_bits[i];
            if (alike && may_follow(m, layer->from[k]))
                l->range[layer->from[k]] = l->range[i];
        }
    }
}

static float scale_of(double range, int bits, bool power_of_two)
{
    double scale = range / (wide(bits) ? 32767.0 : 127.0);
    return (float)(power_of_two ? tin_power_of_two_up(scale) : scale);
}

void tin_quantize_assign(const tin_model *folded, const tin_quant_ranges *ranges, tin_quant_spec *spec)
{
    layout l = {.model = folded, .ranges = ranges, .spec = spec};
    settle_bits(&l);
    settle_ranges(&l);
    follow_concats(&l);
    spec->input_scale = scale_of(range_of(&l, TIN_FROM_INPUT), spec->input_bits, spec->power_of_two);
    for (int i = 0; i < folded->n_layers; i++) {
        tin_op op = folded->layers[i].op;
        int bits = spec->output_bits[i], from = folded->layers[i].from[0];
        spec->output_scale[i] = l.range[i] > 0.0 ? scale_of(l.range[i], bits, spec->power_of_two) : 0.0f;
        /* rounded up, the limit of the integers would not be the limit of the function */
        if (spec->power_of_two && op == TIN_OP_HARD_TANH)
            spec->output_scale[i] /= 2.0f;
        if (op == TIN_OP_MAX_POOL)
            spec->output_scale[i] = from == TIN_FROM_INPUT ? spec->input_scale : spec->output_scale[from];
    }
}
