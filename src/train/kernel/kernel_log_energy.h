/* log_energy (model/log_energy.h): integers on the counts, the same values as the reference to the last bit. It runs
 * when the input is loaded, before that is rounded; it has no gradient. A chunk holds whole details of every level and
 * whole blocks, so that only blocks are carried on. */
#ifndef TIN_KERNEL_LOG_ENERGY_H
#define TIN_KERNEL_LOG_ENERGY_H

#include "train/kernel/kernel_feature.h"

/* Integers in the memory of reals, which are not smaller. */
typedef int32_t lane_int __attribute__((may_alias));
typedef uint32_t lane_uint __attribute__((may_alias));

/* Blocks of the kernel - 1 before the chunk and of the chunk: [block][n_outputs][lane] of 32 bits. */
static size_t log_energy_saved_size(const tin_node *node)
{
    return (size_t)(node->kernel - 1 + node->rows_out) * (size_t)node->n_outputs * TIN_LANES;
}

static size_t log_energy_state_size(const tin_node *node)
{
    return (size_t)(node->kernel - 1) * (size_t)node->n_outputs * TIN_LANES;
}

static size_t log_energy_scratch_size(const tin_node *node)
{
    return (size_t)node->rows_in * TIN_LANES;
}

/* One channel of x back to counts: whole numbers of int16. */
static void log_energy_counts(const tin_pass *pass, const tin_node *node, int c, lane_int *counts)
{
    const real *x = (const real *)pass->work + node->in[0].x + (ptrdiff_t)c * TIN_LANES;
    real inverse = 1 / (real)pass->input->scale[c], offset = (real)pass->input->offset[c];
    for (int t = 0; t < node->rows_in; t++, x += node->n_inputs * TIN_LANES, counts += TIN_LANES) {
        for (int l = 0; l < TIN_LANES; l++) {
            counts[l] = count_of(x[l], inverse, offset);
        }
    }
}

/* The sums of a block's squares, as they are kept: 32 bits. */
INLINE void log_energy_end_block(uint64_t *sum, int shift, lane_uint *block)
{
    for (int l = 0; l < TIN_LANES; l++) {
        uint64_t mean = sum[l] >> shift;
        block[l] = mean < UINT32_MAX ? (uint32_t)mean : UINT32_MAX;
        sum[l] = 0;
    }
}

/* One level: a [2 * n] becomes the sums [n] in place, the squares of the differences go to the blocks, one every
 * n_outputs * TIN_LANES. */
static void log_energy_level(const tin_node *node, int level, lane_int *a, lane_uint *blocks)
{
    int n = node->rows_in >> level, shift = node->log2_stride + level - 4, block = 0;
    ptrdiff_t row = (ptrdiff_t)node->n_outputs * TIN_LANES;
    uint64_t sum[TIN_LANES] = {0};
    for (int i = 0; i < n; i++) {
        int at = (((i + 1) << level) - 1) >> node->log2_stride; /* the block where the detail ends */
        for (; block < at; block++) {
            log_energy_end_block(sum, shift, blocks + block * row);
        }
        const lane_int *from = a + (ptrdiff_t)2 * i * TIN_LANES;
        lane_int *to = a + (ptrdiff_t)i * TIN_LANES;
        for (int l = 0; l < TIN_LANES; l++) {
            int32_t left = from[l], right = from[TIN_LANES + l], d = right - left;
            sum[l] += (uint64_t)((int64_t)d * d);
            to[l] = left + right;
        }
    }
    for (; block < node->rows_out; block++) {
        log_energy_end_block(sum, shift, blocks + block * row);
    }
}

/* L of model/log_energy.h; v >= 8. */
INLINE int log_energy_eighths(uint64_t v)
{
    int n = 63 - __builtin_clzll(v);
    return 8 * n + (int)(v >> (n - 3)) - 8;
}

/* One output over the chunk, from blocks and the kernel - 1 before them. */
static void log_energy_rows(const tin_node *node, const lane_uint *blocks, real *y)
{
    ptrdiff_t row = (ptrdiff_t)node->n_outputs * TIN_LANES;
    uint64_t floor = 16 * (uint64_t)node->kernel, sum[TIN_LANES];
    int silence = log_energy_eighths(floor) + 112;
    for (int l = 0; l < TIN_LANES; l++) {
        sum[l] = floor;
        for (int k = 1; k < node->kernel; k++) {
            sum[l] += blocks[(ptrdiff_t)(k - 1) * row + l];
        }
    }
    for (int t = 0; t < node->rows_out; t++, blocks += row, y += row) {
        for (int l = 0; l < TIN_LANES; l++) {
            sum[l] += blocks[(node->kernel - 1) * row + l];
            y[l] = (real)(log_energy_eighths(sum[l]) - silence) / 32;
            sum[l] -= blocks[l];
        }
    }
}

static void log_energy_forward(const tin_pass *pass, const tin_node *node)
{
    real *work = pass->work;
    lane_int *a = (lane_int *)(work + node->scratch);
    lane_uint *blocks = (lane_uint *)(work + node->saved),
              *state = (lane_uint *)((real *)pass->state + node->state +
                                     (size_t)node->carried * (size_t)node->n_outputs * TIN_LANES);
    size_t carried = log_energy_state_size(node), fresh = (size_t)node->rows_out * (size_t)node->n_outputs * TIN_LANES;
    for (size_t i = 0; i < carried; i++) {
        blocks[i] = (pass->keep >> i % TIN_LANES & 1u) ? state[i] : 0;
    }
    int levels = node->n_outputs / node->n_inputs;
    for (int c = 0; c < node->n_inputs; c++) {
        log_energy_counts(pass, node, c, a);
        for (int level = 1; level <= levels; level++) {
            log_energy_level(node, level, a, blocks + carried + (ptrdiff_t)(c * levels + level - 1) * TIN_LANES);
        }
    }
    for (int o = 0; o < node->n_outputs; o++) {
        log_energy_rows(node, blocks + (ptrdiff_t)o * TIN_LANES, work + node->y + (ptrdiff_t)o * TIN_LANES);
    }
    memcpy(state, blocks + fresh, carried * sizeof *state);
}

#endif
