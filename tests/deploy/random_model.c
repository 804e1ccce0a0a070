#include "deploy/random_model.h"

#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "model/feature.h"
#include "model/model_build.h"

static void random_weights(tin_rng *rng, int8_t *w, long n, bool extreme)
{
    for (long i = 0; i < n; i++) {
        w[i] = extreme ? (int8_t)(tin_rng_below(rng, 2) ? 127 : -127) : (int8_t)((int)tin_rng_below(rng, 255) - 127);
    }
}

static void random_int32s(tin_rng *rng, int32_t *v, long n, double range)
{
    for (long i = 0; i < n; i++) {
        v[i] = (int32_t)tin_rng_range(rng, -range, range);
    }
}

/* Usual size of the values that layer `from` gives. */
static double usual(const tin_qmodel *m, int from)
{
    const int bits = from == TIN_FROM_INPUT ? m->input_bits : m->layers[from].output_bits;
    return bits == 16 ? 9000.0 : 50.0;
}

/* Multipliers that turn the usual size of the sum of n products of weights and values of size x into `target`. */
static void random_mults(tin_rng *rng, int32_t *v, long rows, double size, double target, int shift)
{
    for (long i = 0; i < rows; i++) {
        const double real = target / size * tin_rng_range(rng, 0.7, 1.4);
        const double mult = real * 4294967296.0 / (double)(1 << shift);
        v[i] = (int32_t)(mult < 2147483647.0 ? mult : 2147483647.0);
    }
}

/* Below `most`, and so that a sum up to `bound` may be shifted by it. */
static int random_shift(tin_rng *rng, int most, double bound)
{
    int shift = (int)tin_rng_below(rng, (uint32_t)most);
    while (shift > 0 && bound * (double)(1 << shift) >= 2147483648.0) {
        shift--;
    }
    return shift;
}

static double size_of_sum(long n, double x)
{
    return 73.0 * x * sqrt((double)n);
}

/* Multipliers of all gates: Q12, and `target` for the rows of n or g. */
static void random_gates(tin_rng *rng, const tin_qlayer *l, int32_t *mult, double size, double target, int shift)
{
    const long units = l->n_outputs, rows = tin_qlayer_rows(l);
    const long at = l->op == TIN_OP_LSTM ? 2 * units : rows - units;
    random_mults(rng, mult, at, size, 3000, shift);
    random_mults(rng, mult + at, units, size, target, shift);
    random_mults(rng, mult + at + units, rows - at - units, size, 3000, shift);
}

static void fill_recurrent(tin_rng *rng, tin_qlayer *l, double x, double bound, bool extreme)
{
    const long units = l->n_outputs, rows = tin_qlayer_rows(l), n = l->n_inputs;
    const bool state = tin_qlayer_reads_state(l), gated = tin_qlayer_gates_candidate(l);
    l->output_scale = 1.0f / 128.0f;
    l->shift = random_shift(rng, 4, 400.0 * x + (double)n * 127.0 * bound);
    l->hidden_shift = state ? (int)tin_rng_below(rng, 4) : 0;
    random_weights(rng, l->weight, rows * n, extreme);
    random_weights(rng, l->hidden_weight, state ? rows * units : 0, extreme);
    random_int32s(rng, l->bias, rows, 400.0 * x);
    random_int32s(rng, l->hidden_bias, gated ? units : 0, 20000);
    random_gates(rng, l, l->mult, size_of_sum(n, x), 6000, l->shift);
    if (state) {
        random_gates(rng, l, l->hidden_mult, size_of_sum(units, 50.0), gated ? 90000 : 6000, l->hidden_shift);
    }
}

static void fill_linear(tin_rng *rng, tin_qlayer *l, double x, double bound, double target, bool extreme)
{
    const long n = (long)l->kernel * (l->n_inputs / l->groups);
    l->shift = random_shift(rng, 5, 180.0 * x + (double)n * 127.0 * bound);
    random_weights(rng, l->weight, n * l->n_outputs, extreme);
    random_int32s(rng, l->bias, l->n_outputs, 180.0 * x);
    random_mults(rng, l->mult, l->n_outputs, size_of_sum(n, x), target, l->shift);
}

/* add and concat: 15-bit multipliers under the greatest shift that holds them all; every other input of a concat is
 * copied. */
