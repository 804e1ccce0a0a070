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
 * symmetric, zero point 0: value = q * scale.
 *
 *     input     q[c] = saturate8(requantize(counts[c] - offset[c], mult[c], shift))
 *     conv1d    acc = bias[o] + sum w * x;  q[o] = saturate8(requantize(acc, mult[o], shift)), ReLU fused when `relu`
 *     dense     the same; the last dense gives int16 scores, logit * 256: saturate16(requantize(acc, mult[o], shift))
 *     avg_pool  acc = sum of the last `kernel` rows;  q[i] = saturate8(requantize(acc, mult[0], shift))
 *     gru       state h int16, Q15, starts at 0; h8 = min(127, (h + 128) >> 8), of scale 1/128, is what the matrix and
 *               the next layer read. For the rows r, z, n of H each:
 *                   a = requantize(bias[row] + sum_i W[row][i] * x[i], mult[row], shift)
 *                   b = requantize(hidden_bias[row] + sum_j U[row][j] * h8[j], hidden_mult[row], hidden_shift)
 *               Units: r and z: Q12 of the pre-activation; n: a in Q13, b in Q17. hidden_bias is 0 for r and z, where
 *               it is part of bias.
 *                   r = sigmoid(a_r + b_r), z = sigmoid(a_z + b_z)                 Q28
 *                   n = sigmoid(a_n + multiply_high(b_n, r)) - 2^27                Q27, the tanh
 *                   h = (n + multiply_high(h * 2^12 - n, z) * 16 + 2^11) >> 12     all from the old h8
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

typedef struct tin_qlayer {
    tin_op op; /* TIN_OP_CONV1D, TIN_OP_GRU, TIN_OP_DENSE or TIN_OP_AVG_POOL */
    int n_inputs, n_outputs;
    int kernel, stride, dilation, groups;
    bool relu;
    float output_scale; /* value per unit of the output; 1/128 for gru, 1/256 for the last dense */
    /* all owned; sizes: conv1d weight [O][K][I/groups] (taps oldest first), dense [O][I], gru [3H][I]; bias, mult one
     * per row */
    int8_t *weight;
    int32_t *bias, *mult;
    int shift;
    /* gru only: [3H][H], [H] (rows n only), [3H] */
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
    int input_shift;
    float input_scale; /* normalised value per unit of the quantised input */
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
/* Making one by hand (the quantiser, tests): an empty model with copies of the names, then per layer set op and sizes,
 * call tin_qlayer_allocate (arrays of zeros), fill in, n_layers++; at the end set hop, check, seal. */
tin_status tin_qmodel_create(tin_qmodel **model, double rate_hz, const tin_channel *channels, int n_channels,
                             const tin_class *classes, int n_classes, tin_error *err) TIN_USE_RESULT;
tin_status tin_qlayer_allocate(tin_qlayer *layer, tin_error *err) TIN_USE_RESULT;
int tin_qlayer_rows(
    const tin_qlayer *layer); /* length of mult (and of bias, if not 0): O; 3H for gru; 1 for avg_pool */
size_t tin_qlayer_weights(const tin_qlayer *layer); /* length of weight; 0 for avg_pool */
void tin_qmodel_free(tin_qmodel *model);
/* Checks shapes and proves that no accumulator can overflow: for each row |bias| + sum |w| * 127 (128 for h8) < 2^(31 -
 * shift) and < 2^31; avg_pool kernel * 127 likewise; TIN_ERR_MODEL names layer, row and bound. Called by load and by
 * the quantiser. */
tin_status tin_qmodel_check(const tin_qmodel *model, tin_error *err) TIN_USE_RESULT;
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
