/* conv1d with groups 1, and dense, with outputs of 8 bits by CMSIS-NN. */
#ifndef TINK_CMSIS_LINEAR_H
#define TINK_CMSIS_LINEAR_H

#include "runtime/cmsis_window.h"

/* [fragment] */
#include "arm_nnfunctions.h"

typedef struct tink_cmsis_linear_t {
    const int8_t *weight;               /* [rows][taps][columns] */
    const int32_t *bias, *mult, *shift; /* [rows], of the rounding of CMSIS-NN; shift >= 0, so that it rounds once */
    int32_t jump, taps, columns;        /* of x: from tap to tap, columns per tap */
    int32_t rows, low;
} tink_cmsis_linear_t;

/* y[r] = requantize(bias[r] + sum of w[r] * x), at least `low`. lanes: room for the window where there are taps. */
TINK_KERNEL void tink_cmsis_linear(const tink_cmsis_linear_t *c, const int8_t *x, int32_t *lanes, int8_t *y)
{
    cmsis_nn_context context;
    cmsis_nn_fc_params params;
    cmsis_nn_per_channel_quant_params quant;
    cmsis_nn_dims input, filter, bias, output;
    memset(&params, 0, sizeof params);
    memset(&input, 0, sizeof input);
    memset(&filter, 0, sizeof filter);
    memset(&bias, 0, sizeof bias);
    memset(&output, 0, sizeof output);
    context.buf = (void *)c->bias; /* the sums of arm_vector_sum_s8: without offsets, the biases; only read */
    context.size = c->rows * (int32_t)sizeof *c->bias;
    params.activation.min = c->low;
    params.activation.max = 127;
    quant.multiplier = (int32_t *)c->mult;
    quant.shift = (int32_t *)c->shift;
    input.n = 1;
    filter.n = c->taps * c->columns;
    filter.c = c->rows;
    bias.c = c->rows;
    output.n = 1;
    output.c = c->rows;
    x = tink_cmsis_window(x, c->jump, c->taps, c->columns, (int8_t *)lanes);
    (void)arm_fully_connected_per_channel_s8(&context, &params, &quant, &input, x, &filter, c->weight, &bias, c->bias,
                                             &output, y);
}
/* [end] */

#endif