static void fill_mix(tin_rng *rng, const tin_qmodel *m, tin_qlayer *l, double target)
{
    double real[TIN_MAX_FROM], sum = 0, greatest = 0;
    for (int k = 0; k < l->n_from; k++) {
        const double size = usual(m, l->from[k]) * (l->op == TIN_OP_ADD ? sqrt((double)l->n_from) : 1.0);
        real[k] = target / size * tin_rng_range(rng, 0.7, 1.4);
        if (l->op == TIN_OP_CONCAT && tin_rng_below(rng, 2) == 0) {
            real[k] = 1.0;
        }
        greatest = fmax(greatest, real[k]);
        const double most = real[k] * tin_qmodel_bound(m, l->from[k]);
        sum = l->op == TIN_OP_ADD ? sum + most : fmax(sum, most);
    }
    l->shift = 1 + (int)tin_rng_below(rng, 30);
    while (l->shift > 1 && (greatest * ldexp(1.0, l->shift) > 32767.0 || (sum + 1.0) * ldexp(1.0, l->shift) > 2e9)) {
        l->shift--;
    }
    for (int k = 0; k < l->n_from; k++) {
        l->mult[k] = (int32_t)fmin(32767.0, ldexp(real[k], l->shift));
    }
}

/* The layer after `from`, which stand in the model already. */
static tin_status fill_layer(tin_rng *rng, const tin_qmodel *m, tin_qlayer *l, bool last, bool extreme, tin_error *err)
{
    const tin_status status = tin_qlayer_allocate(l, err);
    if (status) {
        return status;
    }
    const double x = usual(m, l->from[0]), bound = tin_qmodel_bound(m, l->from[0]);
    const bool curve = l->activation == TIN_ACTIVATION_SIGMOID || l->activation == TIN_ACTIVATION_TANH;
    const double target = last ? 1500.0 : curve ? 6000.0 : l->output_bits == 16 ? 9000.0 : 60.0;
    l->output_scale = last ? 1.0f / TIN_SCORE_ONE : 0.03125f;
    switch (l->op) {
    case TIN_OP_CONV1D:
    case TIN_OP_DENSE:
        fill_linear(rng, l, x, bound, target, extreme);
        break;
    case TIN_OP_ADD:
    case TIN_OP_CONCAT:
        fill_mix(rng, m, l, target);
        break;
    case TIN_OP_AVG_POOL:
        l->shift = random_shift(rng, 3, l->kernel * bound);
        random_mults(rng, l->mult, 1, l->kernel * x, target, l->shift);
        break;
    case TIN_OP_EMA:
        l->shift = random_shift(rng, 3, ldexp(bound + 1.0, l->ema_shift + 8));
        random_mults(rng, l->mult, 1, ldexp(x, l->ema_shift + 8), target, l->shift);
        break;
    case TIN_OP_MULTIPLY:
        l->shift = (int)tin_rng_below(rng, 5);
        random_mults(rng, l->mult, 1, x * usual(m, l->from[1]), target, l->shift);
        break;
    case TIN_OP_MAX_POOL:
    case TIN_OP_LOG_ENERGY:
    case TIN_OP_LOG_MEL:
    case TIN_OP_LOG_VARIANCE:
        break;
    case TIN_OP_HIGH_PASS:
    case TIN_OP_DIFFERENCE:
    case TIN_OP_MAGNITUDE:
        l->shift = (int)tin_rng_below(rng, 8);
        random_mults(rng, l->mult, l->n_outputs, 8 * 4000.0, target, l->shift);
        break;
    default:
        fill_recurrent(rng, l, x, bound, extreme);
        break;
    }
    return TIN_OK;
}

static tin_status make_classes(tin_qmodel **model, const random_spec *spec, tin_error *err)
{
    tin_channel channels[TIN_MAX_CHANNELS];
    tin_class classes[TIN_MAX_CLASSES];
    char channel_names[TIN_MAX_CHANNELS][16], class_names[TIN_MAX_CLASSES][64];
    char unit[] = "g";
    for (int c = 0; c < spec->n_channels; c++) {
        (void)snprintf(channel_names[c], sizeof channel_names[c], "axis %d", c);
        channels[c] = (tin_channel){.name = channel_names[c], .unit = unit, .scale = 0.000244140625};
    }
    for (int k = 0; k < spec->n_classes; k++) {
        (void)snprintf(class_names[k], sizeof class_names[k], "%s %d", spec->class_name ? spec->class_name : "class",
                       k);
        classes[k] = (tin_class){.name = class_names[k], .event = spec->event_every > 0 && k % spec->event_every == 0};
    }
    return tin_qmodel_create(model, 50.0, channels, spec->n_channels, classes, spec->n_classes, err);
}

