/* The functions of the stand-in, see arm_nnfunctions.h: what the library's documentation says, the simplest way. A
 * negative status where an argument is not what the documentation asks for. */
#include "arm_nnfunctions.h"

#include <stddef.h>

/* "(val * multiplier) with rounding divided by (2 ^ shift) with rounding": first val * 2^left * multiplier / 2^31, half
 * up, then / 2^right, half away from zero. */
static int32_t requantize(int64_t val, int32_t multiplier, int32_t shift)
{
    const int left = shift > 0 ? (int)shift : 0, right = shift > 0 ? 0 : (int)-shift;
    const int64_t product = (val * ((int64_t)1 << left) * multiplier + ((int64_t)1 << 30)) >> 31;
    const int64_t half = right > 0 ? (int64_t)1 << (right - 1) : 0;
    return (int32_t)(product >= 0 ? (product + half) >> right : -((-product + half) >> right));
}

static int8_t limit(int64_t v, const cmsis_nn_activation *a)
{
    return (int8_t)(v < a->min ? a->min : v > a->max ? a->max : v);
}

arm_cmsis_nn_status arm_fully_connected_per_channel_s8(const cmsis_nn_context *ctx, const cmsis_nn_fc_params *fc_params,
                                                       const cmsis_nn_per_channel_quant_params *quant_params,
                                                       const cmsis_nn_dims *input_dims, const int8_t *input_data,
                                                       const cmsis_nn_dims *filter_dims, const int8_t *filter_data,
                                                       const cmsis_nn_dims *bias_dims, const int32_t *bias_data,
                                                       const cmsis_nn_dims *output_dims, int8_t *output_data)
{
    const int32_t n = filter_dims->n, rows = output_dims->c;
    const int32_t *sums = (const int32_t *)ctx->buf; /* of the weights times the offset, plus the bias */
    int32_t batch, r, i;
    if (sums == NULL || ctx->size < rows * 4 || filter_dims->c != rows || bias_dims->c != rows ||
        output_dims->n != input_dims->n) {
        return ARM_CMSIS_NN_ARG_ERROR;
    }
    for (batch = 0; batch < input_dims->n; batch++) {
        for (r = 0; r < rows; r++) {
            int64_t acc = bias_data[r], sum = bias_data[r];
            for (i = 0; i < n; i++) {
                const int32_t w = filter_data[r * n + i] + fc_params->filter_offset;
                acc += w * (input_data[batch * n + i] + fc_params->input_offset);
                sum += filter_data[r * n + i] * fc_params->input_offset;
            }
            if (sum != sums[r]) {
                return ARM_CMSIS_NN_ARG_ERROR;
            }
            output_data[batch * rows + r] =
                limit((int64_t)requantize(acc, quant_params->multiplier[r], quant_params->shift[r]) +
                          fc_params->output_offset,
                      &fc_params->activation);
        }
    }
    return ARM_CMSIS_NN_SUCCESS;
}

/* Batch 1, height 1, no padding: all that generated code asks for. Filter [1][1][width][channels out]. */
arm_cmsis_nn_status arm_depthwise_conv_s8(const cmsis_nn_context *ctx, const cmsis_nn_dw_conv_params *dw_conv_params,
                                          const cmsis_nn_per_channel_quant_params *quant_params,
                                          const cmsis_nn_dims *input_dims, const int8_t *input_data,
                                          const cmsis_nn_dims *filter_dims, const int8_t *filter_data,
                                          const cmsis_nn_dims *bias_dims, const int32_t *bias_data,
                                          const cmsis_nn_dims *output_dims, int8_t *output_data)
{
    const cmsis_nn_dw_conv_params *p = dw_conv_params;
    const int32_t channels = output_dims->c;
    int32_t at, o, k;
    (void)ctx;
    if (input_dims->n != 1 || input_dims->h != 1 || filter_dims->h != 1 || output_dims->h != 1 || p->padding.w != 0 ||
        p->padding.h != 0 || input_dims->c * p->ch_mult != channels || bias_dims->c != channels ||
        filter_dims->c != channels || p->stride.w < 1 || p->stride.h < 1 || p->dilation.h != 1 ||
        (output_dims->w - 1) * p->stride.w + (filter_dims->w - 1) * p->dilation.w >= input_dims->w) {
        return ARM_CMSIS_NN_ARG_ERROR;
    }
    for (at = 0; at < output_dims->w; at++) {
        for (o = 0; o < channels; o++) {
            int64_t acc = bias_data[o];
            for (k = 0; k < filter_dims->w; k++) {
                const int32_t row = at * p->stride.w + k * p->dilation.w;
                acc += filter_data[k * channels + o] *
                       (input_data[row * input_dims->c + o / p->ch_mult] + p->input_offset);
            }
            output_data[at * channels + o] =
                limit((int64_t)requantize(acc, quant_params->multiplier[o], quant_params->shift[o]) + p->output_offset,
                      &p->activation);
        }
    }
    return ARM_CMSIS_NN_SUCCESS;
}

/* lhs [lhs_rows][rhs_rows] times rhs [rhs_cols][rhs_rows] transposed, added to what stands in dst. */
arm_cmsis_nn_status arm_nn_mat_mult_nt_t_s8_s32(const int8_t *lhs, const int8_t *rhs, int32_t *dst, int32_t lhs_rows,
                                                int32_t rhs_rows, int32_t rhs_cols, int32_t lhs_offset,
                                                int32_t dst_idx_offset)
{
    int32_t r, c, i;
    for (r = 0; r < lhs_rows; r++) {
        for (c = 0; c < rhs_cols; c++) {
            int32_t *to = dst + (r * rhs_cols + c) * dst_idx_offset;
            for (i = 0; i < rhs_rows; i++) {
                *to += (lhs[r * rhs_rows + i] + lhs_offset) * rhs[c * rhs_rows + i];
            }
        }
    }
    return ARM_CMSIS_NN_SUCCESS;
}
