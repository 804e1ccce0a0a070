/* The integer model and its interpreter. THIS DEFINES THE RESULT: generated code equals it bit for bit on every target.
 *
 * The arithmetic, all int32 unless said; docs/integer-arithmetic.md is the whole definition:
 *
 *     multiply_high(a, m) = (int64(a) * m + 2^31) >> 32                  round half up; >> is arithmetic
 *     requantize(acc, m, shift) = multiply_high(acc * 2^shift, m)        0 <= m < 2^31, 0 <= shift <= 16
 *     saturate8(v) = min(127, max(-127, v)), behind a ReLU min(127, max(0, v))
 *     saturate16(v) = min(32767, max(-32768, v))
 *
 * The quantiser proves from the weights that |acc| * 2^shift < 2^31, or refuses. Tensors between layers are int8,
 * symmetric, zero point 0, or int16 where the layer says so: value = q * scale. 16 bits: the input, conv1d, dense,
 * avg_pool, add, concat, high_pass, difference and magnitude may give them; conv1d, dense, avg_pool, add, concat and recurrent layers may read them. An
 * int8 is -128 only behind a recurrent layer, a tanh, a concat (and the max_pool of one).
 *
 *     saturate(v) = saturate8(v), or min(32767, max(-32767, v)) where the tensor has 16 bits
 *
 *     input     q[c] = saturate(requantize(counts[c] - offset[c], mult[c], shift))
 *     conv1d    acc = bias[o] + sum w * x;  v = requantize(acc, mult[o], shift), then by `activation`:
 *               none q[o] = saturate(v); relu the same but at least 0;
 *               sigmoid q[o] = min(127, (sigmoid(v) + 2^20) >> 21), v in Q12;
 *               tanh q[o] = min(127, (sigmoid(v) - 2^27 + 2^19) >> 20), v in Q13; both of scale 1/128, 8 bits
 *     dense     the same; the last dense gives int16 scores, logit * 256: saturate16(v)
 *     avg_pool  acc = sum of the last `kernel` rows;  q[i] = saturate(requantize(acc, mult[0], shift))
 *     max_pool  q[i] = greatest of the last `kernel` rows; the scale of what it reads
 *     ema       state a int32 [I], Q(k + 8) of units of x, starts at 0, k = ema_shift:
 *               a += x[i] * 2^8 - ((a + 2^(k-1)) >> k);  q[i] = saturate8(requantize(a, mult[0], shift))
 *     add       q[i] = saturate((sum over inputs k of x_k[i] * mult[k] + 2^(shift-1)) >> shift), relu when `activation`
 *               says so; 0 <= mult <= 32767, 1 <= shift <= 30
 *     concat    the same for each input alone, but 8 bits go down to -128:
 *               q = min(127, max(-128, (x_k[i] * mult[k] + 2^(shift-1)) >> shift)), 16 bits saturate
 *               so that mult[k] = 2^shift copies the row, h8 = -128 too
 *     multiply  q[i] = saturate8(requantize(x_0[i] * x_1[i], mult[0], shift))
 *     features  docs/integer-arithmetic.md; those that give no logarithm: q[o] = saturate(requantize(v[o], mult[o], shift))
 *     recurrent layers: h8, int8 of scale 1/128, is what the matrix on the state and the next layer read. For each row
 *               of each gate:
 *                   a = requantize(bias[row] + sum_i W[row][i] * x[i], mult[row], shift)
 *                   b = requantize(hidden_bias[row] + sum_j U[row][j] * h8[j], hidden_mult[row], hidden_shift)
 *               all from the old h8. hidden_bias is not 0 only in the rows n of gru (reset after) and mgu; elsewhere it
 *               is part of bias. Units: Q12 of the pre-activation, Q13 in the rows n and g, but b of n in Q17 where it
 *               is multiplied by a gate (gru reset after, mgu).
 *     gru       state h int16, Q15, starts at 0; h8 = min(127, (h + 128) >> 8)
 *                   r = sigmoid(a_r + b_r), z = sigmoid(a_z + b_z)                 Q28
 *                   n = sigmoid(a_n + multiply_high(b_n, r)) - 2^27                Q27, the tanh
 *                   h = (n + multiply_high(h * 2^12 - n, z) * 16 + 2^11) >> 12
 *               reset_before: first all r, z and rh8 = min(127, (multiply_high(h * 2^12, r) + 2^15) >> 16); then
 *                   n = sigmoid(a_n + b_n) - 2^27, where b_n reads rh8 in place of h8
 *     mgu       f = sigmoid(a_f + b_f), n = sigmoid(a_n + multiply_high(b_n, f)) - 2^27, h as gru with z = 2^28 - f
 *     min_gru   z = sigmoid(a_z), n = sigmoid(a_n) - 2^27, h as gru; there is no U
 *     lstm      state c int32, Q23, starts at 0, and h8
 *                   i, f, o = sigmoid(a + b) Q28, g = sigmoid(a_g + b_g) - 2^27 Q27
 *                   c = min(2^27 - 1, max(-2^27, multiply_high(c * 16, f) + multiply_high(g, i)))
 *                   h8 = min(127, (multiply_high(sigmoid((c + 2^9) >> 10) - 2^27, o) + 2^15) >> 16)
 *
 *     sigmoid(t), t in Q12:  i = min(127, max(-128, t >> 8)); p = table[i + 128]; result p + int16(t) * int16(p), Q28.
 *               p holds intercept * 2^16 + slope, a chord of the sigmoid on [i/16, (i+1)/16); the slope of the
 *               first and the last entry is 0.
 *
 * Strides as in model.h: a layer with history holds L = (kernel-1)*dilation + 1 rows; `fill` starts at L - stride; it
 * gives an output when fill reaches L (rows that come while fill < 0 are skipped). */