static void fill_input(tin_rng *rng, tin_qmodel *m, int bits)
{
    const double gain = bits == 16 ? 180.0 : 1.0;
    m->input_bits = bits;
    m->input_scale = 0.03125f;
    m->input_shift = bits == 16 ? 4 + (int)tin_rng_below(rng, 9) : (int)tin_rng_below(rng, 13);
    for (int c = 0; c < m->n_channels; c++) {
        m->input_offset[c] = (int32_t)tin_rng_below(rng, 8001) - 4000;
        const double mult = gain * tin_rng_range(rng, 0.003, 0.02) * 4294967296.0 / (double)(1 << m->input_shift);
        m->input_mult[c] = (int32_t)mult;
    }
}

static tin_status finish(tin_qmodel **model, tin_status status, tin_error *err)
{
    if (status == TIN_OK) {
        tin_qmodel_link(*model);
        status = tin_qmodel_check(*model, err);
    }
    if (status == TIN_OK) {
        status = tin_qmodel_seal(*model, err);
    }
    if (status) {
        tin_qmodel_free(*model);
        *model = NULL;
    }
    return status;
}

tin_status random_model(tin_qmodel **model, const random_spec *spec, uint64_t seed, tin_error *err)
{
    tin_rng rng;
    tin_rng_seed(&rng, seed);
    tin_status status = make_classes(model, spec, err);
    if (status) {
        return status;
    }
    tin_qmodel *m = *model;
    fill_input(&rng, m, 8);
    int width = m->n_channels;
    for (int i = 0; i <= spec->n_layers && status == TIN_OK; i++) {
        const bool last = i == spec->n_layers;
        const random_layer dense = {.op = TIN_OP_DENSE, .units = m->n_classes};
        const random_layer *s = last ? &dense : &spec->layers[i];
        tin_qlayer *l = &m->layers[i];
        l->op = s->op;
        l->n_from = 1;
        l->from[0] = i - 1;
        l->n_inputs = width;
        l->n_outputs = s->op == TIN_OP_AVG_POOL ? width : s->depthwise ? width * s->units : s->units;
        l->kernel = s->kernel > 0 ? s->kernel : 1;
        l->stride = s->stride > 0 ? s->stride : 1;
        l->dilation = s->dilation > 0 ? s->dilation : 1;
        l->groups = s->depthwise ? width : 1;
        l->activation = s->relu ? TIN_ACTIVATION_RELU : TIN_ACTIVATION_NONE;
        width = l->n_outputs;
        m->n_layers = i + 1;
        status = fill_layer(&rng, m, l, last, spec->extreme, err);
    }
    return finish(model, status, err);
}

tin_status random_model_any(tin_qmodel **model, uint64_t seed, tin_error *err)
{
    static const tin_op ops[] = {TIN_OP_CONV1D, TIN_OP_CONV1D, TIN_OP_CONV1D,
                                 TIN_OP_GRU,    TIN_OP_DENSE,  TIN_OP_AVG_POOL};
    tin_rng rng;
    random_layer layers[5];
    tin_rng_derive(&rng, seed, 1);
    random_spec spec = {.n_channels = 1 + (int)tin_rng_below(&rng, 9),
                        .n_classes = 1 + (int)tin_rng_below(&rng, 9),
                        .layers = layers,
                        .n_layers = (int)tin_rng_below(&rng, 6),
                        .event_every = (int)tin_rng_below(&rng, 4),
                        .extreme = tin_rng_below(&rng, 5) == 0};
    int width = spec.n_channels;
    for (int i = 0; i < spec.n_layers; i++) {
        random_layer *l = &layers[i];
        *l = (random_layer){.op = ops[tin_rng_below(&rng, 6)]};
        const bool window = l->op == TIN_OP_CONV1D || l->op == TIN_OP_AVG_POOL;
        l->depthwise = l->op == TIN_OP_CONV1D && tin_rng_below(&rng, 3) == 0;
        l->units = 1 + (int)tin_rng_below(&rng, l->depthwise ? (width < 30 ? 3 : 1) : 21);
        if ((l->op == TIN_OP_CONV1D || l->op == TIN_OP_DENSE) && tin_rng_below(&rng, 2) == 0)
            l->relu = true;
        l->kernel = window ? 1 + (int)tin_rng_below(&rng, 6) : 1;
        l->stride = window && tin_rng_below(&rng, 2) == 0 ? 1 + (int)tin_rng_below(&rng, 5) : 1;
        l->dilation = l->op == TIN_OP_CONV1D && tin_rng_below(&rng, 3) == 0 ? 1 + (int)tin_rng_below(&rng, 4) : 1;
        width = l->op == TIN_OP_AVG_POOL ? width : l->depthwise ? width * l->units : l->units;
    }
    return random_model(model, &spec, seed, err);
}

