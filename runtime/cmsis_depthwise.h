/* conv1d with one group per input channel by CMSIS-NN. */
#ifndef TINK_CMSIS_DEPTHWISE_H
#define TINK_CMSIS_DEPTHWISE_H

#include "runtime/kernel.h"

/* [fragment] */
#include "arm_nnfunctions.h"

typedef struct tink_cmsis_depthwise_t {
    const int8_t *weight;               /* [taps][inputs * multiplier] */
    const int32_t *bias, *mult, *shift; /* [inputs * multiplier]; as in tink_cmsis_linear_t */
    int32_t inputs, multiplier, taps, dilation, low;
} tink_cmsis_depthwise_t;

/* Output o reads input o / multiplier. */
TINK_KERNEL void tink_cmsis_depthwise(const tink_cmsis_depthwise_t *c, const int8_t *x, int8_t *y)
{
    cmsis_nn_context context;
    cmsis_nn_dw_conv_params params;
    cmsis_nn_per_channel_quant_params quant;
    cmsis_nn_dims input, filter, bias, output;
    memset(&context, 0, sizeof context);
    memset(&params, 0, sizeof params);
    memset(&bias, 0, sizeof bias);
    params.ch_mult = c->multiplier;
    params.stride.w = params.stride.h = 1;
    params.dilation.w = c->dilation;
    params.dilation.h = 1;
    params.activation.min = c->low;
    params.activation.max = 127;
    quant.multiplier = (int32_t *)c->mult;
    quant.shift = (int32_t *)c->shift;
    input.n = input.h = filter.n = filter.h = output.n = output.h = output.w = 1;
    input.w = (c->taps - 1) * c->dilation + 1;
    input.c = c->inputs;
    filter.w = c->taps;
    filter.c = output.c = bias.c = c->inputs * c->multiplier;
    (void)arm_depthwise_conv_s8(&context, &params, &quant, &input, x, &filter, c->weight, &bias, c->bias, &output, y);
}
/* [end] */

#endif