#ifndef TIN_QMODEL_H
#define TIN_QMODEL_H

#include "model/model.h"

#define TIN_SCORE_ONE 256 /* score units per logit */

/* What is done to the output of a layer. relu6, hard_sigmoid and hard_tanh are the limits of the output's scale. */
#define TIN_ACTIVATION_LIST(X)                                                                                         \
    X(TIN_ACTIVATION_NONE, "none")                                                                                     \
    X(TIN_ACTIVATION_RELU, "relu")                                                                                     \
    X(TIN_ACTIVATION_SIGMOID, "sigmoid")                                                                               \
    X(TIN_ACTIVATION_TANH, "tanh")

typedef enum tin_activation {
#define X(activation, name) activation,
    TIN_ACTIVATION_LIST(X)
#undef X
        TIN_ACTIVATION_COUNT
} tin_activation;

const char *tin_activation_name(tin_activation activation);
/* TIN_ACTIVATION_COUNT when unknown. */
tin_activation tin_activation_from_name(const char *name);

typedef struct tin_qlayer {
    tin_op op; /* no batch_norm, dropout or activation: those are part of the layer that they follow */
    char name[TIN_LAYER_NAME];
    int from[TIN_MAX_FROM], n_from; /* as in tin_layer */
    int n_inputs, n_outputs;
    int kernel, stride, dilation, groups, period;
    bool reset_before;
    int ema_shift, levels, bands, low_hz, high_hz;
    tin_activation activation; /* conv1d, dense; add knows relu only */
    int output_bits;           /* 8 or 16; the scores have 16 */
    float output_scale;        /* value per unit of the output; 1/128 for recurrent layers, 1/256 for the scores */
    /* all owned; sizes: conv1d weight [O][K][I/groups] (taps oldest first), dense [O][I], recurrent [gates * H][I];
     * bias one per row; mult one per row, or one per layer read for add and concat, 1 for avg_pool, ema and multiply */
    int8_t *weight;
    int32_t *bias, *mult;
    int shift;
    /* recurrent, but not min_gru: [gates * H][H], [H] (rows n of gru with the reset after and of mgu; NULL where it is
     * part of bias), [gates * H] */
    int8_t *hidden_weight;
    int32_t *hidden_bias, *hidden_mult;
    int hidden_shift;
} tin_qlayer;

typedef struct tin_qmodel {
    int n_channels, n_classes;
    double rate_hz;
    int hop;
    tin_class *classes;
    tin_channel *channels;
    int32_t input_offset[TIN_MAX_CHANNELS], input_mult[TIN_MAX_CHANNELS];
    int input_shift, input_bits; /* bits 8 or 16 */
    float input_scale;           /* normalised value per unit of the quantised input */
    int delay;                   /* frames, as in tin_model */
    tin_qlayer layers[TIN_MAX_LAYERS];
    int n_layers;
    char hash[65]; /* of everything that affects the result */
} tin_qmodel;