/* ---- graphs ---- */

typedef struct maker {
    tin_qmodel *m;
    tin_rng rng;
    bool extreme, last; /* last: the next layer is the last */
    tin_status status;  /* the first that failed */
    tin_error *err;
} maker;

static int below(maker *k, int n)
{
    return (int)tin_rng_below(&k->rng, (uint32_t)n);
}

static int width_of(const maker *k, int from)
{
    return from == TIN_FROM_INPUT ? k->m->n_channels : k->m->layers[from].n_outputs;
}

static bool is_wide(const maker *k, int from)
{
    return (from == TIN_FROM_INPUT ? k->m->input_bits : k->m->layers[from].output_bits) == 16;
}

static int or_one(int value)
{
    return value == 0 ? 1 : value;
}

/* Adds the layer; what is 0 takes its default (n_outputs: the width that it reads). Returns its place. */
static int append(maker *k, tin_qlayer l)
{
    if (k->status) {
        return TIN_FROM_INPUT;
    }
    l.n_from = or_one(l.n_from);
    for (int i = 0; i < (l.op == TIN_OP_CONCAT ? l.n_from : 1); i++) {
        l.n_inputs += width_of(k, l.from[i]);
    }
    l.n_outputs = l.n_outputs > 0 ? l.n_outputs : l.n_inputs;
    l.kernel = or_one(l.kernel);
    l.stride = or_one(l.stride);
    l.dilation = or_one(l.dilation);
    l.groups = or_one(l.groups);
    l.output_bits = l.output_bits > 0 ? l.output_bits : 8;
    const int place = k->m->n_layers++;
    k->m->layers[place] = l;
    k->status = fill_layer(&k->rng, k->m, &k->m->layers[place], k->last, k->extreme, k->err);
    return place;
}

static int random_bits(maker *k)
{
    return below(k, 3) == 0 ? 16 : 8;
}

/* One random layer that reads `from`, gives a row every `stride` of its rows and, if not 0, has `units` outputs. */
static int append_any(maker *k, int from, int stride, int units)
{
    static const tin_op ops[] = {TIN_OP_CONV1D, TIN_OP_CONV1D,  TIN_OP_AVG_POOL, TIN_OP_MAX_POOL,
                                 TIN_OP_DENSE,  TIN_OP_GRU,     TIN_OP_GRU,      TIN_OP_LSTM,
                                 TIN_OP_MGU,    TIN_OP_MIN_GRU, TIN_OP_EMA};
    const int width = width_of(k, from);
    tin_qlayer l = {.op = ops[below(k, stride > 1 ? 4 : 11)], .from = {from}, .stride = stride};
    const bool pool = l.op == TIN_OP_AVG_POOL || l.op == TIN_OP_MAX_POOL;
    if (((pool || l.op == TIN_OP_EMA) && units > 0 && units != width) ||
        ((l.op == TIN_OP_MAX_POOL || l.op == TIN_OP_EMA) && is_wide(k, from))) {
        l.op = TIN_OP_CONV1D;
    }
    if (l.op == TIN_OP_CONV1D || pool) {
        l.kernel = 1 + below(k, 5);
    }
    if (l.op == TIN_OP_CONV1D || l.op == TIN_OP_DENSE || tin_op_recurrent(l.op)) {
        l.n_outputs = units > 0 ? units : 1 + below(k, 17);
    }
    if (l.op == TIN_OP_CONV1D) {
        l.dilation = below(k, 3) == 0 ? 1 + below(k, 3) : 1;
        if (below(k, 3) == 0 && (units == 0 || units % width == 0)) {
            l.groups = width;
            l.n_outputs = units > 0 ? units : width * (width < 20 ? 1 + below(k, 2) : 1);
        }
    }
    if (l.op == TIN_OP_CONV1D || l.op == TIN_OP_DENSE) {
        static const tin_activation kinds[] = {TIN_ACTIVATION_NONE, TIN_ACTIVATION_NONE,    TIN_ACTIVATION_RELU,
                                               TIN_ACTIVATION_RELU, TIN_ACTIVATION_SIGMOID, TIN_ACTIVATION_TANH};
        l.activation = kinds[below(k, 6)];
    }
    if ((l.op == TIN_OP_CONV1D || l.op == TIN_OP_DENSE || l.op == TIN_OP_AVG_POOL) &&
        l.activation <= TIN_ACTIVATION_RELU) {
        l.output_bits = random_bits(k);
    }
    l.reset_before = l.op == TIN_OP_GRU && below(k, 2) == 0;
    l.ema_shift = l.op == TIN_OP_EMA ? 1 + below(k, 12) : 0;
    return append(k, l);
}

