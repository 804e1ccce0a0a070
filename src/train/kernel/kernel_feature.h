/* Features of the input's counts by their integer reference (model/feature.h), one sequence after another. They run when
 * the input is loaded, before that is rounded; they have no gradient. */
#ifndef TIN_KERNEL_FEATURE_H
#define TIN_KERNEL_FEATURE_H

#include "train/kernel/kernel_vector.h"

static size_t feature_state_reals(const tin_node *node) /* of one sequence */
{
    return (tin_feature_state_bytes(node->feature) + sizeof(real) - 1) / sizeof(real);
}

static size_t feature_state_size(const tin_node *node)
{
    return feature_state_reals(node) * TIN_LANES;
}

/* A value of the input back to its count, a whole number of int16. */
INLINE int16_t count_of(real x, real inverse, real offset)
{
    real v = x * inverse + offset;
    v = v < INT16_MAX ? v : INT16_MAX;
    v = v > INT16_MIN ? v : INT16_MIN;
    return (int16_t)(v + (v < 0 ? (real)-0.5 : (real)0.5));
}

/* Sequence `lane`, whose frames are at x. */
static void feature_lane(const tin_pass *pass, const tin_node *node, int lane, const float *x, void *state)
{
    real inverse[TIN_MAX_CHANNELS], offset[TIN_MAX_CHANNELS], unit[TIN_MAX_WIDTH],
        *y = (real *)pass->work + node->y + lane;
    int16_t counts[TIN_MAX_CHANNELS];
    int32_t q[TIN_MAX_WIDTH];
    for (int c = 0; c < node->n_inputs; c++) {
        inverse[c] = 1 / (real)pass->input->scale[c];
        offset[c] = (real)pass->input->offset[c];
    }
    for (int o = 0; o < node->n_outputs; o++) {
        unit[o] = (real)tin_feature_unit(node->op, pass->input, o);
    }
    for (int t = 0; t < node->rows_in; t++, x += node->n_inputs) {
        for (int c = 0; c < node->n_inputs; c++) {
            counts[c] = count_of((real)x[c], inverse[c], offset[c]);
        }
        if (tin_feature_step(node->feature, state, counts, q)) {
            for (int o = 0; o < node->n_outputs; o++, y += TIN_LANES) {
                *y = (real)q[o] * unit[o];
            }
        }
    }
}

/* rows: as of `load`. Lanes that are not in use become zero. */
static void feature_forward(const tin_pass *pass, const tin_node *node, const float *rows, size_t lane_stride)
{
    size_t size = feature_state_reals(node), row = (size_t)node->n_outputs * TIN_LANES;
    real *state = (real *)pass->state + node->state + (size_t)node->carried * row;
    memset((real *)pass->work + node->y, 0, (size_t)node->rows_out * row * sizeof(real));
    for (int l = 0; l < pass->n_lanes; l++, state += size) {
        if ((pass->keep >> l & 1u) == 0) {
            memset(state, 0, size * sizeof(real));
        }
        feature_lane(pass, node, l, rows + (size_t)l * lane_stride, state);
    }
}

#endif