/* "One definition" of the arithmetic, used by interpreter, quantiser and tests. */
int32_t tin_multiply_high(int32_t a, int32_t m);
int32_t tin_requantize(int32_t acc, int32_t mult, int shift);
int32_t tin_sigmoid_q28(int32_t t);
extern const uint32_t tin_sigmoid_table[256];

tin_status tin_qmodel_save(const tin_qmodel *model, const char *path,
                           tin_error *err) TIN_USE_RESULT; /* path without extension */
tin_status tin_qmodel_load(tin_qmodel **model, const char *path, tin_error *err) TIN_USE_RESULT;
/* Making one by hand (the quantiser, tests): an empty model with copies of the names, then per layer set op and sizes
 * (and name and from, when it is no chain), call tin_qlayer_allocate (arrays of zeros), fill in, n_layers++; at the end
 * link, check, seal. */
tin_status tin_qmodel_create(tin_qmodel **model, double rate_hz, const tin_channel *channels, int n_channels,
                             const tin_class *classes, int n_classes, tin_error *err) TIN_USE_RESULT;
tin_status tin_qlayer_allocate(tin_qlayer *layer, tin_error *err) TIN_USE_RESULT;
/* Fills what follows from the rest: period of each layer, hop; and what was left at 0: name (op_N), from (the layer right
 * before), bits (8, of the scores 16). */
void tin_qmodel_link(tin_qmodel *model);
int tin_qlayer_gates(const tin_qlayer *layer); /* matrices side by side: 3 for gru, 4 lstm, 2 mgu and min_gru, else 1 */
int tin_qlayer_rows(const tin_qlayer *layer); /* length of mult: gates * O; 1, n_from or 0 where there are no weights */
size_t tin_qlayer_weights(const tin_qlayer *layer);   /* length of weight; 0 where there are none */
bool tin_qlayer_reads_state(const tin_qlayer *layer); /* has hidden_weight: recurrent, but not min_gru */
/* The state's part of the candidate is multiplied by a gate, so it has a hidden_bias: gru with the reset after, mgu. */
bool tin_qlayer_gates_candidate(const tin_qlayer *layer);
/* Greatest |q| of the tensor that layer `layer` (or TIN_FROM_INPUT) gives: 127, 128 or 32767. */
int tin_qmodel_bound(const tin_qmodel *model, int layer);
void tin_qmodel_free(tin_qmodel *model);
/* Checks the graph and proves that no sum can leave int32 (docs/integer-arithmetic.md, "No overflow"): for each row
 * |bias| + sum |w| * bound of the tensor read < 2^(31 - shift), and likewise for the ops without weights.
 * TIN_ERR_MODEL names layer, row and bound. Called by load and by the quantiser. */
tin_status tin_qmodel_check(const tin_qmodel *model, tin_error *err) TIN_USE_RESULT;
/* Greatest size that a sum of layer `layer` can reach before its shift, over the rows of the matrix on the input or, where
 * `hidden`, on the state; below 2^(31 - shift). 0 where there is no such sum: add, concat, max_pool, features. */
int64_t tin_qmodel_sum_bound(const tin_qmodel *model, int layer, bool hidden);
/* Fills hash. */
tin_status tin_qmodel_seal(tin_qmodel *model, tin_error *err) TIN_USE_RESULT;
double tin_qmodel_macs(const tin_qmodel *model); /* per decision */

/* The interpreter: naive on purpose. */
typedef struct tin_qrunner tin_qrunner;
tin_status tin_qrunner_create(tin_qrunner **runner, const tin_qmodel *model, tin_error *err) TIN_USE_RESULT;
void tin_qrunner_reset(tin_qrunner *runner);
/* counts [n_channels]; returns 1 and fills scores [n_classes] when a decision is due, else 0. */
int tin_qrunner_step(tin_qrunner *runner, const int16_t *counts, int16_t *scores);
void tin_qrunner_free(tin_qrunner *runner);

#endif