static int append_residual(maker *k, int from)
{
    const int width = width_of(k, from), first = append_any(k, from, 1, width);
    tin_qlayer sum = {.op = TIN_OP_ADD, .from = {from, first}, .n_from = 2};
    if (below(k, 2) == 0) {
        sum.from[sum.n_from++] = append_any(k, first, 1, width);
    }
    sum.activation = below(k, 2) == 0 ? TIN_ACTIVATION_RELU : TIN_ACTIVATION_NONE;
    sum.output_bits = random_bits(k);
    return append(k, sum);
}

/* Two or three ways of one stride, some in two steps; at stride 1 perhaps the row itself too. */
static int append_branches(maker *k, int from, int stride)
{
    tin_qlayer all = {.op = TIN_OP_CONCAT, .n_from = 2 + below(k, 2)};
    for (int i = 0; i < all.n_from; i++) {
        const int split = stride == 4 && below(k, 2) == 0 ? 2 : 1; /* stride of a first step */
        const int first = split == 2 || below(k, 3) == 0 ? append_any(k, from, split, 0) : from;
        all.from[i] = append_any(k, first, stride / split, 0);
    }
    if (stride == 1 && below(k, 2) == 0) {
        all.from[all.n_from++] = from;
    }
    all.output_bits = random_bits(k);
    return append(k, all);
}

static int append_squeeze(maker *k, int from)
{
    if (is_wide(k, from)) {
        from = append(k, (tin_qlayer){.op = TIN_OP_DENSE, .from = {from}, .n_outputs = 9});
    }
    int gate = append(k, (tin_qlayer){.op = TIN_OP_EMA, .from = {from}, .ema_shift = 1 + below(k, 8)});
    gate = append(
        k, (tin_qlayer){
               .op = TIN_OP_DENSE, .from = {gate}, .n_outputs = 1 + below(k, 6), .activation = TIN_ACTIVATION_RELU});
    gate = append(k, (tin_qlayer){.op = TIN_OP_DENSE,
                                  .from = {gate},
                                  .n_outputs = width_of(k, from),
                                  .activation = TIN_ACTIVATION_SIGMOID});
    return append(k, (tin_qlayer){.op = TIN_OP_MULTIPLY, .from = {from, gate}, .n_from = 2});
}

/* Windows from shorter than twice the stride to many of them; lengths that are no power of two. */
static int append_log_mel(maker *k, int stride)
{
    const double rate = k->m->rate_hz;
    tin_qlayer l = {.op = TIN_OP_LOG_MEL, .from = {TIN_FROM_INPUT}, .stride = stride};
    l.kernel = 16 + 4 * below(k, 30);
    l.low_hz = below(k, 3);
    l.high_hz = (int)rate / 2 - below(k, 6);
    tin_feature_shape shape;
    for (l.bands = 12; l.bands > 0; l.bands--) { /* as many as there are bins for */
        shape = tin_feature_of_qlayer(&l, rate);
        if (tin_feature_mend(&shape) == NULL)
            break;
    }
    l.n_outputs = l.bands * k->m->n_channels;
    return append(k, l);
}

static int append_motion(maker *k)
{
    static const tin_op ops[] = {TIN_OP_HIGH_PASS, TIN_OP_DIFFERENCE, TIN_OP_MAGNITUDE};
    tin_qlayer l = {.op = ops[below(k, k->m->n_channels % 3 == 0 ? 3 : 2)], .from = {TIN_FROM_INPUT}};
    l.dilation = l.op == TIN_OP_DIFFERENCE ? 1 + below(k, 9) : 1;
    l.ema_shift = l.op == TIN_OP_DIFFERENCE  ? 0
                  : l.op == TIN_OP_MAGNITUDE ? below(k, 13) * below(k, 2)
                                             : 1 + below(k, 12);
    l.n_outputs = l.op == TIN_OP_MAGNITUDE ? k->m->n_channels / 3 : 0;
    l.output_bits = random_bits(k);
    return append(k, l);
}

/* One or two features of the frames, beside a way that reads the scaled input. */
static int append_energies(maker *k)
{
    const int log2_stride = 3 + below(k, 2), stride = 1 << log2_stride;
    tin_qlayer all = {.op = TIN_OP_CONCAT, .n_from = 2 + below(k, 2)};
    for (int i = 0; i < all.n_from; i++) {
        tin_qlayer l = {.op = TIN_OP_LOG_ENERGY, .from = {TIN_FROM_INPUT}, .stride = stride};
        l.kernel = 1 + below(k, 4);
        l.levels = 1 + below(k, log2_stride + (l.kernel % 2 == 0)); /* longer than a block, now and then */
        l.n_outputs = l.levels * k->m->n_channels;
        const int kind = i == 0 ? below(k, 3) : below(k, 6);
        tin_qlayer variance = {.op = TIN_OP_LOG_VARIANCE, .from = {TIN_FROM_INPUT}, .stride = stride};
        variance.kernel = l.kernel;
        all.from[i] = kind == 0   ? append(k, l)
                      : kind == 1 ? append_log_mel(k, stride)
                      : kind == 2 ? append(k, variance)
                                  : append_any(k, kind == 3 ? append_motion(k) : TIN_FROM_INPUT, stride, 0);
    }
    all.output_bits = random_bits(k);
    return append(k, all);
}

tin_status random_graph(tin_qmodel **model, uint64_t seed, tin_error *err)
{
    maker k = {.err = err};
    tin_rng_derive(&k.rng, seed, 4);
    const random_spec spec = {
        .n_channels = 1 + below(&k, 6), .n_classes = 1 + below(&k, 6), .event_every = below(&k, 4)};
    k.extreme = below(&k, 5) == 0;
    k.status = make_classes(model, &spec, err);
    if (k.status) {
        return k.status;
    }
    k.m = *model;
    fill_input(&k.rng, k.m, random_bits(&k));
    int at = TIN_FROM_INPUT;
    for (int blocks = 1 + below(&k, 4); blocks > 0; blocks--) {
        const int kind = below(&k, at == TIN_FROM_INPUT ? 5 : 4), stride = below(&k, 2) == 0 ? 1 : 1 + below(&k, 4);
        at = kind == 0   ? append_any(&k, at, stride, 0)
             : kind == 1 ? append_residual(&k, at)
             : kind == 2 ? append_branches(&k, at, stride)
             : kind == 3 ? append_squeeze(&k, at)
                         : append_energies(&k);
        if (width_of(&k, at) > 40) {
            at = append(
                &k, (tin_qlayer){.op = TIN_OP_DENSE, .from = {at}, .n_outputs = 12, .output_bits = random_bits(&k)});
        }
    }
    k.last = true;
    append(&k, (tin_qlayer){.op = TIN_OP_DENSE, .from = {at}, .n_outputs = spec.n_classes, .output_bits = 16});
    tin_qmodel_link(k.m);
    k.m->delay = k.m->hop * below(&k, 3);
    return finish(model, k.status, err);
}

tin_status random_model_har(tin_qmodel **model, uint64_t seed, tin_error *err)
{
    static const random_layer layers[] = {{.op = TIN_OP_CONV1D, .units = 16, .kernel = 5, .stride = 2, .relu = true},
                                          {.op = TIN_OP_CONV1D, .units = 24, .kernel = 5, .stride = 2, .relu = true},
                                          {.op = TIN_OP_GRU, .units = 24}};
    const random_spec spec = {.n_channels = 6, .n_classes = 6, .layers = layers, .n_layers = 3, .event_every = 2};
    return random_model(model, &spec, seed, err);
}

tin_status random_model_audio(tin_qmodel **model, uint64_t seed, tin_error *err)
{
    maker k = {.err = err};
    tin_rng_derive(&k.rng, seed, 4);
    const random_spec spec = {.n_channels = 1, .n_classes = 2, .event_every = 2};
    k.status = make_classes(model, &spec, err);
    if (k.status) {
        return k.status;
    }
    k.m = *model;
    k.m->rate_hz = 8000;
    fill_input(&k.rng, k.m, 8);
    tin_qlayer mel = {.op = TIN_OP_LOG_MEL, .from = {TIN_FROM_INPUT}, .kernel = 200, .stride = 80, .n_outputs = 20};
    mel.bands = 20;
    mel.low_hz = 60;
    mel.high_hz = 3800;
    const int bands = append(&k, mel);
    const int conv = append(
        &k, (tin_qlayer){
                .op = TIN_OP_CONV1D, .from = {bands}, .kernel = 3, .n_outputs = 12, .activation = TIN_ACTIVATION_RELU});
    const int gru = append(&k, (tin_qlayer){.op = TIN_OP_GRU, .from = {conv}, .n_outputs = 8});
    k.last = true;
    (void)append(&k, (tin_qlayer){.op = TIN_OP_DENSE, .from = {gru}, .n_outputs = 2, .output_bits = 16});
    return finish(model, k.status, err);
}

tin_status random_model_motion(tin_qmodel **model, uint64_t seed, tin_error *err)
{
    maker k = {.err = err};
    tin_rng_derive(&k.rng, seed, 5);
    const random_spec spec = {.n_channels = 6, .n_classes = 3, .event_every = 2};
    k.status = make_classes(model, &spec, err);
    if (k.status) {
        return k.status;
    }
    k.m = *model;
    fill_input(&k.rng, k.m, 8);
    const int input = TIN_FROM_INPUT, bits = random_bits(&k);
    tin_qlayer motion = {.op = TIN_OP_CONCAT, .n_from = 4, .output_bits = bits},
               all = {.op = TIN_OP_CONCAT, .n_from = 2};
    motion.from[0] = append(
        &k, (tin_qlayer){.op = TIN_OP_HIGH_PASS, .from = {input}, .ema_shift = 1 + below(&k, 12), .output_bits = bits});
    motion.from[1] = append(
        &k, (tin_qlayer){.op = TIN_OP_DIFFERENCE, .from = {input}, .dilation = 1 + below(&k, 9), .output_bits = 16});
    motion.from[2] = append(&k, (tin_qlayer){.op = TIN_OP_MAGNITUDE, .from = {input}, .n_outputs = 2});
    motion.from[3] = append(&k, (tin_qlayer){.op = TIN_OP_MAGNITUDE,
                                             .from = {input},
                                             .n_outputs = 2,
                                             .ema_shift = 1 + below(&k, 12),
                                             .output_bits = bits});
    const int row = append(&k, motion);
    all.from[0] =
        append(&k, (tin_qlayer){.op = TIN_OP_CONV1D, .from = {row}, .kernel = 4, .stride = 4, .n_outputs = 6});
    all.from[1] =
        append(&k, (tin_qlayer){.op = TIN_OP_LOG_VARIANCE, .from = {input}, .kernel = 1 + below(&k, 4), .stride = 4});
    const int both = append(&k, all);
    k.last = true;
    (void)append(&k, (tin_qlayer){.op = TIN_OP_DENSE, .from = {both}, .n_outputs = 3, .output_bits = 16});
    return finish(model, k.status, err);
}

static void draw_values(tin_rng *rng, int8_t *w, long rows, long columns, random_values values)
{
    static const int8_t book[] = {-127, -80, -51, -30, -9, 0, 4, 33, 77, 127};
    const uint64_t salt = tin_rng_next(rng);
    for (long i = 0; i < rows * columns; i++) {
        tin_rng block;
        tin_rng_derive(&block, salt, (uint64_t)(i / columns / 4 * columns + i % columns / 4));
        w[i] = values == RANDOM_INT4   ? (int8_t)((int)tin_rng_below(rng, 16) - 8)
               : values == RANDOM_BOOK ? book[tin_rng_below(rng, 10)]
                                       : (int8_t)((int)tin_rng_below(rng, 255) - 127);
        if (values >= RANDOM_SPARSE_50 && tin_rng_below(&block, 4) < (values == RANDOM_SPARSE_50 ? 2 : 3)) {
            w[i] = 0;
        }
    }
}

tin_status random_model_values(tin_qmodel *model, random_values values, uint64_t seed, tin_error *err)
{
    tin_rng rng;
    tin_rng_derive(&rng, seed, 4);
    for (int i = 0; i < model->n_layers; i++) {
        tin_qlayer *l = &model->layers[i];
        const long weights = (long)tin_qlayer_weights(l), rows = tin_qlayer_rows(l);
        if (weights > 0) {
            draw_values(&rng, l->weight, rows, weights / rows, values);
        }
        if (l->hidden_weight != NULL) {
            draw_values(&rng, l->hidden_weight, rows, l->n_outputs, values);
        }
        for (long r = 0; r < rows && weights > 0 && values == RANDOM_INT4; r++) { /* small weights, great multipliers */
            l->mult[r] = l->mult[r] > INT32_MAX / 15 ? INT32_MAX : 15 * l->mult[r];
        }
    }
    const tin_status status = tin_qmodel_check(model, err);
    return status ? status : tin_qmodel_seal(model, err);
}

static void round_down(int32_t *mult, int n)
{
    for (int i = 0; i < n; i++) {
        int32_t power = 1;
        while (power <= mult[i] / 2) {
            power *= 2;
        }
        mult[i] = power;
    }
}

tin_status random_model_powers(tin_qmodel *model, tin_error *err)
{
    round_down(model->input_mult, model->n_channels);
    for (int i = 0; i < model->n_layers; i++) {
        tin_qlayer *l = &model->layers[i];
        if (l->mult != NULL && l->op != TIN_OP_ADD && l->op != TIN_OP_CONCAT) {
            round_down(l->mult, tin_qlayer_rows(l));
        }
        if (l->hidden_mult != NULL) {
            round_down(l->hidden_mult, tin_qlayer_rows(l));
        }
    }
    const tin_status status = tin_qmodel_check(model, err);
    return status ? status : tin_qmodel_seal(model, err);
}

tin_decision_rule common_rule(int32_t on, int32_t hysteresis, int32_t count, int32_t refractory)
{
    tin_decision_rule rule = tin_decision_plain(on);
    rule.hysteresis = hysteresis;
    rule.needed = rule.of = count;
    rule.refractory = refractory;
    return rule;
}

static int32_t every_other(tin_rng *rng, int32_t neutral, int32_t most)
{
    return tin_rng_below(rng, 2) ? neutral : neutral + 1 + (int32_t)tin_rng_below(rng, (uint32_t)(most - neutral));
}

tin_decision_rule random_rule(uint64_t seed)
{
    tin_rng rng;
    tin_rng_derive(&rng, seed, 2);
    tin_decision_rule rule = tin_decision_plain((int32_t)tin_rng_range(&rng, -500, 1500));
    const int32_t apart = every_other(&rng, 0, 800);
    for (int k = 0; k < TIN_MAX_CLASSES; k++) {
        rule.on[k] += apart > 0 ? (int32_t)tin_rng_below(&rng, (uint32_t)apart) : 0;
    }
    rule.smooth_shift = every_other(&rng, 0, 8);
    rule.hysteresis = (int32_t)tin_rng_below(&rng, 1500);
    rule.lead = every_other(&rng, 0, 1000);
    rule.of = every_other(&rng, 1, tin_rng_below(&rng, 4) ? 5 : TIN_RULE_OF_MAX);
    rule.needed = tin_rng_below(&rng, 2) ? rule.of : 1 + (int32_t)tin_rng_below(&rng, (uint32_t)rule.of);
    rule.min_length = every_other(&rng, 0, 9);
    rule.refractory = every_other(&rng, 0, 9);
    return rule;
}

void random_counts(int16_t *counts, int64_t n_frames, int n_channels, uint64_t seed)
{
    tin_rng rng;
    tin_rng_derive(&rng, seed, 3);
    for (int64_t t = 0; t < n_frames; t++) {
        const int kind = (int)(t / 64 % 4);
        for (int c = 0; c < n_channels; c++) {
            double v = tin_rng_range(&rng, -8000, 8000);
            if (kind == 1) {
                v = 6000 * sin((double)t * 0.05 + c) + v * 0.1;
            } else if (kind == 2) {
                v = tin_rng_below(&rng, 2) ? 32767 : -32768;
            } else if (kind == 3) {
                v *= 4;
            }
            counts[t * n_channels + c] = (int16_t)v;
        }
    }
}
